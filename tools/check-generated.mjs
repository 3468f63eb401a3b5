// Builds from nothing with the production profile and fails when typechain-types then differs from what is
// committed: a stale file, a missing one or a stray one. It leaves the true files behind, ready to be added.
import { execSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";

const generated = "typechain-types";
const aside = "node_modules/.before-check-generated";
const remove = (path) => rmSync(path, { recursive: true, force: true });
const restore = (folder) => {
  remove(folder);
  if (existsSync(`${aside}/${folder}`)) renameSync(`${aside}/${folder}`, folder);
};

remove(aside);
mkdirSync(aside);
const folders = ["artifacts", "cache", generated];
for (const folder of folders.filter(existsSync)) renameSync(folder, `${aside}/${folder}`);
const build = spawnSync("hardhat build --no-tests --build-profile production", { shell: true, stdio: "inherit" });

// What was built before stays as good as it was, tests included; a failed build has no better types to offer.
for (const folder of build.status === 0 ? ["artifacts", "cache"] : folders) restore(folder);
remove(aside);
if (build.status !== 0) process.exit(1);

const changed = execSync(`git diff --name-status HEAD -- ${generated}`, { encoding: "utf8" });
const untracked = execSync(`git ls-files --others --exclude-standard -- ${generated}`, { encoding: "utf8" });
if (changed + untracked !== "") {
  console.error(`A build changes generated files; add them to the commit (git add ${generated}):`);
  console.error(changed + untracked.replace(/^(?=.)/gm, "?\t"));
  process.exit(1);
}
