/** Twin of contracts/types/Position.sol. */
import { field, place, placeSigned, signedField } from "./Packing.js";
import type { Word } from "./Word.js";

export type Position = Word<"Position">;

/** Throws ValueOutOfRange. */
export function toPosition(sharesWad: bigint, costWad: bigint, epoch: bigint): Position {
  return (placeSigned(sharesWad, 0n, 120) | placeSigned(costWad, 120n, 120) | place(epoch, 240n, 16)) as Position;
}

/** Wad: above zero shares of the long side, below zero of the short side. */
export function shares(position: Position): bigint {
  return signedField(position, 0n, 120);
}

/** Wad: what the shares were bought at; value = shares * share price - cost. */
export function cost(position: Position): bigint {
  return signedField(position, 120n, 120);
}

/** The side's epoch when the shares were bought. */
export function epoch(position: Position): bigint {
  return field(position, 240n, 16);
}
