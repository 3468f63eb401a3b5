import { expect } from "chai";
import { AbiCoder, Interface, id } from "ethers";

import { decodeRevert } from "../../sdk/index.js";
import * as contracts from "../../typechain-types/factories/contracts/index.js";
import * as libraries from "../../typechain-types/factories/contracts/libraries/index.js";
import * as pools from "../../typechain-types/factories/contracts/pool/index.js";

describe("sdk/errors", () => {
  for (const [name, factory] of Object.entries({ ...contracts, ...libraries, ...pools })) {
    if (!("createInterface" in factory)) continue;
    it(`decodes every error that ${name.replace("__factory", "")} declares`, () => {
      const abi: Interface = factory.createInterface();
      abi.forEachError((error) => {
        const args = AbiCoder.defaultAbiCoder().getDefaultValue(error.inputs);
        const decoded = decodeRevert(abi.encodeErrorResult(error, args));
        expect(decoded?.errorName, error.name).to.equal(error.name);
        expect(Object.keys(decoded?.args ?? {})).to.deep.equal(
          error.inputs.map(({ name: key }, i) => key || String(i)),
        );
      });
    });
  }

  it("decodes what the compiler raises, with names for what it leaves without", () => {
    const builtin = new Interface(["error Panic(uint256)", "error Error(string)"]);
    const overflow = decodeRevert(builtin.encodeErrorResult("Panic", [0x11n]));
    expect(overflow?.errorName).to.equal("Panic");
    expect(overflow?.args).to.deep.equal({ code: 0x11n });
    const required = decodeRevert(builtin.encodeErrorResult("Error", ["no"]));
    expect(required?.errorName).to.equal("Error");
    expect(required?.args).to.deep.equal({ reason: "no" });
  });

  it("leaves what nobody declares to the caller", () => {
    expect(decodeRevert("0x")).to.equal(undefined);
    expect(decodeRevert(id("Unheard()").slice(0, 10))).to.equal(undefined);
  });
});
