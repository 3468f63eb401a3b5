import { type Log, type Provider, dataSlice } from "ethers";

import { type AccountId, type Deployment, decodeRampClock } from "../sdk/index.js";
import { MarginVault__factory, PriceOracle__factory } from "../typechain-types/index.js";
import { logBlocks } from "./config.js";
import type { RampStep } from "./decide/upkeep.js";

/** What an event tells of something that counts by steps. */
export interface RampChange {
  readonly step: RampStep;
  /** Unix seconds: of the last step, or of the start. Undefined: nothing is to come any more. */
  readonly steppedAt: number | undefined;
}

/** What a range of blocks changed, as far as the keeper's book goes. */
export interface Changes {
  /** Last word of each account whose word changed. */
  readonly words: ReadonlyMap<AccountId, bigint>;
  /** Of each asset with a new stored price the time (Unix seconds) that it is dated. */
  readonly storedAt: ReadonlyMap<number, number>;
  /**
   * Of each asset with a price on which its second source agreed with the one pushed: the time (Unix seconds) that it is dated. Undefined:
   * it has been given a feed to read since, whose stored price counts.
   */
  readonly agreedAt: ReadonlyMap<number, number | undefined>;
  /** Of each asset whose first feed was set: whether it is read from a source from then on, with no event when its price moves. */
  readonly readLive: ReadonlyMap<number, boolean>;
  /** Of each asset whose second feed was set or cleared: whether it has one from then on, which moves its price without an event too. */
  readonly paired: ReadonlyMap<number, boolean>;
  /** Whether a loss was taken off all suppliers of cash: everybody's margin has changed, and no other event tells. */
  readonly wroteOff: boolean;
  /** Of each market whose end was announced: from when (Unix seconds) on anyone may delist it. */
  readonly announced: ReadonlyMap<number, number>;
  readonly delisted: ReadonlySet<number>;
  /** Markets of which a side's epoch has ended. */
  readonly epochsEnded: ReadonlySet<number>;
  /** In order: of what counts by steps. Each may have tightened the margin of many accounts. */
  readonly ramps: readonly RampChange[];
}

const vaultInterface = MarginVault__factory.createInterface();
const accountChanged = vaultInterface.getEvent("AccountChanged").topicHash;
const lossWrittenOff = vaultInterface.getEvent("LossWrittenOff").topicHash;
const delistingAnnounced = vaultInterface.getEvent("DelistingAnnounced").topicHash;
const marketDelisted = vaultInterface.getEvent("Delisted").topicHash;
const epochEnded = vaultInterface.getEvent("EpochEnded").topicHash;
const marketRampSet = vaultInterface.getEvent("MarketRampSet").topicHash;
const collateralRampSet = vaultInterface.getEvent("CollateralRampSet").topicHash;
const accountRampSet = vaultInterface.getEvent("AccountRampSet").topicHash;
const oracleInterface = PriceOracle__factory.createInterface();
const pricePublished = oracleInterface.getEvent("PricePublished").topicHash;
const priceAgreed = oracleInterface.getEvent("PriceAgreed").topicHash;
const pushFeedSet = oracleInterface.getEvent("PushFeedSet").topicHash;
const chainlinkFeedSet = oracleInterface.getEvent("ChainlinkFeedSet").topicHash;
const pythFeedSet = oracleInterface.getEvent("PythFeedSet").topicHash;
const secondFeedSet = oracleInterface.getEvent("SecondFeedSet").topicHash;
const secondFeedCleared = oracleInterface.getEvent("SecondFeedCleared").topicHash;
const ofFeeds = [pushFeedSet, chainlinkFeedSet, pythFeedSet, secondFeedSet, secondFeedCleared];
const ofOracle = [pricePublished, priceAgreed, ...ofFeeds];

/**
 * Reads the events that the keeper's book needs, of blocks `fromBlock` to `toBlock`, both included. Words are sliced by hand, a hundred
 * times as fast as a general decoder does it: one row of prices may be a hundred events, and a first pass millions.
 */
export async function readChanges(
  provider: Provider,
  deployment: Deployment,
  fromBlock: number,
  toBlock: number,
): Promise<Changes> {
  const words = new Map<AccountId, bigint>();
  const readLive = new Map<number, boolean>();
  const paired = new Map<number, boolean>();
  const storedAt = new Map<number, number>();
  const agreedAt = new Map<number, number | undefined>();
  const announced = new Map<number, number>();
  const delisted = new Set<number>();
  const epochsEnded = new Set<number>();
  const ramps: RampChange[] = [];
  let wroteOff = false;
  for (let from = fromBlock; from <= toBlock; from += logBlocks) {
    const logs = await readLogs(provider, deployment, from, Math.min(toBlock, from + logBlocks - 1));
    for (const { topics, data } of logs) {
      const [kind, key = "0x"] = topics;
      if (kind === accountChanged) words.set(key.toLowerCase() as AccountId, BigInt(data));
      if (kind === pushFeedSet) readLive.set(Number(key), false);
      if (kind === chainlinkFeedSet || kind === pythFeedSet) {
        readLive.set(Number(key), true);
        agreedAt.set(Number(key), undefined);
      }
      if (kind === secondFeedSet || kind === secondFeedCleared) paired.set(Number(key), kind === secondFeedSet);
      if (kind === pricePublished) storedAt.set(Number(key), Number(dataSlice(data, 64, 96)));
      if (kind === priceAgreed) agreedAt.set(Number(key), Number(dataSlice(data, 32, 64)));
      if (kind === lossWrittenOff) wroteOff = true;
      if (kind === delistingAnnounced) announced.set(Number(key), Number(dataSlice(data, 0, 32)));
      if (kind === marketDelisted) delisted.add(Number(key));
      if (kind === epochEnded) epochsEnded.add(Number(key));
      if (kind === marketRampSet) ramps.push(rampChange({ kind: "rampMarket", market: Number(key) }, data));
      if (kind === collateralRampSet)
        ramps.push(rampChange({ kind: "rampCollateral", token: dataSlice(key, 12) }, data));
      if (kind === accountRampSet) ramps.push(rampChange({ kind: "rampAccounts" }, data));
    }
  }
  return { words, storedAt, agreedAt, readLive, paired, wroteOff, announced, delisted, epochsEnded, ramps };
}

/** The clock is the third word of each of these events. */
function rampChange(step: RampStep, data: string): RampChange {
  const { secondsLeft, steppedAt } = decodeRampClock(BigInt(dataSlice(data, 64, 96)));
  return { step, steppedAt: secondsLeft === 0 ? undefined : steppedAt };
}

/** One request; where the node refuses it (too many blocks, too long an answer), one for each half. */
async function readLogs(
  provider: Provider,
  deployment: Deployment,
  fromBlock: number,
  toBlock: number,
): Promise<Log[]> {
  const { vault, oracle } = deployment;
  const ofVault = [accountChanged, lossWrittenOff, delistingAnnounced, marketDelisted, epochEnded];
  const ofRamps = [marketRampSet, collateralRampSet, accountRampSet];
  const topics = [[...ofVault, ...ofRamps, ...ofOracle]];
  try {
    return await provider.getLogs({ address: [vault, oracle], topics, fromBlock, toBlock });
  } catch (error) {
    if (fromBlock === toBlock) throw error;
    const middle = Math.floor((fromBlock + toBlock) / 2);
    const first = await readLogs(provider, deployment, fromBlock, middle);
    return [...first, ...(await readLogs(provider, deployment, middle + 1, toBlock))];
  }
}
