import type { AccountId } from "../../sdk/index.js";
import * as MarginVault from "../../sdk/risk/MarginVault.js";
import * as AccountWord from "../../sdk/risk/types/AccountWord.js";
import * as AssetSet from "../../sdk/risk/types/AssetSet.js";
import * as Sides from "../../sdk/risk/libraries/Sides.js";
import type { World } from "../draw/world.js";

/** The markets in which an account has a position. */
export function marketsOf({ vault }: World, account: AccountId): number[] {
  const bits = AccountWord.marketBits(vault.accounts.get(account));
  return Array.from({ length: vault.marketCount }, (_, id) => id).filter((id) => (bits >> BigInt(id)) & 1n);
}

/** The collaterals of which an account has some. */
export function collateralsOf({ vault }: World, account: AccountId): number[] {
  const bits = AssetSet.collaterals(AccountWord.assets(vault.accounts.get(account)));
  return Array.from({ length: vault.collateralCount }, (_, index) => index).filter(
    (index) => (bits >> BigInt(index)) & 1n,
  );
}

/** One of a list; undefined if it is empty. */
export function oneOf<T>({ d }: World, list: readonly T[]): T | undefined {
  return list.length === 0 ? undefined : list[d.integer(0, list.length - 1)];
}

/** Most often a market in which the account has a position; now and then one that is not listed. */
export function someMarket(world: World, account: AccountId, ownShare = 0.85): number {
  const { d, vault } = world;
  const own = d.chance(ownShare) ? oneOf(world, marketsOf(world, account)) : undefined;
  if (own !== undefined) return own;
  return d.chance(0.04) ? vault.marketCount : d.integer(0, vault.marketCount - 1);
}

/** Most often a collateral that the account has; now and then a token that is none. */
export function someToken(world: World, account: AccountId): string {
  const { d, vault, house } = world;
  const own = d.chance(0.9) ? oneOf(world, collateralsOf(world, account)) : undefined;
  const index = own ?? d.integer(0, vault.collateralCount);
  return house.tokens[index]?.address ?? "";
}

/** Signed size (wad) of an account's position as it stands; zero if it has none. */
export function sizeOf({ vault }: World, account: AccountId, market: number): bigint {
  const stored = vault.markets(market);
  const [shares] = Sides.converted(stored, vault.positions.get(account, market));
  return Sides.sizeOf(stored, shares);
}

/** Initial equity less initial requirement, wad. */
export function freeMargin({ vault, code }: World, account: AccountId): bigint {
  const health = MarginVault.health(vault, code, account);
  return health.equityInitialWad - health.requirementInitialWad;
}

/** A few beside a number, not below zero. */
export function near({ d }: World, value: bigint): bigint {
  const beside = value + BigInt(d.integer(-2, 2));
  return beside < 0n ? 0n : beside;
}
