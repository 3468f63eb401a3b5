/** Twin of contracts/libraries/FixedPoint.sol, and of what the libraries use of OpenZeppelin's Math. */
import { int, uint } from "../checked.js";
import { panic } from "../ContractError.js";

// Signed or not: a bigint is both.
export const WAD = 10n ** 18n;
export const RAY = 10n ** 27n;

/** Rounded down; unsigned. Throws Panic: a product over 256 bits, a division by zero. */
export function mulDivDown(a: bigint, b: bigint, divisor: bigint): bigint {
  return div(uint(a * b), divisor);
}

/** Rounded up; unsigned. Throws Panic: a product over 256 bits, a division by zero. */
export function mulDivUp(a: bigint, b: bigint, divisor: bigint): bigint {
  return divUp(uint(a * b), divisor);
}

/** Rounded up; unsigned. Throws Panic: a division by zero. */
export function divUp(a: bigint, divisor: bigint): bigint {
  const quotient = div(a, divisor);
  return quotient * divisor === a ? quotient : quotient + 1n;
}

/**
 * Rounded toward minus infinity; signed. Throws Panic: a division by zero.
 * @param divisor above zero
 */
export function divFloor(a: bigint, divisor: bigint): bigint {
  const quotient = div(a, divisor);
  return a < 0n && quotient * divisor !== a ? quotient - 1n : quotient;
}

/**
 * Rounded toward plus infinity; signed. Throws Panic: a division by zero.
 * @param divisor above zero
 */
export function divCeil(a: bigint, divisor: bigint): bigint {
  const quotient = div(a, divisor);
  return a > 0n && quotient * divisor !== a ? quotient + 1n : quotient;
}

/**
 * Rounded toward minus infinity; signed. Throws Panic: a product over 256 bits, a division by zero.
 * @param divisor above zero
 */
export function mulDivFloor(a: bigint, b: bigint, divisor: bigint): bigint {
  return divFloor(int(a * b), divisor);
}

/**
 * Rounded toward plus infinity; signed. Throws Panic: a product over 256 bits, a division by zero.
 * @param divisor above zero
 */
export function mulDivCeil(a: bigint, b: bigint, divisor: bigint): bigint {
  return divCeil(int(a * b), divisor);
}

/** The absolute value. */
export function abs(a: bigint): bigint {
  return a < 0n ? -a : a;
}

/** a, or zero where it is below. */
export function positivePart(a: bigint): bigint {
  return a > 0n ? a : 0n;
}

/** Whether a and b pull in opposite directions (zero opposes nothing). */
export function opposes(a: bigint, b: bigint): boolean {
  return a !== 0n && b !== 0n && a < 0n !== b < 0n;
}

/** a, brought to between -bound and bound. */
export function clamp(a: bigint, bound: bigint): bigint {
  if (a > bound) return bound;
  return a < -bound ? -bound : a;
}

/** The smaller one. */
export function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

/** The larger one. */
export function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

/** A checked difference of unsigned numbers. Throws Panic: below zero. */
export function sub(a: bigint, b: bigint): bigint {
  return uint(a - b);
}

/** Math.mulDiv: unsigned, the product of 512 bits. Throws Panic: a quotient over 256 bits, a division by zero. */
export function mulDiv(a: bigint, b: bigint, divisor: bigint, rounding: "down" | "up" = "down"): bigint {
  const product = a * b;
  const quotient = uint(div(product, divisor));
  return rounding === "up" && quotient * divisor !== product ? uint(quotient + 1n) : quotient;
}

/** Math.sqrt: the largest integer whose square is at most `a`; unsigned. */
export function sqrt(a: bigint): bigint {
  if (a < 2n) return a;
  let root = 1n << BigInt(2 * a.toString(16).length); // above the root; Newton's steps fall to it
  for (;;) {
    const next = (root + a / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** Math.sqrt rounded up: the smallest integer whose square is at least `a`; unsigned. */
export function sqrtUp(a: bigint): bigint {
  const root = sqrt(a);
  return root * root < a ? root + 1n : root;
}

/** Rounded toward zero. Throws Panic where `/` would throw a RangeError. */
function div(a: bigint, divisor: bigint): bigint {
  if (divisor === 0n) throw panic(0x12);
  return a / divisor;
}
