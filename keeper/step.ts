import { Wallet } from "ethers";
import { type Logger, pino } from "pino";

import type { Deployment } from "../sdk/index.js";
import { readConfig } from "./config.js";
import { DirectHands } from "./directHands.js";
import { Keeper, type KeeperPolicy } from "./keeper.js";
import { connectRpc } from "./rpc.js";
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

/** The keeper over HTTP, as its own loop runs it, for a caller that wants to await each turn. */
export async function createKeeperStep(options: KeeperStepOptions): Promise<KeeperStep> {
  const defaults = readConfig(options.isTaker === true ? { BALLAST_TAKER_INDEX: "0" } : {});
  const { rpcUrl, deployment, privateKey, log = pino({ level: "silent" }), policy = free } = options;
  const { taker } = defaults;
  const provider = await connectRpc(rpcUrl, deployment.chainId, options.pollMs ?? defaults.pollMs);
  const signer = new Wallet(privateKey, provider);
  const hands = new DirectHands(signer);
  const keeper = new Keeper({ node: provider, hands, deployment, log, owner: signer.address, policy, taker });
  return {
    onBlock: (blockNumber) => keeper.onBlock(blockNumber),
    close: async () => {
      await hands.close();
      provider.destroy();
    },
  };
}
