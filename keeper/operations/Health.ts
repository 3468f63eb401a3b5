/** What /healthz tells of one part. */
export interface Check {
  readonly ok: boolean;
  /** What is wrong, in words; absent where nothing is. */
  readonly problem?: string;
  readonly [figure: string]: unknown;
}

export interface HealthReport {
  readonly status: "ok" | "failing";
  readonly checks: Readonly<Record<"blocks" | "prices" | "audit" | "journal", Check>>;
}

/** What a turn leaves behind for whoever watches. */
export interface TurnFacts {
  readonly block: number;
  /** Symbols of assets whose price is not fresh. */
  readonly stalePrices: readonly string[];
  /** The last comparison of book and chain; absent before the first. */
  readonly audit?: { readonly block: number; readonly agrees: boolean };
  /** Whether what is sent is written down before. */
  readonly journalDurable: boolean;
}

export interface HealthLimits {
  /** Without a new block, until it fails. */
  readonly blockSeconds: number;
  /** Without an audit, until it fails. */
  readonly auditBlocks: number;
}

/**
 * Whether the keeper does its work. Ages are of the clock that it is given, which only goes forward: the wall clock may be set, or be an hour off
 * the chain's.
 */
export class Health {
  readonly #limits: HealthLimits;
  readonly #nowMs: () => number;
  #last: (TurnFacts & { readonly sinceMs: number }) | undefined;
  #trouble: string | undefined;

  constructor(limits: HealthLimits, nowMs: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#nowMs = nowMs;
  }

  /** A turn has ended. */
  note(facts: TurnFacts): void {
    const isNew = this.#last?.block !== facts.block;
    this.#last = { ...facts, sinceMs: isNew ? this.#nowMs() : (this.#last?.sinceMs ?? this.#nowMs()) };
    this.#trouble = undefined;
  }

  /** A turn has failed: of the block that it was about nothing is known. */
  noteFailure(detail: string): void {
    this.#trouble = detail;
  }

  /** Seconds since a turn on a new block ended; undefined before the first. */
  get headAgeSeconds(): number | undefined {
    return this.#last === undefined ? undefined : (this.#nowMs() - this.#last.sinceMs) / 1000;
  }

  report(): HealthReport {
    const checks = { blocks: this.#blocks(), prices: this.#prices(), audit: this.#audit(), journal: this.#journal() };
    return { status: Object.values(checks).every(({ ok }) => ok) ? "ok" : "failing", checks };
  }

  #blocks(): Check {
    const limitSeconds = this.#limits.blockSeconds;
    const age = this.headAgeSeconds;
    const trouble = this.#trouble === undefined ? {} : { lastFailure: this.#trouble };
    if (this.#last === undefined || age === undefined) {
      return { ok: false, problem: "no turn has ended yet", limitSeconds, ...trouble };
    }
    const figures = { block: this.#last.block, ageSeconds: Math.floor(age), limitSeconds, ...trouble };
    if (age <= limitSeconds) return { ok: true, ...figures };
    return { ok: false, problem: `no new block for ${Math.floor(age)} seconds`, ...figures };
  }

  #prices(): Check {
    if (this.#last === undefined) return { ok: false, problem: "no turn has ended yet" };
    const stale = [...this.#last.stalePrices];
    if (stale.length === 0) return { ok: true };
    return { ok: false, problem: `not fresh: ${stale.join(", ")}`, stale };
  }

  #audit(): Check {
    const limitBlocks = this.#limits.auditBlocks;
    const { audit, block } = this.#last ?? {};
    if (audit === undefined || block === undefined)
      return { ok: false, problem: "no audit has ended yet", limitBlocks };
    const ageBlocks = block - audit.block;
    const figures = { block: audit.block, ageBlocks, limitBlocks };
    if (!audit.agrees) return { ok: false, problem: "the book is not what the chain has", ...figures };
    if (ageBlocks > limitBlocks) return { ok: false, problem: `no audit for ${ageBlocks} blocks`, ...figures };
    return { ok: true, ...figures };
  }

  #journal(): Check {
    if (this.#last === undefined) return { ok: false, problem: "no turn has ended yet" };
    if (this.#last.journalDurable) return { ok: true };
    return { ok: false, problem: "the disk refuses the journal: what is sent is in memory only" };
  }
}
