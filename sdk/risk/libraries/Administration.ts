/** Twin of contracts/libraries/Administration.sol: listing and parameters. */
import { at, uint } from "../checked.js";
import { ContractError } from "../ContractError.js";
import {
  MAX_COLLATERALS,
  MAX_MARKETS,
  type MarketId,
  collateralAsset,
  marketAsset,
  onlyAsset,
} from "../types/AssetSet.js";
import { type CashParameters, toCashTerms } from "../types/CashWords.js";
import * as MarketWords from "../types/MarketWords.js";
import * as Position from "../types/Position.js";
import * as Price from "../types/Price.js";
import * as RampWords from "../types/RampWords.js";
import type { Context, Market, Ramp, Vault } from "../types/VaultStorage.js";
import * as VaultWords from "../types/VaultWords.js";
import * as CashBook from "./CashBook.js";
import { WAD, max } from "./FixedPoint.js";
import * as Funding from "./Funding.js";
import * as Parameters from "./Parameters.js";
import * as Ramps from "./Ramps.js";
import * as Sides from "./Sides.js";

const { DELISTED, HALTED, toDiscountTerms, toMarketRisk, toMarketState, toMarketTerms } = MarketWords;
const { toAccountRisk, toCapital, toCollateral, toRewardBudget } = VaultWords;

/**
 * Lists a market under the next id. Its price must be fresh.
 * Throws ListFull, what the oracle throws, and what setMarketParameters throws.
 * @returns the market's id, and the settlement tokens (raw) that the caller owes for it
 */
export function listMarket(
  $: Vault,
  context: Context,
  p: MarketWords.MarketParameters,
): { id: MarketId; reserve: bigint } {
  if ($.marketCount >= MAX_MARKETS) throw new ContractError("ListFull", { maximum: BigInt(MAX_MARKETS) });
  const id = $.marketCount++;
  $.markets(id).state = toMarketState(0n, 0n, 0n, $.now, 0n);
  writeMarket($, context, id, p);
  const reserve = WAD / context.cashUnit;
  $.cashHeld = uint($.cashHeld + BigInt.asUintN(128, reserve), 128);
  $.emit("ReservePaid", { market: BigInt(id), amount: reserve });
  return { id, reserve };
}

/** Throws UnknownMarket, MarketDelisted, ParameterOutOfBounds, NotRepresentable, ValueOutOfRange, Panic, and what the oracle throws. */
export function setMarketParameters($: Vault, context: Context, id: MarketId, p: MarketWords.MarketParameters): void {
  if (id >= $.marketCount) throw new ContractError("UnknownMarket", { market: BigInt(id) });
  writeMarket($, context, id, p);
}

/** Throws NothingToRamp, MarketDelisted, and what the oracle throws. */
export function rampMarket($: Vault, context: Context, id: MarketId): void {
  const ramp = $.marketRamps(id);
  const market = $.markets(id);
  const clock = Ramps.stepped(ramp.clock, $.now);
  const accrued = accrue(market, id, freshPrice(context, id), $.now);
  const mostSize = max(MarketWords.openInterestCap(market.terms), accrued.openInterest);
  market.risk = Ramps.movedMarket(ramp.from, ramp.to, RampWords.secondsLeft(clock), mostSize);
  storeMarket($, context, id, accrued);
  if (RampWords.secondsLeft(clock) === 0n) erase(ramp);
  else ramp.clock = clock;
  tellMarketRamp($, id, ramp);
}

function writeMarket($: Vault, context: Context, id: MarketId, p: MarketWords.MarketParameters): void {
  const price = freshPrice(context, id);
  const tolerance = context.oracle.mostTolerance(marketAsset(id));
  const market = $.markets(id);
  const accrued = accrue(market, id, price, $.now);
  requireFits($, p, tolerance, accrued.openInterest);
  Parameters.requireSizesWithin(p, Price.value(price));
  const to = toMarketRisk(p);
  const { totals } = market;
  if ((MarketWords.longShares(totals) | MarketWords.shortShares(totals)) !== 0n) {
    p = Ramps.loosestMarket({ ...p }, market.risk);
    requireFits($, p, tolerance, accrued.openInterest);
  }
  const risk = toMarketRisk(p);
  const terms = toMarketTerms(p);
  const discount = toDiscountTerms(p.discountBaseWad, p.discountSlopeWad, p.discountCapWad);
  Object.assign(market, { risk, terms, discount } satisfies Partial<Market>);
  storeMarket($, context, id, accrued);
  beginMarketRamp($, id, market.risk, to);
}

function requireFits($: Vault, p: MarketWords.MarketParameters, toleranceWad: bigint, openInterestWad: bigint): void {
  Parameters.requireValidMarket(p, toleranceWad);
  Parameters.requireTargetWithin(VaultWords.targetHealth($.accountRisk), p.initialBaseWad, p.maintenanceBaseWad);
  Parameters.requireSkewWithin(openInterestWad, p.maintenanceBaseWad, p.skewScaleWad);
}

function beginMarketRamp($: Vault, id: MarketId, from: MarketWords.MarketRisk, to: MarketWords.MarketRisk): void {
  const ramp = $.marketRamps(id);
  if (begin(ramp, from, to, $.now)) tellMarketRamp($, id, ramp);
}

function tellMarketRamp($: Vault, id: MarketId, { from, to, clock }: Ramp<MarketWords.MarketRisk>): void {
  $.emit("MarketRampSet", { market: BigInt(id), from, to, clock });
}

/** Whether anything has changed: the ramp began, or one that was is gone. */
function begin<W extends bigint>(ramp: Ramp<W>, from: W, to: W, nowSeconds: bigint): boolean {
  const ramps = from !== to;
  if (!ramps && RampWords.secondsLeft(ramp.clock) === 0n) return false;
  if (ramps) Object.assign(ramp, { from, to, clock: Ramps.begun(nowSeconds) } satisfies Ramp<W>);
  else erase(ramp);
  return true;
}

function erase<W extends bigint>(ramp: Ramp<W>): void {
  ramp.from = 0n as W;
  ramp.to = 0n as W;
  ramp.clock = 0n as RampWords.RampClock;
}

/** What a change of parameters needs to know of a market as it stands now. */
interface Accrued {
  indexWad: bigint;
  rateE24: bigint;
  openInterest: bigint;
}

function freshPrice(context: Context, id: MarketId): Price.Price {
  return at(context.oracle.prices(onlyAsset(marketAsset(id))), 0);
}

function accrue(market: Market, id: MarketId, price: Price.Price, nowSeconds: bigint): Accrued {
  const { state } = market;
  if (MarketWords.has(state, DELISTED)) throw new ContractError("MarketDelisted", { market: BigInt(id) });
  const [indexWad, rateE24] = Funding.accrued(state, market.risk, Price.value(price), nowSeconds);
  return { indexWad, rateE24, openInterest: Sides.openInterest(market, indexWad) };
}

function storeMarket($: Vault, context: Context, id: MarketId, accrued: Accrued): void {
  const market = $.markets(id);
  const poolPosition = $.positions.get(context.pool, id);
  const skew = -Sides.sizeOf(market, Position.shares(poolPosition));
  const { risk, terms, discount } = market;
  const drift = Funding.driftOf(skew, MarketWords.maxFundingVelocity(terms), MarketWords.skewScale(risk));
  market.state = toMarketState(accrued.indexWad, accrued.rateE24, drift, $.now, MarketWords.flags(market.state));
  $.emit("MarketParametersSet", { market: BigInt(id), risk, terms, discount });
  tellMarket($, context, id);
}

function tellMarket($: Vault, context: Context, id: MarketId): void {
  const { state, totals } = $.markets(id);
  const poolPosition = $.positions.get(context.pool, id);
  $.emit("MarketChanged", { market: BigInt(id), state, totals, poolPosition });
}

/**
 * Throws AlreadyListed, ListFull, TooManyDecimals, ParameterOutOfBounds, NotRepresentable, ValueOutOfRange, Panic, and what the oracle
 * throws.
 * @param decimals what the token says of itself, which Solidity asks it for: a twin knows no tokens
 * @returns the collateral's index
 */
export function listCollateral(
  $: Vault,
  context: Context,
  token: string,
  p: VaultWords.CollateralParameters,
  decimals: bigint,
): number {
  const isKnown = token === context.settlementToken || $.collateralIndexes(token) !== 0;
  if (isKnown) throw new ContractError("AlreadyListed", { token });
  if ($.collateralCount >= MAX_COLLATERALS) throw new ContractError("ListFull", { maximum: BigInt(MAX_COLLATERALS) });
  if (decimals > 18n) throw new ContractError("TooManyDecimals", { token, decimals });
  const index = $.collateralCount++;
  $.setCollateralToken(index, token);
  context.oracle.prices(onlyAsset(collateralAsset(index)));
  writeCollateral($, context, index, decimals, p);
  return index;
}

/** Throws UnknownToken, ParameterOutOfBounds, NotRepresentable, ValueOutOfRange, Panic. */
export function setCollateralParameters(
  $: Vault,
  context: Context,
  token: string,
  p: VaultWords.CollateralParameters,
): void {
  const indexPlusOne = $.collateralIndexes(token);
  if (indexPlusOne === 0) throw new ContractError("UnknownToken", { token });
  const index = indexPlusOne - 1;
  writeCollateral($, context, index, VaultWords.decimals($.collaterals.get(index)), p);
}

/** Throws NothingToRamp. */
export function rampCollateral($: Vault, index: number): void {
  const ramp = $.collateralRamps(index);
  const clock = Ramps.stepped(ramp.clock, $.now);
  const live = $.collaterals.get(index);
  $.collaterals.set(index, Ramps.movedCollateral(live, ramp.from, ramp.to, RampWords.secondsLeft(clock)));
  tellCollateral($, index);
  if (RampWords.secondsLeft(clock) === 0n) erase(ramp);
  else ramp.clock = clock;
  tellCollateralRamp($, index, ramp);
}

function writeCollateral(
  $: Vault,
  context: Context,
  index: number,
  decimals: bigint,
  p: VaultWords.CollateralParameters,
): void {
  const tolerance = context.oracle.mostTolerance(collateralAsset(index));
  Parameters.requireValidCollateral(p, tolerance);
  const live = $.collaterals.get(index);
  const to = toCollateral(p, 0n, 0n);
  if (VaultWords.held(live) !== 0n) {
    p = Ramps.loosestCollateral({ ...p }, live);
    Parameters.requireValidCollateral(p, tolerance);
  }
  $.collaterals.set(index, toCollateral(p, decimals, VaultWords.held(live)));
  $.collateralDiscounts.set(index, toDiscountTerms(p.discountBaseWad, p.discountSlopeWad, p.discountCapWad));
  tellCollateral($, index);
  beginCollateralRamp($, index, toCollateral(p, 0n, 0n), to);
}

function beginCollateralRamp($: Vault, index: number, from: VaultWords.Collateral, to: VaultWords.Collateral): void {
  const ramp = $.collateralRamps(index);
  if (begin(ramp, from, to, $.now)) tellCollateralRamp($, index, ramp);
}

function tellCollateralRamp($: Vault, index: number, { from, to, clock }: Ramp<VaultWords.Collateral>): void {
  $.emit("CollateralRampSet", { token: $.collateralTokens(index), from, to, clock });
}

function tellCollateral($: Vault, index: number): void {
  $.emit("CollateralParametersSet", {
    token: $.collateralTokens(index),
    collateralIndex: BigInt(index),
    collateral: $.collaterals.get(index),
    discount: $.collateralDiscounts.get(index),
  });
}

/** Throws ParameterOutOfBounds, NotRepresentable, ValueOutOfRange. */
export function setCashParameters($: Vault, context: Context, p: CashParameters): void {
  Parameters.requireValidCash(p);
  $.cashTerms = toCashTerms(p);
  $.emit("CashParametersSet", { terms: $.cashTerms });
  CashBook.write($, context);
}

export function setMarketHalted($: Vault, context: Context, id: MarketId, halted: boolean): void {
  const market = $.markets(id);
  market.state = halted ? MarketWords.withFlag(market.state, HALTED) : MarketWords.withoutFlag(market.state, HALTED);
  tellMarket($, context, id);
}

export function setBorrowingHalted($: Vault, halted: boolean): void {
  $.borrowingHalted = halted;
  $.emit("BorrowingHaltedSet", { halted });
}

/** Throws ParameterOutOfBounds, NotRepresentable, ValueOutOfRange, Panic. */
export function setAccountParameters($: Vault, p: VaultWords.AccountParameters): void {
  Parameters.requireValidAccounts(p);
  for (let id = 0; id < $.marketCount; ++id) {
    const { state, risk } = $.markets(id);
    if (MarketWords.has(state, DELISTED)) continue;
    const base = max(MarketWords.maintenanceBase(risk), MarketWords.maintenanceBase($.marketRamps(id).to));
    Parameters.requireTargetWithin(p.targetHealthWad, MarketWords.initialBase(risk), base);
  }
  const live = $.accountRisk;
  const to = toAccountRisk(p);
  const hasAccountsAtRisk = $.marketCount !== 0 || $.collateralCount !== 0;
  if (live !== 0n && hasAccountsAtRisk) {
    p = Ramps.loosestAccounts({ ...p }, live);
    Parameters.requireValidAccounts(p);
  }
  $.accountRisk = toAccountRisk(p);
  $.rewardBudget = toRewardBudget(
    p.absorbRewardFloorWad,
    p.absorbRewardPerHourWad,
    VaultWords.spent($.rewardBudget),
    VaultWords.since($.rewardBudget),
  );
  $.capital = toCapital(VaultWords.capitalValue($.capital), VaultWords.takenAt($.capital), p.capitalMaxAgeSeconds);
  $.emit("AccountParametersSet", { risk: $.accountRisk });
  $.emit("RewardBudgetChanged", { budget: $.rewardBudget });
  $.emit("CapitalChanged", { capital: $.capital });
  beginAccountRamp($, $.accountRisk, to);
}

function beginAccountRamp($: Vault, from: VaultWords.AccountRisk, to: VaultWords.AccountRisk): void {
  if (begin($.accountRamp, from, to, $.now)) tellAccountRamp($);
}

function tellAccountRamp($: Vault): void {
  const { from, to, clock } = $.accountRamp;
  $.emit("AccountRampSet", { from, to, clock });
}

/** Throws NothingToRamp. */
export function rampAccounts($: Vault): void {
  const ramp = $.accountRamp;
  const clock = Ramps.stepped(ramp.clock, $.now);
  $.accountRisk = Ramps.movedAccounts(ramp.from, ramp.to, RampWords.secondsLeft(clock));
  $.emit("AccountParametersSet", { risk: $.accountRisk });
  if (RampWords.secondsLeft(clock) === 0n) erase(ramp);
  else ramp.clock = clock;
  tellAccountRamp($);
}
