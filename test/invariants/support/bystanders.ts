import type { AccountId } from "../../../sdk/index.js";
import type { Act } from "./act.js";
import type { Arena } from "./arena.js";
import type { HealthFigures } from "./books.js";
import { isHealthy } from "./figures.js";
import type { Judge, Step } from "./judge.js";
import { changesTerms, isStill, marketBits, namedBy, told } from "./steps.js";

// What an act does to those whom it does not name, and to who acts.

/** INV-15: nobody else is touched, and who takes can bear it. */
export function checkBystanders(judge: Judge, step: Step, arena: Arena): void {
  if (!isStill(step) || changesTerms(step.act)) return;
  const { act, before, after, events, world } = step;
  const named = namedBy(step, arena);
  // Who takes out or takes over can bear it.
  const bearing = bearerOf(act);
  const { health, assets, principalWad } = after.accounts.get(bearing ?? arena.pool)!;
  const isBound = bearing !== undefined && ((assets & marketBits) !== 0n || principalWad < 0n);
  const canBear = health.equityInitial >= health.requirementInitial && health.pricesFresh;
  judge.holds(!isBound || canBear, () => `${bearing} is below initial margin after it`);
  // What section 7 takes from those whom nobody names INV-11 looks at; a delisting closes everybody at its price.
  if (events.some(({ name }) => name === "Deleveraged" || name === "LossWrittenOff")) return;
  if (act.kind === "delist") return;
  for (const [id, account] of after.accounts) {
    const old = before.accounts.get(id)!;
    const lost = id !== arena.pool && isHealthy(old) && !isHealthy(account);
    judge.holds(!lost, () => `${account.name} is unhealthy now: ${told(old)}, then ${told(account)}`);
    const same = named.has(id) || isSame(old.health, account.health, world.sharesMargin);
    judge.holds(same, () => `${account.name}, whom nobody named: ${told(old)}, then ${told(account)}`);
  }
}

/** Whose initial margin an act may use up. */
function bearerOf({ kind, account, other }: Act): AccountId | undefined {
  if (kind === "liquidatePosition" || kind === "liquidateCollateral") return other;
  return kind === "withdraw" || kind === "transfer" || kind === "buyCollateral" ? account : undefined;
}

/** Whether margin stayed as it was; initial margin only where it does not depend on what others do. */
function isSame(old: HealthFigures, now: HealthFigures, sharesMargin: boolean): boolean {
  return (
    old.equityMaintenance === now.equityMaintenance &&
    old.requirementMaintenance === now.requirementMaintenance &&
    old.netCash === now.netCash &&
    old.pricesFresh === now.pricesFresh &&
    (sharesMargin || (old.equityInitial === now.equityInitial && old.requirementInitial === now.requirementInitial))
  );
}

/** INV-16: an isolated account has one position, and a mode stays while there is one. */
export function checkModes(judge: Judge, { act, before, after }: Step): void {
  for (const [id, { name, assets, mode }] of after.accounts) {
    const positions = bitCount(assets & marketBits);
    const old = before.accounts.get(id)!;
    judge.holds(positions <= (mode === "isolated" ? 1 : 16), () => `${name}, mode ${mode}, has ${positions} positions`);
    judge.holds(bitCount(assets >> 96n) <= 8, () => `${name} has ${bitCount(assets >> 96n)} collaterals`);
    if (mode === old.mode) continue;
    const isAsked = act.kind === "setMode" && act.account === id;
    judge.holds(isAsked, () => `${name} changes its mode to ${mode}, and nobody asked for that`);
    judge.holds((old.assets & marketBits) === 0n, () => `${name} changes its mode with a position`);
  }
}

function bitCount(bits: bigint): number {
  return bits.toString(2).replaceAll("0", "").length;
}
