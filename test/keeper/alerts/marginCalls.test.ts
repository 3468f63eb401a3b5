import { expect } from "chai";
import { pino } from "pino";

import { MarginCalls, type NearEdge } from "../../../keeper/alerts/index.js";
import { type AccountId, accountId } from "../../../sdk/index.js";
import { wad } from "../../helpers/world.js";
import { Tally } from "../tally.js";

const owner = "0x00000000000000000000000000000000000000aa";
const [a, b] = [accountId(owner, 1), accountId(owner, 2)];
const near = (account: AccountId, health: string): NearEdge => ({ account, healthWad: wad(health) });

/** What is stored of margin calls, and whether the disk takes it. */
class Warned {
  readonly accounts = new Set<AccountId>();
  isFull = false;
  /** How many accounts each write had. */
  readonly writes: number[] = [];

  readWarned(): AccountId[] {
    return [...this.accounts];
  }

  writeWarned(accounts: readonly AccountId[], isWarned: boolean): void {
    if (this.isFull) throw new Error("no room");
    this.writes.push(accounts.length);
    for (const account of accounts) {
      if (isWarned) this.accounts.add(account);
      else this.accounts.delete(account);
    }
  }
}

interface Sent {
  readonly alert: Readonly<Record<string, unknown>>;
  readonly settled: () => void;
}

describe("keeper/alerts: margin calls", () => {
  let store: Warned;
  let sent: Sent[];
  let metrics: Tally;
  let block: number;

  beforeEach(() => {
    [store, sent, metrics, block] = [new Warned(), [], new Tally(), 100];
  });

  function calls(): MarginCalls {
    return new MarginCalls({
      warnAtWad: wad("1.15"),
      clearAtWad: wad("1.25"),
      store,
      log: pino({ level: "silent" }),
      metrics,
      webhook: { send: (alert, settled) => sent.push({ alert, settled }) },
    });
  }
  const look = (to: MarginCalls, ...accounts: NearEdge[]) =>
    to.look(accounts, { number: (block += 1), timestamp: 1_600_000_000 });
  /** What the webhook has taken together is stored together. */
  const written = () => Promise.resolve();
  const told = () => sent.map(({ alert }) => [alert["account"], alert["health"]]);

  it("tells of an account that comes below the line: who, how it stands, and when", () => {
    look(calls(), near(a, "1.1499"));
    expect(sent.map(({ alert }) => alert)).to.deep.equal([
      {
        kind: "marginCall",
        account: a,
        owner: "0x00000000000000000000000000000000000000AA",
        index: "1",
        health: "1.1499",
        warnAt: "1.15",
        block: 101,
        at: "2020-09-13T12:26:40.000Z",
      },
    ]);
  });

  it("tells once, however long the account stays", () => {
    const to = calls();
    for (const health of ["1.14", "1.02", "0.9", "1.1", "1.2", "1.24", "1.14"]) look(to, near(a, health));
    expect(told()).to.deep.equal([[a, "1.14"]]);
  });

  it("tells again after the account had recovered, and not before", () => {
    const to = calls();
    look(to, near(a, "1.1"));
    look(to, near(a, "1.25"));
    look(to, near(a, "1.1"));
    look(to);
    look(to, near(a, "1.13"));
    expect(told()).to.deep.equal([
      [a, "1.1"],
      [a, "1.1"],
      [a, "1.13"],
    ]);
    expect(metrics.counts).to.deep.equal({ "margin_calls raised": 3, "margin_calls cleared": 2 });
  });

  it("leaves alone who is above the line, and who is liquidatable already", () => {
    look(calls(), near(a, "1.15"), near(b, "0.999999999999999999"));
    expect(told()).to.deep.equal([]);
    look(calls(), near(a, "1.149999999999999999"), near(b, "1"));
    expect(told()).to.deep.equal([
      [a, "1.149999999999999999"],
      [b, "1"],
    ]);
  });

  it("does not repeat after a restart what was taken, and tells again what was not", async () => {
    look(calls(), near(a, "1.1"), near(b, "1.1"));
    sent[0]!.settled();
    await written();
    expect(store.readWarned()).to.deep.equal([a]);
    sent = [];
    look(calls(), near(a, "1.1"), near(b, "1.1"));
    expect(told()).to.deep.equal([[b, "1.1"]]);
  });

  it("stores together who was told together, and who recovered together", async () => {
    const many = Array.from({ length: 100 }, (_, index) => accountId(owner, index));
    const to = calls();
    look(to, ...many.map((account) => near(account, "1.1")));
    for (const { settled } of sent) settled();
    await written();
    expect(store.accounts.size).to.equal(100);
    look(to);
    expect([store.accounts.size, store.writes]).to.deep.equal([0, [100, 100]]);
  });

  it("forgets who recovered before the webhook had taken the alert", async () => {
    const to = calls();
    look(to, near(a, "1.1"));
    look(to, near(a, "1.3"));
    sent[0]!.settled();
    await written();
    expect(store.readWarned()).to.deep.equal([]);
  });

  it("goes on where the store cannot be written to, and counts it", async () => {
    const to = calls();
    store.isFull = true;
    look(to, near(a, "1.1"));
    sent[0]!.settled();
    await written();
    look(to, near(a, "1.1"));
    expect(told()).to.deep.equal([[a, "1.1"]]);
    expect(metrics.counts).to.deep.equal({ "margin_calls raised": 1, "errors Error": 1 });
    expect(metrics.values).to.deep.equal({ margin_called_accounts: 1 });
  });
});
