import { randomStreams } from "../../../simulator/random.js";
import type { Act } from "../../invariants/support/act.js";
import { choose } from "../../invariants/support/acts/choose.js";
import { type Arena, firstPricesWad, vaultInterface } from "../../invariants/support/arena.js";
import { BookReader, Replay, type VaultEvent } from "../../invariants/support/books.js";
import type { Situation } from "../../invariants/support/situation.js";
import { grow, setRates, withRates } from "../interest.js";
import { Rational, greatest, one, sum, wei, whole, zero } from "../rational.js";
import { type State, copy, marketOf, openInterest } from "../state.js";
import { takeCheckpoint } from "../custody.js";
import { type Drift, differences, sentence } from "./compare.js";
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
    const drift: Drift = {
      money: wei(1000n),
      size: arena.markets.map(() => zero),
      funding: arena.markets.map(() => zero),
    };
    const first = await figuresReader.read();
    let state = initialState(arena, names, first);
    const trail: string[] = [];
    const fail = (step: number, messages: readonly string[]) => {
      if (messages.length === 0) return false;
      tally.failures.push({ seed, step, message: messages.join("\n  "), trail: trail.slice(-trailLength) });
      return true;
    };
    if (fail(-1, differences(state, first, arena, names, drift).map(sentence))) return;

    for (let step = 0; step < depth; step += 1) {
      const situation: Situation = { arena, random: random!, books: await reader.read(), pricesWad, publishedAt };
      const act = await choose(situation);
      trail.push(act.what);
      const next = copy(state);
      if (act.seconds !== undefined) await arena.chain.passTime(act.seconds);
      next.now = BigInt(arena.chain.nowSeconds);
      const outcome =
        act.seconds === undefined
          ? await arena.chain.send(act.from, act.to, act.data)
          : { ok: true as const, logs: [] };
      const events = outcome.ok ? replay.apply(outcome.logs) : undefined;
      let followed: Followed = { checks: [], told: [], happened: [] };
      grow(next);
      allow(drift, next);
      if (!withinReach(act, events)) continue;
      withRates(next, () => {
        followed = follow(next, act, names, events);
      });
      const found: string[] = [];
      if (outcome.ok) {
        count(tally.acts, act.row);
        for (const { error, room } of followed.checks) {
          if (room.isBelow(drift.money.negated()))
            found.push(`${act.what}: the model refuses it with ${error}, by ${room}`);
        }
        for (const { what, chain, model, leverage } of followed.told) {
          const bound = drift.money.times(leverage);
          if (bound.isBelow(chain.minus(model).abs())) found.push(sentence({ what, chain, model, bound }));
        }
        for (const each of followed.happened) count(tally.happened, each);
        for (const [symbol, price] of act.pricesWad ?? []) {
          pricesWad.set(symbol, price);
          publishedAt.set(symbol, arena.chain.nowSeconds);
        }
        state = next;
        found.push(...differences(state, await figuresReader.read(), arena, names, drift).map(sentence));
      } else {
        const { errorName } = outcome.error;
        trail.push(`  refused: ${outcome.error.message}`);
        count(tally.refused, errorName);
        const check = followed.checks.find(({ error }) => error === errorName);
        if (check !== undefined && drift.money.isBelow(check.room)) {
          found.push(`${act.what}: refused with ${errorName}, and the model finds it good by ${check.room}`);
        }
        const grown = copy(state);
        grown.now = next.now;
        grow(grown);
        state = grown;
      }
      if (fail(step, found)) return;
    }
  });
}

/** What an act's roundings can come to. */
function allow(drift: Drift, state: State): void {
  const prices = sum(state.markets.map(({ price }) => price.value));
  drift.money = drift.money.plus(wei(20n).times(one.plus(prices)));
  for (const [id, { touchedAt, price }] of state.markets.entries()) {
    const seconds = whole(state.now - touchedAt);
    // Rate and drift are whole 1e-24; the index is a whole wei.
    const rate = new Rational(1n, 10n ** 24n).times(seconds).times(seconds.plus(one));
    const index = rate.times(price.value).plus(wei(2n));
    drift.funding[id] = drift.funding[id]!.plus(index);
    const size = greatest(openInterest(state, id, 1, true), openInterest(state, id, -1, true));
    drift.money = drift.money.plus(index.times(size));
  }
}

function withinReach(_act: Act, _events: readonly VaultEvent[] | undefined): boolean {
  return true;
}

function follow(state: State, act: Act, names: Names, events: readonly VaultEvent[] | undefined): Followed {
  const none: Followed = { checks: [], told: [], happened: [] };
  if (act.kind === "time" || act.kind === "donate") return none;
  if (act.kind === "push") {
    if (events !== undefined) publish(state, act);
    return none;
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
