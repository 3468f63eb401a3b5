import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

const largestSeed = 0xffff_ffff;

export interface Random {
  /** In [0, 1). */
  uniform(): number;
  /** From `from` to `to`, both included. */
  integer(from: number, to: number): number;
}

/**
 * Streams of xoroshiro128+, 2^64 draws apart: stream i depends on the seed and on i alone, so more streams never change the first ones.
 * The seed's own state is never drawn from (its first draws repeat the seed's bits); stream 0 starts one jump later.
 */
export function randomStreams(seed: number, count: number): Random[] {
  if (!Number.isInteger(seed) || seed < 0 || seed > largestSeed) {
    throw new RangeError(`the seed is ${seed}; give a whole number from 0 to ${largestSeed}`);
  }
  const generator = xoroshiro128plus(seed);
  return Array.from({ length: count }, () => {
    generator.jump();
    const stream = generator.clone();
    return {
      uniform: () => uniformFloat64(stream),
      integer: (from, to) => uniformInt(stream, from, to),
    };
  });
}
