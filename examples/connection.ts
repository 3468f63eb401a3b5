// Where the examples connect to, and as whom. A deployment file is what the deploy script writes; ask whoever deployed for it.
import { readFileSync } from "node:fs";

import { Ballast, parseDeployment } from "ballast";
import { JsonRpcProvider, Wallet } from "ethers";

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`set ${name} (see examples/connection.ts)`);
  return value;
}

const url = process.env["BALLAST_RPC_URL"] ?? "http://127.0.0.1:8545";
// By itself ethers keeps answers for a quarter of a second: on a chain that mines at once that gives two transactions one nonce.
export const provider = new JsonRpcProvider(url, undefined, { cacheTimeout: -1, pollingInterval: 500 });
export const deployment = parseDeployment(
  readFileSync(process.env["BALLAST_DEPLOYMENT"] ?? "deployments/localhost/addresses.json", "utf8"),
);

/** Reads only. */
export const reader = () => Ballast.connect(provider, deployment);

/** The key that the variable holds, connected: it signs and sends. */
export const wallet = (variable = "BALLAST_KEY") => new Wallet(setting(variable), provider);
