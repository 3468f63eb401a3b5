import { expect } from "chai";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import { type AccountId, WAD, parseDecimal } from "../../sdk/index.js";
import { MarginVault__factory } from "../../typechain-types/index.js";
import { audit } from "../helpers/audit.js";
import { type World, deployWorld, roundFigures, withoutInterest } from "../helpers/world.js";

/** Sizes whose funding is no whole number of wei: eight that are together as large as one. */
const parts = [
  "2.333333333333333333",
  "5.000000000000000007",
  "0.999999999999999999",
  "1.414213562373095049",
  "3.141592653589793239",
  "0.777777777777777777",
  "11.123456789012345678",
  "0.050000000000000003",
].map((text) => parseDecimal(text, 18));
const whole = parts.reduce((sum, part) => sum + part, 0n);

describe("I32: funding is rounded for whoever pays it, a wei each", () => {
  let connection: Connection;
  let world: World;

  /** In ETH one is long against eight; in BTC eight, of a tenth of that, are long against one. */
  const sides: Readonly<
    Record<string, { readonly one: bigint; readonly many: readonly bigint[]; readonly price: bigint }>
  > = {
    ETH: { one: whole, many: parts.map((part) => -part), price: 200n },
    BTC: { one: -whole / 10n, many: parts.slice(1).map((part) => part / 10n), price: 8000n },
  };

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
  });

  for (const [market, { one, many, price }] of Object.entries(sides)) {
    describe(`in ${market}`, () => {
      const accounts: AccountId[] = [];
      const held: bigint[] = [];

      before(async () => {
        const open = async (size: bigint) => {
          const signer = world.signers[accounts.length]!;
          const account = await world.fund(signer, { USDC: "100000" });
          await (await world.as(signer)).trade(account, market, size);
          accounts.push(account);
          held.push(size);
        };
        await world.refresh();
        await open(one);
        await connection.networkHelpers.time.increase(7_201); // so that there is a rate when there is no skew any more
        await world.refresh();
        for (const size of many) await open(size);
        const rest = -held.reduce((sum, size) => sum + size, 0n);
        if (rest !== 0n) await open(rest);
      });

      /** What each has paid since the beginning of the market, below zero what it received, as of one block. */
      async function paid(): Promise<bigint[]> {
        const { vault } = world.ballast;
        const id = world.ballast.marketId(market);
        const views = await Promise.all([...accounts, world.ballast.poolAccount].map((who) => vault.position(who, id)));
        // Shares are size here; at this price what they are worth without funding is a whole number of wei.
        return views.map(({ sharesWad, costWad, valueWad }) => sharesWad * price - (valueWad + costWad));
      }

      for (const seconds of [1, 17, 3600, 86_399, 200_003]) {
        it(`what is paid is no wei less than what is received, and few more, after ${seconds} seconds`, async () => {
          await connection.networkHelpers.time.increase(seconds);
          const all = await paid();
          const sum = all.reduce((total, each) => total + each, 0n);
          expect(all.some((each) => each > 0n) && all.some((each) => each < 0n), String(all)).to.equal(true);
          const bound = BigInt(all.length);
          expect(sum >= 0n && sum <= bound, `paid ${sum} more than received, of at most ${bound}`).to.equal(true);
        });
      }

      it("nor is it when it is realised, account by account", async () => {
        for (const [who, account] of accounts.entries()) {
          const vault = MarginVault__factory.connect(world.deployment.vault, world.signers[who]!);
          await (await vault.settle(account, world.ballast.marketId(market))).wait();
          const { dust } = await audit(world);
          expect(dust >= 0n && dust < 1000n, String(dust)).to.equal(true);
        }
        for (const [who, size] of held.entries())
          await (await world.as(world.signers[who]!)).trade(accounts[who]!, market, -size);
        const { dust, held: tokens } = await audit(world);
        expect(dust >= 0n && dust < 10_000n, String(dust)).to.equal(true);
        expect(tokens > WAD).to.equal(true);
      });
    });
  }
});
