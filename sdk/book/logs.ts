import type { MarginVaultInterface } from "../../typechain-types/contracts/MarginVault.js";
import { vaultInterface } from "../contracts.js";
import { type AccountId, accountId } from "../accounts.js";
import type { Deployment } from "../deployment.js";
import { UnknownLogError } from "../events.js";
import { VaultStorage } from "../risk/types/VaultStorage.js";
import { epochEndKey } from "../words.js";
import { type Cell, type Change, WordChange, cells } from "./cells.js";
import { LogGapError, MalformedLogError } from "./errors.js";

/** A log as a node tells it. */
export interface VaultLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
}

/** Of the field `held` in a collateral's word. */
const heldOffset = 48n;

/**
 * Reads logs of the vault into storage: the last word for each key, and the sums of what tokens moved. Given every log once, in order, it
 * has the vault's storage, word for word, with no arithmetic of the contract repeated.
 */
export class LogReader {
  /** As told so far. */
  readonly storage: VaultStorage;
  /** Where changes go while somebody may want to take them back. */
  changes: Change[] | undefined;
  readonly settlementToken: string;
  readonly pool: AccountId;
  readonly #vault: string;
  /** As nodes write it: most do so one way, and comparing is all that most logs need. */
  #writtenVault: string;
  /** Addresses of tokens by the topics that name them: few, and in many logs. */
  readonly #tokens = new Map<string, string>();

  constructor(
    { vault, pool, settlementToken }: Pick<Deployment, "vault" | "pool" | "settlementToken">,
    storage = new VaultStorage(),
  ) {
    this.storage = storage;
    this.#vault = vault.toLowerCase();
    this.#writtenVault = vault;
    this.settlementToken = settlementToken.address.toLowerCase();
    this.pool = accountId(pool);
  }

  /** Reads one log on; other contracts' are left out. Throws UnknownLogError, MalformedLogError, LogGapError. */
  apply(log: VaultLog): void {
    const { address, topics, data } = log;
    if (address !== this.#writtenVault) {
      if (address.toLowerCase() !== this.#vault) return;
      this.#writtenVault = address;
    }
    const [topic = "none"] = topics;
    const event = events.get(topic);
    if (event === undefined) throw new UnknownLogError(address, topic);
    if (topics.length !== event.topics || data.length !== event.dataLength) {
      throw new MalformedLogError(event.name, topics, data);
    }
    event.read?.(this, log);
  }

  /** Writes a word. */
  set<A extends string | number, B extends string | number>(cell: Cell<A, B>, a: A, b: B, word: bigint): void {
    const before = cell.swap(this.storage, a, b, word);
    if (before !== word) this.changes?.push(new WordChange(cell, a, b, before));
  }

  /** The market with this id, listed if it is new. */
  market(id: number): number {
    if (id >= this.storage.marketCount) this.set(cells.marketCount, 0, 0, BigInt(id) + 1n);
    return id;
  }

  /** The token that this topic names, lower case. */
  token(log: VaultLog, at: number): string {
    const topic = key(log, at);
    let token = this.#tokens.get(topic);
    if (token === undefined) {
      token = address(log, at);
      this.#tokens.set(topic, token);
    }
    return token;
  }

  /** Index of the listed collateral that this topic names. Throws LogGapError. */
  collateral(log: VaultLog, at: number): number {
    const token = this.token(log, at);
    const index = this.storage.collateralIndexes(token);
    if (index === 0) throw new LogGapError(token);
    return index - 1;
  }

  /** Settlement tokens that came, or went (below zero); other tokens are told by CollateralChanged. */
  moveCash(token: string, amount: bigint): void {
    if (token === this.settlementToken) this.set(cells.cashHeld, 0, 0, this.storage.cashHeld + amount);
  }
}

type Read = (reader: LogReader, log: VaultLog) => void;
type EventName = Parameters<MarginVaultInterface["getEvent"]>[0];

/** What changes storage, by event; the others tell why. */
const reads: Partial<Record<EventName, Read>> = {
  AccountChanged: (to, log) => to.set(cells.account, accountKey(log), 0, word(log, 0)),
  PositionChanged: (to, log) => to.set(cells.position, accountKey(log), number(log, 2), word(log, 0)),
  MarketChanged(to, log) {
    const id = to.market(number(log, 1));
    const [state, totals, poolPosition] = threeWords(log);
    to.set(cells.marketState, id, 0, state);
    to.set(cells.marketTotals, id, 0, totals);
    to.set(cells.position, to.pool, id, poolPosition);
  },
  SidesChanged(to, log) {
    const id = number(log, 1);
    const [longSide, shortSide, epochs] = threeWords(log);
    to.set(cells.longSide, id, 0, longSide);
    to.set(cells.shortSide, id, 0, shortSide);
    to.set(cells.epochs, id, 0, epochs);
  },
  EpochEnded(to, log) {
    const key = epochEndKey(number(log, 2) === 1, Number(word(log, 0)));
    to.set(cells.epochEnd, number(log, 1), key, word(log, 1));
  },
  CashChanged(to, log) {
    const [indices, totals, interestUnswept] = threeWords(log);
    to.set(cells.cashIndices, 0, 0, indices);
    to.set(cells.cashTotals, 0, 0, totals);
    to.set(cells.interestUnswept, 0, 0, interestUnswept);
  },
  LossesChanged(to, log) {
    const [poolLosses, writeOffs, badDebt] = threeWords(log);
    to.set(cells.poolLosses, 0, 0, poolLosses);
    to.set(cells.writeOffs, 0, 0, writeOffs);
    to.set(cells.badDebt, 0, 0, badDebt);
  },
  CollateralChanged(to, log) {
    const { storage } = to;
    const account = accountKey(log);
    const index = to.collateral(log, 2);
    const amount = word(log, 0);
    const more = amount - storage.collateralOf.get(account, index);
    to.set(cells.collateral, index, 0, storage.collaterals.get(index) + (more << heldOffset));
    to.set(cells.collateralOf, account, index, amount);
  },
  CollateralAbsorbed: (to, log) => to.set(cells.stockSince, to.collateral(log, 2), 0, word(log, 2)),
  CapitalChanged: (to, log) => to.set(cells.capital, 0, 0, word(log, 0)),
  RewardBudgetChanged: (to, log) => to.set(cells.rewardBudget, 0, 0, word(log, 0)),
  MarketParametersSet(to, log) {
    const id = to.market(number(log, 1));
    const [risk, terms, discount] = threeWords(log);
    to.set(cells.marketRisk, id, 0, risk);
    to.set(cells.marketTerms, id, 0, terms);
    to.set(cells.marketDiscount, id, 0, discount);
  },
  CollateralParametersSet(to, log) {
    const index = number(log, 2);
    if (index >= to.storage.collateralCount) to.set(cells.collateralCount, 0, 0, BigInt(index) + 1n);
    to.set(cells.collateralToken, index, 0, BigInt(address(log, 1)));
    to.set(cells.collateral, index, 0, word(log, 0));
    to.set(cells.collateralDiscount, index, 0, word(log, 1));
  },
  MarketRampSet(to, log) {
    const id = number(log, 1);
    const [from, end, clock] = threeWords(log);
    to.set(cells.marketRampFrom, id, 0, from);
    to.set(cells.marketRampTo, id, 0, end);
    to.set(cells.marketRampClock, id, 0, clock);
  },
  CollateralRampSet(to, log) {
    const index = to.collateral(log, 1);
    const [from, end, clock] = threeWords(log);
    to.set(cells.collateralRampFrom, index, 0, from);
    to.set(cells.collateralRampTo, index, 0, end);
    to.set(cells.collateralRampClock, index, 0, clock);
  },
  AccountRampSet(to, log) {
    const [from, end, clock] = threeWords(log);
    to.set(cells.accountRampFrom, 0, 0, from);
    to.set(cells.accountRampTo, 0, 0, end);
    to.set(cells.accountRampClock, 0, 0, clock);
  },
  CashParametersSet: (to, log) => to.set(cells.cashTerms, 0, 0, word(log, 0)),
  AccountParametersSet: (to, log) => to.set(cells.accountRisk, 0, 0, word(log, 0)),
  AuthorityUpdated: (to, log) => to.set(cells.authority, 0, 0, word(log, 0)),
  OperatorSet: (to, log) => to.set(cells.permissions, accountKey(log), address(log, 2), word(log, 0)),
  NonceUsed: (to, log) => to.set(cells.nonce, address(log, 1), 0, word(log, 0) + 1n),
  BorrowingHaltedSet: (to, log) => to.set(cells.borrowingHalted, 0, 0, word(log, 0)),
  ReservePaid: (to, log) => to.moveCash(to.settlementToken, word(log, 0)),
  Deposited: (to, log) => to.moveCash(to.token(log, 2), word(log, 0)),
  Withdrawn: (to, log) => to.moveCash(to.token(log, 2), -word(log, 0)),
};

interface Event {
  readonly name: string;
  /** How many topics its logs have. */
  readonly topics: number;
  /** Of the text of a log's data. */
  readonly dataLength: number;
  readonly read: Read | undefined;
}

const events = new Map<string, Event>();
vaultInterface.forEachEvent(({ name, topicHash, inputs }) => {
  const indexed = inputs.filter((input) => input.indexed === true).length;
  // A word a value: none is dynamic; a struct has one a member.
  const words = inputs.reduce((sum, input) => sum + (input.indexed === true ? 0 : (input.components?.length ?? 1)), 0);
  const read = reads[name as EventName];
  events.set(topicHash, { name, topics: indexed + 1, dataLength: 2 + 64 * words, read });
});

// All that events carry are words and 32-byte keys; sliced by hand, many times as fast as a general decoder does it.

function word({ data }: VaultLog, at: number): bigint {
  if (data.length === 66) return BigInt(data);
  return BigInt(`0x${data.slice(2 + 64 * at, 66 + 64 * at)}`);
}

/** All words of a log that has three: read as one number, which is faster than to cut the text. */
function threeWords({ data }: VaultLog): readonly [bigint, bigint, bigint] {
  const all = BigInt(data);
  return [all >> 512n, BigInt.asUintN(256, all >> 256n), BigInt.asUintN(256, all)];
}

function key({ topics }: VaultLog, at: number): string {
  return topics[at] ?? "0x";
}

function number(log: VaultLog, at: number): number {
  return Number(key(log, at));
}

function accountKey(log: VaultLog): AccountId {
  return key(log, 1).toLowerCase() as AccountId;
}

function address(log: VaultLog, at: number): string {
  return `0x${key(log, at).slice(26).toLowerCase()}`;
}
