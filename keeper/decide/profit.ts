import { WAD, mulDivDown, mulDivUp } from "../../sdk/index.js";

/** When the keeper pays for a transaction. */
export interface ProfitPolicy {
  /** What a step must bring at least beyond its gas, wad of quote; below zero it may cost so much: a venue's own keeper pays for order. */
  readonly minimumProfitWad: bigint;
  /** What to do where nobody knows what gas costs. */
  readonly unknownProfit: "skip" | "act";
}

/** What gas costs now. */
export interface GasCost {
  /** Of a unit of gas; undefined: unknown. */
  readonly gasPriceWei: bigint | undefined;
  /** Quote for a whole token that gas is paid in, wad; undefined: unknown. */
  readonly tokenPriceWad: bigint | undefined;
}

export type Verdict =
  | {
      readonly kind: "act";
      /** The most that the fee may come to; undefined: nobody knows. */
      readonly feeBudgetWei: bigint | undefined;
    }
  | { readonly kind: "skip"; readonly reason: "unprofitable" | "unknownProfit" };

/** Whether something that brings so much (wad of quote) and uses so much gas is worth it. */
export function judge(earnsWad: bigint, gas: bigint, policy: ProfitPolicy, cost: GasCost): Verdict {
  const { gasPriceWei, tokenPriceWad } = cost;
  if (tokenPriceWad === undefined || tokenPriceWad === 0n || gasPriceWei === undefined) {
    if (policy.unknownProfit === "act") return { kind: "act", feeBudgetWei: undefined };
    return { kind: "skip", reason: "unknownProfit" };
  }
  const spareWad = earnsWad - policy.minimumProfitWad;
  const costWad = mulDivUp(gas * gasPriceWei, tokenPriceWad, WAD);
  if (spareWad < costWad) return { kind: "skip", reason: "unprofitable" };
  return { kind: "act", feeBudgetWei: mulDivDown(spareWad, WAD, tokenPriceWad) };
}
