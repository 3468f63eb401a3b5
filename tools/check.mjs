// Everything that must hold before a change lands, tests aside. Runs all steps even when one fails.
import { spawnSync } from "node:child_process";

const steps = {
  format: "prettier --check --log-level warn .",
  "lint and import boundaries": "oxlint --deny-warnings",
  "lint of the contracts": 'solhint --disc --noPoster --max-warnings 0 "contracts/**/*.sol"',
  "generated files": "node tools/check-generated.mjs",
  "sweep assembled": "tsx tools/assemble-sweep.ts --check",
  types: "tsc",
  "mutants current": "tsx tools/mutants.ts --check",
  invariants: "tsx tools/invariants.ts",
  "gas record": "hardhat build --no-tests --quiet && tsx scripts/bench-gas.ts --check",
};

const failed = [];
for (const [name, command] of Object.entries(steps)) {
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(command, { shell: true, encoding: "utf8", maxBuffer: 1e8 });
  console.log(`${status === 0 ? "✔" : "✖"} ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
  if (status === 0) continue;
  failed.push(name);
  console.log(`${stdout}${stderr}`.trimEnd());
}
console.log(`check: ${Object.keys(steps).length - failed.length} passed, ${failed.length} failed`);
process.exitCode = failed.length === 0 ? 0 : 1;
