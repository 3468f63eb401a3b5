import { globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { build } from "vite";

/** What the SDK weighs, gzipped, in bytes. */
export interface PackageSize {
  /** All subpaths in one page, bundled and minified, zod included, ethers left out. */
  readonly bundled: number;
  /** The package's own JavaScript as it is installed. */
  readonly files: number;
}

/** Of a package that buildPackage has written, or that is installed. zod must be in reach of the folder. */
export async function sizeOf(folder: string): Promise<PackageSize> {
  const { exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    exports: Record<string, string | { default: string }>;
  };
  const scripts = Object.values(exports).flatMap((entry) => (typeof entry === "string" ? [] : [entry.default]));
  const everything = join(folder, "everything.js");
  writeFileSync(everything, scripts.map((script, i) => `export * as all${i} from "${script}";\n`).join(""));
  try {
    const result = await build({
      root: folder,
      configFile: false,
      logLevel: "error",
      build: {
        write: false,
        modulePreload: false,
        rolldownOptions: { input: everything, external: ["ethers"], preserveEntrySignatures: "strict" },
      },
    });
    if (!("output" in result)) throw new TypeError("Vite built more than one bundle, or watches");
    const code = result.output.map((chunk) => (chunk.type === "chunk" ? chunk.code : "")).join("\n");
    return { bundled: gzipSync(code).length, files: gzipSync(filesOf(folder)).length };
  } finally {
    rmSync(everything);
  }
}

function filesOf(folder: string): string {
  const files = globSync("sdk/**/*.js", { cwd: folder }).toSorted();
  return files.map((file) => readFileSync(join(folder, file), "utf8")).join("\n");
}
