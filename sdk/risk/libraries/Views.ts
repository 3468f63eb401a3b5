/** Twin of contracts/libraries/Views.sol. */
import type { AccountId } from "../../accounts.js";
import * as Account from "../types/Account.js";
import * as AccountWord from "../types/AccountWord.js";
import * as AssetSet from "../types/AssetSet.js";
import * as Position from "../types/Position.js";
import * as Price from "../types/Price.js";
import type { Context, Vault } from "../types/VaultStorage.js";
import * as Deals from "./Deals.js";
import { WAD, abs, mulDivUp } from "./FixedPoint.js";
import * as Ledger from "./Ledger.js";
import * as Margin from "./Margin.js";
import * as Prices from "./Prices.js";

/** A position, decoded, with what has accrued. Sizes wad (below zero: short), amounts wad. */
export interface PositionView {
  sharesWad: bigint;
  costWad: bigint;
  sizeWad: bigint;
  valueWad: bigint;
  notionalWad: bigint;
  epoch: bigint;
  /** As it was stored last: shares of the epoch that its side was in then. */
  storedSharesWad: bigint;
  storedEpoch: bigint;
}

/** The account's margin, at the last good prices, with all that has accrued. */
export function health($: Vault, context: Context, account: AccountId): Margin.Health {
  const word = Ledger.load($, context, account);
  return Margin.total(Margin.collectAll($, context, account, word), Account.cash(word), $.accountRisk);
}

/** The margins of many accounts, in their order, with each price read once. */
export function healths($: Vault, context: Context, accounts: readonly AccountId[]): Margin.Health[] {
  let assets = 0n as AssetSet.AssetSet;
  for (const account of accounts) assets = AssetSet.union(assets, AccountWord.assets($.accounts.get(account)));
  const prices = Prices.all(context.oracle, assets);
  return accounts.map((account) => {
    const word = Ledger.load($, context, account);
    const isPool = account === context.pool;
    const sums = Margin.collect($, account, word, assets, prices, isPool, Margin.NO_ASSET);
    return Margin.total(sums, Account.cash(word), $.accountRisk);
  });
}

/** The account's position, with what has accrued. Value rounded down, notional up. */
export function position($: Vault, context: Context, account: AccountId, market: AssetSet.MarketId): PositionView {
  const price = Prices.one(context.oracle, AssetSet.marketAsset(market));
  const none = 0n as Account.Account;
  const deal = Deals.emptyDeal();
  Deals.load(deal, $, context, account, none, none, market, price);
  const sizeWad = Deals.size(deal);
  const stored = $.positions.get(account, market);
  return {
    sharesWad: deal.book.accountSharesWad,
    costWad: deal.book.accountCostWad,
    sizeWad,
    valueWad: Deals.value(deal),
    notionalWad: mulDivUp(abs(sizeWad), Price.value(price), WAD),
    epoch: Deals.epochOf(deal, deal.book.accountSharesWad),
    storedSharesWad: Position.shares(stored),
    storedEpoch: Position.epoch(stored),
  };
}
