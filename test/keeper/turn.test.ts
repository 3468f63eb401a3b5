import { expect } from "chai";

import type { PlannedCall } from "../../keeper/parts.js";
import { TurnRecord } from "../../keeper/turn.js";
import type { AccountId } from "../../sdk/index.js";
import { keptLog } from "../helpers/keeper.js";

const account = (index: number) => `0x${index.toString(16).padStart(64, "0")}` as AccountId;

const callFor = (index: number): PlannedCall => ({
  kind: "liquidate",
  accounts: [account(index)],
  to: "0x",
  data: `0x0${index}`,
  gas: 0n,
  earnsWad: undefined,
  feeBudgetWei: undefined,
  canBatch: true,
  story: {},
});

describe("keeper: what a turn reports of accounts at risk", () => {
  it("is acted on with a call, left alone with the last reason, and an error in the log with neither", () => {
    const { log, lines } = keptLog();
    const turn = new TurnRecord(log);
    for (const index of [1, 2, 3, 4]) turn.atRisk.add(account(index));
    turn.skips = [
      { account: account(2), reason: "underWay" },
      { account: account(3), reason: "helped" },
    ];
    turn.note([
      { kind: "failed", call: callFor(1), reason: "laneFull" },
      { kind: "underWay", call: callFor(2), hash: "0x" },
    ]);
    turn.skips = [{ account: account(2), reason: "backingOff" }];
    const { acted, skipped } = turn.report();
    expect([acted, skipped]).to.deep.equal([
      [account(1)],
      [
        { account: account(2), reason: "backingOff" },
        { account: account(3), reason: "helped" },
      ],
    ]);
    const errors = lines.filter(({ level }) => level === 50);
    expect(errors.map((line) => line["account"])).to.deep.equal([account(4)]);
  });
});
