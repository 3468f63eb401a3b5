import { BallastError } from "../errors.js";

/** The log speaks of a collateral that it has not listed: its beginning is missing. */
export class LogGapError extends BallastError {
  override readonly name = "LogGapError";
  readonly token: string;

  constructor(token: string) {
    super(`the log never listed ${token}: apply it from the deployment's fromBlock on, nothing left out`);
    this.token = token;
  }
}

/** A log of an event that has other topics or other data than the ABI says. */
export class MalformedLogError extends BallastError {
  override readonly name = "MalformedLogError";
  readonly event: string;
  readonly topics: readonly string[];
  readonly data: string;

  constructor(event: string, topics: readonly string[], data: string) {
    super(
      `a log of ${event} has ${topics.length} topics and ${(data.length - 2) / 64} words: the node did not tell it whole`,
    );
    this.event = event;
    this.topics = topics;
    this.data = data;
  }
}

/** A block that is not the next one. */
export class BlockGapError extends BallastError {
  override readonly name = "BlockGapError";
  readonly expected: number;
  readonly actual: number;

  constructor(expected: number, actual: number) {
    super(
      `block ${actual} was given, the book needs block ${expected}: give every block once, in order, empty ones too`,
    );
    this.expected = expected;
    this.actual = actual;
  }
}

/** The next block was mined on another one than the book's last: that one is gone. */
export class ParentHashError extends BallastError {
  override readonly name = "ParentHashError";
  readonly blockNumber: number;
  /** Of the book's last block. */
  readonly expected: string;
  readonly actual: string;

  constructor(blockNumber: number, expected: string, actual: string) {
    super(
      `block ${blockNumber} follows ${actual}, the book's last is ${expected}: undo to a block that both chains have, then apply the new ones`,
    );
    this.blockNumber = blockNumber;
    this.expected = expected;
    this.actual = actual;
  }
}

/** A block is to be undone to that the book has no way back to. */
export class BookTooShallowError extends BallastError {
  override readonly name = "BookTooShallowError";
  readonly blockNumber: number;
  /** As far back as it can go. */
  readonly earliest: number;

  constructor(blockNumber: number, earliest: number) {
    super(
      `the book cannot go back to block ${blockNumber}, only to ${earliest}: start from an older snapshot, or anew from the ` +
        `deployment's fromBlock`,
    );
    this.blockNumber = blockNumber;
    this.earliest = earliest;
  }
}

/** A snapshot that cannot be used; `field` says which part of it is wrong. */
export class SnapshotError extends BallastError {
  override readonly name = "SnapshotError";
  readonly field: string;

  constructor(field: string, problem: string, cause?: unknown) {
    super(
      `the snapshot is not usable: ${field} ${problem}. Take another one, or start from the deployment's fromBlock`,
      {
        cause,
      },
    );
    this.field = field;
  }
}

/** What a node told cannot be used now. The book is as it was: ask again later, or ask another node. */
export class NodeError extends BallastError {
  override readonly name: string = "NodeError";
}

/** The node is behind the book. */
export class NodeLagsError extends NodeError {
  override readonly name = "NodeLagsError";
  /** The book's last block. */
  readonly head: number;
  /** The node's. */
  readonly nodeHead: number;

  constructor(head: number, nodeHead: number) {
    super(`the node is at block ${nodeHead}, the book at ${head}: wait for the node, or ask another one`);
    this.head = head;
    this.nodeHead = nodeHead;
  }
}

/** The node refused a question, or answered something that is no answer to it. */
export class NodeAnswerError extends NodeError {
  override readonly name = "NodeAnswerError";
  readonly method: string;

  constructor(method: string, problem: string, cause?: unknown) {
    super(`the node's answer to ${method} is of no use: ${problem}. Ask again, or ask another node`, { cause });
    this.method = method;
  }
}

/** Logs of a block of another fork than the one that the node tells of. */
export class ForeignLogsError extends NodeError {
  override readonly name = "ForeignLogsError";
  readonly blockNumber: number;
  readonly expected: string;
  readonly actual: string;

  constructor(blockNumber: number, expected: string, actual: string) {
    super(`block ${blockNumber} is ${expected}, its logs are of ${actual}: ask again, or ask another node`);
    this.blockNumber = blockNumber;
    this.expected = expected;
    this.actual = actual;
  }
}

/** The chain moved each time that the follower read it. */
export class ChainUnsettledError extends NodeError {
  override readonly name = "ChainUnsettledError";
  readonly attempts: number;

  constructor(attempts: number, cause: unknown) {
    super(`the node's chain changed during each of ${attempts} attempts to read it: ask again, or ask another node`, {
      cause,
    });
    this.attempts = attempts;
  }
}

/** A word of the book, and of the vault's storage. */
export interface WordDifference {
  readonly name: string;
  readonly told: bigint;
  readonly stored: bigint;
}

/** The node's logs and its storage do not say the same: it left logs out. */
export class BookDiffersError extends NodeError {
  override readonly name = "BookDiffersError";
  readonly blockNumber: number;
  readonly differences: readonly WordDifference[];

  constructor(blockNumber: number, differences: readonly WordDifference[]) {
    const names = differences.map(({ name }) => name).join(", ");
    super(`after block ${blockNumber} the node's storage is not what its logs tell (${names}): ask another node`);
    this.blockNumber = blockNumber;
    this.differences = differences;
  }
}
