// Prints what happens in the vault until it is interrupted: npx tsx examples/watchEvents.ts
import { formatWad } from "ballast/units";

import { provider, reader } from "./connection.js";

const ballast = await reader();
// Blocks that this many others stand on are final for our purposes. 0 on a development chain; a real one wants more.
const confirmations = Number(process.env["BALLAST_CONFIRMATIONS"] ?? 0);
const fromBlock = (await provider.getBlockNumber()) + 1;
console.log(`watching from block ${fromBlock}`);

for await (const event of ballast.events({ fromBlock, confirmations })) {
  const { name, blockNumber } = event;
  if (event.name === "Traded") {
    const { account, market, sizeDeltaWad, fillPriceWad } = event.args;
    const symbol = ballast.marketSymbol(Number(market));
    console.log(`${blockNumber} ${account} traded ${formatWad(sizeDeltaWad)} ${symbol} at ${formatWad(fillPriceWad)}`);
  } else {
    console.log(`${blockNumber} ${name}`);
  }
}
