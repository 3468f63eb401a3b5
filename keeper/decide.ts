import type { AccountId } from "../sdk/index.js";
import type { Leg, Risk } from "./risk.js";

/** Why an account at risk is left alone. */
export type SkipReason =
  /** It is the keeper's own: rewards never go to the target. */
  | "rewardToSelf"
  /** A leg waits for a new price. */
  | "stalePrice"
  /** There is no position, and absorb is not open. */
  | "noPosition"
  /** The pool takes none of the legs, and absorb is not open. */
  | "noLegAccepted";

export type Decision =
  | {
      readonly kind: "liquidate";
      readonly account: AccountId;
      readonly market: number;
      /** A bound only: the contract closes no more than brings health to its target. */
      readonly maxSizeWad: bigint;
    }
  | { readonly kind: "absorb"; readonly account: AccountId }
  | { readonly kind: "skip"; readonly account: AccountId; readonly reason: SkipReason };

export interface Policy {
  /** The account that rewards go to. */
  readonly keeperAccount: AccountId;
}

const wholePosition = 2n ** 256n - 1n;

/**
 * One decision for each account at risk, in their order. Step 1 comes first even where absorb is open: it costs the account less, and
 * where it serves the account, nobody else has to bear anything.
 */
export function decide(risks: readonly Risk[], policy: Policy): Decision[] {
  return risks.map((risk) => decideOne(risk, policy));
}

function decideOne({ account, legs, absorbOpen }: Risk, { keeperAccount }: Policy): Decision {
  if (account === keeperAccount) return { kind: "skip", account, reason: "rewardToSelf" };
  const best = bestLeg(legs);
  if (best !== undefined) return { kind: "liquidate", account, market: best.market, maxSizeWad: wholePosition };
  if (absorbOpen) return { kind: "absorb", account };
  return { kind: "skip", account, reason: skipReason(legs) };
}

/** The accepted leg with the greatest reward; of equal ones that of the lowest market. */
function bestLeg(legs: readonly Leg[]): Leg | undefined {
  return legs.filter(({ refusal }) => refusal === "none").reduce<Leg | undefined>(better, undefined);
}

function better(best: Leg | undefined, leg: Leg): Leg {
  if (best === undefined || leg.rewardWad > best.rewardWad) return leg;
  return leg.rewardWad === best.rewardWad && leg.market < best.market ? leg : best;
}

function skipReason(legs: readonly Leg[]): SkipReason {
  if (legs.length === 0) return "noPosition";
  return legs.some(({ refusal }) => refusal === "priceStale") ? "stalePrice" : "noLegAccepted";
}
