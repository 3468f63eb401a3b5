import type { Plot } from "./act.js";
import { custodyPlots } from "./custody.js";
import { liquidationPlots } from "./liquidation.js";
import { multicallPlot } from "./multicalls.js";
import { tradingPlots } from "./trading.js";
import { upkeepPlots } from "./upkeep.js";

export const plots: readonly Plot[] = [
  ...custodyPlots,
  ...tradingPlots,
  ...liquidationPlots,
  ...upkeepPlots,
  multicallPlot,
];
