import type { BlockTag } from "ethers";

import { BallastError } from "../errors.js";

/** The provider has not got to a block that it, or another node behind the same address, has told of. */
export class ProviderLagError extends BallastError {
  override readonly name = "ProviderLagError";
  readonly blockTag: BlockTag;

  constructor(blockTag: BlockTag, cause?: unknown) {
    super(`the provider has no block ${String(blockTag)}: wait until it has, or use another provider`, { cause });
    this.blockTag = blockTag;
  }
}

/** The chain has taken a block back, and put another in its place. */
export class ReorgError extends BallastError {
  override readonly name = "ReorgError";
  readonly blockNumber: number;
  /** Hash of the block that is gone. */
  readonly was: string;
  readonly is: string;

  constructor(blockNumber: number, was: string, is: string, cause?: unknown) {
    super(`block ${blockNumber} was ${was} and is ${is} now: read again, from an earlier block on`, { cause });
    this.blockNumber = blockNumber;
    this.was = was;
    this.is = is;
  }
}

/** A point in time that is no whole number of seconds, or before the block as of which a state holds. */
export class TimeError extends BallastError {
  override readonly name = "TimeError";
  readonly value: unknown;
  /** Unix seconds; undefined where any time will do. */
  readonly earliest: bigint | undefined;

  constructor(value: unknown, earliest?: bigint) {
    const from = earliest === undefined ? "" : `, from ${earliest} on: what was before that the state does not know`;
    super(`${String(value)} is no time here: give Unix seconds, as a whole number or a bigint${from}`);
    this.value = value;
    this.earliest = earliest;
  }
}

/** A state was read without what is asked of it now: an answer would take it for zero. */
export class NotReadError extends BallastError {
  override readonly name = "NotReadError";
  readonly what: "account" | "permissions" | "nonce" | "tokens";
  /** Whose: an account or an address, then of permissions the operator, and of tokens the token. */
  readonly of: readonly string[];

  constructor(what: NotReadError["what"], of: readonly string[]) {
    super(`the state was read without ${what} of ${of.join(", ")}: name accounts, calls and sender to readState`);
    this.what = what;
    this.of = of;
  }
}

/** An argument that a function of the vault does not take. */
export class CallArgumentError extends BallastError {
  override readonly name = "CallArgumentError";
  /** Of the vault. */
  readonly functionName: string;

  constructor(functionName: string, cause: unknown) {
    const told = cause instanceof Error ? cause.message : String(cause);
    super(`the vault's ${functionName} does not take these arguments: ${told}`, { cause });
    this.functionName = functionName;
  }
}

/** An option that nothing can be done with. */
export class OptionError extends BallastError {
  override readonly name = "OptionError";
  readonly option: string;
  readonly value: unknown;

  constructor(option: string, value: unknown, least: number) {
    super(`${option} is ${String(value)}: give a whole number from ${least} on`);
    this.option = option;
    this.value = value;
  }
}
