import { expect } from "chai";

import type { Figures } from "../../simulator/figures.js";
import { parsePrices } from "../../simulator/prices.js";
import {
  type StepReport,
  stepLines,
  stepMatters,
  summaryLines,
  tableLayout,
  wantsColors,
} from "../../simulator/report.js";

const [row] = parsePrices("timestamp_iso,BTC,ETH,LINK\n2020-03-12T10:00:00Z,6100.5,134.2,2.9\n", "prices.csv").rows;
const quiet: StepReport = {
  row,
  accountsAtRisk: 0,
  liquidations: 0,
  taken: 0,
  absorbed: 0,
  liquidatableLeft: 0,
  poolEquityWad: 10_123_456_999_999_999_999_999_999n,
  insuranceWad: 100_000n * 10n ** 18n,
};
const figures: Figures = {
  scenario: "2020-03-12",
  seed: 7,
  steps: 4_119,
  accounts: 1_200,
  markets: 8,
  opened: 480,
  refused: 3,
  liquidations: 41,
  absorbed: 9,
  liquidatableLeft: 0,
  badDebt: "12.75",
  insurance: "100250.5",
  poolEquity: "-1234567.9",
  userEquity: "31000000",
  takers: 0,
  taken: 0,
  takerEquity: "0",
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
  wallSeconds: 12.345,
};
const escape = "\u001b[";
const plain = tableLayout(["BTC", "ETH", "LINK"], false);
const colored = tableLayout(["BTC", "ETH", "LINK"], true);

describe("simulator/report", () => {
  describe("tableLayout", () => {
    it("shows ETH and BTC where the file has them, else its first assets", () => {
      expect(tableLayout(["LINK", "BTC", "ETH"], false).shown).to.deep.equal(["ETH", "BTC"]);
      expect(tableLayout(["LINK", "XRP", "BTC"], false).shown).to.deep.equal(["BTC", "LINK"]);
      expect(tableLayout(["LINK", "XRP", "ADA"], false).shown).to.deep.equal(["LINK", "XRP"]);
      expect(tableLayout(["LINK"], false).shown).to.deep.equal(["LINK"]);
    });
  });

  describe("wantsColors", () => {
    it("wants them on a terminal only, and not where NO_COLOR is set", () => {
      expect(wantsColors({ isTTY: true }, {})).to.equal(true);
      expect(wantsColors({}, {})).to.equal(false);
      expect(wantsColors({ isTTY: true }, { NO_COLOR: "1" })).to.equal(false);
    });
  });

  describe("stepMatters", () => {
    it("is true of the first and the last step", () => {
      expect(stepMatters(quiet, undefined, false)).to.equal(true);
      expect(stepMatters(quiet, quiet, true)).to.equal(true);
    });

    it("is true where anyone is liquidated, absorbed or left over", () => {
      expect(stepMatters({ ...quiet, liquidations: 1 }, quiet, false)).to.equal(true);
      expect(stepMatters({ ...quiet, absorbed: 1 }, quiet, false)).to.equal(true);
      expect(stepMatters({ ...quiet, liquidatableLeft: 1 }, quiet, false)).to.equal(true);
    });

    it("is true of the first account at risk and false of a step without news", () => {
      const atRisk = { ...quiet, accountsAtRisk: 3 };
      expect(stepMatters(atRisk, quiet, false)).to.equal(true);
      expect(stepMatters(atRisk, atRisk, false)).to.equal(false);
      expect(stepMatters(quiet, quiet, false)).to.equal(false);
    });
  });

  describe("stepLines", () => {
    const busy = { ...quiet, accountsAtRisk: 1_234, liquidations: 5, absorbed: 2, poolEquityWad: -5n * 10n ** 21n };

    it("aligns a row under its header", () => {
      expect(stepLines(busy, 0, plain)).to.deep.equal([
        "             UTC           ETH           BTC   at risk  liquidations  absorbed   left      pool equity     insurance",
        "2020-03-12 10:00         134.2        6100.5     1,234             5         2      0           -5,000       100,000",
      ]);
    });

    it("has a column of what was taken where there are takers", () => {
      const [header, row] = stepLines({ ...busy, taken: 3 }, 0, tableLayout(["BTC", "ETH"], false, 1));
      expect(header).to.match(/ liquidations  taken  absorbed /);
      expect(row).to.match(/ 5      3         2 /);
    });

    it("cuts money to whole tokens", () => {
      expect(stepLines(quiet, 1, plain)[0]).to.include(" 10,123,456 ");
    });

    it("repeats the header every 24 rows", () => {
      const withHeader = Array.from({ length: 49 }, (_, printed) => printed).filter(
        (printed) => stepLines(quiet, printed, plain).length === 2,
      );
      expect(withHeader).to.deep.equal([0, 24, 48]);
    });

    it("has no colour unless asked for, and then one for what happened", () => {
      expect(stepLines(busy, 0, plain).join()).to.not.include(escape);
      const colorOf = (step: StepReport) => stepLines(step, 1, colored)[0]?.startsWith(escape) === true;
      expect(stepLines(quiet, 1, colored)).to.deep.equal(stepLines(quiet, 1, plain));
      expect(colorOf({ ...quiet, liquidations: 1 })).to.equal(true);
      expect(colorOf({ ...quiet, absorbed: 1 })).to.equal(true);
      expect(colorOf({ ...quiet, liquidatableLeft: 1 })).to.equal(true);
    });
  });

  describe("summaryLines", () => {
    it("names every figure", () => {
      expect(summaryLines(figures, false)).to.deep.equal([
        "",
        "scenario              2020-03-12, seed 7, 4,119 steps",
        "accounts              1,200 in 8 markets",
        "positions opened      480 (3 refused)",
        "liquidations          41",
        "absorbed accounts     9",
        "liquidatable left     0",
        "bad debt              12",
        "insurance             100,250",
        "pool equity           -1,234,567",
        "user equity           31,000,000",
        "custody               holds",
        "zero sum              holds",
        "wall time             12.3 s",
        "",
        "the waterfall",
        "1 liquidated in part  41 positions",
        "2 absorbed, way A     6 accounts, of which the pool took what it could bear",
        "2 absorbed, way B     3 accounts, closed against the other sides",
        "3 insurance paid      12",
        "4 the pool paid       3",
        "5 deleveraged         1,200 positions",
        "6 suppliers bore      2,500",
        "6 bad debt booked     0",
        "",
        "the books hold and nobody liquidatable was left",
      ]);
    });

    it("names what the takers did, where there are any", () => {
      const lines = summaryLines({ ...figures, takers: 3, taken: 1_031, takerEquity: "477308.61" }, false);
      expect(lines.slice(10, 13)).to.deep.equal([
        "user equity           31,000,000",
        "takers                3, who took 1,031 of the liquidations",
        "taker equity          477,308",
      ]);
    });

    it("tells what a bank run left unpaid, and says so where that is more than was booked", () => {
      const bankRun = { left: 1_150, refused: 4, withdrawn: "30000000.5", unpaid: "61.25", booked: "61.25" };
      const lines = summaryLines({ ...figures, bankRun }, false);
      expect(lines.slice(11, 13)).to.deep.equal([
        "bank run              1,150 of 1,200 owners left; 30,000,000 taken out",
        "unpaid after it       61, of which booked as bad debt or owed: 61",
      ]);
      expect(lines.at(-1)).to.equal("the books hold and nobody liquidatable was left");
      const beyond = { ...figures, bankRun: { ...bankRun, booked: "61.2" } };
      expect(summaryLines(beyond, false).at(-1)).to.equal("FAILED: more is unpaid than was booked");
    });

    it("says so where the books do not hold or somebody was left", () => {
      for (const broken of [{ custodyOk: false }, { zeroSumOk: false }, { liquidatableLeft: 1 }]) {
        expect(summaryLines({ ...figures, ...broken }, false).at(-1)).to.match(/^FAILED: /);
      }
      expect(summaryLines({ ...figures, custodyOk: false }, false).join("\n")).to.match(/custody +BROKEN/);
      expect(summaryLines({ ...figures, zeroSumOk: false }, false).join("\n")).to.match(/zero sum +BROKEN/);
    });

    it("colours the verdict and the waterfall's title, and only if asked to", () => {
      expect(summaryLines(figures, false).join()).to.not.include(escape);
      expect(summaryLines(figures, true).filter((line) => line.includes(escape))).to.have.length(2);
    });
  });
});
