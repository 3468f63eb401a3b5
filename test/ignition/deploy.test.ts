import { expect } from "chai";
import hre from "hardhat";

import type { DeploymentParameters } from "../../deployments/schema.js";
import { type Connection, TokenAddressMissingError, deployBallast, pushPrices } from "../../ignition/deploy.js";
import { FeedUnusableError } from "../../ignition/feeds.js";
import {
  Ballast,
  type Deployment,
  accountId,
  decodeCashTerms,
  decodeCollateral,
  decodeMarketRisk,
  parseDeployment,
} from "../../sdk/index.js";
import { deploymentParameters, parsePrices } from "../../simulator/index.js";
import { type MockAggregator, MockToken__factory } from "../../typechain-types/index.js";
import { type FeedInput, conducts, deployAggregator, feedOf } from "../helpers/chainlink.js";
import { type PythInput, bring, deployPyth, pythFeed, withPythPrice } from "../helpers/pyth.js";
import { failure } from "../helpers/revert.js";
import { changed, wad } from "../helpers/world.js";

function parametersOf(markets: string): DeploymentParameters {
  const prices = markets.replace("BTC", "8000").replace("ETH", "200").replace("LINK", "4").replace("XRP", "0.2");
  return deploymentParameters(parsePrices(`timestamp_iso,${markets}\n2020-03-12T00:00:00Z,${prices}\n`, "prices.csv"));
}

describe("ignition/deploy", () => {
  let connection: Connection;
  const three = parametersOf("BTC,ETH,LINK");

  beforeEach(async () => {
    connection = await hre.network.create();
  });

  const blockNumber = () => connection.ethers.provider.getBlockNumber();
  const connect = (deployment: Deployment) => Ballast.connect(connection.ethers.provider, deployment);

  it("lists everything that the parameters name, with prices, a seeded insurance account and a checkpoint", async () => {
    const start = await blockNumber();
    const deployment = await deployBallast(connection, three);
    const ballast = await connect(deployment);
    expect(deployment.fromBlock).to.equal(start);
    expect(deployment.markets).to.deep.equal([{ symbol: "BTC" }, { symbol: "ETH" }, { symbol: "LINK" }]);
    expect(deployment.collaterals.map(({ symbol, asset, decimals }) => [symbol, asset, decimals])).to.deep.equal([
      ["WETH", "ETH", 18],
      ["WBTC", "BTC", 8],
    ]);
    expect(await ballast.vault.totals()).to.deep.equal([3n, 2n, 100_003_000_000n]);
    expect((await ballast.state(accountId(deployment.vault))).principalWad).to.equal(wad("100000"));
    for (const [symbol, price] of [
      ["BTC", "8000"],
      ["ETH", "200"],
      ["LINK", "4"],
    ] as const) {
      expect(await ballast.price(symbol)).to.deep.include({ priceWad: wad(price), isFresh: true });
    }
    for (const [i, { symbol, address }] of deployment.collaterals.entries()) {
      expect((await ballast.collateralPrice(symbol)).isFresh).to.equal(true);
      const [token, word] = await ballast.vault.collateralAt(i);
      expect(token).to.equal(address);
      expect(decodeCollateral(word)).to.deep.include({
        weightInitialWad: wad("0.85"),
        weightMaintenanceWad: wad("0.9"),
        concentrationStartWad: wad("1"),
        depositCap: 2n ** 96n - 1n,
      });
    }
    expect(decodeCashTerms((await ballast.vault.cashView()).terms)).to.deep.equal({
      kinkWad: wad("0.8"),
      rateAtZeroWad: wad("0.01"),
      rateAtKinkWad: wad("0.08"),
      rateAtFullWad: wad("0.8"),
      reserveFactorWad: wad("0.1"),
      poolLossPerHourWad: wad("0.1"),
      writeOffPerHourWad: wad("0.2"),
    });
    expect(await ballast.pool.vault()).to.equal(deployment.vault);
    expect(await ballast.lens.vault()).to.equal(deployment.vault);
    expect(await ballast.pool.lockSeconds()).to.equal(86_400n);
    expect(parseDeployment(JSON.stringify(deployment))).to.deep.equal(deployment);
  });

  it("gives collaterals their caps in the tokens' own units, and markets the slope of their open interest", async () => {
    const deployment = await deployBallast(connection, {
      ...changed(three, { markets: { ETH: { openInterestSlope: "2.5" } } }),
      collaterals: three.collaterals.map((one) => ({ ...one, depositCap: "1000.25", concentrationStart: "0.4" })),
    });
    const { vault } = await connect(deployment);
    for (const [index, depositCap] of [wad("1000.25"), 100_025_000_000n].entries()) {
      const [, word] = await vault.collateralAt(index);
      expect(decodeCollateral(word)).to.include({ depositCap, concentrationStartWad: wad("0.4") });
    }
    const slopes = [0, 1, 2].map(async (id) => decodeMarketRisk((await vault.market(id)).risk).openInterestSlopeWad);
    expect(await Promise.all(slopes)).to.deep.equal([0n, wad("2.5"), 0n]);
  });

  it("deploys and sends nothing when everything stands already", async () => {
    const first = await deployBallast(connection, three);
    const block = await blockNumber();
    expect(await deployBallast(connection, three, first)).to.deep.equal(first);
    expect(await blockNumber()).to.equal(block);
  });

  it("lists only the market that the parameters have more, and says so", async () => {
    const first = await deployBallast(connection, three);
    const block = await blockNumber();
    const second = await deployBallast(connection, parametersOf("BTC,ETH,LINK,XRP"), first);
    const ballast = await connect(second);
    const told = (await ballast.events(block + 1)).map(({ name }) => name);
    expect(told.toSorted()).to.deep.equal([
      "MarketChanged",
      "MarketParametersSet",
      "PricePublished",
      "PushFeedSet",
      "ReservePaid",
    ]);
    const [markets, collaterals, held] = await ballast.vault.totals();
    expect([markets, collaterals, held]).to.deep.equal([4n, 2n, 100_004_000_000n]);
    const [price] = await ballast.oracle.lastPrices(8n);
    expect((price ?? 0n) & (2n ** 96n - 1n)).to.equal(wad("0.2"));
    // What is written to addresses.json is what the vault has: the client knows the new market by name.
    expect(second).to.deep.equal({ ...first, markets: [...first.markets, { symbol: "XRP" }] });
    expect(ballast.marketId("XRP")).to.equal(3);
  });

  it("deploys and lists only the collateral that the parameters have more", async () => {
    const first = await deployBallast(connection, three);
    const [weth] = three.collaterals;
    if (weth === undefined) throw new TypeError("no collateral");
    const more = {
      ...three,
      collaterals: [
        ...three.collaterals,
        { ...weth, symbol: "WLINK", asset: "LINK", weightInitial: "0.5", weightMaintenance: "0.6" },
      ],
    };
    const second = await deployBallast(connection, more, first);
    expect(second.collaterals.slice(0, 2)).to.deep.equal(first.collaterals);
    const ballast = await connect(second);
    const [token] = await ballast.vault.collateralAt(2);
    expect(second.collaterals[2]).to.deep.equal({ symbol: "WLINK", asset: "LINK", address: token, decimals: 18 });
    expect((await ballast.collateralPrice("WLINK")).priceWad).to.equal(wad("4"));
  });

  it("deploys anew where the deployment named does not stand", async () => {
    const other = await hre.network.create();
    const elsewhere = await deployBallast(other, three);
    const deployment = await deployBallast(connection, three, { ...elsewhere, chainId: 5 });
    expect(deployment.chainId).to.equal(31337);
    await connect(deployment);
    // On a chain that was started again, the same addresses hold nothing.
    const again = await hre.network.create();
    const anew = await deployBallast(again, three, elsewhere);
    await Ballast.connect(again.ethers.provider, anew);
  });

  it("takes tokens that stand already, and mints none of them", async () => {
    const [admin] = await connection.ethers.getSigners();
    if (admin === undefined) throw new TypeError("no signer");
    const token = await new MockToken__factory(admin).deploy("Dollar", "USD", 18);
    await token.waitForDeployment();
    const address = await token.getAddress();
    await (await token.mint(admin.address, wad("100010"))).wait();
    const deployment = await deployBallast(connection, {
      ...three,
      settlementToken: { symbol: "USD", decimals: "18", address },
    });
    expect(deployment.settlementToken).to.deep.equal({ symbol: "USD", address, decimals: 18 });
    expect(await token.totalSupply()).to.equal(wad("100010"));
    expect(await token.balanceOf(admin)).to.equal(wad("7"));
    const [, , held] = await (await connect(deployment)).vault.totals();
    expect(held).to.equal(wad("100003"));
  });

  it("deploys no mock token to a chain that is not the local one", async () => {
    const real = await hre.network.create({ override: { chainId: 4242 } });
    const power = { riskDelaySeconds: "172800", adminDelaySeconds: "172800" };
    const error = await failure(() => deployBallast(real as Connection, { ...three, power }));
    expect(error).to.be.instanceOf(TokenAddressMissingError);
    expect((error as TokenAddressMissingError).symbol).to.equal("USDC");
    expect(await real.ethers.provider.getBlockNumber()).to.equal(0);
  });

  describe("with feeds of two kinds", () => {
    const E8 = 10n ** 8n;
    let aggregator: MockAggregator;
    let feed: FeedInput;
    let mixed: DeploymentParameters;

    beforeEach(async () => {
      aggregator = await deployAggregator(connection, 8, 190n * E8);
      feed = await feedOf(aggregator);
      mixed = changed(three, { markets: { ETH: { feed } } });
    });

    it("reads a symbol's prices from its aggregator, for its market and its collateral, and pushes the others", async () => {
      const deployment = await deployBallast(connection, mixed);
      const ballast = await connect(deployment);
      expect(deployment.markets).to.deep.equal([
        { symbol: "BTC" },
        { symbol: "ETH", feed: "chainlink" },
        { symbol: "LINK" },
      ]);
      expect(deployment.collaterals.map(({ symbol, feed: kind }) => [symbol, kind])).to.deep.equal([
        ["WETH", "chainlink"],
        ["WBTC", undefined],
      ]);
      for (const asset of [1, 96]) {
        const source = await ballast.oracle.firstSource(asset);
        const { feed: read, kind, minPriceWad, maxPriceWad } = source;
        expect([read, kind, minPriceWad, maxPriceWad]).to.deep.equal([feed.aggregator, 1n, wad("20"), wad("2000")]);
      }
      const tolerances = { toleranceWad: wad("0.001"), maxAgeSeconds: 3600, isFresh: true };
      expect(await ballast.price("ETH")).to.deep.include({ ...tolerances, priceWad: wad("190") });
      expect(await ballast.collateralPrice("WETH")).to.deep.include({ ...tolerances, priceWad: wad("190") });
      expect(await ballast.price("BTC")).to.deep.include({ priceWad: wad("8000"), isFresh: true });
      expect(parseDeployment(JSON.stringify(deployment))).to.deep.equal(deployment);
    });

    it("deploys and sends nothing when everything stands already, even with the aggregator dead", async () => {
      const first = await deployBallast(connection, mixed);
      await (await aggregator.setConduct(conducts.reverts, 0, 0)).wait();
      const block = await blockNumber();
      expect(await deployBallast(connection, mixed, first)).to.deep.equal(first);
      expect(await blockNumber()).to.equal(block);
    });

    it("adds a market and a collateral whose prices are read to a deployment that has none", async () => {
      const [eth, ...others] = ["ETH", "BTC", "LINK"].map((symbol) => mixed.markets.find((m) => m.symbol === symbol)!);
      const first = await deployBallast(connection, { ...mixed, markets: others, collaterals: [] });
      expect(first.markets).to.deep.equal([{ symbol: "BTC" }, { symbol: "LINK" }]);
      const collaterals = mixed.collaterals.filter(({ asset }) => asset === "ETH");
      const second = await deployBallast(connection, { ...mixed, markets: [...others, eth!], collaterals }, first);
      expect(second.markets).to.deep.equal([...first.markets, { symbol: "ETH", feed: "chainlink" }]);
      expect((await (await connect(second)).collateralPrice("WETH")).priceWad).to.equal(wad("190"));
    });

    it("goes on where opening a feed failed", async () => {
      const standing = await deployBallast(connection, parametersOf("BTC"));
      const wrong = changed(mixed, { markets: { ETH: { feed: { ...feed, minPrice: "195" } } } });
      expect(await failure(() => deployBallast(connection, wrong, standing))).to.be.instanceOf(FeedUnusableError);
      const { collaterals } = parametersOf("BTC");
      const deployment = await deployBallast(connection, { ...mixed, collaterals }, standing);
      expect((await (await connect(deployment)).price("ETH")).priceWad).to.equal(wad("190"));
    });

    it("records what the oracle does, when an asset was given another feed since", async () => {
      const first = await deployBallast(connection, mixed);
      const [admin] = await connection.ethers.getSigners();
      const { oracle } = await Ballast.connect(admin!, first);
      await (await oracle.setPushFeed(1, wad("0.001"), 3600)).wait();
      const second = await deployBallast(connection, mixed, first);
      expect(second.markets).to.deep.equal([{ symbol: "BTC" }, { symbol: "ETH" }, { symbol: "LINK" }]);
      expect(second.collaterals).to.deep.equal(first.collaterals);
      const { timestamp } = (await connection.ethers.provider.getBlock("latest"))!;
      await (await pushPrices(oracle, second, new Map([["ETH", wad("180")]]), timestamp)).wait();
      const ballast = await connect(second);
      expect((await ballast.price("ETH")).priceWad).to.equal(wad("180"));
      expect((await ballast.collateralPrice("WETH")).priceWad).to.equal(wad("190"));
    });

    it("reads a symbol's prices from Pyth, has them checked against an aggregator, and watches the sequencer, once", async () => {
      const contract = await deployPyth(connection);
      const uptime = await deployAggregator(connection, 0, 0n);
      await (await uptime.setAnswer(0n, 1)).wait();
      const [pyth, uptimeFeed] = [await contract.getAddress(), await uptime.getAddress()];
      const secondFeed = { ...feed, maxDeviation: "0.01" };
      const parameters: DeploymentParameters = {
        ...changed(three, { markets: { ETH: { feed: pythFeed, secondFeed } } }),
        // As people write them: the chain answers with a checksum.
        pyth: pyth.toLowerCase(),
        sequencer: { uptimeFeed: uptimeFeed.toLowerCase(), graceSeconds: "3600" },
      };
      const deployment = await withPythPrice(connection, contract, () => deployBallast(connection, parameters), 190n);
      expect(deployment.markets[1]).to.deep.equal({ symbol: "ETH", feed: "pyth" });
      expect(deployment.collaterals[0]).to.include({ symbol: "WETH", feed: "pyth" });
      expect(parseDeployment(JSON.stringify(deployment))).to.deep.equal(deployment);
      const { oracle } = await connect(deployment);
      for (const asset of [1, 96]) {
        const first = await oracle.firstSource(asset);
        expect([first.feed, first.priceId, first.maxConfidenceWad]).to.deep.equal([
          pyth,
          pythFeed.priceId,
          wad("0.0025"),
        ]);
        const { live, maxDeviationWad, maxAge } = await oracle.secondSource(asset);
        expect([live.feed, maxDeviationWad, maxAge]).to.deep.equal([feed.aggregator, wad("0.01"), 3600n]);
      }
      expect([...(await oracle.sequencerStatus())]).to.deep.equal([uptimeFeed, 3600n, 0n]);
      const block = await blockNumber();
      expect(await deployBallast(connection, parameters, deployment)).to.deep.equal(deployment);
      expect(await blockNumber()).to.equal(block);
    });

    describe("says what to correct in the parameters when", () => {
      const says = async (change: Partial<FeedInput>, ...words: string[]) => {
        const parameters = changed(three, { markets: { ETH: { feed: { ...feed, ...change } } } });
        const error = await failure(() => deployBallast(connection, parameters));
        expect(error).to.be.instanceOf(FeedUnusableError).and.include({ symbol: "ETH" });
        expect((error as FeedUnusableError).source).to.equal(change.aggregator ?? feed.aggregator);
        for (const word of words) expect((error as FeedUnusableError).message).to.include(word);
      };

      it("there is no contract at the aggregator", async () => {
        await says({ aggregator: `0x${"1".repeat(40)}` }, "no contract on this chain", "correct the aggregator");
      });

      it("the aggregator is another contract", async () => {
        const [admin] = await connection.ethers.getSigners();
        const token = await new MockToken__factory(admin!).deploy("Dollar", "USD", 8);
        await token.waitForDeployment();
        await says({ aggregator: await token.getAddress() }, "does not answer as a Chainlink aggregator does");
      });

      it("its answer is beyond the bounds", async () => {
        await says({ minPrice: "195" }, "not between the bounds", "19000000000", "minPrice and maxPrice");
      });

      it("the second source is too far from the first", async () => {
        const source = await (await deployAggregator(connection, 8, 194n * E8)).getAddress();
        const secondFeed = { ...feed, aggregator: source, maxDeviation: "0.02" };
        const parameters = changed(three, { markets: { ETH: { feed, secondFeed } } });
        const error = await failure(() => deployBallast(connection, parameters));
        expect(error).to.be.instanceOf(FeedUnusableError).and.include({ symbol: "ETH", source });
        expect((error as FeedUnusableError).message)
          .to.include("too far from the first price")
          .and.include("maxDeviation");
      });

      it("Pyth knows no such price, too uncertain a one, or one that is too old, and when its settings are out of bounds", async () => {
        const contract = await deployPyth(connection);
        const pyth = await contract.getAddress();
        const standing = await deployBallast(connection, parametersOf("BTC"));
        const complains = async (change: Partial<PythInput> = {}) => {
          const feed = { ...pythFeed, ...change };
          const { collaterals } = parametersOf("BTC");
          const parameters = { ...changed(three, { markets: { ETH: { feed } } }), collaterals, pyth };
          const error = await failure(() => deployBallast(connection, parameters, standing));
          expect(error).to.be.instanceOf(FeedUnusableError).and.include({ symbol: "ETH", source: pythFeed.priceId });
          return (error as FeedUnusableError).message;
        };
        expect(await complains()).to.include("bring its first update to the chain");
        await bring(connection, contract, { price: 190n * E8, confidence: 5n * E8 });
        expect(await complains())
          .to.include("bring a better price")
          .and.include("maxConfidence");
        await bring(connection, contract, { price: 190n * E8 });
        expect(await complains({ maxAgeSeconds: "61" })).to.include("0.0005 to 0.1, and the age 1 to 60");
        await connection.networkHelpers.time.increase(61);
        expect(await complains()).to.include("older than 60 seconds; bring a newer one to the chain");
      });

      it("its answer is too old", async () => {
        await connection.networkHelpers.time.increase(3601);
        await says({}, "older than 3600 seconds", "maxAgeSeconds");
      });

      it("its answers have too many decimals", async () => {
        await (await aggregator.setDecimals(27)).wait();
        await says({}, "27 decimals");
      });

      it("the settings are beyond what the oracle takes", async () => {
        await says({ maxPrice: "1000000001" }, "correct maxPrice");
        await says({ maxAgeSeconds: "2592001" }, "correct tolerance or maxAgeSeconds");
      });
    });
  });
});
