import { type Signer, Signature } from "ethers";

import type { Token } from "../contracts.js";
import type { Deployment } from "../deployment.js";
import { type OperatorGrant, type TypedData, operatorGrantData, permitData } from "../grants.js";
import type { PermitSignature } from "./tokens.js";

/** A grant with its owner's signature: anybody may send it. */
export interface SignedGrant extends OperatorGrant {
  readonly signature: string;
}

/** An allowance for the vault with the signature of the token's owner, who alone can use it to deposit. */
export interface SignedPermit extends PermitSignature {
  /** Symbol of the token. */
  readonly token: string;
  /** Raw. */
  readonly amount: bigint;
  /** Unix seconds. */
  readonly deadline: bigint;
}

export async function signGrant(signer: Signer, deployment: Deployment, grant: OperatorGrant): Promise<SignedGrant> {
  return { ...grant, signature: await sign(signer, operatorGrantData(deployment, grant)) };
}

export async function signPermit(
  signer: Signer,
  deployment: Deployment,
  token: { readonly symbol: string; readonly contract: Token },
  amount: bigint,
  deadline: bigint,
): Promise<SignedPermit> {
  const { symbol, contract } = token;
  const owner = await signer.getAddress();
  const [[, name, version], nonce, address] = await Promise.all([
    contract.eip712Domain(),
    contract.nonces(owner),
    contract.getAddress(),
  ]);
  const data = permitData(deployment, { address, name, version }, { owner, value: amount, nonce, deadline });
  const { v, r, s } = Signature.from(await sign(signer, data));
  return { token: symbol, amount, deadline, v, r, s };
}

function sign(signer: Signer, { domain, types, message }: TypedData): Promise<string> {
  return signer.signTypedData(domain, types, message);
}
