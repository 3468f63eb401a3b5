import { expect } from "chai";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import { type AccountId, type BallastEvent, WAD } from "../../sdk/index.js";
import { audit, marketFigures } from "../helpers/audit.js";
import { abs } from "../helpers/model.js";
import { portfolio } from "../helpers/portfolio.js";
import { expectRevert } from "../helpers/revert.js";
import { type LossChanges, type Stage, argsOf, deployStage } from "../helpers/stage.js";
import { wad } from "../helpers/world.js";

const ETH = 1n;
const RAY = 10n ** 27n;
const everything = 2n ** 255n;

describe("contracts: deleveraging", () => {
  let connection: Connection;
  let at: Stage;

  before(async () => {
    connection = await hre.network.create();
  });

  const insured = () => deployStage(connection, { vault: { insuranceSeed: "1000000" } }, "1000000");

  beforeEach(async () => {
    at = await connection.networkHelpers.loadFixture(insured);
  });

  afterEach(async () => {
    await audit(at.world);
  });

  const enter = async (changes: LossChanges, poolDeposit?: string) => {
    at = await deployStage(await hre.network.create(), changes, poolDeposit);
  };

  const cashOf = (account: AccountId) => at.vault.cash(account);
  const equityOf = async (account: AccountId) => (await at.vault.health(account)).equityMaintenanceWad;
  const near = (actual: bigint, expected: bigint, bound = 100n) =>
    expect(abs(actual - expected) <= bound, `${actual} for ${expected}`).to.equal(true);

  /** Index of the account of signer 9 that `bankrupt` opens next. */
  let opened = 0;

  /** Opens a long (or short) of ETH at 200 that is bankrupt at 180 (220). */
  async function doomed(size: string, short = false): Promise<AccountId> {
    const cash = (Number(size) * 10.7 + 3).toFixed(2);
    opened += 1;
    return at.open(9, cash, { ETH: short ? `-${size}` : size }, opened);
  }

  /** Shares of the account's position as stored last, and the epoch. */
  const stored = async (account: AccountId) => {
    const { storedSharesWad, storedEpoch } = await at.vault.position(account, ETH);
    return [storedSharesWad, storedEpoch];
  };

  describe("a part of the other side", () => {
    for (const short of [false, true]) {
      const [side, other] = short ? ["short", "longs"] : ["long", "shorts"];

      it(`of a ${side} takes the same share of all ${other}, the pool among them, and nothing of anybody's value`, async () => {
        const signed = (size: string) => (short ? (size.startsWith("-") ? size.slice(1) : `-${size}`) : size);
        const target = await doomed("10", short);
        const beside = await at.open(0, "1000", { ETH: signed("6") });
        const a = await at.open(1, "1000", { ETH: signed("-3") });
        const b = await at.open(2, "1000", { ETH: signed("-5") });
        const price = short ? "220" : "180";
        await at.world.push({ ETH: price });
        const everyone = [a, b, at.pool];
        const before = await Promise.all(everyone.map(async (who) => [await at.size(who, "ETH"), await equityOf(who)]));
        const events = await at.absorb(target);
        // Ten of sixteen.
        const { soldRay, ...told } = argsOf(events, "Deleveraged");
        expect(told).to.deep.equal({
          market: ETH,
          long: short,
          epoch: 0n,
          priceRay: wad(price) * 10n ** 9n,
          scaleRay: RAY - (soldRay ?? 0n),
        });
        near(soldRay ?? 0n, (RAY * 10n) / 16n, 1n);
        for (const [i, who] of everyone.entries()) {
          const [size = 0n, equity = 0n] = before[i] ?? [];
          near(await at.size(who, "ETH"), (size * 6n) / 16n);
          if (who !== at.pool) near(await equityOf(who), equity);
        }
        const [size = 0n] = before[0] ?? [];
        const [sold, proceeds] = await at.world.ballast.lens.deleveraged(
          a,
          ETH,
          short,
          0n,
          soldRay ?? 0n,
          told["priceRay"] ?? 0n,
        );
        near(sold, -(size * 10n) / 16n);
        near(proceeds, (size * 10n * wad(price)) / (16n * WAD), 1000n);
        // Who opens now has nothing to do with it, but for the shares that are smaller.
        const later = await at.open(3, "1000", { ETH: signed("-2") });
        expect(await at.size(later, "ETH")).to.equal(wad(signed("-2")));
        near((await stored(later))[0] ?? 0n, (wad(signed("-2")) * 16n) / 6n);
        // Everybody can close, and only fills and fees cost anything.
        for (const who of [a, b, later, beside]) {
          await at.trade(who, "ETH", -(await at.size(who, "ETH")));
          expect((await portfolio(at.world, who)).positions).to.deep.equal({});
        }
        // An empty side starts anew.
        const sides = await marketFigures(at.world, ETH);
        for (const { scale, shares } of [sides.long, sides.short]) {
          expect([scale, shares]).to.deep.equal([RAY, 0n]);
        }
      });
    }

    it("moves what is left by the price as any position of its size", async () => {
      const target = await doomed("10");
      await at.open(0, "1000", { ETH: "6" });
      const a = await at.open(1, "1000", { ETH: "-8" });
      await at.world.push({ ETH: "180" });
      await at.absorb(target);
      const [size, value] = [await at.size(a, "ETH"), await at.value(a, "ETH")];
      near(size, -wad("3"));
      await at.world.push({ ETH: "150" });
      near((await at.value(a, "ETH")) - value, wad("90"), 1000n);
      await at.world.push({ ETH: "190" });
      near((await at.value(a, "ETH")) - value, -wad("30"), 1000n);
    });

    it("pays and takes funding for the size that is left", async () => {
      await enter(
        {
          everyMarket: { maxFundingVelocityPerDay2: "3" },
          markets: { ETH: { skewScale: "800", openInterestCap: "24" } },
          vault: { insuranceSeed: "100000" },
        },
        "1000000",
      );
      const target = await at.open(9, "105", { ETH: "8" });
      await at.open(0, "1000", { ETH: "8" });
      const old = await at.open(1, "1000", { ETH: "-6" });
      await at.world.push({ ETH: "180" });
      await at.absorb(target);
      const size = await at.size(old, "ETH");
      near(size, -wad("3"), 10n ** 12n);
      const young = await at.open(2, "1000", { ETH: "-3" });
      await at.world.refresh();
      const before = [await at.value(old, "ETH"), await at.value(young, "ETH")];
      await at.world.passTime(40_000);
      const gained = [
        (await at.value(old, "ETH")) - (before[0] ?? 0n),
        (await at.value(young, "ETH")) - (before[1] ?? 0n),
      ];
      expect((gained[0] ?? 0n) > wad("0.01"), String(gained[0])).to.equal(true);
      near(gained[0] ?? 0n, gained[1] ?? 0n, 10n ** 6n);
      await at.world.refresh();
      // Once the market is touched, the index stands in its word, and audit adds up what the sides have paid one another.
      await at.trade(young, "ETH", "-1");
      const { dust } = await audit(at.world);
      near(dust, 0n, 1000n);
    });
  });

  describe("of somebody at the edge", () => {
    /** Raises or lowers the price of BTC until the account is healthy by no more than a hair. */
    async function toEdge(account: AccountId): Promise<void> {
      let [low, high] = [wad("5000"), wad("8000")];
      const text = (price: bigint) => `${price / WAD}.${String(price % WAD).padStart(18, "0")}`;
      const spare = async (price: bigint) => {
        await at.world.push({ BTC: text(price) });
        const health = await at.vault.health(account);
        return health.equityMaintenanceWad - health.requirementMaintenanceWad;
      };
      expect((await spare(low)) < 0n && (await spare(high)) > 0n).to.equal(true);
      while (high - low > 1n) {
        const middle = (low + high) / 2n;
        if ((await spare(middle)) >= 0n) high = middle;
        else low = middle;
      }
      expect((await spare(high)) < 100n).to.equal(true);
    }

    for (const longs of ["0", "5", "90"]) {
      it(`makes nobody liquidatable, however deep the loss (INV-11): beside ${longs} of other longs`, async () => {
        await enter({ vault: { insuranceSeed: "0" }, cash: { poolLossPerHour: "0" } }, "1000000");
        const target = await doomed("10");
        if (longs !== "0") await at.open(0, "10000", { ETH: longs });
        // Its debt is against ETH: what it loses by the closing is margin, and debt margin besides.
        const edge = await at.world.fund(at.world.signers[1] as never, { WETH: "10" });
        await at.trade(edge, "ETH", "-6");
        await at.trade(edge, "BTC", "0.5");
        await at.world.push({ ETH: "150" });
        await toEdge(edge);
        const before = await at.vault.health(edge);
        expect(before.netCashWad < -wad("100"), String(before.netCashWad)).to.equal(true);
        const events = await at.absorb(target);
        const bound = (wad("150") * 10n ** 9n * 1080n) / 1050n;
        near(argsOf(events, "PositionDeleveraged")["priceRay"] ?? 0n, bound, 10n ** 9n);
        const after = await at.vault.health(edge);
        const lost = before.equityMaintenanceWad - after.equityMaintenanceWad;
        expect(lost > wad("0.1"), String(lost)).to.equal(true);
        const spare = after.equityMaintenanceWad - after.requirementMaintenanceWad;
        expect(spare >= 0n, String(spare)).to.equal(true);
        // Nothing but the depth of the market, which asks less of a smaller position, is left of it.
        expect(spare < wad("0.001"), String(spare)).to.equal(true);
      });
    }
  });

  describe("the whole of the other side", () => {
    /** A single short is closed whole: what is left of it is its result. */
    async function finished(price = "180", size = "10") {
      const target = await doomed(size);
      const winner = await at.open(1, "500", { ETH: `-${size}` });
      await at.world.push({ ETH: price });
      const gain = await at.value(winner, "ETH");
      await at.absorb(target);
      return { winner, gain };
    }

    it("leaves a position of size zero whose gain anybody settles, without a fresh price, in full", async () => {
      const { winner, gain } = await finished();
      expect(await at.size(winner, "ETH")).to.equal(0n);
      near(await at.value(winner, "ETH"), gain);
      expect(gain > wad("190")).to.equal(true);
      const before = await at.vault.health(winner);
      expect(before.requirementMaintenanceWad).to.equal(wad("2")); // the keeper floor, until it is settled
      expect(before.pricesFresh).to.equal(true);
      await at.kill(1);
      // No price moves it.
      await at.world.push({ BTC: "8000" });
      const events = await at.events(() => at.vault.settle(winner, ETH));
      near(argsOf(events, "Settled")["realizedWad"] ?? 0n, gain);
      near(await cashOf(winner), wad("500") + gain);
      expect((await portfolio(at.world, winner)).positions).to.deep.equal({});
      await at.withdraw(winner, (await cashOf(winner)) / 10n ** 12n);
      expect((await at.balanceOf(at.world.signers[1]?.address ?? "")) > 690_000_000n).to.equal(true);
      await expectRevert(() => at.vault.settle(winner, ETH), "NoPosition", { account: winner, market: ETH });
    });

    it("lets its owner withdraw the cash and trade on before that", async () => {
      const { winner, gain } = await finished();
      await at.withdraw(winner, 400_000_000n);
      await at.trade(winner, "ETH", "2");
      near(await cashOf(winner), wad("100") + gain);
      expect(await at.size(winner, "ETH")).to.equal(wad("2"));
      await at.trade(winner, "ETH", "-2");
      expect((await portfolio(at.world, winner)).positions).to.deep.equal({});
    });

    it("takes a loss of it from its owner too, who may be absorbed for it", async () => {
      // A short that lost: bankrupt by itself, and closed by another's deleveraging before anybody absorbs it.
      const loser = await at.open(1, "120", { ETH: "-10" });
      const target = await at.open(2, "1000", { ETH: "10" });
      await at.world.push({ ETH: "214" });
      expect((await at.vault.health(loser)).equityMaintenanceWad < 0n).to.equal(true);
      // It is the long's other market that ruins it.
      await at.world.push({ ETH: "200" });
      await at.trade(target, "BTC", "1");
      await at.world.push({ BTC: "6800", ETH: "213" });
      expect((await equityOf(target)) < 0n).to.equal(true);
      await at.absorb(target);
      expect(await at.size(loser, "ETH")).to.equal(0n);
      const equity = await equityOf(loser);
      expect(equity < 0n, String(equity)).to.equal(true);
      await expectRevert(() => at.vault.liquidatePosition(loser, ETH, everything, at.pool), "LegRefused", {
        account: loser,
        market: ETH,
        refusal: 1n,
      });
      const events = await at.absorb(loser);
      expect(argsOf(events, "InsurancePaid")["deficitWad"]).to.equal(-equity);
      expect(await cashOf(loser)).to.equal(0n);
      expect((await portfolio(at.world, loser)).positions).to.deep.equal({});
    });

    it("is settled before its owner takes anything over", async () => {
      const { winner } = await finished();
      const long = await at.open(4, "110", { ETH: "10" });
      await at.open(5, "5000", { ETH: "-10" });
      await at.world.push({ ETH: "174" });
      const owner = at.world.signers[1] as never;
      const asWinner = at.vault.connect(owner);
      await expectRevert(() => asWinner.liquidatePosition(long, ETH, everything, winner), "UnsettledResult", {
        account: winner,
        market: ETH,
      });
      await at.settle(winner, "ETH");
      await (await asWinner.liquidatePosition(long, ETH, everything, winner)).wait();
      expect((await at.size(winner, "ETH")) > 0n).to.equal(true);
    });
  });

  describe("epochs", () => {
    /** Closes 9,999.5 of 10,000 that are long (or short): the other side keeps less than a ten-thousandth. */
    async function endEpoch(): Promise<BallastEvent[]> {
      await at.world.push({ ETH: "200" });
      const target = await doomed("999.95");
      await at.world.push({ ETH: "180" });
      return at.absorb(target);
    }

    it("end where less than a ten-thousandth of a share is left; who holds some converts when touched, the pool at once", async () => {
      await at.open(0, "1000", { ETH: "0.05" });
      const a = await at.open(1, "100000", { ETH: "-400" });
      const pool = await at.size(at.pool, "ETH");
      await at.world.push({ ETH: "180" });
      const value = await at.value(a, "ETH");
      const events = await endEpoch();
      const end = argsOf(events, "EpochEnded");
      expect([end["long"], end["epoch"]]).to.deep.equal([false, 0n]);
      const { short } = await marketFigures(at.world, ETH);
      expect([short.scale, short.epoch]).to.deep.equal([RAY, 1n]);
      near(short.shares, wad("0.05"), 10n);
      expect(await stored(a)).to.deep.equal([-wad("400"), 0n]);
      near(await at.size(a, "ETH"), -wad("0.02"), 10n);
      near(await at.value(a, "ETH"), value);
      expect(pool > 0n).to.equal(true); // it was long then, and short after the target had come
      near(await at.size(at.pool, "ETH"), -wad("0.03"), 10n);
      expect((await at.vault.market(ETH)).poolPosition >> 240n).to.equal(1n);
      // The event tells what happened to it, in shares of the epoch that ended.
      const { soldRay = 0n, priceRay = 0n } = argsOf(events, "Deleveraged");
      const [sold] = await at.world.ballast.lens.deleveraged(a, ETH, false, 0n, soldRay, priceRay);
      near(sold, wad("399.98"), 10n ** 6n);
    });

    /** A short of 400 of epoch 0 when the short side is in epoch 2, and one of 300 that came in epoch 1. */
    async function twoEpochs() {
      await at.open(0, "1000", { ETH: "0.05" });
      const oldest = await at.open(1, "100000", { ETH: "-400" });
      await endEpoch();
      await at.world.push({ ETH: "200" });
      const younger = await at.open(2, "100000", { ETH: "-300" });
      const values = [await at.value(oldest, "ETH"), await at.value(younger, "ETH")];
      await endEpoch();
      const { short } = await marketFigures(at.world, ETH);
      expect(short.epoch).to.equal(2n);
      expect([await stored(oldest), await stored(younger)]).to.deep.equal([
        [-wad("400"), 0n],
        [-wad("300"), 1n],
      ]);
      return { oldest, younger, values };
    }

    it("convert one after the other", async () => {
      const { oldest, younger } = await twoEpochs();
      // 0.02 of the second epoch, and of that again a twenty-thousandth.
      near(await at.size(oldest, "ETH"), -wad("0.000001"), 10n ** 9n);
      near(await at.size(younger, "ETH"), -wad("0.015"), 10n ** 9n);
      expect((await at.value(oldest, "ETH")) > wad("7000")).to.equal(true);
      expect((await at.value(younger, "ETH")) > wad("5000")).to.equal(true);
      // Nothing of a profit and loss is lost or made by touching them.
      for (const who of [oldest, younger]) {
        const equity = await equityOf(who);
        await at.settle(who, "ETH");
        near(await equityOf(who), equity);
        expect((await stored(who))[1]).to.equal(2n);
      }
    });

    it("leave nothing impossible: closing, growing, turning, settling, withdrawing, with a position of an old one", async () => {
      const { oldest, younger } = await twoEpochs();
      const start = await at.world.connection.networkHelpers.takeSnapshot();
      for (const who of [oldest, younger]) {
        const size = await at.size(who, "ETH");
        const equity = await equityOf(who);
        const acts: Record<string, () => Promise<void>> = {
          close: async () => {
            await at.trade(who, "ETH", -size);
            expect((await portfolio(at.world, who)).positions).to.deep.equal({});
            near(await cashOf(who), equity, wad("0.02"));
          },
          grow: async () => {
            await at.trade(who, "ETH", "-1");
            expect(await at.size(who, "ETH")).to.equal(size - wad("1"));
          },
          turn: async () => {
            await at.trade(who, "ETH", "1");
            expect(await at.size(who, "ETH")).to.equal(size + wad("1"));
          },
          settle: async () => {
            await at.settle(who, "ETH");
            near(await at.size(who, "ETH"), size, 1n);
          },
          withdraw: async () => {
            await at.withdraw(who, 90_000_000_000n);
            near(await equityOf(who), equity - wad("90000"));
          },
        };
        for (const [name, act] of Object.entries(acts)) {
          await act();
          await audit(at.world);
          await start.restore();
          expect(name).to.be.a("string");
        }
      }
    });

    it("let a position of an old one be liquidated, into the pool and handed over", async () => {
      const { younger } = await twoEpochs();
      // All its cash and most of its gain go; then the price of another market ruins it.
      await at.world.push({ ETH: "200" });
      const raw = (await cashOf(younger)) / 10n ** 12n;
      await at.withdraw(younger, raw - 3_000_000_000n);
      await at.trade(younger, "BTC", "14");
      await at.world.push({ BTC: "7530" });
      const health = await at.vault.health(younger);
      expect(
        health.equityMaintenanceWad < health.requirementMaintenanceWad && health.equityMaintenanceWad > 0n,
      ).to.equal(true);
      const taker = await at.open(4, "100000", {});
      const asTaker = at.vault.connect(at.world.signers[4] as never);
      const size = await at.size(younger, "ETH");
      const start = await at.world.connection.networkHelpers.takeSnapshot();
      for (const into of [at.pool, taker]) {
        // Below the market's minimum already: it goes whole. A taker may not end with so little.
        const act = () => asTaker.liquidatePosition(younger, ETH, everything, into);
        if (into === taker) await at.trade(taker, "ETH", "-2");
        await (await act()).wait();
        expect(await at.size(younger, "ETH")).to.equal(0n);
        if (into === taker) near(await at.size(taker, "ETH"), -wad("2") + size, 10n);
        await audit(at.world);
        await start.restore();
      }
    });
  });
});
