import type { State } from "../state.js";
import { emptyState } from "./terms.js";

const market = {
  symbol: "X",
  firstPrice: "100",
  initialBase: "0.05",
  maintenanceBase: "0.03",
  tolerance: "0",
  openInterestCap: "1000000",
  skewScale: "1000000",
  minimumSize: "0.001",
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
  maxFundingVelocityPerDay2: "0",
  maxFundingRatePerDay: "0.005",
  maxFundingGapSeconds: "86400",
};

/** Two like markets without funding, a collateral of the first, and interest: what an example changes stands in the example. */
export function plainState(changes: Partial<typeof market> & { readonly price?: string }): State {
  const { price = "100", ...terms } = changes;
  const changed = { ...market, ...terms, firstPrice: price };
  return emptyState(
    {
      markets: [changed, { ...changed, symbol: "Y" }],
      settlementToken: { symbol: "USDC", decimals: "6" },
      collaterals: [
        {
          symbol: "TOKEN",
          asset: "X",
          decimals: "18",
          weightInitial: "0.85",
          weightMaintenance: "0.9",
          concentrationStart: "1",
          discountBase: "0.01",
          discountSlope: "0.1",
          discountCap: "0.05",
        },
      ],
      cash: {
        kink: "0.8",
        rateAtZero: "0.01",
        rateAtKink: "0.08",
        rateAtFull: "0.8",
        reserveFactor: "0.1",
        poolLossPerHour: "1",
        writeOffPerHour: "0",
      },
      vault: {
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
        poolLockSeconds: "600",
        capitalMaxAgeSeconds: "3600",
        maxPriceAgeSeconds: "3600",
        insuranceSeed: "0",
      },
      power: { riskDelaySeconds: "0", adminDelaySeconds: "0" },
    },
    1_000_000n,
  );
}
