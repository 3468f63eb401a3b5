import { type Rational, least, greatest, two, whole, zero } from "./rational.js";
import { type Market, type State, marketOf, skewOf } from "./state.js";

export interface Accrual {
  /** What one unit of long size pays. */
  readonly paid: Rational;
  readonly rate: Rational;
}

/** What funding has accrued in a market since it was touched last, at its last good price. */
export function accrued(state: State, id: number): Accrual {
  const market = marketOf(state, id);
  const { terms, fundingRate, touchedAt, price } = market;
  if (market.isDelisted || state.now === touchedAt) return { paid: zero, rate: fundingRate };
  const elapsed = state.now - touchedAt;
  const time = whole(elapsed < terms.maxFundingGap ? elapsed : terms.maxFundingGap);
  const drift = driftOf(state, id);
  // The rate moves in a line until the clamp holds it; the area under both parts.
  const free = fundingRate.plus(drift.times(time));
  const end = clamped(market, free);
  const moving = free.equals(end) ? time : end.minus(fundingRate).over(drift);
  const area = fundingRate
    .plus(end)
    .over(two)
    .times(moving)
    .plus(end.times(time.minus(moving)));
  return { paid: area.times(price.value), rate: end };
}

/** How the rate moves, a second and second. */
export function driftOf(state: State, id: number): Rational {
  const { terms } = marketOf(state, id);
  return terms.maxFundingVelocity.times(skewOf(state, id)).over(terms.skewScale);
}

function clamped({ terms: { maxFundingRate } }: Market, rate: Rational): Rational {
  return least(maxFundingRate, greatest(maxFundingRate.negated(), rate));
}

/** Books what has accrued: every position's cost rises by what its size pays. */
export function touch(state: State, id: number): void {
  const { paid, rate } = accrued(state, id);
  const market = marketOf(state, id);
  for (const { positions } of state.accounts.values()) {
    const position = positions.get(id);
    if (position !== undefined) position.cost = position.cost.plus(position.size.times(paid)).fine();
  }
  market.fundingPaid = market.fundingPaid.plus(paid).fine();
  market.fundingRate = rate.fine();
  market.touchedAt = state.now;
}
