import { expect } from "chai";

import { BackOff } from "../../../keeper/decide/backOff.js";
import { accountId } from "../../../sdk/index.js";

const [one, other] = [0, 1].map((index) => accountId("0x00000000000000000000000000000000000000aa", index)) as [
  ReturnType<typeof accountId>,
  ReturnType<typeof accountId>,
];

describe("keeper/decide/backOff", () => {
  it("lets an account wait 1, 2, 4, ... and never more than 64 blocks, as often as it is refused", () => {
    const backOff = new BackOff();
    let block = 100;
    const waits = Array.from({ length: 9 }, () => {
      backOff.refused(one, block);
      const from = block;
      while (backOff.isWaiting(one, block)) block += 1;
      return block - from;
    });
    expect(waits).to.deep.equal([1, 2, 4, 8, 16, 32, 64, 64, 64]);
  });

  it("lets nobody wait for another's sake", () => {
    const backOff = new BackOff();
    backOff.refused(one, 100);
    expect(backOff.isWaiting(other, 100)).to.equal(false);
  });

  it("begins anew once something went through, or the account was not at risk any more", () => {
    for (const begin of [(each: BackOff) => each.forget(one), (each: BackOff) => each.keepOnly(new Set([other]))]) {
      const backOff = new BackOff();
      for (const block of [100, 101, 103]) backOff.refused(one, block);
      begin(backOff);
      expect(backOff.isWaiting(one, 103)).to.equal(false);
      backOff.refused(one, 200);
      expect([backOff.isWaiting(one, 200), backOff.isWaiting(one, 201)]).to.deep.equal([true, false]);
    }
  });
});
