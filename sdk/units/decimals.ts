import { AmountError, type AmountProblem, DecimalsError } from "./AmountError.js";

/** 10^77 is the largest power of ten that 256 bits hold. */
const mostDecimals = 77;
const plainDecimal = /^(-?)(\d+)(?:\.(\d+))?$/;

/**
 * Exact: "1.5" with 6 decimals is 1500000n.
 * Throws AmountError for what is no plain decimal of at most `decimals` places, DecimalsError for decimals that no unit has.
 */
export function parseDecimal(text: string, decimals: number): bigint {
  requireDecimals(decimals);
  if (typeof text !== "string") throw new AmountError(text, decimals, typeof text === "number" ? "number" : "type");
  const [, sign = "", whole = "", fraction = ""] = plainDecimal.exec(text) ?? [];
  const problem = problemOf(text, whole, fraction, decimals);
  if (problem !== undefined) throw new AmountError(text, decimals, problem);
  const magnitude = BigInt(whole + fraction.padEnd(decimals, "0"));
  return sign === "" ? magnitude : -magnitude;
}

function problemOf(text: string, whole: string, fraction: string, decimals: number): AmountProblem | undefined {
  if (text.trim() === "") return "empty";
  if (whole === "") return "notation";
  return fraction.length > decimals ? "tooManyDecimals" : undefined;
}

/** The shortest decimal string that `parseDecimal` turns back into `value`. Throws DecimalsError. */
export function formatDecimal(value: bigint, decimals: number): string {
  requireDecimals(decimals);
  const [sign, whole, fraction] = digitsOf(value, decimals);
  const shortest = fraction.replace(/0+$/, "");
  return `${sign}${whole}${shortest === "" ? "" : `.${shortest}`}`;
}

/** Sign, whole digits (at least one), and exactly `decimals` digits behind the point. */
export function digitsOf(value: bigint, decimals: number): readonly [sign: "" | "-", whole: string, fraction: string] {
  const digits = (value < 0n ? -value : value).toString().padStart(decimals + 1, "0");
  const point = digits.length - decimals;
  return [value < 0n ? "-" : "", digits.slice(0, point), digits.slice(point)];
}

/** Throws DecimalsError. */
export function requireDecimals(decimals: number, most = mostDecimals): void {
  if (!Number.isInteger(decimals) || decimals < 0 || decimals > most) throw new DecimalsError(decimals, most);
}
