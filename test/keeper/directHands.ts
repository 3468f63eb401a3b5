import { type Signer, type TransactionReceipt, type TransactionRequest, isCallException } from "ethers";

import { type AccountId, BallastError, revertData } from "../../sdk/index.js";
import type { CallResult, Hands, PlannedCall } from "../../keeper/parts.js";
import { failureDetail, failureReason } from "../../keeper/reason.js";

/** Largest gas limit of a transaction: chains cap it at 2^24. */
const gasCap = 2n ** 24n - 1n;
/** How long to wait for a transaction to be mined. */
const receiptTimeoutMs = 120_000;

/** A transaction that needs more gas than the chain lets one have. */
export class GasCapError extends BallastError {
  override readonly name = "GasCapError";

  constructor(estimate: bigint) {
    super(`it would need ${estimate} gas, and a transaction may have ${gasCap}`);
  }
}

/** A transaction that was sent and not mined in time. */
export class NotMinedError extends BallastError {
  override readonly name = "NotMinedError";
}

/** Hands without lanes and journal, for tests of what plans come to: one call after the other, each is simulated, sent with a nonce of its own count, and waited for. */
export class DirectHands implements Hands {
  readonly #signer: Signer;
  /** Undefined: ask the chain. So at the start of a plan, and after a send whose fate is not known. */
  #nonce: number | undefined;

  constructor(signer: Signer) {
    this.#signer = signer;
  }

  async execute(calls: readonly PlannedCall[]): Promise<CallResult[]> {
    this.#nonce = undefined;
    const results: CallResult[] = [];
    for (const call of calls) results.push(await this.#execute(call));
    return results;
  }

  underWay(): ReadonlySet<AccountId> {
    return new Set();
  }

  async resume(): Promise<void> {}

  async close(): Promise<void> {}

  async #execute(call: PlannedCall): Promise<CallResult> {
    try {
      return { kind: "mined", call, receipt: await this.#send(call) };
    } catch (error) {
      const isRefused = isCallException(error) || revertData(error) !== undefined || error instanceof GasCapError;
      const kind = isRefused ? "refused" : "failed";
      return { kind, call, reason: failureReason(error), detail: failureDetail(error) };
    }
  }

  async #send({ to, data }: PlannedCall): Promise<TransactionReceipt> {
    const call: TransactionRequest = { to, data };
    await this.#signer.call(call);
    const estimate = await this.#signer.estimateGas(call);
    if (estimate > gasCap) throw new GasCapError(estimate);
    // Between estimate and block, state moves: a quarter more, within the cap.
    const padded = (estimate * 5n) / 4n;
    const gasLimit = padded > gasCap ? gasCap : padded;
    try {
      this.#nonce ??= await this.#signer.getNonce("pending");
      const sent = await this.#signer.sendTransaction({ ...call, gasLimit, nonce: this.#nonce });
      this.#nonce += 1;
      const receipt = await sent.wait(1, receiptTimeoutMs);
      if (receipt === null) throw new NotMinedError(`${sent.hash} was not mined in time`);
      return receipt;
    } catch (error) {
      this.#nonce = undefined;
      if (isCallException(error)) await this.#signer.call(call); // a receipt carries no reason; the same call tells it now
      throw error;
    }
  }
}
