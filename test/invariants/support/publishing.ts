import { assetsOfSymbol } from "../../../sdk/index.js";
import type { Sending } from "./act.js";
import type { Arena } from "./arena.js";
import { aggregatorInterface, oracleInterface } from "./interfaces.js";
import { feedUnitWad } from "./nineAssets.js";

/**
 * What publishes prices (wad, by symbol): a push of those that are pushed; where one is read, its aggregator's answer, which is stored at
 * once. An aggregator that is dead stays so.
 */
export function priceCalls(
  { admin, deployment, feed }: Pick<Arena, "admin" | "deployment" | "feed">,
  prices: ReadonlyMap<string, bigint>,
  publishedAt: number,
): Sending[] {
  const assets: number[] = [];
  const pricesWad: bigint[] = [];
  const answers: Sending[] = [];
  const from = admin.address;
  for (const [symbol, price] of prices) {
    const own = assetsOfSymbol(deployment, symbol);
    if (symbol !== feed.symbol) {
      assets.push(...own);
      pricesWad.push(...own.map(() => price));
    } else if (!feed.isDead) {
      const answer = aggregatorInterface.encodeFunctionData("setAnswer", [price / feedUnitWad, publishedAt]);
      answers.push({ from, to: feed.aggregator, data: answer });
      answers.push({ from, to: deployment.oracle, data: oracleInterface.encodeFunctionData("refresh", [own]) });
    }
  }
  const push = oracleInterface.encodeFunctionData("push", [assets, pricesWad, publishedAt]);
  return [{ from, to: deployment.oracle, data: push }, ...answers];
}

/** Publishes prices. */
export async function publish(
  arena: Arena,
  prices: ReadonlyMap<string, bigint>,
  publishedAt = arena.chain.nowSeconds,
): Promise<void> {
  for (const { from, to, data } of priceCalls(arena, prices, publishedAt)) await arena.chain.mustSend(from, to, data);
}
