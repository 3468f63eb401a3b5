import { WAD } from "../../../sdk/index.js";
import { ceilDiv } from "../../helpers/model.js";
import type { Arena } from "./arena.js";
import type { HealthFigures, VaultEvent } from "./books.js";
import {
  accountOf,
  advantage,
  holderOf,
  isHealthy,
  netCashOf,
  numberOf,
  premium,
  roundingOf,
  sumOf,
  wealth,
} from "./figures.js";
import { type Judge, type Step, roundingWei } from "./judge.js";
import { marketsHeld } from "./situation.js";
import { nanoWad, told } from "./steps.js";
import { checkDiscount } from "./takeovers.js";

// What is done to an account by others, or by itself as if it were another.

const targetSlackWad = 10n ** 9n; // of 1e18

/** INV-08: settling moves a loss, and nothing else. */
export function checkSettling(
  judge: Judge,
  { act, before, after, events, pricesWad }: Step,
  { keeperFloorWad }: Arena,
): void {
  if (act.kind !== "settle") return;
  const [old, now] = [before, after].map((books) => books.accounts.get(act.account!)!);
  const [was, is] = [old!.health, now!.health];
  const settled = events.find(({ name }) => name === "Settled")!;
  const market = Number(numberOf(settled, "market"));
  const isFinal = old!.positions[market]!.sizeWad === 0n;
  // Cash and principal round twice where an index has left one.
  const slack = 3n + roundingOf(after, market, pricesWad[market]!);
  judge.within(is.equityMaintenance - was.equityMaintenance, -slack, slack - 1n, "maintenance equity changes, wei");
  const realized = numberOf(settled, "realizedWad");
  const moved = now!.cashWad - old!.cashWad;
  judge.within(moved - realized, -2n, 2n, `${realized} is told, and cash changes by ${moved}; too much, wei`);
  const free = is.equityInitial - is.requirementInitial - (was.equityInitial - was.requirementInitial);
  if (!isFinal) {
    judge.within(is.requirementMaintenance - was.requirementMaintenance, 0n, slack, "requirement changes, wei");
    judge.within(is.health - was.health, -2n * slack, slack - 1n, "health changes, 1e-18");
    judge.within(free, -2n * slack, slack - 1n, "free margin changes, wei");
    judge.holds(moved <= 0n, () => `a gain of ${moved} is cash`);
    return;
  }
  // A result that is final counts in full, and with the last of them the keeper's floor goes.
  const lost = was.requirementMaintenance - is.requirementMaintenance;
  judge.within(lost, -slack, keeperFloorWad + slack, "requirement falls by");
  const gain = realized > 0n ? realized : 0n;
  judge.within(free, -2n * slack, gain + keeperFloorWad + slack, "free margin is freed, wei");
  judge.holds(now!.positions[market]!.stored.sharesWad === 0n, () => "a final position is still there");
}

/** INV-09: forced trades raise health to the target, and leave nobody below zero. */
export function checkForcedTrades(judge: Judge, step: Step, arena: Arena): void {
  const { act, before, after, events } = step;
  const { targetHealthWad } = arena;
  for (const event of events) {
    if (event.name === "PositionLiquidated") {
      const [was, is] = [before, after].map((books) => books.accounts.get(accountOf(event))!);
      const leg = is!.positions[Number(numberOf(event, "market"))]!.sizeWad;
      judge.holds(is!.health.health > was!.health.health, () => `health ${was!.health.health}, ${is!.health.health}`);
      const bankrupt = was!.health.equityMaintenance >= 0n && is!.health.equityMaintenance < 0n;
      judge.holds(!bankrupt, () => `equity falls to ${is!.health.equityMaintenance}`);
      const beyond = is!.health.health > targetHealthWad + targetSlackWad && leg !== 0n;
      judge.holds(!beyond, () => `health ${is!.health.health} is above its target, and ${leg} shares remain`);
      checkToldHealth(judge, event, was!.health, is!.health);
    }
    if (event.name === "CollateralLiquidated") {
      const [was, is] = [before, after].map((books) => books.accounts.get(accountOf(event))!.health);
      judge.holds(is!.health > was!.health, () => `health ${was!.health}, ${is!.health}`);
      const bankrupt = was!.equityMaintenance >= 0n && is!.equityMaintenance < 0n;
      judge.holds(!bankrupt, () => `equity falls to ${is!.equityMaintenance}`);
      // Above its target only where the last of the debt goes, and its margin with it; below nothing is paid beyond it.
      // A whole debt is sold for in whole units of the token: less than one's worth of it may stay.
      const unitWad = numberOf(event, "proceedsWad") / numberOf(event, "amount") + 1n;
      const beyond = is!.health > targetHealthWad + targetSlackWad && is!.netCash < -roundingWei - unitWad;
      judge.holds(!beyond, () => `health ${is!.health} is above its target, net cash ${is!.netCash}`);
      judge.holds(is!.netCash <= 0n, () => `net cash ends at ${is!.netCash}: more was sold than was owed`);
      checkToldHealth(judge, event, was!, is!);
    }
    if (event.name === "Absorbed") {
      const is = after.accounts.get(accountOf(event))!;
      // What stays behind for want of a price is counted at its last one; a loss is not made good before it is real.
      const staying = marketsHeld(is).length;
      const unrealized = is.health.netCash - is.cashWad;
      const loss = staying > 0 && unrealized < 0n ? unrealized : 0n;
      const ends = is.health.equityMaintenance - loss;
      judge.holds(staying > 1 || ends >= -4n, () => `${is.name} ends at ${ends}, apart from a loss of ${loss}`);
      const bare = is.assets !== 0n || is.cashWad >= 0n;
      judge.holds(bare, () => `${is.name} has nothing, and a debt of ${is.principalWad}`);
    }
  }
  judge.holds(act.kind !== "absorb" || events.some(({ name }) => name === "Absorbed"), () => "nothing was absorbed");
}

/** The healths that an event tells are those of the views: after it to the wei that storing a principal takes. */
function checkToldHealth(judge: Judge, event: VaultEvent, was: HealthFigures, is: HealthFigures): void {
  const [before, after] = [numberOf(event, "healthBeforeWad"), numberOf(event, "healthAfterWad")];
  judge.holds(before === was.health, () => `the event says a health of ${before}, the view ${was.health}`);
  if (is.requirementMaintenance === 0n) return;
  const slack = ceilDiv(roundingWei * WAD, is.requirementMaintenance);
  judge.within(after - is.health, -slack, slack, `the event says a health of ${after} after it; too much, 1e-18`);
}

/** INV-10: nobody gains by liquidating himself. */
export function checkOwnLiquidation(judge: Judge, step: Step, arena: Arena): void {
  const { act, before, after, events, pricesWad } = step;
  judge.holds(
    after.rewardSpentWad <= arena.rewardPerHourWad,
    () => `insurance added ${after.rewardSpentWad} in an hour`,
  );
  const owner = act.from;
  const gained = wealth(after, owner) - wealth(before, owner);
  if (act.kind === "liquidatePosition" && holderOf(act.account!) === owner) {
    const released = premium(before, arena, pricesWad) - premium(after, arena, pricesWad);
    judge.holds(gained <= released + roundingWei, () => `gained ${gained}, of which ${released} is premium`);
  }
  if (act.other !== undefined && holderOf(act.account!) === holderOf(act.other)) {
    // From one hand into the other: only insurance's part is gone. Collateral all stays in the family.
    const family = holderOf(act.account!);
    const change = netCashOf(after, family) - netCashOf(before, family);
    let part = sumOf(events, "CollateralLiquidated", "insuranceWad");
    part += sumOf(events, "PositionLiquidated", "feeWad") - sumOf(events, "PositionLiquidated", "rewardWad");
    judge.within(change + part, -roundingWei, roundingWei, `gained ${change}, insurance has ${part}; too much, wei`);
  }
  if (act.kind !== "absorb") return;
  const absorbed = events.filter(({ name }) => name === "Absorbed");
  let allowed = roundingWei;
  let isOwn = false;
  for (const event of absorbed) {
    const [penalty, reward] = [numberOf(event, "penaltyWad"), numberOf(event, "rewardWad")];
    const share = (penalty * arena.keeperShareWad) / WAD;
    const most = share > arena.rewardFloorWad ? share : arena.rewardFloorWad;
    judge.holds(reward <= most, () => `a reward of ${reward} for a penalty of ${penalty}`);
    if (holderOf(accountOf(event)) === owner) {
      isOwn = true;
      const legs = events.filter((leg) => leg.name === "PositionAbsorbed" && accountOf(leg) === accountOf(event));
      const better = advantage(legs, pricesWad);
      allowed += (better > 0n ? better : 0n) + arena.rewardFloorWad + nanoWad;
    } else {
      allowed += reward;
    }
  }
  judge.holds(!isOwn || gained <= allowed, () => `gained ${gained}, of which ${allowed} is premium and rewards`);
}

/** Events of what is done to an account that cannot carry its positions or its debt. */
const forcedEvents = new Set(["PositionLiquidated", "CollateralLiquidated", "Absorbed"]);

/** INV-33: nobody healthy is a target. */
export function checkTargets(judge: Judge, { before, events }: Step): void {
  for (const event of events) {
    if (!forcedEvents.has(event.name)) continue;
    const was = before.accounts.get(accountOf(event))!;
    judge.holds(!isHealthy(was), () => `${was.name} was healthy: ${told(was)}`);
  }
}

/** INV-34: what it costs lies between what a trade costs and what health bears. */
export function checkCosts(judge: Judge, step: Step, arena: Arena): void {
  for (const event of step.events) checkDiscount(judge, step, event, arena);
}
