/** Twin of contracts/libraries/Funding.sol. */
import { int } from "../checked.js";
import * as MarketWords from "../types/MarketWords.js";
import { clamp, divFloor } from "./FixedPoint.js";

export const RATE_UNIT = 10n ** 24n;

const DAY = 86400n;
const MAX_INT56 = (1n << 55n) - 1n;

/**
 * What the funding index (wad: quote per unit of long size, rounded down) and rate (1e-24 a second; above zero longs pay shorts) have
 * become by `nowSeconds`.
 */
export function accrued(
  state: MarketWords.MarketState,
  risk: MarketWords.MarketRisk,
  priceWad: bigint,
  nowSeconds: bigint,
): [indexWad: bigint, rateE24: bigint] {
  const indexWad = MarketWords.fundingIndex(state);
  const maxRate = MarketWords.maxFundingRate(risk);
  const startRate = clamp(MarketWords.fundingRate(state), maxRate);
  let elapsed = nowSeconds - MarketWords.touchedAt(state);
  if (elapsed === 0n) return [indexWad, startRate];
  const gap = MarketWords.maxFundingGap(risk);
  if (elapsed > gap) elapsed = gap;

  const drift = MarketWords.fundingDrift(state);
  const rateE24 = clamp(startRate + drift * elapsed, maxRate);
  let integral = rateE24 * elapsed;
  if (drift !== 0n) {
    const climbed = rateE24 - startRate;
    integral -= (climbed * climbed) / (2n * drift);
  }
  return [indexWad + divFloor(priceWad * integral, RATE_UNIT), rateE24];
}

/**
 * By how much the rate moves a second while the skew stays: 1e-24 a second and second, rounded down, held within its field.
 *
 * @param maxVelocityWad a day and day
 */
export function driftOf(skewWad: bigint, maxVelocityWad: bigint, skewScaleWad: bigint): bigint {
  const velocityE24 = maxVelocityWad * (RATE_UNIT / 10n ** 18n);
  const perSecond2 = divFloor(int(velocityE24 * skewWad), skewScaleWad * DAY * DAY);
  return clamp(perSecond2, MAX_INT56);
}
