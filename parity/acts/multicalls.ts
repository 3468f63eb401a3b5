import { tradingPlots } from "./trading.js";
import { custodyPlots } from "./custody.js";
import { liquidationPlots } from "./liquidation.js";
import { upkeepPlots } from "./upkeep.js";
import { type Act, type Plot, callerFor, multicall } from "./act.js";

const parts = [...custodyPlots, ...tradingPlots.slice(0, 3)];
const others = [...liquidationPlots.slice(0, 4), ...upkeepPlots.slice(0, 4), ...tradingPlots.slice(2, 4)];

/** Several acts in one, each drawn for the state before the first: some for the caller's account, then one that concerns others. */
export const multicallPlot: Plot = {
  name: "multicall",
  weight: 9,
  wishes: (d) => ({
    prices: d.chance(0.85) ? "fresh" : "mixed",
    positions: [0, 2],
    collaterals: [0, 2],
    halted: 0,
    closing: 0.02,
    delisted: 0.02,
  }),
  *wants({ d, subject, other }) {
    yield [subject, { free: d.sign() * d.wide(10n ** 16n, 10n ** 26n) }];
    if (d.chance(0.5)) yield [other, { free: d.wide(10n ** 16n, 10n ** 26n) }];
  },
  act(world) {
    const { d, subject } = world;
    const caller = d.chance(0.97) ? subject.slice(0, 42) : callerFor(world, subject);
    const calls: Act[] = [];
    const count = d.integer(1, 3);
    while (calls.length < count) calls.push(d.pick(parts as [Plot, ...Plot[]]).act(world));
    if (d.chance(0.3)) calls.push(d.pick(others as [Plot, ...Plot[]]).act(world));
    if (d.chance(0.02)) calls.push(multicall(caller, []));
    return multicall(
      caller,
      calls.map((one) => ({ ...one, caller })),
    );
  },
};
