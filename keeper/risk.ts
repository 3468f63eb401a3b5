import type { AccountId, Health, LegPreview } from "../sdk/index.js";

/** What liquidating one leg of an account would do. */
export interface Leg extends LegPreview {
  readonly market: number;
}

/** An account that anyone may liquidate, with what each step of the waterfall would do. */
export interface Risk {
  readonly account: AccountId;
  readonly health: Health;
  readonly absorbOpen: boolean;
  /** Forced into the pool. */
  readonly legs: readonly Leg[];
  /** The same legs, taken over by the keeper's taker; none where it has no capital. */
  readonly takerLegs?: readonly Leg[];
}
