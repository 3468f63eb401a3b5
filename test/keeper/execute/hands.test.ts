import { expect } from "chai";
import hre from "hardhat";

import { KeeperHands, type HandsDependencies } from "../../../keeper/execute/index.js";
import type { CallResult, PlannedCall } from "../../../keeper/parts.js";
import { RpcPool } from "../../../keeper/rpc/index.js";
import { MemoryStore } from "../../../keeper/store/index.js";
import { type AccountId, accountId } from "../../../sdk/index.js";
import { MarginVault__factory } from "../../../typechain-types/index.js";
import { type LogLine, keptLog } from "../../helpers/keeper.js";
import { testKey } from "../../helpers/keys.js";
import { type World, deployWorld } from "../../helpers/world.js";
import { Tally } from "../tally.js";
import { until } from "../until.js";
import { type LocalNode, startNode } from "../node.js";
import { type Proxy, drop, honest, only, openProxy } from "../proxy.js";

const vaultInterface = MarginVault__factory.createInterface();
const chainId = 31337;
const sendRaw = "eth_sendRawTransaction";
/** Keys of the keeper, none of which owns an account in the world. */
const keys = [15, 16, 17];

describe("hands", () => {
  let node: LocalNode;
  let proxy: Proxy;
  let world: World;
  let snapshot: string;
  let store: MemoryStore;
  let metrics: Tally;
  let lines: LogLine[];
  let opened: { close(): Promise<void> }[] = [];
  /** Accounts under water at a BTC price of 7,500, and one that is not. */
  let poor: AccountId[];
  let rich: AccountId;

  before(async () => {
    node = await startNode();
    proxy = await openProxy(node.url);
    const connection = await hre.network.create({ network: "localhost", override: { url: node.url } });
    world = await deployWorld(connection);
    const owner = world.signers[0]!;
    const client = await world.as(owner);
    poor = [];
    for (let index = 0; index < 5; index += 1) {
      poor.push(await world.fund(owner, { USDC: "1000" }, index));
      await client.trade(poor[index]!, "BTC", "1.4");
    }
    rich = await world.fund(owner, { USDC: "5000" }, 5);
    await client.trade(rich, "BTC", "1.4");
    await world.push({ BTC: "7500" });
    snapshot = await node.snapshot();
  });
  after(async () => {
    await proxy?.close();
    await node.close();
  });
  beforeEach(async () => {
    proxy.conduct = honest;
    proxy.seen.length = 0;
    await node.revert(snapshot);
    await node.automine(true);
    snapshot = await node.snapshot();
    store = new MemoryStore();
    metrics = new Tally();
    opened = [];
  });
  afterEach(async () => {
    for (const each of opened.toReversed()) await each.close();
  });

  function open(count = 1, changes: Partial<HandsDependencies> = {}): KeeperHands {
    const kept = keptLog();
    lines = kept.lines;
    const pool = new RpcPool({ endpoints: [{ url: proxy.url }], chainId, pollMs: 50, log: kept.log, metrics });
    const hands = new KeeperHands({
      signers: keys.slice(0, count).map(testKey),
      pool,
      chainId,
      store,
      log: kept.log,
      metrics,
      ...changes,
      policy: { pollMs: 20, ...changes.policy },
    });
    opened.push(pool, hands);
    return hands;
  }

  const liquidation = (account: AccountId, changes: Partial<PlannedCall> = {}): PlannedCall => ({
    kind: "liquidate",
    accounts: [account],
    to: world.deployment.vault,
    data: vaultInterface.encodeFunctionData("liquidatePosition", [
      account,
      0,
      10n ** 18n,
      accountId(world.deployment.pool),
    ]),
    gas: 200_000n,
    earnsWad: undefined,
    feeBudgetWei: undefined,
    canBatch: true,
    story: {},
    ...changes,
  });
  const kinds = (results: readonly CallResult[]) => results.map(({ kind }) => kind);
  const minedIn = (results: readonly CallResult[]) =>
    results.map((result) => (result.kind === "mined" ? result.receipt.hash : result.kind));
  const isLiquidatable = async (account: AccountId) => (await world.ballast.health(account)).isLiquidatable;
  const left = async () => {
    const all = await Promise.all(poor.map(isLiquidatable));
    return all.filter((each) => each).length;
  };

  it("has nothing to do with an empty plan", async () => {
    expect(await open().execute([])).to.deep.equal([]);
    expect(proxy.seen).to.deep.equal([]);
  });

  it("puts neighbours into one multicall, whose receipt each of them gets", async () => {
    const hands = open();
    const calls = poor.map((account) => liquidation(account));
    const results = await hands.execute(calls);
    expect(results.map(({ call }) => call)).to.deep.equal(calls);
    expect(kinds(results)).to.deep.equal(["mined", "mined", "mined", "mined", "mined"]);
    expect(new Set(minedIn(results)).size).to.equal(1);
    const [first] = results;
    if (first?.kind !== "mined") throw new Error("not mined");
    const events = first.receipt.logs.map((log) => vaultInterface.parseLog(log)?.name);
    expect(events.filter((name) => name === "PositionLiquidated")).to.have.length(5);
    expect([await left(), [...hands.underWay()]]).to.deep.equal([0, []]);
  });

  it("makes no multicall larger than the gas that it may use, nor of what may not be batched", async () => {
    const byGas = await open(1, { policy: { batchGas: 400_000n } }).execute(
      poor.map((account) => liquidation(account)),
    );
    expect([byGas.length, new Set(minedIn(byGas)).size, await left()]).to.deep.equal([5, 3, 0]);
    await node.revert(snapshot);
    snapshot = await node.snapshot();
    const single = await open().execute(poor.map((account) => liquidation(account, { canBatch: false })));
    expect([new Set(minedIn(single)).size, await left()]).to.deep.equal([5, 0]);
  });

  it("splits a multicall that is refused in halves, and tells the one to blame its error", async () => {
    const accounts = [poor[0]!, poor[1]!, rich, poor[2]!, poor[3]!, poor[4]!];
    const results = await open().execute(accounts.map((account) => liquidation(account)));
    expect(kinds(results)).to.deep.equal(["mined", "mined", "refused", "mined", "mined", "mined"]);
    expect(results[2]).to.include({ reason: "AccountHealthy" });
    expect(new Set(minedIn(results)).size).to.equal(3); // the two before it, itself, and the three behind it
    expect(await left()).to.equal(0);
  });

  it("gives each signer its share, so that one block takes all of it", async () => {
    const hands = open(3, { policy: { waitMs: 60_000 } });
    await node.automine(false);
    const running = hands.execute(poor.map((account) => liquidation(account, { canBatch: false })));
    const pendingOf = async () => (await node.provider.send("eth_getBlockByNumber", ["pending", false])).transactions;
    await until(async () => (await pendingOf()).length === 5, "five transactions that wait");
    await node.mine();
    const results = await running;
    const senders = results.map((result) => (result.kind === "mined" ? result.receipt.from : result.kind));
    expect(new Set(senders)).to.deep.equal(new Set(keys.map((key) => testKey(key).address)));
    const blocks = new Set(results.map((result) => (result.kind === "mined" ? result.receipt.blockNumber : 0)));
    expect([blocks.size, await left()]).to.deep.equal([1, 0]);
  });

  it("keeps what concerns one account in one lane, in its order", async () => {
    const part = (size: bigint) => ({
      canBatch: false,
      data: vaultInterface.encodeFunctionData("liquidatePosition", [
        poor[0]!,
        0,
        size,
        accountId(world.deployment.pool),
      ]),
    });
    const calls = [10n ** 16n, 2n * 10n ** 16n, 3n * 10n ** 16n].map((size) => liquidation(poor[0]!, part(size)));
    const results = await open(3).execute(calls);
    const told = results.map((result) => {
      if (result.kind !== "mined") return result.kind;
      const event = result.receipt.logs
        .map((log) => vaultInterface.parseLog(log))
        .find((log) => log?.name === "PositionLiquidated");
      return [result.receipt.from, -BigInt(event!.args["sizeDeltaWad"])];
    });
    const { address } = testKey(keys[0]!);
    expect(told).to.deep.equal([
      [address, 10n ** 16n],
      [address, 2n * 10n ** 16n],
      [address, 3n * 10n ** 16n],
    ]);
  });

  it("has another signer send what one cannot pay for", async () => {
    const empty = testKey(keys[0]!).address;
    await node.provider.send("hardhat_setBalance", [empty, "0x0"]);
    const results = await open(2).execute(poor.map((account) => liquidation(account, { canBatch: false })));
    const senders = results.map((result) => (result.kind === "mined" ? result.receipt.from : result.kind));
    expect(new Set(senders)).to.deep.equal(new Set([testKey(keys[1]!).address]));
    expect([await left(), store.openJournal().filter(({ signer }) => signer === empty)]).to.deep.equal([0, []]);
  });

  it("sends what moves the taker by the first signer", async () => {
    const settle = (account: AccountId): PlannedCall => ({
      ...liquidation(account, { canBatch: false, kind: "giveBack" }),
      data: vaultInterface.encodeFunctionData("settle", [account, 0]),
    });
    const results = await open(3).execute(poor.map((account) => settle(account)));
    const senders = results.map((result) => (result.kind === "mined" ? result.receipt.from : result.kind));
    expect(new Set(senders)).to.deep.equal(new Set([testKey(keys[0]!).address]));
  });

  it("halves the next batches of accounts whose multicall was mined and reverted", async () => {
    const hands = open();
    const calls = poor.slice(0, 4).map((account) => liquidation(account));
    const before = await node.snapshot();
    // Between simulation and block the price is back where nobody is liquidatable.
    proxy.conduct = only(sendRaw, async (_, pass) => {
      await world.push({ BTC: "8000" });
      return pass();
    });
    const results = await hands.execute(calls);
    expect(results.map((result) => (result.kind === "refused" ? result.reason : result.kind))).to.deep.equal(
      calls.map(() => "AccountHealthy"),
    );
    expect((results[0] as { detail: string }).detail).to.include("mined and reverted");
    proxy.conduct = honest;
    await world.push({ BTC: "7500" });
    const again = await hands.execute(calls);
    expect([new Set(minedIn(again)).size, kinds(again)]).to.deep.equal([2, ["mined", "mined", "mined", "mined"]]);
    await node.revert(before);
  });

  it("does not wait for ever: what is not mined is under way, and is looked after between plans", async () => {
    const hands = open(1, { policy: { waitMs: 100 } });
    await node.automine(false);
    const results = await hands.execute([liquidation(poor[0]!), liquidation(poor[1]!)]);
    expect(kinds(results)).to.deep.equal(["underWay", "underWay"]);
    expect(hands.underWay()).to.deep.equal(new Set([poor[0]!, poor[1]!]));
    await node.mine();
    await until(() => hands.underWay().size === 0, "nothing under way");
    expect(metrics.counts["transactions mined"]).to.equal(1);
  });

  it("tells of each call what went wrong with the nodes, and throws nothing", async () => {
    const hands = open();
    proxy.conduct = drop;
    const results = await hands.execute(poor.map((account) => liquidation(account)));
    expect(results.map((result) => (result.kind === "failed" ? result.reason : result.kind))).to.deep.equal(
      poor.map(() => "NoNodeError"),
    );
    proxy.conduct = honest;
    expect(kinds(await hands.execute([liquidation(poor[0]!)]))).to.deep.equal(["mined"]);
  });

  it("settles at the start what an earlier run left open, and says what it has no key for", async () => {
    const first = open(2);
    proxy.conduct = only(sendRaw, drop);
    const policy = { waitMs: 50 };
    opened.push(first);
    const results = await open(2, { policy }).execute(
      poor.slice(0, 2).map((account) => liquidation(account, { canBatch: false })),
    );
    expect(kinds(results)).to.deep.equal(["underWay", "underWay"]);
    for (const each of opened.splice(0).toReversed()) await each.close();
    proxy.conduct = honest;
    const later = open(1);
    await later.resume();
    await until(() => later.underWay().size === 0, "nothing under way");
    expect([await isLiquidatable(poor[0]!), await isLiquidatable(poor[1]!)]).to.deep.equal([false, true]);
    const told = lines.filter(({ msg }) => msg.includes("a signer that is not given"));
    expect(told.map((line) => line["signer"])).to.deep.equal([testKey(keys[1]!).address]);
  });

  it("sends nothing in a dry run, and says what it would", async () => {
    const hands = open(1, { isDryRun: true });
    await hands.resume();
    const results = await hands.execute([poor[0]!, rich, poor[1]!].map((account) => liquidation(account)));
    expect(kinds(results)).to.deep.equal(["wouldSend", "refused", "wouldSend"]);
    expect(results[1]).to.include({ reason: "AccountHealthy" });
    expect([proxy.count(sendRaw), store.openJournal(), await left()]).to.deep.equal([0, [], 5]);
  });
});
