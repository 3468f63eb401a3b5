import { type AccountId, mulDivUp } from "../sdk/index.js";
import { Room, type TakerPolicy, type TakerState, type Taking, abs } from "./decide/inventory.js";
import type { Leg, Risk } from "./risk.js";

/** Why an account at risk is left alone. */
export type SkipReason =
  /** It is the keeper's own: rewards never go to the target. */
  | "rewardToSelf"
  /** A leg waits for a new price. */
  | "stalePrice"
  /** The chain's sequencer is down or came back a short time ago, and the account is above zero: the contract refuses until it is over. */
  | "sequencerGrace"
  /** There is no position, and absorb is not open. */
  | "noPosition"
  /** Neither the pool nor the taker takes one of the legs, and absorb is not open. */
  | "noLegAccepted";

/** Why a leg goes to the taker. */
export type TakingReason = "takerEarnsMore" | "poolRefuses";

/** Why a leg goes into the pool. */
export type ForcingReason =
  /** The keeper has no capital. */
  | "noTaker"
  /** The contract refused the taker in this turn. */
  | "takerRefused"
  /** Nothing of it fits into the taker's inventory. */
  | "noRoom"
  | "poolPaysMore";

export type Decision =
  | {
      readonly kind: "liquidate";
      readonly account: AccountId;
      readonly market: number;
      /** A bound only: the contract closes no more than brings health to its target. */
      readonly maxSizeWad: bigint;
      /** Who takes it; without one the pool. */
      readonly taker?: AccountId;
      readonly reason: TakingReason | ForcingReason;
    }
  | { readonly kind: "absorb"; readonly account: AccountId }
  | { readonly kind: "skip"; readonly account: AccountId; readonly reason: SkipReason };

export interface Policy {
  /** The account that rewards go to. */
  readonly keeperAccount: AccountId;
}

/** The keeper's capital in a round. */
export interface TakerSide {
  readonly state: TakerState;
  readonly policy: TakerPolicy;
  /** Accounts of which the contract let it take nothing in this turn. */
  readonly refused: ReadonlySet<AccountId>;
}

const wholePosition = 2n ** 256n - 1n;

/**
 * One decision for each account at risk, in their order. Step 1 comes first even where absorb is open: it costs the account less, and
 * where it serves the account, nobody else has to bear anything. A leg goes to the taker where that earns more than the pool pays
 * for as much.
 */
export function decide(risks: readonly Risk[], { keeperAccount }: Policy, taker?: TakerSide): Decision[] {
  const room = taker === undefined ? undefined : new Room(taker.state, taker.policy);
  return risks.map((risk): Decision => {
    const { account } = risk;
    if (account === keeperAccount || account === taker?.state.account) {
      return { kind: "skip", account, reason: "rewardToSelf" };
    }
    if (taker === undefined || room === undefined) return withoutTaking(risk, "noTaker");
    if (taker.refused.has(account)) return withoutTaking(risk, "takerRefused");
    const taking = bestTaking(risk, room);
    if (taking === undefined) return withoutTaking(risk, "noRoom");
    const forced = bestLeg(risk.legs);
    if (taking.earnsWad <= poolPaysFor(taking, forced)) return withoutTaking(risk, "poolPaysMore");
    room.use(taking);
    return {
      kind: "liquidate",
      account,
      market: taking.leg.market,
      maxSizeWad: taking.sizeWad,
      taker: taker.state.account,
      reason: forced === undefined ? "poolRefuses" : "takerEarnsMore",
    };
  });
}

/** What a keeper without capital decides, and why the account comes to that. */
function withoutTaking({ account, legs, absorbOpen }: Risk, reason: ForcingReason): Decision {
  const best = bestLeg(legs);
  if (best !== undefined) {
    return { kind: "liquidate", account, market: best.market, maxSizeWad: wholePosition, reason };
  }
  if (absorbOpen) return { kind: "absorb", account };
  return { kind: "skip", account, reason: skipReason(legs) };
}

/** What the pool pays the keeper for as much notional as the taking has. The rest of a leg that fits in part is still to be had. */
function poolPaysFor({ leg, sizeWad }: Taking, forced: Leg | undefined): bigint {
  if (forced === undefined || forced.sizeDeltaWad === 0n) return 0n;
  const takenNotional = sizeWad * leg.fillPriceWad;
  return mulDivUp(forced.rewardWad, takenNotional, abs(forced.sizeDeltaWad) * forced.fillPriceWad);
}

/** The accepted leg with the greatest reward; of equal ones that of the lowest market. */
function bestLeg(legs: readonly Leg[]): Leg | undefined {
  return legs.filter(({ refusal }) => refusal === "none").reduce<Leg | undefined>(better, undefined);
}

function better(best: Leg | undefined, leg: Leg): Leg {
  if (best === undefined || leg.rewardWad > best.rewardWad) return leg;
  return leg.rewardWad === best.rewardWad && leg.market < best.market ? leg : best;
}

/** Of what fits, the taking that earns most; of equal ones that of the lowest market. */
function bestTaking({ takerLegs = [] }: Risk, room: Room): Taking | undefined {
  const byMarket = takerLegs.toSorted((a, b) => a.market - b.market);
  return byMarket
    .flatMap((leg) => room.fit(leg) ?? [])
    .reduce<Taking | undefined>(
      (best, taking) => (best === undefined || taking.earnsWad > best.earnsWad ? taking : best),
      undefined,
    );
}

function skipReason(legs: readonly Leg[]): SkipReason {
  if (legs.length === 0) return "noPosition";
  if (legs.some(({ refusal }) => refusal === "sequencerGrace")) return "sequencerGrace";
  return legs.some(({ refusal }) => refusal === "priceStale") ? "stalePrice" : "noLegAccepted";
}
