import { expect } from "chai";
import hre from "hardhat";

import type { AccountId } from "../../sdk/index.js";
import { withdrawAllCash } from "../helpers/attack.js";
import { audit } from "../helpers/audit.js";
import { type Stage, allArgsOf, argsOf, deployStage } from "../helpers/stage.js";
import { type Signer, wad } from "../helpers/world.js";

describe("I18: an account ends below zero, and whoever leaves last is not paid", () => {
  let at: Stage;
  let suppliers: AccountId[];
  let bankrupt: AccountId;

  beforeEach(async () => {
    const cash = { poolLossPerHour: "0.05", writeOffPerHour: "0.01" };
    at = await deployStage(await hre.network.create(), { vault: { insuranceSeed: "20" }, cash }, "14000");
    suppliers = [];
    for (const who of [1, 2, 3]) suppliers.push(await at.open(who, "2000", {}));
    bankrupt = await at.open(0, "900", { ETH: "60" });
    await at.world.push({ ETH: "130" });
  });

  const claims = async () => {
    const { equities, unswept, held, badDebt } = await audit(at.world);
    return { owed: [...equities.values()].reduce((sum, one) => sum + one, 0n) + unswept, held, badDebt };
  };

  it("is booked whole in the liquidation that shows it: what insurance, pool and suppliers do not bear is bad debt", async () => {
    const deficit = -(await at.vault.health(bankrupt)).equityMaintenanceWad;
    expect(deficit > wad("3000"), String(deficit)).to.equal(true);
    const events = await at.absorb(bankrupt);
    const { badDebtWad = 0n, writtenOffWad = 0n } = argsOf(events, "LossWrittenOff");
    expect(badDebtWad > wad("100") && writtenOffWad > wad("100"), `${badDebtWad}, ${writtenOffWad}`).to.equal(true);
    expect(await at.vault.cash(bankrupt)).to.equal(0n);
    const { owed, held, badDebt } = await claims();
    expect(badDebt, "recognised").to.equal(badDebtWad);
    expect(owed <= held + badDebt, `${owed} owed, ${held} held, ${badDebt} booked`).to.equal(true);
  });

  it("leaves nobody a way out between the loss and its booking", async () => {
    // Still unbooked, it stands against the account that made it: the supplier who leaves first gets what is his, no more.
    const before = (await claims()).owed;
    expect(await withdrawAllCash(at.world, at.world.signers[1]!, suppliers[0]!)).to.equal(wad("2000"));
    expect(before - (await claims()).owed).to.equal(wad("2000"));
    const events = await at.absorb(bankrupt);
    expect(allArgsOf(events, "LossWrittenOff").length).to.equal(1);
    await claims();
  });

  it("lets all leave one after the other, and what the last ones lack is what was booked as lost", async () => {
    await at.absorb(bankrupt);
    for (const [i, supplier] of suppliers.entries()) {
      const claim = await at.vault.cash(supplier);
      expect(claim < wad("2000") && claim > wad("1970"), "a part of the loss").to.equal(true);
      const out = await withdrawAllCash(at.world, at.world.signers[i + 1] as Signer, supplier);
      expect(claim - out < 10n ** 12n, `${out} of ${claim}`).to.equal(true);
      const { owed, held, badDebt } = await claims();
      expect(owed <= held + badDebt, `${owed} owed, ${held} held, ${badDebt} booked`).to.equal(true);
    }
    const { pool } = at.world.ballast;
    const { admin } = at.world;
    await at.world.passTime(86_401);
    await at.world.refresh();
    const most = await pool.maxWithdraw(admin);
    await (await pool.connect(admin).withdraw(most, admin, admin)).wait();
    const { owed, held, badDebt } = await claims();
    expect(owed - held <= badDebt, `${owed} owed, ${held} held, ${badDebt} booked`).to.equal(true);
    expect(held < badDebt + wad("10"), "little is left").to.equal(true);
  });
});
