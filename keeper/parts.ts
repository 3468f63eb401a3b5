/** What the keeper's parts hand each other. Money in wad, times in Unix seconds of the chain unless a name ends in Ms. */
import type { TransactionReceipt } from "ethers";

import type { AccountId } from "../sdk/index.js";
import type { CounterName, GaugeName, HistogramName } from "./operations/figures.js";

/** Why an account that anyone may liquidate is left alone. */
export type SkipReason =
  /** It is the keeper's own: rewards never go to the target. */
  | "rewardToSelf"
  /** A leg waits for a new price. */
  | "stalePrice"
  /** The chain's sequencer is down or came back a short time ago. */
  | "sequencerGrace"
  /** There is no position, no collateral to sell, and absorb is not open. */
  | "noPosition"
  /** Nobody takes one of the legs, and absorb is not open. */
  | "noLegAccepted"
  /** It would cost the keeper more than the policy lets it. */
  | "unprofitable"
  /** The gas token has no price, and the policy says to leave alone what may cost more than it brings. */
  | "unknownProfit"
  /** Its last steps were refused by the chain: it waits a few blocks. */
  | "backingOff"
  /** A transaction that helps it is under way. */
  | "underWay"
  /** What is done for others before makes it healthy. */
  | "helped"
  /** What to do for it cannot be worked out: that is an error of the keeper's, which keeps it from nobody else. */
  | "unforeseen"
  /** The turn ended before its time came. */
  | "roundLimit";

export interface Skip {
  readonly account: AccountId;
  readonly reason: SkipReason;
}

/** What a call is for. */
export type CallKind = "liquidate" | "take" | "sellCollateral" | "absorb" | "giveBack" | "upkeep" | "refresh";

/** One call of a plan. Those of the same contract that `canBatch` may go into one multicall. */
export interface PlannedCall {
  readonly kind: CallKind;
  /** Accounts that it acts on; none for what concerns the vault as a whole. */
  readonly accounts: readonly AccountId[];
  readonly to: string;
  readonly data: string;
  /** What it is expected to use. */
  readonly gas: bigint;
  /** What it brings the keeper before gas, in quote units; undefined where nobody knows. */
  readonly earnsWad: bigint | undefined;
  /** The most that its fee may come to, in wei; undefined: the policy's largest gas price alone bounds it. */
  readonly feeBudgetWei: bigint | undefined;
  readonly canBatch: boolean;
  /** For people: what it does and why, as figures and words of a log line. */
  readonly story: Readonly<Record<string, string | number>>;
}

/** What is to be done in a turn, in this order, and who is left alone. Every liquidatable account is in exactly one of both. */
export interface Plan {
  readonly calls: readonly PlannedCall[];
  readonly skips: readonly Skip[];
}

/** What became of one call of a plan. */
export type CallResult =
  | { readonly kind: "mined"; readonly call: PlannedCall; readonly receipt: TransactionReceipt }
  /** The chain refuses it: name and arguments of the error. Nothing was sent, or it was mined and reverted. */
  | { readonly kind: "refused"; readonly call: PlannedCall; readonly reason: string; readonly detail?: string }
  /** It was sent, or may have been, and is not mined yet: the lane goes on with it. */
  | { readonly kind: "underWay"; readonly call: PlannedCall; readonly hash: string }
  /** It did not get as far as the chain: the next turn decides anew. */
  | { readonly kind: "failed"; readonly call: PlannedCall; readonly reason: string; readonly detail?: string }
  /** A dry run: it would have been sent. */
  | { readonly kind: "wouldSend"; readonly call: PlannedCall };

export interface Hands {
  /**
   * Carries a plan out. Never throws for what the chain or a node does: that is a result, one a call in the order of the calls. What is under
   * way when it returns is looked after all the same; no later result tells of it.
   *
   * @param seenAtMs when the prices were seen that the plan is about, by `performance.now()`: for the metrics
   */
  execute(calls: readonly PlannedCall[], seenAtMs?: number): Promise<CallResult[]>;
  /** Accounts that transactions under way act on. */
  underWay(): ReadonlySet<AccountId>;
  /** Settles what an earlier run of the keeper has left open; await it before the first plan. */
  resume(): Promise<void>;
  close(): Promise<void>;
}

/** A transaction of the journal: written down before it is broadcast. */
export interface JournalRecord {
  readonly signer: string;
  readonly nonce: number;
  /** Of each version that was broadcast, the last one last: a replacement has the same nonce and another hash. */
  readonly versions: readonly { readonly hash: string; readonly raw: string }[];
  readonly kind: CallKind | "cancel";
  readonly accounts: readonly AccountId[];
  /** "open" until a version was mined and is deep enough; "superseded": another transaction took the nonce. */
  readonly state: "open" | "mined" | "reverted" | "superseded";
}

/** What outlives the keeper's process. */
export interface Store {
  readSnapshot(): Uint8Array | undefined;
  writeSnapshot(snapshot: Uint8Array): void;
  /** Writes a record, or the later state of one with the same signer and nonce. Durable when it returns. */
  writeJournal(record: JournalRecord): void;
  /** Records that are still open, by signer and nonce. */
  openJournal(): JournalRecord[];
  /** Accounts that were warned and have not recovered since. */
  readWarned(): AccountId[];
  /** All of them or none. */
  writeWarned(accounts: readonly AccountId[], isWarned: boolean): void;
  close(): void;
}

/** Where the keeper counts what happens. Names of figures are in operations/figures.ts. */
export interface Metrics {
  count(name: CounterName, labels?: Readonly<Record<string, string>>, by?: number): void;
  set(name: GaugeName, value: number, labels?: Readonly<Record<string, string>>): void;
  observe(name: HistogramName, seconds: number): void;
}

/** Nodes of the chain, the best of which answers. Throws BallastErrors of rpc/ where none does. */
export interface NodePool {
  /** A read. Within a turn (see `pin`) all of them go to one node. */
  send(method: string, params: unknown[]): Promise<unknown>;
  /** Chooses the node for the reads that follow: the freshest that is well. Returns its head's number. */
  pin(): Promise<number>;
  /** Tells that what the chosen node said does not hold together: others are believed first for a while. */
  doubt(detail: string): void;
  /** Gives a signed transaction to all nodes. Returns its hash when one of them has it. */
  broadcast(raw: string): Promise<string>;
  /** Calls back when there may be a new block; at the latest after the poll interval. Returns how to stop that. */
  onWake(wake: () => void): () => void;
  close(): Promise<void>;
}
