import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { type JsonRpcProvider, Wallet } from "ethers";
import { type Logger, pino } from "pino";

import { BallastError, type Deployment, accountId, parseDeployment } from "../sdk/index.js";
import { lensChunk } from "./config.js";
import { type Env, readConfig, readKeeperKeys, withoutSecrets } from "./config/index.js";
import { Keeper } from "./keeper.js";
import { checkCode, checkNodes, checkSigners, checkTaker } from "./operations/index.js";
import { failureDetail, failureReason } from "./reason.js";
import { chainIdOf, connectRpc } from "./rpc.js";

/** There is no deployment file where the keeper looks for it. */
export class DeploymentMissingError extends BallastError {
  override readonly name = "DeploymentMissingError";

  constructor(file: string, cause: unknown) {
    super(
      `cannot read ${file}: deploy first ("npx hardhat run scripts/deploy.ts --network localhost") or set deployment in the config`,
      { cause },
    );
  }
}

export interface RunOptions {
  /** Of the config; without one all keys have their defaults, which are the local chain's. */
  readonly configFile?: string;
  readonly env: Env;
}

const longestPauseMs = 30_000;

/**
 * Runs the keeper until the process gets SIGINT or SIGTERM; a turn that has begun is finished, unless the signal comes again. Throws a
 * BallastError whose message names the fix where it cannot start. Once it runs, a turn that fails is logged and the next one comes later.
 */
export async function runKeeper({ configFile, env }: RunOptions): Promise<void> {
  const config = readConfig(configFile, env);
  const deployment = readDeployment(config.deploymentFile);
  const { chainId, vault } = deployment;
  const log = pino({ level: config.logLevel });
  const { url } = config.rpc[0];
  await checkNodes(config.rpc, chainId, chainIdOf);
  const provider = connectRpc(url, chainId, config.pollMs);
  const stop = new AbortController();
  const onSignal = () => {
    if (stop.signal.aborted) process.exit(130);
    stop.abort();
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  try {
    await checkCode(provider, deployment);
    const [key] = readKeeperKeys(env, chainId);
    const signer = new Wallet(key, provider);
    const ether = await checkSigners(provider, [signer.address]);
    const { taker } = config;
    if (taker !== undefined) {
      await checkTaker(provider, deployment, accountId(signer.address, taker.index), [signer.address]);
    }
    const keeper = await Keeper.create({ signer, deployment, log, lensChunk, ...(taker && { taker }) });
    log.info({ rpc: withoutSecrets(url), chainId, vault, signers: Object.fromEntries(ether), taker }, "started");
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
        const { skipped, failed, ...counts } = await keeper.onBlock(block);
        log.debug({ block, ...counts, skipped: skipped.length, failed: failed.length }, "turn");
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
