// The demo: a chain of its own, a population, a price file step by step, and the real keeper. `npm start -- --help` tells the options.
import { openSync } from "node:fs";

import { Command, InvalidArgumentError } from "commander";
import { HDNodeWallet } from "ethers";
import { pino } from "pino";

import { createKeeperStep } from "../keeper/index.js";
import {
  PortInUseError,
  PriceFileError,
  UnknownScenarioError,
  UnlistablePriceError,
  defaultScenario,
  exitCode,
  figuresLine,
  readPrices,
  run,
  scenarioFile,
  scenarioNames,
  scenarioStress,
  selfScenario,
  stepLines,
  stepMatters,
  summaryLines,
  tableLayout,
  wantsColors,
} from "../simulator/index.js";

const testMnemonic = "test test test test test test test test test test test junk";
const badUsage = 2;

const whole = (least: number, most: number) => (text: string) => {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) {
    throw new InvalidArgumentError(`give a whole number from ${least} to ${most}`);
  }
  return value;
};

const newFile = (path: string) => {
  try {
    return openSync(path, "w");
  } catch (error) {
    throw new InvalidArgumentError(`it cannot be written (${String(error)}): give another path`);
  }
};

interface Options {
  readonly prices?: string;
  readonly scenario: string;
  readonly accounts: number;
  readonly seed: number;
  readonly takers: number;
  readonly port?: number;
  /** File descriptor. */
  readonly log?: number;
  readonly json?: true;
}

const command = new Command("npm start --")
  .description("Runs a price history over a population of accounts, with the keeper liquidating, and audits the books")
  .option("--scenario <name>", `one of ${[...scenarioNames, selfScenario].join(", ")}`, defaultScenario)
  .option("--prices <file>", "a CSV file instead: timestamp_iso, then one column an asset")
  .option("--accounts <n>", "how many", whole(1, 5_000), 200)
  .option("--seed <n>", "of the population", whole(0, 2 ** 32 - 1), 1)
  .option("--takers <n>", "keepers with capital, which take positions beside the pool", whole(0, 20), 0)
  .option("--port <n>", "of the chain, on 127.0.0.1; a free one by default", whole(1, 65_535))
  .option("--log <file>", "the keeper's log: what it did about each account at risk, or why not", newFile)
  .option("--json", "figures as one JSON object on the last line of stdout; all else goes to stderr")
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : badUsage));
const options = command.parse().opts<Options>();

const people = options.json === true ? process.stderr : process.stdout;
const say = (lines: readonly string[]) => people.write(`${lines.join("\n")}\n`);

try {
  const selfLiquidation = options.scenario === selfScenario;
  const file = readPrices(options.prices ?? scenarioFile(selfLiquidation ? defaultScenario : options.scenario));
  const stress = options.prices === undefined ? scenarioStress(options.scenario) : undefined;
  const log = options.log === undefined ? undefined : pino(pino.destination({ dest: options.log, sync: true }));
  const layout = tableLayout(file.assets, wantsColors(people, process.env), options.takers);
  let before: Parameters<typeof stepMatters>[1];
  let printed = 0;
  const figures = await run({
    scenario: options.prices ?? options.scenario,
    file,
    accounts: options.accounts,
    seed: options.seed,
    takers: options.takers,
    selfLiquidation,
    ...(stress === undefined ? {} : { stress }),
    ...(options.port === undefined ? {} : { port: options.port }),
    createKeeper: (rpcUrl, deployment, keyIndex, isTaker) =>
      createKeeperStep({
        rpcUrl,
        deployment,
        isTaker,
        ...(log && { log }),
        privateKey: HDNodeWallet.fromPhrase(testMnemonic, undefined, `m/44'/60'/0'/0/${keyIndex}`).privateKey,
      }),
    onProgress(phase, done, of) {
      if (of === 0 || done === of || done % 50 === 0)
        process.stderr.write(of > 1 ? `${phase} ${done}/${of}\n` : `${phase}\n`);
    },
    onStep(step, at) {
      if (stepMatters(step, before, at === file.rows.length - 1)) say(stepLines(step, printed++, layout));
      else if (at % 500 === 0) process.stderr.write(`step ${at}/${file.rows.length}\n`);
      before = step;
    },
  });
  say(summaryLines(figures, layout.colors));
  if (options.json === true) console.log(figuresLine(figures));
  process.exitCode = exitCode(figures);
} catch (error) {
  const usages = [PortInUseError, PriceFileError, UnknownScenarioError, UnlistablePriceError];
  const usage = error instanceof Error && usages.some((kind) => error instanceof kind);
  // A node's error carries the sources that it came from: too long to be read.
  console.error(usage ? `${error.name}: ${error.message}` : error instanceof Error ? error.stack : error);
  process.exitCode = usage ? badUsage : 1;
}
