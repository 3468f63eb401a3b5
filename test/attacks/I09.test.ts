import { expect } from "chai";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import { type Puppet, callsOf, cashIn, deployPuppet, poolInterface, usd } from "../helpers/attack.js";
import { type Signer, type World, deployWorld, thinEth, wad, withoutInterest } from "../helpers/world.js";

describe("I09: a price is made and used in one transaction, or in one block", () => {
  let connection: Connection;
  let world: World;
  let puppet: Puppet;
  let calls: ReturnType<typeof callsOf>;

  async function thin() {
    return deployWorld(connection, (parameters) =>
      withoutInterest(thinEth(parameters, { vault: { poolLockSeconds: "1" } })),
    );
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    world = await connection.networkHelpers.loadFixture(thin);
    calls = callsOf(world);
    // Half of the pool is the attacker's, and may leave.
    puppet = await deployPuppet(world, { USDC: "11000000" });
    await puppet.act(
      calls.vault("deposit", [puppet.account, usdc(), usd("1000000")]),
      calls.pool("deposit", [usd("10000000"), puppet.address]),
    );
    await world.passTime(2);
  });

  const usdc = () => world.deployment.settlementToken.address;
  const trade = (size: string) => calls.vault("trade", [puppet.account, 1n, wad(size), 0n, 2n ** 64n]);
  const shares = () => world.ballast.pool.balanceOf(puppet.address);
  const redeem = async () => calls.pool("redeem", [await shares(), puppet.address, puppet.address]);
  const wealth = async () =>
    (await cashIn(world, puppet.address)) +
    (await world.ballast.cashOf(puppet.account)) +
    (await world.ballast.pool.previewRedeem(await shares())) * 10n ** 12n;

  for (const size of ["20", "200", "-200"]) {
    it(`a skew of ${size} raises no share's price for who redeems within the transaction`, async () => {
      const before = await wealth();
      await puppet.act(trade(size), await redeem(), trade(String(-Number(size))));
      const gained = (await wealth()) - before;
      expect(gained <= 0n, `gained ${gained}`).to.equal(true);
    });

    it(`a skew of ${size} lowers no share's price for who deposits within the transaction`, async () => {
      await world.mint("USDC", puppet.address, "5000000");
      const before = await wealth();
      await puppet.act(
        trade(size),
        calls.pool("deposit", [usd("5000000"), puppet.address]),
        trade(String(-Number(size))),
      );
      await world.passTime(2);
      const gained = (await wealth()) - before;
      expect(gained <= 0n, `gained ${gained}`).to.equal(true);
    });
  }

  it("no token that anybody holds, mints or gives away moves a price", async () => {
    const all = (1n << 97n) | (1n << 96n) | 7n;
    const before = await world.ballast.oracle.lastPrices(all);
    for (const to of [world.deployment.oracle, world.deployment.vault, world.deployment.pool, puppet.address]) {
      await world.mint("USDC", to, "1000000000");
      await world.mint("WETH", to, "1000000");
    }
    await puppet.act(trade("200"));
    expect(await world.ballast.oracle.lastPrices(all)).to.deep.equal(before);
  });

  it("who trades before and after a push of the same block gains nothing by it", async () => {
    const trader = world.signers[0] as Signer;
    const account = await world.fund(trader, { USDC: "1000000" });
    const { vault } = await world.as(trader);
    const before = await world.ballast.cashOf(account);
    const { provider } = connection.ethers;
    const block = await provider.getBlockNumber();
    await connection.provider.request({ method: "evm_setAutomine", params: [false] });
    const gasLimit = 2_000_000n;
    await vault.trade(account, 1n, wad("10"), 0n, 2n ** 64n, { gasLimit, gasPrice: 9n * 10n ** 9n });
    const { timestamp } = (await provider.getBlock("latest"))!;
    await world.ballast.oracle.push([1], [wad("200.2")], timestamp, { gasLimit, gasPrice: 8n * 10n ** 9n });
    await vault.trade(account, 1n, -wad("10"), 0n, 2n ** 64n, { gasLimit, gasPrice: 7n * 10n ** 9n });
    await connection.provider.request({ method: "evm_mine", params: [] });
    await connection.provider.request({ method: "evm_setAutomine", params: [true] });
    expect((await provider.getBlock(block + 1))!.transactions.length).to.equal(3);
    expect((await world.ballast.price("ETH")).priceWad).to.equal(wad("200.2"));
    expect((await world.ballast.positions(account)).length).to.equal(0);
    const gained = (await world.ballast.cashOf(account)) - before;
    expect(gained < 0n, `gained ${gained}`).to.equal(true);
  });

  it("a share's price is what previews say, whoever asks within a transaction", async () => {
    const asked = poolInterface.encodeFunctionData("previewRedeem", [wad("1")]);
    const before = await world.ballast.pool.previewRedeem(wad("1"));
    const told = await puppet.contract.act.staticCall(world.deployment.pool, asked);
    expect(BigInt(told)).to.equal(before);
  });
});
