import { once } from "node:events";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";

import hre from "hardhat";

/** The port that was asked for belongs to another program. */
export class PortInUseError extends Error {
  override readonly name = "PortInUseError";
  readonly port: number;

  constructor(port: number, cause: unknown) {
    super(`port ${port} of 127.0.0.1 is in use: give another with --port, or none to take a free one`, { cause });
    this.port = port;
  }
}

/** One Hardhat chain on a loopback port whose clock is set, never read: every block carries the time that was set last. */
export interface Chain {
  readonly url: string;
  /** The same chain without the network in between. */
  request(method: string, params?: readonly unknown[]): Promise<unknown>;
  /** Time (Unix seconds) of the blocks from here on; it may stay the same and never goes back. */
  setTime(atSeconds: number): void;
  close(): Promise<void>;
}

const minesABlock = new Set(["eth_sendTransaction", "eth_sendRawTransaction", "evm_mine"]);
/** Questions whose answers are the same until the state changes: several keepers ask each of them about each block. */
const remembered = new Set(["eth_call", "eth_getLogs", "eth_getBlockByNumber"]);
const changesNothing = /^(eth_(?!send)|net_|web3_)/;

/** @param accounts how many keys of Hardhat's test mnemonic the node holds */
export async function startChain(options: {
  readonly genesisSeconds: number;
  readonly accounts: number;
  readonly port?: number;
}): Promise<Chain> {
  const connection = await hre.network.create({
    network: "demo",
    override: {
      accounts: { count: options.accounts },
      initialDate: new Date(options.genesisSeconds * 1000).toISOString(),
    },
  });
  let nowSeconds = options.genesisSeconds + 1;
  let last: Promise<unknown> = Promise.resolve();
  const answers = new Map<string, Promise<unknown>>();

  // One request after the other: what sets a block's time and what mines it belong together.
  const request = (method: string, params: readonly unknown[] = []): Promise<unknown> => {
    if (!changesNothing.test(method)) answers.clear(); // what is asked from here on is answered after it
    const question = remembered.has(method) ? JSON.stringify([method, params]) : undefined;
    const known = question === undefined ? undefined : answers.get(question);
    if (known !== undefined) return known;
    const run = async () => {
      if (minesABlock.has(method)) {
        await connection.provider.request({ method: "evm_setNextBlockTimestamp", params: [nowSeconds] });
      }
      return connection.provider.request({ method, params: [...params] });
    };
    const answer = last.then(run, run);
    last = answer;
    if (question !== undefined) answers.set(question, answer);
    return answer;
  };

  const server = createServer((incoming, response) => void serve(incoming, response, request));
  await listen(server, options.port ?? 0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    request,
    setTime(atSeconds) {
      if (atSeconds < nowSeconds) throw new RangeError(`time goes back from ${nowSeconds} to ${atSeconds}`);
      nowSeconds = atSeconds;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await connection.close();
    },
  };
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") throw new PortInUseError(port, error);
    throw error;
  }
}

interface RpcCall {
  readonly id: unknown;
  readonly method: string;
  readonly params?: readonly unknown[];
}

async function serve(incoming: IncomingMessage, response: ServerResponse, request: Chain["request"]): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  const answerOne = async ({ id, method, params }: RpcCall) => {
    try {
      return { jsonrpc: "2.0", id, result: await request(method, params) };
    } catch (error) {
      return { jsonrpc: "2.0", id, error: rpcError(error) };
    }
  };
  let body: unknown;
  try {
    const call = JSON.parse(Buffer.concat(parts).toString("utf8")) as RpcCall | RpcCall[];
    body = Array.isArray(call) ? await Promise.all(call.map(answerOne)) : await answerOne(call);
  } catch {
    body = { jsonrpc: "2.0", id: null, error: { code: -32700, message: "the request is not JSON" } };
  }
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function rpcError(error: unknown): { code: number; message: string; data?: unknown } {
  const message = error instanceof Error ? error.message : String(error);
  const fields = typeof error === "object" && error !== null ? (error as { code?: unknown; data?: unknown }) : {};
  const code = typeof fields.code === "number" ? fields.code : -32603;
  return fields.data === undefined ? { code, message } : { code, message, data: fields.data };
}
