import { expect } from "chai";

import * as Authority from "../../../sdk/risk/libraries/Authority.js";
import { accountIdOf } from "../../../sdk/risk/types/AccountId.js";
import { Vault } from "../../../sdk/risk/types/VaultStorage.js";
import { refused } from "./refused.js";

const owner = `0x${"a1".repeat(20)}`;
const operator = `0x${"b2".repeat(20)}`;
const stranger = `0x${"c3".repeat(20)}`;
const account = accountIdOf(owner, 7n);
const now = 1000n;

describe("sdk/risk/libraries/Authority: signed grants", () => {
  let vault: Vault;

  beforeEach(() => {
    vault = new Vault(now, stranger);
  });

  const grant = (permissions: bigint, nonce: bigint, { deadline = now, isSigned = true } = {}) =>
    Authority.setOperatorBySig(vault, account, operator, permissions, nonce, deadline, isSigned);
  const state = () => ({
    permissions: vault.permissionsOf.get(account, operator),
    nonce: vault.nonces.get(owner),
    events: vault.events,
  });
  const nonceUsed = (nonce: bigint) => ({ name: "NonceUsed", args: { owner, nonce } });
  const operatorSet = (permissions: bigint) => ({ name: "OperatorSet", args: { account, operator, permissions } });

  it("count in the order of the owner's nonces, until their deadline", () => {
    grant(5n, 0n);
    grant(9n, 1n);
    expect(state()).to.deep.equal({
      permissions: 9n,
      nonce: 2n,
      events: [nonceUsed(0n), operatorSet(5n), nonceUsed(1n), operatorSet(9n)],
    });
    refused(() => grant(5n, 3n), "WrongNonce", { owner, nonce: 3n, expected: 2n });
    refused(() => grant(5n, 0n), "WrongNonce", { owner, nonce: 0n, expected: 2n });
    const late = { deadline: now - 1n };
    refused(() => grant(5n, 2n, late), "DeadlinePassed", { deadline: now - 1n, blockTime: now });
  });

  it("change nothing where somebody sent the same before", () => {
    grant(5n, 0n);
    const before = structuredClone(state());
    grant(5n, 0n, { deadline: 0n, isSigned: false });
    expect(state()).to.deep.equal(before);
  });

  it("must be the owner's, of permissions that exist", () => {
    refused(() => grant(5n, 0n, { isSigned: false }), "InvalidSignature", { owner });
    vault = new Vault(now, stranger);
    refused(() => grant(32n, 0n), "UnknownPermissions", { permissions: 32n, all: 31n });
  });

  it("are void once the owner revoked them", () => {
    vault.sender = owner;
    Authority.revokeSignatures(vault);
    expect(state()).to.deep.equal({ permissions: 0n, nonce: 1n, events: [nonceUsed(0n)] });
    refused(() => grant(5n, 0n), "WrongNonce", { owner, nonce: 0n, expected: 1n });
  });

  it("let the operator do what they name, and the owner anything", () => {
    grant(5n, 0n);
    vault.sender = operator;
    for (const permission of [1n, 4n]) Authority.require_(vault, account, permission);
    refused(() => Authority.require_(vault, account, 2n), "NotAuthorized", { account, caller: operator });
    refused(() => Authority.setOperator(vault, account, operator, 31n), "NotAuthorized", { account, caller: operator });
    vault.sender = owner;
    Authority.require_(vault, account, 2n);
    Authority.setOperator(vault, account, operator, 0n);
    expect(vault.permissionsOf.get(account, operator)).to.equal(0n);
  });
});
