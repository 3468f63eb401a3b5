import { contractInterfaces } from "../../sdk/index.js";
import * as MarginVault from "../../sdk/risk/MarginVault.js";
import type { PlannedCall } from "../parts.js";
import { gasOf } from "./gas.js";
import { type GiveBack, giveBack } from "./giveBack.js";
import type { TakerSide } from "./steps.js";
import { readTaker } from "./takerState.js";
import { type Act, type Books, done, tried } from "./trial.js";

/** What the taker keeps for now. */
export type Kept = Extract<GiveBack, { kind: "keep" }> | { readonly kind: "keep"; market: number; reason: "refused" };

/**
 * Gives back to the pool what the taker took in earlier blocks, so that there is room for more. Done on the books.
 *
 * @param takenAt when (Unix seconds, of a block) it last took something in a market; what is not known was taken long ago
 */
export function giveBackCalls(
  books: Books,
  vault: string,
  { account, policy }: TakerSide,
  takenAt: ReadonlyMap<number, number>,
): { readonly calls: readonly PlannedCall[]; readonly kept: readonly Kept[] } {
  const calls: PlannedCall[] = [];
  const kept: Kept[] = [];
  for (const decision of giveBack(readTaker(books, account), policy, takenAt, Number(books.$.now))) {
    if (decision.kind === "keep") {
      kept.push(decision);
      continue;
    }
    const { market, sizeDeltaWad, limitPriceWad, deadline, reason } = decision;
    const args = [account, market, sizeDeltaWad, limitPriceWad, BigInt(deadline)] as const;
    const act: Act = ($, code) => MarginVault.trade($, code, ...args);
    if (!tried(books, act).isDone) {
      kept.push({ kind: "keep", market, reason: "refused" });
      continue;
    }
    done(books, act);
    calls.push({
      kind: "giveBack",
      accounts: [account],
      to: vault,
      data: contractInterfaces.MarginVault.encodeFunctionData("trade", [...args]),
      gas: gasOf.giveBack,
      earnsWad: undefined,
      feeBudgetWei: undefined,
      canBatch: true,
      story: { taker: account, market, sizeDelta: String(sizeDeltaWad), reason },
    });
  }
  return { calls, kept };
}
