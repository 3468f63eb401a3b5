import { AssertionError, expect } from "chai";

import { ContractError, withDecodedErrors } from "../../sdk/index.js";

/**
 * Expects a call or a transaction to be reverted with this custom error, and with exactly these arguments (numbers stand for bigints).
 * An argument given as a function is a condition.
 */
export async function expectRevert(
  call: () => Promise<unknown>,
  errorName: string,
  args: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const error = await failure(call);
  if (!(error instanceof ContractError)) throw error;
  expect(error.errorName, error.message).to.equal(errorName);
  const conditions = Object.entries(args).filter(([, value]) => typeof value === "function");
  for (const [name, holds] of conditions) {
    const value = error.args[name];
    expect((holds as (value: unknown) => boolean)(value), `${name}: ${String(value)}`).to.equal(true);
  }
  const plain = (all: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(
      Object.entries(all)
        .filter(([name]) => typeof args[name] !== "function")
        .map(([name, value]) => [name, typeof value === "number" ? BigInt(value) : value]),
    );
  expect(plain(error.args), errorName).to.deep.equal(plain(args));
}

/** What the call fails with, decoded. */
export async function failure(call: () => Promise<unknown>): Promise<unknown> {
  try {
    const sent = await withDecodedErrors(call);
    if (typeof sent === "object" && sent !== null && "wait" in sent && typeof sent.wait === "function")
      await sent.wait();
  } catch (error) {
    return error;
  }
  throw new AssertionError("expected the call to fail, but it went through");
}
