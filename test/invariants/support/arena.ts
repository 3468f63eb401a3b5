import type { HDNodeWallet } from "ethers";
import hre from "hardhat";

import type { DeploymentParameters } from "../../../deployments/schema.js";
import type { Connection } from "../../../ignition/deploy.js";
import { type AccountId, type Deployment, accountId, parseDecimal } from "../../../sdk/index.js";
import { MockHostileToken__factory, MockPyth__factory, MockToken__factory } from "../../../typechain-types/index.js";
import { deployAggregator } from "../../helpers/chainlink.js";
import { testKey } from "../../helpers/keys.js";
import { deployWorld, wad } from "../../helpers/world.js";
import { RawChain, type RawLog } from "./chain.js";
import { oracleInterface, tokenInterface, vaultInterface } from "./interfaces.js";
import { feedDecimals, feedSymbol, firstPricesWad, nineAssets } from "./nineAssets.js";
import { priceCalls } from "./publishing.js";

export interface MarketTerms {
  readonly symbol: string;
  readonly firstPriceWad: bigint;
  readonly initialBaseWad: bigint;
  readonly maintenanceBaseWad: bigint;
  readonly openInterestCapWad: bigint;
  readonly capitalShareWad: bigint;
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
  /** Signs permits and grants; contracts have none. */
  readonly wallet?: HDNodeWallet;
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
  /** Whom owners may give permissions. */
  readonly operators: readonly Actor[];
  /** The asset that is read from an aggregator, all others being pushed, and what becomes of it in a sequence. */
  readonly feed: { readonly symbol: string; readonly aggregator: string; isDead: boolean };
  /** A collateral that moves what it likes; the conduct that it was told last. */
  readonly hostile: { readonly address: string; conduct: number };
  /** What listings are tried with: a token that is none of the vault's. */
  readonly spare: string;
  readonly pyth: string;
  /** As it was deployed; worlds change some of it. */
  readonly parameters: DeploymentParameters;
  /** All logs of the vault since its deployment. */
  readonly logs: readonly RawLog[];
}

const genesis = "2020-03-12T00:00:00Z";
/** What each trader's accounts begin with: indexes of accounts, and deposits of the first. */
const traders: Readonly<Record<string, readonly Readonly<Record<string, string>>[]>> = {
  ann: [{ USDC: "20000" }, { USDC: "3000", WETH: "10" }],
  bob: [
    { WETH: "150", USDC: "500" },
    { USDC: "8000", HEX: "5" },
  ],
  cid: [
    { WBTC: "2", WETH: "40" },
    { USDC: "2500", WLINK: "300" },
  ],
  dot: [{ USDC: "60000" }, { USDC: "100", WBTC: "0.1", CENT: "40" }],
  eve: [{ USDC: "1500", WBTC: "0.25" }],
  fay: [{ USDC: "400", WLINK: "50" }],
};

export async function openArena(): Promise<Arena> {
  const connection = await hre.network.create({ network: "demo", override: { initialDate: genesis } });
  const [deployer] = await connection.ethers.getSigners();
  const aggregator = await (
    await deployAggregator(connection, feedDecimals, 4n * 10n ** BigInt(feedDecimals))
  ).getAddress();
  const hostile = await (await new MockHostileToken__factory(deployer!).deploy(12)).getAddress();
  const world = await deployWorld(connection, (parameters) => nineAssets(parameters, aggregator, hostile), "400000");
  const spare = await (await new MockToken__factory(deployer!).deploy("Spare", "SPARE", 4)).getAddress();
  const pyth = await (await new MockPyth__factory(deployer!).deploy(3)).getAddress();
  const { deployment, parameters } = world;
  const deployedAt = Date.parse(genesis) / 1000;
  const chain = new RawChain(connection, deployedAt);
  // Past the first lock, and independent of the seconds that the deployment took.
  await chain.passTime(86_400);

  const signers = [...world.signers];
  const actor = (name: string): Actor => {
    const address = signers.shift()!.address.toLowerCase();
    return { name, address, wallet: testKey(world.signers.length - signers.length) };
  };
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
  const feed = { symbol: feedSymbol, aggregator, isDead: false };
  for (const { from, to, data } of priceCalls({ admin, deployment, feed }, firstPricesWad(), chain.nowSeconds)) {
    await chain.mustSend(from, to, data);
  }
  await chain.mustSend(admin.address, deployment.oracle, oracleInterface.encodeFunctionData("setPyth", [pyth]));
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
    operators: [keeper, stranger],
    feed,
    hostile: { address: hostile, conduct: 0 },
    spare,
    pyth,
    markets: parameters.markets.map((market) => ({
      symbol: market.symbol,
      firstPriceWad: wad(market.firstPrice),
      initialBaseWad: wad(market.initialBase),
      maintenanceBaseWad: wad(market.maintenanceBase),
      openInterestCapWad: wad(market.openInterestCap),
      capitalShareWad: wad(market.capitalShare),
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
    parameters,
    logs: await chain.request<RawLog[]>("eth_getLogs", filter),
  };
}
