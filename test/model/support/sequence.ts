import { randomStreams } from "../../../simulator/random.js";
import type { Act } from "../../invariants/support/act.js";
import { choose } from "./choose.js";
import { type Arena, firstPricesWad, vaultInterface } from "../../invariants/support/arena.js";
import { BookReader, Replay, type VaultEvent } from "../../invariants/support/books.js";
import type { Situation } from "../../invariants/support/situation.js";
import type { Check } from "../checks.js";
import { touch } from "../funding.js";
import { grow, setRates, withRates } from "../interest.js";
import { greatest, one, sum, wei, zero } from "../rational.js";
import { type State, copy, marketOf } from "../state.js";
import { takeCheckpoint } from "../custody.js";
import { Comparison, type Drift, adoptFunding, compareAll, grainOf, sentence } from "./compare.js";
import { type Figures, FiguresReader } from "./figures.js";
import { type Call, type Followed, type Names, followPool, follows, namesOf } from "./follow.js";
import { emptyState, noInterest } from "./terms.js";

export interface Failure {
  readonly seed: number;
  readonly step: number;
  readonly message: string;
  readonly trail: readonly string[];
}

export interface Tally {
  readonly acts: Map<string, number>;
  readonly refused: Map<string, number>;
  readonly happened: Map<string, number>;
  readonly failures: Failure[];
}

export function newTally(): Tally {
  return { acts: new Map(), refused: new Map(), happened: new Map(), failures: [] };
}

const trailLength = 10;

/** One random sequence that the chain and the model both go through. It ends at the first step where they part. */
export async function followSequence(arena: Arena, seed: number, depth: number, tally: Tally): Promise<void> {
  await arena.chain.tentatively(async () => {
    const names = namesOf(arena);
    const [random] = randomStreams(seed, 1);
    const reader = new BookReader(arena);
    const figuresReader = new FiguresReader(arena);
    const replay = new Replay(arena);
    const pricesWad = firstPricesWad();
    const publishedAt = new Map([...pricesWad.keys()].map((symbol) => [symbol, arena.chain.nowSeconds]));
    const drift: Drift = { money: zero, favour: zero, all: zero, size: arena.markets.map(() => zero) };
    const first = await figuresReader.read();
    let state = initialState(arena, names, first);
    const trail: string[] = [];
    const fail = (step: number, messages: readonly string[]) => {
      if (messages.length === 0) return false;
      tally.failures.push({ seed, step, message: messages.join("\n  "), trail: trail.slice(-trailLength) });
      return true;
    };
    const start = new Comparison();
    compareAll(start, state, first, arena, names, drift);
    if (fail(-1, start.differences.map(sentence))) return;

    for (let step = 0; step < depth; step += 1) {
      const situation: Situation = { arena, random: random!, books: await reader.read(), pricesWad, publishedAt };
      const act = await choose(situation);
      if (isNotBuilt(state, act, names)) continue;
      trail.push(act.what);
      if (act.seconds !== undefined) await arena.chain.passTime(act.seconds);
      const outcome =
        act.seconds === undefined
          ? await arena.chain.send(act.from, act.to, act.data)
          : { ok: true as const, logs: [] };
      const later = copy(state);
      later.now = BigInt(arena.chain.nowSeconds);
      grow(later);
      if (!outcome.ok) {
        const { errorName, message } = outcome.error;
        trail.push(`  refused: ${message}`);
        count(tally.refused, errorName);
        const { checks } = follow(copy(later), act, names, undefined);
        allow(drift, later, act);
        if (fail(step, refusalsDisputed(checks, errorName, drift))) return;
        state = later;
        continue;
      }
      count(tally.acts, act.row);
      const events = replay.apply(outcome.logs);
      const figures = await figuresReader.read();
      for (const [symbol, price] of act.pricesWad ?? []) {
        pricesWad.set(symbol, price);
        publishedAt.set(symbol, arena.chain.nowSeconds);
      }
      allow(drift, later, act);
      const comparison = new Comparison();
      const next = copy(later);
      for (const id of touchedBy(follow, later, act, names, events)) {
        touch(next, id);
        adoptFunding(comparison, later, next, figures, id);
      }
      let followed: Followed = nothing;
      withRates(next, () => {
        followed = follow(next, act, names, events);
      });
      for (const { what, chain, model, leverage } of followed.told) {
        comparison.near(what, chain, model, drift.money.times(leverage));
      }
      for (const each of followed.happened) count(tally.happened, each);
      compareAll(comparison, next, figures, arena, names, drift);
      const disputed =
        act.kind === "trade" ? followed.checks.filter(({ error }) => error !== "DebtBelowMinimum") : followed.checks;
      if (fail(step, [...acceptancesDisputed(disputed, drift), ...comparison.differences.map(sentence)])) return;
      next.capital.value = wei(figures.capital);
      state = next;
    }
  });
}

const nothing: Followed = { checks: [], told: [], happened: [] };

/** What the chain let through, and the model would not. */
function acceptancesDisputed(checks: readonly Check[], drift: Drift): string[] {
  return checks
    .filter(({ room }) => room.isBelow(drift.money.negated()))
    .map(({ error, room }) => `went through, and the model refuses it with ${error}, by ${room}`);
}

/** What the chain refused, and the model would not. */
function refusalsDisputed(checks: readonly Check[], errorName: string, drift: Drift): string[] {
  return checks
    .filter(({ error, room }) => error === errorName && drift.money.isBelow(room))
    .map(({ error, room }) => `refused with ${error}, and the model finds it good by ${room}`);
}

/** Markets whose funding an act books. */
function touchedBy(
  act: (state: State, ...rest: [Act, Names, readonly VaultEvent[]]) => unknown,
  state: State,
  ...rest: [Act, Names, readonly VaultEvent[]]
): number[] {
  const after = copy(state);
  act(after, ...rest);
  return [...state.markets.keys()].filter((id) => marketOf(after, id).touchedAt !== marketOf(state, id).touchedAt);
}

/**
 * What an act's roundings can come to: a few wei of money, and a few wei of size at each market's price. Health and discount are whole wei
 * too, and a forced trade's fee is that share of a notional.
 */
function allow(drift: Drift, state: State, { kind }: Act): void {
  const prices = sum(state.markets.map(({ price }) => price.value));
  drift.money = drift.money.plus(wei(4n).times(one.plus(prices)));
  drift.all = drift.all.plus(wei(8n));
  drift.favour = drift.favour.plus(wei(1n)); // of the pool, which has what a trader's rounding leaves
  if (!forced.has(kind)) return;
  const grains = [...state.accounts.values()].map((account) => grainOf(state, account));
  const grain = greatest(zero, ...grains);
  drift.money = drift.money.plus(grain);
  drift.favour = drift.favour.plus(grain);
}

const forced: ReadonlySet<Act["kind"]> = new Set(["liquidatePosition", "liquidateCollateral", "absorb"]);

/** What the contracts do not do yet: such an act is left out. */
const notBuilt: ReadonlySet<string> = new Set(["way B"]);

function isNotBuilt(state: State, act: Act, names: Names): boolean {
  if (act.kind !== "absorb") return false;
  return follow(copy(state), act, names, undefined).happened.some((step) => notBuilt.has(step));
}

function follow(state: State, act: Act, names: Names, events: readonly VaultEvent[] | undefined): Followed {
  if (act.kind === "time" || act.kind === "donate") return nothing;
  if (act.kind === "push") {
    if (events !== undefined) publish(state, act);
    return nothing;
  }
  if (act.kind === "poolDeposit" || act.kind === "poolRedeem") return followPool(state, names, events ?? []);
  const parsed = vaultInterface.parseTransaction({ data: act.data });
  const handler = follows[parsed?.name ?? ""];
  if (parsed === null || handler === undefined) throw new TypeError(`the model has no ${parsed?.name}`);
  const call: Call = { name: parsed.name, args: [...parsed.args], from: act.from };
  return handler(state, call, names, events);
}

function publish(state: State, { pricesWad }: Act): void {
  for (const [symbol, value] of pricesWad ?? []) {
    const id = marketNumber(symbol);
    const prices = [marketOf(state, id).price, ...collateralPrices(state, symbol)];
    for (const price of prices) {
      price.value = wei(value);
      price.publishedAt = state.now;
    }
  }
}

const symbols = [...firstPricesWad().keys()];
const marketNumber = (symbol: string) => symbols.indexOf(symbol);
const assets: readonly string[] = ["ETH", "BTC"];
const collateralPrices = (state: State, symbol: string) =>
  state.collaterals.filter((_, index) => assets[index] === symbol).map(({ price }) => price);

/** What the arena's deposits came to; when its markets were listed is taken from the chain. */
function initialState(arena: Arena, names: Names, first: Figures): State {
  const now = BigInt(arena.chain.nowSeconds);
  const state = emptyState(arena.parameters, noInterest, now);
  for (const log of arena.logs) {
    const event = vaultInterface.parseLog(log);
    if (event?.name !== "Deposited") continue;
    const call: Call = { name: "deposit", args: [...event.args], from: "" };
    const [account, token, , amount] = call.args;
    follows.deposit!(state, { ...call, args: [account, token, amount] }, names, []);
  }
  for (const [id, { touchedAt }] of first.markets.entries()) marketOf(state, id).touchedAt = touchedAt;
  setRates(state);
  takeCheckpoint(state);
  return state;
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
