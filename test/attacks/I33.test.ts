import { expect } from "chai";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import type { AccountId } from "../../sdk/index.js";
import type { MarginVault, MockAggregator } from "../../typechain-types/index.js";
import { everything, outcomeOf } from "../helpers/attack.js";
import { audit } from "../helpers/audit.js";
import { deployAggregator } from "../helpers/chainlink.js";
import { lossParameters } from "../helpers/stage.js";
import { type Signer, type World, deployWorld, wad } from "../helpers/world.js";

const ETH = 1n;
const graceSeconds = 1800;

describe("I33: the chain's sequencer was down, and the first to act finds prices that moved meanwhile", () => {
  let connection: Connection;
  let world: World;
  let uptime: MockAggregator;
  let owner: Signer;
  let keeperSigner: Signer;
  let keeper: MarginVault;
  let account: AccountId;
  let borrower: AccountId;

  async function watched() {
    const feed = await deployAggregator(connection, 0, 0n);
    await (await feed.setAnswer(0n, 1)).wait();
    const uptimeFeed = await feed.getAddress();
    const made = await deployWorld(
      connection,
      (parameters) => ({
        ...lossParameters(parameters, { vault: { capitalMaxAgeSeconds: "86400" } }),
        sequencer: { uptimeFeed, graceSeconds: String(graceSeconds) },
      }),
      "10000",
    );
    return { made, feed };
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    const { made, feed } = await connection.networkHelpers.loadFixture(watched);
    [world, uptime] = [made, feed];
    [owner, keeperSigner] = world.signers as [Signer, Signer];
    keeper = (await world.as(keeperSigner)).vault;
    account = await world.fund(owner, { USDC: "200" });
    await (await world.as(owner)).trade(account, "ETH", "10");
    borrower = await world.fund(owner, { WETH: "10" }, 1);
    await (await world.as(owner)).withdraw(borrower, "USDC", "1500");
  });

  const now = async () => connection.networkHelpers.time.latest();
  const goDown = async () => (await uptime.setAnswer(1n, await now())).wait();
  const comeBack = async () => (await uptime.setAnswer(0n, await now())).wait();
  const weth = () => world.deployment.collaterals[0]!.address;

  interface Taking {
    readonly price: string;
    readonly error: string;
    act(): Promise<unknown>;
  }

  /** Everything that would be done to the two, above zero, at the first price after it. */
  async function takings(): Promise<Readonly<Record<string, Taking>>> {
    const taker = await world.fund(keeperSigner, { USDC: "5000" });
    const pool = world.ballast.poolAccount;
    return {
      "a liquidation into the pool": {
        price: "185",
        error: "SequencerGrace",
        act: () => keeper.liquidatePosition(account, ETH, everything, pool),
      },
      "a liquidation to a taker": {
        price: "185",
        error: "SequencerGrace",
        act: () => keeper.liquidatePosition(account, ETH, everything, taker),
      },
      "an absorb of a position": {
        price: "181.5",
        error: "NothingToAbsorb",
        act: () => keeper.absorb([account], taker),
      },
      "a sale of collateral": {
        price: "170",
        error: "SequencerGrace",
        act: () => keeper.liquidateCollateral(borrower, weth(), everything, taker),
      },
      "an absorb of collateral": {
        price: "168",
        error: "NothingToAbsorb",
        act: () => keeper.absorb([borrower], taker),
      },
    };
  }

  for (const [title, begin] of [
    ["is down", goDown],
    ["has just come back", async () => [await goDown(), await world.passTime(600), await comeBack()]],
    [
      "has been back for all but a second of its grace",
      async () => {
        await goDown();
        await comeBack();
        const { updatedAt } = await uptime.round();
        await connection.networkHelpers.time.increaseTo(Number(updatedAt) + graceSeconds - 30);
      },
    ],
  ] as const) {
    it(`liquidates nobody who is above zero while it ${title}`, async () => {
      for (const [name, { price, error, act }] of Object.entries(await takings())) {
        const start = await connection.networkHelpers.takeSnapshot();
        await world.push({ ETH: price });
        expect(await outcomeOf(act), `${name} before`).to.equal("done");
        await start.restore();
        await begin();
        await world.push({ ETH: price });
        expect(await outcomeOf(act), name).to.equal(error);
        await start.restore();
      }
      expect((await world.ballast.position(account, "ETH")).sizeWad).to.equal(wad("10"));
      await audit(world);
    });

    it(`opens nothing while it ${title}, and lets everybody deposit, repay and close`, async () => {
      const other = await world.fund(keeperSigner, { USDC: "1000" }, 3);
      await begin();
      await world.push({ ETH: "195" });
      const [asOwner, asOther] = [await world.as(owner), await world.as(keeperSigner)];
      for (const act of [
        () => asOther.trade(other, "ETH", "1"),
        () => asOther.trade(other, "BTC", "-0.1"),
        () => asOwner.trade(account, "ETH", "1"),
      ])
        expect(await outcomeOf(act)).to.be.oneOf(["StaleMarketPrice", "StalePrices"]);
      expect(await outcomeOf(() => asOwner.withdraw(borrower, "USDC", "50"))).to.be.oneOf([
        "StalePrices",
        "InsufficientMargin",
      ]);
      expect(await outcomeOf(() => world.fund(owner, { USDC: "100" }))).to.equal("done");
      expect(await outcomeOf(() => world.fund(owner, { USDC: "1500", WETH: "1" }, 1)), "repaid").to.equal("done");
      expect((await world.ballast.cashOf(borrower)) >= 0n).to.equal(true);
      expect(await outcomeOf(() => asOwner.trade(account, "ETH", "-10"))).to.equal("done");
      expect(await outcomeOf(() => asOther.withdraw(other, "USDC", "1000"))).to.equal("done");
      await audit(world);
    });
  }

  it("goes on as before once the grace is over", async () => {
    for (const [name, { price, act }] of Object.entries(await takings())) {
      const start = await connection.networkHelpers.takeSnapshot();
      await goDown();
      await comeBack();
      await world.passTime(graceSeconds);
      await world.push({ ETH: price });
      expect(await outcomeOf(act), name).to.equal("done");
      await audit(world);
      await start.restore();
    }
  });

  it("an account below zero is taken over meanwhile, since its loss would grow for others", async () => {
    const { "an absorb of a position": absorb } = await takings();
    await goDown();
    await world.push({ ETH: "150" });
    expect(await outcomeOf(absorb!.act)).to.equal("done");
    expect(await world.ballast.positions(account)).to.deep.equal([]);
    await audit(world);
  });
});
