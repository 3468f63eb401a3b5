import { takeCheckpoint } from "./custody.js";
import { exchange, fillPrice, realise, settle } from "./fills.js";
import { touch } from "./funding.js";
import { cashTotals, sweepInterest } from "./interest.js";
import { absorbCollateral, isLiquidatable, lowersSkew, move, planLeg } from "./liquidation.js";
import { equity, freeMargin, healthOf, poolValue, valueOf, weighted } from "./margin.js";
import { Rational, greatest, least, one, sum, whole, zero } from "./rational.js";
import {
  type Account,
  type HourBudget,
  type State,
  accountOf,
  collateralOf,
  copy,
  insuranceId,
  isFresh,
  marketOf,
  poolOf,
  positionOf,
  sizeOf,
  skewOf,
  worth,
} from "./state.js";

// Steps 2 to 7. What a step did is told by name, so that a test can require each to have occurred.

export type Step =
  | "way A"
  | "way B"
  | "deleveraged at the price"
  | "deleveraged beyond the price"
  | "reward topped up"
  | "insurance paid"
  | "pool paid"
  | "written off"
  | "bad debt"
  | "bad debt covered"
  | "pool resolved";

// ------------------------------------------------------------------ deleveraging

/** The whole of a position is closed at a price against the other side: each position there sells the same part, its cost takes it. */
export function deleverage(state: State, account: Account, market: number, price: Rational): void {
  const own = positionOf(account, market);
  sellAgainst(state, market, own.size, price);
  own.cost = own.cost.minus(own.size.times(price)).fine();
  own.size = zero;
  if (account === poolOf(state)) return; // its proceeds stay in its cost
  realise(state, account, market, own.cost.negated());
  account.positions.delete(market);
}

function sellAgainst(state: State, market: number, size: Rational, price: Rational): void {
  const others = [...state.accounts.values()]
    .map(({ positions }) => positions.get(market))
    .filter((position) => position !== undefined && position.size.sign() * size.sign() < 0) as {
    size: Rational;
    cost: Rational;
  }[];
  const all = sum(others.map((other) => other.size));
  const part = size.negated().over(all);
  let left = size.negated();
  for (const [i, other] of others.entries()) {
    const sold = i === others.length - 1 ? left : other.size.times(part).fine();
    left = left.minus(sold);
    other.size = other.size.minus(sold);
    other.cost = other.cost.minus(sold.times(price)).fine();
  }
}

// ------------------------------------------------------------------ absorb

/** Below the absorb health, or below 1 where step 1 finds no position that the pool takes. */
export function isOpenToAbsorb(state: State, id: string): boolean {
  const account = accountOf(state, id);
  if (!isLiquidatable(state, account)) return false;
  if (!hasAnythingFresh(state, account)) return false;
  const health = healthOf(state, account);
  if (health === undefined || health.isBelow(state.vault.absorbHealth)) return true;
  return [...account.positions].every(([market, { size }]) => {
    if (size.isZero()) return true;
    const plan = planLeg(state, id, market, undefined, true);
    return typeof plan === "string" && plan !== "PriceStale";
  });
}

/** Who has nothing but what waits for its price has nothing to be taken. */
function hasAnythingFresh(state: State, { positions, collaterals }: Account): boolean {
  const prices = [
    ...[...positions].filter(([, { size }]) => !size.isZero()).map(([market]) => marketOf(state, market).price),
    ...collaterals.flatMap((amount, index) => (amount > 0n ? [collateralOf(state, index).price] : [])),
  ];
  return prices.length === 0 || prices.some((price) => isFresh(state, price));
}

export interface Absorbed {
  readonly steps: readonly Step[];
  /** Accounts that were taken over. */
  readonly taken: readonly string[];
}

/** `swept`: the interest that goes to insurance with it, where it is told. */
export function absorb(state: State, ids: readonly string[], rewardTo: string, swept?: Rational): Absorbed {
  const steps: Step[] = [];
  const taken: string[] = [];
  let toSweep = swept;
  if (state.badDebt.sign() > 0 && ids.some((id) => isOpenToAbsorb(state, id))) {
    sweepInterest(state, accountOf(state, insuranceId), swept);
    steps.push(...cover(state));
    toSweep = zero;
  }
  for (const id of ids) {
    if (!isOpenToAbsorb(state, id)) continue;
    steps.push(...absorbOne(state, id, rewardTo, toSweep));
    taken.push(id);
  }
  // What the pool may have lost, itself or as one of the other sides, lowers what openings are measured against.
  const borne: readonly Step[] = ["pool paid", "deleveraged beyond the price", "written off", "bad debt"];
  if (steps.some((step) => borne.includes(step))) takeCheckpoint(state);
  return { steps, taken };
}

function absorbOne(state: State, id: string, rewardTo: string, swept: Rational | undefined): Step[] {
  const account = accountOf(state, id);
  for (const [market, { size }] of account.positions) {
    if (size.isZero()) settle(state, id, market);
    else if (isFresh(state, marketOf(state, market).price)) touch(state, market);
  }
  const taken = worthTaken(state, account);
  const trial = copy(state);
  wayA(trial, id);
  const after = accountOf(trial, id);
  const isEnough = after.cash.plus(staleWorth(trial, after)).sign() >= 0;
  const steps: Step[] = isEnough ? ["way A", ...wayA(state, id)] : ["way B", ...wayB(state, id, swept)];
  steps.push(...payOut(state, account, rewardTo, taken, isEnough));
  return steps;
}

/** Positions whose price is fresh. */
function freshLegs(state: State, { positions }: Account): number[] {
  return [...positions.keys()]
    .filter((market) => isFresh(state, marketOf(state, market).price))
    .toSorted((a, b) => a - b);
}

/** Notional and collateral value that an absorb takes over. */
function worthTaken(state: State, account: Account): Rational {
  const legs = freshLegs(state, account).map((market) =>
    sizeOf(account, market).abs().times(marketOf(state, market).price.value),
  );
  const collaterals = account.collaterals.map((amount, index) => {
    const collateral = collateralOf(state, index);
    return isFresh(state, collateral.price) ? worth(collateral, amount) : zero;
  });
  return sum([...legs, ...collaterals]);
}

/** What stays with an account for want of a price and is worth something, at the last good one. */
function staleWorth(state: State, account: Account): Rational {
  const legs = [...account.positions]
    .filter(([market]) => !isFresh(state, marketOf(state, market).price))
    .map(([market, position]) => valueOf(state, market, position).positive());
  const collaterals = account.collaterals.map((amount, index) => {
    const collateral = collateralOf(state, index);
    if (amount === 0n || isFresh(state, collateral.price)) return zero;
    return worth(collateral, amount).times(collateral.terms.maintenanceWeight);
  });
  return sum([...legs, ...collaterals]);
}

function sellCollaterals(state: State, account: Account): void {
  for (const index of account.collaterals.keys()) {
    if (isFresh(state, collateralOf(state, index).price)) absorbCollateral(state, account, index);
  }
}

/** The pool takes each leg that it accepts at its fill price; the others are deleveraged at the price. */
function wayA(state: State, id: string): Step[] {
  const steps: Step[] = [];
  const account = accountOf(state, id);
  for (const market of freshLegs(state, account)) {
    const size = sizeOf(account, market).negated();
    const price = fillPrice(marketOf(state, market), skewOf(state, market), size);
    const fill = { size, price, fee: zero, feeOfOthers: zero };
    const trial = copy(state);
    exchange(trial, accountOf(trial, id), market, fill);
    if (lowersSkew(state, trial, market) || freeMargin(trial, poolOf(trial)).sign() >= 0) {
      exchange(state, account, market, fill);
    } else {
      deleverage(state, account, market, marketOf(state, market).price.value);
      steps.push("deleveraged at the price");
    }
  }
  sellCollaterals(state, account);
  return steps;
}

/** Every leg is deleveraged; insurance, the pool and the other sides make good what was missing at the price, the rest is written off. */
function wayB(state: State, id: string, swept: Rational | undefined): Step[] {
  const steps: Step[] = [];
  const account = accountOf(state, id);
  const insurance = accountOf(state, insuranceId);
  const pool = poolOf(state);
  sweepInterest(state, insurance, swept);
  const legs = freshLegs(state, account);
  const atThePrice = sum([
    account.cash,
    weighted(state, account, "maintenance"),
    ...[...account.positions].map(([market, position]) => valueOf(state, market, position)),
  ]);
  const deficit = atThePrice.minus(staleLoss(state, account)).negated().positive().fine();
  const byInsurance = least(deficit, insurance.cash.positive());
  if (byInsurance.sign() > 0) steps.push("insurance paid");
  move(insurance, account, byInsurance);
  const byPool = spend(
    state,
    state.poolLoss,
    () => poolValue(state).value.positive().times(state.cashTerms.poolLossPerHour),
    deficit.minus(byInsurance),
  );
  if (byPool.sign() > 0) steps.push("pool paid");
  move(pool, account, byPool);
  const missing = deficit.minus(byInsurance).minus(byPool);
  steps.push(...closeAgainstOthers(state, account, legs, missing));
  sellCollaterals(state, account);
  const short = account.cash.plus(staleWorth(state, account)).negated().positive();
  if (dust.isBelow(short)) steps.push(...writeOff(state, account, short));
  else move(pool, account, short);
  return steps;
}

/** What rounding to the model's own digits leaves. */
const dust = new Rational(1n, 10n ** 40n);

/** Step 5: all legs at prices that favour the account by what is missing, at most by the maintenance base over 1 + rho. */
function closeAgainstOthers(state: State, account: Account, legs: readonly number[], missing: Rational): Step[] {
  const perUnit = (market: number) =>
    marketOf(state, market).terms.maintenanceBase.over(one.plus(state.vault.debtMargin));
  const most = sum(
    legs.map((market) =>
      sizeOf(account, market).abs().times(marketOf(state, market).price.value).times(perUnit(market)),
    ),
  );
  const part = most.isZero() ? zero : least(one, missing.over(most));
  for (const market of legs) {
    const side = whole(sizeOf(account, market).sign());
    const price = marketOf(state, market).price.value.times(one.plus(side.times(perUnit(market)).times(part)));
    deleverage(state, account, market, price.fine());
  }
  if (legs.length === 0) return [];
  return [part.isZero() ? "deleveraged at the price" : "deleveraged beyond the price"];
}

/** Step 6: suppliers of cash bear it in proportion, up to the hour's budget; the rest is the vault's bad debt. */
function writeOff(state: State, account: Account, missing: Rational): Step[] {
  const steps: Step[] = [];
  const { supplied } = cashTotals(state);
  // What the account itself would lose as a supplier is made good by the others.
  const own = account.cash.positive();
  const grossed = supplied.equals(own) ? zero : missing.times(supplied).over(supplied.minus(own));
  const allowed = () => supplied.times(state.cashTerms.writeOffPerHour);
  const written = spend(state, state.writeOff, allowed, least(grossed, supplied));
  const before = account.cash;
  if (written.sign() > 0) {
    steps.push("written off");
    const kept = supplied.minus(written).over(supplied);
    let lost = zero;
    for (const other of state.accounts.values()) {
      if (other.cash.sign() <= 0) continue;
      const after = other.cash.times(kept).fine();
      lost = lost.plus(other.cash.minus(after));
      other.cash = after;
    }
    account.cash = account.cash.plus(lost);
    state.interest.supplyIndex = state.interest.supplyIndex.times(kept).fine();
  }
  const rest = missing.minus(account.cash.minus(before)).positive();
  if (rest.sign() > 0) {
    steps.push("bad debt");
    account.cash = account.cash.plus(rest);
    state.badDebt = state.badDebt.plus(rest);
  }
  return steps;
}

/** Takes an amount out of an hour's budget, as far as it goes; a new hour begins if the last one is over and anything is taken. */
function spend({ now }: State, budget: HourBudget, allowed: () => Rational, amount: Rational): Rational {
  if (amount.sign() <= 0) return zero;
  const isOver = now >= budget.since + 3600n;
  const most = isOver ? allowed().fine() : budget.allowed;
  const before = isOver ? zero : budget.spent;
  const spent = least(amount, most.minus(before).positive()).fine();
  if (spent.isZero()) return zero;
  if (isOver) Object.assign(budget, { since: now, allowed: most });
  budget.spent = before.plus(spent);
  return spent;
}

// ------------------------------------------------------------------ penalty and reward

/** The penalty on what is left, and its shares; the keeper's is topped up by insurance, within the hour's budget. */
function payOut(state: State, account: Account, rewardTo: string, taken: Rational, wayA: boolean): Step[] {
  const { absorbPenalty, keeperShare, insuranceShare, rewardFloor, rewardPerHour, minimumDebt } = state.vault;
  const insurance = accountOf(state, insuranceId);
  const keeper = accountOf(state, rewardTo);
  const pool = poolOf(state);
  const floor = taken.isBelow(minimumDebt) ? zero : rewardFloor;
  const left = account.cash.plus(staleLoss(state, account)).positive();
  const penalty = least(left, greatest(absorbPenalty.times(taken), floor)).fine();
  const reward = greatest(penalty.times(keeperShare), least(penalty, floor)).fine();
  const ofInsurance = least(penalty.minus(reward), penalty.times(insuranceShare)).fine();
  move(account, keeper, reward);
  move(account, insurance, ofInsurance);
  move(account, pool, penalty.minus(reward).minus(ofInsurance));
  // Who could not have paid for being closed keeps nothing.
  if (!wayA) move(account, insurance, left.minus(penalty).positive());
  const lacking = least(floor.minus(reward).positive(), insurance.cash.positive());
  const added = spend(state, state.rewards, () => rewardPerHour, lacking);
  if (added.isZero()) return [];
  move(insurance, keeper, added);
  return ["reward topped up"];
}

/** What positions with a size and without a usable price have lost: zero or below. Nobody makes it good before it is real. */
function staleLoss(state: State, { positions }: Account): Rational {
  return sum(
    [...positions]
      .filter(([market, { size }]) => !size.isZero() && !isFresh(state, marketOf(state, market).price))
      .map(([market, position]) => least(zero, valueOf(state, market, position))),
  );
}

// ------------------------------------------------------------------ bad debt, and the pool's own

/** Insurance pays standing bad debt before anything else. */
export function cover(state: State): Step[] {
  const insurance = accountOf(state, insuranceId);
  const paid = least(state.badDebt, insurance.cash.positive());
  if (paid.sign() <= 0) return [];
  insurance.cash = insurance.cash.minus(paid);
  state.badDebt = state.badDebt.minus(paid);
  return ["bad debt covered"];
}

/** The pool's maintenance equity without the losses that wait: below zero it is resolved. */
export function resolvableEquity(state: State): Rational {
  const pool = poolOf(state);
  return equity(state, pool, "maintenance").minus(staleLoss(state, pool));
}

/** Step 7: what the pool's own equity is below zero is paid by insurance, the other sides of its legs, and suppliers of cash. */
export function resolvePool(state: State, swept?: Rational): Step[] {
  const pool = poolOf(state);
  const insurance = accountOf(state, insuranceId);
  const legs = freshLegs(state, pool).filter((market) => !sizeOf(pool, market).isZero());
  for (const market of legs) touch(state, market);
  const deficit = resolvableEquity(state).negated().positive().fine();
  if (deficit.isZero()) return [];
  sweepInterest(state, insurance, swept);
  const steps: Step[] = ["pool resolved", ...cover(state)];
  const paid = least(deficit, insurance.cash.positive());
  if (paid.sign() > 0) steps.push("insurance paid");
  move(insurance, pool, paid);
  steps.push(...closeAgainstOthers(state, pool, legs, deficit.minus(paid)));
  const short = resolvableEquity(state).negated().positive().fine();
  if (dust.isBelow(short)) steps.push(...writeOff(state, pool, short));
  takeCheckpoint(state);
  return steps;
}
