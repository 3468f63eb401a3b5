import { type Difference, compareChanges } from "./compare.js";
import { type Stage, now } from "./house.js";
import { type Mirrored, type Result, type Situation, decodeChanges, encodeState } from "./situation.js";
import { encodeBytes, encodeCall, encodeEvents, parityChanges, parityLoad } from "./abi.js";

interface Receipt {
  readonly status: string;
  readonly logs: readonly { readonly address: string; readonly topics: readonly string[]; readonly data: string }[];
}

/** Plays a case once more, as transactions in blocks of their own, and compares storage and events; then takes it all back. */
export async function compareTransaction(
  { request, sender }: Stage,
  situation: Situation,
  called: Result,
  mirrored: Mirrored,
): Promise<Difference[]> {
  const { house, act } = situation;
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
    const { status, logs } = await send(act.caller, house.vault.slice(2) + encodeCall(act.name, act.args));
    if ((status === "0x1") !== called.act.done) {
      differences.push({ what: "as a transaction", chain: status, mirror: called.act.done ? "done" : "reverted" });
    }
    const call = { to: house.vault, data: `0x${parityChanges}${encodeBytes(state, everything)}` };
    const answer = (await request("eth_call", [call, "latest"])) as string;
    compareChanges(differences, situation, decodeChanges(bytesOf(answer)), mirrored);
    const emitted = logs.filter(({ address }) => address.toLowerCase() === house.vault);
    const told = called.act.done ? encodeEvents(mirrored.after.events) : [];
    for (let i = 0; i < Math.max(emitted.length, told.length); i++) {
      const [chain, mirror] = [emitted[i], told[i]];
      const [said, mirror_] = [chain && [...chain.topics, chain.data].join(" "), mirror && [...mirror.topics, mirror.data].join(" ")];
      if (said !== mirror_) differences.push({ what: `event ${i}`, chain: said ?? "none", mirror: mirror_ ?? "none" });
    }
  } finally {
    await request("evm_revert", [snapshot]);
  }
  return differences;
}

/** Of a function that returns bytes alone (hex with 0x). */
function bytesOf(answer: string): string {
  const size = Number.parseInt(answer.slice(66, 130), 16);
  return answer.slice(130, 130 + 2 * size);
}
