import { expect } from "chai";

import { Health, type TurnFacts } from "../../../keeper/operations/index.js";

const turn: TurnFacts = { block: 100, stalePrices: [], audit: { block: 90, agrees: true }, journalDurable: true };

describe("keeper/operations: health", () => {
  let nowMs: number;
  let health: Health;

  beforeEach(() => {
    nowMs = 5_000;
    health = new Health({ blockSeconds: 60, auditBlocks: 50 }, () => nowMs);
  });

  const failing = () => Object.entries(health.report().checks).flatMap(([name, { ok }]) => (ok ? [] : [name]));

  it("is failing before the first turn has ended", () => {
    expect(health.report()).to.deep.equal({
      status: "failing",
      checks: {
        blocks: { ok: false, problem: "no turn has ended yet", limitSeconds: 60 },
        prices: { ok: false, problem: "no turn has ended yet" },
        audit: { ok: false, problem: "no audit has ended yet", limitBlocks: 50 },
        journal: { ok: false, problem: "no turn has ended yet" },
      },
    });
  });

  it("is well after a turn where nothing is stale", () => {
    health.note(turn);
    nowMs += 60_000;
    expect(health.report()).to.deep.equal({
      status: "ok",
      checks: {
        blocks: { ok: true, block: 100, ageSeconds: 60, limitSeconds: 60 },
        prices: { ok: true },
        audit: { ok: true, block: 90, ageBlocks: 10, limitBlocks: 50 },
        journal: { ok: true },
      },
    });
  });

  it("fails when no new block comes, though turns go on", () => {
    health.note(turn);
    nowMs += 40_000;
    health.note(turn);
    nowMs += 21_000;
    expect(failing()).to.deep.equal(["blocks"]);
    expect(health.report().checks.blocks).to.deep.equal({
      ok: false,
      problem: "no new block for 61 seconds",
      block: 100,
      ageSeconds: 61,
      limitSeconds: 60,
    });
    health.note({ ...turn, block: 101 });
    expect(failing()).to.deep.equal([]);
  });

  it("says why turns fail, until one ends", () => {
    health.note(turn);
    health.noteFailure("ECONNREFUSED");
    expect(health.report().checks.blocks).to.include({ ok: true, lastFailure: "ECONNREFUSED" });
    nowMs += 61_000;
    expect(health.report().checks.blocks).to.include({ ok: false, lastFailure: "ECONNREFUSED" });
    health.note({ ...turn, block: 101 });
    expect(health.report().checks.blocks).not.to.have.property("lastFailure");
  });

  it("fails when a price is stale, and names it", () => {
    health.note({ ...turn, stalePrices: ["BTC", "LINK"] });
    expect(failing()).to.deep.equal(["prices"]);
    expect(health.report().checks.prices).to.deep.equal({
      ok: false,
      problem: "not fresh: BTC, LINK",
      stale: ["BTC", "LINK"],
    });
  });

  it("fails when the audit is old, has found something, or has never been", () => {
    health.note({ ...turn, block: 140 });
    expect(failing()).to.deep.equal([]);
    health.note({ ...turn, block: 141 });
    expect(health.report().checks.audit).to.include({ ok: false, problem: "no audit for 51 blocks" });
    health.note({ ...turn, audit: { block: 100, agrees: false } });
    expect(health.report().checks.audit).to.include({ ok: false, problem: "the book is not what the chain has" });
    const { audit, ...without } = turn;
    health.note(without);
    expect([audit !== undefined, failing()]).to.deep.equal([true, ["audit"]]);
  });

  it("fails when the journal is in memory only", () => {
    health.note({ ...turn, journalDurable: false });
    expect(failing()).to.deep.equal(["journal"]);
  });
});
