import { type Rows, cashKey, collateralKey, positionKey } from "./rows.js";
import { wordBytes } from "./packed.js";

const two32 = 2 ** 32;

/**
 * What `readRows` reads from the books, from the packed words of an account and many times as fast; each amount is off by two units in the
 * last place of a float at most.
 *
 * @param at address of the account's word
 * @param isPresent whether this is the present epoch of a market's side
 * @returns the same as `readRows`; undefined where a position is of another epoch, and is to be converted
 */
export function readPackedRows(
  rows: Rows,
  view: DataView,
  at: number,
  isPresent: (market: number, isLong: boolean, epoch: number) => boolean,
): boolean | undefined {
  rows.clear();
  const principal = signed120(view, at + 17);
  const markets = [view.getUint32(at + 13), view.getUint32(at + 9), view.getUint32(at + 5)];
  const collaterals = view.getUint32(at + 1);
  if (principal >= 0 && markets.every((bits) => bits === 0)) return false;
  // Costs are added up exactly, 32 bits at a time: large ones of opposite signs may leave little.
  let [c3, c2, c1, c0] = [0, 0, 0, 0];
  for (let i = 0; i < 3; ++i) {
    for (let bits = markets[i] ?? 0; bits !== 0; bits &= bits - 1) {
      at += wordBytes;
      const market = 32 * i + lowestBit(bits);
      const shares = signed120(view, at + 17);
      if (shares !== 0 && !isPresent(market, shares > 0, view.getUint16(at))) return undefined;
      rows.add(positionKey(market, shares > 0), Math.abs(shares));
      c3 += signed24(view, at + 2);
      c2 += view.getUint32(at + 5);
      c1 += view.getUint32(at + 9);
      c0 += view.getUint32(at + 13);
    }
  }
  for (let bits = collaterals; bits !== 0; bits &= bits - 1) {
    at += wordBytes;
    const [a, b] = [view.getUint32(at + 16), view.getUint32(at + 20)];
    rows.add(collateralKey(lowestBit(bits)), joined(a, b, view.getUint32(at + 24), view.getUint32(at + 28)));
  }
  c1 += Math.floor(c0 / two32);
  c2 += Math.floor(c1 / two32);
  c3 += Math.floor(c2 / two32);
  const costs = joined(c3, c2 % two32, c1 % two32, c0 % two32);
  rows.add(principal < 0 ? cashKey.owed : cashKey.supplied, Math.abs(principal));
  rows.add(costs < 0 ? cashKey.received : cashKey.paid, Math.abs(costs));
  return true;
}

function signed120(view: DataView, at: number): number {
  return joined(signed24(view, at), view.getUint32(at + 3), view.getUint32(at + 7), view.getUint32(at + 11));
}

function signed24(view: DataView, at: number): number {
  return (view.getInt16(at) << 8) | view.getUint8(at + 2);
}

/**
 * Exact up to the first sum of more than 53 bits. What is rounded there is not small against what follows, so that nothing cancels: one
 * rounding there and one in the next sum.
 */
function joined(a: number, b: number, c: number, d: number): number {
  return ((a * two32 + b) * two32 + c) * two32 + d;
}

function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}
