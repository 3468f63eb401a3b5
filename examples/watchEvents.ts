// Prints what happens in the vault, block by block, until it is interrupted: npx tsx examples/watchEvents.ts
import { formatWad } from "ballast/units";

import { provider, reader } from "./connection.js";

const ballast = await reader();
// Blocks that are this deep are final for our purposes. 0 on a development chain; a real one wants more.
const confirmations = Number(process.env["BALLAST_CONFIRMATIONS"] ?? 0);
const pause = () => new Promise((resolve) => setTimeout(resolve, 500));

let next = (await provider.getBlockNumber()) + 1;
console.log(`watching from block ${next}`);
for (;;) {
  const last = (await provider.getBlockNumber()) - confirmations;
  if (last < next) {
    await pause();
    continue;
  }
  for (const { name, args, blockNumber } of await ballast.events(next, last)) {
    if (name === "Traded") {
      const { account, market, sizeDeltaWad, fillPriceWad } = args as Record<
        "market" | "sizeDeltaWad" | "fillPriceWad",
        bigint
      > & {
        account: string;
      };
      const symbol = ballast.marketSymbol(Number(market));
      console.log(
        `${blockNumber} ${account} traded ${formatWad(sizeDeltaWad)} ${symbol} at ${formatWad(fillPriceWad)}`,
      );
    } else {
      console.log(`${blockNumber} ${name}`);
    }
  }
  next = last + 1;
}
