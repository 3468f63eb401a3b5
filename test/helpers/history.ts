import { toBeHex, toQuantity } from "ethers";

import { type AccountId, type Deployment } from "../../sdk/index.js";
import { LogReader, type VaultLog } from "../../sdk/book/index.js";
import type { VaultStorage } from "../../sdk/risk/types/VaultStorage.js";
import { MarginVault__factory } from "../../typechain-types/index.js";
import { StorageTrie } from "./storageTrie.js";
import { type Place, differences, extentOf, place, placesOf, readStorage, sentence, toldBy } from "./vaultStorage.js";

/** What the chain says of the vault after a block. */
export interface Block {
  readonly number: number;
  readonly transactions: number;
  readonly logs: readonly VaultLog[];
  /** In the order of the places. */
  readonly words: readonly bigint[];
  /** Of all storage of the vault, as the state root commits to it. */
  readonly storageRoot: string;
}

/** All that a chain says of a vault since its deployment. */
export interface History {
  readonly deployment: Deployment;
  readonly places: readonly Place[];
  readonly blocks: readonly Block[];
  /** What it says once a word was raised by one behind the contract's back, after the last block. */
  readonly corrupted: Pick<Block, "words" | "storageRoot"> & { readonly place: Place };
}

const vaultInterface = MarginVault__factory.createInterface();

type Request = (method: string, params: unknown[]) => Promise<unknown>;
type RawLog = VaultLog & { readonly blockNumber: string };

/** Reads a local chain's whole history, and then corrupts a word of it: nothing can be done with the vault after it. */
export async function readHistory(request: Request, deployment: Deployment): Promise<History> {
  const { vault: address, fromBlock } = deployment;
  const filter = { address, fromBlock: toQuantity(fromBlock), toBlock: "latest" };
  const logs = (await request("eth_getLogs", [filter])) as RawLog[];
  const whole = readLogs(deployment, logs);
  // Every account that ever is, from the first block on: what is stored of one before the log names it is found too.
  const accounts = accountsNamed(logs);
  const places = placesOf({ ...extentOf(whole), accounts }).map(({ name, slot }) => ({ name, slot }));
  const slots = places.map(({ slot }) => slot);
  const stateAt = async (block: string) => {
    const words = await readStorage(request, address, slots, block);
    const proof = (await request("eth_getProof", [address, [], block])) as { storageHash: string };
    return { words, storageRoot: proof.storageHash };
  };
  const blocks: Block[] = [];
  const last = Number(await request("eth_blockNumber", []));
  for (let number = fromBlock; number <= last; number += 1) {
    blocks.push({
      number,
      transactions: Number(await request("eth_getBlockTransactionCountByNumber", [toQuantity(number)])),
      logs: logs.filter(({ blockNumber }) => Number(blockNumber) === number),
      ...(await stateAt(toQuantity(number))),
    });
  }
  const corrupt = place.account(whole.accounts.keys().at(-1)!);
  const raised = BigInt((await request("eth_getStorageAt", [address, corrupt.slot, "latest"])) as string) + 1n;
  await request("hardhat_setStorageAt", [address, corrupt.slot, toBeHex(raised, 32)]);
  return { deployment, places, blocks, corrupted: { ...(await stateAt("latest")), place: corrupt } };
}

/** The storage that these logs tell. */
export function readLogs(deployment: Deployment, logs: readonly VaultLog[]): VaultStorage {
  const reader = new LogReader(deployment);
  for (const log of logs) reader.apply(log);
  return reader.storage;
}

/** Every account whose word ever changed. */
export function accountsNamed(logs: readonly VaultLog[]): Set<AccountId> {
  const { topicHash } = vaultInterface.getEvent("AccountChanged");
  const ofAccounts = logs.filter(({ topics }) => topics[0] === topicHash);
  return new Set(ofAccounts.map(({ topics }) => topics[1]!.toLowerCase() as AccountId));
}

/** Where log and storage differ after the first block after which they do, in sentences. */
export function disagreements({ deployment, places, blocks }: History): readonly string[] {
  const reader = new LogReader(deployment);
  const trie = new StorageTrie();
  for (const { number, logs, words, storageRoot } of blocks) {
    for (const log of logs) reader.apply(log);
    const told = toldBy(reader.storage);
    const found = differences(told, named(places, words)).map(sentence);
    if (rootOf(places, told, trie) !== storageRoot) found.push("the root of all storage is another than the log's");
    if (found.length > 0) return [`after block ${number}:`, ...found];
  }
  return [];
}

/** Storage words by the names of their places. */
export function named(places: readonly Place[], words: readonly bigint[]): Map<string, bigint> {
  return new Map(places.map(({ name }, i) => [name, words[i]!]));
}

/** The root of a storage that has what is told, and nothing else. */
export function rootOf(places: readonly Place[], told: ReadonlyMap<string, bigint>, trie = new StorageTrie()): string {
  for (const { name, slot } of places) trie.set(slot, told.get(name) ?? 0n);
  return trie.root();
}

/** What the log without some of it and the last block's storage say differently. */
export function differencesWithout({ deployment, places, blocks }: History, left: (log: VaultLog) => boolean) {
  const logs = blocks.flatMap((block) => block.logs).filter((log) => !left(log));
  return differences(toldBy(readLogs(deployment, logs)), named(places, blocks.at(-1)!.words));
}

/** An event of the vault, decoded. */
export function eventOf(log: VaultLog) {
  const { topics, data } = log;
  const parsed = vaultInterface.parseLog({ topics, data });
  if (parsed === null) throw new TypeError(`the vault has no event of topic ${topics[0]}`);
  return parsed;
}
