/** Twin of contracts/libraries/Waterfall.sol. */
import type { AccountId } from "../../accounts.js";
import { ContractError } from "../ContractError.js";
import { at } from "../checked.js";
import * as Account from "../types/Account.js";
import * as AssetSet from "../types/AssetSet.js";
import * as MarketWords from "../types/MarketWords.js";
import * as Price from "../types/Price.js";
import type { Context, Vault } from "../types/VaultStorage.js";
import * as VaultWords from "../types/VaultWords.js";
import * as CashBook from "./CashBook.js";
import * as CollateralSale from "./CollateralSale.js";
import * as Deals from "./Deals.js";
import * as Deleveraging from "./Deleveraging.js";
import * as Fill from "./Fill.js";
import { WAD, abs, divUp, min, mulDivDown, positivePart, sub } from "./FixedPoint.js";
import * as Ledger from "./Ledger.js";
import * as Losses from "./Losses.js";
import * as Margin from "./Margin.js";
import * as PartialLiquidation from "./PartialLiquidation.js";
import * as PoolValue from "./PoolValue.js";
import * as Targets from "./Targets.js";

/** What becomes of one position of an absorbed account. */
export const Fate = {
  /** It waits for its price. */
  Stays: 0,
  /** It has no size left: its result is final. */
  Finished: 1,
  /** The pool takes it at its fill price. */
  ToPool: 2,
  /** It is closed against the other side of its market. */
  Deleveraged: 3,
} as const;
export type Fate = (typeof Fate)[keyof typeof Fate];

/** What an absorb would do now. */
export interface AbsorbPreview {
  open: boolean;
  health: Margin.Health;
}

/** A position of an absorbed account, worked out in memory: nothing is stored yet. */
export interface Leg {
  fate: Fate;
  deal: Deals.Deal;
  /** To the pool: what it does to the account's size, at which price, and what the account has realised by it. Wad. */
  sizeDelta: bigint;
  fillPrice: bigint;
  realized: bigint;
  deleverage: Deleveraging.Deleverage;
}

/** An absorb on its way. Wad. */
export interface Taking {
  word: Account.Account;
  poolWord: Account.Account;
  legs: Leg[];
  /** How many of them are worked out. */
  planned: number;
  /** Notional of the positions and value of the collateral taken over, at the price. */
  taken: bigint;
  /** What stays with the account for want of a usable price and is worth something, at its last good price. */
  staying: bigint;
  /** What closing against the other sides can raise at most. */
  bearable: bigint;
  /** What the pool pays for collateral. */
  collateralPaid: bigint;
}

/** How an account is to be taken over. */
interface Terms {
  /** Way B: nothing goes to the pool. */
  wayB: boolean;
  /** What closing against the other sides must raise, of how much that it can. */
  missing: bigint;
  bearable: bigint;
}

/** The pool's margin while it is offered the positions of one account. */
interface PoolMargin {
  isRead: boolean;
  sums: Margin.Sums;
  gone: Margin.Sums;
  come: Margin.Sums;
}

const NOTHING = 0n as AssetSet.AssetSet;
const HOUR = 3600n;

/**
 * Takes accounts over whole, those that are open to it.
 * @throws ContractError RewardToTarget, NotATarget, NothingToAbsorb
 */
export function absorb($: Vault, context: Context, accounts: readonly AccountId[], rewardTo: AccountId): void {
  let any = false;
  let poolLost = false;
  for (const account of accounts) {
    if (account === rewardTo) throw new ContractError("RewardToTarget", { account: rewardTo });
    const target = Targets.read($, context, account, NOTHING);
    if (!absorbOpen($, context, target)) continue;
    if (!any && $.badDebt !== 0n) {
      Losses.sweepInterest($, context);
      Losses.cover($, context);
    }
    if (absorbOne($, context, target, rewardTo)) poolLost = true;
    any = true;
  }
  if (!any) throw new ContractError("NothingToAbsorb");
  CashBook.save($, context);
  if (poolLost) PoolValue.refreshCapital($, context);
}

/** Whether an absorb would take the account now. Throws NotATarget. */
export function previewAbsorb($: Vault, context: Context, account: AccountId): AbsorbPreview {
  const target = Targets.read($, context, account, NOTHING);
  return { open: absorbOpen($, context, target), health: target.health };
}

// ------------------------------------------------------------------ step 2

function absorbOpen($: Vault, context: Context, target: Targets.Target): boolean {
  if (!Margin.isLiquidatable(target.health) || Targets.inGrace(target) || !anythingToTake($, target)) return false;
  if (target.health.healthWad < VaultWords.absorbHealth(target.risk)) return true;
  return !PartialLiquidation.serves($, context, target);
}

function absorbOne($: Vault, context: Context, target: Targets.Target, rewardTo: AccountId): boolean {
  let poolLost = false;
  let taking = plan($, context, target, { wayB: false, missing: 0n, bearable: 0n });
  const isWayB = missing(taking) !== 0n;
  if (isWayB) [taking, poolLost] = wayB($, context, target);
  else take($, context, target, taking);

  let penaltyWad = 0n;
  let reward = 0n;
  let toInsurance = 0n;
  if (Account.cash(taking.word) + taking.staying > 0n) {
    [penaltyWad, reward, toInsurance] = takePenalty($, target, taking, isWayB);
  }
  const insurance = positivePart(Account.cash(Ledger.load($, context, context.insurance)) + toInsurance);
  const added = isWorthIt(target, taking) ? topUp($, reward, insurance) : 0n;

  Ledger.save($, context, target.account, taking.word);
  toInsurance -= added;
  if (toInsurance !== 0n) Ledger.addCash($, context, context.insurance, toInsurance);
  if (rewardTo === context.pool) taking.poolWord = Account.plusCash(taking.poolWord, reward + added);
  else if (reward + added !== 0n) Ledger.addCash($, context, rewardTo, reward + added);
  Ledger.saveLast($, context, context.pool, taking.poolWord);
  $.emit("Absorbed", {
    account: target.account,
    rewardTo,
    deleveraged: isWayB,
    penaltyWad,
    rewardWad: reward + added,
    returnedWad: Account.cash(taking.word),
  });
  return poolLost;
}

// ------------------------------------------------------------------ in memory

function plan($: Vault, context: Context, target: Targets.Target, terms: Terms): Taking {
  const taking: Taking = {
    word: target.word,
    poolWord: Ledger.load($, context, context.pool),
    legs: [],
    planned: 0,
    taken: 0n,
    staying: 0n,
    bearable: 0n,
    collateralPaid: 0n,
  };
  const pool: PoolMargin = {
    isRead: false,
    sums: Margin.emptySums(),
    gone: Margin.emptySums(),
    come: Margin.emptySums(),
  };
  for (let bits = Account.marketBits(target.word); bits !== 0n; bits &= bits - 1n) {
    const market = AssetSet.lowestBit(bits);
    const leg = emptyLeg();
    loadLeg($, context, target, taking, market, leg);
    if (leg.fate === Fate.Stays) {
      taking.staying += positivePart(Deals.value(leg.deal));
    } else if (leg.fate === Fate.Finished) {
      Deals.addPoolTo(leg.deal, pool.gone);
      Deals.finish(leg.deal);
      Deals.addPoolTo(leg.deal, pool.come);
    } else if (terms.wayB) {
      close(leg, pool, taking, terms, target.risk);
    } else if (!offerToPool($, context, leg, pool)) {
      loadLeg($, context, target, taking, market, leg);
      close(leg, pool, taking, terms, target.risk);
    }
    if (leg.fate !== Fate.Stays) taking.taken += mulDivDown(abs(leg.sizeDelta), Price.value(leg.deal.price), WAD);
    taking.legs[taking.planned++] = leg;
    taking.word = leg.deal.accountWord;
    taking.poolWord = leg.deal.poolWord;
  }
  priceCollaterals($, target, taking);
  return taking;
}

function emptyLeg(): Leg {
  return {
    fate: Fate.Stays,
    deal: Deals.emptyDeal(),
    sizeDelta: 0n,
    fillPrice: 0n,
    realized: 0n,
    deleverage: Deleveraging.emptyDeleverage(),
  };
}

function loadLeg(
  $: Vault,
  context: Context,
  target: Targets.Target,
  taking: Taking,
  market: AssetSet.MarketId,
  leg: Leg,
): void {
  const price = at(target.prices, taking.planned); // markets come first in an asset set
  Deals.load(leg.deal, $, context, target.account, taking.word, taking.poolWord, market, price);
  leg.sizeDelta = -Deals.size(leg.deal);
  if (leg.sizeDelta === 0n) leg.fate = Fate.Finished;
  else if (Price.isUsable(price)) leg.fate = Fate.ToPool;
}

function offerToPool($: Vault, context: Context, leg: Leg, pool: PoolMargin): boolean {
  const { deal } = leg;
  const gone = Margin.copy(pool.gone);
  const come = Margin.copy(pool.come);
  Deals.addPoolTo(deal, gone);
  const skew = abs(Fill.skewOf(deal.book, deal.venue));
  [leg.fillPrice, , leg.realized] = Deals.fill(deal, leg.sizeDelta, 0n);
  Deals.addPoolTo(deal, come);
  let accepted = abs(Fill.skewOf(deal.book, deal.venue)) < skew;
  if (!accepted) {
    if (!pool.isRead) pool.sums = PartialLiquidation.poolSums($, context);
    pool.isRead = true;
    const sums = Margin.copy(gone);
    Margin.toRest(sums, pool.sums);
    Margin.plus(sums, come);
    accepted = Margin.hasInitialMargin(Margin.total(sums, Account.cash(deal.poolWord), $.accountRisk));
  }
  if (accepted) {
    pool.gone = gone;
    pool.come = come;
  }
  return accepted;
}

function close(leg: Leg, pool: PoolMargin, taking: Taking, terms: Terms, risk: VaultWords.AccountRisk): void {
  const { deal } = leg;
  leg.fate = Fate.Deleveraged;
  taking.bearable += Deleveraging.bearableDown(deal, abs(leg.sizeDelta), risk);
  const long = leg.sizeDelta < 0n;
  const priceRay = Deleveraging.closingPriceRay(deal, long, terms.missing, terms.bearable, risk);
  Deals.addPoolTo(deal, pool.gone);
  leg.deleverage = Deleveraging.close(deal, priceRay);
  Deals.addPoolTo(deal, pool.come);
}

function priceCollaterals($: Vault, target: Targets.Target, taking: Taking): void {
  for (let bits = Account.collateralBits(target.word); bits !== 0n; bits &= bits - 1n) {
    const index = AssetSet.lowestBit(bits);
    const price = Targets.priceOf(target, AssetSet.collateralAsset(index));
    const amount = $.collateralOf.get(target.account, index);
    const weighted = Margin.weightedDown($.collaterals.get(index), amount, price);
    if (Price.isUsable(price)) taking.collateralPaid += weighted;
    else taking.staying += weighted;
  }
}

function missing(taking: Taking): bigint {
  return positivePart(-Account.cash(taking.word) - (taking.collateralPaid + taking.staying));
}

// ------------------------------------------------------------------ way B: steps 3 to 6

function wayB($: Vault, context: Context, target: Targets.Target): [taking: Taking, poolLost: boolean] {
  let taking = plan($, context, target, { wayB: true, missing: 0n, bearable: 0n });
  const deficit = missing(taking);
  if (deficit === 0n) {
    take($, context, target, taking);
    return [taking, false];
  }
  let left = deficit - insurancePays($, context, target.account, deficit);
  const poolLost = left !== 0n;
  if (left !== 0n) left -= poolPays($, context, target.account, left);
  target.word = Account.plusCash(target.word, deficit - left);
  taking = plan($, context, target, { wayB: true, missing: left, bearable: taking.bearable });
  take($, context, target, taking);

  const unpaid = positivePart(-Account.cash(taking.word) - taking.staying);
  if (unpaid === 0n) return [taking, poolLost];
  Ledger.save($, context, target.account, taking.word);
  Ledger.save($, context, context.pool, taking.poolWord);
  const writtenOffWad = Losses.writeOff($, context, unpaid);
  Losses.addBadDebt($, unpaid - writtenOffWad);
  taking.poolWord = Ledger.load($, context, context.pool);
  taking.word = Account.plusCash(taking.word, unpaid);
  $.emit("LossWrittenOff", { account: target.account, writtenOffWad, badDebtWad: unpaid - writtenOffWad });
  return [taking, true];
}

function insurancePays($: Vault, context: Context, account: AccountId, deficitWad: bigint): bigint {
  Losses.sweepInterest($, context);
  const paidWad = min(deficitWad, Losses.insuranceCash($, context));
  if (paidWad !== 0n) Ledger.addCash($, context, context.insurance, -paidWad);
  $.emit("InsurancePaid", { account, deficitWad, paidWad });
  return paidWad;
}

function poolPays($: Vault, context: Context, account: AccountId, missingWad: bigint): bigint {
  const budget = Losses.poolBudget($, context);
  const paidWad = min(missingWad, Losses.left(budget));
  if (paidWad === 0n) return 0n;
  Losses.spendPool($, budget, paidWad);
  Ledger.addCash($, context, context.pool, -paidWad);
  $.emit("PoolPaid", { account, paidWad });
  return paidWad;
}

// ------------------------------------------------------------------ in storage

function take($: Vault, context: Context, target: Targets.Target, taking: Taking): void {
  storeLegs($, context, taking);
  takeCollaterals($, context, target, taking);
}

function storeLegs($: Vault, context: Context, taking: Taking): void {
  for (const leg of taking.legs) {
    if (leg.fate === Fate.Stays) continue;
    const { deal } = leg;
    deal.accountWord = taking.word;
    deal.poolWord = taking.poolWord;
    Deals.store($, context, deal);
    taking.word = deal.accountWord;
    taking.poolWord = deal.poolWord;
    tell($, leg);
  }
}

function tell($: Vault, leg: Leg): void {
  const { deal } = leg;
  const { account } = deal;
  const market = BigInt(deal.market);
  if (leg.fate === Fate.ToPool) {
    $.emit("PositionAbsorbed", {
      account,
      market,
      sizeDeltaWad: leg.sizeDelta,
      fillPriceWad: leg.fillPrice,
      realizedWad: leg.realized,
    });
  } else if (leg.fate === Fate.Deleveraged) {
    Deleveraging.store($, deal, leg.deleverage);
    const { sizeWad, priceRay, realizedWad } = leg.deleverage;
    $.emit("PositionDeleveraged", { account, market, sizeWad, priceRay, realizedWad });
  }
}

function takePenalty(
  $: Vault,
  target: Targets.Target,
  taking: Taking,
  isWayB: boolean,
): [penalty: bigint, reward: bigint, toInsurance: bigint] {
  const floor = isWorthIt(target, taking) ? VaultWords.rewardFloor($.rewardBudget) : 0n;
  const rated = mulDivDown(taking.taken, VaultWords.absorbPenalty(target.risk), WAD);
  let penalty = min(positivePart(Account.cash(taking.word)), rated > floor ? rated : floor);
  let reward = mulDivDown(penalty, VaultWords.keeperShare(target.risk), WAD);
  if (reward < floor) reward = min(penalty, floor);
  let insuranceShare = min(sub(penalty, reward), mulDivDown(penalty, VaultWords.insuranceShare(target.risk), WAD));
  taking.word = Account.plusCash(taking.word, -penalty);
  taking.poolWord = Account.plusCash(taking.poolWord, penalty - reward - insuranceShare);
  if (isWayB) {
    const rest = positivePart(Account.cash(taking.word));
    taking.word = Account.plusCash(taking.word, -rest);
    penalty += rest;
    insuranceShare += rest;
  }
  return [penalty, reward, insuranceShare];
}

function takeCollaterals($: Vault, context: Context, target: Targets.Target, taking: Taking): void {
  for (let bits = Account.collateralBits(target.word); bits !== 0n; bits &= bits - 1n) {
    const index = AssetSet.lowestBit(bits);
    const price = Targets.priceOf(target, AssetSet.collateralAsset(index));
    if (Price.isUsable(price)) takeCollateral($, context, target.account, taking, index, price);
  }
}

function takeCollateral(
  $: Vault,
  context: Context,
  account: AccountId,
  taking: Taking,
  index: number,
  price: Price.Price,
): void {
  const amount = $.collateralOf.get(account, index);
  const paid = Margin.weightedDown($.collaterals.get(index), amount, price);
  taking.taken += Margin.collateralValueDown($.collaterals.get(index), amount, price);
  taking.word = Account.plusCash(Ledger.saveCollateral($, account, taking.word, index, 0n), paid);
  const poolAmount = CollateralSale.stock($, context, index, amount);
  taking.poolWord = Ledger.saveCollateral($, context.pool, taking.poolWord, index, poolAmount);
  taking.poolWord = Account.plusCash(taking.poolWord, -paid);
  $.emit("CollateralAbsorbed", {
    account,
    token: $.collateralTokens(index),
    amount,
    valueWad: paid,
    stockSince: $.stockSince.get(index),
  });
}

function isWorthIt(target: Targets.Target, taking: Taking): boolean {
  return taking.taken >= VaultWords.minimumDebt(target.risk);
}

function topUp($: Vault, reward: bigint, insuranceCash: bigint): bigint {
  const budget = $.rewardBudget;
  const floor = VaultWords.rewardFloor(budget);
  const perHour = VaultWords.perHour(budget);
  if (reward >= floor) return 0n;
  const newHour = $.now >= VaultWords.since(budget) + HOUR;
  const spent = newHour ? 0n : VaultWords.spent(budget);
  const since = newHour ? $.now : VaultWords.since(budget);
  const left = perHour > spent ? perHour - spent : 0n;
  const added = min(min(floor - reward, left), insuranceCash);
  const booked = divUp(added, MarketWords.MICRO) * MarketWords.MICRO;
  $.rewardBudget = VaultWords.toRewardBudget(floor, perHour, spent + booked, since);
  $.emit("RewardBudgetChanged", { budget: $.rewardBudget });
  return added;
}

function anythingToTake($: Vault, target: Targets.Target): boolean {
  if (target.prices.some(Price.isUsable)) return true;
  for (let bits = Account.marketBits(target.word); bits !== 0n; bits &= bits - 1n) {
    if (MarketWords.has($.markets(AssetSet.lowestBit(bits)).state, MarketWords.DELISTED)) return true;
  }
  return target.prices.length === 0;
}
