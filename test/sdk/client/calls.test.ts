import { expect } from "chai";
import { FunctionFragment } from "ethers";
import hre from "hardhat";

import {
  type AccountId,
  AccountIdError,
  AddressError,
  AmountError,
  type Call,
  CallArgumentError,
  CallMaker,
  type CallName,
  TimeError,
  UnknownSymbolError,
  accountId,
  callOf,
  defaultSender,
  ownerOf,
} from "../../../sdk/index.js";
import { contractInterfaces, vaultInterface } from "../../../sdk/contracts.js";
import { type World, deployWorld, wad } from "../../helpers/world.js";

/** What the vault hands on to roles, and what only concerns the oracle: calls of other tools. */
const others = new Set([
  "updatePrices",
  "listMarket",
  "setMarketParameters",
  "announceDelisting",
  "listCollateral",
  "setCollateralParameters",
  "setAccountParameters",
  "setCashParameters",
  "haltMarket",
  "resumeMarket",
  "haltBorrowing",
  "resumeBorrowing",
  "setAuthority",
]);
const r = `0x${"11".repeat(32)}`;
const everything = 2n ** 256n - 1n;

describe("sdk/client/calls", () => {
  let world: World;
  let calls: CallMaker;
  let all: Readonly<Record<string, readonly [call: Call, args: readonly unknown[]]>>;
  const alice = accountId(`0x${"a1".repeat(20)}`);
  const bob = accountId(`0x${"b0".repeat(20)}`, 3);
  const operator = `0x${"0b".repeat(20)}`;

  before(async () => {
    world = await deployWorld(await hre.network.create());
    calls = new CallMaker(world.deployment);
    const { settlementToken, collaterals, pool } = world.deployment;
    const usdc = settlementToken.address;
    const weth = collaterals[0]?.address ?? "";
    const grant = { account: alice, operator, permissions: 3n, nonce: 4n, deadline: 5n, signature: "0x1234" };
    const permit = { token: "USDC", amount: 7n, deadline: 8n, v: 27, r, s: r };
    const settled = calls.settle(alice, "LINK");
    all = {
      deposit: [calls.deposit(alice, "USDC", "1.5"), [alice, usdc, 1_500_000n]],
      depositWithPermit: [calls.depositWithPermit(alice, permit), [alice, usdc, 7n, 8n, 27, r, r]],
      withdraw: [calls.withdraw(alice, "WETH", "0.25", operator), [alice, weth, wad("0.25"), operator]],
      transfer: [calls.transfer(alice, bob, "USDC", 9n), [alice, bob, usdc, 9n]],
      setMode: [calls.setMode(alice, "isolated"), [alice, 1]],
      trade: [
        calls.trade(alice, "LINK", "-3", { limitPrice: "3.9", deadline: 11 }),
        [alice, 2, wad("-3"), wad("3.9"), 11],
      ],
      settle: [settled, [alice, 2]],
      liquidatePosition: [
        calls.liquidatePosition(bob, "ETH", { taker: alice, maxSize: "2" }),
        [bob, 1, wad("2"), alice],
      ],
      liquidateCollateral: [calls.liquidateCollateral(bob, "WETH", alice, "1"), [bob, weth, wad("1"), alice]],
      absorb: [calls.absorb([bob], alice), [[bob], alice]],
      buyCollateral: [calls.buyCollateral(alice, "WETH", "1", "250"), [alice, weth, wad("1"), wad("250")]],
      refreshCapital: [calls.refreshCapital(), []],
      sweepFees: [calls.sweepFees("BTC"), [0]],
      sweepInterest: [calls.sweepInterest(), []],
      cover: [calls.cover(), []],
      resolvePool: [calls.resolvePool(), []],
      delist: [calls.delist("ETH"), [1]],
      rampMarket: [calls.rampMarket("ETH"), [1]],
      rampCollateral: [calls.rampCollateral("WETH"), [weth]],
      rampAccounts: [calls.rampAccounts(), []],
      setOperator: [calls.setOperator(alice, operator, 3n), [alice, operator, 3n]],
      setOperatorBySig: [calls.setOperatorBySig(grant), [alice, operator, 3n, 4n, 5n, "0x1234"]],
      revokeSignatures: [calls.revokeSignatures(), []],
      multicall: [calls.multicall([settled, calls.cover()]), [[settled.data, calls.cover().data]]],
    };
    expect(calls.liquidatePosition(bob, "ETH").args).to.deep.include({
      maxSizeWad: everything,
      taker: accountId(pool),
    });
  });

  it("are there for every function that anybody may call", () => {
    const writing = contractInterfaces.MarginVault.fragments
      .filter((fragment) => fragment instanceof FunctionFragment)
      .filter(({ stateMutability }) => stateMutability === "nonpayable" || stateMutability === "payable")
      .map(({ name }) => name);
    expect(writing.filter((name) => !others.has(name)).toSorted()).to.deep.equal(Object.keys(all).toSorted());
  });

  it("carry the data that the vault takes", () => {
    for (const [name, [call, args]] of Object.entries(all)) {
      expect(call.name).to.equal(name);
      const data = vaultInterface.encodeFunctionData(name as "settle", args as never);
      expect(call.data, name).to.equal(data);
    }
  });

  it("name the accounts whose words they need, each once", () => {
    const [multicall] = all["multicall"] ?? [];
    expect(multicall?.accounts).to.deep.equal([alice]);
    expect(calls.transfer(alice, alice, "USDC", 1n).accounts).to.deep.equal([alice]);
    expect(calls.absorb([bob, alice], alice).accounts).to.deep.equal([bob, alice]);
    expect(calls.cover().accounts).to.deep.equal([]);
  });

  it("withdraw to the owner, trade without a deadline at any price, where nothing else is said", () => {
    expect(calls.withdraw(bob, "USDC", 1n).args.to).to.equal(`0x${"b0".repeat(20)}`);
    expect(calls.trade(bob, "ETH", 1n).args).to.deep.include({ limitPriceWad: 0n, deadline: everything });
  });

  it("are not made of amounts that are floats, too fine, or below zero", () => {
    const bad: readonly [value: unknown, problem: string][] = [
      [1.5, "number"],
      [Number.NaN, "number"],
      ["1e5", "notation"],
      ["0.0000001", "tooManyDecimals"],
      ["", "empty"],
      ["-1", "negative"],
      [null, "type"],
    ];
    for (const [value, problem] of bad) {
      expect(() => calls.deposit(alice, "USDC", value as never), String(value))
        .to.throw(AmountError)
        .that.deep.includes({ value, problem, decimals: 6 });
    }
    expect(() => calls.trade(alice, "ETH", 1.5 as never))
      .to.throw(AmountError)
      .that.includes({ decimals: 18 });
  });

  it("are not made of markets, tokens, accounts, addresses or times that are none", () => {
    expect(() => calls.trade(alice, "DOGE", "1"))
      .to.throw(UnknownSymbolError)
      .that.deep.includes({ symbol: "DOGE", known: ["BTC", "ETH", "LINK"] });
    expect(() => calls.deposit(alice, "ETH", "1"))
      .to.throw(UnknownSymbolError)
      .that.deep.includes({ symbol: "ETH", known: ["USDC", "WETH", "WBTC"] });
    expect(() => calls.settle("0x12", "ETH"))
      .to.throw(AccountIdError)
      .that.includes({ value: "0x12" });
    expect(() => calls.setOperator(alice, "0x12", 1n))
      .to.throw(AddressError)
      .that.includes({ value: "0x12" });
    for (const deadline of [1.5, -1, Number.NaN]) {
      expect(() => calls.trade(alice, "ETH", "1", { deadline }), String(deadline))
        .to.throw(TimeError)
        .that.deep.includes({ value: deadline });
    }
  });

  it("are the same of digits in upper case, as a checksum has them", () => {
    const upper = (hex: string) => `0x${hex.slice(2).toUpperCase()}` as AccountId;
    const [token, to] = [`0x${"ab".repeat(20)}`, `0x${"cd".repeat(20)}`];
    const plain = callOf("withdraw", { account: alice, token, amount: 5n, to });
    const { run: _, ...shouted } = callOf("withdraw", {
      account: upper(alice),
      token: upper(token),
      amount: 5n,
      to: upper(to),
    });
    expect(plain).to.deep.include(shouted);
    const { args, accounts } = callOf("absorb", { accounts: [upper(bob), bob], rewardTo: upper(alice) });
    expect(args).to.deep.equal({ accounts: [bob, bob], rewardTo: alice });
    expect(accounts).to.deep.equal([bob, alice]);
  });

  it("are not made of numbers that the vault's types do not hold", () => {
    const bad: readonly [CallName, () => unknown][] = [
      ["trade", () => calls.trade(alice, "ETH", 2n ** 255n)],
      ["deposit", () => calls.deposit(alice, "USDC", 2n ** 256n)],
      ["setOperator", () => calls.setOperator(alice, `0x${"ab".repeat(20)}`, -1n)],
      ["setMode", () => calls.setMode(alice, "portfolio" as never)],
    ];
    for (const [functionName, make] of bad) {
      const refused = expect(make, functionName).to.throw(CallArgumentError);
      refused.that.includes({ functionName });
      refused.with.property("cause").that.includes({ code: "INVALID_ARGUMENT" });
    }
    expect(() => calls.trade(alice, "ETH", 1n, { deadline: 2n ** 256n })).to.throw(TimeError);
  });

  it("are sent by the owner of the account that acts, where nobody is named", () => {
    const pool = accountId(world.deployment.pool);
    const [ofAlice, ofBob] = [ownerOf(alice), ownerOf(bob)];
    const nobody = `0x${"0".repeat(40)}`;
    const senders: readonly [Call, string][] = [
      [calls.trade(bob, "ETH", 1n), ofBob],
      [calls.transfer(bob, alice, "USDC", 1n), ofBob],
      [calls.liquidatePosition(bob, "ETH", { taker: alice }), ofAlice],
      [calls.liquidatePosition(bob, "ETH"), nobody],
      [calls.liquidateCollateral(bob, "WETH", alice), ofAlice],
      [calls.absorb([bob], alice), ofAlice],
      [calls.buyCollateral(alice, "WETH", 1n, 1n), ofAlice],
      [calls.cover(), nobody],
      [calls.multicall([calls.cover(), calls.liquidatePosition(bob, "ETH"), calls.settle(alice, "ETH")]), ofAlice],
      [calls.multicall([]), nobody],
    ];
    for (const [call, sender] of senders) expect(defaultSender(call, pool), call.name).to.equal(sender);
  });
});
