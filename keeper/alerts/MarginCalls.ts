import type { Logger } from "pino";

import { type AccountId, WAD, formatDecimal, indexOf, ownerOf } from "../../sdk/index.js";
import type { Metrics, Store } from "../parts.js";
import type { Webhook } from "./Webhook.js";

/** An account with little margin to spare. */
export interface NearEdge {
  readonly account: AccountId;
  readonly healthWad: bigint;
}

export interface MarginCallDependencies {
  /** Health below which an account is warned. */
  readonly warnAtWad: bigint;
  /** Health from which it has recovered; not less. */
  readonly clearAtWad: bigint;
  readonly store: Pick<Store, "readWarned" | "writeWarned">;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Without one the log alone tells. */
  readonly webhook?: Pick<Webhook, "send">;
}

/**
 * Warns owners. An account whose health comes below `warnAt`, and is not below one, is called once; again only after it was at `clearAt` or
 * above, or had nothing to be short of. That a call was raised is stored when the webhook has taken it or was given up: whom a crash kept
 * from being told, the next run tells. A store that cannot be written to costs a repeated call after a restart, and nothing else.
 */
export class MarginCalls {
  readonly #dependencies: MarginCallDependencies;
  readonly #warned: Set<AccountId>;
  /** Accounts that the store does not know to be warned, or to have recovered, yet: they are written together. */
  readonly #unwritten = new Map<AccountId, boolean>();

  constructor(dependencies: MarginCallDependencies) {
    this.#dependencies = dependencies;
    this.#warned = new Set(dependencies.store.readWarned());
    this.#count();
  }

  /** Health below which `look` must be told of every account. */
  get horizonWad(): bigint {
    return this.#dependencies.clearAtWad;
  }

  /**
   * How accounts stand after a block. Never throws, and waits for nobody.
   * @param nearEdge all accounts whose health is below `horizonWad`
   */
  look(nearEdge: Iterable<NearEdge>, block: { readonly number: number; readonly timestamp: number }): void {
    const { warnAtWad, clearAtWad, log, metrics } = this.#dependencies;
    const near = new Set<AccountId>();
    for (const { account, healthWad } of nearEdge) {
      if (healthWad >= clearAtWad) continue;
      near.add(account);
      if (healthWad >= WAD && healthWad < warnAtWad && !this.#warned.has(account))
        this.#warn(account, healthWad, block);
    }
    for (const account of this.#warned) {
      if (near.has(account)) continue;
      this.#warned.delete(account);
      this.#unwritten.set(account, false);
      metrics.count("margin_calls", { outcome: "cleared" });
      log.info({ account, block: block.number }, "margin call cleared");
    }
    this.#write();
    this.#count();
  }

  #warn(account: AccountId, healthWad: bigint, { number, timestamp }: { number: number; timestamp: number }): void {
    const { warnAtWad, webhook, log, metrics } = this.#dependencies;
    const alert = {
      kind: "marginCall",
      account,
      owner: ownerOf(account),
      index: indexOf(account).toString(),
      health: formatDecimal(healthWad, 18),
      warnAt: formatDecimal(warnAtWad, 18),
      block: number,
      at: new Date(timestamp * 1000).toISOString(),
    };
    this.#warned.add(account);
    metrics.count("margin_calls", { outcome: "raised" });
    log.warn(alert, "margin call");
    const told = () => {
      if (this.#warned.has(account)) this.#unwritten.set(account, true);
    };
    if (webhook === undefined) return told();
    webhook.send(alert, () => {
      told();
      queueMicrotask(() => this.#write()); // after all that went with it
    });
  }

  #write(): void {
    const { store, log, metrics } = this.#dependencies;
    const unwritten = [...this.#unwritten];
    this.#unwritten.clear();
    for (const isWarned of [true, false]) {
      const accounts = unwritten.flatMap(([account, is]) => (is === isWarned ? [account] : []));
      if (accounts.length === 0) continue;
      try {
        store.writeWarned(accounts, isWarned);
      } catch (error) {
        const { name, message } = error instanceof Error ? error : new Error(String(error));
        metrics.count("errors", { class: name });
        log.error({ accounts: accounts.length, error: name, detail: message }, "margin calls not stored");
      }
    }
  }

  #count(): void {
    this.#dependencies.metrics.set("margin_called_accounts", this.#warned.size);
  }
}
