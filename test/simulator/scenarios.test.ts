import { expect } from "chai";

import { readPrices } from "../../simulator/prices.js";
import { UnknownScenarioError, defaultScenario, scenarioFile, scenarioNames } from "../../simulator/scenarios/index.js";

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

  it("refuses a name that it does not know and lists those it does", () => {
    for (const name of ["2020-03-13", "toString", ""]) {
      expect(() => scenarioFile(name))
        .to.throw(UnknownScenarioError, "2020-03-12")
        .with.property("scenario", name);
    }
  });
});
