import { Transaction, type TransactionReceipt } from "ethers";

import type { AccountId } from "../../sdk/index.js";
import type { CallKind, JournalRecord } from "../parts.js";
import type { Fees } from "./fees.js";

/** What a lane is given to send. */
export interface Task {
  readonly kind: CallKind;
  readonly accounts: readonly AccountId[];
  readonly to: string;
  readonly data: string;
  /** The most that its fee may come to, in wei; undefined: the policy's largest gas price alone bounds it. */
  readonly feeBudgetWei: bigint | undefined;
  /** When the prices were seen that it is about, by the monotonic clock. */
  readonly seenAtMs?: number | undefined;
}

/** What became of a transaction. It may change once more: a reorg takes back what is not deep. */
export type Fate =
  | { readonly kind: "mined"; readonly receipt: TransactionReceipt }
  | { readonly kind: "reverted"; readonly receipt: TransactionReceipt }
  /** Its nonce went to something else: another user of the key, or the lane's own cancellation. */
  | { readonly kind: "lost"; readonly reason: "nonceTaken" | "cancelled" };

/** One of the raw transactions that stand for the same nonce. */
export interface Version {
  readonly hash: string;
  readonly raw: string;
  readonly fees: Fees;
  /** It only uses the nonce up. */
  readonly isCancel: boolean;
}

/** One nonce of a lane, and what the lane does with it. */
export class LaneTransaction {
  readonly signer: string;
  readonly nonce: number;
  readonly kind: CallKind;
  readonly accounts: readonly AccountId[];
  readonly to: string;
  readonly data: string;
  readonly gasLimit: bigint;
  /** The most that a unit of gas may cost, in wei. */
  readonly limit: bigint;
  readonly versions: Version[] = [];
  fate: Fate | undefined;
  /** Whether a node has said that it has the last version. */
  isKnown = false;
  /** Head when the last version was broadcast while nothing stood before it, and when. Undefined: something does. */
  waits: { readonly sinceBlock: number; readonly sinceMs: number } | undefined;
  /** Head at which it was last given to the nodes. */
  givenAtBlock: number | undefined;
  minedInBlock: number | undefined;
  /** How often its nonce was found used by none of its versions. */
  misses = 0;
  /** Whether the log has it that the budget is used up. */
  toldBudget = false;
  /** When the prices were seen that it is about; undefined: another run of the keeper saw them. */
  readonly seenAtMs: number | undefined;

  constructor(
    { kind, accounts, to, data, seenAtMs }: Omit<Task, "feeBudgetWei">,
    { signer, nonce, gasLimit, limit }: { signer: string; nonce: number; gasLimit: bigint; limit: bigint },
  ) {
    this.signer = signer;
    this.nonce = nonce;
    this.kind = kind;
    this.seenAtMs = seenAtMs;
    this.accounts = accounts;
    this.to = to;
    this.data = data;
    this.gasLimit = gasLimit;
    this.limit = limit;
  }

  /** One that an earlier run has left open. It may cost what it offered then, and no more. */
  static resumed(record: JournalRecord): LaneTransaction {
    const parsed = record.versions.map(({ raw }) => Transaction.from(raw));
    const isCancel = ({ to, data }: Transaction) => to?.toLowerCase() === record.signer.toLowerCase() && data === "0x";
    const meant = parsed.find((each) => !isCancel(each));
    const limit = parsed.reduce(
      (most, { maxFeePerGas }) => ((maxFeePerGas ?? 0n) > most ? (maxFeePerGas ?? 0n) : most),
      0n,
    );
    const resumed = new LaneTransaction(
      {
        kind: record.kind === "cancel" ? "upkeep" : record.kind,
        accounts: record.accounts,
        to: meant?.to ?? record.signer,
        data: meant?.data ?? "0x",
      },
      { signer: record.signer, nonce: record.nonce, gasLimit: meant?.gasLimit ?? cancelGas, limit },
    );
    for (const each of parsed) {
      const { hash, serialized: raw, maxFeePerGas, maxPriorityFeePerGas } = each;
      const fees = { maxFeePerGas: maxFeePerGas ?? 0n, maxPriorityFeePerGas: maxPriorityFeePerGas ?? 0n };
      resumed.versions.push({ hash: hash ?? "", raw, fees, isCancel: isCancel(each) });
    }
    return resumed;
  }

  get last(): Version {
    const last = this.versions.at(-1);
    if (last === undefined) throw new TypeError(`nonce ${this.nonce} has no version`);
    return last;
  }

  /** Whether it is still to be mined. */
  get isUnderWay(): boolean {
    return this.fate === undefined;
  }

  record(state: JournalRecord["state"]): JournalRecord {
    return {
      signer: this.signer,
      nonce: this.nonce,
      versions: this.versions.map(({ hash, raw }) => ({ hash, raw })),
      kind: this.last.isCancel ? "cancel" : this.kind,
      accounts: [...this.accounts],
      state,
    };
  }
}

/** What a transfer of nothing to oneself uses. */
export const cancelGas = 21_000n;
