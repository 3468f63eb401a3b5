import { AbiCoder, keccak256, toBeHex } from "ethers";

import { type AccountId, type Ledger, decodeEpochs, epochEndKey } from "../../sdk/index.js";

/** A slot of the vault's storage by what stands in it. The layout is contracts/types/VaultStorage.sol's; see storageLayout.test.ts. */
export interface Place {
  readonly name: string;
  readonly slot: string;
}

/** Hashed only where somebody asks for the slot. */
const placeAt = (name: string, slot: () => string): Place => ({
  name,
  get slot() {
    return slot();
  },
});

const abi = AbiCoder.defaultAbiCoder();
const slotOf = (number: bigint) => toBeHex(number, 32);
const entry = (key: bigint | string, mapping: string) => keccak256(abi.encode(["uint256", "bytes32"], [key, mapping]));
const after = (slot: string, slots: number) => slotOf(BigInt(slot) + BigInt(slots));

/** Slot of VaultStorage: the access manager's comes before it. */
const first = 1;
const at = (member: number) => slotOf(BigInt(first + member));
/** Slots 0 to 7 of a market. */
const marketWords = ["state", "totals", "risk", "terms", "discount", "longSide", "shortSide", "epochs"] as const;
const marketEnds = 8;
/** Slots 0 to 2 of a ramp. */
const rampWords = ["from", "to", "clock"] as const;
type RampWord = (typeof rampWords)[number];
const sides = { long: true, short: false } as const;

export const place = {
  authority: placeAt("authority", () => slotOf(0n)),
  account: (id: AccountId) => placeAt(`account ${id}`, () => entry(id, at(0))),
  position: (id: AccountId, market: number) =>
    placeAt(`position ${id} ${market}`, () => entry(BigInt(market), entry(id, at(1)))),
  collateralOf: (id: AccountId, index: number) =>
    placeAt(`collateral ${id} ${index}`, () => entry(BigInt(index), entry(id, at(2)))),
  market: (id: number, word: (typeof marketWords)[number]) =>
    placeAt(`${word} ${id}`, () => after(entry(BigInt(id), at(3)), marketWords.indexOf(word))),
  epochEnd: (id: number, side: keyof typeof sides, epoch: number) =>
    placeAt(`end of ${side} epoch ${epoch} ${id}`, () =>
      entry(BigInt(epochEndKey(sides[side], epoch)), after(entry(BigInt(id), at(3)), marketEnds)),
    ),
  collateral: (index: number) => placeAt(`collateral ${index}`, () => entry(BigInt(index), at(4))),
  collateralToken: (index: number) => placeAt(`token ${index}`, () => entry(BigInt(index), at(5))),
  collateralIndex: (token: string) => placeAt(`index of ${token.toLowerCase()}`, () => entry(token, at(6))),
  collateralDiscount: (index: number) => placeAt(`discount of collateral ${index}`, () => entry(BigInt(index), at(14))),
  stockSince: (index: number) => placeAt(`stock since ${index}`, () => entry(BigInt(index), at(15))),
  accountRisk: placeAt("account risk", () => at(7)),
  rewardBudget: placeAt("reward budget", () => at(8)),
  capital: placeAt("capital", () => at(9)),
  cashIndices: placeAt("cash indices", () => at(10)),
  cashTotals: placeAt("cash totals", () => at(11)),
  /** Cash held (128 bits), interest not swept (112 bits), then how many markets and collaterals there are. */
  counts: placeAt("cash held, interest and counts", () => at(12)),
  badDebt: placeAt("bad debt", () => at(13)),
  cashTerms: placeAt("cash terms", () => at(16)),
  poolLosses: placeAt("pool losses", () => at(17)),
  writeOffs: placeAt("write-offs", () => at(18)),
  marketRamp: (id: number, word: RampWord) =>
    placeAt(`ramp ${word} ${id}`, () => after(entry(BigInt(id), at(22)), rampWords.indexOf(word))),
  collateralRamp: (index: number, word: RampWord) =>
    placeAt(`ramp ${word} of collateral ${index}`, () => after(entry(BigInt(index), at(23)), rampWords.indexOf(word))),
  accountRamp: (word: RampWord) => placeAt(`ramp ${word} of accounts`, () => after(at(24), rampWords.indexOf(word))),
} as const;

/** What a vault may have something of: accounts, so many markets, collaterals by index, and ended epochs. */
export interface Extent {
  readonly accounts: Iterable<AccountId>;
  readonly markets: number;
  /** How many epochs of each side have ended, by market. By default none. */
  readonly ended?: ReadonlyMap<number, Readonly<Record<keyof typeof sides, number>>>;
  readonly collaterals: readonly string[];
}

/** Every place that a vault of this extent may write to: of each account every market and every collateral. */
export function placesOf({ accounts, markets, ended = new Map(), collaterals }: Extent): Place[] {
  const ids = Array.from({ length: markets }, (_, id) => id);
  return [
    place.authority,
    ...[...accounts].flatMap((id) => [
      place.account(id),
      ...ids.map((market) => place.position(id, market)),
      ...collaterals.map((_, index) => place.collateralOf(id, index)),
    ]),
    ...ids.flatMap((id) => marketWords.map((word) => place.market(id, word))),
    ...ids.flatMap((id) => rampWords.map((word) => place.marketRamp(id, word))),
    ...[...ended].flatMap(([id, { long, short }]) => [
      ...Array.from({ length: long }, (_, epoch) => place.epochEnd(id, "long", epoch)),
      ...Array.from({ length: short }, (_, epoch) => place.epochEnd(id, "short", epoch)),
    ]),
    ...collaterals.flatMap((token, index) => [
      place.collateral(index),
      place.collateralToken(index),
      place.collateralIndex(token),
      place.collateralDiscount(index),
      place.stockSince(index),
      ...rampWords.map((word) => place.collateralRamp(index, word)),
    ]),
    place.accountRisk,
    place.rewardBudget,
    place.capital,
    place.cashIndices,
    place.cashTotals,
    place.counts,
    place.badDebt,
    place.cashTerms,
    place.poolLosses,
    place.writeOffs,
    ...rampWords.map((word) => place.accountRamp(word)),
  ];
}

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
