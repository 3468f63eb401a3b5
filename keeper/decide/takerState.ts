import { type AccountId, toHealth } from "../../sdk/index.js";
import * as MarginVault from "../../sdk/risk/MarginVault.js";
import { accountIdOf } from "../../sdk/risk/types/AccountId.js";
import * as AccountWord from "../../sdk/risk/types/AccountWord.js";
import * as AssetSet from "../../sdk/risk/types/AssetSet.js";
import * as MarketWords from "../../sdk/risk/types/MarketWords.js";
import * as Price from "../../sdk/risk/types/Price.js";
import type { MarketTerms, TakerState } from "./inventory.js";
import type { Books } from "./trial.js";

/** How the taker stands in the books, with the terms of these markets and of those where it has a position. */
export function readTaker(books: Books, account: AccountId, markets: readonly number[] = []): TakerState {
  const { $, code } = books;
  const held = marketsHeld(books, account);
  const asked = [...new Set([...held, ...markets])].toSorted((a, b) => a - b);
  return {
    account,
    health: toHealth(MarginVault.health($, code, account)),
    sizesWad: new Map(held.map((id) => [id, MarginVault.position($, code, account, id).sizeWad])),
    terms: new Map(asked.map((id) => [id, termsOf(books, id)])),
  };
}

/** Markets in which an account has a position, ascending. */
export function marketsHeld({ $ }: Books, account: AccountId): number[] {
  return bitsOf(AccountWord.marketBits($.accounts.get(account)));
}

/** Indexes of the collaterals that an account has, ascending. */
export function collateralsHeld({ $ }: Books, account: AccountId): number[] {
  return bitsOf(AssetSet.collaterals(AccountWord.assets($.accounts.get(account))));
}

/** The price of an asset. */
export function priceOf({ code }: Books, asset: number): Price.Price {
  return code.oracle.lastPrices(AssetSet.onlyAsset(asset))[0] ?? (0n as Price.Price);
}

/** The first account of whoever sends. */
export function senderAccount({ $ }: Books): AccountId {
  return accountIdOf($.sender, 0n);
}

function termsOf(books: Books, id: number): MarketTerms {
  const { $, code } = books;
  const { risk, terms } = $.markets(id);
  const price = priceOf(books, AssetSet.marketAsset(id));
  return {
    priceWad: Price.value(price),
    toleranceWad: Price.tolerance(price),
    isFresh: Price.isFresh(price),
    isReduceOnly: Price.isUsable(price) && !Price.isFresh(price),
    initialBaseWad: MarketWords.initialBase(risk),
    lambdaInitialWad: MarketWords.lambdaInitial(risk),
    takerRateWad: MarketWords.takerRate(terms),
    minimumSizeWad: MarketWords.minimumSize(terms),
    skewWad: -MarginVault.position($, code, code.pool, id).sizeWad,
    skewScaleWad: MarketWords.skewScale(risk),
  };
}

function bitsOf(set: bigint): number[] {
  const bits: number[] = [];
  for (let rest = set; rest !== 0n; rest &= rest - 1n) bits.push(AssetSet.lowestBit(rest));
  return bits;
}
