import { expect } from "chai";
import hre from "hardhat";

import { type Connection, collateralParameters, marketParameters } from "../../ignition/deploy.js";
import { decodePrice, feedFaults } from "../../sdk/index.js";
import { MockPayer__factory, type MockPyth, type PriceOracle } from "../../typechain-types/index.js";
import {
  type PythPrice,
  bring,
  deployPyth,
  deployPythWorld,
  ethId,
  feeWei,
  inNextSecond,
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

  /** Confidences of 2% count here; the price that is stored is 200, a second old when it was. */
  async function pythWorld() {
    const made = await deployPythWorld(connection);
    const { oracle: of } = made.world.ballast;
    for (const asset of [eth, weth]) await (await set({ asset }, of)).wait();
    await bring(connection, made.pyth, { price: 200n * E8 });
    await inNextSecond(connection);
    await (await of.refresh([eth, weth])).wait();
    return made;
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
    const { asset = eth, toleranceWad = wad("0.001"), maxAge = 60n, priceId = ethId } = settings;
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
        maxAgeSeconds: 60,
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
      await tell({ price: 300n * E8, confidence: E8 });
      expect((await last(eth))[0]?.toleranceWad).to.equal(wad("0.001") + 3_333_333_333_333_334n);
    });

    it("INV-49: lets the tolerance grow by itself every ten seconds of a price's age, rounded up", async () => {
      await (await set({ toleranceWad: wad("0.001") + 1n })).wait();
      await tell({ price: 200n * E8, confidence: E8 });
      const publishedAt = await now();
      for (const [age, grown] of [
        [0, 0n],
        [1, wad("0.0001") + 1n],
        [9, wad("0.0009") + 1n],
        [10, wad("0.001") + 1n],
        [59, wad("0.0059") + 6n],
        [60, wad("0.006") + 6n],
      ] as const) {
        if (age > 0) await connection.networkHelpers.time.increaseTo(publishedAt + age);
        const toleranceWad = wad("0.001") + 1n + grown + wad("0.005");
        expect((await last(eth))[0], `of ${age} s`).to.include({ publishedAt, toleranceWad, isFresh: true });
      }
    });

    it("keeps the asset's own tolerance, however uncertain the price was that was stored last", async () => {
      await tell({ price: 200n * E8, confidence: 2n * E8 });
      await (await oracle.refresh([eth])).wait();
      await tell({ price: 200n * E8, confidence: E8 });
      expect((await last(eth))[0]?.toleranceWad).to.equal(wad("0.006"));
    });

    it("takes a confidence at its bound, and refuses one beyond it", async () => {
      await tell({ price: 200n * E8, confidence: 4n * E8 });
      expect((await last(eth))[0]).to.include({ toleranceWad: wad("0.021"), isFresh: true });
      await tell({ price: 200n * E8, confidence: 4n * E8 + 1n });
      expect((await last(eth))[0]).to.include({ toleranceWad: wad("0.1"), isFresh: false, isReduceOnly: false });
    });

    it("takes a price dated up to a minute ahead of the block for one of the block, and none dated further", async () => {
      const at = (await now()) + 1;
      await tell({ price: 201n * E8, publishTime: at + 60 });
      const price = { priceWad: wad("201"), toleranceWad: wad("0.001"), publishedAt: at, isFresh: true };
      expect((await last(eth))[0]).to.include(price);
      expect(decodePrice((await oracle.prices(setOf(eth)))[0]!)).to.include(price);
      await tell({ price: 202n * E8, publishTime: at + 62 });
      expect((await last(eth))[0]).to.include({ priceWad: wad("200"), isFresh: false, isReduceOnly: false });
      await expectRevert(() => oracle.prices(setOf(eth)), "FeedRefused", {
        asset: eth,
        feed: address,
        fault: faultNumber("fromFuture"),
        answer: 202n * E8,
        updatedAt: BigInt(at + 62),
      });
      await connection.networkHelpers.time.increaseTo(at + 2);
      expect((await last(eth))[0]).to.include({ ...price, priceWad: wad("202"), publishedAt: at + 2 });
    });

    it("stores a price dated ahead as one of the block, and finds it no older than that later", async () => {
      const at = (await now()) + 1;
      await tell({ price: 201n * E8, publishTime: at + 30 });
      await inNextSecond(connection);
      const from = await nextBlock();
      await (await oracle.refresh([eth])).wait();
      const stored = { name: "PricePublished", asset: BigInt(eth), priceWad: wad("201"), toleranceWad: wad("0.001") };
      expect(await told(from)).to.deep.equal([{ ...stored, publishedAt: BigInt(at + 1) }]);
      await connection.networkHelpers.time.increaseTo(at + 31);
      expect((await last(eth))[0]).to.include({ publishedAt: at + 30, toleranceWad: wad("0.0011"), isFresh: true });
    });

    it("tells a price that nobody has updated as the last good one, marked so a second after its age", async () => {
      await tell({ price: 150n * E8 });
      const publishedAt = (await pyth.queryPriceFeed(ethId)).price.publishTime;
      await connection.networkHelpers.time.increaseTo(publishedAt + 60n);
      expect((await last(eth))[0]).to.include({ priceWad: wad("150"), isFresh: true });
      await connection.networkHelpers.time.increaseTo(publishedAt + 61n);
      expect((await last(eth))[0]).to.include({ priceWad: wad("150"), isFresh: false, isReduceOnly: false });
      await expectRevert(() => oracle.prices(setOf(eth)), "PriceStale", { asset: eth, publishedAt, maxAge: 60n });
    });
  });

  describe("a price that is too uncertain tells what accounts are worth, is good for nothing, and is not stored:", () => {
    const uncertain: Readonly<Record<string, () => Promise<unknown>>> = {
      "its confidence is too large": () => tell({ price: 300n * E8, confidence: 6n * E8 + 1n }),
      "its confidence is all there is": () => tell({ price: 300n * E8, confidence: 2n ** 64n - 1n }),
      "its confidence makes the tolerance larger than 10%": async () => {
        await (await set({ toleranceWad: wad("0.05"), maxConfidenceWad: wad("0.1") })).wait();
        await tell({ price: 300n * E8, confidence: 15n * E8 });
        expect((await last(eth))[0]).to.include({ toleranceWad: wad("0.1"), isFresh: true });
        await tell({ price: 300n * E8, confidence: 15n * E8 + 1n });
      },
      "its age makes the tolerance larger than 10%": async () => {
        await (await set({ toleranceWad: wad("0.05") })).wait();
        await tell({ price: 300n * E8 });
        const at = await now();
        await connection.networkHelpers.time.increaseTo(at + 10);
        expect((await last(eth))[0]).to.include({ toleranceWad: wad("0.1"), isFresh: true });
        await connection.networkHelpers.time.increaseTo(at + 11);
      },
    };

    for (const [title, make] of Object.entries(uncertain)) {
      it(title, async () => {
        await make();
        const { price, publishTime } = (await pyth.queryPriceFeed(ethId)).price;
        expect(await last(eth)).to.deep.equal([
          {
            priceWad: wad("300"),
            toleranceWad: wad("0.1"),
            publishedAt: Number(publishTime),
            maxAgeSeconds: 60,
            isFresh: false,
            isReduceOnly: false,
            inGrace: false,
          },
        ]);
        const refused = {
          asset: eth,
          feed: address,
          fault: faultNumber("tooUncertain"),
          answer: price,
          updatedAt: publishTime,
        };
        await expectRevert(() => oracle.prices(setOf(0, eth, 2)), "FeedRefused", refused);
        await expectRevert(() => oracle.refresh([eth]), "FeedRefused", refused);
        expect((await oracle.prices(setOf(0, 2, 97))).length).to.equal(3);
        // With the contract silent it is the price stored before that counts.
        await behave("reverts");
        expect((await last(eth))[0]).to.include({ priceWad: wad("200"), isFresh: false });
        await behave("answers");
        await tell({ price: 199n * E8 });
        expect((await last(eth))[0]).to.include({ priceWad: wad("199"), isFresh: true });
      });
    }
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
    ];

    for (const { title, fault, fail } of failures) {
      it(title, async () => {
        const [before] = await last(eth);
        await fail();
        const held = { ...before, toleranceWad: wad("0.0011"), isFresh: false };
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
        await tell({ price: 199n * E8 });
        expect((await last(eth))[0]).to.include({ priceWad: wad("199"), isFresh: true });
      });
    }
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
      await world.passTime(61);
      await expectRevert(() => oracle.prices(setOf(eth)), "PriceStale", {
        asset: eth,
        publishedAt: (await last(eth))[0]?.publishedAt,
        maxAge: 60n,
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

    it("INV-46: keeps the newer price where an older one is brought", async () => {
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
      const settings = { toleranceWad: wad("0.005"), maxAge: 30n, maxConfidenceWad: wad("0.02") };
      await inNextSecond(connection);
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
        { name: "PricePublished", asset, priceWad: wad("150"), toleranceWad: wad("0.0255"), publishedAt: publishTime },
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

    it("stay within a tolerance of 0.05% to 10%, an age of 1 to 60 s, and a confidence above zero and at most 10%", async () => {
      for (const [toleranceWad, maxAge] of [
        [wad("0.1") + 1n, 60n],
        [wad("0.0005") - 1n, 60n],
        [0n, 60n],
        [wad("0.001"), 0n],
        [wad("0.001"), 61n],
        [wad("0.001"), 2n ** 32n + 60n],
      ] as const) {
        const refused = { asset: BigInt(eth), toleranceWad, maxAge };
        await expectRevert(() => set(refused), "FeedOutOfBounds", refused);
      }
      await expectRevert(() => set({ asset: 128n }), "FeedOutOfBounds", {
        asset: 128n,
        toleranceWad: wad("0.001"),
        maxAge: 60n,
      });
      // Ahead, so that its age takes nothing of the tolerance.
      await tell({ price: 200n * E8, publishTime: (await now()) + 60 });
      for (const [toleranceWad, maxAge, maxConfidenceWad] of [
        [wad("0.0005"), 60n, 1n],
        [wad("0.1"), 1n, wad("0.1")],
      ] as const) {
        await (await set({ toleranceWad, maxAge, maxConfidenceWad })).wait();
        expect((await last(eth))[0]).to.include({ toleranceWad, maxAgeSeconds: Number(maxAge), isFresh: true });
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
      await world.passTime(61);
      await expectRevert(() => set(), "PriceStale", { asset: eth, publishedAt: publishTime, maxAge: 60n });
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
      await tell({ price: 100n * E8 });
      expect((await last(eth))[0]?.priceWad).to.equal(wad("198"));
    });

    it("refuse what another contract tells of the same price from before the last one stored", async () => {
      const next = await deployPyth(connection);
      await (await oracle.setPyth(next)).wait();
      const publishTime = Number((await pyth.queryPriceFeed(ethId)).price.publishTime) - 1;
      await bring(connection, next, { price: 150n * E8, publishTime });
      await expectRevert(() => set(), "FeedRefused", {
        asset: eth,
        feed: await next.getAddress(),
        fault: faultNumber("olderThanUsed"),
        answer: 150n * E8,
        updatedAt: BigInt(publishTime),
      });
    });
  });

  describe("the largest tolerance that a price can have", () => {
    const most = (asset: number) => oracle.mostTolerance(asset);

    it("INV-49: is the asset's own, what age adds to it at most, and the largest confidence; 10% at most", async () => {
      expect(await most(eth)).to.equal(wad("0.027"));
      await tell({ price: 200n * E8, publishTime: (await now()) + 60 }); // ahead, so that it is fresh however long this takes
      await (await set({ toleranceWad: wad("0.0005") + 1n, maxAge: 7n, maxConfidenceWad: 3n })).wait();
      expect(await most(eth)).to.equal(wad("0.00085") + 5n); // 5e14 + 1, seven tenths of it rounded up, and 3
      await (await set({ toleranceWad: wad("0.01"), maxConfidenceWad: wad("0.03") })).wait();
      expect(await most(eth)).to.equal(wad("0.1"));
      await (await set({ toleranceWad: wad("0.01"), maxConfidenceWad: wad("0.030001") })).wait();
      expect(await most(eth)).to.equal(wad("0.1"));
    });

    it("does not move with the confidence or the age of the moment, nor with a feed that is silent", async () => {
      for (const change of [
        () => tell({ price: 200n * E8, confidence: 4n * E8 }),
        () => world.passTime(30),
        () => world.passTime(3600),
        () => behave("reverts"),
      ]) {
        await change();
        expect(await most(eth)).to.equal(wad("0.027"));
      }
    });

    it("is the asset's own where it is pushed, and zero where there is no feed", async () => {
      expect(await most(0)).to.equal(wad("0.001"));
      await (await oracle.setPushFeed(eth, wad("0.002"), 3600)).wait();
      expect([await most(eth), await most(free)]).to.deep.equal([wad("0.002"), 0n]);
    });

    it("is what parameters must have room for, whatever the tolerance of the moment is", async () => {
      const { vault } = world.ballast;
      const market = marketParameters(world.parameters.markets.find(({ symbol }) => symbol === "ETH")!);
      const collateral = collateralParameters(world.parameters.collaterals.find(({ symbol }) => symbol === "WETH")!);
      const token = world.deployment.collaterals[0]!.address;
      const setMarket = (discountBaseWad: bigint) => vault.setMarketParameters(eth, { ...market, discountBaseWad });
      const setCollateral = (discountBaseWad: bigint) =>
        vault.setCollateralParameters(token, { ...collateral, discountBaseWad });
      const [least, leastOfCollateral] = [market.takerRateWad + wad("0.027"), wad("0.027")];
      expect((await last(eth))[0]?.toleranceWad).to.equal(wad("0.0011"));
      await expectRevert(() => setMarket(least - 1n), "ParameterOutOfBounds", {
        rule: "discountBase >= takerRate + tolerance",
      });
      await expectRevert(() => setCollateral(leastOfCollateral - 1n), "ParameterOutOfBounds", {
        rule: "discountBase >= tolerance",
      });
      await tell({ price: 200n * E8, confidence: 4n * E8 });
      await (await setMarket(least)).wait();
      await world.passTime(10);
      await (await setCollateral(leastOfCollateral)).wait();
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
