// What an account has, and how safe it is: npx tsx examples/readAccount.ts <owner> [index]
import { accountId } from "ballast";
import { displayTokenAmount, displayWad, formatWad } from "ballast/units";

import { deployment, provider, reader } from "./connection.js";

const [owner = "", index = "0"] = process.argv.slice(2);
const ballast = await reader();
const account = accountId(owner, BigInt(index));

console.log(`cash ${displayWad(await ballast.cashOf(account))}`);
for (const { token, amount } of await ballast.collaterals(account)) {
  const { decimals = 18 } = deployment.collaterals.find(({ symbol }) => symbol === token) ?? {};
  console.log(`${token} ${displayTokenAmount(amount, decimals, { places: 4 })}`);
}
for (const { market, sizeWad, valueWad } of await ballast.positions(account)) {
  const { priceWad } = await ballast.price(market);
  console.log(`${market} ${formatWad(sizeWad)} at ${displayWad(priceWad)}: ${displayWad(valueWad)}`);
}

// Maintenance margin: below a health of 1 anyone may liquidate the account. Free margin is what is left to open with, or to withdraw.
const { healthWad, freeMarginWad, isLiquidatable } = await ballast.health(account);
console.log(`health ${healthWad === undefined ? "-" : displayWad(healthWad)}${isLiquidatable ? ", liquidatable" : ""}`);
console.log(`free margin ${displayWad(freeMarginWad)}`);
provider.destroy();
