import { WAD } from "../../../../sdk/index.js";
import type { Act } from "../act.js";
import { type Actor, poolInterface, vaultInterface } from "../arena.js";
import { type Situation, chance, part, pick, toRaw } from "../situation.js";

export function poolDepositAct(situation: Situation): Act {
  const { arena } = situation;
  const from = pick(situation, arena.providers);
  const receiver = chance(situation, 0.05) ? arena.stranger : from;
  const amount = toRaw(part(situation, 60_000n * WAD, 0.001, 1), arena.cash, WAD);
  return {
    row: "pool deposit",
    kind: "poolDeposit",
    what: `${from.name} puts ${amount} into the pool for ${receiver.name}`,
    from: from.address,
    to: arena.deployment.pool,
    data: poolInterface.encodeFunctionData("deposit", [amount, receiver.address]),
  };
}

export async function poolRedeemAct(situation: Situation): Promise<Act> {
  const { arena } = situation;
  const ask = async (provider: Actor) => {
    const data = poolInterface.encodeFunctionData("maxRedeem", [provider.address]);
    return BigInt(await arena.chain.call(arena.deployment.pool, data));
  };
  let from = pick(situation, arena.providers);
  let most = await ask(from);
  if (most === 0n && chance(situation, 0.9)) {
    from = arena.providers.find((provider) => provider !== from)!;
    most = await ask(from);
  }
  let shares = chance(situation, 0.15) ? most : part(situation, most, 0.01, 0.4);
  if (chance(situation, 0.05)) shares = most * 2n + 1n;
  return {
    row: "pool redeem",
    kind: "poolRedeem",
    what: `${from.name} redeems ${shares} shares of at most ${most}`,
    from: from.address,
    to: arena.deployment.pool,
    data: poolInterface.encodeFunctionData("redeem", [shares, from.address, from.address]),
    announced: shares > WAD && shares <= most ? "INV-12" : undefined,
  };
}

export function sweepAct(situation: Situation): Act {
  const { arena, books } = situation;
  const withFees = [...arena.markets.keys()].filter((market) => books.markets[market]!.totals.feesUnsweptWad > 0n);
  const market = pick(situation, withFees.length > 0 && chance(situation, 0.9) ? withFees : [...arena.markets.keys()]);
  const from = pick(situation, arena.actors);
  return {
    row: "sweepFees",
    kind: "sweepFees",
    what: `${from.name} sweeps ${arena.markets[market]!.symbol}`,
    from: from.address,
    to: arena.deployment.vault,
    data: vaultInterface.encodeFunctionData("sweepFees", [market]),
  };
}

export function refreshAct(situation: Situation): Act {
  const { arena } = situation;
  const from = pick(situation, arena.actors);
  return {
    row: "refreshCapital",
    kind: "refreshCapital",
    what: `${from.name} takes a checkpoint of the pool's capital`,
    from: from.address,
    to: arena.deployment.vault,
    data: vaultInterface.encodeFunctionData("refreshCapital"),
  };
}
