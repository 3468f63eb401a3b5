import { expect } from "chai";
import { Transaction, parseEther } from "ethers";

import {
  BroadcastRefusedError,
  BroadcastUnknownError,
  NoNodeError,
  PoolProvider,
  type PoolOptions,
  RpcPool,
} from "../../../keeper/rpc/index.js";
import { testKey } from "../../helpers/keys.js";
import { failure } from "../../helpers/revert.js";
import { keptLog } from "../../helpers/keeper.js";
import { Tally } from "../tally.js";
import { until } from "../until.js";
import { type LocalNode, startNode } from "../node.js";
import {
  type Conduct,
  type Proxy,
  babbling,
  broken,
  drop,
  hang,
  headAt,
  honest,
  only,
  openProxy,
  throttled,
} from "../proxy.js";

const chainId = 31337;
/** For nodes that hang; long enough for one that does not. */
const timeoutMs = 1_500;

describe("rpc pool", () => {
  let node: LocalNode;
  let [first, second]: Proxy[] = [];
  let metrics: Tally;
  let pools: RpcPool[];
  let a: Proxy;
  let b: Proxy;

  before(async () => {
    node = await startNode();
    await node.mine(10);
    first = await openProxy(node.url);
    second = await openProxy(node.url);
  });
  after(async () => {
    await first?.close();
    await second?.close();
    await node.close();
  });
  beforeEach(() => {
    a = first!;
    b = second!;
    for (const proxy of [a, b]) {
      proxy.conduct = honest;
      proxy.isMute = false;
      proxy.seen.length = 0;
    }
    metrics = new Tally();
    pools = [];
  });
  afterEach(async () => {
    for (const pool of pools) await pool.close();
  });

  function open(options: Partial<PoolOptions> = {}): RpcPool {
    const pool = new RpcPool({
      endpoints: [{ url: a.url }, { url: b.url }],
      chainId,
      pollMs: 20,
      log: keptLog().log,
      metrics,
      ...options,
    });
    pools.push(pool);
    return pool;
  }
  const alone = () => open({ endpoints: [{ url: a.url }] });
  const troubles = (proxy: Proxy, trouble: string) => metrics.counts[`rpc_troubles ${proxy.url} ${trouble}`] ?? 0;
  const head = () => node.provider.getBlockNumber();
  let nonce = 0;
  async function transfer(changes: { nonce?: number; value?: bigint; maxFeePerGas?: bigint } = {}): Promise<string> {
    const key = testKey(3);
    nonce = await node.provider.getTransactionCount(key.address, "pending");
    const fees = { maxFeePerGas: parseEther("0.0000001"), maxPriorityFeePerGas: 1n };
    return key.signTransaction({ type: 2, chainId, nonce, to: key.address, gasLimit: 21_000n, ...fees, ...changes });
  }

  describe("a node with a chain of its own making", () => {
    /** Has blocks of its own far above the head, and stands by them. */
    const madeUp =
      (height: number): Conduct =>
      async (call, pass) => {
        const number = `0x${height.toString(16)}`;
        const [asked] = call.params;
        if (call.method !== "eth_getBlockByNumber" || (asked !== "latest" && asked !== number)) return pass();
        return { result: { number, hash: `0x${"ab".repeat(32)}`, timestamp: "0x7fffffff" } };
      };

    it("is asked last once it was doubted, and those that it made look late are asked again", async () => {
      const pool = open();
      const far = (await head()) + 1_000;
      a.conduct = madeUp(far);
      expect(await pool.pin()).to.equal(far);
      pool.doubt("its logs are not of its blocks");
      expect(troubles(a, "lies")).to.equal(1);
      for (let turn = 0; turn < 3; turn += 1) expect(await pool.pin()).to.equal(await head());
      await pool.send("eth_chainId", []);
      expect([a.count("eth_chainId"), b.count("eth_chainId")]).to.deep.equal([0, 1]);
    });

    it("is asked all the same where no other answers", async () => {
      const pool = open();
      await pool.pin();
      pool.doubt("its logs are not of its blocks");
      b.conduct = drop;
      await pool.pin().catch(() => undefined); // finds out about the other
      expect(await pool.pin()).to.equal(await head());
    });
  });

  it("asks the first node while it is well, and no other", async () => {
    const pool = open();
    await pool.send("eth_chainId", []);
    await pool.send("eth_chainId", []);
    expect([a.count("eth_chainId"), b.count("eth_chainId")]).to.deep.equal([2, 0]);
  });

  const faults: Readonly<Record<string, { conduct: Conduct; trouble: string }>> = {
    "drops the connection": { conduct: drop, trouble: "unreachable" },
    "does not answer in time": { conduct: hang, trouble: "timeout" },
    "wants fewer requests": { conduct: throttled, trouble: "throttled" },
    "wants fewer requests, by JSON-RPC": {
      conduct: async () => ({ error: { code: -32005, message: "limit exceeded" } }),
      trouble: "throttled",
    },
    "fails inside": { conduct: broken, trouble: "serverError" },
    "says something that is no JSON": { conduct: babbling, trouble: "badAnswer" },
    "answers nothing": { conduct: async () => ({}), trouble: "badAnswer" },
  };
  for (const [what, { conduct, trouble }] of Object.entries(faults)) {
    it(`goes to the next node, and stays there, where one ${what}`, async () => {
      const pool = open({ timeoutMs });
      a.conduct = conduct;
      expect(await pool.send("eth_chainId", [])).to.equal("0x7a69");
      expect(await pool.send("eth_chainId", [])).to.equal("0x7a69");
      expect([a.count("eth_chainId"), b.count("eth_chainId")]).to.deep.equal([1, 2]);
      expect(troubles(a, trouble)).to.equal(1);
    });
  }

  it("says of each node what is wrong with it, where none answers", async () => {
    const pool = open();
    a.conduct = broken;
    b.conduct = throttled;
    const error = (await failure(() => pool.send("eth_chainId", []))) as NoNodeError;
    expect(error).to.be.instanceOf(NoNodeError);
    expect([error.method, error.troubles.map(({ endpoint, trouble }) => [endpoint, trouble])]).to.deep.equal([
      "eth_chainId",
      [
        [a.url, "serverError"],
        [b.url, "throttled"],
      ],
    ]);
  });

  it("asks nodes that it leaves alone after all, where there is no other", async () => {
    const pool = alone();
    a.conduct = throttled;
    expect(await failure(() => pool.send("eth_chainId", []))).to.be.instanceOf(NoNodeError);
    a.conduct = honest;
    expect(await pool.send("eth_chainId", [])).to.equal("0x7a69");
  });

  it("leaves a node alone as long as the node asks for", async () => {
    const pool = open();
    a.conduct = async () => ({ fault: "status", status: 429, retryAfter: "0" });
    await pool.send("eth_chainId", []);
    a.conduct = honest;
    await pool.pin();
    await pool.send("eth_chainId", []);
    expect([a.count("eth_chainId"), b.count("eth_chainId")]).to.deep.equal([2, 1]);
  });

  it("takes a refusal for an answer", async () => {
    const pool = open();
    const error = await failure(() => pool.send("eth_call", [{ to: testKey(0).address }, "nonsense"]));
    expect(error).not.to.be.instanceOf(NoNodeError);
    expect([a.count("eth_call"), b.count("eth_call")]).to.deep.equal([1, 0]);
  });

  it("shows no secret of an address", async () => {
    const secret = "5ecret";
    const pool = open({ endpoints: [{ url: `http://user:${secret}@127.0.0.1:9/${secret}?key=${secret}` }] });
    const error = (await failure(() => pool.send("eth_chainId", []))) as Error;
    expect(error.message).to.include("http://127.0.0.1:9").and.not.to.include(secret);
  });

  describe("chooses the node of a turn:", () => {
    it("the first of those with the best head", async () => {
      const pool = open();
      expect(await pool.pin()).to.equal(await head());
      await pool.send("eth_chainId", []);
      expect([a.count("eth_chainId"), b.count("eth_chainId")]).to.deep.equal([1, 0]);
    });

    it("none that replays an old head", async () => {
      const pool = open();
      a.conduct = async (call, pass) => {
        const number = `0x${((await head()) - 8).toString(16)}`;
        if (call.method !== "eth_getBlockByNumber" || call.params[0] !== "latest") return pass();
        return { result: await node.provider.send("eth_getBlockByNumber", [number, false]) };
      };
      expect(await pool.pin()).to.equal(await head());
      expect(troubles(a, "behind")).to.equal(1);
      await pool.send("eth_chainId", []);
      expect([a.count("eth_chainId"), b.count("eth_chainId")]).to.deep.equal([0, 1]);
    });

    it("none whose head is old by the time of the others", async () => {
      const pool = open({ freshBlocks: 100, freshSeconds: 3 });
      const old = await node.provider.send("eth_getBlockByNumber", ["latest", false]);
      await node.provider.send("evm_increaseTime", [100]);
      await node.mine();
      a.conduct = async (call, pass) => (call.params[0] === "latest" ? { result: old } : pass());
      await pool.pin();
      expect(troubles(a, "behind")).to.equal(1);
    });

    it("none that makes up a head, however little", async () => {
      for (const shift of [1, 1_000]) {
        const pool = open();
        a.conduct = headAt(shift);
        expect(await pool.pin()).to.equal(await head());
        await pool.send("eth_chainId", []);
        expect(a.count("eth_chainId")).to.equal(0);
      }
      expect(troubles(a, "lies")).to.equal(2);
    });

    it("one that is a block ahead in truth", async () => {
      const pool = open();
      const before = await node.provider.send("eth_getBlockByNumber", ["latest", false]);
      await node.mine();
      a.conduct = async (call, pass) => (call.params[0] === "latest" ? { result: before } : pass());
      expect(await pool.pin()).to.equal(await head());
      await pool.send("eth_chainId", []);
      expect([a.count("eth_chainId"), b.count("eth_chainId")]).to.deep.equal([0, 1]);
      expect([troubles(a, "behind"), troubles(b, "lies")]).to.deep.equal([0, 0]);
    });

    it("and does not wait for one that hangs", async () => {
      const pool = open({ timeoutMs: 60_000, headWaitMs: 20 });
      a.conduct = hang;
      expect(await pool.pin()).to.equal(await head());
      await pool.send("eth_chainId", []);
      expect(b.count("eth_chainId")).to.equal(1);
    });

    it("nobody, where the only one lies", async () => {
      const pool = alone();
      a.conduct = headAt(1);
      const error = (await failure(() => pool.pin())) as NoNodeError;
      expect(error.troubles.map(({ trouble }) => trouble)).to.deep.equal(["lies"]);
    });

    it("nobody, where no one answers", async () => {
      const pool = open();
      a.conduct = b.conduct = drop;
      const error = (await failure(() => pool.pin())) as NoNodeError;
      expect(error.troubles.map(({ trouble }) => trouble)).to.deep.equal(["unreachable", "unreachable"]);
    });
  });

  it("asks another node for what the pinned one does not have", async () => {
    const pool = open();
    await pool.pin();
    a.conduct = only("eth_call", async () => ({ error: { code: -32000, message: "header not found" } }));
    expect(await pool.send("eth_call", [{ to: testKey(0).address }, "latest"])).to.equal("0x");
    expect(troubles(a, "behind")).to.equal(0);
    expect(b.count("eth_call")).to.equal(1);
  });

  describe("gives a transaction to all nodes", () => {
    const sent = (proxy: Proxy) => proxy.count("eth_sendRawTransaction");

    it("and takes it that one already has it", async () => {
      await node.automine(false);
      const pool = open();
      const raw = await transfer();
      expect(await pool.broadcast(raw)).to.equal(Transaction.from(raw).hash);
      expect(await pool.broadcast(raw)).to.equal(Transaction.from(raw).hash);
      expect([sent(a), sent(b)]).to.deep.equal([2, 2]);
      await node.automine(true);
      await node.mine();
    });

    it("and is content with one that takes it", async () => {
      const pool = open();
      a.conduct = only("eth_sendRawTransaction", hang);
      const raw = await transfer();
      expect(await pool.broadcast(raw)).to.equal(Transaction.from(raw).hash);
    });

    it("and says why all refuse it", async () => {
      await (
        await testKey(3)
          .connect(node.provider)
          .sendTransaction({ to: testKey(3).address })
      ).wait();
      const pool = open();
      const refusals = {
        nonceTooLow: { nonce: 0 },
        insufficientFunds: { value: parseEther("1000000000") },
        other: { maxFeePerGas: 1n },
      };
      for (const [reason, changes] of Object.entries(refusals)) {
        const raw = await transfer(changes);
        const error = (await failure(() => pool.broadcast(raw))) as BroadcastRefusedError;
        expect(error, String(error)).to.be.instanceOf(BroadcastRefusedError);
        expect([error.reason, error.hash]).to.deep.equal([reason, Transaction.from(raw).hash]);
      }
    });

    it("and says that a place is taken where another transaction with its nonce pays more", async () => {
      await node.automine(false);
      const pool = open();
      await pool.broadcast(await transfer());
      const raw = await transfer({ nonce: nonce, value: 1n });
      const error = (await failure(() => pool.broadcast(raw))) as BroadcastRefusedError;
      expect([error.name, error.reason]).to.deep.equal(["BroadcastRefusedError", "underpriced"]);
      await node.automine(true);
      await node.mine();
    });

    it("and does not know of one that no node answered for", async () => {
      const pool = open({ timeoutMs });
      a.conduct = async (_, pass) => {
        await pass();
        return { fault: "drop" };
      };
      b.conduct = hang;
      const raw = await transfer();
      const error = (await failure(() => pool.broadcast(raw))) as BroadcastUnknownError;
      expect(error).to.be.instanceOf(BroadcastUnknownError);
      expect(error.hash).to.equal(Transaction.from(raw).hash);
      expect((await node.provider.getTransactionReceipt(error.hash))?.status).to.equal(1);
    });

    it("and does not believe a refusal while another node may have it", async () => {
      const pool = open({ timeoutMs });
      const raw = await transfer({ value: parseEther("1000000000") });
      b.conduct = hang;
      expect(await failure(() => pool.broadcast(raw))).to.be.instanceOf(BroadcastUnknownError);
    });
  });

  describe("wakes", () => {
    it("after the poll interval", async () => {
      const pool = open();
      let wakes = 0;
      const stop = pool.onWake(() => (wakes += 1));
      await until(() => wakes >= 3, "three wakes");
      stop();
    });

    it("when a node tells of a new head", async () => {
      const pool = open({ endpoints: [{ url: a.url, ws: a.ws }], pollMs: 1_000_000 });
      let wakes = 0;
      pool.onWake(() => (wakes += 1));
      await until(() => wakes > 0, "an answer to the subscription");
      const before = wakes;
      await node.mine();
      await until(() => wakes > before, "a wake by a new head");
    });

    const losses: Readonly<Record<string, () => void>> = {
      "breaks off": () => [...a.sockets].forEach((socket) => socket.destroy()),
      "falls silent": () => (a.isMute = true),
    };
    for (const [what, lose] of Object.entries(losses)) {
      it(`again after the websocket ${what}, and by polling meanwhile`, async () => {
        const pool = open({ endpoints: [{ url: a.url, ws: a.ws }], silenceMs: 150, retryMs: 10 });
        let wakes = 0;
        pool.onWake(() => (wakes += 1));
        await until(() => a.sockets.size === 1, "a connection");
        lose();
        const before = wakes;
        await until(() => (metrics.counts[`websocket_troubles ${a.url}`] ?? 0) > 0, "the loss");
        await until(() => wakes > before, "a wake without it");
        a.isMute = false;
        await until(() => a.sockets.size === 1, "a new connection");
      });
    }

    it("no more, and holds no connection, when nobody listens", async () => {
      const pool = open({ endpoints: [{ url: a.url, ws: a.ws }] });
      let wakes = 0;
      const stop = pool.onWake(() => (wakes += 1));
      await until(() => a.sockets.size === 1 && wakes > 0, "a connection");
      stop();
      const before = wakes;
      await until(() => a.sockets.size === 0, "no connection");
      expect(wakes).to.equal(before);
    });
  });

  it("is a provider of ethers, which moves to another node with it", async () => {
    const pool = open();
    const provider = new PoolProvider(pool, chainId);
    const raw = await transfer();
    const hash = await pool.broadcast(raw);
    a.conduct = drop;
    const receipt = await provider.getTransactionReceipt(hash);
    expect([receipt?.status, receipt?.hash]).to.deep.equal([1, hash]);
    expect(await provider.getBlockNumber()).to.equal(await head());
    provider.destroy();
  });
});
