import { WrongChainError } from "../errors.js";
import { type Book, undoableBlocks } from "./book.js";
import {
  BookDiffersError,
  BookTooShallowError,
  ChainUnsettledError,
  ForeignLogsError,
  NodeAnswerError,
  NodeError,
  NodeLagsError,
  ParentHashError,
} from "./errors.js";
import { type Header, type PlacedLog, type RpcSender, VaultNode } from "./node.js";
import { sharedWords } from "./places.js";
import type { BookBlock } from "./snapshot.js";

/** What a turn brought. */
export interface Turn {
  readonly head: BookBlock;
  /** Blocks that the chain has taken back, and the book with it. */
  readonly undone: number;
  /** Blocks applied. */
  readonly applied: number;
}

export interface FollowerOptions {
  /** How many old blocks are asked for at once; fewer where the node refuses. */
  readonly rangeBlocks?: number;
  /**
   * Whether the words that no single account has are compared with the node's storage after each turn, in one call: logs that the node
   * left out are found by it, unless they moved nothing but collateral from account to account. By default they are.
   */
  readonly checksWords?: boolean;
}

export interface FollowOptions {
  /** Between two turns. */
  readonly pollMs: number;
  readonly signal?: AbortSignal;
  /** Hears of each turn that moved the book. */
  onTurn?(turn: Turn): void;
  /** Hears what made a turn fail; the next one tries again. */
  onTrouble?(error: NodeError): void;
}

const attempts = 3;

/**
 * Keeps a book at the head of a node's chain. Read the book between turns: while one is under way it may have blocks that are taken back
 * where the node proves wrong.
 */
export class BookFollower {
  readonly #book: Book;
  readonly #node: VaultNode;
  readonly #rangeBlocks: number;
  readonly #checksWords: boolean;
  readonly #slots = new Map<string, string>();
  #isRightChain = false;
  /** Blocks undone since a turn was told of. */
  #undone = 0;

  constructor(book: Book, node: RpcSender, { rangeBlocks = 2_000, checksWords = true }: FollowerOptions = {}) {
    this.#book = book;
    this.#node = new VaultNode(node, book.deployment.vault);
    this.#rangeBlocks = rangeBlocks;
    this.#checksWords = checksWords;
  }

  /**
   * Brings the book to the node's head: undoes blocks that are no longer of its chain, and applies those that are new. After an error the
   * book is at a block that was right when it was read. Throws NodeError where asking again may help; WrongChainError, BookTooShallowError,
   * UnknownLogError, MalformedLogError and LogGapError where it does not.
   */
  async turn(): Promise<Turn> {
    await this.#checkChain();
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#turn();
      } catch (error) {
        const mayHeal = error instanceof ParentHashError || error instanceof NodeError;
        if (!mayHeal || error instanceof NodeLagsError) throw error;
        if (attempt < attempts) continue;
        throw error instanceof ParentHashError ? new ChainUnsettledError(attempts, error) : error;
      }
    }
  }

  /** Takes turns until the signal says stop. Rejects with what `turn` throws where asking again does not help. */
  async follow({ pollMs, signal, onTurn, onTrouble }: FollowOptions): Promise<void> {
    while (signal?.aborted !== true) {
      try {
        const turn = await this.turn();
        if (turn.applied > 0 || turn.undone > 0) onTurn?.(turn);
      } catch (error) {
        if (!(error instanceof NodeError)) throw error;
        onTrouble?.(error);
      }
      await pause(pollMs, signal);
    }
  }

  async #checkChain(): Promise<void> {
    if (this.#isRightChain) return;
    const { chainId } = this.#book.deployment;
    const actual = await this.#node.chainId();
    if (actual !== chainId) throw new WrongChainError(chainId, actual);
    this.#isRightChain = true;
  }

  async #turn(): Promise<Turn> {
    const book = this.#book;
    const latest = await this.#header("latest");
    await this.#undo(latest);
    const start = book.nextBlock;
    while (latest.number - book.nextBlock >= undoableBlocks) {
      await this.#checked(() => this.#applyRange(latest.number - undoableBlocks));
    }
    if (latest.number >= book.nextBlock) await this.#checked(() => this.#applyBlocks(latest));
    const { head } = book;
    if (head === undefined) throw new NodeLagsError(book.deployment.fromBlock, latest.number);
    const turn = { head, undone: this.#undone, applied: book.nextBlock - start };
    this.#undone = 0;
    return turn;
  }

  /** Undoes what the node's chain no longer has. */
  async #undo(latest: Header): Promise<void> {
    const book = this.#book;
    const last = book.nextBlock - 1;
    if (latest.number < book.earliest) throw new NodeLagsError(last, latest.number);
    let at = Math.min(last, latest.number);
    while (at >= book.deployment.fromBlock) {
      const known = book.blockAt(at);
      if (known === undefined) throw new BookTooShallowError(at, book.earliest);
      if (known.hash === (await this.#header(at)).hash) break;
      at -= 1;
    }
    // A chain that is only shorter is one that the node has not read to its end.
    if (at === latest.number && at < last) throw new NodeLagsError(last, at);
    book.undo(at);
    this.#undone += last - at;
  }

  async #applyRange(most: number): Promise<void> {
    const from = this.#book.nextBlock;
    const to = Math.min(most, from + this.#rangeBlocks - 1);
    const logs = await this.#node.logs(from, to);
    const header = await this.#header(to); // after the logs: of a chain that moved meanwhile they are not
    checkHashes(
      header,
      logs.filter(({ blockNumber }) => blockNumber === to),
    );
    this.#book.applyUpTo(header, logs);
  }

  async #applyBlocks(latest: Header): Promise<void> {
    const book = this.#book;
    const from = book.nextBlock;
    const numbers = Array.from({ length: latest.number - from + 1 }, (_, i) => from + i);
    const [logs, headers] = await Promise.all([
      this.#node.logs(from, latest.number),
      Promise.all(numbers.map((number) => this.#header(number))),
    ]);
    for (const header of headers) {
      let ofBlock: readonly PlacedLog[] = logs.filter(({ blockNumber }) => blockNumber === header.number);
      // The header says that there may be logs: nodes that search their index of logs too early find none.
      if (ofBlock.length === 0 && header.mayHaveLogs) ofBlock = await this.#node.logsOf(header);
      checkHashes(header, ofBlock);
      book.apply(header, ofBlock);
    }
    if (book.head?.hash !== latest.hash) {
      throw new ParentHashError(latest.number, book.head?.hash ?? "", latest.hash);
    }
  }

  /** Applies, and takes it back where that fails or the node's storage says otherwise. */
  async #checked(apply: () => Promise<void>): Promise<void> {
    const book = this.#book;
    const before = book.nextBlock - 1;
    try {
      await apply();
      if (this.#checksWords) await this.#compareWords();
    } catch (error) {
      book.undo(before);
      throw error;
    }
  }

  async #compareWords(): Promise<void> {
    const { head, storage } = this.#book;
    if (head === undefined) return;
    const told = sharedWords(storage);
    const stored = await this.#node.words(
      head,
      told.map(({ place }) => {
        const slot = this.#slots.get(place.name) ?? place.slot;
        this.#slots.set(place.name, slot);
        return slot;
      }),
    );
    const differences = told.flatMap(({ place: { name }, word }, at) =>
      word === stored[at] ? [] : [{ name, told: word, stored: stored[at] ?? 0n }],
    );
    if (differences.length > 0) throw new BookDiffersError(head.number, differences);
  }

  async #header(block: number | "latest"): Promise<Header> {
    const header = await this.#node.header(block);
    if (header !== undefined) return header;
    throw new NodeAnswerError("eth_getBlockByNumber", `it has no block ${block}, though its head comes after it`);
  }
}

function checkHashes({ number, hash }: BookBlock, logs: readonly PlacedLog[]): void {
  const foreign = logs.find(({ blockHash }) => blockHash !== hash);
  if (foreign !== undefined) throw new ForeignLogsError(number, hash, foreign.blockHash);
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done);
    if (signal?.aborted === true) done();
  });
}
