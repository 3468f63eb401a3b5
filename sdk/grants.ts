import type { TypedDataDomain, TypedDataField } from "ethers";

import type { AccountId } from "./accounts.js";
import type { Deployment } from "./deployment.js";

/** What an operator may do for an account, one bit each; a grant is their sum. */
export const permission = {
  trade: 1n,
  /** To any address. */
  withdraw: 2n,
  /** To any account. */
  transfer: 4n,
  /** Take over what is liquidated, and buy collateral from the pool. */
  take: 8n,
  setMode: 16n,
} as const;

/** What a signer's `signTypedData` takes (EIP-712). */
export interface TypedData {
  readonly domain: TypedDataDomain;
  readonly types: Record<string, TypedDataField[]>;
  readonly message: Record<string, unknown>;
}

/** A grant that an account's owner signs and anybody may send, with `setOperatorBySig`. */
export interface OperatorGrant {
  readonly account: AccountId;
  readonly operator: string;
  /** The bits that count from then on; zero takes all back. */
  readonly permissions: bigint;
  /** The owner's next: `nonces(owner)`. */
  readonly nonce: bigint;
  /** Unix seconds. */
  readonly deadline: bigint;
}

/** What the owner of the account signs for a grant: good on this chain and vault alone. */
export function operatorGrantData(
  { chainId, vault }: Pick<Deployment, "chainId" | "vault">,
  grant: OperatorGrant,
): TypedData {
  return {
    domain: { name: "Ballast", version: "1", chainId, verifyingContract: vault },
    types: {
      SetOperator: [
        { name: "account", type: "bytes32" },
        { name: "operator", type: "address" },
        { name: "permissions", type: "uint256" },
        { name: "nonce", type: "uint256" },
        { name: "deadline", type: "uint256" },
      ],
    },
    message: { ...grant },
  };
}

/** An allowance for the vault that a token's owner signs (ERC-2612), for `depositWithPermit`. */
export interface Permit {
  readonly owner: string;
  /** Raw units. */
  readonly value: bigint;
  /** The owner's next with this token: its `nonces(owner)`. */
  readonly nonce: bigint;
  /** Unix seconds. */
  readonly deadline: bigint;
}

/** What the owner signs for a permit. `name` and `version` are the token's (ERC-5267: `eip712Domain`). */
export function permitData(
  { chainId, vault }: Pick<Deployment, "chainId" | "vault">,
  token: { readonly address: string; readonly name: string; readonly version: string },
  permit: Permit,
): TypedData {
  return {
    domain: { name: token.name, version: token.version, chainId, verifyingContract: token.address },
    types: {
      Permit: [
        { name: "owner", type: "address" },
        { name: "spender", type: "address" },
        { name: "value", type: "uint256" },
        { name: "nonce", type: "uint256" },
        { name: "deadline", type: "uint256" },
      ],
    },
    message: { ...permit, spender: vault },
  };
}
