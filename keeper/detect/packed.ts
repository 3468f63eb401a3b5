import type { AccountId } from "../../sdk/accounts.js";
import * as AccountWord from "../../sdk/risk/types/AccountWord.js";
import * as AssetSet from "../../sdk/risk/types/AssetSet.js";
import type { Position } from "../../sdk/risk/types/Position.js";
import { NestedWords, type VaultStorage, Words } from "../../sdk/risk/types/VaultStorage.js";

/** Packed accounts are of another version, or damaged. */
export class PackedAccountsError extends Error {
  override readonly name = "PackedAccountsError";

  constructor(readonly field: "version" | "length" | "checksum" | "order") {
    super(`packed accounts have a wrong ${field}: pack them again from the books`);
  }
}

export const wordBytes = 32;

const version = 1;
/** Version, number of accounts, and the two sums of what follows: uint32 each. */
const headerBytes = 16;

/**
 * Accounts of the books as bytes, from which a million of them are there again in seconds: one after the other in the order of their ids,
 * each its id, its word, its positions and its collaterals, these in the order of their bits; 32 bytes each, most significant first.
 */
export function packAccounts($: VaultStorage, accounts: Iterable<AccountId>): Uint8Array {
  const ids = [...accounts].toSorted();
  return packWords(ids.length, function* () {
    for (const id of ids) {
      const word = $.accounts.get(id);
      yield BigInt(id);
      yield word;
      const assets = AccountWord.assets(word);
      for (const market of bitsOf(AssetSet.markets(assets))) yield $.positions.get(id, market);
      for (const index of bitsOf(AssetSet.collaterals(assets))) yield $.collateralOf.get(id, index);
    }
  });
}

/** The bytes of so many accounts given all words of theirs, ids included, in order. */
export function packWords(accounts: number, words: () => Iterable<bigint>): Uint8Array {
  let room = 2 ** 20;
  let bytes = new Uint8Array(room);
  let view = viewOf(bytes);
  let at = headerBytes;
  for (const word of words()) {
    if (at + wordBytes > room) {
      room *= 2;
      const more = new Uint8Array(room);
      more.set(bytes);
      bytes = more;
      view = viewOf(bytes);
    }
    for (let i = 0; i < 4; ++i) view.setBigUint64(at + 8 * i, word >> BigInt(192 - 64 * i));
    at += wordBytes;
  }
  const packed = bytes.slice(0, at);
  const [sum, sumOfSums] = checksum(packed);
  const header = viewOf(packed);
  for (const [i, value] of [version, accounts, sum, sumOfSums].entries()) header.setUint32(4 * i, value);
  return packed;
}

/** Accounts as `packAccounts` wrote them, read where they lie. Nobody may change the bytes. Accounts have numbers in the order of their ids. */
export class PackedAccounts {
  readonly count: number;
  readonly view: DataView;
  readonly #bytes: Buffer;
  /** Address of each account's own word. */
  readonly #starts: Uint32Array;

  /** Throws PackedAccountsError. */
  constructor(bytes: Uint8Array) {
    this.view = viewOf(bytes);
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < headerBytes || bytes.length % wordBytes !== headerBytes) throw new PackedAccountsError("length");
    const field = (i: number) => this.view.getUint32(4 * i);
    if (field(0) !== version) throw new PackedAccountsError("version");
    const [sum, sumOfSums] = checksum(bytes);
    if (sum !== field(2) || sumOfSums !== field(3)) throw new PackedAccountsError("checksum");
    this.count = field(1);
    // Each has two words at least: a number that is wrong takes no memory.
    if (2 * wordBytes * this.count > bytes.length) throw new PackedAccountsError("length");
    this.#starts = new Uint32Array(this.count);
    let at = headerBytes;
    for (let number = 0; number < this.count; ++number) {
      if (at + 2 * wordBytes > bytes.length) throw new PackedAccountsError("length");
      if (number > 0 && this.#compare(number - 1, this.#bytes, at) >= 0) throw new PackedAccountsError("order");
      at += wordBytes;
      this.#starts[number] = at;
      at += wordBytes * (1 + this.#assetCount(at));
    }
    if (at !== bytes.length) throw new PackedAccountsError("length");
  }

  /** Address of an account's own word, which its positions and collaterals follow. */
  startOf(number: number): number {
    return this.#starts[number] ?? this.#bytes.length;
  }

  idOf(number: number): AccountId {
    const start = this.startOf(number);
    return `0x${this.#bytes.toString("hex", start - wordBytes, start)}`;
  }

  numberOf(id: AccountId): number | undefined {
    const wanted = Buffer.from(id.slice(2), "hex");
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare(middle, wanted, 0) < 0) low = middle + 1;
      else high = middle;
    }
    return low < this.count && this.#compare(low, wanted, 0) === 0 ? low : undefined;
  }

  /** Puts the accounts under books that know of none yet. What is written to those later lies over the bytes. */
  layUnder($: VaultStorage): void {
    const ids = () => Array.from({ length: this.count }, (_, number) => this.idOf(number));
    const sets = (id: AccountId) => AccountWord.assets(this.#accountWord(id));
    const markets = (id: AccountId) => bitsOf(AssetSet.markets(sets(id)));
    const collaterals = (id: AccountId) => bitsOf(AssetSet.collaterals(sets(id)));
    const position = (id: AccountId, market: number) => this.#assetWord(id, AssetSet.marketAsset(market)) as Position;
    const amount = (id: AccountId, index: number) => this.#assetWord(id, AssetSet.collateralAsset(index));
    $.accounts = new ReadWords<AccountId, AccountWord.AccountWord>(ids, (id) => this.#accountWord(id)).fork();
    $.positions = new ReadNestedWords<AccountId, number, Position>(ids, markets, position).fork();
    $.collateralOf = new ReadNestedWords<AccountId, number, bigint>(ids, collaterals, amount).fork();
  }

  #accountWord(id: AccountId): AccountWord.AccountWord {
    const number = this.numberOf(id);
    return (number === undefined ? 0n : this.#word(this.startOf(number))) as AccountWord.AccountWord;
  }

  /** A position or an amount of collateral. */
  #assetWord(id: AccountId, asset: number): bigint {
    const number = this.numberOf(id);
    if (number === undefined) return 0n;
    const start = this.startOf(number);
    const assets = AccountWord.assets(this.#word(start) as AccountWord.AccountWord);
    if (!AssetSet.contains(assets, asset)) return 0n;
    return this.#word(start + wordBytes * (1 + AssetSet.rank(assets, asset)));
  }

  /** Compares an account's id with the one at an address of other bytes. */
  #compare(number: number, other: Buffer, at: number): number {
    const start = this.startOf(number);
    return this.#bytes.compare(other, at, at + wordBytes, start - wordBytes, start);
  }

  #word(at: number): bigint {
    let word = 0n;
    for (let i = 0; i < 4; ++i) word = (word << 64n) | this.view.getBigUint64(at + 8 * i);
    return word;
  }

  /** Of the account whose word is at this address. */
  #assetCount(at: number): number {
    let count = 0;
    for (let i = 0; i < 4; ++i)
      for (let bits = this.view.getUint32(at + 1 + 4 * i); bits !== 0; bits &= bits - 1) ++count;
    return count;
  }
}

class ReadWords<K, W extends bigint> extends Words<K, W> {
  constructor(
    private readonly allKeys: () => K[],
    private readonly read: (key: K) => W,
  ) {
    super();
  }

  override get(key: K): W {
    return this.read(key);
  }

  override keys(): K[] {
    return this.allKeys();
  }
}

class ReadNestedWords<A, B, W extends bigint> extends NestedWords<A, B, W> {
  constructor(
    private readonly allKeys: () => A[],
    private readonly innerKeys: (a: A) => B[],
    private readonly read: (a: A, b: B) => W,
  ) {
    super();
  }

  override get(a: A, b: B): W {
    return this.read(a, b);
  }

  override of(a: A): Words<B, W> {
    return new ReadWords(
      () => this.innerKeys(a),
      (b: B) => this.read(a, b),
    );
  }

  override keys(): A[] {
    return this.allKeys();
  }
}

/** Two sums of the 32-bit words after the header, as the machine reads them; the second one knows their order. */
function checksum(bytes: Uint8Array): [sum: number, sumOfSums: number] {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const words = new Int32Array(aligned.buffer, aligned.byteOffset + headerBytes, (bytes.length - headerBytes) / 4);
  let [sum, sumOfSums] = [0, 0];
  for (let i = 0; i < words.length; ++i) {
    sum = (sum + (words[i] ?? 0)) | 0;
    sumOfSums = (sumOfSums + sum) | 0;
  }
  return [sum >>> 0, sumOfSums >>> 0];
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function bitsOf(set: bigint): number[] {
  const bits: number[] = [];
  for (let rest = set; rest !== 0n; rest &= rest - 1n) bits.push(AssetSet.lowestBit(rest));
  return bits;
}
