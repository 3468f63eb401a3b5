import { type AccountId, accountId, lowerCaseAddress, normalizeAccount, ownerOf } from "../accounts.js";
import type { Deployment } from "../deployment.js";
import type { LiquidationOptions } from "../liquidations.js";
import { type Amount, toUnits, toUnsignedUnits } from "../units/index.js";
import { type Mode, modes } from "../words.js";
import { type Call, type CallOf, callOf } from "./calls.js";
import type { SignedGrant, SignedPermit } from "./signatures.js";
import { marketIdOf, tokenOf } from "./symbols.js";
import { toSeconds } from "./time.js";

const unbounded = 2n ** 256n - 1n;

export interface TradeOptions {
  /** Worst average fill price, fees apart. None by default. */
  readonly limitPrice?: Amount;
  /** Unix seconds. `ballast.trade` takes by default the latest block's time and 10 minutes, a call by itself never expires. */
  readonly deadline?: bigint | number;
}

/**
 * Makes calls of the vault from symbols and decimal strings (or bigints of the smallest units): to preview them, to send them, or to have
 * them sent by others. Nothing is asked of the chain. Throws AmountError, UnknownSymbolError, AccountIdError, AddressError and TimeError.
 */
export class CallMaker {
  readonly #deployment: Deployment;

  constructor(deployment: Deployment) {
    this.#deployment = deployment;
  }

  /** Deposits a token of the caller's. */
  deposit(account: AccountId, token: string, amount: Amount): CallOf<"deposit"> {
    return callOf("deposit", { account: normalizeAccount(account), ...this.#sum(token, amount) });
  }

  /** Deposits what the caller has signed a permit for; see `ballast.signPermit`. */
  depositWithPermit(account: AccountId, permit: SignedPermit): CallOf<"depositWithPermit"> {
    const { token, amount, deadline, v, r, s } = permit;
    const { address } = tokenOf(this.#deployment, token);
    return callOf("depositWithPermit", {
      account: normalizeAccount(account),
      token: address.toLowerCase(),
      amount,
      deadline,
      v,
      r,
      s,
    });
  }

  /** Withdraws a token to an address, by default the owner's. */
  withdraw(account: AccountId, token: string, amount: Amount, to?: string): CallOf<"withdraw"> {
    const from = normalizeAccount(account);
    return callOf("withdraw", {
      account: from,
      ...this.#sum(token, amount),
      to: lowerCaseAddress(to ?? ownerOf(from)),
    });
  }

  /** Moves a token from one account to another, inside the vault. */
  transfer(from: AccountId, to: AccountId, token: string, amount: Amount): CallOf<"transfer"> {
    return callOf("transfer", { from: normalizeAccount(from), to: normalizeAccount(to), ...this.#sum(token, amount) });
  }

  /** Sets an account's mode. It must have no position. */
  setMode(account: AccountId, mode: Mode): CallOf<"setMode"> {
    return callOf("setMode", { account: normalizeAccount(account), mode: BigInt(modes.indexOf(mode)) });
  }

  /** Trades against the pool: a size above zero buys, below zero sells. */
  trade(account: AccountId, market: string, size: Amount, options: TradeOptions = {}): CallOf<"trade"> {
    const { limitPrice = 0n, deadline = unbounded } = options;
    return callOf("trade", {
      account: normalizeAccount(account),
      market: this.#market(market),
      sizeDeltaWad: toUnits(size, 18),
      limitPriceWad: toUnsignedUnits(limitPrice, 18),
      deadline: toSeconds(deadline),
    });
  }

  /** Settles a position: a loss becomes cash, a gain stays where it is. */
  settle(account: AccountId, market: string): CallOf<"settle"> {
    return callOf("settle", { account: normalizeAccount(account), market: this.#market(market) });
  }

  /** Liquidates a position in part, as much as brings health to its target and at most `maxSize`: into the pool, or to a taker. */
  liquidatePosition(
    account: AccountId,
    market: string,
    { taker = accountId(this.#deployment.pool), maxSize = unbounded }: LiquidationOptions = {},
  ): CallOf<"liquidatePosition"> {
    return callOf("liquidatePosition", {
      account: normalizeAccount(account),
      market: this.#market(market),
      maxSizeWad: toUnsignedUnits(maxSize, 18),
      taker: normalizeAccount(taker),
    });
  }

  /** Sells collateral of an account at risk to a taker, as much as brings health to its target and at most `maxAmount`. */
  liquidateCollateral(
    account: AccountId,
    token: string,
    taker: AccountId,
    maxAmount: Amount = unbounded,
  ): CallOf<"liquidateCollateral"> {
    const { token: address, amount } = this.#sum(token, maxAmount);
    return callOf("liquidateCollateral", {
      account: normalizeAccount(account),
      token: address,
      maxAmount: amount,
      taker: normalizeAccount(taker),
    });
  }

  /** Takes accounts over whole that are open to it; the reward is cash of `rewardTo`. */
  absorb(accounts: readonly AccountId[], rewardTo: AccountId): CallOf<"absorb"> {
    return callOf("absorb", { accounts: accounts.map(normalizeAccount), rewardTo: normalizeAccount(rewardTo) });
  }

  /** Buys collateral that the pool has absorbed, for at most `maxCost` of cash. */
  buyCollateral(buyer: AccountId, token: string, amount: Amount, maxCost: Amount): CallOf<"buyCollateral"> {
    return callOf("buyCollateral", {
      buyer: normalizeAccount(buyer),
      ...this.#sum(token, amount),
      maxCostWad: toUnsignedUnits(maxCost, 18),
    });
  }

  /** Takes a new checkpoint of the pool's value, which openings are measured against. */
  refreshCapital(): CallOf<"refreshCapital"> {
    return callOf("refreshCapital", {});
  }

  /** Moves the insurance account's share of a market's fees to its cash. */
  sweepFees(market: string): CallOf<"sweepFees"> {
    return callOf("sweepFees", { market: this.#market(market) });
  }

  /** Moves the insurance account's share of interest to its cash. */
  sweepInterest(): CallOf<"sweepInterest"> {
    return callOf("sweepInterest", {});
  }

  /** Lets insurance pay bad debt, as far as its cash goes. */
  cover(): CallOf<"cover"> {
    return callOf("cover", {});
  }

  /** Brings a pool that is below zero back to it: insurance, the other sides of its markets, and suppliers of cash bear it. */
  resolvePool(): CallOf<"resolvePool"> {
    return callOf("resolvePool", {});
  }

  /** Delists a market from its announced time on: all its positions are closed at one price, and settling pays them. */
  delist(market: string): CallOf<"delist"> {
    return callOf("delist", { market: this.#market(market) });
  }

  /** Takes the next step of a market's ramp. */
  rampMarket(market: string): CallOf<"rampMarket"> {
    return callOf("rampMarket", { market: this.#market(market) });
  }

  /** Takes the next step of a collateral's ramp. */
  rampCollateral(token: string): CallOf<"rampCollateral"> {
    return callOf("rampCollateral", { token: tokenOf(this.#deployment, token).address.toLowerCase() });
  }

  /** Takes the next step of the ramp of what counts for all accounts. */
  rampAccounts(): CallOf<"rampAccounts"> {
    return callOf("rampAccounts", {});
  }

  /** Gives an operator these permissions (see `permission`) and no others; zero takes all back. By the owner alone. */
  setOperator(account: AccountId, operator: string, permissions: bigint): CallOf<"setOperator"> {
    return callOf("setOperator", {
      account: normalizeAccount(account),
      operator: lowerCaseAddress(operator),
      permissions,
    });
  }

  /** The same by anybody, with the owner's signature; see `ballast.signOperatorGrant`. */
  setOperatorBySig(grant: SignedGrant): CallOf<"setOperatorBySig"> {
    const { account, operator, permissions, nonce, deadline, signature } = grant;
    return callOf("setOperatorBySig", {
      account: normalizeAccount(account),
      operator: lowerCaseAddress(operator),
      permissions,
      nonce,
      deadline,
      signature,
    });
  }

  /** Makes what the caller has signed last, and not been used yet, void. */
  revokeSignatures(): CallOf<"revokeSignatures"> {
    return callOf("revokeSignatures", {});
  }

  /** Several calls in one, all or none; margin is normalizeAccount at the end. */
  multicall(calls: readonly Call[]): CallOf<"multicall"> {
    return callOf("multicall", { calls: [...calls] });
  }

  #market(symbol: string): number {
    return marketIdOf(this.#deployment, symbol);
  }

  #sum(symbol: string, amount: Amount): { readonly token: string; readonly amount: bigint } {
    const { address, decimals } = tokenOf(this.#deployment, symbol);
    return { token: address.toLowerCase(), amount: toUnsignedUnits(amount, decimals) };
  }
}
