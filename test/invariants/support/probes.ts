import { marketParameters } from "../../../ignition/deploy.js";
import { type AccountId, WAD, accountId, assetsOfSymbol, decodeCollateral } from "../../../sdk/index.js";
import { abs } from "../../helpers/model.js";
import { conducts as feedConducts } from "../../helpers/chainlink.js";
import { place, wordsOf } from "../../helpers/vaultStorage.js";
import { tradeData } from "./acts/trading.js";
import type { Actor, Arena, NamedAccount } from "./arena.js";
import { aggregatorInterface, oracleInterface, poolInterface, vaultInterface } from "./interfaces.js";
import { feedUnitWad } from "./nineAssets.js";
import { publish } from "./publishing.js";
import { type AccountBook, type BookReader, type VaultEvent, cashUnit } from "./books.js";
import type { RawLog } from "./chain.js";
import { roundingOf } from "./figures.js";
import { administer } from "./listings.js";
import type { Finding, InvariantId } from "./judge.js";
import {
  type Situation,
  bookOf,
  chance,
  everything,
  freeMargin,
  isFresh,
  marketsHeld,
  openMarkets,
  part,
  pick,
  roomOf,
  shuffled,
  toRaw,
} from "./situation.js";

/** What is tried on a state and taken back: undefined when the state did not allow it. */
export type Probe = (situation: Situation, reader: BookReader) => Promise<readonly Finding[] | undefined>;

export const probes: Readonly<Partial<Record<InvariantId, Probe>>> = {
  "INV-06": roundTrip,
  "INV-07": splitTrade,
  "INV-09": liquidateAtNoNetCash,
  "INV-10": takeFromOneself,
  "INV-12": inAndOut,
  "INV-14": closeWithDeadFeed,
  "INV-18": administer,
};

const weiAFill = 8n;
const nanoWad = 10n ** 9n;

function finding(invariant: InvariantId, holds: boolean, message: () => string): Finding[] {
  return holds ? [] : [{ invariant, message: message() }];
}

function freshMarkets(situation: Situation): number[] {
  const { markets } = situation.arena;
  return openMarkets(situation).filter((market) => isFresh(situation, markets[market]!.symbol));
}

/** Gives an account enough cash for anything that the market has room for, and the vault a checkpoint. */
async function enrich({ arena }: Situation, accounts: readonly NamedAccount[]): Promise<void> {
  const { chain, cash, deployment, admin } = arena;
  for (const { id, owner } of accounts) {
    const data = vaultInterface.encodeFunctionData("deposit", [id, cash.address, 10n ** BigInt(cash.decimals + 7)]);
    await chain.mustSend(owner.address, deployment.vault, data);
  }
  await chain.mustSend(admin.address, deployment.vault, vaultInterface.encodeFunctionData("refreshCapital"));
}

/** Trades; the event, or undefined when the vault refuses. */
async function trade(
  { chain, deployment }: Arena,
  account: NamedAccount,
  market: number,
  size: bigint,
): Promise<VaultEvent["args"] | undefined> {
  const outcome = await chain.send(account.owner.address, deployment.vault, tradeData(account.id, market, size));
  if (!outcome.ok) return undefined;
  return told(outcome.logs, "Traded");
}

/** What the first event of a name tells. */
function told(
  logs: readonly RawLog[],
  name: "Traded" | "PositionLiquidated" | "CollateralLiquidated",
): VaultEvent["args"] | undefined {
  const { topicHash } = vaultInterface.getEvent(name as "Traded");
  const log = logs.find(({ topics }) => topics[0] === topicHash);
  return log === undefined ? undefined : vaultInterface.parseLog(log)!.args.toObject();
}

/** An account that no sequence uses. */
function aside(owner: Actor, index: number): NamedAccount {
  return { name: `${owner.name}/${index}`, id: accountId(owner.address, index), owner, trades: true };
}

async function netCash({ chain, deployment }: Arena, accounts: readonly NamedAccount[]): Promise<bigint> {
  const data = vaultInterface.encodeFunctionData("healths", [accounts.map(({ id }) => id)]);
  const healths = vaultInterface.decodeFunctionResult("healths", await chain.call(deployment.vault, data));
  return (healths[0] as { netCashWad: bigint }[]).reduce((sum, { netCashWad }) => sum + netCashWad, 0n);
}

/** A size that the market has room for on the side where it would go, both ways. */
function roomy(situation: Situation, market: number): bigint {
  const { minimumSizeWad } = situation.arena.markets[market]!;
  const [up, down] = [roomOf(situation, market, true), roomOf(situation, market, false)];
  const room = up < down ? up : down;
  if (room < 4n * minimumSizeWad) return 0n;
  const size = part(situation, room, 0.001, 0.4) + minimumSizeWad;
  return chance(situation, 0.5) ? size : -size;
}

/** Wei that a fill's rounding to shares may be worth in a market that was deleveraged. */
function fillRounding({ arena, books, pricesWad }: Situation, market: number): bigint {
  return roundingOf(books, market, pricesWad.get(arena.markets[market]!.symbol)!);
}

// ------------------------------------------------------------------ INV-06

/** One to three accounts trade at random, in one or two markets; then each goes back to where it was, or they swap what they got. */
async function roundTrip(situation: Situation): Promise<readonly Finding[] | undefined> {
  const { arena } = situation;
  const fresh = freshMarkets(situation);
  if (fresh.length === 0) return undefined;
  const party = shuffled(
    situation,
    arena.accounts.filter(({ trades }) => trades),
  ).slice(0, situation.random.integer(1, 3));
  const markets = shuffled(situation, fresh).slice(0, situation.random.integer(1, 2));
  const rounding = markets.reduce((sum, market) => sum + fillRounding(situation, market), 0n);
  return arena.chain.tentatively(async () => {
    await enrich(situation, party);
    const before = await netCash(arena, party);
    const open = new Map<string, { account: NamedAccount; market: number; size: bigint }>();
    let fees = 0n;
    let fills = 0n;
    const go = async (account: NamedAccount, market: number, size: bigint) => {
      const told = await trade(arena, account, market, size);
      if (told === undefined) return false;
      fees += told.feeWad as bigint;
      fills += 1n;
      const key = `${account.id} ${market}`;
      open.set(key, { account, market, size: (open.get(key)?.size ?? 0n) + size });
      return true;
    };
    for (let i = situation.random.integer(2, 6); i > 0; i -= 1) {
      const market = pick(situation, markets);
      const size = roomy(situation, market);
      if (size !== 0n) await go(pick(situation, party), market, size);
    }
    if (fills === 0n) return undefined;
    for (const { account, market, size } of shuffled(situation, [...open.values()])) {
      if (size === 0n) continue;
      const first = chance(situation, 0.5) ? part(situation, size, 0.1, 0.9) : 0n;
      if (first !== 0n && (await go(account, market, -first))) {
        if (!(await go(account, market, first - size))) return undefined;
      } else if (!(await go(account, market, -size))) {
        return undefined;
      }
    }
    const gained = (await netCash(arena, party)) - before;
    return [
      ...finding("INV-06", gained <= 0n, () => `${party.length} accounts gained ${gained} after ${fills} fills`),
      ...finding(
        "INV-06",
        abs(gained + fees) <= weiAFill * (fills + 2n) + fills * rounding,
        () => `a round trip of ${fills} fills cost ${-gained}, its fees are ${fees}`,
      ),
    ];
  });
}

// ------------------------------------------------------------------ INV-07

/** The same size in one trade and in several, from the same state. */
async function splitTrade(situation: Situation): Promise<readonly Finding[] | undefined> {
  const { arena } = situation;
  const fresh = freshMarkets(situation);
  if (fresh.length === 0) return undefined;
  const account = pick(
    situation,
    arena.accounts.filter(({ trades }) => trades),
  );
  const market = pick(situation, fresh);
  const held = bookOf(situation, account).positions[market]!.sizeWad;
  // Often through zero, of the position or of the skew.
  const pool = bookOf(situation, { id: arena.pool }).positions[market]!.sizeWad;
  const through = chance(situation, 0.5) ? -held : pool;
  const size = roomy(situation, market) + (chance(situation, 0.4) ? through : 0n);
  if (size === 0n) return undefined;
  const cuts = Array.from({ length: situation.random.integer(1, 3) }, () => part(situation, size, 0, 1));
  const ends = [0n, ...cuts.sort((a, b) => (abs(a) < abs(b) ? -1 : 1)), size];
  const parts = ends.slice(1).map((end, i) => end - ends[i]!);
  const total = async (sizes: readonly bigint[]) =>
    arena.chain.tentatively(async () => {
      await enrich(situation, [account]);
      const before = await netCash(arena, [account]);
      let fees = 0n;
      for (const each of sizes) {
        if (each === 0n) continue;
        const told = await trade(arena, account, market, each);
        if (told === undefined) return undefined;
        fees += told.feeWad as bigint;
      }
      return { fees, cost: before - (await netCash(arena, [account])) - fees };
    });
  const whole = await total([size]);
  const split = whole === undefined ? undefined : await total(parts);
  if (whole === undefined || split === undefined) return undefined;
  const slack = (weiAFill + fillRounding(situation, market)) * BigInt(parts.length + 1);
  return [
    ...finding(
      "INV-07",
      abs(split.cost - whole.cost) <= slack,
      () => `${size} in one trade costs ${whole.cost} beside fees, in ${parts.join(" + ")} it costs ${split.cost}`,
    ),
    ...finding(
      "INV-07",
      split.fees >= whole.fees - slack,
      () => `${size} in one trade pays fees of ${whole.fees}, in ${parts.join(" + ")} only ${split.fees}`,
    ),
  ];
}

// ------------------------------------------------------------------ INV-09

/**
 * A market with a strong skew, and an account whose net cash is about zero when its price has fallen: in a partial liquidation debt
 * margin falls due or falls away. Random sequences hardly ever come by it. The pool takes it, or an account: of the same owner or another,
 * with or without a position.
 */
async function liquidateAtNoNetCash(situation: Situation): Promise<readonly Finding[] | undefined> {
  const { arena, pricesWad } = situation;
  const { chain, deployment, keeper, targetHealthWad } = arena;
  const fresh = freshMarkets(situation);
  if (fresh.length === 0) return undefined;
  const market = pick(situation, fresh);
  const { symbol, initialBaseWad, minimumSizeWad } = arena.markets[market]!;
  const price = pricesWad.get(symbol)!;
  const isLong = chance(situation, 0.5);
  const sign = isLong ? 1n : -1n;
  const [crowd, { owner }] = shuffled(
    situation,
    arena.accounts.filter(({ trades }) => trades),
  ) as [NamedAccount, NamedAccount];
  const target = aside(owner, 9);
  const second = aside(chance(situation, 0.5) ? owner : crowd.owner, 8);
  const isToAccount = chance(situation, 0.5);
  const stance = BigInt(situation.random.integer(-1, 1));
  const healthOf = async () => {
    const data = vaultInterface.encodeFunctionData("health", [target.id]);
    return vaultInterface.decodeFunctionResult("health", await chain.call(deployment.vault, data))[0] as {
      readonly healthWad: bigint;
      readonly netCashWad: bigint;
      readonly equityMaintenanceWad: bigint;
      readonly requirementMaintenanceWad: bigint;
    };
  };
  const deposit = async (token: string, amount: bigint) => {
    const data = vaultInterface.encodeFunctionData("deposit", [target.id, token, amount]);
    return (await chain.send(owner.address, deployment.vault, data)).ok; // a cap may refuse it
  };
  const taker = isToAccount ? second.id : arena.pool;
  return chain.tentatively(async () => {
    await enrich(situation, isToAccount ? [crowd, second] : [crowd]);
    const room = roomOf(situation, market, isLong);
    const size = part(situation, room, 0.02, 0.2) + minimumSizeWad;
    await trade(
      arena,
      crowd,
      market,
      sign * (chance(situation, 0.8) ? part(situation, room, 0.6, 0.8) : minimumSizeWad),
    );
    const notional = (size * price) / WAD;
    await deposit(
      arena.cash.address,
      toRaw((notional * (2n * initialBaseWad + WAD / 20n)) / WAD + 10n * WAD, arena.cash, WAD),
    );
    if ((await trade(arena, target, market, sign * size)) === undefined) return undefined;
    // In vain where the market has no room: then it takes over without a position.
    if (isToAccount && stance !== 0n) {
      await trade(arena, second, market, stance * sign * (part(situation, size, 0.1, 1.5) + minimumSizeWad));
    }
    // The price at which this much net cash is left, in debt or not.
    const left = part(situation, notional, -0.006, 0.004);
    const fallen = price - (sign * ((await healthOf()).netCashWad - left) * WAD) / size;
    if (fallen <= 0n) return undefined;
    const prices = new Map([...pricesWad, [symbol, fallen]]);
    await publish(arena, prices);
    // Collateral for a health below one.
    const poor = await healthOf();
    const missing = part(situation, poor.requirementMaintenanceWad, 0.6, 1) - poor.equityMaintenanceWad;
    const collateral = arena.collaterals.find(({ asset }) => asset !== symbol)!;
    if (missing > 0n) {
      const amount = toRaw((missing * 10n) / 9n, collateral, prices.get(collateral.asset)!) + 1n;
      if (!(await deposit(collateral.address, amount))) return undefined;
    }
    const before = await healthOf();
    const preview = vaultInterface.encodeFunctionData("previewLiquidation", [target.id, market, everything, taker]);
    if (before.equityMaintenanceWad >= before.requirementMaintenanceWad) return undefined;
    if (wordsOf(await chain.call(deployment.vault, preview))[0] !== 0n) return undefined;
    const data = vaultInterface.encodeFunctionData("liquidatePosition", [target.id, market, everything, taker]);
    const both = isToAccount ? [target, second] : [];
    const had = await netCash(arena, both);
    const outcome = await chain.send(isToAccount ? second.owner.address : keeper.address, deployment.vault, data);
    const what = `health ${before.healthWad}, net cash ${before.netCashWad}, ${sign * size} ${symbol}`;
    if (!outcome.ok) {
      // Previews do not look at takers: what a crossing leaves of the other's position may be too small.
      if (isToAccount && outcome.error.errorName === "PositionBelowMinimum") return undefined;
      return finding("INV-09", false, () => `${what}: announced, but ${outcome.error.message}`);
    }
    const after = await healthOf();
    const closed = told(outcome.logs, "PositionLiquidated")!;
    const isWhole = abs(closed.sizeDeltaWad as bigint) === size;
    const toInsurance = (closed.feeWad as bigint) - (closed.rewardWad as bigint);
    const lost = had - (await netCash(arena, both));
    const isOnTarget = isWhole ? after.healthWad > before.healthWad : abs(after.healthWad - targetHealthWad) <= nanoWad;
    return [
      ...finding(
        "INV-09",
        isOnTarget,
        () => `${what}: health becomes ${after.healthWad}, net cash ${after.netCashWad}`,
      ),
      ...finding("INV-09", after.equityMaintenanceWad >= 0n, () => `${what}: equity ${after.equityMaintenanceWad}`),
      ...finding(
        "INV-10",
        !isToAccount || abs(lost - toInsurance) <= weiAFill,
        () => `${what}: target and taker together lose ${lost}, insurance has ${toInsurance}`,
      ),
    ];
  });
}

// ------------------------------------------------------------------ INV-10

/**
 * An owner whose collateral no longer carries his debt liquidates it to another account of his. Where the health is too low for him to
 * wait he has himself absorbed, for the reward, and buys back from the pool what it took.
 */
async function takeFromOneself(situation: Situation): Promise<readonly Finding[] | undefined> {
  const { arena, pricesWad } = situation;
  const { chain, deployment, insurance, targetHealthWad } = arena;
  const collaterals = arena.collaterals.filter(({ asset }) => isFresh(situation, asset));
  if (collaterals.length === 0) return undefined;
  const collateral = pick(situation, collaterals);
  const index = arena.collaterals.indexOf(collateral);
  const { owner } = pick(
    situation,
    arena.accounts.filter(({ trades }) => trades),
  );
  const [target, second] = [aside(owner, 9), aside(owner, 8)];
  const value = part(situation, 50_000n * WAD, 0.02, 1);
  const debt = part(situation, value, 0.2, 0.8);
  const health = part(situation, WAD, 0.02, 0.999);
  const amount = toRaw(value, collateral, pricesWad.get(collateral.asset)!);
  const unit = 10n ** BigInt(collateral.decimals);
  const send = async (name: "deposit" | "withdraw" | "buyCollateral", values: readonly unknown[]) =>
    chain.send(owner.address, deployment.vault, vaultInterface.encodeFunctionData(name as "deposit", values as never));
  return chain.tentatively(async () => {
    await enrich(situation, [second]);
    if (!(await send("deposit", [target.id, collateral.address, amount])).ok) return undefined;
    const borrowed = toRaw(debt, arena.cash, WAD);
    const { address: cash } = arena.cash;
    if (!(await send("withdraw", [target.id, cash, borrowed, owner.address])).ok) return undefined;
    // The price at which this is its health.
    const owed = borrowed * cashUnit(arena.cash.decimals);
    const equity = (health * (arena.keeperFloorWad + (owed * arena.debtMarginWad) / WAD)) / WAD;
    const { weightMaintenanceWad } = decodeCollateral(situation.books.words.get(place.collateral(index).name)!);
    const exact = ((((owed + equity) * WAD) / weightMaintenanceWad) * unit) / amount;
    const price = collateral.asset === arena.feed.symbol ? (exact / feedUnitWad) * feedUnitWad : exact;
    const prices = new Map([...pricesWad, [collateral.asset, price]]);
    await publish(arena, prices);

    const family = [target, second];
    const holding = async (id: AccountId) => {
      const data = vaultInterface.encodeFunctionData("collateral", [id, collateral.address]);
      return BigInt(await chain.call(deployment.vault, data));
    };
    const worth = async () => {
      const held = (await holding(target.id)) + (await holding(second.id));
      return (await netCash(arena, family)) + (held * price) / unit;
    };
    const insurances = async () => netCash(arena, [{ ...second, id: insurance }]);
    const [was, insured] = [await worth(), await insurances()];
    const preview = vaultInterface.encodeFunctionData("previewAbsorb", [target.id]);
    const isAbsorbed = wordsOf(await chain.call(deployment.vault, preview))[0] === 1n;
    const data = isAbsorbed
      ? vaultInterface.encodeFunctionData("absorb", [[target.id], second.id])
      : vaultInterface.encodeFunctionData("liquidateCollateral", [
          target.id,
          collateral.address,
          everything,
          second.id,
        ]);
    const outcome = await chain.send(owner.address, deployment.vault, data);
    const what = `${amount} ${collateral.symbol} for a debt of ${owed} at ${price}`;
    if (!outcome.ok) return finding("INV-09", false, () => `${what}: ${outcome.error.message}`);
    if (!isAbsorbed) {
      const [gained, paid] = [(await worth()) - was, (await insurances()) - insured];
      // On its target to a unit of the token, or out of debt.
      const { healthAfterWad } = told(outcome.logs, "CollateralLiquidated")! as { readonly healthAfterWad: bigint };
      const short = targetHealthWad - healthAfterWad;
      // A coarse token's unit is worth this much of health.
      const grain = (2n * price * WAD) / (unit * (arena.keeperFloorWad + (owed * arena.debtMarginWad) / WAD)) + 1n;
      const isOnTarget =
        (short >= -nanoWad && short <= WAD / 10_000n + grain) || (await netCash(arena, [target])) > -nanoWad;
      return [
        ...finding("INV-09", isOnTarget, () => `${what}: health becomes ${healthAfterWad}`),
        ...finding("INV-10", abs(gained + paid) <= weiAFill, () => `${what}: gained ${gained}, insurance ${paid}`),
      ];
    }
    const bought = await send("buyCollateral", [second.id, collateral.address, amount, everything]);
    if (!bought.ok) return finding("INV-10", false, () => `${what}: the pool sells none: ${bought.error.message}`);
    const gained = (await worth()) - was;
    return finding("INV-10", gained <= 0n, () => `${what}: gained ${gained} of an absorb`);
  });
}

// ------------------------------------------------------------------ INV-12

/** Somebody enters the pool, waits out the lock at constant prices and leaves: he has his part of the funding at most. */
async function inAndOut(situation: Situation): Promise<readonly Finding[] | undefined> {
  const { arena, pricesWad } = situation;
  const { chain, cash, deployment, stranger } = arena;
  const assets = part(situation, 10n ** BigInt(cash.decimals + 6), 0.000001, 1) + 1n;
  const poolCall = async (name: "balanceOf" | "previewRedeem" | "maxRedeem", argument: bigint | string) =>
    BigInt(
      await chain.call(deployment.pool, poolInterface.encodeFunctionData(name as "balanceOf", [argument as string])),
    );
  const value = async () => {
    const answer = await chain.call(deployment.vault, vaultInterface.encodeFunctionData("poolValue"));
    return vaultInterface.decodeFunctionResult("poolValue", answer)[0] as bigint;
  };
  return chain.tentatively(async () => {
    const entering = poolInterface.encodeFunctionData("deposit", [assets, stranger.address]);
    if (!(await chain.send(stranger.address, deployment.pool, entering)).ok) return undefined;
    const shares = await poolCall("balanceOf", stranger.address);
    const atOnce = await poolCall("previewRedeem", shares);
    const was = await value();
    await chain.passTime(arena.poolLockSeconds);
    await publish(arena, pricesWad);
    const funding = (await value()) - was;
    const supply = BigInt(await chain.call(deployment.pool, poolInterface.encodeFunctionData("totalSupply")));
    const mine = funding > 0n ? (funding * shares) / supply + 1n : 0n;
    const later = await poolCall("previewRedeem", shares);
    const unit = cashUnit(cash.decimals);
    const findings = [
      ...finding("INV-12", atOnce <= assets, () => `${assets} enter and ${atOnce} could leave at once`),
      ...finding(
        "INV-12",
        later * unit <= assets * unit + mine,
        () => `${assets} enter, ${later} leave; funding ${mine}`,
      ),
    ];
    // What is paid is what the preview says, wherever the pool has that much free.
    if ((await poolCall("maxRedeem", stranger.address)) === shares && shares > 0n) {
      const before = await tokens(arena, stranger.address);
      const leaving = poolInterface.encodeFunctionData("redeem", [shares, stranger.address, stranger.address]);
      await chain.mustSend(stranger.address, deployment.pool, leaving);
      const paid = (await tokens(arena, stranger.address)) - before;
      findings.push(...finding("INV-12", paid === later, () => `${later} is announced and ${paid} paid`));
    }
    return findings;
  });
}

async function tokens({ chain, cash }: Arena, holder: string): Promise<bigint> {
  return BigInt(await chain.call(cash.address, `0x70a08231${holder.slice(2).padStart(64, "0")}`)); // balanceOf
}

// ------------------------------------------------------------------ INV-14

/**
 * One feed dies, every market is at its cap and the checkpoint of the pool's capital may be stale. An account that was at or above initial
 * margin closes each of its positions in the other markets, from the same state; one that owes cash repays a part of it.
 */
async function closeWithDeadFeed(situation: Situation, reader: BookReader): Promise<readonly Finding[] | undefined> {
  const { arena, pricesWad } = situation;
  const { chain, deployment, admin, markets, parameters } = arena;
  const has = (account: NamedAccount) => marketsFilled(bookOf(situation, account)).length > 0;
  const owes = (account: NamedAccount) => bookOf(situation, account).cashWad < 0n;
  const isAble = (account: NamedAccount) => has(account) && freeMargin(bookOf(situation, account)) >= 0n;
  const candidates = arena.accounts.filter((account) => account.trades && (isAble(account) || owes(account)));
  if (candidates.length === 0) return undefined;
  const account = pick(situation, candidates);
  const held = marketsFilled(bookOf(situation, account));
  const all = [...markets.keys()];
  const dead = pick(situation, held.length > 1 && chance(situation, 0.7) ? held : all);
  const { symbol } = markets[dead]!;
  // Long enough for the checkpoint of the pool's capital to grow stale too, or just long enough.
  const seconds = chance(situation, 0.5) ? 2 : 4000;
  return chain.tentatively(async () => {
    await chain.passTime(seconds);
    const living = new Map([...pricesWad].filter(([each]) => each !== symbol));
    const last = new Map([...pricesWad].filter(([each]) => each === symbol));
    await publish(arena, living);
    await publish(arena, last, chain.nowSeconds - 2);
    const isDead = (market: number) => arena.feed.isDead && markets[market]!.symbol === arena.feed.symbol;
    for (const market of openMarkets(situation)) {
      if (isDead(market)) continue; // no parameters are set without a price
      const terms = marketParameters(parameters.markets[market]!);
      const full = { ...terms, openInterestCapWad: terms.minimumSizeWad };
      const data = vaultInterface.encodeFunctionData("setMarketParameters", [market, full]);
      await chain.mustSend(admin.address, deployment.vault, data);
    }
    const book = (await reader.read()).accounts.get(account.id)!;
    await silence(arena, symbol);
    const findings: Finding[] = [];
    const goesThrough = async (data: string, what: string) => {
      const outcome = await chain.tentatively(() => chain.send(account.owner.address, deployment.vault, data));
      const why = outcome.ok ? "" : outcome.error.message;
      const where = `${account.name} ${what} while ${symbol} is dead, free margin ${freeMargin(book)}`;
      findings.push(...finding("INV-14", outcome.ok, () => `${where}: ${why}`));
    };
    // Funding may have taken its margin.
    const isClosed = (market: number) => market !== dead && !isDead(market);
    const closable = freeMargin(book) >= 0n ? marketsFilled(book).filter(isClosed) : [];
    for (const market of closable) {
      const size = -book.positions[market]!.sizeWad;
      await goesThrough(tradeData(account.id, market, size), `closes ${size} ${markets[market]!.symbol}`);
    }
    const owed = -book.cashWad / cashUnit(arena.cash.decimals);
    if (owed > 1n) {
      const amount = part(situation, owed, 0, 1) + 1n;
      const data = vaultInterface.encodeFunctionData("deposit", [account.id, arena.cash.address, amount]);
      await goesThrough(data, `repays ${amount} of ${owed}`);
    }
    return findings;
  });
}

/** Makes a feed give no good price any more. */
async function silence({ chain, deployment, admin, feed }: Arena, symbol: string): Promise<void> {
  if (symbol === feed.symbol) {
    const data = aggregatorInterface.encodeFunctionData("setConduct", [feedConducts.reverts, 0, 0]);
    await chain.mustSend(admin.address, feed.aggregator, data);
    return;
  }
  for (const asset of assetsOfSymbol(deployment, symbol)) {
    const data = oracleInterface.encodeFunctionData("setPushFeed", [asset, WAD / 1000n, 1]);
    await chain.mustSend(admin.address, deployment.oracle, data);
  }
}

/** Markets in which an account has some size, and can still trade. */
function marketsFilled(book: AccountBook): number[] {
  return marketsHeld(book).filter((market) => book.positions[market]!.sizeWad !== 0n);
}
