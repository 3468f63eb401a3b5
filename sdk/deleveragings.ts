import { vaultInterface } from "./contracts.js";
import type { VaultLog } from "./book/logs.js";
import { RAY, mulDivDown, mulDivFloor } from "./units/index.js";
import { type PositionState, type SideFields, decodePosition, decodeSide, epochEndKey } from "./words.js";

/** What one deleveraging did to a position. */
export interface Deleveraging {
  readonly blockNumber: number;
  readonly transactionHash: string;
  /** What was traded of the position, wad: below zero a long one has sold, above zero a short one has bought back. */
  readonly sizeDeltaWad: bigint;
  /** Quote per base unit. */
  readonly priceRay: bigint;
  /** What the position got for it, wad; below zero it paid. It stands in its value until it is closed. */
  readonly proceedsWad: bigint;
  /** The position's size after it, wad. */
  readonly sizeLeftWad: bigint;
}

/** A log, and where it stands on the chain. */
export interface MinedLog extends VaultLog {
  readonly blockNumber: number;
  readonly transactionHash: string;
}

/** Topics of the events that `deleveragingsOf` reads: of the position, and of its market. */
export const deleveragingTopics = {
  position: [vaultInterface.getEvent("PositionChanged").topicHash],
  market: [vaultInterface.getEvent("Deleveraged").topicHash, vaultInterface.getEvent("EpochEnded").topicHash],
} as const;

/**
 * What deleveraging did to a position, from the logs of the events above, of one account and one market, in order and none left out: as
 * VaultLens.deleveraged has it, which only knows the position as it is stored last.
 */
export function deleveragingsOf(logs: Iterable<MinedLog>): Deleveraging[] {
  let position: PositionState = { sharesWad: 0n, costWad: 0n, epoch: 0 };
  const ends = new Map<number, SideFields>();
  const found: Deleveraging[] = [];
  for (const { blockNumber, transactionHash, topics, data } of logs) {
    const event = vaultInterface.parseLog({ topics, data });
    if (event?.name === "PositionChanged") position = decodePosition(event.args["position"] as bigint);
    if (event?.name === "EpochEnded") {
      const { long, epoch, end } = event.args.toObject() as { long: boolean; epoch: bigint; end: bigint };
      ends.set(epochEndKey(long, Number(epoch)), decodeSide(end));
    }
    if (event?.name !== "Deleveraged") continue;
    const { long, epoch, soldRay, priceRay, scaleRay } = event.args.toObject() as unknown as DeleveragedArgs;
    if (long !== position.sharesWad > 0n) continue;
    const sharesWad = sharesIn(position, Number(epoch), ends);
    const sizeDeltaWad = -mulDivFloor(sharesWad, soldRay, RAY);
    if (sizeDeltaWad === 0n) continue;
    const proceedsWad = mulDivFloor(-sizeDeltaWad, priceRay, RAY);
    const sizeLeftWad = towardZero(sharesWad, scaleRay);
    found.push({ blockNumber, transactionHash, sizeDeltaWad, priceRay, proceedsWad, sizeLeftWad });
  }
  return found;
}

interface DeleveragedArgs {
  readonly long: boolean;
  readonly epoch: bigint;
  readonly soldRay: bigint;
  readonly priceRay: bigint;
  readonly scaleRay: bigint;
}

/** Shares of a position in an epoch of its side; none if the position is younger. */
function sharesIn(position: PositionState, epoch: number, ends: ReadonlyMap<number, SideFields>): bigint {
  if (position.epoch > epoch) return 0n;
  let shares = position.sharesWad;
  for (let ended = position.epoch; ended < epoch && shares !== 0n; ended += 1) {
    shares = towardZero(shares, ends.get(epochEndKey(shares > 0n, ended))?.scaleRay ?? 0n);
  }
  return shares;
}

/** Signed shares times a scale. */
function towardZero(sharesWad: bigint, scaleRay: bigint): bigint {
  return sharesWad < 0n ? -mulDivDown(-sharesWad, scaleRay, RAY) : mulDivDown(sharesWad, scaleRay, RAY);
}
