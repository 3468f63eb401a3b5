import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { type ToldTest, compare, idsOf, idsOfPage, testsOf } from "../../tools/invariants/compare.js";
import { complaints, reportFile } from "../../tools/invariants/report.js";

const page = `
| id | what always holds | formula |
| --- | --- | --- |
| INV-01 | One | \`a = b\` |
| INV-02 | Two, unlike INV-01 | \`a < b\` |
`;
const passed = (title: string): ToldTest => ({ title, state: "passed" });
const both = [passed("INV-01: one"), passed("test_INV02_Two()")];

describe("tools/invariants", () => {
  describe("reading", () => {
    it("finds what passed, failed and was skipped in what the runners print", () => {
      const output = [
        "  a suite",
        "    ✔ passes (12ms)",
        "    1) fails",
        "    - waits",
        "  test/Some.t.sol:SomeTest",
        "    ✔ testFuzz_INV02_Two(uint256) (runs: 256)",
        "  2 passing (1s)",
      ].join("\n");
      expect(testsOf(output)).to.deep.equal([
        { title: "passes (12ms)", state: "passed" },
        { title: "fails", state: "failed" },
        { title: "waits", state: "skipped" },
        { title: "testFuzz_INV02_Two(uint256) (runs: 256)", state: "passed" },
      ]);
    });

    it("reads ids as titles of tests and names of functions spell them", () => {
      expect(idsOf("INV-01, INV-12: two")).to.deep.equal(["INV-01", "INV-12"]);
      expect(idsOf("testFuzz_INV07_Splits(int256)")).to.deep.equal(["INV-07"]);
      expect(idsOf("an INVALID number")).to.deep.equal([]);
    });

    it("takes the rows of the page for its ids, and no mention of them", () => {
      expect(idsOfPage(page)).to.deep.equal(["INV-01", "INV-02"]);
    });
  });

  describe("comparing", () => {
    it("is content with a test that passed for each id", () => {
      expect(compare(page, [...both, passed("another")])).to.deep.equal([]);
    });

    it("names an id without a test", () => {
      expect(compare(page, [passed("INV-01: one")])).to.deep.equal([
        "INV-02 stands on the page, and in no test's title",
      ]);
    });

    it("names a test without its id on the page", () => {
      expect(compare(page, [...both, passed("INV-03: three")])).to.deep.equal([
        'INV-03 stands in the title of "INV-03: three", and not on the page',
      ]);
    });

    it("does not count a test that failed, whatever else passed", () => {
      expect(compare(page, [...both, { title: "INV-01: one more", state: "failed" }])).to.deep.equal([
        'INV-01 is not shown: "INV-01: one more" failed',
      ]);
    });

    it("does not count a test that was skipped", () => {
      const skipped: ToldTest = { title: "INV-01: one", state: "skipped" };
      expect(compare(page, [skipped, passed("INV-02: two")])).to.deep.equal([
        'INV-01 is not shown: "INV-01: one" was skipped',
      ]);
    });

    it("names an id that two rows have", () => {
      expect(compare(`${page}| INV-02 | Two again | |\n`, both)).to.deep.equal([
        "INV-02 stands on the page more than once",
      ]);
    });
  });

  describe("the report", () => {
    let root: string;
    const startedAt = Date.UTC(2026, 0, 2);
    const [before, after] = [new Date(startedAt - 1000), new Date(startedAt + 1000)];

    async function write(file: string, text: string, time: Date): Promise<void> {
      await writeFile(join(root, file), text);
      await utimes(join(root, file), time, time);
    }

    beforeEach(async () => {
      root = await mkdtemp(join(tmpdir(), "invariants-"));
      for (const folder of ["cache", "docs", "test/some"]) await mkdir(join(root, folder), { recursive: true });
      await write("docs/protocol.md", page, before);
      await write("test/some/one.test.ts", "", before);
    });

    afterEach(async () => rm(root, { recursive: true }));

    const output = "    ✔ INV-01: one\n    ✔ test_INV02_Two()\n";

    it("is good as long as neither a test nor the page is newer", async () => {
      await writeFile(join(root, reportFile), JSON.stringify({ startedAt, output }));
      expect(complaints(root)).to.deep.equal([]);
    });

    it("is asked for where there is none", () => {
      expect(complaints(root)).to.deep.equal(["there is no report of a whole run: run `npm test` first"]);
    });

    for (const file of ["docs/protocol.md", "test/some/one.test.ts"]) {
      it(`is asked for anew once ${file} has changed`, async () => {
        await writeFile(join(root, reportFile), JSON.stringify({ startedAt, output }));
        await write(file, page, after);
        expect(complaints(root)).to.deep.equal([
          `${join(root, file)} is newer than the last whole run: run \`npm test\` first`,
        ]);
      });
    }
  });
});
