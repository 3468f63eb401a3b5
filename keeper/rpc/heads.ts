export interface HeadWatchOptions {
  readonly url: string;
  /** Without a word for so long the connection counts as dead. */
  readonly silenceMs: number;
  /** Before the first new attempt; doubled after each that fails, up to half a minute. */
  readonly retryMs: number;
  onHead(): void;
  onTrouble(detail: string): void;
}

const longestRetryMs = 30_000;

/**
 * Hears of new heads over a websocket, and connects anew when it breaks or falls silent. It says nothing about what is in a head: whoever
 * hears of one looks for himself.
 */
export class HeadWatch {
  readonly #options: HeadWatchOptions;
  #socket: WebSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #attempts = 0;
  #isClosed = false;

  constructor(options: HeadWatchOptions) {
    this.#options = options;
    this.#connect();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  #connect(): void {
    const socket = new WebSocket(this.#options.url);
    this.#socket = socket;
    let isOver = false;
    const fail = (detail: string) => {
      if (isOver || this.#isClosed) return;
      isOver = true;
      socket.close();
      this.#options.onTrouble(detail);
      const pauseMs = Math.min(longestRetryMs, this.#options.retryMs * 2 ** Math.min(this.#attempts, 10));
      this.#attempts += 1;
      this.#after(pauseMs, () => this.#connect());
    };
    const watch = () => this.#after(this.#options.silenceMs, () => fail(`silent for ${this.#options.silenceMs} ms`));
    watch();
    socket.addEventListener("open", () => {
      socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_subscribe", params: ["newHeads"] }));
    });
    socket.addEventListener("message", ({ data }) => {
      if (isOver || this.#isClosed) return;
      if (isRefusal(data)) return fail("it has no subscription to new heads");
      this.#attempts = 0;
      watch();
      this.#options.onHead();
    });
    socket.addEventListener("error", () => fail("the connection failed"));
    socket.addEventListener("close", () => fail("the connection was closed"));
  }

  #after(ms: number, run: () => void): void {
    clearTimeout(this.#timer);
    if (!this.#isClosed) this.#timer = setTimeout(run, ms).unref();
  }
}

function isRefusal(data: unknown): boolean {
  try {
    return typeof data !== "string" || "error" in (JSON.parse(data) as object);
  } catch {
    return true;
  }
}
