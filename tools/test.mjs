// Runs every test. Random sequences and the model take as long as all others together, so they have a process of their own, beside the
// others'. With arguments, `hardhat test` gets them instead. The last line counts; what was printed stays in cache/tests.json, from which
// `npm run check` has what was shown.
import { spawn, spawnSync } from "node:child_process";
import { globSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";

const files = process.argv.slice(2);
const build = spawnSync("hardhat build --no-tests --quiet", { shell: true, stdio: "inherit" });
if (build.status !== 0) process.exit(1);
if (files.length > 0) process.exit(spawnSync("hardhat", ["test", ...files], { stdio: "inherit" }).status ?? 1);

const reportFile = "cache/tests.json";
rmSync(reportFile, { force: true });
const startedAt = Date.now();
const long = ["test/invariants/", "test/model/", "test/simulator/"];
const all = globSync("test/**/*.test.ts").toSorted();
const isLong = (file) => long.some((folder) => file.startsWith(folder));
// Types and artifacts are as the build has left them: neither process changes what the other reads.
const queues = [
  [
    ["test", "solidity", "--no-typechain"],
    ["test", "mocha", "--no-compile", ...all.filter((file) => !isLong(file))],
  ],
  [["test", "mocha", "--no-compile", ...all.filter(isLong)]],
];

/** Runs hardhat with each list of arguments, one after the other; `print` gets what it says, as it says it. */
async function run(queue, print) {
  let status = 0;
  let text = "";
  for (const args of queue) {
    const child = spawn("hardhat", args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...colors } });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (chunk) => {
        text += chunk;
        print(chunk);
      });
    }
    status |= await new Promise((resolve) => child.once("close", (code) => resolve(code ?? 1)));
  }
  return { status, text };
}

const colors = process.stdout.isTTY ? { FORCE_COLOR: "1" } : {};
// What the first says is printed at once; what the second says meanwhile, when the first has ended.
let held = "";
let isHeld = true;
const first = run(queues[0], (chunk) => process.stdout.write(chunk)).then((done) => {
  isHeld = false;
  process.stdout.write(held);
  return done;
});
const second = run(queues[1], (chunk) => {
  if (isHeld) held += chunk;
  else process.stdout.write(chunk);
});

const outcomes = await Promise.all([first, second]);
const plain = outcomes.map(({ text }) => stripVTControlCharacters(text)).join("\n");
mkdirSync("cache", { recursive: true });
writeFileSync(reportFile, JSON.stringify({ startedAt, output: plain }));
const count = (word) =>
  [...plain.matchAll(new RegExp(`^  ([0-9]+) ${word}(?: \\(.*)?$`, "gm"))].reduce(
    (sum, [, number]) => sum + Number(number),
    0,
  );
const [passed, failed, skipped] = [count("passing"), count("failing"), count("pending") + count("skipped")];
const broken = outcomes.some(({ status }) => status !== 0);
// A process that fails without naming a test that did is one failure.
console.log(`tests: ${passed} passed, ${failed === 0 && broken ? 1 : failed} failed, ${skipped} skipped`);
process.exitCode = broken || failed > 0 || passed === 0 ? 1 : 0;
