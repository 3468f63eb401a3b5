import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";

import { expect } from "chai";
import { pino } from "pino";

import { KeeperConfigError } from "../../../keeper/config/index.js";
import { Health, type OperationsServer, PrometheusMetrics, serveOperations } from "../../../keeper/operations/index.js";

const log = pino({ level: "silent" });

describe("keeper/operations: the server", () => {
  const metrics = new PrometheusMetrics();
  let health: Health;
  let server: OperationsServer;

  beforeEach(async () => {
    health = new Health({ blockSeconds: 60, auditBlocks: 50 }, () => 0);
    server = await serveOperations({ host: "127.0.0.1", port: 0, log, health, metrics });
  });
  afterEach(() => server.close());

  const get = (path: string, method = "GET") => fetch(`${server.url}${path}`, { method });

  it("answers /healthz with 503 while something is stale, and with 200 when nothing is", async () => {
    const failing = await get("/healthz");
    expect([failing.status, await failing.json()]).to.deep.equal([503, health.report()]);
    health.note({ block: 1, stalePrices: [], audit: { block: 1, agrees: true }, journalDurable: true });
    const well = await get("/healthz?verbose");
    expect([well.status, await well.json()]).to.deep.equal([200, health.report()]);
    expect(well.headers.get("content-type")).to.equal("application/json");
  });

  it("answers /metrics as Prometheus reads it", async () => {
    metrics.count("skips", { reason: "stalePrice" }, 2);
    metrics.set("accounts", 1_234);
    metrics.observe("price_to_detect_seconds", 0.02);
    const response = await get("/metrics");
    expect(response.headers.get("content-type")).to.match(/^text\/plain; version=0\.0\.4/);
    const lines = (await response.text()).split("\n");
    expect(lines).to.include.members([
      'ballast_keeper_skips_total{reason="stalePrice"} 2',
      "ballast_keeper_accounts 1234",
      'ballast_keeper_price_to_detect_seconds_bucket{le="0.01"} 0',
      'ballast_keeper_price_to_detect_seconds_bucket{le="0.025"} 1',
      "ballast_keeper_price_to_detect_seconds_count 1",
    ]);
    expect(lines.filter((line) => line.startsWith("process_resident_memory_bytes "))).to.have.length(1);
  });

  it("has nothing else, and takes nothing", async () => {
    expect((await get("/")).status).to.equal(404);
    expect((await get("/healthz", "POST")).status).to.equal(405);
    const head = await get("/healthz", "HEAD");
    expect([head.status, await head.text()]).to.deep.equal([503, ""]);
  });

  it("refuses a port that is taken, and an address that is not this machine's, naming the key", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const refusal = async (host: string, at: number): Promise<unknown> => {
      try {
        await (await serveOperations({ host, port: at, log, health, metrics })).close();
        return undefined;
      } catch (error) {
        return error instanceof KeeperConfigError ? error.message : error;
      }
    };
    try {
      expect(await refusal("127.0.0.1", port)).to.equal(
        `http.port is ${port}, which another process has on 127.0.0.1: give another one, or 0 for any`,
      );
      expect(await refusal("192.0.2.1", 0)).to.equal(
        'http.host is 192.0.2.1, which is no address of this machine: "127.0.0.1" is its own',
      );
    } finally {
      other.close();
    }
  });

  it("counts nothing under a name that it does not know", () => {
    expect(() => metrics.count("skipped" as never)).to.throw(TypeError, "figures.ts has no such figure as skipped");
  });
});
