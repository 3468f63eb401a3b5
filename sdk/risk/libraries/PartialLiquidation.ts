/** Twin of contracts/libraries/PartialLiquidation.sol. */
import type { AccountId } from "../../accounts.js";
import { ContractError } from "../ContractError.js";
import * as Account from "../types/Account.js";
import { accountIdOf } from "../types/AccountId.js";
import * as AssetSet from "../types/AssetSet.js";
import * as MarketWords from "../types/MarketWords.js";
import * as Position from "../types/Position.js";
import * as Price from "../types/Price.js";
import type { Context, Vault } from "../types/VaultStorage.js";
import * as VaultWords from "../types/VaultWords.js";
import * as CashBook from "./CashBook.js";
import * as Deals from "./Deals.js";
import * as Fill from "./Fill.js";
import { WAD, abs, min, mulDivCeil, mulDivDown, mulDivUp, opposes, sub } from "./FixedPoint.js";
import * as Ledger from "./Ledger.js";
import * as Liquidation from "./Liquidation.js";
import * as Margin from "./Margin.js";
import * as Prices from "./Prices.js";
import * as Targets from "./Targets.js";

/** Why a leg cannot be liquidated now; twin of the interface's enum. */
export const Refusal = {
  None: 0,
  NoPosition: 1,
  PriceStale: 2,
  DiscountTooSmall: 3,
  ImpactTooLarge: 4,
  PoolMargin: 5,
  RemainderBelowMinimum: 6,
  SequencerGrace: 7,
} as const;
export type Refusal = (typeof Refusal)[keyof typeof Refusal];

/** What a liquidation of a leg would do now. */
export interface LiquidationPreview {
  refusal: Refusal;
  sizeDeltaWad: bigint;
  fillPriceWad: bigint;
  feeWad: bigint;
  rewardWad: bigint;
}

/** One leg's liquidation worked out in memory: nothing is stored yet. Wad. */
export interface ForcedTrade {
  refusal: Refusal;
  deal: Deals.Deal;
  sizeDelta: bigint;
  fillPrice: bigint;
  fee: bigint;
  /** Into the pool only: what it does to |skew|. */
  growsSkew: boolean;
  /** What the keeper has of the fee, or the taker: its discount. */
  reward: bigint;
  toInsurance: bigint;
  /** Whether the taker is an account without a position on the other side. */
  handedOver: boolean;
  parcel: Deals.Parcel;
  healthAfter: bigint;
}

const MAX_SIZE = (1n << 256n) - 1n;

function emptyForcedTrade(): ForcedTrade {
  return {
    refusal: Refusal.None,
    deal: Deals.emptyDeal(),
    sizeDelta: 0n,
    fillPrice: 0n,
    fee: 0n,
    growsSkew: false,
    reward: 0n,
    toInsurance: 0n,
    handedOver: false,
    parcel: Deals.emptyParcel(),
    healthAfter: 0n,
  };
}

/**
 * Closes as much of one position as brings health to its target.
 * @param maxSizeWad unsigned
 * @param taker the pool's account, or one that the caller may act for: the vault has checked that
 * @throws ContractError ZeroAmount, RewardToTarget, NotATarget, AccountHealthy, SequencerGrace, LegRefused, HealthNotRaised; for a taker
 *   that is an account besides UnsettledResult, GrowthLimit, PositionBelowMinimum, TooManyAssets, DebtBelowMinimum, StalePrices,
 *   InsufficientMargin
 */
export function liquidatePosition(
  $: Vault,
  context: Context,
  account: AccountId,
  market: AssetSet.MarketId,
  maxSizeWad: bigint,
  taker: AccountId,
): void {
  if (maxSizeWad === 0n) throw new ContractError("ZeroAmount");
  const intoPool = taker === context.pool;
  const rewarded = intoPool ? accountIdOf($.sender, 0n) : taker;
  if (rewarded === account) throw new ContractError("RewardToTarget", { account });

  const target = Targets.read($, context, account, besides($, context, market, taker));
  Targets.requireLiquidatable(target);
  Targets.requireNoGrace(target);
  const forced = force($, context, target, market, maxSizeWad, taker);
  askPool($, context, forced);
  const healthBefore = target.health.healthWad;
  if (forced.refusal !== Refusal.None) {
    throw new ContractError("LegRefused", { account, market: BigInt(market), refusal: BigInt(forced.refusal) });
  }
  if (forced.healthAfter <= healthBefore) {
    throw new ContractError("HealthNotRaised", {
      account,
      healthBeforeWad: healthBefore,
      healthAfterWad: forced.healthAfter,
    });
  }

  if (intoPool) {
    Deals.store($, context, forced.deal);
    Ledger.save($, context, account, forced.deal.accountWord);
    if (forced.reward !== 0n) Ledger.addCash($, context, rewarded, forced.reward);
    Deals.savePool($, context, forced.deal);
  } else {
    give($, context, target, forced, taker);
  }
  CashBook.save($, context);
  $.emit("PositionLiquidated", {
    account,
    market: BigInt(market),
    taker,
    liquidator: $.sender,
    sizeDeltaWad: forced.sizeDelta,
    fillPriceWad: forced.fillPrice,
    feeWad: forced.fee,
    rewardWad: forced.reward,
    healthBeforeWad: healthBefore,
    healthAfterWad: forced.healthAfter,
  });
}

/**
 * What liquidatePosition would do now, or why it would not.
 * @throws ContractError NotATarget, AccountHealthy
 */
export function previewLiquidation(
  $: Vault,
  context: Context,
  account: AccountId,
  market: AssetSet.MarketId,
  maxSizeWad: bigint,
  taker: AccountId,
): LiquidationPreview {
  const target = Targets.read($, context, account, besides($, context, market, taker));
  Targets.requireLiquidatable(target);
  let forced = emptyForcedTrade();
  if (Targets.inGrace(target)) {
    forced.refusal = Refusal.SequencerGrace;
  } else {
    forced = force($, context, target, market, maxSizeWad, taker);
    askPool($, context, forced);
  }
  return {
    refusal: forced.refusal,
    sizeDeltaWad: forced.sizeDelta,
    fillPriceWad: forced.fillPrice,
    feeWad: forced.fee,
    rewardWad: forced.reward,
  };
}

/** Whether the pool serves an account that is liquidatable: it accepts one of its positions, or one waits for its price. */
export function serves($: Vault, context: Context, target: Targets.Target): boolean {
  let sums: Margin.Sums | undefined;
  for (let bits = Account.marketBits(target.word); bits !== 0n; bits &= bits - 1n) {
    const market = AssetSet.lowestBit(bits);
    const forced = force($, context, target, market, MAX_SIZE, context.pool);
    if (forced.refusal === Refusal.PriceStale) return true;
    if (forced.refusal !== Refusal.None) continue;
    if (!forced.growsSkew) return true;
    sums ??= poolSums($, context);
    const position = $.positions.get(context.pool, market);
    const others = Margin.emptySums();
    Deals.addPoolLeg(forced.deal, others, Position.shares(position), Position.cost(position));
    Margin.toRest(others, sums);
    if (poolBears($, forced.deal, others)) return true;
  }
  return false;
}

/** The sums of the pool's assets, at the last good prices. */
export function poolSums($: Vault, context: Context): Margin.Sums {
  return poolSumsWithout($, context, Margin.NO_ASSET);
}

// ------------------------------------------------------------------ in memory

function besides($: Vault, context: Context, market: AssetSet.MarketId, taker: AccountId): AssetSet.AssetSet {
  if (taker === context.pool) return 0n as AssetSet.AssetSet;
  return Ledger.assetsWith(Ledger.load($, context, taker), market);
}

function force(
  $: Vault,
  context: Context,
  target: Targets.Target,
  market: AssetSet.MarketId,
  maxSizeWad: bigint,
  taker: AccountId,
): ForcedTrade {
  const forced = emptyForcedTrade();
  const asset = AssetSet.marketAsset(market);
  if (!AssetSet.contains(Account.assets(target.word), asset)) {
    forced.refusal = Refusal.NoPosition;
    return forced;
  }
  const price = Targets.priceOf(target, asset);
  const { deal } = forced;
  const poolWord = Ledger.load($, context, context.pool);
  Deals.load(deal, $, context, target.account, target.word, poolWord, market, price);
  if (Deals.size(deal) === 0n) {
    forced.refusal = Refusal.NoPosition;
    return forced;
  }
  if (!Price.isUsable(price)) {
    forced.refusal = Refusal.PriceStale;
    return forced;
  }

  const intoPool = taker === context.pool;
  const others = Deals.takeFrom(deal, target.sums);
  const positions = Account.marketBits(target.word);
  others.hasPosition = (positions & (positions - 1n)) !== 0n;

  const skew = Fill.skewOf(deal.book, deal.venue);
  const [refusal, sizeDelta, feeRate] = sizeAndFee($, target, deal, others, skew, maxSizeWad, intoPool);
  forced.refusal = refusal;
  forced.sizeDelta = sizeDelta;
  if (forced.refusal !== Refusal.None) return forced;

  forced.fee = mulDivUp(mulDivUp(abs(forced.sizeDelta), Price.value(price), WAD), feeRate, WAD);
  forced.toInsurance = mulDivDown(forced.fee, VaultWords.insuranceShare(target.risk), WAD);
  if (intoPool) {
    Deals.settle(deal);
    [forced.fillPrice] = Deals.fill(deal, forced.sizeDelta, 0n);
    forced.reward = mulDivDown(forced.fee, VaultWords.keeperShare(target.risk), WAD);
    Deals.chargeForcedFee(deal, forced.fee, forced.reward, forced.toInsurance);
    forced.growsSkew = abs(Fill.skewOf(deal.book, deal.venue)) >= abs(skew);
  } else {
    forced.fillPrice = Price.value(price);
    forced.reward = sub(forced.fee, forced.toInsurance);
    forced.handedOver = !opposes(Position.shares($.positions.get(taker, market)), Deals.size(deal));
    if (forced.handedOver) forced.parcel = Deals.handOut(deal, abs(forced.sizeDelta));
    else Deals.cross(deal, forced.sizeDelta);
    Deals.addCash(deal, -forced.fee);
  }
  Deals.addTo(deal, others);
  forced.healthAfter = Margin.total(others, Account.cash(deal.accountWord), target.risk).healthWad;
  return forced;
}

function sizeAndFee(
  $: Vault,
  target: Targets.Target,
  deal: Deals.Deal,
  others: Margin.Sums,
  skew: bigint,
  maxSizeWad: bigint,
  intoPool: boolean,
): [refusal: Refusal, sizeDelta: bigint, feeRate: bigint] {
  const price = Price.value(deal.price);
  const size = Deals.size(deal);
  const whole = abs(size);
  const base = MarketWords.maintenanceBase(deal.risk);
  const rho = VaultWords.debtMargin(target.risk);
  const { discount } = $.markets(deal.market);
  let feeRate = Liquidation.discountDown(target.health.healthWad, discount, base, rho);
  const leastRate = MarketWords.takerRate(deal.terms) + Price.tolerance(deal.price);
  if (feeRate < min(leastRate, MarketWords.discountBase(discount))) return [Refusal.DiscountTooSmall, 0n, 0n];

  const leg = Liquidation.emptyForcedLeg();
  leg.atPrice = !intoPool;
  leg.notional = mulDivDown(whole, price, WAD);
  leg.base = base;
  leg.lambda = MarketWords.lambdaMaintenance(deal.risk);
  leg.depth = mulDivDown(2n * deal.venue.skewScaleWad, price, WAD);
  leg.gradient = mulDivCeil(size > 0n ? -skew : skew, WAD, deal.venue.skewScaleWad);
  leg.equity = target.health.equityMaintenanceWad;
  leg.netCash = target.health.netCashWad;
  leg.otherRequirement = others.requirementMaintenance + VaultWords.keeperFloor(target.risk);
  leg.debtMargin = rho;
  leg.target = VaultWords.targetHealth(target.risk);
  const bound = Liquidation.costBound(target.health.healthWad, base, rho);

  let closed = closedUp(leg, feeRate, whole, maxSizeWad, price);
  let affordable = bound - Liquidation.impactUp(leg, mulDivUp(closed, price, WAD));
  if (affordable < 0n) return [Refusal.ImpactTooLarge, 0n, 0n];
  if (affordable < feeRate) {
    feeRate = affordable;
    closed = closedUp(leg, feeRate, whole, maxSizeWad, price);
  }
  if (closed !== whole && whole - closed < MarketWords.minimumSize(deal.terms)) {
    if (maxSizeWad < whole) return [Refusal.RemainderBelowMinimum, 0n, 0n];
    closed = whole;
    affordable = bound - Liquidation.impactUp(leg, mulDivUp(closed, price, WAD));
    if (affordable < 0n) return [Refusal.ImpactTooLarge, 0n, 0n];
    feeRate = min(feeRate, affordable);
  }
  return [Refusal.None, size > 0n ? -closed : closed, feeRate];
}

function closedUp(
  leg: Liquidation.ForcedLeg,
  feeRate: bigint,
  sizeWad: bigint,
  maxSizeWad: bigint,
  priceWad: bigint,
): bigint {
  const remainder = mulDivDown(Liquidation.remainderDown(leg, feeRate), WAD, priceWad);
  const closed = remainder < sizeWad ? sizeWad - remainder : 0n;
  return closed > maxSizeWad ? maxSizeWad : closed;
}

function askPool($: Vault, context: Context, forced: ForcedTrade): void {
  if (!forced.growsSkew) return;
  const others = poolSumsWithout($, context, AssetSet.marketAsset(forced.deal.market));
  if (!poolBears($, forced.deal, others)) forced.refusal = Refusal.PoolMargin;
}

function poolSumsWithout($: Vault, context: Context, except: number): Margin.Sums {
  const word = Ledger.load($, context, context.pool);
  const assets = Account.assets(word);
  const prices = Prices.all(context.oracle, assets);
  return Margin.collect($, context.pool, word, assets, prices, true, except);
}

function poolBears($: Vault, deal: Deals.Deal, others: Margin.Sums): boolean {
  Deals.addPoolTo(deal, others);
  return Margin.hasInitialMargin(Margin.total(others, Account.cash(deal.poolWord), $.accountRisk));
}

// ------------------------------------------------------------------ to an account

function give($: Vault, context: Context, target: Targets.Target, forced: ForcedTrade, taker: AccountId): void {
  const { deal } = forced;
  const takerWord = Ledger.load($, context, taker);
  if (forced.handedOver) Deals.storePosition($, deal);
  else Deals.store($, context, deal);

  const taking = Deals.emptyDeal();
  Deals.load(taking, $, context, taker, takerWord, deal.poolWord, deal.market, deal.price);
  const unsettled = Deals.size(taking) === 0n && Position.shares($.positions.get(taker, deal.market)) !== 0n;
  if (unsettled) throw new ContractError("UnsettledResult", { account: taker, market: BigInt(deal.market) });
  if (forced.handedOver) {
    Deals.takeOver(taking, forced.parcel);
    Deals.storePosition($, taking);
  } else {
    Deals.cross(taking, -forced.sizeDelta);
    Deals.store($, context, taking);
    Ledger.save($, context, context.pool, taking.poolWord);
  }
  Deals.addCash(taking, forced.reward);
  Ledger.save($, context, deal.account, deal.accountWord);
  Ledger.save($, context, taker, taking.accountWord);
  const insurance = Account.plusCash(Ledger.load($, context, context.insurance), forced.toInsurance);
  if (forced.toInsurance !== 0n) Ledger.saveLast($, context, context.insurance, insurance);
  requireTakerSound($, target, taking, takerWord);
}

function requireTakerSound($: Vault, target: Targets.Target, taking: Deals.Deal, wordBefore: Account.Account): void {
  Deals.requireRoom(taking);
  const sizeAfter = abs(Deals.size(taking));
  const minimum = MarketWords.minimumSize(taking.terms);
  if (sizeAfter !== 0n && sizeAfter < minimum) {
    throw new ContractError("PositionBelowMinimum", {
      market: BigInt(taking.market),
      sizeWad: sizeAfter,
      minimumWad: minimum,
    });
  }
  Ledger.requireFewAssets(taking.account, taking.accountWord);
  Ledger.requireDebtAboveMinimum(taking.account, taking.accountWord, target.risk);
  const asset = AssetSet.marketAsset(taking.market);
  const sums = Margin.collect($, taking.account, wordBefore, target.assets, target.prices, false, asset);
  Deals.addTo(taking, sums);
  Margin.requireCovered(sums, Account.cash(taking.accountWord), target.risk, taking.account);
}
