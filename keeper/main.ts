import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { type JsonRpcProvider, Wallet, formatEther } from "ethers";
import { type Logger, pino } from "pino";

import { BallastError, type Deployment, parseDeployment } from "../sdk/index.js";
import { type Env, readConfig, readKeeperKey } from "./config.js";
import { DirectHands } from "./directHands.js";
import { Keeper } from "./keeper.js";
import { failureDetail, failureReason } from "./reason.js";
import { connectRpc, withoutSecrets } from "./rpc.js";

/** There is no deployment file where the keeper looks for it. */
export class DeploymentMissingError extends BallastError {
  override readonly name = "DeploymentMissingError";

  constructor(file: string, cause: unknown) {
    super(
      `cannot read ${file}: deploy first ("npx hardhat run scripts/deploy.ts --network localhost") or set BALLAST_DEPLOYMENT`,
      { cause },
    );
  }
}

/** The keeper's key has nothing to pay gas with. */
export class UnfundedError extends BallastError {
  override readonly name = "UnfundedError";

  constructor(address: string) {
    super(`the keeper ${address} has no ether to pay gas with: send it some, or set BALLAST_KEEPER_KEY to another key`);
  }
}

const longestPauseMs = 30_000;

/**
 * Runs the keeper until a signal stops it or the process gets SIGINT or SIGTERM; a turn that has begun is finished. Throws a BallastError
 * whose message names the fix where it cannot start. Once it runs, a turn that fails is logged and the next one comes later.
 */
export async function runKeeper(env: Env): Promise<void> {
  const config = readConfig(env);
  const deployment = readDeployment(config.deploymentFile);
  const log = pino({ level: config.logLevel });
  const provider = await connectRpc(config.rpcUrl, deployment.chainId, config.pollMs);
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
  try {
    const signer = new Wallet(readKeeperKey(env, deployment.chainId), provider);
    const { taker } = config;
    const hands = new DirectHands(signer);
    const policy = { minimumProfitWad: 0n, unknownProfit: "act" } as const;
    const keeper = new Keeper({ node: provider, hands, deployment, log, owner: signer.address, policy, taker });
    const balance = await provider.getBalance(signer.address);
    if (balance === 0n) throw new UnfundedError(signer.address);
    const { chainId, vault } = deployment;
    const ether = formatEther(balance);
    log.info({ rpc: withoutSecrets(config.rpcUrl), chainId, vault, keeper: signer.address, ether, taker }, "started");
    await follow(keeper, provider, config.pollMs, log, stop.signal);
    log.info("stopped");
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
    provider.destroy();
  }
}

function readDeployment(file: string): Deployment {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new DeploymentMissingError(file, cause);
  }
  return parseDeployment(text);
}

/** One turn a block, the newest: blocks that pass meanwhile are read together. */
async function follow(
  keeper: Keeper,
  provider: JsonRpcProvider,
  pollMs: number,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  let last: number | undefined;
  let pauseMs = pollMs;
  while (!signal.aborted) {
    try {
      const block = Number(await provider.send("eth_blockNumber", []));
      if (block !== last) {
        const { acted, skipped, failed, ...counts } = await keeper.onBlock(block);
        log.debug({ block, ...counts, acted: acted.length, skipped: skipped.length, failed: failed.length }, "turn");
        last = block;
      }
      pauseMs = pollMs;
    } catch (error) {
      pauseMs = Math.min(2 * pauseMs, Math.max(longestPauseMs, pollMs));
      log.error({ error: failureReason(error), detail: failureDetail(error), pauseMs }, "turn failed");
    }
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined); // the signal ends the pause
  }
}
