import { expect } from "chai";
import fc from "fast-check";

import { randomStreams } from "../../simulator/random.js";

const seeds = fc.integer({ min: 0, max: 0xffff_ffff });

function firstDraws(seed: number, count: number): (number | undefined)[] {
  return randomStreams(seed, count).map((stream) => stream.uniform());
}

describe("simulator/random", () => {
  it("draws the same numbers from the same seed on every machine", () => {
    const [first, second] = randomStreams(1, 2);
    const drawn = [first?.uniform(), first?.integer(0, 99), second?.uniform(), second?.integer(0, 99)];
    expect(drawn).to.deep.equal([0.5516269059277428, 1, 0.00892554538749335, 73]);
  });

  it("draws other numbers from another seed and in another stream", () => {
    fc.assert(
      fc.property(seeds, seeds, (one, other) => {
        fc.pre(one !== other);
        expect(new Set([...firstDraws(one, 3), ...firstDraws(other, 3)])).to.have.property("size", 6);
      }),
    );
  });

  it("begins the same streams however many are asked for", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        expect(firstDraws(seed, 7).slice(0, 3)).to.deep.equal(firstDraws(seed, 3));
      }),
    );
  });

  it("spreads the first draws of seeds that follow each other evenly", () => {
    const tenths = Array.from({ length: 10 }, () => 0);
    for (let seed = 0; seed < 5_000; seed++) {
      const tenth = Math.floor((firstDraws(seed, 1)[0] ?? 0) * 10);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    for (const count of tenths) expect(count).to.be.within(400, 600);
  });

  it("draws whole numbers from both ends of a range and none beyond", () => {
    const [stream] = randomStreams(7, 1);
    const drawn = new Set(Array.from({ length: 200 }, () => stream?.integer(3, 5)));
    expect([...drawn].sort()).to.deep.equal([3, 4, 5]);
  });

  it("refuses a seed that is not a whole number of 32 bits", () => {
    for (const seed of [-1, 1.5, 2 ** 32, Number.NaN]) {
      expect(() => randomStreams(seed, 1)).to.throw(RangeError, `the seed is ${seed}`);
    }
  });
});
