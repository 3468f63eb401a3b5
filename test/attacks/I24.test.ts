import { expect } from "chai";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import type { AccountId } from "../../sdk/index.js";
import type { MarginVault, MockAggregator } from "../../typechain-types/index.js";
import { everything, outcomeOf } from "../helpers/attack.js";
import { deployMixedWorld } from "../helpers/chainlink.js";
import { expectRevert } from "../helpers/revert.js";
import { type Signer, type World, wad } from "../helpers/world.js";

const ETH = 1n;
const E8 = 10n ** 8n;

describe("I24: a feed answers something that is no price", () => {
  let connection: Connection;
  let world: World;
  let aggregator: MockAggregator;
  let owner: Signer;
  let keeper: MarginVault;
  let account: AccountId;
  let other: AccountId;

  async function mixed() {
    const deployed = await deployMixedWorld(connection);
    const [first, second] = deployed.world.signers as [Signer, Signer];
    await (
      await deployed.world.as(first)
    ).trade(await deployed.world.fund(first, { USDC: "1000", WBTC: "0.1" }), "ETH", "10");
    await deployed.world.fund(second, { USDC: "1000", WETH: "1" });
    return deployed;
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    ({ world, aggregator } = await connection.networkHelpers.loadFixture(mixed));
    [owner] = world.signers as [Signer];
    keeper = (await world.as(world.signers[2]!)).vault;
    account = await world.fund(owner, { USDC: "1" });
    other = await world.fund(world.signers[1]!, { USDC: "1" });
  });

  const now = async () => BigInt(await connection.networkHelpers.time.latest());
  const round = async (answer: bigint, updatedAt: bigint, roundId = 9n, answeredInRound = 9n) =>
    (await aggregator.setRound({ roundId, answer, startedAt: updatedAt, updatedAt, answeredInRound })).wait();

  /** The smallest and the largest price that the aggregator can tell: there the market may be anywhere. */
  const noPrices: Readonly<Record<string, () => Promise<unknown>>> = {
    "is zero": async () => round(0n, await now()),
    "is below zero": async () => round(-200n * E8, await now()),
    "is at its smallest": async () => round(20n * E8, await now()),
    "is below its smallest": async () => round(1n, await now()),
    "is at its largest": async () => round(2000n * E8, await now()),
    "is the largest number": async () => round(2n ** 255n - 1n, await now()),
    "is from the future": async () => round(190n * E8, (await now()) + 600n),
    "is older than one used": async () => round(190n * E8, (await now()) - 3000n),
    "is of a round without an answer": async () => round(190n * E8, 0n),
    "is of an earlier round": async () => round(190n * E8, await now(), 9n, 8n),
    "is stale": async () => {
      await world.passTime(3601);
      await world.push({ BTC: "8000", LINK: "4" });
      await (await keeper.refreshCapital()).wait();
    },
  };

  for (const [what, tell] of Object.entries(noPrices)) {
    it(`that ${what}: nobody trades or is liquidated at it, and nobody else is held up`, async () => {
      const before = await world.ballast.health(account);
      await tell();
      const stale = { market: ETH, publishedAt: () => true, maxAge: 3600n };
      const asOwner = await world.as(owner);
      for (const size of ["1", "-10"]) {
        const trade = () => asOwner.trade(account, "ETH", size);
        expect(await outcomeOf(trade), size).to.equal("StaleMarketPrice");
        await expectRevert(trade, "StaleMarketPrice", stale);
      }
      expect((await world.ballast.price("ETH")).isFresh).to.equal(false);
      expect((await world.ballast.price("ETH")).priceWad).to.equal(wad("200"));
      const { equityMaintenanceWad, isLiquidatable } = await world.ballast.health(account);
      expect([equityMaintenanceWad, isLiquidatable]).to.deep.equal([before.equityMaintenanceWad, false]);
      const force = () => keeper.liquidatePosition(account, ETH, everything, world.ballast.poolAccount);
      expect(await outcomeOf(force)).to.equal("AccountHealthy");
      // Who holds ether as collateral may withdraw cash, and the ether; it counts for nothing else.
      const asOther = await world.as(world.signers[1]!);
      expect(await outcomeOf(() => asOther.trade(other, "BTC", "0.5"))).to.equal("done");
      expect(await outcomeOf(() => asOther.trade(other, "BTC", "-0.5"))).to.equal("done");
      expect(await outcomeOf(() => asOther.withdraw(other, "USDC", "900"))).to.equal("done");
      expect(await outcomeOf(() => asOther.withdraw(other, "WETH", "1"))).to.equal("done");
    });
  }

  it("a pushed price of zero, below it, from the future or older than one used is refused", async () => {
    const at = await now();
    const { oracle } = world.ballast;
    for (const priceWad of [0n, -wad("8000")])
      await expectRevert(() => oracle.push([0], [priceWad], at), "PriceNotPositive", { asset: 0n, priceWad });
    const later = at + 3600n;
    await expectRevert(() => oracle.push([0], [wad("8000")], later), "PriceFromFuture", {
      asset: 0n,
      publishedAt: later,
      blockTime: () => true,
    });
    await world.push({ BTC: "8001" });
    await expectRevert(() => oracle.push([0], [wad("8000")], at - 100n), "PriceOlderThanUsed", {
      asset: 0n,
      publishedAt: at - 100n,
      usedPublishedAt: () => true,
    });
    expect((await world.ballast.price("BTC")).priceWad).to.equal(wad("8001"));
  });
});
