import { expect } from "chai";
import { id, toBeHex, toQuantity, zeroPadValue } from "ethers";

import { Ledger, LogGapError, UnknownLogError, type VaultLog, decodeCollateral } from "../../sdk/index.js";
import { MarginVault__factory } from "../../typechain-types/index.js";
import { differences, extentOf, placesOf, readStorage, sentence, toldBy } from "../helpers/vaultStorage.js";
import { type World, createWorld } from "../helpers/world.js";

const vaultInterface = MarginVault__factory.createInterface();
const vault = "0x00000000000000000000000000000000000000a1";
const names = {
  vault,
  pool: "0x00000000000000000000000000000000000000b2",
  settlementToken: { symbol: "USDC", address: "0x00000000000000000000000000000000000000c3", decimals: 6 },
};

function collateralChanged(address: string): VaultLog {
  const account = toBeHex(1, 32);
  return { address, ...vaultInterface.encodeEventLog("CollateralChanged", [account, zeroPadValue("0xd4", 20), 5n]) };
}

describe("sdk/ledger", () => {
  it("refuses a log of the vault that this version does not know", () => {
    const topic = id("Minted(address)");
    const apply = () => new Ledger(names).apply({ address: vault, topics: [topic], data: "0x" });
    expect(apply).to.throw(UnknownLogError).that.includes({ address: vault, topic });
  });

  it("refuses a log whose beginning is missing", () => {
    expect(() => new Ledger(names).apply(collateralChanged(vault)))
      .to.throw(LogGapError)
      .that.includes({ token: "0x00000000000000000000000000000000000000d4" });
  });

  it("leaves the logs of other contracts out", () => {
    const ledger = new Ledger(names);
    ledger.apply(collateralChanged(names.pool));
    expect(ledger.accounts.size).to.equal(0);
  });

  describe("of an account that withdraws", () => {
    let world: World;
    let ledger: Ledger;
    const storedAs = async (told: Ledger, block = "latest") => {
      const places = placesOf(extentOf(told));
      const { provider } = world.connection;
      const words = await readStorage(
        (method, params) => provider.request({ method, params }),
        world.deployment.vault,
        places.map(({ slot }) => slot),
        block,
      );
      return new Map(places.map(({ name }, i) => [name, words[i]!]));
    };

    before(async () => {
      world = await createWorld();
      const [owner] = world.signers;
      const account = await world.fund(owner!, { USDC: "5000", WETH: "3", WBTC: "1" });
      const client = await world.as(owner!);
      await client.trade(account, "BTC", "0.75");
      await client.withdraw(account, "USDC", "700");
      await client.withdraw(account, "WETH", "3");
      await client.withdraw(account, "WBTC", "0.25");
      ledger = new Ledger(world.deployment);
      for (const log of await world.ballast.provider.getLogs({ fromBlock: 0 })) ledger.apply(log);
    });

    it("knows what tokens the vault holds", async () => {
      const [, , cashHeld] = await world.ballast.vault.totals();
      expect(ledger.cashHeld).to.equal(cashHeld);
      for (const [index, { address }] of world.deployment.collaterals.entries()) {
        const [, word, discount] = await world.ballast.vault.collateralAt(index);
        const ramp = { from: 0n, to: 0n, clock: 0n };
        const told = { index, word, discount, stockSince: 0n, ramp };
        expect(ledger.collaterals.get(address.toLowerCase())).to.deep.equal(told);
        expect(decodeCollateral(word).held).to.equal([0n, 75_000_000n][index]);
      }
    });

    it("equals storage from the block that the vault was deployed in (INV-03)", async () => {
      const logs = await world.ballast.provider.getLogs({ address: world.deployment.vault, fromBlock: 0 });
      const { blockNumber } = logs[0]!;
      const first = new Ledger(world.deployment);
      for (const log of logs) if (log.blockNumber === blockNumber) first.apply(log);
      expect(first.cash.indices).not.to.equal(0n);
      expect(differences(toldBy(first), await storedAs(first, toQuantity(blockNumber))).map(sentence)).to.deep.equal(
        [],
      );
    });

    it("equals storage (INV-03)", async () => {
      expect(differences(toldBy(ledger), await storedAs(ledger)).map(sentence)).to.deep.equal([]);
    });
  });
});
