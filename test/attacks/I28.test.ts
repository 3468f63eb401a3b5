import { expect } from "chai";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import { type AccountId, accountId } from "../../sdk/index.js";
import { MarginVault__factory } from "../../typechain-types/index.js";
import {
  type HostileWorld,
  callsOf,
  conductsOfTokens,
  deployHostileWorld,
  deployPuppet,
  everything,
  outcomeOf,
  usd,
} from "../helpers/attack.js";
import { audit } from "../helpers/audit.js";
import { conducts, deployMixedWorld } from "../helpers/chainlink.js";
import { portfolios } from "../helpers/portfolio.js";
import { type Signer, type World, roundFigures, wad, withoutInterest } from "../helpers/world.js";

const ETH = 1n;
const bomb = 200_000n;
/** What an act that asks one dead feed may cost at most: a tenth of what a block holds. */
const mostGas = 3_000_000n;

describe("I28: whoever is called or paid burns all gas, reverts, or answers with a megabyte", () => {
  let connection: Connection;

  before(async () => {
    connection = await hre.network.create();
  });

  describe("a token", () => {
    let hostile: HostileWorld;
    let world: World;
    let owner: Signer;
    let victim: Signer;
    let keeper: Signer;
    let account: AccountId;

    async function deploy() {
      return deployHostileWorld(connection, (parameters) => withoutInterest(roundFigures(parameters)));
    }

    beforeEach(async () => {
      hostile = await connection.networkHelpers.loadFixture(deploy);
      world = hostile.world;
      [owner, victim, keeper] = world.signers as [Signer, Signer, Signer];
      account = await world.fund(owner, { USDC: "200", WETH: "1" });
      await (await world.as(owner)).trade(account, "ETH", "20");
    });

    const vaultOf = (signer: Signer) => MarginVault__factory.connect(world.deployment.vault, signer);
    const behave = async (conduct: keyof typeof conductsOfTokens) => {
      for (const token of [hostile.cash, hostile.ether])
        await (await token.setConduct(conductsOfTokens[conduct], bomb)).wait();
    };

    for (const conduct of ["paused", "revertsWithBomb", "burnsAllGas", "hidesBalance"] as const) {
      it(`that ${conduct} stops only what moves it: trades, liquidations, absorbs and rewards go on`, async () => {
        const other = await world.fund(victim, { USDC: "2000" });
        await behave(conduct);
        const weth = world.deployment.collaterals[0]!.address;
        const out = () => vaultOf(owner).withdraw(account, weth, wad("0.1"), owner.address, { gasLimit: 2_000_000n });
        expect(await outcomeOf(out)).not.to.equal("done");
        await (await world.as(victim)).trade(other, "ETH", "-1");
        await world.push({ ETH: "184" });
        const pool = world.ballast.poolAccount;
        const force = () => vaultOf(keeper).liquidatePosition(account, ETH, everything, pool);
        expect(await outcomeOf(force)).to.equal("done");
        await world.push({ ETH: "150" });
        const reward = accountId(keeper.address, 1);
        expect(await outcomeOf(() => vaultOf(keeper).absorb([account], reward))).to.equal("done");
        expect((await world.ballast.cashOf(reward)) > 0n).to.equal(true);
        await behave("behaves");
        await audit(world);
      });
    }

    it("that answers with a megabyte costs whoever moves it, and changes nothing else", async () => {
      const usdc = world.deployment.settlementToken.address;
      const before = await portfolios(world, { account });
      await world.mint("USDC", victim.address, "100");
      await (await hostile.cash.connect(victim).approve(world.deployment.vault, usd("100"))).wait();
      await behave("returnsBomb");
      const deposit = await vaultOf(victim).deposit(accountId(victim.address), usdc, usd("100"));
      const { gasUsed } = (await deposit.wait())!;
      // Making the answer costs the token its memory; copying it would cost the vault as much again.
      expect(gasUsed < 500_000n, String(gasUsed)).to.equal(true);
      const after = await portfolios(world, { account });
      expect(after.accounts.account).to.deep.equal(before.accounts.account);
    });

    it("is never sent by an absorb: the reward of a receiver that refuses tokens is cash in its account", async () => {
      const puppet = await deployPuppet(world);
      for (const token of [hostile.cash, hostile.ether]) await (await token.setBlocked(puppet.address, true)).wait();
      await world.push({ ETH: "181" });
      await puppet.act(callsOf(world).vault("absorb", [[account], accountId(puppet.address, 1)]));
      expect((await world.ballast.cashOf(accountId(puppet.address, 1))) > 0n).to.equal(true);
      await audit(world);
    });

    it("withdrawn a thousandth at a time leaves nobody waiting: there is no queue", async () => {
      const usdc = world.deployment.settlementToken.address;
      const spammer = await deployPuppet(world, { USDC: "1000" });
      const calls = callsOf(world);
      await spammer.act(calls.vault("deposit", [spammer.account, usdc, usd("1000")]));
      const small = Array.from({ length: 100 }, () =>
        calls.vault("withdraw", [spammer.account, usdc, 1n, spammer.address]),
      );
      await spammer.act(...small);
      const other = await world.fund(victim, { USDC: "500" });
      const cost = async () => {
        const sent = await vaultOf(victim).withdraw(other, usdc, usd("1"), victim.address);
        return (await sent.wait())!.gasUsed;
      };
      const first = await cost();
      await spammer.act(...small);
      expect((await cost()) <= first).to.equal(true);
    });
  });

  describe("a feed", () => {
    it("that burns what it is given costs its readers a bounded part, and holds nobody up", async () => {
      const { world, aggregator } = await deployMixedWorld(await hre.network.create());
      const [owner, keeper] = world.signers as [Signer, Signer];
      const account = await world.fund(owner, { USDC: "385", WETH: "0.1" });
      const asOwner = await world.as(owner);
      await asOwner.trade(account, "ETH", "10");
      await asOwner.trade(account, "BTC", "-0.4");
      await world.push({ BTC: "8600" });
      const { vault, poolAccount } = await world.as(keeper);
      for (const conduct of ["burnsAllGas", "revertsWithBomb"] as const) {
        await (await aggregator.setConduct(conducts[conduct], 0, bomb)).wait();
        const act = () => vault.liquidatePosition(account, 0n, wad("0.01"), poolAccount, { gasLimit: mostGas });
        expect(await outcomeOf(act), `while it ${conduct}`).to.equal("done");
      }
      const closes = () => asOwner.vault.trade(account, 0n, wad("0.1"), 0n, 2n ** 64n, { gasLimit: mostGas });
      expect(await outcomeOf(closes)).to.equal("done");
    });
  });
});
