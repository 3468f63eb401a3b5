import { Wallet } from "ethers";
import { type Logger, pino } from "pino";

import type { Deployment } from "../sdk/index.js";
import { lensChunk as defaultLensChunk } from "./config.js";
import { Keeper, type TurnReport } from "./keeper.js";
import { connectRpc } from "./rpc.js";

export interface KeeperStepOptions {
  readonly rpcUrl: string;
  readonly deployment: Deployment;
  readonly privateKey: string;
  /** None by default. */
  readonly log?: Logger;
  readonly lensChunk?: number;
  readonly pollMs?: number;
  /** Whether the key's first account holds capital and takes what is liquidated, with the default policy. None by default. */
  readonly isTaker?: boolean;
}

const defaultPollMs = 500;
const defaultTaker = { index: 0, inventoryPercent: 100, giveBackPercent: 100 };

/** A keeper whose turns somebody else calls for. */
export interface KeeperStep {
  onBlock(blockNumber: number): Promise<TurnReport>;
  close(): Promise<void>;
}

/** The keeper over HTTP, as its own loop runs it, for a caller that wants to await each turn. */
export async function createKeeperStep(options: KeeperStepOptions): Promise<KeeperStep> {
  const { rpcUrl, deployment, privateKey, log = pino({ level: "silent" }) } = options;
  const { lensChunk = defaultLensChunk, pollMs = defaultPollMs } = options;
  const provider = connectRpc(rpcUrl, deployment.chainId, pollMs);
  try {
    const taker = options.isTaker === true ? defaultTaker : undefined;
    const signer = new Wallet(privateKey, provider);
    const keeper = await Keeper.create({ signer, deployment, log, lensChunk, ...(taker && { taker }) });
    return {
      onBlock: (blockNumber) => keeper.onBlock(blockNumber),
      close: async () => provider.destroy(),
    };
  } catch (error) {
    provider.destroy();
    throw error;
  }
}
