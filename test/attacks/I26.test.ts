import { expect } from "chai";
import hre from "hardhat";

import { collateralParameters } from "../../ignition/deploy.js";
import { type AccountId, parseDecimal } from "../../sdk/index.js";
import { deployHostileToken, everything, outcomeOf } from "../helpers/attack.js";
import { audit } from "../helpers/audit.js";
import { abs } from "../helpers/model.js";
import { portfolio } from "../helpers/portfolio.js";
import { expectRevert } from "../helpers/revert.js";
import { type Signer, type World, deployWorld, roundFigures, withoutInterest } from "../helpers/world.js";

const kinds = [0, 2, 6, 8, 18] as const;

describe("I26: tokens whose decimals are others than expected", () => {
  /** A world in which cash and collateral have so many decimals. */
  const worldOf = async (cash: number, collateral: number): Promise<World> =>
    deployWorld(await hre.network.create(), (parameters) => {
      const quiet = withoutInterest(roundFigures(parameters));
      return {
        ...quiet,
        settlementToken: { ...quiet.settlementToken, decimals: String(cash) },
        collaterals: quiet.collaterals.map((one) => ({ ...one, decimals: String(collateral) })),
      };
    });

  /** What the same acts leave in each world: a debtor with collateral and a position, one liquidated, one absorbed, and the pool. */
  async function story(world: World) {
    const [a, b, c, d] = world.signers as [Signer, Signer, Signer, Signer];
    const steady = await world.fund(a, { USDC: "500", WETH: "30" });
    await (await world.as(a)).trade(steady, "ETH", "20");
    await (await world.as(a)).withdraw(steady, "USDC", "2000");
    const forced = await world.fund(b, { USDC: "300" });
    await (await world.as(b)).trade(forced, "BTC", "-0.5");
    const borrower = await world.fund(c, { WETH: "100" });
    await (await world.as(c)).withdraw(borrower, "USDC", "16000");
    const taker = await world.fund(d, { USDC: "20000" });
    await world.push({ ETH: "180", BTC: "8400" });
    const { vault, poolAccount } = await world.as(d);
    await (await vault.liquidatePosition(forced, 0n, everything, poolAccount)).wait();
    const [weth] = world.deployment.collaterals;
    await (await vault.liquidateCollateral(borrower, weth!.address, parseDecimal("10", weth!.decimals), taker)).wait();
    await audit(world);
    const [value, band] = await vault.poolValue();
    return { accounts: [steady, forced, borrower, taker, poolAccount as AccountId], value, band };
  }

  type Story = Awaited<ReturnType<typeof story>>;
  let usual: { world: World; told: Story; figures: bigint[] };

  async function figuresOf(world: World, { accounts, value, band }: Story): Promise<bigint[]> {
    const figures: bigint[] = [value, band];
    for (const account of accounts) {
      const { cash, health } = await portfolio(world, account);
      figures.push(cash, health.equityMaintenanceWad, health.equityInitialWad, health.netCashWad);
      figures.push(health.requirementMaintenanceWad, health.requirementInitialWad, health.healthWad ?? 0n);
    }
    return figures;
  }

  /** The figures of a world with so many decimals, in which everything must go as in the usual one. */
  async function figuresWith(cash: number, collateral: number): Promise<bigint[]> {
    const world = await worldOf(cash, collateral);
    let told: Story | undefined;
    const act = async () => (told = await story(world));
    expect(await outcomeOf(act), "the same acts").to.equal("done");
    return figuresOf(world, told!);
  }

  before(async () => {
    const world = await worldOf(6, 18);
    const told = await story(world);
    usual = { world, told, figures: await figuresOf(world, told) };
    expect(usual.figures.filter((figure) => figure !== 0n).length > 30).to.equal(true);
  });

  for (const decimals of kinds) {
    it(`cash of ${decimals} decimals and collateral of ${decimals} leave every account the same margin`, async () => {
      const figures = await figuresWith(decimals, decimals);
      // To a wei or two of rounding: amounts of these acts are whole in all of them.
      for (const [i, figure] of figures.entries()) {
        const expected = usual.figures[i]!;
        expect(abs(figure - expected) <= 2n, `figure ${i}: ${figure} for ${expected}`).to.equal(true);
      }
    });
  }

  for (const [cash, collateral] of [
    [0, 18],
    [18, 0],
    [2, 8],
    [8, 2],
  ] as const) {
    it(`cash of ${cash} decimals and collateral of ${collateral} do too`, async () => {
      const figures = await figuresWith(cash, collateral);
      for (const [i, figure] of figures.entries()) {
        const expected = usual.figures[i]!;
        expect(abs(figure - expected) <= 2n, `figure ${i}: ${figure} for ${expected}`).to.equal(true);
      }
    });
  }

  it("more than 18 are refused when the token is listed", async () => {
    const { world } = usual;
    const terms = collateralParameters(world.parameters.collaterals[0]!);
    for (const decimals of [19, 27, 255]) {
      const token = await (await deployHostileToken(world.connection, decimals)).getAddress();
      await expectRevert(() => world.ballast.vault.listCollateral(token, terms), "TooManyDecimals", {
        token,
        decimals: BigInt(decimals),
      });
    }
    expect((await world.ballast.vault.totals()).collaterals).to.equal(2n);
  });
});
