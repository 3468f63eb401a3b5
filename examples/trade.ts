// Deposits, then buys with a bound on the price: npx tsx examples/trade.ts <market> <size> <deposit>
import { Ballast, ContractError } from "ballast";
import { displayWad, formatWad, mulDivUp, wad } from "ballast/units";

import { deployment, provider, wallet } from "./connection.js";

const [market = "ETH", size = "1", amount = "1000"] = process.argv.slice(2);
const ballast = await Ballast.connect(wallet(), deployment);
const account = await ballast.account();

await ballast.deposit(account, deployment.settlementToken.symbol, amount);

// The fill price is the oracle's, its tolerance, and the impact of the trade: at most 1% of it in sum, or the trade is refused.
const { priceWad } = await ballast.price(market);
const limitPrice = mulDivUp(priceWad, wad("1.01"), wad("1"));
try {
  await ballast.trade(account, market, size, { limitPrice });
  const { sizeWad, costWad } = await ballast.position(account, market);
  console.log(
    `bought: ${formatWad(sizeWad)} ${market} for ${displayWad(costWad, { rounding: "ceil" })}, fees included`,
  );
} catch (error) {
  // A refusal has a name and numbers. Everything else, such as a node that does not answer, is not ours to handle here.
  if (!(error instanceof ContractError)) throw error;
  if (error.errorName === "InsufficientMargin") {
    const { equityWad, requiredWad } = error.args as { equityWad: bigint; requiredWad: bigint };
    console.log(
      `refused: the margin would be ${displayWad(equityWad)} of ${displayWad(requiredWad, { rounding: "ceil" })}`,
    );
  } else {
    console.log(`refused: ${error.message}`);
  }
}
provider.destroy();
