import type { AccountId } from "../../sdk/accounts.js";
import * as Sides from "../../sdk/risk/libraries/Sides.js";
import * as Account from "../../sdk/risk/types/Account.js";
import * as AccountWord from "../../sdk/risk/types/AccountWord.js";
import * as AssetSet from "../../sdk/risk/types/AssetSet.js";
import * as MarketWords from "../../sdk/risk/types/MarketWords.js";
import * as Position from "../../sdk/risk/types/Position.js";
import type { VaultStorage } from "../../sdk/risk/types/VaultStorage.js";

/** A byte that says what a row is: a long or short position of a market, a collateral, or one of `cashKey`. */
export type RowKey = number;

export const keyCount = 256;

export function positionKey(market: AssetSet.MarketId, isLong: boolean): RowKey {
  return 2 * market + (isLong ? 0 : 1);
}

export function collateralKey(index: number): RowKey {
  return 2 * AssetSet.MAX_MARKETS + index;
}

const firstCashKey = collateralKey(AssetSet.MAX_COLLATERALS);

/** Cash: principal above and below zero; the sum of positions' costs, if paid and if received. */
export const cashKey = {
  supplied: firstCashKey,
  owed: firstCashKey + 1,
  paid: firstCashKey + 2,
  received: firstCashKey + 3,
} as const;

/** Sixteen positions, eight collaterals, cash, costs: the vault lets nobody have more. */
export const mostRows = 26;

/**
 * An account as it counts for margin: rows, each a key and an amount above zero (a float). Shares of a market's side, wad; raw units of a
 * collateral; principal and costs, wad.
 */
export class Rows {
  readonly keys = new Uint8Array(mostRows);
  readonly amounts = new Float64Array(mostRows);
  count = 0;

  clear(): void {
    this.count = 0;
  }

  add(key: RowKey, amount: number): void {
    if (amount === 0) return;
    if (this.count === mostRows) throw new RangeError(`an account has more than ${mostRows} rows`);
    this.keys[this.count] = key;
    this.amounts[this.count] = amount;
    ++this.count;
  }
}

/**
 * Reads an account's rows. Costs are added up before they are rounded. Positions of ended epochs are converted.
 *
 * @returns false, and no rows, for an account that margin cannot be short of, whatever prices do: one without position and debt
 */
export function readRows(rows: Rows, $: VaultStorage, account: AccountId): boolean {
  rows.clear();
  const word = $.accounts.get(account);
  const held = word as bigint as Account.Account;
  const principalWad = AccountWord.principal(word);
  let bits = Account.marketBits(held);
  if (bits === 0n && principalWad >= 0n) return false;
  let costsWad = 0n;
  for (; bits !== 0n; bits &= bits - 1n) {
    const id = AssetSet.lowestBit(bits);
    const [sharesWad, costWad] = sharesAndCost($, id, $.positions.get(account, id));
    costsWad += costWad;
    addSigned(rows, positionKey(id, true), positionKey(id, false), sharesWad);
  }
  for (bits = Account.collateralBits(held); bits !== 0n; bits &= bits - 1n) {
    const index = AssetSet.lowestBit(bits);
    rows.add(collateralKey(index), Number($.collateralOf.get(account, index)));
  }
  addSigned(rows, cashKey.supplied, cashKey.owed, principalWad);
  addSigned(rows, cashKey.paid, cashKey.received, costsWad);
  return true;
}

function sharesAndCost(
  $: VaultStorage,
  id: AssetSet.MarketId,
  position: Position.Position,
): readonly [sharesWad: bigint, costWad: bigint] {
  const market = $.markets(id);
  if (MarketWords.has(market.state, MarketWords.SIDES_TOUCHED)) return Sides.converted(market, position);
  return [Position.shares(position), Position.cost(position)];
}

function addSigned(rows: Rows, above: RowKey, below: RowKey, amount: bigint): void {
  if (amount < 0n) rows.add(below, Number(-amount));
  else rows.add(above, Number(amount));
}
