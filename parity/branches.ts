import { WAD, abs, max } from "../sdk/risk/libraries/FixedPoint.js";
import * as Funding from "../sdk/risk/libraries/Funding.js";
import * as Interest from "../sdk/risk/libraries/Interest.js";
import { Refusal } from "../sdk/risk/libraries/PartialLiquidation.js";
import * as Sides from "../sdk/risk/libraries/Sides.js";
import * as AccountWord from "../sdk/risk/types/AccountWord.js";
import * as CashWords from "../sdk/risk/types/CashWords.js";
import * as MarketWords from "../sdk/risk/types/MarketWords.js";
import * as Position from "../sdk/risk/types/Position.js";
import * as Price from "../sdk/risk/types/Price.js";
import type { Market, VaultEvent } from "../sdk/risk/types/VaultStorage.js";
import * as VaultWords from "../sdk/risk/types/VaultWords.js";
import { errorNameOf, vaultErrors } from "./abi.js";
import type { Act } from "./acts/act.js";
import { now } from "./house.js";
import type { Mirrored, Result, Situation, Told } from "./situation.js";

/** How many cases went down each branch, by its name. */
export type Branches = Map<string, number>;

/** What a case went down, read off its state and off what the chain said. */
interface Seen {
  readonly situation: Situation;
  readonly result: Result;
  readonly mirrored: Mirrored;
  /** Events of the acts that were done. */
  readonly events: ReadonlyMap<string, readonly VaultEvent[]>;
  /** What a word of the answer to a question, or of an error's arguments, is. */
  readonly refusals: ReadonlySet<number>;
}

type Feature = (seen: Seen) => boolean;

/** Every function that changes something, and that the mirror has. */
const actNames = [
  "absorb",
  "announceDelisting",
  "buyCollateral",
  "cover",
  "delist",
  "deposit",
  "depositWithPermit",
  "haltBorrowing",
  "haltMarket",
  "liquidateCollateral",
  "liquidatePosition",
  "listCollateral",
  "listMarket",
  "multicall",
  "rampAccounts",
  "rampCollateral",
  "rampMarket",
  "refreshCapital",
  "resolvePool",
  "resumeBorrowing",
  "resumeMarket",
  "revokeSignatures",
  "setAccountParameters",
  "setCashParameters",
  "setCollateralParameters",
  "setMarketParameters",
  "setMode",
  "setOperator",
  "setOperatorBySig",
  "settle",
  "sweepFees",
  "sweepInterest",
  "trade",
  "transfer",
  "withdraw",
] as const;

const otherErrors = ["NotRepresentable", "Panic", "PriceMissing", "PriceStale", "ValueOutOfRange"];

function markets({ vault }: Situation): Market[] {
  return Array.from({ length: Math.min(vault.marketCount, 5) }, (_, id) => vault.markets(id));
}

/** Positions of accounts: market, position, and the market's words. */
function* positions({ house, vault }: Situation) {
  for (const account of house.accounts) {
    const bits = AccountWord.marketBits(vault.accounts.get(account));
    for (let id = 0; id < 5; id++) {
      if (((bits >> BigInt(id)) & 1n) === 0n) continue;
      yield { account, id, market: vault.markets(id), position: vault.positions.get(account, id) };
    }
  }
}

function some<T>(items: Iterable<T>, holds: (item: T) => boolean): boolean {
  for (const item of items) if (holds(item)) return true;
  return false;
}

const isTouched = ({ state }: Market) => MarketWords.has(state, MarketWords.SIDES_TOUCHED);

/** How far open interest raises a market's initial base: not, some way, or to 100%. */
function tier({ vault, answers }: Situation, id: number): "none" | "raised" | "whole" {
  const market = vault.markets(id);
  const slope = MarketWords.openInterestSlope(market.risk);
  const scale = MarketWords.skewScale(market.risk);
  if (slope === 0n || scale === 0n) return "none";
  const [index] = Funding.accrued(market.state, market.risk, Price.value(answers.of(id)), now);
  const base = MarketWords.initialBase(market.risk);
  const raised = base + (slope * Sides.openInterest(market, index)) / scale;
  return raised >= WAD ? "whole" : raised > base ? "raised" : "none";
}

const assetsHeld = ({ house, vault }: Situation) =>
  house.accounts.reduce((all, id) => all | AccountWord.assets(vault.accounts.get(id)), 0n);

function priced(situation: Situation, holds: (price: Price.Price) => boolean): boolean {
  const held = assetsHeld(situation);
  return some(situation.answers.words, ([asset, price]) => ((held >> BigInt(asset)) & 1n) === 1n && holds(price));
}

function emitted(
  name: string,
  holds: (args: Readonly<Record<string, bigint | boolean>>) => boolean = () => true,
): Feature {
  return ({ events }) =>
    (events.get(name) ?? []).some(({ args }) => holds(args as Readonly<Record<string, bigint | boolean>>));
}

function acted(name: string, holds: (act: Act, seen: Seen, told: Told) => boolean): Feature {
  return (seen) =>
    seen.situation.acts.some((act, i) => {
      const told = seen.result.acts[i];
      return act.name === name && told?.done === true && holds(act, seen, told);
    });
}

/** A trade by what it makes of the position: signed sizes. */
function traded(holds: (before: bigint, delta: bigint) => boolean): Feature {
  return acted("trade", ({ args }, { situation }) => {
    const [account, id, delta] = args as [`0x${string}`, number, bigint];
    const market = situation.vault.markets(id);
    const [shares] = Sides.converted(market, situation.vault.positions.get(account, id));
    return holds(Sides.sizeOf(market, shares), delta);
  });
}

const rate = ({ situation }: Seen, holds: (market: Market, start: bigint, end: bigint, most: bigint) => boolean) =>
  markets(situation).some((market, id) => {
    const price = Price.value(situation.answers.of(id));
    const [, end] = Funding.accrued(market.state, market.risk, price, now);
    return holds(market, MarketWords.fundingRate(market.state), end, MarketWords.maxFundingRate(market.risk));
  });

const budgetState = (word: CashWords.HourBudget) => {
  if (now >= CashWords.since(word) + 3600n) return "new";
  return CashWords.spent(word) >= CashWords.allowed(word) ? "spent" : "left";
};

const features: Readonly<Record<string, Feature>> = {
  // The state
  "margin: initial base raised by open interest": ({ situation }) =>
    some(positions(situation), ({ id }) => tier(situation, id) === "raised"),
  "margin: initial base raised to 100%": ({ situation }) =>
    some(positions(situation), ({ id }) => tier(situation, id) === "whole"),
  "margin: an account in debt": ({ situation: { house, vault } }) =>
    house.accounts.some((id) => AccountWord.principal(vault.accounts.get(id)) < 0n),
  "margin: debt margin due": ({ situation: { house, vault } }) =>
    VaultWords.debtMargin(vault.accountRisk) !== 0n &&
    house.accounts.some((id) => AccountWord.principal(vault.accounts.get(id)) < 0n),
  "margin: concentrated collateral": ({ situation }) =>
    [0, 1, 2].some((index) => {
      const word = situation.vault.collaterals.get(index);
      const start = (VaultWords.depositCap(word) * VaultWords.concentrationStart(word)) / WAD;
      const isHeld = ((assetsHeld(situation) >> BigInt(96 + index)) & 1n) === 1n;
      return isHeld && VaultWords.concentrationStart(word) !== WAD && VaultWords.held(word) > start;
    }),
  "margin: an isolated account with a position": ({ situation }) =>
    some(positions(situation), ({ account }) => situation.vault.accounts.get(account) >> 248n === 1n),
  "sides: a position of a market that was deleveraged": ({ situation }) =>
    some(positions(situation), ({ market }) => isTouched(market)),
  "sides: a position of an old epoch": ({ situation }) =>
    some(positions(situation), ({ market, position }) => isTouched(market) && epochsOld(market, position) > 0n),
  "sides: a position five epochs old or older": ({ situation }) =>
    some(positions(situation), ({ market, position }) => isTouched(market) && epochsOld(market, position) >= 5n),
  "sides: a position of size zero": ({ situation }) =>
    some(
      positions(situation),
      ({ market, position }) => Sides.sizeOf(market, Sides.converted(market, position)[0]) === 0n,
    ),
  "sides: a scale below a hundredth": ({ situation }) =>
    markets(situation).some((market) => isTouched(market) && MarketWords.sideScale(market.longSide) < 10n ** 25n),
  "prices: one that counts is stale": ({ situation }) => priced(situation, (price) => !Price.isUsable(price)),
  "prices: one that counts is for reductions": ({ situation }) =>
    priced(situation, (price) => Price.isUsable(price) && !Price.isFresh(price)),
  "prices: one that counts was never published": ({ situation }) =>
    priced(situation, (price) => Price.value(price) === 0n),
  "prices: in the sequencer's grace time": ({ situation }) => priced(situation, Price.inGrace),
  "funding: rate held at its maximum": (seen) =>
    rate(seen, (_, start, end, most) => abs(end) === most && start !== end),
  "funding: rate above a maximum lowered since": (seen) => rate(seen, (_, start, _end, most) => abs(start) > most),
  "funding: gap longer than the longest": (seen) =>
    markets(seen.situation).some(
      ({ state, risk }) => now - MarketWords.touchedAt(state) > max(1n, MarketWords.maxFundingGap(risk)),
    ),
  "funding: rate turned its sign": (seen) => rate(seen, (_, start, end) => start * end < 0n),
  "cash: borrow index at its end": ({ situation: { vault } }) =>
    Interest.accrued(vault.cashIndices, now)[1] === CashWords.MAX_INDEX,
  "cash: supply index at its floor": (seen) =>
    CashWords.supplyIndex(seen.mirrored.after.cashIndices) <= CashWords.INDEX_ONE / 1000n &&
    emitted("LossWrittenOff")(seen),
  "cash: fees at the end of their field": ({ situation, mirrored }) =>
    markets(situation).some(
      ({ totals }, id) =>
        MarketWords.feesUnswept(mirrored.after.markets(id).totals) === (1n << 48n) - 1n &&
        MarketWords.feesUnswept(totals) !== (1n << 48n) - 1n,
    ),
  "cash: borrowing halted": ({ situation: { vault } }) => vault.borrowingHalted,
  "budgets: pool's of a new hour": budgetAt("PoolPaid", "poolLosses", "new"),
  "budgets: pool's with some left": budgetAt("PoolPaid", "poolLosses", "left"),
  "budgets: pool's spent": budgetAt("InsurancePaid", "poolLosses", "spent"),
  "budgets: write-offs' of a new hour": budgetAt("LossWrittenOff", "writeOffs", "new"),
  "budgets: write-offs' with some left": budgetAt("LossWrittenOff", "writeOffs", "left"),
  "budgets: write-offs' spent": budgetAt("LossWrittenOff", "writeOffs", "spent"),
  "budgets: rewards'": (seen) => emitted("RewardBudgetChanged")(seen) && emitted("Absorbed")(seen),
  // Trades
  "trade: opens": traded((before) => before === 0n),
  "trade: grows": traded((before, delta) => before * delta > 0n),
  "trade: reduces": traded((before, delta) => before * delta < 0n && abs(delta) < abs(before)),
  "trade: closes": traded((before, delta) => before !== 0n && before === -delta),
  "trade: turns": traded((before, delta) => before * delta < 0n && abs(delta) > abs(before)),
  "trade: by an operator": acted("trade", ({ caller, args }) => !String(args[0]).startsWith(caller)),
  "trade: by hand of a limit": acted("trade", ({ args }) => args[3] !== 0n),
  "settle: a loss": emitted("Settled", ({ realizedWad }) => (realizedWad as bigint) < 0n),
  "settle: a gain stays": acted("settle", ({ args }, { situation }) => isLive(situation, args)),
  "settle: what is final": acted("settle", ({ args }, { situation }) => !isLive(situation, args)),
  // Liquidation
  "liquidation: into the pool": acted(
    "liquidatePosition",
    ({ args }, { situation }) => args[3] === situation.house.pool,
  ),
  "liquidation: handed over to an account": acted("liquidatePosition", ({ args }, { situation }) =>
    takes(situation, args, false),
  ),
  "liquidation: crossed with an account": acted("liquidatePosition", ({ args }, { situation }) =>
    takes(situation, args, true),
  ),
  ...Object.fromEntries(
    Object.entries(Refusal)
      .filter(([name]) => name !== "None")
      .map(([name, refusal]): [string, Feature] => [
        `liquidation refused: ${name}`,
        ({ refusals }) => refusals.has(Number(refusal)),
      ]),
  ),
  // The waterfall
  "absorb: way A": emitted("Absorbed", ({ deleveraged }) => deleveraged === false),
  "absorb: way B": emitted("Absorbed", ({ deleveraged }) => deleveraged === true),
  "absorb: several accounts": ({ events }) => (events.get("Absorbed")?.length ?? 0) > 1,
  "absorb: something stays, for want of a price": (seen) =>
    (seen.events.get("Absorbed") ?? []).some(
      ({ args }) => AccountWord.assets(seen.mirrored.after.accounts.get(args["account"] as `0x${string}`)) !== 0n,
    ),
  "absorb: a penalty": emitted("Absorbed", ({ penaltyWad }) => penaltyWad !== 0n),
  "absorb: a reward": emitted("Absorbed", ({ rewardWad }) => rewardWad !== 0n),
  "absorb: cash returned": emitted("Absorbed", ({ returnedWad }) => (returnedWad as bigint) > 0n),
  "absorb: a position to the pool": emitted("PositionAbsorbed"),
  "absorb: a collateral to the pool": emitted("CollateralAbsorbed"),
  "waterfall: insurance pays": emitted("InsurancePaid", ({ paidWad }) => paidWad !== 0n),
  "waterfall: insurance pays all": emitted("InsurancePaid", ({ paidWad, deficitWad }) => paidWad === deficitWad),
  "waterfall: insurance has nothing": emitted("InsurancePaid", ({ paidWad }) => paidWad === 0n),
  "waterfall: the pool pays": emitted("PoolPaid"),
  "waterfall: a position deleveraged": emitted("PositionDeleveraged"),
  "waterfall: an epoch ends": (seen) => emitted("EpochEnded")(seen) && emitted("Deleveraged")(seen),
  "waterfall: suppliers bear": emitted("LossWrittenOff", ({ writtenOffWad }) => writtenOffWad !== 0n),
  "waterfall: bad debt": emitted("LossWrittenOff", ({ badDebtWad }) => badDebtWad !== 0n),
  "waterfall: bad debt covered": emitted("BadDebtCovered"),
  "waterfall: checkpoint taken after a loss": (seen) => emitted("Absorbed")(seen) && emitted("CapitalChanged")(seen),
  "pool resolved: others bear": resolved(({ deleveragedWad }) => deleveragedWad !== 0n),
  "pool resolved: insurance pays": resolved(({ insuranceWad }) => insuranceWad !== 0n),
  "pool resolved: written off": resolved(({ writtenOffWad }) => writtenOffWad !== 0n),
  "pool resolved: bad debt": resolved(({ badDebtWad }) => badDebtWad !== 0n),
  "collateral liquidated: part of it": acted("liquidateCollateral", (act, seen) => holdsAfter(act, seen)),
  "collateral liquidated: all of it": acted("liquidateCollateral", (act, seen) => !holdsAfter(act, seen)),
  // Ramps
  "ramp: a step": ({ mirrored, events }) =>
    ["MarketRampSet", "CollateralRampSet", "AccountRampSet"].some((name) =>
      (events.get(name) ?? []).some(({ args }) => args["clock"] !== 0n),
    ) && mirrored.acts.length > 0,
  "ramp: the last step": ({ situation, events }) =>
    situation.acts.some(({ name }) => name.startsWith("ramp")) &&
    ["MarketRampSet", "CollateralRampSet", "AccountRampSet"].some((name) =>
      (events.get(name) ?? []).some(({ args }) => args["clock"] === 0n),
    ),
  "ramp: begun by parameters": ({ situation, events }) =>
    situation.acts.some(({ name }) => name.startsWith("set")) &&
    ["MarketRampSet", "CollateralRampSet", "AccountRampSet"].some((name) => events.has(name)),
  "multicall: an account checked at its end": acted("multicall", ({ calls }) =>
    calls.some(({ name }) => name === "trade" || name === "withdraw" || name === "transfer"),
  ),
};

function budgetAt(event: string, budget: "poolLosses" | "writeOffs", state: string): Feature {
  return (seen) => emitted(event)(seen) && budgetState(seen.situation.vault[budget]) === state;
}

function resolved(holds: (loss: Readonly<Record<string, bigint>>) => boolean): Feature {
  return ({ events }) =>
    (events.get("PoolResolved") ?? []).some(({ args }) => holds(args["loss"] as Readonly<Record<string, bigint>>));
}

function epochsOld({ epochs }: Market, position: Position.Position): bigint {
  const shares = Position.shares(position);
  return shares === 0n ? 0n : MarketWords.epochOf(epochs, shares > 0n) - Position.epoch(position);
}

function isLive({ vault }: Situation, args: readonly unknown[]): boolean {
  const [account, id] = args as [`0x${string}`, number];
  const market = vault.markets(id);
  return Sides.sizeOf(market, Sides.converted(market, vault.positions.get(account, id))[0]) !== 0n;
}

function takes({ house, vault }: Situation, args: readonly unknown[], crossed: boolean): boolean {
  const [account, id, , taker] = args as [`0x${string}`, number, bigint, `0x${string}`];
  if (taker === house.pool) return false;
  const [own, other] = [account, taker].map((who) => Position.shares(vault.positions.get(who, id)));
  return (own ?? 0n) * (other ?? 0n) < 0n === crossed;
}

function holdsAfter({ args }: Act, { situation, mirrored }: Seen): boolean {
  const index = situation.vault.collateralIndexes(String(args[1])) - 1;
  return mirrored.after.collateralOf.get(args[0] as `0x${string}`, index) !== 0n;
}

/** Every branch that is counted. */
export const branchNames: readonly string[] = [
  ...actNames.map((name) => `done: ${name}`),
  ...[...vaultErrors, ...otherErrors].map((name) => `error: ${name}`),
  ...Object.keys(features),
];

/** Counts each branch that a case went down once. */
export function countBranches(branches: Branches, situation: Situation, result: Result, mirrored: Mirrored): void {
  const seen = new Set<string>();
  const refusals = new Set<number>();
  const read = (told: Told | undefined, name: string) => {
    if (told === undefined) return;
    if (!told.done) {
      const error = errorNameOf(told.data);
      seen.add(`error: ${error}`);
      if (error === "LegRefused") refusals.add(Number.parseInt(told.data.slice(136, 200), 16));
    } else if (name === "previewLiquidation") refusals.add(Number.parseInt(told.data.slice(0, 64), 16));
  };
  for (const [i, { name }] of situation.questions.entries()) read(result.questions[i], name);
  const events = new Map<string, VaultEvent[]>();
  for (const [i, { name, calls }] of situation.acts.entries()) {
    const told = result.acts[i];
    read(told, name);
    if (told?.done !== true) continue;
    for (const act of [name, ...calls.map((call) => call.name)]) seen.add(`done: ${act}`);
    for (const event of mirrored.acts[i]?.events ?? []) {
      const list = events.get(event.name) ?? [];
      list.push(event);
      events.set(event.name, list);
    }
  }
  const all: Seen = { situation, result, mirrored, events, refusals };
  for (const [name, holds] of Object.entries(features)) if (holds(all)) seen.add(name);
  for (const name of seen) branches.set(name, (branches.get(name) ?? 0) + 1);
}
