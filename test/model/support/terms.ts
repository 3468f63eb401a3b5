import type { DeploymentParameters } from "../../../deployments/schema.js";
import { Rational, decimal, one, whole, zero } from "../rational.js";
import { type CashTerms, type CollateralTerms, type MarketTerms, type State, type VaultTerms } from "../state.js";

const secondsADay = whole(86_400);
/** Rates of funding are stored in whole 1e-24 a second. */
const ratePartsASecond = 10n ** 24n;

type MarketInput = DeploymentParameters["markets"][number];
type CollateralInput = DeploymentParameters["collaterals"][number];

function discountOf(terms: Pick<MarketInput, "discountBase" | "discountSlope" | "discountCap">) {
  return {
    base: decimal(terms.discountBase),
    slope: decimal(terms.discountSlope),
    cap: decimal(terms.discountCap),
  };
}

function marketTerms(market: MarketInput): MarketTerms {
  const perSecond = decimal(market.maxFundingRatePerDay).over(secondsADay);
  return {
    initialBase: decimal(market.initialBase),
    maintenanceBase: decimal(market.maintenanceBase),
    profitWeight: decimal(market.profitWeight),
    lambdaInitial: decimal(market.lambdaInitial),
    lambdaMaintenance: decimal(market.lambdaMaintenance),
    openInterestSlope: zero,
    maxFundingRate: new Rational(perSecond.floorTo(ratePartsASecond), ratePartsASecond),
    maxFundingVelocity: decimal(market.maxFundingVelocityPerDay2).over(secondsADay).over(secondsADay),
    maxFundingGap: BigInt(market.maxFundingGapSeconds),
    skewScale: decimal(market.skewScale),
    openInterestCap: decimal(market.openInterestCap),
    minimumSize: decimal(market.minimumSize),
    takerRate: decimal(market.takerRate),
    makerRate: decimal(market.makerRate),
    capitalShare: decimal(market.capitalShare),
    discount: discountOf(market),
  };
}

function collateralTerms(collateral: CollateralInput): CollateralTerms {
  return {
    initialWeight: decimal(collateral.weightInitial),
    maintenanceWeight: decimal(collateral.weightMaintenance),
    unit: 10n ** BigInt(collateral.decimals),
    depositCap: 2n ** 96n - 1n,
    concentrationStart: one,
    discount: discountOf(collateral),
  };
}

function vaultTerms(vault: DeploymentParameters["vault"]): VaultTerms {
  return {
    debtMargin: decimal(vault.debtMargin),
    targetHealth: decimal(vault.targetHealth),
    absorbHealth: decimal(vault.absorbHealth),
    absorbPenalty: decimal(vault.absorbPenalty),
    keeperShare: decimal(vault.forcedFeeShareKeeper),
    insuranceShare: decimal(vault.forcedFeeShareInsurance),
    insuranceFeeShare: decimal(vault.insuranceFeeShare),
    keeperFloor: decimal(vault.keeperFloor),
    minimumDebt: decimal(vault.minimumDebt),
    rewardFloor: decimal(vault.absorbRewardFloor),
    rewardPerHour: decimal(vault.absorbRewardPerHour),
    capitalMaxAge: BigInt(vault.capitalMaxAgeSeconds),
  };
}

/** Cash without interest, and without what suppliers or the pool bear for others. */
export const noInterest: CashTerms = {
  kink: decimal("0.8"),
  rateAtZero: zero,
  rateAtKink: zero,
  rateAtFull: zero,
  reserveFactor: zero,
  poolLossPerHour: zero,
  writeOffPerHour: zero,
};

const noBudget = () => ({ allowed: zero, spent: zero, since: 0n });

/** The books of a deployment with nothing in it, at its first prices. */
export function emptyState(parameters: DeploymentParameters, cashTerms: CashTerms, now: bigint): State {
  const maxAge = BigInt(parameters.vault.maxPriceAgeSeconds);
  const priceOf = (market: MarketInput) => ({
    value: decimal(market.firstPrice),
    tolerance: decimal(market.tolerance),
    publishedAt: now,
    maxAge,
  });
  return {
    now,
    vault: vaultTerms(parameters.vault),
    cashTerms,
    accounts: new Map(),
    markets: parameters.markets.map((market) => ({
      terms: marketTerms(market),
      price: priceOf(market),
      fundingRate: zero,
      touchedAt: now,
      fundingPaid: zero,
      fees: zero,
      delisting: undefined,
      isDelisted: false,
    })),
    collaterals: parameters.collaterals.map((collateral) => {
      const market = parameters.markets.find(({ symbol }) => symbol === collateral.asset);
      if (market === undefined) throw new TypeError(`${collateral.symbol} has no market`);
      return { terms: collateralTerms(collateral), price: priceOf(market), stockSince: 0n };
    }),
    held: zero,
    interest: {
      supplyRate: zero,
      borrowRate: zero,
      setAt: now,
      grownTo: now,
      unswept: zero,
      supplyIndex: one,
      borrowIndex: one,
    },
    badDebt: zero,
    capital: { value: zero, takenAt: now },
    rewards: noBudget(),
    poolLoss: noBudget(),
    writeOff: noBudget(),
  };
}
