import type { Act, Row } from "../act.js";
import { feedUnitWad } from "../nineAssets.js";
import { priceCalls } from "../publishing.js";
import { closingMarkets } from "./delisting.js";
import { type Situation, bell, chance, pick } from "../situation.js";

/** Moves a price by a factor, within a fiftieth and fifty times the first. */
function moved(priceWad: bigint, firstWad: bigint, logFactor: number): bigint {
  const price = (priceWad * BigInt(Math.round(Math.exp(logFactor) * 2 ** 40))) >> 40n;
  return price < firstWad / 50n || price > firstWad * 50n ? priceWad : (price / feedUnitWad) * feedUnitWad;
}

export function pushAct(situation: Situation): Act {
  const { arena, pricesWad } = situation;
  // One feed stays silent now and then, and some publish what they published before.
  const silent = chance(situation, 0.1) ? pick(situation, arena.markets).symbol : undefined;
  const prices = new Map<string, bigint>();
  for (const { symbol, firstPriceWad } of arena.markets) {
    if (symbol === silent) continue;
    const step = chance(situation, 0.3) ? 0 : 0.015 * bell(situation);
    prices.set(symbol, moved(pricesWad.get(symbol)!, firstPriceWad, step));
  }
  // What comes late is refused, for it is older than what is known.
  const isLate = chance(situation, 0.04);
  return pushOf(situation, "push prices", prices, isLate ? situation.random.integer(1, 2000) : 0);
}

export function crashAct(situation: Situation): Act {
  const { arena, books, pricesWad, world, random } = situation;
  // Most moves take some accounts below maintenance, some below absorb health, a few far below zero; a gap takes the pool there too.
  const isGap = chance(situation, world.gaps);
  let size = chance(situation, 0.65) ? 0.015 + 0.04 * random.uniform() : 0.05 + 0.3 * random.uniform() ** 2;
  if (isGap) size = 0.1 + 0.7 * random.uniform();
  const depth = chance(situation, 0.5) ? -size : size;
  const isAgainstPool = isGap && chance(situation, 0.5);
  const prices = new Map<string, bigint>();
  for (const [market, { symbol, firstPriceWad }] of arena.markets.entries()) {
    let step = depth * (0.5 + random.uniform()) * (chance(situation, 0.15) ? -0.3 : 1);
    const pool = books.accounts.get(arena.pool)!.positions[market]!.sizeWad;
    if (isAgainstPool && pool !== 0n) step = pool > 0n ? -Math.abs(step) : Math.abs(step);
    prices.set(symbol, moved(pricesWad.get(symbol)!, firstPriceWad, step));
  }
  return pushOf(situation, "push a crash", prices);
}

function pushOf({ arena }: Situation, row: Row, all: ReadonlyMap<string, bigint>, lateSeconds = 0): Act {
  // An aggregator that is dead tells nothing.
  const prices = new Map([...all].filter(([symbol]) => !arena.feed.isDead || symbol !== arena.feed.symbol));
  const publishedAt = arena.chain.nowSeconds - lateSeconds;
  const [push, ...also] = priceCalls(arena, prices, publishedAt);
  return {
    row,
    kind: "push",
    what: `prices become ${[...prices].map(([symbol, price]) => `${symbol} ${price}`).join(", ")}`,
    ...push!,
    also,
    pricesWad: prices,
    publishedAt,
  };
}

export function timeAct(situation: Situation): Act {
  const { random } = situation;
  const isLong = chance(situation, closingMarkets(situation).waiting.length > 0 ? 0.6 : 0.15);
  const seconds = isLong ? random.integer(3600, 100_000) : random.integer(1, 1200);
  return { row: "time passes", kind: "time", what: `${seconds} s pass`, from: "", to: "", data: "0x", seconds };
}
