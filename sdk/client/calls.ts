import type { AccountId } from "../accounts.js";
import type { Vault } from "../risk/types/VaultStorage.js";
import type { MarketId } from "../risk/types/AssetSet.js";
import type { Surroundings } from "./state.js";

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
