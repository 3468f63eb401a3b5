import { type AccountId, accountId, ownerOf } from "../accounts.js";
import { type Call, callOf } from "../client/calls.js";
import type { ContractError } from "../risk/ContractError.js";
import { abs } from "../risk/libraries/FixedPoint.js";
import * as MarketWords from "../risk/types/MarketWords.js";
import { ALL_PERMISSIONS } from "../risk/types/Permissions.js";
import { type Attempt, type Need, type Part, after, needsOf, partsOf, quantityOf } from "./attempt.js";
import { nearest } from "./search.js";

/** What each sort of remedy does. */
export type RemedyKind =
  | "lessAmount"
  | "moreAmount"
  | "depositFirst"
  | "limitPrice"
  | "maxCost"
  | "deadline"
  | "wait"
  | "asOwner"
  | "approve"
  | "getTokens"
  | "receiver"
  | "withoutValue"
  | "flatten"
  | "mode"
  | "permissions"
  | "rewardTo"
  | "taker"
  | "refreshCapitalFirst"
  | "settleFirst"
  | "settleInstead"
  | "closeFirst"
  | "withdrawFirst"
  | "wholePosition"
  | "liquidatePosition"
  | "liquidateCollateral"
  | "absorb";

/** A change with which the call passes: sdk/risk has run it so, on the same state. */
export interface Remedy {
  readonly kind: RemedyKind;
  /** What to do, in the imperative. */
  readonly sentence: string;
  /** Replaces the call that failed; several are one multicall. */
  readonly call: Call;
  /** Who sends it, lower case. */
  readonly from: string;
  /** Unix seconds: the time at which it passes; of a wait the first such second. */
  readonly at: bigint;
  /** What the sender must have, and have approved. */
  readonly needs: readonly Need[];
}

/** Finds remedies of one sort. */
export type Finder = (attempt: Attempt, error: ContractError) => readonly Remedy[];

type Change = Pick<Remedy, "kind" | "sentence" | "call"> & { readonly from?: string; readonly at?: bigint };

function remedy(attempt: Attempt, { kind, sentence, call, from = attempt.from, at = attempt.at }: Change): Remedy {
  return { kind, sentence, call, from, at, needs: needsOf(call) };
}

/** The change as a remedy, if the call passes with it. */
function tried(attempt: Attempt, change: Change): readonly Remedy[] {
  const { from = attempt.from, at = attempt.at } = change;
  return attempt.passes(change.call, { from, at }) ? [remedy(attempt, change)] : [];
}

/** What is found for the first of the parts for which anything is. */
function firstOf<T>(parts: readonly T[], find: (part: T) => readonly Remedy[]): readonly Remedy[] {
  for (const part of parts) {
    const found = find(part);
    if (found.length !== 0) return found;
  }
  return [];
}

/** A kind that shows the part of the call is of this name. */
type CallNamed<Name extends Call["name"]> = Extract<Call, { readonly name: Name }>;

function partsNamed<Name extends Call["name"]>(
  attempt: Attempt,
  name: Name,
): (Part & { readonly call: CallNamed<Name> })[] {
  return partsOf(attempt.call).filter(
    (part): part is Part & { readonly call: CallNamed<Name> } => part.call.name === name,
  );
}

/** The account that the error names, else the first of the call. */
function accountOf({ call }: Attempt, { args }: ContractError): AccountId | undefined {
  return typeof args["account"] === "string" ? (args["account"].toLowerCase() as AccountId) : call.accounts[0];
}

function numberOf({ args }: ContractError, name: string): bigint {
  const value = args[name];
  return typeof value === "bigint" ? value : 0n;
}

const largest = 2n ** 256n - 1n;
/** From the amount down to one unit, each at most half of the one before. */
function halves(amount: bigint): bigint[] {
  const steps: bigint[] = [];
  for (let x = amount / 2n; x > 0n; x /= 2n) steps.push(x);
  return steps;
}

/** From one unit (or twice the amount) up, each twice the one before. */
function doubles(amount: bigint, bits: number): bigint[] {
  const steps: bigint[] = [];
  for (let x = amount === 0n ? 1n : amount * 2n; x < 1n << BigInt(bits); x *= 2n) steps.push(x);
  return steps;
}

/** Sizes at which a trade changes its nature: it closes all, or what it leaves is the least position. */
function landmarks(attempt: Attempt, { call }: Part): bigint[] {
  if (call.name !== "trade" && call.name !== "liquidatePosition") return [];
  const size = abs(attempt.sizeOf(call.args.account, call.args.market));
  const minimum = MarketWords.minimumSize(attempt.$.markets(call.args.market).terms);
  return [size, minimum, size + minimum, size - minimum];
}

/** Trades of dust are no help, though roundings let them pass where others do not. */
function isWorthIt(attempt: Attempt, call: Call, amount: bigint): boolean {
  if (call.name !== "trade") return true;
  const { account, market } = call.args;
  const minimum = MarketWords.minimumSize(attempt.$.markets(market).terms);
  return amount >= minimum || amount === abs(attempt.sizeOf(account, market));
}

const inOrder = (steps: readonly bigint[], direction: 1n | -1n) =>
  steps.toSorted((a, b) => (a === b ? 0 : (a < b ? -1 : 1) * Number(direction)));

/** The largest amount below that of the call with which it passes. */
export const lessAmount: Finder = (attempt) =>
  firstOf(partsOf(attempt.call), (part) => {
    const quantity = quantityOf(part.call, attempt.names);
    if (quantity === undefined) return [];
    const steps = [...halves(quantity.amount), ...landmarks(attempt, part)];
    const below = inOrder(
      steps.filter((x) => x > 0n && x < quantity.amount && isWorthIt(attempt, part.call, x)),
      -1n,
    );
    const most = nearest(quantity.amount, below, (x) => attempt.passes(part.with(quantity.with(x))));
    if (most === undefined) return [];
    const sentence = `${verbOf(part.call)} at most ${quantity.text(most)}.`;
    return [remedy(attempt, { kind: "lessAmount", sentence, call: part.with(quantity.with(most)) })];
  });

/** The smallest amount above that of the call with which it passes. */
export const moreAmount: Finder = (attempt) =>
  firstOf(partsOf(attempt.call), (part) => {
    const quantity = quantityOf(part.call, attempt.names);
    if (quantity === undefined) return [];
    const steps = [...doubles(quantity.amount, 127), ...landmarks(attempt, part)];
    const above = inOrder(
      steps.filter((x) => x > quantity.amount),
      1n,
    );
    const least = nearest(quantity.amount, above, (x) => attempt.passes(part.with(quantity.with(x))));
    if (least === undefined) return [];
    const sentence = `${verbOf(part.call)} at least ${quantity.text(least)}.`;
    return [remedy(attempt, { kind: "moreAmount", sentence, call: part.with(quantity.with(least)) })];
  });

const verbs: Partial<Record<Call["name"], string>> = {
  trade: "Trade",
  deposit: "Deposit",
  withdraw: "Withdraw",
  transfer: "Transfer",
  buyCollateral: "Buy",
  liquidatePosition: "Liquidate",
  liquidateCollateral: "Liquidate",
};

const verbOf = (call: Call) => verbs[call.name] ?? "Take";

/** The least deposit of the settlement token that has the call pass right after it. */
export const depositFirst: Finder = (attempt, error) => {
  const account = accountOf(attempt, error);
  if (account === undefined) return [];
  const token = attempt.settlementToken;
  const withDeposit = (amount: bigint) => after([callOf("deposit", { account, token, amount })], attempt.call);
  const passes = (amount: bigint) => amount !== 0n && attempt.passes(withDeposit(amount), { isFunded: true });
  const least = nearest(0n, doubles(0n, 100), passes);
  if (least === undefined) return [];
  const sentence = `Deposit ${attempt.names.amount(token, least)} first, in the same transaction.`;
  return [remedy(attempt, { kind: "depositFirst", sentence, call: withDeposit(least) })];
};

/** The limit at which the trade fills. */
export const limitPrice: Finder = (attempt, error) => {
  const limitPriceWad = numberOf(error, "fillPriceWad");
  return firstOf(partsNamed(attempt, "trade"), ({ call, with: whole }) =>
    tried(attempt, {
      kind: "limitPrice",
      sentence: `Set the limit to ${attempt.names.price(limitPriceWad)}.`,
      call: whole(callOf("trade", { ...call.args, limitPriceWad })),
    }),
  );
};

/** What the pool asks. */
export const maxCost: Finder = (attempt, error) => {
  const maxCostWad = numberOf(error, "costWad");
  return firstOf(partsNamed(attempt, "buyCollateral"), ({ call, with: whole }) =>
    tried(attempt, {
      kind: "maxCost",
      sentence: `Pay up to ${attempt.names.money(maxCostWad, "ceil")}.`,
      call: whole(callOf("buyCollateral", { ...call.args, maxCostWad })),
    }),
  );
};

const defaultDeadlineSeconds = 600n;

export const laterDeadline: Finder = (attempt) => {
  const deadline = attempt.at + defaultDeadlineSeconds;
  return firstOf(partsNamed(attempt, "trade"), ({ call, with: whole }) =>
    tried(attempt, {
      kind: "deadline",
      sentence: `Set the deadline to ${attempt.names.time(deadline)}, ten minutes ahead.`,
      call: whole(callOf("trade", { ...call.args, deadline })),
    }),
  );
};

const year = 31_536_000n;

/** The first second, within a year, at which the call passes as it is. */
export const wait: Finder = (attempt, error) => {
  const due = [numberOf(error, "delistAt")];
  const steps = [...doubles(0n, 25).map((seconds) => attempt.at + seconds), attempt.at + year, ...due];
  const later = inOrder(
    steps.filter((x) => x > attempt.at),
    1n,
  );
  const first = nearest(attempt.at, later, (at) => attempt.passes(attempt.call, { at }));
  if (first === undefined) return [];
  const sentence = `Wait ${first - attempt.at} seconds, until ${attempt.names.time(first)}.`;
  return [remedy(attempt, { kind: "wait", sentence, call: attempt.call, at: first })];
};

export const asOwner: Finder = (attempt, error) => {
  const account = accountOf(attempt, error);
  if (account === undefined) return [];
  const from = ownerOf(account).toLowerCase();
  if (from === attempt.from) return [];
  const sentence = `Have the account's owner, ${from}, send it.`;
  return tried(attempt, { kind: "asOwner", sentence, call: attempt.call, from });
};

/** Tries suppose that the vault may take what a call deposits. */
export const approve: Finder = (attempt, error) => {
  const needed = numberOf(error, "needed");
  return attempt.call.tokens.length === 0
    ? []
    : tried(attempt, {
        kind: "approve",
        sentence: `Approve the vault first, for ${textOfNeeds(attempt, needed)}.`,
        call: attempt.call,
      });
};

export const getTokens: Finder = (attempt, error) =>
  attempt.call.tokens.length !== 0 && !attempt.passes(attempt.call) && attempt.passes(attempt.call, { isFunded: true })
    ? [
        remedy(attempt, {
          kind: "getTokens",
          sentence: `Get ${textOfNeeds(attempt, numberOf(error, "needed"))} first.`,
          call: attempt.call,
        }),
      ]
    : [];

function textOfNeeds({ call, names }: Attempt, needed: bigint): string {
  const needs = needsOf(call);
  if (needs.length === 0) return `${needed} units`;
  return needs.map(({ token, amount }) => names.amount(token, amount)).join(" and ");
}

export const otherReceiver: Finder = (attempt) =>
  firstOf(partsNamed(attempt, "withdraw"), ({ call, with: whole }) => {
    const to = ownerOf(call.args.account).toLowerCase();
    const sentence = `Withdraw to the account's owner, ${to}.`;
    return tried(attempt, { kind: "receiver", sentence, call: whole(callOf("withdraw", { ...call.args, to })) });
  });

export const withoutValue: Finder = (attempt) =>
  tried(attempt, { kind: "withoutValue", sentence: "Send it without value.", call: attempt.call });

export const flatten: Finder = (attempt) => {
  const flat = (call: Call): readonly Call[] => (call.name === "multicall" ? call.args.calls.flatMap(flat) : [call]);
  const call = callOf("multicall", { calls: flat(attempt.call) });
  return tried(attempt, { kind: "flatten", sentence: "Put all the calls into one multicall.", call });
};

export const knownMode: Finder = (attempt) =>
  firstOf(partsNamed(attempt, "setMode"), ({ call, with: whole }) =>
    [0n, 1n].flatMap((mode) =>
      tried(attempt, {
        kind: "mode",
        sentence: mode === 0n ? "Set mode 0, cross." : "Set mode 1, isolated.",
        call: whole(callOf("setMode", { ...call.args, mode })),
      }),
    ),
  );

export const knownPermissions: Finder = (attempt) =>
  firstOf(partsNamed(attempt, "setOperator"), ({ call, with: whole }) => {
    const permissions = call.args.permissions & ALL_PERMISSIONS;
    return tried(attempt, {
      kind: "permissions",
      sentence: `Give permissions ${permissions}: those of the bits that mean something.`,
      call: whole(callOf("setOperator", { ...call.args, permissions })),
    });
  });

/** Accounts of a sender that remedies try as takers, and give rewards to: the first three. */
export function ownAccounts(from: string): AccountId[] {
  return [0n, 1n, 2n].map((index) => accountId(from, index));
}

export const otherReward: Finder = (attempt) =>
  firstOf(partsNamed(attempt, "absorb"), ({ call, with: whole }) =>
    firstOf(ownAccounts(attempt.from), (rewardTo) =>
      tried(attempt, {
        kind: "rewardTo",
        sentence: `Have the reward go to ${rewardTo}.`,
        call: whole(callOf("absorb", { ...call.args, rewardTo })),
      }),
    ),
  );

export const otherTaker: Finder = (attempt) => {
  const sentence = (taker: AccountId) => `Have ${taker} take it.`;
  const positions = firstOf(partsNamed(attempt, "liquidatePosition"), ({ call, with: whole }) =>
    firstOf(
      ownAccounts(attempt.from).filter((taker) => taker !== call.args.taker),
      (taker) =>
        tried(attempt, {
          kind: "taker",
          sentence: sentence(taker),
          call: whole(callOf("liquidatePosition", { ...call.args, taker })),
        }),
    ),
  );
  if (positions.length !== 0) return positions;
  return firstOf(partsNamed(attempt, "liquidateCollateral"), ({ call, with: whole }) =>
    firstOf(
      ownAccounts(attempt.from).filter((taker) => taker !== call.args.taker),
      (taker) =>
        tried(attempt, {
          kind: "taker",
          sentence: sentence(taker),
          call: whole(callOf("liquidateCollateral", { ...call.args, taker })),
        }),
    ),
  );
};

export const refreshCapitalFirst: Finder = (attempt) =>
  tried(attempt, {
    kind: "refreshCapitalFirst",
    sentence: "Call refreshCapital first, in the same transaction.",
    call: after([callOf("refreshCapital", {})], attempt.call),
  });

/** Of the result that the error names. */
export const settleFirst: Finder = (attempt, error) => {
  const account = accountOf(attempt, error);
  if (account === undefined) return [];
  const market = Number(numberOf(error, "market"));
  return tried(attempt, {
    kind: "settleFirst",
    sentence: `Settle ${attempt.names.market(market)} of ${account} first, in the same transaction.`,
    call: after([callOf("settle", { account, market })], attempt.call),
  });
};

export const settleInstead: Finder = (attempt) =>
  firstOf(partsNamed(attempt, "trade"), ({ call: { args }, with: whole }) =>
    tried(attempt, {
      kind: "settleInstead",
      sentence: `Settle ${attempt.names.market(args.market)}: that pays what is left there.`,
      call: whole(callOf("settle", { account: args.account, market: args.market })),
    }),
  );

/** Closes a position whole, or has its final result paid. */
function closing(attempt: Attempt, account: AccountId, market: number): Call {
  const size = attempt.sizeOf(account, market);
  if (size === 0n) return callOf("settle", { account, market });
  return callOf("trade", { account, market, sizeDeltaWad: -size, limitPriceWad: 0n, deadline: largest });
}

/** One other position, or where the call needs none at all, all of them. */
export const closeFirst: Finder = (attempt, error) => {
  const account = accountOf(attempt, error);
  if (account === undefined) return [];
  const markets = attempt.marketsOf(account);
  const choices = [...markets.map((market) => [market]), markets];
  return firstOf(choices, (some) => {
    const text = some.map((market) => attempt.names.market(market)).join(", ");
    return tried(attempt, {
      kind: "closeFirst",
      sentence: `Close ${text} first, in the same transaction.`,
      call: after(
        some.map((market) => closing(attempt, account, market)),
        attempt.call,
      ),
    });
  });
};

/** All of one other collateral. */
export const withdrawFirst: Finder = (attempt, error) => {
  const account = accountOf(attempt, error);
  if (account === undefined) return [];
  return firstOf(attempt.collateralsOf(account), (index) => {
    const token = attempt.$.collateralTokens(index);
    const amount = attempt.$.collateralOf.get(account, index);
    const to = ownerOf(account).toLowerCase();
    return tried(attempt, {
      kind: "withdrawFirst",
      sentence: `Withdraw the account's ${attempt.names.amount(token, amount)} first, in the same transaction.`,
      call: after([callOf("withdraw", { account, token, amount, to })], attempt.call),
    });
  });
};

/** Everything that liquidates the account now: each leg by itself, and the account whole. */
export const otherLiquidations: Finder = (attempt, error) => {
  const { names, state } = attempt;
  const targets = partsOf(attempt.call).flatMap(({ call }) => (call.name === "absorb" ? call.args.accounts : []));
  const account = accountOf(attempt, error);
  const all = targets.length === 0 && account !== undefined ? [account] : targets;
  const [own] = ownAccounts(attempt.from);
  if (own === undefined) return [];
  return all.flatMap((target) => [
    ...attempt.marketsOf(target).flatMap((market) =>
      firstOf([state.pool, own], (taker) =>
        tried(attempt, {
          kind: "liquidatePosition",
          sentence: `Liquidate ${names.market(market)} of ${target} ${taker === own ? `to ${own}` : "into the pool"}.`,
          call: callOf("liquidatePosition", { account: target, market, maxSizeWad: largest, taker }),
        }),
      ),
    ),
    ...attempt.collateralsOf(target).flatMap((index) => {
      const token = attempt.$.collateralTokens(index);
      return tried(attempt, {
        kind: "liquidateCollateral",
        sentence: `Liquidate ${names.token(token)} of ${target} to ${own}.`,
        call: callOf("liquidateCollateral", { account: target, token, maxAmount: largest, taker: own }),
      });
    }),
    ...tried(attempt, {
      kind: "absorb",
      sentence: `Absorb ${target}.`,
      call: callOf("absorb", { accounts: [target], rewardTo: own }),
    }),
  ]);
};

export const wholePosition: Finder = (attempt) =>
  firstOf(partsNamed(attempt, "liquidatePosition"), ({ call, with: whole }) =>
    tried(attempt, {
      kind: "wholePosition",
      sentence: "Name the whole position.",
      call: whole(callOf("liquidatePosition", { ...call.args, maxSizeWad: largest })),
    }),
  );
