import { expect } from "chai";
import hre from "hardhat";

import { type Connection, collateralParameters } from "../../ignition/deploy.js";
import { type AccountId, accountId, decodeCashIndices, decodePosition } from "../../sdk/index.js";
import { MarginVault__factory, MockFeeToken__factory, MockToken__factory } from "../../typechain-types/index.js";
import { changes, portfolios, unowed } from "../helpers/portfolio.js";
import { expectRevert } from "../helpers/revert.js";
import { type Signer, type World, changed, deployWorld, roundFigures, wad, withoutInterest } from "../helpers/world.js";

describe("contracts/MarginVault: custody", () => {
  let connection: Connection;
  let world: World;
  let owner: Signer;
  let stranger: Signer;
  let account: AccountId;
  let vault: World["ballast"]["vault"];
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
    account = accountId(owner.address);
    vault = MarginVault__factory.connect(world.deployment.vault, owner);
    usdc = world.deployment.settlementToken.address;
    [weth, wbtc] = world.deployment.collaterals.map(({ address }) => address) as [string, string];
  });

  /** Gives the signer a token, approved for the vault. */
  async function hand(signer: Signer, address: string, amount: bigint) {
    const token = MockToken__factory.connect(address, signer);
    await (await token.mint(signer.address, amount)).wait();
    await (await token.approve(vault, amount)).wait();
    return token;
  }

  /** A feed of 60 seconds, so that one asset's price gets stale and no other. */
  async function letStale(...assets: number[]) {
    for (const asset of assets) await (await world.ballast.oracle.setPushFeed(asset, wad("0.001"), 60)).wait();
    await world.passTime(61);
  }

  describe("deposit and withdraw", () => {
    const amounts = { USDC: 1_234_567_891n, WETH: 1_000_000_000_000_000_001n, WBTC: 12_345_678n };

    it("moves tokens of 6, 18 and 8 decimals in, and counts cash in wads and collateral in the token's units", async () => {
      const before = await portfolios(world, { account });
      for (const [address, amount] of [
        [usdc, amounts.USDC],
        [weth, amounts.WETH],
        [wbtc, amounts.WBTC],
      ] as const) {
        const token = await hand(owner, address, amount + 5n);
        await (await vault.deposit(account, address, amount)).wait();
        expect(await token.balanceOf(owner)).to.equal(5n);
      }
      expect(changes(before, await portfolios(world, { account }))).to.deep.equal({
        "account.cash": 1_234_567_891n * 10n ** 12n,
        "account.collaterals.WETH": amounts.WETH,
        "account.collaterals.WBTC": amounts.WBTC,
        "tokens.USDC": amounts.USDC,
        "tokens.WETH": amounts.WETH,
        "tokens.WBTC": amounts.WBTC,
        cashHeld: amounts.USDC,
      });
    });

    it("moves them out again to the address named, and forgets a collateral that is gone", async () => {
      const start = await portfolios(world, { account });
      await world.fund(owner, { USDC: "1234.567891", WETH: "1.000000000000000001", WBTC: "0.12345678" });
      const receiver = stranger.address;
      await (await vault.withdraw(account, usdc, 567_891n, receiver)).wait();
      await (await vault.withdraw(account, weth, 1n, receiver)).wait();
      await (await vault.withdraw(account, wbtc, 345_678n, receiver)).wait();
      const between = await portfolios(world, { account });
      expect(changes(start, between)).to.deep.equal({
        "account.cash": wad("1234"),
        "account.collaterals.WETH": wad("1"),
        "account.collaterals.WBTC": 12_000_000n,
        "tokens.USDC": 1_234_000_000n,
        "tokens.WETH": wad("1"),
        "tokens.WBTC": 12_000_000n,
        cashHeld: 1_234_000_000n,
      });
      await (await vault.withdraw(account, usdc, 1_234_000_000n, receiver)).wait();
      await (await vault.withdraw(account, weth, wad("1"), receiver)).wait();
      await (await vault.withdraw(account, wbtc, 12_000_000n, receiver)).wait();
      expect(await portfolios(world, { account })).to.deep.equal(start);
      expect(await vault.accountWord(account)).to.equal(0n);
      for (const [address, amount] of [
        [usdc, amounts.USDC],
        [weth, amounts.WETH],
        [wbtc, amounts.WBTC],
      ] as const) {
        expect(await MockToken__factory.connect(address, owner).balanceOf(receiver)).to.equal(amount);
      }
    });

    it("says in its events who moved what, whence and whither", async () => {
      await hand(stranger, usdc, 20_000_000n);
      const from = (await connection.ethers.provider.getBlockNumber()) + 1;
      await (await vault.connect(stranger).deposit(account, usdc, 20_000_000n)).wait();
      await (await vault.withdraw(account, usdc, 3_000_000n, stranger.address)).wait();
      const told = (await world.ballast.events(from)).map(({ name, args }) => ({ name, ...args }));
      // What cash adds up to: the pool's ten millions and the insurance account's hundred thousand besides.
      const [deposited, withdrawn] = told.filter(({ name }) => name === "CashChanged") as unknown as {
        indices: bigint;
      }[];
      const cashChanged = (supplied: string, indices = 0n) => ({
        name: "CashChanged",
        indices,
        totals: wad(supplied),
        interestUnsweptWad: 0n,
      });
      expect(decodeCashIndices(deposited?.indices ?? 0n).supplyIndexE15).to.equal(10n ** 15n);
      expect((await vault.cashView()).indices).to.equal(withdrawn?.indices);
      expect(told).to.deep.equal([
        { name: "AccountChanged", account, word: wad("20") },
        cashChanged("10100020", deposited?.indices),
        { name: "Deposited", account, token: usdc, from: stranger.address, amount: 20_000_000n },
        { name: "AccountChanged", account, word: wad("17") },
        cashChanged("10100017", withdrawn?.indices),
        { name: "Withdrawn", account, token: usdc, to: stranger.address, amount: 3_000_000n },
      ]);
    });

    it("keeps the accounts of one owner apart", async () => {
      const other = await world.fund(owner, { WETH: "2" }, 7);
      await world.fund(owner, { USDC: "50" });
      const before = await portfolios(world, { account, other });
      await (await vault.withdraw(other, weth, wad("0.5"), owner.address)).wait();
      expect(changes(before, await portfolios(world, { account, other }))).to.deep.equal({
        "other.collaterals.WETH": -wad("0.5"),
        "tokens.WETH": -wad("0.5"),
      });
    });

    it("refuses an amount of zero", async () => {
      await world.fund(owner, { USDC: "100", WETH: "1" });
      for (const token of [usdc, weth]) {
        await expectRevert(() => vault.deposit(account, token, 0n), "ZeroAmount");
        await expectRevert(() => vault.withdraw(account, token, 0n, owner.address), "ZeroAmount");
      }
    });

    it("refuses a token that is not listed, from the owner and from a stranger", async () => {
      const token = await new MockToken__factory(owner).deploy("Other", "OTHER", 18);
      const address = await token.getAddress();
      await hand(owner, address, wad("1"));
      await hand(stranger, address, wad("1"));
      await expectRevert(() => vault.deposit(account, address, 1n), "UnknownToken", { token: address });
      await expectRevert(() => vault.withdraw(account, address, 1n, owner.address), "UnknownToken", { token: address });
      await expectRevert(() => vault.connect(stranger).deposit(account, address, wad("1")), "UnknownToken", {
        token: address,
      });
      await expectRevert(() => vault.collateral(account, address), "UnknownToken", { token: address });
    });

    it("lets nobody but the owner withdraw", async () => {
      await world.fund(owner, { USDC: "100", WETH: "1" });
      for (const token of [usdc, weth]) {
        await expectRevert(
          () => vault.connect(stranger).withdraw(account, token, 1n, stranger.address),
          "NotAuthorized",
          {
            account,
            caller: stranger.address,
          },
        );
      }
    });
  });

  describe("tokens that do not behave", () => {
    const terms = {
      initialWeightWad: wad("0.5"),
      maintenanceWeightWad: wad("0.6"),
      depositCap: wad("1000"),
      concentrationStartWad: wad("1"),
      discountBaseWad: wad("0.01"),
      discountSlopeWad: wad("0.1"),
      discountCapWad: wad("0.05"),
    };

    // A collateral is listed only with a price: the next asset, 98, gets one.
    beforeEach(async () => {
      const { oracle, provider } = world.ballast;
      await (await oracle.setPushFeed(98, wad("0.001"), 3600)).wait();
      const { timestamp } = (await provider.getBlock("latest")) ?? { timestamp: 0 };
      await (await oracle.push([98], [wad("3")], timestamp)).wait();
    });

    it("INV-19: refuses the deposit of a token that keeps a fee, with what it moved", async () => {
      const token = await new MockFeeToken__factory(owner).deploy();
      const address = await token.getAddress();
      await (await world.ballast.vault.listCollateral(address, terms)).wait();
      await hand(owner, address, wad("100"));
      const before = await portfolios(world, { account });
      await expectRevert(() => vault.deposit(account, address, wad("100")), "TokenMovedOtherAmount", {
        token: address,
        asked: wad("100"),
        moved: wad("99"),
      });
      expect(await portfolios(world, { account })).to.deep.equal(before);
      expect(await token.balanceOf(owner)).to.equal(wad("100"));
    });

    it("refuses to list a token of more than 18 decimals, and lists one of 18", async () => {
      const deploy = async (decimals: number) =>
        (await new MockToken__factory(owner).deploy("Fine", "FINE", decimals)).getAddress();
      const token = await deploy(19);
      await expectRevert(() => world.ballast.vault.listCollateral(token, terms), "TooManyDecimals", {
        token,
        decimals: 19n,
      });
      await (await world.ballast.vault.listCollateral(await deploy(18), terms)).wait();
      const [, collaterals] = await vault.totals();
      expect(collaterals).to.equal(3n);
    });

    it("INV-20: takes no notice of tokens that nobody deposited", async () => {
      await world.fund(owner, { USDC: "100", WETH: "1" });
      const client = await world.as(owner);
      await client.trade(account, "ETH", "10");
      const before = await portfolios(world, { account });
      const value = await vault.poolValue();
      for (const to of [world.deployment.vault, world.deployment.pool]) {
        await world.mint("USDC", to, "1000000");
        await world.mint("WETH", to, "1000");
      }
      const after = await portfolios(world, { account });
      expect(changes(before, after)).to.deep.equal({
        "tokens.USDC": 1_000_000_000_000n,
        "tokens.WETH": wad("1000"),
      });
      expect(after.accounts).to.deep.equal(before.accounts);
      expect(await vault.poolValue()).to.deep.equal(value);
    });
  });

  describe("the deposit cap", () => {
    it("INV-21: bounds what all accounts hold of a token together, to the unit, and gives room back after a withdrawal", async () => {
      const cap = wad("10");
      const [listed] = world.parameters.collaterals;
      if (listed === undefined) throw new TypeError("no collateral");
      const terms = { ...collateralParameters(listed), depositCap: cap };
      await (await world.ballast.vault.setCollateralParameters(weth, terms)).wait();
      const other = accountId(stranger.address);
      await hand(owner, weth, wad("9"));
      await hand(stranger, weth, wad("2"));
      await (await vault.deposit(account, weth, wad("9"))).wait();
      await expectRevert(() => vault.connect(stranger).deposit(other, weth, wad("1") + 1n), "DepositCapExceeded", {
        token: weth,
        total: cap + 1n,
        cap,
      });
      await (await vault.connect(stranger).deposit(other, weth, wad("1"))).wait();
      await expectRevert(() => vault.connect(stranger).deposit(other, weth, 1n), "DepositCapExceeded", {
        token: weth,
        total: cap + 1n,
        cap,
      });
      await (await vault.withdraw(account, weth, 3n, owner.address)).wait();
      await (await vault.connect(stranger).deposit(other, weth, 3n)).wait();
    });
  });

  describe("deposits by strangers", () => {
    const minimumWad = wad("10");

    it("takes cash worth at least the minimum debt, and not a unit less", async () => {
      await hand(stranger, usdc, 100_000_000n);
      const before = await portfolios(world, { account });
      await expectRevert(() => vault.connect(stranger).deposit(account, usdc, 9_999_999n), "StrangerDeposit", {
        account,
        token: usdc,
        valueWad: wad("9.999999"),
        minimumWad,
      });
      await (await vault.connect(stranger).deposit(account, usdc, 10_000_000n)).wait();
      expect(changes(before, await portfolios(world, { account }))).to.deep.equal({
        "account.cash": wad("10"),
        "tokens.USDC": 10_000_000n,
        cashHeld: 10_000_000n,
      });
    });

    it("takes a collateral that the account holds, by its value before weights", async () => {
      await world.fund(owner, { WETH: "1" });
      await hand(stranger, weth, wad("1"));
      await expectRevert(() => vault.connect(stranger).deposit(account, weth, wad("0.05") - 1n), "StrangerDeposit", {
        account,
        token: weth,
        valueWad: wad("10") - 200n,
        minimumWad,
      });
      await (await vault.connect(stranger).deposit(account, weth, wad("0.05"))).wait();
      expect(await vault.collateral(account, weth)).to.equal(wad("1.05"));
    });

    it("refuses a collateral that the account does not hold, whatever it is worth", async () => {
      await world.fund(owner, { WETH: "1" });
      await hand(stranger, wbtc, 100_000_000n);
      const refusal = { account, token: wbtc, valueWad: wad("8000"), minimumWad };
      await expectRevert(
        () => vault.connect(stranger).deposit(account, wbtc, 100_000_000n),
        "StrangerDeposit",
        refusal,
      );
    });

    it("refuses any into the pool's account, which is entered through its shares", async () => {
      const pool = (await vault.poolAccount()) as AccountId;
      await hand(stranger, usdc, 1_000_000_000n);
      const before = await portfolios(world, {});
      await expectRevert(() => vault.connect(stranger).deposit(pool, usdc, 1_000_000_000n), "StrangerDeposit", {
        account: pool,
        token: usdc,
        valueWad: wad("1000"),
        minimumWad,
      });
      expect(await portfolios(world, {})).to.deep.equal(before);
    });

    it("does not hold the owner to the minimum", async () => {
      await hand(owner, usdc, 1n);
      await hand(owner, wbtc, 1n);
      await (await vault.deposit(account, usdc, 1n)).wait();
      await (await vault.deposit(account, wbtc, 1n)).wait();
      expect(await vault.cash(account)).to.equal(10n ** 12n);
      expect(await vault.collateral(account, wbtc)).to.equal(1n);
    });
  });

  describe("limits of a withdrawal", () => {
    it("refuses more of a collateral than the account holds", async () => {
      await world.fund(owner, { WETH: "1" });
      await world.fund(stranger, { WETH: "5" });
      await expectRevert(() => vault.withdraw(account, weth, wad("1") + 1n, owner.address), "InsufficientBalance", {
        account,
        token: weth,
        asked: wad("1") + 1n,
        balance: wad("1"),
      });
    });

    it("lends cash against collateral up to its initial weight, debt margin and keeper floor, to the last unit", async () => {
      await world.fund(owner, { WETH: "10" });
      // 10 * 200 * 85% - debt = 5% * debt + 2, so debt = 1698 / 1.05
      const most = 1_617_142_857n;
      const debt = (most + 1n) * 10n ** 12n;
      await expectRevert(() => vault.withdraw(account, usdc, most + 1n, owner.address), "InsufficientMargin", {
        account,
        equityWad: wad("1700") - debt,
        requiredWad: debt / 20n + wad("2"),
      });
      const before = await portfolios(world, { account });
      await (await vault.withdraw(account, usdc, most, owner.address)).wait();
      const after = await portfolios(world, { account });
      expect(changes(before, after)).to.deep.equal({
        "account.cash": -most * 10n ** 12n,
        "tokens.USDC": -most,
        cashHeld: -most,
      });
      expect(after.accounts.account.health.equityMaintenanceWad).to.equal(wad("1800") - most * 10n ** 12n);
    });

    it("refuses a collateral that a debt rests on", async () => {
      await world.fund(owner, { WETH: "10" });
      await (await vault.withdraw(account, usdc, 1_000_000_000n, owner.address)).wait();
      // 1000 * 1.05 + 2 = 1052 of initial equity: 6.1882... WETH less than 1000 + 1052
      await expectRevert(() => vault.withdraw(account, weth, wad("4"), owner.address), "InsufficientMargin", {
        account,
        equityWad: wad("20"),
        requiredWad: wad("52"),
      });
      await (await vault.withdraw(account, weth, wad("3.8"), owner.address)).wait();
      expect((await world.ballast.health(account)).freeMarginWad).to.equal(wad("2"));
    });

    it("refuses cash that a position needs, to the last unit", async () => {
      await world.fund(owner, { USDC: "1000" });
      await (await world.as(owner)).trade(account, "BTC", "1");
      const { freeMarginWad, equityInitialWad, requirementInitialWad } = await world.ballast.health(account);
      const free = freeMarginWad / 10n ** 12n;
      await expectRevert(() => vault.withdraw(account, usdc, free + 1n, owner.address), "InsufficientMargin", {
        account,
        equityWad: equityInitialWad - (free + 1n) * 10n ** 12n,
        requiredWad: requirementInitialWad,
      });
      await (await vault.withdraw(account, usdc, free, owner.address)).wait();
    });

    it("INV-28: refuses a debt below the minimum, and lets one be repaid in parts of any size", async () => {
      await world.fund(owner, { USDC: "1", WETH: "10" });
      await expectRevert(() => vault.withdraw(account, usdc, 10_999_999n, owner.address), "DebtBelowMinimum", {
        account,
        debtWad: wad("9.999999"),
        minimumWad: wad("10"),
      });
      await (await vault.withdraw(account, usdc, 11_000_000n, owner.address)).wait();
      expect(await vault.cash(account)).to.equal(-wad("10"));
      await hand(owner, usdc, 7_000_000n);
      await (await vault.deposit(account, usdc, 7_000_000n)).wait();
      expect(await vault.cash(account)).to.equal(-wad("3"));
    });

    it("refuses more cash than the vault holds", async () => {
      await world.fund(owner, { WETH: "1000000" });
      const [, , cashHeld] = await vault.totals();
      await expectRevert(() => vault.withdraw(account, usdc, cashHeld + 1n, owner.address), "InsufficientCashHeld", {
        asked: cashHeld + 1n,
        held: cashHeld,
      });
      // A million dollars that nobody deposited are in the vault too, and stay out of reach.
      await world.mint("USDC", world.deployment.vault, "1000000");
      await expectRevert(() => vault.withdraw(account, usdc, cashHeld + 1n, owner.address), "InsufficientCashHeld", {
        asked: cashHeld + 1n,
        held: cashHeld,
      });
      await (await vault.withdraw(account, usdc, cashHeld, owner.address)).wait();
      const [, , left] = await vault.totals();
      expect(left).to.equal(0n);
    });

    it("asks for no price of an account without position and debt", async () => {
      await world.fund(owner, { USDC: "100", WETH: "1" });
      await world.passTime(100_000);
      await (await vault.withdraw(account, weth, wad("1"), owner.address)).wait();
      await (await vault.withdraw(account, usdc, 100_000_000n, owner.address)).wait();
      expect(await vault.accountWord(account)).to.equal(0n);
    });

    it("asks for a fresh price of every market with a position", async () => {
      await world.fund(owner, { USDC: "10000" });
      await (await world.as(owner)).trade(account, "BTC", "0.5");
      await (await vault.withdraw(account, usdc, 1n, owner.address)).wait();
      await letStale(0);
      await expectRevert(() => vault.withdraw(account, usdc, 1n, owner.address), "StalePrices", { account });
      await world.push({ BTC: "8000" });
      await (await vault.withdraw(account, usdc, 1n, owner.address)).wait();
    });

    it("counts a collateral without a fresh price for nothing", async () => {
      await world.fund(owner, { WETH: "10", WBTC: "0.125" });
      await (await vault.withdraw(account, usdc, 100_000_000n, owner.address)).wait();
      await letStale(96);
      // WBTC alone: 1000 * 85% - 1000 of debt
      await expectRevert(() => vault.withdraw(account, usdc, 900_000_000n, owner.address), "InsufficientMargin", {
        account,
        equityWad: -wad("150"),
        requiredWad: wad("52"),
      });
      await world.push({ ETH: "200" });
      await (await vault.withdraw(account, usdc, 900_000_000n, owner.address)).wait();
    });
  });

  it("refuses a ninth kind of collateral, and takes more of the eight", async () => {
    const eight = Array.from({ length: 7 }, (_, i) => ({
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
    const rich = await deployWorld(await hre.network.create(), (parameters) => ({
      ...parameters,
      collaterals: [...parameters.collaterals, ...eight],
    }));
    const [someone] = rich.signers as [Signer];
    const all = rich.deployment.collaterals;
    expect(all.length).to.equal(9);
    const held = Object.fromEntries(all.slice(0, 8).map(({ symbol }) => [symbol, "1"]));
    const full = await rich.fund(someone, held);
    const before = await portfolios(rich, { full });
    await expectRevert(() => rich.fund(someone, { T6: "1" }), "TooManyAssets", { account: full, maximum: 8n });
    expect(await portfolios(rich, { full })).to.deep.equal(before);
    await rich.fund(someone, { T5: "1" });
    expect(await rich.ballast.vault.collateral(full, all[7]?.address ?? "")).to.equal(2_000_000n);
  });

  describe("events carry the words as stored", () => {
    it("lets a reader rebuild every account, position, collateral and market from the log alone", async () => {
      // With funding, time, two sides, a liquidation and an absorb.
      const story = await deployWorld(await hre.network.create(), (parameters) =>
        changed(parameters, { vault: { absorbHealth: "0.5" } }),
      );
      const [a, b, c, keeper] = story.signers as [Signer, Signer, Signer, Signer];
      const accounts: Record<string, AccountId> = {
        a: await story.fund(a, { USDC: "5000", WETH: "3" }),
        b: await story.fund(b, { USDC: "5000", WBTC: "0.1" }),
        c: await story.fund(c, { USDC: "600" }),
        d: await story.fund(c, { USDC: "300", WETH: "1.5" }, 1),
        e: await story.fund(c, { USDC: "212" }, 2),
        keeper: accountId(keeper.address),
      };
      const [asA, asB, asC] = [await story.as(a), await story.as(b), await story.as(c)];
      const idOf = (name: string) => accounts[name] as AccountId;
      await asA.trade(idOf("a"), "BTC", "2");
      await asB.trade(idOf("b"), "BTC", "-1.5");
      await asB.trade(idOf("b"), "LINK", "700");
      await asC.trade(idOf("c"), "ETH", "50");
      await asC.trade(idOf("d"), "ETH", "45");
      await asC.trade(idOf("e"), "ETH", "10");
      await story.passTime(1800);
      await asA.settle(idOf("a"), "BTC");
      await asA.trade(idOf("a"), "BTC", "-3");
      await asB.withdraw(idOf("b"), "WBTC", "0.05");
      await asB.trade(idOf("b"), "LINK", "-700");
      await story.push({ ETH: "192" });
      const forced = (await story.as(keeper)).vault;
      const pool = (await forced.poolAccount()) as AccountId;
      await (await forced.liquidatePosition(idOf("c"), 1, 2n ** 255n, pool)).wait();
      await story.push({ ETH: "181" });
      // The last has something left; the others are below zero.
      await (await forced.absorb([idOf("c"), idOf("d"), idOf("e")], idOf("keeper"))).wait();
      await (await forced.sweepFees(0)).wait();
      await (await forced.refreshCapital()).wait();

      const seen = new Map<string, unknown>();
      const events = await story.ballast.events(0);
      for (const { name, args } of events) {
        const { account: of, market, token } = args as Record<string, string>;
        if (name === "AccountChanged") seen.set(`account ${of}`, args.word);
        if (name === "PositionChanged") seen.set(`position ${of} ${market}`, args.position);
        if (name === "CollateralChanged") seen.set(`collateral ${of} ${token}`, args.amount);
        if (name === "MarketChanged") seen.set(`market ${market}`, [args.state, args.totals, args.poolPosition]);
        if (name === "MarketParametersSet") seen.set(`terms ${market}`, [args.risk, args.terms, args.discount]);
        if (name === "SidesChanged") seen.set(`sides ${market}`, [args.longSide, args.shortSide, args.epochs]);
        if (name === "CashChanged") seen.set("cash", [args.indices, args.totals, args.interestUnsweptWad]);
        if (name === "CapitalChanged") seen.set("capital", args.capital);
        if (name === "AccountParametersSet") seen.set("risk", args.risk);
      }
      const told = new Set(events.map(({ name }) => name));
      const acts = ["PositionLiquidated", "PositionAbsorbed", "PositionDeleveraged", "CollateralAbsorbed", "Settled"];
      for (const name of [...acts, "FeesSwept", "InsurancePaid", "SidesChanged"]) {
        expect(told.has(name), name).to.equal(true);
      }

      const stored = story.ballast.vault;
      const insurance = (await stored.insuranceAccount()) as AccountId;
      const all = [...Object.values(accounts), pool, insurance];
      for (const of of all) {
        expect(seen.get(`account ${of}`) ?? 0n, of).to.equal(await stored.accountWord(of));
        for (const { address } of story.deployment.collaterals) {
          expect(seen.get(`collateral ${of} ${address}`) ?? 0n).to.equal(await stored.collateral(of, address));
        }
      }
      for (const id of story.deployment.markets.keys()) {
        const view = await stored.market(id);
        expect(seen.get(`market ${id}`)).to.deep.equal([view.state, view.totals, view.poolPosition]);
        const sides = seen.get(`sides ${id}`) ?? [0n, 0n, 0n];
        expect(sides).to.deep.equal([view.longSide, view.shortSide, view.epochs]);
        expect(seen.get(`terms ${id}`)).to.deep.equal([view.risk, view.terms, view.discount]);
        for (const of of all.filter((one) => one !== pool)) {
          const { sharesWad, costWad, epoch } = await stored.position(of, id);
          const word = (seen.get(`position ${of} ${id}`) as bigint | undefined) ?? 0n;
          expect(decodePosition(word)).to.deep.equal({ sharesWad, costWad, epoch: Number(epoch) });
        }
        // No account is missing: the shares of all add up to the totals.
        const words = all.map((of) => decodePosition((seen.get(`position ${of} ${id}`) as bigint | undefined) ?? 0n));
        const shares = [...words, decodePosition(view.poolPosition)].map(({ sharesWad }) => sharesWad);
        const sum = (side: readonly bigint[]) => side.reduce((total, one) => total + one, 0n);
        expect(sum(shares.filter((one) => one > 0n))).to.equal(view.totals & (2n ** 104n - 1n));
        expect(-sum(shares.filter((one) => one < 0n))).to.equal((view.totals >> 104n) & (2n ** 104n - 1n));
      }
      const cash = await stored.cashView();
      expect(seen.get("cash")).to.deep.equal([cash.indices, cash.totals, cash.interestUnsweptWad]);
      expect(seen.get("capital")).to.equal(await stored.capital());
      expect(seen.get("risk")).to.equal(await stored.accountRisk());
    });

    it("conserves cash: whatever happens, the vault owes all but the reserve that listing paid in", async () => {
      const accounts = {
        account: await world.fund(owner, { USDC: "1000", WETH: "3" }),
        other: await world.fund(stranger, { USDC: "4000" }),
      };
      const start = await portfolios(world, accounts);
      expect(await unowed(world, start)).to.equal(wad("3"));
      const [one, two] = [await world.as(owner), await world.as(stranger)];
      await one.trade(accounts.account, "ETH", "40");
      await two.trade(accounts.other, "ETH", "-70");
      await world.push({ ETH: "183" });
      await one.settle(accounts.account, "ETH");
      await two.trade(accounts.other, "ETH", "90");
      await two.trade(accounts.other, "BTC", "0.7");
      await world.push({ ETH: "211", BTC: "7777.77" });
      await one.trade(accounts.account, "ETH", "-40");
      await two.settle(accounts.other, "BTC");
      const rest = await unowed(world, await portfolios(world, accounts));
      // Rounding is for the vault, a few wei a step.
      expect(rest >= wad("3") && rest < wad("3") + 100n, String(rest)).to.equal(true);
    });
  });
});
