import type { AccountId } from "../../sdk/index.js";
import { WAD, abs, max } from "../../sdk/risk/libraries/FixedPoint.js";
import * as MarginVault from "../../sdk/risk/MarginVault.js";
import { ContractError } from "../../sdk/risk/ContractError.js";
import * as VaultWords from "../../sdk/risk/types/VaultWords.js";
import type { Want } from "../draw/cash.js";
import { type World, pickAccount } from "../draw/world.js";
import { type Plot, act, anyCaller, callerFor } from "./act.js";
import { collateralsOf, near, oneOf, sizeOf, someMarket, someToken } from "./choose.js";

const most = (1n << 256n) - 1n;

/** Below 1, and what lies at the edges. */
function troubled({ d }: World): Want {
  return d.weighted<() => Want>([
    [6, () => ({ health: d.between((7n * WAD) / 10n, WAD - 1n) })],
    [3, () => ({ health: d.between(0n, WAD - 1n) })],
    [1, () => ({ health: WAD - d.wide(1n, 10n ** 9n) })],
    [0.4, () => ({ health: WAD + d.wide(1n, WAD) })],
    [0.4, () => ({ health: WAD })],
    [0.6, () => ({ equity: -d.wide(1n, 10n ** 24n) })],
  ])();
}

function sound({ d }: World): Want {
  return d.chance(0.85) ? { free: d.wide(10n ** 20n, 10n ** 30n) } : { free: d.sign() * d.wide(1n, 10n ** 22n) };
}

/** A caller whose reward does not go to the target, nearly always. */
function keeperFor(world: World, target: AccountId): string {
  const others = world.house.callers.filter((caller) => caller !== target.slice(0, 42));
  return world.d.chance(0.97) ? (oneOf(world, others) ?? anyCaller(world)) : anyCaller(world);
}

const liquidatePosition: Plot = {
  name: "liquidatePosition",
  weight: 32,
  wishes: (d) => ({
    prices: d.weighted([
      [8, "fresh"],
      [4.5, "mixed"],
      [2.2, "grace"],
    ]),
    positions: [1, 3],
    collaterals: [0, 2],
    delisted: 0.02,
    shared: d.weighted([
      [4, undefined],
      [3, "opposite"],
      [2, "waiting"],
    ]),
    crowded: d.chance(0.4),
  }),
  *wants(world) {
    const { d, subject, other, house, wishes } = world;
    yield [subject, troubled(world)];
    yield [other, sound(world)];
    if (wishes.crowded === true) yield [subject, { health: d.between(WAD / 5n, (9n * WAD) / 10n) }];
    if (d.chance(0.4)) yield [house.pool, { free: -d.wide(1n, 10n ** 24n) }];
  },
  act(world) {
    const { d, subject, other, house } = world;
    const target = d.chance(0.02) ? d.pick([house.pool, house.insurance]) : subject;
    const market = someMarket(world, subject, 0.97);
    const taker = d.weighted<() => AccountId>([
      [5, () => house.pool],
      [5, () => other],
      [0.2, () => subject],
      [0.3, () => pickAccount(world)],
    ])();
    const size = abs(market < world.vault.marketCount ? sizeOf(world, subject, market) : 0n);
    const maxSize = d.weighted<() => bigint>([
      [5, () => most],
      [3, () => d.wide(1n, max(1n, size))],
      [1, () => size],
      [1.7, () => max(1n, size - d.wide(1n, max(1n, size / 100n)))],
      [1, () => d.wide(1n, 1000n)],
      [0.3, () => 0n],
    ])();
    const caller = taker === house.pool ? keeperFor(world, subject) : callerFor(world, taker);
    return act("liquidatePosition", caller, [target, market, maxSize, taker]);
  },
};

/** The whole of what health needs, to an account that can bear it. */
const takeOver: Plot = {
  name: "takeOver",
  weight: 13,
  wishes: (d) => ({
    prices: "fresh",
    positions: [1, 1],
    collaterals: [0, 1],
    delisted: 0,
    shared: d.pick([undefined, undefined, "opposite"]),
  }),
  *wants({ d, subject, other }) {
    yield [subject, { health: d.between((8n * WAD) / 10n, WAD - 1n) }];
    yield [other, { free: d.wide(10n ** 24n, 10n ** 31n) }];
  },
  act: (world) =>
    act("liquidatePosition", callerFor(world, world.other), [
      world.subject,
      someMarket(world, world.subject, 1),
      most,
      world.other,
    ]),
};

const liquidateCollateral: Plot = {
  name: "liquidateCollateral",
  weight: 15,
  wishes: (d) => ({
    prices: d.weighted([
      [9, "fresh"],
      [2, "mixed"],
      [0.5, "grace"],
    ]),
    positions: d.chance(0.45) ? [0, 0] : [1, 2],
    collaterals: [1, 3],
  }),
  *wants(world) {
    const { d, subject, other } = world;
    yield [subject, d.chance(0.25) ? { equity: d.sign() * d.wide(1n, 10n ** 20n) } : troubled(world)];
    yield [other, sound(world)];
  },
  act(world) {
    const { d, subject, other, house, vault } = world;
    const target = d.chance(0.02) ? d.pick([house.pool, house.insurance]) : subject;
    const taker = d.chance(0.97) ? other : subject;
    const token = someToken(world, subject);
    const balance = vault.collateralOf.get(subject, vault.collateralIndexes(token) - 1);
    const maxAmount = d.weighted<() => bigint>([
      [5, () => most],
      [3, () => d.wide(1n, max(1n, balance))],
      [0.5, () => BigInt(d.integer(1, 3))],
      [0.3, () => 0n],
    ])();
    return act("liquidateCollateral", callerFor(world, taker), [target, token, maxAmount, taker]);
  },
};

const buyCollateral: Plot = {
  name: "buyCollateral",
  weight: 8,
  wishes: (d) => ({
    prices: d.chance(0.85) ? "fresh" : "mixed",
    positions: [0, 1],
    collaterals: [0, 2],
    poolHolds: true,
  }),
  *wants(world) {
    yield [world.subject, sound(world)];
  },
  act(world) {
    const { d, subject, house, vault, code } = world;
    const index = oneOf(world, collateralsOf(world, house.pool)) ?? 0;
    const token = d.chance(0.97) ? (house.tokens[index]?.address ?? "") : someToken(world, subject);
    const balance = vault.collateralOf.get(house.pool, index);
    const amount = d.weighted<() => bigint>([
      [5, () => d.wide(1n, max(1n, balance))],
      [3, () => balance],
      [0.5, () => balance + d.wide(1n, max(1n, balance))],
      [0.2, () => 0n],
    ])();
    let limit = most;
    if (d.chance(0.3)) {
      try {
        limit = near(world, MarginVault.previewBuyCollateral(vault, code, token, amount));
      } catch (error) {
        if (!(error instanceof ContractError)) throw error;
      }
    }
    return act("buyCollateral", callerFor(world, subject), [subject, token, amount, limit]);
  },
};

/** What absorb takes over: below its health, or nothing that step 1 serves; as often below zero. */
function ruined({ d, vault }: World): Want {
  const threshold = VaultWords.absorbHealth(vault.accountRisk);
  return d.weighted<() => Want>([
    [4, () => ({ health: d.between(0n, threshold) })],
    [1, () => ({ health: threshold - d.wide(1n, 10n ** 9n) })],
    [1, () => ({ health: d.between(threshold, WAD) })],
    [5, () => ({ equity: -d.wide(10n ** 18n, 10n ** 27n) })],
    [1, () => ({ equity: -d.wide(1n, 10n ** 18n) })],
    [0.3, () => ({ health: WAD + d.wide(1n, WAD) })],
  ])();
}

const absorb: Plot = {
  name: "absorb",
  weight: 32,
  wishes: (d) => ({
    prices: d.weighted([
      [8, "fresh"],
      [3, "mixed"],
      [0.5, "grace"],
    ]),
    positions: d.chance(0.3) ? [0, 0] : [1, 3],
    collaterals: [0, 2],
    delisted: 0.1,
  }),
  *wants(world) {
    const { d, subject, other, house } = world;
    yield [subject, ruined(world)];
    if (d.chance(0.6)) yield [other, ruined(world)];
    yield [house.insurance, { cash: d.chance(0.4) ? 0n : d.wide(1n, 10n ** 25n) }];
    if (d.chance(0.4)) yield [house.pool, { free: d.sign() * d.wide(1n, 10n ** 22n) }];
  },
  arrange({ d, vault }) {
    if (d.chance(0.5)) vault.badDebt = 0n;
  },
  act(world) {
    const { d, subject, other, house } = world;
    const accounts = [subject];
    if (d.chance(0.4)) accounts.push(other);
    if (d.chance(0.05)) accounts.unshift(pickAccount(world));
    if (d.chance(0.01)) accounts.push(d.pick([house.pool, house.insurance]));
    const keeper = house.accounts.at(-1) ?? subject;
    const aside = accounts.includes(keeper) ? house.pool : keeper;
    const rewardTo = d.weighted([
      [7, aside],
      [1, house.pool],
      [1, house.insurance],
      [0.6, pickAccount(world)],
    ]);
    return act("absorb", anyCaller(world), [accounts, rewardTo]);
  },
};

const resolvePool: Plot = {
  name: "resolvePool",
  weight: 12,
  wishes: (d) => ({
    prices: d.chance(0.7) ? "fresh" : "mixed",
    positions: [1, 2],
    collaterals: [0, 1],
    poolHolds: d.chance(0.3),
  }),
  *wants({ d, house }) {
    yield [house.pool, { equity: d.chance(0.95) ? -d.wide(10n ** 15n, 10n ** 29n) : d.wide(1n, 10n ** 20n) - 1n }];
    yield [house.insurance, { cash: d.chance(0.4) ? 0n : d.wide(1n, 10n ** 25n) }];
  },
  arrange({ d, vault }) {
    if (d.chance(0.5)) vault.badDebt = 0n;
  },
  act: (world) => act("resolvePool", anyCaller(world), []),
};

export const liquidationPlots: readonly Plot[] = [
  liquidatePosition,
  takeOver,
  liquidateCollateral,
  buyCollateral,
  absorb,
  resolvePool,
];
