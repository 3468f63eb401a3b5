import { expect } from "chai";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import { decodePrice, roleIds } from "../../sdk/index.js";
import { AccessManager__factory, type PriceOracle } from "../../typechain-types/index.js";
import { expectRevert } from "../helpers/revert.js";
import { type Signer, type World, deployWorld, roundFigures, wad } from "../helpers/world.js";

const maximum = 10n ** 27n;
const days = 86_400n;

describe("contracts/PriceOracle", () => {
  let connection: Connection;
  let world: World;
  let oracle: PriceOracle;
  let stranger: Signer;
  let now: bigint;

  async function quiet() {
    return deployWorld(connection, roundFigures);
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    world = await connection.networkHelpers.loadFixture(quiet);
    oracle = world.ballast.oracle;
    [stranger] = world.signers as [Signer];
    now = BigInt(await connection.networkHelpers.time.latest());
  });

  const last = async (...assets: number[]) => {
    const set = assets.reduce((bits, asset) => bits | (1n << BigInt(asset)), 0n);
    return (await oracle.lastPrices(set)).map(decodePrice);
  };

  describe("publishing", () => {
    it("stores each price as of its time and tells of it", async () => {
      const from = (await connection.ethers.provider.getBlockNumber()) + 1;
      await (await oracle.push([1, 0], [wad("201"), wad("8001")], now)).wait();
      const settings = {
        toleranceWad: wad("0.001"),
        publishedAt: Number(now),
        maxAgeSeconds: 3600,
        isFresh: true,
        isReduceOnly: false,
        inGrace: false,
      };
      expect(await last(0, 1)).to.deep.equal([
        { priceWad: wad("8001"), ...settings },
        { priceWad: wad("201"), ...settings },
      ]);
      expect((await world.ballast.events(from)).map(({ name, args }) => ({ name, ...args }))).to.deep.equal([
        { name: "PricePublished", asset: 1n, priceWad: wad("201"), toleranceWad: wad("0.001"), publishedAt: now },
        { name: "PricePublished", asset: 0n, priceWad: wad("8001"), toleranceWad: wad("0.001"), publishedAt: now },
      ]);
    });

    it("is for the pusher's role alone, which may do nothing else", async () => {
      const asStranger = oracle.connect(stranger);
      const refused = { caller: stranger.address };
      await expectRevert(() => asStranger.push([1], [wad("1")], now), "AccessManagedUnauthorized", refused);
      await expectRevert(() => asStranger.setPushFeed(1, 0n, 60n), "AccessManagedUnauthorized", refused);
      const manager = AccessManager__factory.connect(world.deployment.manager, world.admin);
      await (await manager.grantRole(roleIds.pusher, stranger.address, 0)).wait();
      await (await asStranger.push([1], [wad("202")], now)).wait();
      await expectRevert(() => asStranger.setPushFeed(1, 0n, 60n), "AccessManagedUnauthorized", refused);
      expect((await last(1))[0]?.priceWad).to.equal(wad("202"));
    });

    it("refuses a price of zero or below", async () => {
      for (const price of [0n, -1n, -wad("200")]) {
        await expectRevert(() => oracle.push([1], [price], now), "PriceNotPositive", { asset: 1n, priceWad: price });
      }
      await (await oracle.push([1], [1n], now)).wait();
    });

    it("refuses a price above a billion, and takes a billion", async () => {
      await expectRevert(() => oracle.push([1], [maximum + 1n], now), "PriceTooLarge", {
        asset: 1n,
        priceWad: maximum + 1n,
        maximumWad: maximum,
      });
      // A price that would not fit its field must not come out as another one.
      await expectRevert(() => oracle.push([1], [2n ** 96n + wad("200")], now), "PriceTooLarge", {
        asset: 1n,
        priceWad: 2n ** 96n + wad("200"),
        maximumWad: maximum,
      });
      await (await oracle.push([1], [maximum], now)).wait();
      expect((await last(1))[0]?.priceWad).to.equal(maximum);
    });

    it("refuses a price from the future, and takes one of the block's own second", async () => {
      const { time } = connection.networkHelpers;
      await time.setNextBlockTimestamp(now + 10n);
      await expectRevert(() => oracle.push([1], [wad("1")], now + 11n), "PriceFromFuture", {
        asset: 1n,
        publishedAt: now + 11n,
        blockTime: now + 10n,
      });
      await time.setNextBlockTimestamp(now + 10n);
      await (await oracle.push([1], [wad("1")], now + 10n)).wait();
    });

    it("INV-46: refuses a price older than one already used, and takes one of the same second", async () => {
      await (await oracle.push([1], [wad("201")], now - 1n)).wait();
      await expectRevert(() => oracle.push([1], [wad("202")], now - 2n), "PriceOlderThanUsed", {
        asset: 1n,
        publishedAt: now - 2n,
        usedPublishedAt: now - 1n,
      });
      await (await oracle.push([1], [wad("203")], now - 1n)).wait();
      expect((await last(1))[0]?.priceWad).to.equal(wad("203"));
    });

    it("refuses lists of different lengths", async () => {
      await expectRevert(() => oracle.push([1, 0], [wad("1")], now), "LengthMismatch", { assets: 2n, prices: 1n });
      await expectRevert(() => oracle.push([1], [wad("1"), wad("2")], now), "LengthMismatch", {
        assets: 1n,
        prices: 2n,
      });
    });

    it("refuses an asset without a feed", async () => {
      for (const asset of [3, 98, 127, 128, 1000]) {
        await expectRevert(() => oracle.push([asset], [wad("1")], now), "PriceMissing", { asset });
      }
    });

    it("takes all of a publication or none", async () => {
      const before = await last(0, 1);
      await expectRevert(() => oracle.push([0, 1], [wad("1"), 0n], now), "PriceNotPositive", {
        asset: 1n,
        priceWad: 0n,
      });
      expect(await last(0, 1)).to.deep.equal(before);
    });
  });

  describe("reading", () => {
    it("answers in ascending order of assets, one call for all", async () => {
      const set = (1n << 97n) | (1n << 96n) | 7n;
      const words = await oracle.prices(set);
      expect(words.map((word) => decodePrice(word).priceWad)).to.deep.equal(
        ["8000", "200", "4", "200", "8000"].map((price) => wad(price)),
      );
      expect(await oracle.lastPrices(set)).to.deep.equal(words);
      expect(await oracle.prices(0n)).to.deep.equal([]);
    });

    it("throws with the asset that has no price, or whose price is stale", async () => {
      await expectRevert(() => oracle.prices(1n << 3n), "PriceMissing", { asset: 3n });
      // A feed that has never published.
      await (await oracle.setPushFeed(3, wad("0.001"), 60)).wait();
      await expectRevert(() => oracle.prices(9n), "PriceMissing", { asset: 3n });
      const [price] = await last(1);
      await (await oracle.setPushFeed(1, wad("0.001"), 60)).wait();
      await world.passTime(61);
      await expectRevert(() => oracle.prices(7n), "PriceStale", {
        asset: 1n,
        publishedAt: price?.publishedAt,
        maxAge: 60n,
      });
      // The others are not concerned.
      expect((await oracle.prices(5n)).length).to.equal(2);
    });

    it("goes on telling the last good price, marked stale a second after its age", async () => {
      const { time } = connection.networkHelpers;
      await (await oracle.push([1], [wad("201")], now)).wait();
      await time.increaseTo(now + 3600n);
      expect((await last(1))[0]).to.include({ priceWad: wad("201"), isFresh: true });
      expect((await oracle.prices(2n)).length).to.equal(1);
      await time.increaseTo(now + 3601n);
      expect((await last(1))[0]).to.include({ priceWad: wad("201"), isFresh: false });
      await expectRevert(() => oracle.prices(2n), "PriceStale", { asset: 1n, publishedAt: now, maxAge: 3600n });
      expect(await oracle.lastPrices(1n << 50n)).to.deep.equal([0n]);
    });
  });

  describe("a feed's settings", () => {
    it("stay within a tolerance of 10%, an age of 1 second to 30 days, and 128 assets", async () => {
      for (const [asset, toleranceWad, maxAge] of [
        [1n, wad("0.1") + 1n, 60n],
        [1n, 0n, 0n],
        [1n, 0n, 30n * days + 1n],
        [128n, 0n, 60n],
        [2n ** 200n, 0n, 60n],
      ] as const) {
        await expectRevert(() => oracle.setPushFeed(asset, toleranceWad, maxAge), "FeedOutOfBounds", {
          asset,
          toleranceWad,
          maxAge,
        });
      }
      for (const [asset, tolerance, maxAge] of [
        [127n, wad("0.1"), 30n * days],
        [127n, 0n, 1n],
      ] as const) {
        await (await oracle.setPushFeed(asset, tolerance, maxAge)).wait();
      }
    });

    it("change and leave the last price as it was", async () => {
      const [before] = await last(1);
      const from = (await connection.ethers.provider.getBlockNumber()) + 1;
      await (await oracle.setPushFeed(1, wad("0.05"), 7200)).wait();
      expect((await last(1))[0]).to.deep.equal({ ...before, toleranceWad: wad("0.05"), maxAgeSeconds: 7200 });
      const [told] = await world.ballast.events(from);
      expect([told?.name, told?.args]).to.deep.equal([
        "PushFeedSet",
        { asset: 1n, toleranceWad: wad("0.05"), maxAge: 7200n },
      ]);
    });
  });
});
