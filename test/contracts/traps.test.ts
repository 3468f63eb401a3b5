import { expect } from "chai";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import { type AccountId, type BallastEvent, WAD } from "../../sdk/index.js";
import {
  LiquidityPool__factory,
  type MarginVault,
  MarginVault__factory,
  MockToken__factory,
} from "../../typechain-types/index.js";
import { type FillTerms, abs, ceilDiv, feeOf, quote } from "../helpers/model.js";
import { type Portfolios, changes, portfolio, portfolios } from "../helpers/portfolio.js";
import { expectRevert } from "../helpers/revert.js";
import {
  type Signer,
  type World,
  depositIntoPool,
  deployWorld,
  roundFigures,
  thinEth,
  wad,
  withoutInterest,
} from "../helpers/world.js";

const noDeadline = 2n ** 64n;
const ETH = 1n;
const everything = 2n ** 255n;

// What looks right and is not: each rule here has a way round it that somebody once found.
describe("contracts: traps of the specification", () => {
  let world: World;
  let vault: MarginVault;
  let owner: Signer;
  let other: Signer;
  let keeper: Signer;
  let pool: AccountId;
  let rest: Signer[];

  const connections: Record<string, Connection> = {};

  before(async () => {
    connections.quiet = await hre.network.create();
    connections.thin = await hre.network.create();
  });

  const connectionOf = (name: string) => connections[name] as Connection;
  // A lock of a second, so that a provider may leave at once.
  const unlocked = { vault: { poolLockSeconds: "1" } };

  async function quietWorld() {
    return deployWorld(connectionOf("quiet"), (parameters) => withoutInterest(roundFigures(parameters, unlocked)));
  }

  async function thinWorld() {
    return deployWorld(connectionOf("thin"), (parameters) => withoutInterest(thinEth(parameters, unlocked)));
  }

  async function enter(name: "quiet" | "thin") {
    const fixture = name === "quiet" ? quietWorld : thinWorld;
    world = await connectionOf(name).networkHelpers.loadFixture(fixture);
    [owner, other, keeper, ...rest] = world.signers as [Signer, Signer, Signer, ...Signer[]];
    vault = MarginVault__factory.connect(world.deployment.vault, owner);
    pool = (await vault.poolAccount()) as AccountId;
  }

  const thinTerms = (price: string): FillTerms => ({
    price: wad(price),
    skewScale: wad("8000"),
    taker: wad("0.0015"),
    maker: wad("0.0012"),
  });

  const trade = async (signer: Signer, account: AccountId, market: string, size: string) =>
    (await world.as(signer)).trade(account, market, size);

  /** The events of what `act` does. */
  async function eventsOf(act: () => Promise<{ wait(): Promise<unknown> }>): Promise<BallastEvent[]> {
    const from = (await world.ballast.provider.getBlockNumber()) + 1;
    await (await act()).wait();
    return world.ballast.events(from);
  }

  const force = (account: AccountId, market = ETH, size = everything) =>
    vault.connect(keeper).liquidatePosition(account, market, size, pool);

  const argsOf = <T>(events: readonly BallastEvent[], name: string): T => {
    const found = events.find((event) => event.name === name);
    if (found === undefined) throw new TypeError(`no ${name} in ${events.map((event) => event.name).join(" ")}`);
    return found.args as T;
  };

  interface Forced {
    sizeDeltaWad: bigint;
    fillPriceWad: bigint;
    feeWad: bigint;
    healthBeforeWad: bigint;
    healthAfterWad: bigint;
  }

  /** What closing cost beside the price: impact and fee, wad. */
  function costOf({ sizeDeltaWad, fillPriceWad, feeWad }: Forced, price: bigint): bigint {
    return ceilDiv(sizeDeltaWad * (fillPriceWad - price), WAD) + feeWad;
  }

  describe("settle frees no profit", () => {
    beforeEach(() => enter("quiet"));

    it("moves nothing of a gain, whoever calls, and free margin stays at half the gain", async () => {
      const account = await world.fund(owner, { USDC: "1000" });
      await trade(owner, account, "ETH", "50");
      await world.push({ ETH: "260" });
      const before = await portfolios(world, { account });
      expect((before.accounts.account.positions.ETH?.value ?? 0n) > wad("2900")).to.equal(true);
      for (const caller of [other, owner]) {
        const events = await eventsOf(() => vault.connect(caller).settle(account, ETH));
        expect(argsOf<{ realizedWad: bigint }>(events, "Settled").realizedWad).to.equal(0n);
        expect(await portfolios(world, { account })).to.deep.equal(before);
      }
      const { freeMarginWad, equityInitialWad, requirementInitialWad } = before.accounts.account.health;
      const free = freeMarginWad / 10n ** 12n;
      const usdc = world.deployment.settlementToken.address;
      await expectRevert(() => vault.withdraw(account, usdc, free + 1n, owner.address), "InsufficientMargin", {
        account,
        equityWad: equityInitialWad - (free + 1n) * 10n ** 12n,
        requiredWad: requirementInitialWad,
      });
    });

    it("moves nothing of a gain into a debt either: to withdraw and settle in turns frees nothing", async () => {
      const account = await world.fund(owner, { USDC: "1000" });
      await trade(owner, account, "ETH", "50");
      await world.push({ ETH: "260" });
      const client = await world.as(owner);
      const usdc = world.deployment.settlementToken.address;
      const margin = await client.health(account);
      // Two thirds of what is free puts the account in debt, against its gain alone.
      const first = ((margin.freeMarginWad / 10n ** 12n) * 2n) / 3n;
      await client.withdraw(account, "USDC", first);
      const debtor = await portfolios(world, { account });
      expect(debtor.accounts.account.cash < -wad("200"), String(debtor.accounts.account.cash)).to.equal(true);
      await (await vault.connect(other).settle(account, ETH)).wait();
      expect(await portfolios(world, { account })).to.deep.equal(debtor);
      const left = debtor.accounts.account.health.freeMarginWad / 10n ** 12n;
      await expectRevert(() => vault.withdraw(account, usdc, left + 1n, owner.address), "InsufficientMargin", {
        account,
        equityWad: () => true,
        requiredWad: () => true,
      });
      await client.withdraw(account, "USDC", left);
      const last = await client.health(account);
      expect(last.freeMarginWad >= 0n && last.freeMarginWad < 10n ** 12n).to.equal(true);
      await (await vault.connect(other).settle(account, ETH)).wait();
      await expectRevert(() => vault.withdraw(account, usdc, 1n, owner.address), "InsufficientMargin", {
        account,
        equityWad: last.equityInitialWad - 10n ** 12n,
        requiredWad: last.requirementInitialWad,
      });
    });

    it("moves a loss whole, mirrored in the pool, and changes neither margin nor health", async () => {
      const account = await world.fund(owner, { USDC: "1000" });
      await trade(owner, account, "ETH", "50");
      await world.push({ ETH: "195" });
      const before = await portfolios(world, { account });
      const loss = before.accounts.account.positions.ETH?.value ?? 0n;
      expect(loss < -wad("250")).to.equal(true);
      await (await vault.connect(other).settle(account, ETH)).wait();
      const after = await portfolios(world, { account });
      expect(changes(before, after)).to.deep.equal({
        "account.cash": loss,
        "account.positions.ETH.cost": loss,
        "pool.cash": -loss,
        "pool.positions.ETH.cost": -loss,
      });
      expect(after.accounts.account.positions.ETH?.value).to.equal(0n);
      expect(after.accounts.account.health).to.deep.equal(before.accounts.account.health);
      expect(after.accounts.pool.health).to.deep.equal(before.accounts.pool.health);
    });

    it("refuses a position that is none, the pool's, and a market whose price is stale", async () => {
      const account = await world.fund(owner, { USDC: "1000" });
      await trade(owner, account, "ETH", "5");
      await expectRevert(() => vault.settle(account, 0n), "NoPosition", { account, market: 0n });
      await expectRevert(() => vault.settle(pool, ETH), "NoPosition", { account: pool, market: ETH });
      await expectRevert(() => vault.settle(account, 3n), "UnknownMarket", { market: 3n });
      // The bit of a collateral (96) is no market's.
      await world.fund(owner, { WETH: "1" });
      await expectRevert(() => vault.settle(account, 96n), "UnknownMarket", { market: 96n });
      await world.passTime(3601);
      await expectRevert(() => vault.settle(account, ETH), "StaleMarketPrice", {
        market: ETH,
        publishedAt: () => true,
        maxAge: 3600n,
      });
    });
  });

  it("debt margin looks at net cash, so a stranger's settle liquidates nobody", async () => {
    await enter("quiet");
    const account = await world.fund(owner, { USDC: "50", WETH: "2" });
    await trade(owner, account, "BTC", "0.05");
    await world.push({ BTC: "6200" });
    const before = await portfolio(world, account);
    const net = wad("50") + (before.positions.BTC?.value ?? 0n);
    expect(before.cash).to.equal(wad("50"));
    expect(before.health.netCashWad).to.equal(net);
    // 2 of keeper floor, 5% of a net debt that cash alone does not show, and the position's margin.
    const leg = ceilDiv(wad("310") * (wad("0.03") + ceilDiv(wad("0.05") * WAD, wad("400000"))), WAD);
    expect(before.health.requirementMaintenanceWad).to.equal(leg + ceilDiv(-net, 20n) + wad("2"));
    await (await vault.connect(other).settle(account, 0n)).wait();
    const after = await portfolio(world, account);
    expect(after.cash).to.equal(net);
    expect(after.health).to.deep.equal(before.health);
  });

  describe("the cost of a liquidation is bounded by health", () => {
    /** An account of 10 ETH long, others with a skew, and ETH at a price that leaves this health. */
    async function target(cash: string, skew: string, price: string): Promise<AccountId> {
      const account = await world.fund(owner, { USDC: cash });
      await trade(owner, account, "ETH", "10");
      const whale = await world.fund(other, { USDC: "1000000" });
      if (skew !== "0") await trade(other, whale, "ETH", skew);
      await world.push({ ETH: price });
      return account;
    }

    const costBound = (health: bigint) => (health * wad("0.03")) / wad("1.05");

    it("at little impact and little harm takes the offered fee, below the bound", async () => {
      await enter("quiet");
      const account = await target("200", "0", "185.8");
      const events = await eventsOf(() => force(account));
      const forced = argsOf<Forced>(events, "PositionLiquidated");
      const h = forced.healthBeforeWad;
      expect(h > wad("0.8") && h < wad("1"), String(h)).to.equal(true);
      const closed = ceilDiv(abs(forced.sizeDeltaWad) * wad("185.8"), WAD);
      const offered = wad("0.01") + (WAD - h) / 10n;
      expect(offered < costBound(h)).to.equal(true);
      expect(forced.feeWad - (closed * offered) / WAD <= closed / 10n ** 17n + 2n).to.equal(true);
      expect((closed * offered) / WAD <= forced.feeWad).to.equal(true);
      expect(forced.healthAfterWad > h).to.equal(true);
    });

    it("INV-34: where the offered fee is above the bound, the bound is what it costs", async () => {
      await enter("quiet");
      const account = await target("200", "0", "183.6");
      const events = await eventsOf(() => force(account));
      const forced = argsOf<Forced>(events, "PositionLiquidated");
      const h = forced.healthBeforeWad;
      expect(h > wad("0.5") && h < wad("0.65"), String(h)).to.equal(true);
      expect(wad("0.01") + (WAD - h) / 10n > costBound(h)).to.equal(true);
      const closed = ceilDiv(abs(forced.sizeDeltaWad) * wad("183.6"), WAD);
      const bound = (closed * costBound(h)) / WAD;
      const cost = costOf(forced, wad("183.6"));
      expect(cost <= bound + 20n && cost > bound - bound / 1000n, `${cost} of ${bound}`).to.equal(true);
      expect(forced.healthAfterWad > h).to.equal(true);
    });

    it("impact takes from the fee what the bound does not leave", async () => {
      await enter("thin");
      // Selling into a skew of -145 costs 1.8%; at h = 0.8 the bound is 2.3%, and 3% are offered.
      const account = await target("200", "-155", "184.5");
      const events = await eventsOf(() => force(account));
      const forced = argsOf<Forced>(events, "PositionLiquidated");
      const h = forced.healthBeforeWad;
      const price = wad("184.5");
      const closed = ceilDiv(abs(forced.sizeDeltaWad) * price, WAD);
      const impact = ceilDiv(forced.sizeDeltaWad * (forced.fillPriceWad - price), WAD);
      expect(impact > closed / 100n, String(impact)).to.equal(true);
      const offered = wad("0.01") + (WAD - h) / 10n;
      expect(impact + (closed * offered) / WAD > (closed * costBound(h)) / WAD).to.equal(true);
      expect(costOf(forced, price) <= (closed * costBound(h)) / WAD + 20n).to.equal(true);
      expect(forced.feeWad > 0n).to.equal(true);
      expect(forced.healthAfterWad > h).to.equal(true);
      expect((await world.ballast.health(account)).equityMaintenanceWad > 0n).to.equal(true);
    });

    it("refuses a leg whose impact alone is above the bound, and opens absorb instead", async () => {
      await enter("thin");
      const account = await target("200", "-240", "184.5");
      const health = await world.ballast.health(account);
      expect((health.healthWad ?? 0n) > wad("0.5")).to.equal(true);
      await expectRevert(() => force(account), "LegRefused", { account, market: ETH, refusal: 4n });
      expect((await vault.previewAbsorb(account)).open).to.equal(true);
    });

    it("INV-34: refuses a leg where health bears less than a trade would cost, and opens absorb instead", async () => {
      await enter("quiet");
      const account = await target("200", "0", "180.5");
      const { healthWad = 0n } = await world.ballast.health(account);
      expect(healthWad > 0n && costBound(healthWad) < wad("0.0015"), String(healthWad)).to.equal(true);
      await expectRevert(() => force(account), "LegRefused", { account, market: ETH, refusal: 3n });
      expect((await vault.previewAbsorb(account)).open).to.equal(true);
    });
  });

  describe("a forced trade ends on the target health, the pool's fill included", () => {
    const target = wad("1.1");

    function expectOnTarget(healthWad: bigint | undefined) {
      const off = abs((healthWad ?? 0n) - target);
      expect(off <= 10n ** 9n, `health ${healthWad}`).to.equal(true);
    }

    beforeEach(() => enter("thin"));

    it("in a thin market, for a long that sells into its own impact", async () => {
      const account = await world.fund(owner, { USDC: "2500" });
      await trade(owner, account, "ETH", "100");
      await trade(other, await world.fund(other, { USDC: "1000000" }), "ETH", "-150");
      await world.push({ ETH: "182.8" });
      const events = await eventsOf(() => force(account));
      const forced = argsOf<Forced>(events, "PositionLiquidated");
      const price = wad("182.8");
      const closed = ceilDiv(abs(forced.sizeDeltaWad) * price, WAD);
      const impact = ceilDiv(forced.sizeDeltaWad * (forced.fillPriceWad - price), WAD);
      expect(impact > closed / 200n && forced.sizeDeltaWad > -wad("100")).to.equal(true);
      expectOnTarget(forced.healthAfterWad);
      expectOnTarget((await world.ballast.health(account)).healthWad);
    });

    it("for a short that buys back at a profit of impact", async () => {
      const account = await world.fund(owner, { USDC: "2500" });
      await trade(owner, account, "ETH", "-100");
      await world.push({ ETH: "217" });
      const events = await eventsOf(() => force(account));
      const forced = argsOf<Forced>(events, "PositionLiquidated");
      expect(forced.fillPriceWad < wad("217") && forced.sizeDeltaWad < wad("100")).to.equal(true);
      expectOnTarget((await world.ballast.health(account)).healthWad);
    });

    it("for an account in debt, whose debt margin shrinks and grows with the fill", async () => {
      const account = await world.fund(owner, { WETH: "30" });
      await (await world.as(owner)).withdraw(account, "USDC", "2000");
      await trade(owner, account, "ETH", "100");
      await trade(other, await world.fund(other, { USDC: "1000000" }), "ETH", "-150");
      await world.push({ ETH: "181" });
      const before = await world.ballast.health(account);
      expect(before.netCashWad < 0n && before.isLiquidatable).to.equal(true);
      await (await force(account)).wait();
      expect((await world.ballast.position(account, "ETH")).sizeWad > 0n).to.equal(true);
      expectOnTarget((await world.ballast.health(account)).healthWad);
    });

    it("for an account whose net cash turns negative on the way", async () => {
      const account = await world.fund(owner, { WETH: "2.2", USDC: "2090" });
      await trade(owner, account, "ETH", "100");
      await trade(other, await world.fund(other, { USDC: "1000000" }), "ETH", "-150");
      await world.push({ ETH: "182" });
      const before = await world.ballast.health(account);
      expect(before.isLiquidatable && before.netCashWad > 0n, String(before.netCashWad)).to.equal(true);
      await (await force(account)).wait();
      const after = await world.ballast.health(account);
      expect(after.netCashWad < 0n, String(after.netCashWad)).to.equal(true);
      expect((await world.ballast.position(account, "ETH")).sizeWad > 0n).to.equal(true);
      expectOnTarget(after.healthWad);
    });

    it("with a fee lowered by the bound on its cost", async () => {
      const account = await world.fund(owner, { USDC: "2300" });
      await trade(owner, account, "ETH", "100");
      await trade(other, await world.fund(other, { USDC: "1000000" }), "ETH", "-190");
      await world.push({ ETH: "184" });
      const events = await eventsOf(() => force(account));
      const forced = argsOf<Forced>(events, "PositionLiquidated");
      const closed = ceilDiv(abs(forced.sizeDeltaWad) * wad("184"), WAD);
      expect(forced.feeWad < (closed * wad("0.01")) / WAD).to.equal(true);
      expect((await world.ballast.position(account, "ETH")).sizeWad > 0n).to.equal(true);
      expectOnTarget((await world.ballast.health(account)).healthWad);
    });

    it("and beside another leg that stays", async () => {
      const account = await world.fund(owner, { USDC: "3100" });
      await trade(owner, account, "ETH", "100");
      await trade(owner, account, "BTC", "3");
      await world.push({ ETH: "184", BTC: "8010" });
      expect((await world.ballast.health(account)).isLiquidatable).to.equal(true);
      await (await force(account)).wait();
      expect((await world.ballast.position(account, "ETH")).sizeWad > 0n).to.equal(true);
      expect((await world.ballast.position(account, "BTC")).sizeWad).to.equal(wad("3"));
      expectOnTarget((await world.ballast.health(account)).healthWad);
    });
  });

  describe("insurance never pays for impact", () => {
    beforeEach(() => enter("thin"));

    /** A long of 100 with this price, in a thin market where selling it costs 0.6% and more. */
    async function bankrupt(price: string): Promise<AccountId> {
      const account = await world.fund(owner, { USDC: "2000" });
      await trade(owner, account, "ETH", "100");
      short = await world.fund(other, { USDC: "1000000" });
      await trade(other, short, "ETH", "-150");
      await world.push({ ETH: price });
      return account;
    }

    let short: AccountId;
    type Both = Portfolios<"account" | "short">;

    /** The short has bought 100 back at the price; its worth, and but for `penalty` the pool's, are what they were. */
    function expectNoImpact(before: Both, after: Both, events: readonly BallastEvent[], penalty = 0n) {
      expect(events.some(({ name }) => name === "PoolPaid" || name === "PositionAbsorbed")).to.equal(false);
      const equityOf = ({ accounts }: Both, name: "pool" | "short") => accounts[name].health.equityMaintenanceWad;
      // Of each of its 150 shares two thirds, rounded up, were bought back.
      expect(after.accounts.short.positions.ETH?.size).to.equal(1n - wad("50"));
      const [was, is] = [equityOf(before, "short"), equityOf(after, "short")];
      expect(was - is >= 0n && was - is <= 1n, `${was} ${is}`).to.equal(true);
      expect(after.accounts.pool.positions.ETH?.size).to.equal(wad("50"));
      expect(equityOf(after, "pool")).to.equal(equityOf(before, "pool") + penalty);
    }

    it("pays what is missing at the price, to the wei; the position is closed at it against the other side", async () => {
      const account = await bankrupt("180.2");
      const before = await portfolios(world, { account, short });
      const deficit = -before.accounts.account.health.equityMaintenanceWad;
      expect(deficit > wad("50"), String(deficit)).to.equal(true);
      const at = thinTerms("180.2");
      const impact = wad("18020") + quote(at, -wad("50"), -wad("100"));
      expect(impact > wad("200")).to.equal(true);
      const events = await eventsOf(() => vault.connect(keeper).absorb([account], keeperAccount()));
      expect(argsOf(events, "InsurancePaid")).to.deep.equal({ account, deficitWad: deficit, paidWad: deficit });
      expect(argsOf(events, "Absorbed")).to.include({ deleveraged: true, returnedWad: 0n });
      const after = await portfolios(world, { account, short });
      expectNoImpact(before, after, events);
      // 2 are the keeper's reward, which insurance tops up.
      expect(after.accounts.insurance.cash - before.accounts.insurance.cash).to.equal(-deficit - wad("2"));
      expect(after.accounts.account).to.deep.include({ cash: 0n, positions: {}, collaterals: {} });
    });

    it("pays nothing for an account that was above zero at the price", async () => {
      const account = await bankrupt("182");
      const before = await portfolios(world, { account, short });
      const equity = before.accounts.account.health.equityMaintenanceWad;
      const impact = wad("18200") + quote(thinTerms("182"), -wad("50"), -wad("100"));
      expect(equity > 0n && equity < impact, `${equity} ${impact}`).to.equal(true);
      const events = await eventsOf(() => vault.connect(keeper).absorb([account], keeperAccount()));
      expect(events.some(({ name }) => name === "InsurancePaid")).to.equal(false);
      // What it had at the price is the penalty.
      const [rewardWad, insured] = [(equity * 4n) / 10n, equity / 5n];
      expect(argsOf(events, "Absorbed")).to.include({
        deleveraged: true,
        penaltyWad: equity,
        rewardWad,
        returnedWad: 0n,
      });
      const after = await portfolios(world, { account, short });
      expectNoImpact(before, after, events, equity - rewardWad - insured);
      expect(after.accounts.insurance.cash - before.accounts.insurance.cash).to.equal(insured);
      expect(after.accounts.account.cash).to.equal(0n);
    });

    const keeperAccount = () => `0x${keeper.address.slice(2).toLowerCase()}${"0".repeat(24)}`;
  });

  it("lets nobody reduce into bankruptcy and leave the loss to the pool", async () => {
    await enter("thin");
    const account = await world.fund(owner, { USDC: "200" });
    await trade(owner, account, "ETH", "10");
    await trade(other, await world.fund(other, { USDC: "1000000" }), "ETH", "-229");
    await world.push({ ETH: "185.5" });
    const at = thinTerms("185.5");
    const cost = quote(thinTerms("200"), 0n, wad("10")) + feeOf(thinTerms("200"), 0n, wad("10"));
    const equityWad = wad("200") - cost - quote(at, -wad("219"), -wad("10")) - feeOf(at, -wad("219"), -wad("10"));
    expect(equityWad < 0n && wad("200") - cost + wad("1855") > 0n).to.equal(true);
    await expectRevert(() => vault.trade(account, ETH, -wad("10"), 0n, noDeadline), "ReductionBankrupts", {
      account,
      equityWad,
    });
  });

  describe("what a share of the pool is worth", () => {
    const insuranceShare = (fee: bigint) => (fee / 10n / 10n ** 12n) * 10n ** 12n;
    const shares = () => LiquidityPool__factory.connect(world.deployment.pool, rest[0] as Signer);
    const usdcOf = (signer: Signer) =>
      MockToken__factory.connect(world.deployment.settlementToken.address, signer).balanceOf(signer);

    it("leaves out the premium of the skew: a trader's impact is not the pool's profit yet", async () => {
      await enter("thin");
      const account = await world.fund(owner, { USDC: "1000000" });
      const [start] = await vault.poolValue();
      await trade(owner, account, "ETH", "200");
      const premium = quote(thinTerms("200"), 0n, wad("200")) - wad("40000");
      expect(premium).to.equal(wad("500")); // 200 * 200 * 200 / (2 * 8000)
      const fee = feeOf(thinTerms("200"), 0n, wad("200"));
      const earned = fee - insuranceShare(fee);
      const [opened] = await vault.poolValue();
      expect(opened - start).to.equal(earned);
      // The equity of its account has the premium.
      const { equityMaintenanceWad } = await world.ballast.health(pool);
      expect(equityMaintenanceWad - start).to.equal(earned + premium);
      // And pays it back when the skew unwinds.
      await trade(owner, account, "ETH", "-200");
      const back = feeOf(thinTerms("200"), wad("200"), -wad("200"));
      const [closed] = await vault.poolValue();
      expect(closed - start).to.equal(earned + back - insuranceShare(back));
    });

    it("so a provider who comes before a trader and leaves after it takes none of the premium", async () => {
      await enter("thin");
      const provider = rest[0] as Signer;
      await depositIntoPool(world, provider, "10000000");
      const account = await world.fund(owner, { USDC: "1000000" });
      await trade(owner, account, "ETH", "200");
      const fee = feeOf(thinTerms("200"), 0n, wad("200"));
      const band = wad("40"); // 0.1% of 40,000
      await world.passTime(2);
      await (await shares().redeem(await shares().balanceOf(provider), provider, provider)).wait();
      const got = (await usdcOf(provider)) * 10n ** 12n;
      // Half of the fees less half of the band; half of the premium would be 250.
      const expected = wad("10000000") + (fee - insuranceShare(fee) - band) / 2n;
      expect(abs(got - expected) < 10n ** 14n, String(got - expected)).to.equal(true);
    });

    describe("has a band, the tolerance of all that the pool holds", () => {
      let provider: Signer;
      const amount = "1000000";

      beforeEach(async () => {
        await enter("quiet");
        provider = rest[0] as Signer;
        // The pool is short of 4000 ETH: 800,000 at a tolerance of 0.1% is a band of 800.
        const account = await world.fund(owner, { USDC: "1000000" });
        await trade(owner, account, "ETH", "4000");
      });

      it("so to deposit and redeem at once costs the provider's part of twice the band", async () => {
        const [value, band] = await vault.poolValue();
        expect(band).to.equal(wad("800"));
        await depositIntoPool(world, provider, amount);
        const [, bandAfter] = await vault.poolValue();
        expect(bandAfter).to.equal(band);
        await world.passTime(2);
        await (await shares().redeem(await shares().balanceOf(provider), provider, provider)).wait();
        const lost = wad(amount) - (await usdcOf(provider)) * 10n ** 12n;
        const part = (2n * band * wad(amount)) / (value + wad(amount));
        expect(lost > (part * 99n) / 100n && lost < (part * 101n) / 100n, `${lost} of ${part}`).to.equal(true);
      });

      it("so who deposits knowing a price within the tolerance gains nothing", async () => {
        await depositIntoPool(world, provider, amount);
        // The traders lose 0.1%, which the pool gains: 800, and an eleventh of it would be the provider's.
        await world.push({ ETH: "199.8" });
        await world.passTime(2);
        await (await shares().redeem(await shares().balanceOf(provider), provider, provider)).wait();
        const gained = (await usdcOf(provider)) * 10n ** 12n - wad(amount);
        expect(gained <= 0n, String(gained)).to.equal(true);
      });

      it("so who redeems knowing a price within the tolerance leaves the others no worse", async () => {
        await depositIntoPool(world, provider, amount);
        await world.passTime(2);
        const others = LiquidityPool__factory.connect(world.deployment.pool, world.admin);
        const kept = await others.balanceOf(world.admin);
        const start = await connectionOf("quiet").networkHelpers.takeSnapshot();
        await world.push({ ETH: "200.2" }); // the pool loses 800
        const stayed = await others.convertToAssets(kept);
        await start.restore();
        await (await shares().redeem(await shares().balanceOf(provider), provider, provider)).wait();
        await world.push({ ETH: "200.2" });
        // Without a band they would lose 73. The premium of the skew moves too, by 0.1% of 200, and is in no band.
        const lost = stayed - (await others.convertToAssets(kept));
        expect(lost <= 200_000n, String(lost)).to.equal(true);
      });

      it("and a trader who knows a price within the tolerance gains nothing either", async () => {
        const account = await world.fund(other, { USDC: "1000000" });
        for (const [size, back, moved] of [
          ["100", "-100", "200.2"],
          ["-100", "100", "199.8"],
        ] as const) {
          await world.push({ ETH: "200" });
          const before = await portfolio(world, account);
          await trade(other, account, "ETH", size);
          await world.push({ ETH: moved });
          await trade(other, account, "ETH", back);
          const gained = (await portfolio(world, account)).cash - before.cash;
          // 0.1% moved on 20,000 is 20; fees with tolerance take 0.27% of it.
          expect(gained < 0n && gained > -wad("60"), String(gained)).to.equal(true);
        }
      });
    });
  });
});
