/** Twin of contracts/libraries/Margin.sol. Equity is rounded down, requirements up. */
import type { AccountId } from "../../accounts.js";
import { ContractError } from "../ContractError.js";
import { at } from "../checked.js";
import * as Account from "../types/Account.js";
import * as AssetSet from "../types/AssetSet.js";
import * as MarketWords from "../types/MarketWords.js";
import * as Position from "../types/Position.js";
import * as Price from "../types/Price.js";
import type { Context, Market, Vault } from "../types/VaultStorage.js";
import * as VaultWords from "../types/VaultWords.js";
import { RAY, WAD, abs, divFloor, divUp, mulDivDown, mulDivUp } from "./FixedPoint.js";
import * as Funding from "./Funding.js";
import * as Prices from "./Prices.js";
import * as Sides from "./Sides.js";

/** An account's margin. All amounts wad, in quote units. */
export interface Health {
  /** Equity that counts for maintenance: cash, weighted collateral, unrealised profit and loss. Rounded down. */
  equityMaintenanceWad: bigint;
  /** Below this equity the account is liquidatable. Rounded up. */
  requirementMaintenanceWad: bigint;
  /** The same for initial margin, where gains and collateral count less. */
  equityInitialWad: bigint;
  /** Opening, increasing and withdrawing must leave the initial equity at or above this. */
  requirementInitialWad: bigint;
  /** Cash plus unrealised profit and loss: the debt, if below zero, were everything settled. */
  netCashWad: bigint;
  /** Maintenance equity over requirement, rounded down; the largest uint256 without requirement, zero when equity is below zero. */
  healthWad: bigint;
  /** False when the price of a market of the account is not fresh: nothing that increases risk is allowed. */
  pricesFresh: boolean;
}

/** What an account's assets add to its margin; cash comes last, in `total`. Wad. */
export interface Sums {
  equityMaintenance: bigint;
  equityInitial: bigint;
  /** Unrealised profit and loss at full weight. */
  unrealized: bigint;
  requirementMaintenance: bigint;
  requirementInitial: bigint;
  hasPosition: boolean;
  marketsFresh: boolean;
}

export function emptySums(): Sums {
  return {
    equityMaintenance: 0n,
    equityInitial: 0n,
    unrealized: 0n,
    requirementMaintenance: 0n,
    requirementInitial: 0n,
    hasPosition: false,
    marketsFresh: false,
  };
}

/** `except` for sums over all markets. */
export const NO_ASSET = -1;

const MAX_UINT256 = (1n << 256n) - 1n;

/**
 * The sums over an account's collaterals and positions.
 *
 * @param prices last prices of the assets in `priced`, which must contain the account's
 * @param fullGains of the pool: its gains count in full for initial margin
 * @param except a market's asset, whose position the caller adds as it was or as it will be; or NO_ASSET
 */
export function collect(
  $: Vault,
  account: AccountId,
  word: Account.Account,
  priced: AssetSet.AssetSet,
  prices: readonly Price.Price[],
  fullGains: boolean,
  except: number,
): Sums {
  const sums = emptySums();
  sums.marketsFresh = true;
  let held = Account.marketBits(word);
  let next = 0;
  let bits = AssetSet.markets(priced);
  for (let id = 0; bits !== 0n; ++id, bits >>= 1n, held >>= 1n) {
    if ((bits & 1n) === 0n) continue;
    if ((held & 1n) === 1n && id !== except) addPosition($, sums, account, id, at(prices, next), fullGains);
    ++next;
  }
  bits = AssetSet.collaterals(priced);
  held = Account.collateralBits(word);
  for (let i = 0; bits !== 0n; ++i, bits >>= 1n, held >>= 1n) {
    if ((bits & 1n) === 0n) continue;
    if ((held & 1n) === 1n) {
      addCollateral(sums, $.collaterals.get(i), $.collateralOf.get(account, i), at(prices, next));
    }
    ++next;
  }
  return sums;
}

/** The sums over all that an account has, at the last prices. The pool's gains count in full. */
export function collectAll($: Vault, context: Context, account: AccountId, word: Account.Account): Sums {
  const assets = Account.assets(word);
  const prices = Prices.all(context.oracle, assets);
  return collect($, account, word, assets, prices, account === context.pool, NO_ASSET);
}

function addPosition(
  $: Vault,
  sums: Sums,
  account: AccountId,
  id: AssetSet.MarketId,
  price: Price.Price,
  fullGains: boolean,
): void {
  const market = $.markets(id);
  const position = $.positions.get(account, id);
  const { risk, state } = market;
  const [index] = Funding.accrued(state, risk, Price.value(price), $.now);
  let sharesWad = Position.shares(position);
  let costWad = Position.cost(position);
  let side: Sides.Side;
  if (MarketWords.has(state, MarketWords.SIDES_TOUCHED)) {
    [sharesWad, costWad] = Sides.converted(market, position);
    const [long, short] = Sides.read(market, index);
    side = sharesWad < 0n ? short : long;
  } else {
    side = Sides.untouched(sharesWad < 0n ? -1n : 1n, index);
  }
  addLeg(sums, side, sharesWad, costWad, risk, initialBase(market, risk, index), price, fullGains);
}

function initialBase(market: Market, risk: MarketWords.MarketRisk, index: bigint): bigint {
  if (MarketWords.openInterestSlope(risk) === 0n) return MarketWords.initialBase(risk);
  return initialBaseUp(risk, Sides.openInterest(market, index));
}

/**
 * min(1, initial base + slope * open interest / skewScale), wad, rounded up.
 *
 * @param openInterestWad size of the market's larger side, the pool included
 */
export function initialBaseUp(risk: MarketWords.MarketRisk, openInterestWad: bigint): bigint {
  const slope = MarketWords.openInterestSlope(risk);
  const raised = MarketWords.initialBase(risk) + mulDivUp(slope, openInterestWad, MarketWords.skewScale(risk));
  return raised < WAD ? raised : WAD;
}

/** A copy that can be added to while the original stays. */
export function copy(sums: Sums): Sums {
  return { ...sums };
}

/** Turns a leg into the rest of the sums that it was added to. Whether any position is left the caller says. */
export function toRest(leg: Sums, sums: Sums): void {
  leg.equityMaintenance = sums.equityMaintenance - leg.equityMaintenance;
  leg.equityInitial = sums.equityInitial - leg.equityInitial;
  leg.unrealized = sums.unrealized - leg.unrealized;
  leg.requirementMaintenance = sums.requirementMaintenance - leg.requirementMaintenance;
  leg.requirementInitial = sums.requirementInitial - leg.requirementInitial;
  leg.hasPosition = false;
  leg.marketsFresh = sums.marketsFresh;
}

/** Adds other sums. */
export function plus(sums: Sums, others: Sums): void {
  sums.equityMaintenance += others.equityMaintenance;
  sums.equityInitial += others.equityInitial;
  sums.unrealized += others.unrealized;
  sums.requirementMaintenance += others.requirementMaintenance;
  sums.requirementInitial += others.requirementInitial;
  sums.hasPosition = sums.hasPosition || others.hasPosition;
}

/**
 * Adds one position given its side as it stands now.
 *
 * @param initialBaseWad the market's, as open interest has raised it
 */
export function addLeg(
  sums: Sums,
  side: Sides.Side,
  sharesWad: bigint,
  costWad: bigint,
  risk: MarketWords.MarketRisk,
  initialBaseWad: bigint,
  price: Price.Price,
  fullGains: boolean,
): void {
  const value = valueFloor(side, sharesWad, costWad, Price.value(price));
  sums.unrealized += value;
  sums.equityMaintenance += value;
  sums.equityInitial += value > 0n && !fullGains ? (value * MarketWords.profitWeight(risk)) / WAD : value;
  if (sharesWad === 0n) {
    if (!fullGains) sums.hasPosition = true;
    return;
  }
  if (!Price.isFresh(price)) sums.marketsFresh = false;
  sums.hasPosition = true;
  const size = Sides.sizeUp(side, abs(sharesWad));
  const notional = divUp(size * Price.value(price), WAD);
  const depth = 2n * MarketWords.skewScale(risk);
  sums.requirementMaintenance += legRequirementUp(
    notional,
    size,
    MarketWords.maintenanceBase(risk),
    MarketWords.lambdaMaintenance(risk),
    depth,
  );
  sums.requirementInitial += legRequirementUp(notional, size, initialBaseWad, MarketWords.lambdaInitial(risk), depth);
}

/** n * (base + lambda * |size| / depth), wad, rounded up; depth = 2 * skewScale. */
export function legRequirementUp(
  notionalWad: bigint,
  sizeWad: bigint,
  baseWad: bigint,
  lambdaWad: bigint,
  depthWad: bigint,
): bigint {
  return divUp(notionalWad * (baseWad + divUp(lambdaWad * sizeWad, depthWad)), WAD);
}

/** Unrealised profit and loss of a position (wad): floor(shares * share price) - cost. */
export function valueFloor(side: Sides.Side, sharesWad: bigint, costWad: bigint, priceWad: bigint): bigint {
  const sign = sharesWad < 0n ? -1n : 1n;
  const sharePrice = Sides.sharePriceFloor(side, sign, priceWad * (RAY / WAD));
  return divFloor(abs(sharesWad) * sharePrice, RAY) - costWad;
}

function addCollateral(sums: Sums, collateral: VaultWords.Collateral, amount: bigint, price: Price.Price): void {
  const value = collateralValueDown(collateral, amount, price);
  sums.equityMaintenance += weightedDown(collateral, amount, price);
  if (Price.isFresh(price)) sums.equityInitial += (value * initialWeightDown(collateral)) / WAD;
}

function initialWeightDown(collateral: VaultWords.Collateral): bigint {
  const weight = VaultWords.initialWeight(collateral);
  if (VaultWords.concentrationStart(collateral) === WAD) return weight;
  const start = (VaultWords.depositCap(collateral) * VaultWords.concentrationStart(collateral)) / WAD;
  const held = VaultWords.held(collateral);
  return held > start ? (weight * start) / held : weight;
}

/** Value (wad) of an amount (raw) of a collateral at its last price, before weights. */
export function collateralValueDown(collateral: VaultWords.Collateral, amount: bigint, price: Price.Price): bigint {
  return (amount * Price.value(price)) / 10n ** VaultWords.decimals(collateral);
}

/** What an amount (raw) of a collateral counts for at maintenance, wad. */
export function weightedDown(collateral: VaultWords.Collateral, amount: bigint, price: Price.Price): bigint {
  return (collateralValueDown(collateral, amount, price) * VaultWords.maintenanceWeight(collateral)) / WAD;
}

/** The account's margin: the sums, and its cash (wad). */
export function total(sums: Sums, cashWad: bigint, risk: VaultWords.AccountRisk): Health {
  const equityMaintenanceWad = sums.equityMaintenance + cashWad;
  const equityInitialWad = sums.equityInitial + cashWad;
  const netCashWad = sums.unrealized + cashWad;
  const general = generalRequirement(netCashWad, sums.hasPosition || cashWad < 0n, risk);
  const requirementMaintenanceWad = sums.requirementMaintenance + general;
  const requirementInitialWad = sums.requirementInitial + general;
  return {
    equityMaintenanceWad,
    requirementMaintenanceWad,
    equityInitialWad,
    requirementInitialWad,
    netCashWad,
    healthWad: ratioDown(equityMaintenanceWad, requirementMaintenanceWad),
    pricesFresh: sums.marketsFresh,
  };
}

/** The part of the requirement (wad) that belongs to no position: debt margin and keeper floor. */
export function generalRequirement(netCashWad: bigint, positionOrDebt: boolean, risk: VaultWords.AccountRisk): bigint {
  let required = 0n;
  if (netCashWad < 0n) required = mulDivUp(abs(netCashWad), VaultWords.debtMargin(risk), WAD);
  if (positionOrDebt) required += VaultWords.keeperFloor(risk);
  return required;
}

/** Equity over requirement, wad, rounded down: without requirement the largest uint256, zero when equity is below zero. */
export function ratioDown(equityWad: bigint, requirementWad: bigint): bigint {
  if (requirementWad === 0n) return MAX_UINT256;
  return equityWad < 0n ? 0n : mulDivDown(equityWad, WAD, requirementWad);
}

/** Whether anyone may liquidate: maintenance equity below the requirement. */
export function isLiquidatable(health: Health): boolean {
  return health.equityMaintenanceWad < health.requirementMaintenanceWad;
}

/** Refuses what increases risk where a market's price is stale, or initial equity does not cover the requirement: StalePrices, InsufficientMargin. */
export function requireInitialMargin(health: Health, account: AccountId): void {
  if (!health.pricesFresh) throw new ContractError("StalePrices", { account });
  if (!hasInitialMargin(health)) {
    throw new ContractError("InsufficientMargin", {
      account,
      equityWad: health.equityInitialWad,
      requiredWad: health.requirementInitialWad,
    });
  }
}

/** The same of an account's sums and its cash (wad), without the figures that nothing here asks for. */
export function requireCovered(sums: Sums, cashWad: bigint, risk: VaultWords.AccountRisk, account: AccountId): void {
  if (!sums.marketsFresh) throw new ContractError("StalePrices", { account });
  const equityWad = sums.equityInitial + cashWad;
  const general = generalRequirement(sums.unrealized + cashWad, sums.hasPosition || cashWad < 0n, risk);
  const requiredWad = sums.requirementInitial + general;
  if (equityWad < requiredWad) throw new ContractError("InsufficientMargin", { account, equityWad, requiredWad });
}

/** Whether initial equity covers the initial requirement. */
export function hasInitialMargin(health: Health): boolean {
  return health.equityInitialWad >= health.requirementInitialWad;
}
