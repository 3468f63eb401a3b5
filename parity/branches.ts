import { errorNameOf } from "./abi.js";
import type { Mirrored, Result, Situation } from "./situation.js";

/** How many cases went down each branch. */
export type Branches = Map<string, number>;

export function countBranches(branches: Branches, situation: Situation, result: Result, _mirrored: Mirrored): void {
  const seen = new Set<string>();
  const { act } = situation;
  seen.add(result.act.done ? `${act.name}` : `error ${errorNameOf(result.act.data)}`);
  for (const name of seen) branches.set(name, (branches.get(name) ?? 0) + 1);
}
