import type { Logger } from "pino";

import {
  Book,
  type BookBlock,
  BookDiffersError,
  BookFollower,
  BookTooShallowError,
  type RpcSender,
} from "../../sdk/book/index.js";
import { type AccountId, type Deployment, State, accountId } from "../../sdk/index.js";
import * as MarginVault from "../../sdk/risk/MarginVault.js";
import type { Context, Vault } from "../../sdk/risk/types/VaultStorage.js";
import { Detector, type Liquidatable, type PackedAccounts } from "../detect/index.js";
import type { Metrics, Store } from "../parts.js";
import { failureDetail } from "../reason.js";
import { type Difference, type SampleOptions, compareSample, sumDifferences } from "./audit.js";
import { Feeds } from "./feeds.js";
import { type Final, Finals } from "./finals.js";
import { readPrices } from "./prices.js";
import { readKeeperSnapshot, writeKeeperSnapshot } from "./snapshot.js";

export interface ObserverOptions {
  readonly log: Logger;
  readonly metrics?: Metrics | undefined;
  /** Where the snapshot is that a start need not read the whole log. */
  readonly store?: Pick<Store, "readSnapshot" | "writeSnapshot"> | undefined;
  /** Blocks between two audits of the sums over all accounts. */
  readonly auditBlocks?: number | undefined;
  /** Accounts whose health the chain is asked for each block. */
  readonly auditSample?: number | undefined;
  /** Blocks between two snapshots. */
  readonly snapshotBlocks?: number | undefined;
}

/** All of one block: books, prices, and who may be liquidated. */
export interface Sight {
  readonly head: BookBlock;
  readonly state: State;
  /** In the order of their ids. */
  readonly liquidatable: readonly Liquidatable[];
}

/** What is followed of one vault; made anew where the books prove wrong. */
interface Following {
  readonly book: Book;
  readonly follower: BookFollower;
  readonly detector: Detector;
  readonly finals: Finals;
  /** Accounts to be read into the columns. */
  readonly touched: Set<AccountId>;
}

/** Blocks between two audits of all accounts, accounts in the sample of each turn, and blocks between two snapshots. */
export const observerPolicy = { auditBlocks: 100, auditSample: 16, snapshotBlocks: 1_000 };
/** Turns in a row in which logs and storage differ until the books are built anew. */
const patience = 3;

/**
 * Knows every account and every price of the chain's head, from the vault's log and one call a block. The books are checked: against the
 * words that all accounts share, by the follower each turn; by sums over all accounts; and by the chain's own figures for a few accounts
 * each block. Where they differ, that is an error in the log, and they are built anew from the chain, once.
 */
export class Observer {
  readonly #node: RpcSender;
  readonly #deployment: Deployment;
  readonly #options: ObserverOptions;
  readonly #feeds: Feeds;
  #following: Following;
  #sight: Sight | undefined;
  /** Numbers of the blocks of the last audit and the last snapshot. */
  #auditedAt: number | undefined;
  #snapshotAt: number | undefined;
  /** Whether the books were built anew since an audit found them right. */
  #isRebuilt = false;
  /** Turns in a row in which the node's logs and its storage did not say the same. */
  #differed = 0;

  constructor(node: RpcSender, deployment: Deployment, options: ObserverOptions) {
    this.#node = node;
    this.#deployment = deployment;
    this.#options = options;
    this.#feeds = new Feeds(node, deployment);
    this.#following = this.#start();
  }

  get book(): Book {
    return this.#following.book;
  }

  /** How many accounts a sweep looks at. */
  get swept(): number {
    return this.#following.detector.count;
  }

  /** What the feeds have stored, and which of them are read live; see Feeds. */
  get feeds(): Feeds {
    return this.#feeds;
  }

  /** Positions without size, whose result is final. */
  finals(): readonly Final[] {
    return this.#following.finals.list();
  }

  /**
   * Goes to the node's head, and tells who is liquidatable there. Throws NodeError where asking again, or another node, may help.
   */
  async turn(): Promise<Sight> {
    const { head, undone, applied } = await this.#follow();
    const { book, detector, finals, touched } = this.#following;
    await this.#feeds.follow(head.number, applied, undone);
    const prices = await readPrices(this.#node, this.#deployment.oracle, book.storage, head);
    detector.update(touched);
    finals.update(touched);
    touched.clear();
    const state = new State({ block: head, deployment: this.#deployment, storage: book.storage, prices });
    const liquidatable = detector.liquidatable(...contextAt(state));
    this.#sight = { head, state, liquidatable };
    return this.#sight;
  }

  /** Accounts whose health was below this (wad) in the last turn. */
  below(healthWad: bigint): Liquidatable[] {
    if (this.#sight === undefined) return [];
    return this.#following.detector.below(healthWad, ...contextAt(this.#sight.state));
  }

  /**
   * Compares what the last turn told with the chain: some accounts each time, the sums over all from time to time. Where they differ, the
   * next turn starts from the chain's log again; once, and if they differ still, that is all that can be done.
   *
   * @returns whether they agree
   */
  async audit(random: () => number = Math.random): Promise<boolean> {
    const sight = this.#sight;
    if (sight === undefined) return true;
    const {
      auditSample = observerPolicy.auditSample,
      auditBlocks = observerPolicy.auditBlocks,
      log,
      metrics,
    } = this.#options;
    const differences: Difference[] = [];
    const { number } = sight.head;
    const isDue = this.#auditedAt === undefined || number < this.#auditedAt || number - this.#auditedAt >= auditBlocks;
    if (isDue) differences.push(...sumDifferences(sight.state.storage));
    const sample: SampleOptions = { detector: this.#following.detector, accounts: auditSample, random };
    differences.push(...(await compareSample(this.#node, this.#deployment, sight.state, sample)));
    if (differences.length === 0) {
      if (isDue) this.#auditedAt = number;
      this.#isRebuilt = false;
      metrics?.set("audit", 1);
      return true;
    }
    metrics?.set("audit", 0);
    metrics?.count("audit_differences", {}, differences.length);
    const some = differences.slice(0, 8).map(({ name, told, stored }) => `${name}: ${told}, the chain says ${stored}`);
    const what = { block: number, differences: differences.length, some };
    if (this.#isRebuilt) log.error(what, "books still differ from the chain after they were built anew");
    else this.#rebuild(what, "books differ from the chain: they are built anew");
    return false;
  }

  /** Writes a snapshot if it is time to. A store that fails is a log line: nothing hangs on it but the next start. */
  snapshot(isDue = this.#isSnapshotDue()): void {
    const { store, log } = this.#options;
    const { book } = this.#following;
    if (store === undefined || book.head === undefined || !isDue) return;
    this.#snapshotAt = book.head.number;
    try {
      store.writeSnapshot(writeKeeperSnapshot(book));
    } catch (error) {
      log.error({ error: String(error) }, "snapshot could not be written");
    }
  }

  #isSnapshotDue(): boolean {
    const { snapshotBlocks = observerPolicy.snapshotBlocks } = this.#options;
    const { head } = this.#following.book;
    if (head === undefined) return false;
    this.#snapshotAt ??= head.number;
    return head.number < this.#snapshotAt || head.number - this.#snapshotAt >= snapshotBlocks;
  }

  async #follow() {
    try {
      const turn = await this.#following.follower.turn();
      this.#differed = 0;
      if (turn.undone > 0) this.#options.metrics?.count("undone_blocks", {}, turn.undone);
      return turn;
    } catch (error) {
      // Another node may tell the logs that this one left out.
      this.#differed = error instanceof BookDiffersError ? this.#differed + 1 : 0;
      // Books that cannot go back far enough never will: they are built anew as often as it comes to that.
      const isWrong = this.#differed >= patience && !this.#isRebuilt;
      if (!isWrong && !(error instanceof BookTooShallowError)) throw error;
      this.#differed = 0;
      this.#rebuild({ error: failureDetail(error) }, "books do not follow the chain: they are built anew");
      return await this.#following.follower.turn();
    }
  }

  #rebuild(what: object, message: string): void {
    const { log, metrics } = this.#options;
    log.error(what, message);
    metrics?.count("resyncs");
    this.#following = this.#newFollowing(new Book(this.#deployment));
    this.#isRebuilt = true;
    this.#auditedAt = undefined;
  }

  /** From the snapshot if there is one that can be used, else from the start of the log. */
  #start(): Following {
    const { store, log } = this.#options;
    try {
      const snapshot = store?.readSnapshot();
      if (snapshot !== undefined) {
        const { book, packed } = readKeeperSnapshot(this.#deployment, snapshot);
        log.info({ block: book.head?.number }, "started from a snapshot");
        return this.#newFollowing(book, packed);
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.warn({ reason }, "snapshot refused: the books are built from the chain");
    }
    return this.#newFollowing(new Book(this.#deployment));
  }

  #newFollowing(book: Book, packed?: PackedAccounts): Following {
    const { pool, vault } = this.#deployment;
    const never = [accountId(pool), accountId(vault)];
    // Those of a snapshot that is not packed are new to the columns.
    const touched = new Set<AccountId>(packed === undefined ? book.storage.accounts.keys() : []);
    book.touched = touched;
    return {
      book,
      follower: new BookFollower(book, this.#node),
      detector: new Detector(book.storage, never, packed),
      finals: new Finals(book.storage, never),
      touched,
    };
  }
}

/** The twin at a state's own time. */
export function contextAt(state: State, sender?: string): [$: Vault, context: Context] {
  const { $, code } = state.at(state.block.timestamp, sender);
  return [$, MarginVault.contextOf($, code)];
}
