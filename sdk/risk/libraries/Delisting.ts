/** Twin of contracts/libraries/Delisting.sol: the end of a market. */
import { at } from "../checked.js";
import { ContractError } from "../ContractError.js";
import { type MarketId, marketAsset, onlyAsset } from "../types/AssetSet.js";
import * as MarketWords from "../types/MarketWords.js";
import * as Position from "../types/Position.js";
import * as Price from "../types/Price.js";
import type { Context, Market, Vault } from "../types/VaultStorage.js";
import { RAY, WAD } from "./FixedPoint.js";
import * as Funding from "./Funding.js";
import * as Prices from "./Prices.js";
import * as Sides from "./Sides.js";

const { CLOSING, DELISTED, SIDES_TOUCHED } = MarketWords;
const LEAST_NOTICE = 86_400n;
const LEAST_SILENCE = 86_400n;

/**
 * Throws MarketDelisted, ParameterOutOfBounds, ValueOutOfRange.
 * @param due Unix seconds: from when anyone may delist it
 * @param finalPriceWad at which it is delisted if its feed is dead by then
 */
export function announce($: Vault, context: Context, id: MarketId, due: bigint, finalPriceWad: bigint): void {
  const market = $.markets(id);
  const { state } = market;
  if (MarketWords.has(state, DELISTED)) throw new ContractError("MarketDelisted", { market: BigInt(id) });
  if (due < $.now + LEAST_NOTICE) throw new ContractError("ParameterOutOfBounds", { rule: "due >= now + 1 day" });
  if (finalPriceWad > Price.MAX_PRICE_WAD) {
    throw new ContractError("ParameterOutOfBounds", { rule: "finalPrice <= 1e9" });
  }
  if (!MarketWords.has(state, SIDES_TOUCHED)) {
    const start = MarketWords.toSideWord(Sides.START_SCALE, 0n);
    market.longSide = start;
    market.shortSide = start;
  }
  market.epochs = MarketWords.withDelisting(market.epochs, due, finalPriceWad);
  market.state = MarketWords.withFlag(state, SIDES_TOUCHED | CLOSING);
  $.emit("DelistingAnnounced", { market: BigInt(id), due, finalPriceWad });
  tell($, context, id);
}

/** Throws MarketDelisted, DelistingNotDue, StaleMarketPrice, ValueOutOfRange. */
export function delist($: Vault, context: Context, id: MarketId): void {
  const market = $.markets(id);
  const { state } = market;
  const due = MarketWords.delistAt(market.epochs);
  if (MarketWords.has(state, DELISTED)) throw new ContractError("MarketDelisted", { market: BigInt(id) });
  if (due === 0n || $.now < due) {
    throw new ContractError("DelistingNotDue", { market: BigInt(id), delistAt: due, blockTime: $.now });
  }

  const price = at(Prices.all(context.oracle, onlyAsset(marketAsset(id))), 0);
  const priceWad = finalPrice(market, id, price, $.now);
  const [index] = Funding.accrued(state, market.risk, priceWad, $.now);

  const [long, short] = Sides.read(market, index);
  let pool = $.positions.get(context.pool, id);
  pool = end($, market, id, true, long, priceWad, pool);
  pool = end($, market, id, false, short, priceWad, pool);
  $.positions.set(context.pool, id, pool);
  const start: Sides.Side = { scaleRay: Sides.START_SCALE, carryRay: 0n };
  market.longSide = Sides.toWord(start, 1n, index);
  market.shortSide = Sides.toWord(start, -1n, index);
  market.state = MarketWords.toMarketState(index, 0n, 0n, $.now, MarketWords.flags(state) | DELISTED);
  market.totals = MarketWords.toMarketTotals(0n, 0n, MarketWords.feesUnswept(market.totals));
  $.emit("Delisted", { market: BigInt(id), priceWad });
  tell($, context, id);
}

function finalPrice(market: Market, id: MarketId, price: Price.Price, nowSeconds: bigint): bigint {
  if (Price.isUsable(price)) return Price.value(price);
  const publishedAt = Price.publishedAt(price);
  const maxAge = Price.maxAge(price);
  const dead = nowSeconds >= publishedAt + maxAge + LEAST_SILENCE;
  if (!dead) throw new ContractError("StaleMarketPrice", { market: BigInt(id), publishedAt, maxAge });
  const announced = MarketWords.finalPrice(market.epochs);
  return announced === 0n ? Price.value(price) : announced;
}

function end(
  $: Vault,
  market: Market,
  id: MarketId,
  long: boolean,
  side: Sides.Side,
  priceWad: bigint,
  pool: Position.Position,
): Position.Position {
  const sign = long ? 1n : -1n;
  const end = MarketWords.toSideWord(0n, Sides.sharePriceFloor(side, sign, priceWad * (RAY / WAD)));
  const epoch = MarketWords.epochOf(market.epochs, long);
  market.ends.set(Sides.endKey(long, epoch), end);
  market.epochs = MarketWords.withNextEpoch(market.epochs, long);
  $.emit("EpochEnded", { market: BigInt(id), long, epoch, end });
  const shares = Position.shares(pool);
  if (shares === 0n || long !== shares > 0n) return pool;
  const [, costWad] = Sides.convertedBy(end, shares, Position.cost(pool));
  return Position.toPosition(0n, costWad, 0n);
}

function tell($: Vault, context: Context, id: MarketId): void {
  const { longSide, shortSide, epochs, state, totals } = $.markets(id);
  $.emit("SidesChanged", { market: BigInt(id), longSide, shortSide, epochs });
  const poolPosition = $.positions.get(context.pool, id);
  $.emit("MarketChanged", { market: BigInt(id), state, totals, poolPosition });
}
