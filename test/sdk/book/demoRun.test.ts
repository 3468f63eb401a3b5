import { expect } from "chai";
import { toQuantity } from "ethers";

import { createKeeperStep } from "../../../keeper/index.js";
import { type AccountId, type Deployment, accountId, place } from "../../../sdk/index.js";
import {
  Book,
  type BookBlock,
  BookFollower,
  type PlacedWord,
  accountWords,
  sharedWords,
} from "../../../sdk/book/index.js";
import { type Figures, parsePrices, run } from "../../../simulator/index.js";
import { MarginVault__factory } from "../../../typechain-types/index.js";
import { eventOf } from "../../helpers/history.js";
import { testKey } from "../../helpers/keys.js";
import { StorageTrie } from "../../helpers/storageTrie.js";
import { wordsOf } from "../../helpers/vaultStorage.js";

const accounts = 1_000;
/** Blocks asked for at once. */
const batch = 200;

/** One asset, so that the run is short, which falls by 4% an hour, slow enough for partial liquidations, and then by 30% at once. */
function slide(): string {
  const prices = [2300, 2208, 2116, 2024, 1932, 1357];
  return ["timestamp_iso,ETH", ...prices.map((price, hour) => `2024-01-01T0${hour}:00:00Z,${price}`), ""].join("\n");
}

interface RawLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
  readonly blockNumber: string;
}
type RawHeader = Readonly<Record<keyof BookBlock, string>>;

/** Many questions in one request: most of what a question costs is the way to the node. */
async function askAll(
  url: string,
  calls: readonly (readonly [method: string, params: unknown[]])[],
): Promise<unknown[]> {
  const body = JSON.stringify(calls.map(([method, params], id) => ({ jsonrpc: "2.0", id, method, params })));
  const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body });
  const answers = (await response.json()) as { result?: unknown; error?: unknown }[];
  return answers.map(({ result, error }) => {
    if (error !== undefined) throw new Error(JSON.stringify(error));
    return result;
  });
}

/** What following the run's chain found. */
interface Followed {
  readonly blocks: number;
  /** Blocks after which words were compared, and how many words. */
  readonly compared: number;
  readonly words: number;
  /** Whether the root of all storage was the book's, after the last block of each batch. */
  readonly roots: readonly boolean[];
  readonly differences: readonly string[];
  readonly book: Book;
  readonly events: ReadonlySet<string>;
}

const vaultInterface = MarginVault__factory.createInterface();
/** Events that name an account whose words they change. */
const ofAccounts = new Set(
  (["AccountChanged", "PositionChanged", "CollateralChanged"] as const).map(
    (name) => vaultInterface.getEvent(name).topicHash,
  ),
);
const slots = new Map<string, string>();

function slotOf({ place: at }: PlacedWord): string {
  const slot = slots.get(at.name) ?? at.slot;
  slots.set(at.name, slot);
  return slot;
}

/**
 * A book of the whole chain, block by block. After each block that has logs of the vault, all that no single account has and all that the
 * named accounts have are compared with storage; every so often the root of all storage.
 */
async function follow(url: string, deployment: Deployment): Promise<Followed> {
  const { vault, fromBlock } = deployment;
  const book = new Book(deployment);
  const trie = new StorageTrie();
  const [last] = (await askAll(url, [["eth_blockNumber", []]])) as [string];
  const roots: boolean[] = [];
  const differences: string[] = [];
  const events = new Set<string>();
  let [compared, words] = [0, 0];
  for (let from = fromBlock; from <= Number(last); from += batch) {
    const to = Math.min(Number(last), from + batch - 1);
    const numbers = Array.from({ length: to - from + 1 }, (_, at) => toQuantity(from + at));
    const range = { address: vault, fromBlock: toQuantity(from), toBlock: toQuantity(to) };
    const [logs, proof, ...headers] = (await askAll(url, [
      ["eth_getLogs", [range]],
      ["eth_getProof", [vault, [], toQuantity(to)]],
      ...numbers.map((number): [string, unknown[]] => ["eth_getBlockByNumber", [number, false]]),
    ])) as [RawLog[], { storageHash: string }, ...RawHeader[]];
    const told: { number: string; of: PlacedWord[] }[] = [];
    for (const { number, hash, parentHash, timestamp } of headers) {
      const ofBlock = logs.filter(({ blockNumber }) => blockNumber === number);
      book.apply({ number: Number(number), hash, parentHash, timestamp: Number(timestamp) }, ofBlock);
      if (ofBlock.length === 0) continue;
      for (const log of ofBlock) events.add(eventOf(log).name);
      const named = new Set<AccountId>([accountId(deployment.pool)]); // whose positions MarketChanged tells
      for (const { topics } of ofBlock) if (ofAccounts.has(topics[0]!)) named.add(topics[1] as AccountId);
      const of = [...sharedWords(book.storage), ...[...named].flatMap((id) => everyWord(book, id))];
      for (const word of of) trie.set(slotOf(word), word.word);
      told.push({ number, of });
    }
    const answers = await askAll(
      url,
      told.map(({ number, of }): [string, unknown[]] => {
        const data = vaultInterface.encodeFunctionData("extsload", [of.map(slotOf)]);
        return ["eth_call", [{ to: vault, data }, number]];
      }),
    );
    for (const [at, { number, of }] of told.entries()) {
      const [, , ...stored] = wordsOf(String(answers[at])); // after an offset and a length
      for (const [i, { place: where, word }] of of.entries()) {
        if (stored[i] !== word) differences.push(`block ${Number(number)}: ${where.name} ${word} ${stored[i]}`);
      }
      compared += 1;
      words += of.length;
    }
    roots.push(trie.root() === proof.storageHash);
  }
  return { blocks: Number(last) - fromBlock + 1, compared, words, roots, differences, book, events };
}

/** What an account has, and what it could have but has not. */
function everyWord(book: Book, id: AccountId): PlacedWord[] {
  const words = new Map<string, PlacedWord>();
  const { marketCount, collateralCount } = book.storage;
  for (let market = 0; market < marketCount; market += 1) {
    const at = place.position(id, market);
    words.set(at.name, { place: at, word: 0n });
  }
  for (let index = 0; index < collateralCount; index += 1) {
    const at = place.collateralOf(id, index);
    words.set(at.name, { place: at, word: 0n });
  }
  for (const word of accountWords(book.storage, id)) words.set(word.place.name, word);
  return [...words.values()];
}

describe("a book of 1,000 accounts", () => {
  let figures: Figures;
  let followed: Followed;
  let live: Book;

  before(async () => {
    figures = await run({
      scenario: "slide",
      file: parsePrices(slide(), "slide.csv"),
      accounts,
      seed: 1,
      onProgress: () => undefined,
      onStep: () => undefined,
      async createKeeper(rpcUrl, deployment, keyIndex) {
        const keeper = await createKeeperStep({ rpcUrl, deployment, privateKey: testKey(keyIndex).privateKey });
        live = new Book(deployment);
        const follower = new BookFollower(live, {
          send: async (method, params) => (await askAll(rpcUrl, [[method, params]]))[0],
        });
        return {
          async onBlock(blockNumber) {
            await follower.turn();
            return keeper.onBlock(blockNumber);
          },
          async close() {
            await keeper.close();
            await follower.turn();
            followed = await follow(rpcUrl, deployment);
          },
        };
      },
    });
  });

  it("follows a full demo run with liquidations, absorbs and losses", () => {
    expect(figures).to.include({ accounts, liquidatableLeft: 0, custodyOk: true, zeroSumOk: true });
    expect(figures.liquidations).to.be.above(10);
    expect(figures.absorbed).to.be.above(10);
    expect(followed.events).to.include.keys("PositionLiquidated", "Absorbed", "InsurancePaid", "CollateralAbsorbed");
    expect(followed.book.accounts().length).to.be.above(accounts - figures.absorbed);
  });

  it("equals the chain at every block, word by word and in the root of all storage", () => {
    expect(followed.differences).to.deep.equal([]);
    expect(followed.compared).to.be.above(2 * accounts);
    expect(followed.words).to.be.above(40 * followed.compared);
    expect(followed.roots).to.deep.equal(Array.from({ length: Math.ceil(followed.blocks / batch) }, () => true));
  });

  it("is the same that followed the run while it went on, from block to block or in ranges", () => {
    const contentOf = (book: Book) => {
      const { head, words } = JSON.parse(book.snapshot()) as Record<string, unknown>;
      return { head, words };
    };
    expect(contentOf(live)).to.deep.equal(contentOf(followed.book));
  });
});
