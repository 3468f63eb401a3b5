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
  read(storage: VaultStorage): bigint;
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
  const add = ({ name, slot }: Place, read: (storage: VaultStorage) => bigint) => places.push({ name, slot, read });
  const numbers = (count: number) => Array.from({ length: count }, (_, number) => number);

  // First, because the list stands as code, which must not begin with 0xef: the slot of a member of the vault is a small number.
  add(place.accountRisk, (storage) => storage.accountRisk);
  add(place.rewardBudget, (storage) => storage.rewardBudget);
  add(place.capital, (storage) => storage.capital);
  add(place.cashIndices, (storage) => storage.cashIndices);
  add(place.cashTotals, (storage) => storage.cashTotals);
  add(place.counts, countsOf);
  add(place.badDebt, (storage) => storage.badDebt);
  add(place.cashTerms, (storage) => storage.cashTerms);
  add(place.poolLosses, (storage) => storage.poolLosses);
  add(place.writeOffs, (storage) => storage.writeOffs);
  add(place.borrowingHalted, (storage) => (storage.borrowingHalted ? 1n : 0n));
  for (const word of rampWords) add(place.accountRamp(word), (storage) => storage.accountRamp[word]);
  for (const id of accounts) {
    add(place.account(id), (storage) => storage.accounts.get(id));
    for (const market of numbers(marketCount)) {
      add(place.position(id, market), (storage) => storage.positions.get(id, market));
    }
    for (const index of numbers(collateralCount)) {
      add(place.collateralOf(id, index), (storage) => storage.collateralOf.get(id, index));
    }
    for (const operator of callers) {
      add(place.permissionsOf(id, operator), (storage) => storage.permissionsOf.get(id, operator));
    }
  }
  for (const owner of callers) add(place.nonce(owner), (storage) => storage.nonces.get(owner));
  for (const id of numbers(marketCount)) {
    for (const word of marketWords) add(place.market(id, word), (storage) => storage.markets(id)[word]);
    for (const word of rampWords) add(place.marketRamp(id, word), (storage) => storage.marketRamps(id)[word]);
    for (const side of ["long", "short"] as const) {
      for (const epoch of numbers(mostEpochs + 1)) {
        const key = Sides.endKey(side === "long", BigInt(epoch));
        add(place.epochEnd(id, side, epoch), (storage) => storage.markets(id).ends.get(key));
      }
    }
  }
  for (const index of numbers(collateralCount)) {
    add(place.collateral(index), (storage) => storage.collaterals.get(index));
    add(place.collateralToken(index), (storage) => BigInt(storage.collateralTokens(index)));
    add(place.collateralDiscount(index), (storage) => storage.collateralDiscounts.get(index));
    add(place.stockSince(index), (storage) => storage.stockSince.get(index));
    for (const word of rampWords) add(place.collateralRamp(index, word), (storage) => storage.collateralRamps(index)[word]);
  }
  for (const token of tokens) add(place.collateralIndex(token), (storage) => BigInt(storage.collateralIndexes(token)));
  return places;
}

function countsOf({ cashHeld, interestUnswept, marketCount, collateralCount }: VaultStorage): bigint {
  return cashHeld | (interestUnswept << 128n) | (BigInt(marketCount) << 240n) | (BigInt(collateralCount) << 248n);
}
