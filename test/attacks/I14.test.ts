import { expect } from "chai";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import type { AccountId } from "../../sdk/index.js";
import { MockToken__factory } from "../../typechain-types/index.js";
import { usd } from "../helpers/attack.js";
import { portfolios } from "../helpers/portfolio.js";
import { type Signer, type World, deployWorld, roundFigures, wad } from "../helpers/world.js";

describe("I14: tokens are sent to the venue that nobody asked for", () => {
  let connection: Connection;
  let world: World;
  let owner: Signer;
  let account: AccountId;

  async function quiet() {
    return deployWorld(connection, roundFigures);
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    world = await connection.networkHelpers.loadFixture(quiet);
    [owner] = world.signers as [Signer];
    account = await world.fund(owner, { USDC: "1000", WETH: "30" });
    await (await world.as(owner)).trade(account, "ETH", "20");
    await (await world.as(owner)).withdraw(account, "USDC", "3000");
  });

  const contracts = () => [
    world.deployment.vault,
    world.deployment.pool,
    world.deployment.oracle,
    world.deployment.lens,
    world.deployment.manager,
  ];
  const donate = async () => {
    for (const to of contracts()) {
      await world.mint("USDC", to, "5000000");
      await world.mint("WETH", to, "700");
      await world.mint("WBTC", to, "70");
    }
  };

  /** All that a donation might move. The block's own seconds move interest: it is asked as of the same time. */
  async function figures() {
    const { pool, vault } = world.ballast;
    const { accounts, fees, cashHeld } = await portfolios(world, { account });
    return {
      health: accounts.account.health,
      collaterals: accounts.account.collaterals,
      positions: accounts.account.positions,
      pool: accounts.pool.health,
      fees,
      cashHeld,
      shares: {
        assets: await pool.totalAssets(),
        deposit: await pool.previewDeposit(usd("1000")),
        redeem: await pool.previewRedeem(wad("1000")),
        most: await pool.maxWithdraw(world.admin),
      },
      value: await vault.poolValue(),
      collateral: await vault.collateralAt(0n),
      cash: await vault.cashView(),
    };
  }

  it("changes no account, no share's price, no margin, no limit", async () => {
    const start = await connection.networkHelpers.takeSnapshot();
    const until = (await connection.networkHelpers.time.latest()) + 1000;
    await connection.networkHelpers.time.increaseTo(until);
    const before = await figures();
    await start.restore();
    await donate();
    await connection.networkHelpers.time.increaseTo(until);
    expect(await figures()).to.deep.equal(before);
  });

  it("leaves rates and utilisation as they are when the next act writes them", async () => {
    const start = await connection.networkHelpers.takeSnapshot();
    const until = (await connection.networkHelpers.time.latest()) + 1000;
    const rates = async () => {
      await connection.networkHelpers.time.setNextBlockTimestamp(until);
      await (await world.as(owner)).withdraw(account, "USDC", "100");
      return world.ballast.vault.cashView();
    };
    const before = await rates();
    await start.restore();
    await donate();
    expect(await rates()).to.deep.equal(before);
  });

  it("pays nobody: what is taken out by all is what all have put in", async () => {
    await donate();
    const { vault } = world.ballast;
    const [, , held] = await vault.totals();
    const usdc = world.deployment.settlementToken.address;
    const other = world.signers[1]!;
    const whale = await world.fund(other, { WETH: "1000000" });
    const error = await (await world.as(other)).withdraw(whale, "USDC", held + 1n).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).to.include({ errorName: "InsufficientCashHeld" });
    await (await world.as(other)).withdraw(whale, "USDC", held);
    expect((await vault.totals()).cashHeld).to.equal(0n);
    expect(await MockToken__factory.connect(usdc, other).balanceOf(world.deployment.vault)).to.equal(usd("5000000"));
  });
});
