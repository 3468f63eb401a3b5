import { expect } from "chai";
import { AbiCoder } from "ethers";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import {
  type HostileWorld,
  type PlannedCall,
  type Puppet,
  callsOf,
  deployHostileWorld,
  deployPuppet,
  usd,
} from "../helpers/attack.js";
import { audit } from "../helpers/audit.js";
import { portfolios } from "../helpers/portfolio.js";
import { type World, roundFigures, wad, withoutInterest } from "../helpers/world.js";

describe("I11: a token calls its sender or receiver in the middle of its move", () => {
  let connection: Connection;
  let hostile: HostileWorld;
  let world: World;
  let puppet: Puppet;
  let calls: ReturnType<typeof callsOf>;

  async function deploy() {
    return deployHostileWorld(connection, (parameters) =>
      withoutInterest(roundFigures(parameters, { vault: { poolLockSeconds: "1" } })),
    );
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    hostile = await connection.networkHelpers.loadFixture(deploy);
    world = hostile.world;
    calls = callsOf(world);
    puppet = await deployPuppet(world, { USDC: "100000", WETH: "100" });
    await puppet.act(
      calls.vault("deposit", [puppet.account, usdc(), usd("40000")]),
      calls.vault("deposit", [puppet.account, weth(), wad("50")]),
      calls.vault("trade", [puppet.account, 0n, wad("1"), 0n, 2n ** 64n]),
      calls.pool("deposit", [usd("10000"), puppet.address]),
    );
    await world.passTime(2);
  });

  const usdc = () => world.deployment.settlementToken.address;
  const weth = () => world.deployment.collaterals[0]!.address;

  /** Every act in which a token moves, and the token. */
  const moves: Readonly<Record<string, () => PlannedCall>> = {
    "a deposit of cash": () => calls.vault("deposit", [puppet.account, usdc(), usd("1000")]),
    "a withdrawal of cash": () => calls.vault("withdraw", [puppet.account, usdc(), usd("1000"), puppet.address]),
    "a deposit of collateral": () => calls.vault("deposit", [puppet.account, weth(), wad("3")]),
    "a withdrawal of collateral": () => calls.vault("withdraw", [puppet.account, weth(), wad("3"), puppet.address]),
    "a withdrawal from the pool": () => calls.pool("withdraw", [usd("1000"), puppet.address, puppet.address]),
    "a redemption of the pool's shares": () => calls.pool("redeem", [wad("1000"), puppet.address, puppet.address]),
  };

  /** Here the token moves twice, and the first time the pool has not begun: what is done then is done before it. */
  const movesIntoThePool: Readonly<Record<string, () => PlannedCall>> = {
    "a deposit into the pool": () => calls.pool("deposit", [usd("1000"), puppet.address]),
    "a mint of the pool's shares": () => calls.pool("mint", [wad("1000"), puppet.address]),
  };

  /** What an attacker would like to do meanwhile. */
  const tries = (): PlannedCall[] => [
    calls.vault("withdraw", [puppet.account, usdc(), usd("40000"), puppet.address]),
    calls.vault("withdraw", [puppet.account, weth(), wad("50"), puppet.address]),
    calls.vault("deposit", [puppet.account, usdc(), usd("1000")]),
    calls.vault("deposit", [puppet.account, weth(), wad("3")]),
    calls.vault("transfer", [puppet.account, world.ballast.poolAccount, usdc(), usd("100")]),
    calls.vault("trade", [puppet.account, 1n, wad("10"), 0n, 2n ** 64n]),
    calls.vault("settle", [puppet.account, 0n]),
    calls.vault("absorb", [[puppet.account], world.ballast.poolAccount]),
    calls.vault("refreshCapital", []),
    calls.pool("deposit", [usd("1000"), puppet.address]),
    calls.pool("redeem", [wad("1000"), puppet.address, puppet.address]),
  ];

  const arm = async (beforeMove: boolean) => {
    for (const token of [hostile.cash, hostile.ether]) await (await token.setPuppet(puppet.address, beforeMove)).wait();
  };

  /** Books, shares and tokens. */
  async function outcome() {
    const tokens: bigint[] = [];
    for (const token of [hostile.cash, hostile.ether]) tokens.push(await token.balanceOf(puppet.address));
    const { pool } = world.ballast;
    return {
      books: await portfolios(world, { puppet: puppet.account }),
      tokens,
      shares: [await pool.balanceOf(puppet.address), await pool.totalSupply(), await pool.totalAssets()],
      capital: (await world.ballast.vault.capital()) & (2n ** 128n - 1n),
    };
  }

  for (const [title, move] of Object.entries(moves)) {
    for (const beforeMove of [true, false]) {
      it(`${title} has the outcome that it has without, called ${beforeMove ? "before" : "after"} the tokens move`, async () => {
        const start = await connection.networkHelpers.takeSnapshot();
        await puppet.act(move());
        const plain = await outcome();
        await start.restore();
        await arm(beforeMove);
        await (await puppet.contract.plan(tries())).wait();
        await puppet.act(move());
        const told = await puppet.contract.outcomes();
        expect(told.length >= tries().length, "the token called").to.equal(true);
        expect(told.filter(({ went }) => went).length).to.equal(0);
        expect(await outcome()).to.deep.equal(plain);
        await audit(world);
      });
    }
  }

  /** All that the attacker has, were it redeemed: wad. */
  async function wealth(): Promise<bigint> {
    const { vault, pool } = world.ballast;
    const ether = (await hostile.ether.balanceOf(puppet.address)) + (await vault.collateral(puppet.account, weth()));
    const redeemed = await pool.previewRedeem(await pool.balanceOf(puppet.address));
    const { netCashWad } = await world.ballast.health(puppet.account);
    return ether * 200n + netCashWad + ((await hostile.cash.balanceOf(puppet.address)) + redeemed) * 10n ** 12n;
  }

  for (const [title, move] of Object.entries(movesIntoThePool)) {
    for (const beforeMove of [true, false]) {
      it(`${title} makes nobody richer, called ${beforeMove ? "before" : "after"} the tokens move`, async () => {
        const start = await connection.networkHelpers.takeSnapshot();
        await puppet.act(move());
        const plain = await wealth();
        const share = await world.ballast.pool.convertToAssets(wad("1000000"));
        await start.restore();
        await arm(beforeMove);
        await (await puppet.contract.plan(tries())).wait();
        await puppet.act(move());
        expect((await puppet.contract.outcomes()).length >= tries().length, "the token called").to.equal(true);
        const gained = (await wealth()) - plain;
        expect(gained <= 0n, `gained ${gained}`).to.equal(true);
        const others = await world.ballast.pool.convertToAssets(wad("1000000"));
        expect(others >= share, `${share} before, ${others} after`).to.equal(true);
        await audit(world);
      });
    }
  }

  for (const title of Object.keys(moves).slice(0, 4)) {
    it(`${title} stands in the books before the token is called`, async () => {
      await arm(true);
      const watched = title.endsWith("cash")
        ? calls.vault("cash", [puppet.account])
        : calls.vault("collateral", [puppet.account, weth()]);
      await (await puppet.contract.plan([watched])).wait();
      await puppet.act(moves[title]!());
      const [seen] = await puppet.contract.outcomes();
      const [during] = AbiCoder.defaultAbiCoder().decode(["int256"], seen!.result);
      const after = title.endsWith("cash")
        ? await world.ballast.cashOf(puppet.account)
        : await world.ballast.vault.collateral(puppet.account, weth());
      expect(during).to.equal(after);
    });
  }
});
