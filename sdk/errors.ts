import { Interface, isCallException } from "ethers";

import * as abis from "./abi/index.js";
import { BallastError, ContractError } from "./risk/ContractError.js";
import { AmountError, DecimalsError } from "./units/AmountError.js";

export { AmountError, BallastError, ContractError, DecimalsError };

/** A market or token that the deployment file does not list. */
export class UnknownSymbolError extends BallastError {
  override readonly name = "UnknownSymbolError";
  readonly symbol: string;
  readonly known: readonly string[];

  constructor(symbol: string, known: readonly string[]) {
    super(`the deployment has no "${symbol}"; it has ${known.join(", ") || "none"}`);
    this.symbol = symbol;
    this.known = known;
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

/** The provider speaks for another chain than the deployment file. */
export class WrongChainError extends BallastError {
  override readonly name = "WrongChainError";
  readonly expected: number;
  readonly actual: number;

  constructor(expected: number, actual: number) {
    super(
      `the deployment is on chain ${expected}, the provider on chain ${actual}: use a provider of chain ${expected}`,
    );
    this.expected = expected;
    this.actual = actual;
  }
}

/** There is no contract at an address of the deployment file: the chain was restarted, or the file is of another one. */
export class NotDeployedError extends BallastError {
  override readonly name = "NotDeployedError";
  readonly contract: string;
  readonly address: string;

  constructor(contract: string, address: string, cause?: unknown) {
    super(`there is no code at ${address} (${contract}): run the deploy script against this chain first`, { cause });
    this.contract = contract;
    this.address = address;
  }
}

/** What is asked for is known of every account but the pool's. */
export class PoolAccountError extends BallastError {
  override readonly name = "PoolAccountError";
  readonly account: string;

  constructor(account: string) {
    super(`${account} is the pool's account, whose positions MarketChanged tells: name another account`);
    this.account = account;
  }
}

/** A transaction needs a signer, and the client was connected with a provider alone. */
export class ReadOnlyError extends BallastError {
  override readonly name = "ReadOnlyError";

  constructor() {
    super("this client was connected with a provider: connect it with a signer to send transactions");
  }
}

/** A client was asked for with a signer that no provider stands behind. */
export class MissingProviderError extends BallastError {
  override readonly name = "MissingProviderError";

  constructor() {
    super("the signer has no provider: connect it to one first");
  }
}

/** A transaction was mined, and had reverted: what it met was no longer what it had been sent on. */
export class TransactionRevertedError extends BallastError {
  override readonly name = "TransactionRevertedError";
  readonly transactionHash: string;
  readonly blockNumber: number;

  constructor(transactionHash: string, blockNumber: number, cause?: unknown) {
    super(
      `${transactionHash} reverted in block ${blockNumber}, on another state than it was sent on: preview it again`,
      {
        cause,
      },
    );
    this.transactionHash = transactionHash;
    this.blockNumber = blockNumber;
  }
}

// What any call through the vault can raise: its own errors, those of its linked libraries, of the oracle, the pool, the access manager, and of tokens.
const declaredErrors = new Interface(
  Object.values(abis)
    .flat()
    .filter((line) => line.startsWith("error ")),
);
/** Names of the arguments of the compiler's own errors, which no ABI declares. */
const builtinNames: Readonly<Record<string, readonly string[]>> = { Error: ["reason"], Panic: ["code"] };

/** Decodes the data of a revert; undefined if it is neither an error of our contracts nor of the compiler's own. */
export function decodeRevert(data: string, cause?: unknown): ContractError | undefined {
  const description = data.length >= 10 ? declaredErrors.parseError(data) : null;
  if (description === null) return undefined;
  const { name, fragment, args } = description;
  const names = builtinNames[name] ?? fragment.inputs.map((input, i) => input.name || String(i));
  return new ContractError(name, Object.fromEntries(names.map((key, i) => [key, args[i]])), cause);
}

/** Data of the revert behind an error of ethers or of a node, if it carries any. */
export function revertData(error: unknown): string | undefined {
  if (isCallException(error) && typeof error.data === "string") return error.data;
  // Nodes differ in where they put it; ethers keeps what the node said in `info` and `error`.
  for (const key of ["data", "error", "info", "cause"]) {
    const inner: unknown = typeof error === "object" && error !== null ? Reflect.get(error, key) : undefined;
    if (typeof inner === "string" && /^0x([0-9a-f]{2})*$/i.test(inner) && inner.length >= 10) return inner;
    if (typeof inner === "object" && inner !== null) {
      const found = revertData(inner);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** Runs a call; an error that a contract raised comes out as ContractError, every other as it is. */
export async function withDecodedErrors<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof BallastError) throw error; // it says more than the revert that it may carry as its cause
    const data = revertData(error);
    throw (data === undefined ? undefined : decodeRevert(data, error)) ?? error;
  }
}
