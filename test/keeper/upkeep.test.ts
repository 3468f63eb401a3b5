import { expect } from "chai";
import type { Signer as EthersSigner } from "ethers";
import hre from "hardhat";

import type { DeploymentParameters } from "../../deployments/schema.js";
import { accountParameters, collateralParameters, marketParameters } from "../../ignition/deploy.js";
import type { TurnReport } from "../../keeper/index.js";
import { type AccountId, accountId, decodeRampClock } from "../../sdk/index.js";
import { type LogLine, intercept } from "../helpers/keeper.js";
import { type Signer, type World, deployWorld, wad } from "../helpers/world.js";
import { keeperIn, sceneIn, told } from "./scene.js";

const day = 86_400;

interface Scene {
  readonly world: World;
  readonly lines: LogLine[];
  turn(): Promise<TurnReport>;
}

type Part<K extends keyof DeploymentParameters> = Partial<DeploymentParameters[K]>;

/** A world with next to no insurance, a pool with so much, and a keeper whose first turn is done. */
async function scene(
  poolDeposit: string,
  { vault, cash }: { readonly vault?: Part<"vault">; readonly cash?: Part<"cash"> } = {},
  wrap: (signer: Signer) => EthersSigner = (signer) => signer,
): Promise<Scene> {
  const frail = (parameters: DeploymentParameters): DeploymentParameters => ({
    ...parameters,
    markets: parameters.markets.map((market) => ({ ...market, maxFundingVelocityPerDay2: "0" })),
    vault: { ...parameters.vault, insuranceSeed: "10", ...vault },
    cash: { ...parameters.cash, ...cash },
  });
  const world = await deployWorld(await hre.network.create(), frail, poolDeposit);
  return sceneIn(world, { signer: wrap });
}

async function enter(world: World, owner: number, cash: string, market: string, size: string): Promise<AccountId> {
  const signer = world.signers[owner]!;
  const account = await world.fund(signer, { USDC: cash });
  await (await world.as(signer)).trade(account, market, size);
  return account;
}

const poolEquity = async ({ ballast }: World) => (await ballast.health(ballast.poolAccount)).equityMaintenanceWad;
const isLiquidatable = async ({ ballast }: World, account: AccountId) => (await ballast.health(account)).isLiquidatable;

describe("keeper, for the vault as a whole", () => {
  it("resolves a pool below zero, though no account is at risk", async () => {
    const { world, turn, lines } = await scene("20000", { vault: { insuranceSeed: "100000" } });
    await enter(world, 0, "200000", "BTC", "20");
    await turn();
    await world.push({ BTC: "9200" }); // 20 of them by 1,200
    expect((await poolEquity(world)) < 0n).to.equal(true);
    expect(await turn(), "and whom it was closed against is settled").to.include({ atRisk: 0, chores: 2 });
    expect((await poolEquity(world)) >= 0n).to.equal(true);
    expect(told(lines, "pool resolved")).to.have.length(1);
    expect(await turn()).to.include({ chores: 0 });
  });

  it("leaves a pool below zero that waits for the price of a position, and resolves it once that is back", async () => {
    const { world, turn, lines } = await scene("20000", { vault: { insuranceSeed: "100000" } });
    await enter(world, 0, "200000", "BTC", "20");
    const { oracle } = world.ballast;
    await turn();
    await world.push({ BTC: "9200" });
    await (await oracle.setPushFeed(0, wad("0.001"), 60)).wait();
    await world.passTime(61);
    expect((await poolEquity(world)) < 0n).to.equal(true);
    expect(await turn()).to.include({ chores: 0 });
    await world.passTime(61);
    expect(await turn()).to.include({ chores: 0 });
    expect(told(lines, "failed")).to.deep.equal([]);
    expect(told(lines, "left for later")[0]).to.include({ chore: "resolvePool", reason: "waits" });
    await world.push({ BTC: "9200" });
    expect(await turn()).to.include({ chores: 2 });
    expect((await poolEquity(world)) >= 0n).to.equal(true);
    expect(told(lines, "pool resolved")).to.have.length(1);
  });

  it("reads everybody again where resolving the pool took from all who have cash, in the same turn", async () => {
    const { world, turn } = await scene("20000");
    await enter(world, 0, "200000", "BTC", "20");
    const bystander = await enter(world, 1, "1000", "ETH", "80");
    await world.push({ ETH: "195" }); // leaves it 600 of equity over 468 of margin
    expect(await turn()).to.include({ atRisk: 0, chores: 0 });
    await world.push({ BTC: "12000" });
    const before = await world.ballast.cashOf(bystander);
    const { atRisk, absorbed, chores, failed } = await turn();
    expect(await world.ballast.cashOf(bystander)).to.be.below(before - wad("150"));
    // A pool that has nothing left takes no leg.
    expect({ atRisk, absorbed, chores, failed }).to.deep.equal({ atRisk: 1, absorbed: 1, chores: 2, failed: [] });
    expect(await isLiquidatable(world, bystander)).to.equal(false);
  });

  it("reads everybody again where an absorb took from all who have cash, in the same turn", async () => {
    const { world, turn } = await scene("100000", { cash: { poolLossPerHour: "0" } });
    await enter(world, 0, "5000", "BTC", "10");
    const bystander = await enter(world, 1, "1000", "ETH", "80");
    await world.push({ ETH: "195" });
    await turn();
    await world.push({ BTC: "4000" });
    const { atRisk, absorbed, liquidations, failed } = await turn();
    expect({ atRisk, absorbed, liquidations, failed }).to.deep.equal({
      atRisk: 2,
      absorbed: 1,
      liquidations: 1,
      failed: [],
    });
    expect(await isLiquidatable(world, bystander)).to.equal(false);
  });

  it("reads everybody again where somebody else's absorb took from all who have cash", async () => {
    const { world, turn } = await scene("100000", { cash: { poolLossPerHour: "0" } });
    const doomed = await enter(world, 0, "5000", "BTC", "10");
    const bystander = await enter(world, 1, "1000", "ETH", "80");
    await world.push({ ETH: "195" });
    await turn();
    await world.push({ BTC: "4000" });
    await world.ballast.absorb([doomed]);
    expect(await isLiquidatable(world, bystander)).to.equal(true);
    expect(await turn()).to.include({ atRisk: 1, liquidations: 1 });
  });

  it("lets insurance cover bad debt as soon as it has something to pay with", async () => {
    const { world, turn, lines } = await scene("100000", { cash: { poolLossPerHour: "0", writeOffPerHour: "0" } });
    await enter(world, 0, "5000", "BTC", "10");
    await world.push({ BTC: "4000" });
    await turn();
    const { badDebtWad } = await world.ballast.vault.cashView();
    expect(badDebtWad > wad("30000")).to.equal(true);
    await world.passTime(61);
    expect(await turn()).to.include({ chores: 0 });

    await world.mint("USDC", world.admin.address, "500");
    await world.ballast.deposit(accountId(world.deployment.vault), "USDC", "500");
    await world.passTime(61);
    expect(await turn()).to.include({ chores: 1 });
    const covered = badDebtWad - (await world.ballast.vault.cashView()).badDebtWad;
    expect(covered).to.be.within(wad("500"), wad("510"));
    expect(told(lines, "bad debt covered")).to.have.length(1);
  });

  it("settles what the end of an epoch left without size, and looks no more at what has one", async () => {
    const { world, turn, lines } = await scene("100000", { vault: { insuranceSeed: "100000" } });
    await enter(world, 0, "5000", "BTC", "10");
    const winner = await enter(world, 1, "50000", "BTC", "-10");
    await turn();
    await world.push({ BTC: "4000" });
    expect(await turn()).to.include({ absorbed: 1, chores: 1 });
    expect((await world.ballast.state(winner)).assets).to.equal(0n);
    expect(await world.ballast.cashOf(winner)).to.be.closeTo(wad("90000"), wad("200"));
    expect(told(lines, "settled")[0]).to.include({ account: winner, market: 0 });
    await world.passTime(61);
    expect(await turn()).to.include({ chores: 0 });
  });

  it("delists a market when its time has come, and settles what everybody had in it", async () => {
    const { world, turn, lines } = await scene("100000");
    const accounts = [await enter(world, 0, "5000", "ETH", "10"), await enter(world, 1, "5000", "ETH", "-4")];
    const now = await world.connection.networkHelpers.time.latest();
    await (await world.ballast.vault.announceDelisting(1, now + day + 100, wad("180"))).wait();
    await world.passTime(day);
    expect(await turn()).to.include({ chores: 0 });
    await world.passTime(100);
    await world.refresh(); // late prices wait: only a feed that is dead for a day does not
    expect(await turn()).to.include({ chores: 3 });
    expect(told(lines, "delisted")[0]).to.include({ market: 1 });
    for (const account of accounts) expect((await world.ballast.state(account)).assets).to.equal(0n);
    await world.passTime(61);
    expect(await turn()).to.include({ chores: 0 });
    expect(told(lines, "failed")).to.deep.equal([]);
  });

  describe("while parameters tighten by steps", () => {
    const hour = 3_600;
    /** A scene with a position and a collateral, in which all that can tighten is to. */
    async function tightening(maxPriceAge = 30 * day, wrap?: (signer: Signer) => EthersSigner) {
      const here = await scene("100000", { vault: { maxPriceAgeSeconds: String(maxPriceAge) } }, wrap);
      const { world } = here;
      const { vault } = world.ballast;
      const account = await enter(world, 0, "300", "ETH", "10");
      const pledge = await world.fund(world.signers[1]!, { WETH: "1" });
      const [weth] = world.parameters.collaterals;
      const { address } = world.deployment.collaterals[0]!;
      const market = { ...marketParameters(world.parameters.markets[1]!), maintenanceBaseWad: wad("0.045") };
      const collateral = { ...collateralParameters(weth!), maintenanceWeightWad: wad("0.88") };
      await (await vault.setMarketParameters(1, market)).wait();
      await (await vault.setCollateralParameters(address, collateral)).wait();
      const accounts = { ...accountParameters(world.parameters), keeperFloorWad: wad("3") };
      await (await vault.setAccountParameters(accounts)).wait();
      const left = async () =>
        [
          (await vault.marketRamp(1)).clock,
          (await vault.collateralRamp(address)).clock,
          (await vault.accountRamp()).clock,
        ]
          .map(decodeRampClock)
          .map(({ secondsLeft }) => secondsLeft);
      return { ...here, account, pledge, address, left };
    }

    it("takes a step of each an hour, until there is nothing more to come", async () => {
      const { world, turn, lines, left, address } = await tightening();
      expect(await turn()).to.include({ chores: 0 });
      await world.passTime(hour - 10);
      expect(await turn()).to.include({ chores: 0 });
      await world.passTime(10);
      expect(await turn()).to.include({ chores: 3 });
      expect(await left()).to.deep.equal([71 * hour, 71 * hour, 71 * hour]);
      expect(told(lines, "market tightened by a step")[0]).to.include({ market: 1 });
      expect(told(lines, "collateral tightened by a step")[0]).to.include({ token: address.toLowerCase() });
      expect(told(lines, "accounts tightened by a step")).to.have.length(1);
      expect(await turn()).to.include({ chores: 0 });
      for (let step = 2; step <= 72; step += 1) {
        await world.passTime(hour);
        expect(await turn(), String(step)).to.include({ chores: 3 });
      }
      expect(await left()).to.deep.equal([0, 0, 0]);
      await world.passTime(hour);
      expect(await turn()).to.include({ chores: 0 });
      expect(told(lines, "failed")).to.deep.equal([]);
    });

    it("sends no step that the contract would refuse, and takes it as soon as it can be taken", async () => {
      const { world, turn, lines, left } = await tightening(2 * hour);
      await world.passTime(2 * hour); // now no price is fresh
      await turn();
      expect(await left()).to.deep.equal([72 * hour, 71 * hour, 71 * hour]);
      expect(told(lines, "failed")).to.deep.equal([]);
      expect(told(lines, "left for later")[0]).to.include({
        chore: "rampMarket",
        reason: "refused",
        error: "PriceStale",
      });
      await world.push({ ETH: "200" });
      await turn();
      expect(await left()).to.deep.equal([71 * hour, 71 * hour, 71 * hour]);
    });

    it("leaves a market that is delisted meanwhile", async () => {
      const { world, turn, lines, left } = await tightening();
      const now = await world.connection.networkHelpers.time.latest();
      await (await world.ballast.vault.announceDelisting(1, now + day + 100, 0n)).wait();
      await world.passTime(day + 100);
      await turn();
      expect(told(lines, "delisted")).to.have.length(1);
      const [market] = await left();
      for (let turns = 0; turns < 3; turns += 1) {
        await world.passTime(hour);
        await turn();
      }
      expect((await left())[0]).to.equal(market);
      expect(told(lines, "failed")).to.deep.equal([]);
    });
  });

  it("tries again in the next turn what it could not do, without a new price", async () => {
    let isBroke = false;
    const { world, turn, lines } = await scene("20000", { vault: { insuranceSeed: "100000" } }, (signer) =>
      intercept<EthersSigner>(signer, {
        sendTransaction(transaction) {
          if (!isBroke) return signer.sendTransaction(transaction);
          return Promise.reject(Object.assign(new Error("no ether"), { code: "INSUFFICIENT_FUNDS" }));
        },
      }),
    );
    await enter(world, 0, "200000", "BTC", "20");
    await turn();
    await world.push({ BTC: "9200" });
    isBroke = true;
    expect(await turn()).to.include({ chores: 0 });
    expect(told(lines, "failed")[0]).to.include({
      action: "upkeep",
      chore: "resolvePool",
      reason: "INSUFFICIENT_FUNDS",
    });
    isBroke = false;
    expect(await turn()).to.include({ chores: 2 });
  });

  it("sends nothing again that is under way", async () => {
    const world = await deployWorld(await hre.network.create(), undefined, "20000");
    const sent: string[] = [];
    const { keeper } = await keeperIn(world, {
      hands: (hands) =>
        intercept(hands, {
          async execute(calls) {
            sent.push(...calls.map(({ story }) => String(story["chore"])));
            return calls.map((call) => ({ kind: "underWay", call, hash: "0x" }));
          },
        }),
    });
    await enter(world, 0, "200000", "BTC", "20");
    await world.push({ BTC: "9200" });
    for (let turns = 0; turns < 3; turns += 1) {
      await keeper.onBlock();
      await world.passTime(12);
    }
    expect(sent).to.deep.equal(["resolvePool"]);
    for (let block = 0; block < 16; block += 1) await world.passTime(1);
    await keeper.onBlock();
    expect(sent, "it may be lost").to.deep.equal(["resolvePool", "resolvePool"]);
  });

  it("notices a debt that grows by interest alone", async () => {
    const steep = { rateAtZero: "4", rateAtKink: "4", rateAtFull: "4" };
    const { world, turn } = await scene("100000", { cash: steep, vault: { maxPriceAgeSeconds: String(30 * day) } });
    const owner = world.signers[0]!;
    const account = await world.fund(owner, { WETH: "10" });
    await (await world.as(owner)).withdraw(account, "USDC", "1600");
    await world.push({ ETH: "187.6" }); // 0.9 of it are 1,688, over a debt of 1,600 with 5% of margin and the keeper's floor
    expect(await turn()).to.include({ checked: 1, atRisk: 0 });
    await world.passTime(50);
    expect(await turn()).to.include({ checked: 1, atRisk: 0 });
    await world.passTime(day); // 1.1% of interest
    expect(await turn()).to.include({ atRisk: 1 });
  });
});
