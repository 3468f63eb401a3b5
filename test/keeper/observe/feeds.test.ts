import { expect } from "chai";
import hre from "hardhat";

import type { Connection } from "../../../ignition/deploy.js";
import { Feeds } from "../../../keeper/observe/feeds.js";
import { type Deployment, readState } from "../../../sdk/index.js";
import { conducts, deployAggregator, deployMixedWorld } from "../../helpers/chainlink.js";
import { type World, deployWorld, wad } from "../../helpers/world.js";
import { nodeOf } from "../scene.js";

const E8 = 10n ** 8n;
const btc = 0;

/** Follows the chain and tells what is to be stored. */
function toRefreshIn(world: World, feeds = feedsOf(world)): () => Promise<number[]> {
  return async () => {
    const block = await world.ballast.provider.getBlockNumber();
    await feeds.follow(block, 1, 0);
    return feeds.toRefresh((await readState(world.ballast.provider, world.deployment, [])).prices);
  };
}

const feedsOf = (world: World, deployment: Deployment = world.deployment) => new Feeds(nodeOf(world), deployment);

describe("keeper/observe/feeds", () => {
  let connection: Connection;

  before(async () => {
    connection = await hre.network.create();
  });

  after(() => connection.close());

  async function mixed() {
    return deployMixedWorld(connection);
  }

  it("has an aggregator's price stored when the stored one is 15 minutes behind", async () => {
    const { world, aggregator } = await connection.networkHelpers.loadFixture(mixed);
    const toRefresh = toRefreshIn(world);
    const { updatedAt } = await aggregator.round();
    await connection.networkHelpers.time.increaseTo(updatedAt + 2000n);
    await (await aggregator.setAnswer(199n * E8, updatedAt + 899n)).wait();
    expect(await toRefresh()).to.deep.equal([]);
    await (await aggregator.setAnswer(199n * E8, updatedAt + 900n)).wait();
    expect(await toRefresh()).to.deep.equal([1, 96]);
    await (await world.ballast.oracle.refresh([96])).wait();
    expect(await toRefresh()).to.deep.equal([1]);
    await (await aggregator.setConduct(conducts.reverts, 0, 0)).wait();
    expect(await toRefresh()).to.deep.equal([]);
  });

  it("forgets what stood in blocks that the chain took back", async () => {
    const { world, aggregator } = await connection.networkHelpers.loadFixture(mixed);
    const { updatedAt } = await aggregator.round();
    await connection.networkHelpers.time.increaseTo(updatedAt + 2000n);
    await (await aggregator.setAnswer(199n * E8, updatedAt + 900n)).wait();
    const feeds = feedsOf(world);
    const toRefresh = toRefreshIn(world, feeds);
    expect(await toRefresh()).to.deep.equal([1, 96]);
    const snapshot = await connection.networkHelpers.takeSnapshot();
    await (await world.ballast.oracle.refresh([1, 96])).wait();
    expect(await toRefresh()).to.deep.equal([]);
    await snapshot.restore();
    await connection.provider.request({ method: "evm_mine", params: [] });
    const block = await world.ballast.provider.getBlockNumber();
    await feeds.follow(block, 1, 1);
    const { prices } = await readState(world.ballast.provider, world.deployment, []);
    expect(feeds.toRefresh(prices)).to.deep.equal([1, 96]);
  });

  it("forgets it too where the node does not answer at first", async () => {
    const { world, aggregator } = await connection.networkHelpers.loadFixture(mixed);
    const { updatedAt } = await aggregator.round();
    await connection.networkHelpers.time.increaseTo(updatedAt + 2000n);
    await (await aggregator.setAnswer(199n * E8, updatedAt + 900n)).wait();
    const node = nodeOf(world);
    let isDown = false;
    const send = async (method: string, params: unknown[]) => {
      if (isDown) throw new Error("down");
      return node.send(method, params);
    };
    const feeds = new Feeds({ send }, world.deployment);
    const toRefresh = toRefreshIn(world, feeds);
    const snapshot = await connection.networkHelpers.takeSnapshot();
    await (await world.ballast.oracle.refresh([1, 96])).wait();
    expect(await toRefresh()).to.deep.equal([]);
    await snapshot.restore();
    await connection.provider.request({ method: "evm_mine", params: [] });
    const block = await world.ballast.provider.getBlockNumber();
    isDown = true;
    const failed = await feeds.follow(block, 1, 1).catch((error: unknown) => (error as Error).message);
    expect(failed).to.equal("down");
    isDown = false;
    await feeds.follow(block, 0, 0);
    const { prices } = await readState(world.ballast.provider, world.deployment, []);
    expect(feeds.toRefresh(prices)).to.deep.equal([1, 96]);
  });

  it("reads so much of a long log in a turn, and has nothing stored until it has read it all", async () => {
    const { world, aggregator } = await connection.networkHelpers.loadFixture(mixed);
    const { updatedAt } = await aggregator.round();
    await connection.networkHelpers.time.increaseTo(updatedAt + 2000n);
    await (await aggregator.setAnswer(199n * E8, updatedAt + 900n)).wait();
    const node = nodeOf(world);
    const asked: number[] = [];
    const shift = 40_000;
    const move = (block: string, by: number) => `0x${(Number(block) + by).toString(16)}`;
    /** The chain as it would be with so many empty blocks before it. */
    const late = {
      async send(method: string, [filter]: unknown[]) {
        const { fromBlock, toBlock, ...rest } = filter as { fromBlock: string; toBlock: string };
        asked.push(Number(fromBlock));
        if (Number(toBlock) < shift) return [];
        const from = move(fromBlock, -Math.min(shift, Number(fromBlock)));
        const logs = await node.send(method, [{ ...rest, fromBlock: from, toBlock: move(toBlock, -shift) }]);
        return (logs as { blockNumber: string }[]).map((log) => ({
          ...log,
          blockNumber: move(log.blockNumber, shift),
        }));
      },
    };
    const feeds = new Feeds(late, { ...world.deployment, fromBlock: 0 });
    const block = shift + (await world.ballast.provider.getBlockNumber());
    const { prices } = await readState(world.ballast.provider, world.deployment, []);
    const turns: [requests: number, toRefresh: number[]][] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      const before = asked.length;
      await feeds.follow(block, 0, 0);
      turns.push([asked.length - before, feeds.toRefresh(prices)]);
    }
    expect(turns).to.deep.equal([
      [8, []],
      [8, []],
      [5, [1, 96]],
    ]);
  });

  it("leaves an asset alone that is pushed from now on", async () => {
    const { world, aggregator } = await connection.networkHelpers.loadFixture(mixed);
    const { updatedAt } = await aggregator.round();
    await connection.networkHelpers.time.increaseTo(updatedAt + 2000n);
    await (await aggregator.setAnswer(199n * E8, updatedAt + 900n)).wait();
    await (await world.ballast.oracle.setPushFeed(96, 10n ** 15n, 3600)).wait();
    expect(await toRefreshIn(world)()).to.deep.equal([1]);
  });

  it("reads the log in halves where the node refuses a range", async () => {
    const { world, aggregator } = await connection.networkHelpers.loadFixture(mixed);
    const { updatedAt } = await aggregator.round();
    await connection.networkHelpers.time.increaseTo(updatedAt + 2000n);
    await (await aggregator.setAnswer(199n * E8, updatedAt + 900n)).wait();
    const node = nodeOf(world);
    const narrow = new Feeds(
      {
        async send(method, params) {
          const [{ fromBlock, toBlock }] = params as [{ fromBlock: string; toBlock: string }];
          if (Number(toBlock) - Number(fromBlock) >= 20) throw new Error("range too large");
          return node.send(method, params);
        },
      },
      world.deployment,
    );
    expect(await toRefreshIn(world, narrow)()).to.deep.equal([1, 96]);
  });

  describe("of a pushed price that is checked against an aggregator", () => {
    async function paired() {
      const world = await deployWorld(connection);
      const aggregator = await deployAggregator(connection, 8, 8000n * E8);
      const source = [await aggregator.getAddress(), 10n ** 18n, 10n ** 23n] as const;
      await (await world.ballast.oracle.setSecondChainlinkFeed(btc, 86_400, 10n ** 16n, ...source)).wait();
      return { world, aggregator };
    }

    it("has what both agree on stored 15 minutes behind the last, and nothing while they do not", async () => {
      const { world, aggregator } = await connection.networkHelpers.loadFixture(paired);
      const toRefresh = toRefreshIn(world);
      const { time } = connection.networkHelpers;
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

    it("has the stored price count once the first source is read too", async () => {
      const { world, aggregator } = await connection.networkHelpers.loadFixture(paired);
      const toRefresh = toRefreshIn(world);
      const { time } = connection.networkHelpers;
      const first = await deployAggregator(connection, 8, 8000n * E8);
      await time.increase(1000);
      await (await first.setAnswer(8000n * E8, await time.latest())).wait();
      const source = [await first.getAddress(), 10n ** 18n, 10n ** 23n] as const;
      await (await world.ballast.oracle.setChainlinkFeed(btc, 10n ** 15n, 3600, ...source)).wait();
      expect(await toRefresh()).to.deep.equal([]);
      await time.increase(1000);
      for (const one of [first, aggregator]) await (await one.setAnswer(8010n * E8, await time.latest())).wait();
      expect(await toRefresh()).to.deep.equal([btc]);
    });
  });
});
