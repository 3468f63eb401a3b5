import { expect } from "chai";
import hre from "hardhat";

import { type Connection, marketParameters } from "../../ignition/deploy.js";
import { type AccountId, accountId, feedFaults } from "../../sdk/index.js";
import type { MarginVault, MockAggregator, MockPyth } from "../../typechain-types/index.js";
import { conducts, deployAggregator } from "../helpers/chainlink.js";
import { bring, deployPyth, pythConducts, pythFeed, withPythPrice } from "../helpers/pyth.js";
import { expectRevert } from "../helpers/revert.js";
import { type Signer, type World, deployWorld, roundFigures, wad, withoutInterest } from "../helpers/world.js";

const ETH = 1n;
const E8 = 10n ** 8n;
const everything = 2n ** 255n;

describe("a venue whose ETH is read from Pyth and checked against an aggregator, to 1%", () => {
  let connection: Connection;
  let world: World;
  let pyth: MockPyth;
  let aggregator: MockAggregator;
  let owner: Signer;
  let keeper: MarginVault;
  let other: Signer;
  let pool: AccountId;
  let account: AccountId;
  let weth: string;

  async function paired() {
    const contract = await deployPyth(connection);
    const second = await deployAggregator(connection, 8, 200n * E8);
    const secondFeed = {
      kind: "chainlink",
      aggregator: await second.getAddress(),
      minPrice: "20",
      maxPrice: "2000",
      maxAgeSeconds: "3600",
      maxDeviation: "0.01",
    } as const;
    const made = await withPythPrice(connection, contract, (address) =>
      deployWorld(connection, (parameters) => ({
        ...withoutInterest(roundFigures(parameters, { markets: { ETH: { feed: pythFeed, secondFeed } } })),
        pyth: address,
      })),
    );
    return { world: made, pyth: contract, aggregator: second };
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    ({ world, pyth, aggregator } = await connection.networkHelpers.loadFixture(paired));
    [owner, other] = world.signers as [Signer, Signer];
    keeper = (await world.as(other)).vault;
    pool = accountId(world.deployment.pool);
    weth = world.deployment.collaterals[0]!.address;
  });

  const now = async () => connection.networkHelpers.time.latest();
  const second = async (price: bigint) => (await aggregator.setAnswer(price * E8, await now())).wait();
  const first = async (price: bigint) => bring(connection, pyth, { price: price * E8 });
  /** Both sources tell a price, and it is stored as the last good one. */
  const both = async (price: bigint) => {
    await first(price);
    await second(price);
    await (await world.ballast.oracle.refresh([1, 96])).wait();
  };
  const firstDies = async () => (await pyth.setConduct(pythConducts.burnsAllGas, 0)).wait();
  const secondDies = async () => (await aggregator.setConduct(conducts.burnsAllGas, 0, 0)).wait();
  const trade = async (market: string, size: string) => (await world.as(owner)).trade(account, market, size);
  const force = (taker = pool) => keeper.liquidatePosition(account, ETH, everything, taker);
  /** The price of ETH as a refusal names it: that of the source that is left, or the last good one, which is Pyth's. */
  const refused = async (maxAge = 60n) => ({
    market: ETH,
    publishedAt: BigInt((await world.ballast.price("ETH")).publishedAt),
    maxAge,
  });

  describe("while one of them is dead and the other within the bound of the last good price", () => {
    it("opens nothing, and closes at the price of the one that is left", async () => {
      account = await world.fund(owner, { USDC: "1000" });
      await trade("ETH", "10");
      await firstDies();
      await second(199n);
      const stale = await refused(3600n);
      for (const size of ["1", "-11"]) await expectRevert(() => trade("ETH", size), "StaleMarketPrice", stale);
      await expectRevert(() => trade("BTC", "0.1"), "StalePrices", { account });
      const from = (await connection.ethers.provider.getBlockNumber()) + 1;
      await trade("ETH", "-10");
      const traded = (await world.ballast.events(from)).find(({ name }) => name === "Traded");
      // 199 * (1 + 5 / 8,000,000)
      expect(traded?.args["fillPriceWad"]).to.equal(wad("199.000124375"));
      expect((await world.ballast.positions(account)).length).to.equal(0);
      // Who has no ETH is not concerned.
      await trade("BTC", "0.1");
    });

    it("closes at the first's price where the second is dead", async () => {
      account = await world.fund(owner, { USDC: "1000" });
      await trade("ETH", "10");
      await secondDies();
      await first(201n);
      await expectRevert(() => trade("ETH", "1"), "StaleMarketPrice", await refused());
      await trade("ETH", "-10");
    });

    it("settles losses", async () => {
      account = await world.fund(owner, { USDC: "1000" });
      await trade("ETH", "10");
      await firstDies();
      await second(199n);
      const { valueWad } = await world.ballast.position(account, "ETH");
      await (await keeper.settle(account, ETH)).wait();
      const { valueWad: left } = await world.ballast.position(account, "ETH");
      expect([valueWad < -wad("9"), left > -10n]).to.deep.equal([true, true]);
    });

    it("liquidates into the pool, and to no account whose position grows by it", async () => {
      account = await world.fund(owner, { USDC: "200" });
      await trade("ETH", "10");
      await both(185n);
      await firstDies();
      const taker = await world.fund(other, { USDC: "10000" });
      await expectRevert(() => force(taker), "StalePrices", { account: taker });
      await (await force()).wait();
      expect((await world.ballast.health(account)).isLiquidatable).to.equal(false);
    });

    it("absorbs an account below zero", async () => {
      account = await world.fund(owner, { USDC: "200" });
      await trade("ETH", "10");
      await both(170n);
      await firstDies();
      await second(169n);
      await (await keeper.absorb([account], accountId(other.address))).wait();
      expect((await world.ballast.positions(account)).length).to.equal(0);
    });

    it("takes a deposit of ether, which counts for maintenance and for nothing else", async () => {
      await firstDies();
      account = await world.fund(owner, { USDC: "100", WETH: "1" });
      await trade("BTC", "0.01");
      const { equityMaintenanceWad, equityInitialWad } = await world.ballast.health(account);
      expect(equityMaintenanceWad - equityInitialWad).to.equal(wad("180"));
    });

    it("sells ether of an account in debt to whoever pays its debt", async () => {
      account = await world.fund(owner, { WETH: "10" });
      await (await world.as(owner)).withdraw(account, "USDC", "1500");
      await both(170n);
      const taker = await world.fund(other, { USDC: "5000" });
      await (await keeper.liquidateCollateral(account, weth, wad("1"), taker)).wait();
      await firstDies();
      await (await keeper.liquidateCollateral(account, weth, wad("1"), taker)).wait();
    });

    it("takes no deposit into a pool that has a position in ETH", async () => {
      account = await world.fund(owner, { USDC: "1000" });
      await trade("ETH", "10");
      expect((await world.ballast.pool.maxDeposit(owner.address)) > 0n).to.equal(true);
      await firstDies();
      expect(await world.ballast.pool.maxDeposit(owner.address)).to.equal(0n);
    });

    it("changes no parameter of the market", async () => {
      await firstDies();
      const listed = world.parameters.markets.find(({ symbol }) => symbol === "ETH")!;
      await expectRevert(() => world.ballast.vault.setMarketParameters(ETH, marketParameters(listed)), "FeedRefused", {
        asset: ETH,
        feed: () => true,
        fault: BigInt(feedFaults.indexOf("noAnswer")),
        answer: 0n,
        updatedAt: 0n,
      });
    });

    it("delists the market at the price of the one that is left", async () => {
      account = await world.fund(owner, { USDC: "1000" });
      await trade("ETH", "10");
      const due = (await now()) + 90_000;
      await (await world.ballast.vault.announceDelisting(ETH, due, wad("150"))).wait();
      await world.passTime(90_001);
      await both(200n);
      await firstDies();
      await second(199n);
      const from = (await connection.ethers.provider.getBlockNumber()) + 1;
      await (await keeper.delist(ETH)).wait();
      const told = (await world.ballast.events(from)).find(({ name }) => name === "Delisted");
      expect(told?.args["priceWad"]).to.equal(wad("199"));
    });
  });

  describe("while they are further apart than the bound, or one is dead and the other beyond it", () => {
    for (const [title, fall] of [
      ["apart", () => second(197n)],
      ["one dead, the other beyond", async () => [await firstDies(), await second(197n)]],
      ["both dead", async () => [await firstDies(), await secondDies()]],
    ] as const) {
      it(`neither opens nor closes, nor settles, nor liquidates ETH: ${title}`, async () => {
        account = await world.fund(owner, { USDC: "200" });
        await trade("ETH", "10");
        await both(185n);
        await fall();
        const stale = await refused();
        for (const size of ["1", "-10"]) await expectRevert(() => trade("ETH", size), "StaleMarketPrice", stale);
        await expectRevert(() => keeper.settle(account, ETH), "StaleMarketPrice", stale);
        await expectRevert(() => force(), "LegRefused", { account, market: ETH, refusal: 2n });
        await expectRevert(() => keeper.absorb([account], accountId(other.address)), "NothingToAbsorb");
        await world.mint("WETH", owner.address, "1");
        await expectRevert(async () => (await world.as(owner)).deposit(account, "WETH", "1"), "StaleCollateralPrice", {
          token: weth,
          publishedAt: stale.publishedAt,
          maxAge: 60n,
        });
        // As soon as both agree again, nothing has changed.
        await (await pyth.setConduct(pythConducts.answers, 0)).wait();
        await (await aggregator.setConduct(conducts.answers, 0, 0)).wait();
        await both(185n);
        await (await force()).wait();
      });
    }

    it("shields nobody: what else an account under water has is liquidated", async () => {
      account = await world.fund(owner, { USDC: "385" });
      await trade("ETH", "10");
      await trade("BTC", "-0.4");
      await both(185n);
      await world.push({ BTC: "8200" });
      const { healthWad = 0n } = await world.ballast.health(account);
      await firstDies();
      await secondDies();
      await (await keeper.liquidatePosition(account, 0, everything, pool)).wait();
      expect(((await world.ballast.health(account)).healthWad ?? 0n) > healthWad).to.equal(true);
    });

    it("leaves accounts without ETH as they were", async () => {
      account = await world.fund(owner, { USDC: "1000" });
      await firstDies();
      await secondDies();
      await trade("BTC", "1");
      await trade("BTC", "-0.5");
      await (await world.as(owner)).withdraw(account, "USDC", "100");
      await world.push({ BTC: "6000" });
      await (await keeper.absorb([account], accountId(other.address))).wait();
    });
  });

  it("sells what the pool has absorbed at a fresh price only", async () => {
    account = await world.fund(owner, { WETH: "10" });
    await (await world.as(owner)).withdraw(account, "USDC", "1500");
    await both(150n);
    await (await keeper.absorb([account], accountId(other.address))).wait();
    const buyer = await world.fund(other, { USDC: "5000" }, 1);
    await (await keeper.buyCollateral(buyer, weth, wad("1"), everything)).wait();
    await firstDies();
    const { publishedAt } = await world.ballast.price("ETH");
    const stale = { token: weth, publishedAt, maxAge: 3600n };
    await expectRevert(() => keeper.buyCollateral(buyer, weth, wad("1"), everything), "StaleCollateralPrice", stale);
    await expectRevert(() => keeper.previewBuyCollateral(weth, wad("1")), "StaleCollateralPrice", stale);
  });
});
