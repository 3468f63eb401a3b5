import type { Block, Log, Provider } from "ethers";

import type { TypedContractEvent } from "../../typechain-types/common.js";
import type { AccountId } from "../accounts.js";
import type { MarginVault, PriceOracle } from "../contracts.js";
import type { Deployment } from "../deployment.js";
import { type BallastEvent, decodeLog } from "../events.js";
import { OptionError, ProviderLagError, ReorgError } from "./errors.js";

type NamesOf<Filters> = Exclude<keyof Filters & string, `${string}(${string}`>;
type ArgsOf<Event> = Event extends TypedContractEvent<infer _In, infer _Out, infer Args> ? Readonly<Args> : never;

export type VaultEventName = NamesOf<MarginVault["filters"]>;
export type OracleEventName = NamesOf<PriceOracle["filters"]>;
export type EventName = VaultEventName | OracleEventName;

/** Arguments of an event by name, as declared in Solidity. */
export type EventArgs<Name extends EventName> = Name extends VaultEventName
  ? ArgsOf<MarginVault["filters"][Name]>
  : Name extends OracleEventName
    ? ArgsOf<PriceOracle["filters"][Name]>
    : never;

/** An event of the vault or the oracle. Its name tells which arguments it has. */
export type StreamedEvent<Name extends EventName = EventName> = {
  readonly [Each in Name]: Omit<BallastEvent, "name" | "args"> & {
    readonly name: Each;
    readonly args: EventArgs<Each>;
    readonly blockHash: string;
  };
}[Name];

export interface EventStreamOptions<Name extends EventName = EventName> {
  /** The first block. By default the one after the latest. */
  readonly fromBlock?: number;
  /** Instead of it, the event that was told last before the reader stopped: begins with the one after it, if its block still stands. */
  readonly after?: Pick<StreamedEvent, "blockNumber" | "blockHash" | "logIndex">;
  /** Events that name this account, in whatever part. By default of all. */
  readonly account?: AccountId;
  /** By default all. */
  readonly names?: readonly Name[];
  /** How many blocks must stand on a block before its events are told: as many as may be taken back. By default none. */
  readonly confirmations?: number;
  /** Ends the stream. */
  readonly signal?: AbortSignal;
  /** Between two looks for a new block. By default a second. */
  readonly pollMs?: number;
  /** How many old blocks are asked for at once; fewer where the provider refuses. */
  readonly rangeBlocks?: number;
}

/** Blocks so close to the head are asked for one by one, by their hashes: no node that lags answers that with nothing. */
const closeBlocks = 32;
/** So often in a row a node may refuse the logs of a block that another one has told of. */
const mostRefusals = 30;

/**
 * The events of vault and oracle from a block on, each once, in order, none left out; it goes on with the chain until the signal ends it.
 *
 * Throws ReorgError where a block that was told is taken back, the one of `after` included: what came of it is void, begin again before it (or
 * ask for confirmations). Throws UnknownLogError for contracts of another version, OptionError. A provider that lags is waited for; one that
 * refuses the same logs thirty times makes a ProviderLagError.
 */
export async function* streamEvents<Name extends EventName = EventName>(
  provider: Provider,
  deployment: Deployment,
  options: EventStreamOptions<Name> = {},
): AsyncGenerator<StreamedEvent<Name>, void, undefined> {
  const { after, confirmations = 0, signal, pollMs = 1_000, rangeBlocks = 2_000 } = options;
  for (const [option, value, least] of [
    ["fromBlock", options.fromBlock ?? 0, 0],
    ["after.blockNumber", after?.blockNumber ?? 0, 0],
    ["confirmations", confirmations, 0],
    ["pollMs", pollMs, 0],
    ["rangeBlocks", rangeBlocks, 1],
  ] as const) {
    if (!Number.isSafeInteger(value) || value < least) throw new OptionError(option, value, least);
  }
  const isOver = () => signal?.aborted === true;
  const isTold = (log: Log) =>
    after !== undefined && log.blockNumber === after.blockNumber && log.index <= after.logIndex;
  let next = after?.blockNumber ?? options.fromBlock ?? (await provider.getBlockNumber()) + 1;
  let last: { readonly number: number; readonly hash: string } | undefined;
  let refusals = 0;
  while (!isOver()) {
    const safe = (await provider.getBlockNumber()) - confirmations;
    while (next <= safe && !isOver()) {
      const far = safe - closeBlocks - next;
      const read = await readBlocks(
        provider,
        deployment,
        next,
        far >= 0 ? next + Math.min(far, rangeBlocks - 1) : next,
      );
      if (read instanceof ProviderLagError) {
        refusals += read.cause === undefined ? 0 : 1;
        if (refusals >= mostRefusals) throw read;
        break; // later
      }
      refusals = 0;
      const { logs, first, end } = read;
      if (after !== undefined && next === after.blockNumber && first.hash !== after.blockHash) {
        throw new ReorgError(next, after.blockHash, first.hash);
      }
      if (last !== undefined && first.parentHash !== last.hash) {
        throw new ReorgError(last.number, last.hash, first.parentHash);
      }
      for (const log of logs) {
        if (isTold(log)) continue;
        const event = decoded<Name>(log, deployment);
        if (isWanted(event, options)) yield event;
        if (isOver()) return;
      }
      last = end;
      next = end.number + 1;
    }
    await pause(pollMs, signal);
  }
}

interface Blocks {
  readonly logs: readonly Log[];
  readonly first: { readonly hash: string; readonly parentHash: string };
  readonly end: { readonly number: number; readonly hash: string };
}

/** The logs of these blocks (both included), or what is not there; its cause: what a node has refused. */
async function readBlocks(
  provider: Provider,
  { vault, oracle }: Deployment,
  fromBlock: number,
  toBlock: number,
): Promise<Blocks | ProviderLagError> {
  const address = [vault, oracle];
  const first = await provider.getBlock(fromBlock);
  if (!isSettled(first)) return new ProviderLagError(fromBlock);
  if (fromBlock === toBlock) {
    try {
      const logs = await provider.getLogs({ address, blockHash: first.hash });
      return { logs, first, end: first };
    } catch (error) {
      return new ProviderLagError(fromBlock, error); // another node than the one that told of the block
    }
  }
  const logs = await logsOfRange(provider, address, fromBlock, toBlock);
  const end = await provider.getBlock(toBlock); // after the logs: of a chain that moved meanwhile they are not
  if (!isSettled(end)) return new ProviderLagError(toBlock);
  const foreign = logs.find((log) => log.blockNumber === toBlock && log.blockHash !== end.hash);
  if (foreign !== undefined) throw new ReorgError(toBlock, foreign.blockHash, end.hash);
  return { logs, first, end };
}

function isSettled(block: Block | null): block is Block & { readonly hash: string } {
  return block !== null && block.hash !== null;
}

/** A range that the provider refuses is asked for in halves. */
async function logsOfRange(provider: Provider, address: string[], fromBlock: number, toBlock: number): Promise<Log[]> {
  try {
    return await provider.getLogs({ address, fromBlock, toBlock });
  } catch (error) {
    if (fromBlock === toBlock) throw new ProviderLagError(fromBlock, error);
    const middle = Math.floor((fromBlock + toBlock) / 2);
    const first = await logsOfRange(provider, address, fromBlock, middle);
    return [...first, ...(await logsOfRange(provider, address, middle + 1, toBlock))];
  }
}

function decoded<Name extends EventName>(log: Log, { vault }: Deployment): StreamedEvent<Name> {
  const event = decodeLog(log, log.address.toLowerCase() === vault.toLowerCase() ? "vault" : "oracle");
  return { ...event, blockHash: log.blockHash } as unknown as StreamedEvent<Name>;
}

function isWanted(
  { name, args }: { readonly name: string; readonly args: object },
  { account, names }: { readonly account?: AccountId; readonly names?: readonly string[] },
): boolean {
  if (names !== undefined && !names.includes(name)) return false;
  if (account === undefined) return true;
  const wanted = account.toLowerCase();
  return Object.values(args).some((value) => typeof value === "string" && value.toLowerCase() === wanted);
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done);
    if (signal?.aborted === true) done();
  });
}
