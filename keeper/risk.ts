import type { AccountId, Health, LegPreview } from "../sdk/index.js";

/** What forcing one leg of an account into the pool would do. */
export interface Leg extends LegPreview {
  readonly market: number;
}

/** An account that anyone may liquidate, with what each step of the waterfall would do. */
export interface Risk {
  readonly account: AccountId;
  readonly health: Health;
  readonly absorbOpen: boolean;
  readonly legs: readonly Leg[];
}
