// Builds from nothing with the production profile and fails when typechain-types then differs from what is staged or
// committed: a stale file, a missing one or a stray one. It leaves the true files behind, ready to be added.
import { execSync, spawnSync } from "node:child_process";
import { rmSync } from "node:fs";

const generated = "typechain-types";
for (const folder of ["artifacts", "cache", generated]) rmSync(folder, { recursive: true, force: true });
const build = spawnSync("hardhat build --build-profile production", { shell: true, stdio: "inherit" });
if (build.status !== 0) process.exit(1);

const changed = execSync(`git diff --name-status -- ${generated}`, { encoding: "utf8" });
const untracked = execSync(`git ls-files --others --exclude-standard -- ${generated}`, { encoding: "utf8" });
if (changed + untracked !== "") {
  console.error(`A build changes generated files; add them to the commit (git add ${generated}):`);
  console.error(changed + untracked.replace(/^(?=.)/gm, "?\t"));
  process.exit(1);
}
