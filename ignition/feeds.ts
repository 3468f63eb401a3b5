import { type Signer, ZeroAddress, getAddress } from "ethers";

import type { DeploymentParameters, Feed, SecondFeed } from "../deployments/schema.js";
import {
  BallastError,
  ContractError,
  type Deployment,
  type FeedFault,
  collateralAsset,
  decodeFeedFault,
  marketAsset,
  parseDecimal,
  sourceKinds,
  withDecodedErrors,
} from "../sdk/index.js";
import { type PriceOracle, PriceOracle__factory } from "../typechain-types/index.js";
import { mined } from "./mined.js";

/** A source that the oracle refuses to read prices from. */
export class FeedUnusableError extends BallastError {
  override readonly name = "FeedUnusableError";
  readonly symbol: string;
  /** The aggregator's address, or the id of the Pyth price. */
  readonly source: string;

  constructor(symbol: string, source: string, fix: string, cause: ContractError) {
    super(`the feed of ${symbol} at ${source} cannot be used: ${fix} in parameters.json`, { cause });
    this.symbol = symbol;
    this.source = source;
  }
}

type Live = Exclude<Feed, { kind: "push" }> | SecondFeed;
type Chainlink = Extract<Live, { kind: "chainlink" }>;
type Pyth = Extract<Live, { kind: "pyth" }>;
type Market = DeploymentParameters["markets"][number];

/** An asset that has no feed yet, and the market that says which one it gets. */
interface Opening {
  readonly oracle: PriceOracle;
  readonly asset: number;
  readonly market: Market;
  readonly vault: DeploymentParameters["vault"];
}

const wad = (text: string) => parseDecimal(text, 18);

/** Opens the feed of one asset. Returns the price to push, if prices are pushed to it. */
const feeds = {
  async push({ oracle, asset, market, vault }: Opening): Promise<bigint> {
    await mined(oracle.setPushFeed(asset, wad(market.tolerance), vault.maxPriceAgeSeconds));
    return wad(market.firstPrice);
  },

  async chainlink({ oracle, asset, market }: Opening, feed: Chainlink): Promise<undefined> {
    const { aggregator, maxAgeSeconds, minPrice, maxPrice } = feed;
    const tolerance = wad(market.tolerance);
    await opened(market, feed, () =>
      oracle.setChainlinkFeed(asset, tolerance, maxAgeSeconds, aggregator, wad(minPrice), wad(maxPrice)),
    );
  },

  async pyth({ oracle, asset, market }: Opening, feed: Pyth): Promise<undefined> {
    const { priceId, maxAgeSeconds, minPrice, maxPrice, maxConfidence } = feed;
    const tolerance = wad(market.tolerance);
    const source = [wad(maxConfidence), priceId, wad(minPrice), wad(maxPrice)] as const;
    await opened(market, feed, () => oracle.setPythFeed(asset, tolerance, maxAgeSeconds, ...source));
  },
} satisfies {
  [K in Feed["kind"]]: (opening: Opening, feed: Extract<Feed, { kind: K }>) => Promise<bigint | undefined>;
};

/** Has the price of one asset checked against another source. */
const secondFeeds = {
  async chainlink({ oracle, asset, market }: Opening, feed): Promise<void> {
    const { aggregator, maxAgeSeconds, minPrice, maxPrice, maxDeviation } = feed;
    const source = [aggregator, wad(minPrice), wad(maxPrice)] as const;
    await opened(market, feed, () => oracle.setSecondChainlinkFeed(asset, maxAgeSeconds, wad(maxDeviation), ...source));
  },

  async pyth({ oracle, asset, market }: Opening, feed): Promise<void> {
    const { priceId, maxAgeSeconds, minPrice, maxPrice, maxConfidence, maxDeviation } = feed;
    const source = [wad(maxConfidence), priceId, wad(minPrice), wad(maxPrice)] as const;
    await opened(market, feed, () => oracle.setSecondPythFeed(asset, maxAgeSeconds, wad(maxDeviation), ...source));
  },
} satisfies {
  [K in SecondFeed["kind"]]: (opening: Opening, feed: Extract<SecondFeed, { kind: K }>) => Promise<void>;
};

async function opened(
  { symbol }: Market,
  feed: Live,
  set: () => Promise<{ wait(): Promise<unknown> }>,
): Promise<undefined> {
  try {
    await withDecodedErrors(async () => mined(set()));
  } catch (error) {
    const fix = error instanceof ContractError ? whatToDo(error, feed) : undefined;
    if (fix === undefined) throw error;
    throw new FeedUnusableError(symbol, sourceOf(feed), fix, error as ContractError);
  }
}

/**
 * Opens the feeds of assets that have none yet, by the symbol that prices each, publishes the first prices of those that are pushed, and
 * names the second sources.
 */
export async function openFeeds(
  oracle: PriceOracle,
  { markets, vault, pyth }: DeploymentParameters,
  priced: readonly { readonly asset: number; readonly symbol: string }[],
): Promise<void> {
  if (pyth !== undefined && (await oracle.pyth()) !== getAddress(pyth)) await mined(oracle.setPyth(pyth));
  const bySymbol = new Map(markets.map((market) => [market.symbol, market]));
  const openings = priced.map(({ asset, symbol }): Opening => {
    const market = bySymbol.get(symbol);
    if (market === undefined) throw new TypeError(`no market prices ${symbol}`);
    return { oracle, asset, market, vault };
  });
  const assets: number[] = [];
  const pricesWad: bigint[] = [];
  for (const opening of openings) {
    const feed = opening.market.feed ?? { kind: "push" };
    const open = feeds[feed.kind] as (opening: Opening, feed: Feed) => Promise<bigint | undefined>;
    const firstPrice = await open(opening, feed);
    if (firstPrice === undefined) continue;
    assets.push(opening.asset);
    pricesWad.push(firstPrice);
  }
  await publish(oracle, assets, pricesWad);
  for (const opening of openings) {
    const feed = opening.market.secondFeed;
    if (feed === undefined) continue;
    const open = secondFeeds[feed.kind] as (opening: Opening, feed: SecondFeed) => Promise<void>;
    await open(opening, feed);
  }
}

async function publish(oracle: PriceOracle, assets: readonly number[], pricesWad: readonly bigint[]): Promise<void> {
  if (assets.length === 0) return;
  const block = await oracle.runner?.provider?.getBlock("latest");
  if (block === null || block === undefined) throw new TypeError("the provider has no latest block");
  await mined(oracle.push([...assets], [...pricesWad], block.timestamp));
}

/** Whether the oracle has the Pyth contract and the sequencer of the parameters, as far as they name them. */
export async function isSetUp(oracle: PriceOracle, parameters: DeploymentParameters): Promise<boolean> {
  const { pyth } = parameters;
  const hasPyth = pyth === undefined || (await oracle.pyth()) === getAddress(pyth);
  return hasPyth && (await isSequencerWatched(oracle, parameters));
}

async function isSequencerWatched(oracle: PriceOracle, { sequencer }: DeploymentParameters): Promise<boolean> {
  if (sequencer === undefined) return true;
  const { uptimeFeed, graceSeconds } = await oracle.sequencerStatus();
  return uptimeFeed === getAddress(sequencer.uptimeFeed) && graceSeconds === BigInt(sequencer.graceSeconds);
}

/** Has the chain's sequencer watched as the parameters say, unless it is already. Without a word of it nothing is changed. */
export async function watchSequencer(oracle: PriceOracle, parameters: DeploymentParameters): Promise<void> {
  const { sequencer } = parameters;
  if (sequencer === undefined || (await isSequencerWatched(oracle, parameters))) return;
  await mined(oracle.setSequencer(sequencer.uptimeFeed, sequencer.graceSeconds));
}

/** The deployment with what the oracle knows of its assets: what the price of each is read from, if it is not pushed. */
export async function withFeeds(deployment: Deployment, signer: Signer): Promise<Deployment> {
  const oracle = PriceOracle__factory.connect(deployment.oracle, signer);
  const feedOf = async (asset: number) => {
    const { feed, kind } = await oracle.firstSource(asset);
    const name = sourceKinds[Number(kind)];
    return feed === ZeroAddress || name === undefined || name === "none" ? {} : { feed: name };
  };
  const collaterals = deployment.collaterals.map(async ({ symbol, asset, address, decimals }, index) => {
    return { symbol, asset, address, decimals, ...(await feedOf(collateralAsset(index))) };
  });
  const markets = deployment.markets.map(async ({ symbol }, id) => ({ symbol, ...(await feedOf(marketAsset(id))) }));
  return { ...deployment, collaterals: await Promise.all(collaterals), markets: await Promise.all(markets) };
}

function sourceOf(feed: Live): string {
  return feed.kind === "chainlink" ? feed.aggregator : feed.priceId;
}

/** The field of the parameters that names the source. */
const sourceField = { chainlink: "aggregator", pyth: "priceId" } as const;

const advice: Readonly<Record<FeedFault, (field: string) => string>> = {
  none: (field) => `set another ${field}`,
  unknown: (field) => `set another ${field}`,
  noCode: (field) => `there is no contract on this chain; correct the ${field}`,
  noAnswer: (field) =>
    field === "aggregator"
      ? "it does not answer as a Chainlink aggregator does; correct the aggregator"
      : "the Pyth contract has no such price; bring its first update to the chain, or correct the priceId",
  roundIncomplete: (field) => `its first round has no answer yet; wait for it, or correct the ${field}`,
  notPositive: (field) => `its answer is not above zero; correct the ${field}`,
  outOfBounds: (field) => `its answer is not between the bounds; correct the ${field}, or minPrice and maxPrice`,
  fromFuture: (field) => `its answer is dated after the chain's time; correct the ${field}`,
  olderThanUsed: (field) => `it tells an older answer than before; wait for its next one, or correct the ${field}`,
  tooUncertain: (field) =>
    `its confidence or its age is too large; bring a better price, or correct the ${field} or maxConfidence`,
  deviates: (field) => `it is too far from the first price; correct the ${field} or maxDeviation`,
};

/** What to change in the parameters after this error; undefined if it does not come from them. */
function whatToDo({ errorName, args }: ContractError, feed: Live): string | undefined {
  const field = sourceField[feed.kind];
  if (errorName === "FeedRefused") {
    const fault = decodeFeedFault(args["fault"] as bigint);
    const fix = advice[fault](field);
    return fault === "noCode" || fault === "noAnswer" ? fix : `${fix} (answer ${String(args["answer"])})`;
  }
  if (errorName === "PriceStale") {
    const { publishedAt, maxAge } = args;
    const fix = feed.kind === "pyth" ? "bring a newer one to the chain" : `correct the ${field}`;
    return `its answer of ${String(publishedAt)} is older than ${String(maxAge)} seconds; ${fix} or correct maxAgeSeconds`;
  }
  if (errorName === "FeedDecimalsTooMany")
    return `its answers have ${String(args["decimals"])} decimals, more than 18; correct the aggregator`;
  if (errorName === "FeedOutOfBounds") {
    const bounds =
      feed.kind === "pyth" ? "0.0005 to 0.1, and the age 1 to 60" : "at most 0.1, and the age 1 to 2592000";
    return `the tolerance may be ${bounds}; correct tolerance or maxAgeSeconds`;
  }
  if (errorName === "PriceBoundsNotInOrder") return "maxPrice may be at most 1000000000; correct maxPrice";
  return undefined;
}
