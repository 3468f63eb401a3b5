// The vault's packed words as objects of their fields; the layouts stand in sdk/risk/types, as in contracts/types.
import * as AccountWords from "./risk/types/AccountWord.js";
import * as AssetSets from "./risk/types/AssetSet.js";
import * as CashWords from "./risk/types/CashWords.js";
import * as MarketWords from "./risk/types/MarketWords.js";
import { field } from "./risk/types/Packing.js";
import * as Positions from "./risk/types/Position.js";
import * as Prices from "./risk/types/Price.js";
import * as RampWords from "./risk/types/RampWords.js";
import * as VaultWords from "./risk/types/VaultWords.js";

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
  const account = word as AccountWords.AccountWord;
  return {
    principalWad: AccountWords.principal(account),
    assets: AccountWords.assets(account),
    mode: modeOf(Number(field(word, 248n, 8))),
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
  return bitNumbers(AssetSets.markets(assets as AssetSets.AssetSet));
}

/** Collateral indexes of an asset set. */
export function collateralsOf(assets: bigint): number[] {
  return bitNumbers(AssetSets.collaterals(assets as AssetSets.AssetSet));
}

export interface PositionState {
  /** Wad; below zero: of the short side. */
  readonly sharesWad: bigint;
  readonly costWad: bigint;
  readonly epoch: number;
}

export function decodePosition(word: bigint): PositionState {
  const position = word as Positions.Position;
  return {
    sharesWad: Positions.shares(position),
    costWad: Positions.cost(position),
    epoch: Number(Positions.epoch(position)),
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
  const state = word as MarketWords.MarketState;
  return {
    fundingIndexWad: MarketWords.fundingIndex(state),
    fundingRateE24: MarketWords.fundingRate(state),
    fundingDriftE24: MarketWords.fundingDrift(state),
    touchedAt: Number(MarketWords.touchedAt(state)),
    flags: Number(MarketWords.flags(state)),
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
  const side = word as MarketWords.SideWord;
  return { scaleRay: MarketWords.sideScale(side), carryRay: MarketWords.sideCarry(side) };
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
  const epochs = word as MarketWords.EpochsWord;
  const delistAt = Number(MarketWords.delistAt(epochs));
  return {
    longEpoch: Number(MarketWords.epochOf(epochs, true)),
    shortEpoch: Number(MarketWords.epochOf(epochs, false)),
    delistAt: delistAt === 0 ? undefined : delistAt,
    finalPriceWad: MarketWords.finalPrice(epochs),
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
  const totals = word as MarketWords.MarketTotals;
  return {
    longSharesWad: MarketWords.longShares(totals),
    shortSharesWad: MarketWords.shortShares(totals),
    feesUnsweptWad: MarketWords.feesUnsweptWad(totals),
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
  const risk = word as MarketWords.MarketRisk;
  return {
    initialBaseWad: MarketWords.initialBase(risk),
    maintenanceBaseWad: MarketWords.maintenanceBase(risk),
    profitWeightWad: MarketWords.profitWeight(risk),
    lambdaInitialWad: MarketWords.lambdaInitial(risk),
    lambdaMaintenanceWad: MarketWords.lambdaMaintenance(risk),
    openInterestSlopeWad: MarketWords.openInterestSlope(risk),
    skewScaleWad: MarketWords.skewScale(risk),
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
  const clock = word as RampWords.RampClock;
  return { secondsLeft: Number(RampWords.secondsLeft(clock)), steppedAt: Number(RampWords.steppedAt(clock)) };
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
  const risk = word as VaultWords.AccountRisk;
  return {
    debtMarginWad: VaultWords.debtMargin(risk),
    targetHealthWad: VaultWords.targetHealth(risk),
    absorbHealthWad: VaultWords.absorbHealth(risk),
    absorbPenaltyWad: VaultWords.absorbPenalty(risk),
    keeperShareWad: VaultWords.keeperShare(risk),
    insuranceShareWad: VaultWords.insuranceShare(risk),
    insuranceFeeShareWad: VaultWords.insuranceFeeShare(risk),
    keeperFloorWad: VaultWords.keeperFloor(risk),
    minimumDebtWad: VaultWords.minimumDebt(risk),
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
  const terms = word as MarketWords.MarketTerms;
  return {
    openInterestCapWad: MarketWords.openInterestCap(terms),
    minimumSizeWad: MarketWords.minimumSize(terms),
    takerRateWad: MarketWords.takerRate(terms),
    makerRateWad: MarketWords.makerRate(terms),
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
  const price = word as Prices.Price;
  return {
    priceWad: Prices.value(price),
    toleranceWad: Prices.tolerance(price),
    publishedAt: Number(Prices.publishedAt(price)),
    maxAgeSeconds: Number(Prices.maxAge(price)),
    isFresh: Prices.isFresh(price),
    isReduceOnly: (word & Prices.REDUCE_ONLY_BIT) !== 0n,
    inGrace: Prices.inGrace(price),
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
  const collateral = word as VaultWords.Collateral;
  return {
    weightInitialWad: VaultWords.initialWeight(collateral),
    weightMaintenanceWad: VaultWords.maintenanceWeight(collateral),
    decimals: Number(VaultWords.decimals(collateral)),
    held: VaultWords.held(collateral),
    concentrationStartWad: VaultWords.concentrationStart(collateral),
    depositCap: VaultWords.depositCap(collateral),
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
  const capital = word as VaultWords.Capital;
  return {
    capitalWad: VaultWords.capitalValue(capital),
    takenAt: Number(VaultWords.takenAt(capital)),
    maxAgeSeconds: Number(VaultWords.maxAge(capital)),
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
  const indices = word as CashWords.CashIndices;
  return {
    supplyIndexE15: CashWords.supplyIndex(indices),
    borrowIndexE15: CashWords.borrowIndex(indices),
    supplyRateWad: CashWords.supplyRate(indices),
    borrowRateWad: CashWords.borrowRate(indices),
    accruedAt: Number(CashWords.accruedAt(indices)),
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
  const totals = word as CashWords.CashTotals;
  return { suppliedPrincipalWad: CashWords.supplied(totals), borrowedPrincipalWad: CashWords.borrowed(totals) };
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
  const terms = word as CashWords.CashTerms;
  return {
    kinkWad: CashWords.kink(terms),
    rateAtZeroWad: CashWords.rateAtZero(terms),
    rateAtKinkWad: CashWords.rateAtKink(terms),
    rateAtFullWad: CashWords.rateAtFull(terms),
    reserveFactorWad: CashWords.reserveFactor(terms),
    poolLossPerHourWad: CashWords.poolLossPerHour(terms),
    writeOffPerHourWad: CashWords.writeOffPerHour(terms),
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
  const budget = word as CashWords.HourBudget;
  return {
    allowedWad: CashWords.allowed(budget),
    spentWad: CashWords.spent(budget),
    since: Number(CashWords.since(budget)),
  };
}
