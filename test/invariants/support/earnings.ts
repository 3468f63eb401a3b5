import { WAD, decodeCollateral } from "../../../sdk/index.js";
import { place } from "../../helpers/vaultStorage.js";
import type { Arena } from "./arena.js";
import { type Books, cashUnit } from "./books.js";
import { accrued, indexOne, interestE15, marginWad, ratesOf } from "./cash.js";
import { numberOf, sumOf } from "./figures.js";
import { type Judge, type Step, roundingWei } from "./judge.js";
import { checkPoolInWaterfall } from "./losses.js";
import { changesTerms, isStill, namedBy, stepRounding } from "./steps.js";
import { collateralOf } from "./takeovers.js";

// What the pool and suppliers of cash earn.

/** INV-12: a share of the pool's is worth what the pool earns. */
export function checkPoolValue(judge: Judge, step: Step, arena: Arena): void {
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
}

/** INV-13: suppliers have no more interest than borrowers are charged. */
export function checkInterest(judge: Judge, { before, after, events }: Step): void {
  const { cash } = after;
  const { chargedE15, creditedE15 } = interestE15(cash);
  judge.holds(creditedE15 <= chargedE15 + indexOne, () => `${creditedE15} is credited, ${chargedE15} is charged`);
  const rates = ratesOf(cash, after.cashHeldWad);
  const { borrowRateWad, supplyRateWad } = cash.indices;
  judge.holds(borrowRateWad === rates.borrowRateWad, () => `borrow rate ${borrowRateWad}, not ${rates.borrowRateWad}`);
  judge.holds(supplyRateWad === rates.supplyRateWad, () => `supply rate ${supplyRateWad}, not ${rates.supplyRateWad}`);
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
}
