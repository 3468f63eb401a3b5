import { type Mirror, mirror as twin } from "./acts/act.js";
import { askChain } from "./chain.js";
import { type Branches, countBranches } from "./branches.js";
import { type Difference, compare } from "./compare.js";
import { caseSeed } from "./draw/draws.js";
import { type Stage, houseCount } from "./house.js";
import { type Mirrored, type Situation, decodeResult, drawSituation, mirrorOf, rangesOf } from "./situation.js";
import { shrink } from "./shrink.js";
import { compareTransaction } from "./transaction.js";

/** A case in which chain and mirror do not say the same. */
export interface Mismatch {
  readonly situation: Situation;
  readonly differences: readonly Difference[];
}

export interface Outcome {
  readonly cases: number;
  /** Figures, errors and storage words that were held against one another. */
  readonly compared: number;
  /** Cases that ran as transactions too. */
  readonly transactions: number;
  readonly mismatches: readonly Mismatch[];
  readonly branches: Branches;
  readonly seconds: number;
}

export interface Options {
  readonly cases: number;
  readonly seed: number;
  /** Case numbers from here on, in steps: for processes that share a run. */
  readonly first?: number;
  readonly step?: number;
  /** By default the twin. */
  readonly mirror?: Mirror;
  /** Stops at so many mismatches. */
  readonly most?: number;
  readonly progress?: (cases: number) => void;
}

/** So few that what the chain records of each step of a call stays small. */
const batchSize = 16;
/** Every so many cases one is also a transaction. */
const transactionEvery = 40;

interface Played {
  readonly situation: Situation;
  readonly mirrored: Mirrored | Error;
}

/** Draws cases, and plays each on the chain and in the mirror. */
export async function run(stage: Stage, options: Options): Promise<Outcome> {
  const { cases, seed, first = 0, step = 1, mirror = twin, most = 20, progress } = options;
  const start = performance.now();
  const branches: Branches = new Map();
  const mismatches: Mismatch[] = [];
  let [compared, transactions, done] = [0, 0, 0];
  const waiting = Array.from({ length: houseCount }, (): Situation[] => []);
  let under: Promise<void> = Promise.resolve();

  const play = async (batch: readonly Situation[]): Promise<void> => {
    const asked = askChain(stage, batch);
    const played = batch.map((situation): Played => ({ situation, mirrored: mirrored(situation, mirror) }));
    const results = await asked;
    for (const [i, { situation, mirrored }] of played.entries()) {
      const result = decodeResult(results[i] ?? "", situation);
      const differences =
        mirrored instanceof Error
          ? [{ what: "the mirror", chain: "", mirror: mirrored.stack ?? mirrored.message }]
          : compare(situation, result, mirrored);
      if (!(mirrored instanceof Error)) {
        countBranches(branches, situation, result, mirrored);
        if (situation.seed % transactionEvery === 0) {
          differences.push(...(await compareTransaction(stage, situation, mirrored)));
          transactions++;
        }
      }
      compared +=
        rangesOf(situation).reduce((sum, [first, end]) => sum + end - first, 0) +
        result.questions.length +
        result.acts.length;
      if (differences.length > 0) mismatches.push(await shrink(stage, situation, differences, mirror));
    }
    done += batch.length;
    progress?.(done);
  };

  for (let number = first; number < cases && mismatches.length < most; number += step) {
    const situation = drawSituation(caseSeed(seed, number), stage.houses);
    const list = waiting[situation.seed % houseCount] ?? [];
    list.push(situation);
    if (list.length < batchSize) continue;
    // While the chain is at one batch, the next is drawn.
    await under;
    under = play(list.splice(0));
  }
  await under;
  if (mismatches.length < most) for (const list of waiting) if (list.length > 0) await play(list);
  return { cases: done, compared, transactions, mismatches, branches, seconds: (performance.now() - start) / 1000 };
}

/** One case alone, in full, as a transaction too. */
export async function playOne(stage: Stage, seed: number, mirror: Mirror): Promise<Mismatch> {
  const situation = drawSituation(seed, stage.houses);
  const outcome = mirrored(situation, mirror);
  if (outcome instanceof Error) throw outcome;
  const [result = ""] = await askChain(stage, [situation]);
  const differences = compare(situation, decodeResult(result, situation), outcome);
  differences.push(...(await compareTransaction(stage, situation, outcome)));
  return differences.length === 0 ? { situation, differences } : shrink(stage, situation, differences, mirror);
}

function mirrored(situation: Situation, mirror: Mirror): Mirrored | Error {
  try {
    return mirrorOf(situation, mirror);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
