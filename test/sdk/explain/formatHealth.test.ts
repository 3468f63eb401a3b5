import { expect } from "chai";
import fc from "fast-check";

import { formatHealth } from "../../../sdk/explain/formatHealth.js";
import { type HealthExplanation, type HealthItem, sumOf } from "../../../sdk/explain/health.js";
import { explainHealth } from "../../../sdk/explain/health.js";
import { wad } from "../../helpers/world.js";
import { drawnAccount, drawnDeployment, drawnParts, stateOf } from "./drawnState.js";

const none = sumOf([]);
const equity = (text: string) => ({
  ...none,
  equityMaintenanceWad: wad(text),
  equityInitialWad: wad(text),
  netCashWad: wad(text),
});
const required = (maintenance: string, initial: string) => ({
  ...none,
  requirementMaintenanceWad: wad(maintenance),
  requirementInitialWad: wad(initial),
});

/** Short 10 ETH at 200, sold at 210, against 2.5 WETH and 1,000 of debt. */
const items: readonly HealthItem[] = [
  { kind: "cash", cashWad: wad("-1000"), accruedAt: 1_584_000_000n, ...equity("-1000") },
  { kind: "interest", interestWad: wad("-0.125"), accruedAt: 1_584_000_000n, ...equity("-0.125") },
  {
    kind: "collateral",
    index: 0,
    token: drawnDeployment.collaterals[0]!.address,
    amount: wad("25"),
    decimals: 18,
    priceWad: wad("200"),
    isFresh: true,
    valueWad: wad("5000"),
    maintenanceWeightWad: wad("0.9"),
    initialWeightWad: wad("0.4"),
    concentrationWad: wad("0.5"),
    ...none,
    equityMaintenanceWad: wad("4500"),
    equityInitialWad: wad("2000"),
  },
  {
    kind: "profit",
    market: 0,
    sizeWad: wad("-10"),
    priceWad: wad("200"),
    profitWad: wad("100"),
    costWad: wad("-2100"),
    ...equity("100"),
  },
  {
    kind: "funding",
    market: 0,
    sizeWad: wad("-10"),
    priceWad: wad("200"),
    fundingWad: wad("1"),
    touchedAt: 1_584_003_600n,
    ...equity("1"),
  },
  {
    kind: "uncountedGain",
    market: 0,
    sizeWad: wad("-10"),
    priceWad: wad("200"),
    gainWad: wad("101"),
    profitWeightWad: wad("0.5"),
    ...none,
    equityInitialWad: wad("-50.5"),
  },
  {
    kind: "positionMargin",
    market: 0,
    sizeWad: wad("-10"),
    priceWad: wad("200"),
    notionalWad: wad("2000"),
    maintenanceRatioWad: wad("0.05"),
    initialRatioWad: wad("0.1"),
    isFresh: true,
    ...required("100", "200"),
  },
  { kind: "debtMargin", debtWad: wad("899.125"), debtMarginWad: wad("0.08"), ...required("71.93", "71.93") },
  { kind: "keeperFloor", ...required("10", "10") },
];

const explanation: HealthExplanation = {
  account: drawnAccount,
  timestamp: 1_584_007_200n,
  items,
  health: { ...sumOf(items), healthWad: wad("19.78"), pricesFresh: true },
};

describe("sdk/explain: health for people", () => {
  it("lists what equity is made of, what is required and what is free", () => {
    expect(formatHealth(explanation, drawnDeployment)).to.deep.equal([
      `${drawnAccount} at 2020-03-12 10:00:00 UTC: health 19.7800`,
      "                                                                             maintenance    initial",
      "  debt as of 2020-03-12 08:00:00 UTC                                           -1,000.00  -1,000.00",
      "  interest since 2020-03-12 08:00:00 UTC                                           -0.13      -0.13",
      "  25 WETH at 200.00, counting 90.00% and initially 40.00% for concentration     4,500.00   2,000.00",
      "  short 10 ETH at 200.00: profit or loss                                          100.00     100.00",
      "  short 10 ETH: funding since 2020-03-12 09:00:00 UTC                               1.00       1.00",
      "  short 10 ETH: of gains 50.00% count initially                                     0.00     -50.50",
      "equity                                                                          3,600.88   1,050.38",
      "  short 10 ETH: 5.00% and initially 10.00% of 2,000.00                            100.00     200.00",
      "  8.00% of 899.13 owed, were everything settled                                    71.93      71.93",
      "  what pays a keeper                                                               10.00      10.00",
      "required                                                                          181.93     281.93",
      "free                                                                            3,418.95     768.45",
    ]);
  });

  it("says where an account stands", () => {
    const first = (changes: Partial<HealthExplanation["health"]>) =>
      formatHealth({ ...explanation, health: { ...explanation.health, ...changes } }, drawnDeployment)[0];
    expect(first({})).to.match(/: health 19\.7800$/);
    expect(first({ equityInitialWad: 0n })).to.match(/: health 19\.7800, below initial margin$/);
    expect(first({ equityMaintenanceWad: 0n, healthWad: 0n })).to.match(/: health 0\.0000, liquidatable$/);
    expect(first({ requirementMaintenanceWad: 0n })).to.match(/: nothing is required$/);
  });

  it("has a line for every item, whatever the state", () => {
    fc.assert(
      fc.property(drawnParts, (parts) => {
        const { state, account } = stateOf(parts);
        const explained = explainHealth(state, account);
        const lines = formatHealth(explained, drawnDeployment, { places: 18 });
        expect(lines.length).to.equal(explained.items.length + 5);
        for (const line of lines) expect(line).not.to.match(/undefined|NaN|null/);
      }),
      { numRuns: 200, seed: 1 },
    );
  });
});
