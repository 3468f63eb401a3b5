import { expect } from "chai";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import { type AccountId, accountId, refusals, toLegPreview } from "../../sdk/index.js";
import { type MarginVault, type MockAggregator, VaultLens__factory } from "../../typechain-types/index.js";
import { conducts, deployAggregator } from "../helpers/chainlink.js";
import { expectRevert } from "../helpers/revert.js";
import { lossParameters } from "../helpers/stage.js";
import { type Signer, type World, deployWorld, wad } from "../helpers/world.js";

const ETH = 1n;
const everything = 2n ** 255n;
const grace = 1800;

describe("a venue on a chain whose sequencer is watched", () => {
  let connection: Connection;
  let world: World;
  let uptime: MockAggregator;
  let owner: Signer;
  let other: Signer;
  let keeper: MarginVault;
  let pool: AccountId;
  let account: AccountId;
  let weth: string;

  async function watched() {
    const feed = await deployAggregator(connection, 0, 0n);
    await (await feed.setAnswer(0n, 1)).wait();
    const uptimeFeed = await feed.getAddress();
    const made = await deployWorld(
      connection,
      (parameters) => ({
        ...lossParameters(parameters),
        sequencer: { uptimeFeed, graceSeconds: String(grace) },
      }),
      "10000",
    );
    return { world: made, uptime: feed };
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    ({ world, uptime } = await connection.networkHelpers.loadFixture(watched));
    [owner, other] = world.signers as [Signer, Signer];
    keeper = (await world.as(other)).vault;
    pool = accountId(world.deployment.pool);
    weth = world.deployment.collaterals[0]!.address;
  });

  const now = async () => connection.networkHelpers.time.latest();
  const goDown = async () => (await uptime.setAnswer(1n, await now())).wait();
  const comeBack = async () => (await uptime.setAnswer(0n, await now())).wait();
  const trade = async (market: string, size: string, of = account) => (await world.as(owner)).trade(of, market, size);
  const force = () => keeper.liquidatePosition(account, ETH, everything, pool);
  const absorb = () => keeper.absorb([account], accountId(other.address));
  /** What an opening says that is refused. */
  const stale = async (market: bigint, symbol: string) => ({
    market,
    publishedAt: BigInt((await world.ballast.price(symbol)).publishedAt),
    maxAge: 3600n,
  });
  const equity = async (of = account) => (await world.ballast.health(of)).equityMaintenanceWad;

  /** Liquidatable, and above zero. */
  async function ailing() {
    account = await world.fund(owner, { USDC: "200" });
    await trade("ETH", "10");
    await world.push({ ETH: "185" });
    expect((await equity()) > 0n).to.equal(true);
  }

  for (const [title, begin] of [
    ["down", goDown],
    ["back for less than the grace time", async () => [await goDown(), await comeBack()]],
  ] as const) {
    describe(`while it is ${title}`, () => {
      it("opens nothing, and goes on closing, depositing and repaying", async () => {
        account = await world.fund(owner, { USDC: "1000", WETH: "10" });
        await trade("ETH", "10");
        const borrower = await world.fund(owner, { WETH: "10" }, 1);
        await (await world.as(owner)).withdraw(borrower, "USDC", "500");
        await begin();
        await expectRevert(() => trade("ETH", "1"), "StaleMarketPrice", await stale(ETH, "ETH"));
        await expectRevert(() => trade("BTC", "0.01"), "StaleMarketPrice", await stale(0n, "BTC"));
        await trade("ETH", "-4");
        await world.fund(owner, { USDC: "600", WETH: "1" }, 1);
        expect((await world.ballast.health(borrower)).netCashWad >= 0n).to.equal(true);
        expect(await world.ballast.pool.maxDeposit(owner.address)).to.equal(0n);
        await expectRevert(async () => (await world.as(owner)).withdraw(account, "USDC", "1"), "StalePrices", {
          account,
        });
        await trade("ETH", "-6");
        await (await world.as(owner)).withdraw(account, "USDC", "100");
      });

      it("liquidates no position of an account above zero, says so beforehand, and does once it is over", async () => {
        await ailing();
        await begin();
        await expectRevert(force, "SequencerGrace", { account });
        const preview = await keeper.previewLiquidation(account, ETH, everything, pool);
        expect(toLegPreview(preview)).to.deep.equal({
          refusal: "sequencerGrace",
          sizeDeltaWad: 0n,
          fillPriceWad: 0n,
          feeWad: 0n,
          rewardWad: 0n,
        });
        const lens = VaultLens__factory.connect(world.deployment.lens, owner);
        const [risk] = await lens.atRisk([account], pool);
        expect([risk?.absorbOpen, risk?.legs[0]?.refusal]).to.deep.equal([
          false,
          BigInt(refusals.indexOf("sequencerGrace")),
        ]);
        await comeBack();
        await world.passTime(grace);
        await world.push({ ETH: "185" });
        await (await force()).wait();
        expect((await world.ballast.health(account)).isLiquidatable).to.equal(false);
      });

      it("absorbs no account above zero, however low its health, and takes one below zero out of the same batch", async () => {
        account = await world.fund(owner, { USDC: "200" });
        await trade("ETH", "10");
        const poor = await world.fund(owner, { USDC: "150" }, 1);
        await trade("ETH", "10", poor);
        await world.push({ ETH: "181.5" });
        expect([(await equity()) > 0n, (await equity(poor)) < 0n]).to.deep.equal([true, true]);
        expect((await keeper.previewAbsorb(account)).open).to.equal(true);
        await begin();
        expect((await keeper.previewAbsorb(account)).open).to.equal(false);
        expect((await keeper.previewAbsorb(poor)).open).to.equal(true);
        await expectRevert(absorb, "NothingToAbsorb");
        await (await keeper.absorb([account, poor], accountId(other.address))).wait();
        expect((await world.ballast.positions(poor)).length).to.equal(0);
        expect((await world.ballast.position(account, "ETH")).sizeWad).to.equal(wad("10"));
      });

      it("sells no collateral of an account above zero", async () => {
        account = await world.fund(owner, { WETH: "10" });
        await (await world.as(owner)).withdraw(account, "USDC", "1500");
        await world.push({ ETH: "170" });
        expect((await equity()) > 0n).to.equal(true);
        const taker = await world.fund(other, { USDC: "5000" });
        await begin();
        await expectRevert(() => keeper.liquidateCollateral(account, weth, everything, taker), "SequencerGrace", {
          account,
        });
        await comeBack();
        await world.passTime(grace);
        await world.push({ ETH: "170" });
        await (await keeper.liquidateCollateral(account, weth, everything, taker)).wait();
      });

      it("resolves a pool below zero", async () => {
        account = await world.fund(owner, { USDC: "6000" });
        await trade("ETH", "-400");
        await world.push({ ETH: "170" });
        expect((await equity(pool)) < 0n).to.equal(true);
        await begin();
        await (await keeper.resolvePool()).wait();
        expect((await world.ballast.position(account, "ETH")).sizeWad).to.equal(0n);
      });
    });
  }

  it("that is down for three days by its uptime feed shields nobody above zero any longer", async () => {
    await ailing();
    const since = await now();
    await (await uptime.setAnswer(1n, since)).wait();
    await connection.networkHelpers.time.increaseTo(since + 3 * 86_400 - 10);
    await world.push({ ETH: "185" });
    await expectRevert(force, "SequencerGrace", { account });
    await connection.networkHelpers.time.increaseTo(since + 3 * 86_400 + 1);
    await expectRevert(() => trade("ETH", "1"), "StaleMarketPrice", await stale(ETH, "ETH"));
    await (await force()).wait();
    expect((await world.ballast.health(account)).isLiquidatable).to.equal(false);
  });

  describe("while its uptime feed gives no answer", () => {
    const die = async () => (await uptime.setConduct(conducts.burnsAllGas, 0, 0)).wait();

    it("opens nothing and closes", async () => {
      account = await world.fund(owner, { USDC: "1000" });
      await trade("ETH", "10");
      await die();
      await expectRevert(() => trade("ETH", "1"), "StaleMarketPrice", await stale(ETH, "ETH"));
      await trade("ETH", "-10");
    });

    it("shields nobody from liquidation", async () => {
      await ailing();
      await die();
      await (await force()).wait();
      expect((await world.ballast.health(account)).isLiquidatable).to.equal(false);
    });

    it("shields nobody from being absorbed, or from having collateral sold", async () => {
      account = await world.fund(owner, { WETH: "10" });
      await (await world.as(owner)).withdraw(account, "USDC", "1500");
      await world.push({ ETH: "170" });
      const taker = await world.fund(other, { USDC: "5000" });
      await die();
      await (await keeper.liquidateCollateral(account, weth, wad("1"), taker)).wait();
      await world.push({ ETH: "150" });
      await (await absorb()).wait();
    });

    it("lets nobody have it taken for dead, and so liquidate, by sending little gas", async () => {
      await ailing();
      await goDown();
      await (await uptime.setConduct(conducts.answersWithGas, 95_000, 0)).wait();
      const data = keeper.interface.encodeFunctionData("liquidatePosition", [account, ETH, everything, pool]);
      const call = { to: world.deployment.vault, from: other.address, data };
      for (let gasLimit = 150_000n; gasLimit <= 700_000n; gasLimit += 5_000n) {
        const went = await connection.ethers.provider.call({ ...call, gasLimit }).then(
          () => true,
          () => false,
        );
        expect(went, `with ${gasLimit} gas`).to.equal(false);
      }
    });
  });
});
