declare const kind: unique symbol;

/** A storage word of one kind: a bigint that no word of another kind can stand in for. */
export type Word<Kind extends string> = bigint & { readonly [kind]: Kind };
