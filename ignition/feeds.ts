import { type Signer, ZeroAddress } from "ethers";

import type { DeploymentParameters, Feed } from "../deployments/schema.js";
import {
  BallastError,
  ContractError,
  type Deployment,
  type FeedFault,
  collateralAsset,
  decodeFeedFault,
  marketAsset,
  parseDecimal,
  withDecodedErrors,
} from "../sdk/index.js";
import { type PriceOracle, PriceOracle__factory } from "../typechain-types/index.js";

/** An aggregator that the oracle refuses to read prices from. */
export class FeedUnusableError extends BallastError {
  override readonly name = "FeedUnusableError";
  readonly symbol: string;
  readonly aggregator: string;

  constructor(symbol: string, aggregator: string, fix: string, cause: ContractError) {
    super(`the feed of ${symbol} at ${aggregator} cannot be used: ${fix} in parameters.json`, { cause });
    this.symbol = symbol;
    this.aggregator = aggregator;
  }
}

type Chainlink = Extract<Feed, { kind: "chainlink" }>;
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
    await (await oracle.setFeed(asset, wad(market.tolerance), vault.maxPriceAgeSeconds)).wait();
    return wad(market.firstPrice);
  },

  async chainlink({ oracle, asset, market }: Opening, feed: Chainlink): Promise<undefined> {
    const { aggregator, maxAgeSeconds, minPrice, maxPrice } = feed;
    try {
      await withDecodedErrors(async () => {
        const tolerance = wad(market.tolerance);
        const set = oracle.setChainlinkFeed(asset, tolerance, maxAgeSeconds, aggregator, wad(minPrice), wad(maxPrice));
        await (await set).wait();
      });
    } catch (error) {
      const fix = error instanceof ContractError ? whatToDo(error, feed) : undefined;
      if (fix === undefined) throw error;
      throw new FeedUnusableError(market.symbol, aggregator, fix, error as ContractError);
    }
  },
} satisfies {
  [K in Feed["kind"]]: (opening: Opening, feed: Extract<Feed, { kind: K }>) => Promise<bigint | undefined>;
};

/** Opens the feeds of assets that have none yet, by the symbol that prices each, and publishes the first prices of those that are pushed. */
export async function openFeeds(
  oracle: PriceOracle,
  { markets, vault }: DeploymentParameters,
  priced: readonly { readonly asset: number; readonly symbol: string }[],
): Promise<void> {
  const bySymbol = new Map(markets.map((market) => [market.symbol, market]));
  const assets: number[] = [];
  const pricesWad: bigint[] = [];
  for (const { asset, symbol } of priced) {
    const market = bySymbol.get(symbol);
    if (market === undefined) throw new TypeError(`no market prices ${symbol}`);
    const feed = market.feed ?? { kind: "push" };
    const open = feeds[feed.kind] as (opening: Opening, feed: Feed) => Promise<bigint | undefined>;
    const firstPrice = await open({ oracle, asset, market, vault }, feed);
    if (firstPrice === undefined) continue;
    assets.push(asset);
    pricesWad.push(firstPrice);
  }
  if (assets.length === 0) return;
  const block = await oracle.runner?.provider?.getBlock("latest");
  if (block === null || block === undefined) throw new TypeError("the provider has no latest block");
  await (await oracle.push(assets, pricesWad, block.timestamp)).wait();
}

/** The deployment with what the oracle knows of its assets: which are read from an aggregator. */
export async function withFeeds(deployment: Deployment, signer: Signer): Promise<Deployment> {
  const oracle = PriceOracle__factory.connect(deployment.oracle, signer);
  const feedOf = async (asset: number) => {
    const { aggregator } = await oracle.chainlinkSource(asset);
    return aggregator === ZeroAddress ? {} : { feed: "chainlink" as const };
  };
  const collaterals = deployment.collaterals.map(async ({ symbol, asset, address, decimals }, index) => {
    return { symbol, asset, address, decimals, ...(await feedOf(collateralAsset(index))) };
  });
  const markets = deployment.markets.map(async ({ symbol }, id) => ({ symbol, ...(await feedOf(marketAsset(id))) }));
  return { ...deployment, collaterals: await Promise.all(collaterals), markets: await Promise.all(markets) };
}

const advice: Readonly<Record<FeedFault, string>> = {
  none: "set another aggregator",
  unknown: "set another aggregator",
  noCode: "there is no contract on this chain; correct the aggregator",
  noAnswer: "it does not answer as a Chainlink aggregator does; correct the aggregator",
  roundIncomplete: "its first round has no answer yet; wait for it, or correct the aggregator",
  notPositive: "its answer is not above zero; correct the aggregator",
  outOfBounds: "its answer is not between the bounds; correct the aggregator, or minPrice and maxPrice",
  fromFuture: "its answer is dated after the chain's time; correct the aggregator",
  olderThanUsed: "it tells an older answer than before; wait for its next one, or correct the aggregator",
};

/** What to change in the parameters after this error; undefined if it does not come from them. */
function whatToDo({ errorName, args }: ContractError, { maxAgeSeconds }: Chainlink): string | undefined {
  if (errorName === "FeedRefused") {
    const fault = decodeFeedFault(args["fault"] as bigint);
    return fault === "noCode" || fault === "noAnswer"
      ? advice[fault]
      : `${advice[fault]} (answer ${String(args["answer"])})`;
  }
  if (errorName === "PriceStale") {
    const { publishedAt } = args;
    return `its answer of ${String(publishedAt)} is older than ${maxAgeSeconds} seconds; correct the aggregator or maxAgeSeconds`;
  }
  if (errorName === "FeedDecimalsTooMany")
    return `its answers have ${String(args["decimals"])} decimals, more than 18; correct the aggregator`;
  if (errorName === "FeedOutOfBounds")
    return "the tolerance may be at most 0.1, and the age 1 to 2592000; correct tolerance or maxAgeSeconds";
  if (errorName === "PriceBoundsNotInOrder") return "maxPrice may be at most 1000000000; correct maxPrice";
  return undefined;
}
