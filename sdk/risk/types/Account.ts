/** Twin of contracts/types/Account.sol: an account as an operation has it in memory, with cash in the place of principal. */
import type { AccountWord } from "./AccountWord.js";
import { type AssetSet, onlyAsset } from "./AssetSet.js";
import { field, place, placeSigned, replace, signedField } from "./Packing.js";
import type { Word } from "./Word.js";

export type Account = Word<"Account">;

/** All positions share all collateral. */
export const MODE_CROSS = 0n;
/** At most one position. */
export const MODE_ISOLATED = 1n;

/** The account with this much cash (wad). Throws ValueOutOfRange. */
export function toAccount(word: AccountWord, cashWad: bigint): Account {
  return withCash(word as bigint as Account, cashWad);
}

/** Wad, interest included; below zero a debt. */
export function cash(account: Account): bigint {
  return signedField(account, 0n, 120);
}

export function assets(account: Account): AssetSet {
  return field(account, 120n, 128) as AssetSet;
}

/** Bit i is market i. */
export function marketBits(account: Account): bigint {
  return field(account, 120n, 96);
}

/** Bit i is collateral i. */
export function collateralBits(account: Account): bigint {
  return field(account, 216n, 32);
}

export function mode(account: Account): bigint {
  return field(account, 248n, 8);
}

/** Throws ValueOutOfRange. */
export function withMode(account: Account, mode: bigint): Account {
  return replace(account, 248n, 8, place(mode, 248n, 8)) as Account;
}

/** Throws ValueOutOfRange. */
export function withCash(account: Account, cashWad: bigint): Account {
  return replace(account, 0n, 120, placeSigned(cashWad, 0n, 120)) as Account;
}

/** The account with so much more cash (wad), or less where it is below zero. Throws ValueOutOfRange. */
export function plusCash(account: Account, amountWad: bigint): Account {
  return withCash(account, cash(account) + amountWad);
}

export function withAsset(account: Account, asset: number): Account {
  return (account | (onlyAsset(asset) << 120n)) as Account;
}

export function withoutAsset(account: Account, asset: number): Account {
  return (account & ~(onlyAsset(asset) << 120n)) as Account;
}
