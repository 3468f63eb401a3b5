import { type AccountId, WAD, accountId, decodeCollateral, hasFlag, normalizeAccount } from "../../../sdk/index.js";
import { abs, ceilDiv, floorDiv } from "../../helpers/model.js";
import { differences, place, sentence, toldBy } from "../../helpers/vaultStorage.js";
import type { Act } from "./act.js";
import type { Arena } from "./arena.js";
import { type AccountBook, type Books, type HealthFigures, type VaultEvent, cashUnit } from "./books.js";
import { accrued, indexOne, interestE15, marginWad, ratesOf } from "./cash.js";
import { checkBudgets, checkDeleveraging, checkPoolInWaterfall, checkWaterfall } from "./losses.js";
import {
  accountOf,
  advantage,
  claimsRay,
  dustRay,
  holderOf,
  isHandOver,
  isHealthy,
  mismatchRay,
  mismatchValueRay,
  netCashOf,
  numberOf,
  positionCount,
  premium,
  roundingOf,
  sumOf,
  totalEquity,
  wealth,
} from "./figures.js";
import { type Finding, type InvariantId, Judge, type Step, roundingWei } from "./judge.js";
import {
  checkBadDebt,
  checkEpochs,
  checkFundingRates,
  checkIndices,
  checkRedemption,
  checkTokens,
  checkUntouched,
} from "./lasting.js";
import {
  checkDebts,
  checkDepositCap,
  checkGrowth,
  checkInitialMargin,
  checkOpenInterest,
  checkReduction,
  checkSizes,
} from "./limits.js";
import { checkCallers, checkLock, checkNonces, checkParameters, checkPermissions, checkPublished } from "./powers.js";
import { checkPreview } from "./previews.js";
import { ray } from "./sides.js";
import { marketsHeld } from "./situation.js";
import { checkDiscount, checkMoves, checkTakenPosition, collateralOf, isTaken } from "./takeovers.js";

const reserveWadAMarket = WAD;
/** What rounding may leave in the vault each time that a market changes, in wei. */
const dustWeiAChange = 8n;
const targetSlackWad = 10n ** 9n; // of 1e18

/** Wei that rounding may move in a step, in markets that were deleveraged. */
function stepRounding({ after, events, pricesWad }: Step): bigint {
  let wei = 0n;
  for (const { name, market } of events) {
    if (name === "MarketChanged") wei += 2n * roundingOf(after, market, pricesWad[market]!);
  }
  return wei;
}

type Check = (judge: Judge, step: Step, arena: Arena) => void;

/** What does not hold after a step; `count` is told how often each invariant was looked at. */
export function checkStep(step: Step, arena: Arena, count: (id: InvariantId, looks: number) => void): Finding[] {
  return (Object.entries(checks) as [InvariantId, Check][]).flatMap(([id, check]) => {
    const judge = new Judge(id);
    check(judge, step, arena);
    count(id, judge.looks);
    return judge.findings;
  });
}

/** Accounts that an act names, or pays a reward to. */
function namedBy({ act, before, events }: Step, { pool, insurance }: Arena): Set<AccountId> {
  const own = [act.account, act.other].filter((id) => id !== undefined);
  const keeper = accountId(act.from);
  switch (act.kind) {
    case "trade":
    case "settle":
      return new Set([...own, pool]);
    case "liquidatePosition":
      if (act.other === undefined) return new Set([...own, pool, keeper]);
      // The pool notices a crossing by some wei, and nothing of a hand-over.
      if (events.some((each) => isTaken(each, act) && !isHandOver(before, each))) own.push(pool);
      return new Set([...own, insurance]);
    case "liquidateCollateral":
      return new Set([...own, insurance]);
    case "buyCollateral":
      return new Set([...own, pool]);
    case "setMode":
      return new Set();
    case "absorb": {
      const absorbed = events.filter(({ name }) => name === "Absorbed");
      const rewarded = absorbed.map(({ args }) => normalizeAccount(args.rewardTo as string));
      return new Set([...absorbed.map(accountOf), ...rewarded, pool, insurance]);
    }
    case "poolDeposit":
    case "poolRedeem":
      return new Set([pool]);
    case "sweepFees":
    case "sweepInterest":
    case "cover":
      return new Set([insurance]);
    case "resolvePool":
      return new Set([pool, insurance]);
    default:
      return new Set(own);
  }
}

/** Whether neither prices nor time move in this step, nor whether a price counts. */
function isStill({ act }: Step): boolean {
  return !["time", "push", "conduct"].includes(act.kind);
}

/** Whether it changes what margin asks of everybody: INV-17 looks at that. */
function changesTerms({ kind }: Act): boolean {
  return kind === "parameters" || kind === "ramp";
}

// ------------------------------------------------------------------ what must hold after a step

const checks: Partial<Record<InvariantId, Check>> = {
  "INV-01"(judge, step, { markets, cash, collaterals }) {
    const { before, after, replay, balances } = step;
    const reserve = reserveWadAMarket * BigInt(markets.length) * ray;
    const dust = dustRay(after);
    const most = dustWeiAChange * BigInt(replay.changes) + replay.roundingWei;
    judge.within(dust - reserve, -replay.roundingWei * ray, most * ray, "dust beside the reserve, 1e-27 wei");
    const slack = 1n + stepRounding(step); // a margin of interest is counted in whole wei
    const was = dustRay(before);
    judge.holds(dust >= was - slack * ray, () => `dust falls from ${was} to ${dust}, 1e-27 wei`);
    for (const [index, { symbol }] of collaterals.entries()) {
      let sum = 0n;
      for (const account of after.accounts.values()) sum += account.collaterals[index]!;
      judge.holds(sum === after.held[index], () => `${symbol}: accounts have ${sum}, ${after.held[index]} is counted`);
    }
    if (balances === undefined) return;
    const counted = [after.cashHeldWad / cashUnit(cash.decimals), ...after.held];
    for (const [i, amount] of counted.entries()) {
      judge.holds(balances[i]! >= amount, () => `token ${i}: ${amount} is counted, ${balances[i]} is there`);
    }
  },

  "INV-02"(judge, { after, replay }) {
    for (const [market, { state, totals, sides }] of after.markets.entries()) {
      const { longSharesWad, shortSharesWad } = totals;
      const long = (longSharesWad * sides.long.scaleRay) / ray;
      const short = (shortSharesWad * sides.short.scaleRay) / ray;
      // Exactly, as long as nothing was deleveraged: a share is then one unit of size.
      const shares = longSharesWad > shortSharesWad ? longSharesWad : shortSharesWad;
      const most = hasFlag(state, "sidesTouched") ? BigInt(replay.marketChanges[market]!) * (3n + shares / ray) : 0n;
      judge.within(long - short, -most, most, `market ${market}: longs are larger by`);
    }
  },

  "INV-03"(judge, step, arena) {
    const { after, events, replay } = step;
    for (const [market, { totals, epochs }] of after.markets.entries()) {
      let [long, short, held] = [0n, 0n, 0n];
      for (const { positions } of after.accounts.values()) {
        const { sharesWad } = positions[market]!;
        if (sharesWad > 0n) long += sharesWad;
        else short -= sharesWad;
        held += 1n;
      }
      // The end of an epoch leaves less than a wei of shares of each account's behind, at most.
      const what = (side: string) => `market ${market}: the total has more ${side} shares than its accounts by`;
      judge.within(totals.longSharesWad - long, 0n, held * BigInt(epochs.longEpoch), what("long"));
      judge.within(totals.shortSharesWad - short, 0n, held * BigInt(epochs.shortEpoch), what("short"));
      const { stored } = after.accounts.get(arena.pool)!.positions[market]!;
      const epoch = stored.sharesWad > 0n ? epochs.longEpoch : epochs.shortEpoch;
      const isPresent = stored.sharesWad === 0n || stored.epoch === epoch;
      judge.holds(isPresent, () => `market ${market}: the pool is in epoch ${stored.epoch}, its side in ${epoch}`);
    }
    let [supplied, borrowed] = [0n, 0n];
    for (const { principalWad } of after.accounts.values()) {
      if (principalWad > 0n) supplied += principalWad;
      else borrowed -= principalWad;
    }
    const { suppliedPrincipalWad, borrowedPrincipalWad } = after.cash.totals;
    judge.holds(supplied === suppliedPrincipalWad, () => `supplied ${supplied}, the total is ${suppliedPrincipalWad}`);
    judge.holds(borrowed === borrowedPrincipalWad, () => `borrowed ${borrowed}, the total is ${borrowedPrincipalWad}`);
    for (const event of events) checkTakenPosition(judge, step, event, arena);
    for (const difference of differences(toldBy(replay.reader.storage), after.words)) {
      judge.holds(false, () => sentence(difference));
    }
    for (const { name, assets, positions, collaterals } of after.accounts.values()) {
      if (name === "pool") continue; // its bit of a market stays when its shares do not
      let held = 0n;
      for (const [market, { stored }] of positions.entries()) if (stored.sharesWad !== 0n) held |= 1n << BigInt(market);
      for (const [index, amount] of collaterals.entries()) if (amount !== 0n) held |= 1n << BigInt(96 + index);
      judge.holds(assets === held, () => `${name}: its word says ${assets.toString(16)}, it has ${held.toString(16)}`);
    }
  },

  "INV-04"(judge, step, arena) {
    const { act, before, after, events, pricesBeforeWad, pricesWad } = step;
    const moved = after.cashHeldWad - before.cashHeldWad;
    const gained = totalEquity(after) - totalEquity(before) - moved;
    // Where nothing moves, the positions of one account and the pool are rounded anew; else those of all.
    let slack = isStill(step)
      ? roundingWei * BigInt(step.events.length + 1)
      : 2n * positionCount(after) + accountsWei(after);
    slack += mismatchWei(before, pricesBeforeWad) + mismatchWei(after, pricesWad) + stepRounding(step);
    judge.within(gained, -slack, slack, "total equity appears, wei");
    if (!movesCounted.has(act.kind)) judge.holds(moved === 0n, () => `cash held changes by ${moved}`);
    for (const [index, held] of after.held.entries()) {
      const may = movesCounted.has(act.kind) || held === before.held[index];
      judge.holds(may, () => `collateral ${index} held changes from ${before.held[index]} to ${held}`);
    }
    // Between accounts everything arrives that leaves.
    for (const event of events) checkMoves(judge, step, event, arena);
    if (act.kind !== "setMode") return;
    for (const [name, word] of after.words) {
      const old = before.words.get(name)!;
      const isOwn = name === `account ${act.account}`;
      const same = old === word || (isOwn && BigInt.asUintN(248, old) === BigInt.asUintN(248, word));
      judge.holds(same, () => `a mode is set, and ${name} changes from ${old.toString(16)} to ${word.toString(16)}`);
    }
  },

  "INV-05"(judge, { act, before, after, pricesWad }, { pool }) {
    // What views credit to accounts, funding to this moment included, against what the books owe: floors of positions and cash, no more.
    const owed = claimsRay(after) + mismatchValueRay(after, pricesWad);
    const slack = mismatchWei(after, pricesWad) + 1n;
    const kept = floorDiv(owed, ray) - totalEquity(after);
    judge.within(kept, -slack, 2n * positionCount(after) + accountsWei(after) + slack, "kept by rounding, wei");
    if (act.kind !== "time") return;
    // Time moves nothing but funding and interest, and funding nobody without a position.
    for (const { id, name, health, positions, cashWad } of after.accounts.values()) {
      if (id === pool || positions.some(({ stored }) => stored.sharesWad !== 0n)) continue;
      const is = health.netCash;
      judge.holds(is === cashWad, () => `${name} has no position, cash of ${cashWad}, and net cash of ${is}`);
    }
    for (const [id, { name, positions, principalWad }] of after.accounts) {
      const same = principalWad === before.accounts.get(id)!.principalWad && positions.length > 0;
      judge.holds(same, () => `time changes the principal of ${name}`);
    }
  },

  "INV-08"(judge, { act, before, after, events, pricesWad }, { keeperFloorWad }) {
    if (act.kind !== "settle") return;
    const [old, now] = [before, after].map((books) => books.accounts.get(act.account!)!);
    const [was, is] = [old!.health, now!.health];
    const settled = events.find(({ name }) => name === "Settled")!;
    const market = Number(numberOf(settled, "market"));
    const isFinal = old!.positions[market]!.sizeWad === 0n;
    // Cash and principal round twice where an index has left one.
    const slack = 3n + roundingOf(after, market, pricesWad[market]!);
    judge.within(is.equityMaintenance - was.equityMaintenance, -slack, slack - 1n, "maintenance equity changes, wei");
    const realized = numberOf(settled, "realizedWad");
    const moved = now!.cashWad - old!.cashWad;
    judge.within(moved - realized, -2n, 2n, `${realized} is told, and cash changes by ${moved}; too much, wei`);
    const free = is.equityInitial - is.requirementInitial - (was.equityInitial - was.requirementInitial);
    if (!isFinal) {
      judge.within(is.requirementMaintenance - was.requirementMaintenance, 0n, slack, "requirement changes, wei");
      judge.within(is.health - was.health, -2n * slack, slack - 1n, "health changes, 1e-18");
      judge.within(free, -2n * slack, slack - 1n, "free margin changes, wei");
      judge.holds(moved <= 0n, () => `a gain of ${moved} is cash`);
      return;
    }
    // A result that is final counts in full, and with the last of them the keeper's floor goes.
    const lost = was.requirementMaintenance - is.requirementMaintenance;
    judge.within(lost, -slack, keeperFloorWad + slack, "requirement falls by");
    const gain = realized > 0n ? realized : 0n;
    judge.within(free, -2n * slack, gain + keeperFloorWad + slack, "free margin is freed, wei");
    judge.holds(now!.positions[market]!.stored.sharesWad === 0n, () => "a final position is still there");
  },

  "INV-09"(judge, step, arena) {
    const { act, before, after, events } = step;
    const { targetHealthWad } = arena;
    for (const event of events) {
      if (event.name === "PositionLiquidated") {
        const [was, is] = [before, after].map((books) => books.accounts.get(accountOf(event))!);
        const leg = is!.positions[Number(numberOf(event, "market"))]!.sizeWad;
        judge.holds(is!.health.health > was!.health.health, () => `health ${was!.health.health}, ${is!.health.health}`);
        const bankrupt = was!.health.equityMaintenance >= 0n && is!.health.equityMaintenance < 0n;
        judge.holds(!bankrupt, () => `equity falls to ${is!.health.equityMaintenance}`);
        const beyond = is!.health.health > targetHealthWad + targetSlackWad && leg !== 0n;
        judge.holds(!beyond, () => `health ${is!.health.health} is above its target, and ${leg} shares remain`);
        checkToldHealth(judge, event, was!.health, is!.health);
      }
      if (event.name === "CollateralLiquidated") {
        const [was, is] = [before, after].map((books) => books.accounts.get(accountOf(event))!.health);
        judge.holds(is!.health > was!.health, () => `health ${was!.health}, ${is!.health}`);
        const bankrupt = was!.equityMaintenance >= 0n && is!.equityMaintenance < 0n;
        judge.holds(!bankrupt, () => `equity falls to ${is!.equityMaintenance}`);
        // Above its target only where the last of the debt goes, and its margin with it; below nothing is paid beyond it.
        // A whole debt is sold for in whole units of the token: less than one's worth of it may stay.
        const unitWad = numberOf(event, "proceedsWad") / numberOf(event, "amount") + 1n;
        const beyond = is!.health > targetHealthWad + targetSlackWad && is!.netCash < -roundingWei - unitWad;
        judge.holds(!beyond, () => `health ${is!.health} is above its target, net cash ${is!.netCash}`);
        judge.holds(is!.netCash <= 0n, () => `net cash ends at ${is!.netCash}: more was sold than was owed`);
        checkToldHealth(judge, event, was!, is!);
      }
      if (event.name === "Absorbed") {
        const is = after.accounts.get(accountOf(event))!;
        // What stays behind for want of a price is counted at its last one; a loss is not made good before it is real.
        const staying = marketsHeld(is).length;
        const unrealized = is.health.netCash - is.cashWad;
        const loss = staying > 0 && unrealized < 0n ? unrealized : 0n;
        const ends = is.health.equityMaintenance - loss;
        judge.holds(staying > 1 || ends >= -4n, () => `${is.name} ends at ${ends}, apart from a loss of ${loss}`);
        const bare = is.assets !== 0n || is.cashWad >= 0n;
        judge.holds(bare, () => `${is.name} has nothing, and a debt of ${is.principalWad}`);
      }
    }
    judge.holds(act.kind !== "absorb" || events.some(({ name }) => name === "Absorbed"), () => "nothing was absorbed");
  },

  "INV-10"(judge, step, arena) {
    const { act, before, after, events, pricesWad } = step;
    judge.holds(
      after.rewardSpentWad <= arena.rewardPerHourWad,
      () => `insurance added ${after.rewardSpentWad} in an hour`,
    );
    const owner = act.from;
    const gained = wealth(after, owner) - wealth(before, owner);
    if (act.kind === "liquidatePosition" && holderOf(act.account!) === owner) {
      const released = premium(before, arena, pricesWad) - premium(after, arena, pricesWad);
      judge.holds(gained <= released + roundingWei, () => `gained ${gained}, of which ${released} is premium`);
    }
    if (act.other !== undefined && holderOf(act.account!) === holderOf(act.other)) {
      // From one hand into the other: only insurance's part is gone. Collateral all stays in the family.
      const family = holderOf(act.account!);
      const change = netCashOf(after, family) - netCashOf(before, family);
      let part = sumOf(events, "CollateralLiquidated", "insuranceWad");
      part += sumOf(events, "PositionLiquidated", "feeWad") - sumOf(events, "PositionLiquidated", "rewardWad");
      judge.within(change + part, -roundingWei, roundingWei, `gained ${change}, insurance has ${part}; too much, wei`);
    }
    if (act.kind !== "absorb") return;
    const absorbed = events.filter(({ name }) => name === "Absorbed");
    let allowed = roundingWei;
    let isOwn = false;
    for (const event of absorbed) {
      const [penalty, reward] = [numberOf(event, "penaltyWad"), numberOf(event, "rewardWad")];
      const share = (penalty * arena.keeperShareWad) / WAD;
      const most = share > arena.rewardFloorWad ? share : arena.rewardFloorWad;
      judge.holds(reward <= most, () => `a reward of ${reward} for a penalty of ${penalty}`);
      if (holderOf(accountOf(event)) === owner) {
        isOwn = true;
        const legs = events.filter((leg) => leg.name === "PositionAbsorbed" && accountOf(leg) === accountOf(event));
        const better = advantage(legs, pricesWad);
        allowed += (better > 0n ? better : 0n) + arena.rewardFloorWad + nanoWad;
      } else {
        allowed += reward;
      }
    }
    judge.holds(!isOwn || gained <= allowed, () => `gained ${gained}, of which ${allowed} is premium and rewards`);
  },

  "INV-12"(judge, step, arena) {
    const { act, before, after, events, pricesWad } = step;
    const { cash } = arena;
    if (!isStill(step) || act.kind === "delist" || changesTerms(act)) return;
    if (act.kind === "poolDeposit" || act.kind === "poolRedeem") {
      // A share of what was there is worth no less: NAV per share, one virtual unit and the virtual shares counted.
      const unit = cashUnit(cash.decimals);
      // To the wei that storing a principal takes.
      const [old, now] = [before.poolValueWad + unit, after.poolValueWad + unit + 2n];
      const [oldShares, nowShares] = [before.poolSupply + unit, after.poolSupply + unit];
      const rises = old <= 0n || now * oldShares >= old * nowShares;
      judge.holds(rises, () => `${old} over ${oldShares} shares becomes ${now} over ${nowShares}`);
      return;
    }
    judge.holds(after.poolSupply === before.poolSupply, () => "shares of the pool appear");
    const fees = (books: Books) => books.markets.reduce((sum, { totals }) => sum + totals.feesUnsweptWad, 0n);
    let expected = 0n;
    if (act.kind === "buyCollateral") {
      for (const event of events.filter(({ name }) => name === "PoolCollateralSold")) {
        const { index, valueOf } = collateralOf(event, arena, pricesWad);
        const [old, now] = [before, after].map(({ accounts }) => accounts.get(arena.pool)!.collaterals[index]!);
        const { weightMaintenanceWad } = decodeCollateral(after.words.get(place.collateral(index).name)!);
        const counted = (amount: bigint) => (valueOf(amount) * weightMaintenanceWad) / WAD;
        expected = numberOf(event, "costWad") + counted(now!) - counted(old!);
        judge.holds(expected >= 0n, () => `the pool sells with a loss of ${-expected}`);
      }
    }
    // What an account takes over does not concern the pool.
    if (act.kind === "trade" || (act.kind === "liquidatePosition" && act.other === undefined)) {
      const keeper = sumOf(events, "PositionLiquidated", "rewardWad");
      expected = sumOf(events, "Traded", "feeWad") + sumOf(events, "PositionLiquidated", "feeWad") - keeper;
      expected -= fees(after) - fees(before);
    }
    if (act.kind === "absorb" || act.kind === "resolvePool") return checkPoolInWaterfall(judge, step, arena);
    const slack = roundingWei * BigInt(events.length + 1) + stepRounding(step);
    const change = after.poolValueWad - before.poolValueWad;
    judge.within(change - expected, -slack, slack, `NAV changes by ${change} instead of ${expected}; too much, wei`);
    const named = namedBy(step, arena).has(arena.pool);
    judge.holds(named || change === 0n, () => `NAV changes by ${change}`);
  },

  "INV-11": checkDeleveraging,

  "INV-13"(judge, { before, after, events }) {
    const { cash } = after;
    const { chargedE15, creditedE15 } = interestE15(cash);
    judge.holds(creditedE15 <= chargedE15 + indexOne, () => `${creditedE15} is credited, ${chargedE15} is charged`);
    const rates = ratesOf(cash, after.cashHeldWad);
    const { borrowRateWad, supplyRateWad } = cash.indices;
    judge.holds(
      borrowRateWad === rates.borrowRateWad,
      () => `borrow rate ${borrowRateWad}, not ${rates.borrowRateWad}`,
    );
    judge.holds(
      supplyRateWad === rates.supplyRateWad,
      () => `supply rate ${supplyRateWad}, not ${rates.supplyRateWad}`,
    );
    // Written indices are those that had accrued; only a write-off lowers one.
    const writtenOff = sumOf(events, "LossWrittenOff", "writtenOffWad");
    const accruedNow = accrued(before.cash.indices, after.nowSeconds);
    const [supply, borrow] = [cash.supplyIndexE15, cash.borrowIndexE15];
    const isSupplyKept = writtenOff > 0n ? supply <= accruedNow.supplyIndexE15 : supply === accruedNow.supplyIndexE15;
    judge.holds(isSupplyKept, () => `the supply index is ${supply}, and ${accruedNow.supplyIndexE15} has accrued`);
    const isBorrowKept = borrow === accruedNow.borrowIndexE15;
    judge.holds(isBorrowKept, () => `the borrow index is ${borrow}, and ${accruedNow.borrowIndexE15} has accrued`);
    // What borrowers were charged and suppliers not credited is all there, until it is swept.
    const swept = sumOf(events, "InterestSwept", "amountWad");
    const earlier = { ...before.cash, ...accruedNow };
    const expected = before.cash.interestUnsweptWad + marginWad(earlier);
    const is = cash.interestUnsweptWad + marginWad(cash) + swept;
    // A write-off adds what the index takes beyond it for want of digits.
    const beyond = writtenOff > 0n ? 2n + before.cash.totals.suppliedPrincipalWad / indexOne : 0n;
    judge.within(is - expected, -1n, beyond * BigInt(events.length + 1), "interest not swept appears, wei");
  },

  "INV-15"(judge, step, arena) {
    if (!isStill(step) || changesTerms(step.act)) return;
    const { act, before, after, events, world } = step;
    const named = namedBy(step, arena);
    // Who takes out or takes over can bear it.
    const bearing = bearerOf(act);
    const { health, assets, principalWad } = after.accounts.get(bearing ?? arena.pool)!;
    const isBound = bearing !== undefined && ((assets & marketBits) !== 0n || principalWad < 0n);
    const canBear = health.equityInitial >= health.requirementInitial && health.pricesFresh;
    judge.holds(!isBound || canBear, () => `${bearing} is below initial margin after it`);
    // What section 7 takes from those whom nobody names INV-11 looks at; a delisting closes everybody at its price.
    if (events.some(({ name }) => name === "Deleveraged" || name === "LossWrittenOff")) return;
    if (act.kind === "delist") return;
    for (const [id, account] of after.accounts) {
      const old = before.accounts.get(id)!;
      const lost = id !== arena.pool && isHealthy(old) && !isHealthy(account);
      judge.holds(!lost, () => `${account.name} is unhealthy now: ${told(old)}, then ${told(account)}`);
      const same = named.has(id) || isSame(old.health, account.health, world.sharesMargin);
      judge.holds(same, () => `${account.name}, whom nobody named: ${told(old)}, then ${told(account)}`);
    }
  },

  "INV-16"(judge, { act, before, after }) {
    for (const [id, { name, assets, mode }] of after.accounts) {
      const positions = bitCount(assets & marketBits);
      const old = before.accounts.get(id)!;
      judge.holds(
        positions <= (mode === "isolated" ? 1 : 16),
        () => `${name}, mode ${mode}, has ${positions} positions`,
      );
      judge.holds(bitCount(assets >> 96n) <= 8, () => `${name} has ${bitCount(assets >> 96n)} collaterals`);
      if (mode === old.mode) continue;
      const isAsked = act.kind === "setMode" && act.account === id;
      judge.holds(isAsked, () => `${name} changes its mode to ${mode}, and nobody asked for that`);
      judge.holds((old.assets & marketBits) === 0n, () => `${name} changes its mode with a position`);
    }
  },

  "INV-19": checkTokens,
  "INV-20": checkUntouched,
  "INV-21": checkDepositCap,

  "INV-22"(judge, step) {
    if (step.act.kind === "delist") checkDelisting(judge, step);
  },

  "INV-23": checkEpochs,
  "INV-25": checkGrowth,
  "INV-26": checkReduction,
  "INV-27": checkInitialMargin,
  "INV-28": checkDebts,
  "INV-29": checkSizes,
  "INV-30": checkOpenInterest,

  "INV-33"(judge, { before, events }) {
    for (const event of events) {
      if (!forcedEvents.has(event.name)) continue;
      const was = before.accounts.get(accountOf(event))!;
      judge.holds(!isHealthy(was), () => `${was.name} was healthy: ${told(was)}`);
    }
  },

  "INV-34"(judge, step, arena) {
    for (const event of step.events) checkDiscount(judge, step, event, arena);
  },

  "INV-35": checkPreview,
  "INV-36": checkWaterfall,
  "INV-37": checkBudgets,
  "INV-38": checkBadDebt,
  "INV-39": checkIndices,
  "INV-41": checkFundingRates,
  "INV-43": checkRedemption,
  "INV-17": checkParameters,
  "INV-18": checkCallers,
  "INV-44": checkLock,
  "INV-46": checkPublished,
  "INV-52": checkPermissions,
  "INV-53": checkNonces,
};

/** Events of what is done to an account that cannot carry its positions or its debt. */
const forcedEvents = new Set(["PositionLiquidated", "CollateralLiquidated", "Absorbed"]);

const marketBits = 2n ** 96n - 1n;

function bitCount(bits: bigint): number {
  return bits.toString(2).replaceAll("0", "").length;
}

/** Whose initial margin an act may use up. */
function bearerOf({ kind, account, other }: Act): AccountId | undefined {
  if (kind === "liquidatePosition" || kind === "liquidateCollateral") return other;
  return kind === "withdraw" || kind === "transfer" || kind === "buyCollateral" ? account : undefined;
}

/** The healths that an event tells are those of the views: after it to the wei that storing a principal takes. */
function checkToldHealth(judge: Judge, event: VaultEvent, was: HealthFigures, is: HealthFigures): void {
  const [before, after] = [numberOf(event, "healthBeforeWad"), numberOf(event, "healthAfterWad")];
  judge.holds(before === was.health, () => `the event says a health of ${before}, the view ${was.health}`);
  if (is.requirementMaintenance === 0n) return;
  const slack = ceilDiv(roundingWei * WAD, is.requirementMaintenance);
  judge.within(after - is.health, -slack, slack, `the event says a health of ${after} after it; too much, 1e-18`);
}

/** Whether margin stayed as it was; initial margin only where it does not depend on what others do. */
function isSame(old: HealthFigures, now: HealthFigures, sharesMargin: boolean): boolean {
  return (
    old.equityMaintenance === now.equityMaintenance &&
    old.requirementMaintenance === now.requirementMaintenance &&
    old.netCash === now.netCash &&
    old.pricesFresh === now.pricesFresh &&
    (sharesMargin || (old.equityInitial === now.equityInitial && old.requirementInitial === now.requirementInitial))
  );
}

/** A delisting moves each position to its price, and asks for less margin. */
function checkDelisting(judge: Judge, step: Step): void {
  const { before, after, events, pricesWad } = step;
  const event = events.find(({ name }) => name === "Delisted")!;
  const market = Number(numberOf(event, "market"));
  const distance = numberOf(event, "priceWad") - pricesWad[market]!;
  const isAtPrice = distance === 0n || !step.freshMarkets.has(market);
  judge.holds(isAtPrice, () => `the price is ${pricesWad[market]!}, and ${numberOf(event, "priceWad")} counts`);
  const slack = roundingWei + 2n * roundingOf(after, market, pricesWad[market]!);
  for (const [id, { name, health, positions }] of after.accounts) {
    const old = before.accounts.get(id)!;
    const gained = floorDiv(old.positions[market]!.sizeWad * distance, WAD);
    const change = health.netCash - old.health.netCash;
    // Funding since the last touch counts at that price too: at most the largest rate for the longest gap, under a hundredth.
    const funding = slack + abs(gained) / 100n;
    judge.within(change - gained, -funding, funding, `${name} gains ${change} instead of ${gained}; too much, wei`);
    judge.holds(positions[market]!.sizeWad === 0n, () => `${name} still has ${positions[market]!.sizeWad}`);
    if (gained < 0n) continue;
    judge.holds(!isHealthy(old) || isHealthy(after.accounts.get(id)!), () => `${name} is unhealthy now`);
  }
}

function accountsWei({ accounts }: Books): bigint {
  return BigInt(accounts.size);
}

/** Wei by which equity and claims may differ because sides do in size. */
function mismatchWei(books: Books, pricesWad: readonly bigint[]): bigint {
  let wei = 0n;
  for (const [market, { state }] of books.markets.entries()) {
    if (hasFlag(state, "sidesTouched"))
      wei += ceilDiv(abs(mismatchRay(books, market)) * pricesWad[market]!, WAD * ray) + 2n;
  }
  return wei;
}

/** Kinds of acts that move tokens, of those that the books count. */
const movesCounted = new Set(["deposit", "withdraw", "poolDeposit", "poolRedeem"]);
export const movesTokens = new Set([...movesCounted, "donate"]);
const nanoWad = 10n ** 9n; // prices of fills in events have 18 decimals, times a size

function told({ health }: AccountBook): string {
  return Object.entries(health)
    .map(([name, figure]) => `${name} ${figure}`)
    .join(", ");
}
