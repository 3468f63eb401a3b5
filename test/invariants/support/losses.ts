import {
  type AccountId,
  type HourBudgetFields,
  WAD,
  decodeAccount,
  decodePosition,
  decodeSide,
  normalizeAccount,
} from "../../../sdk/index.js";
import { abs, ceilDiv, floorDiv } from "../../helpers/model.js";
import type { Arena } from "./arena.js";
import type { AccountBook, Books, VaultEvent } from "./books.js";
import { indexOne, marginWad } from "./cash.js";
import { accountOf, isHealthy, numberOf, roundingOf, sumOf, waitingLoss } from "./figures.js";
import { type Judge, type Step, roundingWei } from "./judge.js";
import { ray } from "./sides.js";

/** The contract raises this much more than is missing, so that rounding leaves nothing to be written off. */
const raisedBeyondWei = 1_000_000n;
const hourSeconds = 3600;
const nanoWad = 10n ** 9n; // prices of fills in events have 18 decimals, times a size

function marketOf(event: VaultEvent): number {
  return Number(numberOf(event, "market"));
}

function markRay({ pricesWad }: Step, market: number): bigint {
  return pricesWad[market]! * (ray / WAD);
}

/** The largest distance from the price (ray) at which a market may be closed: price * base / (1 + rho). */
function bound(priceRay: bigint, market: number, { markets, debtMarginWad }: Arena): bigint {
  return (priceRay * markets[market]!.maintenanceBaseWad) / (WAD + debtMarginWad);
}

// ------------------------------------------------------------------ INV-11

/** What each account gained (wad) because its positions were deleveraged off the price, by shares and events. */
function taken(step: Step, pool: AccountId): Map<AccountId, bigint> {
  const { before, events } = step;
  const gains = new Map<AccountId, bigint>();
  // Shares as they were before each event: an ended epoch leaves fewer, and the pool's positions move in between.
  const shares = new Map<AccountId, bigint[]>();
  for (const [id, { positions }] of before.accounts)
    shares.set(
      id,
      positions.map(({ sharesWad }) => sharesWad),
    );
  const poolBefore = [...shares.get(pool)!];
  let end: VaultEvent | undefined;
  for (const event of events) {
    const { name, args } = event;
    if (name === "MarketChanged") {
      const market = marketOf(event);
      const now = decodePosition(args.poolPosition as bigint).sharesWad;
      poolBefore[market] = shares.get(pool)![market]!;
      shares.get(pool)![market] = now;
    } else if (name === "PositionChanged") {
      shares.get(accountOf(event))![marketOf(event)] = decodePosition(args.position as bigint).sharesWad;
    } else if (name === "EpochEnded") {
      end = event;
    } else if (name === "Deleveraged") {
      const market = marketOf(event);
      const isLong = args.long === true;
      const [sold, priceRay] = [numberOf(event, "soldRay"), numberOf(event, "priceRay")];
      const distance = (isLong ? 1n : -1n) * (priceRay - markRay(step, market));
      const scale = end === undefined ? undefined : decodeSide(end.args.end as bigint).scaleRay;
      for (const [id, held] of shares) {
        const mine = id === pool ? poolBefore[market]! : held[market]!;
        if (mine === 0n || mine > 0n !== isLong) continue;
        const gain = floorDiv(abs(mine) * sold * distance, ray * ray);
        gains.set(id, (gains.get(id) ?? 0n) + gain);
        if (scale !== undefined && id !== pool) held[market] = (mine * scale) / ray;
      }
      end = undefined;
    }
  }
  return gains;
}

export function checkDeleveraging(judge: Judge, step: Step, arena: Arena): void {
  const { before, after, events } = step;
  const isTouched = events.some(({ name }) => name === "Deleveraged" || name === "LossWrittenOff");
  if (!isTouched) return;
  const isWrittenOff = events.some(({ name }) => name === "LossWrittenOff");
  for (const event of events) {
    if (event.name !== "Deleveraged") continue;
    const market = marketOf(event);
    const distance = abs(numberOf(event, "priceRay") - markRay(step, market));
    const most = bound(markRay(step, market), market, arena);
    judge.holds(distance <= most, () => `market ${market} is deleveraged ${distance} off its price, at most ${most}`);
  }
  const gains = taken(step, arena.pool);
  const apart = new Set<AccountId>([arena.pool, arena.insurance]);
  for (const { name, args } of events) {
    if (name === "Absorbed")
      apart.add(normalizeAccount(args.account as string)).add(normalizeAccount(args.rewardTo as string));
  }
  const slack = roundingWei + waterfallRounding(step);
  for (const [id, account] of after.accounts) {
    if (apart.has(id)) continue;
    const old = before.accounts.get(id)!;
    const lost = old.cashWad - account.cashWad;
    const own = account.principalWad === old.principalWad && (lost === 0n || (isWrittenOff && lost > 0n));
    judge.holds(own, () => `${account.name}, whom nobody named, has cash of ${account.cashWad} after ${old.cashWad}`);
    const gained = account.health.netCash - old.health.netCash + lost;
    const expected = gains.get(id) ?? 0n;
    judge.within(gained - expected, -slack, slack, `${account.name} gains ${gained}, not ${expected}; too much, wei`);
    const isNewly = isHealthy(old) && !isHealthyWith(account, lost, slack, arena);
    judge.holds(!isNewly, () => `${account.name} was healthy, and is liquidatable by it (written off: ${lost})`);
  }
}

/** Whether an account would be healthy if it had so much more cash: what suppliers bore is no deleveraging. */
function isHealthyWith({ health }: AccountBook, lost: bigint, slack: bigint, { debtMarginWad }: Arena): boolean {
  const debt = (cash: bigint) => (cash < 0n ? -cash : 0n);
  const more = ((debt(health.netCash) - debt(health.netCash + lost)) * debtMarginWad) / WAD;
  return health.equityMaintenance + lost + slack >= health.requirementMaintenance - more;
}

function waterfallRounding({ after, events, pricesWad }: Step): bigint {
  let wei = 0n;
  for (const event of events) {
    if (event.name === "MarketChanged") wei += 2n * roundingOf(after, event.market, pricesWad[event.market]!);
  }
  return wei;
}

// ------------------------------------------------------------------ INV-36: who pays, in which order

/** What the insurance account can pay once interest is swept and bad debt paid. */
function insuranceAvailable({ before, events }: Step, { insurance }: Arena): bigint {
  const { cash, accounts } = before;
  const covered = sumOf(events, "BadDebtCovered", "paidWad");
  const all = accounts.get(insurance)!.cashWad - covered + cash.interestUnsweptWad + marginWad(cash);
  return all > 0n ? all : 0n;
}

/** What is left of the pool's hour. */
function poolBudget({ poolLosses, cash, poolValueWad, nowSeconds }: Books): bigint {
  let { allowedWad, spentWad } = poolLosses;
  if (nowSeconds >= poolLosses.since + hourSeconds) {
    const value = poolValueWad > 0n ? poolValueWad : 0n;
    [allowedWad, spentWad] = [(value * cash.terms.poolLossPerHourWad) / WAD, 0n];
  }
  return allowedWad > spentWad ? allowedWad - spentWad : 0n;
}

/** An hour's budget counts all that was paid since the hour began, and is never overdrawn. */
function checkBudget(judge: Judge, old: HourBudgetFields, now: HourBudgetFields, paid: bigint, what: string): void {
  const spent = now.since === old.since ? old.spentWad : 0n;
  judge.holds(
    now.spentWad - spent === paid,
    () => `${what} ${paid}, and the hour's count goes from ${spent} to ${now.spentWad}`,
  );
  judge.holds(now.spentWad <= now.allowedWad, () => `${what} ${now.spentWad} in an hour of ${now.allowedWad}`);
  const isKept = now.since === old.since ? now.allowedWad === old.allowedWad : now.since >= old.since + hourSeconds;
  judge.holds(
    isKept,
    () => `${what} by another budget ${now.since - old.since} s later: ${old.allowedWad}, ${now.allowedWad}`,
  );
}

/** INV-37: what pool and suppliers pay. */
export function checkBudgets(judge: Judge, { before, after, events }: Step): void {
  checkBudget(judge, before.poolLosses, after.poolLosses, sumOf(events, "PoolPaid", "paidWad"), "the pool pays");
  const writtenOff = sumOf(events, "LossWrittenOff", "writtenOffWad");
  checkBudget(judge, before.writeOffs, after.writeOffs, writtenOff, "suppliers lose");
}

const least = (a: bigint, b: bigint) => (a < b ? a : b);

/** Losses of one account, or of the pool, against the order of the waterfall. In a batch one absorb moves what the next finds. */
export function checkWaterfall(judge: Judge, step: Step, arena: Arena): void {
  const { act, before, after, events } = step;
  if (act.kind === "resolvePool") return checkResolution(judge, step, arena);
  const absorbed = events.filter(({ name }) => name === "Absorbed");
  if (act.kind !== "absorb" || absorbed.length !== 1) return;
  const [event] = absorbed as [VaultEvent];
  const was = before.accounts.get(accountOf(event))!;
  const isWayB = event.args.deleveraged === true;
  const losses = events.filter(({ name }) => ["InsurancePaid", "PoolPaid", "LossWrittenOff"].includes(name));
  if (!isWayB) {
    judge.holds(losses.length === 0, () => `way A, and ${losses.map(({ name }) => name).join(", ")}`);
    checkClosingPrices(judge, step, arena, was, 0n);
    return;
  }
  const { equityMaintenance, pricesFresh } = was.health;
  if (!pricesFresh) return; // some of its losses wait
  const deficit = equityMaintenance < 0n ? -equityMaintenance : 0n;
  const paidBy = (name: string) => sumOf(events, name, "paidWad");
  judge.holds(sumOf(events, "InsurancePaid", "deficitWad") === deficit, () => `the deficit is ${deficit}`);
  const slack = roundingWei + raisedBeyondWei + waterfallRounding(step);
  const ofInsurance = least(deficit, insuranceAvailable(step, arena));
  judge.within(paidBy("InsurancePaid") - ofInsurance, -slack, 2n, `insurance pays ${ofInsurance}; too much, wei`);
  const ofPool = least(deficit - ofInsurance, poolBudget(before));
  judge.within(paidBy("PoolPaid") - ofPool, -slack, 2n, `the pool pays ${ofPool}; too much, wei`);
  const missing = deficit - ofInsurance - ofPool;
  const raised = checkClosingPrices(judge, step, arena, was, missing);
  const unpaid = missing > raised ? missing - raised : 0n;
  checkWriteOff(judge, step, unpaid, slack);
  // Collateral without a fresh price stays, and what it counts for stays owed: to the wei by which a debt's principal is rounded.
  const { health, collaterals } = after.accounts.get(was.id)!;
  const lowest = collaterals.some((amount) => amount > 0n) ? -2n : 0n;
  const left = health.equityMaintenance;
  if (deficit > slack) judge.within(left, lowest, 2n * slack, `${was.name} was below zero, and ends with`);
}

/** The price at which each leg is closed; what they can raise together. */
function checkClosingPrices(judge: Judge, step: Step, arena: Arena, was: AccountBook, missing: bigint): bigint {
  const { events } = step;
  const legs = was.positions.flatMap(({ sizeWad }, market) => {
    return sizeWad === 0n || !step.freshMarkets.has(market)
      ? []
      : [{ market, sizeWad, price: step.pricesWad[market]! }];
  });
  let bearable = 0n;
  for (const { market, sizeWad, price } of legs) {
    const notional = (abs(sizeWad) * price) / WAD;
    bearable += (notional * arena.markets[market]!.maintenanceBaseWad) / (WAD + arena.debtMarginWad);
  }
  const closed = events.filter(
    ({ name, args }) => name === "PositionDeleveraged" && normalizeAccount(args.account as string) === was.id,
  );
  const all = missing > 0n || events.some(({ name, args }) => name === "Absorbed" && args.deleveraged === true);
  judge.holds(!all || closed.length === legs.length, () => `${closed.length} of ${legs.length} legs are deleveraged`);
  for (const event of closed) {
    const market = marketOf(event);
    const mark = markRay(step, market);
    const most = bound(mark, market, arena);
    let distance = 0n;
    if (missing > 0n) distance = least(most, bearable === 0n ? most : (most * (missing + raisedBeyondWei)) / bearable);
    const { sizeWad } = was.positions[market]!;
    const expected = sizeWad > 0n ? mark + distance : mark - distance;
    // What is missing is known to a few wei only.
    const slack =
      bearable === 0n ? 2n : ceilDiv(most * 3n * (raisedBeyondWei + waterfallRounding(step)), bearable) + 2n;
    const priceRay = numberOf(event, "priceRay");
    judge.within(
      priceRay - expected,
      -slack,
      slack,
      `market ${market} is closed at ${priceRay}, not ${expected}; off by`,
    );
    judge.holds(
      numberOf(event, "sizeWad") === sizeWad,
      () => `${sizeWad} was to be closed, ${numberOf(event, "sizeWad")} is`,
    );
  }
  return bearable;
}

/** What is still missing is written off as far as the hour goes, and the rest is bad debt. */
function checkWriteOff(judge: Judge, { before, after, events }: Step, unpaid: bigint, slack: bigint): void {
  const told = events.filter(({ name }) => name === "LossWrittenOff");
  const writtenOff = sumOf(told, "LossWrittenOff", "writtenOffWad");
  const badDebt = sumOf(told, "LossWrittenOff", "badDebtWad");
  judge.within(writtenOff + badDebt - unpaid, -slack, slack, `${unpaid} is left to be written off; too much, wei`);
  const budget = writeOffBudget(before, after);
  judge.holds(writtenOff <= budget + slack, () => `${writtenOff} is written off, and ${budget} may be`);
  if (badDebt > slack) judge.within(budget - writtenOff, -slack, slack, "bad debt, while suppliers could bear more");
}

/** What suppliers could still lose in this hour when it came to them: what the account had was no supply any more. */
function writeOffBudget({ writeOffs, cash, nowSeconds }: Books, after: Books): bigint {
  let { allowedWad, spentWad } = writeOffs;
  if (nowSeconds >= writeOffs.since + hourSeconds) {
    const supplied = (after.cash.totals.suppliedPrincipalWad * cash.supplyIndexE15) / indexOne;
    [allowedWad, spentWad] = [(supplied * cash.terms.writeOffPerHourWad) / WAD, 0n];
  }
  return allowedWad > spentWad ? allowedWad - spentWad : 0n;
}

function checkResolution(judge: Judge, step: Step, arena: Arena): void {
  const { before, after, events } = step;
  const was = before.accounts.get(arena.pool)!;
  const slack = roundingWei + raisedBeyondWei + waterfallRounding(step);
  const waiting = waitingLoss(before, arena, (market) => step.freshMarkets.has(market));
  const deficit = -was.health.equityMaintenance - waiting;
  judge.holds(deficit > 0n, () => `the pool was at ${-deficit}`);
  judge.within(sumOf(events, "InsurancePaid", "deficitWad") - deficit, -1n, 1n, "the pool's deficit is off by");
  const ofInsurance = least(deficit, insuranceAvailable(step, arena));
  judge.within(
    sumOf(events, "InsurancePaid", "paidWad") - ofInsurance,
    -2n,
    2n,
    `insurance pays ${ofInsurance}; too much`,
  );
  checkClosingPrices(judge, step, arena, was, deficit - ofInsurance);
  const badDebt = sumOf(events, "LossWrittenOff", "badDebtWad");
  const left = after.writeOffs.allowedWad - after.writeOffs.spentWad;
  // An index has 15 decimals: what it takes beyond a write-off, of the pool's cash too, is bad debt and interest not swept at once.
  const digit = ceilDiv(before.cash.totals.suppliedPrincipalWad, indexOne);
  const isLeft = badDebt <= slack + digit || left <= slack;
  judge.holds(isLeft, () => `bad debt of ${badDebt}, and suppliers could bear ${left} more`);
  const { equityMaintenance } = after.accounts.get(arena.pool)!.health;
  judge.within(equityMaintenance + waiting, -slack, 3n * slack, "the pool is resolved, and beside what waits has");
}

// ------------------------------------------------------------------ INV-12

/** What an absorb or a resolution makes of the pool: fills off the price, what its side sold, the penalty, what it paid, what it lost as a supplier. */
export function checkPoolInWaterfall(judge: Judge, step: Step, { pool, insurance }: Arena): void {
  const { act, before, after, events, pricesWad } = step;
  const isOften = events.filter(({ name }) => name === "LossWrittenOff").length;
  const isBatch = events.filter(({ name }) => name === "Absorbed").length > 1;
  if (isOften > 1 || (isOften === 1 && isBatch)) return; // what it had when suppliers lost is not told
  const [old, now] = [before, after].map((books) => books.accounts.get(pool)!);
  const [oldFund, newFund] = [before, after].map((books) => books.accounts.get(insurance)!.cashWad);
  let expected = taken(step, pool).get(pool) ?? 0n;
  for (const event of events) {
    if (event.name !== "PositionAbsorbed") continue;
    // The account's size goes, the pool's comes: at the fill price.
    const off = numberOf(event, "fillPriceWad") - pricesWad[marketOf(event)]!;
    expected += floorDiv(numberOf(event, "sizeDeltaWad") * off, WAD);
  }
  // Penalties, less what keepers and insurance have of them.
  const fund =
    newFund! - oldFund! + sumOf(events, "InsurancePaid", "paidWad") + sumOf(events, "BadDebtCovered", "paidWad");
  const toInsurance = fund - sumOf(events, "InterestSwept", "amountWad");
  expected += sumOf(events, "Absorbed", "penaltyWad") - sumOf(events, "Absorbed", "rewardWad") - toInsurance;
  expected -= sumOf(events, "PoolPaid", "paidWad") + sumOf(events, "CollateralAbsorbed", "valueWad");
  if (act.kind === "resolvePool") {
    expected = sumOf(events, "InsurancePaid", "paidWad");
    for (const event of events.filter(({ name }) => name === "PositionDeleveraged")) {
      const off = numberOf(event, "priceRay") - markRay(step, marketOf(event));
      expected += floorDiv(numberOf(event, "sizeWad") * off, ray);
    }
    expected += sumOf(events, "LossWrittenOff", "writtenOffWad") + sumOf(events, "LossWrittenOff", "badDebtWad");
  }
  if (isOften === 1) {
    const principal = act.kind === "resolvePool" ? principalAtWriteOff(step, pool) : now!.principalWad;
    const lost = before.cash.supplyIndexE15 - after.cash.supplyIndexE15;
    if (principal > 0n) expected -= ceilDiv(principal * lost, indexOne);
  }
  const fills = events.filter(({ name }) => name === "PositionAbsorbed").length;
  const slack = roundingWei * BigInt(events.length + 1) + waterfallRounding(step) + nanoWad * BigInt(fills);
  const change = now!.health.netCash - old!.health.netCash;
  judge.within(change - expected, -slack, slack, `the pool gains ${change}, not ${expected}; too much, wei`);
}

/** The pool's principal when suppliers lost: as it was written before the last time, which made good what was missing. */
function principalAtWriteOff({ before, events }: Step, pool: AccountId): bigint {
  const writes = events.filter(
    ({ name, args }) => name === "AccountChanged" && normalizeAccount(args.account as string) === pool,
  );
  const word = writes.at(-2)?.args.word as bigint | undefined;
  return word === undefined ? before.accounts.get(pool)!.principalWad : decodeAccount(word).principalWad;
}
