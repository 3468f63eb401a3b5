import { type AccountId, accountId } from "./accounts.js";
import { contractInterfaces } from "./contracts.js";
import type { Deployment } from "./deployment.js";
import { BallastError } from "./errors.js";
import { UnknownLogError } from "./events.js";
import { epochEndKey } from "./words.js";

/** A log as a node tells it. */
export interface VaultLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
}

/** What an account has. Words as stored: see the decoders of words.ts. */
export interface LedgerAccount {
  readonly word: bigint;
  /** Position words by market; those that are zero left out. */
  readonly positions: ReadonlyMap<number, bigint>;
  /** Raw amounts by token (lower case); those that are zero left out. */
  readonly collaterals: ReadonlyMap<string, bigint>;
}

/** The words of what counts by steps: at its start, at its end, and how far it has come. All zero: nothing is to come. */
export interface LedgerRamp {
  readonly from: bigint;
  readonly to: bigint;
  readonly clock: bigint;
}

/** A market's words. */
export interface LedgerMarket {
  readonly state: bigint;
  readonly totals: bigint;
  readonly risk: bigint;
  readonly terms: bigint;
  readonly discount: bigint;
  /** Zero until a side is touched, as is `epochs`. */
  readonly longSide: bigint;
  readonly shortSide: bigint;
  readonly epochs: bigint;
  /** The index of a side at the end of an epoch, by epochEndKey. */
  readonly ends: ReadonlyMap<number, bigint>;
  /** Of `risk`. */
  readonly ramp: LedgerRamp;
}

export interface LedgerCollateral {
  readonly index: number;
  /** Its parameters as set last, and what accounts hold of it in sum. */
  readonly word: bigint;
  readonly discount: bigint;
  /** Unix seconds: since when the pool offers what it absorbed. */
  readonly stockSince: bigint;
  /** Of `word`, what is held left out. */
  readonly ramp: LedgerRamp;
}

/** The log speaks of a collateral that it has not listed: its beginning is missing. */
export class LogGapError extends BallastError {
  override readonly name = "LogGapError";
  readonly token: string;

  constructor(token: string) {
    super(`the log never listed ${token}: apply it from the deployment's fromBlock on, nothing left out`);
    this.token = token;
  }
}

/** Words of cash, and sums of it (wad). */
export interface LedgerCash {
  readonly indices: bigint;
  readonly totals: bigint;
  readonly terms: bigint;
  /** Hour budgets. */
  readonly poolLosses: bigint;
  readonly writeOffs: bigint;
  /** The insurance account's share of interest, not yet in its cash. */
  readonly interestUnsweptWad: bigint;
  readonly badDebtWad: bigint;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type MarketEntry = Mutable<Omit<LedgerMarket, "ends">> & { readonly ends: Map<number, bigint> };
interface Entry {
  word: bigint;
  readonly positions: Map<number, bigint>;
  readonly collaterals: Map<string, bigint>;
}

/** Of the field `held` in a collateral's word. */
const heldOffset = 48n;
const noRamp: LedgerRamp = { from: 0n, to: 0n, clock: 0n };
const vaultInterface = contractInterfaces.MarginVault;
const eventNames = new Map<string, string>();
vaultInterface.forEachEvent(({ name, topicHash }) => eventNames.set(topicHash, name));

/**
 * The vault's books as its log tells them: the last word for each key, and the sums of what tokens moved. Give it every log of the vault
 * once, in order; what it then has is the vault's storage, word for word, with no arithmetic of the contract repeated.
 */
export class Ledger {
  /** Every account that the log named, pool and insurance among them. */
  readonly accounts: ReadonlyMap<AccountId, LedgerAccount>;
  /** By id. */
  readonly markets: ReadonlyMap<number, LedgerMarket>;
  /** By token (lower case). */
  readonly collaterals: ReadonlyMap<string, LedgerCollateral>;
  readonly cash: LedgerCash;
  readonly #accounts = new Map<AccountId, Entry>();
  readonly #markets = new Map<number, MarketEntry>();
  readonly #collaterals = new Map<string, Mutable<LedgerCollateral>>();
  readonly #cash: Mutable<LedgerCash> = {
    indices: 0n,
    totals: 0n,
    terms: 0n,
    poolLosses: 0n,
    writeOffs: 0n,
    interestUnsweptWad: 0n,
    badDebtWad: 0n,
  };
  readonly #vault: string;
  readonly #settlementToken: string;
  readonly #pool: AccountId;
  #authority = 0n;
  #accountRisk = 0n;
  #accountRamp = noRamp;
  #rewardBudget = 0n;
  #capital = 0n;
  #cashHeld = 0n;

  constructor({ vault, pool, settlementToken }: Pick<Deployment, "vault" | "pool" | "settlementToken">) {
    this.#vault = vault.toLowerCase();
    this.#settlementToken = settlementToken.address.toLowerCase();
    this.#pool = accountId(pool);
    this.accounts = this.#accounts;
    this.markets = this.#markets;
    this.collaterals = this.#collaterals;
    this.cash = this.#cash;
  }

  /** Address of the access manager, as a number. */
  get authority(): bigint {
    return this.#authority;
  }

  get accountRisk(): bigint {
    return this.#accountRisk;
  }

  /** Of `accountRisk`. */
  get accountRamp(): LedgerRamp {
    return this.#accountRamp;
  }

  get rewardBudget(): bigint {
    return this.#rewardBudget;
  }

  get capital(): bigint {
    return this.#capital;
  }

  /** Settlement tokens, raw: deposits and reserves less withdrawals. */
  get cashHeld(): bigint {
    return this.#cashHeld;
  }

  /** Reads one log on; other contracts' are left out. Throws UnknownLogError and LogGapError. */
  apply(log: VaultLog): void {
    if (log.address.toLowerCase() !== this.#vault) return;
    const topic = log.topics[0] ?? "none";
    const name = eventNames.get(topic);
    if (name === undefined) throw new UnknownLogError(log.address, topic);
    this.#readers[name]?.(log);
  }

  /** What changes the books, by event; the others tell why. */
  readonly #readers: Readonly<Record<string, (log: VaultLog) => void>> = {
    AccountChanged: (log) => (this.#account(accountKey(log)).word = word(log, 0)),
    PositionChanged: (log) => put(this.#account(accountKey(log)).positions, Number(key(log, 2)), word(log, 0)),
    MarketChanged: (log) => {
      const id = Number(key(log, 1));
      const market = this.#market(id);
      market.state = word(log, 0);
      market.totals = word(log, 1);
      put(this.#account(this.#pool).positions, id, word(log, 2));
    },
    SidesChanged: (log) => {
      const market = this.#market(Number(key(log, 1)));
      market.longSide = word(log, 0);
      market.shortSide = word(log, 1);
      market.epochs = word(log, 2);
    },
    EpochEnded: (log) => {
      const { ends } = this.#market(Number(key(log, 1)));
      put(ends, epochEndKey(BigInt(key(log, 2)) === 1n, Number(word(log, 0))), word(log, 1));
    },
    CashChanged: (log) => {
      this.#cash.indices = word(log, 0);
      this.#cash.totals = word(log, 1);
      this.#cash.interestUnsweptWad = word(log, 2);
    },
    LossesChanged: (log) => {
      this.#cash.poolLosses = word(log, 0);
      this.#cash.writeOffs = word(log, 1);
      this.#cash.badDebtWad = word(log, 2);
    },
    CollateralChanged: (log) => {
      const token = addressKey(log, 2);
      const { collaterals } = this.#account(accountKey(log));
      this.#collateral(token).word += (word(log, 0) - (collaterals.get(token) ?? 0n)) << heldOffset;
      put(collaterals, token, word(log, 0));
    },
    CollateralAbsorbed: (log) => (this.#collateral(addressKey(log, 2)).stockSince = word(log, 2)),
    CapitalChanged: (log) => (this.#capital = word(log, 0)),
    RewardBudgetChanged: (log) => (this.#rewardBudget = word(log, 0)),
    MarketParametersSet: (log) => {
      const market = this.#market(Number(key(log, 1)));
      market.risk = word(log, 0);
      market.terms = word(log, 1);
      market.discount = word(log, 2);
    },
    CollateralParametersSet: (log) => {
      const token = addressKey(log, 1);
      const { stockSince, ramp } = this.#collaterals.get(token) ?? { stockSince: 0n, ramp: noRamp };
      const [index, discount] = [Number(key(log, 2)), word(log, 1)];
      this.#collaterals.set(token, { index, word: word(log, 0), discount, stockSince, ramp });
    },
    MarketRampSet: (log) => (this.#market(Number(key(log, 1))).ramp = ramp(log)),
    CollateralRampSet: (log) => (this.#collateral(addressKey(log, 1)).ramp = ramp(log)),
    AccountRampSet: (log) => (this.#accountRamp = ramp(log)),
    CashParametersSet: (log) => (this.#cash.terms = word(log, 0)),
    AccountParametersSet: (log) => (this.#accountRisk = word(log, 0)),
    AuthorityUpdated: (log) => (this.#authority = word(log, 0)),
    ReservePaid: (log) => (this.#cashHeld += word(log, 0)),
    Deposited: (log) => this.#moveCash(log, word(log, 0)),
    Withdrawn: (log) => this.#moveCash(log, -word(log, 0)),
  };

  #moveCash(log: VaultLog, amount: bigint): void {
    if (addressKey(log, 2) === this.#settlementToken) this.#cashHeld += amount;
  }

  #account(id: AccountId): Entry {
    return created(this.#accounts, id, () => ({ word: 0n, positions: new Map(), collaterals: new Map() }));
  }

  #market(id: number): MarketEntry {
    const words = { state: 0n, totals: 0n, risk: 0n, terms: 0n, discount: 0n, longSide: 0n, shortSide: 0n, epochs: 0n };
    return created(this.#markets, id, () => ({ ...words, ends: new Map<number, bigint>(), ramp: noRamp }));
  }

  #collateral(token: string): Mutable<LedgerCollateral> {
    const found = this.#collaterals.get(token);
    if (found === undefined) throw new LogGapError(token);
    return found;
  }
}

function created<K, V>(map: Map<K, V>, at: K, create: () => V): V {
  const found = map.get(at);
  if (found !== undefined) return found;
  const value = create();
  map.set(at, value);
  return value;
}

function put<K>(map: Map<K, bigint>, at: K, value: bigint): void {
  if (value === 0n) map.delete(at);
  else map.set(at, value);
}

// All that the events of state carry are words and 32-byte keys; sliced by hand, a hundred times as fast as a general decoder does it.

function word({ data }: VaultLog, at: number): bigint {
  return BigInt(`0x${data.slice(2 + 64 * at, 66 + 64 * at)}`);
}

function ramp(log: VaultLog): LedgerRamp {
  return { from: word(log, 0), to: word(log, 1), clock: word(log, 2) };
}

function key({ topics }: VaultLog, at: number): string {
  return topics[at] ?? "0x";
}

function accountKey(log: VaultLog): AccountId {
  return key(log, 1).toLowerCase() as AccountId;
}

function addressKey(log: VaultLog, at: number): string {
  return `0x${key(log, at).slice(26).toLowerCase()}`;
}
