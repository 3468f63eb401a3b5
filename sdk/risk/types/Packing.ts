/** Twin of contracts/types/Packing.sol. */
import { ContractError } from "../ContractError.js";

/** The unsigned field of `bits` bits at `offset` of a word. */
export function field(word: bigint, offset: bigint, bits: bigint): bigint {
  return (word >> offset) & ((1n << bits) - 1n);
}

/** The signed (two's complement) field of `bits` bits at `offset` of a word. */
export function signedField(word: bigint, offset: bigint, bits: bigint): bigint {
  return BigInt.asIntN(Number(bits), word >> offset);
}

/** The value moved to `offset`. Throws ValueOutOfRange. */
export function place(value: bigint, offset: bigint, bits: bigint): bigint {
  if (value >> bits !== 0n) throw new ContractError("ValueOutOfRange", { value: BigInt.asIntN(256, value), bits });
  return value << offset;
}

/** The signed value in two's complement of `bits` bits moved to `offset`. Throws ValueOutOfRange. */
export function placeSigned(value: bigint, offset: bigint, bits: bigint): bigint {
  if (BigInt.asIntN(Number(bits), value) !== value) throw new ContractError("ValueOutOfRange", { value, bits });
  return BigInt.asUintN(Number(bits), value) << offset;
}

/** The value counted in `unit`s and moved to `offset`. Throws NotRepresentable, ValueOutOfRange. */
export function placeUnits(value: bigint, unit: bigint, offset: bigint, bits: bigint): bigint {
  if (value % unit !== 0n) throw new ContractError("NotRepresentable", { value, unit });
  return place(value / unit, offset, bits);
}

/** The word with the field of `bits` bits at `offset` replaced by what was placed there. */
export function replace(word: bigint, offset: bigint, bits: bigint, placed: bigint): bigint {
  return (word & ~(((1n << bits) - 1n) << offset)) | placed;
}
