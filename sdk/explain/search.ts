/**
 * The nearest x to `near`, where it does not hold, on the way to `far`, where it does, at which it holds. Where it holds here and there on the
 * way, an x at which it does and one before does not.
 */
export function bisect(near: bigint, far: bigint, holds: (x: bigint) => boolean): bigint {
  let [from, to] = [near, far];
  while (to - from > 1n || from - to > 1n) {
    const middle = (from + to) / 2n;
    if (holds(middle)) to = middle;
    else from = middle;
  }
  return to;
}

/** The nearest x to `start` (where it does not hold) that `bisect` finds between two of these steps away from it; undefined: at none of them. */
export function nearest(start: bigint, steps: readonly bigint[], holds: (x: bigint) => boolean): bigint | undefined {
  let failing = start;
  for (const x of steps) {
    if (holds(x)) return bisect(failing, x, holds);
    failing = x;
  }
  return undefined;
}
