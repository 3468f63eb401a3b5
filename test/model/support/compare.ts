import type { Arena } from "../../invariants/support/arena.js";
import { equity, healthOf, netCash, poolValue, requirement, valueOf } from "../margin.js";
import { Rational, greatest, one, sum, wei, zero } from "../rational.js";
import {
  type Account,
  type State,
  accountOf,
  collateralOf,
  marketOf,
  poolId,
  positionOf,
  sizeOf,
  worth,
} from "../state.js";
import type { Figures } from "./figures.js";
import type { Names } from "./follow.js";

/** By how much the chain may be off, so far: each act adds what its roundings can come to. */
export interface Drift {
  /** Quote: of an account's cash, value, equity. */
  money: Rational;
  /** Base units, by market. */
  readonly size: Rational[];
  /** Quote a base unit, by market. */
  readonly funding: Rational[];
}

export interface Difference {
  readonly what: string;
  readonly chain: Rational;
  readonly model: Rational;
  readonly bound: Rational;
}

export function sentence({ what, chain, model, bound }: Difference): string {
  const by = chain.minus(model);
  const inWei = (value: Rational) => value.floorTo(10n ** 18n);
  return `${what}: chain ${chain}, model ${model}: ${inWei(by)} wei apart, ${inWei(bound)} allowed`;
}

/** Ratios are whole wei, and apply to all that an account has: what their rounding may come to. */
function grain(state: State, account: Account): Rational {
  const notionals = [...account.positions].map(([market, { size }]) =>
    size.abs().times(marketOf(state, market).price.value),
  );
  const collaterals = account.collaterals.map((amount, index) => worth(collateralOf(state, index), amount));
  return sum([...notionals, ...collaterals]).times(wei(4n));
}

/** Everything that chain and model both tell, where they differ by more than the drift allows. */
export function differences(
  state: State,
  figures: Figures,
  { accounts, markets, pool, insurance }: Arena,
  names: Names,
  drift: Drift,
): Difference[] {
  const found: Difference[] = [];
  const compare = (what: string, chain: Rational, model: Rational, bound: Rational) => {
    if (bound.isBelow(chain.minus(model).abs())) found.push({ what, chain, model, bound });
  };
  let total = zero;
  for (const { id, name } of accounts) {
    const [account, seen] = [accountOf(state, names.account(id)), figures.accounts.get(id)!];
    const trades = id !== pool && id !== insurance;
    compare(`cash of ${name}`, wei(seen.cash), account.cash, drift.money);
    for (const [market, { size, value }] of seen.positions.entries()) {
      const { symbol } = markets[market]!;
      compare(`size of ${name} in ${symbol}`, wei(size), sizeOf(account, market), drift.size[market]!);
      const modelled = account.positions.has(market) ? valueOf(state, market, positionOf(account, market)) : zero;
      compare(`value of ${name} in ${symbol}`, wei(value), modelled, drift.money);
    }
    for (const [index, amount] of seen.collaterals.entries()) {
      compare(`collateral ${index} of ${name}`, new Rational(amount), new Rational(account.collaterals[index]!), zero);
    }
    const figuresOf: [string, bigint, Rational][] = [
      ["maintenance equity", seen.equityMaintenance, equity(state, account, "maintenance")],
      ["maintenance requirement", seen.requirementMaintenance, requirement(state, account, "maintenance")],
      ["initial equity", seen.equityInitial, equity(state, account, "initial")],
      ["initial requirement", seen.requirementInitial, requirement(state, account, "initial")],
      ["net cash", seen.netCash, netCash(state, account)],
    ];
    const margin = drift.money.plus(grain(state, account));
    for (const [what, chain, model] of figuresOf) compare(`${what} of ${name}`, wei(chain), model, margin);
    const health = healthOf(state, account);
    if (health !== undefined && health.isBelow(new Rational(1_000_000n))) {
      // Equity's error over the requirement, and the requirement's in proportion to health.
      const required = requirement(state, account, "maintenance");
      const bound = margin.times(one.plus(health)).over(greatest(required, one)).plus(wei(2n));
      compare(`health of ${name}`, wei(seen.health), health, bound);
    }
    // Not in its favour: what rounding leaves belongs to nobody.
    const more = wei(seen.netCash).minus(netCash(state, account));
    total = total.plus(more);
    if (trades) void more;
  }
  for (const [id, seen] of figures.markets.entries()) {
    const { symbol } = markets[id]!;
    const market = state.markets[id]!;
    compare(`funding index of ${symbol}`, wei(seen.fundingIndex), market.fundingPaid, drift.funding[id]!);
    compare(`time of the touch of ${symbol}`, new Rational(seen.touchedAt), new Rational(market.touchedAt), zero);
    compare(`fees of ${symbol}`, wei(seen.fees), market.fees, zero);
    compare(`size of the pool in ${symbol}`, wei(seen.poolSize), sizeOf(accountOf(state, poolId), id), drift.size[id]!);
    total = total.plus(wei(seen.fees).minus(market.fees));
  }
  compare(
    "cash held",
    new Rational(figures.cashHeld, names.cashUnit).minus(new Rational(BigInt(markets.length))),
    state.held,
    zero,
  );
  compare("capital", wei(figures.capital), state.capital.value, drift.money);
  compare(
    "time of the capital's checkpoint",
    new Rational(figures.capitalTakenAt),
    new Rational(state.capital.takenAt),
    zero,
  );
  const { value, band, haircut } = poolValue(state);
  compare("value of the pool", wei(figures.poolValue), value, drift.money);
  compare("band of the pool", wei(figures.poolBand), band, drift.money);
  compare("haircut of the pool", wei(figures.poolHaircut), haircut, drift.money);
  return found;
}
