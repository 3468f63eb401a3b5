import { expect } from "chai";
import hre from "hardhat";

import { type Connection, collateralParameters } from "../../ignition/deploy.js";
import { type AccountId, WAD } from "../../sdk/index.js";
import { audit } from "../helpers/audit.js";
import { abs } from "../helpers/model.js";
import { expectRevert } from "../helpers/revert.js";
import { type Stage, deployStage, setMarket } from "../helpers/stage.js";
import { wad } from "../helpers/world.js";

const everything = 2n ** 255n;

describe("contracts: caps", () => {
  let connection: Connection;
  let at: Stage;

  before(async () => {
    connection = await hre.network.create();
  });

  const quiet = () => deployStage(connection, { vault: { insuranceSeed: "1000" } }, "1000000");

  beforeEach(async () => {
    at = await connection.networkHelpers.loadFixture(quiet);
  });

  afterEach(async () => {
    await audit(at.world);
  });

  const near = (actual: bigint, expected: bigint, bound = 10n) =>
    expect(abs(actual - expected) <= bound, `${actual} for ${expected}`).to.equal(true);
  const signer = (who: number) => at.world.signers[who] as never as Parameters<Stage["world"]["as"]>[0];
  const tokenOf = (symbol: string) =>
    at.world.deployment.collaterals.find((token) => token.symbol === symbol)?.address ?? "";

  describe("of concentration", () => {
    /** WETH counts at its whole initial weight up to a quarter of 100. */
    async function concentrate() {
      const [weth] = at.world.parameters.collaterals;
      if (weth === undefined) throw new TypeError("no collateral");
      const parameters = {
        ...collateralParameters(weth),
        depositCap: wad("100"),
        concentrationStartWad: wad("0.25"),
      };
      await (await at.world.ballast.vault.setCollateralParameters(tokenOf("WETH"), parameters)).wait();
    }

    it("lower the initial weight of all that is held beyond the start, and no maintenance weight", async () => {
      await concentrate();
      const account = await at.world.fund(signer(0), { WETH: "20" });
      const before = await at.vault.health(account);
      near(before.equityInitialWad, (wad("4000") * 85n) / 100n);
      await at.world.fund(signer(1), { WETH: "5" });
      expect((await at.vault.health(account)).equityInitialWad).to.equal(before.equityInitialWad);
      await at.world.fund(signer(1), { WETH: "25" });
      const after = await at.vault.health(account);
      // Fifty are held, twenty-five count.
      near(after.equityInitialWad, (wad("4000") * 85n) / 200n);
      expect(after.equityMaintenanceWad).to.equal(before.equityMaintenanceWad);
    });

    it("let a stranger's deposit liquidate nobody", async () => {
      await concentrate();
      const account = await at.world.fund(signer(0), { WETH: "20" });
      await at.withdraw(account, 3_200_000_000n);
      const before = await at.vault.health(account);
      await at.world.fund(signer(1), { WETH: "80" });
      const after = await at.vault.health(account);
      expect(after.equityInitialWad < 0n, "at margin call").to.equal(true);
      expect([after.equityMaintenanceWad, after.requirementMaintenanceWad, after.healthWad]).to.deep.equal([
        before.equityMaintenanceWad,
        before.requirementMaintenanceWad,
        before.healthWad,
      ]);
      expect((await at.world.ballast.health(account)).isLiquidatable).to.equal(false);
      await expectRevert(
        () => at.vault.connect(signer(1)).liquidateCollateral(account, tokenOf("WETH"), everything, at.keeperAccount),
        "NotAuthorized",
        { account: at.keeperAccount, caller: signer(1).address },
      );
      await expectRevert(() => at.vault.absorb([account], at.keeperAccount), "NothingToAbsorb");
      // It may take nothing more, and repay.
      await expectRevert(() => at.withdraw(account, 1_000_000n), "InsufficientMargin", {
        account,
        equityWad: (wei: bigint) => wei < 0n,
        requiredWad: (wei: bigint) => wei > 0n,
      });
      await at.world.mint("USDC", signer(0).address, "100");
      await (await at.world.as(signer(0))).deposit(account, "USDC", "100");
    });
  });

  describe("of open interest", () => {
    /** The initial base of ETH rises from 5% by all of the open interest over 8000. */
    const steepen = () =>
      setMarket(at, "ETH", {
        openInterestSlopeWad: wad("1"),
        skewScaleWad: wad("8000"),
        openInterestCapWad: wad("240"),
      });

    it("raise what an opening needs, whoever holds the rest, and not what keeps it", async () => {
      await steepen();
      const account = await at.open(0, "1000", { ETH: "10" });
      const alone = await at.vault.health(account);
      // n * (base + slope * 10 / 8000 + lambda * 10 / 16000) and the keeper's floor
      near(alone.requirementInitialWad, (wad("2000") * (500_000n + 12_500n + 9_375n)) / 10_000_000n + wad("2"));
      await at.open(1, "10000", { ETH: "150" });
      const crowded = await at.vault.health(account);
      near(crowded.requirementInitialWad, (wad("2000") * (500_000n + 200_000n + 9_375n)) / 10_000_000n + wad("2"));
      expect(crowded.requirementMaintenanceWad).to.equal(alone.requirementMaintenanceWad);
    });

    it("bind an opening and a withdrawal to the interest that stands after them", async () => {
      await steepen();
      await at.open(1, "10000", { ETH: "150" });
      // 10 more: 160 of 8000 make it 7%, and 141.9 with all the rest; the fill and the fee cost 41.8 of the cash.
      const short = await at.world.fund(signer(0), { USDC: "170" });
      await expectRevert(() => at.trade(short, "ETH", "10"), "InsufficientMargin", {
        account: short,
        equityWad: (wei: bigint) => wei < wad("135"),
        requiredWad: (required: bigint) => abs(required - wad("143.875")) < wad("0.01"),
      });
      const enough = await at.world.fund(signer(0), { USDC: "230" }, 1);
      await at.trade(enough, "ETH", "10");
      const { equityInitialWad, requirementInitialWad } = await at.vault.health(enough);
      const free = (equityInitialWad - requirementInitialWad) / 10n ** 12n;
      expect(free > 0n).to.equal(true);
      await expectRevert(() => at.withdraw(enough, free + 2n), "InsufficientMargin", {
        account: enough,
        equityWad: (wei: bigint) => wei < requirementInitialWad,
        requiredWad: requirementInitialWad,
      });
      await at.withdraw(enough, free);
    });

    it("gain nothing by splitting a position", async () => {
      await steepen();
      const pieces: AccountId[] = [];
      for (let i = 0; i < 4; i += 1) pieces.push(await at.open(0, "1000", { ETH: "20" }, i));
      let split = 0n;
      for (const piece of pieces) split += (await at.vault.health(piece)).requirementInitialWad;
      // The base of each is that of all eighty: only the own size's part is smaller, 20 / 16000 of lambda.
      near(split, 4n * ((wad("4000") * (500_000n + 100_000n + 18_750n)) / 10_000_000n + wad("2")), 100n);
    });
  });

  describe("of debts", () => {
    it("refuse to grow a position that leaves a debt below the minimum, and never to close or repay", async () => {
      const account = await at.world.fund(signer(0), { WETH: "10" });
      await at.trade(account, "ETH", "1");
      await at.world.push({ ETH: "198" });
      await at.settle(account, "ETH");
      const debt = -(await at.vault.cash(account));
      expect(debt > 0n && debt < wad("10"), String(debt)).to.equal(true);
      await expectRevert(() => at.trade(account, "ETH", "1"), "DebtBelowMinimum", {
        account,
        debtWad: debt,
        minimumWad: wad("10"),
      });
      await at.trade(account, "ETH", "-0.5");
      await at.trade(account, "ETH", "-0.5");
      expect((await at.vault.cash(account)) < 0n).to.equal(true);
      const owed = -(await at.vault.cash(account)) / 10n ** 12n - 1n;
      await at.world.mint("USDC", signer(0).address, "100");
      await (await at.world.as(signer(0))).deposit(account, "USDC", owed); // all but a crumb
      await (await at.world.as(signer(0))).deposit(account, "USDC", "50");
      await at.trade(account, "ETH", "1");
    });

    it("sell the whole debt's worth of collateral where less would leave a debt below the minimum", async () => {
      const account = await at.world.fund(signer(0), { WETH: "0.09" });
      await at.withdraw(account, 12_000_000n);
      await at.world.push({ ETH: "178" });
      const taker = await at.open(1, "1000", {});
      const sell = (most: bigint) =>
        at.vault.connect(signer(1)).liquidateCollateral(account, tokenOf("WETH"), most, taker);
      await (await sell(everything)).wait();
      const left = -(await at.vault.cash(account));
      // Less than a wei of ether is worth.
      expect(left >= 0n && left < 1000n, String(left)).to.equal(true);
      expect((await at.vault.collateral(account, tokenOf("WETH"))) > 0n).to.equal(true);
    });

    it("leave a larger debt that is above it", async () => {
      const account = await at.world.fund(signer(0), { WETH: "20" });
      await at.withdraw(account, 3_000_000_000n);
      await at.world.push({ ETH: "174" });
      const taker = await at.open(1, "10000", {});
      await (await at.vault.connect(signer(1)).liquidateCollateral(account, tokenOf("WETH"), everything, taker)).wait();
      const left = -(await at.vault.cash(account));
      expect(left > wad("10") && left < wad("3000"), String(left)).to.equal(true);
    });
  });

  describe("of sizes", () => {
    it("refuse a rest below the minimum when closing in part, and close in whole what falls below by force", async () => {
      await setMarket(at, "ETH", { minimumSizeWad: wad("2") });
      const account = await at.open(0, "230", { ETH: "10" });
      await expectRevert(() => at.trade(account, "ETH", "-8.5"), "PositionBelowMinimum", {
        market: 1n,
        sizeWad: wad("1.5"),
        minimumWad: wad("2"),
      });
      await expectRevert(() => at.trade(account, "ETH", "-11"), "PositionBelowMinimum", {
        market: 1n,
        sizeWad: WAD,
        minimumWad: wad("2"),
      });
      await at.trade(account, "ETH", "-8");
      await at.trade(account, "ETH", "-2");
      expect(await at.size(account, "ETH")).to.equal(0n);
      await at.trade(account, "ETH", "10");
      await at.world.push({ ETH: "182.5" });
      await expectRevert(() => at.vault.liquidatePosition(account, 1n, wad("8.5"), at.pool), "LegRefused", {
        account,
        market: 1n,
        refusal: 6n,
      });
      await setMarket(at, "ETH", { minimumSizeWad: wad("9") });
      await (await at.vault.liquidatePosition(account, 1n, everything, at.pool)).wait();
      expect(await at.size(account, "ETH")).to.equal(0n);
    });
  });
});
