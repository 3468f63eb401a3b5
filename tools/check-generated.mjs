// Builds from nothing with the production profile and fails when typechain-types then differs from what is staged or
// committed: a stale file, a missing one or a stray one. It leaves the true files behind, ready to be added.
import { execSync, spawnSync } from "node:child_process";
import { existsSync, renameSync, rmSync } from "node:fs";

const generated = "typechain-types";
const before = "node_modules/.typechain-types-before";
const remove = (...folders) => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true }));

remove("artifacts", "cache", before);
if (existsSync(generated)) renameSync(generated, before);
const build = spawnSync("hardhat build --build-profile production", { shell: true, stdio: "inherit" });
if (build.status !== 0) {
  remove(generated);
  if (existsSync(before)) renameSync(before, generated);
  process.exit(1);
}
remove(before);

const changed = execSync(`git diff --name-status -- ${generated}`, { encoding: "utf8" });
const untracked = execSync(`git ls-files --others --exclude-standard -- ${generated}`, { encoding: "utf8" });
if (changed + untracked !== "") {
  console.error(`A build changes generated files; add them to the commit (git add ${generated}):`);
  console.error(changed + untracked.replace(/^(?=.)/gm, "?\t"));
  process.exit(1);
}
