import { join } from "node:path";

import type { AttackRow } from "../../test/attacks/rows.js";
import type { Workshop } from "./workshop.js";

const testSeconds = 600;

/** What became of a mutant. Anything but `killed` is a fault of the row. */
export interface Verdict {
  readonly outcome: "killed" | "survived" | "crashed" | "unbuilt" | "unpatched";
  readonly detail: string;
}

/** Runs the tests of all rows together. Returns what is wrong, or undefined. */
export async function runUnpatched(shop: Workshop, rows: readonly AttackRow[]): Promise<string | undefined> {
  const { report, ended } = await shop.test(
    rows.map(({ test }) => test),
    testSeconds * 2,
  );
  if (report === undefined) return ended.output;
  if (report.failures.length > 0) return report.failures.map(({ title, message }) => `${title}: ${message}`).join("\n");
  return report.passed < rows.length ? `only ${report.passed} tests ran:\n${ended.output}` : undefined;
}

/** Removes a row's defence, builds, and runs the row's test. */
export async function runMutant(shop: Workshop, { patch, test }: AttackRow): Promise<Verdict> {
  const file = join(shop.folder, patch);
  const complaint = shop.apply(file);
  if (complaint !== undefined) return { outcome: "unpatched", detail: complaint };
  try {
    const built = await shop.build();
    if (built.status !== 0) return { outcome: "unbuilt", detail: built.output };
    const { report, ended } = await shop.test([test], testSeconds);
    if (report === undefined) return { outcome: "crashed", detail: ended.output };
    if (report.failures.length === 0) return { outcome: "survived", detail: `${report.passed} tests passed` };
    const other = report.failures.find(({ isAssertion }) => !isAssertion);
    if (other !== undefined) return { outcome: "crashed", detail: `${other.title}: ${other.message}` };
    const [first] = report.failures;
    return { outcome: "killed", detail: `${first?.title ?? ""}: ${first?.message ?? ""}` };
  } finally {
    shop.revert(file);
  }
}
