import { ZeroAddress } from "ethers";

import type { AccountId } from "../accounts.js";
import type { Vault, VaultStorage } from "../risk/types/VaultStorage.js";
import type { Change } from "./cells.js";
import { BlockGapError, BookTooShallowError, ParentHashError } from "./errors.js";
import { LogReader, type VaultLog } from "./logs.js";
import {
  type BookBlock,
  type BookDeployment,
  type BookState,
  type JournalEntry,
  readSnapshot,
  writeSnapshot,
} from "./snapshot.js";

/** How many blocks a book can undo. */
export const undoableBlocks = 64;

/**
 * The vault's storage as its log tells it, block by block: exact after each block, and undone where the chain takes blocks back. What
 * stands in it is what sdk/risk works on.
 */
export class Book {
  /** Where accounts go whose word, positions or collaterals blocks change, applied or undone, while somebody wants to know. */
  touched: Set<AccountId> | undefined;
  readonly #deployment: BookDeployment;
  readonly #reader: LogReader;
  /** Oldest first. */
  #journal: JournalEntry[];
  #head: BookBlock | undefined;

  /** An empty book: give it the block `fromBlock` first. */
  constructor(deployment: BookDeployment, state?: BookState) {
    this.#deployment = deployment;
    this.#reader = new LogReader(deployment, state?.storage);
    this.#journal = [...(state?.journal ?? [])];
    this.#head = state?.head;
  }

  /** The book that `snapshot` wrote down. Throws SnapshotError where it is of another chain, vault or version, or damaged. */
  static fromSnapshot(deployment: BookDeployment, snapshot: string): Book {
    return new Book(deployment, readSnapshot(deployment, snapshot));
  }

  /** Text (JSON) that is a book again with fromSnapshot; it can undo as many blocks as this one. */
  snapshot(): string {
    return writeSnapshot(this.#deployment, this.state);
  }

  get deployment(): BookDeployment {
    return this.#deployment;
  }

  /** The last block that was applied. */
  get head(): BookBlock | undefined {
    return this.#head;
  }

  /** Number of the block that comes next. */
  get nextBlock(): number {
    return this.#head === undefined ? this.#deployment.fromBlock : this.#head.number + 1;
  }

  /** The last block as far back as the book can go: `undo` takes it. */
  get earliest(): number {
    const [first] = this.#journal;
    return first === undefined ? this.nextBlock - 1 : (first.before?.number ?? this.#deployment.fromBlock - 1);
  }

  /** All that it knows, for whoever writes it down some other way: the constructor takes it. To be read, not written. */
  get state(): BookState {
    return { storage: this.storage, head: this.#head, journal: this.#journal };
  }

  /** To be read, not written: `at` gives what an operation can be tried on. */
  get storage(): VaultStorage {
    return this.#reader.storage;
  }

  /** Accounts that have anything: cash or a debt, positions, collateral, a mode, operators. The pool's and the insurance account among them. */
  accounts(): AccountId[] {
    const { accounts, positions, collateralOf, permissionsOf } = this.storage;
    const ids = new Set(accounts.keys());
    for (const each of [positions, collateralOf, permissionsOf]) {
      for (const id of each.keys()) if ((each.of(id)?.keys().length ?? 0) > 0) ids.add(id);
    }
    return [...ids];
  }

  /**
   * The vault in a transaction on these books, which stay as they are. Good until the next block is applied or undone.
   * @param now Unix seconds; by default the last block's
   * @param sender lower-case address
   */
  at(now = this.#head?.timestamp ?? 0, sender: string = ZeroAddress): Vault {
    return this.storage.fork(BigInt(now), sender);
  }

  /** The block of this number, if it can still be undone to. */
  blockAt(number: number): BookBlock | undefined {
    if (this.#head?.number === number) return this.#head;
    return this.#journal.find(({ before }) => before?.number === number)?.before;
  }

  /**
   * Applies the next block: all logs of the vault in it, in order; none is a block too. An error leaves the book as it was. Throws
   * BlockGapError, ParentHashError, UnknownLogError, MalformedLogError, LogGapError.
   */
  apply(block: BookBlock, logs: readonly VaultLog[]): void {
    if (block.number !== this.nextBlock) throw new BlockGapError(this.nextBlock, block.number);
    if (this.#head !== undefined && block.parentHash !== this.#head.hash) {
      throw new ParentHashError(block.number, this.#head.hash, block.parentHash);
    }
    this.#add(block, logs);
  }

  /**
   * Applies the next blocks up to this one, with all their logs in order: for old blocks, whose headers nobody needs. They can only be
   * undone together. An error leaves the book as it was. Throws as `apply` does.
   */
  applyUpTo(block: BookBlock, logs: readonly VaultLog[]): void {
    if (block.number < this.nextBlock) throw new BlockGapError(this.nextBlock, block.number);
    if (block.number === this.nextBlock) this.apply(block, logs);
    else this.#add(block, logs);
  }

  /** Takes all blocks after this one back. Throws BookTooShallowError. */
  undo(toNumber: number): void {
    const last = this.nextBlock - 1;
    if (toNumber > last) throw new BlockGapError(last, toNumber);
    const first = this.#deployment.fromBlock - 1;
    const numbers = this.#journal.map(({ before }) => before?.number ?? first);
    const from = toNumber === last ? numbers.length : numbers.indexOf(toNumber);
    if (from < 0) throw new BookTooShallowError(toNumber, this.earliest);
    for (const { before, changes } of this.#journal.splice(from).toReversed()) {
      takeBack(this.storage, changes);
      this.#note(changes);
      this.#head = before;
    }
  }

  #add(block: BookBlock, logs: readonly VaultLog[]): void {
    const changes: Change[] = [];
    this.#reader.changes = changes;
    try {
      for (const log of logs) this.#reader.apply(log);
    } catch (error) {
      takeBack(this.storage, changes);
      throw error;
    }
    this.#note(changes);
    this.#journal.push({ before: this.#head, changes });
    const { number, hash, parentHash, timestamp } = block;
    this.#head = { number, hash, parentHash, timestamp };
    // What leads back to a block too old goes; what has just come stays, however many blocks it is.
    const oldest = number - undoableBlocks;
    while (this.#journal.length > 1 && this.earliest < oldest) this.#journal.shift();
  }

  #note(changes: readonly Change[]): void {
    if (this.touched === undefined) return;
    for (const { account } of changes) if (account !== undefined) this.touched.add(account);
  }
}

function takeBack(storage: VaultStorage, changes: readonly Change[]): void {
  for (const change of changes.toReversed()) change.undo(storage);
}
