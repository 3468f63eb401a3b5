import { TypedDataEncoder, keccak256, recoverAddress } from "ethers";

import { ContractError } from "../risk/ContractError.js";
import { NestedWords } from "../risk/types/VaultStorage.js";
import { NotReadError } from "./errors.js";

/** The signature of a permit, as the token takes it. */
export interface PermitSignature {
  readonly v: number;
  readonly r: string;
  readonly s: string;
}

const unlimited = 2n ** 256n - 1n;
const zeroAddress = `0x${"0".repeat(40)}`;
const permitTypes = {
  Permit: [
    { name: "owner", type: "address" },
    { name: "spender", type: "address" },
    { name: "value", type: "uint256" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
  ],
};

/**
 * Tokens as far as the vault moves them: what holders have, and allow the vault. All are OpenZeppelin's ERC-20 (and ERC-2612), as the vault
 * asks of them. Addresses are lower case, amounts raw.
 */
export class TokenBook {
  /** By token and holder. */
  readonly balances: NestedWords<string, string, bigint>;
  /** By token and owner: what the vault may take. */
  readonly allowances: NestedWords<string, string, bigint>;
  /** By token and owner: of the next permit. */
  readonly permitNonces: NestedWords<string, string, bigint>;
  /** EIP-712 domain separators of the tokens that take permits. */
  readonly domains: Map<string, string>;
  /** Whose tokens were read, by token; undefined: everybody's. */
  readonly #known: Map<string, ReadonlySet<string>> | undefined;

  /** @param known whose tokens were read, by token; of a fork nothing. By default everybody's */
  constructor(under?: TokenBook, known?: ReadonlyMap<string, ReadonlySet<string>>) {
    this.balances = under?.balances.fork() ?? new NestedWords();
    this.allowances = under?.allowances.fork() ?? new NestedWords();
    this.permitNonces = under?.permitNonces.fork() ?? new NestedWords();
    this.domains = under?.domains ?? new Map<string, string>();
    const first = under === undefined ? known : under.#known;
    this.#known = first === undefined ? undefined : new Map(first);
  }

  knows(token: string, holder: string): boolean {
    return this.#known === undefined || this.#known.get(token)?.has(holder) === true;
  }

  /** Sets what is left out of what was read. */
  suppose(token: string, holder: string, tokens: { readonly balance?: bigint; readonly allowance?: bigint }): void {
    if (tokens.balance !== undefined) this.balances.set(token, holder, tokens.balance);
    if (tokens.allowance !== undefined) this.allowances.set(token, holder, tokens.allowance);
    this.#known?.set(token, new Set([...(this.#known.get(token) ?? []), holder]));
  }

  fork(): TokenBook {
    return new TokenBook(this);
  }

  /** What `Tokens.pull` does: takes an amount from the owner. Throws ERC20InsufficientAllowance, ERC20InsufficientBalance and NotReadError. */
  pull(token: string, owner: string, vault: string, amount: bigint): void {
    this.#require(token, owner);
    const allowance = this.allowances.get(token, owner);
    if (allowance !== unlimited) {
      if (allowance < amount) {
        throw new ContractError("ERC20InsufficientAllowance", { spender: vault, allowance, needed: amount });
      }
      this.allowances.set(token, owner, allowance - amount);
    }
    this.#move(token, owner, vault, amount);
  }

  /** What `Tokens.push` does: gives an amount away. Throws ERC20InvalidReceiver, ERC20InsufficientBalance, TokenMovedOtherAmount and NotReadError. */
  push(token: string, vault: string, to: string, amount: bigint): void {
    this.#require(token, vault);
    if (to === zeroAddress) throw new ContractError("ERC20InvalidReceiver", { receiver: zeroAddress });
    this.#move(token, vault, to, amount);
    if (to === vault) throw new ContractError("TokenMovedOtherAmount", { token, asked: amount, moved: 0n });
  }

  /** What a token's `permit` does for the vault; nothing where it would revert, which the vault overlooks. */
  permit(
    token: string,
    owner: string,
    vault: string,
    value: bigint,
    deadline: bigint,
    signature: PermitSignature,
    now: bigint,
  ): void {
    const domain = this.domains.get(token);
    if (domain === undefined || now > deadline) return;
    const nonce = this.permitNonces.get(token, owner);
    const hash = TypedDataEncoder.from(permitTypes).hash({ owner, spender: vault, value, nonce, deadline });
    const digest = keccak256(`0x1901${domain.slice(2)}${hash.slice(2)}`);
    if (signerOf(digest, signature) !== owner) return;
    this.permitNonces.set(token, owner, nonce + 1n);
    this.allowances.set(token, owner, value);
  }

  #require(token: string, holder: string): void {
    if (!this.knows(token, holder)) throw new NotReadError("tokens", [holder, token]);
  }

  #move(token: string, from: string, to: string, amount: bigint): void {
    const balance = this.balances.get(token, from);
    if (balance < amount) {
      throw new ContractError("ERC20InsufficientBalance", { sender: from, balance, needed: amount });
    }
    this.balances.set(token, from, balance - amount);
    this.balances.set(token, to, this.balances.get(token, to) + amount);
  }
}

/** Half the order of secp256k1: OpenZeppelin's ECDSA takes no larger `s`, so that no signature has a twin. */
const largestS = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

/** Whose key has signed a digest, lower case; undefined where OpenZeppelin's ECDSA finds nobody. */
export function signerOf(digest: string, { v, r, s }: PermitSignature): string | undefined {
  if ((v !== 27 && v !== 28) || BigInt(s) > largestS) return undefined;
  try {
    return recoverAddress(digest, { v, r, s }).toLowerCase();
  } catch {
    return undefined; // r is on no point of the curve
  }
}

/** The parts of a signature of 65 bytes; undefined: it has another length. */
export function partsOf(signature: string): PermitSignature | undefined {
  if (signature.length !== 2 + 65 * 2) return undefined;
  return { r: signature.slice(0, 66), s: `0x${signature.slice(66, 130)}`, v: Number(`0x${signature.slice(130)}`) };
}
