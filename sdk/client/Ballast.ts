import {
  type Block,
  type BlockTag,
  type Provider,
  type Signer,
  type TransactionReceipt,
  type TransactionResponse,
  getAddress,
  isCallException,
  toBeHex,
} from "ethers";

import { type AccountId, accountId, normalizeAccount, ownerOf } from "../accounts.js";
import { type CashFigures, cashFigures, toStoredCash } from "../cash.js";
import { type LiquidityPool, type MarginVault, type PriceOracle, type VaultLens, contractAt } from "../contracts.js";
import { type Deleveraging, deleveragingTopics, deleveragingsOf } from "../deleveragings.js";
import { type Deployment, collateralAsset } from "../deployment.js";
import {
  type ContractError,
  MissingProviderError,
  NotDeployedError,
  PoolAccountError,
  ReadOnlyError,
  TransactionRevertedError,
  WrongChainError,
  withDecodedErrors,
} from "../errors.js";
import { type BallastEvent, readEvents } from "../events.js";
import { type ErrorExplanation, explainError, ownAccounts } from "../explain/error.js";
import { type HealthExplanation, explainHealth } from "../explain/health.js";
import { type LiquidationPrice, type LiquidationPriceOptions, liquidationPrice } from "../explain/liquidationPrice.js";
import { type LegPreview, type LiquidationOptions, toLegPreview } from "../liquidations.js";
import { type Amount, toUnsignedUnits } from "../units/index.js";
import { type AccountState, type Mode, collateralsOf, decodeAccount, decodePrice, marketsOf } from "../words.js";
import { CallMaker, type TradeOptions } from "./CallMaker.js";
import { type CollateralBalance, type Health, type Position, toHealth } from "./account.js";
import { type Call, defaultSender, depositsOf } from "./calls.js";
import { ProviderLagError } from "./errors.js";
import { type EventName, type EventStreamOptions, type StreamedEvent, streamEvents } from "./eventStream.js";
import { type Preview, previewOf } from "./preview.js";
import { type ReadOptions, readState } from "./readState.js";
import { type SignedGrant, type SignedPermit, signGrant, signPermit } from "./signatures.js";
import type { CallContext } from "./simulate.js";
import type { State } from "./state.js";
import { collateralIndexOf, marketIdOf, marketSymbolOf, nameOfMarket, tokenOf } from "./symbols.js";
import { toSeconds } from "./time.js";

const defaultDeadlineSeconds = 600;
const defaultSignatureSeconds = 3_600;
/** So many accounts an answer costs a node less gas than it gives. */
const accountsInCall = 250;

/** What a multisig, or whoever else sends it, takes. */
export interface UnsignedTransaction {
  readonly to: string;
  readonly data: string;
  readonly value: bigint;
}

export interface PreviewOptions extends CallContext {
  /** A state to preview on, with all that the call touches (see `readState`). By default the latest block's is read. */
  readonly state?: State;
}

export type ExplainOptions = Pick<PreviewOptions, "state" | "at">;

/** Ballast on one chain: typed reads and writes through one deployment. */
export class Ballast {
  readonly deployment: Deployment;
  readonly provider: Provider;
  readonly vault: MarginVault;
  readonly oracle: PriceOracle;
  readonly pool: LiquidityPool;
  readonly lens: VaultLens;
  /** Makes calls to preview, to send, or to have sent. */
  readonly calls: CallMaker;
  readonly #signer: Signer | undefined;

  private constructor(provider: Provider, signer: Signer | undefined, deployment: Deployment) {
    const runner = signer ?? provider;
    this.deployment = deployment;
    this.provider = provider;
    this.#signer = signer;
    this.calls = new CallMaker(deployment);
    this.vault = contractAt("MarginVault", deployment.vault, runner);
    this.oracle = contractAt("PriceOracle", deployment.oracle, runner);
    this.pool = contractAt("LiquidityPool", deployment.pool, runner);
    this.lens = contractAt("VaultLens", deployment.lens, runner);
  }

  /**
   * Connects to a deployment (see parseDeployment) through a provider (reads) or a signer with a provider (reads and writes).
   * Throws MissingProviderError, WrongChainError and NotDeployedError, so that no call ever goes to another chain's contracts.
   */
  static async connect(runner: Provider | Signer, deployment: Deployment): Promise<Ballast> {
    const signer = "getAddress" in runner ? (runner as Signer) : undefined;
    const provider = signer === undefined ? (runner as Provider) : signer.provider;
    if (provider === null || provider === undefined) throw new MissingProviderError();
    const { chainId } = await provider.getNetwork();
    if (chainId !== BigInt(deployment.chainId)) throw new WrongChainError(deployment.chainId, Number(chainId));
    const { vault, oracle, pool, lens } = deployment;
    for (const [contract, address] of Object.entries({ vault, oracle, pool, lens })) {
      if ((await provider.getCode(address)) === "0x") throw new NotDeployedError(contract, address);
    }
    return new Ballast(provider, signer, deployment);
  }

  /** An account of this owner, by default of the signer. */
  async account(owner?: string, index: bigint | number = 0n): Promise<AccountId> {
    return accountId(owner ?? (await this.#writer().getAddress()), index);
  }

  // ---------------------------------------------------------------- calls

  /**
   * Sends a call and waits until it is mined. What it deposits is approved first, where it must be. Throws ContractError, ReadOnlyError, and
   * TransactionRevertedError where it was refused only once it was mined.
   */
  async send(call: Call): Promise<TransactionReceipt> {
    const writer = this.#writer();
    for (const [token, amount] of depositsOf(call)) await this.#approve(writer, token, amount);
    return this.#mined(() => this.#sent(writer, call));
  }

  /** The call for others to send: a multisig, or a signer that is somewhere else. */
  unsigned(call: Call): UnsignedTransaction {
    return { to: this.deployment.vault, data: call.data, value: 0n };
  }

  /**
   * What a call would do, to the last wei, worked out here: nothing is sent, and no node is asked to run it. It does not throw for what the
   * chain would refuse: it has the error that the chain would raise. By default it is as of the latest block, sent by the signer, or
   * without one by the owner of the account that acts. Throws NotReadError for a state that was read without what the call touches.
   */
  async preview(call: Call, { state, at, from }: PreviewOptions = {}): Promise<Preview> {
    const sender = from ?? (await this.#signer?.getAddress());
    const options = { ...(at === undefined ? {} : { at }), ...(sender === undefined ? {} : { from: sender }) };
    const read = { calls: [call], ...(sender === undefined ? {} : { from: sender }) };
    return previewOf(state ?? (await this.readState([], read)), call, options);
  }

  /** All of one block that previews and explanations of these accounts need; see `readState`. */
  async readState(accounts: readonly AccountId[], options: ReadOptions = {}): Promise<State> {
    return readState(this.provider, this.deployment, accounts.map(normalizeAccount), options);
  }

  // ---------------------------------------------------------------- explanations

  /** Of what an account's margin is made, item by item; `formatHealth` writes it out. By default as of the latest block. */
  async explainHealth(account: AccountId, { state, at }: ExplainOptions = {}): Promise<HealthExplanation> {
    return explainHealth(state ?? (await this.readState([account])), account, at);
  }

  /**
   * At which prices of a market an account is liquidatable, everything else as it is, to the wei. By default as of the latest block, and with
   * the price of the market moving alone. Throws what `liquidationPrice` throws.
   */
  async liquidationPrice(
    account: AccountId,
    market: string,
    { state, ...options }: ExplainOptions & LiquidationPriceOptions = {},
  ): Promise<LiquidationPrice> {
    this.marketId(market); // before anything is read
    return liquidationPrice(state ?? (await this.readState([account])), account, market, options);
  }

  /**
   * Why a call fails, and with what smallest changes it would pass: `error` is a preview's, or what sending it has thrown. By default as of the
   * latest block, sent as a preview is.
   */
  async explainError(
    call: Call,
    error: ContractError,
    { state, at, from }: PreviewOptions = {},
  ): Promise<ErrorExplanation> {
    const sender = from ?? (await this.#signer?.getAddress()) ?? defaultSender(call, this.poolAccount);
    const known = state ?? (await this.readState(ownAccounts(sender), { calls: [call], from: sender }));
    return explainError(known, call, error, { from: sender, ...(at === undefined ? {} : { at }) });
  }

  // ---------------------------------------------------------------- writes

  /** Deposits a token, approving the vault first where it must. Returns the deposit's receipt. */
  async deposit(account: AccountId, token: string, amount: Amount): Promise<TransactionReceipt> {
    return this.send(this.calls.deposit(account, token, amount));
  }

  /** Withdraws a token to an address, by default the signer's. */
  async withdraw(account: AccountId, token: string, amount: Amount, to?: string): Promise<TransactionReceipt> {
    const receiver = to ?? (await this.#writer().getAddress());
    return this.send(this.calls.withdraw(account, token, amount, receiver));
  }

  /** Moves a token from one account to another, inside the vault. */
  async transfer(from: AccountId, to: AccountId, token: string, amount: Amount): Promise<TransactionReceipt> {
    return this.send(this.calls.transfer(from, to, token, amount));
  }

  /** Sets an account's mode. It must have no position. */
  async setMode(account: AccountId, mode: Mode): Promise<TransactionReceipt> {
    return this.send(this.calls.setMode(account, mode));
  }

  /** Trades against the pool: a size above zero buys, below zero sells. */
  async trade(
    account: AccountId,
    market: string,
    size: Amount,
    { limitPrice = 0n, deadline }: TradeOptions = {},
  ): Promise<TransactionReceipt> {
    this.#writer();
    const until = deadline ?? (await this.#latestBlock()).timestamp + defaultDeadlineSeconds;
    return this.send(this.calls.trade(account, market, size, { limitPrice, deadline: until }));
  }

  /** Settles a position: a loss becomes cash, a gain stays where it is. */
  async settle(account: AccountId, market: string): Promise<TransactionReceipt> {
    return this.send(this.calls.settle(account, market));
  }

  // ---------------------------------------------------------------- signatures

  /**
   * Signs what an operator may do for an account of the signer's, for anybody to send with `calls.setOperatorBySig`. The bits are those of
   * `permission`; zero takes all back. By default the nonce is the next one, and the deadline an hour after the latest block.
   */
  async signOperatorGrant(
    account: AccountId,
    operator: string,
    permissions: bigint,
    { deadline, nonce }: { readonly deadline?: bigint | number; readonly nonce?: bigint } = {},
  ): Promise<SignedGrant> {
    const signer = this.#writer();
    const id = normalizeAccount(account);
    const grant = {
      account: id,
      operator: getAddress(operator),
      permissions,
      nonce: nonce ?? (await this.vault.nonces(ownerOf(id))),
      deadline: await this.#signatureDeadline(deadline),
    };
    return signGrant(signer, this.deployment, grant);
  }

  /**
   * Signs an allowance of the signer's token for the vault, to deposit without approving first: `calls.depositWithPermit`. The token must
   * take permits (ERC-2612). By default the deadline is an hour after the latest block.
   */
  async signPermit(
    token: string,
    amount: Amount,
    { deadline }: { readonly deadline?: bigint | number } = {},
  ): Promise<SignedPermit> {
    const signer = this.#writer();
    const { symbol, address, decimals } = tokenOf(this.deployment, token);
    const raw = toUnsignedUnits(amount, decimals);
    const until = await this.#signatureDeadline(deadline);
    const contract = contractAt("Token", address, this.provider);
    return signPermit(signer, this.deployment, { symbol, contract }, raw, until);
  }

  // ---------------------------------------------------------------- liquidations

  /** Liquidates a position in part, as much as brings health to its target and at most `maxSize`: into the pool, or to a taker. */
  async liquidatePosition(
    account: AccountId,
    market: string,
    options: LiquidationOptions = {},
  ): Promise<TransactionReceipt> {
    return this.send(this.calls.liquidatePosition(account, market, options));
  }

  /** What liquidatePosition would do now. Whether the taker could bear it is not looked at. */
  async previewLiquidation(account: AccountId, market: string, options: LiquidationOptions = {}): Promise<LegPreview> {
    const { args } = this.calls.liquidatePosition(account, market, options);
    const preview = () => this.vault.previewLiquidation(args.account, args.market, args.maxSizeWad, args.taker);
    return toLegPreview(await withDecodedErrors(preview));
  }

  /** Sells collateral of an account at risk to a taker, as much as brings health to its target and at most `maxAmount`. */
  async liquidateCollateral(
    account: AccountId,
    token: string,
    taker: AccountId,
    maxAmount?: Amount,
  ): Promise<TransactionReceipt> {
    return this.send(this.calls.liquidateCollateral(account, token, taker, maxAmount));
  }

  /** Takes accounts over whole that are open to it; the reward is cash of `rewardTo`, by default the signer's first account. */
  async absorb(accounts: readonly AccountId[], rewardTo?: AccountId): Promise<TransactionReceipt> {
    return this.send(this.calls.absorb(accounts, rewardTo ?? (await this.account())));
  }

  /** Moves the insurance account's share of interest to its cash. */
  async sweepInterest(): Promise<TransactionReceipt> {
    return this.send(this.calls.sweepInterest());
  }

  /** Lets insurance pay bad debt, as far as its cash goes. */
  async cover(): Promise<TransactionReceipt> {
    return this.send(this.calls.cover());
  }

  /** Brings a pool that is below zero back to it: insurance, the other sides of its markets, and suppliers of cash bear it. */
  async resolvePool(): Promise<TransactionReceipt> {
    return this.send(this.calls.resolvePool());
  }

  /** Delists a market from its announced time on: all its positions are closed at one price, and settling pays them. */
  async delist(market: string): Promise<TransactionReceipt> {
    return this.send(this.calls.delist(market));
  }

  /** Buys collateral that the pool has absorbed, for at most `maxCost` of cash. */
  async buyCollateral(buyer: AccountId, token: string, amount: Amount, maxCost: Amount): Promise<TransactionReceipt> {
    return this.send(this.calls.buyCollateral(buyer, token, amount, maxCost));
  }

  /** What buyCollateral would cost now, wad. */
  async previewBuyCollateral(token: string, amount: Amount): Promise<bigint> {
    const { address, decimals } = tokenOf(this.deployment, token);
    const raw = toUnsignedUnits(amount, decimals);
    return withDecodedErrors(() => this.vault.previewBuyCollateral(address, raw));
  }

  // ---------------------------------------------------------------- reads

  async health(account: AccountId): Promise<Health> {
    const id = normalizeAccount(account);
    return toHealth(await withDecodedErrors(() => this.vault.health(id)));
  }

  /** The margins of many accounts, in their order, all of one block. */
  async healths(accounts: readonly AccountId[]): Promise<Health[]> {
    return this.#batches(accounts, async (batch, blockTag) => {
      const views = await this.vault.healths(batch, { blockTag });
      return views.map(toHealth);
    });
  }

  /** Those of many accounts that anyone may liquidate, all as of one block. */
  async liquidatable(accounts: readonly AccountId[]): Promise<AccountId[]> {
    return this.#batches(accounts, async (batch, blockTag) => {
      const found = await this.lens.liquidatable(batch, { blockTag });
      return found.map(normalizeAccount);
    });
  }

  /** The account's principal (not its cash: see cashOf), assets and mode. */
  async state(account: AccountId): Promise<AccountState> {
    return decodeAccount(await this.vault.accountWord(normalizeAccount(account)));
  }

  /** The account's cash, wad, interest included; below zero a debt. */
  async cashOf(account: AccountId): Promise<bigint> {
    return this.vault.cash(normalizeAccount(account));
  }

  /** What is supplied and borrowed of cash, what that costs, and what losses may still take of it, as of the latest block. */
  async cash(): Promise<CashFigures> {
    const { number: blockTag, timestamp } = await this.#latestBlock();
    const [view, [, , held], [poolValueWad]] = await withDecodedErrors(async () =>
      Promise.all([
        this.vault.cashView({ blockTag }),
        this.vault.totals({ blockTag }),
        this.vault.poolValue({ blockTag }),
      ]),
    );
    const heldWad = held * 10n ** BigInt(18 - this.deployment.settlementToken.decimals);
    return cashFigures(toStoredCash(view, heldWad, poolValueWad), timestamp);
  }

  /** What deleveraging did to the account's position in one market since a block. Throws PoolAccountError. */
  async deleveragings(
    account: AccountId,
    market: string,
    fromBlock = this.deployment.fromBlock,
  ): Promise<Deleveraging[]> {
    const owner = normalizeAccount(account);
    if (owner === this.poolAccount) throw new PoolAccountError(account);
    const { number: toBlock } = await this.#latestBlock();
    const id = toBeHex(this.marketId(market), 32);
    // From the first block on: what was stored of the position when the first of them came may be as old.
    const range = { address: this.deployment.vault, fromBlock: this.deployment.fromBlock, toBlock };
    const [own, others] = await Promise.all([
      this.provider.getLogs({ ...range, topics: [[...deleveragingTopics.position], owner, id] }),
      this.provider.getLogs({ ...range, topics: [[...deleveragingTopics.market], id] }),
    ]);
    const logs = [...own, ...others].toSorted((a, b) => a.blockNumber - b.blockNumber || a.index - b.index);
    return deleveragingsOf(logs).filter(({ blockNumber }) => blockNumber >= fromBlock);
  }

  /** The account's position in one market; size zero if it has none. */
  async position(account: AccountId, market: string): Promise<Position> {
    return this.#positionAt(normalizeAccount(account), this.marketId(market), "latest");
  }

  /** All positions of the account, in the order of the markets, as of one block. */
  async positions(account: AccountId): Promise<Position[]> {
    const { id, assets, blockTag } = await this.#assetsOf(account);
    return Promise.all(marketsOf(assets).map((market) => this.#positionAt(id, market, blockTag)));
  }

  /** All collaterals of the account, cash apart, as of one block. */
  async collaterals(account: AccountId): Promise<CollateralBalance[]> {
    const { id, assets, blockTag } = await this.#assetsOf(account);
    return Promise.all(
      collateralsOf(assets).map(async (index) => {
        const listed = this.deployment.collaterals[index];
        const address = listed?.address ?? (await this.vault.collateralAt(index, { blockTag })).token;
        const amount = await this.vault.collateral(id, address, { blockTag });
        return { token: listed?.symbol ?? address.toLowerCase(), amount };
      }),
    );
  }

  /** The last good price of a market, with its tolerance, time and freshness. */
  async price(market: string) {
    const [word] = await this.oracle.lastPrices(1n << BigInt(this.marketId(market)));
    return decodePrice(word ?? 0n);
  }

  /** The last good price of a collateral. */
  async collateralPrice(token: string) {
    const index = collateralIndexOf(this.deployment, token);
    const [word] = await this.oracle.lastPrices(1n << BigInt(collateralAsset(index)));
    return decodePrice(word ?? 0n);
  }

  /** The events of vault and oracle of these blocks (both included), decoded, in order. */
  events(fromBlock: number, toBlock?: number | "latest"): Promise<BallastEvent[]>;
  /**
   * The events of vault and oracle from a block on, each once, in order, none left out, until the signal ends it:
   * `for await (const event of ballast.events({ fromBlock }))`. See `streamEvents`.
   */
  events<Name extends EventName = EventName>(
    options: EventStreamOptions<Name>,
  ): AsyncGenerator<StreamedEvent<Name>, void, undefined>;
  events<Name extends EventName>(
    from: number | EventStreamOptions<Name>,
    toBlock: number | "latest" = "latest",
  ): Promise<BallastEvent[]> | AsyncGenerator<StreamedEvent<Name>, void, undefined> {
    return typeof from === "number"
      ? readEvents(this.provider, this.deployment, from, toBlock)
      : streamEvents(this.provider, this.deployment, from);
  }

  // ---------------------------------------------------------------- names

  /** The pool's account, which takes what is forced into the pool. */
  get poolAccount(): AccountId {
    return accountId(this.deployment.pool);
  }

  marketId(market: string): number {
    return marketIdOf(this.deployment, market);
  }

  marketSymbol(id: number): string {
    return marketSymbolOf(this.deployment, id);
  }

  // ---------------------------------------------------------------- shared

  async #assetsOf(account: AccountId) {
    const id = normalizeAccount(account);
    const { number: blockTag } = await this.#latestBlock();
    const { assets } = decodeAccount(await this.vault.accountWord(id, { blockTag }));
    return { id, assets, blockTag };
  }

  async #positionAt(account: AccountId, market: number, blockTag: BlockTag): Promise<Position> {
    const view = await withDecodedErrors(() => this.vault.position(account, market, { blockTag }));
    const { sizeWad, notionalWad, valueWad, costWad } = view;
    return { market: nameOfMarket(this.deployment, market), sizeWad, notionalWad, valueWad, costWad };
  }

  #writer(): Signer {
    if (this.#signer === undefined) throw new ReadOnlyError();
    return this.#signer;
  }

  async #latestBlock(): Promise<Block> {
    const block = await this.provider.getBlock("latest");
    if (block === null) throw new ProviderLagError("latest");
    return block;
  }

  async #sent(writer: Signer, { data }: Call): Promise<TransactionResponse> {
    return writer.sendTransaction({ to: this.deployment.vault, data });
  }

  async #approve(writer: Signer, token: string, amount: bigint): Promise<void> {
    const erc20 = contractAt("Token", token, writer);
    if ((await erc20.allowance(await writer.getAddress(), this.deployment.vault)) >= amount) return;
    await this.#mined(() => erc20.approve(this.deployment.vault, amount));
  }

  async #signatureDeadline(deadline: bigint | number | undefined): Promise<bigint> {
    return toSeconds(deadline ?? (await this.#latestBlock()).timestamp + defaultSignatureSeconds);
  }

  async #batches<T>(
    accounts: readonly AccountId[],
    read: (batch: AccountId[], blockTag: number) => Promise<T[]>,
  ): Promise<T[]> {
    const { number } = await this.#latestBlock();
    const ids = accounts.map(normalizeAccount);
    const starts = Array.from({ length: Math.ceil(ids.length / accountsInCall) }, (_, i) => i * accountsInCall);
    const batches = starts.map((start) => ids.slice(start, start + accountsInCall));
    const answers = await Promise.all(batches.map((batch) => withDecodedErrors(() => read(batch, number))));
    return answers.flat();
  }

  async #mined(send: () => Promise<TransactionResponse>): Promise<TransactionReceipt> {
    return withDecodedErrors(async () => {
      const sent = await send();
      try {
        return (await sent.wait()) ?? (await Promise.reject(new ProviderLagError("latest")));
      } catch (error) {
        if (!isCallException(error) || !error.receipt) throw error;
        throw new TransactionRevertedError(error.receipt.hash, error.receipt.blockNumber, error);
      }
    });
  }
}
