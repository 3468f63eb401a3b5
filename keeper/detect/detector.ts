import type { AccountId } from "../../sdk/accounts.js";
import * as Margin from "../../sdk/risk/libraries/Margin.js";
import * as Views from "../../sdk/risk/libraries/Views.js";
import * as AccountWord from "../../sdk/risk/types/AccountWord.js";
import type { MarketId } from "../../sdk/risk/types/AssetSet.js";
import * as MarketWords from "../../sdk/risk/types/MarketWords.js";
import type { Context, Vault, VaultStorage } from "../../sdk/risk/types/VaultStorage.js";
import { coefficientsAt } from "./coefficients.js";
import { type AccountNumber, Columns } from "./columns.js";
import { Rows, readRows } from "./rows.js";
import type { PackedAccounts } from "./packed.js";
import { readPackedRows } from "./packedRows.js";

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
  readonly #rows = new Rows();
  /** Whose accounts have the first numbers. */
  readonly #packed: PackedAccounts | undefined;
  /** Of the others, by what their numbers are beyond those. */
  readonly #ids: AccountId[] = [];
  readonly #numbers = new Map<AccountId, AccountNumber>();
  /** As positions were converted at: by market, the long side's and the short side's. */
  readonly #epochs: (readonly [long: bigint, short: bigint])[] = [];

  /**
   * @param storage the books, read on `update`
   * @param neverTargets the pool's account and the insurance account, which nobody liquidates
   * @param packed accounts to start with: they lie under the books, and nothing has been written over them yet
   */
  constructor(storage: VaultStorage, neverTargets: Iterable<AccountId>, packed?: PackedAccounts) {
    this.#storage = storage;
    this.#neverTargets = new Set(neverTargets);
    this.#packed = packed;
    if (packed !== undefined) this.#load(packed);
  }

  /** Of the columns; accounts' ids, which are strings, aside. */
  get byteLength(): number {
    return this.#columns.byteLength;
  }

  /** How many accounts a sweep looks at: those with a position or a debt. */
  get count(): number {
    return this.#columns.count;
  }

  /** How many accounts have a number, whether a sweep looks at them or not. */
  get known(): number {
    return this.#firstOwn + this.#ids.length;
  }

  /** The account with this number, below `known`. */
  accountAt(number: number): AccountId {
    return this.#idOf(number);
  }

  /** Reads accounts from the books again: those whose word, positions or collaterals have changed, or were taken back. */
  update(accounts: Iterable<AccountId>): void {
    this.#followEpochs();
    for (const account of accounts) this.#read(account);
  }

  /**
   * The accounts whose margin is not certainly zero or more at the time and the prices given, in the order of their ids: few more than are
   * liquidatable.
   * @param health so many times the requirement is held against equity: the accounts whose health may be below it
   */
  candidates($: Vault, context: Context, health = 1): AccountId[] {
    this.#followEpochs();
    const numbers = this.#columns.sweep(coefficientsAt($, context, health));
    return numbers.map((number) => this.#idOf(number)).toSorted();
  }

  /**
   * All liquidatable accounts, exactly, in the order of their ids.
   * @param $ the books (the storage that was updated from) in a transaction at the time that counts
   */
  liquidatable($: Vault, context: Context): Liquidatable[] {
    const candidates = this.candidates($, context);
    return Views.healths($, context, candidates).flatMap((health, i) => {
      const account = candidates[i];
      return account !== undefined && Margin.isLiquidatable(health) ? [{ account, health }] : [];
    });
  }

  /**
   * All accounts whose health is below this (wad), exactly, in the order of their ids: those that are liquidatable among them if it is one
   * or more.
   */
  below(healthWad: bigint, $: Vault, context: Context): Liquidatable[] {
    const candidates = this.candidates($, context, Number(healthWad) / 1e18);
    return Views.healths($, context, candidates).flatMap((health, i) => {
      const account = candidates[i];
      return account !== undefined && health.healthWad < healthWad ? [{ account, health }] : [];
    });
  }

  /** What `update` does, many times as fast. */
  #load(packed: PackedAccounts): void {
    this.#noteEpochs();
    this.#columns.reserve(packed.count);
    const epochs = this.#epochs.map((each) => each.map(Number));
    const isPresent = (market: MarketId, isLong: boolean, epoch: number) =>
      epoch === (epochs[market]?.[isLong ? 0 : 1] ?? 0);
    const never = new Set([...this.#neverTargets].map((account) => packed.numberOf(account)));
    for (let number = 0; number < packed.count; ++number) {
      if (never.has(number)) continue;
      const isExposed = readPackedRows(this.#rows, packed.view, packed.startOf(number), isPresent);
      if (isExposed === undefined) this.#read(packed.idOf(number));
      else if (isExposed) this.#columns.set(number, this.#rows);
    }
  }

  #read(account: AccountId): void {
    if (this.#neverTargets.has(account)) return;
    const isExposed = readRows(this.#rows, this.#storage, account);
    const number = this.#knownNumberOf(account) ?? (isExposed ? this.#newNumberOf(account) : undefined);
    if (number === undefined) return;
    if (isExposed) this.#columns.set(number, this.#rows);
    else this.#columns.delete(number);
  }

  /** Reads all who have a position in a market again whose epochs are others: no event names them, but they are converted. */
  #followEpochs(): void {
    const changed = this.#noteEpochs();
    if (changed === 0n) return;
    for (let number = 0; number < this.known; ++number) {
      const account = this.#idOf(number);
      if ((AccountWord.marketBits(this.#storage.accounts.get(account)) & changed) !== 0n) this.#read(account);
    }
  }

  /** @returns the markets whose epochs have changed: bit i is market i */
  #noteEpochs(): bigint {
    let changed = 0n;
    for (let id = 0; id < this.#storage.marketCount; ++id) {
      const { epochs } = this.#storage.markets(id);
      const [wasLong, wasShort] = this.#epochs[id] ?? [0n, 0n];
      const [long, short] = [MarketWords.epochOf(epochs, true), MarketWords.epochOf(epochs, false)];
      if (long === wasLong && short === wasShort) continue;
      this.#epochs[id] = [long, short];
      changed |= 1n << BigInt(id);
    }
    return changed;
  }

  get #firstOwn(): number {
    return this.#packed?.count ?? 0;
  }

  #knownNumberOf(account: AccountId): AccountNumber | undefined {
    return this.#numbers.get(account) ?? this.#packed?.numberOf(account);
  }

  #newNumberOf(account: AccountId): AccountNumber {
    const number = this.#firstOwn + this.#ids.push(account) - 1;
    this.#numbers.set(account, number);
    return number;
  }

  #idOf(number: AccountNumber): AccountId {
    const account = number < this.#firstOwn ? this.#packed?.idOf(number) : this.#ids[number - this.#firstOwn];
    if (account === undefined) throw new RangeError(`no account has number ${number}`);
    return account;
  }
}
