import { expect } from "chai";
import hre from "hardhat";
import type { Provider } from "ethers";
import { pino } from "pino";

import type { Connection } from "../../ignition/deploy.js";
import { Observer } from "../../keeper/observe.js";
import { type AccountId, accountId, assetsOfSymbol } from "../../sdk/index.js";
import { conducts, deployAggregator, deployMixedWorld } from "../helpers/chainlink.js";
import { intercept, keptLog } from "../helpers/keeper.js";
import { bring, deployPythWorld } from "../helpers/pyth.js";
import { type Signer, type World, createWorld, deployWorld, wad } from "../helpers/world.js";

const silent = pino({ level: "silent" });

const observerOf = (world: World, lensChunk = 200, provider: Provider = world.ballast.provider) =>
  new Observer(provider, world.deployment, lensChunk, silent);

const blockOf = (world: World) => world.ballast.provider.getBlockNumber();

/** A generator of whole numbers below a bound: the same ones in each run. */
function numbers(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

const sizes = { BTC: "0.05", ETH: "2", LINK: "100" } as const;
const deposits = { USDC: "500", WETH: "2.5", WBTC: "0.05" } as const;

/** Deposits and trades of eight owners with two accounts each, and some of them undone again. */
async function live(world: World, seed: number): Promise<AccountId[]> {
  const next = numbers(seed);
  const pick = <T>(list: readonly T[]): T => list[next(list.length)] as T;
  const accounts: AccountId[] = [];
  for (const signer of world.signers.slice(0, 8)) {
    const client = await world.as(signer);
    for (const index of [0, 1]) {
      // Some cash for all, since nobody opens anything with a debt below the minimum.
      const account = await world.fund(signer, { USDC: "5", [pick(["USDC", "WETH", "WBTC"] as const)]: "1" }, index);
      accounts.push(account);
      for (const [token, amount] of Object.entries(deposits)) {
        if (next(2) === 0) await world.fund(signer, { [token]: amount }, index);
      }
      for (const [market, size] of Object.entries(sizes)) {
        if (next(2) === 0 || (await client.health(account)).freeMarginWad < 100n * 10n ** 18n) continue;
        await client.trade(account, market, next(2) === 0 ? size : `-${size}`);
      }
      const [position] = await client.positions(account);
      if (position !== undefined && next(3) === 0) await client.trade(account, position.market, -position.sizeWad);
    }
  }
  return accounts;
}

async function wordsOnChain(world: World, accounts: readonly AccountId[]): Promise<Map<AccountId, bigint>> {
  const words = new Map<AccountId, bigint>();
  for (const account of accounts) words.set(account, await world.ballast.vault.accountWord(account));
  return words;
}

/** Of these accounts, those whose word on the chain has the bit of one of these assets. */
async function holdersOnChain(world: World, accounts: readonly AccountId[], symbol: string): Promise<AccountId[]> {
  const bits = assetsOfSymbol(world.deployment, symbol).map((asset) => 1n << BigInt(asset));
  const found: AccountId[] = [];
  for (const account of accounts) {
    const { assets } = await world.ballast.state(account);
    if (bits.some((bit) => (assets & bit) !== 0n)) found.push(account);
  }
  return found;
}

describe("keeper/observe", () => {
  let accounts: AccountId[];
  let connection: Connection;

  before(async () => {
    connection = await hre.network.create();
  });

  after(() => connection.close());

  async function lived(): Promise<World> {
    const world = await deployWorld(connection);
    accounts = await live(world, 7);
    return world;
  }

  it("keeps a book that equals the chain's account words, pool and insurance apart", async () => {
    const world = await connection.networkHelpers.loadFixture(lived);
    const observer = observerOf(world);
    await observer.follow(await blockOf(world));
    expect(observer.book.words()).to.deep.equal(await wordsOnChain(world, accounts));

    const again = await live(world, 8);
    await observer.follow(await blockOf(world));
    expect(observer.book.words()).to.deep.equal(await wordsOnChain(world, [...new Set([...accounts, ...again])]));
  });

  it("checks every account with assets or debt on the first pass", async () => {
    const world = await connection.networkHelpers.loadFixture(lived);
    const due = await observerOf(world).follow(await blockOf(world));
    const states = await Promise.all(accounts.map(async (account) => world.ballast.state(account)));
    const exposed = accounts.filter((_, i) => states[i]!.assets !== 0n || states[i]!.principalWad < 0n);
    expect(due).to.have.members(exposed);
    expect(due.length).to.be.below(accounts.length);
  });

  for (const symbol of ["BTC", "ETH", "LINK"]) {
    it(`checks exactly the accounts that hold ${symbol}, as a market or as collateral, when its price is published`, async () => {
      const world = await connection.networkHelpers.loadFixture(lived);
      const observer = observerOf(world);
      await observer.follow(await blockOf(world));
      const { priceWad } = await world.ballast.price(symbol);
      await world.push({ [symbol]: String(priceWad / 10n ** 18n) });
      const holders = await holdersOnChain(world, accounts, symbol);
      const due = await observer.follow(await blockOf(world));
      expect(due).to.have.members(holders).and.have.length(holders.length);
      expect(holders.length).to.be.above(0).and.below(accounts.length);
    });
  }

  it("checks an account whose own word changed, and not one that has nothing at risk", async () => {
    const world = await connection.networkHelpers.loadFixture(lived);
    const observer = observerOf(world);
    await observer.follow(await blockOf(world));
    const [, , , , , , , , trader, saver] = world.signers;
    const account = await world.fund(trader!, { USDC: "100", WETH: "1" });
    await world.fund(saver!, { USDC: "100" });
    expect(await observer.follow(await blockOf(world))).to.deep.equal([account]);
    expect(await observer.follow(await blockOf(world))).to.deep.equal([]);
  });

  it("checks an account with a debt and no asset but cash", async () => {
    const world = await connection.networkHelpers.loadFixture(lived);
    const observer = observerOf(world);
    const debtor = accountId(world.signers[11]!.address);
    observer.book.set(debtor, (1n << 120n) - 10n ** 18n);
    expect(observer.book.exposed()).to.deep.equal([debtor]);
  });

  it("checks everything again after 50 blocks, or 60 seconds of chain time", async () => {
    const world = await connection.networkHelpers.loadFixture(lived);
    const observer = observerOf(world);
    const all = await observer.follow(await blockOf(world));
    expect(all.length).to.be.above(0);

    await connection.networkHelpers.mine(49, { interval: 1 });
    expect(await observer.follow(await blockOf(world))).to.deep.equal([]);
    await connection.networkHelpers.mine(1);
    expect(await observer.follow(await blockOf(world))).to.have.members(all);
    await world.passTime(30);
    expect(await observer.follow(await blockOf(world))).to.deep.equal([]);
    await world.passTime(30);
    expect(await observer.follow(await blockOf(world))).to.have.members(all);
  });

  it("starts anew when the chain went back", async () => {
    const world = await connection.networkHelpers.loadFixture(lived);
    const observer = observerOf(world);
    const all = await observer.follow(await blockOf(world));
    const snapshot = await connection.networkHelpers.takeSnapshot();
    await world.fund(world.signers[10]!, { WETH: "1" });
    await observer.follow(await blockOf(world));
    await snapshot.restore();
    expect(await observer.follow(await blockOf(world))).to.have.members(all);
    expect(observer.book.words()).to.deep.equal(await wordsOnChain(world, accounts));
  });

  it("reads the logs in halves where the node refuses a range", async () => {
    const world = await connection.networkHelpers.loadFixture(lived);
    const ranges: number[] = [];
    const narrow = intercept<Provider>(world.ballast.provider, {
      async getLogs(filter) {
        const { fromBlock, toBlock } = filter as { fromBlock: number; toBlock: number };
        if (toBlock - fromBlock >= 20) throw new Error("range too large");
        ranges.push(toBlock - fromBlock + 1);
        return world.ballast.provider.getLogs(filter);
      },
    });
    const block = await blockOf(world);
    const observer = observerOf(world, 200, narrow);
    await observer.follow(block);
    expect(ranges.reduce((sum, blocks) => sum + blocks)).to.equal(block - world.deployment.fromBlock + 1);
    expect(observer.book.words()).to.deep.equal(await wordsOnChain(world, accounts));
  });

  describe("with prices that are read from an aggregator", () => {
    const E8 = 10n ** 8n;

    async function mixed() {
      const { world, aggregator } = await deployMixedWorld(connection);
      const lived = await live(world, 7);
      return { world, aggregator, lived };
    }

    /** A mixed world whose first full pass is done, and which accounts hold ETH there. */
    async function enter() {
      const { world, aggregator, lived } = await connection.networkHelpers.loadFixture(mixed);
      const observer = observerOf(world);
      await observer.follow(await blockOf(world));
      const holders = await holdersOnChain(world, lived, "ETH");
      expect(holders.length).to.be.above(0).and.below(lived.length);
      const due = async () => observer.follow(await blockOf(world));
      const answer = async (price: bigint) => {
        await (await aggregator.setAnswer(price * E8, await connection.networkHelpers.time.latest())).wait();
      };
      return { world, aggregator, observer, holders, due, answer };
    }

    it("checks exactly the accounts that hold ETH, as a market or as collateral, when its aggregator tells another", async () => {
      const { holders, due, answer } = await enter();
      await answer(199n);
      expect(await due())
        .to.have.members(holders)
        .and.have.length(holders.length);
      expect(await due()).to.deep.equal([]);
    });

    it("checks them when the aggregator dies, and when it comes back", async () => {
      const { aggregator, holders, due } = await enter();
      await (await aggregator.setConduct(conducts.reverts, 0, 0)).wait();
      expect(await due()).to.have.members(holders);
      expect(await due()).to.deep.equal([]);
      await (await aggregator.setConduct(conducts.answers, 0, 0)).wait();
      expect(await due()).to.have.members(holders);
    });

    it("learns of another feed from its event", async () => {
      const { world, aggregator, observer, holders, due, answer } = await enter();
      const { oracle } = world.ballast;
      for (const asset of [1, 96]) await (await oracle.setPushFeed(asset, 10n ** 15n, 3600)).wait();
      expect(await due()).to.have.members(holders);
      await answer(198n);
      expect(await due()).to.deep.equal([]);
      const source = await aggregator.getAddress();
      const set = oracle.setChainlinkFeed(2, 10n ** 15n, 3600, source, 1n, 10n ** 21n);
      await (await set).wait();
      await due();
      await answer(197n);
      const linkHolders = await holdersOnChain(world, [...observer.book.words().keys()], "LINK");
      expect(await due())
        .to.have.members(linkHolders)
        .and.have.length(linkHolders.length);
    });

    it("asks the oracle nothing where all prices are pushed", async () => {
      const world = await connection.networkHelpers.loadFixture(lived);
      const called: unknown[] = [];
      const watched = intercept<Provider>(world.ballast.provider, {
        call(transaction) {
          called.push(transaction.to);
          return world.ballast.provider.call(transaction);
        },
      });
      await observerOf(world, 200, watched).follow(await blockOf(world));
      expect(called).to.deep.equal([]);
    });

    it("asks for no feed that is gone with a chain that went back", async () => {
      const { world, aggregator } = await enter();
      const { oracle, provider } = world.ballast;
      const asked: bigint[] = [];
      const watched = intercept<Provider>(provider, {
        call(transaction) {
          asked.push(oracle.interface.decodeFunctionData("lastPrices", transaction.data!)[0] as bigint);
          return provider.call(transaction);
        },
      });
      const observer = observerOf(world, 200, watched);
      const snapshot = await connection.networkHelpers.takeSnapshot();
      await (await oracle.setChainlinkFeed(3, 0, 3600, await aggregator.getAddress(), 1n, 10n ** 21n)).wait();
      await observer.follow(await blockOf(world));
      await snapshot.restore();
      await observer.follow(await blockOf(world));
      const eth = (1n << 1n) | (1n << 96n);
      expect(asked).to.deep.equal([eth | (1n << 3n), eth]);
    });

    it("loses nothing when the node does not answer", async () => {
      const { world, holders, answer } = await enter();
      let isGone = false;
      const moody = intercept<Provider>(world.ballast.provider, {
        call(transaction) {
          if (isGone) return Promise.reject(Object.assign(new Error("gone"), { code: "ECONNREFUSED" }));
          return world.ballast.provider.call(transaction);
        },
      });
      const observer = observerOf(world, 200, moody);
      await observer.follow(await blockOf(world));
      await answer(199n);
      isGone = true;
      const block = await blockOf(world);
      const error: unknown = await observer.follow(block).catch((reason: unknown) => reason);
      expect(error).to.have.property("code", "ECONNREFUSED");
      isGone = false;
      expect(await observer.follow(block)).to.have.members(holders);
    });

    it("takes the time of no aggregator's price for the chain's", async () => {
      const { world, aggregator, observer } = await enter();
      await world.passTime(30);
      const { updatedAt } = await aggregator.round();
      await (await aggregator.setAnswer(199n * E8, updatedAt + 1n)).wait();
      await (await world.ballast.oracle.refresh([1])).wait();
      await observer.follow(await blockOf(world));
      await world.passTime(31);
      await (await aggregator.setAnswer(198n * E8, updatedAt + 2n)).wait();
      await (await world.ballast.oracle.refresh([1])).wait();
      expect(await observer.follow(await blockOf(world))).to.have.members(observer.book.exposed());
    });

    it("has an aggregator's price stored when the stored one is 15 minutes behind", async () => {
      const { world, aggregator, observer, due } = await enter();
      const { updatedAt } = await aggregator.round();
      await connection.networkHelpers.time.increaseTo(updatedAt + 2000n);
      await (await aggregator.setAnswer(199n * E8, updatedAt + 899n)).wait();
      await due();
      expect(observer.toRefresh()).to.deep.equal([]);
      await (await aggregator.setAnswer(199n * E8, updatedAt + 900n)).wait();
      await due();
      expect(observer.toRefresh()).to.deep.equal([1, 96]);
      await (await world.ballast.oracle.refresh([96])).wait();
      await due();
      expect(observer.toRefresh()).to.deep.equal([1]);
      await (await aggregator.setConduct(conducts.reverts, 0, 0)).wait();
      await due();
      expect(observer.toRefresh()).to.deep.equal([]);
    });
  });

  describe("with prices that are read from Pyth", () => {
    it("checks nobody because a price grows older, and who holds ETH when it is stale, and when it is told anew", async () => {
      const { world, pyth } = await connection.networkHelpers.loadFixture(fromPyth);
      const [owner, other] = world.signers as [Signer, Signer];
      await bring(connection, pyth, { price: 200n * 10n ** 8n });
      const holder = await world.fund(owner, { WETH: "1" });
      await world.fund(other, { WBTC: "1" });
      const observer = observerOf(world);
      const due = async () => observer.follow(await blockOf(world));
      await due();
      const { toleranceWad, publishedAt } = await world.ballast.price("ETH");
      await world.passTime(10);
      expect((await world.ballast.price("ETH")).toleranceWad > toleranceWad).to.equal(true);
      expect(await due()).to.deep.equal([]);
      await connection.networkHelpers.time.increaseTo(publishedAt + 61);
      expect(await due()).to.deep.equal([holder]);
      await bring(connection, pyth, { price: 200n * 10n ** 8n });
      expect(await due()).to.deep.equal([holder]);
      expect(await due()).to.deep.equal([]);
    });

    async function fromPyth() {
      return deployPythWorld(connection);
    }
  });

  describe("what both sources of a pushed price agreed on", () => {
    const E8 = 10n ** 8n;
    const btc = 0;

    async function paired() {
      const world = await deployWorld(connection);
      const aggregator = await deployAggregator(connection, 8, 8000n * E8);
      const source = [await aggregator.getAddress(), 10n ** 18n, 10n ** 23n] as const;
      await (await world.ballast.oracle.setSecondChainlinkFeed(btc, 86_400, 10n ** 16n, ...source)).wait();
      return { world, aggregator };
    }

    it("is stored when it is 15 minutes behind the last push that the second agrees with, and not as long as it does not", async () => {
      const { world, aggregator } = await connection.networkHelpers.loadFixture(paired);
      const observer = observerOf(world);
      const { time } = connection.networkHelpers;
      const toRefresh = async () => {
        await observer.follow(await blockOf(world));
        return observer.toRefresh();
      };
      const agreedAt = (await world.ballast.price("BTC")).publishedAt;
      const push = async (price: string, at: number) =>
        (await world.ballast.oracle.push([btc], [wad(price)], at)).wait();
      await time.increaseTo(agreedAt + 1000);
      await push("8200", agreedAt + 899);
      expect(await toRefresh()).to.deep.equal([]);
      await (await aggregator.setAnswer(8200n * E8, await time.latest())).wait();
      expect(await toRefresh()).to.deep.equal([]);
      await (await aggregator.setAnswer(8000n * E8, await time.latest())).wait();
      await push("8200", agreedAt + 900);
      expect(await toRefresh(), "while they are apart").to.deep.equal([]);
      await (await aggregator.setAnswer(8200n * E8, await time.latest())).wait();
      expect(await toRefresh()).to.deep.equal([btc]);
      await (await world.ballast.oracle.refresh([btc])).wait();
      expect(await toRefresh()).to.deep.equal([]);
    });

    it("counts no more once its price is read", async () => {
      const { world, aggregator } = await connection.networkHelpers.loadFixture(paired);
      const observer = observerOf(world);
      const { time } = connection.networkHelpers;
      const first = await deployAggregator(connection, 8, 8000n * E8);
      await time.increase(1000);
      await (await first.setAnswer(8000n * E8, await time.latest())).wait();
      const source = [await first.getAddress(), 10n ** 18n, 10n ** 23n] as const;
      await (await world.ballast.oracle.setChainlinkFeed(btc, 10n ** 15n, 3600, ...source)).wait();
      await observer.follow(await blockOf(world));
      expect(observer.toRefresh()).to.deep.equal([]);
      await time.increase(1000);
      for (const one of [first, aggregator]) await (await one.setAnswer(8010n * E8, await time.latest())).wait();
      await observer.follow(await blockOf(world));
      expect(observer.toRefresh()).to.deep.equal([btc]);
    });
  });

  describe("reading", () => {
    it("tells those at risk as the vault does, however many accounts a call takes", async () => {
      const world = await createWorld();
      const opened: AccountId[] = [];
      for (const [i, signer] of world.signers.slice(0, 7).entries()) {
        const account = await world.fund(signer, { USDC: "1000" });
        await (await world.as(signer)).trade(account, "BTC", i % 2 === 0 ? "1.4" : "0.5");
        opened.push(account);
      }
      await world.push({ BTC: "7500" });
      const block = await blockOf(world);
      const expected = [0, 2, 4, 6].map((i) => opened[i]!);

      const readings = await Promise.all([1, 3, 200].map((chunk) => observerOf(world, chunk).read(opened, block)));
      for (const { risks, unreadable } of readings) {
        expect(risks.map(({ account }) => account)).to.deep.equal(expected);
        expect(unreadable).to.deep.equal([]);
        for (const { account, health, legs } of risks) {
          expect(health).to.deep.equal(await world.ballast.health(account));
          const preview = await world.ballast.vault.previewLiquidation(
            account,
            0,
            2n ** 256n - 1n,
            accountId(world.deployment.pool),
          );
          const { sizeDeltaWad, fillPriceWad, feeWad, rewardWad } = preview;
          const figures = { sizeDeltaWad, fillPriceWad, feeWad, rewardWad };
          expect(legs).to.deep.equal([{ market: 0, refusal: "none", ...figures }]);
        }
      }
      expect(readings[0]).to.deep.equal(readings[2]);
    });

    it("splits a call that the node refuses, and names an account that cannot be read without losing the others", async () => {
      const world = await createWorld();
      const accountsOf = [0, 1, 2, 3, 4].map((i) => accountId(world.signers[i]!.address));
      const [bad] = accountsOf.slice(3);
      const [target] = accountsOf;
      await world.fund(world.signers[0]!, { USDC: "1000" });
      await (await world.as(world.signers[0]!)).trade(target!, "BTC", "1.4");
      await world.push({ BTC: "7500" });
      const calls: number[] = [];
      const poor = intercept<Provider>(world.ballast.provider, {
        async call(transaction) {
          const asked = accountsOf.filter((account) => transaction.data!.includes(account.slice(2)));
          calls.push(asked.length);
          if (asked.length > 2 || asked.includes(bad!)) {
            throw Object.assign(new Error("out of gas"), { code: "CALL_EXCEPTION", data: null });
          }
          return world.ballast.provider.call(transaction);
        },
      });
      const { log, lines } = keptLog();
      const observer = new Observer(poor, world.deployment, 200, log);
      const { risks, unreadable } = await observer.read(accountsOf, await blockOf(world));
      expect(risks.map(({ account }) => account)).to.deep.equal([target]);
      expect(unreadable).to.deep.equal([{ account: bad, reason: "CALL_EXCEPTION" }]);
      // Halves until the one is found; the last call works out the one at risk.
      expect(calls).to.deep.equal([5, 3, 2, 1, 2, 1, 1, 1]);
      expect(lines.map(({ msg, account }) => [msg, account])).to.deep.equal([["failed", bad]]);
    });

    it("throws when the node does not answer", async () => {
      const world = await createWorld();
      const gone = intercept<Provider>(world.ballast.provider, {
        call: () => Promise.reject(Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" })),
      });
      const reading = observerOf(world, 200, gone).read([accountId(world.signers[0]!.address)], await blockOf(world));
      const error: unknown = await reading.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).to.have.property("code", "ECONNREFUSED");
    });
  });
});
