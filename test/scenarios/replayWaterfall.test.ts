import { expect } from "chai";
import hre from "hardhat";

import type { DeploymentParameters } from "../../deployments/schema.js";
import { cashParameters } from "../../ignition/deploy.js";
import { accountId, decodeAccount, decodeCashIndices, decodeCashTerms, decodeCashTotals } from "../../sdk/index.js";
import { type VaultLog } from "../../sdk/book/index.js";
import { type History, differencesWithout, disagreements, eventOf, readHistory, readLogs } from "../helpers/history.js";
import { type Place, place } from "../helpers/vaultStorage.js";
import { type Signer, type World, deployWorld, thinEth, wad } from "../helpers/world.js";

const RAY = 10n ** 27n;
const INDEX_ONE = 10n ** 15n;

/** So little insurance and such small budgets of an hour that one loss goes through every step, and interest at any utilisation. */
function poor(parameters: DeploymentParameters): DeploymentParameters {
  const thin = thinEth(parameters, {
    everyMarket: { maxFundingVelocityPerDay2: "3" },
    vault: { insuranceSeed: "50" },
  });
  const losses = { poolLossPerHour: "0.01", writeOffPerHour: "0.002" };
  return { ...thin, cash: { ...thin.cash, rateAtZero: "0.2", rateAtKink: "0.2", ...losses } };
}

/** Takes a vault through all that deleveraging, losses and delisting do to it, one transaction a block. */
async function wholeWaterfall(): Promise<World> {
  const world = await deployWorld(await hre.network.create(), poor, "40000");
  const { ballast, admin } = world;
  const { vault } = ballast;
  const insurance = accountId(world.deployment.vault);
  const [ada, ben, cleo, dan, eve, finn, gus] = world.signers as [
    Signer,
    Signer,
    Signer,
    Signer,
    Signer,
    Signer,
    Signer,
  ];
  const insure = async (amount: string) => {
    await world.mint("USDC", admin.address, amount);
    await ballast.deposit(insurance, "USDC", amount);
  };
  const open = async (owner: Signer, deposits: Readonly<Record<string, string>>, ...trades: [string, string][]) => {
    const account = await world.fund(owner, deposits);
    const client = await world.as(owner);
    for (const [market, size] of trades) await client.trade(account, market, size);
    return { account, client };
  };

  // A debt bears interest; each side of a market is about as large as the other, so that the pool has next to nothing.
  const lender = await open(cleo, { WETH: "100" }, ["LINK", "1000"]);
  await lender.client.withdraw(lender.account, "USDC", "5000");
  const bankrupt = await open(ada, { USDC: "2000" }, ["ETH", "60"]);
  const other = await open(ben, { USDC: "8000" }, ["ETH", "-60"], ["LINK", "-500"]);
  const second = await open(dan, { USDC: "1000" }, ["BTC", "1"]);
  const short = await open(eve, { USDC: "9000" }, ["BTC", "-4"]);
  await open(finn, { USDC: "6000" }, ["BTC", "3"]);

  // Deleveraged whole, an epoch ends: the loss goes through insurance, pool, shorts and suppliers, and leaves bad debt.
  await world.push({ ETH: "150" });
  await ballast.absorb([bankrupt.account]);
  await other.client.settle(other.account, "ETH");
  await other.client.trade(other.account, "ETH", "-20");
  // Deleveraged in part: three quarters of each share are left, and a new one costs as many more.
  await world.push({ BTC: "6800" });
  await ballast.absorb([second.account]);
  await short.client.trade(short.account, "BTC", "-0.5");
  await short.client.trade(short.account, "BTC", "3.5");
  await insure("500");
  await ballast.cover();
  await world.passTime(3600);
  await ballast.sweepInterest();
  await (
    await vault.setCashParameters({ ...cashParameters(world.parameters), writeOffPerHourWad: wad("0.003") })
  ).wait();

  // The pool loses more than it has.
  await world.refresh();
  await open(gus, { USDC: "8000" }, ["ETH", "200"]);
  await world.push({ ETH: "400" });
  await ballast.resolvePool();
  await insure("200");
  await ballast.cover();

  // A market ends at the price that was announced, its feed being dead by then.
  await (await vault.announceDelisting(2, (await now(world)) + 86_500, wad("5"))).wait();
  await lender.client.trade(lender.account, "LINK", "-100");
  await world.passTime(90_000);
  await ballast.delist("LINK");
  await lender.client.settle(lender.account, "LINK");
  await other.client.settle(other.account, "LINK");
  return world;
}

async function now({ ballast }: World): Promise<number> {
  return (await ballast.provider.getBlock("latest"))!.timestamp;
}

describe("books rebuilt from the log of a vault that went through the whole waterfall", () => {
  let history: History;
  let log: readonly VaultLog[];

  before(async () => {
    const { connection, deployment } = await wholeWaterfall();
    history = await readHistory((method, params) => connection.provider.request({ method, params }), deployment);
    log = history.blocks.flatMap(({ logs }) => logs);
  });

  /** All events of a name, by their arguments. */
  const told = (event: string) =>
    log.map(eventOf).flatMap(({ name, args }) => (name === event ? [args.toObject() as Record<string, bigint>] : []));

  it("follows one loss through every step, deleveraging in part and whole, a pool below zero, and the end of a market", () => {
    const [insured] = told("InsurancePaid");
    const [byPool] = told("PoolPaid");
    const [closed] = told("PositionDeleveraged");
    const [writtenOff] = told("LossWrittenOff");
    for (const paid of [insured!["paidWad"], byPool!["paidWad"], writtenOff!["writtenOffWad"]]) {
      expect(paid! > 0n).to.equal(true);
    }
    expect(closed!["priceRay"]! > wad("150") * 10n ** 9n).to.equal(true);
    expect(writtenOff!["badDebtWad"]! > 0n).to.equal(true);
    expect(told("Absorbed").map(({ deleveraged }) => deleveraged)).to.deep.equal([true, true]);

    const scales = told("Deleveraged").map(({ market, long, scaleRay }) => [market, long, scaleRay]);
    expect(scales).to.deep.equal([
      [1n, false, 0n],
      [0n, false, (RAY * 3n) / 4n],
      [0n, true, 0n],
      [1n, true, RAY / 10n],
      [2n, true, RAY / 2n],
    ]);
    expect(told("EpochEnded").map(({ market, long, epoch }) => [market, long, epoch])).to.deep.equal([
      [1n, false, 0n],
      [0n, true, 0n],
      [2n, true, 0n],
      [2n, false, 0n],
    ]);
    const [{ loss }] = told("PoolResolved") as unknown as [{ loss: readonly bigint[] }];
    const [deficit, byInsurance, deleveraged, byAll, bad] = loss;
    for (const part of [deficit, byInsurance, deleveraged, byAll, bad]) expect(part! > 0n).to.equal(true);
    expect(told("BadDebtCovered").map(({ badDebtWad }) => badDebtWad! > 0n)).to.deep.equal([true, false, true]);
    expect(told("InterestSwept").length).to.be.above(1);
    expect(told("Delisted")).to.deep.equal([{ market: 2n, priceWad: wad("5") }]);
    expect(told("Settled").map(({ realizedWad }) => realizedWad! > 0n)).to.deep.equal([true, true, false]);
  });

  it("equals storage after every transaction, and there is no other storage (INV-03)", () => {
    expect(disagreements(history)).to.deep.equal([]);
    expect(Math.max(...history.blocks.map(({ transactions }) => transactions))).to.equal(1);
    expect(history.places.map(({ name }) => name)).to.include.members([
      "end of short epoch 0 1",
      "end of long epoch 0 0",
      "end of long epoch 0 2",
      "end of short epoch 0 2",
    ]);
  });

  it("knows how much of each word of cash there is", () => {
    const { accounts, cashIndices, cashTotals, cashTerms, badDebt } = readLogs(history.deployment, log);
    expect(badDebt).to.equal(told("BadDebtCovered").at(-1)!["badDebtWad"]);
    expect(decodeCashTerms(cashTerms).writeOffPerHourWad).to.equal(wad("0.003"));
    const { supplyIndexE15, borrowIndexE15 } = decodeCashIndices(cashIndices);
    expect([supplyIndexE15 < INDEX_ONE, borrowIndexE15 > INDEX_ONE]).to.deep.equal([true, true]);
    const principals = accounts.keys().map((account) => decodeAccount(accounts.get(account)).principalWad);
    const sum = (sign: bigint) => principals.reduce((all, one) => (one * sign > 0n ? all + one * sign : all), 0n);
    expect(decodeCashTotals(cashTotals)).to.deep.equal({
      suppliedPrincipalWad: sum(1n),
      borrowedPrincipalWad: sum(-1n),
    });
  });

  describe("differs where one event is missing, and names what it would have told:", () => {
    const missing: Record<string, readonly Place[]> = {
      CashChanged: [place.cashIndices, place.cashTotals, place.counts],
      CashParametersSet: [place.cashTerms],
      LossesChanged: [place.badDebt],
      SidesChanged: [place.market(2, "longSide"), place.market(2, "shortSide"), place.market(2, "epochs")],
      EpochEnded: [place.epochEnd(2, "short", 0)],
    };

    for (const [event, places] of Object.entries(missing)) {
      it(event, () => {
        const last = log.findLast((one) => eventOf(one).name === event)!;
        const names = differencesWithout(history, (one) => one === last).map(({ name }) => name);
        expect(names.toSorted()).to.deep.equal(places.map(({ name }) => name).toSorted());
      });
    }
  });
});
