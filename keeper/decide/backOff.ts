import type { AccountId } from "../../sdk/index.js";

/** Blocks that an account waits for at most. */
const longestWait = 64;

/**
 * Accounts whose steps the chain refused: each waits 1 block, then 2, 4, ... 64, so that one that never goes through does not cost the
 * others their turn.
 */
export class BackOff {
  readonly #waits = new Map<AccountId, { readonly until: number; readonly blocks: number }>();

  /** The chain refused what was done for it in this block. */
  refused(account: AccountId, block: number): void {
    const blocks = Math.min(2 * (this.#waits.get(account)?.blocks ?? 0.5), longestWait);
    this.#waits.set(account, { until: block + blocks, blocks });
  }

  /** Something went through for it. */
  forget(account: AccountId): void {
    this.#waits.delete(account);
  }

  /** Forgets all whose accounts are not among these. */
  keepOnly(accounts: ReadonlySet<AccountId>): void {
    for (const account of this.#waits.keys()) if (!accounts.has(account)) this.#waits.delete(account);
  }

  isWaiting(account: AccountId, block: number): boolean {
    const wait = this.#waits.get(account);
    return wait !== undefined && block < wait.until;
  }
}
