import { WAD, displayWad } from "../sdk/index.js";

/** Lines of a table: the first row is its head; columns that hold figures are aligned to the right. */
export function tableLines(rows: readonly (readonly string[])[]): string[] {
  const [head = []] = rows;
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const areFigures = head.map((_, column) => rows.slice(1).every((row) => isFigure(row[column] ?? "")));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        areFigures[column] === true ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  );
}

function isFigure(cell: string): boolean {
  return cell === "" || /^[-+]?\d[\d,.]*%?$/.test(cell);
}

/** An amount of quote units: 1,234.56 */
export function money(wad: bigint): string {
  return displayWad(wad, { rounding: "nearest" });
}

/** A price, with more places where it is small. */
export function price(wad: bigint): string {
  const places = wad >= 100n * WAD ? 2 : wad >= WAD / 10n ? 4 : 10;
  return displayWad(wad, { places, rounding: "nearest" });
}

/** A size in base units: as many places as it has, up to six. */
export function size(wad: bigint): string {
  return displayWad(wad, { places: 6, rounding: "nearest" }).replace(/\.?0+$/, "");
}

/** A ratio (wad) in percent; with a sign where it is a change. */
export function percent(ratioWad: bigint, { places = 2, signed = false } = {}): string {
  const text = displayWad(ratioWad * 100n, { places, rounding: "nearest" });
  return `${signed && ratioWad > 0n ? "+" : ""}${text}%`;
}

/** UTC, to the second. */
export function time(seconds: number | bigint): string {
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** How long, in the largest unit that fits: 45 s, 12 min, 3 h, 2 d. */
export function duration(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / 86_400)} d`;
}
