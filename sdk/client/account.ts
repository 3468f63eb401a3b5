import type { AccountId } from "../accounts.js";
import { type LiquidationPrice, liquidationPrice } from "../explain/liquidationPrice.js";
import * as MarginVault from "../risk/MarginVault.js";
import { type Mode, collateralsOf, decodeAccount, marketsOf } from "../words.js";
import type { State, Transaction } from "./state.js";
import { nameOfMarket } from "./symbols.js";

/** An account's margin; all wad, in quote units. */
export interface Health {
  readonly equityMaintenanceWad: bigint;
  readonly requirementMaintenanceWad: bigint;
  readonly equityInitialWad: bigint;
  readonly requirementInitialWad: bigint;
  /** Initial equity less initial requirement: what opening and withdrawing must leave at or above zero. */
  readonly freeMarginWad: bigint;
  /** Cash and unrealised profit and loss. */
  readonly netCashWad: bigint;
  /** Maintenance equity over requirement; undefined when nothing is required. */
  readonly healthWad: bigint | undefined;
  readonly isLiquidatable: boolean;
  readonly pricesFresh: boolean;
}

/** A position with what has accrued. */
export interface Position {
  readonly market: string;
  /** Wad; below zero: short. */
  readonly sizeWad: bigint;
  /** Size times price, rounded up. */
  readonly notionalWad: bigint;
  /** Unrealised profit or loss. */
  readonly valueWad: bigint;
  readonly costWad: bigint;
}

export interface CollateralBalance {
  readonly token: string;
  /** In the token's own units. */
  readonly amount: bigint;
}

const noHealth = 2n ** 256n - 1n;

/** A Health struct as a contract returned it. */
export function toHealth(view: {
  equityMaintenanceWad: bigint;
  requirementMaintenanceWad: bigint;
  equityInitialWad: bigint;
  requirementInitialWad: bigint;
  netCashWad: bigint;
  healthWad: bigint;
  pricesFresh: boolean;
}): Health {
  const { equityMaintenanceWad, requirementMaintenanceWad, equityInitialWad, requirementInitialWad } = view;
  return {
    equityMaintenanceWad,
    requirementMaintenanceWad,
    equityInitialWad,
    requirementInitialWad,
    freeMarginWad: equityInitialWad - requirementInitialWad,
    netCashWad: view.netCashWad,
    healthWad: view.healthWad === noHealth ? undefined : view.healthWad,
    isLiquidatable: equityMaintenanceWad < requirementMaintenanceWad,
    pricesFresh: view.pricesFresh,
  };
}

/** An account in a state that is known here, or that a call would lead to. */
export class AccountView {
  readonly account: AccountId;
  /** Wad, interest included; below zero a debt. */
  readonly cashWad: bigint;
  readonly mode: Mode;
  /** In the order of their indexes. */
  readonly collaterals: readonly CollateralBalance[];
  /** In the order of the markets. */
  readonly positions: readonly Position[];
  readonly health: Health;
  readonly #markets: readonly number[];
  readonly #state: State;
  readonly #now: bigint;

  constructor(state: State, { $, code }: Transaction, account: AccountId) {
    const { collaterals } = state.deployment;
    const { assets, mode } = decodeAccount($.accounts.get(account));
    this.account = account;
    this.cashWad = MarginVault.cash($, code, account);
    this.mode = mode;
    this.collaterals = collateralsOf(assets).map((index) => ({
      token: collaterals[index]?.symbol ?? $.collateralTokens(index),
      amount: $.collateralOf.get(account, index),
    }));
    this.#markets = marketsOf(assets);
    this.positions = this.#markets.map((id) => {
      const { sizeWad, notionalWad, valueWad, costWad } = MarginVault.position($, code, account, id);
      return { market: nameOfMarket(state.deployment, id), sizeWad, notionalWad, valueWad, costWad };
    });
    this.health = toHealth(MarginVault.health($, code, account));
    this.#state = state.withStorage($);
    this.#now = $.now;
  }

  /** Initial equity less initial requirement, wad. */
  get freeMarginWad(): bigint {
    return this.health.freeMarginWad;
  }

  /**
   * At which price of a market the account is liquidatable, everything else as it is; worked out when it is asked for. Throws
   * UnknownSymbolError, and NotATarget for the accounts of pool and insurance.
   */
  liquidationPrice(market: string): LiquidationPrice {
    return this.#liquidationPrice(market);
  }

  /** The same for the market of each of its positions. */
  get liquidationPrices(): ReadonlyMap<string, LiquidationPrice> {
    return new Map(this.#markets.map((id) => [nameOfMarket(this.#state.deployment, id), this.#liquidationPrice(id)]));
  }

  #liquidationPrice(market: string | number): LiquidationPrice {
    return liquidationPrice(this.#state, this.account, market, { at: this.#now });
  }
}
