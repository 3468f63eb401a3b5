import type { AccountId } from "../../sdk/index.js";
import { ContractError } from "../../sdk/risk/ContractError.js";
import type { VaultCode } from "../../sdk/risk/MarginVault.js";
import type { Vault } from "../../sdk/risk/types/VaultStorage.js";

/** The vault as it will stand when all that was planned so far is done: plans are made on it, and change it. */
export interface Books {
  readonly $: Vault;
  readonly code: VaultCode;
}

/** One call of the vault, in the twin. */
export type Act = ($: Vault, code: VaultCode) => void;

/** What an act would come to: the books after it, or the error that the chain would raise. */
export type Trial =
  | { readonly isDone: true; readonly $: Vault }
  | { readonly isDone: false; readonly error: string; readonly args: Readonly<Record<string, unknown>> };

/** Tries an act; the books stay as they are. */
export function tried({ $, code }: Books, act: Act): Trial {
  const fork = $.fork($.now, $.sender);
  try {
    act(fork, code);
    return { isDone: true, $: fork };
  } catch (error) {
    // Whatever else the twin throws concerns this act alone: it must not keep the others from being planned.
    if (error instanceof ContractError) return { isDone: false, error: error.errorName, args: error.args };
    return { isDone: false, error: error instanceof Error ? error.name : typeof error, args: {} };
  }
}

/**
 * Does an act that was tried on these books and went well. It runs again, on the books themselves: forks of forks would be slower with each.
 */
export function done({ $, code }: Books, act: Act): void {
  act($, code);
}

/** The arguments of the last event of this name that concerns the account. */
export function argsOf($: Vault, name: string, account: AccountId): Readonly<Record<string, unknown>> | undefined {
  return $.events.findLast((event) => event.name === name && event.args["account"] === account)?.args;
}
