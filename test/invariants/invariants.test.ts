import { expect } from "chai";

import { type Arena, openArena } from "./support/arena.js";
import { invariants } from "./support/judge.js";
import { type Failure, type Tally, newTally, runSequence } from "./support/sequence.js";

function setting(name: string, otherwise: number): number {
  const text = process.env[name];
  const value = text === undefined || text === "" ? otherwise : Number(text);
  if (!Number.isInteger(value) || value < 0) throw new RangeError(`${name} is ${text}; give a whole number`);
  return value;
}

// So many sequences of so many steps; sequence i has seed INVARIANT_SEED + i. INVARIANT_REFUSALS=1 also lists what was refused, and why.
const runs = setting("INVARIANT_RUNS", 256);
const depth = setting("INVARIANT_DEPTH", 128);
const firstSeed = setting("INVARIANT_SEED", 1);

const leastShare = 0.3;
/** Fewer calls of a row than this, and its share says nothing: a short replay is judged by its invariants alone. */
const isWholeSuite = runs >= 64 && depth >= 48;
/** So often every step of the waterfall must come up in 256 sequences of 128 steps, and as often in proportion in fewer. */
const leastOften = Math.ceil((50 * Math.min(runs * depth, 256 * 128)) / (256 * 128));
/** Each on a chain of its own: while one computes, the other's node does. */
const arenaCount = Math.min(2, runs);

function told({ invariant, message, seed, step, trail }: Failure): string {
  const replay = `INVARIANT_SEED=${seed} INVARIANT_RUNS=1 INVARIANT_DEPTH=${depth} npx hardhat test mocha test/invariants/invariants.test.ts`;
  return `${invariant}: ${message}\n  seed ${seed}, step ${step}; replay: ${replay}\n    ${trail.join("\n    ")}`;
}

describe("invariants of random sequences", function () {
  this.timeout(0);

  const tally: Tally = newTally();
  const arenas: Arena[] = [];

  before(async () => {
    let next = firstSeed;
    const walk = async (arena: Arena) => {
      while (next < firstSeed + runs) await runSequence(arena, next++, depth, tally);
    };
    for (let i = 0; i < arenaCount; i += 1) arenas.push(await openArena());
    await Promise.all(arenas.map(walk));
    tally.failures.sort((a, b) => a.seed - b.seed || a.step - b.step);
  });

  after(async () => {
    const line = (name: string, { called, succeeded }: { called: number; succeeded: number }) => {
      const share = called === 0 ? "" : `${Math.round((100 * succeeded) / called)}%`;
      console.log(
        `      ${name.padEnd(38)} ${String(called).padStart(6)} ${String(succeeded).padStart(9)} ${share.padStart(6)}`,
      );
    };
    console.log(
      `\n      ${"act".padEnd(38)} ${"called".padStart(6)} ${"succeeded".padStart(9)} ${"share".padStart(6)}`,
    );
    for (const [row, count] of Object.entries(tally.acts)) line(row, count);
    for (const [id, count] of Object.entries(tally.probes)) line(`probe of ${id}`, count);
    for (const [name, count] of Object.entries(tally.entries)) line(name, count);
    console.log(
      `      looked at: ${Object.entries(tally.looks)
        .map(([id, looks]) => `${id} ${looks}`)
        .join(", ")}`,
    );
    console.log(`      events: ${[...tally.events].map(([name, count]) => `${name} ${count}`).join(", ")}`);
    if (process.env.INVARIANT_REFUSALS !== undefined) console.log(tally.refusals);
    for (const { connection } of arenas) await connection.close();
  });

  const failures = (invariant: Failure["invariant"]) =>
    tally.failures.filter((failure) => failure.invariant === invariant).map(told);

  for (const [id, sentence] of Object.entries(invariants)) {
    it(`${id}: ${sentence}`, () => {
      const found = failures(id as keyof typeof invariants);
      expect(found, found[0]).to.deep.equal([]);
    });
  }

  it("refuses with errors that the interfaces declare, and with no other", () => {
    const found = failures("error");
    expect(found, found[0]).to.deep.equal([]);
  });

  it("comes by every step of the waterfall, and by all that surrounds it", function () {
    if (!isWholeSuite) this.skip();
    const must = [
      "PositionLiquidated into the pool",
      "PositionLiquidated to an account",
      "CollateralLiquidated",
      "absorbed, way A",
      "absorbed, way B",
      "insurance paid",
      "PoolPaid",
      "Deleveraged",
      "deleveraged beyond the price",
      "written off",
      "bad debt booked",
      "BadDebtCovered",
      "PoolResolved",
      "EpochEnded",
      "final results paid",
      "trades of deleveraged accounts",
      "CollateralAbsorbed",
      "PoolCollateralSold",
      "InterestSwept",
      "liquidations of one's own",
      "Transferred",
      "trades of isolated accounts",
    ];
    const rare = [
      "hand-overs",
      "hand-overs to oneself",
      "crossings",
      "second positions refused",
      "Delisted",
      "PositionAbsorbed",
    ];
    const count = (name: string) => tally.events.get(name) ?? 0;
    const missed = [
      ...must.filter((name) => count(name) < leastOften),
      ...rare.filter((name) => count(name) < leastOften / 5),
    ];
    expect(missed.map((name) => `${name} ${count(name)}`)).to.deep.equal([]);
  });

  it("holds something against every invariant", function () {
    if (!isWholeSuite) this.skip();
    const never = Object.entries(tally.looks).filter(([, looks]) => looks === 0);
    expect(never.map(([id]) => id)).to.deep.equal([]);
  });

  it("lets at least 30% of the calls of every kind, and of every function that may write, through", function () {
    if (!isWholeSuite) this.skip();
    for (const [name, { called, succeeded }] of Object.entries({ ...tally.acts, ...tally.probes, ...tally.entries })) {
      expect(succeeded, `${name}: ${succeeded} of ${called}`).to.be.at.least(Math.max(1, leastShare * called));
    }
  });
});
