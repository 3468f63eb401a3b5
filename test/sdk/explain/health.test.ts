import { expect } from "chai";
import fc from "fast-check";
import hre from "hardhat";

import { readState } from "../../../sdk/client/readState.js";
import { type HealthItem, explainHealth, sumOf } from "../../../sdk/explain/health.js";
import { type AccountId, accountId } from "../../../sdk/index.js";
import * as MarginVault from "../../../sdk/risk/MarginVault.js";
import { type World, deployWorld, roundFigures, wad } from "../../helpers/world.js";
import { drawnParts, stateOf } from "./drawnState.js";

describe("sdk/explain: health", () => {
  it("has items that add up, to the wei, to the figures of the twin, in any state", () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(drawnParts, (parts) => {
        const { state, account } = stateOf(parts);
        const { items, health } = explainHealth(state, account);
        const { $, code } = state.at();
        expect(health).to.deep.equal(MarginVault.health($, code, account));
        const { equityMaintenanceWad, equityInitialWad, netCashWad } = health;
        const { requirementMaintenanceWad, requirementInitialWad } = health;
        expect(sumOf(items)).to.deep.equal({
          equityMaintenanceWad,
          equityInitialWad,
          netCashWad,
          requirementMaintenanceWad,
          requirementInitialWad,
        });
        for (const { kind } of items) seen.add(kind);
      }),
      { numRuns: 2000, seed: 1 },
    );
    expect(seen.size).to.equal(9);
  });

  it("does not add up without any one of its items", () => {
    fc.assert(
      fc.property(drawnParts, (parts) => {
        const { state, account } = stateOf(parts);
        const { items } = explainHealth(state, account);
        for (const left of items.filter(isSomething)) {
          expect(sumOf(items.filter((item) => item !== left))).not.to.deep.equal(sumOf(items));
        }
      }),
      { numRuns: 200, seed: 2 },
    );
  });

  it("tells of an account on a chain what the vault does, item by item", async () => {
    const world = await deployWorld(await hre.network.create(), roundFigures);
    const [owner] = world.signers;
    const account = await world.fund(owner!, { USDC: "1000", WETH: "2.5" });
    const client = await world.as(owner!);
    await client.trade(account, "ETH", "10");
    await client.trade(account, "BTC", "-0.1");
    await world.push({ ETH: "210", BTC: "8100" });
    await world.passTime(3600);

    const state = await read(world, [account]);
    const { health, items, timestamp } = explainHealth(state, account);
    const { healthWad, ...figures } = health;
    const chain = await world.ballast.vault.health(account);
    expect(healthWad).to.equal(chain.healthWad);
    expect({ ...figures }).to.deep.equal({
      equityMaintenanceWad: chain.equityMaintenanceWad,
      requirementMaintenanceWad: chain.requirementMaintenanceWad,
      equityInitialWad: chain.equityInitialWad,
      requirementInitialWad: chain.requirementInitialWad,
      netCashWad: chain.netCashWad,
      pricesFresh: chain.pricesFresh,
    });
    const { pricesFresh: _, ...sums } = figures;
    expect(sumOf(items)).to.deep.equal(sums);
    expect(timestamp).to.equal(BigInt(state.block.timestamp));
    expect(items.map(({ kind }) => kind)).to.deep.equal([
      "cash",
      "interest",
      "collateral",
      "profit",
      "funding",
      "profit",
      "funding",
      "uncountedGain",
      "positionMargin",
      "positionMargin",
      "keeperFloor",
    ]);
    const [, , weth, btc] = items;
    expect(weth).to.include({ kind: "collateral", amount: wad("2.5"), priceWad: wad("210"), valueWad: wad("525") });
    expect(btc).to.include({ kind: "profit", sizeWad: wad("-0.1"), priceWad: wad("8100"), market: 0 });
  });

  it("tells interest and funding since they were written last apart from what came before", async () => {
    const world = await deployWorld(await hre.network.create());
    const [owner] = world.signers;
    const account = await world.fund(owner!, { WETH: "100" });
    const client = await world.as(owner!);
    await client.trade(account, "ETH", "30");
    const traded = BigInt((await world.ballast.provider.getBlock("latest"))!.timestamp);
    const { items: atTheTrade } = explainHealth(await read(world, [account]), account);
    await client.withdraw(account, "USDC", "5000");
    const state = await read(world, [account]);
    const withdrawn = BigInt(state.block.timestamp);
    const later = withdrawn + 7200n;
    const atOnce = explainHealth(state, account).items;
    expect(only(atOnce, "interest")).to.include({ interestWad: 0n, accruedAt: withdrawn });
    expect(only(atTheTrade, "funding")).to.include({
      fundingWad: 0n,
      touchedAt: traded,
    });

    const { items } = explainHealth(state, account, later);
    expect(only(items, "cash")).to.deep.equal(only(atOnce, "cash"));
    expect(only(items, "profit")).to.deep.equal(only(atOnce, "profit"));
    expect(only(items, "interest")?.equityInitialWad).to.be.lessThan(0n);
    expect(only(items, "funding")?.equityInitialWad).to.be.lessThan(0n);
    await world.connection.networkHelpers.time.increaseTo(later);
    const { equityMaintenanceWad } = await world.ballast.vault.health(account);
    expect(sumOf(items).equityMaintenanceWad).to.equal(equityMaintenanceWad);
  });

  it("knows nothing of an account that has nothing", async () => {
    const { state } = stateOf(fc.sample(drawnParts, { numRuns: 1, seed: 3 })[0]!);
    const { items, health } = explainHealth(state, accountId(`0x${"c".repeat(40)}`));
    expect(items.filter(isSomething)).to.deep.equal([]);
    expect(health.equityInitialWad).to.equal(0n);
  });
});

function isSomething(item: HealthItem): boolean {
  return Object.values(sumOf([item])).some((figure: bigint) => figure !== 0n);
}

function only<K extends HealthItem["kind"]>(items: readonly HealthItem[], kind: K) {
  const found = items.filter((item) => item.kind === kind);
  expect(found.length).to.equal(1);
  return found[0];
}

function read({ ballast, deployment }: World, accounts: readonly AccountId[]): ReturnType<typeof readState> {
  return readState(ballast.provider, deployment, accounts);
}
