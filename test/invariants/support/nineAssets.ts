import type { DeploymentParameters } from "../../../deployments/schema.js";
import { WAD } from "../../../sdk/index.js";
import { changed, firstPrices, wad } from "../../helpers/world.js";

/** Open-interest cap of every market in quote units: thin, so that impact, caps and the pool's margin matter. */
const capNotional = 600_000n;

/** The market, and the collateral, whose price is read from an aggregator. */
export const feedSymbol = "LINK";
export const feedDecimals = 8;
/** Of a price (wad), what the aggregator's answers leave out. */
export const feedUnitWad = 10n ** BigInt(18 - feedDecimals);

type Parameters = DeploymentParameters;

/** Four markets and five collaterals, of 18 decimals to 2, one of them a token and one a feed that do as they like. */
export function nineAssets(parameters: Parameters, aggregator: string, hostile: string): Parameters {
  const [first] = parameters.collaterals;
  const link = parameters.markets.find(({ symbol }) => symbol === feedSymbol)!;
  const bnb = { ...link, symbol: "BNB", firstPrice: "20", minimumSize: "0.5" };
  const fed = {
    ...link,
    feed: { kind: "chainlink" as const, aggregator, minPrice: "0.001", maxPrice: "10000", maxAgeSeconds: "3600" },
  };
  const others = [
    { symbol: "WLINK", asset: feedSymbol, decimals: "6" },
    { symbol: "CENT", asset: "BNB", decimals: "2" },
    { symbol: "HEX", asset: "ETH", decimals: "12", address: hostile },
  ];
  return thinMarkets({
    ...parameters,
    markets: [...parameters.markets.map((market) => (market === link ? fed : market)), bnb],
    collaterals: [...parameters.collaterals, ...others.map((other) => ({ ...first!, ...other }))],
  });
}

function thinMarkets(parameters: Parameters): Parameters {
  const thin = parameters.markets.map((market): [string, { openInterestCap: string; skewScale: string }] => {
    const cap = capNotional / BigInt(market.firstPrice);
    const scale = (cap * WAD) / wad(market.maintenanceBase) + 1n; // the least that the cap allows
    return [market.symbol, { openInterestCap: String(cap), skewScale: String(scale) }];
  });
  return changed(parameters, {
    markets: Object.fromEntries(thin),
    vault: { poolLockSeconds: "600", insuranceSeed: "60" },
  });
}

export function firstPricesWad(): Map<string, bigint> {
  return new Map(Object.entries({ ...firstPrices, BNB: "20" }).map(([symbol, price]) => [symbol, wad(price)]));
}
