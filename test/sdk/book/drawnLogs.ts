import type { EventFragment, ParamType } from "ethers";
import { keccak256, toBeHex } from "ethers";
import fc from "fast-check";

import { accountId } from "../../../sdk/index.js";
import { type Book, type BookBlock, type VaultLog } from "../../../sdk/book/index.js";
import { MarginVault__factory } from "../../../typechain-types/index.js";

export const vaultInterface = MarginVault__factory.createInterface();

const address = (number: number) => toBeHex(number, 20);
export const vault = address(0xa1);
/** What a book needs to know of a deployment. */
export const names = {
  chainId: 31_337,
  fromBlock: 100,
  vault,
  pool: address(0xb2),
  settlementToken: { symbol: "USDC", address: address(0xc3), decimals: 6 },
};
/** By their indexes. */
export const collateralTokens = [address(0xd0), address(0xd1), address(0xd2)] as const;

/** Few of each, so that logs meet. */
const owners = [address(0xe0), address(0xe1), address(0xe2), vault, names.pool];
const accounts = owners.flatMap((owner) => [accountId(owner), accountId(owner, 7)]);
const tokens = [...collateralTokens, names.settlementToken.address];

export const events: readonly EventFragment[] = (() => {
  const all: EventFragment[] = [];
  vaultInterface.forEachEvent((event) => all.push(event));
  return all;
})();

export function logOf(event: EventFragment | string, values: readonly unknown[]): VaultLog {
  return { address: vault, ...vaultInterface.encodeEventLog(event, values) };
}

/** In the middle of what the field may be, so that it neither ends nor falls below zero. */
const heldBits = 96n;
const heldOffset = 48n;
const heldMask = ((1n << heldBits) - 1n) << heldOffset;
export const heldAtFirst = 1n << 95n;
const withHeld = (word: bigint) => (word & ~heldMask) | (heldAtFirst << heldOffset);

/** Values narrower than their types say, since the word that they end up in has no more bits. */
const narrow: Readonly<Record<string, number>> = { interestUnsweptWad: 112, amount: 80, epoch: 16, permissions: 5 };

function valueOf({ type, name, components }: ParamType, isListed: boolean): fc.Arbitrary<unknown> {
  if (components !== null) return fc.tuple(...components.map((one) => valueOf(one, isListed)));
  if (type === "address")
    return fc.constantFrom(...(name === "token" ? (isListed ? collateralTokens : tokens) : owners));
  if (type === "bytes32") return fc.constantFrom(...accounts);
  if (type === "bool") return fc.boolean();
  if (name === "market") return fc.nat(3);
  const [, sign, bits] = /^(u?)int(\d+)$/.exec(type) ?? [];
  if (bits === undefined) throw new TypeError(`no values of ${type} ${name}`);
  const most = 1n << BigInt(narrow[name] ?? bits);
  return sign === "u" ? fc.bigInt(0n, most - 1n) : fc.bigInt(-most / 2n, most / 2n - 1n);
}

/** A log of this event. */
export function logs(event: EventFragment): fc.Arbitrary<VaultLog> {
  if (event.name === "CollateralParametersSet") {
    return fc
      .tuple(fc.nat(collateralTokens.length - 1), fc.bigInt(0n, 2n ** 256n - 1n), fc.bigInt(0n, 2n ** 256n - 1n))
      .map(([index, word, discount]) => logOf(event, [collateralTokens[index], index, withHeld(word), discount]));
  }
  const isListed = event.name.startsWith("Collateral"); // the others speak of the settlement token as well
  return fc.tuple(...event.inputs.map((input) => valueOf(input, isListed))).map((values) => logOf(event, values));
}

/** A log of any event. */
export const anyLog = fc.constantFrom(...events).chain(logs);

/** What comes before anything can be said of a collateral, or withdrawn. */
export const firstLogs: readonly VaultLog[] = [
  ...collateralTokens
    .slice(0, 2)
    .map((token, index) => logOf("CollateralParametersSet", [token, index, withHeld(BigInt(index)), 5n])),
  logOf("Deposited", [accounts[0], names.settlementToken.address, owners[0], 2n ** 100n]),
];

/** All collaterals listed. */
export const listing: VaultLog = logOf("CollateralParametersSet", [collateralTokens[2], 2, withHeld(9n), 6n]);

/** The next block of a book: its hash tells forks apart. */
export function nextBlock(book: Book, fork = "main"): BookBlock {
  const parentHash = book.head?.hash ?? keccak256("0x00");
  const number = book.nextBlock;
  const hash = keccak256(`${parentHash}${Buffer.from(fork).toString("hex")}`);
  return { number, hash, parentHash, timestamp: 1_900_000_000 + 12 * number };
}

/** All that stands in a book, without what leads back. */
export function contentOf(book: Book): unknown {
  const { head, words } = JSON.parse(book.snapshot()) as Record<string, unknown>;
  return { head, words };
}
