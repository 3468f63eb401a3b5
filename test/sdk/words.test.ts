import { expect } from "chai";

import {
  decodeAccountRisk,
  decodeCapital,
  decodeCashIndices,
  decodeCashTerms,
  decodeCashTotals,
  decodeCollateral,
  decodeEpochs,
  decodeHourBudget,
  decodeMarketRisk,
  decodeMarketState,
  decodeMarketTerms,
  decodeRampClock,
  decodeSide,
  epochEndKey,
  hasFlag,
  marketFlags,
} from "../../sdk/index.js";
import { type World, changed, createWorld, wad } from "../helpers/world.js";

/** A word of these fields, from bit 0 on. */
function packed(...fields: readonly (readonly [bits: bigint, value: bigint])[]): bigint {
  let [word, at] = [0n, 0n];
  for (const [bits, value] of fields) {
    word |= BigInt.asUintN(Number(bits), value) << at;
    at += bits;
  }
  return word;
}

/** The largest value of a field. */
const all = (bits: bigint) => 2n ** bits - 1n;

describe("sdk/words", () => {
  let world: World;

  before(async () => {
    world = await createWorld((given) => ({
      ...changed(given, { everyMarket: { openInterestSlope: "1.25" } }),
      collaterals: given.collaterals.map((one) => ({ ...one, depositCap: "5000.5", concentrationStart: "0.4321" })),
    }));
  });

  it("decodes a market's parameters as they were given", async () => {
    for (const [id, given] of world.parameters.markets.entries()) {
      const { risk, terms } = await world.ballast.vault.market(id);
      expect(decodeMarketRisk(risk)).to.deep.equal({
        initialBaseWad: wad(given.initialBase),
        maintenanceBaseWad: wad(given.maintenanceBase),
        profitWeightWad: wad(given.profitWeight),
        lambdaInitialWad: wad(given.lambdaInitial),
        lambdaMaintenanceWad: wad(given.lambdaMaintenance),
        openInterestSlopeWad: wad(given.openInterestSlope),
        skewScaleWad: wad(given.skewScale),
      });
      expect(decodeMarketTerms(terms)).to.deep.equal({
        openInterestCapWad: wad(given.openInterestCap),
        minimumSizeWad: wad(given.minimumSize),
        takerRateWad: wad(given.takerRate),
        makerRateWad: wad(given.makerRate),
      });
    }
  });

  it("decodes a collateral's parameters as they were given, and what is held of it", async () => {
    const [owner] = world.signers;
    await world.fund(owner!, { WETH: "3", WBTC: "0.5" });
    for (const [index, held] of [wad("3"), 50_000_000n].entries()) {
      const { weightInitial, weightMaintenance, decimals } = world.parameters.collaterals[index]!;
      const [, word] = await world.ballast.vault.collateralAt(index);
      expect(decodeCollateral(word)).to.deep.equal({
        weightInitialWad: wad(weightInitial),
        weightMaintenanceWad: wad(weightMaintenance),
        decimals: Number(decimals),
        held,
        concentrationStartWad: wad("0.4321"),
        depositCap: (50_005n * 10n ** BigInt(decimals)) / 10n,
      });
    }
    const others = all(48n) | (all(112n) << 144n);
    expect(decodeCollateral(others)).to.include({ held: 0n, decimals: 255, depositCap: all(96n) });
    expect(decodeCollateral(all(96n) << 48n)).to.include({ held: all(96n), decimals: 0, concentrationStartWad: 0n });
  });

  it("decodes the parameters of cash as they were given", async () => {
    const { cash } = world.parameters;
    expect(decodeCashTerms((await world.ballast.vault.cashView()).terms)).to.deep.equal({
      kinkWad: wad(cash.kink),
      rateAtZeroWad: wad(cash.rateAtZero),
      rateAtKinkWad: wad(cash.rateAtKink),
      rateAtFullWad: wad(cash.rateAtFull),
      reserveFactorWad: wad(cash.reserveFactor),
      poolLossPerHourWad: wad(cash.poolLossPerHour),
      writeOffPerHourWad: wad(cash.writeOffPerHour),
    });
  });

  it("decodes the parameters of all accounts as they were given", async () => {
    const { vault } = world.parameters;
    expect(decodeAccountRisk(await world.ballast.vault.accountRisk())).to.deep.equal({
      debtMarginWad: wad(vault.debtMargin),
      targetHealthWad: wad(vault.targetHealth),
      absorbHealthWad: wad(vault.absorbHealth),
      absorbPenaltyWad: wad(vault.absorbPenalty),
      keeperShareWad: wad(vault.forcedFeeShareKeeper),
      insuranceShareWad: wad(vault.forcedFeeShareInsurance),
      insuranceFeeShareWad: wad(vault.insuranceFeeShare),
      keeperFloorWad: wad(vault.keeperFloor),
      minimumDebtWad: wad(vault.minimumDebt),
    });
  });

  it("decodes the sums of cash, and the indices as they begin", async () => {
    const { indices, totals } = await world.ballast.vault.cashView();
    const { timestamp } = (await world.ballast.provider.getBlock("latest"))!;
    const { supplyIndexE15, borrowIndexE15, supplyRateWad, borrowRateWad, accruedAt } = decodeCashIndices(indices);
    expect([supplyIndexE15, supplyRateWad, borrowRateWad]).to.deep.equal([
      10n ** 15n,
      0n,
      wad("0.01") / (365n * 86_400n),
    ]);
    expect(borrowIndexE15 >= 10n ** 15n && accruedAt > timestamp - 60 && accruedAt <= timestamp).to.equal(true);
    expect(decodeCashTotals(totals)).to.deep.equal({
      suppliedPrincipalWad: wad("10100000"),
      borrowedPrincipalWad: 0n,
    });
  });

  it("decodes each field of a word alone, to its ends", () => {
    expect(
      decodeCashIndices(packed([72n, all(72n)], [72n, 7n], [40n, all(40n)], [40n, 9n], [32n, all(32n)])),
    ).to.deep.equal({
      supplyIndexE15: all(72n),
      borrowIndexE15: 7n,
      supplyRateWad: all(40n),
      borrowRateWad: 9n,
      accruedAt: 2 ** 32 - 1,
    });
    expect(decodeCashTotals(packed([128n, all(128n)], [128n, 5n]))).to.deep.equal({
      suppliedPrincipalWad: all(128n),
      borrowedPrincipalWad: 5n,
    });
    const wide = [7n, 9n, 11n].map((value) => [24n, value] as const);
    const narrow = [13n, 15n, 17n].map((value) => [20n, value] as const);
    expect(decodeCashTerms(packed([20n, 3n], ...wide, ...narrow))).to.deep.equal({
      kinkWad: wad("0.000003"),
      rateAtZeroWad: wad("0.000007"),
      rateAtKinkWad: wad("0.000009"),
      rateAtFullWad: wad("0.000011"),
      reserveFactorWad: wad("0.000013"),
      poolLossPerHourWad: wad("0.000015"),
      writeOffPerHourWad: wad("0.000017"),
    });
    expect(decodeCapital(packed([128n, all(128n)], [40n, 5n], [40n, all(40n)], [48n, all(48n)]))).to.deep.equal({
      capitalWad: all(128n),
      takenAt: 5,
      maxAgeSeconds: 2 ** 40 - 1,
    });
    expect(decodeRampClock(packed([32n, 259_200n], [40n, all(40n)], [184n, all(184n)]))).to.deep.equal({
      secondsLeft: 259_200,
      steppedAt: 2 ** 40 - 1,
    });
    expect(decodeHourBudget(packed([104n, all(104n)], [104n, 3n], [40n, all(40n)]))).to.deep.equal({
      allowedWad: all(104n),
      spentWad: 3n,
      since: 2 ** 40 - 1,
    });
    for (const carryRay of [0n, -1n, 2n ** 159n - 1n, -(2n ** 159n)]) {
      expect(decodeSide(packed([96n, all(96n)], [160n, carryRay]))).to.deep.equal({ scaleRay: all(96n), carryRay });
    }
    expect(
      decodeEpochs(packed([16n, 65_535n], [16n, 2n], [40n, all(40n)], [96n, wad("3")], [88n, all(88n)])),
    ).to.deep.equal({
      longEpoch: 65_535,
      shortEpoch: 2,
      delistAt: 2 ** 40 - 1,
      finalPriceWad: wad("3"),
    });
    expect(decodeEpochs(packed([16n, 1n]))).to.deep.equal({
      longEpoch: 1,
      shortEpoch: 0,
      delistAt: undefined,
      finalPriceWad: 0n,
    });
  });

  it("names a market's flags, and the ends of its epochs as the vault does", async () => {
    const { vault } = world.ballast;
    const flags = async () => {
      const state = decodeMarketState((await vault.market(2)).state);
      return (["sidesTouched", "closing", "delisted"] as const).filter((name) => hasFlag(state, name));
    };
    expect(await flags()).to.deep.equal([]);
    const { timestamp } = (await world.ballast.provider.getBlock("latest"))!;
    await (await vault.announceDelisting(2, timestamp + 90_000, wad("4.5"))).wait();
    expect(await flags()).to.deep.equal(["sidesTouched", "closing"]);
    const { epochs, longSide } = await vault.market(2);
    expect(decodeEpochs(epochs)).to.deep.equal({
      longEpoch: 0,
      shortEpoch: 0,
      delistAt: timestamp + 90_000,
      finalPriceWad: wad("4.5"),
    });
    expect(decodeSide(longSide)).to.deep.equal({ scaleRay: 10n ** 27n, carryRay: 0n });
    await world.passTime(90_000);
    await world.ballast.delist("LINK");
    expect(await flags()).to.deep.equal(["sidesTouched", "closing", "delisted"]);
    expect(decodeEpochs((await vault.market(2)).epochs)).to.include({ longEpoch: 1, shortEpoch: 1 });
    expect(decodeSide(await vault.epochEnd(2, true, 0))).to.deep.equal({
      scaleRay: 0n,
      carryRay: wad("4.5") * 10n ** 9n,
    });
    expect(marketFlags).to.deep.equal({ sidesTouched: 1, closing: 2, delisted: 4, halted: 8 });
    expect([epochEndKey(true, 0), epochEndKey(false, 0), epochEndKey(true, 3)]).to.deep.equal([1, 0, 7]);
  });
});
