import type { Metrics } from "../../keeper/parts.js";

/** Metrics that can be looked at. */
export interface KeptMetrics extends Metrics {
  /** Of a counter with these labels; 0 if it was never counted. */
  counted(name: string, labels?: Readonly<Record<string, string>>): number;
  /** Of a gauge. */
  value(name: string): number | undefined;
}

export function keptMetrics(): KeptMetrics {
  const counters = new Map<string, number>();
  const gauges = new Map<string, number>();
  const key = (name: string, labels: Readonly<Record<string, string>> = {}) =>
    [name, ...Object.entries(labels).map((label) => label.join("="))].join(" ");
  return {
    count: (name, labels, by = 1) => counters.set(key(name, labels), (counters.get(key(name, labels)) ?? 0) + by),
    set: (name, value) => gauges.set(name, value),
    observe: () => undefined,
    counted: (name, labels) => counters.get(key(name, labels)) ?? 0,
    value: (name) => gauges.get(name),
  };
}

/** Waits until something holds, and fails after a generous time. */
export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let attempt = 0; attempt < 1_000; attempt += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`it never came to this: ${what}`);
}
