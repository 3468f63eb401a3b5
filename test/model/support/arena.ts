import hre from "hardhat";

import type { DeploymentParameters } from "../../../deployments/schema.js";
import type { Connection } from "../../../ignition/deploy.js";
import { type AccountId, type Deployment, WAD, accountId, normalizeAccount, parseDecimal } from "../../../sdk/index.js";
import {
  LiquidityPool__factory,
  MarginVault__factory,
  MockToken__factory,
  PriceOracle__factory,
} from "../../../typechain-types/index.js";
import { changed, deployWorld, wad } from "../../helpers/world.js";
import { RawChain, type RawLog } from "../../invariants/support/chain.js";
import { insuranceId, poolId } from "../state.js";

export const vaultInterface = MarginVault__factory.createInterface();
export const poolInterface = LiquidityPool__factory.createInterface();
export const oracleInterface = PriceOracle__factory.createInterface();
const tokenInterface = MockToken__factory.createInterface();

/** An account that the sequences act for, or look at. */
export interface NamedAccount {
  readonly name: string;
  readonly id: AccountId;
  /** Of whoever may act for it. */
  readonly owner: string;
  readonly trades: boolean;
}

/** A deployment on a raw chain, thin enough that impact, caps, budgets and the pool's own margin matter. */
export interface Arena {
  readonly chain: RawChain;
  readonly connection: Connection;
  readonly deployment: Deployment;
  readonly parameters: DeploymentParameters;
  readonly admin: string;
  readonly keeper: NamedAccount;
  readonly accounts: readonly NamedAccount[];
  /** Settlement token, then the collaterals. */
  readonly tokens: readonly string[];
  /** All logs of the vault since its deployment. */
  readonly logs: readonly RawLog[];
}

const genesis = "2020-03-12T00:00:00Z";
/** Open-interest cap of every market in quote units. */
const capNotional = 600_000n;

const traders: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ann: { USDC: "20000" },
  bob: { WETH: "150", USDC: "500" },
  cid: { WBTC: "2", WETH: "40" },
  dot: { USDC: "60000" },
  eve: { USDC: "1500", WBTC: "0.25" },
  fay: { USDC: "4000" },
  gus: { USDC: "9000", WETH: "10" },
  hal: { USDC: "120" },
};

export async function openArena(): Promise<Arena> {
  const connection = await hre.network.create({ network: "demo", override: { initialDate: genesis } });
  const world = await deployWorld(connection, thin, "250000");
  const { deployment, parameters } = world;
  const chain = new RawChain(connection, Date.parse(genesis) / 1000);
  // Past the first lock, and independent of the seconds that the deployment took.
  await chain.passTime(86_400);
  const tokens = [deployment.settlementToken, ...deployment.collaterals];
  const admin = world.admin.address.toLowerCase();
  const signers = world.signers.map(({ address }) => address.toLowerCase());
  const named = (name: string, trades: boolean): NamedAccount => {
    const owner = signers.shift()!;
    return { name, id: accountId(owner), owner, trades };
  };
  const keeper = named("keeper", false);
  const accounts = Object.keys(traders).map((name) => named(name, true));
  for (const holder of [admin, keeper.owner, ...accounts.map(({ owner }) => owner)]) {
    for (const { address } of tokens) {
      const plenty = 10n ** 30n;
      await chain.mustSend(admin, address, tokenInterface.encodeFunctionData("mint", [holder, plenty]));
      for (const spender of [deployment.vault, deployment.pool]) {
        await chain.mustSend(holder, address, tokenInterface.encodeFunctionData("approve", [spender, plenty]));
      }
    }
  }
  const prices = parameters.markets.map(({ firstPrice }) => wad(firstPrice));
  await chain.mustSend(admin, deployment.oracle, pushData(parameters, prices, chain.nowSeconds));
  await chain.mustSend(admin, deployment.vault, vaultInterface.encodeFunctionData("refreshCapital"));
  for (const { name, id, owner } of accounts) {
    for (const [symbol, amount] of Object.entries(traders[name]!)) {
      const token = tokens.find((each) => each.symbol === symbol)!;
      const raw = parseDecimal(amount, token.decimals);
      const data = vaultInterface.encodeFunctionData("deposit", [id, token.address, raw]);
      await chain.mustSend(owner, deployment.vault, data);
    }
  }
  const special = (name: string, contract: string): NamedAccount => {
    return { name, id: accountId(contract), owner: contract.toLowerCase(), trades: false };
  };
  const fromBlock = `0x${deployment.fromBlock.toString(16)}`;
  return {
    chain,
    connection,
    deployment,
    parameters,
    admin,
    keeper,
    accounts: [...accounts, keeper, special(poolId, deployment.pool), special(insuranceId, deployment.vault)],
    tokens: tokens.map(({ address }) => address.toLowerCase()),
    logs: await chain.request<RawLog[]>("eth_getLogs", { address: deployment.vault, fromBlock, toBlock: "latest" }),
  };
}

function thin(parameters: DeploymentParameters): DeploymentParameters {
  const markets = parameters.markets.map((market): [string, { openInterestCap: string; skewScale: string }] => {
    const cap = capNotional / BigInt(market.firstPrice);
    const scale = (cap * WAD) / wad(market.maintenanceBase) + 1n; // the least that the cap allows
    return [market.symbol, { openInterestCap: String(cap), skewScale: String(scale) }];
  });
  const world = changed(parameters, {
    everyMarket: { openInterestSlope: "0.1" },
    markets: Object.fromEntries(markets),
    vault: { poolLockSeconds: "600", insuranceSeed: "500" },
  });
  return {
    ...world,
    collaterals: world.collaterals.map((collateral) => ({
      ...collateral,
      depositCap: "1000",
      concentrationStart: "0.15",
    })),
    cash: { ...world.cash, poolLossPerHour: "0.02", writeOffPerHour: "0.01" },
  };
}

/** Call data that publishes a price of each market, to it and to its collateral. */
export function pushData(
  { markets, collaterals }: DeploymentParameters,
  prices: readonly bigint[],
  at: number,
): string {
  const firstCollateral = 96;
  const ofCollaterals = collaterals.map(({ asset }) => markets.findIndex(({ symbol }) => symbol === asset));
  const assets = [...markets.keys(), ...collaterals.map((_, index) => firstCollateral + index)];
  const values = [...prices, ...ofCollaterals.map((market) => prices[market]!)];
  return oracleInterface.encodeFunctionData("push", [assets, values, at]);
}

export interface VaultEvent {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** What the vault told in these logs. */
export function eventsOf({ deployment }: Arena, logs: readonly RawLog[]): VaultEvent[] {
  const vault = deployment.vault.toLowerCase();
  return logs
    .filter(({ address }) => address.toLowerCase() === vault)
    .map((log) => {
      const parsed = vaultInterface.parseLog(log);
      if (parsed === null) throw new TypeError(`the vault's interface does not know the log ${log.topics[0]}`);
      return { name: parsed.name, args: parsed.args.toObject() };
    });
}

/** What the model calls the arena's accounts and tokens. */
export interface Names {
  account(id: unknown): string;
  /** Undefined: the settlement token. */
  collateral(token: unknown): number | undefined;
  readonly cashUnit: bigint;
}

export function namesOf({ deployment, tokens }: Arena): Names {
  const special = new Map<AccountId, string>([
    [accountId(deployment.pool), poolId],
    [accountId(deployment.vault), insuranceId],
  ]);
  return {
    account(id) {
      const normal = normalizeAccount(String(id));
      return special.get(normal) ?? normal;
    },
    collateral(token) {
      const at = tokens.indexOf(String(token).toLowerCase());
      if (at < 0) throw new RangeError(`no token ${String(token)}`);
      return at === 0 ? undefined : at - 1;
    },
    cashUnit: 10n ** BigInt(deployment.settlementToken.decimals),
  };
}
