/** Twin of contracts/libraries/Fill.sol. */
import { int } from "../checked.js";
import {
  RAY,
  WAD,
  abs,
  divCeil,
  divFloor,
  divUp,
  mulDivCeil,
  mulDivFloor,
  mulDivUp,
  opposes,
  sub,
} from "./FixedPoint.js";
import * as Sides from "./Sides.js";

/**
 * The two sides of a fill, an account and the pool, and the market's totals: as they stood, then as they stand after it. Shares and costs
 * wad; shares below zero are of the short side.
 */
export interface Book {
  accountSharesWad: bigint;
  accountCostWad: bigint;
  poolSharesWad: bigint;
  poolCostWad: bigint;
  longSharesWad: bigint;
  shortSharesWad: bigint;
  /** What the account has realised so far: goes to its cash, and comes out of the pool's. */
  realizedWad: bigint;
  /** Fees charged so far; the pool's share is not yet in its cost. */
  feeWad: bigint;
}

export function emptyBook(): Book {
  return {
    accountSharesWad: 0n,
    accountCostWad: 0n,
    poolSharesWad: 0n,
    poolCostWad: 0n,
    longSharesWad: 0n,
    shortSharesWad: 0n,
    realizedWad: 0n,
    feeWad: 0n,
  };
}

/** The market in which a fill happens. */
export interface Venue {
  priceWad: bigint;
  skewScaleWad: bigint;
  /** Fee on the part that grows the skew, of its notional at its own fill price, tolerance included. Wad. */
  takerRateWad: bigint;
  /** Fee on the part that reduces the skew. Wad. */
  makerRateWad: bigint;
  long: Sides.Side;
  short: Sides.Side;
  /** Above zero: the price (ray) of every fill, without impact and fee, where one account takes over from another. */
  fixedPriceRay: bigint;
}

export function emptyVenue(): Venue {
  return {
    priceWad: 0n,
    skewScaleWad: 0n,
    takerRateWad: 0n,
    makerRateWad: 0n,
    long: Sides.emptySide(),
    short: Sides.emptySide(),
    fixedPriceRay: 0n,
  };
}

/** Price (ray) of a fill of `deltaWad` at this skew, rounded against the account. Throws Panic: a size far beyond any market's. */
export function priceRay(markWad: bigint, skewWad: bigint, deltaWad: bigint, skewScaleWad: bigint): bigint {
  const markRay = markWad * (RAY / WAD);
  const impact = int(markRay * int(2n * skewWad + deltaWad));
  const divisor = 2n * skewScaleWad;
  const rounded = deltaWad > 0n ? divCeil(impact, divisor) : divFloor(impact, divisor);
  // What a size that no market has room for would come to below zero, the cast of Solidity turns.
  return BigInt.asUintN(256, int(markRay + rounded));
}

/** Average price (wad) of a fill, rounded against the account. */
export function priceWad(markWad: bigint, skewWad: bigint, deltaWad: bigint, skewScaleWad: bigint): bigint {
  const ray = priceRay(markWad, skewWad, deltaWad, skewScaleWad);
  return deltaWad > 0n ? divUp(ray, RAY / WAD) : ray / (RAY / WAD);
}

/** The market's skew: what the pool is short of, wad. */
export function skewOf(book: Book, venue: Venue): bigint {
  return -sizeOf(book.poolSharesWad, venue);
}

/** Signed size (wad) of signed shares, rounded toward zero. */
export function sizeOf(sharesWad: bigint, venue: Venue): bigint {
  return sharesWad < 0n ? -Sides.sizeDown(venue.short, abs(sharesWad)) : Sides.sizeDown(venue.long, abs(sharesWad));
}

/**
 * Fills `deltaWad` (above zero: the account buys). Fees raise the cost of what is opened and come out of the proceeds of what is closed.
 * The pool's profit and loss all stays in its cost.
 */
export function execute(book: Book, venue: Venue, deltaWad: bigint): void {
  let left = deltaWad;
  while (left !== 0n) {
    const skewWad = skewOf(book, venue);
    let piece = until(sizeOf(book.accountSharesWad, venue), left);
    piece = until(skewWad, piece);
    executePiece(book, venue, skewWad, piece);
    left -= piece;
  }
}

function until(level: bigint, delta: bigint): bigint {
  return opposes(level, delta) && abs(level) < abs(delta) ? -level : delta;
}

function executePiece(book: Book, venue: Venue, skewWad: bigint, piece: bigint): void {
  let fillRay = venue.fixedPriceRay;
  if (fillRay === 0n) fillRay = priceRay(venue.priceWad, skewWad, piece, venue.skewScaleWad);
  const rateWad = opposes(skewWad, piece) ? venue.makerRateWad : venue.takerRateWad;
  const feeWad = mulDivUp(mulDivUp(abs(piece), fillRay, RAY), rateWad, WAD);
  book.feeWad += feeWad;

  // The account
  const before = book.accountSharesWad;
  const [sharesAfter, paidWad] = move(book, venue, before, piece, fillRay);
  if (opposes(before, piece)) {
    const costShare = costShareCeil(book, abs(before - sharesAfter));
    book.accountCostWad -= costShare;
    book.realizedWad -= paidWad + costShare + feeWad;
  } else {
    book.accountCostWad += paidWad + feeWad;
  }
  book.accountSharesWad = sharesAfter;

  // The pool, the other way
  const [poolSharesAfter, poolPaidWad] = move(book, venue, book.poolSharesWad, -piece, fillRay);
  book.poolSharesWad = poolSharesAfter;
  book.poolCostWad += poolPaidWad;
}

/** What so many of the account's shares have cost (wad), rounded up; all of its cost for all of its shares. */
export function costShareCeil(book: Book, sharesWad: bigint): bigint {
  const all = abs(book.accountSharesWad);
  return sharesWad === all ? book.accountCostWad : mulDivCeil(book.accountCostWad, sharesWad, all);
}

function move(
  book: Book,
  venue: Venue,
  sharesWad: bigint,
  sizeDeltaWad: bigint,
  fillRay: bigint,
): [sharesAfter: bigint, paidWad: bigint] {
  const closing = opposes(sharesWad, sizeDeltaWad);
  const sign = (closing ? sharesWad : sizeDeltaWad) > 0n ? 1n : -1n;
  const side = sign > 0n ? venue.long : venue.short;
  const before = abs(sharesWad);
  if (closing && Sides.sizeDown(side, before) === 0n) {
    if (sign > 0n) book.longSharesWad = sub(book.longSharesWad, before);
    else book.shortSharesWad = sub(book.shortSharesWad, before);
    const [opened, paid] = move(book, venue, 0n, sizeDeltaWad, fillRay);
    return [opened, paid - mulDivFloor(before, Sides.sharePriceFloor(side, sign, fillRay), RAY)];
  }
  const left = Sides.sharesUp(side, sign * sizeDeltaWad + Sides.sizeDown(side, before));
  const sharesAfter = sign * left;

  if (closing) {
    const moved = sub(before, left);
    const paidWad = -mulDivFloor(moved, Sides.sharePriceFloor(side, sign, fillRay), RAY);
    if (sign > 0n) book.longSharesWad = sub(book.longSharesWad, moved);
    else book.shortSharesWad = sub(book.shortSharesWad, moved);
    return [sharesAfter, paidWad];
  }
  const moved = sub(left, before);
  const paidWad = mulDivCeil(moved, Sides.sharePriceCeil(side, sign, fillRay), RAY);
  if (sign > 0n) book.longSharesWad += moved;
  else book.shortSharesWad += moved;
  return [sharesAfter, paidWad];
}
