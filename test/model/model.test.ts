import { expect } from "chai";

import { type Arena, openArena } from "./support/arena.js";
import { type Failure, followSequence, newTally } from "./support/sequence.js";

function setting(name: string, otherwise: number): number {
  const text = process.env[name];
  const value = text === undefined || text === "" ? otherwise : Number(text);
  if (!Number.isInteger(value) || value < 0) throw new RangeError(`${name} is ${text}; give a whole number`);
  return value;
}

// So many sequences of so many steps; sequence i has seed MODEL_SEED + i.
const runs = setting("MODEL_RUNS", 40);
const depth = setting("MODEL_DEPTH", 60);
const firstSeed = setting("MODEL_SEED", 1);

/** What must have gone through, and what must have come of it. */
const acts = [
  "deposit",
  "withdraw",
  "transfer",
  "trade",
  "settle",
  "liquidatePosition",
  "liquidateCollateral",
  "absorb",
  "buyCollateral",
  "pool deposit",
  "pool redeem",
  "sweepFees",
  "sweepInterest",
  "cover",
  "refreshCapital",
  "resolvePool",
  "announceDelisting",
  "delist",
];
const steps = [
  "liquidated into the pool",
  "handed over to a taker",
  "crossed with a taker",
  "collateral sold to a taker",
  "way A",
  "way B",
  "deleveraged at the price",
  "deleveraged beyond the price",
  "reward topped up",
  "insurance paid",
  "pool paid",
  "written off",
  "bad debt",
  "bad debt covered",
  "pool resolved",
  "delisted at the oracle's price",
  "delisted without a fresh price",
];

function told({ message, seed, step, trail }: Failure): string {
  const replay = `MODEL_SEED=${seed} MODEL_RUNS=1 MODEL_DEPTH=${depth} npx hardhat test mocha test/model/model.test.ts`;
  return `${message}\n  seed ${seed}, step ${step}; replay: ${replay}\n    ${trail.join("\n    ")}`;
}

describe("the contracts beside the model", function () {
  this.timeout(0);

  const tally = newTally();
  let arena: Arena | undefined;

  before(async () => {
    arena = await openArena();
    for (let run = 0; run < runs; run += 1) await followSequence(arena, firstSeed + run, depth, tally);
  });

  after(async () => {
    const lines = (counts: Map<string, number>) => [...counts].map(([name, times]) => `${name} ${times}`).join(", ");
    console.log(`\n      acts: ${lines(tally.acts)}`);
    console.log(`      happened: ${lines(tally.happened)}`);
    console.log(`      refused: ${lines(tally.refused)}`);
    await arena?.connection.close();
  });

  it("INV-01, INV-04, INV-08, INV-13: stay within the drift that rounding allows, and give nobody more", () => {
    expect(tally.failures.length, tally.failures.map(told).join("\n\n")).to.equal(0);
  });

  it("INV-11: make no healthy account liquidatable by deleveraging", () => {
    expect(tally.endangered.length, tally.endangered.map(told).join("\n\n")).to.equal(0);
  });

  it("come by every act and by every step of the waterfall", function () {
    if (runs < 40 || depth < 60) this.skip();
    const counted = new Map([...tally.acts, ...tally.happened]);
    const missing = [...acts, ...steps].filter((name) => (counted.get(name) ?? 0) < 2);
    expect(missing).to.deep.equal([]);
  });
});
