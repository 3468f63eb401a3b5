/** Twin of contracts/types/Price.sol: a price with its tolerance. */
import { field, place, replace } from "./Packing.js";
import type { Word } from "./Word.js";

/** Zero: never published. */
export type Price = Word<"Price">;

/** A billion quote units for one base unit. */
export const MAX_PRICE_WAD = 10n ** 27n;
export const FRESH_BIT = 1n << 232n;
export const FALLBACK_BIT = 1n << 233n;
export const REDUCE_ONLY_BIT = 1n << 234n;
export const GRACE_BIT = 1n << 235n;
export const GATED_BIT = 1n << 236n;
export const PAIRED_BIT = 1n << 237n;
export const WORKED_OUT = FALLBACK_BIT | GATED_BIT | PAIRED_BIT;
export const FIELDS = FRESH_BIT - 1n;

const USABLE = FRESH_BIT | REDUCE_ONLY_BIT;

/** Throws ValueOutOfRange. */
export function toPrice(priceWad: bigint, toleranceWad: bigint, publishedAt: bigint, maxAge: bigint): Price {
  return (place(priceWad, 0n, 96) |
    place(toleranceWad, 96n, 64) |
    place(publishedAt, 160n, 40) |
    place(maxAge, 200n, 32)) as Price;
}

/** Wad: quote per whole base unit. */
export function value(price: Price): bigint {
  return field(price, 0n, 96);
}

/** Wad: the largest relative error that an honest feed may have just now. */
export function tolerance(price: Price): bigint {
  return field(price, 96n, 64);
}

/** Unix seconds. */
export function publishedAt(price: Price): bigint {
  return field(price, 160n, 40);
}

/** Seconds after `publishedAt` at which the price is stale. */
export function maxAge(price: Price): bigint {
  return field(price, 200n, 32);
}

/** Whether the price is good for everything. */
export function isFresh(price: Price): boolean {
  return (price & FRESH_BIT) !== 0n;
}

/** Whether the price is good for what reduces risk: closing, settling, liquidating, delisting. */
export function isUsable(price: Price): boolean {
  return (price & USABLE) !== 0n;
}

/** Whether it was told while the chain's sequencer was down, or had come back too short a time before. */
export function inGrace(price: Price): boolean {
  return (price & GRACE_BIT) !== 0n;
}

/** Whether a stored word is not the price itself: that has to be worked out. */
export function isWorkedOut(price: Price): boolean {
  return (price & WORKED_OUT) !== 0n;
}

export function isFallback(price: Price): boolean {
  return (price & FALLBACK_BIT) !== 0n;
}

export function isGated(price: Price): boolean {
  return (price & GATED_BIT) !== 0n;
}

export function isPaired(price: Price): boolean {
  return (price & PAIRED_BIT) !== 0n;
}

/**
 * The price, which bears no mark that keeps it from being fresh, as an answer at this time: marked fresh unless it was never published, is
 * too old, or has value zero.
 */
export function asOf(price: Price, nowSeconds: bigint): Price {
  const fresh = value(price) !== 0n && nowSeconds <= publishedAt(price) + maxAge(price);
  return fresh ? ((price | FRESH_BIT) as Price) : price;
}

/** The price without any mark. */
export function bare(price: Price): Price {
  return (price & FIELDS) as Price;
}

/** The stored word that `asOf` was given. */
export function asStored(price: Price): Price {
  return (price & ~FRESH_BIT) as Price;
}

/** The price with another tolerance (wad), marks as they are. Throws ValueOutOfRange. */
export function withTolerance(price: Price, toleranceWad: bigint): Price {
  return replace(price, 96n, 64, place(toleranceWad, 96n, 64)) as Price;
}

/** The price as one for reductions: fresh no more. */
export function asReduceOnly(price: Price): Price {
  return ((price & ~FRESH_BIT) | REDUCE_ONLY_BIT) as Price;
}

/** The price as one told during the sequencer's grace time. */
export function duringGrace(price: Price): Price {
  return (price | GRACE_BIT) as Price;
}

/** The price, which is not marked fresh, as one that only stands in for another. */
export function asFallback(price: Price): Price {
  return (price | FALLBACK_BIT) as Price;
}

/** The stored price, marked gated where that holds. */
export function gated(price: Price, holds: boolean): Price {
  return (holds ? price | GATED_BIT : price & ~GATED_BIT) as Price;
}

/** The stored price, marked paired where that holds. */
export function paired(price: Price, holds: boolean): Price {
  return (holds ? price | PAIRED_BIT : price & ~PAIRED_BIT) as Price;
}
