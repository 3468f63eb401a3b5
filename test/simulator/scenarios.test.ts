import { expect } from "chai";

import { deploymentParameters } from "../../simulator/parameters.js";
import { readPrices } from "../../simulator/prices.js";
import {
  UnknownScenarioError,
  defaultScenario,
  scenarioFile,
  scenarioNames,
  scenarioStress,
} from "../../simulator/scenarios/index.js";

describe("simulator/scenarios", () => {
  for (const name of scenarioNames) {
    it(`has a price file that can be read for ${name}`, () => {
      expect(readPrices(scenarioFile(name)).rows).to.not.be.empty;
    });
  }

  it("has four whole days of hourly prices around 12 March 2020 as its default", () => {
    const { assets, rows } = readPrices(scenarioFile(defaultScenario));
    expect(assets).to.deep.equal(["BTC", "ETH", "LINK", "BNB", "XRP", "LTC", "ADA", "TRX"]);
    expect(rows).to.have.length(96);
    expect(rows[0].time).to.equal("2020-03-11T00:00:00Z");
    expect(rows.every((row, index) => row.atSeconds === rows[0].atSeconds + 3_600 * index)).to.equal(true);
  });

  it("has ETH lose 44.6% on that day", () => {
    const { rows } = readPrices(scenarioFile(defaultScenario));
    const closeAt = (time: string) => Number(rows.find((row) => row.time === time)?.prices.get("ETH")?.decimal);
    expect(1 - closeAt("2020-03-12T23:00:00Z") / closeAt("2020-03-11T23:00:00Z")).to.be.within(
      0.446 - 0.0005,
      0.446 + 0.0005,
    );
  });

  it("has 60% of every price go in one step of the gap", () => {
    const { rows } = readPrices(scenarioFile("gap"));
    const gaps = rows.slice(1).map((row, at) =>
      [...row.prices].map(([asset, { wad }]) => {
        const before = rows[at]?.prices.get(asset)?.wad ?? 0n;
        return Number(((before - wad) * 1000n) / before) / 10;
      }),
    );
    expect(gaps.filter((each) => each.every((percent) => percent === 60))).to.have.length(1);
    expect(Math.max(...gaps.flat().filter((percent) => percent !== 60))).to.be.below(10);
  });

  it("has little insurance, a small pool and much leverage in the gap, and the defaults elsewhere", () => {
    const defaults = deploymentParameters(readPrices(scenarioFile("gap")));
    const { poolPercent, leverageFactor, change } = scenarioStress("gap")!;
    expect(Number(change(defaults).vault.insuranceSeed)).to.be.below(Number(defaults.vault.insuranceSeed));
    expect([poolPercent < 200n, leverageFactor > 1]).to.deep.equal([true, true]);
    expect(scenarioStress(defaultScenario)).to.equal(undefined);
    expect(scenarioStress("no such")).to.equal(undefined);
  });

  it("refuses a name that it does not know and lists those it does", () => {
    for (const name of ["2020-03-13", "toString", ""]) {
      expect(() => scenarioFile(name))
        .to.throw(UnknownScenarioError, "2020-03-12")
        .with.property("scenario", name);
    }
  });
});
