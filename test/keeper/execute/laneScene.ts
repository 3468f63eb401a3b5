import type { Wallet } from "ethers";

import { Journal } from "../../../keeper/execute/journal.js";
import { Lane, type LanePolicy, type Sending, lanePolicy } from "../../../keeper/execute/lane.js";
import type { LaneTransaction, Task } from "../../../keeper/execute/transaction.js";
import type { Store } from "../../../keeper/parts.js";
import { PoolProvider, RpcPool } from "../../../keeper/rpc/index.js";
import { MemoryStore } from "../../../keeper/store/index.js";
import type { AccountId } from "../../../sdk/index.js";
import { type MockToken, MockToken__factory } from "../../../typechain-types/index.js";
import { type LogLine, keptLog } from "../../helpers/keeper.js";
import { testKey } from "../../helpers/keys.js";
import { Tally } from "../tally.js";
import { type LocalNode, startNode } from "../node.js";
import { type Proxy, openProxy } from "../proxy.js";

export const chainId = 31337;
export const gwei = 10n ** 9n;

/** A node with a token on it, a proxy in front of it, and lanes. */
export interface LaneScene {
  readonly node: LocalNode;
  readonly proxy: Proxy;
  readonly token: MockToken;
  readonly store: MemoryStore;
  readonly metrics: Tally;
  readonly lines: LogLine[];
  /** A lane of a key; of a store and with a policy of its own where they are given. */
  lane(options?: { readonly key?: number; readonly store?: Store; readonly policy?: Partial<LanePolicy> }): Lane;
  /** A transfer of so many tokens, which the signer needs to have, to somebody else. */
  transfer(amount: bigint, changes?: Partial<Task>): Task;
  nonce(key?: number, block?: "latest" | "pending"): Promise<number>;
  /** Tokens that transfers have brought. */
  received(): Promise<bigint>;
}

export const laneKey = 5;
const receiver = "0x00000000000000000000000000000000000000fe";
export const account = (index: number) => `0x${index.toString(16).padStart(64, "0")}` as AccountId;

export interface Stand {
  /** A scene on the chain as it was at first. */
  scene(): Promise<LaneScene>;
  close(): Promise<void>;
}

export async function openStand(): Promise<Stand> {
  const node = await startNode();
  const proxy = await openProxy(node.url);
  const admin = testKey(0).connect(node.provider);
  const token = await new MockToken__factory(admin).deploy("Token", "TKN", 18);
  await token.waitForDeployment();
  await (await token.mint(testKey(laneKey).address, 1_000_000n)).wait();
  let snapshot = await node.snapshot();
  let pools: { close(): Promise<void>; destroy(): void }[] = [];

  return {
    async scene() {
      for (const pool of pools) pool.destroy();
      pools = [];
      proxy.conduct = (_, pass) => pass();
      proxy.seen.length = 0;
      await node.revert(snapshot);
      await node.automine(true);
      snapshot = await node.snapshot();
      const store = new MemoryStore();
      const metrics = new Tally();
      const { log, lines } = keptLog();
      return {
        node,
        proxy,
        token,
        store,
        metrics,
        lines,
        lane({ key = laneKey, store: own = store, policy = {} } = {}) {
          const pool = new RpcPool({ endpoints: [{ url: proxy.url }], chainId, pollMs: 50, log, metrics });
          const provider = new PoolProvider(pool, chainId);
          pools.push({ close: () => pool.close(), destroy: () => provider.destroy() });
          return new Lane({
            signer: testKey(key) as unknown as Wallet,
            pool,
            provider,
            chainId,
            journal: new Journal(own, log, metrics),
            log,
            metrics,
            policy: { ...lanePolicy, ...policy },
          });
        },
        transfer: (amount, changes = {}) => ({
          kind: "liquidate",
          accounts: [account(Number(amount))],
          to: String(token.target),
          data: token.interface.encodeFunctionData("transfer", [receiver, amount]),
          feeBudgetWei: undefined,
          ...changes,
        }),
        nonce: (key = laneKey, block = "latest") => node.provider.getTransactionCount(testKey(key).address, block),
        received: () => token.balanceOf(receiver),
      };
    },
    async close() {
      for (const pool of pools) {
        pool.destroy();
        await pool.close();
      }
      await proxy.close();
      await node.close();
    },
  };
}

/** The transaction of a sending that came to one. */
export function sentBy(sending: Sending): LaneTransaction {
  if (sending.kind !== "sent") throw new Error(`${sending.kind}: ${sending.reason}, ${sending.detail}`);
  return sending.transaction;
}
