import type { ContractError } from "../risk/ContractError.js";
import { Refusal } from "../risk/libraries/PartialLiquidation.js";
import type { Attempt } from "./attempt.js";
import * as finders from "./remedies.js";

/** The arguments of an error, each as what it is. */
export class Args {
  readonly #args: Readonly<Record<string, unknown>>;

  constructor({ args }: ContractError) {
    this.#args = args;
  }

  /** Zero where there is none. */
  number(name: string): bigint {
    const value = this.#args[name];
    return typeof value === "bigint" ? value : 0n;
  }

  market(name = "market"): number {
    return Number(this.number(name));
  }

  text(name: string): string {
    return String(this.#args[name]);
  }
}

export interface Entry {
  /** What has happened, in a sentence or two. */
  readonly cause: (args: Args, attempt: Attempt) => string;
  /** What follows from the error's arguments, beside them. */
  readonly figures?: (args: Args, attempt: Attempt) => Readonly<Record<string, bigint>>;
  /** What may help, in the order in which a sender would like it. */
  readonly remedies?: readonly finders.Finder[];
  /** Who can help where the sender cannot, and how. */
  readonly whoCan?: (args: Args, attempt: Attempt) => string;
}

const waitForPrice = "Whoever publishes that price, or brings it to the oracle: the call passes once it is fresh.";
const riskRole = (what: string) => () => `The risk role can ${what}.`;

/** An opening is too large for what is there. */
const smaller = [finders.lessAmount] as const;
/** The account has too little margin. */
const marginRemedies = [finders.lessAmount, finders.depositFirst] as const;
const administration = (what: string): Entry => ({
  cause: () => what,
  whoCan: () => "Administration raises this, by the risk role: what it sets must be changed there.",
});

/** Every error that a call of the vault can raise, and what there is to say of it. */
export const causes: Readonly<Record<string, Entry>> = {
  NotAuthorized: {
    cause: (args) => `${args.text("caller")} may not do that for account ${args.text("account")}.`,
    remedies: [finders.asOwner],
    whoCan: () => "The account's owner can send it, or permit the sender to by setOperator.",
  },
  UnknownPermissions: {
    cause: (args) =>
      `Permissions ${args.number("permissions")} have bits that mean nothing: all there are is ${args.number("all")}.`,
    remedies: [finders.knownPermissions],
  },
  WrongNonce: {
    cause: (args) =>
      `The grant is signed with nonce ${args.number("nonce")}, and ${args.text("owner")}'s next one is ${args.number("expected")}.`,
    whoCan: (args) => `${args.text("owner")} can sign it anew, with nonce ${args.number("expected")}.`,
  },
  InvalidSignature: {
    cause: (args) => `The signature is not ${args.text("owner")}'s, or is of another chain, vault or content.`,
    whoCan: (args) => `${args.text("owner")} can sign exactly this grant.`,
  },
  UnexpectedValue: {
    cause: (args) => `${args.number("value")} wei were sent along; only a multicall and updatePrices take value.`,
    remedies: [finders.withoutValue],
  },
  UpdateFeeMissing: {
    cause: (args) =>
      `The update of prices costs ${args.number("fee")} wei, and there were ${args.number("available")}.`,
    figures: (args) => ({ missing: args.number("fee") - args.number("available") }),
    whoCan: (args) => `The sender can send ${args.number("fee")} wei along: what is too much comes back.`,
  },
  MulticallNested: { cause: () => "A multicall is one of a multicall's calls.", remedies: [finders.flatten] },
  MarketHalted: {
    cause: (args, { names }) => `The guardian has halted ${names.market(args.market())}: no position grows there.`,
    remedies: smaller,
    whoCan: riskRole("resume the market; until then positions can be reduced"),
  },
  BorrowingHalted: {
    cause: (args, { names }) =>
      `The guardian has halted borrowing, and the account would owe ${names.money(args.number("debtWad"), "ceil")}.`,
    remedies: marginRemedies,
    whoCan: riskRole("let accounts borrow again"),
  },
  ZeroAmount: {
    cause: () => "There is nothing to move: the amount, or what is due, is zero.",
    remedies: [finders.moreAmount, finders.wait],
    whoCan: () => "Of fees whoever trades, of interest whoever borrows: there is something to sweep after it.",
  },
  AmountTooLarge: {
    cause: (args) => `The amount ${args.number("amount")} has more than 128 bits.`,
    remedies: smaller,
  },
  UnknownToken: {
    cause: (args, { names }) => `${args.text("token")} is not listed; there are ${names.tokens()}.`,
    whoCan: riskRole("list a token as collateral"),
  },
  UnknownMarket: {
    cause: (args, { names }) => `There is no market ${args.market()}; there are ${names.markets()}.`,
    whoCan: riskRole("list a market"),
  },
  TokenMovedOtherAmount: {
    cause: (args, { names }) =>
      `${names.amount(args.text("token"), args.number("moved"))} moved instead of ${names.amount(args.text("token"), args.number("asked"))}: ` +
      "the receiver is the vault itself, or the token takes a fee.",
    remedies: [finders.otherReceiver],
    whoCan: () => "Nobody, of a token that takes a fee: the vault does not support it.",
  },
  TooManyDecimals: administration("A token has more than 18 decimals."),
  AlreadyListed: administration("The token is listed already, or is the settlement token."),
  ListFull: administration("There is no room for another market or collateral."),
  StrangerDeposit: {
    cause: (args, { names }) =>
      "Somebody but the owner may deposit only what the account holds already, worth at least " +
      `${names.money(args.number("minimumWad"), "ceil")}; this is worth ${names.money(args.number("valueWad"))}. The pool's account takes none.`,
    remedies: [finders.moreAmount, finders.asOwner],
    whoCan: () => "The account's owner can deposit anything.",
  },
  TooManyAssets: {
    cause: (args) =>
      `The account would hold more than ${args.number("maximum")} of its kind: positions, or collaterals.`,
    remedies: [finders.closeFirst, finders.withdrawFirst],
    whoCan: () => "The owner can use another account: every address has 2^96 of them.",
  },
  DepositCapExceeded: {
    cause: (args, { names }) =>
      `All accounts would hold ${names.amount(args.text("token"), args.number("total"))}, and the cap is ${names.amount(args.text("token"), args.number("cap"))}.`,
    figures: (args) => ({ excess: args.number("total") - args.number("cap") }),
    remedies: smaller,
    whoCan: riskRole("raise the cap; and others who withdraw leave room"),
  },
  InsufficientBalance: {
    cause: (args, { names }) =>
      `The account holds ${names.amount(args.text("token"), args.number("balance"))}, and ${names.amount(args.text("token"), args.number("asked"))} were asked for.`,
    figures: (args) => ({ missing: args.number("asked") - args.number("balance") }),
    remedies: smaller,
  },
  InsufficientCashHeld: {
    cause: (args, { names, settlementToken }) =>
      `The vault holds ${names.amount(settlementToken, args.number("held"))} of cash: the rest is lent.`,
    figures: (args) => ({ missing: args.number("asked") - args.number("held") }),
    remedies: smaller,
    whoCan: () => "Whoever repays or deposits brings cash back; a high rate of interest calls for it.",
  },
  DebtBelowMinimum: {
    cause: (args, { names }) =>
      `The account would owe ${names.money(args.number("debtWad"), "ceil")}, less than the least debt of ${names.money(args.number("minimumWad"), "ceil")}.`,
    remedies: [finders.lessAmount, finders.moreAmount, finders.depositFirst],
  },
  InsufficientMargin: {
    cause: (args, { names }) =>
      `The account would have ${names.money(args.number("equityWad"))} of initial equity, and ${names.money(args.number("requiredWad"), "ceil")} are required.`,
    figures: (args) => ({ missingWad: args.number("requiredWad") - args.number("equityWad") }),
    remedies: marginRemedies,
  },
  ReductionBankrupts: {
    cause: (args, { names }) =>
      `After the reduction the account would be worth ${names.money(args.number("equityWad"))}: below zero.`,
    figures: (args) => ({ missingWad: -args.number("equityWad") }),
    remedies: marginRemedies,
    whoCan: () => "Keepers can liquidate or absorb the account.",
  },
  ReductionLowersHealth: {
    cause: (args, { names }) =>
      `The account is below its initial margin, and the reduction would lower its health from ${names.ratio(args.number("healthBeforeWad"))} to ` +
      `${names.ratio(args.number("healthAfterWad"))}.`,
    figures: (args) => ({ loweredByWad: args.number("healthBeforeWad") - args.number("healthAfterWad") }),
    remedies: [finders.lessAmount, finders.moreAmount, finders.depositFirst],
  },
  StalePrices: {
    cause: () => "A market of the account has no fresh price, so that nothing may raise its risk.",
    remedies: [finders.closeFirst, finders.lessAmount, finders.depositFirst],
    whoCan: () => waitForPrice,
  },
  StaleMarketPrice: {
    cause: (args, { names }) =>
      `${names.market(args.market())} has no price that is good for this: ${published(args, names)}.`,
    figures: ageOf,
    remedies: smaller,
    whoCan: () => waitForPrice,
  },
  StaleCollateralPrice: {
    cause: (args, { names }) =>
      `${names.token(args.text("token"))} has no price that is good for this: ${published(args, names)}.`,
    figures: ageOf,
    whoCan: () => waitForPrice,
  },
  DeadlinePassed: {
    cause: (args, { names }) =>
      `The deadline was ${names.time(args.number("deadline"))}, and it is ${names.time(args.number("blockTime"))}.`,
    figures: (args) => ({ lateSeconds: args.number("blockTime") - args.number("deadline") }),
    remedies: [finders.laterDeadline],
    whoCan: () => "Of a signed grant the owner, who can sign it anew with a later deadline.",
  },
  LimitExceeded: {
    cause: (args, { names }) =>
      `The trade would fill at ${names.price(args.number("fillPriceWad"))}, beyond its limit of ${names.price(args.number("limitPriceWad"))}.`,
    remedies: [finders.limitPrice, finders.lessAmount],
  },
  PositionBelowMinimum: {
    cause: (args, { names }) =>
      `A position of ${names.size(args.market(), args.number("sizeWad"))} would be left, and the least one is ${names.size(args.market(), args.number("minimumWad"))}.`,
    figures: (args) => ({ missingWad: args.number("minimumWad") - args.number("sizeWad") }),
    remedies: [finders.moreAmount, finders.lessAmount],
  },
  OpenInterestCapExceeded: {
    cause: (args, { names }) =>
      `That side of ${names.market(args.market())} would have ${names.size(args.market(), args.number("openInterestWad"))}, and the cap is ` +
      `${names.size(args.market(), args.number("capWad"))}.`,
    figures: (args) => ({ excessWad: args.number("openInterestWad") - args.number("capWad") }),
    remedies: smaller,
    whoCan: riskRole("raise the cap; and others who close leave room"),
  },
  PoolCapitalExceeded: {
    cause: (args, { names }) =>
      `The market would need ${names.money(args.number("neededWad"), "ceil")} of the pool's capital, and may use ${names.money(args.number("availableWad"))}.`,
    figures: (args) => ({ missingWad: args.number("neededWad") - args.number("availableWad") }),
    remedies: [finders.refreshCapitalFirst, finders.lessAmount],
    whoCan: () => "Whoever deposits into the liquidity pool, and calls refreshCapital after it, makes room.",
  },
  CapitalCheckpointStale: {
    cause: (args, { names }) =>
      `The pool's capital was measured last at ${names.time(args.number("takenAt"))}, more than ${args.number("maxAge")} seconds ago.`,
    remedies: [finders.refreshCapitalFirst],
  },
  NoPosition: {
    cause: (args, { names }) =>
      `Account ${args.text("account")} has nothing to settle in ${names.market(args.market())}.`,
    whoCan: nobody,
  },
  AccountHealthy: {
    cause: (args, { names }) =>
      `Account ${args.text("account")} has ${names.money(args.number("equityWad"))} of maintenance equity, and only ` +
      `${names.money(args.number("requirementWad"), "ceil")} are required.`,
    figures: (args) => ({ spareWad: args.number("equityWad") - args.number("requirementWad") }),
    whoCan: () => "Nobody: it is healthy until prices move. liquidationPrice and liquidationMove say how far.",
  },
  SequencerGrace: {
    cause: () =>
      "The chain's sequencer is down, or came back a short time ago, and the account is above zero: its owner is given time.",
    whoCan: () => "Nobody: wait until the oracle's grace time is over.",
  },
  NothingToAbsorb: {
    cause: () =>
      "None of the accounts is open to absorb: each is healthy, in grace, or still served by liquidatePosition.",
    remedies: [finders.otherLiquidations],
    whoCan: nobody,
  },
  NotATarget: {
    cause: (args) => `${args.text("account")} is the pool's or the insurance account, which nobody liquidates.`,
    whoCan: () => "Nobody. A pool below zero is resolved by resolvePool.",
  },
  RewardToTarget: {
    cause: (args) => `What the liquidation earns or sells would go to its target, ${args.text("account")}.`,
    remedies: [finders.otherReward, finders.otherTaker],
    whoCan: () => "Any other address can liquidate it.",
  },
  LegRefused: {
    cause: (args, { names }) =>
      `${names.market(args.market())} is refused: ${refusals[Number(args.number("refusal"))] ?? "another reason"}.`,
    remedies: [finders.wholePosition, finders.lessAmount, finders.otherTaker, finders.otherLiquidations],
    whoCan: nobody,
  },
  NoCollateral: {
    cause: (args, { names }) => `Account ${args.text("account")} has no ${names.token(args.text("token"))}.`,
    remedies: [finders.otherLiquidations],
    whoCan: nobody,
  },
  NothingToSell: {
    cause: (args, { names }) => `Less than one unit of ${names.token(args.text("token"))} would do.`,
    remedies: [finders.otherLiquidations],
    whoCan: nobody,
  },
  NoDebt: {
    cause: (args, { names }) =>
      `Account ${args.text("account")} would have ${names.money(args.number("netCashWad"))} were everything settled: no debt to sell collateral for.`,
    remedies: [finders.otherLiquidations],
    whoCan: nobody,
  },
  CostAboveLimit: {
    cause: (args, { names }) =>
      `The pool asks ${names.money(args.number("costWad"), "ceil")}, and the limit is ${names.money(args.number("maxCostWad"))}.`,
    figures: (args) => ({ excessWad: args.number("costWad") - args.number("maxCostWad") }),
    remedies: [finders.maxCost, finders.lessAmount, finders.wait],
  },
  UnknownMode: {
    cause: (args) => `There is no mode ${args.number("mode")}: 0 is cross, 1 isolated.`,
    remedies: [finders.knownMode],
  },
  ModeNeedsNoPosition: {
    cause: (args) => `Account ${args.text("account")} has a position, and changes its mode without any.`,
    remedies: [finders.closeFirst],
  },
  HealthNotRaised: {
    cause: (args, { names }) =>
      `The liquidation would bring health from ${names.ratio(args.number("healthBeforeWad"))} to ${names.ratio(args.number("healthAfterWad"))}, and must raise it.`,
    remedies: [finders.wholePosition, finders.moreAmount, finders.otherTaker, finders.otherLiquidations],
    whoCan: nobody,
  },
  UnsettledResult: {
    cause: (args, { names }) =>
      `The taker has a result in ${names.market(args.market())} that waits to be settled: a position of size zero.`,
    remedies: [finders.settleFirst],
  },
  MarketClosing: {
    cause: (args, { names }) =>
      `${names.market(args.market())} is delisted from ${names.time(args.number("delistAt"))} on: no position grows any more.`,
    remedies: smaller,
    whoCan: () => "Nobody: positions there can only be reduced.",
  },
  DelistingNotDue: {
    cause: (args, { names }) =>
      args.number("delistAt") === 0n
        ? `No delisting of ${names.market(args.market())} is announced.`
        : `${names.market(args.market())} is due to be delisted at ${names.time(args.number("delistAt"))}.`,
    figures: (args): Readonly<Record<string, bigint>> =>
      args.number("delistAt") === 0n ? {} : { secondsLeft: args.number("delistAt") - args.number("blockTime") },
    remedies: [finders.wait],
    whoCan: riskRole("announce a delisting, at least a day ahead"),
  },
  MarketDelisted: {
    cause: (args, { names }) => `${names.market(args.market())} was delisted: its positions wait to be settled.`,
    remedies: [finders.settleInstead],
    whoCan: () => "Nobody: the market is closed for good.",
  },
  PoolSolvent: {
    cause: (args, { names }) => `The pool has ${names.money(args.number("equityWad"))}: it is not below zero.`,
    whoCan: () => "Nobody: there is nothing to resolve.",
  },
  NothingToCover: {
    cause: (args, { names }) =>
      `There are ${names.money(args.number("badDebtWad"), "ceil")} of bad debt, and insurance has ${names.money(args.number("insuranceCashWad"))}.`,
    remedies: [finders.wait],
    whoCan: (args) =>
      args.number("badDebtWad") === 0n
        ? "Nobody: there is no bad debt."
        : "Whoever deposits into the insurance account: the vault's own, with index zero.",
  },
  ParameterOutOfBounds: administration("A parameter is outside its bounds."),
  NothingToRamp: {
    cause: (args) =>
      args.number("secondsLeft") === 0n ? "No ramp is under way." : "This second's step of the ramp was taken already.",
    remedies: [finders.wait],
    whoCan: riskRole("set a parameter that moves in by a ramp"),
  },
  GrowthLimit: {
    cause: (args, { names }) =>
      `A position, a cost or a side of ${names.market(args.market())} would outgrow its storage word.`,
    remedies: smaller,
  },

  // What the vault's libraries, tokens and the oracle raise besides.
  ValueOutOfRange: {
    cause: (args) => `${args.number("value")} does not fit into ${args.number("bits")} bits of storage.`,
    remedies: smaller,
  },
  NotRepresentable: administration("A parameter is no multiple of its unit."),
  Panic: {
    cause: (args) => `The arithmetic has no result (Panic 0x${args.number("code").toString(16)}).`,
    remedies: smaller,
  },
  ERC20InsufficientAllowance: {
    cause: (args) =>
      `The vault may take ${args.number("allowance")} raw units of the token, and needs ${args.number("needed")}.`,
    figures: (args) => ({ missing: args.number("needed") - args.number("allowance") }),
    remedies: [finders.approve, finders.getTokens],
  },
  ERC20InsufficientBalance: {
    cause: (args) =>
      `${args.text("sender")} has ${args.number("balance")} raw units of the token, and ${args.number("needed")} are to move.`,
    figures: (args) => ({ missing: args.number("needed") - args.number("balance") }),
    remedies: [finders.lessAmount, finders.getTokens],
  },
  ERC20InvalidReceiver: {
    cause: (args) => `The token does not go to ${args.text("receiver")}.`,
    remedies: [finders.otherReceiver],
  },
};

/** Why step 1 refuses a leg. */
const refusals: Readonly<Record<number, string>> = {
  [Refusal.NoPosition]: "the account has no position there, or one of size zero, which settling pays",
  [Refusal.PriceStale]: "its price cannot be used",
  [Refusal.DiscountTooSmall]: "the account's health bears no discount any more: only absorb is left",
  [Refusal.ImpactTooLarge]: "filling it into the pool would cost more than the account's health bears",
  [Refusal.PoolMargin]: "the pool would grow its position beyond its own free margin",
  [Refusal.RemainderBelowMinimum]: "less than the market's least position would be left",
  [Refusal.SequencerGrace]: "the chain's sequencer is down, or came back a short time ago",
};

function nobody(): string {
  return "Nobody, as things stand.";
}

function ageOf(args: Args, { at }: Attempt): Readonly<Record<string, bigint>> {
  return { ageSeconds: at - args.number("publishedAt") };
}

function published(args: Args, names: Attempt["names"]): string {
  const publishedAt = args.number("publishedAt");
  if (publishedAt === 0n) return "it was never published";
  return `it was published at ${names.time(publishedAt)} and is good for ${args.number("maxAge")} seconds`;
}
