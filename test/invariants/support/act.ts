import type { AccountId } from "../../../sdk/index.js";
import type { Sending } from "./arena.js";
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
  | "push"
  | "time"
  | "donate";

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
  /** Prices (wad, by symbol) that hold afterwards. */
  readonly pricesWad?: ReadonlyMap<string, bigint>;
  /** Time that passes instead of a transaction. */
  readonly seconds?: number;
}
