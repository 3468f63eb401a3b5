import { AssertionError } from "chai";

/** The error of this class that a call throws. */
export function failureOf<T extends Error>(kind: abstract new (...args: never[]) => T, call: () => unknown): T {
  try {
    call();
  } catch (error) {
    if (error instanceof kind) return error;
    throw error;
  }
  throw new AssertionError(`expected ${kind.name}, but nothing was thrown`);
}
