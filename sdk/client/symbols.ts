import type { Deployment } from "../deployment.js";
import { UnknownSymbolError } from "../errors.js";

/** A token of a deployment. */
export interface ListedToken {
  readonly symbol: string;
  readonly address: string;
  readonly decimals: number;
}

/** Throws UnknownSymbolError. */
export function marketIdOf({ markets }: Deployment, symbol: string): number {
  const id = markets.findIndex((market) => market.symbol === symbol);
  if (id < 0) throw new UnknownSymbolError(symbol, symbolsOf(markets));
  return id;
}

/** Throws UnknownSymbolError. */
export function marketSymbolOf({ markets }: Deployment, id: number): string {
  const market = markets[id];
  if (market === undefined) throw new UnknownSymbolError(`market ${id}`, symbolsOf(markets));
  return market.symbol;
}

/** Its symbol; of a market that was listed after the deployment file was written "market" and its id. */
export function nameOfMarket({ markets }: Deployment, id: number): string {
  return markets[id]?.symbol ?? `market ${id}`;
}

/** The settlement token or a collateral. Throws UnknownSymbolError. */
export function tokenOf({ settlementToken, collaterals }: Deployment, symbol: string): ListedToken {
  const tokens = [settlementToken, ...collaterals];
  const token = tokens.find((each) => each.symbol === symbol);
  if (token === undefined) throw new UnknownSymbolError(symbol, symbolsOf(tokens));
  return token;
}

/** Throws UnknownSymbolError. */
export function collateralIndexOf({ collaterals }: Deployment, symbol: string): number {
  const index = collaterals.findIndex((collateral) => collateral.symbol === symbol);
  if (index < 0) throw new UnknownSymbolError(symbol, symbolsOf(collaterals));
  return index;
}

function symbolsOf(listed: readonly { readonly symbol: string }[]): string[] {
  return listed.map(({ symbol }) => symbol);
}
