import { toBeHex } from "ethers";

import type { Connection } from "../../../ignition/deploy.js";
import { type ContractError, decodeRevert, revertData } from "../../../sdk/index.js";
import {
  AccessManager__factory,
  IMarginVault__factory,
  IPriceOracle__factory,
  LiquidityPool__factory,
} from "../../../typechain-types/index.js";

export interface RawLog {
  readonly address: string;
  readonly topics: string[];
  readonly data: string;
}

/** What became of a transaction: its logs, or the declared error that it was refused with. */
export type Outcome =
  { readonly ok: true; readonly logs: readonly RawLog[] } | { readonly ok: false; readonly error: ContractError };

/** A transaction failed with something that no interface declares: a panic, a bare revert, an internal error. */
export class UndeclaredError extends Error {
  override readonly name = "UndeclaredError";
}

const declared = [
  IMarginVault__factory.createInterface(),
  IPriceOracle__factory.createInterface(),
  LiquidityPool__factory.createInterface(),
  AccessManager__factory.createInterface(),
];
const builtIn = new Set(["Error", "Panic"]); // ethers knows them whatever the interface
const gas = toBeHex(12_000_000);

/**
 * Replaces a contract's code in a call: answers every word of the call data with the storage word of that slot.
 *
 *     PUSH0  JUMPDEST(1)  DUP1 CALLDATASIZE GT ISZERO PUSH1(20) JUMPI
 *     DUP1 CALLDATALOAD SLOAD DUP2 MSTORE  PUSH1(32) ADD  PUSH1(1) JUMP  JUMPDEST(20)  CALLDATASIZE PUSH0 RETURN
 */
const storageReader = "0x5f5b8036111560145780355481526020016001565b365ff3";

/** An in-process chain without a client library in between; its clock is set, never read. */
export class RawChain {
  readonly #connection: Connection;
  #nowSeconds: number;

  constructor(connection: Connection, nowSeconds: number) {
    this.#connection = connection;
    this.#nowSeconds = nowSeconds;
  }

  /** Time of the blocks from here on. */
  get nowSeconds(): number {
    return this.#nowSeconds;
  }

  async request<T>(method: string, ...params: unknown[]): Promise<T> {
    return (await this.#connection.provider.request({ method, params })) as T;
  }

  /** Sends a transaction, mined in a block of its own when this returns. */
  async send(from: string, to: string, data: string): Promise<Outcome> {
    await this.request("evm_setNextBlockTimestamp", this.#nowSeconds);
    let hash: string;
    try {
      hash = await this.request<string>("eth_sendTransaction", { from, to, data, gas });
    } catch (error) {
      return { ok: false, error: declaredError(error) };
    }
    const { logs } = await this.request<{ logs: RawLog[] }>("eth_getTransactionReceipt", hash);
    return { ok: true, logs };
  }

  /** As `send`, for what must succeed. */
  async mustSend(from: string, to: string, data: string): Promise<readonly RawLog[]> {
    const outcome = await this.send(from, to, data);
    if (!outcome.ok) throw outcome.error;
    return outcome.logs;
  }

  async call(to: string, data: string): Promise<string> {
    try {
      return await this.request<string>("eth_call", { to, data }, "latest");
    } catch (error) {
      throw declaredError(error);
    }
  }

  /** The words of these storage slots, in their order. */
  async storage(of: string, slots: readonly string[]): Promise<bigint[]> {
    const data = `0x${slots.map((slot) => slot.slice(2)).join("")}`;
    const answer = await this.request<string>("eth_call", { to: of, data }, "latest", {
      [of]: { code: storageReader },
    });
    return wordsOf(answer);
  }

  /** Lets seconds pass and mines an empty block, so that calls see the new time. */
  async passTime(seconds: number): Promise<void> {
    this.#nowSeconds += seconds;
    await this.request("evm_mine", this.#nowSeconds);
  }

  /** Does something, then takes back all that it did. */
  async tentatively<T>(act: () => Promise<T>): Promise<T> {
    const now = this.#nowSeconds;
    const snapshot = await this.request<string>("evm_snapshot");
    try {
      return await act();
    } finally {
      await this.request("evm_revert", snapshot);
      this.#nowSeconds = now;
    }
  }
}

export function wordsOf(hex: string): bigint[] {
  const words: bigint[] = [];
  for (let at = 2; at < hex.length; at += 64) words.push(BigInt(`0x${hex.slice(at, at + 64)}`));
  return words;
}

function declaredError(error: unknown): ContractError {
  const data = revertData(error) ?? "0x";
  const known = declared.some((candidate) => {
    const found = data.length >= 10 ? candidate.parseError(data) : null;
    return found !== null && !builtIn.has(found.name);
  });
  const decoded = decodeRevert(data, error);
  if (known && decoded !== undefined) return decoded;
  const told = decoded?.message ?? (error instanceof Error ? error.message : String(error));
  throw new UndeclaredError(`${told} (${data})`, { cause: error });
}
