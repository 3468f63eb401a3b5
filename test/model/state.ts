import { Rational, sum, zero } from "./rational.js";

// The books of the protocol as its specification has them, with nothing that a chain needs to be quick: an account holds its cash itself,
// a position its size and what was paid for it. Whatever concerns a side of a market (funding, deleveraging) walks over all accounts.

export interface Discount {
  readonly base: Rational;
  readonly slope: Rational;
  readonly cap: Rational;
}

export interface MarketTerms {
  readonly initialBase: Rational;
  readonly maintenanceBase: Rational;
  readonly profitWeight: Rational;
  readonly lambdaInitial: Rational;
  readonly lambdaMaintenance: Rational;
  /** How the initial base rises with open interest over skewScale. */
  readonly openInterestSlope: Rational;
  /** A second. */
  readonly maxFundingRate: Rational;
  /** A second and second. */
  readonly maxFundingVelocity: Rational;
  readonly maxFundingGap: bigint;
  readonly skewScale: Rational;
  readonly openInterestCap: Rational;
  readonly minimumSize: Rational;
  readonly takerRate: Rational;
  readonly makerRate: Rational;
  readonly capitalShare: Rational;
  readonly discount: Discount;
}

export interface CollateralTerms {
  readonly initialWeight: Rational;
  readonly maintenanceWeight: Rational;
  /** Raw units in one token. */
  readonly unit: bigint;
  /** Raw. */
  readonly depositCap: bigint;
  /** From this share of the cap on the initial weight falls. */
  readonly concentrationStart: Rational;
  readonly discount: Discount;
}

/** Interest rates, a year, and what else concerns suppliers of cash. */
export interface CashTerms {
  readonly kink: Rational;
  readonly rateAtZero: Rational;
  readonly rateAtKink: Rational;
  readonly rateAtFull: Rational;
  readonly reserveFactor: Rational;
  /** Of the pool's value, what it pays in an hour for accounts that cannot. */
  readonly poolLossPerHour: Rational;
  /** Of the cash supplied. */
  readonly writeOffPerHour: Rational;
}

export interface VaultTerms {
  readonly debtMargin: Rational;
  readonly targetHealth: Rational;
  readonly absorbHealth: Rational;
  readonly absorbPenalty: Rational;
  readonly keeperShare: Rational;
  readonly insuranceShare: Rational;
  readonly insuranceFeeShare: Rational;
  readonly keeperFloor: Rational;
  readonly minimumDebt: Rational;
  readonly rewardFloor: Rational;
  readonly rewardPerHour: Rational;
  readonly capitalMaxAge: bigint;
}

export interface Price {
  value: Rational;
  readonly tolerance: Rational;
  publishedAt: bigint;
  readonly maxAge: bigint;
}

export interface Market {
  terms: MarketTerms;
  readonly price: Price;
  /** A second, when it was touched last; above zero longs pay. */
  fundingRate: Rational;
  touchedAt: bigint;
  /** What one unit of long size has paid since listing. */
  fundingPaid: Rational;
  /** The insurance account's share of fees, not in its cash yet. */
  fees: Rational;
  /** Announced: from when, and at what price where no other is fresh. Nothing grows from the announcement on. */
  delisting: { readonly at: bigint; readonly finalPrice: Rational } | undefined;
  isDelisted: boolean;
}

export interface Collateral {
  terms: CollateralTerms;
  /** Whose asset it is. */
  readonly market: number;
  readonly price: Price;
  /** Unix seconds: mean by amount of when the pool took over what it holds. */
  stockSince: bigint;
}

/** Size below zero: short. Its value is size * price - cost. */
export interface Position {
  size: Rational;
  cost: Rational;
}

export interface Account {
  readonly id: string;
  /** Below zero: a debt. */
  cash: Rational;
  /** Raw, by collateral. */
  readonly collaterals: bigint[];
  /** By market. Size zero: final, waiting to be settled. */
  readonly positions: Map<number, Position>;
}

/** So much in an hour that begins with its first use. */
export interface HourBudget {
  allowed: Rational;
  spent: Rational;
  since: bigint;
}

export interface Interest {
  /** A second. */
  supplyRate: Rational;
  borrowRate: Rational;
  /** When the rates were set; growth is linear from there. */
  setAt: bigint;
  /** Up to when every account's cash has grown. */
  grownTo: bigint;
  /** What borrowers paid and suppliers did not get: the insurance account's. */
  unswept: Rational;
  /** What one unit supplied, or borrowed, at the start has become. */
  supplyIndex: Rational;
  borrowIndex: Rational;
}

export interface State {
  now: bigint;
  vault: VaultTerms;
  cashTerms: CashTerms;
  readonly accounts: Map<string, Account>;
  readonly markets: Market[];
  readonly collaterals: Collateral[];
  /** Settlement tokens, in quote units. */
  held: Rational;
  /** Of them, what was paid in against dust when markets were listed: nobody's. */
  readonly reserve: Rational;
  readonly interest: Interest;
  badDebt: Rational;
  readonly capital: { value: Rational; takenAt: bigint };
  readonly rewards: HourBudget;
  readonly poolLoss: HourBudget;
  readonly writeOff: HourBudget;
}

export const poolId = "pool";
export const insuranceId = "insurance";

export function newAccount(id: string, collaterals: number): Account {
  return { id, cash: zero, collaterals: Array.from({ length: collaterals }, () => 0n), positions: new Map() };
}

export function accountOf(state: State, id: string): Account {
  let account = state.accounts.get(id);
  if (account === undefined) {
    account = newAccount(id, state.collaterals.length);
    state.accounts.set(id, account);
  }
  return account;
}

export function poolOf(state: State): Account {
  return accountOf(state, poolId);
}

export function marketOf(state: State, id: number): Market {
  const market = state.markets[id];
  if (market === undefined) throw new RangeError(`no market ${id}`);
  return market;
}

export function collateralOf(state: State, index: number): Collateral {
  const collateral = state.collaterals[index];
  if (collateral === undefined) throw new RangeError(`no collateral ${index}`);
  return collateral;
}

/** The position, which is made if there is none. */
export function positionOf({ positions }: Account, market: number): Position {
  let position = positions.get(market);
  if (position === undefined) {
    position = { size: zero, cost: zero };
    positions.set(market, position);
  }
  return position;
}

export function sizeOf({ positions }: Account, market: number): Rational {
  return positions.get(market)?.size ?? zero;
}

export function isFresh({ now }: State, { value, publishedAt, maxAge }: Price): boolean {
  return value.sign() > 0 && now <= publishedAt + maxAge;
}

/** Longs' size less shorts', the pool not counted. */
export function skewOf(state: State, market: number): Rational {
  return sizeOf(poolOf(state), market).negated();
}

/** Total size of a side (1: long, -1: short), unsigned. */
export function openInterest(state: State, market: number, side: -1 | 1, withPool: boolean): Rational {
  const sizes = [...state.accounts.values()]
    .filter(({ id }) => withPool || id !== poolId)
    .map((account) => sizeOf(account, market))
    .filter((size) => size.sign() === side);
  return sum(sizes).abs();
}

/** A collateral's amount (raw) at its price, unweighted. */
export function worth({ price, terms }: Collateral, amount: bigint): Rational {
  return new Rational(amount, terms.unit).times(price.value);
}

/** A copy that shares nothing that changes. */
export function copy(state: State): State {
  const { accounts, markets, collaterals, interest, capital, rewards, poolLoss, writeOff } = state;
  return {
    ...state,
    accounts: new Map(
      [...accounts].map(([id, account]) => [
        id,
        {
          ...account,
          collaterals: [...account.collaterals],
          positions: new Map([...account.positions].map(([market, position]) => [market, { ...position }])),
        },
      ]),
    ),
    markets: markets.map((market) => ({ ...market, price: { ...market.price } })),
    collaterals: collaterals.map((collateral) => ({ ...collateral, price: { ...collateral.price } })),
    interest: { ...interest },
    capital: { ...capital },
    rewards: { ...rewards },
    poolLoss: { ...poolLoss },
    writeOff: { ...writeOff },
  };
}
