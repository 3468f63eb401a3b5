import { expect } from "chai";
import fc from "fast-check";

import {
  AmountError,
  formatRay,
  formatTokenAmount,
  formatWad,
  ray,
  toUnits,
  toUnsignedUnits,
  tokenAmount,
  wad,
} from "../../../sdk/units/index.js";
import { failureOf } from "./failureOf.js";

const signed = fc.bigInt({ min: -(2n ** 255n), max: 2n ** 255n });

describe("sdk/units/amounts", () => {
  it("takes decimal strings in whole units, and bigints as they are", () => {
    expect(wad("1.5")).to.equal(15n * 10n ** 17n);
    expect(wad("-0.000000000000000001")).to.equal(-1n);
    expect(ray("1.5")).to.equal(15n * 10n ** 26n);
    expect(tokenAmount("1.5", 6)).to.equal(1_500_000n);
    expect(toUnits("-2", 0)).to.equal(-2n);
    expect([wad(7n), ray(-7n), tokenAmount(7n, 6), toUnits(-7n, 6)]).to.deep.equal([7n, -7n, 7n, -7n]);
  });

  it("reads back every amount that it writes", () => {
    fc.assert(
      fc.property(signed, fc.nat(18), (value, decimals) => {
        expect(wad(formatWad(value))).to.equal(value);
        expect(ray(formatRay(value))).to.equal(value);
        expect(toUnits(formatTokenAmount(value, decimals), decimals)).to.equal(value);
      }),
    );
  });

  it("refuses amounts of tokens below zero, as string or as bigint", () => {
    for (const value of ["-1", -1n]) {
      for (const read of [tokenAmount, toUnsignedUnits]) {
        const error = failureOf(AmountError, () => read(value, 6));
        expect([error.value, error.decimals, error.problem]).to.deep.equal([value, 6, "negative"]);
      }
    }
  });

  it("refuses floats by every name", () => {
    const calls = { 18: wad, 27: ray, 6: (value: never) => tokenAmount(value, 6) };
    for (const [decimals, read] of Object.entries(calls)) {
      const error = failureOf(AmountError, () => read(0.1 as never));
      expect([error.value, error.decimals, error.problem]).to.deep.equal([0.1, Number(decimals), "number"]);
    }
  });
});
