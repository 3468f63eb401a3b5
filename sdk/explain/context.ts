import type { State } from "../client/state.js";
import * as CashBook from "../risk/libraries/CashBook.js";
import type { Context, Vault } from "../risk/types/VaultStorage.js";

/**
 * The vault at a time, and what its libraries ask for besides.
 *
 * @param timestamp Unix seconds; by default the state's
 */
export function contextOf(state: State, timestamp?: bigint | number): { $: Vault; context: Context } {
  const { $, code } = state.at(timestamp);
  return { $, context: { ...code, cash: CashBook.open($) } };
}
