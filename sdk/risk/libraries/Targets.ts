/** Twin of contracts/libraries/Targets.sol. */
import type { AccountId } from "../../accounts.js";
import { ContractError } from "../ContractError.js";
import { at } from "../checked.js";
import * as Account from "../types/Account.js";
import * as AssetSet from "../types/AssetSet.js";
import * as Price from "../types/Price.js";
import type { Context, Vault } from "../types/VaultStorage.js";
import type * as VaultWords from "../types/VaultWords.js";
import * as Ledger from "./Ledger.js";
import * as Margin from "./Margin.js";
import * as Prices from "./Prices.js";

/** An account under liquidation, as read at its start. */
export interface Target {
  account: AccountId;
  word: Account.Account;
  /** What `prices` are of: the account's assets, and those that the caller asked for besides. */
  assets: AssetSet.AssetSet;
  prices: Price.Price[];
  sums: Margin.Sums;
  health: Margin.Health;
  risk: VaultWords.AccountRisk;
}

/**
 * Reads an account.
 * @param besides assets whose prices are asked for in the same call
 * @throws ContractError NotATarget: pool and insurance never are
 */
export function read($: Vault, context: Context, account: AccountId, besides: AssetSet.AssetSet): Target {
  if (account === context.pool || account === context.insurance) throw new ContractError("NotATarget", { account });
  const word = Ledger.load($, context, account);
  const assets = AssetSet.union(Account.assets(word), besides);
  const risk = $.accountRisk;
  const prices = Prices.all(context.oracle, assets);
  const sums = Margin.collect($, account, word, assets, prices, false, Margin.NO_ASSET);
  const health = Margin.total(sums, Account.cash(word), risk);
  return { account, word, assets, prices, sums, health, risk };
}

/** The price of an asset of the target's set. */
export function priceOf(target: Target, asset: number): Price.Price {
  return at(target.prices, AssetSet.rank(target.assets, asset));
}

/** Whether the target is spared: what fell while nobody could act is no reason to liquidate who is above zero. */
export function inGrace(target: Target): boolean {
  const [first] = target.prices;
  return target.health.equityMaintenanceWad >= 0n && first !== undefined && Price.inGrace(first);
}

/** Throws SequencerGrace. */
export function requireNoGrace(target: Target): void {
  if (inGrace(target)) throw new ContractError("SequencerGrace", { account: target.account });
}

/** Throws AccountHealthy. */
export function requireLiquidatable(target: Target): void {
  const { health } = target;
  if (!Margin.isLiquidatable(health)) {
    throw new ContractError("AccountHealthy", {
      account: target.account,
      equityWad: health.equityMaintenanceWad,
      requirementWad: health.requirementMaintenanceWad,
    });
  }
}
