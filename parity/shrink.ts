import { ContractError } from "../sdk/risk/ContractError.js";
import { Vault } from "../sdk/risk/types/VaultStorage.js";
import type { Mirror } from "./acts/act.js";
import { askChain } from "./chain.js";
import { type Difference, compare } from "./compare.js";
import { type Stage, now } from "./house.js";
import { type Situation, decodeResult, mirrorOf } from "./situation.js";

/** A case with other words, or with less that is asked and done. */
function altered(situation: Situation, words: readonly bigint[], acts = situation.acts): Situation {
  const vault = new Vault(now, "");
  for (const [i, place] of situation.house.places.entries()) place.write(vault, words[i] ?? 0n);
  return { ...situation, vault, words, acts };
}

/** What chain and mirror differ in; nothing where the mirror cannot make anything of the state. */
async function differencesOf(stage: Stage, situation: Situation, mirror: Mirror): Promise<Difference[]> {
  try {
    const mirrored = mirrorOf(situation, mirror);
    const [result = ""] = await askChain(stage, [situation]);
    return compare(situation, decodeResult(result, situation), mirrored);
  } catch (error) {
    if (error instanceof ContractError || error instanceof TypeError || error instanceof RangeError) return [];
    throw error;
  }
}

/** The same difference with as few words and acts as it takes: what can be zero is. */
export async function shrink(
  stage: Stage,
  found: Situation,
  differences: readonly Difference[],
  mirror: Mirror,
): Promise<{ situation: Situation; differences: readonly Difference[] }> {
  const about = new Set(differences.map(({ what }) => what));
  let smallest = { situation: found, differences };
  const attempt = async (situation: Situation): Promise<boolean> => {
    const left = await differencesOf(stage, situation, mirror);
    if (!left.some(({ what }) => about.has(what))) return false;
    smallest = { situation, differences: left };
    return true;
  };
  for (const act of found.acts) if (await attempt(altered(found, found.words, [act]))) break;
  for (let changed = true; changed;) {
    changed = false;
    for (const [i, word] of smallest.situation.words.entries()) {
      if (word === 0n) continue;
      const { situation } = smallest;
      if (await attempt(altered(situation, situation.words.with(i, 0n), situation.acts))) changed = true;
    }
  }
  return smallest;
}
