/** What the compiler checks by itself in Solidity, and TypeScript does not: the range of a type, and the end of an array. */
import { ContractError, panic } from "./ContractError.js";

const END_OF_UINT256 = 1n << 256n;

/** The value as an unsigned integer of so many bits. Throws Panic 0x11 where checked arithmetic would leave the type. */
export function uint(value: bigint, bits = 256): bigint {
  const end = bits === 256 ? END_OF_UINT256 : 1n << BigInt(bits);
  if (value < 0n || value >= end) throw panic(0x11);
  return value;
}

/** The value as an int256. Throws Panic 0x11 where checked arithmetic would leave the type. */
export function int(value: bigint): bigint {
  if (BigInt.asIntN(256, value) !== value) throw panic(0x11);
  return value;
}

/** The element at an index. Throws Panic 0x32 beyond the end. */
export function at<T>(list: readonly T[], index: number): T {
  const element = list[index];
  if (element === undefined) throw new ContractError("Panic", { code: 0x32n });
  return element;
}
