import type { AccountId, Health } from "../sdk/index.js";

/** Why step 1 of the waterfall refuses a leg: the contract's enum, by its numbers. */
export const refusals = [
  "none",
  "noPosition",
  "priceStale",
  "discountTooSmall",
  "impactTooLarge",
  "poolMargin",
  "remainderBelowMinimum",
] as const;

/** `unknown`: the contract knows a reason that this keeper does not. */
export type Refusal = (typeof refusals)[number] | "unknown";

/** What forcing one leg of an account into the pool would do. */
export interface Leg {
  readonly market: number;
  readonly refusal: Refusal;
  readonly sizeDeltaWad: bigint;
  readonly fillPriceWad: bigint;
  readonly feeWad: bigint;
  readonly rewardWad: bigint;
}

/** An account that anyone may liquidate, with what each step of the waterfall would do. */
export interface Risk {
  readonly account: AccountId;
  readonly health: Health;
  readonly absorbOpen: boolean;
  readonly legs: readonly Leg[];
}
