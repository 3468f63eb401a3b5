import { type AccountId, type Extent, decodeEpochs } from "../../sdk/index.js";
import { accountWords, sharedWords } from "../../sdk/book/index.js";
import type { VaultStorage } from "../../sdk/risk/types/VaultStorage.js";

export { type Extent, type Place, place, placesOf } from "../../sdk/index.js";

/** Accounts that have anything in this storage. */
function accountsOf($: VaultStorage): Set<AccountId> {
  return new Set([$.accounts, $.positions, $.collateralOf, $.permissionsOf].flatMap((words) => words.keys()));
}

/** What has been told so far. Accounts that had something and have no more are not in it. */
export function extentOf($: VaultStorage): Extent {
  const ids = Array.from({ length: $.marketCount }, (_, id) => id);
  return {
    accounts: accountsOf($),
    markets: $.marketCount,
    ended: new Map(ids.map((id) => [id, endedEpochs($.markets(id).epochs)])),
    collaterals: Array.from({ length: $.collateralCount }, (_, index) => $.collateralTokens(index)),
    operators: $.permissionsOf.keys().flatMap((account) =>
      $.permissionsOf
        .of(account)!
        .keys()
        .map((operator) => [account, operator] as const),
    ),
    signers: $.nonces.keys(),
  };
}

function endedEpochs(word: bigint) {
  const { longEpoch, shortEpoch } = decodeEpochs(word);
  return { long: longEpoch, short: shortEpoch };
}

/** The storage that the log tells, by the places' names; what is not there is zero. */
export function toldBy($: VaultStorage): Map<string, bigint> {
  const words = [...sharedWords($), ...[...accountsOf($)].flatMap((account) => accountWords($, account))];
  return new Map(words.map(({ place, word }) => [place.name, word]));
}

export interface Difference {
  readonly name: string;
  readonly told: bigint;
  /** Undefined: nobody looked there, since no account of the storage that was read can have it. */
  readonly stored: bigint | undefined;
}

/** Where the log and the storage (by the places' names) do not say the same. */
export function differences(told: ReadonlyMap<string, bigint>, stored: ReadonlyMap<string, bigint>): Difference[] {
  const found: Difference[] = [];
  for (const name of new Set([...told.keys(), ...stored.keys()])) {
    const [said, is] = [told.get(name) ?? 0n, stored.get(name)];
    if (said !== is) found.push({ name, told: said, stored: is });
  }
  return found;
}

export function sentence({ name, told, stored }: Difference): string {
  return `${name}: the log says ${told.toString(16)}, storage ${stored?.toString(16) ?? "was not read"}`;
}

/**
 * Replaces a contract's code in a call: answers every word of the call data with the storage word of that slot.
 *
 *     PUSH0  JUMPDEST(1)  DUP1 CALLDATASIZE GT ISZERO PUSH1(20) JUMPI
 *     DUP1 CALLDATALOAD SLOAD DUP2 MSTORE  PUSH1(32) ADD  PUSH1(1) JUMP  JUMPDEST(20)  CALLDATASIZE PUSH0 RETURN
 */
const storageReader = "0x5f5b8036111560145780355481526020016001565b365ff3";

/** The words of these slots after a block, in their order, in one call. */
export async function readStorage(
  request: (method: string, params: unknown[]) => Promise<unknown>,
  of: string,
  slots: readonly string[],
  block = "latest",
): Promise<bigint[]> {
  const data = `0x${slots.map((slot) => slot.slice(2)).join("")}`;
  const answer = await request("eth_call", [{ to: of, data }, block, { [of]: { code: storageReader } }]);
  return wordsOf(String(answer));
}

export function wordsOf(hex: string): bigint[] {
  const words: bigint[] = [];
  for (let start = 2; start < hex.length; start += 64) words.push(BigInt(`0x${hex.slice(start, start + 64)}`));
  return words;
}
