import { type AccountId, WAD, hasFlag } from "../../../sdk/index.js";
import type { Random } from "../../../simulator/random.js";
import { abs } from "../../helpers/model.js";
import { place } from "../../helpers/vaultStorage.js";
import type { Arena, NamedAccount, Token } from "./arena.js";
import type { AccountBook, Books } from "./books.js";
import { type Position, ray } from "./sides.js";
import type { World } from "./worlds.js";

/** What a choice is made of: the arena, its books as they stand, and a stream of random numbers. */
export interface Situation {
  readonly arena: Arena;
  readonly random: Random;
  readonly books: Books;
  readonly world: World;
  /** Wad, by symbol, and when each was published. */
  readonly pricesWad: ReadonlyMap<string, bigint>;
  readonly publishedAt: ReadonlyMap<string, number>;
  /** Counts a call that is no step. */
  count(to: string, data: string, isDone: boolean): void;
  /** In the last third of a sequence, when a market may end. */
  readonly isLate: boolean;
}

export const noDeadline = 2n ** 64n;
export const everything = 2n ** 256n - 1n;
export const maxPriceAgeSeconds = 3600;
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

export function isFresh({ arena, publishedAt }: Pick<Situation, "arena" | "publishedAt">, symbol: string): boolean {
  if (arena.feed.isDead && symbol === arena.feed.symbol) return false;
  return arena.chain.nowSeconds <= publishedAt.get(symbol)! + maxPriceAgeSeconds;
}

export function isLiquidatable({ health }: AccountBook): boolean {
  return health.equityMaintenance < health.requirementMaintenance;
}

export function freeMargin({ health }: AccountBook): bigint {
  return health.equityInitial - health.requirementInitial;
}

export function marketsHeld({ positions }: AccountBook): number[] {
  return [...positions.keys()].filter((market) => positions[market]!.stored.sharesWad !== 0n);
}

/** Of those the markets where deleveraging or delisting left no size: their results are final. */
export function marketsFinished({ positions }: AccountBook): number[] {
  const isFinished = ({ stored, sizeWad }: Position) => stored.sharesWad !== 0n && sizeWad === 0n;
  return [...positions.keys()].filter((market) => isFinished(positions[market]!));
}

/** Markets where positions may grow. */
export function openMarkets({ arena, books }: Situation): number[] {
  return [...arena.markets.keys()].filter((market) => isOpen(books.markets[market]!));
}

/** Whether positions can grow in a market: it is neither about to be delisted nor halted. */
export function isOpen({ state }: Situation["books"]["markets"][number]): boolean {
  return !hasFlag(state, "closing") && !hasFlag(state, "halted");
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

export function isIsolated({ mode }: AccountBook): boolean {
  return mode === "isolated";
}

/** How much a side (pool not counted) may still grow, by the market's cap and the pool's capital: wad, base units. */
export function roomOf({ arena, books, pricesWad }: Situation, market: number, isLong: boolean): bigint {
  const { totals, sides } = books.markets[market]!;
  const { openInterestCapWad, initialBaseWad, capitalShareWad, symbol } = arena.markets[market]!;
  const pool = books.accounts.get(arena.pool)!.positions[market]!.sharesWad;
  const sizeOf = (long: boolean) => {
    const all = long ? totals.longSharesWad : totals.shortSharesWad;
    const ofPool = long === pool > 0n ? abs(pool) : 0n;
    return ((all - ofPool) * (long ? sides.long : sides.short).scaleRay) / ray;
  };
  const capital = (books.words.get(place.capital.name)! & (2n ** 128n - 1n)) * capitalShareWad;
  const most = (capital * WAD) / (initialBaseWad * pricesWad.get(symbol)!);
  const room = (most < openInterestCapWad ? most : openInterestCapWad) - sizeOf(isLong);
  return sizeOf(!isLong) > most || room < 0n ? 0n : room;
}

/** An amount of a token, raw, worth this much at this price. */
export function toRaw(valueWad: bigint, { decimals }: Token, priceWad: bigint): bigint {
  return (valueWad * 10n ** BigInt(decimals)) / priceWad;
}
