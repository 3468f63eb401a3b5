import type { AccountId } from "../../../sdk/index.js";
import type { Random } from "../../../simulator/random.js";
import { abs } from "../../helpers/model.js";
import { place } from "../../helpers/vaultStorage.js";
import type { Arena, NamedAccount, Token } from "./arena.js";
import type { AccountBook, Books } from "./books.js";

/** What a choice is made of: the arena, its books as they stand, and a stream of random numbers. */
export interface Situation {
  readonly arena: Arena;
  readonly random: Random;
  readonly books: Books;
  /** Wad, by symbol, and when each was published. */
  readonly pricesWad: ReadonlyMap<string, bigint>;
  readonly publishedAt: ReadonlyMap<string, number>;
}

export const noDeadline = 2n ** 64n;
export const everything = 2n ** 256n - 1n;
const maxPriceAgeSeconds = 3600;
const capitalMaxAgeSeconds = 3600n;

// ------------------------------------------------------------------ dice

export function chance({ random }: Situation, probability: number): boolean {
  return random.uniform() < probability;
}

export function pick<T>({ random }: Situation, items: readonly T[]): T {
  return items[random.integer(0, items.length - 1)]!;
}

export function shuffled<T>(situation: Situation, items: readonly T[]): T[] {
  const left = [...items];
  return items.map(() => left.splice(situation.random.integer(0, left.length - 1), 1)[0]!);
}

/** A part of an amount, between two shares of it, with all its digits at random. */
export function part({ random }: Situation, of: bigint, least: number, most: number): bigint {
  const share = BigInt(Math.floor((least + (most - least) * random.uniform()) * 2 ** 48));
  return (of * share) >> 48n;
}

/** Roughly normal, mean 0, deviation 1. */
export function bell({ random }: Situation): number {
  let sum = -6;
  for (let i = 0; i < 12; i += 1) sum += random.uniform();
  return sum;
}

// ------------------------------------------------------------------ what stands

export function isFresh({ arena, publishedAt }: Situation, symbol: string): boolean {
  return arena.chain.nowSeconds <= publishedAt.get(symbol)! + maxPriceAgeSeconds;
}

export function isLiquidatable({ health }: AccountBook): boolean {
  return health.equityMaintenance < health.requirementMaintenance;
}

export function freeMargin({ health }: AccountBook): bigint {
  return health.equityInitial - health.requirementInitial;
}

export function marketsHeld({ positions }: AccountBook): number[] {
  return [...positions.keys()].filter((market) => positions[market]!.sharesWad !== 0n);
}

export function traders({ arena }: Situation): NamedAccount[] {
  return arena.accounts.filter(({ trades }) => trades);
}

export function bookOf({ books }: Situation, { id }: { readonly id: AccountId }): AccountBook {
  return books.accounts.get(id)!;
}

export function isCapitalStale({ arena, books }: Situation): boolean {
  const takenAt = (books.words.get(place.capital.name)! >> 128n) & (2n ** 40n - 1n);
  return BigInt(arena.chain.nowSeconds) > takenAt + capitalMaxAgeSeconds;
}

/** How much a side (pool not counted) may still grow: wad, base units. */
export function roomOf({ arena, books }: Situation, market: number, isLong: boolean): bigint {
  const { totals } = books.markets[market]!;
  const pool = books.accounts.get(arena.pool)!.positions[market]!.sharesWad;
  const all = isLong ? totals.longSharesWad : totals.shortSharesWad;
  const ofPool = isLong === pool > 0n ? abs(pool) : 0n;
  return arena.markets[market]!.openInterestCapWad - (all - ofPool);
}

/** An amount of a token, raw, worth this much at this price. */
export function toRaw(valueWad: bigint, { decimals }: Token, priceWad: bigint): bigint {
  return (valueWad * 10n ** BigInt(decimals)) / priceWad;
}
