import { WAD, accountId, assetsOfSymbol } from "../../../sdk/index.js";
import { abs } from "../../helpers/model.js";
import { wordsOf } from "../../helpers/vaultStorage.js";
import { tradeData } from "./acts/trading.js";
import { type Arena, type NamedAccount, oracleInterface, poolInterface, priceData, vaultInterface } from "./arena.js";
import { type BookReader, type VaultEvent, cashUnit } from "./books.js";
import type { Finding, InvariantId } from "./checks.js";
import {
  type Situation,
  bookOf,
  chance,
  everything,
  freeMargin,
  isFresh,
  marketsHeld,
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
  "INV-12": inAndOut,
  "INV-14": closeWithDeadFeed,
};

const weiAFill = 8n;
const nanoWad = 10n ** 9n;

function finding(invariant: InvariantId, holds: boolean, message: () => string): Finding[] {
  return holds ? [] : [{ invariant, message: message() }];
}

function freshMarkets(situation: Situation): number[] {
  const { markets } = situation.arena;
  return [...markets.keys()].filter((market) => isFresh(situation, markets[market]!.symbol));
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
  const log = outcome.logs.find(({ topics }) => topics[0] === vaultInterface.getEvent("Traded").topicHash)!;
  return vaultInterface.parseLog(log)!.args.toObject();
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
        abs(gained + fees) <= weiAFill * (fills + 2n),
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
  const held = bookOf(situation, account).positions[market]!.sharesWad;
  // Often through zero, of the position or of the skew.
  const pool = bookOf(situation, { id: arena.pool }).positions[market]!.sharesWad;
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
  const slack = weiAFill * BigInt(parts.length + 1);
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
 * margin falls due or falls away. Random sequences hardly ever come by it.
 */
async function liquidateAtNoNetCash(situation: Situation): Promise<readonly Finding[] | undefined> {
  const { arena, pricesWad } = situation;
  const { chain, deployment, admin, keeper, targetHealthWad } = arena;
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
  const target: NamedAccount = { name: `${owner.name}/9`, id: accountId(owner.address, 9), owner, trades: true };
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
    await chain.mustSend(owner.address, deployment.vault, data);
  };
  return chain.tentatively(async () => {
    await enrich(situation, [crowd]);
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
    // The price at which this much net cash is left, in debt or not.
    const left = part(situation, notional, -0.006, 0.004);
    const fallen = price - (sign * ((await healthOf()).netCashWad - left) * WAD) / size;
    const prices = new Map([...pricesWad, [symbol, fallen]]);
    await chain.mustSend(admin.address, deployment.oracle, priceData(deployment, prices, chain.nowSeconds));
    // Collateral for a health below one.
    const poor = await healthOf();
    const missing = part(situation, poor.requirementMaintenanceWad, 0.6, 1) - poor.equityMaintenanceWad;
    const collateral = arena.collaterals.find(({ asset }) => asset !== symbol)!;
    if (missing > 0n) {
      await deposit(collateral.address, toRaw((missing * 10n) / 9n, collateral, prices.get(collateral.asset)!) + 1n);
    }
    const before = await healthOf();
    const preview = vaultInterface.encodeFunctionData("previewLiquidation", [
      target.id,
      market,
      everything,
      arena.pool,
    ]);
    if (before.equityMaintenanceWad >= before.requirementMaintenanceWad) return undefined;
    if (wordsOf(await chain.call(deployment.vault, preview))[0] !== 0n) return undefined;
    const data = vaultInterface.encodeFunctionData("liquidatePosition", [target.id, market, everything, arena.pool]);
    const outcome = await chain.send(keeper.address, deployment.vault, data);
    const what = `health ${before.healthWad}, net cash ${before.netCashWad}, ${sign * size} ${symbol}`;
    if (!outcome.ok) return finding("INV-09", false, () => `${what}: announced, but ${outcome.error.message}`);
    const after = await healthOf();
    const closed = outcome.logs.find(
      ({ topics }) => topics[0] === vaultInterface.getEvent("PositionLiquidated").topicHash,
    )!;
    const isWhole = abs(vaultInterface.parseLog(closed)!.args.sizeDeltaWad as bigint) === size;
    const isOnTarget = isWhole ? after.healthWad > before.healthWad : abs(after.healthWad - targetHealthWad) <= nanoWad;
    return [
      ...finding(
        "INV-09",
        isOnTarget,
        () => `${what}: health becomes ${after.healthWad}, net cash ${after.netCashWad}`,
      ),
      ...finding("INV-09", after.equityMaintenanceWad >= 0n, () => `${what}: equity ${after.equityMaintenanceWad}`),
    ];
  });
}

// ------------------------------------------------------------------ INV-12

/** Somebody enters the pool, waits out the lock at constant prices and leaves: he has his part of the funding at most. */
async function inAndOut(situation: Situation): Promise<readonly Finding[] | undefined> {
  const { arena, pricesWad } = situation;
  const { chain, cash, deployment, admin, stranger } = arena;
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
    await chain.mustSend(admin.address, deployment.oracle, priceData(deployment, pricesWad, chain.nowSeconds));
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

/** One feed dies; an account that was at or above initial margin closes a position in another market. */
async function closeWithDeadFeed(situation: Situation, reader: BookReader): Promise<readonly Finding[] | undefined> {
  const { arena, pricesWad } = situation;
  const { chain, deployment, admin, markets } = arena;
  const candidates = arena.accounts.filter((account) => {
    const book = bookOf(situation, account);
    return account.trades && marketsHeld(book).length > 0 && freeMargin(book) >= 0n;
  });
  if (candidates.length === 0) return undefined;
  const account = pick(situation, candidates);
  const held = marketsHeld(bookOf(situation, account));
  const market = pick(situation, held);
  const others = [...markets.keys()].filter((each) => each !== market);
  const alsoHeld = others.filter((each) => held.includes(each));
  const dead = markets[pick(situation, alsoHeld.length > 0 && chance(situation, 0.7) ? alsoHeld : others)]!.symbol;
  // Long enough for the checkpoint of the pool's capital to grow stale too, or just long enough.
  const seconds = chance(situation, 0.5) ? 2 : 4000;
  return chain.tentatively(async () => {
    await chain.passTime(seconds);
    const living = new Map([...pricesWad].filter(([symbol]) => symbol !== dead));
    const last = new Map([...pricesWad].filter(([symbol]) => symbol === dead));
    await chain.mustSend(admin.address, deployment.oracle, priceData(deployment, living, chain.nowSeconds));
    await chain.mustSend(admin.address, deployment.oracle, priceData(deployment, last, chain.nowSeconds - 2));
    const book = (await reader.read()).accounts.get(account.id)!;
    if (freeMargin(book) < 0n) return undefined; // funding took it
    for (const asset of assetsOfSymbol(deployment, dead)) {
      const data = oracleInterface.encodeFunctionData("setFeed", [asset, WAD / 1000n, 1]);
      await chain.mustSend(admin.address, deployment.oracle, data);
    }
    const size = -book.positions[market]!.sharesWad;
    const outcome = await chain.send(account.owner.address, deployment.vault, tradeData(account.id, market, size));
    const why = outcome.ok ? "" : outcome.error.message;
    const where = `${account.name} closes ${size} ${markets[market]!.symbol} while ${dead} is dead`;
    return finding("INV-14", outcome.ok, () => `${where}, free margin ${freeMargin(book)}: ${why}`);
  });
}
