// Builds from nothing with the production profile and fails when typechain-types or sdk/abi then differ from what is
// committed: a stale file, a missing one or a stray one. It leaves the true files behind, ready to be added.
import { execSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";

const generated = ["typechain-types", "sdk/abi"];
const aside = "node_modules/.before-check-generated";
const remove = (path) => rmSync(path, { recursive: true, force: true });
const restore = (folder) => {
  remove(folder);
  if (existsSync(`${aside}/${folder}`)) renameSync(`${aside}/${folder}`, folder);
};

remove(aside);
mkdirSync(aside);
const folders = ["artifacts", "cache", ...generated];
for (const folder of folders.filter(existsSync)) {
  mkdirSync(dirname(`${aside}/${folder}`), { recursive: true });
  renameSync(folder, `${aside}/${folder}`);
}
const commands = "hardhat build --no-tests --build-profile production && node tools/generate-abi.mjs";
const build = spawnSync(commands, { shell: true, stdio: "inherit" });

// What was built before stays as good as it was, tests included; a failed build has no better types to offer.
for (const folder of build.status === 0 ? ["artifacts", "cache"] : folders) restore(folder);
remove(aside);
if (build.status !== 0) process.exit(1);

const paths = generated.join(" ");
const changed = execSync(`git diff --name-status HEAD -- ${paths}`, { encoding: "utf8" });
const untracked = execSync(`git ls-files --others --exclude-standard -- ${paths}`, { encoding: "utf8" });
if (changed + untracked !== "") {
  console.error(`A build changes generated files; add them to the commit (git add ${paths}):`);
  console.error(changed + untracked.replace(/^(?=.)/gm, "?\t"));
  process.exit(1);
}
