import { equity, freeMargin, healthOf } from "./margin.js";
import { type Rational, greatest, one, whole } from "./rational.js";
import { type State, accountOf, collateralOf, isFresh, marketOf, openInterest, sizeOf } from "./state.js";

/** A condition that an act must meet, under the name of the error that refuses it, and by how much it does: below zero it does not. */
export interface Check {
  readonly error: string;
  readonly room: Rational;
}

const yesOrNo = (holds: boolean): Rational => whole(holds ? 1 : -1);

/** What a trade must leave behind. */
export function tradeChecks(before: State, after: State, id: string, market: number): Check[] {
  const { terms, price } = marketOf(after, market);
  const [sizeBefore, size] = [sizeOf(accountOf(before, id), market), sizeOf(accountOf(after, id), market)];
  const grows = !size.isZero() && (sizeBefore.sign() * size.sign() <= 0 || sizeBefore.abs().isBelow(size.abs()));
  const checks = [minimumSizeCheck(after, id, market)];
  if (!grows) return [...checks, ...reductionChecks(before, after, id)];
  const open = (side: -1 | 1) => openInterest(after, market, side, false);
  const needed = greatest(open(1), open(-1)).times(price.value).times(terms.initialBase);
  return [
    ...checks,
    { error: "OpenInterestCapExceeded", room: terms.openInterestCap.minus(open(size.sign() > 0 ? 1 : -1)) },
    { error: "PoolCapitalExceeded", room: terms.capitalShare.times(after.capital.value).minus(needed) },
    {
      error: "CapitalCheckpointStale",
      room: yesOrNo(after.now <= after.capital.takenAt + after.vault.capitalMaxAge),
    },
    ...marginChecks(after, id),
    debtCheck(after, id),
  ];
}

function minimumSizeCheck(after: State, id: string, market: number): Check {
  const size = sizeOf(accountOf(after, id), market);
  const { minimumSize } = marketOf(after, market).terms;
  return { error: "PositionBelowMinimum", room: size.isZero() ? one : size.abs().minus(minimumSize) };
}

function reductionChecks(before: State, after: State, id: string): Check[] {
  const [account, then] = [accountOf(after, id), accountOf(before, id)];
  const [healthBefore, health] = [healthOf(before, then), healthOf(after, account)];
  const raised = health === undefined || healthBefore === undefined ? one : health.minus(healthBefore);
  return [
    { error: "ReductionBankrupts", room: equity(after, account, "maintenance") },
    { error: "ReductionLowersHealth", room: greatest(raised, freeMargin(after, account)) },
  ];
}

/** Initial margin, with fresh prices of all markets held. */
export function marginChecks(after: State, id: string): Check[] {
  const account = accountOf(after, id);
  const legs = [...account.positions].filter(([, { size }]) => !size.isZero());
  const allFresh = legs.every(([market]) => isFresh(after, marketOf(after, market).price));
  return [
    { error: "StalePrices", room: yesOrNo(allFresh) },
    { error: "InsufficientMargin", room: freeMargin(after, account) },
  ];
}

/** A debt has a minimum. */
export function debtCheck(after: State, id: string): Check {
  const debt = accountOf(after, id).cash.negated();
  return { error: "DebtBelowMinimum", room: debt.sign() <= 0 ? one : debt.minus(after.vault.minimumDebt) };
}

/** What a withdrawal, or a transfer out, must leave behind. */
export function withdrawalChecks(after: State, id: string): Check[] {
  return [...marginChecks(after, id), debtCheck(after, id), { error: "InsufficientCashHeld", room: after.held }];
}

/** What whoever takes a leg over must have after it. */
export function takerChecks(after: State, id: string, market: number): Check[] {
  return [...marginChecks(after, id), minimumSizeCheck(after, id, market)];
}

export function collateralChecks(after: State, id: string, index: number): Check[] {
  const amount = accountOf(after, id).collaterals[index]!;
  return [{ error: "InsufficientBalance", room: whole(amount) }];
}

export function capCheck(after: State, index: number): Check {
  const { terms } = collateralOf(after, index);
  const held = [...after.accounts.values()].reduce((total, { collaterals }) => total + collaterals[index]!, 0n);
  return { error: "DepositCapExceeded", room: whole(terms.depositCap - held) };
}

/** What leaves the pool must leave it its own free margin. */
export function redemptionChecks(after: State): Check[] {
  return [{ error: "InsufficientMargin", room: freeMargin(after, accountOf(after, "pool")) }];
}
