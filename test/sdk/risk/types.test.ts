import { expect } from "chai";
import fc from "fast-check";

import * as Account from "../../../sdk/risk/types/Account.js";
import * as AccountId from "../../../sdk/risk/types/AccountId.js";
import * as AccountWord from "../../../sdk/risk/types/AccountWord.js";
import * as AssetSet from "../../../sdk/risk/types/AssetSet.js";
import * as CashWords from "../../../sdk/risk/types/CashWords.js";
import * as MarketWords from "../../../sdk/risk/types/MarketWords.js";
import * as Packing from "../../../sdk/risk/types/Packing.js";
import * as Position from "../../../sdk/risk/types/Position.js";
import * as Price from "../../../sdk/risk/types/Price.js";
import * as RampWords from "../../../sdk/risk/types/RampWords.js";
import * as VaultWords from "../../../sdk/risk/types/VaultWords.js";
import { refused } from "./refused.js";

const { MICRO, NANO, PPM } = MarketWords;

interface Field<W> {
  readonly bits: number;
  readonly read: (word: W) => bigint;
  /** What a one in the word stands for. */
  readonly unit: bigint;
  readonly isSigned: boolean;
  /** What is read where that is not what was written. */
  readonly as: (value: bigint) => bigint;
}

const itself = (value: bigint) => value;

function unsigned<W>(bits: number, read: (word: W) => bigint, unit = 1n, as = itself): Field<W> {
  return { bits, read, unit, isSigned: false, as };
}

function signed<W>(bits: number, read: (word: W) => bigint): Field<W> {
  return { bits, read, unit: 1n, isSigned: true, as: itself };
}

const least = ({ bits, isSigned }: Field<never>) => (isSigned ? -(2n ** BigInt(bits - 1)) : 0n);
const most = ({ bits, isSigned }: Field<never>) => 2n ** BigInt(isSigned ? bits - 1 : bits) - 1n;

/** The word in which these fields stand one after the other, from bit 0 on. */
function packed(fields: readonly Field<never>[], counts: readonly bigint[]): bigint {
  let [word, at] = [0n, 0n];
  for (const [i, { bits }] of fields.entries()) {
    word += BigInt.asUintN(bits, counts[i]!) * 2n ** at;
    at += BigInt(bits);
  }
  return word;
}

/** Tests the layout of a word: its fields in the order of their bits, of which `make` takes the values in the same order. */
function itKeeps<W extends bigint>(name: string, make: (...values: bigint[]) => W, fields: readonly Field<W>[]): void {
  const counts = fc.tuple(...fields.map((field) => fc.bigInt(least(field), most(field))));

  it(`reads the fields of ${name} back, each from its place`, () => {
    const keeps = (given: readonly bigint[]) => {
      const values = given.map((count, i) => count * fields[i]!.unit);
      const word = make(...values);
      expect(word).to.equal(packed(fields, given));
      expect(fields.map((field) => field.read(word))).to.deep.equal(values.map((value, i) => fields[i]!.as(value)));
    };
    keeps(fields.map(least));
    keeps(fields.map(most));
    fc.assert(fc.property(counts, keeps), { numRuns: 50 });
  });

  it(`refuses what the fields of ${name} do not hold`, () => {
    for (const [i, field] of fields.entries()) {
      const zeros = fields.map(() => 0n);
      const outside = most(field) + 1n;
      const args = { value: outside, bits: BigInt(field.bits) };
      refused(() => make(...zeros.with(i, outside * field.unit)), "ValueOutOfRange", args);
      if (field.isSigned) {
        const below = least(field) - 1n;
        refused(() => make(...zeros.with(i, below)), "ValueOutOfRange", { ...args, value: below });
      }
      if (field.unit !== 1n) {
        const between = field.unit + 1n;
        refused(() => make(...zeros.with(i, between)), "NotRepresentable", { value: between, unit: field.unit });
      }
    }
  });
}

const word = fc.bigInt(0n, 2n ** 256n - 1n);
const cash = fc.bigInt(-(2n ** 119n), 2n ** 119n - 1n);
const asset = fc.nat(127);
const bits = fc.bigInt(0n, 2n ** 128n - 1n);

const market: MarketWords.MarketParameters = {
  initialBaseWad: 0n,
  maintenanceBaseWad: 0n,
  profitWeightWad: 0n,
  lambdaInitialWad: 0n,
  lambdaMaintenanceWad: 0n,
  maxFundingRatePerDayWad: 0n,
  maxFundingVelocityPerDay2Wad: 0n,
  maxFundingGapSeconds: 0n,
  skewScaleWad: 0n,
  openInterestCapWad: 0n,
  minimumSizeWad: 0n,
  takerRateWad: 0n,
  makerRateWad: 0n,
  capitalShareWad: 0n,
  openInterestSlopeWad: 0n,
  discountBaseWad: 0n,
  discountSlopeWad: 0n,
  discountCapWad: 0n,
};

describe("sdk/risk/types", () => {
  describe("words", () => {
    itKeeps("Position", (shares: bigint, cost: bigint, epoch: bigint) => Position.toPosition(shares, cost, epoch), [
      signed(120, Position.shares),
      signed(120, Position.cost),
      unsigned(16, Position.epoch),
    ]);

    itKeeps(
      "Price",
      (price: bigint, tolerance: bigint, publishedAt: bigint, maxAge: bigint) =>
        Price.toPrice(price, tolerance, publishedAt, maxAge),
      [
        unsigned(96, Price.value),
        unsigned(64, Price.tolerance),
        unsigned(40, Price.publishedAt),
        unsigned(32, Price.maxAge),
      ],
    );

    itKeeps("RampClock", (left: bigint, at: bigint) => RampWords.toRampClock(left, at), [
      unsigned(32, RampWords.secondsLeft),
      unsigned(40, RampWords.steppedAt),
    ]);

    itKeeps(
      "CashIndices",
      (supply: bigint, borrow: bigint, supplyRate: bigint, borrowRate: bigint, at: bigint) =>
        CashWords.toCashIndices(supply, borrow, supplyRate, borrowRate, at),
      [
        unsigned(72, CashWords.supplyIndex),
        unsigned(72, CashWords.borrowIndex),
        unsigned(40, CashWords.supplyRate),
        unsigned(40, CashWords.borrowRate),
        unsigned(32, CashWords.accruedAt),
      ],
    );

    itKeeps("CashTotals", (supplied: bigint, borrowed: bigint) => CashWords.toCashTotals(supplied, borrowed), [
      unsigned(128, CashWords.supplied),
      unsigned(128, CashWords.borrowed),
    ]);

    itKeeps(
      "CashTerms",
      (
        kinkWad: bigint,
        rateAtZeroWad: bigint,
        rateAtKinkWad: bigint,
        rateAtFullWad: bigint,
        reserveFactorWad: bigint,
        poolLossPerHourWad: bigint,
        writeOffPerHourWad: bigint,
      ) =>
        CashWords.toCashTerms({
          kinkWad,
          rateAtZeroWad,
          rateAtKinkWad,
          rateAtFullWad,
          reserveFactorWad,
          poolLossPerHourWad,
          writeOffPerHourWad,
        }),
      [
        unsigned(20, CashWords.kink, PPM),
        unsigned(24, CashWords.rateAtZero, PPM),
        unsigned(24, CashWords.rateAtKink, PPM),
        unsigned(24, CashWords.rateAtFull, PPM),
        unsigned(20, CashWords.reserveFactor, PPM),
        unsigned(20, CashWords.poolLossPerHour, PPM),
        unsigned(20, CashWords.writeOffPerHour, PPM),
      ],
    );

    itKeeps(
      "HourBudget",
      (allowed: bigint, spent: bigint, since: bigint) => CashWords.toHourBudget(allowed, spent, since),
      [unsigned(104, CashWords.allowed), unsigned(104, CashWords.spent), unsigned(40, CashWords.since)],
    );

    itKeeps(
      "MarketState",
      (index: bigint, rate: bigint, drift: bigint, touchedAt: bigint, flags: bigint) =>
        MarketWords.toMarketState(index, rate, drift, touchedAt, flags),
      [
        signed(96, MarketWords.fundingIndex),
        signed(64, MarketWords.fundingRate),
        signed(56, MarketWords.fundingDrift),
        unsigned(32, MarketWords.touchedAt),
        unsigned(8, MarketWords.flags),
      ],
    );

    itKeeps(
      "MarketTotals",
      (long: bigint, short: bigint, fees: bigint) => MarketWords.toMarketTotals(long, short, fees),
      [
        unsigned(104, MarketWords.longShares),
        unsigned(104, MarketWords.shortShares),
        unsigned(48, MarketWords.feesUnswept),
      ],
    );

    itKeeps(
      "MarketRisk",
      (
        initialBaseWad: bigint,
        maintenanceBaseWad: bigint,
        profitWeightWad: bigint,
        lambdaInitialWad: bigint,
        lambdaMaintenanceWad: bigint,
        openInterestSlopeWad: bigint,
        maxFundingRatePerDayWad: bigint,
        maxFundingGapSeconds: bigint,
        skewScaleWad: bigint,
      ) =>
        MarketWords.toMarketRisk({
          ...market,
          initialBaseWad,
          maintenanceBaseWad,
          profitWeightWad,
          lambdaInitialWad,
          lambdaMaintenanceWad,
          openInterestSlopeWad,
          maxFundingRatePerDayWad,
          maxFundingGapSeconds,
          skewScaleWad,
        }),
      [
        unsigned(20, MarketWords.initialBase, PPM),
        unsigned(20, MarketWords.maintenanceBase, PPM),
        unsigned(20, MarketWords.profitWeight, PPM),
        unsigned(24, MarketWords.lambdaInitial, PPM),
        unsigned(24, MarketWords.lambdaMaintenance, PPM),
        unsigned(24, MarketWords.openInterestSlope, PPM),
        unsigned(24, MarketWords.maxFundingRate, PPM, (perDayWad) => (perDayWad * 1_000_000n) / 86_400n),
        unsigned(20, MarketWords.maxFundingGap),
        unsigned(80, MarketWords.skewScale, NANO),
      ],
    );

    itKeeps(
      "MarketTerms",
      (
        openInterestCapWad: bigint,
        minimumSizeWad: bigint,
        takerRateWad: bigint,
        makerRateWad: bigint,
        capitalShareWad: bigint,
        maxFundingVelocityPerDay2Wad: bigint,
      ) =>
        MarketWords.toMarketTerms({
          ...market,
          openInterestCapWad,
          minimumSizeWad,
          takerRateWad,
          makerRateWad,
          capitalShareWad,
          maxFundingVelocityPerDay2Wad,
        }),
      [
        unsigned(80, MarketWords.openInterestCap, NANO),
        unsigned(80, MarketWords.minimumSize, NANO),
        unsigned(20, MarketWords.takerRate, PPM),
        unsigned(20, MarketWords.makerRate, PPM),
        unsigned(20, MarketWords.capitalShare, PPM),
        unsigned(24, MarketWords.maxFundingVelocity, PPM),
      ],
    );

    itKeeps(
      "DiscountTerms",
      (base: bigint, slope: bigint, cap: bigint) => MarketWords.toDiscountTerms(base, slope, cap),
      [
        unsigned(20, MarketWords.discountBase, PPM),
        unsigned(24, MarketWords.discountSlope, PPM),
        unsigned(20, MarketWords.discountCap, PPM),
      ],
    );

    itKeeps("SideWord", (scale: bigint, carry: bigint) => MarketWords.toSideWord(scale, carry), [
      unsigned(96, MarketWords.sideScale),
      signed(160, MarketWords.sideCarry),
    ]);

    itKeeps(
      "Collateral",
      (
        initialWeightWad: bigint,
        maintenanceWeightWad: bigint,
        decimals: bigint,
        held: bigint,
        concentrationStartWad: bigint,
        depositCap: bigint,
      ) => {
        const discount = { discountBaseWad: 0n, discountSlopeWad: 0n, discountCapWad: 0n };
        const p = { initialWeightWad, maintenanceWeightWad, concentrationStartWad, depositCap, ...discount };
        return VaultWords.toCollateral(p, decimals, held);
      },
      [
        unsigned(20, VaultWords.initialWeight, PPM),
        unsigned(20, VaultWords.maintenanceWeight, PPM),
        unsigned(8, VaultWords.decimals),
        unsigned(96, VaultWords.held),
        unsigned(16, VaultWords.concentrationStart, VaultWords.BASIS_POINT),
        unsigned(96, VaultWords.depositCap),
      ],
    );

    itKeeps(
      "AccountRisk",
      (
        debtMarginWad: bigint,
        targetHealthWad: bigint,
        absorbHealthWad: bigint,
        absorbPenaltyWad: bigint,
        keeperShareWad: bigint,
        insuranceShareWad: bigint,
        insuranceFeeShareWad: bigint,
        keeperFloorWad: bigint,
        minimumDebtWad: bigint,
      ) =>
        VaultWords.toAccountRisk({
          debtMarginWad,
          targetHealthWad,
          absorbHealthWad,
          absorbPenaltyWad,
          keeperShareWad,
          insuranceShareWad,
          insuranceFeeShareWad,
          keeperFloorWad,
          minimumDebtWad,
          absorbRewardFloorWad: 0n,
          absorbRewardPerHourWad: 0n,
          capitalMaxAgeSeconds: 0n,
        }),
      [
        unsigned(20, VaultWords.debtMargin, PPM),
        unsigned(24, VaultWords.targetHealth, PPM),
        unsigned(20, VaultWords.absorbHealth, PPM),
        unsigned(20, VaultWords.absorbPenalty, PPM),
        unsigned(20, VaultWords.keeperShare, PPM),
        unsigned(20, VaultWords.insuranceShare, PPM),
        unsigned(20, VaultWords.insuranceFeeShare, PPM),
        unsigned(56, VaultWords.keeperFloor, MICRO),
        unsigned(56, VaultWords.minimumDebt, MICRO),
      ],
    );

    itKeeps(
      "RewardBudget",
      (floor: bigint, perHour: bigint, spent: bigint, since: bigint) =>
        VaultWords.toRewardBudget(floor, perHour, spent, since),
      [
        unsigned(56, VaultWords.rewardFloor, MICRO),
        unsigned(56, VaultWords.perHour, MICRO),
        unsigned(56, VaultWords.spent, MICRO),
        unsigned(40, VaultWords.since),
      ],
    );

    itKeeps(
      "Capital",
      (value: bigint, takenAt: bigint, maxAge: bigint) => VaultWords.toCapital(value, takenAt, maxAge),
      [unsigned(128, VaultWords.capitalValue), unsigned(40, VaultWords.takenAt), unsigned(40, VaultWords.maxAge)],
    );
  });

  describe("what replaces a part of a word", () => {
    const inside = fc.bigInt(0n, 2n ** 20n - 1n);

    /** Tests that a function writes these bits and leaves all others. */
    function itWrites<W extends bigint>(
      name: string,
      change: (word: W, value: bigint) => bigint,
      offset: bigint,
      bits: number,
      unit = 1n,
    ): void {
      it(`${name} leaves all other bits`, () => {
        fc.assert(
          fc.property(word, fc.bigInt(0n, 2n ** BigInt(bits) - 1n), (given, count) => {
            const mask = (2n ** BigInt(bits) - 1n) << offset;
            expect(change(given as W, count * unit)).to.equal((given & ~mask) | (count << offset));
          }),
          { numRuns: 50 },
        );
        const outside = 2n ** BigInt(bits);
        refused(() => change(0n as W, outside * unit), "ValueOutOfRange", { value: outside, bits: BigInt(bits) });
      });
    }

    itWrites("Account.withMode", Account.withMode, 248n, 8);
    itWrites("VaultWords.withHeld", VaultWords.withHeld, 48n, 96);
    itWrites("VaultWords.withMaintenanceWeight", VaultWords.withMaintenanceWeight, 20n, 20, PPM);
    itWrites("Price.withTolerance", Price.withTolerance, 96n, 64);

    it("withMaintenance of a market writes what maintenance depends on alone", () => {
      fc.assert(
        fc.property(word, inside, inside, inside, (given, base, lambda, scale) => {
          const others = given & ~(((2n ** 20n - 1n) << 20n) | ((2n ** 24n - 1n) << 84n) | ((2n ** 80n - 1n) << 176n));
          const changed = MarketWords.withMaintenance(
            given as MarketWords.MarketRisk,
            base * PPM,
            lambda * PPM,
            scale * NANO,
          );
          expect(changed).to.equal(others | (base << 20n) | (lambda << 84n) | (scale << 176n));
        }),
        { numRuns: 50 },
      );
    });

    it("withMaintenance of accounts writes what maintenance depends on alone", () => {
      fc.assert(
        fc.property(word, inside, inside, inside, (given, debtMargin, absorbHealth, keeperFloor) => {
          const others = given & ~((2n ** 20n - 1n) | ((2n ** 20n - 1n) << 44n) | ((2n ** 56n - 1n) << 144n));
          const changed = VaultWords.withMaintenance(
            given as VaultWords.AccountRisk,
            debtMargin * PPM,
            absorbHealth * PPM,
            keeperFloor * MICRO,
          );
          expect(changed).to.equal(others | debtMargin | (absorbHealth << 44n) | (keeperFloor << 144n));
        }),
        { numRuns: 50 },
      );
    });

    it("reads an unsigned field, and a signed one, as they were placed", () => {
      const width = fc.integer({ min: 1, max: 120 });
      fc.assert(
        fc.property(word, fc.bigInt(0n, 130n), width, (given, offset, bits) => {
          const raw = (given / 2n ** offset) % 2n ** BigInt(bits);
          expect(Packing.field(given, offset, bits)).to.equal(raw);
          const below = raw >= 2n ** BigInt(bits - 1);
          expect(Packing.signedField(given, offset, bits)).to.equal(below ? raw - 2n ** BigInt(bits) : raw);
        }),
      );
    });

    it("tells an unsigned value beyond int256 as the int256 that Solidity casts it to", () => {
      refused(() => Packing.place(2n ** 256n - 3n, 0n, 96), "ValueOutOfRange", { value: -3n, bits: 96n });
    });
  });

  describe("accounts", () => {
    const stored = word as fc.Arbitrary<AccountWord.AccountWord>;

    it("an account has its word's assets and mode, and the cash it is given", () => {
      fc.assert(
        fc.property(stored, cash, cash, (given, cashWad, moreWad) => {
          const account = Account.toAccount(given, cashWad);
          expect(Account.cash(account)).to.equal(cashWad);
          expect(account >> 120n).to.equal(given >> 120n);
          expect(Account.assets(account)).to.equal(AccountWord.assets(given));
          expect(Account.mode(account)).to.equal(given / 2n ** 248n);
          expect(Account.marketBits(account)).to.equal(AccountWord.marketBits(given));
          expect(Account.marketBits(account)).to.equal(AssetSet.markets(AccountWord.assets(given)));
          expect(Account.collateralBits(account)).to.equal(AssetSet.collaterals(AccountWord.assets(given)));
          expect(Account.plusCash(account, moreWad - cashWad)).to.equal(Account.withCash(account, moreWad));
          const back = AccountWord.toAccountWord(account, AccountWord.principal(given));
          expect(back).to.equal(given);
        }),
      );
    });

    it("cash and principal have 120 bits", () => {
      const args = { value: 2n ** 119n, bits: 120n };
      refused(() => Account.toAccount(0n as AccountWord.AccountWord, 2n ** 119n), "ValueOutOfRange", args);
      refused(() => AccountWord.toAccountWord(0n, 2n ** 119n), "ValueOutOfRange", args);
      const full = Account.toAccount(0n as AccountWord.AccountWord, -(2n ** 119n));
      refused(() => Account.plusCash(full, -1n), "ValueOutOfRange", { ...args, value: -(2n ** 119n) - 1n });
    });

    it("an asset comes and goes without a trace", () => {
      fc.assert(
        fc.property(stored, asset, (given, number) => {
          const account = Account.withCash(given as bigint as Account.Account, -5n);
          const having = Account.withAsset(account, number);
          const lacking = Account.withoutAsset(account, number);
          expect(Account.assets(having)).to.equal(AssetSet.union(Account.assets(account), AssetSet.onlyAsset(number)));
          expect(AssetSet.contains(Account.assets(lacking), number)).to.equal(false);
          expect(account).to.be.oneOf([having, lacking]);
          expect([Account.cash(having), Account.mode(having)]).to.deep.equal([-5n, Account.mode(account)]);
        }),
      );
    });

    it("an id tells its owner and its index", () => {
      const hex = fc.bigInt(0n, 2n ** 160n - 1n).map((value) => `0x${value.toString(16).padStart(40, "0")}`);
      fc.assert(
        fc.property(hex, fc.bigInt(0n, 2n ** 96n - 1n), (owner, index) => {
          const account = AccountId.accountIdOf(owner, index);
          expect(BigInt(account)).to.equal(BigInt(owner) * 2n ** 96n + index);
          expect(account).to.have.lengthOf(66);
          expect([AccountId.owner(account), AccountId.index(account)]).to.deep.equal([owner, index]);
        }),
      );
    });
  });

  describe("sets of assets", () => {
    const ones = (set: bigint) => [...Array(128).keys()].filter((bit) => ((set >> BigInt(bit)) & 1n) === 1n);

    it("count and rank what is in them, and find the lowest", () => {
      fc.assert(
        fc.property(bits, asset, asset, (given, number, shift) => {
          const set = (given >> BigInt(shift)) as AssetSet.AssetSet;
          const members = ones(set);
          expect(AssetSet.count(set)).to.equal(members.length);
          expect(AssetSet.rank(set, number)).to.equal(members.filter((member) => member < number).length);
          expect(AssetSet.contains(set, number)).to.equal(members.includes(number));
          if (set !== 0n) expect(AssetSet.lowestBit(set)).to.equal(members[0]);
        }),
      );
    });

    it("hold every asset alone", () => {
      for (const number of Array(128).keys()) {
        const set = AssetSet.onlyAsset(number);
        expect(ones(set)).to.deep.equal([number]);
        expect([AssetSet.lowestBit(set), AssetSet.bitCount(set - 1n)]).to.deep.equal([number, number]);
      }
      expect(AssetSet.onlyAsset(128)).to.equal(0n);
    });

    it("have markets below collaterals", () => {
      const set = AssetSet.union(
        AssetSet.onlyAsset(AssetSet.marketAsset(95)),
        AssetSet.onlyAsset(AssetSet.collateralAsset(31)),
      );
      expect([AssetSet.markets(set), AssetSet.collaterals(set)]).to.deep.equal([2n ** 95n, 2n ** 31n]);
    });
  });

  describe("market flags and epochs", () => {
    it("a flag comes and goes alone", () => {
      const { CLOSING, DELISTED, HALTED, SIDES_TOUCHED } = MarketWords;
      fc.assert(
        fc.property(word, fc.constantFrom(SIDES_TOUCHED, CLOSING, DELISTED, HALTED), (given, flag) => {
          const state = given as MarketWords.MarketState;
          const raised = MarketWords.withFlag(state, flag);
          const lowered = MarketWords.withoutFlag(state, flag);
          expect([MarketWords.has(raised, flag), MarketWords.has(lowered, flag)]).to.deep.equal([true, false]);
          expect(raised - lowered).to.equal(flag * 2n ** 248n);
          expect(state).to.equal(MarketWords.has(state, flag) ? raised : lowered);
        }),
      );
    });

    it("the next epoch of a side leaves all else", () => {
      const epochs = MarketWords.withDelisting(0x0003_fffen as MarketWords.EpochsWord, 2n ** 40n - 1n, 2n ** 96n - 1n);
      expect([MarketWords.delistAt(epochs), MarketWords.finalPrice(epochs)]).to.deep.equal([
        2n ** 40n - 1n,
        2n ** 96n - 1n,
      ]);
      const next = MarketWords.withNextEpoch(MarketWords.withNextEpoch(epochs, true), false);
      expect(next - epochs).to.equal(0x0001_0001n);
      expect([MarketWords.epochOf(next, true), MarketWords.epochOf(next, false)]).to.deep.equal([0xffffn, 4n]);
      refused(() => MarketWords.withNextEpoch(next, true), "ValueOutOfRange", { value: 0x10000n, bits: 16n });
    });

    it("an announcement replaces the one before", () => {
      const first = MarketWords.withDelisting(0x0003_0002n as MarketWords.EpochsWord, 2n ** 40n - 1n, 2n ** 96n - 1n);
      expect(MarketWords.withDelisting(first, 5n, 0n)).to.equal(0x0003_0002n + 5n * 2n ** 32n);
    });

    it("fees are millionths of a quote unit", () => {
      const totals = MarketWords.toMarketTotals(0n, 0n, 1_500_000n);
      expect(MarketWords.feesUnsweptWad(totals)).to.equal(15n * 10n ** 17n);
    });
  });

  describe("marks of a price", () => {
    const stored = Price.toPrice(7n, 3n, 1000n, 60n);

    it("a price is fresh up to its age, and not without a value", () => {
      expect(Price.isFresh(Price.asOf(stored, 1060n))).to.equal(true);
      expect(Price.isUsable(Price.asOf(stored, 1060n))).to.equal(true);
      expect(Price.asOf(stored, 1061n)).to.equal(stored);
      expect(Price.isUsable(stored)).to.equal(false);
      const worthless = Price.toPrice(0n, 3n, 1000n, 60n);
      expect(Price.asOf(worthless, 1000n)).to.equal(worthless);
    });

    it("each mark stands in its bit", () => {
      const marked = [
        Price.asOf(stored, 1000n),
        Price.asFallback(stored),
        Price.asReduceOnly(Price.asOf(stored, 1000n)),
        Price.duringGrace(stored),
        Price.gated(stored, true),
        Price.paired(stored, true),
      ];
      expect(marked.map((price) => price - stored)).to.deep.equal(
        [232n, 233n, 234n, 235n, 236n, 237n].map((bit) => 2n ** bit),
      );
      const reads = [Price.isFresh, Price.isFallback, Price.isUsable, Price.inGrace, Price.isGated, Price.isPaired];
      expect(reads.map((read, i) => read(marked[i]!))).to.deep.equal(reads.map(() => true));
      expect(marked.map((price) => Price.isFresh(price))).to.deep.equal([true, false, false, false, false, false]);
      expect(marked.map((price) => Price.isWorkedOut(price))).to.deep.equal([false, true, false, false, true, true]);
      expect(reads.map((read) => read(stored))).to.deep.equal(reads.map(() => false));
    });

    it("marks are taken off again", () => {
      const gated = Price.gated(Price.paired(Price.asOf(stored, 1000n), true), true);
      expect(Price.bare(gated)).to.equal(stored);
      expect(Price.asStored(Price.asOf(stored, 1000n))).to.equal(stored);
      expect(Price.paired(Price.gated(Price.asStored(gated), false), false)).to.equal(stored);
    });
  });
});
