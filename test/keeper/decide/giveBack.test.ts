import { expect } from "chai";

import { giveBack } from "../../../keeper/decide/giveBack.js";
import { healthOf, plainTerms, takerState } from "../../helpers/taker.js";
import { wad } from "../../helpers/world.js";

const policy = { inventoryPercent: 200, giveBackPercent: 100 };
const now = 1_000_000;
const nothing = new Map<number, number>();

const parts = (...given: Parameters<typeof giveBack>) =>
  giveBack(...given).map((each) => (each.kind === "keep" ? each.reason : each.sizeDeltaWad));

describe("keeper/decide/giveBack", () => {
  it("does nothing without a position", () => {
    expect(giveBack(takerState(), policy, nothing, now)).to.deep.equal([]);
  });

  it("sells what it holds long and buys back what it holds short, with a bound and a deadline", () => {
    const state = takerState({ sizesWad: new Map([0, 1].map((id) => [id, wad(id === 0 ? "4" : "-5")])) });
    const shared = { kind: "giveBack", deadline: now + 100, reason: "inventory" };
    const [sold, bought] = giveBack(state, policy, nothing, now);
    // Impact of the fill is all but nothing; what is left is half a percent of slack.
    expect(sold).to.deep.include({ ...shared, market: 0, sizeDeltaWad: wad("-4") });
    expect(bought).to.deep.include({ ...shared, market: 1, sizeDeltaWad: wad("5") });
    const limits = [sold, bought].map((each) => (each?.kind === "giveBack" ? each.limitPriceWad : 0n));
    expect(limits[0]).to.be.within(wad("99.499999"), wad("99.5"));
    expect(limits[1]).to.be.within(wad("100.5"), wad("100.500001"));
  });

  it("bounds the fill where impact puts it, not at the price", () => {
    const terms = new Map([[0, { ...plainTerms, skewWad: wad("-30"), skewScaleWad: wad("1000") }]]);
    const state = takerState({ terms, sizesWad: new Map([[0, wad("4")]]) });
    expect(giveBack(state, policy, nothing, now)[0]).to.deep.include({ limitPriceWad: wad("96.3") });
  });

  it("gives back no more notional in a turn than its policy says, the lowest market first", () => {
    const state = takerState({ sizesWad: new Map([0, 1].map((id) => [id, wad("8")])) });
    expect(parts(state, policy, nothing, now)).to.deep.equal([wad("-8"), wad("-2")]);
    expect(parts(state, { ...policy, giveBackPercent: 50 }, nothing, now)).to.deep.equal([wad("-5"), "enoughThisTurn"]);
  });

  it("keeps what has no size left, even at a margin call: only settling ends it", () => {
    const sizesWad = new Map([0, 1].map((id) => [id, id === 0 ? 0n : wad("2")]));
    expect(parts(takerState({ sizesWad }), policy, nothing, now)).to.deep.equal(["noSize", wad("-2")]);
    const called = takerState({ sizesWad, health: healthOf("10", "20") });
    expect(parts(called, policy, nothing, now)).to.deep.equal(["noSize", wad("-2")]);
  });

  it("closes a position whole where the rest would be below the minimum", () => {
    const state = takerState({ sizesWad: new Map([[0, wad("10.05")]]) });
    expect(parts(state, policy, nothing, now)).to.deep.equal([wad("-10.05")]);
  });

  it("closes nothing beyond the turn's bound for what rounding leaves of it, and sends no dust", () => {
    const dear = { ...plainTerms, priceWad: wad("60007") };
    const cheap = { ...plainTerms, priceWad: wad("3001") };
    const sizesWad = new Map([0, 1].map((id) => [id, wad("3")]));
    const few = { ...policy, giveBackPercent: 70 }; // of 1,000
    const rising = takerState({
      sizesWad,
      terms: new Map([
        [0, cheap],
        [1, dear],
      ]),
    });
    const [first, second] = parts(rising, few, nothing, now);
    expect(first).to.equal(-((wad("700") * wad("1")) / wad("3001")));
    expect(second).to.equal("enoughThisTurn");
    const falling = takerState({
      sizesWad,
      terms: new Map([
        [0, dear],
        [1, cheap],
      ]),
    });
    // The first closes the minimum at least, or a small budget would never get on.
    expect(parts(falling, few, nothing, now)).to.deep.equal([-plainTerms.minimumSizeWad, "enoughThisTurn"]);
  });

  it("takes for old what a chain that was set back since tells to be of later", () => {
    const state = takerState({ sizesWad: new Map([[0, wad("1")]]) });
    expect(parts(state, policy, new Map([[0, now + 5]]), now)).to.deep.equal([wad("-1")]);
  });

  it("keeps what it took at the same time, and only that", () => {
    const state = takerState({ sizesWad: new Map([0, 1].map((id) => [id, wad("1")])) });
    const takenAt = new Map([
      [0, now],
      [1, now - 1],
    ]);
    expect(parts(state, policy, takenAt, now)).to.deep.equal(["takenJustNow", wad("-1")]);
    expect(parts(state, policy, takenAt, now + 1)).to.deep.equal([wad("-1"), wad("-1")]);
  });

  it("keeps what has no fresh price", () => {
    const terms = new Map([[0, { ...plainTerms, isFresh: false }]]);
    const sizesWad = new Map([0, 1].map((id) => [id, wad("1")]));
    expect(parts(takerState({ terms, sizesWad }), policy, nothing, now)).to.deep.equal(["stalePrice", "stalePrice"]);
  });

  it("gives back at a price that is good for reducing only", () => {
    const terms = new Map([[0, { ...plainTerms, isFresh: false, isReduceOnly: true }]]);
    const sizesWad = new Map([[0, wad("1")]]);
    expect(parts(takerState({ terms, sizesWad }), policy, nothing, now)).to.deep.equal([wad("-1")]);
  });

  it("gives back everything at once below its initial margin, however new it is", () => {
    const sizesWad = new Map([0, 1].map((id) => [id, wad("80")]));
    const state = takerState({ sizesWad, health: healthOf("500", "501") });
    const decisions = giveBack(state, { ...policy, giveBackPercent: 1 }, new Map([[0, now]]), now);
    expect(decisions.map(({ kind, reason }) => [kind, reason])).to.deep.equal([
      ["giveBack", "marginCall"],
      ["giveBack", "marginCall"],
    ]);
    expect(parts(state, policy, nothing, now)).to.deep.equal([wad("-80"), wad("-80")]);
  });
});
