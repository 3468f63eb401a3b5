import { globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { build } from "vite";

/** What no page needs: the book of all accounts, which a keeper keeps, and what `npm run access` tells. */
const forOperators = new Set(["./book", "./access"]);

/** What the SDK weighs, gzipped, in bytes. */
export interface PackageSize {
  /** The main entry, whole, in one page: bundled and minified, what it depends on included, ethers left out. */
  readonly main: number;
  /** The same with every other subpath that a page may use. */
  readonly bundled: number;
  /** The same with the subpaths for operators. */
  readonly everything: number;
  /** The package's own JavaScript as it is installed. */
  readonly files: number;
}

/** Of a package that buildPackage has written, or that is installed. What it depends on must be in reach of the folder. */
export async function sizeOf(folder: string): Promise<PackageSize> {
  const { exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    exports: Record<string, string | { default: string }>;
  };
  const scripts = Object.entries(exports).flatMap(([subpath, entry]) =>
    typeof entry === "string" ? [] : [[subpath, entry.default] as const],
  );
  const forPages = scripts.filter(([subpath]) => !forOperators.has(subpath));
  return {
    main: await bundled(
      folder,
      scripts.filter(([subpath]) => subpath === "."),
    ),
    bundled: await bundled(folder, forPages),
    everything: await bundled(folder, scripts),
    files: gzipSync(filesOf(folder)).length,
  };
}

async function bundled(folder: string, scripts: readonly (readonly [string, string])[]): Promise<number> {
  const page = join(folder, "page-to-weigh.js");
  writeFileSync(page, scripts.map(([, script], i) => `export * as all${i} from "${script}";\n`).join(""));
  try {
    const result = await build({
      root: folder,
      configFile: false,
      logLevel: "error",
      build: {
        write: false,
        modulePreload: false,
        rolldownOptions: { input: page, external: ["ethers"], preserveEntrySignatures: "strict" },
      },
    });
    if (!("output" in result)) throw new TypeError("Vite built more than one bundle, or watches");
    return gzipSync(result.output.map((chunk) => (chunk.type === "chunk" ? chunk.code : "")).join("\n")).length;
  } finally {
    rmSync(page);
  }
}

function filesOf(folder: string): string {
  const files = globSync("sdk/**/*.js", { cwd: folder }).toSorted();
  return files.map((file) => readFileSync(join(folder, file), "utf8")).join("\n");
}
