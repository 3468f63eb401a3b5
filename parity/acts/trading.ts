import { WAD, abs, max, min, positivePart } from "../../sdk/risk/libraries/FixedPoint.js";
import * as Fill from "../../sdk/risk/libraries/Fill.js";
import * as Deals from "../../sdk/risk/libraries/Deals.js";
import * as Ledger from "../../sdk/risk/libraries/Ledger.js";
import * as MarginVault from "../../sdk/risk/MarginVault.js";
import * as MarketWords from "../../sdk/risk/types/MarketWords.js";
import * as Position from "../../sdk/risk/types/Position.js";
import * as VaultWords from "../../sdk/risk/types/VaultWords.js";
import type { Want } from "../draw/cash.js";
import type { World } from "../draw/world.js";
import { type Act, type Plot, act, anyCaller, callerFor } from "./act.js";
import { freeMargin, marketsOf, near, oneOf, sizeOf, someMarket } from "./choose.js";

/** The deal of an account in a market, as a trade would load it. */
function dealOf({ vault, code }: World, account: `0x${string}`, market: number): Deals.Deal {
  const context = MarginVault.contextOf(vault, code);
  const deal = Deals.emptyDeal();
  const word = Ledger.load(vault, context, account);
  const price = code.oracle.lastPrices((1n << BigInt(market)) as never)[0];
  if (price === undefined) throw new TypeError(`no answer for ${market}`);
  Deals.load(deal, vault, context, account, word, Ledger.load(vault, context, code.pool), market, price);
  return deal;
}

/** A size (unsigned) by which a position may grow: near one of the bounds that openings have, or any. */
function growth(world: World, market: number, long: boolean): bigint {
  const { d, vault, subject } = world;
  const { risk, terms } = vault.markets(market);
  const deal = dealOf(world, subject, market);
  const minimum = max(1n, MarketWords.minimumSize(terms));
  const cap = MarketWords.openInterestCap(terms);
  const room = positivePart(cap - Deals.openInterest(deal, long));
  const price = max(1n, deal.venue.priceWad);
  const base = max(1n, MarketWords.initialBase(risk));
  const affordable = (positivePart(freeMargin(world, subject)) * WAD * WAD) / price / base;
  const capital = (VaultWords.capitalValue(vault.capital) * MarketWords.capitalShare(terms)) / WAD;
  const backed = positivePart((capital * WAD * WAD) / price / base - Deals.openInterest(deal, long));
  const most = max(minimum, min(room, affordable));
  return d.weighted<() => bigint>([
    [3, () => minimum],
    [1, () => near(world, minimum)],
    [7, () => d.wide(minimum, most)],
    [2, () => (affordable * BigInt(d.integer(50, 105))) / 100n],
    [1.5, () => near(world, room)],
    [1, () => room + d.wide(1n, max(1n, room))],
    [1, () => near(world, backed)],
    [0.5, () => d.wide(1n, minimum)],
  ])();
}

function trade(world: World, market: number, delta: bigint): Act {
  const { d, vault, subject } = world;
  let limit = 0n;
  if (market < vault.marketCount && d.chance(0.4)) {
    const { book, venue } = dealOf(world, subject, market);
    const fill = Fill.priceWad(venue.priceWad, Fill.skewOf(book, venue), delta, venue.skewScaleWad);
    limit = d.chance(0.5) ? near(world, fill) : (fill * BigInt(d.integer(98, 102))) / 100n;
  }
  const deadline = d.chance(0.98) ? vault.now + BigInt(d.integer(0, 99)) : vault.now - 1n;
  return act("trade", callerFor(world, subject), [subject, market, delta, limit, deadline]);
}

const open: Plot = {
  name: "open",
  weight: 20,
  wishes: (d) => ({
    prices: d.chance(0.8) ? "fresh" : "mixed",
    positions: [0, 2],
    collaterals: [0, 2],
    halted: 0.03,
    closing: 0.03,
    delisted: 0.02,
  }),
  *wants({ d, subject }) {
    if (d.chance(0.95)) yield [subject, { free: d.wide(10n ** 16n, 10n ** 28n) }];
  },
  act(world) {
    const { d, subject, vault } = world;
    const market = someMarket(world, subject, 0.4);
    if (market >= vault.marketCount) return trade(world, market, WAD);
    const size = sizeOf(world, subject, market);
    const long = size === 0n ? d.chance(0.5) : size > 0n !== d.chance(0.2);
    const grown = growth(world, market, long) + (size !== 0n && size > 0n !== long ? abs(size) : 0n);
    return trade(world, market, long ? grown : -grown);
  },
};

const reduce: Plot = {
  name: "reduce",
  weight: 30,
  wishes: (d) => ({
    prices: d.chance(0.7) ? "fresh" : "mixed",
    positions: [1, 3],
    collaterals: [0, 2],
    halted: 0.1,
    closing: 0.1,
  }),
  *wants({ d, subject }) {
    const want = d.weighted<() => Want>([
      [3, () => ({ free: d.wide(1n, 10n ** 24n) })],
      [3, () => ({ health: d.between(WAD / 100n, (3n * WAD) / 2n) })],
      [3, () => ({ health: d.between(WAD / 50n, WAD / 2n) })],
      [2, () => ({ equity: d.wide(1n, 10n ** 20n) })],
      [1.6, () => ({ equity: -d.wide(1n, 10n ** 22n) })],
    ])();
    yield [subject, want];
  },
  act(world) {
    const { d, subject, vault } = world;
    const market = someMarket(world, subject, 0.98);
    const size = market < vault.marketCount ? sizeOf(world, subject, market) : 0n;
    if (size === 0n) return trade(world, market, d.sign() * d.wide(1n, WAD));
    const minimum = MarketWords.minimumSize(vault.markets(market).terms);
    const part = d.weighted<() => bigint>([
      [3, () => abs(size)],
      [4, () => d.wide(1n, abs(size))],
      [1, () => max(1n, abs(size) - near(world, minimum))],
      [1, () => max(1n, abs(size) / 2n)],
    ])();
    return trade(world, market, size > 0n ? -part : part);
  },
};

const settle: Plot = {
  name: "settle",
  weight: 7,
  wishes: (d) => ({
    prices: d.chance(0.6) ? "fresh" : "mixed",
    positions: [1, 2],
    collaterals: [0, 1],
    delisted: 0.3,
    touched: 0.8,
  }),
  act(world) {
    const { d, subject, house } = world;
    const account = d.chance(0.03) ? house.pool : subject;
    return act("settle", anyCaller(world), [account, someMarket(world, account, 0.95)]);
  },
};

const refreshCapital: Plot = {
  name: "refreshCapital",
  weight: 1,
  wishes: (d) => ({
    prices: d.chance(0.4) ? "fresh" : "mixed",
    positions: [0, 2],
    collaterals: [0, 1],
    poolHolds: d.chance(0.5),
  }),
  *wants({ d, house }) {
    if (d.chance(0.3)) yield [house.pool, { equity: -d.wide(1n, 10n ** 24n) }];
  },
  act: (world) => act("refreshCapital", anyCaller(world), []),
};

/** A position or a side near the end of its field: no opening goes on from there. */
const atTheEnd: Plot = {
  name: "atTheEnd",
  weight: 11,
  wishes: () => ({ prices: "fresh", positions: [1, 1], collaterals: [0, 0], closing: 0, delisted: 0, halted: 0 }),
  *wants({ subject }) {
    yield [subject, { free: 10n ** 30n }];
  },
  arrange(world) {
    const { d, vault, house } = world;
    const market = oneOf(world, marketsOf(world, world.subject)) ?? 0;
    const account = d.chance(0.5) ? house.pool : world.subject;
    const position = vault.positions.get(account, market);
    const cost = d.sign() * ((1n << 118n) - 1n - d.wide(1n, 1n << 30n));
    vault.positions.set(
      account,
      market,
      Position.toPosition(Position.shares(position), cost, Position.epoch(position)),
    );
  },
  act(world) {
    const { d, subject } = world;
    const market = oneOf(world, marketsOf(world, subject)) ?? 0;
    const size = sizeOf(world, subject, market);
    const delta = d.chance(0.7) ? growth(world, market, size > 0n) : growth(world, market, size < 0n);
    return trade(world, market, size > 0n ? delta : -delta);
  },
};

export const tradingPlots: readonly Plot[] = [open, reduce, settle, refreshCapital, atTheEnd];
export { trade as tradeOf, growth };
