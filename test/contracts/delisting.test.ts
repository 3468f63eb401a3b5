import { expect } from "chai";
import hre from "hardhat";

import { type Connection, marketParameters } from "../../ignition/deploy.js";
import { type AccountId, decodeMarketState, parseDecimal } from "../../sdk/index.js";
import { audit, marketFigures } from "../helpers/audit.js";
import { abs } from "../helpers/model.js";
import { portfolio } from "../helpers/portfolio.js";
import { expectRevert } from "../helpers/revert.js";
import { type Stage, allArgsOf, argsOf, deployStage, setMarket } from "../helpers/stage.js";
import { wad } from "../helpers/world.js";

const ETH = 1n;
const DAY = 86_400n;

describe("contracts: delisting", () => {
  let connection: Connection;
  let at: Stage;

  before(async () => {
    connection = await hre.network.create();
  });

  const insured = () => deployStage(connection, { vault: { insuranceSeed: "100000" } }, "1000000");

  beforeEach(async () => {
    at = await connection.networkHelpers.loadFixture(insured);
  });

  afterEach(async () => {
    await audit(at.world);
  });

  const near = (actual: bigint, expected: bigint, bound = 10n) =>
    expect(abs(actual - expected) <= bound, `${actual} for ${expected}`).to.equal(true);
  const cashOf = (account: AccountId) => at.vault.cash(account);
  const equityOf = async (account: AccountId) => (await at.vault.health(account)).equityMaintenanceWad;
  const time = () => at.world.connection.networkHelpers.time;
  const latest = async () => BigInt(await time().latest());
  const asAdmin = () => at.world.ballast.vault;

  /** Announces the delisting of ETH a day ahead. */
  async function announce(finalPrice = "0"): Promise<bigint> {
    const due = (await latest()) + DAY + 10n;
    await (await asAdmin().announceDelisting(ETH, due, parseDecimal(finalPrice, 18))).wait();
    return due;
  }

  const delist = () => at.events(() => at.vault.delist(ETH));

  describe("announced", () => {
    it("is so by who may, a day ahead at least, at a price that a word holds", async () => {
      const now = await latest();
      await expectRevert(() => at.vault.announceDelisting(ETH, now + DAY * 2n, 0n), "AccessManagedUnauthorized", {
        caller: at.keeper.address,
      });
      await time().setNextBlockTimestamp(now + 100n);
      await expectRevert(() => asAdmin().announceDelisting(ETH, now + 99n + DAY, 0n), "ParameterOutOfBounds", {
        rule: "due >= now + 1 day",
      });
      const tooMuch = parseDecimal("1000000001", 18);
      await expectRevert(() => asAdmin().announceDelisting(ETH, now + DAY * 2n, tooMuch), "ParameterOutOfBounds", {
        rule: "finalPrice <= 1e9",
      });
      await expectRevert(() => asAdmin().announceDelisting(3n, now + DAY * 2n, 0n), "UnknownMarket", { market: 3n });
      await time().setNextBlockTimestamp(now + 200n);
      const events = await at.events(() => asAdmin().announceDelisting(ETH, now + 200n + DAY, wad("190")));
      expect(argsOf(events, "DelistingAnnounced")).to.deep.equal({
        market: ETH,
        due: now + 200n + DAY,
        finalPriceWad: wad("190"),
      });
    });

    it("lets no position grow, turn or begin, and every one be reduced, closed, settled and liquidated", async () => {
      const long = await at.open(0, "1000", { ETH: "10" });
      const short = await at.open(1, "1000", { ETH: "-4" });
      const values = [await at.value(long, "ETH"), await at.value(short, "ETH")];
      const due = await announce();
      expect([await at.value(long, "ETH"), await at.value(short, "ETH")]).to.deep.equal(values);
      const closing = { market: ETH, delistAt: due };
      await expectRevert(() => at.trade(long, "ETH", "1"), "MarketClosing", closing);
      await expectRevert(() => at.trade(long, "ETH", "-11"), "MarketClosing", closing);
      await expectRevert(() => at.trade(short, "ETH", "-1"), "MarketClosing", closing);
      const nobody = await at.open(2, "1000", {});
      await expectRevert(() => at.trade(nobody, "ETH", "1"), "MarketClosing", closing);
      await at.trade(nobody, "BTC", "0.1");
      await at.trade(long, "ETH", "-3");
      await at.trade(short, "ETH", "4");
      expect((await portfolio(at.world, short)).positions).to.deep.equal({});
      await at.world.push({ ETH: "190" });
      await at.settle(long, "ETH");
      await at.world.push({ ETH: "58.7" });
      await (await at.vault.liquidatePosition(long, ETH, 2n ** 255n, at.pool)).wait();
      expect((await at.size(long, "ETH")) < wad("7")).to.equal(true);
    });

    it("may be set up anew in its parameters, and stays announced", async () => {
      const due = await announce();
      await setMarket(at, "ETH", { minimumSizeWad: wad("1") });
      const nobody = await at.open(2, "1000", {});
      await expectRevert(() => at.trade(nobody, "ETH", "1"), "MarketClosing", { market: ETH, delistAt: due });
    });
  });

  describe("due", () => {
    it("is delisted by anyone from then on, once, and never without an announcement", async () => {
      await expectRevert(() => at.vault.delist(ETH), "DelistingNotDue", {
        market: ETH,
        delistAt: 0n,
        blockTime: (seconds: bigint) => seconds > 0n,
      });
      const due = await announce();
      await time().setNextBlockTimestamp(due - 1n);
      await expectRevert(() => at.vault.delist(ETH), "DelistingNotDue", {
        market: ETH,
        delistAt: due,
        blockTime: (seconds: bigint) => seconds < due,
      });
      await time().increaseTo(due);
      await at.world.refresh();
      await delist();
      await expectRevert(() => at.vault.delist(ETH), "MarketDelisted", { market: ETH });
      await expectRevert(() => asAdmin().announceDelisting(ETH, due + 2n * DAY, 0n), "MarketDelisted", { market: ETH });
      await at.world.refresh();
      await expectRevert(() => setMarket(at, "ETH", {}), "MarketDelisted", { market: ETH });
      const [listed] = at.world.parameters.markets;
      expect(listed && marketParameters(listed).skewScaleWad > 0n).to.equal(true);
      const nobody = await at.open(2, "1000", {});
      for (const size of ["1", "-1"]) {
        await expectRevert(() => at.trade(nobody, "ETH", size), "MarketDelisted", { market: ETH });
      }
    });

    for (const [feed, announced, price] of [
      ["fresh", "150", "210"],
      ["dead", "150", "150"],
      ["dead", "0", "190"],
    ] as const) {
      it(`closes all at ${price} with a ${feed} feed whose last is 190 and ${announced} announced`, async () => {
        const long = await at.open(0, "1000", { ETH: "10" });
        const short = await at.open(1, "1000", { ETH: "-4" });
        const due = await announce(announced);
        await at.world.push({ ETH: "190" });
        await at.kill(1);
        await time().increaseTo(due);
        if (feed === "fresh") await at.world.push({ ETH: "210" });
        else {
          // Late is not dead: nobody picks a moment at which a price is missing.
          await expectRevert(() => at.vault.delist(ETH), "StaleMarketPrice", {
            market: ETH,
            publishedAt: (seconds: bigint) => seconds < due,
            maxAge: (seconds: bigint) => seconds > 0n,
          });
          await time().increaseTo(due + DAY);
        }
        const costs = await Promise.all([long, short].map(async (who) => (await at.vault.position(who, ETH)).costWad));
        const pool = (await at.vault.market(ETH)).poolPosition;
        const poolCost = BigInt.asIntN(120, pool >> 120n);
        const events = await delist();
        expect(argsOf(events, "Delisted")).to.deep.equal({ market: ETH, priceWad: wad(price) });
        const gains = [10n * wad(price) - (costs[0] ?? 0n), -4n * wad(price) - (costs[1] ?? 0n)];
        near(await at.value(long, "ETH"), gains[0] ?? 0n);
        near(await at.value(short, "ETH"), gains[1] ?? 0n);
        expect([await at.size(long, "ETH"), await at.size(short, "ETH"), await at.size(at.pool, "ETH")]).to.deep.equal([
          0n,
          0n,
          0n,
        ]);
        near(await at.value(at.pool, "ETH"), -6n * wad(price) - poolCost);
        // The feed may be dead for good: results are paid in full, gains too.
        const [value] = await at.vault.poolValue();
        for (const [i, who] of [long, short].entries()) {
          const told = argsOf(await at.events(() => at.vault.settle(who, ETH)), "Settled");
          near(told["realizedWad"] ?? 0n, gains[i] ?? 0n);
          near(await cashOf(who), wad("1000") + (gains[i] ?? 0n));
          await at.withdraw(who, (await cashOf(who)) / 10n ** 12n);
        }
        near((await at.vault.poolValue())[0], value);
        expect((await at.vault.poolValue())[3], "fresh without the dead price").to.equal(true);
      });
    }

    it("absorbs whom it ruined, although its feed is dead", async () => {
      const long = await at.open(0, "200", { ETH: "10" });
      const short = await at.open(1, "1000", { ETH: "-4" });
      const due = await announce("150");
      await at.kill(1);
      await time().increaseTo(due + DAY);
      await delist();
      const equity = await equityOf(long);
      expect(equity < -wad("300")).to.equal(true);
      const events = await at.absorb(long);
      expect(argsOf(events, "InsurancePaid")).to.deep.equal({ account: long, deficitWad: -equity, paidWad: -equity });
      expect(allArgsOf(events, "PositionDeleveraged")).to.deep.equal([]);
      expect(await cashOf(long)).to.equal(0n);
      expect((await portfolio(at.world, long)).positions).to.deep.equal({});
      expect((await at.value(short, "ETH")) > wad("190")).to.equal(true);
    });

    it("stops funding, and pays what had accrued up to then", async () => {
      at = await deployStage(
        await hre.network.create(),
        {
          everyMarket: { maxFundingVelocityPerDay2: "3" },
          markets: { ETH: { skewScale: "800", openInterestCap: "24" } },
        },
        "1000000",
      );
      const long = await at.open(0, "1000", { ETH: "10" });
      const due = await announce();
      const before = await at.value(long, "ETH");
      await time().increaseTo(due);
      await at.world.refresh();
      await at.trade(long, "ETH", "-1");
      const funding = async () => decodeMarketState((await at.vault.market(ETH)).state);
      expect((await funding()).fundingRateE24 > 0n).to.equal(true);
      await delist();
      const value = await at.value(long, "ETH");
      const stopped = await funding();
      expect([stopped.fundingRateE24, stopped.fundingDriftE24]).to.deep.equal([0n, 0n]);
      expect(before - value > wad("1"), `${before} ${value}`).to.equal(true);
      await at.world.passTime(Number(10n * DAY));
      expect(await at.value(long, "ETH")).to.equal(value);
      await at.world.refresh();
      expect(await at.value(long, "ETH")).to.equal(value);
      const cash = await cashOf(long);
      await at.settle(long, "ETH");
      near(await cashOf(long), cash + value);
      expect((await funding()).fundingIndexWad).to.equal(stopped.fundingIndexWad);
    });

    it("pays positions of several epochs", async () => {
      const old = await at.open(1, "100000", { ETH: "-400" });
      await at.open(0, "1000", { ETH: "0.05" });
      const target = await at.open(2, "10800", { ETH: "999.95" });
      await at.world.push({ ETH: "180" });
      const value = await at.value(old, "ETH");
      await at.absorb(target);
      await at.world.push({ ETH: "200" });
      const young = await at.open(3, "1000", { ETH: "-10" });
      expect((await marketFigures(at.world, ETH)).short.epoch).to.equal(1n);
      const due = await announce();
      await time().increaseTo(due);
      await at.world.push({ ETH: "190" });
      const gain = await at.value(young, "ETH");
      await delist();
      near(await at.value(young, "ETH"), gain);
      // Sold at 180 nearly all, and the rest, 0.02, at 190.
      near(await at.value(old, "ETH"), value - wad("0.2"), 10n ** 6n);
      for (const who of [old, young]) {
        const equity = await equityOf(who);
        await at.settle(who, "ETH");
        near(await cashOf(who), equity);
      }
    });
  });
});
