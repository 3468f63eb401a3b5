import { expect } from "chai";

import { randomStreams } from "../../simulator/random.js";
import { announceDelisting, delist } from "./delisting.js";
import { depositCash, moveCollateral, moveIntoPool, withdrawCash } from "./custody.js";
import { fillPrice, settle, sweepFees, trade, tradeFee } from "./fills.js";
import { touch } from "./funding.js";
import { cashTotals, grow, setRates, sweepInterest, utilisation, withRates } from "./interest.js";
import {
  buyFromPool,
  closeIntoPool,
  closeToAccount,
  isLiquidatable,
  planLeg,
  planSale,
  sellCollateral,
} from "./liquidation.js";
import { equity, healthOf, netCash, valueOf } from "./margin.js";
import { Rational, crossing, decimal, one, sum, two, wei, whole, zero } from "./rational.js";
import { type State, accountOf, insuranceId, marketOf, poolId, poolOf, positionOf, sizeOf, skewOf } from "./state.js";
import { absorb, cover, deleverage, resolvePool } from "./waterfall.js";
import { plainState } from "./support/plain.js";

const year = 365n * 86_400n;

/** To 40 decimals: the model's own digits are finer, the chain's far coarser. */
function expectEqual(actual: Rational, expected: Rational | string, what = ""): void {
  const wanted = typeof expected === "string" ? decimal(expected) : expected;
  const isNear = actual
    .minus(wanted)
    .abs()
    .isBelow(new Rational(1n, 10n ** 40n));
  expect(isNear, `${what} ${actual}, expected ${wanted}`).to.equal(true);
}

/** What everybody has, less what is held for them: zero, whatever happens. */
function unbalanced(state: State): Rational {
  const claims = [...state.accounts.values()].map((account) => netCash(state, account));
  const fees = state.markets.map((market) => market.fees);
  return sum([...claims, ...fees, state.interest.unswept])
    .minus(state.badDebt)
    .plus(state.reserve)
    .minus(state.held);
}

function open(state: State, id: string, size: string, market = 0): void {
  trade(state, id, market, decimal(size));
}

describe("the model, by worked examples", () => {
  it("rounds toward minus infinity, and finds where a function passes zero", () => {
    expect(new Rational(-3n, 2n).floorTo(1n)).to.equal(-2n);
    expect(new Rational(-3n, 2n).ceilTo(1n)).to.equal(-1n);
    const root = crossing((at) => at.times(at).minus(two), zero, two);
    expect(root.floorTo(10n ** 30n)).to.equal(1_414_213_562_373_095_048_801_688_724_209n);
  });

  it("fills at the price and the impact of half the size (Synthetix, sip-279)", () => {
    const state = plainState({ price: "2000", skewScale: "1000000" });
    expectEqual(fillPrice(marketOf(state, 0), whole(100), whole(100)), "2000.3");
  });

  it("takes the maker's rate for what lowers the skew, the taker's for the rest, each at its own price", () => {
    const state = plainState({ price: "100", skewScale: "1000", takerRate: "0.001", makerRate: "0.0002" });
    // Skew 10, sells 30: 10 at 100 * 1.005 for 0.0002, 20 at 100 * 0.99 for 0.001.
    expectEqual(tradeFee(marketOf(state, 0), whole(10), whole(-30)), "2.181");
  });

  it("funds 30 on 100 units in a day (Synthetix, sip-279)", () => {
    const state = plainState({
      price: "2000",
      skewScale: "1000000",
      maxFundingVelocityPerDay2: "3",
      maxFundingRatePerDay: "1",
    });
    depositCash(state, "a", whole(100_000));
    open(state, "a", "100");
    const before = netCash(state, accountOf(state, "a"));
    state.now += 86_400n;
    expectEqual(before.minus(netCash(state, accountOf(state, "a"))), "30");
    touch(state, 0);
    expectEqual(before.minus(netCash(state, accountOf(state, "a"))), "30");
    expectEqual(unbalanced(state), zero);
  });

  it("holds the funding rate at its clamp", () => {
    const state = plainState({
      price: "2000",
      skewScale: "1000000",
      maxFundingVelocityPerDay2: "3",
      maxFundingRatePerDay: "0.0000864",
    });
    depositCash(state, "a", whole(100_000));
    open(state, "a", "100");
    state.now += 86_400n;
    touch(state, 0);
    // 0.288 days up to the clamp, the rest at it: 2000 * 0.0000864 * (0.288 / 2 + 0.712).
    expectEqual(marketOf(state, 0).fundingPaid, "0.1479168");
  });

  it("realises the part of the cost that a part of the position has, and closes before it opens", () => {
    const state = plainState({ price: "100", skewScale: "1000000000000", takerRate: "0", makerRate: "0" });
    depositCash(state, "a", whole(10_000));
    open(state, "a", "10");
    marketOf(state, 0).price.value = whole(130);
    const { realised } = trade(state, "a", 0, whole(-4));
    expect(realised.minus(whole(120)).abs().isBelow(decimal("0.000001"))).to.equal(true);
    open(state, "a", "-16");
    expectEqual(sizeOf(accountOf(state, "a"), 0), "-10");
    expect(
      valueOf(state, 0, positionOf(accountOf(state, "a"), 0))
        .abs()
        .isBelow(decimal("0.000001")),
    ).to.equal(true);
    expectEqual(unbalanced(state), zero);
  });

  it("charges 8% a year at the kink, and credits suppliers with it less the reserve", () => {
    const state = plainState({});
    depositCash(state, "supplier", whole(1000));
    accountOf(state, "borrower").cash = whole(-800);
    state.held = whole(200).plus(state.reserve);
    setRates(state);
    expect(utilisation(whole(1000), whole(800), whole(200)).equals(decimal("0.8"))).to.equal(true);
    state.now += year;
    grow(state);
    // Per second the rates are whole 1e-18: what a year of that can come to is below 1e-10 of the amount.
    const near = (actual: Rational, expected: string) =>
      expect(actual.minus(decimal(expected)).abs().isBelow(decimal("0.0000001")), `${actual}`).to.equal(true);
    near(accountOf(state, "borrower").cash, "-864");
    near(accountOf(state, "supplier").cash, "1057.6");
    near(state.interest.unswept, "6.4");
    sweepInterest(state, accountOf(state, insuranceId));
    near(accountOf(state, insuranceId).cash, "6.4");
    expectEqual(unbalanced(state), zero);
  });

  it("prices cash that is not there, though nobody owes it yet", () => {
    expectEqual(utilisation(whole(1000), whole(100), whole(300)), "0.7");
    expectEqual(utilisation(whole(1000), whole(1200), zero), "1");
    expectEqual(utilisation(whole(1000), zero, whole(2000)), "0");
  });

  it("grows in a line until the rates are set anew", () => {
    const twice = plainState({});
    accountOf(twice, "borrower").cash = whole(-800);
    accountOf(twice, "supplier").cash = whole(1000);
    setRates(twice);
    const once = structuredCopy(twice);
    for (const state of [twice, once]) state.now += year / 2n;
    grow(twice); // nothing changes hands
    for (const state of [twice, once]) {
      state.now += year / 2n;
      grow(state);
    }
    expectEqual(twice.accounts.get("borrower")!.cash, once.accounts.get("borrower")!.cash);
  });

  it("deleverages the other side in proportion, at the price, its proceeds in its cost", () => {
    const state = plainState({ price: "100", skewScale: "1000000000000" });
    for (const id of ["x", "a", "b"]) depositCash(state, id, whole(100_000));
    open(state, "x", "5");
    open(state, "a", "-6");
    open(state, "b", "-4");
    const before = ["a", "b", "x"].map((id) => netCash(state, accountOf(state, id)));
    deleverage(state, accountOf(state, "x"), 0, whole(100));
    // The pool is long 5 beside x's 5: the shorts sold half of theirs.
    expectEqual(sizeOf(accountOf(state, "a"), 0), "-3");
    expectEqual(sizeOf(accountOf(state, "b"), 0), "-2");
    expectEqual(skewOf(state, 0), "-5");
    for (const [i, id] of ["a", "b", "x"].entries()) expectEqual(netCash(state, accountOf(state, id)), before[i]!, id);
    expectEqual(unbalanced(state), zero);
  });

  it("closes 1 of a shortage of 10 at a margin of 10% and a price of 100 (Drift)", () => {
    const state = plainState({
      price: "100",
      skewScale: "1000000000000000",
      maintenanceBase: "0.1",
      discountBase: "0",
      discountSlope: "0",
      discountCap: "0",
      takerRate: "0",
      makerRate: "0",
    });
    state.vault = { ...state.vault, targetHealth: one, keeperFloor: zero };
    depositCash(state, "a", whole(1000));
    open(state, "a", "100");
    accountOf(state, "a").cash = accountOf(state, "a").cash.minus(whole(10));
    const plan = planLeg(state, "a", 0, undefined, true);
    if (typeof plan === "string") throw new TypeError(plan);
    expect(plan.closed.minus(one).abs().isBelow(decimal("0.000001")), `${plan.closed}`).to.equal(true);
  });

  it("INV-09: closes as much of a leg, or of a collateral, as brings health to its target", () => {
    for (const toPool of [true, false]) {
      const state = plainState({ price: "100", skewScale: "100000" });
      depositCash(state, "a", whole(1000));
      depositCash(state, "taker", whole(10_000));
      moveIntoPool(state, whole(1_000_000));
      open(state, "a", "150");
      marketOf(state, 0).price.value = decimal("96.05");
      expect(isLiquidatable(state, accountOf(state, "a"))).to.equal(true);
      const plan = planLeg(state, "a", 0, undefined, toPool);
      if (typeof plan === "string") throw new TypeError(plan);
      expect(plan.closed.isBelow(whole(150))).to.equal(true);
      if (toPool) closeIntoPool(state, "a", 0, plan, "keeper");
      else closeToAccount(state, "a", 0, plan, "taker");
      expectEqual(healthOf(state, accountOf(state, "a"))!, "1.1", toPool ? "pool" : "taker");
      expectEqual(unbalanced(state), zero);
    }
    const state = plainState({ price: "100" });
    moveCollateral(state, "a", 0, 10n * 10n ** 18n); // worth 1000, 900 at maintenance
    depositCash(state, "taker", whole(10_000));
    withdrawCash(state, "a", decimal("858")); // requires 42.9 and 2
    const plan = planSale(state, "a", 0);
    sellCollateral(state, "a", 0, plan, "taker");
    const health = healthOf(state, accountOf(state, "a"))!;
    expect(health.minus(decimal("1.1")).abs().isBelow(decimal("0.000000000001")), `${health}`).to.equal(true);
  });

  it("absorbs at the fill price what is worth something, with a penalty that keeper, insurance and pool share (way A)", () => {
    const state = plainState({ price: "100", skewScale: "1000000000000" });
    moveIntoPool(state, whole(1_000_000));
    depositCash(state, "a", whole(1000));
    open(state, "a", "100");
    marketOf(state, 0).price.value = decimal("91");
    const cash = (id: string) => accountOf(state, id).cash;
    const { steps } = absorb(state, ["a"], "keeper");
    expect(steps).to.deep.equal(["way A"]);
    // 1000 - 900 of loss - 5 of fee, to a millionth of impact; a penalty of 1% of 9100.
    const near = (actual: Rational, expected: string) =>
      expect(actual.minus(decimal(expected)).abs().isBelow(decimal("0.001")), `${actual}`).to.equal(true);
    near(cash("a"), "4");
    near(cash("keeper"), "36.4");
    near(cash(insuranceId), "18.2");
    expectEqual(unbalanced(state), zero);
  });

  it("INV-11: shares a loss among insurance, the pool's hour, the other side, suppliers and bad debt (way B)", () => {
    const state = plainState({ price: "100", skewScale: "1000000000000" });
    moveIntoPool(state, whole(10_000));
    for (const id of ["a", "b", "c"]) depositCash(state, id, whole(1000));
    depositCash(state, insuranceId, whole(100));
    state.cashTerms = { ...state.cashTerms, poolLossPerHour: decimal("0.01"), writeOffPerHour: decimal("0.01") };
    open(state, "a", "100");
    open(state, "b", "-60");
    open(state, "c", "-40");
    marketOf(state, 0).price.value = decimal("80");
    const before = Object.fromEntries(["b", "c", poolId].map((id) => [id, netCash(state, accountOf(state, id))]));
    const deficit = netCash(state, accountOf(state, "a")).negated();
    const { steps } = absorb(state, ["a"], "keeper");
    expect(steps).to.deep.equal([
      "way B",
      "insurance paid",
      "pool paid",
      "deleveraged beyond the price",
      "written off",
      "bad debt",
    ]);
    // The shorts sold all at 80 * (1 + 3% / 1.05): 100 * 80 * 0.03 / 1.05 was the most that they pay.
    const others = decimal("240").over(decimal("1.05"));
    expect(sizeOf(accountOf(state, "b"), 0).isZero()).to.equal(true);
    expectEqual(accountOf(state, "a").cash, zero);
    expectEqual(accountOf(state, insuranceId).cash, zero);
    const poolPaid = state.poolLoss.spent;
    const written = state.writeOff.spent;
    expectEqual(state.badDebt, deficit.minus(whole(100)).minus(poolPaid).minus(others).minus(written), "bad debt");
    expectEqual(written, cashTotals(state).supplied.over(whole(99)), "1% of what was supplied");
    expectEqual(poolPaid, before[poolId]!.times(decimal("0.01")), "the pool's hour");
    const kept = one.minus(state.interest.supplyIndex);
    for (const [id, size] of [
      ["b", "60"],
      ["c", "40"],
    ] as const) {
      const account = accountOf(state, id);
      const share = others.times(decimal(size)).over(whole(100));
      const ofWriteOff = account.cash.times(kept).over(one.minus(kept));
      expectEqual(netCash(state, account), before[id]!.minus(share).minus(ofWriteOff), id);
      settle(state, id, 0);
      expect(account.positions.size).to.equal(0);
    }
    expectEqual(unbalanced(state), zero);

    depositCash(state, insuranceId, whole(10));
    const owed = state.badDebt;
    expect(cover(state)).to.deep.equal(["bad debt covered"]);
    expectEqual(state.badDebt, owed.minus(whole(10)));
    expectEqual(unbalanced(state), zero);
  });

  it("resolves the pool: insurance, its other sides, then suppliers, and it ends at zero", () => {
    const state = plainState({ price: "100", skewScale: "1000000000000" });
    moveIntoPool(state, whole(1000));
    depositCash(state, "a", whole(10_000));
    depositCash(state, "b", whole(500));
    depositCash(state, insuranceId, whole(100));
    state.cashTerms = { ...state.cashTerms, writeOffPerHour: decimal("0.9") };
    open(state, "a", "100");
    marketOf(state, 0).price.value = decimal("115");
    expect(resolvePool(state).slice(0, 2)).to.deep.equal(["pool resolved", "insurance paid"]);
    expectEqual(equity(state, poolOf(state), "maintenance"), zero);
    expect(sizeOf(poolOf(state), 0).isZero()).to.equal(true);
    expect(sizeOf(accountOf(state, "a"), 0).isZero()).to.equal(true);
    expectEqual(state.badDebt, zero);
    expectEqual(unbalanced(state), zero);
  });

  it("lets a loss of the pool without a price wait, and resolves it once there is one", () => {
    const state = plainState({ price: "100", skewScale: "1000000000000" });
    moveIntoPool(state, whole(1000));
    depositCash(state, "a", whole(10_000));
    depositCash(state, insuranceId, whole(3000));
    open(state, "a", "100", 0);
    open(state, "a", "100", 1);
    for (const market of [0, 1]) marketOf(state, market).price.value = decimal("115");
    state.now += 10n ** 9n;
    for (const market of [0, 1]) touch(state, market);
    expect(resolvePool(state)).to.deep.equal([]);
    marketOf(state, 0).price.publishedAt = state.now;
    expect(resolvePool(state).slice(0, 2)).to.deep.equal(["pool resolved", "insurance paid"]);
    const waiting = valueOf(state, 1, positionOf(poolOf(state), 1));
    expect(waiting.isBelow(whole(-1400)), `${waiting}`).to.equal(true);
    expectEqual(equity(state, poolOf(state), "maintenance"), waiting);
    marketOf(state, 1).price.publishedAt = state.now;
    expect(resolvePool(state).slice(0, 2)).to.deep.equal(["pool resolved", "insurance paid"]);
    expectEqual(equity(state, poolOf(state), "maintenance"), zero);
    expectEqual(unbalanced(state), zero);
  });

  it("delists at the fresh price, and pays each position when it is settled", () => {
    const state = plainState({ price: "100", skewScale: "1000000000000" });
    depositCash(state, "a", whole(1000));
    open(state, "a", "10");
    announceDelisting(state, 0, state.now + 86_400n, whole(90));
    marketOf(state, 0).price.value = whole(120);
    state.now += 86_400n;
    marketOf(state, 0).price.publishedAt = state.now;
    delist(state, 0);
    marketOf(state, 0).price.value = whole(10);
    const worth = netCash(state, accountOf(state, "a"));
    settle(state, "a", 0);
    expect(accountOf(state, "a").positions.size).to.equal(0);
    expectEqual(accountOf(state, "a").cash, worth);
    expect(worth.minus(decimal("1199.5")).abs().isBelow(decimal("0.001")), `${worth}`).to.equal(true);
    expectEqual(unbalanced(state), zero);
  });

  it("INV-04: creates and destroys nothing, whatever happens in whatever order", () => {
    const happened = new Set<string>();
    for (const seed of [1, 2, 3, 4, 5, 6]) for (const step of wildSequence(seed)) happened.add(step);
    const must = [
      "way A",
      "way B",
      "insurance paid",
      "pool paid",
      "written off",
      "bad debt",
      "bad debt covered",
      "reward topped up",
    ];
    expect(must.filter((step) => !happened.has(step))).to.deep.equal([]);
  });
});

function structuredCopy(state: State): State {
  return {
    ...state,
    accounts: new Map([...state.accounts].map(([id, account]) => [id, { ...account }])),
    interest: { ...state.interest },
  };
}

/** Everybody does anything, without asking whether it is allowed; tells what the waterfall did. */
function wildSequence(seed: number): string[] {
  const [random] = randomStreams(seed, 1);
  const state = plainState({
    price: "100",
    skewScale: "100000",
    maxFundingVelocityPerDay2: "3",
    maxFundingRatePerDay: "0.005",
  });
  state.cashTerms = { ...state.cashTerms, poolLossPerHour: decimal("0.1"), writeOffPerHour: decimal("0.02") };
  const ids = ["a", "b", "c", "d", "e"];
  const happened: string[] = [];
  const upTo = (most: number) => wei(BigInt(Math.floor(random!.uniform() * most * 1e6)) * 10n ** 12n);
  const anyone = () => ids[random!.integer(0, ids.length - 1)]!;
  depositCash(state, insuranceId, whole(500));
  moveIntoPool(state, whole(20_000));
  for (const id of ids) depositCash(state, id, whole(2000));
  const acts: ((id: string) => void)[] = [
    (id) => depositCash(state, id, upTo(500)),
    (id) => withdrawCash(state, id, upTo(1500)),
    (id) => moveCollateral(state, id, 0, 10n ** 18n),
    (id) => void trade(state, id, random!.integer(0, 1), upTo(300).minus(upTo(300))),
    (id) => void trade(state, id, random!.integer(0, 1), upTo(300).minus(upTo(300))),
    (id) => [...accountOf(state, id).positions.keys()].forEach((market) => settle(state, id, market)),
    () => {
      const market = marketOf(state, random!.integer(0, 1));
      market.price.value = market.price.value.times(decimal("0.9").plus(upTo(0.2))).fine();
    },
    () => void (state.now += BigInt(random!.integer(1, 50_000))),
    (id) => {
      for (const market of accountOf(state, id).positions.keys()) {
        if (!isLiquidatable(state, accountOf(state, id))) return;
        const plan = planLeg(state, id, market, undefined, true);
        if (typeof plan !== "string") closeIntoPool(state, id, market, plan, "keeper");
      }
    },
    () => happened.push(...absorb(state, ids, "keeper").steps),
    () => happened.push(...cover(state)),
    () => happened.push(...resolvePool(state)),
    () => sweepFees(state, 0),
    (id) => {
      const stock = poolOf(state).collaterals[0]!;
      if (stock > 0n) buyFromPool(state, id, 0, stock);
    },
  ];
  for (let step = 0; step < 250; step += 1) {
    for (const { price } of [...state.markets, ...state.collaterals]) price.publishedAt = state.now;
    withRates(state, () => acts[random!.integer(0, acts.length - 1)]!(anyone()));
    expectEqual(unbalanced(state), zero, `seed ${seed}, step ${step}: unbalanced by`);
    for (const market of [0, 1]) {
      const sizes = [...state.accounts.values()].map((account) => sizeOf(account, market));
      expectEqual(sum(sizes), zero, `seed ${seed}, step ${step}: size of all`);
    }
  }
  return happened;
}
