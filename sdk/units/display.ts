import { divCeil, divFloor } from "../risk/libraries/FixedPoint.js";
import { rayDecimals, wadDecimals } from "./amounts.js";
import { digitsOf, requireDecimals } from "./decimals.js";

/** How people read a number. */
export interface DisplayOptions {
  /** Digits behind the point, always as many; 2 by default. */
  readonly places?: number;
  /** Between groups of three digits; "," by default, "" for none. */
  readonly separator?: string;
  /** "floor" by default: equity, health and what is owed never look better than they are. "nearest": a half away from zero. */
  readonly rounding?: "floor" | "ceil" | "nearest";
}

/** A wad for people: displayWad(wad("1234.567")) is "1,234.56". Throws DecimalsError. */
export function displayWad(value: bigint, options?: DisplayOptions): string {
  return display(value, wadDecimals, options);
}

/** A ray for people. Throws DecimalsError. */
export function displayRay(value: bigint, options?: DisplayOptions): string {
  return display(value, rayDecimals, options);
}

/** An amount of a token for people. Throws DecimalsError. */
export function displayTokenAmount(value: bigint, decimals: number, options?: DisplayOptions): string {
  return display(value, decimals, options);
}

function display(value: bigint, decimals: number, options: DisplayOptions = {}): string {
  const { places = 2, separator = ",", rounding = "floor" } = options;
  requireDecimals(decimals);
  requireDecimals(places);
  const [sign, whole, fraction] = digitsOf(rescaled(value, decimals, places, rounding), places);
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, () => separator);
  return `${sign}${grouped}${places === 0 ? "" : `.${fraction}`}`;
}

function rescaled(
  value: bigint,
  decimals: number,
  places: number,
  rounding: NonNullable<DisplayOptions["rounding"]>,
): bigint {
  if (places >= decimals) return value * 10n ** BigInt(places - decimals);
  const divisor = 10n ** BigInt(decimals - places);
  if (rounding === "floor") return divFloor(value, divisor);
  if (rounding === "ceil") return divCeil(value, divisor);
  const half = divisor / 2n; // a power of ten above one is even
  return value < 0n ? (value - half) / divisor : (value + half) / divisor;
}
