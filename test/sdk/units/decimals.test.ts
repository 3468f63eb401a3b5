import { expect } from "chai";
import fc from "fast-check";

import {
  AmountError,
  type AmountProblem,
  DecimalsError,
  formatDecimal,
  parseDecimal,
} from "../../../sdk/units/index.js";
import { failureOf } from "./failureOf.js";

describe("sdk/units/decimals", () => {
  it("reads back every number that it writes", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 256n), max: 2n ** 256n }), fc.nat(77), (value, decimals) => {
        expect(parseDecimal(formatDecimal(value, decimals), decimals)).to.equal(value);
      }),
    );
  });

  it("writes the shortest form", () => {
    expect(formatDecimal(1_500_000n, 6)).to.equal("1.5");
    expect(formatDecimal(-1n, 6)).to.equal("-0.000001");
    expect(formatDecimal(2_000_000n, 6)).to.equal("2");
    expect(formatDecimal(20n, 0)).to.equal("20");
    expect(formatDecimal(0n, 18)).to.equal("0");
  });

  it("reads zeros that nobody would write", () => {
    expect(parseDecimal("1.50", 2)).to.equal(150n);
    expect(parseDecimal("007", 0)).to.equal(7n);
    expect(parseDecimal("-0", 2)).to.equal(0n);
  });

  const problems: Partial<Record<AmountProblem, unknown[]>> = {
    notation: [
      "1.",
      ".5",
      ".",
      "1e5",
      "1E-2",
      "0x1",
      " 1",
      "1 ",
      "+1",
      "1,0",
      "1_0",
      "--1",
      "-",
      "NaN",
      "Infinity",
      "١",
    ],
    tooManyDecimals: ["1.505", "0.001", "1.500"],
    empty: ["", " ", "\t\n"],
    number: [1.5, 0, NaN, Infinity],
    type: [undefined, null, {}, [], true, Symbol("1"), Object.create(null), () => "1"],
  };
  for (const [problem, values] of Object.entries(problems)) {
    it(`refuses with what was given, and "${problem}"`, () => {
      for (const value of values) {
        const error = failureOf(AmountError, () => parseDecimal(value as string, 2));
        expect(Object.is(error.value, value), error.message).to.equal(true);
        expect([error.decimals, error.problem]).to.deep.equal([2, problem]);
      }
    });
  }

  it("says in the message what was given and what to do", () => {
    expect(() => parseDecimal("1e5", 6)).to.throw('"1e5" is no amount with at most 6 decimals: write a plain decimal');
    expect(() => parseDecimal(1.5 as never, 6)).to.throw(
      "1.5 (number) is no amount with at most 6 decimals: a number loses",
    );
  });

  it("refuses decimals that no unit has", () => {
    for (const decimals of [-1, 1.5, 78, NaN, "6", undefined]) {
      expect(failureOf(DecimalsError, () => parseDecimal("1", decimals as number)).decimals).to.deep.equal(decimals);
      expect(failureOf(DecimalsError, () => formatDecimal(1n, decimals as number)).decimals).to.deep.equal(decimals);
    }
  });
});
