import type { Interface } from "ethers";

import type { Deployment } from "../../../sdk/index.js";
import { functionsOf } from "../../../sdk/callers.js";
import { contractInterfaces } from "../../../sdk/contracts.js";
import { poolInterface, vaultInterface } from "./interfaces.js";

/** The names of a contract's functions that may write, by their selectors. */
function writingOf(contract: Interface): Map<string, string> {
  return new Map(functionsOf(contract).writing.map((name) => [contract.getFunction(name)!.selector, name]));
}

const ofVault = writingOf(vaultInterface);
const ofPool = writingOf(poolInterface);

export const vaultFunctionOf = (data: string): string | undefined => ofVault.get(data.slice(0, 10));
export const poolFunctionOf = (data: string): string | undefined => ofPool.get(data.slice(0, 10));

/** Every function of the vault, of its extension, which runs as the vault's, and of its pool that is no view. */
export const entries: readonly string[] = [
  ...[...new Set([...ofVault.values(), ...writingOf(contractInterfaces.VaultExtension).values()])].map(
    (name) => `MarginVault.${name}`,
  ),
  ...[...ofPool.values()].map((name) => `LiquidityPool.${name}`),
];

/** The entry point that a transaction calls; undefined if it is another contract's. */
export function entryOf(to: string, data: string, { vault, pool }: Deployment): string | undefined {
  const name = to === vault ? vaultFunctionOf(data) : to === pool ? poolFunctionOf(data) : undefined;
  return name === undefined ? undefined : `${to === vault ? "MarginVault" : "LiquidityPool"}.${name}`;
}
