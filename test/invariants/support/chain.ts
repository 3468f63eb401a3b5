import { toBeHex, toQuantity } from "ethers";

import type { Connection } from "../../../ignition/deploy.js";
import { ContractError, decodeRevert, revertData } from "../../../sdk/index.js";
import {
  AccessManager__factory,
  IPriceOracle__factory,
  MockHostileToken__factory,
  LiquidityPool__factory,
  MarginVault__factory,
} from "../../../typechain-types/index.js";
import { readStorage } from "../../helpers/vaultStorage.js";

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
  MarginVault__factory.createInterface(),
  IPriceOracle__factory.createInterface(),
  LiquidityPool__factory.createInterface(),
  AccessManager__factory.createInterface(),
];
/** A token may refuse as it likes. */
const hostile = MockHostileToken__factory.createInterface();
const builtIn = new Set(["Error", "Panic"]); // ethers knows them whatever the interface
const gas = toBeHex(12_000_000);

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
  async send(from: string, to: string, data: string, valueWei = 0n): Promise<Outcome> {
    await this.request("evm_setNextBlockTimestamp", this.#nowSeconds);
    let hash: string;
    try {
      hash = await this.request<string>("eth_sendTransaction", { from, to, data, gas, value: toQuantity(valueWei) });
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
    return readStorage((method, params) => this.request(method, ...params), of, slots);
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

function declaredError(error: unknown): ContractError {
  const data = revertData(error) ?? "0x";
  const ofToken = data.length >= 10 ? hostile.parseError(data) : null;
  if (ofToken !== null && !builtIn.has(ofToken.name))
    return new ContractError(ofToken.name, ofToken.args.toObject(), error);
  const known = declared.some((candidate) => {
    const found = data.length >= 10 ? candidate.parseError(data) : null;
    return found !== null && !builtIn.has(found.name);
  });
  const decoded = decodeRevert(data, error);
  if (known && decoded !== undefined) return decoded;
  const told = decoded?.message ?? (error instanceof Error ? error.message : String(error));
  throw new UndeclaredError(`${told} (${data})`, { cause: error });
}
