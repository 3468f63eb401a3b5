import { expect } from "chai";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import {
  type AccountId,
  type BallastEvent,
  WAD,
  accountId,
  decodeMarketState,
  decodeMarketTotals,
  decodePosition,
} from "../../sdk/index.js";
import { type MarginVault, MarginVault__factory } from "../../typechain-types/index.js";
import {
  abs,
  ceilDiv,
  closedAtPrice,
  discountOf,
  floorDiv,
  generalRequirement,
  legRequirement,
  takenFee,
} from "../helpers/model.js";
import { type Portfolio, type PositionFigures, changes, portfolio, portfolios } from "../helpers/portfolio.js";
import { expectRevert } from "../helpers/revert.js";
import {
  type Changes,
  type Signer,
  type World,
  deployWorld,
  roundFigures,
  thinEth,
  wad,
  withoutInterest,
} from "../helpers/world.js";

const BTC = 0n;
const ETH = 1n;
const everything = 2n ** 255n;
const noDeadline = 2n ** 64n;
const target = wad("1.1");

enum Refusal {
  None,
  NoPosition,
  PriceStale,
  DiscountTooSmall,
  ImpactTooLarge,
  PoolMargin,
  RemainderBelowMinimum,
}

// A part of a position under liquidation goes to an account instead of the pool: at the price less the discount.
describe("contracts: accounts as takers of positions", () => {
  let connection: Connection;
  let world: World;
  let vault: MarginVault;
  let owner: Signer;
  let other: Signer;
  let stranger: Signer;
  let pool: AccountId;

  async function quiet() {
    return deployWorld(connection, (parameters) => withoutInterest(roundFigures(parameters)));
  }

  function enter(entered: World) {
    world = entered;
    [owner, other, stranger] = world.signers as [Signer, Signer, Signer];
    vault = MarginVault__factory.connect(world.deployment.vault, other);
    pool = accountId(world.deployment.pool);
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    enter(await connection.networkHelpers.loadFixture(quiet));
  });

  const trade = async (signer: Signer, account: AccountId, market: string, size: string) =>
    (await world.as(signer)).trade(account, market, size);

  const text = (amount: bigint, decimals = 18n) =>
    `${amount / 10n ** decimals}.${String(amount % 10n ** decimals).padStart(Number(decimals), "0")}`;

  /** An account of `owner` with a position of ETH opened at 200: a long of 10 is liquidatable below 186, a short above 213.6. */
  async function targetOf(size = "10", cash = "200", index = 0): Promise<AccountId> {
    const account = await world.fund(owner, { USDC: cash }, index);
    await trade(owner, account, "ETH", size);
    return account;
  }

  /** 10 long from 200, of whose gain at 1,000 the owner took 3,500 out: near its maintenance margin at 546, with a gain of 3,457. */
  async function richLong(): Promise<AccountId> {
    const account = await targetOf();
    await world.push({ ETH: "1000" });
    await (await world.as(owner)).withdraw(account, "USDC", "3500");
    return account;
  }

  /** 10 short from 200, of whose gain at 100 the owner took 600 out: near its maintenance margin at 155, with a gain of 447. */
  async function richShort(): Promise<AccountId> {
    const account = await targetOf("-10");
    await world.push({ ETH: "100" });
    await (await world.as(owner)).withdraw(account, "USDC", "600");
    return account;
  }

  /** 30 ETH of collateral, 2,000 of debt, 100 long of ETH. */
  async function debtor(): Promise<AccountId> {
    const account = await world.fund(owner, { WETH: "30" });
    await (await world.as(owner)).withdraw(account, "USDC", "2000");
    await trade(owner, account, "ETH", "100");
    return account;
  }

  /** A taker of `other`, with a position of ETH unless it is zero. */
  async function takerOf(size = "0", cash = "20000", index = 0): Promise<AccountId> {
    const account = await world.fund(other, { USDC: cash }, index);
    if (size !== "0") await trade(other, account, "ETH", size);
    return account;
  }

  const take = (account: AccountId, taker: AccountId, size = everything, market = ETH) =>
    vault.liquidatePosition(account, market, size, taker);

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

  async function openInterest() {
    const { longSharesWad, shortSharesWad } = decodeMarketTotals((await vault.market(ETH)).totals);
    return [longSharesWad, shortSharesWad] as const;
  }

  const sign = (size: bigint) => (size < 0n ? -1n : 1n);

  const eth = ({ positions }: Portfolio): PositionFigures => positions["ETH"] ?? { size: 0n, cost: 0n, value: 0n };

  const withoutZeros = (figures: Readonly<Record<string, bigint>>) =>
    Object.fromEntries(Object.entries(figures).filter(([, figure]) => figure !== 0n));

  /** What `closed` of a position has cost, and what is made of it at the price. */
  function partOf({ size, cost }: PositionFigures, price: bigint, closed: bigint) {
    const costShare = closed === abs(size) ? cost : ceilDiv(cost * closed, abs(size));
    return { costShare, value: floorDiv(sign(size) * closed * price, WAD) - costShare };
  }

  interface Sum {
    readonly closed: bigint;
    readonly fee: bigint;
    readonly toInsurance: bigint;
  }

  /** How much goes and what it costs, by trying, from the target's portfolio. */
  function expected(from: Portfolio, price: bigint, most = everything): Sum {
    const { healthWad = 0n, equityMaintenanceWad, requirementMaintenanceWad, netCashWad } = from.health;
    const discount = discountOf(healthWad);
    const size = abs(eth(from).size);
    const skewScale = wad("8000000");
    const leg = legRequirement(size, price, wad("0.03"), WAD, skewScale);
    const others = requirementMaintenanceWad - leg - generalRequirement(netCashWad);
    const terms = { size, price, skewScale, equity: equityMaintenanceWad, netCash: netCashWad, others, discount };
    let closed = closedAtPrice(terms);
    if (closed > most) closed = most;
    const fee = takenFee(price, closed, discount);
    return { closed, fee, toInsurance: fee / 5n };
  }

  /** The same to the wei, given the size that was closed: trying finds it to a few hundred wei. */
  function exactly(from: Portfolio, price: bigint, sizeDelta: bigint, most = everything): Sum {
    const tried = expected(from, price, most);
    const closed = abs(sizeDelta);
    expect(abs(closed - tried.closed) < 10_000n, `${closed} near ${tried.closed}`).to.equal(true);
    expect(sign(sizeDelta)).to.equal(-sign(eth(from).size));
    const fee = takenFee(price, closed, discountOf(from.health.healthWad ?? 0n));
    return { closed, fee, toInsurance: fee / 5n };
  }

  function expectHealthAtTarget({ health }: Portfolio) {
    const off = abs((health.healthWad ?? 0n) - target);
    expect(off < 10n ** 9n, `health ${health.healthWad}`).to.equal(true);
  }

  const handOvers = [
    ["part of a long, to an account without a position", () => targetOf(), () => takerOf(), "185.7"],
    ["part of a long, to one that is long", () => targetOf(), () => takerOf("25"), "185.7"],
    ["part of a short, to an account without a position", () => targetOf("-10"), () => takerOf(), "213.8"],
    ["part of a short, to one that is short", () => targetOf("-10"), () => takerOf("-3"), "213.8"],
    ["part of a long with a gain", richLong, () => takerOf(), "546"],
    ["part of a long with a gain, to one that is long", richLong, () => takerOf("7"), "546"],
    ["part of a short with a gain", richShort, () => takerOf("-1"), "155"],
    ["part of a long of an account in debt", debtor, () => takerOf(), "178.9"],
  ] as const;

  describe("hands over what it closes, with its cost, to an account that is not on the other side", () => {
    for (const [what, prepareTarget, prepareTaker, price] of handOvers) {
      it(`${what}: to health 1.1, and neither pool nor market notices`, async () => {
        const accounts = { account: await prepareTarget(), taker: await prepareTaker() };
        await world.push({ ETH: price });
        const market = await vault.market(ETH);
        const before = await portfolios(world, accounts);
        const from = before.accounts.account;
        const preview = await vault.previewLiquidation(accounts.account, ETH, everything, accounts.taker);
        const events = await eventsOf(() => take(accounts.account, accounts.taker));
        const told = argsOf(events, "PositionLiquidated");
        const after = await portfolios(world, accounts);

        const { closed, fee, toInsurance } = exactly(from, wad(price), told["sizeDeltaWad"] ?? 0n);
        const size = eth(from).size;
        expect(closed < abs(size) && closed > 0n).to.equal(true);
        const { costShare, value } = partOf(eth(from), wad(price), closed);
        expect(changes(before, after)).to.deep.equal({
          "account.cash": value - fee,
          "account.positions.ETH.size": -sign(size) * closed,
          "account.positions.ETH.cost": -costShare,
          "taker.cash": -value + fee - toInsurance,
          "taker.positions.ETH.size": sign(size) * closed,
          "taker.positions.ETH.cost": costShare,
          "insurance.cash": toInsurance,
        });
        expectHealthAtTarget(after.accounts.account);
        expect(after.accounts.pool).to.deep.equal(before.accounts.pool);
        expect(await vault.market(ETH)).to.deep.equal(market);
        // What all cash adds up to stays as it was, unless less is owed now.
        const written = ["AccountChanged", "AccountChanged", "AccountChanged", "PositionChanged", "PositionChanged"];
        if (from.cash < 0n) written.push("CashChanged");
        expect(events.map(({ name }) => name).sort()).to.deep.equal([...written, "PositionLiquidated"].sort());
        expect(told).to.deep.equal({
          ...accounts,
          market: ETH,
          liquidator: other.address,
          sizeDeltaWad: -sign(size) * closed,
          fillPriceWad: wad(price),
          feeWad: fee,
          rewardWad: fee - toInsurance,
          healthBeforeWad: from.health.healthWad,
          healthAfterWad: after.accounts.account.health.healthWad,
        });
        const { refusal, sizeDeltaWad, fillPriceWad, feeWad, rewardWad } = preview;
        expect(refusal).to.equal(0n);
        expect(told).to.deep.include({ sizeDeltaWad, fillPriceWad, feeWad, rewardWad });
      });
    }

    it("the whole where health needs all of it, and the target's position is gone", async () => {
      const accounts = { account: await targetOf(), taker: await takerOf("5") };
      await world.push({ ETH: "182.9" });
      const before = await portfolios(world, accounts);
      const { healthWad = 0n } = before.accounts.account.health;
      const { value, cost } = eth(before.accounts.account);
      // The bound: h * 3% / 1.05, of 1,829 of notional.
      const fee = ceilDiv(wad("1829") * ((healthWad * wad("0.03")) / wad("1.05")), WAD);
      await (await take(accounts.account, accounts.taker)).wait();
      const after = await portfolios(world, accounts);
      expect(changes(before, after)).to.deep.equal({
        "account.cash": value - fee,
        "account.positions.ETH.size": -wad("10"),
        "account.positions.ETH.cost": -cost,
        "taker.cash": -value + fee - fee / 5n,
        "taker.positions.ETH.size": wad("10"),
        "taker.positions.ETH.cost": cost,
        "insurance.cash": fee / 5n,
      });
      expect((await world.ballast.state(accounts.account)).assets).to.equal(0n);
      expect(after.accounts.account.cash > 0n).to.equal(true);
    });

    it("the choice of the leg is the caller's, and the other leg stays", async () => {
      const account = await world.fund(owner, { USDC: "300" });
      await trade(owner, account, "ETH", "10");
      await trade(owner, account, "BTC", "0.4");
      const taker = await takerOf("5");
      await world.push({ ETH: "215", BTC: "7250" });
      expect((await world.ballast.health(account)).isLiquidatable).to.equal(true);
      const before = await portfolios(world, { account, taker });
      const told = argsOf(await eventsOf(() => take(account, taker)), "PositionLiquidated");
      const after = await portfolios(world, { account, taker });
      const { closed, fee, toInsurance } = exactly(before.accounts.account, wad("215"), told["sizeDeltaWad"] ?? 0n);
      const { costShare, value } = partOf(eth(before.accounts.account), wad("215"), closed);
      expect(value > 0n && closed < wad("10")).to.equal(true); // the gain of this leg, while the other has the loss
      expect(changes(before, after)).to.deep.equal({
        "account.cash": value - fee,
        "account.positions.ETH.size": -closed,
        "account.positions.ETH.cost": -costShare,
        "taker.cash": -value + fee - toInsurance,
        "taker.positions.ETH.size": closed,
        "taker.positions.ETH.cost": costShare,
        "insurance.cash": toInsurance,
      });
      expectHealthAtTarget(after.accounts.account);
    });

    it("no more than the largest size named, at the discount of the health as it was", async () => {
      const accounts = { account: await targetOf(), taker: await takerOf() };
      await world.push({ ETH: "185" });
      const before = await portfolios(world, accounts);
      const from = before.accounts.account;
      await (await take(accounts.account, accounts.taker, wad("0.5"))).wait();
      const after = await portfolios(world, accounts);
      const fee = takenFee(wad("185"), wad("0.5"), discountOf(from.health.healthWad ?? 0n));
      expect(after.accounts.taker.positions["ETH"]?.size).to.equal(wad("0.5"));
      expect(after.accounts.insurance.cash - before.accounts.insurance.cash).to.equal(fee / 5n);
      const { health } = after.accounts.account;
      expect(from.health.equityMaintenanceWad - health.equityMaintenanceWad).to.equal(fee);
      expect((health.healthWad ?? 0n) > (from.health.healthWad ?? 0n) && health.isLiquidatable).to.equal(true);
    });

    it("closes a position whole whose rest would be below the minimum", async () => {
      const accounts = { account: await targetOf("0.1", "3.05"), taker: await takerOf() };
      await world.push({ ETH: "192" });
      await (await take(accounts.account, accounts.taker)).wait();
      const after = await portfolios(world, accounts);
      expect(after.accounts.account.positions).to.deep.equal({});
      expect(after.accounts.taker.positions["ETH"]?.size).to.equal(wad("0.1"));
    });
  });

  describe("crosses what it closes with a position on the other side, through the pool and past it", () => {
    const crossings = [
      ["part of a long, with a larger short", () => targetOf(), () => takerOf("-30"), "185.7"],
      ["part of a short, with a larger long", () => targetOf("-10"), () => takerOf("30"), "213.8"],
      ["part of a long with a gain, with a short that has the loss", richLong, () => takerOf("-30"), "546"],
      ["part of a short with a gain, with a long that has the loss", richShort, () => takerOf("30"), "155"],
      ["the whole of a long, with a larger short", () => targetOf(), () => takerOf("-30"), "183"],
      ["the whole of a long, with a short as large", () => targetOf(), () => takerOf("-10"), "183"],
      ["the whole of a short, with a long as large", () => targetOf("-10"), () => takerOf("10"), "217"],
    ] as const;
    for (const [what, prepareTarget, prepareTaker, price] of crossings) {
      it(`${what}: both close, and the pool's size stays`, async () => {
        const accounts = { account: await prepareTarget(), taker: await prepareTaker() };
        await world.push({ ETH: price });
        const before = await portfolios(world, accounts);
        const [longBefore, shortBefore] = await openInterest();
        const [from, with_] = [before.accounts.account, before.accounts.taker];
        const told = argsOf(await eventsOf(() => take(accounts.account, accounts.taker)), "PositionLiquidated");
        const after = await portfolios(world, accounts);

        const { closed, fee, toInsurance } = exactly(from, wad(price), told["sizeDeltaWad"] ?? 0n);
        expect(closed === abs(eth(from).size)).to.equal(what.startsWith("the whole"));
        const side = sign(eth(from).size);
        const gave = partOf(eth(from), wad(price), closed);
        const took = partOf(eth(with_), wad(price), closed);
        const rounding = ceilDiv(closed * wad(price), WAD) - floorDiv(closed * wad(price), WAD);
        expect(changes(before, after)).to.deep.equal(
          withoutZeros({
            "account.cash": gave.value - fee,
            "account.positions.ETH.size": -side * closed,
            "account.positions.ETH.cost": -gave.costShare,
            "taker.cash": took.value + fee - toInsurance,
            "taker.positions.ETH.size": side * closed,
            "taker.positions.ETH.cost": -took.costShare,
            // What both realised comes out of the pool's cash and its cost.
            "pool.cash": -gave.value - took.value,
            "pool.positions.ETH.cost": rounding - gave.value - took.value,
            "insurance.cash": toInsurance,
          }),
        );
        expect(await openInterest()).to.deep.equal([longBefore - closed, shortBefore - closed]);
        expect(after.accounts.pool.health.equityMaintenanceWad).to.equal(
          before.accounts.pool.health.equityMaintenanceWad - rounding,
        );
        if (closed !== abs(eth(from).size)) expectHealthAtTarget(after.accounts.account);
        else expect((await world.ballast.state(accounts.account)).assets).to.equal(0n);
        expect(told["rewardWad"]).to.equal(fee - toInsurance);
        expect(told["fillPriceWad"]).to.equal(wad(price));
      });
    }

    for (const [side, size, held, price, cost] of [
      ["long", "10", "-4", "183", "1098"],
      ["short", "-10", "4", "217", "-1302"],
    ] as const) {
      it(`a ${side} larger than the taker's position turns it round, and the rest is opened at the price`, async () => {
        const accounts = { account: await targetOf(size), taker: await takerOf(held) };
        await world.push({ ETH: price });
        const before = await portfolios(world, accounts);
        const [longBefore, shortBefore] = await openInterest();
        const { fee, toInsurance } = expected(before.accounts.account, wad(price));
        await (await take(accounts.account, accounts.taker)).wait();
        const after = await portfolios(world, accounts);
        const [gave, took] = [eth(before.accounts.account), eth(before.accounts.taker)];
        expect(changes(before, after)).to.deep.equal({
          "account.cash": gave.value - fee,
          "account.positions.ETH.size": -gave.size,
          "account.positions.ETH.cost": -gave.cost,
          "taker.cash": took.value + fee - toInsurance,
          "taker.positions.ETH.size": gave.size,
          "taker.positions.ETH.cost": wad(cost) - took.cost,
          "pool.cash": -gave.value - took.value,
          "pool.positions.ETH.cost": -gave.value - took.value,
          "insurance.cash": toInsurance,
        });
        expect(eth(after.accounts.taker)).to.deep.equal({ size: gave.size + took.size, cost: wad(cost), value: 0n });
        expect(await openInterest()).to.deep.equal([longBefore - wad("4"), shortBefore - wad("4")]);
      });
    }

    it("leaves the skew, and with it the drift of funding, as it was", async () => {
      enter(
        await deployWorld(await hre.network.create(), (parameters) =>
          withoutInterest(thinEth(parameters, { markets: { ETH: { maxFundingVelocityPerDay2: "3" } } })),
        ),
      );
      const accounts = { account: await targetOf(), taker: await takerOf("-4") };
      await takerOf("50", "20000", 1);
      await world.push({ ETH: "183" });
      const before = decodeMarketState((await vault.market(ETH)).state);
      expect(before.fundingDriftE24 > 0n).to.equal(true);
      await (await take(accounts.account, accounts.taker)).wait();
      const after = decodeMarketState((await vault.market(ETH)).state);
      expect(after.fundingDriftE24).to.equal(before.fundingDriftE24);
      expect(after.touchedAt > before.touchedAt).to.equal(true);
    });
  });

  describe("whoever takes", () => {
    it("INV-09, INV-10: at any price raises health to 1.1 at most or takes all, and of both only insurance gets a part", async () => {
      const kinds = ["0", "5", "-30", "-4"] as const;
      const start = await connection.networkHelpers.takeSnapshot();
      let taken = 0;
      for (const side of ["10", "-10"] as const) {
        await start.restore();
        const account = await targetOf(side);
        const takers: AccountId[] = [];
        for (const [index, kind] of kinds.entries()) {
          // The same owner's: what the target loses must not come back to it.
          const taker = await world.fund(owner, { USDC: "20000" }, index + 1);
          const size = side === "10" ? kind : kind.startsWith("-") ? kind.slice(1) : kind === "0" ? kind : `-${kind}`;
          if (size !== "0") await trade(owner, taker, "ETH", size);
          takers.push(taker);
        }
        const opened = await connection.networkHelpers.takeSnapshot();
        for (const off of [
          "14.02",
          "14.1",
          "14.33333",
          "14.9",
          "15.4",
          "15.9",
          "16.4",
          "16.7",
          "17.23",
          "18",
          "18.7",
        ]) {
          for (const [i, taker] of takers.entries()) {
            const price = side === "10" ? wad("200") - wad(off) : wad("200") + wad(off);
            await opened.restore();
            await world.push({ ETH: text(price) });
            const before = await portfolios(world, { account, taker });
            if (!before.accounts.account.health.isLiquidatable) continue;
            const preview = await vault.previewLiquidation(account, ETH, everything, taker);
            expect(Refusal[Number(preview.refusal)]).to.equal("None");
            const events = await eventsOf(() =>
              vault.connect(owner).liquidatePosition(account, ETH, everything, taker),
            );
            const told = argsOf(events, "PositionLiquidated");
            const { sizeDeltaWad, fillPriceWad, feeWad, rewardWad } = preview;
            expect(told).to.deep.include({ sizeDeltaWad, fillPriceWad, feeWad, rewardWad });
            const after = await portfolios(world, { account, taker });
            const what = `${side} at ${off}, taker ${kinds[i]}`;

            const { health } = after.accounts.account;
            expect(health.equityMaintenanceWad >= 0n, what).to.equal(true);
            if (health.healthWad !== undefined) {
              expect(health.healthWad > (before.accounts.account.health.healthWad ?? 0n), what).to.equal(true);
              const atTarget = health.healthWad <= target + 10n ** 9n;
              expect(atTarget || eth(after.accounts.account).size === 0n, what).to.equal(true);
            }
            const sum = ({ accounts: { account: a, taker: b } }: typeof before) =>
              a.health.equityMaintenanceWad + b.health.equityMaintenanceWad;
            const lost = sum(before) - sum(after);
            const toInsurance = after.accounts.insurance.cash - before.accounts.insurance.cash;
            expect(toInsurance, what).to.equal(feeWad / 5n);
            // A claim is rounded down in what is looked at here, to the wei a position.
            expect(abs(lost - toInsurance) <= 2n && toInsurance > 0n, `${what}: ${lost} of ${toInsurance}`).to.equal(
              true,
            );
            const pools = [before, after].map(({ accounts: all }) => all.pool.health.equityMaintenanceWad);
            expect(abs((pools[1] ?? 0n) - (pools[0] ?? 0n)) <= 2n, what).to.equal(true);
            taken += 1;
          }
        }
      }
      expect(taken >= 70, String(taken)).to.equal(true);
    });

    it("gains nothing by taking a wei at a time: what rounding leaves is the target's to pay, some wei a turn", async () => {
      const account = await targetOf();
      const taker = await world.fund(owner, { USDC: "20000" }, 1);
      await trade(owner, taker, "ETH", "5");
      await world.push({ ETH: "185" });
      const before = await portfolios(world, { account, taker });
      let turns = 0;
      let fees = 0n;
      for (let i = 0; i < 25; i += 1) {
        try {
          const events = await eventsOf(() => vault.connect(owner).liquidatePosition(account, ETH, 1n, taker));
          fees += argsOf(events, "PositionLiquidated")["feeWad"] ?? 0n;
          turns += 1;
        } catch (error) {
          expect(String(error)).to.contain("HealthNotRaised");
        }
      }
      const after = await portfolios(world, { account, taker });
      const equity = (all: typeof before, name: "account" | "taker") => all.accounts[name].health.equityMaintenanceWad;
      expect(fees <= 6n * BigInt(turns), `${fees} for ${turns}`).to.equal(true);
      const [lost, gained] = [
        equity(before, "account") - equity(after, "account"),
        equity(after, "taker") - equity(before, "taker"),
      ];
      expect(gained <= lost + 2n && lost <= fees + 2n * BigInt(turns), `${gained} of ${lost}`).to.equal(true);
      const cash = (all: typeof before) => Object.values(all.accounts).reduce((sum, one) => sum + one.cash, 0n);
      expect(cash(after)).to.equal(cash(before));
    });

    it("frees no gain: what the same owner could withdraw from both accounts falls, and half a gain stays half", async () => {
      const account = await richLong();
      const taker = await world.fund(owner, { USDC: "20000" }, 1);
      for (const price of ["546", "541"]) {
        await world.push({ ETH: price });
        const before = await portfolios(world, { account, taker });
        const told = argsOf(
          await eventsOf(() => vault.connect(owner).liquidatePosition(account, ETH, everything, taker)),
          "PositionLiquidated",
        );
        const after = await portfolios(world, { account, taker });
        expect(eth(after.accounts.taker).value > wad("100")).to.equal(true);
        const both = (all: typeof before, of: (one: Portfolio["health"]) => bigint) =>
          of(all.accounts.account.health) + of(all.accounts.taker.health);
        const toInsurance = (told["feeWad"] ?? 0n) - (told["rewardWad"] ?? 0n);
        const initial = ({ equityInitialWad }: Portfolio["health"]) => equityInitialWad;
        expect(abs(both(before, initial) - both(after, initial) - toInsurance) <= 3n).to.equal(true);
        const free = ({ freeMarginWad }: Portfolio["health"]) => freeMarginWad;
        const withdrawable = ({ freeMarginWad }: Portfolio["health"]) => (freeMarginWad > 0n ? freeMarginWad : 0n);
        expect(both(after, free) < both(before, free)).to.equal(true);
        expect(both(after, withdrawable) < both(before, withdrawable)).to.equal(true);
      }
    });
  });

  describe("funding", () => {
    const funded: Changes = { markets: { ETH: { maxFundingVelocityPerDay2: "3", maxFundingRatePerDay: "0.05" } } };
    const hour = 3600n;
    let thin: Connection;

    before(async () => {
      thin = await hre.network.create();
    });

    async function skewed() {
      return deployWorld(thin, (parameters) => withoutInterest(thinEth(parameters, funded)));
    }

    /** The index at a time without a touch since, unclamped: index + price * (r0 * T + drift * T^2 / 2). */
    async function indexAt(price: bigint, time: bigint): Promise<bigint> {
      const { fundingIndexWad, fundingRateE24, fundingDriftE24, touchedAt } = decodeMarketState(
        (await vault.market(ETH)).state,
      );
      const elapsed = time - BigInt(touchedAt);
      const integral = fundingRateE24 * elapsed + ceilDiv(fundingDriftE24 * elapsed * elapsed, 2n);
      return fundingIndexWad + floorDiv(price * integral, 10n ** 24n);
    }

    const at = async (time: bigint) => thin.networkHelpers.time.setNextBlockTimestamp(time);

    const cashOf = async (account: AccountId) => vault.cash(account);
    const stored = async (account: AccountId) => {
      const { sharesWad, costWad } = await vault.position(account, ETH);
      return { size: sharesWad, cost: costWad };
    };

    it("accrued is in what the target gets, and in the position that the taker goes on with, to the wei", async () => {
      enter(await thin.networkHelpers.loadFixture(skewed));
      const accounts = { account: await targetOf(), taker: await takerOf("100", "50000") };
      const { touchedAt } = decodeMarketState((await vault.market(ETH)).state);
      await world.passTime(3500);
      await world.push({ ETH: "185.5" });
      const time = BigInt(touchedAt) + hour;
      const price = wad("185.5");
      const index = await indexAt(price, time);
      const sharePrice = price - index;
      // The drift of a skew of 110 in 8,000 is 4% a day and day: after an hour some 0.7 cents for one ETH.
      expect(index > wad("0.005") && index < wad("0.01"), String(index)).to.equal(true);
      const market = await vault.market(ETH);
      const [from, held] = [await stored(accounts.account), await stored(accounts.taker)];
      const cash = [await cashOf(accounts.account), await cashOf(accounts.taker)] as const;
      await at(time);
      const events = await eventsOf(() => take(accounts.account, accounts.taker));
      const { sizeDeltaWad = 0n, feeWad: fee = 0n, healthBeforeWad = 0n } = argsOf(events, "PositionLiquidated");
      const closed = -sizeDeltaWad;
      expect(closed > 0n && closed < wad("10")).to.equal(true);

      // The health that the discount is of has the funding in it.
      const equity = cash[0] + floorDiv(from.size * sharePrice, WAD) - from.cost;
      const required = legRequirement(from.size, price, wad("0.03"), WAD, wad("8000")) + generalRequirement(equity);
      expect(healthBeforeWad).to.equal((equity * WAD) / required);
      expect(fee).to.equal(takenFee(price, closed, discountOf(healthBeforeWad)));

      const costShare = ceilDiv(from.cost * closed, from.size);
      const value = floorDiv(closed * sharePrice, WAD) - costShare;
      expect(await cashOf(accounts.account)).to.equal(cash[0] + value - fee);
      expect(await cashOf(accounts.taker)).to.equal(cash[1] - value + fee - fee / 5n);
      expect(await stored(accounts.account)).to.deep.equal({ size: from.size - closed, cost: from.cost - costShare });
      expect(await stored(accounts.taker)).to.deep.equal({ size: held.size + closed, cost: held.cost + costShare });
      expect(await vault.market(ETH)).to.deep.equal(market);
    });

    it("accrued is realised by both who cross, and booked in the market as of then", async () => {
      enter(await thin.networkHelpers.loadFixture(skewed));
      const accounts = { account: await targetOf(), taker: await takerOf("-30", "50000") };
      await takerOf("130", "50000", 1);
      const touched = decodeMarketState((await vault.market(ETH)).state);
      await world.passTime(3500);
      await world.push({ ETH: "185.5" });
      const time = BigInt(touched.touchedAt) + hour;
      const index = await indexAt(wad("185.5"), time);
      const sharePrice = wad("185.5") - index;
      expect(index > wad("0.005"), String(index)).to.equal(true);
      const [from, held] = [await stored(accounts.account), await stored(accounts.taker)];
      const cash = [await cashOf(accounts.account), await cashOf(accounts.taker), await cashOf(pool)] as const;
      await at(time);
      const events = await eventsOf(() => take(accounts.account, accounts.taker));
      const { sizeDeltaWad = 0n, feeWad: fee = 0n } = argsOf(events, "PositionLiquidated");
      const closed = -sizeDeltaWad;
      expect(closed > 0n && closed < wad("10")).to.equal(true);
      const shares = [ceilDiv(from.cost * closed, from.size), ceilDiv(held.cost * closed, -held.size)] as const;
      // The long gets the price less the funding of its shares, the short pays it.
      const realized = [
        floorDiv(closed * sharePrice, WAD) - shares[0],
        floorDiv(-closed * sharePrice, WAD) - shares[1],
      ] as const;
      expect(await cashOf(accounts.account)).to.equal(cash[0] + realized[0] - fee);
      expect(await cashOf(accounts.taker)).to.equal(cash[1] + realized[1] + fee - fee / 5n);
      expect(await cashOf(pool)).to.equal(cash[2] - realized[0] - realized[1]);
      expect(await stored(accounts.account)).to.deep.equal({ size: from.size - closed, cost: from.cost - shares[0] });
      expect(await stored(accounts.taker)).to.deep.equal({ size: held.size + closed, cost: held.cost - shares[1] });
      expect(decodeMarketState((await vault.market(ETH)).state)).to.deep.equal({
        ...touched,
        fundingIndexWad: index,
        fundingRateE24: touched.fundingRateE24 + touched.fundingDriftE24 * hour,
        touchedAt: Number(time),
      });
    });

    it("goes on as if nothing had been handed over: the same state, rate and index after the next trade", async () => {
      enter(await thin.networkHelpers.loadFixture(skewed));
      const accounts = { account: await targetOf(), taker: await takerOf("60", "50000") };
      const third = await takerOf("0", "5000", 1);
      const { touchedAt } = decodeMarketState((await vault.market(ETH)).state);
      await world.passTime(3500);
      await world.push({ ETH: "185.5" });
      const start = await thin.networkHelpers.takeSnapshot();
      const words: unknown[] = [];
      for (const handsOver of [true, false]) {
        await start.restore();
        await at(BigInt(touchedAt) + hour);
        if (handsOver) await (await take(accounts.account, accounts.taker)).wait();
        else await (await vault.refreshCapital()).wait();
        await at(BigInt(touchedAt) + hour + 10n);
        await world.push({ ETH: "190.25" });
        await at(BigInt(touchedAt) + 2n * hour - 5n);
        await (await vault.refreshCapital()).wait();
        await at(BigInt(touchedAt) + 2n * hour);
        await (await vault.trade(third, ETH, wad("5"), 0n, noDeadline)).wait();
        const { state, totals, poolPosition } = await vault.market(ETH);
        words.push([state, totals, decodePosition(poolPosition), await vault.cash(pool)]);
      }
      expect(words[0]).to.deep.equal(words[1]);
    });
  });

  describe("a taker must be able to bear what it takes", () => {
    const initialOf = (size: bigint, price: bigint) =>
      legRequirement(size, price, wad("0.05"), wad("1.5"), wad("8000000"));

    it("of a loss: initial margin with the discount counted, to the last unit of cash", async () => {
      const account = await targetOf();
      await world.push({ ETH: "185.7" });
      const { sizeDeltaWad, rewardWad } = await vault.previewLiquidation(
        account,
        ETH,
        everything,
        accountId(other.address),
      );
      const required = initialOf(-sizeDeltaWad, wad("185.7")) + wad("2");
      // The loss that it takes over is paid for in cash: both cancel.
      const least = ceilDiv(required - rewardWad, 10n ** 12n);
      const taker = await takerOf("0", text(least - 1n, 6n));
      await expectRevert(() => take(account, taker), "InsufficientMargin", {
        account: taker,
        equityWad: (least - 1n) * 10n ** 12n + rewardWad,
        requiredWad: required,
      });
      const before = await portfolios(world, { account, taker });
      await world.fund(other, { USDC: "0.000001" });
      await (await take(account, taker)).wait();
      expect(eth((await portfolios(world, { account, taker })).accounts.taker).size).to.equal(-sizeDeltaWad);
      expect(before.accounts.taker.positions).to.deep.equal({});
    });

    it("of a gain: of which half counts, though it pays for all of it", async () => {
      const account = await richLong();
      await world.push({ ETH: "546" });
      const taker = await takerOf("0", "100");
      const preview = await vault.previewLiquidation(account, ETH, everything, taker);
      const closed = -preview.sizeDeltaWad;
      const { value } = partOf(eth(await portfolio(world, account)), wad("546"), closed);
      await expectRevert(() => take(account, taker), "InsufficientMargin", {
        account: taker,
        equityWad: wad("100") - value + preview.rewardWad + value / 2n,
        requiredWad: initialOf(closed, wad("546")) + generalRequirement(wad("100") + preview.rewardWad),
      });
    });

    it("and all that it has besides: another market's loss, and a price of another market that is stale", async () => {
      const account = await targetOf();
      const taker = await takerOf("0", "2000");
      await trade(other, taker, "BTC", "3");
      await world.push({ ETH: "185.7", BTC: "7400" });
      await expectRevert(() => take(account, taker), "InsufficientMargin", {
        account: taker,
        equityWad: (equity: bigint) => equity > wad("100") && equity < wad("300"),
        requiredWad: (required: bigint) => required > wad("1100"),
      });
      await world.push({ BTC: "8000" });
      await letStale(0);
      await expectRevert(() => take(account, taker), "StalePrices", { account: taker });
      await world.push({ BTC: "8000" });
      await (await take(account, taker)).wait();
    });

    it("though the target may have another market whose price is stale", async () => {
      const account = await world.fund(owner, { USDC: "385" });
      await trade(owner, account, "ETH", "10");
      await trade(owner, account, "BTC", "-0.4");
      const taker = await takerOf();
      await world.push({ ETH: "185", BTC: "8200" });
      await letStale(0);
      await (await take(account, taker)).wait();
      expect((await world.ballast.health(account)).isLiquidatable).to.equal(false);
    });

    it("in parts not below the minimum, of what it takes and of what its own position is left with", async () => {
      const account = await targetOf();
      const minimumWad = wad(world.parameters.markets[1]?.minimumSize ?? "0");
      await world.push({ ETH: "185" });
      const flat = await takerOf();
      await expectRevert(() => take(account, flat, minimumWad - 1n), "PositionBelowMinimum", {
        market: ETH,
        sizeWad: minimumWad - 1n,
        minimumWad,
      });
      const short = await takerOf("-1", "20000", 1);
      for (const [size, left] of [
        [wad("1") - minimumWad + 1n, minimumWad - 1n],
        [wad("1") + 5n, 5n],
      ] as const) {
        await expectRevert(() => take(account, short, size), "PositionBelowMinimum", {
          market: ETH,
          sizeWad: left,
          minimumWad,
        });
      }
      await (await take(account, flat, minimumWad)).wait();
      await (await take(account, short, wad("1"))).wait();
      expect((await portfolio(world, short)).positions).to.deep.equal({});
    });

    it("without a debt below the minimum, which paying for a gain may leave", async () => {
      const account = await richShort();
      const taker = await world.fund(other, { WETH: "1" });
      await world.push({ ETH: "155" });
      const size = wad("0.06");
      const { rewardWad } = await vault.previewLiquidation(account, ETH, size, taker);
      const { value } = partOf(eth(await portfolio(world, account)), wad("155"), size);
      await expectRevert(() => take(account, taker, size), "DebtBelowMinimum", {
        account: taker,
        debtWad: value - rewardWad,
        minimumWad: wad("10"),
      });
      await (await take(account, taker, wad("0.5"))).wait();
      expect((await vault.cash(taker)) < -wad("10")).to.equal(true);
    });

    it("in at most one market if it is isolated", async () => {
      const account = await targetOf();
      const [busy, free, same] = [await takerOf(), await takerOf("0", "20000", 1), await takerOf("0", "20000", 2)];
      for (const taker of [busy, free, same]) await (await vault.setMode(taker, 1n)).wait();
      await trade(other, busy, "BTC", "0.1");
      await trade(other, same, "ETH", "-1");
      await world.push({ ETH: "185" });
      await expectRevert(() => take(account, busy), "TooManyAssets", { account: busy, maximum: 1n });
      await (await take(account, free, wad("1"))).wait();
      await (await take(account, same, wad("2"))).wait();
      expect((await portfolio(world, same)).positions["ETH"]?.size).to.equal(wad("1"));
      expect((await vault.accountWord(same)) >> 248n).to.equal(1n);
    });

    it("in at most 16 markets", async () => {
      enter(
        await deployWorld(await hre.network.create(), (parameters) => {
          const round = withoutInterest(roundFigures(parameters));
          const more = Array.from({ length: 14 }, (_, i) => ({ ...round.markets[2]!, symbol: `M${i}` }));
          return { ...round, markets: [...round.markets, ...more] };
        }),
      );
      expect(world.deployment.markets.length).to.equal(17);
      const account = await targetOf();
      const taker = await takerOf();
      for (const { symbol } of world.deployment.markets) {
        if (symbol !== "ETH") await trade(other, taker, symbol, symbol === "BTC" ? "0.01" : "10");
      }
      await world.push({ ETH: "185" });
      await expectRevert(() => take(account, taker), "TooManyAssets", { account: taker, maximum: 16n });
      await trade(other, taker, "M13", "-10");
      await (await take(account, taker)).wait();
    });

    it("and is an account that the caller may act for, not the target", async () => {
      const [account, taker] = [await targetOf(), await takerOf()];
      await world.push({ ETH: "185" });
      for (const caller of [owner, stranger]) {
        await expectRevert(
          () => vault.connect(caller).liquidatePosition(account, ETH, everything, taker),
          "NotAuthorized",
          { account: taker, caller: caller.address },
        );
      }
      await expectRevert(
        () => vault.connect(owner).liquidatePosition(account, ETH, everything, account),
        "RewardToTarget",
        { account },
      );
    });
  });

  describe("refuses to hand over", () => {
    const refuses = async (account: AccountId, taker: AccountId, refusal: Refusal, size = everything, market = ETH) => {
      const preview = await vault.previewLiquidation(account, market, size, taker);
      expect(Refusal[Number(preview.refusal)]).to.equal(Refusal[refusal]);
      await expectRevert(() => take(account, taker, size, market), "LegRefused", { account, market, refusal });
    };

    it("anything of a healthy account, also right after it was brought to its target", async () => {
      const [account, taker] = [await targetOf(), await takerOf()];
      const refused = async () => {
        const { equityMaintenanceWad, requirementMaintenanceWad } = await world.ballast.health(account);
        const figures = { account, equityWad: equityMaintenanceWad, requirementWad: requirementMaintenanceWad };
        await expectRevert(() => take(account, taker), "AccountHealthy", figures);
        await expectRevert(() => vault.previewLiquidation(account, ETH, everything, taker), "AccountHealthy", figures);
      };
      await refused();
      await world.push({ ETH: "185" });
      await (await take(account, taker)).wait();
      await refused();
    });

    it("a leg that is none, though the taker has one there", async () => {
      const [account, taker] = [await targetOf(), await takerOf()];
      await trade(other, taker, "BTC", "0.1");
      await world.push({ ETH: "185" });
      await refuses(account, taker, Refusal.NoPosition, everything, BTC);
    });

    it("a leg whose price is stale", async () => {
      const [account, taker] = [await targetOf(), await takerOf()];
      await world.push({ ETH: "185" });
      await letStale(1);
      await refuses(account, taker, Refusal.PriceStale);
    });

    it("a leg where health bears less than a trade would cost", async () => {
      const [account, taker] = [await targetOf(), await takerOf("-30")];
      await world.push({ ETH: "180.5" });
      await refuses(account, taker, Refusal.DiscountTooSmall);
      await world.push({ ETH: "170" });
      await refuses(account, taker, Refusal.DiscountTooSmall);
    });

    it("so much that less than the minimum remains, unless it is all", async () => {
      const [account, taker] = [await targetOf("0.1", "3.05"), await takerOf()];
      await world.push({ ETH: "192" });
      await refuses(account, taker, Refusal.RemainderBelowMinimum, wad("0.06"));
      await (await take(account, taker, wad("0.1"))).wait();
    });

    it("a size of zero, in a market that is not listed, of pool and insurance", async () => {
      const [account, taker] = [await targetOf(), await takerOf()];
      await world.push({ ETH: "185" });
      await expectRevert(() => take(account, taker, 0n), "ZeroAmount");
      await expectRevert(() => take(account, taker, everything, 3n), "UnknownMarket", { market: 3n });
      for (const one of [pool, (await vault.insuranceAccount()) as AccountId]) {
        await expectRevert(() => take(one, taker), "NotATarget", { account: one });
      }
    });

    it("to the pool what an account takes: where the impact is too large for the pool's fill, an account takes on", async () => {
      enter(await deployWorld(await hre.network.create(), (parameters) => withoutInterest(thinEth(parameters))));
      const account = await targetOf();
      const taker = await takerOf();
      await trade(stranger, await world.fund(stranger, { USDC: "1000000" }), "ETH", "-240");
      await world.push({ ETH: "184.5" });
      await expectRevert(() => take(account, pool), "LegRefused", {
        account,
        market: ETH,
        refusal: Refusal.ImpactTooLarge,
      });
      await (await take(account, taker)).wait();
      expectHealthAtTarget(await portfolio(world, account));
    });
  });
});
