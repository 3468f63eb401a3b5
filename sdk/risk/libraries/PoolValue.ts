/** Twin of contracts/libraries/PoolValue.sol. */
import { at } from "../checked.js";
import * as Account from "../types/Account.js";
import * as AssetSet from "../types/AssetSet.js";
import * as MarketWords from "../types/MarketWords.js";
import * as Position from "../types/Position.js";
import * as Price from "../types/Price.js";
import type { Context, Vault } from "../types/VaultStorage.js";
import * as VaultWords from "../types/VaultWords.js";
import { WAD, abs, mulDivDown, mulDivUp, positivePart } from "./FixedPoint.js";
import * as Ledger from "./Ledger.js";
import * as Margin from "./Margin.js";
import * as Prices from "./Prices.js";
import * as Sides from "./Sides.js";

/**
 * What the pool is worth (wad, rounded down), by how much that could be off (rounded up), what selling its collateral may bring beyond the
 * weight (rounded up), and whether every price that it rests on is fresh.
 */
export function read(
  $: Vault,
  context: Context,
): [valueWad: bigint, bandWad: bigint, haircutWad: bigint, fresh: boolean] {
  const word = Ledger.load($, context, context.pool);
  const assets = Account.assets(word);
  const prices = Prices.all(context.oracle, assets);
  const sums = Margin.collect($, context.pool, word, assets, prices, true, Margin.NO_ASSET);
  let valueWad = sums.unrealized + Account.cash(word);
  let bandWad = 0n;
  let haircutWad = 0n;
  let fresh = sums.marketsFresh;

  let i = 0;
  for (let bits = Account.marketBits(word); bits !== 0n; bits &= bits - 1n) {
    const id = AssetSet.lowestBit(bits);
    const price = at(prices, i++);
    const market = $.markets(id);
    const skew = abs(Sides.sizeOf(market, Position.shares($.positions.get(context.pool, id))));
    const notional = mulDivUp(skew, Price.value(price), WAD);
    valueWad -= mulDivUp(notional, skew, 2n * MarketWords.skewScale(market.risk));
    bandWad += mulDivUp(notional, Price.tolerance(price), WAD);
  }
  for (let bits = Account.collateralBits(word); bits !== 0n; bits &= bits - 1n) {
    const index = AssetSet.lowestBit(bits);
    const price = at(prices, i++);
    if (!Price.isFresh(price)) {
      fresh = false;
      continue;
    }
    const collateral = $.collaterals.get(index);
    const value = Margin.collateralValueDown(collateral, $.collateralOf.get(context.pool, index), price);
    const weighted = mulDivDown(value, VaultWords.maintenanceWeight(collateral), WAD);
    valueWad += weighted;
    bandWad += mulDivUp(weighted, Price.tolerance(price), WAD);
    haircutWad += mulDivUp(value - weighted, WAD + Price.tolerance(price), WAD);
  }
  return [valueWad, bandWad, haircutWad, fresh];
}

/** Takes a new checkpoint of the pool's value, which openings are measured against. Throws ValueOutOfRange. */
export function refreshCapital($: Vault, context: Context): void {
  const [valueWad] = read($, context);
  $.capital = VaultWords.toCapital(positivePart(valueWad), $.now, VaultWords.maxAge($.capital));
  $.emit("CapitalChanged", { capital: $.capital });
}
