import type { Act } from "../act.js";
import {
  bookOf,
  isCapitalStale,
  isFresh,
  marketsFinished,
  marketsHeld,
  openMarkets,
  type Situation,
  traders,
} from "../situation.js";
import { depositAct, donateAct, setModeAct, transferAct, withdrawAct } from "./custody.js";
import {
  absorbAct,
  buyCollateralAct,
  liquidateAct,
  liquidateCollateralAct,
  liquidateToAccountAct,
  openToLiquidation,
} from "./liquidation.js";
import { announceDelistingAct, closingMarkets, delistAct, haltAct, isHalted } from "./delisting.js";
import {
  coverAct,
  isPoolEmpty,
  isPoolSmall,
  insuranceWad,
  isPoolBelowZero,
  poolDepositAct,
  poolRedeemAct,
  refreshAct,
  resolvePoolAct,
  sweepAct,
  sweepInterestAct,
} from "./pool.js";
import { crashAct, pushAct, timeAct } from "./prices.js";
import { haltBorrowingAct, isBorrowingHalted, parametersAct, rampAct, ramps } from "./administration.js";
import { depositWithPermitAct, revokeSignaturesAct, setOperatorAct, setOperatorBySigAct } from "./authority.js";
import { feedConductAct, tokenConductAct, updatePricesAct } from "./hostility.js";
import { poolMintAct, poolWithdrawAct, sharesAct } from "./shares.js";
import { multicallAct, settleAct, tradeAct } from "./trading.js";

/** Chooses the next act: mostly one that should go through, sometimes one that should not. */
export async function choose(situation: Situation): Promise<Act> {
  const { arena, books } = situation;
  const { atRisk, legs, takeable, sales, open } = await openToLiquidation(situation);
  const isAnyStale = arena.markets.some(({ symbol }) => !isFresh(situation, symbol));
  const hasPositions = traders(situation).some((account) => marketsHeld(bookOf(situation, account)).length > 0);
  const hasFees = books.markets.some(({ totals }) => totals.feesUnsweptWad > 0n);
  const hasResults = traders(situation).some((account) => marketsFinished(bookOf(situation, account)).length > 0);
  const { due, waiting } = closingMarkets(situation);
  const isEnding = due.length + waiting.length > 0 || openMarkets(situation).length < arena.markets.length;
  const mayAnnounce = situation.world.delists && situation.isLate && (!isEnding || waiting.length > 0);
  const hasAbsorbed = books.accounts.get(arena.pool)!.collaterals.some((amount) => amount > 0n);
  // What needs a state that is not there is tried in vain now and then.
  const inVain = 0.25;
  const weights: [number, (situation: Situation) => Act | Promise<Act>][] = [
    [9, depositAct],
    [7, withdrawAct],
    [6, transferAct],
    [5, setModeAct],
    [isPoolEmpty(situation) ? 10 : 32, tradeAct],
    [isPoolEmpty(situation) ? 0.5 : 3, multicallAct],
    [isHalted(situation) ? 20 : 1, haltAct],
    [hasResults ? 20 : hasPositions ? 7 : inVain, settleAct],
    [legs.length > 0 ? 40 : inVain, (now) => liquidateAct(now, legs)],
    [takeable.length > 0 ? 60 : inVain, (now) => liquidateToAccountAct(now, takeable)],
    [sales.length > 0 ? 40 : inVain, (now) => liquidateCollateralAct(now, sales)],
    [open.length > 0 ? 20 : inVain, (now) => absorbAct(now, open)],
    [hasAbsorbed ? 12 : inVain, buyCollateralAct],
    [isPoolSmall(situation) ? 10 : 4, poolDepositAct],
    [5, poolRedeemAct],
    [hasFees ? 4 : inVain, sweepAct],
    [books.cash.interestUnsweptWad > 0n ? 2.5 : inVain / 4, sweepInterestAct],
    [books.cash.badDebtWad > 0n && insuranceWad(situation) > 0n ? 6 : inVain / 8, coverAct],
    [isPoolBelowZero(situation) ? 30 : inVain / 8, resolvePoolAct],
    [mayAnnounce ? (isEnding ? 0.5 : 6) : 0, announceDelistingAct],
    [due.length > 0 ? 40 : inVain / 8, delistAct],
    [isCapitalStale(situation) ? 15 : 2, refreshAct],
    [isAnyStale ? 40 : 8, pushAct],
    [hasPositions && atRisk.length === 0 ? 14 : 0.5, crashAct],
    [waiting.length > 0 ? 16 : 8, timeAct],
    [1, donateAct],
    [2.5, depositWithPermitAct],
    [3, setOperatorAct],
    [2, setOperatorBySigAct],
    [0.5, revokeSignaturesAct],
    [2, poolMintAct],
    [2, poolWithdrawAct],
    [2.5, sharesAct],
    [isBorrowingHalted(situation) ? 12 : 0.7, haltBorrowingAct],
    [3, parametersAct],
    [ramps(situation).length > 0 ? 6 : inVain / 16, rampAct],
    [1.5, updatePricesAct],
    [arena.hostile.conduct === 0 ? 1 : 3, tokenConductAct],
    [arena.feed.isDead ? 12 : 0.7, feedConductAct],
  ];
  let at = situation.random.uniform() * weights.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, act] of weights) {
    at -= weight;
    if (at < 0) return act(situation);
  }
  return timeAct(situation);
}
