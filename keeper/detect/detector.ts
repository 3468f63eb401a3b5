import type { AccountId } from "../../sdk/accounts.js";
import * as Margin from "../../sdk/risk/libraries/Margin.js";
import * as Views from "../../sdk/risk/libraries/Views.js";
import * as AccountWord from "../../sdk/risk/types/AccountWord.js";
import type { MarketId } from "../../sdk/risk/types/AssetSet.js";
import * as MarketWords from "../../sdk/risk/types/MarketWords.js";
import type { Context, Vault, VaultStorage } from "../../sdk/risk/types/VaultStorage.js";
import { coefficientsAt } from "./coefficients.js";
import { type AccountNumber, Columns } from "./columns.js";
import { Legs, readLegs } from "./legs.js";
import type { PackedAccounts } from "./packed.js";
import { readPackedLegs } from "./packedLegs.js";

/** An account that anyone may liquidate. */
export interface Liquidatable {
  readonly account: AccountId;
  readonly health: Margin.Health;
}

/**
 * Finds every account that the contracts call liquidatable, at any prices: a sweep over all of them in floats leaves few, which the exact
 * twin judges. Pure: it knows the books and the time it is given.
 */
export class Detector {
  readonly #storage: VaultStorage;
  readonly #neverTargets: ReadonlySet<AccountId>;
  readonly #columns = new Columns();
  readonly #legs = new Legs();
  readonly #ids: AccountId[] = [];
  readonly #numbers = new Map<AccountId, AccountNumber>();
  /** As positions were converted at: by market, the long side's and the short side's. */
  readonly #epochs: (readonly [long: bigint, short: bigint])[] = [];

  /**
   * @param storage the books, read on `update`
   * @param neverTargets the pool's account and the insurance account, which nobody liquidates
   */
  constructor(storage: VaultStorage, neverTargets: Iterable<AccountId>) {
    this.#storage = storage;
    this.#neverTargets = new Set(neverTargets);
  }

  /** Of the columns; accounts' ids, which are strings, aside. */
  get byteLength(): number {
    return this.#columns.byteLength;
  }

  /** Reads accounts from the books again: those whose word, positions or collaterals have changed. */
  update(accounts: Iterable<AccountId>): void {
    this.#followEpochs();
    for (const account of accounts) this.#read(account);
  }

  /** What `update` does, from packed accounts that lie under the books and that nothing has been written over since. */
  load(packed: PackedAccounts): void {
    this.#followEpochs();
    this.#columns.reserve(this.#ids.length + packed.ids.length);
    const isPresent = (market: MarketId, isLong: boolean, epoch: number) =>
      epoch === Number(this.#epochs[market]?.[isLong ? 0 : 1] ?? 0n);
    for (const [i, account] of packed.ids.entries()) {
      if (this.#neverTargets.has(account)) continue;
      const isExposed = readPackedLegs(this.#legs, packed.view, packed.starts[i] ?? 0, isPresent);
      if (isExposed === undefined) this.#read(account);
      else this.#write(account, isExposed);
    }
  }

  /** The accounts whose margin is not certainly zero or more at the time and the prices given: few more than are liquidatable. */
  candidates($: Vault, context: Context): AccountId[] {
    this.#followEpochs();
    return this.#columns
      .sweep(coefficientsAt($, context))
      .toSorted((a, b) => a - b)
      .map((number) => this.#idOf(number));
  }

  /**
   * All liquidatable accounts, exactly.
   * @param $ the books (the storage that was updated from) in a transaction at the time that counts
   */
  liquidatable($: Vault, context: Context): Liquidatable[] {
    const candidates = this.candidates($, context);
    return Views.healths($, context, candidates).flatMap((health, i) => {
      const account = candidates[i];
      return account !== undefined && Margin.isLiquidatable(health) ? [{ account, health }] : [];
    });
  }

  #read(account: AccountId): void {
    if (this.#neverTargets.has(account)) return;
    this.#write(account, readLegs(this.#legs, this.#storage, account));
  }

  #write(account: AccountId, isExposed: boolean): void {
    const number = isExposed ? this.#numberOf(account) : this.#numbers.get(account);
    if (number === undefined) return;
    if (isExposed) this.#columns.set(number, this.#legs);
    else this.#columns.delete(number);
  }

  /** Reads all who have a position in a market again whose epochs are others: no event names them, but they are converted. */
  #followEpochs(): void {
    let changed = 0n;
    for (let id = 0; id < this.#storage.marketCount; ++id) changed |= this.#followEpoch(id) ? 1n << BigInt(id) : 0n;
    if (changed === 0n) return;
    for (const account of this.#ids) {
      if ((AccountWord.marketBits(this.#storage.accounts.get(account)) & changed) !== 0n) this.#read(account);
    }
  }

  #followEpoch(id: MarketId): boolean {
    const { epochs } = this.#storage.markets(id);
    const [wasLong, wasShort] = this.#epochs[id] ?? [0n, 0n];
    const [long, short] = [MarketWords.epochOf(epochs, true), MarketWords.epochOf(epochs, false)];
    if (long === wasLong && short === wasShort) return false;
    this.#epochs[id] = [long, short];
    return true;
  }

  #numberOf(account: AccountId): AccountNumber {
    let number = this.#numbers.get(account);
    if (number === undefined) {
      number = this.#ids.push(account) - 1;
      this.#numbers.set(account, number);
    }
    return number;
  }

  #idOf(number: AccountNumber): AccountId {
    const account = this.#ids[number];
    if (account === undefined) throw new RangeError(`no account has number ${number}`);
    return account;
  }
}
