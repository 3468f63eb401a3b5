import { expect } from "chai";
import { AbiCoder, keccak256, toBeHex } from "ethers";

import type { AccountId } from "../../sdk/index.js";
import { auditVault } from "../../simulator/index.js";
import { type World, createWorld } from "../helpers/world.js";

/** Slots of the vault's storage; see test/contracts/storageLayout.test.ts. */
const accountsSlot = 1;
const positionsSlot = 2;
const collateralSlot = 3;

const coder = AbiCoder.defaultAbiCoder();
const entry = (keyType: string, key: unknown, slot: string | number) =>
  keccak256(coder.encode([keyType, "uint256"], [key, slot]));

async function corrupt({ connection, deployment }: World, slot: string, change: (word: bigint) => bigint) {
  const { provider } = connection;
  const params = [deployment.vault, slot];
  const word = BigInt(String(await provider.request({ method: "eth_getStorageAt", params: [...params, "latest"] })));
  await provider.request({ method: "hardhat_setStorageAt", params: [...params, toBeHex(change(word), 32)] });
}

describe("simulator/audit", () => {
  let world: World;
  let account: AccountId;
  let audit: () => ReturnType<typeof auditVault>;

  beforeEach(async () => {
    world = await createWorld();
    const [trader, other] = world.signers;
    account = await world.fund(trader!, { USDC: "5000", WETH: "3" });
    const client = await world.as(trader!);
    await client.trade(account, "BTC", "0.75");
    await client.trade(account, "ETH", "-12.5");
    await (await world.as(other!)).trade(await world.fund(other!, { WBTC: "1" }), "BTC", "-0.3");
    await world.push({ BTC: "8100", ETH: "190" });
    await client.trade(account, "BTC", "-0.25");
    await client.settle(account, "ETH");
    audit = () => auditVault(world.connection.ethers.provider, world.deployment);
  });

  it("finds the books of an honest vault in order (INV-01, INV-02, INV-03)", async () => {
    const { custodyOk, zeroSumOk, findings, accounts, dustWad } = await audit();
    expect(findings).to.deep.equal([]);
    expect({ custodyOk, zeroSumOk }).to.deep.equal({ custodyOk: true, zeroSumOk: true });
    expect(accounts).to.equal(4);
    expect(dustWad >= 3n * 10n ** 18n).to.equal(true);
  });

  it("sees that an account's cash was raised", async () => {
    await corrupt(world, entry("bytes32", account, accountsSlot), (word) => word + 10n ** 12n);
    expect(await audit()).to.include({ custodyOk: false, zeroSumOk: true });
  });

  it("sees that an account's cash was lowered", async () => {
    await corrupt(world, entry("bytes32", account, accountsSlot), (word) => word - 10n ** 12n);
    expect(await audit()).to.include({ custodyOk: false, zeroSumOk: true });
  });

  it("sees that a position's shares were changed", async () => {
    const slot = entry("uint8", 0, entry("bytes32", account, positionsSlot));
    await corrupt(world, slot, (word) => word + 1n);
    expect(await audit()).to.include({ zeroSumOk: false });
  });

  it("sees that a position's cost was changed", async () => {
    const slot = entry("uint8", 1, entry("bytes32", account, positionsSlot));
    await corrupt(world, slot, (word) => word + ((10n ** 12n) << 120n));
    expect(await audit()).to.include({ custodyOk: false, zeroSumOk: true });
  });

  it("sees that an account's collateral was raised", async () => {
    const index = world.deployment.collaterals.findIndex(({ symbol }) => symbol === "WETH");
    await corrupt(world, entry("uint256", index, entry("bytes32", account, collateralSlot)), (word) => word + 1n);
    expect(await audit()).to.include({ custodyOk: false });
  });

  it("sees that tokens left the vault behind its back", async () => {
    const { address } = world.deployment.settlementToken;
    await world.connection.provider.request({
      method: "hardhat_setStorageAt",
      params: [address, entry("address", world.deployment.vault, 0), toBeHex(1, 32)],
    });
    expect(await audit()).to.include({ custodyOk: false });
  });
});
