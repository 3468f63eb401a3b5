import { keccak256, toUtf8Bytes } from "ethers";

import type { Deployment } from "../deployment.js";
import { VaultStorage } from "../risk/types/VaultStorage.js";
import { type Change, cellNames, cells } from "./cells.js";
import { SnapshotError } from "./errors.js";

/** What the book needs to know of a block. */
export interface BookBlock {
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
  /** Unix seconds. */
  readonly timestamp: number;
}

/** What blocks changed, to be taken back together. */
export interface JournalEntry {
  /** The last block before them; none: they were the first. */
  readonly before: BookBlock | undefined;
  readonly changes: readonly Change[];
}

/** All that a book knows. */
export interface BookState {
  readonly storage: VaultStorage;
  readonly head: BookBlock | undefined;
  /** Oldest first. */
  readonly journal: readonly JournalEntry[];
}

export type BookDeployment = Pick<Deployment, "chainId" | "fromBlock" | "vault" | "pool" | "settlementToken">;

const format = "ballast-book";
/** Of what follows: another one is another format. */
const version = 1;

/** A book as text (JSON), with what it needs to undo its last blocks. */
export function writeSnapshot({ chainId, vault }: BookDeployment, { storage, head, journal }: BookState): string {
  const content = {
    format,
    version,
    chainId,
    vault: vault.toLowerCase(),
    head: head ?? null,
    words: Object.fromEntries(cellNames.map((name) => [name, cells[name].rows(storage)])),
    journal: journal.map(({ before, changes }) => ({
      before: before ?? null,
      changes: changes.map((change) => change.row()),
    })),
  };
  return JSON.stringify({ ...content, checksum: checksumOf(content) });
}

/** Reads what writeSnapshot wrote for this deployment. Throws SnapshotError. */
export function readSnapshot(deployment: BookDeployment, text: string): BookState {
  const { checksum, ...content } = record("(root)", parsed(text));
  const must = (field: string, actual: unknown, expected: unknown) => {
    if (actual !== expected) throw new SnapshotError(field, `is ${JSON.stringify(actual)}, not ${String(expected)}`);
  };
  must("format", content["format"], format);
  must("version", content["version"], version);
  must("chainId", content["chainId"], deployment.chainId);
  must("vault", content["vault"], deployment.vault.toLowerCase());
  must("checksum", checksum, checksumOf(content));
  const storage = new VaultStorage();
  const words = record("words", content["words"]);
  for (const name of cellNames) {
    for (const [at, row] of list(`words.${name}`, words[name]).entries()) {
      changeOf(`words.${name}.${at}`, name, row).undo(storage);
    }
  }
  return {
    storage,
    head: block("head", content["head"]),
    journal: list("journal", content["journal"]).map((entry, at) => {
      const { before, changes } = record(`journal.${at}`, entry);
      return {
        before: block(`journal.${at}.before`, before),
        changes: list(`journal.${at}.changes`, changes).map((row, i) => {
          const [name, ...rest] = list(`journal.${at}.changes.${i}`, row);
          return changeOf(`journal.${at}.changes.${i}`, name, rest);
        }),
      };
    }),
  };
}

function checksumOf(content: unknown): string {
  return keccak256(toUtf8Bytes(JSON.stringify(content)));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SnapshotError("(root)", "is not JSON", cause);
  }
}

function record(field: string, value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new SnapshotError(field, "must be an object");
  }
  return value as Record<string, unknown>;
}

function list(field: string, value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new SnapshotError(field, "must be a list");
  return value;
}

function changeOf(field: string, name: unknown, row: unknown): Change {
  const known = cellNames.find((one) => one === name);
  if (known === undefined) throw new SnapshotError(field, `is of ${String(name)}, which this version does not know`);
  try {
    return cells[known].change(row);
  } catch (cause) {
    throw new SnapshotError(field, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function block(field: string, value: unknown): BookBlock | undefined {
  if (value === null) return undefined;
  const { number, hash, parentHash, timestamp } = record(field, value);
  const isCount = (count: unknown): count is number => typeof count === "number" && Number.isSafeInteger(count);
  if (!isCount(number)) throw new SnapshotError(`${field}.number`, "must be a number");
  if (typeof hash !== "string") throw new SnapshotError(`${field}.hash`, "must be a hash");
  if (typeof parentHash !== "string") throw new SnapshotError(`${field}.parentHash`, "must be a hash");
  if (!isCount(timestamp)) throw new SnapshotError(`${field}.timestamp`, "must be a time in seconds");
  return { number, hash, parentHash, timestamp };
}
