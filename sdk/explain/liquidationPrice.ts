import { type AccountId, normalizeAccount } from "../accounts.js";
import type { State } from "../client/state.js";
import { marketIdOf, marketSymbolOf } from "../client/symbols.js";
import { assetsOfSymbol } from "../deployment.js";
import { ContractError } from "../risk/ContractError.js";
import { contextOf } from "../risk/MarginVault.js";
import { WAD, abs, divUp, max, min } from "../risk/libraries/FixedPoint.js";
import * as Ledger from "../risk/libraries/Ledger.js";
import * as Margin from "../risk/libraries/Margin.js";
import * as Views from "../risk/libraries/Views.js";
import * as Account from "../risk/types/Account.js";
import * as AssetSet from "../risk/types/AssetSet.js";
import * as Price from "../risk/types/Price.js";
import * as VaultWords from "../risk/types/VaultWords.js";
import { type Reading, type Search, nearestTurn } from "./turn.js";

/**
 * Where an account turns liquidatable. An account that is not: `below` is the highest value under the present one at which it is, and at one
 * wei more it is not; `above` the lowest over it. An account that is: the nearest values at which it is not. Undefined: at none.
 */
export interface LiquidationTurn {
  readonly isLiquidatable: boolean;
  readonly below?: bigint;
  readonly above?: bigint;
}

/** In prices (wad). */
export interface LiquidationPrice extends LiquidationTurn {
  readonly presentWad: bigint;
}

export interface LiquidationPriceOptions {
  /** What moves: the market's price alone (the default), or with it, in proportion, those of all collaterals of its symbol. */
  readonly moving?: "market" | "symbol";
  /** Unix seconds; by default the state's. */
  readonly at?: bigint | number;
}

/**
 * At which prices of a market an account is liquidatable, everything else as it is: funding due at that price, tiers and floors included.
 * Throws UnknownSymbolError, NotATarget for the accounts of pool and insurance, which nobody liquidates, and NotReadError where the state was
 * read without the account; AccountIdError, TimeError.
 *
 * @param market its symbol, or its id where it was listed after the deployment file was written
 *
 * Where roundings have the margin cross zero hundreds of times on a few wei of value, one of these crossings.
 */
export function liquidationPrice(
  state: State,
  account: AccountId,
  market: string | number,
  { moving = "market", at }: LiquidationPriceOptions = {},
): LiquidationPrice {
  const { deployment } = state;
  const id = typeof market === "string" ? marketIdOf(deployment, market) : market;
  if (typeof market === "number" && id >= state.storage.marketCount) marketSymbolOf(deployment, id); // throws
  const asset = AssetSet.marketAsset(id);
  const presentWad = valueIn(state, asset);
  const symbol = deployment.markets[id]?.symbol;
  const assets = moving === "market" || symbol === undefined ? [asset] : assetsOfSymbol(deployment, symbol);
  // What moves along has its own end.
  const highest = assets.map((each) => (Price.MAX_PRICE_WAD * presentWad) / max(valueIn(state, each), 1n)).reduce(min);
  const turn = turnOf(state, account, assets, at, {
    present: presentWad,
    highest,
    priceAt: (before, priceWad) => (before * priceWad) / presentWad,
  });
  return { presentWad, ...turn };
}

/**
 * By which common factor (wad; one is no move) all prices may move before an account turns liquidatable: `below` and `above` one. Prices are
 * rounded down, to one wei at least. Throws NotATarget, NotReadError, AccountIdError, TimeError.
 */
export function liquidationMove(
  state: State,
  account: AccountId,
  { at }: Pick<LiquidationPriceOptions, "at"> = {},
): LiquidationTurn {
  const largest = [...state.prices.values()].map(Price.value).reduce(max, 1n);
  return turnOf(state, account, [...state.prices.keys()], at, {
    present: WAD,
    highest: max((Price.MAX_PRICE_WAD * WAD) / largest, WAD),
    priceAt: (before, factorWad) => (before * factorWad) / WAD,
  });
}

/** Zero: never published. */
function valueIn(state: State, asset: number): bigint {
  return Price.value(state.prices.get(asset) ?? (0n as Price.Price));
}

/** How prices depend on the number that is looked for. */
interface Move {
  readonly present: bigint;
  readonly highest: bigint;
  priceAt(before: bigint, x: bigint): bigint;
}

function turnOf(
  state: State,
  account: AccountId,
  moving: readonly number[],
  timestamp: bigint | number | undefined,
  { present, highest, priceAt }: Move,
): LiquidationTurn {
  const margin = new MovingMargin(state, account, moving, timestamp);
  const read = (x: bigint) => (x === present ? margin.present() : margin.at((before) => priceAt(before, x)));
  const search: Search = { read, present, bendWad: margin.bendWad() };
  const below = present > 1n ? nearestTurn(search, 1n) : undefined;
  const above = present < highest ? nearestTurn(search, highest) : undefined;
  return {
    isLiquidatable: read(present).gapWad < 0n,
    ...(below === undefined ? {} : { below }),
    ...(above === undefined ? {} : { above }),
  };
}

const valueMask = (1n << 96n) - 1n;

/** An account's margin while the prices of some of its assets move. The others are added up once. */
class MovingMargin {
  readonly #assets: readonly { readonly asset: number; readonly price: Price.Price }[];
  readonly #sumsOf: (asset: number, price: Price.Price) => Margin.Sums;
  readonly #fixed: Margin.Sums;
  readonly #total: (sums: Margin.Sums) => Margin.Health;
  readonly #unitsUp: bigint;

  constructor(state: State, of: AccountId, moving: readonly number[], timestamp?: bigint | number) {
    const account = normalizeAccount(of);
    const { $, code } = state.at(timestamp);
    const context = contextOf($, code);
    if (account === context.pool || account === context.insurance) throw new ContractError("NotATarget", { account });
    const word = Ledger.load($, context, account);
    const assets = Account.assets(word);
    const held = moving.filter((asset) => AssetSet.contains(assets, asset));
    const set = held.reduce((all, asset) => AssetSet.union(all, AssetSet.onlyAsset(asset)), 0n as AssetSet.AssetSet);
    const others = (assets & ~set) as AssetSet.AssetSet;
    const collect = (priced: AssetSet.AssetSet, prices: readonly Price.Price[]) =>
      Margin.collect($, account, word, priced, prices, false, Margin.NO_ASSET);
    this.#assets = held.map((asset) => ({
      asset,
      price: context.oracle.lastPrices(AssetSet.onlyAsset(asset))[0] ?? (0n as Price.Price),
    }));
    this.#sumsOf = (asset, price) => collect(AssetSet.onlyAsset(asset), [price]);
    this.#fixed = collect(others, context.oracle.lastPrices(others));
    this.#total = (sums) => Margin.total(sums, Account.cash(word), $.accountRisk);
    this.#unitsUp = held.reduce((units, asset) => units + unitsUp(asset), 0n);

    /** Whole units of an asset that the account has, rounded up. */
    function unitsUp(asset: number): bigint {
      if (asset < AssetSet.MAX_MARKETS) return divUp(abs(Views.position($, context, account, asset).sizeWad), WAD);
      const index = asset - AssetSet.MAX_MARKETS;
      return divUp($.collateralOf.get(account, index), 10n ** VaultWords.decimals($.collaterals.get(index)));
    }
  }

  /** At other prices: of each moving one before. */
  at(priceAt: (beforeWad: bigint) => bigint): Reading {
    return this.#read((price) => {
      const moved = max(priceAt(Price.value(price)), 1n);
      return ((price & ~valueMask) | moved) as Price.Price;
    });
  }

  present(): Reading {
    return this.#read((price) => price);
  }

  #read(moved: (price: Price.Price) => Price.Price): Reading {
    const sums = Margin.copy(this.#fixed);
    const parts: bigint[] = [];
    for (const { asset, price } of this.#assets) {
      const leg = this.#sumsOf(asset, moved(price));
      Margin.plus(sums, leg);
      parts.push(leg.equityMaintenance, leg.requirementMaintenance);
    }
    const health = this.#total(sums);
    const gapWad = health.equityMaintenanceWad - health.requirementMaintenanceWad;
    return { gapWad, netCashWad: health.netCashWad, parts };
  }

  /** A wei of a price, or of funding, is one a unit; and each asset rounds its value and its requirement a few times. */
  bendWad(): bigint {
    return 8n + 8n * BigInt(this.#assets.length) + 4n * this.#unitsUp;
  }
}
