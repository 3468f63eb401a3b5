import { expect } from "chai";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import { decodePrice, feedFaults } from "../../sdk/index.js";
import type { MockAggregator, PriceOracle } from "../../typechain-types/index.js";
import { conducts, deployAggregator, deployMixedWorld } from "../helpers/chainlink.js";
import { expectRevert } from "../helpers/revert.js";
import { type Signer, type World, wad } from "../helpers/world.js";

const eth = 1;
const weth = 96;
const free = 3;
const E8 = 10n ** 8n;
const maximum = 10n ** 27n;
const days = 86_400n;
const largestInt = 2n ** 255n - 1n;

const setOf = (...assets: number[]) => assets.reduce((bits, asset) => bits | (1n << BigInt(asset)), 0n);
const faultNumber = (name: (typeof feedFaults)[number]) => BigInt(feedFaults.indexOf(name));

describe("contracts/Chainlink feeds", () => {
  let connection: Connection;
  let world: World;
  let oracle: PriceOracle;
  let aggregator: MockAggregator;
  let address: string;
  let stranger: Signer;

  async function mixed() {
    return deployMixedWorld(connection);
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    ({ world, aggregator } = await connection.networkHelpers.loadFixture(mixed));
    oracle = world.ballast.oracle;
    address = await aggregator.getAddress();
    [stranger] = world.signers as [Signer];
  });

  const now = async () => BigInt(await connection.networkHelpers.time.latest());
  const last = async (...assets: number[]) => (await oracle.lastPrices(setOf(...assets))).map(decodePrice);
  const behave = async (conduct: keyof typeof conducts, amount = 0n) => {
    await (await aggregator.setConduct(conducts[conduct], amount, amount)).wait();
  };
  /** A new round, with some of its words changed. */
  const answerRound = async (
    change: Partial<Record<"roundId" | "answer" | "updatedAt" | "answeredInRound", bigint>>,
  ) => {
    const at = await now();
    const round = { roundId: 9n, answer: 201n * E8, startedAt: at, updatedAt: at, answeredInRound: 9n, ...change };
    await (await aggregator.setRound(round)).wait();
  };
  const answer = async (price: bigint, updatedAt?: bigint) => {
    await (await aggregator.setAnswer(price, updatedAt ?? (await now()))).wait();
  };
  interface Settings {
    readonly asset?: number | bigint;
    readonly toleranceWad?: bigint;
    readonly maxAge?: bigint;
    readonly source?: string;
    readonly minPriceWad?: bigint;
    readonly maxPriceWad?: bigint;
  }
  const set = (settings: Settings = {}, by = oracle) => {
    const { asset = eth, toleranceWad = wad("0.001"), maxAge = 3600n, source = address } = settings;
    const { minPriceWad = wad("20"), maxPriceWad = wad("2000") } = settings;
    return by.setChainlinkFeed(asset, toleranceWad, maxAge, source, minPriceWad, maxPriceWad);
  };
  const told = async (fromBlock: number) =>
    (await world.ballast.events(fromBlock)).map(({ name, args }) => ({ name, ...args }));
  const nextBlock = async () => (await connection.ethers.provider.getBlockNumber()) + 1;

  describe("reading", () => {
    it("tells the aggregator's price as soon as it has one, and nobody stores it", async () => {
      await answer(201n * E8);
      const publishedAt = Number((await aggregator.round()).updatedAt);
      const price = {
        priceWad: wad("201"),
        toleranceWad: wad("0.001"),
        publishedAt,
        maxAgeSeconds: 3600,
        isFresh: true,
        isReduceOnly: false,
        inGrace: false,
      };
      expect(await last(eth, weth)).to.deep.equal([price, price]);
      expect((await oracle.prices(setOf(eth, weth))).map(decodePrice)).to.deep.equal([price, price]);
    });

    it("answers in ascending order of assets, pushed and read alike", async () => {
      await answer(201n * E8);
      const set = setOf(0, eth, 2, weth, 97);
      const words = await oracle.prices(set);
      expect(words.map((word) => decodePrice(word).priceWad)).to.deep.equal(
        ["8000", "201", "4", "201", "8000"].map((price) => wad(price)),
      );
      expect(await oracle.lastPrices(set)).to.deep.equal(words);
    });

    for (const [decimals, given, priceWad] of [
      [0, 201n, wad("201")],
      [8, 20_012_345_678n, wad("200.12345678")],
      [17, 2_001_234_567_890_123_456_7n, wad("200.12345678901234567")],
      [18, 200_123_456_789_012_345_678n, wad("200.123456789012345678")],
    ] as const) {
      it(`makes a wad of an answer with ${decimals} decimals without losing any`, async () => {
        const source = await (await deployAggregator(connection, decimals, given)).getAddress();
        await (await set({ asset: free, source })).wait();
        expect((await last(free))[0]?.priceWad).to.equal(priceWad);
        expect((await oracle.firstSource(free)).decimals).to.equal(BigInt(decimals));
      });
    }

    it("takes answers just inside its bounds, of the block's own second, and of the second of the last one stored", async () => {
      for (const inside of [20n * E8 + 1n, 2000n * E8 - 1n]) {
        await answer(inside);
        expect((await last(eth))[0]).to.include({ priceWad: inside * 10n ** 10n, isFresh: true });
      }
      await (await oracle.refresh([eth])).wait();
      const [{ publishedAt } = { publishedAt: 0 }] = await last(eth);
      await answer(202n * E8, BigInt(publishedAt));
      expect((await last(eth))[0]).to.include({ priceWad: wad("202"), isFresh: true });
    });

    it("tells an answer that is stale as the last good price, marked so a second after its age", async () => {
      await answer(150n * E8);
      const { updatedAt } = await aggregator.round();
      await connection.networkHelpers.time.increaseTo(updatedAt + 3600n);
      expect((await last(eth))[0]).to.include({ priceWad: wad("150"), isFresh: true });
      await connection.networkHelpers.time.increaseTo(updatedAt + 3601n);
      expect((await last(eth))[0]).to.include({ priceWad: wad("150"), isFresh: false });
      await expectRevert(() => oracle.prices(setOf(eth)), "PriceStale", {
        asset: eth,
        publishedAt: updatedAt,
        maxAge: 3600n,
      });
    });
  });

  describe("a feed that gives no good answer leaves the last good price, not fresh, and other assets alone:", () => {
    interface Failure {
      readonly title: string;
      readonly fault: (typeof feedFaults)[number];
      fail(): Promise<unknown>;
    }

    const round = (
      title: string,
      fault: Failure["fault"],
      change: () => Promise<Parameters<typeof answerRound>[0]>,
    ) => ({
      title,
      fault,
      fail: async () => answerRound(await change()),
    });
    const words = (title: string, fault: Failure["fault"], change: Parameters<typeof answerRound>[0]) =>
      round(title, fault, async () => change);

    const failures: readonly Failure[] = [
      { title: "its code is gone", fault: "noCode", fail: () => connection.networkHelpers.setCode(address, "0x") },
      { title: "it reverts", fault: "noAnswer", fail: () => behave("reverts") },
      { title: "it reverts with a bomb", fault: "noAnswer", fail: () => behave("revertsWithBomb") },
      { title: "it burns its gas", fault: "noAnswer", fail: () => behave("burnsAllGas") },
      { title: "it returns too little", fault: "noAnswer", fail: () => behave("returnsTooLittle") },
      words("its round does not fit its type", "noAnswer", { roundId: 2n ** 80n, answeredInRound: 2n ** 80n - 1n }),
      words("its answered round does not fit its type", "noAnswer", { answeredInRound: 2n ** 80n }),
      words("its round has no answer yet", "roundIncomplete", { updatedAt: 0n }),
      words("its answer is carried over from an earlier round", "roundIncomplete", { answeredInRound: 8n }),
      words("its answer is zero", "notPositive", { answer: 0n }),
      words("its answer is below zero", "notPositive", { answer: -1n }),
      words("its answer is the lowest there is", "notPositive", { answer: -largestInt - 1n }),
      words("its answer is at the smallest price", "outOfBounds", { answer: 20n * E8 }),
      words("its answer is below the smallest price", "outOfBounds", { answer: 1n }),
      words("its answer is at the largest price", "outOfBounds", { answer: 2000n * E8 }),
      words("its answer is beyond the largest price", "outOfBounds", { answer: 10n ** 20n }),
      words("its answer overflows as a wad", "outOfBounds", { answer: largestInt }),
      // Times 1e10, and without the highest bits, this would be a price of 200.
      words("its answer wraps around as a wad", "outOfBounds", { answer: (2n ** 256n + wad("200")) / 10n ** 10n }),
      round("its answer is from the future", "fromFuture", async () => ({ updatedAt: (await now()) + 100n })),
      words("its answer is from a far future", "fromFuture", { updatedAt: 2n ** 40n + 1n }),
      round("its answer is older than the last one stored", "olderThanUsed", async () => {
        const [price] = await last(eth);
        return { updatedAt: BigInt(price?.publishedAt ?? 0) - 1n };
      }),
    ];

    for (const { title, fault, fail } of failures) {
      it(`INV-47: ${title}`, async () => {
        const [before] = await last(eth);
        await fail();
        const held = { ...before, isFresh: false };
        expect(await last(eth, weth)).to.deep.equal([held, held]);
        const isRead = fault !== "noCode" && fault !== "noAnswer";
        const given = isRead ? await aggregator.round() : { answer: 0n, updatedAt: 0n };
        await expectRevert(() => oracle.prices(setOf(0, eth, 2)), "FeedRefused", {
          asset: eth,
          feed: address,
          fault: faultNumber(fault),
          answer: given.answer,
          updatedAt: given.updatedAt,
        });
        expect((await oracle.prices(setOf(0, 2, 97))).length).to.equal(3);
        // It is back as soon as its feed is.
        if (fault === "noCode") return;
        await behave("answers");
        await answerRound({ answer: 199n * E8 });
        expect((await last(eth))[0]).to.include({ priceWad: wad("199"), isFresh: true });
      });
    }
  });

  describe("gas", () => {
    const read = setOf(eth);
    const callWith = async (gasLimit: bigint) => (await oracle.lastPrices(read, { gasLimit })).map(decodePrice);

    it("never lets a caller make a good feed look dead by sending little", async () => {
      // A feed that needs nearly all that it is given, and with less gives it back for the rest of the call.
      await behave("answersWithGas", 95_000n);
      expect((await last(eth))[0]?.isFresh).to.equal(true);
      let fresh = 0;
      let refused = 0;
      for (let gasLimit = 30_000n; gasLimit <= 260_000n; gasLimit += 500n) {
        const prices = await callWith(gasLimit).catch(() => undefined);
        if (prices === undefined) refused += 1;
        else expect(prices[0]?.isFresh, `with ${gasLimit} gas`).to.equal(true);
        if (prices !== undefined) fresh += 1;
      }
      expect([fresh > 100, refused > 100]).to.deep.equal([true, true]);
    });

    it("refuses by name the call of a caller that leaves too little to ask a feed", async () => {
      await expectRevert(() => callWith(100_000n), "InsufficientGas", {
        gasLeft: (left: bigint) => left < 106_587n,
        gasNeeded: 106_587n,
      });
      // A push-fed asset asks nobody.
      expect((await oracle.lastPrices(setOf(0), { gasLimit: 60_000n })).length).to.equal(1);
    });

    for (const conduct of ["burnsAllGas", "revertsWithBomb", "returnsBomb"] as const) {
      it(`is bounded when a feed ${conduct === "burnsAllGas" ? "burns all it has" : "returns a bomb"} (${conduct})`, async () => {
        await behave(conduct, 180_000n);
        // A copy of what it returns would cost its caller as much again: tens of thousands.
        expect(await oracle.lastPrices.estimateGas(read)).to.be.below(145_000n);
        // The answer in front of the zeros is a good one.
        expect((await last(eth))[0]?.isFresh).to.equal(conduct === "returnsBomb");
      });
    }
  });

  describe("refreshing", () => {
    it("stores the aggregator's price for the time when it gives none, by anyone, and tells of it", async () => {
      await answer(150n * E8);
      const { updatedAt } = await aggregator.round();
      const from = await nextBlock();
      await (await oracle.connect(stranger).refresh([eth])).wait();
      expect(await told(from)).to.deep.equal([
        {
          name: "PricePublished",
          asset: BigInt(eth),
          priceWad: wad("150"),
          toleranceWad: wad("0.001"),
          publishedAt: updatedAt,
        },
      ]);
      await behave("reverts");
      const settings = {
        toleranceWad: wad("0.001"),
        maxAgeSeconds: 3600,
        isFresh: false,
        isReduceOnly: false,
        inGrace: false,
      };
      const [market, collateral] = await last(eth, weth);
      expect(market).to.deep.equal({ ...settings, priceWad: wad("150"), publishedAt: Number(updatedAt) });
      expect(collateral?.priceWad).to.equal(wad("200"));
    });

    it("leaves a price that is stored already, without a word", async () => {
      await answer(150n * E8);
      await (await oracle.refresh([eth])).wait();
      const from = await nextBlock();
      await (await oracle.refresh([eth, eth])).wait();
      expect(await told(from)).to.deep.equal([]);
    });

    it("is for assets that are read, and takes all of them or none", async () => {
      await answer(150n * E8);
      for (const asset of [0, free, 128, 1000]) {
        await expectRevert(() => oracle.refresh([eth, asset]), "NotReadLive", { asset });
      }
      await behave("reverts");
      expect((await last(eth))[0]?.priceWad).to.equal(wad("200"));
      await expectRevert(() => oracle.refresh([eth]), "FeedRefused", {
        asset: eth,
        feed: address,
        fault: faultNumber("noAnswer"),
        answer: 0n,
        updatedAt: 0n,
      });
    });
  });

  describe("pushing", () => {
    it("is refused for a Chainlink-fed asset, with the whole publication", async () => {
      const before = await last(0, eth);
      for (const asset of [eth, weth]) {
        await expectRevert(async () => oracle.push([0, asset], [wad("1"), wad("1")], await now()), "NotPushFed", {
          asset,
        });
      }
      expect(await last(0, eth)).to.deep.equal(before);
    });
  });

  describe("settings", () => {
    it("are told whole, with the price that the aggregator gives", async () => {
      const other = await deployAggregator(connection, 18, wad("150"));
      const source = await other.getAddress();
      const from = await nextBlock();
      await (
        await set({ toleranceWad: wad("0.005"), maxAge: 7200n, source, minPriceWad: 0n, maxPriceWad: maximum })
      ).wait();
      const asset = BigInt(eth);
      const toleranceWad = wad("0.005");
      const { updatedAt } = await other.round();
      expect(await told(from)).to.deep.equal([
        {
          name: "ChainlinkFeedSet",
          asset,
          aggregator: source,
          toleranceWad,
          maxAge: 7200n,
          minPriceWad: 0n,
          maxPriceWad: maximum,
          decimals: 18n,
        },
        { name: "PricePublished", asset, priceWad: wad("150"), toleranceWad, publishedAt: updatedAt },
      ]);
      expect([...(await oracle.firstSource(eth))]).to.deep.equal([
        source,
        0n,
        maximum,
        1n,
        18n,
        toleranceWad,
        0n,
        `0x${"0".repeat(64)}`,
      ]);
      const publishedAt = Number(updatedAt);
      expect((await last(eth))[0]).to.deep.equal({
        priceWad: wad("150"),
        toleranceWad,
        publishedAt,
        maxAgeSeconds: 7200,
        isFresh: true,
        isReduceOnly: false,
        inGrace: false,
      });
    });

    it("are for the admin alone", async () => {
      await expectRevert(() => set({}, oracle.connect(stranger)), "AccessManagedUnauthorized", {
        caller: stranger.address,
      });
    });

    it("stay within a tolerance of 10%, an age of 1 second to 30 days, and 128 assets", async () => {
      for (const [asset, toleranceWad, maxAge] of [
        [1n, wad("0.1") + 1n, 60n],
        [1n, 0n, 0n],
        [1n, 0n, 30n * days + 1n],
        [128n, 0n, 60n],
        [2n ** 200n, 0n, 60n],
      ] as const) {
        const refused = { asset, toleranceWad, maxAge };
        await expectRevert(() => set(refused), "FeedOutOfBounds", refused);
      }
      await (await set({ asset: 127n, toleranceWad: wad("0.1"), maxAge: 30n * days })).wait();
    });

    it("keep the smallest price below the largest, and that at most a billion", async () => {
      for (const [minPriceWad, maxPriceWad] of [
        [wad("200"), wad("200")],
        [wad("201"), wad("200")],
        [wad("20"), maximum + 1n],
        // What would not fit its field must not come out as another bound.
        [wad("20"), 2n ** 96n + wad("2000")],
        [2n ** 96n, 2n ** 96n + 1n],
      ] as const) {
        const refused = { asset: eth, minPriceWad, maxPriceWad };
        await expectRevert(() => set(refused), "PriceBoundsNotInOrder", { ...refused, asset: BigInt(eth) });
      }
    });

    it("refuse answers of more than 18 decimals", async () => {
      for (const decimals of [19n, 255n]) {
        await (await aggregator.setDecimals(decimals)).wait();
        await expectRevert(() => set(), "FeedDecimalsTooMany", { asset: eth, aggregator: address, decimals });
      }
    });

    it("refuse an address that is no aggregator, or gives no good answer now", async () => {
      const refused = (source: string, fault: (typeof feedFaults)[number], given = {}) =>
        expectRevert(() => set({ source }), "FeedRefused", {
          asset: eth,
          feed: source,
          fault: faultNumber(fault),
          answer: 0n,
          updatedAt: 0n,
          ...given,
        });
      await refused(stranger.address, "noCode");
      await refused(world.deployment.vault, "noAnswer");
      // A token has decimals, and no rounds.
      await refused(world.deployment.settlementToken.address, "noAnswer");
      await answer(2000n * E8);
      const { updatedAt } = await aggregator.round();
      await refused(address, "outOfBounds", { answer: 2000n * E8, updatedAt });
      expect((await oracle.firstSource(eth)).maxPriceWad).to.equal(wad("2000"));
    });

    it("refuse an aggregator whose answer is stale", async () => {
      const { updatedAt } = await aggregator.round();
      await world.passTime(3601);
      await expectRevert(() => set(), "PriceStale", { asset: eth, publishedAt: updatedAt, maxAge: 3600n });
    });
  });

  describe("another feed for an asset", () => {
    it("may be an aggregator whose answer is dated before the last price pushed", async () => {
      const source = await (await deployAggregator(connection, 8, 7990n * E8)).getAddress();
      await world.passTime(60);
      await world.push({ BTC: "8000" });
      await (await set({ asset: 0, source, maxPriceWad: wad("10000") })).wait();
      expect((await last(0))[0]).to.include({ priceWad: wad("7990"), isFresh: true });
    });

    it("may be an aggregator whose answer is dated before that of the one it had, which itself may not go back", async () => {
      const { updatedAt } = await aggregator.round();
      const other = await deployAggregator(connection, 8, 199n * E8);
      await (await other.setAnswer(199n * E8, updatedAt - 50n)).wait();
      await (await set({ source: await other.getAddress() })).wait();
      expect((await last(eth))[0]).to.include({ priceWad: wad("199"), publishedAt: Number(updatedAt) - 50 });
      await (await other.setAnswer(198n * E8, updatedAt - 51n)).wait();
      await expectRevert(async () => set({ source: await other.getAddress() }), "FeedRefused", {
        asset: eth,
        feed: await other.getAddress(),
        fault: faultNumber("olderThanUsed"),
        answer: 198n * E8,
        updatedAt: updatedAt - 51n,
      });
    });

    it("takes over what the aggregator told last, so that nothing older can be pushed", async () => {
      await answer(150n * E8);
      const { updatedAt } = await aggregator.round();
      const from = await nextBlock();
      await (await oracle.setPushFeed(eth, wad("0.002"), 60)).wait();
      expect((await told(from)).map(({ name }) => name)).to.deep.equal(["PricePublished", "PushFeedSet"]);
      const publishedAt = Number(updatedAt);
      expect((await last(eth))[0]).to.deep.equal({
        priceWad: wad("150"),
        toleranceWad: wad("0.002"),
        publishedAt,
        maxAgeSeconds: 60,
        isFresh: true,
        isReduceOnly: false,
        inGrace: false,
      });
      expect([...(await oracle.firstSource(eth))]).to.deep.equal([
        `0x${"0".repeat(40)}`,
        0n,
        0n,
        0n,
        0n,
        0n,
        0n,
        `0x${"0".repeat(64)}`,
      ]);
      await expectRevert(() => oracle.push([eth], [wad("151")], updatedAt - 1n), "PriceOlderThanUsed", {
        asset: eth,
        publishedAt: updatedAt - 1n,
        usedPublishedAt: updatedAt,
      });
      await (await oracle.push([eth], [wad("151")], updatedAt)).wait();
      await answer(149n * E8);
      expect((await last(eth))[0]).to.include({ priceWad: wad("151"), isFresh: true });
    });

    it("has no fresh price before the first one pushed, where the aggregator gave none at the end", async () => {
      await behave("reverts");
      const from = await nextBlock();
      await (await oracle.setPushFeed(eth, wad("0.001"), 86_400)).wait();
      await (await oracle.setPushFeed(eth, wad("0.002"), 86_400)).wait();
      expect((await told(from)).map(({ name }) => name)).to.deep.equal(["PushFeedSet", "PushFeedSet"]);
      const [held] = await last(eth);
      expect(held).to.include({ priceWad: wad("200"), toleranceWad: wad("0.002"), isFresh: false });
      await expectRevert(() => oracle.prices(setOf(eth)), "PriceStale", {
        asset: eth,
        publishedAt: held?.publishedAt,
        maxAge: 86_400n,
      });
      await (await oracle.push([eth], [wad("180")], await now())).wait();
      expect((await last(eth))[0]).to.include({ priceWad: wad("180"), isFresh: true });
      expect((await oracle.prices(setOf(eth))).length).to.equal(1);
    });
  });
});
