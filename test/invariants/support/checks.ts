import type { Arena } from "./arena.js";
import { checkBystanders, checkModes } from "./bystanders.js";
import { checkInterest, checkPoolValue } from "./earnings.js";
import { type Finding, type InvariantId, Judge, type Step } from "./judge.js";
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
import { checkCosts, checkForcedTrades, checkOwnLiquidation, checkSettling, checkTargets } from "./liquidations.js";
import { checkBudgets, checkDeleveraging, checkWaterfall } from "./losses.js";
import { checkCallers, checkLock, checkNonces, checkParameters, checkPermissions, checkPublished } from "./powers.js";
import { checkPreview } from "./previews.js";
import {
  checkAggregates,
  checkClaims,
  checkDelisting,
  checkEquity,
  checkFunding,
  checkSizesOfSides,
} from "./zeroSum.js";

type Check = (judge: Judge, step: Step, arena: Arena) => void;

/** What must hold after a step; the other invariants are tried by probes, or hold of what is refused. */
const checks: Readonly<Partial<Record<InvariantId, Check>>> = {
  "INV-01": checkClaims,
  "INV-02": checkSizesOfSides,
  "INV-03": checkAggregates,
  "INV-04": checkEquity,
  "INV-05": checkFunding,
  "INV-08": checkSettling,
  "INV-09": checkForcedTrades,
  "INV-10": checkOwnLiquidation,
  "INV-11": checkDeleveraging,
  "INV-12": checkPoolValue,
  "INV-13": checkInterest,
  "INV-15": checkBystanders,
  "INV-16": checkModes,
  "INV-17": checkParameters,
  "INV-18": checkCallers,
  "INV-19": checkTokens,
  "INV-20": checkUntouched,
  "INV-21": checkDepositCap,
  "INV-22": checkDelisting,
  "INV-23": checkEpochs,
  "INV-25": checkGrowth,
  "INV-26": checkReduction,
  "INV-27": checkInitialMargin,
  "INV-28": checkDebts,
  "INV-29": checkSizes,
  "INV-30": checkOpenInterest,
  "INV-33": checkTargets,
  "INV-34": checkCosts,
  "INV-35": checkPreview,
  "INV-36": checkWaterfall,
  "INV-37": checkBudgets,
  "INV-38": checkBadDebt,
  "INV-39": checkIndices,
  "INV-41": checkFundingRates,
  "INV-43": checkRedemption,
  "INV-44": checkLock,
  "INV-46": checkPublished,
  "INV-52": checkPermissions,
  "INV-53": checkNonces,
};

/** What does not hold after a step; `count` is told how often each invariant was looked at. */
export function checkStep(step: Step, arena: Arena, count: (id: InvariantId, looks: number) => void): Finding[] {
  return (Object.entries(checks) as [InvariantId, Check][]).flatMap(([id, check]) => {
    const judge = new Judge(id);
    check(judge, step, arena);
    count(id, judge.looks);
    return judge.findings;
  });
}
