import { WAD } from "../../sdk/index.js";

// What the specification says a fill and a margin are, computed anew with exact integers; nothing is shared with the contracts.

export function ceilDiv(a: bigint, b: bigint): bigint {
  return -floorDiv(-a, b);
}

export function floorDiv(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return quotient * b !== a && a < 0n !== b < 0n ? quotient - 1n : quotient;
}

export function abs(a: bigint): bigint {
  return a < 0n ? -a : a;
}

/** A market as far as a fill needs to know it. Wad. */
export interface FillTerms {
  readonly price: bigint;
  readonly skewScale: bigint;
  /** Rates with tolerance. */
  readonly taker: bigint;
  readonly maker: bigint;
}

/** What `size` (above zero: bought) costs at this skew: size * price * (1 + (skew + size / 2) / skewScale), below zero for a sale. */
export function quote({ price, skewScale }: FillTerms, skew: bigint, size: bigint): bigint {
  // Rounded against who trades: up, whether paid or received.
  return ceilDiv(size * price * (2n * skewScale + 2n * skew + size), 2n * skewScale * WAD);
}

/** The fee of a trade that is cut where the skew passes zero: each part at its own price and its own rate. */
export function feeOf(terms: FillTerms, skew: bigint, size: bigint): bigint {
  const reduces = skew !== 0n && skew > 0n !== size > 0n;
  if (!reduces) return ceilDiv(abs(quote(terms, skew, size)) * terms.taker, WAD);
  const part = abs(size) > abs(skew) ? -skew : size;
  const fee = ceilDiv(abs(quote(terms, skew, part)) * terms.maker, WAD);
  return part === size ? fee : fee + feeOf(terms, skew + part, size - part);
}

/** One position's requirement: n * (base + lambda * |size| / (2 * skewScale)). */
export function legRequirement(size: bigint, price: bigint, base: bigint, lambda: bigint, skewScale: bigint): bigint {
  const notional = ceilDiv(abs(size) * price, WAD);
  return ceilDiv(notional * (base + ceilDiv(lambda * abs(size), 2n * skewScale)), WAD);
}

/** Debt margin and keeper floor: 5% of a net debt, and 2. */
export function generalRequirement(netCash: bigint): bigint {
  return (netCash < 0n ? ceilDiv(-netCash, 20n) : 0n) + 2n * WAD;
}

/** d(h) = min(base + slope * (1 - h), cap, h * base_maint / (1 + rho)) for the terms that all markets of the local parameters have. */
export function discountOf(health: bigint): bigint {
  const terms = [offeredOf(health), (health * 3n * WAD) / (105n * WAD)];
  return terms.reduce((least, term) => (term < least ? term : least));
}

/** min(base + slope * (1 - h), cap): what a collateral is offered at, and a position as far as health can bear it. */
export function offeredOf(health: bigint): bigint {
  const offered = WAD / 100n + (WAD - health) / 10n;
  return offered < WAD / 20n ? offered : WAD / 20n;
}

/** A leg of BTC or ETH that another account takes at the price, and the account around it. Wad. */
export interface TakenLeg {
  /** Unsigned. */
  readonly size: bigint;
  readonly price: bigint;
  readonly skewScale: bigint;
  readonly equity: bigint;
  readonly netCash: bigint;
  /** What its other positions require. */
  readonly others: bigint;
  /** Of the price, that it costs the account. */
  readonly discount: bigint;
}

/** The fee on so much: both roundings against who pays. */
export function takenFee(price: bigint, closed: bigint, discount: bigint): bigint {
  return ceilDiv(ceilDiv(closed * price, WAD) * discount, WAD);
}

/** The least that must be closed for a health of 1.1, by trying: all of it where nothing less does. */
export function closedAtPrice({ size, price, skewScale, equity, netCash, others, discount }: TakenLeg): bigint {
  const reached = (closed: bigint) => {
    const fee = takenFee(price, closed, discount);
    const leg = legRequirement(size - closed, price, (3n * WAD) / 100n, WAD, skewScale);
    return 10n * (equity - fee) >= 11n * (leg + others + generalRequirement(netCash - fee));
  };
  let [low, high] = [0n, size];
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (reached(middle)) high = middle;
    else low = middle;
  }
  return high;
}
