import { hasFlag } from "../../../../sdk/index.js";
import type { Act } from "../act.js";
import { vaultInterface } from "../interfaces.js";
import { type Situation, chance, isFresh, maxPriceAgeSeconds, part, pick } from "../situation.js";

const noticeSeconds = 86_400;

/** Markets announced to be delisted, by whether their time has come. */
export function closingMarkets({ arena, books }: Situation): { due: number[]; waiting: number[] } {
  const closing = [...arena.markets.keys()].filter((market) => {
    const { state } = books.markets[market]!;
    return hasFlag(state, "closing") && !hasFlag(state, "delisted");
  });
  const isDue = (market: number) => arena.chain.nowSeconds >= books.markets[market]!.epochs.delistAt!;
  return { due: closing.filter(isDue), waiting: closing.filter((market) => !isDue(market)) };
}

/** The admin announces the end of the last market, or puts it off; now and then with too short a notice, or somebody else tries. */
export function announceDelistingAct(situation: Situation): Act {
  const { arena, pricesWad } = situation;
  const market = arena.markets.length - 1;
  const { symbol } = arena.markets[market]!;
  const seconds = chance(situation, 0.08) ? noticeSeconds - 1 : noticeSeconds + situation.random.integer(0, 20_000);
  const due = arena.chain.nowSeconds + seconds;
  const finalPrice = chance(situation, 0.3) ? 0n : part(situation, pricesWad.get(symbol)!, 0.9, 1.1);
  const from = chance(situation, 0.05) ? arena.stranger : arena.admin;
  return {
    row: "announceDelisting",
    kind: "announceDelisting",
    what: `${from.name} announces that ${symbol} is delisted at ${due}, for ${finalPrice} if its feed is dead`,
    from: from.address,
    to: arena.deployment.vault,
    data: vaultInterface.encodeFunctionData("announceDelisting", [market, due, finalPrice]),
    market,
  };
}

/** A late price is waited for; a feed that is silent for a day beyond its time is dead. */
function hasPrice(situation: Situation, market: number): boolean {
  const { arena, publishedAt } = situation;
  const { symbol } = arena.markets[market]!;
  const silentSeconds = arena.chain.nowSeconds - (publishedAt.get(symbol) ?? 0);
  return isFresh(situation, symbol) || silentSeconds >= maxPriceAgeSeconds + noticeSeconds;
}

/** The admin halts the first market, or lets it go on; now and then somebody else tries. */
export function haltAct(situation: Situation): Act {
  const { arena } = situation;
  const halted = isHalted(situation);
  const name = halted ? "resumeMarket" : "haltMarket";
  const from = chance(situation, 0.1) ? arena.stranger : arena.admin;
  return {
    row: name,
    kind: "halt",
    what: `${from.name}: ${name} of ${arena.markets[0]!.symbol}`,
    from: from.address,
    to: arena.deployment.vault,
    data: halted
      ? vaultInterface.encodeFunctionData("resumeMarket", [0])
      : vaultInterface.encodeFunctionData("haltMarket", [0]),
    market: 0,
  };
}

export function isHalted({ books }: Situation): boolean {
  return hasFlag(books.markets[0]!.state, "halted");
}

export function delistAct(situation: Situation): Act {
  const { arena } = situation;
  const { due } = closingMarkets(situation);
  const market = due.length > 0 ? pick(situation, due) : pick(situation, [...arena.markets.keys()]);
  const from = pick(situation, arena.actors);
  return {
    row: "delist",
    kind: "delist",
    what: `${from.name} delists ${arena.markets[market]!.symbol}`,
    from: from.address,
    to: arena.deployment.vault,
    data: vaultInterface.encodeFunctionData("delist", [market]),
    market,
    announced: due.length > 0 && hasPrice(situation, market) ? "INV-15" : undefined,
  };
}
