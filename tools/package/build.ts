import { execFile } from "node:child_process";
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import ts from "typescript";

const root = join(import.meta.dirname, "../..");

interface RootPackage {
  readonly version: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly [key: string]: unknown;
}

/** Writes the package of the SDK to a folder, which `npm pack` then packs: JavaScript, types, and the contracts' sources. */
export async function buildPackage(folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  await writeTypes(folder);
  for (const file of globSync("sdk/**/*.ts", { cwd: root })) writeScript(folder, file);
  cpSync(join(root, "contracts"), join(folder, "contracts"), {
    recursive: true,
    filter: (source) => source !== join(root, "contracts/mocks"),
  });
  cpSync(join(root, "LICENSE"), join(folder, "LICENSE"));
  cpSync(join(root, "examples"), join(folder, "examples"), { recursive: true });
  const page = readFileSync(join(root, "docs/sdk.md"), "utf8");
  writeFileSync(join(folder, "README.md"), page.replaceAll("](../", "]("));
  const own = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as RootPackage;
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(packageJson(own), null, 2)}\n`);
}

/** Checks the types too, without those of Node: what the SDK uses, every browser has. */
async function writeTypes(folder: string): Promise<void> {
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  await promisify(execFile)(process.execPath, [
    compiler,
    "-p",
    join(root, "tsconfig.package.json"),
    "--outDir",
    folder,
  ]);
}

/** Comments stay in the types, where editors look for them. */
function writeScript(folder: string, file: string): void {
  const { outputText } = ts.transpileModule(readFileSync(join(root, file), "utf8"), {
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      removeComments: true,
    },
  });
  const script = join(folder, file.replace(/\.ts$/, ".js"));
  mkdirSync(dirname(script), { recursive: true });
  writeFileSync(script, outputText);
}

/** The repository's own, as far as the SDK is concerned: an entry there is a source file, here what became of it. */
function packageJson(own: RootPackage): object {
  const { name, version, description, license, type } = own;
  const entries = Object.entries(own.exports).map(([subpath, file]) => {
    const built = file.replace(/\.ts$/, "");
    return [subpath, built === file ? file : { types: `${built}.d.ts`, default: `${built}.js` }];
  });
  const { ethers, valibot } = own.dependencies;
  const { "@openzeppelin/contracts": openzeppelin, "@pythnetwork/pyth-sdk-solidity": pyth } = own.devDependencies;
  return {
    name,
    version,
    description,
    license,
    type,
    sideEffects: false,
    exports: Object.fromEntries(entries),
    dependencies: { valibot },
    peerDependencies: {
      ethers,
      "@openzeppelin/contracts": openzeppelin,
      "@pythnetwork/pyth-sdk-solidity": pyth,
    },
    // Only the contracts' sources import them.
    peerDependenciesMeta: {
      "@openzeppelin/contracts": { optional: true },
      "@pythnetwork/pyth-sdk-solidity": { optional: true },
    },
  };
}
