/** Where a transaction's gas goes, by what it is spent on, so that what a layout costs can be told from what computing costs. */
import { type Provider, getBytes } from "ethers";

/** Gas of one transaction. All but `refunds` add up to what is used before refunds, those of inner calls included. */
export interface GasTrace {
  /** The transaction itself and its calldata. */
  readonly base: number;
  readonly reads: number;
  readonly writes: number;
  readonly events: number;
  /** Of calls themselves: the way to another contract's code, not what that does. */
  readonly calls: number;
  /** Everything else: arithmetic, memory, jumps, hashes. */
  readonly computing: number;
  /** Given back at the end; below zero. */
  readonly refunds: number;
}

interface Step {
  readonly op: string;
  readonly gas: number;
  readonly gasCost: number;
  readonly depth: number;
}

const kinds: readonly (readonly [kind: "reads" | "writes" | "events" | "calls", ops: RegExp])[] = [
  ["reads", /^(SLOAD|TLOAD)$/],
  ["writes", /^(SSTORE|TSTORE)$/],
  ["events", /^LOG\d$/],
  ["calls", /^(CALL|DELEGATECALL|STATICCALL|CALLCODE|CREATE2?|EXTCODESIZE|EXTCODEHASH|BALANCE)$/],
];

/** A provider by which any method of the node can be called. */
type Node = Provider & { send(method: string, params: unknown[]): Promise<unknown> };

/** Traces a mined transaction. The node must answer debug_traceTransaction. */
export async function traceGas(provider: Node, hash: string, gasUsed: number): Promise<GasTrace> {
  const options = { disableMemory: true, disableStack: true, disableStorage: true };
  const { structLogs } = (await provider.send("debug_traceTransaction", [hash, options])) as { structLogs: Step[] };
  const transaction = await provider.getTransaction(hash);
  const spent = { reads: 0, writes: 0, events: 0, calls: 0, computing: 0 };
  for (const [i, step] of structLogs.entries()) {
    const kind = kinds.find(([, ops]) => ops.test(step.op))?.[0] ?? "computing";
    spent[kind] += ownGas(structLogs, i);
  }
  const base = 21_000 + calldataGas(getBytes(transaction?.data ?? "0x"));
  const all = base + Object.values(spent).reduce((sum, gas) => sum + gas, 0);
  return { base, ...spent, refunds: gasUsed - all };
}

/** What a step costs, without what the code costs that it calls. */
function ownGas(steps: readonly Step[], i: number): number {
  const step = steps[i];
  const next = steps[i + 1];
  if (step === undefined) return 0;
  // The last one of a call: what is left goes back to the caller.
  if (next === undefined || next.depth < step.depth) return step.gasCost;
  if (next.depth === step.depth) return step.gas - next.gas;
  // A call: from its gas to that of the step after it, less what is spent inside.
  let inner = 0;
  for (let at = i + 1; at < steps.length; at += 1) {
    const later = steps[at];
    if (later?.depth === step.depth) return step.gas - later.gas - inner;
    inner += ownGas(steps, at);
  }
  return step.gas - inner;
}

/** 4 a zero byte, 16 any other (EIP-2028). */
function calldataGas(data: Uint8Array): number {
  return data.reduce((sum, byte) => sum + (byte === 0 ? 4 : 16), 0);
}
