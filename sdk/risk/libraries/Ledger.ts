/** Twin of contracts/libraries/Ledger.sol. */
import type { AccountId } from "../../accounts.js";
import { ContractError } from "../ContractError.js";
import * as Account from "../types/Account.js";
import * as AccountWord from "../types/AccountWord.js";
import * as AssetSet from "../types/AssetSet.js";
import type { Cash, Context, Vault } from "../types/VaultStorage.js";
import * as VaultWords from "../types/VaultWords.js";
import * as CashBook from "./CashBook.js";
import { abs } from "./FixedPoint.js";

export const MAX_MARKETS_AN_ACCOUNT = 16;
export const MAX_COLLATERALS_AN_ACCOUNT = 8;

const ROUNDING = 8n;

/** An account as it stands now, interest included. */
export function load($: Vault, context: Context, id: AccountId): Account.Account {
  const word = $.accounts.get(id);
  return Account.toAccount(word, CashBook.valueOf(context.cash, AccountWord.principal(word)));
}

/** Writes an account. Its principal stays if its cash has; else it is rounded toward minus infinity. */
export function save($: Vault, context: Context, id: AccountId, account: Account.Account): void {
  const before = AccountWord.principal($.accounts.get(id));
  const principal = principalOf(context.cash, before, account);
  CashBook.count(context.cash, before, principal);
  write($, id, account, principal);
}

/** Writes the last of the accounts between which an operation has moved cash: it takes what rounding left over. */
export function saveLast($: Vault, context: Context, id: AccountId, account: Account.Account): void {
  const { cash } = context;
  const before = AccountWord.principal($.accounts.get(id));
  let principal = principalOf(cash, before, account);
  const balancing = before - cash.supplied;
  const rounding = cash.supplied !== 0n && cash.borrowed === 0n && abs(balancing - principal) <= ROUNDING;
  if (rounding && before >= 0n && balancing >= 0n) principal = balancing;
  CashBook.count(cash, before, principal);
  write($, id, account, principal);
}

/** Writes an account's word as it was. */
export function restore($: Vault, context: Context, id: AccountId, word: AccountWord.AccountWord): void {
  const principal = AccountWord.principal(word);
  CashBook.count(context.cash, AccountWord.principal($.accounts.get(id)), principal);
  write($, id, Account.toAccount(word, 0n), principal);
}

function principalOf(cash: Cash, before: bigint, account: Account.Account): bigint {
  const cashWad = Account.cash(account);
  return cashWad === CashBook.valueOf(cash, before) ? before : CashBook.principalOf(cash, cashWad);
}

function write($: Vault, id: AccountId, account: Account.Account, principal: bigint): void {
  const word = AccountWord.toAccountWord(account, principal);
  $.accounts.set(id, word);
  $.emit("AccountChanged", { account: id, word });
}

/** Moves cash (wad) into an account, or out of it when below zero. */
export function addCash($: Vault, context: Context, id: AccountId, amountWad: bigint): void {
  save($, context, id, Account.plusCash(load($, context, id), amountWad));
}

/**
 * Writes an account's amount (raw) of a collateral.
 *
 * @returns the account's word, its bit of the collateral set or cleared; the caller saves it if it differs
 */
export function saveCollateral(
  $: Vault,
  account: AccountId,
  word: Account.Account,
  index: number,
  amount: bigint,
): Account.Account {
  return saveToken($, account, word, $.collateralTokens(index), index, amount);
}

/** The same for who knows the token. */
export function saveToken(
  $: Vault,
  account: AccountId,
  word: Account.Account,
  token: string,
  index: number,
  amount: bigint,
): Account.Account {
  $.collateralOf.set(account, index, amount);
  $.emit("CollateralChanged", { account, token, amount });
  const asset = AssetSet.collateralAsset(index);
  return amount === 0n ? Account.withoutAsset(word, asset) : Account.withAsset(word, asset);
}

/** Refuses an account with more assets than can be liquidated cheaply, or an isolated one with a second position: TooManyAssets. */
export function requireFewAssets(account: AccountId, word: Account.Account): void {
  const most = Account.mode(word) === Account.MODE_ISOLATED ? 1 : MAX_MARKETS_AN_ACCOUNT;
  if (AssetSet.bitCount(Account.marketBits(word)) > most) {
    throw new ContractError("TooManyAssets", { account, maximum: BigInt(most) });
  }
  if (AssetSet.bitCount(Account.collateralBits(word)) > MAX_COLLATERALS_AN_ACCOUNT) {
    throw new ContractError("TooManyAssets", { account, maximum: BigInt(MAX_COLLATERALS_AN_ACCOUNT) });
  }
}

/** Refuses a debt too small to be worth liquidating: DebtBelowMinimum. */
export function requireDebtAboveMinimum(account: AccountId, word: Account.Account, risk: VaultWords.AccountRisk): void {
  const cash = Account.cash(word);
  const minimumWad = VaultWords.minimumDebt(risk);
  if (cash < 0n && abs(cash) < minimumWad) {
    throw new ContractError("DebtBelowMinimum", { account, debtWad: abs(cash), minimumWad });
  }
}

/** The assets whose prices an operation on this account and market needs. */
export function assetsWith(word: Account.Account, market: AssetSet.MarketId): AssetSet.AssetSet {
  return Account.assets(Account.withAsset(word, market));
}
