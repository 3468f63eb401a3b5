import { readFileSync } from "node:fs";

import { parseDecimal } from "../sdk/units/index.js";
import { assetPattern } from "../deployments/schema.js";
import { maximumMarkets } from "../sdk/index.js";

export interface Price {
  /** As the file writes it. */
  readonly decimal: string;
  readonly wad: bigint;
}

export interface PriceRow {
  /** As the file writes it. */
  readonly time: string;
  readonly atSeconds: number;
  /** One price an asset, in the order of the columns. */
  readonly prices: ReadonlyMap<string, Price>;
}

export interface PriceFile {
  readonly file: string;
  readonly assets: readonly string[];
  readonly rows: readonly [PriceRow, ...PriceRow[]];
}

const timeColumn = "timestamp_iso";
const priceDecimals = 18;
const largestPrice = 1_000_000_000n;

const advice = {
  unreadableFile: "give the path of a CSV file that can be read",
  emptyFile: `begin with a header line: ${timeColumn}, then one column an asset`,
  wrongHeader: `name the first column ${timeColumn}`,
  noAssets: `add at least one asset column after ${timeColumn}`,
  tooManyAssets: `keep at most ${maximumMarkets} asset columns`,
  emptyAssetName: "name the asset of this column",
  invalidAssetName: "use 1 to 16 capital letters and digits",
  duplicateAssetName: "keep one column an asset",
  noRows: "add at least one row of prices below the header",
  wrongCellCount: "give every line as many cells as the header, and leave no line blank",
  notUtcTime: "write the time as ISO 8601 in UTC and whole seconds, like 2020-03-12T10:00:00Z",
  timeNotRising: "sort the rows by time and keep one row a time",
  emptyPrice: "fill in the price",
  exponentPrice: "write the price out, without exponent",
  notANumber: "write the price as a plain decimal, like 4821.05",
  notPositive: "give a price above zero",
  tooManyDecimals: `keep at most ${priceDecimals} decimals`,
  priceTooHigh: `give a price of at most ${largestPrice}, or quote a smaller unit of the asset`,
} satisfies Record<string, string>;

export type PriceFileReason = keyof typeof advice;

interface Place {
  readonly file: string;
  /** From 1; 0 where the file as a whole is meant. */
  readonly line: number;
  /** Number of the cell in its line, from 1; 0 where the file as a whole is meant. */
  readonly column: number;
}

export class PriceFileError extends Error implements Place {
  override readonly name = "PriceFileError";
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly reason: PriceFileReason;

  constructor({ file, line, column }: Place, reason: PriceFileReason, found: string, options?: ErrorOptions) {
    const place = line === 0 ? file : `${file}, line ${line}, column ${column}`;
    super(`${place}: ${found}; ${advice[reason]}`, options);
    this.file = file;
    this.line = line;
    this.column = column;
    this.reason = reason;
  }
}

export function readPrices(file: string): PriceFile {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new PriceFileError({ file, line: 0, column: 0 }, "unreadableFile", "cannot be read", { cause });
  }
  return parsePrices(text, file);
}

export function parsePrices(text: string, file: string): PriceFile {
  if (text.trim() === "") throw new PriceFileError({ file, line: 0, column: 0 }, "emptyFile", "is empty");
  const lines = text.replace(/\r?\n$/, "").split(/\r?\n/);
  const [header = [], ...body] = lines.map((line) => line.split(","));
  const assets = parseAssets(header, file);
  const rows = body.map((cells, index) => parseRow(cells, assets, { file, line: index + 2 }));
  const [first, ...rest] = rows;
  if (first === undefined) throw new PriceFileError({ file, line: 2, column: 1 }, "noRows", "there is no row");
  refuseTimesThatDoNotRise(rows, file);
  return { file, assets, rows: [first, ...rest] };
}

/** In chain time, which runs as the rows do: twice the longest gap between rows, and at least an hour. */
export function maximumPriceAgeSeconds(rows: readonly PriceRow[]): number {
  const gaps = rows.slice(1).map((row, index) => row.atSeconds - (rows[index]?.atSeconds ?? row.atSeconds));
  return gaps.reduce((longest, gap) => Math.max(longest, 2 * gap), 3_600);
}

function parseAssets(header: readonly string[], file: string): string[] {
  const refuse = (column: number, reason: PriceFileReason, found: string): never => {
    throw new PriceFileError({ file, line: 1, column }, reason, found);
  };
  const [time = "", ...assets] = header;
  if (time !== timeColumn) refuse(1, "wrongHeader", `the first column is "${time}"`);
  if (assets.length === 0) refuse(2, "noAssets", "there is no asset");
  if (assets.length > maximumMarkets) refuse(maximumMarkets + 2, "tooManyAssets", `there are ${assets.length} assets`);
  for (const [index, asset] of assets.entries()) {
    const column = index + 2;
    if (asset.trim() === "") refuse(column, "emptyAssetName", "the asset has no name");
    if (!assetPattern.test(asset)) refuse(column, "invalidAssetName", `the asset is named "${asset}"`);
    if (assets.indexOf(asset) < index) refuse(column, "duplicateAssetName", `${asset} stands twice`);
  }
  return assets;
}

function parseRow(cells: readonly string[], assets: readonly string[], place: Omit<Place, "column">): PriceRow {
  const expected = assets.length + 1;
  if (cells.length !== expected) {
    const column = Math.min(cells.length, expected) + 1;
    throw new PriceFileError(
      { ...place, column },
      "wrongCellCount",
      `there are ${cells.length} cells, not ${expected}`,
    );
  }
  const [time = "", ...prices] = cells;
  return {
    time,
    atSeconds: parseTime(time, { ...place, column: 1 }),
    prices: new Map(
      assets.map((asset, index) => [asset, parsePrice(prices[index] ?? "", asset, { ...place, column: index + 2 })]),
    ),
  };
}

const utcTime = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(?:\.0{1,9})?(?:Z|\+00:00)$/;

function parseTime(text: string, place: Place): number {
  const [, date = "", clock = ""] = utcTime.exec(text) ?? [];
  const canonical = `${date}T${clock}.000Z`;
  const milliseconds = Date.parse(canonical);
  // A day that does not exist, like 30 February, moves to one that does: it must come back as it was written.
  if (Number.isNaN(milliseconds) || new Date(milliseconds).toISOString() !== canonical) {
    throw new PriceFileError(place, "notUtcTime", `the time is "${text}"`);
  }
  return milliseconds / 1000;
}

function refuseTimesThatDoNotRise(rows: readonly PriceRow[], file: string): void {
  for (const [index, row] of rows.entries()) {
    const before = rows[index - 1];
    if (before !== undefined && row.atSeconds <= before.atSeconds) {
      const found = `${row.time} does not come after ${before.time}`;
      throw new PriceFileError({ file, line: index + 2, column: 1 }, "timeNotRising", found);
    }
  }
}

function parsePrice(text: string, asset: string, place: Place): Price {
  const refuse = (reason: PriceFileReason): never => {
    throw new PriceFileError(place, reason, `the price of ${asset} is "${text}"`);
  };
  if (text.trim() === "") refuse("emptyPrice");
  if (/^[+-]?\d+(\.\d+)?[eE][+-]?\d+$/.test(text)) refuse("exponentPrice");
  const [decimal, sign, fraction = ""] = /^(-?)\d+(?:\.(\d+))?$/.exec(text) ?? refuse("notANumber");
  if (sign === "-" || /^[0.]*$/.test(decimal)) refuse("notPositive");
  if (fraction.length > priceDecimals) refuse("tooManyDecimals");
  const wad = parseDecimal(decimal, priceDecimals);
  if (wad > parseDecimal(largestPrice.toString(), priceDecimals)) refuse("priceTooHigh");
  return { decimal, wad };
}
