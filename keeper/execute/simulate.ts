import { type JsonRpcApiProvider, isCallException } from "ethers";

import { revertData } from "../../sdk/index.js";
import { failureDetail, failureReason } from "../reason.js";

/** Why something did not come to be: one word, and a sentence. */
export interface Refusal {
  readonly reason: string;
  readonly detail: string;
}

export type Simulated =
  | { readonly kind: "passes"; readonly gas: bigint }
  /** The chain would refuse it. */
  | ({ readonly kind: "refused" } & Refusal)
  /** No node said. */
  | { readonly kind: "failed"; readonly error: unknown };

/** What the chain makes of a call at its head, and the gas that it takes. */
export async function simulate(
  provider: JsonRpcApiProvider,
  call: { readonly from: string; readonly to: string; readonly data: string },
  gasCap: bigint,
): Promise<Simulated> {
  try {
    // Of the head: what a node thinks is pending may never come.
    const gas = BigInt(String(await provider.send("eth_estimateGas", [call, "latest"])));
    if (gas <= gasCap) return { kind: "passes", gas };
    return { kind: "refused", reason: "gasCap", detail: `it needs ${gas} gas, and a transaction may have ${gasCap}` };
  } catch (error) {
    if (revertData(error) !== undefined) return refused(error);
    if (!isCallException(error)) return { kind: "failed", error };
    // An estimate need not say why; the call itself does.
    return provider.call(call).then(
      () => refused(error),
      (told: unknown) => refused(told),
    );
  }
}

function refused(error: unknown): Simulated {
  return { kind: "refused", reason: failureReason(error), detail: failureDetail(error) };
}
