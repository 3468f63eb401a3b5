import { expect } from "chai";

import type { DeploymentParameters } from "../../deployments/schema.js";
import { type Connection, marketParameters } from "../../ignition/deploy.js";
import { type AccountId, type BallastEvent, accountId } from "../../sdk/index.js";
import { type MarginVault, MarginVault__factory, MockToken__factory } from "../../typechain-types/index.js";
import { type Changes, type Signer, type World, deployWorld, roundFigures, wad } from "./world.js";

/** What to change in `lossParameters` besides: parameters of cash. */
export interface LossChanges extends Changes {
  readonly cash?: Partial<DeploymentParameters["cash"]>;
}

/** `roundFigures` without interest, so that a debt is the same a second later; and little insurance. */
export function lossParameters(parameters: DeploymentParameters, changes: LossChanges = {}): DeploymentParameters {
  const round = roundFigures(parameters, { ...changes, vault: { insuranceSeed: "50", ...changes.vault } });
  return { ...round, cash: { ...round.cash, rateAtZero: "0", rateAtKink: "0", rateAtFull: "0", ...changes.cash } };
}

type Sent = Promise<{ wait(): Promise<unknown> }>;

/** A world with a keeper in it, and short ways to act. */
export interface Stage {
  readonly world: World;
  /** As the keeper calls it. */
  readonly vault: MarginVault;
  readonly keeper: Signer;
  readonly keeperAccount: AccountId;
  readonly pool: AccountId;
  readonly insurance: AccountId;
  /** An account with cash (of signer `who`, from 0) and a position of each of these markets. */
  open(who: number, cash: string, positions: Readonly<Record<string, string>>, index?: number): Promise<AccountId>;
  trade(account: AccountId, market: string, size: string | bigint): Promise<void>;
  settle(account: AccountId, market: string): Promise<void>;
  /** Withdraws raw units of the settlement token to the owner. */
  withdraw(account: AccountId, raw: bigint): Promise<void>;
  absorb(...accounts: AccountId[]): Promise<BallastEvent[]>;
  events(act: () => Sent): Promise<BallastEvent[]>;
  /** Lets the prices of these assets become stale for good: a market's id, or 96 and a collateral's index. */
  kill(...assets: number[]): Promise<void>;
  size(account: AccountId, market: string): Promise<bigint>;
  value(account: AccountId, market: string): Promise<bigint>;
  balanceOf(owner: string): Promise<bigint>;
}

export function stage(world: World): Stage {
  const keeper = world.signers.at(-1);
  if (keeper === undefined) throw new TypeError("the network has no signer for a keeper");
  const vault = MarginVault__factory.connect(world.deployment.vault, keeper);
  const id = (market: string) => world.ballast.marketId(market);
  const ownerOf = (account: AccountId) => {
    const owner = [world.admin, ...world.signers].find(({ address }) =>
      account.toLowerCase().startsWith(address.toLowerCase()),
    );
    if (owner === undefined) throw new TypeError(`no signer owns ${account}`);
    return owner;
  };
  const signer = (who: number) => world.signers[who] ?? world.admin;
  const events = async (act: () => Sent) => {
    const from = (await world.ballast.provider.getBlockNumber()) + 1;
    await (await act()).wait();
    return world.ballast.events(from);
  };
  const here: Stage = {
    world,
    vault,
    keeper,
    keeperAccount: accountId(keeper.address),
    pool: accountId(world.deployment.pool),
    insurance: accountId(world.deployment.vault),
    async open(who, cash, positions, index = 0) {
      const account = await world.fund(signer(who), { USDC: cash }, index);
      for (const [market, size] of Object.entries(positions)) await here.trade(account, market, size);
      return account;
    },
    async trade(account, market, size) {
      await (await world.as(ownerOf(account))).trade(account, market, size);
    },
    async settle(account, market) {
      await (await vault.settle(account, id(market))).wait();
    },
    async withdraw(account, raw) {
      const owner = ownerOf(account);
      const { address } = world.deployment.settlementToken;
      await (await vault.connect(owner).withdraw(account, address, raw, owner.address)).wait();
    },
    absorb: (...accounts) => events(() => vault.absorb(accounts, here.keeperAccount)),
    events,
    async kill(...assets) {
      for (const asset of assets) await (await world.ballast.oracle.setPushFeed(asset, wad("0.001"), 60)).wait();
      await world.passTime(61);
    },
    size: async (account, market) => (await vault.position(account, id(market))).sizeWad,
    value: async (account, market) => (await vault.position(account, id(market))).valueWad,
    balanceOf: (owner) =>
      MockToken__factory.connect(world.deployment.settlementToken.address, world.admin).balanceOf(owner),
  };
  return here;
}

export async function deployStage(
  connection: Connection,
  changes: LossChanges = {},
  poolDeposit = "10000",
): Promise<Stage> {
  return stage(await deployWorld(connection, (parameters) => lossParameters(parameters, changes), poolDeposit));
}

/** The arguments of the one event of this name. */
export function argsOf(events: readonly BallastEvent[], name: string): Record<string, bigint> {
  const found = allArgsOf(events, name);
  expect(found.length, `${name} in ${events.map((event) => event.name).join(" ")}`).to.equal(1);
  return found[0] as Record<string, bigint>;
}

export function allArgsOf(events: readonly BallastEvent[], name: string): Record<string, bigint>[] {
  return events.filter((event) => event.name === name).map(({ args }) => args as Record<string, bigint>);
}

/** Sets some parameters of a market anew. */
export async function setMarket(
  { world }: Stage,
  symbol: string,
  change: Partial<ReturnType<typeof marketParameters>>,
): Promise<void> {
  const listed = world.parameters.markets.find((market) => market.symbol === symbol);
  if (listed === undefined) throw new TypeError(`no market ${symbol}`);
  const id = world.ballast.marketId(symbol);
  await (await world.ballast.vault.setMarketParameters(id, { ...marketParameters(listed), ...change })).wait();
}
