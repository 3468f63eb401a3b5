/** Twin of contracts/types/MarketWords.sol: the words of a market. */
import { field, place, placeSigned, placeUnits, replace, signedField } from "./Packing.js";
import type { Word } from "./Word.js";

/** What moves with time and trades in a market: funding. */
export type MarketState = Word<"MarketState">;
/** The totals of a market. */
export type MarketTotals = Word<"MarketTotals">;
/** What a margin check needs to know of a market. */
export type MarketRisk = Word<"MarketRisk">;
/** What an opening needs to know beside it. */
export type MarketTerms = Word<"MarketTerms">;
/** The discount of a liquidation: base + slope * (1 - health), at most cap. */
export type DiscountTerms = Word<"DiscountTerms">;
/** The index of one side of a market: what a share is worth. Read only where the state's flags say SIDES_TOUCHED. */
export type SideWord = Word<"SideWord">;
/** The epochs of a market's sides, and how it ends. */
export type EpochsWord = Word<"EpochsWord">;

/** One millionth, as a wad. */
export const PPM = 10n ** 12n;
/** One billionth, as a wad. */
export const NANO = 10n ** 9n;
/** One millionth of a quote unit, as a wad. */
export const MICRO = 10n ** 12n;

// Flags of a market's state.
/** A side's word or epoch has left its start. */
export const SIDES_TOUCHED = 1n;
/** No position grows, because the market is about to be delisted. */
export const CLOSING = 2n;
/** Nobody has any size; whoever had one is paid by settling. */
export const DELISTED = 4n;
/** No position grows, because the guardian has stopped it. */
export const HALTED = 8n;

/** Throws ValueOutOfRange. */
export function toMarketState(
  fundingIndexWad: bigint,
  fundingRateE24: bigint,
  fundingDriftE24: bigint,
  touchedAt: bigint,
  flags: bigint,
): MarketState {
  return (placeSigned(fundingIndexWad, 0n, 96) |
    placeSigned(fundingRateE24, 96n, 64) |
    placeSigned(fundingDriftE24, 160n, 56) |
    place(touchedAt, 216n, 32) |
    place(flags, 248n, 8)) as MarketState;
}

/** Wad: quote that one unit of long size has paid since listing. */
export function fundingIndex(word: MarketState): bigint {
  return signedField(word, 0n, 96);
}

/** 1e-24 a second at `touchedAt`; above zero longs pay shorts. */
export function fundingRate(word: MarketState): bigint {
  return signedField(word, 96n, 64);
}

/** 1e-24 a second and second. */
export function fundingDrift(word: MarketState): bigint {
  return signedField(word, 160n, 56);
}

/** Unix seconds. */
export function touchedAt(word: MarketState): bigint {
  return field(word, 216n, 32);
}

export function flags(word: MarketState): bigint {
  return field(word, 248n, 8);
}

export function has(word: MarketState, flag: bigint): boolean {
  return ((word >> 248n) & flag) !== 0n;
}

export function withFlag(word: MarketState, flag: bigint): MarketState {
  return (word | (flag << 248n)) as MarketState;
}

export function withoutFlag(word: MarketState, flag: bigint): MarketState {
  return (word & ~(flag << 248n)) as MarketState;
}

/** Throws ValueOutOfRange. */
export function toSideWord(scaleRay: bigint, carryRay: bigint): SideWord {
  return (place(scaleRay, 0n, 96) | placeSigned(carryRay, 96n, 160)) as SideWord;
}

/** Ray: size of a share. */
export function sideScale(word: SideWord): bigint {
  return field(word, 0n, 96);
}

/** Ray: quote of a share, what funding has taken since listing not yet taken off. */
export function sideCarry(word: SideWord): bigint {
  return signedField(word, 96n, 160);
}

export function epochOf(word: EpochsWord, long: boolean): bigint {
  return field(word, long ? 0n : 16n, 16);
}

/** Throws ValueOutOfRange. */
export function withNextEpoch(word: EpochsWord, long: boolean): EpochsWord {
  const offset = long ? 0n : 16n;
  const next = place(epochOf(word, long) + 1n, offset, 16);
  return replace(word, offset, 16, next) as EpochsWord;
}

/** Unix seconds: from when anyone may delist it; zero: not announced. */
export function delistAt(word: EpochsWord): bigint {
  return field(word, 32n, 40);
}

/** Wad. */
export function finalPrice(word: EpochsWord): bigint {
  return field(word, 72n, 96);
}

/** Throws ValueOutOfRange. */
export function withDelisting(word: EpochsWord, due: bigint, finalPriceWad: bigint): EpochsWord {
  return ((word & 0xffff_ffffn) | place(due, 32n, 40) | place(finalPriceWad, 72n, 96)) as EpochsWord;
}

/** Throws ValueOutOfRange. */
export function toMarketTotals(longSharesWad: bigint, shortSharesWad: bigint, feesMicro: bigint): MarketTotals {
  return (place(longSharesWad, 0n, 104) |
    place(shortSharesWad, 104n, 104) |
    place(feesMicro, 208n, 48)) as MarketTotals;
}

/** Wad. */
export function longShares(word: MarketTotals): bigint {
  return field(word, 0n, 104);
}

/** Wad. */
export function shortShares(word: MarketTotals): bigint {
  return field(word, 104n, 104);
}

/** Millionths of a quote unit. */
export function feesUnswept(word: MarketTotals): bigint {
  return field(word, 208n, 48);
}

/** Wad. */
export function feesUnsweptWad(word: MarketTotals): bigint {
  return feesUnswept(word) * MICRO;
}

/** The parameters of a market as people write them: wads, and seconds; their bounds stand in Parameters.requireValidMarket. */
export interface MarketParameters {
  initialBaseWad: bigint;
  maintenanceBaseWad: bigint;
  profitWeightWad: bigint;
  lambdaInitialWad: bigint;
  lambdaMaintenanceWad: bigint;
  maxFundingRatePerDayWad: bigint;
  maxFundingVelocityPerDay2Wad: bigint;
  maxFundingGapSeconds: bigint;
  skewScaleWad: bigint;
  openInterestCapWad: bigint;
  minimumSizeWad: bigint;
  takerRateWad: bigint;
  makerRateWad: bigint;
  capitalShareWad: bigint;
  openInterestSlopeWad: bigint;
  discountBaseWad: bigint;
  discountSlopeWad: bigint;
  discountCapWad: bigint;
}

/** Throws NotRepresentable, ValueOutOfRange. */
export function toMarketRisk(p: MarketParameters): MarketRisk {
  return (placeUnits(p.initialBaseWad, PPM, 0n, 20) |
    placeUnits(p.maintenanceBaseWad, PPM, 20n, 20) |
    placeUnits(p.profitWeightWad, PPM, 40n, 20) |
    placeUnits(p.lambdaInitialWad, PPM, 60n, 24) |
    placeUnits(p.lambdaMaintenanceWad, PPM, 84n, 24) |
    placeUnits(p.openInterestSlopeWad, PPM, 108n, 24) |
    placeUnits(p.maxFundingRatePerDayWad, PPM, 132n, 24) |
    place(p.maxFundingGapSeconds, 156n, 20) |
    placeUnits(p.skewScaleWad, NANO, 176n, 80)) as MarketRisk;
}

/** Wad. */
export function initialBase(word: MarketRisk): bigint {
  return field(word, 0n, 20) * PPM;
}

/** Wad. */
export function maintenanceBase(word: MarketRisk): bigint {
  return field(word, 20n, 20) * PPM;
}

/** Wad. */
export function profitWeight(word: MarketRisk): bigint {
  return field(word, 40n, 20) * PPM;
}

/** Wad. */
export function lambdaInitial(word: MarketRisk): bigint {
  return field(word, 60n, 24) * PPM;
}

/** Wad. */
export function lambdaMaintenance(word: MarketRisk): bigint {
  return field(word, 84n, 24) * PPM;
}

/** Wad. */
export function openInterestSlope(word: MarketRisk): bigint {
  return field(word, 108n, 24) * PPM;
}

/** 1e-24 a second, rounded down. */
export function maxFundingRate(word: MarketRisk): bigint {
  return (field(word, 132n, 24) * 10n ** 18n) / 86_400n;
}

/** Seconds. */
export function maxFundingGap(word: MarketRisk): bigint {
  return field(word, 156n, 20);
}

/** Wad of size. */
export function skewScale(word: MarketRisk): bigint {
  return (word >> 176n) * NANO;
}

const MAINTENANCE_MASK = (((1n << 20n) - 1n) << 20n) | (((1n << 24n) - 1n) << 84n) | (((1n << 80n) - 1n) << 176n);

/** The word with other values (wad) of what maintenance margin depends on. Throws NotRepresentable, ValueOutOfRange. */
export function withMaintenance(
  word: MarketRisk,
  maintenanceBaseWad: bigint,
  lambdaMaintenanceWad: bigint,
  skewScaleWad: bigint,
): MarketRisk {
  return ((word & ~MAINTENANCE_MASK) |
    placeUnits(maintenanceBaseWad, PPM, 20n, 20) |
    placeUnits(lambdaMaintenanceWad, PPM, 84n, 24) |
    placeUnits(skewScaleWad, NANO, 176n, 80)) as MarketRisk;
}

/** Throws NotRepresentable, ValueOutOfRange. */
export function toMarketTerms(p: MarketParameters): MarketTerms {
  return (placeUnits(p.openInterestCapWad, NANO, 0n, 80) |
    placeUnits(p.minimumSizeWad, NANO, 80n, 80) |
    placeUnits(p.takerRateWad, PPM, 160n, 20) |
    placeUnits(p.makerRateWad, PPM, 180n, 20) |
    placeUnits(p.capitalShareWad, PPM, 200n, 20) |
    placeUnits(p.maxFundingVelocityPerDay2Wad, PPM, 220n, 24)) as MarketTerms;
}

/** Wad of size, a side, the pool not counted. */
export function openInterestCap(word: MarketTerms): bigint {
  return field(word, 0n, 80) * NANO;
}

/** Wad of size. */
export function minimumSize(word: MarketTerms): bigint {
  return field(word, 80n, 80) * NANO;
}

/** Wad, of notional. */
export function takerRate(word: MarketTerms): bigint {
  return field(word, 160n, 20) * PPM;
}

/** Wad, of notional. */
export function makerRate(word: MarketTerms): bigint {
  return field(word, 180n, 20) * PPM;
}

/** Wad, of the pool's capital. */
export function capitalShare(word: MarketTerms): bigint {
  return field(word, 200n, 20) * PPM;
}

/** Wad a day and day. */
export function maxFundingVelocity(word: MarketTerms): bigint {
  return field(word, 220n, 24) * PPM;
}

/** Throws NotRepresentable, ValueOutOfRange. */
export function toDiscountTerms(baseWad: bigint, slopeWad: bigint, capWad: bigint): DiscountTerms {
  return (placeUnits(baseWad, PPM, 0n, 20) |
    placeUnits(slopeWad, PPM, 20n, 24) |
    placeUnits(capWad, PPM, 44n, 20)) as DiscountTerms;
}

/** Wad. */
export function discountBase(word: DiscountTerms): bigint {
  return field(word, 0n, 20) * PPM;
}

/** Wad. */
export function discountSlope(word: DiscountTerms): bigint {
  return field(word, 20n, 24) * PPM;
}

/** Wad. */
export function discountCap(word: DiscountTerms): bigint {
  return field(word, 44n, 20) * PPM;
}
