import { type AccountId, decodeAccount } from "../sdk/index.js";

interface Entry {
  readonly word: bigint;
  /** An asset set: markets with a position, collaterals held. */
  readonly assets: bigint;
  /** Whether there is anything that a margin could be short for: an asset or a debt. Principal has the sign of cash. */
  readonly isExposed: boolean;
}

/** Every account that the vault's events named, with its last word. */
export class Book {
  readonly #entries = new Map<AccountId, Entry>();

  set(account: AccountId, word: bigint): void {
    const { assets, principalWad } = decodeAccount(word);
    this.#entries.set(account, { word, assets, isExposed: assets !== 0n || principalWad < 0n });
  }

  clear(): void {
    this.#entries.clear();
  }

  words(): Map<AccountId, bigint> {
    return new Map([...this.#entries].map(([account, { word }]) => [account, word]));
  }

  isExposed(account: AccountId): boolean {
    return this.#entries.get(account)?.isExposed ?? false;
  }

  /** Asset set of what the account holds. */
  assetsOf(account: AccountId): bigint {
    return this.#entries.get(account)?.assets ?? 0n;
  }

  exposed(): AccountId[] {
    return this.#where(({ isExposed }) => isExposed);
  }

  /** Every account that holds one of these assets (an asset set). */
  holders(assets: bigint): AccountId[] {
    return assets === 0n ? [] : this.#where((entry) => (entry.assets & assets) !== 0n);
  }

  #where(holds: (entry: Entry) => boolean): AccountId[] {
    const found: AccountId[] = [];
    for (const [account, entry] of this.#entries) if (holds(entry)) found.push(account);
    return found;
  }
}
