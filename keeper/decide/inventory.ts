import { type AccountId, type Health, type LegPreview, WAD, mulDivDown, mulDivUp } from "../../sdk/index.js";

/** What liquidating one leg of an account would do. */
export interface Leg extends LegPreview {
  readonly market: number;
}

/** What one market asks of whoever holds a position there. Wad. */
export interface MarketTerms {
  /** Last good price, the largest error that it may have, and what it is good for: everything, or reductions only. */
  readonly priceWad: bigint;
  readonly toleranceWad: bigint;
  readonly isFresh: boolean;
  readonly isReduceOnly: boolean;
  readonly initialBaseWad: bigint;
  readonly lambdaInitialWad: bigint;
  readonly takerRateWad: bigint;
  readonly minimumSizeWad: bigint;
  readonly skewWad: bigint;
  readonly skewScaleWad: bigint;
}

/** The taker as the chain shows it: its margin, its positions, and the terms of their markets and of those that it might enter. */
export interface TakerState {
  readonly account: AccountId;
  readonly health: Health;
  /** By market; below zero: short. Wad. */
  readonly sizesWad: ReadonlyMap<number, bigint>;
  readonly terms: ReadonlyMap<number, MarketTerms>;
}

/** How much of its capital the taker puts at risk, and how fast it gives back what it took. */
export interface TakerPolicy {
  /** Notional of all its positions, in percent of its equity, that no taking goes beyond. */
  readonly inventoryPercent: number;
  /** Notional that goes back to the pool in a turn, in percent of equity. */
  readonly giveBackPercent: number;
  /**
   * Value of collateral that it may hold, in percent of its equity: it buys that of accounts under liquidation, for its cash. By default
   * none: nothing in the vault gives it back, somebody has to withdraw and sell it.
   */
  readonly collateralPercent?: number;
}

/** A leg that the taker could take, all of it or a part. */
export interface Taking {
  readonly leg: Leg;
  readonly sizeWad: bigint;
  /** The discount on that, less what giving it back to the pool is going to cost. */
  readonly earnsWad: bigint;
}

/** Of its initial equity, in percent, what the taker's initial requirement may come to: the other half is its cushion. */
const marginPercent = 50n;
/** Less than a tenth of a leg is not worth its gas: what a taking earns would make room for another and another. */
const leastPart = 10n;

/**
 * What the taker may still take. A taking keeps to two bounds: the notional of all positions stays within a share of equity,
 * and the initial requirement within half of initial equity. Gains that it takes over count less, and modes and numbers of positions have
 * bounds of their own: there the contract has the last word.
 */
export class Room {
  readonly #terms: ReadonlyMap<number, MarketTerms>;
  readonly #sizesWad: ReadonlyMap<number, bigint>;
  readonly #notionalWad: bigint;
  readonly #marginWad: bigint;

  constructor({ health, sizesWad, terms }: TakerState, { inventoryPercent }: TakerPolicy) {
    const { equityMaintenanceWad, equityInitialWad, requirementInitialWad, pricesFresh } = health;
    this.#terms = terms;
    this.#sizesWad = sizesWad;
    const inventory = [...sizesWad].reduce((sum, [market, size]) => sum + notionalUp(terms.get(market), size), 0n);
    // What it holds must have fresh prices, or the contract lets nothing in.
    this.#notionalWad = pricesFresh ? percentOf(equityMaintenanceWad, BigInt(inventoryPercent)) - inventory : 0n;
    this.#marginWad = pricesFresh ? percentOf(equityInitialWad, marginPercent) - requirementInitialWad : 0n;
  }

  /** As much of a leg as fits, with what that earns; undefined where nothing does. */
  fit(leg: Leg): Taking | undefined {
    const terms = this.#terms.get(leg.market);
    if (terms === undefined || leg.refusal !== "none") return undefined;
    const sizeWad = this.#sizeWithin(leg, terms);
    if (sizeWad === 0n) return undefined;
    const discountWad = mulDivDown(leg.rewardWad, sizeWad, abs(leg.sizeDeltaWad));
    return { leg, sizeWad, earnsWad: discountWad - exitCostUp(terms, takenSize(leg, sizeWad)) };
  }

  #sizeWithin(leg: Leg, terms: MarketTerms): bigint {
    const { priceWad, minimumSizeWad } = terms;
    const own = this.#sizesWad.get(leg.market) ?? 0n;
    const wanted = abs(leg.sizeDeltaWad);
    const closes = own < 0n === takenSize(leg, wanted) < 0n ? 0n : abs(own);
    const marginRate = marginRateUp(terms, abs(own) + wanted);
    const grows = least(
      mulDivDown(atLeastZero(this.#notionalWad), WAD, priceWad),
      mulDivDown(mulDivDown(atLeastZero(this.#marginWad), WAD, marginRate), WAD, priceWad),
    );
    // A part leaves the target at least the minimum: less would be refused.
    const most = closes + grows >= wanted ? wanted : least(closes + grows, wanted - minimumSizeWad);
    if (most <= 0n || most * leastPart < wanted) return 0n;
    const after = abs(own + takenSize(leg, most));
    return after === 0n || after >= minimumSizeWad ? most : 0n;
  }
}

/** Signed size that the taker has of a part of a leg: what the target sells, it buys. */
function takenSize({ sizeDeltaWad }: Leg, sizeWad: bigint): bigint {
  return sizeDeltaWad < 0n ? sizeWad : -sizeWad;
}

/**
 * Fee, tolerance and impact of closing a size against the pool at the present skew. Where the skew would pay for it, that is not counted
 * on.
 */
function exitCostUp(terms: MarketTerms, sizeWad: bigint): bigint {
  const { takerRateWad, toleranceWad, skewWad, skewScaleWad } = terms;
  const notionalWad = notionalUp(terms, sizeWad);
  const feeWad = mulDivUp(notionalWad, takerRateWad + toleranceWad, WAD);
  const againstWad = abs(sizeWad) - 2n * (sizeWad > 0n ? skewWad : -skewWad);
  return againstWad > 0n ? feeWad + mulDivUp(notionalWad, againstWad, 2n * skewScaleWad) : feeWad;
}

/** Initial requirement of one more unit of notional in a position of this size; that of a smaller one is less. */
function marginRateUp({ initialBaseWad, lambdaInitialWad, skewScaleWad }: MarketTerms, sizeWad: bigint): bigint {
  return initialBaseWad + mulDivUp(lambdaInitialWad, sizeWad, skewScaleWad);
}

function notionalUp(terms: MarketTerms | undefined, sizeWad: bigint): bigint {
  return mulDivUp(abs(sizeWad), terms?.priceWad ?? 0n, WAD);
}

function percentOf(amountWad: bigint, percent: bigint): bigint {
  return mulDivDown(amountWad, percent, 100n);
}

export function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}

function atLeastZero(value: bigint): bigint {
  return value > 0n ? value : 0n;
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
