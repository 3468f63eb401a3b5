import { touch } from "./funding.js";
import { valueOf } from "./margin.js";
import { Rational, least, one, two, zero } from "./rational.js";
import {
  type Account,
  type Market,
  type Position,
  type State,
  accountOf,
  insuranceId,
  marketOf,
  poolOf,
  positionOf,
  skewOf,
} from "./state.js";

/** Average price of a fill of a signed size against the pool, at this skew. */
export function fillPrice({ price, terms }: Market, skew: Rational, size: Rational): Rational {
  return price.value.times(one.plus(skew.plus(size.over(two)).over(terms.skewScale)));
}

/** What a trade pays beyond its price: the part that lowers |skew| at the maker rate, the rest at the taker rate. */
export function tradeFee(market: Market, skew: Rational, size: Rational): Rational {
  const { terms, price } = market;
  const isAgainst = skew.sign() * size.sign() < 0;
  const lowering = isAgainst ? least(size.abs(), skew.abs()).times(signOf(size)) : zero;
  const feeOf = (part: Rational, from: Rational, rate: Rational) =>
    part
      .abs()
      .times(fillPrice(market, from, part))
      .times(rate.plus(price.tolerance));
  return feeOf(lowering, skew, terms.makerRate).plus(feeOf(size.minus(lowering), skew.plus(lowering), terms.takerRate));
}

export function signOf(value: Rational): Rational {
  return new Rational(BigInt(value.sign()));
}

/** Profit or loss becomes cash, and comes out of the pool's cash as it comes out of the pool's cost. */
export function realise(state: State, account: Account, market: number, amount: Rational): void {
  const pool = poolOf(state);
  const moved = amount.fine();
  account.cash = account.cash.plus(moved);
  pool.cash = pool.cash.minus(moved);
  const [own, mirrored] = [positionOf(account, market), positionOf(pool, market)];
  own.cost = own.cost.plus(moved);
  mirrored.cost = mirrored.cost.minus(moved);
}

export interface Exchange {
  readonly size: Rational;
  /** A base unit. */
  readonly price: Rational;
  /** Paid by the account. */
  readonly fee: Rational;
  /** Of the fee, what others than the pool will have. */
  readonly feeOfOthers: Rational;
}

/**
 * The account buys a size (below zero: sells) and the pool takes the other side. What it closes is realised, its part of the fee taken
 * off; what it opens is not. Tells what was realised.
 */
export function exchange(state: State, account: Account, market: number, by: Exchange): Rational {
  const { price, feeOfOthers } = by;
  const [size, fee] = [by.size.fine(), by.fee.fine()];
  const own = positionOf(account, market);
  const mirrored = positionOf(poolOf(state), market);
  const isClosing = own.size.sign() * size.sign() < 0;
  const closed = isClosing ? least(size.abs(), own.size.abs()) : zero;
  const ofPosition = isClosing ? closed.over(own.size.abs()) : zero;
  const ofTrade = size.isZero() ? zero : closed.over(size.abs());
  // Average cost: the part of the position that goes takes its part of the cost along.
  const paid = size.times(price).fine();
  const spent = own.cost.times(ofPosition).plus(paid.plus(fee).times(ofTrade));
  const realised = spent.negated().fine();
  own.size = own.size.plus(size);
  own.cost = own.cost.plus(paid).plus(fee);
  mirrored.size = mirrored.size.minus(size);
  mirrored.cost = mirrored.cost.minus(paid).minus(fee).plus(feeOfOthers);
  realise(state, account, market, realised);
  dropIfEmpty(account, market);
  return realised;
}

/** A closed position is gone, and with it a cost of zero. */
function dropIfEmpty(account: Account, market: number): void {
  const position = account.positions.get(market);
  if (position?.size.isZero() === true) account.positions.delete(market);
}

export interface Fill {
  readonly price: Rational;
  readonly fee: Rational;
  readonly realised: Rational;
}

/**
 * A trade against the pool, with its fees. Through zero it closes, then opens: two fills, one after the other, for what both come to. The
 * insurance account's share of the fees accrues in the market, in whole millionths.
 */
export function trade(state: State, id: string, marketId: number, size: Rational): Fill {
  touch(state, marketId);
  const market = marketOf(state, marketId);
  const account = accountOf(state, id);
  if (account.positions.get(marketId)?.size.isZero() === true) settle(state, id, marketId); // final: it has its result first
  const held = account.positions.get(marketId)?.size ?? zero;
  const crosses = held.sign() * size.sign() < 0 && held.abs().isBelow(size.abs());
  const parts = crosses ? [held.negated(), size.plus(held)] : [size];
  const skew = skewOf(state, marketId);
  const fee = tradeFee(market, skew, size);
  const ofInsurance = millionths(fee.times(state.vault.insuranceFeeShare));
  let realised = zero;
  for (const [i, part] of parts.entries()) {
    const from = skewOf(state, marketId);
    const feeOfOthers = i === parts.length - 1 ? ofInsurance : zero;
    const fill = { size: part, price: fillPrice(market, from, part), fee: tradeFee(market, from, part), feeOfOthers };
    realised = realised.plus(exchange(state, account, marketId, fill));
  }
  market.fees = market.fees.plus(ofInsurance);
  return { price: fillPrice(market, skew, size), fee, realised };
}

export function millionths(amount: Rational): Rational {
  return new Rational(amount.floorTo(1_000_000n), 1_000_000n);
}

/**
 * An unrealised loss becomes cash. A gain does not, unless the position is of size zero: then its whole value does, and it is gone. Tells
 * what moved.
 */
export function settle(state: State, id: string, market: number): Rational {
  touch(state, market);
  const account = accountOf(state, id);
  const position: Position = positionOf(account, market);
  const value = valueOf(state, market, position).fine();
  const isFinal = position.size.isZero();
  if (!isFinal && value.sign() >= 0) return zero;
  realise(state, account, market, value);
  if (isFinal) account.positions.delete(market);
  return value;
}

/** The insurance account's share of a market's fees becomes its cash. */
export function sweepFees(state: State, id: number): void {
  const market = marketOf(state, id);
  const insurance = accountOf(state, insuranceId);
  insurance.cash = insurance.cash.plus(market.fees);
  market.fees = zero;
}
