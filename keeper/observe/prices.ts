import { toQuantity } from "ethers";

import type { BookBlock, RpcSender } from "../../sdk/book/index.js";
import { contractInterfaces } from "../../sdk/index.js";
import * as AssetSet from "../../sdk/risk/types/AssetSet.js";
import type { Price } from "../../sdk/risk/types/Price.js";
import type { VaultStorage } from "../../sdk/risk/types/VaultStorage.js";

/** The oracle's answers for all that is listed, by asset number, in this block: one call. */
export async function readPrices(
  node: RpcSender,
  oracle: string,
  $: VaultStorage,
  { hash }: Pick<BookBlock, "hash">,
): Promise<Map<number, Price>> {
  const assets = [
    ...Array.from({ length: $.marketCount }, (_, id) => AssetSet.marketAsset(id)),
    ...Array.from({ length: $.collateralCount }, (_, index) => AssetSet.collateralAsset(index)),
  ];
  if (assets.length === 0) return new Map();
  const set = assets.reduce((bits, asset) => bits | AssetSet.onlyAsset(asset), 0n);
  const { PriceOracle } = contractInterfaces;
  const data = PriceOracle.encodeFunctionData("lastPrices", [set]);
  const answer = await node.send("eth_call", [{ to: oracle, data }, { blockHash: hash }]);
  const [words] = PriceOracle.decodeFunctionResult("lastPrices", String(answer)) as unknown as [bigint[]];
  return new Map(assets.map((asset, i) => [asset, (words[i] ?? 0n) as Price]));
}

/** A block's number as nodes want it. */
export const quantity = (block: number): string => toQuantity(block);
