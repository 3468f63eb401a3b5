// The keeper's question: who is liquidatable now? npx tsx examples/findLiquidatable.ts
import { type AccountId, decodeAccount, normalizeAccount } from "ballast";
import { displayWad } from "ballast/units";

import { deployment, provider, reader } from "./connection.js";

const blocksAtOnce = 10_000;
const ballast = await reader();
const last = await provider.getBlockNumber();

// Everybody who ever had anything is in the log, with what is stored of them. Nobody without a position or debt can be liquidated.
const words = new Map<AccountId, bigint>();
for (let from = deployment.fromBlock; from <= last; from += blocksAtOnce) {
  for (const { name, args } of await ballast.events(from, Math.min(from + blocksAtOnce - 1, last))) {
    if (name !== "AccountChanged") continue;
    const { account, word } = args as { account: string; word: bigint };
    words.set(normalizeAccount(account), word);
  }
}
const exposed = [...words].flatMap(([account, word]) => {
  const { assets, principalWad } = decodeAccount(word);
  return assets !== 0n || principalWad < 0n ? [account] : [];
});
console.log(`${words.size} accounts, ${exposed.length} with something at risk`);

// One call answers for many.
const found = await ballast.liquidatable(exposed);
for (const [at, { healthWad = 0n, equityMaintenanceWad }] of (await ballast.healths(found)).entries()) {
  console.log(`${found[at]}: health ${displayWad(healthWad)}, equity ${displayWad(equityMaintenanceWad)}`);
}
provider.destroy();
