import { expect } from "chai";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import type { AccountId } from "../../sdk/index.js";
import { MarginVault__factory, type MockPyth } from "../../typechain-types/index.js";
import { deployPythWorld, feeWei, updateOf } from "../helpers/pyth.js";
import { expectRevert } from "../helpers/revert.js";
import { type Signer, type World, wad } from "../helpers/world.js";

const noDeadline = 2n ** 64n;
const ETH = 1n;
const interface_ = MarginVault__factory.createInterface();

describe("contracts/MarginVault: updates of prices", () => {
  let connection: Connection;
  let world: World;
  let pyth: MockPyth;
  let owner: Signer;
  let account: AccountId;
  let vault: World["ballast"]["vault"];

  async function readFromPyth() {
    return deployPythWorld(connection);
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    ({ world, pyth } = await connection.networkHelpers.loadFixture(readFromPyth));
    [owner] = world.signers as [Signer];
    account = await world.fund(owner, { USDC: "10000" });
    vault = MarginVault__factory.connect(world.deployment.vault, owner);
    await world.passTime(3601);
  });

  const ether = async (of: string) => world.ballast.provider.getBalance(of);
  const update = async (price: bigint) =>
    interface_.encodeFunctionData("updatePrices", [[await updateOf(connection, pyth, { price: price * 10n ** 8n })]]);
  const open = () => interface_.encodeFunctionData("trade", [account, ETH, wad("1"), 0n, noDeadline]);
  const refresh = interface_.encodeFunctionData("refreshCapital");

  it("and what needs them are one transaction, which pays the fee and gives back the rest", async () => {
    await expectRevert(() => vault.trade(account, ETH, wad("1"), 0n, noDeadline), "StaleMarketPrice", {
      market: ETH,
      publishedAt: () => true,
      maxAge: 60n,
    });
    const [before, paidBefore] = [await ether(owner.address), await ether(await pyth.getAddress())];
    const calls = [await update(190n), refresh, open()];
    const receipt = await (await vault.multicall(calls, { value: 100n })).wait();
    expect((await vault.position(account, ETH)).notionalWad).to.equal(wad("190"));
    expect(before - (await ether(owner.address)) - (receipt?.fee ?? 0n)).to.equal(feeWei);
    expect((await ether(await pyth.getAddress())) - paidBefore).to.equal(feeWei);
    expect(await ether(world.deployment.vault)).to.equal(0n);
  });

  it("of which a multicall holds two pay two fees out of the same value, and no more than that", async () => {
    const calls = [await update(190n), await update(191n)];
    await expectRevert(() => vault.multicall(calls, { value: 2n * feeWei - 1n }), "UpdateFeeMissing", {
      fee: feeWei,
      available: feeWei - 1n,
    });
    await (await vault.multicall(calls, { value: 2n * feeWei })).wait();
    expect(await ether(world.deployment.vault)).to.equal(0n);
  });

  it("alone give back the rest too, and are refused without the fee", async () => {
    const data = [await updateOf(connection, pyth, { price: 190n * 10n ** 8n })];
    await expectRevert(() => vault.updatePrices(data), "UpdateFeeMissing", { fee: feeWei, available: 0n });
    const before = await ether(owner.address);
    const receipt = await (await vault.updatePrices(data, { value: 100n })).wait();
    expect(before - (await ether(owner.address)) - (receipt?.fee ?? 0n)).to.equal(feeWei);
    expect((await world.ballast.price("ETH")).priceWad).to.equal(wad("190"));
  });

  it("come after a look at each account that calls before them have left without margin", async () => {
    await (await vault.multicall([await update(200n), refresh], { value: feeWei })).wait();
    const trade = (size: string) => interface_.encodeFunctionData("trade", [account, ETH, wad(size), 0n, noDeadline]);
    const roundTrip = async (size: string) => [trade(size), await update(202n), trade(`-${size}`)];
    const before = await vault.cash(account);
    // 2,000 ETH at 200 need 20,000 and more of initial margin; the account has 10,000.
    await expectRevert(async () => vault.multicall(await roundTrip("2000"), { value: feeWei }), "InsufficientMargin", {
      account,
      equityWad: (equity: bigint) => equity < wad("10000"),
      requiredWad: (required: bigint) => required > wad("20000"),
    });
    expect((await world.ballast.price("ETH")).priceWad).to.equal(wad("200"));
    await (await vault.multicall([trade("2000"), trade("-2000")])).wait();
    await (await vault.multicall(await roundTrip("10"), { value: feeWei })).wait();
    expect((await world.ballast.price("ETH")).priceWad).to.equal(wad("202"));
    expect((await vault.cash(account)) !== before).to.equal(true);
  });

  it("are undone with the calls that they were made for", async () => {
    const calls = [
      await update(190n),
      interface_.encodeFunctionData("trade", [account, ETH, wad("9999"), 0n, noDeadline]),
    ];
    await expectRevert(() => vault.multicall(calls, { value: feeWei }), "CapitalCheckpointStale", {
      takenAt: () => true,
      maxAge: 3600n,
    });
    expect((await world.ballast.price("ETH")).priceWad).to.equal(wad("200"));
  });
});
