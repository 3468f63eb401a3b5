// Of what an account's margin is made, and at which prices it is liquidatable: npx tsx examples/explainAccount.ts <owner> [index]
import { AccountView, accountId, explainHealth, formatHealth, liquidationMove, liquidationPrice } from "ballast";
import { displayWad, formatWad, wad } from "ballast/units";

import { deployment, provider, reader } from "./connection.js";

const [owner = "", index = "0"] = process.argv.slice(2);
const ballast = await reader();
const account = accountId(owner, BigInt(index));

// One block, read once: everything below is of the same moment. The items add up to the contract's figures, to the wei.
const state = await ballast.readState([account]);
for (const line of formatHealth(explainHealth(state, account), deployment)) console.log(line);

// Exact: at that price the account is liquidatable, and at one wei less of a fall, or of a rise, it is not.
for (const { market } of new AccountView(state, state.at(), account).positions) {
  const { presentWad, isLiquidatable, below, above } = liquidationPrice(state, account, market, { moving: "symbol" });
  const turns = isLiquidatable ? "safe again" : "liquidatable";
  console.log(`${market} is at ${displayWad(presentWad)}`);
  if (below !== undefined) console.log(`  ${turns} at ${formatWad(below)} and below`);
  if (above !== undefined) console.log(`  ${turns} at ${formatWad(above)} and above`);
}

// The same for all prices at once: a factor, of which 1 is no move.
const { isLiquidatable, below } = liquidationMove(state, account);
if (!isLiquidatable && below !== undefined) {
  console.log(`liquidatable where all prices fall by ${displayWad((wad("1") - below) * 100n)}%`);
}
provider.destroy();
