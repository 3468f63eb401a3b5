import { decodeBytesList, encodeBytesList, parityRun } from "./abi.js";
import type { Stage } from "./house.js";
import { type Situation, encodeSituation } from "./situation.js";

/** The results (hex without 0x) of cases of one house. */
export async function askChain({ evm }: Stage, batch: readonly Situation[]): Promise<string[]> {
  const [one] = batch;
  if (one === undefined) return [];
  const returned = await evm.call(one.house.vault, parityRun + encodeBytesList(batch.map(encodeSituation)));
  return decodeBytesList(returned.slice(2));
}
