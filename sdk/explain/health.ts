import { type AccountId, normalizeAccount } from "../accounts.js";
import { contextOf } from "../risk/MarginVault.js";
import { RAY, WAD, abs, divFloor, divUp, mulDivUp } from "../risk/libraries/FixedPoint.js";
import * as Funding from "../risk/libraries/Funding.js";
import * as Interest from "../risk/libraries/Interest.js";
import * as Margin from "../risk/libraries/Margin.js";
import * as Sides from "../risk/libraries/Sides.js";
import * as Views from "../risk/libraries/Views.js";
import * as AccountWord from "../risk/types/AccountWord.js";
import * as AssetSet from "../risk/types/AssetSet.js";
import * as CashWords from "../risk/types/CashWords.js";
import * as MarketWords from "../risk/types/MarketWords.js";
import * as Position from "../risk/types/Position.js";
import * as Price from "../risk/types/Price.js";
import type { Market } from "../risk/types/VaultStorage.js";
import * as VaultWords from "../risk/types/VaultWords.js";
import type { State } from "../client/state.js";
import { collateralsOf, marketsOf } from "../words.js";

/** What an item adds to the figures of Health. All wad, in quote units; what counts against an account is below zero, requirements apart. */
export interface Contribution {
  readonly equityMaintenanceWad: bigint;
  readonly equityInitialWad: bigint;
  readonly netCashWad: bigint;
  readonly requirementMaintenanceWad: bigint;
  readonly requirementInitialWad: bigint;
}

/** Cash as it was when its indices were written last. */
export interface CashItem {
  readonly kind: "cash";
  /** Wad; below zero a debt. */
  readonly cashWad: bigint;
  /** Unix seconds: as of when. */
  readonly accruedAt: bigint;
}

/** Interest since then. */
export interface InterestItem {
  readonly kind: "interest";
  /** Wad; below zero it is owed. */
  readonly interestWad: bigint;
  /** Unix seconds: since when. */
  readonly accruedAt: bigint;
}

export interface CollateralItem {
  readonly kind: "collateral";
  readonly index: number;
  /** Lower case. */
  readonly token: string;
  /** Raw. */
  readonly amount: bigint;
  readonly decimals: number;
  readonly priceWad: bigint;
  /** Without a fresh price it counts nothing for initial margin. */
  readonly isFresh: boolean;
  /** At the price, before weights; rounded down. */
  readonly valueWad: bigint;
  readonly maintenanceWeightWad: bigint;
  /** Concentration included; rounded down. */
  readonly initialWeightWad: bigint;
  /** What share of it counts for initial margin, because the whole vault holds so much of it; one where there is no more than the start. Rounded down. */
  readonly concentrationWad: bigint;
}

/** What all items of a position say of it. */
interface OfPosition {
  readonly market: AssetSet.MarketId;
  /** Below zero: short. Rounded toward zero. */
  readonly sizeWad: bigint;
  readonly priceWad: bigint;
}

/** Profit or loss by the price: what the shares would bring, had there been no funding since the market was last touched, less their cost. */
export interface ProfitItem extends OfPosition {
  readonly kind: "profit";
  readonly profitWad: bigint;
  /** What the shares were bought at; below zero: received. */
  readonly costWad: bigint;
}

/** Funding since the market was last touched. What came before stands in the profit. */
export interface FundingItem extends OfPosition {
  readonly kind: "funding";
  /** Below zero it is owed. */
  readonly fundingWad: bigint;
  /** Unix seconds: since when. */
  readonly touchedAt: bigint;
}

/** The part of a gain that does not count for initial margin before the position is closed. */
export interface UncountedGainItem extends OfPosition {
  readonly kind: "uncountedGain";
  readonly gainWad: bigint;
  readonly profitWeightWad: bigint;
}

/** What a position requires: notional * ratio, rounded up. */
export interface PositionMarginItem extends OfPosition {
  readonly kind: "positionMargin";
  /** Rounded up. */
  readonly notionalWad: bigint;
  /** Base, and what the position's size adds to it. */
  readonly maintenanceRatioWad: bigint;
  /** The same; the market's open interest may have raised the base. */
  readonly initialRatioWad: bigint;
  readonly isFresh: boolean;
}

/** What net cash below zero requires. */
export interface DebtMarginItem {
  readonly kind: "debtMargin";
  readonly debtWad: bigint;
  readonly debtMarginWad: bigint;
}

/** What any account with a position or a debt requires. */
export interface KeeperFloorItem {
  readonly kind: "keeperFloor";
}

export type HealthItem = Contribution &
  (
    | CashItem
    | InterestItem
    | CollateralItem
    | ProfitItem
    | FundingItem
    | UncountedGainItem
    | PositionMarginItem
    | DebtMarginItem
    | KeeperFloorItem
  );

export interface HealthExplanation {
  readonly account: AccountId;
  /** Unix seconds. */
  readonly timestamp: bigint;
  /** Each worked out by itself; they add up to `health`, to the wei. */
  readonly items: readonly HealthItem[];
  readonly health: Margin.Health;
}

const nothing: Contribution = {
  equityMaintenanceWad: 0n,
  equityInitialWad: 0n,
  netCashWad: 0n,
  requirementMaintenanceWad: 0n,
  requirementInitialWad: 0n,
};

/** Cash, profit and loss count everywhere. */
const cashLike = (wad: bigint): Contribution => ({
  ...nothing,
  equityMaintenanceWad: wad,
  equityInitialWad: wad,
  netCashWad: wad,
});

const required = (wad: bigint): Contribution => ({
  ...nothing,
  requirementMaintenanceWad: wad,
  requirementInitialWad: wad,
});

/** What the items add up to: the figures of Health. */
export function sumOf(items: readonly Contribution[]): Contribution {
  return items.reduce<Contribution>(
    (sum, item) => ({
      equityMaintenanceWad: sum.equityMaintenanceWad + item.equityMaintenanceWad,
      equityInitialWad: sum.equityInitialWad + item.equityInitialWad,
      netCashWad: sum.netCashWad + item.netCashWad,
      requirementMaintenanceWad: sum.requirementMaintenanceWad + item.requirementMaintenanceWad,
      requirementInitialWad: sum.requirementInitialWad + item.requirementInitialWad,
    }),
    nothing,
  );
}

/**
 * Of what an account's margin is made: every item that counts, in the order in which a person would add them up.
 *
 * @param timestamp Unix seconds; by default the state's
 * @throws NotReadError where the state was read without the account; AccountIdError, TimeError
 */
export function explainHealth(state: State, of: AccountId, timestamp?: bigint | number): HealthExplanation {
  const account = normalizeAccount(of);
  const { $, code } = state.at(timestamp);
  const context = contextOf($, code);
  const word = $.accounts.get(account);
  const assets = AccountWord.assets(word);
  const prices = context.oracle.lastPrices(assets);
  const priceOf = (asset: number) => prices[AssetSet.rank(assets, asset)] ?? (0n as Price.Price);
  const isPool = account === context.pool;

  const markets = marketsOf(assets).map((id) =>
    readPosition($.markets(id), id, $.positions.get(account, id), priceOf(id), $.now),
  );
  const principal = AccountWord.principal(word);
  const [cash, interest] = cashItems(principal, $.cashIndices, $.now);
  const items: HealthItem[] = [
    cash,
    interest,
    ...collateralsOf(assets).map((index) =>
      collateralItem(
        index,
        $.collateralTokens(index),
        $.collaterals.get(index),
        $.collateralOf.get(account, index),
        priceOf(AssetSet.collateralAsset(index)),
      ),
    ),
    ...markets.flatMap((read) => valueItems(read, isPool)),
    ...markets.filter(({ sharesWad }) => sharesWad !== 0n).map(marginItem),
  ];
  // The pool's result in a market that everybody left is never settled, and needs no floor.
  const hasPosition = markets.some(({ sharesWad }) => sharesWad !== 0n || !isPool);
  const inDebt = cash.cashWad + interest.interestWad < 0n;
  items.push(...generalItems(sumOf(items).netCashWad, hasPosition || inDebt, $.accountRisk));
  return { account, timestamp: $.now, items, health: Views.health($, context, account) };
}

/** How what was rounded down with `rest` left over (of `unit`) changes when so much more comes to it: nothing is rounded twice. */
const further = (rest: bigint, more: bigint, unit: bigint) => divFloor(rest + more, unit);

function cashItems(
  principalWad: bigint,
  indices: CashWords.CashIndices,
  now: bigint,
): [CashItem & Contribution, InterestItem & Contribution] {
  const accruedAt = CashWords.accruedAt(indices);
  const [supplyIndex, borrowIndex] = Interest.accrued(indices, now);
  const isDebt = principalWad < 0n;
  const index = isDebt ? CashWords.borrowIndex(indices) : CashWords.supplyIndex(indices);
  const risen = (isDebt ? borrowIndex : supplyIndex) - index;
  const product = principalWad * index;
  const cashWad = divFloor(product, CashWords.INDEX_ONE);
  const rest = product - cashWad * CashWords.INDEX_ONE;
  const interestWad = further(rest, principalWad * risen, CashWords.INDEX_ONE);
  return [
    { kind: "cash", cashWad, accruedAt, ...cashLike(cashWad) },
    { kind: "interest", interestWad, accruedAt, ...cashLike(interestWad) },
  ];
}

function collateralItem(
  index: number,
  token: string,
  word: VaultWords.Collateral,
  amount: bigint,
  price: Price.Price,
): CollateralItem & Contribution {
  const decimals = VaultWords.decimals(word);
  const priceWad = Price.value(price);
  const valueWad = (amount * priceWad) / 10n ** decimals;
  const maintenanceWeightWad = VaultWords.maintenanceWeight(word);
  const { counted, held } = concentration(word);
  const initialWeightWad = (VaultWords.initialWeight(word) * counted) / held;
  const isFresh = Price.isFresh(price);
  return {
    kind: "collateral",
    index,
    token,
    amount,
    decimals: Number(decimals),
    priceWad,
    isFresh,
    valueWad,
    maintenanceWeightWad,
    initialWeightWad,
    concentrationWad: (WAD * counted) / held,
    ...nothing,
    equityMaintenanceWad: (valueWad * maintenanceWeightWad) / WAD,
    equityInitialWad: isFresh ? (valueWad * initialWeightWad) / WAD : 0n,
  };
}

/** Of what the vault holds of a collateral (raw), how much counts for initial margin: all, or what concentration starts at. */
function concentration(word: VaultWords.Collateral): { counted: bigint; held: bigint } {
  const share = VaultWords.concentrationStart(word);
  const start = (VaultWords.depositCap(word) * share) / WAD;
  const held = VaultWords.held(word);
  return share === WAD || held <= start ? { counted: 1n, held: 1n } : { counted: start, held };
}

/** A position and its side, as they stand now. */
interface ReadPosition {
  readonly id: AssetSet.MarketId;
  readonly market: Market;
  readonly price: Price.Price;
  readonly sharesWad: bigint;
  readonly costWad: bigint;
  /** As of when the market was touched last. */
  readonly touched: Sides.Side;
  readonly side: Sides.Side;
  readonly fundingIndexWad: bigint;
}

function readPosition(
  market: Market,
  id: AssetSet.MarketId,
  position: Position.Position,
  price: Price.Price,
  now: bigint,
): ReadPosition {
  const { state, risk } = market;
  const isTouched = MarketWords.has(state, MarketWords.SIDES_TOUCHED);
  const [sharesWad, costWad] = isTouched
    ? Sides.converted(market, position)
    : [Position.shares(position), Position.cost(position)];
  const sign = signOf(sharesWad);
  const word = sign < 0n ? market.shortSide : market.longSide;
  const sideAt = (index: bigint) => (isTouched ? Sides.current(word, sign, index) : Sides.untouched(sign, index));
  const [indexWad] = Funding.accrued(state, risk, Price.value(price), now);
  return {
    id,
    market,
    price,
    sharesWad,
    costWad,
    touched: sideAt(MarketWords.fundingIndex(state)),
    side: sideAt(indexWad),
    fundingIndexWad: indexWad,
  };
}

const signOf = (wad: bigint) => (wad < 0n ? -1n : 1n);

function ofPosition({ id, sharesWad, side, price }: ReadPosition): OfPosition {
  const sizeWad = signOf(sharesWad) * Sides.sizeDown(side, abs(sharesWad));
  return { market: id, sizeWad, priceWad: Price.value(price) };
}

function valueItems(read: ReadPosition, fullGains: boolean): HealthItem[] {
  const { market, sharesWad, costWad, touched, side } = read;
  const of = ofPosition(read);
  const all = abs(sharesWad);
  const bringsRay = all * Sides.sharePriceFloor(touched, signOf(sharesWad), of.priceWad * (RAY / WAD));
  const bringsWad = divFloor(bringsRay, RAY);
  const profitWad = bringsWad - costWad;
  const fundingWad = further(bringsRay - bringsWad * RAY, all * (side.carryRay - touched.carryRay), RAY);
  const items: HealthItem[] = [
    { kind: "profit", ...of, profitWad, costWad, ...cashLike(profitWad) },
    {
      kind: "funding",
      ...of,
      fundingWad,
      touchedAt: MarketWords.touchedAt(market.state),
      ...cashLike(fundingWad),
    },
  ];
  const gainWad = profitWad + fundingWad;
  if (gainWad <= 0n || fullGains) return items;
  const profitWeightWad = MarketWords.profitWeight(market.risk);
  const equityInitialWad = -divUp(gainWad * (WAD - profitWeightWad), WAD);
  items.push({ kind: "uncountedGain", ...of, gainWad, profitWeightWad, ...nothing, equityInitialWad });
  return items;
}

function marginItem(read: ReadPosition): PositionMarginItem & Contribution {
  const { market, sharesWad, side, price } = read;
  const { risk } = market;
  const size = Sides.sizeUp(side, abs(sharesWad));
  const notionalWad = divUp(size * Price.value(price), WAD);
  const bySize = (lambdaWad: bigint) => divUp(lambdaWad * size, 2n * MarketWords.skewScale(risk));
  const maintenanceRatioWad = MarketWords.maintenanceBase(risk) + bySize(MarketWords.lambdaMaintenance(risk));
  const initialRatioWad = initialBase(read) + bySize(MarketWords.lambdaInitial(risk));
  return {
    kind: "positionMargin",
    ...ofPosition(read),
    notionalWad,
    maintenanceRatioWad,
    initialRatioWad,
    isFresh: Price.isFresh(price),
    ...nothing,
    requirementMaintenanceWad: divUp(notionalWad * maintenanceRatioWad, WAD),
    requirementInitialWad: divUp(notionalWad * initialRatioWad, WAD),
  };
}

function initialBase({ market, fundingIndexWad }: ReadPosition): bigint {
  if (MarketWords.openInterestSlope(market.risk) === 0n) return MarketWords.initialBase(market.risk);
  return Margin.initialBaseUp(market.risk, Sides.openInterest(market, fundingIndexWad));
}

function generalItems(netCashWad: bigint, positionOrDebt: boolean, risk: VaultWords.AccountRisk): HealthItem[] {
  const items: HealthItem[] = [];
  if (netCashWad < 0n) {
    const debtMarginWad = VaultWords.debtMargin(risk);
    const wad = mulDivUp(-netCashWad, debtMarginWad, WAD);
    items.push({ kind: "debtMargin", debtWad: -netCashWad, debtMarginWad, ...required(wad) });
  }
  if (positionOrDebt) items.push({ kind: "keeperFloor", ...required(VaultWords.keeperFloor(risk)) });
  return items;
}
