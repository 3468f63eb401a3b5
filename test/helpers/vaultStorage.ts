import { type Extent, type Ledger, type Place, decodeEpochs, place } from "../../sdk/index.js";

export { type Extent, type Place, place, placesOf } from "../../sdk/index.js";

const marketWords = ["state", "totals", "risk", "terms", "discount", "longSide", "shortSide", "epochs"] as const;
const rampWords = ["from", "to", "clock"] as const;

/** What the ledger has seen so far. */
export function extentOf({ accounts, markets, collaterals }: Ledger): Extent {
  const byIndex = [...collaterals].toSorted(([, a], [, b]) => a.index - b.index);
  return {
    accounts: accounts.keys(),
    markets: markets.size,
    ended: new Map([...markets].map(([id, { epochs }]) => [id, endedEpochs(epochs)])),
    collaterals: byIndex.map(([token]) => token),
  };
}

function endedEpochs(word: bigint) {
  const { longEpoch, shortEpoch } = decodeEpochs(word);
  return { long: longEpoch, short: shortEpoch };
}

/** The storage that the ledger tells, by the places' names; what is not there is zero. */
export function toldBy(ledger: Ledger): Map<string, bigint> {
  const { accounts, markets, collaterals } = ledger;
  const told = new Map<string, bigint>();
  const tell = ({ name }: Place, word: bigint) => told.set(name, word);
  tell(place.authority, ledger.authority);
  for (const [id, account] of accounts) {
    tell(place.account(id), account.word);
    for (const [market, word] of account.positions) tell(place.position(id, market), word);
    for (const [token, amount] of account.collaterals) {
      tell(place.collateralOf(id, collaterals.get(token)!.index), amount);
    }
  }
  for (const [id, market] of markets) {
    for (const word of marketWords) tell(place.market(id, word), market[word]);
    for (const word of rampWords) tell(place.marketRamp(id, word), market.ramp[word]);
    for (const [key, end] of market.ends) tell(place.epochEnd(id, key % 2 === 1 ? "long" : "short", key >> 1), end);
  }
  for (const [token, { index, word, discount, stockSince, ramp }] of collaterals) {
    for (const each of rampWords) tell(place.collateralRamp(index, each), ramp[each]);
    tell(place.collateral(index), word);
    tell(place.collateralDiscount(index), discount);
    tell(place.stockSince(index), stockSince);
    tell(place.collateralToken(index), BigInt(token));
    tell(place.collateralIndex(token), BigInt(index) + 1n);
  }
  tell(place.accountRisk, ledger.accountRisk);
  tell(place.rewardBudget, ledger.rewardBudget);
  tell(place.capital, ledger.capital);
  const { cash } = ledger;
  tell(place.cashIndices, cash.indices);
  tell(place.cashTotals, cash.totals);
  const counts = (BigInt(markets.size) << 240n) | (BigInt(collaterals.size) << 248n);
  tell(place.counts, ledger.cashHeld | (cash.interestUnsweptWad << 128n) | counts);
  tell(place.badDebt, cash.badDebtWad);
  tell(place.cashTerms, cash.terms);
  tell(place.poolLosses, cash.poolLosses);
  tell(place.writeOffs, cash.writeOffs);
  for (const word of rampWords) tell(place.accountRamp(word), ledger.accountRamp[word]);
  return told;
}

export interface Difference {
  readonly name: string;
  readonly told: bigint;
  /** Undefined: nobody looked there, since no account of the storage that was read can have it. */
  readonly stored: bigint | undefined;
}

/** Where the log and the storage (by the places' names) do not say the same. */
export function differences(told: ReadonlyMap<string, bigint>, stored: ReadonlyMap<string, bigint>): Difference[] {
  const found: Difference[] = [];
  for (const name of new Set([...told.keys(), ...stored.keys()])) {
    const [said, is] = [told.get(name) ?? 0n, stored.get(name)];
    if (said !== is) found.push({ name, told: said, stored: is });
  }
  return found;
}

export function sentence({ name, told, stored }: Difference): string {
  return `${name}: the log says ${told.toString(16)}, storage ${stored?.toString(16) ?? "was not read"}`;
}

/**
 * Replaces a contract's code in a call: answers every word of the call data with the storage word of that slot.
 *
 *     PUSH0  JUMPDEST(1)  DUP1 CALLDATASIZE GT ISZERO PUSH1(20) JUMPI
 *     DUP1 CALLDATALOAD SLOAD DUP2 MSTORE  PUSH1(32) ADD  PUSH1(1) JUMP  JUMPDEST(20)  CALLDATASIZE PUSH0 RETURN
 */
const storageReader = "0x5f5b8036111560145780355481526020016001565b365ff3";

/** The words of these slots after a block, in their order, in one call. */
export async function readStorage(
  request: (method: string, params: unknown[]) => Promise<unknown>,
  of: string,
  slots: readonly string[],
  block = "latest",
): Promise<bigint[]> {
  const data = `0x${slots.map((slot) => slot.slice(2)).join("")}`;
  const answer = await request("eth_call", [{ to: of, data }, block, { [of]: { code: storageReader } }]);
  return wordsOf(String(answer));
}

export function wordsOf(hex: string): bigint[] {
  const words: bigint[] = [];
  for (let start = 2; start < hex.length; start += 64) words.push(BigInt(`0x${hex.slice(start, start + 64)}`));
  return words;
}
