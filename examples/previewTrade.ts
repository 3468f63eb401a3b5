// What a trade would do, before anything is sent or signed: npx tsx examples/previewTrade.ts <owner> <market> <size>
import { accountId } from "ballast";
import { displayWad, formatWad } from "ballast/units";

import { provider, reader } from "./connection.js";

const [owner = "", market = "ETH", size = "1"] = process.argv.slice(2);
const ballast = await reader();
const call = ballast.calls.trade(accountId(owner), market, size);

// One block is read, and the contracts' own arithmetic does the rest here: to the last wei.
const { error, fill, account } = await ballast.preview(call);
if (error !== undefined) {
  console.log(`refused: ${error.message}`);
} else if (fill !== undefined && account !== undefined) {
  const ceil = { rounding: "ceil" } as const;
  const { below, above } = account.liquidationPrice(market);
  console.log(`price ${formatWad(fill.priceWad)}, fee ${displayWad(fill.feeWad, ceil)}`);
  console.log(`free margin afterwards ${displayWad(account.freeMarginWad)}`);
  if (below !== undefined) console.log(`liquidatable at ${displayWad(below, ceil)} and below`);
  if (above !== undefined) console.log(`liquidatable at ${displayWad(above)} and above`);
}

// For a multisig, or a signer that is somewhere else.
const { to, data } = ballast.unsigned(call);
console.log(`to ${to}, ${(data.length - 2) / 2} bytes`);
provider.destroy();
