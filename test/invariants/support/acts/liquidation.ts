import { WAD, accountId, normalizeAccount } from "../../../../sdk/index.js";
import { abs } from "../../../helpers/model.js";
import type { Act } from "../act.js";
import type { Actor, NamedAccount } from "../arena.js";
import { lensInterface, vaultInterface } from "../interfaces.js";
import {
  type Situation,
  bookOf,
  chance,
  everything,
  freeMargin,
  isFresh,
  isIsolated,
  isLiquidatable,
  marketsHeld,
  part,
  pick,
  toRaw,
  traders,
} from "../situation.js";
import { callerFor } from "./authority.js";
import { openable } from "./trading.js";

export interface Leg {
  readonly target: NamedAccount;
  readonly market: number;
}

/** A collateral (by index) of an account below maintenance that would owe something. */
export interface OwedFor {
  readonly target: NamedAccount;
  readonly index: number;
}

/**
 * Accounts below maintenance, their legs that step 1 of the waterfall accepts, and those that step 2 would take; the legs that an account
 * may take over, and the collaterals that it may buy.
 */
export async function openToLiquidation(situation: Situation) {
  const { arena } = situation;
  const { chain, deployment, pool } = arena;
  const atRisk = traders(situation).filter((account) => isLiquidatable(bookOf(situation, account)));
  const legs: Leg[] = [];
  const takeable: Leg[] = [];
  const sales: OwedFor[] = [];
  const open: NamedAccount[] = [];
  if (atRisk.length === 0) return { atRisk, legs, takeable, sales, open };
  const data = lensInterface.encodeFunctionData("atRisk", [atRisk.map(({ id }) => id), pool]);
  const answer = lensInterface.decodeFunctionResult("atRisk", await chain.call(deployment.lens, data));
  for (const { account, absorbOpen, markets, legs: previews } of answer[0] as unknown as RiskView[]) {
    const target = atRisk.find(({ id }) => id === normalizeAccount(account))!;
    const { health, collaterals, positions } = bookOf(situation, target);
    for (const [index, amount] of collaterals.entries()) {
      const { asset } = arena.collaterals[index]!;
      // Of an account far below zero a part raises no health.
      const isSold = amount > 0n && health.netCash < 0n && health.health > 0n && isFresh(situation, asset);
      if (isSold) sales.push({ target, index });
    }
    for (const [i, id] of markets.entries()) {
      const market = Number(id);
      const isFilled = positions[market]!.sizeWad !== 0n && isFresh(situation, arena.markets[market]!.symbol);
      if (health.health > leastHealthTakenWad && isFilled) takeable.push({ target, market });
      if (previews[i]!.refusal === 0n) legs.push({ target, market });
    }
    if (absorbOpen) open.push(target);
  }
  return { atRisk, legs, takeable, sales, open };
}

/** What the lens says of an account at risk. */
interface RiskView {
  readonly account: string;
  readonly absorbOpen: boolean;
  readonly markets: readonly bigint[];
  readonly legs: readonly { readonly refusal: bigint }[];
}

/** Below it a discount that health can bear is less than taker rate and tolerance. */
const leastHealthTakenWad = (6n * WAD) / 100n;

/** Somebody who liquidates: the keeper, a stranger, another trader, or the owner himself. */
function liquidator(situation: Situation, target: NamedAccount): Actor {
  const { arena } = situation;
  if (chance(situation, 0.3)) return target.owner;
  return chance(situation, 0.6) ? arena.keeper : pick(situation, [arena.stranger, ...traders(situation).map(owner)]);
}

const owner = (account: NamedAccount) => account.owner;

export function liquidateAct(situation: Situation, legs: readonly Leg[]): Act {
  const { arena } = situation;
  const any = { target: pick(situation, traders(situation)), market: pick(situation, [...arena.markets.keys()]) };
  const isAccepted = legs.length > 0 && chance(situation, 0.93);
  const { target, market } = isAccepted ? pick(situation, legs) : any;
  const held = abs(bookOf(situation, target).positions[market]!.sizeWad);
  const most = chance(situation, 0.7) ? everything : part(situation, held, 0.01, 1.1) + 1n;
  let from = liquidator(situation, target);
  // The reward is cash of the caller's first account, which may not be the target.
  if (accountId(from.address) === target.id && chance(situation, 0.9)) from = arena.keeper;
  const isSelf = accountId(from.address) === target.id;
  return {
    row: "liquidatePosition",
    kind: "liquidatePosition",
    what: `${from.name} liquidates ${target.name} in ${arena.markets[market]!.symbol}, at most ${most}`,
    from: from.address,
    to: arena.deployment.vault,
    data: vaultInterface.encodeFunctionData("liquidatePosition", [target.id, market, most, arena.pool]),
    account: target.id,
    announced: isAccepted && most === everything && !isSelf ? "INV-09" : undefined,
  };
}

/** Accounts that trade and can bear something, beside the target; now and then only those of its owner. */
function takersFor(situation: Situation, target: NamedAccount): NamedAccount[] {
  const able = traders(situation).filter(
    (account) => account.id !== target.id && freeMargin(bookOf(situation, account)) > 50n * WAD,
  );
  const own = able.filter(({ owner }) => owner === target.owner);
  return own.length > 0 && chance(situation, 0.4) ? own : able;
}

export function liquidateToAccountAct(situation: Situation, legs: readonly Leg[]): Act {
  const { arena } = situation;
  const heldBy = (account: NamedAccount, market: number) => bookOf(situation, account).positions[market]!.sizeWad;
  const any = { target: pick(situation, traders(situation)), market: pick(situation, [...arena.markets.keys()]) };
  const isOpen = legs.length > 0 && chance(situation, 0.95);
  // Legs with takers on the other side, on the same side, or without a position.
  const stance = pick(situation, [-1n, -1n, -1n, 1n, 0n]);
  const pairs = (isOpen ? legs : [any]).flatMap((leg) =>
    takersFor(situation, leg.target).map((taker) => ({ ...leg, taker })),
  );
  const isSecond = chance(situation, 0.15);
  const wanted = pairs.filter(({ target, market, taker }) => {
    const shares = heldBy(taker, market);
    const book = bookOf(situation, taker);
    // An isolated account with a position elsewhere is turned away.
    if (isSecond) return isIsolated(book) && shares === 0n && marketsHeld(book).length > 0;
    return stance === 0n ? shares === 0n : shares * heldBy(target, market) * stance > 0n;
  });
  const whoever = { ...any, taker: pick(situation, traders(situation)) };
  const { target, market, ...found } = pick(
    situation,
    [wanted, pairs, [whoever]].find((some) => some.length > 0)!,
  );
  const taker = chance(situation, 0.02) ? target : found.taker;
  const { symbol } = arena.markets[market]!;
  const held = heldBy(target, market);
  const bearable = openable(situation, bookOf(situation, taker), market);
  const crosses = heldBy(taker, market) * held < 0n;
  let most = chance(situation, 0.7) ? everything : part(situation, abs(held), 0.05, 1.1) + 1n;
  if (!crosses && bearable < abs(held) && chance(situation, 0.7)) most = part(situation, bearable, 0.2, 0.95) + 1n;
  const from = callerFor(situation, taker, "take");
  return {
    row: "liquidate to account",
    kind: "liquidatePosition",
    what: `${from.name} liquidates ${target.name} in ${symbol}, at most ${most}, to ${taker.name}`,
    from: from.address,
    to: arena.deployment.vault,
    data: vaultInterface.encodeFunctionData("liquidatePosition", [target.id, market, most, taker.id]),
    account: target.id,
    other: taker.id,
  };
}

/** How much of a collateral (raw) an account surely has the margin to buy. */
function affordable(situation: Situation, account: NamedAccount, index: number): bigint {
  const { collaterals } = situation.arena;
  const { asset, initialWeightWad } = collaterals[index]!;
  const book = bookOf(situation, account);
  const free = freeMargin(book) > 0n ? freeMargin(book) : 0n;
  const bound = WAD - initialWeightWad + WAD / 16n; // what the weight leaves out, and debt margin
  const value = (free * WAD) / bound;
  return toRaw(value, collaterals[index]!, situation.pricesWad.get(asset)!);
}

export function liquidateCollateralAct(situation: Situation, sales: readonly OwedFor[]): Act {
  const { arena } = situation;
  const any = { target: pick(situation, traders(situation)), index: pick(situation, [...arena.collaterals.keys()]) };
  const { target, index } = sales.length > 0 && chance(situation, 0.95) ? pick(situation, sales) : any;
  const token = arena.collaterals[index]!;
  const takers = takersFor(situation, target);
  const isRefused = takers.length === 0 || chance(situation, 0.02);
  const taker = isRefused ? target : pick(situation, takers);
  const can = affordable(situation, taker, index);
  const held = bookOf(situation, target).collaterals[index]!;
  let most = chance(situation, 0.6) ? everything : part(situation, held, 0.01, 1.1) + 1n;
  if (can < held && chance(situation, 0.8)) most = part(situation, can, 0.2, 1) + 1n;
  const from = callerFor(situation, taker, "take");
  return {
    row: "liquidateCollateral",
    kind: "liquidateCollateral",
    what: `${from.name} liquidates ${token.symbol} of ${target.name}, at most ${most}, to ${taker.name}`,
    from: from.address,
    to: arena.deployment.vault,
    data: vaultInterface.encodeFunctionData("liquidateCollateral", [target.id, token.address, most, taker.id]),
    account: target.id,
    other: taker.id,
  };
}

export function buyCollateralAct(situation: Situation): Act {
  const { arena } = situation;
  const { collaterals } = bookOf(situation, { id: arena.pool });
  const onSale = [...collaterals.keys()].filter((index) => collaterals[index]! > 0n);
  const index = pick(situation, onSale.length > 0 && chance(situation, 0.97) ? onSale : [...collaterals.keys()]);
  const token = arena.collaterals[index]!;
  const held = collaterals[index]!;
  const able = traders(situation).filter((account) => affordable(situation, account, index) > 0n);
  const buyer = pick(situation, able.length > 0 ? able : traders(situation));
  const can = affordable(situation, buyer, index);
  const most = can < held && chance(situation, 0.85) ? can : held;
  const amount = chance(situation, 0.4) ? most : part(situation, most, 0.01, chance(situation, 0.05) ? 2 : 1) + 1n;
  const value = (amount * situation.pricesWad.get(token.asset)!) / 10n ** BigInt(token.decimals);
  // The most that the pool ever asks: the price, and its tolerance.
  const asked = (value * (WAD + token.toleranceWad)) / WAD + 1n;
  const limit = chance(situation, 0.05) ? part(situation, value, 0.97, 1) : asked;
  const from = callerFor(situation, buyer, "take");
  return {
    row: "buyCollateral",
    kind: "buyCollateral",
    what: `${from.name} buys ${amount} ${token.symbol} of the pool's for ${buyer.name}, at most for ${limit}`,
    from: from.address,
    to: arena.deployment.vault,
    data: vaultInterface.encodeFunctionData("buyCollateral", [buyer.id, token.address, amount, limit]),
    account: buyer.id,
  };
}

export function absorbAct(situation: Situation, open: readonly NamedAccount[]): Act {
  const { arena } = situation;
  const first = pick(situation, open.length > 0 ? open : traders(situation));
  const batch = [first];
  while (chance(situation, 0.3) && batch.length < 4) batch.push(pick(situation, traders(situation)));
  const from = liquidator(situation, first);
  const rewardTo = chance(situation, 0.2) ? pick(situation, traders(situation)).id : accountId(from.address, 0);
  const other =
    batch.some(({ id }) => id === rewardTo) && chance(situation, 0.9) ? accountId(arena.keeper.address) : rewardTo;
  return {
    row: "absorb",
    kind: "absorb",
    what: `${from.name} absorbs ${batch.map(({ name }) => name).join(", ")}`,
    from: from.address,
    to: arena.deployment.vault,
    data: vaultInterface.encodeFunctionData("absorb", [batch.map(({ id }) => id), other]),
    account: first.id,
    announced: open.length > 0 && !batch.some(({ id }) => id === other) ? "INV-09" : undefined,
  };
}
