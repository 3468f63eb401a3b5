import { expect } from "chai";
import hre from "hardhat";

import { type AccountId, ContractError, WAD, withDecodedErrors } from "../../sdk/index.js";
import { audit, cashFigures } from "../helpers/audit.js";
import { abs } from "../helpers/model.js";
import { portfolio } from "../helpers/portfolio.js";
import { type Stage, deployStage } from "../helpers/stage.js";

const unit = 10n ** 12n;
const everything = 2n ** 255n;

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe("contracts: bank run", () => {
  let at: Stage;
  let next: () => number;

  /** Whether the act went through; anything but a refusal by the contracts is a failure of the test. */
  async function attempt(act: () => Promise<unknown>): Promise<boolean> {
    try {
      await withDecodedErrors(async () => {
        const sent = await act();
        if (typeof sent === "object" && sent !== null && "wait" in sent && typeof sent.wait === "function")
          await sent.wait();
      });
      return true;
    } catch (error) {
      if (error instanceof ContractError) return false;
      throw error;
    }
  }

  function shuffled<T>(list: readonly T[]): T[] {
    const rest = [...list];
    const order: T[] = [];
    while (rest.length > 0) order.push(...rest.splice(Math.floor(next() * rest.length), 1));
    return order;
  }

  /** Traders of both sides in three markets, borrowers against collateral, and who only supplies. */
  async function populate(): Promise<AccountId[]> {
    const accounts: AccountId[] = [];
    const sizes = { ETH: 30, BTC: 0.8, LINK: 1500 };
    for (let who = 0; who < 6; who += 1) {
      const cash = (400 + next() * 3000).toFixed(2);
      const account = await at.world.fund(at.world.signers[who] as never, { USDC: cash });
      for (const [market, most] of Object.entries(sizes)) {
        if (next() < 0.35) continue;
        const size = (most * (0.1 + next() * 0.9) * (next() < 0.6 ? 1 : -1)).toFixed(3);
        await attempt(() => at.trade(account, market, size));
      }
      accounts.push(account);
    }
    for (const who of [6, 7]) {
      const borrower = await at.world.fund(at.world.signers[who] as never, { WETH: "10", USDC: "100" });
      await attempt(() => at.trade(borrower, "BTC", next() < 0.5 ? "0.02" : "-0.02"));
      await at.withdraw(borrower, BigInt(Math.floor(900 + next() * 500)) * 1_000_000n);
      accounts.push(borrower);
    }
    accounts.push(await at.world.fund(at.world.signers[8] as never, { USDC: "4000" }));
    return accounts;
  }

  /** Liquidates, absorbs, resolves and covers until nothing more can be done. */
  async function clear(accounts: readonly AccountId[]): Promise<void> {
    for (let turn = 0, done = true; done && turn < 10; turn += 1) {
      done = false;
      for (const account of shuffled(accounts)) {
        const { isLiquidatable } = await at.world.ballast.health(account);
        if (!isLiquidatable) continue;
        const { positions } = await portfolio(at.world, account);
        for (const market of shuffled(Object.keys(positions))) {
          const id = at.world.ballast.marketId(market);
          if (next() < 0.5) continue;
          if (await attempt(() => at.vault.liquidatePosition(account, id, everything, at.pool))) done = true;
        }
        if (await attempt(() => at.vault.absorb([account], at.keeperAccount))) done = true;
      }
      if (await attempt(() => at.vault.resolvePool())) done = true;
      if (await attempt(() => at.vault.cover())) done = true;
    }
  }

  for (const seed of [1, 2, 3, 4]) {
    it(`pays every claim but the bad debt that is booked, in whatever order all leave (seed ${seed})`, async () => {
      next = random(seed);
      const cash = { poolLossPerHour: "0.05", writeOffPerHour: seed % 2 === 0 ? "0.01" : "0.2" };
      at = await deployStage(await hre.network.create(), { vault: { insuranceSeed: "20" }, cash }, "14000");
      const accounts = await populate();
      await audit(at.world);

      // Sixty per cent down, in one step, and part of the way back.
      await at.world.push({ ETH: "80", BTC: next() < 0.5 ? "3200" : "12800", LINK: "1.6" });
      await clear(accounts);
      const { supplyIndex, badDebt } = await cashFigures(at.world);
      expect(supplyIndex < 10n ** 15n, "something was written off").to.equal(true);
      const claims = await audit(at.world);
      if (seed % 2 === 0) expect(badDebt > WAD, String(badDebt)).to.equal(true);
      await at.world.push({ ETH: "100", BTC: "6000", LINK: "1.9" });
      await clear(accounts);
      await audit(at.world);

      // Everybody runs: closes, settles, repays, takes what can be had.
      await at.world.passTime(90_000);
      await at.world.refresh();
      const everyone = [...accounts, at.keeperAccount];
      for (let turn = 0; turn < 4; turn += 1) {
        for (const account of shuffled(everyone)) {
          for (const [market, { size }] of Object.entries((await portfolio(at.world, account)).positions)) {
            await attempt(() => (size === 0n ? at.settle(account, market) : at.trade(account, market, -size)));
          }
        }
        await clear(accounts);
      }
      for (const account of everyone) expect((await portfolio(at.world, account)).positions, account).to.deep.equal({});
      for (const borrower of accounts.slice(6, 8)) {
        const owed = -(await at.vault.cash(borrower));
        if (owed <= 0n) continue;
        const owner = at.world.signers[accounts.indexOf(borrower)] as never as Parameters<typeof at.world.as>[0];
        await at.world.mint("USDC", owner.address, "10000");
        await (await at.world.as(owner)).deposit(borrower, "USDC", owed / unit + 1n);
      }
      const { admin } = at.world;
      const shares = at.world.ballast.pool.connect(admin);
      for (const account of shuffled([...everyone, at.pool])) {
        if (account === at.pool) {
          const most = await shares.maxRedeem(admin.address);
          if (most > 0n) await (await shares.redeem(most, admin.address, admin.address)).wait();
          continue;
        }
        const mine = await at.vault.cash(account);
        const [, , held] = await at.vault.totals();
        const raw = mine / unit < held ? mine / unit : held;
        if (raw > 0n) await at.withdraw(account, raw);
      }

      const after = await audit(at.world);
      // Nobody owes anything any more, so what is left unpaid is what nobody had to pay: the bad debt, less what is still held.
      let unpaid = 0n;
      let users = 0n;
      for (const [account, equity] of after.equities) {
        expect(equity > -(10n ** 6n), `${account} owes ${equity}`).to.equal(true);
        unpaid += equity;
        if (account !== at.pool && account !== at.insurance) users += equity;
      }
      expect(users <= after.badDebt + WAD / 10_000n, `${users} of ${after.badDebt}`).to.equal(true);
      const reserves = 3n * WAD;
      expect(abs(unpaid + after.unswept - (after.held - reserves) - after.badDebt) < 10n ** 6n).to.equal(true);
      const missing = unpaid + after.unswept - after.held;
      expect(missing <= after.badDebt, `${missing} of ${after.badDebt}`).to.equal(true);
      expect(claims.equities.size > 8).to.equal(true);
    });
  }
});
