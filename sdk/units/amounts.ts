import { AmountError } from "./AmountError.js";
import { formatDecimal, parseDecimal } from "./decimals.js";

declare const unit: unique symbol;
type Unit<Name extends string> = bigint & { readonly [unit]: Name };

/** 1e18: prices, sizes, shares, ratios, cash, margin. A bigint; arithmetic of bigints takes the name away, `wad` gives it back. */
export type Wad = Unit<"wad">;
/** 1e27: scale, carry, share price. */
export type Ray = Unit<"ray">;
/** A token's own smallest unit. How many decimals the token has, whoever holds the amount must know. */
export type TokenAmount = Unit<"token">;

/** A decimal string in whole units ("1.5"), or a bigint of the smallest ones. Never a float. */
export type Amount = bigint | string;

export const wadDecimals = 18;
export const rayDecimals = 27;

/** Exact: wad("1.5") is 1.5e18; a bigint is wad already. Throws AmountError. */
export function wad(amount: Amount): Wad {
  return toUnits(amount, wadDecimals) as Wad;
}

/** Exact: ray("1.5") is 1.5e27; a bigint is ray already. Throws AmountError. */
export function ray(amount: Amount): Ray {
  return toUnits(amount, rayDecimals) as Ray;
}

/** Exact: tokenAmount("1.5", 6) is 1500000; a bigint is in the token's units already. Not below zero. Throws AmountError, DecimalsError. */
export function tokenAmount(amount: Amount, decimals: number): TokenAmount {
  return toUnsignedUnits(amount, decimals) as TokenAmount;
}

/** The shortest decimal string, exact: `wad` reads it back. */
export function formatWad(value: bigint): string {
  return formatDecimal(value, wadDecimals);
}

/** The shortest decimal string, exact: `ray` reads it back. */
export function formatRay(value: bigint): string {
  return formatDecimal(value, rayDecimals);
}

/** The shortest decimal string, exact: `tokenAmount` reads it back. Throws DecimalsError. */
export function formatTokenAmount(value: bigint, decimals: number): string {
  return formatDecimal(value, decimals);
}

/** Decimal string or bigint to the smallest units of so many decimals. Throws AmountError, DecimalsError. */
export function toUnits(amount: Amount, decimals: number): bigint {
  return typeof amount === "bigint" ? amount : parseDecimal(amount, decimals);
}

/** The same for what cannot be below zero. */
export function toUnsignedUnits(amount: Amount, decimals: number): bigint {
  const units = toUnits(amount, decimals);
  if (units < 0n) throw new AmountError(amount, decimals, "negative");
  return units;
}
