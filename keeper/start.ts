import { readFileSync } from "node:fs";

import { Wallet, formatEther } from "ethers";
import { type Logger, pino } from "pino";

import { BallastError, type Deployment, accountId, parseDeployment } from "../sdk/index.js";
import { MarginCalls, Webhook } from "./alerts/index.js";
import { type Assembly, assembleKeeper } from "./assemble.js";
import { type Env, type KeeperConfig, readKeeperKeys, withoutSecrets } from "./config/index.js";
import {
  Health,
  PrometheusMetrics,
  Watch,
  checkCode,
  checkNodes,
  checkSigners,
  checkState,
  checkTaker,
  noMetrics,
  policyOf,
  readPurses,
  serveOperations,
} from "./operations/index.js";
import type { Store } from "./parts.js";
import { PoolProvider, RpcPool } from "./rpc/index.js";
import { MemoryStore, SqliteStore } from "./store/index.js";

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

/** A keeper that is ready for its first turn. */
export interface Started extends Pick<Assembly, "keeper" | "pool"> {
  readonly watch: Watch;
  readonly marginCalls: MarginCalls;
  /** Tells what ether each signer has left. */
  lookIntoPurses(): Promise<void>;
  /** Ends it: what was sent is written down, and a snapshot with it. */
  close(): Promise<void>;
}

const webhookGraceMs = 5_000;

/**
 * Checks all that can be checked, and starts every part. Throws a BallastError that names the fix where something is not right; nothing is
 * left running then.
 */
export async function startKeeper(config: KeeperConfig, env: Env, log: Logger, isDryRun: boolean): Promise<Started> {
  const deployment = readDeployment(config.deploymentFile);
  const { chainId, vault } = deployment;
  const silent = await checkNodes(config.rpc, chainId, (url) => chainIdOf(url, chainId, config));
  const policy = policyOf(config.policy, deployment);
  if (!isDryRun) checkState(config.stateFile, chainId);
  const keys = readKeeperKeys(env, chainId);
  const signers = keys.map((key) => new Wallet(key).address);
  const endings: (() => unknown)[] = [];
  const close = async () => {
    for (const end of endings.splice(0).toReversed()) await end();
  };
  try {
    const store = openStore(config, deployment, isDryRun);
    endings.push(() => store.close());
    for (const { key, error } of silent) log.warn({ key, detail: String(error) }, "a node does not answer");

    const figures = new PrometheusMetrics();
    const health = new Health(config.health);
    const watch = new Watch(figures, health);
    const assembly = assembleKeeper({
      deployment,
      nodes: { endpoints: config.rpc, pollMs: config.pollMs, ...config.nodes },
      keys,
      policy,
      lane: { ...config.lane, maxGasPriceWei: config.policy.maxGasPriceWei, pollMs: config.pollMs },
      taker: config.taker,
      store,
      log,
      metrics: watch,
      audit: config.audit,
      snapshotBlocks: config.snapshotBlocks,
      isDryRun,
    });
    const { keeper, pool, hands } = assembly;
    endings.push(() => assembly.close());
    const provider = new PoolProvider(pool, chainId);
    endings.push(() => provider.destroy());
    await checkCode(provider, deployment);
    if (config.taker !== undefined) {
      await checkTaker(provider, deployment, accountId(signers[0] ?? "", config.taker.index), signers.slice(0, 1));
    }
    if (!isDryRun) await checkSigners(provider, signers);
    const lookIntoPurses = async () => {
      for (const [signer, wei] of await readPurses(provider, signers)) {
        watch.set("signer_ether", Number(formatEther(wei)), { signer });
        if (wei === 0n && !isDryRun) log.error({ signer }, "signer has no ether: send it some");
      }
    };
    await lookIntoPurses();
    endings.push(() => keeper.close());

    const { webhook: url, ...lines } = config.marginCalls;
    const webhook =
      url === undefined || isDryRun ? undefined : new Webhook({ url, log, metrics: watch, about: { chainId, vault } });
    endings.push(() => webhook?.close(webhookGraceMs));
    const alerts = { ...lines, store, log, metrics: watch };
    const marginCalls = new MarginCalls(webhook === undefined ? alerts : { ...alerts, webhook });

    const shown = {
      contentType: figures.contentType,
      text: () => {
        watch.refresh();
        return figures.text();
      },
    };
    const server = isDryRun ? undefined : await serveOperations({ ...config.http, log, health, metrics: shown });
    endings.push(() => server?.close());
    await hands.resume();
    const rpc = config.rpc.map((node) => withoutSecrets(node.url));
    log.info({ rpc, chainId, vault, signers, taker: config.taker, http: server?.url, isDryRun }, "started");
    return { keeper, pool, watch, marginCalls, lookIntoPurses, close };
  } catch (error) {
    await close();
    throw error;
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

/** A dry run leaves the state file alone: the keeper proper may have it. */
function openStore({ stateFile: file }: KeeperConfig, { chainId, vault }: Deployment, isDryRun: boolean): Store {
  return file === undefined || isDryRun ? new MemoryStore() : new SqliteStore({ file, chainId, vault });
}

/** Quietly: a node that does not answer is told of once. */
async function chainIdOf(url: string, chainId: number, { nodes, pollMs }: KeeperConfig): Promise<number> {
  const log = pino({ level: "silent" });
  const pool = new RpcPool({ endpoints: [{ url }], chainId, pollMs, log, metrics: noMetrics, ...nodes });
  try {
    return Number(await pool.send("eth_chainId", []));
  } finally {
    await pool.close();
  }
}
