import { expect } from "chai";
import hre from "hardhat";

import { type Connection, cashParameters } from "../../ignition/deploy.js";
import {
  type AccountId,
  type Ballast,
  type CashFigures,
  type StoredCash,
  accountId,
  accruedIndices,
  cashFigures,
  cashOfPrincipal,
  decodeAccount,
  decodeCashIndices,
  toStoredCash,
} from "../../sdk/index.js";
import { readLogs } from "../helpers/history.js";
import { type World, deployWorld, thinEth, wad } from "../helpers/world.js";

const YEAR = 365n * 86_400n;

describe("sdk/cash", () => {
  let connection: Connection;
  let world: World;
  let ballast: Ballast;
  let insurance: AccountId;

  async function lending() {
    const created = await deployWorld(
      connection,
      (given) => thinEth(given, { vault: { insuranceSeed: "50" } }),
      "40000",
    );
    const [borrower] = created.signers;
    const account = await created.fund(borrower!, { WETH: "200" });
    await (await created.as(borrower!)).withdraw(account, "USDC", "20025");
    return created;
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    world = await connection.networkHelpers.loadFixture(lending);
    ({ ballast } = world);
    insurance = accountId(world.deployment.vault);
  });

  async function stored(): Promise<StoredCash> {
    const { vault } = ballast;
    const [view, [, , held], [poolValueWad]] = [await vault.cashView(), await vault.totals(), await vault.poolValue()];
    return toStoredCash(view, held * 10n ** 12n, poolValueWad);
  }

  const time = async (block: number) => (await ballast.provider.getBlock(block))!.timestamp;

  it("tells what is lent of what there is, and what that costs a year", async () => {
    // 40,000 of the pool and 50 of insurance; half of it lent. 1% + 7% * 0.5 / 0.8; suppliers have half of it, less a tenth.
    const figures = await ballast.cash();
    const aSecond = wad("0.05375") / YEAR;
    expect(figures).to.deep.equal({
      utilisationWad: wad("0.5") + 1n, // a debt is rounded up
      borrowRateWad: aSecond * YEAR,
      supplyRateWad: (((aSecond / 2n) * 9n) / 10n) * YEAR,
      suppliedWad: wad("40050"),
      borrowedWad: wad("20025") + 1n,
      heldWad: wad("20028"), // with the reserve of three markets
      interestUnsweptWad: 0n,
      badDebtWad: 0n,
      poolLossLeftWad: wad("4000"),
      writeOffLeftWad: wad("8010"),
    } satisfies CashFigures);
  });

  it("has the cash of every account as the vault does, while interest accrues", async () => {
    await world.passTime(100 * 86_400);
    const { indices } = await stored();
    const block = await ballast.provider.getBlockNumber();
    const now = accruedIndices(indices, await time(block));
    expect(now.borrowIndexE15 > now.supplyIndexE15 && now.supplyIndexE15 > indices.supplyIndexE15).to.equal(true);
    const { accounts } = readLogs(world.deployment, await ballast.provider.getLogs({ fromBlock: 0 }));
    let [supplied, borrowed] = [0n, 0n];
    for (const account of accounts.keys()) {
      const cash = cashOfPrincipal(decodeAccount(accounts.get(account)).principalWad, now);
      expect(cash).to.equal(await ballast.cashOf(account));
      if (cash > 0n) supplied += cash;
      else borrowed -= cash;
    }
    const figures = await ballast.cash();
    expect(borrowed > wad("20319")).to.equal(true);
    expect(figures.borrowedWad).to.equal(borrowed);
    expect(figures.suppliedWad - supplied < 2n && figures.suppliedWad >= supplied).to.equal(true);
    expect(figures.utilisationWad).to.equal((borrowed * wad("1")) / figures.suppliedWad + 1n);
  });

  it("tells the interest that a sweep pays to the insurance account, to the wei", async () => {
    await world.passTime(3600);
    const before = await stored();
    const cash = await ballast.cashOf(insurance);
    const { blockNumber } = await ballast.sweepInterest();
    const [swept] = (await ballast.events(blockNumber)).filter(({ name }) => name === "InterestSwept");
    const { interestUnsweptWad } = cashFigures(before, await time(blockNumber));
    expect(swept!.args["amountWad"]).to.equal(interestUnsweptWad);
    expect(interestUnsweptWad > 0n).to.equal(true);
    expect((await ballast.cashOf(insurance)) - cash >= interestUnsweptWad - 1n).to.equal(true);
    expect((await ballast.cash()).interestUnsweptWad).to.equal(0n);
    const { accruedAt } = decodeCashIndices((await ballast.vault.cashView()).indices);
    expect(accruedAt).to.equal(await time(blockNumber));
  });

  it("counts cash that is not there as used, even where nobody owes it", async () => {
    const cash = await stored();
    const nothing = { suppliedPrincipalWad: 0n, borrowedPrincipalWad: 0n };
    const used = (change: Partial<StoredCash>) =>
      cashFigures({ ...cash, ...change }, cash.indices.accruedAt).utilisationWad;
    expect(used({ heldWad: wad("10012.5") })).to.equal(wad("0.75"));
    expect(used({ heldWad: wad("30037.5") })).to.equal(wad("0.5") + 1n); // by the debts
    expect(used({ heldWad: 0n })).to.equal(wad("1"));
    expect(used({ totals: { ...cash.totals, borrowedPrincipalWad: wad("40051") } })).to.equal(wad("1"));
    expect(used({ totals: { ...nothing, borrowedPrincipalWad: 1n } })).to.equal(wad("1"));
    expect(used({ totals: nothing })).to.equal(0n);
  });

  it("tells what losses may still take in the hour, and of a new hour once it has ended", async () => {
    const terms = cashParameters(world.parameters);
    const noInterest = { rateAtZeroWad: 0n, rateAtKinkWad: 0n, rateAtFullWad: 0n };
    const budgets = { poolLossPerHourWad: wad("0.001"), writeOffPerHourWad: wad("0.0005") };
    await (await ballast.vault.setCashParameters({ ...terms, ...noInterest, ...budgets })).wait();
    const bankrupt = async (at: number) => {
      const account = await world.fund(world.signers[at]!, { USDC: "600" });
      await (await world.as(world.signers[at]!)).trade(account, "BTC", "1");
      return account;
    };
    const [first, second] = [await bankrupt(1), await bankrupt(2)];
    await world.push({ BTC: "7000" });

    const whole = await ballast.cash();
    const { blockNumber } = await ballast.absorb([first]);
    const events = await ballast.events(blockNumber);
    const [paid] = events.filter(({ name }) => name === "PoolPaid");
    const [written] = events.filter(({ name }) => name === "LossWrittenOff");
    const left = await ballast.cash();
    const { poolLosses, writeOffs } = await stored();
    expect([whole.poolLossLeftWad, poolLosses.spentWad]).to.deep.equal([paid!.args["paidWad"], paid!.args["paidWad"]]);
    expect(left.poolLossLeftWad).to.equal(0n);
    expect(writeOffs.spentWad).to.equal(written!.args["writtenOffWad"]);
    expect(left.writeOffLeftWad).to.equal(writeOffs.allowedWad - writeOffs.spentWad);
    expect(left.badDebtWad).to.equal(written!.args["badDebtWad"]);
    expect(left.badDebtWad > 0n).to.equal(true);

    await world.passTime(3600);
    await world.push({ BTC: "7000" });
    const anew = await ballast.cash();
    const again = await ballast.events((await ballast.absorb([second])).blockNumber);
    const [paidAgain] = again.filter(({ name }) => name === "PoolPaid");
    expect(anew.poolLossLeftWad).to.equal(paidAgain!.args["paidWad"]);
    expect(anew.poolLossLeftWad > 0n).to.equal(true);
    expect(anew.writeOffLeftWad).to.equal(anew.suppliedWad / 2000n);

    // Insurance covers what is left once it has something.
    const owed = (await ballast.cash()).badDebtWad;
    await world.mint("USDC", world.admin.address, "1000");
    await ballast.deposit(insurance, "USDC", "1000");
    await ballast.cover();
    expect((await ballast.cash()).badDebtWad).to.equal(0n);
    expect((await ballast.cashOf(insurance)) < wad("1000") - owed + wad("50")).to.equal(true);
  });

  it("stands still at the ends of its fields, and credits nobody what nobody is charged", () => {
    const end = 2n ** 72n - 1n;
    const indices = { supplyIndexE15: end - 4n, borrowIndexE15: 10n ** 15n, accruedAt: 0 };
    const rates = { supplyRateWad: 10n ** 11n, borrowRateWad: 10n ** 11n };
    expect(accruedIndices({ ...indices, ...rates }, 1).supplyIndexE15).to.equal(end);
    const ended = { ...indices, borrowIndexE15: end - 4n };
    expect(accruedIndices({ ...ended, ...rates }, 1)).to.deep.equal({
      supplyIndexE15: end - 4n,
      borrowIndexE15: end,
    });
  });
});
