import { hasFlag } from "../../../sdk/index.js";
import * as MarketWords from "../../../sdk/risk/types/MarketWords.js";
import { abs } from "../../helpers/model.js";
import { place } from "../../helpers/vaultStorage.js";
import type { Arena } from "./arena.js";
import { type Books, cashUnit } from "./books.js";
import { indexOne } from "./cash.js";
import { sumOf } from "./figures.js";
import type { Judge, Step } from "./judge.js";
import { ray } from "./sides.js";

// What no act but those named ever turns back, or moves at all.

/** A side's index ends below this. */
const leastScaleRay = ray / 10_000n;
const leastSupplyIndexE15 = indexOne / 1000n;

/** INV-19: the books move by the tokens that move. */
export function checkTokens(judge: Judge, step: Step, { cash, collaterals }: Arena): void {
  const { act, before, after, balancesBefore, balances } = step;
  if (balancesBefore === undefined || balances === undefined || act.kind === "donate") return;
  const counted = ({ cashHeldWad, held }: Books) => [cashHeldWad / cashUnit(cash.decimals), ...held];
  const [old, now] = [counted(before), counted(after)];
  for (const [i, { symbol }] of [cash, ...collaterals].entries()) {
    const [moved, booked] = [balances[i]! - balancesBefore[i]!, now[i]! - old[i]!];
    judge.holds(moved === booked, () => `${moved} ${symbol} moved, and the books say ${booked}`);
  }
}

/** INV-20: time, and tokens that come unasked, change no word. */
export function checkUntouched(judge: Judge, { act, before, after }: Step): void {
  if (!["time", "donate", "update", "conduct"].includes(act.kind)) return;
  for (const [name, word] of after.words) {
    const old = before.words.get(name) ?? 0n;
    judge.holds(old === word, () => `${act.what}, and ${name} goes from ${old.toString(16)} to ${word.toString(16)}`);
  }
}

/** INV-23: epochs and their ends stand, and scales fall. */
export function checkEpochs(judge: Judge, { before, after }: Step): void {
  for (const [market, { state, epochs, sides, totals }] of after.markets.entries()) {
    const old = before.markets[market]!;
    for (const side of ["long", "short"] as const) {
      const [was, is] = [old.epochs[`${side}Epoch`], epochs[`${side}Epoch`]];
      judge.holds(is >= was, () => `market ${market}: the ${side} epoch goes from ${was} to ${is}`);
      for (let epoch = 0; epoch < was; epoch += 1) {
        const { name } = place.epochEnd(market, side, epoch);
        judge.holds(before.words.get(name) === after.words.get(name), () => `${name} changes after it`);
      }
      if (!hasFlag(state, "sidesTouched")) continue;
      const [from, to] = [old.sides[side].scaleRay, sides[side].scaleRay];
      const isAnew = is > was || totals[`${side}SharesWad`] === 0n || old.totals[`${side}SharesWad`] === 0n;
      judge.holds(isAnew || to <= from, () => `market ${market}: the ${side} scale rises from ${from} to ${to}`);
      judge.within(to, leastScaleRay, ray, `market ${market}: the ${side} scale is`);
    }
  }
}

/** INV-39: indices of cash rise, but for what is written off. */
export function checkIndices(judge: Judge, { before, after, events }: Step): void {
  const [old, now] = [before.cash, after.cash];
  const rises = now.borrowIndexE15 >= old.borrowIndexE15;
  judge.holds(rises, () => `the borrow index falls from ${old.borrowIndexE15} to ${now.borrowIndexE15}`);
  const isCut = sumOf(events, "LossWrittenOff", "writtenOffWad") > 0n;
  const stays = isCut || now.supplyIndexE15 >= old.supplyIndexE15;
  judge.holds(stays, () => `the supply index falls from ${old.supplyIndexE15} to ${now.supplyIndexE15}`);
  judge.holds(now.supplyIndexE15 >= leastSupplyIndexE15, () => `the supply index is ${now.supplyIndexE15}`);
}

/** INV-41: rates of funding stay within their largest value. */
export function checkFundingRates(judge: Judge, { after }: Step): void {
  for (const [market, { state }] of after.markets.entries()) {
    const risk = after.words.get(place.market(market, "risk").name)! as MarketWords.MarketRisk;
    const [rate, most] = [state.fundingRateE24, MarketWords.maxFundingRate(risk)];
    judge.holds(abs(rate) <= most, () => `market ${market}: a rate of ${rate} E24, at most ${most}`);
  }
}

/** INV-38: insurance does not owe, and bad debt is what was booked less what was paid. */
export function checkBadDebt(judge: Judge, { before, after, events }: Step, { insurance }: Arena): void {
  judge.holds(after.accounts.get(insurance)!.principalWad >= 0n, () => "insurance is below zero");
  const booked = sumOf(events, "LossWrittenOff", "badDebtWad") - sumOf(events, "BadDebtCovered", "paidWad");
  const owed = after.cash.badDebtWad - before.cash.badDebtWad;
  judge.holds(owed === booked, () => `bad debt changes by ${owed}, ${booked} is told`);
}

/** INV-43: redeeming leaves the pool its margin and no debt, were all settled. */
export function checkRedemption(judge: Judge, { act, after }: Step, { pool }: Arena): void {
  if (act.kind !== "poolRedeem") return;
  const { equityInitial, requirementInitial, netCash } = after.accounts.get(pool)!.health;
  const has = equityInitial >= requirementInitial;
  judge.holds(has, () => `the pool is left with ${equityInitial} of ${requirementInitial}`);
  judge.holds(netCash >= 0n, () => `the pool is left with net cash of ${netCash}`);
}
