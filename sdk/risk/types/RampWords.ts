/** Twin of contracts/types/RampWords.sol: how far a ramp has come. The ramps themselves are in VaultStorage.ts. */
import { field, place } from "./Packing.js";
import type { Word } from "./Word.js";

/** Zero: there is no ramp. */
export type RampClock = Word<"RampClock">;

/** Throws ValueOutOfRange. */
export function toRampClock(secondsLeft: bigint, steppedAt: bigint): RampClock {
  return (place(secondsLeft, 0n, 32) | place(steppedAt, 32n, 40)) as RampClock;
}

/** Seconds of the time that steps have yet to cover. */
export function secondsLeft(word: RampClock): bigint {
  return field(word, 0n, 32);
}

/** Unix seconds: of the last step, or of the start. */
export function steppedAt(word: RampClock): bigint {
  return field(word, 32n, 40);
}
