import { Signature } from "ethers";

import { type AccountId, WAD, operatorGrantData, permission, permitData } from "../../../../sdk/index.js";
import { place } from "../../../helpers/vaultStorage.js";
import type { Act } from "../act.js";
import type { Actor, Arena, NamedAccount } from "../arena.js";
import { tokenInterface, vaultInterface } from "../interfaces.js";
import { type Situation, chance, noDeadline, part, pick, toRaw, traders } from "../situation.js";

export type PermissionName = keyof typeof permission;

const allPermissions = Object.values(permission).reduce((sum, bit) => sum | bit, 0n);

/** What an operator may do for an account. */
export function permissionsOf({ books }: Pick<Situation, "books">, account: AccountId, { address }: Actor): bigint {
  return books.words.get(place.permissionsOf(account, address).name) ?? 0n;
}

/** Who acts for an account: its owner, or often an operator who may; now and then somebody who may not. */
export function callerFor(situation: Situation, { id, owner }: NamedAccount, name: PermissionName): Actor {
  const { arena } = situation;
  const able = arena.operators.filter((each) => (permissionsOf(situation, id, each) & permission[name]) !== 0n);
  if (able.length > 0 && chance(situation, 0.5)) return pick(situation, able);
  return chance(situation, 0.03) ? pick(situation, arena.actors) : owner;
}

/** Everything at once, some of it, or nothing any more. */
function permissionsFrom(situation: Situation): bigint {
  const dice = situation.random.uniform();
  if (dice < 0.05) return allPermissions + 1n;
  if (dice < 0.3) return 0n;
  return dice < 0.6 ? allPermissions : part(situation, allPermissions, 0, 1) + 1n;
}

/** An owner lets an operator act, or takes that back; now and then the operator tries. */
export function setOperatorAct(situation: Situation): Act {
  const { arena } = situation;
  const account = pick(situation, traders(situation));
  const operator = pick(situation, arena.operators);
  const permissions = permissionsFrom(situation);
  const from = chance(situation, 0.1) ? operator : account.owner;
  return {
    row: "setOperator",
    kind: "grant",
    what: `${from.name} gives ${operator.name} permissions ${permissions} of ${account.name}`,
    from: from.address,
    to: arena.deployment.vault,
    data: vaultInterface.encodeFunctionData("setOperator", [account.id, operator.address, permissions]),
    account: account.id,
  };
}

export function nonceOf({ books }: Pick<Situation, "books">, { address }: Actor): bigint {
  return books.words.get(place.nonce(address).name) ?? 0n;
}

/** The same by signature, which anybody sends; now and then with another nonce, or too late. */
export async function setOperatorBySigAct(situation: Situation): Promise<Act> {
  const { arena } = situation;
  const account = pick(situation, traders(situation));
  const operator = pick(situation, arena.operators);
  const permissions = permissionsFrom(situation);
  const nonce = nonceOf(situation, account.owner) + (chance(situation, 0.08) ? 1n : 0n);
  const deadline = chance(situation, 0.05) ? BigInt(arena.chain.nowSeconds - 1) : noDeadline;
  const grant = { account: account.id, operator: operator.address, permissions, nonce, deadline };
  const { domain, types, message } = operatorGrantData(arena.deployment, grant);
  const signer = chance(situation, 0.05) ? operator : account.owner;
  const signature = await signer.wallet!.signTypedData(domain, types, message);
  const from = pick(situation, arena.actors);
  const values = [account.id, operator.address, permissions, nonce, deadline, signature] as const;
  return {
    row: "setOperatorBySig",
    kind: "grant",
    what: `${from.name} brings ${signer.name}'s grant ${nonce} of ${permissions} of ${account.name} to ${operator.name}`,
    from: from.address,
    to: arena.deployment.vault,
    data: vaultInterface.encodeFunctionData("setOperatorBySig", [...values]),
    account: account.id,
  };
}

export function revokeSignaturesAct(situation: Situation): Act {
  const { arena } = situation;
  const { owner } = pick(situation, traders(situation));
  return {
    row: "revokeSignatures",
    kind: "grant",
    what: `${owner.name} revokes what it has signed`,
    from: owner.address,
    to: arena.deployment.vault,
    data: vaultInterface.encodeFunctionData("revokeSignatures"),
  };
}

/** An allowance that an arena's actors have of every token. */
export const plenty = 10n ** 30n;

/** An owner deposits with a permit instead of an allowance; now and then one of somebody else, which does not count. */
export async function depositWithPermitAct(situation: Situation): Promise<Act> {
  const { arena, pricesWad } = situation;
  const { deployment, chain } = arena;
  const account = pick(situation, traders(situation));
  const { owner } = account;
  const token = pick(situation, [arena.cash, arena.collaterals[0]!, arena.collaterals[1]!]);
  const price = token === arena.cash ? WAD : pricesWad.get((token as Arena["collaterals"][number]).asset)!;
  const amount = toRaw(part(situation, 4000n * WAD, 0, 1), token, price) + 1n;
  const nonce = BigInt(await chain.call(token.address, tokenInterface.encodeFunctionData("nonces", [owner.address])));
  const named = { address: token.address, name: `Mock ${token.symbol}`, version: "1" };
  const { domain, types, message } = permitData(deployment, named, {
    owner: owner.address,
    value: amount,
    nonce,
    deadline: noDeadline,
  });
  const { v, r, s } = Signature.from(await owner.wallet!.signTypedData(domain, types, message));
  const approve = tokenInterface.encodeFunctionData("approve", [deployment.vault, plenty]);
  return {
    row: "depositWithPermit",
    kind: "deposit",
    what: `${owner.name} deposits ${amount} ${token.symbol} for ${account.name} with a permit`,
    from: owner.address,
    to: deployment.vault,
    data: vaultInterface.encodeFunctionData("depositWithPermit", [
      account.id,
      token.address,
      amount,
      noDeadline,
      v,
      r,
      s,
    ]),
    account: account.id,
    also: [{ from: owner.address, to: token.address, data: approve }],
  };
}
