import { once } from "node:events";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import { type AddressInfo, type Socket, connect } from "node:net";
import { text } from "node:stream/consumers";

export interface RpcCall {
  readonly jsonrpc?: string;
  readonly id: unknown;
  readonly method: string;
  readonly params: readonly unknown[];
}

export interface RpcAnswer {
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

/** What is no answer. */
export type Fault =
  /** The connection breaks. */
  | { readonly fault: "drop" }
  /** No answer comes before the proxy is closed. */
  | { readonly fault: "hang" }
  | { readonly fault: "status"; readonly status: number; readonly retryAfter?: string }
  /** A body that is no JSON. */
  | { readonly fault: "text"; readonly text: string };

/** How the proxy treats a request; `pass` asks the node. */
export type Conduct = (call: RpcCall, pass: () => Promise<RpcAnswer>) => Promise<RpcAnswer | Fault>;

/** A way to a node that misbehaves as it is told. */
export interface Proxy {
  readonly url: string;
  readonly ws: string;
  /** How it treats requests from here on; honest at first. */
  conduct: Conduct;
  /** Every request, in order. */
  readonly seen: RpcCall[];
  /** Websocket connections that are open. */
  readonly sockets: ReadonlySet<Socket>;
  /** Whether what the node says over websockets is kept back. */
  isMute: boolean;
  count(method: string): number;
  close(): Promise<void>;
}

export const honest: Conduct = (_, pass) => pass();

/** Treats calls of one method so, and is honest otherwise. */
export const only =
  (method: string, conduct: Conduct): Conduct =>
  (call, pass) =>
    call.method === method ? conduct(call, pass) : pass();

export const drop: Conduct = async () => ({ fault: "drop" });
export const hang: Conduct = async () => ({ fault: "hang" });
export const throttled: Conduct = async () => ({ fault: "status", status: 429 });
export const broken: Conduct = async () => ({ fault: "status", status: 502 });
export const babbling: Conduct = async () => ({ fault: "text", text: "<html>busy</html>" });

/** Answers with the block of this number (or one that there is not) where it is asked for the latest. */
export const headAt =
  (shift: number): Conduct =>
  async (call, pass) => {
    if (call.method === "eth_blockNumber") {
      const { result } = await pass();
      return { result: `0x${(Number(result) + shift).toString(16)}` };
    }
    if (call.method !== "eth_getBlockByNumber" || call.params[0] !== "latest") return pass();
    const answer = await pass();
    const block = answer.result as { number: string; hash: string };
    const number = `0x${(Number(block.number) + shift).toString(16)}`;
    return { ...answer, result: { ...block, number, hash: `0x${"ab".repeat(32)}` } };
  };

export async function openProxy(target: string): Promise<Proxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => void serve(request, response));

  const treat = async (call: RpcCall): Promise<(RpcAnswer & { jsonrpc: string; id: unknown }) | Fault> => {
    proxy.seen.push(call);
    const pass = async () => {
      const response = await fetch(target, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(call),
      });
      return (await response.json()) as RpcAnswer;
    };
    const answer = await proxy.conduct(call, pass);
    return "fault" in answer ? answer : { ...answer, jsonrpc: "2.0", id: call.id };
  };
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const body = JSON.parse(await text(request)) as RpcCall | RpcCall[];
    const answers = await Promise.all((Array.isArray(body) ? body : [body]).map(treat));
    const fault = answers.find((answer) => "fault" in answer);
    if (fault === undefined) {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(Array.isArray(body) ? answers : answers[0]));
    } else if (fault.fault === "drop") response.destroy();
    else if (fault.fault === "status") {
      if (fault.retryAfter !== undefined) response.setHeader("retry-after", fault.retryAfter);
      response.writeHead(fault.status).end();
    } else if (fault.fault === "text") response.end(fault.text);
  };
  server.on("upgrade", (request: IncomingMessage, client: Socket) => {
    const node = connect(Number(port), hostname, () => {
      const headers = request.rawHeaders.reduce(
        (lines, each, at) => lines + (at % 2 === 0 ? `${each}: ` : `${each}\r\n`),
        "",
      );
      node.write(`GET ${request.url} HTTP/1.1\r\n${headers}\r\n`);
      client.pipe(node);
    });
    node.on("data", (data) => {
      if (!proxy.isMute) client.write(data);
    });
    const end = () => {
      sockets.delete(client);
      client.destroy();
      node.destroy();
    };
    sockets.add(client);
    for (const socket of [client, node]) socket.on("close", end).on("error", end);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const proxy: Proxy = {
    url: `http://${address}`,
    ws: `ws://${address}`,
    conduct: honest,
    seen: [],
    sockets,
    isMute: false,
    count: (method) => proxy.seen.filter((call) => call.method === method).length,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}
