/** Twin of contracts/libraries/Interest.sol. */
import * as CashWords from "../types/CashWords.js";
import { WAD, abs, divUp, max, min, mulDivDown, mulDivUp, sub } from "./FixedPoint.js";

export const YEAR = 365n * 86400n;

/** The indices by now, 1e-15: supply rounded down, borrowing up. At the end of their field they stand still. */
export function accrued(word: CashWords.CashIndices, nowSeconds: bigint): [supplyIndex: bigint, borrowIndex: bigint] {
  let supplyIndex = CashWords.supplyIndex(word);
  let borrowIndex = CashWords.borrowIndex(word);
  const elapsed = nowSeconds - CashWords.accruedAt(word);
  if (elapsed === 0n) return [supplyIndex, borrowIndex];
  borrowIndex = min(borrowIndex + divUp(borrowIndex * CashWords.borrowRate(word) * elapsed, WAD), CashWords.MAX_INDEX);
  if (borrowIndex === CashWords.MAX_INDEX) return [supplyIndex, borrowIndex];
  supplyIndex = min(supplyIndex + (supplyIndex * CashWords.supplyRate(word) * elapsed) / WAD, CashWords.MAX_INDEX);
  return [supplyIndex, borrowIndex];
}

/** Cash (wad) of a principal, rounded toward minus infinity. */
export function cashFloor(principalWad: bigint, supplyIndex: bigint, borrowIndex: bigint): bigint {
  if (principalWad >= 0n) return (principalWad * supplyIndex) / CashWords.INDEX_ONE;
  return -divUp(abs(principalWad) * borrowIndex, CashWords.INDEX_ONE);
}

/** The principal (wad) of an amount of cash, rounded toward minus infinity. */
export function principalFloor(cashWad: bigint, supplyIndex: bigint, borrowIndex: bigint): bigint {
  if (cashWad >= 0n) return mulDivDown(cashWad, CashWords.INDEX_ONE, supplyIndex);
  return -mulDivUp(abs(cashWad), CashWords.INDEX_ONE, borrowIndex);
}

/** max(borrowed / supplied, 1 - held / supplied), at most 1, wad, rounded up. */
export function utilisation(suppliedWad: bigint, borrowedWad: bigint, heldWad: bigint): bigint {
  const missing = suppliedWad > heldWad ? suppliedWad - heldWad : 0n;
  const used = max(borrowedWad, missing);
  if (used >= suppliedWad) return used === 0n ? 0n : WAD;
  return mulDivUp(used, WAD, suppliedWad);
}

/** What borrowers pay at this utilisation, 1e-18 a second, rounded down. */
export function borrowRate(terms: CashWords.CashTerms, utilisationWad: bigint): bigint {
  const turn = CashWords.kink(terms);
  if (utilisationWad <= turn) {
    const climb = sub(CashWords.rateAtKink(terms), CashWords.rateAtZero(terms));
    return (CashWords.rateAtZero(terms) + (turn === 0n ? climb : mulDivDown(climb, utilisationWad, turn))) / YEAR;
  }
  const steep = sub(CashWords.rateAtFull(terms), CashWords.rateAtKink(terms));
  return (CashWords.rateAtKink(terms) + mulDivDown(steep, utilisationWad - turn, WAD - turn)) / YEAR;
}

/** What suppliers earn: borrow rate * min(1, borrowed / supplied) * (1 - reserve factor), 1e-18 a second, rounded down. */
export function supplyRate(
  terms: CashWords.CashTerms,
  borrowRateNow: bigint,
  suppliedWad: bigint,
  borrowedWad: bigint,
): bigint {
  if (suppliedWad === 0n) return 0n;
  const lent = min(borrowedWad, suppliedWad);
  return mulDivDown(mulDivDown(borrowRateNow, lent, suppliedWad), WAD - CashWords.reserveFactor(terms), WAD);
}
