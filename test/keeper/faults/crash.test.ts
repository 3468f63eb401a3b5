import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import { Transaction } from "ethers";

import { SqliteStore } from "../../../keeper/store/index.js";
import type { AccountId } from "../../../sdk/index.js";
import { type Running, start, tsx } from "../../helpers/processes.js";
import { until } from "../until.js";
import { type Conduct, honest } from "../proxy.js";
import type { ProcessOptions } from "./keeperProcess.js";
import { type FaultScene, atRiskPrice, gwei, keeperWallet, meanings, openScene, rawsOf } from "./scene.js";

const sendRaw = "eth_sendRawTransaction";
const { address, privateKey } = keeperWallet();

/** What a keeper's process says of a turn. */
interface Told {
  readonly block?: number;
  readonly acted?: readonly AccountId[];
  readonly skipped?: readonly { readonly account: AccountId }[];
}

describe("faults: a keeper that is killed in the middle of a send", () => {
  let scene: FaultScene;
  let folder: string;
  let file: string;
  let running: Running[] = [];
  before(async () => (scene = await openScene(3)));
  after(() => scene?.close());
  beforeEach(async () => {
    await scene.reset();
    folder = mkdtempSync(join(tmpdir(), "ballast-"));
    file = join(folder, "state.sqlite");
  });
  afterEach(async () => {
    for (const process of running) await process.stop("SIGKILL");
    running = [];
    rmSync(folder, { recursive: true, force: true });
  });

  async function startKeeper(): Promise<Running> {
    const options: ProcessOptions = {
      url: scene.proxies[0].url,
      file,
      deployment: JSON.stringify(scene.world.deployment),
      key: privateKey,
    };
    const process = start([...tsx, "test/keeper/faults/keeperProcess.ts"], { KEEPER: JSON.stringify(options) });
    running.push(process);
    await process.printed(/"block"/);
    return process;
  }

  /** Holds whatever the keeper asks while something is done. */
  async function unseen(act: () => Promise<void>): Promise<void> {
    const [proxy] = scene.proxies;
    const { conduct } = proxy;
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    proxy.conduct = async (call, pass) => {
      await held;
      return proxy.conduct(call, pass);
    };
    await act();
    proxy.conduct = conduct;
    release();
  }

  async function kill(process: Running): Promise<{ fault: "drop" }> {
    await process.stop("SIGKILL");
    return { fault: "drop" };
  }

  /** Each kills the process at some request, and says when it is over. */
  const points: Readonly<Record<string, (process: Running) => Conduct>> = {
    "before it has a nonce": (process) => (call, pass) =>
      call.method === "eth_getTransactionCount" && call.params[1] === "pending" ? kill(process) : pass(),
    "before a node gets the transaction": (process) => (call, pass) =>
      call.method === sendRaw ? kill(process) : pass(),
    "after a node got it and before it has said so": (process) => async (call, pass) => {
      if (call.method !== sendRaw) return pass();
      await pass();
      return kill(process);
    },
    "after a node has said so": (process) => {
      let isSent = false;
      return async (call, pass) => {
        if (isSent) return kill(process);
        isSent = call.method === sendRaw;
        return pass();
      };
    },
    "after it is mined": (process) => async (call, pass) => {
      if (call.method === sendRaw) {
        const answer = await pass();
        await scene.node.mine();
        return answer;
      }
      if (call.method !== "eth_getTransactionReceipt") return pass();
      await pass();
      return kill(process);
    },
    "before a node gets its replacement": (process) => {
      let sent = 0;
      return async (call, pass) => {
        if (call.method === sendRaw) {
          const raws = new Set(rawsOf(scene.proxies[0]));
          if (raws.size > 1) return kill(process);
          sent += 1;
        } else if (sent > 0 && call.method === "eth_getTransactionCount") {
          await scene.node.setBaseFee(1_000n * gwei);
          await scene.node.mine();
        }
        return pass();
      };
    },
  };

  for (const [when, crash] of Object.entries(points)) {
    it(`${when} loses no liquidation, and uses no nonce for two things`, async () => {
      const [proxy] = scene.proxies;
      const first = await startKeeper();
      await unseen(async () => {
        await scene.world.push({ BTC: atRiskPrice });
        await scene.node.automine(false);
      });
      const due = await scene.liquidatable();
      expect(due).to.deep.equal(scene.poor.toSorted());
      proxy.conduct = crash(first);
      expect(await first.ended(), first.output.stderr).to.equal(null); // by a signal
      proxy.conduct = honest;

      const second = await startKeeper();
      await until(async () => {
        await scene.node.setBaseFee(1n);
        await scene.node.mine();
        return (await scene.liquidatable()).length === 0;
      }, "nobody liquidatable");
      await scene.node.mine(12);
      await until(async () => second.output.stdout.endsWith('"underWay":[]}\n'), "nothing under way");
      await second.stop("SIGKILL");

      expect(await scene.liquidated()).to.deep.equal(due);
      expect(await revertedOf(rawsOf(proxy)), "transactions that were mined and reverted").to.deep.equal([]);
      const nonces = meanings(rawsOf(proxy), address);
      expect([...nonces.values()].map(({ size }) => size)).to.deep.equal([...nonces].map(() => 1));
      expect([...nonces.keys()].toSorted((a, b) => a - b)).to.deep.equal(
        Array.from({ length: await scene.node.provider.getTransactionCount(address) }, (_, nonce) => nonce),
      );
      const { chainId, vault } = scene.world.deployment;
      const store = new SqliteStore({ file, chainId, vault });
      expect(store.openJournal().filter(({ nonce }) => !nonces.has(nonce))).to.deep.equal([]);
      store.close();
      for (const process of [first, second]) await expectNobodyMissed(process);
    });
  }

  async function revertedOf(raws: readonly string[]): Promise<string[]> {
    const hashes = [...new Set(raws.map((raw) => Transaction.from(raw).hash!))];
    const receipts = await Promise.all(hashes.map((hash) => scene.node.provider.getTransactionReceipt(hash)));
    return receipts.flatMap((receipt) => (receipt?.status === 0 ? [receipt.hash] : []));
  }

  /** In each turn whoever the lens finds liquidatable at its block was acted on or skipped. */
  async function expectNobodyMissed({ output }: Running): Promise<void> {
    const lines = output.stdout.split("\n").filter((line) => line.startsWith("{"));
    for (const { block, acted = [], skipped = [] } of lines.map((line) => JSON.parse(line) as Told)) {
      if (block === undefined) continue;
      const told = new Set([...acted, ...skipped.map(({ account }) => account)]);
      const missed = (await scene.liquidatable(block)).filter((account) => !told.has(account));
      expect(missed, `in the turn at block ${block}`).to.deep.equal([]);
    }
  }
});
