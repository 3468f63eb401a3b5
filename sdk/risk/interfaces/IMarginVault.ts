/** Twin of contracts/interfaces/IMarginVault.sol: what the vault's views answer with. */
import type { CashIndices, CashTerms, CashTotals, HourBudget } from "../types/CashWords.js";
import type {
  DiscountTerms,
  EpochsWord,
  MarketRisk,
  MarketState,
  MarketTerms,
  MarketTotals,
  SideWord,
} from "../types/MarketWords.js";
import type { Position } from "../types/Position.js";

/** An account's margin. All amounts wad, in quote units. */
export interface Health {
  /** Equity that counts for maintenance: cash, weighted collateral, unrealised profit and loss. Rounded down. */
  equityMaintenanceWad: bigint;
  /** Below this equity the account is liquidatable. Rounded up. */
  requirementMaintenanceWad: bigint;
  /** The same for initial margin, where gains and collateral count less. */
  equityInitialWad: bigint;
  /** Opening, increasing and withdrawing must leave the initial equity at or above this. */
  requirementInitialWad: bigint;
  /** Cash plus unrealised profit and loss: the debt, if below zero, were everything settled. */
  netCashWad: bigint;
  /** Maintenance equity over requirement, rounded down; the largest uint256 without requirement, zero when equity is below zero. */
  healthWad: bigint;
  /** False when the price of a market of the account is not fresh: nothing that increases risk is allowed. */
  pricesFresh: boolean;
}

export function emptyHealth(): Health {
  return {
    equityMaintenanceWad: 0n,
    requirementMaintenanceWad: 0n,
    equityInitialWad: 0n,
    requirementInitialWad: 0n,
    netCashWad: 0n,
    healthWad: 0n,
    pricesFresh: false,
  };
}

/** A position, decoded, with what has accrued. Sizes wad (below zero: short), amounts wad. */
export interface PositionView {
  sharesWad: bigint;
  costWad: bigint;
  sizeWad: bigint;
  valueWad: bigint;
  notionalWad: bigint;
  epoch: bigint;
  /** As it was stored last: shares of the epoch that its side was in then. */
  storedSharesWad: bigint;
  storedEpoch: bigint;
}

/** A market's words and the pool's position in it. The words of the sides mean something only where the state's flags say so. */
export interface MarketView {
  state: MarketState;
  totals: MarketTotals;
  risk: MarketRisk;
  terms: MarketTerms;
  discount: DiscountTerms;
  poolPosition: Position;
  longSide: SideWord;
  shortSide: SideWord;
  epochs: EpochsWord;
}

/** The words of cash, as stored: what has accrued since is not in them. */
export interface CashView {
  indices: CashIndices;
  totals: CashTotals;
  terms: CashTerms;
  poolLosses: HourBudget;
  writeOffs: HourBudget;
  /** Wad: the insurance account's share of interest, not yet in its cash. */
  interestUnsweptWad: bigint;
  /** Wad: losses that nobody has paid yet. */
  badDebtWad: bigint;
}

/**
 * Who bears what of the pool's loss, wad. `deficitWad` is what was missing at the price; `deleveragedWad` what the other sides bore
 * beyond the price.
 */
export interface Loss {
  deficitWad: bigint;
  insuranceWad: bigint;
  deleveragedWad: bigint;
  writtenOffWad: bigint;
  badDebtWad: bigint;
}

/** Why step 1 of the waterfall refuses a leg. */
export const Refusal = {
  None: 0,
  /** The account has no position there. */
  NoPosition: 1,
  /** The market's price cannot be used: the leg stays untouched until there is one that can. */
  PriceStale: 2,
  /** What the account's health can bear is below taker rate plus tolerance: only absorb is open. */
  DiscountTooSmall: 3,
  /** The pool's fill would cost more than the account's health can bear. */
  ImpactTooLarge: 4,
  /** The pool would grow its position beyond its own free margin. */
  PoolMargin: 5,
  /** The largest size named would leave less than the market's minimum: name the whole position. */
  RemainderBelowMinimum: 6,
  /** The chain's sequencer is down, or came back too short a time ago, and the account is above zero: wait. */
  SequencerGrace: 7,
} as const;
export type Refusal = (typeof Refusal)[keyof typeof Refusal];

/** What a liquidation of one leg would do now; `rewardWad` is the keeper's, or the discount of a taker. */
export interface LiquidationPreview {
  refusal: Refusal;
  sizeDeltaWad: bigint;
  fillPriceWad: bigint;
  feeWad: bigint;
  rewardWad: bigint;
}

/** What an absorb would do now. */
export interface AbsorbPreview {
  open: boolean;
  health: Health;
}
