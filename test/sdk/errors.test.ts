import { expect } from "chai";
import { AbiCoder, type Interface } from "ethers";

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
});
