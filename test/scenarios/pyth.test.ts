import { expect } from "chai";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import { type AccountId, accountId } from "../../sdk/index.js";
import { MarginVault__factory, type MockPyth } from "../../typechain-types/index.js";
import { bring, deployPythWorld, feeWei, pythConducts, pythFeed, updateOf } from "../helpers/pyth.js";
import { expectRevert } from "../helpers/revert.js";
import { type Signer, type World, changed, wad, withoutInterest } from "../helpers/world.js";

const ETH = 1n;
const E8 = 10n ** 8n;
const everything = 2n ** 255n;
const interface_ = MarginVault__factory.createInterface();

interface Told {
  readonly price: bigint;
  readonly confidence?: bigint;
  /** Seconds from the block that it comes in to its date. */
  readonly ahead?: number;
}

describe("a venue whose ETH is read from Pyth", () => {
  let connection: Connection;
  let world: World;
  let pyth: MockPyth;
  let owner: Signer;
  let other: Signer;
  let account: AccountId;
  let pool: AccountId;

  async function fromPyth() {
    return deployPythWorld(connection, withoutInterest);
  }

  /** Confidences of 2% count, and discounts have room for them. */
  async function withUncertainPrices() {
    return deployPythWorld(connection, (parameters) => {
      const feed = { ...pythFeed, maxConfidence: "0.02" };
      const wide = changed(parameters, { markets: { ETH: { feed, discountBase: "0.0275" } } });
      const collaterals = wide.collaterals.map((collateral) => ({ ...collateral, discountBase: "0.0275" }));
      return withoutInterest({ ...wide, collaterals });
    });
  }

  before(async () => {
    connection = await hre.network.create();
  });

  async function enter(fixture = fromPyth) {
    ({ world, pyth } = await connection.networkHelpers.loadFixture(fixture));
    [owner, other] = world.signers as [Signer, Signer];
    pool = accountId(world.deployment.pool);
  }

  const now = async () => connection.networkHelpers.time.latest();
  const tell = async (price: bigint) => bring(connection, pyth, { price });

  /** As a stranger, in one transaction: brings a price, then makes these calls. */
  async function bringAnd({ price, confidence = 0n, ahead = 0 }: Told, ...calls: string[]) {
    const at = (await now()) + 1;
    const data = await updateOf(connection, pyth, { price, confidence, publishTime: at + ahead });
    const vault = MarginVault__factory.connect(world.deployment.vault, other);
    const update = interface_.encodeFunctionData("updatePrices", [[data]]);
    await connection.networkHelpers.time.setNextBlockTimestamp(at);
    return vault.multicall([update, ...calls], { value: feeWei, gasLimit: 5_000_000n });
  }

  const eventsOf = async (sent: { wait(): Promise<{ readonly blockNumber: number } | null> }) =>
    world.ballast.events((await sent.wait())?.blockNumber ?? 0);

  /** Prices that a caller might choose in order to have an older one count. */
  const hiding: Readonly<Record<string, Omit<Told, "price">>> = {
    "dated two seconds ahead of the block": { ahead: 2 },
    "dated a minute ahead of the block": { ahead: 60 },
    "too uncertain to be used": { confidence: 7n * E8 },
  };

  for (const [title, told] of Object.entries(hiding)) {
    it(`counts a price ${title} for what an account is worth, and not the one stored long ago`, async () => {
      await enter();
      // Stored is 200. At 210 the account is healthy, at 200 it would be below a half.
      await tell(210n * E8);
      await world.push({ BTC: "8000" });
      await (await world.ballast.vault.refreshCapital()).wait();
      account = await world.fund(owner, { USDC: "3300" });
      const client = await world.as(owner);
      await client.trade(account, "ETH", "250");
      await client.trade(account, "BTC", "1");
      const before = await world.ballast.positions(account);
      const absorb = interface_.encodeFunctionData("absorb", [[account], accountId(other.address)]);
      await expectRevert(() => bringAnd({ price: 210n * E8, ...told }, absorb), "NothingToAbsorb");
      const forced = interface_.encodeFunctionData("liquidatePosition", [account, 0n, everything, pool]);
      await expectRevert(() => bringAnd({ price: 210n * E8, ...told }, forced), "AccountHealthy", {
        account,
        equityWad: (equity: bigint) => equity > 0n,
        requirementWad: (requirement: bigint) => requirement > 0n,
      });
      await (await bringAnd({ price: 210n * E8, ...told })).wait();
      const { priceWad } = await world.ballast.price("ETH");
      expect([priceWad, (await world.ballast.health(account)).isLiquidatable]).to.deep.equal([wad("210"), false]);
      expect(await world.ballast.positions(account)).to.deep.equal(before);
      await (await pyth.setConduct(pythConducts.reverts, 0)).wait();
      const { healthWad = 0n } = await world.ballast.health(account);
      expect(healthWad < wad("0.5"), `at the price stored: ${healthWad}`).to.equal(true);
    });
  }

  for (const ahead of [2, 60]) {
    it(`liquidates at a price dated ${ahead} s ahead of the block: a clock that lags shields nobody`, async () => {
      await enter();
      account = await world.fund(owner, { USDC: "200" });
      await (await world.as(owner)).trade(account, "ETH", "10");
      const forced = interface_.encodeFunctionData("liquidatePosition", [account, ETH, everything, pool]);
      const events = await eventsOf(await bringAnd({ price: 183n * E8, ahead }, forced));
      expect(events.map(({ name }) => name)).to.include("PositionLiquidated");
      expect((await world.ballast.health(account)).isLiquidatable).to.equal(false);
    });
  }

  describe("whose market ends", () => {
    const delist = interface_.encodeFunctionData("delist", [ETH]);

    beforeEach(async () => {
      await enter();
      await (await world.ballast.vault.announceDelisting(ETH, (await now()) + 90_100, 0n)).wait();
      await world.passTime(90_101);
      await tell(300n * E8);
    });

    for (const ahead of [0, 2, 60]) {
      it(`ends it at a price dated ${ahead} s ahead of the block, and not at the one stored a day ago`, async () => {
        const events = await eventsOf(await bringAnd({ price: 300n * E8, ahead }, delist));
        expect(events.find(({ name }) => name === "Delisted")?.args["priceWad"]).to.equal(wad("300"));
      });
    }

    it("does not end it at a price that is too uncertain, nor at the one stored a day ago", async () => {
      const publishedAt = BigInt((await now()) + 1);
      const told = { price: 300n * E8, confidence: 7n * E8 };
      await expectRevert(() => bringAnd(told, delist), "StaleMarketPrice", {
        market: ETH,
        publishedAt: (at: bigint) => at >= publishedAt,
        maxAge: 60n,
      });
      // Its date is what a day of silence counts from.
      await (await bringAnd(told)).wait();
      const brought = await now();
      const stale = { market: ETH, publishedAt: BigInt(brought), maxAge: 60n };
      await connection.networkHelpers.time.increaseTo(brought + 86_400 + 50);
      await expectRevert(() => world.ballast.vault.delist(ETH), "StaleMarketPrice", stale);
      await connection.networkHelpers.time.increaseTo(brought + 86_400 + 60);
      const events = await eventsOf(await world.ballast.vault.delist(ETH));
      expect(events.find(({ name }) => name === "Delisted")?.args["priceWad"]).to.equal(wad("300"));
    });
  });

  it("makes being liquidated no cheaper than closing, however uncertain the price is", async () => {
    await enter(withUncertainPrices);
    account = await world.fund(owner, { USDC: "2000" });
    await (await world.as(owner)).trade(account, "ETH", "100");
    const uncertain = { price: 1855n * (E8 / 10n), confidence: 3n * E8 };
    const start = await connection.networkHelpers.takeSnapshot();
    const forced = interface_.encodeFunctionData("liquidatePosition", [account, ETH, everything, pool]);
    const liquidated = (await eventsOf(await bringAnd(uncertain, forced))).find(
      ({ name }) => name === "PositionLiquidated",
    )!.args as { readonly sizeDeltaWad: bigint; readonly feeWad: bigint };
    await start.restore();
    await (await bringAnd(uncertain)).wait();
    const from = (await connection.ethers.provider.getBlockNumber()) + 1;
    const { vault } = await world.as(owner);
    await connection.networkHelpers.time.setNextBlockTimestamp((await now()) + 1);
    await (await vault.trade(account, ETH, liquidated.sizeDeltaWad, 0n, 2n ** 64n, { gasLimit: 2_000_000n })).wait();
    const closed = (await world.ballast.events(from)).find(({ name }) => name === "Traded")!.args as {
      readonly feeWad: bigint;
    };
    expect(closed.feeWad > 0n).to.equal(true);
    expect(liquidated.feeWad > closed.feeWad, `${liquidated.feeWad} against ${closed.feeWad}`).to.equal(true);
  });
});
