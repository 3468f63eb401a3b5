import { expect } from "chai";
import type { Signer as EthersSigner } from "ethers";

import { readTaker } from "../../keeper/decide/takerState.js";
import { type AccountId, accountId, contractInterfaces, marketsOf, readState } from "../../sdk/index.js";
import { intercept } from "../helpers/keeper.js";
import { type World, createWorld } from "../helpers/world.js";
import { type Between, type Scene, keeperIn, keeperIndex, quiet, sceneIn, told } from "./scene.js";

const WAD = 10n ** 18n;
const capitalIndex = 4;
/** At this price an account of `leveraged` is at 0.93 of its requirement. */
const atMarginCall = "7500";

interface TakerScene extends Scene {
  /** The account that holds the keeper's capital. */
  readonly taker: AccountId;
}

/** A world and a keeper in it with so much capital. */
async function scene(
  capital: string,
  policy = { inventoryPercent: 200, giveBackPercent: 100 },
  between: Between = {},
): Promise<TakerScene> {
  const world = await createWorld();
  const taker = await world.fund(world.signers[keeperIndex]!, { USDC: capital }, capitalIndex);
  // Shorts outweigh: whoever closes a long into the pool pays for it, and more than a taker asks.
  const short = await world.fund(world.signers[5]!, { USDC: "200000" });
  await (await world.as(world.signers[5]!)).trade(short, "BTC", "-20");
  const options = { ...between.options, taker: { index: capitalIndex, ...policy } };
  return { taker, ...(await sceneIn(world, { ...between, options })) };
}

const tooManyAssets = (account: AccountId) =>
  contractInterfaces.MarginVault.encodeErrorResult("TooManyAssets", [account, 1]);

/** An account with 1,000 of margin and 11,200 of BTC. */
async function leveraged(world: World, owner: number): Promise<AccountId> {
  const signer = world.signers[owner]!;
  const account = await world.fund(signer, { USDC: "1000" });
  await (await world.as(signer)).trade(account, "BTC", "1.4");
  return account;
}

const sizeOf = async (world: World, account: AccountId) => (await world.ballast.position(account, "BTC")).sizeWad;

describe("keeper with a taker", () => {
  it("takes over what restores health, and leaves the pool's position as it was", async () => {
    const { world, taker, turn, lines } = await scene("20000");
    const account = await leveraged(world, 0);
    await world.push({ BTC: atMarginCall });
    const pooled = await sizeOf(world, world.ballast.poolAccount);
    const before = (await world.ballast.health(taker)).equityMaintenanceWad;

    const acted = [account];
    // The short and the taker's own position are looked at too.
    expect(await turn()).to.deep.equal({ checked: 3, atRisk: 1, ...quiet, liquidations: 1, taken: 1, acted });
    const { healthWad } = await world.ballast.health(account);
    expect(healthWad).to.be.within(WAD, (WAD * 11n) / 10n + WAD / 1000n);
    const [left, own] = [await sizeOf(world, account), await sizeOf(world, taker)];
    expect(left + own).to.equal((WAD * 14n) / 10n);
    expect(own).to.be.above(0n);
    expect(await sizeOf(world, world.ballast.poolAccount)).to.equal(pooled);
    const after = await world.ballast.health(taker);
    expect(after.equityMaintenanceWad).to.be.above(before);
    expect(after.freeMarginWad).to.be.above(0n);
    expect(told(lines, "taken")).to.have.length(1);
    expect(told(lines, "taken")[0]).to.include({ account, market: 0, reason: "takerEarnsMore" });
  });

  it("takes no more than its policy lets it, and forces the rest into the pool", async () => {
    const { world, taker, turn, lines } = await scene("1000");
    const account = await leveraged(world, 0);
    await world.push({ BTC: atMarginCall });
    const { taken, liquidations, failed } = await turn();
    expect({ taken, liquidations, failed }).to.deep.equal({ taken: 1, liquidations: 2, failed: [] });
    const { notionalWad } = await world.ballast.position(taker, "BTC");
    expect(notionalWad).to.be.within(1999n * WAD, 2000n * WAD);
    expect((await world.ballast.health(account)).isLiquidatable).to.equal(false);
    expect(told(lines, "liquidated")[0]).to.include({ account, reason: "noRoom" });
  });

  it("forces everything into the pool without any capital in its account", async () => {
    const { world, taker, turn, lines } = await scene("1");
    const account = await leveraged(world, 0);
    await world.push({ BTC: atMarginCall });
    expect(await turn()).to.deep.equal({ checked: 2, atRisk: 1, ...quiet, liquidations: 1, acted: [account] });
    expect(await sizeOf(world, taker)).to.equal(0n);
    expect(told(lines, "liquidated")[0]).to.include({ reason: "noRoom" });
  });

  it("forces into the pool what the contract would not let it take", async () => {
    const { world, taker, turn, lines } = await scene("20000", { inventoryPercent: 200, giveBackPercent: 1 });
    const owner = await world.as(world.signers[keeperIndex]!);
    await owner.setMode(taker, "isolated");
    await owner.trade(taker, "ETH", "10");
    await turn();
    const account = await leveraged(world, 0);
    await world.push({ BTC: atMarginCall });
    const { liquidations, taken, failed } = await turn();
    expect({ liquidations, taken, failed }).to.deep.equal({ liquidations: 1, taken: 0, failed: [] });
    expect(told(lines, "taker refused"), "the twin says so before anything is sent").to.deep.equal([]);
    expect((await world.ballast.health(account)).isLiquidatable).to.equal(false);
  });

  it("forces into the pool, in the same turn, what the chain refuses the taker all the same", async () => {
    let refuses = false;
    const { world, turn, lines, taker } = await scene("20000", undefined, {
      signer: (signer) =>
        intercept<EthersSigner>(signer, {
          call(transaction) {
            const data = String(transaction.data);
            if (!refuses || !data.includes(taker.slice(2))) return signer.call(transaction);
            return Promise.reject(Object.assign(new Error("reverted"), { data: tooManyAssets(taker) }));
          },
        }),
    });
    const account = await leveraged(world, 0);
    await world.push({ BTC: atMarginCall });
    refuses = true;
    const { liquidations, taken, failed } = await turn();
    expect({ liquidations, taken, failed }).to.deep.equal({ liquidations: 1, taken: 0, failed: [] });
    expect(told(lines, "taker refused")[0]).to.include({ account, reason: "TooManyAssets" });
    expect(told(lines, "liquidated")[0]).to.include({ account, reason: "takerRefused" });
    expect((await world.ballast.health(account)).isLiquidatable).to.equal(false);
  });

  it("gives back at a later time what it took, so much a turn, until it holds nothing", async () => {
    const { world, taker, turn, lines } = await scene("5000", { inventoryPercent: 200, giveBackPercent: 60 });
    await leveraged(world, 0);
    await world.push({ BTC: atMarginCall });
    expect(await turn()).to.include({ taken: 1, givenBack: 0 });
    const taken = await sizeOf(world, taker);
    expect((await turn()).givenBack, "no block came in between").to.equal(0);
    expect(told(lines, "kept")[0]).to.include({ reason: "takenJustNow" });

    await world.passTime(12);
    expect((await turn()).givenBack).to.equal(1);
    expect(await sizeOf(world, taker)).to.be.within(1n, taken - 1n);
    for (let left = 0; left < 3; left += 1) {
      await world.passTime(12);
      await turn();
    }
    expect(marketsOf((await world.ballast.state(taker)).assets)).to.deep.equal([]);
    expect((await world.ballast.health(taker)).equityMaintenanceWad, "richer than before").to.be.above(5000n * WAD);
    expect(told(lines, "given back").length).to.be.above(1);
  });

  it("takes and gives back nothing while a transaction of its own may yet be mined", async () => {
    const underWay = new Set<AccountId>();
    const { world, taker, turn, lines } = await scene("20000", undefined, {
      hands: (hands) => intercept(hands, { underWay: () => underWay }),
    });
    await leveraged(world, 0);
    await world.push({ BTC: atMarginCall });
    underWay.add(taker);
    expect((await turn()).taken).to.equal(0);
    expect(await sizeOf(world, taker)).to.equal(0n);
    expect(told(lines, "waiting for an earlier transaction: takes and gives back nothing").length).to.be.above(0);
    underWay.clear();
    await world.push({ BTC: "8000" });
    await leveraged(world, 1);
    await world.push({ BTC: atMarginCall });
    expect((await turn()).taken).to.equal(1);
    const held = await sizeOf(world, taker);
    await world.passTime(12);
    underWay.add(taker);
    expect((await turn()).givenBack).to.equal(0);
    expect(await sizeOf(world, taker)).to.equal(held);
    underWay.clear();
    expect((await turn()).givenBack).to.equal(1);
  });

  it("leaves an account alone whose transaction is under way", async () => {
    const underWay = new Set<AccountId>();
    const { world, turn } = await scene("20000", undefined, {
      hands: (hands) => intercept(hands, { underWay: () => underWay }),
    });
    const account = await leveraged(world, 0);
    await world.push({ BTC: atMarginCall });
    underWay.add(account);
    expect((await turn()).skipped).to.deep.equal([{ account, reason: "underWay" }]);
    underWay.clear();
    expect((await turn()).acted).to.deep.equal([account]);
  });

  it("sees the pool's size where a share has come to be less than a unit of it", async () => {
    const world = await createWorld();
    const [longs, shorts, others] = world.signers;
    for (const [owner, cash, size] of [
      [longs, "2500", "4"],
      [others, "50000", "6"],
      [shorts, "50000", "-2"],
    ] as const) {
      await (await world.as(owner!)).trade(await world.fund(owner!, { USDC: cash }), "BTC", size);
    }
    await world.push({ BTC: "7000" }); // the first has lost 4,000
    await world.ballast.absorb([accountId(longs!.address)]);
    const { deployment, ballast } = world;
    const taker = accountId(others!.address);
    const { terms } = readTaker((await readState(ballast.provider, deployment, [taker])).at(), taker, [0]);
    const { sharesWad, sizeWad } = await ballast.vault.position(ballast.poolAccount, 0);
    expect(sizeWad).to.be.above(sharesWad).and.below(0n);
    expect(terms.get(0)?.skewWad).to.equal(-sizeWad);
  });

  it("reports a trade back that fails, and tries again in the next turn", async () => {
    let isBroke = false;
    const { world, taker, turn } = await scene("20000", undefined, {
      signer: (signer) =>
        intercept<EthersSigner>(signer, {
          sendTransaction(transaction) {
            if (!isBroke) return signer.sendTransaction(transaction);
            return Promise.reject(Object.assign(new Error("no ether"), { code: "INSUFFICIENT_FUNDS" }));
          },
        }),
    });
    await leveraged(world, 0);
    await world.push({ BTC: atMarginCall });
    await turn();
    await world.passTime(12);
    isBroke = true;
    const { givenBack, failed } = await turn();
    expect({ givenBack, failed }).to.deep.equal({
      givenBack: 0,
      failed: [{ account: taker, reason: "INSUFFICIENT_FUNDS" }],
    });
    isBroke = false;
    expect((await turn()).givenBack).to.equal(1);
  });

  it("keeps what has no fresh price, and gives it back once there is one", async () => {
    const { world, taker, turn, lines } = await scene("20000");
    await leveraged(world, 0);
    await world.push({ BTC: atMarginCall });
    await turn();
    await world.passTime(Number(world.parameters.vault.maxPriceAgeSeconds) + 1);
    expect((await turn()).givenBack, "its price is stale").to.equal(0);
    expect(told(lines, "kept").map(({ reason }) => reason)).to.deep.equal(["stalePrice"]);
    await world.refresh();
    expect((await turn()).givenBack).to.equal(1);
    expect(await sizeOf(world, taker)).to.equal(0n);
  });

  it("is liquidated by others as anybody, and never by itself", async () => {
    const { world, taker, turn } = await scene("1000");
    const other = await keeperIn(world, { options: { owner: accountId(world.signers[2]!.address).slice(0, 42) } });
    await (await world.as(world.signers[keeperIndex]!)).trade(taker, "BTC", "1.4");
    await world.push({ BTC: atMarginCall });
    await world.passTime(Number(world.parameters.vault.maxPriceAgeSeconds) + 1);
    const skipped = [{ account: taker, reason: "rewardToSelf" as const }];
    expect(await turn()).to.deep.equal({ checked: 2, atRisk: 1, ...quiet, skipped });
    await world.refresh();
    expect(await other.turn()).to.deep.equal({ checked: 2, atRisk: 1, ...quiet, liquidations: 1, acted: [taker] });
  });
});
