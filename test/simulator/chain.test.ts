import { expect } from "chai";
import { toBeHex } from "ethers";

import { type Chain, startChain } from "../../simulator/index.js";

const startSeconds = Date.UTC(2030, 0, 1) / 1000;

describe("simulator/chain", () => {
  let chain: Chain;

  beforeEach(async () => {
    chain = await startChain({ genesisSeconds: startSeconds, accounts: 1 });
  });

  afterEach(() => chain.close());

  const latest = () => chain.request("eth_getBlockByNumber", ["latest", false]) as Promise<{ timestamp: string }>;

  it("gives every block the time that was set last, however many there are", async () => {
    for (const atSeconds of [startSeconds + 60, startSeconds + 60, startSeconds + 3600]) {
      chain.setTime(atSeconds);
      await chain.request("evm_mine");
      expect((await latest()).timestamp).to.equal(toBeHex(atSeconds));
    }
    expect(() => chain.setTime(startSeconds)).to.throw(RangeError);
  });

  it("answers a question once about each state, and anew after what changes it, awaited or not", async () => {
    chain.setTime(startSeconds + 60);
    const [before, again, , after, onceMore] = await Promise.all([
      latest(),
      latest(),
      chain.request("evm_mine"),
      latest(),
      latest(),
    ]);
    expect(again).to.equal(before);
    expect(after.timestamp)
      .to.equal(toBeHex(startSeconds + 60))
      .and.not.equal(before.timestamp);
    expect(onceMore).to.equal(after);
  });
});
