import { expect } from "chai";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import { type AccountId, accountId } from "../../sdk/index.js";
import type { MarginVault, MockAggregator } from "../../typechain-types/index.js";
import { conducts, deployMixedWorld } from "../helpers/chainlink.js";
import { portfolio } from "../helpers/portfolio.js";
import { expectRevert } from "../helpers/revert.js";
import { type Signer, type World, wad } from "../helpers/world.js";

const BTC = 0n;
const ETH = 1n;
const E8 = 10n ** 8n;
const everything = 2n ** 255n;
const priceStale = 2n; // Refusal.PriceStale

describe("a venue whose ETH is read from an aggregator and whose BTC is pushed", () => {
  let connection: Connection;
  let world: World;
  let aggregator: MockAggregator;
  let owner: Signer;
  let keeper: MarginVault;
  let pool: AccountId;
  let account: AccountId;

  async function mixed() {
    return deployMixedWorld(connection);
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    ({ world, aggregator } = await connection.networkHelpers.loadFixture(mixed));
    [owner] = world.signers as [Signer];
    keeper = (await world.as(world.signers[1]!)).vault;
    pool = accountId(world.deployment.pool);
  });

  const answer = async (price: bigint) => {
    await (await aggregator.setAnswer(price * E8, await connection.networkHelpers.time.latest())).wait();
  };
  const die = async () => (await aggregator.setConduct(conducts.burnsAllGas, 0, 0)).wait();
  const trade = async (market: string, size: string) => (await world.as(owner)).trade(account, market, size);
  const force = (market: bigint) => keeper.liquidatePosition(account, market, everything, pool);
  const publishedAt = async () => BigInt((await world.ballast.price("ETH")).publishedAt);

  it("trades ETH at what the aggregator tells, the moment that it tells it", async () => {
    account = await world.fund(owner, { USDC: "1000" });
    await answer(190n);
    const from = (await connection.ethers.provider.getBlockNumber()) + 1;
    await trade("ETH", "10");
    const traded = (await world.ballast.events(from)).find(({ name }) => name === "Traded");
    // 190 * (1 + 5 / 8,000,000)
    expect(traded?.args["fillPriceWad"]).to.equal(wad("190.00011875"));
    await answer(210n);
    expect((await world.ballast.position(account, "ETH")).notionalWad).to.equal(wad("2100"));
  });

  it("liquidates at what the aggregator tells, and not before", async () => {
    account = await world.fund(owner, { USDC: "200" });
    await trade("ETH", "10");
    await expectRevert(() => force(ETH), "AccountHealthy", {
      account,
      equityWad: (equity: bigint) => equity > wad("190"),
      requirementWad: (required: bigint) => required < wad("63"),
    });
    await answer(185n);
    await (await force(ETH)).wait();
    expect((await world.ballast.health(account)).isLiquidatable).to.equal(false);
  });

  describe("while the aggregator is dead", () => {
    it("leaves accounts without ETH as they were: they trade, withdraw, and are liquidated", async () => {
      account = await world.fund(owner, { USDC: "1000" });
      await die();
      await trade("BTC", "1");
      await trade("BTC", "-0.5");
      await (await world.as(owner)).withdraw(account, "USDC", "100");
      await trade("BTC", "0.9");
      await world.push({ BTC: "7500" });
      await (await force(BTC)).wait();
      expect((await world.ballast.health(account)).isLiquidatable).to.equal(false);
    });

    it("neither opens nor closes ETH, and closes BTC beside it", async () => {
      account = await world.fund(owner, { USDC: "1000" });
      await trade("ETH", "10");
      await trade("BTC", "1");
      await die();
      const refused = { market: ETH, publishedAt: await publishedAt(), maxAge: 3600n };
      for (const size of ["1", "-10"]) await expectRevert(() => trade("ETH", size), "StaleMarketPrice", refused);
      await expectRevert(() => trade("BTC", "0.1"), "StalePrices", { account });
      await trade("BTC", "-1");
      await (await aggregator.setConduct(conducts.answers, 0, 0)).wait();
      await trade("ETH", "-10");
      expect((await world.ballast.positions(account)).length).to.equal(0);
    });

    it("counts ETH at its last good price for maintenance, and ether for nothing when it opens", async () => {
      account = await world.fund(owner, { USDC: "100", WETH: "10" });
      await trade("BTC", "0.1");
      await answer(150n);
      const value = (await portfolio(world, account)).positions.BTC?.value ?? 0n;
      expect((await world.ballast.health(account)).equityMaintenanceWad).to.equal(wad("1450") + value);
      // Nobody has stored 150: dead, the feed leaves the 200 that was stored when it was set.
      await die();
      expect((await world.ballast.health(account)).equityMaintenanceWad).to.equal(wad("1900") + value);
      await (await aggregator.setConduct(conducts.answers, 0, 0)).wait();
      await (await world.ballast.oracle.refresh([1, 96])).wait();
      await die();
      const { equityMaintenanceWad, equityInitialWad, pricesFresh } = await world.ballast.health(account);
      expect([equityMaintenanceWad, equityInitialWad]).to.deep.equal([wad("1450") + value, wad("100") + value]);
      expect(pricesFresh).to.equal(true); // of markets: a collateral counts zero instead
      await world.mint("WETH", owner.address, "1");
      const { address } = world.deployment.collaterals[0]!;
      await expectRevert(async () => (await world.as(owner)).deposit(account, "WETH", "1"), "StaleCollateralPrice", {
        token: address,
        publishedAt: await publishedAt(),
        maxAge: 3600n,
      });
    });

    it("liquidates the BTC leg of an account under water, while its ETH leg waits for its price", async () => {
      account = await world.fund(owner, { USDC: "385" });
      await trade("ETH", "10");
      await trade("BTC", "-0.4");
      await answer(185n);
      await (await world.ballast.oracle.refresh([1, 96])).wait();
      await world.push({ BTC: "8200" });
      const healthy = await world.ballast.health(account);
      await die();
      expect(await world.ballast.health(account)).to.deep.equal({ ...healthy, pricesFresh: false });
      await expectRevert(() => force(ETH), "LegRefused", { account, market: ETH, refusal: priceStale });
      expect((await keeper.previewAbsorb(account)).open).to.equal(false);
      const { healthWad = 0n } = healthy;
      await (await force(BTC)).wait();
      expect(((await world.ballast.health(account)).healthWad ?? 0n) > healthWad).to.equal(true);
      expect((await world.ballast.position(account, "ETH")).sizeWad).to.equal(wad("10"));
    });

    it("lets nobody have a leg taken for stale by sending little gas", async () => {
      account = await world.fund(owner, { USDC: "200" });
      await trade("ETH", "10");
      await answer(185n);
      // It needs nearly all that it is given, and with less gives it back for the rest of the call.
      await (await aggregator.setConduct(conducts.answersWithGas, 95_000, 0)).wait();
      const call = { to: world.deployment.vault, data: keeper.interface.encodeFunctionData("health", [account]) };
      let answered = 0;
      for (let gasLimit = 60_000n; gasLimit <= 300_000n; gasLimit += 1_000n) {
        const data = await connection.ethers.provider.call({ ...call, gasLimit }).catch(() => undefined);
        if (data === undefined) continue;
        answered += 1;
        const [health] = keeper.interface.decodeFunctionResult("health", data);
        expect(health.pricesFresh, `with ${gasLimit} gas`).to.equal(true);
      }
      expect(answered).to.be.above(50);
    });

    it("takes deposits of other tokens and lets the pool's shares be redeemed", async () => {
      account = await world.fund(owner, { USDC: "1000", WETH: "1" });
      await die();
      await world.fund(owner, { USDC: "100", WBTC: "0.1" });
      await (await world.ballast.vault.refreshCapital()).wait();
      await world.passTime(86_400);
      await world.push({ BTC: "8000", LINK: "4" });
      const { pool: shares } = world.ballast;
      const admin = world.admin.address;
      const tenth = (await shares.balanceOf(admin)) / 10n;
      await (await shares.redeem(tenth, admin, admin)).wait();
    });
  });
});
