import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import fc from "fast-check";

import { formatDecimal } from "../../sdk/units/index.js";
import {
  PriceFileError,
  type PriceFileReason,
  maximumPriceAgeSeconds,
  parsePrices,
  readPrices,
} from "../../simulator/prices.js";

const header = "timestamp_iso,BTC,ETH";
const first = "2020-03-12T00:00:00Z,7935.1,194.61";
const second = "2020-03-12T01:00:00Z,7900,190.000000000000000001";

function parse(...lines: string[]) {
  return parsePrices(lines.join("\n"), "prices.csv");
}

function refusal(act: () => unknown): PriceFileError {
  try {
    act();
  } catch (error) {
    expect(error).to.be.instanceOf(PriceFileError);
    return error as PriceFileError;
  }
  throw new Error("expected a PriceFileError");
}

describe("simulator/prices", () => {
  it("reads assets, times and exact prices", () => {
    const { assets, rows, file } = parse(header, first, second);
    expect(file).to.equal("prices.csv");
    expect(assets).to.deep.equal(["BTC", "ETH"]);
    expect(rows.map((row) => [row.time, row.atSeconds])).to.deep.equal([
      ["2020-03-12T00:00:00Z", 1_583_971_200],
      ["2020-03-12T01:00:00Z", 1_583_974_800],
    ]);
    expect([...(rows[1]?.prices ?? [])]).to.deep.equal([
      ["BTC", { decimal: "7900", wad: 7_900n * 10n ** 18n }],
      ["ETH", { decimal: "190.000000000000000001", wad: 190n * 10n ** 18n + 1n }],
    ]);
  });

  it("reads every price that a wad can hold up to a billion, without a float's error", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 10n ** 27n }), (wad) => {
        const decimal = formatDecimal(wad, 18);
        const price = parse("timestamp_iso,A", `2020-03-12T00:00:00Z,${decimal}`).rows[0].prices.get("A");
        expect(price).to.deep.equal({ decimal, wad });
      }),
    );
  });

  it("takes Windows line ends, one newline at the end and none", () => {
    const expected = parse(header, first, second);
    const lines = [header, first, second];
    expect(parsePrices(lines.join("\r\n"), "prices.csv")).to.deep.equal(expected);
    expect(parsePrices(`${lines.join("\r\n")}\r\n`, "prices.csv")).to.deep.equal(expected);
    expect(parsePrices(`${lines.join("\n")}\n`, "prices.csv")).to.deep.equal(expected);
  });

  it("takes UTC written as an offset of zero and a fraction of zero seconds", () => {
    const { rows } = parse("timestamp_iso,A", "2020-03-12T00:00:00.000Z,1", "2020-03-12T00:00:01+00:00,1");
    expect(rows.map((row) => row.atSeconds)).to.deep.equal([1_583_971_200, 1_583_971_201]);
  });

  it("keeps the order of the columns for assets whose names are numbers", () => {
    const { rows } = parse("timestamp_iso,B,7,1", "2020-03-12T00:00:00Z,1,2,3");
    expect([...rows[0].prices.keys()]).to.deep.equal(["B", "7", "1"]);
  });

  it("takes 96 assets", () => {
    const names = Array.from({ length: 96 }, (_, index) => `A${index}`);
    const { assets } = parse(`timestamp_iso,${names.join(",")}`, `2020-03-12T00:00:00Z${",1".repeat(96)}`);
    expect(assets).to.deep.equal(names);
  });

  it("takes a price of exactly a billion", () => {
    expect(parse("timestamp_iso,A", "2020-03-12T00:00:00Z,1000000000").rows[0].prices.get("A")?.wad).to.equal(
      10n ** 27n,
    );
  });

  describe("refuses", () => {
    const row = (time: string, ...prices: string[]) => [time, ...prices].join(",");
    const withPrice = (price: string) => [header, first, row("2020-03-12T01:00:00Z", "7900", price)];
    const withTime = (time: string) => [header, first, row(time, "7900", "190")];
    const tooMany = Array.from({ length: 97 }, (_, index) => `A${index}`);

    const refusals: [title: string, lines: string[], reason: PriceFileReason, line: number, column: number][] = [
      ["an empty file", [""], "emptyFile", 0, 0],
      ["a file of blank lines", ["", "  ", ""], "emptyFile", 0, 0],
      ["another name for the time column", ["time,BTC", "2020-03-12T00:00:00Z,1"], "wrongHeader", 1, 1],
      ["a file that begins with its data", [first, second], "wrongHeader", 1, 1],
      ["a header without an asset", ["timestamp_iso", "2020-03-12T00:00:00Z"], "noAssets", 1, 2],
      ["97 assets", [`timestamp_iso,${tooMany.join(",")}`], "tooManyAssets", 1, 98],
      ["an asset without a name", ["timestamp_iso,BTC,,ETH"], "emptyAssetName", 1, 3],
      ["an asset in small letters", ["timestamp_iso,BTC,eth"], "invalidAssetName", 1, 3],
      ["an asset of 17 characters", [`timestamp_iso,${"A".repeat(17)}`], "invalidAssetName", 1, 2],
      ["an asset with a space", ["timestamp_iso, BTC"], "invalidAssetName", 1, 2],
      ["an asset that stands twice", ["timestamp_iso,BTC,ETH,BTC"], "duplicateAssetName", 1, 4],
      ["a header without rows", [header], "noRows", 2, 1],
      ["a row with a cell too few", [header, first, "2020-03-12T01:00:00Z,1"], "wrongCellCount", 3, 3],
      ["a row with a cell too many", [header, `${first},5`], "wrongCellCount", 2, 4],
      ["a blank line between rows", [header, first, "", second], "wrongCellCount", 3, 2],
      ["a second blank line at the end", [header, first, "", ""], "wrongCellCount", 3, 2],
      ["a time without a zone", withTime("2020-03-12T01:00:00"), "notUtcTime", 3, 1],
      ["a time of another zone", withTime("2020-03-12T01:00:00+01:00"), "notUtcTime", 3, 1],
      ["a time with a blank for the T", withTime("2020-03-12 01:00:00Z"), "notUtcTime", 3, 1],
      ["a Unix time", withTime("1583974800"), "notUtcTime", 3, 1],
      ["a time with part of a second", withTime("2020-03-12T01:00:00.500Z"), "notUtcTime", 3, 1],
      ["a day that does not exist", withTime("2021-02-30T00:00:00Z"), "notUtcTime", 3, 1],
      ["an hour that does not exist", withTime("2020-03-12T24:00:00Z"), "notUtcTime", 3, 1],
      ["a time that repeats", withTime("2020-03-12T00:00:00Z"), "timeNotRising", 3, 1],
      ["a time that falls", withTime("2020-03-11T23:59:59Z"), "timeNotRising", 3, 1],
      ["an empty price", withPrice(""), "emptyPrice", 3, 3],
      ["a blank price", withPrice(" "), "emptyPrice", 3, 3],
      ["a word for a price", withPrice("NaN"), "notANumber", 3, 3],
      ["a hexadecimal price", withPrice("0x10"), "notANumber", 3, 3],
      ["a price with a sign", withPrice("+1"), "notANumber", 3, 3],
      ["a price with a space", withPrice(" 190"), "notANumber", 3, 3],
      ["a price that ends in a point", withPrice("190."), "notANumber", 3, 3],
      ["a price that begins with a point", withPrice(".5"), "notANumber", 3, 3],
      ["a price with two points", withPrice("1.9.0"), "notANumber", 3, 3],
      ["an exponent", withPrice("1.9e2"), "exponentPrice", 3, 3],
      ["an exponent in capitals", withPrice("1E-7"), "exponentPrice", 3, 3],
      ["a price of zero", withPrice("0"), "notPositive", 3, 3],
      ["a price of zero with decimals", withPrice("0.000"), "notPositive", 3, 3],
      ["a negative price", withPrice("-190"), "notPositive", 3, 3],
      ["19 decimals", withPrice("1.0000000000000000000"), "tooManyDecimals", 3, 3],
      ["a price above a billion", withPrice("1000000000.000000000000000001"), "priceTooHigh", 3, 3],
    ];

    for (const [title, lines, reason, line, column] of refusals) {
      it(title, () => {
        const error = refusal(() => parse(...lines));
        const { file } = error;
        expect({ file, line: error.line, column: error.column, reason: error.reason }).to.deep.equal({
          file: "prices.csv",
          line,
          column,
          reason,
        });
      });
    }

    it("a missing file, with the system's reason as cause", () => {
      const error = refusal(() => readPrices("no-such-folder/prices.csv"));
      expect(error.reason).to.equal("unreadableFile");
      expect(error.file).to.equal("no-such-folder/prices.csv");
      expect(error.cause).to.have.property("code", "ENOENT");
    });

    it("with a message that says where, what was found and what to do", () => {
      expect(refusal(() => parse(...withPrice("1.9e2"))).message).to.equal(
        'prices.csv, line 3, column 3: the price of ETH is "1.9e2"; write the price out, without exponent',
      );
      expect(refusal(() => parse("")).message).to.equal(
        "prices.csv: is empty; begin with a header line: timestamp_iso, then one column an asset",
      );
    });
  });

  it("reads a file from disk as it parses its text", () => {
    const folder = mkdtempSync(join(tmpdir(), "ballast-prices-"));
    try {
      const file = join(folder, "prices.csv");
      writeFileSync(file, [header, first, second].join("\n"));
      expect(readPrices(file)).to.deep.equal({ ...parse(header, first, second), file });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  describe("maximumPriceAgeSeconds", () => {
    const ageOf = (...times: string[]) =>
      maximumPriceAgeSeconds(parse("timestamp_iso,A", ...times.map((time) => `2020-03-12T${time}Z,1`)).rows);

    it("is an hour where rows are close", () => {
      expect(ageOf("00:00:00")).to.equal(3_600);
      expect(ageOf("00:00:00", "00:01:00", "00:02:00")).to.equal(3_600);
      expect(ageOf("00:00:00", "00:30:00")).to.equal(3_600);
    });

    it("is twice the longest gap where one is longer than half an hour", () => {
      expect(ageOf("00:00:00", "00:30:01")).to.equal(3_602);
      expect(ageOf("00:00:00", "01:00:00", "04:00:00", "05:00:00")).to.equal(21_600);
    });
  });
});
