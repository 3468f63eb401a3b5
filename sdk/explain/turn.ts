import { bisect } from "./search.js";

/** An account's margin at prices that depend on one number. */
export interface Reading {
  /** Maintenance equity less requirement: below zero the account is liquidatable. */
  readonly gapWad: bigint;
  readonly netCashWad: bigint;
  /** Whatever the gap is made of; each part only rises, or only falls, as prices rise. */
  readonly parts: readonly bigint[];
}

export interface Search {
  read(x: bigint): Reading;
  readonly present: bigint;
  /** By how much roundings may bend the gap: wad. */
  readonly bendWad: bigint;
}

/** Plateaus of the gap that are looked at one by one where roundings blur its turn. */
const mostPlateaus = 512;

/**
 * The nearest x toward `end` at which the account is liquidatable and is not at present, or the other way round; undefined: at none.
 *
 * The gap is concave in x but for roundings: value and requirement of positions and collaterals are linear, and debt margin has one kink,
 * where net cash is zero. So what is liquidatable is what is left and right of an interval; and the gap is largest at an end or at the kink.
 */
export function nearestTurn(search: Search, end: bigint): bigint | undefined {
  const { read, present } = search;
  const isBelow = (x: bigint) => read(x).gapWad < 0n;
  const startsBelow = isBelow(present);
  const far = candidates(search, end).find((x) => isBelow(x) !== startsBelow);
  if (far === undefined) return undefined;
  const turn = bisect(present, far, (x) => isBelow(x) !== startsBelow);
  return firstIn(search, clearOf(search, turn, startsBelow), turn, (x) => isBelow(x) !== startsBelow);
}

/** Where the gap may be largest or least on the way to the end, the nearest first. */
function candidates({ read, present }: Search, end: bigint): bigint[] {
  const inDebt = (x: bigint) => read(x).netCashWad < 0n;
  const atPresent = inDebt(present);
  if (inDebt(end) === atPresent) return [end];
  const kink = bisect(present, end, (x) => inDebt(x) !== atPresent);
  return [kink + (present < end ? -1n : 1n), kink, end];
}

/** The last x before the turn from which no rounding could have brought the gap to the other side. */
function clearOf({ read, present, bendWad }: Search, turn: bigint, startsBelow: boolean): bigint {
  const isNear = (x: bigint) => {
    const { gapWad } = read(x);
    return startsBelow ? gapWad >= -bendWad : gapWad < bendWad;
  };
  return isNear(present) ? present : bisect(present, turn, isNear);
}

/** The first x from `near` to `far`, where it holds, at which it holds; one plateau of the gap after the other. */
function firstIn({ read }: Search, near: bigint, far: bigint, holds: (x: bigint) => boolean): bigint {
  const direction = near < far ? 1n : -1n;
  let x = near;
  for (let plateaus = 0; x !== far; ++plateaus) {
    if (holds(x)) return x;
    if (plateaus === mostPlateaus) return far;
    const { parts } = read(x);
    const isOther = (other: bigint) => read(other).parts.some((part, i) => part !== parts[i]);
    let step = direction;
    while ((far - x - step) * direction > 0n && !isOther(x + step)) step *= 2n;
    const beyond = (far - x - step) * direction > 0n ? x + step : far;
    x = bisect(x, beyond, isOther);
  }
  return far;
}
