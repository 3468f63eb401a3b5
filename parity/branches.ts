import { errorNameOf } from "./abi.js";
import type { Mirrored, Result, Situation } from "./situation.js";

/** How many cases went down each branch. */
export type Branches = Map<string, number>;

export function countBranches(branches: Branches, situation: Situation, result: Result, _mirrored: Mirrored): void {
  const seen = new Set<string>();
  for (const [i, { name }] of situation.acts.entries()) {
    const told = result.acts[i];
    if (told !== undefined) seen.add(told.done ? name : `error ${errorNameOf(told.data)}`);
  }
  for (const name of seen) branches.set(name, (branches.get(name) ?? 0) + 1);
}
