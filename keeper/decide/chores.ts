import { type AccountId, contractInterfaces } from "../../sdk/index.js";
import * as MarginVault from "../../sdk/risk/MarginVault.js";
import * as MarketWords from "../../sdk/risk/types/MarketWords.js";
import * as Price from "../../sdk/risk/types/Price.js";
import * as AssetSet from "../../sdk/risk/types/AssetSet.js";
import * as RampWords from "../../sdk/risk/types/RampWords.js";
import type { PlannedCall } from "../parts.js";
import { gasOf } from "./gas.js";
import { marketsHeld, priceOf } from "./takerState.js";
import { type Act, type Books, done, tried } from "./trial.js";
import {
  type Chore,
  type ChoreSkip,
  type Ramp,
  type RampSkip,
  type Remainder,
  delistings,
  rampSteps,
  upkeep,
} from "./upkeep.js";

const { MarginVault: vaultInterface } = contractInterfaces;

/** Of a ramp a step covers an hour at most: as long it is waited for the next. */
const rampSeconds = 3_600;

/** What is to be kept in order, and what is left for later. */
export interface Chores {
  readonly calls: readonly PlannedCall[];
  readonly skips: readonly (ChoreSkip | RampSkip | ChoreRefusal)[];
}

/** The contract would refuse it now. */
export interface ChoreRefusal {
  readonly kind: "skip";
  readonly chore: Chore["kind"];
  readonly reason: "refused";
  readonly error: string;
}

/** What comes before anything else: steps of ramps, then delistings, after which there is nothing to step. Done on the books. */
export function firstChores(books: Books, vault: string): Chores {
  const nowSeconds = Number(books.$.now);
  const ramps = plannedOf(books, vault, rampSteps(rampsOf(books), nowSeconds));
  const ends = plannedOf(books, vault, delistings(delistingsOf(books), nowSeconds));
  return { calls: [...ramps.calls, ...ends.calls], skips: [...ramps.skips, ...ends.skips] };
}

/** What comes after accounts at risk: the pool, bad debt, final results. Done on the books. */
export function lastChores(books: Books, vault: string, finals: readonly (readonly [AccountId, number])[]): Chores {
  const { $, code } = books;
  const remainders = finals.map(([account, market]): Remainder => ({ account, market, sizeWad: 0n }));
  const poolEquityWad = MarginVault.health($, code, code.pool).equityMaintenanceWad;
  const state = {
    poolEquityWad,
    poolWithoutPrice: poolEquityWad < 0n ? poolWithoutPrice(books) : [],
    badDebtWad: $.badDebt,
    insuranceCashWad: MarginVault.cash($, code, code.insurance),
    interestUnsweptWad: $.interestUnswept,
    remainders,
  };
  return plannedOf(books, vault, upkeep(state));
}

function plannedOf(books: Books, vault: string, decisions: readonly (Chore | ChoreSkip | RampSkip)[]): Chores {
  const calls: PlannedCall[] = [];
  const skips: (ChoreSkip | RampSkip | ChoreRefusal)[] = [];
  for (const decision of decisions) {
    if (decision.kind === "skip") {
      skips.push(decision);
      continue;
    }
    const { act, data } = choreOf(decision);
    const trial = tried(books, act);
    if (!trial.isDone) {
      skips.push({ kind: "skip", chore: decision.kind, reason: "refused", error: trial.error });
      continue;
    }
    done(books, act);
    calls.push(callOf(decision, vault, data));
  }
  return { calls, skips };
}

function callOf(chore: Chore, vault: string, data: string): PlannedCall {
  const { kind, ...what } = chore;
  return {
    kind: "upkeep",
    accounts: chore.kind === "settle" ? [chore.account] : [],
    to: vault,
    data,
    gas: chore.kind === "settle" ? gasOf.settle : gasOf.upkeep,
    earnsWad: undefined,
    feeBudgetWei: undefined,
    canBatch: chore.kind === "settle",
    story: {
      chore: kind,
      ...Object.fromEntries(
        Object.entries(what).map(([key, value]) => [key, typeof value === "bigint" ? String(value) : value]),
      ),
    },
  };
}

function choreOf(chore: Chore): { act: Act; data: string } {
  const encode = (name: string, args: unknown[] = []) => vaultInterface.encodeFunctionData(name, args);
  switch (chore.kind) {
    case "delist":
      return { act: ($, code) => MarginVault.delist($, code, chore.market), data: encode("delist", [chore.market]) };
    case "settle":
      return {
        act: ($, code) => MarginVault.settle($, code, chore.account, chore.market),
        data: encode("settle", [chore.account, chore.market]),
      };
    case "rampMarket":
      return {
        act: ($, code) => MarginVault.rampMarket($, code, chore.market),
        data: encode("rampMarket", [chore.market]),
      };
    case "rampCollateral":
      return {
        act: ($, code) => MarginVault.rampCollateral($, code, chore.token),
        data: encode("rampCollateral", [chore.token]),
      };
    case "rampAccounts":
      return { act: MarginVault.rampAccounts, data: encode("rampAccounts") };
    case "cover":
      return { act: MarginVault.cover, data: encode("cover") };
    case "resolvePool":
      return { act: MarginVault.resolvePool, data: encode("resolvePool") };
  }
}

/** Every ramp of which something is to come yet. */
function rampsOf({ $ }: Books): Ramp[] {
  const dueAt = (clock: RampWords.RampClock) => Number(RampWords.steppedAt(clock)) + rampSeconds;
  const isOpen = (clock: RampWords.RampClock) => RampWords.secondsLeft(clock) !== 0n;
  const ramps: Ramp[] = [];
  for (let market = 0; market < $.marketCount; ++market) {
    const { clock } = $.marketRamps(market);
    const isDelisted = MarketWords.has($.markets(market).state, MarketWords.DELISTED);
    if (isOpen(clock) && !isDelisted) ramps.push({ step: { kind: "rampMarket", market }, dueAt: dueAt(clock) });
  }
  for (let index = 0; index < $.collateralCount; ++index) {
    const { clock } = $.collateralRamps(index);
    const token = $.collateralTokens(index);
    if (isOpen(clock)) ramps.push({ step: { kind: "rampCollateral", token }, dueAt: dueAt(clock) });
  }
  const { clock } = $.accountRamp;
  if (isOpen(clock)) ramps.push({ step: { kind: "rampAccounts" }, dueAt: dueAt(clock) });
  return ramps;
}

/** Of each market whose end was announced: from when (Unix seconds) anyone may delist it. */
function delistingsOf({ $ }: Books): Map<number, number> {
  const due = new Map<number, number>();
  for (let id = 0; id < $.marketCount; ++id) {
    const { state, epochs } = $.markets(id);
    if (MarketWords.has(state, MarketWords.DELISTED) || MarketWords.delistAt(epochs) === 0n) continue;
    due.set(id, Number(MarketWords.delistAt(epochs)));
  }
  return due;
}

function poolWithoutPrice(books: Books) {
  const { $, code } = books;
  return marketsHeld(books, code.pool)
    .filter((id) => !Price.isUsable(priceOf(books, AssetSet.marketAsset(id))))
    .map((id) => MarginVault.position($, code, code.pool, id))
    .map(({ sizeWad, valueWad }) => ({ sizeWad, valueWad }));
}
