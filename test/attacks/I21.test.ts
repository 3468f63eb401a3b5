import { expect } from "chai";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import { decodeMarketState } from "../../sdk/index.js";
import { type Puppet, callsOf, deployPuppet, usd } from "../helpers/attack.js";
import { abs } from "../helpers/model.js";
import { type Signer, type World, deployWorld, thinEth, wad, withoutInterest } from "../helpers/world.js";

const day = 86_400n;
const maxRatePerDay = wad("0.005");

describe("I21: funding is made dear at little cost, for all who are on the other side", () => {
  let connection: Connection;
  let world: World;

  /** A thin market whose rate climbs by 3 a day and day of its skew, up to half a percent a day. */
  async function funded() {
    return deployWorld(connection, (parameters) =>
      withoutInterest(
        thinEth(parameters, {
          everyMarket: { maxFundingVelocityPerDay2: "3" },
          vault: { maxPriceAgeSeconds: "864000" },
        }),
      ),
    );
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    world = await connection.networkHelpers.loadFixture(funded);
  });

  const open = async (who: number, size: string) => {
    const signer = world.signers[who] as Signer;
    const account = await world.fund(signer, { USDC: "1000000" });
    await (await world.as(signer)).trade(account, "ETH", size);
    return account;
  };
  const state = async () => decodeMarketState((await world.ballast.vault.market(1n)).state);
  const valueOf = async (account: Parameters<World["ballast"]["position"]>[0]) =>
    (await world.ballast.position(account, "ETH")).valueWad;

  it("follows the skew of the whole market, not of whoever traded last", async () => {
    await open(0, "200");
    await open(1, "-199");
    await open(2, "-1");
    expect((await state()).fundingDriftE24).to.equal(0n);
    const account = await open(3, "1");
    // 3 a day and day, of 1 in 8000
    const expected = (3n * 10n ** 24n) / 8000n / day / day;
    const { fundingDriftE24 } = await state();
    expect(abs(fundingDriftE24 - expected) <= 1n, `${fundingDriftE24} for ${expected}`).to.equal(true);
    const before = await valueOf(account);
    await world.passTime(3600);
    const paid = before - (await valueOf(account));
    // Half of 3/8000 an hour and hour, of 200: less than a thousandth of a quote unit.
    expect(paid > 0n && paid < wad("0.001"), String(paid)).to.equal(true);
  });

  it("takes no more of anybody than the largest rate, however long and large the skew, touched or not", async () => {
    const victim = await open(0, "10");
    await open(1, "230");
    const before = await valueOf(victim);
    await world.passTime(Number(3n * day));
    const least = async (days: bigint) => {
      const paid = before - (await valueOf(victim));
      const most = (wad("2000") * maxRatePerDay * days) / wad("1");
      expect(paid > 0n && paid <= most + wad("0.001"), `${paid} of at most ${most}`).to.equal(true);
    };
    await least(1n); // nobody touched it: the gap is a day
    for (let days = 2n; days <= 4n; days += 1n) {
      await (await world.ballast.vault.settle(victim, 1n)).wait();
      await world.refresh();
      await world.passTime(Number(day));
      const { fundingRateE24 } = await state();
      expect(fundingRateE24 <= (maxRatePerDay * 10n ** 6n) / day, String(fundingRateE24)).to.equal(true);
    }
    const { cash, value } = { cash: await world.ballast.cashOf(victim), value: await valueOf(victim) };
    const paid = wad("1000000") + before - cash - value;
    const most = (wad("2000") * maxRatePerDay * 4n) / wad("1");
    expect(paid <= most + wad("0.01"), `${paid} of at most ${most}`).to.equal(true);
  });

  for (const size of ["20", "-200"]) {
    it(`pays nothing to who skews by ${size} and leaves within a block, also where he stands on the side that is paid`, async () => {
      const receiving: Puppet = await deployPuppet(world, { USDC: "2000000" });
      const calls = callsOf(world);
      const trade = (text: string) => calls.vault("trade", [receiving.account, 1n, wad(text), 0n, 2n ** 64n]);
      await receiving.act(
        calls.vault("deposit", [receiving.account, world.deployment.settlementToken.address, usd("1000000")]),
      );
      await open(0, size.startsWith("-") ? "20" : "-20");
      const net = async () => (await world.ballast.health(receiving.account)).netCashWad;
      const before = await net();
      await receiving.act(trade(size), trade(String(-Number(size))));
      expect((await world.ballast.positions(receiving.account)).length).to.equal(0);
      const gained = (await net()) - before;
      expect(gained <= 0n, `gained ${gained}`).to.equal(true);
    });
  }
});
