import { expect } from "chai";
import hre from "hardhat";

import {
  type Connection,
  accountParameters,
  collateralParameters,
  deployBallast,
  marketParameters,
} from "../../ignition/deploy.js";
import {
  type AccountId,
  Ballast,
  decodeAccountRisk,
  decodeCollateral,
  decodeMarketRisk,
  decodeMarketState,
  decodeRampClock,
} from "../../sdk/index.js";
import { type MarginVault, MarginVault__factory } from "../../typechain-types/index.js";
import { disagreements, readHistory } from "../helpers/history.js";
import { ceilDiv, legRequirement } from "../helpers/model.js";
import { expectRevert } from "../helpers/revert.js";
import { type Signer, type World, deployWorld, roundFigures, wad, withoutInterest } from "../helpers/world.js";

const ETH = 1;
const hour = 3_600;
const steps = 72;

describe("contracts/MarginVault: ramps", () => {
  let connection: Connection;
  let world: World;
  /** As the admin calls it. */
  let vault: MarginVault;
  /** As anybody calls it. */
  let anybody: MarginVault;
  let owner: Signer;

  /** Prices last for weeks, so that only what is set changes anything. */
  async function quiet() {
    return deployWorld(connection, (parameters) =>
      withoutInterest(roundFigures(parameters, { vault: { maxPriceAgeSeconds: "2592000" } })),
    );
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => enter(await connection.networkHelpers.loadFixture(quiet)));

  function enter(entered: World) {
    world = entered;
    vault = world.ballast.vault;
    const [first, stranger] = world.signers as [Signer, Signer];
    owner = first;
    anybody = MarginVault__factory.connect(world.deployment.vault, stranger);
  }

  const market = () => marketParameters(world.parameters.markets[ETH]!);
  const accounts = () => accountParameters(world.parameters);
  const collateral = () => collateralParameters(world.parameters.collaterals[0]!);
  const weth = () => world.deployment.collaterals[0]!.address;
  const tighter = () => ({
    ...market(),
    maintenanceBaseWad: wad("0.045"),
    lambdaMaintenanceWad: wad("1.2"),
    skewScaleWad: wad("6000000"),
  });

  async function open(cash = "110", size = "10"): Promise<AccountId> {
    const account = await world.fund(owner, { USDC: cash });
    await (await world.as(owner)).trade(account, "ETH", size);
    return account;
  }

  const mined = async (sent: Promise<{ wait(): Promise<unknown> }>) => (await sent).wait();
  const riskOf = async () => decodeMarketRisk((await vault.market(ETH)).risk);
  const tells = ({ maintenanceBaseWad, lambdaMaintenanceWad, skewScaleWad }: ReturnType<typeof decodeMarketRisk>) => ({
    maintenanceBaseWad,
    lambdaMaintenanceWad,
    skewScaleWad,
  });
  /** A scale on its way: its reciprocal goes by equal steps. Rounded up to a unit of its word. */
  const scaleAt = (from: bigint, to: bigint, covered: bigint) => {
    const whole = BigInt(steps * hour);
    return ceilDiv(from * to * whole, (to * (whole - covered) + from * covered) * 10n ** 9n) * 10n ** 9n;
  };
  const clockOf = async () => decodeRampClock((await vault.marketRamp(ETH)).clock);
  const healthOf = (account: AccountId) => world.ballast.health(account);
  const timeOfBlock = async () => Number(await connection.networkHelpers.time.latest());

  async function eventsOf(act: () => Promise<{ wait(): Promise<unknown> }>) {
    const from = (await world.ballast.provider.getBlockNumber()) + 1;
    await mined(act());
    return (await world.ballast.events(from)).map(({ name, args }) => ({ name, ...args }));
  }

  /** What `act` does after so many seconds since the last block. */
  async function after(seconds: number, act: () => Promise<{ wait(): Promise<unknown> }>) {
    await connection.networkHelpers.time.setNextBlockTimestamp((await timeOfBlock()) + seconds);
    return mined(act());
  }

  describe("of a market", () => {
    it("leave maintenance as it is when it is tightened, and say what is to come", async () => {
      const account = await open();
      const [before, view] = [await healthOf(account), await vault.market(ETH)];
      const told = await eventsOf(() => vault.setMarketParameters(ETH, { ...tighter(), profitWeightWad: wad("0.4") }));
      const now = await timeOfBlock();
      const { risk, state, terms, discount, totals, poolPosition } = await vault.market(ETH);
      const { from, to, clock } = await vault.marketRamp(ETH);
      expect(await healthOf(account)).to.deep.equal(before);
      // What is no part of maintenance counts at once.
      expect(decodeMarketRisk(risk)).to.deep.equal({ ...decodeMarketRisk(view.risk), profitWeightWad: wad("0.4") });
      expect(from).to.equal(risk);
      expect(decodeMarketRisk(to)).to.deep.equal({ ...decodeMarketRisk(risk), ...tells(riskWith(tighter())) });
      expect(decodeRampClock(clock)).to.deep.equal({ secondsLeft: steps * hour, steppedAt: now });
      const id = BigInt(ETH);
      expect(told).to.deep.equal([
        { name: "MarketParametersSet", market: id, risk, terms, discount },
        { name: "MarketChanged", market: id, state, totals, poolPosition },
        { name: "MarketRampSet", market: id, from, to, clock },
      ]);
    });

    it("go by a seventy-second an hour, for anybody to take, to the very end (INV-17)", async () => {
      const account = await open();
      await world.push({ ETH: "198" }); // 85 of equity: over 61 of margin now, and under 91 at the end
      await mined(vault.setMarketParameters(ETH, tighter()));
      const start = riskWith(market());
      let healthySteps = 0;
      for (let step = 1n; step <= BigInt(steps); step += 1n) {
        await world.passTime(hour);
        const before = await healthOf(account);
        await mined(anybody.rampMarket(ETH));
        const risk = await riskOf();
        expect(tells(risk)).to.deep.equal({
          maintenanceBaseWad: wad("0.03") + ((15_000n * step) / 72n) * 10n ** 12n,
          lambdaMaintenanceWad: wad("1") + ((200_000n * step) / 72n) * 10n ** 12n,
          skewScaleWad: scaleAt(wad("8000000"), wad("6000000"), step * BigInt(hour)),
        });
        const health = await healthOf(account);
        const { maintenanceBaseWad, lambdaMaintenanceWad, skewScaleWad } = risk;
        const leg = legRequirement(wad("10"), wad("198"), maintenanceBaseWad, lambdaMaintenanceWad, skewScaleWad);
        expect(health.requirementMaintenanceWad).to.equal(leg + wad("2"));
        // Of 1980, 1.5% is on its way: no step takes more than a 72nd of it, a unit of the base, and a trace for impact.
        const raised = health.requirementMaintenanceWad - before.requirementMaintenanceWad;
        expect(raised > 0n && raised < wad("29.7") / 72n + wad("0.003"), String(raised)).to.equal(true);
        expect(health.equityMaintenanceWad).to.equal(before.equityMaintenanceWad);
        if (!health.isLiquidatable) healthySteps += 1;
      }
      // It had two days and more to act.
      expect(healthySteps).to.be.within(48, 71);
      expect(await riskOf()).to.deep.equal({ ...start, ...tells(riskWith(tighter())) });
      expect([...(await vault.marketRamp(ETH))]).to.deep.equal([0n, 0n, 0n]);
      await expectRevert(() => anybody.rampMarket(ETH), "NothingToRamp", { secondsLeft: 0n });
    });

    describe("whose scale falls to a hundredth", () => {
      const [start, end] = ["80000000", "800000"];
      let thief: Signer;

      /** The most open interest that base and scale at the end are good for. */
      async function deep() {
        return deployWorld(connection, (parameters) =>
          withoutInterest(
            roundFigures(parameters, {
              vault: { maxPriceAgeSeconds: "2592000", capitalMaxAgeSeconds: "86400" },
              markets: { ETH: { skewScale: start, openInterestCap: "36000", capitalShare: "1" } },
            }),
          ),
        );
      }

      beforeEach(async () => {
        enter(await connection.networkHelpers.loadFixture(deep));
        [, thief] = world.signers as [Signer, Signer];
      });

      const tightest = () => ({ ...tighter(), skewScaleWad: wad(end) });

      async function takeSteps(count: number) {
        for (let step = 0; step < count; step += 1) {
          await world.passTime(hour);
          await mined(anybody.rampMarket(ETH));
        }
        await world.refresh();
      }

      it("raise what a position of all its open interest must have by a 36th of the whole an hour at most (INV-17)", async () => {
        const size = "35900";
        const account = await open("1000000", size);
        const required = async () => (await healthOf(account)).requirementMaintenanceWad;
        await mined(vault.setMarketParameters(ETH, tightest()));
        const at = [await required()];
        for (let step = 0; step < steps; step += 1) {
          await world.passTime(hour);
          await mined(anybody.rampMarket(ETH));
          at.push(await required());
        }
        const [first = 0n, last = 0n] = [at[0], at.at(-1)];
        const { maintenanceBaseWad, lambdaMaintenanceWad } = tightest();
        expect(first).to.equal(legRequirement(wad(size), wad("200"), wad("0.03"), wad("1"), wad(start)) + wad("2"));
        expect(last).to.equal(
          legRequirement(wad(size), wad("200"), maintenanceBaseWad, lambdaMaintenanceWad, wad(end)) + wad("2"),
        );
        const rises = at.slice(1).map((requirement, i) => requirement - at[i]!);
        const most = rises.reduce((one, other) => (other > one ? other : one));
        // 2.7% of 7.18 million are for impact at the end, more than for the base; lambda rises with it.
        const whole = last - first;
        expect(whole > wad("290000"), String(whole)).to.equal(true);
        // A unit of the base is a millionth.
        const unit = wad("7.18");
        expect(rises.every((rise) => rise > 0n)).to.equal(true);
        expect(most <= whole / 36n + unit, `${most} of ${whole}`).to.equal(true);
        // Two of them rise as one product: equal steps it cannot be.
        expect(most > whole / 72n + unit, `${most} of ${whole}`).to.equal(true);
      });

      for (const [when, taken] of [
        ["the first", 0],
        ["a middle", 35],
        ["the last", 71],
      ] as const) {
        it(`lets nobody gain by a round trip about ${when} step`, async () => {
          await open("1000000", "31000");
          const account = await world.fund(thief, { USDC: "500000" });
          const asThief = vault.connect(thief);
          await mined(vault.setMarketParameters(ETH, tightest()));
          await takeSteps(taken);
          await world.passTime(hour);
          await world.refresh();
          const trade = (size: string) =>
            vault.interface.encodeFunctionData("trade", [account, ETH, wad(size), 0n, 4_000_000_000n]);
          const step = vault.interface.encodeFunctionData("rampMarket", [ETH]);
          const before = await vault.cash(account);
          const snapshot = await connection.networkHelpers.takeSnapshot();
          const lost: Record<string, bigint> = {};
          for (const [way, transactions] of Object.entries({
            alone: [[trade("4900"), trade("-4900")]],
            aboutTheStep: [[trade("4900"), step, trade("-4900")]],
            inTwo: [[trade("4900")], [step, trade("-4900")]],
            theOtherWay: [[trade("-4900"), step, trade("4900")]],
          })) {
            for (const calls of transactions) await mined(asThief.multicall(calls));
            lost[way] = before - (await vault.cash(account));
            await snapshot.restore();
          }
          const { alone = 0n, aboutTheStep = 0n, inTwo = 0n, theOtherWay = 0n } = lost;
          expect(aboutTheStep > 0n && inTwo > 0n && theOtherWay > 0n, JSON.stringify(lost, String)).to.equal(true);
          // What the step gives: a 72nd of the impact, of 980,000 at a skew of 33,450, to a wei a fill.
          const risk = wad("980000") * 33_450n;
          const most = (risk / 800_000n - risk / 80_000_000n) / 72n;
          expect(
            alone - aboutTheStep > 0n && alone - aboutTheStep <= most + 100n,
            `${alone - aboutTheStep} of ${most}`,
          ).to.equal(true);
        });
      }
    });

    it("cover an hour at most however long nobody took a step, and the time itself where it is less", async () => {
      await open();
      await mined(vault.setMarketParameters(ETH, tighter()));
      await after(20 * 86_400, () => anybody.rampMarket(ETH));
      expect(await clockOf()).to.deep.equal({ secondsLeft: 71 * hour, steppedAt: await timeOfBlock() });
      const { maintenanceBaseWad: first } = await riskOf();
      expect(first).to.equal(wad("0.030208"));
      await after(hour + 1, () => anybody.rampMarket(ETH));
      expect((await clockOf()).secondsLeft).to.equal(70 * hour);
      await after(600, () => anybody.rampMarket(ETH));
      expect((await clockOf()).secondsLeft).to.equal(70 * hour - 600);
      // 2 1/6 hours of 72
      expect((await riskOf()).maintenanceBaseWad).to.equal(wad("0.03") + ((15_000n * 13n) / (6n * 72n)) * 10n ** 12n);
    });

    it("come to the same by steps of a second", async () => {
      await open();
      await mined(vault.setMarketParameters(ETH, tighter()));
      for (let second = 0; second < 40; second += 1) await after(1, () => anybody.rampMarket(ETH));
      expect((await clockOf()).secondsLeft).to.equal(steps * hour - 40);
      expect(tells(await riskOf())).to.deep.equal({
        maintenanceBaseWad: wad("0.030002"), // 15,000 units * 40 / 259,200, rounded down
        lambdaMaintenanceWad: wad("1.00003"),
        skewScaleWad: wad("7999588.498534027"), // 8 million * 3 * 259,200 / (3 * 259,160 + 4 * 40), rounded up
      });
    });

    it("take no second step in one second", async () => {
      await open();
      await mined(vault.setMarketParameters(ETH, tighter()));
      const calls = Array.from({ length: 2 }, () => vault.interface.encodeFunctionData("rampMarket", [ETH]));
      await world.passTime(hour);
      await expectRevert(() => anybody.multicall(calls), "NothingToRamp", { secondsLeft: BigInt(71 * hour) });
      await mined(anybody.multicall(calls.slice(1)));
    });

    it("do not hold back what loosens, and end with it", async () => {
      await open();
      await mined(vault.setMarketParameters(ETH, tighter()));
      await world.passTime(hour);
      await mined(anybody.rampMarket(ETH));
      const looser = {
        ...market(),
        maintenanceBaseWad: wad("0.025"),
        skewScaleWad: wad("9000000"),
      };
      const told = await eventsOf(() => vault.setMarketParameters(ETH, looser));
      expect(await riskOf()).to.deep.equal(riskWith(looser));
      expect(told.at(-1)).to.deep.equal({ name: "MarketRampSet", market: BigInt(ETH), from: 0n, to: 0n, clock: 0n });
      await expectRevert(() => anybody.rampMarket(ETH), "NothingToRamp", { secondsLeft: 0n });
    });

    it("start anew from what counts then, for three days, where they are set again", async () => {
      await open();
      await mined(vault.setMarketParameters(ETH, tighter()));
      for (let step = 0; step < 36; step += 1) {
        await world.passTime(hour);
        await mined(anybody.rampMarket(ETH));
      }
      // Half way: of one field more is asked, of another less than counts already.
      const again = { ...tighter(), lambdaMaintenanceWad: wad("1.05"), skewScaleWad: wad("5000000") };
      await mined(vault.setMarketParameters(ETH, again));
      const half = {
        maintenanceBaseWad: wad("0.0375"),
        lambdaMaintenanceWad: wad("1.05"),
        skewScaleWad: wad("6857142.857142858"), // 1 / 8 and 1 / 6 make 2 / 6.857
      };
      expect(tells(await riskOf())).to.deep.equal(half);
      expect((await clockOf()).secondsLeft).to.equal(steps * hour);
      await world.passTime(hour);
      await mined(anybody.rampMarket(ETH));
      expect(tells(await riskOf())).to.deep.equal({
        maintenanceBaseWad: wad("0.037604"),
        lambdaMaintenanceWad: wad("1.05"),
        skewScaleWad: scaleAt(half.skewScaleWad, wad("5000000"), BigInt(hour)),
      });
    });

    it("need no steps where nobody has a position, and do again once somebody has", async () => {
      await mined(vault.setMarketParameters(ETH, tighter()));
      expect(await riskOf()).to.deep.equal(riskWith(tighter()));
      expect((await clockOf()).secondsLeft).to.equal(0);
      const account = await open();
      const tightest = { ...tighter(), maintenanceBaseWad: wad("0.0454") };
      await mined(vault.setMarketParameters(ETH, tightest));
      expect((await riskOf()).maintenanceBaseWad).to.equal(wad("0.045"));
      await (await world.as(owner)).trade(account, "ETH", "-10");
      await mined(vault.setMarketParameters(ETH, tightest));
      expect((await riskOf()).maintenanceBaseWad).to.equal(wad("0.0454"));
      expect((await clockOf()).secondsLeft).to.equal(0);
    });

    it("hold the bounds by what counts at once as by what is to come", async () => {
      await open();
      const refused = (parameters: ReturnType<typeof market>, rule: string) =>
        expectRevert(() => vault.setMarketParameters(ETH, parameters), "ParameterOutOfBounds", { rule });
      const cap = "openInterestCap <= maintenanceBase * skewScale";
      // 4.5% of 8 million would cover it, 3% do not yet.
      await refused({ ...market(), maintenanceBaseWad: wad("0.045"), openInterestCapWad: wad("300000") }, cap);
      // 3% of 8 million cover it, of 6 million no more.
      await refused({ ...market(), skewScaleWad: wad("6000000") }, cap);
      const target = "targetHealth <= initialBase / maintenanceBase";
      await refused({ ...market(), maintenanceBaseWad: wad("0.0455") }, target);
      await mined(vault.setMarketParameters(ETH, tighter()));
      // 1.2 times 3% is within 5%; 1.2 times 4.5% is not.
      await expectRevert(
        () => vault.setAccountParameters({ ...accounts(), targetHealthWad: wad("1.2") }),
        "ParameterOutOfBounds",
        { rule: target },
      );
    });

    it("accrue funding under the old scale first, and go on under the new", async () => {
      const velocity = { everyMarket: { maxFundingVelocityPerDay2: "3" }, vault: { maxPriceAgeSeconds: "2592000" } };
      enter(await deployWorld(await hre.network.create(), (given) => roundFigures(given, velocity)));
      const { time } = world.connection.networkHelpers;
      await open("1000000", "4000");
      await mined(vault.setMarketParameters(ETH, tighter()));
      const before = decodeMarketState((await vault.market(ETH)).state);
      const day2 = 86_400n * 86_400n;
      expect(before.fundingDriftE24).to.equal((3n * 10n ** 24n * 4000n) / (8_000_000n * day2));
      await time.setNextBlockTimestamp(before.touchedAt + hour);
      await mined(anybody.rampMarket(ETH));
      const state = decodeMarketState((await vault.market(ETH)).state);
      const { skewScaleWad } = await riskOf();
      const elapsed = BigInt(hour);
      const rate = before.fundingRateE24 + before.fundingDriftE24 * elapsed;
      const climbed = before.fundingDriftE24 * elapsed;
      const integral = rate * elapsed - (climbed * climbed) / (2n * before.fundingDriftE24);
      expect(skewScaleWad).to.equal(scaleAt(wad("8000000"), wad("6000000"), BigInt(hour)));
      expect(state).to.deep.equal({
        fundingIndexWad: before.fundingIndexWad + (wad("200") * integral) / 10n ** 24n,
        fundingRateE24: rate,
        fundingDriftE24: (3n * 10n ** 24n * wad("4000")) / (skewScaleWad * day2),
        touchedAt: before.touchedAt + hour,
        flags: 0,
      });
    });

    it("wait for a fresh price, and for nothing else while the market is halted or about to be delisted", async () => {
      await open();
      await mined(vault.setMarketParameters(ETH, tighter()));
      await mined(vault.haltMarket(ETH));
      await mined(vault.announceDelisting(ETH, (await timeOfBlock()) + 100_000, 0n));
      await world.passTime(hour);
      await mined(anybody.rampMarket(ETH));
      expect((await clockOf()).secondsLeft).to.equal(71 * hour);
      await mined(world.ballast.oracle.setPushFeed(ETH, wad("0.001"), 60));
      await world.passTime(hour);
      await expectRevert(() => anybody.rampMarket(ETH), "PriceStale", {
        asset: BigInt(ETH),
        publishedAt: () => true,
        maxAge: 60n,
      });
      await world.push({ ETH: "200" });
      await mined(anybody.rampMarket(ETH));
      expect((await clockOf()).secondsLeft).to.equal(70 * hour);
      await world.passTime(100_000);
      await world.push({ ETH: "200" });
      await mined(anybody.delist(ETH));
      await expectRevert(() => anybody.rampMarket(ETH), "MarketDelisted", { market: BigInt(ETH) });
    });

    it("come after what the same transaction let pass, so that nobody slips by", async () => {
      const account = await open("1000", "10");
      await mined(vault.setMarketParameters(ETH, tighter()));
      const { interface: abi } = vault;
      const { address } = world.deployment.settlementToken;
      const calls = [
        abi.encodeFunctionData("withdraw", [account, address, 950_000_000n, owner.address]),
        abi.encodeFunctionData("rampMarket", [ETH]),
        abi.encodeFunctionData("trade", [account, ETH, wad("-10"), 0n, 4_000_000_000n]),
      ];
      await world.passTime(hour);
      await expectRevert(() => vault.connect(owner).multicall(calls), "InsufficientMargin", {
        account,
        equityWad: (equity: bigint) => equity < wad("50"),
        requiredWad: (required: bigint) => required > wad("100"),
      });
      await mined(vault.connect(owner).multicall([calls[0]!, calls[2]!, calls[1]!]));
    });
  });

  describe("of a collateral", () => {
    const weightOf = async () => decodeCollateral((await vault.collateralAt(0)).word).weightMaintenanceWad;

    it("lower its maintenance weight by a seventy-second an hour, and its initial weight at once", async () => {
      const account = await world.fund(owner, { WETH: "10" });
      await (await world.as(owner)).withdraw(account, "USDC", "1500");
      const before = await healthOf(account);
      const lighter = { ...collateral(), initialWeightWad: wad("0.6"), maintenanceWeightWad: wad("0.72") };
      const told = await eventsOf(() => vault.setCollateralParameters(weth(), lighter));
      const { word, discount } = await vault.collateralAt(0);
      const { from, to, clock } = await vault.collateralRamp(weth());
      const token = weth();
      expect(told).to.deep.equal([
        { name: "CollateralParametersSet", token, collateralIndex: 0n, collateral: word, discount },
        { name: "CollateralRampSet", token, from, to, clock },
      ]);
      expect([from, to].map((each) => decodeCollateral(each).weightMaintenanceWad)).to.deep.equal([
        wad("0.9"),
        wad("0.72"),
      ]);
      const { equityMaintenanceWad, healthWad, equityInitialWad } = await healthOf(account);
      expect([equityMaintenanceWad, healthWad]).to.deep.equal([before.equityMaintenanceWad, before.healthWad]);
      expect(equityInitialWad).to.equal(before.equityInitialWad - wad("500"));
      for (let step = 1n; step <= BigInt(steps); step += 1n) {
        await world.passTime(hour);
        await mined(anybody.rampCollateral(weth()));
        expect(await weightOf()).to.equal(wad("0.9") - ((180_000n * step) / 72n) * 10n ** 12n);
      }
      expect(decodeCollateral((await vault.collateralAt(0)).word)).to.include({
        weightInitialWad: wad("0.6"),
        held: wad("10"),
        decimals: 18,
      });
      expect([...(await vault.collateralRamp(weth()))]).to.deep.equal([0n, 0n, 0n]);
      await expectRevert(() => anybody.rampCollateral(weth()), "NothingToRamp", { secondsLeft: 0n });
      const unknown = owner.address;
      await expectRevert(() => anybody.rampCollateral(unknown), "UnknownToken", { token: unknown });
    });

    it("count what is deposited and withdrawn on the way", async () => {
      const account = await world.fund(owner, { WETH: "10" });
      const lighter = { ...collateral(), initialWeightWad: wad("0.6"), maintenanceWeightWad: wad("0.72") };
      await mined(vault.setCollateralParameters(weth(), lighter));
      await (await world.as(owner)).withdraw(account, "WETH", "3");
      await world.passTime(hour);
      await mined(anybody.rampCollateral(weth()));
      expect(decodeCollateral((await vault.collateralAt(0)).word)).to.include({
        held: wad("7"),
        weightMaintenanceWad: wad("0.8975"),
      });
    });

    it("need no steps where nobody holds any, nor where the weight rises", async () => {
      const lighter = { ...collateral(), initialWeightWad: wad("0.6"), maintenanceWeightWad: wad("0.72") };
      await mined(vault.setCollateralParameters(weth(), lighter));
      expect(await weightOf()).to.equal(wad("0.72"));
      await world.fund(owner, { WETH: "10" });
      await mined(vault.setCollateralParameters(weth(), collateral()));
      expect(await weightOf()).to.equal(wad("0.9"));
      expect([...(await vault.collateralRamp(weth()))]).to.deep.equal([0n, 0n, 0n]);
    });

    it("end where the weight is set back", async () => {
      await world.fund(owner, { WETH: "10" });
      const lighter = { ...collateral(), initialWeightWad: wad("0.6"), maintenanceWeightWad: wad("0.72") };
      await mined(vault.setCollateralParameters(weth(), lighter));
      const told = await eventsOf(() => vault.setCollateralParameters(weth(), collateral()));
      const none = { from: 0n, to: 0n, clock: 0n };
      expect(told.at(-1)).to.deep.equal({ name: "CollateralRampSet", token: weth(), ...none });
    });

    it("hold the bounds by what counts at once as by what is to come", async () => {
      await world.fund(owner, { WETH: "10" });
      const refused = (change: Partial<ReturnType<typeof collateral>>, rule: string) =>
        expectRevert(
          () => vault.setCollateralParameters(weth(), { ...collateral(), ...change }),
          "ParameterOutOfBounds",
          {
            rule,
          },
        );
      const lighter = { initialWeightWad: wad("0.6"), maintenanceWeightWad: wad("0.72") };
      await refused({ ...lighter, discountCapWad: wad("0.1") }, "maintenanceWeight + discountCap < 100%");
      await refused({ ...lighter, initialWeightWad: wad("0.8") }, "initialWeight <= maintenanceWeight");
    });
  });

  describe("of all accounts", () => {
    const accountRisk = async () => decodeAccountRisk(await vault.accountRisk());
    const tighterAccounts = () => ({
      ...accounts(),
      debtMarginWad: wad("0.086"),
      absorbHealthWad: wad("0.572"),
      keeperFloorWad: wad("74"),
      minimumDebtWad: wad("20"),
    });

    it("raise debt margin, absorb health and keeper floor by a seventy-second an hour, and the rest at once", async () => {
      const account = await world.fund(owner, { WETH: "10" });
      await (await world.as(owner)).withdraw(account, "USDC", "1500");
      const before = await healthOf(account);
      const start = await accountRisk();
      const told = await eventsOf(() => vault.setAccountParameters(tighterAccounts()));
      const { from, to, clock } = await vault.accountRamp();
      expect(told.map(({ name }) => name)).to.deep.equal([
        "AccountParametersSet",
        "RewardBudgetChanged",
        "CapitalChanged",
        "AccountRampSet",
      ]);
      expect(told.at(-1)).to.deep.equal({ name: "AccountRampSet", from, to, clock });
      expect(await healthOf(account)).to.deep.equal(before);
      expect(await accountRisk()).to.deep.equal({ ...start, minimumDebtWad: wad("20") });
      for (let step = 1n; step <= BigInt(steps); step += 1n) {
        await world.passTime(hour);
        await mined(anybody.rampAccounts());
        expect(await accountRisk()).to.deep.equal({
          ...start,
          minimumDebtWad: wad("20"),
          debtMarginWad: wad("0.05") + 500n * 10n ** 12n * step,
          absorbHealthWad: wad("0.5") + 1000n * 10n ** 12n * step,
          keeperFloorWad: wad("2") + wad("1") * step,
        });
      }
      expect([...(await vault.accountRamp())]).to.deep.equal([0n, 0n, 0n]);
      await expectRevert(() => anybody.rampAccounts(), "NothingToRamp", { secondsLeft: 0n });
    });

    it("loosen at once, and end with it", async () => {
      await mined(vault.setAccountParameters(tighterAccounts()));
      const looser = {
        ...accounts(),
        debtMarginWad: wad("0.01"),
        keeperFloorWad: wad("2"),
        absorbHealthWad: wad("0.4"),
      };
      const told = await eventsOf(() => vault.setAccountParameters(looser));
      expect(told.at(-1)).to.deep.equal({ name: "AccountRampSet", from: 0n, to: 0n, clock: 0n });
      expect(await accountRisk()).to.include({ debtMarginWad: wad("0.01"), absorbHealthWad: wad("0.4") });
    });

    it("count at once before anything is listed", async () => {
      const alone = await hre.network.create();
      const deployment = await deployBallast(alone, { ...world.parameters, markets: [], collaterals: [] });
      const [admin] = await alone.ethers.getSigners();
      const { vault: empty } = await Ballast.connect(admin!, deployment);
      expect(await empty.totals()).to.deep.include(0n);
      await mined(empty.setAccountParameters(tighterAccounts()));
      expect(decodeAccountRisk(await empty.accountRisk())).to.include({
        debtMarginWad: wad("0.086"),
        absorbHealthWad: wad("0.572"),
        keeperFloorWad: wad("74"),
      });
      expect([...(await empty.accountRamp())]).to.deep.equal([0n, 0n, 0n]);
    });

    it("hold the bounds by what counts at once as by what is to come", async () => {
      await expectRevert(
        () => vault.setAccountParameters({ ...tighterAccounts(), absorbRewardFloorWad: wad("3") }),
        "ParameterOutOfBounds",
        { rule: "keeperFloor >= absorbRewardFloor" },
      );
      await expectRevert(
        () => vault.setAccountParameters({ ...accounts(), debtMarginWad: wad("0.6") }),
        "ParameterOutOfBounds",
        { rule: "debtMargin <= 50%" },
      );
    });
  });

  it("are in the log, word for word, while they run and when they are over (INV-03)", async () => {
    enter(await deployWorld(await hre.network.create(), (given) => roundFigures(given)));
    await world.fund(owner, { WETH: "1" });
    await open();
    await mined(vault.setMarketParameters(ETH, tighter()));
    await mined(vault.setCollateralParameters(weth(), { ...collateral(), maintenanceWeightWad: wad("0.88") }));
    await mined(vault.setAccountParameters({ ...accounts(), keeperFloorWad: wad("3") }));
    for (let step = 0; step < 2; step += 1) {
      await world.connection.networkHelpers.time.increase(600);
      await mined(anybody.rampMarket(ETH));
      await mined(anybody.rampCollateral(weth()));
      await mined(anybody.rampAccounts());
    }
    await mined(vault.setMarketParameters(ETH, market()));
    await mined(vault.setAccountParameters(accounts()));
    const { provider } = world.connection;
    const history = await readHistory((method, params) => provider.request({ method, params }), world.deployment);
    expect(disagreements(history)).to.deep.equal([]);
  });

  /** What a market's word tells of these parameters. */
  function riskWith(p: ReturnType<typeof market>): ReturnType<typeof decodeMarketRisk> {
    return {
      initialBaseWad: p.initialBaseWad,
      maintenanceBaseWad: p.maintenanceBaseWad,
      profitWeightWad: p.profitWeightWad,
      lambdaInitialWad: p.lambdaInitialWad,
      lambdaMaintenanceWad: p.lambdaMaintenanceWad,
      openInterestSlopeWad: p.openInterestSlopeWad,
      skewScaleWad: p.skewScaleWad,
    };
  }
});
