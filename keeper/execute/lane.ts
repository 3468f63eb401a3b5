/**
 * One signer's transactions. What a lane promises; tests cite the numbers.
 *
 *  1. Order: nonces go up by one, in the order in which calls are given to the lane. What is given at once is sent one after the other.
 *  2. Journal first: no version of a transaction is broadcast before the journal has its raw form. A journal that cannot be written stays in
 *     memory and the lane goes on: liquidations count for more. Metric and log say so, and each look tries to write it again.
 *  3. Simulated: what the chain would refuse at its head is not sent, and takes no nonce. The same simulation gives the gas limit, with a
 *     quarter more for what moves until it is mined.
 *  4. Room: at most `inFlight` transactions wait to be mined.
 *  5. Fees are the market's (base fee doubled, and a tip), and a unit of gas never costs more than the largest price of the policy, nor all
 *     of the gas that it is expected to use more than the call's budget. What that does not pay for at present is not sent.
 *  6. Replacement: of what is not mined, only the lowest nonce waits for its own sake. After `replaceBlocks` blocks, or after `replaceMs` and a
 *     block, the same call takes its place with both fees at least 12.5% higher, as long as (5) lets it. At the limit the log says so, once.
 *  7. Cancelled is by a transfer of nothing to oneself, in place of what is due by (6) and would be refused now, or is at its limit while a
 *     later nonce waits behind it. Nothing else ever takes the place of a call: a nonce has one meaning.
 *  8. Depth: a transaction counts as mined with its receipt, and is watched until it is `finalBlocks` deep. The journal has it open so long.
 *  9. Reorgs: what lost its receipt is given to the nodes again, the same raw form.
 * 10. Memory of nodes is short: what is not mined is given to them again at each new head.
 * 11. Restart: what the journal has open is looked up and settled, or given to the nodes again, before anything new is sent.
 * 12. The key's other users: a nonce that went to a transaction which is not the lane's is superseded, and so is one that a node holds for such
 *     a transaction. Its call is lost, which the caller hears, and never sent again by itself.
 * 13. Unknown fate: a transaction of which no node said that it has it, nor all that they have not, is under way. It is given to the nodes again
 *     at each look.
 * 14. Time is blocks, and a clock that only goes forward: setting the computer's clock changes nothing.
 * 15. Nothing that the chain or a node does is thrown.
 */
import { Transaction, type TransactionReceipt } from "ethers";
import type { Logger } from "pino";

import type { AccountId } from "../../sdk/index.js";
import type { JournalRecord, Metrics, NodePool } from "../parts.js";
import { failureDetail, failureReason } from "../reason.js";
import { BroadcastRefusedError, type PoolProvider } from "../rpc/index.js";
import type { HistogramName } from "../operations/figures.js";
import { type FeeMarket, type Fees, feeLimit, firstFees, nextFees, readFeeMarket } from "./fees.js";
import type { Journal } from "./journal.js";
import { type Refusal, type Simulated, simulate } from "./simulate.js";
import { LaneTransaction, type Task, type Version, cancelGas } from "./transaction.js";

/** What signs, without a network of its own: ethers' Wallet does. */
export interface LaneSigner {
  readonly address: string;
  signTransaction(transaction: object): Promise<string>;
}

export interface LanePolicy {
  readonly inFlight: number;
  readonly replaceBlocks: number;
  readonly replaceMs: number;
  readonly finalBlocks: number;
  readonly maxGasPriceWei: bigint;
  /** Largest gas limit of a transaction. */
  readonly gasCap: bigint;
}

export const lanePolicy: LanePolicy = {
  inFlight: 16,
  replaceBlocks: 3,
  replaceMs: 30_000,
  finalBlocks: 12,
  maxGasPriceWei: 500_000_000_000n,
  gasCap: 2n ** 24n - 1n, // of most chains
};

export interface LaneDependencies {
  readonly signer: LaneSigner;
  readonly pool: NodePool;
  readonly provider: PoolProvider;
  readonly chainId: number;
  readonly journal: Journal;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly policy: LanePolicy;
}

export type Sending =
  | { readonly kind: "sent"; readonly transaction: LaneTransaction }
  /** The chain would refuse it. */
  | ({ readonly kind: "refused" } & Refusal)
  /** It did not come to that. */
  | ({ readonly kind: "failed" } & Refusal);

/** A nonce found used by nobody's known transaction so often is somebody else's: nodes are late with receipts. */
const mostMisses = 3;

export class Lane {
  readonly #of: LaneDependencies;
  readonly #log: Logger;
  /** By nonce: under way, or mined and not deep yet. */
  readonly #open = new Map<number, LaneTransaction>();
  #last: Promise<unknown> = Promise.resolve();
  /** What is known since the last look, so that several calls in a row need not ask again. */
  #market: FeeMarket | undefined;
  #nonce: number | undefined;

  constructor(dependencies: LaneDependencies) {
    this.#of = dependencies;
    this.#log = dependencies.log.child({ signer: dependencies.signer.address });
  }

  get address(): string {
    return this.#of.signer.address;
  }

  get hasRoom(): boolean {
    return this.#underWay().length < this.#of.policy.inFlight;
  }

  /** Transactions that are under way, or watched until they are deep. */
  get open(): number {
    return this.#open.size;
  }

  get isIdle(): boolean {
    return this.open === 0;
  }

  get isWaiting(): boolean {
    return this.#underWay().length > 0;
  }

  /** Accounts that what is under way acts on, and its hash. */
  accountsUnderWay(): [account: AccountId, hash: string][] {
    return this.#underWay().flatMap(({ accounts, last }) =>
      accounts.map((account): [AccountId, string] => [account, last.hash]),
    );
  }

  /** Takes over what the journal has open of this signer (11). */
  resume(records: readonly JournalRecord[]): Promise<void> {
    return this.#serially(async () => {
      for (const record of records) {
        const transaction = LaneTransaction.resumed(record);
        this.#open.set(transaction.nonce, transaction);
        this.#log.warn({ nonce: record.nonce, hash: transaction.last.hash, kind: record.kind }, "left open, resumed");
      }
      for (let look = 0; look <= mostMisses; look += 1) {
        await this.#look();
        if (this.#underWay().every(({ misses }) => misses === 0)) return;
      }
    });
  }

  /** What the chain makes of a call at its head (3). */
  simulate({ to, data }: Pick<Task, "to" | "data">): Promise<Simulated> {
    return simulate(this.#of.provider, { from: this.address, to, data }, this.#of.policy.gasCap);
  }

  send(task: Task): Promise<Sending> {
    return this.#serially(() => this.#send(task));
  }

  /** Looks after all that is open: receipts, replacements, reorgs. */
  look(): Promise<void> {
    return this.#serially(() => this.#look());
  }

  /** Awaits what it is about. */
  async rest(): Promise<void> {
    await this.#last;
  }

  #underWay(): LaneTransaction[] {
    return [...this.#open.values()].filter(({ isUnderWay }) => isUnderWay).toSorted((a, b) => a.nonce - b.nonce);
  }

  #serially<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#last.then(run, run);
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #send(task: Task): Promise<Sending> {
    const { provider, policy, metrics } = this.#of;
    if (!this.hasRoom) {
      return { kind: "failed", reason: "laneFull", detail: `${policy.inFlight} transactions wait to be mined` };
    }
    const simulated = await this.simulate(task);
    if (simulated.kind === "failed") return this.#failed(simulated.error);
    if (simulated.kind === "refused") return simulated;
    try {
      const market = (this.#market ??= await readFeeMarket(provider));
      const limit = feeLimit(task.feeBudgetWei, simulated.gas, policy.maxGasPriceWei);
      const fees = firstFees(market, limit);
      if (fees === undefined) {
        metrics.count("transactions", { outcome: "overBudget" });
        const detail = `the base fee is ${market.baseFee} wei, the call pays for ${limit}`;
        return { kind: "failed", reason: "feeOverBudget", detail };
      }
      const gas = (simulated.gas * 5n) / 4n;
      const gasLimit = gas < policy.gasCap ? gas : policy.gasCap;
      const nonce = await this.#nextNonce();
      const transaction = new LaneTransaction(task, { signer: this.address, nonce, gasLimit, limit });
      return await this.#first(transaction, await this.#sign(transaction, fees, false));
    } catch (error) {
      return this.#failed(error);
    }
  }

  async #nextNonce(): Promise<number> {
    let nonce = this.#nonce ?? (await this.#of.provider.getTransactionCount(this.address, "pending"));
    while (this.#open.has(nonce)) nonce += 1;
    return (this.#nonce = nonce);
  }

  async #sign(transaction: LaneTransaction, fees: Fees, isCancel: boolean): Promise<Version> {
    const { signer, chainId } = this.#of;
    const { nonce, to, data, gasLimit } = transaction;
    const what = isCancel ? { to: signer.address, data: "0x", gasLimit: cancelGas } : { to, data, gasLimit };
    const raw = await signer.signTransaction({ type: 2, chainId, nonce, value: 0n, ...what, ...fees });
    return { hash: Transaction.from(raw).hash ?? "", raw, fees, isCancel };
  }

  async #first(transaction: LaneTransaction, version: Version): Promise<Sending> {
    const { provider, metrics } = this.#of;
    const { nonce, kind } = transaction;
    transaction.versions.push(version);
    this.#open.set(nonce, transaction);
    this.#write(transaction, "open");
    const refusal = await this.#give(transaction);
    metrics.count("transactions", { outcome: "broadcast" });
    this.#observe("price_to_broadcast_seconds", transaction);
    const { hash } = version;
    this.#log.debug({ nonce, hash, kind, known: transaction.isKnown }, "broadcast");
    if (refusal === undefined) return { kind: "sent", transaction };
    this.#nonce = undefined;
    // Some nodes answer with an error though they took it.
    if ((await provider.getTransaction(hash).catch(() => null)) !== null) {
      transaction.isKnown = true;
      return { kind: "sent", transaction };
    }
    const isTaken = refusal.reason === "nonceTooLow" || refusal.reason === "underpriced";
    this.#close(transaction, "superseded");
    metrics.count("transactions", { outcome: isTaken ? "superseded" : "refused" });
    this.#log.warn({ nonce, hash, kind, reason: refusal.reason, detail: refusal.message }, "not taken by any node");
    return { kind: "failed", reason: isTaken ? "nonceTaken" : refusal.reason, detail: refusal.message };
  }

  /** Gives the last version to the nodes. What they say of it, if all refuse. */
  async #give(transaction: LaneTransaction): Promise<BroadcastRefusedError | undefined> {
    try {
      await this.#of.pool.broadcast(transaction.last.raw);
      transaction.isKnown = true;
      return undefined;
    } catch (error) {
      if (error instanceof BroadcastRefusedError) return error;
      this.#failed(error);
      return undefined;
    }
  }

  async #look(): Promise<void> {
    this.#of.journal.retry();
    this.#market = this.#nonce = undefined;
    if (this.isIdle) return;
    try {
      const head = (await this.#of.provider.getBlock("latest"))?.number ?? 0;
      const used = await this.#of.provider.getTransactionCount(this.address, "latest");
      for (const transaction of [...this.#open.values()].toSorted((a, b) => a.nonce - b.nonce)) {
        if (transaction.nonce < used) await this.#settle(transaction, head);
        else await this.#chase(transaction, head);
      }
    } catch (error) {
      this.#failed(error);
    }
  }

  /** The nonce is used: by which of its versions, and is that deep? */
  async #settle(transaction: LaneTransaction, head: number): Promise<void> {
    const { policy, metrics } = this.#of;
    const { fate } = transaction;
    const isDeep = (block: number) => head - block + 1 >= policy.finalBlocks;
    if (transaction.minedInBlock !== undefined && !isDeep(transaction.minedInBlock)) return;
    const [receipt, version] = await this.#receiptOf(transaction);
    if (receipt === undefined || version === undefined) {
      transaction.misses += 1;
      if (transaction.misses < mostMisses) return;
      transaction.fate = { kind: "lost", reason: "nonceTaken" };
      this.#close(transaction, "superseded");
      metrics.count("transactions", { outcome: "superseded" });
      this.#log.warn({ nonce: transaction.nonce, kind: transaction.kind }, "the nonce went to somebody else");
      return;
    }
    transaction.misses = 0;
    const kind = receipt.status === 1 ? "mined" : "reverted";
    if (fate === undefined) {
      const outcome = version.isCancel ? "cancelled" : kind;
      metrics.count("transactions", { outcome });
      if (!version.isCancel) this.#observe("price_to_mined_seconds", transaction);
      const { hash, blockNumber, gasUsed } = receipt;
      const figures = {
        nonce: transaction.nonce,
        hash,
        block: blockNumber,
        gas: String(gasUsed),
        kind: transaction.kind,
      };
      this.#log.info({ ...figures, versions: transaction.versions.length }, outcome);
    }
    transaction.fate = version.isCancel ? { kind: "lost", reason: "cancelled" } : { kind, receipt };
    transaction.minedInBlock = receipt.blockNumber;
    if (isDeep(receipt.blockNumber)) this.#close(transaction, kind);
  }

  async #receiptOf({ versions }: LaneTransaction): Promise<[TransactionReceipt, Version] | [undefined, undefined]> {
    for (const version of versions.toReversed()) {
      const receipt = await this.#of.provider.getTransactionReceipt(version.hash);
      if (receipt !== null) return [receipt, version];
    }
    return [undefined, undefined];
  }

  /** The nonce is not used yet. */
  async #chase(transaction: LaneTransaction, head: number): Promise<void> {
    if (transaction.fate !== undefined) {
      transaction.fate = transaction.minedInBlock = undefined;
      transaction.isKnown = false;
      transaction.waits = undefined;
      this.#of.metrics.count("transactions", { outcome: "takenBack" });
      this.#log.warn({ nonce: transaction.nonce, hash: transaction.last.hash }, "taken back by a reorg");
    }
    transaction.misses = 0;
    transaction.givenAtBlock ??= head;
    if (!transaction.isKnown || head !== transaction.givenAtBlock) {
      transaction.givenAtBlock = head;
      await this.#give(transaction);
    }
    const isFront = this.#underWay()[0] === transaction;
    if (!isFront) return;
    transaction.waits ??= { sinceBlock: head, sinceMs: performance.now() };
    const { replaceBlocks, replaceMs } = this.#of.policy;
    const blocks = head - transaction.waits.sinceBlock;
    const ms = performance.now() - transaction.waits.sinceMs;
    if (blocks >= replaceBlocks || (blocks > 0 && ms >= replaceMs)) await this.#replace(transaction, head);
  }

  async #replace(transaction: LaneTransaction, head: number): Promise<void> {
    const { provider, policy, metrics } = this.#of;
    const { nonce, last, limit } = transaction;
    const market = (this.#market ??= await readFeeMarket(provider));
    let isCancel = last.isCancel;
    if (!isCancel) {
      const simulated = await this.simulate(transaction);
      if (simulated.kind === "failed") return;
      isCancel = simulated.kind === "refused";
    }
    let fees = nextFees(last.fees, market, isCancel ? policy.maxGasPriceWei : limit);
    if (fees === undefined && !isCancel && this.#underWay().length > 1) {
      isCancel = true;
      fees = nextFees(last.fees, market, policy.maxGasPriceWei);
    }
    if (fees === undefined) {
      if (!transaction.toldBudget) {
        transaction.toldBudget = true;
        metrics.count("transactions", { outcome: "atLimit" });
        const figures = {
          maxFee: String(last.fees.maxFeePerGas),
          limit: String(limit),
          baseFee: String(market.baseFee),
        };
        this.#log.warn({ nonce, hash: last.hash, ...figures }, "not mined, and its fee is at its limit");
      }
      return;
    }
    const version = await this.#sign(transaction, fees, isCancel);
    transaction.versions.push(version);
    transaction.waits = { sinceBlock: head, sinceMs: performance.now() };
    transaction.isKnown = false;
    this.#write(transaction, "open");
    const refusal = await this.#give(transaction);
    metrics.count("transactions", { outcome: isCancel ? "cancelling" : "replaced" });
    const figures = { nonce, hash: version.hash, instead: last.hash, maxFee: String(fees.maxFeePerGas) };
    this.#log.warn({ ...figures, refusal: refusal?.reason }, isCancel ? "cancelling" : "replaced by fee");
  }

  #observe(name: HistogramName, { seenAtMs }: LaneTransaction): void {
    if (seenAtMs !== undefined) this.#of.metrics.observe(name, (performance.now() - seenAtMs) / 1000);
  }

  #write(transaction: LaneTransaction, state: JournalRecord["state"]): void {
    this.#of.journal.write(transaction.record(state));
  }

  #close(transaction: LaneTransaction, state: JournalRecord["state"]): void {
    this.#open.delete(transaction.nonce);
    this.#write(transaction, state);
  }

  #failed(error: unknown): { readonly kind: "failed" } & Refusal {
    const [reason, detail] = [failureReason(error), failureDetail(error)];
    this.#of.metrics.count("errors", { class: reason });
    this.#log.warn({ reason, detail }, "node trouble");
    return { kind: "failed", reason, detail };
  }
}
