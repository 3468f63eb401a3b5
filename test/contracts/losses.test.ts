import { expect } from "chai";
import hre from "hardhat";

import { type Connection, cashParameters } from "../../ignition/deploy.js";
import { type AccountId, WAD, parseDecimal } from "../../sdk/index.js";
import { MockToken__factory } from "../../typechain-types/index.js";
import { audit, cashFigures } from "../helpers/audit.js";
import { abs } from "../helpers/model.js";
import { portfolio } from "../helpers/portfolio.js";
import { expectRevert, failure } from "../helpers/revert.js";
import { type LossChanges, type Stage, allArgsOf, argsOf, deployStage } from "../helpers/stage.js";
import { wad } from "../helpers/world.js";

const INDEX_ONE = 10n ** 15n;

describe("contracts: losses", () => {
  let connection: Connection;
  let at: Stage;

  before(async () => {
    connection = await hre.network.create();
  });

  /** Insurance and pool pay nothing: what the other side cannot bear goes to suppliers, five per cent an hour. */
  const unprotected = () =>
    deployStage(connection, {
      vault: { insuranceSeed: "0" },
      cash: { poolLossPerHour: "0", writeOffPerHour: "0.005" },
    });

  beforeEach(async () => {
    at = await connection.networkHelpers.loadFixture(unprotected);
  });

  afterEach(async () => {
    await audit(at.world);
  });

  const enter = async (changes: LossChanges, poolDeposit?: string) => {
    at = await deployStage(await hre.network.create(), changes, poolDeposit);
  };

  const cashOf = (account: AccountId) => at.vault.cash(account);
  const equityOf = async (account: AccountId) => (await at.vault.health(account)).equityMaintenanceWad;
  const near = (actual: bigint, expected: bigint, bound: bigint) =>
    expect(abs(actual - expected) <= bound, `${actual} for ${expected}`).to.equal(true);

  /** A long of 10 ETH that is 253 below zero at 155. */
  async function ruined(index = 0): Promise<AccountId> {
    const target = await at.open(0, "200", { ETH: "10" }, index);
    await at.world.push({ ETH: "155" });
    return target;
  }

  /** Gives insurance cash, as anybody may. */
  async function insure(amount: string) {
    await at.world.mint("USDC", at.keeper.address, amount);
    await (await at.world.as(at.keeper)).deposit(at.insurance, "USDC", amount);
  }

  describe("written off", () => {
    it("take the same share of all cash through the supply index, and nothing of a debt", async () => {
      const suppliers = [await at.open(1, "1000", {}), await at.open(2, "3000", {}), at.pool];
      const borrower = await at.world.fund(at.world.signers[3] as never, { WETH: "10" });
      await at.withdraw(borrower, 500_000_000n);
      const target = await ruined();
      const before = await Promise.all(suppliers.slice(0, 2).map(cashOf));
      const events = await at.absorb(target);
      const { writtenOffWad = 0n, badDebtWad } = argsOf(events, "LossWrittenOff");
      const { supplyIndex, borrowIndex, badDebt, supplied } = await cashFigures(at.world);
      expect(badDebt).to.equal(badDebtWad);
      expect(borrowIndex).to.equal(INDEX_ONE);
      expect(await cashOf(borrower)).to.equal(-wad("500"));
      // Half a per cent, which was all that the hour allowed.
      near(supplyIndex, (INDEX_ONE * 995n) / 1000n, 1n);
      near(writtenOffWad, (supplied * 5n) / 1000n, 10n ** 12n);
      for (const [i, cash] of before.entries())
        near(await cashOf(suppliers[i] as AccountId), (cash * 995n) / 1000n, 10n ** 7n);
      // What comes in later counts in full.
      const late = await at.open(4, "1000", {});
      near(await cashOf(late), wad("1000"), 1n);
      await at.withdraw(late, (await cashOf(late)) / 10n ** 12n);
    });
  });

  describe("that nobody has borne", () => {
    it("are covered by insurance, by anyone, as far as its cash goes", async () => {
      await expectRevert(() => at.vault.cover(), "NothingToCover", { badDebtWad: 0n, insuranceCashWad: 0n });
      await at.absorb(await ruined());
      const { badDebt } = await cashFigures(at.world);
      expect(badDebt > wad("100"), String(badDebt)).to.equal(true);
      await expectRevert(() => at.vault.cover(), "NothingToCover", { badDebtWad: badDebt, insuranceCashWad: 0n });

      await insure("60");
      const cash = await cashOf(at.insurance);
      const events = await at.events(() => at.vault.cover());
      expect(argsOf(events, "BadDebtCovered")).to.deep.equal({ paidWad: cash, badDebtWad: badDebt - cash });
      expect(await cashOf(at.insurance)).to.equal(0n);
      expect((await cashFigures(at.world)).badDebt).to.equal(badDebt - cash);

      await insure("1000");
      const rich = await cashOf(at.insurance);
      await at.events(() => at.vault.cover());
      expect((await cashFigures(at.world)).badDebt).to.equal(0n);
      near(await cashOf(at.insurance), rich - (badDebt - cash), 1n);
      await expectRevert(() => at.vault.cover(), "NothingToCover", {
        badDebtWad: 0n,
        insuranceCashWad: await cashOf(at.insurance),
      });
    });

    it("are covered with interest that insurance has not swept yet", async () => {
      const rates = { rateAtZero: "0.5", rateAtKink: "0.5", rateAtFull: "0.5" };
      await enter({ vault: { insuranceSeed: "0" }, cash: { ...rates, poolLossPerHour: "0", writeOffPerHour: "0" } });
      const borrower = await at.world.fund(at.world.signers[3] as never, { WETH: "40" });
      await at.withdraw(borrower, 4_000_000_000n);
      await at.absorb(await ruined());
      const { badDebt } = await cashFigures(at.world);
      await at.world.passTime(86_400 * 30);
      const events = await at.events(() => at.vault.cover());
      const swept = argsOf(events, "InterestSwept")["amountWad"] ?? 0n;
      // A tenth of 4000 * 50% * 30 / 365.
      near(swept, wad("16.438"), wad("0.05"));
      near(badDebt - (await cashFigures(at.world)).badDebt, swept, 2n);
    });
  });

  describe("of the pool", () => {
    const poolShares = async () => at.world.ballast.pool.totalSupply();

    /** The pool is long of 400 ETH against one short, and somebody else supplies cash. */
    async function poolLong(insurance: string, cash: LossChanges["cash"] = {}) {
      await enter({ vault: { insuranceSeed: insurance }, cash }, "10000");
      const winner = await at.open(1, "6000", { ETH: "-400" });
      const supplier = await at.open(2, "5000", {});
      return { winner, supplier };
    }

    it("are not resolved while it is worth something", async () => {
      await poolLong("50");
      await at.world.push({ ETH: "176" });
      const equity = await equityOf(at.pool);
      expect(equity > 0n).to.equal(true);
      await expectRevert(() => at.vault.resolvePool(), "PoolSolvent", { equityWad: equity });
    });

    it("are paid by insurance where it can; its positions are closed at the price", async () => {
      const { winner, supplier } = await poolLong("5000");
      await at.world.push({ ETH: "170" });
      const deficit = -(await equityOf(at.pool));
      expect(deficit > wad("1800") && deficit < wad("2000"), String(deficit)).to.equal(true);
      const [gain, shares] = [await at.value(winner, "ETH"), await poolShares()];
      const events = await at.events(() => at.vault.resolvePool());
      expect(argsOf(events, "PoolResolved")["loss"]).to.deep.equal([deficit, deficit, 0n, 0n, 0n]);
      expect(await cashOf(at.insurance)).to.equal(wad("5000") - deficit);
      near(await equityOf(at.pool), 0n, 10n);
      near(await at.value(winner, "ETH"), gain, 10n);
      expect([await at.size(at.pool, "ETH"), await at.size(winner, "ETH")]).to.deep.equal([0n, 0n]);
      expect(await cashOf(supplier)).to.equal(wad("5000"));
      expect(await poolShares()).to.equal(shares);
      expect((await at.vault.capital()) & ((1n << 128n) - 1n)).to.equal(0n);
      await at.settle(winner, "ETH");
      near(await cashOf(winner), wad("6000") + gain, 10n);
    });

    it("are borne by the other side within its bound, then by suppliers, the pool's own cash among them, then stand as bad debt", async () => {
      const outcomes: [string, string, (loss: Record<string, bigint>) => void][] = [
        ["173", "0.2", ({ writtenOff, badDebt }) => expect([writtenOff, badDebt]).to.deep.equal([0n, 0n])],
        [
          "165",
          "1",
          ({ writtenOff = 0n, badDebt = 0n }) => {
            expect(writtenOff > wad("1000")).to.equal(true);
            expect(badDebt < 10n ** 10n, "what an index cannot tell apart").to.equal(true);
          },
        ],
        ["150", "0.01", ({ badDebt = 0n }) => expect(badDebt > wad("3000")).to.equal(true)],
      ];
      for (const [price, writeOffPerHour, holds] of outcomes) {
        const { winner, supplier } = await poolLong("50", { writeOffPerHour });
        await at.world.push({ ETH: price });
        const equity = await equityOf(at.pool);
        const own = await cashOf(at.pool);
        const [gain, shares] = [await at.value(winner, "ETH"), await poolShares()];
        const events = await at.events(() => at.vault.resolvePool());
        const [deficit = 0n, insurance = 0n, raised = 0n, writtenOff = 0n, badDebt = 0n] = argsOf(
          events,
          "PoolResolved",
        )["loss"] as unknown as bigint[];
        expect([deficit, insurance]).to.deep.equal([-equity, wad("50")]);
        // n * base / (1 + rho) at most; to a wei what the winner has lost of its gain.
        const bearable = (400n * wad(price) * 30n) / 1050n;
        near(raised, deficit - insurance < bearable ? deficit - insurance : bearable, 10n ** 6n);
        const lost = gain - (await at.value(winner, "ETH"));
        near(lost, raised, 10n ** 10n);
        // The pool ends at zero. What suppliers lose is more than it needs by what it loses itself.
        near(await equityOf(at.pool), 0n, 10n ** 8n);
        const ownLoss = ((own + insurance) * (INDEX_ONE - (await share()))) / INDEX_ONE;
        near(deficit - insurance - raised + ownLoss, writtenOff + badDebt, 10n ** 11n);
        near(await cashOf(supplier), (wad("5000") * (await share())) / INDEX_ONE, 10n);
        holds({ writtenOff, badDebt });
        expect((await cashFigures(at.world)).badDebt).to.equal(badDebt);
        expect(await poolShares()).to.equal(shares);
        await audit(at.world);
      }
    });

    const share = async () => (await cashFigures(at.world)).supplyIndex;

    it("leave shares that nobody can buy, while they are worth nothing", async () => {
      const { winner } = await poolLong("5000");
      await at.world.push({ ETH: "170" });
      await at.events(() => at.vault.resolvePool());
      const provider = at.world.signers[5] as never as Parameters<typeof at.world.as>[0];
      const { address } = at.world.deployment.settlementToken;
      const pool = at.world.ballast.pool.connect(provider as never);
      expect(await pool.maxDeposit(provider.address)).to.equal(0n);
      await at.world.mint("USDC", provider.address, "1000");
      const raw = parseDecimal("1000", 6);
      await (
        await MockToken__factory.connect(address, provider as never).approve(at.world.deployment.pool, raw)
      ).wait();
      const refused = await failure(() => pool.deposit(raw, provider.address));
      expect(String(refused)).to.contain("ERC4626ExceededMaxDeposit");
      // And nothing is opened against it.
      await expectRevert(() => at.trade(winner, "ETH", "1"), "PoolCapitalExceeded", {
        market: 1n,
        neededWad: (needed: bigint) => needed > 0n,
        availableWad: 0n,
      });
    });

    it("wait for the price of a position that has none, and close the others", async () => {
      await enter({ vault: { insuranceSeed: "5000" } }, "10000");
      await at.open(1, "6000", { ETH: "-400" });
      const other = await at.open(2, "1000", { BTC: "-1" });
      await at.world.push({ ETH: "172", BTC: "7000" });
      await at.kill(0);
      await at.world.push({ ETH: "172" });
      await at.kill(0);
      const waiting = await at.value(at.pool, "BTC");
      expect(waiting < -wad("900"), String(waiting)).to.equal(true);
      const deficit = waiting - (await equityOf(at.pool));
      expect(deficit > wad("900") && deficit < wad("1100"), String(deficit)).to.equal(true);
      const events = await at.events(() => at.vault.resolvePool());
      expect(argsOf(events, "PoolResolved")["loss"]).to.deep.equal([deficit, deficit, 0n, 0n, 0n]);
      expect(allArgsOf(events, "PositionDeleveraged").map(({ market }) => market)).to.deep.equal([1n]);
      expect(await at.size(at.pool, "BTC")).to.equal(wad("1"));
      expect(await at.size(other, "BTC")).to.equal(-wad("1"));
      expect(await at.value(at.pool, "BTC")).to.equal(waiting);
      near(await equityOf(at.pool), waiting, 10n);
      const equityWad = (await equityOf(at.pool)) - waiting;
      await expectRevert(() => at.vault.resolvePool(), "PoolSolvent", { equityWad });

      await at.world.push({ BTC: "7000" });
      const later = await at.events(() => at.vault.resolvePool());
      expect(argsOf(later, "PoolResolved")["loss"]).to.deep.equal([
        -waiting - equityWad,
        -waiting - equityWad,
        0n,
        0n,
        0n,
      ]);
      expect(await at.size(at.pool, "BTC")).to.equal(0n);
      near(await equityOf(at.pool), 0n, 10n);
    });

    it("wait where they come of a position without a price alone: nobody pays, until it is back", async () => {
      const { winner, supplier } = await poolLong("50", { writeOffPerHour: "1" });
      await at.world.push({ ETH: "165" });
      await at.kill(1);
      const [equity, waiting] = [await equityOf(at.pool), await at.value(at.pool, "ETH")];
      expect(equity < -wad("3000"), String(equity)).to.equal(true);
      await expectRevert(() => at.vault.resolvePool(), "PoolSolvent", { equityWad: equity - waiting });
      const books = () => Promise.all([at.pool, at.insurance, winner, supplier].map((id) => portfolio(at.world, id)));
      const before = await books();
      await at.world.passTime(3_600);
      await expectRevert(() => at.vault.resolvePool(), "PoolSolvent", { equityWad: equity - waiting });
      expect(await books()).to.deep.equal(before);

      // What was lost is not real any more.
      await at.world.push({ ETH: "200" });
      await expectRevert(() => at.vault.resolvePool(), "PoolSolvent", { equityWad: await equityOf(at.pool) });
      await at.world.push({ ETH: "165" });
      const events = await at.events(() => at.vault.resolvePool());
      const [deficit, insurance] = argsOf(events, "PoolResolved")["loss"] as unknown as bigint[];
      expect([deficit, insurance]).to.deep.equal([-equity, wad("50")]);
      near(await equityOf(at.pool), 0n, 10n ** 8n);
    });

    it("that are final do not wait, though their market has no price", async () => {
      await poolLong("5000");
      const { vault } = at.world.ballast;
      const due = (await at.world.connection.networkHelpers.time.latest()) + 86_460;
      await (await vault.announceDelisting(1, due, 0n)).wait();
      await at.world.passTime(86_460);
      await at.world.push({ ETH: "170" });
      await (await vault.delist(1)).wait();
      await at.kill(1);
      const equity = await equityOf(at.pool);
      expect(equity < -wad("1000"), String(equity)).to.equal(true);
      const events = await at.events(() => at.vault.resolvePool());
      expect(argsOf(events, "PoolResolved")["loss"]).to.deep.equal([-equity, -equity, 0n, 0n, 0n]);
      near(await equityOf(at.pool), 0n, 10n);
    });

    it("are paid after standing bad debt", async () => {
      const { winner } = await poolLong("0", { poolLossPerHour: "0", writeOffPerHour: "0" });
      const target = await at.open(3, "200", { ETH: "10" });
      await at.world.push({ ETH: "155" });
      await at.absorb(target);
      const { badDebt } = await cashFigures(at.world);
      await insure("400");
      const events = await at.events(() => at.vault.resolvePool());
      expect(argsOf(events, "BadDebtCovered")["paidWad"]).to.equal(badDebt);
      expect((argsOf(events, "PoolResolved")["loss"] as unknown as bigint[])[1]).to.equal(wad("400") - badDebt);
      expect((await portfolio(at.world, winner)).positions["ETH"]?.size).to.equal(0n);
    });

    it("cannot be had twice: what was resolved is solvent", async () => {
      await poolLong("50", { writeOffPerHour: "1" });
      await at.world.push({ ETH: "165" });
      await at.events(() => at.vault.resolvePool());
      await expectRevert(() => at.vault.resolvePool(), "PoolSolvent", { equityWad: await equityOf(at.pool) });
    });
  });

  it("need no more than parameters that bound them", async () => {
    const set = (change: Partial<ReturnType<typeof cashParameters>>) =>
      at.world.ballast.vault.setCashParameters({ ...cashParameters(at.world.parameters), ...change });
    await expectRevert(() => set({ poolLossPerHourWad: WAD + 10n ** 12n }), "ParameterOutOfBounds", {
      rule: "poolLossPerHour <= 100%",
    });
    await expectRevert(() => set({ writeOffPerHourWad: WAD + 10n ** 12n }), "ParameterOutOfBounds", {
      rule: "writeOffPerHour <= 100%",
    });
  });
});
