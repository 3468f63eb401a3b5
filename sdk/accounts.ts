import { AbiCoder, getAddress, toBeHex } from "ethers";

import { AmountError } from "./units/AmountError.js";

/** An account of the vault: owner (20 bytes), index (12 bytes), as 0x and 64 lower-case hex digits. */
export type AccountId = `0x${string}`;

const maxIndex = 2n ** 96n - 1n;

/** The account with this index of this owner. Every address owns 2^96 of them. */
export function accountId(owner: string, index: bigint | number = 0n): AccountId {
  const position = BigInt(index);
  if (position < 0n || position > maxIndex) throw new AmountError(index, 0, position < 0n ? "negative" : "outOfRange");
  return `0x${getAddress(owner).slice(2).toLowerCase()}${toBeHex(position, 12).slice(2)}`;
}

/** The owner's address, checksummed. */
export function ownerOf(account: string): string {
  return getAddress(`0x${account.slice(2, 42)}`);
}

/** The index below the owner. */
export function indexOf(account: string): bigint {
  return BigInt(`0x${account.slice(42)}`);
}

/** Lower-cases an account as a contract returned it. */
export function normalizeAccount(account: string): AccountId {
  const [checked] = AbiCoder.defaultAbiCoder().decode(["bytes32"], account) as unknown as [string];
  return checked.toLowerCase() as AccountId;
}
