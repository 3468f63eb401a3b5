import { Book, SnapshotError } from "../../sdk/book/index.js";
import type { Deployment } from "../../sdk/index.js";
import { type PackedAccounts } from "../detect/index.js";

/** A book as bytes. */
export function writeKeeperSnapshot(book: Book): Uint8Array {
  return new TextEncoder().encode(book.snapshot());
}

/** What writeKeeperSnapshot wrote for this deployment. Throws SnapshotError. */
export function readKeeperSnapshot(
  deployment: Deployment,
  bytes: Uint8Array,
): { readonly book: Book; readonly packed?: PackedAccounts } {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new SnapshotError("(root)", "is not text", cause);
  }
  const book = Book.fromSnapshot(deployment, text);
  return { book };
}
