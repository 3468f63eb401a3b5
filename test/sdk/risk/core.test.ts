import { expect } from "chai";
import type { Result } from "ethers";
import hre from "hardhat";

import { type AccountId, accountId } from "../../../sdk/index.js";
import { ContractError } from "../../../sdk/risk/ContractError.js";
import * as MarginVault from "../../../sdk/risk/MarginVault.js";
import type { Vault } from "../../../sdk/risk/types/VaultStorage.js";
import { MarginVault__factory, MockToken__factory } from "../../../typechain-types/index.js";
import { type Random, randomStreams } from "../../../simulator/random.js";
import { type Signer, type World, deployWorld, thinEth, wad } from "../../helpers/world.js";
import { ChainVault, revertOf } from "./chainVault.js";

/** What a caller asks for: of the twin, and of the chain. */
interface Act {
  readonly name: string;
  readonly twin: MarginVault.Call;
  readonly data: string;
}

/** A struct as ethers decodes it, by its names. */
const named = (result: object): Record<string, unknown> => (result as Result).toObject();
const abi = MarginVault__factory.createInterface();
const max = 2n ** 256n - 1n;
const steps = 100;

describe("sdk/risk: the vault's core", () => {
  let world: World;
  let chain: ChainVault;
  let actors: Signer[];
  let accounts: AccountId[];
  let tokens: string[];
  let random: Random;

  const pick = <T>(list: readonly T[]): T => list[random.integer(0, list.length - 1)]!;
  const chance = (one: number) => random.integer(1, one) === 1;
  /** From a hundredth of the amount to ten times as much; now and then anything else. */
  const around = (amount: bigint): bigint => {
    if (chance(25)) return pick([0n, 1n, 2n ** 100n, 2n ** 128n - 1n, 2n ** 128n, 2n ** 255n - 1n]);
    return (amount * BigInt(Math.round(10 ** (6 + 3 * random.uniform())))) / 10n ** 8n + BigInt(random.integer(0, 9));
  };

  before(async () => {
    world = await deployWorld(await hre.network.create(), (parameters) =>
      thinEth(parameters, {
        everyMarket: { maxFundingVelocityPerDay2: "9" },
        markets: { ETH: { skewScale: "8111.123456789", openInterestCap: "240" } },
      }),
    );
    actors = world.signers.slice(0, 3);
    accounts = actors.flatMap(({ address }) => [accountId(address), accountId(address, 1)]);
    tokens = [world.deployment.settlementToken, ...world.deployment.collaterals].map(({ address }) => address);
    for (const actor of actors) {
      for (const token of tokens) {
        const mock = MockToken__factory.connect(token, actor);
        await (await mock.mint(actor.address, 2n ** 200n)).wait();
        await (await mock.approve(world.deployment.vault, max)).wait();
      }
      await world.fund(actor, { USDC: "20000", WETH: "5" });
    }
    const { pool, vault } = world.deployment;
    const cast = [...accounts, accountId(pool), accountId(vault)];
    chain = new ChainVault(world, { accounts: cast, owners: actors.map(({ address }) => address.toLowerCase()) });
  });

  /** Draws an act; `data` is what the chain is asked, `twin` what the twin is. */
  function draw(caller: Signer): Act {
    // Mostly one of the caller's own.
    const account = chance(8) ? pick(accounts) : accountId(caller.address, random.integer(0, 1));
    const token = pick([tokens[0]!, ...tokens]);
    const amount = around(token === tokens[0] ? 1_000_000_000n : 10n ** 17n);
    const lower = token.toLowerCase();
    const to = pick(actors).address;
    const other = chance(4) ? account : pick(accounts);
    const market = chance(30) ? 90 : pick([0, 1, 1, 2]);
    const size = (chance(2) ? 1n : -1n) * around(wad(["0.5", "10", "500"][market] ?? "1"));
    const limit = chance(5) ? wad("200") : 0n;
    const deadline = chance(30) ? 1n : max;
    const victim = pick(accounts);
    const taker = chance(2) ? accountId(world.deployment.pool) : account;
    const whole = chance(2) ? max : size < 0n ? -size : size;
    const mode = BigInt(pick([0, 0, 0, 1, 2]));
    const operator = pick(actors).address;
    const permissions = BigInt(pick([0, 31, 31, 15, 99]));
    const act = (name: string, args: unknown[], twin: MarginVault.Call): Act => ({
      name,
      twin,
      data: abi.encodeFunctionData(name as "trade", args as never),
    });
    const acts: (() => Act)[] = [
      () => act("deposit", [account, token, amount], ($, code) => MarginVault.deposit($, code, account, lower, amount)),
      () =>
        act("withdraw", [account, token, amount, to], ($, code) =>
          MarginVault.withdraw($, code, account, lower, amount, to.toLowerCase()),
        ),
      () =>
        act("transfer", [account, other, token, amount], ($, code) =>
          MarginVault.transfer($, code, account, other, lower, amount),
        ),
      () => act("settle", [account, market], ($, code) => MarginVault.settle($, code, account, market)),
      () => act("setMode", [account, mode], ($, code) => MarginVault.setMode($, code, account, mode)),
      () =>
        act("setOperator", [account, operator, permissions], ($, code) =>
          MarginVault.setOperator($, code, account, operator.toLowerCase(), permissions),
        ),
      () => act("revokeSignatures", [], MarginVault.revokeSignatures),
      () => act("sweepFees", [market], ($, code) => MarginVault.sweepFees($, code, market)),
      () => act("sweepInterest", [], MarginVault.sweepInterest),
      () => act("cover", [], MarginVault.cover),
      () =>
        act("liquidatePosition", [victim, market, whole, taker], ($, code) =>
          MarginVault.liquidatePosition($, code, victim, market, whole, taker),
        ),
      () =>
        act("liquidateCollateral", [victim, token, amount, account], ($, code) =>
          MarginVault.liquidateCollateral($, code, victim, lower, amount, account),
        ),
      () =>
        act("absorb", [[victim, other], account], ($, code) => MarginVault.absorb($, code, [victim, other], account)),
      () =>
        act("buyCollateral", [account, token, amount, max], ($, code) =>
          MarginVault.buyCollateral($, code, account, lower, amount, max),
        ),
      () => act("refreshCapital", [], MarginVault.refreshCapital),
    ];
    const trade = () =>
      act("trade", [account, market, size, limit, deadline], ($, code) =>
        MarginVault.trade($, code, account, market, size, limit, deadline),
      );
    if (chance(8)) {
      const calls = Array.from({ length: random.integer(0, 3) }, () => draw(caller));
      const data = calls.map((call) => call.data);
      return act("multicall", [data], ($, code) =>
        MarginVault.multicall(
          $,
          code,
          calls.map(({ twin }) => twin),
        ),
      );
    }
    return chance(2) ? trade() : pick(acts)();
  }

  for (const seed of [1, 2]) {
    it(`does what the chain does, with the same events and errors (seed ${seed})`, async () => {
      random = randomStreams(seed, 1)[0]!;
      const outcomes = new Map<string, number>();
      for (let step = 0; step < steps; step++) {
        if (chance(4))
          await world.push({
            BTC: `${random.integer(7000, 9000)}.${random.integer(1, 999)}`,
            ETH: `${random.integer(150, 250)}.${random.integer(1, 999)}`,
            LINK: "4",
          });
        if (chance(15)) await (await world.ballast.vault.refreshCapital()).wait();
        if (chance(40)) await (await world.ballast.vault[pick(["haltBorrowing", "resumeBorrowing"] as const)]()).wait();
        if (chance(80)) await world.passTime(random.integer(1, 100_000));
        const caller = pick(actors);
        const outcome = await compare(caller, draw(caller), `seed ${seed}, step ${step}`);
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }
      const done = [...outcomes.keys()].filter((outcome) => outcome.endsWith(": done"));
      expect(done.length, done.join(" ")).to.be.greaterThan(7);
    });
  }

  /** One act in both; what came of it. */
  async function compare(caller: Signer, act: Act, step: string): Promise<string> {
    const { connection, deployment } = world;
    const stored = await chain.read();
    const now = (await connection.networkHelpers.time.latest()) + random.integer(1, 60);
    await connection.networkHelpers.time.setNextBlockTimestamp(now);
    const code = await chain.code();
    const $ = stored.fork(BigInt(now), caller.address.toLowerCase());
    await compareViews($, code, step);

    const says = `${step}: ${act.name}`;
    let told: ContractError | undefined;
    try {
      act.twin($, code);
    } catch (error) {
      if (!(error instanceof ContractError)) throw error;
      told = error;
    }
    try {
      await (await caller.sendTransaction({ to: deployment.vault, data: act.data, gasLimit: 15_000_000n })).wait();
    } catch (error) {
      const { errorName, args } = revertOf(error);
      expect({ errorName: told?.errorName, args: told?.args }, says).to.deep.equal({ errorName, args });
      expect(Object.keys(told?.args ?? {}), says).to.deep.equal(Object.keys(args));
      return `${act.name}: ${errorName}`;
    }
    expect(told, says).to.equal(undefined);
    expect($.events, says).to.deep.equal(await chain.events());
    expect(chain.words($), says).to.deep.equal(chain.words(await chain.read()));
    return `${act.name}: done`;
  }

  async function compareViews($: Vault, code: MarginVault.VaultCode, step: string): Promise<void> {
    const { vault } = world.ballast;
    const at = { blockTag: "pending" } as const;
    const all = [...accounts, code.pool, code.insurance];
    const healths = await vault.healths(all, at);
    expect(MarginVault.healths($, code, all), step).to.deep.equal(healths.map(named));
    const account = pick(all);
    const market = pick([0, 1, 2]);
    expect(MarginVault.health($, code, account), step).to.deep.equal(named(await vault.health(account, at)));
    expect(MarginVault.position($, code, account, market), step).to.deep.equal(
      named(await vault.position(account, market, at)),
    );
    expect(MarginVault.cash($, code, account), step).to.equal(await vault.cash(account, at));
    expect(MarginVault.poolValue($, code), step).to.deep.equal([...(await vault.poolValue(at))]);
  }
});
