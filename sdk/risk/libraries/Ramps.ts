/** Twin of contracts/libraries/Ramps.sol. */
import { ContractError } from "../ContractError.js";
import * as MarketWords from "../types/MarketWords.js";
import * as RampWords from "../types/RampWords.js";
import * as VaultWords from "../types/VaultWords.js";
import { WAD, divUp, max, min, mulDivDown, mulDivUp, sub } from "./FixedPoint.js";

const { MICRO, NANO, PPM } = MarketWords;

/** Seconds. */
export const DURATION = 259_200n;
/** Seconds. */
export const LONGEST_STEP = 3600n;

/** The clock of a ramp that begins now. Throws ValueOutOfRange. */
export function begun(nowSeconds: bigint): RampWords.RampClock {
  return RampWords.toRampClock(DURATION, nowSeconds);
}

/** The clock after a step now. Throws NothingToRamp, ValueOutOfRange. */
export function stepped(clock: RampWords.RampClock, nowSeconds: bigint): RampWords.RampClock {
  const left = RampWords.secondsLeft(clock);
  const covered = min(min(sub(nowSeconds, RampWords.steppedAt(clock)), LONGEST_STEP), left);
  if (covered === 0n) throw new ContractError("NothingToRamp", { secondsLeft: left });
  return RampWords.toRampClock(left - covered, nowSeconds);
}

// ------------------------------------------------------------------ what counts at once

/** Makes of parameters that are set those that count from now on (in place): what would tighten maintenance stays as it is. */
export function loosestMarket(
  p: MarketWords.MarketParameters,
  live: MarketWords.MarketRisk,
): MarketWords.MarketParameters {
  p.maintenanceBaseWad = min(p.maintenanceBaseWad, MarketWords.maintenanceBase(live));
  p.lambdaMaintenanceWad = min(p.lambdaMaintenanceWad, MarketWords.lambdaMaintenance(live));
  p.skewScaleWad = max(p.skewScaleWad, MarketWords.skewScale(live));
  return p;
}

/** The same of a collateral. */
export function loosestCollateral(
  p: VaultWords.CollateralParameters,
  live: VaultWords.Collateral,
): VaultWords.CollateralParameters {
  p.maintenanceWeightWad = max(p.maintenanceWeightWad, VaultWords.maintenanceWeight(live));
  return p;
}

/** The same of all accounts. */
export function loosestAccounts(
  p: VaultWords.AccountParameters,
  live: VaultWords.AccountRisk,
): VaultWords.AccountParameters {
  p.debtMarginWad = min(p.debtMarginWad, VaultWords.debtMargin(live));
  p.keeperFloorWad = min(p.keeperFloorWad, VaultWords.keeperFloor(live));
  p.absorbHealthWad = min(p.absorbHealthWad, VaultWords.absorbHealth(live));
  return p;
}

// ------------------------------------------------------------------ what counts after a step

/**
 * A market's risk with so many seconds left. Each field is rounded to its unit toward the looser.
 * @param mostSizeWad what maintenance base * skew scale must cover
 */
export function movedMarket(
  from: MarketWords.MarketRisk,
  to: MarketWords.MarketRisk,
  left: bigint,
  mostSizeWad: bigint,
): MarketWords.MarketRisk {
  if (left === 0n) return to;
  const base = risen(MarketWords.maintenanceBase(from), MarketWords.maintenanceBase(to), left, PPM);
  const lambda = risen(MarketWords.lambdaMaintenance(from), MarketWords.lambdaMaintenance(to), left, PPM);
  let scale = scaleUp(MarketWords.skewScale(from), MarketWords.skewScale(to), left);
  const least = divUp(mulDivUp(mostSizeWad, WAD, base), NANO) * NANO;
  if (scale < least) scale = min(least, MarketWords.skewScale(from));
  return MarketWords.withMaintenance(from, base, lambda, scale);
}

/**
 * A collateral with so many seconds left.
 * @param live the collateral's word, whose `held` stays
 */
export function movedCollateral(
  live: VaultWords.Collateral,
  from: VaultWords.Collateral,
  to: VaultWords.Collateral,
  left: bigint,
): VaultWords.Collateral {
  const weight = fallen(VaultWords.maintenanceWeight(from), VaultWords.maintenanceWeight(to), left, PPM);
  return VaultWords.withMaintenanceWeight(live, weight);
}

/** The parameters of all accounts with so many seconds left. */
export function movedAccounts(
  from: VaultWords.AccountRisk,
  to: VaultWords.AccountRisk,
  left: bigint,
): VaultWords.AccountRisk {
  return VaultWords.withMaintenance(
    from,
    risen(VaultWords.debtMargin(from), VaultWords.debtMargin(to), left, PPM),
    risen(VaultWords.absorbHealth(from), VaultWords.absorbHealth(to), left, PPM),
    risen(VaultWords.keeperFloor(from), VaultWords.keeperFloor(to), left, MICRO),
  );
}

function scaleUp(from: bigint, to: bigint, left: bigint): bigint {
  const scale = mulDivUp(from * DURATION, to, to * left + from * (DURATION - left));
  return divUp(scale, NANO) * NANO;
}

function risen(from: bigint, to: bigint, left: bigint, unit: bigint): bigint {
  const risen = mulDivDown(sub(to, from), DURATION - left, DURATION);
  return from + risen - (risen % unit);
}

function fallen(from: bigint, to: bigint, left: bigint, unit: bigint): bigint {
  const fallen = mulDivDown(sub(from, to), DURATION - left, DURATION);
  return from - fallen + (fallen % unit);
}
