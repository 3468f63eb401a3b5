import { expect } from "chai";
import hre from "hardhat";

import { type Connection, accountParameters } from "../../ignition/deploy.js";
import { type AccountId, type BallastEvent, WAD, accountId, decodePosition, parseDecimal } from "../../sdk/index.js";
import { type MarginVault, MarginVault__factory, MockToken__factory } from "../../typechain-types/index.js";
import { type FillTerms, abs, ceilDiv, feeOf, quote } from "../helpers/model.js";
import { changes, portfolio, portfolios } from "../helpers/portfolio.js";
import { expectRevert } from "../helpers/revert.js";
import { type Signer, type World, deployWorld, roundFigures, thinEth, wad, withoutInterest } from "../helpers/world.js";

const ETH = 1n;
const BTC = 0n;
const everything = 2n ** 255n;

enum Refusal {
  None,
  NoPosition,
  PriceStale,
  DiscountTooSmall,
  ImpactTooLarge,
  PoolMargin,
  RemainderBelowMinimum,
}

describe("contracts: liquidation", () => {
  let world: World;
  let vault: MarginVault;
  let owner: Signer;
  let other: Signer;
  let keeper: Signer;
  let keeperAccount: AccountId;
  let pool: AccountId;
  let insurance: AccountId;
  let connection: Connection;

  async function quiet() {
    return deployWorld(connection, (parameters) => withoutInterest(roundFigures(parameters)));
  }

  function enter(entered: World) {
    world = entered;
    [owner, other, keeper] = world.signers as [Signer, Signer, Signer];
    vault = MarginVault__factory.connect(world.deployment.vault, keeper);
    keeperAccount = accountId(keeper.address);
    pool = accountId(world.deployment.pool);
    insurance = accountId(world.deployment.vault);
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    enter(await connection.networkHelpers.loadFixture(quiet));
  });

  const ethTerms = (price: string, skewScale = "8000000"): FillTerms => ({
    price: wad(price),
    skewScale: wad(skewScale),
    taker: wad("0.0015"),
    maker: wad("0.0012"),
  });

  const trade = async (signer: Signer, account: AccountId, market: string, size: string) =>
    (await world.as(signer)).trade(account, market, size);

  /** A long of ETH, by default 10 at 200 with 200 of cash: liquidatable below 186, bankrupt below 180.3. */
  async function longOf(size = "10", cash = "200", index = 0): Promise<AccountId> {
    const account = await world.fund(owner, { USDC: cash }, index);
    await trade(owner, account, "ETH", size);
    return account;
  }

  const force = (account: AccountId, size = everything, market = ETH) =>
    vault.liquidatePosition(account, market, size, pool);

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

  async function setAccounts(change: Partial<ReturnType<typeof accountParameters>>) {
    await (
      await world.ballast.vault.setAccountParameters({ ...accountParameters(world.parameters), ...change })
    ).wait();
  }

  const micro = (amount: bigint) => (amount / 10n ** 12n) * 10n ** 12n;

  describe("of a part", () => {
    it("closes into the pool at its fill, and splits the fee between keeper, pool and insurance", async () => {
      const account = await longOf();
      await world.push({ ETH: "185.7" });
      const accounts = { account, keeper: keeperAccount };
      const before = await portfolios(world, accounts);
      const [from] = [before.accounts.account];
      expect(from.health.isLiquidatable).to.equal(true);
      const events = await eventsOf(() => force(account));
      const told = argsOf(events, "PositionLiquidated");
      const { sizeDeltaWad = 0n, feeWad: fee = 0n, rewardWad: reward = 0n } = told;
      const closed = -sizeDeltaWad;
      expect(closed > wad("1") && closed < wad("9"), String(closed)).to.equal(true);
      const after = await portfolios(world, accounts);

      // First the loss of the whole position is settled, then the part is closed at the price less impact; then the fee.
      const loss = from.positions.ETH?.value ?? 0n;
      const cost = (from.positions.ETH?.cost ?? 0n) + loss;
      const costShare = ceilDiv(cost * closed, wad("10"));
      const proceeds = -quote(ethTerms("185.7"), wad("10"), -closed);
      const realized = loss + proceeds - costShare;
      expect(reward).to.equal((fee * 4n) / 10n);
      const forInsurance = micro(fee / 5n);
      const change = changes(before, after);
      expect(change).to.deep.equal({
        "account.cash": realized - fee,
        "account.positions.ETH.size": -closed,
        "account.positions.ETH.cost": loss - costShare,
        "keeper.cash": reward,
        "pool.cash": -realized + fee - reward,
        "pool.positions.ETH.size": closed,
        // Insurance's share is not cash before it is swept. Both sides are rounded for the vault.
        "pool.positions.ETH.cost": proceeds - realized + forInsurance + 1n,
        "fees.ETH": forInsurance,
      });
      expect(told).to.deep.equal({
        account,
        market: ETH,
        taker: pool,
        liquidator: keeper.address,
        sizeDeltaWad: -closed,
        fillPriceWad: told.fillPriceWad,
        feeWad: fee,
        rewardWad: reward,
        healthBeforeWad: from.health.healthWad,
        healthAfterWad: after.accounts.account.health.healthWad,
      });
      expect(abs((told.fillPriceWad ?? 0n) * closed - proceeds * WAD) < closed).to.equal(true);
      await expectRevert(() => force(account), "AccountHealthy", {
        account,
        equityWad: after.accounts.account.health.equityMaintenanceWad,
        requirementWad: after.accounts.account.health.requirementMaintenanceWad,
      });
    });

    it("INV-33: refuses an account that is healthy, be it by a wei", async () => {
      const account = await longOf();
      // 200 + 10 * p - cost = 0.3 * p * (1 + 10 / 480,000) + 2; the least whole number of wei above it.
      let [low, high] = [wad("180"), wad("200")];
      const cost = quote(ethTerms("200"), 0n, wad("10")) + feeOf(ethTerms("200"), 0n, wad("10"));
      const margin = (price: bigint) => {
        const notional = 10n * price;
        const rate = wad("0.03") + ceilDiv(wad("10") * WAD, wad("16000000"));
        return wad("200") + notional - cost - ceilDiv(notional * rate, WAD) - wad("2");
      };
      while (high - low > 1n) {
        const middle = (low + high) / 2n;
        if (margin(middle) >= 0n) high = middle;
        else low = middle;
      }
      const text = (price: bigint) => `${price / WAD}.${String(price % WAD).padStart(18, "0")}`;
      await world.push({ ETH: text(high) });
      const { health } = await portfolio(world, account);
      expect(health.equityMaintenanceWad - health.requirementMaintenanceWad).to.equal(margin(high));
      expect(margin(high) < 100n).to.equal(true);
      await expectRevert(() => force(account), "AccountHealthy", {
        account,
        equityWad: health.equityMaintenanceWad,
        requirementWad: health.requirementMaintenanceWad,
      });
      await expectRevert(() => vault.previewLiquidation(account, ETH, everything, pool), "AccountHealthy", {
        account,
        equityWad: health.equityMaintenanceWad,
        requirementWad: health.requirementMaintenanceWad,
      });
      await world.push({ ETH: text(low) });
      await (await force(account)).wait();
    });

    it("closes no more than the largest size named", async () => {
      const account = await longOf();
      await world.push({ ETH: "184" });
      const before = await world.ballast.health(account);
      await (await force(account, wad("0.5"))).wait();
      const after = await portfolio(world, account);
      expect(after.positions.ETH?.size).to.equal(wad("9.5"));
      expect((after.health.healthWad ?? 0n) > (before.healthWad ?? 0n)).to.equal(true);
      expect(after.health.isLiquidatable).to.equal(true);
    });

    it("closes a position whole whose rest would be below the minimum", async () => {
      const account = await longOf("0.1", "3.05");
      await world.push({ ETH: "192" });
      expect((await world.ballast.health(account)).isLiquidatable).to.equal(true);
      await (await force(account)).wait();
      expect((await portfolio(world, account)).positions).to.deep.equal({});
    });

    it("leaves the choice of the leg to the caller", async () => {
      const account = await world.fund(owner, { USDC: "385" });
      await trade(owner, account, "ETH", "10");
      await trade(owner, account, "BTC", "-0.4");
      await world.push({ ETH: "185", BTC: "8200" });
      expect((await world.ballast.health(account)).isLiquidatable).to.equal(true);
      const start = await connection.networkHelpers.takeSnapshot();
      for (const [market, kept] of [
        [ETH, { BTC: -wad("0.4") }],
        [BTC, { ETH: wad("10") }],
      ] as const) {
        await start.restore();
        await (await force(account, everything, market)).wait();
        const { positions, health } = await portfolio(world, account);
        for (const [symbol, size] of Object.entries(kept)) expect(positions[symbol]?.size).to.equal(size);
        expect(health.isLiquidatable).to.equal(false);
      }
    });

    it("takes no taker that the caller may not act for, and never the target", async () => {
      const account = await longOf();
      await world.push({ ETH: "185" });
      for (const taker of [account, insurance, accountId(world.deployment.pool, 1)]) {
        const refused = { account: taker, caller: keeper.address };
        await expectRevert(() => vault.liquidatePosition(account, ETH, everything, taker), "NotAuthorized", refused);
      }
      const asOwner = vault.connect(owner);
      await expectRevert(() => asOwner.liquidatePosition(account, ETH, everything, account), "RewardToTarget", {
        account,
      });
    });

    it("never names the pool or the insurance a target", async () => {
      for (const account of [pool, insurance]) {
        await expectRevert(() => force(account), "NotATarget", { account });
        await expectRevert(() => vault.previewLiquidation(account, ETH, everything, pool), "NotATarget", { account });
        await expectRevert(() => vault.absorb([account], keeperAccount), "NotATarget", { account });
        await expectRevert(() => vault.previewAbsorb(account), "NotATarget", { account });
      }
    });

    it("refuses a size of zero and a market that is not listed", async () => {
      const account = await longOf();
      await world.push({ ETH: "185" });
      await expectRevert(() => force(account, 0n), "ZeroAmount");
      await expectRevert(() => force(account, everything, 3n), "UnknownMarket", { market: 3n });
      await expectRevert(() => vault.previewLiquidation(account, 3n, everything, pool), "UnknownMarket", {
        market: 3n,
      });
    });

    it("gives no reward to the target", async () => {
      const account = await longOf();
      await world.push({ ETH: "185" });
      await expectRevert(
        () => vault.connect(owner).liquidatePosition(account, ETH, everything, pool),
        "RewardToTarget",
        {
          account,
        },
      );
      await expectRevert(() => vault.absorb([account], account), "RewardToTarget", { account });
      // It would go to the caller's account 0: another account of the same owner is another account.
      const second = await longOf("10", "200", 4);
      await world.push({ ETH: "170.5" });
      await (await vault.connect(owner).liquidatePosition(second, ETH, everything, pool)).wait();
    });
  });

  describe("refuses a leg", () => {
    const refuses = async (account: AccountId, refusal: Refusal, market = ETH, size = everything) => {
      const preview = await vault.previewLiquidation(account, market, size, pool);
      expect(Refusal[Number(preview.refusal)]).to.equal(Refusal[refusal]);
      await expectRevert(() => force(account, size, market), "LegRefused", { account, market, refusal });
    };

    it("where the account has no position", async () => {
      const account = await longOf();
      await world.push({ ETH: "185" });
      await refuses(account, Refusal.NoPosition, BTC);
    });

    it("whose price is stale, while another leg may be closed", async () => {
      const account = await world.fund(owner, { USDC: "385" });
      await trade(owner, account, "ETH", "10");
      await trade(owner, account, "BTC", "-0.4");
      await world.push({ ETH: "185", BTC: "8200" });
      await letStale(0);
      await refuses(account, Refusal.PriceStale, BTC);
      expect((await vault.previewAbsorb(account)).open).to.equal(false);
      await (await force(account)).wait();
    });

    it("when health bears less than the fee of a trade", async () => {
      const account = await longOf();
      await world.push({ ETH: "180.5" });
      await refuses(account, Refusal.DiscountTooSmall);
    });

    it("whose impact is more than health bears", async () => {
      enter(await deployWorld(await hre.network.create(), (parameters) => withoutInterest(thinEth(parameters))));
      const account = await longOf();
      await trade(other, await world.fund(other, { USDC: "1000000" }), "ETH", "-240");
      await world.push({ ETH: "184.5" });
      await refuses(account, Refusal.ImpactTooLarge);
    });

    it("that would grow a position of the pool beyond its own margin", async () => {
      enter(
        await deployWorld(
          await hre.network.create(),
          (parameters) => withoutInterest(roundFigures(parameters)),
          "100000",
        ),
      );
      const account = await longOf();
      const short = await world.fund(other, { USDC: "400" }, 1);
      await trade(other, short, "ETH", "-10");
      await trade(other, short, "BTC", "0.5");
      // The pool is long of 4690: at 184 it has lost 75,000, and wants 43,000 of initial margin for the position.
      await trade(other, await world.fund(other, { USDC: "1000000" }), "ETH", "-4690");
      await world.push({ ETH: "184", BTC: "7200" });
      const { freeMarginWad } = await world.ballast.health(pool);
      expect(freeMarginWad < 0n, String(freeMarginWad)).to.equal(true);
      await refuses(account, Refusal.PoolMargin);
      // What lowers its skew it takes even so.
      expect((await vault.previewLiquidation(short, ETH, everything, pool)).refusal).to.equal(0n);
      await (await force(short)).wait();
    });

    it("of which the size named would leave less than the minimum; named whole, it is closed whole", async () => {
      const account = await longOf("0.1", "3.05");
      await world.push({ ETH: "192" });
      await refuses(account, Refusal.RemainderBelowMinimum, ETH, wad("0.06"));
      await (await force(account, wad("0.1"))).wait();
      expect((await portfolio(world, account)).positions).to.deep.equal({});
    });
  });

  it("INV-35: previews exactly what it then does", async () => {
    const stories = [
      ["10", "200", "185", everything],
      ["10", "200", "183.6", everything],
      ["10", "200", "184", wad("0.7")],
      ["-10", "200", "216", everything],
      ["0.1", "3.05", "192", everything],
    ] as const;
    for (const [i, [size, cash, price, most]] of stories.entries()) {
      const account = await longOf(size, cash, i + 1);
      await world.push({ ETH: price });
      const preview = await vault.previewLiquidation(account, ETH, most, pool);
      const { refusal, sizeDeltaWad, fillPriceWad, feeWad, rewardWad } = preview;
      expect(refusal, price).to.equal(0n);
      const told = argsOf(await eventsOf(() => force(account, most)), "PositionLiquidated");
      expect(told, price).to.deep.include({ sizeDeltaWad, fillPriceWad, feeWad, rewardWad });
      await world.push({ ETH: "200" });
    }
  });

  describe("of the whole, by absorbing it", () => {
    const absorb = (accounts: readonly AccountId[], rewardTo: AccountId = keeperAccount) =>
      vault.absorb([...accounts], rewardTo);

    it("above zero: the pool takes the position at its fill, a penalty is split, the rest is returned", async () => {
      const account = await longOf();
      await world.push({ ETH: "181.5" });
      const accounts = { account, keeper: keeperAccount };
      const before = await portfolios(world, accounts);
      const { health, positions } = before.accounts.account;
      expect((health.healthWad ?? 0n) > 0n && (health.healthWad ?? 0n) < wad("0.5")).to.equal(true);
      expect((await vault.previewAbsorb(account)).open).to.equal(true);
      const proceeds = -quote(ethTerms("181.5"), wad("10"), -wad("10"));
      const cost = positions.ETH?.cost ?? 0n;
      const realized = proceeds - cost;
      const equity = wad("200") + realized;
      // 1% of 1815, of which 40% are the keeper's and 20% insurance's; equity has only 11.99 left.
      const penalty = equity;
      expect(penalty > wad("2") && penalty < wad("18.15"), String(penalty)).to.equal(true);
      const events = await eventsOf(() => absorb([account]));
      const reward = (penalty * 4n) / 10n;
      expect(changes(before, await portfolios(world, accounts))).to.deep.equal({
        "account.cash": -wad("200"),
        "account.positions.ETH.size": -wad("10"),
        "account.positions.ETH.cost": -cost,
        "keeper.cash": reward,
        "pool.cash": -realized + penalty - reward - penalty / 5n,
        "pool.positions.ETH.size": wad("10"),
        "pool.positions.ETH.cost": proceeds - realized,
        "insurance.cash": penalty / 5n,
      });
      expect(argsOf(events, "Absorbed")).to.deep.equal({
        account,
        rewardTo: keeperAccount,
        deleveraged: false,
        penaltyWad: penalty,
        rewardWad: reward,
        returnedWad: 0n,
      });
      expect(argsOf(events, "PositionAbsorbed")).to.deep.equal({
        account,
        market: ETH,
        sizeDeltaWad: -wad("10"),
        fillPriceWad: wad("181.50011343750"),
        realizedWad: realized,
      });
      expect((await world.ballast.state(account)).assets).to.equal(0n);
    });

    it("takes 1% of notional and collateral, and what is left is the account's", async () => {
      const account = await world.fund(owner, { USDC: "20", WETH: "1" });
      await trade(owner, account, "ETH", "10");
      // Equity 20 + 0.9 * p + 10 * p - cost
      await world.push({ ETH: "184.5" });
      await setAccounts({ absorbPenaltyWad: wad("0.001"), keeperShareWad: wad("0.5"), absorbRewardFloorWad: 0n });
      const accounts = { account, keeper: keeperAccount };
      const before = await portfolios(world, accounts);
      const proceeds = -quote(ethTerms("184.5"), wad("10"), -wad("10"));
      const cost = before.accounts.account.positions.ETH?.cost ?? 0n;
      const paid = wad("166.05"); // 90% of 184.5
      const penalty = wad("2.0295"); // a thousandth of 1845 + 184.5
      const events = await eventsOf(() => absorb([account]));
      const returned = wad("20") + proceeds - cost + paid - penalty;
      expect(returned > wad("5"), String(returned)).to.equal(true);
      expect(argsOf(events, "CollateralAbsorbed")).to.deep.equal({
        account,
        token: world.deployment.collaterals[0]?.address,
        amount: WAD,
        valueWad: paid,
        stockSince: BigInt((await world.ballast.provider.getBlock("latest"))?.timestamp ?? 0),
      });
      expect(argsOf(events, "Absorbed")).to.deep.include({ penaltyWad: penalty, returnedWad: returned });
      expect(changes(before, await portfolios(world, accounts))).to.deep.equal({
        "account.cash": returned - wad("20"),
        "account.collaterals.WETH": -WAD,
        "account.positions.ETH.size": -wad("10"),
        "account.positions.ETH.cost": -cost,
        "keeper.cash": penalty / 2n,
        "pool.cash": cost - proceeds - paid + penalty - penalty / 2n - penalty / 5n,
        "pool.collaterals.WETH": WAD,
        "pool.positions.ETH.size": wad("10"),
        "pool.positions.ETH.cost": cost,
        "insurance.cash": penalty / 5n,
      });
    });

    it("takes collateral at its weighted value, no position needed", async () => {
      const account = await world.fund(owner, { WETH: "10" });
      await (await world.as(owner)).withdraw(account, "USDC", "1500");
      await world.push({ ETH: "174" });
      // 1566 of weighted value less 1500 is below 5% of 1500 and 2, and there is no leg that step 1 could take.
      const before = await portfolios(world, { account, keeper: keeperAccount });
      expect(before.accounts.account.health.equityMaintenanceWad).to.equal(wad("66"));
      const events = await eventsOf(() => absorb([account]));
      const penalty = wad("17.4");
      expect(changes(before, await portfolios(world, { account, keeper: keeperAccount }))).to.deep.equal({
        "account.cash": wad("1566") - penalty,
        "account.collaterals.WETH": -wad("10"),
        "keeper.cash": (penalty * 4n) / 10n,
        "pool.cash": -wad("1566") + (penalty * 4n) / 10n,
        "pool.collaterals.WETH": wad("10"),
        "insurance.cash": penalty / 5n,
      });
      expect(argsOf(events, "Absorbed").returnedWad).to.equal(wad("48.6"));
    });

    it("below zero: insurance pays, and the keeper is paid by insurance", async () => {
      const account = await longOf();
      await world.push({ ETH: "170" });
      const accounts = { account, keeper: keeperAccount };
      const before = await portfolios(world, accounts);
      const deficit = -before.accounts.account.health.equityMaintenanceWad;
      expect(deficit > wad("103") && deficit < wad("104"), String(deficit)).to.equal(true);
      const events = await eventsOf(() => absorb([account]));
      expect(argsOf(events, "InsurancePaid")).to.deep.equal({ account, deficitWad: deficit, paidWad: deficit });
      expect(argsOf(events, "Absorbed")).to.deep.equal({
        account,
        rewardTo: keeperAccount,
        deleveraged: true,
        penaltyWad: 0n,
        rewardWad: wad("2"),
        returnedWad: 0n,
      });
      // Nothing else is missing: the position is closed against the other side, which here is the pool alone, at the price itself.
      expect(argsOf(events, "PositionDeleveraged")).to.deep.equal({
        account,
        market: ETH,
        sizeWad: wad("10"),
        priceRay: wad("170") * 10n ** 9n,
        realizedWad: before.accounts.account.positions.ETH?.value,
      });
      expect(argsOf(events, "Deleveraged")).to.deep.equal({
        market: ETH,
        long: false,
        epoch: 0n,
        soldRay: 10n ** 27n,
        priceRay: wad("170") * 10n ** 9n,
        scaleRay: 0n,
      });
      const after = await portfolios(world, accounts);
      expect(after.accounts.insurance.cash - before.accounts.insurance.cash).to.equal(-deficit - wad("2"));
      expect(after.accounts.account.positions).to.deep.equal({});
      expect(decodePosition((await vault.market(ETH)).poolPosition).sharesWad).to.equal(0n);
      expect(after.accounts.keeper.cash).to.equal(wad("2"));
      expect(after.accounts.account.cash).to.equal(0n);
      // The pool has what the trader lost to the price, the impact of its opening, and its share of the fee.
      const pooled = after.accounts.pool;
      const fee = feeOf(ethTerms("200"), 0n, wad("10"));
      const impact = wad("0.00125");
      const earned = pooled.cash - (pooled.positions.ETH?.cost ?? 0n) - wad("10000000");
      expect(earned).to.equal(wad("300") + impact + fee - micro(fee / 10n));
      const poolPaid = events.filter(({ name }) => name === "PoolPaid");
      expect(poolPaid).to.deep.equal([]);
    });

    it("with insurance empty, the pool pays, and openings are at once measured against what it has left", async () => {
      enter(
        await deployWorld(await hre.network.create(), (parameters) =>
          withoutInterest(roundFigures(parameters, { vault: { insuranceSeed: "0" } })),
        ),
      );
      const account = await longOf();
      await world.push({ ETH: "170" });
      const accounts = { account, keeper: keeperAccount };
      await (await vault.refreshCapital()).wait();
      const capital = (await vault.capital()) & (2n ** 128n - 1n);
      const before = await portfolios(world, accounts);
      expect(before.accounts.insurance.cash).to.equal(0n);
      const deficit = -before.accounts.account.health.equityMaintenanceWad;
      const events = await eventsOf(() => absorb([account]));
      expect(argsOf(events, "InsurancePaid")).to.deep.equal({ account, deficitWad: deficit, paidWad: 0n });
      expect(argsOf(events, "PoolPaid")).to.deep.equal({ account, paidWad: deficit });
      const after = await portfolios(world, accounts);
      expect(after.accounts.keeper.cash).to.equal(0n);
      expect(after.accounts.insurance.cash).to.equal(0n);
      expect(after.accounts.account.cash).to.equal(0n);
      // The premium of its skew of 10, which it need not repay, is the pool's now.
      const premium = wad("0.0010625");
      expect((await vault.capital()) & (2n ** 128n - 1n)).to.equal(capital + premium - deficit);
      const budget = (await vault.cashView()).poolLosses;
      expect((budget >> 104n) & (2n ** 104n - 1n)).to.equal(deficit);
    });

    it("pays with what insurance has, and the pool the rest", async () => {
      enter(
        await deployWorld(await hre.network.create(), (parameters) =>
          withoutInterest(roundFigures(parameters, { vault: { insuranceSeed: "60" } })),
        ),
      );
      const account = await longOf();
      await world.push({ ETH: "170" });
      const before = await portfolios(world, { account, keeper: keeperAccount });
      const deficit = -before.accounts.account.health.equityMaintenanceWad;
      const events = await eventsOf(() => absorb([account]));
      expect(argsOf(events, "InsurancePaid")).to.deep.equal({ account, deficitWad: deficit, paidWad: wad("60") });
      expect(argsOf(events, "PoolPaid")).to.deep.equal({ account, paidWad: deficit - wad("60") });
      const after = await portfolios(world, { account, keeper: keeperAccount });
      expect([after.accounts.insurance.cash, after.accounts.keeper.cash]).to.deep.equal([0n, 0n]);
    });

    it("leaves a leg without a fresh price with the account, and takes the others", async () => {
      const account = await world.fund(owner, { USDC: "700" });
      await trade(owner, account, "ETH", "20");
      await trade(owner, account, "BTC", "0.5");
      await world.push({ ETH: "180", BTC: "7600" });
      await letStale(0);
      const before = await portfolios(world, { account });
      const { health, positions } = before.accounts.account;
      expect(
        (health.healthWad ?? 0n) < wad("0.5") && health.equityMaintenanceWad > 0n,
        String(health.healthWad),
      ).to.equal(true);
      await (await absorb([account])).wait();
      const after = await portfolio(world, account);
      expect(after.positions).to.deep.equal({ BTC: positions.BTC });
      const proceeds = -quote(ethTerms("180"), wad("20"), -wad("20"));
      const penalty = wad("36"); // 1% of what was taken
      expect(after.cash).to.equal(wad("700") + proceeds - (positions.ETH?.cost ?? 0n) - penalty);
    });

    it("makes good what was taken, and no loss whose price is stale; and pays nothing for taking dust", async () => {
      const account = await world.fund(owner, { USDC: "700" });
      await trade(owner, account, "ETH", "20");
      await trade(owner, account, "BTC", "0.5");
      await world.push({ ETH: "150", BTC: "7000" });
      await letStale(0);
      const { ETH } = (await portfolio(world, account)).positions;
      const { BTC: waiting } = (await portfolio(world, account)).positions;
      expect((waiting?.value ?? 0n) < 0n).to.equal(true);
      const events = await eventsOf(() => absorb([account]));
      // The deficit is that of what was taken, at the price.
      const deficitWad = -(wad("700") + (ETH?.value ?? 0n));
      expect(argsOf(events, "InsurancePaid")).to.deep.equal({ account, deficitWad, paidWad: deficitWad });
      expect(await portfolio(world, account)).to.deep.include({ cash: 0n, positions: { BTC: waiting } });

      await world.fund(owner, { WETH: "0.0001" });
      expect(argsOf(await eventsOf(() => absorb([account])), "Absorbed")).to.include({
        rewardWad: wad("0.00006"), // the keeper's share of 1% of 0.015, no floor under it, and no top-up to 2
      });
    });

    it("closes at the price what the pool would take below zero, where a loss waits for its price: nobody pays impact", async () => {
      const account = await world.fund(owner, { USDC: "700" });
      await trade(owner, account, "ETH", "20");
      await trade(owner, account, "BTC", "0.5");
      const short = await world.fund(owner, { USDC: "100000" }, 7);
      await trade(owner, short, "ETH", "-2000");
      await world.push({ ETH: "150", BTC: "7000" });
      await letStale(0);
      const before = await portfolios(world, { account, short });
      const { ETH } = before.accounts.account.positions;
      const events = await eventsOf(() => absorb([account]));
      const deficitWad = -(wad("700") + (ETH?.value ?? 0n));
      expect(argsOf(events, "InsurancePaid")).to.deep.equal({ account, deficitWad, paidWad: deficitWad });
      // 20 of the short's 2,000 were bought back at 150; the pool, long of 1,980, has no part in it.
      expect(argsOf(events, "Deleveraged")).to.deep.equal({
        market: 1n,
        long: false,
        epoch: 0n,
        soldRay: 10n ** 25n,
        priceRay: wad("150") * 10n ** 9n,
        scaleRay: 99n * 10n ** 25n,
      });
      expect(events.some(({ name }) => name === "PoolPaid" || name === "PositionAbsorbed")).to.equal(false);
      const after = await portfolios(world, { account, short });
      const [was, is] = [before.accounts.short.positions.ETH, after.accounts.short.positions.ETH];
      expect(is?.size).to.equal(-wad("1980"));
      expect(is?.value).to.equal(was?.value);
      const [poolWas, poolIs] = [before.accounts.pool, after.accounts.pool];
      expect(poolIs.positions.ETH?.size).to.equal(wad("1980"));
      expect(poolIs.health.equityMaintenanceWad).to.equal(poolWas.health.equityMaintenanceWad);
    });

    it("takes no collateral in whose price is stale, which would shield its owner", async () => {
      const account = await longOf();
      await letStale(97);
      const { address } = world.deployment.collaterals[1]!;
      const raw = parseDecimal("10", 8);
      await world.mint("WBTC", owner.address, "10");
      await (await MockToken__factory.connect(address, owner).approve(world.deployment.vault, raw)).wait();
      await expectRevert(() => vault.connect(owner).deposit(account, address, raw), "StaleCollateralPrice", {
        token: address,
        publishedAt: (at: bigint) => at > 0n,
        maxAge: (seconds: bigint) => seconds > 0n,
      });
    });

    it("books a shortfall at once although a collateral without a fresh price stays", async () => {
      const account = await world.fund(owner, { USDC: "200", WBTC: "0.001" });
      await trade(owner, account, "ETH", "10");
      await world.push({ ETH: "170" });
      await letStale(97);
      const before = await portfolios(world, { account });
      const deficit = -before.accounts.account.health.equityMaintenanceWad;
      expect(deficit).to.equal(wad("103.001251875") - wad("7.2"));
      const events = await eventsOf(() => absorb([account]));
      expect(argsOf(events, "InsurancePaid")).to.deep.equal({ account, deficitWad: deficit, paidWad: deficit });
      const after = await portfolio(world, account);
      expect(after.collaterals).to.deep.equal({ WBTC: 100_000n });
      // What it still owes is covered by what stays, at its last good price.
      expect(after.cash).to.equal(-wad("7.2"));
      expect(after.health.equityMaintenanceWad >= 0n).to.equal(true);
      await expectRevert(() => absorb([account]), "NothingToAbsorb");
    });

    it("does not open while a leg that step 1 would take waits for its price, whatever else is fresh", async () => {
      const account = await longOf("10", "193");
      await world.fund(owner, { WBTC: "0.001" });
      await world.push({ ETH: "184" });
      const { healthWad = 0n } = await world.ballast.health(account);
      expect(healthWad > wad("0.5") && healthWad < WAD, String(healthWad)).to.equal(true);
      await letStale(1);
      expect((await vault.previewAbsorb(account)).open).to.equal(false);
      await expectRevert(() => absorb([account]), "NothingToAbsorb");
      await world.push({ ETH: "184" });
      await (await force(account)).wait();
    });

    it("takes nothing from an account of which no price is fresh", async () => {
      const account = await longOf();
      await world.push({ ETH: "170" });
      await letStale(1);
      expect((await vault.previewAbsorb(account)).open).to.equal(false);
      await expectRevert(() => absorb([account]), "NothingToAbsorb");
    });

    it("skips whom step 1 serves and who is healthy, and takes the rest of the batch", async () => {
      const [low, partial, healthy] = [
        await longOf("10", "200", 1),
        await longOf("10", "245", 2),
        await longOf("10", "400", 3),
      ];
      await world.push({ ETH: "181" });
      const accounts = { low, partial, healthy };
      const before = await portfolios(world, accounts);
      for (const [account, open] of [
        [low, true],
        [partial, false],
        [healthy, false],
      ] as const) {
        expect((await vault.previewAbsorb(account)).open).to.equal(open);
      }
      expect(before.accounts.partial.health.isLiquidatable).to.equal(true);
      const events = await eventsOf(() => absorb([healthy, partial, low, low]));
      expect(argsOf(events, "Absorbed").account).to.equal(low);
      const after = await portfolios(world, accounts);
      expect(after.accounts.low.positions).to.deep.equal({});
      for (const name of ["partial", "healthy"] as const) {
        expect(after.accounts[name]).to.deep.equal(before.accounts[name]);
      }
      await expectRevert(() => absorb([healthy, partial, low]), "NothingToAbsorb");
      await expectRevert(() => absorb([]), "NothingToAbsorb");
    });

    it("opens below the absorb health whatever step 1 would do, and not above it", async () => {
      const account = await longOf();
      await world.push({ ETH: "182.9" });
      const { healthWad = 0n } = await world.ballast.health(account);
      expect(healthWad > wad("0.4") && healthWad < wad("0.5"), String(healthWad)).to.equal(true);
      const start = await connection.networkHelpers.takeSnapshot();
      expect((await vault.previewLiquidation(account, ETH, everything, pool)).refusal).to.equal(0n);
      expect((await vault.previewAbsorb(account)).open).to.equal(true);
      await (await absorb([account])).wait();
      await start.restore();
      await setAccounts({ absorbHealthWad: wad("0.3") });
      expect((await vault.previewAbsorb(account)).open).to.equal(false);
      await expectRevert(() => absorb([account]), "NothingToAbsorb");
    });

    it("pays the keeper of a small account its floor, out of the account as long as it has it", async () => {
      const account = await longOf("0.8", "13.9");
      await world.push({ ETH: "186" });
      const accounts = { account, keeper: keeperAccount };
      const before = await portfolios(world, accounts);
      const { health } = before.accounts.account;
      expect(health.equityMaintenanceWad > wad("2"), String(health.equityMaintenanceWad)).to.equal(true);
      // 1% of 148.8 would be a penalty of 1.49.
      const events = await eventsOf(() => absorb([account]));
      expect(argsOf(events, "Absorbed")).to.deep.include({ penaltyWad: wad("2"), rewardWad: wad("2") });
      const after = await portfolios(world, accounts);
      expect(after.accounts.keeper.cash).to.equal(wad("2"));
      expect(after.accounts.insurance.cash).to.equal(before.accounts.insurance.cash);
    });

    it("tops rewards up within an hour's budget, which comes anew with the next hour", async () => {
      await setAccounts({ absorbRewardPerHourWad: wad("5") });
      const accounts: AccountId[] = [];
      for (let index = 1; index <= 6; index += 1) accounts.push(await longOf("1", "20", index));
      await world.push({ ETH: "170" });
      const rewards: bigint[] = [];
      const absorbNext = async () => {
        const events = await eventsOf(() => absorb([accounts[rewards.length] as AccountId]));
        rewards.push(argsOf(events, "Absorbed").rewardWad ?? 0n);
      };
      for (let i = 0; i < 4; i += 1) await absorbNext();
      expect(rewards).to.deep.equal([wad("2"), wad("2"), wad("1"), 0n]);
      await world.passTime(3500);
      await world.push({ ETH: "170" });
      await absorbNext();
      expect(rewards[4]).to.equal(0n);
      await world.passTime(200);
      await world.push({ ETH: "170" });
      await absorbNext();
      expect(rewards[5]).to.equal(wad("2"));
      expect(await world.ballast.vault.cash(keeperAccount)).to.equal(wad("7"));
    });

    it("shares one budget among a batch", async () => {
      await setAccounts({ absorbRewardPerHourWad: wad("3") });
      const accounts = [await longOf("1", "20", 1), await longOf("1", "20", 2), await longOf("1", "20", 3)];
      await world.push({ ETH: "170" });
      await (await absorb(accounts)).wait();
      expect(await world.ballast.vault.cash(keeperAccount)).to.equal(wad("3"));
    });

    it("never takes the target's own reward account, nor rewards a target", async () => {
      const account = await longOf();
      await world.push({ ETH: "170" });
      await expectRevert(() => absorb([account], account), "RewardToTarget", { account });
      const elsewhere = accountId(other.address, 9);
      await (await absorb([account], elsewhere)).wait();
      expect(await world.ballast.vault.cash(elsewhere)).to.equal(wad("2"));
    });
  });

  describe("views of many accounts", () => {
    it("names those at risk, with what each step would do, and leaves the others out", async () => {
      const { lens } = world.ballast;
      const [partial, healthy, low] = [
        await longOf("10", "245", 1),
        await longOf("10", "400", 2),
        await longOf("10", "200", 3),
      ];
      await trade(owner, partial, "BTC", "0.002");
      await world.push({ ETH: "181" });
      const all = [partial, healthy, low, pool, insurance];
      const healths = await vault.healths(all);
      for (const [i, account] of all.entries()) expect(healths[i]).to.deep.equal(await vault.health(account));
      expect(await lens.liquidatable(all)).to.deep.equal([partial, low]);
      const risks = await lens.atRisk(all, pool);
      expect(risks.map(({ account, absorbOpen }) => ({ account, absorbOpen }))).to.deep.equal([
        { account: partial, absorbOpen: false },
        { account: low, absorbOpen: true },
      ]);
      expect(risks[0]?.markets).to.deep.equal([BTC, ETH]);
      for (const [i, market] of [BTC, ETH].entries()) {
        expect(risks[0]?.legs[i]).to.deep.equal(await vault.previewLiquidation(partial, market, 2n ** 256n - 1n, pool));
      }
    });

    it("previews the legs for the taker that is named, and the rest as for the pool", async () => {
      const account = await longOf("10", "245", 1);
      await world.push({ ETH: "181" });
      const risks = [];
      for (const taker of [pool, keeperAccount]) {
        const [risk] = await world.ballast.lens.atRisk([account], taker);
        const leg = await vault.previewLiquidation(account, ETH, 2n ** 256n - 1n, taker);
        expect(risk?.legs).to.deep.equal([leg]);
        risks.push(risk);
      }
      const [intoPool, taken] = risks;
      expect(taken?.health).to.deep.equal(intoPool?.health);
      expect(taken?.legs[0]?.fillPriceWad).to.equal(wad("181"));
      expect(taken?.legs[0]?.fillPriceWad).not.to.equal(intoPool?.legs[0]?.fillPriceWad);
    });
  });
});
