import type { Random } from "../../../simulator/random.js";
import { isLiquidatable, planLeg } from "../liquidation.js";
import { equity, freeMargin, healthOf, netCash } from "../margin.js";
import { Rational, decimal, least, wei, whole } from "../rational.js";
import {
  type Account,
  type State,
  accountOf,
  collateralOf,
  copy,
  isFresh,
  marketOf,
  poolOf,
  sizeOf,
  worth,
} from "../state.js";
import { isOpenToAbsorb, resolvableEquity } from "../waterfall.js";
import { type Arena, type Names, type NamedAccount, poolInterface, pushData, vaultInterface } from "./arena.js";
import type { Figures } from "./figures.js";

/** What somebody is about to do: a call, or seconds that pass. */
export interface Act {
  readonly name: string;
  readonly what: string;
  readonly from: string;
  readonly to: string;
  readonly data: string;
  readonly args: readonly unknown[];
  readonly seconds?: number;
  /** Wad, by market, that hold afterwards. */
  readonly prices?: readonly bigint[];
}

/** What a choice is made of: the arena, the model's books, the chain's figures, and a stream of random numbers. */
export interface Situation {
  readonly arena: Arena;
  readonly names: Names;
  readonly state: State;
  readonly figures: Figures;
  readonly random: Random;
  /** How far the sequence is, from 0 to 1. */
  readonly progress: number;
}

type Choice = (situation: Situation) => Act | undefined | Promise<Act | undefined>;

const everything = 2n ** 256n - 1n;
const noDeadline = 2n ** 64n;

// ------------------------------------------------------------------ dice

const chance = ({ random }: Situation, probability: number) => random.uniform() < probability;

function pick<T>({ random }: Situation, items: readonly T[]): T | undefined {
  return items.length === 0 ? undefined : items[random.integer(0, items.length - 1)];
}

/** A part of an amount, between two shares of it. */
function part({ random }: Situation, of: Rational, from: number, to: number): Rational {
  const share = Math.floor((from + (to - from) * random.uniform()) * 2 ** 40);
  return of.times(new Rational(BigInt(share), 2n ** 40n));
}

const toWei = (amount: Rational) => amount.floorTo(10n ** 18n);

// ------------------------------------------------------------------ who and what

function traders({ arena }: Situation): NamedAccount[] {
  return arena.accounts.filter(({ trades }) => trades);
}

function modelled({ state, names }: Situation, { id }: NamedAccount): Account {
  return accountOf(state, names.account(id));
}

const atRisk = (situation: Situation) =>
  traders(situation).filter((each) => isLiquidatable(situation.state, modelled(situation, each)));

function call(situation: Situation, name: string, from: string, args: readonly unknown[]): Act {
  const { deployment, accounts } = situation.arena;
  const told = args.map((arg) => accounts.find(({ id }) => id === arg)?.name ?? String(arg));
  const by = accounts.find(({ owner }) => owner === from)?.name ?? "admin";
  return {
    name,
    what: `${by}: ${name}(${told.join(", ")})`,
    from,
    to: deployment.vault,
    data: vaultInterface.encodeFunctionData(name as "deposit", args as never),
    args,
  };
}

/** Settlement tokens, raw. */
const raw = (situation: Situation, amount: Rational) => amount.floorTo(situation.names.cashUnit);

// ------------------------------------------------------------------ custody

const deposit: Choice = (situation) => {
  const account = pick(situation, traders(situation))!;
  const { arena, state } = situation;
  const value = part(situation, whole(6000), 0.01, 1);
  const index = situation.random.integer(-1, arena.tokens.length - 2);
  if (index < 0) return call(situation, "deposit", account.owner, [account.id, arena.tokens[0], raw(situation, value)]);
  const { price, terms } = collateralOf(state, index);
  const amount = value.over(price.value).floorTo(terms.unit);
  return call(situation, "deposit", account.owner, [account.id, arena.tokens[index + 1], amount]);
};

/** An amount of cash about as large as the account's free margin. */
function spare(situation: Situation): { account: NamedAccount; cash: Rational } | undefined {
  const able = traders(situation).filter(
    (each) => freeMargin(situation.state, modelled(situation, each)).toWad() > 50n * 10n ** 18n,
  );
  const account = pick(situation, able);
  if (account === undefined) return undefined;
  const free = freeMargin(situation.state, modelled(situation, account));
  return { account, cash: part(situation, free, 0.05, chance(situation, 0.15) ? 1.2 : 0.95) };
}

const withdraw: Choice = (situation) => {
  const found = spare(situation);
  if (found === undefined) return undefined;
  const { account, cash } = found;
  const { collaterals } = modelled(situation, account);
  const held = [...collaterals.keys()].filter((index) => collaterals[index]! > 0n);
  const index = chance(situation, 0.25) ? pick(situation, held) : undefined;
  const token = situation.arena.tokens[index === undefined ? 0 : index + 1];
  let amount = raw(situation, cash);
  if (index !== undefined) {
    const { price, terms } = collateralOf(situation.state, index);
    amount = cash.over(price.value).floorTo(terms.unit);
    if (amount > collaterals[index]!) amount = collaterals[index]!;
  }
  return call(situation, "withdraw", account.owner, [account.id, token, amount, account.owner]);
};

const transfer: Choice = (situation) => {
  const found = spare(situation);
  const to = pick(situation, [...traders(situation), situation.arena.keeper]);
  if (found === undefined || to === undefined) return undefined;
  const args = [found.account.id, to.id, situation.arena.tokens[0], raw(situation, found.cash)];
  return call(situation, "transfer", found.account.owner, args);
};

// ------------------------------------------------------------------ trading

const trade: Choice = (situation) => {
  const { state, figures } = situation;
  const account = pick(situation, traders(situation))!;
  const market = situation.random.integer(0, state.markets.length - 1);
  const { terms, price } = marketOf(state, market);
  const held = figures.accounts.get(account.id)!.positions[market]!.size;
  const order = (size: bigint) =>
    size === 0n ? undefined : call(situation, "trade", account.owner, [account.id, market, size, 0n, noDeadline]);
  const dice = situation.random.uniform();
  if (held !== 0n && dice < 0.2) return order(-held);
  if (held !== 0n && dice < 0.35) return order(-toWei(part(situation, wei(held), 0.05, 0.9)));
  const free = freeMargin(state, modelled(situation, account)).positive();
  const cost = terms.initialBase.times(decimal("1.2")).plus(decimal("0.008")).times(price.value);
  const share = chance(situation, 0.1) ? 1.5 : 0.95;
  const room = least(free.over(cost), terms.openInterestCap);
  const growth = part(situation, room, 0.3, share);
  if (growth.isBelow(terms.minimumSize)) return undefined;
  if (held === 0n) return order(chance(situation, 0.5) ? toWei(growth) : -toWei(growth));
  const side = held > 0n ? 1n : -1n;
  return order(dice < 0.6 ? side * toWei(growth) : -held - side * toWei(growth));
};

const settle: Choice = (situation) => {
  const held = traders(situation).flatMap((each) =>
    [...modelled(situation, each).positions].map(([market, { size }]) => ({ account: each, market, size })),
  );
  const final = held.filter(({ size }) => size.isZero());
  const found = pick(situation, final.length > 0 && chance(situation, 0.7) ? final : held);
  if (found === undefined) return undefined;
  return call(situation, "settle", situation.arena.keeper.owner, [found.account.id, found.market]);
};

// ------------------------------------------------------------------ liquidation

/** Legs of accounts at risk that step 1 would take. */
function legs(situation: Situation, toPool: boolean) {
  const { state, names } = situation;
  return atRisk(situation).flatMap((target) =>
    [...modelled(situation, target).positions.keys()]
      .filter((market) => typeof planLeg(state, names.account(target.id), market, undefined, toPool) !== "string")
      .map((market) => ({ target, market })),
  );
}

function mostOf(situation: Situation, size: Rational): bigint {
  return chance(situation, 0.7) ? everything : toWei(part(situation, size.abs(), 0.05, 1.1)) + 1n;
}

const liquidateIntoPool: Choice = (situation) => {
  const leg = pick(situation, legs(situation, true));
  if (leg === undefined) return undefined;
  const most = mostOf(situation, sizeOf(modelled(situation, leg.target), leg.market));
  const pool = situation.arena.accounts.find(({ name }) => name === "pool")!;
  const { owner } = situation.arena.keeper;
  return call(situation, "liquidatePosition", owner, [leg.target.id, leg.market, most, pool.id]);
};

/** Somebody with margin to spare, of those that are not the target; as likely as not with the opposite position. */
function taker(situation: Situation, target: NamedAccount, market?: number): NamedAccount | undefined {
  const able = traders(situation).filter(
    (each) =>
      each.id !== target.id && freeMargin(situation.state, modelled(situation, each)).toWad() > 100n * 10n ** 18n,
  );
  const sideOf = (each: NamedAccount) => (market === undefined ? 0 : sizeOf(modelled(situation, each), market).sign());
  const opposite = able.filter((each) => sideOf(each) * sideOf(target) < 0);
  return pick(situation, opposite.length > 0 && chance(situation, 0.5) ? opposite : able);
}

const liquidateToAccount: Choice = (situation) => {
  const leg = pick(situation, legs(situation, false));
  if (leg === undefined) return undefined;
  const found = taker(situation, leg.target, leg.market);
  if (found === undefined) return undefined;
  const { terms, price } = marketOf(situation.state, leg.market);
  const free = freeMargin(situation.state, modelled(situation, found));
  const bearable = free.over(terms.initialBase.times(price.value));
  const size = sizeOf(modelled(situation, leg.target), leg.market).abs();
  const most = bearable.isBelow(size) ? toWei(part(situation, bearable, 0.2, 0.9)) + 1n : mostOf(situation, size);
  return call(situation, "liquidatePosition", found.owner, [leg.target.id, leg.market, most, found.id]);
};

const liquidateCollateral: Choice = (situation) => {
  const sales = atRisk(situation).flatMap((target) => {
    const account = modelled(situation, target);
    if (netCash(situation.state, account).sign() >= 0) return [];
    if (equity(situation.state, account, "maintenance").sign() <= 0) return [];
    return [...account.collaterals.keys()]
      .filter((index) => account.collaterals[index]! > 0n)
      .map((index) => ({ target, index }));
  });
  const sale = pick(situation, sales);
  const found = sale === undefined ? undefined : taker(situation, sale.target);
  if (sale === undefined || found === undefined) return undefined;
  const { terms, price } = collateralOf(situation.state, sale.index);
  const free = freeMargin(situation.state, modelled(situation, found));
  const most = chance(situation, 0.4) ? everything : free.times(whole(2)).over(price.value).floorTo(terms.unit) + 1n;
  const token = situation.arena.tokens[sale.index + 1];
  return call(situation, "liquidateCollateral", found.owner, [sale.target.id, token, most, found.id]);
};

const absorb: Choice = (situation) => {
  const { state, names, arena } = situation;
  const open = atRisk(situation).filter(({ id }) => isOpenToAbsorb(state, names.account(id)));
  const first = pick(situation, open);
  if (first === undefined) return undefined;
  const batch = [first.id];
  if (chance(situation, 0.3)) batch.push(pick(situation, traders(situation))!.id);
  return call(situation, "absorb", arena.keeper.owner, [batch, arena.keeper.id]);
};

const buyCollateral: Choice = (situation) => {
  const { state, arena } = situation;
  const stock = poolOf(state).collaterals;
  const index = pick(
    situation,
    [...stock.keys()].filter((each) => stock[each]! > 0n),
  );
  const buyer = pick(situation, traders(situation));
  if (index === undefined || buyer === undefined) return undefined;
  const amount = part(situation, whole(stock[index]!), 0.05, 1).floorTo(1n) + 1n;
  const limit = toWei(worth(collateralOf(state, index), amount).times(decimal("1.1")));
  return call(situation, "buyCollateral", buyer.owner, [buyer.id, arena.tokens[index + 1], amount, limit]);
};

// ------------------------------------------------------------------ pool, sums, losses

const poolDeposit: Choice = (situation) => {
  const { admin, deployment } = situation.arena;
  const amount = raw(situation, part(situation, whole(15_000), 0.01, 1));
  const data = poolInterface.encodeFunctionData("deposit", [amount, admin]);
  return {
    name: "pool deposit",
    what: `admin: pool deposit ${amount}`,
    from: admin,
    to: deployment.pool,
    data,
    args: [],
  };
};

const poolRedeem: Choice = async (situation) => {
  const { admin, deployment, chain } = situation.arena;
  const asked = await chain.call(deployment.pool, poolInterface.encodeFunctionData("maxRedeem", [admin]));
  const shares = part(situation, whole(BigInt(asked)), 0.02, 0.25).floorTo(1n);
  if (shares === 0n) return undefined;
  const data = poolInterface.encodeFunctionData("redeem", [shares, admin, admin]);
  return { name: "pool redeem", what: `admin: redeems ${shares}`, from: admin, to: deployment.pool, data, args: [] };
};

const byKeeper =
  (name: string, isDue: (situation: Situation) => boolean): Choice =>
  (situation) =>
    isDue(situation) ? call(situation, name, situation.arena.keeper.owner, []) : undefined;

const sweepFees: Choice = (situation) => {
  const due = [...situation.state.markets.keys()].filter((id) => marketOf(situation.state, id).fees.sign() > 0);
  const market = pick(situation, due);
  return market === undefined ? undefined : call(situation, "sweepFees", situation.arena.keeper.owner, [market]);
};

const depositForInsurance: Choice = (situation) => {
  const insurance = situation.arena.accounts.find(({ name }) => name === "insurance")!;
  const amount = raw(situation, part(situation, whole(3000), 0.1, 1));
  return call(situation, "deposit", situation.arena.admin, [insurance.id, situation.arena.tokens[0], amount]);
};

// ------------------------------------------------------------------ prices and time

function pushOf(situation: Situation, name: string, prices: readonly bigint[]): Act {
  const { arena } = situation;
  return {
    name,
    what: `${name} ${prices.join(", ")}`,
    from: arena.admin,
    to: arena.deployment.oracle,
    data: pushData(arena.parameters, prices, arena.chain.nowSeconds),
    args: [],
    prices,
  };
}

function moved(situation: Situation, logFactor: (market: number) => number): bigint[] {
  return situation.state.markets.map(({ price }, market) => {
    const factor = BigInt(Math.round(Math.exp(logFactor(market)) * 2 ** 40));
    return (toWei(price.value) * factor) >> 40n;
  });
}

const push: Choice = (situation) =>
  pushOf(
    situation,
    "push",
    moved(situation, () => 0.02 * (situation.random.uniform() - 0.5)),
  );

const gap: Choice = (situation) => {
  const { random } = situation;
  const depth =
    (chance(situation, 0.5) ? -1 : 1) *
    (chance(situation, 0.6) ? 0.02 + 0.06 * random.uniform() : 0.08 + 0.3 * random.uniform());
  return pushOf(
    situation,
    "gap",
    moved(situation, () => depth * (0.6 + 0.8 * random.uniform())),
  );
};

/** A move of one price that brings an account's health to where something is decided: just below 1, below the absorb health, about zero. */
const aimedGap: Choice = (situation) => {
  const held = traders(situation).flatMap((each) =>
    [...modelled(situation, each).positions].map(([market, { size }]) => ({
      id: modelled(situation, each).id,
      market,
      size,
    })),
  );
  const found = pick(
    situation,
    held.filter(({ size }) => !size.isZero()),
  );
  if (found === undefined) return undefined;
  const { market, size } = found;
  const target = new Rational(BigInt(situation.random.integer(1, 110)), 100n);
  const trial = copy(situation.state);
  const { price } = marketOf(trial, market);
  const first = price.value;
  let [near, far] = [0, 0.6];
  for (let i = 0; i < 16; i += 1) {
    const middle = (near + far) / 2;
    price.value = first.times(new Rational(BigInt(Math.round((1 - size.sign() * middle) * 1e9)), 10n ** 9n)).fine();
    const health = healthOf(trial, accountOf(trial, found.id));
    if (health === undefined || target.isBelow(health)) near = middle;
    else far = middle;
  }
  const prices = situation.state.markets.map((each, id) => toWei(id === market ? price.value : each.price.value));
  return pushOf(situation, "aimed gap", prices);
};

const time: Choice = (situation) => {
  const { random } = situation;
  const seconds = chance(situation, 0.15) ? random.integer(3600, 60_000) : random.integer(1, 1200);
  return { name: "time", what: `${seconds} s pass`, from: "", to: "", data: "0x", args: [], seconds };
};

// ------------------------------------------------------------------ the end of a market

const lastMarket = ({ state }: Situation) => state.markets.length - 1;

const announce: Choice = (situation) => {
  const market = lastMarket(situation);
  const { delisting, price } = marketOf(situation.state, market);
  if (situation.progress < 0.75 || delisting !== undefined) return undefined;
  const due = situation.arena.chain.nowSeconds + 86_400 + situation.random.integer(1, 1000);
  const final = chance(situation, 0.5) ? 0n : toWei(part(situation, price.value, 0.9, 1.1));
  return call(situation, "announceDelisting", situation.arena.admin, [market, due, final]);
};

const waitForDelisting: Choice = (situation) => {
  const { delisting, isDelisted, price } = marketOf(situation.state, lastMarket(situation));
  const wait = Number((delisting?.at ?? 0n) - situation.state.now);
  if (delisting === undefined || isDelisted || wait <= 0) return undefined;
  // Now and then so long that the feed is dead by then, and not late only.
  const seconds = chance(situation, 0.6) ? wait + Number(price.maxAge) + 86_400 : wait;
  return { name: "time", what: `${seconds} s pass`, from: "", to: "", data: "0x", args: [], seconds };
};

const delist: Choice = (situation) => {
  const market = lastMarket(situation);
  const { delisting, isDelisted } = marketOf(situation.state, market);
  if (delisting === undefined || isDelisted || situation.state.now < delisting.at) return undefined;
  return call(situation, "delist", situation.arena.keeper.owner, [market]);
};

// ------------------------------------------------------------------ the choice

const isCapitalStale = ({ state }: Situation) => state.now > state.capital.takenAt + state.vault.capitalMaxAge;
const isAnyStale = ({ state }: Situation) => state.markets.some(({ price }) => !isFresh(state, price));

/** Every act, and how often it is chosen; what does not apply just then is chosen again. */
const table: readonly (readonly [weight: (situation: Situation) => number, Choice])[] = [
  [() => 4, deposit],
  [() => 8, withdraw],
  [() => 2, transfer],
  [() => 45, trade],
  [() => 6, settle],
  [() => 25, liquidateIntoPool],
  [() => 20, liquidateToAccount],
  [() => 25, liquidateCollateral],
  [() => 50, absorb],
  [() => 8, buyCollateral],
  [() => 2, poolDeposit],
  [() => 3, poolRedeem],
  [() => 2, sweepFees],
  [() => 2, byKeeper("sweepInterest", ({ state }) => state.interest.unswept.sign() > 0)],
  [
    () => 30,
    byKeeper("cover", ({ state }) => state.badDebt.sign() > 0 && accountOf(state, "insurance").cash.sign() > 0),
  ],
  [() => 80, byKeeper("resolvePool", ({ state }) => resolvableEquity(state).toWad() < -(10n ** 12n))],
  [(now) => (now.state.badDebt.sign() > 0 ? 10 : 2), depositForInsurance],
  [(now) => (isCapitalStale(now) ? 40 : 1), byKeeper("refreshCapital", () => true)],
  [(now) => (isAnyStale(now) ? 60 : 3), push],
  [(now) => (atRisk(now).length === 0 ? 10 : 2), gap],
  [(now) => (atRisk(now).length === 0 ? 18 : 0), aimedGap],
  [() => 8, time],
  [() => 5, announce],
  [() => 15, waitForDelisting],
  [() => 40, delist],
];

/** Chooses the next act. */
export async function choose(situation: Situation): Promise<Act> {
  const weights = table.map(([weight]) => weight(situation));
  const all = weights.reduce((total, weight) => total + weight, 0);
  for (;;) {
    let at = situation.random.uniform() * all;
    const row = weights.findIndex((weight) => (at -= weight) < 0);
    const act = await table[row]?.[1](situation);
    if (act !== undefined) return act;
  }
}
