import { expect } from "chai";

import { nearCandidates } from "../../../keeper/observe/audit.js";
import { type AccountId, accountId } from "../../../sdk/index.js";

/** Accounts by their number, the health of each growing with it. */
function crowd(size: number, healthOf: (number: number) => number) {
  const ids = Array.from({ length: size }, (_, number) =>
    accountId(`0x${(number + 1).toString(16).padStart(40, "0")}`),
  );
  const asked: number[] = [];
  const below = (health: number): AccountId[] => {
    asked.push(health);
    return ids.filter((_, number) => healthOf(number) < health);
  };
  return { ids, asked, below };
}

describe("keeper/observe: accounts near the edge", () => {
  it("are all that are within a twentieth, where they are few", () => {
    const { ids, asked, below } = crowd(300, (number) => 1 + number / 4_000);
    expect(nearCandidates(below, () => 0)).to.deep.equal(ids.slice(0, 200));
    expect(asked).to.deep.equal([1.05]);
  });

  it("are the closest, where they are many", () => {
    const { ids, below } = crowd(10_000, (number) => 1 + number / 40_000);
    const near = nearCandidates(below, () => 0);
    expect(near).to.deep.equal(ids.slice(0, near.length));
    expect(near.length).to.be.within(100, 256);
  });

  it("are some of them, others each time, where too many cannot be told apart", () => {
    const { ids, below } = crowd(1_000, () => 0.9);
    expect(nearCandidates(below, () => 0)).to.deep.equal(ids.slice(0, 256));
    expect(nearCandidates(below, () => 0.9)).to.deep.equal([...ids.slice(900), ...ids.slice(0, 156)]);
  });

  it("are none, where nobody is near", () => {
    expect(nearCandidates(() => [], Math.random)).to.deep.equal([]);
  });
});
