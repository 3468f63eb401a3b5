import { expect } from "chai";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import { type AccountId, type BallastEvent, WAD } from "../../sdk/index.js";
import { audit, cashFigures } from "../helpers/audit.js";
import { abs } from "../helpers/model.js";
import { portfolio } from "../helpers/portfolio.js";
import { expectRevert } from "../helpers/revert.js";
import { type LossChanges, type Stage, allArgsOf, argsOf, deployStage } from "../helpers/stage.js";
import { wad } from "../helpers/world.js";

const RAY = 10n ** 27n;
const least = (...amounts: bigint[]) => amounts.reduce((a, b) => (a < b ? a : b));
const positive = (amount: bigint) => (amount > 0n ? amount : 0n);

describe("contracts: absorb", () => {
  let connection: Connection;
  let at: Stage;

  before(async () => {
    connection = await hre.network.create();
  });

  const quiet = () => deployStage(connection);

  beforeEach(async () => {
    at = await connection.networkHelpers.loadFixture(quiet);
  });

  afterEach(async () => {
    await audit(at.world);
  });

  const enter = async (changes: LossChanges, poolDeposit?: string) => {
    at = await deployStage(await hre.network.create(), changes, poolDeposit);
  };

  const cashOf = async (account: AccountId) => at.vault.cash(account);
  const equityOf = async (account: AccountId) => (await at.vault.health(account)).equityMaintenanceWad;

  describe("way A", () => {
    /** The pool is long of 4690 ETH against one short; the target is long of ETH, short of BTC. */
    async function twoLegs() {
      await enter({}, "100000");
      const target = await at.open(0, "300", { ETH: "10", BTC: "-0.4" });
      const against = await at.open(1, "1000000", { ETH: "-4690" });
      return { target, against };
    }

    it("gives the pool each leg that it has margin for, also where its skew grows", async () => {
      const { target } = await twoLegs();
      await at.world.push({ ETH: "196", BTC: "8450" });
      const skew = await at.size(at.pool, "ETH");
      const events = await at.absorb(target);
      expect(allArgsOf(events, "PositionAbsorbed").map(({ sizeDeltaWad }) => sizeDeltaWad)).to.deep.equal([
        wad("0.4"),
        -wad("10"),
      ]);
      expect(allArgsOf(events, "PositionDeleveraged")).to.deep.equal([]);
      expect(argsOf(events, "Absorbed")["deleveraged"]).to.equal(false);
      expect(await at.size(at.pool, "ETH")).to.equal(skew + wad("10"));
    });

    it("closes at the price against the other side what the pool has no margin for, and gives it what lowers its skew", async () => {
      const { target, against } = await twoLegs();
      await at.world.push({ ETH: "184", BTC: "8200" });
      const { freeMarginWad } = await at.world.ballast.health(at.pool);
      expect(freeMarginWad < 0n, String(freeMarginWad)).to.equal(true);
      const [equity, value, theirs] = [
        await equityOf(target),
        await at.value(target, "ETH"),
        await at.value(against, "ETH"),
      ];
      const pool = await at.size(at.pool, "ETH");
      const events = await at.absorb(target);
      const told = argsOf(events, "PositionDeleveraged");
      expect(told).to.deep.equal({
        account: target,
        market: 1n,
        sizeWad: wad("10"),
        priceRay: wad("184") * 10n ** 9n,
        realizedWad: value,
      });
      const taken = argsOf(events, "PositionAbsorbed");
      expect(taken["sizeDeltaWad"]).to.equal(wad("0.4"));
      // Only the fill of the other leg costs it anything, and the penalty.
      const { deleveraged, penaltyWad, returnedWad } = argsOf(events, "Absorbed");
      expect(deleveraged).to.equal(false);
      const impact = (wad("0.4") * ((taken["fillPriceWad"] ?? 0n) - wad("8200"))) / WAD;
      expect(abs(equity - impact - (penaltyWad ?? 0n) - (returnedWad ?? 0n)) < 10n).to.equal(true);
      expect(penaltyWad).to.equal(least(wad("51.2"), equity - impact));
      expect(await at.size(at.pool, "ETH")).to.equal(pool);
      expect(theirs - (await at.value(against, "ETH")) <= 2n).to.equal(true);
      expect(abs((await at.size(against, "ETH")) + wad("4680")) < 10n ** 4n).to.equal(true);
      for (const name of ["InsurancePaid", "PoolPaid", "LossWrittenOff"]) {
        expect(allArgsOf(events, name), name).to.deep.equal([]);
      }
    });

    it("counts what the pool takes of an account together: the first leg may leave no margin for the second", async () => {
      await enter({}, "120000");
      const target = await at.open(0, "3100", { ETH: "100", LINK: "-5000" });
      await at.open(1, "1000000", { ETH: "-2000", LINK: "60000" });
      await at.world.push({ ETH: "180", LINK: "4.1" });
      // 100 ETH at 180 need 900, 5000 LINK at 4.1 need 2050: so much is left that either is accepted, and not both.
      const free = async () => (await at.world.ballast.health(at.pool)).freeMarginWad;
      await at.world.passTime(90_000);
      await at.world.refresh();
      const { admin } = at.world;
      const raw = ((await free()) - wad("2500")) / 10n ** 12n;
      await (await at.world.ballast.pool.connect(admin).withdraw(raw, admin.address, admin.address)).wait();
      expect(abs((await free()) - wad("2500")) < wad("1")).to.equal(true);
      expect((await equityOf(target)) > wad("400")).to.equal(true);
      const events = await at.absorb(target);
      expect(argsOf(events, "PositionAbsorbed")["market"]).to.equal(1n);
      expect(argsOf(events, "PositionDeleveraged")["market"]).to.equal(2n);
      expect(argsOf(events, "Absorbed")["deleveraged"]).to.equal(false);
    });
  });

  describe("the pool's margin for one leg", () => {
    /** A pool with 500 of free margin, an account that has lost 2,000 in ETH, and 5000 LINK of it that need 2,050. */
    async function nearlyNone(prepare: () => Promise<void>) {
      await enter({}, "120000");
      const target = await at.open(0, "3100", { ETH: "100", LINK: "-5000" });
      await at.open(1, "1000000", { ETH: "-2000", LINK: "60000" });
      await prepare();
      await at.world.push({ ETH: "180", LINK: "4.1" });
      await at.world.passTime(90_000);
      await at.world.refresh();
      const { admin } = at.world;
      const free = async () => (await at.world.ballast.health(at.pool)).freeMarginWad;
      const raw = ((await free()) - wad("500")) / 10n ** 12n;
      await (await at.world.ballast.pool.connect(admin).withdraw(raw, admin.address, admin.address)).wait();
      expect(abs((await free()) - wad("500")) < wad("1")).to.equal(true);
      return target;
    }

    it("counts what it mirrors of a leg before that is closed against the other side", async () => {
      const target = await nearlyNone(async () => {});
      const events = await at.absorb(target);
      const told = allArgsOf(events, "PositionDeleveraged");
      expect(told.map(({ market }) => market)).to.deep.equal([1n, 2n]);
      expect(told[0]!["realizedWad"]! < -wad("1900"), "more than the pool lacks").to.equal(true);
      expect(allArgsOf(events, "PositionAbsorbed")).to.deep.equal([]);
      expect(argsOf(events, "Absorbed")["deleveraged"]).to.equal(false);
    });

    it("counts what it mirrors of a final result before", async () => {
      const target = await nearlyNone(async () => {
        const { ballast, connection } = at.world;
        const due = (await connection.networkHelpers.time.latest()) + 86_500;
        await (await ballast.vault.connect(at.world.admin).announceDelisting(1, due, 0n)).wait();
        await connection.networkHelpers.time.increaseTo(due);
        await at.world.push({ ETH: "180" });
        await (await ballast.vault.delist(1)).wait();
      });
      expect((await at.value(target, "ETH")) < -wad("1900"), "more than the pool lacks").to.equal(true);
      const events = await at.absorb(target);
      expect(allArgsOf(events, "PositionDeleveraged").map(({ market }) => market)).to.deep.equal([2n]);
      expect(allArgsOf(events, "PositionAbsorbed")).to.deep.equal([]);
    });
  });

  describe("way B above zero at the price", () => {
    /** 10 long of ETH where the pool would fill at 2.9% below the price, and the account has 1.4%. */
    async function thin() {
      const markets = { ETH: { skewScale: "8000", openInterestCap: "240" } };
      await enter({ markets, vault: { insuranceSeed: "1000" } }, "1000000");
      const target = await at.open(0, "200", { ETH: "10" });
      const against = await at.open(1, "100000", { ETH: "-240" });
      await at.world.push({ ETH: "183" });
      return { target, against };
    }

    it("closes at the price what a fill would bankrupt: nobody pays but the account all that it has left", async () => {
      const { target, against } = await thin();
      const equity = await equityOf(target);
      expect(equity > wad("20") && equity < wad("27"), String(equity)).to.equal(true);
      const before = {
        pool: await equityOf(at.pool),
        insurance: await cashOf(at.insurance),
        against: await equityOf(against),
      };
      const events = await at.absorb(target);
      const { deleveraged, penaltyWad = 0n, rewardWad, returnedWad } = argsOf(events, "Absorbed");
      expect(deleveraged).to.equal(true);
      // Beyond the rated penalty insurance has it: way A would have left nothing either.
      const rated = wad("18.3");
      expect(penaltyWad).to.equal(equity);
      expect(returnedWad).to.equal(0n);
      expect(rewardWad).to.equal((rated * 4n) / 10n);
      expect(argsOf(events, "PositionDeleveraged")["priceRay"]).to.equal(wad("183") * 10n ** 9n);
      for (const name of ["InsurancePaid", "PoolPaid", "LossWrittenOff"]) {
        expect(allArgsOf(events, name), name).to.deep.equal([]);
      }
      expect((await cashOf(at.insurance)) - before.insurance).to.equal(rated / 5n + equity - rated);
      expect(abs((await equityOf(at.pool)) - before.pool - (rated * 4n) / 10n) <= 2n).to.equal(true);
      expect(abs((await equityOf(against)) - before.against) <= 2n).to.equal(true);
    });

    it("takes way A as soon as the account can pay for the fills", async () => {
      const { target } = await thin();
      for (const [price, deleveraged] of [
        ["185.8", true], // 53.8, of 54.6 for the fill
        ["186", false], // 55.8, of 54.6
      ] as const) {
        const before = await at.world.connection.networkHelpers.takeSnapshot();
        await at.world.push({ ETH: price });
        const events = await at.absorb(target);
        expect(argsOf(events, "Absorbed")["deleveraged"], price).to.equal(deleveraged);
        expect(allArgsOf(events, "PositionAbsorbed").length).to.equal(deleveraged ? 0 : 1);
        await audit(at.world);
        await before.restore();
      }
    });
  });

  describe("way B below zero at the price", () => {
    interface Expected {
      insurance: bigint;
      pool: bigint;
      raised: bigint;
      writtenOff: bigint;
      badDebt: bigint;
    }

    /** What the specification says who bears of a deficit, from what stands before. */
    async function shares(account: AccountId, rates: { pool: bigint; writeOff: bigint }): Promise<Expected> {
      const deficit = positive(-(await equityOf(account)));
      const [value] = await at.vault.poolValue();
      const { supplied } = await cashFigures(at.world);
      const { positions } = await portfolio(at.world, account);
      const insurance = least(deficit, await cashOf(at.insurance));
      const pool = least(deficit - insurance, (value * rates.pool) / WAD);
      let bearable = 0n;
      for (const [symbol, { size }] of Object.entries(positions)) {
        const { priceWad } = await at.world.ballast.price(symbol);
        bearable += (abs(size) * priceWad * 3n) / (105n * WAD);
      }
      const raised = least(deficit - insurance - pool, bearable);
      const unpaid = deficit - insurance - pool - raised;
      // When a loss is written off the account's own cash is no supply any more, and what it realised is the pool's.
      let realized = raised;
      for (const { value } of Object.values(positions)) realized += value;
      const supply = supplied - positive(await cashOf(account)) - realized - insurance - pool;
      const writtenOff = least(unpaid, (supply * rates.writeOff) / WAD);
      return { insurance, pool, raised, writtenOff, badDebt: unpaid - writtenOff };
    }

    const near = (actual: bigint, expected: bigint, what: string) =>
      expect(abs(actual - expected) <= 10n ** 12n, `${what}: ${actual} for ${expected}`).to.equal(true);

    for (const side of ["long", "short"] as const) {
      const sign = side === "long" ? 1n : -1n;
      /** How deep the account falls, by price, until each step in turn is exhausted. */
      const depths = {
        insurance: sign > 0n ? "178" : "222",
        pool: sign > 0n ? "170" : "230",
        "the other side": sign > 0n ? "164" : "235",
        suppliers: sign > 0n ? "160" : "244",
        nobody: sign > 0n ? "150" : "250",
      };
      for (const [last, price] of Object.entries(depths)) {
        it(`lets each step bear its part of a ${side}'s loss: the last of it ${last}`, async () => {
          await enter({ cash: { poolLossPerHour: "0.01", writeOffPerHour: "0.005" } });
          const size = (text: string) => (sign > 0n ? text : text.startsWith("-") ? text.slice(1) : `-${text}`);
          const target = await at.open(0, "200", { ETH: size("10") });
          const against = await at.open(1, "2000", { ETH: size("-6") });
          await at.world.push({ ETH: price });
          const expected = await shares(target, { pool: wad("0.01"), writeOff: wad("0.005") });
          const names = { insurance: "insurance", pool: "pool", raised: "the other side", writtenOff: "suppliers" };
          const bearers = Object.entries({ ...names, badDebt: "nobody" });
          const bears = bearers.filter(([name]) => expected[name as keyof Expected] > 0n).map(([, who]) => who);
          expect(bears.at(-1), bears.join(", ")).to.equal(last);

          const health = await at.vault.health(target);
          const before = await at.vault.position(target, 1);
          const values = { against: await at.value(against, "ETH") };
          const cash = await cashOf(target);
          const events = await at.absorb(target);
          const told = argsOf(events, "PositionDeleveraged");
          const paid = {
            insurance: argsOf(events, "InsurancePaid")["paidWad"] ?? 0n,
            pool: allArgsOf(events, "PoolPaid")[0]?.["paidWad"] ?? 0n,
            writtenOff: allArgsOf(events, "LossWrittenOff")[0]?.["writtenOffWad"] ?? 0n,
            badDebt: allArgsOf(events, "LossWrittenOff")[0]?.["badDebtWad"] ?? 0n,
          };
          const realized = told["realizedWad"] ?? 0n;
          const raised = realized - before.valueWad;
          expect(argsOf(events, "InsurancePaid")["deficitWad"]).to.equal(-health.equityMaintenanceWad);
          near(paid.insurance, expected.insurance, "insurance");
          near(paid.pool, expected.pool, "pool");
          near(raised, expected.raised, "raised");
          near(paid.writtenOff, expected.writtenOff, "written off");
          near(paid.badDebt, expected.badDebt, "bad debt");

          // To the wei: what the account had, what it realised, and what others paid, is nothing, and a penalty of rounding.
          const { deleveraged, penaltyWad = 0n, returnedWad } = argsOf(events, "Absorbed");
          expect(deleveraged).to.equal(true);
          const rest = cash + realized + paid.insurance + paid.pool + paid.writtenOff + paid.badDebt - penaltyWad;
          expect([rest, returnedWad, await cashOf(target)]).to.deep.equal([0n, 0n, 0n]);
          expect(penaltyWad <= 10n ** 6n + 100n, String(penaltyWad)).to.equal(true);
          expect((await portfolio(at.world, target)).positions).to.deep.equal({});

          // b = p * (1 + s * x): within the bound, and the other side has sold the same part at it.
          const priceRay = wad(price) * 10n ** 9n;
          const distance = sign * ((told["priceRay"] ?? 0n) - priceRay);
          expect(distance >= 0n && distance <= (priceRay * 30n) / 1050n).to.equal(true);
          near((distance * 10n * WAD) / RAY, expected.raised, "distance");
          const lost = values.against - (await at.value(against, "ETH"));
          near(lost, (expected.raised * 6n) / 10n, "the other's part");
          expect(abs(await at.size(against, "ETH")) <= 10n, "everybody on the other side is closed").to.equal(true);
        });
      }
    }

    it("stands on what insurance has after interest and standing bad debt", async () => {
      await enter({ cash: { poolLossPerHour: "0", writeOffPerHour: "0" } });
      const first = await at.open(0, "200", { ETH: "10" });
      const second = await at.open(1, "200", { ETH: "10" });
      await at.world.push({ ETH: "170" });
      await at.absorb(first);
      const { badDebt } = await cashFigures(at.world);
      expect(badDebt > 0n).to.equal(true);
      await at.world.fund(at.keeper, { USDC: "10" }); // the keeper's, not insurance's
      await at.world.mint("USDC", at.keeper.address, "1000");
      const cash = await at.world.as(at.keeper);
      await cash.deposit(at.insurance, "USDC", badDebt / 10n ** 12n + 20_000_000n);
      const deposited = await cashOf(at.insurance);
      const events = await at.absorb(second);
      expect(argsOf(events, "BadDebtCovered")).to.deep.equal({ paidWad: badDebt, badDebtWad: 0n });
      expect(argsOf(events, "InsurancePaid")["paidWad"]).to.equal(deposited - badDebt);
      expect(events.findIndex(({ name }) => name === "BadDebtCovered")).to.equal(
        events.findIndex(({ name }) => ["BadDebtCovered", "InsurancePaid", "PositionDeleveraged"].includes(name)),
      );
    });

    it("raises what is missing over several positions, each as far from its price as it can bear", async () => {
      await enter({ cash: { poolLossPerHour: "0" } });
      const target = await at.open(0, "480", { ETH: "10", LINK: "-400" });
      await at.open(1, "2000", { ETH: "-6", LINK: "300" });
      await at.world.push({ ETH: "175", LINK: "4.8" });
      const deficit = -(await equityOf(target));
      const events = await at.absorb(target);
      const closed = allArgsOf(events, "PositionDeleveraged");
      expect(closed.map(({ sizeWad }) => sizeWad)).to.deep.equal([wad("10"), -wad("400")]);
      // Three per cent of the one, six of the other; the same share of either.
      const shares = closed.map(({ priceRay = 0n }, i) => {
        const [price, base, sign] = i === 0 ? [wad("175"), 30n, 1n] : [wad("4.8"), 60n, -1n];
        const mark = price * 10n ** 9n;
        return (sign * (priceRay - mark) * 1050n * WAD) / (mark * base);
      });
      const missing = deficit - wad("50");
      const bearable = (wad("1750") * 30n + wad("1920") * 60n) / 1050n;
      for (const share of shares) {
        expect(abs(share - (missing * WAD) / bearable) < 10n ** 6n, String(share)).to.equal(true);
        expect(share > WAD / 10n && share < WAD).to.equal(true);
      }
      expect(allArgsOf(events, "LossWrittenOff")).to.deep.equal([]);
      expect(await cashOf(target)).to.equal(0n);
    });

    it("leaves a collateral without a price to the account, and a debt against it; and takes it when it has one again", async () => {
      const target = await at.open(0, "150", {});
      await at.world.fund(at.world.signers[0] as never, { WBTC: "0.01" });
      await at.trade(target, "ETH", "10");
      await at.world.push({ ETH: "175", BTC: "8000" });
      await at.kill(97);
      const equity = await equityOf(target); // 150 - 250 - 3 + 72
      const events = await at.absorb(target);
      expect(argsOf(events, "InsurancePaid")).to.deep.equal({ account: target, deficitWad: -equity, paidWad: -equity });
      expect(argsOf(events, "Absorbed")["returnedWad"]).to.equal(-wad("72"));
      const left = await portfolio(at.world, target);
      expect(left.cash).to.equal(-wad("72"));
      expect(left.collaterals).to.deep.equal({ WBTC: 1_000_000n });
      await expectRevert(() => at.vault.absorb([target], at.keeperAccount), "NothingToAbsorb");

      await (await at.world.ballast.oracle.setPushFeed(97, wad("0.001"), 3600)).wait();
      await at.world.push({ BTC: "7000" });
      const later = await at.absorb(target);
      expect(argsOf(later, "InsurancePaid")["deficitWad"]).to.equal(wad("9"));
      expect((await portfolio(at.world, target)).collaterals).to.deep.equal({});
      expect(await cashOf(target)).to.equal(0n);
    });

    it("leaves a position without a price to the account: makes good no stale loss, and counts a stale gain against the debt", async () => {
      for (const btc of ["8400", "7600"]) {
        const start = await at.world.connection.networkHelpers.takeSnapshot();
        const target = await at.open(0, "360", { ETH: "10", BTC: "-0.4" });
        await at.open(1, "2000", { ETH: "-6" });
        await at.world.push({ ETH: btc === "8400" ? "162" : "146", BTC: btc });
        await at.kill(0);
        await at.world.push({ ETH: btc === "8400" ? "162" : "146" });
        await at.kill(0);
        const stale = await at.value(target, "BTC");
        expect(stale > 0n).to.equal(btc === "7600");
        const equity = await equityOf(target);
        const events = await at.absorb(target);
        const deficit = -equity - (stale < 0n ? -stale : 0n);
        expect(argsOf(events, "InsurancePaid")["deficitWad"]).to.equal(deficit);
        expect(argsOf(events, "Absorbed")["returnedWad"]).to.equal(stale > 0n ? -stale : 0n);
        expect(await cashOf(target)).to.equal(stale > 0n ? -stale : 0n);
        expect(await at.size(target, "BTC")).to.equal(-wad("0.4"));
        expect(await at.size(target, "ETH")).to.equal(0n);
        await audit(at.world);
        await start.restore();
      }
    });

    it("is not taken where a stale gain outweighs what the fills leave missing: a debt stays against it", async () => {
      const target = await at.open(0, "360", { ETH: "10", BTC: "-0.4" });
      const against = await at.open(1, "2000", { ETH: "-6" });
      await at.world.push({ ETH: "155", BTC: "7600" });
      await at.kill(0);
      await at.world.push({ ETH: "155" });
      await at.kill(0);
      expect((await equityOf(target)) > wad("40")).to.equal(true);
      const events = await at.absorb(target);
      const { deleveraged, penaltyWad, returnedWad = 0n } = argsOf(events, "Absorbed");
      expect([deleveraged, penaltyWad]).to.deep.equal([false, 0n]);
      expect(returnedWad < -wad("90") && returnedWad > -wad("110"), String(returnedWad)).to.equal(true);
      expect(allArgsOf(events, "InsurancePaid")).to.deep.equal([]);
      expect(await at.size(against, "ETH")).to.equal(-wad("6"));
    });
  });

  describe("budgets of an hour", () => {
    const paid = (events: readonly BallastEvent[], name: string, field: string) =>
      allArgsOf(events, name).reduce((sum, args) => sum + (args[field] ?? 0n), 0n);

    const sums = (events: readonly BallastEvent[]) => ({
      insurance: paid(events, "InsurancePaid", "paidWad"),
      pool: paid(events, "PoolPaid", "paidWad"),
      writtenOff: paid(events, "LossWrittenOff", "writtenOffWad"),
      badDebt: paid(events, "LossWrittenOff", "badDebtWad"),
    });

    it("are one for all accounts: a batch of split ones gains nothing", async () => {
      const cash = { poolLossPerHour: "0.005", writeOffPerHour: "0.004" };
      const outcome: { sums: ReturnType<typeof sums>; others: bigint }[] = [];
      for (const pieces of [1, 5]) {
        await enter({ cash });
        const targets: AccountId[] = [];
        for (let i = 0; i < pieces; i += 1) {
          targets.push(await at.open(0, String(200 / pieces), { ETH: String(10 / pieces) }, i));
        }
        const other = await at.open(1, "2000", { ETH: "-6" });
        await at.world.push({ ETH: "150" });
        const before = await equityOf(other);
        const events = await at.absorb(...targets);
        const { since, ...pool } = (await cashFigures(at.world)).poolLosses;
        expect(pool.spent).to.equal(sums(events).pool);
        expect(pool.spent <= pool.allowed && since > 0n).to.equal(true);
        outcome.push({ sums: sums(events), others: before - (await equityOf(other)) });
        for (const target of targets) expect(await cashOf(target)).to.equal(0n);
        await audit(at.world);
      }
      const [whole, split] = outcome as [(typeof outcome)[0], (typeof outcome)[0]];
      // A write-off leaves insurance less than an index can tell apart.
      expect(split.sums.insurance - whole.sums.insurance < 10n ** 10n).to.equal(true);
      expect(whole.sums.badDebt > wad("50")).to.equal(true);
      // The pool may have earned a share of a cent between two of them.
      expect(abs(split.sums.pool - whole.sums.pool) < wad("0.01"), String(split.sums.pool)).to.equal(true);
      expect(split.sums.writtenOff <= whole.sums.writtenOff + wad("0.01")).to.equal(true);
      const total = ({ insurance, pool, writtenOff, badDebt }: typeof whole.sums) =>
        insurance + pool + writtenOff + badDebt;
      expect(total(split.sums) >= total(whole.sums) - wad("0.01")).to.equal(true);
    });

    it("last an hour from the first loss, and then are of what there is then", async () => {
      await enter({ vault: { insuranceSeed: "0" }, cash: { poolLossPerHour: "0.005", writeOffPerHour: "0.004" } });
      const targets: AccountId[] = [];
      for (let i = 0; i < 4; i += 1) targets.push(await at.open(0, "200", { ETH: "10" }, i));
      await at.world.push({ ETH: "150" });
      const [navBefore] = await at.vault.poolValue();
      const first = sums(await at.absorb(targets[0] as AccountId));
      expect(first.pool).to.equal((navBefore * 5n) / 1000n);
      const { poolLosses, writeOffs } = await cashFigures(at.world);
      expect([poolLosses.allowed, poolLosses.spent]).to.deep.equal([first.pool, first.pool]);
      expect([writeOffs.allowed, writeOffs.spent]).to.deep.equal([first.writtenOff, first.writtenOff]);
      expect(first.badDebt > 0n).to.equal(true);
      expect(poolLosses.since).to.equal(writeOffs.since);

      const { time } = at.world.connection.networkHelpers;
      await time.increaseTo(poolLosses.since + 3590n);
      await at.world.refresh();
      await time.setNextBlockTimestamp(poolLosses.since + 3599n);
      const second = sums(await at.absorb(targets[1] as AccountId));
      expect([second.pool, second.writtenOff]).to.deep.equal([0n, 0n]);
      expect((await cashFigures(at.world)).badDebt).to.equal(first.badDebt + second.badDebt);

      await time.setNextBlockTimestamp(poolLosses.since + 3600n);
      const [nav] = await at.vault.poolValue();
      const third = sums(await at.absorb(targets[2] as AccountId));
      expect(third.pool).to.equal((nav * 5n) / 1000n);
      expect(nav < navBefore).to.equal(true);
      const now = await cashFigures(at.world);
      for (const budget of [now.poolLosses, now.writeOffs]) {
        expect(budget.since).to.equal(poolLosses.since + 3600n);
        expect(budget.spent).to.equal(budget.allowed);
      }
      expect([now.poolLosses.spent, now.writeOffs.spent]).to.deep.equal([third.pool, third.writtenOff]);
    });

    it("lower the pool's capital at once, against which openings are measured", async () => {
      const target = await at.open(0, "200", { ETH: "10" });
      await at.world.push({ ETH: "170" });
      await at.absorb(target);
      const [value] = await at.vault.poolValue();
      expect((await at.vault.capital()) & ((1n << 128n) - 1n)).to.equal(value);
    });
  });

  describe("moving the skew around it", () => {
    /** What an account with a million gains by trading these sizes of ETH before and after the absorb of a bankrupt long of 10. */
    async function gain(before: string, price: string): Promise<bigint> {
      const target = await at.open(0, "200", { ETH: "10" });
      await at.open(1, "2000", { ETH: "-4" });
      await at.world.push({ ETH: price });
      const mover = await at.open(2, "1000000", {});
      await at.trade(mover, "ETH", before);
      const events = await at.absorb(target);
      expect(argsOf(events, "Absorbed")["deleveraged"]).to.equal(true);
      await at.trade(mover, "ETH", -(await at.size(mover, "ETH")));
      return (await equityOf(mover)) - wad("1000000");
    }

    for (const size of ["-200", "-20", "20", "200"]) {
      it(`gains nothing by a trade of ${size} before it that is undone after it`, async () => {
        const markets = { ETH: { skewScale: "8000", openInterestCap: "240" } };
        await enter({ markets, vault: { insuranceSeed: "100000" } }, "1000000");
        expect((await gain(size, "170")) < 0n).to.equal(true);
      });
    }

    it("leaves to who lowers it part of the premium that the pool need not repay, and the pool and insurance no worse", async () => {
      const markets = { ETH: { skewScale: "8000", openInterestCap: "240" } };
      const outcomes: { pool: bigint; insurance: bigint; mover: bigint }[] = [];
      for (const size of ["0", "-24", "-200"]) {
        await enter({ markets, vault: { insuranceSeed: "100000" } }, "1000000");
        const target = await at.open(0, "4200", { ETH: "200" });
        await at.world.push({ ETH: "175" });
        const [before] = await at.vault.poolValue();
        const mover = await at.open(2, "1000000", size === "0" ? {} : { ETH: size });
        const insurance = await cashOf(at.insurance);
        await at.absorb(target);
        const left = await at.size(mover, "ETH");
        if (left !== 0n) await at.trade(mover, "ETH", -left);
        const [after] = await at.vault.poolValue();
        outcomes.push({
          pool: after - before,
          insurance: (await cashOf(at.insurance)) - insurance,
          mover: (await equityOf(mover)) - wad("1000000"),
        });
        await audit(at.world);
      }
      // 200 long of a skew of 200 are closed at the price: 175 * 200^2 / 16000 was the premium on them.
      expect(outcomes[0]).to.deep.equal({ ...outcomes[0], pool: wad("437.5"), mover: 0n });
      for (const { pool, insurance, mover } of outcomes) {
        expect(insurance).to.equal(outcomes[0]?.insurance);
        expect(pool >= 0n && mover <= wad("437.5"), `${pool} ${mover}`).to.equal(true);
      }
    });
  });
});
