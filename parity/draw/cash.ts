import type { AccountId } from "../../sdk/index.js";
import * as MarginVault from "../../sdk/risk/MarginVault.js";
import { WAD, max, min, positivePart } from "../../sdk/risk/libraries/FixedPoint.js";
import * as Interest from "../../sdk/risk/libraries/Interest.js";
import * as Margin from "../../sdk/risk/libraries/Margin.js";
import * as Account from "../../sdk/risk/types/Account.js";
import * as AccountWord from "../../sdk/risk/types/AccountWord.js";
import * as CashWords from "../../sdk/risk/types/CashWords.js";
import * as VaultWords from "../../sdk/risk/types/VaultWords.js";
import { now } from "../house.js";
import { cashParameters } from "./parameters.js";
import { type World, everyAccount } from "./world.js";

const { INDEX_ONE, MAX_INDEX } = CashWords;
const quote = WAD;
/** A principal stays this far from the end of its field. */
const mostPrincipal = 1n << 117n;
const mostBudget = (1n << 104n) - 1n;

/** What an account's cash should make of it. All wad. */
export type Want =
  | { readonly cash: bigint }
  /** Maintenance equity over requirement. */
  | { readonly health: bigint }
  /** Maintenance equity. */
  | { readonly equity: bigint }
  /** Initial equity less initial requirement. */
  | { readonly free: bigint };

/** Indices, terms, budgets: everything of cash but what accounts have. */
export function drawCashBook({ d, vault }: World): void {
  const p = cashParameters(d);
  vault.cashTerms = CashWords.toCashTerms(p);
  const waited = d.weighted<() => bigint>([
    [2, () => 0n],
    [4, () => d.wide(1n, 10_000n)],
    [2, () => d.wide(1n, 50_000_000n)],
  ])();
  const supplyIndex = d.weighted<() => bigint>([
    [3, () => INDEX_ONE],
    [5, () => d.wide(INDEX_ONE / 2n, INDEX_ONE * 3n)],
    [1, () => d.wide(INDEX_ONE / 1000n, INDEX_ONE)],
    [1.2, () => INDEX_ONE / 1000n + d.wide(1n, 10n ** 10n)],
  ])();
  const borrowIndex = d.weighted<() => bigint>([
    [2, () => INDEX_ONE],
    [6, () => d.wide(INDEX_ONE, INDEX_ONE * 4n)],
    [0.3, () => MAX_INDEX - d.wide(1n, 10n ** 18n)],
  ])();
  const mostRate = (4n * WAD) / Interest.YEAR;
  const borrowRate = d.chance(0.2) ? 0n : d.chance(0.1) ? mostRate : d.wide(1n, mostRate);
  const supplyRate = d.part(borrowRate);
  vault.cashIndices = CashWords.toCashIndices(supplyIndex, borrowIndex, supplyRate, borrowRate, now - waited);
  vault.interestUnswept = d.chance(0.5) ? 0n : d.wide(1n, 10n ** 24n);
  if (d.chance(0.01)) vault.interestUnswept = (1n << 112n) - d.wide(1n, 10n ** 20n);
  vault.badDebt = d.chance(0.6) ? 0n : d.wide(1n, 10n ** 24n);
  const budget = () => {
    const allowed = d.chance(0.2) ? 0n : d.wide(1n, 10n ** 26n);
    const spent = d.chance(0.4) ? allowed : d.part(allowed, 3);
    const since = d.chance(0.4) ? now - d.wide(3600n, 10n ** 7n) : now - d.wide(1n, 3600n);
    return CashWords.toHourBudget(min(mostBudget, allowed), spent, since);
  };
  vault.poolLosses = budget();
  vault.writeOffs = budget();
}

/** Any state that an account can be in, healthy ones more often. */
export function someWant({ d }: World): Want {
  return d.weighted<() => Want>([
    [4, () => ({ free: d.wide(1n, 10n ** 25n) })],
    [2, () => ({ health: WAD + d.wide(1n, WAD) })],
    [1, () => ({ health: d.between(0n, WAD) })],
    [0.5, () => ({ equity: -d.wide(1n, 10n ** 24n) })],
    [1, () => ({ cash: d.sign() * d.wide(1n, 10n ** 24n) })],
  ])();
}

/** Gives an account the cash that it needs for this, but for rounding. */
export function setCash({ vault, code, answers }: World, id: AccountId, want: Want): void {
  const word = vault.accounts.get(id);
  const assets = AccountWord.assets(word);
  const indices = Interest.accrued(vault.cashIndices, now);
  const empty = Account.toAccount(word, 0n);
  const sums = Margin.collect(vault, id, empty, assets, answers.lastPrices(assets), id === code.pool, Margin.NO_ASSET);
  const principal = Interest.principalFloor(cashFor(sums, want, vault.accountRisk), ...indices);
  const clamped = max(-mostPrincipal, min(mostPrincipal, principal));
  vault.accounts.set(id, AccountWord.toAccountWord(word, clamped));
}

function cashFor(sums: Margin.Sums, want: Want, risk: VaultWords.AccountRisk): bigint {
  if ("cash" in want) return want.cash;
  if ("equity" in want) return want.equity - sums.equityMaintenance;
  const isFree = "free" in want;
  const share = isFree ? WAD : want.health;
  const [equity, requirement] = isFree
    ? [sums.equityInitial, sums.requirementInitial]
    : [sums.equityMaintenance, sums.requirementMaintenance];
  // equity + c = share * (requirement + floor + rho * max(0, -(unrealized + c))) + free: first as if there were no debt
  const floor = sums.hasPosition ? VaultWords.keeperFloor(risk) : 0n;
  const rho = VaultWords.debtMargin(risk);
  const goal = (share * (requirement + floor)) / WAD + (isFree ? want.free : 0n) - equity;
  if (sums.unrealized + goal >= 0n && (goal >= 0n || sums.hasPosition)) return goal;
  const own = sums.hasPosition ? 0n : (share * VaultWords.keeperFloor(risk)) / WAD; // a debt has it alone
  const debtShare = (share * rho) / WAD;
  return ((goal + own - (debtShare * sums.unrealized) / WAD) * WAD) / (WAD + debtShare);
}

/** The sums of what accounts have, and what the vault holds. */
export function closeCash(world: World): void {
  const { d, house, vault, code } = world;
  let [supplied, borrowed] = [0n, 0n];
  for (const id of everyAccount(house)) {
    const principal = AccountWord.principal(vault.accounts.get(id));
    supplied += positivePart(principal);
    borrowed += positivePart(-principal);
  }
  if (d.chance(0.3)) supplied += d.wide(1n, 10n ** 26n); // others'
  if (d.chance(0.2)) borrowed += d.wide(1n, 10n ** 25n);
  vault.cashTotals = CashWords.toCashTotals(supplied, borrowed);
  const [supplyIndex, borrowIndex] = Interest.accrued(vault.cashIndices, now);
  const suppliedWad = (supplied * supplyIndex) / INDEX_ONE;
  const thereWad = positivePart(suppliedWad - (borrowed * borrowIndex) / INDEX_ONE);
  const heldWad = d.weighted<() => bigint>([
    [4, () => thereWad],
    [2, () => d.part(suppliedWad)],
    [1, () => suppliedWad + d.wide(1n, 10n ** 24n)],
    [0.5, () => 0n],
  ])();
  vault.cashHeld = min((1n << 127n) - 1n, heldWad / code.cashUnit);
  const [poolWad] = MarginVault.poolValue(vault, code);
  const capitalWad = d.weighted<() => bigint>([
    [5, () => positivePart(poolWad)],
    [4, () => positivePart(poolWad) * 100n + d.wide(quote, 10n ** 12n * quote)],
    [1, () => d.wide(1n, 10n ** 6n * quote)],
  ])();
  const maxAge = VaultWords.maxAge(vault.capital);
  const takenAt = d.chance(0.85) ? now - d.between(0n, maxAge) : now - d.wide(1n, 10n ** 6n);
  vault.capital = VaultWords.toCapital(min(capitalWad, (1n << 128n) - 1n), takenAt, maxAge);
}
