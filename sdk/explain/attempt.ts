import type { AccountId } from "../accounts.js";
import { type Call, callOf, defaultSender } from "../client/calls.js";
import { NotReadError } from "../client/errors.js";
import { type CallContext, simulate } from "../client/simulate.js";
import { State } from "../client/state.js";
import { TokenBook } from "../client/tokens.js";
import { contextOf } from "../risk/MarginVault.js";
import * as Views from "../risk/libraries/Views.js";
import * as AccountWord from "../risk/types/AccountWord.js";
import type { Vault } from "../risk/types/VaultStorage.js";
import { collateralsOf, marketsOf } from "../words.js";
import { Names } from "./names.js";

/** A token that a sender must have, and let the vault take. */
export interface Need {
  /** Lower case. */
  readonly token: string;
  /** Raw. */
  readonly amount: bigint;
}

const plenty = 1n << 200n;
const unlimited = 2n ** 256n - 1n;

/** A call that failed, and what else could be tried in its place. */
export class Attempt {
  readonly state: State;
  readonly call: Call;
  /** Unix seconds. */
  readonly at: bigint;
  /** Lower case. */
  readonly from: string;
  readonly $: Vault;
  readonly names: Names;

  /** By default in the block's own time, and sent as `defaultSender` says. */
  constructor(state: State, call: Call, { at, from }: CallContext = {}) {
    const { $ } = state.at(at, from ?? defaultSender(call, state.pool));
    this.state = state;
    this.call = call;
    this.at = $.now;
    this.from = $.sender;
    this.$ = $;
    this.names = new Names(state.deployment);
  }

  get settlementToken(): string {
    return this.state.deployment.settlementToken.address.toLowerCase();
  }

  /** Whether a call would pass, with whatever allowance it needs; `isFunded`: and with whatever tokens. */
  passes(call: Call, { at = this.at, from = this.from, isFunded = false }: CallContext & { isFunded?: boolean } = {}) {
    const tokens = new TokenBook(this.state.tokens);
    const { block, deployment, storage, prices, wallets } = this.state;
    const vault = deployment.vault.toLowerCase();
    for (const token of call.tokens) {
      if (isFunded) tokens.suppose(token, from, { balance: plenty });
      if (tokens.knows(token, from)) tokens.suppose(token, from, { allowance: unlimited });
      // It has what its books say, and more than that they do not let go.
      if (!tokens.knows(token, vault)) tokens.suppose(token, vault, { balance: plenty });
    }
    const state = new State({ block, deployment, storage, prices, tokens, wallets });
    try {
      return simulate(state, call, { at, from }).error === undefined;
    } catch (error) {
      if (error instanceof NotReadError) return false; // of what is not known nothing is promised
      throw error;
    }
  }

  /** The account's size in a market (wad; below zero: short), as it stands before the call. */
  sizeOf(account: AccountId, market: number): bigint {
    const { $, code } = this.state.at(this.at);
    return market < $.marketCount ? Views.position($, contextOf($, code), account, market).sizeWad : 0n;
  }

  /** Markets in which an account has a position. */
  marketsOf(account: AccountId): number[] {
    return marketsOf(AccountWord.assets(this.$.accounts.get(account)));
  }

  /** Collaterals that an account holds, by their indexes. */
  collateralsOf(account: AccountId): number[] {
    return collateralsOf(AccountWord.assets(this.$.accounts.get(account)));
  }
}

/** What a call takes of its sender. */
export function needsOf(call: Call): Need[] {
  const needs = new Map<string, bigint>();
  for (const { call: part } of partsOf(call)) {
    if (part.name !== "deposit" && part.name !== "depositWithPermit") continue;
    needs.set(part.args.token, (needs.get(part.args.token) ?? 0n) + part.args.amount);
  }
  return [...needs].map(([token, amount]) => ({ token, amount }));
}

/** A call by itself, or one of a multicall's. */
export interface Part {
  readonly call: Call;
  /** The whole, with another call here. */
  with(other: Call): Call;
}

export function partsOf(call: Call): Part[] {
  if (call.name !== "multicall") return [{ call, with: (other) => other }];
  const { calls } = call.args;
  return calls.map((part, i) => ({
    call: part,
    with: (other) => callOf("multicall", { calls: calls.map((each, k) => (k === i ? other : each)) }),
  }));
}

/** One call after others, in one. */
export function after(first: readonly Call[], call: Call): Call {
  return callOf("multicall", { calls: [...first, ...(call.name === "multicall" ? call.args.calls : [call])] });
}

/** How much a call moves, as its sender would say it. */
export interface Quantity {
  /** Above zero, or zero; raw, or wad of size. */
  readonly amount: bigint;
  readonly text: (amount: bigint) => string;
  readonly with: (amount: bigint) => Call;
}

/** Undefined: it has none, or none that its sender can change. */
export function quantityOf(call: Call, names: Names): Quantity | undefined {
  switch (call.name) {
    case "trade": {
      const { sizeDeltaWad, market } = call.args;
      const sign = sizeDeltaWad < 0n ? -1n : 1n;
      return {
        amount: sign * sizeDeltaWad,
        text: (sizeWad) => names.size(market, sizeWad),
        with: (sizeWad) => callOf("trade", { ...call.args, sizeDeltaWad: sign * sizeWad }),
      };
    }
    case "liquidatePosition":
      return {
        amount: call.args.maxSizeWad,
        text: (sizeWad) => names.size(call.args.market, sizeWad),
        with: (maxSizeWad) => callOf("liquidatePosition", { ...call.args, maxSizeWad }),
      };
    case "liquidateCollateral":
      return {
        amount: call.args.maxAmount,
        text: (amount) => names.amount(call.args.token, amount),
        with: (maxAmount) => callOf("liquidateCollateral", { ...call.args, maxAmount }),
      };
    case "deposit":
      return {
        amount: call.args.amount,
        text: (amount) => names.amount(call.args.token, amount),
        with: (amount) => callOf("deposit", { ...call.args, amount }),
      };
    case "withdraw":
      return {
        amount: call.args.amount,
        text: (amount) => names.amount(call.args.token, amount),
        with: (amount) => callOf("withdraw", { ...call.args, amount }),
      };
    case "transfer":
      return {
        amount: call.args.amount,
        text: (amount) => names.amount(call.args.token, amount),
        with: (amount) => callOf("transfer", { ...call.args, amount }),
      };
    case "buyCollateral":
      return {
        amount: call.args.amount,
        text: (amount) => names.amount(call.args.token, amount),
        with: (amount) => callOf("buyCollateral", { ...call.args, amount }),
      };
    default:
      return undefined;
  }
}
