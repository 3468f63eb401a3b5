import { type Provider } from "ethers";
import { z } from "zod";

import { type Deployment, formatDecimal } from "../sdk/index.js";
import { MarginVault__factory } from "../typechain-types/index.js";

const count = z.int().min(0);
const money = z.string().regex(/^\d+(\.\d{1,18})?$/, "must be a decimal string");

/** How far down the waterfall a run went (docs/protocol.md, "Liquidation"), by what the vault's events tell. Money in settlement tokens. */
export const WaterfallFigures = z.strictObject({
  /** Step 1: partial liquidations of a position or a collateral. */
  liquidated: count,
  /** Step 2: accounts of which the pool took over what it could bear, and those that were closed against the other sides. */
  absorbedA: count,
  absorbedB: count,
  /** Steps 3 and 4: what insurance and the pool paid for others. */
  insurancePaid: money,
  poolPaid: money,
  /** Steps 2 and 5: positions that were closed against the other side of their market. */
  deleveraged: count,
  /** Step 6: what suppliers of cash bore, and what nobody had borne when it was booked. */
  writtenOff: money,
  badDebtBooked: money,
});

export type WaterfallFigures = z.infer<typeof WaterfallFigures>;

const vault = MarginVault__factory.createInterface();
const names = [
  "PositionLiquidated",
  "CollateralLiquidated",
  "Absorbed",
  "InsurancePaid",
  "PoolPaid",
  "PositionDeleveraged",
  "LossWrittenOff",
] as const;
const nameOf = new Map(names.map((name) => [vault.getEvent(name).topicHash, name]));

/** Counts and adds up the vault's events. */
export async function readWaterfall(provider: Provider, deployment: Deployment): Promise<WaterfallFigures> {
  const { vault: address, fromBlock } = deployment;
  const counts = { liquidated: 0, absorbedA: 0, absorbedB: 0, deleveraged: 0 };
  const sums = { insurancePaid: 0n, poolPaid: 0n, writtenOff: 0n, badDebtBooked: 0n };
  for (const { topics, data } of await provider.getLogs({ address, topics: [[...nameOf.keys()]], fromBlock })) {
    const name = nameOf.get(topics[0] ?? "");
    if (name === undefined) continue;
    const { paidWad, writtenOffWad, badDebtWad, deleveraged } = vault.decodeEventLog(name, data, topics);
    if (name === "PositionLiquidated" || name === "CollateralLiquidated") counts.liquidated += 1;
    if (name === "Absorbed") counts[deleveraged === true ? "absorbedB" : "absorbedA"] += 1;
    if (name === "InsurancePaid") sums.insurancePaid += paidWad as bigint;
    if (name === "PoolPaid") sums.poolPaid += paidWad as bigint;
    if (name === "PositionDeleveraged") counts.deleveraged += 1;
    if (name !== "LossWrittenOff") continue;
    sums.writtenOff += writtenOffWad as bigint;
    sums.badDebtBooked += badDebtWad as bigint;
  }
  const money = (wad: bigint) => formatDecimal(wad, 18);
  return {
    liquidated: counts.liquidated,
    absorbedA: counts.absorbedA,
    absorbedB: counts.absorbedB,
    insurancePaid: money(sums.insurancePaid),
    poolPaid: money(sums.poolPaid),
    deleveraged: counts.deleveraged,
    writtenOff: money(sums.writtenOff),
    badDebtBooked: money(sums.badDebtBooked),
  };
}
