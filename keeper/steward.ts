import type { Provider } from "ethers";

import { type AccountId, type Deployment, accountId, decodeAccount, decodePrice, marketsOf } from "../sdk/index.js";
import {
  type MarginVault,
  MarginVault__factory,
  type PriceOracle,
  PriceOracle__factory,
} from "../typechain-types/index.js";
import type { Book } from "./book.js";
import { rampRetrySeconds, rampSeconds } from "./config.js";
import type { PoolPosition, Ramp, RampStep, Remainder, UpkeepState } from "./decide/upkeep.js";
import type { Changes } from "./logs.js";

/** Positions that are asked for at once. */
const positionsAtOnce = 50;

/** Follows what is to be kept in order beside the accounts at risk. */
export class Steward {
  readonly #vault: MarginVault;
  readonly #oracle: PriceOracle;
  readonly #pool: AccountId;
  readonly #insurance: AccountId;
  /** Of each market whose end was announced: from when on anyone may delist it. Unix seconds. */
  readonly #dueAt = new Map<number, number>();
  /** Markets of which an epoch has ended: positions in them may have no size left. */
  readonly #ended = new Set<number>();
  /** What counts by steps, by rampKey. */
  readonly #ramps = new Map<string, Ramp>();

  constructor(provider: Provider, deployment: Deployment) {
    this.#vault = MarginVault__factory.connect(deployment.vault, provider);
    this.#oracle = PriceOracle__factory.connect(deployment.oracle, provider);
    this.#pool = accountId(deployment.pool);
    this.#insurance = accountId(deployment.vault);
  }

  get dueAt(): ReadonlyMap<number, number> {
    return this.#dueAt;
  }

  get ramps(): readonly Ramp[] {
    return [...this.#ramps.values()];
  }

  note(changes: Pick<Changes, "announced" | "delisted" | "epochsEnded" | "ramps">): void {
    const { announced, delisted, epochsEnded, ramps } = changes;
    for (const { step, steppedAt } of ramps) {
      if (steppedAt === undefined) this.#ramps.delete(rampKey(step));
      else this.#ramps.set(rampKey(step), { step, dueAt: steppedAt + rampSeconds });
    }
    for (const [market, due] of announced) this.#dueAt.set(market, due);
    for (const market of delisted) {
      this.#dueAt.delete(market);
      this.#ramps.delete(rampKey({ kind: "rampMarket", market })); // nothing counts there any more
    }
    for (const market of epochsEnded) this.#ended.add(market);
  }

  /** A step was tried at this time (Unix seconds): until the log tells what came of it, or a while after it failed, it is not tried again. */
  tried(step: RampStep, nowSeconds: number): void {
    this.#ramps.set(rampKey(step), { step, dueAt: nowSeconds + rampRetrySeconds });
  }

  clear(): void {
    this.#dueAt.clear();
    this.#ended.clear();
    this.#ramps.clear();
  }

  /** How things stand after a block. */
  async read(book: Book, blockTag: number): Promise<UpkeepState> {
    const [{ equityMaintenanceWad: poolEquityWad }, { badDebtWad, interestUnsweptWad }, insuranceCashWad] =
      await Promise.all([
        this.#vault.health(this.#pool, { blockTag }),
        this.#vault.cashView({ blockTag }),
        this.#vault.cash(this.#insurance, { blockTag }),
      ]);
    const poolWithoutPrice = poolEquityWad < 0n ? await this.#poolWithoutPrice(blockTag) : [];
    const remainders = await this.#remainders(book, blockTag);
    return { poolEquityWad, poolWithoutPrice, badDebtWad, insuranceCashWad, interestUnsweptWad, remainders };
  }

  async #poolWithoutPrice(blockTag: number): Promise<PoolPosition[]> {
    const { assets } = decodeAccount(await this.#vault.accountWord(this.#pool, { blockTag }));
    const words = await this.#oracle.lastPrices(assets, { blockTag });
    const without = marketsOf(assets).filter((_, i) => {
      const { isFresh, isReduceOnly } = decodePrice(words[i] ?? 0n); // markets come first in an asset set
      return !isFresh && !isReduceOnly;
    });
    const read = async (market: number): Promise<PoolPosition> => {
      const { sizeWad, valueWad } = await this.#vault.position(this.#pool, market, { blockTag });
      return { sizeWad, valueWad };
    };
    return Promise.all(without.map(read));
  }

  /** The positions of markets whose epoch has ended. Markets where all of them have a size are not looked at again. */
  async #remainders(book: Book, blockTag: number): Promise<Remainder[]> {
    const found: Remainder[] = [];
    for (const market of this.#ended) {
      const holders = book.holders(1n << BigInt(market));
      const before = found.length;
      for (let at = 0; at < holders.length; at += positionsAtOnce) {
        const asked = holders.slice(at, at + positionsAtOnce);
        const read = async (account: AccountId): Promise<Remainder> => {
          const { sizeWad } = await this.#vault.position(account, market, { blockTag });
          return { account, market, sizeWad };
        };
        found.push(...(await Promise.all(asked.map(read))));
      }
      if (found.slice(before).every(({ sizeWad }) => sizeWad !== 0n)) this.#ended.delete(market);
    }
    return found;
  }
}

function rampKey(step: RampStep): string {
  if (step.kind === "rampMarket") return `market ${step.market}`;
  return step.kind === "rampCollateral" ? `collateral ${step.token}` : "accounts";
}
