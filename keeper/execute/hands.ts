import { setTimeout as sleep } from "node:timers/promises";

import type { Logger } from "pino";

import type { AccountId } from "../../sdk/index.js";
import type { CallResult, Hands, Metrics, NodePool, PlannedCall, Store } from "../parts.js";
import { failureDetail, failureReason } from "../reason.js";
import type { RefusedBroadcast } from "../rpc/errors.js";
import { PoolProvider } from "../rpc/provider.js";
import { type Batch, batches, halves, taskOf } from "./batches.js";
import { Journal } from "./journal.js";
import { Lane, type LanePolicy, type LaneSigner, type Sending, lanePolicy } from "./lane.js";
import { simulate } from "./simulate.js";
import type { LaneTransaction } from "./transaction.js";

export interface HandsPolicy extends LanePolicy {
  /** How long `execute` waits for what it has sent; what is not mined by then is under way. */
  readonly waitMs: number;
  /** Between two looks at what is under way. */
  readonly pollMs: number;
  /** What the calls of one multicall may be expected to use together. */
  readonly batchGas: bigint;
}

export const handsPolicy: HandsPolicy = { ...lanePolicy, waitMs: 15_000, pollMs: 500, batchGas: 10_000_000n };

export interface HandsDependencies {
  /** One lane each. The first one's key owns the taker: what moves the taker goes through its lane. */
  readonly signers: readonly LaneSigner[];
  readonly pool: NodePool;
  readonly chainId: number;
  readonly store: Store;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly policy?: Partial<HandsPolicy>;
  /** Simulates and reports, and sends nothing. */
  readonly isDryRun?: boolean;
}

interface Sent {
  readonly batch: Batch;
  readonly lane: Lane;
  readonly transaction: LaneTransaction;
}

/** What is watched only until it is deep needs no haste. */
const watchMs = 5_000;

/**
 * Carries plans out over one lane a signer (lane.ts says what a lane promises). Calls of a plan that may be batched go into multicalls; one
 * that is refused is split in halves, down to the call that is to blame. Calls about an account stay in one lane, in their order. What a
 * signer cannot pay for goes through the next lane, where any signer may do it.
 */
export class KeeperHands implements Hands {
  readonly #of: HandsDependencies;
  readonly #policy: HandsPolicy;
  readonly #provider: PoolProvider;
  readonly #journal: Journal;
  readonly #lanes: readonly Lane[];
  /** Accounts whose last batch was mined and reverted: how many calls their next one may have. */
  readonly #largest = new Map<AccountId, number>();
  #last: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(dependencies: HandsDependencies) {
    const { pool, chainId, store, log, metrics } = dependencies;
    this.#of = dependencies;
    this.#policy = { ...handsPolicy, ...dependencies.policy };
    this.#provider = new PoolProvider(pool, chainId);
    this.#journal = new Journal(store, log, metrics);
    this.#lanes = dependencies.signers.map(
      (signer) =>
        new Lane({
          signer,
          pool,
          provider: this.#provider,
          chainId,
          journal: this.#journal,
          log,
          metrics,
          policy: this.#policy,
        }),
    );
  }

  /** Throws what the store throws where it cannot be read. */
  async resume(): Promise<void> {
    if (this.#of.isDryRun === true) return;
    const records = this.#journal.open();
    const isOf = (lane: Lane) => (record: { readonly signer: string }) =>
      record.signer.toLowerCase() === lane.address.toLowerCase();
    for (const { signer, nonce } of records.filter((record) => !this.#lanes.some((lane) => isOf(lane)(record)))) {
      this.#of.log.warn({ signer, nonce }, "left open by a signer that is not given: give its key to have it settled");
    }
    await Promise.all(this.#lanes.map((lane) => lane.resume(records.filter(isOf(lane)))));
    this.#watch();
  }

  execute(calls: readonly PlannedCall[], seenAtMs?: number): Promise<CallResult[]> {
    const results = this.#last.then(() => this.#execute(calls, seenAtMs));
    this.#last = results.catch(() => undefined);
    return results;
  }

  underWay(): ReadonlySet<AccountId> {
    return new Set(this.#hashes().keys());
  }

  #hashes(): ReadonlyMap<AccountId, string> {
    return new Map(this.#lanes.flatMap((lane) => lane.accountsUnderWay()));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#last;
    await Promise.all(this.#lanes.map((lane) => lane.rest()));
    this.#provider.destroy();
  }

  async #execute(calls: readonly PlannedCall[], seenAtMs: number | undefined): Promise<CallResult[]> {
    const results = new Map<number, CallResult>();
    const tell = (batch: Batch, of: (call: PlannedCall) => CallResult) => {
      for (const { call, at } of batch) results.set(at, of(call));
    };
    const toBatches = (all: Batch) =>
      batches(all, {
        gas: this.#policy.batchGas,
        largestWith: (account) => this.#largest.get(account) ?? Number.MAX_SAFE_INTEGER,
      });
    const all = calls.map((call, at) => ({ call, at }));
    if (this.#of.isDryRun === true) {
      for (const batch of toBatches(all)) await this.#dry(batch, tell);
    } else {
      const untilMs = performance.now() + this.#policy.waitMs;
      await Promise.all(this.#lanes.map((lane) => lane.look()));
      // A reorg may have put under way what was mined when the plan was made.
      const hashes = this.#hashes();
      const hashOf = ({ accounts }: PlannedCall) => accounts.map((account) => hashes.get(account)).find(Boolean);
      const isFree = ({ call }: Batch[number]) => hashOf(call) === undefined;
      const late = all.filter((each) => !isFree(each));
      tell(late, (call) => ({ kind: "underWay", call, hash: hashOf(call) ?? "" }));
      const plan = toBatches(all.filter(isFree));
      const queues = this.#spread(plan);
      await Promise.all(
        this.#lanes.map((lane, at) => this.#drain(lane, queues[at] ?? [], { untilMs, seenAtMs, tell })),
      );
      this.#watch();
    }
    return calls.map(
      (call, at) => results.get(at) ?? { kind: "failed", call, reason: "forgotten", detail: "it was in no batch" },
    );
  }

  /** A queue a lane. What shares an account with what came before goes the same way; the rest where least is to be done. */
  #spread(plan: readonly Batch[]): Batch[][] {
    const queues: Batch[][] = this.#lanes.map(() => []);
    const gas = this.#lanes.map(() => 0n);
    const laneOf = new Map<AccountId, number>();
    for (const batch of plan) {
      const accounts = batch.flatMap(({ call }) => call.accounts);
      const isSpreadable = batch.every(({ call }) => spreadable.has(call.kind));
      const known = accounts.map((account) => laneOf.get(account)).find((lane) => lane !== undefined);
      const least = gas.reduce((best, each, at) => (each < (gas[best] ?? 0n) ? at : best), 0);
      const lane = isSpreadable ? (known ?? least) : 0;
      queues[lane]?.push(batch);
      gas[lane] = (gas[lane] ?? 0n) + batch.reduce((sum, { call }) => sum + call.gas, 0n);
      for (const account of accounts) laneOf.set(account, lane);
    }
    return queues;
  }

  async #drain(lane: Lane, queue: readonly Batch[], { untilMs, seenAtMs, tell }: Drain): Promise<void> {
    const left = [...queue];
    const sent: Sent[] = [];
    for (let batch = left.shift(); batch !== undefined; batch = left.shift()) {
      let through = lane;
      let sending = await this.#send(through, batch, untilMs, seenAtMs);
      for (const other of this.#others(lane, batch)) {
        if (sending.kind !== "failed" || sending.reason !== ("insufficientFunds" satisfies RefusedBroadcast)) break;
        through = other;
        sending = await this.#send(through, batch, untilMs, seenAtMs);
      }
      if (sending.kind === "sent") sent.push({ batch, lane: through, transaction: sending.transaction });
      else if (sending.kind === "refused" && batch.length > 1) {
        this.#of.log.info({ calls: batch.length, reason: sending.reason }, "batch refused, split in halves");
        left.unshift(...halves(batch));
      } else tell(batch, (call) => ({ ...sending, call }));
    }
    while (sent.some(({ transaction }) => transaction.isUnderWay)) {
      await Promise.all([...new Set(sent.map((each) => each.lane))].map((each) => each.look()));
      if (!sent.some(({ transaction }) => transaction.isUnderWay) || performance.now() >= untilMs) break;
      await sleep(this.#policy.pollMs);
    }
    for (const each of sent) await this.#report(each, tell);
  }

  async #send(lane: Lane, batch: Batch, untilMs: number, seenAtMs: number | undefined): Promise<Sending> {
    for (await this.#makeRoom(lane); !lane.hasRoom && performance.now() < untilMs; await this.#makeRoom(lane)) {
      await sleep(this.#policy.pollMs);
    }
    return lane.send({ ...taskOf(batch, this.#policy.maxGasPriceWei), seenAtMs });
  }

  /** Lanes that may send a batch in another's place: always in the same order, so that calls about an account keep theirs. */
  #others(lane: Lane, batch: Batch): Lane[] {
    if (!batch.every(({ call }) => spreadable.has(call.kind))) return [];
    return this.#lanes.filter((other) => other !== lane);
  }

  async #makeRoom(lane: Lane): Promise<void> {
    if (!lane.hasRoom) await lane.look();
  }

  async #report({ batch, transaction }: Sent, tell: Tell): Promise<void> {
    const { fate, last } = transaction;
    if (fate === undefined) return tell(batch, (call) => ({ kind: "underWay", call, hash: last.hash }));
    if (fate.kind === "lost") {
      const detail = `nonce ${transaction.nonce} went to another transaction`;
      return tell(batch, (call) => ({ kind: "failed", call, reason: fate.reason, detail }));
    }
    const { receipt } = fate;
    if (fate.kind === "mined") {
      for (const account of transaction.accounts) this.#largest.delete(account);
      return tell(batch, (call) => ({ kind: "mined", call, receipt }));
    }
    const most = Math.max(1, Math.floor(batch.length / 2));
    for (const account of transaction.accounts) this.#largest.set(account, most);
    // A receipt carries no reason; the same call may tell it now.
    const { signer: from, to, data } = transaction;
    const now = await simulate(this.#provider, { from, to, data }, this.#policy.gasCap);
    const told =
      now.kind === "refused" ? now : { reason: "reverted", detail: `it passes after block ${receipt.blockNumber}` };
    tell(batch, (call) => ({
      kind: "refused",
      call,
      reason: told.reason,
      detail: `mined and reverted: ${told.detail}`,
    }));
  }

  async #dry(batch: Batch, tell: Tell): Promise<void> {
    const { to, data } = taskOf(batch, this.#policy.maxGasPriceWei);
    const from = this.#lanes[0]?.address ?? to;
    const simulated = await simulate(this.#provider, { from, to, data }, this.#policy.gasCap);
    if (simulated.kind === "passes") tell(batch, (call) => ({ kind: "wouldSend", call }));
    else if (simulated.kind === "failed") {
      const [reason, detail] = [failureReason(simulated.error), failureDetail(simulated.error)];
      tell(batch, (call) => ({ kind: "failed", call, reason, detail }));
    } else if (batch.length > 1) for (const half of halves(batch)) await this.#dry(half, tell);
    else tell(batch, (call) => ({ ...simulated, call }));
  }

  /** Looks after what is open between plans. */
  #watch(): void {
    clearTimeout(this.#timer);
    this.#of.metrics.set(
      "journal_open",
      this.#lanes.reduce((sum, lane) => sum + lane.open, 0),
    );
    if (this.#isClosed || this.#lanes.every(({ isIdle }) => isIdle)) return;
    const pauseMs = this.#lanes.some(({ isWaiting }) => isWaiting) ? this.#policy.pollMs : watchMs;
    const look = async () => {
      await Promise.all(this.#lanes.map((lane) => lane.look()));
      this.#watch();
    };
    this.#timer = setTimeout(() => void look(), pauseMs).unref();
  }
}

interface Drain {
  readonly untilMs: number;
  readonly seenAtMs: number | undefined;
  readonly tell: Tell;
}

type Tell = (batch: Batch, of: (call: PlannedCall) => CallResult) => void;

/** What any signer may do. The others move the taker, which the first one owns, or are few. */
const spreadable: ReadonlySet<PlannedCall["kind"]> = new Set(["liquidate", "absorb"]);
