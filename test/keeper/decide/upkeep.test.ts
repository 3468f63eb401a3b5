import { expect } from "chai";

import {
  type PoolPosition,
  type Ramp,
  type UpkeepState,
  delistings,
  rampSteps,
  upkeep,
} from "../../../keeper/decide/upkeep.js";
import { type AccountId, accountId } from "../../../sdk/index.js";
import { wad } from "../../helpers/world.js";

const orderly: UpkeepState = {
  poolEquityWad: wad("1000"),
  poolWithoutPrice: [],
  badDebtWad: 0n,
  insuranceCashWad: wad("100"),
  interestUnsweptWad: wad("5"),
  remainders: [],
};
const solvent = { kind: "skip", chore: "resolvePool", reason: "solvent" } as const;
const noBadDebt = { kind: "skip", chore: "cover", reason: "noBadDebt" } as const;
const nothingToPayWith = { kind: "skip", chore: "cover", reason: "nothingToPayWith" } as const;
const owner = (at: number): AccountId => accountId("0x00000000000000000000000000000000000000dd", at);

describe("keeper/decide/upkeep", () => {
  describe("delistings", () => {
    it("delists a market from its announced second on, and leaves one that is not due", () => {
      const dueAt = new Map([
        [3, 1_001],
        [1, 1_000],
        [7, 10],
      ]);
      expect(delistings(dueAt, 1_000)).to.deep.equal([
        { kind: "skip", chore: "delist", market: 3, reason: "notDue" },
        { kind: "delist", market: 1 },
        { kind: "delist", market: 7 },
      ]);
      expect(delistings(new Map(), 1_000)).to.deep.equal([]);
    });
  });

  describe("ramps", () => {
    it("takes a step from the second on that it is due, and leaves one that is not", () => {
      const token = "0x00000000000000000000000000000000000000ee";
      const ramps: Ramp[] = [
        { step: { kind: "rampMarket", market: 3 }, dueAt: 1_000 },
        { step: { kind: "rampCollateral", token }, dueAt: 1_001 },
        { step: { kind: "rampAccounts" }, dueAt: 0 },
      ];
      expect(rampSteps(ramps, 1_000)).to.deep.equal([
        { kind: "rampMarket", market: 3 },
        { kind: "skip", chore: "ramp", step: { kind: "rampCollateral", token }, reason: "notDue" },
        { kind: "rampAccounts" },
      ]);
      expect(rampSteps([], 1_000)).to.deep.equal([]);
    });
  });

  it("has nothing to do where the pool is solvent and nobody waits", () => {
    expect(upkeep(orderly)).to.deep.equal([solvent, noBadDebt]);
  });

  it("resolves a pool below zero, by however little, and none at zero", () => {
    const resolve = { kind: "resolvePool", deficitWad: 1n } as const;
    expect(upkeep({ ...orderly, poolEquityWad: -1n })).to.deep.equal([resolve, noBadDebt]);
    expect(upkeep({ ...orderly, poolEquityWad: 0n })).to.deep.equal([solvent, noBadDebt]);
  });

  it("resolves no pool that is below zero by positions alone that wait for a price", () => {
    const waits = { kind: "skip", chore: "resolvePool", reason: "waits" } as const;
    const pool = (poolEquityWad: bigint, ...poolWithoutPrice: PoolPosition[]) =>
      upkeep({ ...orderly, poolEquityWad, poolWithoutPrice })[0];
    const long = { sizeWad: 5n, valueWad: -60n };
    const short = { sizeWad: -5n, valueWad: -40n };
    expect(pool(-60n, long)).to.deep.equal(waits);
    expect(pool(-61n, long)).to.deep.equal({ kind: "resolvePool", deficitWad: 1n });
    expect(pool(-100n, long, short)).to.deep.equal(waits);
    expect(pool(-101n, long, short)).to.deep.equal({ kind: "resolvePool", deficitWad: 1n });
    // A gain counts as it is, and so does a loss that is final.
    expect(pool(-60n, long, { sizeWad: 5n, valueWad: 20n })).to.deep.equal(waits);
    expect(pool(-60n, { ...long, sizeWad: 0n })).to.deep.equal({ kind: "resolvePool", deficitWad: 60n });
  });

  it("covers bad debt as far as insurance's cash and interest go", () => {
    const payable = (badDebt: string, change: Partial<UpkeepState> = {}) => {
      const [, decision] = upkeep({ ...orderly, badDebtWad: wad(badDebt), ...change });
      return decision?.kind === "cover" ? decision.payableWad : decision;
    };
    expect(payable("60")).to.equal(wad("60"));
    expect(payable("500")).to.equal(wad("105"));
    expect(payable("500", { insuranceCashWad: 0n })).to.equal(wad("5"));
    expect(payable("500", { interestUnsweptWad: 0n })).to.equal(wad("100"));
  });

  it("leaves bad debt where insurance has less than is worth a transaction, unless that is all of it", () => {
    const cover = (badDebtWad: bigint, insuranceCashWad: bigint) =>
      upkeep({ ...orderly, badDebtWad, insuranceCashWad, interestUnsweptWad: 0n })[1];
    expect(cover(wad("500"), 0n)).to.deep.equal(nothingToPayWith);
    expect(cover(wad("500"), wad("1") - 1n)).to.deep.equal(nothingToPayWith);
    expect(cover(wad("500"), wad("1"))).to.deep.equal({ kind: "cover", payableWad: wad("1") });
    expect(cover(3n, wad("1"))).to.deep.equal({ kind: "cover", payableWad: 3n });
    expect(cover(3n, 2n)).to.deep.equal(nothingToPayWith);
  });

  it("settles positions without size, and leaves those that have some", () => {
    const remainders = [
      { account: owner(0), market: 2, sizeWad: 0n },
      { account: owner(1), market: 2, sizeWad: -1n },
      { account: owner(1), market: 4, sizeWad: 0n },
    ];
    expect(upkeep({ ...orderly, remainders }).slice(2)).to.deep.equal([
      { kind: "settle", account: owner(0), market: 2 },
      { kind: "skip", chore: "settle", account: owner(1), market: 2, reason: "hasSize" },
      { kind: "settle", account: owner(1), market: 4 },
    ]);
  });

  it("settles 32 positions a turn at most, those with size not counted", () => {
    const remainders = Array.from({ length: 40 }, (_, at) => ({
      account: owner(at),
      market: 0,
      sizeWad: at < 3 ? 1n : 0n,
    }));
    const kinds = upkeep({ ...orderly, remainders })
      .slice(2)
      .map((each) => (each.kind === "skip" ? each.reason : each.kind));
    expect(kinds).to.deep.equal([
      ...Array<string>(3).fill("hasSize"),
      ...Array<string>(32).fill("settle"),
      ...Array<string>(5).fill("enoughThisTurn"),
    ]);
  });

  it("does the pool first, then bad debt, then settlements", () => {
    const state = {
      ...orderly,
      poolEquityWad: -1n,
      badDebtWad: wad("2"),
      remainders: [{ account: owner(0), market: 0, sizeWad: 0n }],
    };
    expect(upkeep(state).map(({ kind }) => kind)).to.deep.equal(["resolvePool", "cover", "settle"]);
  });
});
