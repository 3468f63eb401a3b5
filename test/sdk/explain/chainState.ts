import { State } from "../../../sdk/client/state.js";
import { TokenBook } from "../../../sdk/client/tokens.js";
import { type AccountId, accountId, ownerOf, place } from "../../../sdk/index.js";
import * as AssetSet from "../../../sdk/risk/types/AssetSet.js";
import * as MarketWords from "../../../sdk/risk/types/MarketWords.js";
import type { Price } from "../../../sdk/risk/types/Price.js";
import { VaultStorage } from "../../../sdk/risk/types/VaultStorage.js";
import { MockToken__factory } from "../../../typechain-types/index.js";
import type { World } from "../../helpers/world.js";

const marketWords = ["state", "totals", "risk", "terms", "discount", "longSide", "shortSide", "epochs"] as const;
const rampWords = ["from", "to", "clock"] as const;

/** Everything of the latest block, as far as it concerns these accounts. */
export async function chainState(world: World, accounts: readonly AccountId[]): Promise<State> {
  const { ballast, deployment } = world;
  const block = await ballast.provider.getBlock("latest");
  if (block?.hash === null || block === null) throw new TypeError("the chain has no block");
  const storage = new VaultStorage();
  const slots: string[] = [];
  const sinks: ((word: bigint) => void)[] = [];
  // Words are branded; what a slot holds is known here alone.
  const want = (slot: string, sink: (word: never) => void) => {
    slots.push(slot);
    sinks.push(sink as (word: bigint) => void);
  };
  const read = async () => {
    const words = await ballast.vault.extsload(slots.splice(0), { blockTag: block.number });
    for (const [i, sink] of sinks.splice(0).entries()) sink(BigInt(words[i] ?? 0n));
  };

  const all = [...new Set([...accounts, accountId(deployment.pool), accountId(deployment.vault)])];
  const markets = deployment.markets.map((_, id) => id);
  const collaterals = deployment.collaterals.map(({ address }) => address.toLowerCase());
  for (const id of all) {
    want(place.account(id).slot, (word) => storage.accounts.set(id, word));
    for (const market of markets) {
      want(place.position(id, market).slot, (word) => storage.positions.set(id, market, word));
    }
    for (const index of collaterals.keys()) {
      want(place.collateralOf(id, index).slot, (word) => storage.collateralOf.set(id, index, word));
    }
  }
  for (const id of markets) {
    for (const name of marketWords) want(place.market(id, name).slot, (word) => (storage.markets(id)[name] = word));
    for (const name of rampWords) {
      want(place.marketRamp(id, name).slot, (word) => (storage.marketRamps(id)[name] = word));
    }
  }
  for (const [index, token] of collaterals.entries()) {
    storage.setCollateralToken(index, token);
    want(place.collateral(index).slot, (word) => storage.collaterals.set(index, word));
    want(place.collateralDiscount(index).slot, (word) => storage.collateralDiscounts.set(index, word));
    want(place.stockSince(index).slot, (word) => storage.stockSince.set(index, word));
    for (const name of rampWords) {
      want(place.collateralRamp(index, name).slot, (word) => (storage.collateralRamps(index)[name] = word));
    }
  }
  for (const name of [
    "accountRisk",
    "rewardBudget",
    "capital",
    "cashIndices",
    "cashTotals",
    "badDebt",
    "cashTerms",
    "poolLosses",
    "writeOffs",
  ] as const) {
    want(place[name].slot, (word) => (storage[name] = word));
  }
  for (const name of rampWords) want(place.accountRamp(name).slot, (word) => (storage.accountRamp[name] = word));
  want(place.counts.slot, (word: bigint) => {
    storage.cashHeld = word & ((1n << 128n) - 1n);
    storage.interestUnswept = (word >> 128n) & ((1n << 112n) - 1n);
    storage.marketCount = Number((word >> 240n) & 0xffn);
    storage.collateralCount = Number(word >> 248n);
  });
  want(place.borrowingHalted.slot, (word: bigint) => (storage.borrowingHalted = word !== 0n));
  await read();
  for (const id of markets) {
    const { epochs, ends } = storage.markets(id);
    for (const long of [true, false]) {
      for (let epoch = 0; epoch < Number(MarketWords.epochOf(epochs, long)); ++epoch) {
        want(place.epochEnd(id, long ? "long" : "short", epoch).slot, (word) =>
          ends.set((epoch << 1) | Number(long), word),
        );
      }
    }
  }
  await read();

  const assets = [...markets, ...collaterals.map((_, index) => AssetSet.MAX_MARKETS + index)];
  const set = assets.reduce((bits, asset) => bits | (1n << BigInt(asset)), 0n);
  const answers = await ballast.oracle.lastPrices(set, { blockTag: block.number });
  const prices = new Map(assets.map((asset, i) => [asset, (answers[i] ?? 0n) as Price]));
  const tokens = new TokenBook();
  for (const token of [deployment.settlementToken.address, ...collaterals]) {
    const erc20 = MockToken__factory.connect(token, world.admin);
    tokens.balances.set(token.toLowerCase(), deployment.vault.toLowerCase(), await erc20.balanceOf(deployment.vault));
    for (const owner of new Set(accounts.map((account) => ownerOf(account)))) {
      tokens.balances.set(token.toLowerCase(), owner.toLowerCase(), await erc20.balanceOf(owner));
      tokens.allowances.set(token.toLowerCase(), owner.toLowerCase(), await erc20.allowance(owner, deployment.vault));
    }
  }
  return new State({
    block: { number: block.number, hash: block.hash, timestamp: block.timestamp },
    deployment,
    storage,
    prices,
    tokens,
  });
}
