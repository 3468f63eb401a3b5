import { AbiCoder, keccak256, toBeHex } from "ethers";

import type { AccountId } from "./accounts.js";
import { epochEndKey } from "./words.js";

/** A slot of the vault's storage by what stands in it. The layout is contracts/types/VaultStorage.sol's. */
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
export const marketWords = ["state", "totals", "risk", "terms", "discount", "longSide", "shortSide", "epochs"] as const;
const marketEnds = 8;
/** Slots 0 to 2 of a ramp. */
export const rampWords = ["from", "to", "clock"] as const;
export type RampWord = (typeof rampWords)[number];
const sides = { long: true, short: false } as const;

/** Where the vault keeps what; `extsload` reads it. */
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
  permissionsOf: (id: AccountId, operator: string) =>
    placeAt(`permissions ${id} ${operator.toLowerCase()}`, () => entry(operator, entry(id, at(19)))),
  nonce: (owner: string) => placeAt(`nonce ${owner.toLowerCase()}`, () => entry(owner, at(20))),
  borrowingHalted: placeAt("borrowing halted", () => at(21)),
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
  /** With the accounts that gave them permissions. By default none. */
  readonly operators?: Iterable<readonly [account: AccountId, operator: string]>;
  /** Who signed grants, or revoked them. By default none. */
  readonly signers?: Iterable<string>;
}

/** Every place that a vault of this extent may write to: of each account every market and every collateral. */
export function placesOf(extent: Extent): Place[] {
  const { accounts, markets, ended = new Map(), collaterals, operators = [], signers = [] } = extent;
  const ids = Array.from({ length: markets }, (_, id) => id);
  return [
    place.authority,
    ...[...accounts].flatMap((id) => [
      place.account(id),
      ...ids.map((market) => place.position(id, market)),
      ...collaterals.map((_, index) => place.collateralOf(id, index)),
    ]),
    ...[...operators].map(([id, operator]) => place.permissionsOf(id, operator)),
    ...[...signers].map((owner) => place.nonce(owner)),
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
    place.borrowingHalted,
    ...rampWords.map((word) => place.accountRamp(word)),
  ];
}
