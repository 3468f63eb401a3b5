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

/** No address: neither 0x and 40 hex digits, nor with a checksum that holds. */
export class AddressError extends BallastError {
  override readonly name = "AddressError";
  readonly value: unknown;

  constructor(value: unknown) {
    super(`${String(value)} is no address: give 0x and 40 hex digits, in lower case or with their checksum`);
    this.value = value;
  }
}

/** No account: not 0x and 64 hex digits. */
export class AccountIdError extends BallastError {
  override readonly name = "AccountIdError";
  readonly value: unknown;

  constructor(value: unknown) {
    super(`${String(value)} is no account: accountId(owner, index) makes one`);
    this.value = value;
  }
}

/** A point in time that is no whole number of seconds. */
export class TimeError extends BallastError {
  override readonly name = "TimeError";
  readonly value: unknown;

  constructor(value: unknown) {
    super(`${String(value)} is no time: give Unix seconds, as a whole number or a bigint`);
    this.value = value;
  }
}
