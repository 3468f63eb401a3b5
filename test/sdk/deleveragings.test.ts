import { expect } from "chai";
import hre from "hardhat";

import { type AccountId, type Ballast, type Deleveraging, PoolAccountError, type Position } from "../../sdk/index.js";
import type { VaultLens } from "../../typechain-types/index.js";
import { abs, floorDiv } from "../helpers/model.js";
import { failure } from "../helpers/revert.js";
import { type Signer, type World, deployWorld, thinEth, wad } from "../helpers/world.js";

const RAY = 10n ** 27n;

describe("sdk/deleveragings", () => {
  let world: World;
  let client: Ballast;
  let short: AccountId;
  /** Signers not used yet. */
  let fresh: Signer[];

  beforeEach(async () => {
    const poor = (parameters: World["parameters"]) => thinEth(parameters, { vault: { insuranceSeed: "0" } });
    world = await deployWorld(await hre.network.create(), poor, "1000000");
    fresh = [...world.signers];
    const owner = fresh.shift()!;
    client = await world.as(owner);
    short = await world.fund(owner, { USDC: "200000" });
    await client.trade(short, "ETH", "-100");
  });

  async function open(size: string, deposit: string, market = "ETH"): Promise<AccountId> {
    const owner = fresh.shift()!;
    const account = await world.fund(owner, { USDC: deposit });
    await (await world.as(owner)).trade(account, market, size);
    return account;
  }

  interface Step {
    readonly block: number;
    readonly hash: string;
    readonly before: Position;
    readonly after: Position;
    readonly byLens: Readonly<Awaited<ReturnType<VaultLens["deleveraged"]>>>;
    readonly priceRay: bigint;
  }

  /** Absorbs a bankrupt account, and tells what that did to another account's position. */
  async function absorb(bankrupt: AccountId, account = short, market = "ETH"): Promise<Step> {
    await world.ballast.vault.absorb.staticCall([bankrupt], account);
    const before = await client.position(account, market);
    const { blockNumber: block, hash } = await world.ballast.absorb([bankrupt]);
    const event = (await client.events(block)).find(({ name }) => name === "Deleveraged")!;
    const { long, epoch, soldRay, priceRay } = event.args as Record<"epoch" | "soldRay" | "priceRay", bigint> & {
      long: boolean;
    };
    const id = client.marketId(market);
    const byLens = await client.lens.deleveraged(account, id, long, epoch, soldRay, priceRay);
    return { block, hash, before, after: await client.position(account, market), byLens, priceRay };
  }

  /** Expects what the SDK says of a deleveraging to be what the lens said then, and what became of the position. */
  function expectTold(told: Deleveraging | undefined, { block, hash, before, after, byLens, priceRay }: Step): void {
    expect(told).to.deep.equal({
      blockNumber: block,
      transactionHash: hash,
      sizeDeltaWad: byLens.sizeWad,
      priceRay,
      proceedsWad: byLens.proceedsWad,
      sizeLeftWad: after.sizeWad,
    });
    expect(byLens.sizeWad).not.to.equal(0n);
    // Each of the three sizes is rounded on its own.
    expect(abs(before.sizeWad + byLens.sizeWad - after.sizeWad) <= 1n).to.equal(true);
    expect(byLens.proceedsWad).to.equal(floorDiv(-byLens.sizeWad * priceRay, RAY));
  }

  it("tells each part that was bought back, over the ends of epochs, as the lens did as long as it could", async () => {
    const [first, second] = [await open("40", "900"), await open("59.999", "3000")];
    await world.push({ ETH: "160" });
    const steps = [await absorb(first)];
    await world.push({ ETH: "130" });
    steps.push(await absorb(second)); // less than a ten-thousandth of each share is left: the epoch ends
    expect(await client.vault.epochEnd(1, false, 0)).not.to.equal(0n);
    expect(steps[1]!.after.sizeWad < 0n).to.equal(true);
    await open("-20", "5000");
    const third = await open("10", "150");
    await world.push({ ETH: "100" });
    steps.push(await absorb(third));
    const told = await client.deleveragings(short, "ETH");
    expect(told.length).to.equal(3);
    for (const [i, step] of steps.entries()) expectTold(told[i], step);

    // Touched, the position is stored in shares of the present epoch, and the lens can tell no more; the log can.
    await client.trade(short, "ETH", "-3");
    const fourth = await open("5", "60");
    await world.push({ ETH: "80" });
    steps.push(await absorb(fourth));
    expect(steps[3]!.before.sizeWad < wad("-3")).to.equal(true);
    const all = await client.deleveragings(short, "ETH");
    expect(all.slice(0, 3)).to.deep.equal(told);
    expectTold(all[3], steps[3]!);
    expect(all.length).to.equal(4);
    expect(await client.deleveragings(short, "ETH", steps[1]!.block)).to.deep.equal(all.slice(1));
  });

  it("tells what a long position sold, and leaves out other sides, markets, and positions that are younger", async () => {
    const long = await open("2", "9000", "BTC");
    const bankrupt = await open("-1", "1000", "BTC");
    await world.push({ BTC: "9500" });
    const step = await absorb(bankrupt, long, "BTC");
    expect(step.byLens.sizeWad).to.equal(wad("-1"));
    const [told, ...more] = await client.deleveragings(long, "BTC");
    expectTold(told, step);
    expect(more).to.deep.equal([]);
    expect(await client.deleveragings(long, "ETH")).to.deep.equal([]);
    const younger = await open("1", "9000", "BTC");
    const opposite = await open("-1", "9000", "BTC");
    for (const account of [younger, opposite, bankrupt]) {
      expect(await client.deleveragings(account, "BTC")).to.deep.equal([]);
    }
  });

  it("are not told of the pool's positions", async () => {
    const error = await failure(async () => client.deleveragings(client.poolAccount, "ETH"));
    expect(error).to.be.instanceOf(PoolAccountError).and.include({ account: client.poolAccount });
  });
});
