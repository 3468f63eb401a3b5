import { expect } from "chai";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import { type AccountId, accountId } from "../../sdk/index.js";
import type { MockAggregator, MockPyth } from "../../typechain-types/index.js";
import { everything, outcomeOf } from "../helpers/attack.js";
import { audit } from "../helpers/audit.js";
import { conducts, deployAggregator } from "../helpers/chainlink.js";
import { abs } from "../helpers/model.js";
import { bring, deployPyth, pythConducts, pythFeed, withPythPrice } from "../helpers/pyth.js";
import { type Signer, type World, deployWorld, roundFigures, wad, withoutInterest } from "../helpers/world.js";

const ETH = 1n;
const E8 = 10n ** 8n;
const bound = wad("0.01");

describe("I08: one of an asset's sources tells a price that is wrong by far", () => {
  let connection: Connection;
  let world: World;
  let pyth: MockPyth;
  let aggregator: MockAggregator;
  let owner: Signer;
  let account: AccountId;

  /** ETH is read from Pyth and checked against an aggregator, to 1%, both first at 200. */
  async function paired() {
    const contract = await deployPyth(connection);
    const second = await deployAggregator(connection, 8, 200n * E8);
    const secondFeed = {
      kind: "chainlink",
      aggregator: await second.getAddress(),
      minPrice: "0.001",
      maxPrice: "1000000",
      maxAgeSeconds: "3600",
      maxDeviation: "0.01",
    } as const;
    const wide = { ...pythFeed, minPrice: "0.001", maxPrice: "1000000" };
    const made = await withPythPrice(connection, contract, (address) =>
      deployWorld(connection, (parameters) => ({
        ...withoutInterest(roundFigures(parameters, { markets: { ETH: { feed: wide, secondFeed } } })),
        pyth: address,
      })),
    );
    const [first] = made.signers as [Signer];
    await (await made.as(first)).trade(await made.fund(first, { USDC: "1000" }), "ETH", "10");
    return { made, contract, second };
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    const { made, contract, second } = await connection.networkHelpers.loadFixture(paired);
    [world, pyth, aggregator] = [made, contract, second];
    [owner] = world.signers as [Signer];
    account = accountId(owner.address);
  });

  const now = async () => connection.networkHelpers.time.latest();
  const wrongs: Readonly<Record<string, bigint>> = {
    "a thousand times": 200_000n * E8,
    "a thousandth": E8 / 5n,
    twice: 400n * E8,
    "a fiftieth more": 204n * E8,
    "a fiftieth less": 196n * E8,
  };
  const sources: Readonly<Record<string, (price: bigint) => Promise<unknown>>> = {
    first: async (price) => bring(connection, pyth, { price }),
    second: async (price) => (await aggregator.setAnswer(price, await now())).wait(),
  };
  const dies: Readonly<Record<string, () => Promise<unknown>>> = {
    first: async () => (await pyth.setConduct(pythConducts.reverts, 0)).wait(),
    second: async () => (await aggregator.setConduct(conducts.reverts, 0, 0)).wait(),
  };
  const other = (source: string) => (source === "first" ? "second" : "first");
  const asOwner = () => world.as(owner);
  const force = async () => {
    const { vault, poolAccount } = await world.as(world.signers[1]!);
    return vault.liquidatePosition(account, ETH, everything, poolAccount);
  };

  for (const [title, price] of Object.entries(wrongs)) {
    for (const [source, tell] of Object.entries(sources)) {
      it(`the ${source} tells ${title}: the accepted price stays within the bound, and nobody trades or loses at it`, async () => {
        const before = await world.ballast.health(account);
        await tell(price);
        const { priceWad, isFresh } = await world.ballast.price("ETH");
        const moved = abs(priceWad - wad("200"));
        expect(moved * wad("1") <= wad("200") * bound, `accepted ${priceWad}`).to.equal(true);
        expect(isFresh).to.equal(false);
        const trader = await asOwner();
        for (const size of ["1", "-5", "-10"])
          expect(await outcomeOf(() => trader.trade(account, "ETH", size)), size).to.equal("StaleMarketPrice");
        expect(await outcomeOf(force)).to.equal("AccountHealthy");
        expect((await world.ballast.health(account)).equityMaintenanceWad).to.equal(before.equityMaintenanceWad);
        await audit(world);
      });

      it(`the ${source} tells ${title} while the other is dead: nothing opens, and nothing closes at it`, async () => {
        await dies[other(source)]!();
        await tell(price);
        const { priceWad } = await world.ballast.price("ETH");
        expect(priceWad, "the last good one").to.equal(wad("200"));
        const trader = await asOwner();
        for (const size of ["1", "-10"])
          expect(await outcomeOf(() => trader.trade(account, "ETH", size)), size).to.equal("StaleMarketPrice");
      });
    }
  }

  for (const source of Object.keys(sources)) {
    it(`the ${source} is left alone within the bound: nothing opens, and whoever wants to leave can`, async () => {
      await dies[other(source)]!();
      await sources[source]!(199n * E8);
      const trader = await asOwner();
      expect(await outcomeOf(() => trader.trade(account, "ETH", "1"))).to.equal("StaleMarketPrice");
      expect(await outcomeOf(() => trader.trade(account, "ETH", "-10"))).to.equal("done");
      await audit(world);
    });
  }

  /** What the owner's account gains by trades of this size, one after each telling of the first source. */
  async function gainedBy(told: readonly (readonly [price: bigint, size: string])[]) {
    await world.fund(owner, { USDC: "1000000" });
    const trader = await asOwner();
    await trader.trade(account, "ETH", "-10");
    const before = await world.ballast.cashOf(account);
    for (const [price, size] of told) {
      await sources["first"]!(price);
      await (await world.ballast.vault.refreshCapital()).wait();
      await trader.trade(account, "ETH", size);
    }
    expect(await world.ballast.positions(account)).to.deep.equal([]);
    return (await world.ballast.cashOf(account)) - before;
  }

  const [low, high] = [1981n * (E8 / 10n), 202n * E8]; // not quite a hundredth of itself from 200 each

  for (const [title, told] of [
    [
      "bought low and sold high",
      [
        [low, "50000"],
        [high, "-50000"],
      ],
    ],
    [
      "sold high and bought low",
      [
        [high, "-50000"],
        [low, "50000"],
      ],
    ],
    [
      "so again and again",
      [
        [low, "50000"],
        [high, "-100000"],
        [low, "100000"],
        [high, "-50000"],
      ],
    ],
  ] as const) {
    it(`the first tells the edges of the bound in turn, while the other is honest: nothing is gained, ${title}`, async () => {
      const gained = await gainedBy(told);
      expect(gained < 0n, `gained ${gained}`).to.equal(true);
      await audit(world);
    });
  }

  it("the first tells the edges, and the other falls silent at the best moment: gained is at most what both agreed on wrongly", async () => {
    await world.fund(owner, { USDC: "1000000" });
    const trader = await asOwner();
    await trader.trade(account, "ETH", "-10");
    const before = await world.ballast.cashOf(account);
    await sources["first"]!(low);
    await (await world.ballast.vault.refreshCapital()).wait();
    await trader.trade(account, "ETH", "50000");
    await sources["first"]!(high);
    await (await world.ballast.oracle.refresh([1])).wait();
    await dies["second"]!();
    await sources["first"]!((high * 101n) / 100n);
    const { priceWad, toleranceWad, isReduceOnly } = await world.ballast.price("ETH");
    expect([priceWad, toleranceWad, isReduceOnly]).to.deep.equal([wad("204.02"), bound, true]);
    await trader.trade(account, "ETH", "-50000");
    const gained = (await world.ballast.cashOf(account)) - before;
    expect(gained * wad("1") <= wad("50000") * 200n * bound, `gained ${gained}`).to.equal(true);
    // Further it does not go: one source alone moves no price that both agreed on.
    await sources["first"]!((high * 102n) / 100n);
    expect((await world.ballast.price("ETH")).priceWad).to.equal(wad("202"));
    await audit(world);
  });

  it("both are dead for good: the market ends at the price that was announced", async () => {
    const due = (await now()) + 86_500;
    await (await world.ballast.vault.announceDelisting(ETH, due, wad("201"))).wait();
    for (const die of Object.values(dies)) await die();
    await connection.networkHelpers.time.increaseTo(due + 90_000);
    const { vault } = await asOwner();
    expect(await outcomeOf(() => vault.delist(ETH))).to.equal("done");
    expect(await outcomeOf(() => vault.settle(account, ETH))).to.equal("done");
    const cash = await world.ballast.cashOf(account);
    expect(cash > wad("1005") && cash < wad("1010"), String(cash)).to.equal(true); // ten ether, a quote unit each, less fees
    await audit(world);
  });
});
