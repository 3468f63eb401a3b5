import { expect } from "chai";

import { ContractError } from "../../../sdk/risk/ContractError.js";

/** Expects the error that the chain would raise, by its name and all its arguments. */
export function refused(work: () => unknown, errorName: string, args: Readonly<Record<string, unknown>>): void {
  let thrown: unknown;
  try {
    work();
  } catch (error) {
    thrown = error;
  }
  if (!(thrown instanceof ContractError)) throw new Error(`Expected ${errorName}, not this.`, { cause: thrown });
  expect({ errorName: thrown.errorName, args: thrown.args }).to.deep.equal({ errorName, args });
}
