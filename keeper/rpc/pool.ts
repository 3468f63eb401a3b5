import { Transaction, isError } from "ethers";
import type { Logger } from "pino";

import type { Metrics, NodePool } from "../parts.js";
import { Endpoint, type Head, answeredError, headOf } from "./endpoint.js";
import {
  BroadcastRefusedError,
  BroadcastUnknownError,
  EndpointError,
  NoNodeError,
  type RefusedBroadcast,
} from "./errors.js";
import { HeadWatch } from "./heads.js";

export interface PoolOptions {
  /** The first are preferred where several are as good. */
  readonly endpoints: readonly { readonly url: string; readonly ws?: string | undefined }[];
  readonly chainId: number;
  /** The longest that nobody is woken. */
  readonly pollMs: number;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** For an answer. */
  readonly timeoutMs?: number;
  /** By how many blocks, and by how many seconds of the chain, a node's head may be behind the best one. */
  readonly freshBlocks?: number;
  readonly freshSeconds?: number;
  /** How long slower nodes are waited for once one has told its head. */
  readonly headWaitMs?: number;
  /** Without a word for so long a websocket is connected anew. */
  readonly silenceMs?: number;
  /** Before a websocket that broke is connected again for the first time. */
  readonly retryMs?: number;
}

/** How long a node may take to answer, and how far its head may lag the best one's. */
export const poolPolicy = { timeoutMs: 10_000, freshBlocks: 3, freshSeconds: 60 };

/** Several nodes as one. No wall clock decides anything: what is fresh, nodes tell of each other. */
export class RpcPool implements NodePool {
  readonly #endpoints: readonly Endpoint[];
  readonly #options: Required<PoolOptions>;
  /** Heads that the node which told of them really has, by hash. */
  readonly #confirmed = new Map<Endpoint, string>();
  readonly #wakes = new Set<() => void>();
  #pinned: Endpoint | undefined;
  #watches: readonly HeadWatch[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PoolOptions) {
    this.#options = {
      ...poolPolicy,
      headWaitMs: 250,
      silenceMs: 60_000,
      retryMs: 1_000,
      ...options,
    };
    const { chainId, timeoutMs, log, metrics } = this.#options;
    const onTrouble = ({ endpoint, trouble, message }: EndpointError) => {
      metrics.count("rpc_troubles", { endpoint, trouble });
      log.warn({ endpoint, trouble, detail: message }, "node set aside");
    };
    this.#endpoints = options.endpoints.map((each) => new Endpoint(each, chainId, timeoutMs, onTrouble));
  }

  /** A read, from the pinned node; where that is in trouble, from the next one, which is then the pinned one. */
  async send(method: string, params: unknown[]): Promise<unknown> {
    const troubles: EndpointError[] = [];
    for (const endpoint of this.#inOrder()) {
      try {
        const answer = await endpoint.send(method, params);
        this.#pinned = endpoint;
        return answer;
      } catch (error) {
        if (!(error instanceof EndpointError)) throw error;
        troubles.push(error);
      }
    }
    throw new NoNodeError(method, troubles);
  }

  async pin(): Promise<number> {
    const well = this.#endpoints.filter(({ isResting }) => !isResting);
    const trusted = well.filter(({ isDoubted }) => !isDoubted);
    const asked = [trusted, well].find(({ length }) => length > 0) ?? this.#endpoints;
    const heads = await this.#readHeads(asked);
    const newestAt = Math.max(...heads.map(({ head }) => head.timestamp));
    for (const { endpoint, head } of heads.toSorted((a, b) => b.head.number - a.head.number)) {
      const isShared = heads.some((other) => other.endpoint !== endpoint && other.head.hash === head.hash);
      if (!isShared && !(await this.#has(endpoint, head))) continue;
      this.#pinned = endpoint;
      this.#setAside(heads, head, newestAt);
      return head.number;
    }
    this.#pinned = undefined;
    throw new NoNodeError(
      "eth_getBlockByNumber",
      heads.map(({ endpoint }) => new EndpointError(endpoint.name, "lies", "it does not have its own head")),
    );
  }

  doubt(detail: string): void {
    const doubted = this.#pinned;
    if (doubted === undefined || this.#endpoints.length === 1) return;
    this.#pinned = undefined;
    this.#confirmed.delete(doubted);
    doubted.doubt(new EndpointError(doubted.name, "lies", detail));
    for (const endpoint of this.#endpoints) if (endpoint !== doubted) endpoint.forgive();
  }

  async broadcast(raw: string): Promise<string> {
    const hash = Transaction.from(raw).hash ?? "";
    const refusals: { reason: RefusedBroadcast; error: unknown }[] = [];
    const troubles: EndpointError[] = [];
    const tries = this.#endpoints.map(async (endpoint) => {
      try {
        await endpoint.send("eth_sendRawTransaction", [raw]);
      } catch (error) {
        if (error instanceof EndpointError) troubles.push(error);
        else if (isKnown(error)) return;
        else refusals.push({ reason: refusalOf(error), error });
        throw error;
      }
    });
    try {
      await Promise.any(tries); // the others go on by themselves
      return hash;
    } catch {
      const order: readonly RefusedBroadcast[] = ["nonceTooLow", "underpriced", "insufficientFunds", "other"];
      const [told] = refusals.toSorted((a, b) => order.indexOf(a.reason) - order.indexOf(b.reason));
      // What one node knows of the nonce counts whatever others did not say; for the rest all must have refused.
      const isOfNonce = told?.reason === "nonceTooLow" || told?.reason === "underpriced";
      if (told === undefined || (!isOfNonce && troubles.some(mayHaveArrived))) {
        throw new BroadcastUnknownError(hash, troubles);
      }
      const detail = answeredError(told.error).message || String(told.error);
      throw new BroadcastRefusedError(hash, told.reason, detail, told.error);
    }
  }

  onWake(wake: () => void): () => void {
    this.#wakes.add(wake);
    if (this.#wakes.size === 1) this.#startWaking();
    return () => {
      if (this.#wakes.delete(wake) && this.#wakes.size === 0) this.#stopWaking();
    };
  }

  async close(): Promise<void> {
    this.#wakes.clear();
    this.#stopWaking();
    for (const endpoint of this.#endpoints) endpoint.close();
  }

  /** The heads of those that answer. Once the first has, the others have little time left. Throws NoNodeError. */
  async #readHeads(asked: readonly Endpoint[]): Promise<{ endpoint: Endpoint; head: Head }[]> {
    const heads: { endpoint: Endpoint; head: Head }[] = [];
    const troubles: EndpointError[] = [];
    const tries = asked.map(async (endpoint) => {
      try {
        heads.push({ endpoint, head: await endpoint.readHead() });
      } catch (error) {
        troubles.push(
          error instanceof EndpointError ? error : new EndpointError(endpoint.name, "badAnswer", String(error), error),
        );
        throw error;
      }
    });
    const all = Promise.allSettled(tries);
    await Promise.any(tries).catch(() => undefined);
    if (heads.length > 0) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise((resolve) => (timer = setTimeout(resolve, this.#options.headWaitMs)));
      await Promise.race([all, late]);
      clearTimeout(timer);
    } else await all;
    if (heads.length === 0) throw new NoNodeError("eth_getBlockByNumber", troubles);
    return heads.toSorted((a, b) => this.#endpoints.indexOf(a.endpoint) - this.#endpoints.indexOf(b.endpoint));
  }

  /** Whether a node has the head that it tells of: whoever makes one up has no such block. */
  async #has(endpoint: Endpoint, head: Head): Promise<boolean> {
    if (this.#confirmed.get(endpoint) === head.hash) return true;
    try {
      const block = headOf(await endpoint.send("eth_getBlockByNumber", [`0x${head.number.toString(16)}`, false]));
      if (block?.hash === head.hash) {
        this.#confirmed.set(endpoint, head.hash);
        return true;
      }
    } catch (error) {
      if (error instanceof EndpointError && error.trouble !== "behind") return false; // it rests already
    }
    endpoint.rest(new EndpointError(endpoint.name, "lies", `it does not have block ${head.number}, its own head`));
    return false;
  }

  #setAside(heads: readonly { endpoint: Endpoint; head: Head }[], best: Head, newestAt: number): void {
    const { freshBlocks, freshSeconds } = this.#options;
    for (const { endpoint, head } of heads) {
      const behind = best.number - head.number;
      const late = Math.min(newestAt, best.timestamp) - head.timestamp;
      if (behind <= freshBlocks && late <= freshSeconds) continue;
      endpoint.rest(new EndpointError(endpoint.name, "behind", `${behind} blocks and ${late} s behind the best head`));
    }
  }

  /** The pinned one, those that are well, those that are not; of equals the one with the higher head. */
  #inOrder(): Endpoint[] {
    const rank = (endpoint: Endpoint) => {
      if (endpoint.isResting) return 3;
      if (endpoint === this.#pinned) return 0;
      return endpoint.isDoubted ? 2 : 1;
    };
    return this.#endpoints.toSorted((a, b) => rank(a) - rank(b) || (b.head?.number ?? 0) - (a.head?.number ?? 0));
  }

  #startWaking(): void {
    const { silenceMs, retryMs, log, metrics } = this.#options;
    this.#pollAgain();
    this.#watches = this.#endpoints.flatMap(({ ws, name }) =>
      ws === undefined
        ? []
        : [
            new HeadWatch({
              url: ws,
              silenceMs,
              retryMs,
              onHead: () => this.#wakeAll(),
              onTrouble: (detail) => {
                metrics.count("websocket_troubles", { endpoint: name });
                log.warn({ endpoint: name, detail }, "websocket lost, polling goes on");
              },
            }),
          ],
    );
  }

  #stopWaking(): void {
    clearTimeout(this.#timer);
    for (const watch of this.#watches) watch.close();
    this.#watches = [];
  }

  #pollAgain(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#wakeAll(), this.#options.pollMs);
  }

  #wakeAll(): void {
    if (this.#wakes.size > 0) this.#pollAgain();
    for (const wake of this.#wakes) wake();
  }
}

/** Whether a node that gave no answer may have what it was sent. */
function mayHaveArrived({ trouble, cause }: EndpointError): boolean {
  const code = cause instanceof Error ? (cause.cause as { code?: unknown } | undefined)?.code : undefined;
  return trouble !== "throttled" && code !== "ECONNREFUSED" && code !== "ENOTFOUND";
}

/** Whether the node refuses a transaction because it has it. */
function isKnown(error: unknown): boolean {
  return /already ?(known|imported|exists)|known transaction/i.test(answeredError(error).message);
}

function refusalOf(error: unknown): RefusedBroadcast {
  if (isError(error, "NONCE_EXPIRED")) return "nonceTooLow";
  if (isError(error, "REPLACEMENT_UNDERPRICED")) return "underpriced";
  if (isError(error, "INSUFFICIENT_FUNDS") || /enough funds/i.test(answeredError(error).message))
    return "insufficientFunds";
  return "other";
}
