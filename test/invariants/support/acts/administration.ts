import {
  accountParameters,
  cashParameters,
  collateralParameters,
  marketParameters,
} from "../../../../ignition/deploy.js";
import { WAD, decodeRampClock } from "../../../../sdk/index.js";
import { type Place, place } from "../../../helpers/vaultStorage.js";
import type { Act, Row } from "../act.js";
import type { Arena } from "../arena.js";
import { vaultInterface } from "../interfaces.js";
import { type Situation, chance, isFresh, pick } from "../situation.js";

/** What is tightened and loosened: the second market, the collateral of six decimals, and all accounts. */
export const rampedMarket = 1;
export const rampedCollateral = 2;

/** Whether there is a step to take: one was not taken in this second. */
function isRunning({ arena, books }: Situation, clock: Place): boolean {
  const { secondsLeft, steppedAt } = decodeRampClock(books.words.get(clock.name) ?? 0n);
  return secondsLeft > 0 && steppedAt < arena.chain.nowSeconds;
}

/** The steps that there are to take. */
export function ramps(situation: Situation): Row[] {
  const running = {
    rampMarket: place.marketRamp(rampedMarket, "clock"),
    rampCollateral: place.collateralRamp(rampedCollateral, "clock"),
    rampAccounts: place.accountRamp("clock"),
  };
  const names = Object.keys(running) as (keyof typeof running)[];
  // A market steps at a fresh price.
  const canStep = isFresh(situation, situation.arena.markets[rampedMarket]!.symbol);
  return names.filter((name) => isRunning(situation, running[name]) && (name !== "rampMarket" || canStep));
}

function byAdmin(situation: Situation): Pick<Act, "from" | "to"> & { readonly name: string } {
  const { arena } = situation;
  const from = chance(situation, 0.08) ? arena.stranger : arena.admin;
  return { from: from.address, to: arena.deployment.vault, name: from.name };
}

/** Anybody takes a step; now and then of a ramp that does not run. */
export function rampAct(situation: Situation): Act {
  const { arena } = situation;
  const running = ramps(situation);
  const all: Row[] = ["rampMarket", "rampCollateral", "rampAccounts"];
  const row = running.length > 0 && chance(situation, 0.97) ? pick(situation, running) : pick(situation, all);
  const from = pick(situation, arena.actors);
  const data = {
    rampMarket: () => vaultInterface.encodeFunctionData("rampMarket", [rampedMarket]),
    rampCollateral: () =>
      vaultInterface.encodeFunctionData("rampCollateral", [arena.collaterals[rampedCollateral]!.address]),
    rampAccounts: () => vaultInterface.encodeFunctionData("rampAccounts"),
  }[row as "rampMarket"];
  const what = `${from.name} takes a step of ${row}`;
  return { row, kind: "ramp", what, from: from.address, to: arena.deployment.vault, data: data() };
}

/** Tighter than before, or as it was deployed: what margin asks at maintenance, and what a loss may take in an hour. */
export function parametersAct(situation: Situation): Act {
  const { name, ...sent } = byAdmin(situation);
  const set = pick(situation, [setMarket, setCollateral, setAccounts, setCash]);
  const tightens = chance(situation, 0.6);
  const { row, data } = set(situation, tightens);
  return { ...sent, row, kind: "parameters", what: `${name}: ${row}, ${tightens ? "tighter" : "as it was"}`, data };
}

interface Setting {
  readonly row: Row;
  readonly data: string;
}

function setMarket({ arena, world }: Situation, tightens: boolean): Setting {
  const usual = { ...marketParameters(arena.parameters.markets[rampedMarket]!), openInterestSlopeWad: world.slopeWad };
  const terms = tightens ? { ...usual, lambdaMaintenanceWad: (usual.lambdaMaintenanceWad * 14n) / 10n } : usual;
  const data = vaultInterface.encodeFunctionData("setMarketParameters", [rampedMarket, terms]);
  return { row: "setMarketParameters", data };
}

function setCollateral({ arena }: Situation, tightens: boolean): Setting {
  const usual = collateralParameters(arena.parameters.collaterals[rampedCollateral]!);
  const terms = tightens ? { ...usual, maintenanceWeightWad: (WAD * 88n) / 100n } : usual;
  const { address } = arena.collaterals[rampedCollateral]!;
  return {
    row: "setCollateralParameters",
    data: vaultInterface.encodeFunctionData("setCollateralParameters", [address, terms]),
  };
}

function setAccounts({ arena }: Situation, tightens: boolean): Setting {
  const usual = accountParameters(arena.parameters);
  const terms = tightens ? { ...usual, absorbHealthWad: (usual.absorbHealthWad * 12n) / 10n } : usual;
  return { row: "setAccountParameters", data: vaultInterface.encodeFunctionData("setAccountParameters", [terms]) };
}

/** Rates of cash among which worlds choose too, and how much of its value the pool pays in an hour. */
export function cashTerms({ parameters }: Arena, among: <T>(items: readonly T[]) => T) {
  return {
    ...cashParameters(parameters),
    kinkWad: among([0n, WAD / 2n, (WAD * 8n) / 10n, WAD]),
    rateAtZeroWad: among([0n, WAD / 50n]),
    rateAtFullWad: among([WAD, 4n * WAD]),
    reserveFactorWad: among([0n, WAD / 10n, WAD / 2n]),
    poolLossPerHourWad: among([0n, WAD / 100n, WAD / 10n]),
    writeOffPerHourWad: among([0n, WAD / 1000n, WAD / 100n, WAD / 5n]),
  };
}

function setCash(situation: Situation): Setting {
  const terms = cashTerms(situation.arena, (items) => pick(situation, items));
  return { row: "setCashParameters", data: vaultInterface.encodeFunctionData("setCashParameters", [terms]) };
}

export function isBorrowingHalted({ books }: Situation): boolean {
  return (books.words.get(place.borrowingHalted.name) ?? 0n) !== 0n;
}

/** The guardian halts borrowing, and risk lets it go on; now and then somebody else tries. */
export function haltBorrowingAct(situation: Situation): Act {
  const { name, ...sent } = byAdmin(situation);
  const row = isBorrowingHalted(situation) ? "resumeBorrowing" : "haltBorrowing";
  return {
    ...sent,
    row,
    kind: "halt",
    what: `${name}: ${row}`,
    data: vaultInterface.encodeFunctionData(row as "haltBorrowing"),
  };
}
