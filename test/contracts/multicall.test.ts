import { expect } from "chai";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import { type AccountId, accountId } from "../../sdk/index.js";
import {
  MarginVault__factory,
  MockPuppet__factory,
  MockToken__factory,
  MockWallet__factory,
} from "../../typechain-types/index.js";
import { portfolios } from "../helpers/portfolio.js";
import { expectRevert } from "../helpers/revert.js";
import { type Signer, type World, deployWorld, roundFigures, thinEth, wad } from "../helpers/world.js";

const noDeadline = 2n ** 64n;
const [BTC, ETH] = [0n, 1n];
const interface_ = MarginVault__factory.createInterface();

describe("contracts/MarginVault: multicall", () => {
  let connection: Connection;
  let world: World;
  let owner: Signer;
  let other: Signer;
  let account: AccountId;
  let second: AccountId;
  let usdc: string;
  let vault: World["ballast"]["vault"];

  async function quiet() {
    return deployWorld(connection, roundFigures);
  }

  async function thin() {
    return deployWorld(connection, thinEth);
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    world = await connection.networkHelpers.loadFixture(quiet);
    [owner, other] = world.signers as [Signer, Signer];
    account = await world.fund(owner, { USDC: "1000" });
    second = accountId(owner.address, 2);
    usdc = world.deployment.settlementToken.address;
    vault = MarginVault__factory.connect(world.deployment.vault, owner);
    await world.mint("USDC", owner.address, "10000");
    await (await MockToken__factory.connect(usdc, owner).approve(vault, 2n ** 255n)).wait();
  });

  const open = (size: string, market = ETH, of = account) =>
    interface_.encodeFunctionData("trade", [of, market, wad(size), 0n, noDeadline]);
  const deposit = (amount: string, to = account) =>
    interface_.encodeFunctionData("deposit", [to, usdc, wad(amount) / 10n ** 12n]);
  const withdraw = (amount: string, from = account) =>
    interface_.encodeFunctionData("withdraw", [from, usdc, wad(amount) / 10n ** 12n, owner.address]);
  const transfer = (amount: string, from: AccountId, to: AccountId) =>
    interface_.encodeFunctionData("transfer", [from, to, usdc, wad(amount) / 10n ** 12n]);
  const multicall = async (...calls: string[]) => (await vault.multicall(calls)).wait();
  const shortOf = (of = account) => ({ account: of, equityWad: () => true, requiredWad: () => true });

  describe("checks margin once, at its end", () => {
    it("INV-54: so calls may stand in any order that ends well", async () => {
      // 500 ETH at 200 need 5,000 and more of initial margin; the account has 1,000.
      await expectRevert(() => vault.trade(account, ETH, wad("500"), 0n, noDeadline), "InsufficientMargin", shortOf());
      await multicall(open("500"), deposit("9000"));
      expect((await vault.position(account, ETH)).sizeWad).to.equal(wad("500"));
      expect((await vault.health(account)).healthWad > wad("1")).to.equal(true);
    });

    it("INV-54: and refuses all of them where they do not, whichever call comes last", async () => {
      const before = await portfolios(world, { account, second });
      const calls = [open("500"), deposit("100"), interface_.encodeFunctionData("settle", [account, ETH])];
      for (const order of [calls, [calls[1], calls[0]]] as string[][]) {
        await expectRevert(() => vault.multicall(order), "InsufficientMargin", shortOf());
      }
      expect(await portfolios(world, { account, second })).to.deep.equal(before);
    });

    it("of each account whose risk it raised, and of no other", async () => {
      // An account far below initial margin is nothing to calls that do not touch it.
      const bystander = await world.fund(owner, { USDC: "1100" }, 5);
      await (await vault.trade(bystander, BTC, wad("2"), 0n, noDeadline)).wait();
      await world.push({ BTC: "7700" });
      const { equityInitialWad, requirementInitialWad } = await vault.health(bystander);
      expect(equityInitialWad < requirementInitialWad).to.equal(true);
      await multicall(transfer("400", account, second), withdraw("300", second), open("1"));
      await expectRevert(
        () => vault.multicall([open("1"), open("1", BTC, bystander)]),
        "InsufficientMargin",
        shortOf(bystander),
      );
    });

    it("of an account that pays another's way out", async () => {
      await multicall(open("80"));
      await expectRevert(
        () => vault.multicall([transfer("900", account, second), withdraw("900", second)]),
        "InsufficientMargin",
        shortOf(),
      );
    });

    it("lets an account in need reduce, in a multicall as outside", async () => {
      await multicall(open("90"));
      await world.push({ ETH: "191" });
      await world.refresh();
      const before = await vault.health(account);
      expect(before.equityInitialWad < before.requirementInitialWad).to.equal(true);
      await multicall(open("-30"));
      expect((await vault.position(account, ETH)).sizeWad).to.equal(wad("60"));
    });

    it("lets a reduction that alone would lower health wait for the calls after it", async () => {
      // Others are short of 229 in a thin market: whoever sells 4 of 10 there has a price far below the oracle's.
      world = await connection.networkHelpers.loadFixture(thin);
      vault = MarginVault__factory.connect(world.deployment.vault, owner);
      usdc = world.deployment.settlementToken.address;
      const whale = await world.fund(other, { USDC: "1000000" });
      account = await world.fund(owner, { USDC: "290" });
      await multicall(open("10"));
      await (await vault.connect(other).trade(whale, ETH, -wad("229"), 0n, noDeadline)).wait();
      await world.push({ ETH: "175.8" });
      const figures = { account, healthBeforeWad: () => true, healthAfterWad: () => true };
      await expectRevert(() => vault.trade(account, ETH, -wad("4"), 0n, noDeadline), "ReductionLowersHealth", figures);
      await expectRevert(() => vault.multicall([open("-4")]), "InsufficientMargin", shortOf());
      await world.mint("USDC", owner.address, "1000");
      await (await MockToken__factory.connect(usdc, owner).approve(vault, 2n ** 255n)).wait();
      await multicall(open("-4"), deposit("1000"));
      expect((await vault.position(account, ETH)).sizeWad).to.equal(wad("6"));
    });

    it("asks for the least debt at the end, of accounts that may owe more", async () => {
      const rich = await world.fund(owner, { WETH: "10" }, 3);
      const least = { account: rich, debtWad: wad("5"), minimumWad: wad("10") };
      await expectRevert(() => vault.multicall([withdraw("50", rich), deposit("45", rich)]), "DebtBelowMinimum", {
        ...least,
        debtWad: (debt: bigint) => debt >= wad("5") && debt < wad("5.001"),
      });
      await multicall(withdraw("5", rich), withdraw("45", rich));
      expect((await vault.cash(rich)) <= -wad("50")).to.equal(true);
    });

    it("leaves nothing behind for the next call of the same transaction", async () => {
      const wallet = await new MockWallet__factory(owner).deploy(owner.address);
      const of = accountId(await wallet.getAddress());
      await world.mint("USDC", owner.address, "1000");
      await (await world.as(owner)).deposit(of, "USDC", "1000");
      const run = (data: string) => wallet.execute(vault, 0n, data);
      await (await run(interface_.encodeFunctionData("multicall", [[open("1", ETH, of)]]))).wait();
      await expectRevert(() => run(open("500", ETH, of)), "InsufficientMargin", shortOf(of));
    });
  });

  describe("lets nobody pass unchecked to", () => {
    // What a position without margin could do to others: so each of these looks first.
    const acts: Record<string, () => string> = {
      liquidatePosition: () =>
        interface_.encodeFunctionData("liquidatePosition", [
          accountId(other.address),
          ETH,
          1n,
          world.ballast.poolAccount,
        ]),
      liquidateCollateral: () =>
        interface_.encodeFunctionData("liquidateCollateral", [
          accountId(other.address),
          world.deployment.collaterals[0]?.address ?? "",
          1n,
          account,
        ]),
      absorb: () => interface_.encodeFunctionData("absorb", [[accountId(other.address)], account]),
      buyCollateral: () =>
        interface_.encodeFunctionData("buyCollateral", [
          account,
          world.deployment.collaterals[0]?.address ?? "",
          1n,
          1n,
        ]),
      cover: () => interface_.encodeFunctionData("cover"),
      resolvePool: () => interface_.encodeFunctionData("resolvePool"),
      delist: () => interface_.encodeFunctionData("delist", [ETH]),
      refreshCapital: () => interface_.encodeFunctionData("refreshCapital"),
      updatePrices: () => interface_.encodeFunctionData("updatePrices", [[]]),
      rampMarket: () => interface_.encodeFunctionData("rampMarket", [ETH]),
      rampCollateral: () =>
        interface_.encodeFunctionData("rampCollateral", [world.deployment.collaterals[0]?.address ?? ""]),
      rampAccounts: () => interface_.encodeFunctionData("rampAccounts"),
    };
    for (const [name, call] of Object.entries(acts)) {
      it(name, async () => {
        await expectRevert(() => vault.multicall([open("500"), call(), open("-500")]), "InsufficientMargin", shortOf());
      });
    }

    it("anything else: the round trip alone is let pass", async () => {
      await multicall(open("500"), open("-500"));
      expect((await vault.position(account, ETH)).sizeWad).to.equal(0n);
      expect((await vault.cash(account)) < wad("1000")).to.equal(true);
    });
  });

  it("acts in the caller's name", async () => {
    const theirs = await world.fund(other, { USDC: "100" });
    await expectRevert(() => vault.multicall([withdraw("1", theirs)]), "NotAuthorized", {
      account: theirs,
      caller: owner.address,
    });
    const results = await vault.multicall.staticCall([interface_.encodeFunctionData("cash", [theirs])]);
    expect(results).to.deep.equal([interface_.encodeFunctionResult("cash", [wad("100")])]);
  });

  it("opens no way round the access manager", async () => {
    await expectRevert(
      () => vault.multicall([interface_.encodeFunctionData("haltBorrowing")]),
      "AccessManagedUnauthorized",
      {
        caller: owner.address,
      },
    );
  });

  it("is not one of its own calls", async () => {
    const inner = interface_.encodeFunctionData("multicall", [[open("1")]]);
    await expectRevert(() => vault.multicall([inner]), "MulticallNested");
  });

  it("gives back the value that it has not used; no other call takes any", async () => {
    const { provider } = world.ballast;
    const before = await provider.getBalance(owner.address);
    const receipt = await (await vault.multicall([open("1")], { value: 5n })).wait();
    const spent = (receipt?.gasUsed ?? 0n) * (receipt?.gasPrice ?? 0n);
    expect(await provider.getBalance(owner.address)).to.equal(before - spent);
    expect(await provider.getBalance(world.deployment.vault)).to.equal(0n);
    await expectRevert(() => vault.trade(account, ETH, wad("1"), 0n, noDeadline, { value: 1n }), "UnexpectedValue", {
      value: 1n,
    });
    await expectRevert(() => vault.cover({ value: 1n }), "UnexpectedValue", { value: 1n });
  });

  it("gives wei that was forced upon the vault to whoever sends some, and troubles nobody else with it", async () => {
    const { provider } = world.ballast;
    // It cannot receive value.
    const puppet = await (await new MockPuppet__factory(owner).deploy()).waitForDeployment();
    const call = interface_.encodeFunctionData("multicall", [[interface_.encodeFunctionData("settlementToken")]]);
    await connection.networkHelpers.setBalance(world.deployment.vault, 1n);
    await (await puppet.act(vault, call)).wait();
    expect(await provider.getBalance(vault)).to.equal(1n);
    const before = await provider.getBalance(owner.address);
    const receipt = await (await vault.multicall([open("1")], { value: 5n })).wait();
    const spent = (receipt?.gasUsed ?? 0n) * (receipt?.gasPrice ?? 0n);
    expect(await provider.getBalance(owner.address)).to.equal(before - spent + 1n);
    expect(await provider.getBalance(vault)).to.equal(0n);
  });
});
