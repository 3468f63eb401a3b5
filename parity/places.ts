import { type AccountId, type Place, place } from "../sdk/index.js";
import * as Sides from "../sdk/risk/libraries/Sides.js";
import type { Market, VaultStorage } from "../sdk/risk/types/VaultStorage.js";

/** How many of each a state can have. One more can be listed. */
export const mostMarkets = 5;
export const mostCollaterals = 3;
/** Epochs of a side that can have ended before a case; one more can end in it. */
export const mostEpochs = 10;

const marketCount = mostMarkets + 1;
const collateralCount = mostCollaterals + 1;

/** A slot that a case may read or write, and what the mirror has there. */
export interface CastPlace {
  readonly name: string;
  readonly slot: string;
  /** What it belongs to: the ends of its epochs are looked at where an act can end one. */
  readonly of: { readonly market?: number; readonly collateral?: number; readonly isEnd?: boolean };
  read(storage: VaultStorage): bigint;
  write(storage: VaultStorage, word: bigint): void;
}

/** Who and what plays in a house. */
export interface Cast {
  /** Pool and insurance among them. */
  readonly accounts: readonly AccountId[];
  /** Owners, and who may be an operator; lower case. */
  readonly callers: readonly string[];
  /** Lower case. */
  readonly tokens: readonly string[];
}

/** What stands in the vault as a word of its own. */
type WordKey =
  | "accountRisk"
  | "rewardBudget"
  | "capital"
  | "cashIndices"
  | "cashTotals"
  | "badDebt"
  | "cashTerms"
  | "poolLosses"
  | "writeOffs";
type MarketWord = Exclude<keyof Market, "ends">;
const marketWords: readonly MarketWord[] = [
  "state",
  "totals",
  "risk",
  "terms",
  "discount",
  "longSide",
  "shortSide",
  "epochs",
];
const rampWords = ["from", "to", "clock"] as const;

/** Everything that a case of this cast can write, in the order in which cases name it. Hashed here once and for all. */
export function castPlaces({ accounts, callers, tokens }: Cast): CastPlace[] {
  const places: CastPlace[] = [];
  let of: CastPlace["of"] = {};
  const add = ({ name, slot }: Place, read: CastPlace["read"], write: CastPlace["write"]) =>
    places.push({ name, slot, of, read, write });
  const addWord = (at: Place, key: WordKey) =>
    add(
      at,
      (storage) => storage[key],
      (storage, word) => (storage[key] = word as never),
    );
  const numbers = (count: number) => Array.from({ length: count }, (_, number) => number);

  // First, because the list stands as code, which must not begin with 0xef: the slot of a member of the vault is a small number.
  addWord(place.accountRisk, "accountRisk");
  addWord(place.rewardBudget, "rewardBudget");
  addWord(place.capital, "capital");
  addWord(place.cashIndices, "cashIndices");
  addWord(place.cashTotals, "cashTotals");
  add(place.counts, countsOf, (storage, word) => {
    storage.cashHeld = BigInt.asUintN(128, word);
    storage.interestUnswept = BigInt.asUintN(112, word >> 128n);
    storage.marketCount = Number(BigInt.asUintN(8, word >> 240n));
    storage.collateralCount = Number(word >> 248n);
  });
  addWord(place.badDebt, "badDebt");
  addWord(place.cashTerms, "cashTerms");
  addWord(place.poolLosses, "poolLosses");
  addWord(place.writeOffs, "writeOffs");
  add(
    place.borrowingHalted,
    (storage) => (storage.borrowingHalted ? 1n : 0n),
    (storage, word) => (storage.borrowingHalted = word !== 0n),
  );
  for (const word of rampWords) {
    add(
      place.accountRamp(word),
      (storage) => storage.accountRamp[word],
      (storage, value) => (storage.accountRamp[word] = value as never),
    );
  }
  for (const id of accounts) {
    add(
      place.account(id),
      (storage) => storage.accounts.get(id),
      (storage, word) => storage.accounts.set(id, word as never),
    );
    for (const market of numbers(marketCount)) {
      add(
        place.position(id, market),
        (storage) => storage.positions.get(id, market),
        (storage, word) => storage.positions.set(id, market, word as never),
      );
    }
    for (const index of numbers(collateralCount)) {
      add(
        place.collateralOf(id, index),
        (storage) => storage.collateralOf.get(id, index),
        (storage, word) => storage.collateralOf.set(id, index, word),
      );
    }
    for (const operator of callers) {
      add(
        place.permissionsOf(id, operator),
        (storage) => storage.permissionsOf.get(id, operator),
        (storage, word) => storage.permissionsOf.set(id, operator, word),
      );
    }
  }
  for (const owner of callers) {
    add(
      place.nonce(owner),
      (storage) => storage.nonces.get(owner),
      (storage, word) => storage.nonces.set(owner, word),
    );
  }
  for (const id of numbers(marketCount)) {
    of = { market: id };
    for (const word of marketWords) {
      add(
        place.market(id, word),
        (storage) => storage.markets(id)[word],
        (storage, value) => (storage.markets(id)[word] = value as never),
      );
    }
    for (const word of rampWords) {
      add(
        place.marketRamp(id, word),
        (storage) => storage.marketRamps(id)[word],
        (storage, value) => (storage.marketRamps(id)[word] = value as never),
      );
    }
    of = { market: id, isEnd: true };
    for (const side of ["long", "short"] as const) {
      for (const epoch of numbers(mostEpochs + 1)) {
        const key = Sides.endKey(side === "long", BigInt(epoch));
        add(
          place.epochEnd(id, side, epoch),
          (storage) => storage.markets(id).ends.get(key),
          (storage, word) => storage.markets(id).ends.set(key, word as never),
        );
      }
    }
  }
  for (const index of numbers(collateralCount)) {
    of = { collateral: index };
    add(
      place.collateral(index),
      (storage) => storage.collaterals.get(index),
      (storage, word) => storage.collaterals.set(index, word as never),
    );
    add(
      place.collateralToken(index),
      (storage) => BigInt(storage.collateralTokens(index)),
      (storage, word) => {
        if (word !== 0n) storage.setCollateralToken(index, addressOf(word));
      },
    );
    add(
      place.collateralDiscount(index),
      (storage) => storage.collateralDiscounts.get(index),
      (storage, word) => storage.collateralDiscounts.set(index, word as never),
    );
    add(
      place.stockSince(index),
      (storage) => storage.stockSince.get(index),
      (storage, word) => storage.stockSince.set(index, word),
    );
    for (const word of rampWords) {
      add(
        place.collateralRamp(index, word),
        (storage) => storage.collateralRamps(index)[word],
        (storage, value) => (storage.collateralRamps(index)[word] = value as never),
      );
    }
  }
  of = {};
  for (const token of tokens) {
    add(
      place.collateralIndex(token),
      (storage) => BigInt(storage.collateralIndexes(token)),
      () => undefined, // follows from the token of the index
    );
  }
  return places;
}

function countsOf({ cashHeld, interestUnswept, marketCount, collateralCount }: VaultStorage): bigint {
  return cashHeld | (interestUnswept << 128n) | (BigInt(marketCount) << 240n) | (BigInt(collateralCount) << 248n);
}

function addressOf(word: bigint): string {
  return `0x${word.toString(16).padStart(40, "0")}`;
}
