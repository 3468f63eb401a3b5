import { styleText } from "node:util";

import { WAD, formatDecimal, parseDecimal } from "../sdk/units/index.js";
import { type Figures, exitCode, ownersGained, unpaidBeyondBooks } from "./figures.js";
import type { PriceRow } from "./prices.js";

export interface StepReport {
  readonly row: PriceRow;
  readonly accountsAtRisk: number;
  readonly liquidations: number;
  /** Those of the liquidations that went to an account and not into the pool. */
  readonly taken: number;
  readonly absorbed: number;
  readonly liquidatableLeft: number;
  readonly poolEquityWad: bigint;
  readonly insuranceWad: bigint;
}

export interface TableLayout {
  /** Assets whose prices are shown. */
  readonly shown: readonly string[];
  readonly colors: boolean;
  /** Whether there is a column of what takers took. */
  readonly taken: boolean;
}

interface Column {
  readonly title: string;
  readonly width: number;
  readonly cell: (step: StepReport) => string;
}

const rowsPerHeader = 24;
const shownAssets = 2;

/** ETH and BTC where the file has them, else its first assets. */
export function tableLayout(assets: readonly string[], colors: boolean, takers = 0): TableLayout {
  const known = ["ETH", "BTC"].filter((asset) => assets.includes(asset));
  return { shown: [...new Set([...known, ...assets])].slice(0, shownAssets), colors, taken: takers > 0 };
}

/** Colours are for people: a terminal, and nobody who asked for none. */
export function wantsColors(stream: { readonly isTTY?: boolean }, environment: NodeJS.ProcessEnv): boolean {
  return stream.isTTY === true && (environment["NO_COLOR"] ?? "") === "";
}

/** The first and the last step, those in which anyone is liquidated, absorbed or left over, and the first with an account at risk. */
export function stepMatters(step: StepReport, before: StepReport | undefined, isLast: boolean): boolean {
  const acted = step.liquidations + step.absorbed + step.liquidatableLeft > 0;
  return before === undefined || isLast || acted || (step.accountsAtRisk > 0 && before.accountsAtRisk === 0);
}

/** One row, under the header where one is due. */
export function stepLines(step: StepReport, rowsPrinted: number, layout: TableLayout): string[] {
  const columns = tableColumns(layout);
  const row = line(columns.map(({ width, cell }) => cell(step).padStart(width)));
  const header = line(columns.map(({ width, title }) => title.padStart(width)));
  const painted = paintStep(step, row, layout.colors);
  return rowsPrinted % rowsPerHeader === 0 ? [paint("bold", header, layout.colors), painted] : [painted];
}

export function summaryLines(figures: Figures, colors: boolean): string[] {
  const passed = exitCode(figures) === 0;
  const entries: [string, string][] = [
    ["scenario", `${figures.scenario}, seed ${figures.seed}, ${grouped(figures.steps)} steps`],
    ["accounts", `${grouped(figures.accounts)} in ${figures.markets} markets`],
    ["positions opened", `${grouped(figures.opened)} (${grouped(figures.refused)} refused)`],
    ["liquidations", grouped(figures.liquidations)],
    ["absorbed accounts", grouped(figures.absorbed)],
    ["liquidatable left", grouped(figures.liquidatableLeft)],
    ["bad debt", money(parseDecimal(figures.badDebt, 18))],
    ["insurance", money(parseDecimal(figures.insurance, 18))],
    ["pool equity", money(parseDecimal(figures.poolEquity, 18))],
    ["user equity", money(parseDecimal(figures.userEquity, 18))],
    ...takerEntries(figures),
    ...selfEntries(figures),
    ...bankRunEntries(figures),
    ["custody", figures.custodyOk ? "holds" : "BROKEN"],
    ["zero sum", figures.zeroSumOk ? "holds" : "BROKEN"],
    ["wall time", `${figures.wallSeconds.toFixed(1)} s`],
  ];
  const steps = waterfallEntries(figures.waterfall);
  const widest = Math.max(...[...entries, ...steps].map(([name]) => name.length));
  const lined = (each: readonly (readonly [string, string])[]) =>
    each.map(([name, value]) => `${name.padEnd(widest)}  ${value}`);
  const verdict = passed
    ? paint("green", "the books hold and nobody liquidatable was left", colors)
    : paint("red", `FAILED: ${failures(figures).join(", ")}`, colors);
  return ["", ...lined(entries), "", paint("bold", "the waterfall", colors), ...lined(steps), "", verdict];
}

/** How far down the waterfall the run went. */
function waterfallEntries(waterfall: Figures["waterfall"]): [string, string][] {
  const { liquidated, absorbedA, absorbedB, insurancePaid, poolPaid, deleveraged, writtenOff, badDebtBooked } =
    waterfall;
  const amount = (text: string) => money(parseDecimal(text, 18));
  return [
    ["1 liquidated in part", `${grouped(liquidated)} positions`],
    ["2 absorbed, way A", `${grouped(absorbedA)} accounts, of which the pool took what it could bear`],
    ["2 absorbed, way B", `${grouped(absorbedB)} accounts, closed against the other sides`],
    ["3 insurance paid", amount(insurancePaid)],
    ["4 the pool paid", amount(poolPaid)],
    ["5 deleveraged", `${grouped(deleveraged)} positions`],
    ["6 suppliers bore", amount(writtenOff)],
    ["6 bad debt booked", amount(badDebtBooked)],
  ];
}

function failures(figures: Figures): string[] {
  const { custodyOk, zeroSumOk, liquidatableLeft } = figures;
  return [
    ...(custodyOk && zeroSumOk ? [] : ["the books do not hold"]),
    ...(liquidatableLeft === 0 ? [] : ["liquidatable accounts were left"]),
    ...(unpaidBeyondBooks(figures) ? ["more is unpaid than was booked"] : []),
    ...(ownersGained(figures) ? ["owners gained by liquidating themselves"] : []),
  ];
}

function selfEntries(figures: Figures): [string, string][] {
  const {
    selfRounds,
    ownersBefore = "0",
    ownersAfter = "0",
    ownersLargestGain = "0",
    ownersTopUp = "0",
    ownersOffers = "0",
  } = figures;
  if (selfRounds === undefined) return [];
  const aside = parseDecimal(ownersTopUp, 18) + parseDecimal(ownersOffers, 18);
  const change = parseDecimal(ownersAfter, 18) - parseDecimal(ownersBefore, 18);
  return [
    ["self-liquidations", `${grouped(selfRounds)} rounds, which changed what their owners had by ${cents(change)}`],
    [
      "largest gain",
      `${cents(parseDecimal(ownersLargestGain, 18))} in a round, but for ${cents(aside)} of top-ups and offers to all`,
    ],
  ];
}

function bankRunEntries({ bankRun, accounts }: Figures): [string, string][] {
  if (bankRun === undefined) return [];
  const amount = (text: string) => money(parseDecimal(text, 18));
  return [
    [
      "bank run",
      `${grouped(bankRun.left)} of ${grouped(accounts)} owners left; ${amount(bankRun.withdrawn)} taken out`,
    ],
    ["unpaid after it", `${amount(bankRun.unpaid)}, of which booked as bad debt or owed: ${amount(bankRun.booked)}`],
  ];
}

function takerEntries({ takers, taken, takerEquity }: Figures): [string, string][] {
  if (takers === 0) return [];
  return [
    ["takers", `${takers}, who took ${grouped(taken)} of the liquidations`],
    ["taker equity", money(parseDecimal(takerEquity, 18))],
  ];
}

function tableColumns({ shown, taken }: TableLayout): Column[] {
  return [
    { title: "UTC", width: 16, cell: ({ row }) => utcMinute(row.atSeconds) },
    ...shown.map((asset) => ({
      title: asset,
      width: 12,
      cell: ({ row }: StepReport) => row.prices.get(asset)?.decimal ?? "",
    })),
    { title: "at risk", width: 8, cell: (step) => grouped(step.accountsAtRisk) },
    { title: "liquidations", width: 12, cell: (step) => grouped(step.liquidations) },
    ...(taken ? [{ title: "taken", width: 5, cell: (step: StepReport) => grouped(step.taken) }] : []),
    { title: "absorbed", width: 8, cell: (step) => grouped(step.absorbed) },
    { title: "left", width: 5, cell: (step) => grouped(step.liquidatableLeft) },
    { title: "pool equity", width: 15, cell: (step) => money(step.poolEquityWad) },
    { title: "insurance", width: 12, cell: (step) => money(step.insuranceWad) },
  ];
}

function line(cells: readonly string[]): string {
  return cells.join("  ");
}

function paintStep(step: StepReport, text: string, colors: boolean): string {
  if (step.liquidatableLeft > 0) return paint("red", text, colors);
  if (step.absorbed > 0) return paint("magenta", text, colors);
  return step.liquidations > 0 ? paint("yellow", text, colors) : text;
}

function paint(format: "bold" | "green" | "magenta" | "red" | "yellow", text: string, colors: boolean): string {
  return colors ? styleText(format, text, { validateStream: false }) : text;
}

function utcMinute(atSeconds: number): string {
  return new Date(atSeconds * 1000).toISOString().slice(0, 16).replace("T", " ");
}

/** Settlement tokens with two decimals, rounded toward zero. */
function cents(amountWad: bigint): string {
  return formatDecimal(amountWad / (WAD / 100n), 2);
}

/** Whole settlement tokens; the cents are in the figures. */
function money(amountWad: bigint): string {
  return (amountWad / WAD).toLocaleString("en-US");
}

function grouped(count: number): string {
  return count.toLocaleString("en-US");
}
