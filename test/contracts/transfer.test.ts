import { expect } from "chai";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import { type AccountId, type BallastEvent, accountId, parseDecimal } from "../../sdk/index.js";
import { type MarginVault, MarginVault__factory, MockToken__factory } from "../../typechain-types/index.js";
import { ceilDiv } from "../helpers/model.js";
import { changes, portfolio, portfolios, unowed } from "../helpers/portfolio.js";
import { expectRevert } from "../helpers/revert.js";
import { type Signer, type World, deployWorld, roundFigures, wad, withoutInterest } from "../helpers/world.js";

const BTC = 0n;
const ETH = 1n;
const noDeadline = 2n ** 64n;

describe("contracts/MarginVault: transfers and modes", () => {
  let connection: Connection;
  let world: World;
  let owner: Signer;
  let stranger: Signer;
  let account: AccountId;
  let second: AccountId;
  let others: AccountId;
  let vault: MarginVault;
  let usdc: string;
  let weth: string;
  let wbtc: string;

  async function quiet() {
    return deployWorld(connection, (parameters) => withoutInterest(roundFigures(parameters)));
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    world = await connection.networkHelpers.loadFixture(quiet);
    [owner, stranger] = world.signers as [Signer, Signer];
    [account, second, others] = [accountId(owner.address), accountId(owner.address, 1), accountId(stranger.address)];
    vault = MarginVault__factory.connect(world.deployment.vault, owner);
    usdc = world.deployment.settlementToken.address;
    [weth, wbtc] = world.deployment.collaterals.map(({ address }) => address) as [string, string];
  });

  const all = () => portfolios(world, { account, second, others });

  const raw = (amount: string) => parseDecimal(amount, 6);

  async function eventsOf(act: () => Promise<{ wait(): Promise<unknown> }>): Promise<BallastEvent[]> {
    const from = (await world.ballast.provider.getBlockNumber()) + 1;
    await (await act()).wait();
    return world.ballast.events(from);
  }

  async function letStale(...assets: number[]) {
    for (const asset of assets) await (await world.ballast.oracle.setPushFeed(asset, wad("0.001"), 60)).wait();
    await world.passTime(61);
  }

  describe("a transfer between accounts of one owner", () => {
    it("moves cash and collateral inside the vault, of 6, 18 and 8 decimals, and no token", async () => {
      await world.fund(owner, { USDC: "100", WETH: "2", WBTC: "0.5" });
      const before = await all();
      await (await vault.transfer(account, second, usdc, 30_000_001n)).wait();
      await (await vault.transfer(account, second, weth, wad("0.5") + 1n)).wait();
      await (await vault.transfer(account, second, wbtc, 12_345_678n)).wait();
      const after = await all();
      expect(changes(before, after)).to.deep.equal({
        "account.cash": -wad("30.000001"),
        "second.cash": wad("30.000001"),
        "account.collaterals.WETH": -wad("0.5") - 1n,
        "second.collaterals.WETH": wad("0.5") + 1n,
        "account.collaterals.WBTC": -12_345_678n,
        "second.collaterals.WBTC": 12_345_678n,
      });
      expect(await unowed(world, after)).to.equal(wad("3"));
    });

    it("asks nothing of the least amount: a unit of cash, and a collateral that the receiver does not hold", async () => {
      await world.fund(owner, { USDC: "100", WETH: "2" });
      await (await vault.transfer(account, second, usdc, 1n)).wait();
      await (await vault.transfer(account, second, weth, 1n)).wait();
      expect(await vault.cash(second)).to.equal(10n ** 12n);
      expect(await vault.collateral(second, weth)).to.equal(1n);
    });

    it("says who gave what to whom, and the words as stored", async () => {
      await world.fund(owner, { USDC: "100" });
      const told = (await eventsOf(() => vault.transfer(account, second, usdc, raw("40")))).map(({ name, args }) => ({
        name,
        ...args,
      }));
      expect(told).to.deep.equal([
        { name: "AccountChanged", account, word: wad("60") },
        { name: "AccountChanged", account: second, word: wad("40") },
        { name: "Transferred", from: account, to: second, token: usdc, amount: raw("40") },
      ]);
    });

    it("forgets a collateral of which all has gone, and the account that it was all of", async () => {
      await world.fund(owner, { WETH: "2" });
      await (await vault.transfer(account, second, weth, wad("2"))).wait();
      expect(await vault.accountWord(account)).to.equal(0n);
      expect((await portfolio(world, second)).collaterals).to.deep.equal({ WETH: wad("2") });
    });

    it("leaves the deposit cap and the tokens counted as they are, so that all can be withdrawn again", async () => {
      await world.fund(owner, { USDC: "100", WETH: "2" });
      const [, word] = await vault.collateralAt(0n);
      const [, , held] = await vault.totals();
      await (await vault.transfer(account, second, weth, wad("2"))).wait();
      await (await vault.transfer(account, second, usdc, raw("100"))).wait();
      expect((await vault.collateralAt(0n)).word).to.equal(word);
      expect((await vault.totals()).cashHeld).to.equal(held);
      await (await vault.withdraw(second, weth, wad("2"), owner.address)).wait();
      await (await vault.withdraw(second, usdc, raw("100"), owner.address)).wait();
      expect((await vault.totals()).cashHeld).to.equal(held - raw("100"));
      expect(await vault.accountWord(second)).to.equal(0n);
    });

    it("lends the sender what it moves beyond its cash, up to its initial margin, to the last unit", async () => {
      await world.fund(owner, { WETH: "10" });
      // As a withdrawal: 10 * 200 * 85% - debt = 5% * debt + 2
      const most = 1_617_142_857n;
      const debt = (most + 1n) * 10n ** 12n;
      await expectRevert(() => vault.transfer(account, second, usdc, most + 1n), "InsufficientMargin", {
        account,
        equityWad: wad("1700") - debt,
        requiredWad: ceilDiv(debt, 20n) + wad("2"),
      });
      const before = await all();
      await (await vault.transfer(account, second, usdc, most)).wait();
      expect(changes(before, await all())).to.deep.equal({
        "account.cash": -most * 10n ** 12n,
        "second.cash": most * 10n ** 12n,
      });
    });

    it("lends more than the vault holds in tokens, for none moves; but that much cannot be withdrawn", async () => {
      await world.fund(owner, { WETH: "1000000" });
      const [, , held] = await vault.totals();
      await (await vault.transfer(account, second, usdc, held + 5n)).wait();
      expect(await vault.cash(second)).to.equal((held + 5n) * 10n ** 12n);
      await expectRevert(() => vault.withdraw(second, usdc, held + 1n, owner.address), "InsufficientCashHeld", {
        asked: held + 1n,
        held,
      });
      await (await vault.transfer(second, account, usdc, held + 5n)).wait();
      expect([await vault.cash(account), await vault.cash(second)]).to.deep.equal([0n, 0n]);
    });

    it("refuses a debt below the minimum, and takes any part of what the receiver owes", async () => {
      await world.fund(owner, { USDC: "1", WETH: "10" });
      await expectRevert(() => vault.transfer(account, second, usdc, 10_999_999n), "DebtBelowMinimum", {
        account,
        debtWad: wad("9.999999"),
        minimumWad: wad("10"),
      });
      await (await vault.transfer(account, second, usdc, 11_000_000n)).wait();
      expect(await vault.cash(account)).to.equal(-wad("10"));
      await (await vault.transfer(second, account, usdc, 7_000_000n)).wait();
      expect([await vault.cash(account), await vault.cash(second)]).to.deep.equal([-wad("3"), wad("4")]);
    });

    it("leaves the sender what its position needs, to the last unit, of cash and of collateral", async () => {
      await world.fund(owner, { USDC: "1000", WETH: "3" });
      await (await vault.trade(account, BTC, wad("1"), 0n, noDeadline)).wait();
      const health = await world.ballast.health(account);
      const free = health.freeMarginWad / 10n ** 12n;
      await expectRevert(() => vault.transfer(account, second, usdc, free + 1n), "InsufficientMargin", {
        account,
        equityWad: health.equityInitialWad - (free + 1n) * 10n ** 12n,
        requiredWad: (required: bigint) => required >= health.requirementInitialWad,
      });
      // 3 * 200 * 85%
      await (await vault.transfer(account, second, weth, wad("3"))).wait();
      const now = await world.ballast.health(account);
      expect(health.equityInitialWad - now.equityInitialWad).to.equal(wad("510"));
      const rest = now.freeMarginWad / 10n ** 12n;
      await expectRevert(() => vault.transfer(account, second, usdc, rest + 1n), "InsufficientMargin", {
        account,
        equityWad: now.equityInitialWad - (rest + 1n) * 10n ** 12n,
        requiredWad: now.requirementInitialWad,
      });
      await (await vault.transfer(account, second, usdc, rest)).wait();
      expect((await world.ballast.health(account)).freeMarginWad).to.equal(now.freeMarginWad % 10n ** 12n);
    });

    it("moves nothing that a debt rests on", async () => {
      await world.fund(owner, { WETH: "10" });
      await (await vault.withdraw(account, usdc, raw("1000"), owner.address)).wait();
      await expectRevert(() => vault.transfer(account, second, weth, wad("4")), "InsufficientMargin", {
        account,
        equityWad: wad("20"),
        requiredWad: wad("52"),
      });
      await (await vault.transfer(account, second, weth, wad("3.8"))).wait();
      expect((await world.ballast.health(account)).freeMarginWad).to.equal(wad("2"));
    });

    it("refuses more of a collateral than the sender holds, whatever others do", async () => {
      await world.fund(owner, { WETH: "1" });
      await world.fund(owner, { WETH: "5" }, 1);
      await expectRevert(() => vault.transfer(account, second, weth, wad("1") + 1n), "InsufficientBalance", {
        account,
        token: weth,
        asked: wad("1") + 1n,
        balance: wad("1"),
      });
    });
  });

  describe("a transfer to oneself", () => {
    it("leaves everything as it was: cash, collateral in part and whole, with a position and a debt", async () => {
      await world.fund(owner, { USDC: "1000", WETH: "10", WBTC: "0.1" });
      await (await vault.trade(account, ETH, wad("20"), 0n, noDeadline)).wait();
      await (await vault.withdraw(account, usdc, raw("1500"), owner.address)).wait();
      const [before, word] = [await all(), await vault.accountWord(account)];
      expect(before.accounts.account.cash).to.equal(-wad("500"));
      for (const [token, amount] of [
        [usdc, 1n],
        [usdc, raw("100")],
        [weth, wad("1")],
        [wbtc, 10_000_000n],
      ] as const) {
        await (await vault.transfer(account, account, token, amount)).wait();
        expect(await vault.accountWord(account)).to.equal(word);
        expect(await all()).to.deep.equal(before);
      }
    });

    it("moves no more than would leave the account: margin and balance are asked as for any other", async () => {
      await world.fund(owner, { WETH: "10" });
      await expectRevert(() => vault.transfer(account, account, usdc, raw("1700")), "InsufficientMargin", {
        account,
        equityWad: 0n,
        requiredWad: wad("87"),
      });
      await expectRevert(() => vault.transfer(account, account, weth, wad("10") + 1n), "InsufficientBalance", {
        account,
        token: weth,
        asked: wad("10") + 1n,
        balance: wad("10"),
      });
    });
  });

  describe("a transfer to somebody else", () => {
    const minimumWad = wad("10");

    it("is a stranger's deposit: cash or a collateral that the receiver holds, worth at least the minimum", async () => {
      await world.fund(owner, { USDC: "100", WETH: "2" });
      await world.fund(stranger, { WETH: "1" });
      const before = await all();
      await expectRevert(() => vault.transfer(account, others, usdc, 9_999_999n), "StrangerDeposit", {
        account: others,
        token: usdc,
        valueWad: wad("9.999999"),
        minimumWad,
      });
      await expectRevert(() => vault.transfer(account, others, weth, wad("0.05") - 1n), "StrangerDeposit", {
        account: others,
        token: weth,
        valueWad: wad("10") - 200n,
        minimumWad,
      });
      expect(await all()).to.deep.equal(before);
      await (await vault.transfer(account, others, usdc, 10_000_000n)).wait();
      await (await vault.transfer(account, others, weth, wad("0.05"))).wait();
      expect(changes(before, await all())).to.deep.equal({
        "account.cash": -wad("10"),
        "others.cash": wad("10"),
        "account.collaterals.WETH": -wad("0.05"),
        "others.collaterals.WETH": wad("0.05"),
      });
    });

    it("refuses a collateral that the receiver does not hold, whatever it is worth", async () => {
      await world.fund(owner, { WBTC: "1" });
      await world.fund(stranger, { WETH: "1" });
      await expectRevert(() => vault.transfer(account, others, wbtc, 100_000_000n), "StrangerDeposit", {
        account: others,
        token: wbtc,
        valueWad: wad("8000"),
        minimumWad,
      });
    });

    it("refuses any into the pool's account, of cash and of what the pool holds", async () => {
      await world.fund(owner, { USDC: "1000" });
      const pool = (await vault.poolAccount()) as AccountId;
      const before = await all();
      await expectRevert(() => vault.transfer(account, pool, usdc, raw("1000")), "StrangerDeposit", {
        account: pool,
        token: usdc,
        valueWad: wad("1000"),
        minimumWad,
      });
      expect(await all()).to.deep.equal(before);
    });

    it("gives the insurance what anybody wishes to give", async () => {
      await world.fund(owner, { USDC: "1000" });
      const before = await all();
      const insurance = (await vault.insuranceAccount()) as AccountId;
      await (await vault.transfer(account, insurance, usdc, raw("250"))).wait();
      expect(changes(before, await all())).to.deep.equal({ "account.cash": -wad("250"), "insurance.cash": wad("250") });
    });

    it("refuses one who is not the sender's owner, be it the receiver", async () => {
      await world.fund(owner, { USDC: "100", WETH: "1" });
      await world.fund(stranger, { WETH: "1" });
      for (const token of [usdc, weth]) {
        await expectRevert(() => vault.connect(stranger).transfer(account, others, token, 1n), "NotAuthorized", {
          account,
          caller: stranger.address,
        });
      }
    });

    it("refuses an amount so large that it would turn its sign and take from the receiver", async () => {
      await world.fund(owner, { USDC: "1" });
      await world.fund(stranger, { USDC: "5000" });
      const before = await all();
      // In wads it is a little below 2^256: read as signed, minus 1,000 and something.
      const unit = 10n ** 12n;
      const amount = (2n ** 256n - wad("1000")) / unit;
      for (const asked of [amount, 2n ** 128n, 2n ** 255n / unit + 1n]) {
        const refusal = { amount: asked };
        await expectRevert(() => vault.transfer(account, others, usdc, asked), "AmountTooLarge", refusal);
        await expectRevert(() => vault.transfer(account, second, usdc, asked), "AmountTooLarge", refusal);
        await expectRevert(() => vault.transfer(account, account, usdc, asked), "AmountTooLarge", refusal);
      }
      expect(await all()).to.deep.equal(before);
    });
  });

  describe("refuses a transfer", () => {
    it("of nothing, and of a token that is not listed", async () => {
      await world.fund(owner, { USDC: "100", WETH: "1" });
      for (const token of [usdc, weth]) {
        await expectRevert(() => vault.transfer(account, second, token, 0n), "ZeroAmount");
      }
      const token = await (await new MockToken__factory(owner).deploy("Other", "OTHER", 18)).getAddress();
      await expectRevert(() => vault.transfer(account, second, token, 1n), "UnknownToken", { token });
    });

    it("of a collateral whose price is stale, which could shield its receiver; cash still moves", async () => {
      await world.fund(owner, { USDC: "100", WETH: "1", WBTC: "0.01" });
      await letStale(96);
      await expectRevert(() => vault.transfer(account, second, weth, 1n), "StaleCollateralPrice", {
        token: weth,
        publishedAt: (at: bigint) => at > 0n,
        maxAge: 60n,
      });
      await (await vault.transfer(account, second, usdc, raw("100"))).wait();
      await (await vault.transfer(account, second, wbtc, 1_000_000n)).wait();
      await world.push({ ETH: "200" });
      await (await vault.transfer(account, second, weth, wad("1"))).wait();
    });

    it("of one whose position has a stale price", async () => {
      await world.fund(owner, { USDC: "10000" });
      await (await vault.trade(account, BTC, wad("0.5"), 0n, noDeadline)).wait();
      await letStale(0);
      await expectRevert(() => vault.transfer(account, second, usdc, 1n), "StalePrices", { account });
      await world.push({ BTC: "8000" });
      await (await vault.transfer(account, second, usdc, 1n)).wait();
    });

    it("that would be a receiver's ninth kind of collateral", async () => {
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
      world = await deployWorld(await hre.network.create(), (parameters) => ({
        ...withoutInterest(roundFigures(parameters)),
        collaterals: [...parameters.collaterals, ...more],
      }));
      const [someone] = world.signers as [Signer];
      const symbols = world.deployment.collaterals.map(({ symbol }) => symbol);
      const ninth = world.deployment.collaterals[8]?.address ?? "";
      const full = await world.fund(someone, Object.fromEntries(symbols.slice(0, 8).map((symbol) => [symbol, "1"])));
      const giver = await world.fund(someone, { T5: "1", T6: "1" }, 1);
      const asSomeone = world.ballast.vault.connect(someone);
      const before = await portfolios(world, { full, giver });
      await expectRevert(() => asSomeone.transfer(giver, full, ninth, 1n), "TooManyAssets", {
        account: full,
        maximum: 8n,
      });
      expect(await portfolios(world, { full, giver })).to.deep.equal(before);
      await (await asSomeone.transfer(giver, full, world.deployment.collaterals[7]?.address ?? "", 1n)).wait();
    });
  });

  it("conserves every sum, whoever gives whatever to whom", async () => {
    const third = accountId(owner.address, 2);
    const mine = [account, second, third] as const;
    await world.fund(owner, { USDC: "5000", WETH: "10", WBTC: "0.1" });
    await world.fund(owner, { USDC: "700" }, 1);
    await (await vault.trade(account, ETH, wad("30"), 0n, noDeadline)).wait();
    const accounts = { account, second, third };
    const before = await portfolios(world, accounts);
    let state = 12345n;
    const next = (below: bigint) => {
      state = (state * 6364136223846793005n + 1442695040888963407n) % 2n ** 64n;
      return (state >> 20n) % below;
    };
    let moved = 0;
    for (let i = 0; i < 60; i += 1) {
      const [from, to] = [mine[Number(next(3n))] as AccountId, mine[Number(next(3n))] as AccountId];
      const token = [usdc, weth, wbtc][Number(next(3n))] as string;
      const amount =
        token === usdc ? 1n + next(raw("3000")) : token === weth ? 1n + next(wad("4")) : 1n + next(4000000n);
      try {
        await (await vault.transfer(from, to, token, amount)).wait();
        moved += 1;
      } catch {
        // Refused for want of margin or balance: nothing has moved.
      }
    }
    expect(moved > 25 && moved < 60, String(moved)).to.equal(true);
    const after = await portfolios(world, accounts);
    const sums = ({ accounts: each }: typeof before) => {
      const three = [each.account, each.second, each.third];
      const sum = (of: (one: (typeof three)[number]) => bigint) => three.reduce((total, one) => total + of(one), 0n);
      return [
        sum(({ cash }) => cash),
        sum(({ collaterals }) => collaterals["WETH"] ?? 0n),
        sum(({ collaterals }) => collaterals["WBTC"] ?? 0n),
      ];
    };
    expect(sums(after)).to.deep.equal(sums(before));
    expect([after.tokens, after.cashHeld, after.fees]).to.deep.equal([before.tokens, before.cashHeld, before.fees]);
    expect(after.accounts.pool).to.deep.equal(before.accounts.pool);
    for (const one of mine) expect((await world.ballast.health(one)).freeMarginWad >= 0n).to.equal(true);
  });

  describe("modes", () => {
    const modeOf = async (of: AccountId) => (await vault.accountWord(of)) >> 248n;
    const isolate = async (of: AccountId = account) => (await vault.setMode(of, 1n)).wait();
    const trade = (market: bigint, size: string) => vault.trade(account, market, wad(size), 0n, noDeadline);
    const oneMarket = { maximum: 1n };

    it("stand in the account's word, change nothing else in it, and are told", async () => {
      await world.fund(owner, { USDC: "100", WETH: "1" });
      const word = await vault.accountWord(account);
      expect(await modeOf(account)).to.equal(0n);
      const told = await eventsOf(() => vault.setMode(account, 1n));
      expect(told.map(({ name, args }) => ({ name, ...args }))).to.deep.equal([
        { name: "AccountChanged", account, word: word | (1n << 248n) },
      ]);
      expect(await vault.accountWord(account)).to.equal(word | (1n << 248n));
      expect(await modeOf(second)).to.equal(0n);
      await (await vault.setMode(account, 0n)).wait();
      expect(await vault.accountWord(account)).to.equal(word);
    });

    it("are the owner's to set, of those that exist", async () => {
      await expectRevert(() => vault.connect(stranger).setMode(account, 1n), "NotAuthorized", {
        account,
        caller: stranger.address,
      });
      for (const mode of [2n, 255n, 256n, 257n, 2n ** 256n - 1n]) {
        await expectRevert(() => vault.setMode(account, mode), "UnknownMode", { mode });
      }
      for (const of of [(await vault.poolAccount()) as AccountId, (await vault.insuranceAccount()) as AccountId]) {
        await expectRevert(() => vault.setMode(of, 1n), "NotAuthorized", { account: of, caller: owner.address });
      }
    });

    it("do not change while there is a position; a debt and collateral are no hindrance", async () => {
      await world.fund(owner, { USDC: "1000", WETH: "10" });
      await (await trade(ETH, "5")).wait();
      for (const mode of [0n, 1n]) {
        await expectRevert(() => vault.setMode(account, mode), "ModeNeedsNoPosition", { account });
      }
      await (await trade(ETH, "-5")).wait();
      await (await vault.withdraw(account, usdc, raw("1100"), owner.address)).wait();
      const before = await all();
      expect(before.accounts.account.cash < -wad("100")).to.equal(true);
      await isolate();
      expect(await all()).to.deep.equal(before);
      expect(await modeOf(account)).to.equal(1n);
    });

    it("isolated: opens one market and no second, on either side; increases, flips and closes that one", async () => {
      await world.fund(owner, { USDC: "1000" });
      await isolate();
      await (await trade(ETH, "5")).wait();
      const before = await all();
      for (const size of ["0.01", "-0.01"]) {
        await expectRevert(() => trade(BTC, size), "TooManyAssets", { account, ...oneMarket });
      }
      expect(await all()).to.deep.equal(before);
      await (await trade(ETH, "2")).wait();
      await (await trade(ETH, "-10")).wait();
      expect((await portfolio(world, account)).positions["ETH"]?.size).to.equal(-wad("3"));
      await expectRevert(() => trade(BTC, "0.01"), "TooManyAssets", { account, ...oneMarket });
      await (await trade(ETH, "3")).wait();
      await (await trade(BTC, "0.01")).wait();
      await expectRevert(() => trade(ETH, "1"), "TooManyAssets", { account, ...oneMarket });
    });

    it("isolated: any kinds of collateral still count for the one position", async () => {
      await world.fund(owner, { USDC: "10", WETH: "10", WBTC: "0.1" });
      await isolate();
      await (await trade(BTC, "1")).wait();
      expect((await world.ballast.health(account)).freeMarginWad > 0n).to.equal(true);
    });

    it("back to cross: opens a second market again", async () => {
      await world.fund(owner, { USDC: "1000" });
      await isolate();
      await (await trade(ETH, "5")).wait();
      await (await trade(ETH, "-5")).wait();
      await (await vault.setMode(account, 0n)).wait();
      await (await trade(ETH, "5")).wait();
      await (await trade(BTC, "0.01")).wait();
      expect(Object.keys((await portfolio(world, account)).positions).sort()).to.deep.equal(["BTC", "ETH"]);
    });

    it("last through every act: deposit, debt, trade, settle, transfer, forced trade and absorb", async () => {
      await isolate();
      const expectIsolated = async (act: string) => expect(await modeOf(account), act).to.equal(1n);
      await world.fund(owner, { USDC: "200", WETH: "1" });
      await expectIsolated("deposit");
      await (await trade(ETH, "10")).wait();
      await (await trade(ETH, "-1")).wait();
      await (await trade(ETH, "1")).wait();
      await expectIsolated("trade");
      await (await vault.withdraw(account, usdc, raw("5"), owner.address)).wait();
      await (await vault.transfer(account, second, weth, wad("1"))).wait();
      await expectIsolated("transfer");
      await world.push({ ETH: "185" });
      await (await vault.connect(stranger).settle(account, ETH)).wait();
      await expectIsolated("settle");
      const pool = (await vault.poolAccount()) as AccountId;
      await (await vault.connect(stranger).liquidatePosition(account, ETH, wad("1"), pool)).wait();
      await expectIsolated("liquidation");
      await world.push({ ETH: "170" });
      await (await vault.connect(stranger).absorb([account], others)).wait();
      expect(await vault.accountWord(account)).to.equal(1n << 248n);
      await world.fund(owner, { USDC: "1000" });
      await (await trade(ETH, "1")).wait();
      await expectRevert(() => trade(BTC, "0.01"), "TooManyAssets", { account, ...oneMarket });
    });
  });
});
