import { ContractError } from "../sdk/risk/ContractError.js";
import type { VaultCode } from "../sdk/risk/MarginVault.js";
import * as AccountWord from "../sdk/risk/types/AccountWord.js";
import type { Vault, VaultEvent } from "../sdk/risk/types/VaultStorage.js";
import { encodeCall, encodeError, encodeWords, word } from "./abi.js";
import type { Act, Mirror, Plot } from "./acts/act.js";
import { usualWant } from "./acts/act.js";
import { sizeOf, someMarket } from "./acts/choose.js";
import { plots } from "./acts/index.js";
import { drawProbe } from "./acts/probes.js";
import { closeCash, drawCashBook, setCash } from "./draw/cash.js";
import { abs } from "../sdk/risk/libraries/FixedPoint.js";
import { Draws } from "./draw/draws.js";
import { type Answers, type World, drawWorld, everyAccount, pickAccount } from "./draw/world.js";
import { type House, houseCount, now } from "./house.js";
import { mostMarkets } from "./places.js";

/** A question that changes nothing. */
export interface Question {
  readonly name: string;
  readonly args: readonly unknown[];
  /** What the mirror answers (hex without 0x). Throws the ContractError that the chain raises. */
  answer(mirror: Mirror, $: Vault, code: VaultCode): string;
}

/** A case: a state, what is asked of it, and what is done to it. */
export interface Situation {
  readonly seed: number;
  readonly house: House;
  readonly plot: string;
  /** As drawn: whoever acts on it forks it. */
  readonly vault: Vault;
  readonly code: VaultCode;
  readonly answers: Answers;
  /** The words of the house's places. */
  readonly words: readonly bigint[];
  readonly questions: readonly Question[];
  /** One after the other: the first is what the plot is about. */
  readonly acts: readonly Act[];
}

/** What a call came to: what it returned, or reverted with (hex without 0x). */
export interface Told {
  readonly done: boolean;
  readonly data: string;
}

export function houseOf(seed: number, houses: readonly House[]): House {
  const house = houses[seed % houseCount];
  if (house === undefined) throw new RangeError(`there is no house for ${seed}`);
  return house;
}

/** How many acts follow that aim at one branch each. */
const probesPerCase = 3;

/** The case of a seed: always the same. */
export function drawSituation(seed: number, houses: readonly House[]): Situation {
  const d = new Draws(seed);
  const house = houseOf(seed, houses);
  const plot = d.weighted(plots.map((plot): [number, Plot] => [plot.weight, plot]));
  const world = drawWorld(d, house, plot.wishes(d));
  drawCashBook(world);
  const wanted = new Map(plot.wants?.(world));
  for (const id of everyAccount(house)) setCash(world, id, wanted.get(id) ?? usualWant(world, id));
  closeCash(world);
  plot.arrange?.(world);
  const acts = [plot.act(world), ...Array.from({ length: probesPerCase }, () => drawProbe(world))];
  const { vault, code, answers } = world;
  const words = house.places.map((place) => place.read(vault));
  const questions = [
    ask(
      "healths",
      [everyAccount(house).filter((id) => AccountWord.assets(vault.accounts.get(id)) !== 0n || d.chance(0.1))],
      listed,
    ),
    someQuestion(world),
  ];
  return { seed, house, plot: plot.name, vault, code, answers, words, questions, acts };
}

function someQuestion(world: World): Question {
  const { d, house, subject, other } = world;
  const market = someMarket(world, subject);
  return d.weighted<() => Question>([
    [2, () => ask("position", [subject, market])],
    [1, () => ask("position", [pickAccount(world), someMarket(world, other)])],
    [3, () => ask("poolValue", [])],
    [
      2,
      () =>
        ask("previewLiquidation", [
          subject,
          market,
          d.chance(0.7) ? (1n << 256n) - 1n : closable(world, market),
          d.chance(0.5) ? house.pool : other,
        ]),
    ],
    [2, () => ask("previewAbsorb", [subject], flat)],
    [0.5, () => ask("previewBuyCollateral", [house.tokens[d.integer(0, 3)]?.address, d.wide(1n, 1n << 90n)])],
  ])();
}

/** A size (unsigned) that leaves something of the subject's position. */
function closable(world: World, market: number): bigint {
  const size = market < Math.min(world.vault.marketCount, mostMarkets) ? abs(sizeOf(world, world.subject, market)) : 0n;
  return size > 1n ? size - world.d.wide(1n, size - 1n) : 1n;
}

/** A list of structs. */
function listed(value: unknown): string {
  const list = value as readonly object[];
  return word(32n) + word(BigInt(list.length)) + list.map(flat).join("");
}

function flat(value: unknown): string {
  const words: unknown[] = [];
  for (const member of Object.values(value as object)) {
    if (typeof member === "object") words.push(...(Object.values(member as object) as unknown[]));
    else words.push(member);
  }
  return encodeWords(words);
}

function ask(name: string, args: readonly unknown[], encode?: (value: unknown) => string): Question {
  return {
    name,
    args,
    answer(mirror, $, code) {
      const view = mirror[name] as ((...all: unknown[]) => unknown) | undefined;
      const value = view?.($, code, ...args);
      if (encode !== undefined) return encode(value);
      if (Array.isArray(value)) return encodeWords(value);
      return typeof value === "object" && value !== null ? flat(value) : encodeWords([value]);
    },
  };
}

/** What the mirror says of an act. */
export interface Acted {
  readonly told: Told;
  readonly events: readonly VaultEvent[];
}

/** What the mirror says of a case. */
export interface Mirrored {
  readonly questions: readonly Told[];
  readonly acts: readonly Acted[];
  /** The vault after the acts that were done. */
  readonly after: Vault;
}

export function mirrorOf({ vault, code, questions, acts }: Situation, mirror: Mirror): Mirrored {
  const told = questions.map((question) => tell(() => question.answer(mirror, vault, code)));
  let after = vault;
  const acted = acts.map((act): Acted => {
    const acting = after.fork(now, act.caller);
    const told = tell(() => act.run(mirror, acting, code));
    if (told.done) after = acting;
    return { told, events: told.done ? acting.events : [] };
  });
  return { questions: told, acts: acted, after };
}

function tell(call: () => string): Told {
  try {
    return { done: true, data: call() };
  } catch (error) {
    if (error instanceof ContractError) return { done: false, data: encodeError(error) };
    throw error;
  }
}

const bytes = (value: number, count: number) => value.toString(16).padStart(2 * count, "0");

/** The state, as ParityHarness reads it (hex without 0x). */
export function encodeState({ words, answers }: Pick<Situation, "words" | "answers">): string {
  let writes = "";
  let count = 0;
  for (const [place, value] of words.entries()) {
    if (value === 0n) continue;
    writes += bytes(place, 2) + word(value);
    count++;
  }
  let given = "";
  for (const [asset, answer] of answers.words) given += bytes(asset, 1) + word(answer);
  return bytes(count, 2) + writes + bytes(answers.words.size, 1) + given;
}

/** The case, as ParityHarness reads it (hex without 0x). */
export function encodeSituation(situation: Situation): string {
  const { house, questions, acts } = situation;
  const ranges = rangesOf(situation);
  let calls = bytes(questions.length + acts.length, 1);
  for (const { name, args } of questions) calls += encodeCallBy(0, name, args);
  for (const { caller, name, args } of acts) calls += encodeCallBy(house.callers.indexOf(caller), name, args);
  return (
    encodeState(situation) +
    bytes(ranges.length, 1) +
    ranges.map(([first, end]) => bytes(first, 2) + bytes(end, 2)).join("") +
    calls
  );
}

const endsEpochs = new Set(["absorb", "resolvePool", "delist", "multicall"]);

/**
 * The places to look at after the acts, each range by its first and its end: all that they can write and, in every eighth case, all that
 * there are, lest they write what they cannot.
 */
export function rangesOf({ seed, house, vault, acts }: Situation): [first: number, end: number][] {
  if (seed % 8 === 0) return [[0, house.places.length]];
  const ends = acts.some(({ name }) => endsEpochs.has(name));
  const ranges: [number, number][] = [];
  let last: [number, number] | undefined;
  for (const [i, { of }] of house.places.entries()) {
    const isListed = (of.market ?? 0) <= vault.marketCount && (of.collateral ?? 0) <= vault.collateralCount;
    if (!isListed || (of.isEnd === true && !ends)) last = undefined;
    else if (last === undefined) ranges.push((last = [i, i + 1]));
    else last[1] = i + 1;
  }
  return ranges;
}

function encodeCallBy(caller: number, name: string, args: readonly unknown[]): string {
  const data = encodeCall(name, args);
  return bytes(caller, 1) + bytes(data.length / 2, 4) + data;
}

/** What the chain says of a case. */
export interface Result {
  readonly questions: readonly Told[];
  readonly acts: readonly Told[];
  /** Words by place, where they are not what the state gave. */
  readonly changes: ReadonlyMap<number, bigint>;
}

export function decodeResult(hex: string, { questions, acts }: Pick<Situation, "questions" | "acts">): Result {
  const told: Told[] = [];
  let at = 0;
  while (told.length < questions.length + acts.length) {
    const size = 2 * Number.parseInt(hex.slice(at + 2, at + 10), 16);
    told.push({ done: hex.slice(at, at + 2) === "01", data: hex.slice(at + 10, at + 10 + size) });
    at += 10 + size;
  }
  const acted = told.splice(questions.length);
  return { questions: told, acts: acted, changes: decodeChanges(hex.slice(at)) };
}

export function decodeChanges(hex: string): Map<number, bigint> {
  const changes = new Map<number, bigint>();
  for (let at = 0; at < hex.length; at += 68) {
    changes.set(Number.parseInt(hex.slice(at, at + 4), 16), BigInt(`0x${hex.slice(at + 4, at + 68)}`));
  }
  return changes;
}
