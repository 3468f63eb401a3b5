import { type AccountId, WAD, normalizeAccount, ownerOf } from "../../../sdk/index.js";
import { abs, ceilDiv } from "../../helpers/model.js";
import type { Arena } from "./arena.js";
import type { AccountBook, Books, VaultEvent } from "./books.js";

/** Total equity, collateral apart: net cash of all accounts with what has accrued, and the fees not swept. */
export function totalEquity({ accounts, markets }: Books): bigint {
  let total = 0n;
  for (const { health } of accounts.values()) total += health.netCash;
  for (const { totals } of markets) total += totals.feesUnsweptWad;
  return total;
}

/** All claims on cash, exactly: sum of principals + fees + sum over sides of shares * carry - costs. Prices cancel. */
export function claims({ accounts, markets }: Books): bigint {
  let sum = 0n;
  for (const { principalWad } of accounts.values()) sum += principalWad;
  for (const [market, { state, totals }] of markets.entries()) {
    let netSharesWad = 0n;
    for (const { positions } of accounts.values()) {
      netSharesWad += positions[market]!.sharesWad;
      sum -= positions[market]!.costWad;
    }
    // The carry of the long side is -index, of the short side +index.
    sum += totals.feesUnsweptWad - (netSharesWad * state.fundingIndexWad) / WAD;
  }
  return sum;
}

export function dust(books: Books): bigint {
  return books.cashHeldWad - claims(books);
}

export function positionCount({ accounts }: Books): bigint {
  let count = 0n;
  for (const { positions } of accounts.values()) {
    for (const { sharesWad } of positions) if (sharesWad !== 0n) count += 1n;
  }
  return count;
}

export function isHealthy({ health }: AccountBook): boolean {
  return health.equityMaintenance >= health.requirementMaintenance;
}

export function numberOf(event: VaultEvent, name: string): bigint {
  return event.args[name] as bigint;
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
  const held = taker?.positions[Number(numberOf(event, "market"))]!.sharesWad ?? 0n;
  return held * numberOf(event, "sizeDeltaWad") <= 0n; // closed is the target's: its opposite is what the taker gets
}

/** Cash, with positions at their value, of all accounts of one owner. */
export function netCashOf({ accounts }: Books, owner: string): bigint {
  let sum = 0n;
  for (const { id, health } of accounts.values()) if (ownerOf(id).toLowerCase() === owner) sum += health.netCash;
  return sum;
}

/** Premium in the skew of all markets, which NAV does not count: sum of price * skew^2 / (2 * skewScale). */
export function premium({ accounts }: Books, { pool, markets }: Arena, pricesWad: readonly bigint[]): bigint {
  let sum = 0n;
  for (const [market, { sharesWad }] of accounts.get(pool)!.positions.entries()) {
    const notional = ceilDiv(abs(sharesWad) * pricesWad[market]!, WAD);
    sum += ceilDiv(notional * abs(sharesWad), 2n * markets[market]!.skewScaleWad);
  }
  return sum;
}

/** What an owner's accounts are worth at maintenance weights; none counts below zero, for nobody pays what he does not have. */
export function wealth({ accounts }: Books, owner: string): bigint {
  let sum = 0n;
  for (const { id, health } of accounts.values()) {
    if (ownerOf(id).toLowerCase() === owner && health.equityMaintenance > 0n) sum += health.equityMaintenance;
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
