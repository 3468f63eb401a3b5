import { WAD, mulDivDown, mulDivUp } from "../../sdk/index.js";
import { type MarketTerms, type TakerPolicy, type TakerState, abs } from "./inventory.js";

/** Why the taker closes a part of a position. */
export type GiveBackReason =
  /** It holds what it took in order to pass it on. */
  | "inventory"
  /** Its initial equity is below its initial requirement: all of it goes, at once. */
  | "marginCall";

/** Why it holds on to one in this turn. */
export type KeepReason =
  /** No block has a later time than the one that it was taken in. */
  | "takenJustNow"
  /** Other positions came first. */
  | "enoughThisTurn"
  | "stalePrice"
  /** It has no size left, and waits to be settled. */
  | "noSize";

export type GiveBack =
  | {
      readonly kind: "giveBack";
      readonly market: number;
      readonly sizeDeltaWad: bigint;
      /** Worst average fill price. */
      readonly limitPriceWad: bigint;
      /** Unix seconds. */
      readonly deadline: number;
      readonly reason: GiveBackReason;
    }
  | { readonly kind: "keep"; readonly market: number; readonly reason: KeepReason };

/** What a fill may be worse than at the skew and the price that were read: both move while a transaction waits. */
const slackWad = WAD / 200n;
/** Less than a transaction is waited for: one that was given up on must not close another time what the next one closes. */
const deadlineSeconds = 100;

/**
 * One decision for each position of the taker, by market: what it took in earlier blocks goes back to the pool, so much a turn, so that it
 * does not grow into a risk itself.
 * @param takenAt when (Unix seconds, of a block) it last took something in a market; what is not known was taken long ago
 */
export function giveBack(
  { health, sizesWad, terms }: TakerState,
  { giveBackPercent }: TakerPolicy,
  takenAt: ReadonlyMap<number, number>,
  nowSeconds: number,
): GiveBack[] {
  const isCalled = health.freeMarginWad < 0n;
  let isFirst = true;
  let leftWad = mulDivDown(health.equityMaintenanceWad, BigInt(giveBackPercent), 100n);
  return [...sizesWad].map(([market, sizeWad]): GiveBack => {
    if (sizeWad === 0n) return { kind: "keep", market, reason: "noSize" };
    const found = terms.get(market);
    if (found === undefined || !(found.isFresh || found.isReduceOnly))
      return { kind: "keep", market, reason: "stalePrice" };
    // A later time than now is of a chain that was set back since.
    if (takenAt.get(market) === nowSeconds && !isCalled) return { kind: "keep", market, reason: "takenJustNow" };
    const closedWad = isCalled ? abs(sizeWad) : closedWithin(abs(sizeWad), leftWad, found, isFirst);
    if (closedWad === 0n) return { kind: "keep", market, reason: "enoughThisTurn" };
    isFirst = false;
    leftWad -= mulDivUp(closedWad, found.priceWad, WAD);
    const sizeDeltaWad = sizeWad < 0n ? closedWad : -closedWad;
    return {
      kind: "giveBack",
      market,
      sizeDeltaWad,
      limitPriceWad: limitPrice(found, sizeDeltaWad),
      deadline: nowSeconds + deadlineSeconds,
      reason: isCalled ? "marginCall" : "inventory",
    };
  });
}

/**
 * As much of a size as this notional comes to, and all of it where the rest would be below the minimum. Less than the minimum is not worth
 * a trade: the first position of a turn closes the minimum then, so that every turn gets on, and another one nothing.
 */
function closedWithin(
  sizeWad: bigint,
  notionalWad: bigint,
  { priceWad, minimumSizeWad }: MarketTerms,
  isFirst: boolean,
): bigint {
  let most = notionalWad > 0n ? mulDivDown(notionalWad, WAD, priceWad) : 0n;
  if (most < minimumSizeWad && most < sizeWad) most = isFirst ? minimumSizeWad : 0n;
  if (most === 0n) return 0n;
  return sizeWad < most + minimumSizeWad ? sizeWad : most;
}

/** Price and impact of the fill as the pool stands now, and the slack. */
function limitPrice({ priceWad, skewWad, skewScaleWad }: MarketTerms, sizeDeltaWad: bigint): bigint {
  const slack = sizeDeltaWad > 0n ? slackWad : -slackWad;
  return mulDivDown(
    priceWad,
    2n * skewScaleWad * (WAD + slack) + (2n * skewWad + sizeDeltaWad) * WAD,
    2n * skewScaleWad * WAD,
  );
}
