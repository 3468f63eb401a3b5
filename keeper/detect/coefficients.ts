import * as Funding from "../../sdk/risk/libraries/Funding.js";
import * as Sides from "../../sdk/risk/libraries/Sides.js";
import * as AssetSet from "../../sdk/risk/types/AssetSet.js";
import * as CashWords from "../../sdk/risk/types/CashWords.js";
import * as MarketWords from "../../sdk/risk/types/MarketWords.js";
import * as Price from "../../sdk/risk/types/Price.js";
import type { Context, Vault } from "../../sdk/risk/types/VaultStorage.js";
import * as VaultWords from "../../sdk/risk/types/VaultWords.js";
import { type RowKey, cashKey, collateralKey, keyCount, mostRows, positionKey } from "./rows.js";

/**
 * How far below its margin an account is counted, of gross notional: of all that is added up for it, each without its sign.
 *
 * Floats make less of an error. With u = 2^-53, an amount is off by 4u, a coefficient by 9u at most (up to five exact numbers, each
 * rounded, and their products), row times coefficient by 2u more, and each of 28 sums by u of what is added up so far: 43u of gross
 * notional. Debt margin counts the error of net cash again, at most once (it is 50% at most): 86u < 1e-14.
 */
export const relativeBand = 1e-12;

/**
 * The contracts round each row to wei some times, in the account's disfavour, and size up, which the price multiplies. Lambda times a size
 * of fewer than 1e12 wei is less than the market's depth, and with more the band of gross notional covers what it adds.
 */
const roundingsARow = 8;

/** What rows are worth and require at one time, at one set of prices. Amounts are wads, as floats. */
export interface Coefficients {
  /**
   * Four a key: what one of a row is worth for net cash, what it requires (collateral counts as requirement below zero), zero, and what
   * its square requires. The requirement includes the band.
   */
  readonly ofKeys: Float64Array;
  /** What every account requires: the keeper floor, and the band of what is rounded to wei. */
  readonly requirement: number;
  /** Requirement of one of net debt. */
  readonly debtMargin: number;
}

/**
 * The coefficients of maintenance margin, for accounts with a position or a debt, at the time of the transaction and its last prices.
 * @param health what equity is held against: so many times the requirement
 */
export function coefficientsAt($: Vault, context: Context, health = 1): Coefficients {
  const { cash, oracle } = context;
  const ofKeys = new Float64Array(4 * keyCount);
  const put = (key: RowKey, worth: number, requirement: number, gross: number, ofSquare = 0) => {
    ofKeys.set([worth, requirement + relativeBand * gross, 0, ofSquare * (1 + relativeBand)], 4 * key);
  };
  const prices = oracle.lastPrices(assetsOf($)).map(Price.value);

  for (let id = 0; id < $.marketCount; ++id) {
    const market = $.markets(id);
    const { risk, state } = market;
    const priceWad = prices[id] ?? 0n;
    const [index] = Funding.accrued(state, risk, priceWad, $.now);
    const isTouched = MarketWords.has(state, MarketWords.SIDES_TOUCHED);
    const sides = isTouched ? Sides.read(market, index) : [Sides.untouched(1n, index), Sides.untouched(-1n, index)];
    for (const [i, side] of sides.entries()) {
      const worth = Number(Sides.sharePriceFloor(side, i === 0 ? 1n : -1n, priceWad * RAY_PER_WAD)) / RAY;
      const scale = Number(side.scaleRay) / RAY;
      const notional = (scale * Number(priceWad)) / WAD;
      const requirement = (health * notional * Number(MarketWords.maintenanceBase(risk))) / WAD;
      const depth = 2 * Number(MarketWords.skewScale(risk));
      const tier = (health * notional * scale * Number(MarketWords.lambdaMaintenance(risk))) / WAD / depth;
      put(positionKey(id, i === 0), worth, requirement, notional + Math.abs(worth) + requirement, tier);
    }
  }
  for (let index = 0; index < $.collateralCount; ++index) {
    const collateral = $.collaterals.get(index);
    const one = 10 ** Number(VaultWords.decimals(collateral));
    const weight = Number(VaultWords.maintenanceWeight(collateral)) / WAD;
    const counted = (Number(prices[$.marketCount + index] ?? 0n) / one) * weight;
    put(collateralKey(index), 0, -counted, counted);
  }
  const supplied = Number(cash.supplyIndex) / INDEX_ONE;
  const owed = Number(cash.borrowIndex) / INDEX_ONE;
  put(cashKey.supplied, supplied, 0, supplied);
  put(cashKey.owed, -owed, 0, owed);
  put(cashKey.paid, -1, 0, 1);
  put(cashKey.received, 1, 0, 1);

  const floorWad = Number(VaultWords.keeperFloor($.accountRisk));
  const highest = prices.reduce((most, price) => Math.max(most, Number(price) / WAD), 1);
  return {
    ofKeys,
    requirement: health * floorWad * (1 + relativeBand) + Math.max(1, health) * mostRows * roundingsARow * highest,
    debtMargin: (health * Number(VaultWords.debtMargin($.accountRisk))) / WAD,
  };
}

const WAD = 1e18;
const RAY = 1e27;
const RAY_PER_WAD = 10n ** 9n;
const INDEX_ONE = Number(CashWords.INDEX_ONE);

/** All that is listed. */
function assetsOf($: Vault): AssetSet.AssetSet {
  const markets = (1n << BigInt($.marketCount)) - 1n;
  const collaterals = (1n << BigInt($.collateralCount)) - 1n;
  return (markets | (collaterals << BigInt(AssetSet.MAX_MARKETS))) as AssetSet.AssetSet;
}
