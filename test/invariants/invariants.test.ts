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
const runs = setting("INVARIANT_RUNS", 64);
const depth = setting("INVARIANT_DEPTH", 80);
const firstSeed = setting("INVARIANT_SEED", 1);

const leastShare = 0.3;
/** Fewer calls of a row than this, and its share says nothing: a short replay is judged by its invariants alone. */
const isWholeSuite = runs >= 64 && depth >= 48;

function told({ invariant, message, seed, step, trail }: Failure): string {
  const replay = `INVARIANT_SEED=${seed} INVARIANT_RUNS=1 INVARIANT_DEPTH=${depth} npx hardhat test mocha test/invariants/invariants.test.ts`;
  return `${invariant}: ${message}\n  seed ${seed}, step ${step}; replay: ${replay}\n    ${trail.join("\n    ")}`;
}

describe("invariants of random sequences", function () {
  this.timeout(0);

  const tally: Tally = newTally();
  let arena: Arena | undefined;

  before(async () => {
    arena = await openArena();
    for (let run = 0; run < runs; run += 1) await runSequence(arena, firstSeed + run, depth, tally);
  });

  after(async () => {
    const line = (name: string, { called, succeeded }: { called: number; succeeded: number }) => {
      const share = called === 0 ? "" : `${Math.round((100 * succeeded) / called)}%`;
      console.log(
        `      ${name.padEnd(20)} ${String(called).padStart(6)} ${String(succeeded).padStart(9)} ${share.padStart(6)}`,
      );
    };
    console.log(
      `\n      ${"act".padEnd(20)} ${"called".padStart(6)} ${"succeeded".padStart(9)} ${"share".padStart(6)}`,
    );
    for (const [row, count] of Object.entries(tally.acts)) line(row, count);
    for (const [id, count] of Object.entries(tally.probes)) line(`probe of ${id}`, count);
    console.log(`      events: ${[...tally.events].map(([name, count]) => `${name} ${count}`).join(", ")}`);
    if (process.env.INVARIANT_REFUSALS !== undefined) console.log(tally.refusals);
    await arena?.connection.close();
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

  it("comes by liquidations of all kinds, by losses that insurance and pool bear, and by isolated accounts", function () {
    if (!isWholeSuite) this.skip();
    const must = [
      "PositionLiquidated",
      "PositionLiquidated to an account",
      "hand-overs",
      "hand-overs to oneself",
      "crossings",
      "CollateralLiquidated",
      "liquidations of one's own",
      "CollateralAbsorbed",
      "PoolCollateralSold",
      "InsurancePaid",
      "PoolPaid",
      "Transferred",
      "trades of isolated accounts",
      "second positions refused",
    ];
    expect(must.filter((name) => (tally.events.get(name) ?? 0) < 10)).to.deep.equal([]);
  });

  it("lets at least 30% of the calls of every kind through", function () {
    if (!isWholeSuite) this.skip();
    for (const [name, { called, succeeded }] of Object.entries({ ...tally.acts, ...tally.probes })) {
      expect(succeeded, `${name}: ${succeeded} of ${called}`).to.be.at.least(Math.max(1, leastShare * called));
    }
  });
});
