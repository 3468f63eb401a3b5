import hre from "hardhat";
import type { HDNodeWallet } from "ethers";

import type { DeploymentParameters } from "../../deployments/schema.js";
import { type Connection, deployBallast, pushPrices } from "../../ignition/deploy.js";
import { type AccountId, Ballast, type Deployment, accountId, parseDecimal } from "../../sdk/index.js";
import { deploymentParameters, parsePrices } from "../../simulator/index.js";
import { LiquidityPool__factory, MockToken__factory } from "../../typechain-types/index.js";

export type Signer = Awaited<ReturnType<Connection["ethers"]["getSigners"]>>[number];

/** A deployment in process, with a funded pool, and short ways to act in it. */
export interface World {
  readonly connection: Connection;
  readonly parameters: DeploymentParameters;
  readonly deployment: Deployment;
  /** Deployer, admin of the access manager, and pusher of prices. */
  readonly admin: Signer;
  /** Owners, liquidity provider, strangers: none has any token yet but what `fund` gives. */
  readonly signers: readonly Signer[];
  /** The client of the admin; `as` gives one of another signer. */
  readonly ballast: Ballast;
  as(signer: Signer | HDNodeWallet): Promise<Ballast>;
  /** Mints a token ("USDC", "WETH", "WBTC") to an address. */
  mint(token: string, to: string, amount: string): Promise<void>;
  /** Mints and deposits for account (signer, index). */
  fund(signer: Signer, deposits: Readonly<Record<string, string>>, index?: number): Promise<AccountId>;
  /** Publishes prices by symbol (decimal strings), as of the latest block. */
  push(prices: Readonly<Record<string, string>>): Promise<void>;
  /** Publishes the last prices again and takes a new checkpoint, so that both are fresh. */
  refresh(): Promise<void>;
  /** Lets seconds pass and mines a block. */
  passTime(seconds: number): Promise<void>;
}

export const wad = (text: string): bigint => parseDecimal(text, 18);

/** Prices at which `deployWorld` lists its markets. */
export const firstPrices = { BTC: "8000", ETH: "200", LINK: "4" } as const;

type MarketInput = DeploymentParameters["markets"][number];

/** What to change in the parameters of a world: every market first, then single ones by symbol. */
export interface Changes {
  readonly everyMarket?: Partial<MarketInput>;
  readonly markets?: Readonly<Record<string, Partial<MarketInput>>>;
  readonly vault?: Partial<DeploymentParameters["vault"]>;
}

export function changed(
  parameters: DeploymentParameters,
  { everyMarket, markets, vault }: Changes,
): DeploymentParameters {
  return {
    ...parameters,
    markets: parameters.markets.map((market) => ({ ...market, ...everyMarket, ...markets?.[market.symbol] })),
    vault: { ...parameters.vault, ...vault },
  };
}

/**
 * Scales at which prices of fills have few digits, and no funding: figures of a test are then whole wads, and do not depend on
 * the seconds that pass between two transactions.
 */
export function roundFigures(parameters: DeploymentParameters, changes: Changes = {}): DeploymentParameters {
  const round = changed(parameters, {
    everyMarket: { maxFundingVelocityPerDay2: "0" },
    markets: { BTC: { skewScale: "200000" }, ETH: { skewScale: "8000000" }, LINK: { skewScale: "200000000" } },
  });
  return changed(round, changes);
}

/** `roundFigures` with a market of ETH a thousand times thinner: 80 ETH of skew move its fills by 1%. */
export function thinEth(parameters: DeploymentParameters, changes: Changes = {}): DeploymentParameters {
  const thin = roundFigures(parameters, { markets: { ETH: { skewScale: "8000", openInterestCap: "240" } } });
  return changed(thin, changes);
}

/** The same without interest on cash: figures of an account in debt do not depend on the seconds that pass either. */
export function withoutInterest(parameters: DeploymentParameters): DeploymentParameters {
  return { ...parameters, cash: { ...parameters.cash, rateAtZero: "0", rateAtKink: "0", rateAtFull: "0" } };
}

/** For networkHelpers.loadFixture, or on its own for a fresh chain. */
export async function deployWorld(
  connection: Connection,
  change: (parameters: DeploymentParameters) => DeploymentParameters = (parameters) => parameters,
  poolDeposit = "10000000",
): Promise<World> {
  const header = `timestamp_iso,${Object.keys(firstPrices).join(",")}`;
  const row = `2020-03-12T00:00:00Z,${Object.values(firstPrices).join(",")}`;
  const parameters = change(deploymentParameters(parsePrices(`${header}\n${row}\n`, "prices.csv")));
  const deployment = await deployBallast(connection, parameters);
  const [admin, ...signers] = await connection.ethers.getSigners();
  if (admin === undefined) throw new TypeError("the network has no signer");
  const ballast = await Ballast.connect(admin, deployment);
  const tokenOf = (symbol: string) => {
    const found = [deployment.settlementToken, ...deployment.collaterals].find((token) => token.symbol === symbol);
    if (found === undefined) throw new TypeError(`no token ${symbol}`);
    return found;
  };
  const world: World = {
    connection,
    parameters,
    deployment,
    admin,
    signers,
    ballast,
    as: (signer) => Ballast.connect(signer, deployment),
    async mint(token, to, amount) {
      const { address, decimals } = tokenOf(token);
      await (await MockToken__factory.connect(address, admin).mint(to, parseDecimal(amount, decimals))).wait();
    },
    async fund(signer, deposits, index = 0) {
      const account = accountId(signer.address, index);
      const client = await world.as(signer);
      for (const [token, amount] of Object.entries(deposits)) {
        await world.mint(token, signer.address, amount);
        await client.deposit(account, token, amount);
      }
      return account;
    },
    async push(prices) {
      const wads = new Map(Object.entries(prices).map(([symbol, price]) => [symbol, parseDecimal(price, 18)]));
      const { timestamp } = (await connection.ethers.provider.getBlock("latest")) ?? { timestamp: 0 };
      await (await pushPrices(ballast.oracle, deployment, wads, timestamp)).wait();
    },
    async refresh() {
      const { timestamp } = (await connection.ethers.provider.getBlock("latest")) ?? { timestamp: 0 };
      const last = new Map<string, bigint>();
      for (const { symbol } of deployment.markets) last.set(symbol, (await ballast.price(symbol)).priceWad);
      await (await pushPrices(ballast.oracle, deployment, last, timestamp)).wait();
      await (await ballast.vault.refreshCapital()).wait();
    },
    async passTime(seconds) {
      await connection.networkHelpers.time.increase(seconds);
    },
  };
  await depositIntoPool(world, admin, poolDeposit);
  return world;
}

/** Mints settlement tokens and deposits them into the pool. */
export async function depositIntoPool(world: World, provider: Signer, amount: string): Promise<void> {
  const { address, decimals, symbol } = world.deployment.settlementToken;
  await world.mint(symbol, provider.address, amount);
  const raw = parseDecimal(amount, decimals);
  const pool = LiquidityPool__factory.connect(world.deployment.pool, provider);
  await (await MockToken__factory.connect(address, provider).approve(world.deployment.pool, raw)).wait();
  // With room: a second later, with interest to write, it costs more than the estimate.
  await (await pool.deposit(raw, provider.address, { gasLimit: 2_000_000n })).wait();
}

/** A fresh in-process chain with a world on it. */
export async function createWorld(change?: (parameters: DeploymentParameters) => DeploymentParameters): Promise<World> {
  return deployWorld(await hre.network.create(), change);
}
