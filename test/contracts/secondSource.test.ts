import { expect } from "chai";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import { decodePrice, feedFaults } from "../../sdk/index.js";
import type { MockAggregator, MockPyth, PriceOracle } from "../../typechain-types/index.js";
import { conducts, deployAggregator } from "../helpers/chainlink.js";
import { bring, deployPyth, deployPythWorld, ethId, inNextSecond, pythConducts } from "../helpers/pyth.js";
import { expectRevert } from "../helpers/revert.js";
import { type Signer, type World, wad } from "../helpers/world.js";

const link = 2; // pushed
const eth = 1; // read from Pyth
const free = 3;
const E8 = 10n ** 8n;
const days = 86_400n;
const otherId = `0x${"0b".repeat(32)}`;

const setOf = (...assets: number[]) => assets.reduce((bits, asset) => bits | (1n << BigInt(asset)), 0n);
const faultNumber = (name: (typeof feedFaults)[number]) => BigInt(feedFaults.indexOf(name));

/**
 * ETH is read from Pyth, first at 200, and LINK pushed, first at 4; an aggregator of each is their second source, to 1%. The price of ETH was
 * a second old when it was stored, so its tolerance is a tenth more than the asset's.
 */
describe("contracts/second sources", () => {
  let connection: Connection;
  let world: World;
  let oracle: PriceOracle;
  let pyth: MockPyth;
  let ethAggregator: MockAggregator;
  let linkAggregator: MockAggregator;
  let stranger: Signer;

  async function paired() {
    const made = await deployPythWorld(connection);
    const aggregators = [
      await deployAggregator(connection, 8, 200n * E8),
      await deployAggregator(connection, 8, 4n * E8),
    ] as const;
    const { oracle: of } = made.world.ballast;
    const second = async (asset: number, aggregator: MockAggregator) =>
      of.setSecondChainlinkFeed(asset, 7200, wad("0.01"), await aggregator.getAddress(), wad("1"), wad("2000"));
    for (const [asset, aggregator] of [
      [eth, aggregators[0]],
      [link, aggregators[1]],
    ] as const)
      await (await second(asset, aggregator)).wait();
    await bring(connection, made.pyth, { price: 200n * E8 });
    await inNextSecond(connection);
    await (await of.refresh([eth])).wait();
    return { ...made, aggregators };
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    const made = await connection.networkHelpers.loadFixture(paired);
    ({ world, pyth } = made);
    [ethAggregator, linkAggregator] = made.aggregators;
    oracle = world.ballast.oracle;
    [stranger] = world.signers as [Signer];
  });

  const now = async () => connection.networkHelpers.time.latest();
  const last = async (...assets: number[]) => (await oracle.lastPrices(setOf(...assets))).map(decodePrice);
  /** What a price is good for, and its value. */
  const tells = async (asset: number) => {
    const [{ priceWad, isFresh, isReduceOnly, inGrace } = { priceWad: 0n }] = await last(asset);
    expect(inGrace).to.equal(false);
    return [priceWad, isFresh ? "everything" : isReduceOnly ? "reducing" : "nothing"];
  };
  const told = async (fromBlock: number) =>
    (await world.ballast.events(fromBlock)).map(({ name, args }) => ({ name, ...args }));
  const nextBlock = async () => (await connection.ethers.provider.getBlockNumber()) + 1;
  const answer = async (aggregator: MockAggregator, priceE8: bigint, at?: number) => {
    await (await aggregator.setAnswer(priceE8, at ?? (await now()))).wait();
  };
  const refresh = async (...assets: number[]) => (await oracle.connect(stranger).refresh(assets)).wait();

  /** The first source of an asset: to tell a price (times 1e8), to be dead, and to be back. */
  interface First {
    readonly asset: number;
    readonly base: bigint;
    readonly toleranceWad: bigint;
    /** Of the last good one. */
    readonly storedToleranceWad: bigint;
    readonly second: () => MockAggregator;
    tell(priceE8: bigint): Promise<unknown>;
    die(): Promise<unknown>;
    feed(): Promise<string>;
  }

  const push = async (asset: number, priceE8: bigint, at?: number) =>
    (await oracle.push([asset], [priceE8 * 10n ** 10n], at ?? (await now()))).wait();

  const firsts: Readonly<Record<string, First>> = {
    "read from Pyth": {
      asset: eth,
      base: 200n * E8,
      toleranceWad: wad("0.001"),
      storedToleranceWad: wad("0.0011"),
      second: () => ethAggregator,
      tell: (price) => bring(connection, pyth, { price }),
      die: async () => (await pyth.setConduct(pythConducts.burnsAllGas, 0)).wait(),
      feed: () => pyth.getAddress(),
    },
    pushed: {
      asset: link,
      base: 4n * E8,
      toleranceWad: wad("0.002"),
      storedToleranceWad: wad("0.002"),
      second: () => linkAggregator,
      tell: (price) => push(link, price),
      // A pusher dies by saying nothing.
      die: async () => {
        await world.passTime(3601);
        await answer(linkAggregator, (await linkAggregator.round()).answer);
      },
      feed: async () => `0x${"0".repeat(40)}`,
    },
  };

  for (const [title, first] of Object.entries(firsts)) {
    describe(`a price that is ${title}`, () => {
      const { asset, base } = first;
      const wads = (priceE8: bigint) => priceE8 * 10n ** 10n;
      const percent = (hundredths: bigint) => (base * (10_000n + hundredths)) / 10_000n;

      it("is the first's where both answer and agree, to the bound on either side", async () => {
        await first.tell(percent(10n));
        for (const second of [percent(10n), (percent(10n) * 101n) / 100n, (percent(10n) * 99n) / 100n]) {
          await answer(first.second(), second);
          expect(await tells(asset)).to.deep.equal([wads(percent(10n)), "everything"]);
        }
        expect((await oracle.prices(setOf(asset))).length).to.equal(1);
      });

      describe("has as tolerance how far it may be wrong:", () => {
        const tolerance = async () => (await last(asset))[0]?.toleranceWad;
        // 0.5% less 0.1% of 1.001 times the base: four parts of 1,001, rounded up.
        const fourOf1001 = 3_996_003_996_003_997n;

        it("as much as the sources are apart, or its own where that is more", async () => {
          for (const [second, toleranceWad] of [
            [base, first.toleranceWad],
            [percent(5n), first.toleranceWad],
            [percent(-5n), first.toleranceWad],
            [percent(70n), wad("0.007")],
            [percent(-70n), wad("0.007")],
            [percent(100n), wad("0.01")],
          ] as const) {
            await answer(first.second(), second);
            await first.tell(base);
            expect([...(await tells(asset)), await tolerance()]).to.deep.equal([
              wads(base),
              "everything",
              toleranceWad,
            ]);
          }
          await answer(first.second(), percent(50n));
          await first.tell(percent(10n));
          expect(await tolerance()).to.equal(fourOf1001);
        });

        it("as much as the second, left alone, is from the last good one, or its own where that is more", async () => {
          await first.die();
          for (const [second, toleranceWad] of [
            [percent(5n), first.toleranceWad],
            [percent(70n), wad("0.007")],
            [percent(-100n), wad("0.01")],
          ] as const) {
            await answer(first.second(), second);
            expect([...(await tells(asset)), await tolerance()]).to.deep.equal([
              wads(second),
              "reducing",
              toleranceWad,
            ]);
          }
        });

        it("as much as the first, left alone, is from the last good one, or its own where that is more", async () => {
          await first.tell(percent(10n));
          await refresh(asset);
          await (await first.second().setConduct(conducts.reverts, 0, 0)).wait();
          for (const [price, toleranceWad] of [
            [percent(10n), first.toleranceWad],
            [percent(50n), fourOf1001],
          ] as const) {
            await first.tell(price);
            expect([...(await tells(asset)), await tolerance()]).to.deep.equal([wads(price), "reducing", toleranceWad]);
          }
        });

        it("its own once it only stands in for others, however far the sources were apart that agreed on it", async () => {
          await answer(first.second(), percent(90n));
          await first.tell(base);
          expect(await tolerance()).to.equal(wad("0.009"));
          await inNextSecond(connection);
          await refresh(asset);
          await first.die();
          await (await first.second().setConduct(conducts.reverts, 0, 0)).wait();
          expect([...(await tells(asset)), await tolerance()]).to.deep.equal([
            wads(base),
            "nothing",
            first.storedToleranceWad,
          ]);
        });
      });

      it("is good for nothing where they answer further apart, and the last that both agreed on", async () => {
        for (const second of [(base * 101n) / 100n + 1n, (base * 99n) / 100n - 1n]) {
          await answer(first.second(), second);
          expect(await tells(asset)).to.deep.equal([wads(base), "nothing"]);
          const { answer: given, updatedAt } = await first.second().round();
          await expectRevert(() => oracle.prices(setOf(asset)), "FeedRefused", {
            asset,
            feed: await first.second().getAddress(),
            fault: faultNumber("deviates"),
            answer: given,
            updatedAt,
          });
        }
      });

      it("INV-48: never becomes the last good one while the second does not agree", async () => {
        await first.tell(percent(200n));
        expect(await tells(asset)).to.deep.equal([wads(base), "nothing"]);
        const { answer: given, updatedAt } = await first.second().round();
        await expectRevert(() => oracle.refresh([asset]), "FeedRefused", {
          asset,
          feed: await first.second().getAddress(),
          fault: faultNumber("deviates"),
          answer: given,
          updatedAt,
        });
        await answer(first.second(), percent(200n));
        expect(await tells(asset)).to.deep.equal([wads(percent(200n)), "everything"]);
      });

      it("is the second's and good for reducing while the first is dead, within the bound of the last good one", async () => {
        await first.die();
        for (const second of [(base * 101n) / 100n, (base * 99n) / 100n]) {
          await answer(first.second(), second);
          expect(await tells(asset)).to.deep.equal([wads(second), "reducing"]);
        }
        for (const second of [(base * 101n) / 100n + 1n, (base * 99n) / 100n - 1n]) {
          await answer(first.second(), second);
          expect(await tells(asset)).to.deep.equal([wads(base), "nothing"]);
        }
        expect((await last(asset))[0]?.toleranceWad).to.equal(first.storedToleranceWad);
      });

      it("is the first's and good for reducing while the second is dead, within the bound of the last good one", async () => {
        await (await first.second().setConduct(conducts.burnsAllGas, 0, 0)).wait();
        await first.tell(percent(100n));
        expect(await tells(asset)).to.deep.equal([wads(percent(100n)), "reducing"]);
        await expectRevert(() => oracle.prices(setOf(asset)), "FeedRefused", {
          asset,
          feed: await first.second().getAddress(),
          fault: faultNumber("noAnswer"),
          answer: 0n,
          updatedAt: 0n,
        });
        await first.tell(percent(100n) + 1n);
        expect(await tells(asset)).to.deep.equal([wads(base), "nothing"]);
      });

      it("INV-48: moves no further than the bound from the last good one, in however many steps one source alone takes", async () => {
        await (await first.second().setConduct(conducts.reverts, 0, 0)).wait();
        for (const step of [50n, 100n, 150n, 200n]) {
          await first.tell(percent(step));
          await oracle.refresh([asset]).then(
            () => expect.fail("one source alone was taken for the last good price"),
            () => undefined,
          );
          const within = step <= 100n;
          expect(await tells(asset)).to.deep.equal([
            wads(within ? percent(step) : base),
            within ? "reducing" : "nothing",
          ]);
        }
      });

      it("is the last good one and good for nothing while both are dead, until they are back", async () => {
        await first.tell(percent(50n));
        await refresh(asset);
        await first.die();
        await (await first.second().setConduct(conducts.revertsWithBomb, 0, 0)).wait();
        expect(await tells(asset)).to.deep.equal([wads(percent(50n)), "nothing"]);
        await (await first.second().setConduct(conducts.answers, 0, 0)).wait();
        expect(await tells(asset)).to.deep.equal([wads(base), "reducing"]);
      });

      it("counts a stale second as dead, a second after its age", async () => {
        const { updatedAt } = await first.second().round();
        await connection.networkHelpers.time.increaseTo(updatedAt + 7150n);
        await first.tell(base);
        await connection.networkHelpers.time.increaseTo(updatedAt + 7200n);
        expect(await tells(asset)).to.deep.equal([wads(base), "everything"]);
        await connection.networkHelpers.time.increaseTo(updatedAt + 7201n);
        expect(await tells(asset)).to.deep.equal([wads(base), "reducing"]);
        await expectRevert(() => oracle.prices(setOf(asset)), "PriceStale", {
          asset,
          publishedAt: updatedAt,
          maxAge: 7200n,
        });
      });

      it("counts a second as dead that goes back behind what it agreed to before", async () => {
        const { updatedAt } = await first.second().round();
        await answer(first.second(), base, Number(updatedAt) + 3);
        await first.tell(base + 1n);
        await refresh(asset);
        await answer(first.second(), base, Number(updatedAt) + 3);
        expect((await tells(asset))[1]).to.equal("everything");
        await answer(first.second(), base, Number(updatedAt) + 2);
        expect((await tells(asset))[1]).to.equal("reducing");
        await expectRevert(() => oracle.prices(setOf(asset)), "FeedRefused", {
          asset,
          feed: await first.second().getAddress(),
          fault: faultNumber("olderThanUsed"),
          answer: base,
          updatedAt: updatedAt + 2n,
        });
      });

      it("leaves other assets alone, whatever both do", async () => {
        await first.die();
        await (await first.second().setConduct(conducts.burnsAllGas, 0, 0)).wait();
        await world.push({ BTC: "8001" });
        expect((await oracle.prices(setOf(0, 97))).map((word) => decodePrice(word).priceWad)).to.deep.equal([
          wad("8001"),
          wad("8001"),
        ]);
      });

      it("is the first's alone once there is no second any more", async () => {
        await first.tell(percent(500n));
        const from = await nextBlock();
        await (await oracle.clearSecondFeed(asset)).wait();
        expect(await told(from)).to.deep.equal([{ name: "SecondFeedCleared", asset: BigInt(asset) }]);
        expect(await tells(asset)).to.deep.equal([wads(percent(500n)), "everything"]);
        expect((await oracle.secondSource(asset)).maxAge).to.equal(0n);
        await expectRevert(() => oracle.clearSecondFeed(asset), "NoSecondSource", { asset });
      });
    });
  }

  it("too uncertain to count leaves the second's, good for reducing, and the last good one with that dead", async () => {
    await bring(connection, pyth, { price: 201n * E8, confidence: E8 });
    await answer(ethAggregator, 199n * E8);
    expect(await tells(eth)).to.deep.equal([wad("199"), "reducing"]);
    await (await ethAggregator.setConduct(conducts.reverts, 0, 0)).wait();
    expect(await tells(eth)).to.deep.equal([wad("200"), "nothing"]);
  });

  describe("the last good price", () => {
    it("of a pushed asset follows each push that the second agrees with, and tells so", async () => {
      const from = await nextBlock();
      const at = await now();
      await push(link, 402n * 10n ** 6n, at);
      const [priceWad, publishedAt] = [wad("4.02"), BigInt(at)];
      expect(await told(from)).to.deep.equal([
        { name: "PricePublished", asset: BigInt(link), priceWad, toleranceWad: wad("0.002"), publishedAt },
        { name: "PriceAgreed", asset: BigInt(link), priceWad, publishedAt },
      ]);
      expect(decodePrice((await oracle.secondSource(link)).agreed)).to.include({ priceWad });
    });

    it("of a pushed asset lets a bad pusher move nothing: neither what counts, nor what counts when the second dies", async () => {
      for (const bad of ["8", "4.05", "0.01"]) {
        await (await oracle.push([link], [wad(bad)], await now())).wait();
        expect(await tells(link)).to.deep.equal([wad("4"), "nothing"]);
      }
      await (await linkAggregator.setConduct(conducts.reverts, 0, 0)).wait();
      expect(await tells(link)).to.deep.equal([wad("4"), "nothing"]);
      await (await oracle.push([link], [wad("4.05")], await now())).wait();
      expect(await tells(link)).to.deep.equal([wad("4"), "nothing"]);
      await (await oracle.push([link], [wad("4.03")], await now())).wait();
      expect(await tells(link)).to.deep.equal([wad("4.03"), "reducing"]);
    });

    it("of a pushed asset can be stored by anyone once the second agrees", async () => {
      await push(link, 408n * 10n ** 6n);
      await answer(linkAggregator, 408n * 10n ** 6n);
      const from = await nextBlock();
      await refresh(link, link);
      expect((await told(from)).map(({ name }) => name)).to.deep.equal(["PriceAgreed"]);
      await (await linkAggregator.setConduct(conducts.reverts, 0, 0)).wait();
      await world.passTime(3601);
      expect(await tells(link)).to.deep.equal([wad("4.08"), "nothing"]);
    });

    it("of an asset that is read is the first's price, and stored once", async () => {
      await bring(connection, pyth, { price: 201n * E8 });
      const from = await nextBlock();
      await refresh(eth, eth);
      expect((await told(from)).map(({ name }) => name)).to.deep.equal(["PricePublished"]);
      await (await pyth.setConduct(pythConducts.reverts, 0)).wait();
      await (await ethAggregator.setConduct(conducts.reverts, 0, 0)).wait();
      expect(await tells(eth)).to.deep.equal([wad("201"), "nothing"]);
    });
  });

  describe("settings", () => {
    interface Settings {
      readonly asset?: number | bigint;
      readonly maxAge?: bigint;
      readonly maxDeviationWad?: bigint;
      readonly minPriceWad?: bigint;
      readonly maxPriceWad?: bigint;
      readonly aggregator?: string;
    }
    const set = async (settings: Settings = {}, by = oracle) => {
      const { asset = eth, maxAge = 7200n, maxDeviationWad = wad("0.01"), minPriceWad = wad("1") } = settings;
      const { maxPriceWad = wad("2000"), aggregator = await ethAggregator.getAddress() } = settings;
      return by.setSecondChainlinkFeed(asset, maxAge, maxDeviationWad, aggregator, minPriceWad, maxPriceWad);
    };
    const setPyth = (asset: number, priceId: string, maxConfidenceWad = wad("0.02"), by = oracle) =>
      by.setSecondPythFeed(asset, 7200, wad("0.01"), maxConfidenceWad, priceId, wad("1"), wad("2000"));

    it("are told whole, and kept", async () => {
      await bring(connection, pyth, { id: otherId, price: 4n * E8 });
      const from = await nextBlock();
      await (await setPyth(link, otherId)).wait();
      const settings = { kind: 2n, feed: await pyth.getAddress(), priceId: otherId };
      const bounds = { minPriceWad: wad("1"), maxPriceWad: wad("2000") };
      expect(await told(from)).to.deep.equal([
        {
          name: "SecondFeedSet",
          asset: BigInt(link),
          ...settings,
          maxAge: 7200n,
          ...bounds,
          decimals: 0n,
          maxConfidenceWad: wad("0.02"),
          maxDeviationWad: wad("0.01"),
        },
      ]);
      const { live, maxDeviationWad, maxAge, usedAt } = await oracle.secondSource(link);
      const { kind, feed, priceId, minPriceWad, maxPriceWad } = live;
      expect({ kind, feed, priceId, minPriceWad, maxPriceWad }).to.deep.equal({ ...settings, ...bounds });
      const { publishTime } = (await pyth.queryPriceFeed(otherId)).price;
      expect([maxDeviationWad, maxAge, usedAt]).to.deep.equal([wad("0.01"), 7200n, publishTime]);
      expect(await tells(link)).to.deep.equal([wad("4"), "everything"]);
      await bring(connection, pyth, { id: otherId, price: 5n * E8 });
      expect(await tells(link)).to.deep.equal([wad("4"), "nothing"]);
    });

    it("add what a Pyth price is uncertain by to the tolerance where it counts alone", async () => {
      await bring(connection, pyth, { id: otherId, price: 4n * E8, confidence: E8 / 25n });
      await (await setPyth(link, otherId)).wait();
      expect((await last(link))[0]?.toleranceWad).to.equal(wad("0.002"));
      await world.passTime(3601);
      await bring(connection, pyth, { id: otherId, price: 4n * E8, confidence: E8 / 25n });
      expect((await last(link))[0]).to.include({ toleranceWad: wad("0.012"), isReduceOnly: true });
    });

    it("are for the admin alone", async () => {
      const refused = { caller: stranger.address };
      const by = oracle.connect(stranger);
      await expectRevert(() => set({}, by), "AccessManagedUnauthorized", refused);
      await expectRevert(() => setPyth(link, ethId, 1n, by), "AccessManagedUnauthorized", refused);
      await expectRevert(() => by.clearSecondFeed(eth), "AccessManagedUnauthorized", refused);
    });

    it("stay within a deviation of 0.1% to 10%, an age of 1 second to 30 days, and 128 assets", async () => {
      const asset = BigInt(eth);
      for (const maxDeviationWad of [0n, wad("0.001") - 1n, wad("0.1") + 1n, 2n ** 64n + wad("0.01")]) {
        const refused = { asset, maxDeviationWad };
        await expectRevert(() => set(refused), "DeviationOutOfBounds", refused);
      }
      for (const maxDeviationWad of [wad("0.001"), wad("0.1")]) await (await set({ maxDeviationWad })).wait();
      for (const [of, maxAge] of [
        [asset, 0n],
        [asset, 30n * days + 1n],
        [128n, 60n],
      ] as const) {
        const refused = { asset: of, maxAge };
        await expectRevert(() => set(refused), "FeedOutOfBounds", { ...refused, toleranceWad: 0n });
      }
      const bounds = { asset, minPriceWad: wad("20"), maxPriceWad: wad("20") };
      await expectRevert(() => set(bounds), "PriceBoundsNotInOrder", bounds);
      await expectRevert(() => setPyth(link, ethId, 0n), "ConfidenceOutOfBounds", {
        asset: link,
        maxConfidenceWad: 0n,
      });
    });

    it("refuse an asset without a price, and a source that is the asset's first", async () => {
      await expectRevert(() => set({ asset: free }), "PriceMissing", { asset: free });
      const feed = await pyth.getAddress();
      await expectRevert(() => setPyth(eth, ethId), "SameSource", { asset: eth, feed });
      const aggregator = await ethAggregator.getAddress();
      const first = () => oracle.setChainlinkFeed(eth, wad("0.001"), 3600, aggregator, wad("20"), wad("2000"));
      await expectRevert(first, "SameSource", { asset: eth, feed: aggregator });
    });

    it("refuse the same price id for both, whichever contract tells it", async () => {
      const next = await deployPyth(connection);
      const feed = await next.getAddress();
      for (const id of [ethId, otherId]) {
        await bring(connection, pyth, { id, price: 200n * E8 });
        await bring(connection, next, { id, price: 200n * E8 });
      }
      const first = (priceId: string) =>
        oracle.setPythFeed(eth, wad("0.001"), 60, wad("0.02"), priceId, wad("20"), wad("2000"));
      await (await setPyth(eth, otherId)).wait();
      await (await oracle.setPyth(next)).wait();
      await expectRevert(() => setPyth(eth, ethId), "SameSource", { asset: eth, feed });
      await expectRevert(() => first(otherId), "SameSource", { asset: eth, feed });
      await (await first(ethId)).wait();
      await (await setPyth(eth, otherId)).wait();
      expect(await tells(eth)).to.deep.equal([wad("200"), "everything"]);
    });

    it("refuse a second that is dead, or too far from the first, or whose first is dead", async () => {
      const feed = await ethAggregator.getAddress();
      const refused = { asset: eth, feed, answer: 0n, updatedAt: 0n };
      await (await ethAggregator.setConduct(conducts.reverts, 0, 0)).wait();
      const dead = { ...refused, feed, fault: faultNumber("noAnswer") };
      const other = await (await deployAggregator(connection, 8, 203n * E8)).getAddress();
      await expectRevert(() => set({ minPriceWad: wad("2") }), "FeedRefused", { ...dead, updatedAt: 0n });
      await expectRevert(() => set({ aggregator: other }), "FeedRefused", {
        asset: eth,
        feed: other,
        fault: faultNumber("deviates"),
        answer: 203n * E8,
        updatedAt: (at: bigint) => at > 0n,
      });
      await (await set({ aggregator: other, maxDeviationWad: wad("0.02") })).wait();
      await (await pyth.setConduct(pythConducts.reverts, 0)).wait();
      await expectRevert(() => set({ aggregator: other }), "FeedRefused", {
        ...refused,
        feed: await pyth.getAddress(),
        fault: faultNumber("noAnswer"),
      });
    });
  });

  describe("another first feed", () => {
    it("must agree with the second, which stays", async () => {
      const far = await (await deployAggregator(connection, 8, 203n * E8)).getAddress();
      const near = await (await deployAggregator(connection, 8, 201n * E8)).getAddress();
      const first = (aggregator: string) =>
        oracle.setChainlinkFeed(eth, wad("0.001"), 3600, aggregator, wad("20"), wad("2000"));
      const { updatedAt } = await ethAggregator.round();
      await expectRevert(() => first(far), "FeedRefused", {
        asset: eth,
        feed: await ethAggregator.getAddress(),
        fault: faultNumber("deviates"),
        answer: 200n * E8,
        updatedAt,
      });
      await (await first(near)).wait();
      expect(await tells(eth)).to.deep.equal([wad("201"), "everything"]);
      await answer(ethAggregator, 204n * E8);
      expect(await tells(eth)).to.deep.equal([wad("201"), "nothing"]);
    });

    it("that is pushed begins with what was read, and the last price that both agreed on", async () => {
      await bring(connection, pyth, { price: 203n * E8 });
      await (await oracle.setPushFeed(eth, wad("0.002"), 3600)).wait();
      expect(await tells(eth)).to.deep.equal([wad("200"), "nothing"]);
      await answer(ethAggregator, 203n * E8);
      expect(await tells(eth)).to.deep.equal([wad("203"), "everything"]);
      expect((await last(eth))[0]?.toleranceWad).to.equal(wad("0.002"));
      await push(eth, 204n * E8);
      expect(await tells(eth)).to.deep.equal([wad("204"), "everything"]);
    });

    it("that is pushed is not there before the first push, where what was read gave none", async () => {
      await (await pyth.setConduct(pythConducts.reverts, 0)).wait();
      await (await oracle.setPushFeed(eth, wad("0.001"), 3600)).wait();
      expect(await tells(eth)).to.deep.equal([wad("200"), "reducing"]);
      await answer(ethAggregator, 203n * E8);
      expect(await tells(eth)).to.deep.equal([wad("200"), "nothing"]);
      await push(eth, 202n * E8);
      expect(await tells(eth)).to.deep.equal([wad("202"), "everything"]);
    });

    it("that is read takes the place of a pushed one, and the second stays", async () => {
      const source = await deployAggregator(connection, 8, 401n * 10n ** 6n);
      const aggregator = await source.getAddress();
      await (await oracle.setChainlinkFeed(link, wad("0.001"), 3600, aggregator, wad("1"), wad("20"))).wait();
      expect(await tells(link)).to.deep.equal([wad("4.01"), "everything"]);
      await (await source.setConduct(conducts.reverts, 0, 0)).wait();
      expect(await tells(link)).to.deep.equal([wad("4"), "reducing"]);
      await answer(linkAggregator, 5n * E8);
      expect(await tells(link)).to.deep.equal([wad("4.01"), "nothing"]);
    });

    it("with other settings leaves the price that was pushed, and the last good one", async () => {
      await push(link, 408n * 10n ** 6n);
      await (await oracle.setPushFeed(link, wad("0.005"), 7200)).wait();
      expect(await tells(link)).to.deep.equal([wad("4"), "nothing"]);
      expect((await last(link))[0]).to.include({ toleranceWad: wad("0.005"), maxAgeSeconds: 7200 });
      await answer(linkAggregator, 408n * 10n ** 6n);
      expect(await tells(link)).to.deep.equal([wad("4.08"), "everything"]);
    });
  });
});
