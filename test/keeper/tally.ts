import type { Metrics } from "../../keeper/parts.js";

/** Metrics as a test reads them: by name, and the labels' values behind it. */
export class Tally implements Metrics {
  readonly counts: Record<string, number> = {};
  readonly values: Record<string, number> = {};
  readonly seconds: Record<string, number[]> = {};

  count(name: string, labels: Readonly<Record<string, string>> = {}, by = 1): void {
    const key = [name, ...Object.values(labels)].join(" ");
    this.counts[key] = (this.counts[key] ?? 0) + by;
  }

  set(name: string, value: number, labels: Readonly<Record<string, string>> = {}): void {
    this.values[[name, ...Object.values(labels)].join(" ")] = value;
  }

  observe(name: string, seconds: number): void {
    (this.seconds[name] ??= []).push(seconds);
  }
}
