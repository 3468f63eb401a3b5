// Draws whole states of the vault, has the chain and sdk/risk work each out, and compares them bit for bit.
import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";

import { Command, InvalidArgumentError } from "commander";

import { mirror } from "./acts/act.js";
import { openStage } from "./house.js";
import { type Summary, describe, describeSituation, missingBranches, sum, summaryOf, table } from "./report.js";
import { playOne, run } from "./run.js";

const largestSeed = 0xffff_ffff;

const options = new Command("npm run parity --")
  .option("--cases <number>", "how many cases", wholeNumber(1, 1_000_000_000), 20_000)
  .option("--seed <number>", "what the cases are drawn from", wholeNumber(0, largestSeed), 1)
  .option("--case <seed>", "one case alone, by the seed that it was reported with", wholeNumber(0, largestSeed))
  .option(
    "--jobs <number>",
    "how many processes share the cases",
    wholeNumber(1, 64),
    Math.min(2, availableParallelism()),
  )
  .option("--json", "print the figures as one JSON object on the last line of stdout")
  .parse()
  .opts<{ cases: number; seed: number; case?: number; jobs: number; json?: true }>();

/** Set in the processes that have a share of the cases: which of how many. */
const share = process.env["BALLAST_PARITY_SHARE"];

if (share !== undefined) await playShare(share);
else process.exitCode = options.case === undefined ? await playAll() : await playCase(options.case);

async function playAll(): Promise<number> {
  const { cases, seed, jobs } = options;
  const say = progress(cases);
  const parts = jobs === 1 ? [await play(0, 1, (done) => say(0, done))] : await playInProcesses(jobs, say);
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  const summary = sum(parts);
  for (const text of summary.mismatches) console.error(`${text}\n`);
  const missing = missingBranches(summary);
  const { compared, transactions, branches, seconds } = summary;
  if (options.json === true) {
    const mismatches = summary.mismatches.length;
    const figures = { seed, cases: summary.cases, compared, transactions, mismatches, seconds, missing, branches };
    console.log(JSON.stringify(figures));
  } else console.log(table(summary));
  return summary.mismatches.length > 0 || missing.length > 0 ? 1 : 0;
}

async function play(first: number, step: number, progress: (cases: number) => void): Promise<Summary> {
  const stage = await openStage();
  try {
    const { cases, seed } = options;
    return summaryOf(await run(stage, { cases, seed, first, step, progress }));
  } finally {
    await stage.close();
  }
}

async function playInProcesses(jobs: number, say: (job: number, done: number) => void): Promise<Summary[]> {
  return Promise.all(
    Array.from({ length: jobs }, (_, job) => {
      const env = { ...process.env, BALLAST_PARITY_SHARE: `${job}/${jobs}` };
      const child = fork(fileURLToPath(import.meta.url), process.argv.slice(2), { env });
      return new Promise<Summary>((resolve, reject) => {
        child.on("message", (message: number | Summary) => {
          if (typeof message === "number") say(job, message);
          else resolve(message);
        });
        child.once("error", reject);
        child.once("exit", (code) => reject(new Error(`process ${job} of ${jobs} ended with code ${code}`)));
      });
    }),
  );
}

async function playShare(text: string): Promise<void> {
  const [job = 0, jobs = 1] = text.split("/").map(Number);
  const summary = await play(job, jobs, (done) => process.send?.(done));
  await new Promise((resolve) => process.send?.(summary, resolve));
  process.disconnect();
}

async function playCase(seed: number): Promise<number> {
  const stage = await openStage();
  try {
    const { situation, differences } = await playOne(stage, seed, mirror);
    console.log(differences.length === 0 ? describeSituation(situation) : describe({ situation, differences }));
    console.log(differences.length === 0 ? "no mismatch" : `${differences.length} differences`);
    return differences.length === 0 ? 0 : 1;
  } finally {
    await stage.close();
  }
}

/** Says how far all processes have come, on a terminal alone. */
function progress(cases: number): (job: number, done: number) => void {
  const start = performance.now();
  const jobs = new Map<number, number>();
  return (job, done) => {
    jobs.set(job, done);
    if (!process.stderr.isTTY) return;
    const all = [...jobs.values()].reduce((a, b) => a + b, 0);
    const speed = all / ((performance.now() - start) / 1000);
    process.stderr.write(`\r${all} of ${cases} cases, ${speed.toFixed(0)} a second`);
  };
}

function wholeNumber(from: number, to: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= from && value <= to) return value;
    throw new InvalidArgumentError(`give a whole number from ${from} to ${to}`);
  };
}
