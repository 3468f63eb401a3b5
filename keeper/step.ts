import { type Logger, pino } from "pino";

import type { Deployment } from "../sdk/index.js";
import { assembleKeeper } from "./assemble.js";
import type { KeeperPolicy } from "./keeper.js";
import { noMetrics } from "./operations/metrics.js";
import { MemoryStore } from "./store/index.js";
import type { TurnReport } from "./turn.js";

export interface KeeperStepOptions {
  readonly rpcUrl: string;
  readonly deployment: Deployment;
  readonly privateKey: string;
  /** None by default. */
  readonly log?: Logger;
  readonly pollMs?: number;
  /** Whether the key's first account holds capital and takes what is liquidated, with the default policy. None by default. */
  readonly isTaker?: boolean;
  /** By default gas costs nothing: it acts on whatever there is. */
  readonly policy?: KeeperPolicy;
}

/** A keeper whose turns somebody else calls for. */
export interface KeeperStep {
  onBlock(blockNumber: number): Promise<TurnReport>;
  close(): Promise<void>;
}

/** Of a chain whose gas costs nothing. */
const free: KeeperPolicy = { minimumProfitWad: 0n, unknownProfit: "act" };
const wholeEquity = { index: 0, inventoryPercent: 100, giveBackPercent: 100 };

/** The keeper over HTTP, as its own loop runs it, for a caller that wants to await each turn. Its state ends with it. */
export async function createKeeperStep(options: KeeperStepOptions): Promise<KeeperStep> {
  const { rpcUrl, deployment, privateKey, log = pino({ level: "silent" }), pollMs = 50, policy = free } = options;
  const { keeper, close } = assembleKeeper({
    deployment,
    nodes: { endpoints: [{ url: rpcUrl }], pollMs, timeoutMs: 60_000 },
    keys: [privateKey],
    policy,
    lane: { pollMs },
    taker: options.isTaker === true ? wholeEquity : undefined,
    store: new MemoryStore(),
    log,
    metrics: noMetrics,
  });
  return { onBlock: (blockNumber) => keeper.onBlock(blockNumber), close };
}
