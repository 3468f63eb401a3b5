import { expect } from "chai";
import fc from "fast-check";

import { formatDecimal, mulDivDown, mulDivUp, parseDecimal } from "../../sdk/units.js";

const amount = fc.bigInt({ min: 0n, max: 2n ** 128n });

describe("sdk/units", () => {
  it("reads back every number that it writes", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 128n), max: 2n ** 128n }), fc.nat(18), (value, decimals) => {
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

  it("reads no more decimals than there are, and no other notation", () => {
    expect(parseDecimal("1.50", 2)).to.equal(150n);
    for (const text of ["1.505", "", "1.", ".5", "1e3", "0x1", " 1", "+1", "1,0", "--1"]) {
      expect(() => parseDecimal(text, 2), text).to.throw(RangeError, `"${text}"`);
    }
  });

  it("rounds products down or up by less than one", () => {
    fc.assert(
      fc.property(amount, amount, fc.bigInt({ min: 1n, max: 2n ** 64n }), (a, b, divisor) => {
        const down = mulDivDown(a, b, divisor);
        const up = mulDivUp(a, b, divisor);
        expect(down * divisor <= a * b && a * b < (down + 1n) * divisor).to.equal(true);
        expect(up * divisor >= a * b && a * b > (up - 1n) * divisor).to.equal(true);
      }),
    );
  });
});
