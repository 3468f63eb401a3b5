import { WAD, hasFlag } from "../../../sdk/index.js";
import { abs, floorDiv } from "../../helpers/model.js";
import { differences, sentence, toldBy } from "../../helpers/vaultStorage.js";
import type { Arena } from "./arena.js";
import { cashUnit } from "./books.js";
import {
  claimsRay,
  dustRay,
  isHealthy,
  mismatchValueRay,
  numberOf,
  positionCount,
  roundingOf,
  totalEquity,
} from "./figures.js";
import { type Judge, type Step, roundingWei } from "./judge.js";
import { ray } from "./sides.js";
import { accountsWei, isStill, mismatchWei, movesCounted, stepRounding } from "./steps.js";
import { checkMoves, checkTakenPosition } from "./takeovers.js";

// Custody, aggregates, and that nothing is made of nothing.

const reserveWadAMarket = WAD;
/** What rounding may leave in the vault each time that a market changes, in wei. */
const dustWeiAChange = 8n;

/** INV-01: what is held covers all claims. */
export function checkClaims(judge: Judge, step: Step, { markets, cash, collaterals }: Arena): void {
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
}

/** INV-02: both sides of a market are of one size. */
export function checkSizesOfSides(judge: Judge, { after, replay }: Step): void {
  for (const [market, { state, totals, sides }] of after.markets.entries()) {
    const { longSharesWad, shortSharesWad } = totals;
    const long = (longSharesWad * sides.long.scaleRay) / ray;
    const short = (shortSharesWad * sides.short.scaleRay) / ray;
    // Exactly, as long as nothing was deleveraged: a share is then one unit of size.
    const shares = longSharesWad > shortSharesWad ? longSharesWad : shortSharesWad;
    const most = hasFlag(state, "sidesTouched") ? BigInt(replay.marketChanges[market]!) * (3n + shares / ray) : 0n;
    judge.within(long - short, -most, most, `market ${market}: longs are larger by`);
  }
}

/** INV-03: totals are sums over accounts, and the log is all there is. */
export function checkAggregates(judge: Judge, step: Step, arena: Arena): void {
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
}

/** INV-04: total equity changes by what is moved. */
export function checkEquity(judge: Judge, step: Step, arena: Arena): void {
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
}

/** INV-05: what funding takes it gives. */
export function checkFunding(judge: Judge, { act, before, after, pricesWad }: Step, { pool }: Arena): void {
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
}

/** INV-22: a delisting moves each position to its price, and asks for less margin. */
export function checkDelisting(judge: Judge, step: Step): void {
  if (step.act.kind !== "delist") return;
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
