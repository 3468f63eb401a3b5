import { expect } from "chai";

import { type AccountId, WAD, decodeMarketState, decodeMarketTotals, decodePosition } from "../../sdk/index.js";
import { abs, ceilDiv, floorDiv } from "./model.js";
import type { World } from "./world.js";

// The books of the vault read from its words and logs, and added up anew with exact integers; nothing is shared with the contracts.

const RAY = 10n ** 27n;
const INDEX_ONE = 10n ** 15n;

const field = (word: bigint, offset: number, bits: number) => (word >> BigInt(offset)) & ((1n << BigInt(bits)) - 1n);
const signed = (word: bigint, offset: number, bits: number) => BigInt.asIntN(bits, word >> BigInt(offset));

/** What losses may take in an hour. Wad, and Unix seconds. */
export interface Budget {
  readonly allowed: bigint;
  readonly spent: bigint;
  readonly since: bigint;
}

const budgetOf = (word: bigint): Budget => ({
  allowed: field(word, 0, 104),
  spent: field(word, 104, 104),
  since: field(word, 208, 40),
});

/** The words of cash as they are stored: what has accrued since is not in them. */
export interface CashFigures {
  /** 1e-15. */
  readonly supplyIndex: bigint;
  readonly borrowIndex: bigint;
  /** 1e-18 a second. */
  readonly supplyRate: bigint;
  readonly borrowRate: bigint;
  readonly accruedAt: bigint;
  /** Sums of principals, wad. */
  readonly supplied: bigint;
  readonly borrowed: bigint;
  readonly poolLosses: Budget;
  readonly writeOffs: Budget;
  readonly interestUnswept: bigint;
  readonly badDebt: bigint;
}

export async function cashFigures({ ballast }: World): Promise<CashFigures> {
  const { indices, totals, poolLosses, writeOffs, interestUnsweptWad, badDebtWad } = await ballast.vault.cashView();
  return {
    supplyIndex: field(indices, 0, 72),
    borrowIndex: field(indices, 72, 72),
    supplyRate: field(indices, 144, 40),
    borrowRate: field(indices, 184, 40),
    accruedAt: field(indices, 224, 32),
    supplied: field(totals, 0, 128),
    borrowed: field(totals, 128, 128),
    poolLosses: budgetOf(poolLosses),
    writeOffs: budgetOf(writeOffs),
    interestUnswept: interestUnsweptWad,
    badDebt: badDebtWad,
  };
}

/** What a principal is worth at stored indices, rounded toward minus infinity. */
export function cashAt(
  { supplyIndex, borrowIndex }: Pick<CashFigures, "supplyIndex" | "borrowIndex">,
  principal: bigint,
): bigint {
  return principal >= 0n ? floorDiv(principal * supplyIndex, INDEX_ONE) : -ceilDiv(-principal * borrowIndex, INDEX_ONE);
}

/** One side of a market at the stored funding index. Ray. */
export interface SideFigures {
  readonly scale: bigint;
  readonly carry: bigint;
  readonly shares: bigint;
  readonly epoch: bigint;
}

export interface MarketFigures {
  readonly long: SideFigures;
  readonly short: SideFigures;
  readonly flags: number;
  readonly feesUnswept: bigint;
}

export async function marketFigures({ ballast }: World, market: bigint | number): Promise<MarketFigures> {
  const view = await ballast.vault.market(market);
  const { fundingIndexWad, flags } = decodeMarketState(view.state);
  const { longSharesWad, shortSharesWad, feesUnsweptWad } = decodeMarketTotals(view.totals);
  const side = (word: bigint, sign: bigint, shares: bigint, epoch: bigint): SideFigures => {
    const [scale, carry] = (flags & 1) === 0 ? [RAY, 0n] : [field(word, 0, 96), signed(word, 96, 160)];
    return { scale, carry: carry - ceilDiv(sign * scale * fundingIndexWad, WAD), shares, epoch };
  };
  return {
    long: side(view.longSide, 1n, longSharesWad, field(view.epochs, 0, 16)),
    short: side(view.shortSide, -1n, shortSharesWad, field(view.epochs, 16, 16)),
    flags,
    feesUnswept: feesUnsweptWad,
  };
}

interface Held {
  readonly shares: bigint;
  readonly cost: bigint;
}

/** A position's word in shares of the present epoch of its side, and how many epochs have ended since it was stored. */
async function converted({ ballast }: World, market: bigint, word: bigint, figures: MarketFigures) {
  const { sharesWad, costWad, epoch } = decodePosition(word);
  const long = sharesWad > 0n;
  const last = (long ? figures.long : figures.short).epoch;
  let held: Held = { shares: sharesWad, cost: costWad };
  let ended = 0n;
  for (let at = BigInt(epoch); at < last && held.shares !== 0n; at += 1n, ended += 1n) {
    const end = await ballast.vault.epochEnd(market, long, at);
    const left = (abs(held.shares) * field(end, 0, 96)) / RAY;
    const cost = held.cost - floorDiv(abs(held.shares) * signed(end, 96, 160), RAY);
    held = { shares: long ? left : -left, cost };
  }
  return { ...held, ended };
}

function valueOf({ shares, cost }: Held, figures: MarketFigures, priceRay: bigint): bigint {
  const sign = shares < 0n ? -1n : 1n;
  const { scale, carry } = shares < 0n ? figures.short : figures.long;
  return floorDiv(abs(shares) * (floorDiv(sign * scale * priceRay, RAY) + carry), RAY) - cost;
}

/** All that the vault owes, and to whom: see `audit`. */
export interface Claims {
  /** By account: cash and the value of its positions at the last price. Wad. */
  readonly equities: ReadonlyMap<AccountId, bigint>;
  /** What no account has yet: fees and interest of the insurance account. */
  readonly unswept: bigint;
  readonly held: bigint;
  readonly badDebt: bigint;
  /** held + badDebt - all claims - the reserves paid in at listings: what rounding has left. */
  readonly dust: bigint;
}

/** Wei that rounding may leave: each act leaves a few. */
const mostDust = 10n ** 6n;

/**
 * Reads every account that ever was from the logs and holds the vault to its books:
 *
 * - INV-03: principals add up to the totals of cash, exactly; shares to those of each side, but for what conversions round off;
 * - INV-02: the sides of a market have the same size;
 * - INV-01: tokens held and bad debt are what is owed and the reserves.
 */
export async function audit(world: World): Promise<Claims> {
  const { ballast, deployment } = world;
  const { vault } = ballast;
  const words = new Map<AccountId, bigint>();
  const positions = new Map<string, { account: AccountId; market: bigint; word: bigint }>();
  for (const { name, args } of await ballast.events(deployment.fromBlock)) {
    const account = args["account"] as AccountId;
    if (name === "AccountChanged") words.set(account, args["word"] as bigint);
    if (name !== "PositionChanged") continue;
    const market = args["market"] as bigint;
    positions.set(`${account} ${market}`, { account, market, word: args["position"] as bigint });
  }
  const cash = await cashFigures(world);
  const equities = new Map<AccountId, bigint>();
  let [supplied, borrowed] = [0n, 0n];
  for (const [account, word] of words) {
    expect(await vault.accountWord(account), `word of ${account}`).to.equal(word);
    const principal = signed(word, 0, 120);
    if (principal > 0n) supplied += principal;
    else borrowed -= principal;
    equities.set(account, cashAt(cash, principal));
  }
  expect({ supplied, borrowed }, "INV-03: principals").to.deep.equal({
    supplied: cash.supplied,
    borrowed: cash.borrowed,
  });

  const pool = (await vault.poolAccount()) as AccountId;
  let unswept = cash.interestUnswept;
  for (const [id, { symbol }] of deployment.markets.entries()) {
    const market = BigInt(id);
    const figures = await marketFigures(world, market);
    const priceRay = (await ballast.price(symbol)).priceWad * 10n ** 9n;
    unswept += figures.feesUnswept;
    const held = [...positions.values()].filter((position) => position.market === market);
    held.push({ account: pool, market, word: (await vault.market(market)).poolPosition });
    let [longShares, shortShares, rounded] = [0n, 0n, 0n];
    for (const { account, word } of held) {
      const position = await converted(world, market, word, figures);
      if (position.shares > 0n) longShares += position.shares;
      else shortShares -= position.shares;
      rounded += position.ended === 0n ? 0n : 1n;
      equities.set(account, (equities.get(account) ?? 0n) + valueOf(position, figures, priceRay));
    }
    rounded += 2n * BigInt(held.length) * (figures.long.epoch + figures.short.epoch);
    const missing = [figures.long.shares - longShares, figures.short.shares - shortShares];
    for (const gap of missing)
      expect(gap >= 0n && gap <= rounded, `INV-03: shares of ${symbol}: ${gap}`).to.equal(true);
    const sizes = [figures.long, figures.short].map(({ scale, shares }) => (scale * shares) / RAY);
    const apart = abs((sizes[0] ?? 0n) - (sizes[1] ?? 0n));
    expect(apart < mostDust, `INV-02: sizes of ${symbol}: ${apart}`).to.equal(true);
  }

  const unit = 10n ** BigInt(18 - deployment.settlementToken.decimals);
  const [, , raw] = await vault.totals();
  const held = raw * unit;
  const owed = [...equities.values()].reduce((sum, equity) => sum + equity, 0n) + unswept;
  const dust = held + cash.badDebt - owed - BigInt(deployment.markets.length) * WAD;
  expect(dust > -mostDust && dust < mostDust, `INV-01: ${dust}`).to.equal(true);
  return { equities, unswept, held, badDebt: cash.badDebt, dust };
}
