import hre from "hardhat";

import type { Connection } from "../../../ignition/deploy.js";
import { type AccountId, type Deployment, WAD, accountId, assetsOfSymbol, parseDecimal } from "../../../sdk/index.js";
import {
  LiquidityPool__factory,
  MarginVault__factory,
  MockToken__factory,
  PriceOracle__factory,
} from "../../../typechain-types/index.js";
import { changed, deployWorld, firstPrices, wad } from "../../helpers/world.js";
import { RawChain, type RawLog } from "./chain.js";

export const vaultInterface = MarginVault__factory.createInterface();
export const poolInterface = LiquidityPool__factory.createInterface();
export const oracleInterface = PriceOracle__factory.createInterface();
export const tokenInterface = MockToken__factory.createInterface();

export interface MarketTerms {
  readonly symbol: string;
  readonly firstPriceWad: bigint;
  readonly initialBaseWad: bigint;
  readonly openInterestCapWad: bigint;
  readonly skewScaleWad: bigint;
  readonly minimumSizeWad: bigint;
  /** Taker rate and tolerance: what closing costs who is not liquidated. */
  readonly takerCostWad: bigint;
  readonly discountBaseWad: bigint;
  readonly discountCapWad: bigint;
}

export interface Token {
  readonly symbol: string;
  readonly address: string;
  readonly decimals: number;
}

export interface CollateralTerms extends Token {
  readonly asset: string;
  readonly initialWeightWad: bigint;
  readonly maintenanceWeightWad: bigint;
  readonly discountBaseWad: bigint;
  readonly discountCapWad: bigint;
  readonly toleranceWad: bigint;
}

/** Somebody who may send transactions. */
export interface Actor {
  readonly name: string;
  readonly address: string;
}

export interface NamedAccount {
  readonly name: string;
  readonly id: AccountId;
  readonly owner: Actor;
  /** Whether the sequences deposit for it and trade with it; the others only receive. */
  readonly trades: boolean;
}

/** A deployment on a raw chain, with actors who have every token and have approved vault and pool. */
export interface Arena {
  readonly chain: RawChain;
  readonly connection: Connection;
  readonly deployment: Deployment;
  readonly admin: Actor;
  readonly actors: readonly Actor[];
  readonly keeper: Actor;
  readonly stranger: Actor;
  /** Own shares of the pool, or may. */
  readonly providers: readonly Actor[];
  /** Every account that can ever have anything; pool and insurance are the last two. */
  readonly accounts: readonly NamedAccount[];
  readonly pool: AccountId;
  readonly insurance: AccountId;
  readonly markets: readonly MarketTerms[];
  readonly cash: Token;
  readonly collaterals: readonly CollateralTerms[];
  readonly targetHealthWad: bigint;
  readonly debtMarginWad: bigint;
  readonly keeperFloorWad: bigint;
  readonly keeperShareWad: bigint;
  /** Of a forced fee, and of the discount on a collateral. */
  readonly insuranceShareWad: bigint;
  readonly rewardFloorWad: bigint;
  readonly rewardPerHourWad: bigint;
  readonly poolLockSeconds: number;
  /** All logs of the vault since its deployment. */
  readonly logs: readonly RawLog[];
}

const genesis = "2020-03-12T00:00:00Z";
/** Open-interest cap of every market in quote units: thin, so that impact, caps and the pool's margin matter. */
const capNotional = 600_000n;

/** What each trader's accounts begin with: indexes of accounts, and deposits of the first. */
const traders: Readonly<Record<string, readonly Readonly<Record<string, string>>[]>> = {
  ann: [{ USDC: "20000" }, { USDC: "3000", WETH: "10" }],
  bob: [{ WETH: "150", USDC: "500" }, { USDC: "8000" }],
  cid: [{ WBTC: "2", WETH: "40" }, { USDC: "2500" }],
  dot: [{ USDC: "60000" }, { USDC: "100", WBTC: "0.1" }],
  eve: [{ USDC: "1500", WBTC: "0.25" }],
  fay: [{ USDC: "400" }],
};

export async function openArena(): Promise<Arena> {
  const connection = await hre.network.create({ network: "demo", override: { initialDate: genesis } });
  const world = await deployWorld(connection, thinMarkets, "400000");
  const { deployment, parameters } = world;
  const deployedAt = Date.parse(genesis) / 1000;
  const chain = new RawChain(connection, deployedAt);
  // Past the first lock, and independent of the seconds that the deployment took.
  await chain.passTime(86_400);

  const signers = [...world.signers];
  const actor = (name: string): Actor => ({ name, address: signers.shift()!.address.toLowerCase() });
  const admin: Actor = { name: "admin", address: world.admin.address.toLowerCase() };
  const [keeper, stranger, provider] = [actor("keeper"), actor("stranger"), actor("provider")];
  const owners = Object.keys(traders).map(actor);
  const actors = [...owners, keeper, stranger, provider];

  const cash: Token = deployment.settlementToken;
  for (const { address } of [cash, ...deployment.collaterals]) {
    for (const holder of [...actors, admin]) {
      const plenty = 10n ** 30n;
      await chain.mustSend(admin.address, address, tokenInterface.encodeFunctionData("mint", [holder.address, plenty]));
      for (const spender of [deployment.vault, deployment.pool]) {
        await chain.mustSend(holder.address, address, tokenInterface.encodeFunctionData("approve", [spender, plenty]));
      }
    }
  }
  const pushed = priceData(deployment, firstPricesWad(), chain.nowSeconds);
  await chain.mustSend(admin.address, deployment.oracle, pushed);
  await chain.mustSend(keeper.address, deployment.vault, vaultInterface.encodeFunctionData("refreshCapital"));

  const accounts: NamedAccount[] = [];
  for (const owner of owners) {
    for (const [index, deposits] of traders[owner.name]!.entries()) {
      const id = accountId(owner.address, index);
      accounts.push({ name: `${owner.name}/${index}`, id, owner, trades: true });
      for (const [symbol, amount] of Object.entries(deposits)) {
        const token = [cash, ...deployment.collaterals].find((each) => each.symbol === symbol)!;
        const raw = parseDecimal(amount, token.decimals);
        const data = vaultInterface.encodeFunctionData("deposit", [id, token.address, raw]);
        await chain.mustSend(owner.address, deployment.vault, data);
      }
    }
  }
  for (const owner of [keeper, stranger]) {
    accounts.push({ name: `${owner.name}/0`, id: accountId(owner.address), owner, trades: false });
  }
  const pool = accountId(deployment.pool);
  const insurance = accountId(deployment.vault);
  const contract = (name: string, address: string): Actor => ({ name, address: address.toLowerCase() });
  accounts.push({ name: "pool", id: pool, owner: contract("pool", deployment.pool), trades: false });
  accounts.push({ name: "insurance", id: insurance, owner: contract("vault", deployment.vault), trades: false });

  const fromBlock = `0x${deployment.fromBlock.toString(16)}`;
  const filter = { address: deployment.vault, fromBlock, toBlock: "latest" };
  return {
    chain,
    connection,
    deployment,
    admin,
    actors,
    keeper,
    stranger,
    providers: [admin, provider],
    accounts,
    pool,
    insurance,
    markets: parameters.markets.map((market) => ({
      symbol: market.symbol,
      firstPriceWad: wad(market.firstPrice),
      initialBaseWad: wad(market.initialBase),
      openInterestCapWad: wad(market.openInterestCap),
      skewScaleWad: wad(market.skewScale),
      minimumSizeWad: wad(market.minimumSize),
      takerCostWad: wad(market.takerRate) + wad(market.tolerance),
      discountBaseWad: wad(market.discountBase),
      discountCapWad: wad(market.discountCap),
    })),
    cash,
    collaterals: deployment.collaterals.map((token) => {
      const terms = parameters.collaterals.find(({ symbol }) => symbol === token.symbol)!;
      const market = parameters.markets.find(({ symbol }) => symbol === token.asset)!;
      return {
        ...token,
        initialWeightWad: wad(terms.weightInitial),
        maintenanceWeightWad: wad(terms.weightMaintenance),
        discountBaseWad: wad(terms.discountBase),
        discountCapWad: wad(terms.discountCap),
        toleranceWad: wad(market.tolerance),
      };
    }),
    targetHealthWad: wad(parameters.vault.targetHealth),
    debtMarginWad: wad(parameters.vault.debtMargin),
    keeperFloorWad: wad(parameters.vault.keeperFloor),
    keeperShareWad: wad(parameters.vault.forcedFeeShareKeeper),
    insuranceShareWad: wad(parameters.vault.forcedFeeShareInsurance),
    rewardFloorWad: wad(parameters.vault.absorbRewardFloor),
    rewardPerHourWad: wad(parameters.vault.absorbRewardPerHour),
    poolLockSeconds: Number(parameters.vault.poolLockSeconds),
    logs: await chain.request<RawLog[]>("eth_getLogs", filter),
  };
}

function thinMarkets(parameters: Parameters<typeof changed>[0]) {
  const thin = parameters.markets.map((market): [string, { openInterestCap: string; skewScale: string }] => {
    const cap = capNotional / BigInt(market.firstPrice);
    const scale = (cap * WAD) / wad(market.maintenanceBase) + 1n; // the least that the cap allows
    return [market.symbol, { openInterestCap: String(cap), skewScale: String(scale) }];
  });
  return changed(parameters, {
    markets: Object.fromEntries(thin),
    vault: { poolLockSeconds: "600", insuranceSeed: "2000" },
  });
}

export function firstPricesWad(): Map<string, bigint> {
  return new Map(Object.entries(firstPrices).map(([symbol, price]) => [symbol, wad(price)]));
}

/** Call data that publishes prices (wad, by symbol) to markets and collaterals. */
export function priceData(deployment: Deployment, prices: ReadonlyMap<string, bigint>, publishedAt: number): string {
  const assets: number[] = [];
  const pricesWad: bigint[] = [];
  for (const [symbol, price] of prices) {
    for (const asset of assetsOfSymbol(deployment, symbol)) {
      assets.push(asset);
      pricesWad.push(price);
    }
  }
  return oracleInterface.encodeFunctionData("push", [assets, pricesWad, publishedAt]);
}
