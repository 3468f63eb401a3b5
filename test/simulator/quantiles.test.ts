import { expect } from "chai";
import fc from "fast-check";

import { accountValueQuantiles, leverageQuantiles, quantileAt } from "../../simulator/quantiles.js";

const probability = fc.double({ min: 0, max: 1, noNaN: true });

describe("simulator/quantiles", () => {
  for (const [name, quantiles] of Object.entries({ accountValueQuantiles, leverageQuantiles })) {
    it(`gives each of the ${name} at its probability`, () => {
      for (const [at, quantile] of quantiles) expect(quantileAt(quantiles, at)).to.equal(quantile);
    });

    it(`rises with the probability and stays between the outer ${name}`, () => {
      fc.assert(
        fc.property(probability, probability, (a, b) => {
          const [low, high] = [quantileAt(quantiles, Math.min(a, b)), quantileAt(quantiles, Math.max(a, b))];
          expect(low).to.be.at.most(high);
          expect(low).to.be.at.least(quantiles[0]?.[1] ?? Number.NaN);
          expect(high).to.be.at.most(quantiles.at(-1)?.[1] ?? Number.NaN);
        }),
      );
    });
  }

  const decades = [
    [0.2, 1],
    [0.4, 100],
    [0.8, 10_000],
  ] as const;

  it("is linear in the logarithm between two points", () => {
    expect(quantileAt(decades, 0.3)).to.be.within(10 - 1e-9, 10 + 1e-9);
    expect(quantileAt(decades, 0.25)).to.be.within(10 ** 0.5 - 1e-9, 10 ** 0.5 + 1e-9);
    expect(quantileAt(decades, 0.6)).to.be.within(1_000 - 1e-9, 1_000 + 1e-9);
  });

  it("is clipped at the outer points", () => {
    expect(quantileAt(decades, 0)).to.equal(1);
    expect(quantileAt(decades, 0.199)).to.equal(1);
    expect(quantileAt(decades, 0.801)).to.equal(10_000);
    expect(quantileAt(decades, 1)).to.equal(10_000);
  });

  it("refuses a distribution without points", () => {
    expect(() => quantileAt([], 0.5)).to.throw(RangeError, "at least one quantile");
  });
});
