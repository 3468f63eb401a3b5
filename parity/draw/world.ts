import type { AccountId } from "../../sdk/index.js";
import { ContractError } from "../../sdk/risk/ContractError.js";
import type { VaultCode } from "../../sdk/risk/MarginVault.js";
import { WAD } from "../../sdk/risk/libraries/FixedPoint.js";
import * as AccountWord from "../../sdk/risk/types/AccountWord.js";
import * as AssetSet from "../../sdk/risk/types/AssetSet.js";
import * as Price from "../../sdk/risk/types/Price.js";
import { type Oracle, Vault } from "../../sdk/risk/types/VaultStorage.js";
import * as VaultWords from "../../sdk/risk/types/VaultWords.js";
import { type House, now } from "../house.js";
import { mostCollaterals, mostMarkets } from "../places.js";
import { drawCollateral } from "./collateral.js";
import type { Draws } from "./draws.js";
import { drawMarket } from "./market.js";
import { accountParameters, ratio } from "./parameters.js";
import { drawAccountRamp } from "./ramps.js";

/** What an oracle answers, by asset: the twin of ParityOracle. */
export class Answers implements Oracle {
  readonly words = new Map<number, Price.Price>();

  of(asset: number): Price.Price {
    return this.words.get(asset) ?? (0n as Price.Price);
  }

  lastPrices(assets: AssetSet.AssetSet): Price.Price[] {
    return this.#list(assets).map((asset) => this.of(asset));
  }

  prices(assets: AssetSet.AssetSet): Price.Price[] {
    const answer = this.lastPrices(assets);
    for (const [i, asset] of this.#list(assets).entries()) {
      const price = answer[i] ?? this.of(asset);
      if (Price.isFresh(price)) continue;
      if (Price.value(price) === 0n) throw new ContractError("PriceMissing", { asset: BigInt(asset) });
      const [publishedAt, maxAge] = [Price.publishedAt(price), Price.maxAge(price)];
      throw new ContractError("PriceStale", { asset: BigInt(asset), publishedAt, maxAge });
    }
    return answer;
  }

  mostTolerance(asset: number): bigint {
    return Price.tolerance(this.of(asset));
  }

  #list(assets: AssetSet.AssetSet): number[] {
    const list: number[] = [];
    for (let bits: bigint = assets; bits !== 0n; bits &= bits - 1n) list.push(AssetSet.lowestBit(bits));
    return list;
  }
}

/** How good prices are: all fresh, or each as it comes. */
export type PricePolicy = "fresh" | "mixed" | "grace";

/** What an act wants of its world; the rest is as it comes. */
export interface Wishes {
  readonly prices: PricePolicy;
  /** How many positions and collaterals the account has that the act is about. */
  readonly positions: readonly [number, number];
  readonly collaterals: readonly [number, number];
  /** Whether the pool holds collateral. */
  readonly poolHolds?: boolean;
  /** Whether the other account is in a market of the subject's: on the other side, or with a result that waits to be settled. */
  readonly shared?: "opposite" | "waiting" | undefined;
  /** Whether the subject stands in its markets against a crowd, as large as a market lets be. */
  readonly crowded?: boolean;
  /** How likely parameters are on their way. */
  readonly ramps?: number;
  /** Share of markets that are halted, closing, delisted, or were deleveraged. */
  readonly halted?: number;
  readonly closing?: number;
  readonly delisted?: number;
  readonly touched?: number;
}

/** A state of a vault, and who is who in what is to come. */
export interface World {
  readonly d: Draws;
  readonly house: House;
  readonly vault: Vault;
  readonly code: VaultCode;
  readonly answers: Answers;
  readonly wishes: Wishes;
  /** The account that the act is about, and another. */
  readonly subject: AccountId;
  readonly other: AccountId;
}

/** Every account of a house. */
export function everyAccount({ accounts, pool, insurance }: House): AccountId[] {
  return [...accounts, pool, insurance];
}

export function pickAccount({ d, house }: Pick<World, "d" | "house">): AccountId {
  return d.pick(house.accounts as readonly [AccountId, ...AccountId[]]);
}

/** A world whose accounts have no cash yet: see cash.ts. */
export function drawWorld(d: Draws, house: House, wishes: Wishes): World {
  const vault = new Vault(now, house.callers[0] ?? "");
  const answers = new Answers();
  const { vault: _, pool, insurance, settlementToken } = house;
  const code: VaultCode = {
    oracle: answers,
    pool,
    insurance,
    settlementToken: settlementToken.address,
    cashUnit: 10n ** BigInt(18 - settlementToken.decimals),
  };
  const subject = pickAccount({ d, house });
  let other = pickAccount({ d, house });
  while (other === subject) other = pickAccount({ d, house });
  const world: World = { d, house, vault, code, answers, wishes, subject, other };

  drawAccounts(world);
  vault.marketCount = Math.max(wishes.positions[1], d.integer(1, mostMarkets));
  vault.collateralCount = Math.max(
    wishes.collaterals[1],
    wishes.poolHolds === true ? 1 : 0,
    d.integer(0, mostCollaterals),
  );
  for (let id = 0; id <= vault.marketCount; id++) drawAnswer(world, id);
  for (let index = 0; index <= vault.collateralCount; index++) drawAnswer(world, AssetSet.collateralAsset(index));
  const holders = whoHolds(world);
  for (let id = 0; id < vault.marketCount; id++) drawMarket(world, id, holders.markets[id] ?? new Set());
  for (let index = 0; index < vault.collateralCount; index++) {
    drawCollateral(world, index, holders.collaterals[index] ?? new Set());
  }
  drawModes(world);
  drawOperators(world);
  return world;
}

function drawAccounts({ d, vault, wishes }: World): void {
  const p = accountParameters(d);
  vault.accountRisk = VaultWords.toAccountRisk(p);
  const spent = d.chance(0.3) ? p.absorbRewardPerHourWad : d.part(p.absorbRewardPerHourWad / 10n ** 12n) * 10n ** 12n;
  const since = d.chance(0.3) ? 0n : now - d.wide(1n, 10_000n);
  vault.rewardBudget = VaultWords.toRewardBudget(p.absorbRewardFloorWad, p.absorbRewardPerHourWad, spent, since);
  vault.capital = VaultWords.toCapital(0n, 0n, p.capitalMaxAgeSeconds);
  if (d.chance(wishes.ramps ?? 0.2)) drawAccountRamp(d, vault);
  vault.borrowingHalted = d.chance(0.12);
}

/** An answer for an asset: most prices between a thousandth and a hundred thousand, some at the ends of what is allowed. */
function drawAnswer({ d, vault, answers, wishes }: World, asset: number): void {
  const priceWad = d.chance(0.85) ? d.wide(10n ** 15n, 10n ** 23n) : d.wide(10n ** 9n, 10n ** 27n);
  const toleranceWad = d.weighted<() => bigint>([
    [1, () => 0n],
    [6, () => ratio(d, 0n, WAD / 100n) + BigInt(d.integer(0, 9))],
    [1, () => ratio(d, 0n, WAD / 10n)],
  ])();
  const maxAge = d.wide(1n, 86_400n);
  const price = Price.toPrice(priceWad, toleranceWad, now - d.wide(1n, maxAge), maxAge);
  const isNext = asset === vault.marketCount || asset === AssetSet.collateralAsset(vault.collateralCount);
  const state =
    isNext && d.chance(0.2)
      ? d.pick(["stale", "missing"])
      : wishes.prices === "mixed"
        ? d.weighted([
            [6, "fresh"],
            [2, "reduceOnly"],
            [3, "stale"],
            [0.5, "missing"],
          ])
        : "fresh";
  let answer = price;
  if (state === "fresh") answer = Price.asOf(price, now);
  else if (state === "reduceOnly") answer = Price.asReduceOnly(price);
  else if (state === "stale")
    answer = Price.toPrice(priceWad, toleranceWad, now - maxAge - d.wide(1n, 1_000_000n), maxAge);
  else answer = 0n as Price.Price;
  answers.words.set(asset, wishes.prices === "grace" ? Price.duringGrace(answer) : answer);
}

interface Holders {
  readonly markets: readonly Set<AccountId>[];
  readonly collaterals: readonly Set<AccountId>[];
}

/** Who has a position where, and which collateral. */
function whoHolds({ d, house, vault, subject, other, wishes }: World): Holders {
  const sets = (count: number) => Array.from({ length: count }, () => new Set<AccountId>());
  const holders = { markets: sets(vault.marketCount), collaterals: sets(vault.collateralCount) };
  const give = (account: AccountId, list: readonly Set<AccountId>[], count: number) => {
    const places = list.map((_, i) => i);
    for (let i = 0; i < count && places.length > 0; i++) {
      const [place = 0] = places.splice(d.integer(0, places.length - 1), 1);
      list[place]?.add(account);
    }
  };
  for (const account of house.accounts) {
    const isSubject = account === subject;
    const positions = isSubject ? wishes.positions : ([0, d.chance(0.4) ? 2 : 0] as const);
    const collaterals = isSubject ? wishes.collaterals : ([0, d.chance(0.3) ? 2 : 0] as const);
    give(account, holders.markets, d.integer(positions[0], positions[1]));
    give(account, holders.collaterals, d.integer(collaterals[0], collaterals[1]));
  }
  if (wishes.crowded === true) {
    const market = holders.markets.find((accounts) => accounts.has(subject));
    for (const account of house.accounts) market?.add(account);
  }
  if (wishes.shared !== undefined) holders.markets.find((accounts) => accounts.has(subject))?.add(other);
  const poolHolds = wishes.poolHolds === true ? 1 : d.integer(0, d.chance(0.3) ? 2 : 0);
  give(house.pool, holders.collaterals, poolHolds);
  return holders;
}

/** Some of those that may be are isolated. */
function drawModes({ d, house, vault }: World): void {
  for (const account of house.accounts) {
    const word = vault.accounts.get(account);
    const few = AssetSet.bitCount(AccountWord.marketBits(word)) <= 1;
    if (few && d.chance(0.25)) vault.accounts.set(account, (word | (1n << 248n)) as AccountWord.AccountWord);
  }
}

function drawOperators({ d, house, vault }: World): void {
  for (const account of house.accounts) {
    if (!d.chance(0.4)) continue;
    const operator = d.pick(house.callers as readonly [string, ...string[]]);
    vault.permissionsOf.set(account, operator, BigInt(d.integer(1, 31)));
  }
  for (const owner of house.callers) if (d.chance(0.1)) vault.nonces.set(owner, BigInt(d.integer(1, 9)));
}
