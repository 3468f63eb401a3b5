/** Twin of contracts/libraries/Deferral.sol: margin checks that wait for the end of a multicall. */
import type { AccountId } from "../../accounts.js";
import { ContractError, panic } from "../ContractError.js";
import type { Vault } from "../types/VaultStorage.js";

/** Throws MulticallNested. */
export function begin($: Vault): void {
  if (isActive($)) throw new ContractError("MulticallNested");
  $.deferral.isActive = true;
}

export function end($: Vault): void {
  $.deferral.isActive = false;
}

export function isActive($: Vault): boolean {
  return $.deferral.isActive;
}

/**
 * Puts off the check of an account whose risk has grown.
 *
 * @param borrowed whether it may owe more than before
 * @returns false outside of a multicall: check now
 */
export function put($: Vault, account: AccountId, borrowed: boolean): boolean {
  if (!isActive($)) return false;
  const { accounts } = $.deferral;
  const marked = accounts.find((waiting) => waiting.account === account);
  if (marked === undefined) accounts.push({ account, borrowed });
  else marked.borrowed ||= borrowed;
  return true;
}

/** How many accounts wait for their check. */
export function count($: Vault): number {
  return $.deferral.accounts.length;
}

/** Takes the last of the accounts off the list, which must not be empty. */
export function take($: Vault): [account: AccountId, borrowed: boolean] {
  const last = $.deferral.accounts.pop();
  if (last === undefined) throw panic(0x11);
  return [last.account, last.borrowed];
}
