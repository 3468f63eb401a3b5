// Runs every test: each folder of test/ in a process of its own, two at a time. With arguments, `hardhat test` gets them instead. The last
// line counts; what was printed stays in cache/tests.json, from which `npm run check` has which invariants were shown.
import { spawn, spawnSync } from "node:child_process";
import { globSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";

import { build } from "./build.mjs";

const files = process.argv.slice(2);
if (!build()) process.exit(1);
if (files.length > 0) process.exit(spawnSync("hardhat", ["test", ...files], { stdio: "inherit" }).status ?? 1);

const reportFile = "cache/tests.json";
rmSync(reportFile, { force: true });
const startedAt = Date.now();
const processesAtOnce = 2;
/** What takes long comes first, so that the processes end together; folders that are not named share the last one. */
const order = ["invariants", "sdk", "scenarios", "solidity", "contracts", "model", "keeper", "attacks"];
const folderOf = (file) => file.split("/")[1];
const folders = Map.groupBy(globSync("test/**/*.test.ts").toSorted(), (file) =>
  order.includes(folderOf(file)) ? folderOf(file) : "others",
);
// Types and artifacts are as the build has left them: no process changes what another reads.
const jobs = [...order, "others"].map((name) => ({
  name,
  args:
    name === "solidity" ? ["test", name, "--no-typechain"] : ["test", "mocha", "--no-compile", ...folders.get(name)],
  text: "",
  status: undefined,
  seconds: 0,
}));

let printed = 0;
/** What the first job that has not ended says is printed at once; what others say meanwhile, when their turn comes. */
function print(job, chunk) {
  job.text += chunk;
  if (job === jobs[printed]) process.stdout.write(chunk);
}

async function run(job) {
  const colors = process.stdout.isTTY ? { FORCE_COLOR: "1" } : {};
  const child = spawn("hardhat", job.args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...colors } });
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (chunk) => print(job, chunk));
  const start = performance.now();
  job.status = await new Promise((resolve) => child.once("close", (code) => resolve(code ?? 1)));
  job.seconds = Math.round((performance.now() - start) / 1000);
  while (jobs[printed]?.status !== undefined) process.stdout.write(jobs[++printed]?.text ?? "");
}

const waiting = [...jobs];
await Promise.all(
  Array.from({ length: processesAtOnce }, async () => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) await run(job);
  }),
);

const plain = jobs.map(({ text }) => stripVTControlCharacters(text)).join("\n");
mkdirSync("cache", { recursive: true });
writeFileSync(reportFile, JSON.stringify({ startedAt, output: plain }));
const count = (word) =>
  [...plain.matchAll(new RegExp(`^  ([0-9]+) ${word}(?: \\(.*)?$`, "gm"))].reduce(
    (sum, [, number]) => sum + Number(number),
    0,
  );
const [passed, failed, skipped] = [count("passing"), count("failing"), count("pending") + count("skipped")];
console.log(`\nseconds: ${jobs.map(({ name, seconds }) => `${name} ${seconds}`).join(", ")}`);
const broken = jobs.filter(({ status }) => status !== 0).map(({ name }) => name);
if (broken.length > 0) console.log(`failed: ${broken.join(", ")}`);
// A process that fails without naming a test that did is one failure.
console.log(`tests: ${passed} passed, ${failed === 0 && broken.length > 0 ? 1 : failed} failed, ${skipped} skipped`);
process.exitCode = broken.length > 0 || failed > 0 || passed === 0 ? 1 : 0;
