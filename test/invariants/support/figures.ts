import { type AccountId, WAD, hasFlag, normalizeAccount } from "../../../sdk/index.js";
import { abs, ceilDiv, floorDiv } from "../../helpers/model.js";
import type { Arena } from "./arena.js";
import type { AccountBook, Books, VaultEvent } from "./books.js";
import { indexOne, interestE15, marginWad } from "./cash.js";
import { ray } from "./sides.js";

/** Total equity, collateral apart: net cash of all accounts with what has accrued, what is not swept, and less what nobody has paid. */
export function totalEquity({ accounts, markets, cash }: Books): bigint {
  let total = cash.interestUnsweptWad + marginWad(cash) - cash.badDebtWad;
  for (const { health } of accounts.values()) total += health.netCash;
  for (const { totals } of markets) total += totals.feesUnsweptWad;
  return total;
}

/**
 * All claims on cash, exactly, in 1e-27 wei: what principals are worth, interest and fees not swept, and the sum over sides of
 * shares * carry - costs, less bad debt. Prices cancel, as far as both sides are of one size.
 */
export function claimsRay({ accounts, markets, cash }: Books): bigint {
  const { chargedE15, creditedE15 } = interestE15(cash);
  let cashE15 = chargedE15 - creditedE15;
  let wei = cash.interestUnsweptWad - cash.badDebtWad;
  let carriesRay = 0n;
  for (const { principalWad, positions } of accounts.values()) {
    cashE15 += principalWad * (principalWad < 0n ? cash.borrowIndexE15 : cash.supplyIndexE15);
    for (const [market, { sharesWad, costWad }] of positions.entries()) {
      if (sharesWad !== 0n) {
        const { long, short } = markets[market]!.sides;
        carriesRay += sharesWad > 0n ? sharesWad * long.carryRay : -sharesWad * short.carryRay;
      }
      wei -= costWad;
    }
  }
  for (const { totals } of markets) wei += totals.feesUnsweptWad;
  return cashE15 * (ray / indexOne) + wei * ray + carriesRay;
}

/** What is held beyond all claims, 1e-27 wei. */
export function dustRay(books: Books): bigint {
  return books.cashHeldWad * ray - claimsRay(books);
}

/** By how much longs are larger than shorts, exactly, 1e-27 wei: sums over the accounts. */
export function mismatchRay({ accounts, markets }: Books, market: number): bigint {
  const { long, short } = markets[market]!.sides;
  let sum = 0n;
  for (const { positions } of accounts.values()) {
    const { sharesWad } = positions[market]!;
    sum += sharesWad * (sharesWad > 0n ? long.scaleRay : short.scaleRay);
  }
  return sum;
}

/** What the sides' difference in size is worth in all markets at these prices, 1e-27 wei. */
export function mismatchValueRay(books: Books, pricesWad: readonly bigint[]): bigint {
  let sum = 0n;
  for (const [market, { state }] of books.markets.entries()) {
    if (hasFlag(state, "sidesTouched")) sum += floorDiv(mismatchRay(books, market) * pricesWad[market]!, WAD);
  }
  return sum;
}

/** Wei that rounding may move when a market that was deleveraged changes: price * (shares / 1e27 + 2), nothing before. */
export function roundingOf({ markets }: Books, market: number, priceWad: bigint): bigint {
  const { state, totals } = markets[market]!;
  if (!hasFlag(state, "sidesTouched")) return 0n;
  const shares = totals.longSharesWad > totals.shortSharesWad ? totals.longSharesWad : totals.shortSharesWad;
  return ceilDiv(priceWad * (shares + 2n * ray), WAD * ray);
}

export function positionCount({ accounts }: Books): bigint {
  let count = 0n;
  for (const { positions } of accounts.values()) {
    for (const { stored } of positions) if (stored.sharesWad !== 0n) count += 1n;
  }
  return count;
}

export function isHealthy({ health }: AccountBook): boolean {
  return health.equityMaintenance >= health.requirementMaintenance;
}

export function numberOf(event: VaultEvent, name: string): bigint {
  return event.args[name] as bigint;
}

/** The owner of an account, in lower case: `ownerOf` would work out a checksum. */
export function holderOf(account: AccountId): string {
  return account.slice(0, 42);
}

export function accountOf(event: VaultEvent): AccountId {
  return normalizeAccount(event.args.account as string);
}

export function takerOf(event: VaultEvent): AccountId {
  return normalizeAccount(event.args.taker as string);
}

export function sumOf(events: readonly VaultEvent[], event: string, argument: string): bigint {
  return events.filter(({ name }) => name === event).reduce((sum, each) => sum + numberOf(each, argument), 0n);
}

/** Whether what an account took over changed hands as it was: it had no position on the other side. Else the two crossed. */
export function isHandOver(before: Books, event: VaultEvent): boolean {
  const taker = before.accounts.get(takerOf(event));
  const held = taker?.positions[Number(numberOf(event, "market"))]!.sizeWad ?? 0n;
  return held * numberOf(event, "sizeDeltaWad") <= 0n; // closed is the target's: its opposite is what the taker gets
}

/** Cash, with positions at their value, of all accounts of one owner. */
export function netCashOf({ accounts }: Books, owner: string): bigint {
  let sum = 0n;
  for (const { id, health } of accounts.values()) if (holderOf(id) === owner) sum += health.netCash;
  return sum;
}

/** Premium in the skew of all markets, which NAV does not count: sum of price * skew^2 / (2 * skewScale). */
export function premium({ accounts }: Books, { pool, markets }: Arena, pricesWad: readonly bigint[]): bigint {
  let sum = 0n;
  for (const [market, { sizeWad }] of accounts.get(pool)!.positions.entries()) {
    const notional = ceilDiv(abs(sizeWad) * pricesWad[market]!, WAD);
    sum += ceilDiv(notional * abs(sizeWad), 2n * markets[market]!.skewScaleWad);
  }
  return sum;
}

/** What a pool below zero has lost (wad, zero or above) with positions that wait for a usable price: no part of what it is resolved for. */
export function waitingLoss(
  { accounts, poolPositionsWad }: Books,
  { pool }: Arena,
  isFresh: (market: number) => boolean,
): bigint {
  const { positions } = accounts.get(pool)!;
  let sum = 0n;
  for (const [market, valueWad] of poolPositionsWad.entries()) {
    if (valueWad < 0n && positions[market]!.sizeWad !== 0n && !isFresh(market)) sum -= valueWad;
  }
  return sum;
}

/** What an owner's accounts are worth at maintenance weights; none counts below zero, for nobody pays what he does not have. */
export function wealth({ accounts }: Books, owner: string): bigint {
  let sum = 0n;
  for (const { id, health } of accounts.values()) {
    if (holderOf(id) === owner && health.equityMaintenance > 0n) sum += health.equityMaintenance;
  }
  return sum;
}

/** By how much the fills of an absorb were better for the account than the price. */
export function advantage(legs: readonly VaultEvent[], pricesWad: readonly bigint[]): bigint {
  let sum = 0n;
  for (const leg of legs) {
    const price = pricesWad[Number(numberOf(leg, "market"))]!;
    sum += ceilDiv(numberOf(leg, "sizeDeltaWad") * (price - numberOf(leg, "fillPriceWad")), WAD);
  }
  return sum;
}
