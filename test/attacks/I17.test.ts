import { expect } from "chai";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import type { AccountId } from "../../sdk/index.js";
import { everything } from "../helpers/attack.js";
import { audit } from "../helpers/audit.js";
import { expectRevert } from "../helpers/revert.js";
import { type Stage, deployStage } from "../helpers/stage.js";
import { wad } from "../helpers/world.js";

const ETH = 1n;
const minimumWad = wad("0.05");
/** What gas costs a keeper on a rollup: a tenth of a gwei, wei. */
const gasPrice = 10n ** 8n;
const refusedRemainder = 6n; // Refusal.RemainderBelowMinimum

describe("I17: positions so small that nobody would liquidate them", () => {
  let connection: Connection;
  let at: Stage;

  const quiet = () => deployStage(connection, { vault: { insuranceSeed: "1000" } }, "1000000");

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    at = await connection.networkHelpers.loadFixture(quiet);
  });

  const refused = (act: () => Promise<unknown>, size: string) =>
    expectRevert(act, "PositionBelowMinimum", { market: ETH, sizeWad: wad(size), minimumWad });

  it("are neither opened, nor left by closing a part, nor by turning round", async () => {
    const account = await at.open(0, "1000", {});
    for (const size of ["0.049", "-0.049"]) await refused(() => at.trade(account, "ETH", size), "0.049");
    await at.trade(account, "ETH", "1");
    await refused(() => at.trade(account, "ETH", "-0.96"), "0.04");
    await refused(() => at.trade(account, "ETH", "-1.04"), "0.04");
    await at.trade(account, "ETH", "-0.95");
    await at.trade(account, "ETH", "-0.05");
    expect(await at.size(account, "ETH")).to.equal(0n);
  });

  it("are not left by a liquidation in part: what is below the minimum is closed with the rest", async () => {
    const account = await at.open(0, "3.2", { ETH: "0.06" });
    await at.world.push({ ETH: "182" });
    const most = wad("0.02");
    await expectRevert(() => at.vault.liquidatePosition(account, ETH, most, at.pool), "LegRefused", {
      account,
      market: ETH,
      refusal: refusedRemainder,
    });
    await (await at.vault.liquidatePosition(account, ETH, everything, at.pool)).wait();
    expect(await at.size(account, "ETH")).to.equal(0n);
  });

  it("are not left with a taker either", async () => {
    const account = await at.open(0, "230", { ETH: "10" });
    const taker = await at.world.fund(at.keeper, { USDC: "1000" });
    await at.world.push({ ETH: "182.5" });
    await refused(() => at.vault.liquidatePosition(account, ETH, wad("0.01"), taker), "0.01");
  });

  it("a debt is none or worth it", async () => {
    const account = await at.world.fund(at.world.signers[0]!, { WETH: "1" });
    await expectRevert(() => at.withdraw(account, 9_999_999n), "DebtBelowMinimum", {
      account,
      debtWad: wad("9.999999"),
      minimumWad: wad("10"),
    });
  });

  /** What the keeper is paid for an act, less its gas at this price of ether. */
  async function profit(act: () => Promise<{ wait(): Promise<{ gasUsed: bigint } | null> }>, etherPrice: bigint) {
    const before = await at.vault.cash(at.keeperAccount);
    const receipt = await (await act()).wait();
    const reward = (await at.vault.cash(at.keeperAccount)) - before;
    return { reward, gas: (receipt!.gasUsed * gasPrice * etherPrice) / 10n ** 18n };
  }

  async function small(cash: string, size: string, price: string): Promise<AccountId> {
    const account = await at.open(0, cash, { ETH: size });
    await at.world.push({ ETH: price });
    return account;
  }

  it("the smallest that there is pays its keeper for the gas, in part liquidated", async () => {
    const account = await small("3", "0.05", "184");
    const paid = await profit(() => at.vault.liquidatePosition(account, ETH, everything, at.pool), wad("184"));
    expect(paid.reward >= paid.gas, `${paid.reward} for ${paid.gas} of gas`).to.equal(true);
  });

  for (const price of ["170", "150", "101"]) {
    it(`one still worth the least debt pays its keeper two quote units, absorbed at ${price}`, async () => {
      const account = await small("4", "0.1", price);
      const paid = await profit(() => at.vault.absorb([account], at.keeperAccount), wad(price));
      expect(paid.reward).to.equal(wad("2"));
      expect(paid.reward >= paid.gas, `${paid.reward} for ${paid.gas} of gas`).to.equal(true);
      await audit(at.world);
    });
  }
});
