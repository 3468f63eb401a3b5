/** Branches that fewer than one case in a hundred goes down, and why. Every other that is counted must have its hundredth. */
export const rareBranches: Readonly<Record<string, string>> = {
  "error: TokenMovedOtherAmount": "about tokens, which the mirror does not move",
  "error: UnexpectedValue": "about wei sent along, of which the mirror knows nothing",
  "error: UpdateFeeMissing": "about wei sent along, of which the mirror knows nothing",
};
