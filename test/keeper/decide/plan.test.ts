import { expect } from "chai";

import { type Policy, plan } from "../../../keeper/decide/plan.js";
import type { TakerSide } from "../../../keeper/decide/steps.js";
import type { Books } from "../../../keeper/decide/trial.js";
import type { Liquidatable } from "../../../keeper/detect/index.js";
import type { Plan, PlannedCall } from "../../../keeper/index.js";
import { type AccountId, accountId, readState } from "../../../sdk/index.js";
import * as MarginVault from "../../../sdk/risk/MarginVault.js";
import * as Margin from "../../../sdk/risk/libraries/Margin.js";
import { type World, createWorld, deployWorld, thinEth, wad, withoutInterest } from "../../helpers/world.js";
import hre from "hardhat";
import { keeperIndex, liquidatableByLens } from "../scene.js";

const free: Pick<Policy, "profit" | "gas"> = {
  profit: { minimumProfitWad: 0n, unknownProfit: "act" },
  gas: { gasPriceWei: undefined, tokenPriceWad: undefined },
};

/** What the chain shows of these accounts, and who of them is liquidatable. */
async function look(world: World, accounts: readonly AccountId[], taker?: AccountId) {
  const { address } = world.signers[keeperIndex]!;
  const read = taker === undefined ? accounts : [...accounts, taker];
  const state = await readState(world.ballast.provider, world.deployment, read, { from: address });
  const books: Books = state.at(state.block.timestamp, address);
  const healths = MarginVault.healths(books.$, books.code, accounts);
  const found = accounts.flatMap((account, i): Liquidatable[] =>
    Margin.isLiquidatable(healths[i]!) ? [{ account, health: healths[i]! }] : [],
  );
  const policy: Policy = { keeperAccount: accountId(address), vault: world.deployment.vault, ...free };
  return { books, found, policy };
}

/** Sends the calls of a plan in their order: all of them must go through. */
async function carryOut(world: World, { calls }: Plan): Promise<void> {
  for (const { to, data } of calls) await (await world.signers[keeperIndex]!.sendTransaction({ to, data })).wait();
}

const brief = ({ kind, accounts, story }: PlannedCall) => [kind, accounts[0], story["market"] ?? story["token"]];

async function enter(
  world: World,
  owner: number,
  cash: string,
  positions: Readonly<Record<string, string>>,
  index = 0,
) {
  const signer = world.signers[owner]!;
  const account = await world.fund(signer, { USDC: cash }, index);
  for (const [market, size] of Object.entries(positions)) await (await world.as(signer)).trade(account, market, size);
  return account;
}

describe("keeper/decide/plan", () => {
  it("plans for everybody at once what the chain then does, call by call, until nobody is left who is not skipped", async () => {
    const world = await createWorld();
    const accounts: AccountId[] = [];
    const owners = [0, 1, 2, 3, 4, 5, 6, 7];
    for (const owner of owners) {
      accounts.push(await enter(world, owner, "1000", { BTC: owner % 2 === 0 ? "1.4" : "-1.2" }));
      accounts.push(await enter(world, owner, "1000", { BTC: "0.6", ETH: owner % 3 === 0 ? "-15" : "15" }, 1));
    }
    await world.push({ BTC: "7200", ETH: "171" });
    const { books, found, policy } = await look(world, accounts);
    expect(found.length).to.be.above(6);
    const made = plan(books, found, policy);
    expect(new Set(made.calls.map(({ kind }) => kind))).to.deep.equal(new Set(["liquidate", "absorb"]));
    const called = new Set(made.calls.flatMap((call) => call.accounts));
    const skipped = made.skips.map(({ account }) => account);
    expect([...called, ...skipped].toSorted()).to.deep.equal(found.map(({ account }) => account).toSorted());
    await carryOut(world, made);
    expect(await liquidatableByLens(world)).to.have.members(skipped);
  });

  it("leaves its input alone, and takes those first that are furthest below", async () => {
    const world = await createWorld();
    const less = await enter(world, 0, "1050", { BTC: "1.4" });
    const more = await enter(world, 1, "1000", { BTC: "1.4" });
    await world.push({ BTC: "7480" });
    const { books, found, policy } = await look(world, [less, more]);
    const before = found.map(({ account }) => account);
    const { calls } = plan(books, found, policy);
    expect(calls.map(brief)).to.deep.equal([
      ["liquidate", more, 0],
      ["liquidate", less, 0],
    ]);
    expect(found.map(({ account }) => account)).to.deep.equal(before);
  });

  it("closes first what costs the account least: what shrinks the skew before what grows it", async () => {
    const world = await deployWorld(await hre.network.create(), (parameters) => withoutInterest(thinEth(parameters)));
    // Of thin ETH the account is what outweighs; of BTC it is against the skew.
    await enter(world, 1, "100000", { BTC: "-8" });
    const account = await enter(world, 0, "1000", { ETH: "20", BTC: "0.7" });
    await world.push({ BTC: "7600", ETH: "175" });
    const { books, found, policy } = await look(world, [account]);
    const { calls } = plan(books, found, policy);
    expect(brief(calls[0]!)).to.deep.equal(["liquidate", account, 1]);
  });

  it("absorbs only whom no part saves", async () => {
    const world = await createWorld();
    const saved = await enter(world, 0, "1000", { BTC: "1.4" });
    const lost = await enter(world, 1, "1000", { BTC: "1.6" });
    await world.push({ BTC: "7395" });
    const { books, found, policy } = await look(world, [saved, lost]);
    const { calls, skips } = plan(books, found, policy);
    expect(calls.map(brief)).to.deep.equal([
      ["liquidate", saved, 0],
      ["absorb", lost, undefined],
    ]);
    expect(skips).to.deep.equal([]);
  });

  it("plans for the others where it fails for one, which has that for its reason", async () => {
    const world = await createWorld();
    const [bad, good] = [await enter(world, 0, "1000", { BTC: "1.4" }), await enter(world, 1, "1050", { BTC: "1.4" })];
    await world.push({ BTC: "7480" });
    const { books, found, policy } = await look(world, [bad, good]);
    const { accounts } = books.$;
    const get = accounts.get.bind(accounts);
    accounts.get = (account) => {
      if (account === bad) throw new RangeError("a word that nobody foresaw");
      return get(account);
    };
    const { calls, skips } = plan(books, found, policy);
    expect(calls.map(brief)).to.deep.equal([["liquidate", good, 0]]);
    expect(skips).to.deep.equal([{ account: bad, reason: "unforeseen" }]);
  });

  it("skips who waits, with the reason that it is given, and the keeper's own", async () => {
    const world = await createWorld();
    const [waiting, under, own] = [
      await enter(world, 0, "1000", { BTC: "1.4" }),
      await enter(world, 1, "1000", { BTC: "1.4" }),
      await enter(world, keeperIndex, "1000", { BTC: "1.4" }),
    ];
    await world.push({ BTC: "7500" });
    const { books, found, policy } = await look(world, [waiting, under, own]);
    const waits = new Map([
      [waiting, "backingOff"],
      [under, "underWay"],
    ] as const);
    const { calls, skips } = plan(books, found, { ...policy, waiting: waits });
    expect(calls).to.deep.equal([]);
    expect(new Map(skips.map(({ account, reason }) => [account, reason]))).to.deep.equal(
      new Map<AccountId, string>([...waits, [own, "rewardToSelf"]]),
    );
  });

  it("acts on what pays, and says of the rest that it does not", async () => {
    const world = await createWorld();
    const [small, large] = [
      await enter(world, 0, "50", { BTC: "0.07" }),
      await enter(world, 1, "10000", { BTC: "14" }),
    ];
    await world.push({ BTC: "7500" });
    const { books, found, policy } = await look(world, [small, large]);
    const earned = plan((await look(world, [small])).books, found.slice(0, 1), policy).calls[0]!.earnsWad!;
    const gas = { gasPriceWei: 1n, tokenPriceWad: wad("2000") };
    const profit = { minimumProfitWad: earned, unknownProfit: "skip" } as const; // gas is what it lacks
    const { calls, skips } = plan(books, found, { ...policy, profit, gas });
    expect(calls.map(brief)).to.deep.equal([["liquidate", large, 0]]);
    const [{ earnsWad = 0n, feeBudgetWei = 0n }] = calls as [PlannedCall];
    expect(feeBudgetWei).to.equal(((earnsWad - earned) * wad("1")) / wad("2000"));
    expect(skips).to.deep.equal([{ account: small, reason: "unprofitable" }]);
  });

  describe("with a taker", () => {
    /** A borrower without position, whose collateral hardly covers its debt, and a taker with so much cash. */
    async function borrower(cash: string, collateralPercent?: number) {
      const world = await deployWorld(await hre.network.create(), withoutInterest);
      const owner = world.signers[0]!;
      const account = await world.fund(owner, { WETH: "10" });
      await (await world.as(owner)).withdraw(account, "USDC", "1500");
      const taker = await world.fund(world.signers[keeperIndex]!, { USDC: cash }, 1);
      await world.push({ ETH: "170" });
      const side: TakerSide = {
        account: taker,
        policy: { inventoryPercent: 100, giveBackPercent: 100, ...(collateralPercent && { collateralPercent }) },
        refused: new Set(),
      };
      const { books, found, policy } = await look(world, [account], taker);
      return { world, account, taker, side, books, found, policy };
    }

    it("buys collateral that covers a debt, which spares the account the haircut of being absorbed", async () => {
      const { world, account, taker, side, books, found, policy } = await borrower("20000", 100);
      const made = plan(books, found, policy, side);
      const weth = world.deployment.collaterals[0]!.address.toLowerCase();
      expect(made.calls.map(brief)).to.deep.equal([["sellCollateral", account, weth]]);
      expect(made.calls[0]!.earnsWad! > 0n).to.equal(true);
      await carryOut(world, made);
      expect((await world.ballast.health(account)).isLiquidatable).to.equal(false);
      expect((await world.ballast.cashOf(taker)) < wad("20000")).to.equal(true);
    });

    it("buys no collateral where its policy does not let it, and absorbs", async () => {
      const { account, side, books, found, policy } = await borrower("20000");
      expect(plan(books, found, policy, side).calls.map(brief)).to.deep.equal([["absorb", account, undefined]]);
    });

    it("buys no more than its policy and its cash allow", async () => {
      const { account, taker, side, books, found, policy } = await borrower("1000", 10);
      const { calls } = plan(books, found, policy, side);
      expect(calls.map(brief)[0]?.slice(0, 2)).to.deep.equal(["sellCollateral", account]);
      const spent = wad("1000") - MarginVault.cash(books.$, books.code, taker);
      expect(spent > 0n && spent <= wad("100")).to.equal(true);
    });
  });
});
