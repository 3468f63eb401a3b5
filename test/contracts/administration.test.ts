import { expect } from "chai";
import hre from "hardhat";

import {
  type Connection,
  accountParameters,
  cashParameters,
  collateralParameters,
  marketParameters,
} from "../../ignition/deploy.js";
import {
  ContractError,
  accountId,
  decodeAccountRisk,
  decodeCashIndices,
  decodeCollateral,
  decodeMarketState,
  decodeMarketTotals,
  revertData,
} from "../../sdk/index.js";
import {
  Administration__factory,
  type MarginVault,
  MarginVault__factory,
  MockToken__factory,
} from "../../typechain-types/index.js";
import { ceilDiv } from "../helpers/model.js";
import { changes, portfolios } from "../helpers/portfolio.js";
import { expectRevert, failure } from "../helpers/revert.js";
import { type Signer, type World, deployWorld, roundFigures, wad, withoutInterest } from "../helpers/world.js";

describe("contracts/MarginVault: administration", () => {
  let connection: Connection;
  let world: World;
  let vault: MarginVault;
  let owner: Signer;
  let stranger: Signer;

  async function quiet() {
    return deployWorld(connection, (parameters) => withoutInterest(roundFigures(parameters)));
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => enter(await connection.networkHelpers.loadFixture(quiet)));

  function enter(entered: World) {
    world = entered;
    vault = world.ballast.vault;
    [owner, stranger] = world.signers as [Signer, Signer];
  }

  function market(symbol = "ETH") {
    const found = world.parameters.markets.find((one) => one.symbol === symbol);
    if (found === undefined) throw new TypeError(symbol);
    return marketParameters(found);
  }

  function collateral() {
    const [first] = world.parameters.collaterals;
    if (first === undefined) throw new TypeError("no collateral");
    return collateralParameters(first);
  }

  const newToken = async () => (await new MockToken__factory(owner).deploy("New", "NEW", 18)).getAddress();

  async function openFeed(asset: number, price = "5") {
    await (await world.ballast.oracle.setPushFeed(asset, wad("0.001"), 3600)).wait();
    const { timestamp } = (await world.ballast.provider.getBlock("latest")) ?? { timestamp: 0 };
    await (await world.ballast.oracle.push([asset], [wad(price)], timestamp)).wait();
  }

  async function payReserves(count: number) {
    await world.mint("USDC", world.admin.address, String(count));
    const token = MockToken__factory.connect(world.deployment.settlementToken.address, world.admin);
    await (await token.approve(vault, BigInt(count) * 1_000_000n)).wait();
  }

  /** One rate a year at every utilisation. */
  const flatRate = (rate: string) => ({ rateAtZeroWad: wad(rate), rateAtKinkWad: wad(rate), rateAtFullWad: wad(rate) });

  describe("listing", () => {
    it("lists a market under the next number, with its words, for a reserve of one quote unit", async () => {
      await openFeed(3);
      await payReserves(1);
      const before = await portfolios(world, {});
      const from = (await connection.ethers.provider.getBlockNumber()) + 1;
      await (await vault.listMarket(market())).wait();
      const [markets] = await vault.totals();
      expect(markets).to.equal(4n);
      expect(changes(before, await portfolios(world, {}))).to.deep.equal({
        "tokens.USDC": 1_000_000n,
        cashHeld: 1_000_000n,
      });
      const view = await vault.market(3);
      const { timestamp } = (await world.ballast.provider.getBlock("latest")) ?? { timestamp: 0 };
      expect(decodeMarketState(view.state)).to.deep.equal({
        fundingIndexWad: 0n,
        fundingRateE24: 0n,
        fundingDriftE24: 0n,
        touchedAt: timestamp,
        flags: 0,
      });
      const events = await world.ballast.events(from);
      expect(events.map(({ name }) => name)).to.deep.equal(["MarketParametersSet", "MarketChanged", "ReservePaid"]);
      expect(events[0]?.args).to.deep.equal({
        market: 3n,
        risk: view.risk,
        terms: view.terms,
        discount: view.discount,
      });
      expect(events[2]?.args).to.deep.equal({ market: 3n, amount: 1_000_000n });
    });

    it("lists no market without a price, and none whose price is stale", async () => {
      await payReserves(1);
      await expectRevert(() => vault.listMarket(market()), "PriceMissing", { asset: 3n });
      await openFeed(3);
      await world.passTime(3601);
      await expectRevert(() => vault.listMarket(market()), "PriceStale", {
        asset: 3n,
        publishedAt: () => true,
        maxAge: 3600n,
      });
    });

    it("lists no token twice, and never the settlement token", async () => {
      for (const { address } of [...world.deployment.collaterals, world.deployment.settlementToken]) {
        await expectRevert(() => vault.listCollateral(address, collateral()), "AlreadyListed", { token: address });
      }
    });

    it("lists a collateral under the next number, and none without a price", async () => {
      const token = await newToken();
      await expectRevert(() => vault.listCollateral(token, collateral()), "PriceMissing", { asset: 98n });
      await openFeed(98);
      await (await vault.listCollateral(token, { ...collateral(), depositCap: 77n })).wait();
      const [address, word] = await vault.collateralAt(2);
      expect(address).to.equal(token);
      expect(decodeCollateral(word)).to.deep.equal({
        weightInitialWad: wad("0.85"),
        weightMaintenanceWad: wad("0.9"),
        decimals: 18,
        held: 0n,
        concentrationStartWad: wad("1"),
        depositCap: 77n,
      });
    });

    it("has room for 96 markets and 32 collaterals", async () => {
      const { timestamp } = (await world.ballast.provider.getBlock("latest")) ?? { timestamp: 0 };
      const assets = [...Array(128).keys()].filter((asset) => (asset > 2 && asset < 96) || asset > 97);
      for (const asset of assets) await (await world.ballast.oracle.setPushFeed(asset, wad("0.001"), 3600)).wait();
      await (
        await world.ballast.oracle.push(
          assets,
          assets.map(() => wad("200")),
          timestamp,
        )
      ).wait();
      await payReserves(94);
      for (let id = 3; id < 96; id += 1) await (await vault.listMarket(market())).wait();
      await expectRevert(() => vault.listMarket(market()), "ListFull", { maximum: 96n });
      for (let index = 2; index < 32; index += 1) {
        await (await vault.listCollateral(await newToken(), collateral())).wait();
      }
      const token = await newToken();
      await expectRevert(() => vault.listCollateral(token, collateral()), "ListFull", { maximum: 32n });
    });
  });

  describe("bounds", () => {
    it("hold for a market's parameters, when it is listed and when they change", async () => {
      await openFeed(3, "200");
      await payReserves(1);
      const good = market();
      const broken: readonly [string, Partial<typeof good>][] = [
        ["maintenanceBase >= 0.1%", { maintenanceBaseWad: wad("0.000999") }],
        ["initialBase >= maintenanceBase", { initialBaseWad: wad("0.029") }],
        ["initialBase <= 100%", { initialBaseWad: wad("1.000001") }],
        ["profitWeight <= 100%", { profitWeightWad: wad("1.000001") }],
        ["lambdaMaintenance >= 1", { lambdaMaintenanceWad: wad("0.999999") }],
        ["lambdaInitial >= lambdaMaintenance", { lambdaInitialWad: wad("0.999999") }],
        ["lambdaInitial <= 10", { lambdaInitialWad: wad("10.000001") }],
        ["skewScale > 0", { skewScaleWad: 0n }],
        ["openInterestCap <= maintenanceBase * skewScale", { openInterestCapWad: wad("240000.000000001") }],
        ["minimumSize > 0", { minimumSizeWad: 0n }],
        ["openInterestSlope <= 1000%", { openInterestSlopeWad: wad("10.000001") }],
        ["takerRate <= 1%", { takerRateWad: wad("0.010001"), discountBaseWad: wad("0.02") }],
        ["makerRate <= takerRate", { makerRateWad: wad("0.000501") }],
        ["capitalShare <= 100%", { capitalShareWad: wad("1.000001") }],
        ["maxFundingRate <= 5% a day", { maxFundingRatePerDayWad: wad("0.050001") }],
        ["maxFundingVelocity <= 10 a day and day", { maxFundingVelocityPerDay2Wad: wad("10.000001") }],
        ["maxFundingGap 1 s to 7 days", { maxFundingGapSeconds: 0n }],
        ["maxFundingGap 1 s to 7 days", { maxFundingGapSeconds: 604_801n }],
        ["discountBase >= takerRate + tolerance", { discountBaseWad: wad("0.001499") }],
        ["discountCap >= discountBase", { discountCapWad: wad("0.009999") }],
        ["discountCap <= 50%", { discountCapWad: wad("0.500001") }],
        ["discountSlope <= 100%", { discountSlopeWad: wad("1.000001") }],
        // Of the price, 200.
        ["minimumSize * price <= 10,000", { minimumSizeWad: wad("50.000000001") }],
        ["skewScale * price >= 10,000", { skewScaleWad: wad("49.999999999"), openInterestCapWad: 0n }],
        ["skewScale * price <= 1e13", { skewScaleWad: wad("50000000000.000000001") }],
        ["targetHealth <= initialBase / maintenanceBase", { initialBaseWad: wad("0.032999") }],
      ];
      for (const [rule, change] of broken) {
        const parameters = { ...good, ...change };
        await expectRevert(() => vault.listMarket(parameters), "ParameterOutOfBounds", { rule });
        await expectRevert(() => vault.setMarketParameters(1, parameters), "ParameterOutOfBounds", { rule });
      }
      const most = {
        ...good,
        openInterestCapWad: wad("240000"),
        initialBaseWad: wad("0.033"),
        openInterestSlopeWad: wad("10"),
        makerRateWad: wad("0.0005"),
        discountBaseWad: wad("0.0015"),
        discountCapWad: wad("0.0015"),
        maxFundingRatePerDayWad: wad("0.05"),
        maxFundingVelocityPerDay2Wad: wad("10"),
        maxFundingGapSeconds: 604_800n,
        lambdaInitialWad: wad("10"),
        discountSlopeWad: wad("1"),
        minimumSizeWad: wad("50"),
      };
      await (await vault.listMarket(most)).wait();
      await (await vault.setMarketParameters(1, most)).wait();
    });

    it("refuse a number finer than its unit, rather than round it", async () => {
      for (const [change, value, unit] of [
        [{ takerRateWad: wad("0.0005000001") }, wad("0.0005000001"), 10n ** 12n],
        [{ minimumSizeWad: wad("0.0000000001") }, wad("0.0000000001"), 10n ** 9n],
      ] as const) {
        const error = await failure(() => vault.setMarketParameters(1, { ...market(), ...change }));
        // Raised in the library, by whose interface it is read here.
        const raised = error instanceof ContractError ? error.cause : error;
        const parsed = Administration__factory.createInterface().parseError(revertData(raised) ?? "0x");
        expect([parsed?.name, parsed?.args.toArray()]).to.deep.equal(["NotRepresentable", [value, unit]]);
      }
    });

    it("keep the open interest that stands within the new scale, or its impact would exceed the maintenance base", async () => {
      const account = await world.fund(owner, { USDC: "100000" });
      await (await world.as(owner)).trade(account, "ETH", "3000");
      const thin = { ...market(), openInterestCapWad: wad("1") };
      await expectRevert(
        () => vault.setMarketParameters(1, { ...thin, skewScaleWad: wad("99999") }),
        "ParameterOutOfBounds",
        { rule: "open interest <= maintenanceBase * skewScale" },
      );
      await (await vault.setMarketParameters(1, { ...thin, skewScaleWad: wad("100000") })).wait();
    });

    it("hold for a collateral's parameters", async () => {
      const weth = world.deployment.collaterals[0]?.address ?? "";
      const token = await newToken();
      await openFeed(98);
      for (const [rule, change] of [
        ["maintenanceWeight + discountCap < 100%", { maintenanceWeightWad: wad("0.95") }],
        ["maintenanceWeight + discountCap < 100%", { discountCapWad: wad("0.1") }],
        ["discountCap >= discountBase", { discountCapWad: wad("0.009999") }],
        ["discountBase >= tolerance", { discountBaseWad: wad("0.000999") }],
        ["discountSlope <= 100%", { discountSlopeWad: wad("1.000001") }],
        ["initialWeight <= maintenanceWeight", { initialWeightWad: wad("0.900001") }],
        ["0 < concentrationStart <= 100%", { concentrationStartWad: 0n }],
        ["0 < concentrationStart <= 100%", { concentrationStartWad: wad("1.0001") }],
      ] as const) {
        const parameters = { ...collateral(), ...change };
        await expectRevert(() => vault.setCollateralParameters(weth, parameters), "ParameterOutOfBounds", { rule });
        await expectRevert(() => vault.listCollateral(token, parameters), "ParameterOutOfBounds", { rule });
      }
      await expectRevert(() => vault.setCollateralParameters(token, collateral()), "UnknownToken", { token });
    });

    it("hold for the parameters of all accounts", async () => {
      const good = accountParameters(world.parameters);
      const broken: readonly [string, Partial<typeof good>][] = [
        ["debtMargin <= 50%", { debtMarginWad: wad("0.500001") }],
        ["targetHealth >= 1.01", { targetHealthWad: wad("1.009999") }],
        ["targetHealth <= 2", { targetHealthWad: wad("2.000001") }],
        ["keeperFloor <= 1,000", { keeperFloorWad: wad("1000.000001") }],
        ["minimumDebt <= 10,000", { minimumDebtWad: wad("10000.000001") }],
        ["absorbRewardPerHour <= 100,000", { absorbRewardPerHourWad: wad("100000.000001") }],
        ["10% <= absorbHealth < 1", { absorbHealthWad: wad("1") }],
        ["10% <= absorbHealth < 1", { absorbHealthWad: wad("0.099999") }],
        ["absorbPenalty <= 10%", { absorbPenaltyWad: wad("0.100001") }],
        ["keeperShare + insuranceShare <= 100%", { keeperShareWad: wad("0.800001") }],
        ["insuranceFeeShare <= 100%", { insuranceFeeShareWad: wad("1.000001") }],
        ["keeperFloor >= absorbRewardFloor", { keeperFloorWad: wad("1.999999") }],
        ["capitalMaxAge 1 s to 1 day", { capitalMaxAgeSeconds: 0n }],
        ["capitalMaxAge 1 s to 1 day", { capitalMaxAgeSeconds: 86_401n }],
        ["targetHealth <= initialBase / maintenanceBase", { targetHealthWad: wad("1.666667") }],
      ];
      for (const [rule, change] of broken) {
        await expectRevert(() => vault.setAccountParameters({ ...good, ...change }), "ParameterOutOfBounds", { rule });
      }
      await (await vault.setAccountParameters({ ...good, targetHealthWad: wad("1.666666") })).wait();
    });

    it("of the target health are none by a market that is delisted", async () => {
      const link = market("LINK");
      const good = accountParameters(world.parameters);
      const { targetHealthWad } = good;
      const tight = { ...link, initialBaseWad: (link.maintenanceBaseWad * targetHealthWad) / wad("1") };
      await (await vault.setMarketParameters(2, tight)).wait();
      const higher = { ...good, targetHealthWad: targetHealthWad + wad("0.01") };
      const rule = "targetHealth <= initialBase / maintenanceBase";
      const now = await connection.networkHelpers.time.latest();
      await (await vault.announceDelisting(2, now + 90_000, 0n)).wait();
      await world.passTime(90_001);
      await expectRevert(() => vault.setAccountParameters(higher), "ParameterOutOfBounds", { rule });
      await world.refresh();
      await (await vault.delist(2)).wait();
      await (await vault.setAccountParameters(higher)).wait();
      expect(decodeAccountRisk(await vault.accountRisk()).targetHealthWad).to.equal(higher.targetHealthWad);
      // Of the others it goes on.
      const most = { ...good, targetHealthWad: wad("1.666667") };
      await expectRevert(() => vault.setAccountParameters(most), "ParameterOutOfBounds", { rule });
    });

    it("hold for the parameters of cash", async () => {
      const good = cashParameters(world.parameters);
      const steep = { rateAtZeroWad: wad("0.01"), rateAtKinkWad: wad("0.08"), rateAtFullWad: wad("4") };
      const broken: readonly [string, Partial<typeof good>][] = [
        ["kink <= 100%", { kinkWad: wad("1.000001") }],
        ["rateAtZero <= rateAtKink", { ...steep, rateAtZeroWad: wad("0.080001") }],
        ["rateAtKink <= rateAtFull", { ...steep, rateAtFullWad: wad("0.079999") }],
        ["rateAtFull <= 400% a year", { ...steep, rateAtFullWad: wad("4.000001") }],
        ["reserveFactor <= 50%", { reserveFactorWad: wad("0.500001") }],
        ["poolLossPerHour <= 100%", { poolLossPerHourWad: wad("1.000001") }],
        ["writeOffPerHour <= 100%", { writeOffPerHourWad: wad("1.000001") }],
      ];
      for (const [rule, change] of broken) {
        await expectRevert(() => vault.setCashParameters({ ...good, ...change }), "ParameterOutOfBounds", { rule });
      }
      const shares = { reserveFactorWad: wad("0.5"), poolLossPerHourWad: wad("1"), writeOffPerHourWad: wad("1") };
      await (await vault.setCashParameters({ kinkWad: wad("1"), ...steep, ...shares })).wait();
    });

    it("name only markets that are listed", async () => {
      await expectRevert(() => vault.setMarketParameters(3, market()), "UnknownMarket", { market: 3n });
    });
  });

  describe("changes", () => {
    it("of a collateral keep its decimals and what is held", async () => {
      await world.fund(owner, { WBTC: "1.5" });
      const wbtc = world.deployment.collaterals[1]?.address ?? "";
      await (await vault.setCollateralParameters(wbtc, { ...collateral(), depositCap: 5n })).wait();
      const [, word] = await vault.collateralAt(1);
      expect(decodeCollateral(word)).to.include({ decimals: 8, held: 150_000_000n, depositCap: 5n });
      // A cap below what is held stops deposits, and no withdrawal.
      await (await world.as(owner)).withdraw(accountId(owner.address), "WBTC", "0.5");
      await expectRevert(() => world.fund(owner, { WBTC: "0.00000001" }), "DepositCapExceeded", {
        token: wbtc,
        total: 100_000_001n,
        cap: 5n,
      });
    });

    it("of a collateral's discount stand beside its word, are told, and count for the next sale", async () => {
      const discount = { discountBaseWad: wad("0.002"), discountSlopeWad: wad("0.5"), discountCapWad: wad("0.06") };
      // In ppm: base in bits 0-19, slope from 20, cap from 44.
      const word = 2_000n | (500_000n << 20n) | (60_000n << 44n);
      const weth = world.deployment.collaterals[0]?.address ?? "";
      const before = await vault.collateralAt(0);
      expect(before.discount).to.equal(10_000n | (100_000n << 20n) | (50_000n << 44n));
      const from = (await world.ballast.provider.getBlockNumber()) + 1;
      await (await vault.setCollateralParameters(weth, { ...collateral(), ...discount })).wait();
      const told = (await world.ballast.events(from)).map(({ name, args }) => ({ name, ...args }));
      const after = await vault.collateralAt(0);
      expect(after.discount).to.equal(word);
      expect(told).to.deep.equal([
        { name: "CollateralParametersSet", token: weth, collateralIndex: 0n, collateral: after.word, discount: word },
      ]);

      const borrower = await world.fund(owner, { WETH: "10" });
      await (await world.as(owner)).withdraw(borrower, "USDC", "1600");
      const taker = await world.fund(owner, { USDC: "5000" }, 1);
      await world.push({ ETH: "186" });
      // Health 74 / 82: 0.2% + 0.5 * 8 / 82 = 5.08%, of 18.6
      const rate = wad("0.002") + (wad("1") - (wad("74") * wad("1")) / wad("82")) / 2n;
      const paid = wad("18.6") - ceilDiv(wad("18.6") * rate, wad("1"));
      await (await vault.connect(owner).liquidateCollateral(borrower, weth, wad("0.1"), taker)).wait();
      expect(await vault.cash(borrower)).to.equal(paid - wad("1600"));
    });

    it("of cash charge interest under the old rates first, and go on at the new", async () => {
      const terms = { ...cashParameters(world.parameters), kinkWad: wad("0.8"), reserveFactorWad: wad("0.1") };
      const flat = (rate: string) => ({ ...terms, ...flatRate(rate) });
      await (await vault.setCashParameters(flat("0.031536"))).wait(); // 1e-9 a second
      const borrower = await world.fund(owner, { WETH: "10" });
      await (await world.as(owner)).withdraw(borrower, "USDC", "1000");
      const before = decodeCashIndices((await vault.cashView()).indices);
      expect(before.borrowRateWad).to.equal(10n ** 9n);
      const { time } = world.connection.networkHelpers;
      await time.setNextBlockTimestamp(before.accruedAt + 1_000_000);
      const from = (await world.ballast.provider.getBlockNumber()) + 1;
      await (await vault.setCashParameters(flat("0.31536"))).wait(); // 1e-8
      const view = await vault.cashView();
      const after = decodeCashIndices(view.indices);
      expect(after.borrowIndexE15).to.equal(ceilDiv(before.borrowIndexE15 * 1001n, 1000n));
      expect(after.borrowRateWad).to.equal(10n ** 10n);
      expect(after.accruedAt).to.equal(before.accruedAt + 1_000_000);
      const told = (await world.ballast.events(from)).map(({ name, args }) => ({ name, ...args }));
      expect(told).to.deep.equal([
        { name: "CashParametersSet", terms: view.terms },
        {
          name: "CashChanged",
          indices: view.indices,
          totals: view.totals,
          interestUnsweptWad: view.interestUnsweptWad,
        },
      ]);
      // A debt of 1000 from an index of one and a trace: a thousandth in the first time, a hundredth in the next.
      const owed = -(await vault.cash(borrower));
      await time.increaseTo(after.accruedAt + 1_000_000);
      const more = -(await vault.cash(borrower)) - owed;
      expect(owed >= wad("1001") && owed < wad("1001.001"), String(owed)).to.equal(true);
      expect(more >= wad("10.009") && more < wad("10.012"), String(more)).to.equal(true);
    });

    it("of all accounts keep the capital's checkpoint and take a new age at once", async () => {
      const checkpoint = await vault.capital();
      const age = 1n << 168n;
      await (
        await vault.setAccountParameters({ ...accountParameters(world.parameters), capitalMaxAgeSeconds: 60n })
      ).wait();
      expect(await vault.capital()).to.equal(checkpoint - 3600n * age + 60n * age);
    });

    it("of a market accrue funding under the old parameters first, and go on at the rate reached", async () => {
      enter(
        await deployWorld(await hre.network.create(), (parameters) =>
          roundFigures(parameters, {
            everyMarket: { maxFundingVelocityPerDay2: "3" },
            vault: { maxPriceAgeSeconds: "864000" },
          }),
        ),
      );
      const account = await world.fund(owner, { USDC: "1000000" });
      await (await world.as(owner)).trade(account, "ETH", "4000");
      const opened = decodeMarketState((await vault.market(1)).state);
      // 3 a day and day, times a skew of 4000 / 8,000,000
      const drift = (15n * 10n ** 20n) / (86_400n * 86_400n);
      expect(opened.fundingDriftE24).to.equal(drift);
      const { time } = world.connection.networkHelpers;
      const half = 43_200n;
      await time.setNextBlockTimestamp(BigInt(opened.touchedAt) + half);
      // No velocity from now on, and another scale.
      await (
        await vault.setMarketParameters(1, {
          ...market(),
          maxFundingVelocityPerDay2Wad: wad("0"),
          skewScaleWad: wad("9000000"), // looser, so at once
        })
      ).wait();
      const state = decodeMarketState((await vault.market(1)).state);
      expect(state).to.deep.equal({
        // price * drift * t^2 / 2
        fundingIndexWad: (200n * drift * half * half) / 2n / 10n ** 6n,
        fundingRateE24: drift * half,
        fundingDriftE24: 0n,
        touchedAt: opened.touchedAt + Number(half),
        flags: 0,
      });
      // What longs owe has left the position's value to the second, and goes on at the rate reached.
      const value = async () => (await vault.position(account, 1)).valueWad;
      const paid = 4000n * state.fundingIndexWad;
      const first = await value();
      await time.increaseTo(BigInt(state.touchedAt) + 1000n);
      expect(first - (await value())).to.equal((4000n * (200n * drift * half * 1000n)) / 10n ** 6n);
      expect(paid > wad("149") && paid < wad("151"), String(paid)).to.equal(true);
    });

    it("of a market keep what is open", async () => {
      const account = await world.fund(owner, { USDC: "10000" });
      await (await world.as(owner)).trade(account, "ETH", "10");
      const before = await portfolios(world, { account });
      await (await vault.setMarketParameters(1, { ...market(), initialBaseWad: wad("0.1") })).wait();
      const after = await portfolios(world, { account });
      expect(changes(before, after)).to.deep.equal({});
      expect(after.accounts.account.positions).to.deep.equal(before.accounts.account.positions);
      const raised = after.accounts.account.health.requirementInitialWad;
      expect(raised - before.accounts.account.health.requirementInitialWad).to.equal(wad("100"));
    });
  });

  describe("fees of the insurance account", () => {
    it("are swept by anybody into its cash, once", async () => {
      const account = await world.fund(owner, { USDC: "10000" });
      await (await world.as(owner)).trade(account, "ETH", "10");
      const before = await portfolios(world, { account });
      const fees = decodeMarketTotals((await vault.market(1)).totals).feesUnsweptWad;
      expect(fees).to.equal(wad("0.3"));
      const asStranger = MarginVault__factory.connect(world.deployment.vault, stranger);
      await (await asStranger.sweepFees(1)).wait();
      expect(changes(before, await portfolios(world, { account }))).to.deep.equal({
        "insurance.cash": fees,
        "fees.ETH": -fees,
      });
      await expectRevert(() => asStranger.sweepFees(1), "ZeroAmount");
      await expectRevert(() => asStranger.sweepFees(3), "UnknownMarket", { market: 3n });
    });
  });
});
