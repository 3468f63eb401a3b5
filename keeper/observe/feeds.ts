import { type RpcSender, undoableBlocks } from "../../sdk/book/index.js";
import { type Deployment, contractInterfaces } from "../../sdk/index.js";
import * as Price from "../../sdk/risk/types/Price.js";
import { quantity } from "./prices.js";

/** By how many seconds the stored price of an asset may lag what its source tells before it is worth storing. */
const refreshSeconds = 900n;
/** Blocks that one request for logs spans at most, and how many of them a turn waits for: at a start the log may be years long. */
const rangeBlocks = 2_000;
const rangesATurn = 8;

const { PriceOracle: oracleInterface } = contractInterfaces;
const topicOf = (name: string) => oracleInterface.getEvent(name)?.topicHash ?? name;
const pricePublished = topicOf("PricePublished");
const priceAgreed = topicOf("PriceAgreed");
const pushFeedSet = topicOf("PushFeedSet");
const liveFeedsSet = [topicOf("ChainlinkFeedSet"), topicOf("PythFeedSet")];
const secondFeedSet = topicOf("SecondFeedSet");
const secondFeedCleared = topicOf("SecondFeedCleared");
const topics = [pricePublished, priceAgreed, pushFeedSet, ...liveFeedsSet, secondFeedSet, secondFeedCleared];

/** Of the words of an event the one that tells when its price is dated. */
const placeOfTime: Readonly<Record<string, number>> = { [pricePublished]: 2, [priceAgreed]: 1 };

interface OracleLog {
  readonly blockNumber: number;
  readonly kind: string;
  readonly asset: number;
  /** Of a price (Unix seconds): what it is dated. */
  readonly at: bigint;
}

/** What the oracle's log tells of feeds, by asset. */
class Told {
  /** Read from a source: no event tells when the price moves. */
  readonly live = new Set<number>();
  /** Checked against a second source. */
  readonly paired = new Set<number>();
  /** Unix seconds: of the stored price, and of the one on which the second source agreed with the one pushed. */
  readonly storedAt = new Map<number, bigint>();
  readonly agreedAt = new Map<number, bigint>();

  read({ kind, asset, at }: OracleLog): void {
    if (kind === pushFeedSet) this.live.delete(asset);
    if (liveFeedsSet.includes(kind)) {
      this.live.add(asset);
      this.agreedAt.delete(asset);
    }
    if (kind === secondFeedSet) this.paired.add(asset);
    if (kind === secondFeedCleared) this.paired.delete(asset);
    if (kind === pricePublished) this.storedAt.set(asset, at);
    if (kind === priceAgreed) this.agreedAt.set(asset, at);
  }
}

/**
 * Follows the oracle's log, to tell which prices are to be stored. So much a turn: liquidations do not wait for it, and until it has caught
 * up it has nothing stored. A reorg deeper than the books can undo leaves what it tells from the old chain: at worst a price is stored too
 * late, or in vain.
 */
export class Feeds {
  readonly #node: RpcSender;
  readonly #oracle: string;
  /** Of all blocks but the last ones. */
  readonly #settled = new Told();
  /** Of those, in order. */
  #recent: OracleLog[] = [];
  /** All together; undefined: to be added up again. */
  #latest: Told | undefined;
  #nextBlock: number;
  #isBehind = true;

  constructor(node: RpcSender, { oracle, fromBlock }: Pick<Deployment, "oracle" | "fromBlock">) {
    this.#node = node;
    this.#oracle = oracle;
    this.#nextBlock = fromBlock;
  }

  /**
   * Reads on towards a block, the last `applied` of which the chain did not have before. Where that fails, the next time goes on from there.
   */
  async follow(toBlock: number, applied: number, undone: number): Promise<void> {
    // First, so that what was taken back is forgotten even if the node does not answer now: nobody tells of it again.
    if (undone > 0) {
      this.#nextBlock = Math.min(this.#nextBlock, toBlock - applied + 1);
      this.#recent = this.#recent.filter(({ blockNumber }) => blockNumber < this.#nextBlock);
      this.#latest = undefined;
    }
    for (let range = 0; range < rangesATurn && this.#nextBlock <= toBlock; range += 1) {
      const last = Math.min(toBlock, this.#nextBlock + rangeBlocks - 1);
      const logs = await this.#logs(this.#nextBlock, last);
      this.#nextBlock = last + 1;
      if (logs.length > 0) this.#latest = undefined;
      this.#recent.push(...logs);
    }
    this.#isBehind = this.#nextBlock <= toBlock;
    const oldest = toBlock - undoableBlocks;
    for (const log of this.#recent) if (log.blockNumber < oldest) this.#settled.read(log);
    this.#recent = this.#recent.filter(({ blockNumber }) => blockNumber >= oldest);
  }

  /**
   * Assets whose last good price, which counts while their sources tell none, lags what they tell now by too much. One of two sources alone
   * is not stored; a price that is good for reducing because the chain's sequencer was down is.
   *
   * @param prices the oracle's answers, by asset
   */
  toRefresh(prices: ReadonlyMap<number, Price.Price>): number[] {
    if (this.#isBehind) return [];
    this.#latest ??= this.#told();
    const told = this.#latest;
    return [...new Set([...told.live, ...told.paired])]
      .filter((asset) => {
        const price = prices.get(asset);
        if (price === undefined) return false;
        const isReduceOnly = Price.isUsable(price) && !Price.isFresh(price);
        if (isReduceOnly && told.paired.has(asset)) return false;
        const agreedAt = told.live.has(asset) ? undefined : told.agreedAt.get(asset);
        const lastGoodAt = agreedAt ?? told.storedAt.get(asset) ?? 0n;
        return Price.publishedAt(price) - lastGoodAt >= refreshSeconds;
      })
      .toSorted((a, b) => a - b);
  }

  #told(): Told {
    const told = new Told();
    const { live, paired, storedAt, agreedAt } = this.#settled;
    for (const asset of live) told.live.add(asset);
    for (const asset of paired) told.paired.add(asset);
    for (const [asset, at] of storedAt) told.storedAt.set(asset, at);
    for (const [asset, at] of agreedAt) told.agreedAt.set(asset, at);
    for (const log of this.#recent) told.read(log);
    return told;
  }

  /** One request; where the node refuses it (too many blocks, too long an answer), one for each half. */
  async #logs(fromBlock: number, toBlock: number): Promise<OracleLog[]> {
    const range = { fromBlock: quantity(fromBlock), toBlock: quantity(toBlock) };
    try {
      const logs = await this.#node.send("eth_getLogs", [{ address: this.#oracle, topics: [topics], ...range }]);
      return (logs as { blockNumber: string; topics: string[]; data: string }[]).map((log) => ({
        blockNumber: Number(log.blockNumber),
        kind: log.topics[0] ?? "",
        asset: Number(log.topics[1]),
        at: wordOf(log.data, placeOfTime[log.topics[0] ?? ""] ?? 0),
      }));
    } catch (error) {
      if (fromBlock === toBlock) throw error;
      const middle = Math.floor((fromBlock + toBlock) / 2);
      return [...(await this.#logs(fromBlock, middle)), ...(await this.#logs(middle + 1, toBlock))];
    }
  }
}

function wordOf(data: string, at: number): bigint {
  return BigInt(`0x${data.slice(2 + 64 * at, 66 + 64 * at) || "0"}`);
}
