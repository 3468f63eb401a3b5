import { expect } from "chai";
import { Interface } from "ethers";

import { tokenAbi } from "../../sdk/abi/index.js";
import { contractInterfaces } from "../../sdk/contracts.js";
import {
  AccessManager__factory,
  LiquidityPool__factory,
  MarginVault__factory,
  MockToken__factory,
  PriceOracle__factory,
  VaultExtension__factory,
  VaultLens__factory,
} from "../../typechain-types/index.js";

const compiled: Readonly<Record<keyof typeof contractInterfaces, Interface>> = {
  MarginVault: MarginVault__factory.createInterface(),
  VaultExtension: VaultExtension__factory.createInterface(),
  PriceOracle: PriceOracle__factory.createInterface(),
  LiquidityPool: LiquidityPool__factory.createInterface(),
  VaultLens: VaultLens__factory.createInterface(),
  AccessManager: AccessManager__factory.createInterface(),
};

/** With the names of arguments and results; constructors left out, which nobody calls. */
const declarations = (contract: Interface) =>
  contract
    .format()
    .filter((line) => !line.startsWith("constructor"))
    .toSorted();

describe("sdk/contracts", () => {
  for (const [name, contract] of Object.entries(compiled)) {
    it(`knows every function, event and error of ${name}, with the names of all arguments, and no others`, () => {
      const known = contractInterfaces[name as keyof typeof contractInterfaces];
      expect(declarations(known)).to.deep.equal(declarations(contract));
    });
  }

  it("knows of a token what the token has, but how to mint it", () => {
    const names = (contract: Interface) =>
      contract.fragments.flatMap((one) =>
        one.type === "function" || one.type === "event" ? [one.format("sighash")] : [],
      );
    const token = MockToken__factory.createInterface();
    const unminted = names(token).filter((name) => name !== "mint(address,uint256)");
    expect(names(new Interface(tokenAbi)).toSorted()).to.deep.equal(unminted.toSorted());
  });
});
