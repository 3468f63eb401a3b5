import { readFileSync } from "node:fs";

import { expect } from "chai";

import { gasOf } from "../../../keeper/decide/gas.js";
import { type GasCost, judge } from "../../../keeper/decide/profit.js";
import { wad } from "../../helpers/world.js";

/** A million gas at 10 gwei is a hundredth of a token, at 2,000 a token 20. */
const cost: GasCost = { gasPriceWei: 10n ** 10n, tokenPriceWad: wad("2000") };
const gas = 1_000_000n;
const policy = { minimumProfitWad: 0n, unknownProfit: "skip" } as const;

describe("keeper/decide/profit", () => {
  it("acts on what earns its gas, to the wei, and lets the fee come to all of it", () => {
    expect(judge(wad("20"), gas, policy, cost)).to.deep.equal({ kind: "act", feeBudgetWei: 10n ** 16n });
    expect(judge(wad("20") - 1n, gas, policy, cost)).to.deep.equal({ kind: "skip", reason: "unprofitable" });
  });

  it("asks for the least profit on top, and pays so much where that is below zero", () => {
    const asking = { ...policy, minimumProfitWad: wad("5") };
    expect(judge(wad("25"), gas, asking, cost)).to.deep.equal({ kind: "act", feeBudgetWei: 10n ** 16n });
    expect(judge(wad("24.9"), gas, asking, cost).kind).to.equal("skip");
    const paying = { ...policy, minimumProfitWad: -wad("30") };
    expect(judge(0n, gas, paying, cost)).to.deep.equal({ kind: "act", feeBudgetWei: 15n * 10n ** 15n });
  });

  for (const [title, unknown] of [
    ["the price of the gas token", { ...cost, tokenPriceWad: undefined }],
    ["the price of gas", { ...cost, gasPriceWei: undefined }],
    ["any price of the gas token but zero", { ...cost, tokenPriceWad: 0n }],
  ] as const) {
    it(`skips where nobody knows ${title}, or acts if the policy says so`, () => {
      expect(judge(wad("1000"), gas, policy, unknown)).to.deep.equal({ kind: "skip", reason: "unknownProfit" });
      const acting = judge(0n, gas, { ...policy, unknownProfit: "act" }, unknown);
      expect(acting).to.deep.equal({ kind: "act", feeBudgetWei: undefined });
    });
  }

  it("reckons with no less gas than the bench has measured, and with no more than half as much again", () => {
    const measured = JSON.parse(readFileSync(new URL("../../../bench/gas.json", import.meta.url), "utf8")) as Record<
      string,
      number
    >;
    const pairs = [
      [gasOf.liquidate, measured["liquidateByPool"]],
      [gasOf.take, measured["liquidateByTaker"]],
      [gasOf.giveBack, measured["close"]],
      [gasOf.settle, measured["settle"]],
      [gasOf.assetMore, measured["marginPerExtraPosition"]],
    ] as const;
    for (const [reckoned, known = 0] of pairs) expect(Number(reckoned)).to.be.within(known, 1.5 * known);
  });
});
