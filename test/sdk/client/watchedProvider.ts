import { BrowserProvider, type Eip1193Provider } from "ethers";

import type { Connection } from "../../../ignition/deploy.js";

interface Request {
  readonly method: string;
  readonly params: readonly unknown[];
}

/** Answers a request itself, or lets it through with `next`. */
export type Watch = (request: Request, next: () => Promise<unknown>) => Promise<unknown>;

/** An ethers provider of the chain in process, with somebody between the two. */
export function watchedProvider(connection: Connection, watch: Watch): BrowserProvider {
  const node: Eip1193Provider = {
    async request({ method, params }) {
      const list = Array.isArray(params) ? params : [];
      return watch({ method, params: list }, async () => connection.provider.request({ method, params: list }));
    },
  };
  return new BrowserProvider(node, undefined, { cacheTimeout: -1 });
}
