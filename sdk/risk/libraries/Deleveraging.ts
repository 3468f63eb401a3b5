/** Twin of contracts/libraries/Deleveraging.sol. */
import * as MarketWords from "../types/MarketWords.js";
import * as Price from "../types/Price.js";
import type { Vault } from "../types/VaultStorage.js";
import * as VaultWords from "../types/VaultWords.js";
import * as Deals from "./Deals.js";
import * as Fill from "./Fill.js";
import { RAY, WAD, abs, divFloor, divUp, mulDiv, mulDivDown, mulDivFloor, sub } from "./FixedPoint.js";
import * as Sides from "./Sides.js";

/** What closing a position has made the other side of its market give up: nothing is stored yet. */
export interface Deleverage {
  /** The side that gave up, and in which of its epochs. */
  long: boolean;
  epoch: bigint;
  /** Size that each of its shares sold, and the price. Ray. */
  soldRay: bigint;
  priceRay: bigint;
  /** The position that was closed: its signed size, and what it has realised. Wad. */
  sizeWad: bigint;
  realizedWad: bigint;
  scaleRay: bigint;
  /** Where so little is left of a share that the epoch has ended: its last index. */
  ended: boolean;
  end: MarketWords.SideWord;
}

export function emptyDeleverage(): Deleverage {
  return {
    long: false,
    epoch: 0n,
    soldRay: 0n,
    priceRay: 0n,
    sizeWad: 0n,
    realizedWad: 0n,
    scaleRay: 0n,
    ended: false,
    end: 0n as MarketWords.SideWord,
  };
}

/** An index (ray) below a ten-thousandth of its start ends its epoch. */
export const LEAST_SCALE = RAY / 10_000n;
const ROUNDING = 1_000_000n;

/** How much (wad) the other side can bear beyond the price when so large a position (wad, unsigned) is closed. Rounded down. */
export function bearableDown(deal: Deals.Deal, sizeWad: bigint, risk: VaultWords.AccountRisk): bigint {
  const notional = mulDivDown(sizeWad, Price.value(deal.price), WAD);
  return mulDivDown(notional, MarketWords.maintenanceBase(deal.risk), WAD + VaultWords.debtMargin(risk));
}

/**
 * Price (ray) at which a position is closed so that, with the others, what is missing is raised, as far as that goes.
 * @param long whether the position that is closed is long: it gets more than the price
 * @param bearableWad the sum of bearableDown over the positions that are closed
 */
export function closingPriceRay(
  deal: Deals.Deal,
  long: boolean,
  missingWad: bigint,
  bearableWad: bigint,
  risk: VaultWords.AccountRisk,
): bigint {
  const markRay = Price.value(deal.price) * (RAY / WAD);
  if (missingWad === 0n) return markRay;
  const most = mulDivDown(markRay, MarketWords.maintenanceBase(deal.risk), WAD + VaultWords.debtMargin(risk));
  let distance = bearableWad === 0n ? most : mulDiv(most, missingWad + ROUNDING, bearableWad) + 1n;
  if (distance > most) distance = most;
  return long ? markRay + distance : sub(markRay, distance);
}

/** Closes the account's whole position, in memory, at this price (ray). */
export function close(deal: Deals.Deal, priceRay: bigint): Deleverage {
  const done = emptyDeleverage();
  const { book } = deal;
  done.priceRay = priceRay;
  done.sizeWad = Deals.size(deal);
  const held = book.accountSharesWad;
  done.realizedWad = proceedsFloor(deal, held, priceRay) - book.accountCostWad;
  book.accountSharesWad = 0n;
  book.accountCostWad = 0n;
  Deals.mirror(deal, done.realizedWad);
  takeOver(deal, done, held);
  return done;
}

/** Closes the pool's whole position, in memory, at this price (ray). Its result stays in its cost. */
export function closePool(deal: Deals.Deal, priceRay: bigint): Deleverage {
  const done = emptyDeleverage();
  const { book } = deal;
  done.priceRay = priceRay;
  const held = book.poolSharesWad;
  done.sizeWad = Fill.sizeOf(held, deal.venue);
  book.poolCostWad -= proceedsFloor(deal, held, priceRay);
  book.poolSharesWad = 0n;
  takeOver(deal, done, held);
  return done;
}

/** Writes what Deals.store does not: the end of an epoch. Emits EpochEnded, if one did, and Deleveraged. */
export function store($: Vault, deal: Deals.Deal, done: Deleverage): void {
  const { market } = deal;
  const { long, epoch, soldRay, priceRay, scaleRay } = done;
  if (done.ended) {
    $.markets(market).ends.set(Sides.endKey(long, epoch), done.end);
    $.emit("EpochEnded", { market: BigInt(market), long, epoch, end: done.end });
  }
  $.emit("Deleveraged", { market: BigInt(market), long, epoch, soldRay, priceRay, scaleRay });
}

function proceedsFloor(deal: Deals.Deal, sharesWad: bigint, priceRay: bigint): bigint {
  const sign = sharesWad < 0n ? -1n : 1n;
  const sharePrice = Sides.sharePriceFloor(Deals.sideOf(deal, sharesWad), sign, priceRay);
  return mulDivFloor(abs(sharesWad), sharePrice, RAY);
}

function takeOver(deal: Deals.Deal, done: Deleverage, closedWad: bigint): void {
  const { book } = deal;
  const closed = abs(closedWad) * Deals.sideOf(deal, closedWad).scaleRay;
  const long = closedWad < 0n;
  if (long) book.shortSharesWad = sub(book.shortSharesWad, abs(closedWad));
  else book.longSharesWad = sub(book.longSharesWad, abs(closedWad));

  const other = long ? deal.venue.long : deal.venue.short;
  const shares = long ? book.longSharesWad : book.shortSharesWad;
  if (shares !== 0n) {
    done.soldRay = long ? closed / shares : divUp(closed, shares);
    if (done.soldRay > other.scaleRay) done.soldRay = other.scaleRay;
  }
  const paid = done.soldRay * done.priceRay;
  other.carryRay += divFloor(long ? paid : -paid, RAY);
  other.scaleRay -= done.soldRay;

  done.long = long;
  done.scaleRay = other.scaleRay;
  done.epoch = MarketWords.epochOf(deal.epochs, long);
  deal.sidesChanged = true;
  deal.state = MarketWords.withFlag(deal.state, MarketWords.SIDES_TOUCHED);
  if (other.scaleRay < LEAST_SCALE) endEpoch(deal, done, other);
}

function endEpoch(deal: Deals.Deal, done: Deleverage, side: Sides.Side): void {
  const { book } = deal;
  done.ended = true;
  done.end = MarketWords.toSideWord(side.scaleRay, side.carryRay);
  if (done.long) book.longSharesWad = mulDivDown(book.longSharesWad, side.scaleRay, RAY);
  else book.shortSharesWad = mulDivDown(book.shortSharesWad, side.scaleRay, RAY);
  if (book.poolSharesWad !== 0n && done.long === book.poolSharesWad > 0n) {
    [book.poolSharesWad, book.poolCostWad] = Sides.convertedBy(done.end, book.poolSharesWad, book.poolCostWad);
  }
  deal.epochs = MarketWords.withNextEpoch(deal.epochs, done.long);
  side.scaleRay = Sides.START_SCALE;
  side.carryRay = 0n;
}
