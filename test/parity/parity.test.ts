import { expect } from "chai";

import { type Mirror, mirror } from "../../parity/acts/act.js";
import { type Stage, openStage } from "../../parity/house.js";
import { rareBranches } from "../../parity/rare.js";
import { branchNames } from "../../parity/branches.js";
import { describe as describeMismatch, missingBranches, summaryOf } from "../../parity/report.js";
import { playOne, run } from "../../parity/run.js";
import type { VaultCode } from "../../sdk/risk/MarginVault.js";
import type { CashTotals } from "../../sdk/risk/types/CashWords.js";
import type { Vault } from "../../sdk/risk/types/VaultStorage.js";

type EntryPoint = ($: Vault, code: VaultCode, ...args: unknown[]) => unknown;

/** The twin with one function that is not quite right. */
function broken(name: string, change: (right: EntryPoint) => EntryPoint): Mirror {
  return { ...mirror, [name]: change(mirror[name] as EntryPoint) as never };
}

describe("parity of sdk/risk with the contracts", () => {
  let stage: Stage;
  before(async () => (stage = await openStage()));
  after(() => stage.close());

  it("finds no difference in 5,000 states, and goes down every branch often enough", async () => {
    const summary = summaryOf(await run(stage, { cases: 5000, seed: 1 }));
    expect(summary.mismatches.join("\n\n")).to.equal("");
    expect(summary.cases).to.equal(5000);
    expect(summary.transactions).to.be.at.least(100);
    expect(missingBranches(summary)).to.deep.equal([]);
  });

  it("gives a reason only for branches that there are", () => {
    for (const [name, reason] of Object.entries(rareBranches)) {
      expect(branchNames).to.include(name);
      expect(reason).not.to.equal("");
    }
  });

  it("plays the same case for the same seed", async () => {
    const [first, second] = [await playOne(stage, 12_345, mirror), await playOne(stage, 12_345, mirror)];
    expect(first.differences).to.deep.equal([]);
    expect(second.situation.words).to.deep.equal(first.situation.words);
    expect(second.situation.acts.map(({ args }) => args)).to.deep.equal(first.situation.acts.map(({ args }) => args));
  });

  describe("a twin that is off", () => {
    const faults: Readonly<Record<string, { readonly faulty: Mirror; readonly what: string }>> = {
      "by a wei in a view": {
        faulty: broken("poolValue", (right) => ($, code) => {
          const [valueWad, ...others] = right($, code) as [bigint, bigint, bigint, boolean];
          return [valueWad + 1n, ...others];
        }),
        what: "poolValue() word 0",
      },
      "by a wei in storage": {
        faulty: broken("trade", (right) => ($, code, ...args) => {
          right($, code, ...args);
          $.cashTotals = ($.cashTotals + 1n) as CashTotals;
        }),
        what: "cash totals",
      },
      "in what it refuses": {
        faulty: broken(
          "setMode",
          (right) => ($, code, account, mode) => right($, code, account, mode === 7n ? 0n : 1n),
        ),
        what: "setMode()",
      },
    };

    for (const [name, { faulty, what }] of Object.entries(faults)) {
      it(`${name} is found, with a state that it takes and the way to see it again`, async () => {
        const { mismatches, cases } = await run(stage, { cases: 500, seed: 1, mirror: faulty, most: 1 });
        const [found] = mismatches;
        if (found === undefined) throw new Error(`${cases} cases did not find it`);
        expect(found.differences.map((difference) => difference.what)).to.include(what);
        expect(describeMismatch(found)).to.include(`npm run parity -- --case ${found.situation.seed}`);
        // What is left of the state still shows it, and every word of it is needed.
        const drawn = (await playOne(stage, found.situation.seed, mirror)).situation;
        const count = (words: readonly bigint[]) => words.filter((word) => word !== 0n).length;
        expect(count(found.situation.words)).to.be.below(count(drawn.words));
      });
    }

    it("in an event is found where the case is a transaction", async () => {
      const faulty = broken("trade", (right) => ($, code, ...args) => {
        right($, code, ...args);
        const [last] = $.events.splice(-1);
        if (last !== undefined) $.events.push({ ...last, args: { ...last.args, feeWad: 1n } });
      });
      const { mismatches } = await run(stage, { cases: 2000, seed: 1, mirror: faulty, most: 1 });
      expect(mismatches[0]?.differences.map(({ what }) => what)).to.satisfy((all: string[] | undefined) =>
        all?.some((what) => what.startsWith("event ") && what.endsWith("Traded")),
      );
    });
  });
});
