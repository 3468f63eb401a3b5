import type { AccountId } from "../../../sdk/index.js";
import type { InvariantId } from "./judge.js";

/** Rows of the table of calls. */
export const rows = [
  "deposit cash",
  "deposit WETH",
  "deposit WBTC",
  "deposit WLINK",
  "deposit CENT",
  "deposit HEX",
  "withdraw",
  "trade: open",
  "trade: increase",
  "trade: reduce",
  "trade: close",
  "trade: flip",
  "multicall of trades",
  "settle",
  "transfer",
  "setMode: isolated",
  "setMode: cross",
  "liquidatePosition",
  "liquidate to account",
  "liquidateCollateral",
  "absorb",
  "buyCollateral",
  "pool deposit",
  "pool redeem",
  "sweepFees",
  "sweepInterest",
  "cover",
  "resolvePool",
  "announceDelisting",
  "delist",
  "haltMarket",
  "resumeMarket",
  "refreshCapital",
  "depositWithPermit",
  "setOperator",
  "setOperatorBySig",
  "revokeSignatures",
  "pool mint",
  "pool withdraw",
  "pool transfer",
  "pool transferFrom",
  "pool approve",
  "haltBorrowing",
  "resumeBorrowing",
  "setMarketParameters",
  "setCollateralParameters",
  "setAccountParameters",
  "setCashParameters",
  "rampMarket",
  "rampCollateral",
  "rampAccounts",
  "updatePrices",
  "token misbehaves",
  "token behaves",
  "feed dies",
  "feed comes back",
  "push prices",
  "push a crash",
  "time passes",
  "tokens unasked for",
] as const;

export type Row = (typeof rows)[number];

export type Kind =
  | "deposit"
  | "withdraw"
  | "trade"
  | "settle"
  | "transfer"
  | "setMode"
  | "liquidatePosition"
  | "liquidateCollateral"
  | "absorb"
  | "buyCollateral"
  | "poolDeposit"
  | "poolRedeem"
  | "sweepFees"
  | "sweepInterest"
  | "cover"
  | "resolvePool"
  | "announceDelisting"
  | "delist"
  | "halt"
  | "refreshCapital"
  | "grant"
  | "poolShares"
  | "parameters"
  | "ramp"
  | "update"
  | "conduct"
  | "push"
  | "time"
  | "donate";

/** A transaction. */
export interface Sending {
  readonly from: string;
  readonly to: string;
  readonly data: string;
}

/** What somebody is about to do. */
export interface Act {
  readonly row: Row;
  readonly kind: Kind;
  /** For whoever replays a failure. */
  readonly what: string;
  readonly from: string;
  readonly to: string;
  readonly data: string;
  /** The account that it names first, if any. */
  readonly account?: AccountId;
  /** The account that it names besides: who takes over, or receives. */
  readonly other?: AccountId | undefined;
  /** The market that it names, if any. */
  readonly market?: number;
  /** The invariant that a refusal breaks: a view announced that it would go through. */
  readonly announced?: InvariantId | undefined;
  /** Transactions that come with it, once it went through. */
  readonly also?: readonly Sending[];
  readonly valueWei?: bigint;
  /** Whose shares of the pool it takes. */
  readonly holder?: string;
  /** How the hostile token behaves from then on. */
  readonly tokenConduct?: number;
  /** Whether the feed that is read is dead from then on. */
  readonly feedDies?: boolean;
  /** Prices (wad, by symbol) that hold afterwards. */
  readonly pricesWad?: ReadonlyMap<string, bigint>;
  /** As of when. */
  readonly publishedAt?: number;
  /** Time that passes instead of a transaction. */
  readonly seconds?: number;
}
