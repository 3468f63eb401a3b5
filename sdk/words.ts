// Decoders of the vault's packed words; the layouts stand in contracts/types, field by field.

/** The unsigned field of `bits` bits at `offset`. */
function field(word: bigint, offset: bigint, bits: bigint): bigint {
  return (word >> offset) & ((1n << bits) - 1n);
}

/** The two's complement field of `bits` bits at `offset`. */
function signedField(word: bigint, offset: bigint, bits: bigint): bigint {
  return BigInt.asIntN(Number(bits), word >> offset);
}

const millionthWad = 10n ** 12n;
const billionthWad = 10n ** 9n;

export interface AccountState {
  /** Cash, wad; below zero a debt. */
  readonly principalWad: bigint;
  /** Bit i: a position in market i; bit 96 + i: some of collateral i. */
  readonly assets: bigint;
  /** Cross: all positions share all collateral. Isolated: at most one position. */
  readonly mode: Mode;
}

/** The modes of an account, by their numbers in the contract. */
export const modes = ["cross", "isolated"] as const;
export type Mode = (typeof modes)[number];

function modeOf(number: number): Mode {
  const mode = modes[number];
  if (mode === undefined) throw new RangeError(`an account of mode ${number}: this release knows ${modes.join(", ")}`);
  return mode;
}

export function decodeAccount(word: bigint): AccountState {
  return {
    principalWad: signedField(word, 0n, 120n),
    assets: field(word, 120n, 128n),
    mode: modeOf(Number(field(word, 248n, 8n))),
  };
}

/** Numbers of the ones in a bitmap, ascending. */
export function bitNumbers(bits: bigint): number[] {
  const numbers: number[] = [];
  for (let at = 0, left = bits; left !== 0n; at += 1, left >>= 1n) if ((left & 1n) === 1n) numbers.push(at);
  return numbers;
}

/** Market ids of an asset set. */
export function marketsOf(assets: bigint): number[] {
  return bitNumbers(field(assets, 0n, 96n));
}

/** Collateral indexes of an asset set. */
export function collateralsOf(assets: bigint): number[] {
  return bitNumbers(field(assets, 96n, 32n));
}

export interface PositionState {
  /** Wad; below zero: of the short side. */
  readonly sharesWad: bigint;
  readonly costWad: bigint;
  readonly epoch: number;
}

export function decodePosition(word: bigint): PositionState {
  return {
    sharesWad: signedField(word, 0n, 120n),
    costWad: signedField(word, 120n, 120n),
    epoch: Number(field(word, 240n, 16n)),
  };
}

export interface MarketStateFields {
  /** Wad: quote that one unit of long size has paid since listing. */
  readonly fundingIndexWad: bigint;
  /** 1e-24 a second at `touchedAt`; above zero longs pay. */
  readonly fundingRateE24: bigint;
  /** 1e-24 a second and second. */
  readonly fundingDriftE24: bigint;
  /** Unix seconds. */
  readonly touchedAt: number;
  readonly flags: number;
}

export function decodeMarketState(word: bigint): MarketStateFields {
  return {
    fundingIndexWad: signedField(word, 0n, 96n),
    fundingRateE24: signedField(word, 96n, 64n),
    fundingDriftE24: signedField(word, 160n, 56n),
    touchedAt: Number(field(word, 216n, 32n)),
    flags: Number(field(word, 248n, 8n)),
  };
}

export interface MarketTotalsFields {
  readonly longSharesWad: bigint;
  readonly shortSharesWad: bigint;
  /** The insurance account's share of fees, not yet in its cash. */
  readonly feesUnsweptWad: bigint;
}

export function decodeMarketTotals(word: bigint): MarketTotalsFields {
  return {
    longSharesWad: field(word, 0n, 104n),
    shortSharesWad: field(word, 104n, 104n),
    feesUnsweptWad: field(word, 208n, 48n) * millionthWad,
  };
}

export interface MarketRiskFields {
  readonly initialBaseWad: bigint;
  readonly maintenanceBaseWad: bigint;
  /** The share of a gain that counts for initial margin. */
  readonly profitWeightWad: bigint;
  readonly lambdaInitialWad: bigint;
  readonly lambdaMaintenanceWad: bigint;
  /** Base units. */
  readonly skewScaleWad: bigint;
}

export function decodeMarketRisk(word: bigint): MarketRiskFields {
  return {
    initialBaseWad: field(word, 0n, 20n) * millionthWad,
    maintenanceBaseWad: field(word, 20n, 20n) * millionthWad,
    profitWeightWad: field(word, 40n, 20n) * millionthWad,
    lambdaInitialWad: field(word, 60n, 24n) * millionthWad,
    lambdaMaintenanceWad: field(word, 84n, 24n) * millionthWad,
    skewScaleWad: field(word, 176n, 80n) * billionthWad,
  };
}

export interface MarketTermsFields {
  /** Base units, a side, the pool not counted. */
  readonly openInterestCapWad: bigint;
  /** Base units. */
  readonly minimumSizeWad: bigint;
  /** Of notional, tolerance apart. */
  readonly takerRateWad: bigint;
  readonly makerRateWad: bigint;
}

export function decodeMarketTerms(word: bigint): MarketTermsFields {
  return {
    openInterestCapWad: field(word, 0n, 80n) * billionthWad,
    minimumSizeWad: field(word, 80n, 80n) * billionthWad,
    takerRateWad: field(word, 160n, 20n) * millionthWad,
    makerRateWad: field(word, 180n, 20n) * millionthWad,
  };
}

export interface PriceFields {
  readonly priceWad: bigint;
  readonly toleranceWad: bigint;
  /** Unix seconds. */
  readonly publishedAt: number;
  readonly maxAgeSeconds: number;
  readonly isFresh: boolean;
}

export function decodePrice(word: bigint): PriceFields {
  return {
    priceWad: field(word, 0n, 96n),
    toleranceWad: field(word, 96n, 64n),
    publishedAt: Number(field(word, 160n, 40n)),
    maxAgeSeconds: Number(field(word, 200n, 32n)),
    isFresh: field(word, 232n, 1n) === 1n,
  };
}

/** What is wrong with an answer of an aggregator: the contract's enum, by its numbers. */
export const feedFaults = [
  "none",
  "noCode",
  "noAnswer",
  "roundIncomplete",
  "notPositive",
  "outOfBounds",
  "fromFuture",
  "olderThanUsed",
] as const;

/** `unknown`: the contract knows a fault that this SDK does not. */
export type FeedFault = (typeof feedFaults)[number] | "unknown";

export function decodeFeedFault(fault: bigint): FeedFault {
  return feedFaults[Number(fault)] ?? "unknown";
}

export interface CollateralFields {
  readonly weightInitialWad: bigint;
  readonly weightMaintenanceWad: bigint;
  readonly decimals: number;
  /** In the token's own units, over all accounts. */
  readonly held: bigint;
  readonly depositCap: bigint;
}

export function decodeCollateral(word: bigint): CollateralFields {
  return {
    weightInitialWad: field(word, 0n, 20n) * millionthWad,
    weightMaintenanceWad: field(word, 20n, 20n) * millionthWad,
    decimals: Number(field(word, 40n, 8n)),
    held: field(word, 48n, 112n),
    depositCap: field(word, 160n, 96n),
  };
}
