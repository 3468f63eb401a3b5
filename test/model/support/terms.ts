import type { DeploymentParameters } from "../../../deployments/schema.js";
import { Rational, decimal, one, whole, zero } from "../rational.js";
import type { CashTerms, CollateralTerms, MarketTerms, State, VaultTerms } from "../state.js";

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
    openInterestSlope: decimal(market.openInterestSlope),
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
    depositCap: capOf(collateral),
    concentrationStart: decimal(collateral.concentrationStart),
    discount: discountOf(collateral),
  };
}

/** Raw; without one, as much as the vault can count. */
function capOf({ depositCap, decimals }: CollateralInput): bigint {
  return depositCap === undefined ? 2n ** 96n - 1n : decimal(depositCap).floorTo(10n ** BigInt(decimals));
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

function cashTerms(cash: DeploymentParameters["cash"]): CashTerms {
  return {
    kink: decimal(cash.kink),
    rateAtZero: decimal(cash.rateAtZero),
    rateAtKink: decimal(cash.rateAtKink),
    rateAtFull: decimal(cash.rateAtFull),
    reserveFactor: decimal(cash.reserveFactor),
    poolLossPerHour: decimal(cash.poolLossPerHour),
    writeOffPerHour: decimal(cash.writeOffPerHour),
  };
}

const noBudget = () => ({ allowed: zero, spent: zero, since: 0n });

/** The books of a deployment with nothing in it, at its first prices. */
export function emptyState(parameters: DeploymentParameters, now: bigint): State {
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
    cashTerms: cashTerms(parameters.cash),
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
      const market = parameters.markets.findIndex(({ symbol }) => symbol === collateral.asset);
      const price = priceOf(parameters.markets[market]!);
      return { terms: collateralTerms(collateral), market, price, stockSince: 0n };
    }),
    held: whole(parameters.markets.length),
    reserve: whole(parameters.markets.length),
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
