import { WAD } from "../../../../sdk/index.js";
import { place } from "../../../helpers/vaultStorage.js";
import type { Act } from "../act.js";
import type { Actor } from "../arena.js";
import { poolInterface, vaultInterface } from "../interfaces.js";
import { marginWad } from "../cash.js";
import { waitingLoss } from "../figures.js";
import { type Situation, chance, isFresh, part, pick, toRaw } from "../situation.js";

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
  const { poolValueWad, poolSupply } = situation.books;
  const isWorthSomething = shares > WAD && poolValueWad * shares > poolSupply * WAD;
  return {
    row: "pool redeem",
    kind: "poolRedeem",
    what: `${from.name} redeems ${shares} shares of at most ${most}`,
    from: from.address,
    to: arena.deployment.pool,
    data: poolInterface.encodeFunctionData("redeem", [shares, from.address, from.address]),
    holder: from.address,
    announced: isWorthSomething && shares <= most ? "INV-12" : undefined,
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

/** What the insurance account can pay now, interest that it would sweep first included. */
export function insuranceWad({ arena, books }: Situation): bigint {
  const cash = books.accounts.get(arena.insurance)!.cashWad + books.cash.interestUnsweptWad + marginWad(books.cash);
  return cash > 0n ? cash : 0n;
}

/** Whether it is below zero by more than what waits for a price: then it can be resolved. */
export function isPoolBelowZero(situation: Situation): boolean {
  const { arena, books } = situation;
  const waiting = waitingLoss(books, arena, (market) => isFresh(situation, arena.markets[market]!.symbol));
  return books.accounts.get(arena.pool)!.health.equityMaintenance + waiting < 0n;
}

/** Whether nobody can open anything against what is left in the pool. */
export function isPoolEmpty({ books }: Situation): boolean {
  return (books.words.get(place.capital.name)! & (2n ** 128n - 1n)) < 500n * WAD;
}

export function isPoolSmall({ books }: Situation): boolean {
  return books.poolValueWad > 0n && books.poolValueWad < 20_000n * WAD;
}

/** A call that anyone may make, without arguments. */
function anyone(
  situation: Situation,
  kind: "sweepInterest" | "cover" | "resolvePool" | "refreshCapital",
  told: string,
) {
  const { arena } = situation;
  const from = pick(situation, arena.actors);
  const data = vaultInterface.encodeFunctionData(kind as "cover");
  return { what: `${from.name} ${told}`, from: from.address, to: arena.deployment.vault, data, kind };
}

export function sweepInterestAct(situation: Situation): Act {
  const { cash } = situation.books;
  const isAny = cash.interestUnsweptWad + marginWad(cash) > 0n;
  const announced = isAny ? "INV-13" : undefined;
  return { ...anyone(situation, "sweepInterest", "sweeps interest"), row: "sweepInterest", announced };
}

export function coverAct(situation: Situation): Act {
  const { badDebtWad } = situation.books.cash;
  const announced = badDebtWad > 0n && insuranceWad(situation) > 0n ? "INV-01" : undefined;
  return { ...anyone(situation, "cover", `covers bad debt of ${badDebtWad}`), row: "cover", announced };
}

export function resolvePoolAct(situation: Situation): Act {
  const announced = isPoolBelowZero(situation) ? "INV-09" : undefined;
  return { ...anyone(situation, "resolvePool", "resolves the pool"), row: "resolvePool", announced };
}

export function refreshAct(situation: Situation): Act {
  return { ...anyone(situation, "refreshCapital", "takes a checkpoint of the pool's capital"), row: "refreshCapital" };
}
