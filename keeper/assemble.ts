import { Wallet } from "ethers";
import type { Logger } from "pino";

import type { Deployment } from "../sdk/index.js";
import { type HandsPolicy, KeeperHands } from "./execute/index.js";
import { Keeper, type KeeperDependencies, type KeeperPolicy, type TakerOptions } from "./keeper.js";
import type { Metrics, Store } from "./parts.js";
import { type PoolOptions, RpcPool } from "./rpc/index.js";

export interface AssemblyOptions {
  readonly deployment: Deployment;
  readonly nodes: Pick<PoolOptions, "endpoints" | "pollMs"> & Partial<PoolOptions>;
  /** Private keys of the signers; the first one's account has the rewards, and the taker is its. */
  readonly keys: readonly [string, ...string[]];
  readonly policy: KeeperPolicy;
  readonly lane: Partial<HandsPolicy>;
  readonly taker?: TakerOptions | undefined;
  readonly store: Store;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly audit?: KeeperDependencies["audit"];
  readonly snapshotBlocks?: number | undefined;
  /** Simulates and reports, and sends nothing. */
  readonly isDryRun?: boolean;
}

export interface Assembly {
  readonly pool: RpcPool;
  readonly hands: KeeperHands;
  readonly keeper: Keeper;
  /** Finishes what is being sent, and lets go of the nodes; the store stays open. */
  close(): Promise<void>;
}

/** Puts the keeper's parts together; nothing is asked of a node yet. */
export function assembleKeeper(options: AssemblyOptions): Assembly {
  const { deployment, nodes, keys, lane, store, log, metrics, isDryRun = false, ...ofKeeper } = options;
  const { chainId } = deployment;
  const signers = keys.map((key) => new Wallet(key));
  const pool = new RpcPool({ ...nodes, chainId, log, metrics });
  const hands = new KeeperHands({ signers, pool, chainId, store, log, metrics, policy: lane, isDryRun });
  const owner = signers[0]?.address ?? "";
  const keeper = new Keeper({ ...ofKeeper, node: pool, hands, deployment, log, owner, store, metrics });
  const close = async () => {
    await hands.close();
    await pool.close();
  };
  return { pool, hands, keeper, close };
}
