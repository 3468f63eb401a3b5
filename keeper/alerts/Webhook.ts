import { setTimeout as sleep } from "node:timers/promises";

import pRetry from "p-retry";
import type { Logger } from "pino";

import { BallastError } from "../../sdk/index.js";
import type { Metrics } from "../parts.js";

/** The webhook answered, and not that it took the alerts. */
export class WebhookRefusedError extends BallastError {
  override readonly name = "WebhookRefusedError";
  readonly status: number;

  constructor(status: number) {
    super(`the webhook answers ${status}: see that marginCalls.webhook takes a POST of JSON`);
    this.status = status;
  }

  /** Whether asking again would be of no use. */
  get isFinal(): boolean {
    return this.status >= 400 && this.status < 500 && this.status !== 408 && this.status !== 429;
  }
}

export interface WebhookOptions {
  readonly url: string;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** What goes into each request beside the alerts. */
  readonly about?: Readonly<Record<string, unknown>>;
  /** Alerts that wait at most; of more the oldest is given up. */
  readonly mostWaiting?: number;
  /** Requests of one batch before it is given up. */
  readonly attempts?: number;
  /** Before the second of them; then twice as long each time, up to a minute. */
  readonly firstPauseMs?: number;
  /** For one request. */
  readonly timeoutMs?: number;
}

interface Waiting {
  readonly alert: Readonly<Record<string, unknown>>;
  readonly settled: () => void;
}

const batchSize = 100;
const longestPauseMs = 60_000;

/**
 * Posts alerts, in order, up to a hundred in a request: `{ ...about, "alerts": [...] }`. Nobody waits for it. What is not answered with 2xx is
 * tried again later; what the webhook refuses for good (4xx but 408 and 429), or has not taken after all attempts, is given up with a log line.
 */
export class Webhook {
  readonly #options: Required<WebhookOptions>;
  readonly #waiting: Waiting[] = [];
  readonly #stop = new AbortController();
  #work: Promise<void> | undefined;

  constructor(options: WebhookOptions) {
    const defaults = { about: {}, mostWaiting: 10_000, attempts: 8, firstPauseMs: 1_000, timeoutMs: 10_000 };
    this.#options = { ...defaults, ...options };
  }

  /** @param settled hears when the alert was taken or given up; never if the keeper ends before */
  send(alert: Readonly<Record<string, unknown>>, settled: () => void): void {
    if (this.#stop.signal.aborted) return;
    this.#waiting.push({ alert, settled });
    if (this.#waiting.length > this.#options.mostWaiting) this.#giveUp(this.#waiting.splice(0, 1), "too many wait");
    this.#work ??= this.#postAll();
  }

  /** Gives what waits so long to be taken, and ends. What was not taken by then has not been settled. */
  async close(graceMs: number): Promise<void> {
    const over = new AbortController();
    await Promise.race([this.#work, sleep(graceMs, undefined, { signal: over.signal }).catch(() => undefined)]);
    over.abort();
    this.#stop.abort();
    await this.#work;
  }

  async #postAll(): Promise<void> {
    await Promise.resolve(); // alerts of the same turn go together
    while (this.#waiting.length > 0 && !this.#stop.signal.aborted) {
      const batch = this.#waiting.splice(0, batchSize);
      try {
        await this.#post(batch.map(({ alert }) => alert));
        this.#options.metrics.count("webhook_alerts", { outcome: "taken" }, batch.length);
        for (const { settled } of batch) settled();
      } catch (error) {
        if (this.#stop.signal.aborted) break;
        this.#giveUp(batch, error instanceof Error ? error.message : String(error));
      }
    }
    this.#work = undefined;
  }

  async #post(alerts: readonly unknown[]): Promise<void> {
    const { url, about, attempts, firstPauseMs, timeoutMs, log } = this.#options;
    const body = JSON.stringify({ ...about, alerts });
    const once = async () => {
      const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(timeoutMs)]);
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
        signal,
      });
      await response.body?.cancel();
      if (!response.ok) throw new WebhookRefusedError(response.status);
    };
    await pRetry(once, {
      retries: attempts - 1,
      minTimeout: firstPauseMs,
      maxTimeout: Math.max(firstPauseMs, longestPauseMs),
      signal: this.#stop.signal,
      shouldRetry: ({ error }) => !(error instanceof WebhookRefusedError && error.isFinal),
      onFailedAttempt: ({ error, attemptNumber, retriesLeft }) => {
        if (retriesLeft > 0)
          log.warn({ detail: error.message, attempt: attemptNumber }, "webhook failed, trying again");
      },
    });
  }

  #giveUp(given: readonly Waiting[], why: string): void {
    const { metrics, log } = this.#options;
    metrics.count("webhook_alerts", { outcome: "given up" }, given.length);
    log.error({ alerts: given.map(({ alert }) => alert), why }, "alerts given up");
    for (const { settled } of given) settled();
  }
}
