import {
  type Block,
  type ContractTransactionReceipt,
  type ContractTransactionResponse,
  type Provider,
  type Signer,
  toBeHex,
} from "ethers";

import { type AccountId, accountId, normalizeAccount } from "../accounts.js";
import { type CashFigures, cashFigures, toStoredCash } from "../cash.js";
import { type LiquidityPool, type MarginVault, type PriceOracle, type VaultLens, contractAt } from "../contracts.js";
import { type Deleveraging, deleveragingTopics, deleveragingsOf } from "../deleveragings.js";
import { type Deployment, collateralAsset } from "../deployment.js";
import {
  NotDeployedError,
  PoolAccountError,
  ReadOnlyError,
  UnknownSymbolError,
  WrongChainError,
  withDecodedErrors,
} from "../errors.js";
import { type BallastEvent, readEvents } from "../events.js";
import { type LegPreview, type LiquidationOptions, toLegPreview } from "../liquidations.js";
import { type Amount, toUnits, toUnsignedUnits } from "../units/index.js";
import { type AccountState, type Mode, collateralsOf, decodeAccount, decodePrice, marketsOf, modes } from "../words.js";

/** An account's margin; all wad, in quote units. */
export interface Health {
  readonly equityMaintenanceWad: bigint;
  readonly requirementMaintenanceWad: bigint;
  readonly equityInitialWad: bigint;
  readonly requirementInitialWad: bigint;
  /** Initial equity less initial requirement: what opening and withdrawing must leave at or above zero. */
  readonly freeMarginWad: bigint;
  /** Cash and unrealised profit and loss. */
  readonly netCashWad: bigint;
  /** Maintenance equity over requirement; undefined when nothing is required. */
  readonly healthWad: bigint | undefined;
  readonly isLiquidatable: boolean;
  readonly pricesFresh: boolean;
}

/** A position with what has accrued. */
export interface Position {
  readonly market: string;
  /** Wad; below zero: short. */
  readonly sizeWad: bigint;
  /** Size times price, rounded up. */
  readonly notionalWad: bigint;
  /** Unrealised profit or loss. */
  readonly valueWad: bigint;
  readonly costWad: bigint;
}

export interface CollateralBalance {
  readonly token: string;
  /** In the token's own units. */
  readonly amount: bigint;
}

export interface TradeOptions {
  /** Worst average fill price, fees apart. None by default. */
  readonly limitPrice?: Amount;
  /** Unix seconds. By default the latest block's time and 10 minutes. */
  readonly deadline?: bigint | number;
}

const unbounded = 2n ** 256n - 1n;
const noHealth = 2n ** 256n - 1n;
const defaultDeadlineSeconds = 600;

/** Ballast on one chain: typed reads and writes through one deployment. */
export class Ballast {
  readonly deployment: Deployment;
  readonly provider: Provider;
  readonly vault: MarginVault;
  readonly oracle: PriceOracle;
  readonly pool: LiquidityPool;
  readonly lens: VaultLens;
  readonly #signer: Signer | undefined;

  private constructor(provider: Provider, signer: Signer | undefined, deployment: Deployment) {
    const runner = signer ?? provider;
    this.deployment = deployment;
    this.provider = provider;
    this.#signer = signer;
    this.vault = contractAt("MarginVault", deployment.vault, runner);
    this.oracle = contractAt("PriceOracle", deployment.oracle, runner);
    this.pool = contractAt("LiquidityPool", deployment.pool, runner);
    this.lens = contractAt("VaultLens", deployment.lens, runner);
  }

  /**
   * Connects to a deployment (see parseDeployment) through a provider (reads) or a signer with a provider (reads and writes).
   * Throws WrongChainError and NotDeployedError, so that no call ever goes to another chain's contracts.
   */
  static async connect(runner: Provider | Signer, deployment: Deployment): Promise<Ballast> {
    const signer = "getAddress" in runner ? (runner as Signer) : undefined;
    const provider = signer === undefined ? (runner as Provider) : signer.provider;
    if (provider === null || provider === undefined) throw new TypeError("connect the signer to a provider first");
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

  // ---------------------------------------------------------------- writes

  /** Deposits a token, approving the vault first where it must. Returns the deposit's receipt. */
  async deposit(account: AccountId, token: string, amount: Amount): Promise<ContractTransactionReceipt> {
    const { address, decimals } = this.#token(token);
    const raw = toUnsignedUnits(amount, decimals);
    const writer = this.#writer();
    const erc20 = contractAt("Token", address, writer);
    if ((await erc20.allowance(await writer.getAddress(), this.deployment.vault)) < raw) {
      await this.#mined(() => erc20.approve(this.deployment.vault, raw));
    }
    return this.#mined(() => this.vault.deposit(account, address, raw));
  }

  /** Withdraws a token to an address, by default the signer's. */
  async withdraw(account: AccountId, token: string, amount: Amount, to?: string): Promise<ContractTransactionReceipt> {
    const { address, decimals } = this.#token(token);
    const raw = toUnsignedUnits(amount, decimals);
    const writer = this.#writer();
    const receiver = to ?? (await writer.getAddress());
    return this.#mined(() => this.vault.withdraw(account, address, raw, receiver));
  }

  /** Moves a token from one account to another, inside the vault. */
  async transfer(from: AccountId, to: AccountId, token: string, amount: Amount): Promise<ContractTransactionReceipt> {
    const { address, decimals } = this.#token(token);
    const raw = toUnsignedUnits(amount, decimals);
    this.#writer();
    return this.#mined(() => this.vault.transfer(from, to, address, raw));
  }

  /** Sets an account's mode. It must have no position. */
  async setMode(account: AccountId, mode: Mode): Promise<ContractTransactionReceipt> {
    this.#writer();
    return this.#mined(() => this.vault.setMode(account, modes.indexOf(mode)));
  }

  /** Trades against the pool: a size above zero buys, below zero sells. */
  async trade(
    account: AccountId,
    market: string,
    size: Amount,
    { limitPrice = 0n, deadline }: TradeOptions = {},
  ): Promise<ContractTransactionReceipt> {
    this.#writer();
    const until = deadline ?? (await this.#latestBlock()).timestamp + defaultDeadlineSeconds;
    const id = this.marketId(market);
    return this.#mined(() => this.vault.trade(account, id, toUnits(size, 18), toUnsignedUnits(limitPrice, 18), until));
  }

  /** Settles a position: a loss becomes cash, a gain stays where it is. */
  async settle(account: AccountId, market: string): Promise<ContractTransactionReceipt> {
    this.#writer();
    return this.#mined(() => this.vault.settle(account, this.marketId(market)));
  }

  // ---------------------------------------------------------------- liquidations

  /** Liquidates a position in part, as much as brings health to its target and at most `maxSize`: into the pool, or to a taker. */
  async liquidatePosition(
    account: AccountId,
    market: string,
    { taker = this.poolAccount, maxSize = unbounded }: LiquidationOptions = {},
  ): Promise<ContractTransactionReceipt> {
    this.#writer();
    const size = toUnsignedUnits(maxSize, 18);
    return this.#mined(() => this.vault.liquidatePosition(account, this.marketId(market), size, taker));
  }

  /** What liquidatePosition would do now. Whether the taker could bear it is not looked at. */
  async previewLiquidation(
    account: AccountId,
    market: string,
    { taker = this.poolAccount, maxSize = unbounded }: LiquidationOptions = {},
  ): Promise<LegPreview> {
    const size = toUnsignedUnits(maxSize, 18);
    const preview = () => this.vault.previewLiquidation(account, this.marketId(market), size, taker);
    return toLegPreview(await withDecodedErrors(preview));
  }

  /** Sells collateral of an account at risk to a taker, as much as brings health to its target and at most `maxAmount`. */
  async liquidateCollateral(
    account: AccountId,
    token: string,
    taker: AccountId,
    maxAmount: Amount = unbounded,
  ): Promise<ContractTransactionReceipt> {
    const { address, decimals } = this.#token(token);
    this.#writer();
    const raw = toUnsignedUnits(maxAmount, decimals);
    return this.#mined(() => this.vault.liquidateCollateral(account, address, raw, taker));
  }

  /** Takes accounts over whole that are open to it; the reward is cash of `rewardTo`, by default the signer's first account. */
  async absorb(accounts: readonly AccountId[], rewardTo?: AccountId): Promise<ContractTransactionReceipt> {
    this.#writer();
    const rewarded = rewardTo ?? (await this.account());
    return this.#mined(() => this.vault.absorb([...accounts], rewarded));
  }

  /** Moves the insurance account's share of interest to its cash. */
  async sweepInterest(): Promise<ContractTransactionReceipt> {
    this.#writer();
    return this.#mined(() => this.vault.sweepInterest());
  }

  /** Lets insurance pay bad debt, as far as its cash goes. */
  async cover(): Promise<ContractTransactionReceipt> {
    this.#writer();
    return this.#mined(() => this.vault.cover());
  }

  /** Brings a pool that is below zero back to it: insurance, the other sides of its markets, and suppliers of cash bear it. */
  async resolvePool(): Promise<ContractTransactionReceipt> {
    this.#writer();
    return this.#mined(() => this.vault.resolvePool());
  }

  /** Delists a market from its announced time on: all its positions are closed at one price, and settling pays them. */
  async delist(market: string): Promise<ContractTransactionReceipt> {
    this.#writer();
    return this.#mined(() => this.vault.delist(this.marketId(market)));
  }

  /** Buys collateral that the pool has absorbed, for at most `maxCost` of cash. */
  async buyCollateral(
    buyer: AccountId,
    token: string,
    amount: Amount,
    maxCost: Amount,
  ): Promise<ContractTransactionReceipt> {
    const { address, decimals } = this.#token(token);
    this.#writer();
    const raw = toUnsignedUnits(amount, decimals);
    return this.#mined(() => this.vault.buyCollateral(buyer, address, raw, toUnsignedUnits(maxCost, 18)));
  }

  /** What buyCollateral would cost now, wad. */
  async previewBuyCollateral(token: string, amount: Amount): Promise<bigint> {
    const { address, decimals } = this.#token(token);
    const raw = toUnsignedUnits(amount, decimals);
    return withDecodedErrors(() => this.vault.previewBuyCollateral(address, raw));
  }

  // ---------------------------------------------------------------- reads

  async health(account: AccountId): Promise<Health> {
    return toHealth(await withDecodedErrors(() => this.vault.health(account)));
  }

  /** The account's principal (not its cash: see cashOf), assets and mode. */
  async state(account: AccountId): Promise<AccountState> {
    return decodeAccount(await this.vault.accountWord(account));
  }

  /** The account's cash, wad, interest included; below zero a debt. */
  async cashOf(account: AccountId): Promise<bigint> {
    return this.vault.cash(account);
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
    const view = await withDecodedErrors(() => this.vault.position(account, this.marketId(market)));
    const { sizeWad, notionalWad, valueWad, costWad } = view;
    return { market, sizeWad, notionalWad, valueWad, costWad };
  }

  /** All positions of the account, in the order of the markets. */
  async positions(account: AccountId): Promise<Position[]> {
    const { assets } = await this.state(account);
    return Promise.all(marketsOf(assets).map((id) => this.position(account, this.marketSymbol(id))));
  }

  /** All collaterals of the account, cash apart. */
  async collaterals(account: AccountId): Promise<CollateralBalance[]> {
    const { assets } = await this.state(account);
    return Promise.all(
      collateralsOf(assets).map(async (index) => {
        const token = this.#collateralAt(index);
        return { token: token.symbol, amount: await this.vault.collateral(account, token.address) };
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
    const index = this.deployment.collaterals.findIndex(({ symbol }) => symbol === token);
    if (index < 0)
      throw new UnknownSymbolError(
        token,
        this.deployment.collaterals.map(({ symbol }) => symbol),
      );
    const [word] = await this.oracle.lastPrices(1n << BigInt(collateralAsset(index)));
    return decodePrice(word ?? 0n);
  }

  /** The vault's events of these blocks (both included), decoded, in order. */
  async events(fromBlock: number, toBlock: number | "latest" = "latest"): Promise<BallastEvent[]> {
    return readEvents(this.provider, this.deployment, fromBlock, toBlock);
  }

  // ---------------------------------------------------------------- names

  /** The pool's account, which takes what is forced into the pool. */
  get poolAccount(): AccountId {
    return accountId(this.deployment.pool);
  }

  marketId(market: string): number {
    const { markets } = this.deployment;
    const id = markets.findIndex(({ symbol }) => symbol === market);
    if (id < 0)
      throw new UnknownSymbolError(
        market,
        markets.map(({ symbol }) => symbol),
      );
    return id;
  }

  marketSymbol(id: number): string {
    const market = this.deployment.markets[id];
    if (market === undefined)
      throw new UnknownSymbolError(
        `market ${id}`,
        this.deployment.markets.map(({ symbol }) => symbol),
      );
    return market.symbol;
  }

  #token(name: string): { readonly address: string; readonly decimals: number } {
    const tokens = [this.deployment.settlementToken, ...this.deployment.collaterals];
    const token = tokens.find(({ symbol }) => symbol === name);
    if (token === undefined)
      throw new UnknownSymbolError(
        name,
        tokens.map(({ symbol }) => symbol),
      );
    return token;
  }

  #collateralAt(index: number) {
    const collateral = this.deployment.collaterals[index];
    if (collateral === undefined) {
      throw new UnknownSymbolError(
        `collateral ${index}`,
        this.deployment.collaterals.map(({ symbol }) => symbol),
      );
    }
    return collateral;
  }

  // ---------------------------------------------------------------- shared

  #writer(): Signer {
    if (this.#signer === undefined) throw new ReadOnlyError();
    return this.#signer;
  }

  async #latestBlock(): Promise<Block> {
    const block = await this.provider.getBlock("latest");
    if (block === null) throw new TypeError("the provider has no latest block");
    return block;
  }

  async #mined(send: () => Promise<ContractTransactionResponse>): Promise<ContractTransactionReceipt> {
    return withDecodedErrors(async () => {
      const receipt = await (await send()).wait();
      if (receipt === null) throw new TypeError("the transaction was replaced before it was mined");
      return receipt;
    });
  }
}

/** A Health struct as a contract returned it. */
export function toHealth(view: {
  equityMaintenanceWad: bigint;
  requirementMaintenanceWad: bigint;
  equityInitialWad: bigint;
  requirementInitialWad: bigint;
  netCashWad: bigint;
  healthWad: bigint;
  pricesFresh: boolean;
}): Health {
  const { equityMaintenanceWad, requirementMaintenanceWad, equityInitialWad, requirementInitialWad } = view;
  return {
    equityMaintenanceWad,
    requirementMaintenanceWad,
    equityInitialWad,
    requirementInitialWad,
    freeMarginWad: equityInitialWad - requirementInitialWad,
    netCashWad: view.netCashWad,
    healthWad: view.healthWad === noHealth ? undefined : view.healthWad,
    isLiquidatable: equityMaintenanceWad < requirementMaintenanceWad,
    pricesFresh: view.pricesFresh,
  };
}
