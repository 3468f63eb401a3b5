/** Twin of contracts/libraries/Prices.sol. */
import { at } from "../checked.js";
import { type AssetSet, onlyAsset } from "../types/AssetSet.js";
import type { Price } from "../types/Price.js";
import type { Context } from "../types/VaultStorage.js";

/** The last prices of a set of assets, in its order. */
export function all(oracle: Context["oracle"], assets: AssetSet): Price[] {
  return oracle.lastPrices(assets);
}

/** The last price of one asset. */
export function one(oracle: Context["oracle"], asset: number): Price {
  return at(all(oracle, onlyAsset(asset)), 0);
}
