import type { AccountId } from "../../sdk/index.js";
import { RAY, WAD, max, min } from "../../sdk/risk/libraries/FixedPoint.js";
import * as Funding from "../../sdk/risk/libraries/Funding.js";
import * as Margin from "../../sdk/risk/libraries/Margin.js";
import * as Sides from "../../sdk/risk/libraries/Sides.js";
import type { AccountWord } from "../../sdk/risk/types/AccountWord.js";
import * as MarketWords from "../../sdk/risk/types/MarketWords.js";
import * as Position from "../../sdk/risk/types/Position.js";
import * as Price from "../../sdk/risk/types/Price.js";
import type { Market } from "../../sdk/risk/types/VaultStorage.js";
import * as VaultWords from "../../sdk/risk/types/VaultWords.js";
import { now } from "../house.js";
import { mostEpochs } from "../places.js";
import type { Draws } from "./draws.js";
import { marketParameters, mostSize } from "./parameters.js";
import { drawMarketRamp } from "./ramps.js";
import type { World } from "./world.js";

const { CLOSING, DELISTED, HALTED, SIDES_TOUCHED } = MarketWords;
const leastScale = RAY / 10_000n;
const leastPrice = 10n ** 9n;
const mostPrice = 10n ** 27n;
/** Of a position's cost: far from the end of its field. */
const mostCost = 1n << 118n;

/** A market, the positions of these accounts, and the pool's, which stands against them. */
export function drawMarket(world: World, id: number, holders: ReadonlySet<AccountId>): void {
  const { d, vault, answers, wishes } = world;
  const market = vault.markets(id);
  const answer = answers.of(id);
  const priceWad = max(leastPrice, Price.value(answer));
  // Listed at another price than the one that counts now.
  const listedAt = d.chance(0.7)
    ? priceWad
    : max(leastPrice, min(mostPrice, (priceWad * BigInt(d.integer(20, 500))) / 100n));
  const targetHealthWad = VaultWords.targetHealth(vault.accountRisk);
  const p = marketParameters(d, { priceWad: listedAt, toleranceWad: Price.tolerance(answer), targetHealthWad });
  market.risk = MarketWords.toMarketRisk(p);
  market.terms = MarketWords.toMarketTerms(p);
  market.discount = MarketWords.toDiscountTerms(p.discountBaseWad, p.discountSlopeWad, p.discountCapWad);
  if (d.chance(wishes.ramps ?? 0.2)) drawMarketRamp(d, vault, id);

  const isDelisted = d.chance(wishes.delisted ?? 0.05);
  const isClosing = isDelisted || d.chance(wishes.closing ?? 0.08);
  const isTouched = isClosing || d.chance(wishes.touched ?? 0.5);
  const flags =
    (isTouched ? SIDES_TOUCHED : 0n) |
    (isClosing ? CLOSING : 0n) |
    (isDelisted ? DELISTED : 0n) |
    (d.chance(wishes.halted ?? 0.07) ? HALTED : 0n);
  const indexWad = d.chance(0.3) ? 0n : d.sign() * d.wide(1n, 5n * priceWad);
  const gap = MarketWords.maxFundingGap(market.risk);
  const waited = d.weighted<() => bigint>([
    [1, () => 0n],
    [4, () => d.wide(1n, gap)],
    [2, () => d.wide(1n, 5_000_000n)],
  ])();
  const begun = MarketWords.toMarketState(indexWad, drawRate(d, market), 0n, now - waited, flags);
  market.state = begun;
  if (isTouched) drawSides(d, market, priceWad, isDelisted);
  if (isClosing) {
    const due = d.chance(0.6) ? now - d.wide(1n, 200_000n) : now + d.wide(1n, 1_000_000n);
    const finalPriceWad = d.chance(0.4) ? 0n : (priceWad * BigInt(d.integer(50, 150))) / 100n;
    market.epochs = MarketWords.withDelisting(market.epochs, due, min(mostPrice, finalPriceWad));
  }
  drawPositions(world, id, holders);
  const skew = -Sides.sizeOf(market, Position.shares(vault.positions.get(world.house.pool, id)));
  const drift = Funding.driftOf(skew, p.maxFundingVelocityPerDay2Wad, MarketWords.skewScale(market.risk));
  market.state = MarketWords.toMarketState(
    indexWad,
    MarketWords.fundingRate(begun),
    isDelisted ? 0n : drift,
    now - waited,
    flags,
  );
}

function drawRate(d: Draws, { risk }: Market): bigint {
  const most = MarketWords.maxFundingRate(risk);
  return d.weighted<() => bigint>([
    [2, () => 0n],
    [1, () => d.sign() * most],
    [5, () => d.sign() * d.part(most)],
    [0.3, () => d.sign() * 2n * most], // of a time when more was allowed
  ])();
}

/** Sides that were deleveraged, and the epochs of theirs that have ended. */
function drawSides(d: Draws, market: Market, priceWad: bigint, isDelisted: boolean): void {
  const atSome = () => (priceWad * BigInt(d.integer(50, 150))) / 100n;
  const draw = (sign: bigint): MarketWords.SideWord => {
    const scale = isDelisted || d.chance(0.4) ? RAY : d.wide(leastScale, RAY);
    return MarketWords.toSideWord(scale, (sign * (RAY - scale) * atSome() * 10n ** 9n) / RAY);
  };
  market.longSide = draw(1n);
  market.shortSide = draw(-1n);
  for (const long of [true, false]) {
    const ended = d.chance(0.4) ? 0 : d.integer(1, d.chance(0.3) ? mostEpochs : 2);
    const epochs = isDelisted ? Math.max(1, ended) : ended;
    for (let epoch = 0; epoch < epochs; epoch++) {
      const whole = isDelisted && epoch === epochs - 1;
      const scale = whole || d.chance(0.4) ? 0n : d.part(leastScale, 2);
      const end = MarketWords.toSideWord(scale, (long ? 1n : -1n) * atSome() * 10n ** 9n);
      market.ends.set(Sides.endKey(long, BigInt(epoch)), end);
      market.epochs = MarketWords.withNextEpoch(market.epochs, long);
    }
  }
}

function drawPositions(
  { d, house, vault, answers, wishes, subject, other }: World,
  id: number,
  holders: ReadonlySet<AccountId>,
): void {
  const market = vault.markets(id);
  const priceWad = Price.value(answers.of(id));
  const isTouched = MarketWords.has(market.state, SIDES_TOUCHED);
  const isDelisted = MarketWords.has(market.state, DELISTED);
  const [indexWad] = Funding.accrued(market.state, market.risk, priceWad, now);
  const [long, short] = isTouched
    ? Sides.read(market, indexWad)
    : [Sides.untouched(1n, indexWad), Sides.untouched(-1n, indexWad)];
  const sideOf = (shares: bigint) => (shares < 0n ? short : long);
  const base = MarketWords.maintenanceBase(market.risk);
  const cap = (base * MarketWords.skewScale(market.risk)) / WAD;
  const room = mostSize(cap, min(long.scaleRay, short.scaleRay)) / 9n;
  const minimum = MarketWords.minimumSize(market.terms);
  const crowd = d.pick([0.15, 0.5, 0.5, 0.85]); // how many are long
  let [longs, shorts] = [0n, 0n];
  let subjectSign = 1n;

  for (const account of [...holders].toSorted((a, b) => Number(b === subject) - Number(a === subject))) {
    const isShared = account === other && holders.has(subject) && wishes.shared !== undefined;
    const isCrowd = wishes.crowded === true && holders.has(subject) && account !== subject;
    const sign = isCrowd || (isShared && wishes.shared === "opposite") ? -subjectSign : d.chance(crowd) ? 1n : -1n;
    if (account === subject) subjectSign = sign;
    const side = sign > 0n ? long : short;
    const last = MarketWords.epochOf(market.epochs, sign > 0n);
    const waits = isShared && wishes.shared === "waiting" && isTouched;
    const kind = isDelisted
      ? "old"
      : isCrowd
        ? "now"
        : waits
          ? "dust"
          : d.weighted([
              [12, "now"],
              [last > 0n ? 2 : 0, "old"],
              [isTouched ? 0.5 : 0, "dust"],
            ]);
    let [shares, epoch] = [sign, last];
    if (kind === "old") [shares, epoch] = [sign * d.wide(1n, 1n << 96n), last - d.wide(1n, last)];
    if (kind === "now")
      shares =
        sign * Sides.sharesUp(side, max(1n, isCrowd ? d.between(room, (room * 3n) / 2n) : drawSize(d, room, minimum)));
    if (kind === "old") epoch = max(0n, epoch);
    const [left, carried] = Sides.converted(market, Position.toPosition(shares, 0n, epoch));
    const notional = (abs(left) * side.scaleRay * priceWad) / RAY / WAD;
    const cost = Margin.valueFloor(side, left, 0n, priceWad) - carried - drawProfit(d, notional);
    vault.positions.set(account, id, Position.toPosition(shares, clampCost(cost), epoch));
    setBit(vault.accounts, account, id);
    if (left > 0n) longs += left;
    else shorts -= left;
  }
  if (!isDelisted && d.chance(0.3)) {
    // Others, with as much on either side.
    const size = d.part(room * 2n, 2);
    longs += Sides.sharesUp(long, size);
    shorts += Sides.sharesUp(short, size);
  }
  let poolShares = 0n;
  if (!isDelisted) {
    const net = Sides.sizeDown(long, longs) - Sides.sizeDown(short, shorts);
    if (net > 0n) shorts -= poolShares = -Sides.sharesUp(short, net);
    else longs += poolShares = Sides.sharesUp(long, -net);
    if (d.chance(0.05)) longs += BigInt(d.integer(1, 5)); // dust that rounding leaves
  }
  const side = sideOf(poolShares);
  const notional = (abs(poolShares) * side.scaleRay * priceWad) / RAY / WAD;
  const wasTraded = longs !== 0n || d.chance(0.5);
  const profit = d.chance(0.1) ? d.sign() * d.wide(1n, 10n ** 24n) : drawProfit(d, notional);
  const poolCost = wasTraded ? clampCost(Margin.valueFloor(side, poolShares, 0n, priceWad) - profit) : 0n;
  const poolEpoch = poolShares === 0n ? 0n : MarketWords.epochOf(market.epochs, poolShares > 0n);
  vault.positions.set(house.pool, id, Position.toPosition(poolShares, poolCost, poolEpoch));
  if (wasTraded) setBit(vault.accounts, house.pool, id);
  const fees = d.weighted<() => bigint>([
    [3, () => 0n],
    [6, () => d.wide(1n, 1n << 40n)],
    [1, () => (1n << 48n) - d.wide(1n, 1n << 24n)],
  ])();
  market.totals = MarketWords.toMarketTotals(longs, shorts, fees);
}

function drawSize(d: Draws, room: bigint, minimum: bigint): bigint {
  const most = max(1n, room);
  return d.weighted<() => bigint>([
    [5, () => d.wide(min(minimum, most), most)],
    [2, () => d.between(most / 4n, most)],
    [1, () => min(minimum, most)],
    [0.5, () => d.wide(1n, min(minimum, most))],
  ])();
}

/** Up to half of the notional, either way; now and then more. */
function drawProfit(d: Draws, notional: bigint): bigint {
  return d.weighted<() => bigint>([
    [1, () => 0n],
    [6, () => d.sign() * d.part(notional / 2n, 2)],
    [1, () => d.sign() * d.part(notional * 3n)],
    [1, () => d.sign() * BigInt(d.integer(1, 9))],
  ])();
}

function clampCost(cost: bigint): bigint {
  return max(-mostCost, min(mostCost, cost));
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}

function setBit(
  accounts: { get(id: AccountId): AccountWord; set(id: AccountId, word: AccountWord): void },
  account: AccountId,
  asset: number,
): void {
  accounts.set(account, (accounts.get(account) | (1n << BigInt(120 + asset))) as AccountWord);
}
