import { expect } from "chai";
import { AbiCoder, keccak256, toBeHex } from "ethers";

import type { AccountId } from "../../sdk/index.js";
import { auditVault } from "../../simulator/index.js";
import { place } from "../helpers/vaultStorage.js";
import { type World, createWorld } from "../helpers/world.js";

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
    await corrupt(world, place.account(account).slot, (word) => word + 10n ** 12n);
    expect(await audit()).to.include({ custodyOk: false, zeroSumOk: true });
  });

  it("sees that an account's cash was lowered", async () => {
    await corrupt(world, place.account(account).slot, (word) => word - 10n ** 12n);
    expect(await audit()).to.include({ custodyOk: false, zeroSumOk: true });
  });

  it("sees that a position's shares were changed", async () => {
    await corrupt(world, place.position(account, 0).slot, (word) => word + 1n);
    expect(await audit()).to.include({ zeroSumOk: false });
  });

  it("sees that a position's cost was changed", async () => {
    await corrupt(world, place.position(account, 1).slot, (word) => word + ((10n ** 12n) << 120n));
    expect(await audit()).to.include({ custodyOk: false, zeroSumOk: true });
  });

  it("sees that an account's collateral was raised", async () => {
    const index = world.deployment.collaterals.findIndex(({ symbol }) => symbol === "WETH");
    await corrupt(world, place.collateralOf(account, index).slot, (word) => word + 1n);
    expect(await audit()).to.include({ custodyOk: false });
  });

  it("sees that tokens left the vault behind its back", async () => {
    const { address } = world.deployment.settlementToken;
    // ERC-20's first slot: balances by holder
    const balanceSlot = keccak256(
      AbiCoder.defaultAbiCoder().encode(["address", "uint256"], [world.deployment.vault, 0]),
    );
    await world.connection.provider.request({
      method: "hardhat_setStorageAt",
      params: [address, balanceSlot, toBeHex(1, 32)],
    });
    expect(await audit()).to.include({ custodyOk: false });
  });
});
