import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { expect } from "chai";

import type { JournalRecord, Store } from "../../../keeper/parts.js";
import {
  ForeignStateError,
  MemoryStore,
  SqliteStore,
  type StateFileError,
  StateInUseError,
  StateVersionError,
  StateWriteError,
} from "../../../keeper/store/index.js";
import type { AccountId } from "../../../sdk/index.js";
import { start, tsx } from "../../helpers/processes.js";

const vault = "0x00000000000000000000000000000000000000AA";
const account = (index: number) => `0x${index.toString(16).padStart(64, "0")}` as AccountId;

const record = (signer: string, nonce: number, state: JournalRecord["state"] = "open"): JournalRecord => ({
  signer,
  nonce,
  versions: [{ hash: `0x${nonce}`, raw: "0x02" }],
  kind: "liquidate",
  accounts: [account(nonce)],
  state,
});

/** What the call throws. */
function thrown(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

describe("store", () => {
  let folder: string;
  let file: string;
  const open = (changes: { chainId?: number; vault?: string; mostPages?: number } = {}) =>
    new SqliteStore({ file, chainId: 1, vault, ...changes });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "ballast-"));
    file = join(folder, "state.sqlite");
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const kinds: Readonly<Record<string, () => Store>> = { memory: () => new MemoryStore(), SQLite: () => open() };
  for (const [name, create] of Object.entries(kinds)) {
    describe(`in ${name}`, () => {
      let store: Store;
      beforeEach(() => (store = create()));
      afterEach(() => store.close());

      it("tells of open transactions by signer and nonce, each as it was written last", () => {
        for (const each of [record("0xb", 2), record("0xb", 1), record("0xa", 7)]) store.writeJournal(each);
        const later = { ...record("0xb", 1), versions: [...record("0xb", 1).versions, { hash: "0x1b", raw: "0x03" }] };
        store.writeJournal(later);
        expect(store.openJournal()).to.deep.equal([record("0xa", 7), later, record("0xb", 2)]);
      });

      for (const state of ["mined", "reverted", "superseded"] as const) {
        it(`tells no more of a transaction that is ${state}`, () => {
          store.writeJournal(record("0xa", 1));
          store.writeJournal(record("0xa", 2));
          store.writeJournal(record("0xa", 1, state));
          expect(store.openJournal()).to.deep.equal([record("0xa", 2)]);
        });
      }

      it("has the last snapshot, and none at first", () => {
        expect(store.readSnapshot()).to.equal(undefined);
        store.writeSnapshot(new Uint8Array([1, 2]));
        const snapshot = new Uint8Array([3]);
        store.writeSnapshot(snapshot);
        snapshot[0] = 9;
        expect([...(store.readSnapshot() ?? [])]).to.deep.equal([3]);
      });

      it("knows who was warned, once each", () => {
        store.writeWarned([account(2), account(1)], true);
        store.writeWarned([account(1)], true);
        store.writeWarned([account(2), account(3)], false);
        expect(store.readWarned()).to.deep.equal([account(1)]);
      });
    });
  }

  it("has after it was closed and opened again what it had", () => {
    const store = open();
    store.writeJournal(record("0xa", 1));
    store.writeSnapshot(new Uint8Array([7]));
    store.writeWarned([account(1)], true);
    store.close();
    const again = open({ vault: vault.toLowerCase() });
    expect(again.openJournal()).to.deep.equal([record("0xa", 1)]);
    expect([...(again.readSnapshot() ?? [])]).to.deep.equal([7]);
    expect(again.readWarned()).to.deep.equal([account(1)]);
    again.close();
  });

  it("has what a write returned from after the process was killed", async () => {
    const writes = `
      import { SqliteStore } from "./keeper/store/index.js";
      const store = new SqliteStore({ file: ${JSON.stringify(file)}, chainId: 1, vault: "${vault}" });
      store.writeJournal(${JSON.stringify(record("0xa", 1))});
      store.writeJournal(${JSON.stringify(record("0xa", 2))});
      process.kill(process.pid, "SIGKILL");
    `;
    const writer = start([...tsx, "--input-type=module", "--eval", writes]);
    expect(await writer.ended(), writer.output.stderr).to.equal(null);
    const store = open();
    expect(store.openJournal()).to.deep.equal([record("0xa", 1), record("0xa", 2)]);
    store.close();
  });

  describe("refuses, and names the file and what to do", () => {
    it("a file of another chain", () => {
      open().close();
      const error = thrown(() => open({ chainId: 5 })) as ForeignStateError;
      expect(error).to.be.instanceOf(ForeignStateError);
      expect([error.file, error.of, error.expected]).to.deep.equal([
        file,
        `chain 1, vault ${vault.toLowerCase()}`,
        `chain 5, vault ${vault.toLowerCase()}`,
      ]);
      expect(error.message).to.include(file).and.to.include(`set "state" to a path of its own`);
    });

    it("a file of another vault", () => {
      open().close();
      expect(thrown(() => open({ vault: account(1).slice(0, 42) }))).to.be.instanceOf(ForeignStateError);
    });

    it("a file of another version", () => {
      open().close();
      const database = new DatabaseSync(file);
      database.exec("UPDATE meta SET value = '99' WHERE key = 'version'");
      database.close();
      const error = thrown(() => open()) as StateVersionError;
      expect(error).to.be.instanceOf(StateVersionError);
      expect([error.file, error.version, error.expected]).to.deep.equal([file, "99", "1"]);
      expect(error.message).to.include("move the file away");
    });

    it("a database of something else", () => {
      const database = new DatabaseSync(file);
      database.exec("CREATE TABLE recipes (name TEXT)");
      database.close();
      const error = thrown(() => open()) as StateFileError;
      expect([error.name, error.file]).to.deep.equal(["StateFileError", file]);
      expect(error.message).to.include("is not the keeper's");
    });

    it("a file that is no database", () => {
      writeFileSync(file, "state: none\n".repeat(100));
      const error = thrown(() => open()) as StateFileError;
      expect([error.name, error.file]).to.deep.equal(["StateFileError", file]);
      expect(error.message).to.include("is no database");
    });

    it("a path where no file can be", () => {
      file = join(folder, "nowhere", "state.sqlite");
      const error = thrown(() => open()) as StateFileError;
      expect([error.name, error.file]).to.deep.equal(["StateFileError", file]);
      expect(error.message).to.include("cannot be opened");
    });

    it("a file that another keeper has open", () => {
      const first = open();
      const error = thrown(() => open()) as StateInUseError;
      expect(error).to.be.instanceOf(StateInUseError);
      expect(error.file).to.equal(file);
      first.close();
      open().close();
    });
  });

  it("says that it is full, keeps what it has, and takes writes again when there is room", () => {
    const store = open({ mostPages: 24 });
    store.writeJournal(record("0xa", 1));
    const error = thrown(() => store.writeSnapshot(new Uint8Array(1_000_000))) as StateWriteError;
    expect(error).to.be.instanceOf(StateWriteError);
    expect([error.file, error.isFull]).to.deep.equal([file, true]);
    store.writeJournal(record("0xa", 2));
    expect(store.openJournal()).to.deep.equal([record("0xa", 1), record("0xa", 2)]);
    store.close();
    const roomy = open();
    roomy.writeSnapshot(new Uint8Array(1_000_000));
    expect(roomy.readSnapshot()?.length).to.equal(1_000_000);
    roomy.close();
  });

  it("keeps the last thousand settled transactions of a signer and every open one", () => {
    const store = open();
    store.writeJournal(record("0xa", 0));
    for (let nonce = 1; nonce <= 1_003; nonce += 1) store.writeJournal(record("0xa", nonce, "mined"));
    store.writeJournal(record("0xb", 0, "mined"));
    store.close();
    open().close();
    const database = new DatabaseSync(file);
    const kept = database.prepare(
      "SELECT signer, min(nonce) AS first, count(*) AS count FROM transactions GROUP BY signer, state",
    );
    expect(kept.all().map((row) => Object.values(row))).to.deep.equal([
      ["0xa", 4, 1_000],
      ["0xa", 0, 1],
      ["0xb", 0, 1],
    ]);
    database.close();
  });
});
