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
};

export const attackRows: readonly AttackRow[] = Object.entries(defences).map(([id, defence]) => ({
  id,
  defence,
  patch: `test/attacks/mutants/${id}.patch`,
  test: `test/attacks/${id}.test.ts`,
}));
