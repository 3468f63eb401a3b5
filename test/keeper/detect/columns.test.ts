import { expect } from "chai";

import type { Coefficients } from "../../../keeper/detect/coefficients.js";
import { Columns } from "../../../keeper/detect/columns.js";
import { Rows, keyCount, mostRows } from "../../../keeper/detect/rows.js";
import { type Random, randomStreams } from "../../../simulator/index.js";

type Row = readonly [key: number, amount: number];

const small = (random: Random) => random.integer(-50, 50);

/** Whole numbers: floats are exact. */
function drawCoefficients(random: Random): Coefficients {
  const each = () => [small(random), small(random), 0, random.integer(0, 2)];
  const ofKeys = new Float64Array(4 * keyCount);
  for (let key = 0; key < keyCount; ++key) ofKeys.set(each(), 4 * key);
  return { ofKeys, requirement: random.integer(0, 500), debtMargin: random.integer(0, 2) };
}

function marginOf(rows: readonly Row[], { ofKeys, requirement, debtMargin }: Coefficients): number {
  const of = (key: number, i: number) => ofKeys[4 * key + i]!;
  const worth = rows.reduce((sum, [key, amount]) => sum + amount * of(key, 0), 0);
  const required = rows.reduce((sum, [key, amount]) => sum + amount * (of(key, 1) + amount * of(key, 3)), requirement);
  return worth - required - debtMargin * Math.max(0, -worth);
}

function toRows(list: readonly Row[]): Rows {
  const rows = new Rows();
  for (const [key, amount] of list) rows.add(key, amount);
  return rows;
}

const drawRows = (random: Random, count: number) =>
  Array.from({ length: count }, (): Row => [random.integer(0, keyCount - 1), random.integer(1, 9)]);

const ascending = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b);

describe("keeper/detect: columns", () => {
  it("sweep what was written last of every account, through thousands that come, change and go", () => {
    const [random] = randomStreams(1, 1) as [Random];
    const columns = new Columns();
    const model = new Map<number, readonly Row[]>();
    for (let round = 0; round < 8; ++round) {
      for (let i = 0; i < 8_000; ++i) {
        const account = random.integer(0, 12_000);
        if (random.integer(0, 3) === 0) {
          columns.delete(account);
          model.delete(account);
        } else {
          const rows = drawRows(
            random,
            random.integer(0, 9) === 0 ? random.integer(0, mostRows) : random.integer(0, 3),
          );
          columns.set(account, toRows(rows));
          model.set(account, rows);
        }
      }
      const coefficients = drawCoefficients(random);
      const short = [...model].filter(([, rows]) => marginOf(rows, coefficients) < 0).map(([account]) => account);
      expect(short.length).to.be.within(model.size / 20, model.size - model.size / 20);
      expect(ascending(columns.sweep(coefficients))).to.deep.equal(ascending(short));
    }
    for (const account of model.keys()) columns.delete(account);
    expect(columns.sweep(drawCoefficients(random))).to.deep.equal([]);
  });

  it("find an account below zero, not one at zero, and one of which nothing can be said", () => {
    const columns = new Columns();
    for (const [account, amount] of [99, 100, 101, NaN].entries()) columns.set(account, toRows([[0, amount]]));
    const ofKeys = new Float64Array(4 * keyCount);
    ofKeys[0] = 1;
    expect(ascending(columns.sweep({ ofKeys, requirement: 100, debtMargin: 0 }))).to.deep.equal([0, 3]);
  });

  it("give the room of who has left to others", () => {
    const [random] = randomStreams(2, 1) as [Random];
    const columns = new Columns();
    const fill = (rows: number) => {
      for (let account = 0; account < 20_000; ++account) columns.set(account, toRows(drawRows(random, rows)));
    };
    fill(5);
    const full = columns.byteLength;
    fill(3);
    fill(5);
    // Both shelves had a page that was not full.
    expect(columns.byteLength).to.be.at.most(full + 2 * 65_536);
  });

  it("take at most 100 bytes an account of five positions, cash, costs and a collateral", () => {
    const [random] = randomStreams(3, 1) as [Random];
    const columns = new Columns();
    for (let account = 0; account < 100_000; ++account) columns.set(account, toRows(drawRows(random, 8)));
    expect(columns.byteLength / 100_000).to.be.within(60, 100);
  });

  it("refuse an account with more rows than the vault lets anyone have", () => {
    const rows = toRows(Array.from({ length: mostRows }, (): Row => [1, 1]));
    expect(() => rows.add(1, 1)).to.throw(RangeError, "an account has more than 26 rows");
    rows.add(1, 0);
    expect(rows.count).to.equal(mostRows);
  });
});
