import { Book, SnapshotError } from "../../sdk/book/index.js";
import { type AccountId, type Deployment, accountId } from "../../sdk/index.js";
import type { Position } from "../../sdk/risk/types/Position.js";
import { NestedWords, type VaultStorage, Words } from "../../sdk/risk/types/VaultStorage.js";
import { PackedAccounts, packAccounts } from "../detect/index.js";

/** "BKS1" */
const format = 0x424b5331;
/** The format, and how many bytes the text after it has. */
const headerBytes = 8;

/**
 * A book as bytes: first its own snapshot, without accounts, then these packed, from which a million of them are there again in seconds.
 */
export function writeKeeperSnapshot(book: Book): Uint8Array {
  const { storage, head, journal } = book.state;
  const rest = storage.fork(0n, "0x");
  rest.accounts = new Words();
  rest.positions = new NestedWords();
  rest.collateralOf = new NestedWords();
  // Those two may have words of positions that their own word does not tell of.
  for (const id of never(book.deployment)) copyPositions(storage, rest, id);
  const text = new TextEncoder().encode(new Book(book.deployment, { storage: rest, head, journal }).snapshot());
  const packed = packAccounts(storage, storage.accounts.keys());
  const bytes = new Uint8Array(headerBytes + text.length + packed.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, format);
  view.setUint32(4, text.length);
  bytes.set(text, headerBytes);
  bytes.set(packed, headerBytes + text.length);
  return bytes;
}

/**
 * What writeKeeperSnapshot wrote for this deployment. The bytes stay under the book: nobody may change them. Throws SnapshotError and
 * PackedAccountsError.
 */
export function readKeeperSnapshot(deployment: Deployment, bytes: Uint8Array): { book: Book; packed: PackedAccounts } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < headerBytes || view.getUint32(0) !== format) throw new SnapshotError("format", "is another one");
  const textEnd = headerBytes + view.getUint32(4);
  if (textEnd > bytes.length) throw new SnapshotError("(root)", "is cut off");
  const book = Book.fromSnapshot(deployment, textOf(bytes.subarray(headerBytes, textEnd)));
  const packed = new PackedAccounts(bytes.subarray(textEnd));
  const { storage } = book;
  const { positions } = storage;
  packed.layUnder(storage);
  for (const id of never(deployment)) copyPositions({ positions }, storage, id);
  return { book, packed };
}

function copyPositions(from: Pick<VaultStorage, "positions">, to: VaultStorage, id: AccountId): void {
  for (const market of from.positions.of(id)?.keys() ?? []) {
    to.positions.set(id, market, from.positions.get(id, market) satisfies Position);
  }
}

/** The pool's account and the insurance account. */
function never({ pool, vault }: Pick<Deployment, "pool" | "vault">): readonly AccountId[] {
  return [accountId(pool), accountId(vault)];
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new SnapshotError("(root)", "is not text", cause);
  }
}
