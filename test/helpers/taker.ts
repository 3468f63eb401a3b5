import type { MarketTerms, TakerState } from "../../keeper/decide/inventory.js";
import { type AccountId, type Health, accountId } from "../../sdk/index.js";
import { wad } from "./world.js";

/** A market with round figures: price 100, initial base 5%, tolerance and taker rate 0.15% together, no skew, and all but no impact. */
export const plainTerms: MarketTerms = {
  priceWad: wad("100"),
  toleranceWad: wad("0.001"),
  isFresh: true,
  isReduceOnly: false,
  initialBaseWad: wad("0.05"),
  lambdaInitialWad: 0n,
  takerRateWad: wad("0.0005"),
  minimumSizeWad: wad("0.1"),
  skewWad: 0n,
  skewScaleWad: wad("1000000000000"),
};

/** A health with this equity and requirement, both for initial margin and for maintenance. */
export function healthOf(equity: string, requirement: string, pricesFresh = true): Health {
  const [equityWad, requirementWad] = [wad(equity), wad(requirement)];
  return {
    equityMaintenanceWad: equityWad,
    requirementMaintenanceWad: requirementWad,
    equityInitialWad: equityWad,
    requirementInitialWad: requirementWad,
    freeMarginWad: equityWad - requirementWad,
    netCashWad: equityWad,
    healthWad: requirementWad === 0n ? undefined : (equityWad * wad("1")) / requirementWad,
    isLiquidatable: equityWad < requirementWad,
    pricesFresh,
  };
}

export const takerAccount: AccountId = accountId("0x00000000000000000000000000000000000000cc", 3);

/** A taker with 1,000 of equity and nothing else, in two plain markets, 0 and 1. */
export function takerState(change: Partial<TakerState> = {}): TakerState {
  const terms = new Map([0, 1].map((market) => [market, plainTerms] as const));
  return { account: takerAccount, health: healthOf("1000", "0"), sizesWad: new Map(), terms, ...change };
}
