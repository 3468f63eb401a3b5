import { formatDecimal, mulDivDown, mulDivUp, parseDecimal } from "../sdk/units/index.js";
import { DeploymentParameters } from "../deployments/schema.js";
import { type Price, type PriceFile, maximumPriceAgeSeconds } from "./prices.js";

interface AssetParameters {
  readonly initialBase: string;
  readonly maintenanceBase: string;
  readonly tolerance: string;
}

const majorAsset: AssetParameters = { initialBase: "0.05", maintenanceBase: "0.03", tolerance: "0.001" };
const otherAsset: AssetParameters = { initialBase: "0.1", maintenanceBase: "0.06", tolerance: "0.002" };
const majorAssets = new Set(["BTC", "ETH"]);

/** Of positions and of collateral under liquidation alike. */
const discount = { discountBase: "0.01", discountSlope: "0.1", discountCap: "0.05" };

const everyMarket = {
  takerRate: "0.0005",
  makerRate: "0.0002",
  lambdaInitial: "1.5",
  lambdaMaintenance: "1",
  profitWeight: "0.5",
  ...discount,
  capitalShare: "0.5",
  openInterestSlope: "0",
  maxFundingVelocityPerDay2: "3",
  maxFundingRatePerDay: "0.005",
  maxFundingGapSeconds: "86400",
};

const settlementToken = { symbol: "USDC", decimals: "6" };

const everyCollateral = {
  weightInitial: "0.85",
  weightMaintenance: "0.9",
  concentrationStart: "1",
  ...discount,
};
const collaterals = [
  { symbol: "WETH", asset: "ETH", decimals: "18", ...everyCollateral },
  { symbol: "WBTC", asset: "BTC", decimals: "8", ...everyCollateral },
];

const cash = {
  kink: "0.8",
  rateAtZero: "0.01",
  rateAtKink: "0.08",
  rateAtFull: "0.8",
  reserveFactor: "0.1",
  poolLossPerHour: "0.1",
  writeOffPerHour: "0.2",
};

const vault = {
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
  insuranceSeed: "100000",
};

/** The deployer holds every role and waits for nothing: the chain is local and lasts for one run. */
const power = { riskDelaySeconds: "0", adminDelaySeconds: "0" };

const openInterestCapNotional = "40000000";
const minimumNotional = "10";

const wadDecimals = 18;
const sizeDecimals = 9;
const ratioDecimals = 6;
/** What the vault's words hold of a size, in 1e-9 base units. */
const largestSizeUnits = 2n ** 80n - 1n;

/** An asset so cheap that its market's size does not fit the field that the vault has for it. */
export class UnlistablePriceError extends Error {
  override readonly name = "UnlistablePriceError";
  readonly symbol: string;
  readonly price: string;

  constructor(symbol: string, price: string) {
    super(`${symbol} at ${price} is too cheap to be listed: quote a larger unit of it (1000${symbol}, say)`);
    this.symbol = symbol;
    this.price = price;
  }
}

/** The parameters of a deployment that lists the file's assets at its first prices. Throws UnlistablePriceError. */
export function deploymentParameters({ assets, rows }: Pick<PriceFile, "assets" | "rows">): DeploymentParameters {
  return DeploymentParameters.parse({
    markets: [...rows[0].prices].map(([symbol, price]) => marketParameters(symbol, price)),
    settlementToken,
    collaterals: collaterals.filter(({ asset }) => assets.includes(asset)),
    cash,
    vault: { ...vault, maxPriceAgeSeconds: String(maximumPriceAgeSeconds(rows)) },
    power,
  });
}

/** As `parameters.json` holds them. */
export function parametersFile(parameters: DeploymentParameters): string {
  return `${JSON.stringify(parameters, null, 2)}\n`;
}

function marketParameters(symbol: string, firstPrice: Price) {
  const asset = majorAssets.has(symbol) ? majorAsset : otherAsset;
  const minimumSize = mulDivUp(sizeUnits(minimumNotional), 10n ** 18n, firstPrice.wad);
  // Rounded so that the cap stays within maintenanceBase * skewScale, the condition for a market to be listed.
  const openInterestCap = mulDivDown(sizeUnits(openInterestCapNotional), 10n ** 18n, firstPrice.wad);
  const skewScale = mulDivUp(openInterestCap, 10n ** 6n, parseDecimal(asset.maintenanceBase, ratioDecimals));
  if (skewScale > largestSizeUnits) throw new UnlistablePriceError(symbol, firstPrice.decimal);
  return {
    symbol,
    firstPrice: formatDecimal(firstPrice.wad, wadDecimals),
    ...asset,
    openInterestCap: formatDecimal(openInterestCap, sizeDecimals),
    skewScale: formatDecimal(skewScale, sizeDecimals),
    minimumSize: formatDecimal(minimumSize, sizeDecimals),
    ...everyMarket,
  };
}

function sizeUnits(decimal: string): bigint {
  return parseDecimal(decimal, sizeDecimals);
}
