import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";

import hre from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";

import type { DeploymentParameters } from "../deployments/schema.js";
import {
  type Deployment,
  assetPrices,
  collateralAsset,
  decodeCapital,
  marketAsset,
  parseDecimal,
  withDecodedErrors,
} from "../sdk/index.js";
import {
  type MarginVault,
  MarginVault__factory,
  MockToken__factory,
  type PriceOracle,
  PriceOracle__factory,
} from "../typechain-types/index.js";
import { isSetUp, openFeeds, watchSequencer, withFeeds } from "./feeds.js";
import { mined } from "./mined.js";
import Ballast from "./modules/Ballast.js";
import { assignRoles, localChainId, requireDelays, requireMayList } from "./power.js";

export type Connection = NetworkConnection<"generic">;

export { localChainId };

/** A token without an address, on a chain that is not the local one. */
export class TokenAddressMissingError extends Error {
  override readonly name = "TokenAddressMissingError";
  readonly symbol: string;

  constructor(symbol: string, chainId: number) {
    super(`chain ${chainId} is not the local chain: give ${symbol} an "address" in parameters.json`);
    this.symbol = symbol;
  }
}

type Signer = Awaited<ReturnType<Connection["ethers"]["getSigners"]>>[number];

/**
 * Deploys Ballast with the first signer, lists what the parameters name, and gives the roles to whom they name. `existing`, where
 * its contracts still stand on this chain, is brought up to the parameters instead: only what is not listed yet is added, and nothing
 * is deployed twice. Throws DelayTooShortError before anything is sent, and MayNotListError where the signer may no longer list.
 */
export async function deployBallast(
  connection: Connection,
  parameters: DeploymentParameters,
  existing?: Deployment,
): Promise<Deployment> {
  const [admin] = await connection.ethers.getSigners();
  if (admin === undefined) throw new TypeError(`network ${connection.networkName} has no signer: give it an account`);
  requireDelays(parameters.power, Number((await connection.ethers.provider.getNetwork()).chainId));
  const standing = existing !== undefined && (await stands(connection, existing)) ? existing : undefined;
  const deployment =
    standing === undefined
      ? await deployContracts(connection, parameters, admin)
      : await withNewListings(standing, parameters, admin);
  await withDecodedErrors(() => listEverything(deployment, parameters, admin));
  await withDecodedErrors(() => assignRoles(deployment, parameters.power, admin));
  return withFeeds(deployment, admin);
}

async function stands(connection: Connection, { chainId, vault, pool }: Deployment): Promise<boolean> {
  const { provider } = connection.ethers;
  if ((await provider.getNetwork()).chainId !== BigInt(chainId)) return false;
  if ((await provider.getCode(vault)) === "0x") return false;
  return (await MarginVault__factory.connect(vault, provider).pool()) === pool;
}

/** A deployment that stands, with the markets and collaterals that the parameters add at the end of its lists. */
async function withNewListings(
  standing: Deployment,
  { markets, collaterals }: DeploymentParameters,
  admin: Signer,
): Promise<Deployment> {
  const added = collaterals.slice(standing.collaterals.length);
  return {
    ...standing,
    collaterals: [...standing.collaterals, ...(await collateralEntries(added, standing.chainId, admin))],
    markets: markets.map(({ symbol }) => ({ symbol })),
  };
}

async function collateralEntries(
  collaterals: DeploymentParameters["collaterals"],
  chainId: number,
  admin: Signer,
): Promise<Deployment["collaterals"]> {
  const entries = [];
  for (const collateral of collaterals)
    entries.push({ ...(await token(collateral, chainId, admin)), asset: collateral.asset });
  return entries;
}

async function deployContracts(
  connection: Connection,
  parameters: DeploymentParameters,
  admin: Signer,
): Promise<Deployment> {
  const { provider } = connection.ethers;
  const chainId = Number((await provider.getNetwork()).chainId);
  const isLocal = chainId === localChainId;
  const fromBlock = await provider.getBlockNumber();
  const settlementToken = await token(parameters.settlementToken, chainId, admin);
  const collaterals = await collateralEntries(parameters.collaterals, chainId, admin);

  // A journal lets a deployment to a lasting chain go on where it broke off. The local chain forgets: there it would only mislead.
  const journal = isLocal ? `local-${randomUUID()}` : `${connection.networkName}-${chainId}`;
  const { manager, oracle, vault, pool, lens } = await connection.ignition.deploy(Ballast, {
    parameters: {
      Ballast: {
        settlementToken: settlementToken.address,
        poolLockSeconds: parameters.vault.poolLockSeconds,
      },
    },
    deploymentId: journal,
    ...(isLocal ? { config: { requiredConfirmations: 1, blockPollingInterval: 50 } } : {}),
  });
  if (isLocal) await rm(join(hre.config.paths.ignition, "deployments", journal), { recursive: true, force: true });
  const addressOf = async (contract: { getAddress(): Promise<string> }) => contract.getAddress();
  return {
    chainId,
    fromBlock,
    manager: await addressOf(manager),
    oracle: await addressOf(oracle),
    vault: await addressOf(vault),
    pool: await addressOf(pool),
    lens: await addressOf(lens),
    settlementToken,
    collaterals,
    markets: parameters.markets.map(({ symbol }) => ({ symbol })),
  };
}

/** A token as the parameters name it; on the local chain a mock stands in for one without an address. */
async function token(
  { symbol, address, decimals }: DeploymentParameters["settlementToken"],
  chainId: number,
  admin: Signer,
): Promise<Deployment["settlementToken"]> {
  if (address !== undefined) return { symbol, address, decimals: Number(decimals) };
  if (chainId !== localChainId) throw new TokenAddressMissingError(symbol, chainId);
  const mock = await new MockToken__factory(admin).deploy(`Mock ${symbol}`, symbol, Number(decimals));
  await mock.waitForDeployment();
  return { symbol, address: await mock.getAddress(), decimals: Number(decimals) };
}

/**
 * Sets what has never been set and lists what is not listed, in the order of the parameters. Sends only what is not so yet, by what the
 * chain says, so that it goes on wherever it broke off. Nothing is listed before the sequencer is watched and insurance has its seed.
 */
async function listEverything(deployment: Deployment, parameters: DeploymentParameters, admin: Signer): Promise<void> {
  const vault = MarginVault__factory.connect(deployment.vault, admin);
  const oracle = PriceOracle__factory.connect(deployment.oracle, admin);
  const [markets, collaterals] = (await vault.totals()).slice(0, 2).map(Number) as [number, number];
  const newMarkets = parameters.markets.slice(markets);
  const newCollaterals = parameters.collaterals.slice(collaterals);
  const hasParameters = (await vault.accountRisk()) !== 0n && (await vault.cashView()).terms !== 0n;
  // Once something is listed, what insurance lacks may be a loss, which no deployment makes good.
  const seed = markets + collaterals === 0 ? await owedSeed(vault, deployment, parameters) : 0n;
  const isListed = newMarkets.length + newCollaterals.length === 0;
  if (!isListed || !hasParameters || seed !== 0n || !(await isSetUp(oracle, parameters))) {
    await requireMayList(deployment, admin);
    await watchSequencer(oracle, parameters);
    if ((await vault.accountRisk()) === 0n) await mined(vault.setAccountParameters(accountParameters(parameters)));
    if ((await vault.cashView()).terms === 0n) await mined(vault.setCashParameters(cashParameters(parameters)));
    await payIn(vault, deployment, parameters, admin, newMarkets.length, seed);
    await openFeeds(oracle, parameters, [
      ...newMarkets.map(({ symbol }, i) => ({ asset: marketAsset(markets + i), symbol })),
      ...newCollaterals.map(({ asset }, i) => ({ asset: collateralAsset(collaterals + i), symbol: asset })),
    ]);
    for (const market of newMarkets) await mined(vault.listMarket(marketParameters(market)));
    for (const [i, collateral] of newCollaterals.entries()) {
      const token = deployment.collaterals[collaterals + i]?.address ?? "";
      await mined(vault.listCollateral(token, collateralParameters(collateral)));
    }
  }
  if (decodeCapital(await vault.capital()).takenAt === 0) await mined(vault.refreshCapital());
}

/** What the insurance account is to start with (raw), unless it has as much. */
async function owedSeed(
  vault: MarginVault,
  { settlementToken: { decimals } }: Deployment,
  parameters: DeploymentParameters,
): Promise<bigint> {
  const has = await vault.cash(await vault.insuranceAccount());
  return has < wad(parameters.vault.insuranceSeed) ? parseDecimal(parameters.vault.insuranceSeed, decimals) : 0n;
}

/** Deposits the insurance account's seed, and lets the vault take the reserve of each market that will be listed. */
async function payIn(
  vault: MarginVault,
  { settlementToken: { address, decimals } }: Deployment,
  parameters: DeploymentParameters,
  admin: Signer,
  newMarkets: number,
  seed: bigint,
): Promise<void> {
  const amount = seed + parseDecimal("1", decimals) * BigInt(newMarkets);
  if (amount === 0n) return;
  const cash = MockToken__factory.connect(address, admin);
  if (parameters.settlementToken.address === undefined) await mined(cash.mint(admin.address, amount));
  await mined(cash.approve(await vault.getAddress(), amount));
  if (seed !== 0n) await mined(vault.deposit(await vault.insuranceAccount(), address, seed));
}

const wad = (text: string) => parseDecimal(text, 18);

export function marketParameters(market: DeploymentParameters["markets"][number]) {
  return {
    initialBaseWad: wad(market.initialBase),
    maintenanceBaseWad: wad(market.maintenanceBase),
    profitWeightWad: wad(market.profitWeight),
    lambdaInitialWad: wad(market.lambdaInitial),
    lambdaMaintenanceWad: wad(market.lambdaMaintenance),
    maxFundingRatePerDayWad: wad(market.maxFundingRatePerDay),
    maxFundingVelocityPerDay2Wad: wad(market.maxFundingVelocityPerDay2),
    maxFundingGapSeconds: BigInt(market.maxFundingGapSeconds),
    skewScaleWad: wad(market.skewScale),
    openInterestCapWad: wad(market.openInterestCap),
    minimumSizeWad: wad(market.minimumSize),
    takerRateWad: wad(market.takerRate),
    makerRateWad: wad(market.makerRate),
    capitalShareWad: wad(market.capitalShare),
    openInterestSlopeWad: wad(market.openInterestSlope),
    discountBaseWad: wad(market.discountBase),
    discountSlopeWad: wad(market.discountSlope),
    discountCapWad: wad(market.discountCap),
  };
}

/** What the vault's word holds of a deposit cap. */
const largestDepositCap = 2n ** 96n - 1n;

export function collateralParameters(collateral: DeploymentParameters["collaterals"][number]) {
  const { depositCap, decimals } = collateral;
  return {
    initialWeightWad: wad(collateral.weightInitial),
    maintenanceWeightWad: wad(collateral.weightMaintenance),
    depositCap: depositCap === undefined ? largestDepositCap : parseDecimal(depositCap, Number(decimals)),
    concentrationStartWad: wad(collateral.concentrationStart),
    discountBaseWad: wad(collateral.discountBase),
    discountSlopeWad: wad(collateral.discountSlope),
    discountCapWad: wad(collateral.discountCap),
  };
}

export function accountParameters({ vault }: DeploymentParameters) {
  return {
    debtMarginWad: wad(vault.debtMargin),
    targetHealthWad: wad(vault.targetHealth),
    absorbHealthWad: wad(vault.absorbHealth),
    absorbPenaltyWad: wad(vault.absorbPenalty),
    keeperShareWad: wad(vault.forcedFeeShareKeeper),
    insuranceShareWad: wad(vault.forcedFeeShareInsurance),
    insuranceFeeShareWad: wad(vault.insuranceFeeShare),
    keeperFloorWad: wad(vault.keeperFloor),
    minimumDebtWad: wad(vault.minimumDebt),
    absorbRewardFloorWad: wad(vault.absorbRewardFloor),
    absorbRewardPerHourWad: wad(vault.absorbRewardPerHour),
    capitalMaxAgeSeconds: BigInt(vault.capitalMaxAgeSeconds),
  };
}

export function cashParameters({ cash }: DeploymentParameters) {
  return {
    kinkWad: wad(cash.kink),
    rateAtZeroWad: wad(cash.rateAtZero),
    rateAtKinkWad: wad(cash.rateAtKink),
    rateAtFullWad: wad(cash.rateAtFull),
    reserveFactorWad: wad(cash.reserveFactor),
    poolLossPerHourWad: wad(cash.poolLossPerHour),
    writeOffPerHourWad: wad(cash.writeOffPerHour),
  };
}

/** Publishes prices (wad, by symbol) as of `publishedAt` to every push-fed asset that has them. */
export async function pushPrices(
  oracle: PriceOracle,
  deployment: Deployment,
  pricesWad: ReadonlyMap<string, bigint>,
  publishedAt: number,
) {
  const pushed = assetPrices(deployment, pricesWad);
  return oracle.push(pushed.assets, pushed.pricesWad, publishedAt);
}
