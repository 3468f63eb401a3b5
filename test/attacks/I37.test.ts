import { expect } from "chai";
import hre from "hardhat";

import {
  type Connection,
  accountParameters,
  cashParameters,
  collateralParameters,
  marketParameters,
} from "../../ignition/deploy.js";
import { type AccountId, roleIds } from "../../sdk/index.js";
import { AccessManager__factory, MarginVault__factory } from "../../typechain-types/index.js";
import { errorNamed, everything, outcomeOf } from "../helpers/attack.js";
import { audit } from "../helpers/audit.js";
import { expectRevert } from "../helpers/revert.js";
import { type Stage, deployStage, setMarket } from "../helpers/stage.js";
import { type Signer, wad } from "../helpers/world.js";

const days = 86_400;

describe("I37: whoever sets parameters sets them to an extreme", () => {
  let connection: Connection;
  let at: Stage;

  const quiet = () =>
    deployStage(connection, { vault: { insuranceSeed: "1000", maxPriceAgeSeconds: "864000" } }, "1000000");

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    at = await connection.networkHelpers.loadFixture(quiet);
  });

  const market = () => marketParameters(at.world.parameters.markets[1]!);
  const collateral = () => collateralParameters(at.world.parameters.collaterals[0]!);
  const accounts = () => accountParameters(at.world.parameters);
  const cash = () => cashParameters(at.world.parameters);
  const weth = () => at.world.deployment.collaterals[0]!.address;
  const admin = () => at.world.ballast.vault;

  describe("beyond the bounds in code, which refuses it:", () => {
    const largest = 2n ** 256n - 1n;

    it("every parameter of a market but one is bounded in itself, and that one by another", async () => {
      // What is held to be too much or too little of each; the open-interest slope ends at 1000%.
      const extremes: Readonly<Record<keyof ReturnType<typeof market>, bigint>> = {
        initialBaseWad: wad("1.01"),
        maintenanceBaseWad: wad("0.0001"),
        profitWeightWad: wad("1.01"),
        lambdaInitialWad: wad("11"),
        lambdaMaintenanceWad: wad("0.5"),
        maxFundingRatePerDayWad: wad("0.051"),
        maxFundingVelocityPerDay2Wad: wad("11"),
        maxFundingGapSeconds: BigInt(8 * days),
        skewScaleWad: wad("1"),
        openInterestCapWad: wad("100000000"),
        minimumSizeWad: wad("51"),
        takerRateWad: wad("0.011"),
        makerRateWad: wad("0.0006"),
        capitalShareWad: wad("1.01"),
        openInterestSlopeWad: wad("10.1"),
        discountBaseWad: wad("0.001"),
        discountSlopeWad: wad("1.1"),
        discountCapWad: wad("0.51"),
      };
      for (const [name, value] of Object.entries(extremes)) {
        const act = () => admin().setMarketParameters(1n, { ...market(), [name]: value });
        expect(await outcomeOf(act), name).to.equal("ParameterOutOfBounds");
        const endless = () => admin().setMarketParameters(1n, { ...market(), [name]: largest });
        expect(await outcomeOf(endless), `${name} without end`).not.to.equal("done");
      }
    });

    it("every parameter of a collateral, of cash and of all accounts", async () => {
      const refused: Readonly<Record<string, () => Promise<unknown>>> = {
        "a weight of all": () =>
          admin().setCollateralParameters(weth(), { ...collateral(), maintenanceWeightWad: wad("1") }),
        "an initial weight above it": () =>
          admin().setCollateralParameters(weth(), { ...collateral(), initialWeightWad: wad("0.95") }),
        "a start of zero": () =>
          admin().setCollateralParameters(weth(), { ...collateral(), concentrationStartWad: 0n }),
        "a discount of a half": () =>
          admin().setCollateralParameters(weth(), { ...collateral(), discountCapWad: wad("0.5") }),
        "a steep discount": () =>
          admin().setCollateralParameters(weth(), { ...collateral(), discountSlopeWad: wad("1.1") }),
        "a rate of 401%": () => admin().setCashParameters({ ...cash(), rateAtFullWad: wad("4.01") }),
        "a rate that falls": () => admin().setCashParameters({ ...cash(), rateAtZeroWad: wad("1"), rateAtKinkWad: 0n }),
        "most of the interest": () => admin().setCashParameters({ ...cash(), reserveFactorWad: wad("0.51") }),
        "a write-off of more than all": () => admin().setCashParameters({ ...cash(), writeOffPerHourWad: wad("1.01") }),
        "a pool that loses more than all": () =>
          admin().setCashParameters({ ...cash(), poolLossPerHourWad: wad("1.01") }),
        "a debt margin of 51%": () => admin().setAccountParameters({ ...accounts(), debtMarginWad: wad("0.51") }),
        "a target of 1": () => admin().setAccountParameters({ ...accounts(), targetHealthWad: wad("1") }),
        "a target of 3": () => admin().setAccountParameters({ ...accounts(), targetHealthWad: wad("3") }),
        "an absorb of the healthy": () => admin().setAccountParameters({ ...accounts(), absorbHealthWad: wad("1") }),
        "a penalty of 11%": () => admin().setAccountParameters({ ...accounts(), absorbPenaltyWad: wad("0.11") }),
        "a floor of 1,001": () => admin().setAccountParameters({ ...accounts(), keeperFloorWad: wad("1001") }),
        "a least debt of 10,001": () => admin().setAccountParameters({ ...accounts(), minimumDebtWad: wad("10001") }),
        "shares of more than all": () =>
          admin().setAccountParameters({ ...accounts(), keeperShareWad: wad("0.9"), insuranceShareWad: wad("0.2") }),
        "a checkpoint of two days": () =>
          admin().setAccountParameters({ ...accounts(), capitalMaxAgeSeconds: BigInt(2 * days) }),
      };
      for (const [title, act] of Object.entries(refused))
        expect(await outcomeOf(act), title).to.equal("ParameterOutOfBounds");
    });

    it("a feed's age, tolerance and bounds", async () => {
      const { oracle } = at.world.ballast;
      for (const [toleranceWad, maxAge] of [
        [wad("0.11"), 60n],
        [0n, 0n],
        [0n, BigInt(31 * days)],
      ] as const) {
        const refused = { asset: 1n, toleranceWad, maxAge };
        await expectRevert(() => oracle.setPushFeed(1n, toleranceWad, maxAge), "FeedOutOfBounds", refused);
      }
    });
  });

  describe("within them, all at once, and no healthy account is liquidatable by it:", () => {
    /** Healthy by little: long of ETH; in debt against ether. */
    async function barelyHealthy(): Promise<AccountId[]> {
      const trader = await at.open(0, "200", { ETH: "10" });
      const borrower = await at.world.fund(at.world.signers[1]!, { WETH: "10" });
      await at.withdraw(borrower, 1_600_000_000n);
      await at.world.push({ ETH: "187" });
      for (const account of [trader, borrower]) await expectSound(account);
      return [trader, borrower];
    }

    async function expectSound(account: AccountId) {
      const { isLiquidatable, healthWad = 0n } = await at.world.ballast.health(account);
      expect(isLiquidatable, `health ${healthWad}`).to.equal(false);
    }

    const tighter: Readonly<Record<string, () => Promise<unknown>>> = {
      "a larger maintenance base": () =>
        setMarket(at, "ETH", { maintenanceBaseWad: wad("0.09"), initialBaseWad: wad("0.2") }),
      "a larger lambda": () => setMarket(at, "ETH", { lambdaMaintenanceWad: wad("9"), lambdaInitialWad: wad("10") }),
      "a smaller scale": () => setMarket(at, "ETH", { skewScaleWad: wad("400"), openInterestCapWad: wad("12") }),
      "a larger initial base, and a gain that counts for nothing": () =>
        setMarket(at, "ETH", { initialBaseWad: wad("1"), profitWeightWad: 0n, openInterestSlopeWad: wad("10") }),
      "dear funding and fees": () =>
        setMarket(at, "ETH", {
          maxFundingRatePerDayWad: wad("0.05"),
          maxFundingVelocityPerDay2Wad: wad("10"),
          takerRateWad: wad("0.008"),
          makerRateWad: wad("0.008"),
        }),
      "a smaller weight of collateral": async () =>
        (
          await admin().setCollateralParameters(weth(), {
            ...collateral(),
            maintenanceWeightWad: wad("0.1"),
            initialWeightWad: 0n,
          })
        ).wait(),
      "a larger margin of debts, a larger floor, and an absorb that comes sooner": async () =>
        (
          await admin().setAccountParameters({
            ...accounts(),
            debtMarginWad: wad("0.5"),
            keeperFloorWad: wad("1000"),
            absorbHealthWad: wad("0.99"),
          })
        ).wait(),
      "the dearest interest": async () =>
        (
          await admin().setCashParameters({
            ...cash(),
            rateAtZeroWad: wad("4"),
            rateAtKinkWad: wad("4"),
            rateAtFullWad: wad("4"),
            reserveFactorWad: wad("0.5"),
          })
        ).wait(),
    };

    for (const [title, tighten] of Object.entries(tighter)) {
      it(title, async () => {
        const [trader, borrower] = (await barelyHealthy()) as [AccountId, AccountId];
        const before = [await at.vault.health(trader), await at.vault.health(borrower)];
        await tighten();
        for (const account of [trader, borrower]) await expectSound(account);
        for (const [i, account] of [trader, borrower].entries()) {
          const after = await at.vault.health(account);
          const fell = before[i]!.healthWad - after.healthWad;
          expect(fell < wad("0.001"), `health fell by ${fell}`).to.equal(true);
        }
        expect(await outcomeOf(() => at.vault.absorb([trader, borrower], at.keeperAccount))).to.equal(
          "NothingToAbsorb",
        );
        const sell = () => at.vault.liquidateCollateral(borrower, weth(), everything, at.keeperAccount);
        expect(await outcomeOf(sell)).to.equal("AccountHealthy");
        await audit(at.world);
      });
    }

    it("what tightens moves in by steps of an hour at most, however late anybody takes one", async () => {
      const [trader] = (await barelyHealthy()) as [AccountId];
      const before = (await at.vault.health(trader)).requirementMaintenanceWad;
      await setMarket(at, "ETH", { maintenanceBaseWad: wad("0.09"), initialBaseWad: wad("0.2") });
      await at.world.passTime(2 * days);
      expect(await outcomeOf(() => at.vault.rampMarket(1n))).to.equal("done");
      const after = (await at.vault.health(trader)).requirementMaintenanceWad;
      // A seventy-second part of the way: of 6% of 1870.
      const most = (wad("112.2") + wad("1")) / 72n;
      expect(after > before && after - before <= most, `${after - before} of ${most}`).to.equal(true);
      await expectSound(trader);
    });
  });

  describe("and has to wait for it:", () => {
    const delay = 2 * days;
    let risk: Signer;

    beforeEach(async () => {
      risk = at.world.signers[5]!;
      const manager = AccessManager__factory.connect(at.world.deployment.manager, at.world.admin);
      await (await manager.grantRole(roleIds.risk, risk.address, delay)).wait();
    });

    it("what is not scheduled is refused, what is scheduled goes through after its delay, and may be cancelled", async () => {
      const vault = MarginVault__factory.connect(at.world.deployment.vault, risk);
      const manager = AccessManager__factory.connect(at.world.deployment.manager, risk);
      const data = vault.interface.encodeFunctionData("setMarketParameters", [
        1n,
        { ...market(), takerRateWad: wad("0.001") },
      ]);
      const target = at.world.deployment.vault;
      const set = () => risk.sendTransaction({ to: target, data });
      const told = async () => {
        try {
          await risk.call({ to: target, data });
          return "done";
        } catch (error) {
          const { data: thrown } = error as { data?: string };
          return (
            AccessManager__factory.createInterface().parseError(thrown ?? "0x")?.name ?? errorNamed(thrown ?? "0x")
          );
        }
      };
      expect(await told()).to.equal("AccessManagerNotScheduled");
      await (await manager.schedule(target, data, 0)).wait();
      expect(await told()).to.equal("AccessManagerNotReady");
      await at.world.passTime(delay - 10);
      expect(await told()).to.equal("AccessManagerNotReady");
      await at.world.passTime(11);
      await at.world.refresh();
      const start = await connection.networkHelpers.takeSnapshot();
      await (await set()).wait();
      await start.restore();
      await (await manager.connect(at.world.admin).cancel(risk.address, target, data)).wait();
      expect(await told()).to.equal("AccessManagerNotScheduled");
    });

    it("the guardian, who need not wait, stops risk from growing and can loosen or tighten nothing", async () => {
      const guardian = at.world.signers[6]!;
      const manager = AccessManager__factory.connect(at.world.deployment.manager, at.world.admin);
      await (await manager.grantRole(roleIds.guardian, guardian.address, 0)).wait();
      const vault = MarginVault__factory.connect(at.world.deployment.vault, guardian);
      expect(await outcomeOf(() => vault.haltMarket(1n))).to.equal("done");
      expect(await outcomeOf(() => vault.haltBorrowing())).to.equal("done");
      for (const act of [
        () => vault.setMarketParameters(1n, market()),
        () => vault.setAccountParameters(accounts()),
        () => vault.setCashParameters(cash()),
        () => vault.setCollateralParameters(weth(), collateral()),
        () => vault.announceDelisting(1n, 4_000_000_000n, 0n),
        () => at.world.ballast.oracle.connect(guardian).setPushFeed(1n, 0n, 60n),
      ])
        expect(await outcomeOf(act)).to.equal("AccessManagedUnauthorized");
    });
  });
});
