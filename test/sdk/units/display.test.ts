import { expect } from "chai";
import fc from "fast-check";

import {
  DecimalsError,
  displayRay,
  displayTokenAmount,
  displayWad,
  ray,
  toUnits,
  wad,
} from "../../../sdk/units/index.js";
import { failureOf } from "./failureOf.js";

describe("sdk/units/display", () => {
  it("groups digits by three, and writes as many decimals as it is asked for", () => {
    expect(displayWad(wad("1234567.8"))).to.equal("1,234,567.80");
    expect(displayWad(wad("-1234567.8"), { places: 0 })).to.equal("-1,234,568");
    expect(displayWad(wad("999"), { places: 1 })).to.equal("999.0");
    expect(displayWad(0n)).to.equal("0.00");
    expect(displayRay(ray("1000"), { separator: "\u202f", places: 0 })).to.equal("1\u202f000");
    expect(displayTokenAmount(1_234_500_000n, 6, { separator: "" })).to.equal("1234.50");
    expect(displayTokenAmount(5n, 0, { places: 3 })).to.equal("5.000");
    expect(displayTokenAmount(1_000_000n, 0, { separator: "$&" })).to.equal("1$&000$&000.00");
  });

  it("never shows more than there is, unless it is told to", () => {
    expect(displayWad(wad("0.9999"))).to.equal("0.99");
    expect(displayWad(wad("-0.001"))).to.equal("-0.01");
    expect(displayWad(wad("0.991"), { rounding: "ceil" })).to.equal("1.00");
    expect(displayWad(wad("-0.001"), { rounding: "ceil" })).to.equal("0.00");
  });

  it("takes the nearest, a half away from zero, where it is asked for that", () => {
    const nearest = (text: string) => displayWad(wad(text), { rounding: "nearest" });
    expect(["0.005", "0.0049", "-0.005", "-0.0049"].map(nearest)).to.deep.equal(["0.01", "0.00", "-0.01", "0.00"]);
  });

  it("is off by less than a last digit, to the side of its rounding", () => {
    const values = fc.bigInt({ min: -(2n ** 128n), max: 2n ** 128n });
    fc.assert(
      fc.property(values, fc.nat(18), fc.nat(20), (value, decimals, places) => {
        const shown = (rounding: "floor" | "ceil" | "nearest") => {
          const text = displayTokenAmount(value, decimals, { places, rounding }).replaceAll(",", "");
          return toUnits(text, 38) - value * 10n ** BigInt(38 - decimals);
        };
        const digit = 10n ** BigInt(38 - places);
        expect(shown("floor") <= 0n && -shown("floor") < digit).to.equal(true);
        expect(shown("ceil") >= 0n && shown("ceil") < digit).to.equal(true);
        expect(2n * shown("nearest") <= digit && -2n * shown("nearest") <= digit).to.equal(true);
      }),
    );
  });

  it("refuses places and decimals that there are not", () => {
    expect(failureOf(DecimalsError, () => displayWad(1n, { places: -1 })).decimals).to.equal(-1);
    expect(failureOf(DecimalsError, () => displayTokenAmount(1n, 1.5)).decimals).to.equal(1.5);
  });
});
