import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import { text } from "node:stream/consumers";

import { freePort } from "./processes.js";

/** Another address of a node, on a loopback port: it notes what it is asked, refuses what it must, and its connection can be cut. */
export interface RpcProxy {
  readonly url: string;
  /** Methods that were asked for and passed on. */
  readonly passed: ReadonlySet<string>;
  /** Methods that were asked for and refused, each time. */
  readonly refused: readonly string[];
  cut(): Promise<void>;
  mend(): Promise<void>;
}

interface Call {
  readonly id: unknown;
  readonly method: string;
}

/** What any chain's node answers, and nothing of a development node's. */
export const isStandard = (method: string): boolean => /^(eth|net|web3)_/.test(method);

/** The same of a node that holds no keys. */
export const isKeyless = (method: string): boolean =>
  isStandard(method) && !/^eth_(accounts|sendTransaction|sign\w*)$/.test(method);

const methodNotFound = -32601;

export async function openRpcProxy(target: string, passes: (method: string) => boolean): Promise<RpcProxy> {
  const port = await freePort();
  const passed = new Set<string>();
  const refused: string[] = [];

  const answer = async (call: Call): Promise<unknown> => {
    const { id, method } = call;
    if (!passes(method)) {
      refused.push(method);
      return { jsonrpc: "2.0", id, error: { code: methodNotFound, message: `the method ${method} does not exist` } };
    }
    passed.add(method);
    const response = await fetch(target, { method: "POST", body: JSON.stringify(call) });
    return response.json();
  };
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const calls = JSON.parse(await text(request)) as Call | Call[];
    const answers = Array.isArray(calls) ? await Promise.all(calls.map(answer)) : await answer(calls);
    response.setHeader("content-type", "application/json").end(JSON.stringify(answers));
  };
  const server = createServer((request, response) => void serve(request, response));
  const mend = () => new Promise<void>((resolve) => void server.listen(port, "127.0.0.1", resolve));
  const cut = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  await mend();
  return { url: `http://127.0.0.1:${port}`, passed, refused, cut, mend };
}
