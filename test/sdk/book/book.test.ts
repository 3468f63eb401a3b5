import { expect } from "chai";
import fc from "fast-check";

import { accountId } from "../../../sdk/index.js";
import {
  BlockGapError,
  Book,
  BookTooShallowError,
  LogGapError,
  ParentHashError,
  type VaultLog,
} from "../../../sdk/book/index.js";
import {
  anyLog,
  collateralTokens,
  contentOf,
  firstLogs,
  listing,
  logOf,
  names,
  nextBlock,
  vault,
} from "./drawnLogs.js";

/** A book after so many blocks, each of which changes a word. */
function bookOf(blocks: number): { book: Book; contents: unknown[] } {
  const book = new Book(names);
  const contents = [contentOf(book)];
  for (let at = 0; at < blocks; at += 1) {
    const log = logOf("AccountChanged", [accountId(vault, at % 5), BigInt(at % 3)]);
    book.apply(nextBlock(book), at === 0 ? firstLogs : [log]);
    contents.push(contentOf(book));
  }
  return { book, contents };
}

describe("sdk/book", () => {
  it("undoes blocks exactly, whatever was in them, and applies others in their place", () => {
    const blocks = fc.array(fc.array(anyLog, { maxLength: 12 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(blocks, blocks, fc.nat(20), (old, anew, left) => {
        const [book, straight] = [new Book(names), new Book(names)];
        const first: readonly VaultLog[] = [...firstLogs, listing];
        const contents = [contentOf(book)];
        for (const logs of [first, ...old]) {
          book.apply(nextBlock(book), logs);
          contents.push(contentOf(book));
        }
        const kept = Math.max(1, Math.min(left, old.length));
        book.undo(names.fromBlock - 1 + kept);
        expect(contentOf(book)).to.deep.equal(contents[kept]);
        for (const logs of anew) book.apply(nextBlock(book, "other"), logs);
        for (const logs of [first, ...old].slice(0, kept)) straight.apply(nextBlock(straight), logs);
        for (const logs of anew) straight.apply(nextBlock(straight, "other"), logs);
        expect(contentOf(book)).to.deep.equal(contentOf(straight));
        book.undo(names.fromBlock - 1);
        expect(contentOf(book)).to.deep.equal(contents[0]);
      }),
    );
  });

  it("tells whoever asks which accounts blocks change, applied or undone", () => {
    const [one, other] = [accountId(vault, 1), accountId(vault, 2)];
    const { book } = bookOf(1);
    book.apply(nextBlock(book), [logOf("AccountChanged", [one, 1n])]);
    book.touched = new Set();
    book.apply(nextBlock(book), [logOf("AccountChanged", [one, 1n])]);
    expect([...book.touched], "its word is the same again").to.deep.equal([]);
    book.apply(nextBlock(book), [logOf("AccountChanged", [other, 2n])]);
    book.apply(nextBlock(book), [logOf("CashChanged", [1n, 2n, 3n])]);
    expect([...book.touched]).to.deep.equal([other]);
    book.touched.clear();
    book.undo(names.fromBlock + 1);
    expect([...book.touched]).to.deep.equal([other]);
  });

  it("undoes 64 blocks exactly, and refuses 65", () => {
    const { book, contents } = bookOf(80);
    const last = names.fromBlock + 79;
    expect(book.earliest).to.equal(last - 64);
    expect(() => book.undo(last - 65))
      .to.throw(BookTooShallowError)
      .that.includes({ blockNumber: last - 65, earliest: last - 64 });
    expect(contentOf(book)).to.deep.equal(contents[80]);
    book.undo(last - 64);
    expect(contentOf(book)).to.deep.equal(contents[16]);
    expect(book.head?.number).to.equal(last - 64);
    expect(() => book.undo(last - 65))
      .to.throw(BookTooShallowError)
      .that.includes({ blockNumber: last - 65, earliest: last - 64 });
  });

  it("undoes a range of blocks as a whole only", () => {
    const { book, contents } = bookOf(3);
    const { number, ...rest } = nextBlock(book);
    book.applyUpTo({ number: number + 9, ...rest }, [logOf("CapitalChanged", [7n])]);
    expect(book.storage.capital).to.equal(7n);
    expect(() => book.undo(number + 4))
      .to.throw(BookTooShallowError)
      .that.includes({ blockNumber: number + 4, earliest: names.fromBlock - 1 });
    book.undo(number - 1);
    expect(contentOf(book)).to.deep.equal(contents[3]);
  });

  it("refuses a block that is not the next one", () => {
    const { book } = bookOf(2);
    const { number, ...rest } = nextBlock(book);
    for (const wrong of [number - 1, number + 1]) {
      expect(() => book.apply({ number: wrong, ...rest }, []))
        .to.throw(BlockGapError)
        .that.includes({ expected: number, actual: wrong });
    }
    expect(() => new Book(names).apply({ number: names.fromBlock + 1, ...rest }, []))
      .to.throw(BlockGapError)
      .that.includes({ expected: names.fromBlock, actual: names.fromBlock + 1 });
    expect(() => book.applyUpTo({ number: number - 1, ...rest }, []))
      .to.throw(BlockGapError)
      .that.includes({ expected: number, actual: number - 1 });
    expect(() => book.undo(number))
      .to.throw(BlockGapError)
      .that.includes({ expected: number - 1, actual: number });
  });

  it("refuses a block of another fork", () => {
    const { book } = bookOf(2);
    const block = { ...nextBlock(book), parentHash: `0x${"ab".repeat(32)}` };
    const error = { blockNumber: block.number, expected: book.head?.hash, actual: block.parentHash };
    expect(() => book.apply(block, []))
      .to.throw(ParentHashError)
      .that.includes(error);
    expect(() => book.applyUpTo(block, []))
      .to.throw(ParentHashError)
      .that.includes(error);
  });

  it("is as it was after a block that it refuses in the middle", () => {
    const { book, contents } = bookOf(4);
    const logs = [
      logOf("CapitalChanged", [7n]),
      logOf("CollateralChanged", [accountId(vault), collateralTokens[2], 1n]),
    ];
    expect(() => book.apply(nextBlock(book), logs))
      .to.throw(LogGapError)
      .that.includes({ token: collateralTokens[2] });
    expect(contentOf(book)).to.deep.equal(contents[4]);
    book.apply(nextBlock(book), [listing, ...logs]);
    expect(book.storage.collateralOf.get(accountId(vault), 2)).to.equal(1n);
  });

  it("names the accounts that have anything, and no other", () => {
    const book = new Book(names);
    const [a, b, c, d] = [1, 2, 3, 4].map((index) => accountId(vault, index)) as [string, string, string, string];
    const operator = collateralTokens[0];
    book.apply(nextBlock(book), [
      logOf("AccountChanged", [a, 5n]),
      logOf("PositionChanged", [b, 1, 6n]),
      logOf("OperatorSet", [c, operator, 3n]),
      logOf("AccountChanged", [d, 5n]),
      logOf("AccountChanged", [d, 0n]),
    ]);
    expect(book.accounts().toSorted()).to.deep.equal([a, b, c]);
    book.apply(nextBlock(book), [logOf("PositionChanged", [b, 1, 0n]), logOf("OperatorSet", [c, operator, 0n])]);
    expect(book.accounts()).to.deep.equal([a]);
  });

  it("gives a vault to try things on at the last block's time, and stays as it is", () => {
    const { book } = bookOf(3);
    const before = contentOf(book);
    const tried = book.at();
    expect([tried.now, tried.sender]).to.deep.equal([BigInt(book.head!.timestamp), `0x${"00".repeat(20)}`]);
    const account = accountId(vault, 1);
    expect(tried.accounts.get(account)).to.equal(book.storage.accounts.get(account));
    tried.accounts.set(account, 99n as never);
    tried.markets(0).state = 5n as never;
    tried.capital = 7n as never;
    expect(contentOf(book)).to.deep.equal(before);
    const later = book.at(2_000_000_000, names.pool);
    expect([later.now, later.sender]).to.deep.equal([2_000_000_000n, names.pool]);
  });
});
