import { execFile } from "node:child_process";
import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { expect } from "chai";
import { build, createLogger } from "vite";

import { buildPackage } from "../../tools/package/build.js";
import { sizeOf } from "../../tools/package/size.js";
import { type ServedWorld, serveWorld } from "../examples/servedWorld.js";
import { testKey } from "../helpers/keys.js";

const root = join(import.meta.dirname, "../..");
const mostBundled = 60_000;
const ownerKey = 1;

/** What a contract of a user may do with the package. No file: Hardhat would take it for one of this repository's. */
const reader = `
  // SPDX-License-Identifier: MIT
  pragma solidity ^0.8.30;

  import {MarginVault} from "ballast/contracts/MarginVault.sol";
  import {IMarginVault} from "ballast/contracts/interfaces/IMarginVault.sol";
  import {AccountId} from "ballast/contracts/types/AccountId.sol";

  contract Reader {
      IMarginVault private immutable _vault;

      constructor(MarginVault vault) {
          _vault = vault;
      }

      function cashOf(AccountId account) external view returns (int256) {
          return _vault.cash(account);
      }
  }
`;

/** Of a package that package-lock.json names: what `npm ci` has left in npm's cache. */
function lockedVersion(name: string): string {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, { version: string }>;
  };
  const locked = packages[`node_modules/${name}`];
  if (locked === undefined) throw new TypeError(`package-lock.json does not name ${name}`);
  return `${name}@${locked.version}`;
}

/** Runs a program to its end, without the settings of the npm that runs the tests. What it prints to stdout; throws where it fails. */
async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_OPTIONS$)/i.test(name)));
  try {
    const { stdout } = await promisify(execFile)(command, args, { cwd, env });
    return stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(" ")} failed:\n${stdout ?? ""}${stderr ?? ""}`, { cause: error });
  }
}

describe("the package, installed from its tarball", () => {
  let folder: string;
  let project: string;
  let installed: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "ballast-package-"));
    await buildPackage(join(folder, "dist"));
    await run("npm", ["pack", "./dist", "--silent"], folder);
    const [tarball = ""] = globSync("*.tgz", { cwd: folder });
    project = join(folder, "project");
    cpSync(join(import.meta.dirname, "consumer"), project, { recursive: true });
    writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
    const others = ["ethers", "valibot", "typescript", "@types/node"].map(lockedVersion);
    const options = ["--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"];
    await run("npm", ["install", `../${tarball}`, ...others, ...options], project);
    installed = join(project, "node_modules/ballast");
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  it("is what its users need, and nothing else", () => {
    const kinds = new Set(globSync("**/*.*", { cwd: installed }).map((file) => file.replace(/^[^.]*/, "")));
    expect([...kinds].toSorted()).to.deep.equal([".d.ts", ".js", ".json", ".md", ".sol", ".ts"]);
    expect(existsSync(join(installed, "contracts/mocks"))).to.equal(false);
    expect(globSync("**/!(*.d).ts", { cwd: installed }).filter((file) => !file.startsWith("examples/"))).to.deep.equal(
      [],
    );
    const links = readFileSync(join(installed, "README.md"), "utf8").matchAll(/\]\(([^)]+)\)/g);
    for (const [, link = ""] of links) expect(existsSync(join(installed, link)), link).to.equal(true);
    const scripts = globSync("**/*.js", { cwd: installed });
    expect(scripts.filter((file) => !file.startsWith("sdk/"))).to.deep.equal([]);
    for (const file of scripts) {
      const text = readFileSync(join(installed, file), "utf8");
      expect(text, `${file} carries bytecode`).not.to.match(/0x[0-9a-f]{200}/);
      expect(text, `${file} needs Node`).not.to.match(/from "node:/);
    }
  });

  it("has types that a strict project takes, those of libraries checked too", async () => {
    await run(process.execPath, [join(project, "node_modules/typescript/bin/tsc")], project);
    expect(existsSync(join(project, "out/program.js"))).to.equal(true);
  });

  describe("in a program under Node", () => {
    let served: ServedWorld;
    let report: Readonly<Record<"units" | "decoded" | "onChain", unknown>>;

    before(async () => {
      served = await serveWorld();
      const { world, url, deploymentFile } = served;
      const owner = testKey(ownerKey);
      const signer = world.signers.find(({ address }) => address === owner.address);
      if (signer === undefined) throw new TypeError("the node holds other keys than the tests");
      const account = await world.fund(signer, { USDC: "1000" });
      await (await world.as(signer)).trade(account, "BTC", "0.5");
      const program = ["out/program.js", url, deploymentFile, owner.privateKey, account];
      report = JSON.parse(await run(process.execPath, program, project)) as typeof report;
    });

    after(() => served?.close());

    it("parses, writes and refuses amounts", () => {
      expect(report.units).to.deep.equal({ formatted: "1.5", displayed: "1,234,567.89", refused: "number" });
    });

    it("decodes an error by its ABI", () => {
      const account = `0x70997970c51812dc3a010c7d01b50e0d17dc79c8${"0".repeat(24)}`;
      const message = `InsufficientMargin(account: ${account}, equityWad: -1, requiredWad: 2)`;
      expect(report.decoded).to.deep.equal([true, message]);
    });

    it("works a health out from storage words as the vault does, and is refused with a reason", () => {
      const { twin, chain, ...rest } = report.onChain as Record<string, unknown>;
      expect(twin).to.deep.equal(chain);
      // 0.5 * 8000 * (3% + 0.5 / 400,000) + 2
      expect((twin as string[])[1]).to.equal("122005000000000000000");
      expect(rest).to.deep.equal({
        assets: "1",
        positions: [["BTC", "0.5"]],
        refusal: ["InsufficientMargin", ["account", "equityWad", "requiredWad"]],
      });
    });
  });

  it("has Solidity sources that a contract can build on", () => {
    const require = createRequire(import.meta.url);
    const solc = require("solc") as {
      compile(input: string, callbacks: { import(path: string): { contents: string } | { error: string } }): string;
    };
    const sources = { "Reader.sol": { content: reader } };
    const input = { language: "Solidity", sources, settings: { outputSelection: {} } };
    const find = (path: string) => {
      const folders = [join(project, "node_modules"), join(root, "node_modules")];
      const file = folders.map((each) => join(each, path)).find(existsSync);
      return file === undefined ? { error: `there is no ${path}` } : { contents: readFileSync(file, "utf8") };
    };
    const output = JSON.parse(solc.compile(JSON.stringify(input), { import: find })) as {
      errors?: { severity: string; message: string }[];
    };
    expect(output.errors?.filter(({ severity }) => severity === "error") ?? []).to.deep.equal([]);
  });

  describe("in a page that Vite builds", () => {
    it("needs nothing of Node's", async () => {
      const said: string[] = [];
      const logger = createLogger("warn");
      for (const level of ["warn", "warnOnce", "error"] as const) logger[level] = (text) => void said.push(text);
      const modules = new Set<string>();
      await build({
        root: project,
        configFile: false,
        logLevel: "warn",
        customLogger: logger,
        plugins: [{ name: "modules", moduleParsed: ({ id }) => void modules.add(id) }],
      });
      expect([...modules].filter((id) => id.endsWith("/ballast/sdk/index.js")).length).to.equal(1);
      expect([...modules].filter((id) => /^node:|browser-external/.test(id))).to.deep.equal([]);
      expect(said.filter((text) => /externalized|node:/.test(text))).to.deep.equal([]);
      const [script = ""] = globSync("dist/assets/*.js", { cwd: project });
      expect(readFileSync(join(project, script), "utf8")).to.include("InsufficientMargin");
    });

    it(`adds at most ${mostBundled / 1000} kB gzipped to it, the main entry whole, ethers not counted`, async () => {
      const { main, bundled, everything, files } = await sizeOf(installed);
      console.log(
        `        ${main} bytes in a page, ${bundled} with all subpaths for pages, ${everything} with operators', ${files} as files`,
      );
      expect(main).to.be.lessThan(mostBundled);
    });
  });
});
