import { RAY, WAD, max, min } from "../../sdk/risk/libraries/FixedPoint.js";
import type { CashParameters } from "../../sdk/risk/types/CashWords.js";
import { type MarketParameters, MICRO, NANO, PPM } from "../../sdk/risk/types/MarketWords.js";
import { type AccountParameters, BASIS_POINT, type CollateralParameters } from "../../sdk/risk/types/VaultWords.js";
import type { Draws } from "./draws.js";

const quote = WAD;
/** The largest value of a field of 80 bits, a wad of billionths; and of one of 96. */
const most80 = ((1n << 80n) - 1n) * NANO;
const most96 = (1n << 96n) - 1n;
/** Of a side's shares: what an opening may not pass. */
const mostShares = 1n << 103n;

/** A ratio (wad) in whole millionths; zero, the ends, and small ones often. */
export function ratio(d: Draws, from: bigint, to: bigint): bigint {
  const [least, most] = [(from + PPM - 1n) / PPM, to / PPM];
  if (most <= least) return least * PPM;
  return (
    PPM *
    d.weighted<() => bigint>([
      [1, () => least],
      [1, () => most],
      [4, () => d.wide(max(least, 1n), most)],
      [4, () => d.between(least, most)],
    ])()
  );
}

/** Within Parameters.requireValidAccounts. */
export function accountParameters(d: Draws): AccountParameters {
  const keeperFloorWad = d.chance(0.1) ? 0n : MICRO * d.wide(1n, 1_000_000_000n);
  const keeperShareWad = ratio(d, 0n, WAD);
  return {
    debtMarginWad: d.chance(0.3) ? 0n : ratio(d, 0n, WAD / (d.chance(0.7) ? 20n : 2n)),
    targetHealthWad: ratio(d, (101n * WAD) / 100n, d.chance(0.8) ? (13n * WAD) / 10n : 2n * WAD),
    absorbHealthWad: ratio(d, WAD / 10n, WAD - PPM),
    absorbPenaltyWad: ratio(d, 0n, WAD / 10n),
    keeperShareWad,
    insuranceShareWad: ratio(d, 0n, WAD - keeperShareWad),
    insuranceFeeShareWad: ratio(d, 0n, WAD),
    keeperFloorWad,
    minimumDebtWad: d.chance(0.3) ? 0n : MICRO * d.wide(1n, 10_000_000_000n),
    absorbRewardFloorWad: MICRO * d.part(keeperFloorWad / MICRO),
    absorbRewardPerHourWad: MICRO * d.wide(1n, 100_000_000_000n),
    capitalMaxAgeSeconds: d.wide(1n, 86_400n),
  };
}

/** What a market's parameters must fit to. */
export interface MarketNeeds {
  readonly priceWad: bigint;
  readonly toleranceWad: bigint;
  readonly targetHealthWad: bigint;
}

/** Within Parameters.requireValidMarket and requireSizesWithin at this price, requireTargetWithin; and within the fields of the words. */
export function marketParameters(d: Draws, { priceWad, toleranceWad, targetHealthWad }: MarketNeeds): MarketParameters {
  const inMillionths = (value: bigint) => (value / PPM) * PPM;
  const mostMaintenance = inMillionths((WAD * WAD) / targetHealthWad);
  const usual = d.chance(0.8) ? min(mostMaintenance, WAD / 5n) : mostMaintenance;
  const maintenanceBaseWad = ratio(d, WAD / 1000n, usual);
  const leastInitial = -((-targetHealthWad * maintenanceBaseWad) / (WAD * PPM)) * PPM + PPM;
  const initialBaseWad = min(
    WAD,
    d.chance(0.7) ? leastInitial + ratio(d, 0n, maintenanceBaseWad) : ratio(d, leastInitial, WAD),
  );
  const lambdaMaintenanceWad = d.chance(0.5) ? WAD : ratio(d, WAD, 10n * WAD);
  // Its notional, as a wad of quote units, over the price; a step of a billionth inside of the bounds.
  const notional = d.wide(10_001n * quote, 10n ** 13n * quote);
  const skewScaleWad = max(NANO, min(most80, ((notional * WAD) / priceWad / NANO) * NANO + NANO));
  const capWad = min(most80, ((maintenanceBaseWad * skewScaleWad) / WAD / NANO) * NANO);
  const takerRateWad = ratio(d, 0n, WAD / 100n);
  const leastDiscount = inMillionths(takerRateWad + toleranceWad + PPM - 1n);
  const discountBaseWad = d.chance(0.5) ? leastDiscount : ratio(d, leastDiscount, max(leastDiscount, WAD / 10n));
  const mostMinimum = max(NANO, min(((10_000n * quote * WAD) / priceWad / NANO) * NANO, max(NANO, capWad / 4n)));
  return {
    initialBaseWad,
    maintenanceBaseWad,
    profitWeightWad: ratio(d, 0n, WAD),
    lambdaInitialWad: d.chance(0.3) ? lambdaMaintenanceWad : ratio(d, lambdaMaintenanceWad, 10n * WAD),
    lambdaMaintenanceWad,
    maxFundingRatePerDayWad: d.chance(0.1) ? 0n : ratio(d, 0n, WAD / 20n),
    maxFundingVelocityPerDay2Wad: d.chance(0.1) ? 0n : ratio(d, 0n, 10n * WAD),
    maxFundingGapSeconds: d.wide(1n, 604_800n),
    skewScaleWad,
    openInterestCapWad: d.chance(0.8) ? capWad : NANO * d.part(capWad / NANO),
    minimumSizeWad: NANO * d.wide(1n, mostMinimum / NANO),
    takerRateWad,
    makerRateWad: d.chance(0.2) ? takerRateWad : ratio(d, 0n, takerRateWad),
    capitalShareWad: d.chance(0.5) ? WAD : ratio(d, 0n, WAD),
    openInterestSlopeWad: d.chance(0.5) ? 0n : ratio(d, 0n, d.chance(0.5) ? WAD / 2n : 10n * WAD),
    discountBaseWad,
    discountSlopeWad: ratio(d, 0n, WAD),
    discountCapWad: d.chance(0.3) ? discountBaseWad : ratio(d, discountBaseWad, WAD / 2n),
  };
}

/** Within Parameters.requireValidCollateral. */
export function collateralParameters(d: Draws, toleranceWad: bigint): CollateralParameters {
  const leastDiscount = ((toleranceWad + PPM - 1n) / PPM) * PPM;
  const discountBaseWad = ratio(d, leastDiscount, leastDiscount + WAD / 20n);
  const discountCapWad = d.chance(0.3) ? discountBaseWad : ratio(d, discountBaseWad, discountBaseWad + WAD / 10n);
  const maintenanceWeightWad = ratio(d, d.chance(0.8) ? WAD / 2n : 0n, WAD - discountCapWad - PPM);
  return {
    initialWeightWad: ratio(d, d.chance(0.8) ? maintenanceWeightWad / 2n : 0n, maintenanceWeightWad),
    maintenanceWeightWad,
    depositCap: d.chance(0.5) ? most96 : d.wide(1n, most96),
    concentrationStartWad: d.chance(0.5) ? WAD : BASIS_POINT * d.wide(1n, 10_000n),
    discountBaseWad,
    discountSlopeWad: ratio(d, 0n, WAD),
    discountCapWad,
  };
}

/** Within Parameters.requireValidCash. */
export function cashParameters(d: Draws): CashParameters {
  const rateAtZeroWad = d.chance(0.3) ? 0n : ratio(d, 0n, 4n * WAD);
  const rateAtKinkWad = ratio(d, rateAtZeroWad, 4n * WAD);
  const none = d.chance(0.1);
  return {
    kinkWad: ratio(d, 0n, WAD),
    rateAtZeroWad: none ? 0n : rateAtZeroWad,
    rateAtKinkWad: none ? 0n : rateAtKinkWad,
    rateAtFullWad: none ? 0n : ratio(d, rateAtKinkWad, 4n * WAD),
    reserveFactorWad: ratio(d, 0n, WAD / 2n),
    poolLossPerHourWad: ratio(d, 0n, WAD),
    writeOffPerHourWad: ratio(d, 0n, WAD),
  };
}

/** What a side's size may come to, by the shares that it then has (scale of a share: ray). */
export function mostSize(capWad: bigint, scaleRay: bigint): bigint {
  return min(capWad, (mostShares * scaleRay) / RAY);
}

/** Parameters of which one is out of its bounds, or no whole number of its units, or does not fit its field. Now and then it does. */
export function spoiled<P extends object>(d: Draws, parameters: P): P {
  const names = Object.keys(parameters) as [keyof P & string, ...(keyof P & string)[]];
  const name = d.pick(names);
  const value = (parameters as Record<string, bigint>)[name] ?? 0n;
  const other = d.weighted<() => bigint>([
    [2, () => 0n],
    [2, () => value + 1n],
    [2, () => value * BigInt(d.integer(2, 100))],
    [2, () => value / BigInt(d.integer(2, 100))],
    [1, () => ratio(d, 0n, 20n * WAD)],
    [1, () => d.between(0n, (1n << 128n) - 1n)],
  ])();
  return { ...parameters, [name]: other };
}
