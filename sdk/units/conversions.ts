import { divCeil, divFloor } from "../risk/libraries/FixedPoint.js";
import { type Ray, type TokenAmount, type Wad, rayDecimals, wadDecimals } from "./amounts.js";
import { requireDecimals } from "./decimals.js";

const raysOfWad = 10n ** BigInt(rayDecimals - wadDecimals);

/** Exact. The vault takes tokens of at most 18 decimals: throws DecimalsError for more. */
export function toWad(amount: TokenAmount, decimals: number): Wad {
  return (amount * wadsOfUnit(decimals)) as Wad;
}

/** Rounded toward minus infinity: what the vault pays out. Throws DecimalsError. */
export function fromWadFloor(value: Wad, decimals: number): TokenAmount {
  return divFloor(value, wadsOfUnit(decimals)) as TokenAmount;
}

/** Rounded toward plus infinity: what the vault has to get. Throws DecimalsError. */
export function fromWadCeil(value: Wad, decimals: number): TokenAmount {
  return divCeil(value, wadsOfUnit(decimals)) as TokenAmount;
}

/** Exact. */
export function wadToRay(value: Wad): Ray {
  return (value * raysOfWad) as Ray;
}

/** Rounded toward minus infinity. */
export function rayToWadFloor(value: Ray): Wad {
  return divFloor(value, raysOfWad) as Wad;
}

/** Rounded toward plus infinity. */
export function rayToWadCeil(value: Ray): Wad {
  return divCeil(value, raysOfWad) as Wad;
}

function wadsOfUnit(decimals: number): bigint {
  requireDecimals(decimals, wadDecimals);
  return 10n ** BigInt(wadDecimals - decimals);
}
