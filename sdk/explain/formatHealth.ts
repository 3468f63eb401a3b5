import { nameOfMarket } from "../client/symbols.js";
import type { Deployment } from "../deployment.js";
import { displayWad, formatTokenAmount } from "../units/index.js";
import type { Contribution, HealthExplanation, HealthItem } from "./health.js";

/** A line of a table: what it is, then what it adds to equity or requirement, maintenance and initial. */
type Row = readonly [text: string, maintenance: string, initial: string];

/**
 * A health explained, as lines that a person can read: what equity is made of, what is required, and what is free. Figures are rounded to so
 * many places, so that the sums of lines may be off in the last one; the items of the explanation are exact.
 */
export function formatHealth(
  { account, timestamp, items, health }: HealthExplanation,
  deployment: Deployment,
  { places = 2 }: { readonly places?: number } = {},
): string[] {
  const show = (wad: bigint) => displayWad(wad, { places, rounding: "nearest" });
  const row = (text: string, maintenanceWad: bigint, initialWad: bigint): Row => [
    text,
    show(maintenanceWad),
    show(initialWad),
  ];
  const rowsOf = (kinds: readonly HealthItem["kind"][], side: "equity" | "requirement") =>
    items
      .filter(({ kind }) => kinds.includes(kind))
      .map((item) =>
        row(`  ${textOf(item, deployment, show)}`, item[`${side}MaintenanceWad`], item[`${side}InitialWad`]),
      );
  const { equityMaintenanceWad, equityInitialWad, requirementMaintenanceWad, requirementInitialWad } = health;
  const rows: Row[] = [
    ["", "maintenance", "initial"],
    ...rowsOf(["cash", "interest", "collateral", "profit", "funding", "uncountedGain"], "equity"),
    row("equity", equityMaintenanceWad, equityInitialWad),
    ...rowsOf(["positionMargin", "debtMargin", "keeperFloor"], "requirement"),
    row("required", requirementMaintenanceWad, requirementInitialWad),
    row("free", equityMaintenanceWad - requirementMaintenanceWad, equityInitialWad - requirementInitialWad),
  ];
  return [`${account} at ${timeOf(timestamp)}: ${stateOf(health)}`, ...aligned(rows)];
}

function stateOf(health: HealthExplanation["health"]): string {
  if (health.requirementMaintenanceWad === 0n) return "nothing is required";
  const figure = `health ${displayWad(health.healthWad, { places: 4 })}`;
  if (health.equityMaintenanceWad < health.requirementMaintenanceWad) return `${figure}, liquidatable`;
  return health.equityInitialWad < health.requirementInitialWad ? `${figure}, below initial margin` : figure;
}

function textOf(item: HealthItem & Contribution, deployment: Deployment, show: (wad: bigint) => string): string {
  const percent = (ratioWad: bigint) => `${displayWad(ratioWad * 100n, { places: 2, rounding: "nearest" })}%`;
  switch (item.kind) {
    case "cash":
      return `${item.cashWad < 0n ? "debt" : "cash"} as of ${timeOf(item.accruedAt)}`;
    case "interest":
      return `interest since ${timeOf(item.accruedAt)}`;
    case "collateral": {
      const symbol = deployment.collaterals[item.index]?.symbol ?? item.token;
      const held = `${formatTokenAmount(item.amount, item.decimals)} ${symbol} at ${show(item.priceWad)}`;
      const initial = item.isFresh ? percent(item.initialWeightWad) : "nothing, its price is not fresh";
      const shared = item.concentrationWad < 10n ** 18n ? " for concentration" : "";
      return `${held}, counting ${percent(item.maintenanceWeightWad)} and initially ${initial}${shared}`;
    }
    case "profit":
      return `${positionOf(item, deployment)} at ${show(item.priceWad)}: profit or loss`;
    case "funding":
      return `${positionOf(item, deployment)}: funding since ${timeOf(item.touchedAt)}`;
    case "uncountedGain":
      return `${positionOf(item, deployment)}: of gains ${percent(item.profitWeightWad)} count initially`;
    case "positionMargin": {
      const ratios = `${percent(item.maintenanceRatioWad)} and initially ${percent(item.initialRatioWad)}`;
      return `${positionOf(item, deployment)}: ${ratios} of ${show(item.notionalWad)}`;
    }
    case "debtMargin":
      return `${percent(item.debtMarginWad)} of ${show(item.debtWad)} owed, were everything settled`;
    case "keeperFloor":
      return "what pays a keeper";
  }
}

function positionOf(item: { market: number; sizeWad: bigint }, deployment: Deployment): string {
  const size = formatTokenAmount(item.sizeWad < 0n ? -item.sizeWad : item.sizeWad, 18);
  return `${item.sizeWad < 0n ? "short" : "long"} ${size} ${nameOfMarket(deployment, item.market)}`;
}

/** UTC, to the second. */
function timeOf(seconds: bigint): string {
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

function aligned(rows: readonly Row[]): string[] {
  const width = (column: 0 | 1 | 2) => Math.max(...rows.map((row) => row[column].length));
  const [text, maintenance, initial] = [width(0), width(1), width(2)];
  return rows.map(([a, b, c]) => `${a.padEnd(text)}  ${b.padStart(maintenance)}  ${c.padStart(initial)}`);
}
