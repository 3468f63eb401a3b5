import { setTimeout as sleep } from "node:timers/promises";

import { type Logger, pino } from "pino";

import { type Env, readConfig } from "./config/index.js";
import type { NodePool } from "./parts.js";
import { failureDetail, failureReason } from "./reason.js";
import { type Started, startKeeper } from "./start.js";

export { DeploymentMissingError } from "./start.js";

export interface RunOptions {
  /** Of the config; without one all keys have their defaults, which are the local chain's. */
  readonly configFile?: string;
  readonly env: Env;
  /** Decides and simulates, and sends nothing. */
  readonly isDryRun?: boolean;
}

const firstPauseMs = 250;
const longestPauseMs = 30_000;
const pursePauseMs = 60_000;
/** Of the keeper's time margin calls may take a tenth. */
const marginCallRest = 9;
const killedByInterrupt = 130;

/**
 * Runs the keeper until the process gets SIGINT or SIGTERM; a turn that has begun is finished, unless the signal comes again. Throws a
 * BallastError whose message names the fix where it cannot start. Once it runs, a turn that fails is logged and the next one comes later.
 */
export async function runKeeper({ configFile, env, isDryRun = false }: RunOptions): Promise<void> {
  const config = readConfig(configFile, env);
  const log = pino({ level: config.logLevel });
  const stop = new AbortController();
  const onSignal = () => {
    if (stop.signal.aborted) process.exit(killedByInterrupt);
    log.info("stopping: once more ends it at once");
    stop.abort();
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  try {
    const started = await startKeeper(config, env, log, isDryRun);
    try {
      await follow(started, log, stop.signal);
    } finally {
      await started.close();
    }
    log.info("stopped");
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
}

/** A turn for each new head: blocks that pass meanwhile are read together. */
async function follow(started: Started, log: Logger, signal: AbortSignal): Promise<void> {
  const { pool, watch } = started;
  const wakes = new Wakes(pool, signal);
  let last: string | undefined;
  let repeats = 0;
  let repeatAtMs = Infinity;
  let marginCallsAtMs = 0;
  let pursesAtMs = performance.now() + pursePauseMs;
  let failures = 0;
  for (; !signal.aborted; await wakes.next()) {
    watch.turnBegins();
    try {
      const head = await headOf(pool);
      if (head === last && performance.now() < repeatAtMs) continue;
      const isSettled = await turn(started, log);
      // What did not get through is tried again on this block too, where no other comes.
      repeats = head === last ? repeats + 1 : 0;
      repeatAtMs = isSettled ? Infinity : performance.now() + pauseOf(repeats);
      last = head;
      failures = 0;
      if (performance.now() >= marginCallsAtMs) marginCallsAtMs = callMargins(started);
      if (performance.now() >= pursesAtMs) {
        pursesAtMs = performance.now() + pursePauseMs;
        await started.lookIntoPurses();
      }
    } catch (error) {
      const [reason, detail] = [failureReason(error), failureDetail(error)];
      const pauseMs = pauseOf(failures);
      failures += 1;
      watch.turnFailed(reason, detail);
      log.error({ error: reason, detail, pauseMs }, "turn failed");
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined); // the signal ends the pause
    }
  }
  wakes.close();
}

/** Milliseconds: twice as long after each time. */
function pauseOf(times: number): number {
  return Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(times, 10));
}

/** @returns whether all went through that was to be done */
async function turn({ keeper, watch }: Started, log: Logger): Promise<boolean> {
  const { acted, skipped, failed, ...counts } = await keeper.onBlock();
  const { sight, audited } = keeper;
  if (sight !== undefined) watch.turnEnded({ block: sight.head.number, state: sight.state, audit: audited });
  const figures = { ...counts, acted: acted.length, skipped: skipped.length, failed: failed.length };
  log.debug({ block: sight?.head.number, ...figures }, "turn");
  return failed.length === 0;
}

/** @returns when margin calls are looked at again: they must not take the time that liquidations need */
function callMargins({ keeper, marginCalls }: Started): number {
  const { head } = keeper.sight ?? {};
  if (head === undefined) return 0;
  const sinceMs = performance.now();
  marginCalls.look(keeper.nearEdge(marginCalls.horizonWad), head);
  const nowMs = performance.now();
  return nowMs + marginCallRest * (nowMs - sinceMs);
}

/** Hash of the chain's head, by the best node. */
async function headOf(pool: NodePool): Promise<string> {
  const number = await pool.pin();
  const block = await pool.send("eth_getBlockByNumber", [`0x${number.toString(16)}`, false]);
  return (block as { readonly hash?: string } | null)?.hash ?? String(number);
}

/** Waits for what may be a new block. One that comes during a turn is not missed. */
class Wakes {
  readonly #close: () => void;
  #isDue = false;
  #wake: () => void = () => undefined;

  constructor(pool: NodePool, signal: AbortSignal) {
    const wake = () => {
      this.#isDue = true;
      this.#wake();
    };
    this.#close = pool.onWake(wake);
    signal.addEventListener("abort", wake, { once: true });
  }

  async next(): Promise<void> {
    if (!this.#isDue) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#isDue = false;
  }

  close(): void {
    this.#close();
  }
}
