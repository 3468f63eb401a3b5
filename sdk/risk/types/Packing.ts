/** Twin of contracts/types/Packing.sol. Offsets are bigints and widths numbers, because that is what shifts and cuts a bigint fastest. */
import { ContractError } from "../ContractError.js";

/** The unsigned field of `bits` bits at `offset` of a word. */
export function field(word: bigint, offset: bigint, bits: number): bigint {
  return BigInt.asUintN(bits, word >> offset);
}

/** The signed (two's complement) field of `bits` bits at `offset` of a word. */
export function signedField(word: bigint, offset: bigint, bits: number): bigint {
  return BigInt.asIntN(bits, word >> offset);
}

/** The value moved to `offset`. Throws ValueOutOfRange. */
export function place(value: bigint, offset: bigint, bits: number): bigint {
  if (BigInt.asUintN(bits, value) !== value) throw outOfRange(BigInt.asIntN(256, value), bits);
  return value << offset;
}

/** The signed value in two's complement of `bits` bits moved to `offset`. Throws ValueOutOfRange. */
export function placeSigned(value: bigint, offset: bigint, bits: number): bigint {
  if (BigInt.asIntN(bits, value) !== value) throw outOfRange(value, bits);
  return BigInt.asUintN(bits, value) << offset;
}

/** The value counted in `unit`s and moved to `offset`. Throws NotRepresentable, ValueOutOfRange. */
export function placeUnits(value: bigint, unit: bigint, offset: bigint, bits: number): bigint {
  if (value % unit !== 0n) throw new ContractError("NotRepresentable", { value, unit });
  return place(value / unit, offset, bits);
}

/** The word with the field of `bits` bits at `offset` replaced by what was placed there. */
export function replace(word: bigint, offset: bigint, bits: number, placed: bigint): bigint {
  return word ^ (field(word, offset, bits) << offset) ^ placed;
}

function outOfRange(value: bigint, bits: number): ContractError {
  return new ContractError("ValueOutOfRange", { value, bits: BigInt(bits) });
}
