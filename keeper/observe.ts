import { isDeepStrictEqual } from "node:util";

import { type Provider, isCallException } from "ethers";
import type { Logger } from "pino";

import {
  type AccountId,
  type Deployment,
  accountId,
  decodePrice,
  normalizeAccount,
  revertData,
  toHealth,
  toLegPreview,
} from "../sdk/index.js";
import {
  type PriceOracle,
  PriceOracle__factory,
  type VaultLens,
  VaultLens__factory,
} from "../typechain-types/index.js";
import { Book } from "./book.js";
import { fullPassBlocks, fullPassSeconds, refreshSeconds, riskChunk } from "./config.js";
import { readChanges } from "./logs.js";
import { failureDetail, failureReason } from "./reason.js";
import type { Leg, Risk } from "./risk.js";
import { Steward } from "./steward.js";

type AssetPrice = ReturnType<typeof decodePrice>;
type RiskView = Awaited<ReturnType<VaultLens["atRisk"]>>[number];

/** An account whose risk the lens could not tell. */
export interface Unreadable {
  readonly account: AccountId;
  readonly reason: string;
}

export interface Reading {
  readonly risks: readonly Risk[];
  readonly unreadable: readonly Unreadable[];
}

/** Follows the chain: keeps the book of accounts, and tells which of them to check and how they stand. */
export class Observer {
  readonly book = new Book();
  /** What is to be kept in order beside the accounts at risk. */
  readonly steward: Steward;
  readonly #provider: Provider;
  readonly #deployment: Deployment;
  readonly #lens: VaultLens;
  readonly #oracle: PriceOracle;
  readonly #lensChunk: number;
  readonly #log: Logger;
  readonly #poolAccount: AccountId;
  readonly #taker: AccountId | undefined;
  /** Pool and insurance are never targets. */
  readonly #neverTargets: ReadonlySet<AccountId>;
  /** Assets whose first source is read, and those that have a second one: no event tells when the price of either moves. */
  #readLive: ReadonlySet<number> = new Set();
  #paired: ReadonlySet<number> = new Set();
  /** Of each of them its price of the last turn. */
  #livePrices: ReadonlyMap<number, AssetPrice> = new Map();
  /** Of each asset the time (Unix seconds) that its stored price is dated. */
  readonly #storedAt = new Map<number, number>();
  /** Of those that are pushed and have a second source, the same of the price that both agreed on last: it is the last good one. */
  readonly #agreedAt = new Map<number, number>();
  #readTo: number;
  #fullPass: { readonly block: number; readonly atSeconds: number } | undefined;
  #nowSeconds = 0;
  #isFullPass = false;

  /** @param taker the account whose takings are previewed beside the pool's */
  constructor(provider: Provider, deployment: Deployment, lensChunk: number, log: Logger, taker?: AccountId) {
    this.#provider = provider;
    this.#deployment = deployment;
    this.#lens = VaultLens__factory.connect(deployment.lens, provider);
    this.#oracle = PriceOracle__factory.connect(deployment.oracle, provider);
    this.#lensChunk = lensChunk;
    this.#log = log;
    this.#taker = taker;
    this.#poolAccount = accountId(deployment.pool);
    this.#neverTargets = new Set([this.#poolAccount, accountId(deployment.vault)]);
    this.#readTo = deployment.fromBlock - 1;
    this.steward = new Steward(provider, deployment);
  }

  /** Whether all accounts were due when the chain was followed last. */
  get isFullPass(): boolean {
    return this.#isFullPass;
  }

  /** Time (Unix seconds) of the chain when it was followed last; it may lag, see follow. */
  get nowSeconds(): number {
    return this.#nowSeconds;
  }

  /**
   * Reads the blocks up to this one and returns the accounts that may have come to be at risk: all with assets or debt on the first pass
   * and whenever one is due, else those with a new word and those that hold an asset with a new price. A published price counts as
   * new even where it is the same again: its freshness opens what a stale one kept shut.
   */
  async follow(toBlock: number): Promise<AccountId[]> {
    if (toBlock < this.#readTo) this.#startAnew(); // the chain went back: it was restarted, or set back to a snapshot
    const changes = await readChanges(this.#provider, this.#deployment, this.#readTo + 1, toBlock);
    const readLive = changed(this.#readLive, changes.readLive);
    const paired = changed(this.#paired, changes.paired);
    const livePrices = await this.#readPrices(new Set([...readLive, ...paired]), toBlock);
    const moved = [...livePrices].flatMap(([asset, price]) =>
      isSame(price, this.#livePrices.get(asset)) ? [] : [asset],
    );
    // The time of a pushed price saves a request a turn: the chain was there by then. It may lag the chain, by about as much each
    // time; the count of blocks bounds that. An aggregator's price may be hours old.
    const pushedAt = [...changes.storedAt].flatMap(([asset, at]) => (livePrices.has(asset) ? [] : [at]));
    const known = this.#fullPass === undefined || pushedAt.length === 0 ? undefined : Math.max(...pushedAt);
    const atSeconds = known ?? (await this.#provider.getBlock(toBlock))?.timestamp ?? 0;

    // From here on nothing can fail: what was read is either in the book and returned, or will be read again.
    for (const [account, word] of changes.words) if (!this.#neverTargets.has(account)) this.book.set(account, word);
    for (const [asset, at] of changes.storedAt) this.#storedAt.set(asset, at);
    for (const [asset, at] of changes.agreedAt) {
      if (at === undefined) this.#agreedAt.delete(asset);
      else this.#agreedAt.set(asset, at);
    }
    [this.#readLive, this.#paired, this.#livePrices] = [readLive, paired, livePrices];
    this.#readTo = toBlock;
    this.#nowSeconds = atSeconds;
    this.steward.note(changes);
    this.#isFullPass = changes.wroteOff || changes.ramps.length > 0 || this.#isFullPassDue(toBlock, atSeconds);
    if (this.#isFullPass) {
      this.#fullPass = { block: toBlock, atSeconds };
      return this.book.exposed();
    }
    const touched = [...changes.words.keys()].filter((account) => this.book.isExposed(account));
    return [...new Set([...touched, ...this.book.holders(assetSet([...changes.storedAt.keys(), ...moved]))])];
  }

  /**
   * Assets whose last good price, which counts while their sources tell none, lags what they told in the last turn by too much. Nobody is
   * paid for storing it, but everybody's margin would be counted at it. One of two sources alone is not stored; one that is good for
   * reducing because the chain's sequencer was down is.
   */
  toRefresh(): number[] {
    return [...this.#livePrices].flatMap(([asset, { publishedAt, isReduceOnly }]) => {
      if (isReduceOnly && this.#paired.has(asset)) return [];
      return publishedAt - this.#lastGoodAt(asset) >= refreshSeconds ? [asset] : [];
    });
  }

  #lastGoodAt(asset: number): number {
    const agreedAt = this.#readLive.has(asset) ? undefined : this.#agreedAt.get(asset);
    return agreedAt ?? this.#storedAt.get(asset) ?? 0;
  }

  /** The prices of these assets at this block, with their marks. One call, or none. */
  async #readPrices(wanted: ReadonlySet<number>, blockTag: number): Promise<Map<number, AssetPrice>> {
    const assets = [...wanted].toSorted((a, b) => a - b);
    if (assets.length === 0) return new Map();
    const words = await this.#oracle.lastPrices(assetSet(assets), { blockTag });
    return new Map(assets.map((asset, i) => [asset, decodePrice(words[i] ?? 0n)]));
  }

  /**
   * How these accounts stand after a block: those at risk, and those that could not be read. First which are at risk at all, many to a
   * call; then what each step of the waterfall would do with those, few to a call, since each costs as much as a liquidation.
   */
  async read(accounts: readonly AccountId[], blockTag: number): Promise<Reading> {
    const unreadable: Unreadable[] = [];
    const liquidatable = await this.#inChunks(accounts, this.#lensChunk, unreadable, async (chunk) => {
      const found = await this.#lens.liquidatable(chunk, { blockTag });
      return found.map(normalizeAccount);
    });
    const risks = await this.#inChunks(liquidatable, riskChunk, unreadable, async (chunk) => {
      const views = await this.#lens.atRisk(chunk, this.#poolAccount, { blockTag });
      const taker = this.#taker;
      if (taker === undefined) return views.map((view) => toRisk(view));
      const taken = await this.#lens.atRisk(chunk, taker, { blockTag });
      return views.map((view, i) => ({ ...toRisk(view), takerLegs: taken[i] === undefined ? [] : toLegs(taken[i]) }));
    });
    return { risks, unreadable };
  }

  async #inChunks<T>(
    accounts: readonly AccountId[],
    size: number,
    unreadable: Unreadable[],
    call: (chunk: AccountId[]) => Promise<T[]>,
  ): Promise<T[]> {
    const answers: T[] = [];
    for (let at = 0; at < accounts.length; at += size) {
      answers.push(...(await this.#inHalves(accounts.slice(at, at + size), unreadable, call)));
    }
    return answers;
  }

  /** One call; where the node refuses it (most often: too much gas), one for each half, so that no account hides the others. */
  async #inHalves<T>(
    accounts: AccountId[],
    unreadable: Unreadable[],
    call: (chunk: AccountId[]) => Promise<T[]>,
  ): Promise<T[]> {
    try {
      return await call(accounts);
    } catch (error) {
      const [account] = accounts;
      if (accounts.length > 1) {
        const middle = Math.ceil(accounts.length / 2);
        const first = await this.#inHalves(accounts.slice(0, middle), unreadable, call);
        return [...first, ...(await this.#inHalves(accounts.slice(middle), unreadable, call))];
      }
      if (account === undefined || !(isCallException(error) || revertData(error) !== undefined)) throw error;
      const reason = failureReason(error);
      this.#log.warn({ action: "read", account, reason, detail: failureDetail(error) }, "failed");
      unreadable.push({ account, reason });
      return [];
    }
  }

  #isFullPassDue(block: number, atSeconds: number): boolean {
    const last = this.#fullPass;
    if (last === undefined) return true;
    return block - last.block >= fullPassBlocks || atSeconds - last.atSeconds >= fullPassSeconds;
  }

  #startAnew(): void {
    this.book.clear();
    this.steward.clear();
    [this.#readLive, this.#paired, this.#livePrices] = [new Set(), new Set(), new Map()];
    this.#storedAt.clear();
    this.#agreedAt.clear();
    this.#readTo = this.#deployment.fromBlock - 1;
    this.#fullPass = undefined;
  }
}

function changed(assets: ReadonlySet<number>, changes: ReadonlyMap<number, boolean>): ReadonlySet<number> {
  return new Set([...assets, ...changes.keys()].filter((asset) => changes.get(asset) ?? true));
}

/** Whether accounts stand as they did. The tolerance of a Pyth price grows with each second, and is nothing that they are measured by. */
function isSame(price: AssetPrice, before: AssetPrice | undefined): boolean {
  return before !== undefined && isDeepStrictEqual({ ...price, toleranceWad: 0n }, { ...before, toleranceWad: 0n });
}

function assetSet(assets: readonly number[]): bigint {
  return assets.reduce((bits, asset) => bits | (1n << BigInt(asset)), 0n);
}

function toRisk(view: RiskView): Risk {
  const { account, health, absorbOpen } = view;
  return { account: normalizeAccount(account), health: toHealth(health), absorbOpen, legs: toLegs(view) };
}

function toLegs({ markets, legs }: RiskView): Leg[] {
  return legs.map((leg, i): Leg => ({ market: Number(markets[i]), ...toLegPreview(leg) }));
}
