// An owner signs, and pays for nothing; the operator sends the signature along, then trades for the owner.
// BALLAST_KEY is the operator's, BALLAST_OWNER_KEY the owner's: npx tsx examples/grantOperator.ts <market> <size>
import { Ballast, accountId, permission } from "ballast";
import { formatWad } from "ballast/units";

import { deployment, provider, wallet } from "./connection.js";

const [market = "ETH", size = "1"] = process.argv.slice(2);
const [operator, owner] = [wallet(), wallet("BALLAST_OWNER_KEY")];
const account = accountId(owner.address);

// On the owner's side. It may trade, and not withdraw; the signature is good for an hour, once, on this chain and vault alone.
const ofOwner = await Ballast.connect(owner, deployment);
const grant = await ofOwner.signOperatorGrant(account, operator.address, permission.trade);

// On the operator's side.
const ballast = await Ballast.connect(operator, deployment);
await ballast.send(ballast.calls.setOperatorBySig(grant));
await ballast.trade(account, market, size);
const { sizeWad } = await ballast.position(account, market);
console.log(`${operator.address} traded for ${owner.address}: ${formatWad(sizeWad)} ${market}`);
provider.destroy();
