import { FetchRequest, type GetUrlResponse, JsonRpcProvider, Network, isError } from "ethers";
import type { JsonRpcPayload, JsonRpcResult } from "ethers";

import { EndpointError, type Trouble } from "./errors.js";

/** A block that a node says is its last. */
export interface Head {
  readonly number: number;
  readonly hash: string;
  /** Unix seconds. */
  readonly timestamp: number;
}

/** Of JSON-RPC: "limit exceeded"; some nodes put HTTP's own number there. */
const throttleCodes = new Set([-32005, 429]);
/** Nodes have no number for it: a block, or the state after it, that the node has not, or has no more. */
const missingState =
  /header not found|block not found|unknown block|missing trie node|state .*(not available|is pruned)/i;

const firstRestMs = 1_000;
const throttledRestMs = 2_000;
const longestRestMs = 60_000;
const doubtMs = 60_000;

/** Providers put keys into paths and queries of their addresses; what is printed has none. */
export function withoutSecrets(url: string): string {
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
}

/** ethers' client, one request at a time and at once, whose failures say what kind they are. */
class Line extends JsonRpcProvider {
  readonly #name: string;

  constructor(url: string, name: string, chainId: number, timeoutMs: number) {
    const network = Network.from(chainId);
    super(lineRequest(url, timeoutMs), network, { staticNetwork: network, cacheTimeout: -1, batchMaxCount: 1 });
    this.#name = name;
  }

  override async _send(payload: JsonRpcPayload | JsonRpcPayload[]): Promise<JsonRpcResult[]> {
    const request = this._getConnection();
    request.body = JSON.stringify(payload);
    request.setHeader("content-type", "application/json");
    const fail = (trouble: Trouble, detail: string, cause?: unknown, retryAfterMs?: number) =>
      new EndpointError(this.#name, trouble, detail, cause, retryAfterMs);
    let response;
    try {
      response = await request.send();
    } catch (error) {
      const isLate = error instanceof Error && /timeout/i.test(error.name);
      throw fail(isLate ? "timeout" : "unreachable", messageOf(error), error);
    }
    const { statusCode } = response;
    if (statusCode === 429)
      throw fail("throttled", "HTTP 429", undefined, retryAfterMs(response.getHeader("retry-after")));
    if (statusCode >= 500) throw fail("serverError", `HTTP ${statusCode}`);
    try {
      const body: unknown = response.bodyJson;
      const answers = (Array.isArray(body) ? body : [body]) as JsonRpcResult[]; // or errors, which ethers tells apart
      if (answers.every(isAnswer)) return answers;
      throw new TypeError(`the answer is ${JSON.stringify(body)}`);
    } catch (error) {
      throw fail("badAnswer", `HTTP ${statusCode}, ${messageOf(error)}`, error);
    }
  }
}

/** One node, and how it is. Times are of the monotonic clock. */
export class Endpoint {
  readonly name: string;
  /** Where it tells of new heads by itself. */
  readonly ws: string | undefined;
  readonly #line: Line;
  readonly #onTrouble: (error: EndpointError) => void;
  #failures = 0;
  #restsUntilMs = 0;
  #restsFor: Trouble | undefined;
  #doubtedUntilMs = 0;
  /** What it said last of its head. */
  head: Head | undefined;

  constructor(
    { url, ws }: { readonly url: string; readonly ws?: string | undefined },
    chainId: number,
    timeoutMs: number,
    onTrouble: (error: EndpointError) => void,
  ) {
    this.name = withoutSecrets(url);
    this.ws = ws;
    this.#line = new Line(url, this.name, chainId, timeoutMs);
    this.#onTrouble = onTrouble;
  }

  /** Whether it is better left alone for now. */
  get isResting(): boolean {
    return performance.now() < this.#restsUntilMs;
  }

  /** Whether others are to be believed first. */
  get isDoubted(): boolean {
    return performance.now() < this.#doubtedUntilMs;
  }

  /** Throws EndpointError where the node is in trouble, and what ethers makes of it where the node refuses the question. */
  async send(method: string, params: unknown[]): Promise<unknown> {
    try {
      const answer = await this.#line.send(method, params);
      this.#failures = 0;
      return answer;
    } catch (error) {
      const trouble = this.#troubleOf(error);
      if (trouble === undefined) {
        this.#failures = 0; // a refusal is an answer
        throw error;
      }
      if (trouble.trouble !== "behind") this.rest(trouble);
      throw trouble;
    }
  }

  async readHead(): Promise<Head> {
    const head = headOf(await this.send("eth_getBlockByNumber", ["latest", false]));
    if (head === undefined) throw this.rest(new EndpointError(this.name, "badAnswer", "its head is no block"));
    this.head = head;
    return head;
  }

  /** Leaves the node alone for a while, the longer the oftener it fails. */
  rest(error: EndpointError): EndpointError {
    const firstMs = error.trouble === "throttled" ? throttledRestMs : firstRestMs;
    const restMs = Math.min(longestRestMs, firstMs * 2 ** this.#failures);
    this.#restsUntilMs = performance.now() + Math.min(longestRestMs, error.retryAfterMs ?? restMs);
    this.#restsFor = error.trouble;
    this.#failures = Math.min(this.#failures + 1, 10);
    this.#onTrouble(error);
    return error;
  }

  /** What it told does not hold together: for a while others are believed first. */
  doubt(error: EndpointError): void {
    this.#doubtedUntilMs = performance.now() + doubtMs;
    this.#onTrouble(error);
  }

  /** Ends its rest if it was behind: whoever said so was not to be believed. */
  forgive(): void {
    if (this.#restsFor === "behind") this.#restsUntilMs = 0;
  }

  close(): void {
    this.#line.destroy();
  }

  #troubleOf(error: unknown): EndpointError | undefined {
    if (error instanceof EndpointError) return error;
    if (isError(error, "BAD_DATA")) return new EndpointError(this.name, "badAnswer", error.shortMessage, error);
    const { code, message } = answeredError(error);
    if (throttleCodes.has(code)) return new EndpointError(this.name, "throttled", message, error);
    if (missingState.test(message)) return new EndpointError(this.name, "behind", message, error);
    return undefined;
  }
}

/** A header of a node's; undefined: it is none. */
export function headOf(block: unknown): Head | undefined {
  if (typeof block !== "object" || block === null) return undefined;
  const { number, hash, timestamp } = block as Record<string, unknown>;
  const head = { number: Number(number), hash: String(hash), timestamp: Number(timestamp) };
  return Number.isSafeInteger(head.number) && Number.isSafeInteger(head.timestamp) ? head : undefined;
}

/** The error that a node answered with, which ethers keeps in one of two places. */
export function answeredError(error: unknown): { readonly code: number; readonly message: string } {
  const { error: own, info } = (error ?? {}) as { error?: unknown; info?: { error?: unknown } };
  const { code, message } = (own ?? info?.error ?? {}) as { code?: unknown; message?: unknown };
  return { code: Number(code), message: typeof message === "string" ? message : "" };
}

function isAnswer(answer: unknown): boolean {
  return typeof answer === "object" && answer !== null && ("result" in answer || "error" in answer);
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error ? `${error.message}: ${cause.message}` : error.message;
}

function retryAfterMs(header: string): number | undefined {
  const seconds = Number(header);
  return header !== "" && Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}

/** ethers lets a request that is late hang; this one is ended, and what the server wants fewer of is not repeated at once. */
function lineRequest(url: string, timeoutMs: number): FetchRequest {
  const { username, password } = new URL(url);
  const plain = new URL(url);
  plain.username = plain.password = "";
  const request = new FetchRequest(plain.href);
  if (username !== "") {
    const secret = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString("base64");
    request.setHeader("authorization", `Basic ${secret}`);
  }
  request.timeout = timeoutMs;
  request.retryFunc = async () => false;
  request.getUrlFunc = async ({ url: to, method, headers, body }): Promise<GetUrlResponse> => {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(to, { method, headers, signal, ...(body && { body: new Uint8Array(body) }) });
    return {
      statusCode: response.status,
      statusMessage: response.statusText,
      headers: Object.fromEntries(response.headers),
      body: new Uint8Array(await response.arrayBuffer()),
    };
  };
  return request;
}
