import type { AccountId } from "../../sdk/index.js";
import * as Sides from "../../sdk/risk/libraries/Sides.js";
import * as AccountWord from "../../sdk/risk/types/AccountWord.js";
import type { MarketId } from "../../sdk/risk/types/AssetSet.js";
import type { VaultStorage } from "../../sdk/risk/types/VaultStorage.js";

/** A position without size: its result is final. */
export type Final = readonly [AccountId, MarketId];

/**
 * Positions that the end of an epoch left without size. Everybody is looked at when an epoch of a market ends, or is taken back; else those
 * whose books have changed.
 */
export class Finals {
  readonly #storage: VaultStorage;
  readonly #never: ReadonlySet<AccountId>;
  /** As they were looked at, by market. */
  readonly #epochs: bigint[] = [];
  readonly #found = new Map<MarketId, Set<AccountId>>();

  /** @param never the pool's account and the insurance account, which are not settled */
  constructor(storage: VaultStorage, never: Iterable<AccountId>) {
    this.#storage = storage;
    this.#never = new Set(never);
  }

  /** Follows the books, of which these accounts have changed. */
  update(touched: Iterable<AccountId>): void {
    const markets = Array.from({ length: this.#storage.marketCount }, (_, id) => id);
    const ended = markets.filter((id) => this.#storage.markets(id).epochs !== (this.#epochs[id] ?? 0n));
    const known = markets.filter((id) => this.#found.has(id) && !ended.includes(id));
    for (const account of known.length === 0 ? [] : touched) for (const id of known) this.#look(account, id);
    if (ended.length === 0) return;
    for (const id of ended) {
      this.#epochs[id] = this.#storage.markets(id).epochs;
      this.#found.set(id, new Set());
    }
    for (const account of this.#storage.accounts.keys()) for (const id of ended) this.#look(account, id);
  }

  /** In the order of markets. */
  list(): Final[] {
    const finals: Final[] = [];
    for (const [id, accounts] of this.#found) {
      for (const account of accounts) {
        if (this.#isFinal(account, id)) finals.push([account, id]);
        else accounts.delete(account);
      }
    }
    return finals.toSorted(([, a], [, b]) => a - b);
  }

  #look(account: AccountId, id: MarketId): void {
    if (this.#isFinal(account, id)) this.#found.get(id)?.add(account);
  }

  #isFinal(account: AccountId, id: MarketId): boolean {
    const { accounts, positions } = this.#storage;
    if ((AccountWord.marketBits(accounts.get(account)) & (1n << BigInt(id))) === 0n) return false;
    const market = this.#storage.markets(id);
    const [sharesWad] = Sides.converted(market, positions.get(account, id));
    return Sides.sizeOf(market, sharesWad) === 0n && !this.#never.has(account);
  }
}
