import { dataSlice, getBytes, keccak256, toQuantity } from "ethers";

import { vaultInterface } from "../contracts.js";
import { NodeAnswerError } from "./errors.js";
import type { VaultLog } from "./logs.js";
import type { BookBlock } from "./snapshot.js";

/** A node, by any way to it: ethers' JsonRpcProvider is one. */
export interface RpcSender {
  send(method: string, params: unknown[]): Promise<unknown>;
}

/** A block's header. */
export interface Header extends BookBlock {
  /** Whether a log of the vault may be in the block: false is sure, true is not. */
  readonly mayHaveLogs: boolean;
}

/** A log, and where it stands on the chain. */
export interface PlacedLog extends VaultLog {
  readonly blockNumber: number;
  readonly blockHash: string;
  readonly logIndex: number;
}

/** What the follower asks of a node, and every answer checked for its form. Throws NodeAnswerError. */
export class VaultNode {
  readonly #node: RpcSender;
  readonly #vault: string;
  readonly #bloomBits: readonly number[];

  constructor(node: RpcSender, vault: string) {
    this.#node = node;
    this.#vault = vault.toLowerCase();
    // Of a bloom filter's 2048 bits an address sets three, told by the first words of its hash.
    const hash = keccak256(vault);
    this.#bloomBits = [0, 2, 4].map((at) => Number(dataSlice(hash, at, at + 2)) & 2047);
  }

  async chainId(): Promise<number> {
    const method = "eth_chainId";
    return count(method, "the chain id", await this.#ask(method, []));
  }

  /** The block of this number; undefined: the node has none. */
  async header(block: number | "latest"): Promise<Header | undefined> {
    const method = "eth_getBlockByNumber";
    const answer = await this.#ask(method, [block === "latest" ? block : toQuantity(block), false]);
    if (answer === null && block !== "latest") return undefined;
    const { number, hash, parentHash, timestamp, logsBloom } = fields(method, answer);
    const header = {
      number: count(method, "number", number),
      hash: hex(method, "hash", hash),
      parentHash: hex(method, "parentHash", parentHash),
      timestamp: count(method, "timestamp", timestamp),
      mayHaveLogs: typeof logsBloom !== "string" || this.#isIn(logsBloom),
    };
    if (block !== "latest" && header.number !== block) {
      throw new NodeAnswerError(method, `block ${header.number} was told instead of ${block}`);
    }
    return header;
  }

  /** The vault's logs of these blocks (both included), in order. A range that the node refuses is asked for in halves. */
  async logs(fromBlock: number, toBlock: number): Promise<PlacedLog[]> {
    try {
      return await this.#logs({ fromBlock: toQuantity(fromBlock), toBlock: toQuantity(toBlock) }, fromBlock, toBlock);
    } catch (error) {
      if (fromBlock === toBlock || !(error instanceof NodeAnswerError) || error.cause === undefined) throw error;
      const middle = Math.floor((fromBlock + toBlock) / 2);
      const first = await this.logs(fromBlock, middle);
      return [...first, ...(await this.logs(middle + 1, toBlock))];
    }
  }

  /** The vault's logs of the block with this hash. */
  logsOf({ hash, number }: BookBlock): Promise<PlacedLog[]> {
    return this.#logs({ blockHash: hash }, number, number);
  }

  /** Words of the vault's storage after this block, in the order of the slots. All are zero while there is no vault. */
  async words({ hash }: BookBlock, slots: readonly string[]): Promise<bigint[]> {
    const method = "eth_call";
    const data = vaultInterface.encodeFunctionData("extsload", [[...slots]]);
    const answer = hex(method, "the words", await this.#ask(method, [{ to: this.#vault, data }, { blockHash: hash }]));
    if (answer === "0x") return slots.map(() => 0n);
    const words: bigint[] = [];
    // After an offset and a length.
    for (let at = 2 + 2 * 64; at < answer.length; at += 64) words.push(BigInt(`0x${answer.slice(at, at + 64)}`));
    if (words.length !== slots.length) {
      throw new NodeAnswerError(method, `${words.length} words were told of ${slots.length} slots`);
    }
    return words;
  }

  async #logs(filter: Readonly<Record<string, string>>, fromBlock: number, toBlock: number): Promise<PlacedLog[]> {
    const method = "eth_getLogs";
    const answer = await this.#ask(method, [{ address: this.#vault, ...filter }]);
    if (!Array.isArray(answer)) throw new NodeAnswerError(method, "it is not a list");
    const logs = answer.map((log) => placedLog(method, log));
    for (const { address, blockNumber } of logs) {
      if (address.toLowerCase() !== this.#vault) throw new NodeAnswerError(method, `a log of ${address} is among them`);
      if (blockNumber < fromBlock || blockNumber > toBlock) {
        throw new NodeAnswerError(method, `a log of block ${blockNumber} is among those of ${fromBlock} to ${toBlock}`);
      }
    }
    logs.sort((a, b) => a.blockNumber - b.blockNumber || a.logIndex - b.logIndex);
    for (const [at, { blockNumber, logIndex }] of logs.entries()) {
      const before = logs[at - 1];
      if (before?.blockNumber === blockNumber && before.logIndex === logIndex) {
        throw new NodeAnswerError(method, `log ${logIndex} of block ${blockNumber} is told twice`);
      }
    }
    return logs;
  }

  async #ask(method: string, params: unknown[]): Promise<unknown> {
    try {
      return await this.#node.send(method, params);
    } catch (cause) {
      throw new NodeAnswerError(method, cause instanceof Error ? cause.message : String(cause), cause);
    }
  }

  #isIn(logsBloom: string): boolean {
    const bloom = getBytes(logsBloom);
    return this.#bloomBits.every((bit) => (((bloom[255 - (bit >> 3)] ?? 0) >> (bit & 7)) & 1) === 1);
  }
}

function placedLog(method: string, log: unknown): PlacedLog {
  const { address, topics, data, blockNumber, blockHash, logIndex, removed } = fields(method, log);
  if (removed === true) throw new NodeAnswerError(method, "a removed log is among them");
  if (!Array.isArray(topics)) throw new NodeAnswerError(method, "a log has no topics");
  return {
    address: hex(method, "address", address),
    topics: topics.map((topic) => hex(method, "a topic", topic)),
    data: hex(method, "data", data),
    blockNumber: count(method, "blockNumber", blockNumber),
    blockHash: hex(method, "blockHash", blockHash),
    logIndex: count(method, "logIndex", logIndex),
  };
}

function fields(method: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) throw new NodeAnswerError(method, `${String(value)} is no object`);
  return value as Record<string, unknown>;
}

function hex(method: string, what: string, value: unknown): string {
  if (typeof value !== "string" || !/^0x[0-9a-fA-F]*$/.test(value)) {
    throw new NodeAnswerError(method, `${what} is ${String(value)}`);
  }
  return value;
}

function count(method: string, what: string, value: unknown): number {
  const number = Number(hex(method, what, value));
  if (!Number.isSafeInteger(number)) throw new NodeAnswerError(method, `${what} is ${String(value)}`);
  return number;
}
