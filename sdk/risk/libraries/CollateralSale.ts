/** Twin of contracts/libraries/CollateralSale.sol. */
import type { AccountId } from "../../accounts.js";
import { ContractError } from "../ContractError.js";
import { at, uint } from "../checked.js";
import * as Account from "../types/Account.js";
import * as AssetSet from "../types/AssetSet.js";
import * as MarketWords from "../types/MarketWords.js";
import * as Price from "../types/Price.js";
import type { Context, Vault } from "../types/VaultStorage.js";
import * as VaultWords from "../types/VaultWords.js";
import * as CashBook from "./CashBook.js";
import { WAD, abs, divUp, max, min, mulDivDown, mulDivUp, sub } from "./FixedPoint.js";
import * as Ledger from "./Ledger.js";
import * as Liquidation from "./Liquidation.js";
import * as Margin from "./Margin.js";
import * as Prices from "./Prices.js";
import * as Targets from "./Targets.js";

/** A collateral that changes hands for cash, inside the vault. */
export interface Sale {
  index: number;
  buyer: AccountId;
  seller: AccountId;
  buyerWord: Account.Account;
  sellerWord: Account.Account;
  /** Of the collateral, raw. */
  amount: bigint;
  /** What the seller has for it, and what insurance has besides; the buyer pays both. Wad. */
  proceeds: bigint;
  toInsurance: bigint;
}

/** Seconds until the pool's discount has risen to its base. */
const RAMP = 3600n;

/**
 * Waterfall, step 1, for a collateral: the taker buys as much as brings health to its target, at most what the debt needs.
 * @param maxAmount raw
 * @param taker an account that the caller may act for: the vault has checked that
 * @throws ContractError ZeroAmount, RewardToTarget, NotATarget, AccountHealthy, SequencerGrace, StaleCollateralPrice, NoCollateral, NoDebt,
 *   NothingToSell, HealthNotRaised; for the taker BorrowingHalted, TooManyAssets, DebtBelowMinimum, StalePrices, InsufficientMargin
 */
export function liquidateCollateral(
  $: Vault,
  context: Context,
  account: AccountId,
  index: number,
  maxAmount: bigint,
  taker: AccountId,
): void {
  if (maxAmount === 0n) throw new ContractError("ZeroAmount");
  if (taker === account) throw new ContractError("RewardToTarget", { account });
  const takerWord = Ledger.load($, context, taker);
  const asset = AssetSet.collateralAsset(index);
  const besides = AssetSet.union(Account.assets(takerWord), AssetSet.onlyAsset(asset));
  const target = Targets.read($, context, account, besides);
  Targets.requireLiquidatable(target);
  Targets.requireNoGrace(target);
  const price = Targets.priceOf(target, asset);
  requireGood($, index, price, Price.isUsable(price));

  const sale: Sale = {
    index,
    buyer: taker,
    seller: account,
    buyerWord: takerWord,
    sellerWord: target.word,
    amount: 0n,
    proceeds: 0n,
    toInsurance: 0n,
  };
  const token = $.collateralTokens(index);
  const discount = Liquidation.offeredDown(target.health.healthWad, $.collateralDiscounts.get(index));
  sale.amount = amountDown($, target, index, price, discount, maxAmount);
  if (sale.amount === 0n) throw new ContractError("NothingToSell", { account, token });
  const value = Margin.collateralValueDown($.collaterals.get(index), sale.amount, price);
  const discountWad = mulDivUp(value, discount, WAD);
  sale.proceeds = sub(value, discountWad);
  sale.toInsurance = mulDivDown(discountWad, VaultWords.insuranceShare(target.risk), WAD);

  const healthAfterWad = healthAfter($, target, sale, price);
  const healthBeforeWad = target.health.healthWad;
  if (healthAfterWad <= healthBeforeWad) {
    throw new ContractError("HealthNotRaised", { account, healthBeforeWad, healthAfterWad });
  }
  exchange($, context, sale);
  if (sale.toInsurance !== 0n) Ledger.addCash($, context, context.insurance, sale.toInsurance);
  const taken = Margin.total(
    Margin.collect($, taker, sale.buyerWord, target.assets, target.prices, false, Margin.NO_ASSET),
    Account.cash(sale.buyerWord),
    target.risk,
  );
  requireBuyerSound($, sale, taken, target.risk);
  CashBook.save($, context);
  $.emit("CollateralLiquidated", {
    account,
    token,
    taker,
    liquidator: $.sender,
    amount: sale.amount,
    proceedsWad: sale.proceeds,
    insuranceWad: sale.toInsurance,
    healthBeforeWad,
    healthAfterWad,
  });
}

/**
 * Sells absorbed collateral of the pool at what previewBuyCollateral tells.
 * @param buyer an account that the caller may act for: the vault has checked that
 * @param amount raw
 * @throws ContractError ZeroAmount, StaleCollateralPrice, InsufficientBalance, CostAboveLimit, BorrowingHalted, TooManyAssets,
 *   DebtBelowMinimum, StalePrices, InsufficientMargin
 */
export function buyCollateral(
  $: Vault,
  context: Context,
  buyer: AccountId,
  index: number,
  amount: bigint,
  maxCostWad: bigint,
): void {
  if (amount === 0n) throw new ContractError("ZeroAmount");
  const buyerWord = Ledger.load($, context, buyer);
  const asset = AssetSet.collateralAsset(index);
  const assets = AssetSet.union(Account.assets(buyerWord), AssetSet.onlyAsset(asset));
  const prices = Prices.all(context.oracle, assets);
  const price = requireFresh($, index, at(prices, AssetSet.rank(assets, asset)));

  const sale: Sale = {
    index,
    buyer,
    seller: context.pool,
    buyerWord,
    sellerWord: Ledger.load($, context, context.pool),
    amount,
    proceeds: 0n,
    toInsurance: 0n,
  };
  const balance = $.collateralOf.get(context.pool, index);
  const token = $.collateralTokens(index);
  if (amount > balance) {
    throw new ContractError("InsufficientBalance", { account: context.pool, token, asked: amount, balance });
  }
  sale.proceeds = costUp($, index, amount, price);
  if (sale.proceeds > maxCostWad) throw new ContractError("CostAboveLimit", { costWad: sale.proceeds, maxCostWad });

  exchange($, context, sale);
  const sums = Margin.collect($, buyer, sale.buyerWord, assets, prices, false, Margin.NO_ASSET);
  const risk = $.accountRisk;
  requireBuyerSound($, sale, Margin.total(sums, Account.cash(sale.buyerWord), risk), risk);
  CashBook.save($, context);
  $.emit("PoolCollateralSold", { buyer, token, amount, costWad: sale.proceeds });
}

/**
 * What the pool asks for an amount (raw) at the last price: wad, rounded up.
 * @throws ContractError StaleCollateralPrice
 */
export function previewBuyCollateral($: Vault, context: Context, index: number, amount: bigint): bigint {
  const prices = Prices.all(context.oracle, AssetSet.onlyAsset(AssetSet.collateralAsset(index)));
  return costUp($, index, amount, requireFresh($, index, at(prices, 0)));
}

/**
 * Adds an amount (raw) to what the pool offers for sale: the time since which it does is the mean by amount, rounded up.
 * @returns the amount that the pool then holds, which the caller writes
 */
export function stock($: Vault, context: Context, index: number, amount: bigint): bigint {
  const held = $.collateralOf.get(context.pool, index);
  const since = max($.stockSince.get(index), $.now - RAMP);
  $.stockSince.set(index, divUp(since * held + $.now * amount, held + amount));
  return held + amount;
}

function costUp($: Vault, index: number, amount: bigint, price: Price.Price): bigint {
  const waited = min(sub($.now, $.stockSince.get(index)), RAMP);
  const discount = mulDivDown(MarketWords.discountBase($.collateralDiscounts.get(index)), waited, RAMP);
  const rate = sub(WAD + Price.tolerance(price), discount);
  return mulDivUp(uint(amount * Price.value(price)), rate, WAD * 10n ** VaultWords.decimals($.collaterals.get(index)));
}

// ------------------------------------------------------------------ shared

function amountDown(
  $: Vault,
  target: Targets.Target,
  index: number,
  price: Price.Price,
  discount: bigint,
  maxAmount: bigint,
): bigint {
  const { account, health, risk } = target;
  const collateral = $.collaterals.get(index);
  const balance = $.collateralOf.get(account, index);
  if (balance === 0n) throw new ContractError("NoCollateral", { account, token: $.collateralTokens(index) });
  if (health.netCashWad >= 0n) throw new ContractError("NoDebt", { account, netCashWad: health.netCashWad });

  const goal = VaultWords.targetHealth(risk);
  const wanted = mulDivDown(health.requirementMaintenanceWad, goal, WAD) - health.equityMaintenanceWad;
  const paid = sub(WAD, discount);
  const gain =
    sub(paid, VaultWords.maintenanceWeight(collateral)) +
    mulDivUp(mulDivUp(goal, VaultWords.debtMargin(risk), WAD), paid, WAD);
  let value = mulDivDown(wanted, WAD, gain);
  const debt = abs(health.netCashWad);
  const whole = mulDivDown(debt, WAD, paid);
  if (mulDivDown(value, paid, WAD) + VaultWords.minimumDebt(risk) > debt) value = whole;
  const amount = mulDivDown(value, 10n ** VaultWords.decimals(collateral), Price.value(price));
  return min(min(amount, balance), maxAmount);
}

function healthAfter($: Vault, target: Targets.Target, sale: Sale, price: Price.Price): bigint {
  const collateral = $.collaterals.get(sale.index);
  const balance = $.collateralOf.get(sale.seller, sale.index);
  const sums = Margin.copy(target.sums);
  sums.equityMaintenance -= Margin.weightedDown(collateral, balance, price);
  sums.equityMaintenance += Margin.weightedDown(collateral, balance - sale.amount, price);
  return Margin.total(sums, Account.cash(target.word) + sale.proceeds, target.risk).healthWad;
}

function exchange($: Vault, context: Context, sale: Sale): void {
  const { index } = sale;
  const left = $.collateralOf.get(sale.seller, index) - sale.amount;
  sale.sellerWord = Ledger.saveCollateral($, sale.seller, sale.sellerWord, index, left);
  sale.sellerWord = Account.plusCash(sale.sellerWord, sale.proceeds);
  const more = $.collateralOf.get(sale.buyer, index) + sale.amount;
  sale.buyerWord = Ledger.saveCollateral($, sale.buyer, sale.buyerWord, index, more);
  const pays = sale.proceeds + sale.toInsurance;
  sale.buyerWord = Account.plusCash(sale.buyerWord, -pays);
  Ledger.save($, context, sale.buyer, sale.buyerWord);
  Ledger.saveLast($, context, sale.seller, sale.sellerWord);
}

function requireBuyerSound($: Vault, sale: Sale, health: Margin.Health, risk: VaultWords.AccountRisk): void {
  const cash = Account.cash(sale.buyerWord);
  if (cash < 0n && $.borrowingHalted) {
    throw new ContractError("BorrowingHalted", { account: sale.buyer, debtWad: abs(cash) });
  }
  Ledger.requireFewAssets(sale.buyer, sale.buyerWord);
  Ledger.requireDebtAboveMinimum(sale.buyer, sale.buyerWord, risk);
  if (Account.marketBits(sale.buyerWord) !== 0n || Account.cash(sale.buyerWord) < 0n) {
    Margin.requireInitialMargin(health, sale.buyer);
  }
}

function requireFresh($: Vault, index: number, price: Price.Price): Price.Price {
  requireGood($, index, price, Price.isFresh(price));
  return price;
}

function requireGood($: Vault, index: number, price: Price.Price, isGood: boolean): void {
  if (!isGood) {
    throw new ContractError("StaleCollateralPrice", {
      token: $.collateralTokens(index),
      publishedAt: Price.publishedAt(price),
      maxAge: Price.maxAge(price),
    });
  }
}
