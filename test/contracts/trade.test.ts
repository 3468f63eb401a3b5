import { expect } from "chai";
import hre from "hardhat";

import { type Connection, marketParameters } from "../../ignition/deploy.js";
import { type AccountId, WAD } from "../../sdk/index.js";
import { MarginVault__factory } from "../../typechain-types/index.js";
import { type FillTerms, abs, feeOf, floorDiv, generalRequirement, legRequirement, quote } from "../helpers/model.js";
import { changes, portfolio, portfolios, unowed } from "../helpers/portfolio.js";
import { expectRevert } from "../helpers/revert.js";
import { type Signer, type World, deployWorld, roundFigures, thinEth, wad } from "../helpers/world.js";

const noDeadline = 2n ** 64n;
const ETH = 1n;

describe("contracts/MarginVault: trade", () => {
  let connection: Connection;
  let world: World;
  let owner: Signer;
  let other: Signer;
  let account: AccountId;
  let second: AccountId;
  let vault: World["ballast"]["vault"];

  async function quiet() {
    return deployWorld(connection, roundFigures);
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    world = await connection.networkHelpers.loadFixture(quiet);
    [owner, other] = world.signers as [Signer, Signer];
    account = await world.fund(owner, { USDC: "100000" });
    second = await world.fund(other, { USDC: "100000" });
    vault = MarginVault__factory.connect(world.deployment.vault, owner);
  });

  const trade = (size: string, limit = "0", market = ETH) =>
    vault.trade(account, market, wad(size), wad(limit), noDeadline);
  const tradeOther = async (size: string, market = "ETH") => (await world.as(other)).trade(second, market, size);

  /** Rates of ETH with its tolerance of 0.1%. */
  function terms(price: string, skewScale = "8000000"): FillTerms {
    return { price: wad(price), skewScale: wad(skewScale), taker: wad("0.0015"), maker: wad("0.0012") };
  }

  /** A tenth of the fees, in whole millionths, is the insurance account's. */
  function insuranceShare(fee: bigint): bigint {
    return (fee / 10n / 10n ** 12n) * 10n ** 12n;
  }

  async function setMarket(symbol: string, change: Partial<ReturnType<typeof marketParameters>>) {
    const id = world.ballast.marketId(symbol);
    const market = world.parameters.markets[id];
    if (market === undefined) throw new TypeError(symbol);
    await (await world.ballast.vault.setMarketParameters(id, { ...marketParameters(market), ...change })).wait();
  }

  async function letStale(...assets: number[]) {
    for (const asset of assets) await (await world.ballast.oracle.setPushFeed(asset, wad("0.001"), 60)).wait();
    await world.passTime(61);
  }

  describe("figures", () => {
    it("opens a long at the average price of its own impact, the fee in its cost, and the pool opposite", async () => {
      const before = await portfolios(world, { account });
      const from = (await connection.ethers.provider.getBlockNumber()) + 1;
      await (await trade("10")).wait();
      // 10 * 200 * (1 + 5 / 8,000,000), and 0.05% + 0.1% of it
      const [paid, fee] = [wad("2000.00125"), wad("3.000001875")];
      expect([quote(terms("200"), 0n, wad("10")), feeOf(terms("200"), 0n, wad("10"))]).to.deep.equal([paid, fee]);
      const after = await portfolios(world, { account });
      expect(changes(before, after)).to.deep.equal({
        "account.positions.ETH.size": wad("10"),
        "account.positions.ETH.cost": paid + fee,
        "pool.positions.ETH.size": -wad("10"),
        "pool.positions.ETH.cost": -paid - (fee - wad("0.3")),
        "fees.ETH": wad("0.3"),
      });
      expect(after.accounts.account.positions.ETH?.value).to.equal(wad("2000") - paid - fee);
      const [told] = (await world.ballast.events(from)).filter(({ name }) => name === "Traded");
      expect(told?.args).to.deep.equal({
        account,
        market: ETH,
        sizeDeltaWad: wad("10"),
        fillPriceWad: wad("200.000125"),
        feeWad: fee,
        realizedWad: 0n,
      });
    });

    it("opens a short below the price", async () => {
      const before = await portfolios(world, { account });
      await (await trade("-10")).wait();
      const [paid, fee] = [-wad("1999.99875"), wad("2.999998125")];
      expect([quote(terms("200"), 0n, -wad("10")), feeOf(terms("200"), 0n, -wad("10"))]).to.deep.equal([paid, fee]);
      expect(changes(before, await portfolios(world, { account }))).to.deep.equal({
        "account.positions.ETH.size": -wad("10"),
        "account.positions.ETH.cost": paid + fee,
        "pool.positions.ETH.size": wad("10"),
        "pool.positions.ETH.cost": -paid - (fee - wad("0.299999")),
        "fees.ETH": wad("0.299999"),
      });
    });

    it("requires initial and maintenance margin of size and notional, and half a gain for opening", async () => {
      await (await trade("40")).wait();
      await world.push({ ETH: "210" });
      const { health, positions, cash } = await portfolio(world, account);
      const value = positions.ETH?.value ?? 0n;
      const cost = quote(terms("200"), 0n, wad("40")) + feeOf(terms("200"), 0n, wad("40"));
      expect(value).to.equal(wad("8400") - cost);
      expect(cash).to.equal(wad("100000"));
      const scale = wad("8000000");
      expect(health.requirementMaintenanceWad).to.equal(
        legRequirement(wad("40"), wad("210"), wad("0.03"), WAD, scale) + wad("2"),
      );
      expect(health.requirementInitialWad).to.equal(
        legRequirement(wad("40"), wad("210"), wad("0.05"), wad("1.5"), scale) + wad("2"),
      );
      expect(health.equityMaintenanceWad).to.equal(cash + value);
      expect(health.equityInitialWad).to.equal(cash + value / 2n);
      await world.push({ ETH: "190" });
      const { health: lower, positions: down } = await portfolio(world, account);
      expect(down.ETH?.value).to.equal(wad("7600") - cost);
      expect(lower.equityInitialWad).to.equal(cash + (down.ETH?.value ?? 0n));
    });

    it("adds to a position at another price: costs add up, nothing is realised", async () => {
      await (await trade("10")).wait();
      await world.push({ ETH: "240" });
      const before = await portfolios(world, { account });
      await (await trade("6")).wait();
      const [paid, fee] = [quote(terms("240"), wad("10"), wad("6")), feeOf(terms("240"), wad("10"), wad("6"))];
      expect(paid).to.equal(wad("1440.00234")); // 6 * 240 * (1 + 13 / 8,000,000)
      expect(changes(before, await portfolios(world, { account }))).to.deep.equal({
        "account.positions.ETH.size": wad("6"),
        "account.positions.ETH.cost": paid + fee,
        "pool.positions.ETH.size": -wad("6"),
        "pool.positions.ETH.cost": -paid - (fee - insuranceShare(fee)),
        "fees.ETH": insuranceShare(fee),
      });
    });

    it("reduces at average cost and realises the rest into cash, out of the pool's", async () => {
      await (await trade("10")).wait();
      await world.push({ ETH: "240" });
      const before = await portfolios(world, { account });
      await (await trade("-4")).wait();
      const proceeds = -quote(terms("240"), wad("10"), -wad("4"));
      const fee = feeOf(terms("240"), wad("10"), -wad("4"));
      expect([proceeds, fee]).to.deep.equal([wad("960.00096"), wad("1.152001152")]); // 240 * (1 + 8 / 8,000,000), maker
      const costShare = ((before.accounts.account.positions.ETH?.cost ?? 0n) * 4n) / 10n;
      const realized = proceeds - fee - costShare;
      expect(realized > 0n).to.equal(true);
      expect(changes(before, await portfolios(world, { account }))).to.deep.equal({
        "account.cash": realized,
        "account.positions.ETH.size": -wad("4"),
        "account.positions.ETH.cost": -costShare,
        "pool.cash": -realized,
        "pool.positions.ETH.size": wad("4"),
        "pool.positions.ETH.cost": proceeds - (fee - insuranceShare(fee)) - realized,
        "fees.ETH": insuranceShare(fee),
      });
    });

    it("closes a position of one that lost: the loss leaves its cash, and nothing of the position stays", async () => {
      await (await trade("-10")).wait();
      await world.push({ ETH: "240" });
      const before = await portfolios(world, { account });
      await (await trade("10")).wait();
      const paid = quote(terms("240"), -wad("10"), wad("10"));
      const fee = feeOf(terms("240"), -wad("10"), wad("10"));
      const cost = before.accounts.account.positions.ETH?.cost ?? 0n;
      const after = await portfolios(world, { account });
      expect(changes(before, after)).to.deep.equal({
        "account.cash": -cost - paid - fee,
        "account.positions.ETH.size": wad("10"),
        "account.positions.ETH.cost": -cost,
        "pool.cash": cost + paid + fee,
        "pool.positions.ETH.size": -wad("10"),
        "pool.positions.ETH.cost": -paid - (fee - insuranceShare(fee)) + cost + paid + fee,
        "fees.ETH": insuranceShare(fee),
      });
      expect(after.accounts.account.positions).to.deep.equal({});
      expect(after.accounts.account.health.healthWad).to.equal(undefined);
      // Nobody is left. The pool earned the fees less the insurance account's share, and what the trader lost to the price:
      // 40 a unit, 0.00125 of impact on the way in, and 0.0015 back on the way out.
      const pool = after.accounts.pool;
      const earned = pool.cash - wad("10000000") - (pool.positions.ETH?.cost ?? 0n);
      const opening = feeOf(terms("200"), 0n, -wad("10"));
      expect(earned).to.equal(opening - insuranceShare(opening) + fee - insuranceShare(fee) + wad("399.99975"));
    });

    it("turns a position over: closes it, then opens the other way, each part at its own rate and price", async () => {
      await (await trade("10")).wait();
      await (
        await tradeOther("4")
      ).logs;
      await world.push({ ETH: "160" });
      const before = await portfolios(world, { account, second });
      await (await trade("-25")).wait();
      // Skew 14: closing 10 (maker) leaves 4, opening the next 4 short brings it to 0 (maker), the last 11 grow it (taker).
      const at = terms("160");
      const closing = -quote(at, wad("14"), -wad("10"));
      const [firstPart, lastPart] = [-quote(at, wad("4"), -wad("4")), -quote(at, 0n, -wad("11"))];
      const fees = [(closing * at.maker) / WAD, (firstPart * at.maker) / WAD, (lastPart * at.taker) / WAD] as const;
      const fee = fees[0] + fees[1] + fees[2];
      expect(feeOf(at, wad("14"), -wad("25"))).to.equal(fee);
      const cost = before.accounts.account.positions.ETH?.cost ?? 0n;
      const realized = closing - fees[0] - cost;
      expect(realized < 0n).to.equal(true);
      const opened = -firstPart - lastPart + fees[1] + fees[2];
      expect(changes(before, await portfolios(world, { account, second }))).to.deep.equal({
        "account.cash": realized,
        "account.positions.ETH.size": -wad("25"),
        "account.positions.ETH.cost": opened - cost,
        "pool.cash": -realized,
        "pool.positions.ETH.size": wad("25"),
        "pool.positions.ETH.cost": closing + firstPart + lastPart - (fee - insuranceShare(fee)) - realized,
        "fees.ETH": insuranceShare(fee),
      });
    });

    it("costs the same total, fees apart, however a trade is cut, and no less in fees", async () => {
      await (
        await tradeOther("-30")
      ).logs;
      const start = await connection.networkHelpers.takeSnapshot();
      const begin = await portfolios(world, { account, second });
      await (await trade("50")).wait();
      const whole = changes(begin, await portfolios(world, { account, second }));
      await start.restore();
      for (const part of ["7", "13", "10", "20"]) await (await trade(part)).wait();
      const cut = changes(begin, await portfolios(world, { account, second }));
      // Cut where the skew passes zero (30), so that fees are the same too; but for rounding of fees to whole millionths.
      const total = (books: Readonly<Record<string, bigint>>) => books["account.positions.ETH.cost"] ?? 0n;
      expect(total(cut) - total(whole) >= 0n && total(cut) - total(whole) < 10n).to.equal(true);
      expect((await unowed(world, await portfolios(world, { account, second }))) >= wad("3")).to.equal(true);
    });

    it("charges the taker rate on what grows the skew and the maker rate on what lowers it", async () => {
      await (
        await tradeOther("20")
      ).logs;
      const before = await portfolios(world, { account });
      await (await trade("-20")).wait();
      const change = changes(before, await portfolios(world, { account }));
      const proceeds = wad("4000.005"); // 20 * 200 * (1 + 10 / 8,000,000)
      expect(change["account.positions.ETH.cost"]).to.equal(-proceeds + (proceeds * wad("0.0012")) / WAD);
    });
  });

  describe("bounds that the trader sets", () => {
    it("buys at the limit and not above it", async () => {
      await expectRevert(() => trade("10", "200.000124999999999999"), "LimitExceeded", {
        fillPriceWad: wad("200.000125"),
        limitPriceWad: wad("200.000124999999999999"),
      });
      await (await trade("10", "200.000125")).wait();
    });

    it("sells at the limit and not below it", async () => {
      await expectRevert(() => trade("-10", "199.999875000000000001"), "LimitExceeded", {
        fillPriceWad: wad("199.999875"),
        limitPriceWad: wad("199.999875000000000001"),
      });
      await (await trade("-10", "199.999875")).wait();
    });

    it("trades until the deadline and not after it", async () => {
      const { time } = connection.networkHelpers;
      const deadline = BigInt(await time.latest()) + 100n;
      await time.setNextBlockTimestamp(deadline);
      await (await vault.trade(account, ETH, wad("1"), 0n, deadline)).wait();
      await time.setNextBlockTimestamp(deadline + 1n);
      await expectRevert(() => vault.trade(account, ETH, wad("1"), 0n, deadline), "DeadlinePassed", {
        deadline,
        blockTime: deadline + 1n,
      });
    });

    it("refuses a size of zero", async () => {
      await expectRevert(() => trade("0"), "ZeroAmount");
    });

    it("refuses a market that is not listed", async () => {
      await expectRevert(() => trade("1", "0", 3n), "UnknownMarket", { market: 3n });
    });

    it("refuses anybody but the owner", async () => {
      await expectRevert(() => vault.connect(other).trade(account, ETH, wad("1"), 0n, noDeadline), "NotAuthorized", {
        account,
        caller: other.address,
      });
    });
  });

  describe("sizes", () => {
    it("opens the minimum and nothing smaller", async () => {
      await expectRevert(() => trade("0.049999999999999999"), "PositionBelowMinimum", {
        market: ETH,
        sizeWad: wad("0.05") - 1n,
        minimumWad: wad("0.05"),
      });
      await (await trade("0.05")).wait();
      await (await trade("0.000000000000000001")).wait();
    });

    it("INV-29: leaves the minimum, or nothing", async () => {
      await (await trade("-1")).wait();
      await expectRevert(() => trade("0.950000000000000001"), "PositionBelowMinimum", {
        market: ETH,
        sizeWad: wad("0.05") - 1n,
        minimumWad: wad("0.05"),
      });
      await expectRevert(() => trade("1.01"), "PositionBelowMinimum", {
        market: ETH,
        sizeWad: wad("0.01"),
        minimumWad: wad("0.05"),
      });
      await (await trade("0.95")).wait();
      await (await trade("0.05")).wait();
      expect((await portfolio(world, account)).positions).to.deep.equal({});
    });

    it("INV-30: keeps each side's open interest, the pool's not counted, within the cap", async () => {
      await setMarket("ETH", { openInterestCapWad: wad("20") });
      await (await trade("15")).wait();
      await (
        await tradeOther("5")
      ).logs;
      await expectRevert(() => trade("0.000000001"), "OpenInterestCapExceeded", {
        market: ETH,
        openInterestWad: wad("20.000000001"),
        capWad: wad("20"),
      });
      // The pool is short of 20, and a short of 20 more is within the cap of its own side.
      const third = await world.fund(other, { USDC: "10000" }, 1);
      const client = await world.as(other);
      await client.trade(third, "ETH", "-20");
      await expectRevert(() => client.trade(third, "ETH", "-0.000000001"), "OpenInterestCapExceeded", {
        market: ETH,
        openInterestWad: wad("20.000000001"),
        capWad: wad("20"),
      });
      await (await trade("-15")).wait();
    });

    it("lets a position be closed after the cap came down on it", async () => {
      await (await trade("15")).wait();
      await setMarket("ETH", { openInterestCapWad: wad("1") });
      await (await trade("-2")).wait();
      await expectRevert(() => trade("1"), "OpenInterestCapExceeded", {
        market: ETH,
        openInterestWad: wad("14"),
        capWad: wad("1"),
      });
      await (await trade("-13")).wait();
    });

    it("INV-30: opens only against the market's share of the pool's capital", async () => {
      await setMarket("ETH", { capitalShareWad: wad("0.0001") });
      // 0.01% of 10,000,000 backs 1000 of initial base, 5% of 100 ETH at 200.
      await (await trade("60")).wait();
      await (
        await tradeOther("40")
      ).logs;
      await expectRevert(() => trade("0.05"), "PoolCapitalExceeded", {
        market: ETH,
        neededWad: wad("1000.5"),
        availableWad: wad("1000"),
      });
      const third = await world.fund(other, { USDC: "10000" }, 1);
      const client = await world.as(other);
      await client.trade(third, "ETH", "-100");
      await expectRevert(() => client.trade(third, "ETH", "-0.05"), "PoolCapitalExceeded", {
        market: ETH,
        neededWad: wad("1000.5"),
        availableWad: wad("1000"),
      });
      await (await trade("-60")).wait();
    });

    it("measures against the checkpoint of the capital, until somebody takes a new one", async () => {
      await setMarket("ETH", { capitalShareWad: wad("0.0001") });
      const winner = await world.fund(other, { USDC: "1000000" }, 1);
      await (await world.as(other)).trade(winner, "LINK", "1000000");
      await world.push({ LINK: "5" }); // a million that the pool has lost
      await (await trade("99.95")).wait();
      await (await vault.refreshCapital()).wait();
      const capital = (await vault.capital()) & (2n ** 128n - 1n);
      expect(capital < wad("9100000") && capital > wad("8900000"), String(capital)).to.equal(true);
      await expectRevert(() => trade("0.05"), "PoolCapitalExceeded", {
        market: ETH,
        neededWad: wad("1000"),
        availableWad: capital / 10_000n,
      });
    });

    it("opens nothing against a checkpoint that is too old, and closes", async () => {
      await (await trade("10")).wait();
      await world.passTime(3000);
      await world.push({ ETH: "200" });
      await (await trade("1")).wait();
      await world.passTime(700);
      await world.push({ ETH: "200" });
      const takenAt = ((await vault.capital()) >> 128n) & (2n ** 40n - 1n);
      await expectRevert(() => trade("1"), "CapitalCheckpointStale", { takenAt, maxAge: 3600n });
      await expectRevert(() => trade("-22"), "CapitalCheckpointStale", { takenAt, maxAge: 3600n });
      await (await trade("-2")).wait();
      await (await vault.refreshCapital()).wait();
      await (await trade("2")).wait();
    });
  });

  describe("prices", () => {
    it("neither opens nor closes in a market whose price is stale", async () => {
      await (await trade("10")).wait();
      await letStale(1);
      const [word] = await world.ballast.oracle.lastPrices(2n);
      const publishedAt = ((word ?? 0n) >> 160n) & (2n ** 40n - 1n);
      for (const size of ["1", "-1", "-10"]) {
        await expectRevert(() => trade(size), "StaleMarketPrice", { market: ETH, publishedAt, maxAge: 60n });
      }
      await world.push({ ETH: "200" });
      await (await trade("-10")).wait();
    });

    it("with a stale price of another market closes and reduces, but opens nothing", async () => {
      await (await trade("10")).wait();
      await (await trade("1", "0", 0n)).wait();
      await letStale(0);
      await expectRevert(() => trade("1"), "StalePrices", { account });
      await expectRevert(() => trade("-20"), "StalePrices", { account });
      await (await trade("-1")).wait();
      await (await trade("-9")).wait();
    });

    it("counts a collateral without a fresh price for nothing when it opens, and for maintenance as before", async () => {
      const poor = await world.fund(owner, { WETH: "10", USDC: "100" }, 3);
      const open = (size: string) => vault.trade(poor, 0n, wad(size), 0n, noDeadline);
      await (await open("0.1")).wait();
      await letStale(96);
      const { health, positions } = await portfolio(world, poor);
      expect(health.equityMaintenanceWad).to.equal(wad("1900") + (positions.BTC?.value ?? 0n));
      expect(health.equityInitialWad).to.equal(wad("100") + (positions.BTC?.value ?? 0n));
      const at: FillTerms = {
        price: wad("8000"),
        skewScale: wad("200000"),
        taker: wad("0.0015"),
        maker: wad("0.0012"),
      };
      const cost = quote(at, 0n, wad("0.3")) + feeOf(at, 0n, wad("0.1")) + feeOf(at, wad("0.1"), wad("0.2"));
      const required = legRequirement(wad("0.3"), wad("8000"), wad("0.05"), wad("1.5"), wad("200000")) + wad("2");
      await expectRevert(() => open("0.2"), "InsufficientMargin", {
        account: poor,
        equityWad: wad("2500") - cost,
        requiredWad: required,
      });
      await world.push({ ETH: "200" });
      await (await open("0.2")).wait();
    });
  });

  describe("margin", () => {
    it("INV-25: opens up to the initial margin and not beyond it, with the figures", async () => {
      const poor = await world.fund(owner, { USDC: "102" }, 5);
      const open = (size: string) => vault.trade(poor, ETH, wad(size), 0n, noDeadline);
      // 102 - 0.3 * size (impact aside) = 10 * size + 2: 9.7 ETH
      const size = wad("9.71");
      const cost = quote(terms("200"), 0n, size) + feeOf(terms("200"), 0n, size);
      await expectRevert(() => open("9.71"), "InsufficientMargin", {
        account: poor,
        equityWad: wad("102") + wad("1942") - cost,
        requiredWad: legRequirement(size, wad("200"), wad("0.05"), wad("1.5"), wad("8000000")) + wad("2"),
      });
      await (await open("9.7")).wait();
      const { freeMarginWad } = await world.ballast.health(poor);
      expect(freeMarginWad > 0n && freeMarginWad < wad("0.1"), String(freeMarginWad)).to.equal(true);
    });

    it("asks a flip for initial margin, as an opening", async () => {
      const poor = await world.fund(owner, { USDC: "60" }, 5);
      const open = (size: string) => vault.trade(poor, ETH, wad(size), 0n, noDeadline);
      await (await open("5")).wait();
      await world.push({ ETH: "194" });
      const at = terms("194");
      const [closing, opening] = [-quote(at, wad("5"), -wad("5")), -quote(at, 0n, -wad("6"))];
      const fee = feeOf(at, wad("5"), -wad("11"));
      const cost = quote(terms("200"), 0n, wad("5")) + feeOf(terms("200"), 0n, wad("5"));
      const equity = wad("60") + closing + opening - fee - cost - wad("1164");
      await expectRevert(() => open("-11"), "InsufficientMargin", {
        account: poor,
        equityWad: equity,
        requiredWad: legRequirement(wad("6"), wad("194"), wad("0.05"), wad("1.5"), wad("8000000")) + wad("2"),
      });
      await (await open("-5")).wait();
    });

    it("lets an account below its initial requirement reduce, and so raise its health", async () => {
      const poor = await world.fund(owner, { USDC: "102" }, 5);
      const move = (size: string) => vault.trade(poor, ETH, wad(size), 0n, noDeadline);
      await (await move("9")).wait();
      for (const [price, liquidatable] of [
        ["196", false],
        ["194", true],
      ] as const) {
        await world.push({ ETH: price });
        const before = await world.ballast.health(poor);
        expect(before.freeMarginWad < 0n).to.equal(true);
        expect(before.isLiquidatable).to.equal(liquidatable);
        await expectRevert(() => move("0.000000001"), "InsufficientMargin", {
          account: poor,
          equityWad: () => true,
          requiredWad: () => true,
        });
        await (await move("-1")).wait();
        const after = await world.ballast.health(poor);
        expect((after.healthWad ?? 0n) > (before.healthWad ?? 0n)).to.equal(true);
        expect(after.freeMarginWad < 0n).to.equal(true);
      }
      await (await move("-7")).wait();
      expect((await portfolio(world, poor)).positions).to.deep.equal({});
    });
  });

  describe("reductions in a thin market", () => {
    let thin: World;
    let thinVault: World["ballast"]["vault"];

    async function thinWorld() {
      return deployWorld(thinConnection, thinEth);
    }

    let thinConnection: Connection;
    before(async () => {
      thinConnection = await hre.network.create();
    });

    beforeEach(async () => {
      thin = await thinConnection.networkHelpers.loadFixture(thinWorld);
      [owner, other] = thin.signers as [Signer, Signer];
      thinVault = MarginVault__factory.connect(thin.deployment.vault, owner);
    });

    const thinTerms = (price: string) => terms(price, "8000");

    /** Others short of 220 ETH, and a short of 10 with this cash: to close it, it must buy 2.7% above the price. */
    async function squeezed(cash: string): Promise<AccountId> {
      const whale = await thin.fund(other, { USDC: "1000000" });
      const small = await thin.fund(owner, { USDC: cash });
      await thinVault.trade(small, ETH, wad("10"), 0n, noDeadline);
      await (await thin.as(other)).trade(whale, "ETH", "-229");
      return small;
    }

    it("INV-26: refuses one that would leave a bankrupt, with what would be missing", async () => {
      const small = await squeezed("200");
      // A long of 10 against a skew of -219: selling costs 2.7%, and the fee. The price leaves 50 of equity.
      const cost = quote(thinTerms("200"), 0n, wad("10")) + feeOf(thinTerms("200"), 0n, wad("10"));
      await thin.push({ ETH: "185.5" });
      const at = thinTerms("185.5");
      const before = await portfolios(thin, { small });
      expect(before.accounts.small.health.equityMaintenanceWad).to.equal(wad("200") + wad("1855") - cost);
      expect(before.accounts.small.health.equityMaintenanceWad > 0n).to.equal(true);
      const left = wad("200") - quote(at, -wad("219"), -wad("10")) - feeOf(at, -wad("219"), -wad("10")) - cost;
      expect(left < 0n).to.equal(true);
      await expectRevert(() => thinVault.trade(small, ETH, -wad("10"), 0n, noDeadline), "ReductionBankrupts", {
        account: small,
        equityWad: left,
      });
      expect(await portfolios(thin, { small })).to.deep.equal(before);
    });

    it("INV-26: refuses one that would lower the health of an account at margin call", async () => {
      const small = await squeezed("290");
      await thin.push({ ETH: "175.8" });
      const at = thinTerms("175.8");
      const before = await portfolio(thin, small);
      expect(before.health.freeMarginWad < 0n).to.equal(true);
      const [cash, cost] = [before.cash, before.positions.ETH?.cost ?? 0n];
      expect(cash).to.equal(wad("290"));
      // Sells 4 of 10 far below the price.
      const realized = -quote(at, -wad("219"), -wad("4")) - feeOf(at, -wad("219"), -wad("4")) - (cost * 4n) / 10n;
      const value = wad("1054.8") - (cost * 6n) / 10n;
      const equity = cash + realized + value;
      expect(equity > 0n).to.equal(true);
      const required =
        legRequirement(wad("6"), wad("175.8"), wad("0.03"), WAD, wad("8000")) + generalRequirement(equity);
      await expectRevert(() => thinVault.trade(small, ETH, -wad("4"), 0n, noDeadline), "ReductionLowersHealth", {
        account: small,
        healthBeforeWad: before.health.healthWad,
        healthAfterWad: floorDiv(equity * WAD, required),
      });
      // With more cash behind it, the same cut raises health.
      await thin.fund(owner, { USDC: "1000" });
      await (await thinVault.trade(small, ETH, -wad("4"), 0n, noDeadline)).wait();
      expect((await thin.ballast.position(small, "ETH")).sizeWad).to.equal(wad("6"));
    });
  });

  it("refuses a seventeenth market, and trades on in the sixteen", async () => {
    const many = await deployWorld(await hre.network.create(), (parameters) => {
      const [first] = parameters.markets;
      if (first === undefined) throw new TypeError("no market");
      const rest = Array.from({ length: 14 }, (_, i) => ({ ...first, symbol: `M${i + 3}` }));
      return { ...parameters, markets: [...parameters.markets, ...rest] };
    });
    expect(many.deployment.markets.length).to.equal(17);
    const [someone] = many.signers as [Signer];
    const full = await many.fund(someone, { USDC: "100000" });
    const client = await many.as(someone);
    for (let id = 0; id < 16; id += 1) await client.trade(full, many.deployment.markets[id]?.symbol ?? "", "3");
    const before = await portfolios(many, { full });
    const last = many.deployment.markets[16]?.symbol ?? "";
    await expectRevert(() => client.trade(full, last, "3"), "TooManyAssets", { account: full, maximum: 16n });
    expect(Object.keys((await portfolio(many, full)).positions).length).to.equal(16);
    expect(changes(before, await portfolios(many, { full }))).to.deep.equal({});
    await client.trade(full, "BTC", "1");
    await client.trade(full, "BTC", "-4");
    await client.trade(full, last, "3");
    expect(abs((await client.position(full, last)).sizeWad)).to.equal(wad("3"));
  });
});
