import { readFileSync } from "node:fs";

import { expect } from "chai";
import fc from "fast-check";

import { formatDecimal, parseDecimal } from "../../sdk/units/index.js";
import { UnlistablePriceError, deploymentParameters, parametersFile } from "../../simulator/parameters.js";
import { parsePrices, readPrices } from "../../simulator/prices.js";
import { defaultScenario, scenarioFile } from "../../simulator/scenarios/index.js";

function parametersOf(prices: Record<string, string>) {
  const header = `timestamp_iso,${Object.keys(prices).join(",")}`;
  const row = `2020-03-12T00:00:00Z,${Object.values(prices).join(",")}`;
  return deploymentParameters(parsePrices(`${header}\n${row}\n`, "prices.csv"));
}

describe("simulator/parameters", () => {
  const [btc, link] = parametersOf({ BTC: "8000", LINK: "4" }).markets;

  it("lists BTC with its margins, and its sizes at the first price", () => {
    expect(btc).to.deep.equal({
      symbol: "BTC",
      firstPrice: "8000",
      initialBase: "0.05",
      maintenanceBase: "0.03",
      tolerance: "0.001",
      openInterestCap: "5000",
      skewScale: "166666.666666667",
      minimumSize: "0.00125",
      takerRate: "0.0005",
      makerRate: "0.0002",
      lambdaInitial: "1.5",
      lambdaMaintenance: "1",
      profitWeight: "0.5",
      discountBase: "0.01",
      discountSlope: "0.1",
      discountCap: "0.05",
      capitalShare: "0.5",
      openInterestSlope: "0",
      maxFundingVelocityPerDay2: "3",
      maxFundingRatePerDay: "0.005",
      maxFundingGapSeconds: "86400",
    });
  });

  it("lists any other asset with wider margins", () => {
    expect(link).to.deep.equal({
      ...btc,
      symbol: "LINK",
      firstPrice: "4",
      initialBase: "0.1",
      maintenanceBase: "0.06",
      tolerance: "0.002",
      openInterestCap: "10000000",
      skewScale: "166666666.666666667",
      minimumSize: "2.5",
    });
  });

  it("treats ETH as BTC", () => {
    const [eth] = parametersOf({ ETH: "8000" }).markets;
    expect(eth).to.deep.equal({ ...btc, symbol: "ETH" });
  });

  it("takes ETH and BTC as collateral where the file has them", () => {
    const weights = { weightInitial: "0.85", weightMaintenance: "0.9" };
    const concentrationStart = "1";
    const terms = { ...weights, concentrationStart, discountBase: "0.01", discountSlope: "0.1", discountCap: "0.05" };
    const weth = { symbol: "WETH", asset: "ETH", decimals: "18", ...terms };
    const wbtc = { symbol: "WBTC", asset: "BTC", decimals: "8", ...terms };
    expect(parametersOf({ BTC: "1", LINK: "1", ETH: "1" }).collaterals).to.deep.equal([weth, wbtc]);
    expect(parametersOf({ ETH: "1" }).collaterals).to.deep.equal([weth]);
    expect(parametersOf({ BTC: "1" }).collaterals).to.deep.equal([wbtc]);
    expect(parametersOf({ LINK: "1" }).collaterals).to.deep.equal([]);
  });

  it("has cash turn dear at 80% of use, and losses bounded by the hour", () => {
    expect(parametersOf({ LINK: "1" }).cash).to.deep.equal({
      kink: "0.8",
      rateAtZero: "0.01",
      rateAtKink: "0.08",
      rateAtFull: "0.8",
      reserveFactor: "0.1",
      poolLossPerHour: "0.1",
      writeOffPerHour: "0.2",
    });
  });

  it("has the vault's own parameters, with a price age from the rows", () => {
    expect(deploymentParameters(readPrices(scenarioFile(defaultScenario))).vault).to.deep.equal({
      debtMargin: "0.05",
      targetHealth: "1.1",
      keeperFloor: "2",
      absorbHealth: "0.5",
      absorbPenalty: "0.01",
      forcedFeeShareKeeper: "0.4",
      forcedFeeSharePool: "0.4",
      forcedFeeShareInsurance: "0.2",
      insuranceFeeShare: "0.1",
      minimumDebt: "10",
      absorbRewardFloor: "2",
      absorbRewardPerHour: "100",
      poolLockSeconds: "86400",
      capitalMaxAgeSeconds: "3600",
      maxPriceAgeSeconds: "7200",
      insuranceSeed: "100000",
    });
    expect(parametersOf({ BTC: "1" }).vault.maxPriceAgeSeconds).to.equal("3600");
  });

  it("rounds sizes to 1e-9 so that a market can be listed at every price that fits", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 12n * 10n ** 11n, max: 10n ** 27n }),
        fc.constantFrom("BTC", "LINK"),
        (priceWad, symbol) => {
          const [market] = parametersOf({ [symbol]: formatDecimal(priceWad, 18) }).markets;
          if (market === undefined) throw new Error("no market");
          const cap = parseDecimal(market.openInterestCap, 9);
          const scale = parseDecimal(market.skewScale, 9);
          const least = parseDecimal(market.minimumSize, 9);
          const maintenance = parseDecimal(market.maintenanceBase, 6);
          const scaledNotional = (notional: bigint) => notional * 10n ** 27n;
          expect(cap * priceWad <= scaledNotional(40_000_000n), "cap is rounded down").to.equal(true);
          expect((cap + 1n) * priceWad > scaledNotional(40_000_000n), "cap by less than a step").to.equal(true);
          expect(cap * 10n ** 6n <= maintenance * scale, "scale is rounded up").to.equal(true);
          expect(cap * 10n ** 6n > maintenance * (scale - 1n), "scale by less than a step").to.equal(true);
          expect(least * priceWad >= scaledNotional(10n), "least size is rounded up").to.equal(true);
          expect((least - 1n) * priceWad < scaledNotional(10n), "least size by less than a step").to.equal(true);
        },
      ),
    );
  });

  it("is what deployments/localhost/parameters.json holds for the default scenario", () => {
    const committed = readFileSync(new URL("../../deployments/localhost/parameters.json", import.meta.url), "utf8");
    expect(committed).to.equal(parametersFile(deploymentParameters(readPrices(scenarioFile(defaultScenario)))));
  });

  it("refuses an asset too cheap for the vault's words, and takes the cheapest that fits", () => {
    expect(() => parametersOf({ PEPE: "0.00000055" })).to.throw(UnlistablePriceError, /quote a larger unit/);
    expect(parametersOf({ PEPE: "0.00000056" }).markets[0]?.skewScale).to.match(/^1190476190476190/);
  });
});
