import { touch } from "./funding.js";
import { type Rational, zero } from "./rational.js";
import { type State, isFresh, marketOf } from "./state.js";

/** From now on no position of the market grows; from `at` on anyone may close them all. */
export function announceDelisting(state: State, id: number, at: bigint, finalPrice: Rational): void {
  marketOf(state, id).delisting = { at, finalPrice };
}

/** The price at which the market ends: the oracle's if fresh, else the announced one, else the last good one. */
export function finalPrice(state: State, id: number): Rational {
  const { price, delisting } = marketOf(state, id);
  const announced = delisting?.finalPrice ?? zero;
  return isFresh(state, price) || announced.isZero() ? price.value : announced;
}

/** No other price than the final one counts any more, for what funding is still to be booked either. */
export function close(state: State, id: number): void {
  const market = marketOf(state, id);
  market.price.value = finalPrice(state, id);
  touch(state, id);
  market.fundingRate = zero;
}

/** Every position is closed at the final price. What it is worth then stays in its cost until it is settled. Tells the price. */
export function delist(state: State, id: number): Rational {
  const final = finalPrice(state, id);
  close(state, id);
  for (const { positions } of state.accounts.values()) {
    const position = positions.get(id);
    if (position === undefined) continue;
    position.cost = position.cost.minus(position.size.times(final)).fine();
    position.size = zero;
  }
  marketOf(state, id).isDelisted = true;
  return final;
}
