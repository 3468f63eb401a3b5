/** Twin of contracts/libraries/Settlement.sol. */
import type { AccountId } from "../../accounts.js";
import { ContractError } from "../ContractError.js";
import * as Account from "../types/Account.js";
import * as AssetSet from "../types/AssetSet.js";
import * as MarketWords from "../types/MarketWords.js";
import * as Price from "../types/Price.js";
import type { Context, Vault } from "../types/VaultStorage.js";
import * as CashBook from "./CashBook.js";
import * as Deals from "./Deals.js";
import * as Ledger from "./Ledger.js";
import * as Losses from "./Losses.js";
import * as Prices from "./Prices.js";

/** Moves an unrealised loss, or the result of a position of size zero, to the account's cash. Throws NoPosition, StaleMarketPrice. */
export function settle($: Vault, context: Context, account: AccountId, market: AssetSet.MarketId): void {
  const word = Ledger.load($, context, account);
  const asset = AssetSet.marketAsset(market);
  const exists = AssetSet.contains(Account.assets(word), asset) && account !== context.pool;
  if (!exists) throw new ContractError("NoPosition", { account, market: BigInt(market) });
  const price = Prices.one(context.oracle, asset);

  const deal = Deals.emptyDeal();
  Deals.load(deal, $, context, account, word, Ledger.load($, context, context.pool), market, price);
  const isFinal = Deals.size(deal) === 0n;
  if (!Price.isUsable(price) && !isFinal) {
    throw new ContractError("StaleMarketPrice", {
      market: BigInt(market),
      publishedAt: Price.publishedAt(price),
      maxAge: Price.maxAge(price),
    });
  }
  const realizedWad = isFinal ? Deals.finish(deal) : Deals.settle(deal);
  Deals.store($, context, deal);
  Deals.saveWords($, context, deal);
  CashBook.save($, context);
  $.emit("Settled", { account, market: BigInt(market), realizedWad });
}

/** Moves the insurance account's share of a market's fees to its cash. Throws ZeroAmount. */
export function sweepFees($: Vault, context: Context, market: AssetSet.MarketId): void {
  const m = $.markets(market);
  const swept = m.totals;
  const amountWad = MarketWords.feesUnsweptWad(swept);
  if (amountWad === 0n) throw new ContractError("ZeroAmount");
  m.totals = MarketWords.toMarketTotals(MarketWords.longShares(swept), MarketWords.shortShares(swept), 0n);
  Ledger.addCash($, context, context.insurance, amountWad);
  CashBook.save($, context);
  const poolPosition = $.positions.get(context.pool, market);
  $.emit("MarketChanged", { market: BigInt(market), state: m.state, totals: m.totals, poolPosition });
  $.emit("FeesSwept", { market: BigInt(market), amountWad });
}

/** Moves the insurance account's share of interest to its cash. Throws ZeroAmount. */
export function sweepInterest($: Vault, context: Context): void {
  if (Losses.sweepInterest($, context) === 0n) throw new ContractError("ZeroAmount");
}

/** Lets insurance pay bad debt. Throws NothingToCover. */
export function cover($: Vault, context: Context): void {
  Losses.sweepInterest($, context);
  const paidWad = Losses.cover($, context);
  const cash = Account.cash(Ledger.load($, context, context.insurance));
  if (paidWad === 0n) throw new ContractError("NothingToCover", { badDebtWad: $.badDebt, insuranceCashWad: cash });
  CashBook.save($, context);
}
