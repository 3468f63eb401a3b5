/** Twin of contracts/types/VaultWords.sol: the words of collaterals, of accounts in general, of rewards and of the pool's capital. */
import { MICRO, PPM } from "./MarketWords.js";
import { field, place, placeUnits, replace } from "./Packing.js";
import type { Word } from "./Word.js";

/** A collateral token. */
export type Collateral = Word<"Collateral">;
/** What a margin check and a liquidation need to know of accounts in general. */
export type AccountRisk = Word<"AccountRisk">;
/** What a keeper gets at least for an absorb, as long as the hour's budget lasts. */
export type RewardBudget = Word<"RewardBudget">;
/** A checkpoint of the pool's net asset value. */
export type Capital = Word<"Capital">;

/** As a wad. */
export const BASIS_POINT = 10n ** 14n;

/** The parameters of a collateral as people write them; their bounds stand in Parameters.requireValidCollateral. */
export interface CollateralParameters {
  initialWeightWad: bigint;
  maintenanceWeightWad: bigint;
  depositCap: bigint;
  concentrationStartWad: bigint;
  discountBaseWad: bigint;
  discountSlopeWad: bigint;
  discountCapWad: bigint;
}

/** Throws NotRepresentable, ValueOutOfRange. */
export function toCollateral(p: CollateralParameters, decimals: bigint, held: bigint): Collateral {
  return (placeUnits(p.initialWeightWad, PPM, 0n, 20) |
    placeUnits(p.maintenanceWeightWad, PPM, 20n, 20) |
    place(decimals, 40n, 8) |
    place(held, 48n, 96) |
    placeUnits(p.concentrationStartWad, BASIS_POINT, 144n, 16) |
    place(p.depositCap, 160n, 96)) as Collateral;
}

/** Wad. */
export function initialWeight(word: Collateral): bigint {
  return field(word, 0n, 20) * PPM;
}

/** Wad. */
export function maintenanceWeight(word: Collateral): bigint {
  return field(word, 20n, 20) * PPM;
}

/** Of the token, at most 18. */
export function decimals(word: Collateral): bigint {
  return field(word, 40n, 8);
}

/** Raw: the sum over accounts. */
export function held(word: Collateral): bigint {
  return field(word, 48n, 96);
}

/** Wad, of the deposit cap. */
export function concentrationStart(word: Collateral): bigint {
  return field(word, 144n, 16) * BASIS_POINT;
}

/** Raw. */
export function depositCap(word: Collateral): bigint {
  return word >> 160n;
}

/** Throws ValueOutOfRange. */
export function withHeld(word: Collateral, held: bigint): Collateral {
  return replace(word, 48n, 96, place(held, 48n, 96)) as Collateral;
}

/** Throws NotRepresentable, ValueOutOfRange. */
export function withMaintenanceWeight(word: Collateral, maintenanceWeightWad: bigint): Collateral {
  return replace(word, 20n, 20, placeUnits(maintenanceWeightWad, PPM, 20n, 20)) as Collateral;
}

/** The parameters of all accounts as people write them; their bounds stand in Parameters.requireValidAccounts. */
export interface AccountParameters {
  debtMarginWad: bigint;
  targetHealthWad: bigint;
  absorbHealthWad: bigint;
  absorbPenaltyWad: bigint;
  keeperShareWad: bigint;
  insuranceShareWad: bigint;
  insuranceFeeShareWad: bigint;
  keeperFloorWad: bigint;
  minimumDebtWad: bigint;
  absorbRewardFloorWad: bigint;
  absorbRewardPerHourWad: bigint;
  capitalMaxAgeSeconds: bigint;
}

const MAINTENANCE_MASK = ((1n << 20n) - 1n) | (((1n << 20n) - 1n) << 44n) | (((1n << 56n) - 1n) << 144n);

/** The word with other values (wad) of what maintenance depends on. Throws NotRepresentable, ValueOutOfRange. */
export function withMaintenance(
  word: AccountRisk,
  debtMarginWad: bigint,
  absorbHealthWad: bigint,
  keeperFloorWad: bigint,
): AccountRisk {
  return ((word & ~MAINTENANCE_MASK) |
    placeUnits(debtMarginWad, PPM, 0n, 20) |
    placeUnits(absorbHealthWad, PPM, 44n, 20) |
    placeUnits(keeperFloorWad, MICRO, 144n, 56)) as AccountRisk;
}

/** Throws NotRepresentable, ValueOutOfRange. */
export function toAccountRisk(p: AccountParameters): AccountRisk {
  return (placeUnits(p.debtMarginWad, PPM, 0n, 20) |
    placeUnits(p.targetHealthWad, PPM, 20n, 24) |
    placeUnits(p.absorbHealthWad, PPM, 44n, 20) |
    placeUnits(p.absorbPenaltyWad, PPM, 64n, 20) |
    placeUnits(p.keeperShareWad, PPM, 84n, 20) |
    placeUnits(p.insuranceShareWad, PPM, 104n, 20) |
    placeUnits(p.insuranceFeeShareWad, PPM, 124n, 20) |
    placeUnits(p.keeperFloorWad, MICRO, 144n, 56) |
    placeUnits(p.minimumDebtWad, MICRO, 200n, 56)) as AccountRisk;
}

/** Wad. */
export function debtMargin(word: AccountRisk): bigint {
  return field(word, 0n, 20) * PPM;
}

/** Wad. */
export function targetHealth(word: AccountRisk): bigint {
  return field(word, 20n, 24) * PPM;
}

/** Wad. */
export function absorbHealth(word: AccountRisk): bigint {
  return field(word, 44n, 20) * PPM;
}

/** Wad. */
export function absorbPenalty(word: AccountRisk): bigint {
  return field(word, 64n, 20) * PPM;
}

/** Wad. */
export function keeperShare(word: AccountRisk): bigint {
  return field(word, 84n, 20) * PPM;
}

/** Wad. */
export function insuranceShare(word: AccountRisk): bigint {
  return field(word, 104n, 20) * PPM;
}

/** Wad. */
export function insuranceFeeShare(word: AccountRisk): bigint {
  return field(word, 124n, 20) * PPM;
}

/** Wad. */
export function keeperFloor(word: AccountRisk): bigint {
  return field(word, 144n, 56) * MICRO;
}

/** Wad. */
export function minimumDebt(word: AccountRisk): bigint {
  return (word >> 200n) * MICRO;
}

/** Throws NotRepresentable, ValueOutOfRange. */
export function toRewardBudget(
  rewardFloorWad: bigint,
  perHourWad: bigint,
  spentWad: bigint,
  since: bigint,
): RewardBudget {
  return (placeUnits(rewardFloorWad, MICRO, 0n, 56) |
    placeUnits(perHourWad, MICRO, 56n, 56) |
    placeUnits(spentWad, MICRO, 112n, 56) |
    place(since, 168n, 40)) as RewardBudget;
}

/** Wad. */
export function rewardFloor(word: RewardBudget): bigint {
  return field(word, 0n, 56) * MICRO;
}

/** Wad. */
export function perHour(word: RewardBudget): bigint {
  return field(word, 56n, 56) * MICRO;
}

/** Wad, in the hour that began at `since`. */
export function spent(word: RewardBudget): bigint {
  return field(word, 112n, 56) * MICRO;
}

/** Unix seconds. */
export function since(word: RewardBudget): bigint {
  return field(word, 168n, 40);
}

/** Throws ValueOutOfRange. */
export function toCapital(valueWad: bigint, takenAt: bigint, maxAge: bigint): Capital {
  return (place(valueWad, 0n, 128) | place(takenAt, 128n, 40) | place(maxAge, 168n, 40)) as Capital;
}

/** Wad, zero when the value is below zero. */
export function capitalValue(word: Capital): bigint {
  return field(word, 0n, 128);
}

/** Unix seconds. */
export function takenAt(word: Capital): bigint {
  return field(word, 128n, 40);
}

/** Seconds after which no position opens. */
export function maxAge(word: Capital): bigint {
  return field(word, 168n, 40);
}
