import { type AccountId, WAD } from "../../../sdk/index.js";
import { randomStreams } from "../../../simulator/random.js";
import type { Check } from "../checks.js";
import { takeCheckpoint } from "../custody.js";
import { close } from "../delisting.js";
import { touch } from "../funding.js";
import { cashTotals, grow, setRates, withRates } from "../interest.js";
import { Rational, greatest, one, sum, wei, zero } from "../rational.js";
import { type State, copy, marketOf } from "../state.js";
import { type Act, choose } from "./acts.js";
import { type Arena, type Names, type VaultEvent, eventsOf, namesOf, vaultInterface } from "./arena.js";
import {
  Comparison,
  type Drift,
  adoptEmpty,
  adoptFunding,
  adoptRates,
  compareAll,
  grainOf,
  sentence,
} from "./compare.js";
import { type Figures, FiguresReader } from "./figures.js";
import { type Followed, followPool, follows } from "./follow.js";
import { emptyState } from "./terms.js";

export interface Failure {
  readonly seed: number;
  readonly step: number;
  readonly message: string;
  readonly trail: readonly string[];
}

/** Counts over all sequences. */
export interface Tally {
  readonly acts: Map<string, number>;
  readonly refused: Map<string, number>;
  readonly happened: Map<string, number>;
  readonly failures: Failure[];
  /** Accounts that a deleveraging made liquidatable. */
  readonly endangered: Failure[];
}

export function newTally(): Tally {
  return { acts: new Map(), refused: new Map(), happened: new Map(), failures: [], endangered: [] };
}

const trailLength = 10;
const nothing: Followed = { checks: [], told: [], happened: [] };

/** One random sequence that the chain and the model both go through. It ends at the first step where they part. */
export async function followSequence(arena: Arena, seed: number, depth: number, tally: Tally): Promise<void> {
  await arena.chain.tentatively(async () => {
    const { chain } = arena;
    const names = namesOf(arena);
    const [random] = randomStreams(seed, 1);
    const reader = new FiguresReader(arena);
    const trail: string[] = [];
    const fail = (step: number, messages: readonly string[]) => {
      if (messages.length === 0) return false;
      tally.failures.push({ seed, step, message: messages.join("\n  "), trail: trail.slice(-trailLength) });
      return true;
    };
    let figures = await reader.read();
    let state = initialState(arena, names, figures);
    const drift = noDrift(state);
    const start = new Comparison();
    compareAll(start, state, figures, arena, names, drift);
    if (fail(-1, start.differences.map(sentence))) return;

    for (let step = 0; step < depth; step += 1) {
      const act = await choose({ arena, names, state, figures, random: random!, progress: step / depth });
      trail.push(act.what);
      if (act.seconds !== undefined) await chain.passTime(act.seconds);
      const outcome =
        act.seconds === undefined ? await chain.send(act.from, act.to, act.data) : { ok: true as const, logs: [] };
      const later = copy(state);
      later.now = BigInt(chain.nowSeconds);
      grow(later);
      allow(drift, later, figures, act);
      if (!outcome.ok) {
        const { errorName, message } = outcome.error;
        trail.push(`  refused: ${message}`);
        count(tally.refused, `${act.name}: ${errorName}`);
        const { checks } = follow(copy(later), act, names, undefined);
        if (fail(step, refusalsDisputed(checks, errorName, drift))) return;
        state = later;
        continue;
      }
      const events = eventsOf(arena, outcome.logs);
      const before = figures;
      figures = await reader.read();
      const comparison = new Comparison();
      const next = copy(later);
      for (const id of touchedBy(later, act, names, events)) {
        if (act.name === "delist") close(next, id);
        else touch(next, id);
        adoptFunding(comparison, later, next, figures, id);
      }
      let followed = nothing;
      const isRepriced = withRates(next, () => {
        followed = follow(next, act, names, events);
      });
      // Roundings may change the totals by a wei where the model sees no change.
      const isOnlyTold = !isRepriced && figures.cash.accruedAt === next.now && next.interest.setAt !== next.now;
      if (isOnlyTold) setRates(next);
      adoptRates(comparison, next, figures);
      adoptEmpty(next, figures, arena, names, drift);
      for (const { what, chain: seen, model, leverage, slack = zero, isCoarse = false } of followed.told) {
        comparison.near(what, seen, model, isCoarse ? drift.interest : drift.money.times(leverage).plus(slack));
      }
      compareAll(comparison, next, figures, arena, names, drift);
      count(tally.acts, act.name);
      for (const each of followed.happened) count(tally.happened, each);
      if (followed.happened.length > 0) trail.push(`  ${followed.happened.join(", ")}`);
      if (fail(step, [...acceptancesDisputed(followed.checks, drift), ...comparison.differences.map(sentence)])) return;
      for (const name of endangered(arena, before, figures, events)) {
        tally.endangered.push({ seed, step, message: `${name} became liquidatable`, trail: trail.slice(-trailLength) });
      }
      next.capital.value = wei(figures.capital);
      if (figures.cash.accruedAt === next.now) {
        next.interest.unswept = wei(figures.cash.interestUnswept);
        drift.interest = drift.money;
      }
      state = next;
    }
  });
}

/** Accounts that were healthy before an act that deleveraged, and are not after it; where cash was written off, that may be why. */
function endangered({ accounts }: Arena, before: Figures, after: Figures, events: readonly VaultEvent[]): string[] {
  const told = new Set(events.map(({ name }) => name));
  if (!told.has("Deleveraged") || told.has("LossWrittenOff")) return [];
  const healthOf = (figures: Figures, { id }: { readonly id: AccountId }) => figures.accounts.get(id)!.health;
  return accounts
    .filter((each) => each.trades && healthOf(before, each) >= WAD && healthOf(after, each) < WAD)
    .map(({ name }) => name);
}

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
function touchedBy(state: State, act: Act, names: Names, events: readonly VaultEvent[]): number[] {
  const after = copy(state);
  follow(after, act, names, events);
  return [...state.markets.keys()].filter((id) => marketOf(after, id).touchedAt !== marketOf(state, id).touchedAt);
}

// ------------------------------------------------------------------ what rounding may come to

function noDrift(state: State): Drift {
  return {
    money: zero,
    favour: zero,
    all: zero,
    index: zero,
    interest: zero,
    size: state.markets.map(() => zero),
  };
}

/** A side's word has left its start: sizes are shares times a scale from then on, and rounded. */
const sidesTouched = 1;
const forced: ReadonlySet<string> = new Set(["liquidatePosition", "liquidateCollateral", "absorb", "resolvePool"]);
const indexUnit = new Rational(1n, 10n ** 15n);
const millionth = new Rational(1n, 10n ** 6n);

/**
 * What an act's roundings can come to: a few wei of money, and a few wei of size at each market's price; a unit of the indices of interest
 * on all cash; what is not swept of it is counted in millionths. Health and discount are whole wei too, and a forced trade's fee is that
 * share of a notional.
 */
function allow(drift: Drift, state: State, figures: Figures, { name }: Act): void {
  const prices = sum(state.markets.map(({ price }) => price.value));
  const { supplied, borrowed } = cashTotals(state);
  const ofInterest = supplied.plus(borrowed).times(indexUnit).times(new Rational(2n));
  drift.money = drift.money.plus(wei(4n).times(one.plus(prices))).plus(ofInterest);
  drift.all = drift.all.plus(wei(16n)).plus(ofInterest).plus(millionth);
  drift.index = drift.index.plus(indexUnit.times(new Rational(2n)));
  drift.interest = drift.interest.plus(millionth.times(new Rational(2n)));
  drift.favour = drift.favour.plus(wei(1n)); // of the pool, which has what a trader's rounding leaves
  for (const [id, { flags }] of figures.markets.entries()) {
    if ((flags & sidesTouched) !== 0 || forced.has(name)) drift.size[id] = drift.size[id]!.plus(wei(8n));
  }
  if (!forced.has(name)) return;
  const grains = [...state.accounts.values()].map((account) => grainOf(state, account));
  const grain = greatest(zero, ...grains);
  drift.money = drift.money.plus(grain);
  drift.favour = drift.favour.plus(grain).plus(grain);
}

// ------------------------------------------------------------------ the model's part

function follow(state: State, act: Act, names: Names, events: readonly VaultEvent[] | undefined): Followed {
  if (act.seconds !== undefined) return nothing;
  if (act.prices !== undefined) {
    if (events !== undefined) publish(state, act.prices);
    return nothing;
  }
  if (act.args.length === 0 && act.name.startsWith("pool ")) return followPool(state, names, events ?? []);
  const handler = follows[act.name];
  if (handler === undefined) throw new TypeError(`the model has no ${act.name}`);
  return handler(state, act, names, events);
}

function publish(state: State, prices: readonly bigint[]): void {
  for (const [id, value] of prices.entries()) {
    const { price } = marketOf(state, id);
    for (const fed of [price, ...state.collaterals.filter(({ market }) => market === id).map((each) => each.price)]) {
      fed.value = wei(value);
      fed.publishedAt = state.now;
    }
  }
}

/** What the arena's deposits came to; when its markets were listed and its rates set is taken from the chain. */
function initialState(arena: Arena, names: Names, figures: Figures): State {
  const state = emptyState(arena.parameters, BigInt(arena.chain.nowSeconds));
  for (const log of arena.logs) {
    const event = vaultInterface.parseLog(log);
    if (event?.name !== "Deposited") continue;
    const [account, token, , amount] = event.args;
    follows.deposit!(state, { name: "deposit", args: [account, token, amount], from: "" }, names, []);
  }
  for (const [id, { touchedAt }] of figures.markets.entries()) marketOf(state, id).touchedAt = touchedAt;
  setRates(state);
  state.interest.setAt = figures.cash.accruedAt;
  state.interest.borrowIndex = new Rational(figures.cash.borrowIndex).times(indexUnit); // nobody has borrowed: whatever it is
  takeCheckpoint(state);
  return state;
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
