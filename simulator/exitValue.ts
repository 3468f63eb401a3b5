import { WAD } from "../sdk/units/index.js";

/** A position as the vault shows it. Wad; sizes below zero are short. */
export interface OpenPosition {
  readonly market: number;
  readonly sizeWad: bigint;
  /** Unrealised profit or loss at the price. */
  readonly valueWad: bigint;
}

/** One account's assets at the price. Wad. */
export interface Holdings {
  readonly cashWad: bigint;
  /** Collateral at its full value: no haircut. */
  readonly collateralWad: bigint;
  readonly positions: readonly OpenPosition[];
}

/** Where the pool stands in a market. Wad. */
export interface Depth {
  readonly priceWad: bigint;
  readonly skewWad: bigint;
  readonly skewScaleWad: bigint;
}

/**
 * What the owner of these accounts could walk away with at these prices, fees apart: equity at the price, with the premium that closing
 * against the pool gives or costs (fill price as in the contracts), one account after the other, the poorest first. An account below
 * zero counts nothing: its owner leaves it behind, and whoever absorbs it moves the skew. Trades among the accounts, or against the pool
 * and back, do not change this value but by their fees, so it tells a gain from a mere move of the skew.
 */
export function exitValue(accounts: readonly Holdings[], depths: ReadonlyMap<number, Depth>): bigint {
  const skews = new Map([...depths].map(([market, { skewWad }]) => [market, skewWad]));
  const poorestFirst = [...accounts].toSorted((a, b) => compare(equityOf(a), equityOf(b)));
  let total = 0n;
  for (const account of poorestFirst) {
    let value = equityOf(account);
    for (const { market, sizeWad } of account.positions) {
      const depth = depths.get(market);
      const skewWad = skews.get(market);
      if (depth === undefined || skewWad === undefined) throw new RangeError(`no depth for market ${market}`);
      value += closingPremium(sizeWad, skewWad, depth);
      skews.set(market, skewWad - sizeWad);
    }
    if (value > 0n) total += value;
  }
  return total;
}

function equityOf({ cashWad, collateralWad, positions }: Holdings): bigint {
  return positions.reduce((sum, { valueWad }) => sum + valueWad, cashWad + collateralWad);
}

/** What closing brings beyond the price: size * price * (skew - size / 2) / skewScale. */
function closingPremium(sizeWad: bigint, skewWad: bigint, { priceWad, skewScaleWad }: Depth): bigint {
  return (sizeWad * priceWad * (2n * skewWad - sizeWad)) / (2n * skewScaleWad * WAD);
}

function compare(a: bigint, b: bigint): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
