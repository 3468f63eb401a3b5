import { type Block, type BlockTag, Interface, type Provider, isCallException, isError } from "ethers";

import { type AccountId, accountId, lowerCaseAddress, normalizeAccount, ownerOf } from "../accounts.js";
import { contractAt } from "../contracts.js";
import { type Deployment, collateralAsset, marketAsset } from "../deployment.js";
import { NotDeployedError, withDecodedErrors } from "../errors.js";
import * as Sides from "../risk/libraries/Sides.js";
import * as AssetSet from "../risk/types/AssetSet.js";
import * as MarketWords from "../risk/types/MarketWords.js";
import * as Position from "../risk/types/Position.js";
import type { Price } from "../risk/types/Price.js";
import { VaultStorage } from "../risk/types/VaultStorage.js";
import { type Place, marketWords, place, rampWords } from "../slots.js";
import { type Call, type CallArgs, defaultSender, grantDigest } from "./calls.js";
import { NotReadError, ProviderLagError, ReorgError } from "./errors.js";
import { ReadNestedWords, ReadWords } from "./readWords.js";
import { State, type StateBlock, type Wallets, plainKeys } from "./state.js";
import { TokenBook } from "./tokens.js";

export interface ReadOptions {
  /** By default the latest. */
  readonly blockTag?: BlockTag;
  /** Who will call: permissions, nonce, tokens and allowances of theirs are read too. By default each call's own sender; see `defaultSender`. */
  readonly from?: string;
  /** Calls that will be simulated: what they touch is read too. */
  readonly calls?: readonly Call[];
}

/**
 * Reads all of one block that sdk/risk needs to know about these accounts: every market and collateral, prices, pool and insurance.
 *
 * Throws ProviderLagError where the provider does not have the block, ReorgError where the chain took it back while it was read, twice;
 * NotDeployedError, AccountIdError, AddressError. What was not read the state does not take for zero: asked for it, it throws NotReadError.
 */
export async function readState(
  provider: Provider,
  deployment: Deployment,
  accounts: readonly AccountId[],
  options: ReadOptions = {},
): Promise<State> {
  const { blockTag = "latest" } = options;
  const first = await readOnce(provider, deployment, accounts, options, await blockAt(provider, blockTag));
  if (first instanceof State) return first;
  const second = await readOnce(provider, deployment, accounts, options, await blockAt(provider, blockTag));
  if (second instanceof State) return second;
  throw second;
}

async function blockAt(provider: Provider, blockTag: BlockTag): Promise<StateBlock> {
  const block = await provider.getBlock(blockTag);
  return settled(block) ?? Promise.reject(new ProviderLagError(blockTag));
}

function settled(block: Block | null): StateBlock | undefined {
  if (block === null || block.hash === null) return undefined;
  const { number, hash, timestamp } = block;
  return { number, hash, timestamp };
}

/** The state, or what made it void. */
async function readOnce(
  provider: Provider,
  deployment: Deployment,
  accounts: readonly AccountId[],
  options: ReadOptions,
  block: StateBlock,
): Promise<State | ProviderLagError | ReorgError> {
  let state: State | undefined;
  let failure: unknown;
  try {
    state = await readAt(provider, deployment, accounts, options, block);
  } catch (error) {
    failure = error;
  }
  const now = settled(await provider.getBlock(block.number));
  if (now === undefined) return new ProviderLagError(block.number, failure);
  if (now.hash !== block.hash) return new ReorgError(block.number, block.hash, now.hash, failure);
  if (state === undefined) throw failure;
  return state;
}

async function readAt(
  provider: Provider,
  deployment: Deployment,
  accounts: readonly AccountId[],
  { from, calls = [] }: ReadOptions,
  block: StateBlock,
): Promise<State> {
  const tag = await tagOf(provider, deployment, block);
  const touched = calls.map(touchedBy);
  const grants = touched.flatMap((each) => each.grants);
  const pool = accountId(deployment.pool);
  const named = from === undefined ? calls.map((call) => defaultSender(call, pool)) : [from];
  const senders = [...new Set(named.map(lowerCaseAddress))];
  const all = new Set([
    pool,
    accountId(deployment.vault),
    // A liquidator's reward is cash of its first account.
    ...senders.map((sender) => accountId(sender)),
    ...accounts.map(normalizeAccount),
    ...calls.flatMap((call) => call.accounts),
  ]);
  const operators = [...senders, ...grants.map(({ operator }) => operator)];
  const owners = [...[...all].map((account) => ownerOf(account).toLowerCase()), ...operators];
  const reach: Reach = { accounts: [...all], operators: new Set(operators), owners: new Set(owners) };
  const known = { markets: deployment.markets.length, collaterals: deployment.collaterals.length };
  const [storage, prices, tokens, wallets] = await Promise.all([
    readStorage(provider, deployment, reach, tag),
    readPrices(provider, deployment, assetsOf({ markets: 0, collaterals: 0 }, known), tag),
    readTokens(
      provider,
      deployment,
      senders,
      calls,
      touched.flatMap((each) => each.permits),
      tag,
    ),
    readWallets(provider, deployment, grants, tag),
  ]);
  // Of what was listed after the deployment file was written.
  const listed = { markets: storage.marketCount, collaterals: storage.collateralCount };
  const late = await readPrices(provider, deployment, assetsOf(known, listed), tag);
  return new State({ block, deployment, storage, prices: new Map([...prices, ...late]), tokens, wallets });
}

// ------------------------------------------------------------------ which block

/** What a call of an address without code throws. */
async function deployed<T>(contract: string, address: string, call: () => Promise<T>): Promise<T> {
  try {
    return await withDecodedErrors(call);
  } catch (error) {
    throw isError(error, "BAD_DATA") && error.value === "0x" ? new NotDeployedError(contract, address, error) : error;
  }
}

/** Whether a provider takes a block's hash where it takes a number: then no answer can be of another fork. */
const takesHashes = new WeakMap<Provider, boolean>();

async function tagOf(provider: Provider, { vault }: Deployment, { hash, number }: StateBlock): Promise<BlockTag> {
  if (takesHashes.get(provider) === undefined) {
    const ask = async (blockTag: BlockTag) =>
      deployed("vault", vault, () => contractAt("MarginVault", vault, provider).poolAccount({ blockTag }));
    try {
      await ask(hash);
      takesHashes.set(provider, true);
    } catch {
      await ask(number);
      takesHashes.set(provider, false);
    }
  }
  return takesHashes.get(provider) === true ? hash : number;
}

// ------------------------------------------------------------------ storage

interface Reach {
  readonly accounts: readonly AccountId[];
  /** Lower case, as `owners`. */
  readonly operators: ReadonlySet<string>;
  readonly owners: ReadonlySet<string>;
}

/** A place, and where its word goes. */
type Entry = readonly [at: Place, put: (word: bigint) => void];

/** So many words a call costs a node less gas than it gives. */
const slotsInCall = 2_000;

async function readStorage(
  provider: Provider,
  { vault, markets, collaterals }: Deployment,
  reach: Reach,
  blockTag: BlockTag,
): Promise<VaultStorage> {
  const contract = contractAt("MarginVault", vault, provider);
  const read = async (entries: readonly Entry[]) => {
    const chunks = Array.from({ length: Math.ceil(entries.length / slotsInCall) }, (_, i) =>
      entries.slice(i * slotsInCall, (i + 1) * slotsInCall),
    );
    await Promise.all(
      chunks.map(async (chunk) => {
        const words = await deployed("vault", vault, () =>
          contract.extsload(
            chunk.map(([at]) => slotOf(at)),
            { blockTag },
          ),
        );
        for (const [i, [, put]] of chunk.entries()) put(BigInt(words[i] ?? 0n));
      }),
    );
  };
  const storage = storageOf(reach);
  const known = { markets: markets.length, collaterals: collaterals.length };
  await read([
    ...globalEntries(storage),
    ...listedEntries(storage, reach.accounts, { markets: 0, collaterals: 0 }, known),
    ...authorityEntries(storage, reach),
  ]);
  // Listed after the deployment file was written.
  const listed = { markets: storage.marketCount, collaterals: storage.collateralCount };
  await read(listedEntries(storage, reach.accounts, known, listed));
  await read(endEntries(storage, reach.accounts));
  return storage;
}

/** Empty, and it throws NotReadError for what is beyond reach. */
function storageOf({ accounts, operators, owners }: Reach): VaultStorage {
  const known = new Set(accounts);
  const requireAccount = (account: AccountId) => {
    if (!known.has(account)) throw new NotReadError("account", [account]);
  };
  const storage = new VaultStorage();
  storage.accounts = new ReadWords(requireAccount);
  storage.positions = new ReadNestedWords(requireAccount);
  storage.collateralOf = new ReadNestedWords(requireAccount);
  storage.permissionsOf = new ReadNestedWords(requireAccount, (account, operator) => {
    if (!operators.has(operator)) throw new NotReadError("permissions", [account, operator]);
  });
  storage.nonces = new ReadWords((owner) => {
    if (!owners.has(owner)) throw new NotReadError("nonce", [owner]);
  });
  return storage;
}

function globalEntries(storage: VaultStorage): Entry[] {
  return [
    [place.accountRisk, (word) => (storage.accountRisk = word as VaultStorage["accountRisk"])],
    [place.rewardBudget, (word) => (storage.rewardBudget = word as VaultStorage["rewardBudget"])],
    [place.capital, (word) => (storage.capital = word as VaultStorage["capital"])],
    [place.cashIndices, (word) => (storage.cashIndices = word as VaultStorage["cashIndices"])],
    [place.cashTotals, (word) => (storage.cashTotals = word as VaultStorage["cashTotals"])],
    [
      place.counts,
      (word) => {
        storage.cashHeld = BigInt.asUintN(128, word);
        storage.interestUnswept = BigInt.asUintN(112, word >> 128n);
        storage.marketCount = Number(BigInt.asUintN(8, word >> 240n));
        storage.collateralCount = Number(word >> 248n);
      },
    ],
    [place.badDebt, (word) => (storage.badDebt = word)],
    [place.cashTerms, (word) => (storage.cashTerms = word as VaultStorage["cashTerms"])],
    [place.poolLosses, (word) => (storage.poolLosses = word as VaultStorage["poolLosses"])],
    [place.writeOffs, (word) => (storage.writeOffs = word as VaultStorage["writeOffs"])],
    [place.borrowingHalted, (word) => (storage.borrowingHalted = word !== 0n)],
    ...rampWords.map((name): Entry => [
      place.accountRamp(name),
      (word) => Object.assign(storage.accountRamp, { [name]: word }),
    ]),
  ];
}

interface Counts {
  readonly markets: number;
  readonly collaterals: number;
}

/** Of the markets and collaterals from these numbers on up to those. */
function listedEntries(storage: VaultStorage, accounts: readonly AccountId[], from: Counts, to: Counts): Entry[] {
  const markets = numbers(from.markets, to.markets);
  const collaterals = numbers(from.collaterals, to.collaterals);
  return [
    ...markets.flatMap((id): Entry[] => [
      ...marketWords.map((name): Entry => [
        place.market(id, name),
        (word) => Object.assign(storage.markets(id), { [name]: word }),
      ]),
      ...rampWords.map((name): Entry => [
        place.marketRamp(id, name),
        (word) => Object.assign(storage.marketRamps(id), { [name]: word }),
      ]),
    ]),
    ...collaterals.flatMap((index): Entry[] => [
      [
        place.collateralToken(index),
        (word) => storage.setCollateralToken(index, `0x${word.toString(16).padStart(40, "0")}`),
      ],
      [place.collateral(index), (word) => storage.collaterals.set(index, word as never)],
      [place.collateralDiscount(index), (word) => storage.collateralDiscounts.set(index, word as never)],
      [place.stockSince(index), (word) => storage.stockSince.set(index, word)],
      ...rampWords.map((name): Entry => [
        place.collateralRamp(index, name),
        (word) => Object.assign(storage.collateralRamps(index), { [name]: word }),
      ]),
    ]),
    ...accounts.flatMap((account): Entry[] => [
      ...markets.map((id): Entry => [
        place.position(account, id),
        (word) => storage.positions.set(account, id, word as Position.Position),
      ]),
      ...collaterals.map((index): Entry => [
        place.collateralOf(account, index),
        (word) => storage.collateralOf.set(account, index, word),
      ]),
    ]),
  ];
}

function authorityEntries(storage: VaultStorage, { accounts, operators, owners }: Reach): Entry[] {
  return [
    ...accounts.flatMap((account): Entry[] => [
      [place.account(account), (word) => storage.accounts.set(account, word as never)],
      ...[...operators].map((operator): Entry => [
        place.permissionsOf(account, operator),
        (word) => storage.permissionsOf.set(account, operator, word),
      ]),
    ]),
    ...[...owners].map((owner): Entry => [place.nonce(owner), (word) => storage.nonces.set(owner, word)]),
  ];
}

/** What positions of older epochs convert by. */
function endEntries(storage: VaultStorage, accounts: readonly AccountId[]): Entry[] {
  const wanted = new Map<string, Entry>();
  for (const account of accounts) {
    for (const id of storage.positions.of(account)?.keys() ?? []) {
      const position = storage.positions.get(account, id);
      const shares = Position.shares(position);
      const { state, epochs, ends } = storage.markets(id);
      if (shares === 0n || !MarketWords.has(state, MarketWords.SIDES_TOUCHED)) continue;
      const long = shares > 0n;
      const last = Number(MarketWords.epochOf(epochs, long));
      for (let epoch = Number(Position.epoch(position)); epoch < last; epoch += 1) {
        const at = place.epochEnd(id, long ? "long" : "short", epoch);
        const key = Sides.endKey(long, BigInt(epoch));
        wanted.set(at.name, [at, (word) => ends.set(key, word as MarketWords.SideWord)]);
      }
    }
  }
  return [...wanted.values()];
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
}

/** A slot takes two or three hashes, and is the same for ever. */
const slots = new Map<string, string>();
const mostSlots = 100_000;

function slotOf(at: Place): string {
  const known = slots.get(at.name);
  if (known !== undefined) return known;
  if (slots.size >= mostSlots) slots.clear();
  const { slot } = at;
  slots.set(at.name, slot);
  return slot;
}

// ------------------------------------------------------------------ prices

function assetsOf(from: Counts, to: Counts): number[] {
  return [
    ...numbers(from.markets, to.markets).map(marketAsset),
    ...numbers(from.collaterals, to.collaterals).map(collateralAsset),
  ];
}

/** By asset number. */
async function readPrices(
  provider: Provider,
  { oracle }: Deployment,
  assets: readonly number[],
  blockTag: BlockTag,
): Promise<Map<number, Price>> {
  if (assets.length === 0) return new Map();
  const set = assets.reduce((bits, asset) => bits | AssetSet.onlyAsset(asset), 0n);
  const words = await deployed("oracle", oracle, () =>
    contractAt("PriceOracle", oracle, provider).lastPrices(set, { blockTag }),
  );
  return new Map(assets.map((asset, i) => [asset, (words[i] ?? 0n) as Price]));
}

// ------------------------------------------------------------------ tokens and wallets

interface Touched {
  /** Tokens, lower case. */
  readonly permits: readonly string[];
  readonly grants: readonly CallArgs["setOperatorBySig"][];
}

function touchedBy(call: Call): Touched {
  if (call.name === "multicall") {
    const inner = call.args.calls.map(touchedBy);
    return { permits: inner.flatMap(({ permits }) => permits), grants: inner.flatMap(({ grants }) => grants) };
  }
  return {
    permits: call.name === "depositWithPermit" ? [call.args.token] : [],
    grants: call.name === "setOperatorBySig" ? [call.args] : [],
  };
}

async function readTokens(
  provider: Provider,
  deployment: Deployment,
  senders: readonly string[],
  calls: readonly Call[],
  permits: readonly string[],
  blockTag: BlockTag,
): Promise<TokenBook> {
  const vault = deployment.vault.toLowerCase();
  const listed = [deployment.settlementToken, ...deployment.collaterals].map(({ address }) => address.toLowerCase());
  const tokens = [...new Set(calls.flatMap((call) => call.tokens))].filter((token) => listed.includes(token));
  const holders = new Set([vault, ...senders]);
  const book = new TokenBook(undefined, new Map(tokens.map((token) => [token, holders])));
  await Promise.all(
    tokens.flatMap((token) => {
      const contract = contractAt("Token", token, provider);
      const put = async (words: TokenBook["balances"], holder: string, amount: Promise<bigint>) =>
        words.set(token, holder, await amount);
      const permitsOf = (sender: string) => [
        unlessReverted(put(book.permitNonces, sender, contract.nonces(sender, { blockTag }))),
        unlessReverted(contract.DOMAIN_SEPARATOR({ blockTag }).then((separator) => book.domains.set(token, separator))),
      ];
      return [
        put(book.balances, vault, contract.balanceOf(vault, { blockTag })),
        ...senders.flatMap((sender) => [
          put(book.balances, sender, contract.balanceOf(sender, { blockTag })),
          put(book.allowances, sender, contract.allowance(sender, vault, { blockTag })),
          ...(permits.includes(token) ? permitsOf(sender) : []),
        ]),
      ];
    }),
  );
  return book;
}

/** A token without permits has no such function. */
async function unlessReverted(read: Promise<unknown>): Promise<void> {
  try {
    await read;
  } catch (error) {
    if (!isCallException(error)) throw error;
  }
}

const erc1271 = new Interface(["function isValidSignature(bytes32 hash, bytes signature) view returns (bytes4)"]);
const validSignature = `0x1626ba7e${"0".repeat(56)}`;

async function readWallets(
  provider: Provider,
  deployment: Deployment,
  grants: readonly CallArgs["setOperatorBySig"][],
  blockTag: BlockTag,
): Promise<Wallets> {
  const contracts = new Set<string>();
  const valid = new Set<string>();
  const key = (owner: string, digest: string, signature: string) => `${owner} ${digest} ${signature}`;
  await Promise.all(
    grants.map(async (grant) => {
      const owner = ownerOf(grant.account).toLowerCase();
      if ((await provider.getCode(owner, blockTag)) === "0x") return;
      contracts.add(owner);
      const digest = grantDigest(deployment, grant);
      const data = erc1271.encodeFunctionData("isValidSignature", [digest, grant.signature]);
      try {
        const answer = await provider.call({ to: owner, data, blockTag });
        if (answer.startsWith(validSignature)) valid.add(key(owner, digest, grant.signature));
      } catch (error) {
        if (!isCallException(error)) throw error;
      }
    }),
  );
  return {
    isSigned: (owner, digest, signature) =>
      contracts.has(owner) ? valid.has(key(owner, digest, signature)) : plainKeys.isSigned(owner, digest, signature),
  };
}
