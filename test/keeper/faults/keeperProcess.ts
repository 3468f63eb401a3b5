/** A keeper in a process of its own, to be killed: one turn each 50 ms. Says on stdout when it started, and what each turn did. */
import { setTimeout as sleep } from "node:timers/promises";

import { pino } from "pino";

import { assembleKeeper } from "../../../keeper/assemble.js";
import { SqliteStore } from "../../../keeper/store/index.js";
import { parseDeployment } from "../../../sdk/index.js";
import { Tally } from "../tally.js";

export interface ProcessOptions {
  readonly url: string;
  readonly file: string;
  /** As a deployment file has it. */
  readonly deployment: string;
  readonly key: string;
}

const options = JSON.parse(process.env["KEEPER"] ?? "") as ProcessOptions;
const deployment = parseDeployment(options.deployment);
const { keeper, hands } = assembleKeeper({
  deployment,
  nodes: { endpoints: [{ url: options.url }], pollMs: 50 },
  keys: [options.key],
  policy: { minimumProfitWad: 0n, unknownProfit: "act" },
  store: new SqliteStore({ file: options.file, chainId: deployment.chainId, vault: deployment.vault }),
  log: pino({ level: "warn" }, pino.destination(2)),
  metrics: new Tally(),
  lane: { pollMs: 20, waitMs: 100, maxGasPriceWei: 10n ** 15n },
});
await hands.resume();
process.stdout.write("started\n");
for (;;) {
  try {
    const { acted, skipped } = await keeper.onBlock();
    const block = keeper.sight?.head.number;
    process.stdout.write(`${JSON.stringify({ block, acted, skipped, underWay: [...hands.underWay()] })}\n`);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ failed: String(error) })}\n`);
  }
  await sleep(50);
}
