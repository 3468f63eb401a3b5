import { WAD, max, min } from "../../sdk/risk/libraries/FixedPoint.js";
import * as Ramps from "../../sdk/risk/libraries/Ramps.js";
import * as MarketWords from "../../sdk/risk/types/MarketWords.js";
import * as RampWords from "../../sdk/risk/types/RampWords.js";
import type { Vault } from "../../sdk/risk/types/VaultStorage.js";
import * as VaultWords from "../../sdk/risk/types/VaultWords.js";
import { now } from "../house.js";
import type { Draws } from "./draws.js";
import { ratio } from "./parameters.js";

const { MICRO, NANO } = MarketWords;

/** How much of a ramp is left, and since when nobody has taken a step. */
function drawClock(d: Draws): RampWords.RampClock {
  const left = d.chance(0.3) ? d.wide(1n, 3600n) : d.between(1n, Ramps.DURATION);
  const waited = d.weighted<() => bigint>([
    [1, () => 0n],
    [4, () => d.wide(1n, 3600n)],
    [2, () => d.wide(3600n, 500_000n)],
  ])();
  return RampWords.toRampClock(left, now - waited);
}

/** Puts the accounts' parameters on a way that has begun at what they are. */
export function drawAccountRamp(d: Draws, vault: Vault): void {
  const from = vault.accountRisk;
  const to = VaultWords.withMaintenance(
    from,
    ratio(d, VaultWords.debtMargin(from), WAD / 2n),
    ratio(d, VaultWords.absorbHealth(from), WAD - MarketWords.PPM),
    max(VaultWords.keeperFloor(from), MICRO * d.wide(1n, 1_000_000_000n)),
  );
  const clock = drawClock(d);
  Object.assign(vault.accountRamp, { from, to, clock });
  vault.accountRisk = Ramps.movedAccounts(from, to, RampWords.secondsLeft(clock));
}

/** The same of a market, whose sides are no larger than its cap. */
export function drawMarketRamp(d: Draws, vault: Vault, id: number): void {
  const market = vault.markets(id);
  const from = market.risk;
  const target = VaultWords.targetHealth(vault.accountRisk);
  const base = MarketWords.maintenanceBase(from);
  const mostBase = max(base, (MarketWords.initialBase(from) * WAD) / target);
  const toBase = ratio(d, base, mostBase);
  const cap = MarketWords.openInterestCap(market.terms);
  const scale = MarketWords.skewScale(from);
  const leastScale = min(scale, ((cap * WAD) / toBase / NANO) * NANO + NANO);
  const to = MarketWords.withMaintenance(
    from,
    toBase,
    ratio(d, MarketWords.lambdaMaintenance(from), MarketWords.lambdaInitial(from)),
    NANO * d.between(leastScale / NANO, scale / NANO),
  );
  const clock = drawClock(d);
  Object.assign(vault.marketRamps(id), { from, to, clock });
  market.risk = Ramps.movedMarket(from, to, RampWords.secondsLeft(clock), cap);
}

/** The same of a collateral. */
export function drawCollateralRamp(d: Draws, vault: Vault, index: number): void {
  const live = vault.collaterals.get(index);
  const nothingHeld = (((1n << 96n) - 1n) << 48n) | (0xffn << 40n);
  const from = (live & ~nothingHeld) as VaultWords.Collateral;
  const to = VaultWords.withMaintenanceWeight(
    from,
    ratio(d, VaultWords.initialWeight(from), VaultWords.maintenanceWeight(from)),
  );
  const clock = drawClock(d);
  Object.assign(vault.collateralRamps(index), { from, to, clock });
  vault.collaterals.set(index, Ramps.movedCollateral(live, from, to, RampWords.secondsLeft(clock)));
}
