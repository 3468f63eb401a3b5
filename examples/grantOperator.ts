// An owner signs, and pays for nothing; the operator sends the signature along, then trades for the owner.
// BALLAST_KEY is the operator's, BALLAST_OWNER_KEY the owner's: npx tsx examples/grantOperator.ts <market> <size>
import { Ballast, accountId, operatorGrantData, permission, withDecodedErrors } from "ballast";
import { formatWad } from "ballast/units";

import { deployment, provider, wallet } from "./connection.js";

const [market = "ETH", size = "1"] = process.argv.slice(2);
const [operator, owner] = [wallet(), wallet("BALLAST_OWNER_KEY")];
const ballast = await Ballast.connect(operator, deployment);

// On the owner's side. It may trade, and not withdraw; the signature is good for an hour, once, on this chain and vault alone.
const block = await provider.getBlock("latest");
const grant = {
  account: accountId(owner.address),
  operator: operator.address,
  permissions: permission.trade,
  nonce: await ballast.vault.nonces(owner.address),
  deadline: BigInt((block?.timestamp ?? 0) + 3600),
};
const { domain, types, message } = operatorGrantData(deployment, grant);
const signature = await owner.signTypedData(domain, types, message);

// On the operator's side.
const { account, permissions, nonce, deadline } = grant;
await withDecodedErrors(async () => {
  const sent = await ballast.vault.setOperatorBySig(account, operator.address, permissions, nonce, deadline, signature);
  await sent.wait();
});
await ballast.trade(account, market, size);
const { sizeWad } = await ballast.position(account, market);
console.log(`${operator.address} traded for ${owner.address}: ${formatWad(sizeWad)} ${market}`);
provider.destroy();
