import { DatabaseSync } from "node:sqlite";

import type { AccountId } from "../../sdk/index.js";
import type { JournalRecord, Store } from "../parts.js";
import { ForeignStateError, StateFileError, StateInUseError, StateVersionError, StateWriteError } from "./errors.js";

export interface SqliteOptions {
  /** Path of the file; it is made where there is none. */
  readonly file: string;
  readonly chainId: number;
  readonly vault: string;
  /** The most pages of 4 KiB that the file may have; none by default. */
  readonly mostPages?: number;
}

const version = "1";
/** Transactions that are settled are kept for whoever asks what happened, so many of each signer. */
const keptSettled = 1_000;

const schema = `
  CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS transactions (
    signer TEXT NOT NULL, nonce INTEGER NOT NULL, state TEXT NOT NULL, record TEXT NOT NULL, PRIMARY KEY (signer, nonce)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS openTransactions ON transactions (signer, nonce) WHERE state = 'open';
  CREATE TABLE IF NOT EXISTS snapshot (id INTEGER PRIMARY KEY CHECK (id = 1), book BLOB NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS warned (account TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
`;

/** Result codes of SQLite, the lowest byte of what it tells. */
const codes = { busy: 5, full: 13, notADatabase: 26 } as const;

/**
 * State in one SQLite file (with its -wal beside it). What a write has returned from outlives a kill of the process and a power cut. Writes
 * throw StateWriteError; what was there before is then still there.
 */
export class SqliteStore implements Store {
  readonly #file: string;
  readonly #database: DatabaseSync;

  /** Throws a StateFileError that names the file and the fix. */
  constructor({ file, chainId, vault, mostPages }: SqliteOptions) {
    this.#file = file;
    this.#database = open(file);
    try {
      this.#check(`chain ${chainId}, vault ${vault.toLowerCase()}`);
      if (mostPages !== undefined) this.#database.exec(`PRAGMA max_page_count = ${Math.trunc(mostPages)}`);
    } catch (error) {
      this.#database.close();
      if (error instanceof StateFileError) throw error;
      throw openingError(file, error);
    }
  }

  readSnapshot(): Uint8Array | undefined {
    const row = this.#database.prepare("SELECT book FROM snapshot WHERE id = 1").get();
    return row?.["book"] as Uint8Array | undefined;
  }

  writeSnapshot(snapshot: Uint8Array): void {
    this.#write(() => {
      this.#database.prepare("INSERT OR REPLACE INTO snapshot (id, book) VALUES (1, ?)").run(snapshot);
      this.#database.exec("PRAGMA wal_checkpoint(TRUNCATE)"); // or the log stays as large as the snapshot
    });
  }

  writeJournal(record: JournalRecord): void {
    this.#write(() =>
      this.#database
        .prepare("INSERT OR REPLACE INTO transactions (signer, nonce, state, record) VALUES (?, ?, ?, ?)")
        .run(record.signer.toLowerCase(), record.nonce, record.state, JSON.stringify(record)),
    );
  }

  openJournal(): JournalRecord[] {
    const rows = this.#database
      .prepare("SELECT record FROM transactions WHERE state = 'open' ORDER BY signer, nonce")
      .all();
    return rows.map(({ record }) => JSON.parse(String(record)) as JournalRecord);
  }

  readWarned(): AccountId[] {
    const rows = this.#database.prepare("SELECT account FROM warned ORDER BY account").all();
    return rows.map(({ account }) => String(account) as AccountId);
  }

  /** In one transaction: each has its own way to the disk, and a falling market has thousands of accounts at once. */
  writeWarned(accounts: readonly AccountId[], isWarned: boolean): void {
    const database = this.#database;
    const statement = database.prepare(
      isWarned ? "INSERT OR IGNORE INTO warned (account) VALUES (?)" : "DELETE FROM warned WHERE account = ?",
    );
    this.#write(() => {
      database.exec("BEGIN IMMEDIATE");
      try {
        for (const account of accounts) statement.run(account);
        database.exec("COMMIT");
      } catch (error) {
        if (database.isTransaction) database.exec("ROLLBACK"); // a full disk has ended it already
        throw error;
      }
    });
  }

  close(): void {
    this.#database.close();
  }

  /** Takes the file for itself, and lets in nobody else's. */
  #check(deployment: string): void {
    const database = this.#database;
    // Before the first read, so that nobody else can have it between.
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    const tables = database.prepare("SELECT count(*) AS count FROM sqlite_master").get();
    if (Number(tables?.["count"]) === 0) {
      database.exec(`BEGIN IMMEDIATE; ${schema}`);
      const write = database.prepare("INSERT INTO meta (key, value) VALUES (?, ?)");
      write.run("version", version);
      write.run("deployment", deployment);
      database.exec("COMMIT");
    }
    const told = this.#meta("version");
    if (told === undefined) throw new StateFileError(this.#file, `is not the keeper's: set "state" to another path`);
    if (told !== version) throw new StateVersionError(this.#file, told, version);
    const of = this.#meta("deployment") ?? "an unknown deployment";
    if (of !== deployment) throw new ForeignStateError(this.#file, of, deployment);
    this.#dropOld();
  }

  #dropOld(): void {
    try {
      this.#database.exec(`DELETE FROM transactions WHERE (signer, nonce) IN (
        SELECT signer, nonce FROM (
          SELECT signer, nonce, row_number() OVER (PARTITION BY signer ORDER BY nonce DESC) AS age
          FROM transactions WHERE state <> 'open'
        ) WHERE age > ${keptSettled}
      )`);
    } catch {
      // A full disk: it is tidied another time.
    }
  }

  #meta(key: string): string | undefined {
    try {
      const value = this.#database.prepare("SELECT value FROM meta WHERE key = ?").get(key)?.["value"];
      return value === undefined ? undefined : String(value);
    } catch (error) {
      if (codeOf(error) === 1) return undefined; // there is no such table
      throw error;
    }
  }

  #write(write: () => void): void {
    try {
      write();
    } catch (error) {
      throw new StateWriteError(this.#file, codeOf(error) === codes.full, error);
    }
  }
}

function open(file: string): DatabaseSync {
  try {
    return new DatabaseSync(file);
  } catch (error) {
    throw openingError(file, error);
  }
}

function openingError(file: string, error: unknown): StateFileError {
  const code = codeOf(error);
  if (code === codes.busy) return new StateInUseError(file, error);
  if (code === codes.notADatabase) {
    return new StateFileError(file, `is no database: move it away, or set "state" to another path`, error);
  }
  const detail = error instanceof Error ? error.message : String(error);
  return new StateFileError(file, `cannot be opened (${detail}): make its folder writable, or set "state"`, error);
}

function codeOf(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | undefined)?.errcode;
  return typeof code === "number" ? code & 0xff : undefined;
}
