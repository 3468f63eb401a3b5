import { expect } from "chai";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import { type AccountId, type BallastEvent, WAD, accountId } from "../../sdk/index.js";
import { type MarginVault, MarginVault__factory } from "../../typechain-types/index.js";
import { abs, ceilDiv, floorDiv, offeredOf } from "../helpers/model.js";
import { type Portfolio, changes, portfolio, portfolios } from "../helpers/portfolio.js";
import { expectRevert } from "../helpers/revert.js";
import { type Signer, type World, deployWorld, roundFigures, wad, withoutInterest } from "../helpers/world.js";

const everything = 2n ** 255n;
const ETH = 1n;
const target = wad("1.1");
const noDeadline = 2n ** 64n;

describe("contracts: sales of collateral", () => {
  let connection: Connection;
  let world: World;
  let vault: MarginVault;
  let owner: Signer;
  let other: Signer;
  let stranger: Signer;
  let pool: AccountId;
  let insurance: AccountId;
  let usdc: string;
  let weth: string;
  let wbtc: string;

  async function quiet() {
    return deployWorld(connection, (parameters) => withoutInterest(roundFigures(parameters)));
  }

  function enter(entered: World) {
    world = entered;
    [owner, other, stranger] = world.signers as [Signer, Signer, Signer];
    vault = MarginVault__factory.connect(world.deployment.vault, other);
    [pool, insurance] = [accountId(world.deployment.pool), accountId(world.deployment.vault)];
    usdc = world.deployment.settlementToken.address;
    [weth, wbtc] = world.deployment.collaterals.map(({ address }) => address) as [string, string];
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    enter(await connection.networkHelpers.loadFixture(quiet));
  });

  /** An account of `owner` with collateral alone, and a debt. */
  async function borrower(collateral: Readonly<Record<string, string>>, debt: string, index = 0): Promise<AccountId> {
    const account = await world.fund(owner, collateral, index);
    await (await world.as(owner)).withdraw(account, "USDC", debt);
    return account;
  }

  const takerOf = async (holds: Readonly<Record<string, string>> = { USDC: "20000" }, index = 0) =>
    world.fund(other, holds, index);

  const buy = (account: AccountId, taker: AccountId, most = everything, token = weth) =>
    vault.liquidateCollateral(account, token, most, taker);

  async function eventsOf(act: () => Promise<{ wait(): Promise<unknown> }>): Promise<BallastEvent[]> {
    const from = (await world.ballast.provider.getBlockNumber()) + 1;
    await (await act()).wait();
    return world.ballast.events(from);
  }

  function argsOf(events: readonly BallastEvent[], name: string): Record<string, bigint> {
    const found = events.filter((event) => event.name === name);
    expect(found.length, `${name} in ${events.map((event) => event.name).join(" ")}`).to.equal(1);
    return found[0]?.args as Record<string, bigint>;
  }

  async function letStale(...assets: number[]) {
    for (const asset of assets) await (await world.ballast.oracle.setPushFeed(asset, wad("0.001"), 60)).wait();
    await world.passTime(61);
  }

  interface Token {
    readonly unit: bigint;
    readonly price: bigint;
  }

  const wethAt = (price: string): Token => ({ unit: WAD, price: wad(price) });
  const wbtcAt = (price: string): Token => ({ unit: 10n ** 8n, price: wad(price) });

  interface Sold {
    readonly amount: bigint;
    readonly proceeds: bigint;
    readonly toInsurance: bigint;
  }

  /** What an amount fetches: its value less the discount, of which insurance has a fifth from the buyer. */
  function soldFor({ unit, price }: Token, amount: bigint, health: bigint): Sold {
    const value = floorDiv(amount * price, unit);
    const discount = ceilDiv(value * offeredOf(health), WAD);
    return { amount, proceeds: value - discount, toInsurance: discount / 5n };
  }

  /** z = (T * R - E) / (1 - w - d + T * rho * (1 - d)) for w = 90%, T = 1.1, rho = 5%, and z * (1 - d) at most the debt. */
  function expectedSale({ health }: Portfolio, token: Token, held: bigint, most = everything): Sold {
    const { healthWad = 0n, requirementMaintenanceWad, equityMaintenanceWad, netCashWad } = health;
    const discount = offeredOf(healthWad);
    const wanted = floorDiv(requirementMaintenanceWad * 11n, 10n) - equityMaintenanceWad;
    const paid = WAD - discount;
    const gain = WAD / 10n - discount + ceilDiv(55n * paid, 1000n);
    const [least] = [
      (floorDiv(wanted * WAD, gain) * token.unit) / token.price,
      (floorDiv(-netCashWad * WAD, paid) * token.unit) / token.price,
      held,
      most,
    ].sort((a, b) => (a < b ? -1 : 1));
    return soldFor(token, least ?? 0n, healthWad);
  }

  const healthOf = async (account: AccountId) => (await world.ballast.health(account)).healthWad ?? 0n;

  function expectHealthAtTarget(health: bigint) {
    expect(health <= target && target - health < 10n ** 12n, `health ${health}`).to.equal(true);
  }

  describe("of an account under liquidation", () => {
    it("sells WETH of a borrower for as much cash as brings health to 1.1, and no token moves", async () => {
      // 10 * p * 90% - 1600 against 80 + 2
      const accounts = { account: await borrower({ WETH: "10" }, "1600"), taker: await takerOf() };
      await world.push({ ETH: "186" });
      const before = await portfolios(world, accounts);
      const from = before.accounts.account;
      expect(from.health.equityMaintenanceWad).to.equal(wad("74"));
      expect(from.health.requirementMaintenanceWad).to.equal(wad("82"));
      const events = await eventsOf(() => buy(accounts.account, accounts.taker));
      const after = await portfolios(world, accounts);

      const { amount, proceeds, toInsurance } = expectedSale(from, wethAt("186"), wad("10"));
      // d = 1% + 0.1 * (1 - 74 / 82) = 1.98%; z = 16.2 / (8.02% + 5.39%) = 120.8
      expect(amount > wad("0.6") && amount < wad("0.7"), String(amount)).to.equal(true);
      expect(changes(before, after)).to.deep.equal({
        "account.cash": proceeds,
        "account.collaterals.WETH": -amount,
        "taker.cash": -proceeds - toInsurance,
        "taker.collaterals.WETH": amount,
        "insurance.cash": toInsurance,
      });
      expectHealthAtTarget(after.accounts.account.health.healthWad ?? 0n);
      expect(argsOf(events, "CollateralLiquidated")).to.deep.equal({
        ...accounts,
        token: weth,
        liquidator: other.address,
        amount,
        proceedsWad: proceeds,
        insuranceWad: toInsurance,
        healthBeforeWad: (wad("74") * WAD) / wad("82"),
        healthAfterWad: after.accounts.account.health.healthWad,
      });
      const written = ["AccountChanged", "AccountChanged", "AccountChanged", "CollateralChanged", "CollateralChanged"];
      // Less is owed now: what all cash adds up to has changed too.
      expect(events.map(({ name }) => name).sort()).to.deep.equal(
        [...written, "CashChanged", "CollateralLiquidated"].sort(),
      );
      const { equityMaintenanceWad, requirementMaintenanceWad } = after.accounts.account.health;
      await expectRevert(() => buy(accounts.account, accounts.taker), "AccountHealthy", {
        account: accounts.account,
        equityWad: equityMaintenanceWad,
        requirementWad: requirementMaintenanceWad,
      });
    });

    it("sells WBTC, of 8 decimals, to the satoshi below the target", async () => {
      const accounts = { account: await borrower({ WBTC: "0.25" }, "1600"), taker: await takerOf() };
      await world.push({ BTC: "7440" });
      const before = await portfolios(world, accounts);
      const { amount, proceeds, toInsurance } = expectedSale(before.accounts.account, wbtcAt("7440"), 25_000_000n);
      await (await buy(accounts.account, accounts.taker, everything, wbtc)).wait();
      const after = await portfolios(world, accounts);
      expect(changes(before, after)).to.deep.equal({
        "account.cash": proceeds,
        "account.collaterals.WBTC": -amount,
        "taker.cash": -proceeds - toInsurance,
        "taker.collaterals.WBTC": amount,
        "insurance.cash": toInsurance,
      });
      const health = after.accounts.account.health.healthWad ?? 0n;
      // A satoshi is 0.00007: of a requirement of 76 a millionth.
      expect(health <= target && target - health < 10n ** 12n, String(health)).to.equal(true);
    });

    it("sells no more than was named", async () => {
      const accounts = { account: await borrower({ WETH: "10" }, "1600"), taker: await takerOf() };
      await world.push({ ETH: "186" });
      const before = await portfolios(world, accounts);
      const { healthWad = 0n } = before.accounts.account.health;
      const { amount, proceeds, toInsurance } = soldFor(wethAt("186"), wad("0.25"), healthWad);
      await (await buy(accounts.account, accounts.taker, wad("0.25"))).wait();
      const after = await portfolios(world, accounts);
      expect(changes(before, after)).to.deep.equal({
        "account.cash": proceeds,
        "account.collaterals.WETH": -amount,
        "taker.cash": -proceeds - toInsurance,
        "taker.collaterals.WETH": amount,
        "insurance.cash": toInsurance,
      });
      expect((after.accounts.account.health.healthWad ?? 0n) > healthWad).to.equal(true);
      expect(after.accounts.account.health.isLiquidatable).to.equal(true);
    });

    it("sells no more than the account holds of it, and then the next", async () => {
      const accounts = { account: await borrower({ WETH: "0.3", WBTC: "0.25" }, "1650"), taker: await takerOf() };
      await world.push({ ETH: "180", BTC: "7440" });
      const before = await portfolios(world, accounts);
      const { healthWad = 0n } = before.accounts.account.health;
      expect(before.accounts.account.health.isLiquidatable).to.equal(true);
      const sold = soldFor(wethAt("180"), wad("0.3"), healthWad);
      await (await buy(accounts.account, accounts.taker)).wait();
      const between = await portfolios(world, accounts);
      expect(changes(before, between)).to.deep.equal({
        "account.cash": sold.proceeds,
        "account.collaterals.WETH": -wad("0.3"),
        "taker.cash": -sold.proceeds - sold.toInsurance,
        "taker.collaterals.WETH": wad("0.3"),
        "insurance.cash": sold.toInsurance,
      });
      expect(between.accounts.account.collaterals).to.deep.equal({ WBTC: 25_000_000n });
      expect((between.accounts.account.health.healthWad ?? 0n) > healthWad).to.equal(true);
      expect(between.accounts.account.health.isLiquidatable).to.equal(true);
      await (await buy(accounts.account, accounts.taker, everything, wbtc)).wait();
      expectHealthAtTarget(await healthOf(accounts.account));
    });

    it("sells no more than pays the debt off, where the position is what is too large", async () => {
      // A net debt of 25 and then 29, beside a position that requires 92.
      const account = await world.fund(owner, { USDC: "100", WETH: "1" });
      await (await world.as(owner)).trade(account, "BTC", "0.4");
      const taker = await takerOf();
      await world.push({ BTC: "7700" });
      const before = await portfolios(world, { account, taker });
      const from = before.accounts.account;
      const net = wad("100") + (from.positions["BTC"]?.value ?? 0n);
      expect(from.health.netCashWad).to.equal(net);
      expect(net > -wad("25") && net < -wad("20"), String(net)).to.equal(true);
      expect(from.health.isLiquidatable, String(from.health.healthWad)).to.equal(false);
      await world.push({ ETH: "130", BTC: "7690" });
      const low = await portfolios(world, { account, taker });
      const { netCashWad, healthWad = 0n } = low.accounts.account.health;
      expect(low.accounts.account.health.isLiquidatable, String(healthWad)).to.equal(true);
      const sold = expectedSale(low.accounts.account, wethAt("130"), wad("1"));
      await (await buy(account, taker)).wait();
      const after = await portfolios(world, { account, taker });
      expect(changes(low, after)).to.deep.equal({
        "account.cash": sold.proceeds,
        "account.collaterals.WETH": -sold.amount,
        "taker.cash": -sold.proceeds - sold.toInsurance,
        "taker.collaterals.WETH": sold.amount,
        "insurance.cash": sold.toInsurance,
      });
      // What is left of the debt is dust: the amount is rounded down.
      const left = after.accounts.account.health.netCashWad;
      expect(left <= 0n && left > -1000n, String(left)).to.equal(true);
      expect(sold.proceeds + netCashWad).to.equal(left);
      const risen = after.accounts.account.health.healthWad ?? 0n;
      expect(risen > healthWad && risen < WAD).to.equal(true);
      // The rest is the position's.
      await expectRevert(() => buy(account, taker), "NothingToSell", { account, token: weth });
    });

    it("counts unrealised losses as debt, though there is cash, and sells to the target", async () => {
      const account = await world.fund(owner, { USDC: "50", WETH: "2" });
      await (await world.as(owner)).trade(account, "BTC", "0.05");
      const taker = await takerOf();
      await world.push({ ETH: "160", BTC: "2500" });
      const before = await portfolios(world, { account, taker });
      const from = before.accounts.account;
      expect(from.cash).to.equal(wad("50"));
      expect(from.health.netCashWad < -wad("220")).to.equal(true);
      expect(from.health.isLiquidatable, String(from.health.healthWad)).to.equal(false);
      await world.push({ ETH: "134" });
      const low = await portfolios(world, { account, taker });
      expect(low.accounts.account.health.isLiquidatable, String(low.accounts.account.health.healthWad)).to.equal(true);
      const sold = expectedSale(low.accounts.account, wethAt("134"), wad("2"));
      await (await buy(account, taker)).wait();
      const after = await portfolios(world, { account, taker });
      expect(changes(low, after)).to.deep.equal({
        "account.cash": sold.proceeds,
        "account.collaterals.WETH": -sold.amount,
        "taker.cash": -sold.proceeds - sold.toInsurance,
        "taker.collaterals.WETH": sold.amount,
        "insurance.cash": sold.toInsurance,
      });
      expectHealthAtTarget(after.accounts.account.health.healthWad ?? 0n);
      expect(after.accounts.account.positions).to.deep.equal(low.accounts.account.positions);
    });

    it("raises health at every price, to 1.1 at most, and conserves all: one owner of both loses insurance's part", async () => {
      const account = await borrower({ WETH: "10", WBTC: "0.05" }, "1900");
      const taker = await world.fund(owner, { USDC: "20000" }, 1);
      const start = await connection.networkHelpers.takeSnapshot();
      let sold = 0;
      for (const price of ["180", "179.5", "178.8", "177.77", "176.3", "175", "174.2", "173.4", "172"]) {
        for (const most of [everything, wad("0.7"), 12_345_678_901n]) {
          await start.restore();
          await world.push({ ETH: price });
          const before = await portfolios(world, { account, taker });
          if (!before.accounts.account.health.isLiquidatable) continue;
          if (before.accounts.account.health.equityMaintenanceWad <= 0n) continue;
          const asOwner = vault.connect(owner);
          const told = argsOf(
            await eventsOf(() => asOwner.liquidateCollateral(account, weth, most, taker)),
            "CollateralLiquidated",
          );
          const after = await portfolios(world, { account, taker });
          const what = `${price}, ${most}`;
          const expectedFigures = expectedSale(before.accounts.account, wethAt(price), wad("10"), most);
          expect(told["amount"], what).to.equal(expectedFigures.amount);
          const health = after.accounts.account.health.healthWad ?? 0n;
          expect(health > (before.accounts.account.health.healthWad ?? 0n), what).to.equal(true);
          expect(health <= target + 10n ** 9n, `${what}: ${health}`).to.equal(true);
          const cash = (all: typeof before) => all.accounts.account.cash + all.accounts.taker.cash;
          expect(cash(before) - cash(after), what).to.equal(expectedFigures.toInsurance);
          expect(after.accounts.insurance.cash - before.accounts.insurance.cash, what).to.equal(
            expectedFigures.toInsurance,
          );
          const held = ({ accounts: { account: a, taker: b } }: typeof before) =>
            (a.collaterals["WETH"] ?? 0n) + (b.collaterals["WETH"] ?? 0n);
          expect(held(after), what).to.equal(held(before));
          expect([after.tokens, after.cashHeld, after.fees], what).to.deep.equal([
            before.tokens,
            before.cashHeld,
            before.fees,
          ]);
          expect(after.accounts.pool, what).to.deep.equal(before.accounts.pool);
          sold += 1;
        }
      }
      expect(sold >= 15, String(sold)).to.equal(true);
    });

    it("gains nothing by buying a unit at a time: each is paid for, rounded for the target's and the vault's good", async () => {
      const accounts = { account: await borrower({ WBTC: "0.25" }, "1600"), taker: await takerOf() };
      await world.push({ BTC: "7440" });
      let before = await portfolios(world, accounts);
      for (let i = 0; i < 10; i += 1) {
        const health = before.accounts.account.health.healthWad ?? 0n;
        const { proceeds, toInsurance } = soldFor(wbtcAt("7440"), 1n, health);
        await (await buy(accounts.account, accounts.taker, 1n, wbtc)).wait();
        const after = await portfolios(world, accounts);
        expect(changes(before, after)).to.deep.equal({
          "account.cash": proceeds,
          "account.collaterals.WBTC": -1n,
          "taker.cash": -proceeds - toInsurance,
          "taker.collaterals.WBTC": 1n,
          "insurance.cash": toInsurance,
        });
        before = after;
      }
    });

    it("offers at most the cap, which health below 60% reaches", async () => {
      const accounts = { account: await borrower({ WETH: "10" }, "1600"), taker: await takerOf() };
      await world.push({ ETH: "180.5" });
      const before = await portfolios(world, accounts);
      const { healthWad = 0n } = before.accounts.account.health;
      expect(healthWad > 0n && healthWad < wad("0.6")).to.equal(true);
      const told = argsOf(await eventsOf(() => buy(accounts.account, accounts.taker)), "CollateralLiquidated");
      const value = floorDiv((told["amount"] ?? 0n) * wad("180.5"), WAD);
      expect(told["proceedsWad"]).to.equal(value - ceilDiv(value, 20n));
      expectHealthAtTarget(await healthOf(accounts.account));
    });

    it("may lift an account out of zero health, if it lifts its equity above zero", async () => {
      const accounts = { account: await borrower({ WETH: "10" }, "1600"), taker: await takerOf() };
      await world.push({ ETH: "177.5" }); // equity -2.5
      expect(await healthOf(accounts.account)).to.equal(0n);
      await (await buy(accounts.account, accounts.taker)).wait();
      expectHealthAtTarget(await healthOf(accounts.account));
    });

    describe("refuses", () => {
      it("a healthy account", async () => {
        const [account, taker] = [await borrower({ WETH: "10" }, "1600"), await takerOf()];
        await world.push({ ETH: "187" });
        await expectRevert(() => buy(account, taker), "AccountHealthy", {
          account,
          equityWad: wad("83"),
          requirementWad: wad("82"),
        });
      });

      it("an account without debt, with what it has", async () => {
        const account = await world.fund(owner, { USDC: "200", WETH: "0.01" });
        await (await world.as(owner)).trade(account, "ETH", "10");
        const taker = await takerOf();
        await world.push({ ETH: "185" });
        const { netCashWad, isLiquidatable } = await world.ballast.health(account);
        expect(isLiquidatable && netCashWad > 0n).to.equal(true);
        await expectRevert(() => buy(account, taker), "NoDebt", { account, netCashWad });
      });

      it("a collateral that the account does not hold, the settlement token, and one that is not listed", async () => {
        const [account, taker] = [await borrower({ WETH: "10" }, "1600"), await takerOf()];
        await world.push({ ETH: "186" });
        await expectRevert(() => buy(account, taker, everything, wbtc), "NoCollateral", { account, token: wbtc });
        await expectRevert(() => buy(account, taker, everything, usdc), "UnknownToken", { token: usdc });
        const unknown = stranger.address;
        await expectRevert(() => buy(account, taker, everything, unknown), "UnknownToken", { token: unknown });
      });

      it("a collateral whose price is stale", async () => {
        const [account, taker] = [await borrower({ WETH: "10" }, "1600"), await takerOf()];
        await world.push({ ETH: "186" });
        await letStale(96);
        await expectRevert(() => buy(account, taker), "StaleCollateralPrice", {
          token: weth,
          publishedAt: (at: bigint) => at > 0n,
          maxAge: 60n,
        });
      });

      it("a taker that the caller may not act for, the target itself, and nothing", async () => {
        const [account, taker] = [await borrower({ WETH: "10" }, "1600"), await takerOf()];
        await world.push({ ETH: "186" });
        for (const refused of [account, pool, insurance]) {
          await expectRevert(() => buy(account, refused), "NotAuthorized", { account: refused, caller: other.address });
        }
        for (const caller of [owner, stranger]) {
          const asCaller = vault.connect(caller);
          await expectRevert(() => asCaller.liquidateCollateral(account, weth, everything, taker), "NotAuthorized", {
            account: taker,
            caller: caller.address,
          });
        }
        const asOwner = vault.connect(owner);
        await expectRevert(() => asOwner.liquidateCollateral(account, weth, everything, account), "RewardToTarget", {
          account,
        });
        await expectRevert(() => buy(account, taker, 0n), "ZeroAmount");
      });

      it("the pool and the insurance as targets", async () => {
        const taker = await takerOf();
        for (const account of [pool, insurance]) {
          await expectRevert(() => buy(account, taker), "NotATarget", { account });
        }
      });

      it("what leaves health at zero", async () => {
        const [account, taker] = [await borrower({ WETH: "10" }, "1600"), await takerOf()];
        await world.push({ ETH: "177.5" });
        const refusal = { account, healthBeforeWad: 0n, healthAfterWad: 0n };
        await expectRevert(() => buy(account, taker, wad("0.1")), "HealthNotRaised", refusal);
        await world.push({ ETH: "150" });
        await expectRevert(() => buy(account, taker), "HealthNotRaised", refusal);
      });
    });

    describe("a taker must be able to bear what it takes", () => {
      it("borrowing to pay: up to initial margin, what it buys counted", async () => {
        const account = await borrower({ WETH: "10" }, "1600");
        await world.push({ ETH: "186" });
        const { proceeds, toInsurance, amount } = expectedSale(
          await portfolio(world, account),
          wethAt("186"),
          wad("10"),
        );
        const debt = proceeds + toInsurance;
        const poor = await takerOf({ WETH: "0.1" });
        await expectRevert(() => buy(account, poor), "InsufficientMargin", {
          account: poor,
          equityWad: floorDiv((amount + wad("0.1")) * wad("158.1"), WAD) - debt,
          requiredWad: ceilDiv(debt, 20n) + wad("2"),
        });
        const rich = await takerOf({ WETH: "0.3" }, 1);
        await (await buy(account, rich)).wait();
        expect((await portfolio(world, rich)).cash).to.equal(-debt);
      });

      it("without a debt below the minimum", async () => {
        const account = await borrower({ WETH: "10" }, "1600");
        await world.push({ ETH: "186" });
        const taker = await takerOf({ WETH: "1" });
        const healthWad = await healthOf(account);
        const { proceeds, toInsurance } = soldFor(wethAt("186"), wad("0.05"), healthWad);
        await expectRevert(() => buy(account, taker, wad("0.05")), "DebtBelowMinimum", {
          account: taker,
          debtWad: proceeds + toInsurance,
          minimumWad: wad("10"),
        });
        await (await buy(account, taker, wad("0.06"))).wait();
      });

      it("with fresh prices of all its positions, and none is asked for without position and debt", async () => {
        const account = await borrower({ WETH: "10" }, "1600");
        const [busy, free] = [await takerOf(), await takerOf({ USDC: "20000", WBTC: "0.1" }, 1)];
        await (await vault.trade(busy, 0n, wad("0.1"), 0n, noDeadline)).wait();
        await letStale(0, 97);
        await world.push({ ETH: "186" });
        await expectRevert(() => buy(account, busy), "StalePrices", { account: busy });
        await (await buy(account, free)).wait();
      });

      it("in at most eight kinds of collateral", async () => {
        const more = Array.from({ length: 7 }, (_, i) => ({
          symbol: `T${i}`,
          decimals: "6",
          asset: "ETH",
          weightInitial: "0.5",
          weightMaintenance: "0.6",
          concentrationStart: "1",
          discountBase: "0.01",
          discountSlope: "0.1",
          discountCap: "0.05",
        }));
        enter(
          await deployWorld(await hre.network.create(), (parameters) => ({
            ...withoutInterest(roundFigures(parameters)),
            collaterals: [...parameters.collaterals, ...more],
          })),
        );
        const account = await borrower({ WETH: "10" }, "1600");
        const eight = ["WBTC", ...more.map(({ symbol }) => symbol)];
        const taker = await takerOf({ USDC: "20000", ...Object.fromEntries(eight.map((symbol) => [symbol, "1"])) });
        await world.push({ ETH: "186" });
        await expectRevert(() => buy(account, taker), "TooManyAssets", { account: taker, maximum: 8n });
        await (await vault.withdraw(taker, wbtc, 100_000_000n, other.address)).wait();
        await (await buy(account, taker)).wait();
      });
    });
  });

  describe("of what the pool has absorbed", () => {
    /** The pool takes 10 WETH and 0.05 WBTC over, of a borrower below half of its maintenance margin; at 180 and 8,000, an hour ago. */
    beforeEach(async () => {
      const account = await borrower({ WETH: "10", WBTC: "0.05" }, "1935");
      await world.push({ ETH: "180" });
      expect((await healthOf(account)) < wad("0.5")).to.equal(true);
      await (await vault.connect(stranger).absorb([account], accountId(stranger.address))).wait();
      expect((await portfolio(world, pool)).collaterals).to.deep.equal({ WETH: wad("10"), WBTC: 5_000_000n });
      await world.passTime(3600);
      await world.refresh();
    });

    describe("its discount", () => {
      /** Absorbs 10 WETH more. */
      async function absorbTenMore() {
        await world.push({ ETH: "200" });
        const another = await borrower({ WETH: "10", WBTC: "0.05" }, "1935", 5);
        await world.push({ ETH: "180" });
        await (await vault.connect(stranger).absorb([another], accountId(stranger.address))).wait();
      }
      const asked = async () => vault.previewBuyCollateral(weth, wad("1"));

      it("is zero for what has just been absorbed, and what had all of it keeps just that together with the new", async () => {
        expect(await asked()).to.equal(wad("178.38")); // 180 * (1 + 0.1% - 1%)
        await world.passTime(5 * 3600);
        await world.refresh();
        await absorbTenMore();
        // Twenty now, for half the discount: 180 * (1 + 0.1% - 0.5%).
        const ask = await asked();
        expect(ask > wad("179.27") && ask <= wad("179.28"), String(ask)).to.equal(true);
      });

      it("rises with the time from there, and no further than its base", async () => {
        const buyer = await takerOf();
        await (await buyOf(buyer, wad("10"), everything)).wait();
        await absorbTenMore();
        const at = [await asked()];
        for (const seconds of [900, 900, 1800, 1800]) {
          await world.passTime(seconds);
          await world.refresh();
          at.push(await asked());
        }
        const exact = ["180.18", "179.73", "179.28", "178.38", "178.38"].map(wad);
        for (const [i, ask] of at.entries()) {
          const off = (exact[i] ?? 0n) - ask;
          expect(off >= 0n && off < wad("0.005"), `${i}: ${ask}`).to.equal(true);
        }
        expect(at[4]).to.equal(wad("178.38"));
      });
    });

    const buyOf = (buyer: AccountId, amount: bigint, most: bigint, token = weth) =>
      vault.buyCollateral(buyer, token, amount, most);

    /** 1 + tolerance 0.1% - discount base 1% */
    const costOf = ({ unit, price }: Token, amount: bigint) => ceilDiv(amount * price * 991n, unit * 1000n);

    it("costs its value less the base discount, and the tolerance on top, rounded up: WETH and WBTC, to anyone", async () => {
      const buyer = await takerOf();
      for (const [token, symbol, terms, amount] of [
        [weth, "WETH", wethAt("180"), wad("1.234567890123456789")],
        [wbtc, "WBTC", wbtcAt("8000"), 1_234_567n],
        [weth, "WETH", wethAt("180"), 1n],
      ] as const) {
        const cost = costOf(terms, amount);
        const before = await portfolios(world, { buyer });
        const [value] = await vault.poolValue();
        const events = await eventsOf(() => buyOf(buyer, amount, cost, token));
        expect(changes(before, await portfolios(world, { buyer }))).to.deep.equal({
          "buyer.cash": -cost,
          [`buyer.collaterals.${symbol}`]: amount,
          "pool.cash": cost,
          [`pool.collaterals.${symbol}`]: -amount,
        });
        expect(argsOf(events, "PoolCollateralSold")).to.deep.equal({ buyer, token, amount, costWad: cost });
        // In its value it stood at the weight, 90%.
        const [raised] = await vault.poolValue();
        expect(raised - value >= cost - ceilDiv(cost * 900n, 991n) && raised >= value, String(raised - value)).to.equal(
          true,
        );
      }
    });

    it("sells all it has, and forgets it", async () => {
      const buyer = await takerOf();
      await (await buyOf(buyer, wad("10"), everything)).wait();
      expect((await portfolio(world, pool)).collaterals).to.deep.equal({ WBTC: 5_000_000n });
      expect((await portfolio(world, buyer)).collaterals).to.deep.equal({ WETH: wad("10") });
      expect((await portfolio(world, buyer)).cash).to.equal(wad("20000") - wad("1783.8"));
      await (await vault.withdraw(buyer, weth, wad("10"), other.address)).wait();
    });

    it("keeps to the buyer's limit, to the wei", async () => {
      const buyer = await takerOf();
      const costWad = costOf(wethAt("180"), wad("1"));
      await expectRevert(() => buyOf(buyer, wad("1"), costWad - 1n), "CostAboveLimit", {
        costWad,
        maxCostWad: costWad - 1n,
      });
      await (await buyOf(buyer, wad("1"), costWad)).wait();
    });

    it("follows the discount's base and the tolerance", async () => {
      const buyer = await takerOf();
      await (await world.ballast.oracle.setPushFeed(96, wad("0.004"), 3600)).wait();
      await world.push({ ETH: "180" });
      const told = argsOf(await eventsOf(() => buyOf(buyer, wad("1"), everything)), "PoolCollateralSold");
      expect(told["costWad"]).to.equal(wad("178.92")); // 180 * (1 + 0.4% - 1%)
    });

    it("refuses more than the pool has, whatever it costs, and what it has none of", async () => {
      const buyer = await takerOf();
      await expectRevert(() => buyOf(buyer, wad("10") + 1n, everything), "InsufficientBalance", {
        account: pool,
        token: weth,
        asked: wad("10") + 1n,
        balance: wad("10"),
      });
      const most = 2n ** 256n - 1n;
      await expectRevert(() => buyOf(buyer, most, everything), "InsufficientBalance", {
        account: pool,
        token: weth,
        asked: most,
        balance: wad("10"),
      });
      await (await buyOf(buyer, wad("10"), everything)).wait();
      await expectRevert(() => buyOf(buyer, 1n, everything), "InsufficientBalance", {
        account: pool,
        token: weth,
        asked: 1n,
        balance: 0n,
      });
    });

    it("refuses nothing, a token that is not listed, a stale price, and a buyer that the caller may not act for", async () => {
      const buyer = await takerOf();
      await expectRevert(() => buyOf(buyer, 0n, everything), "ZeroAmount");
      await expectRevert(() => buyOf(buyer, 1n, everything, usdc), "UnknownToken", { token: usdc });
      await expectRevert(() => vault.connect(owner).buyCollateral(buyer, weth, 1n, everything), "NotAuthorized", {
        account: buyer,
        caller: owner.address,
      });
      await expectRevert(() => buyOf(pool, 1n, everything), "NotAuthorized", { account: pool, caller: other.address });
      await letStale(96);
      await expectRevert(() => buyOf(buyer, 1n, everything), "StaleCollateralPrice", {
        token: weth,
        publishedAt: (at: bigint) => at > 0n,
        maxAge: 60n,
      });
      await (await buyOf(buyer, 1n, everything, wbtc)).wait();
    });

    it("asks the buyer for initial margin, what it buys counted, and for no debt below the minimum", async () => {
      const buyer = await takerOf({ WBTC: "0.01" });
      const debt = costOf(wethAt("180"), wad("5"));
      await expectRevert(() => buyOf(buyer, wad("5"), everything), "InsufficientMargin", {
        account: buyer,
        equityWad: wad("68") + wad("765") - debt,
        requiredWad: ceilDiv(debt, 20n) + wad("2"),
      });
      const small = costOf(wethAt("180"), wad("0.05"));
      await expectRevert(() => buyOf(buyer, wad("0.05"), everything), "DebtBelowMinimum", {
        account: buyer,
        debtWad: small,
        minimumWad: wad("10"),
      });
      const before = await portfolios(world, { buyer });
      await (await buyOf(buyer, wad("1"), everything)).wait();
      const after = await portfolios(world, { buyer });
      expect(after.accounts.buyer.cash).to.equal(-costOf(wethAt("180"), wad("1")));
      expect(after.accounts.pool.cash - before.accounts.pool.cash).to.equal(costOf(wethAt("180"), wad("1")));
      expect(after.tokens).to.deep.equal(before.tokens);
    });
  });

  it("serves an account with a position and a debt from both ends: the position to one taker, collateral to another", async () => {
    const account = await world.fund(owner, { WETH: "10" });
    await (await world.as(owner)).withdraw(account, "USDC", "1000");
    await (await world.as(owner)).trade(account, "ETH", "30");
    const [first, second] = [await takerOf(), await takerOf({ USDC: "20000" }, 1)];
    await world.push({ ETH: "185" });
    const before = await healthOf(account);
    expect(before > wad("0.5") && before < WAD, String(before)).to.equal(true);
    await (await buy(account, first, wad("0.5"))).wait();
    const between = await healthOf(account);
    expect(between > before && between < WAD, String(between)).to.equal(true);
    await (await vault.liquidatePosition(account, ETH, everything, second)).wait();
    const health = await healthOf(account);
    expect(abs(health - target) < 10n ** 9n, String(health)).to.equal(true);
  });
});
