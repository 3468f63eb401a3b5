import type { AccountId } from "../../sdk/index.js";
import * as twin from "../../sdk/risk/MarginVault.js";
import type { VaultCode } from "../../sdk/risk/MarginVault.js";
import type { Vault } from "../../sdk/risk/types/VaultStorage.js";
import { encodeBytesList, encodeCall, encodeWords } from "../abi.js";
import { type Want, someWant } from "../draw/cash.js";
import type { Draws } from "../draw/draws.js";
import type { Wishes, World } from "../draw/world.js";

/** The twin's entry points and views by name: sdk/risk/MarginVault.ts, or a faulty one that must be found out. */
export type Mirror = Readonly<Record<string, (...args: never[]) => unknown>>;

export const mirror: Mirror = twin as unknown as Mirror;

/** One call of the vault, for the chain and for the mirror. */
export interface Act {
  readonly name: string;
  /** Of a multicall, the calls. */
  readonly calls: readonly Act[];
  /** Lower-case address. */
  readonly caller: string;
  /** As the ABI has them. */
  readonly args: readonly unknown[];
  /** Does it in the mirror. Gives what the chain returns (hex without 0x), or throws the ContractError that the chain raises. */
  run(mirror: Mirror, $: Vault, code: VaultCode): string;
}

/** @param beyond what the twin is told besides, which the chain asks others for */
export function act(name: string, caller: string, args: readonly unknown[], beyond: readonly unknown[] = []): Act {
  const run: Act["run"] = (mirror, $, code) => {
    const entryPoint = mirror[name] as ((...all: unknown[]) => unknown) | undefined;
    if (entryPoint === undefined) throw new TypeError(`the mirror has no ${name}`);
    const returned = entryPoint($, code, ...args, ...beyond);
    return returned === undefined ? "" : encodeWords([returned]);
  };
  return { name, calls: [], caller, args, run };
}

export function multicall(caller: string, calls: readonly Act[]): Act {
  const data = calls.map(({ name, args }) => `0x${encodeCall(name, args)}`);
  const run: Act["run"] = (mirror, $, code) => {
    const many = mirror["multicall"] as ((...all: unknown[]) => unknown) | undefined;
    const each = calls.map((call) => ($: Vault, code: VaultCode) => call.run(mirror, $, code));
    return encodeBytesList(many?.($, code, each) as string[]);
  };
  return { name: "multicall", calls, caller, args: [data], run };
}

/** A kind of case: the world that it wants, what its accounts have, and what is done. */
export interface Plot {
  readonly name: string;
  /** How often it is played, beside the others. */
  readonly weight: number;
  wishes(d: Draws): Wishes;
  /** What accounts' cash should come to; all others' is as it comes. */
  wants?(world: World): Iterable<readonly [AccountId, Want]>;
  /** A last change to the state. */
  arrange?(world: World): void;
  act(world: World): Act;
}

/** What accounts have that no plot speaks of. */
export function usualWant(world: World, id: AccountId): Want {
  const { d, house } = world;
  if (id === house.insurance) return { cash: d.chance(0.3) ? 0n : d.wide(1n, 10n ** 24n) };
  if (id === house.pool && d.chance(0.8)) return { free: d.wide(10n ** 20n, 10n ** 31n) };
  return someWant(world);
}

/** The account's owner, nearly always, if it is one who calls; or an operator. */
export function callerFor(world: World, account: AccountId): string {
  const owner = account.slice(0, 42);
  const { d, vault, house } = world;
  const operator = house.callers.find((caller) => vault.permissionsOf.get(account, caller) !== 0n);
  if (operator !== undefined && d.chance(0.3)) return operator;
  return d.chance(0.95) && house.callers.includes(owner) ? owner : anyCaller(world);
}

export function anyCaller({ d, house }: World): string {
  return d.pick(house.callers as readonly [string, ...string[]]);
}
