/** Twin of contracts/libraries/Liquidation.sol. */
import * as MarketWords from "../types/MarketWords.js";
import {
  WAD,
  abs,
  divCeil,
  divFloor,
  divUp,
  min,
  mulDivCeil,
  mulDivDown,
  mulDivUp,
  sqrtUp,
  sub,
} from "./FixedPoint.js";

/** The leg that a forced trade would close, and the account around it. Wad throughout. */
export interface ForcedLeg {
  /** Whether another account takes the leg, at the price: then closing has no impact. */
  atPrice: boolean;
  /** Notional of the leg at the price. */
  notional: bigint;
  base: bigint;
  lambda: bigint;
  /** The notional at which impact is 100%. */
  depth: bigint;
  /** Impact of an infinitely small close; below zero it earns. */
  gradient: bigint;
  equity: bigint;
  /** Without debt margin: the requirement of everything but this leg. */
  otherRequirement: bigint;
  netCash: bigint;
  debtMargin: bigint;
  target: bigint;
}

export function emptyForcedLeg(): ForcedLeg {
  return {
    atPrice: false,
    notional: 0n,
    base: 0n,
    lambda: 0n,
    depth: 0n,
    gradient: 0n,
    equity: 0n,
    otherRequirement: 0n,
    netCash: 0n,
    debtMargin: 0n,
    target: 0n,
  };
}

/**
 * min(base + slope * (1 - h), cap, h * base_maint / (1 + rho)), wad, rounded down. Throws Panic for a health above 1, as an account
 * without any requirement has.
 */
export function discountDown(
  healthWad: bigint,
  terms: MarketWords.DiscountTerms,
  maintenanceBaseWad: bigint,
  debtMarginWad: bigint,
): bigint {
  return min(offeredDown(healthWad, terms), costBound(healthWad, maintenanceBaseWad, debtMarginWad));
}

/** min(base + slope * (1 - h), cap), wad, rounded down: the discount on a collateral. Throws Panic for a health above 1. */
export function offeredDown(healthWad: bigint, terms: MarketWords.DiscountTerms): bigint {
  const offered =
    MarketWords.discountBase(terms) + mulDivDown(MarketWords.discountSlope(terms), sub(WAD, healthWad), WAD);
  return min(offered, MarketWords.discountCap(terms));
}

/** h * base_maint / (1 + rho): the most that closing one unit of notional may cost an account of this health. Wad, rounded down. */
export function costBound(healthWad: bigint, baseWad: bigint, debtMarginWad: bigint): bigint {
  return mulDivDown(healthWad, baseWad, WAD + debtMarginWad);
}

/** Cost of closing `closed` (wad, notional) of the leg, per unit, before the fee; zero at the price. Signed wad, rounded up. */
export function impactUp(leg: ForcedLeg, closed: bigint): bigint {
  if (leg.atPrice) return 0n;
  return leg.gradient + mulDivUp(closed, WAD, leg.depth);
}

/** What remains (wad, notional, rounded down) of the leg when health comes to its target at this fee; zero: close it whole. */
export function remainderDown(leg: ForcedLeg, feeWad: bigint): bigint {
  const inDebt = leg.netCash < 0n;
  const remainder = solve(leg, feeWad, inDebt);
  const closed = leg.notional - remainder;
  const cost = mulDivCeil(closed, impactUp(leg, closed) + feeWad, WAD);
  const endsInDebt = cost > leg.netCash;
  return endsInDebt === inDebt ? remainder : solve(leg, feeWad, endsInDebt);
}

function solve(leg: ForcedLeg, feeWad: bigint, inDebt: boolean): bigint {
  const { target, notional } = leg;
  let multiplier = WAD;
  let otherRequired = leg.otherRequirement;
  if (inDebt) {
    multiplier += divUp(leg.target * leg.debtMargin, WAD);
    otherRequired -= divFloor(leg.netCash * leg.debtMargin, WAD);
  }
  const impact = leg.atPrice ? 0n : multiplier;
  const rate = multiplier * feeWad + impact * leg.gradient;
  const wholeImpact = impact * notional;

  const c0 =
    divCeil(target * otherRequired, WAD) +
    divCeil(divCeil(rate, WAD) * notional, WAD) +
    divCeil(divCeil(wholeImpact, leg.depth) * notional, WAD) -
    leg.equity;
  if (c0 >= 0n) return 0n;
  const c1 = divCeil(target * leg.base, WAD) - divFloor(rate, WAD) - 2n * divFloor(wholeImpact, leg.depth);
  const curvature = divUp(leg.target * leg.lambda, WAD) + impact;

  const gap = -c0;
  const product = mulDivUp(4n * curvature * gap, WAD, leg.depth);
  const root = sqrtUp(abs(c1) * abs(c1) + product);
  return min(leg.notional, (2n * gap * WAD) / (c1 + root));
}
