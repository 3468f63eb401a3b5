import { ContractError } from "../risk/ContractError.js";
import type { Vault, VaultEvent } from "../risk/types/VaultStorage.js";
import type { Call } from "./calls.js";
import type { State, Surroundings } from "./state.js";

/** When and by whom a call is made. */
export interface CallContext {
  /** Unix seconds: of the block that it will stand in. By default the state's. */
  readonly at?: bigint | number;
  /** The address that sends it. By default one that owns nothing. */
  readonly from?: string;
}

/** What a call does: the state after it, or what it reverts with, and then nothing has changed. */
export interface Outcome {
  readonly $: Vault;
  readonly code: Surroundings;
  /** The vault's, in order; none where the call reverts. */
  readonly events: readonly VaultEvent[];
  readonly error: ContractError | undefined;
}

/** Runs a call on a state, which stays as it is. */
export function simulate(state: State, call: Call, { at, from }: CallContext = {}): Outcome {
  const { $, code } = state.at(at, from);
  try {
    call.run($, code);
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    return { ...state.at(at, from), events: [], error };
  }
  return { $, code, events: $.events, error: undefined };
}
