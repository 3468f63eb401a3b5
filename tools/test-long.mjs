// Plays ten times as many random sequences as `npm test`: `--runs 5120 --seed 7 --depth 256` for others.
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";

const text = (otherwise) => ({ type: "string", default: otherwise });
const { values } = parseArgs({ options: { runs: text("2560"), depth: text("128"), seed: text("1") } });
const build = spawnSync("hardhat build --no-tests --quiet", { shell: true, stdio: "inherit" });
if (build.status !== 0) process.exit(1);
const { status } = spawnSync("hardhat test mocha --no-compile test/invariants/invariants.test.ts", {
  shell: true,
  stdio: "inherit",
  env: {
    ...process.env,
    INVARIANT_RUNS: values.runs,
    INVARIANT_DEPTH: values.depth,
    INVARIANT_SEED: values.seed,
  },
});
process.exitCode = status ?? 1;
