/**
 * Twin of contracts/MarginVault.sol and contracts/VaultExtension.sol: the vault's entry points and views.
 *
 * Each entry point is the whole of what its transaction does to the vault's books: it changes `$`, emits into `$.events`, and throws the
 * ContractError that the chain would raise, with all arguments. What it threw in stays as it was left, like memory: fork before a call that
 * may fail. The caller is `$.sender`, the time `$.now`.
 *
 * Outside of the twin, and checked by the chain alone: moves of tokens into the vault and out of it (balances, allowances, permits), wei sent
 * along, who may call what is restricted to roles, signatures, and gas.
 */
import type { AccountId } from "../accounts.js";
import { ContractError } from "./ContractError.js";
import { at } from "./checked.js";
import * as Administration from "./libraries/Administration.js";
import * as Authority from "./libraries/Authority.js";
import * as CashBook from "./libraries/CashBook.js";
import * as CollateralSale from "./libraries/CollateralSale.js";
import * as Custody from "./libraries/Custody.js";
import * as Deals from "./libraries/Deals.js";
import * as Deferral from "./libraries/Deferral.js";
import * as Delisting from "./libraries/Delisting.js";
import { WAD, abs, mulDivDown, mulDivUp, opposes } from "./libraries/FixedPoint.js";
import * as Ledger from "./libraries/Ledger.js";
import * as Margin from "./libraries/Margin.js";
import * as PartialLiquidation from "./libraries/PartialLiquidation.js";
import * as PoolResolution from "./libraries/PoolResolution.js";
import * as PoolValue from "./libraries/PoolValue.js";
import * as Prices from "./libraries/Prices.js";
import * as Settlement from "./libraries/Settlement.js";
import * as Views from "./libraries/Views.js";
import * as Waterfall from "./libraries/Waterfall.js";
import * as Account from "./types/Account.js";
import * as AssetSet from "./types/AssetSet.js";
import type { CashParameters } from "./types/CashWords.js";
import * as MarketWords from "./types/MarketWords.js";
import * as Permissions from "./types/Permissions.js";
import * as Price from "./types/Price.js";
import type { Context, Vault } from "./types/VaultStorage.js";
import * as VaultWords from "./types/VaultWords.js";

type MarketId = AssetSet.MarketId;

/** What stands in the vault's code: where prices come from at the time of the transaction, and who is who. Addresses lower case. */
export type VaultCode = Omit<Context, "cash">;

/** What an operation needs to know from its start. */
export function contextOf($: Vault, code: VaultCode): Context {
  return { ...code, cash: CashBook.open($) };
}

// ------------------------------------------------------------------ many at once

/** One call of a multicall: `($, code) => trade($, code, ...)`. */
export type Call = ($: Vault, code: VaultCode) => unknown;

/**
 * Makes several calls in one, in the caller's name. Whose risk they have raised must have initial margin at the end, or before a call that
 * concerns others.
 *
 * @returns what each call returned
 * @throws ContractError MulticallNested, DebtBelowMinimum, StalePrices, InsufficientMargin, and what the calls throw
 */
export function multicall($: Vault, code: VaultCode, calls: readonly Call[]): unknown[] {
  Deferral.begin($);
  const results = calls.map((call) => call($, code));
  Deferral.end($);
  checkDeferred($, code);
  return results;
}

// ------------------------------------------------------------------ custody

/**
 * The books of a deposit; the tokens are pulled after it.
 *
 * @param token lower-case address
 * @param amount raw
 * @throws ContractError what Custody.deposit throws
 */
export function deposit($: Vault, code: VaultCode, account: AccountId, token: string, amount: bigint): void {
  Custody.deposit($, contextOf($, code), account, token, amount);
}

/** The same: the permit is a matter between caller and token. */
export function depositWithPermit($: Vault, code: VaultCode, account: AccountId, token: string, amount: bigint): void {
  Custody.deposit($, contextOf($, code), account, token, amount);
}

/**
 * The books of a withdrawal; the tokens are pushed after it.
 *
 * @param token lower-case address
 * @param amount raw
 * @param to lower-case address
 * @throws ContractError NotAuthorized, and what Custody.withdraw throws
 */
export function withdraw(
  $: Vault,
  code: VaultCode,
  account: AccountId,
  token: string,
  amount: bigint,
  to: string,
): void {
  authorize($, account, Permissions.PERMISSION_WITHDRAW);
  Custody.withdraw($, contextOf($, code), account, token, amount, to);
}

/**
 * @param token lower-case address
 * @param amount raw
 * @throws ContractError NotAuthorized, and what Custody.transfer throws
 */
export function transfer(
  $: Vault,
  code: VaultCode,
  from: AccountId,
  to: AccountId,
  token: string,
  amount: bigint,
): void {
  authorize($, from, Permissions.PERMISSION_TRANSFER);
  Custody.transfer($, contextOf($, code), from, to, token, amount);
}

// ------------------------------------------------------------------ trade

/**
 * Trades against the pool.
 *
 * @param sizeDeltaWad above zero buys
 * @param limitPriceWad bounds the average fill price, fees apart; zero: no bound
 * @param deadline Unix seconds
 * @throws ContractError NotAuthorized, DeadlinePassed, ZeroAmount, UnknownMarket, StaleMarketPrice, LimitExceeded, PositionBelowMinimum;
 *   where the position grows MarketHalted, MarketDelisted, MarketClosing, GrowthLimit, TooManyAssets, OpenInterestCapExceeded,
 *   CapitalCheckpointStale, PoolCapitalExceeded, DebtBelowMinimum, StalePrices, InsufficientMargin; else ReductionBankrupts,
 *   ReductionLowersHealth; ValueOutOfRange and Panic far beyond any market's size
 */
export function trade(
  $: Vault,
  code: VaultCode,
  account: AccountId,
  market: MarketId,
  sizeDeltaWad: bigint,
  limitPriceWad: bigint,
  deadline: bigint,
): void {
  authorize($, account, Permissions.PERMISSION_TRADE);
  if ($.now > deadline) throw new ContractError("DeadlinePassed", { deadline, blockTime: $.now });
  if (sizeDeltaWad === 0n) throw new ContractError("ZeroAmount");
  requireListed($, market);

  const context = contextOf($, code);
  const word = Ledger.load($, context, account);
  const risk = $.accountRisk;
  const assets = Ledger.assetsWith(word, market);
  const prices = Prices.all(context.oracle, assets);
  const asset = AssetSet.marketAsset(market);
  const price = at(prices, AssetSet.rank(assets, asset));
  if (!Price.isUsable(price)) throw staleMarketPrice(market, price);

  const deal = Deals.emptyDeal();
  Deals.load(deal, $, context, account, word, Ledger.load($, context, context.pool), market, price);
  Deals.finish(deal);
  const sums = Margin.collect($, account, word, assets, prices, false, asset);
  const sizeBefore = Deals.size(deal);
  const grows = !opposes(sizeBefore, sizeDeltaWad) || abs(sizeDeltaWad) > abs(sizeBefore);
  let healthBeforeWad = 0n;
  if (grows) requireOpen($, deal);
  else healthBeforeWad = healthWith(Margin.copy(sums), deal, risk).healthWad;

  Deals.setFees(deal, Price.tolerance(price));
  const [fillPriceWad, feeWad, realizedWad] = Deals.fill(deal, sizeDeltaWad, VaultWords.insuranceFeeShare(risk));
  requireWithinLimit(sizeDeltaWad, fillPriceWad, limitPriceWad);

  const sizeAfter = Deals.size(deal);
  if (sizeAfter !== 0n) {
    const minimumWad = MarketWords.minimumSize(deal.terms);
    if (abs(sizeAfter) < minimumWad) {
      throw new ContractError("PositionBelowMinimum", { market: BigInt(market), sizeWad: abs(sizeAfter), minimumWad });
    }
  }
  Deals.store($, context, deal);
  Deals.saveWords($, context, deal);
  CashBook.save($, context);

  if (grows) {
    requireOpeningAllowed($, deal, sizeAfter > 0n);
    if (!Deferral.put($, account, true)) {
      Ledger.requireDebtAboveMinimum(account, deal.accountWord, risk);
      Deals.addTo(deal, sums);
      Margin.requireCovered(sums, Account.cash(deal.accountWord), risk, account);
    }
  } else {
    requireReductionAllowed($, account, healthBeforeWad, healthWith(sums, deal, risk));
  }
  $.emit("Traded", { account, market: BigInt(market), sizeDeltaWad, fillPriceWad, feeWad, realizedWad });
}

function healthWith(sums: Margin.Sums, deal: Deals.Deal, risk: VaultWords.AccountRisk): Margin.Health {
  Deals.addTo(deal, sums);
  return Margin.total(sums, Account.cash(deal.accountWord), risk);
}

function requireWithinLimit(sizeDeltaWad: bigint, fillPriceWad: bigint, limitPriceWad: bigint): void {
  const within =
    limitPriceWad === 0n || (sizeDeltaWad > 0n ? fillPriceWad <= limitPriceWad : fillPriceWad >= limitPriceWad);
  if (!within) throw new ContractError("LimitExceeded", { fillPriceWad, limitPriceWad });
}

function requireOpen($: Vault, deal: Deals.Deal): void {
  const market = BigInt(deal.market);
  if (!Price.isFresh(deal.price)) throw staleMarketPrice(deal.market, deal.price);
  if (MarketWords.has(deal.state, MarketWords.HALTED)) throw new ContractError("MarketHalted", { market });
  if (!MarketWords.has(deal.state, MarketWords.CLOSING)) return;
  if (MarketWords.has(deal.state, MarketWords.DELISTED)) throw new ContractError("MarketDelisted", { market });
  throw new ContractError("MarketClosing", { market, delistAt: MarketWords.delistAt($.markets(deal.market).epochs) });
}

function requireOpeningAllowed($: Vault, deal: Deals.Deal, long: boolean): void {
  const market = BigInt(deal.market);
  Deals.requireRoom(deal);
  Ledger.requireFewAssets(deal.account, deal.accountWord);
  const grown = Deals.openInterest(deal, long);
  const capWad = MarketWords.openInterestCap(deal.terms);
  if (grown > capWad) throw new ContractError("OpenInterestCapExceeded", { market, openInterestWad: grown, capWad });

  const checkpoint = $.capital;
  const takenAt = VaultWords.takenAt(checkpoint);
  const maxAge = VaultWords.maxAge(checkpoint);
  if ($.now > takenAt + maxAge) throw new ContractError("CapitalCheckpointStale", { takenAt, maxAge });
  const other = Deals.openInterest(deal, !long);
  const openInterest = grown > other ? grown : other;
  const neededWad = mulDivUp(mulDivUp(openInterest, deal.venue.priceWad, WAD), Deals.initialBase(deal), WAD);
  const availableWad = mulDivDown(VaultWords.capitalValue(checkpoint), MarketWords.capitalShare(deal.terms), WAD);
  if (neededWad > availableWad) throw new ContractError("PoolCapitalExceeded", { market, neededWad, availableWad });
}

function requireReductionAllowed(
  $: Vault,
  account: AccountId,
  healthBeforeWad: bigint,
  afterwards: Margin.Health,
): void {
  const allowed =
    afterwards.equityMaintenanceWad >= 0n &&
    (afterwards.healthWad >= healthBeforeWad || Margin.hasInitialMargin(afterwards));
  if (allowed || Deferral.put($, account, false)) return;
  if (afterwards.equityMaintenanceWad < 0n) {
    throw new ContractError("ReductionBankrupts", { account, equityWad: afterwards.equityMaintenanceWad });
  }
  throw new ContractError("ReductionLowersHealth", {
    account,
    healthBeforeWad,
    healthAfterWad: afterwards.healthWad,
  });
}

// ------------------------------------------------------------------ settle, checkpoint

/** Throws UnknownMarket, NoPosition, StaleMarketPrice. */
export function settle($: Vault, code: VaultCode, account: AccountId, market: MarketId): void {
  requireListed($, market);
  Settlement.settle($, contextOf($, code), account, market);
}

/** Throws what a deferred check does. */
export function refreshCapital($: Vault, code: VaultCode): void {
  checkDeferred($, code);
  PoolValue.refreshCapital($, contextOf($, code));
}

// ------------------------------------------------------------------ liquidation

/**
 * Waterfall, step 1: closes a part of a position.
 *
 * @param maxSizeWad unsigned
 * @param taker the pool's account, or one that the caller may act for
 * @throws ContractError UnknownMarket, NotAuthorized, and what PartialLiquidation.liquidatePosition throws
 */
export function liquidatePosition(
  $: Vault,
  code: VaultCode,
  account: AccountId,
  market: MarketId,
  maxSizeWad: bigint,
  taker: AccountId,
): void {
  checkDeferred($, code);
  requireListed($, market);
  const context = contextOf($, code);
  if (taker !== context.pool) authorize($, taker, Permissions.PERMISSION_TAKE);
  PartialLiquidation.liquidatePosition($, context, account, market, maxSizeWad, taker);
}

/**
 * Waterfall, step 1, for a collateral.
 *
 * @param token lower-case address
 * @param maxAmount raw
 * @throws ContractError NotAuthorized, UnknownToken, and what CollateralSale.liquidateCollateral throws
 */
export function liquidateCollateral(
  $: Vault,
  code: VaultCode,
  account: AccountId,
  token: string,
  maxAmount: bigint,
  taker: AccountId,
): void {
  checkDeferred($, code);
  authorize($, taker, Permissions.PERMISSION_TAKE);
  const context = contextOf($, code);
  CollateralSale.liquidateCollateral($, context, account, collateralIndex($, token), maxAmount, taker);
}

/** Waterfall, steps 2 to 6. Throws RewardToTarget, NotATarget, NothingToAbsorb. */
export function absorb($: Vault, code: VaultCode, accounts: readonly AccountId[], rewardTo: AccountId): void {
  checkDeferred($, code);
  Waterfall.absorb($, contextOf($, code), accounts, rewardTo);
}

/**
 * @param token lower-case address
 * @param amount raw
 * @throws ContractError NotAuthorized, UnknownToken, and what CollateralSale.buyCollateral throws
 */
export function buyCollateral(
  $: Vault,
  code: VaultCode,
  buyer: AccountId,
  token: string,
  amount: bigint,
  maxCostWad: bigint,
): void {
  checkDeferred($, code);
  authorize($, buyer, Permissions.PERMISSION_TAKE);
  const context = contextOf($, code);
  CollateralSale.buyCollateral($, context, buyer, collateralIndex($, token), amount, maxCostWad);
}

// ------------------------------------------------------------------ accounts

/** @param mode 0 cross, 1 isolated. Throws NotAuthorized, UnknownMode, ModeNeedsNoPosition. */
export function setMode($: Vault, code: VaultCode, account: AccountId, mode: bigint): void {
  authorize($, account, Permissions.PERMISSION_SET_MODE);
  Custody.setMode($, contextOf($, code), account, mode);
}

/** @param operator lower-case address. Throws NotAuthorized, UnknownPermissions. */
export function setOperator(
  $: Vault,
  _code: VaultCode,
  account: AccountId,
  operator: string,
  permissions: bigint,
): void {
  Authority.setOperator($, account, operator, permissions);
}

/**
 * @param operator lower-case address
 * @param deadline Unix seconds
 * @param isSigned whether the signature is the owner's, for these arguments: the caller's to know
 * @throws ContractError WrongNonce, DeadlinePassed, InvalidSignature, UnknownPermissions
 */
export function setOperatorBySig(
  $: Vault,
  _code: VaultCode,
  account: AccountId,
  operator: string,
  permissions: bigint,
  nonce: bigint,
  deadline: bigint,
  isSigned: boolean,
): void {
  Authority.setOperatorBySig($, account, operator, permissions, nonce, deadline, isSigned);
}

/** Uses up the caller's next nonce. */
export function revokeSignatures($: Vault, _code: VaultCode): void {
  Authority.revokeSignatures($);
}

// ------------------------------------------------------------------ upkeep, by anyone

/**
 * New prices concern the oracle alone, whose twin the caller holds: `code.oracle` must answer with them from here on. Of the vault's books
 * only what is deferred is checked.
 */
export function updatePrices($: Vault, code: VaultCode): void {
  checkDeferred($, code);
}

/** Throws UnknownMarket, ZeroAmount. */
export function sweepFees($: Vault, code: VaultCode, id: MarketId): void {
  requireListed($, id);
  Settlement.sweepFees($, contextOf($, code), id);
}

/** Throws ZeroAmount. */
export function sweepInterest($: Vault, code: VaultCode): void {
  Settlement.sweepInterest($, contextOf($, code));
}

/** Throws NothingToCover. */
export function cover($: Vault, code: VaultCode): void {
  checkDeferred($, code);
  Settlement.cover($, contextOf($, code));
}

/** Throws PoolSolvent. */
export function resolvePool($: Vault, code: VaultCode): void {
  checkDeferred($, code);
  PoolResolution.resolvePool($, contextOf($, code));
}

/** Throws MarketDelisted, DelistingNotDue, StaleMarketPrice. */
export function delist($: Vault, code: VaultCode, id: MarketId): void {
  checkDeferred($, code);
  Delisting.delist($, contextOf($, code), id);
}

/** Throws NothingToRamp, MarketDelisted, and what the oracle throws. */
export function rampMarket($: Vault, code: VaultCode, id: MarketId): void {
  checkDeferred($, code);
  Administration.rampMarket($, contextOf($, code), id);
}

/** @param token lower-case address. Throws UnknownToken, NothingToRamp. */
export function rampCollateral($: Vault, code: VaultCode, token: string): void {
  checkDeferred($, code);
  Administration.rampCollateral($, collateralIndex($, token));
}

/** Throws NothingToRamp. */
export function rampAccounts($: Vault, code: VaultCode): void {
  checkDeferred($, code);
  Administration.rampAccounts($);
}

// ------------------------------------------------------------------ administration

// Restricted to roles, which the twin does not know. All throw ParameterOutOfBounds, NotRepresentable and ValueOutOfRange.

/** Lists a market, with its reserve; the tokens are pulled after it. Throws ListFull, and what the oracle throws. */
export function listMarket($: Vault, code: VaultCode, parameters: MarketWords.MarketParameters): MarketId {
  return Administration.listMarket($, contextOf($, code), parameters).id;
}

/** Throws UnknownMarket, MarketDelisted, and what the oracle throws. */
export function setMarketParameters(
  $: Vault,
  code: VaultCode,
  id: MarketId,
  parameters: MarketWords.MarketParameters,
): void {
  Administration.setMarketParameters($, contextOf($, code), id, parameters);
}

/**
 * @param due Unix seconds, at least a day ahead
 * @param finalPriceWad what counts if its feed is dead by then; zero: its last good price
 * @throws ContractError UnknownMarket, MarketDelisted
 */
export function announceDelisting($: Vault, code: VaultCode, id: MarketId, due: bigint, finalPriceWad: bigint): void {
  requireListed($, id);
  Delisting.announce($, contextOf($, code), id, due, finalPriceWad);
}

/**
 * @param token lower-case address
 * @param decimals what the token says
 * @returns the collateral's index
 * @throws ContractError AlreadyListed, ListFull, TooManyDecimals, and what the oracle throws
 */
export function listCollateral(
  $: Vault,
  code: VaultCode,
  token: string,
  parameters: VaultWords.CollateralParameters,
  decimals: bigint,
): number {
  return Administration.listCollateral($, contextOf($, code), token, parameters, decimals);
}

/** @param token lower-case address. Throws UnknownToken. */
export function setCollateralParameters(
  $: Vault,
  code: VaultCode,
  token: string,
  parameters: VaultWords.CollateralParameters,
): void {
  Administration.setCollateralParameters($, contextOf($, code), token, parameters);
}

export function setAccountParameters($: Vault, _code: VaultCode, parameters: VaultWords.AccountParameters): void {
  Administration.setAccountParameters($, parameters);
}

export function setCashParameters($: Vault, code: VaultCode, parameters: CashParameters): void {
  Administration.setCashParameters($, contextOf($, code), parameters);
}

/** Throws UnknownMarket. */
export function haltMarket($: Vault, code: VaultCode, id: MarketId): void {
  requireListed($, id);
  Administration.setMarketHalted($, contextOf($, code), id, true);
}

/** Throws UnknownMarket. */
export function resumeMarket($: Vault, code: VaultCode, id: MarketId): void {
  requireListed($, id);
  Administration.setMarketHalted($, contextOf($, code), id, false);
}

export function haltBorrowing($: Vault, _code: VaultCode): void {
  Administration.setBorrowingHalted($, true);
}

export function resumeBorrowing($: Vault, _code: VaultCode): void {
  Administration.setBorrowingHalted($, false);
}

// ------------------------------------------------------------------ views

// What only reads a word ($.accounts, $.markets, $.capital, ...) has no function here.

/** The account's margin, at the last good prices, with all that has accrued. */
export function health($: Vault, code: VaultCode, account: AccountId): Margin.Health {
  return Views.health($, contextOf($, code), account);
}

/** The margins of many accounts, in their order, with each price read once. */
export function healths($: Vault, code: VaultCode, accounts: readonly AccountId[]): Margin.Health[] {
  return Views.healths($, contextOf($, code), accounts);
}

/** The account's cash, wad; below zero a debt. Rounded down. */
export function cash($: Vault, code: VaultCode, account: AccountId): bigint {
  return Account.cash(Ledger.load($, contextOf($, code), account));
}

/** The account's position, with what has accrued. Throws UnknownMarket. */
export function position($: Vault, code: VaultCode, account: AccountId, market: MarketId): Views.PositionView {
  requireListed($, market);
  return Views.position($, contextOf($, code), account, market);
}

/** The pool's net asset value, its band and haircut (wad), and whether all prices behind them are fresh. */
export function poolValue($: Vault, code: VaultCode): ReturnType<typeof PoolValue.read> {
  return PoolValue.read($, contextOf($, code));
}

/** What liquidatePosition would do now, for this largest size. Throws UnknownMarket, NotATarget, AccountHealthy. */
export function previewLiquidation(
  $: Vault,
  code: VaultCode,
  account: AccountId,
  market: MarketId,
  maxSizeWad: bigint,
  taker: AccountId,
): PartialLiquidation.LiquidationPreview {
  requireListed($, market);
  return PartialLiquidation.previewLiquidation($, contextOf($, code), account, market, maxSizeWad, taker);
}

/** What buyCollateral would cost now (wad, rounded up), for an amount (raw). Throws UnknownToken, StaleCollateralPrice. */
export function previewBuyCollateral($: Vault, code: VaultCode, token: string, amount: bigint): bigint {
  const context = contextOf($, code);
  return CollateralSale.previewBuyCollateral($, context, collateralIndex($, token), amount);
}

/** Whether absorb is open for the account now. Throws NotATarget. */
export function previewAbsorb($: Vault, code: VaultCode, account: AccountId): Waterfall.AbsorbPreview {
  return Waterfall.previewAbsorb($, contextOf($, code), account);
}

// ------------------------------------------------------------------ the first lines of every recipe (contracts/VaultBase.sol)

function authorize($: Vault, account: AccountId, permission: bigint): void {
  Authority.require_($, account, permission);
}

function requireListed($: Vault, id: MarketId): void {
  if ($.markets(id).risk === 0n) throw new ContractError("UnknownMarket", { market: BigInt(id) });
}

function collateralIndex($: Vault, token: string): number {
  const indexPlusOne = $.collateralIndexes(token);
  if (indexPlusOne === 0) throw new ContractError("UnknownToken", { token });
  return indexPlusOne - 1;
}

function checkDeferred($: Vault, code: VaultCode): void {
  if (Deferral.count($) !== 0) Custody.checkDeferred($, contextOf($, code));
}

function staleMarketPrice(market: MarketId, price: Price.Price): ContractError {
  return new ContractError("StaleMarketPrice", {
    market: BigInt(market),
    publishedAt: Price.publishedAt(price),
    maxAge: Price.maxAge(price),
  });
}
