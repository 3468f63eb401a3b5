import { type Random, randomStreams } from "../../../simulator/random.js";

/** A seeded source of what a test needs. */
export class Draw {
  readonly #random: Random;

  constructor(seed: number) {
    const [stream] = randomStreams(seed, 1);
    if (stream === undefined) throw new TypeError("no stream of random numbers");
    this.#random = stream;
  }

  chance(probability: number): boolean {
    return this.#random.uniform() < probability;
  }

  /** Both included. */
  integer(from: number, to: number): number {
    return this.#random.integer(from, to);
  }

  pick<T>(list: readonly T[]): T {
    const found = list[this.#random.integer(0, list.length - 1)];
    if (found === undefined) throw new RangeError("nothing to pick from");
    return found;
  }

  /** A part of an amount, between two ratios of it. */
  part(amount: bigint, from: number, to: number): bigint {
    return (amount * BigInt(Math.round((from + (to - from) * this.#random.uniform()) * 1e6))) / 1_000_000n;
  }

  /** One as likely of any size between two amounts above zero. */
  ofAnySize(from: bigint, to: bigint): bigint {
    const ratio = Math.pow(Number(to) / Number(from), this.#random.uniform());
    return (from * BigInt(Math.round(ratio * 1e6))) / 1_000_000n;
  }

  /** By weights. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const entries = Object.entries(weights) as [Name, number][];
    let left = this.#random.uniform() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      left -= weight;
      if (left < 0) return name;
    }
    return this.pick(entries)[0];
  }
}
