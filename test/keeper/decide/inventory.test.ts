import { expect } from "chai";

import { type Leg, Room } from "../../../keeper/decide/inventory.js";
import { type Refusal, refusals } from "../../../sdk/index.js";
import { healthOf, plainTerms, takerState } from "../../helpers/taker.js";
import { wad } from "../../helpers/world.js";

const policy = { inventoryPercent: 200, giveBackPercent: 100 };

/** A leg that its target sells (below zero) or buys, at a discount of 1%. */
function leg(size: string, refusal: Refusal = "none", market = 0): Leg {
  const sizeDeltaWad = wad(size);
  const rewardWad = sizeDeltaWad < 0n ? -sizeDeltaWad : sizeDeltaWad;
  return { market, refusal, sizeDeltaWad, fillPriceWad: wad("100"), feeWad: rewardWad, rewardWad };
}

const termsOf = (change: Partial<typeof plainTerms>) => new Map([[0, { ...plainTerms, ...change }]]);

describe("keeper/decide/inventory", () => {
  const fits: [title: string, state: Parameters<typeof takerState>[0], size: string, fit: string | undefined][] = [
    ["all of a leg that its equity bears", {}, "-20", "20"],
    ["of a longer one as much as twice its equity", {}, "-30", "20"],
    ["the same of a short", {}, "30", "20"],
    ["less, where it holds something already", { sizesWad: new Map([[1, wad("-15")]]) }, "-30", "5"],
    ["nothing, where it is full", { sizesWad: new Map([[1, wad("20")]]) }, "-30", undefined],
    ["a tenth of a leg", { sizesWad: new Map([[1, wad("17")]]) }, "-30", "3"],
    ["nothing where that is less than a tenth of the leg", { sizesWad: new Map([[1, wad("17.1")]]) }, "-30", undefined],
    ["nothing without equity", { health: healthOf("0", "0") }, "-30", undefined],
    ["nothing while a price of its positions is stale", { health: healthOf("1000", "0", false) }, "-1", undefined],
    ["no more than half of its initial equity allows", { terms: termsOf({ initialBaseWad: wad("0.5") }) }, "-30", "10"],
    ["nothing, where its requirement is half of its equity", { health: healthOf("1000", "500") }, "-30", undefined],
    ["nothing, where it is called", { health: healthOf("1000", "1001") }, "-30", undefined],
    [
      "less of what asks for more margin the larger it is",
      { terms: termsOf({ lambdaInitialWad: wad("45"), skewScaleWad: wad("3000") }) },
      "-30",
      "10",
    ],
    ["what closes its own position, and twice its equity on top", { sizesWad: new Map([[0, wad("-4")]]) }, "-30", "20"],
    ["what leaves the target the minimum", {}, "-20.05", "19.95"],
    ["nothing below the minimum", {}, "-0.09", undefined],
    ["what adds a little to its own position", { sizesWad: new Map([[0, wad("1")]]) }, "-0.09", "0.09"],
    ["nothing that leaves its own below the minimum", { sizesWad: new Map([[0, wad("-1")]]) }, "-0.95", undefined],
    ["what closes its own to the last", { sizesWad: new Map([[0, wad("-1")]]) }, "-1", "1"],
    ["nothing in a market whose terms it does not know", { terms: new Map() }, "-1", undefined],
  ];
  for (const [title, state, size, fit] of fits) {
    it(`fits ${title}`, () => {
      expect(new Room(takerState(state), policy).fit(leg(size))?.sizeWad).to.equal(fit && wad(fit));
    });
  }

  for (const refusal of [...refusals.slice(1), "unknown"] as Refusal[]) {
    it(`fits no leg that is refused: ${refusal}`, () => {
      expect(new Room(takerState(), policy).fit(leg("-1", refusal))).to.equal(undefined);
    });
  }

  it("reckons with the fee and the tolerance of giving back", () => {
    const room = new Room(takerState({ terms: termsOf({ skewWad: wad("100") }) }), policy); // a skew that costs nothing
    expect(room.fit(leg("-10"))?.earnsWad).to.equal(wad("10") - wad("1.5"));
    expect(room.fit(leg("-40"))?.earnsWad).to.equal(wad("20") - wad("3"));
  });

  it("reckons with impact that giving back would cost, and not with one that would pay for it", () => {
    const earned = (skew: string, size: string) => {
      const terms = termsOf({ skewWad: wad(skew), skewScaleWad: wad("1000") });
      return new Room(takerState({ terms }), policy).fit(leg(size))?.earnsWad;
    };
    // Half of its own size over the skew's scale; a skew against it on top.
    expect(earned("0", "-10")).to.equal(wad("8.5") - wad("5"));
    expect(earned("-5", "-10")).to.equal(wad("8.5") - wad("10"));
    expect(earned("5", "10")).to.equal(wad("8.5") - wad("10"));
    expect(earned("50", "-10")).to.equal(wad("8.5"));
    expect(earned("-50", "10")).to.equal(wad("8.5"));
  });
});
