// Measures how many events a second a book applies, block by block and with all that undoing needs. --json prints only the figures as one line.
import { Command, InvalidArgumentError } from "commander";
import { keccak256, toBeHex } from "ethers";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { uniformInt } from "pure-rand/distribution/uniformInt";

import { accountId } from "../sdk/index.js";
import { Book, type BookBlock, type VaultLog } from "../sdk/book/index.js";
import { MarginVault__factory } from "../typechain-types/index.js";

const whole = (least: number) => (text: string) => {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least) throw new InvalidArgumentError(`give a whole number from ${least} up`);
  return value;
};

const options = new Command("npm run bench:book --")
  .option("--json", "print the figures as one JSON object on the last line of stdout")
  .option("--runs <n>", "how many, of which the median counts", whole(9), 11)
  .option("--events <n>", "in each run", whole(1_000), 100_000)
  .parse()
  .opts<{ json?: true; runs: number; events: number }>();

/** What must be reached: events a second. */
const goal = 500_000;
const accounts = 1_000;
const markets = 8;
const eventsABlock = 40;

const vaultInterface = MarginVault__factory.createInterface();
const address = (number: number) => toBeHex(number, 20);
const deployment = {
  chainId: 31_337,
  fromBlock: 0,
  vault: address(0xa1),
  pool: address(0xb2),
  settlementToken: { symbol: "USDC", address: address(0xc3), decimals: 6 },
};
const tokens = [address(0xd0), address(0xd1)];

const random = xoroshiro128plus(1);
const below = (most: number) => uniformInt(random, 0, most - 1);
const one = <T>(of: readonly T[]): T => {
  const found = of[below(of.length)];
  if (found === undefined) throw new RangeError("nothing to choose from");
  return found;
};
const word = () => BigInt(keccak256(toBeHex(below(2 ** 31), 4)));
const ids = Array.from({ length: accounts }, (_, at) => accountId(address(0x10000 + at)));

/** What a busy vault emits: mostly trades, with the words that each changes. By its parts in a hundred. */
const mix: readonly (readonly [parts: number, event: string, values: () => unknown[]])[] = [
  [22, "AccountChanged", () => [one(ids), word()]],
  [18, "PositionChanged", () => [one(ids), below(markets), word()]],
  [18, "MarketChanged", () => [below(markets), word(), word(), word()]],
  [12, "CashChanged", () => [word(), word(), word() >> 144n]],
  [6, "CollateralChanged", () => [one(ids), one(tokens), word() >> 176n]],
  [4, "Deposited", () => [one(ids), one([...tokens, deployment.settlementToken.address]), one(tokens), word() >> 176n]],
  [16, "Traded", () => [one(ids), below(markets), 10n ** 18n, word(), word(), -(10n ** 18n)]],
  [2, "SidesChanged", () => [below(markets), word(), word(), word()]],
  [1, "PositionLiquidated", () => [one(ids), below(markets), one(ids), one(tokens), 1n, 2n, 3n, 4n, 5n, 6n]],
  [1, "CapitalChanged", () => [word()]],
];
const drawn = mix.flatMap(([parts, ...event]) => Array.from({ length: parts }, () => event));

function logOf(event: string, values: readonly unknown[]): VaultLog {
  const fragment = vaultInterface.getEvent(event as "Traded");
  return { address: deployment.vault, ...vaultInterface.encodeEventLog(fragment, values) };
}

interface Block {
  readonly block: BookBlock;
  readonly logs: readonly VaultLog[];
}

function blocks(): Block[] {
  const hash = (number: number) => toBeHex(number + 1, 32);
  const listing = tokens.map((token, index) => logOf("CollateralParametersSet", [token, index, 1n << 143n, 0n]));
  const count = Math.ceil(options.events / eventsABlock);
  return Array.from({ length: count }, (_, number) => ({
    block: { number, hash: hash(number), parentHash: hash(number - 1), timestamp: 1_900_000_000 + number },
    logs: Array.from({ length: eventsABlock }, (_, at) => {
      const listed = number === 0 ? listing[at] : undefined;
      if (listed !== undefined) return listed;
      const [event, values] = one(drawn);
      return logOf(event, values());
    }),
  }));
}

/** As a node answers: so many blocks at once. */
const answerBlocks = 50;
const all = blocks();
const answers = Array.from({ length: Math.ceil(all.length / answerBlocks) }, (_, at) =>
  JSON.stringify(all.slice(at * answerBlocks, (at + 1) * answerBlocks)),
);
const rates: number[] = [];
/** The same by the time that the process had a processor: what else the machine has to do is not in it. */
const ratesByCpu: number[] = [];
for (let run = 0; run < options.runs; run += 1) {
  const book = new Book(deployment);
  let [milliseconds, microseconds] = [0, 0];
  for (const answer of answers) {
    // Anew each time: a string that was a key before is found faster.
    const some = JSON.parse(answer) as Block[];
    const [start, startCpu] = [performance.now(), process.cpuUsage()];
    for (const { block, logs } of some) book.apply(block, logs);
    const { user, system } = process.cpuUsage(startCpu);
    milliseconds += performance.now() - start;
    microseconds += user + system;
  }
  rates.push((all.length * eventsABlock * 1e3) / milliseconds);
  ratesByCpu.push((all.length * eventsABlock * 1e6) / microseconds);
}
const median = (of: readonly number[]) => Math.round(of.toSorted((a, b) => a - b)[Math.floor(of.length / 2)] ?? 0);
const figures = {
  runs: options.runs,
  events: options.events,
  accounts,
  eventsPerSecond: median(rates),
  slowest: Math.round(Math.min(...rates)),
  fastest: Math.round(Math.max(...rates)),
  eventsPerCpuSecond: median(ratesByCpu),
};
if (options.json === true) console.log(JSON.stringify(figures));
else {
  for (const [key, figure] of Object.entries(figures)) {
    console.log(`${key.padEnd(18)}${figure.toLocaleString("en-US").padStart(12)}`);
  }
}
if (figures.eventsPerSecond < goal) {
  console.error(`${figures.eventsPerSecond} events a second, less than ${goal}`);
  process.exitCode = 1;
}
