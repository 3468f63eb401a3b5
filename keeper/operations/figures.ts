/** What the keeper counts: names as code has them, words and labels as Prometheus shows them. */
export type Figure =
  | { readonly kind: "counter"; readonly help: string; readonly labels?: readonly string[] }
  | { readonly kind: "gauge"; readonly help: string; readonly labels?: readonly string[] }
  | { readonly kind: "histogram"; readonly help: string };

/** Before each name stands this, and behind counters "_total". */
export const figurePrefix = "ballast_keeper_";

export const figures = {
  price_to_detect_seconds: {
    kind: "histogram",
    help: "From when the keeper saw a block with other prices to when it knew who is liquidatable at them",
  },
  price_to_broadcast_seconds: { kind: "histogram", help: "From the same moment to when a liquidation was broadcast" },
  price_to_mined_seconds: {
    kind: "histogram",
    help: "From the same moment to when a liquidation was known to be mined",
  },
  turn_seconds: { kind: "histogram", help: "How long a turn took, from the new block to its end" },

  accounts: { kind: "gauge", help: "Accounts with a position or a debt: all of them are looked at in each turn" },
  liquidatable_accounts: { kind: "gauge", help: "Accounts that anyone may liquidate" },
  margin_called_accounts: { kind: "gauge", help: "Accounts that were warned and have not recovered since" },
  shortfall_quote: { kind: "gauge", help: "Maintenance margin that liquidatable accounts lack, in quote units" },
  under_water_quote: { kind: "gauge", help: "What accounts with equity below zero lack to zero, in quote units" },
  liquidatable_oldest_seconds: { kind: "gauge", help: "For how long the longest of liquidatable accounts has been so" },
  head_block: { kind: "gauge", help: "Number of the last block that the keeper has seen" },
  head_age_seconds: { kind: "gauge", help: "Seconds since the keeper saw a new block" },
  audit_block: { kind: "gauge", help: "Number of the block that the book was last compared at with the chain" },
  audit: { kind: "gauge", help: "1: book and chain agreed when they were last compared; 0: they did not" },
  stale_prices: { kind: "gauge", help: "Assets whose price is not fresh" },
  journal_durable: {
    kind: "gauge",
    help: "1: what is sent is written down before; 0: the disk refuses, it is in memory only",
  },
  journal_open: { kind: "gauge", help: "Transactions that are not mined, or not deep enough to be forgotten" },
  signer_ether: { kind: "gauge", help: "Ether of a signer", labels: ["signer"] },

  turns: { kind: "counter", help: "Turns, by how they ended", labels: ["outcome"] },
  transactions: { kind: "counter", help: "Transactions, by what became of them", labels: ["outcome"] },
  errors: { kind: "counter", help: "Errors, by their class", labels: ["class"] },
  liquidations: { kind: "counter", help: "Liquidations mined, by kind", labels: ["kind"] },
  absorbs: { kind: "counter", help: "Accounts absorbed" },
  skips: { kind: "counter", help: "Liquidatable accounts left alone in a turn, by reason", labels: ["reason"] },
  resyncs: { kind: "counter", help: "Times that the book was built anew from the chain" },
  audit_differences: { kind: "counter", help: "Figures of the book that the chain had otherwise" },
  undone_blocks: { kind: "counter", help: "Blocks that the chain took back" },
  rpc_troubles: {
    kind: "counter",
    help: "Times that a node was of no use, by what was wrong with it",
    labels: ["endpoint", "trouble"],
  },
  websocket_troubles: { kind: "counter", help: "Times that a websocket was lost", labels: ["endpoint"] },
  margin_calls: { kind: "counter", help: "Margin calls, by whether one was raised or cleared", labels: ["outcome"] },
  webhook_alerts: { kind: "counter", help: "Alerts for the webhook, by what became of them", labels: ["outcome"] },
} as const satisfies Readonly<Record<string, Figure>>;

type NamesOf<Kind extends Figure["kind"]> = {
  [Name in keyof typeof figures]: (typeof figures)[Name]["kind"] extends Kind ? Name : never;
}[keyof typeof figures];

export type CounterName = NamesOf<"counter">;
export type GaugeName = NamesOf<"gauge">;
export type HistogramName = NamesOf<"histogram">;
