/** An attack on a venue like this one, the defence that it is met with, and where both stand. */
export interface AttackRow {
  readonly id: string;
  /** In one sentence: what the patch removes. */
  readonly defence: string;
  /** A unified diff from the root of the repository that removes the defence, and nothing else. */
  readonly patch: string;
  /** A test file that passes with the defence, and fails by an assertion without it. */
  readonly test: string;
}

const defences: Readonly<Record<string, string>> = {
  I01: "Only the profit weight's part of an unrealised gain counts for initial margin.",
  I02: "The initial margin of a market rises with its open interest, whoever holds it.",
  I04: "Whoever trades against the pool pays the price's tolerance with the fee, when it opens and when it closes.",
  I05: "Nobody trades while the vault is in the middle of another act.",
  I07: "Only the pusher's role publishes prices.",
  I08: "Where two sources are further apart than the bound, neither counts.",
  I09: "The premium that a skew will give back is no part of what the pool's shares are worth.",
  I10: "Virtual shares: an empty pool's first shares cannot be made dear.",
  I11: "A withdrawal is in the books before the token is called.",
  I12: "Whoever takes something out holds initial margin after it, also where all that he has is a debt.",
  I13: "A transfer to oneself restores the account's word.",
  I14: "What shares are worth comes from the vault's own books, not from tokens that somebody sent.",
  I17: "No trade leaves a position below the minimum size that is not zero.",
  I18: "What nobody bears of a loss is booked as bad debt in the liquidation that shows it.",
  I21: "The funding rate is held within its largest value.",
  I22: "A liquidation reads last prices, which no dead feed can refuse.",
  I24: "An answer at the smallest or largest that an aggregator can tell is no price.",
  I26: "An amount of a collateral is worth what its own decimals make of it.",
  I28: "An aggregator is given a bounded amount of gas.",
  I32: "What a position is worth is rounded down, also below zero.",
  I33: "After the sequencer has come back nobody is liquidated and nothing opened for a grace time.",
  I34: "A signed grant counts once, by its signer's nonce.",
  I35: "A token that moves another amount than asked is refused.",
  I37: "A larger maintenance base moves in by steps where there are positions, and never at once.",
};

export const attackRows: readonly AttackRow[] = Object.entries(defences).map(([id, defence]) => ({
  id,
  defence,
  patch: `test/attacks/mutants/${id}.patch`,
  test: `test/attacks/${id}.test.ts`,
}));
