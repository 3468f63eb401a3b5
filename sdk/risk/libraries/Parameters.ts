/** Twin of contracts/libraries/Parameters.sol: what each error says is the rule. */
import { uint } from "../checked.js";
import { ContractError } from "../ContractError.js";
import type { CashParameters } from "../types/CashWords.js";
import type { MarketParameters } from "../types/MarketWords.js";
import type { AccountParameters, CollateralParameters } from "../types/VaultWords.js";
import { WAD, mulDivDown } from "./FixedPoint.js";

const DAY = 86_400n;
const WAD_SQUARED = WAD * WAD;

/**
 * Throws ParameterOutOfBounds, and Panic where a product or sum leaves 256 bits.
 * @param toleranceWad of the market's price
 */
export function requireValidMarket(p: MarketParameters, toleranceWad: bigint): void {
  require(p.maintenanceBaseWad >= WAD / 1000n, "maintenanceBase >= 0.1%");
  require(p.initialBaseWad >= p.maintenanceBaseWad, "initialBase >= maintenanceBase");
  require(p.initialBaseWad <= WAD, "initialBase <= 100%");
  require(p.profitWeightWad <= WAD, "profitWeight <= 100%");
  require(p.lambdaMaintenanceWad >= WAD, "lambdaMaintenance >= 1");
  require(p.lambdaInitialWad >= p.lambdaMaintenanceWad, "lambdaInitial >= lambdaMaintenance");
  require(p.lambdaInitialWad <= 10n * WAD, "lambdaInitial <= 10");
  require(p.openInterestSlopeWad <= 10n * WAD, "openInterestSlope <= 1000%");
  require(p.skewScaleWad !== 0n, "skewScale > 0");
  require(p.openInterestCapWad <=
    mulDivDown(p.maintenanceBaseWad, p.skewScaleWad, WAD), "openInterestCap <= maintenanceBase * skewScale");
  require(p.minimumSizeWad !== 0n, "minimumSize > 0");
  require(p.takerRateWad <= WAD / 100n, "takerRate <= 1%");
  require(p.makerRateWad <= p.takerRateWad, "makerRate <= takerRate");
  require(p.capitalShareWad <= WAD, "capitalShare <= 100%");
  require(p.maxFundingRatePerDayWad <= WAD / 20n, "maxFundingRate <= 5% a day");
  require(p.maxFundingVelocityPerDay2Wad <= 10n * WAD, "maxFundingVelocity <= 10 a day and day");
  require(p.maxFundingGapSeconds !== 0n && p.maxFundingGapSeconds <= 7n * DAY, "maxFundingGap 1 s to 7 days");
  require(p.discountBaseWad >= p.takerRateWad + toleranceWad, "discountBase >= takerRate + tolerance");
  require(p.discountCapWad >= p.discountBaseWad, "discountCap >= discountBase");
  require(p.discountSlopeWad <= WAD, "discountSlope <= 100%");
  require(p.discountCapWad <= WAD / 2n, "discountCap <= 50%");
}

/** Sizes by their notional at this price (wad). Throws ParameterOutOfBounds, and Panic where a product leaves 256 bits. */
export function requireSizesWithin(p: MarketParameters, priceWad: bigint): void {
  require(uint(p.minimumSizeWad * priceWad) <= 10_000n * WAD_SQUARED, "minimumSize * price <= 10,000");
  require(uint(p.skewScaleWad * priceWad) >= 10_000n * WAD_SQUARED, "skewScale * price >= 10,000");
  require(uint(p.skewScaleWad * priceWad) <= 10n ** 13n * WAD_SQUARED, "skewScale * price <= 1e13");
}

/** All wad. Throws ParameterOutOfBounds, and Panic where a product leaves 256 bits. */
export function requireTargetWithin(targetHealthWad: bigint, initialBaseWad: bigint, maintenanceBaseWad: bigint): void {
  require(uint(targetHealthWad * maintenanceBaseWad) <=
    uint(initialBaseWad * WAD), "targetHealth <= initialBase / maintenanceBase");
}

/** All wad; the size is the larger side's. Throws ParameterOutOfBounds, and Panic where a product leaves 256 bits. */
export function requireSkewWithin(sizeWad: bigint, maintenanceBaseWad: bigint, skewScaleWad: bigint): void {
  require(sizeWad <= mulDivDown(maintenanceBaseWad, skewScaleWad, WAD), "open interest <= maintenanceBase * skewScale");
}

/**
 * Throws ParameterOutOfBounds, and Panic where a sum leaves 256 bits.
 * @param toleranceWad of the collateral's price
 */
export function requireValidCollateral(p: CollateralParameters, toleranceWad: bigint): void {
  require(uint(p.maintenanceWeightWad + p.discountCapWad) < WAD, "maintenanceWeight + discountCap < 100%");
  require(p.discountCapWad >= p.discountBaseWad, "discountCap >= discountBase");
  require(p.discountSlopeWad <= WAD, "discountSlope <= 100%");
  require(p.concentrationStartWad !== 0n && p.concentrationStartWad <= WAD, "0 < concentrationStart <= 100%");
  require(p.discountBaseWad >= toleranceWad, "discountBase >= tolerance");
  require(p.initialWeightWad <= p.maintenanceWeightWad, "initialWeight <= maintenanceWeight");
}

/** Throws ParameterOutOfBounds. */
export function requireValidCash(p: CashParameters): void {
  require(p.kinkWad <= WAD, "kink <= 100%");
  require(p.rateAtZeroWad <= p.rateAtKinkWad, "rateAtZero <= rateAtKink");
  require(p.rateAtKinkWad <= p.rateAtFullWad, "rateAtKink <= rateAtFull");
  require(p.rateAtFullWad <= 4n * WAD, "rateAtFull <= 400% a year");
  require(p.reserveFactorWad <= WAD / 2n, "reserveFactor <= 50%");
  require(p.poolLossPerHourWad <= WAD, "poolLossPerHour <= 100%");
  require(p.writeOffPerHourWad <= WAD, "writeOffPerHour <= 100%");
}

/** Throws ParameterOutOfBounds, and Panic where a sum leaves 256 bits. */
export function requireValidAccounts(p: AccountParameters): void {
  require(p.debtMarginWad <= WAD / 2n, "debtMargin <= 50%");
  require(p.targetHealthWad >= (101n * WAD) / 100n, "targetHealth >= 1.01");
  require(p.targetHealthWad <= 2n * WAD, "targetHealth <= 2");
  require(p.absorbHealthWad >= WAD / 10n && p.absorbHealthWad < WAD, "10% <= absorbHealth < 1");
  require(p.absorbPenaltyWad <= WAD / 10n, "absorbPenalty <= 10%");
  require(uint(p.keeperShareWad + p.insuranceShareWad) <= WAD, "keeperShare + insuranceShare <= 100%");
  require(p.insuranceFeeShareWad <= WAD, "insuranceFeeShare <= 100%");
  require(p.keeperFloorWad >= p.absorbRewardFloorWad, "keeperFloor >= absorbRewardFloor");
  require(p.keeperFloorWad <= 1000n * WAD, "keeperFloor <= 1,000");
  require(p.minimumDebtWad <= 10_000n * WAD, "minimumDebt <= 10,000");
  require(p.absorbRewardPerHourWad <= 100_000n * WAD, "absorbRewardPerHour <= 100,000");
  require(p.capitalMaxAgeSeconds !== 0n && p.capitalMaxAgeSeconds <= DAY, "capitalMaxAge 1 s to 1 day");
}

function require(holds: boolean, rule: string): void {
  if (!holds) throw new ContractError("ParameterOutOfBounds", { rule });
}
