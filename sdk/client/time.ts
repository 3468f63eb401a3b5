import { TimeError } from "./errors.js";

const latest = 2n ** 256n - 1n;

/** Unix seconds as a contract takes them. Throws TimeError. */
export function toSeconds(time: bigint | number): bigint {
  if (typeof time !== "bigint" && !Number.isSafeInteger(time)) throw new TimeError(time);
  const seconds = BigInt(time);
  if (seconds < 0n || seconds > latest) throw new TimeError(time);
  return seconds;
}
