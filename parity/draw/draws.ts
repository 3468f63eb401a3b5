import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** Draws of one case: each depends on the case's seed and on those before it. */
export class Draws {
  readonly #generator;

  /** @param seed of the case, 32 bits */
  constructor(seed: number) {
    this.#generator = xoroshiro128plus(seed);
    for (let i = 0; i < 4; i++) this.#generator.next(); // the first ones repeat the seed's bits
  }

  /** From `from` to `to`, both included; at most 32 bits apart. */
  integer(from: number, to: number): number {
    return uniformInt(this.#generator, from, to);
  }

  /** In [0, 1). */
  uniform(): number {
    return (this.#generator.next() >>> 0) / 2 ** 32;
  }

  /** True in this share of draws. */
  chance(share: number): boolean {
    return this.uniform() < share;
  }

  pick<T>(list: readonly [T, ...T[]]): T {
    return list[this.integer(0, list.length - 1)] ?? list[0];
  }

  /** From `from` to `to`, both included, each as likely. */
  between(from: bigint, to: bigint): bigint {
    if (to <= from) return from;
    const range = to - from + 1n;
    let bits = 0n;
    for (let drawn = 0n; drawn < range << 16n; drawn = drawn === 0n ? 1n << 32n : drawn << 32n) {
      bits = (bits << 32n) | BigInt(this.#generator.next() >>> 0);
    }
    return from + (bits % range);
  }

  /** From `from` (above zero) to `to`, each order of magnitude as likely. */
  wide(from: bigint, to: bigint): bigint {
    if (to <= from) return from;
    const [least, most] = [from.toString(2).length, to.toString(2).length];
    const length = this.integer(least, most);
    const [bottom, top] = [1n << BigInt(length - 1), (1n << BigInt(length)) - 1n];
    return this.between(bottom > from ? bottom : from, top < to ? top : to);
  }

  /** A part of an amount, a million steps; `power` above 1 makes small parts more likely. */
  part(amount: bigint, power = 1): bigint {
    return (amount * BigInt(Math.floor(this.uniform() ** power * 1e6))) / 1_000_000n;
  }

  sign(): bigint {
    return this.chance(0.5) ? 1n : -1n;
  }

  /** The entry of a table by its weight. */
  weighted<T>(table: readonly (readonly [number, T])[]): T {
    let left = this.uniform() * table.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, entry] of table) {
      left -= weight;
      if (left < 0) return entry;
    }
    throw new RangeError("the table is empty");
  }
}

/** Seed of a case by the run's and its number: neighbours have nothing in common (the finaliser of MurmurHash3). */
export function caseSeed(seed: number, number: number): number {
  let mixed = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca77)) >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b) >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35) >>> 0;
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
