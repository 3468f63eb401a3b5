import { getAddress } from "ethers";

import { ContractError } from "../risk/ContractError.js";
import { AccountView } from "./account.js";
import { type Call, defaultSender } from "./calls.js";
import { type CallContext, simulate } from "./simulate.js";
import type { State, StateBlock } from "./state.js";

/** An event that a call would emit, with its arguments as the receipt would decode them. */
export interface PreviewedEvent {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** What a trade would come to. */
export interface Fill {
  /** Average price, fees apart. */
  readonly priceWad: bigint;
  readonly feeWad: bigint;
  /** What becomes cash of it; below zero a loss. */
  readonly realizedWad: bigint;
}

/** What a call would do, to the last wei, if it were alone in a block at that time on top of this one. */
export interface Preview {
  /** As of which the call is previewed. */
  readonly block: StateBlock;
  /** Unix seconds: of the block that it would stand in. */
  readonly timestamp: bigint;
  /** Who sends it. */
  readonly from: string;
  /** The vault's, in order; none where the call would revert. */
  readonly events: readonly PreviewedEvent[];
  /** What the chain would revert with. */
  readonly error: ContractError | undefined;
  /** The first account that the call names, as it stands at that time; undefined where it names none. */
  readonly before: AccountView | undefined;
  /** The same afterwards; undefined where the call would revert. */
  readonly account: AccountView | undefined;
  /** Of a call of `trade`. */
  readonly fill: Fill | undefined;
}

/**
 * What a call would do to a state. By default the owner of the account that acts sends it (see `defaultSender`), in a block of the same time.
 * Throws NotReadError where the state was read without what the call touches, TimeError and AddressError.
 */
export function previewOf(state: State, call: Call, { at, from }: CallContext = {}): Preview {
  const account = call.accounts[0];
  const sender = from ?? defaultSender(call, state.pool);
  const context: CallContext = { ...(at === undefined ? {} : { at }), from: sender };
  const start = state.at(at, sender);
  const outcome = simulate(state, call, context);
  const events = outcome.events.map(({ name, args }) => ({ name, args: decodedArgs(args) }));
  return {
    block: state.block,
    timestamp: start.$.now,
    from: getAddress(start.$.sender),
    events,
    error: outcome.error === undefined ? undefined : decodedError(outcome.error),
    before: account === undefined ? undefined : new AccountView(state, start, account),
    account:
      account === undefined || outcome.error !== undefined ? undefined : new AccountView(state, outcome, account),
    fill: call.name === "trade" ? fillOf(events) : undefined,
  };
}

function fillOf(events: readonly PreviewedEvent[]): Fill | undefined {
  const traded = events.find(({ name }) => name === "Traded");
  if (traded === undefined) return undefined;
  const { fillPriceWad, feeWad, realizedWad } = traded.args as Readonly<Record<string, bigint>>;
  if (fillPriceWad === undefined || feeWad === undefined || realizedWad === undefined) return undefined;
  return { priceWad: fillPriceWad, feeWad, realizedWad };
}

/** The twin writes addresses in lower case, a decoder with their checksums. */
function decodedArgs(args: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) => [name, isAddressLike(value) ? getAddress(value) : value]),
  );
}

function decodedError({ errorName, args, cause }: ContractError): ContractError {
  return new ContractError(errorName, decodedArgs(args), cause);
}

function isAddressLike(value: unknown): value is string {
  return typeof value === "string" && /^0x[0-9a-f]{40}$/.test(value);
}
