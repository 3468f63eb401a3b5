import { expect } from "chai";
import { keccak256, toUtf8Bytes } from "ethers";
import fc from "fast-check";

import { Book, SnapshotError, type VaultLog } from "../../../sdk/book/index.js";
import { anyLog, contentOf, firstLogs, listing, logOf, names, nextBlock } from "./drawnLogs.js";

type Json = Record<string, unknown>;

function bookOf(blocks: readonly (readonly VaultLog[])[]): Book {
  const book = new Book(names);
  for (const logs of [[...firstLogs, listing], ...blocks]) book.apply(nextBlock(book), logs);
  return book;
}

/** A book with a word of each kind. */
const drawn = fc.sample(fc.array(anyLog, { minLength: 30, maxLength: 40 }), { numRuns: 20, seed: 7 });
const snapshot = bookOf([...drawn, [logOf("BorrowingHaltedSet", [true])]]).snapshot();

/** The snapshot with something else in it, and a checksum that fits. */
function changed(change: (json: Json) => void): string {
  const { checksum: _, ...json } = JSON.parse(snapshot) as Json;
  change(json);
  return JSON.stringify({ ...json, checksum: keccak256(toUtf8Bytes(JSON.stringify(json))) });
}

const refusal = (text: string, deployment = names) => {
  try {
    Book.fromSnapshot(deployment, text);
  } catch (error) {
    if (error instanceof SnapshotError) return error.field;
    throw error;
  }
  return "none";
};

describe("sdk/book/snapshot", () => {
  it("is a book again that says the same, undoes the same, and goes on the same", () => {
    fc.assert(
      fc.property(fc.array(fc.array(anyLog, { maxLength: 12 }), { minLength: 1, maxLength: 12 }), (blocks) => {
        const whole = bookOf(blocks);
        const read = Book.fromSnapshot(names, whole.snapshot());
        expect(read.snapshot()).to.equal(whole.snapshot());
        for (const one of [whole, read]) {
          one.undo(names.fromBlock + blocks.length - 1);
          one.apply(nextBlock(one, "other"), blocks[0]!);
        }
        expect(contentOf(read)).to.deep.equal(contentOf(whole));
      }),
    );
  });

  it("has a word of each kind in this test", () => {
    const { words } = JSON.parse(snapshot) as { words: Record<string, unknown[]> };
    const empty = Object.keys(words).filter((name) => words[name]!.length === 0);
    expect(empty).to.deep.equal([]);
  });

  it("is empty for an empty book", () => {
    const read = Book.fromSnapshot(names, new Book(names).snapshot());
    expect([read.head, read.nextBlock, read.accounts()]).to.deep.equal([undefined, names.fromBlock, []]);
  });

  it("is refused for another chain or vault, in another format or version, and says which", () => {
    expect(refusal(snapshot, { ...names, chainId: 1 })).to.equal("chainId");
    expect(refusal(snapshot, { ...names, vault: names.pool })).to.equal("vault");
    expect(refusal(changed((json) => (json["version"] = 2)))).to.equal("version");
    expect(refusal(changed((json) => (json["format"] = "other")))).to.equal("format");
    expect(refusal(snapshot)).to.equal("none");
  });

  it("is refused with any of its digits changed", () => {
    fc.assert(
      fc.property(fc.nat(snapshot.length - 1), fc.constantFrom(..."0123456789abcdef"), (at, digit) => {
        fc.pre(/[0-9a-f]/.test(snapshot[at]!) && snapshot[at] !== digit);
        expect(refusal(`${snapshot.slice(0, at)}${digit}${snapshot.slice(at + 1)}`)).not.to.equal("none");
      }),
    );
    const nonce = snapshot.indexOf('"nonce"');
    const word = snapshot.indexOf('"0x', nonce + 12) + 3;
    const other = snapshot[word] === "1" ? "2" : "1";
    expect(refusal(`${snapshot.slice(0, word)}${other}${snapshot.slice(word + 1)}`)).to.equal("checksum");
  });

  it("is refused cut short, or not JSON, or no object", () => {
    expect([snapshot.slice(0, -9), "", "[]", "null"].map((text) => refusal(text))).to.deep.equal(
      Array.from({ length: 4 }, () => "(root)"),
    );
  });

  it("is refused where a part is not what it must be, by its place", () => {
    const set = (path: string, value: unknown) =>
      changed((json) => {
        const keys = path.split(".");
        const last = keys.pop()!;
        const parent = keys.reduce((at, key) => at[key] as Json, json);
        parent[last] = value;
      });
    const wrong: Record<string, unknown> = {
      words: [],
      "words.account": undefined,
      "words.account.0": ["0x12", 0, "0x1"],
      "words.account.1": [1],
      "words.position.0": [`0x${"00".repeat(32)}`, "1", "0x1"],
      "words.capital.0": [0, 0, "1"],
      "head.number": "5",
      "head.hash": 5,
      "head.timestamp": 1.5,
      head: 5,
      journal: {},
      "journal.0.changes": {},
      "journal.0.changes.0": ["nothing", 0, 0, "0x1"],
      "journal.1.before": 3,
    };
    const fields = Object.fromEntries(Object.entries(wrong).map(([path, value]) => [path, refusal(set(path, value))]));
    expect(fields).to.deep.equal(Object.fromEntries(Object.keys(wrong).map((path) => [path, path])));
  });
});
