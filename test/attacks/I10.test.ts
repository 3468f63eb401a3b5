import { expect } from "chai";
import hre from "hardhat";

import { type AccountId, accountId } from "../../sdk/index.js";
import { LiquidityPool__factory, MarginVault__factory, MockToken__factory } from "../../typechain-types/index.js";
import { cashIn, everything, usd } from "../helpers/attack.js";
import { expectRevert } from "../helpers/revert.js";
import {
  type Signer,
  type World,
  depositIntoPool,
  deployWorld,
  roundFigures,
  wad,
  withoutInterest,
} from "../helpers/world.js";

const unit = 10n ** 12n;

describe("I10: the first depositor of an empty pool makes a share so dear that the next one gets none", () => {
  let world: World;
  let attacker: Signer;
  let victim: Signer;
  let debtor: Signer;

  beforeEach(async () => {
    // The attacker has deposited a single unit.
    const vault = { poolLockSeconds: "1", maxPriceAgeSeconds: "864000" };
    world = await deployWorld(
      await hre.network.create(),
      (parameters) => withoutInterest(roundFigures(parameters, { vault })),
      "0.000001",
    );
    attacker = world.admin;
    [victim, debtor] = world.signers as [Signer, Signer];
    await world.passTime(2);
  });

  const pool = (who: Signer) => LiquidityPool__factory.connect(world.deployment.pool, who);
  const usdc = () => world.deployment.settlementToken.address;
  const redeemAll = async (who: Signer) => {
    const shares = await pool(who).balanceOf(who);
    const before = await cashIn(world, who.address);
    if ((await pool(who).previewRedeem(shares)) > 0n) await (await pool(who).redeem(shares, who, who)).wait();
    return (await cashIn(world, who.address)) - before;
  };

  for (const donation of ["0.000001", "1000", "1000000"]) {
    it(`gains nothing by giving ${donation} to vault and pool, and the next one loses at most a unit`, async () => {
      for (const to of [world.deployment.vault, world.deployment.pool]) await world.mint("USDC", to, donation);
      await depositIntoPool(world, victim, "1999.999999");
      await world.passTime(2);
      const got = await redeemAll(victim);
      expect(wad("1999.999999") - got <= unit, `lost ${wad("1999.999999") - got}`).to.equal(true);
      const gained = (await redeemAll(attacker)) - unit;
      expect(gained <= 0n, `gained ${gained}`).to.equal(true);
    });
  }

  it("cannot put a donation into the pool's own account", async () => {
    await world.mint("USDC", attacker.address, "1000000");
    await (await MockToken__factory.connect(usdc(), attacker).approve(world.deployment.vault, usd("1000000"))).wait();
    const account = accountId(world.deployment.pool);
    const deposit = () =>
      MarginVault__factory.connect(world.deployment.vault, attacker).deposit(account, usdc(), usd("1000000"));
    const refused = { account, token: usdc(), valueWad: wad("1000000"), minimumWad: wad("10") };
    await expectRevert(deposit, "StrangerDeposit", refused);
  });

  it("takes next to nothing of the next one even where a profit went to the one unit there was", async () => {
    const profit = await giveThePoolAProfit();
    await depositIntoPool(world, victim, "50");
    await world.passTime(2);
    const got = await redeemAll(victim);
    expect(wad("50") - got <= unit, `lost ${wad("50") - got} of 50, after a profit of ${profit}`).to.equal(true);
  });

  /** An account of the attacker's is absorbed, and what the pool had of it is sold: all of that becomes the price of its one unit. */
  async function giveThePoolAProfit(): Promise<bigint> {
    const weth = world.deployment.collaterals[0]!.address;
    const account = await world.fund(debtor, { WETH: "10" });
    const buyer: AccountId = await world.fund(victim, { USDC: "10000" }, 9);
    await (await world.as(debtor)).withdraw(account, "USDC", "1500");
    await world.push({ ETH: "174" });
    const vault = MarginVault__factory.connect(world.deployment.vault, victim);
    await (await vault.absorb([account], accountId(victim.address, 8))).wait();
    await world.push({ ETH: "200" });
    const amount = await vault.collateral(accountId(world.deployment.pool), weth);
    await (await vault.buyCollateral(buyer, weth, amount, everything)).wait();
    const [value, band, haircut] = await vault.poolValue();
    expect(value > wad("200") && band + haircut === 0n, String(value)).to.equal(true);
    return value;
  }
});
