import { Command } from "commander";

import {
  type Ballast,
  WAD,
  decodeEpochs,
  decodeMarketState,
  decodeMarketTerms,
  decodePrice,
  formatDecimal,
  hasFlag,
  marketAsset,
} from "../sdk/index.js";
import { Funding, MarginVault, MarketWords, type Price, Sides } from "../sdk/risk/index.js";
import { type ConnectionOptions, connected, withConnection } from "./connection.js";
import { duration, money, percent, price, size, tableLines, time } from "./display.js";

/** What a price is good for. `none`: nothing was ever published. */
type Freshness = "fresh" | "reduceOnly" | "stale" | "none";
type MarketStatus = "open" | "halted" | "closing" | "delisted";

/** A market as of a block. */
interface MarketReport {
  readonly market: string;
  readonly priceWad: bigint;
  readonly freshness: Freshness;
  /** Unix seconds; 0: never. */
  readonly publishedAt: number;
  /** Sizes, the pool's not counted. */
  readonly longWad: bigint;
  readonly shortWad: bigint;
  /** Longs less shorts. */
  readonly skewWad: bigint;
  /** Of a side. */
  readonly capWad: bigint;
  /** A day, of notional; above zero longs pay. */
  readonly fundingPerDayWad: bigint;
  readonly status: MarketStatus;
  /** Unix seconds: from when anyone may delist it. */
  readonly delistAt: number | undefined;
}

interface MarketsReport {
  readonly block: number;
  /** Unix seconds. */
  readonly timestamp: number;
  readonly markets: readonly MarketReport[];
  readonly borrowingHalted: boolean;
}

export function marketsCommand(): Command {
  return withConnection(new Command("markets"))
    .description("Shows every market: price, open interest, funding, caps, halts")
    .action(async (options: ConnectionOptions) => {
      const report = await connected(options, readMarkets);
      console.log(options.json === true ? toJson(report) : toLines(report).join("\n"));
    });
}

async function readMarkets(ballast: Ballast): Promise<MarketsReport> {
  const state = await ballast.readState([]);
  const { $, code } = state.at();
  const markets = Array.from({ length: $.marketCount }, (_, id): MarketReport => {
    const market = $.markets(id);
    const word = state.prices.get(marketAsset(id)) ?? (0n as Price.Price);
    const { priceWad, publishedAt, isFresh, isReduceOnly } = decodePrice(word);
    const flags = decodeMarketState(market.state);
    const poolWad = MarginVault.position($, code, state.pool, id).sizeWad;
    const longWad = Sides.sizeOf(market, MarketWords.longShares(market.totals)) - (poolWad > 0n ? poolWad : 0n);
    const shortWad = -Sides.sizeOf(market, -MarketWords.shortShares(market.totals)) + (poolWad < 0n ? poolWad : 0n);
    const [, rateE24] = Funding.accrued(market.state, market.risk, priceWad, $.now);
    return {
      market: ballast.deployment.markets[id]?.symbol ?? `market ${id}`,
      priceWad,
      freshness: priceWad === 0n ? "none" : isFresh ? "fresh" : isReduceOnly ? "reduceOnly" : "stale",
      publishedAt,
      longWad,
      shortWad,
      skewWad: -poolWad,
      capWad: decodeMarketTerms(market.terms).openInterestCapWad,
      fundingPerDayWad: (rateE24 * 86_400n) / 10n ** 6n,
      status: statusOf(flags),
      delistAt: decodeEpochs(market.epochs).delistAt,
    };
  });
  const { number: block, timestamp } = state.block;
  return { block, timestamp, markets, borrowingHalted: $.borrowingHalted };
}

function statusOf(state: ReturnType<typeof decodeMarketState>): MarketStatus {
  if (hasFlag(state, "delisted")) return "delisted";
  if (hasFlag(state, "closing")) return "closing";
  return hasFlag(state, "halted") ? "halted" : "open";
}

function toLines({ block, timestamp, markets, borrowingHalted }: MarketsReport): string[] {
  const head = [
    "market",
    "price",
    "published",
    "long",
    "short",
    "skew",
    "of cap",
    "funding a day",
    "notional",
    "status",
  ];
  const rows = markets.map((each) => {
    const largest = each.longWad > each.shortWad ? each.longWad : each.shortWad;
    return [
      each.market,
      price(each.priceWad),
      freshnessText(each, timestamp),
      size(each.longWad),
      size(each.shortWad),
      size(each.skewWad),
      each.capWad === 0n ? "" : percent((largest * WAD) / each.capWad, { places: 1 }),
      percent(each.fundingPerDayWad, { places: 4, signed: true }),
      money((largest * each.priceWad) / WAD),
      statusText(each),
    ];
  });
  return [
    `block ${block}, ${time(timestamp)}`,
    "",
    ...tableLines([head, ...rows]),
    ...(borrowingHalted
      ? ["", "borrowing is halted: no withdrawal, transfer or purchase of collateral leaves a debt"]
      : []),
  ];
}

function freshnessText({ freshness, publishedAt }: MarketReport, now: number): string {
  if (freshness === "none") return "never published";
  const age = `${duration(Math.max(0, now - publishedAt))} old`;
  return freshness === "fresh"
    ? `fresh, ${age}`
    : freshness === "reduceOnly"
      ? `for reducing, ${age}`
      : `STALE, ${age}`;
}

function statusText({ status, delistAt }: MarketReport): string {
  return status === "closing" && delistAt !== undefined ? `closing, ends ${time(delistAt)}` : status;
}

function toJson({ block, timestamp, markets, borrowingHalted }: MarketsReport): string {
  const wad = (value: bigint) => formatDecimal(value, 18);
  return JSON.stringify({
    block,
    timestamp,
    markets: markets.map((each) => ({
      market: each.market,
      price: wad(each.priceWad),
      freshness: each.freshness,
      publishedAt: each.publishedAt,
      long: wad(each.longWad),
      short: wad(each.shortWad),
      skew: wad(each.skewWad),
      cap: wad(each.capWad),
      fundingPerDay: wad(each.fundingPerDayWad),
      status: each.status,
      delistAt: each.delistAt ?? null,
    })),
    borrowingHalted,
  });
}
