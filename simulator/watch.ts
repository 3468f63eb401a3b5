import { Book, BookFollower } from "../sdk/book/index.js";
import { type AccountId, type Deployment, State, normalizeAccount } from "../sdk/index.js";
import * as MarginVault from "../sdk/risk/MarginVault.js";
import * as Margin from "../sdk/risk/libraries/Margin.js";
import * as AssetSet from "../sdk/risk/types/AssetSet.js";
import type { Price } from "../sdk/risk/types/Price.js";
import { MarginVault__factory, PriceOracle__factory, VaultLens__factory } from "../typechain-types/index.js";
import { inChunks } from "./audit.js";
import type { Chain } from "./chain.js";

/** The books of the run and the lens do not name the same accounts. */
export class WatchDiffersError extends Error {
  override readonly name = "WatchDiffersError";
  readonly byBooks: readonly AccountId[];
  readonly byLens: readonly AccountId[];

  constructor(byBooks: readonly AccountId[], byLens: readonly AccountId[]) {
    super(`${byBooks.length} accounts are liquidatable by the books of the run, and ${byLens.length} by the lens`);
    this.byBooks = byBooks;
    this.byLens = byLens;
  }
}

/** What the run has besides accounts, wad. */
export interface Funds {
  readonly poolEquityWad: bigint;
  readonly insuranceWad: bigint;
}

const lensChunk = 50;
const lens = VaultLens__factory.createInterface();
const vault = MarginVault__factory.createInterface();
const oracle = PriceOracle__factory.createInterface();

/** Reads of the run's own, beside the keepers': its own books, from the log, and every account's margin in the twin. */
export class Watch {
  readonly #chain: Chain;
  readonly #deployment: Deployment;
  readonly #accounts: readonly AccountId[];
  readonly #book: Book;
  readonly #follower: BookFollower;
  #funds: Funds | undefined;

  /** @param accounts those that are counted */
  constructor(chain: Chain, deployment: Deployment, accounts: readonly AccountId[]) {
    this.#chain = chain;
    this.#deployment = deployment;
    this.#accounts = accounts;
    this.#book = new Book(deployment);
    this.#follower = new BookFollower(this.#book, { send: (method, params) => chain.request(method, params) });
  }

  /** The accounts that anyone may liquidate now. */
  async liquidatable(): Promise<AccountId[]> {
    const { head } = await this.#follower.turn();
    const { storage } = this.#book;
    const state = new State({
      block: head,
      deployment: this.#deployment,
      storage,
      prices: await this.#prices(storage.marketCount, storage.collateralCount),
    });
    const { $, code } = state.at();
    const healths = MarginVault.healths($, code, this.#accounts);
    return this.#accounts.filter((_, i) => {
      const health = healths[i];
      return health !== undefined && Margin.isLiquidatable(health);
    });
  }

  /** Asks the lens for the same. Throws WatchDiffersError where it does not name these accounts. */
  async checkWithLens(byBooks: readonly AccountId[]): Promise<void> {
    const byLens = await inChunksOf(this.#accounts, lensChunk, async (chunk) => {
      const data = lens.encodeFunctionData("liquidatable", [chunk]);
      const [some] = lens.decodeFunctionResult("liquidatable", await this.#call(this.#deployment.lens, data));
      return (some as string[]).map(normalizeAccount);
    });
    if (byBooks.length !== byLens.length || byBooks.some((account, i) => account !== byLens[i])) {
      throw new WatchDiffersError(byBooks, byLens);
    }
  }

  async funds(anew: boolean): Promise<Funds> {
    if (!anew && this.#funds !== undefined) return this.#funds;
    const { vault: address } = this.#deployment;
    const value = await this.#call(address, vault.encodeFunctionData("poolValue"));
    const [poolEquityWad] = vault.decodeFunctionResult("poolValue", value) as unknown as [bigint];
    const insurance = `0x${address.slice(2)}${"0".repeat(24)}`;
    const cash = await this.#call(address, vault.encodeFunctionData("cash", [insurance]));
    const [insuranceWad] = vault.decodeFunctionResult("cash", cash) as unknown as [bigint];
    this.#funds = { poolEquityWad, insuranceWad };
    return this.#funds;
  }

  /** Cash, unrealised profit and loss, and collateral at its weight for maintenance, over these accounts. */
  async equityWad(of: readonly AccountId[]): Promise<bigint> {
    const equities = await inChunks(of, lensChunk, async (account) => {
      const answer = await this.#call(this.#deployment.vault, vault.encodeFunctionData("health", [account]));
      const [health] = vault.decodeFunctionResult("health", answer) as unknown as [{ equityMaintenanceWad: bigint }];
      return health.equityMaintenanceWad;
    });
    return equities.reduce((sum, equity) => sum + equity, 0n);
  }

  async #prices(markets: number, collaterals: number): Promise<Map<number, Price>> {
    const assets = [
      ...Array.from({ length: markets }, (_, id) => AssetSet.marketAsset(id)),
      ...Array.from({ length: collaterals }, (_, index) => AssetSet.collateralAsset(index)),
    ];
    const set = assets.reduce((bits, asset) => bits | AssetSet.onlyAsset(asset), 0n);
    const answer = await this.#call(this.#deployment.oracle, oracle.encodeFunctionData("lastPrices", [set]));
    const [words] = oracle.decodeFunctionResult("lastPrices", answer) as unknown as [bigint[]];
    return new Map(assets.map((asset, i) => [asset, (words[i] ?? 0n) as Price]));
  }

  async #call(to: string, data: string): Promise<string> {
    return String(await this.#chain.request("eth_call", [{ to, data }, "latest"]));
  }
}

async function inChunksOf<T, U>(items: readonly T[], size: number, ask: (chunk: T[]) => Promise<U[]>): Promise<U[]> {
  const answers: U[] = [];
  for (let at = 0; at < items.length; at += size) answers.push(...(await ask(items.slice(at, at + size))));
  return answers;
}
