import { expect } from "chai";
import hre from "hardhat";

import { collateralParameters } from "../../ignition/deploy.js";
import type { AccountId } from "../../sdk/index.js";
import { everything, outcomeOf, withdrawAllCash } from "../helpers/attack.js";
import { audit } from "../helpers/audit.js";
import { expectRevert } from "../helpers/revert.js";
import { type Stage, deployStage } from "../helpers/stage.js";
import { type Signer, wad } from "../helpers/world.js";

const profitWeight = (gain: bigint) => gain / 2n;

describe("I01: a thin asset is bought up on its own venue and the unrealised profit taken out", () => {
  let at: Stage;
  let attacker: Signer;
  let accomplice: Signer;
  const insuranceSeed = "1000";

  beforeEach(async () => {
    const thin = { skewScale: "100000", openInterestCap: "6000" };
    at = await deployStage(await hre.network.create(), { markets: { LINK: thin }, vault: { insuranceSeed } }, "100000");
    [attacker, accomplice] = at.world.signers as [Signer, Signer];
  });

  it("lets out no more of a gain than the part of it that counts", async () => {
    const long = await at.open(0, "10000", { LINK: "5000" });
    await at.open(1, "200000", { LINK: "-5000" });
    const before = (await at.world.ballast.health(long)).freeMarginWad;
    const valueBefore = await at.value(long, "LINK");
    await at.world.push({ LINK: "20" });
    const gained = (await at.value(long, "LINK")) - valueBefore;
    expect(gained > wad("79000"), String(gained)).to.equal(true);
    const out = await withdrawAllCash(at.world, attacker, long);
    expect(out - before <= profitWeight(gained), `${out - before} of ${gained} came out`).to.equal(true);
    // And not a unit more.
    expect(await outcomeOf(() => at.vault.connect(attacker).withdraw(long, usdc(), 1n, attacker.address))).to.equal(
      "InsufficientMargin",
    );
  });

  /** What the owner of a long, and of a short as well, is ahead by after the price has gone from 4 to 20 and he has left. */
  async function ahead(pair: boolean): Promise<bigint> {
    const long = await at.open(0, "4000", { LINK: "5000" });
    const short = pair ? await at.open(1, "4000", { LINK: "-5000" }) : undefined;
    for (const price of ["5", "8", "20"]) {
      await at.world.push({ LINK: price });
      if (short !== undefined) await keep(short);
    }
    const size = await at.size(long, "LINK");
    if (size !== 0n) await at.trade(long, "LINK", -size);
    else if ((await at.value(long, "LINK")) !== 0n) await at.settle(long, "LINK");
    let out = await withdrawAllCash(at.world, attacker, long);
    if (short !== undefined) out += await withdrawAllCash(at.world, accomplice, short);
    await audit(at.world);
    return out - wad(pair ? "8000" : "4000");
  }

  it("lets two accounts of one owner, long and short, win no more than the long alone and what insurance has", async () => {
    const start = await at.world.connection.networkHelpers.takeSnapshot();
    const alone = await ahead(false);
    await start.restore();
    const both = await ahead(true);
    expect(both <= alone + wad(insuranceSeed), `${both} by two, ${alone} by one`).to.equal(true);
    // Which the cap of open interest bounds: so much, times the move.
    expect(alone <= 6000n * wad("16"), String(alone)).to.equal(true);
  });

  it("holds all wallets together to the cap of open interest, and of one collateral to its cap", async () => {
    await at.open(0, "10000", { LINK: "4000" });
    const second = await at.open(1, "10000", {});
    await expectRevert(
      () => at.world.as(accomplice).then((client) => client.trade(second, "LINK", "2001")),
      "OpenInterestCapExceeded",
      {
        market: 2n,
        openInterestWad: wad("6001"),
        capWad: wad("6000"),
      },
    );
    await at.trade(second, "LINK", "2000");

    const weth = at.world.deployment.collaterals[0]!.address;
    const parameters = {
      ...collateralParameters(at.world.parameters.collaterals[0]!),
      depositCap: wad("100"),
      concentrationStartWad: wad("0.25"),
    };
    await (await at.world.ballast.vault.setCollateralParameters(weth, parameters)).wait();
    const hoard = await at.world.fund(attacker, { WETH: "100" }, 1);
    await expectRevert(() => at.world.fund(accomplice, { WETH: "0.1" }, 1), "DepositCapExceeded", {
      token: weth,
      total: wad("100.1"),
      cap: wad("100"),
    });
    // Four times the start of concentration: a quarter of it counts.
    const { equityInitialWad } = await at.world.ballast.health(hoard);
    expect(equityInitialWad <= (wad("20000") * 85n) / 400n, String(equityInitialWad)).to.equal(true);
  });

  const usdc = () => at.world.deployment.settlementToken.address;

  /** What a keeper does with an account: a part of it, or all. */
  async function keep(account: AccountId) {
    if (!(await at.world.ballast.health(account)).isLiquidatable) return;
    if ((await outcomeOf(() => at.vault.liquidatePosition(account, 2n, everything, at.pool))) === "done") return;
    await outcomeOf(() => at.vault.absorb([account], at.keeperAccount));
  }
});
