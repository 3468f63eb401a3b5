// Measures how fast liquidatable accounts are found, and how fast finding them starts. Medians; "best" is the fastest run, which a busy
// machine disturbs least. --json prints only the figures as one line.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { Command, InvalidArgumentError } from "commander";

import { Detector, PackedAccounts, packWords } from "../keeper/index.js";
import { Book, type BookBlock, type VaultLog } from "../sdk/book/index.js";
import { VaultStorage } from "../sdk/risk/types/VaultStorage.js";
import { type DrawnAccount, RandomBooks, randomStreams } from "../simulator/index.js";
import { MarginVault__factory } from "../typechain-types/index.js";

const whole = (least: number) => (text: string) => {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least) throw new InvalidArgumentError(`give a whole number from ${least} up`);
  return value;
};
const options = new Command("npm run bench:keeper --")
  .option("--json", "print the figures as one JSON object on the last line of stdout")
  .option("--accounts <n>", "in the sweep and the snapshot; as many events", whole(1_000), 1_000_000)
  .option("--runs <n>", "how many, of which the median counts", whole(9), 9)
  .parse()
  .opts<{ json?: true; accounts: number; runs: number }>();

const goals: Readonly<Record<string, number>> = {
  sweepMs: 12,
  bytesPerAccount: 100,
  detectMs: 25,
  snapshotStartMs: 5_000,
};
/** The sweep, of what C needs. */
const timesReference = 6;
const eventsPerSecondGoal = 100_000;
const markets = 20;
const positions = 5;
const detectAccounts = 100_000;
const liquidatableAccounts = 100;
const eventsABlock = 50;
/** No price moves by more than this share from one run to the next: who is liquidatable is so for good. */
const step = 0.0005;

const folder = mkdtempSync(join(tmpdir(), "ballast-bench-"));
try {
  report(measure());
} finally {
  rmSync(folder, { recursive: true });
}

function measure(): Record<string, number | null> {
  const { accounts, runs } = options;
  const books = newBooks();
  const file = join(folder, "accounts");
  const words = function* (): Iterable<bigint> {
    for (let number = 0; number < accounts; ++number) yield* wordsOf(draw(books, number, accounts / 1_000));
  };
  writeFileSync(file, packWords(accounts, words));

  let started: { detector: Detector; storage: VaultStorage } | undefined;
  const snapshotStart = timesOf(runs, () => {
    started = undefined; // or two would be there at once
    const storage = withMarketsOf(books);
    const packed = new PackedAccounts(readFileSync(file));
    packed.layUnder(storage);
    const detector = new Detector(storage, [books.pool, books.insurance], packed);
    detector.candidates(...books.at(books.prices, storage));
    started = { detector, storage };
  });
  if (started === undefined) throw new TypeError("nothing was started");
  const { detector, storage } = started as { detector: Detector; storage: VaultStorage };
  const bytesPerAccount = detector.byteLength / accounts;
  const sweeps = Array.from({ length: 12 * runs }, () => books.at(books.moved(step), storage));
  const sweep = sweeps.map(([$, context]) => timeOf(() => detector.candidates($, context)));
  started = undefined;

  const cReference = referenceTimes(12 * runs);
  const detect = detectTimes(12 * runs);
  const events = eventTimes();
  return {
    accounts,
    sweepMs: median(sweep),
    sweepBestMs: Math.min(...sweep),
    bytesPerAccount,
    cReferenceMs: cReference?.median ?? null,
    cReferenceBestMs: cReference?.best ?? null,
    detectMs: median(detect),
    detectBestMs: Math.min(...detect),
    snapshotStartMs: median(snapshotStart),
    snapshotStartBestMs: Math.min(...snapshotStart),
    eventsPerSecond: (1_000 * accounts) / median(events),
    eventsPerSecondBest: (1_000 * accounts) / Math.min(...events),
  };
}

function newBooks(): RandomBooks {
  const [random] = randomStreams(1, 1);
  if (random === undefined) throw new TypeError("no stream");
  return new RandomBooks(random, { markets, collaterals: 4 });
}

/** Five positions each, and a collateral for every fifth account, which may owe cash; the first ones are liquidatable. */
function draw(books: RandomBooks, number: number, liquidatable: number): DrawnAccount {
  const margins = number < liquidatable ? 0.9 : 3;
  return books.drawAccount(number, { positions, collaterals: number % 5 === 4 ? 1 : 0, margins });
}

function* wordsOf({ id, word, positions: held, amounts }: DrawnAccount): Iterable<bigint> {
  yield BigInt(id);
  yield word;
  yield* held.values();
  yield* amounts.values();
}

/** Books with the same parameters, and no accounts. */
function withMarketsOf({ storage }: RandomBooks): VaultStorage {
  const { marketCount, collateralCount, accountRisk, cashIndices } = storage;
  const copy = Object.assign(new VaultStorage(), { marketCount, collateralCount, accountRisk, cashIndices });
  for (let id = 0; id < marketCount; ++id) Object.assign(copy.markets(id), storage.markets(id));
  for (const index of storage.collaterals.keys()) copy.collaterals.set(index, storage.collaterals.get(index));
  return copy;
}

/** From new prices to the accounts that are liquidatable, exactly. */
function detectTimes(runs: number): number[] {
  const books = newBooks();
  const ids = Array.from({ length: detectAccounts }, (_, number) =>
    books.write(draw(books, number, liquidatableAccounts)),
  );
  const detector = new Detector(books.storage, [books.pool, books.insurance]);
  detector.update(ids);
  return Array.from({ length: runs }, () => {
    const prices = books.moved(step);
    return timeOf(() => {
      const found = detector.liquidatable(...books.at(prices)).length;
      if (found !== liquidatableAccounts) throw new RangeError(`${found} accounts are liquidatable`);
    });
  });
}

/** From logs as a node tells them to the first sweep. */
function eventTimes(): number[] {
  const books = newBooks();
  const address = (digit: string) => `0x${digit.repeat(40)}`;
  const deployment = {
    chainId: 31_337,
    fromBlock: 0,
    vault: address("a"),
    pool: address("b"),
    settlementToken: { symbol: "USDC", address: address("c"), decimals: 6 },
  };
  const abi = MarginVault__factory.createInterface();
  const topic = {
    account: abi.getEvent("AccountChanged").topicHash,
    position: abi.getEvent("PositionChanged").topicHash,
  };
  const hex = (word: bigint | number) => word.toString(16).padStart(64, "0");
  const logs: [topics: string[], word: string][] = [];
  for (let number = 0; logs.length < options.accounts; ++number) {
    const { id, word, positions: held } = books.drawAccount(number, { positions, collaterals: 0, margins: 3 });
    for (const [market, position] of held) logs.push([[topic.position, id, `0x${hex(market)}`], hex(position)]);
    logs.push([[topic.account, id], hex(word)]);
  }
  const text = JSON.stringify(logs.slice(0, options.accounts));
  logs.length = 0;
  const hash = (number: number) => `0x${hex(number + 1)}`;
  return Array.from({ length: options.runs }, () => {
    // Anew each time: a string that was a key before is found faster.
    const all = (JSON.parse(text) as [string[], string][]).map(([topics, word]): VaultLog => ({
      address: deployment.vault,
      topics,
      data: `0x${word}`,
    }));
    return timeOf(() => {
      const book = new Book(deployment);
      Object.assign(book.storage, { marketCount: markets, accountRisk: books.storage.accountRisk });
      book.storage.cashIndices = books.storage.cashIndices;
      for (let id = 0; id < markets; ++id) Object.assign(book.storage.markets(id), books.storage.markets(id));
      for (let number = 0; number * eventsABlock < all.length; ++number) {
        const block: BookBlock = { number, hash: hash(number), parentHash: hash(number - 1), timestamp: number };
        book.apply(block, all.slice(number * eventsABlock, (number + 1) * eventsABlock));
      }
      const detector = new Detector(book.storage, [books.pool, books.insurance]);
      detector.update(book.storage.accounts.keys());
      detector.candidates(...books.at(books.prices, book.storage));
    });
  });
}

/** The same loop as C, if there is a compiler. */
function referenceTimes(runs: number): { median: number; best: number } | undefined {
  const binary = join(folder, "reference");
  const source = fileURLToPath(new URL("./sweep-reference.c", import.meta.url));
  const compiler = ["cc", "gcc", "clang"].find(
    (name) => spawnSync(name, ["-O3", source, "-o", binary, "-lm"]).status === 0,
  );
  if (compiler === undefined) return undefined;
  const sizes = [options.accounts, positions, markets, runs].map(String);
  const { status, stdout } = spawnSync(binary, sizes, { encoding: "utf8" });
  if (status !== 0) throw new TypeError(`the reference ended with ${status}`);
  const [middle = 0, best = 0] = stdout.split(" ").map(Number);
  return { median: middle, best };
}

function timeOf(act: () => void): number {
  const start = performance.now();
  act();
  return performance.now() - start;
}

function timesOf(runs: number, act: () => void): number[] {
  return Array.from({ length: runs }, () => timeOf(act));
}

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? NaN;
}

function report(figures: Readonly<Record<string, number | null>>): void {
  const rounded = Object.fromEntries(
    Object.entries(figures).map(([key, figure]) => [key, figure === null ? null : Math.round(100 * figure) / 100]),
  );
  if (options.json === true) console.log(JSON.stringify(rounded));
  else {
    for (const [key, figure] of Object.entries(rounded)) {
      console.log(`${key.padEnd(22)}${(figure?.toLocaleString("en-US") ?? "no compiler").padStart(14)}`);
    }
  }
  const missed = Object.entries(goals).filter(([key, goal]) => (figures[key] ?? 0) > goal);
  for (const [key, goal] of missed) console.error(`${key} is ${figures[key]}, more than ${goal}`);
  const { sweepMs, cReferenceMs } = figures;
  const isFar = typeof cReferenceMs === "number" && (sweepMs ?? 0) > timesReference * cReferenceMs;
  if (isFar) console.error(`the sweep takes more than ${timesReference} times what C does`);
  const isSlow = (figures["eventsPerSecond"] ?? 0) < eventsPerSecondGoal;
  if (isSlow) console.error(`eventsPerSecond is ${figures["eventsPerSecond"]}, less than ${eventsPerSecondGoal}`);
  if (missed.length > 0 || isSlow || isFar) process.exitCode = 1;
}
