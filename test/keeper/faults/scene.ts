import { expect } from "chai";
import { Transaction, Wallet } from "ethers";
import hre from "hardhat";

import { type Assembly, type AssemblyOptions, assembleKeeper } from "../../../keeper/assemble.js";
import type { TurnReport } from "../../../keeper/index.js";
import type { Store } from "../../../keeper/parts.js";
import { MemoryStore } from "../../../keeper/store/index.js";
import { contractAt } from "../../../sdk/contracts.js";
import { type AccountId, type BallastEvent, accountId, normalizeAccount } from "../../../sdk/index.js";
import { type LogLine, keptLog } from "../../helpers/keeper.js";
import { testKey } from "../../helpers/keys.js";
import { type World, deployWorld } from "../../helpers/world.js";
import { Tally } from "../tally.js";
import { type LocalNode, startNode } from "../node.js";
import { type Proxy, honest, openProxy } from "../proxy.js";

/** Keys of keepers; none of them owns an account that is liquidated. */
export const keeperKeys = [15, 16, 17] as const;
/** At this price whoever `open` has made is liquidatable, and a part brings health back. */
export const atRiskPrice = "7500";
export const gwei = 10n ** 9n;

export const keeperWallet = (index = 0): Wallet => new Wallet(testKey(keeperKeys[index]!).privateKey);

/** What may be other than in most tests. */
export interface KeeperChoices {
  readonly keys?: AssemblyOptions["keys"];
  readonly nodes?: Partial<AssemblyOptions["nodes"]>;
  readonly lane?: AssemblyOptions["lane"];
  readonly policy?: AssemblyOptions["policy"];
  readonly store?: Store;
}

/** A keeper in a scene, and what can be seen of it. */
export interface Watched extends Assembly {
  readonly lines: LogLine[];
  readonly metrics: Tally;
  readonly store: Store;
  /** One turn, in which the accounts that the lens finds liquidatable are those acted on and those skipped. */
  turn(): Promise<TurnReport>;
}

export interface FaultScene {
  readonly node: LocalNode;
  readonly world: World;
  /** Two ways to the node. */
  readonly proxies: readonly [Proxy, Proxy];
  /** Accounts with 1,000 of margin and 11,200 of BTC. */
  readonly poor: readonly AccountId[];
  /** Has these accounts looked at as well, and the chain as it is now for its beginning. */
  watch(accounts: readonly AccountId[]): Promise<void>;
  /** Chain, proxies and keepers as they were at first. */
  reset(): Promise<void>;
  keeper(options?: KeeperChoices): Promise<Watched>;
  /** What the lens finds liquidatable at this block, or at the head. */
  liquidatable(block?: number): Promise<AccountId[]>;
  /** Accounts whose positions were liquidated since the scene began, once for each time. */
  liquidated(): Promise<AccountId[]>;
  close(): Promise<void>;
}

export async function openScene(accounts: number): Promise<FaultScene> {
  const node = await startNode();
  const proxies = [await openProxy(node.url), await openProxy(node.url)] as const;
  const connection = await hre.network.create({ network: "localhost", override: { url: node.url } });
  const world = await deployWorld(connection);
  const owner = world.signers[0]!;
  const poor: AccountId[] = [];
  for (let index = 0; index < accounts; index += 1) {
    poor.push(await world.fund(owner, { USDC: "1000" }, index));
    await (await world.as(owner)).trade(poor[index]!, "BTC", "1.4");
  }
  const first = await node.provider.getBlockNumber();
  let snapshot = await node.snapshot();
  let keepers: Watched[] = [];
  const lens = contractAt("VaultLens", world.deployment.lens, node.provider);
  const watchedToo: AccountId[] = [];
  const everybody = () => [...poor, ...watchedToo, ...keeperKeys.map((key) => accountId(testKey(key).address))];

  const scene: FaultScene = {
    node,
    world,
    proxies,
    poor,
    async watch(accounts) {
      watchedToo.push(...accounts);
      snapshot = await node.snapshot();
    },
    async reset() {
      for (const each of keepers.splice(0)) await each.close();
      for (const proxy of proxies) {
        proxy.conduct = honest;
        proxy.seen.length = 0;
      }
      await node.revert(snapshot);
      await node.automine(true);
      snapshot = await node.snapshot();
    },
    async keeper(options = {}) {
      const { log, lines } = keptLog();
      const metrics = new Tally();
      const store = options.store ?? new MemoryStore();
      const { deployment } = world;
      const whole = assembleKeeper({
        deployment,
        nodes: { endpoints: [{ url: proxies[0].url }], pollMs: 50, ...options.nodes },
        keys: options.keys ?? [keeperWallet().privateKey],
        policy: options.policy ?? { minimumProfitWad: 0n, unknownProfit: "act" },
        lane: { pollMs: 20, ...options.lane },
        store,
        log,
        metrics,
        audit: { blocks: 1, sample: 16 },
      });
      await whole.hands.resume();
      const watched: Watched = {
        ...whole,
        lines,
        metrics,
        store,
        async turn() {
          const expected = await scene.liquidatable();
          const report = await whole.keeper.onBlock();
          const told = [...report.acted, ...report.skipped.map(({ account }) => account)];
          expect(told.toSorted(), "acted on and skipped").to.deep.equal(expected);
          return report;
        },
      };
      keepers.push(watched);
      return watched;
    },
    async liquidatable(block) {
      const blockTag = block ?? (await node.provider.getBlockNumber());
      const found: string[] = [];
      const all = everybody();
      for (let at = 0; at < all.length; at += 200) {
        found.push(...(await lens.liquidatable(all.slice(at, at + 200), { blockTag })));
      }
      return found.map((id) => normalizeAccount(id)).toSorted();
    },
    async liquidated() {
      const events: BallastEvent[] = await world.ballast.events(first + 1);
      return events
        .filter(({ name }) => name === "PositionLiquidated")
        .map(({ args }) => normalizeAccount(String(args["account"])))
        .toSorted();
    },
    async close() {
      for (const each of keepers) await each.close();
      keepers = [];
      for (const proxy of proxies) await proxy.close();
      await node.close();
    },
  };
  return scene;
}

/** What was given to the node with each nonce of a signer: no nonce may stand for two things. */
export function meanings(raws: readonly string[], signer: string): Map<number, Set<string>> {
  const found = new Map<number, Set<string>>();
  for (const raw of raws) {
    const { from, nonce, to, data } = Transaction.from(raw);
    if (from?.toLowerCase() !== signer.toLowerCase()) continue;
    const isCancel = to?.toLowerCase() === signer.toLowerCase() && data === "0x";
    if (!isCancel) found.set(nonce, (found.get(nonce) ?? new Set()).add(`${to} ${data}`));
  }
  return found;
}

/** The raw transactions that a proxy saw. */
export const rawsOf = (proxy: Proxy): string[] =>
  proxy.seen.filter(({ method }) => method === "eth_sendRawTransaction").map(({ params }) => String(params[0]));
