import type { Logger } from "pino";

import { failureDetail, failureReason } from "../reason.js";
import type { JournalRecord, Metrics, Store } from "../parts.js";

/**
 * The store's journal, which never fails: what the store does not take stays in memory, and is given to it again before each turn. A keeper
 * that stops liquidating because a disk is full does more harm than one that forgets, if it is killed as well, what it had under way.
 */
export class Journal {
  readonly #store: Store;
  readonly #log: Logger;
  readonly #metrics: Metrics;
  readonly #unwritten = new Map<string, JournalRecord>();

  constructor(store: Store, log: Logger, metrics: Metrics) {
    this.#store = store;
    this.#log = log;
    this.#metrics = metrics;
    metrics.set("journal_durable", 1);
  }

  /** Whether something is in memory alone. */
  get isInMemory(): boolean {
    return this.#unwritten.size > 0;
  }

  write(record: JournalRecord): void {
    this.#unwritten.set(`${record.signer.toLowerCase()} ${record.nonce}`, record);
    this.#flush();
  }

  /** Tries again to write down what is in memory alone, and says so where that fails. */
  retry(): void {
    if (this.isInMemory) this.#flush();
  }

  /** Throws what the store throws: what an earlier run left open must be known. */
  open(): JournalRecord[] {
    return this.#store.openJournal();
  }

  #flush(): void {
    for (const [key, record] of this.#unwritten) {
      try {
        this.#store.writeJournal(record);
        this.#unwritten.delete(key);
      } catch (error) {
        const [reason, detail] = [failureReason(error), failureDetail(error)];
        this.#log.error({ journal: "memory", records: this.#unwritten.size, reason, detail }, "journal not written");
        this.#metrics.count("errors", { class: reason });
        break; // the others would fare no better
      }
    }
    this.#metrics.set("journal_durable", this.isInMemory ? 0 : 1);
  }
}
