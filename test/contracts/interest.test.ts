import { expect } from "chai";
import hre from "hardhat";

import { type Connection, cashParameters } from "../../ignition/deploy.js";
import { type AccountId, WAD } from "../../sdk/index.js";
import { type CashFigures, audit, cashAt, cashFigures } from "../helpers/audit.js";
import { abs, ceilDiv } from "../helpers/model.js";
import { expectRevert } from "../helpers/revert.js";
import { type LossChanges, type Stage, argsOf, deployStage } from "../helpers/stage.js";
import { wad } from "../helpers/world.js";

const INDEX_ONE = 10n ** 15n;
const YEAR = 365n * 86_400n;
const unit = 10n ** 12n;

/** What the local parameters say: 1% at no utilisation, 8% at 80%, 80% at all of it; a tenth is the insurance account's. */
const rates = { rateAtZero: "0.01", rateAtKink: "0.08", rateAtFull: "0.8" };

/** The rates at this utilisation, a year. */
function ratesAt(utilisation: bigint, lent: bigint): { borrow: bigint; supply: bigint } {
  const turn = wad("0.8");
  const borrow =
    utilisation <= turn
      ? wad("0.01") + (wad("0.07") * utilisation) / turn
      : wad("0.08") + (wad("0.72") * (utilisation - turn)) / (WAD - turn);
  return { borrow, supply: (((borrow * lent) / WAD) * 9n) / 10n };
}

describe("contracts: interest", () => {
  let connection: Connection;
  let at: Stage;

  before(async () => {
    connection = await hre.network.create();
  });

  const bearing = () => deployStage(connection, { cash: rates, vault: { insuranceSeed: "50" } }, "10000");

  beforeEach(async () => {
    at = await connection.networkHelpers.loadFixture(bearing);
  });

  afterEach(async () => {
    await audit(at.world);
  });

  const enter = async (changes: LossChanges, poolDeposit?: string) => {
    at = await deployStage(await hre.network.create(), changes, poolDeposit);
  };

  const cashOf = (account: AccountId) => at.vault.cash(account);
  const near = (actual: bigint, expected: bigint, bound: bigint, what = "") =>
    expect(abs(actual - expected) <= bound, `${what} ${actual} for ${expected}`).to.equal(true);

  /** Ether to borrow against, and cash withdrawn beyond what there was. */
  async function borrower(who: number, ether: string, debt: bigint): Promise<AccountId> {
    const account = await at.world.fund(at.world.signers[who] as never, { WETH: ether });
    await at.withdraw(account, debt);
    return account;
  }

  const now = async () => BigInt((await at.world.connection.networkHelpers.time.latest()) as number);

  /** Touches cash, so that what has accrued is written. */
  async function touch(): Promise<CashFigures> {
    await at.world.mint("USDC", at.keeper.address, "1000");
    await (await at.world.as(at.keeper)).deposit(at.keeperAccount, "USDC", "10");
    return cashFigures(at.world);
  }

  it("grows a debt, pays suppliers nine tenths of it, and insurance the rest when anybody sweeps it", async () => {
    const debtor = await borrower(0, "40", 4_000_000_000n);
    const before = await cashFigures(at.world);
    const supply = cashAt(before, before.supplied);
    const expected = ratesAt((wad("4000") * WAD) / supply, (wad("4000") * WAD) / supply);
    near(before.borrowRate * YEAR, expected.borrow, 10n ** 9n, "borrow rate");
    near(before.supplyRate * YEAR, expected.supply, 10n ** 9n, "supply rate");

    await at.world.passTime(Number(YEAR / 12n));
    const elapsed = (await now()) - before.accruedAt;
    const owed = (wad("4000") * expected.borrow * elapsed) / (YEAR * WAD);
    near(-(await cashOf(debtor)), wad("4000") + owed, wad("0.0001"), "debt");
    near(
      await cashOf(at.pool),
      wad("10000") + (wad("10000") * expected.supply * elapsed) / (YEAR * WAD),
      wad("0.0001"),
    );

    const swept = argsOf(await at.events(() => at.vault.sweepInterest()), "InterestSwept")["amountWad"] ?? 0n;
    near(swept, owed / 10n, wad("0.0001"), "insurance");
    near(
      await cashOf(at.insurance),
      wad("50") + swept + (wad("50") * expected.supply * elapsed) / (YEAR * WAD),
      wad("0.0001"),
    );
    // Within a second little more than nothing is left to sweep.
    await expectRevert(async () => {
      await at.world.ballast.vault.setCashParameters({
        ...cashParameters(at.world.parameters),
        rateAtZeroWad: 0n,
        rateAtKinkWad: 0n,
        rateAtFullWad: 0n,
      });
      await (await at.vault.sweepInterest()).wait();
      return at.vault.sweepInterest();
    }, "ZeroAmount");
  });

  it("credits never more than it charges, touched every hour or once (INV-13)", async () => {
    const debtor = await borrower(0, "40", 4_000_000_000n);
    await borrower(1, "3", 133_333_333n);
    const start = await at.world.connection.networkHelpers.takeSnapshot();
    const outcomes: { debt: bigint; pool: bigint }[] = [];
    for (const [turns, seconds] of [
      [1, 36_000],
      [10, 3_600],
    ] as const) {
      const before = await cashFigures(at.world);
      for (let turn = 0; turn < turns; turn += 1) {
        await at.world.passTime(seconds - 5);
        await touch();
        await audit(at.world);
      }
      const after = await cashFigures(at.world);
      const charged = (before.borrowed * (after.borrowIndex - before.borrowIndex)) / INDEX_ONE;
      const credited = ceilDiv(before.supplied * (after.supplyIndex - before.supplyIndex), INDEX_ONE);
      expect(credited > 0n && credited + after.interestUnswept <= charged + 10n ** 13n).to.equal(true);
      expect(credited <= charged, `${credited} of ${charged}`).to.equal(true);
      outcomes.push({ debt: -(await cashOf(debtor)), pool: await cashOf(at.pool) });
      await start.restore();
    }
    const [once, often] = outcomes as [(typeof outcomes)[0], (typeof outcomes)[0]];
    // A deposit each time lowers utilisation a little.
    near(often.debt, once.debt, wad("0.002"));
    near(often.pool, once.pool, wad("0.004"));
  });

  it("prices tokens that are gone although nobody owes them: bad debt", async () => {
    await enter({ vault: { insuranceSeed: "0" }, cash: { ...rates, poolLossPerHour: "0", writeOffPerHour: "0" } });
    const ruined = await at.open(0, "200", { ETH: "10" });
    await at.world.push({ ETH: "100" });
    await at.absorb(ruined);
    const { borrowed, supplied, supplyIndex, borrowRate, supplyRate, badDebt } = await cashFigures(at.world);
    expect([borrowed, supplyRate]).to.deep.equal([0n, 0n]);
    const supply = (supplied * supplyIndex) / INDEX_ONE;
    const [, , held] = await at.vault.totals();
    // What nobody has borne yet, but for the reserves and the fees that nobody has swept.
    const missing = supply - held * unit;
    near(missing, badDebt, wad("5"));
    expect(missing > wad("500"), String(missing)).to.equal(true);
    near(borrowRate * YEAR, ratesAt((missing * WAD) / supply, 0n).borrow, 10n ** 9n);
  });

  it("counts as a debt of the pool what a winner takes before the loser settles", async () => {
    // The pool pays the winner at once, and has it back when the loser settles.
    await at.open(0, "60000", { ETH: "-400" });
    const winner = await at.open(1, "12000", { ETH: "400" });
    await at.world.push({ ETH: "330" });
    await at.trade(winner, "ETH", "-400");
    await at.withdraw(winner, (await cashOf(winner)) / unit);
    const figures = await cashFigures(at.world);
    const supply = cashAt(figures, figures.supplied);
    const debts = -cashAt(figures, -figures.borrowed);
    const [, , held] = await at.vault.totals();
    const byTokens = ((supply - held * unit) * WAD) / supply;
    const byDebts = (debts * WAD) / supply;
    expect(debts > wad("10000"), "the pool owes what it has paid and not yet got").to.equal(true);
    const used = byTokens > byDebts ? byTokens : byDebts;
    near(figures.borrowRate * YEAR, ratesAt(used, 0n).borrow, 10n ** 9n);
  });

  it("lets nobody withdraw more cash than there are tokens, and charges most then", async () => {
    await borrower(0, "100", 10_000_000_000n);
    const supplier = await at.open(1, "1000", {});
    await borrower(2, "20", 1_000_000_000n);
    const [, , held] = await at.vault.totals();
    expect(held < 60_000_000n && held > 0n).to.equal(true);
    await expectRevert(() => at.withdraw(supplier, held + 1n), "InsufficientCashHeld", { asked: held + 1n, held });
    await at.withdraw(supplier, held);
    expect((await at.vault.totals())[2]).to.equal(0n);
    const { borrowRate } = await cashFigures(at.world);
    expect(borrowRate * YEAR > wad("0.79"), String(borrowRate * YEAR)).to.equal(true);
  });

  it("goes on at the old rates up to a change of parameters, and at the new from it", async () => {
    const debtor = await borrower(0, "40", 4_000_000_000n);
    const before = await cashFigures(at.world);
    await at.world.passTime(86_400);
    await (
      await at.world.ballast.vault.setCashParameters({
        ...cashParameters(at.world.parameters),
        rateAtZeroWad: wad("0.5"),
        rateAtKinkWad: wad("0.5"),
        rateAtFullWad: wad("0.5"),
      })
    ).wait();
    const changed = await cashFigures(at.world);
    const first = changed.accruedAt - before.accruedAt;
    expect(first >= 86_400n).to.equal(true);
    near(changed.borrowIndex - before.borrowIndex, (before.borrowIndex * before.borrowRate * first) / WAD, 2n);
    near(changed.borrowRate * YEAR, wad("0.5"), 10n ** 9n);
    const debt = -(await cashOf(debtor));
    await at.world.passTime(86_400);
    near(-(await cashOf(debtor)) - debt, (debt * wad("0.5") * 86_400n) / (YEAR * WAD), wad("0.001"));
  });

  it("makes an account liquidatable by itself, in health, preview and liquidation alike", async () => {
    await enter({ cash: { rateAtZero: "4", rateAtKink: "4", rateAtFull: "4" } }, "10000");
    const debtor = await borrower(0, "10", 1_600_000_000n);
    const taker = await at.open(1, "3000", {});
    const weth = at.world.deployment.collaterals[0]?.address ?? "";
    const asTaker = at.vault.connect(at.world.signers[1] as never);
    expect((await at.world.ballast.health(debtor)).isLiquidatable).to.equal(false);
    await expectRevert(() => asTaker.liquidateCollateral(debtor, weth, 2n ** 255n, taker), "AccountHealthy", {
      account: debtor,
      equityWad: (wei: bigint) => wei > 0n,
      requirementWad: (wei: bigint) => wei > 0n,
    });
    // 1800 of weighted ether bear 1712.4 of debt: 7% more than there is, six or seven days at 400% a year.
    await at.world.passTime(6 * 86_400);
    await at.world.refresh();
    expect((await at.world.ballast.health(debtor)).isLiquidatable).to.equal(false);
    await at.world.passTime(86_400);
    await at.world.refresh();
    const health = await at.world.ballast.health(debtor);
    expect(health.isLiquidatable).to.equal(true);
    expect((await at.vault.healths([debtor]))[0]?.netCashWad).to.equal(await cashOf(debtor));
    expect((await at.vault.previewAbsorb(debtor)).health.netCashWad).to.equal(await cashOf(debtor));
    await (await asTaker.liquidateCollateral(debtor, weth, 2n ** 255n, taker)).wait();
    expect((await at.world.ballast.health(debtor)).isLiquidatable).to.equal(false);
  });

  it("refuses a debt below the minimum, lets it grow from there, and always be repaid", async () => {
    const account = await at.world.fund(at.world.signers[0] as never, { WETH: "1" });
    await expectRevert(() => at.withdraw(account, 9_999_999n), "DebtBelowMinimum", {
      account,
      debtWad: wad("9.999999"),
      minimumWad: wad("10"),
    });
    await at.withdraw(account, 10_000_000n);
    await at.world.passTime(86_400 * 30);
    expect((await cashOf(account)) < -wad("10")).to.equal(true);
    await at.world.mint("USDC", at.world.signers[0]?.address ?? "", "100");
    const owner = await at.world.as(at.world.signers[0] as never);
    await owner.deposit(account, "USDC", 4_000_000n); // leaves less than the minimum
    expect((await cashOf(account)) < 0n && (await cashOf(account)) > -wad("10")).to.equal(true);
    await owner.deposit(account, "USDC", 7_000_000n);
    expect((await cashOf(account)) > 0n).to.equal(true);
  });

  it("keeps totals to the sum of principals through every kind of act (INV-03)", async () => {
    const debtor = await borrower(0, "40", 4_000_000_000n);
    const trader = await at.open(1, "700", { ETH: "20", BTC: "-0.1" });
    const other = await at.open(2, "700", { ETH: "-30" });
    const owner = async (who: number) => at.world.as(at.world.signers[who] as never);
    const acts: (() => Promise<unknown>)[] = [
      async () => (await owner(0)).trade(debtor, "ETH", "-5"),
      async () => (await owner(1)).trade(trader, "ETH", "-7"),
      async () => (await owner(0)).trade(debtor, "ETH", "5"),
      async () => (await owner(1)).transfer(trader, other, "USDC", "33.333333"),
      async () => (await owner(2)).transfer(other, debtor, "USDC", "50.000001"),
      async () => (await owner(0)).transfer(debtor, trader, "USDC", "77"),
      async () => (await owner(2)).transfer(other, other, "USDC", "50"),
      async () => at.settle(other, "ETH"),
      async () => at.settle(trader, "ETH"),
      async () => at.world.push({ ETH: "188", BTC: "8100" }),
      async () => at.settle(trader, "ETH"),
      async () => (await owner(2)).trade(other, "ETH", "30"),
      async () => (await at.vault.sweepFees(1n)).wait(),
      async () => (await at.vault.sweepInterest()).wait(),
      async () => at.world.push({ ETH: "147" }),
      async () => at.vault.absorb([trader], at.keeperAccount),
      async () => at.withdraw(other, 100_000_001n),
    ];
    for (const act of acts) {
      await at.world.passTime(997);
      await at.world.refresh();
      await act();
      await audit(at.world);
    }
  });
});
