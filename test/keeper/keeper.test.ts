import { expect } from "chai";
import type { Signer as EthersSigner } from "ethers";
import hre from "hardhat";

import { type AccountId, WrongChainError, accountId, decodePrice, marketsOf } from "../../sdk/index.js";
import { MarginVault__factory } from "../../typechain-types/index.js";
import { conducts, deployAggregator, deployMixedWorld } from "../helpers/chainlink.js";
import { intercept } from "../helpers/keeper.js";
import { bring, deployPyth, ethId } from "../helpers/pyth.js";
import { type World, createWorld } from "../helpers/world.js";
import { type Between, keeperIn, keeperIndex, quiet, scene, sceneIn, told } from "./scene.js";

const WAD = 10n ** 18n;
/** At this price an account of `leveraged` is at 0.93 of its requirement; at the deeper one its margin is all but gone. */
const atMarginCall = "7500";
const farUnderWater = "7200";

/** An account with 1,000 of margin and 11,200 of BTC. */
async function leveraged(world: World, owner: number, index = 0): Promise<AccountId> {
  const signer = world.signers[owner]!;
  const account = await world.fund(signer, { USDC: "1000" }, index);
  await (await world.as(signer)).trade(account, "BTC", "1.4");
  return account;
}

const healthOf = async (world: World, account: AccountId) => (await world.ballast.health(account)).healthWad;

const absorbSelector = MarginVault__factory.createInterface().getFunction("absorb").selector;

/** A signer that cannot pay as long as this says so. */
const broke =
  (isBroke: () => boolean): NonNullable<Between["signer"]> =>
  (signer) =>
    intercept<EthersSigner>(signer, {
      sendTransaction(transaction) {
        if (!isBroke()) return signer.sendTransaction(transaction);
        return Promise.reject(Object.assign(new Error("no ether"), { code: "INSUFFICIENT_FUNDS" }));
      },
    });

/** What a quiet turn reports, these apart. */
const without = (...keys: (keyof typeof quiet)[]) =>
  Object.fromEntries(Object.entries(quiet).filter(([key]) => !keys.includes(key as keyof typeof quiet)));

describe("keeper", () => {
  it("does nothing while everybody is healthy", async () => {
    const { world, turn, lines } = await scene();
    await leveraged(world, 0);
    await world.push({ BTC: "7900" });
    expect(await turn()).to.deep.equal({ checked: 1, atRisk: 0, ...quiet });
    expect(lines).to.deep.equal([]);
    expect(await turn()).to.deep.equal({ checked: 1, atRisk: 0, ...quiet });
  });

  it("liquidates a part into the pool, which restores health, and earns the reward", async () => {
    const { world, keeper, turn, lines } = await scene();
    const account = await leveraged(world, 0);
    const bystander = await world.fund(world.signers[1]!, { USDC: "5000" });
    await (await world.as(world.signers[1]!)).trade(bystander, "BTC", "0.5");
    await world.push({ BTC: atMarginCall });
    const word = await world.ballast.vault.accountWord(bystander);

    expect(await turn()).to.deep.equal({ checked: 2, atRisk: 1, ...quiet, liquidations: 1, acted: [account] });
    expect(await healthOf(world, account)).to.be.within(WAD, (WAD * 11n) / 10n + WAD / 1000n);
    const { sizeWad } = await world.ballast.position(account, "BTC");
    expect(sizeWad).to.be.within(1n, (WAD * 14n) / 10n - 1n);
    expect(await world.ballast.vault.accountWord(bystander)).to.equal(word);
    expect((await world.ballast.state(keeper.account)).principalWad > 0n).to.equal(true);
    expect(told(lines, "liquidated")).to.have.length(1);
    expect(told(lines, "liquidated")[0]).to.include({ account, market: 0 });
    expect(await turn()).to.deep.equal({ checked: 2, atRisk: 0, ...quiet });
  });

  it("goes on from leg to leg until an account is healthy, in one turn", async () => {
    const { world, turn } = await scene();
    const owner = world.signers[0]!;
    const account = await world.fund(owner, { USDC: "1000" });
    const client = await world.as(owner);
    await client.trade(account, "BTC", "0.6");
    await client.trade(account, "ETH", "15");
    await client.trade(account, "LINK", "600");
    await world.push({ BTC: "7500", ETH: "180", LINK: "3.65" });
    const { atRisk, liquidations, failed } = await turn();
    expect({ atRisk, failed }).to.deep.equal({ atRisk: 1, failed: [] });
    expect(liquidations).to.be.above(1);
    expect((await world.ballast.health(account)).isLiquidatable).to.equal(false);
  });

  it("absorbs an account far under water", async () => {
    const { world, turn, lines } = await scene();
    const account = await leveraged(world, 0);
    await world.push({ BTC: farUnderWater });
    expect(await turn()).to.deep.equal({ checked: 0, atRisk: 1, ...quiet, absorbed: 1, acted: [account] });
    const { assets } = await world.ballast.state(account);
    expect(marketsOf(assets)).to.deep.equal([]);
    expect(told(lines, "absorbed").map((line) => line["account"])).to.deep.equal([account]);
  });

  it("absorbs whom it can in one turn, and reports the one whose absorb is refused", async () => {
    const bad = accountId("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC");
    const refusal = MarginVault__factory.createInterface().encodeErrorResult("NothingToAbsorb");
    const { world, turn, lines } = await scene({
      signer: (signer) =>
        intercept<EthersSigner>(signer, {
          call(transaction) {
            const data = String(transaction.data);
            if (!data.startsWith(absorbSelector) || !data.includes(bad.slice(2))) return signer.call(transaction);
            return Promise.reject(Object.assign(new Error("reverted"), { data: refusal }));
          },
        }),
    });
    const accounts = [await leveraged(world, 0), await leveraged(world, 1), await leveraged(world, 2)];
    expect(accounts[1]).to.equal(bad);
    await world.push({ BTC: farUnderWater });
    const failed = [{ account: bad, reason: "NothingToAbsorb" }];
    const { acted, ...report } = await turn();
    expect(report).to.deep.equal({
      checked: 1,
      atRisk: 3,
      absorbed: 2,
      failed,
      ...without("absorbed", "failed", "acted"),
    });
    expect(acted).to.have.members(accounts);
    expect(told(lines, "failed")[0]).to.include({ action: "absorb", account: bad, reason: "NothingToAbsorb" });
    expect((await turn()).failed, "far under water nobody waits").to.deep.equal(failed);
  });

  it("lets an account wait 1, 2, 4 blocks whose liquidation the chain refuses, and serves the others", async () => {
    const bad = accountId("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC");
    const refusal = MarginVault__factory.createInterface().encodeErrorResult("MulticallNested");
    let calls = 0;
    const { world, turn } = await scene({
      signer: (signer) =>
        intercept<EthersSigner>(signer, {
          call(transaction) {
            if (!String(transaction.data).includes(bad.slice(2))) return signer.call(transaction);
            calls += 1;
            return Promise.reject(Object.assign(new Error("reverted"), { data: refusal }));
          },
        }),
    });
    for (const owner of [0, 1, 2]) await leveraged(world, owner);
    await world.push({ BTC: atMarginCall });
    const report = await turn();
    expect(report).to.include({ atRisk: 3, liquidations: 2 });
    expect(report.failed).to.deep.equal([{ account: bad, reason: "MulticallNested" }]);
    const tries: boolean[] = [];
    for (let block = 0; block < 12; block += 1) {
      const before = calls;
      const { skipped } = await turn();
      tries.push(calls > before);
      if (calls === before) expect(skipped).to.deep.equal([{ account: bad, reason: "backingOff" }]);
      await world.connection.networkHelpers.mine(1);
    }
    const tried = tries.flatMap((isTried, block) => (isTried ? [block] : []));
    expect(tried.map((block, i) => block - (tried[i - 1] ?? 0)).slice(1)).to.deep.equal([2, 4]);
  });

  it("leaves an account alone while its price is stale, says so, and comes back with the new price", async () => {
    const { world, turn, lines } = await scene();
    const account = await leveraged(world, 0);
    await world.push({ BTC: atMarginCall });
    await world.passTime(Number(world.parameters.vault.maxPriceAgeSeconds) + 1);
    const skipped = [{ account, reason: "stalePrice" as const }];
    expect(await turn()).to.deep.equal({ checked: 1, atRisk: 1, ...quiet, skipped });
    expect(told(lines, "left alone")).to.have.length(1);
    expect(told(lines, "left alone")[0]).to.include({ level: 30, account, reason: "stalePrice" });
    expect(await turn()).to.deep.equal({ checked: 1, atRisk: 1, ...quiet, skipped });
    expect(
      told(lines, "left alone").map(({ level }) => level),
      "told once",
    ).to.deep.equal([30, 20]);

    await world.refresh();
    expect(await turn()).to.include({ atRisk: 1, liquidations: 1 });
  });

  it("leaves the keeper's own account alone: no reward goes to the target", async () => {
    const { world, turn, lines, keeper } = await scene();
    expect(await leveraged(world, keeperIndex)).to.equal(keeper.account);
    const other = await leveraged(world, keeperIndex, 1);
    await world.push({ BTC: "7400" }); // so low that the reward for the other one does not save it
    const skipped = [{ account: keeper.account, reason: "rewardToSelf" as const }];
    expect(await turn()).to.deep.equal({ checked: 2, atRisk: 2, ...quiet, liquidations: 1, skipped, acted: [other] });
    expect((await world.ballast.health(other)).isLiquidatable).to.equal(false);
    expect(told(lines, "left alone").map(({ reason }) => reason)).to.deep.equal(["rewardToSelf"]);
  });

  it("reports a send that fails, and tries again in the next turn without a new price", async () => {
    let isBroke = true;
    const { world, turn, lines } = await scene({ signer: broke(() => isBroke) });
    const account = await leveraged(world, 0);
    await world.push({ BTC: atMarginCall });
    const failed = [{ account, reason: "INSUFFICIENT_FUNDS" }];
    expect(await turn()).to.deep.equal({ checked: 1, atRisk: 1, ...quiet, failed, acted: [account] });
    expect(told(lines, "failed")).to.have.length(1);
    expect(told(lines, "failed")[0]).to.include({ action: "liquidate", account, reason: "INSUFFICIENT_FUNDS" });
    isBroke = false;
    expect(await turn()).to.deep.equal({ checked: 1, atRisk: 1, ...quiet, liquidations: 1, acted: [account] });
  });

  it("reports a simulation that fails by the contract's error, and sends nothing", async () => {
    let isLate = false;
    let sent = 0;
    const { world, turn } = await scene({
      signer: (signer, { push }) =>
        intercept<EthersSigner>(signer, {
          async call(transaction) {
            if (isLate) await push({ BTC: "8000" }); // the account is healthy again when the keeper comes
            return signer.call(transaction);
          },
          sendTransaction(transaction) {
            sent += 1;
            return signer.sendTransaction(transaction);
          },
        }),
    });
    const account = await leveraged(world, 0);
    await world.push({ BTC: atMarginCall });
    isLate = true;
    const failed = [{ account, reason: "AccountHealthy" }];
    expect(await turn()).to.deep.equal({ checked: 1, atRisk: 1, ...quiet, failed, acted: [account] });
    expect(sent).to.equal(0);
  });

  it("reports a transaction that reverts after it was sent, and counts its nonces on", async () => {
    let isLate = true;
    const { world, turn } = await scene({
      signer: (signer, { push }) =>
        intercept<EthersSigner>(signer, {
          async sendTransaction(transaction) {
            if (isLate) await push({ BTC: "8000" });
            return signer.sendTransaction(transaction);
          },
        }),
    });
    const account = await leveraged(world, 0);
    await world.push({ BTC: atMarginCall });
    const failed = [{ account, reason: "AccountHealthy" }];
    expect(await turn()).to.deep.equal({ checked: 1, atRisk: 1, ...quiet, failed, acted: [account] });
    isLate = false;
    await world.push({ BTC: atMarginCall });
    expect(await turn()).to.deep.equal({ checked: 1, atRisk: 1, ...quiet, liquidations: 1, acted: [account] });
  });

  it("forgets nobody when a turn breaks off because the node does not answer", async () => {
    let isGone = false;
    const { world, turn } = await scene({
      node: (node) => ({
        send(method, params) {
          if (!isGone || method !== "eth_call") return node.send(method, params);
          return Promise.reject(Object.assign(new Error("refused"), { code: "ECONNREFUSED" }));
        },
      }),
    });
    const account = await leveraged(world, 0);
    await world.push({ BTC: atMarginCall });
    isGone = true;
    const error: unknown = await turn().catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(Error).and.have.property("message").that.includes("refused");
    isGone = false;
    expect(await turn()).to.deep.equal({ checked: 1, atRisk: 1, ...quiet, liquidations: 1, acted: [account] });
  });

  it("has done its work where only its audit cannot be made, and says so", async () => {
    let isGone = false;
    const healths = MarginVault__factory.createInterface().getFunction("healths").selector;
    const { world, keeper, turn, lines } = await scene({
      node: (node) => ({
        send(method, params) {
          const [call] = params as [{ data?: string }];
          if (!isGone || call.data?.startsWith(healths) !== true) return node.send(method, params);
          return Promise.reject(Object.assign(new Error("refused"), { code: "ECONNREFUSED" }));
        },
      }),
    });
    const account = await leveraged(world, 0);
    await world.push({ BTC: atMarginCall });
    const audited = keeper.audited?.block ?? 0;
    isGone = true;
    expect(await turn()).to.deep.equal({ checked: 1, atRisk: 1, ...quiet, liquidations: 1, acted: [account] });
    expect(told(lines, "audit could not be made")[0]).to.include({ error: "ECONNREFUSED" });
    expect(keeper.audited).to.deep.equal({ block: audited, agrees: true });
  });

  it("refuses the node of another chain than the deployment's", async () => {
    const world = await createWorld();
    const { keeper } = await keeperIn({ ...world, deployment: { ...world.deployment, chainId: 1 } });
    const error: unknown = await keeper.onBlock().catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(WrongChainError).and.include({ expected: 1, actual: 31337 });
  });

  it("sends nothing that costs more than its policy lets it, and nothing of which it does not know what it costs", async () => {
    const world = await createWorld();
    const account = await leveraged(world, 0);
    const { address } = world.signers[keeperIndex]!;
    await world.push({ BTC: atMarginCall });
    const sent = await world.ballast.provider.getTransactionCount(address);
    const [dear, unknown, cheap] = await Promise.all([
      keeperIn(world, {
        options: { policy: { minimumProfitWad: 0n, unknownProfit: "skip", gasToken: { priceWad: WAD * 10n ** 12n } } },
      }),
      keeperIn(world, { options: { policy: { minimumProfitWad: 0n, unknownProfit: "skip" } } }),
      keeperIn(world, { options: { policy: { minimumProfitWad: 0n, unknownProfit: "skip", gasToken: { asset: 2 } } } }),
    ]);
    expect((await dear.turn()).skipped).to.deep.equal([{ account, reason: "unprofitable" }]);
    expect((await unknown.turn()).skipped).to.deep.equal([{ account, reason: "unknownProfit" }]);
    expect(await world.ballast.provider.getTransactionCount(address)).to.equal(sent);
    expect(await cheap.turn()).to.include({ liquidations: 1 });
  });

  describe("with ETH read from an aggregator", () => {
    const E8 = 10n ** 8n;

    /** A mixed world with an account that is long 50 ETH on 1,000 of margin. */
    async function enter(between?: Between) {
      const { world, aggregator } = await deployMixedWorld(await hre.network.create());
      const owner = world.signers[0]!;
      const account = await world.fund(owner, { USDC: "1000" });
      await (await world.as(owner)).trade(account, "ETH", "50");
      const { time } = world.connection.networkHelpers;
      const answer = async (price: string) => {
        await (await aggregator.setAnswer(BigInt(price) * E8, await time.latest())).wait();
      };
      return { ...(await sceneIn(world, between)), aggregator, account, answer };
    }

    it("liquidates when the aggregator tells a lower price, though no event does", async () => {
      const { world, turn, account, answer } = await enter();
      await answer("184");
      expect(await turn()).to.deep.equal({ checked: 1, atRisk: 1, ...quiet, liquidations: 1, acted: [account] });
      expect((await world.ballast.health(account)).isLiquidatable).to.equal(false);
    });

    it("stores the aggregator's price as time goes, so that the last good one is not old when the aggregator dies", async () => {
      const { world, turn, lines, aggregator, answer } = await enter();
      await world.passTime(1000);
      await answer("190");
      await turn();
      expect(told(lines, "prices stored").map(({ assets }) => assets)).to.deep.equal(["1 96"]);
      await (await aggregator.setConduct(conducts.reverts, 0, 0)).wait();
      expect(await world.ballast.price("ETH")).to.include({ priceWad: 190n * WAD, isFresh: false });
      await turn();
      expect(told(lines, "prices stored")).to.have.length(1);
    });

    it("reports a price that it could not store, and tries again in the next turn", async () => {
      let isBroke = true;
      const { world, turn, lines, answer } = await enter({ signer: broke(() => isBroke) });
      await world.passTime(1000);
      await answer("199");
      expect((await turn()).failed).to.deep.equal([]);
      const [failed] = told(lines, "failed");
      expect(failed).to.deep.include({ action: "refresh", assets: "1 96", reason: "INSUFFICIENT_FUNDS" });
      expect(told(lines, "failed"), "one by one, where nothing can be sent").to.have.length(1);
      isBroke = false;
      await turn();
      expect(told(lines, "prices stored")).to.have.length(1);
      await turn();
      expect(told(lines, "prices stored")).to.have.length(1);
    });

    it("stores one by one what is refused together, so that no price keeps the others old, and says which was refused", async () => {
      const { world, turn, lines, answer } = await enter();
      const { connection, ballast } = world;
      const link = 2;
      const pyth = await deployPyth(connection);
      await bring(connection, pyth, { price: 4n * E8 });
      await (await ballast.oracle.setPyth(pyth)).wait();
      const bounds = [ethId, WAD, 20n * WAD] as const;
      await (await ballast.oracle.setPythFeed(link, WAD / 1000n, 60, WAD / 100n, ...bounds)).wait();
      await world.passTime(1000);
      await answer("199");
      // Too uncertain: it says what LINK is worth, and is not stored.
      await bring(connection, pyth, { price: 5n * E8, confidence: E8 });
      await turn();
      const stored = () => told(lines, "prices stored").map(({ assets }) => assets);
      expect(stored()).to.deep.equal(["1", "96"]);
      expect(told(lines, "failed").map(({ action, assets, reason }) => [action, assets, reason])).to.deep.equal([
        ["refresh", "1 2 96", "FeedRefused"],
        ["refresh", String(link), "FeedRefused"],
      ]);
      await bring(connection, pyth, { price: 5n * E8 });
      await turn();
      expect(stored()).to.deep.equal(["1", "96", String(link)]);
    });

    it("stores a price in the sequencer's grace time too, though it is good for reducing only", async () => {
      const { world, turn, lines, answer } = await enter();
      const { time } = world.connection.networkHelpers;
      const uptime = await deployAggregator(world.connection, 0, 0n);
      await (await world.ballast.oracle.setSequencer(await uptime.getAddress(), 1800)).wait();
      await world.passTime(1000);
      await (await uptime.setAnswer(1n, await time.latest())).wait();
      await answer("199");
      expect(await world.ballast.price("ETH")).to.include({ isReduceOnly: true, inGrace: true });
      await turn();
      expect(told(lines, "prices stored").map(({ assets }) => assets)).to.deep.equal(["1 96"]);
    });
  });

  describe("with BTC pushed and checked against an aggregator", () => {
    const E8 = 10n ** 8n;
    const btc = 0;

    async function enter() {
      const world = await createWorld();
      const aggregator = await deployAggregator(world.connection, 8, 8000n * E8);
      const source = [await aggregator.getAddress(), WAD, 100_000n * WAD] as const;
      await (await world.ballast.oracle.setSecondChainlinkFeed(btc, 86_400, WAD / 100n, ...source)).wait();
      const account = await leveraged(world, 0);
      const { time } = world.connection.networkHelpers;
      const answer = async (price: string) => {
        await (await aggregator.setAnswer(BigInt(price) * E8, await time.latest())).wait();
      };
      return { ...(await sceneIn(world)), account, answer };
    }

    it("waits while both are apart, and liquidates when the aggregator agrees, though no event tells", async () => {
      const { world, turn, lines, account, answer } = await enter();
      await world.push({ BTC: atMarginCall });
      expect((await turn()).liquidations).to.equal(0);
      expect(told(lines, "failed")).to.deep.equal([]);
      await answer(atMarginCall);
      expect(await turn()).to.deep.equal({ checked: 1, atRisk: 1, ...quiet, liquidations: 1, acted: [account] });
      expect((await world.ballast.health(account)).isLiquidatable).to.equal(false);
    });

    it("tries to store no price on which only one source has a say", async () => {
      const { world, turn, lines, answer } = await enter();
      await world.passTime(3601);
      await answer("8010");
      expect(await world.ballast.price("BTC")).to.include({ priceWad: 8010n * WAD, isReduceOnly: true });
      await turn();
      expect([told(lines, "prices stored"), told(lines, "failed")]).to.deep.equal([[], []]);
    });

    it("stores a price pushed long after the last that both agreed on, once the aggregator agrees", async () => {
      const { world, turn, lines, answer } = await enter();
      const agreed = async () => decodePrice((await world.ballast.oracle.secondSource(btc)).agreed);
      await world.passTime(1000);
      await world.push({ BTC: "8200" });
      await turn();
      expect((await agreed()).priceWad).to.equal(8000n * WAD);
      await answer("8200");
      await turn();
      expect((await agreed()).priceWad).to.equal(8200n * WAD);
      await turn();
      expect(told(lines, "prices stored").map(({ assets }) => assets)).to.deep.equal([String(btc)]);
      expect(told(lines, "failed")).to.deep.equal([]);
    });
  });

  it("leaves an account above zero alone in the sequencer's grace time, without a word to the chain, and then liquidates it", async () => {
    const world = await createWorld();
    const { time } = world.connection.networkHelpers;
    const uptime = await deployAggregator(world.connection, 0, 0n);
    await (await uptime.setAnswer(1n, await time.latest())).wait();
    const account = await leveraged(world, 0);
    await (await world.ballast.oracle.setSequencer(await uptime.getAddress(), 1800)).wait();
    await world.push({ BTC: atMarginCall });
    const { turn, lines, keeper } = await sceneIn(world);
    const { provider } = world.ballast;
    const address = world.signers[keeperIndex]!.address;
    const sent = await provider.getTransactionCount(address);
    for (let i = 0; i < 3; i += 1) {
      await world.passTime(61);
      expect((await turn()).skipped).to.deep.equal([{ account, reason: "sequencerGrace" }]);
    }
    expect([await provider.getTransactionCount(address), told(lines, "failed")]).to.deep.equal([sent, []]);
    await (await uptime.setAnswer(0n, await time.latest())).wait();
    await world.passTime(1800);
    expect((await turn()).liquidations).to.equal(1);
    expect(keeper.account).to.equal(accountId(address));
  });
});
