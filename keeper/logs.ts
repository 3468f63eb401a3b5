import { type Log, type Provider, dataSlice } from "ethers";

import type { AccountId, Deployment } from "../sdk/index.js";
import { MarginVault__factory, PriceOracle__factory } from "../typechain-types/index.js";
import { logBlocks } from "./config.js";

/** What a range of blocks changed, as far as the keeper's book goes. */
export interface Changes {
  /** Last word of each account whose word changed. */
  readonly words: ReadonlyMap<AccountId, bigint>;
  /** Asset set of the prices that were published. */
  readonly priced: bigint;
  /** Latest time (Unix seconds) that one of them is dated: the chain was there by then. Undefined without prices. */
  readonly pricedAt: number | undefined;
}

const accountChanged = MarginVault__factory.createInterface().getEvent("AccountChanged").topicHash;
const pricePublished = PriceOracle__factory.createInterface().getEvent("PricePublished").topicHash;

/**
 * Reads two kinds of event, of blocks `fromBlock` to `toBlock`, both included. Words are sliced by hand, a hundred times as fast as
 * a general decoder does it: one row of prices may be a hundred events, and a first pass millions.
 */
export async function readChanges(
  provider: Provider,
  deployment: Deployment,
  fromBlock: number,
  toBlock: number,
): Promise<Changes> {
  const words = new Map<AccountId, bigint>();
  let priced = 0n;
  let pricedAt: number | undefined;
  for (let from = fromBlock; from <= toBlock; from += logBlocks) {
    const logs = await readLogs(provider, deployment, from, Math.min(toBlock, from + logBlocks - 1));
    for (const { topics, data } of logs) {
      const [kind, key = "0x"] = topics;
      if (kind === accountChanged) words.set(key.toLowerCase() as AccountId, BigInt(data));
      if (kind === pricePublished) {
        priced |= 1n << BigInt(key);
        pricedAt = Math.max(pricedAt ?? 0, Number(dataSlice(data, 64, 96)));
      }
    }
  }
  return { words, priced, pricedAt };
}

/** One request; where the node refuses it (too many blocks, too long an answer), one for each half. */
async function readLogs(
  provider: Provider,
  deployment: Deployment,
  fromBlock: number,
  toBlock: number,
): Promise<Log[]> {
  const { vault, oracle } = deployment;
  const topics = [[accountChanged, pricePublished]];
  try {
    return await provider.getLogs({ address: [vault, oracle], topics, fromBlock, toBlock });
  } catch (error) {
    if (fromBlock === toBlock) throw error;
    const middle = Math.floor((fromBlock + toBlock) / 2);
    const first = await readLogs(provider, deployment, fromBlock, middle);
    return [...first, ...(await readLogs(provider, deployment, middle + 1, toBlock))];
  }
}
