import { expect } from "chai";
import hre from "hardhat";

import type { DeploymentParameters } from "../../deployments/schema.js";
import type { Connection } from "../../ignition/deploy.js";
import { type AccountId, WAD, accountId } from "../../sdk/index.js";
import {
  LiquidityPool__factory,
  MarginVault__factory,
  type MockToken,
  MockToken__factory,
} from "../../typechain-types/index.js";
import { changes, portfolios } from "../helpers/portfolio.js";
import { expectRevert } from "../helpers/revert.js";
import {
  type Signer,
  type World,
  depositIntoPool,
  deployWorld,
  roundFigures,
  wad,
  withoutInterest,
} from "../helpers/world.js";

const usd = (text: string) => wad(text) / 10n ** 12n;
const lock = 86_400n;

describe("contracts/LiquidityPool", () => {
  let connection: Connection;
  let world: World;
  let provider: Signer;
  let trader: Signer;
  let stranger: Signer;
  let usdc: MockToken;

  async function quiet() {
    // Prices last longer than the lock, so that a test may let it pass.
    return deployWorld(connection, (parameters) =>
      withoutInterest(roundFigures(parameters, { vault: { maxPriceAgeSeconds: "864000" } })),
    );
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => enter(await connection.networkHelpers.loadFixture(quiet)));

  function enter(entered: World) {
    world = entered;
    [provider, trader, stranger] = world.signers as [Signer, Signer, Signer];
    usdc = MockToken__factory.connect(world.deployment.settlementToken.address, provider);
  }

  const as = (signer: Signer) => LiquidityPool__factory.connect(world.deployment.pool, signer);
  const vaultAs = (signer: Signer) => MarginVault__factory.connect(world.deployment.vault, signer);
  const trade = async (account: AccountId, market: string, size: string) =>
    (await world.as(trader)).trade(account, market, size);

  async function approved(signer: Signer, amount: string) {
    await world.mint("USDC", signer.address, amount);
    await (await usdc.connect(signer).approve(world.deployment.pool, usd(amount))).wait();
  }

  /** A world of its own, with this much in a pool that belongs to the admin. */
  async function worldOf(poolDeposit: string, vault: Partial<DeploymentParameters["vault"]> = {}) {
    const terms = { maxPriceAgeSeconds: "864000", poolLockSeconds: "1", ...vault };
    enter(
      await deployWorld(
        await hre.network.create(),
        (parameters) => withoutInterest(roundFigures(parameters, { vault: terms })),
        poolDeposit,
      ),
    );
    await world.passTime(2);
  }

  describe("shares", () => {
    it("are minted for what is put in, which becomes cash of the pool's account", async () => {
      await approved(provider, "5000");
      const before = await portfolios(world, {});
      const foreseen = await as(provider).previewDeposit(usd("5000"));
      await (await as(provider).deposit(usd("5000"), provider.address)).wait();
      expect(changes(before, await portfolios(world, {}))).to.deep.equal({
        "pool.cash": wad("5000"),
        "tokens.USDC": usd("5000"),
        cashHeld: usd("5000"),
      });
      expect(await as(provider).balanceOf(provider)).to.equal(foreseen);
      expect(foreseen).to.equal(wad("5000"));
      expect(await as(provider).decimals()).to.equal(18n);
      expect(await usdc.balanceOf(provider)).to.equal(0n);
      expect((await vaultAs(provider).capital()) & (2n ** 128n - 1n)).to.equal(wad("10005000"));
    });

    it("are minted in the number asked for at the price foreseen", async () => {
      await approved(provider, "6000");
      const cost = await as(provider).previewMint(wad("5000"));
      await (await as(provider).mint(wad("5000"), provider.address)).wait();
      expect(await as(provider).balanceOf(provider)).to.equal(wad("5000"));
      expect(await usdc.balanceOf(provider)).to.equal(usd("6000") - cost);
    });

    it("are paid out to the receiver at the price foreseen, and the checkpoint of the capital follows", async () => {
      await depositIntoPool(world, provider, "5000");
      await world.passTime(Number(lock));
      const before = await portfolios(world, {});
      const foreseen = await as(provider).previewRedeem(wad("2000"));
      await (await as(provider).redeem(wad("2000"), stranger.address, provider.address)).wait();
      const burnt = await as(provider).previewWithdraw(usd("1000"));
      await (await as(provider).withdraw(usd("1000"), stranger.address, provider.address)).wait();
      expect(foreseen).to.equal(usd("2000"));
      expect(await usdc.balanceOf(stranger)).to.equal(usd("3000"));
      expect(await as(provider).balanceOf(provider)).to.equal(wad("3000") - burnt);
      expect(changes(before, await portfolios(world, {}))).to.deep.equal({
        "pool.cash": -wad("3000"),
        "tokens.USDC": -usd("3000"),
        cashHeld: -usd("3000"),
      });
      expect((await vaultAs(provider).capital()) & (2n ** 128n - 1n)).to.equal(wad("10002000"));
    });

    it("are redeemed for another only with an allowance", async () => {
      await depositIntoPool(world, provider, "5000");
      await world.passTime(Number(lock));
      await expectRevert(
        () => as(stranger).redeem(wad("100"), stranger.address, provider.address),
        "ERC20InsufficientAllowance",
        { spender: stranger.address, allowance: 0n, needed: wad("100") },
      );
      await (await as(provider).approve(stranger.address, wad("100"))).wait();
      await (await as(stranger).redeem(wad("100"), stranger.address, provider.address)).wait();
      expect(await as(provider).balanceOf(provider)).to.equal(wad("4900"));
    });
  });

  describe("the first depositor", () => {
    it("INV-45: gains nothing by donations to vault or pool, and the next one loses at most a unit", async () => {
      await worldOf("0.000001");
      const attacker = world.admin;
      const victim = provider;
      for (const to of [world.deployment.vault, world.deployment.pool]) await world.mint("USDC", to, "1000000");
      await world.mint("USDC", attacker.address, "1000000");
      const pool = accountId(world.deployment.pool);
      await (await usdc.connect(attacker).approve(world.deployment.vault, usd("1000000"))).wait();
      await expectRevert(
        () => vaultAs(attacker).deposit(pool, world.deployment.settlementToken.address, usd("1000000")),
        "StrangerDeposit",
        {
          account: pool,
          token: world.deployment.settlementToken.address,
          valueWad: wad("1000000"),
          minimumWad: wad("10"),
        },
      );
      expect(await as(attacker).totalAssets()).to.equal(1n);
      await depositIntoPool(world, victim, "1999.999999");
      await world.passTime(2);
      const spent = await usdc.balanceOf(attacker);
      await (await as(attacker).redeem(await as(attacker).balanceOf(attacker), attacker, attacker)).wait();
      expect((await usdc.balanceOf(attacker)) - spent <= 1n).to.equal(true);
      await (await as(victim).redeem(await as(victim).balanceOf(victim), victim, victim)).wait();
      expect((await usdc.balanceOf(victim)) >= usd("1999.999999") - 1n).to.equal(true);
    });

    it("keeps no more than the virtual shares leave even when it owned all of a profit", async () => {
      // A unit in the pool, then a profit: an absorbed account's collateral, bought at its weighted value.
      await worldOf("0.000001");
      const whale = await world.fund(trader, { WETH: "10" });
      await world.fund(stranger, { USDC: "10000" });
      await (await world.as(trader)).withdraw(whale, "USDC", "1500");
      await world.push({ ETH: "174" });
      await (await vaultAs(stranger).absorb([whale], accountId(stranger.address))).wait();
      await world.push({ ETH: "200" });
      const [value, band, haircut] = await vaultAs(provider).poolValue();
      expect(value > wad("200"), String(value)).to.equal(true);
      await depositIntoPool(world, provider, "50");
      await world.passTime(2);
      const shares = await as(provider).balanceOf(provider);
      expect(shares > 0n).to.equal(true);
      const back = await as(provider).previewRedeem(shares);
      // Twice the band's part and the haircut's, and nothing beside them.
      const part = ((2n * band + haircut) * usd("50")) / (value + wad("50"));
      expect(usd("50") - back <= part + 2n, `${back}, ${part}`).to.equal(true);
    });
  });

  describe("the lock", () => {
    it("INV-44: holds shares from the deposit on, to the second: they neither move nor are redeemed", async () => {
      await depositIntoPool(world, provider, "5000");
      const { time } = connection.networkHelpers;
      const until = BigInt(await time.latest()) + lock;
      expect(await as(provider).lockedUntil(provider)).to.equal(until);
      expect([await as(provider).maxRedeem(provider), await as(provider).maxWithdraw(provider)]).to.deep.equal([
        0n,
        0n,
      ]);
      await (await as(provider).approve(stranger, wad("1"))).wait();
      await time.setNextBlockTimestamp(until - 1n);
      const locked = { owner: provider.address, until };
      await expectRevert(() => as(provider).transfer(stranger, 1n), "SharesLocked", locked);
      await expectRevert(() => as(stranger).transferFrom(provider, stranger, 1n), "SharesLocked", locked);
      await expectRevert(() => as(provider).redeem(1n, provider, provider), "ERC4626ExceededMaxRedeem", {
        owner: provider.address,
        shares: 1n,
        max: 0n,
      });
      await expectRevert(() => as(provider).withdraw(1n, provider, provider), "ERC4626ExceededMaxWithdraw", {
        owner: provider.address,
        assets: 1n,
        max: 0n,
      });
      await time.setNextBlockTimestamp(until);
      await (await as(provider).transfer(stranger, 1n)).wait();
      await (await as(provider).redeem(wad("1"), provider, provider)).wait();
    });

    it("is the owner's own: nobody deposits or mints for another, and shares sent to it lock nothing", async () => {
      await depositIntoPool(world, provider, "5000");
      await depositIntoPool(world, stranger, "1000");
      await world.passTime(Number(lock));
      await approved(stranger, "10");
      const refused = { caller: stranger.address, receiver: provider.address };
      await expectRevert(() => as(stranger).deposit(1n, provider), "OnlyOwnDeposits", refused);
      await expectRevert(() => as(stranger).mint(wad("1"), provider), "OnlyOwnDeposits", refused);
      const until = await as(provider).lockedUntil(provider);
      await (await as(stranger).transfer(provider, wad("1"))).wait();
      expect(await as(provider).lockedUntil(provider)).to.equal(until);
      await (await as(provider).redeem(wad("5001"), provider, provider)).wait();
    });

    it("begins anew for all of the owner's shares with the owner's next deposit", async () => {
      await depositIntoPool(world, provider, "5000");
      await world.passTime(Number(lock));
      await depositIntoPool(world, provider, "1");
      const until = await as(provider).lockedUntil(provider);
      expect(until).to.equal(BigInt(await connection.networkHelpers.time.latest()) + lock);
      await expectRevert(() => as(provider).transfer(stranger, 1n), "SharesLocked", { owner: provider.address, until });
      // Shares may be sent to a locked owner, and are locked with the rest.
      await (await as(world.admin).transfer(provider, wad("1"))).wait();
      await expectRevert(() => as(provider).transfer(stranger, wad("1")), "SharesLocked", {
        owner: provider.address,
        until,
      });
    });
  });

  describe("limits", () => {
    /** What the pool says is the most is accepted, and a unit more is refused. */
    async function expectMaxHolds(owner: Signer) {
      const snapshot = await world.connection.networkHelpers.takeSnapshot();
      const assets = await as(owner).maxWithdraw(owner);
      await expectRevert(() => as(owner).withdraw(assets + 1n, owner, owner), "ERC4626ExceededMaxWithdraw", {
        owner: owner.address,
        assets: assets + 1n,
        max: assets,
      });
      if (assets !== 0n) await (await as(owner).withdraw(assets, owner, owner)).wait();
      await snapshot.restore();
      const shares = await as(owner).maxRedeem(owner);
      await expectRevert(() => as(owner).redeem(shares + 1n, owner, owner), "ERC4626ExceededMaxRedeem", {
        owner: owner.address,
        shares: shares + 1n,
        max: shares,
      });
      if (shares !== 0n) await (await as(owner).redeem(shares, owner, owner)).wait();
      await snapshot.restore();
      return { assets, shares };
    }

    it("in a pool without positions are what the owner has", async () => {
      await worldOf("100000");
      await depositIntoPool(world, provider, "5000");
      await world.passTime(2);
      const { assets, shares } = await expectMaxHolds(provider);
      expect([assets, shares]).to.deep.equal([usd("5000"), wad("5000")]);
    });

    it("INV-43: leave the pool its free margin, to the unit", async () => {
      await worldOf("100000");
      const account = await world.fund(trader, { USDC: "1000000" });
      await trade(account, "ETH", "4000");
      const { equityInitialWad, requirementInitialWad } = await world.ballast.health(accountId(world.deployment.pool));
      const free = equityInitialWad - requirementInitialWad;
      expect(free < wad("62000") && free > wad("60000"), String(free)).to.equal(true);
      const { assets } = await expectMaxHolds(world.admin);
      expect(assets).to.equal(free / 10n ** 12n);
      // As the vault has it, without the pool's own limit in front.
      await (await as(world.admin).withdraw(assets, world.admin, world.admin)).wait();
      const { freeMarginWad } = await world.ballast.health(accountId(world.deployment.pool));
      expect(freeMarginWad >= 0n && freeMarginWad < 10n ** 12n, String(freeMarginWad)).to.equal(true);
      expect(await as(world.admin).maxWithdraw(world.admin)).to.equal(0n);
    });

    it("stay within the cash that the vault holds", async () => {
      await worldOf("100000", { insuranceSeed: "0" });
      const borrower = await world.fund(trader, { WETH: "1000" });
      await (await world.as(trader)).withdraw(borrower, "USDC", "60000");
      const { assets } = await expectMaxHolds(world.admin);
      expect(assets).to.equal(usd("40003"));
    });

    it("INV-43: stay within its cash when it holds collateral: the pool borrows nothing to pay", async () => {
      await worldOf("100000");
      await world.fund(stranger, { USDC: "1000000" });
      const debtor = await world.fund(trader, { WETH: "500" });
      await (await world.as(trader)).withdraw(debtor, "USDC", "76000");
      await world.push({ ETH: "173" });
      await (await vaultAs(stranger).absorb([debtor], accountId(stranger.address, 1))).wait();
      const cash = await vaultAs(stranger).cash(accountId(world.deployment.pool));
      expect(cash > wad("22000") && cash < wad("24000"), String(cash)).to.equal(true);
      expect((await as(stranger).totalAssets()) > usd("100000")).to.equal(true);
      const { assets } = await expectMaxHolds(world.admin);
      expect(assets).to.equal(cash / 10n ** 12n);
    });

    it("let the last provider out whole when traders came, paid and left", async () => {
      await worldOf("100000");
      const account = await world.fund(trader, { USDC: "1000000" });
      await trade(account, "ETH", "4000");
      await trade(account, "ETH", "-4000");
      const { assets, shares } = await expectMaxHolds(world.admin);
      expect(assets > usd("101000"), String(assets)).to.equal(true);
      expect(shares).to.equal(await as(world.admin).balanceOf(world.admin));
    });

    it("let the last provider out of what is left when traders came, won and left", async () => {
      await worldOf("100000");
      const account = await world.fund(trader, { USDC: "1000000" });
      await trade(account, "ETH", "4000");
      await world.push({ ETH: "210" });
      await trade(account, "ETH", "-4000");
      const { assets } = await expectMaxHolds(world.admin);
      expect(assets > usd("61000") && assets < usd("63000"), String(assets)).to.equal(true);
    });

    it("name no deposit that the vault could not book", async () => {
      const most = await as(provider).maxDeposit(provider);
      await (await usdc.mint(provider, most)).wait();
      await (await usdc.approve(world.deployment.pool, most)).wait();
      await (await as(provider).deposit(most, provider)).wait();
    });
  });

  describe("a pool that lost", () => {
    it("takes no deposit while it is worth less than nothing, though it have no shares", async () => {
      await worldOf("100000");
      await world.fund(stranger, { USDC: "1000000" });
      const debtor = await world.fund(trader, { WETH: "500" });
      await (await world.as(trader)).withdraw(debtor, "USDC", "76000");
      await (
        await as(world.admin).redeem(await as(world.admin).maxRedeem(world.admin), world.admin, world.admin)
      ).wait();
      expect(await as(world.admin).totalSupply()).to.equal(0n);
      await world.push({ ETH: "173" });
      await (await vaultAs(stranger).absorb([debtor], accountId(stranger.address, 1))).wait();
      await world.push({ ETH: "150" });
      const [value] = await vaultAs(provider).poolValue();
      expect(value < -wad("9000"), String(value)).to.equal(true);
      await approved(provider, "20000");
      expect(await as(provider).maxDeposit(provider)).to.equal(0n);
      await world.push({ ETH: "200" });
      expect((await as(provider).maxDeposit(provider)) > 0n).to.equal(true);
    });

    it("takes no deposit while a share is worth less than a hundredth of its first price", async () => {
      await worldOf("100000");
      const account = await world.fund(trader, { USDC: "1000000" });
      await trade(account, "ETH", "4900");
      await approved(provider, "2000");
      await world.push({ ETH: "220.4" });
      const worth = await as(provider).totalAssets();
      expect(worth > usd("1000") && worth < usd("2000"), String(worth)).to.equal(true);
      expect((await as(provider).maxDeposit(provider)) > 0n && (await as(provider).maxMint(provider)) > 0n).to.equal(
        true,
      );
      await (await as(provider).deposit(usd("10"), provider)).wait();
      await world.push({ ETH: "220.6" });
      const less = await as(provider).totalAssets();
      expect(less > 0n && less < usd("1000"), String(less)).to.equal(true);
      expect([await as(provider).maxDeposit(provider), await as(provider).maxMint(provider)]).to.deep.equal([0n, 0n]);
      await expectRevert(() => as(provider).deposit(usd("10"), provider), "ERC4626ExceededMaxDeposit", {
        receiver: provider.address,
        assets: usd("10"),
        max: 0n,
      });
      await expectRevert(() => as(provider).mint(1n, provider), "ERC4626ExceededMaxMint", {
        receiver: provider.address,
        shares: 1n,
        max: 0n,
      });
      await world.push({ ETH: "230" });
      expect(await as(provider).totalAssets()).to.equal(0n);
      expect(await as(world.admin).maxRedeem(world.admin)).to.equal(0n);
    });
  });

  describe("a stale price", () => {
    it("of a market in which the pool has a position stops deposits and redemptions", async () => {
      await worldOf("100000");
      const account = await world.fund(trader, { USDC: "10000" });
      await trade(account, "ETH", "10");
      await approved(provider, "10");
      await (await world.ballast.oracle.setPushFeed(1, wad("0.001"), 60)).wait();
      await world.passTime(61);
      const { fresh } = await vaultAs(provider).poolValue();
      expect(fresh).to.equal(false);
      await expectRevert(() => as(provider).deposit(usd("10"), provider), "ERC4626ExceededMaxDeposit", {
        receiver: provider.address,
        assets: usd("10"),
        max: 0n,
      });
      await expectRevert(() => as(world.admin).redeem(1n, world.admin, world.admin), "ERC4626ExceededMaxRedeem", {
        owner: world.admin.address,
        shares: 1n,
        max: 0n,
      });
      expect(await as(world.admin).maxWithdraw(world.admin)).to.equal(0n);
      await world.push({ ETH: "200" });
      await (await as(provider).deposit(usd("10"), provider)).wait();
      await (await as(world.admin).redeem(wad("10"), world.admin, world.admin)).wait();
    });

    it("of a market that everybody left stops nothing", async () => {
      await worldOf("100000");
      const account = await world.fund(trader, { USDC: "10000" });
      await trade(account, "ETH", "10");
      await trade(account, "ETH", "-10");
      await (await world.ballast.oracle.setPushFeed(1, wad("0.001"), 60)).wait();
      await world.passTime(61);
      await depositIntoPool(world, provider, "10");
      await (await as(world.admin).redeem(wad("10"), world.admin, world.admin)).wait();
    });

    it("of selling what was absorbed belongs to those who were there: entering just before the sale gains nothing", async () => {
      await worldOf("100000");
      await world.fund(stranger, { USDC: "10000" });
      const debtor = await world.fund(trader, { WETH: "10" });
      await (await world.as(trader)).withdraw(debtor, "USDC", "1500");
      await world.push({ ETH: "174" });
      await (await vaultAs(stranger).absorb([debtor], accountId(stranger.address, 1))).wait();
      await approved(provider, "100000");
      await (await as(provider).deposit(usd("100000"), provider.address)).wait();
      const [before] = await vaultAs(stranger).poolValue();
      const { address: weth } = world.deployment.collaterals[0]!;
      const buyer = accountId(stranger.address);
      await (await vaultAs(stranger).buyCollateral(buyer, weth, wad("10"), wad("1741.74"))).wait();
      const [after] = await vaultAs(stranger).poolValue();
      expect(after - before > wad("174"), String(after - before)).to.equal(true);
      const worth = await as(provider).convertToAssets(await as(provider).balanceOf(provider));
      expect(worth <= usd("100000") && worth > usd("99990"), `${worth} of 100,000`).to.equal(true);
    });

    it("of a collateral that the pool holds lets nobody in, and lets out without its value", async () => {
      await worldOf("100000");
      await world.fund(stranger, { USDC: "10000" });
      const debtor = await world.fund(trader, { WETH: "10" });
      await (await world.as(trader)).withdraw(debtor, "USDC", "1500");
      await world.push({ ETH: "174" });
      await (await vaultAs(stranger).absorb([debtor], accountId(stranger.address, 1))).wait();
      const [value, band, haircut] = await vaultAs(stranger).poolValue();
      expect(band).to.equal(wad("1.566")); // 10 * 174 * 90%, a thousandth of it
      expect(haircut).to.equal(wad("174.174")); // the rest, and a thousandth
      await (await world.ballast.oracle.setPushFeed(96, wad("0.001"), 60)).wait();
      await world.passTime(61);
      const [without, noBand, noHaircut, fresh] = await vaultAs(stranger).poolValue();
      expect([value - without, noBand, noHaircut, fresh]).to.deep.equal([wad("1566"), 0n, 0n, false]);
      expect(await as(provider).maxDeposit(provider)).to.equal(0n);
      const shares = await as(world.admin).maxRedeem(world.admin);
      expect(shares > wad("90000")).to.equal(true);
      await (await as(world.admin).redeem(wad("1000"), world.admin, world.admin)).wait();
      const got = await usdc.balanceOf(world.admin);
      const fair = (without * 1000n) / 100_000n / 10n ** 12n;
      expect(got <= fair && got > fair - 10n, `${got} of ${fair}`).to.equal(true);
    });
  });

  it("loses and gains nothing at constant price by providers coming and going", async () => {
    await worldOf("100000");
    const account = await world.fund(trader, { USDC: "10000" });
    await trade(account, "ETH", "100");
    const price = async () => ((await vaultAs(provider).poolValue())[0] * WAD) / (await as(provider).totalSupply());
    let last = await price();
    for (const signer of [provider, stranger]) {
      await depositIntoPool(world, signer, "12345.678901");
      await world.passTime(2);
      expect((await price()) >= last).to.equal(true);
      last = await price();
    }
    for (const signer of [provider, stranger]) {
      await (await as(signer).redeem(await as(signer).balanceOf(signer), signer, signer)).wait();
      expect((await usdc.balanceOf(signer)) < usd("12345.678901")).to.equal(true);
      expect((await price()) >= last).to.equal(true);
      last = await price();
    }
  });
});
