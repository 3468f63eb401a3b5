import type { AccountId } from "../accounts.js";
import type { VaultStorage } from "../risk/types/VaultStorage.js";
import { type Place, marketWords, place, rampWords } from "../slots.js";

/** A word of storage, and where it stands on chain. */
export interface PlacedWord {
  readonly place: Place;
  readonly word: bigint;
}

/** The words that no single account has: of markets, collaterals, cash, parameters. Almost every transaction changes one of them. */
export function sharedWords($: VaultStorage): PlacedWord[] {
  const words: PlacedWord[] = [];
  const tell = (at: Place, word: bigint) => words.push({ place: at, word });
  for (let id = 0; id < $.marketCount; id += 1) {
    const market = $.markets(id);
    const ramp = $.marketRamps(id);
    for (const word of marketWords) tell(place.market(id, word), market[word]);
    for (const word of rampWords) tell(place.marketRamp(id, word), ramp[word]);
    for (const key of market.ends.keys()) {
      tell(place.epochEnd(id, key % 2 === 1 ? "long" : "short", key >> 1), market.ends.get(key));
    }
  }
  for (let index = 0; index < $.collateralCount; index += 1) {
    const token = $.collateralTokens(index);
    const ramp = $.collateralRamps(index);
    for (const word of rampWords) tell(place.collateralRamp(index, word), ramp[word]);
    tell(place.collateral(index), $.collaterals.get(index));
    tell(place.collateralDiscount(index), $.collateralDiscounts.get(index));
    tell(place.stockSince(index), $.stockSince.get(index));
    tell(place.collateralToken(index), BigInt(token));
    tell(place.collateralIndex(token), BigInt($.collateralIndexes(token)));
  }
  tell(place.authority, $.authority);
  tell(place.accountRisk, $.accountRisk);
  tell(place.rewardBudget, $.rewardBudget);
  tell(place.capital, $.capital);
  tell(place.cashIndices, $.cashIndices);
  tell(place.cashTotals, $.cashTotals);
  const listed = (BigInt($.marketCount) << 240n) | (BigInt($.collateralCount) << 248n);
  tell(place.counts, $.cashHeld | ($.interestUnswept << 128n) | listed);
  tell(place.badDebt, $.badDebt);
  tell(place.cashTerms, $.cashTerms);
  tell(place.poolLosses, $.poolLosses);
  tell(place.writeOffs, $.writeOffs);
  tell(place.borrowingHalted, $.borrowingHalted ? 1n : 0n);
  for (const word of rampWords) tell(place.accountRamp(word), $.accountRamp[word]);
  for (const owner of $.nonces.keys()) tell(place.nonce(owner), $.nonces.get(owner));
  return words;
}

/** The account's own word, and what else it has that is not zero. */
export function accountWords($: VaultStorage, account: AccountId): PlacedWord[] {
  const words = [{ place: place.account(account), word: $.accounts.get(account) as bigint }];
  for (const market of $.positions.of(account)?.keys() ?? []) {
    words.push({ place: place.position(account, market), word: $.positions.get(account, market) });
  }
  for (const index of $.collateralOf.of(account)?.keys() ?? []) {
    words.push({ place: place.collateralOf(account, index), word: $.collateralOf.get(account, index) });
  }
  for (const operator of $.permissionsOf.of(account)?.keys() ?? []) {
    words.push({ place: place.permissionsOf(account, operator), word: $.permissionsOf.get(account, operator) });
  }
  return words;
}
