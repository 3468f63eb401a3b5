import { FetchRequest, JsonRpcProvider, Network } from "ethers";

import { BallastError, WrongChainError } from "../sdk/index.js";
import { requestTimeoutMs } from "./config.js";

/** Nobody answers at the address of the node, or not as a node does. */
export class RpcUnreachableError extends BallastError {
  override readonly name = "RpcUnreachableError";
  readonly url: string;

  constructor(url: string, cause: unknown) {
    super(`no node answers at ${url}: start one there ("npx hardhat node") or set BALLAST_RPC_URL`, { cause });
    this.url = url;
  }
}

/**
 * A provider for this chain and no other. It asks for the chain id once, keeps no answer (each turn must see its own block), and sends
 * each request at once. Throws RpcUnreachableError and WrongChainError.
 */
export async function connectRpc(url: string, chainId: number, pollMs: number): Promise<JsonRpcProvider> {
  const request = new FetchRequest(url);
  request.timeout = requestTimeoutMs;
  const network = Network.from(chainId);
  const provider = new JsonRpcProvider(request, network, {
    staticNetwork: network,
    cacheTimeout: -1,
    batchMaxCount: 1,
    pollingInterval: pollMs,
  });
  try {
    const actual = Number(await provider.send("eth_chainId", []));
    if (actual !== chainId) throw new WrongChainError(chainId, actual);
    return provider;
  } catch (error) {
    provider.destroy();
    throw error instanceof WrongChainError ? error : new RpcUnreachableError(withoutSecrets(url), error);
  }
}

/** Providers put keys into paths and queries of their addresses; what is printed has none. */
export function withoutSecrets(url: string): string {
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
}
