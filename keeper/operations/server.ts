import { once } from "node:events";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";

import type { Logger } from "pino";

import { KeeperConfigError } from "../config/index.js";
import type { HealthReport } from "./Health.js";

export interface ServerOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly log: Logger;
  readonly health: { report(): HealthReport };
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
}

export interface OperationsServer {
  /** As it is reached. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * /healthz: 200, or 503 where something is stale, with what and why as JSON. /metrics: for Prometheus. Read only; it tells nothing secret, but
 * how much the keeper owns: on other addresses than loopback put something before it that asks who comes. Throws KeeperConfigError where the port
 * is taken.
 */
export async function serveOperations(options: ServerOptions): Promise<OperationsServer> {
  const { host, port, log } = options;
  const server = createServer({ requestTimeout: 10_000 }, (request, response) => {
    answer(request, response, options).catch((error: unknown) => {
      log.error({ path: request.url, detail: String(error) }, "request failed");
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch (cause) {
    throw listenError(cause, host, port);
  }
  server.unref();
  return { url: urlOf(server), close: () => closed(server) };
}

async function answer(
  { method, url = "/" }: IncomingMessage,
  response: ServerResponse,
  { health, metrics }: ServerOptions,
): Promise<void> {
  const send = (status: number, type: string, text: string) => {
    response
      .writeHead(status, { "content-type": type, "cache-control": "no-store" })
      .end(method === "HEAD" ? "" : text);
  };
  if (method !== "GET" && method !== "HEAD") return send(405, "text/plain", "GET or HEAD\n");
  const [path] = url.split("?", 1);
  if (path === "/metrics") return send(200, metrics.contentType, await metrics.text());
  if (path !== "/healthz") return send(404, "text/plain", "/healthz and /metrics are here\n");
  const report = health.report();
  send(report.status === "ok" ? 200 : 503, "application/json", `${JSON.stringify(report, null, 2)}\n`);
}

function listenError(cause: unknown, host: string, port: number): unknown {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "EADDRINUSE") {
    return new KeeperConfigError(
      "http.port",
      `is ${port}, which another process has on ${host}: give another one, or 0 for any`,
      cause,
    );
  }
  if (code === "EACCES")
    return new KeeperConfigError("http.port", `is ${port}, which needs more rights: give one above 1023`, cause);
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND") {
    return new KeeperConfigError(
      "http.host",
      `is ${host}, which is no address of this machine: "127.0.0.1" is its own`,
      cause,
    );
  }
  return cause;
}

function urlOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("the server has no address");
  const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
