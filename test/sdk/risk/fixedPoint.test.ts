import { expect } from "chai";
import fc from "fast-check";

import * as FixedPoint from "../../../sdk/risk/libraries/FixedPoint.js";
import { refused } from "./refused.js";

const overflow = { code: 0x11n };
const byZero = { code: 0x12n };
const MAX_UINT = 2n ** 256n - 1n;
const MAX_INT = 2n ** 255n - 1n;
const MIN_INT = -(2n ** 255n);

const unsigned = fc.bigInt(0n, 2n ** 128n - 1n);
const signed = fc.bigInt(-(2n ** 127n), 2n ** 127n);
const divisor = fc.bigInt(1n, 2n ** 64n);
const small = fc.bigInt(-20n, 20n);

describe("sdk/risk/libraries/FixedPoint", () => {
  it("rounds by less than one, to where the name says", () => {
    fc.assert(
      fc.property(unsigned, unsigned, divisor, (a, b, d) => {
        const [down, up] = [FixedPoint.mulDivDown(a, b, d), FixedPoint.mulDivUp(a, b, d)];
        expect(down * d <= a * b && a * b < (down + 1n) * d).to.equal(true);
        expect((up - 1n) * d < a * b && a * b <= up * d).to.equal(true);
        expect([FixedPoint.mulDiv(a, b, d), FixedPoint.mulDiv(a, b, d, "up")]).to.deep.equal([down, up]);
      }),
    );
    fc.assert(
      fc.property(fc.oneof(signed, small), fc.oneof(signed, small), fc.oneof(divisor, fc.constant(3n)), (a, b, d) => {
        const [floor, ceil] = [FixedPoint.mulDivFloor(a, b, d), FixedPoint.mulDivCeil(a, b, d)];
        expect(floor * d <= a * b && a * b < (floor + 1n) * d).to.equal(true);
        expect((ceil - 1n) * d < a * b && a * b <= ceil * d).to.equal(true);
        expect([FixedPoint.divFloor(a, d), FixedPoint.divCeil(a, d)]).to.deep.equal([
          FixedPoint.mulDivFloor(a, 1n, d),
          FixedPoint.mulDivCeil(a, 1n, d),
        ]);
      }),
    );
  });

  it("takes products of up to 256 bits, and no more", () => {
    const { mulDivCeil, mulDivDown, mulDivFloor, mulDivUp } = FixedPoint;
    for (const mulDiv of [mulDivDown, mulDivUp]) {
      expect(mulDiv(MAX_UINT, 1n, 1n)).to.equal(MAX_UINT);
      refused(() => mulDiv(2n ** 128n, 2n ** 128n, 2n ** 128n), "Panic", overflow);
    }
    for (const mulDiv of [mulDivFloor, mulDivCeil]) {
      expect([mulDiv(MAX_INT, 1n, 1n), mulDiv(MIN_INT, 1n, 1n)]).to.deep.equal([MAX_INT, MIN_INT]);
      refused(() => mulDiv(MIN_INT, -1n, 1n), "Panic", overflow);
      refused(() => mulDiv(2n ** 128n, -(2n ** 128n), 2n ** 128n), "Panic", overflow);
    }
  });

  it("mulDiv takes products of 512 bits, but no quotient over 256", () => {
    const { mulDiv } = FixedPoint;
    expect(mulDiv(MAX_UINT, MAX_UINT, MAX_UINT)).to.equal(MAX_UINT);
    refused(() => mulDiv(2n ** 128n, 2n ** 128n, 1n), "Panic", overflow);
    const [a, b, divisor] = [MAX_UINT - 1n, 2n ** 255n + 1n, 2n ** 255n]; // the quotient is between the maximum and one more
    expect(mulDiv(a, b, divisor)).to.equal(MAX_UINT);
    refused(() => mulDiv(a, b, divisor, "up"), "Panic", overflow);
  });

  it("refuses to divide by zero", () => {
    const { divCeil, divFloor, divUp, mulDiv, mulDivCeil, mulDivDown, mulDivFloor, mulDivUp } = FixedPoint;
    for (const divide of [mulDivDown, mulDivUp, mulDivFloor, mulDivCeil, mulDiv]) {
      refused(() => divide(1n, 1n, 0n), "Panic", byZero);
    }
    for (const divide of [divUp, divFloor, divCeil]) refused(() => divide(1n, 0n), "Panic", byZero);
    refused(() => divUp(0n, 0n), "Panic", byZero);
  });

  it("finds the root of every square, and of its neighbours", () => {
    const roots = fc.bigInt(1n, 2n ** 128n - 1n);
    fc.assert(
      fc.property(fc.oneof(roots, fc.bigInt(1n, 50n)), (root) => {
        const square = root * root;
        expect([square - 1n, square, square + 1n].map(FixedPoint.sqrt)).to.deep.equal([root - 1n, root, root]);
        expect([square - 1n, square, square + 1n].map(FixedPoint.sqrtUp)).to.deep.equal([
          root === 1n ? 0n : root,
          root,
          root + 1n,
        ]);
      }),
    );
    expect(FixedPoint.sqrt(MAX_UINT)).to.equal(2n ** 128n - 1n);
  });

  it("refuses a difference below zero", () => {
    expect(FixedPoint.sub(5n, 5n)).to.equal(0n);
    refused(() => FixedPoint.sub(5n, 6n), "Panic", overflow);
  });

  it("compares and clamps", () => {
    fc.assert(
      fc.property(small, small, fc.bigInt(0n, 20n), (a, b, bound) => {
        const ascending = (left: bigint, right: bigint) => Number(left - right);
        expect([FixedPoint.min(a, b), FixedPoint.max(a, b)]).to.deep.equal([a, b].toSorted(ascending));
        expect([FixedPoint.abs(a), FixedPoint.positivePart(a)]).to.deep.equal([a < 0n ? -a : a, a < 0n ? 0n : a]);
        expect(FixedPoint.opposes(a, b)).to.equal(a * b < 0n);
        expect(FixedPoint.clamp(a, bound)).to.equal([-bound, a, bound].toSorted(ascending)[1]);
      }),
    );
  });
});
