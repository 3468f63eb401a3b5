import { accountId } from "../../../../sdk/index.js";
import { abs } from "../../../helpers/model.js";
import type { Act } from "../act.js";
import { type Actor, type NamedAccount, vaultInterface } from "../arena.js";
import { wordsOf } from "../../../helpers/vaultStorage.js";
import {
  type Situation,
  bookOf,
  chance,
  everything,
  isLiquidatable,
  marketsHeld,
  part,
  pick,
  traders,
} from "../situation.js";

export interface Leg {
  readonly target: NamedAccount;
  readonly market: number;
}

/** Accounts below maintenance, their legs that step 1 of the waterfall accepts, and those that step 2 would take. */
export async function openToLiquidation(situation: Situation) {
  const { chain, deployment, pool } = situation.arena;
  const atRisk = traders(situation).filter((account) => isLiquidatable(bookOf(situation, account)));
  const legs: Leg[] = [];
  const open: NamedAccount[] = [];
  for (const target of atRisk) {
    for (const market of marketsHeld(bookOf(situation, target))) {
      const data = vaultInterface.encodeFunctionData("previewLiquidation", [target.id, market, everything, pool]);
      const [refusal] = wordsOf(await chain.call(deployment.vault, data));
      if (refusal === 0n) legs.push({ target, market });
    }
    const data = vaultInterface.encodeFunctionData("previewAbsorb", [target.id]);
    const [isOpen] = wordsOf(await chain.call(deployment.vault, data));
    if (isOpen === 1n) open.push(target);
  }
  return { atRisk, legs, open };
}

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
  const held = abs(bookOf(situation, target).positions[market]!.sharesWad);
  const most = chance(situation, 0.7) ? everything : part(situation, held, 0.01, 1.1) + 1n;
  let from = liquidator(situation, target);
  // The reward is cash of the caller's first account, which may not be the target.
  if (accountId(from.address) === target.id && chance(situation, 0.9)) from = arena.keeper;
  const isSelf = accountId(from.address) === target.id;
  const taker = chance(situation, 0.02) ? accountId(from.address) : arena.pool;
  return {
    row: "liquidatePosition",
    kind: "liquidatePosition",
    what: `${from.name} liquidates ${target.name} in ${arena.markets[market]!.symbol}, at most ${most}`,
    from: from.address,
    to: arena.deployment.vault,
    data: vaultInterface.encodeFunctionData("liquidatePosition", [target.id, market, most, taker]),
    account: target.id,
    announced: isAccepted && most === everything && taker === arena.pool && !isSelf ? "INV-09" : undefined,
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
