import { expect } from "chai";

import { type Figures, exitCode, figuresLine } from "../../simulator/figures.js";

const figures: Figures = {
  scenario: "2020-03-12",
  seed: 1,
  steps: 96,
  accounts: 200,
  markets: 8,
  opened: 480,
  refused: 3,
  liquidations: 41,
  absorbed: 9,
  liquidatableLeft: 0,
  badDebt: "0",
  insurance: "100250.5",
  poolEquity: "-12.000000000000000001",
  userEquity: "31000000",
  takers: 2,
  taken: 7,
  takerEquity: "200000.25",
  waterfall: {
    liquidated: 41,
    absorbedA: 6,
    absorbedB: 3,
    insurancePaid: "12.75",
    poolPaid: "3.5",
    deleveraged: 1200,
    writtenOff: "2500.01",
    badDebtBooked: "0",
  },
  custodyOk: true,
  zeroSumOk: true,
  wallSeconds: 12.5,
};

describe("simulator/figures", () => {
  it("writes one line of JSON in a fixed order", () => {
    const shuffled = Object.fromEntries(Object.entries(figures).reverse()) as Figures;
    expect(figuresLine(shuffled)).to.equal(
      '{"scenario":"2020-03-12","seed":1,"steps":96,"accounts":200,"markets":8,"opened":480,"refused":3,' +
        '"liquidations":41,"absorbed":9,"liquidatableLeft":0,"badDebt":"0","insurance":"100250.5",' +
        '"poolEquity":"-12.000000000000000001","userEquity":"31000000","takers":2,"taken":7,"takerEquity":"200000.25",' +
        '"waterfall":{"liquidated":41,"absorbedA":6,"absorbedB":3,"insurancePaid":"12.75","poolPaid":"3.5",' +
        '"deleveraged":1200,"writtenOff":"2500.01","badDebtBooked":"0"},' +
        '"custodyOk":true,"zeroSumOk":true,"wallSeconds":12.5}',
    );
  });

  it("refuses a figure it does not know, one that is missing, a broken count and money as a float", () => {
    const { seed: _, ...withoutSeed } = figures;
    const wrong: object[] = [
      { ...figures, extra: 1 },
      withoutSeed,
      { ...figures, liquidations: -1 },
      { ...figures, absorbed: 0.5 },
      { ...figures, insurance: "1e5" },
      { ...figures, insurance: 100_250.5 },
      { ...figures, waterfall: { ...figures.waterfall, poolPaid: "-1" } },
    ];
    for (const each of wrong) expect(() => figuresLine(each as Figures)).to.throw();
  });

  it("exits with 0 only where the books hold and nobody liquidatable was left", () => {
    expect(exitCode(figures)).to.equal(0);
    expect(exitCode({ ...figures, custodyOk: false })).to.equal(1);
    expect(exitCode({ ...figures, zeroSumOk: false })).to.equal(1);
    expect(exitCode({ ...figures, liquidatableLeft: 1 })).to.equal(1);
  });

  it("exits with 1 where more is unpaid after a bank run than was booked", () => {
    const run = { left: 200, refused: 0, withdrawn: "1000", unpaid: "30", booked: "30" };
    expect(exitCode({ ...figures, bankRun: run })).to.equal(0);
    expect(exitCode({ ...figures, bankRun: { ...run, unpaid: "30.000000000000000001" } })).to.equal(1);
  });

  it("exits with 1 where owners gained by liquidating themselves, over all rounds or in one", () => {
    const rounds = { selfRounds: 2, ownersBefore: "100", ownersAfter: "99", ownersLargestGain: "-0.3" };
    expect(exitCode({ ...figures, ...rounds })).to.equal(0);
    expect(exitCode({ ...figures, ...rounds, ownersAfter: "100", ownersLargestGain: "0" })).to.equal(0);
    expect(exitCode({ ...figures, ...rounds, ownersAfter: "100.000000000000000001" })).to.equal(1);
    expect(exitCode({ ...figures, ...rounds, ownersLargestGain: "0.000000000001" })).to.equal(0); // what rounding leaves
    expect(exitCode({ ...figures, ...rounds, ownersLargestGain: "0.00000000001" })).to.equal(1);
  });
});
