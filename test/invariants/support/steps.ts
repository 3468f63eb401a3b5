import { type AccountId, WAD, accountId, hasFlag, normalizeAccount } from "../../../sdk/index.js";
import { abs, ceilDiv } from "../../helpers/model.js";
import type { Act } from "./act.js";
import type { Arena } from "./arena.js";
import type { AccountBook, Books } from "./books.js";
import { accountOf, isHandOver, mismatchRay, roundingOf } from "./figures.js";
import type { Step } from "./judge.js";
import { ray } from "./sides.js";
import { isTaken } from "./takeovers.js";

// What several checks ask of a step.

/** Of fills: their prices in events have 18 decimals, times a size. */
export const nanoWad = 10n ** 9n;
export const marketBits = 2n ** 96n - 1n;

/** Wei that rounding may move in a step, in markets that were deleveraged. */
export function stepRounding({ after, events, pricesWad }: Step): bigint {
  let wei = 0n;
  for (const { name, market } of events) {
    if (name === "MarketChanged") wei += 2n * roundingOf(after, market, pricesWad[market]!);
  }
  return wei;
}

/** Accounts that an act names, or pays a reward to. */
export function namedBy({ act, before, events }: Step, { pool, insurance }: Arena): Set<AccountId> {
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
export function isStill({ act }: Step): boolean {
  return !["time", "push", "conduct"].includes(act.kind);
}

/** Whether it changes what margin asks of everybody: INV-17 looks at that. */
export function changesTerms({ kind }: Act): boolean {
  return kind === "parameters" || kind === "ramp";
}

/** Kinds of acts that move tokens, of those that the books count. */
export const movesCounted: ReadonlySet<string> = new Set(["deposit", "withdraw", "poolDeposit", "poolRedeem"]);
export const movesTokens: ReadonlySet<string> = new Set([...movesCounted, "donate"]);

export function accountsWei({ accounts }: Books): bigint {
  return BigInt(accounts.size);
}

/** Wei by which equity and claims may differ because sides do in size. */
export function mismatchWei(books: Books, pricesWad: readonly bigint[]): bigint {
  let wei = 0n;
  for (const [market, { state }] of books.markets.entries()) {
    if (hasFlag(state, "sidesTouched"))
      wei += ceilDiv(abs(mismatchRay(books, market)) * pricesWad[market]!, WAD * ray) + 2n;
  }
  return wei;
}

/** An account's margin, in words. */
export function told({ health }: AccountBook): string {
  return Object.entries(health)
    .map(([name, figure]) => `${name} ${figure}`)
    .join(", ");
}
