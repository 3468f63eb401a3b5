import { accrued } from "./funding.js";
import { type Rational, greatest, least, one, sum, two, wei, zero } from "./rational.js";
import {
  type Account,
  type Collateral,
  type Market,
  type Position,
  type State,
  collateralOf,
  isFresh,
  marketOf,
  openInterest,
  poolId,
  poolOf,
  worth,
} from "./state.js";

export type Kind = "initial" | "maintenance";

/** A position with what funding has accrued, at a price: unrealised profit, below zero a loss. */
export function valueOf(state: State, market: number, { size, cost }: Position): Rational {
  const { price } = marketOf(state, market);
  return size.times(price.value.minus(accrued(state, market).paid)).minus(cost);
}

export function positionValues(state: State, { positions }: Account): Rational[] {
  return [...positions].map(([market, position]) => valueOf(state, market, position));
}

/** Cash plus unrealised profit and loss: what the debt would be, if below zero, were everything settled. */
export function netCash(state: State, account: Account): Rational {
  return sum([account.cash, ...positionValues(state, account)]);
}

/** The share of a collateral's value that counts. */
export function weightOf(state: State, index: number, kind: Kind): Rational {
  const { terms, price } = collateralOf(state, index);
  if (kind === "maintenance") return terms.maintenanceWeight;
  if (!isFresh(state, price)) return zero;
  const held = [...state.accounts.values()].reduce((total, { collaterals }) => total + collaterals[index]!, 0n);
  if (held === 0n) return terms.initialWeight;
  const start = terms.concentrationStart.times(wei(terms.depositCap));
  return terms.initialWeight.times(least(one, start.over(wei(held))));
}

export function weighted(state: State, account: Account, kind: Kind): Rational {
  return sum(
    account.collaterals.map((amount, index) =>
      amount === 0n ? zero : worth(collateralOf(state, index), amount).times(weightOf(state, index, kind)),
    ),
  );
}

export function equity(state: State, account: Account, kind: Kind): Rational {
  const values = [...account.positions].map(([market, position]) => {
    const value = valueOf(state, market, position);
    // The pool's gains count in full.
    const isHalved = kind === "initial" && value.sign() > 0 && account.id !== poolId;
    return isHalved ? value.times(marketOf(state, market).terms.profitWeight) : value;
  });
  return sum([account.cash, weighted(state, account, kind), ...values]);
}

export function baseOf(state: State, id: number, kind: Kind): Rational {
  const { terms } = marketOf(state, id);
  if (kind === "maintenance") return terms.maintenanceBase;
  if (terms.openInterestSlope.isZero()) return terms.initialBase;
  const open = greatest(openInterest(state, id, 1, true), openInterest(state, id, -1, true));
  return least(one, terms.initialBase.plus(terms.openInterestSlope.times(open).over(terms.skewScale)));
}

/** What a position of this size requires. */
export function legRequirement({ terms, price }: Market, size: Rational, base: Rational, kind: Kind): Rational {
  const lambda = kind === "initial" ? terms.lambdaInitial : terms.lambdaMaintenance;
  const ownImpact = lambda.times(size.abs()).over(two.times(terms.skewScale));
  return size.abs().times(price.value).times(base.plus(ownImpact));
}

export function requirement(state: State, account: Account, kind: Kind): Rational {
  const { debtMargin, keeperFloor } = state.vault;
  const legs = [...account.positions].map(([id, { size }]) =>
    legRequirement(marketOf(state, id), size, baseOf(state, id, kind), kind),
  );
  const debt = netCash(state, account).negated().positive().times(debtMargin);
  // A position of size zero keeps the floor until it is settled; those of the pool never are.
  const isPool = account === poolOf(state);
  const hasPosition = [...account.positions.values()].some(({ size }) => !isPool || !size.isZero());
  const hasRisk = hasPosition || account.cash.sign() < 0;
  return sum([...legs, debt, hasRisk ? keeperFloor : zero]);
}

export function freeMargin(state: State, account: Account): Rational {
  return equity(state, account, "initial").minus(requirement(state, account, "initial"));
}

/** Maintenance equity over requirement; undefined without requirement, zero where equity is below zero. */
export function healthOf(state: State, account: Account): Rational | undefined {
  const required = requirement(state, account, "maintenance");
  if (required.isZero()) return undefined;
  return equity(state, account, "maintenance").positive().over(required);
}

/** By how much maintenance equity exceeds the requirement; below zero the account is liquidatable. */
export function maintenanceRoom(state: State, account: Account): Rational {
  return equity(state, account, "maintenance").minus(requirement(state, account, "maintenance"));
}

/** What the skew's premium is worth: the pool will repay it as the skew unwinds. */
export function premium({ terms, price }: Market, skew: Rational): Rational {
  return price.value.times(skew).times(skew).over(two.times(terms.skewScale));
}

export interface PoolValue {
  readonly value: Rational;
  /** By how much prices may make it wrong. */
  readonly band: Rational;
  /** What selling its collateral may bring beyond the weight. */
  readonly haircut: Rational;
}

export function poolValue(state: State): PoolValue {
  const pool = poolOf(state);
  let [value, band, haircut] = [netCash(state, pool), zero, zero];
  for (const [id, { size }] of pool.positions) {
    const market = marketOf(state, id);
    value = value.minus(premium(market, size));
    band = band.plus(size.abs().times(market.price.value).times(market.price.tolerance));
  }
  for (const [index, amount] of pool.collaterals.entries()) {
    const collateral: Collateral = collateralOf(state, index);
    if (!isFresh(state, collateral.price)) continue;
    const { maintenanceWeight } = collateral.terms;
    const { tolerance } = collateral.price;
    const counted = worth(collateral, amount).times(maintenanceWeight);
    value = value.plus(counted);
    band = band.plus(counted.times(tolerance));
    haircut = haircut.plus(worth(collateral, amount).times(one.minus(maintenanceWeight)).times(one.plus(tolerance)));
  }
  return { value, band, haircut };
}
