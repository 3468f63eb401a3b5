// What the books consist of, cell by cell: how a word of the vault's storage is read, written and found. Undoing and snapshots go by it.
import type { AccountId } from "../accounts.js";
import type { Market, NestedWords, Ramp, VaultStorage, Words } from "../risk/types/VaultStorage.js";
import { type RampWord, type marketWords, rampWords } from "../slots.js";

type Key = string | number;

/** How a key looks in a snapshot. */
interface KeyKind<K extends Key> {
  readonly name: string;
  is(key: unknown): key is K;
}

const account: KeyKind<AccountId> = {
  name: "an account",
  is: (key): key is AccountId => typeof key === "string" && /^0x[0-9a-f]{64}$/.test(key),
};
const address: KeyKind<string> = {
  name: "an address",
  is: (key): key is string => typeof key === "string" && /^0x[0-9a-f]{40}$/.test(key),
};
const number: KeyKind<number> = {
  name: "a number",
  is: (key): key is number => typeof key === "number" && Number.isSafeInteger(key) && key >= 0,
};
/** Where there is but one word. */
const none: KeyKind<0> = { name: "0", is: (key): key is 0 => key === 0 };

/** A word by its keys, as a snapshot has it: keys that are not needed are 0. */
export type Row = readonly [a: Key, b: Key, word: string];

/** Something that can be taken back. */
export interface Change {
  /** Whose word, position or collateral it is; undefined: nobody's. */
  readonly account: AccountId | undefined;
  undo($: VaultStorage): void;
  /** With the word that was there before. */
  row(): readonly [name: CellName, ...Row];
}

/** All words of one kind. */
export class Cell<A extends Key, B extends Key> {
  constructor(
    readonly a: KeyKind<A>,
    readonly b: KeyKind<B>,
    readonly read: ($: VaultStorage, a: A, b: B) => bigint,
    readonly write: ($: VaultStorage, a: A, b: B, word: bigint) => void,
    readonly keys: ($: VaultStorage) => Iterable<readonly [A, B]>,
    private readonly quickSwap?: ($: VaultStorage, a: A, b: B, word: bigint) => bigint,
  ) {}

  /** Writes, and tells what was there. */
  swap($: VaultStorage, a: A, b: B, word: bigint): bigint {
    if (this.quickSwap !== undefined) return this.quickSwap($, a, b, word);
    const before = this.read($, a, b);
    this.write($, a, b, word);
    return before;
  }

  /** The words that are not zero, in the order of their keys: however a word came to be, the same words are the same rows. */
  rows($: VaultStorage): Row[] {
    const rows: Row[] = [];
    for (const [a, b] of this.keys($)) {
      const word = this.read($, a, b);
      if (word !== 0n) rows.push([a, b, hex(word)]);
    }
    return rows.toSorted((one, other) => order(one[0], other[0]) || order(one[1], other[1]));
  }

  /** The change back to what a row says. Throws RangeError, saying what is wrong. */
  change(row: unknown): Change {
    if (!Array.isArray(row) || row.length !== 3) throw new RangeError("must be [key, key, word]");
    const [a, b, word] = row as unknown[];
    if (!this.a.is(a)) throw new RangeError(`must have ${this.a.name} for its first key`);
    if (!this.b.is(b)) throw new RangeError(`must have ${this.b.name} for its second key`);
    if (typeof word !== "string" || !/^0x[0-9a-f]{1,64}$/.test(word)) throw new RangeError("must end in a word in hex");
    return new WordChange(this, a, b, BigInt(word));
  }
}

/** A class and no closure: there is one for every word of every event. */
export class WordChange<A extends Key, B extends Key> implements Change {
  constructor(
    private readonly cell: Cell<A, B>,
    private readonly a: A,
    private readonly b: B,
    private readonly before: bigint,
  ) {}

  get account(): AccountId | undefined {
    return ofAccounts.has(this.cell) ? (this.a as AccountId) : undefined;
  }

  undo($: VaultStorage): void {
    this.cell.write($, this.a, this.b, this.before);
  }

  row(): readonly [name: CellName, ...Row] {
    const name = nameOf.get(this.cell);
    if (name === undefined) throw new TypeError("a cell without a name");
    return [name, this.a, this.b, hex(this.before)];
  }
}

function order(one: Key, other: Key): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function hex(word: bigint): string {
  return `0x${word.toString(16)}`;
}

function words<A extends Key, W extends bigint>(kind: KeyKind<A>, of: ($: VaultStorage) => Words<A, W>): Cell<A, 0> {
  return new Cell<A, 0>(
    kind,
    none,
    ($, a) => of($).get(a),
    ($, a, _, word) => of($).set(a, word as W),
    ($) =>
      of($)
        .keys()
        .map((a) => [a, 0]),
    ($, a, _, word) => of($).swap(a, word as W),
  );
}

function nestedWords<A extends Key, B extends Key, W extends bigint>(
  a: KeyKind<A>,
  b: KeyKind<B>,
  of: ($: VaultStorage) => NestedWords<A, B, W>,
): Cell<A, B> {
  return new Cell<A, B>(
    a,
    b,
    ($, outer, inner) => of($).get(outer, inner),
    ($, outer, inner, word) => of($).set(outer, inner, word as W),
    ($) =>
      of($)
        .keys()
        .flatMap((outer) => (of($).of(outer)?.keys() ?? []).map((inner): [A, B] => [outer, inner])),
    ($, outer, inner, word) => of($).swap(outer, inner, word as W),
  );
}

type WordName<T> = { [K in keyof T]: T[K] extends bigint ? K : never }[keyof T];

function single(read: ($: VaultStorage) => bigint, write: ($: VaultStorage, word: bigint) => void): Cell<0, 0> {
  return new Cell<0, 0>(
    none,
    none,
    ($) => read($),
    ($, _, __, word) => write($, word),
    () => [[0, 0]],
  );
}

function member(name: WordName<VaultStorage>): Cell<0, 0> {
  return single(
    ($) => $[name],
    ($, word) => (($ as Record<WordName<VaultStorage>, bigint>)[name] = word),
  );
}

const ids = (count: number) => Array.from({ length: count }, (_, id): [number, 0] => [id, 0]);

function marketWord(name: (typeof marketWords)[number]): Cell<number, 0> {
  return new Cell<number, 0>(
    number,
    none,
    ($, id) => $.markets(id)[name],
    ($, id, _, word) => (($.markets(id) as Record<WordName<Market>, bigint>)[name] = word),
    ($) => ids($.marketCount),
  );
}

function rampWord(
  name: RampWord,
  of: ($: VaultStorage, id: number) => Ramp<bigint>,
  count: ($: VaultStorage) => number,
) {
  return new Cell<number, 0>(
    number,
    none,
    ($, id) => of($, id)[name],
    ($, id, _, word) => ((of($, id) as Record<RampWord, bigint>)[name] = word),
    ($) => ids(count($)),
  );
}

const eachRampWord = (of: ($: VaultStorage, id: number) => Ramp<bigint>, count: ($: VaultStorage) => number) => {
  const [from, to, clock] = rampWords;
  return [rampWord(from, of, count), rampWord(to, of, count), rampWord(clock, of, count)] as const;
};

const [marketRampFrom, marketRampTo, marketRampClock] = eachRampWord(
  ($, id) => $.marketRamps(id),
  ($) => $.marketCount,
);
const [collateralRampFrom, collateralRampTo, collateralRampClock] = eachRampWord(
  ($, index) => $.collateralRamps(index),
  ($) => $.collateralCount,
);
const [accountRampFrom, accountRampTo, accountRampClock] = eachRampWord(
  ($) => $.accountRamp,
  () => 1,
);

export const cells = {
  authority: member("authority"),
  // Before the rest: where there are markets and collaterals is told by their counts.
  marketCount: single(
    ($) => BigInt($.marketCount),
    ($, word) => ($.marketCount = Number(word)),
  ),
  collateralCount: single(
    ($) => BigInt($.collateralCount),
    ($, word) => ($.collateralCount = Number(word)),
  ),
  account: words(account, ($) => $.accounts),
  position: nestedWords(account, number, ($) => $.positions),
  collateralOf: nestedWords(account, number, ($) => $.collateralOf),
  marketState: marketWord("state"),
  marketTotals: marketWord("totals"),
  marketRisk: marketWord("risk"),
  marketTerms: marketWord("terms"),
  marketDiscount: marketWord("discount"),
  longSide: marketWord("longSide"),
  shortSide: marketWord("shortSide"),
  epochs: marketWord("epochs"),
  epochEnd: new Cell<number, number>(
    number,
    number,
    ($, id, key) => $.markets(id).ends.get(key),
    ($, id, key, word) => ($.markets(id).ends as Words<number, bigint>).set(key, word),
    ($) =>
      ids($.marketCount).flatMap(([id]) =>
        $.markets(id)
          .ends.keys()
          .map((key): [number, number] => [id, key]),
      ),
  ),
  collateral: words(number, ($) => $.collaterals),
  collateralToken: new Cell<number, 0>(
    number,
    none,
    ($, index) => BigInt($.collateralTokens(index)),
    ($, index, _, word) =>
      $.setCollateralToken(index, word === 0n ? undefined : `0x${word.toString(16).padStart(40, "0")}`),
    ($) => ids($.collateralCount),
  ),
  collateralDiscount: words(number, ($) => $.collateralDiscounts),
  stockSince: words(number, ($) => $.stockSince),
  accountRisk: member("accountRisk"),
  rewardBudget: member("rewardBudget"),
  capital: member("capital"),
  cashIndices: member("cashIndices"),
  cashTotals: member("cashTotals"),
  cashHeld: member("cashHeld"),
  interestUnswept: member("interestUnswept"),
  badDebt: member("badDebt"),
  cashTerms: member("cashTerms"),
  poolLosses: member("poolLosses"),
  writeOffs: member("writeOffs"),
  permissions: nestedWords(account, address, ($) => $.permissionsOf),
  nonce: words(address, ($) => $.nonces),
  borrowingHalted: single(
    ($) => ($.borrowingHalted ? 1n : 0n),
    ($, word) => ($.borrowingHalted = word === 1n),
  ),
  marketRampFrom,
  marketRampTo,
  marketRampClock,
  collateralRampFrom,
  collateralRampTo,
  collateralRampClock,
  accountRampFrom,
  accountRampTo,
  accountRampClock,
} as const;

export type CellName = keyof typeof cells;

export const cellNames = Object.keys(cells) as readonly CellName[];

const nameOf = new Map<unknown, CellName>(cellNames.map((name) => [cells[name], name]));

/** What margin is made of, account by account. */
const ofAccounts = new Set<unknown>([cells.account, cells.position, cells.collateralOf]);
