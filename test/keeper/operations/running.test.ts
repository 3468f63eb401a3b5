import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { json } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";

import { expect } from "chai";

import { SqliteStore } from "../../../keeper/store/index.js";
import { type AccountId, ownerOf } from "../../../sdk/index.js";
import { type ServedWorld, serveWorld } from "../../examples/servedWorld.js";
import { testKey } from "../../helpers/keys.js";
import { type Running, start, tsx } from "../../helpers/processes.js";
import { hang, openProxy } from "../proxy.js";

const keeperKey = 9;

interface Alerts {
  readonly chainId: number;
  readonly vault: string;
  readonly alerts: readonly Readonly<Record<string, unknown>>[];
}

/** Asks until the answer is the one that is waited for. */
async function until<T>(ask: () => Promise<T>, is: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (is(answer)) return answer;
    await sleep(50);
  }
}

describe("keeper: a process that runs, is watched, and stops", function () {
  this.timeout(180_000);
  const folder = mkdtempSync(join(tmpdir(), "ballast-running-"));
  const state = join(folder, "keeper.sqlite");
  const running: Running[] = [];
  const posted: Alerts[] = [];
  let served: ServedWorld;
  let hook: Server;
  let webhook: string;

  before(async () => {
    served = await serveWorld();
    hook = createServer((request, response) => {
      void json(request).then((body) => {
        posted.push(body as Alerts);
        response.end();
      });
    });
    hook.listen(0, "127.0.0.1");
    await once(hook, "listening");
    webhook = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/hook`;
  });

  afterEach(async () => {
    for (const process of running.splice(0)) await process.stop("SIGKILL");
  });

  after(async () => {
    hook?.close();
    await served?.close();
    rmSync(folder, { recursive: true });
  });

  function run(changes: object = {}, ...options: string[]): Running {
    const config = join(folder, "keeper.json");
    const { url, deploymentFile: deployment } = served;
    const keys = {
      rpc: [{ url }],
      deployment,
      state,
      pollMs: 50,
      http: { port: 0 },
      marginCalls: { webhook },
      ...changes,
    };
    writeFileSync(config, JSON.stringify(keys));
    const started = start([...tsx, "cli/main.ts", "keeper", "--config", config, ...options]);
    running.push(started);
    return started;
  }

  /** Where a keeper that has started serves /healthz and /metrics. */
  async function addressOf({ printed, output }: Running): Promise<string> {
    await printed(/"msg":"started"/);
    return /"http":"([^"]+)"/.exec(output.stdout)?.[1] ?? "";
  }
  const isWell = async (address: string) =>
    until(
      () => fetch(`${address}/healthz`),
      ({ status }) => status === 200,
    );

  /** An account with 1,000 of margin and 11,200 of BTC. */
  async function open(index: number): Promise<AccountId> {
    const [owner] = served.world.signers;
    const account = await served.world.fund(owner!, { USDC: "1000" }, index);
    await (await served.world.as(owner!)).trade(account, "BTC", "1.4");
    return account;
  }

  it("tells how it is, warns an account, liquidates it, and knows after a restart whom it has warned", async () => {
    const { world } = served;
    const account = await open(0);
    const keeper = run();
    const address = await addressOf(keeper);
    await isWell(address);
    const figures = await (await fetch(`${address}/metrics`)).text();
    expect(figures).to.match(/^ballast_keeper_accounts 1$/m);
    expect(figures).to.match(/^ballast_keeper_audit 1$/m);

    await world.push({ BTC: "7540" });
    await until(
      async () => posted.length,
      (length) => length > 0,
    );
    const { chainId, vault } = world.deployment;
    const [{ alerts, ...about }] = posted as [Alerts];
    expect(about).to.deep.equal({ chainId, vault });
    expect(alerts.map(({ kind, account: of, owner, index }) => [kind, of, owner, index])).to.deep.equal([
      ["marginCall", account, ownerOf(account), "0"],
    ]);

    await world.push({ BTC: "7500" });
    await keeper.printed(/"msg":"liquidated"/);
    expect((await world.ballast.health(account)).isLiquidatable).to.equal(false);
    expect(await keeper.stop("SIGTERM"), keeper.output.stderr).to.equal(0);
    expect(keeper.output.stdout).to.match(/"msg":"stopped"/);

    const again = run();
    await again.printed(/"msg":"started from a snapshot"/);
    const block = await world.ballast.provider.getBlockNumber();
    await world.passTime(1);
    await until(
      async () => (await fetch(`${await addressOf(again)}/metrics`)).text(),
      (text) => Number(/^ballast_keeper_head_block (\d+)$/m.exec(text)?.[1]) > block,
    );
    expect(await again.stop("SIGINT")).to.equal(0);
    expect(again.output.stdout).not.to.match(/"msg":"margin call"/);
    expect(posted.length).to.equal(1);
  });

  it("says in a dry run what it would send, and sends nothing", async () => {
    const { world } = served;
    await world.push({ BTC: "8000" });
    const account = await open(1);
    const sent = () => world.ballast.provider.getTransactionCount(testKey(keeperKey).address);
    const before = await sent();
    const keeper = run({ http: { port: 9464 } }, "--dry-run");
    await keeper.printed(/"msg":"started"/);
    await world.push({ BTC: "7500" });
    await keeper.printed(new RegExp(`"account":"${account}".*"msg":"would be sent"`));
    expect(await keeper.stop("SIGTERM"), keeper.output.stderr).to.equal(0);
    expect(await sent()).to.equal(before);
    expect((await world.ballast.health(account)).isLiquidatable).to.equal(true);
  });

  it("ends at once when it is told a second time", async () => {
    const proxy = await openProxy(served.url);
    try {
      const keeper = run({ rpc: [{ url: proxy.url }], nodes: { timeoutMs: 600_000 } });
      await keeper.printed(/"msg":"started"/);
      proxy.conduct = hang;
      const { length } = proxy.seen;
      await until(
        async () => proxy.seen.length,
        (now) => now > length,
      );
      keeper.child.kill("SIGINT");
      await keeper.printed(/"msg":"stopping: once more ends it at once"/);
      expect(keeper.child.exitCode).to.equal(null);
      expect(await keeper.stop("SIGINT")).to.equal(130);
    } finally {
      await proxy.close();
    }
  });

  describe("refuses to start, with one line and exit code 1, on a state file", () => {
    async function refusal(file: string): Promise<string> {
      const keeper = run({ state: file });
      expect([await keeper.ended(), keeper.output.stdout]).to.deep.equal([1, ""]);
      return keeper.output.stderr;
    }
    const stateOf = (name: string, chainId: number): string => {
      const file = join(folder, name);
      new SqliteStore({ file, chainId, vault: served.world.deployment.vault }).close();
      return file;
    };

    it("of another chain", async () => {
      const file = stateOf("chain.sqlite", 1);
      expect(await refusal(file)).to.match(
        /^ForeignStateError: the state file .*chain\.sqlite is of chain 1, .* the deployment is chain 31337, .*: set "state" to .*\n$/,
      );
    });

    it("of another version", async () => {
      const file = stateOf("version.sqlite", 31337);
      const database = new DatabaseSync(file);
      database.exec("UPDATE meta SET value = '0' WHERE key = 'version'");
      database.close();
      expect(await refusal(file)).to.match(
        /^StateVersionError: the state file .*version\.sqlite is of version 0, this keeper's is 1: .* set "state" to another path\n$/,
      );
    });

    it("that another keeper has", async () => {
      const keeper = run();
      await keeper.printed(/"msg":"started"/);
      expect(await refusal(state)).to.match(
        /^StateInUseError: the state file .* is in use by another process: stop that keeper, .*\n$/,
      );
    });
  });
});
