import { expect } from "chai";
import { Interface } from "ethers";

import { CallersIncompleteError, callersOf, functionsOf, selectorsOf } from "../../sdk/access/index.js";
import { type ContractName, contractInterfaces, roleIds, selectorOf } from "../../sdk/index.js";

const contracts = Object.keys(contractInterfaces) as ContractName[];

describe("sdk/callers", () => {
  it("says of every function of every contract that is no view who may call it, and of no other", () => {
    for (const contract of contracts) {
      expect([...callersOf(contract).keys()].toSorted(), contract).to.deep.equal(
        functionsOf(contractInterfaces[contract]).writing,
      );
    }
  });

  it("names a function that it says nothing of, and one that is not there any more", () => {
    const { writing } = functionsOf(contractInterfaces.PriceOracle);
    const incomplete = (contract: ContractName, functions: string[]) => {
      try {
        callersOf(contract, { writing: functions });
      } catch (error) {
        if (error instanceof CallersIncompleteError) return error;
        throw error;
      }
      return undefined;
    };
    const more = incomplete("PriceOracle", [...writing, "setFeed"]);
    expect(more?.missing).to.deep.equal(["setFeed"]);
    expect(more?.message).to.include("PriceOracle.setFeed").and.include("sdk/callers.ts");
    const fewer = incomplete("PriceOracle", writing.slice(1));
    expect(fewer?.surplus).to.deep.equal([writing[0]]);
    // Of the extension every function must be one that the vault hands on.
    expect(incomplete("VaultExtension", ["sweepFees", "drain"])?.missing).to.deep.equal(["drain"]);
  });

  it("takes no name that objects have anyway for a line", () => {
    expect(() => callersOf("VaultLens", { writing: ["toString"] })).to.throw(CallersIncompleteError, "toString");
  });

  it("tells functions of one name apart by their signatures", () => {
    const two = new Interface([
      "function set(uint256)",
      "function set(address)",
      "function get() view returns (uint256)",
    ]);
    expect(functionsOf(two)).to.deep.equal({ writing: ["set(address)", "set(uint256)"], reading: ["get"] });
  });

  it("gives a deployment the selectors of a role", () => {
    expect(selectorsOf("PriceOracle", "pusher")).to.deep.equal([selectorOf("PriceOracle", "push")]);
    expect(selectorsOf("PriceOracle", "guardian")).to.deep.equal([]);
    expect(selectorsOf("LiquidityPool", "risk")).to.deep.equal([]);
  });

  it("has an id for each role", () => {
    expect(roleIds).to.deep.equal({ admin: 0n, pusher: 1n, guardian: 2n, risk: 3n });
  });
});
