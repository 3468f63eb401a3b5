import { expect } from "chai";
import hre from "hardhat";
import { Wallet } from "ethers";

import { type Connection, marketParameters } from "../../../ignition/deploy.js";
import {
  type AccountId,
  AccountIdError,
  AmountError,
  Ballast,
  BallastError,
  ContractError,
  MissingProviderError,
  NotDeployedError,
  ReadOnlyError,
  TransactionRevertedError,
  UnknownSymbolError,
  WrongChainError,
  accountId,
  explainHealth,
  formatHealth,
  formatWad,
  liquidationPrice,
  sumOf,
  toHealth,
  toUnits,
  withDecodedErrors,
} from "../../../sdk/index.js";
import { MockToken__factory } from "../../../typechain-types/index.js";
import { failure } from "../../helpers/revert.js";
import { type Signer, type World, deployWorld, roundFigures, wad } from "../../helpers/world.js";
import { watchedProvider } from "./watchedProvider.js";

describe("sdk/client", () => {
  let connection: Connection;
  let world: World;
  let owner: Signer;
  let other: Signer;
  let account: AccountId;
  let client: Ballast;

  async function quiet() {
    return deployWorld(connection, roundFigures);
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    world = await connection.networkHelpers.loadFixture(quiet);
    [owner, other] = world.signers as [Signer, Signer];
    account = accountId(owner.address);
    client = await world.as(owner);
  });

  /** The error that a call fails with, which must be of this class. */
  async function failsWith<T extends Error>(
    kind: abstract new (...args: never[]) => T,
    call: () => Promise<unknown>,
  ): Promise<T> {
    const error = await failure(call);
    if (!(error instanceof kind)) throw error;
    return error;
  }

  it("follows an account through deposit, trade and withdrawal", async () => {
    await world.fund(owner, { USDC: "1000", WETH: "2.5" });
    expect(await client.account()).to.equal(account);
    expect(await client.state(account)).to.deep.equal({ principalWad: wad("1000"), assets: 1n << 96n, mode: "cross" });
    expect(await client.collaterals(account)).to.deep.equal([{ token: "WETH", amount: wad("2.5") }]);
    expect(await client.positions(account)).to.deep.equal([]);
    expect(await client.health(account)).to.deep.equal({
      equityMaintenanceWad: wad("1450"),
      requirementMaintenanceWad: 0n,
      equityInitialWad: wad("1425"),
      requirementInitialWad: 0n,
      freeMarginWad: wad("1425"),
      netCashWad: wad("1000"),
      healthWad: undefined,
      isLiquidatable: false,
      pricesFresh: true,
    });

    const receipt = await client.trade(account, "BTC", "0.5", { limitPrice: "8000.01" });
    expect(receipt.status).to.equal(1);
    // 0.5 * 8000 * (1 + 0.25 / 200,000), and 0.15% of it
    const cost = wad("4000.005") + wad("6.0000075");
    const position = {
      market: "BTC",
      sizeWad: wad("0.5"),
      notionalWad: wad("4000"),
      valueWad: wad("4000") - cost,
      costWad: cost,
    };
    expect(await client.position(account, "BTC")).to.deep.equal(position);
    expect(await client.positions(account)).to.deep.equal([position]);
    expect((await client.state(account)).assets).to.equal((1n << 96n) | 1n);
    const health = await client.health(account);
    // 4000 * (3% + 0.5 / 400,000) + 2, and 4000 * (5% + 1.5 * 0.5 / 400,000) + 2
    expect(health).to.deep.include({
      requirementMaintenanceWad: wad("122.005"),
      requirementInitialWad: wad("202.0075"),
      equityMaintenanceWad: wad("1450") + position.valueWad,
      netCashWad: wad("1000") + position.valueWad,
      healthWad: ((wad("1450") + position.valueWad) * wad("1")) / wad("122.005"),
      isLiquidatable: false,
    });

    await client.withdraw(account, "USDC", "100.25", other.address);
    const usdc = MockToken__factory.connect(world.deployment.settlementToken.address, owner);
    expect(await usdc.balanceOf(other)).to.equal(100_250_000n);
    await world.push({ BTC: "7000" });
    await client.settle(account, "BTC");
    expect((await client.state(account)).principalWad).to.equal(wad("899.75") + wad("3500") - cost);
    await client.trade(account, "BTC", -wad("0.5"));
    expect(await client.positions(account)).to.deep.equal([]);
    await client.withdraw(account, "WETH", wad("2.5"));
    expect(await client.collaterals(account)).to.deep.equal([]);
  });

  it("approves the vault for what it deposits, and not again while that lasts", async () => {
    const usdc = MockToken__factory.connect(world.deployment.settlementToken.address, owner);
    await world.mint("USDC", owner.address, "30");
    await client.deposit(account, "USDC", "10");
    expect(await usdc.allowance(owner, world.deployment.vault)).to.equal(0n);
    await (await usdc.approve(world.deployment.vault, 50_000_000n)).wait();
    await client.deposit(account, "USDC", 20_000_000n);
    expect(await usdc.allowance(owner, world.deployment.vault)).to.equal(30_000_000n);
    expect((await client.state(account)).principalWad).to.equal(wad("30"));
  });

  it("reads prices of markets and collaterals, with tolerance, time and freshness", async () => {
    await world.push({ ETH: "201.5" });
    const price = await client.price("ETH");
    expect(price).to.deep.include({
      priceWad: wad("201.5"),
      toleranceWad: wad("0.001"),
      maxAgeSeconds: 3600,
      isFresh: true,
    });
    expect(await client.collateralPrice("WETH")).to.deep.equal(price);
    expect((await client.collateralPrice("WBTC")).priceWad).to.equal(wad("8000"));
    await world.passTime(3601);
    expect(await client.price("ETH")).to.deep.equal({ ...price, isFresh: false });
  });

  it("reads the events of some blocks, decoded, in order", async () => {
    await world.fund(owner, { USDC: "1000" });
    const block = (await client.trade(account, "ETH", "1")).blockNumber;
    const events = await client.events(block, block);
    expect(events.map(({ name }) => name)).to.deep.equal([
      "PositionChanged",
      "MarketChanged",
      "AccountChanged",
      "AccountChanged", // the pool's: its first position there
      "Traded",
    ]);
    expect(events[4]).to.deep.include({ contract: "vault", blockNumber: block });
    expect(events[4]?.args).to.deep.include({ account, market: 1n, sizeDeltaWad: wad("1") });
    expect((await client.events(block + 1)).length).to.equal(0);
    await world.push({ ETH: "201" });
    expect((await client.events(block + 1)).map(({ contract, name }) => `${contract} ${name}`)).to.deep.equal([
      "oracle PricePublished",
      "oracle PricePublished",
    ]);
  });

  it("gives a trade ten minutes, or the deadline named", async () => {
    await world.fund(owner, { USDC: "1000" });
    const { time } = connection.networkHelpers;
    const now = await time.latest();
    await time.setNextBlockTimestamp(now + 601);
    const error = await failsWith(ContractError, () => client.trade(account, "ETH", "1"));
    expect([error.errorName, error.args]).to.deep.equal([
      "DeadlinePassed",
      { deadline: BigInt(now + 600), blockTime: BigInt(now + 601) },
    ]);
    await client.trade(account, "ETH", "1", { deadline: now + 700 });
  });

  describe("errors", () => {
    it("of the vault carry name and arguments", async () => {
      await world.fund(owner, { USDC: "100", WETH: "1" });
      const error = await failsWith(ContractError, () => client.withdraw(account, "WETH", "1.5"));
      expect(error).to.be.instanceOf(BallastError);
      expect([error.errorName, error.args]).to.deep.equal([
        "InsufficientBalance",
        {
          account,
          token: world.deployment.collaterals[0]?.address,
          asked: wad("1.5"),
          balance: wad("1"),
        },
      ]);
      expect(error.message).to.match(/^InsufficientBalance\(account: 0x.*, asked: 1500000000000000000, balance: 1/);
      expect(error.cause).to.be.instanceOf(Error);
    });

    it("of the tokens, the oracle, the pool and the access manager too", async () => {
      const token = await failsWith(ContractError, () => client.deposit(account, "USDC", "5"));
      expect([token.errorName, token.args]).to.deep.equal([
        "ERC20InsufficientBalance",
        { sender: owner.address, balance: 0n, needed: 5_000_000n },
      ]);
      const decoded = (call: () => Promise<unknown>) => failsWith(ContractError, () => withDecodedErrors(call));
      const oracle = await decoded(() => client.oracle.prices(1n << 9n));
      expect([oracle.errorName, oracle.args]).to.deep.equal(["PriceMissing", { asset: 9n }]);
      const pool = await decoded(() => client.pool.redeem(1n, owner, owner));
      expect([pool.errorName, pool.args]).to.deep.equal([
        "ERC4626ExceededMaxRedeem",
        { owner: owner.address, shares: 1n, max: 0n },
      ]);
      const manager = await decoded(() => client.oracle.push([1], [1n], 1n));
      expect([manager.errorName, manager.args]).to.deep.equal(["AccessManagedUnauthorized", { caller: owner.address }]);
    });

    it("of the libraries that are linked to the vault too", async () => {
      const [market] = world.parameters.markets;
      if (market === undefined) throw new TypeError("no market");
      const finer = { ...marketParameters(market), takerRateWad: wad("0.0005") + 1n };
      const error = await failsWith(ContractError, () =>
        withDecodedErrors(() => world.ballast.vault.setMarketParameters(0, finer)),
      );
      expect([error.errorName, error.args]).to.deep.equal([
        "NotRepresentable",
        { value: wad("0.0005") + 1n, unit: 10n ** 12n },
      ]);
    });

    it("name an unknown market or token, and those that there are", async () => {
      const markets = ["BTC", "ETH", "LINK"];
      const [tokens, collaterals] = [
        ["USDC", "WETH", "WBTC"],
        ["WETH", "WBTC"],
      ];
      for (const [symbol, known, call] of [
        ["DOGE", markets, () => client.trade(account, "DOGE", "1")],
        ["eth", markets, () => client.position(account, "eth")],
        ["WETH", markets, () => client.settle(account, "WETH")],
        ["", markets, () => client.price("")],
        ["DAI", tokens, () => client.deposit(account, "DAI", "1")],
        ["BTC", tokens, () => client.withdraw(account, "BTC", "1")],
        ["USDC", collaterals, () => client.collateralPrice("USDC")],
      ] as const) {
        const error = await failsWith(UnknownSymbolError, async () => call());
        expect([error.symbol, error.known]).to.deep.equal([symbol, known]);
      }
      const byId = await failsWith(UnknownSymbolError, async () => client.marketSymbol(3));
      expect([byId.symbol, byId.known]).to.deep.equal(["market 3", markets]);
      expect([client.marketId("LINK"), client.marketSymbol(2)]).to.deep.equal([2, "LINK"]);
    });
  });

  describe("amounts", () => {
    it("are never floats: a number is refused before anything is sent", async () => {
      await world.fund(owner, { USDC: "1000" });
      await world.mint("USDC", owner.address, "10");
      const nonce = await connection.ethers.provider.getTransactionCount(owner.address);
      for (const [decimals, call] of [
        [6, () => client.deposit(account, "USDC", 1.5 as never)],
        [6, () => client.withdraw(account, "USDC", 1 as never)],
        [18, () => client.trade(account, "ETH", 0.1 as never)],
        [18, () => client.trade(account, "ETH", "0.1", { limitPrice: 250 as never })],
      ] as const) {
        const error = await failsWith(AmountError, async () => call());
        expect(typeof error.value).to.equal("number");
        expect([error.decimals, error.problem]).to.deep.equal([decimals, "number"]);
      }
      expect(await connection.ethers.provider.getTransactionCount(owner.address)).to.equal(nonce);
    });

    it("have no more decimals than the token, and no other notation", async () => {
      for (const text of ["1.0000001", "1e3", "", " 1", "1,5", "0x10", "NaN", "Infinity", "."]) {
        const error = await failsWith(AmountError, () => client.deposit(account, "USDC", text));
        const problem = text === "" ? "empty" : text === "1.0000001" ? "tooManyDecimals" : "notation";
        expect([error.value, error.decimals, error.problem]).to.deep.equal([text, 6, problem]);
      }
      for (const value of [undefined, null, {}, [], true]) {
        expect(() => toUnits(value as never, 6)).to.throw(AmountError);
      }
    });

    it("are exact: decimal strings in whole units, bigints in the smallest", () => {
      expect(toUnits("1234567.890001", 6)).to.equal(1_234_567_890_001n);
      expect(toUnits("0.000000000000000001", 18)).to.equal(1n);
      expect(toUnits("-0.5", 18)).to.equal(-(5n * 10n ** 17n));
      expect(toUnits(7n, 6)).to.equal(7n);
    });
  });

  describe("connecting", () => {
    it("refuses a provider of another chain, with both", async () => {
      const error = await failsWith(WrongChainError, () =>
        Ballast.connect(connection.ethers.provider, { ...world.deployment, chainId: 1 }),
      );
      expect([error.expected, error.actual]).to.deep.equal([1, 31337]);
    });

    it("refuses a deployment without code at any of its contracts, with which", async () => {
      const empty = Wallet.createRandom().address;
      for (const contract of ["vault", "oracle", "pool", "lens"] as const) {
        const error = await failsWith(NotDeployedError, () =>
          Ballast.connect(owner, { ...world.deployment, [contract]: empty }),
        );
        expect([error.contract, error.address]).to.deep.equal([contract, empty]);
      }
      const fresh = await hre.network.create();
      const error = await failsWith(NotDeployedError, () => Ballast.connect(fresh.ethers.provider, world.deployment));
      expect([error.contract, error.address]).to.deep.equal(["vault", world.deployment.vault]);
    });

    it("refuses a signer without a provider", async () => {
      await failsWith(MissingProviderError, () => Ballast.connect(Wallet.createRandom(), world.deployment));
    });

    it("with a provider alone reads everything and writes nothing", async () => {
      await world.fund(owner, { USDC: "1000", WETH: "1" });
      await client.trade(account, "ETH", "1");
      const reader = await Ballast.connect(connection.ethers.provider, world.deployment);
      expect(await reader.health(account)).to.deep.equal(await client.health(account));
      expect(await reader.positions(account)).to.deep.equal(await client.positions(account));
      expect(await reader.collaterals(account)).to.deep.equal(await client.collaterals(account));
      expect(await reader.events(0)).to.deep.equal(await client.events(0));
      expect(await reader.cash()).to.deep.equal(await client.cash());
      expect(await reader.cashOf(account)).to.equal(wad("1000"));
      expect(await reader.deleveragings(account, "ETH")).to.deep.equal([]);
      expect(await reader.account(owner.address)).to.equal(account);
      for (const write of [
        () => reader.account(),
        () => reader.deposit(account, "USDC", "1"),
        () => reader.withdraw(account, "USDC", "1"),
        () => reader.trade(account, "ETH", "1"),
        () => reader.settle(account, "ETH"),
        () => reader.transfer(account, accountId(other.address), "USDC", "1"),
        () => reader.setMode(account, "isolated"),
        () => reader.liquidatePosition(account, "ETH"),
        () => reader.liquidateCollateral(account, "WETH", accountId(other.address)),
        () => reader.absorb([account], accountId(other.address)),
        () => reader.buyCollateral(account, "WETH", "1", "200"),
        () => reader.sweepInterest(),
        () => reader.cover(),
        () => reader.resolvePool(),
        () => reader.delist("ETH"),
      ]) {
        await failsWith(ReadOnlyError, write);
      }
    });

    it("with a provider alone writes nothing, a withdrawal to an address named included", async () => {
      const reader = await Ballast.connect(connection.ethers.provider, world.deployment);
      await failsWith(ReadOnlyError, () => reader.withdraw(account, "USDC", "1", other.address));
    });
  });

  it("transfers between accounts, and sets a mode that the next read shows", async () => {
    await world.fund(owner, { USDC: "1000", WETH: "2" });
    const second = accountId(owner.address, 1);
    await client.transfer(account, second, "USDC", "400.5");
    await client.transfer(account, second, "WETH", "0.5");
    expect((await client.state(second)).principalWad).to.equal(wad("400.5"));
    expect(await client.collaterals(second)).to.deep.equal([{ token: "WETH", amount: wad("0.5") }]);
    await client.setMode(second, "isolated");
    expect((await client.state(second)).mode).to.equal("isolated");
    await client.trade(second, "ETH", "1");
    const error = await failsWith(ContractError, () => client.trade(second, "BTC", "0.01"));
    expect([error.errorName, error.args]).to.deep.equal(["TooManyAssets", { account: second, maximum: 1n }]);
    await client.trade(second, "ETH", "-1");
    await client.setMode(second, "cross");
    expect((await client.state(second)).mode).to.equal("cross");
  });

  it("liquidates a position to a taker as its preview says, and into the pool by default", async () => {
    await world.fund(owner, { USDC: "200" });
    await client.trade(account, "ETH", "10");
    const taker = await world.fund(other, { USDC: "5000" });
    const liquidator = await world.as(other);
    await world.push({ ETH: "185" });
    const toTaker = await liquidator.previewLiquidation(account, "ETH", { taker, maxSize: "2" });
    expect([toTaker.refusal, toTaker.sizeDeltaWad, toTaker.fillPriceWad]).to.deep.equal([
      "none",
      wad("-2"),
      wad("185"),
    ]);
    await liquidator.liquidatePosition(account, "ETH", { taker, maxSize: "2" });
    expect((await client.position(taker, "ETH")).sizeWad).to.equal(wad("2"));
    const intoPool = await liquidator.previewLiquidation(account, "ETH");
    await liquidator.liquidatePosition(account, "ETH");
    expect((await client.position(account, "ETH")).sizeWad).to.equal(wad("8") + intoPool.sizeDeltaWad);
    expect((await client.position(taker, "ETH")).sizeWad).to.equal(wad("2"));
  });

  it("sells collateral of an account at risk to a taker, absorbs it, and buys from the pool what it absorbed", async () => {
    await world.fund(owner, { WETH: "10" });
    await client.withdraw(account, "USDC", "1500");
    const taker = await world.fund(other, { USDC: "5000" });
    const liquidator = await world.as(other);
    await world.push({ ETH: "170" });
    await liquidator.liquidateCollateral(account, "WETH", taker, "0.5");
    expect(await client.collaterals(taker)).to.deep.equal([{ token: "WETH", amount: wad("0.5") }]);
    await world.push({ ETH: "158" });
    await liquidator.absorb([account]);
    expect(await client.collaterals(account)).to.deep.equal([]);
    // At once at the price and its tolerance of 0.1%; an hour later with 1% off.
    expect(await liquidator.previewBuyCollateral("WETH", "1")).to.equal(wad("158.158"));
    await world.passTime(3600);
    await world.push({ ETH: "158" });
    expect(await liquidator.previewBuyCollateral("WETH", "1")).to.equal(wad("156.578"));
    await liquidator.buyCollateral(taker, "WETH", "1", "156.578");
    expect(await client.collaterals(taker)).to.deep.equal([{ token: "WETH", amount: wad("1.5") }]);
    const error = await failsWith(ContractError, () => liquidator.buyCollateral(taker, "WETH", "1", "156"));
    expect(error.args).to.deep.equal({ costWad: wad("156.578"), maxCostWad: wad("156") });
  });

  it("owes more with time than its principal, and repays it whole", async () => {
    await world.fund(owner, { WETH: "100" });
    await client.withdraw(account, "USDC", "10000");
    await world.passTime(365 * 86_400);
    await world.push({ ETH: "200", BTC: "8000" });
    const { principalWad } = await client.state(account);
    expect(principalWad >= -wad("10000") && principalWad < -wad("9999.99")).to.equal(true);
    // A thousandth of what is supplied is lent: 1% a year, and a little.
    const owed = -(await client.cashOf(account));
    expect(owed > wad("10100") && owed < wad("10102")).to.equal(true);
    expect((await client.health(account)).netCashWad).to.equal(-owed);
    await world.fund(owner, { USDC: "10102" });
    expect((await client.cashOf(account)) >= 0n).to.equal(true);
  });

  it("sweeps interest, covers bad debt, resolves a pool and delists a market, or says why it cannot", async () => {
    const refused = async (call: () => Promise<unknown>) => {
      const { errorName, args } = await failsWith(ContractError, call);
      return [errorName, args];
    };
    const insurance = accountId(world.deployment.vault);
    await world.fund(owner, { WETH: "100" });
    await client.withdraw(account, "USDC", "10000");
    await world.passTime(3600);
    await world.push({ ETH: "200" });
    const before = await client.cashOf(insurance);
    await client.sweepInterest();
    expect((await client.cashOf(insurance)) > before).to.equal(true);
    expect((await refused(() => client.cover()))[0]).to.equal("NothingToCover");
    const { timestamp } = (await client.provider.getBlock("latest"))!;
    await world.refresh();
    expect((await refused(() => client.resolvePool()))[0]).to.equal("PoolSolvent");

    const { vault } = world.ballast;
    const due = timestamp + 100_000;
    await (await vault.announceDelisting(1, due, 0n)).wait();
    const opened = await world.fund(other, { USDC: "1000" });
    const trader = await world.as(other);
    expect(await refused(() => trader.trade(opened, "ETH", "1"))).to.deep.equal([
      "MarketClosing",
      { market: 1n, delistAt: BigInt(due) },
    ]);
    await connection.networkHelpers.time.setNextBlockTimestamp(due - 1);
    expect(await refused(() => client.delist("ETH"))).to.deep.equal([
      "DelistingNotDue",
      { market: 1n, delistAt: BigInt(due), blockTime: BigInt(due - 1) },
    ]);
    await connection.networkHelpers.time.setNextBlockTimestamp(due);
    await client.delist("ETH");
    expect(await refused(() => client.delist("ETH"))).to.deep.equal(["MarketDelisted", { market: 1n }]);
  });

  it("answers for many accounts at once, as of one block", async () => {
    await world.fund(owner, { USDC: "1000" });
    const poor = await world.fund(other, { USDC: "1000" });
    await (await world.as(other)).trade(poor, "ETH", "50");
    await world.push({ ETH: "185" });
    const pool = client.poolAccount;
    const many = [
      account,
      poor,
      pool,
      ...Array.from({ length: 300 }, (_, index) => accountId(owner.address, index + 1)),
    ];
    const healths = await client.healths(many);
    expect(healths.length).to.equal(many.length);
    expect(healths.slice(0, 3)).to.deep.equal(await Promise.all(many.slice(0, 3).map((each) => client.health(each))));
    expect(healths[1]?.isLiquidatable).to.equal(true);
    expect(await client.liquidatable(many)).to.deep.equal([poor]);
    expect(await client.healths([])).to.deep.equal([]);
  });

  it("approves what the deposits of several calls take together", async () => {
    await world.mint("USDC", owner.address, "30");
    const { calls } = client;
    const twice = calls.multicall([calls.deposit(account, "USDC", "10"), calls.deposit(account, "USDC", "20")]);
    expect((await client.send(twice)).status).to.equal(1);
    expect(await client.cashOf(account)).to.equal(wad("30"));
  });

  it("reads a margin without requirement as health undefined, and an account below it as liquidatable", () => {
    const view = {
      equityMaintenanceWad: 5n,
      requirementMaintenanceWad: 6n,
      equityInitialWad: 3n,
      requirementInitialWad: 9n,
      netCashWad: -1n,
      healthWad: (5n * wad("1")) / 6n,
      pricesFresh: false,
    };
    expect(toHealth(view)).to.deep.equal({ ...view, freeMarginWad: -6n, isLiquidatable: true });
    expect(toHealth({ ...view, equityMaintenanceWad: 6n, healthWad: wad("1") }).isLiquidatable).to.equal(false);
    expect(toHealth({ ...view, requirementMaintenanceWad: 0n, healthWad: 2n ** 256n - 1n }).healthWad).to.equal(
      undefined,
    );
  });

  it("explains margin, liquidation prices and refusals as of the latest block, or of a state that is given", async () => {
    await world.fund(owner, { USDC: "1000" });
    await client.trade(account, "ETH", "20");
    const state = await client.readState([account]);
    const reader = await Ballast.connect(connection.ethers.provider, world.deployment);

    const { items, health } = await reader.explainHealth(account);
    expect(sumOf(items).equityInitialWad).to.equal((await client.health(account)).equityInitialWad);
    expect(await reader.explainHealth(account, { state })).to.deep.equal({ ...explainHealth(state, account) });
    expect(health).to.deep.equal(explainHealth(state, account).health);

    const { below } = await reader.liquidationPrice(account, "ETH");
    const at = state.block.timestamp + 3600;
    expect(await reader.liquidationPrice(account, "ETH", { state, at, moving: "symbol" })).to.deep.equal(
      liquidationPrice(state, account, "ETH", { at, moving: "symbol" }),
    );
    await world.push({ ETH: formatWad(below ?? 0n) });
    expect((await client.health(account)).isLiquidatable).to.equal(true);
    await world.push({ ETH: formatWad((below ?? 0n) + 1n) });
    expect((await client.health(account)).isLiquidatable).to.equal(false);
    await failsWith(UnknownSymbolError, () => reader.liquidationPrice(account, "DOGE"));

    await world.push({ ETH: "200" });
    const call = client.calls.withdraw(account, "USDC", "990");
    const refused = await failsWith(ContractError, () => client.send(call));
    const { cause, remedies } = await client.explainError(call, refused);
    expect(cause).to.match(/of initial equity/);
    expect(remedies.map(({ kind }) => kind)).to.deep.equal(["lessAmount", "depositFirst"]);
    const byOthers = await reader.explainError(call, refused);
    expect(byOthers.remedies.map(({ sentence }) => sentence)).to.deep.equal(remedies.map(({ sentence }) => sentence));
    const [less] = remedies;
    if (less === undefined) throw new TypeError("no remedy");
    expect((await client.send(less.call)).status).to.equal(1);
  });

  it("reads an account in markets and collaterals that were listed after the deployment file was written", async () => {
    await world.fund(owner, { USDC: "1000", WETH: "2" });
    await client.trade(account, "ETH", "1");
    const { markets, collaterals } = world.deployment;
    const late = await Ballast.connect(owner, { ...world.deployment, markets: markets.slice(0, 1), collaterals: [] });
    const [position] = await client.positions(account);
    expect(await late.positions(account)).to.deep.equal([{ ...position, market: "market 1" }]);
    const token = collaterals[0]?.address.toLowerCase();
    expect(await late.collaterals(account)).to.deep.equal([{ token, amount: wad("2") }]);

    const call = late.calls.trade(account, "BTC", "0.01");
    const [there, here] = [(await client.preview(call)).account, (await late.preview(call)).account];
    expect(here?.positions.map(({ market }) => market)).to.deep.equal(["BTC", "market 1"]);
    expect(here?.collaterals).to.deep.equal(await late.collaterals(account));
    expect(here?.liquidationPrices.get("market 1")).to.deep.equal(there?.liquidationPrice("ETH"));
    const lines = formatHealth(await late.explainHealth(account), late.deployment);
    expect(lines.join("\n")).to.match(/long 1 market 1/);
    const state = await late.readState([account]);
    expect(() => liquidationPrice(state, account, 3))
      .to.throw(UnknownSymbolError)
      .that.includes({ symbol: "market 3" });
  });

  it("says what an account has in one block, while the next one comes", async () => {
    await world.fund(owner, { USDC: "1000" });
    await client.trade(account, "ETH", "1");
    await client.trade(account, "BTC", "0.01");
    const before = await client.positions(account);
    let calls = 0;
    const provider = watchedProvider(connection, async ({ method }, next) => {
      calls += method === "eth_call" ? 1 : 0;
      if (calls === 2) {
        calls += 1;
        await client.trade(account, "ETH", "-1");
        await client.trade(account, "BTC", "-0.01");
      }
      return next();
    });
    const reader = await Ballast.connect(provider, world.deployment);
    expect(await reader.positions(account)).to.deep.equal(before);
    expect(await client.positions(account)).to.deep.equal([]);
  });

  it("says which transaction was refused only when it was mined", async () => {
    await world.fund(owner, { USDC: "1000" });
    await connection.provider.request({ method: "evm_setAutomine", params: [false] });
    const both = Promise.allSettled([
      client.withdraw(account, "USDC", "1000"),
      failsWith(TransactionRevertedError, () => client.withdraw(account, "USDC", "1000")),
    ]);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await connection.networkHelpers.mine(1);
    await connection.provider.request({ method: "evm_setAutomine", params: [true] });
    const [first, second] = await both;
    expect([first.status, second.status]).to.deep.equal(["fulfilled", "fulfilled"]);
    if (second.status !== "fulfilled") throw new TypeError("it threw something else");
    const { number } = (await client.provider.getBlock("latest")) ?? { number: 0 };
    expect(second.value.blockNumber).to.equal(number);
    expect((await client.provider.getTransactionReceipt(second.value.transactionHash))?.status).to.equal(0);
  });

  it("reads no account that is none", async () => {
    for (const read of [
      () => client.health("0x12"),
      () => client.healths([account, "0x12"]),
      () => client.liquidatable(["0x12"]),
      () => client.state("0x12"),
      () => client.cashOf("0x12"),
      () => client.position("0x12", "ETH"),
      () => client.positions("0x12"),
      () => client.collaterals("0x12"),
      () => client.explainHealth("0x12"),
      () => client.liquidationPrice("0x12", "ETH"),
    ]) {
      expect((await failsWith(AccountIdError, read)).value).to.equal("0x12");
    }
  });
});
