import { type Provider, ZeroAddress } from "ethers";

import {
  type AccountId,
  type Deployment,
  RAY,
  WAD,
  decodeMarketState,
  decodeMarketTotals,
  normalizeAccount,
} from "../sdk/index.js";
import { MarginVault__factory } from "../typechain-types/index.js";

/** What has happened in a market, as far as it leaves dust. */
export interface MarketHistory {
  /** Fills, settlements, liquidations, sweeps: each writes the market once. */
  changes: number;
  /** Whether a side's index has ever left its start. From then on a share is not a unit of size. */
  isTouched: boolean;
  /** How often a side was deleveraged, and how often its epoch ended. */
  deleveragings: number;
  epochEnds: number;
  /** Wad: the most shares that a side has had. */
  mostSharesWad: bigint;
  /** Whole quote units, rounded up: the highest price of a fill, and what funding has moved a unit at most. */
  highestPrice: bigint;
  mostFunding: bigint;
}

/** What has happened in a vault. */
export interface History {
  /** Every account that the log named, pool and insurance among them. */
  readonly accounts: readonly AccountId[];
  /** How often an account's word was written, and how often that of cash. */
  readonly accountWrites: number;
  readonly cashWrites: number;
  /** By id. */
  readonly markets: readonly Readonly<MarketHistory>[];
}

const vault = MarginVault__factory.createInterface();
const names = [
  "AccountChanged",
  "CashChanged",
  "MarketChanged",
  "SidesChanged",
  "Deleveraged",
  "EpochEnded",
  "Delisted",
  "Traded",
  "PositionLiquidated",
  "PositionAbsorbed",
] as const;
type Name = (typeof names)[number];
const nameOf = new Map<string, Name>(names.map((name) => [vault.getEvent(name).topicHash, name]));

/** Reads the log up to a block. */
export async function readHistory(provider: Provider, deployment: Deployment, toBlock: number): Promise<History> {
  const { vault: address, fromBlock } = deployment;
  const logs = await provider.getLogs({ address, topics: [[...nameOf.keys()]], fromBlock, toBlock });
  const accounts = new Set<AccountId>();
  const markets = deployment.markets.map((): MarketHistory => ({
    changes: 0,
    isTouched: false,
    deleveragings: 0,
    epochEnds: 0,
    mostSharesWad: 0n,
    highestPrice: 0n,
    mostFunding: 0n,
  }));
  let accountWrites = 0;
  let cashWrites = 0;
  for (const { topics, data } of logs) {
    const name = nameOf.get(topics[0] ?? "");
    if (name === "AccountChanged") {
      accounts.add(normalizeAccount(topics[1] ?? ZeroAddress));
      accountWrites += 1;
    } else if (name === "CashChanged") {
      cashWrites += 1;
    } else if (name !== undefined) {
      const args = vault.decodeEventLog(name, data, topics).toObject();
      const market = markets[Number(args["market"])];
      if (market === undefined) throw new RangeError(`the deployment file has no market ${args["market"]}`);
      note(market, name, args);
    }
  }
  return { accounts: [...accounts], accountWrites, cashWrites, markets };
}

function note(market: MarketHistory, name: Name, args: Readonly<Record<string, bigint>>): void {
  const { priceRay = 0n, fillPriceWad = 0n, priceWad = 0n, state, totals } = args;
  const price = largest(ceil(priceRay, RAY), ceil(fillPriceWad, WAD), ceil(priceWad, WAD));
  market.highestPrice = largest(market.highestPrice, price);
  if (name === "SidesChanged") market.isTouched = true;
  if (name === "Deleveraged") market.deleveragings += 1;
  if (name === "EpochEnded") market.epochEnds += 1;
  if (state === undefined || totals === undefined) return;
  market.changes += 1;
  const { fundingIndexWad } = decodeMarketState(state);
  const { longSharesWad, shortSharesWad } = decodeMarketTotals(totals);
  market.mostFunding = largest(
    market.mostFunding,
    ceil(fundingIndexWad < 0n ? -fundingIndexWad : fundingIndexWad, WAD),
  );
  market.mostSharesWad = largest(market.mostSharesWad, longSharesWad, shortSharesWad);
}

/**
 * By how many wei the sizes of a market's sides may differ (docs/protocol.md, INV-02). Nothing as long as a share is a unit of size; from
 * then on a fill rounds both parties' shares up, a deleveraging rounds what a share sells, and each account's part of it, and the end
 * of an epoch rounds down what each account is left with.
 */
export function imbalanceWei(market: MarketHistory, accounts: number): bigint {
  const { changes, isTouched, deleveragings, epochEnds, mostSharesWad } = market;
  if (!isTouched) return 0n;
  return 2n * BigInt(changes) + BigInt(deleveragings) * (mostSharesWad / RAY + 2n) + BigInt(epochEnds * accounts);
}

/** What sizes that differ by so much may be worth, wei, either way: claims of the one side that nobody on the other has against himself. */
export function strayWei(market: MarketHistory, accounts: number): bigint {
  return imbalanceWei(market, accounts) * (market.highestPrice + market.mostFunding);
}

/** A fill, a settlement, a hand-over, an account's part of a deleveraging: each divides a few times. */
const weiAChange = 8n;
/** Interest and write-offs divide what all suppliers have, and what all borrowers owe. */
const weiACashWrite = 4n;

/**
 * What rounding may have left in the vault, wei, sizes that differ aside: a few of each change of a market and of each time that the indices
 * of cash were written; of each account less than an index when its principal is written, and less than one when it is read.
 */
export function roundingWei({ accounts, accountWrites, cashWrites, markets }: History, borrowIndexE15: bigint): bigint {
  const changes = markets.reduce((sum, market) => sum + market.changes, 0);
  const weiAnAccount = ceil(borrowIndexE15, 10n ** 15n) + 1n;
  return (
    BigInt(changes) * weiAChange +
    BigInt(cashWrites) * weiACashWrite +
    BigInt(accountWrites + accounts.length) * weiAnAccount
  );
}

function ceil(a: bigint, divisor: bigint): bigint {
  return (a + divisor - 1n) / divisor;
}

function largest(...values: bigint[]): bigint {
  return values.reduce((most, value) => (value > most ? value : most), 0n);
}
