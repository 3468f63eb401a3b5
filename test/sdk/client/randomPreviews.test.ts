import { expect } from "chai";
import { Result } from "ethers";
import hre from "hardhat";

import type { DeploymentParameters } from "../../../deployments/schema.js";
import type { Connection } from "../../../ignition/deploy.js";
import {
  type AccountId,
  type CallName,
  type ContractError,
  type PreviewedEvent,
  type State,
  decodeRevert,
  previewOf,
  readEvents,
  revertData,
} from "../../../sdk/index.js";
import { liquidationPrice } from "../../../sdk/explain/liquidationPrice.js";
import { explainHealth, sumOf } from "../../../sdk/explain/health.js";
import { type World, changed, deployWorld } from "../../helpers/world.js";
import { type Act, Crowd, type Emphasis } from "./crowd.js";
import { Draw } from "./drawing.js";

const gasLimit = 12_000_000n;

/** What a transaction came to. */
interface Outcome {
  readonly events: readonly PreviewedEvent[];
  readonly error: ContractError | undefined;
}

interface Chapter {
  readonly title: string;
  readonly seed: number;
  readonly transactions: number;
  readonly poolDeposit: string;
  readonly parameters: (parameters: DeploymentParameters) => DeploymentParameters;
  /** How likely a jump of a price goes against the pool; by default as likely as not. */
  readonly squeeze?: number;
  readonly emphasis?: Emphasis;
  /** Before which transactions LINK's end is announced, and comes. */
  readonly delisting?: { readonly announced: number; readonly due: number };
}

const chapters: readonly Chapter[] = [
  {
    title: "with a rich pool",
    seed: 1,
    transactions: 400,
    poolDeposit: "10000000",
    parameters: (parameters) => parameters,
  },
  {
    title: "with a pool and an insurance that are soon spent",
    seed: 2,
    transactions: 350,
    poolDeposit: "30000",
    parameters: (parameters) => ({
      ...changed(parameters, { vault: { insuranceSeed: "30" }, everyMarket: { capitalShare: "1" } }),
      cash: { ...parameters.cash, poolLossPerHour: "0.05", writeOffPerHour: "0.0001" },
    }),
    squeeze: 0.9,
    emphasis: { cover: 6, resolvePool: 8, absorb: 12, buyCollateral: 9 },
  },
  {
    title: "with a market that ends",
    seed: 3,
    transactions: 300,
    poolDeposit: "200000",
    parameters: (parameters) => changed(parameters, { vault: { insuranceSeed: "500" } }),
    delisting: { announced: 20, due: 150 },
    emphasis: { delist: 6, rampMarket: 4, rampCollateral: 6, rampAccounts: 4 },
  },
];

describe("previews of random transactions", () => {
  let connection: Connection;
  const tally = new Map<CallName, { went: number; reverted: number }>();
  const errors = new Map<string, number>();
  let turns = 0;

  before(async () => {
    connection = await hre.network.create();
  });

  for (const {
    title,
    seed,
    transactions,
    poolDeposit,
    parameters,
    delisting,
    squeeze = 0,
    emphasis = {},
  } of chapters) {
    it(`are what the chain does, ${title}`, async () => {
      const world = await deployWorld(connection, parameters, poolDeposit);
      const draw = new Draw(seed);
      const crowd = await Crowd.gather(world, draw, emphasis);
      const look = () => world.ballast.readState(crowd.accounts, { from: crowd.operator.address });
      let view = await look();
      for (let step = 1; step <= transactions; step += 1) {
        if (step === delisting?.announced) await crowd.announceDelisting("LINK");
        if (step === delisting?.due) await world.passTime(2 * 86_400);
        const seconds = await crowd.stir(view, squeeze);
        view = await look();
        if (step % 25 === 0) await expectTurn(world, view, crowd.withPosition(view));
        const act = await crowd.next(view);
        const told = `${title}, transaction ${step}: ${describeAct(act)}`;

        const state = await world.ballast.readState([], { calls: [act.call], from: act.from.address });
        await expectExplained(world, state, act, told);
        const at = state.block.timestamp + seconds;
        const preview = previewOf(state, act.call, { at, from: act.from.address });
        await connection.networkHelpers.time.setNextBlockTimestamp(at);
        const outcome = await send(world, act);

        expect(preview.timestamp, told).to.equal(BigInt(at));
        expect(plain(preview.error), told).to.deep.equal(plain(outcome.error));
        expect(preview.events, told).to.deep.equal(outcome.events);
        await expectAccount(world, preview.account, told);

        const counted = tally.get(act.call.name) ?? { went: 0, reverted: 0 };
        if (outcome.error === undefined) counted.went += 1;
        else counted.reverted += 1;
        tally.set(act.call.name, counted);
        if (outcome.error !== undefined) {
          errors.set(outcome.error.errorName, (errors.get(outcome.error.errorName) ?? 0) + 1);
        }
      }
    }).timeout(180_000);
  }

  it("were of every call, of both sorts, and many", () => {
    const counts = [...tally.values()];
    const went = counts.reduce((sum, each) => sum + each.went, 0);
    const reverted = counts.reduce((sum, each) => sum + each.reverted, 0);
    if (process.env["BALLAST_TALLY"] !== undefined)
      console.log(turns, Object.fromEntries(tally), Object.fromEntries(errors));
    expect(went + reverted).to.be.at.least(1_000);
    expect(turns).to.be.at.least(20);
    expect(went / (went + reverted)).to.be.at.least(0.15);
    expect(reverted / (went + reverted)).to.be.at.least(0.15);
    const never = [...tally].filter(([, each]) => each.went === 0).map(([name]) => name);
    expect(never, "never went through").to.deep.equal([]);
  });

  async function send(world: World, { call, from }: Act): Promise<Outcome> {
    const { to, data } = world.ballast.unsigned(call);
    try {
      const receipt = await (await from.sendTransaction({ to, data, gasLimit })).wait();
      if (receipt === null) throw new TypeError("the transaction is gone");
      const logs = await readEvents(world.ballast.provider, world.deployment, receipt.blockNumber, receipt.blockNumber);
      const events = logs.map(({ name, args }) => ({ name, args: named(args) }));
      return { events, error: undefined };
    } catch (error) {
      const revert = decodeRevert(revertData(error) ?? "0x");
      if (revert === undefined) throw error;
      return { events: [], error: revert };
    }
  }

  /** The items of an account's margin add up to the chain's figures. */
  async function expectExplained(world: World, state: State, { call }: Act, told: string): Promise<void> {
    const [account] = call.accounts;
    if (account === undefined) return;
    const health = await world.ballast.vault.health(account, { blockTag: state.block.number });
    const sum = sumOf(explainHealth(state, account).items);
    const names = Object.keys(sum) as (keyof typeof sum)[];
    expect(sum, told).to.deep.equal(Object.fromEntries(names.map((name) => [name, health[name]])));
  }

  /** At the price at which an account turns liquidatable it does, and one wei before it does not. */
  async function expectTurn(world: World, state: State, held: readonly [AccountId, string] | undefined): Promise<void> {
    if (held === undefined) return;
    const [account, market] = held;
    const at = state.block.timestamp + 1;
    const { isLiquidatable, below, above } = liquidationPrice(state, account, market, { at });
    const id = world.ballast.marketId(market);
    const isLiquidatableAt = async (priceWad: bigint) => {
      const start = await connection.networkHelpers.takeSnapshot();
      await connection.networkHelpers.time.setNextBlockTimestamp(at);
      await (await world.ballast.oracle.push([id], [priceWad], at)).wait();
      const health = await world.ballast.health(account);
      await start.restore();
      return health.isLiquidatable;
    };
    for (const [turn, before] of [[below, 1n] as const, [above, -1n] as const]) {
      if (turn === undefined) continue;
      const told = `${account} in ${market}, which turns at ${turn}`;
      expect(await isLiquidatableAt(turn), told).to.equal(!isLiquidatable);
      expect(await isLiquidatableAt(turn + before), told).to.equal(isLiquidatable);
      turns += 1;
    }
  }

  /** An account as the preview has it is as the chain has it. */
  async function expectAccount(
    world: World,
    account: ReturnType<typeof previewOf>["account"],
    told: string,
  ): Promise<void> {
    if (account === undefined) return;
    const { ballast } = world;
    expect(account.health, told).to.deep.equal(await ballast.health(account.account));
    expect(account.cashWad, told).to.equal(await ballast.cashOf(account.account));
    expect(account.positions, told).to.deep.equal(await ballast.positions(account.account));
    expect(account.collaterals, told).to.deep.equal(await ballast.collaterals(account.account));
  }

  /** Structs by the names of their fields. */
  function named(args: Readonly<Record<string, unknown>>): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(args).map(([name, value]) => [name, value instanceof Result ? value.toObject() : value]),
    );
  }

  function plain(error: ContractError | undefined) {
    return error === undefined ? undefined : { name: error.errorName, args: error.args };
  }

  function describeAct({ from, call }: Act): string {
    const text = JSON.stringify(call, (key, value: unknown) =>
      key === "data" ? undefined : typeof value === "bigint" ? value.toString() : value,
    );
    return `${text} by ${from.address}`;
  }
});
