import { expect } from "chai";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import { decodePrice, sequencerStates } from "../../sdk/index.js";
import type { MockAggregator, PriceOracle } from "../../typechain-types/index.js";
import { conducts, deployAggregator, deployMixedWorld } from "../helpers/chainlink.js";
import { expectRevert } from "../helpers/revert.js";
import { type Signer, type World, wad } from "../helpers/world.js";

const btc = 0; // pushed
const eth = 1; // read from an aggregator
const free = 3;
const E8 = 10n ** 8n;
const grace = 1800;
const zero = `0x${"0".repeat(40)}`;
/** Beside times: what an uptime feed answers. */
const up = 0n;
const down = 1n;

const setOf = (...assets: number[]) => assets.reduce((bits, asset) => bits | (1n << BigInt(asset)), 0n);
const stateNumber = (name: (typeof sequencerStates)[number]) => BigInt(sequencerStates.indexOf(name));

describe("contracts/SequencerGate", () => {
  let connection: Connection;
  let world: World;
  let oracle: PriceOracle;
  let aggregator: MockAggregator;
  let uptime: MockAggregator;
  let stranger: Signer;

  async function gated() {
    const made = await deployMixedWorld(connection);
    const feed = await deployAggregator(connection, 0, up);
    const since = (await connection.networkHelpers.time.latest()) - 86_400;
    await (await feed.setAnswer(up, since)).wait();
    await (await made.world.ballast.oracle.setSequencer(await feed.getAddress(), grace)).wait();
    return { ...made, uptime: feed };
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    ({ world, aggregator, uptime } = await connection.networkHelpers.loadFixture(gated));
    oracle = world.ballast.oracle;
    [stranger] = world.signers as [Signer];
  });

  const now = async () => connection.networkHelpers.time.latest();
  const last = async (...assets: number[]) => (await oracle.lastPrices(setOf(...assets))).map(decodePrice);
  const marks = async (asset: number) => {
    const [price] = await last(asset);
    return [price?.isFresh, price?.isReduceOnly, price?.inGrace];
  };
  const told = async (fromBlock: number) =>
    (await world.ballast.events(fromBlock)).map(({ name, args }) => ({ name, ...args }));
  const nextBlock = async () => (await connection.ethers.provider.getBlockNumber()) + 1;
  const says = async (answer: bigint, since: number) => (await uptime.setAnswer(answer, since)).wait();
  const fresh = [true, false, false];
  const inGrace = [false, true, true];
  const unknown = [false, true, false];

  it("changes nothing while the sequencer is up, and has been for its grace time", async () => {
    const since = await now();
    await says(up, since);
    await connection.networkHelpers.time.increaseTo(since + grace);
    for (const asset of [btc, eth]) expect(await marks(asset)).to.deep.equal(fresh);
    expect((await oracle.prices(setOf(btc, eth, 96, 97))).length).to.equal(4);
    const price = { toleranceWad: wad("0.001"), maxAgeSeconds: 3600 };
    expect((await last(btc))[0]).to.deep.include({ ...price, priceWad: wad("8000") });
    expect((await last(eth))[0]).to.deep.include({ ...price, priceWad: wad("200") });
  });

  it("INV-51: lets no price be fresh while it is down, and a second too short a time after", async () => {
    await says(down, (await now()) - 86_400);
    for (const asset of [btc, eth, 96, 97]) expect(await marks(asset)).to.deep.equal(inGrace);
    const since = await now();
    await says(up, since);
    await connection.networkHelpers.time.increaseTo(since + grace - 1);
    for (const asset of [btc, eth]) expect(await marks(asset)).to.deep.equal(inGrace);
    await connection.networkHelpers.time.increaseTo(since + grace);
    for (const asset of [btc, eth]) expect(await marks(asset)).to.deep.equal(fresh);
  });

  it("gives no grace any more once the feed has told for more than three days that it is down", async () => {
    const since = await now();
    await says(down, since);
    const mostDowntime = 3 * 86_400;
    await connection.networkHelpers.time.increaseTo(since + mostDowntime - 100);
    await world.push({ BTC: "8000" });
    await (await aggregator.setAnswer(200n * E8, await now())).wait();
    const uptimeFeed = await uptime.getAddress();
    for (const [after, state, told] of [
      [0, "grace", inGrace],
      [1, "unknown", unknown],
      [1000, "unknown", unknown],
    ] as const) {
      await connection.networkHelpers.time.increaseTo(since + mostDowntime + after);
      for (const asset of [btc, eth]) expect(await marks(asset), `after ${after} s more`).to.deep.equal(told);
      expect([...(await oracle.sequencerStatus())]).to.deep.equal([uptimeFeed, BigInt(grace), stateNumber(state)]);
      const refused = { uptimeFeed, state: stateNumber(state) };
      await expectRevert(() => oracle.prices(setOf(btc)), "SequencerNotReady", refused);
    }
    const back = await now();
    await says(up, back);
    for (const asset of [btc, eth]) expect(await marks(asset)).to.deep.equal(inGrace);
    await connection.networkHelpers.time.increaseTo(back + grace);
    for (const asset of [btc, eth]) expect(await marks(asset)).to.deep.equal(fresh);
  });

  it("is up for as long as it is, which is no downtime", async () => {
    await says(up, (await now()) - 4 * 86_400);
    for (const asset of [btc, eth]) expect(await marks(asset)).to.deep.equal(fresh);
  });

  it("marks a price that is stale besides with grace alone", async () => {
    await says(down, await now());
    await world.passTime(3601);
    for (const asset of [btc, eth]) expect(await marks(asset)).to.deep.equal([false, false, true]);
    await says(up, (await now()) - grace);
    for (const asset of [btc, eth]) expect(await marks(asset)).to.deep.equal([false, false, false]);
  });

  it("goes on telling prices that are pushed and read while it is down", async () => {
    await says(down, await now());
    await world.push({ BTC: "7900" });
    await (await aggregator.setAnswer(190n * E8, await now())).wait();
    expect((await last(btc, eth)).map(({ priceWad }) => priceWad)).to.deep.equal([wad("7900"), wad("190")]);
    for (const asset of [btc, eth]) expect(await marks(asset)).to.deep.equal(inGrace);
  });

  it("says what keeps a price from being fresh", async () => {
    const uptimeFeed = await uptime.getAddress();
    await says(down, await now());
    for (const asset of [btc, eth]) {
      const state = stateNumber("grace");
      await expectRevert(() => oracle.prices(setOf(asset)), "SequencerNotReady", { uptimeFeed, state });
    }
    await (await uptime.setConduct(conducts.reverts, 0, 0)).wait();
    const state = stateNumber("unknown");
    await expectRevert(() => oracle.prices(setOf(btc)), "SequencerNotReady", { uptimeFeed, state });
    const [price] = await last(btc);
    await world.passTime(3601);
    await expectRevert(() => oracle.prices(setOf(btc)), "PriceStale", {
      asset: btc,
      publishedAt: price?.publishedAt,
      maxAge: 3600n,
    });
    await expectRevert(() => oracle.prices(setOf(free)), "PriceMissing", { asset: free });
    expect(await oracle.lastPrices(setOf(free))).to.deep.equal([0n]);
  });

  describe("an uptime feed that gives no answer keeps prices from being fresh, and gives no grace:", () => {
    type Failure = readonly [title: string, fail: () => Promise<unknown>];
    const round = (change: (at: bigint) => Partial<Record<"answer" | "startedAt", bigint>>) => async () => {
      const at = BigInt(await now());
      const plain = { roundId: 9n, answer: up, startedAt: at - 86_400n, updatedAt: at, answeredInRound: 9n };
      return (await uptime.setRound({ ...plain, ...change(at) })).wait();
    };
    const behaves = (conduct: keyof typeof conducts) => async () =>
      (await uptime.setConduct(conducts[conduct], 0, 0)).wait();
    const failures: readonly Failure[] = [
      ["its code is gone", async () => connection.networkHelpers.setCode(await uptime.getAddress(), "0x")],
      ["it reverts", behaves("reverts")],
      ["it reverts with a bomb", behaves("revertsWithBomb")],
      ["it burns its gas", behaves("burnsAllGas")],
      ["it returns too little", behaves("returnsTooLittle")],
      ["it tells neither up nor down", round(() => ({ answer: 2n }))],
      ["it tells less than nothing", round(() => ({ answer: -1n }))],
      ["it was never told since when", round(() => ({ startedAt: 0n }))],
      ["it is down since never", round(() => ({ answer: down, startedAt: 0n }))],
      ["it tells of a time to come", round((at) => ({ startedAt: at + 100n }))],
      ["it is down for longer than sequencers are", round((at) => ({ answer: down, startedAt: at - 3n * 86_400n }))],
    ];

    for (const [title, fail] of failures) {
      it(title, async () => {
        await fail();
        for (const asset of [btc, eth]) expect(await marks(asset)).to.deep.equal(unknown);
        expect((await oracle.sequencerStatus()).state).to.equal(stateNumber("unknown"));
      });
    }
  });

  it("lets no caller have the feed taken for dead by sending little gas", async () => {
    await (await uptime.setConduct(conducts.answersWithGas, 95_000, 0)).wait();
    let answered = 0;
    for (let gasLimit = 30_000n; gasLimit <= 260_000n; gasLimit += 1_000n) {
      const prices = await oracle.lastPrices(setOf(btc), { gasLimit }).catch(() => undefined);
      if (prices === undefined) continue;
      answered += 1;
      expect(decodePrice(prices[0]!).isFresh, `with ${gasLimit} gas`).to.equal(true);
    }
    expect(answered).to.be.above(50);
  });

  it("asks the feed once for all assets", async () => {
    const one = await oracle.lastPrices.estimateGas(setOf(btc));
    const three = await oracle.lastPrices.estimateGas(setOf(btc, 2, 97));
    expect(three - one).to.be.below(15_000n);
  });

  describe("settings", () => {
    it("are told, and asked for with the state", async () => {
      const uptimeFeed = await uptime.getAddress();
      const from = await nextBlock();
      await (await oracle.setSequencer(uptimeFeed, 600)).wait();
      expect(await told(from)).to.deep.equal([{ name: "SequencerSet", uptimeFeed, graceSeconds: 600n }]);
      expect([...(await oracle.sequencerStatus())]).to.deep.equal([uptimeFeed, 600n, stateNumber("up")]);
    });

    it("are for the admin alone", async () => {
      await expectRevert(() => oracle.connect(stranger).setSequencer(zero, 0), "AccessManagedUnauthorized", {
        caller: stranger.address,
      });
    });

    it("stay within a grace time of 10 minutes to a day", async () => {
      const feed = await uptime.getAddress();
      for (const graceSeconds of [0n, 599n, 86_401n]) {
        await expectRevert(() => oracle.setSequencer(feed, graceSeconds), "GraceOutOfBounds", { graceSeconds });
      }
      for (const graceSeconds of [600n, 86_400n]) await (await oracle.setSequencer(feed, graceSeconds)).wait();
    });

    it("take a feed that tells that the sequencer is down, not for three days, and refuse one that answers otherwise", async () => {
      const feed = await uptime.getAddress();
      await says(down, await now());
      await (await oracle.setSequencer(feed, grace)).wait();
      await says(down, (await now()) - 3 * 86_400);
      await expectRevert(() => oracle.setSequencer(feed, grace), "UptimeFeedRefused", { uptimeFeed: feed });
      for (const uptimeFeed of [stranger.address, world.deployment.vault, await aggregator.getAddress()]) {
        await expectRevert(() => oracle.setSequencer(uptimeFeed, grace), "UptimeFeedRefused", { uptimeFeed });
      }
    });

    it("send every feed through the gate, whenever it is set, and none once there is no sequencer", async () => {
      await says(down, await now());
      await (await oracle.setPushFeed(free, wad("0.001"), 3600)).wait();
      await (await oracle.push([free], [wad("1")], await now())).wait();
      const source = await deployAggregator(connection, 8, 200n * E8);
      await (await oracle.setChainlinkFeed(4, wad("0.001"), 3600, await source.getAddress(), 0, wad("2000"))).wait();
      await (await oracle.setPushFeed(eth, wad("0.001"), 3600)).wait();
      await (await oracle.refresh([4])).wait();
      for (const asset of [free, 4, eth, btc]) expect(await marks(asset), `asset ${asset}`).to.deep.equal(inGrace);
      const from = await nextBlock();
      await (await oracle.setSequencer(zero, 0)).wait();
      expect(await told(from)).to.deep.equal([{ name: "SequencerSet", uptimeFeed: zero, graceSeconds: 0n }]);
      expect([...(await oracle.sequencerStatus())]).to.deep.equal([zero, 0n, stateNumber("up")]);
      for (const asset of [free, 4, eth, btc]) expect(await marks(asset), `asset ${asset}`).to.deep.equal(fresh);
      expect(await oracle.lastPrices(setOf(50))).to.deep.equal([0n]);
    });

    it("cost a chain without a sequencer nothing", async () => {
      await (await oracle.setSequencer(zero, 0)).wait();
      const ungated = await oracle.lastPrices.estimateGas(setOf(btc, 2));
      await connection.networkHelpers.setCode(await uptime.getAddress(), "0x");
      await world.push({ BTC: "8000" });
      expect(await oracle.lastPrices.estimateGas(setOf(btc, 2))).to.equal(ungated);
      expect(await marks(btc)).to.deep.equal(fresh);
    });
  });
});
