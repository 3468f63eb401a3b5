/** Twin of contracts/types/AccountId.sol: an owner's address in the upper 20 bytes, an index in the lower 12. */
import type { AccountId } from "../../accounts.js";

export type { AccountId };

/**
 * The account with this index of this owner.
 * @param owner lower-case address
 */
export function accountIdOf(owner: string, index: bigint): AccountId {
  return `0x${owner.slice(2)}${index.toString(16).padStart(24, "0")}`;
}

/** Lower-case address. */
export function owner(account: AccountId): string {
  return account.slice(0, 42);
}

export function index(account: AccountId): bigint {
  return BigInt(`0x${account.slice(42)}`);
}
