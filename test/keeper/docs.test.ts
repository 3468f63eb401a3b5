import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "chai";

import { configKeys } from "../../keeper/config/index.js";
import { figures } from "../../keeper/operations/index.js";

const page = readFileSync(join(import.meta.dirname, "../../docs/keeper.md"), "utf8");

/** What the first column of the table with this heading names in code. */
function firstColumn(heading: string): string[] {
  const lines = page.split("\n");
  const start = lines.findIndex((line) => line.startsWith(`| ${heading} |`));
  const rows = lines.slice(start + 2);
  const end = rows.findIndex((line) => !line.startsWith("|"));
  return rows
    .slice(0, end)
    .flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name));
}

describe("docs/keeper.md", () => {
  it("has every key of the config file that holds a value", () => {
    const isParent = (key: string) =>
      Object.keys(configKeys).some((other) => other.startsWith(`${key}.`) && key !== "rpc");
    const keys = Object.keys(configKeys).filter((key) => !isParent(key));
    expect(firstColumn("key")).to.deep.equal(keys);
  });

  it("has every figure that is counted", () => {
    const names = Object.entries(figures).map(([name, { kind }]) => (kind === "counter" ? `${name}_total` : name));
    expect(firstColumn("`ballast_keeper_...`").toSorted()).to.deep.equal(names.toSorted());
  });
});
