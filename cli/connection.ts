import { readFileSync } from "node:fs";

import type { Command } from "commander";
import { FetchRequest, JsonRpcProvider, Network } from "ethers";

import { Ballast, BallastError, type Deployment, WrongChainError, parseDeployment } from "../sdk/index.js";
import { UsageError } from "./errors.js";

/** Nobody answers at the address of the node, or not as a node does. */
export class NodeUnreachableError extends BallastError {
  override readonly name = "NodeUnreachableError";

  constructor(url: string, cause: unknown) {
    super(
      `no node answers at ${new URL(url).host}: start one there ("npx hardhat node") or give another one with --rpc`,
      {
        cause,
      },
    );
  }
}

export interface ConnectionOptions {
  readonly rpc: string;
  readonly deployment: string;
  readonly json?: true;
}

const timeoutMs = 15_000;

/** Adds the options of whatever reads a chain. */
export function withConnection(command: Command): Command {
  return command
    .option("--rpc <url>", "of any node of the deployment's chain", "http://127.0.0.1:8545")
    .option(
      "--deployment <file>",
      "addresses.json, as the deploy script wrote it",
      "deployments/localhost/addresses.json",
    )
    .option("--json", "one JSON object on one line of stdout; amounts are decimal strings");
}

/** Connects, reads, disconnects. Throws UsageError, NodeUnreachableError, WrongChainError, NotDeployedError. */
export async function connected<T>(options: ConnectionOptions, read: (ballast: Ballast) => Promise<T>): Promise<T> {
  const deployment = readDeployment(options.deployment);
  const provider = await connect(options.rpc, deployment.chainId);
  try {
    return await read(await Ballast.connect(provider, deployment));
  } finally {
    provider.destroy();
  }
}

function readDeployment(file: string): Deployment {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new UsageError(`cannot read ${file}: give the addresses.json of a deployment with --deployment`, { cause });
  }
  return parseDeployment(text);
}

async function connect(url: string, chainId: number): Promise<JsonRpcProvider> {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new UsageError('--rpc must be an http or https address of a node, such as "http://127.0.0.1:8545"');
  }
  const request = new FetchRequest(url);
  request.timeout = timeoutMs;
  const network = Network.from(chainId);
  const provider = new JsonRpcProvider(request, network, { staticNetwork: network, cacheTimeout: -1 });
  let actual: number;
  try {
    actual = Number(await provider.send("eth_chainId", []));
  } catch (cause) {
    provider.destroy();
    throw new NodeUnreachableError(url, cause);
  }
  if (actual === chainId) return provider;
  provider.destroy();
  throw new WrongChainError(chainId, actual);
}
