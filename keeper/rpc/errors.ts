import { BallastError } from "../../sdk/index.js";

/** What is wrong with a node, as far as a caller can tell. */
export type Trouble =
  /** It took longer than it may. */
  | "timeout"
  /** It wants fewer requests. */
  | "throttled"
  /** Nobody answers there. */
  | "unreachable"
  /** HTTP 5xx. */
  | "serverError"
  /** What it says is no JSON-RPC. */
  | "badAnswer"
  /** It does not have a block or a state that it should have. */
  | "behind"
  /** It tells of a head that it does not have, or of blocks that do not hold together. */
  | "lies";

/** A node gave no answer, or none that is of use. Another node may. */
export class EndpointError extends BallastError {
  override readonly name = "EndpointError";
  /** Host of the node, without what may be a secret. */
  readonly endpoint: string;
  readonly trouble: Trouble;
  /** For how long the node itself asks to be left alone, if it does. */
  readonly retryAfterMs: number | undefined;

  constructor(endpoint: string, trouble: Trouble, detail: string, cause?: unknown, retryAfterMs?: number) {
    super(`${endpoint}: ${trouble}, ${detail}`, { cause });
    this.endpoint = endpoint;
    this.trouble = trouble;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Not one of the nodes gave an answer. */
export class NoNodeError extends BallastError {
  override readonly name = "NoNodeError";
  readonly method: string;
  readonly troubles: readonly EndpointError[];

  constructor(method: string, troubles: readonly EndpointError[]) {
    const each = troubles.map(({ message }) => message).join("; ");
    super(`no node answers ${method} (${each}): start one of them, or list another one under "rpc"`, {
      cause: troubles[0],
    });
    this.method = method;
    this.troubles = troubles;
  }
}

/** Why nodes do not take a transaction. */
export type RefusedBroadcast = "nonceTooLow" | "underpriced" | "insufficientFunds" | "other";

/** Every node that answered refused the transaction, and all of them answered. */
export class BroadcastRefusedError extends BallastError {
  override readonly name = "BroadcastRefusedError";
  readonly hash: string;
  readonly reason: RefusedBroadcast;

  constructor(hash: string, reason: RefusedBroadcast, detail: string, cause: unknown) {
    super(`no node takes ${hash} (${reason}): ${detail}`, { cause });
    this.hash = hash;
    this.reason = reason;
  }
}

/** Nobody said that it has the transaction, and not all said that they have not: it may be mined. */
export class BroadcastUnknownError extends BallastError {
  override readonly name = "BroadcastUnknownError";
  readonly hash: string;

  constructor(hash: string, troubles: readonly EndpointError[]) {
    const each = troubles.map(({ message }) => message).join("; ");
    super(`it is not known whether a node has ${hash} (${each}): give it to the nodes again`, { cause: troubles[0] });
    this.hash = hash;
  }
}
