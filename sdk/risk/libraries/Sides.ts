/** Twin of contracts/libraries/Sides.sol: sign is 1 for the long side, -1 for the short side; shares are unsigned. */
import * as MarketWords from "../types/MarketWords.js";
import * as Position from "../types/Position.js";
import type { Market } from "../types/VaultStorage.js";
import { RAY, WAD, abs, divCeil, divFloor, max, mulDivDown, mulDivFloor, mulDivUp } from "./FixedPoint.js";

/** A market's side as it stands now: size per share (ray) and quote per share (ray), all funding included. */
export interface Side {
  scaleRay: bigint;
  carryRay: bigint;
}

export function emptySide(): Side {
  return { scaleRay: 0n, carryRay: 0n };
}

/** The scale of a side that was never deleveraged. */
export const START_SCALE = RAY;

/** A side that was never deleveraged: funding alone moves its carry. Exact. */
export function untouched(sign: bigint, fundingIndexWad: bigint): Side {
  const side = { scaleRay: 0n, carryRay: 0n };
  setUntouched(side, sign, fundingIndexWad);
  return side;
}

/** The same in place. */
export function setUntouched(side: Side, sign: bigint, fundingIndexWad: bigint): void {
  side.scaleRay = START_SCALE;
  side.carryRay = -sign * fundingIndexWad * (RAY / WAD);
}

/** A side with what its word holds, funding taken off. Rounded down. */
export function current(word: MarketWords.SideWord, sign: bigint, fundingIndexWad: bigint): Side {
  const scaleRay = MarketWords.sideScale(word);
  return { scaleRay, carryRay: MarketWords.sideCarry(word) - fundingCeil(scaleRay, sign, fundingIndexWad) };
}

/** The word from which `current` reads this side again, at the same funding index. Throws ValueOutOfRange. */
export function toWord(side: Side, sign: bigint, fundingIndexWad: bigint): MarketWords.SideWord {
  return MarketWords.toSideWord(side.scaleRay, side.carryRay + fundingCeil(side.scaleRay, sign, fundingIndexWad));
}

function fundingCeil(scaleRay: bigint, sign: bigint, fundingIndexWad: bigint): bigint {
  return divCeil(sign * scaleRay * fundingIndexWad, WAD);
}

/** Both sides of a market that was deleveraged, as they stand at this funding index. */
export function read(market: Market, fundingIndexWad: bigint): [long: Side, short: Side] {
  const long = current(market.longSide, 1n, fundingIndexWad);
  const short = current(market.shortSide, -1n, fundingIndexWad);
  return [long, short];
}

/** Size (wad) of a market's larger side, the pool included, rounded down. */
export function openInterest(market: Market, fundingIndexWad: bigint): bigint {
  const longShares = MarketWords.longShares(market.totals);
  const shortShares = MarketWords.shortShares(market.totals);
  if (!MarketWords.has(market.state, MarketWords.SIDES_TOUCHED)) return max(longShares, shortShares);
  const [long, short] = read(market, fundingIndexWad);
  return max(sizeDown(long, longShares), sizeDown(short, shortShares));
}

/** Signed size (wad) of signed shares of the present epoch, rounded toward zero. */
export function sizeOf(market: Market, sharesWad: bigint): bigint {
  if (!MarketWords.has(market.state, MarketWords.SIDES_TOUCHED)) return sharesWad;
  const short = sharesWad < 0n;
  const scale = MarketWords.sideScale(short ? market.shortSide : market.longSide);
  const size = mulDivDown(abs(sharesWad), scale, RAY);
  return short ? -size : size;
}

/** A position in shares of its side's present epoch: what an ended epoch made of it. Shares are rounded down, cost up. */
export function converted(market: Market, position: Position.Position): [sharesWad: bigint, costWad: bigint] {
  let sharesWad = Position.shares(position);
  let costWad = Position.cost(position);
  if (sharesWad === 0n) return [sharesWad, costWad];
  const long = sharesWad > 0n;
  const last = MarketWords.epochOf(market.epochs, long);
  for (let epoch = Position.epoch(position); epoch < last && sharesWad !== 0n; ++epoch) {
    [sharesWad, costWad] = convertedBy(market.ends.get(endKey(long, epoch)), sharesWad, costWad);
  }
  return [sharesWad, costWad];
}

/** What the end of one epoch makes of a position. */
export function convertedBy(
  end: MarketWords.SideWord,
  sharesWad: bigint,
  costWad: bigint,
): [sharesWad: bigint, costWad: bigint] {
  const unsigned = abs(sharesWad);
  const left = mulDivDown(unsigned, MarketWords.sideScale(end), RAY);
  return [sharesWad < 0n ? -left : left, costWad - mulDivFloor(unsigned, MarketWords.sideCarry(end), RAY)];
}

/** Where a market keeps the index of a side at the end of an epoch. */
export function endKey(long: boolean, epoch: bigint): number {
  return (Number(epoch) << 1) | (long ? 1 : 0);
}

/** Quote per share (ray) at this price (ray), rounded toward minus infinity. */
export function sharePriceFloor(side: Side, sign: bigint, priceRay: bigint): bigint {
  if (side.scaleRay === RAY) return sign * priceRay + side.carryRay;
  return divFloor(sign * (side.scaleRay * priceRay), RAY) + side.carryRay;
}

/** Quote per share (ray) at this price (ray), rounded toward plus infinity. */
export function sharePriceCeil(side: Side, sign: bigint, priceRay: bigint): bigint {
  if (side.scaleRay === RAY) return sign * priceRay + side.carryRay;
  return divCeil(sign * (side.scaleRay * priceRay), RAY) + side.carryRay;
}

/** Size (wad, unsigned) of so many shares, rounded down. */
export function sizeDown(side: Side, sharesWad: bigint): bigint {
  return side.scaleRay === RAY ? sharesWad : mulDivDown(sharesWad, side.scaleRay, RAY);
}

/** Size (wad, unsigned) of so many shares, rounded up. */
export function sizeUp(side: Side, sharesWad: bigint): bigint {
  return side.scaleRay === RAY ? sharesWad : mulDivUp(sharesWad, side.scaleRay, RAY);
}

/** The fewest shares that make up this size. */
export function sharesUp(side: Side, sizeWad: bigint): bigint {
  return side.scaleRay === RAY ? sizeWad : mulDivUp(sizeWad, RAY, side.scaleRay);
}
