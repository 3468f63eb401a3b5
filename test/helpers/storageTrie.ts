import { type RlpStructuredData, encodeRlp, keccak256, toBeHex } from "ethers";

/** Paths up to so many nibbles keep the reference of their node until something below it changes. */
const cachedDepth = 6;
const nibbles = [..."0123456789abcdef"];

/**
 * The Merkle Patricia trie that Ethereum keeps of a contract's storage, for its root alone: what `eth_getProof` gives as storageHash. Two
 * storages of the same root are the same in every slot there is.
 */
export class StorageTrie {
  readonly #paths = new Map<string, string>();
  readonly #values = new Map<string, bigint>();
  readonly #references = new Map<string, RlpStructuredData>();
  #sorted: string[] = [];

  set(slot: string, word: bigint): void {
    const path = this.#pathOf(slot);
    if ((this.#values.get(path) ?? 0n) === word) return;
    if (word === 0n) this.#values.delete(path);
    else this.#values.set(path, word);
    this.#sorted = [];
    for (let depth = 0; depth <= cachedDepth; depth += 1) this.#references.delete(path.slice(0, depth));
  }

  root(): string {
    if (this.#values.size === 0) return keccak256(encodeRlp("0x"));
    if (this.#sorted.length === 0) this.#sorted = [...this.#values.keys()].toSorted();
    return keccak256(encodeRlp(this.#node(this.#sorted, 0)));
  }

  #pathOf(slot: string): string {
    const known = this.#paths.get(slot);
    if (known !== undefined) return known;
    const path = keccak256(slot).slice(2);
    this.#paths.set(slot, path);
    return path;
  }

  /** The node of these paths (sorted, at least one), which agree in their first `depth` nibbles. */
  #node(paths: readonly string[], depth: number): RlpStructuredData {
    const [one, last] = [paths[0]!, paths.at(-1)!];
    if (paths.length === 1) return [compact(one.slice(depth), true), encodeRlp(toBeHex(this.#values.get(one)!))];
    let agreed = depth;
    while (one[agreed] === last[agreed]) agreed += 1;
    if (agreed > depth) return [compact(one.slice(depth, agreed), false), this.#reference(paths, agreed)];
    const children = nibbles.map((nibble) => paths.filter((path) => path[depth] === nibble));
    return [...children.map((below) => (below.length === 0 ? "0x" : this.#reference(below, depth + 1))), "0x"];
  }

  /** How a node stands in the one above it: its hash, or itself where it is shorter than that. */
  #reference(paths: readonly string[], depth: number): RlpStructuredData {
    const prefix = paths[0]!.slice(0, depth);
    const known = this.#references.get(prefix);
    if (known !== undefined) return known;
    const node = this.#node(paths, depth);
    const encoded = encodeRlp(node);
    const reference = encoded.length < 2 + 2 * 32 ? node : keccak256(encoded);
    if (depth <= cachedDepth) this.#references.set(prefix, reference);
    return reference;
  }
}

/** Nibbles as bytes, with a flag for leaves and one for an odd number of nibbles. */
function compact(path: string, isLeaf: boolean): string {
  const isOdd = path.length % 2 === 1;
  const flag = (isLeaf ? 2 : 0) + (isOdd ? 1 : 0);
  return `0x${flag}${isOdd ? "" : "0"}${path}`;
}
