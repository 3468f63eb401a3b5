/** Twin of contracts/libraries/CashBook.sol. */
import { uint } from "../checked.js";
import * as CashWords from "../types/CashWords.js";
import type { Cash, Context, Vault } from "../types/VaultStorage.js";
import { divUp, max, min, mulDivDown, mulDivUp, positivePart } from "./FixedPoint.js";
import * as Interest from "./Interest.js";

const { INDEX_ONE } = CashWords;
const LEAST_SUPPLY_INDEX = INDEX_ONE / 1000n;
const MAX_UINT112 = (1n << 112n) - 1n;

export function open($: Vault): Cash {
  const stored = $.cashIndices;
  const cash = { stored, supplyIndex: 0n, borrowIndex: 0n, supplied: 0n, borrowed: 0n, moved: false };
  read($, cash);
  return cash;
}

/** Opens it in place. */
export function read($: Vault, cash: Cash): void {
  cash.stored = $.cashIndices;
  [cash.supplyIndex, cash.borrowIndex] = Interest.accrued(cash.stored, $.now);
}

/** Cash (wad) of a principal now, rounded toward minus infinity. */
export function valueOf(cash: Cash, principalWad: bigint): bigint {
  return Interest.cashFloor(principalWad, cash.supplyIndex, cash.borrowIndex);
}

/** The principal of an amount of cash (wad) now, rounded toward minus infinity. */
export function principalOf(cash: Cash, cashWad: bigint): bigint {
  return Interest.principalFloor(cashWad, cash.supplyIndex, cash.borrowIndex);
}

/** Counts the change of an account's principal. */
export function count(cash: Cash, before: bigint, afterwards: bigint): void {
  cash.supplied += positivePart(afterwards) - positivePart(before);
  cash.borrowed += positivePart(-afterwards) - positivePart(-before);
}

/** Writes what the operation has changed: totals, interest up to now, and the rates from now on. Throws ValueOutOfRange. */
export function save($: Vault, context: Context): void {
  const { cash } = context;
  if (cash.supplied === 0n && cash.borrowed === 0n && !cash.moved) return;
  write($, context);
}

/** The same, whether anything has changed or not. */
export function write($: Vault, context: Context): void {
  const { cash } = context;
  let totals = $.cashTotals;
  const unswept = margin(cash, totals);
  if (unswept !== 0n) $.interestUnswept = min($.interestUnswept + unswept, MAX_UINT112);
  const supplied = CashWords.supplied(totals) + cash.supplied;
  const borrowed = CashWords.borrowed(totals) + cash.borrowed;
  totals = CashWords.toCashTotals(supplied, borrowed);
  $.cashTotals = totals;
  cash.supplied = 0n;
  cash.borrowed = 0n;
  cash.moved = false;

  const terms = $.cashTerms;
  const supply = mulDivDown(supplied, cash.supplyIndex, INDEX_ONE);
  const debts = mulDivUp(borrowed, cash.borrowIndex, INDEX_ONE);
  const held = $.cashHeld * context.cashUnit;
  const borrowRate = Interest.borrowRate(terms, Interest.utilisation(supply, debts, held));
  const supplyRate = Interest.supplyRate(terms, borrowRate, supply, debts);
  cash.stored = CashWords.toCashIndices(cash.supplyIndex, cash.borrowIndex, supplyRate, borrowRate, $.now);
  $.cashIndices = cash.stored;
  $.emit("CashChanged", { indices: cash.stored, totals, interestUnsweptWad: $.interestUnswept });
}

function margin(cash: Cash, totals: CashWords.CashTotals): bigint {
  const { stored } = cash;
  const charged = (CashWords.borrowed(totals) * (cash.borrowIndex - CashWords.borrowIndex(stored))) / INDEX_ONE;
  const credited = divUp(CashWords.supplied(totals) * (cash.supplyIndex - CashWords.supplyIndex(stored)), INDEX_ONE);
  return charged > credited ? charged - credited : 0n;
}

/** All that accounts have in cash (wad), debts not counted, rounded down. */
export function suppliedWad($: Vault, context: Context): bigint {
  // What the cast of Solidity makes of a sum below zero is too large to multiply.
  const principal = uint(CashWords.supplied($.cashTotals) + context.cash.supplied);
  return mulDivDown(principal, context.cash.supplyIndex, INDEX_ONE);
}

/**
 * Takes an amount (wad) off everybody's cash, in proportion, through the supply index. Accounts in memory must be saved before.
 *
 * @returns what was taken (wad), at most the amount
 */
export function writeOff($: Vault, context: Context, amountWad: bigint): bigint {
  write($, context);
  const { cash } = context;
  const before = suppliedWad($, context);
  if (before === 0n || amountWad === 0n) return 0n;
  const index = amountWad >= before ? 0n : mulDivDown(cash.supplyIndex, before - amountWad, before);
  cash.supplyIndex = max(min(LEAST_SUPPLY_INDEX, cash.supplyIndex), index);
  const afterwards = mulDivUp(CashWords.supplied($.cashTotals), cash.supplyIndex, INDEX_ONE);
  const lost = before > afterwards ? before - afterwards : 0n;
  const takenWad = min(lost, amountWad);
  $.interestUnswept = uint($.interestUnswept + BigInt.asUintN(112, lost - takenWad), 112);
  cash.stored = CashWords.toCashIndices(cash.supplyIndex, cash.borrowIndex, 0n, 0n, $.now);
  write($, context);
  return takenWad;
}
