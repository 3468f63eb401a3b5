import { expect } from "chai";
import { Result, ZeroAddress } from "ethers";

import {
  type AccountId,
  ContractError as RaisedError,
  type Place,
  accountId,
  place,
  withDecodedErrors,
} from "../../../sdk/index.js";
import { ContractError } from "../../../sdk/risk/ContractError.js";
import * as CashBook from "../../../sdk/risk/libraries/CashBook.js";
import * as CollateralSale from "../../../sdk/risk/libraries/CollateralSale.js";
import * as PartialLiquidation from "../../../sdk/risk/libraries/PartialLiquidation.js";
import * as PoolResolution from "../../../sdk/risk/libraries/PoolResolution.js";
import * as Waterfall from "../../../sdk/risk/libraries/Waterfall.js";
import type { AssetSet } from "../../../sdk/risk/types/AssetSet.js";
import * as Price from "../../../sdk/risk/types/Price.js";
import {
  type Context,
  type Vault,
  type VaultEvent,
  VaultStorage,
  type Words,
} from "../../../sdk/risk/types/VaultStorage.js";
import { MarginVault__factory } from "../../../typechain-types/index.js";
import { readStorage } from "../../helpers/vaultStorage.js";
import type { Signer, World } from "../../helpers/world.js";

/** One word of a storage. */
interface Cell {
  get(): bigint;
  set(word: bigint): void;
}

const entry = <K, W extends bigint>(words: Words<K, W>, key: K): Cell => ({
  get: () => words.get(key),
  set: (word) => words.set(key, word as W),
});

const nested = <A, B, W extends bigint>(
  words: { get(a: A, b: B): W; set(a: A, b: B, word: W): void },
  a: A,
  b: B,
): Cell => ({ get: () => words.get(a, b), set: (word) => words.set(a, b, word as W) });

const member = (owner: object, name: string): Cell => ({
  get: () => Reflect.get(owner, name) as bigint,
  set: (word) => Reflect.set(owner, name, word),
});

const marketWords = ["state", "totals", "risk", "terms", "discount", "longSide", "shortSide", "epochs"] as const;
const vaultWords = [
  "accountRisk",
  "rewardBudget",
  "capital",
  "cashIndices",
  "cashTotals",
  "badDebt",
  "cashTerms",
  "poolLosses",
  "writeOffs",
] as const;

/** Cash held, interest not swept, and how many markets and collaterals there are: one slot. */
const counts = (storage: VaultStorage): Cell => ({
  get: () =>
    storage.cashHeld |
    (storage.interestUnswept << 128n) |
    (BigInt(storage.marketCount) << 240n) |
    (BigInt(storage.collateralCount) << 248n),
  set(word) {
    storage.cashHeld = BigInt.asUintN(128, word);
    storage.interestUnswept = BigInt.asUintN(112, word >> 128n);
    storage.marketCount = Number((word >> 240n) & 0xffn);
    storage.collateralCount = Number(word >> 248n);
  },
});

/** What a vault may have something of. */
interface Extent {
  readonly accounts: readonly AccountId[];
  readonly markets: number;
  readonly collaterals: readonly string[];
  /** Market, side and number of each ended epoch. */
  readonly ends: readonly (readonly [market: number, side: "long" | "short", epoch: number])[];
}

/** Every word that a liquidation reads or writes, and where the chain keeps it. */
function cellsOf(storage: VaultStorage, { accounts, markets, collaterals, ends }: Extent): [Place, Cell][] {
  const ids = Array.from({ length: markets }, (_, id) => id);
  return [
    ...vaultWords.map((name): [Place, Cell] => [place[name], member(storage, name)]),
    [place.counts, counts(storage)],
    [
      place.borrowingHalted,
      { get: () => BigInt(storage.borrowingHalted), set: (word) => (storage.borrowingHalted = word !== 0n) },
    ],
    ...accounts.flatMap((id): [Place, Cell][] => [
      [place.account(id), entry(storage.accounts, id)],
      ...ids.map((market): [Place, Cell] => [place.position(id, market), nested(storage.positions, id, market)]),
      ...collaterals.map((_, i): [Place, Cell] => [place.collateralOf(id, i), nested(storage.collateralOf, id, i)]),
    ]),
    ...ids.flatMap((id) =>
      marketWords.map((name): [Place, Cell] => [place.market(id, name), member(storage.markets(id), name)]),
    ),
    ...ends.map(([id, side, epoch]): [Place, Cell] => [
      place.epochEnd(id, side, epoch),
      entry(storage.markets(id).ends, (epoch << 1) | (side === "long" ? 1 : 0)),
    ]),
    ...collaterals.flatMap((_, index): [Place, Cell][] => [
      [place.collateral(index), entry(storage.collaterals, index)],
      [place.collateralDiscount(index), entry(storage.collateralDiscounts, index)],
      [place.stockSince(index), entry(storage.stockSince, index)],
    ]),
  ];
}

/** What the vault's log has told of so far. */
async function extentOf({ ballast, deployment }: World): Promise<Extent> {
  const events = await ballast.events(0);
  const accounts = events
    .filter(({ name }) => name === "AccountChanged")
    .map(({ args }) => args["account"] as AccountId);
  const ended = events.filter(({ name }) => name === "EpochEnded");
  return {
    accounts: [...new Set(accounts)],
    markets: deployment.markets.length,
    collaterals: deployment.collaterals.map(({ address }) => address.toLowerCase()),
    ends: ended.map(({ args }) => [
      Number(args["market"]),
      args["long"] === true ? "long" : "short",
      Number(args["epoch"]),
    ]),
  };
}

/** What the chain has in these places, by their names. */
async function read({ connection, deployment }: World, places: readonly Place[]): Promise<Map<string, bigint>> {
  const slots = places.map(({ slot }) => slot);
  const request = (method: string, params: unknown[]) => connection.provider.request({ method, params });
  const words = await readStorage(request, deployment.vault, slots);
  return new Map(places.map(({ name }, i) => [name, words[i] ?? 0n]));
}

/** The acts of the waterfall by the names of their entry points; who may act for an account is not looked at. */
const acts = {
  liquidatePosition: ($: Vault, context: Context, args: readonly unknown[]) => {
    const [account, market, maxSizeWad, taker] = args as [AccountId, bigint, bigint, AccountId];
    PartialLiquidation.liquidatePosition($, context, account, Number(market), maxSizeWad, taker);
  },
  liquidateCollateral: ($: Vault, context: Context, args: readonly unknown[]) => {
    const [account, token, maxAmount, taker] = args as [AccountId, string, bigint, AccountId];
    const index = $.collateralIndexes(token.toLowerCase()) - 1;
    CollateralSale.liquidateCollateral($, context, account, index, maxAmount, taker);
  },
  absorb: ($: Vault, context: Context, args: readonly unknown[]) => {
    const [accounts, rewardTo] = args as [AccountId[], AccountId];
    Waterfall.absorb($, context, accounts, rewardTo);
  },
  buyCollateral: ($: Vault, context: Context, args: readonly unknown[]) => {
    const [buyer, token, amount, maxCostWad] = args as [AccountId, string, bigint, bigint];
    CollateralSale.buyCollateral($, context, buyer, $.collateralIndexes(token.toLowerCase()) - 1, amount, maxCostWad);
  },
  resolvePool: ($: Vault, context: Context) => PoolResolution.resolvePool($, context),
};
export type Act = keyof typeof acts;

/** Their previews; numbers of enums as the ABI has them. */
const previews = {
  previewLiquidation: ($: Vault, context: Context, args: readonly unknown[]) => {
    const [account, market, maxSizeWad, taker] = args as [AccountId, bigint, bigint, AccountId];
    const told = PartialLiquidation.previewLiquidation($, context, account, Number(market), maxSizeWad, taker);
    return { ...told, refusal: BigInt(told.refusal) };
  },
  previewAbsorb: ($: Vault, context: Context, args: readonly unknown[]) =>
    Waterfall.previewAbsorb($, context, args[0] as AccountId),
  previewBuyCollateral: ($: Vault, context: Context, args: readonly unknown[]) => {
    const [token, amount] = args as [string, bigint];
    return CollateralSale.previewBuyCollateral($, context, $.collateralIndexes(token.toLowerCase()) - 1, amount);
  },
};
export type Preview = keyof typeof previews;

/** What came of an act: its events, or its error. */
export interface Outcome {
  readonly events: readonly VaultEvent[];
  readonly error?: { readonly name: string; readonly args: Readonly<Record<string, unknown>> };
}

/** Values as the twin has them: hexadecimal in lower case, structs by name. */
function plain(value: unknown): unknown {
  if (typeof value === "string") return value.toLowerCase();
  return value instanceof Result ? value.toObject() : value;
}

const plainly = (args: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(args).map(([name, value]) => [name, plain(value)]));

async function outcomeOf(act: () => Promise<readonly VaultEvent[]>): Promise<Outcome> {
  try {
    return { events: await act() };
  } catch (error) {
    if (!(error instanceof ContractError || error instanceof RaisedError)) throw error;
    return { events: [], error: { name: error.errorName, args: plainly(error.args) } };
  }
}

/** The vault as the chain has it after the last block, in a transaction at a time (Unix seconds). */
async function twinOf(world: World, now: number, sender: string): Promise<[$: Vault, context: Context]> {
  const { deployment, ballast } = world;
  const extent = await extentOf(world);
  const storage = new VaultStorage();
  const cells = cellsOf(storage, extent);
  const words = await read(
    world,
    cells.map(([at]) => at),
  );
  for (const [{ name }, cell] of cells) cell.set(words.get(name) ?? 0n);
  for (const [index, token] of extent.collaterals.entries()) storage.setCollateralToken(index, token);

  const assets = [...deployment.markets.keys(), ...deployment.collaterals.map((_, index) => 96 + index)];
  const prices = new Map<number, Price.Price>();
  for (const asset of assets) {
    const [word = 0n] = await ballast.oracle.lastPrices(1n << BigInt(asset));
    prices.set(asset, Price.asOf(Price.bare(word as Price.Price), BigInt(now)));
  }
  const pricesOf = (set: AssetSet) =>
    assets.filter((asset) => (set >> BigInt(asset)) & 1n).map((asset) => prices.get(asset) ?? (0n as Price.Price));

  const $ = storage.fork(BigInt(now), sender.toLowerCase());
  const context: Context = {
    oracle: { lastPrices: pricesOf, prices: pricesOf, mostTolerance: () => 0n },
    pool: accountId(deployment.pool),
    insurance: accountId(deployment.vault),
    settlementToken: deployment.settlementToken.address.toLowerCase(),
    cashUnit: 10n ** BigInt(18 - deployment.settlementToken.decimals),
    cash: CashBook.open($),
  };
  return [$, context];
}

/**
 * Does something in the twin, on the chain's storage and at the next block's time, then on the chain; expects the same events in the same
 * order, or the same error, and the same storage after it.
 */
export async function actTwice(world: World, caller: Signer, act: Act, args: readonly unknown[]): Promise<Outcome> {
  const { time } = world.connection.networkHelpers;
  const now = (await time.latest()) + 1;
  const [$, context] = await twinOf(world, now, caller.address);
  const mirrored = await outcomeOf(async () => {
    acts[act]($, context, args);
    return $.events;
  });

  await time.setNextBlockTimestamp(now);
  const vault = MarginVault__factory.connect(world.deployment.vault, caller);
  const happened = await outcomeOf(async () => {
    const sent = await withDecodedErrors(() => vault.getFunction(act)(...args, { gasLimit: 15_000_000n }));
    const receipt = await (sent as { wait(): Promise<{ blockNumber: number }> }).wait();
    const events = await world.ballast.events(receipt.blockNumber);
    return events.map((event) => ({ name: event.name, args: plainly(event.args) }));
  });
  expect(mirrored, act).to.deep.equal(happened);

  const cells = cellsOf($, await extentOf(world));
  const words = await read(
    world,
    cells.map(([at]) => at),
  );
  if (happened.error === undefined) {
    const mine = new Map(cells.map(([{ name }, cell]) => [name, cell.get()]));
    expect(mine, `storage after ${act}`).to.deep.equal(words);
  }
  return happened;
}

/** Previews an act in the twin and on the chain, at the last block's time; expects the same answer. */
export async function previewTwice(world: World, preview: Preview, args: readonly unknown[]): Promise<unknown> {
  const blockTag = await world.ballast.provider.getBlockNumber();
  const [$, context] = await twinOf(world, await world.connection.networkHelpers.time.latest(), ZeroAddress);
  const told: unknown = await world.ballast.vault.getFunction(preview).staticCall(...args, { blockTag });
  const answer = told instanceof Result ? (told.toObject(true) as unknown) : told;
  expect(previews[preview]($, context, args), preview).to.deep.equal(answer);
  return answer;
}
