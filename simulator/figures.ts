import { z } from "zod";

const count = z.int().min(0);
const money = z.string().regex(/^-?\d+(\.\d{1,18})?$/, "must be a decimal string");

/** The figures of a run. Money is in settlement tokens. */
export const Figures = z.strictObject({
  scenario: z.string(),
  seed: count,
  /** Rows of prices. */
  steps: count,
  accounts: count,
  markets: count,
  opened: count,
  /** Openings that the vault refused, each then halved. */
  refused: count,
  /** Successful calls of liquidatePosition and liquidateCollateral. */
  liquidations: count,
  /** Accounts. */
  absorbed: count,
  /** Accounts that were still liquidatable at the end of a step, summed over the steps. */
  liquidatableLeft: count,
  /** Deficits that accounts could not pay. */
  badDebt: money,
  insurance: money,
  poolEquity: money,
  /** The owners', without the takers'. */
  userEquity: money,
  /** Keepers with capital of their own. */
  takers: count,
  /** Liquidations that went to an account and not into the pool; `liquidations` counts them too. */
  taken: count,
  takerEquity: money,
  custodyOk: z.boolean(),
  zeroSumOk: z.boolean(),
  wallSeconds: z.number().min(0),
});

export type Figures = z.infer<typeof Figures>;

/** One line of JSON, in the order of the schema. */
export function figuresLine(figures: Figures): string {
  return JSON.stringify(Figures.parse(figures));
}

/** 0 when the books hold and nobody liquidatable was left. */
export function exitCode({ custodyOk, zeroSumOk, liquidatableLeft }: Figures): 0 | 1 {
  return custodyOk && zeroSumOk && liquidatableLeft === 0 ? 0 : 1;
}
