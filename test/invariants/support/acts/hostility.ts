import { conductsOfTokens } from "../../../helpers/attack.js";
import { conducts as feedConducts } from "../../../helpers/chainlink.js";
import type { Act } from "../act.js";
import { aggregatorInterface, hostileInterface, pythInterface, vaultInterface } from "../interfaces.js";
import { type Situation, chance, pick } from "../situation.js";

/** How the hostile token moves when it misbehaves: it always tells what everybody has. */
const tokenConducts = [
  "returnsNothing",
  "returnsFalse",
  "movesAndReturnsFalse",
  "returnsTwo",
  "movesNothing",
  "keepsFee",
  "takesFeeOnTop",
  "movesOneLess",
  "movesOneMore",
  "paused",
] as const;

/** The hostile token begins to misbehave, or behaves again. */
export function tokenConductAct(situation: Situation): Act {
  const { arena } = situation;
  const isBad = arena.hostile.conduct === 0;
  const name = isBad ? pick(situation, tokenConducts) : "behaves";
  const conduct = conductsOfTokens[name];
  return {
    row: isBad ? "token misbehaves" : "token behaves",
    kind: "conduct",
    what: `the hostile token ${name}`,
    from: arena.stranger.address,
    to: arena.hostile.address,
    data: hostileInterface.encodeFunctionData("setConduct", [conduct, 0]),
    tokenConduct: conduct,
  };
}

const deadly = ["reverts", "revertsWithBomb", "burnsAllGas", "returnsTooLittle"] as const;

/** The aggregator dies, or comes back with what it told last. */
export function feedConductAct(situation: Situation): Act {
  const { arena } = situation;
  const dies = !arena.feed.isDead;
  const conduct = dies ? pick(situation, deadly) : "answers";
  return {
    row: dies ? "feed dies" : "feed comes back",
    kind: "conduct",
    what: `the aggregator ${conduct}`,
    from: arena.stranger.address,
    to: arena.feed.aggregator,
    data: aggregatorInterface.encodeFunctionData("setConduct", [feedConducts[conduct], 0, 0]),
    feedDies: dies,
  };
}

/** Somebody brings a Pyth price of an asset that the vault does not have, for its fee of three wei; now and then for less. */
export async function updatePricesAct(situation: Situation): Promise<Act> {
  const { arena } = situation;
  const id = `0x${"07".repeat(32)}`;
  const asked = pythInterface.encodeFunctionData("updateOf", [id, 100, 1, 0, arena.chain.nowSeconds]);
  const [update] = pythInterface.decodeFunctionResult("updateOf", await arena.chain.call(arena.pyth, asked));
  const valueWei = chance(situation, 0.1) ? 2n : BigInt(situation.random.integer(3, 9));
  const from = pick(situation, arena.actors);
  return {
    row: "updatePrices",
    kind: "update",
    what: `${from.name} brings a price for ${valueWei} wei`,
    from: from.address,
    to: arena.deployment.vault,
    data: vaultInterface.encodeFunctionData("updatePrices", [[update as string]]),
    valueWei,
  };
}
