import { type AccountId, WAD, hasFlag, normalizeAccount } from "../../../sdk/index.js";
import { abs, ceilDiv } from "../../helpers/model.js";
import type { Act } from "./act.js";
import type { Arena, CollateralTerms } from "./arena.js";
import { type VaultEvent, cashUnit } from "./books.js";
import { accountOf, isHandOver, numberOf, takerOf } from "./figures.js";
import { type Judge, type Step, roundingWei } from "./judge.js";

/** Whether a position was liquidated to an account. */
export function isTaken({ name }: VaultEvent, { other }: Act): boolean {
  return name === "PositionLiquidated" && other !== undefined;
}

/** A position that an account takes over keeps its size and its part of the cost; the pool's stays, and a hand-over leaves the totals. */
export function checkTakenPosition(
  judge: Judge,
  { act, before, after }: Step,
  event: VaultEvent,
  { pool }: Arena,
): void {
  if (!isTaken(event, act)) return;
  const market = Number(numberOf(event, "market"));
  const [old, now] = [before, after].map((books) => books.accounts.get(accountOf(event))!.positions[market]!);
  const moved = abs(old!.sizeWad) - abs(now!.sizeWad);
  const size = numberOf(event, "sizeDeltaWad");
  judge.holds(moved === abs(size), () => `${moved} left ${accountOf(event)}, and ${size} is told`);
  const taker = [before, after].map((books) => books.accounts.get(takerOf(event))!.positions[market]!.sizeWad);
  // A share that is less than one unit of size can be told a wei too small, at either end.
  const isScaled = hasFlag(before.markets[market]!.state, "sidesTouched");
  const [least, most] = isScaled ? [-1n, 1n] : [0n, 0n];
  const off = taker[1]! - taker[0]! + size;
  judge.within(off, least, most, `the taker of ${size} goes from ${taker[0]} to ${taker[1]}; off by`);
  // What stays has its part of the cost, rounded down at each piece of a crossing: neither gain nor loss stays behind.
  const cost = old!.costWad - (old!.sharesWad === 0n ? 0n : ceilDiv(old!.costWad * moved, abs(old!.sharesWad)));
  if (!hasFlag(before.markets[market]!.state, "sidesTouched"))
    judge.within(now!.costWad, isHandOver(before, event) ? cost : cost - 2n, cost, "the cost that stays");
  const pools = [before, after].map((books) => books.accounts.get(pool)!.positions[market]!.sizeWad);
  judge.holds(pools[0] === pools[1], () => `the pool's size goes from ${pools[0]} to ${pools[1]}`);
  const words = [before, after].map(({ words }) => words.get(`totals ${market}`));
  const isUntouched = words[0] === words[1];
  judge.holds(isUntouched || !isHandOver(before, event), () => `a hand-over changes the totals of ${market}`);
}

/** Until the discount of what the pool sells has risen to its base. */
const hourSeconds = 3600n;

/** What a taker is paid stays between what trading would cost the target and the cap, and insurance has its share of it. */
export function checkDiscount(judge: Judge, { act, before, pricesWad }: Step, event: VaultEvent, arena: Arena): void {
  if (isTaken(event, act)) {
    const { takerCostWad, discountBaseWad, discountCapWad } = arena.markets[Number(numberOf(event, "market"))]!;
    const [fee, reward] = [numberOf(event, "feeWad"), numberOf(event, "rewardWad")];
    const least = takerCostWad < discountBaseWad ? takerCostWad : discountBaseWad;
    const price = pricesWad[Number(numberOf(event, "market"))]!;
    const notional = ceilDiv(abs(numberOf(event, "sizeDeltaWad")) * price, WAD);
    judge.within(fee, (notional * least) / WAD, ceilDiv(notional * discountCapWad, WAD), "the target pays");
    judge.within((fee * arena.insuranceShareWad) / WAD, fee - reward, fee - reward, "insurance's share of it is");
    judge.holds(numberOf(event, "fillPriceWad") === price, () => `filled at ${numberOf(event, "fillPriceWad")}`);
  }
  if (event.name === "PositionLiquidated" && act.other === undefined) {
    // Into the pool the fee makes room for the fill's impact, so that both are within what health bears.
    const market = Number(numberOf(event, "market"));
    const { maintenanceBaseWad, discountCapWad } = arena.markets[market]!;
    const [price, size] = [pricesWad[market]!, numberOf(event, "sizeDeltaWad")];
    const notional = ceilDiv(abs(size) * price, WAD);
    const impact = ceilDiv(size * (numberOf(event, "fillPriceWad") - price), WAD);
    const borne = (numberOf(event, "healthBeforeWad") * maintenanceBaseWad) / (WAD + arena.debtMarginWad);
    const most = ceilDiv(notional * borne, WAD) + roundingWei + abs(size) / WAD;
    const cost = impact + numberOf(event, "feeWad");
    judge.holds(cost <= most, () => `the target pays ${cost} in fee and impact, and its health bears ${most}`);
    judge.within(numberOf(event, "feeWad"), 0n, ceilDiv(notional * discountCapWad, WAD) + 1n, "the fee is");
  }
  if (event.name === "CollateralLiquidated") {
    const { terms, valueOf } = collateralOf(event, arena, pricesWad);
    const value = valueOf(numberOf(event, "amount"));
    const given = value - numberOf(event, "proceedsWad");
    const least = (value * terms.discountBaseWad) / WAD;
    judge.within(given, least, ceilDiv(value * terms.discountCapWad, WAD), "the target gives away");
    const share = (given * arena.insuranceShareWad) / WAD;
    judge.within(numberOf(event, "insuranceWad"), share, share, "insurance's share of it is");
  }
  if (event.name === "PoolCollateralSold") {
    const { terms, index, valueOf } = collateralOf(event, arena, pricesWad);
    const waited = BigInt(arena.chain.nowSeconds) - (before.words.get(`stock since ${index}`) ?? 0n);
    const discount = (terms.discountBaseWad * (waited < hourSeconds ? waited : hourSeconds)) / hourSeconds;
    const asked = (valueOf(numberOf(event, "amount")) * (WAD + terms.toleranceWad - discount)) / WAD;
    judge.within(numberOf(event, "costWad"), asked, asked + roundingWei, "the pool asks");
  }
}

type Moves = ReadonlyMap<AccountId, { readonly cash?: bigint; readonly collateral?: bigint }>;

/** What an event says that accounts paid each other, against their books: net cash to the rounding of positions, collateral exactly. */
export function checkMoves(judge: Judge, { act, before, after }: Step, event: VaultEvent, arena: Arena): void {
  const moves = movesOf(event, act, arena);
  if (moves === undefined) return;
  const token = String(event.args.token).toLowerCase();
  const index = arena.collaterals.findIndex(({ address }) => address.toLowerCase() === token);
  for (const [id, { cash = 0n, collateral = 0n }] of moves) {
    const [old, now] = [before, after].map((books) => books.accounts.get(id)!);
    const paid = now!.health.netCash - old!.health.netCash;
    judge.within(paid - cash, -roundingWei, roundingWei, `${now!.name} has ${paid} instead of ${cash}; too much, wei`);
    for (const [i, amount] of now!.collaterals.entries()) {
      const expected = old!.collaterals[i]! + (i === index ? collateral : 0n);
      judge.holds(amount === expected, () => `${now!.name} has ${amount} of collateral ${i} instead of ${expected}`);
    }
  }
}

function movesOf(event: VaultEvent, act: Act, { pool, insurance, cash }: Arena): Moves | undefined {
  const figure = (name: string) => numberOf(event, name);
  switch (event.name) {
    case "PositionLiquidated": {
      if (act.other === undefined) return undefined;
      const [fee, reward] = [figure("feeWad"), figure("rewardWad")];
      return new Map([
        [accountOf(event), { cash: -fee }],
        [takerOf(event), { cash: reward }],
        [insurance, { cash: fee - reward }],
      ]);
    }
    case "CollateralLiquidated": {
      const [amount, proceeds, toInsurance] = [figure("amount"), figure("proceedsWad"), figure("insuranceWad")];
      return new Map([
        [accountOf(event), { cash: proceeds, collateral: -amount }],
        [takerOf(event), { cash: -proceeds - toInsurance, collateral: amount }],
        [insurance, { cash: toInsurance }],
      ]);
    }
    case "PoolCollateralSold": {
      const [amount, cost] = [figure("amount"), figure("costWad")];
      return new Map([
        [normalizeAccount(event.args.buyer as string), { cash: -cost, collateral: amount }],
        [pool, { cash: cost, collateral: -amount }],
      ]);
    }
    case "Transferred": {
      const [from, to] = [act.account!, act.other!];
      if (from === to) return new Map([[from, {}]]);
      const isCash = String(event.args.token).toLowerCase() === cash.address.toLowerCase();
      const amount = figure("amount");
      const move = (sign: bigint) =>
        isCash ? { cash: sign * amount * cashUnit(cash.decimals) } : { collateral: sign * amount };
      return new Map([
        [from, move(-1n)],
        [to, move(1n)],
      ]);
    }
    default:
      return undefined;
  }
}

/** A collateral that an event names, and the value (wad, rounded down) of so much of it at the price. */
export function collateralOf(event: VaultEvent, { collaterals, markets }: Arena, pricesWad: readonly bigint[]) {
  const address = String(event.args.token).toLowerCase();
  const terms: CollateralTerms = collaterals.find((each) => each.address.toLowerCase() === address)!;
  const priceWad = pricesWad[markets.findIndex(({ symbol }) => symbol === terms.asset)]!;
  const unit = 10n ** BigInt(terms.decimals);
  return { terms, index: collaterals.indexOf(terms), valueOf: (amount: bigint) => (amount * priceWad) / unit };
}
