import { expect } from "chai";
import hre from "hardhat";

import { type AccountId, WAD } from "../../sdk/index.js";
import { outcomeOf } from "../helpers/attack.js";
import { audit } from "../helpers/audit.js";
import { type Stage, deployStage } from "../helpers/stage.js";
import { wad } from "../helpers/world.js";

const wallets = 8;
const skewScale = 8000n;

describe("I02: many wallets roll an unrealised profit into ever more longs while the price is pushed up", () => {
  let at: Stage;
  const accounts: AccountId[] = [];

  /** Adds as much to a long as its margin lets it, to a hundredth of an ether. */
  async function roll(account: AccountId): Promise<void> {
    const vault = (await at.world.as(at.world.signers[accounts.indexOf(account)]!)).vault;
    let [low, high] = [0n, 10_000n];
    while (high - low > 1n) {
      const middle = (low + high) / 2n;
      const size = middle * 10n ** 16n;
      if ((await outcomeOf(() => vault.trade.staticCall(account, 1n, size, 0n, 2n ** 64n))) === "done") low = middle;
      else high = middle;
    }
    if (low > 0n) await at.trade(account, "ETH", low * 10n ** 16n);
  }

  const openInterest = async () => {
    let sum = 0n;
    for (const account of accounts) sum += await at.size(account, "ETH");
    return sum;
  };

  beforeEach(async () => {
    const eth = { skewScale: String(skewScale), openInterestCap: "240", openInterestSlope: "1" };
    at = await deployStage(
      await hre.network.create(),
      { markets: { ETH: eth }, vault: { insuranceSeed: "500" } },
      "1000000",
    );
    accounts.length = 0;
    for (let who = 0; who < wallets; who += 1) accounts.push(await at.open(who, "250", {}));
    for (const price of ["200", "210", "220"]) {
      await at.world.push({ ETH: price });
      await at.world.refresh();
      for (const account of accounts) await roll(account);
    }
  });

  it("asks of each what the open interest of all makes necessary", async () => {
    const all = await openInterest();
    expect(all > wad("100"), String(all)).to.equal(true);
    // 5%, and as much as all of it is of the scale.
    const base = wad("0.05") + all / skewScale;
    const last = accounts.at(-1)!;
    const { equityInitialWad } = await at.world.ballast.health(last);
    const { notionalWad } = await at.world.ballast.position(last, "ETH");
    expect(notionalWad > 0n).to.equal(true);
    const needed = (notionalWad * base) / WAD;
    expect(needed <= equityInitialWad, `${needed} of margin needed, ${equityInitialWad} there`).to.equal(true);
  });

  it("costs insurance no more than it has when the price falls back, and every claim stays backed", async () => {
    const before = await at.vault.cash(at.insurance);
    await at.world.push({ ETH: "140" });
    const events = await at.absorb(...accounts);
    expect(events.filter(({ name }) => name === "Absorbed").length).to.equal(wallets);
    const after = await at.vault.cash(at.insurance);
    expect(after >= 0n && before - after <= before, `${before} before, ${after} after`).to.equal(true);
    const { badDebt } = await audit(at.world);
    expect(badDebt).to.equal(0n);
    for (const account of accounts) expect((await at.vault.cash(account)) >= 0n, account).to.equal(true);
  });
});
