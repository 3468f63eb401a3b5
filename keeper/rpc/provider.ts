import { JsonRpcApiProvider, type JsonRpcError, type JsonRpcResult, Network } from "ethers";

import type { NodePool } from "../parts.js";

/** ethers' provider on a pool of nodes: contracts and receipts need one. It keeps no answer and polls nothing. */
export class PoolProvider extends JsonRpcApiProvider {
  readonly #pool: NodePool;

  constructor(pool: NodePool, chainId: number) {
    const network = Network.from(chainId);
    super(network, { staticNetwork: network, cacheTimeout: -1 });
    this.#pool = pool;
  }

  override send(method: string, params: unknown[]): Promise<unknown> {
    return this.#pool.send(method, params);
  }

  /** What `send` would come to; nothing comes this way. */
  override async _send(): Promise<(JsonRpcResult | JsonRpcError)[]> {
    throw new TypeError("requests go through the pool");
  }
}
