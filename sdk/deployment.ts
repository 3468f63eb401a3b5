import { getAddress, isAddress } from "ethers";
import * as v from "valibot";

import { BallastError } from "./errors.js";

const address = v.pipe(
  v.string(),
  v.check((text) => isAddress(text), "must be an address"),
  v.transform((text) => getAddress(text)),
);
const symbol = v.pipe(v.string(), v.nonEmpty());
const wholeNumber = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const decimals = v.pipe(wholeNumber, v.maxValue(18));
/** Where the oracle finds the price; absent where it is pushed. */
const feed = v.exactOptional(v.picklist(["chainlink", "pyth"]));

/** Markets that a vault can list; the assets of collaterals begin behind them. */
export const maximumMarkets = 96;

/** Where a deployment stands: what the deploy script writes to deployments/<net>/addresses.json. */
export const Deployment = v.strictObject({
  chainId: v.pipe(wholeNumber, v.minValue(1)),
  /** The block before the first event of the deployment. */
  fromBlock: wholeNumber,
  manager: address,
  oracle: address,
  vault: address,
  pool: address,
  lens: address,
  settlementToken: v.strictObject({ symbol, address, decimals }),
  /** In the order of their indexes in the vault. */
  collaterals: v.pipe(v.array(v.strictObject({ symbol, asset: symbol, address, decimals, feed })), v.maxLength(32)),
  /** In the order of their ids in the vault. */
  markets: v.pipe(v.array(v.strictObject({ symbol, feed })), v.maxLength(maximumMarkets)),
});

export type Deployment = v.InferOutput<typeof Deployment>;

/** Thrown when a deployment file cannot be used; `issues` name the keys. */
export class DeploymentFileError extends BallastError {
  override readonly name = "DeploymentFileError";
  readonly issues: readonly string[];

  constructor(issues: readonly string[], cause?: unknown) {
    super(`the deployment file is not usable: ${issues.join("; ")}. Run the deploy script again to write it anew`, {
      cause,
    });
    this.issues = issues;
  }
}

/** Parses the text of a deployment file, strictly. Throws DeploymentFileError. */
export function parseDeployment(text: string): Deployment {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new DeploymentFileError(["it is not JSON"], cause);
  }
  const parsed = v.safeParse(Deployment, json);
  if (!parsed.success) {
    const issues = parsed.issues.map((issue) => `${v.getDotPath(issue) ?? "(root)"}: ${issue.message}`);
    throw new DeploymentFileError(issues, new v.ValiError(parsed.issues));
  }
  return parsed.output;
}

/** Number of the asset (a bit in an asset set) that prices a market. */
export function marketAsset(marketId: number): number {
  return marketId;
}

/** Number of the asset (a bit in an asset set) that prices a collateral. */
export function collateralAsset(collateralIndex: number): number {
  return maximumMarkets + collateralIndex;
}

/** Every asset number that has this symbol's price: its market, and the collaterals that it values. */
export function assetsOfSymbol({ markets, collaterals }: Deployment, priced: string): number[] {
  return [
    ...markets.flatMap((market, id) => (market.symbol === priced ? [marketAsset(id)] : [])),
    ...collaterals.flatMap(({ asset }, index) => (asset === priced ? [collateralAsset(index)] : [])),
  ];
}

/**
 * Prices (wad) by symbol as the push feed takes them: every asset that has one of the symbols, with its price. Assets whose price
 * the oracle reads from a source are left out: it refuses a pushed one.
 */
export function assetPrices(
  deployment: Deployment,
  pricesWad: Iterable<readonly [symbol: string, priceWad: bigint]>,
): { readonly assets: number[]; readonly pricesWad: bigint[] } {
  const pairs = [...pricesWad].flatMap(([priced, priceWad]) =>
    assetsOfSymbol(deployment, priced)
      .filter((asset) => feedOf(deployment, asset) === undefined)
      .map((asset) => ({ asset, priceWad })),
  );
  return { assets: pairs.map(({ asset }) => asset), pricesWad: pairs.map(({ priceWad }) => priceWad) };
}

function feedOf({ markets, collaterals }: Deployment, asset: number): "chainlink" | "pyth" | undefined {
  return asset < maximumMarkets ? markets[asset]?.feed : collaterals[asset - maximumMarkets]?.feed;
}
