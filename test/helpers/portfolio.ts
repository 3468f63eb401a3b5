import { type AccountId, type Health, decodeMarketTotals, decodePosition } from "../../sdk/index.js";
import { MockToken__factory } from "../../typechain-types/index.js";
import type { World } from "./world.js";

/** A position as the vault has it. Wad. */
export interface PositionFigures {
  readonly size: bigint;
  readonly cost: bigint;
  readonly value: bigint;
}

/** All that an account has, and its margin. */
export interface Portfolio {
  readonly cash: bigint;
  /** Raw amounts by symbol. */
  readonly collaterals: Readonly<Record<string, bigint>>;
  /** By symbol. */
  readonly positions: Readonly<Record<string, PositionFigures>>;
  readonly health: Health;
}

/** All that the named accounts, the pool and the insurance have, and what the vault holds for them. */
export interface Portfolios<Name extends string> {
  readonly accounts: Readonly<Record<Name | "pool" | "insurance", Portfolio>>;
  /** The insurance account's fees not yet swept, by market. */
  readonly fees: Readonly<Record<string, bigint>>;
  /** Tokens in the vault by symbol, raw, as the tokens say. */
  readonly tokens: Readonly<Record<string, bigint>>;
  /** Settlement tokens that the vault counts as held, raw. */
  readonly cashHeld: bigint;
}

export async function portfolio({ ballast }: World, account: AccountId): Promise<Portfolio> {
  const [cash, health, collaterals, positions] = await Promise.all([
    ballast.vault.cash(account),
    ballast.health(account),
    ballast.collaterals(account),
    ballast.positions(account),
  ]);
  return {
    cash,
    health,
    collaterals: Object.fromEntries(collaterals.map(({ token, amount }) => [token, amount])),
    positions: Object.fromEntries(
      positions.map(({ market, sizeWad, costWad, valueWad }) => [
        market,
        { size: sizeWad, cost: costWad, value: valueWad },
      ]),
    ),
  };
}

export async function portfolios<Name extends string>(
  world: World,
  accounts: Readonly<Record<Name, AccountId>>,
): Promise<Portfolios<Name>> {
  const { ballast, deployment } = world;
  const all: Record<string, AccountId> = {
    ...accounts,
    pool: (await ballast.vault.poolAccount()) as AccountId,
    insurance: (await ballast.vault.insuranceAccount()) as AccountId,
  };
  const entries: [string, Portfolio][] = [];
  for (const [name, account] of Object.entries(all)) entries.push([name, await portfolio(world, account)]);
  const fees: Record<string, bigint> = {};
  for (const [id, { symbol }] of deployment.markets.entries()) {
    fees[symbol] = decodeMarketTotals((await ballast.vault.market(id)).totals).feesUnsweptWad;
  }
  const tokens: Record<string, bigint> = {};
  for (const { symbol, address } of [deployment.settlementToken, ...deployment.collaterals]) {
    tokens[symbol] = await MockToken__factory.connect(address, ballast.provider).balanceOf(deployment.vault);
  }
  const [, , cashHeld] = await ballast.vault.totals();
  return { accounts: Object.fromEntries(entries) as Portfolios<Name>["accounts"], fees, tokens, cashHeld };
}

/**
 * By how much each figure of the books differs, those that do not left out: "owner.cash", "owner.collaterals.WETH",
 * "pool.positions.ETH.size", "fees.ETH", "tokens.USDC", "cashHeld". Values and margins follow from these and from prices.
 */
export function changes<Name extends string>(
  before: Portfolios<Name>,
  after: Portfolios<Name>,
): Readonly<Record<string, bigint>> {
  const [old, now] = [flat(before), flat(after)];
  const keys = [...new Set([...Object.keys(old), ...Object.keys(now)])];
  return Object.fromEntries(
    keys.map((key) => [key, (now[key] ?? 0n) - (old[key] ?? 0n)] as const).filter(([, change]) => change !== 0n),
  );
}

function flat<Name extends string>({ accounts, fees, tokens, cashHeld }: Portfolios<Name>): Record<string, bigint> {
  const figures: Record<string, bigint> = { cashHeld };
  for (const [name, account] of Object.entries<Portfolio>(accounts)) {
    figures[`${name}.cash`] = account.cash;
    for (const [token, amount] of Object.entries(account.collaterals)) figures[`${name}.collaterals.${token}`] = amount;
    for (const [market, { size, cost }] of Object.entries(account.positions)) {
      figures[`${name}.positions.${market}.size`] = size;
      figures[`${name}.positions.${market}.cost`] = cost;
    }
  }
  for (const [market, amount] of Object.entries(fees)) figures[`fees.${market}`] = amount;
  for (const [token, amount] of Object.entries(tokens)) figures[`tokens.${token}`] = amount;
  return figures;
}

/**
 * What the vault owes to nobody: cash held, less all cash and fees, plus all costs (without funding, and if no other account has
 * anything). The reserve paid in when markets were listed; any act leaves it as it was. Wad.
 */
export async function unowed<Name extends string>(world: World, all: Portfolios<Name>): Promise<bigint> {
  const unit = 10n ** BigInt(18 - world.deployment.settlementToken.decimals);
  let rest = all.cashHeld * unit;
  for (const { cash } of Object.values<Portfolio>(all.accounts)) rest -= cash;
  for (const fee of Object.values(all.fees)) rest -= fee;
  for (const { symbol } of world.deployment.markets) {
    const id = world.ballast.marketId(symbol);
    const pool = decodePosition((await world.ballast.vault.market(id)).poolPosition);
    rest += pool.costWad;
    for (const [name, { positions }] of Object.entries<Portfolio>(all.accounts)) {
      if (name !== "pool") rest += positions[symbol]?.cost ?? 0n;
    }
  }
  return rest;
}
