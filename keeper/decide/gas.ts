/** What the keeper's calls use, from what `npm run bench:gas` measures, with room for colder storage. */
export const gasOf = {
  liquidate: 170_000n,
  take: 170_000n,
  sellCollateral: 180_000n,
  /** Of one account. */
  absorb: 140_000n,
  giveBack: 120_000n,
  settle: 90_000n,
  upkeep: 250_000n,
  refresh: 40_000n,
  /** For each asset that an account has besides the first: margin looks at all of them. */
  assetMore: 12_000n,
  /** For each position that is absorbed besides the first. */
  absorbMore: 60_000n,
} as const;
