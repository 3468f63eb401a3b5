export const logLevels = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;

/** Of each key of the config file what its value must be. docs/keeper.md has the same keys, with what they are for. */
export const configKeys: Readonly<Record<string, string>> = {
  rpc: 'must be a list of one node or more, such as [{ "url": "http://127.0.0.1:8545" }]',
  "rpc[]": 'must be a node, such as { "url": "http://127.0.0.1:8545" }',
  "rpc[].url": 'must be an http or https address of a node, such as "http://127.0.0.1:8545"',
  "rpc[].ws": 'must be a ws or wss address of the same node, such as "ws://127.0.0.1:8545", or be left out',
  deployment: "must be the path of an addresses.json that the deploy script wrote",
  state: "must be the path of the file that the keeper writes its state to; its folder must exist",
  logLevel: `must be one of ${logLevels.join(", ")}`,
  pollMs: "must be a whole number from 10 to 600000: milliseconds between two looks for a new block",
  nodes: "must be an object",
  "nodes.timeoutMs": "must be a whole number from 100 to 600000: milliseconds that a node has to answer",
  "nodes.freshBlocks": "must be a whole number from 0 to 10000: blocks that a node may be behind the best one",
  "nodes.freshSeconds":
    "must be a whole number from 1 to 86400: seconds that a node's head may be older than the best one's",
  policy: "must be an object",
  "policy.minimumProfit":
    'must be a decimal number in quotes, in quote units, such as "0.5"; below zero for a venue that pays for its own keeper',
  "policy.unknownProfit": 'must be "skip" or "act": what is done where nobody knows whether it pays',
  "policy.gasToken":
    'must be a symbol of the deployment, such as "ETH": what gas is paid in, at the price that the oracle has',
  "policy.gasTokenPrice":
    'must be a decimal number above zero in quotes, in quote units, such as "2500": what the gas token is worth',
  "policy.maxGasPriceGwei": 'must be a decimal number above zero in quotes, such as "500"',
  taker: "must be an object, or be left out where the keeper has no capital",
  "taker.index": "must be a whole number from 0 on: the account of the first signer that holds the keeper's capital",
  "taker.inventoryPercent":
    "must be a whole number from 1 to 1000: notional that it may hold, in percent of its equity",
  "taker.giveBackPercent":
    "must be a whole number from 1 to 1000: notional that it gives back to the pool in a turn, in percent of its equity",
  "taker.collateralPercent":
    "must be a whole number from 0 to 1000: value of collateral that it may buy and hold, in percent of its equity",
  lane: "must be an object",
  "lane.inFlight": "must be a whole number from 1 to 64: transactions of one signer under way at once",
  "lane.replaceBlocks":
    "must be a whole number from 1 to 1000: blocks after which a transaction is sent again for a higher fee",
  "lane.replaceMs": "must be a whole number from 100 to 600000: milliseconds after which it is, if blocks do not come",
  marginCalls: "must be an object",
  "marginCalls.warnAt":
    'must be a decimal number above 1 in quotes, such as "1.15": health below which an account is warned',
  "marginCalls.clearAt":
    'must be a decimal number in quotes, "warnAt" or more, such as "1.25": health from which it may be warned again',
  "marginCalls.webhook": "must be an http or https address that takes a POST of JSON, or be left out",
  audit: "must be an object",
  "audit.blocks":
    "must be a whole number from 1 to 1000000: blocks between two comparisons of the whole book with the chain",
  "audit.sample":
    "must be a whole number from 0 to 1000: accounts whose health is compared with the chain's at each block",
  health: "must be an object",
  "health.blockSeconds": "must be a whole number from 1 to 86400: seconds without a new block until /healthz fails",
  "health.auditBlocks": "must be a whole number from 1 to 1000000: blocks without an audit until /healthz fails",
  http: "must be an object",
  "http.port": "must be a whole number from 0 to 65535: the port of /healthz and /metrics; 0 is any that is free",
  "http.host": 'must be an address of this machine, such as "127.0.0.1"',
  snapshotBlocks: "must be a whole number from 1 to 1000000: blocks between two snapshots of the book",
};
