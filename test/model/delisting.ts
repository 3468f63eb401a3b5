import { touch } from "./funding.js";
import { type Rational, zero } from "./rational.js";
import { type State, isFresh, marketOf } from "./state.js";

/** From now on no position of the market grows; from `at` on anyone may close them all. */
export function announceDelisting(state: State, id: number, at: bigint, finalPrice: Rational): void {
  marketOf(state, id).delisting = { at, finalPrice };
}

/**
 * Every position is closed at the oracle's price if fresh, else at the announced one, else at the last good one. What it is worth then
 * stays in its cost until it is settled. Tells the price.
 */
export function delist(state: State, id: number): Rational {
  touch(state, id);
  const market = marketOf(state, id);
  const { price, delisting } = market;
  const announced = delisting?.finalPrice ?? zero;
  const last = announced.isZero() ? price.value : announced;
  const final = isFresh(state, price) ? price.value : last;
  for (const { positions } of state.accounts.values()) {
    const position = positions.get(id);
    if (position === undefined) continue;
    position.cost = position.cost.minus(position.size.times(final)).fine();
    position.size = zero;
  }
  market.isDelisted = true;
  return final;
}
