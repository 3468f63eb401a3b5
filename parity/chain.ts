import { decodeBytesList, encodeBytesList, parityRun } from "./abi.js";
import type { Stage } from "./house.js";
import { type Situation, encodeSituation } from "./situation.js";

/** More than a batch of cases uses. */
const gas = `0x${(90_000_000_000).toString(16)}`;

/** The results (hex without 0x) of cases of one house. */
export async function askChain({ request }: Stage, batch: readonly Situation[]): Promise<string[]> {
  const [one] = batch;
  if (one === undefined) return [];
  const data = `0x${parityRun}` + encodeBytesList(batch.map(encodeSituation));
  const answer = (await request("eth_call", [{ to: one.house.vault, data, gas }, "latest"])) as string;
  return decodeBytesList(answer.slice(2));
}
