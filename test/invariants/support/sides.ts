import {
  type EpochsFields,
  type MarketStateFields,
  type PositionState,
  type SideFields,
  WAD,
  epochEndKey,
  hasFlag,
} from "../../../sdk/index.js";
import { abs, ceilDiv, floorDiv } from "../../helpers/model.js";

export const ray = 10n ** 27n;

/** A position as its side's present epoch has it, what ended epochs made of it included. */
export interface Position {
  readonly sharesWad: bigint;
  readonly costWad: bigint;
  /** Signed as the shares are, rounded toward zero. */
  readonly sizeWad: bigint;
  /** As the word has it: shares of the epoch that the side was in when it was last touched. */
  readonly stored: PositionState;
}

export interface Sides {
  readonly long: SideFields;
  readonly short: SideFields;
}

/** Both sides as they stand at the market's stored funding index. */
export function sidesAt(state: MarketStateFields, long: SideFields, short: SideFields): Sides {
  const { fundingIndexWad } = state;
  if (!hasFlag(state, "sidesTouched")) {
    const carry = (fundingIndexWad * ray) / WAD;
    return { long: { scaleRay: ray, carryRay: -carry }, short: { scaleRay: ray, carryRay: carry } };
  }
  const now = (sign: bigint, { scaleRay, carryRay }: SideFields): SideFields => ({
    scaleRay,
    carryRay: carryRay - ceilDiv(sign * scaleRay * fundingIndexWad, WAD),
  });
  return { long: now(1n, long), short: now(-1n, short) };
}

/** What a position has become by the ends of its side's epochs. */
export function positionNow(
  stored: PositionState,
  { longEpoch, shortEpoch }: EpochsFields,
  ends: ReadonlyMap<number, SideFields>,
  sides: Sides,
): Position {
  let { sharesWad, costWad } = stored;
  const isLong = sharesWad > 0n;
  const last = isLong ? longEpoch : shortEpoch;
  for (let { epoch } = stored; epoch < last && sharesWad !== 0n; epoch += 1) {
    const { scaleRay, carryRay } = ends.get(epochEndKey(isLong, epoch))!;
    costWad -= floorDiv(abs(sharesWad) * carryRay, ray);
    sharesWad = (sharesWad * scaleRay) / ray;
  }
  const { scaleRay } = isLong ? sides.long : sides.short;
  return { sharesWad, costWad, sizeWad: (sharesWad * scaleRay) / ray, stored };
}
