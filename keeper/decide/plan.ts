import { type AccountId, type Refusal } from "../../sdk/index.js";
import * as MarginVault from "../../sdk/risk/MarginVault.js";
import * as Margin from "../../sdk/risk/libraries/Margin.js";
import * as Price from "../../sdk/risk/types/Price.js";
import * as AccountWord from "../../sdk/risk/types/AccountWord.js";
import type { Liquidatable } from "../detect/index.js";
import type { Plan, PlannedCall, Skip, SkipReason } from "../parts.js";
import { type GasCost, type ProfitPolicy, type Verdict, judge } from "./profit.js";
import { type Choice, type Step, type TakerSide, absorbStep, best, healthText, partialSteps } from "./steps.js";
import { type Books, done } from "./trial.js";

/** Why an account is left alone whatever could be done for it. */
export type Wait = Extract<SkipReason, "underWay" | "backingOff" | "roundLimit">;

/** What a keeper wants, besides the waterfall's own order. */
export interface Policy {
  /** The account that rewards go to. */
  readonly keeperAccount: AccountId;
  /** Where calls go. */
  readonly vault: string;
  readonly profit: ProfitPolicy;
  readonly gas: GasCost;
  /** Accounts to be left alone now, and why. */
  readonly waiting?: ReadonlyMap<AccountId, Wait>;
}

/** Steps for one account in one plan at most: as many as it can have assets, and a few for what is taken in parts. */
const mostSteps = 32;

/**
 * What is to be done for these accounts, each of which is in a call or in a skip; those that are furthest below come first. It is worked out
 * in the twin, call after call on the same books, so that the plan is right as a whole.
 *
 * Of what the waterfall has for an account now, a part of it (step 1) comes before absorb: it costs the account less, and where it serves
 * the account, nobody else has to bear anything. Of parts the one that costs least for the health that it brings, and pays the keeper.
 *
 * @param books on which everything planned is done
 */
export function plan(books: Books, liquidatable: readonly Liquidatable[], policy: Policy, taker?: TakerSide): Plan {
  const calls: PlannedCall[] = [];
  const skips: Skip[] = [];
  const toAbsorb: { account: AccountId; reason: SkipReason | undefined }[] = [];
  for (const { account } of liquidatable.toSorted(byHealth)) {
    const reason = policy.waiting?.get(account) ?? ownReason(account, policy, taker);
    if (reason !== undefined) {
      skips.push({ account, reason });
      continue;
    }
    const steps: PlannedCall[] = [];
    const left = foreseen(() => liquidateParts(books, account, policy, taker, steps));
    calls.push(...steps);
    if (steps.length === 0 && left === undefined) skips.push({ account, reason: "helped" });
    // Whoever is not healthy yet may be open to absorb. After all parts: those may find room in the pool that absorbed ones would fill.
    if (left !== undefined) toAbsorb.push({ account, reason: steps.length > 0 ? undefined : left });
  }
  for (const { account, reason } of toAbsorb) {
    const absorbed = foreseen(() => absorb(books, account, policy));
    if (absorbed === "unforeseen") {
      if (reason !== undefined) skips.push({ account, reason: absorbed });
    } else if (absorbed.call !== undefined) calls.push(absorbed.call);
    else if (reason !== undefined) skips.push({ account, reason: absorbed.reason ?? reason });
  }
  return { calls, skips };
}

function byHealth(a: Liquidatable, b: Liquidatable): number {
  if (a.health.healthWad !== b.health.healthWad) return a.health.healthWad < b.health.healthWad ? -1 : 1;
  return a.account < b.account ? -1 : 1;
}

function ownReason(account: AccountId, { keeperAccount }: Policy, taker?: TakerSide): SkipReason | undefined {
  return account === keeperAccount || account === taker?.account ? "rewardToSelf" : undefined;
}

/** What the twin throws where nothing should be thrown concerns one account: the others are planned all the same. */
function foreseen<T>(work: () => T): T | "unforeseen" {
  try {
    return work();
  } catch {
    return "unforeseen";
  }
}

/** Adds parts until the account is healthy, or nothing is left to do: then it tells why. */
function liquidateParts(
  books: Books,
  account: AccountId,
  policy: Policy,
  taker: TakerSide | undefined,
  steps: PlannedCall[],
): SkipReason | undefined {
  for (let count = 0; count < mostSteps; count += 1) {
    const health = MarginVault.health(books.$, books.code, account);
    if (!Margin.isLiquidatable(health)) return undefined;
    const choice = partialSteps(books, account, health, taker);
    const judged = affordable(choice.steps, policy);
    const step = best([...judged.verdicts.keys()]);
    if (step === undefined) return judged.reason ?? reasonOf(books, account, health, choice);
    done(books, step.act);
    steps.push(callOf(books, account, health, step, judged.verdicts.get(step), policy, taker));
  }
  return "roundLimit";
}

function absorb(books: Books, account: AccountId, policy: Policy): { call?: PlannedCall; reason?: SkipReason } {
  const health = MarginVault.health(books.$, books.code, account);
  if (!Margin.isLiquidatable(health)) return {}; // what was done for others has helped it
  const judged = affordable(absorbStep(books, account, health, policy.keeperAccount), policy);
  const [step] = judged.verdicts.keys();
  if (step === undefined) return judged.reason === undefined ? {} : { reason: judged.reason };
  done(books, step.act);
  return { call: callOf(books, account, health, step, judged.verdicts.get(step), policy) };
}

type Acting = Extract<Verdict, { kind: "act" }>;

/** The steps that are worth it; else why not, if there was any. */
function affordable(steps: readonly Step[], { profit, gas }: Policy) {
  const verdicts = new Map<Step, Acting>();
  let reason: SkipReason | undefined;
  for (const step of steps) {
    const verdict = judge(step.earnsWad, step.gas, profit, gas);
    if (verdict.kind === "act") verdicts.set(step, verdict);
    else reason ??= verdict.reason;
  }
  return { verdicts, reason };
}

function reasonOf(books: Books, account: AccountId, health: Margin.Health, { refusals }: Choice): SkipReason {
  if (health.equityMaintenanceWad >= 0n && isInGrace(books, account)) return "sequencerGrace";
  if (refusals.length === 0) return "noPosition";
  return refusals.includes("priceStale" satisfies Refusal) ? "stalePrice" : "noLegAccepted";
}

function isInGrace({ $, code }: Books, account: AccountId): boolean {
  const [first] = code.oracle.lastPrices(AccountWord.assets($.accounts.get(account)));
  return first !== undefined && Price.inGrace(first);
}

function callOf(
  { $, code }: Books,
  account: AccountId,
  before: Margin.Health,
  step: Step,
  verdict: Acting | undefined,
  { vault }: Policy,
  taker?: TakerSide,
): PlannedCall {
  const { kind, data, gas, earnsWad, reason, story } = step;
  const isTaken = taker !== undefined && (kind === "take" || kind === "sellCollateral");
  const after = MarginVault.health($, code, account);
  return {
    kind,
    accounts: isTaken ? [account, taker.account] : [account],
    to: vault,
    data,
    gas,
    earnsWad,
    feeBudgetWei: verdict?.feeBudgetWei,
    canBatch: true,
    story: { account, ...story, reason, health: healthText(before.healthWad), expected: healthText(after.healthWad) },
  };
}
