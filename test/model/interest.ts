import { Rational, greatest, least, one, sum, whole, zero } from "./rational.js";
import type { CashTerms, State } from "./state.js";

const secondsAYear = whole(365n * 86_400n);
const ratePartsASecond = 10n ** 18n;

/** What all have supplied, and what all have borrowed. */
export function cashTotals({ accounts }: State): { supplied: Rational; borrowed: Rational } {
  const cash = [...accounts.values()].map((account) => account.cash);
  return {
    supplied: sum(cash.map((each) => each.positive())),
    borrowed: sum(cash.map((each) => each.negated().positive())),
  };
}

/** How much of what was supplied is lent, or not there: between 0 and 1. */
export function utilisation(supplied: Rational, borrowed: Rational, held: Rational): Rational {
  if (supplied.isZero()) return borrowed.isZero() ? zero : one;
  const lent = greatest(borrowed.over(supplied), one.minus(held.over(supplied)));
  return least(one, greatest(zero, lent));
}

/** A year. */
export function borrowRate({ kink, rateAtZero, rateAtKink, rateAtFull }: CashTerms, used: Rational): Rational {
  if (used.isAtMost(kink)) {
    if (kink.isZero()) return rateAtZero;
    return rateAtZero.plus(rateAtKink.minus(rateAtZero).times(used).over(kink));
  }
  return rateAtKink.plus(rateAtFull.minus(rateAtKink).times(used.minus(kink)).over(one.minus(kink)));
}

/** Lets every account's cash grow up to `now`, linearly since the rates were set. */
export function grow(state: State): void {
  const { interest, now } = state;
  if (interest.grownTo === now) return;
  const factor = (rate: Rational) => {
    const before = one.plus(rate.times(whole(interest.grownTo - interest.setAt)));
    return one.plus(rate.times(whole(now - interest.setAt))).over(before);
  };
  const [supply, borrow] = [factor(interest.supplyRate), factor(interest.borrowRate)];
  for (const account of state.accounts.values()) {
    const grown = account.cash.times(account.cash.sign() < 0 ? borrow : supply).fine();
    // Charged to a borrower, or less what a supplier is credited.
    interest.unswept = interest.unswept.plus(account.cash.minus(grown));
    account.cash = grown;
  }
  interest.supplyIndex = interest.supplyIndex.times(supply).fine();
  interest.borrowIndex = interest.borrowIndex.times(borrow).fine();
  interest.grownTo = now;
}

/** Sets the rates anew, from what is supplied, borrowed and held now. They are whole 1e-18 a second, rounded down. */
export function setRates(state: State): void {
  const { interest, cashTerms, held, now } = state;
  const { supplied, borrowed } = cashTotals(state);
  const floored = (rate: Rational) => new Rational(rate.floorTo(ratePartsASecond), ratePartsASecond);
  interest.borrowRate = floored(borrowRate(cashTerms, utilisation(supplied, borrowed, held)).over(secondsAYear));
  const share = supplied.isZero() ? zero : least(one, borrowed.over(supplied));
  interest.supplyRate = floored(interest.borrowRate.times(share).times(one.minus(cashTerms.reserveFactor)));
  interest.setAt = now;
}

/** Runs an act, and sets the rates anew if it changed what is supplied, borrowed or held. Tells whether it did. */
export function withRates(state: State, act: () => void): boolean {
  grow(state);
  const before = cashTotals(state);
  const heldBefore = state.held;
  act();
  const after = cashTotals(state);
  const isChanged =
    !before.supplied.equals(after.supplied) ||
    !before.borrowed.equals(after.borrowed) ||
    !heldBefore.equals(state.held);
  if (isChanged) setRates(state);
  return isChanged;
}

/** Whole millionths of the interest that suppliers did not get become the insurance account's cash; or an amount that is told. */
export function sweepInterest(state: State, insurance: { cash: Rational }, told?: Rational): Rational {
  const due = new Rational(state.interest.unswept.positive().floorTo(1_000_000n), 1_000_000n);
  const swept = told ?? due;
  state.interest.unswept = state.interest.unswept.minus(swept);
  insurance.cash = insurance.cash.plus(swept);
  return due;
}
