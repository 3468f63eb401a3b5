import type { Act } from "../../invariants/support/act.js";
import { depositAct, setModeAct, transferAct, withdrawAct } from "../../invariants/support/acts/custody.js";
import {
  absorbAct,
  buyCollateralAct,
  liquidateAct,
  liquidateCollateralAct,
  liquidateToAccountAct,
  openToLiquidation,
} from "../../invariants/support/acts/liquidation.js";
import { poolDepositAct, poolRedeemAct, refreshAct, sweepAct } from "../../invariants/support/acts/pool.js";
import { crashAct, pushAct, timeAct } from "../../invariants/support/acts/prices.js";
import { settleAct, tradeAct } from "../../invariants/support/acts/trading.js";
import {
  type Situation,
  bookOf,
  isCapitalStale,
  isFresh,
  marketsHeld,
  traders,
} from "../../invariants/support/situation.js";

type Weighted = readonly [number, (situation: Situation) => Act | Promise<Act>];

/** Chooses the next act: more that moves positions and prices than the invariants' sequences have, and hardly one that must be refused. */
export async function choose(situation: Situation): Promise<Act> {
  const { arena, books } = situation;
  const { atRisk, legs, takeable, sales, open } = await openToLiquidation(situation);
  const isAnyStale = arena.markets.some(({ symbol }) => !isFresh(situation, symbol));
  const holders = traders(situation).filter((account) => marketsHeld(bookOf(situation, account)).length > 0);
  const hasFees = books.markets.some(({ totals }) => totals.feesUnsweptWad > 0n);
  const hasAbsorbed = books.accounts.get(arena.pool)!.collaterals.some((amount) => amount > 0n);
  const rarely = 0.1;
  const weights: readonly Weighted[] = [
    [5, depositAct],
    [7, withdrawAct],
    [2, transferAct],
    [rarely, setModeAct],
    [40, tradeAct],
    [holders.length > 0 ? 6 : rarely, settleAct],
    [legs.length > 0 ? 40 : rarely, (now) => liquidateAct(now, legs)],
    [takeable.length > 0 ? 30 : rarely, (now) => liquidateToAccountAct(now, takeable)],
    [sales.length > 0 ? 30 : rarely, (now) => liquidateCollateralAct(now, sales)],
    [open.length > 0 ? 60 : rarely, (now) => absorbAct(now, open)],
    [hasAbsorbed ? 10 : rarely, buyCollateralAct],
    [2, poolDepositAct],
    [2, poolRedeemAct],
    [hasFees ? 2 : rarely, sweepAct],
    [isCapitalStale(situation) ? 40 : 1, refreshAct],
    [isAnyStale ? 60 : 3, pushAct],
    [holders.length > 4 && atRisk.length === 0 ? 25 : rarely, crashAct],
    [8, timeAct],
  ];
  let at = situation.random.uniform() * weights.reduce((total, [weight]) => total + weight, 0);
  for (const [weight, act] of weights) {
    at -= weight;
    if (at < 0) return act(situation);
  }
  return timeAct(situation);
}
