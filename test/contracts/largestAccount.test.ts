import { expect } from "chai";
import hre from "hardhat";

import { type AccountId, accountId } from "../../sdk/index.js";
import { MarginVault__factory } from "../../typechain-types/index.js";
import { deployAggregator, feedOf } from "../helpers/chainlink.js";
import { type Signer, deployWorld, roundFigures, wad } from "../helpers/world.js";

/** Markets with prices of their own aggregators, beside the world's three; and positions of one account, the most that it may have. */
const markets = 60;
const positions = 16;
const noDeadline = 2n ** 64n;
const noLimit = 0n;

describe("an account of 16 positions, all of which the pool refuses, in a vault of many markets", () => {
  it("is absorbed for a fraction of what a transaction may have: the pool's prices are read once, not once a position", async () => {
    const connection = await hre.network.create();
    const aggregators = [];
    for (let i = 0; i < markets; i += 1) aggregators.push(await deployAggregator(connection, 8, 200n * 10n ** 8n));
    const feeds = await Promise.all(aggregators.map((aggregator) => feedOf(aggregator)));
    const world = await deployWorld(
      connection,
      (parameters) => {
        const round = roundFigures(parameters);
        const eth = round.markets.find(({ symbol }) => symbol === "ETH");
        if (eth === undefined) throw new TypeError("the world has no ETH");
        return {
          ...round,
          markets: [...round.markets, ...feeds.map((feed, i) => ({ ...eth, symbol: `M${i}`, feed }))],
        };
      },
      "100000",
    );
    const [owner, whale, keeper] = world.signers as [Signer, Signer, Signer];
    const vault = MarginVault__factory.connect(world.deployment.vault, keeper);
    const tradeAs = async (signer: Signer, account: AccountId, market: number, size: bigint) =>
      (await vault.connect(signer).trade(account, market, size, noLimit, noDeadline)).wait();

    // The pool is long in each market and short of margin, so that a long which is to be closed finds no taker.
    for (let i = 0; i < markets; i += 1) {
      const index = Math.floor(i / positions);
      const short =
        i % positions === 0 ? await world.fund(whale, { USDC: "1000000" }, index) : accountId(whale.address, index);
      await tradeAs(whale, short, 3 + i, -wad("1500"));
    }
    const account = await world.fund(owner, { USDC: "4000" });
    for (let i = 0; i < positions; i += 1) await tradeAs(owner, account, 3 + i, wad("10"));
    const { timestamp } = (await world.ballast.provider.getBlock("latest")) ?? { timestamp: 0 };
    for (const aggregator of aggregators) await (await aggregator.setAnswer(179_5000_0000n, timestamp)).wait();

    const { healthWad } = await world.ballast.health(account);
    expect((healthWad ?? 0n) > wad("0.5") && (healthWad ?? 0n) < wad("1"), String(healthWad)).to.equal(true);
    const { refusal } = await world.ballast.previewLiquidation(account, "M0");
    expect(refusal).to.equal("poolMargin");
    const receipt = await (await vault.absorb([account], accountId(keeper.address))).wait();
    expect((await world.ballast.positions(account)).length).to.equal(0);
    // 3.4 million when this was written; 11.6 with the pool's margin read for each position. The bound is a third of a transaction's.
    expect(Number(receipt?.gasUsed)).to.be.lessThan(16_777_216 / 3);
  });
});
