import { equity, healthOf, netCash, poolValue, requirement, valueOf } from "../margin.js";
import { Rational, greatest, one, sum, wei, whole, zero } from "../rational.js";
import {
  type Account,
  type HourBudget,
  type State,
  accountOf,
  collateralOf,
  marketOf,
  poolId,
  positionOf,
  sizeOf,
  worth,
} from "../state.js";
import type { Arena, Names } from "./arena.js";
import type { AccountFigures, BudgetFigures, Figures } from "./figures.js";

/** By how much the chain may be off, so far: each act adds what its roundings can come to. */
export interface Drift {
  /** Quote: of an account's cash, or a position's value. */
  money: Rational;
  /** Quote: of what an account has, above the model's. Nobody gains by rounding but through what a forced trade costs somebody else. */
  favour: Rational;
  /** Quote: of everybody together, below the model's. Above it never. */
  all: Rational;
  /** Of an index of interest. */
  index: Rational;
  /** Quote: of interest that is not swept, below the model's. */
  interest: Rational;
  /** Base units, by market. */
  readonly size: Rational[];
}

export interface Difference {
  readonly what: string;
  readonly chain: Rational;
  readonly model: Rational;
  /** The least and the most that chain less model may be. */
  readonly from: Rational;
  readonly to: Rational;
}

export function sentence({ what, chain, model, from, to }: Difference): string {
  const inWei = (value: Rational) => value.floorTo(10n ** 18n);
  const apart = inWei(chain.minus(model));
  return `${what}: chain ${chain}, model ${model}: ${apart} wei apart, ${inWei(from)} to ${inWei(to)} allowed`;
}

/** Collects where chain and model differ by more than allowed. */
export class Comparison {
  readonly differences: Difference[] = [];

  /** Either way by at most `bound`. */
  near(what: string, chain: Rational, model: Rational, bound: Rational): void {
    this.within(what, chain, model, bound.negated(), bound);
  }

  same(what: string, chain: bigint, model: bigint): void {
    this.near(what, whole(chain), whole(model), zero);
  }

  within(what: string, chain: Rational, model: Rational, from: Rational, to: Rational): void {
    const apart = chain.minus(model);
    if (apart.isBelow(from) || to.isBelow(apart)) this.differences.push({ what, chain, model, from, to });
  }
}

/** Rates of funding, and how they move, are whole 1e-24. */
const rateUnit = new Rational(1n, 10n ** 24n);

/** What that comes to in a market's index since it was touched last: quote a base unit. */
export function fundingGrain(state: State, id: number): Rational {
  const { touchedAt, price, terms } = marketOf(state, id);
  const elapsed = state.now - touchedAt;
  const seconds = whole(elapsed < terms.maxFundingGap ? elapsed : terms.maxFundingGap);
  return rateUnit.times(seconds).times(seconds.plus(one)).times(price.value).plus(wei(2n));
}

/**
 * The funding index and rate of the markets that the chain touched, which it keeps in coarse units: compared with the model's, then taken
 * over, so that the coarseness does not add up. `state` has touched them, `before` has not.
 */
export function adoptFunding(comparison: Comparison, before: State, state: State, figures: Figures, id: number): void {
  const market = marketOf(state, id);
  const { fundingIndex, fundingRate } = figures.markets[id]!;
  const grain = fundingGrain({ ...before, now: state.now }, id);
  comparison.near(`funding index of market ${id}`, wei(fundingIndex), market.fundingPaid, grain);
  const rate = new Rational(fundingRate).times(rateUnit);
  const seconds = whole(state.now - marketOf(before, id).touchedAt);
  comparison.near(`funding rate of market ${id}`, rate, market.fundingRate, rateUnit.times(seconds.plus(one)));
  const off = wei(fundingIndex).minus(market.fundingPaid);
  for (const { positions } of state.accounts.values()) {
    const position = positions.get(id);
    if (position !== undefined) position.cost = position.cost.plus(position.size.times(off)).fine();
  }
  market.fundingPaid = wei(fundingIndex);
  market.fundingRate = rate;
}

/** Cash's rates are whole 1e-18 a second; how far a step of interest may be off because of an index's digits is in the drift. */
const cashRateUnit = new Rational(1n, 10n ** 18n);

/** Rates of interest, which a wei of the totals can move by one of their units, and when they were set: compared, then taken over. */
export function adoptRates(comparison: Comparison, state: State, { cash }: Figures): void {
  const { interest } = state;
  comparison.same("time of the rates", cash.accruedAt, interest.setAt);
  const rate = (units: bigint) => whole(units).times(cashRateUnit);
  comparison.near("supply rate", rate(cash.supplyRate), interest.supplyRate, cashRateUnit);
  comparison.near("borrow rate", rate(cash.borrowRate), interest.borrowRate, cashRateUnit);
  interest.supplyRate = rate(cash.supplyRate);
  interest.borrowRate = rate(cash.borrowRate);
}

/** Positions that are empty on the chain, and here but for what deleveraging rounded: the pool takes the dust. */
export function adoptEmpty(state: State, figures: Figures, { accounts }: Arena, names: Names, drift: Drift): void {
  for (const { id } of accounts) {
    const account = accountOf(state, names.account(id));
    for (const [market, position] of account.positions) {
      const isEmpty = figures.accounts.get(id)!.positions[market]!.size === 0n;
      if (!isEmpty || account.id === poolId || drift.size[market]!.isBelow(position.size.abs())) continue;
      const mirrored = positionOf(accountOf(state, poolId), market);
      mirrored.size = mirrored.size.plus(position.size);
      position.size = zero;
    }
  }
}

/** What ratios and rates in whole units come to on all that an account has. */
export function grainOf(state: State, account: Account): Rational {
  const notionals = [...account.positions].map(([market, { size }]) =>
    size.abs().times(marketOf(state, market).price.value),
  );
  const collaterals = account.collaterals.map((amount, index) => worth(collateralOf(state, index), amount));
  return sum([...notionals, ...collaterals]).times(wei(4n));
}

function accruedGrain(state: State, account: Account): Rational {
  return sum([...account.positions].map(([market, { size }]) => size.abs().times(fundingGrain(state, market))));
}

/** Everything that chain and model both tell. */
export function compareAll(
  comparison: Comparison,
  state: State,
  figures: Figures,
  { accounts, deployment: { markets } }: Arena,
  names: Names,
  drift: Drift,
): void {
  const off = [];
  for (const { id, name } of accounts) {
    const [account, seen] = [accountOf(state, names.account(id)), figures.accounts.get(id)!];
    comparison.near(`cash of ${name}`, wei(seen.cash), account.cash, drift.money);
    for (const [market, { size, value }] of seen.positions.entries()) {
      const { symbol } = markets[market]!;
      const own = sizeOf(account, market);
      comparison.near(`size of ${name} in ${symbol}`, wei(size), own, drift.size[market]!);
      const modelled = account.positions.has(market) ? valueOf(state, market, positionOf(account, market)) : zero;
      const bound = drift.money.plus(own.abs().times(fundingGrain(state, market)));
      comparison.near(`value of ${name} in ${symbol}`, wei(value), modelled, bound);
    }
    for (const [index, amount] of seen.collaterals.entries()) {
      comparison.same(`collateral ${index} of ${name}`, amount, account.collaterals[index]!);
    }
    const accrued = accruedGrain(state, account);
    const bound = sum([drift.money, accrued, grainOf(state, account)]);
    const margin: [string, bigint, Rational][] = [
      ["maintenance equity", seen.equityMaintenance, equity(state, account, "maintenance")],
      ["maintenance requirement", seen.requirementMaintenance, requirement(state, account, "maintenance")],
      ["initial equity", seen.equityInitial, equity(state, account, "initial")],
      ["initial requirement", seen.requirementInitial, requirement(state, account, "initial")],
    ];
    // Who has a few wei of a debt, or the pool of a position, where the other has none, owes the keeper floor for it.
    const isDust = isLeftOver(account, seen, drift) || wei(seen.cash).abs().isAtMost(drift.money);
    const floor = isDust ? state.vault.keeperFloor : zero;
    for (const [what, chain, model] of margin)
      comparison.near(`${what} of ${name}`, wei(chain), model, bound.plus(floor));
    // A requirement of a few wei, on a debt that is rounding's, says nothing about health.
    if (floor.isZero() && bound.isBelow(wei(seen.requirementMaintenance))) {
      compareHealth(comparison, state, account, name, seen.health, bound);
    }
    const own = netCash(state, account);
    comparison.within(
      `net cash of ${name}`,
      wei(seen.netCash),
      own,
      drift.money.plus(accrued).negated(),
      drift.favour.plus(accrued),
    );
    off.push(wei(seen.netCash).minus(own));
  }
  for (const [id, seen] of figures.markets.entries()) {
    const { symbol } = markets[id]!;
    const market = marketOf(state, id);
    comparison.same(`time of the touch of ${symbol}`, seen.touchedAt, market.touchedAt);
    comparison.near(`fees of ${symbol}`, wei(seen.fees), market.fees, zero);
    off.push(wei(seen.fees).minus(market.fees));
  }
  const { interest, badDebt } = state;
  off.push(badDebt.minus(wei(figures.cash.badDebt)));
  if (figures.cash.accruedAt === state.now) {
    // The vault writes it with the indices.
    const unswept = wei(figures.cash.interestUnswept);
    comparison.within("interest not swept", unswept, interest.unswept, drift.interest.negated(), drift.money);
    off.push(unswept.minus(interest.unswept));
  }
  // Longs and shorts differ by what deleveraging rounded: so much does not cancel at the price.
  const uneven = sum(drift.size.map((size, market) => size.times(marketOf(state, market).price.value)));
  comparison.within("all that anybody has", sum(off), zero, drift.all.plus(uneven).negated(), uneven);
  comparison.near("cash held", new Rational(figures.cashHeld, names.cashUnit), state.held, zero);
  const poolBound = sum([
    drift.money,
    accruedGrain(state, accountOf(state, poolId)),
    grainOf(state, accountOf(state, poolId)),
  ]);
  const written = (index: bigint) => new Rational(index, 10n ** 15n);
  comparison.near("supply index", written(figures.cash.supplyIndex), indexAt(state, "supply"), drift.index);
  comparison.near("borrow index", written(figures.cash.borrowIndex), indexAt(state, "borrow"), drift.index);
  comparison.near("bad debt", wei(figures.cash.badDebt), badDebt, drift.money);
  compareBudget(comparison, "pool's hour", figures.cash.poolLosses, state.poolLoss, drift.money);
  compareBudget(comparison, "suppliers' hour", figures.cash.writeOffs, state.writeOff, drift.money);
  comparison.near("capital", wei(figures.capital), state.capital.value, poolBound);
  comparison.same("time of the capital's checkpoint", figures.capitalTakenAt, state.capital.takenAt);
  const { value, band, haircut } = poolValue(state);
  comparison.near("value of the pool", wei(figures.poolValue), value, poolBound);
  comparison.near("band of the pool", wei(figures.poolBand), band, poolBound);
  comparison.near("haircut of the pool", wei(figures.poolHaircut), haircut, poolBound);
}

/** All that the chain's pool has of positions is what rounding left of them. */
function isLeftOver(account: Account, { positions }: AccountFigures, { size }: Drift): boolean {
  return account.id === poolId && positions.every((each, market) => wei(each.size).abs().isAtMost(size[market]!));
}

/** Equity's error over the requirement, and the requirement's in proportion to health. */
function compareHealth(
  comparison: Comparison,
  state: State,
  account: Account,
  name: string,
  chain: bigint,
  bound: Rational,
): void {
  const health = healthOf(state, account);
  if (health === undefined) {
    comparison.same(`health of ${name}`, chain, 2n ** 256n - 1n);
    return;
  }
  const required = greatest(requirement(state, account, "maintenance"), one);
  comparison.near(`health of ${name}`, wei(chain), health, bound.times(one.plus(health)).over(required).plus(wei(2n)));
}

/** The index as of when it was written last. */
function indexAt({ interest }: State, kind: "supply" | "borrow"): Rational {
  const [index, rate] =
    kind === "supply" ? [interest.supplyIndex, interest.supplyRate] : [interest.borrowIndex, interest.borrowRate];
  return index.over(one.plus(rate.times(whole(interest.grownTo - interest.setAt))));
}

function compareBudget(
  comparison: Comparison,
  what: string,
  chain: BudgetFigures,
  model: HourBudget,
  bound: Rational,
): void {
  comparison.same(`start of the ${what}`, chain.since, model.since);
  comparison.near(`${what}, allowed`, wei(chain.allowed), model.allowed, bound);
  comparison.near(`${what}, spent`, wei(chain.spent), model.spent, bound);
}
