import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";

import type { Metrics } from "../parts.js";
import { type CounterName, type Figure, type GaugeName, type HistogramName, figurePrefix, figures } from "./figures.js";

/** Seconds. Detecting takes milliseconds; being mined, blocks. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 30, 60, 300];

/** The keeper's figures and those of its process, for Prometheus. */
export class PrometheusMetrics implements Metrics {
  readonly #registry = new Registry();
  readonly #counters = new Map<string, Counter>();
  readonly #gauges = new Map<string, Gauge>();
  readonly #histograms = new Map<string, Histogram>();

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
    for (const [name, figure] of Object.entries<Figure>(figures)) this.#add(name, figure);
  }

  count(name: CounterName, labels: Readonly<Record<string, string>> = {}, by = 1): void {
    of(this.#counters, name).inc(labels, by);
  }

  set(name: GaugeName, value: number, labels: Readonly<Record<string, string>> = {}): void {
    of(this.#gauges, name).set(labels, value);
  }

  observe(name: HistogramName, seconds: number): void {
    of(this.#histograms, name).observe(seconds);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All figures, as Prometheus reads them. */
  async text(): Promise<string> {
    return this.#registry.metrics();
  }

  #add(name: string, figure: Figure): void {
    const { kind, help } = figure;
    const named = { name: `${figurePrefix}${name}`, help, registers: [this.#registry] };
    if (kind === "histogram") this.#histograms.set(name, new Histogram({ ...named, buckets }));
    else if (kind === "gauge") this.#gauges.set(name, new Gauge({ ...named, labelNames: [...(figure.labels ?? [])] }));
    else {
      const counter = new Counter({ ...named, name: `${named.name}_total`, labelNames: [...(figure.labels ?? [])] });
      this.#counters.set(name, counter);
    }
  }
}

/** The compiler knows the names: this is for callers that it does not see. */
function of<T>(known: ReadonlyMap<string, T>, name: string): T {
  const found = known.get(name);
  if (found === undefined) throw new TypeError(`figures.ts has no such figure as ${name}`);
  return found;
}

/** Counts nothing: for keepers that nobody watches. */
export const noMetrics: Metrics = { count: () => undefined, set: () => undefined, observe: () => undefined };
