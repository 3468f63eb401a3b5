import { globSync } from "node:fs";
import { basename, join } from "node:path";

import { expect } from "chai";

import * as risk from "../../../sdk/risk/index.js";

describe("sdk/risk", () => {
  it("has a namespace for every contract, library and type that it is the twin of", () => {
    const folder = join(import.meta.dirname, "../../../sdk/risk");
    const twins = [join(folder, "*.ts"), join(folder, "{libraries,types}/*.ts")].flatMap((glob) => globSync(glob));
    const names = twins.map((file) => basename(file, ".ts"));
    // Of these the members themselves: errors, storage; what is in the others has no twin in Solidity.
    const apart = ["ContractError", "VaultStorage", "Word", "checked", "index"];
    const namespaces = Object.entries(risk).flatMap(([name, value]) => (typeof value === "object" ? [name] : []));
    expect(namespaces.toSorted()).to.deep.equal(names.filter((name) => !apart.includes(name)).toSorted());
    expect(risk).to.include.keys("ContractError", "Vault", "VaultStorage");
  });
});
