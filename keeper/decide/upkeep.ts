import type { AccountId } from "../../sdk/index.js";

/** A position that the end of an epoch may have left without size. */
export interface Remainder {
  readonly account: AccountId;
  readonly market: number;
  /** Below zero: short. Wad. */
  readonly sizeWad: bigint;
}

/** A position of the pool. Wad. */
export interface PoolPosition {
  /** Below zero: short. */
  readonly sizeWad: bigint;
  /** Below zero: a loss. */
  readonly valueWad: bigint;
}

/** What is to be kept in order beside the accounts at risk, as the chain shows it. Wad. */
export interface UpkeepState {
  /** Of the pool, for maintenance. */
  readonly poolEquityWad: bigint;
  /** Its positions without a usable price; none where its equity is not below zero. */
  readonly poolWithoutPrice: readonly PoolPosition[];
  /** Losses that nobody has paid yet. */
  readonly badDebtWad: bigint;
  readonly insuranceCashWad: bigint;
  /** The insurance account's, not yet in its cash. */
  readonly interestUnsweptWad: bigint;
  readonly remainders: readonly Remainder[];
}

/** Something to do that no account at risk asks for. Nobody is paid for it. */
export type Chore =
  /** A market whose announced time has come. */
  | { readonly kind: "delist"; readonly market: number }
  /** The pool is below zero: what it lacks is booked before anybody leaves. */
  | { readonly kind: "resolvePool"; readonly deficitWad: bigint }
  /** Insurance pays bad debt. */
  | { readonly kind: "cover"; readonly payableWad: bigint }
  /** A position without size: its result is final, and its account cannot be empty before it is paid. */
  | { readonly kind: "settle"; readonly account: AccountId; readonly market: number }
  | RampStep;

/** A step of what counts by steps: nobody is hurried by it, and without it a tighter margin never counts. */
export type RampStep =
  | { readonly kind: "rampMarket"; readonly market: number }
  | { readonly kind: "rampCollateral"; readonly token: string }
  | { readonly kind: "rampAccounts" };

/** Something that is to count by steps. */
export interface Ramp {
  readonly step: RampStep;
  /** Unix seconds: from when on a step is worth a transaction. */
  readonly dueAt: number;
}

/** Why one is left. */
export type ChoreSkip =
  | { readonly kind: "skip"; readonly chore: "delist"; readonly market: number; readonly reason: "notDue" }
  | RampSkip
  | {
      readonly kind: "skip";
      readonly chore: "resolvePool";
      /** `waits`: it is below zero by positions without a usable price, whose losses are not resolved before they are real. */
      readonly reason: "solvent" | "waits";
    }
  | {
      readonly kind: "skip";
      readonly chore: "cover";
      /** `nothingToPayWith`: insurance has less than is worth a transaction. */
      readonly reason: "noBadDebt" | "nothingToPayWith";
    }
  | {
      readonly kind: "skip";
      readonly chore: "settle";
      readonly account: AccountId;
      readonly market: number;
      readonly reason: "hasSize" | "enoughThisTurn";
    };

export interface RampSkip {
  readonly kind: "skip";
  readonly chore: "ramp";
  readonly step: RampStep;
  readonly reason: "notDue";
}

export type Upkeep = Chore | ChoreSkip;

/** Of bad debt (wad) less is not worth the gas to cover it: interest would bring a little each second. */
const leastCoverWad = 10n ** 18n;
/** Nobody pays for settlements, so that accounts at risk come first: so many a turn. */
const mostSettlements = 32;

/** One decision for each market whose end was announced, by the time (Unix seconds) from when anyone may bring it about. */
export function delistings(dueAt: ReadonlyMap<number, number>, nowSeconds: number): Upkeep[] {
  return [...dueAt].map(([market, due]): Upkeep => {
    if (due > nowSeconds) return { kind: "skip", chore: "delist", market, reason: "notDue" };
    return { kind: "delist", market };
  });
}

/** One decision for each ramp, by the time (Unix seconds). */
export function rampSteps(ramps: readonly Ramp[], nowSeconds: number): (RampStep | RampSkip)[] {
  return ramps.map(({ step, dueAt }): RampStep | RampSkip => {
    return dueAt <= nowSeconds ? step : { kind: "skip", chore: "ramp", step, reason: "notDue" };
  });
}

/** The pool first, since what is written off for it may leave bad debt; then bad debt; then what is left of positions. */
export function upkeep(state: UpkeepState): Upkeep[] {
  return [poolUpkeep(state), coverage(state), ...settlements(state.remainders)];
}

/** The contract's rule: a loss counts if its price is usable, or if no price moves it any more. */
function poolUpkeep({ poolEquityWad, poolWithoutPrice }: UpkeepState): Upkeep {
  if (poolEquityWad >= 0n) return { kind: "skip", chore: "resolvePool", reason: "solvent" };
  let equityWad = poolEquityWad;
  for (const { sizeWad, valueWad } of poolWithoutPrice) if (sizeWad !== 0n && valueWad < 0n) equityWad -= valueWad;
  if (equityWad >= 0n) return { kind: "skip", chore: "resolvePool", reason: "waits" };
  return { kind: "resolvePool", deficitWad: -equityWad };
}

function coverage({ badDebtWad, insuranceCashWad, interestUnsweptWad }: UpkeepState): Upkeep {
  if (badDebtWad === 0n) return { kind: "skip", chore: "cover", reason: "noBadDebt" };
  const fundsWad = insuranceCashWad + interestUnsweptWad;
  const payableWad = fundsWad < badDebtWad ? fundsWad : badDebtWad;
  // The last of it is covered however little it is.
  if (payableWad < leastCoverWad && payableWad < badDebtWad) {
    return { kind: "skip", chore: "cover", reason: "nothingToPayWith" };
  }
  return { kind: "cover", payableWad };
}

function settlements(remainders: readonly Remainder[]): Upkeep[] {
  let settled = 0;
  return remainders.map(({ account, market, sizeWad }): Upkeep => {
    const skip = { kind: "skip", chore: "settle", account, market } as const;
    if (sizeWad !== 0n) return { ...skip, reason: "hasSize" };
    if (settled === mostSettlements) return { ...skip, reason: "enoughThisTurn" };
    settled += 1;
    return { kind: "settle", account, market };
  });
}
