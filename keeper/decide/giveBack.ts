import { WAD, mulDivDown } from "../../sdk/index.js";
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
  | "stalePrice";

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
const deadlineSeconds = 600;

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
  let leftWad = mulDivDown(health.equityMaintenanceWad, BigInt(giveBackPercent), 100n);
  return [...sizesWad].map(([market, sizeWad]): GiveBack => {
    const found = terms.get(market);
    if (found === undefined || !found.isFresh) return { kind: "keep", market, reason: "stalePrice" };
    const waits = (takenAt.get(market) ?? nowSeconds - 1) >= nowSeconds;
    if (waits && !isCalled) return { kind: "keep", market, reason: "takenJustNow" };
    if (leftWad <= 0n && !isCalled) return { kind: "keep", market, reason: "enoughThisTurn" };
    const closedWad = isCalled ? abs(sizeWad) : closedWithin(abs(sizeWad), leftWad, found);
    leftWad -= mulDivDown(closedWad, found.priceWad, WAD);
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

/** As much of a size as this notional comes to, or all of it where the rest would be below the minimum. */
function closedWithin(sizeWad: bigint, notionalWad: bigint, { priceWad, minimumSizeWad }: MarketTerms): bigint {
  const within = mulDivDown(notionalWad, WAD, priceWad);
  return within === 0n || sizeWad - within < minimumSizeWad ? sizeWad : within;
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
