import { type Interface, TypedDataEncoder } from "ethers";

import { type AccountId, ownerOf } from "../accounts.js";
import { vaultInterface } from "../contracts.js";
import { operatorGrantData } from "../grants.js";
import * as MarginVault from "../risk/MarginVault.js";
import type { Vault } from "../risk/types/VaultStorage.js";
import type { MarketId } from "../risk/types/AssetSet.js";
import { CallArgumentError } from "./errors.js";
import { type Surroundings, nobody } from "./state.js";

/** What each writing function of the vault takes, in its order. Amounts raw, tokens and addresses lower case, times Unix seconds. */
export interface CallArgs {
  readonly deposit: { readonly account: AccountId; readonly token: string; readonly amount: bigint };
  readonly depositWithPermit: {
    readonly account: AccountId;
    readonly token: string;
    readonly amount: bigint;
    readonly deadline: bigint;
    readonly v: number;
    readonly r: string;
    readonly s: string;
  };
  readonly withdraw: {
    readonly account: AccountId;
    readonly token: string;
    readonly amount: bigint;
    readonly to: string;
  };
  readonly transfer: {
    readonly from: AccountId;
    readonly to: AccountId;
    readonly token: string;
    readonly amount: bigint;
  };
  readonly setMode: { readonly account: AccountId; readonly mode: bigint };
  readonly trade: {
    readonly account: AccountId;
    readonly market: MarketId;
    /** Above zero buys, below zero sells. */
    readonly sizeDeltaWad: bigint;
    /** Worst fill price; zero: any. */
    readonly limitPriceWad: bigint;
    readonly deadline: bigint;
  };
  readonly settle: { readonly account: AccountId; readonly market: MarketId };
  readonly liquidatePosition: {
    readonly account: AccountId;
    readonly market: MarketId;
    readonly maxSizeWad: bigint;
    readonly taker: AccountId;
  };
  readonly liquidateCollateral: {
    readonly account: AccountId;
    readonly token: string;
    readonly maxAmount: bigint;
    readonly taker: AccountId;
  };
  readonly absorb: { readonly accounts: readonly AccountId[]; readonly rewardTo: AccountId };
  readonly buyCollateral: {
    readonly buyer: AccountId;
    readonly token: string;
    readonly amount: bigint;
    readonly maxCostWad: bigint;
  };
  readonly refreshCapital: Nothing;
  readonly sweepFees: { readonly market: MarketId };
  readonly sweepInterest: Nothing;
  readonly cover: Nothing;
  readonly resolvePool: Nothing;
  readonly delist: { readonly market: MarketId };
  readonly rampMarket: { readonly market: MarketId };
  readonly rampCollateral: { readonly token: string };
  readonly rampAccounts: Nothing;
  readonly setOperator: { readonly account: AccountId; readonly operator: string; readonly permissions: bigint };
  readonly setOperatorBySig: {
    readonly account: AccountId;
    readonly operator: string;
    readonly permissions: bigint;
    readonly nonce: bigint;
    readonly deadline: bigint;
    readonly signature: string;
  };
  readonly revokeSignatures: Nothing;
  /** All or none of them, margin checked at the end. */
  readonly multicall: { readonly calls: readonly Call[] };
}

type Nothing = Readonly<Record<never, never>>;

export type CallName = keyof CallArgs;

/** One call of the vault. */
export interface CallOf<Name extends CallName> {
  readonly name: Name;
  readonly args: CallArgs[Name];
  /** The transaction's data. */
  readonly data: string;
  /** Whose words it reads or writes, pool and insurance apart. */
  readonly accounts: readonly AccountId[];
  /** Tokens that it moves between the vault and others. */
  readonly tokens: readonly string[];
  /** Does to a state what the vault does. Throws ContractError where the vault reverts. */
  run($: Vault, code: Surroundings): void;
}

export type Call = { readonly [Name in CallName]: CallOf<Name> }[CallName];

type Definitions = {
  readonly [Name in CallName]: {
    /** In the order of the vault's function. */
    readonly encoded: (args: CallArgs[Name]) => readonly unknown[];
    readonly accounts: (args: CallArgs[Name]) => readonly AccountId[];
    readonly tokens?: (args: CallArgs[Name]) => readonly string[];
    readonly run: ($: Vault, code: Surroundings, args: CallArgs[Name]) => void;
  };
};

const noAccount = (): readonly AccountId[] => [];
const definitions: Definitions = {
  deposit: {
    encoded: ({ account, token, amount }) => [account, token, amount],
    accounts: ({ account }) => [account],
    tokens: ({ token }) => [token],
    run($, code, { account, token, amount }) {
      MarginVault.deposit($, code, account, token, amount);
      code.tokens.pull(token, $.sender, code.vault, amount);
    },
  },
  depositWithPermit: {
    encoded: ({ account, token, amount, deadline, v, r, s }) => [account, token, amount, deadline, v, r, s],
    accounts: ({ account }) => [account],
    tokens: ({ token }) => [token],
    run($, code, { account, token, amount, deadline, v, r, s }) {
      MarginVault.depositWithPermit($, code, account, token, amount);
      code.tokens.permit(token, $.sender, code.vault, amount, deadline, { v, r, s }, $.now);
      code.tokens.pull(token, $.sender, code.vault, amount);
    },
  },
  withdraw: {
    encoded: ({ account, token, amount, to }) => [account, token, amount, to],
    accounts: ({ account }) => [account],
    tokens: ({ token }) => [token],
    run($, code, { account, token, amount, to }) {
      MarginVault.withdraw($, code, account, token, amount, to);
      code.tokens.push(token, code.vault, to, amount);
    },
  },
  transfer: {
    encoded: ({ from, to, token, amount }) => [from, to, token, amount],
    accounts: ({ from, to }) => [from, to],
    run: ($, code, { from, to, token, amount }) => MarginVault.transfer($, code, from, to, token, amount),
  },
  setMode: {
    encoded: ({ account, mode }) => [account, mode],
    accounts: ({ account }) => [account],
    run: ($, code, { account, mode }) => MarginVault.setMode($, code, account, mode),
  },
  trade: {
    encoded: (args) => [args.account, args.market, args.sizeDeltaWad, args.limitPriceWad, args.deadline],
    accounts: ({ account }) => [account],
    run: ($, code, { account, market, sizeDeltaWad, limitPriceWad, deadline }) =>
      MarginVault.trade($, code, account, market, sizeDeltaWad, limitPriceWad, deadline),
  },
  settle: {
    encoded: ({ account, market }) => [account, market],
    accounts: ({ account }) => [account],
    run: ($, code, { account, market }) => MarginVault.settle($, code, account, market),
  },
  liquidatePosition: {
    encoded: ({ account, market, maxSizeWad, taker }) => [account, market, maxSizeWad, taker],
    accounts: ({ account, taker }) => [account, taker],
    run: ($, code, { account, market, maxSizeWad, taker }) =>
      MarginVault.liquidatePosition($, code, account, market, maxSizeWad, taker),
  },
  liquidateCollateral: {
    encoded: ({ account, token, maxAmount, taker }) => [account, token, maxAmount, taker],
    accounts: ({ account, taker }) => [account, taker],
    run: ($, code, { account, token, maxAmount, taker }) =>
      MarginVault.liquidateCollateral($, code, account, token, maxAmount, taker),
  },
  absorb: {
    encoded: ({ accounts, rewardTo }) => [accounts, rewardTo],
    accounts: ({ accounts, rewardTo }) => [...accounts, rewardTo],
    run: ($, code, { accounts, rewardTo }) => MarginVault.absorb($, code, accounts, rewardTo),
  },
  buyCollateral: {
    encoded: ({ buyer, token, amount, maxCostWad }) => [buyer, token, amount, maxCostWad],
    accounts: ({ buyer }) => [buyer],
    run: ($, code, { buyer, token, amount, maxCostWad }) =>
      MarginVault.buyCollateral($, code, buyer, token, amount, maxCostWad),
  },
  refreshCapital: { encoded: () => [], accounts: noAccount, run: ($, code) => MarginVault.refreshCapital($, code) },
  sweepFees: {
    encoded: ({ market }) => [market],
    accounts: noAccount,
    run: ($, code, { market }) => MarginVault.sweepFees($, code, market),
  },
  sweepInterest: { encoded: () => [], accounts: noAccount, run: ($, code) => MarginVault.sweepInterest($, code) },
  cover: { encoded: () => [], accounts: noAccount, run: ($, code) => MarginVault.cover($, code) },
  resolvePool: { encoded: () => [], accounts: noAccount, run: ($, code) => MarginVault.resolvePool($, code) },
  delist: {
    encoded: ({ market }) => [market],
    accounts: noAccount,
    run: ($, code, { market }) => MarginVault.delist($, code, market),
  },
  rampMarket: {
    encoded: ({ market }) => [market],
    accounts: noAccount,
    run: ($, code, { market }) => MarginVault.rampMarket($, code, market),
  },
  rampCollateral: {
    encoded: ({ token }) => [token],
    accounts: noAccount,
    run: ($, code, { token }) => MarginVault.rampCollateral($, code, token),
  },
  rampAccounts: { encoded: () => [], accounts: noAccount, run: ($, code) => MarginVault.rampAccounts($, code) },
  setOperator: {
    encoded: ({ account, operator, permissions }) => [account, operator, permissions],
    accounts: ({ account }) => [account],
    run: ($, code, { account, operator, permissions }) =>
      MarginVault.setOperator($, code, account, operator, permissions),
  },
  setOperatorBySig: {
    encoded: (args) => [args.account, args.operator, args.permissions, args.nonce, args.deadline, args.signature],
    accounts: ({ account }) => [account],
    run($, code, grant) {
      const { account, operator, permissions, nonce, deadline, signature } = grant;
      const isSigned = code.wallets.isSigned(ownerOf(account).toLowerCase(), grantDigest(code, grant), signature);
      MarginVault.setOperatorBySig($, code, account, operator, permissions, nonce, deadline, isSigned);
    },
  },
  revokeSignatures: { encoded: () => [], accounts: noAccount, run: ($, code) => MarginVault.revokeSignatures($, code) },
  multicall: {
    encoded: ({ calls }) => [calls.map(({ data }) => data)],
    accounts: ({ calls }) => calls.flatMap(({ accounts }) => accounts),
    tokens: ({ calls }) => calls.flatMap(({ tokens }) => tokens),
    run($, code, { calls }) {
      const runs = calls.map((call) => () => call.run($, code));
      MarginVault.multicall($, code, runs);
    },
  },
};

/**
 * A call with arguments as the vault takes them; hex digits of any case. `ballast.calls` takes symbols and decimal strings instead.
 * Throws CallArgumentError.
 */
export function callOf<Name extends CallName>(name: Name, given: CallArgs[Name]): CallOf<Name> {
  const { encoded, accounts, tokens, run }: Definitions[Name] = definitions[name];
  const args = lowerCased(given);
  return {
    name,
    args,
    data: dataOf(name, encoded(args)),
    accounts: [...new Set(accounts(args))],
    tokens: [...new Set(tokens?.(args))],
    run: ($, code) => run($, code, args),
  };
}

/** The twin compares texts: accounts, addresses and bytes are all that arguments have of them. */
function lowerCased<Args extends object>(args: Args): Args {
  const lower = (value: unknown): unknown =>
    typeof value === "string" ? value.toLowerCase() : Array.isArray(value) ? value.map(lower) : value;
  return Object.fromEntries(Object.entries(args).map(([name, value]) => [name, lower(value)])) as Args;
}

function dataOf(name: CallName, args: readonly unknown[]): string {
  try {
    return (vaultInterface as Interface).encodeFunctionData(name, args);
  } catch (error) {
    throw new CallArgumentError(name, error);
  }
}

/**
 * Who would send a call: the owner of the account that acts, which is its first one. Of a liquidation that is the taker, or whoever is
 * rewarded; a liquidation into the pool is anybody's: the zero address, which owns nothing.
 */
export function defaultSender(call: Call, pool: AccountId): string {
  return actorOf(call, pool) ?? nobody;
}

function actorOf(call: Call, pool: AccountId): string | undefined {
  switch (call.name) {
    case "liquidatePosition":
    case "liquidateCollateral":
      return call.args.taker === pool ? undefined : ownerOf(call.args.taker);
    case "absorb":
      return ownerOf(call.args.rewardTo);
    case "multicall":
      return call.args.calls.map((part) => actorOf(part, pool)).find((actor) => actor !== undefined);
    default: {
      const [account] = call.accounts;
      return account === undefined ? undefined : ownerOf(account);
    }
  }
}

/** What the owner of an account signs for a grant. */
export function grantDigest(
  { chainId, vault }: Pick<Surroundings, "chainId" | "vault">,
  { account, operator, permissions, nonce, deadline }: Omit<CallArgs["setOperatorBySig"], "signature">,
): string {
  const data = operatorGrantData({ chainId, vault }, { account, operator, permissions, nonce, deadline });
  return TypedDataEncoder.hash(data.domain, data.types, data.message);
}

/** What a call takes of tokens by allowance alone, by token. */
export function depositsOf(call: Call): Map<string, bigint> {
  const sums = new Map<string, bigint>();
  if (call.name === "deposit") sums.set(call.args.token, call.args.amount);
  if (call.name === "multicall") {
    for (const [token, amount] of call.args.calls.flatMap((inner) => [...depositsOf(inner)])) {
      sums.set(token, (sums.get(token) ?? 0n) + amount);
    }
  }
  return sums;
}
