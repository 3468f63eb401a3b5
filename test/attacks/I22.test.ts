import { expect } from "chai";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import { type AccountId, accountId } from "../../sdk/index.js";
import type { MarginVault, MockAggregator } from "../../typechain-types/index.js";
import { everything, outcomeOf } from "../helpers/attack.js";
import { audit } from "../helpers/audit.js";
import { conducts, deployMixedWorld } from "../helpers/chainlink.js";
import { type Signer, type World, wad } from "../helpers/world.js";

const BTC = 0n;
const ETH = 1n;
const E8 = 10n ** 8n;

describe("I22: a feed reverts, and with it every liquidation that would have asked it", () => {
  let connection: Connection;
  let world: World;
  let aggregator: MockAggregator;
  let owner: Signer;
  let keeper: MarginVault;
  let rewardTo: AccountId;

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
    rewardTo = accountId(world.signers[1]!.address);
  });

  const die = async (conduct: keyof typeof conducts = "reverts") =>
    (await aggregator.setConduct(conducts[conduct], 0, 0)).wait();
  const answer = async (price: bigint) => {
    await (await aggregator.setAnswer(price * E8, await connection.networkHelpers.time.latest())).wait();
  };
  const trade = async (account: AccountId, market: string, size: string) =>
    (await world.as(owner)).trade(account, market, size);
  const healthOf = async (account: AccountId) => (await world.ballast.health(account)).healthWad ?? 0n;

  /** Long of ETH, short of BTC, and under water by BTC's rise. */
  async function underWater(cash: string): Promise<AccountId> {
    const account = await world.fund(owner, { USDC: cash });
    await trade(account, "ETH", "10");
    await trade(account, "BTC", "-0.4");
    return account;
  }

  for (const conduct of ["reverts", "revertsWithBomb", "burnsAllGas", "returnsTooLittle"] as const) {
    it(`liquidates the leg of a market that has a price, while the other's feed ${conduct}`, async () => {
      const account = await underWater("385");
      await world.push({ BTC: "8600" });
      await die(conduct);
      const before = await healthOf(account);
      expect(
        await outcomeOf(() => keeper.liquidatePosition(account, BTC, everything, world.ballast.poolAccount)),
      ).to.equal("done");
      expect((await healthOf(account)) > before).to.equal(true);
      expect((await world.ballast.position(account, "ETH")).sizeWad).to.equal(wad("10"));
      await audit(world);
    });
  }

  it("absorbs what has a price of an account below zero, and lets the rest wait", async () => {
    const account = await underWater("385");
    await world.push({ BTC: "9400" });
    await die();
    expect(await outcomeOf(() => keeper.absorb([account], rewardTo))).to.equal("done");
    expect((await world.ballast.position(account, "BTC")).sizeWad).to.equal(0n);
    expect((await world.ballast.position(account, "ETH")).sizeWad).to.equal(wad("10"));
    await (await aggregator.setConduct(conducts.answers, 0, 0)).wait();
    await answer(150n);
    expect(await outcomeOf(() => keeper.absorb([account], rewardTo))).to.equal("done");
    expect(await world.ballast.positions(account)).to.deep.equal([]);
    expect((await world.ballast.cashOf(account)) >= 0n).to.equal(true);
    await audit(world);
  });

  it("sells collateral with a price of an account whose other collateral has none", async () => {
    const account = await world.fund(owner, { WETH: "10", WBTC: "0.25" });
    await (await world.as(owner)).withdraw(account, "USDC", "3000");
    const taker = await world.fund(world.signers[1]!, { USDC: "10000" });
    await world.push({ BTC: "5800" });
    await die();
    const { address } = world.deployment.collaterals[1]!;
    expect(await outcomeOf(() => keeper.liquidateCollateral(account, address, everything, taker))).to.equal("done");
    await audit(world);
  });

  it("opens nothing at the last good price, and goes on for accounts that do not need the feed", async () => {
    const account = await underWater("2000");
    const other = await world.fund(world.signers[2]!, { USDC: "1000" });
    await die();
    expect(await outcomeOf(() => trade(account, "ETH", "1"))).to.equal("StaleMarketPrice");
    expect(await outcomeOf(() => trade(account, "BTC", "-0.1"))).to.equal("StalePrices");
    expect(await outcomeOf(() => trade(account, "BTC", "0.4")), "closing").to.equal("done");
    const asOther = await world.as(world.signers[2]!);
    expect(await outcomeOf(() => asOther.trade(other, "BTC", "0.5"))).to.equal("done");
    expect(await outcomeOf(() => asOther.withdraw(other, "USDC", "100"))).to.equal("done");
    expect(await outcomeOf(() => keeper.refreshCapital())).to.equal("done");
    expect(await outcomeOf(() => keeper.settle(account, ETH))).to.equal("StaleMarketPrice");
    await audit(world);
  });
});
