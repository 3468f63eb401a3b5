import hre from "hardhat";
import { expect } from "chai";

import { type World, deployWorld, roundFigures, wad } from "../helpers/world.js";

const eth = 1;

describe("a position that delisting has left without size", () => {
  async function delisted(): Promise<{ world: World; account: string }> {
    const world = await deployWorld(await hre.network.create(), roundFigures);
    const owner = world.signers[0]!;
    const account = await world.fund(owner, { USDC: "200", WETH: "10" });
    await (await world.as(owner)).trade(account, "ETH", "10");
    const { timestamp } = (await world.connection.ethers.provider.getBlock("latest"))!;
    await (await world.ballast.vault.announceDelisting(eth, timestamp + 86_401, 0n)).wait();
    await world.passTime(86_402);
    await world.push({ BTC: "8000", ETH: "170", LINK: "4" });
    await (await world.ballast.vault.delist(eth)).wait();
    return { world, account };
  }

  it("keeps the keeper's floor of its account until it is settled, so that settling its loss does not lower health", async () => {
    const { world, account } = await delisted();
    const { vault } = world.ballast;
    const before = await vault.health(account);
    expect(before.netCashWad).to.be.below(0n); // cash covers no such loss
    await (await vault.settle(account, eth)).wait();
    const after = await vault.health(account);
    // One more second of interest is all that may come between: the rate at no use of cash is 1% a year.
    expect(after.requirementMaintenanceWad - before.requirementMaintenanceWad).to.be.below(wad("0.000001"));
    expect(after.equityMaintenanceWad - before.equityMaintenanceWad).to.be.within(-wad("0.000001"), 0n);
  });
});
