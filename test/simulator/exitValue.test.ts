import { expect } from "chai";

import { type Depth, type Holdings, exitValue } from "../../simulator/exitValue.js";

const WAD = 10n ** 18n;
const wad = (whole: number) => BigInt(Math.round(whole * 1000)) * (WAD / 1000n);

/** Price 100, impact 1% for 10 of skew. */
const depths = (skew: number) =>
  new Map<number, Depth>([[0, { priceWad: wad(100), skewWad: wad(skew), skewScaleWad: wad(1000) }]]);

function account(cash: number, size = 0, value = 0, collateral = 0): Holdings {
  const positions = size === 0 ? [] : [{ market: 0, sizeWad: wad(size), valueWad: wad(value) }];
  return { cashWad: wad(cash), collateralWad: wad(collateral), positions };
}

describe("simulator/exitValue", () => {
  it("is cash, collateral and unrealised profit where the owner has no position, or no skew stands", () => {
    expect(exitValue([account(5, 0, 0, 7)], depths(100))).to.equal(wad(12));
    expect(exitValue([account(5, 10, 3)], depths(5))).to.equal(wad(8)); // from a skew of 5 to one of -5
  });

  it("adds the premium of closing a long where longs prevail, and takes the cost of closing a short", () => {
    // 10 sold from a skew of 30 to 20: 25 / 1000 above the price of 1000
    expect(exitValue([account(0, 10)], depths(30))).to.equal(wad(25));
    // 10 bought from a skew of 30 to 40: 35 / 1000 above it
    expect(exitValue([account(100, -10)], depths(30))).to.equal(wad(65));
  });

  it("does not change by a trade against the pool at its fill price, nor by handing a position over at the price", () => {
    const before = exitValue([account(1000, 10), account(500)], depths(30));
    // The second account buys 4 at a skew of 30 to 34, at 32 / 1000 above the price.
    expect(exitValue([account(1000, 10), account(500 - 12.8, 4)], depths(34))).to.equal(before);
    expect(exitValue([account(1000, 4), account(500, 6)], depths(30))).to.equal(before);
  });

  it("counts an account below zero as nothing, and values the others as if it were closed", () => {
    const rich = account(100, -10);
    const poor = account(-300, 10);
    // Closed first, from a skew of 30 to 20: the short is then bought from 20 to 30.
    expect(exitValue([rich, poor], depths(30))).to.equal(wad(75));
    expect(exitValue([poor, rich], depths(30))).to.equal(wad(75));
    expect(exitValue([rich], depths(20))).to.equal(wad(75));
  });

  it("refuses a position in a market whose depth it is not told", () => {
    expect(() => exitValue([account(0, 1)], new Map())).to.throw(RangeError, "market 0");
  });
});
