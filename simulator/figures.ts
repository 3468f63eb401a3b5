import { z } from "zod";

import { parseDecimal } from "../sdk/units/index.js";
import { BankRunFigures } from "./bankRun.js";
import { WaterfallFigures } from "./waterfall.js";

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
  waterfall: WaterfallFigures,
  custodyOk: z.boolean(),
  zeroSumOk: z.boolean(),
  /** Only where owners liquidate themselves: see SelfFigures. */
  selfRounds: count.optional(),
  ownersBefore: money.optional(),
  ownersAfter: money.optional(),
  ownersLargestGain: money.optional(),
  ownersTopUp: money.optional(),
  ownersOffers: money.optional(),
  selfActs: z.record(z.string(), z.strictObject({ done: count, refused: count })).optional(),
  /** Only where everybody leaves at the end. */
  bankRun: BankRunFigures.optional(),
  wallSeconds: z.number().min(0),
});

export type Figures = z.infer<typeof Figures>;

/** One line of JSON, in the order of the schema. */
export function figuresLine(figures: Figures): string {
  return JSON.stringify(Figures.parse(figures));
}

/** A gain of less is what rounding leaves. */
const dustWad = 1_000_000n;

/** Whether owners who liquidated themselves gained by it, over all rounds or in any one. */
export function ownersGained({ ownersBefore = "0", ownersAfter = "0", ownersLargestGain = "0" }: Figures): boolean {
  const wad = (text: string) => parseDecimal(text, 18);
  return wad(ownersAfter) > wad(ownersBefore) || wad(ownersLargestGain) > dustWad;
}

/** Whether, after everybody left, more is unpaid than was booked as lost. */
export function unpaidBeyondBooks({ bankRun }: Figures): boolean {
  return bankRun !== undefined && parseDecimal(bankRun.unpaid, 18) > parseDecimal(bankRun.booked, 18);
}

/** 0 when the books hold, nobody liquidatable was left, nobody gained by liquidating himself, and nothing is unpaid but what was booked. */
export function exitCode(figures: Figures): 0 | 1 {
  const { custodyOk, zeroSumOk, liquidatableLeft } = figures;
  const sound = custodyOk && zeroSumOk && liquidatableLeft === 0;
  return sound && !ownersGained(figures) && !unpaidBeyondBooks(figures) ? 0 : 1;
}
