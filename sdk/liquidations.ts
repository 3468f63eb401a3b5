import type { AccountId } from "./accounts.js";
import type { Amount } from "./units/index.js";

/** Why step 1 of the waterfall refuses a leg: the contract's enum, by its numbers. */
export const refusals = [
  "none",
  "noPosition",
  "priceStale",
  "discountTooSmall",
  "impactTooLarge",
  "poolMargin",
  "remainderBelowMinimum",
  "sequencerGrace",
] as const;

/** `unknown`: the contract knows a reason that this release does not. */
export type Refusal = (typeof refusals)[number] | "unknown";

/** What a liquidation of one leg would do; nothing but the refusal where it is not "none". */
export interface LegPreview {
  readonly refusal: Refusal;
  /** What the target would trade, wad; below zero it sells. */
  readonly sizeDeltaWad: bigint;
  readonly fillPriceWad: bigint;
  /** What the target would pay for it, wad. */
  readonly feeWad: bigint;
  /** The keeper's part of the fee; of a taker its discount. Wad. */
  readonly rewardWad: bigint;
}

/** A LiquidationPreview as a contract returned it. */
export function toLegPreview(view: Omit<LegPreview, "refusal"> & { readonly refusal: bigint }): LegPreview {
  const { sizeDeltaWad, fillPriceWad, feeWad, rewardWad } = view;
  return { refusal: refusals[Number(view.refusal)] ?? "unknown", sizeDeltaWad, fillPriceWad, feeWad, rewardWad };
}

/** How to liquidate a position. */
export interface LiquidationOptions {
  /** Who takes it: an account of the signer, which needs initial margin after it. By default the pool. */
  readonly taker?: AccountId;
  /** At most so much, in base units. By default all of it. */
  readonly maxSize?: Amount;
}
