import type { VaultEvent } from "../sdk/risk/types/VaultStorage.js";
import { type Difference, compareChanges } from "./compare.js";
import { type Stage, now } from "./house.js";
import { type Mirrored, type Situation, decodeChanges, encodeState } from "./situation.js";
import { encodeBytes, encodeCall, encodeEvents, parityChanges, parityLoad } from "./abi.js";

interface Receipt {
  readonly status: string;
  readonly logs: readonly { readonly address: string; readonly topics: readonly string[]; readonly data: string }[];
}

/** Plays a case once more, as transactions in blocks of their own, and compares storage and events; then takes it all back. */
export async function compareTransaction(
  { request, sender }: Stage,
  situation: Situation,
  mirrored: Mirrored,
): Promise<Difference[]> {
  const { house, acts } = situation;
  const differences: Difference[] = [];
  const state = encodeState(situation);
  const everything = `0000${house.places.length.toString(16).padStart(4, "0")}`;
  const send = async (to: string, data: string): Promise<Receipt> => {
    await request("evm_setNextBlockTimestamp", [Number(now)]);
    const hash = await request("eth_sendTransaction", [{ from: sender, to, data: `0x${data}`, gas: "0x1c9c3800" }]);
    return (await request("eth_getTransactionReceipt", [hash])) as Receipt;
  };
  const snapshot = await request("evm_snapshot");
  try {
    await send(house.vault, parityLoad + encodeBytes(state));
    for (const [i, act] of acts.entries()) {
      const { status, logs } = await send(act.caller, house.vault.slice(2) + encodeCall(act.name, act.args));
      const { told, events } = mirrored.acts[i] ?? { told: { done: false }, events: [] };
      const done = status === "0x1";
      if (done !== told.done) {
        differences.push({
          what: `${act.name} as a transaction`,
          chain: status,
          mirror: told.done ? "done" : "reverted",
        });
      }
      compareEvents(
        differences,
        logs.filter(({ address }) => address.toLowerCase() === house.vault),
        events,
      );
    }
    const call = { to: house.vault, data: `0x${parityChanges}${encodeBytes(state, everything)}` };
    const answer = (await request("eth_call", [call, "latest"])) as string;
    compareChanges(differences, situation, decodeChanges(bytesOf(answer)), mirrored);
  } finally {
    await request("evm_revert", [snapshot]);
  }
  return differences;
}

function compareEvents(differences: Difference[], logs: Receipt["logs"], events: readonly VaultEvent[]): void {
  const told = encodeEvents(events);
  for (let i = 0; i < Math.max(logs.length, told.length); i++) {
    const [chain, mirror] = [logs[i], told[i]].map((log) => log && [...log.topics, log.data].join(" "));
    if (chain === mirror) continue;
    const what = `event ${i}, ${events[i]?.name ?? "one more"}`;
    differences.push({ what, chain: chain ?? "none", mirror: mirror ?? "none" });
  }
}

/** Of a function that returns bytes alone (hex with 0x). */
function bytesOf(answer: string): string {
  const size = Number.parseInt(answer.slice(66, 130), 16);
  return answer.slice(130, 130 + 2 * size);
}
