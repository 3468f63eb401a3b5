import { accountId } from "../../../sdk/index.js";
import {
  type Check,
  capCheck,
  collateralChecks,
  debtCheck,
  marginChecks,
  redemptionChecks,
  takerChecks,
  tradeChecks,
  withdrawalChecks,
} from "../checks.js";
import { depositCash, moveCollateral, moveIntoPool, takeCheckpoint, transferCash, withdrawCash } from "../custody.js";
import { announceDelisting, delist } from "../delisting.js";
import { settle, sweepFees, trade } from "../fills.js";
import { sweepInterest } from "../interest.js";
import {
  askedFor,
  buyFromPool,
  closeIntoPool,
  closeToAccount,
  isLiquidatable,
  planLeg,
  planSale,
  sellCollateral,
} from "../liquidation.js";
import { netCash } from "../margin.js";
import { Rational, least, one, wei, whole } from "../rational.js";
import {
  type State,
  accountOf,
  collateralOf,
  copy,
  insuranceId,
  marketOf,
  poolId,
  isFresh,
  sizeOf,
  worth,
} from "../state.js";
import { absorb, cover, resolvableEquity, resolvePool } from "../waterfall.js";
import type { Names, VaultEvent } from "./arena.js";

/** A call as somebody made it. */
export interface Call {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly from: string;
}

/** A figure that an event told, beside the model's. */
export interface Told {
  readonly what: string;
  readonly chain: Rational;
  readonly model: Rational;
  /** By how much more than an account's cash it may be off: what it follows from is divided by something small. */
  readonly leverage: Rational;
  /** And so much more, whatever the drift. */
  readonly slack?: Rational;
  /** Of interest, in whole millionths. */
  readonly isCoarse?: boolean;
}

export interface Followed {
  readonly checks: readonly Check[];
  readonly told: readonly Told[];
  /** What happened, for the tally. */
  readonly happened: readonly string[];
}

/** Follows a call: changes the state as the specification says it does. `events`: what the chain told, unless it refused. */
type Follow = (state: State, call: Call, names: Names, events: readonly VaultEvent[] | undefined) => Followed;

const nothing: Followed = { checks: [], told: [], happened: [] };
const big = (value: unknown) => BigInt(value as bigint);
const eventOf = (events: readonly VaultEvent[] | undefined, name: string) =>
  events?.find((event) => event.name === name);
const figure = (what: string, chain: unknown, model: Rational, leverage = one): Told => ({
  what,
  chain: wei(big(chain)),
  model,
  leverage,
});

/** Sizes that the model and the chain mean the same by may differ by what deleveraging rounded. */
export const sizeDust = new Rational(1n, 10n ** 12n);

/** A size delta that closes a position on the chain closes it here. */
function meant(state: State, id: string, market: number, size: Rational): Rational {
  const held = sizeOf(accountOf(state, id), market);
  return size.plus(held).abs().isBelow(sizeDust) ? held.negated() : size;
}

export const follows: Readonly<Record<string, Follow>> = {
  deposit(state, { args: [account, token, amount] }, names) {
    const id = names.account(account);
    const index = names.collateral(token);
    if (index === undefined) {
      depositCash(state, id, new Rational(big(amount), names.cashUnit));
      return nothing;
    }
    moveCollateral(state, id, index, big(amount));
    return { ...nothing, checks: [capCheck(state, index)] };
  },

  withdraw(state, { args: [account, token, amount] }, names) {
    const id = names.account(account);
    const index = names.collateral(token);
    if (index === undefined) {
      withdrawCash(state, id, new Rational(big(amount), names.cashUnit));
      return { ...nothing, checks: withdrawalChecks(state, id) };
    }
    moveCollateral(state, id, index, -big(amount));
    return { ...nothing, checks: [...marginChecks(state, id), ...collateralChecks(state, id, index)] };
  },

  transfer(state, { args: [from, to, token, amount] }, names) {
    const [giver, receiver] = [names.account(from), names.account(to)];
    const index = names.collateral(token);
    // A withdrawal, then a deposit: what must hold after the first must hold where both are the same account, too.
    if (index === undefined) {
      const cash = new Rational(big(amount), names.cashUnit);
      const trial = copy(state);
      withdrawCash(trial, giver, cash);
      transferCash(state, giver, receiver, cash);
      return { ...nothing, checks: [...marginChecks(trial, giver), debtCheck(trial, giver)] };
    }
    moveCollateral(state, giver, index, -big(amount));
    const checks = [...marginChecks(state, giver), ...collateralChecks(state, giver, index)];
    moveCollateral(state, receiver, index, big(amount));
    return { ...nothing, checks };
  },

  setMode: () => nothing,

  trade(state, { args: [account, marketId, sizeDelta] }, names, events) {
    const id = names.account(account);
    const market = Number(marketId);
    const before = copy(state);
    const fill = trade(state, id, market, meant(state, id, market, wei(big(sizeDelta))));
    const event = eventOf(events, "Traded");
    const told =
      event === undefined
        ? []
        : [
            figure("fill price", event.args.fillPriceWad, fill.price),
            figure("fee", event.args.feeWad, fill.fee),
            figure("realised", event.args.realizedWad, fill.realised),
          ];
    return { checks: tradeChecks(before, state, id, market), told, happened: [] };
  },

  settle(state, { args: [account, market] }, names, events) {
    const realised = settle(state, names.account(account), Number(market));
    const event = eventOf(events, "Settled");
    return { ...nothing, told: event === undefined ? [] : [figure("settled", event.args.realizedWad, realised)] };
  },

  liquidatePosition(state, { args: [account, marketId, maxSize, taker], from }, names, events) {
    const [id, takerId] = [names.account(account), names.account(taker)];
    const market = Number(marketId);
    const target = accountOf(state, id);
    const healthy: Check = { error: "AccountHealthy", room: whole(isLiquidatable(state, target) ? 1 : -1) };
    const toPool = takerId === poolId;
    const most = big(maxSize) >= 2n ** 127n ? undefined : wei(big(maxSize));
    const plan = planLeg(state, id, market, most, toPool);
    const refused: Check = { error: "LegRefused", room: whole(typeof plan === "string" ? -1 : 1) };
    const checks = [healthy, refused];
    if (typeof plan === "string") return { ...nothing, checks, happened: [`refused: ${plan}`] };
    const event = eventOf(events, "PositionLiquidated");
    const price = marketOf(state, market).price.value;
    const told = [];
    let taken = plan;
    if (event !== undefined) {
      const size = sizeOf(target, market);
      const closed = wei(big(event.args.sizeDeltaWad)).abs();
      const isWhole = size.abs().minus(closed).abs().isBelow(sizeDust);
      // The chain's size is followed once it has been found to be the model's, so that what it is off by is not leveraged again.
      taken = { ...plan, closed: isWhole ? size.abs() : closed };
      const leverage = whole(100);
      told.push(
        figure(
          "notional closed",
          big(event.args.sizeDeltaWad) < 0n ? -big(event.args.sizeDeltaWad) : event.args.sizeDeltaWad,
          plan.closed,
          leverage.over(least(one, price)),
        ),
        figure("fill price", event.args.fillPriceWad, plan.price, leverage),
        figure("fee", event.args.feeWad, plan.closed.times(price).times(plan.discount), leverage),
      );
    }
    if (toPool) {
      closeIntoPool(state, id, market, taken, names.account(accountId(from)));
      return { checks, told, happened: ["liquidated into the pool"] };
    }
    const crosses = sizeOf(accountOf(state, takerId), market).sign() * sizeOf(target, market).sign() < 0;
    closeToAccount(state, id, market, taken, takerId);
    return {
      checks: [...checks, ...takerChecks(state, takerId, market)],
      told,
      happened: [crosses ? "crossed with a taker" : "handed over to a taker"],
    };
  },

  liquidateCollateral(state, { args: [account, token, maxAmount, taker] }, names, events) {
    const [id, takerId] = [names.account(account), names.account(taker)];
    const index = names.collateral(token);
    const target = accountOf(state, id);
    if (index === undefined) return nothing;
    const checks: Check[] = [
      { error: "AccountHealthy", room: whole(isLiquidatable(state, target) ? 1 : -1) },
      { error: "NoDebt", room: netCash(state, target).negated() },
    ];
    const plan = planSale(state, id, index);
    const held = target.collaterals[index]!;
    const smallest = (...amounts: bigint[]) => amounts.reduce((a, b) => (a < b ? a : b));
    const amount = smallest(plan.amount, held, big(maxAmount));
    const event = eventOf(events, "CollateralLiquidated");
    const told = [];
    let taken = { ...plan, amount };
    if (event !== undefined) {
      const collateral = collateralOf(state, index);
      const sold = big(event.args.amount);
      taken = { ...plan, amount: sold };
      const value = worth(collateral, sold);
      told.push({
        what: "value sold",
        chain: value,
        model: worth(collateral, amount),
        leverage: whole(100),
        slack: worth(collateral, 1n), // raw units are whole
      });
      told.push(figure("proceeds", event.args.proceedsWad, value.times(one.minus(plan.discount)), whole(10)));
    }
    sellCollateral(state, id, index, taken, takerId);
    return { checks: [...checks, ...marginChecks(state, takerId)], told, happened: ["collateral sold to a taker"] };
  },

  absorb(state, { args: [ids, rewardTo] }, names, events) {
    const accounts = (ids as readonly unknown[]).map((id) => names.account(id));
    const { taken, steps } = absorb(state, accounts, names.account(rewardTo), sweptAmount(events));
    const checks: Check[] = [{ error: "NothingToAbsorb", room: whole(taken.length > 0 ? 1 : -1) }];
    const onChain = (events ?? []).filter(({ name }) => name === "Absorbed");
    const told =
      events === undefined
        ? []
        : [{ what: "accounts absorbed", chain: whole(onChain.length), model: whole(taken.length), leverage: one }];
    return { checks, told, happened: steps };
  },

  buyCollateral(state, { args: [buyer, token, amount, maxCost] }, names) {
    const id = names.account(buyer);
    const index = names.collateral(token);
    if (index === undefined) return nothing;
    const room = wei(big(maxCost)).minus(askedFor(state, index, big(amount)));
    buyFromPool(state, id, index, big(amount));
    return { ...nothing, checks: [{ error: "CostAboveLimit", room }, ...marginChecks(state, id)] };
  },

  sweepFees(state, { args: [market] }) {
    sweepFees(state, Number(market));
    return nothing;
  },

  sweepInterest: (state, _, __, events) => ({ ...nothing, told: sweep(state, events), happened: ["interest swept"] }),

  cover(state, _, __, events) {
    const told = sweep(state, events);
    const room = least(state.badDebt, accountOf(state, insuranceId).cash);
    return { checks: [{ error: "NothingToCover", room }], told, happened: cover(state) };
  },

  resolvePool(state, _, __, events) {
    const room = resolvableEquity(state).negated();
    return { ...nothing, checks: [{ error: "PoolSolvent", room }], happened: resolvePool(state, sweptAmount(events)) };
  },

  announceDelisting(state, { args: [market, due, finalPrice] }) {
    announceDelisting(state, Number(market), big(due), wei(big(finalPrice)));
    return { ...nothing, happened: ["delisting announced"] };
  },

  delist(state, { args: [id] }, _, events) {
    const market = marketOf(state, Number(id));
    const due = market.delisting === undefined ? -1n : state.now - market.delisting.at;
    const isFed = isFresh(state, market.price);
    const price = delist(state, Number(id));
    const event = eventOf(events, "Delisted");
    return {
      checks: [{ error: "DelistingNotDue", room: whole(due >= 0n ? 1 : -1) }],
      told: event === undefined ? [] : [figure("final price", event.args.priceWad, price)],
      happened: [isFed ? "delisted at the oracle's price" : "delisted without a fresh price"],
    };
  },

  refreshCapital(state) {
    takeCheckpoint(state);
    return nothing;
  },
};

function sweptAmount(events: readonly VaultEvent[] | undefined): Rational | undefined {
  const event = eventOf(events, "InterestSwept");
  return event === undefined ? undefined : wei(big(event.args.amountWad));
}

/** Sweeps interest, as much as the chain told: it counts in whole millionths, whatever remains each time it writes them. */
function sweep(state: State, events: readonly VaultEvent[] | undefined): Told[] {
  const event = eventOf(events, "InterestSwept");
  const swept = sweepInterest(state, accountOf(state, insuranceId), sweptAmount(events));
  return event === undefined ? [] : [{ ...figure("interest swept", event.args.amountWad, swept), isCoarse: true }];
}

/** Deposits into the pool and redemptions, in settlement tokens as the vault's log tells them. */
export function followPool(state: State, names: Names, events: readonly VaultEvent[]): Followed {
  for (const { name, args } of events) {
    if (name !== "Deposited" && name !== "Withdrawn") continue;
    const amount = new Rational(big(args.amount), names.cashUnit);
    moveIntoPool(state, name === "Deposited" ? amount : amount.negated());
    if (name === "Withdrawn") return { ...nothing, checks: redemptionChecks(state) };
  }
  return nothing;
}
