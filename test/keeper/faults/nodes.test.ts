import { expect } from "chai";

import { headAt, drop, hang, honest, throttled, broken, babbling, only, type Conduct } from "../proxy.js";
import { MarginVault__factory } from "../../../typechain-types/index.js";
import { until } from "../until.js";
import { type FaultScene, atRiskPrice, meanings, keeperWallet, openScene, rawsOf } from "./scene.js";

describe("faults: nodes", () => {
  let scene: FaultScene;
  before(async () => (scene = await openScene(3)));
  after(() => scene?.close());
  beforeEach(() => scene.reset());

  /** Two nodes, the first of which is asked first. */
  const both = () => scene.proxies.map(({ url, ws }) => ({ url, ws }));
  const everybodyOnce = async () => expect(await scene.liquidated()).to.deep.equal(scene.poor.toSorted());

  const faults: Readonly<Record<string, Conduct>> = {
    "breaks off connections": drop,
    "does not answer": hang,
    "answers 429": throttled,
    "answers 502": broken,
    "answers no JSON": babbling,
    "tells of a head that it does not have": headAt(1),
    "tells of a head far away": headAt(1_000),
    "does not give blocks": only("eth_getBlockByNumber", async () => ({ result: null })),
    "refuses each call": only("eth_call", async () => ({ error: { code: -32005, message: "limit exceeded" } })),
    "does not take transactions": only("eth_sendRawTransaction", drop),
    "takes transactions and says nothing": only("eth_sendRawTransaction", async (_, pass) => {
      await pass();
      return { fault: "drop" };
    }),
  };
  for (const [what, conduct] of Object.entries(faults)) {
    it(`one ${what}: everybody is liquidated in the same turn, with the other`, async () => {
      const { turn } = await scene.keeper({ nodes: { endpoints: both(), timeoutMs: 1_500 } });
      await turn();
      await scene.world.push({ BTC: atRiskPrice });
      scene.proxies[0].conduct = conduct;
      const { acted, skipped } = await turn();
      expect([acted.toSorted(), skipped]).to.deep.equal([scene.poor.toSorted(), []]);
      await everybodyOnce();
    });
  }

  it("one replays an old head, at which nobody is at risk: the other is believed", async () => {
    const { turn } = await scene.keeper({ nodes: { endpoints: both() } });
    const old = await scene.node.provider.send("eth_getBlockByNumber", ["latest", false]);
    await turn();
    await scene.world.push({ BTC: atRiskPrice });
    scene.proxies[0].conduct = async (call, pass) => {
      if (call.method === "eth_blockNumber") return { result: old.number };
      return call.method === "eth_getBlockByNumber" && call.params[0] === "latest" ? { result: old } : pass();
    };
    expect((await turn()).acted).to.have.length(3);
    await everybodyOnce();
  });

  it("one leaves out logs of the vault: that turn fails, and the next asks the other", async () => {
    const { turn, keeper } = await scene.keeper({ nodes: { endpoints: both() } });
    await turn();
    await scene.world.fund(scene.world.signers[0]!, { USDC: "1" }, 1_000);
    await scene.world.push({ BTC: atRiskPrice });
    scene.proxies[0].conduct = only("eth_getLogs", async () => ({ result: [] }));
    const failed = await keeper.onBlock().catch((error: unknown) => (error as Error).name);
    expect(failed).to.equal("BookDiffersError");
    expect((await turn()).skipped).to.deep.equal([]);
    await everybodyOnce();
  });

  it("one tells figures that its logs do not come to: the books are built anew from the other", async () => {
    const { turn, metrics } = await scene.keeper({ nodes: { endpoints: both() } });
    const [liar] = scene.proxies;
    await scene.world.push({ BTC: "7600" });
    const selector = MarginVault__factory.createInterface().getFunction("healths").selector;
    liar.conduct = async (call, pass) => {
      const answer = await pass();
      const { data } = (call.params[0] ?? {}) as { data?: string };
      if (call.method !== "eth_call" || data?.startsWith(selector) !== true) return answer;
      return { result: String(answer.result).replace(/[^x](?=.{256}$)/, "f") };
    };
    await turn();
    expect([metrics.values["audit"], metrics.counts["resyncs"]]).to.deep.equal([0, 1]);
    liar.seen.length = 0;
    await scene.world.push({ BTC: atRiskPrice });
    await turn();
    expect([metrics.values["audit"], metrics.counts["resyncs"], liar.count("eth_getLogs")]).to.deep.equal([1, 1, 0]);
    await everybodyOnce();
  });

  for (const requests of [1, 2, 3, 5, 8, 13, 21]) {
    it(`one breaks off after ${requests} requests of a turn: the other takes over`, async () => {
      const { turn } = await scene.keeper({ nodes: { endpoints: both() } });
      await turn();
      await scene.world.push({ BTC: atRiskPrice });
      let left = requests;
      scene.proxies[0].conduct = async (call, pass) => (left-- > 0 ? pass() : drop(call, pass));
      expect((await turn()).skipped).to.deep.equal([]);
      await everybodyOnce();
    });
  }

  it("none answers for a while: the turn fails, nothing is lost, and a later one does it all", async () => {
    const { turn, keeper } = await scene.keeper({ nodes: { endpoints: both() } });
    await turn();
    await scene.world.push({ BTC: atRiskPrice });
    for (const proxy of scene.proxies) proxy.conduct = throttled;
    const failed = await keeper.onBlock().catch((error: unknown) => (error as Error).name);
    expect(failed).to.equal("NoNodeError");
    for (const proxy of scene.proxies) proxy.conduct = honest;
    expect((await turn()).acted).to.have.length(3);
    await everybodyOnce();
  });

  it("none takes transactions for a while: they are under way, and are sent as they are when nodes are back", async () => {
    const { turn, hands } = await scene.keeper({ lane: { waitMs: 50 } });
    await turn();
    await scene.world.push({ BTC: atRiskPrice });
    const [proxy] = scene.proxies;
    proxy.conduct = only("eth_sendRawTransaction", drop);
    await turn();
    expect([...hands.underWay()].toSorted()).to.deep.equal(scene.poor.toSorted());
    const { skipped } = await turn();
    expect(skipped.map(({ reason }) => reason)).to.deep.equal(["underWay", "underWay", "underWay"]);
    proxy.conduct = honest;
    await until(async () => (await scene.liquidatable()).length === 0, "nobody liquidatable");
    await everybodyOnce();
    expect([...meanings(rawsOf(proxy), keeperWallet().address).values()].map(({ size }) => size)).to.deep.equal([1]);
  });

  it("the websocket drops: polling wakes the keeper meanwhile", async () => {
    const { turn, pool, metrics } = await scene.keeper({ nodes: { endpoints: both(), retryMs: 60_000 } });
    await turn();
    let wakes = 0;
    const stop = pool.onWake(() => (wakes += 1));
    await until(() => scene.proxies[0].sockets.size === 1 && scene.proxies[1].sockets.size === 1, "two websockets");
    for (const { sockets } of scene.proxies) for (const socket of sockets) socket.destroy();
    await until(() => (metrics.counts[`websocket_troubles ${scene.proxies[0].url}`] ?? 0) > 0, "the loss");
    await scene.world.push({ BTC: atRiskPrice });
    const before = wakes;
    await until(() => wakes > before, "a wake");
    stop();
    expect((await turn()).acted).to.have.length(3);
    await everybodyOnce();
  });

  it("the chain takes five blocks back, with the liquidations: they are there again, once", async () => {
    const { turn, keeper, hands, metrics } = await scene.keeper({ lane: { waitMs: 50 } });
    await scene.world.push({ BTC: atRiskPrice });
    const snapshot = await scene.node.snapshot();
    await turn();
    await scene.node.mine(4);
    await turn();
    await scene.node.revert(snapshot);
    expect(await scene.liquidatable()).to.have.length(3);
    await scene.node.automine(false);
    await scene.node.mine(6); // other blocks, and one more
    expect((await turn()).skipped).to.deep.equal([]);
    expect(metrics.counts["transactions takenBack"]).to.equal(1);
    expect((await turn()).skipped.map(({ reason }) => reason)).to.deep.equal(["underWay", "underWay", "underWay"]);
    await scene.node.mine();
    await until(() => hands.underWay().size === 0, "nothing under way");
    await everybodyOnce();
    await keeper.onBlock();
    expect(await scene.liquidatable()).to.deep.equal([]);
    expect(new Set(rawsOf(scene.proxies[0])).size).to.equal(1);
  });
});
