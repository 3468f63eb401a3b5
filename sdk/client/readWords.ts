import { NestedWords, Words } from "../risk/types/VaultStorage.js";

/** Words of which not all were read: throws for a key whose word nobody has asked the chain for, which would look like zero. */
export class ReadWords<K, W extends bigint> extends Words<K, W> {
  readonly #require: (key: K) => void;

  constructor(require: (key: K) => void, under?: Words<K, W>) {
    super(under);
    this.#require = require;
  }

  override get(key: K): W {
    this.#require(key);
    return super.get(key);
  }
}

/** The same of mappings of mappings; what is read of an outer key it may know whole, or only some inner keys. */
export class ReadNestedWords<A, B, W extends bigint> extends NestedWords<A, B, W> {
  readonly #require: (a: A) => void;
  readonly #requireInner: ((a: A, b: B) => void) | undefined;

  constructor(require: (a: A) => void, requireInner?: (a: A, b: B) => void) {
    super();
    this.#require = require;
    this.#requireInner = requireInner;
  }

  override of(a: A): Words<B, W> | undefined {
    this.#require(a);
    const words = super.of(a);
    const inner = this.#requireInner;
    return inner === undefined ? words : new ReadWords((b) => inner(a, b), words);
  }
}
