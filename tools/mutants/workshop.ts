import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { type Ended, remember, runNode } from "./children.js";

const buildSeconds = 900;
/** In the copy, beside its hardhat.config.ts: the same with a report that a program can read. */
const reportingConfig = "hardhat.mutants.config.ts";

/** A test, or a hook, that failed. */
export interface Failure {
  readonly title: string;
  readonly message: string;
  /** Of a test, by an assertion. A hook that fails says nothing of the property. */
  readonly isAssertion: boolean;
}

/** What mocha says of a run that came to its end, as reporter.cjs writes it. */
export interface Report {
  readonly passed: number;
  readonly failures: readonly Failure[];
}

/** A copy of the tree in a temporary folder, built, in which a patch can be applied and taken back. */
export class Workshop {
  private constructor(
    readonly folder: string,
    private readonly outside: string,
  ) {}

  /** Copies what git knows, or would know, of a tree, with what was built from it. Packages are linked. */
  static async open(from: string): Promise<Workshop> {
    const outside = realpathSync(mkdtempSync(join(tmpdir(), "ballast-mutants-")));
    remember(outside);
    const shop = new Workshop(join(outside, "tree"), outside);
    for (const file of sourcesOf(from)) {
      mkdirSync(dirname(join(shop.folder, file)), { recursive: true });
      copyFileSync(join(from, file), join(shop.folder, file));
    }
    symlinkSync(realpathSync(join(from, "node_modules")), join(shop.folder, "node_modules"), "dir");
    for (const built of ["artifacts", "cache"])
      if (existsSync(join(from, built))) cpSync(join(from, built), join(shop.folder, built), { recursive: true });
    // The compiler's cache names files by their whole path; without it everything is compiled anew.
    const cache = join(shop.folder, "cache/compile-cache.json");
    if (existsSync(cache))
      writeFileSync(cache, readFileSync(cache, "utf8").replaceAll(`"${from}/`, `"${shop.folder}/`));
    writeFileSync(join(shop.folder, reportingConfig), configText(shop.reportFile));

    const { status, output } = await shop.build();
    if (status !== 0) throw new Error(`the contracts do not compile as they are:\n${output}`);
    shop.#keep();
    return shop;
  }

  private get reportFile(): string {
    return join(this.outside, "report.json");
  }

  build(): Promise<Ended> {
    return runNode(this.folder, [...this.#hardhat, "build", "--no-tests", "--quiet"], buildSeconds);
  }

  /** Applies a patch to the sources. Returns what git complains of, if it does. */
  apply(patch: string): string | undefined {
    return applyPatch(this.folder, patch);
  }

  /** Takes a patch back, and with it what was built. */
  revert(patch: string): void {
    const complaint = applyPatch(this.folder, patch, "--reverse");
    if (complaint !== undefined) throw new Error(`${patch} cannot be taken back: ${complaint}`);
    for (const built of ["artifacts", "cache", "typechain-types"]) {
      rmSync(join(this.folder, built), { recursive: true, force: true });
      cpSync(join(this.outside, built), join(this.folder, built), { recursive: true });
    }
  }

  /** Runs test files. Undefined: mocha did not come to an end. */
  async test(files: readonly string[], seconds: number): Promise<{ report: Report | undefined; ended: Ended }> {
    rmSync(this.reportFile, { force: true });
    const args = [...this.#hardhat, "--config", reportingConfig, "test", "mocha", "--no-compile", ...files];
    const ended = await runNode(this.folder, args, seconds);
    const report = existsSync(this.reportFile)
      ? (JSON.parse(readFileSync(this.reportFile, "utf8")) as Report)
      : undefined;
    return { report, ended };
  }

  get #hardhat(): readonly string[] {
    return [join(this.folder, "node_modules/hardhat/dist/src/cli.js")];
  }

  #keep(): void {
    for (const built of ["artifacts", "cache", "typechain-types"])
      cpSync(join(this.folder, built), join(this.outside, built), { recursive: true });
  }
}

/** Complaint of `git apply`, or undefined. */
export function applyPatch(folder: string, patch: string, ...flags: readonly string[]): string | undefined {
  try {
    // The copy lies in no repository: nothing of git's environment may point to one.
    const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith("GIT_")));
    execFileSync("git", ["apply", ...flags, patch], {
      cwd: folder,
      env,
      stdio: ["ignore", "ignore", "pipe"],
      encoding: "utf8",
    });
  } catch (error) {
    return String((error as { stderr?: string }).stderr ?? error).trim();
  }
  return undefined;
}

function sourcesOf(folder: string): readonly string[] {
  if (existsSync(join(folder, ".git"))) {
    const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    const listed = execFileSync("git", args, { cwd: folder, encoding: "utf8", maxBuffer: 1e8 });
    return listed.split("\0").filter((file) => file !== "" && existsSync(join(folder, file)));
  }
  return copiedFiles(folder);
}

function copiedFiles(folder: string): readonly string[] {
  const listed = execFileSync(
    "find",
    [".", "-type", "f", "-not", "-path", "./artifacts/*", "-not", "-path", "./cache/*"],
    {
      cwd: folder,
      encoding: "utf8",
      maxBuffer: 1e8,
    },
  );
  return listed.split("\n").filter((file) => file !== "");
}

function configText(reportFile: string): string {
  const report = `{ reporter: "./tools/mutants/reporter.cjs", reporterOptions: { output: ${JSON.stringify(reportFile)} } }`;
  return `import config from "./hardhat.config.js";

const mocha = { ...config.test?.mocha, ...${report} };
// A contract may be larger without a defence than with it, and no deployment is to fail for that.
const networks = { ...config.networks, default: { type: "edr-simulated", allowUnlimitedContractSize: true } };
export default { ...config, networks, test: { ...config.test, mocha } };
`;
}
