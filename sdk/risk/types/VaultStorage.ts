/** Twin of contracts/types/VaultStorage.sol: everything that the vault knows, and what a transaction brings along. */
import type { AccountId } from "../../accounts.js";
import type { AccountWord } from "./AccountWord.js";
import type { AssetSet, MarketId } from "./AssetSet.js";
import type { CashIndices, CashTerms, CashTotals, HourBudget } from "./CashWords.js";
import type {
  DiscountTerms,
  EpochsWord,
  MarketRisk,
  MarketState,
  MarketTerms,
  MarketTotals,
  SideWord,
} from "./MarketWords.js";
import type { Position } from "./Position.js";
import type { Price } from "./Price.js";
import type { RampClock } from "./RampWords.js";
import type { AccountRisk, Capital, Collateral, RewardBudget } from "./VaultWords.js";

/** A mapping to words: what was never written is zero. A fork sees through to what it was forked from, and never writes there. */
export class Words<K, W extends bigint> {
  readonly #own = new Map<K, W>();
  readonly #under: Words<K, W> | undefined;

  constructor(under?: Words<K, W>) {
    this.#under = under;
  }

  get(key: K): W {
    return this.#own.get(key) ?? this.#under?.get(key) ?? (0n as W);
  }

  set(key: K, word: W): void {
    if (word === 0n && this.#under === undefined) this.#own.delete(key);
    else this.#own.set(key, word);
  }

  /** Sets, and tells what was there. */
  swap(key: K, word: W): W {
    const before = this.get(key);
    if (before !== word) this.set(key, word);
    return before;
  }

  /** The keys whose words are not zero, each once. */
  keys(): K[] {
    const keys = new Set<K>([...(this.#under?.keys() ?? []), ...this.#own.keys()]);
    return [...keys].filter((key) => this.get(key) !== 0n);
  }

  fork(): Words<K, W> {
    return new Words(this);
  }
}

/** A mapping of mappings to words. */
export class NestedWords<A, B, W extends bigint> {
  readonly #own = new Map<A, Words<B, W>>();
  readonly #under: NestedWords<A, B, W> | undefined;

  constructor(under?: NestedWords<A, B, W>) {
    this.#under = under;
  }

  get(a: A, b: B): W {
    return this.of(a)?.get(b) ?? (0n as W);
  }

  set(a: A, b: B, word: W): void {
    this.#at(a).set(b, word);
  }

  /** Sets, and tells what was there. */
  swap(a: A, b: B, word: W): W {
    return this.#at(a).swap(b, word);
  }

  #at(a: A): Words<B, W> {
    let words = this.#own.get(a);
    if (words === undefined) {
      words = new Words(this.#under?.of(a));
      this.#own.set(a, words);
    }
    return words;
  }

  /** The inner mapping, if anything of it was ever written. */
  of(a: A): Words<B, W> | undefined {
    return this.#own.get(a) ?? this.#under?.of(a);
  }

  keys(): A[] {
    return [...new Set<A>([...(this.#under?.keys() ?? []), ...this.#own.keys()])];
  }

  fork(): NestedWords<A, B, W> {
    return new NestedWords(this);
  }
}

export interface Market {
  state: MarketState;
  totals: MarketTotals;
  /** Zero when the market is not listed. */
  risk: MarketRisk;
  terms: MarketTerms;
  discount: DiscountTerms;
  /** Read only when the state's flags say so, as are `shortSide`, `epochs` and `ends`. */
  longSide: SideWord;
  shortSide: SideWord;
  epochs: EpochsWord;
  /** The index of a side at the end of an epoch, by Sides.endKey. */
  ends: Words<number, SideWord>;
}

/** What counted at the start of a ramp, and what counts at its end. */
export interface Ramp<W extends bigint> {
  from: W;
  to: W;
  clock: RampClock;
}

function emptyMarket(): Market {
  const zero = 0n;
  return {
    state: zero as MarketState,
    totals: zero as MarketTotals,
    risk: zero as MarketRisk,
    terms: zero as MarketTerms,
    discount: zero as DiscountTerms,
    longSide: zero as SideWord,
    shortSide: zero as SideWord,
    epochs: zero as EpochsWord,
    ends: new Words(),
  };
}

function emptyRamp<W extends bigint>(): Ramp<W> {
  return { from: 0n as W, to: 0n as W, clock: 0n as RampClock };
}

/** Objects by number: a fork copies what it is asked for, so that nobody writes into what it was forked from. */
class Objects<V extends object> {
  readonly #own = new Map<number, V>();

  constructor(
    private readonly empty: () => V,
    private readonly copy: (value: V) => V,
    private readonly under?: Objects<V>,
  ) {}

  at(key: number): V {
    let value = this.#own.get(key);
    if (value === undefined) {
      value = this.under === undefined ? this.empty() : this.copy(this.under.at(key));
      this.#own.set(key, value);
    }
    return value;
  }

  fork(): Objects<V> {
    return new Objects(this.empty, this.copy, this);
  }
}

const copyMarket = (market: Market): Market => ({ ...market, ends: market.ends.fork() });
const copyRamp = <W extends bigint>(ramp: Ramp<W>): Ramp<W> => ({ ...ramp });

/** Everything that the vault knows, word by word. */
export class VaultStorage {
  /** Address of the access manager, as a number: its slot comes before the vault's own. */
  authority = 0n;
  accounts = new Words<AccountId, AccountWord>();
  positions = new NestedWords<AccountId, MarketId, Position>();
  collateralOf = new NestedWords<AccountId, number, bigint>();
  collaterals = new Words<number, Collateral>();
  accountRisk = 0n as AccountRisk;
  rewardBudget = 0n as RewardBudget;
  capital = 0n as Capital;
  cashIndices = 0n as CashIndices;
  cashTotals = 0n as CashTotals;
  /** Settlement tokens held, raw. */
  cashHeld = 0n;
  /** Wad: the insurance account's share of interest, not yet in its cash. */
  interestUnswept = 0n;
  marketCount = 0;
  collateralCount = 0;
  /** Wad: losses that nobody has paid yet. */
  badDebt = 0n;
  collateralDiscounts = new Words<number, DiscountTerms>();
  /** Unix seconds: when the pool absorbed what it holds, mean by amount. */
  stockSince = new Words<number, bigint>();
  cashTerms = 0n as CashTerms;
  poolLosses = 0n as HourBudget;
  writeOffs = 0n as HourBudget;
  /** Bits by operator; see Permissions. */
  permissionsOf = new NestedWords<AccountId, string, bigint>();
  /** Of the owner's next signed grant. */
  nonces = new Words<string, bigint>();
  borrowingHalted = false;
  accountRamp = emptyRamp<AccountRisk>();
  #tokens: string[] = [];
  #markets = new Objects<Market>(emptyMarket, copyMarket);
  #marketRamps = new Objects<Ramp<MarketRisk>>(emptyRamp, copyRamp);
  #collateralRamps = new Objects<Ramp<Collateral>>(emptyRamp, copyRamp);

  markets(id: MarketId): Market {
    return this.#markets.at(id);
  }

  /** What is to come of a market's risk. */
  marketRamps(id: MarketId): Ramp<MarketRisk> {
    return this.#marketRamps.at(id);
  }

  collateralRamps(index: number): Ramp<Collateral> {
    return this.#collateralRamps.at(index);
  }

  /** The token with this index, lower case; the zero address if there is none. */
  collateralTokens(index: number): string {
    return this.#tokens[index] ?? `0x${"0".repeat(40)}`;
  }

  /** One more than the index of a token (lower case); zero: not listed. */
  collateralIndexes(token: string): number {
    return this.#tokens.indexOf(token) + 1;
  }

  /** @param token lower case; undefined: it, and every later one, is not listed */
  setCollateralToken(index: number, token: string | undefined): void {
    if (token === undefined) this.#tokens.length = index;
    else this.#tokens[index] = token;
  }

  /** A transaction on this storage, which stays as it is. */
  fork(now: bigint, sender: string): Vault {
    const vault = new Vault(now, sender);
    (vault as VaultStorage).layOver(this);
    return vault;
  }

  /** Makes this the same as another storage, which it sees through to. */
  protected layOver(under: VaultStorage): void {
    const { accounts, positions, collateralOf, collaterals, collateralDiscounts, stockSince } = under;
    Object.assign(this, under); // the plain values
    this.accounts = accounts.fork();
    this.positions = positions.fork();
    this.collateralOf = collateralOf.fork();
    this.collaterals = collaterals.fork();
    this.collateralDiscounts = collateralDiscounts.fork();
    this.stockSince = stockSince.fork();
    this.permissionsOf = under.permissionsOf.fork();
    this.nonces = under.nonces.fork();
    this.accountRamp = copyRamp(under.accountRamp);
    this.#tokens = [...under.#tokens];
    this.#markets = under.#markets.fork();
    this.#marketRamps = under.#marketRamps.fork();
    this.#collateralRamps = under.#collateralRamps.fork();
  }
}

/** An event as the vault emits it: values bigint, boolean, or lower-case hex. */
export interface VaultEvent {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** The vault in a transaction: its storage, and what Solidity has as globals. */
export class Vault extends VaultStorage {
  readonly events: VaultEvent[] = [];
  /** The margin checks that wait for the end of a multicall; see Deferral. */
  readonly deferral: { isActive: boolean; accounts: { account: AccountId; borrowed: boolean }[] } = {
    isActive: false,
    accounts: [],
  };

  /**
   * @param now Unix seconds: the block's
   * @param sender lower-case address
   */
  constructor(
    readonly now: bigint,
    public sender: string,
  ) {
    super();
  }

  emit(name: string, args: Readonly<Record<string, unknown>>): void {
    this.events.push({ name, args });
  }

  protected override layOver(under: VaultStorage): void {
    const { now, sender, events, deferral } = this;
    super.layOver(under);
    Object.assign(this, { now, sender, events, deferral });
  }
}

/** What an operation knows of cash: the indices as they stand now, and by how much it changes what is stored. */
export interface Cash {
  stored: CashIndices;
  supplyIndex: bigint;
  borrowIndex: bigint;
  /** Of the totals, principal. */
  supplied: bigint;
  borrowed: bigint;
  /** Whether tokens came or went. */
  moved: boolean;
}

/** Where prices come from: an oracle's answers at the time of the transaction. */
export interface Oracle {
  /** In the order of the set's bits. */
  lastPrices(assets: AssetSet): Price[];
  /** The same, but every one of them must be fresh. */
  prices(assets: AssetSet): Price[];
  /** The largest tolerance (wad) that an asset's price can have. */
  mostTolerance(asset: number): bigint;
}

/** What an operation knows from its start. */
export interface Context {
  oracle: Oracle;
  pool: AccountId;
  insurance: AccountId;
  /** Lower case. */
  settlementToken: string;
  /** Wad for one raw unit of the settlement token. */
  cashUnit: bigint;
  cash: Cash;
}
