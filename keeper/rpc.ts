import { FetchRequest, JsonRpcProvider, Network } from "ethers";

import { BallastError } from "../sdk/index.js";
import { requestTimeoutMs } from "./config.js";
import { withoutSecrets } from "./config/index.js";

/** Nobody answers at the address of the node, or not as a node does. */
export class RpcUnreachableError extends BallastError {
  override readonly name = "RpcUnreachableError";
  readonly url: string;

  constructor(url: string, cause: unknown) {
    super(`no node answers at ${url}: start one there ("npx hardhat node") or set rpc[0].url in the config`, { cause });
    this.url = url;
  }
}

/** Which chain a node is of. Throws RpcUnreachableError. */
export async function chainIdOf(url: string): Promise<number> {
  const provider = connectRpc(url, 1, 0); // any chain: it is not asked for anything else
  try {
    return Number(await provider.send("eth_chainId", []));
  } catch (error) {
    throw new RpcUnreachableError(withoutSecrets(url), error);
  } finally {
    provider.destroy();
  }
}

/** A provider that keeps no answer (each turn must see its own block), and sends each request at once. */
export function connectRpc(url: string, chainId: number, pollMs: number): JsonRpcProvider {
  const request = new FetchRequest(url);
  request.timeout = requestTimeoutMs;
  const network = Network.from(chainId);
  return new JsonRpcProvider(request, network, {
    staticNetwork: network,
    cacheTimeout: -1,
    batchMaxCount: 1,
    pollingInterval: pollMs,
  });
}
