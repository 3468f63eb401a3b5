import { move } from "./liquidation.js";
import { poolValue } from "./margin.js";
import type { Rational } from "./rational.js";
import { type State, accountOf, poolOf } from "./state.js";

// What comes in and goes out, and what changes hands without being sold.

export function depositCash(state: State, id: string, amount: Rational): void {
  const account = accountOf(state, id);
  account.cash = account.cash.plus(amount);
  state.held = state.held.plus(amount);
}

export function withdrawCash(state: State, id: string, amount: Rational): void {
  depositCash(state, id, amount.negated());
}

/** Raw; below zero: out. */
export function moveCollateral(state: State, id: string, index: number, amount: bigint): void {
  const { collaterals } = accountOf(state, id);
  collaterals[index] = collaterals[index]! + amount;
}

export function transferCash(state: State, from: string, to: string, amount: Rational): void {
  move(accountOf(state, from), accountOf(state, to), amount);
}

/** Settlement tokens into the pool, or (below zero) out of it; the checkpoint of its capital is taken anew. */
export function moveIntoPool(state: State, amount: Rational): void {
  const pool = poolOf(state);
  pool.cash = pool.cash.plus(amount);
  state.held = state.held.plus(amount);
  takeCheckpoint(state);
}

/** What openings are measured against: the pool's value now, nothing where it is below zero. */
export function takeCheckpoint(state: State): void {
  state.capital.value = poolValue(state).value.positive();
  state.capital.takenAt = state.now;
}
