import { expect } from "chai";
import fc from "fast-check";

import {
  DecimalsError,
  fromWadCeil,
  fromWadFloor,
  ray,
  rayToWadCeil,
  rayToWadFloor,
  toWad,
  tokenAmount,
  wad,
  wadToRay,
} from "../../../sdk/units/index.js";
import { failureOf } from "./failureOf.js";

const amounts = fc.bigInt({ min: 0n, max: 2n ** 128n });
const signed = fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n });
const decimalsOfTokens = fc.nat(18);

describe("sdk/units/conversions", () => {
  it("brings every amount of a token to wad and back", () => {
    fc.assert(
      fc.property(amounts, decimalsOfTokens, (value, decimals) => {
        const amount = tokenAmount(value, decimals);
        expect(fromWadFloor(toWad(amount, decimals), decimals)).to.equal(amount);
        expect(fromWadCeil(toWad(amount, decimals), decimals)).to.equal(amount);
      }),
    );
    expect(toWad(tokenAmount("1.5", 6), 6)).to.equal(wad("1.5"));
  });

  it("rounds a wad to a token's units to the side that the name says, by less than one", () => {
    fc.assert(
      fc.property(signed, decimalsOfTokens, (value, decimals) => {
        const unit = 10n ** BigInt(18 - decimals);
        const [below, above] = [fromWadFloor(wad(value), decimals), fromWadCeil(wad(value), decimals)];
        expect(below * unit <= value && value < (below + 1n) * unit).to.equal(true);
        expect(above * unit >= value && value > (above - 1n) * unit).to.equal(true);
      }),
    );
    expect([fromWadFloor(wad("-1.5"), 0), fromWadCeil(wad("-1.5"), 0)]).to.deep.equal([-2n, -1n]);
    expect([fromWadFloor(wad("1.5"), 0), fromWadCeil(wad("1.5"), 0)]).to.deep.equal([1n, 2n]);
  });

  it("brings every wad to ray and back, and rounds a ray to the side that the name says", () => {
    fc.assert(
      fc.property(signed, (value) => {
        expect(rayToWadFloor(wadToRay(wad(value)))).to.equal(value);
        const [below, above] = [rayToWadFloor(ray(value)), rayToWadCeil(ray(value))];
        expect(below * 10n ** 9n <= value && value <= above * 10n ** 9n && above - below <= 1n).to.equal(true);
      }),
    );
    expect([rayToWadFloor(ray(-1n)), rayToWadCeil(ray(-1n))]).to.deep.equal([-1n, 0n]);
  });

  it("refuses tokens that the vault refuses", () => {
    for (const convert of [
      () => toWad(tokenAmount(1n, 19), 19),
      () => fromWadFloor(wad(1n), 19),
      () => fromWadCeil(wad(1n), 19),
    ])
      expect(failureOf(DecimalsError, convert).decimals).to.equal(19);
  });
});
