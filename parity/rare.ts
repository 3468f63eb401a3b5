/** Branches that fewer than one case in a hundred goes down, and why. Every other must have its hundredth; these, one case. */
export const rareBranches: Readonly<Record<string, string>> = {
  "cash: fees at the end of their field": "one trade has to bring what is left of 281 million in fees",
  "cash: supply index at its floor": "suppliers have to have lost all but a thousandth",
  "collateral liquidated: all of it": "the debt has to need nearly as much as there is",
  "error: HealthNotRaised": "closing so little that rounding takes what it gives",
  "error: NoDebt": "an account has to owe nothing, and have too little for its positions",
  "error: NothingToSell": "less than one unit of a token has to be enough",
  "error: ReductionLowersHealth": "fees and impact have to be more than the requirement that falls away",
  "error: ReductionBankrupts": "what is left has to be less than what closing a part of it costs",
  "error: UnsettledResult": "a taker has to have a position of size zero in the very market",
  "liquidation refused: ImpactTooLarge": "the skew has to be near its bound, and the discount below it",
  "liquidation refused: PoolMargin": "the pool has to be without margin, and the position against the skew",
};

/** Branches that no case goes down, because the mirror has none of it. */
export const foreignBranches: Readonly<Record<string, string>> = {
  "error: TokenMovedOtherAmount": "the mirror moves no tokens",
  "error: UnexpectedValue": "the mirror knows nothing of wei",
  "error: UpdateFeeMissing": "the mirror knows nothing of wei",
};
