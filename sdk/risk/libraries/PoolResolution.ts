/** Twin of contracts/libraries/PoolResolution.sol. */
import { ContractError } from "../ContractError.js";
import { at } from "../checked.js";
import * as Account from "../types/Account.js";
import * as AssetSet from "../types/AssetSet.js";
import * as Price from "../types/Price.js";
import type { Context, Vault } from "../types/VaultStorage.js";
import * as CashBook from "./CashBook.js";
import * as Deals from "./Deals.js";
import * as Deleveraging from "./Deleveraging.js";
import * as Fill from "./Fill.js";
import { abs, max, min, mulDiv, positivePart, sub } from "./FixedPoint.js";
import * as Ledger from "./Ledger.js";
import * as Losses from "./Losses.js";
import * as Margin from "./Margin.js";
import * as PoolValue from "./PoolValue.js";
import * as Prices from "./Prices.js";

/** Who bore what of a loss. Wad. */
export interface Loss {
  deficitWad: bigint;
  insuranceWad: bigint;
  deleveragedWad: bigint;
  writtenOffWad: bigint;
  badDebtWad: bigint;
}

/** The pool's account while it is resolved. */
export interface Resolution {
  word: Account.Account;
  assets: AssetSet.AssetSet;
  prices: Price.Price[];
  /** Losses of positions without a usable price, which nobody makes good before they are real. Wad. */
  waitingLoss: bigint;
  loss: Loss;
}

const ROUNDING = 64n;

/**
 * Brings a pool below zero back to it, losses of positions without a usable price not counted.
 * @throws ContractError PoolSolvent
 */
export function resolvePool($: Vault, context: Context): void {
  Losses.sweepInterest($, context);
  Losses.cover($, context);
  const word = Ledger.load($, context, context.pool);
  const assets = Account.assets(word);
  const pool: Resolution = {
    word,
    assets,
    prices: Prices.all(context.oracle, assets),
    waitingLoss: 0n,
    loss: { deficitWad: 0n, insuranceWad: 0n, deleveragedWad: 0n, writtenOffWad: 0n, badDebtWad: 0n },
  };
  const deals = load($, context, pool);
  const equityWad = equity($, context, pool);
  if (equityWad >= 0n) throw new ContractError("PoolSolvent", { equityWad });

  const { loss } = pool;
  loss.deficitWad = abs(equityWad);
  loss.insuranceWad = min(loss.deficitWad, Losses.insuranceCash($, context));
  const missing = loss.deficitWad - loss.insuranceWad;
  if (loss.insuranceWad !== 0n) {
    Ledger.addCash($, context, context.insurance, -loss.insuranceWad);
    pool.word = Account.plusCash(pool.word, loss.insuranceWad);
    Ledger.save($, context, context.pool, pool.word);
  }
  $.emit("InsurancePaid", { account: context.pool, deficitWad: loss.deficitWad, paidWad: loss.insuranceWad });
  closePositions($, context, deals, missing);

  const unpaid = positivePart(-equity($, context, pool));
  loss.deleveragedWad = missing > unpaid ? missing - unpaid : 0n;
  if (unpaid !== 0n) writeOff($, context, pool, unpaid);
  CashBook.save($, context);
  PoolValue.refreshCapital($, context);
  $.emit("PoolResolved", { loss: { ...loss } });
}

/** Maintenance equity (wad) without the losses that wait. */
function equity($: Vault, context: Context, pool: Resolution): bigint {
  const sums = Margin.collect($, context.pool, pool.word, pool.assets, pool.prices, true, Margin.NO_ASSET);
  return sums.equityMaintenance + Account.cash(pool.word) + pool.waitingLoss;
}

function load($: Vault, context: Context, pool: Resolution): Deals.Deal[] {
  const deals: Deals.Deal[] = [];
  for (let bits = Account.marketBits(pool.word); bits !== 0n; bits &= bits - 1n) {
    const market = AssetSet.lowestBit(bits);
    const price = at(pool.prices, deals.length); // markets come first in an asset set
    const deal = Deals.emptyDeal();
    deals.push(deal);
    Deals.load(deal, $, context, context.insurance, pool.word, pool.word, market, price);
    if (Price.isUsable(deal.price) || sizeOf(deal) === 0n) continue;
    const waiting = Margin.emptySums();
    Deals.addPoolTo(deal, waiting);
    pool.waitingLoss += positivePart(-waiting.unrealized);
  }
  return deals;
}

function closePositions($: Vault, context: Context, deals: readonly Deals.Deal[], missingWad: bigint): void {
  let bearable = 0n;
  for (const deal of deals) {
    if (!Price.isUsable(deal.price)) continue;
    bearable += Deleveraging.bearableDown(deal, abs(sizeOf(deal)), $.accountRisk);
  }
  for (const deal of deals) {
    const size = sizeOf(deal);
    if (size === 0n || !Price.isUsable(deal.price)) continue;
    const priceRay = Deleveraging.closingPriceRay(deal, size > 0n, missingWad, bearable, $.accountRisk);
    const done = Deleveraging.closePool(deal, priceRay);
    Deals.storeMarket($, context, deal);
    Deleveraging.store($, deal, done);
    $.emit("PositionDeleveraged", {
      account: context.pool,
      market: BigInt(deal.market),
      sizeWad: done.sizeWad,
      priceRay,
      realizedWad: 0n,
    });
  }
}

/** Signed size (wad) of the pool's position. */
function sizeOf(deal: Deals.Deal): bigint {
  return Fill.sizeOf(deal.book.poolSharesWad, deal.venue);
}

function writeOff($: Vault, context: Context, pool: Resolution, unpaidWad: bigint): void {
  const own = positivePart(Account.cash(pool.word));
  const supplied = CashBook.suppliedWad($, context);
  const wanted = supplied > own ? mulDiv(unpaidWad, supplied, supplied - own, "up") : 0n;
  const writtenOffWad = Losses.writeOff($, context, wanted);
  const ownLoss = sub(own, positivePart(Account.cash(Ledger.load($, context, context.pool))));
  const needed = max(unpaidWad + ownLoss + ROUNDING, writtenOffWad);
  const badDebtWad = needed - writtenOffWad;
  pool.loss.writtenOffWad = writtenOffWad;
  pool.loss.badDebtWad = badDebtWad;
  Losses.addBadDebt($, badDebtWad);
  Ledger.addCash($, context, context.pool, needed);
  $.emit("LossWrittenOff", { account: context.pool, writtenOffWad, badDebtWad });
}
