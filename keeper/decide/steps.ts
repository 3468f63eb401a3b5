import {
  type AccountId,
  type Refusal,
  WAD,
  contractInterfaces,
  mulDivDown,
  mulDivUp,
  refusals,
} from "../../sdk/index.js";
import * as MarginVault from "../../sdk/risk/MarginVault.js";
import type * as Margin from "../../sdk/risk/libraries/Margin.js";
import * as AssetSet from "../../sdk/risk/types/AssetSet.js";
import * as Price from "../../sdk/risk/types/Price.js";
import * as VaultWords from "../../sdk/risk/types/VaultWords.js";
import type { CallKind } from "../parts.js";
import { gasOf } from "./gas.js";
import { type Leg, Room, type TakerPolicy, abs } from "./inventory.js";
import { collateralsHeld, marketsHeld, priceOf, readTaker } from "./takerState.js";
import { type Act, type Books, argsOf, tried } from "./trial.js";

/** Why a leg goes where it goes. */
export type StepReason =
  /** The keeper has no capital. */
  | "noTaker"
  /** The contract refused the taker in this turn. */
  | "takerRefused"
  /** Nothing of it fits into the taker's inventory. */
  | "noRoom"
  | "poolPaysMore"
  | "poolRefuses"
  | "takerEarnsMore"
  /** Collateral covers a debt. */
  | "sparesHaircut"
  /** No part of the account can be liquidated. */
  | "absorbOnly";

/** Something that the waterfall has for an account now, worked out in the twin. */
export interface Step {
  readonly kind: Extract<CallKind, "liquidate" | "take" | "sellCollateral" | "absorb">;
  readonly act: Act;
  readonly data: string;
  readonly gas: bigint;
  /** The keeper's, of a taking less what giving it back is going to cost. Wad. */
  readonly earnsWad: bigint;
  /** Of the account's maintenance equity; below zero: it gains. Wad. */
  readonly lossWad: bigint;
  /** By how much less margin the account lacks to its target health. Wad. */
  readonly gainWad: bigint;
  readonly reason: StepReason;
  readonly story: Readonly<Record<string, string | number>>;
}

/** The keeper's capital in a plan. */
export interface TakerSide {
  readonly account: AccountId;
  readonly policy: TakerPolicy;
  /** Accounts of which the contract let it take nothing in this turn. */
  readonly refused: ReadonlySet<AccountId>;
}

/** What there is for an account, and why the pool refuses the rest. */
export interface Choice {
  readonly steps: readonly Step[];
  readonly refusals: readonly Refusal[];
}

const whole = 2n ** 256n - 1n;
const { MarginVault: vaultInterface } = contractInterfaces;

/** Step 1 of the waterfall: each position into the pool or to the taker, each collateral to the taker. */
export function partialSteps(books: Books, account: AccountId, health: Margin.Health, taker?: TakerSide): Choice {
  const markets = marketsHeld(books, account);
  const refused: Refusal[] = [];
  const steps: Step[] = [];
  const mayTake = taker !== undefined && !taker.refused.has(account);
  const room = mayTake ? new Room(readTaker(books, taker.account, markets), taker.policy) : undefined;
  for (const market of markets) {
    const pooled = preview(books, account, market, books.code.pool);
    refused.push(pooled.refusal);
    const isAccepted = pooled.refusal === "none";
    let reason: StepReason = taker === undefined ? "noTaker" : "takerRefused";
    if (mayTake && room !== undefined) {
      const taking = room.fit(preview(books, account, market, taker.account));
      reason = taking === undefined ? "noRoom" : "poolPaysMore";
      if (taking !== undefined && taking.earnsWad > poolPaysFor(taking.sizeWad * taking.leg.fillPriceWad, pooled)) {
        const { sizeWad, earnsWad } = taking;
        const step = takingOf(account, market, sizeWad, taker.account, isAccepted ? "takerEarnsMore" : "poolRefuses");
        steps.push(...weighed(books, account, health, { ...step, earnsWad }));
      }
    }
    if (isAccepted) steps.push(...weighed(books, account, health, forcedOf(books, account, pooled, reason)));
  }
  if (mayTake && health.netCashWad < 0n) steps.push(...collateralSteps(books, account, health, taker));
  return { steps, refusals: refused };
}

/** Step 2: the account as a whole, if that is open. */
export function absorbStep(books: Books, account: AccountId, health: Margin.Health, rewardTo: AccountId): Step[] {
  const act: Act = ($, code) => MarginVault.absorb($, code, [account], rewardTo);
  const trial = tried(books, act);
  if (!trial.isDone) return [];
  const positions = BigInt(marketsHeld(books, account).length);
  return weighed(books, account, health, {
    kind: "absorb",
    act,
    data: vaultInterface.encodeFunctionData("absorb", [[account], rewardTo]),
    gas: gasOf.absorb + gasOf.absorbMore * positions,
    earnsWad: BigInt((argsOf(trial.$, "Absorbed", account)?.["rewardWad"] as bigint | undefined) ?? 0n),
    reason: "absorbOnly",
    story: {},
  });
}

/** Of these the step that costs the account least for what it brings it; of equal ones the one that brings more, then that earns more. */
export function best(steps: readonly Step[]): Step | undefined {
  return steps.reduce<Step | undefined>(
    (chosen, step) => (chosen === undefined || isBetter(step, chosen) ? step : chosen),
    undefined,
  );
}

function isBetter(a: Step, b: Step): boolean {
  const difference = a.lossWad * b.gainWad - b.lossWad * a.gainWad;
  if (difference !== 0n) return difference < 0n;
  if (a.gainWad !== b.gainWad) return a.gainWad > b.gainWad;
  return a.earnsWad > b.earnsWad;
}

type Draft = Omit<Step, "lossWad" | "gainWad">;

/** The step with what it does to the account; none where the contract refuses it, or where it does not raise health. */
function weighed(books: Books, account: AccountId, before: Margin.Health, draft: Draft): Step[] {
  const trial = tried(books, draft.act);
  if (!trial.isDone) return [];
  const after = MarginVault.health(trial.$, books.code, account);
  const target = VaultWords.targetHealth(books.$.accountRisk);
  const gainWad = lackingWad(before, target) - lackingWad(after, target);
  if (gainWad <= 0n && draft.kind !== "absorb") return [];
  const lossWad = before.equityMaintenanceWad - after.equityMaintenanceWad;
  return [{ ...draft, lossWad, gainWad }];
}

/**
 * Margin that is lacking to a health. Steps are compared by it and not by health, which a small step raises less for what it costs than a
 * large one of the same kind.
 */
function lackingWad({ equityMaintenanceWad, requirementMaintenanceWad }: Margin.Health, healthWad: bigint): bigint {
  const lacking = mulDivUp(requirementMaintenanceWad, healthWad, WAD) - equityMaintenanceWad;
  return lacking > 0n ? lacking : 0n;
}

function preview({ $, code }: Books, account: AccountId, market: number, taker: AccountId): Leg {
  const { refusal, ...figures } = MarginVault.previewLiquidation($, code, account, market, whole, taker);
  return { market, refusal: refusals[refusal] ?? "unknown", ...figures };
}

function forcedOf(books: Books, account: AccountId, leg: Leg, reason: StepReason): Draft {
  const { market, rewardWad, sizeDeltaWad } = leg;
  const { pool } = books.code;
  return {
    kind: "liquidate",
    act: ($, code) => MarginVault.liquidatePosition($, code, account, market, whole, code.pool),
    data: vaultInterface.encodeFunctionData("liquidatePosition", [account, market, whole, pool]),
    gas: gasOf.liquidate + gasOf.assetMore * assetsBesides(books, account),
    earnsWad: rewardWad,
    reason,
    story: { market, size: String(sizeDeltaWad) },
  };
}

function takingOf(account: AccountId, market: number, sizeWad: bigint, taker: AccountId, reason: StepReason) {
  const act: Act = ($, code) => MarginVault.liquidatePosition($, code, account, market, sizeWad, taker);
  return {
    kind: "take" as const,
    act,
    data: vaultInterface.encodeFunctionData("liquidatePosition", [account, market, sizeWad, taker]),
    gas: gasOf.take,
    reason,
    story: { market, size: String(sizeWad) },
  };
}

/** What the pool pays the keeper for so much notional (size times price). The rest of a leg that fits in part is still to be had. */
function poolPaysFor(takenNotional: bigint, { refusal, sizeDeltaWad, fillPriceWad, rewardWad }: Leg): bigint {
  if (refusal !== "none" || sizeDeltaWad === 0n) return 0n;
  return mulDivUp(rewardWad, takenNotional, abs(sizeDeltaWad) * fillPriceWad);
}

function collateralSteps(books: Books, account: AccountId, health: Margin.Health, taker: TakerSide): Step[] {
  const { $ } = books;
  return collateralsHeld(books, account).flatMap((index) => {
    const most = affordable(books, index, taker);
    if (most === 0n) return [];
    const token = $.collateralTokens(index);
    const act: Act = (vault, code) => MarginVault.liquidateCollateral(vault, code, account, token, most, taker.account);
    const trial = tried(books, act);
    const sold = trial.isDone ? argsOf(trial.$, "CollateralLiquidated", account) : undefined;
    if (sold === undefined) return [];
    const [amount, proceeds, insurance] = [sold["amount"], sold["proceedsWad"], sold["insuranceWad"]] as bigint[];
    return weighed(books, account, health, {
      kind: "sellCollateral",
      act,
      data: vaultInterface.encodeFunctionData("liquidateCollateral", [account, token, most, taker.account]),
      gas: gasOf.sellCollateral + gasOf.assetMore * assetsBesides(books, account),
      earnsWad: valueOf(books, index, amount ?? 0n) - (proceeds ?? 0n) - (insurance ?? 0n),
      reason: "sparesHaircut",
      story: { token, amount: String(amount ?? 0n) },
    });
  });
}

/** So much (raw) of a collateral the taker's cash and its policy let it buy. */
function affordable(books: Books, index: number, { account, policy }: TakerSide): bigint {
  const { collateralPercent = 0 } = policy;
  if (collateralPercent === 0) return 0n;
  const { $, code } = books;
  const held = collateralsHeld(books, account).reduce(
    (sum, each) => sum + valueOf(books, each, $.collateralOf.get(account, each)),
    0n,
  );
  const { equityMaintenanceWad } = MarginVault.health($, code, account);
  const allowedWad =
    mulDivDown(equityMaintenanceWad > 0n ? equityMaintenanceWad : 0n, BigInt(collateralPercent), 100n) - held;
  const cashWad = MarginVault.cash($, code, account);
  const mostWad = allowedWad < cashWad ? allowedWad : cashWad;
  const priceWad = Price.value(priceOf(books, AssetSet.collateralAsset(index)));
  if (mostWad <= 0n || priceWad === 0n) return 0n;
  return mulDivDown(mostWad, 10n ** VaultWords.decimals($.collaterals.get(index)), priceWad);
}

function valueOf(books: Books, index: number, amount: bigint): bigint {
  const priceWad = Price.value(priceOf(books, AssetSet.collateralAsset(index)));
  return mulDivDown(amount, priceWad, 10n ** VaultWords.decimals(books.$.collaterals.get(index)));
}

/** How many assets margin looks at besides the first. */
function assetsBesides(books: Books, account: AccountId): bigint {
  const count = marketsHeld(books, account).length + collateralsHeld(books, account).length;
  return BigInt(Math.max(0, count - 1));
}

/** Health as a decimal for people; absent where nothing is required. */
export function healthText(healthWad: bigint): string {
  if (healthWad === whole) return "none required";
  return `${healthWad / WAD}.${((healthWad % WAD) / 10n ** 14n).toString().padStart(4, "0")}`;
}
