import type { Provider } from "ethers";

import {
  type AccountId,
  type Deployment,
  accountId,
  decodeAccount,
  decodeMarketRisk,
  decodeMarketTerms,
  decodePrice,
  marketsOf,
  toHealth,
} from "../sdk/index.js";
import {
  type MarginVault,
  MarginVault__factory,
  type PriceOracle,
  PriceOracle__factory,
} from "../typechain-types/index.js";
import type { MarketTerms, TakerPolicy, TakerState } from "./decide/inventory.js";

/** The keeper's capital: an account of its own that takes over what is liquidated. */
export class Taker {
  readonly account: AccountId;
  readonly policy: TakerPolicy;
  readonly #provider: Provider;
  readonly #vault: MarginVault;
  readonly #oracle: PriceOracle;
  readonly #pool: AccountId;
  /** When (Unix seconds) it last took something, by market. A keeper that starts anew takes all it holds for old. */
  readonly #takenAt = new Map<number, number>();

  constructor(provider: Provider, deployment: Deployment, account: AccountId, policy: TakerPolicy) {
    this.#provider = provider;
    this.#vault = MarginVault__factory.connect(deployment.vault, provider);
    this.#oracle = PriceOracle__factory.connect(deployment.oracle, provider);
    this.#pool = accountId(deployment.pool);
    this.account = account;
    this.policy = policy;
  }

  get takenAt(): ReadonlyMap<number, number> {
    return this.#takenAt;
  }

  /** How it stands after a block, with the terms of these markets and of those where it has a position. */
  async read(markets: Iterable<number>, blockTag: number): Promise<TakerState> {
    const [word, health] = await Promise.all([
      this.#vault.accountWord(this.account, { blockTag }),
      this.#vault.health(this.account, { blockTag }),
    ]);
    const held = marketsOf(decodeAccount(word).assets);
    const asked = [...new Set([...held, ...markets])].toSorted((a, b) => a - b);
    const [sizes, terms] = await Promise.all([
      Promise.all(held.map(async (id) => this.#vault.position(this.account, id, { blockTag }))),
      this.#terms(asked, blockTag),
    ]);
    return {
      account: this.account,
      health: toHealth(health),
      sizesWad: new Map(held.map((id, i) => [id, sizes[i]?.sizeWad ?? 0n])),
      terms,
    };
  }

  /** Notes that it took something in a market. */
  async took(market: number, blockNumber: number): Promise<void> {
    this.#takenAt.set(market, await this.timeOf(blockNumber));
  }

  /** Time (Unix seconds) of a block. */
  async timeOf(blockNumber: number): Promise<number> {
    return (await this.#provider.getBlock(blockNumber))?.timestamp ?? 0;
  }

  async #terms(markets: readonly number[], blockTag: number): Promise<ReadonlyMap<number, MarketTerms>> {
    const set = markets.reduce((bits, id) => bits | (1n << BigInt(id)), 0n);
    const [prices, views, pooled] = await Promise.all([
      this.#oracle.lastPrices(set, { blockTag }),
      Promise.all(markets.map(async (id) => this.#vault.market(id, { blockTag }))),
      Promise.all(markets.map(async (id) => this.#vault.position(this.#pool, id, { blockTag }))),
    ]);
    return new Map(
      views.map(({ risk, terms }, i): [number, MarketTerms] => {
        const { priceWad, toleranceWad, isFresh, isReduceOnly } = decodePrice(prices[i] ?? 0n);
        const { initialBaseWad, lambdaInitialWad, skewScaleWad } = decodeMarketRisk(risk);
        const { takerRateWad, minimumSizeWad } = decodeMarketTerms(terms);
        const skewWad = -(pooled[i]?.sizeWad ?? 0n);
        const price = { priceWad, toleranceWad, isFresh, isReduceOnly };
        const margin = { initialBaseWad, lambdaInitialWad, skewScaleWad };
        return [markets[i] ?? 0, { ...price, ...margin, takerRateWad, minimumSizeWad, skewWad }];
      }),
    );
  }
}
