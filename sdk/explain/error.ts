import type { Call } from "../client/calls.js";
import type { CallContext } from "../client/simulate.js";
import type { State } from "../client/state.js";
import type { ContractError } from "../risk/ContractError.js";
import { Attempt } from "./attempt.js";
import { Args, type Entry, causes } from "./causes.js";
import type { Remedy } from "./remedies.js";

export { ownAccounts } from "./remedies.js";

export interface ErrorExplanation {
  readonly error: ContractError;
  /** What has happened, for people. */
  readonly cause: string;
  /** The error's numbers by name, and what follows from them: wad, raw units, seconds, as the names say. */
  readonly figures: Readonly<Record<string, bigint>>;
  /** Changes with which the call passes, what a sender would like best first; empty where nothing that the sender can do helps. */
  readonly remedies: readonly Remedy[];
  /** Who else can help, and how; undefined where the remedies say all. */
  readonly whoCan: string | undefined;
}

/** Where what is wrong is not all that is. */
const noOneChange = "No one change lets it pass as things stand: mend what is said here, and preview it again.";

/**
 * Why a call fails, and with what smallest changes it would pass. Each remedy was found and checked by running it on the state: with whatever
 * allowance of tokens it takes, and of a deposit that it adds with whatever tokens, which its `needs` name.
 *
 * The state must know the accounts and tokens of the call, and of a liquidation the accounts that the sender could take with:
 *
 *     readState(provider, deployment, ownAccounts(from), { calls: [call], from })
 *
 * @param error as a preview, or the chain, has it
 * @param context when and by whom the call is made; by default in the state's block, sent as `defaultSender` says
 * @throws NotReadError where the state does not know the call's accounts; TimeError, AddressError
 */
export function explainError(
  state: State,
  call: Call,
  error: ContractError,
  context: CallContext = {},
): ErrorExplanation {
  const attempt = new Attempt(state, call, context);
  for (const account of call.accounts) attempt.$.accounts.get(account);
  const args = new Args(error);
  const entry = causes[error.errorName] ?? unknown;
  const numbers = Object.entries(error.args).filter((pair): pair is [string, bigint] => typeof pair[1] === "bigint");
  const remedies = (entry.remedies ?? []).flatMap((find) => find(attempt, error));
  const isHelpless = entry !== unknown && remedies.length === 0;
  return {
    error,
    cause: entry.cause(args, attempt),
    figures: { ...Object.fromEntries(numbers), ...entry.figures?.(args, attempt) },
    remedies,
    whoCan: entry.whoCan?.(args, attempt) ?? (isHelpless ? noOneChange : undefined),
  };
}

/** Of an error that is no call's of the vault. */
const unknown: Entry = { cause: () => "A contract has refused the call with an error that is not the vault's." };
