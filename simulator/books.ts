import { type AccountId, accountId } from "../sdk/index.js";
import * as CashBook from "../sdk/risk/libraries/CashBook.js";
import * as Sides from "../sdk/risk/libraries/Sides.js";
import * as AccountWord from "../sdk/risk/types/AccountWord.js";
import * as AssetSet from "../sdk/risk/types/AssetSet.js";
import * as CashWords from "../sdk/risk/types/CashWords.js";
import * as MarketWords from "../sdk/risk/types/MarketWords.js";
import * as Position from "../sdk/risk/types/Position.js";
import * as Price from "../sdk/risk/types/Price.js";
import { type Context, type Vault, VaultStorage } from "../sdk/risk/types/VaultStorage.js";
import * as VaultWords from "../sdk/risk/types/VaultWords.js";
import type { Random } from "./random.js";

const WAD = 10n ** 18n;
const RAY = 10n ** 27n;
const startSeconds = 1_700_000_000n;
const float = (wad: bigint) => Number(wad) / 1e18;
const zeroAddress = `0x${"0".repeat(40)}`;

/** What stands in the books of one account. */
export interface DrawnAccount {
  readonly id: AccountId;
  readonly word: AccountWord.AccountWord;
  /** By market, ascending. */
  readonly positions: ReadonlyMap<number, Position.Position>;
  /** Raw, by index, ascending. */
  readonly amounts: ReadonlyMap<number, bigint>;
}

export interface BooksShape {
  readonly markets: number;
  readonly collaterals: number;
  /** Whether markets were deleveraged: then shares are not sizes. */
  readonly touched?: boolean;
}

/** Books of a vault that never was: random markets, prices and accounts, without a chain. */
export class RandomBooks {
  readonly storage = new VaultStorage();
  readonly pool = accountId(`0x${"f".repeat(39)}e`);
  readonly insurance = accountId(`0x${"f".repeat(40)}`);
  /** Wad, by asset. */
  readonly prices = new Map<number, bigint>();
  readonly #random: Random;
  readonly #shape: BooksShape;

  constructor(random: Random, shape: BooksShape) {
    this.#random = random;
    this.#shape = shape;
    const { storage } = this;
    storage.marketCount = shape.markets;
    storage.collateralCount = shape.collaterals;
    for (let id = 0; id < shape.markets; ++id) this.#listMarket(id);
    for (let index = 0; index < shape.collaterals; ++index) this.#listCollateral(index);
    const cents = (count: number) => BigInt(count) * 10n ** 16n;
    storage.accountRisk = VaultWords.toAccountRisk({
      debtMarginWad: cents(random.integer(1, 50)),
      targetHealthWad: cents(120),
      absorbHealthWad: cents(50),
      absorbPenaltyWad: cents(1),
      keeperShareWad: cents(50),
      insuranceShareWad: cents(50),
      insuranceFeeShareWad: cents(10),
      keeperFloorWad: cents(random.integer(1, 1_000)),
      minimumDebtWad: WAD,
      absorbRewardFloorWad: 0n,
      absorbRewardPerHourWad: 0n,
      capitalMaxAgeSeconds: 3_600n,
    });
    const index = (percent: number) => (CashWords.INDEX_ONE * this.#scaled(1 + percent * random.uniform())) / WAD;
    storage.cashIndices = CashWords.toCashIndices(index(0.1), index(0.3), 10n ** 9n, 2n * 10n ** 9n, startSeconds);
  }

  /**
   * The books in a transaction at these prices (wad, by asset), an hour after they were last touched.
   * @param storage the books, if not these: some with the same markets
   */
  at(prices: ReadonlyMap<number, bigint> = this.prices, storage = this.storage): [$: Vault, context: Context] {
    const $ = storage.fork(startSeconds + 3_600n, zeroAddress);
    const words = new Map([...prices].map(([asset, price]) => [asset, Price.toPrice(price, 0n, $.now, 60n)]));
    const lastPrices = (set: AssetSet.AssetSet) =>
      [...words].filter(([asset]) => AssetSet.contains(set, asset)).map(([, word]) => Price.asOf(word, $.now));
    const context: Context = {
      oracle: { lastPrices, prices: lastPrices, mostTolerance: () => 0n },
      pool: this.pool,
      insurance: this.insurance,
      settlementToken: zeroAddress,
      cashUnit: 10n ** 12n,
      cash: CashBook.open($),
    };
    return [$, context];
  }

  /** Other prices: each has moved by this share at most. */
  moved(share: number): Map<number, bigint> {
    const factor = () => this.#scaled(1 + share * (2 * this.#random.uniform() - 1));
    return new Map([...this.prices].map(([asset, price]) => [asset, (price * factor()) / WAD]));
  }

  /**
   * Draws an account, whose id grows with its number. Its equity is `margins` times its requirement, as floats count it: who has won, or has
   * collateral, may owe cash.
   */
  drawAccount(
    number: number,
    { positions, collaterals, margins }: { positions: number; collaterals: number; margins: number },
  ): DrawnAccount {
    const random = this.#random;
    let assets = 0n;
    const { accountRisk } = this.storage;
    let required = float(VaultWords.keeperFloor(accountRisk));
    let gains = 0;
    const held = new Map<number, Position.Position>();
    for (const market of this.#draw(positions, this.#shape.markets)) {
      assets |= AssetSet.onlyAsset(AssetSet.marketAsset(market));
      const { risk } = this.storage.markets(market);
      const isLong = random.uniform() < 0.5;
      const [side, sharePriceRay] = this.#sideOf(market, isLong);
      const price = float(this.prices.get(AssetSet.marketAsset(market)) ?? 0n);
      const notional = 10 ** (2 + 3 * random.uniform());
      const size = notional / price;
      const shares = size / (Number(side.scaleRay) / 1e27);
      // From a gain of 10% to a loss as large.
      const gain = notional * 0.2 * (random.uniform() - 0.5);
      const cost = shares * (Number(sharePriceRay) / 1e27) - gain;
      const sharesWad = this.#scaled(shares);
      held.set(market, Position.toPosition(isLong ? sharesWad : -sharesWad, this.#scaled(cost), 0n));
      const tier = (float(MarketWords.lambdaMaintenance(risk)) * size) / (2 * float(MarketWords.skewScale(risk)));
      required += notional * (float(MarketWords.maintenanceBase(risk)) + tier);
      gains += gain;
    }
    let cash = required * margins - gains;
    const amounts = new Map<number, bigint>();
    for (const index of this.#draw(collaterals, this.#shape.collaterals)) {
      const asset = AssetSet.collateralAsset(index);
      assets |= AssetSet.onlyAsset(asset);
      const worth = 10 ** (2 + 3 * random.uniform());
      const collateral = this.storage.collaterals.get(index);
      const one = 10 ** Number(VaultWords.decimals(collateral));
      amounts.set(index, BigInt(Math.round((worth / float(this.prices.get(asset) ?? 0n)) * one)) + 1n);
      cash -= worth * float(VaultWords.maintenanceWeight(collateral));
    }
    const debtMargin = float(VaultWords.debtMargin(accountRisk));
    cash += (debtMargin / (1 + debtMargin)) * Math.max(0, -(cash + gains));
    const { supplyIndex, borrowIndex } = CashWords;
    const index = (cash < 0 ? borrowIndex : supplyIndex)(this.storage.cashIndices);
    const principalWad = this.#scaled(cash / (Number(index) / Number(CashWords.INDEX_ONE)));
    return {
      id: accountId(`0x${(number + 1).toString(16).padStart(40, "0")}`),
      word: AccountWord.toAccountWord(assets << 120n, principalWad),
      positions: held,
      amounts,
    };
  }

  /** Writes an account into the books. */
  write({ id, word, positions, amounts }: DrawnAccount): AccountId {
    this.storage.accounts.set(id, word);
    for (const [market, position] of positions) this.storage.positions.set(id, market, position);
    for (const [index, amount] of amounts) this.storage.collateralOf.set(id, index, amount);
    return id;
  }

  #sideOf(market: number, isLong: boolean): [side: Sides.Side, sharePriceRay: bigint] {
    const stored = this.storage.markets(market);
    const sign = isLong ? 1n : -1n;
    const index = MarketWords.fundingIndex(stored.state);
    const touched = this.#shape.touched === true;
    const side = touched ? Sides.read(stored, index)[isLong ? 0 : 1] : Sides.untouched(sign, index);
    const priceWad = this.prices.get(AssetSet.marketAsset(market)) ?? 0n;
    return [side, Sides.sharePriceFloor(side, sign, priceWad * (RAY / WAD))];
  }

  #listMarket(id: number): void {
    const random = this.#random;
    const market = this.storage.markets(id);
    const price = 10 ** (-2 + 7 * random.uniform());
    this.prices.set(AssetSet.marketAsset(id), this.#scaled(price));
    const ppm = (count: number) => BigInt(count) * MarketWords.PPM;
    const lambda = ppm(random.integer(1_000_000, 3_000_000));
    market.risk = MarketWords.toMarketRisk({
      initialBaseWad: ppm(200_000),
      maintenanceBaseWad: ppm(random.integer(5_000, 100_000)),
      profitWeightWad: ppm(800_000),
      lambdaInitialWad: lambda,
      lambdaMaintenanceWad: lambda,
      maxFundingRatePerDayWad: ppm(50_000),
      maxFundingVelocityPerDay2Wad: 0n,
      maxFundingGapSeconds: 86_400n,
      skewScaleWad: (this.#scaled(10 ** (6 + 3 * random.uniform()) / price) / MarketWords.NANO + 1n) * MarketWords.NANO,
      openInterestCapWad: 0n,
      minimumSizeWad: 0n,
      takerRateWad: 0n,
      makerRateWad: 0n,
      capitalShareWad: 0n,
      openInterestSlopeWad: 0n,
      discountBaseWad: 0n,
      discountSlopeWad: 0n,
      discountCapWad: 0n,
    });
    const aDay = 10n ** 22n / 86_400n; // 1%, 1e-24 a second
    const rate = BigInt(random.integer(-400, 400)) * (aDay / 100n);
    const flags = this.#shape.touched === true ? MarketWords.SIDES_TOUCHED : 0n;
    const fundingIndex = this.#scaled(price * 0.2 * (random.uniform() - 0.5));
    market.state = MarketWords.toMarketState(fundingIndex, rate, BigInt(random.integer(-9, 9)), startSeconds, flags);
    const side = () => {
      const scale = (RAY * this.#scaled(0.1 + 0.9 * random.uniform())) / WAD;
      return MarketWords.toSideWord(scale, this.#scaled(price * 0.1 * (random.uniform() - 0.5)) * 10n ** 9n);
    };
    if (this.#shape.touched === true) [market.longSide, market.shortSide] = [side(), side()];
  }

  #listCollateral(index: number): void {
    const random = this.#random;
    this.prices.set(AssetSet.collateralAsset(index), this.#scaled(10 ** (4 * random.uniform())));
    const weight = BigInt(random.integer(500_000, 950_000)) * MarketWords.PPM;
    const collateral = VaultWords.toCollateral(
      {
        initialWeightWad: (weight / 2n / MarketWords.PPM) * MarketWords.PPM,
        maintenanceWeightWad: weight,
        depositCap: 2n ** 90n,
        concentrationStartWad: WAD,
        discountBaseWad: 0n,
        discountSlopeWad: 0n,
        discountCapWad: 0n,
      },
      BigInt(random.integer(6, 18)),
      0n,
    );
    this.storage.collaterals.set(index, collateral);
  }

  /** So many different numbers below a bound, ascending. */
  #draw(count: number, below: number): number[] {
    const drawn = new Set<number>();
    while (drawn.size < Math.min(count, below)) drawn.add(this.#random.integer(0, below - 1));
    return [...drawn].toSorted((a, b) => a - b);
  }

  /** A float as a wad, its last digits random as well. */
  #scaled(value: number): bigint {
    return BigInt(Math.round(value * 1e9)) * 10n ** 9n + BigInt(this.#random.integer(0, 999_999_999));
  }
}
