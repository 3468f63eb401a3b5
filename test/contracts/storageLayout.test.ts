import { readFile } from "node:fs/promises";
import { basename } from "node:path";

import { expect } from "chai";
import { artifacts } from "hardhat";

interface StorageMember {
  readonly label: string;
  readonly slot: string;
  readonly offset: number;
  readonly type: string;
}

interface StorageLayout {
  readonly storage: readonly StorageMember[];
  readonly types: Readonly<Record<string, { readonly label: string; readonly members?: readonly StorageMember[] }>>;
}

interface CompilerOutput {
  readonly output: {
    readonly contracts: Readonly<Record<string, Readonly<Record<string, { readonly storageLayout?: StorageLayout }>>>>;
  };
}

/** The layout that the compiler gave the contract in contracts/<path>.sol, of the same name as the file. */
async function storageLayoutOf(path: string): Promise<StorageLayout> {
  const source = `contracts/${path}.sol`;
  const name = basename(path);
  const id = await artifacts.getBuildInfoId(`${source}:${name}`);
  const file = id === undefined ? undefined : await artifacts.getBuildInfoOutputPath(id);
  if (file === undefined) throw new Error(`No compiler output for ${source}; run "hardhat build"`);
  const { output } = JSON.parse(await readFile(file, "utf8")) as CompilerOutput;
  const layout = output.contracts[`project/${source}`]?.[name]?.storageLayout;
  if (layout === undefined) throw new Error(`The compiler output of ${source} has no storage layout`);
  return layout;
}

/** Each member of a struct as "slot:byte". */
function placesIn(layout: StorageLayout, struct: string): Record<string, string> {
  const type = Object.values(layout.types).find(({ label }) => label === `struct ${struct}`);
  return Object.fromEntries((type?.members ?? []).map(({ label, slot, offset }) => [label, `${slot}:${offset}`]));
}

describe("storage layout of the margin vault", () => {
  let layout: StorageLayout;

  before(async () => {
    layout = await storageLayoutOf("MarginVault");
  });

  it("INV-24: is its extension's too", async () => {
    const named = ({ storage }: StorageLayout) =>
      storage.map(({ label, slot, offset, type }) => [label, slot, offset, type]);
    expect(named(await storageLayoutOf("VaultExtension"))).to.deep.equal(named(layout));
  });

  it("has the access manager's slot, then one struct", () => {
    expect(layout.storage.map(({ label, slot, offset }) => `${slot}:${offset} ${label}`)).to.deep.equal([
      "0:0 _authority",
      "0:20 _consumingSchedule",
      "1:0 $",
    ]);
    expect(layout.types[layout.storage[2]?.type ?? ""]?.label).to.equal("struct VaultStorage");
  });

  it("INV-24: puts every member of VaultStorage in the slot that its comment names", () => {
    expect(placesIn(layout, "VaultStorage")).to.deep.equal({
      accounts: "0:0",
      positions: "1:0",
      collateralOf: "2:0",
      markets: "3:0",
      collaterals: "4:0",
      collateralTokens: "5:0",
      collateralIndexes: "6:0",
      accountRisk: "7:0",
      rewardBudget: "8:0",
      capital: "9:0",
      cashIndices: "10:0",
      cashTotals: "11:0",
      cashHeld: "12:0",
      interestUnswept: "12:16",
      marketCount: "12:30",
      collateralCount: "12:31",
      badDebt: "13:0",
      collateralDiscounts: "14:0",
      stockSince: "15:0",
      cashTerms: "16:0",
      poolLosses: "17:0",
      writeOffs: "18:0",
      permissionsOf: "19:0",
      nonces: "20:0",
      borrowingHalted: "21:0",
      marketRamps: "22:0",
      collateralRamps: "23:0",
      accountRamp: "24:0",
    });
  });

  it("puts the words of every ramp in the slots that their comments name", () => {
    for (const struct of ["MarketRamp", "CollateralRamp", "AccountRamp"]) {
      expect(placesIn(layout, struct), struct).to.deep.equal({ from: "0:0", to: "1:0", clock: "2:0" });
    }
  });

  it("INV-24: puts every member of Market in the slot that its comment names", () => {
    expect(placesIn(layout, "Market")).to.deep.equal({
      state: "0:0",
      totals: "1:0",
      risk: "2:0",
      terms: "3:0",
      discount: "4:0",
      longSide: "5:0",
      shortSide: "6:0",
      epochs: "7:0",
      ends: "8:0",
    });
  });
});

describe("storage layout of the price oracle", () => {
  it("puts every member of LiveSource in the slot and at the byte that its comment names", async () => {
    expect(placesIn(await storageLayoutOf("oracles/PriceOracle"), "LiveSource")).to.deep.equal({
      feed: "0:0",
      minPriceWad: "0:20",
      maxPriceWad: "1:0",
      kind: "1:12",
      decimals: "1:13",
      toleranceWad: "1:14",
      maxConfidenceWad: "1:22",
      priceId: "2:0",
    });
  });

  it("puts every member of SecondSource in the slot and at the byte that its comment names", async () => {
    expect(placesIn(await storageLayoutOf("oracles/PriceOracle"), "SecondSource")).to.deep.equal({
      live: "0:0",
      maxDeviationWad: "3:0",
      maxAge: "3:8",
      usedAt: "3:12",
      agreed: "4:0",
    });
  });
});
