import { WAD, collateralAsset, decodePrice, marketAsset } from "../../../sdk/index.js";
import { randomStreams } from "../../../simulator/random.js";
import { type Act, type Row, rows } from "./act.js";
import { choose } from "./acts/choose.js";
import type { Arena } from "./arena.js";
import { oracleInterface, poolInterface } from "./interfaces.js";
import { firstPricesWad } from "./nineAssets.js";
import type { RawLog } from "./chain.js";
import { BookReader, type Books, Replay, type VaultEvent } from "./books.js";
import { checkStep } from "./checks.js";
import { entries, entryOf } from "./entries.js";
import { accountOf, holderOf, isHandOver, numberOf } from "./figures.js";
import { type Finding, type InvariantId, invariants } from "./judge.js";
import { previewOf } from "./previews.js";
import { probes } from "./probes.js";
import { checkRefusal, checkTokenError } from "./refusals.js";
import { ray } from "./sides.js";
import { type Situation, isFresh, isIsolated } from "./situation.js";
import { movesTokens } from "./steps.js";
import { type World, openWorld } from "./worlds.js";

/** What went wrong, and where. */
export interface Failure extends Omit<Finding, "invariant"> {
  readonly invariant: InvariantId | "error";
  readonly seed: number;
  readonly step: number;
  /** The last steps up to it. */
  readonly trail: readonly string[];
}

export interface Count {
  called: number;
  succeeded: number;
}

/** Counts over all runs. */
export interface Tally {
  readonly acts: Readonly<Record<Row, Count>>;
  /** By contract and function. */
  readonly entries: Readonly<Record<string, Count>>;
  /** Probes tried, and those that the state allowed. */
  readonly probes: Readonly<Record<string, Count>>;
  /** How often something was held against an invariant. */
  readonly looks: Record<InvariantId, number>;
  /** How often the vault told of something, by event. */
  readonly events: Map<string, number>;
  readonly refusals: Map<string, number>;
  readonly failures: Failure[];
}

export function newTally(): Tally {
  const zero = (): Count => ({ called: 0, succeeded: 0 });
  return {
    acts: Object.fromEntries(rows.map((row) => [row, zero()])) as Record<Row, Count>,
    entries: Object.fromEntries(entries.map((name) => [name, zero()])),
    probes: Object.fromEntries(Object.keys(probes).map((id) => [id, zero()])),
    looks: Object.fromEntries(Object.keys(invariants).map((id) => [id, 0])) as Record<InvariantId, number>,
    events: new Map(),
    refusals: new Map(),
    failures: [],
  };
}

const trailLength = 12;
const stepsAProbe = 8;

/** One random sequence from the arena's first state, which it leaves as it found it. It ends at the first step that fails. */
export async function runSequence(arena: Arena, seed: number, depth: number, tally: Tally): Promise<void> {
  [arena.feed.isDead, arena.hostile.conduct] = [false, 0];
  await arena.chain.tentatively(async () => {
    const [random, probing, opening] = randomStreams(seed, 3);
    const reader = new BookReader(arena);
    const replay = new Replay(arena);
    const { world, logs } = await openWorld(arena, opening!);
    replay.apply(logs);
    const pricesWad = firstPricesWad();
    const publishedAt = new Map([...pricesWad.keys()].map((symbol) => [symbol, arena.chain.nowSeconds]));
    let books = await reader.read();
    const trail: string[] = [`a world ${world.what}`];
    const probeIds = Object.keys(probes) as InvariantId[];
    const [balances, published] = [await reader.balances(), await publishedTimes(arena)];
    const progress: Progress = { reader, replay, tally, trail, world, pricesWad, publishedAt, balances, published };

    for (let step = 0; step < depth; step += 1) {
      const isLate = step >= depth / 2;
      const count = (to: string, data: string, isDone: boolean) => {
        const entry = tally.entries[entryOf(to, data, arena.deployment) ?? ""];
        if (entry === undefined) return;
        entry.called += 1;
        if (isDone) entry.succeeded += 1;
      };
      const situation: Situation = { arena, random: random!, books, world, pricesWad, publishedAt, isLate, count };
      const found: Failure[] = [];
      const report = (findings: readonly Finding[]) => {
        for (const finding of findings)
          found.push({ ...finding, seed, step, trail: [trail[0]!, ...trail.slice(1).slice(-trailLength)] });
      };
      try {
        const act = await choose(situation);
        const [after, findings] = await perform(act, books, arena, progress);
        report(findings);
        books = after;
        if (step % stepsAProbe === stepsAProbe - 1) {
          const id = probeIds[Math.floor(step / stepsAProbe) % probeIds.length]!;
          const result = await probes[id]!({ ...situation, random: probing!, books }, reader);
          tally.probes[id]!.called += 1;
          if (result !== undefined) tally.probes[id]!.succeeded += 1;
          tally.looks[id] += result === undefined ? 0 : 1;
          report(result ?? []);
        }
      } catch (error) {
        // An error that no interface declares, or a refusal where nothing may be refused.
        const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
        found.push({
          invariant: "error",
          message,
          seed,
          step,
          trail: [trail[0]!, ...trail.slice(1).slice(-trailLength)],
        });
      }
      tally.failures.push(...found);
      if (found.length > 0) return;
    }
  });
}

interface Progress {
  readonly reader: BookReader;
  readonly replay: Replay;
  readonly tally: Tally;
  readonly trail: string[];
  readonly world: World;
  readonly pricesWad: Map<string, bigint>;
  readonly publishedAt: Map<string, number>;
  /** Tokens in the vault, raw: cash, then the collaterals. */
  balances: readonly bigint[];
  /** When the prices were published that the oracle has stored, by asset. */
  published: readonly number[];
}

async function lockOf({ chain, deployment }: Arena, holder: string): Promise<number> {
  return Number(await chain.call(deployment.pool, poolInterface.encodeFunctionData("lockedUntil", [holder])));
}

/** When the prices were published that the oracle has stored, markets first. */
async function publishedTimes({ chain, deployment, markets, collaterals }: Arena): Promise<number[]> {
  const assets = [...markets.map((_, id) => marketAsset(id)), ...collaterals.map((_, index) => collateralAsset(index))];
  const set = assets.reduce((bits, asset) => bits | (1n << BigInt(asset)), 0n);
  const data = oracleInterface.encodeFunctionData("lastPrices", [set]);
  const [words] = oracleInterface.decodeFunctionResult("lastPrices", await chain.call(deployment.oracle, data));
  return (words as bigint[]).map((word) => decodePrice(word).publishedAt);
}

async function perform(
  act: Act,
  before: Books,
  arena: Arena,
  progress: Progress,
): Promise<[Books, readonly Finding[]]> {
  const { reader, replay, tally, trail, world, pricesWad, publishedAt } = progress;
  const { chain } = arena;
  const entry = entryOf(act.to, act.data, arena.deployment);
  const counts = [tally.acts[act.row], ...(entry === undefined ? [] : [tally.entries[entry]!])];
  for (const count of counts) count.called += 1;
  const look = (id: InvariantId, times: number) => {
    tally.looks[id] += times;
  };
  trail.push(act.what);
  const preview = await previewOf(act, arena);
  const lockedUntil = act.holder === undefined ? undefined : await lockOf(arena, act.holder);
  if (act.seconds !== undefined) await chain.passTime(act.seconds);
  const outcome =
    act.seconds === undefined
      ? await chain.send(act.from, act.to, act.data, act.valueWei)
      : { ok: true as const, logs: [] as RawLog[] };
  if (!outcome.ok) {
    const { errorName } = outcome.error;
    trail.push(`  refused: ${outcome.error.message}`);
    increment(tally.refusals, `${act.row}: ${errorName}`);
    if (errorName === "TooManyAssets") increment(tally.events, "second positions refused");
    const message = `${act.what}: a view announced it, and it was refused with ${outcome.error.message}`;
    const isFreshAsset = (symbol: string) => isFresh({ arena, publishedAt }, symbol);
    return [
      before,
      [
        ...(act.announced === undefined ? [] : [{ invariant: act.announced, message }]),
        ...checkTokenError(act, outcome.error, arena),
        ...checkRefusal(act, outcome.error, before, arena, isFreshAsset, look),
      ],
    ];
  }
  for (const count of counts) count.succeeded += 1;
  if (act.tokenConduct !== undefined) arena.hostile.conduct = act.tokenConduct;
  if (act.feedDies !== undefined) arena.feed.isDead = act.feedDies;
  const pricesNow = () => arena.markets.map(({ symbol }) => pricesWad.get(symbol)!);
  const pricesBeforeWad = pricesNow();
  for (const [symbol, price] of act.pricesWad ?? []) {
    pricesWad.set(symbol, price);
    publishedAt.set(symbol, act.publishedAt ?? chain.nowSeconds);
  }
  for (const { from, to, data } of act.also ?? []) await chain.mustSend(from, to, data);
  const events = replay.apply(outcome.logs);
  for (const { name } of events) increment(tally.events, name);
  const prices = pricesNow();
  for (const name of happenings(act, before, events, prices)) increment(tally.events, name);
  const { pool } = arena.deployment;
  const poolLogs = outcome.logs.filter(({ address }) => address.toLowerCase() === pool.toLowerCase());
  const after = await reader.read(poolLogs.length === 0 ? before.poolSupply : undefined);
  const published =
    act.kind === "push" ? { before: progress.published, after: await publishedTimes(arena) } : undefined;
  if (published !== undefined) progress.published = published.after;
  const balancesBefore = progress.balances;
  if (movesTokens.has(act.kind)) progress.balances = await reader.balances();
  const fresh = (market: number) => isFresh({ arena, publishedAt }, arena.markets[market]!.symbol);
  const freshMarkets = new Set([...arena.markets.keys()].filter(fresh));
  const step = {
    act,
    before,
    after,
    events,
    replay,
    balancesBefore,
    balances: progress.balances,
    preview,
    lockedUntil,
    published,
    poolLogs,
    pricesBeforeWad,
    pricesWad: prices,
    freshMarkets,
    world,
  };
  replay.allowRounding(step);
  return [after, checkStep(step, arena, look)];
}

/** What happened that no single event tells. */
function happenings(
  { kind, from, account, other }: Act,
  before: Books,
  events: readonly VaultEvent[],
  pricesWad: readonly bigint[],
): string[] {
  const owner = account === undefined ? undefined : holderOf(account);
  const isToOneself = other !== undefined && holderOf(other) === owner;
  const isForced = kind === "liquidatePosition" || kind === "liquidateCollateral" || kind === "absorb";
  const found = isForced && owner === from ? ["liquidations of one's own"] : [];
  for (const event of events) {
    const { name } = event;
    if (name === "Absorbed") found.push(event.args.deleveraged === true ? "absorbed, way B" : "absorbed, way A");
    if (name === "InsurancePaid" && numberOf(event, "paidWad") > 0n) found.push("insurance paid");
    if (name === "LossWrittenOff" && numberOf(event, "writtenOffWad") > 0n) found.push("written off");
    if (name === "LossWrittenOff" && numberOf(event, "badDebtWad") > 0n) found.push("bad debt booked");
    if (name === "Deleveraged" && isBeyondPrice(event, pricesWad)) found.push("deleveraged beyond the price");
    if (name === "PositionLiquidated" && other === undefined) found.push(`${name} into the pool`);
    if (name === "Settled" && isFinal(before, event)) found.push("final results paid");
    if (name === "Traded" && isScaled(before, event)) found.push("trades of deleveraged accounts");
    if (name === "CollateralLiquidated" && isToOneself) found.push(`${name} to oneself`);
    if (name === "PositionLiquidated" && other !== undefined) {
      const way = isHandOver(before, event) ? "hand-overs" : "crossings";
      found.push(`${name} to an account`, way, ...(isToOneself ? [`${way} to oneself`] : []));
    }
    const trader = name === "Traded" ? account : name === "PositionLiquidated" ? other : undefined;
    if (trader !== undefined && isIsolated(before.accounts.get(trader)!)) found.push("trades of isolated accounts");
  }
  return found;
}

function isBeyondPrice(event: VaultEvent, pricesWad: readonly bigint[]): boolean {
  return numberOf(event, "priceRay") !== (pricesWad[Number(numberOf(event, "market"))]! * ray) / WAD;
}

function isFinal(before: Books, event: VaultEvent): boolean {
  return before.accounts.get(accountOf(event))!.positions[Number(numberOf(event, "market"))]!.sizeWad === 0n;
}

/** Whether the account's position was one of a side that had been deleveraged. */
function isScaled(before: Books, event: VaultEvent): boolean {
  const { sharesWad, sizeWad, stored } = before.accounts.get(accountOf(event))!.positions[
    Number(numberOf(event, "market"))
  ]!;
  return stored.sharesWad !== sharesWad || sharesWad !== sizeWad;
}

function increment(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
