import { getAddress, isAddress } from "ethers";
// The small zod, which a page can afford; it has no words of its own for what is wrong.
import * as z from "zod/mini";

import { BallastError } from "./errors.js";

const address = z.pipe(
  z.string().check(z.refine((text) => isAddress(text), "must be an address")),
  z.transform((text) => getAddress(text)),
);
const symbol = z.string().check(z.minLength(1));
const decimals = z.int().check(z.minimum(0), z.maximum(18));
/** Where the oracle finds the price; absent where it is pushed. */
const feed = z.optional(z.enum(["chainlink", "pyth"]));

/** Markets that a vault can list; the assets of collaterals begin behind them. */
export const maximumMarkets = 96;

/** Where a deployment stands: what the deploy script writes to deployments/<net>/addresses.json. */
export const Deployment = z.strictObject({
  chainId: z.int().check(z.positive()),
  /** The block before the first event of the deployment. */
  fromBlock: z.int().check(z.minimum(0)),
  manager: address,
  oracle: address,
  vault: address,
  pool: address,
  lens: address,
  settlementToken: z.strictObject({ symbol, address, decimals }),
  /** In the order of their indexes in the vault. */
  collaterals: z.array(z.strictObject({ symbol, asset: symbol, address, decimals, feed })).check(z.maxLength(32)),
  /** In the order of their ids in the vault. */
  markets: z.array(z.strictObject({ symbol, feed })).check(z.maxLength(maximumMarkets)),
});

export type Deployment = z.infer<typeof Deployment>;

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

/** What is wrong with a value where the schema does not say it. */
function wording(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `must be ${issue.expected}`;
    case "too_small":
      return `must be ${issue.inclusive === false ? "above" : "at least"} ${issue.minimum}${lengthOf(issue)}`;
    case "too_big":
      return `must be at most ${issue.maximum}${lengthOf(issue)}`;
    case "invalid_value":
      return `must be one of ${issue.values.join(", ")}`;
    case "unrecognized_keys":
      return `knows no ${issue.keys.join(", ")}`;
    default:
      return "is not usable";
  }
}

const lengthOf = ({ origin }: { readonly origin: string }) =>
  origin === "string" || origin === "array" ? " long" : "";

/** Parses the text of a deployment file, strictly. Throws DeploymentFileError. */
export function parseDeployment(text: string): Deployment {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new DeploymentFileError(["it is not JSON"], cause);
  }
  const parsed = z.safeParse(Deployment, json, { error: wording });
  if (!parsed.success) {
    const issues = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "(root)"}: ${message}`);
    throw new DeploymentFileError(issues, parsed.error);
  }
  return parsed.data;
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
