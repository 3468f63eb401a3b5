// Fails when typechain-types or sdk/abi are not what a build from nothing makes of the sources: a stale file, a missing one or a stray one. It
// leaves the true files behind, ready to be added. Right after a fresh clone's `npm test`, which built from nothing, they are there already.
import { execSync } from "node:child_process";

import { buildFromNothing, generated, isBuiltFromNothing } from "./build.mjs";

// What was built before stays as good as it was, tests included.
const isDone = isBuiltFromNothing() || buildFromNothing("--build-profile production", ["artifacts", "cache"]);
if (!isDone) process.exit(1);

const paths = generated.join(" ");
const changed = execSync(`git diff --name-status HEAD -- ${paths}`, { encoding: "utf8" });
const untracked = execSync(`git ls-files --others --exclude-standard -- ${paths}`, { encoding: "utf8" });
if (changed + untracked !== "") {
  console.error(`A build changes generated files; add them to the commit (git add ${paths}):`);
  console.error(changed + untracked.replace(/^(?=.)/gm, "?\t"));
  process.exit(1);
}
