import { JsonRpcProvider } from "ethers";
import hre from "hardhat";

import { deployBallast } from "../ignition/deploy.js";
import {
  type AccountId,
  Ballast,
  type Deployment,
  accountId,
  decodeMarketTotals,
  formatDecimal,
  normalizeAccount,
} from "../sdk/index.js";
import { MarginVault__factory } from "../typechain-types/index.js";
import { auditVault } from "./audit.js";
import { bankRun } from "./bankRun.js";
import { type Chain, startChain } from "./chain.js";
import type { Figures } from "./figures.js";
import { type KeeperStep, type KeeperTurn, Keepers, added, fundTakers, idleTurn } from "./keepers.js";
import { type LocalMarket, populate, pushRow, send } from "./market.js";
import { deploymentParameters } from "./parameters.js";
import type { PriceFile, PriceRow } from "./prices.js";
import type { StepReport } from "./report.js";
import type { Stress } from "./scenarios/gap.js";
import { SelfLiquidators } from "./self.js";
import { Watch } from "./watch.js";
import { readWaterfall } from "./waterfall.js";

export interface RunOptions {
  readonly scenario: string;
  readonly file: PriceFile;
  readonly accounts: number;
  readonly seed: number;
  readonly port?: number;
  /** What the scenario changes of the defaults. */
  readonly stress?: Stress;
  /** Whether the owners liquidate themselves through second accounts before the keeper has its turn (see SelfLiquidators). */
  readonly selfLiquidation?: boolean;
  /** Keepers with capital of their own, beside the one that has none; none by default. Their keys come after all others. */
  readonly takers?: number;
  createKeeper(
    rpcUrl: string,
    deployment: Deployment,
    privateKeyIndex: number,
    hasCapital: boolean,
  ): Promise<KeeperStep>;
  /** Hears of the set-up: a phase, and how far it is. */
  onProgress(phase: string, done: number, of: number): void;
  /** Hears of each step. */
  onStep(step: StepReport, stepNumber: number): void;
}

/** Time of the first step. Rows keep their distances, not their dates: no wall clock, and no calendar, enters the state. */
const firstStepSeconds = Date.UTC(2030, 0, 1) / 1000;
const genesisSeconds = firstStepSeconds - 86_400;
const keeperKey = 9;
const firstOwnerKey = 10;

/** Runs a price file from a fresh chain to its last row, and audits the books at the end. */
export async function run(options: RunOptions): Promise<Figures> {
  const { file, accounts, seed, takers = 0, stress } = options;
  const defaults = deploymentParameters(file);
  const parameters = stress === undefined ? defaults : stress.change(defaults);
  options.onProgress("build the contracts, where they have changed", 0, 1);
  await hre.tasks.getTask("build").run({ quiet: true, noTests: true });
  const startedAt = performance.now();
  // After the owners' keys, and those of their purses.
  const firstTakerKey = firstOwnerKey + accounts * (options.selfLiquidation === true ? 2 : 1);
  const chain = await startChain({
    genesisSeconds,
    accounts: firstTakerKey + takers,
    ...(options.port === undefined ? {} : { port: options.port }),
  });
  const provider = new JsonRpcProvider(chain.url, undefined, { staticNetwork: true, cacheTimeout: -1 });
  try {
    options.onProgress("deploy", 0, 1);
    const deployment = await deploy(chain, parameters);
    const keys = (await chain.request("eth_accounts")) as string[];
    const market: LocalMarket = { chain, deployment, keys, admin: keys[0] ?? "" };
    const takerKeys = Array.from({ length: takers }, (_, i) => firstTakerKey + i);
    const keepers = await Keepers.create(
      [...takerKeys, keeperKey].map((key) => () => options.createKeeper(chain.url, deployment, key, key !== keeperKey)),
      async () => Number(await chain.request("eth_blockNumber")),
    );
    try {
      const [firstRow] = file.rows;
      chain.setTime(firstStepSeconds);
      await pushRow(market, firstRow, firstStepSeconds);
      const population = await populate(market, parameters, firstRow.prices, { seed, accounts, stress }, (done) =>
        options.onProgress("accounts", done, accounts),
      );
      const takerAccounts = await fundTakers(market, takerKeys, population.poolSeedWad);
      const self =
        options.selfLiquidation === true
          ? await SelfLiquidators.create(
              { market, parameters, ballast: await Ballast.connect(provider, deployment) },
              population.accounts,
              firstOwnerKey + accounts,
              seed,
            )
          : undefined;
      const owned = [...population.accounts, ...(self?.purses ?? [])];
      const watch = new Watch(chain, deployment, [...owned, ...takerAccounts]);
      let liquidations = 0;
      let taken = 0;
      let absorbed = 0;
      let liquidatableLeft = 0;
      for (const [i, row] of file.rows.entries()) {
        const atSeconds = firstStepSeconds + row.atSeconds - firstRow.atSeconds;
        chain.setTime(atSeconds);
        if (i > 0) await pushRow(market, row, atSeconds);
        const own = await self?.act(new Set(await watch.liquidatable()));
        const turn = added(await keepers.step(), { ...idleTurn, ...own });
        const atEnd = await watch.liquidatable();
        const left = atEnd.length;
        if (i % stepsBetweenChecks === 0 || i === file.rows.length - 1) await watch.checkWithLens(atEnd);
        liquidations += turn.liquidations;
        taken += turn.taken;
        absorbed += turn.absorbed;
        liquidatableLeft += left;
        const acted = turn.liquidations + turn.absorbed > 0;
        options.onStep(
          await stepReport(row, turn, left, i === 0 || i === file.rows.length - 1 || acted || left > 0, watch),
          i,
        );
      }
      await sweep(market);
      const [funds, userEquityWad] = [await watch.funds(true), await watch.equityWad(owned)];
      const takerEquityWad = await watch.equityWad(takerAccounts);
      const run = stress?.bankRun === true ? await leave(provider, market, population.accounts) : undefined;
      const audit = await auditVault(provider, deployment);
      for (const finding of audit.findings) options.onProgress(`audit: ${finding}`, 0, 0);
      return {
        scenario: options.scenario,
        seed,
        steps: file.rows.length,
        accounts,
        markets: file.assets.length,
        opened: population.opened,
        refused: population.refused,
        liquidations,
        absorbed,
        liquidatableLeft,
        badDebt: formatDecimal(await badDebtWad(provider, deployment), 18),
        insurance: formatDecimal(funds.insuranceWad, 18),
        poolEquity: formatDecimal(funds.poolEquityWad, 18),
        userEquity: formatDecimal(userEquityWad, 18),
        takers,
        taken,
        takerEquity: formatDecimal(takerEquityWad, 18),
        waterfall: await readWaterfall(provider, deployment),
        custodyOk: audit.custodyOk,
        zeroSumOk: audit.zeroSumOk,
        ...self?.figures(),
        ...(run && { bankRun: run }),
        wallSeconds: Math.round((performance.now() - startedAt) / 100) / 10,
      };
    } finally {
      await keepers.close();
    }
  } finally {
    provider.destroy();
    await chain.close();
  }
}

/** Deploys as any operator would: over the network, with the node's first key. */
async function deploy(chain: Chain, parameters: ReturnType<typeof deploymentParameters>): Promise<Deployment> {
  const connection = await hre.network.create({ network: "localhost", override: { url: chain.url } });
  try {
    return await deployBallast(connection, parameters);
  } finally {
    await connection.close();
  }
}

/** At every such step, and at the last one, the count of liquidatable accounts is checked against the lens. */
const stepsBetweenChecks = 60;

interface CashView {
  readonly interestUnsweptWad: bigint;
}

async function stepReport(
  row: PriceRow,
  turn: KeeperTurn,
  liquidatableLeft: number,
  anew: boolean,
  watch: Watch,
): Promise<StepReport> {
  const { atRisk: accountsAtRisk, liquidations, taken, absorbed } = turn;
  return { row, accountsAtRisk, liquidations, taken, absorbed, liquidatableLeft, ...(await watch.funds(anew)) };
}

/** Lets everybody leave, the owners in their order. */
async function leave(provider: JsonRpcProvider, market: LocalMarket, accounts: readonly AccountId[]) {
  const owners = accounts.map((account, i) => ({ account, key: market.keys[firstOwnerKey + i] ?? "" }));
  return bankRun(market, await Ballast.connect(provider, market.deployment), owners);
}

/** Moves the insurance account's share of fees, in every market that has some, and of interest to its cash. */
async function sweep({ chain, deployment, admin }: LocalMarket): Promise<void> {
  const vault = MarginVault__factory.createInterface();
  const cashView = vault.encodeFunctionData("cashView");
  const cash = String(await chain.request("eth_call", [{ to: deployment.vault, data: cashView }, "latest"]));
  const [{ interestUnsweptWad }] = vault.decodeFunctionResult("cashView", cash) as unknown as [CashView];
  if (interestUnsweptWad > 0n) {
    await send(chain, admin, deployment.vault, vault.encodeFunctionData("sweepInterest"));
  }
  for (const id of deployment.markets.keys()) {
    const data = vault.encodeFunctionData("market", [id]);
    const answer = String(await chain.request("eth_call", [{ to: deployment.vault, data }, "latest"]));
    const [{ totals }] = vault.decodeFunctionResult("market", answer) as unknown as [{ totals: bigint }];
    if (decodeMarketTotals(totals).feesUnsweptWad === 0n) continue;
    await send(chain, admin, deployment.vault, vault.encodeFunctionData("sweepFees", [id]));
  }
}

/** What absorbed accounts could not pay at the price, whoever paid it. What the pool lacks when it is resolved is not counted: it may have paid for them. */
async function badDebtWad(provider: JsonRpcProvider, deployment: Deployment): Promise<bigint> {
  const vault = MarginVault__factory.connect(deployment.vault, provider);
  const paid = await vault.queryFilter(vault.getEvent("InsurancePaid"), deployment.fromBlock);
  const pool = accountId(deployment.pool);
  return paid.reduce((sum, { args }) => (normalizeAccount(args.account) === pool ? sum : sum + args.deficitWad), 0n);
}
