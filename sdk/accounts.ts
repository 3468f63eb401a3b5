import { getAddress, isAddress, isHexString, toBeHex } from "ethers";

import { AccountIdError, AddressError } from "./errors.js";
import { AmountError } from "./units/AmountError.js";

/** An account of the vault: owner (20 bytes), index (12 bytes), as 0x and 64 lower-case hex digits. */
export type AccountId = `0x${string}`;

const maxIndex = 2n ** 96n - 1n;

/** The account with this index of this owner. Every address owns 2^96 of them. Throws AddressError, AmountError. */
export function accountId(owner: string, index: bigint | number = 0n): AccountId {
  if (typeof index !== "bigint" && !Number.isSafeInteger(index)) throw new AmountError(index, 0, "number");
  const position = BigInt(index);
  if (position < 0n || position > maxIndex) throw new AmountError(index, 0, position < 0n ? "negative" : "outOfRange");
  return `0x${lowerCaseAddress(owner).slice(2)}${toBeHex(position, 12).slice(2)}`;
}

/** The owner's address, checksummed. */
export function ownerOf(account: string): string {
  return getAddress(`0x${account.slice(2, 42)}`.toLowerCase());
}

/** The index below the owner. */
export function indexOf(account: string): bigint {
  return BigInt(`0x${account.slice(42)}`);
}

/** Lower-cases an account as a contract returned it, or a person wrote it. Throws AccountIdError. */
export function normalizeAccount(account: string): AccountId {
  if (!isHexString(account, 32)) throw new AccountIdError(account);
  return account.toLowerCase() as AccountId;
}

/** Throws AddressError. */
export function lowerCaseAddress(address: string): string {
  if (!isAddress(address)) throw new AddressError(address);
  return getAddress(address).toLowerCase();
}
