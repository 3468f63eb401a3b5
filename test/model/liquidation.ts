import { exchange, fillPrice, millionths, settle, signOf } from "./fills.js";
import { touch } from "./funding.js";
import {
  baseOf,
  equity,
  freeMargin,
  healthOf,
  legRequirement,
  maintenanceRoom,
  netCash,
  requirement,
  valueOf,
} from "./margin.js";
import { Rational, crossing, least, one, zero } from "./rational.js";
import {
  type Account,
  type Discount,
  type Market,
  type State,
  accountOf,
  collateralOf,
  copy,
  insuranceId,
  isFresh,
  marketOf,
  poolOf,
  positionOf,
  sizeOf,
  skewOf,
  worth,
} from "./state.js";

// Step 1 of the waterfall: a leg of an account below maintenance, as much of it as brings health to its target. How much that is, is
// found by trying, not by the formula that solves for it.

export type LegRefusal =
  "NoPosition" | "PriceStale" | "DiscountTooSmall" | "ImpactTooLarge" | "PoolMargin" | "RemainderBelowMinimum";

export interface LegPlan {
  /** Unsigned. */
  readonly closed: Rational;
  readonly price: Rational;
  /** Of notional at the price. */
  readonly discount: Rational;
}

export function isLiquidatable(state: State, account: Account): boolean {
  return maintenanceRoom(state, account).sign() < 0;
}

/** min(base + slope * (1 - h), cap) */
export function offered({ base, slope, cap }: Discount, health: Rational): Rational {
  return least(base.plus(slope.times(one.minus(health))), cap);
}

/** What a forced trade may cost, of notional, so that it raises health: h * base_maint / (1 + rho). */
export function bearable(state: State, market: Market, health: Rational): Rational {
  return health.times(market.terms.maintenanceBase).over(one.plus(state.vault.debtMargin));
}

/** What a leg of an account would cost and how much of it would go; `toPool` or to an account at the price. */
export function planLeg(
  state: State,
  id: string,
  marketId: number,
  most: Rational | undefined,
  toPool: boolean,
): LegPlan | LegRefusal {
  const account = accountOf(state, id);
  const market = marketOf(state, marketId);
  const size = sizeOf(account, marketId);
  if (size.isZero()) return "NoPosition";
  if (!isFresh(state, market.price)) return "PriceStale";
  const health = healthOf(state, account) ?? one;
  const bound = bearable(state, market, health);
  let discount = least(offered(market.terms.discount, health), bound);
  const dearest = least(market.terms.takerRate.plus(market.price.tolerance), market.terms.discount.base);
  if (discount.isBelow(dearest)) return "DiscountTooSmall";

  const priceOf = (closed: Rational) =>
    toPool ? fillPrice(market, skewOf(state, marketId), closed.times(signOf(size)).negated()) : market.price.value;
  const limited = (closed: Rational) => (most === undefined ? closed : least(closed, most));
  let closed = limited(closedToTarget(state, account, marketId, discount, priceOf));
  if (toPool) {
    const impact = market.price.value.minus(priceOf(closed)).times(signOf(size)).over(market.price.value);
    if (bound.isBelow(impact.plus(discount))) {
      discount = bound.minus(impact);
      if (discount.sign() < 0) return "ImpactTooLarge";
      closed = limited(closedToTarget(state, account, marketId, discount, priceOf));
    }
  }
  const rest = size.abs().minus(closed);
  if (rest.sign() > 0 && rest.isBelow(market.terms.minimumSize)) {
    if (most !== undefined && most.isBelow(size.abs())) return "RemainderBelowMinimum";
    closed = size.abs();
  }
  const plan = { closed, price: priceOf(closed), discount };
  if (toPool && !poolAccepts(state, id, marketId, plan)) return "PoolMargin";
  return plan;
}

/** The least size to close that leaves health at its target; all of it where less does not. */
function closedToTarget(
  state: State,
  account: Account,
  marketId: number,
  discount: Rational,
  priceOf: (closed: Rational) => Rational,
): Rational {
  const market = marketOf(state, marketId);
  const { targetHealth, debtMargin } = state.vault;
  const size = sizeOf(account, marketId);
  const base = baseOf(state, marketId, "maintenance");
  const before = equity(state, account, "maintenance");
  const net = netCash(state, account);
  const debtNow = net.negated().positive().times(debtMargin);
  const others = requirement(state, account, "maintenance")
    .minus(legRequirement(market, size, base, "maintenance"))
    .minus(debtNow)
    .fine();
  const [equityNow, netNow] = [before.fine(), net.fine()];
  /** Above zero: short of the target. */
  const shortage = (left: Rational) => {
    const closed = size.abs().minus(left);
    const impact = market.price.value.minus(priceOf(closed)).times(signOf(size)).times(closed);
    const loss = impact.plus(closed.times(market.price.value).times(discount));
    const debt = netNow.minus(loss).negated().positive().times(debtMargin);
    const required = others.plus(legRequirement(market, left, base, "maintenance")).plus(debt);
    return targetHealth.times(required).minus(equityNow.minus(loss)).fine();
  };
  if (shortage(zero).sign() >= 0) return size.abs();
  return size.abs().minus(crossing(shortage, zero, size.abs()));
}

/** The pool takes what lowers |skew|, and what leaves its own free margin at or above zero. */
function poolAccepts(state: State, id: string, marketId: number, plan: LegPlan): boolean {
  const after = copy(state);
  closeIntoPool(after, id, marketId, plan, undefined);
  return lowersSkew(state, after, marketId) || freeMargin(after, poolOf(after)).sign() >= 0;
}

export function lowersSkew(before: State, after: State, market: number): boolean {
  return skewOf(after, market).abs().isBelow(skewOf(before, market).abs());
}

/** A part of a leg goes to the pool at its fill price; the keeper has its share of the fee at once, insurance its own as of a trade. */
export function closeIntoPool(
  state: State,
  id: string,
  marketId: number,
  { closed, price, discount }: LegPlan,
  keeperId: string | undefined,
): void {
  settle(state, id, marketId);
  const account = accountOf(state, id);
  const size = closed.times(signOf(sizeOf(account, marketId))).negated();
  const fee = closed.times(marketOf(state, marketId).price.value).times(discount).fine();
  const { keeperShare, insuranceShare } = state.vault;
  const ofInsurance = millionths(fee.times(insuranceShare));
  exchange(state, account, marketId, { size, price, fee, feeOfOthers: ofInsurance });
  const market = marketOf(state, marketId);
  market.fees = market.fees.plus(ofInsurance);
  if (keeperId !== undefined) move(poolOf(state), accountOf(state, keeperId), fee.times(keeperShare));
}

/** Cash from one account to another. */
export function move(from: Account, to: Account, amount: Rational): void {
  const moved = amount.fine();
  from.cash = from.cash.minus(moved);
  to.cash = to.cash.plus(moved);
}

/**
 * A part of a leg goes to another account at the price. Without a position on the other side the taker has size and cost as they are, and
 * pays their value, and the market does not notice; else both close at the price, through the pool. Of the fee the taker has all but insurance's share.
 */
export function closeToAccount(
  state: State,
  id: string,
  marketId: number,
  { closed, discount }: LegPlan,
  takerId: string,
): void {
  const [account, taker] = [accountOf(state, id), accountOf(state, takerId)];
  const own = positionOf(account, marketId);
  const price = marketOf(state, marketId).price.value;
  const side = signOf(own.size);
  const size = closed.times(side).fine();
  if (sizeOf(taker, marketId).sign() * own.size.sign() >= 0) {
    const theirs = positionOf(taker, marketId);
    const cost = size.equals(own.size) ? own.cost : own.cost.times(size).over(own.size).fine();
    move(taker, account, valueOf(state, marketId, { size, cost }));
    theirs.size = theirs.size.plus(size);
    theirs.cost = theirs.cost.plus(cost);
    own.size = own.size.minus(size);
    own.cost = own.cost.minus(cost);
    if (own.size.isZero()) account.positions.delete(marketId);
  } else {
    touch(state, marketId);
    exchange(state, account, marketId, { size: size.negated(), price, fee: zero, feeOfOthers: zero });
    exchange(state, taker, marketId, { size, price, fee: zero, feeOfOthers: zero });
  }
  const fee = closed.times(price).times(discount).fine();
  const ofInsurance = fee.times(state.vault.insuranceShare);
  move(account, accountOf(state, insuranceId), ofInsurance);
  move(account, taker, fee.minus(ofInsurance));
}

export interface SalePlan {
  /** Raw, rounded down. */
  readonly amount: bigint;
  readonly discount: Rational;
}

/** How much of a collateral is sold: what brings health to its target, at most what is owed, were everything settled. */
export function planSale(state: State, id: string, index: number): SalePlan {
  const account = accountOf(state, id);
  const collateral = collateralOf(state, index);
  const { terms } = collateral;
  const { targetHealth, debtMargin, minimumDebt } = state.vault;
  const health = healthOf(state, account) ?? one;
  const discount = offered(terms.discount, health);
  const kept = one.minus(discount);
  const debt = netCash(state, account).negated().positive();
  const equityNow = equity(state, account, "maintenance").fine();
  const others = requirement(state, account, "maintenance").minus(debt.times(debtMargin)).fine();
  /** Above zero: more than is needed is sold. */
  const excess = (value: Rational) => {
    const left = debt.minus(value.times(kept)).positive();
    const equityThen = equityNow.plus(value.times(kept.minus(terms.maintenanceWeight)));
    return equityThen.minus(targetHealth.times(others.plus(left.times(debtMargin)))).fine();
  };
  const whole = debt.over(kept);
  let value = excess(whole).sign() <= 0 ? whole : crossing(excess, zero, whole);
  if (debt.minus(value.times(kept)).isBelow(minimumDebt)) value = whole;
  return { amount: value.over(collateral.price.value).floorTo(terms.unit), discount };
}

export function sellCollateral(
  state: State,
  id: string,
  index: number,
  { amount, discount }: SalePlan,
  takerId: string,
): void {
  const [account, taker] = [accountOf(state, id), accountOf(state, takerId)];
  const value = worth(collateralOf(state, index), amount);
  account.collaterals[index] = account.collaterals[index]! - amount;
  taker.collaterals[index] = taker.collaterals[index]! + amount;
  move(taker, account, value.times(one.minus(discount)));
  move(taker, accountOf(state, insuranceId), value.times(discount).times(state.vault.insuranceShare));
}

const secondsAnHour = 3600n;

/** What the pool asks for a collateral that it absorbed: value * (1 + tolerance - discount), which rises within an hour. */
export function askedFor(state: State, index: number, amount: bigint): Rational {
  const { terms, price, stockSince } = collateralOf(state, index);
  const age = state.now - stockSince;
  const part = new Rational(age < secondsAnHour ? age : secondsAnHour, secondsAnHour);
  const factor = one.plus(price.tolerance).minus(terms.discount.base.times(part));
  return worth(collateralOf(state, index), amount).times(factor);
}

export function buyFromPool(state: State, buyerId: string, index: number, amount: bigint): void {
  const [buyer, pool] = [accountOf(state, buyerId), poolOf(state)];
  move(buyer, pool, askedFor(state, index, amount));
  pool.collaterals[index] = pool.collaterals[index]! - amount;
  buyer.collaterals[index] = buyer.collaterals[index]! + amount;
}

/** The pool takes over a collateral of an account at its weighted value. */
export function absorbCollateral(state: State, account: Account, index: number): void {
  const amount = account.collaterals[index]!;
  if (amount === 0n) return;
  const collateral = collateralOf(state, index);
  const pool = poolOf(state);
  const had = pool.collaterals[index]!;
  // What has waited longer than an hour counts as an hour old; the mean is rounded up, for a lower discount.
  const hourAgo = state.now - secondsAnHour;
  const since = collateral.stockSince > hourAgo ? collateral.stockSince : hourAgo;
  collateral.stockSince = new Rational(had * since + amount * state.now, had + amount).ceilTo(1n);
  account.collaterals[index] = 0n;
  pool.collaterals[index] = had + amount;
  move(pool, account, worth(collateral, amount).times(collateral.terms.maintenanceWeight));
}
