import { type Mirror, mirror as twin } from "./acts/act.js";
import { askChain } from "./chain.js";
import { type Branches, countBranches } from "./branches.js";
import { type Difference, compare } from "./compare.js";
import { caseSeed } from "./draw/draws.js";
import { type Stage, houseCount } from "./house.js";
import {
  type Mirrored,
  type Result,
  type Situation,
  decodeResult,
  drawSituation,
  mirrorOf,
  rangesOf,
} from "./situation.js";
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

/** So many that setting up a call costs little. */
const batchSize = 128;
/** So many batches at a time that neither drawing nor the chain waits for the other. */
const mostPlaying = 3;
/** Every so many cases one is also a transaction. */
const transactionEvery = 40;

/** Draws cases, and plays each on the chain and in the mirror. */
export async function run(stage: Stage, options: Options): Promise<Outcome> {
  const { cases, seed, first = 0, step = 1, mirror = twin, most = 20, progress } = options;
  const start = performance.now();
  const branches: Branches = new Map();
  const mismatches: Mismatch[] = [];
  let [compared, transactions, done] = [0, 0, 0];
  let transacting: Promise<unknown> = Promise.resolve();

  const judge = async (situation: Situation, hex: string, mirrored: Mirrored | Error): Promise<void> => {
    const result = decodeResult(hex, situation);
    const differences = differencesOf(situation, result, mirrored);
    compared += countOf(situation);
    if (!(mirrored instanceof Error)) {
      countBranches(branches, situation, result, mirrored);
      if (situation.seed % transactionEvery === 0) {
        // One after the other: there is one chain.
        const compares = transacting.then(() => compareTransaction(stage, situation, mirrored));
        transacting = compares;
        differences.push(...(await compares));
        transactions++;
      }
    }
    if (differences.length > 0) mismatches.push(await shrink(stage, situation, differences, mirror));
  };
  const play = async (batch: readonly Situation[]): Promise<void> => {
    const asked = askChain(stage, batch);
    const outcomes = batch.map((situation) => mirrored(situation, mirror));
    const results = await asked;
    for (const [i, situation] of batch.entries()) {
      await judge(situation, results[i] ?? "", outcomes[i] ?? new Error("not played"));
    }
    done += batch.length;
    progress?.(done);
  };

  const waiting = Array.from({ length: houseCount }, (): Situation[] => []);
  const playing = new Set<Promise<void>>();
  const begin = (batch: readonly Situation[]) => {
    const played = play(batch).finally(() => playing.delete(played));
    playing.add(played);
  };
  for (let number = first; number < cases && mismatches.length < most; number += step) {
    const situation = drawSituation(caseSeed(seed, number), stage.houses);
    const list = waiting[situation.seed % houseCount] ?? [];
    list.push(situation);
    if (list.length < batchSize) continue;
    // While the chain is at some, the next is drawn.
    if (playing.size >= mostPlaying) await Promise.race(playing);
    begin(list.splice(0));
  }
  for (const list of waiting) if (list.length > 0 && mismatches.length < most) begin(list.splice(0));
  await Promise.all(playing);
  mismatches.sort((a, b) => a.situation.seed - b.situation.seed);
  return { cases: done, compared, transactions, mismatches, branches, seconds: (performance.now() - start) / 1000 };
}

/** One case alone, in full, as a transaction too. */
export async function playOne(stage: Stage, seed: number, mirror: Mirror): Promise<Mismatch> {
  const situation = drawSituation(seed, stage.houses);
  const outcome = mirrored(situation, mirror);
  const [hex = ""] = await askChain(stage, [situation]);
  const differences = differencesOf(situation, decodeResult(hex, situation), outcome);
  if (!(outcome instanceof Error)) differences.push(...(await compareTransaction(stage, situation, outcome)));
  return differences.length === 0 ? { situation, differences } : shrink(stage, situation, differences, mirror);
}

function differencesOf(situation: Situation, result: Result, mirrored: Mirrored | Error): Difference[] {
  if (!(mirrored instanceof Error)) return compare(situation, result, mirrored);
  return [{ what: "the mirror", chain: "", mirror: mirrored.stack ?? mirrored.message }];
}

/** How many figures and words of a case are compared. */
function countOf(situation: Situation): number {
  const places = rangesOf(situation).reduce((sum, [first, end]) => sum + end - first, 0);
  return places + situation.questions.length + situation.acts.length;
}

function mirrored(situation: Situation, mirror: Mirror): Mirrored | Error {
  try {
    return mirrorOf(situation, mirror);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
