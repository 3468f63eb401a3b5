/** Twin of contracts/libraries/Deals.sol. */
import type { AccountId } from "../../accounts.js";
import { ContractError } from "../ContractError.js";
import * as Account from "../types/Account.js";
import type { MarketId } from "../types/AssetSet.js";
import * as MarketWords from "../types/MarketWords.js";
import * as Position from "../types/Position.js";
import * as Price from "../types/Price.js";
import type { Context, Market, Vault } from "../types/VaultStorage.js";
import * as Fill from "./Fill.js";
import { RAY, WAD, abs, mulDivDown, sub } from "./FixedPoint.js";
import * as Funding from "./Funding.js";
import * as Ledger from "./Ledger.js";
import * as Margin from "./Margin.js";
import * as Sides from "./Sides.js";

/** An account that meets the pool in a market: loaded from storage, changed in memory, stored at the end. */
export interface Deal {
  account: AccountId;
  market: MarketId;
  accountWord: Account.Account;
  poolWord: Account.Account;
  /** The pool's as it was loaded. */
  poolWordBefore: Account.Account;
  price: Price.Price;
  state: MarketWords.MarketState;
  risk: MarketWords.MarketRisk;
  terms: MarketWords.MarketTerms;
  /** Zero unless a side was touched. */
  epochs: MarketWords.EpochsWord;
  sidesChanged: boolean;
  fundingIndexWad: bigint;
  /** 1e-24 a second. */
  fundingRateE24: bigint;
  /** Millionths of a quote unit. */
  feesUnswept: bigint;
  book: Fill.Book;
  venue: Fill.Venue;
}

export function emptyDeal(): Deal {
  return {
    account: `0x${"0".repeat(64)}`,
    market: 0,
    accountWord: 0n as Account.Account,
    poolWord: 0n as Account.Account,
    poolWordBefore: 0n as Account.Account,
    price: 0n as Price.Price,
    state: 0n as MarketWords.MarketState,
    risk: 0n as MarketWords.MarketRisk,
    terms: 0n as MarketWords.MarketTerms,
    epochs: 0n as MarketWords.EpochsWord,
    sidesChanged: false,
    fundingIndexWad: 0n,
    fundingRateE24: 0n,
    feesUnswept: 0n,
    book: Fill.emptyBook(),
    venue: Fill.emptyVenue(),
  };
}

/**
 * A part of a position on its way from one account to another: signed shares, what they have cost, and their value at the price, which the
 * taker pays for them (below zero: is paid). Wad.
 */
export interface Parcel {
  sharesWad: bigint;
  costWad: bigint;
  valueWad: bigint;
}

export function emptyParcel(): Parcel {
  return { sharesWad: 0n, costWad: 0n, valueWad: 0n };
}

const MAX_SIDE_SHARES = 1n << 103n;
const MAX_COST = 1n << 118n;
const MAX_FEES_UNSWEPT = (1n << 48n) - 1n;

/** Loads a deal in place, time passed included; fee rates are zero until the caller sets them. */
export function load(
  deal: Deal,
  $: Vault,
  context: Context,
  account: AccountId,
  accountWord: Account.Account,
  poolWord: Account.Account,
  market: MarketId,
  price: Price.Price,
): void {
  const m = $.markets(market);
  deal.account = account;
  deal.market = market;
  deal.accountWord = accountWord;
  deal.poolWord = poolWord;
  deal.poolWordBefore = poolWord;
  deal.price = price;
  deal.state = m.state;
  deal.risk = m.risk;
  deal.terms = m.terms;
  [deal.fundingIndexWad, deal.fundingRateE24] = Funding.accrued(deal.state, deal.risk, Price.value(price), $.now);

  const { book, venue } = deal;
  let position = $.positions.get(account, market);
  [book.accountSharesWad, book.accountCostWad] = [Position.shares(position), Position.cost(position)];
  if (MarketWords.has(deal.state, MarketWords.SIDES_TOUCHED)) {
    [venue.long, venue.short] = Sides.read(m, deal.fundingIndexWad);
    [book.accountSharesWad, book.accountCostWad] = Sides.converted(m, position);
    deal.epochs = m.epochs;
  } else {
    Sides.setUntouched(venue.long, 1n, deal.fundingIndexWad);
    Sides.setUntouched(venue.short, -1n, deal.fundingIndexWad);
  }
  position = $.positions.get(context.pool, market);
  book.poolSharesWad = Position.shares(position);
  book.poolCostWad = Position.cost(position);
  const { totals } = m;
  book.longSharesWad = MarketWords.longShares(totals);
  book.shortSharesWad = MarketWords.shortShares(totals);
  deal.feesUnswept = MarketWords.feesUnswept(totals);

  venue.priceWad = Price.value(price);
  venue.skewScaleWad = MarketWords.skewScale(deal.risk);
}

/** Sets the fees of a trade: the market's rates, and the price's tolerance (wad) on top of both. */
export function setFees(deal: Deal, toleranceWad: bigint): void {
  deal.venue.takerRateWad = MarketWords.takerRate(deal.terms) + toleranceWad;
  deal.venue.makerRateWad = MarketWords.makerRate(deal.terms) + toleranceWad;
}

/** Signed size (wad) of the account's position, rounded toward zero. */
export function size(deal: Deal): bigint {
  return Fill.sizeOf(deal.book.accountSharesWad, deal.venue);
}

/** Unrealised profit or loss (wad) of the account's position, rounded down. */
export function value(deal: Deal): bigint {
  const { accountSharesWad, accountCostWad } = deal.book;
  return Margin.valueFloor(sideOf(deal, accountSharesWad), accountSharesWad, accountCostWad, deal.venue.priceWad);
}

/** Open interest of a side (wad) without the pool's. */
export function openInterest(deal: Deal, long: boolean): bigint {
  const { book } = deal;
  let all = long ? book.longSharesWad : book.shortSharesWad;
  if (long === book.poolSharesWad > 0n) all = sub(all, abs(book.poolSharesWad));
  return Sides.sizeDown(long ? deal.venue.long : deal.venue.short, all);
}

/** Adds the account's position, as the deal has it now, to an account's sums. */
export function addTo(deal: Deal, sums: Margin.Sums): void {
  const { accountSharesWad, accountCostWad } = deal.book;
  if (accountSharesWad === 0n) return;
  Margin.addLeg(
    sums,
    sideOf(deal, accountSharesWad),
    accountSharesWad,
    accountCostWad,
    deal.risk,
    initialBase(deal),
    deal.price,
    false,
  );
}

/** The market's initial base (wad), which rises with its open interest. */
export function initialBase(deal: Deal): bigint {
  const slope = MarketWords.openInterestSlope(deal.risk);
  if (slope === 0n) return MarketWords.initialBase(deal.risk);
  const { book, venue } = deal;
  const longSize = Sides.sizeDown(venue.long, book.longSharesWad);
  const shortSize = Sides.sizeDown(venue.short, book.shortSharesWad);
  return Margin.initialBaseUp(deal.risk, longSize > shortSize ? longSize : shortSize);
}

/** An account's sums without its position in this deal: what is left when its leg, as it is now, is taken away. */
export function takeFrom(deal: Deal, sums: Margin.Sums): Margin.Sums {
  const others = Margin.emptySums();
  addTo(deal, others);
  Margin.toRest(others, sums);
  return others;
}

/** Adds the pool's position, as the deal has it now, to the pool's sums. */
export function addPoolTo(deal: Deal, sums: Margin.Sums): void {
  addPoolLeg(deal, sums, deal.book.poolSharesWad, deal.book.poolCostWad);
}

/** Adds a position of the pool in this deal's market to the pool's sums. */
export function addPoolLeg(deal: Deal, sums: Margin.Sums, sharesWad: bigint, costWad: bigint): void {
  Margin.addLeg(sums, sideOf(deal, sharesWad), sharesWad, costWad, deal.risk, initialBase(deal), deal.price, true);
}

/**
 * Fills a size against the pool. Fees are split: the insurance account's share accrues in the market, the rest lowers the pool's cost.
 *
 * @returns the average price, rounded against the account; the fee charged; what moved to the account's cash. Wad
 */
export function fill(
  deal: Deal,
  sizeDeltaWad: bigint,
  insuranceFeeShareWad: bigint,
): [fillPriceWad: bigint, feeWad: bigint, realizedWad: bigint] {
  const { book, venue } = deal;
  const fillPriceWad = Fill.priceWad(venue.priceWad, Fill.skewOf(book, venue), sizeDeltaWad, venue.skewScaleWad);
  Fill.execute(book, venue, sizeDeltaWad);
  const { feeWad, realizedWad } = book;
  [book.feeWad, book.realizedWad] = [0n, 0n];
  book.poolCostWad -= sub(feeWad, accrueInsurance(deal, mulDivDown(feeWad, insuranceFeeShareWad, WAD)));
  mirror(deal, realizedWad);
  return [fillPriceWad, feeWad, realizedWad];
}

/** Fills a size against the pool at the price itself, without fee: one half of what two accounts do with one another. */
export function cross(deal: Deal, sizeDeltaWad: bigint): void {
  const { book, venue } = deal;
  venue.fixedPriceRay = venue.priceWad * (RAY / WAD);
  Fill.execute(book, venue, sizeDeltaWad);
  const { realizedWad } = book;
  book.realizedWad = 0n;
  mirror(deal, realizedWad);
}

/**
 * Takes a size (unsigned, at most the position's) out of the account's position, with its share of the cost. Its value moves to the
 * account's cash: whoever takes the parcel over pays it.
 */
export function handOut(deal: Deal, sizeWad: bigint): Parcel {
  const { book } = deal;
  const held = book.accountSharesWad;
  const side = sideOf(deal, held);
  const all = abs(held);
  const moved = sub(all, Sides.sharesUp(side, sub(Sides.sizeDown(side, all), sizeWad)));
  const sharesWad = held < 0n ? -moved : moved;
  const costWad = Fill.costShareCeil(book, moved);
  const valueWad = Margin.valueFloor(side, sharesWad, costWad, deal.venue.priceWad);
  book.accountSharesWad = held - sharesWad;
  book.accountCostWad -= costWad;
  addCash(deal, valueWad);
  return { sharesWad, costWad, valueWad };
}

/** Adds a parcel to the account's position, which must be on the same side or none, and takes its value out of its cash. */
export function takeOver(deal: Deal, parcel: Parcel): void {
  deal.book.accountSharesWad += parcel.sharesWad;
  deal.book.accountCostWad += parcel.costWad;
  addCash(deal, -parcel.valueWad);
}

/** Adds to the account's cash (wad) in memory. Throws ValueOutOfRange. */
export function addCash(deal: Deal, amountWad: bigint): void {
  deal.accountWord = Account.plusCash(deal.accountWord, amountWad);
}

/**
 * Realises a position of size zero, which deleveraging left behind. Dust of shares that make up no size goes with it.
 *
 * @returns what moved to the account's cash (wad), a gain too
 */
export function finish(deal: Deal): bigint {
  const { book } = deal;
  if (book.accountSharesWad === 0n && book.accountCostWad === 0n) return 0n; // no position
  if (size(deal) !== 0n) return 0n;
  const realizedWad = value(deal);
  const dust = abs(book.accountSharesWad);
  if (book.accountSharesWad < 0n) book.shortSharesWad = sub(book.shortSharesWad, dust);
  else book.longSharesWad = sub(book.longSharesWad, dust);
  [book.accountSharesWad, book.accountCostWad] = [0n, 0n];
  mirror(deal, realizedWad);
  return realizedWad;
}

/**
 * Moves an unrealised loss to the account's cash. A gain stays where it is.
 *
 * @returns what moved (wad): zero or below
 */
export function settle(deal: Deal): bigint {
  const realizedWad = value(deal);
  if (realizedWad > 0n) return 0n;
  deal.book.accountCostWad += realizedWad;
  mirror(deal, realizedWad);
  return realizedWad;
}

/** Takes a forced fee (wad) out of the account's cash: the pool has it, less the keeper's share, which the caller pays out. */
export function chargeForcedFee(deal: Deal, feeWad: bigint, keeperWad: bigint, insuranceWad: bigint): void {
  addCash(deal, -feeWad);
  deal.poolWord = Account.plusCash(deal.poolWord, sub(feeWad, keeperWad));
  deal.book.poolCostWad += accrueInsurance(deal, insuranceWad);
}

/** Realised profit (wad) of the account is the pool's loss: in cash at once, and out of the unrealised. */
export function mirror(deal: Deal, realizedWad: bigint): void {
  if (realizedWad === 0n) return;
  addCash(deal, realizedWad);
  deal.poolWord = Account.plusCash(deal.poolWord, -realizedWad);
  deal.book.poolCostWad -= realizedWad;
}

function accrueInsurance(deal: Deal, shareWad: bigint): bigint {
  let micro = shareWad / MarketWords.MICRO;
  if (micro > MAX_FEES_UNSWEPT - deal.feesUnswept) micro = MAX_FEES_UNSWEPT - deal.feesUnswept;
  deal.feesUnswept += micro;
  return micro * MarketWords.MICRO;
}

/** Refuses growth that would come near the end of a field: GrowthLimit. */
export function requireRoom(deal: Deal): void {
  const { book } = deal;
  const room =
    book.longSharesWad < MAX_SIDE_SHARES &&
    book.shortSharesWad < MAX_SIDE_SHARES &&
    abs(book.accountCostWad) < MAX_COST &&
    abs(book.poolCostWad) < MAX_COST;
  if (!room) throw new ContractError("GrowthLimit", { market: BigInt(deal.market) });
}

/** Writes both positions and the market, and sets the account's and the pool's bit of it in their words in memory. Throws ValueOutOfRange. */
export function store($: Vault, context: Context, deal: Deal): void {
  storePosition($, deal);
  deal.poolWord = Account.withAsset(deal.poolWord, deal.market);
  storeMarket($, context, deal);
}

/** Writes the pool's position and the market. Throws ValueOutOfRange. */
export function storeMarket($: Vault, context: Context, deal: Deal): void {
  const { book, venue, market } = deal;
  const m = $.markets(market);
  const position = Position.toPosition(book.poolSharesWad, book.poolCostWad, epochOf(deal, book.poolSharesWad));
  $.positions.set(context.pool, market, position);
  if (Price.isUsable(deal.price)) {
    const velocity = MarketWords.maxFundingVelocity(deal.terms);
    deal.state = MarketWords.toMarketState(
      deal.fundingIndexWad,
      deal.fundingRateE24,
      Funding.driftOf(Fill.skewOf(book, venue), velocity, venue.skewScaleWad),
      $.now,
      MarketWords.flags(deal.state),
    );
    m.state = deal.state;
  }
  if (MarketWords.has(deal.state, MarketWords.SIDES_TOUCHED)) storeSides($, m, deal);
  const totals = MarketWords.toMarketTotals(book.longSharesWad, book.shortSharesWad, deal.feesUnswept);
  m.totals = totals;
  $.emit("MarketChanged", { market: BigInt(market), state: deal.state, totals, poolPosition: position });
}

function storeSides($: Vault, m: Market, deal: Deal): void {
  const { venue, epochs } = deal;
  if (deal.book.longSharesWad === 0n) restart(deal, venue.long);
  if (deal.book.shortSharesWad === 0n) restart(deal, venue.short);
  if (!deal.sidesChanged) return;
  const index = deal.fundingIndexWad;
  m.longSide = Sides.toWord(venue.long, 1n, index);
  m.shortSide = Sides.toWord(venue.short, -1n, index);
  m.epochs = epochs;
  $.emit("SidesChanged", { market: BigInt(deal.market), longSide: m.longSide, shortSide: m.shortSide, epochs });
}

function restart(deal: Deal, side: Sides.Side): void {
  if (side.scaleRay === Sides.START_SCALE) return;
  [side.scaleRay, side.carryRay] = [Sides.START_SCALE, 0n];
  deal.sidesChanged = true;
}

/** The epoch of the side that signed shares are of; zero for none. */
export function epochOf(deal: Deal, sharesWad: bigint): bigint {
  return sharesWad === 0n ? 0n : MarketWords.epochOf(deal.epochs, sharesWad > 0n);
}

/** Writes the account's position, and sets its bit of the market in its word in memory. Throws ValueOutOfRange. */
export function storePosition($: Vault, deal: Deal): void {
  const { book, account, market } = deal;
  const held = book.accountSharesWad;
  const position = Position.toPosition(held, book.accountCostWad, epochOf(deal, held));
  $.positions.set(account, market, position);
  $.emit("PositionChanged", { account, market: BigInt(market), position });
  deal.accountWord =
    held === 0n ? Account.withoutAsset(deal.accountWord, market) : Account.withAsset(deal.accountWord, market);
}

/** Writes the words of the account and, if it changed, of the pool. */
export function saveWords($: Vault, context: Context, deal: Deal): void {
  Ledger.save($, context, deal.account, deal.accountWord);
  savePool($, context, deal);
}

/** Writes the word of the pool, if it changed, after those of all others. */
export function savePool($: Vault, context: Context, deal: Deal): void {
  if (deal.poolWord === deal.poolWordBefore) return;
  Ledger.saveLast($, context, context.pool, deal.poolWord);
}

/** The side, as the deal has it, that signed shares are of. */
export function sideOf(deal: Deal, sharesWad: bigint): Sides.Side {
  return sharesWad < 0n ? deal.venue.short : deal.venue.long;
}
