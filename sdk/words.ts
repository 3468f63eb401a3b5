// Decoders of the vault's packed words; the layouts stand in contracts/types, field by field.

/** The unsigned field of `bits` bits at `offset`. */
function field(word: bigint, offset: bigint, bits: bigint): bigint {
  return (word >> offset) & ((1n << bits) - 1n);
}

/** The two's complement field of `bits` bits at `offset`. */
function signedField(word: bigint, offset: bigint, bits: bigint): bigint {
  return BigInt.asIntN(Number(bits), word >> offset);
}

const basisPointWad = 10n ** 14n;
const millionthWad = 10n ** 12n;
const billionthWad = 10n ** 9n;

export interface AccountState {
  /** Times an index (see decodeCashIndices) it is cash, wad; below zero a debt. */
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
  /** See hasFlag. */
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

/** What a market's flags say, by their bits. */
export const marketFlags = {
  /** The words of its sides mean something: a side's index or epoch has left its start. */
  sidesTouched: 1,
  /** No position grows: it is about to be delisted. */
  closing: 2,
  /** Nobody has any size; whoever had one is paid by settling. */
  delisted: 4,
  /** No position grows: the guardian has stopped it. */
  halted: 8,
} as const;

export function hasFlag({ flags }: Pick<MarketStateFields, "flags">, name: keyof typeof marketFlags): boolean {
  return (flags & marketFlags[name]) !== 0;
}

/** The index of one side of a market: what a share is worth. */
export interface SideFields {
  /** Size of a share; it starts at 1e27. */
  readonly scaleRay: bigint;
  /** Quote of a share, what funding has taken since listing not yet taken off; at the end of an epoch with it. */
  readonly carryRay: bigint;
}

export function decodeSide(word: bigint): SideFields {
  return { scaleRay: field(word, 0n, 96n), carryRay: signedField(word, 96n, 160n) };
}

export interface EpochsFields {
  readonly longEpoch: number;
  readonly shortEpoch: number;
  /** Unix seconds, from when anyone may delist the market; undefined: not announced. */
  readonly delistAt: number | undefined;
  /** At which it is delisted if its feed is dead by then; zero: at its last good price. */
  readonly finalPriceWad: bigint;
}

export function decodeEpochs(word: bigint): EpochsFields {
  const delistAt = Number(field(word, 32n, 40n));
  return {
    longEpoch: Number(field(word, 0n, 16n)),
    shortEpoch: Number(field(word, 16n, 16n)),
    delistAt: delistAt === 0 ? undefined : delistAt,
    finalPriceWad: field(word, 72n, 96n),
  };
}

/** Under which number a market keeps the index of a side at the end of one of its epochs. */
export function epochEndKey(long: boolean, epoch: number): number {
  return epoch * 2 + (long ? 1 : 0);
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
  /** By how much the initial base rises as open interest comes to skewScale. */
  readonly openInterestSlopeWad: bigint;
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
    openInterestSlopeWad: field(word, 108n, 24n) * millionthWad,
    skewScaleWad: field(word, 176n, 80n) * billionthWad,
  };
}

/** How far something that counts by steps has come. */
export interface RampClockFields {
  /** Of the time that steps have yet to cover; zero: nothing is to come. */
  readonly secondsLeft: number;
  /** Unix seconds: of the last step, or of the start. */
  readonly steppedAt: number;
}

export function decodeRampClock(word: bigint): RampClockFields {
  return { secondsLeft: Number(field(word, 0n, 32n)), steppedAt: Number(field(word, 32n, 40n)) };
}

/** What margin and liquidation need to know of accounts in general. */
export interface AccountRiskFields {
  /** Of a net cash debt. */
  readonly debtMarginWad: bigint;
  readonly targetHealthWad: bigint;
  readonly absorbHealthWad: bigint;
  /** Of notional and collateral value. */
  readonly absorbPenaltyWad: bigint;
  /** Of a forced fee or a penalty. */
  readonly keeperShareWad: bigint;
  readonly insuranceShareWad: bigint;
  /** Of a trading fee. */
  readonly insuranceFeeShareWad: bigint;
  readonly keeperFloorWad: bigint;
  readonly minimumDebtWad: bigint;
}

export function decodeAccountRisk(word: bigint): AccountRiskFields {
  return {
    debtMarginWad: field(word, 0n, 20n) * millionthWad,
    targetHealthWad: field(word, 20n, 24n) * millionthWad,
    absorbHealthWad: field(word, 44n, 20n) * millionthWad,
    absorbPenaltyWad: field(word, 64n, 20n) * millionthWad,
    keeperShareWad: field(word, 84n, 20n) * millionthWad,
    insuranceShareWad: field(word, 104n, 20n) * millionthWad,
    insuranceFeeShareWad: field(word, 124n, 20n) * millionthWad,
    keeperFloorWad: field(word, 144n, 56n) * millionthWad,
    minimumDebtWad: field(word, 200n, 56n) * millionthWad,
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
  /** Good for everything. */
  readonly isFresh: boolean;
  /** Good for what reduces risk, and for nothing else; then it is not fresh. */
  readonly isReduceOnly: boolean;
  /** Told while the chain's sequencer was down, or had come back too short a time before. */
  readonly inGrace: boolean;
}

export function decodePrice(word: bigint): PriceFields {
  return {
    priceWad: field(word, 0n, 96n),
    toleranceWad: field(word, 96n, 64n),
    publishedAt: Number(field(word, 160n, 40n)),
    maxAgeSeconds: Number(field(word, 200n, 32n)),
    isFresh: field(word, 232n, 1n) === 1n,
    isReduceOnly: field(word, 234n, 1n) === 1n,
    inGrace: field(word, 235n, 1n) === 1n,
  };
}

/** What is wrong with the answer of a source of prices: the contract's enum, by its numbers. */
export const feedFaults = [
  "none",
  "noCode",
  "noAnswer",
  "roundIncomplete",
  "notPositive",
  "outOfBounds",
  "fromFuture",
  "olderThanUsed",
  "tooUncertain",
  "deviates",
] as const;

/** `unknown`: the contract knows a fault that this SDK does not. */
export type FeedFault = (typeof feedFaults)[number] | "unknown";

export function decodeFeedFault(fault: bigint): FeedFault {
  return feedFaults[Number(fault)] ?? "unknown";
}

/** What an asset's price is read from: the contract's enum, by its numbers. */
export const sourceKinds = ["none", "chainlink", "pyth"] as const;

/** What the uptime feed of the chain's sequencer tells: the contract's enum, by its numbers. */
export const sequencerStates = ["up", "grace", "unknown"] as const;

export interface CollateralFields {
  readonly weightInitialWad: bigint;
  readonly weightMaintenanceWad: bigint;
  readonly decimals: number;
  /** In the token's own units, over all accounts. */
  readonly held: bigint;
  /** Share of the deposit cap beyond which what is held counts nothing for initial margin. */
  readonly concentrationStartWad: bigint;
  /** In the token's own units. */
  readonly depositCap: bigint;
}

export function decodeCollateral(word: bigint): CollateralFields {
  return {
    weightInitialWad: field(word, 0n, 20n) * millionthWad,
    weightMaintenanceWad: field(word, 20n, 20n) * millionthWad,
    decimals: Number(field(word, 40n, 8n)),
    held: field(word, 48n, 96n),
    concentrationStartWad: field(word, 144n, 16n) * basisPointWad,
    depositCap: field(word, 160n, 96n),
  };
}

/** The checkpoint of the pool's capital. */
export interface CapitalFields {
  readonly capitalWad: bigint;
  /** Unix seconds; 0: none has been taken. */
  readonly takenAt: number;
  /** How old it may be for a trade that grows a position. */
  readonly maxAgeSeconds: number;
}

export function decodeCapital(word: bigint): CapitalFields {
  return {
    capitalWad: field(word, 0n, 128n),
    takenAt: Number(field(word, 128n, 40n)),
    maxAgeSeconds: Number(field(word, 168n, 40n)),
  };
}

/** What principals are worth: cash = principal * index, as of `accruedAt`. */
export interface CashIndicesFields {
  /** 1e-15, of principals above zero. */
  readonly supplyIndexE15: bigint;
  /** 1e-15, of principals below zero. */
  readonly borrowIndexE15: bigint;
  /** A second. */
  readonly supplyRateWad: bigint;
  /** A second. */
  readonly borrowRateWad: bigint;
  /** Unix seconds. */
  readonly accruedAt: number;
}

export function decodeCashIndices(word: bigint): CashIndicesFields {
  return {
    supplyIndexE15: field(word, 0n, 72n),
    borrowIndexE15: field(word, 72n, 72n),
    supplyRateWad: field(word, 144n, 40n),
    borrowRateWad: field(word, 184n, 40n),
    accruedAt: Number(field(word, 224n, 32n)),
  };
}

/** Sums of principals over all accounts, wad. */
export interface CashTotalsFields {
  /** Of those above zero. */
  readonly suppliedPrincipalWad: bigint;
  /** Of those below zero, without their sign. */
  readonly borrowedPrincipalWad: bigint;
}

export function decodeCashTotals(word: bigint): CashTotalsFields {
  return { suppliedPrincipalWad: field(word, 0n, 128n), borrowedPrincipalWad: field(word, 128n, 128n) };
}

export interface CashTermsFields {
  /** Utilisation at which the borrow rate turns steep. */
  readonly kinkWad: bigint;
  /** Rates a year. */
  readonly rateAtZeroWad: bigint;
  readonly rateAtKinkWad: bigint;
  readonly rateAtFullWad: bigint;
  /** Share of interest that is the insurance account's. */
  readonly reserveFactorWad: bigint;
  /** Of the pool's value. */
  readonly poolLossPerHourWad: bigint;
  /** Of supplied cash. */
  readonly writeOffPerHourWad: bigint;
}

export function decodeCashTerms(word: bigint): CashTermsFields {
  return {
    kinkWad: field(word, 0n, 20n) * millionthWad,
    rateAtZeroWad: field(word, 20n, 24n) * millionthWad,
    rateAtKinkWad: field(word, 44n, 24n) * millionthWad,
    rateAtFullWad: field(word, 68n, 24n) * millionthWad,
    reserveFactorWad: field(word, 92n, 20n) * millionthWad,
    poolLossPerHourWad: field(word, 112n, 20n) * millionthWad,
    writeOffPerHourWad: field(word, 132n, 20n) * millionthWad,
  };
}

/** What losses may take from somebody in the hour that began at `since`; the next hour begins with the first loss after it. */
export interface HourBudgetFields {
  readonly allowedWad: bigint;
  readonly spentWad: bigint;
  /** Unix seconds. */
  readonly since: number;
}

export function decodeHourBudget(word: bigint): HourBudgetFields {
  return {
    allowedWad: field(word, 0n, 104n),
    spentWad: field(word, 104n, 104n),
    since: Number(field(word, 208n, 40n)),
  };
}
