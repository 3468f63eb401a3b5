import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { AttackRow } from "../../test/attacks/rows.js";
import { applyPatch } from "./workshop.js";

const recordFile = "test/attacks/mutants.json";
const hashFile = "test/attacks/mutants.sha256";
/** What a verdict depends on. */
const hashed = ["contracts", "test/attacks", "test/helpers"];

/** A row as test/attacks/mutants.json has it. */
export interface RecordedRow {
  readonly id: string;
  readonly defence: string;
  readonly test: string;
  readonly killed: boolean;
}

/** The hash of all that a verdict depends on: paths and contents, in the order of the paths. */
export function sourcesHash(root: string): string {
  const hash = createHash("sha256");
  for (const folder of hashed) {
    const files = readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name).slice(root.length + 1))
      .filter((file) => file !== recordFile && file !== hashFile)
      .toSorted();
    for (const file of files)
      hash.update(
        `${file}\0${createHash("sha256")
          .update(readFileSync(join(root, file)))
          .digest("hex")}\n`,
      );
  }
  return hash.digest("hex");
}

export function readRecord(root: string): { readonly recorded: readonly RecordedRow[]; readonly hash: string } {
  const read = (file: string, empty: string) =>
    existsSync(join(root, file)) ? readFileSync(join(root, file), "utf8") : empty;
  return { recorded: JSON.parse(read(recordFile, "[]")) as RecordedRow[], hash: read(hashFile, "").trim() };
}

/**
 * Writes what was found of some rows, and leaves the others as they were. The hash stands for all rows: it is written when all were run,
 * stays where only some were run against the same sources, and else goes.
 * @returns whether the record has the hash
 */
export function writeRecord(
  root: string,
  rows: readonly AttackRow[],
  killed: ReadonlyMap<string, boolean>,
  hash: string,
): boolean {
  const before = readRecord(root);
  const known = new Map(before.recorded.map((row) => [row.id, row.killed]));
  const record = rows.map(({ id, defence, test }) => ({
    id,
    defence,
    test,
    killed: killed.get(id) ?? known.get(id) ?? false,
  }));
  writeFileSync(join(root, recordFile), `${JSON.stringify(record, null, 2)}\n`);
  const complete = rows.every(({ id }) => killed.has(id)) || before.hash === hash;
  if (complete) writeFileSync(join(root, hashFile), `${hash}\n`);
  else rmSync(join(root, hashFile), { force: true });
  return complete;
}

/** What keeps the record from being current, in sentences. */
export function checkRecord(root: string, rows: readonly AttackRow[]): readonly string[] {
  const { recorded, hash } = readRecord(root);
  const complaints: string[] = [];
  for (const { id, defence, patch, test } of rows) {
    const row = recorded.find((one) => one.id === id);
    if (row === undefined) complaints.push(`${id} is not in ${recordFile}`);
    else if (!row.killed) complaints.push(`${id}: its mutant survived`);
    else if (row.defence !== defence || row.test !== test) complaints.push(`${id} is recorded with other words`);
    if (!existsSync(join(root, test))) complaints.push(`${id} has no test: ${test}`);
    if (!existsSync(join(root, patch))) complaints.push(`${id} has no patch: ${patch}`);
    else {
      const complaint = applyPatch(root, join(root, patch), "--check");
      if (complaint !== undefined) complaints.push(`${patch} does not apply: ${complaint}`);
    }
  }
  for (const { id } of recorded)
    if (!rows.some((row) => row.id === id)) complaints.push(`${id} is recorded, and no row`);
  if (hash !== sourcesHash(root)) complaints.push(`${hashed.join(", ")} have changed since the mutants were run`);
  return complaints;
}
