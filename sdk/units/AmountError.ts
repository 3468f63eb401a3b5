import { BallastError } from "../risk/ContractError.js";

/** What is wrong with an amount, and what to do about it. */
const advice = {
  number: "a number loses digits: write it as a string",
  type: "give a decimal string, or a bigint of the smallest unit",
  empty: "write out the digits, as in 0.5",
  notation: "write a plain decimal such as 1234.5, without exponent, grouping, sign + or spaces",
  tooManyDecimals: "leave digits out, or round before",
  negative: "it cannot be below zero",
  outOfRange: "it is beyond what the contracts can hold",
} as const;

export type AmountProblem = keyof typeof advice;

/** An amount that is no plain decimal string and no bigint, or that the unit cannot hold. */
export class AmountError extends BallastError {
  override readonly name = "AmountError";
  /** As it was given. */
  readonly value: unknown;
  /** Decimals of the unit that was asked for. */
  readonly decimals: number;
  readonly problem: AmountProblem;

  constructor(value: unknown, decimals: number, problem: AmountProblem) {
    const shown = typeof value === "string" ? JSON.stringify(value) : describe(value);
    super(`${shown} is no amount with at most ${decimals} decimals: ${advice[problem]}`);
    this.value = value;
    this.decimals = decimals;
    this.problem = problem;
  }
}

function describe(value: unknown): string {
  return typeof value === "object" && value !== null ? "an object" : `${String(value)} (${typeof value})`;
}

/** Decimals that no unit has. */
export class DecimalsError extends BallastError {
  override readonly name = "DecimalsError";
  readonly decimals: unknown;

  constructor(decimals: unknown, most: number) {
    super(`${String(decimals)} is no number of decimals here: give a whole number from 0 to ${most}`);
    this.decimals = decimals;
  }
}
