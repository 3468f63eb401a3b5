/** Twin of contracts/libraries/Authority.sol: who may act for an account. */
import { ContractError } from "../ContractError.js";
import { type AccountId, owner as ownerOf } from "../types/AccountId.js";
import { ALL_PERMISSIONS } from "../types/Permissions.js";
import type { Vault } from "../types/VaultStorage.js";

/** Refuses a caller that is neither the owner nor an operator with this permission. Throws NotAuthorized. */
export function require_($: Vault, account: AccountId, permission: bigint): void {
  if ($.sender === ownerOf(account)) return;
  const permitted = ($.permissionsOf.get(account, $.sender) & permission) !== 0n;
  if (!permitted) throw new ContractError("NotAuthorized", { account, caller: $.sender });
}

/** Throws NotAuthorized, UnknownPermissions. */
export function setOperator($: Vault, account: AccountId, operator: string, permissions: bigint): void {
  if ($.sender !== ownerOf(account)) throw new ContractError("NotAuthorized", { account, caller: $.sender });
  set($, account, operator, permissions);
}

/**
 * Throws WrongNonce, DeadlinePassed, InvalidSignature, UnknownPermissions.
 * @param isSigned whether the signature is the owner's, for this chain, this vault and these arguments: whoever calls decides it, since a
 * twin hashes nothing and asks no wallet
 */
export function setOperatorBySig(
  $: Vault,
  account: AccountId,
  operator: string,
  permissions: bigint,
  nonce: bigint,
  deadline: bigint,
  isSigned: boolean,
): void {
  const owner = ownerOf(account);
  const expected = $.nonces.get(owner);
  if (nonce < expected && $.permissionsOf.get(account, operator) === permissions) return;
  if (nonce !== expected) throw new ContractError("WrongNonce", { owner, nonce, expected });
  if ($.now > deadline) throw new ContractError("DeadlinePassed", { deadline, blockTime: $.now });
  useNonce($, owner);
  if (!isSigned) throw new ContractError("InvalidSignature", { owner });
  set($, account, operator, permissions);
}

export function revokeSignatures($: Vault): void {
  useNonce($, $.sender);
}

function set($: Vault, account: AccountId, operator: string, permissions: bigint): void {
  if (permissions > ALL_PERMISSIONS) {
    throw new ContractError("UnknownPermissions", { permissions, all: ALL_PERMISSIONS });
  }
  $.permissionsOf.set(account, operator, permissions);
  $.emit("OperatorSet", { account, operator, permissions });
}

function useNonce($: Vault, owner: string): void {
  const nonce = $.nonces.get(owner);
  $.nonces.set(owner, nonce + 1n);
  $.emit("NonceUsed", { owner, nonce });
}
