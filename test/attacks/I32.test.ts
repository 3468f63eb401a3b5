import { expect } from "chai";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import { type AccountId, WAD, decodeMarketState } from "../../sdk/index.js";
import { MarginVault__factory } from "../../typechain-types/index.js";
import { audit } from "../helpers/audit.js";
import { type World, deployWorld, roundFigures, wad, withoutInterest } from "../helpers/world.js";

/** Sizes whose funding is no whole number of wei. */
const longs = ["3.000000000000000001", "0.777777777777777777", "11.123456789012345678", "0.050000000000000003"];
const shorts = ["2.333333333333333333", "5.000000000000000007", "0.999999999999999999", "1.414213562373095049"];

describe("I32: funding is rounded for whoever pays it, a wei each", () => {
  let connection: Connection;
  let world: World;
  const accounts: AccountId[] = [];

  before(async () => {
    connection = await hre.network.create();
    world = await deployWorld(connection, (parameters) =>
      withoutInterest(
        roundFigures(parameters, {
          everyMarket: { maxFundingVelocityPerDay2: "3" },
          vault: { maxPriceAgeSeconds: "864000" },
        }),
      ),
    );
    for (const [who, size] of [...longs, ...shorts.map((text) => `-${text}`)].entries()) {
      const signer = world.signers[who]!;
      const account = await world.fund(signer, { USDC: "10000" });
      await (await world.as(signer)).trade(account, "ETH", size);
      accounts.push(account);
    }
    accounts.push(world.ballast.poolAccount);
  });

  /** What each has paid since the beginning of the market, below zero what it received, as of one block. */
  async function paid(): Promise<bigint[]> {
    const { vault } = world.ballast;
    const views = await Promise.all(accounts.map((account) => vault.position(account, 1n)));
    // Shares are size here; at 200 what they are worth without funding is a whole number of wei.
    return views.map(({ sharesWad, costWad, valueWad }) => sharesWad * 200n - (valueWad + costWad));
  }

  for (const seconds of [1, 17, 3600, 86_399, 200_003]) {
    it(`longs pay no wei less than shorts receive, after ${seconds} seconds`, async () => {
      await connection.networkHelpers.time.increase(seconds);
      const all = await paid();
      const { fundingIndexWad } = decodeMarketState((await world.ballast.vault.market(1n)).state);
      const sum = all.reduce((total, one) => total + one, 0n);
      expect(all.some((one) => one > 0n) && all.some((one) => one < 0n), `${all}, ${fundingIndexWad}`).to.equal(true);
      const bound = BigInt(accounts.length);
      expect(sum >= 0n && sum <= bound, `paid ${sum} more than received, of at most ${bound}`).to.equal(true);
    });
  }

  it("nor do they when it is realised, account by account", async () => {
    for (const [who, account] of accounts.slice(0, -1).entries()) {
      const vault = MarginVault__factory.connect(world.deployment.vault, world.signers[who]!);
      await (await vault.settle(account, 1n)).wait();
      const { dust } = await audit(world);
      expect(dust >= 0n && dust < 1000n, String(dust)).to.equal(true);
    }
    for (const [who, size] of [...longs.map((text) => `-${text}`), ...shorts].entries())
      await (await world.as(world.signers[who]!)).trade(accounts[who]!, "ETH", size);
    const { dust, held } = await audit(world);
    expect(dust >= 0n && dust < 10_000n, String(dust)).to.equal(true);
    expect(held > wad("1") && WAD > 0n).to.equal(true);
  });
});
