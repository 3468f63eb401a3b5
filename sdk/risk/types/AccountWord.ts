/** Twin of contracts/types/AccountWord.sol: an account as it is stored. */
import type { AssetSet } from "./AssetSet.js";
import { field, placeSigned, replace, signedField } from "./Packing.js";
import type { Word } from "./Word.js";

export type AccountWord = Word<"AccountWord">;

/** Wad: times an index of CashIndices it is cash; below zero a debt. */
export function principal(word: AccountWord): bigint {
  return signedField(word, 0n, 120);
}

export function assets(word: AccountWord): AssetSet {
  return field(word, 120n, 128) as AssetSet;
}

/** Bit i is market i. */
export function marketBits(word: AccountWord): bigint {
  return field(word, 120n, 96);
}

/** A word with this principal (wad), and everything else as in `others`. Throws ValueOutOfRange. */
export function toAccountWord(others: bigint, principalWad: bigint): AccountWord {
  return replace(others, 0n, 120, placeSigned(principalWad, 0n, 120)) as AccountWord;
}
