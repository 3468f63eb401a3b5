import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

import { type ToldTest, compare, testsOf } from "./compare.js";

/** What `npm test` leaves behind, once all tests have run. */
interface Report {
  /** Milliseconds since 1970: when the run began. */
  readonly startedAt: number;
  /** What the runners printed, without colours. */
  readonly output: string;
}

export const reportFile = "cache/tests.json";
const page = "docs/protocol.md";

function report(root: string): Report | undefined {
  const file = join(root, reportFile);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Report) : undefined;
}

/** The first file of these that was written after a time. */
function newerThan(root: string, time: number): string | undefined {
  const tests = readdirSync(join(root, "test"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  return [join(root, page), ...tests.toSorted()].find((file) => statSync(file).mtimeMs > time);
}

/** What keeps the page's invariants from being shown by the last run of all tests, in sentences. */
export function complaints(root: string): string[] {
  const last = report(root);
  if (last === undefined) return ["there is no report of a whole run: run `npm test` first"];
  const newer = newerThan(root, last.startedAt);
  if (newer !== undefined) return [`${newer} is newer than the last whole run: run \`npm test\` first`];
  const tests: readonly ToldTest[] = testsOf(last.output);
  return compare(readFileSync(join(root, page), "utf8"), tests);
}
