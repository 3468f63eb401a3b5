import { expect } from "chai";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import { accountId } from "../../sdk/index.js";
import { MarginVault__factory, type MockPyth } from "../../typechain-types/index.js";
import {
  type Puppet,
  callsOf,
  cashIn,
  deployPuppet,
  outcomeOf,
  poolInterface,
  usd,
  vaultInterface,
} from "../helpers/attack.js";
import { bring, deployPythWorld, feeWei, updateOf } from "../helpers/pyth.js";
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

  describe("signed prices, brought by whoever trades between one and the next", () => {
    const E8 = 10n ** 8n;
    const size = "150000";
    let pyth: MockPyth;
    let trader: Signer;

    async function fromPyth() {
      return deployPythWorld(connection, withoutInterest);
    }

    beforeEach(async () => {
      ({ world, pyth } = await connection.networkHelpers.loadFixture(fromPyth));
      [trader] = world.signers as [Signer];
    });

    /** Opens at the price that is there, brings the next, and closes at that: so many seconds after the first was brought. */
    async function roundTrip(first: bigint, next: bigint, age: number, sizeDelta: string) {
      await bring(connection, pyth, { price: first });
      const { time } = connection.networkHelpers;
      const at = (await time.latest()) + age;
      const account = accountId(trader.address);
      const move = (sizeWad: bigint) =>
        vaultInterface.encodeFunctionData("trade", [account, 1n, sizeWad, 0n, 2n ** 64n]);
      const update = await updateOf(connection, pyth, { price: next, publishTime: at });
      const calls = [
        vaultInterface.encodeFunctionData("refreshCapital"),
        move(wad(sizeDelta)),
        vaultInterface.encodeFunctionData("updatePrices", [[update]]),
        move(-wad(sizeDelta)),
      ];
      await time.setNextBlockTimestamp(at);
      const gasLimit = 5_000_000n; // an estimate would be of another second
      return MarginVault__factory.connect(world.deployment.vault, trader).multicall(calls, { value: feeWei, gasLimit });
    }

    for (const [title, age, next, error] of [
      ["ten minutes", 600, 202n * E8, "StaleMarketPrice"],
      ["a minute", 60, 201n * E8, "InsufficientMargin"],
      ["a second", 1, 201n * E8, "InsufficientMargin"],
    ] as const) {
      it(`take nothing from the pool without capital, ${title} apart`, async () => {
        const pool = await world.ballast.cashOf(world.ballast.poolAccount);
        expect(await outcomeOf(() => roundTrip(200n * E8, next, age, size))).to.equal(error);
        expect(await world.ballast.cashOf(accountId(trader.address))).to.equal(0n);
        expect(await world.ballast.cashOf(world.ballast.poolAccount)).to.equal(pool);
      });
    }

    // The tolerance of the older is 0.1%, and as much again every ten seconds.
    for (const [age, move] of [
      [1, 110_000n],
      [10, 200_000n],
      [30, 400_000n],
      [60, 700_000n],
    ] as const) {
      it(`gain nothing with capital, ${age} s apart, by what an honest price may move meanwhile`, async () => {
        const account = await world.fund(trader, { USDC: "3000000" });
        for (const [next, sizeDelta] of [
          [200n * E8 + 200n * move, size],
          [200n * E8 - 200n * move, `-${size}`],
        ] as const) {
          const before = await world.ballast.cashOf(account);
          await (await roundTrip(200n * E8, next, age, sizeDelta)).wait();
          expect((await world.ballast.positions(account)).length).to.equal(0);
          const gained = (await world.ballast.cashOf(account)) - before;
          expect(gained < 0n, `gained ${gained}`).to.equal(true);
        }
      });
    }
  });
});
