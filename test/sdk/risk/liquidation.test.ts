import { expect } from "chai";
import hre from "hardhat";

import type { Connection } from "../../../ignition/deploy.js";
import type { AccountId } from "../../../sdk/index.js";
import {
  type ForcedLeg,
  costBound,
  discountDown,
  emptyForcedLeg,
  impactUp,
  offeredDown,
  remainderDown,
} from "../../../sdk/risk/libraries/Liquidation.js";
import { toDiscountTerms } from "../../../sdk/risk/types/MarketWords.js";
import { abs } from "../../helpers/model.js";
import { type LossChanges, type Stage, deployStage } from "../../helpers/stage.js";
import { type Signer, wad } from "../../helpers/world.js";
import { type Act, type Outcome, actTwice, previewTwice } from "./twin.js";

const BTC = 0n;
const ETH = 1n;
const everything = 2n ** 255n;

describe("sdk/risk/libraries/Liquidation", () => {
  /** Ten units at 100 with a requirement of 100 and an equity of 90; no impact, no tier (Drift's worked example). */
  const leg = (changes: Partial<ForcedLeg> = {}): ForcedLeg => ({
    ...emptyForcedLeg(),
    notional: wad("1000"),
    base: wad("0.1"),
    depth: 10n ** 48n,
    equity: wad("90"),
    netCash: wad("1000"),
    target: wad("1"),
    ...changes,
  });
  const near = (actual: bigint, expected: bigint) =>
    expect(abs(actual - expected) <= expected / 10n ** 9n, `${actual} for ${expected}`).to.equal(true);

  const owing = { debtMargin: wad("0.2"), netCash: wad("-50") };
  const tiered = { atPrice: true, depth: wad("100000"), lambda: wad("1") };
  const closings: [name: string, changes: Partial<ForcedLeg>, fee: string, closed: string][] = [
    ["what the shortage asks for without a fee", {}, "0", "100"],
    ["more with a fee", {}, "0.01", "111.1111111111111111"],
    ["more with a higher fee", {}, "0.02", "125"],
    ["what impact costs besides", { depth: wad("100000") }, "0", "101.020514433643803"],
    ["what debt margin asks for", owing, "0.01", "227.272727272727272727"],
    ["what a debt that begins on the way asks for", { ...owing, netCash: wad("1") }, "0.01", "111.363636363636363636"],
    ["no more for a debt that would begin later", { ...owing, netCash: wad("2") }, "0.01", "111.111111111111111111"],
    ["less where closing earns", { gradient: wad("-0.01") }, "0.01", "100"],
    [
      "at the price, whatever the skew",
      { atPrice: true, depth: wad("100000"), gradient: wad("0.05") },
      "0.01",
      "111.1111111111111111",
    ],
    ["at the price, what the tier asks for", tiered, "0", "169.048105154699529126"],
    ["at the price, what the tier asks for with a fee", tiered, "0.01", "184.927093632675296001"],
    ["all where the rest of the account is too much", { otherRequirement: wad("90") }, "0", "1000"],
    ["all where equity is gone", { equity: 0n }, "0", "1000"],
    ["nothing of an account above its target", { equity: wad("150") }, "0.01", "0"],
  ];
  for (const [name, changes, fee, closed] of closings) {
    it(`closes ${name}`, () => {
      const forced = leg(changes);
      near(forced.notional - remainderDown(forced, wad(fee)), wad(closed));
    });
  }

  it("offers what grows as health falls, up to a cap, and at most what health can bear", () => {
    const terms = toDiscountTerms(wad("0.01"), wad("0.1"), wad("0.03"));
    const offers = ["1", "0.9", "0.8", "0.75", "0"].map((health) => offeredDown(wad(health), terms));
    expect(offers).to.deep.equal(["0.01", "0.02", "0.03", "0.03", "0.03"].map(wad));
    expect(offeredDown(wad("0.9") + 1n, terms), "rounded down").to.equal(wad("0.02") - 1n);
    expect(discountDown(wad("0.33"), terms, wad("0.05"), wad("0.1"))).to.equal(wad("0.015"));
    expect(discountDown(0n, terms, wad("0.05"), wad("0.1"))).to.equal(0n);
    expect(costBound(wad("1"), wad("0.05"), wad("0.3")), "rounded down").to.equal(38461538461538461n);
  });

  it("rounds impact up and keeps its sign", () => {
    expect(impactUp(leg({ depth: wad("3"), gradient: wad("-0.5") }), wad("1"))).to.equal(-166666666666666666n);
    expect(impactUp(leg({ depth: wad("3"), gradient: wad("0.5") }), wad("1"))).to.equal(833333333333333334n);
  });
});

// The twin does each act on the chain's storage before the chain does.
describe("sdk/risk: the waterfall's twin", () => {
  let connection: Connection;
  let at: Stage;

  before(async () => {
    connection = await hre.network.create();
  });

  const usual = () => deployStage(connection, { cash: { rateAtZero: "0.1", rateAtKink: "0.1", rateAtFull: "0.5" } });
  beforeEach(async () => {
    at = await connection.networkHelpers.loadFixture(usual);
  });

  const enter = async (changes: LossChanges, poolDeposit?: string) => {
    at = await deployStage(await hre.network.create(), changes, poolDeposit);
  };
  const signer = (who: number) => at.world.signers[who] as Signer;
  const act = (name: Act, args: readonly unknown[], caller: Signer = at.keeper) =>
    actTwice(at.world, caller, name, args);
  const names = ({ events }: Outcome) => events.map(({ name }) => name);
  const argsOf = ({ events }: Outcome, name: string) => events.find((event) => event.name === name)?.args;

  /** A long of 10 ETH a little below maintenance. */
  async function poor(): Promise<AccountId> {
    const account = await at.open(0, "200", { ETH: "10" });
    await at.world.push({ ETH: "185.5" });
    return account;
  }

  it("closes a part of a position into the pool", async () => {
    const account = await poor();
    expect(await previewTwice(at.world, "previewAbsorb", [account])).to.include({ open: false });
    const preview = await previewTwice(at.world, "previewLiquidation", [account, ETH, everything, at.pool]);
    expect(preview).to.include({ refusal: 0n });
    expect(await previewTwice(at.world, "previewLiquidation", [account, BTC, 1n, at.pool])).to.include({ refusal: 1n });
    const outcome = await act("liquidatePosition", [account, ETH, everything, at.pool]);
    expect(names(outcome)).to.include("PositionLiquidated");
    expect((await at.size(account, "ETH")) > 0n, "not the whole of it").to.equal(true);
  });

  it("hands a part of a position over to an account", async () => {
    const account = await poor();
    const taker = await at.open(1, "5000", {});
    const outcome = await act("liquidatePosition", [account, ETH, everything, taker], signer(1));
    expect(argsOf(outcome, "PositionLiquidated")).to.include({ account, taker });
  });

  it("closes a part of a position against an account on the other side", async () => {
    const account = await poor();
    const taker = await at.open(1, "5000", { ETH: "-20" });
    const outcome = await act("liquidatePosition", [account, ETH, everything, taker], signer(1));
    expect(argsOf(outcome, "PositionLiquidated")).to.include({ account, taker });
    expect(names(outcome)).to.include("MarketChanged");
  });

  it("refuses as the chain does", async () => {
    const account = await at.open(0, "200", { ETH: "10" });
    const errorOf = async (name: Act, args: readonly unknown[], caller?: Signer) =>
      (await act(name, args, caller)).error?.name;
    expect(await errorOf("liquidatePosition", [account, ETH, everything, at.pool])).to.equal("AccountHealthy");
    expect(await errorOf("liquidatePosition", [account, ETH, 0n, at.pool])).to.equal("ZeroAmount");
    expect(await errorOf("liquidatePosition", [at.insurance, ETH, 1n, at.pool])).to.equal("NotATarget");
    expect(await errorOf("absorb", [[account], account])).to.equal("RewardToTarget");
    expect(await errorOf("absorb", [[account], at.keeperAccount])).to.equal("NothingToAbsorb");
    expect(await errorOf("resolvePool", [])).to.equal("PoolSolvent");
    await at.world.push({ ETH: "185.5" });
    expect(await errorOf("liquidatePosition", [account, BTC, everything, at.pool])).to.equal("LegRefused");
    const taker = await at.open(1, "5", {});
    expect(await errorOf("liquidatePosition", [account, ETH, everything, taker], signer(1))).to.equal(
      "InsufficientMargin",
    );
    const small = await at.open(0, "3.05", { ETH: "0.1" }, 1);
    await at.world.push({ ETH: "180.5" });
    const refused = await act("liquidatePosition", [small, ETH, wad("0.06"), at.pool]);
    expect(refused.error?.args).to.deep.equal({ account: small, market: ETH, refusal: 6n });
    const poorest = await act("liquidatePosition", [account, ETH, everything, at.pool]);
    expect(poorest.error?.args).to.deep.equal({ account, market: ETH, refusal: 3n });
  });

  it("sells collateral of a borrower, and later what the pool absorbed", async () => {
    const account = await at.world.fund(signer(0), { WETH: "10" });
    await at.withdraw(account, 1_300_000_000n);
    const taker = await at.open(1, "5000", {});
    await at.world.passTime(86_400 * 30);
    await at.world.push({ ETH: "150" });
    const weth = at.world.deployment.collaterals.find(({ symbol }) => symbol === "WETH")?.address;
    const sold = await act("liquidateCollateral", [account, weth, wad("0.5"), taker], signer(1));
    expect(names(sold)).to.include("CollateralLiquidated");
    await at.world.push({ ETH: "120" });
    const absorbed = await act("absorb", [[account], at.keeperAccount]);
    expect(names(absorbed)).to.include("CollateralAbsorbed");
    await at.world.passTime(1000);
    await at.world.push({ ETH: "121" });
    const cost = await previewTwice(at.world, "previewBuyCollateral", [weth, wad("3")]);
    expect(cost).to.satisfy((costWad: bigint) => costWad > wad("362") && costWad < wad("364"));
    const bought = await act("buyCollateral", [taker, weth, wad("3"), wad("1000")], signer(1));
    expect(names(bought)).to.include("PoolCollateralSold");
    const short = await act("buyCollateral", [taker, weth, wad("3"), wad("10")], signer(1));
    expect(short.error?.name).to.equal("CostAboveLimit");
  });

  it("absorbs in way A: the pool takes the positions, and a batch skips who is healthy", async () => {
    const account = await at.open(0, "300", { ETH: "10", BTC: "-0.4" });
    const healthy = await at.open(1, "1000", { ETH: "-1" });
    await at.world.push({ ETH: "196", BTC: "8450" });
    const outcome = await act("absorb", [[healthy, account], at.keeperAccount]);
    expect(argsOf(outcome, "Absorbed")).to.include({ account, deleveraged: false });
    expect(names(outcome).filter((name) => name === "PositionAbsorbed").length).to.equal(2);
  });

  it("absorbs in way A what the pool has margin for, and closes the rest against the other side", async () => {
    await enter({}, "100000");
    const account = await at.open(0, "300", { ETH: "10", BTC: "-0.4" });
    await at.open(1, "1000000", { ETH: "-4690" });
    await at.world.push({ ETH: "184", BTC: "8200" });
    const outcome = await act("absorb", [[account], at.keeperAccount]);
    expect(argsOf(outcome, "Absorbed")).to.include({ account, deleveraged: false });
    expect(names(outcome)).to.include.members(["PositionAbsorbed", "PositionDeleveraged"]);
  });

  it("absorbs in way B: insurance, the pool, the other side and suppliers bear a loss in turn", async () => {
    await at.open(1, "3000", { ETH: "-25" });
    await at.open(2, "3000", {});
    const account = await at.open(0, "300", { ETH: "20", LINK: "10" });
    await at.world.push({ ETH: "110" });
    const outcome = await act("absorb", [[account], at.pool]);
    expect(argsOf(outcome, "Absorbed")).to.include({ account, deleveraged: true });
    expect(names(outcome)).to.include.members(["InsurancePaid", "PoolPaid", "Deleveraged", "LossWrittenOff"]);
    const again = await at.open(3, "300", { ETH: "20" });
    await at.world.push({ ETH: "80" });
    expect(argsOf(await act("absorb", [[again], at.keeperAccount]), "Absorbed")).to.include({ account: again });
  });

  it("ends an epoch where the whole other side is closed, and takes what is of the old one", async () => {
    const winner = await at.open(1, "3000", { ETH: "-10", BTC: "1" });
    const account = await at.open(0, "200", { ETH: "10" });
    await at.world.push({ ETH: "150" });
    const ending = await act("absorb", [[account], at.keeperAccount]);
    expect(argsOf(ending, "EpochEnded")).to.include({ market: ETH, long: false });
    await at.world.push({ BTC: "4500" });
    const outcome = await act("absorb", [[winner], at.keeperAccount]);
    expect(argsOf(outcome, "Absorbed")).to.include({ account: winner });
    expect(names(outcome).filter((name) => name === "PositionChanged").length).to.equal(2);
  });

  it("resolves a pool below zero", async () => {
    await enter({ vault: { insuranceSeed: "50" }, cash: { writeOffPerHour: "0.005" } }, "10000");
    await at.open(1, "6000", { ETH: "-400" });
    await at.open(2, "5000", { BTC: "0.1" });
    await at.world.push({ ETH: "165" });
    const outcome = await act("resolvePool", []);
    expect(names(outcome)).to.include.members(["PoolResolved", "Deleveraged", "LossWrittenOff"]);
  });

  it("lets a loss of the pool without a price wait", async () => {
    await enter({ vault: { insuranceSeed: "50" }, cash: { writeOffPerHour: "0.005" } }, "10000");
    await at.open(1, "6000", { ETH: "-400" });
    await at.open(2, "5000", { BTC: "-1" });
    await at.world.push({ ETH: "165", BTC: "7000" });
    await at.kill(1);
    await at.world.push({ BTC: "7000" });
    expect((await act("resolvePool", [])).error?.name).to.equal("PoolSolvent");
    await at.kill(0);
    await at.world.push({ ETH: "165" });
    const outcome = await act("resolvePool", []);
    expect(names(outcome).filter((name) => name === "PositionDeleveraged").length).to.equal(1);
    expect((await act("resolvePool", [])).error?.name).to.equal("PoolSolvent");
  });
});
