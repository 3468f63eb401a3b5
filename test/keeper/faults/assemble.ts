import type { Wallet } from "ethers";
import type { Logger } from "pino";

import { type HandsPolicy, KeeperHands } from "../../../keeper/execute/index.js";
import { Keeper, type KeeperDependencies } from "../../../keeper/index.js";
import type { Metrics, Store } from "../../../keeper/parts.js";
import { type PoolOptions, RpcPool } from "../../../keeper/rpc/index.js";
import type { Deployment } from "../../../sdk/index.js";

/** A keeper with all of its parts, as an operator runs it. */
export interface WholeKeeper {
  readonly keeper: Keeper;
  readonly hands: KeeperHands;
  readonly pool: RpcPool;
  close(): Promise<void>;
}

export interface Assembly {
  readonly deployment: Deployment;
  readonly endpoints: PoolOptions["endpoints"];
  readonly signers: readonly [Wallet, ...Wallet[]];
  readonly store: Store;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly pool?: Partial<PoolOptions>;
  readonly hands?: Partial<HandsPolicy>;
  readonly policy?: KeeperDependencies["policy"];
}

/** Put together, and what an earlier run left open taken over. */
export async function assemble(parts: Assembly): Promise<WholeKeeper> {
  const { deployment, endpoints, signers, store, log, metrics } = parts;
  const { chainId } = deployment;
  const pool = new RpcPool({ endpoints, chainId, pollMs: 50, log, metrics, ...parts.pool });
  const policy = { pollMs: 20, ...parts.hands };
  const hands = new KeeperHands({ signers, pool, chainId, store, log, metrics, policy });
  const keeper = new Keeper({
    node: pool,
    hands,
    deployment,
    log,
    owner: signers[0].address,
    policy: parts.policy ?? { minimumProfitWad: 0n, unknownProfit: "act" },
    store,
    metrics,
    audit: { blocks: 1, sample: 16 },
  });
  await hands.resume();
  return {
    keeper,
    hands,
    pool,
    async close() {
      await hands.close();
      await pool.close();
    },
  };
}
