import {
  type AccountId,
  WAD,
  decodeAccountRisk,
  decodeCapital,
  decodeCollateral,
  decodeMarketRisk,
  decodeMarketTerms,
} from "../../../sdk/index.js";
import * as MarketWords from "../../../sdk/risk/types/MarketWords.js";
import { abs, ceilDiv } from "../../helpers/model.js";
import { place } from "../../helpers/vaultStorage.js";
import type { Arena } from "./arena.js";
import type { AccountBook, Books, HealthFigures, VaultEvent } from "./books.js";
import { accountOf, numberOf, takerOf } from "./figures.js";
import { type Judge, type Step, roundingWei } from "./judge.js";
import { ray } from "./sides.js";
import { isTaken } from "./takeovers.js";

const hasInitialMargin = ({ equityInitial, requirementInitial }: HealthFigures, slack = 0n) =>
  equityInitial + slack >= requirementInitial;

/** An account that traded, with its sizes in one market before and after all trades of the step. */
interface Change {
  readonly id: AccountId;
  readonly market: number;
  readonly old: AccountBook;
  readonly now: AccountBook;
  readonly from: bigint;
  readonly to: bigint;
  readonly isGrown: boolean;
}

function changesOf({ before, after, events }: Step): Change[] {
  const traded = events.filter(({ name }) => name === "Traded");
  const last = new Map(traded.map((event) => [`${accountOf(event)} ${event.args.market}`, event]));
  return [...last.values()].map((event) => {
    const [id, market] = [accountOf(event), Number(numberOf(event, "market"))];
    const [old, now] = [before.accounts.get(id)!, after.accounts.get(id)!];
    const [from, to] = [old.positions[market]!.sizeWad, now.positions[market]!.sizeWad];
    return { id, market, old, now, from, to, isGrown: from * to < 0n || abs(to) > abs(from) };
  });
}

const wordOf = ({ words }: Books, { name }: { readonly name: string }) => words.get(name)!;

/** INV-25: what grows leaves initial margin, at fresh prices. */
export function checkGrowth(judge: Judge, step: Step): void {
  for (const { now, from, to, isGrown } of changesOf(step)) {
    if (!isGrown) continue;
    const { equityInitial, requirementInitial, pricesFresh } = now.health;
    const can = hasInitialMargin(now.health, roundingWei) && pricesFresh;
    judge.holds(
      can,
      () => `${now.name} goes from ${from} to ${to} with ${equityInitial} of ${requirementInitial}, ${pricesFresh}`,
    );
  }
}

/** INV-26: what reduces leaves nobody below zero, and no health lower below initial margin. Several calls in one may do so on their way. */
export function checkReduction(judge: Judge, step: Step): void {
  if (step.events.filter(({ name }) => name === "Traded").length !== 1) return;
  for (const { old, now, from, to, isGrown } of changesOf(step)) {
    if (isGrown) continue;
    const { equityMaintenance, requirementMaintenance, health } = now.health;
    judge.holds(equityMaintenance >= -roundingWei, () => `${now.name} is left with ${equityMaintenance}`);
    const slack = requirementMaintenance === 0n ? 0n : ceilDiv(roundingWei * WAD, requirementMaintenance);
    const isRaised = requirementMaintenance === 0n || health + slack >= old.health.health;
    const can = isRaised || hasInitialMargin(now.health, roundingWei);
    judge.holds(can, () => `${now.name} goes from ${from} to ${to}, its health from ${old.health.health} to ${health}`);
  }
}

/** INV-27: initial margin asks for no less and counts no more, for anybody at any time. */
export function checkInitialMargin(judge: Judge, { after }: Step): void {
  for (const { name, health } of after.accounts.values()) {
    const { equityInitial, equityMaintenance, requirementInitial, requirementMaintenance } = health;
    const counts = () => `${name}: initial equity ${equityInitial}, maintenance equity ${equityMaintenance}`;
    judge.holds(equityInitial <= equityMaintenance, counts);
    const asks = () => `${name}: initially ${requirementInitial} is required, later ${requirementMaintenance}`;
    judge.holds(requirementInitial >= requirementMaintenance, asks);
  }
}

/** INV-28: who owes more by what it does owes at least the minimum. */
export function checkDebts(judge: Judge, step: Step, { pool }: Arena): void {
  const { act, before, after } = step;
  const { minimumDebtWad } = decodeAccountRisk(wordOf(after, place.accountRisk));
  const grown = changesOf(step).flatMap(({ id, isGrown }) => (isGrown ? [id] : []));
  const out = act.kind === "withdraw" || act.kind === "transfer" || act.kind === "buyCollateral" ? [act.account!] : [];
  const taking = act.kind === "liquidateCollateral" || act.kind === "liquidatePosition" ? [act.other ?? pool] : [];
  for (const id of new Set([...grown, ...out, ...taking])) {
    const [old, now] = [before, after].map(({ accounts }) => accounts.get(id)!.cashWad);
    if (id === pool || now! >= 0n || now! >= old!) continue;
    judge.holds(-now! >= minimumDebtWad, () => `${after.accounts.get(id)!.name} owes ${-now!} after ${-old!}`);
  }
}

/** INV-29: a trade or a liquidation leaves a position of its minimum size, or none. */
export function checkSizes(judge: Judge, step: Step): void {
  const { act, after, events } = step;
  const check = (event: VaultEvent, id: AccountId) => {
    const market = Number(numberOf(event, "market"));
    const { minimumSizeWad } = decodeMarketTerms(wordOf(after, place.market(market, "terms")));
    const { name, positions } = after.accounts.get(id)!;
    const size = abs(positions[market]!.sizeWad);
    // Of a share that is less than one unit of size the last wei may be missing.
    judge.holds(size === 0n || size + 1n >= minimumSizeWad, () => `${name} is left with ${size} in market ${market}`);
  };
  for (const event of events) {
    if (event.name === "Traded" || event.name === "PositionLiquidated") check(event, accountOf(event));
    if (isTaken(event, act)) check(event, takerOf(event));
  }
}

/** INV-30: what grows stays within the cap of its side, and all that is open within the pool's capital. */
export function checkOpenInterest(judge: Judge, step: Step, { pool }: Arena): void {
  const { after, pricesWad } = step;
  const { capitalWad } = decodeCapital(wordOf(step.before, place.capital));
  for (const { market, from, to, isGrown } of changesOf(step)) {
    if (!isGrown) continue;
    const terms = decodeMarketTerms(wordOf(after, place.market(market, "terms")));
    const risk = decodeMarketRisk(wordOf(after, place.market(market, "risk")));
    const { totals, sides } = after.markets[market]!;
    const ofPool = after.accounts.get(pool)!.positions[market]!.sharesWad;
    const open = (all: bigint, isLong: boolean, scaleRay: bigint) =>
      ((all - (isLong === ofPool > 0n ? abs(ofPool) : 0n)) * scaleRay) / ray;
    const long = open(totals.longSharesWad, true, sides.long.scaleRay);
    const short = open(totals.shortSharesWad, false, sides.short.scaleRay);
    const grown = to > 0n ? long : short;
    const told = () => `from ${from} to ${to} in market ${market}: ${grown} is open of ${terms.openInterestCapWad}`;
    judge.holds(grown <= terms.openInterestCapWad + 2n, told);
    const most = long > short ? long : short;
    const needed = (((most * pricesWad[market]!) / WAD) * risk.initialBaseWad) / WAD;
    const word = wordOf(after, place.market(market, "terms")) as MarketWords.MarketTerms;
    const share = (capitalWad * MarketWords.capitalShare(word)) / WAD;
    judge.holds(needed <= share + roundingWei, () => `market ${market} needs ${needed} of the pool's ${share}`);
  }
}

/** INV-21: a deposit stays within the cap of its collateral. */
export function checkDepositCap(judge: Judge, { act, before, after }: Step, { collaterals }: Arena): void {
  if (act.kind !== "deposit") return;
  for (const [index, { symbol }] of collaterals.entries()) {
    const { depositCap } = decodeCollateral(wordOf(after, place.collateral(index)));
    const isDeposit = after.held[index]! > before.held[index]!;
    judge.holds(
      !isDeposit || after.held[index]! <= depositCap,
      () => `${symbol}: ${after.held[index]} of ${depositCap}`,
    );
  }
}
