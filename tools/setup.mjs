// Makes a fresh clone ready: installs the packages that package-lock.json names, unless they are there already.
// Plain JavaScript without dependencies, because it runs before there are any. Everything it prints goes to stderr.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");

/** Why the installed packages cannot be used as they are, or undefined when they can. */
function whatIsMissing() {
  const installedLock = join(root, "node_modules/.package-lock.json");
  if (!existsSync(installedLock)) return "node_modules is missing";

  const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  const installed = JSON.parse(readFileSync(installedLock, "utf8")).packages;
  for (const [path, { version, integrity, optional }] of Object.entries(wanted)) {
    if (path === "") continue;
    const found = installed[path];
    if (found === undefined && optional) continue;
    if (found?.version !== version || found.integrity !== integrity || !existsSync(join(root, path))) {
      return `${path} differs from package-lock.json`;
    }
  }

  const node24 = join(root, "node_modules/node/bin/node");
  const loadEvm = spawnSync(node24, ["-e", 'require("@nomicfoundation/edr")'], { cwd: root, stdio: "ignore" });
  if (loadEvm.error) return "Node 24 does not start";
  if (loadEvm.status !== 0) return "the native part of Hardhat's EVM does not load";
}

/** npm must not inherit the settings of the npm that started us, nor run on the Node that it is about to replace. */
function cleanEnvironment() {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
  const path = Object.keys(env).find((name) => name.toUpperCase() === "PATH") ?? "PATH";
  env[path] = (env[path] ?? "")
    .split(delimiter)
    .filter((folder) => !folder.startsWith(join(root, "node_modules")))
    .join(delimiter);
  return env;
}

const reason = whatIsMissing();
if (reason !== undefined) {
  const env = cleanEnvironment();
  const run = (command, stdout) =>
    spawnSync(command, { env, cwd: root, shell: true, encoding: "utf8", stdio: ["ignore", stdout, process.stderr] });

  // On a Node older than 22 npm silently leaves out the native part of Hardhat's EVM, whose engines ask for more.
  const major = Number.parseInt(run('node -p "process.versions.node"', "pipe").stdout, 10);
  const npmCi = "npm ci --include=dev --no-audit --no-fund";
  console.error(`Installing packages (${reason}); this takes about half a minute and happens once.`);
  run(major >= 22 ? npmCi : `npx -y -p node@24 -- ${npmCi}`, process.stderr);

  const stillMissing = whatIsMissing();
  if (stillMissing !== undefined) {
    console.error(`The installation did not succeed: ${stillMissing}. Run "npx -y -p node@24 -- npm ci" to see why.`);
    process.exit(1);
  }
}
