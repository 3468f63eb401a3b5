import { expect } from "chai";
import hre from "hardhat";

import { type AccountId, accountId } from "../../sdk/index.js";
import { MarginVault__factory } from "../../typechain-types/index.js";
import { outcomeOf } from "../helpers/attack.js";
import { audit, cashFigures } from "../helpers/audit.js";
import { type Signer, type World, deployWorld, roundFigures, wad } from "../helpers/world.js";

describe("I13: a transfer to oneself", () => {
  let world: World;
  let owner: Signer;
  let rich: AccountId;
  let debtor: AccountId;

  before(async () => {
    // With interest, so that indices have digits to round.
    world = await deployWorld(await hre.network.create(), (parameters) =>
      roundFigures(parameters, { vault: { maxPriceAgeSeconds: "864000" } }),
    );
    [owner] = world.signers as [Signer];
    rich = await world.fund(owner, { USDC: "1234.567891", WETH: "3.000000000000000001", WBTC: "0.12345678" });
    debtor = await world.fund(owner, { WETH: "100000" }, 1);
    await (await world.as(owner)).withdraw(debtor, "USDC", "9000000");
    await world.passTime(400_000);
    expect((await cashFigures(world)).supplyRate > 0n).to.equal(true);
  });

  const vault = () => MarginVault__factory.connect(world.deployment.vault, owner);
  const words = async () => ({
    rich: await vault().accountWord(rich),
    debtor: await vault().accountWord(debtor),
    held: (await vault().totals()).cashHeld,
  });

  it("of cash leaves the account's word as it was, whatever the amount", async () => {
    const before = await words();
    for (let i = 1n; i <= 40n; i += 1n) {
      await (await vault().transfer(rich, rich, world.deployment.settlementToken.address, i * 7_654_321n)).wait();
      expect(await words()).to.deep.equal(before);
    }
  });

  it("of a debt leaves it as it was", async () => {
    const before = await words();
    for (let i = 1n; i <= 20n; i += 1n) {
      await (await vault().transfer(debtor, debtor, world.deployment.settlementToken.address, i * 7_654_321n)).wait();
      expect(await words()).to.deep.equal(before);
    }
  });

  it("of collateral leaves the amount as it was", async () => {
    for (const { address } of world.deployment.collaterals) {
      const before = await vault().collateral(rich, address);
      for (const amount of [1n, before / 3n, before])
        await (await vault().transfer(rich, rich, address, amount)).wait();
      expect(await vault().collateral(rich, address)).to.equal(before);
    }
  });

  it("of more than there is is refused as to anybody else", async () => {
    const [{ address } = { address: "" }] = world.deployment.collaterals;
    const held = await vault().collateral(rich, address);
    expect(await outcomeOf(() => vault().transfer(rich, rich, address, held + 1n))).to.equal("InsufficientBalance");
  });

  it("of the pool's shares leaves them as they were", async () => {
    const { pool } = world.ballast;
    const { admin } = world;
    const [mine, all] = [await pool.balanceOf(admin), await pool.totalSupply()];
    await (await pool.connect(admin).transfer(admin, mine / 2n)).wait();
    await (await pool.connect(admin).transfer(admin, mine)).wait();
    expect([await pool.balanceOf(admin), await pool.totalSupply()]).to.deep.equal([mine, all]);
  });

  it("and any to another account leave the sum of all balances equal to the total", async () => {
    const third = accountId(owner.address, 2);
    const usdc = world.deployment.settlementToken.address;
    for (const [from, to, amount] of [
      [rich, third, 333_333_333n],
      [third, rich, 111_111_111n],
      [debtor, third, 77_777_777n],
      [third, third, 99_999_999n],
    ] as const) {
      await (await vault().transfer(from, to, usdc, amount)).wait();
      await audit(world); // principals of all accounts against the totals
    }
    const { supplied } = await cashFigures(world);
    expect(supplied > wad("1000")).to.equal(true);
  });
});
