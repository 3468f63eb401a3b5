import { type AccountId, WAD } from "../../../../sdk/index.js";
import { abs } from "../../../helpers/model.js";
import type { Act, Row } from "../act.js";
import { vaultInterface } from "../interfaces.js";
import type { AccountBook } from "../books.js";
import {
  type Situation,
  bookOf,
  chance,
  freeMargin,
  isCapitalStale,
  isFresh,
  isIsolated,
  isOpen,
  marketsFinished,
  marketsHeld,
  noDeadline,
  openMarkets,
  part,
  pick,
  roomOf,
  traders,
} from "../situation.js";
import { callerFor } from "./authority.js";

export function tradeData(account: AccountId, market: number, size: bigint, limit = 0n): string {
  return vaultInterface.encodeFunctionData("trade", [account, market, size, limit, noDeadline]);
}

/** About the largest size that an account's free margin lets it open. */
export function openable(situation: Situation, account: AccountBook, market: number): bigint {
  const { initialBaseWad, symbol } = situation.arena.markets[market]!;
  const free = freeMargin(account);
  if (free <= 0n) return 0n;
  const cost = (initialBaseWad * 115n) / 100n + WAD / 200n; // size's share of the requirement, impact, fee
  return (((free * WAD) / cost) * WAD) / situation.pricesWad.get(symbol)!;
}

export function tradeAct(situation: Situation): Act {
  const { arena } = situation;
  const candidates = traders(situation).filter(
    (account) => bookOf(situation, account).health.equityInitial > 30n * WAD,
  );
  const account = pick(situation, chance(situation, 0.95) && candidates.length > 0 ? candidates : traders(situation));
  const book = bookOf(situation, account);
  const [finished, ending] = [marketsFinished(book), marketsClosing(situation, book)];
  const hasRoom = (market: number) =>
    book.positions[market]!.sizeWad !== 0n ||
    roomOf(situation, market, true) > 0n ||
    roomOf(situation, market, false) > 0n;
  const open = openMarkets(situation).filter(
    (market) => hasRoom(market) && (!finished.includes(market) || chance(situation, 0.7)),
  );
  const fresh = [...open, ...ending].filter((market) => isFresh(situation, arena.markets[market]!.symbol));
  let market = pick(situation, chance(situation, 0.95) && fresh.length > 0 ? fresh : [...arena.markets.keys()]);
  // An isolated account tries a second position now and then.
  const [only] = marketsHeld(book);
  if (isIsolated(book) && only !== undefined && chance(situation, 0.5)) market = only;
  const { symbol } = arena.markets[market]!;
  const [row, size] = sizeOf(situation, book, market);
  // A limit that binds now and then, and callers who may not.
  const limit = chance(situation, 0.03) ? situation.pricesWad.get(symbol)! : 0n;
  const from = callerFor(situation, account, "trade");
  return {
    row,
    kind: "trade",
    what: `${from.name} trades ${size} ${symbol} for ${account.name} (${row})`,
    from: from.address,
    to: arena.deployment.vault,
    data: tradeData(account.id, market, size, limit),
    account: account.id,
  };
}

/** Opens far more than margin allows, and closes all but what it does, in one multicall; now and then a little too much is left. */
export function multicallAct(situation: Situation): Act {
  const { arena } = situation;
  const candidates = traders(situation).filter((account) => freeMargin(bookOf(situation, account)) > 60n * WAD);
  const account = pick(situation, candidates.length > 0 ? candidates : traders(situation));
  const book = bookOf(situation, account);
  const fresh = openMarkets(situation).filter((market) => isFresh(situation, arena.markets[market]!.symbol));
  const held = marketsHeld(book);
  const fitting = isIsolated(book) && held.length > 0 ? fresh.filter((market) => held.includes(market)) : fresh;
  const market = pick(situation, fitting.length > 0 ? fitting : [...arena.markets.keys()]);
  const { symbol, minimumSizeWad } = arena.markets[market]!;
  const isLong = book.positions[market]!.sizeWad === 0n ? chance(situation, 0.5) : book.positions[market]!.sizeWad > 0n;
  const room = roomOf(situation, market, isLong);
  const within = openable(situation, book, market);
  const kept = part(situation, within, 0.05, chance(situation, 0.1) ? 1.5 : 0.6) + minimumSizeWad;
  const most = (room * 9n) / 10n;
  const opened = within * 4n + kept < most ? within * 4n + kept : most > kept ? most : kept + minimumSizeWad;
  const [open, close] = isLong ? [opened, kept - opened] : [-opened, opened - kept];
  const from = callerFor(situation, account, "trade");
  const calls = [tradeData(account.id, market, open), tradeData(account.id, market, close)];
  return {
    row: "multicall of trades",
    kind: "trade",
    what: `${from.name} trades ${open} and ${close} ${symbol} for ${account.name}, in a multicall`,
    from: from.address,
    to: arena.deployment.vault,
    data: vaultInterface.encodeFunctionData("multicall", [calls]),
    account: account.id,
  };
}

/** Markets in which an account can only reduce. */
function marketsClosing({ books }: Situation, book: AccountBook): number[] {
  return marketsHeld(book).filter(
    (market) => !isOpen(books.markets[market]!) && book.positions[market]!.sizeWad !== 0n,
  );
}

function sizeOf(situation: Situation, book: AccountBook, market: number): [Row, bigint] {
  const { minimumSizeWad } = situation.arena.markets[market]!;
  const held = book.positions[market]!.sizeWad;
  const isClosing = !isOpen(situation.books.markets[market]!);
  const isFull = roomOf(situation, market, true) <= 0n || roomOf(situation, market, false) <= 0n;
  const isPoor = isClosing || isFull || freeMargin(book) < 10n * WAD || isCapitalStale(situation);
  const dice = situation.random.uniform();
  if (held === 0n) return ["trade: open", growth(situation, book, market, isLongOpening(situation, market))];
  if (!isPoor && dice < 0.3) return ["trade: increase", growth(situation, book, market, held > 0n)];
  if (!isPoor && dice < 0.5) {
    const beyond = growth(situation, book, market, held < 0n);
    const size = abs(held) + (abs(beyond) < abs(held) ? abs(beyond) : part(situation, abs(held), 0.1, 1));
    return ["trade: flip", held > 0n ? -size : size];
  }
  if (dice < 0.75) {
    const most = abs(held) - minimumSizeWad;
    if (most > 0n) {
      const size = part(situation, chance(situation, 0.05) ? abs(held) : most, 0.02, 1) + 1n;
      return ["trade: reduce", held > 0n ? -size : size];
    }
  }
  return ["trade: close", -held];
}

/** Either side at random; mostly one that has room. */
function isLongOpening(situation: Situation, market: number): boolean {
  const isLong = chance(situation, 0.5);
  const isFull = roomOf(situation, market, isLong) <= 0n && roomOf(situation, market, !isLong) > 0n;
  return isFull && chance(situation, 0.9) ? !isLong : isLong;
}

/** A size to add: within margin and open interest mostly, small or nearly all that margin allows. */
function growth(situation: Situation, book: AccountBook, market: number, isLong: boolean): bigint {
  const { minimumSizeWad } = situation.arena.markets[market]!;
  let size = openable(situation, book, market);
  size = chance(situation, 0.5) ? part(situation, size, 0.8, 0.99) : part(situation, size, 0.02, 0.8);
  if (chance(situation, 0.06)) size *= 3n;
  const room = roomOf(situation, market, isLong);
  if (size > room && chance(situation, 0.9)) size = part(situation, room > 0n ? room : 0n, 0.3, 1);
  if (size < minimumSizeWad && chance(situation, 0.9)) size = minimumSizeWad + size;
  return isLong ? size : -size;
}

export function settleAct(situation: Situation): Act {
  const { arena } = situation;
  const holders = traders(situation).filter((account) => marketsHeld(bookOf(situation, account)).length > 0);
  const due = holders.filter((each) => marketsFinished(bookOf(situation, each)).length > 0);
  let account = pick(situation, holders.length > 0 && chance(situation, 0.92) ? holders : arena.accounts);
  if (due.length > 0 && chance(situation, 0.7)) account = pick(situation, due);
  const held = marketsHeld(bookOf(situation, account));
  const final = marketsFinished(bookOf(situation, account));
  let market = pick(situation, held.length > 0 && chance(situation, 0.95) ? held : [...arena.markets.keys()]);
  if (final.length > 0) market = pick(situation, final);
  const from = pick(situation, arena.actors);
  return {
    row: "settle",
    kind: "settle",
    what: `${from.name} settles ${account.name} in ${arena.markets[market]!.symbol}`,
    from: from.address,
    to: arena.deployment.vault,
    data: vaultInterface.encodeFunctionData("settle", [account.id, market]),
    account: account.id,
  };
}
