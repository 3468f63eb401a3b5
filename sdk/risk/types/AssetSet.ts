/** Twin of contracts/types/AssetSet.sol: a set of priced assets, one bit each. Market i is bit i, collateral i is bit 96 + i. */
import type { Word } from "./Word.js";

/** A market, by its place in the list of markets: 0 to 95. */
export type MarketId = number;

export type AssetSet = Word<"AssetSet">;

export const MAX_MARKETS = 96;
export const MAX_COLLATERALS = 32;

const MARKETS_MASK = (1n << 96n) - 1n;
const LOW_32_BITS = 0xffff_ffffn;

/** The set of each asset alone. */
const only = Array.from({ length: 128 }, (_, asset) => (1n << BigInt(asset)) as AssetSet);

/** The asset (a bit's number in an AssetSet) that prices this market. */
export function marketAsset(market: MarketId): number {
  return market;
}

/** The asset (a bit's number in an AssetSet) that prices the collateral with this index. */
export function collateralAsset(collateralIndex: number): number {
  return MAX_MARKETS + collateralIndex;
}

/** The set that holds this asset alone; an asset beyond the last is in none. */
export function onlyAsset(asset: number): AssetSet {
  return only[asset] ?? (0n as AssetSet);
}

export function contains(set: AssetSet, asset: number): boolean {
  return (set & onlyAsset(asset)) !== 0n;
}

export function union(a: AssetSet, b: AssetSet): AssetSet {
  return (a | b) as AssetSet;
}

/** The set's markets: bit i is market i. */
export function markets(set: AssetSet): bigint {
  return set & MARKETS_MASK;
}

/** The set's collaterals: bit i is collateral i. */
export function collaterals(set: AssetSet): bigint {
  return set >> 96n;
}

/** How many assets of the set come before this one: the asset's place in an array that follows the set. */
export function rank(set: AssetSet, asset: number): number {
  return bitCount(BigInt.asUintN(asset, set));
}

export function count(set: AssetSet): number {
  return bitCount(set);
}

/** The number of ones. */
export function bitCount(bits: bigint): number {
  let ones = 0;
  for (let rest = bits; rest !== 0n; rest >>= 32n) ones += bitCount32(Number(rest & LOW_32_BITS));
  return ones;
}

/** The number of the lowest one in a word that is not zero. */
export function lowestBit(bits: bigint): number {
  let skipped = 0;
  let rest = bits;
  while ((rest & LOW_32_BITS) === 0n) {
    rest >>= 32n;
    skipped += 32;
  }
  const low = Number(rest & LOW_32_BITS);
  return skipped + 31 - Math.clz32(low & -low);
}

function bitCount32(bits: number): number {
  let sums = bits - ((bits >>> 1) & 0x5555_5555);
  sums = (sums & 0x3333_3333) + ((sums >>> 2) & 0x3333_3333);
  sums = (sums + (sums >>> 4)) & 0x0f0f_0f0f;
  return Math.imul(sums, 0x0101_0101) >>> 24;
}
