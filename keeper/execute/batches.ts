import { vaultInterface } from "../../sdk/contracts.js";
import type { AccountId } from "../../sdk/index.js";
import type { PlannedCall } from "../parts.js";
import type { Task } from "./transaction.js";

/** Calls of a plan that go into one transaction, and where they stand in the plan. */
export type Batch = readonly { readonly call: PlannedCall; readonly at: number }[];

export interface BatchLimits {
  /** What the calls of a batch may be expected to use together. */
  readonly gas: bigint;
  /** How many calls a batch with this account may have at most. */
  largestWith(account: AccountId): number;
}

/** The calls in their order; neighbours of one contract that may be batched together, as far as the limits let them. */
export function batches(calls: Batch, { gas, largestWith }: BatchLimits): Batch[] {
  const done: { call: PlannedCall; at: number }[][] = [];
  let used = 0n;
  let largest = 0;
  for (const { call, at } of calls) {
    const mostWithIt = Math.min(...call.accounts.map(largestWith), Number.MAX_SAFE_INTEGER);
    const current = done.at(-1);
    const [neighbour] = current ?? [];
    const fits =
      current !== undefined &&
      neighbour !== undefined &&
      neighbour.call.canBatch &&
      call.canBatch &&
      neighbour.call.to === call.to &&
      used + call.gas <= gas &&
      current.length + 1 <= Math.min(largest, mostWithIt);
    if (fits) {
      current.push({ call, at });
      used += call.gas;
      largest = Math.min(largest, mostWithIt);
    } else {
      done.push([{ call, at }]);
      used = call.gas;
      largest = mostWithIt;
    }
  }
  return done;
}

/** Two batches with the calls of one that has several. */
export function halves(batch: Batch): [Batch, Batch] {
  const middle = Math.ceil(batch.length / 2);
  return [batch.slice(0, middle), batch.slice(middle)];
}

/**
 * The transaction of a batch: the call itself, or a multicall. Its budget is that of its calls together, where a call without one counts with
 * the largest gas price.
 */
export function taskOf(batch: Batch, maxGasPriceWei: bigint): Task {
  const calls = batch.map(({ call }) => call);
  const [first] = calls;
  if (first === undefined) throw new TypeError("a batch without calls");
  const budgets = calls.map(({ feeBudgetWei, gas }) => feeBudgetWei ?? gas * maxGasPriceWei);
  const isBounded = calls.some(({ feeBudgetWei }) => feeBudgetWei !== undefined);
  return {
    kind: first.kind,
    accounts: [...new Set(calls.flatMap(({ accounts }) => accounts))],
    to: first.to,
    data:
      calls.length === 1 ? first.data : vaultInterface.encodeFunctionData("multicall", [calls.map(({ data }) => data)]),
    feeBudgetWei: isBounded ? budgets.reduce((sum, each) => sum + each, 0n) : undefined,
  };
}
