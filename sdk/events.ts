import type { Log, Provider } from "ethers";

import { contractInterfaces } from "./contracts.js";
import type { Deployment } from "./deployment.js";
import { BallastError } from "./errors.js";

/** An event of the vault or the oracle, by its name and arguments as declared in Solidity. */
export interface BallastEvent {
  readonly contract: "vault" | "oracle";
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly blockNumber: number;
  readonly logIndex: number;
  readonly transactionHash: string;
}

/** Where a log stands. */
export interface LogPlace {
  readonly blockNumber: number;
  readonly logIndex: number;
  readonly transactionHash: string;
}

/** A log that the ABI does not know: the contracts are of another version than this SDK. */
export class UnknownLogError extends BallastError {
  override readonly name = "UnknownLogError";
  readonly address: string;
  readonly topic: string;
  /** Undefined where whoever read the log does not know. */
  readonly place: LogPlace | undefined;

  constructor(address: string, topic: string, place?: LogPlace, cause?: unknown) {
    super(`${address} emitted a log with topic ${topic} that this version does not know: update the SDK`, { cause });
    this.address = address;
    this.topic = topic;
    this.place = place;
  }
}

/** Reads and decodes the logs of vault and oracle of these blocks (both included), in order. */
export async function readEvents(
  provider: Provider,
  { vault, oracle }: Deployment,
  fromBlock: number,
  toBlock: number | "latest",
): Promise<BallastEvent[]> {
  const logs = await provider.getLogs({ address: [vault, oracle], fromBlock, toBlock });
  return logs.map((log) => decodeLog(log, log.address.toLowerCase() === vault.toLowerCase() ? "vault" : "oracle"));
}

/** Throws UnknownLogError. */
export function decodeLog(log: Log, contract: "vault" | "oracle"): BallastEvent {
  const { blockNumber, index: logIndex, transactionHash } = log;
  const place = { blockNumber, logIndex, transactionHash };
  const unknown = (cause?: unknown) => new UnknownLogError(log.address, log.topics[0] ?? "none", place, cause);
  try {
    const parsed = contractInterfaces[contract === "vault" ? "MarginVault" : "PriceOracle"].parseLog(log);
    if (parsed === null) throw unknown();
    const { fragment, args: values } = parsed;
    const args = Object.fromEntries(fragment.inputs.map(({ name }, i): [string, unknown] => [name, values[i]]));
    return { contract, name: parsed.name, args, ...place };
  } catch (error) {
    throw error instanceof UnknownLogError ? error : unknown(error); // of a known name, with other data
  }
}
