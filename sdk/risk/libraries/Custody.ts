/** Twin of contracts/libraries/Custody.sol: what a deposit, a withdrawal and a transfer change of accounts. */
import type { AccountId } from "../../accounts.js";
import { ContractError } from "../ContractError.js";
import { uint } from "../checked.js";
import * as Account from "../types/Account.js";
import { owner } from "../types/AccountId.js";
import * as AssetSet from "../types/AssetSet.js";
import * as Price from "../types/Price.js";
import type { Context, Vault } from "../types/VaultStorage.js";
import * as VaultWords from "../types/VaultWords.js";
import * as CashBook from "./CashBook.js";
import * as Deferral from "./Deferral.js";
import { abs, sub } from "./FixedPoint.js";
import * as Ledger from "./Ledger.js";
import * as Margin from "./Margin.js";
import * as Prices from "./Prices.js";

/** In the place of a collateral's index: the settlement token. */
const CASH = -1;

/**
 * @param token lower-case address
 * @param amount raw
 * @throws ContractError ZeroAmount, AmountTooLarge, UnknownToken, DepositCapExceeded, StrangerDeposit, StaleCollateralPrice, TooManyAssets
 */
export function deposit($: Vault, context: Context, account: AccountId, token: string, amount: bigint): void {
  if (amount === 0n) throw new ContractError("ZeroAmount");
  const index = indexOf($, context, token);
  if (index === CASH) {
    $.cashHeld = uint($.cashHeld + toUint128(amount), 128);
    context.cash.moved = true;
  } else {
    const word = $.collaterals.get(index);
    const total = VaultWords.held(word) + toUint128(amount);
    const cap = VaultWords.depositCap(word);
    if (total > cap) throw new ContractError("DepositCapExceeded", { token, total, cap });
    $.collaterals.set(index, VaultWords.withHeld(word, total));
  }
  credit($, context, account, token, index, amount);
  CashBook.save($, context);
  $.emit("Deposited", { account, token, from: $.sender, amount });
}

/**
 * @param token lower-case address
 * @param amount raw
 * @param to lower-case address
 * @throws ContractError ZeroAmount, InsufficientCashHeld, UnknownToken, InsufficientBalance, BorrowingHalted, DebtBelowMinimum,
 *   StalePrices, InsufficientMargin
 */
export function withdraw(
  $: Vault,
  context: Context,
  account: AccountId,
  token: string,
  amount: bigint,
  to: string,
): void {
  if (amount === 0n) throw new ContractError("ZeroAmount");
  const index = indexOf($, context, token);
  if (index === CASH) {
    if (amount > $.cashHeld) throw new ContractError("InsufficientCashHeld", { asked: amount, held: $.cashHeld });
    $.cashHeld -= amount;
    context.cash.moved = true;
    debit($, context, account, token, index, amount);
  } else {
    debit($, context, account, token, index, amount);
    const word = $.collaterals.get(index);
    $.collaterals.set(index, VaultWords.withHeld(word, sub(VaultWords.held(word), amount)));
  }
  CashBook.save($, context);
  $.emit("Withdrawn", { account, token, to, amount });
}

/**
 * @param token lower-case address
 * @param amount raw
 * @throws ContractError what `withdraw` throws of `from`, but InsufficientCashHeld, and `deposit` of `to`, but DepositCapExceeded
 */
export function transfer(
  $: Vault,
  context: Context,
  from: AccountId,
  to: AccountId,
  token: string,
  amount: bigint,
): void {
  if (amount === 0n) throw new ContractError("ZeroAmount");
  const index = indexOf($, context, token);
  const before = $.accounts.get(from);
  debit($, context, from, token, index, amount);
  credit($, context, to, token, index, amount);
  if (from === to) Ledger.restore($, context, from, before);
  CashBook.save($, context);
  $.emit("Transferred", { from, to, token, amount });
}

/** Throws UnknownMode, ModeNeedsNoPosition. */
export function setMode($: Vault, context: Context, account: AccountId, mode: bigint): void {
  if (mode !== Account.MODE_CROSS && mode !== Account.MODE_ISOLATED) throw new ContractError("UnknownMode", { mode });
  const word = Ledger.load($, context, account);
  if (Account.marketBits(word) !== 0n) throw new ContractError("ModeNeedsNoPosition", { account });
  Ledger.save($, context, account, Account.withMode(word, mode));
}

function credit($: Vault, context: Context, account: AccountId, token: string, index: number, amount: bigint): void {
  let word = Ledger.load($, context, account);
  if ($.sender !== owner(account)) requireStrangerMayDeposit($, context, account, word, token, index, amount);
  if (index === CASH) {
    word = Account.plusCash(word, cashWad(context, amount));
  } else {
    const price = Prices.one(context.oracle, AssetSet.collateralAsset(index));
    if (!Price.isUsable(price)) {
      throw new ContractError("StaleCollateralPrice", {
        token,
        publishedAt: Price.publishedAt(price),
        maxAge: Price.maxAge(price),
      });
    }
    word = Ledger.saveToken($, account, word, token, index, $.collateralOf.get(account, index) + amount);
    if (account !== context.pool) Ledger.requireFewAssets(account, word);
  }
  Ledger.saveLast($, context, account, word);
}

function debit($: Vault, context: Context, account: AccountId, token: string, index: number, amount: bigint): void {
  let word = Ledger.load($, context, account);
  if (index === CASH) {
    word = Account.plusCash(word, -cashWad(context, amount));
    const cash = Account.cash(word);
    if (cash < 0n && $.borrowingHalted) throw new ContractError("BorrowingHalted", { account, debtWad: abs(cash) });
  } else {
    const balance = $.collateralOf.get(account, index);
    if (amount > balance) {
      throw new ContractError("InsufficientBalance", { account, token, asked: amount, balance });
    }
    word = Ledger.saveToken($, account, word, token, index, balance - amount);
  }
  Ledger.save($, context, account, word);
  const borrows = index === CASH;
  if (!Deferral.put($, account, borrows)) requireMargin($, context, account, word, borrows);
}

/** Checks the accounts whose risk the calls of a multicall have raised so far. Throws DebtBelowMinimum, StalePrices, InsufficientMargin. */
export function checkDeferred($: Vault, context: Context): void {
  while (Deferral.count($) !== 0) {
    const [account, borrowed] = Deferral.take($);
    requireMargin($, context, account, Ledger.load($, context, account), borrowed);
  }
}

function requireMargin($: Vault, context: Context, account: AccountId, word: Account.Account, borrowed: boolean): void {
  const free = Account.marketBits(word) === 0n && Account.cash(word) >= 0n; // neither position nor debt
  if (free) return;
  const risk = $.accountRisk;
  if (borrowed && account !== context.pool) Ledger.requireDebtAboveMinimum(account, word, risk);
  const sums = Margin.collectAll($, context, account, word);
  Margin.requireCovered(sums, Account.cash(word), risk, account);
}

function requireStrangerMayDeposit(
  $: Vault,
  context: Context,
  account: AccountId,
  word: Account.Account,
  token: string,
  index: number,
  amount: bigint,
): void {
  let valueWad = uint(amount * context.cashUnit);
  let held = true;
  if (index !== CASH) {
    const asset = AssetSet.collateralAsset(index);
    held = AssetSet.contains(Account.assets(word), asset);
    const price = Prices.one(context.oracle, asset);
    valueWad = Margin.collateralValueDown($.collaterals.get(index), amount, price);
  }
  const minimumWad = VaultWords.minimumDebt($.accountRisk);
  const welcome = held && valueWad >= minimumWad && account !== context.pool;
  if (!welcome) throw new ContractError("StrangerDeposit", { account, token, valueWad, minimumWad });
}

function indexOf($: Vault, context: Context, token: string): number {
  if (token === context.settlementToken) return CASH;
  const indexPlusOne = $.collateralIndexes(token);
  if (indexPlusOne === 0) throw new ContractError("UnknownToken", { token });
  return indexPlusOne - 1;
}

function cashWad(context: Context, amount: bigint): bigint {
  return toUint128(amount) * context.cashUnit;
}

function toUint128(amount: bigint): bigint {
  if (amount >> 128n !== 0n) throw new ContractError("AmountTooLarge", { amount });
  return amount;
}
