import { expect } from "chai";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import { decodePrice, feedFaults } from "../../sdk/index.js";
import { MockPayer__factory, type MockPyth, type PriceOracle } from "../../typechain-types/index.js";
import {
  type PythPrice,
  bring,
  deployPyth,
  deployPythWorld,
  ethId,
  feeWei,
  pythConducts,
  updateOf,
} from "../helpers/pyth.js";
import { expectRevert } from "../helpers/revert.js";
import { type Signer, type World, wad } from "../helpers/world.js";

const eth = 1;
const weth = 96;
const free = 3;
const E8 = 10n ** 8n;
const maximum = 10n ** 27n;
const otherId = `0x${"0b".repeat(32)}`;

const setOf = (...assets: number[]) => assets.reduce((bits, asset) => bits | (1n << BigInt(asset)), 0n);
const faultNumber = (name: (typeof feedFaults)[number]) => BigInt(feedFaults.indexOf(name));

describe("contracts/Pyth feeds", () => {
  let connection: Connection;
  let world: World;
  let oracle: PriceOracle;
  let pyth: MockPyth;
  let address: string;
  let stranger: Signer;

  async function pythWorld() {
    return deployPythWorld(connection);
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    ({ world, pyth } = await connection.networkHelpers.loadFixture(pythWorld));
    oracle = world.ballast.oracle;
    address = await pyth.getAddress();
    [stranger] = world.signers as [Signer];
  });

  const now = async () => connection.networkHelpers.time.latest();
  const last = async (...assets: number[]) => (await oracle.lastPrices(setOf(...assets))).map(decodePrice);
  const tell = async (told: PythPrice) => bring(connection, pyth, told);
  const behave = async (conduct: keyof typeof pythConducts, amount = 0n) => {
    await (await pyth.setConduct(pythConducts[conduct], amount)).wait();
  };
  const words = async (price: bigint, confidence: bigint, exponent: bigint, publishTime: bigint) => {
    const unsigned = (value: bigint) => BigInt.asUintN(256, value);
    await (await pyth.setWords([unsigned(price), confidence, unsigned(exponent), publishTime])).wait();
  };
  interface Settings {
    readonly asset?: number | bigint;
    readonly toleranceWad?: bigint;
    readonly maxAge?: bigint;
    readonly priceId?: string;
    readonly minPriceWad?: bigint;
    readonly maxPriceWad?: bigint;
    readonly maxConfidenceWad?: bigint;
  }
  const set = (settings: Settings = {}, by = oracle) => {
    const { asset = eth, toleranceWad = wad("0.001"), maxAge = 3600n, priceId = ethId } = settings;
    const { minPriceWad = wad("20"), maxPriceWad = wad("2000"), maxConfidenceWad = wad("0.02") } = settings;
    return by.setPythFeed(asset, toleranceWad, maxAge, maxConfidenceWad, priceId, minPriceWad, maxPriceWad);
  };
  const told = async (fromBlock: number) =>
    (await world.ballast.events(fromBlock)).map(({ name, args }) => ({ name, ...args }));
  const nextBlock = async () => (await connection.ethers.provider.getBlockNumber()) + 1;

  describe("reading", () => {
    it("tells Pyth's price as soon as anybody has brought it, past the oracle too", async () => {
      await tell({ price: 201n * E8 });
      const price = {
        priceWad: wad("201"),
        toleranceWad: wad("0.001"),
        publishedAt: Number((await pyth.queryPriceFeed(ethId)).price.publishTime),
        maxAgeSeconds: 3600,
        isFresh: true,
        isReduceOnly: false,
        inGrace: false,
      };
      expect(await last(eth, weth)).to.deep.equal([price, price]);
      expect((await oracle.prices(setOf(eth, weth))).map(decodePrice)).to.deep.equal([price, price]);
    });

    for (const [exponent, price, priceWad] of [
      [-18, 2_001_234_567_890_123_456n, 2_001_234_567_890_123_456n],
      [-8, 20_012_345_678n, wad("200.12345678")],
      [-1, 2001n, wad("200.1")],
      [0, 201n, wad("201")],
      [1, 20n, wad("200")],
      [8, 9n, wad("900000000")],
    ] as const) {
      it(`makes a wad of a price times 10^${exponent} without losing any`, async () => {
        await tell({ id: otherId, price, exponent });
        await (await set({ asset: free, priceId: otherId, minPriceWad: 0n, maxPriceWad: maximum })).wait();
        expect((await last(free))[0]).to.include({ priceWad, isFresh: true });
      });
    }

    it("adds the confidence, relative to the price and rounded up, to the tolerance", async () => {
      await tell({ price: 200n * E8, confidence: 2n * E8 });
      expect((await last(eth))[0]?.toleranceWad).to.equal(wad("0.011"));
      await tell({ price: 300n * E8, confidence: E8, publishTime: (await now()) + 1 });
      expect((await last(eth))[0]?.toleranceWad).to.equal(wad("0.001") + 3_333_333_333_333_334n);
    });

    it("keeps the asset's own tolerance, however uncertain the price was that was stored last", async () => {
      await tell({ price: 200n * E8, confidence: 2n * E8 });
      await (await oracle.refresh([eth])).wait();
      await tell({ price: 200n * E8, confidence: E8, publishTime: (await now()) + 1 });
      expect((await last(eth))[0]?.toleranceWad).to.equal(wad("0.006"));
    });

    it("takes a confidence at its bound, and refuses one beyond it", async () => {
      await tell({ price: 200n * E8, confidence: 4n * E8 });
      expect((await last(eth))[0]).to.include({ toleranceWad: wad("0.021"), isFresh: true });
      await tell({ price: 200n * E8, confidence: 4n * E8 + 1n, publishTime: (await now()) + 1 });
      expect((await last(eth))[0]).to.include({ toleranceWad: wad("0.001"), isFresh: false });
    });

    it("tells a price that nobody has updated as the last good one, marked so a second after its age", async () => {
      await tell({ price: 150n * E8 });
      const publishedAt = (await pyth.queryPriceFeed(ethId)).price.publishTime;
      await connection.networkHelpers.time.increaseTo(publishedAt + 3600n);
      expect((await last(eth))[0]).to.include({ priceWad: wad("150"), isFresh: true });
      await connection.networkHelpers.time.increaseTo(publishedAt + 3601n);
      expect((await last(eth))[0]).to.include({ priceWad: wad("150"), isFresh: false, isReduceOnly: false });
      await expectRevert(() => oracle.prices(setOf(eth)), "PriceStale", { asset: eth, publishedAt, maxAge: 3600n });
    });
  });

  describe("a price that is no good leaves the last good one, not fresh, and other assets alone:", () => {
    interface Failure {
      readonly title: string;
      readonly fault: (typeof feedFaults)[number];
      fail(): Promise<unknown>;
    }

    const given = (
      title: string,
      fault: Failure["fault"],
      make: (at: bigint) => readonly [price: bigint, confidence: bigint, exponent: bigint, publishTime: bigint],
    ): Failure => ({ title, fault, fail: async () => words(...make(BigInt(await now()))) });

    const failures: readonly Failure[] = [
      { title: "the code is gone", fault: "noCode", fail: () => connection.networkHelpers.setCode(address, "0x") },
      { title: "it reverts", fault: "noAnswer", fail: () => behave("reverts") },
      { title: "it reverts with a bomb", fault: "noAnswer", fail: () => behave("revertsWithBomb") },
      { title: "it burns its gas", fault: "noAnswer", fail: () => behave("burnsAllGas") },
      { title: "it returns too little", fault: "noAnswer", fail: () => behave("returnsTooLittle") },
      given("its price does not fit its type", "noAnswer", (at) => [2n ** 63n, 0n, -8n, at]),
      given("its price is too far below zero for its type", "noAnswer", (at) => [-(2n ** 63n) - 1n, 0n, -8n, at]),
      given("its confidence does not fit its type", "noAnswer", (at) => [200n * E8, 2n ** 64n, -8n, at]),
      given("its exponent would cost digits", "noAnswer", (at) => [200n * E8, 0n, -19n, at]),
      given("its exponent is too large", "noAnswer", (at) => [200n, 0n, 19n, at]),
      given("its exponent is no exponent", "noAnswer", (at) => [200n, 0n, 2n ** 255n, at]),
      given("its price is zero", "notPositive", (at) => [0n, 0n, -8n, at]),
      given("its price is below zero", "notPositive", (at) => [-1n, 0n, -8n, at]),
      given("its price is the lowest there is", "notPositive", (at) => [-(2n ** 63n), 2n ** 64n - 1n, 18n, at]),
      given("its price is at the smallest price", "outOfBounds", (at) => [20n * E8, 0n, -8n, at]),
      given("its price is at the largest price", "outOfBounds", (at) => [2000n * E8, 0n, -8n, at]),
      given("its price is the largest there is", "outOfBounds", (at) => [2n ** 63n - 1n, 2n ** 64n - 1n, 18n, at]),
      given("its price is from the future", "fromFuture", (at) => [200n * E8, 0n, -8n, at + 100n]),
      given("its price is from the end of time", "fromFuture", () => [200n * E8, 0n, -8n, 2n ** 256n - 1n]),
      {
        title: "its price is older than the last one stored",
        fault: "olderThanUsed",
        fail: async () => words(200n * E8, 0n, -8n, BigInt((await last(eth))[0]?.publishedAt ?? 0) - 1n),
      },
      given("its confidence is too large", "tooUncertain", (at) => [200n * E8, 4n * E8 + 1n, -8n, at]),
      given("its confidence is all there is", "tooUncertain", (at) => [200n * E8, 2n ** 64n - 1n, -8n, at]),
    ];

    for (const { title, fault, fail } of failures) {
      it(title, async () => {
        const [before] = await last(eth);
        await fail();
        const held = { ...before, isFresh: false };
        expect(await last(eth, weth)).to.deep.equal([held, held]);
        const isRead = fault !== "noCode" && fault !== "noAnswer";
        const [answer, updatedAt] = isRead ? [BigInt.asIntN(256, await pyth.words(0)), await pyth.words(3)] : [0n, 0n];
        await expectRevert(() => oracle.prices(setOf(0, eth, 2)), "FeedRefused", {
          asset: eth,
          feed: address,
          fault: faultNumber(fault),
          answer,
          updatedAt,
        });
        expect((await oracle.prices(setOf(0, 2, 97))).length).to.equal(3);
        if (fault === "noCode") return;
        await behave("answers");
        await tell({ price: 199n * E8, publishTime: (await now()) + 1 });
        expect((await last(eth))[0]).to.include({ priceWad: wad("199"), isFresh: true });
      });
    }

    it("a confidence that makes the tolerance larger than 10%, whatever its own bound", async () => {
      await (await set({ toleranceWad: wad("0.05"), maxConfidenceWad: wad("0.1") })).wait();
      await tell({ price: 200n * E8, confidence: 10n * E8 });
      expect((await last(eth))[0]).to.include({ toleranceWad: wad("0.1"), isFresh: true });
      await tell({ price: 200n * E8, confidence: 10n * E8 + 1n, publishTime: (await now()) + 1 });
      expect((await last(eth))[0]).to.include({ toleranceWad: wad("0.05"), isFresh: false });
    });
  });

  describe("gas", () => {
    it("never lets a caller make a good feed look dead by sending little", async () => {
      await behave("answersWithGas", 80_000n);
      let fresh = 0;
      let refused = 0;
      for (let gasLimit = 30_000n; gasLimit <= 260_000n; gasLimit += 1_000n) {
        const prices = await oracle.lastPrices(setOf(eth), { gasLimit }).catch(() => undefined);
        if (prices === undefined) refused += 1;
        else expect(decodePrice(prices[0]!).isFresh, `with ${gasLimit} gas`).to.equal(true);
        if (prices !== undefined) fresh += 1;
      }
      expect([fresh > 50, refused > 50]).to.deep.equal([true, true]);
    });

    for (const conduct of ["burnsAllGas", "revertsWithBomb", "returnsBomb"] as const) {
      it(`is bounded when Pyth does its worst (${conduct})`, async () => {
        await behave(conduct, 100_000n);
        expect(await oracle.lastPrices.estimateGas(setOf(eth))).to.be.below(150_000n);
        expect((await last(eth))[0]?.isFresh).to.equal(conduct === "returnsBomb");
      });
    }
  });

  describe("updating", () => {
    const value = 100n * feeWei;
    const balance = async (of: string) => connection.ethers.provider.getBalance(of);

    it("brings prices by anyone, pays Pyth its fee, and gives the rest back", async () => {
      const updates = await Promise.all([
        updateOf(connection, pyth, { price: 202n * E8 }),
        updateOf(connection, pyth, { id: otherId, price: E8 }),
      ]);
      expect(await oracle.pythFee(updates)).to.equal(2n * feeWei);
      const [before, paidBefore] = [await balance(stranger.address), await balance(address)];
      const receipt = await (await oracle.connect(stranger).updatePyth(updates, { value })).wait();
      const spent = before - (await balance(stranger.address)) - (receipt?.fee ?? 0n);
      expect([spent, (await balance(address)) - paidBefore]).to.deep.equal([2n * feeWei, 2n * feeWei]);
      expect(await balance(world.deployment.oracle)).to.equal(0n);
      expect((await last(eth))[0]).to.include({ priceWad: wad("202"), isFresh: true });
    });

    it("is read in the same transaction, by a contract that has its rest back", async () => {
      const payer = await (await new MockPayer__factory(stranger).deploy()).waitForDeployment();
      await world.passTime(3601);
      await expectRevert(() => oracle.prices(setOf(eth)), "PriceStale", {
        asset: eth,
        publishedAt: (await last(eth))[0]?.publishedAt,
        maxAge: 3600n,
      });
      const update = await updateOf(connection, pyth, { price: 190n * E8 });
      await (await payer.updateAndRead(world.deployment.oracle, [update], setOf(eth, weth), { value })).wait();
      for (const i of [0, 1]) {
        expect(decodePrice(await payer.read(i))).to.include({ priceWad: wad("190"), isFresh: true });
      }
      expect(await balance(await payer.getAddress())).to.equal(value - feeWei);
    });

    it("refuses a caller that refuses its rest, but not one that sends the fee exactly", async () => {
      const payer = await (await new MockPayer__factory(stranger).deploy()).waitForDeployment();
      await (await payer.setTakesRest(false)).wait();
      const update = await updateOf(connection, pyth, { price: 190n * E8 });
      const send = (paid: bigint) =>
        payer.updateAndRead(world.deployment.oracle, [update], setOf(eth), { value: paid });
      await expectRevert(() => send(feeWei + 1n), "RestRefused", { caller: await payer.getAddress(), rest: 1n });
      expect((await last(eth))[0]?.priceWad).to.equal(wad("200"));
      await (await send(feeWei)).wait();
      expect((await last(eth))[0]?.priceWad).to.equal(wad("190"));
    });

    it("refuses less than the fee", async () => {
      const update = await updateOf(connection, pyth, { price: 190n * E8 });
      await expectRevert(() => oracle.updatePyth([update], { value: feeWei - 1n }), "UpdateFeeNotPaid", {
        paid: feeWei - 1n,
        fee: feeWei,
      });
    });

    it("keeps the newer price where an older one is brought", async () => {
      const old = await updateOf(connection, pyth, { price: 180n * E8, publishTime: (await now()) - 1000 });
      await (await oracle.updatePyth([old], { value })).wait();
      expect((await last(eth))[0]?.priceWad).to.equal(wad("200"));
    });
  });

  describe("settings", () => {
    it("are told whole, with the price that Pyth gives", async () => {
      await tell({ id: otherId, price: 150n, exponent: 0, confidence: 3n });
      const { publishTime } = (await pyth.queryPriceFeed(otherId)).price;
      const from = await nextBlock();
      const settings = { toleranceWad: wad("0.005"), maxAge: 7200n, maxConfidenceWad: wad("0.02") };
      await (await set({ ...settings, priceId: otherId, minPriceWad: 0n, maxPriceWad: maximum })).wait();
      const asset = BigInt(eth);
      expect(await told(from)).to.deep.equal([
        {
          name: "PythFeedSet",
          asset,
          pyth: address,
          priceId: otherId,
          ...settings,
          minPriceWad: 0n,
          maxPriceWad: maximum,
        },
        { name: "PricePublished", asset, priceWad: wad("150"), toleranceWad: wad("0.025"), publishedAt: publishTime },
      ]);
      expect([...(await oracle.firstSource(eth))]).to.deep.equal([
        address,
        0n,
        maximum,
        2n,
        0n,
        wad("0.005"),
        wad("0.02"),
        otherId,
      ]);
    });

    it("are for the admin alone", async () => {
      const refused = { caller: stranger.address };
      await expectRevert(() => set({}, oracle.connect(stranger)), "AccessManagedUnauthorized", refused);
      await expectRevert(() => oracle.connect(stranger).setPyth(address), "AccessManagedUnauthorized", refused);
    });

    it("stay within the bounds of every feed, and a confidence above zero and at most 10%", async () => {
      for (const [toleranceWad, maxAge] of [
        [wad("0.1") + 1n, 60n],
        [0n, 0n],
        [0n, 30n * 86_400n + 1n],
      ] as const) {
        const refused = { asset: BigInt(eth), toleranceWad, maxAge };
        await expectRevert(() => set(refused), "FeedOutOfBounds", refused);
      }
      const bounds = { asset: BigInt(eth), minPriceWad: wad("200"), maxPriceWad: wad("200") };
      await expectRevert(() => set(bounds), "PriceBoundsNotInOrder", bounds);
      for (const maxConfidenceWad of [0n, wad("0.1") + 1n, 2n ** 64n + wad("0.02")]) {
        const refused = { asset: BigInt(eth), maxConfidenceWad };
        await expectRevert(() => set(refused), "ConfidenceOutOfBounds", refused);
      }
    });

    it("refuse a price id that Pyth does not know, and a price that is stale", async () => {
      await expectRevert(() => set({ priceId: otherId }), "FeedRefused", {
        asset: eth,
        feed: address,
        fault: faultNumber("noAnswer"),
        answer: 0n,
        updatedAt: 0n,
      });
      const { publishTime } = (await pyth.queryPriceFeed(ethId)).price;
      await world.passTime(3601);
      await expectRevert(() => set(), "PriceStale", { asset: eth, publishedAt: publishTime, maxAge: 3600n });
    });

    it("refuse to begin without the chain's Pyth contract, and one where there is no code", async () => {
      const bare = await (await connection.ethers.getContractFactory("PriceOracle")).deploy(world.deployment.manager);
      const other = oracle.attach(await bare.getAddress()) as PriceOracle;
      const zero = `0x${"0".repeat(40)}`;
      await expectRevert(() => set({}, other), "PythMissing", { pyth: zero });
      await expectRevert(() => other.updatePyth([]), "PythMissing", { pyth: zero });
      await expectRevert(() => other.pythFee([]), "PythMissing", { pyth: zero });
      await expectRevert(() => oracle.setPyth(stranger.address), "PythMissing", { pyth: stranger.address });
    });

    it("keep the contract that each feed was set with when the chain's is another", async () => {
      const next = await deployPyth(connection);
      const nextAddress = await next.getAddress();
      const from = await nextBlock();
      await (await oracle.setPyth(nextAddress)).wait();
      expect(await told(from)).to.deep.equal([{ name: "PythSet", pyth: nextAddress }]);
      expect(await oracle.pyth()).to.equal(nextAddress);
      await tell({ price: 199n * E8 });
      expect((await last(eth))[0]).to.include({ priceWad: wad("199"), isFresh: true });
      await expectRevert(() => set(), "FeedRefused", {
        asset: eth,
        feed: nextAddress,
        fault: faultNumber("noAnswer"),
        answer: 0n,
        updatedAt: 0n,
      });
      await bring(connection, next, { price: 198n * E8 });
      await (await set()).wait();
      expect((await last(eth))[0]).to.include({ priceWad: wad("198"), isFresh: true });
      await tell({ price: 100n * E8, publishTime: (await now()) + 1 });
      expect((await last(eth))[0]?.priceWad).to.equal(wad("198"));
    });
  });

  describe("another feed", () => {
    it("takes over what Pyth told last, so that nothing older can be pushed", async () => {
      await tell({ price: 150n * E8, confidence: E8 });
      const publishedAt = Number((await pyth.queryPriceFeed(ethId)).price.publishTime);
      await (await oracle.setPushFeed(eth, wad("0.002"), 60)).wait();
      expect((await last(eth))[0]).to.include({ priceWad: wad("150"), toleranceWad: wad("0.002"), publishedAt });
      await expectRevert(() => oracle.push([eth], [wad("151")], publishedAt - 1), "PriceOlderThanUsed", {
        asset: eth,
        publishedAt: publishedAt - 1,
        usedPublishedAt: publishedAt,
      });
    });

    it("refuses a pushed price as long as Pyth is read", async () => {
      await expectRevert(async () => oracle.push([eth], [wad("1")], await now()), "NotPushFed", { asset: eth });
    });
  });
});
