import { sweepBinary } from "./sweepBinary.js";

// What of WebAssembly is used here: the compiler's libraries know it only together with a browser's globals.
declare const WebAssembly: {
  readonly Memory: new (descriptor: { initial: number }) => ColumnMemory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};

/** Bytes that the sweep reads, in pages of 64 KiB. Growing leaves every view of an older `buffer` empty. */
export interface ColumnMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

export const pageBytes = 65_536;

/** Addresses in the first page, which holds no accounts; see sweep.wat. */
export const address = {
  /** Four float64 a key. */
  coefficients: 0,
  /** Two float64. */
  start: 8_192,
  /** Float64. */
  debtMargin: 8_208,
  found: 16_384,
} as const;

/** See sweep.wat for what it is given: addresses, but for the number of rows. */
export type Sweep = (
  amounts: number,
  keys: number,
  accounts: number,
  accountsEnd: number,
  rows: number,
  found: number,
) => number;

/** A memory of one page and the sweep over it. */
export function createSweep(): [memory: ColumnMemory, sweep: Sweep] {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const bytes = Uint8Array.from(atob(sweepBinary), (byte) => byte.charCodeAt(0));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { columns: { memory } });
  return [memory, (exports as { sweep: Sweep }).sweep];
}
