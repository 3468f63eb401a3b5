import { WAD, min, mulDivDown, mulDivUp, positivePart } from "./risk/libraries/FixedPoint.js";
import * as Interest from "./risk/libraries/Interest.js";
import { INDEX_ONE, toCashIndices } from "./risk/types/CashWords.js";
import {
  type CashIndicesFields,
  type CashTermsFields,
  type CashTotalsFields,
  type HourBudgetFields,
  decodeCashIndices,
  decodeCashTerms,
  decodeCashTotals,
  decodeHourBudget,
} from "./words.js";

/** What the vault stores of cash, and what the figures of it need besides, as of one block. */
export interface StoredCash {
  readonly indices: CashIndicesFields;
  readonly totals: CashTotalsFields;
  readonly terms: CashTermsFields;
  readonly poolLosses: HourBudgetFields;
  readonly writeOffs: HourBudgetFields;
  readonly interestUnsweptWad: bigint;
  readonly badDebtWad: bigint;
  /** Settlement tokens that the vault counts as held. */
  readonly heldWad: bigint;
  /** The pool's net asset value. */
  readonly poolValueWad: bigint;
}

/** Cash as it stands at a time; all wad. */
export interface CashFigures {
  /** max(borrowed / supplied, 1 - held / supplied), at most 1. */
  readonly utilisationWad: bigint;
  /** A year, without compounding: what debts pay, and what cash earns, until cash changes next. */
  readonly borrowRateWad: bigint;
  readonly supplyRateWad: bigint;
  /** All that accounts have in cash, and all that they owe. */
  readonly suppliedWad: bigint;
  readonly borrowedWad: bigint;
  readonly heldWad: bigint;
  /** The insurance account's share of interest up to now, not yet in its cash. */
  readonly interestUnsweptWad: bigint;
  /** Losses that nobody has paid yet. */
  readonly badDebtWad: bigint;
  /** What losses may still take from the pool, and from suppliers of cash, in this hour. */
  readonly poolLossLeftWad: bigint;
  readonly writeOffLeftWad: bigint;
}

/** The indices, 1e-15, by which principals are worth cash. */
export interface CashIndices {
  readonly supplyIndexE15: bigint;
  readonly borrowIndexE15: bigint;
}

const maxInterest = 2n ** 112n - 1n;
const maxAllowed = 2n ** 104n - 1n;
const hourSeconds = 3600;

/** The words of cash as IMarginVault.cashView returns them. */
export function toStoredCash(
  view: Readonly<Record<"indices" | "totals" | "terms" | "poolLosses" | "writeOffs", bigint>> &
    Pick<StoredCash, "interestUnsweptWad" | "badDebtWad">,
  heldWad: bigint,
  poolValueWad: bigint,
): StoredCash {
  return {
    indices: decodeCashIndices(view.indices),
    totals: decodeCashTotals(view.totals),
    terms: decodeCashTerms(view.terms),
    poolLosses: decodeHourBudget(view.poolLosses),
    writeOffs: decodeHourBudget(view.writeOffs),
    interestUnsweptWad: view.interestUnsweptWad,
    badDebtWad: view.badDebtWad,
    heldWad,
    poolValueWad,
  };
}

/** The indices by a time (Unix seconds) that is not before they were stored. */
export function accruedIndices(stored: CashIndicesFields, nowSeconds: number): CashIndices {
  const { supplyIndexE15, borrowIndexE15, supplyRateWad, borrowRateWad, accruedAt } = stored;
  const word = toCashIndices(supplyIndexE15, borrowIndexE15, supplyRateWad, borrowRateWad, BigInt(accruedAt));
  const [supplyIndex, borrowIndex] = Interest.accrued(word, BigInt(nowSeconds));
  return { supplyIndexE15: supplyIndex, borrowIndexE15: borrowIndex };
}

/** Cash (wad) of a principal: rounded down, a debt up. */
export function cashOfPrincipal(principalWad: bigint, { supplyIndexE15, borrowIndexE15 }: CashIndices): bigint {
  return Interest.cashFloor(principalWad, supplyIndexE15, borrowIndexE15);
}

/** The figures at a time (Unix seconds), if nothing changes cash until then. */
export function cashFigures(stored: StoredCash, nowSeconds: number): CashFigures {
  const { indices, totals, terms, heldWad } = stored;
  const now = accruedIndices(indices, nowSeconds);
  const suppliedWad = cashOfPrincipal(totals.suppliedPrincipalWad, now);
  const borrowedWad = -cashOfPrincipal(-totals.borrowedPrincipalWad, now);
  const charged = mulDivDown(totals.borrowedPrincipalWad, now.borrowIndexE15 - indices.borrowIndexE15, INDEX_ONE);
  const credited = mulDivUp(totals.suppliedPrincipalWad, now.supplyIndexE15 - indices.supplyIndexE15, INDEX_ONE);
  const accrued = charged > credited ? charged - credited : 0n;
  const poolShare = mulDivDown(positivePart(stored.poolValueWad), terms.poolLossPerHourWad, WAD);
  const suppliersShare = mulDivDown(suppliedWad, terms.writeOffPerHourWad, WAD);
  return {
    utilisationWad: Interest.utilisation(suppliedWad, borrowedWad, heldWad),
    borrowRateWad: indices.borrowRateWad * Interest.YEAR,
    supplyRateWad: indices.supplyRateWad * Interest.YEAR,
    suppliedWad,
    borrowedWad,
    heldWad,
    interestUnsweptWad: min(stored.interestUnsweptWad + accrued, maxInterest),
    badDebtWad: stored.badDebtWad,
    poolLossLeftWad: leftOf(stored.poolLosses, nowSeconds, poolShare),
    writeOffLeftWad: leftOf(stored.writeOffs, nowSeconds, suppliersShare),
  };
}

/** What is left of a budget; where its hour has ended, all that a new one would allow. */
function leftOf({ allowedWad, spentWad, since }: HourBudgetFields, nowSeconds: number, anew: bigint): bigint {
  return nowSeconds >= since + hourSeconds ? min(anew, maxAllowed) : positivePart(allowedWad - spentWad);
}
