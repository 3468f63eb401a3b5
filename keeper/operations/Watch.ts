import {
  type State,
  type Deployment,
  collateralAsset,
  decodeCollateral,
  decodeMarketState,
  decodePrice,
  hasFlag,
  marketAsset,
} from "../../sdk/index.js";
import type { Metrics } from "../parts.js";
import type { CounterName, GaugeName, HistogramName } from "./figures.js";
import type { Health } from "./Health.js";

/** What of a turn is told to those who watch. */
export interface WatchedTurn {
  readonly block: number;
  readonly state: State;
  readonly audit?: { readonly block: number; readonly agrees: boolean } | undefined;
}

/** Stands between the keeper's parts and its figures, and notes what health needs to know. */
export class Watch implements Metrics {
  readonly #metrics: Metrics;
  readonly #health: Health;
  #turnSinceMs = performance.now();
  #journalDurable = true;

  constructor(metrics: Metrics, health: Health) {
    this.#metrics = metrics;
    this.#health = health;
  }

  count(name: CounterName, labels?: Readonly<Record<string, string>>, by?: number): void {
    this.#metrics.count(name, labels, by);
  }

  set(name: GaugeName, value: number, labels?: Readonly<Record<string, string>>): void {
    if (name === "journal_durable") this.#journalDurable = value === 1;
    this.#metrics.set(name, value, labels);
  }

  observe(name: HistogramName, seconds: number): void {
    this.#metrics.observe(name, seconds);
  }

  turnBegins(): void {
    this.#turnSinceMs = performance.now();
  }

  turnEnded({ block, state, audit }: WatchedTurn): void {
    const stalePrices = stalePricesOf(state);
    this.#metrics.count("turns", { outcome: "ended" });
    this.#metrics.observe("turn_seconds", this.#turnSeconds);
    this.#metrics.set("stale_prices", stalePrices.length);
    if (audit !== undefined) this.#metrics.set("audit_block", audit.block);
    this.#health.note({
      block,
      stalePrices,
      journalDurable: this.#journalDurable,
      ...(audit === undefined ? {} : { audit }),
    });
  }

  turnFailed(error: string, detail: string): void {
    this.#metrics.count("turns", { outcome: "failed" });
    this.#metrics.count("errors", { class: error });
    this.#health.noteFailure(detail);
  }

  /** Brings up to date what grows by itself; to be called before figures are read. */
  refresh(): void {
    this.#metrics.set("head_age_seconds", this.#health.headAgeSeconds ?? 0);
  }

  get #turnSeconds(): number {
    return (performance.now() - this.#turnSinceMs) / 1000;
  }
}

/** Names of assets without a fresh price, each once: of markets that are not delisted, and of collaterals that the vault holds. */
function stalePricesOf({ storage, prices, deployment }: State): string[] {
  const isStale = (asset: number) => !decodePrice(prices.get(asset) ?? 0n).isFresh;
  const stale = new Set<string>();
  for (let id = 0; id < storage.marketCount; id += 1) {
    const isDelisted = hasFlag(decodeMarketState(storage.markets(id).state), "delisted");
    if (!isDelisted && isStale(marketAsset(id))) stale.add(nameOfMarket(deployment, id));
  }
  for (let index = 0; index < storage.collateralCount; index += 1) {
    const isHeld = decodeCollateral(storage.collaterals.get(index)).held > 0n;
    if (isHeld && isStale(collateralAsset(index)))
      stale.add(deployment.collaterals[index]?.asset ?? `collateral ${index}`);
  }
  return [...stale];
}

function nameOfMarket({ markets }: Deployment, id: number): string {
  return markets[id]?.symbol ?? `market ${id}`;
}
