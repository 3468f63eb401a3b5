import { expect } from "chai";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import { type AccountId, accountId } from "../../sdk/index.js";
import { type MarginVault, MarginVault__factory } from "../../typechain-types/index.js";
import { everything, outcomeOf, usd } from "../helpers/attack.js";
import { audit } from "../helpers/audit.js";
import { expectRevert } from "../helpers/revert.js";
import { type Signer, type World, deployWorld, roundFigures, wad, withoutInterest } from "../helpers/world.js";

describe("I12: a way out looks at one part of what an account owes and not at another", () => {
  let connection: Connection;
  let world: World;
  let owner: Signer;
  let vault: MarginVault;
  let account: AccountId;
  let second: AccountId;

  async function quiet() {
    return deployWorld(connection, (parameters) => withoutInterest(roundFigures(parameters)));
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    world = await connection.networkHelpers.loadFixture(quiet);
    [owner] = world.signers as [Signer];
    vault = MarginVault__factory.connect(world.deployment.vault, owner);
    [account, second] = [accountId(owner.address), accountId(owner.address, 1)];
  });

  const usdc = () => world.deployment.settlementToken.address;
  const weth = () => world.deployment.collaterals[0]!.address;
  const trade = async (size: string) => (await world.as(owner)).trade(account, "ETH", size);

  /** Every act by which something leaves an account, of its owner or through another account of his. */
  const ways: Readonly<Record<string, () => Promise<unknown>>> = {
    "a withdrawal of collateral": () => vault.withdraw(account, weth(), wad("9.9"), owner.address),
    "a withdrawal of all collateral": () => vault.withdraw(account, weth(), wad("10"), owner.address),
    "a withdrawal of cash": () => vault.withdraw(account, usdc(), usd("1000"), owner.address),
    "a transfer of collateral": () => vault.transfer(account, second, weth(), wad("10")),
    "a transfer of cash": () => vault.transfer(account, second, usdc(), usd("1000")),
  };
  const margin = { equityWad: () => true, requiredWad: (wei: bigint) => wei > 0n };

  for (const [title, way] of Object.entries(ways)) {
    it(`${title} is refused to an account with a debt and no position, which could not pay it after it`, async () => {
      await world.fund(owner, { WETH: "10" });
      await (await vault.withdraw(account, usdc(), usd("1500"), owner.address)).wait();
      await expectRevert(way, "InsufficientMargin", { ...margin, account });
      expect((await world.ballast.health(account)).equityMaintenanceWad > 0n).to.equal(true);
      await audit(world);
    });

    it(`${title} is refused to an account that has lost in a position what it would take out`, async () => {
      await world.fund(owner, { WETH: "10", USDC: "100" });
      await trade("100");
      await world.push({ ETH: "192" });
      await expectRevert(way, "InsufficientMargin", { ...margin, account });
      await audit(world);
    });
  }

  it("settling first opens none of them: a loss is owed before and after it", async () => {
    await world.fund(owner, { WETH: "10", USDC: "100" });
    await trade("100");
    await world.push({ ETH: "192" });
    await (await vault.settle(account, 1n)).wait();
    for (const way of Object.values(ways)) expect(await outcomeOf(way)).to.equal("InsufficientMargin");
    await trade("-100");
    expect(await outcomeOf(ways["a withdrawal of all collateral"]!)).to.equal("InsufficientMargin");
    expect((await world.ballast.cashOf(account)) < 0n).to.equal(true);
    await audit(world);
  });

  it("nor does liquidating oneself, being absorbed while sound, or leaving with the pool's margin", async () => {
    await world.fund(owner, { WETH: "10" });
    await world.fund(owner, { USDC: "5000" }, 1);
    await (await vault.withdraw(account, usdc(), usd("1500"), owner.address)).wait();
    const sell = () => vault.liquidateCollateral(account, weth(), everything, second);
    expect(await outcomeOf(sell)).to.equal("AccountHealthy");
    expect(await outcomeOf(() => vault.absorb([account], second))).to.equal("NothingToAbsorb");
    await world.fund(owner, { USDC: "10000000" }, 2);
    await (await world.as(owner)).trade(accountId(owner.address, 2), "ETH", "100000");
    await world.passTime(86_401);
    await world.refresh();
    const pool = world.ballast.pool.connect(world.admin);
    const all = await pool.balanceOf(world.admin);
    expect(await outcomeOf(() => pool.redeem(all, world.admin, world.admin))).to.equal("ERC4626ExceededMaxRedeem");
    await audit(world);
  });

  it("nor does the end of a market: what it leaves as a debt is still owed", async () => {
    await world.fund(owner, { WETH: "10", USDC: "100" });
    await trade("100");
    const due = (await connection.networkHelpers.time.latest()) + 86_500;
    await (await world.ballast.vault.announceDelisting(1n, due, 0n)).wait();
    await connection.networkHelpers.time.increaseTo(due);
    await world.push({ ETH: "192" });
    await (await vault.delist(1n)).wait();
    for (const way of Object.values(ways)) expect(await outcomeOf(way)).to.equal("InsufficientMargin");
    await (await vault.settle(account, 1n)).wait();
    expect(await outcomeOf(ways["a withdrawal of all collateral"]!)).to.equal("InsufficientMargin");
    await audit(world);
  });

  it("nor does a halt of everything: what a debt needs stays, what is free leaves, and repaying goes on", async () => {
    await world.fund(owner, { WETH: "10" });
    await (await vault.withdraw(account, usdc(), usd("1500"), owner.address)).wait();
    await world.fund(owner, { USDC: "100", WETH: "1" }, 1);
    await (await world.as(owner)).trade(second, "ETH", "5");
    const { vault: guardian } = world.ballast;
    for (const { symbol } of world.deployment.markets)
      await (await guardian.haltMarket(world.ballast.marketId(symbol))).wait();
    await (await guardian.haltBorrowing()).wait();
    for (const way of Object.values(ways))
      expect(await outcomeOf(way)).to.be.oneOf(["InsufficientMargin", "BorrowingHalted"]);
    expect(await outcomeOf(() => vault.withdraw(second, weth(), wad("0.5"), owner.address))).to.equal("done");
    expect(await outcomeOf(() => vault.transfer(second, account, usdc(), usd("20")))).to.equal("done");
    expect(await outcomeOf(async () => (await world.as(owner)).trade(second, "ETH", "-5"))).to.equal("done");
    await world.push({ ETH: "150" });
    const taker = await world.fund(world.signers[1]!, { USDC: "5000" });
    const sell = async () =>
      (await world.as(world.signers[1]!)).vault.liquidateCollateral(account, weth(), everything, taker);
    const absorb = async () => (await world.as(world.signers[1]!)).vault.absorb([account], taker);
    expect([await outcomeOf(sell), await outcomeOf(absorb)]).to.include("done");
    await audit(world);
  });

  it("nor does a multicall: what is owed at its end is asked for", async () => {
    await world.fund(owner, { WETH: "10" });
    const take = vault.interface.encodeFunctionData("withdraw", [account, usdc(), usd("1500"), owner.address]);
    for (const rest of [
      vault.interface.encodeFunctionData("withdraw", [account, weth(), wad("10"), owner.address]),
      vault.interface.encodeFunctionData("transfer", [account, second, weth(), wad("10")]),
    ])
      for (const calls of [
        [take, rest],
        [rest, take],
      ])
        expect(await outcomeOf(() => vault.multicall(calls))).to.equal("InsufficientMargin");
    await audit(world);
  });
});
