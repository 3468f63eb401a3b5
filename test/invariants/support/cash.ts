import {
  type CashIndicesFields,
  type CashTermsFields,
  type CashTotalsFields,
  WAD,
  decodeCashIndices,
  decodeCashTerms,
  decodeCashTotals,
} from "../../../sdk/index.js";
import { ceilDiv, floorDiv } from "../../helpers/model.js";

/** An index of one. */
export const indexOne = 10n ** 15n;
const yearSeconds = 365n * 86_400n;

/** The words of cash as stored, and what they have become by now, computed anew from the specification. */
export interface CashState {
  readonly indices: CashIndicesFields;
  readonly totals: CashTotalsFields;
  readonly terms: CashTermsFields;
  readonly interestUnsweptWad: bigint;
  readonly badDebtWad: bigint;
  /** Indices by now, 1e-15. */
  readonly supplyIndexE15: bigint;
  readonly borrowIndexE15: bigint;
}

export interface CashWords {
  readonly indices: bigint;
  readonly totals: bigint;
  readonly terms: bigint;
  readonly interestUnsweptWad: bigint;
  readonly badDebtWad: bigint;
}

export function readCash(words: CashWords, nowSeconds: number): CashState {
  const indices = decodeCashIndices(words.indices);
  return {
    indices,
    totals: decodeCashTotals(words.totals),
    terms: decodeCashTerms(words.terms),
    interestUnsweptWad: words.interestUnsweptWad,
    badDebtWad: words.badDebtWad,
    ...accrued(indices, nowSeconds),
  };
}

/** Linear growth since the indices were stored, at the rates stored with them: supply rounded down, borrowing up. */
export function accrued(
  { supplyIndexE15, borrowIndexE15, supplyRateWad, borrowRateWad, accruedAt }: CashIndicesFields,
  nowSeconds: number,
) {
  const elapsed = BigInt(nowSeconds - accruedAt);
  return {
    supplyIndexE15: supplyIndexE15 + (supplyIndexE15 * supplyRateWad * elapsed) / WAD,
    borrowIndexE15: borrowIndexE15 + ceilDiv(borrowIndexE15 * borrowRateWad * elapsed, WAD),
  };
}

/** Cash of a principal now, a debt rounded up. Wad. */
export function cashOf(principalWad: bigint, { supplyIndexE15, borrowIndexE15 }: CashState): bigint {
  return floorDiv(principalWad * (principalWad < 0n ? borrowIndexE15 : supplyIndexE15), indexOne);
}

/** What borrowers were charged since the indices were stored, and suppliers credited: 1e-15 wei, exactly. */
export function interestE15({ indices, totals, supplyIndexE15, borrowIndexE15 }: CashState) {
  return {
    chargedE15: totals.borrowedPrincipalWad * (borrowIndexE15 - indices.borrowIndexE15),
    creditedE15: totals.suppliedPrincipalWad * (supplyIndexE15 - indices.supplyIndexE15),
  };
}

/** What interest has come to the insurance account's share since the indices were stored: charged down, credited up. Wad. */
export function marginWad(cash: CashState): bigint {
  const { chargedE15, creditedE15 } = interestE15(cash);
  const margin = chargedE15 / indexOne - ceilDiv(creditedE15, indexOne);
  return margin > 0n ? margin : 0n;
}

/** The rates that belong to what is stored, 1e-18 a second: the kinked curve of utilisation. */
export function ratesOf({ indices, totals, terms }: CashState, heldWad: bigint) {
  const supplied = (totals.suppliedPrincipalWad * indices.supplyIndexE15) / indexOne;
  const borrowed = ceilDiv(totals.borrowedPrincipalWad * indices.borrowIndexE15, indexOne);
  const missing = supplied > heldWad ? supplied - heldWad : 0n;
  const used = borrowed > missing ? borrowed : missing;
  let utilisation = 0n;
  if (used > 0n) utilisation = used >= supplied ? WAD : ceilDiv(used * WAD, supplied);
  const { kinkWad, rateAtZeroWad, rateAtKinkWad, rateAtFullWad } = terms;
  let yearly: bigint;
  if (utilisation > kinkWad) {
    yearly = rateAtKinkWad + ((rateAtFullWad - rateAtKinkWad) * (utilisation - kinkWad)) / (WAD - kinkWad);
  } else if (kinkWad === 0n) {
    yearly = rateAtKinkWad;
  } else {
    yearly = rateAtZeroWad + ((rateAtKinkWad - rateAtZeroWad) * utilisation) / kinkWad;
  }
  const borrowRateWad = yearly / yearSeconds;
  const lent = borrowed < supplied ? borrowed : supplied;
  const shared = supplied === 0n ? 0n : (borrowRateWad * lent) / supplied;
  return { borrowRateWad, supplyRateWad: (shared * (WAD - terms.reserveFactorWad)) / WAD };
}
