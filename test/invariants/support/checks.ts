import { type AccountId, WAD, accountId, normalizeAccount, ownerOf } from "../../../sdk/index.js";
import { differences, sentence, toldBy } from "../../helpers/vaultStorage.js";
import type { Act } from "./act.js";
import type { Arena } from "./arena.js";
import { type AccountBook, type Books, type Replay, type VaultEvent, cashUnit } from "./books.js";
import {
  accountOf,
  advantage,
  claims,
  dust,
  isHealthy,
  numberOf,
  positionCount,
  premium,
  sumOf,
  totalEquity,
  wealth,
} from "./figures.js";

/** What must hold after every step; each sentence is the title of a test. */
export const invariants = {
  "INV-01":
    "tokens held cover every claim, and rounding leaves at most a few wei a change, never in an account's favour",
  "INV-02": "longs and shorts of a market are of the same size",
  "INV-03": "shares over accounts equal a market's totals, and the log alone rebuilds storage",
  "INV-04":
    "trade, settle, liquidation and sweeping keep total equity; deposits and withdrawals change it by what they move",
  "INV-05": "funding paid less funding received is never below zero and less than a wei a position",
  "INV-06": "a round trip at a constant price, by any accounts, gains nothing: it costs its fees",
  "INV-07": "splitting a trade leaves its cost as it is and never lowers its fees",
  "INV-08": "settling changes neither equity nor health, and frees no margin",
  "INV-09":
    "a partial liquidation raises health, to the target at most unless the leg is closed whole, and leaves nobody below zero",
  "INV-10":
    "liquidating oneself gains nothing but the premium that the skew gives back and the reward that insurance tops up",
  "INV-12":
    "at a constant price a share of the pool changes by fees, funding and liquidations only, and going in and out gains nothing",
  "INV-14": "an account at or above initial margin can close any position with another feed dead",
  "INV-15": "no act makes another account unhealthy, or changes the health of one that it does not name",
} as const;

export type InvariantId = keyof typeof invariants;

export interface Finding {
  readonly invariant: InvariantId;
  readonly message: string;
}

/** A step that went through: the books on both sides of it, and what the vault told. */
export interface Step {
  readonly act: Act;
  readonly before: Books;
  readonly after: Books;
  readonly events: readonly VaultEvent[];
  readonly replay: Replay;
  /** Tokens in the vault, if the step moved any. */
  readonly balances: readonly bigint[] | undefined;
  readonly pricesWad: readonly bigint[];
}

const reserveWadAMarket = WAD;
/** What rounding may leave in the vault each time that a market changes, in wei. */
const dustWeiAChange = 8n;
/** For figures that are equal but for the rounding of two positions, wei. */
const roundingWei = 16n;
const targetSlackWad = 10n ** 9n; // of 1e18

/** Collects what does not hold. */
class Judge {
  readonly findings: Finding[] = [];
  readonly #invariant: InvariantId;

  constructor(invariant: InvariantId) {
    this.#invariant = invariant;
  }

  holds(condition: boolean, message: () => string): void {
    if (!condition) this.findings.push({ invariant: this.#invariant, message: message() });
  }

  within(figure: bigint, least: bigint, most: bigint, what: string): void {
    this.holds(figure >= least && figure <= most, () => `${what}: ${figure} is not within ${least} and ${most}`);
  }
}

type Check = (judge: Judge, step: Step, arena: Arena) => void;

export function checkStep(step: Step, arena: Arena): Finding[] {
  return Object.entries(checks).flatMap(([id, check]) => {
    const judge = new Judge(id as InvariantId);
    check(judge, step, arena);
    return judge.findings;
  });
}

/** Accounts that an act names, or pays a reward to. */
function namedBy({ act, events }: Step, { pool, insurance }: Arena): Set<AccountId> {
  const own = act.account === undefined ? [] : [act.account];
  const keeper = accountId(act.from);
  switch (act.kind) {
    case "trade":
    case "settle":
      return new Set([...own, pool]);
    case "liquidatePosition":
      return new Set([...own, pool, keeper]);
    case "absorb": {
      const absorbed = events.filter(({ name }) => name === "Absorbed");
      const rewarded = absorbed.map(({ args }) => normalizeAccount(args.rewardTo as string));
      return new Set([...absorbed.map(accountOf), ...rewarded, pool, insurance]);
    }
    case "poolDeposit":
    case "poolRedeem":
      return new Set([pool]);
    case "sweepFees":
      return new Set([insurance]);
    default:
      return new Set(own);
  }
}

/** Whether neither prices nor time move in this step. */
function isStill({ act }: Step): boolean {
  return act.kind !== "time" && act.kind !== "push";
}

// ------------------------------------------------------------------ what must hold after a step

const checks: Partial<Record<InvariantId, Check>> = {
  "INV-01"(judge, { before, after, replay, balances }, { markets, cash, collaterals }) {
    const reserve = reserveWadAMarket * BigInt(markets.length);
    const most = dustWeiAChange * BigInt(replay.marketChanges);
    judge.within(dust(after) - reserve, 0n, most, "dust beside the reserve, wei");
    judge.holds(dust(after) >= dust(before), () => `dust falls from ${dust(before)} to ${dust(after)}`);
    for (const [index, { symbol }] of collaterals.entries()) {
      let sum = 0n;
      for (const account of after.accounts.values()) sum += account.collaterals[index]!;
      judge.holds(sum === after.held[index], () => `${symbol}: accounts have ${sum}, ${after.held[index]} is counted`);
    }
    if (balances === undefined) return;
    const counted = [after.cashHeldWad / cashUnit(cash.decimals), ...after.held];
    for (const [i, amount] of counted.entries()) {
      judge.holds(balances[i]! >= amount, () => `token ${i}: ${amount} is counted, ${balances[i]} is there`);
    }
  },

  "INV-02"(judge, { after }) {
    for (const [market, { totals }] of after.markets.entries()) {
      const { longSharesWad, shortSharesWad } = totals;
      // Exactly, as long as nothing is deleveraged: a share is then one unit of size.
      judge.holds(longSharesWad === shortSharesWad, () => `market ${market}: ${longSharesWad} and ${shortSharesWad}`);
    }
  },

  "INV-03"(judge, { after, replay }) {
    for (const [market, { totals }] of after.markets.entries()) {
      let [long, short] = [0n, 0n];
      for (const { positions } of after.accounts.values()) {
        const { sharesWad } = positions[market]!;
        if (sharesWad > 0n) long += sharesWad;
        else short -= sharesWad;
      }
      judge.holds(
        long === totals.longSharesWad,
        () => `market ${market}: longs ${long}, total ${totals.longSharesWad}`,
      );
      judge.holds(
        short === totals.shortSharesWad,
        () => `market ${market}: shorts ${short}, total ${totals.shortSharesWad}`,
      );
    }
    for (const difference of differences(toldBy(replay.ledger), after.words)) {
      judge.holds(false, () => sentence(difference));
    }
    for (const { name, assets, positions, collaterals } of after.accounts.values()) {
      if (name === "pool") continue; // its bit of a market stays when its shares do not
      let held = 0n;
      for (const [market, { sharesWad }] of positions.entries()) if (sharesWad !== 0n) held |= 1n << BigInt(market);
      for (const [index, amount] of collaterals.entries()) if (amount !== 0n) held |= 1n << BigInt(96 + index);
      judge.holds(assets === held, () => `${name}: its word says ${assets.toString(16)}, it has ${held.toString(16)}`);
    }
  },

  "INV-04"(judge, step) {
    const { act, before, after } = step;
    const moved = after.cashHeldWad - before.cashHeldWad;
    const gained = totalEquity(after) - totalEquity(before) - moved;
    // Where nothing moves, the positions of one account and the pool are rounded anew; else those of all.
    const slack = isStill(step) ? roundingWei * BigInt(step.events.length + 1) : positionCount(after);
    judge.within(gained, -slack, slack, "total equity appears, wei");
    if (!movesTokens.has(act.kind)) judge.holds(moved === 0n, () => `cash held changes by ${moved}`);
    for (const [index, held] of after.held.entries()) {
      const may = movesTokens.has(act.kind) || held === before.held[index];
      judge.holds(may, () => `collateral ${index} held changes from ${before.held[index]} to ${held}`);
    }
  },

  "INV-05"(judge, { act, before, after }, { pool }) {
    // What views credit to accounts, funding to this moment included, against what the books owe: floors of positions, no more.
    judge.within(claims(after) - totalEquity(after), 0n, positionCount(after), "kept by rounding, wei");
    if (act.kind !== "time") return;
    // Time moves nothing but funding, and funding nobody without a position.
    for (const { id, name, health, positions } of after.accounts.values()) {
      if (id === pool || positions.some(({ sharesWad }) => sharesWad !== 0n)) continue;
      const was = before.accounts.get(id)!.health.netCash;
      judge.holds(health.netCash === was, () => `${name} has no position, and from ${was} comes to ${health.netCash}`);
    }
  },

  "INV-08"(judge, { act, before, after }) {
    if (act.kind !== "settle") return;
    const [old, now] = [before, after].map((books) => books.accounts.get(act.account!)!);
    const [was, is] = [old!.health, now!.health];
    judge.within(is.equityMaintenance - was.equityMaintenance, -1n, 0n, "maintenance equity changes, wei");
    judge.within(is.requirementMaintenance - was.requirementMaintenance, 0n, 1n, "requirement changes, wei");
    judge.within(is.health - was.health, -2n, 0n, "health changes, 1e-18");
    const free = is.equityInitial - is.requirementInitial - (was.equityInitial - was.requirementInitial);
    judge.within(free, -2n, 0n, "free margin changes, wei");
    judge.holds(
      now!.principalWad <= old!.principalWad,
      () => `a gain of ${now!.principalWad - old!.principalWad} is cash`,
    );
  },

  "INV-09"(judge, { act, before, after, events }, { insurance, targetHealthWad }) {
    judge.holds(after.accounts.get(insurance)!.principalWad >= 0n, () => "insurance is below zero");
    for (const event of events) {
      if (event.name === "PositionLiquidated") {
        const [was, is] = [before, after].map((books) => books.accounts.get(accountOf(event))!);
        const leg = is!.positions[Number(numberOf(event, "market"))]!.sharesWad;
        judge.holds(is!.health.health > was!.health.health, () => `health ${was!.health.health}, ${is!.health.health}`);
        judge.holds(!isHealthy(was!), () => `${was!.name} was healthy`);
        const bankrupt = was!.health.equityMaintenance >= 0n && is!.health.equityMaintenance < 0n;
        judge.holds(!bankrupt, () => `equity falls to ${is!.health.equityMaintenance}`);
        const beyond = is!.health.health > targetHealthWad + targetSlackWad && leg !== 0n;
        judge.holds(!beyond, () => `health ${is!.health.health} is above its target, and ${leg} shares remain`);
        const told = [numberOf(event, "healthBeforeWad"), numberOf(event, "healthAfterWad")];
        const seen = [was!.health.health, is!.health.health];
        judge.holds(told.join() === seen.join(), () => `the event says ${told.join()}, the views ${seen.join()}`);
      }
      if (event.name === "Absorbed") {
        const [was, is] = [before, after].map((books) => books.accounts.get(accountOf(event))!);
        judge.holds(!isHealthy(was!), () => `${was!.name} was healthy`);
        // What stays behind for want of a price is counted at its last one.
        judge.holds(is!.health.equityMaintenance >= -4n, () => `${is!.name} ends at ${is!.health.equityMaintenance}`);
        const bare = is!.assets !== 0n || is!.principalWad >= 0n;
        judge.holds(bare, () => `${is!.name} has nothing, and a debt of ${is!.principalWad}`);
      }
    }
    judge.holds(act.kind !== "absorb" || events.some(({ name }) => name === "Absorbed"), () => "nothing was absorbed");
  },

  "INV-10"(judge, { act, before, after, events, pricesWad }, arena) {
    judge.holds(
      after.rewardSpentWad <= arena.rewardPerHourWad,
      () => `insurance added ${after.rewardSpentWad} in an hour`,
    );
    const owner = act.from;
    const gained = wealth(after, owner) - wealth(before, owner);
    if (act.kind === "liquidatePosition" && ownerOf(act.account!).toLowerCase() === owner) {
      const released = premium(before, arena, pricesWad) - premium(after, arena, pricesWad);
      judge.holds(gained <= released + roundingWei, () => `gained ${gained}, of which ${released} is premium`);
    }
    if (act.kind !== "absorb") return;
    const absorbed = events.filter(({ name }) => name === "Absorbed");
    let allowed = roundingWei;
    let isOwn = false;
    for (const event of absorbed) {
      const [penalty, reward] = [numberOf(event, "penaltyWad"), numberOf(event, "rewardWad")];
      const share = (penalty * arena.keeperShareWad) / WAD;
      const most = share > arena.rewardFloorWad ? share : arena.rewardFloorWad;
      judge.holds(reward <= most, () => `a reward of ${reward} for a penalty of ${penalty}`);
      if (ownerOf(accountOf(event)).toLowerCase() === owner) {
        isOwn = true;
        const legs = events.filter((leg) => leg.name === "PositionAbsorbed" && accountOf(leg) === accountOf(event));
        const better = advantage(legs, pricesWad);
        allowed += (better > 0n ? better : 0n) + arena.rewardFloorWad + nanoWad;
      } else {
        allowed += reward;
      }
    }
    judge.holds(!isOwn || gained <= allowed, () => `gained ${gained}, of which ${allowed} is premium and rewards`);
  },

  "INV-12"(judge, step, { pool, insurance, cash }) {
    const { act, before, after, events } = step;
    if (!isStill(step)) return;
    if (act.kind === "poolDeposit" || act.kind === "poolRedeem") {
      // A share of what was there is worth no less: NAV per share, one virtual unit and the virtual shares counted.
      const unit = cashUnit(cash.decimals);
      const [old, now] = [before.poolValueWad + unit, after.poolValueWad + unit];
      const [oldShares, nowShares] = [before.poolSupply + unit, after.poolSupply + unit];
      const rises = old <= 0n || now * oldShares >= old * nowShares;
      judge.holds(rises, () => `${old} over ${oldShares} shares becomes ${now} over ${nowShares}`);
      return;
    }
    judge.holds(after.poolSupply === before.poolSupply, () => "shares of the pool appear");
    const fees = (books: Books) => books.markets.reduce((sum, { totals }) => sum + totals.feesUnsweptWad, 0n);
    const insuranceCash = (books: Books) => books.accounts.get(insurance)!.principalWad;
    let expected = 0n;
    if (act.kind === "trade" || act.kind === "liquidatePosition") {
      const keeper = sumOf(events, "PositionLiquidated", "rewardWad");
      expected = sumOf(events, "Traded", "feeWad") + sumOf(events, "PositionLiquidated", "feeWad") - keeper;
      expected -= fees(after) - fees(before);
    }
    if (act.kind === "absorb") {
      expected = sumOf(events, "Absorbed", "penaltyWad") - sumOf(events, "Absorbed", "rewardWad");
      expected -= insuranceCash(after) - insuranceCash(before) + sumOf(events, "InsurancePaid", "paidWad");
      expected -= sumOf(events, "PoolPaid", "paidWad");
    }
    const slack = roundingWei * BigInt(events.length + 1);
    const change = after.poolValueWad - before.poolValueWad;
    judge.within(change - expected, -slack, slack, `NAV changes by ${change} instead of ${expected}; too much, wei`);
    const named = namedBy(step, { pool, insurance } as Arena).has(pool);
    judge.holds(named || change === 0n, () => `NAV changes by ${change}`);
  },

  "INV-15"(judge, step, arena) {
    if (!isStill(step)) return;
    const { before, after } = step;
    const named = namedBy(step, arena);
    for (const [id, account] of after.accounts) {
      const old = before.accounts.get(id)!;
      const lost = id !== arena.pool && isHealthy(old) && !isHealthy(account);
      judge.holds(!lost, () => `${account.name} is unhealthy now: ${told(old)}, then ${told(account)}`);
      const same = named.has(id) || told(old) === told(account);
      judge.holds(same, () => `${account.name}, whom nobody named: ${told(old)}, then ${told(account)}`);
    }
  },
};

const movesTokens = new Set(["deposit", "withdraw", "poolDeposit", "poolRedeem"]);
const nanoWad = 10n ** 9n; // prices of fills in events have 18 decimals, times a size

function told({ health }: AccountBook): string {
  return Object.entries(health)
    .map(([name, figure]) => `${name} ${figure}`)
    .join(", ");
}
