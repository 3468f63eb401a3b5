// Removes one defence of the contracts after the other, in a copy of the tree, and demands that the test of that attack then fails by an
// assertion. `--check` runs nothing: it says whether what is recorded in test/attacks is all there, and of the sources as they are.
import { availableParallelism } from "node:os";
import { relative } from "node:path";

import { Command, InvalidArgumentError } from "commander";

import { type AttackRow, attackRows } from "../test/attacks/rows.js";
import { checkRecord, readRecord, sourcesHash, writeRecord } from "./mutants/record.js";
import { stopEverything } from "./mutants/children.js";
import { type Verdict, runUnpatched, runMutant } from "./mutants/verdict.js";
import { Workshop } from "./mutants/workshop.js";

const root = new URL("..", import.meta.url).pathname.replace(/\/$/, "");

const options = new Command("npm run mutants --")
  .option("--only <ids>", "the rows to run, by id (I05,I08)", rowsNamed)
  .option("--jobs <number>", "how many mutants at a time", positiveInteger, 1)
  .option("--check", "say whether the record is current, and run nothing")
  .parse()
  .opts<{ only?: readonly AttackRow[]; jobs: number; check?: true }>();

// Not once: a terminal and tsx each send the signal, and the second must not cut off the cleaning up after the first.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    stopEverything();
    process.exit(130);
  });
}
process.once("exit", stopEverything);

process.exitCode = options.check === true ? check() : await run(options.only ?? attackRows, options.jobs);

function check(): number {
  const complaints = checkRecord(root, attackRows);
  for (const complaint of complaints) console.error(complaint);
  if (complaints.length > 0) console.error("Run `npm run mutants` and commit test/attacks.");
  return complaints.length === 0 ? 0 : 1;
}

async function run(rows: readonly AttackRow[], jobs: number): Promise<number> {
  const start = performance.now();
  const say = (text: string) =>
    console.log(`[${((performance.now() - start) / 1000).toFixed(0).padStart(5)} s] ${text}`);
  say(`copying the tree, building it`);
  const first = await Workshop.open(root);
  const hash = sourcesHash(first.folder);
  say(`running the ${rows.length} tests on the contracts as they are`);
  const broken = await runUnpatched(first, rows);
  if (broken !== undefined) {
    console.error(`The tests must pass before a mutant can be judged:\n${broken}`);
    return 1;
  }

  const verdicts = new Map<string, Verdict>();
  const waiting = [...rows];
  const work = async (shop: Workshop) => {
    for (let row = waiting.shift(); row !== undefined; row = waiting.shift()) {
      const began = performance.now();
      const verdict = await runMutant(shop, row);
      verdicts.set(row.id, verdict);
      say(`${row.id} ${verdict.outcome} (${((performance.now() - began) / 1000).toFixed(0)} s): ${verdict.detail}`);
    }
  };
  const shops = [first];
  while (shops.length < Math.min(jobs, rows.length)) shops.push(await Workshop.open(first.folder));
  await Promise.all(shops.map(work));

  const judged = rows.map((row) => ({ row, verdict: verdicts.get(row.id) as Verdict }));
  const killed = new Map(judged.map(({ row, verdict }) => [row.id, verdict.outcome === "killed"]));
  const complete = writeRecord(root, attackRows, killed, hash);
  printTable(judged);
  const { recorded } = readRecord(root);
  console.log(`${recorded.filter((row) => row.killed).length} of ${attackRows.length} mutants are recorded as killed`);
  if (!complete) console.log("The hash of the sources is not recorded: run `npm run mutants` without --only.");
  return [...killed.values()].every(Boolean) ? 0 : 1;
}

function printTable(judged: readonly { readonly row: AttackRow; readonly verdict: Verdict }[]): void {
  console.log("");
  for (const { row, verdict } of judged)
    console.log(`${verdict.outcome === "killed" ? "✔" : "✖"} ${row.id}  ${verdict.outcome.padEnd(9)} ${row.defence}`);
  console.log("");
}

function rowsNamed(text: string): readonly AttackRow[] {
  return text.split(",").map((id) => {
    const row = attackRows.find((one) => one.id === id.trim());
    if (row === undefined)
      throw new InvalidArgumentError(`there is no row ${id}: ${relative(root, "test/attacks/rows.ts")}`);
    return row;
  });
}

function positiveInteger(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError("must be 1 or more");
  return Math.min(number, availableParallelism());
}
