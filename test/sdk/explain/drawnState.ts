import fc from "fast-check";

import { State } from "../../../sdk/client/state.js";
import { type AccountId, type Deployment, accountId } from "../../../sdk/index.js";
import { endKey } from "../../../sdk/risk/libraries/Sides.js";
import type { Account } from "../../../sdk/risk/types/Account.js";
import { toAccountWord } from "../../../sdk/risk/types/AccountWord.js";
import * as AssetSet from "../../../sdk/risk/types/AssetSet.js";
import { toCashIndices } from "../../../sdk/risk/types/CashWords.js";
import {
  SIDES_TOUCHED,
  type EpochsWord,
  toMarketRisk,
  toMarketState,
  toMarketTotals,
  toSideWord,
} from "../../../sdk/risk/types/MarketWords.js";
import { toPosition } from "../../../sdk/risk/types/Position.js";
import { FRESH_BIT, type Price, toPrice } from "../../../sdk/risk/types/Price.js";
import { VaultStorage } from "../../../sdk/risk/types/VaultStorage.js";
import { toAccountRisk, toCollateral } from "../../../sdk/risk/types/VaultWords.js";

const addressOf = (digit: string) => `0x${digit.repeat(40)}`;
const now = 1_700_000_000n;
const WAD = 10n ** 18n;
const RAY = 10n ** 27n;

/** Of another owner than pool and vault. */
export const drawnAccount: AccountId = accountId(addressOf("3"));

/** Two markets, two collaterals; ETH prices the first of each. */
export const drawnDeployment: Deployment = {
  chainId: 31337,
  fromBlock: 0,
  manager: addressOf("9"),
  oracle: addressOf("8"),
  vault: addressOf("1"),
  pool: addressOf("2"),
  lens: addressOf("7"),
  settlementToken: { symbol: "USDC", address: addressOf("4"), decimals: 6 },
  collaterals: [
    { symbol: "WETH", asset: "ETH", address: addressOf("5"), decimals: 18 },
    { symbol: "WBTC", asset: "BTC", address: addressOf("6"), decimals: 8 },
  ],
  markets: [{ symbol: "ETH" }, { symbol: "BTC" }],
};

const wads = (least: bigint, most: bigint) => fc.bigInt({ min: least, max: most });
const ppm = (least: bigint, most: bigint) => wads(least, most).map((millionths) => millionths * 10n ** 12n);
const signed = (size: fc.Arbitrary<bigint>) => fc.tuple(size, fc.boolean()).map(([wad, below]) => (below ? -wad : wad));
/** Of all magnitudes, in wei. */
const magnitude = (leastDigits: number, mostDigits: number) =>
  fc
    .tuple(fc.integer({ min: leastDigits, max: mostDigits }), wads(1n, 10n ** 6n))
    .map(([digits, figures]) => (figures * 10n ** BigInt(digits)) / 10n ** 6n + 1n);

const drawnMarket = fc.record({
  priceWad: magnitude(14, 23),
  isFresh: fc.boolean(),
  isTouched: fc.boolean(),
  /** Epochs of each side that have ended, and the position's. */
  epochs: fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 3 })),
  positionEpoch: fc.nat({ max: 3 }),
  ends: fc.array(fc.tuple(wads(0n, RAY / 10_000n), signed(magnitude(18, 30))), { minLength: 3, maxLength: 3 }),
  sides: fc.tuple(
    fc.tuple(wads(RAY / 10_000n, RAY), signed(magnitude(18, 30))),
    fc.tuple(wads(RAY / 10_000n, RAY), signed(magnitude(18, 30))),
  ),
  index: signed(magnitude(10, 20)),
  /** Rate, drift: E24. */
  rate: signed(wads(0n, 10n ** 17n)),
  drift: signed(wads(0n, 10n ** 13n)),
  age: wads(0n, 200_000n),
  gap: wads(1n, 200_000n),
  /** Of the position: as much as this price times size has cost, in millionths. */
  sharesWad: signed(magnitude(10, 22)),
  costPpm: wads(500_000n, 1_500_000n),
  oddCost: wads(0n, 10n ** 6n),
  totalWad: magnitude(18, 24),
  initialBase: ppm(10_000n, 900_000n),
  maintenanceBase: ppm(5_000n, 500_000n),
  profitWeight: ppm(0n, 1_000_000n),
  lambdaInitial: ppm(0n, 5_000_000n),
  lambdaMaintenance: ppm(0n, 3_000_000n),
  slope: ppm(0n, 500_000n),
  maxRatePerDay: ppm(0n, 50_000n),
  skewScale: magnitude(22, 27),
  isHeld: fc.boolean(),
});

const drawnCollateral = fc.record({
  priceWad: magnitude(14, 23),
  isFresh: fc.boolean(),
  amount: magnitude(1, 20),
  initialWeight: ppm(0n, 1_000_000n),
  maintenanceWeight: ppm(0n, 1_000_000n),
  start: wads(0n, 10_000n).map((points) => points * 10n ** 14n),
  cap: magnitude(8, 24),
  held: magnitude(8, 24),
  isHeld: fc.boolean(),
});

/** What a state is drawn of; `isPool`: the account in question is the pool's. */
export const drawnParts = fc.record({
  isPool: fc.boolean(),
  principalWad: signed(magnitude(10, 24)),
  /** Indices (1e-15), rates (1e-18 a second), and the seconds since. */
  indices: fc.tuple(wads(10n ** 14n, 10n ** 16n), wads(10n ** 14n, 10n ** 16n)),
  rates: fc.tuple(wads(0n, 10n ** 11n), wads(0n, 10n ** 11n)),
  idle: wads(0n, 10n ** 6n),
  debtMargin: ppm(0n, 200_000n),
  keeperFloor: ppm(0n, 20_000_000n),
  markets: fc.tuple(drawnMarket, drawnMarket),
  collaterals: fc.tuple(drawnCollateral, drawnCollateral),
});

type Parts = typeof drawnParts extends fc.Arbitrary<infer T> ? T : never;

const price = (priceWad: bigint, isFresh: boolean) =>
  (toPrice(priceWad, 10n ** 15n, now, 3600n) | (isFresh ? FRESH_BIT : 0n)) as Price;

/** A state as of one block, and the account in question. */
export function stateOf(parts: Parts): { state: State; account: AccountId } {
  const account = parts.isPool ? accountId(drawnDeployment.pool) : drawnAccount;
  const storage = new VaultStorage();
  const prices = new Map<number, Price>();
  let assets = 0n;
  for (const [id, market] of parts.markets.entries()) {
    prices.set(id, price(market.priceWad, market.isFresh));
    if (market.isHeld) assets |= 1n << BigInt(id);
    const stored = storage.markets(id);
    const flags = market.isTouched ? SIDES_TOUCHED : 0n;
    stored.state = toMarketState(market.index, market.rate, market.drift, now - market.age, flags);
    stored.totals = toMarketTotals(market.totalWad, market.totalWad / 2n, 0n);
    stored.risk = toMarketRisk({
      initialBaseWad: market.initialBase,
      maintenanceBaseWad: market.maintenanceBase,
      profitWeightWad: market.profitWeight,
      lambdaInitialWad: market.lambdaInitial,
      lambdaMaintenanceWad: market.lambdaMaintenance,
      openInterestSlopeWad: market.slope,
      maxFundingRatePerDayWad: market.maxRatePerDay,
      maxFundingVelocityPerDay2Wad: 0n,
      maxFundingGapSeconds: market.gap,
      skewScaleWad: market.skewScale - (market.skewScale % 10n ** 9n),
      openInterestCapWad: 0n,
      minimumSizeWad: 0n,
      takerRateWad: 0n,
      makerRateWad: 0n,
      capitalShareWad: 0n,
      discountBaseWad: 0n,
      discountSlopeWad: 0n,
      discountCapWad: 0n,
    });
    const [[longScale, longCarry], [shortScale, shortCarry]] = market.sides;
    stored.longSide = toSideWord(longScale, longCarry);
    stored.shortSide = toSideWord(shortScale, shortCarry);
    const [long, short] = market.epochs;
    stored.epochs = (BigInt(long) | (BigInt(short) << 16n)) as EpochsWord;
    for (const [epoch, [scale, carry]] of market.ends.entries()) {
      for (const side of [true, false]) stored.ends.set(endKey(side, BigInt(epoch)), toSideWord(scale, carry));
    }
    const bought = (market.sharesWad * (market.priceWad - market.index)) / WAD;
    const costWad = (bought * market.costPpm) / 1_000_000n + market.oddCost;
    storage.positions.set(account, id, toPosition(market.sharesWad, costWad, BigInt(market.positionEpoch)));
  }
  for (const [index, collateral] of parts.collaterals.entries()) {
    prices.set(AssetSet.MAX_MARKETS + index, price(collateral.priceWad, collateral.isFresh));
    if (collateral.isHeld) assets |= 1n << BigInt(AssetSet.MAX_MARKETS + index);
    const listed = drawnDeployment.collaterals[index];
    storage.setCollateralToken(index, listed?.address ?? "");
    storage.collateralOf.set(account, index, collateral.amount);
    const word = toCollateral(
      {
        initialWeightWad: collateral.initialWeight,
        maintenanceWeightWad: collateral.maintenanceWeight,
        depositCap: collateral.cap,
        concentrationStartWad: collateral.start,
        discountBaseWad: 0n,
        discountSlopeWad: 0n,
        discountCapWad: 0n,
      },
      BigInt(listed?.decimals ?? 18),
      collateral.held,
    );
    storage.collaterals.set(index, word);
  }
  storage.accounts.set(account, toAccountWord((assets << 120n) as Account, parts.principalWad));
  storage.accountRisk = toAccountRisk({
    debtMarginWad: parts.debtMargin,
    targetHealthWad: 0n,
    absorbHealthWad: 0n,
    absorbPenaltyWad: 0n,
    keeperShareWad: 0n,
    insuranceShareWad: 0n,
    insuranceFeeShareWad: 0n,
    keeperFloorWad: parts.keeperFloor,
    minimumDebtWad: 0n,
    absorbRewardFloorWad: 0n,
    absorbRewardPerHourWad: 0n,
    capitalMaxAgeSeconds: 0n,
  });
  const [supplyIndex, borrowIndex] = parts.indices;
  storage.cashIndices = toCashIndices(supplyIndex, borrowIndex, ...parts.rates, now - parts.idle);
  const block = { number: 1, hash: `0x${"0".repeat(64)}`, timestamp: Number(now) };
  return { state: new State({ block, deployment: drawnDeployment, storage, prices }), account };
}
