import { type TransactionRequest, toBeHex } from "ethers";

import type { DeploymentParameters } from "../deployments/schema.js";
import { type AccountId, type Deployment, accountId, assetPrices, parseDecimal, revertData } from "../sdk/index.js";
import {
  LiquidityPool__factory,
  MarginVault__factory,
  MockToken__factory,
  PriceOracle__factory,
} from "../typechain-types/index.js";
import type { Chain } from "./chain.js";
import { type PlannedDeposit, drawPopulation, poolSeedWad } from "./population.js";
import type { PriceRow } from "./prices.js";
import type { Stress } from "./scenarios/gap.js";

/** A local chain with a deployment, the keys that the node holds, and short ways to act on it. */
export interface LocalMarket {
  readonly chain: Chain;
  readonly deployment: Deployment;
  /** Deployer, pusher and liquidity provider. */
  readonly admin: string;
  /** Addresses of the node's keys, in the order of their HD index. */
  readonly keys: readonly string[];
}

const vaultInterface = MarginVault__factory.createInterface();
const oracleInterface = PriceOracle__factory.createInterface();
const tokenInterface = MockToken__factory.createInterface();
const poolInterface = LiquidityPool__factory.createInterface();

/** Enough for any single act; the node takes no estimate for it. */
const gasLimit = toBeHex(8_000_000);
const halvings = 8;
const noLimit = 0n;
const noDeadline = 2n ** 256n - 1n;

/**
 * Sends from a key that the node holds; it is mined when this returns, with its hash. Throws with the revert's data when it is refused.
 */
export async function send(chain: Chain, from: string, to: string, data: string): Promise<string> {
  const transaction: TransactionRequest = { from, to, data };
  return String(await chain.request("eth_sendTransaction", [{ ...transaction, gas: gasLimit }]));
}

/** What a mined transaction logged. */
export async function logsOf(chain: Chain, hash: string): Promise<readonly { topics: string[]; data: string }[]> {
  const receipt = await chain.request("eth_getTransactionReceipt", [hash]);
  return (receipt as { logs: { topics: string[]; data: string }[] }).logs;
}

/** Publishes a row's prices as of the chain's time, in one transaction. */
export async function pushRow(
  { chain, deployment, admin }: LocalMarket,
  row: PriceRow,
  atSeconds: number,
): Promise<void> {
  const wads = [...row.prices].map(([symbol, { wad }]): [string, bigint] => [symbol, wad]);
  const { assets, pricesWad } = assetPrices(deployment, wads);
  await send(
    chain,
    admin,
    deployment.oracle,
    oracleInterface.encodeFunctionData("push", [assets, pricesWad, atSeconds]),
  );
}

export interface Population {
  readonly accounts: readonly AccountId[];
  readonly opened: number;
  /** Openings that the vault refused; each was halved and tried again. */
  readonly refused: number;
  /** What the pool started with. */
  readonly poolSeedWad: bigint;
}

/** Draws the owners, seeds the pool, funds the accounts and opens their positions; `onOwner` hears how far it is. */
export async function populate(
  market: LocalMarket,
  parameters: DeploymentParameters,
  prices: ReadonlyMap<string, { readonly wad: bigint }>,
  { stress, ...draw }: { readonly seed: number; readonly accounts: number; readonly stress?: Stress | undefined },
  onOwner: (done: number) => void,
): Promise<Population> {
  const stressed = stress && { leverageFactor: stress.leverageFactor, longShare: stress.longShare };
  const owners = drawPopulation({ ...draw, ...stressed, ...populationInput(parameters, prices) });
  const values = owners.map(({ valueWad }) => valueWad);
  const seedWad = poolSeedWad(values, stress?.poolPercent);
  await seedPool(market, seedWad);
  const accounts: AccountId[] = [];
  let opened = 0;
  let refused = 0;
  for (const owner of owners) {
    const key = market.keys[owner.hdIndex];
    if (key === undefined) throw new RangeError(`the node holds no key ${owner.hdIndex}`);
    const account = accountId(key);
    accounts.push(account);
    for (const deposit of owner.deposits) await give(market, key, account, deposit);
    for (const { market: id, sizeDeltaWad } of owner.openings) {
      const refusals = await open(market, key, account, id, sizeDeltaWad);
      refused += refusals;
      if (refusals <= halvings) opened += 1;
    }
    onOwner(accounts.length);
  }
  return { accounts, opened, refused, poolSeedWad: seedWad };
}

function populationInput(
  { markets, collaterals, settlementToken, vault }: DeploymentParameters,
  prices: ReadonlyMap<string, { readonly wad: bigint }>,
) {
  const wad = (text: string) => parseDecimal(text, 18);
  const priceOf = (symbol: string) => prices.get(symbol)?.wad ?? 0n;
  return {
    markets: markets.map(({ symbol, initialBase }, id) => ({
      id,
      symbol,
      initialBaseWad: wad(initialBase),
      priceWad: priceOf(symbol),
    })),
    cash: { symbol: settlementToken.symbol, decimals: Number(settlementToken.decimals) },
    collaterals: collaterals.map(({ symbol, asset, decimals, weightInitial }) => ({
      symbol,
      asset,
      decimals: Number(decimals),
      weightInitialWad: wad(weightInitial),
      priceWad: priceOf(asset),
    })),
    keeperFloorWad: wad(vault.keeperFloor),
  };
}

async function seedPool({ chain, deployment, admin }: LocalMarket, seedWad: bigint): Promise<void> {
  const { address, decimals } = deployment.settlementToken;
  const amount = seedWad / 10n ** BigInt(18 - decimals);
  await send(chain, admin, address, tokenInterface.encodeFunctionData("mint", [admin, amount]));
  await send(chain, admin, address, tokenInterface.encodeFunctionData("approve", [deployment.pool, amount]));
  await send(chain, admin, deployment.pool, poolInterface.encodeFunctionData("deposit", [amount, admin]));
}

/** Mints a token to a key, which deposits it for an account. */
export async function give(
  { chain, deployment, admin }: LocalMarket,
  key: string,
  account: AccountId,
  { token, amount }: PlannedDeposit,
): Promise<void> {
  const tokens = [deployment.settlementToken, ...deployment.collaterals];
  const address = tokens.find(({ symbol }) => symbol === token)?.address;
  if (address === undefined) throw new RangeError(`the deployment has no token ${token}`);
  await send(chain, admin, address, tokenInterface.encodeFunctionData("mint", [key, amount]));
  await send(chain, key, address, tokenInterface.encodeFunctionData("approve", [deployment.vault, amount]));
  await send(chain, key, deployment.vault, vaultInterface.encodeFunctionData("deposit", [account, address, amount]));
}

/** Opens, halving what the vault refuses. Returns how often it refused; more than `halvings` times and nothing was opened. */
async function open(
  { chain, deployment }: LocalMarket,
  key: string,
  account: AccountId,
  id: number,
  sizeDeltaWad: bigint,
): Promise<number> {
  let size = sizeDeltaWad;
  for (let refusals = 0; ; refusals += 1, size /= 2n) {
    if (refusals > halvings) return refusals;
    const trade = vaultInterface.encodeFunctionData("trade", [account, id, size, noLimit, noDeadline]);
    try {
      await send(chain, key, deployment.vault, trade);
      return refusals;
    } catch (error) {
      // The vault's own refusals are what halving is for; anything else is a fault of the run.
      const data = revertData(error);
      if (data === undefined || vaultInterface.parseError(data) === null) throw error;
    }
  }
}
