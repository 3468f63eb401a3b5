import type { AccountId } from "../../sdk/index.js";
import type { JournalRecord, Store } from "../parts.js";

/** A store that ends with its process: for simulations and tests. */
export class MemoryStore implements Store {
  readonly #journal = new Map<string, JournalRecord>();
  readonly #warned = new Set<AccountId>();
  #snapshot: Uint8Array | undefined;

  readSnapshot(): Uint8Array | undefined {
    return this.#snapshot?.slice();
  }

  writeSnapshot(snapshot: Uint8Array): void {
    this.#snapshot = snapshot.slice();
  }

  writeJournal(record: JournalRecord): void {
    const key = `${record.signer.toLowerCase()} ${record.nonce}`;
    if (record.state === "open") this.#journal.set(key, structuredClone(record));
    else this.#journal.delete(key);
  }

  openJournal(): JournalRecord[] {
    return [...this.#journal.values()].toSorted(byNonce).map((record) => structuredClone(record));
  }

  readWarned(): AccountId[] {
    return [...this.#warned].toSorted();
  }

  writeWarned(accounts: readonly AccountId[], isWarned: boolean): void {
    for (const account of accounts) {
      if (isWarned) this.#warned.add(account);
      else this.#warned.delete(account);
    }
  }

  close(): void {}
}

function byNonce(a: JournalRecord, b: JournalRecord): number {
  if (a.signer === b.signer) return a.nonce - b.nonce;
  return a.signer < b.signer ? -1 : 1;
}
