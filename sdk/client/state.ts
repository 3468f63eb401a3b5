import { type AccountId, accountId, lowerCaseAddress } from "../accounts.js";
import type { Deployment } from "../deployment.js";
import { ContractError } from "../risk/ContractError.js";
import * as AssetSet from "../risk/types/AssetSet.js";
import * as Price from "../risk/types/Price.js";
import type { VaultCode } from "../risk/MarginVault.js";
import type { Oracle, Vault, VaultStorage } from "../risk/types/VaultStorage.js";
import { TimeError } from "./errors.js";
import { toSeconds } from "./time.js";
import { TokenBook, partsOf, signerOf } from "./tokens.js";

/** What a call of the vault meets besides its storage: its code, the chain, tokens, and wallets that sign. */
export interface Surroundings extends VaultCode {
  readonly chainId: number;
  /** Lower case. */
  readonly vault: string;
  readonly tokens: TokenBook;
  readonly wallets: Wallets;
}

/** Whose signatures count. */
export interface Wallets {
  /** Whether a signature of 65 bytes, or what the owner's contract takes (ERC-1271), is the owner's (lower case). */
  isSigned(owner: string, digest: string, signature: string): boolean;
}

/** A block, as of which a state holds. */
export interface StateBlock {
  readonly number: number;
  readonly hash: string;
  /** Unix seconds. */
  readonly timestamp: number;
}

export interface StateParts {
  readonly block: StateBlock;
  readonly deployment: Deployment;
  /** The vault's words. Those of `readState` throw NotReadError for what was not read. */
  readonly storage: VaultStorage;
  /** The oracle's answers in that block, by asset number. An asset that is not there was never published. */
  readonly prices: ReadonlyMap<number, Price.Price>;
  /** Balances and allowances; by default none of any. */
  readonly tokens?: TokenBook;
  /** By default all are plain keys. */
  readonly wallets?: Wallets;
}

/** The vault in a transaction of its own, on a state that stays as it is. */
export interface Transaction {
  readonly $: Vault;
  readonly code: Surroundings;
}

/** Owners without code. */
export const plainKeys: Wallets = {
  isSigned(owner, digest, signature) {
    const parts = partsOf(signature);
    return parts !== undefined && signerOf(digest, parts) === owner;
  },
};

/** Owns nothing, and nobody sends from there. */
export const nobody = `0x${"0".repeat(40)}`;

/**
 * All of one block that sdk/risk needs: the vault's words, prices, tokens. It comes from `readState`, or from a book and prices of the same
 * block.
 */
export class State implements StateParts {
  readonly block: StateBlock;
  readonly deployment: Deployment;
  readonly storage: VaultStorage;
  readonly prices: ReadonlyMap<number, Price.Price>;
  readonly tokens: TokenBook;
  readonly wallets: Wallets;

  constructor(parts: StateParts) {
    this.block = parts.block;
    this.deployment = parts.deployment;
    this.storage = parts.storage;
    this.prices = parts.prices;
    this.tokens = parts.tokens ?? new TokenBook();
    this.wallets = parts.wallets ?? plainKeys;
  }

  /** The pool's account. */
  get pool(): AccountId {
    return accountId(this.deployment.pool);
  }

  get insurance(): AccountId {
    return accountId(this.deployment.vault);
  }

  /**
   * A transaction at a time (Unix seconds), by default the block's. It sees this state and never writes into it.
   *
   * A price that is too old at that time is no longer fresh. Of a pushed price that is exact. Of one that is read live it is as of the block:
   * a feed that answers otherwise by then, or the end of a sequencer's grace, is not foreseen.
   *
   * @param timestamp not before the block's
   * @param sender address that calls; by default none that owns anything
   * @throws TimeError, AddressError
   */
  at(timestamp: bigint | number = this.block.timestamp, sender: string = nobody): Transaction {
    const now = toSeconds(timestamp);
    const earliest = BigInt(this.block.timestamp);
    if (now < earliest) throw new TimeError(timestamp, earliest);
    const from = lowerCaseAddress(sender);
    const { settlementToken } = this.deployment;
    const code: Surroundings = {
      oracle: new OracleAt(this.prices, now),
      pool: this.pool,
      insurance: this.insurance,
      settlementToken: settlementToken.address.toLowerCase(),
      cashUnit: 10n ** BigInt(18 - settlementToken.decimals),
      chainId: this.deployment.chainId,
      vault: this.deployment.vault.toLowerCase(),
      tokens: this.tokens.fork(),
      wallets: this.wallets,
    };
    return { $: this.storage.fork(now, from), code };
  }

  /** The same state at other prices: what is given (by asset number) stands instead of what was. */
  withPrices(prices: Iterable<readonly [asset: number, price: Price.Price]>): State {
    return new State({ ...this.parts(), prices: new Map([...this.prices, ...prices]) });
  }

  /** The same state with another storage. */
  withStorage(storage: VaultStorage): State {
    return new State({ ...this.parts(), storage });
  }

  private parts(): StateParts {
    const { block, deployment, storage, prices, tokens, wallets } = this;
    return { block, deployment, storage, prices, tokens, wallets };
  }
}

/** Answers of one block, at a later time. */
class OracleAt implements Oracle {
  readonly #prices: ReadonlyMap<number, Price.Price>;
  readonly #now: bigint;

  constructor(prices: ReadonlyMap<number, Price.Price>, now: bigint) {
    this.#prices = prices;
    this.#now = now;
  }

  lastPrices(assets: AssetSet.AssetSet): Price.Price[] {
    return numbersOf(assets).map((asset) => this.#at(asset));
  }

  prices(assets: AssetSet.AssetSet): Price.Price[] {
    return numbersOf(assets).map((asset) => {
      const price = this.#at(asset);
      if (Price.isFresh(price)) return price;
      if (Price.value(price) === 0n) throw new ContractError("PriceMissing", { asset: BigInt(asset) });
      const [publishedAt, maxAge] = [Price.publishedAt(price), Price.maxAge(price)];
      throw new ContractError("PriceStale", { asset: BigInt(asset), publishedAt, maxAge });
    });
  }

  mostTolerance(asset: number): bigint {
    return Price.tolerance(this.#at(asset));
  }

  /** Good for nothing once it is too old, and never for more than it was: a source may have spoken against it. */
  #at(asset: number): Price.Price {
    const price = this.#prices.get(asset) ?? (0n as Price.Price);
    const isTooOld = this.#now > Price.publishedAt(price) + Price.maxAge(price);
    return isTooOld ? ((price & ~(Price.FRESH_BIT | Price.REDUCE_ONLY_BIT)) as Price.Price) : price;
  }
}

function numbersOf(assets: AssetSet.AssetSet): number[] {
  const numbers: number[] = [];
  for (let bits: bigint = assets; bits !== 0n; bits &= bits - 1n) numbers.push(AssetSet.lowestBit(bits));
  return numbers;
}
