import { expect } from "chai";
import { FunctionFragment } from "ethers";
import hre from "hardhat";

import {
  AccountIdError,
  AddressError,
  AmountError,
  type Call,
  CallMaker,
  TimeError,
  UnknownSymbolError,
  accountId,
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
});
