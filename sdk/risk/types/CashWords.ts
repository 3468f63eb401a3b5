/** Twin of contracts/types/CashWords.sol: cash, interest, and what losses may take in an hour. */
import { PPM } from "./MarketWords.js";
import { field, place, placeUnits } from "./Packing.js";
import type { Word } from "./Word.js";

/** What a principal is worth: cash = principal * index, as of `accruedAt`. */
export type CashIndices = Word<"CashIndices">;
/** Sums over all accounts. */
export type CashTotals = Word<"CashTotals">;
/** The price of borrowing, and what losses may take in an hour. */
export type CashTerms = Word<"CashTerms">;
/** What losses may still take from somebody in the hour that began at `since`. */
export type HourBudget = Word<"HourBudget">;

/** What an index of one is in its word. */
export const INDEX_ONE = 10n ** 15n;
export const MAX_INDEX = (1n << 72n) - 1n;

/** The parameters of cash as people write them: wads, rates a year; their bounds stand in Parameters.requireValidCash. */
export interface CashParameters {
  kinkWad: bigint;
  rateAtZeroWad: bigint;
  rateAtKinkWad: bigint;
  rateAtFullWad: bigint;
  reserveFactorWad: bigint;
  poolLossPerHourWad: bigint;
  writeOffPerHourWad: bigint;
}

/** Throws ValueOutOfRange. */
export function toCashIndices(
  supplyIndex: bigint,
  borrowIndex: bigint,
  supplyRate: bigint,
  borrowRate: bigint,
  accruedAt: bigint,
): CashIndices {
  return (place(supplyIndex, 0n, 72) |
    place(borrowIndex, 72n, 72) |
    place(supplyRate, 144n, 40) |
    place(borrowRate, 184n, 40) |
    place(accruedAt, 224n, 32)) as CashIndices;
}

/** Of principals above zero: INDEX_ONE is one. */
export function supplyIndex(word: CashIndices): bigint {
  return field(word, 0n, 72);
}

/** Of principals below zero: INDEX_ONE is one. */
export function borrowIndex(word: CashIndices): bigint {
  return field(word, 72n, 72);
}

/** 1e-18 a second. */
export function supplyRate(word: CashIndices): bigint {
  return field(word, 144n, 40);
}

/** 1e-18 a second. */
export function borrowRate(word: CashIndices): bigint {
  return field(word, 184n, 40);
}

/** Unix seconds. */
export function accruedAt(word: CashIndices): bigint {
  return word >> 224n;
}

/** Throws ValueOutOfRange. */
export function toCashTotals(suppliedWad: bigint, borrowedWad: bigint): CashTotals {
  return (place(suppliedWad, 0n, 128) | place(borrowedWad, 128n, 128)) as CashTotals;
}

/** Wad: principals above zero. */
export function supplied(word: CashTotals): bigint {
  return field(word, 0n, 128);
}

/** Wad: principals below zero, without their sign. */
export function borrowed(word: CashTotals): bigint {
  return word >> 128n;
}

/** Throws NotRepresentable, ValueOutOfRange. */
export function toCashTerms(p: CashParameters): CashTerms {
  return (placeUnits(p.kinkWad, PPM, 0n, 20) |
    placeUnits(p.rateAtZeroWad, PPM, 20n, 24) |
    placeUnits(p.rateAtKinkWad, PPM, 44n, 24) |
    placeUnits(p.rateAtFullWad, PPM, 68n, 24) |
    placeUnits(p.reserveFactorWad, PPM, 92n, 20) |
    placeUnits(p.poolLossPerHourWad, PPM, 112n, 20) |
    placeUnits(p.writeOffPerHourWad, PPM, 132n, 20)) as CashTerms;
}

/** Wad: utilisation at which the borrow rate turns steep. */
export function kink(word: CashTerms): bigint {
  return field(word, 0n, 20) * PPM;
}

/** Wad a year. */
export function rateAtZero(word: CashTerms): bigint {
  return field(word, 20n, 24) * PPM;
}

/** Wad a year. */
export function rateAtKink(word: CashTerms): bigint {
  return field(word, 44n, 24) * PPM;
}

/** Wad a year. */
export function rateAtFull(word: CashTerms): bigint {
  return field(word, 68n, 24) * PPM;
}

/** Wad: share of interest that is the insurance account's. */
export function reserveFactor(word: CashTerms): bigint {
  return field(word, 92n, 20) * PPM;
}

/** Wad, of the pool's value. */
export function poolLossPerHour(word: CashTerms): bigint {
  return field(word, 112n, 20) * PPM;
}

/** Wad, of supplied cash. */
export function writeOffPerHour(word: CashTerms): bigint {
  return field(word, 132n, 20) * PPM;
}

/** Throws ValueOutOfRange. */
export function toHourBudget(allowedWad: bigint, spentWad: bigint, since: bigint): HourBudget {
  return (place(allowedWad, 0n, 104) | place(spentWad, 104n, 104) | place(since, 208n, 40)) as HourBudget;
}

/** Wad. */
export function allowed(word: HourBudget): bigint {
  return field(word, 0n, 104);
}

/** Wad. */
export function spent(word: HourBudget): bigint {
  return field(word, 104n, 104);
}

/** Unix seconds. */
export function since(word: HourBudget): bigint {
  return field(word, 208n, 40);
}
