/** Twin of contracts/libraries/Losses.sol. */
import * as Account from "../types/Account.js";
import * as CashWords from "../types/CashWords.js";
import type { Context, Vault } from "../types/VaultStorage.js";
import * as CashBook from "./CashBook.js";
import { WAD, min, mulDivDown, positivePart } from "./FixedPoint.js";
import * as Ledger from "./Ledger.js";
import * as PoolValue from "./PoolValue.js";

const HOUR = 3600n;
const MAX_BUDGET = (1n << 104n) - 1n;

/** What insurance can pay (wad). */
export function insuranceCash($: Vault, context: Context): bigint {
  return positivePart(Account.cash(Ledger.load($, context, context.insurance)));
}

/** The pool's budget as it stands now: of a new hour, if the last has ended. */
export function poolBudget($: Vault, context: Context): CashWords.HourBudget {
  const budget = $.poolLosses;
  if (!ended($, budget)) return budget;
  const [valueWad] = PoolValue.read($, context);
  return CashWords.toHourBudget(shareOf(positivePart(valueWad), CashWords.poolLossPerHour($.cashTerms)), 0n, $.now);
}

/** What is left of a budget (wad). */
export function left(budget: CashWords.HourBudget): bigint {
  return CashWords.allowed(budget) > CashWords.spent(budget) ? CashWords.allowed(budget) - CashWords.spent(budget) : 0n;
}

/** Books what the pool has paid (wad). Emits LossesChanged. */
export function spendPool($: Vault, budget: CashWords.HourBudget, paidWad: bigint): void {
  $.poolLosses = CashWords.toHourBudget(
    CashWords.allowed(budget),
    CashWords.spent(budget) + paidWad,
    CashWords.since(budget),
  );
  tell($);
}

/**
 * Takes a loss (wad) off suppliers of cash, as far as their budget goes; the rest becomes bad debt. Every account in memory must be
 * saved before. Emits CashChanged, LossesChanged.
 * @returns what suppliers bore (wad)
 */
export function writeOff($: Vault, context: Context, lossWad: bigint): bigint {
  let budget = $.writeOffs;
  if (ended($, budget)) {
    const supplied = CashBook.suppliedWad($, context);
    budget = CashWords.toHourBudget(shareOf(supplied, CashWords.writeOffPerHour($.cashTerms)), 0n, $.now);
  }
  const writtenOffWad = CashBook.writeOff($, context, min(lossWad, left(budget)));
  $.writeOffs = CashWords.toHourBudget(
    CashWords.allowed(budget),
    CashWords.spent(budget) + writtenOffWad,
    CashWords.since(budget),
  );
  tell($);
  return writtenOffWad;
}

/** Books a loss (wad) that nobody has borne. Emits LossesChanged, unless it is zero. */
export function addBadDebt($: Vault, amountWad: bigint): void {
  if (amountWad === 0n) return;
  $.badDebt += amountWad;
  tell($);
}

/**
 * Lets insurance pay bad debt. Emits AccountChanged, BadDebtCovered, LossesChanged.
 * @returns wad; zero where there is none, or nothing to pay it with
 */
export function cover($: Vault, context: Context): bigint {
  const owed = $.badDebt;
  if (owed === 0n) return 0n;
  const paidWad = min(owed, insuranceCash($, context));
  if (paidWad === 0n) return 0n;
  Ledger.addCash($, context, context.insurance, -paidWad);
  $.badDebt = owed - paidWad;
  $.emit("BadDebtCovered", { paidWad, badDebtWad: owed - paidWad });
  tell($);
  return paidWad;
}

/**
 * Moves the insurance account's share of interest, up to now, to its cash. Emits CashChanged, AccountChanged, InterestSwept.
 * @returns wad
 */
export function sweepInterest($: Vault, context: Context): bigint {
  CashBook.write($, context);
  const sweptWad = $.interestUnswept;
  if (sweptWad === 0n) return 0n;
  $.interestUnswept = 0n;
  Ledger.addCash($, context, context.insurance, sweptWad);
  CashBook.write($, context);
  $.emit("InterestSwept", { amountWad: sweptWad });
  return sweptWad;
}

function ended($: Vault, budget: CashWords.HourBudget): boolean {
  return $.now >= CashWords.since(budget) + HOUR;
}

function shareOf(amountWad: bigint, shareWad: bigint): bigint {
  return min(mulDivDown(amountWad, shareWad, WAD), MAX_BUDGET);
}

function tell($: Vault): void {
  $.emit("LossesChanged", { poolLosses: $.poolLosses, writeOffs: $.writeOffs, badDebtWad: $.badDebt });
}
