import { WAD } from "../../../../sdk/index.js";
import type { Act, Row } from "../act.js";
import type { Actor, Arena } from "../arena.js";
import { poolInterface } from "../interfaces.js";
import { type Situation, chance, part, pick, toRaw } from "../situation.js";

async function ask({ chain, deployment }: Arena, data: string): Promise<bigint> {
  return BigInt(await chain.call(deployment.pool, data));
}

/** One of the two who have shares, and the other. */
function pair(situation: Situation): readonly [Actor, Actor] {
  const [one, other] = situation.arena.providers as [Actor, Actor];
  return chance(situation, 0.5) ? [one, other] : [other, one];
}

export async function poolMintAct(situation: Situation): Promise<Act> {
  const { arena } = situation;
  const [from] = pair(situation);
  const most = await ask(arena, poolInterface.encodeFunctionData("maxMint", [from.address]));
  const wanted = part(situation, 30_000n * WAD, 0.001, 1);
  const shares = most > 0n && wanted > most ? most : wanted;
  return {
    row: "pool mint",
    kind: "poolDeposit",
    what: `${from.name} mints ${shares} shares`,
    from: from.address,
    to: arena.deployment.pool,
    data: poolInterface.encodeFunctionData("mint", [shares, from.address]),
  };
}

export async function poolWithdrawAct(situation: Situation): Promise<Act> {
  const { arena } = situation;
  const [first, second] = pair(situation);
  const mostOf = async ({ address }: Actor) => ask(arena, poolInterface.encodeFunctionData("maxWithdraw", [address]));
  let [from, most] = [first, await mostOf(first)];
  if (most === 0n) [from, most] = [second, await mostOf(second)];
  const little = toRaw(WAD, arena.cash, WAD);
  const assets = most === 0n ? little : part(situation, most, 0.01, chance(situation, 0.05) ? 3 : 0.4) + 1n;
  return {
    row: "pool withdraw",
    kind: "poolRedeem",
    what: `${from.name} withdraws ${assets} of at most ${most} from the pool`,
    from: from.address,
    to: arena.deployment.pool,
    data: poolInterface.encodeFunctionData("withdraw", [assets, from.address, from.address]),
    holder: from.address,
  };
}

/** Shares go from one provider to the other: given, allowed, or fetched. */
export async function sharesAct(situation: Situation): Promise<Act> {
  const { arena } = situation;
  const [holder, other] = pair(situation);
  const held = await ask(arena, poolInterface.encodeFunctionData("balanceOf", [holder.address]));
  const allowedData = poolInterface.encodeFunctionData("allowance", [holder.address, other.address]);
  const allowed = await ask(arena, allowedData);
  const amount = part(situation, held, 0, chance(situation, 0.05) ? 2 : 0.3);
  const common = { kind: "poolShares", to: arena.deployment.pool } as const;
  const row: Row = allowed === 0n ? "pool approve" : pick(situation, ["pool transfer", "pool transferFrom"]);
  if (row === "pool approve") {
    const data = poolInterface.encodeFunctionData("approve", [other.address, held]);
    return { ...common, row, what: `${holder.name} allows ${other.name} ${held} shares`, from: holder.address, data };
  }
  if (row === "pool transfer") {
    const data = poolInterface.encodeFunctionData("transfer", [other.address, amount]);
    const what = `${holder.name} gives ${other.name} ${amount} shares`;
    return { ...common, row, what, from: holder.address, data, holder: holder.address };
  }
  const most = allowed < amount ? allowed : amount;
  const data = poolInterface.encodeFunctionData("transferFrom", [holder.address, other.address, most]);
  const what = `${other.name} fetches ${most} shares of ${holder.name}`;
  return { ...common, row, what, from: other.address, data, holder: holder.address };
}
