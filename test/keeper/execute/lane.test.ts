import { expect } from "chai";
import { Transaction, parseEther } from "ethers";

import type { Sending } from "../../../keeper/execute/lane.js";
import type { LaneTransaction } from "../../../keeper/execute/transaction.js";
import type { AccountId } from "../../../sdk/index.js";
import type { JournalRecord } from "../../../keeper/parts.js";
import { StateWriteError } from "../../../keeper/store/index.js";
import { intercept } from "../../helpers/keeper.js";
import { testKey } from "../../helpers/keys.js";
import { drop, only, throttled } from "../proxy.js";
import { type LaneScene, type Stand, account, gwei, laneKey, openStand, sentBy } from "./laneScene.js";

const sendRaw = "eth_sendRawTransaction";

describe("lane", () => {
  let stand: Stand;
  let scene: LaneScene;
  before(async () => (stand = await openStand()));
  after(() => stand.close());
  beforeEach(async () => (scene = await stand.scene()));

  /** What the journal has open, by nonce. */
  const open = () => scene.store.openJournal().map(({ nonce, kind, versions }) => [nonce, kind, versions.length]);
  const underWay = (lane: { accountsUnderWay(): [AccountId, string][] }) =>
    lane.accountsUnderWay().map(([each]) => each);
  const outcomes = (outcome: string) => scene.metrics.counts[`transactions ${outcome}`];
  const feesOf = ({ last }: LaneTransaction) => last.fees;
  /** Somebody else who has the same key. */
  const stranger = () => testKey(laneKey).connect(scene.node.provider);
  const receiptOf = (transaction: LaneTransaction) => {
    if (transaction.fate === undefined || transaction.fate.kind === "lost") throw new Error("there is no receipt");
    return transaction.fate.receipt;
  };
  const fateOf = ({ fate }: LaneTransaction) => (fate?.kind === "lost" ? fate.reason : fate?.kind);

  /** Mines blocks whose base fee is above what waits. */
  async function mineDear(blocks: number, baseFee = 1_000n * gwei): Promise<void> {
    for (let block = 0; block < blocks; block += 1) {
      await scene.node.setBaseFee(baseFee);
      await scene.node.mine();
    }
  }

  it("1: sends what it is given at once in that order, with nonces that go up by one", async () => {
    const lane = scene.lane();
    await scene.node.automine(false);
    const first = await scene.nonce();
    const sendings = await Promise.all([1n, 2n, 3n, 4n].map((amount) => lane.send(scene.transfer(amount))));
    expect(sendings.map((sending) => sentBy(sending).nonce)).to.deep.equal([first, first + 1, first + 2, first + 3]);
    await scene.node.mine();
    await lane.look();
    expect(sendings.map((sending) => fateOf(sentBy(sending)))).to.deep.equal(["mined", "mined", "mined", "mined"]);
    expect(await scene.received()).to.equal(10n);
  });

  describe("2: the journal", () => {
    it("has the raw form before a node gets it, of a replacement too", async () => {
      const lane = scene.lane();
      const journalled: boolean[] = [];
      scene.proxy.conduct = only(sendRaw, ({ params }, pass) => {
        const raws = scene.store.openJournal().flatMap(({ versions }) => versions.map(({ raw }) => raw));
        journalled.push(raws.includes(String(params[0])));
        return pass();
      });
      await scene.node.automine(false);
      const transaction = sentBy(await lane.send(scene.transfer(1n)));
      await lane.look();
      await mineDear(3);
      await lane.look();
      expect(transaction.versions.length).to.equal(2);
      expect(open()).to.deep.equal([[transaction.nonce, "liquidate", 2]]);
      expect(new Set(journalled)).to.deep.equal(new Set([true]));
    });

    it("stays in memory while its disk is full, and is written once there is room", async () => {
      let isFull = true;
      const store = intercept(scene.store, {
        writeJournal(record: JournalRecord) {
          if (isFull) throw new StateWriteError("state.sqlite", true, new Error("database or disk is full"));
          scene.store.writeJournal(record);
        },
      });
      const lane = scene.lane({ store });
      const transaction = sentBy(await lane.send(scene.transfer(1n)));
      await lane.look();
      expect(fateOf(transaction)).to.equal("mined");
      expect(await scene.received()).to.equal(1n);
      expect([open(), scene.metrics.values["journal_durable"]]).to.deep.equal([[], 0]);
      expect(scene.lines.some(({ level, journal }) => level === 50 && journal === "memory")).to.equal(true);
      isFull = false;
      await lane.look();
      expect([open(), scene.metrics.values["journal_durable"]]).to.deep.equal([
        [[transaction.nonce, "liquidate", 1]],
        1,
      ]);
    });
  });

  describe("3: what the chain would refuse", () => {
    it("is not sent, takes no nonce, and its error is told by name and arguments", async () => {
      const lane = scene.lane();
      const nonce = await scene.nonce();
      const refused = await lane.send(scene.transfer(1_000_001n));
      expect(refused).to.deep.include({ kind: "refused", reason: "ERC20InsufficientBalance" });
      expect((refused as { detail: string }).detail)
        .to.include("1000001")
        .and.to.include("1000000");
      expect([scene.proxy.count(sendRaw), open()]).to.deep.equal([0, []]);
      expect(sentBy(await lane.send(scene.transfer(1n))).nonce).to.equal(nonce);
    });

    it("for want of gas is refused as well", async () => {
      const lane = scene.lane({ policy: { gasCap: 21_500n } });
      expect(await lane.send(scene.transfer(1n))).to.deep.include({ kind: "refused", reason: "gasCap" });
      expect(scene.proxy.count(sendRaw)).to.equal(0);
    });

    it("is found with the gas that it takes: the limit is a quarter more", async () => {
      const lane = scene.lane();
      const task = scene.transfer(1n);
      const gas = await scene.node.provider.estimateGas({ from: lane.address, to: task.to, data: task.data });
      const transaction = sentBy(await lane.send(task));
      expect(Transaction.from(transaction.last.raw).gasLimit).to.equal((gas * 5n) / 4n);
    });
  });

  it("4: waits for at most so many transactions", async () => {
    const lane = scene.lane({ policy: { inFlight: 2 } });
    await scene.node.automine(false);
    sentBy(await lane.send(scene.transfer(1n)));
    sentBy(await lane.send(scene.transfer(2n)));
    expect(lane.hasRoom).to.equal(false);
    expect(underWay(lane)).to.deep.equal([account(1), account(2)]);
    expect(await lane.send(scene.transfer(3n))).to.deep.include({ kind: "failed", reason: "laneFull" });
    await scene.node.mine();
    await lane.look();
    expect([lane.hasRoom, underWay(lane)]).to.deep.equal([true, []]);
    sentBy(await lane.send(scene.transfer(3n)));
  });

  describe("5: fees", () => {
    it("leave room for a base fee that doubles", async () => {
      await scene.node.setBaseFee(10n * gwei);
      await scene.node.mine();
      await scene.node.setBaseFee(10n * gwei);
      const { maxFeePerGas, maxPriorityFeePerGas: tip } = feesOf(sentBy(await scene.lane().send(scene.transfer(1n))));
      expect(maxFeePerGas - tip).to.be.within(17n * gwei, 20n * gwei);
      expect(tip > 0n).to.equal(true);
    });

    it("are never above the policy's largest price", async () => {
      const lane = scene.lane({ policy: { maxGasPriceWei: 3n * gwei } });
      await scene.node.setBaseFee(2n * gwei);
      await scene.node.mine();
      expect(feesOf(sentBy(await lane.send(scene.transfer(1n)))).maxFeePerGas).to.equal(3n * gwei);
    });

    it("for all of the expected gas are never above the budget", async () => {
      const lane = scene.lane();
      const { to, data } = scene.transfer(1n);
      const gas = await scene.node.provider.estimateGas({ from: lane.address, to, data });
      await scene.node.setBaseFee(2n * gwei);
      await scene.node.mine();
      const transaction = sentBy(await lane.send(scene.transfer(1n, { feeBudgetWei: 3n * gwei * gas + gas - 1n })));
      expect(feesOf(transaction).maxFeePerGas).to.equal(3n * gwei);
    });

    it("that do not pay for the next block keep a call from being sent", async () => {
      const lane = scene.lane({ policy: { maxGasPriceWei: gwei } });
      await scene.node.setBaseFee(100n * gwei);
      await scene.node.mine();
      expect(await lane.send(scene.transfer(1n))).to.deep.include({ kind: "failed", reason: "feeOverBudget" });
      expect([scene.proxy.count(sendRaw), open(), outcomes("overBudget")]).to.deep.equal([0, [], 1]);
    });
  });

  describe("6: what is not mined", () => {
    /** Sends so many and mines blocks that are too dear for them. */
    async function stuck(count: number, options: Parameters<LaneScene["lane"]>[0], blocks: number, budget?: bigint) {
      const lane = scene.lane(options);
      await scene.node.automine(false);
      const transactions: LaneTransaction[] = [];
      for (let amount = 1n; amount <= count; amount += 1n) {
        transactions.push(sentBy(await lane.send(scene.transfer(amount, { feeBudgetWei: budget }))));
      }
      await lane.look();
      for (let block = 0; block < blocks; block += 1) {
        await mineDear(1);
        await lane.look();
      }
      return { lane, transactions };
    }

    it("for so many blocks is replaced, with both fees at least 12.5% higher", async () => {
      const { lane, transactions } = await stuck(1, { policy: { maxGasPriceWei: 10_000n * gwei } }, 2);
      const [transaction] = transactions as [LaneTransaction];
      expect(transaction.versions.length).to.equal(1);
      await mineDear(1);
      await lane.look();
      const [old, replacement] = transaction.versions;
      expect([transaction.versions.length, open()]).to.deep.equal([2, [[transaction.nonce, "liquidate", 2]]]);
      for (const fee of ["maxFeePerGas", "maxPriorityFeePerGas"] as const) {
        expect(replacement!.fees[fee] * 8n >= old!.fees[fee] * 9n, fee).to.equal(true);
      }
      const meaning = ({ raw }: { raw: string }) => {
        const { nonce, to, data, value, gasLimit } = Transaction.from(raw);
        return { nonce, to, data, value, gasLimit };
      };
      expect(meaning(replacement!)).to.deep.equal(meaning(old!));
      await scene.node.mine();
      await lane.look();
      expect([fateOf(transaction), receiptOf(transaction).hash]).to.deep.equal(["mined", replacement!.hash]);
      expect(await scene.received()).to.equal(1n);
    });

    it("for so long is replaced after a block, and not without one", async () => {
      const { lane, transactions } = await stuck(1, { policy: { replaceBlocks: 1_000, replaceMs: 0 } }, 0);
      const [transaction] = transactions as [LaneTransaction];
      await lane.look();
      expect(transaction.versions.length).to.equal(1);
      await mineDear(1, 20n * gwei);
      await lane.look();
      expect(transaction.versions.length).to.equal(2);
    });

    it("is replaced where it is the lowest nonce, and waits behind it otherwise", async () => {
      const { lane, transactions } = await stuck(3, { policy: { maxGasPriceWei: 10_000n * gwei } }, 4);
      expect(transactions.map(({ versions }) => versions.length)).to.deep.equal([2, 1, 1]);
      await scene.node.setBaseFee(1n);
      await scene.node.mine();
      await lane.look();
      expect(transactions.map(fateOf)).to.deep.equal(["mined", "mined", "mined"]);
    });

    it("is counted as mined whichever of its versions was", async () => {
      const { lane, transactions } = await stuck(1, { policy: { maxGasPriceWei: 10_000n * gwei } }, 3);
      const [transaction] = transactions as [LaneTransaction];
      await scene.node.provider.send("hardhat_dropTransaction", [transaction.last.hash]);
      await scene.node.provider.send(sendRaw, [transaction.versions[0]!.raw]);
      await scene.node.setBaseFee(1n);
      await scene.node.mine();
      await lane.look();
      expect([fateOf(transaction), receiptOf(transaction).hash]).to.deep.equal([
        "mined",
        transaction.versions[0]!.hash,
      ]);
    });

    it("and is at its limit waits, which the log says once", async () => {
      const { lane, transactions } = await stuck(1, {}, 8, parseEther("0.0001"));
      const [transaction] = transactions as [LaneTransaction];
      expect([transaction.versions.length, fateOf(transaction)]).to.deep.equal([1, undefined]);
      expect(scene.lines.filter(({ msg }) => msg.includes("its fee is at its limit"))).to.have.length(1);
      await scene.node.setBaseFee(1n);
      await scene.node.mine();
      await lane.look();
      expect(fateOf(transaction)).to.equal("mined");
    });

    it("7: is cancelled where it is at its limit and others wait behind it", async () => {
      const budget = parseEther("0.001"); // one replacement goes up to it
      const { lane, transactions } = await stuck(2, { policy: { maxGasPriceWei: 10_000n * gwei } }, 6, budget);
      expect(transactions.map(({ last }) => last.isCancel)).to.deep.equal([true, false]);
      expect(open()[0]).to.deep.equal([transactions[0]!.nonce, "cancel", 3]);
      const cancel = Transaction.from(transactions[0]!.last.raw);
      expect([cancel.to, cancel.value, cancel.data]).to.deep.equal([lane.address, 0n, "0x"]);
      await scene.node.setBaseFee(1n);
      await scene.node.mine();
      await lane.look();
      expect(transactions.map(fateOf)).to.deep.equal(["cancelled", "mined"]);
      expect(await scene.received()).to.equal(2n);
      expect(outcomes("cancelled")).to.equal(1);
    });

    it("7: is cancelled where the chain would refuse it by now", async () => {
      const { lane, transactions } = await stuck(1, { policy: { maxGasPriceWei: 10_000n * gwei } }, 2);
      const [transaction] = transactions as [LaneTransaction];
      await scene.node.provider.send("hardhat_setCode", [transaction.to, "0x60006000fd"]);
      await mineDear(1);
      await lane.look();
      expect(transaction.last.isCancel).to.equal(true);
      await scene.node.mine();
      await lane.look();
      expect(fateOf(transaction)).to.equal("cancelled");
    });
  });

  it("8: has the journal open until what was mined is deep enough", async () => {
    const lane = scene.lane({ policy: { finalBlocks: 3 } });
    const transaction = sentBy(await lane.send(scene.transfer(1n)));
    await lane.look();
    expect(fateOf(transaction)).to.equal("mined");
    await scene.node.mine();
    await lane.look();
    expect([open(), lane.isIdle]).to.deep.equal([[[transaction.nonce, "liquidate", 1]], false]);
    await scene.node.mine();
    await lane.look();
    expect([open(), lane.isIdle]).to.deep.equal([[], true]);
  });

  describe("9: a reorg", () => {
    it("that takes receipts back has the same raw forms given to the nodes again, in their order", async () => {
      const lane = scene.lane();
      const snapshot = await scene.node.snapshot();
      const transactions = [1n, 2n, 3n].map(async (amount) => sentBy(await lane.send(scene.transfer(amount))));
      const sent = await Promise.all(transactions);
      await lane.look();
      expect(sent.map(fateOf)).to.deep.equal(["mined", "mined", "mined"]);
      await scene.node.revert(snapshot);
      await scene.node.mine(5);
      scene.proxy.seen.length = 0;
      await lane.look();
      const given = scene.proxy.seen.filter(({ method }) => method === sendRaw).map(({ params }) => params[0]);
      expect(given).to.deep.equal(sent.map(({ last }) => last.raw));
      await lane.look();
      expect(sent.map(fateOf)).to.deep.equal(["mined", "mined", "mined"]);
      expect([await scene.received(), outcomes("takenBack")]).to.deep.equal([6n, 3]);
    });

    it("says who is under way again", async () => {
      const lane = scene.lane();
      const snapshot = await scene.node.snapshot();
      sentBy(await lane.send(scene.transfer(1n)));
      await lane.look();
      expect(underWay(lane)).to.deep.equal([]);
      await scene.node.revert(snapshot);
      await scene.node.automine(false);
      await lane.look();
      expect(underWay(lane)).to.deep.equal([account(1)]);
    });
  });

  it("10: gives what a node has forgotten to it again at the next head", async () => {
    const lane = scene.lane();
    await scene.node.automine(false);
    const transaction = sentBy(await lane.send(scene.transfer(1n)));
    await lane.look();
    await scene.node.provider.send("hardhat_dropTransaction", [transaction.last.hash]);
    await scene.node.mine();
    await lane.look();
    await scene.node.mine();
    await lane.look();
    expect(fateOf(transaction)).to.equal("mined");
  });

  describe("11: after a restart", () => {
    /** Another lane, which knows nothing but the journal. */
    async function restarted(): Promise<ReturnType<LaneScene["lane"]>> {
      const lane = scene.lane();
      await lane.resume(scene.store.openJournal());
      return lane;
    }

    it("what no node ever got is given to them, before anything new", async () => {
      const lane = scene.lane();
      scene.proxy.conduct = only(sendRaw, drop);
      const { nonce } = sentBy(await lane.send(scene.transfer(1n)));
      scene.proxy.conduct = (_, pass) => pass();
      const later = await restarted();
      const next = sentBy(await later.send(scene.transfer(2n)));
      expect(next.nonce).to.equal(nonce + 1);
      await later.look();
      expect([fateOf(next), await scene.received()]).to.deep.equal(["mined", 3n]);
    });

    it("what waits is not sent once more", async () => {
      await scene.node.automine(false);
      const { nonce } = sentBy(await scene.lane().send(scene.transfer(1n)));
      const later = await restarted();
      expect(underWay(later)).to.deep.equal([account(1)]);
      expect(sentBy(await later.send(scene.transfer(2n))).nonce).to.equal(nonce + 1);
      await scene.node.mine();
      await later.look();
      expect([await scene.received(), underWay(later)]).to.deep.equal([3n, []]);
    });

    it("what was mined meanwhile is settled", async () => {
      sentBy(await scene.lane().send(scene.transfer(1n)));
      const later = await restarted();
      await scene.node.mine(12);
      await later.look();
      expect([open(), later.isIdle, await scene.received()]).to.deep.equal([[], true, 1n]);
    });

    it("what somebody else's transaction took the nonce of is superseded", async () => {
      scene.proxy.conduct = only(sendRaw, drop);
      const { nonce } = sentBy(await scene.lane().send(scene.transfer(1n)));
      scene.proxy.conduct = (_, pass) => pass();
      await (await stranger().sendTransaction({ to: stranger().address, nonce })).wait();
      const later = await restarted();
      expect([open(), later.isIdle, outcomes("superseded")]).to.deep.equal([[], true, 1]);
      expect(sentBy(await later.send(scene.transfer(2n))).nonce).to.equal(nonce + 1);
      expect(await scene.received()).to.equal(2n);
    });

    it("what waits may be replaced, up to what it offered before", async () => {
      await scene.node.automine(false);
      const first = scene.lane({ policy: { maxGasPriceWei: 10_000n * gwei } });
      const { nonce } = sentBy(await first.send(scene.transfer(1n)));
      const later = await restarted();
      for (let block = 0; block < 4; block += 1) {
        await mineDear(1);
        await later.look();
      }
      expect(open()).to.deep.equal([[nonce, "liquidate", 1]]);
      expect(scene.lines.some(({ msg }) => msg.includes("its fee is at its limit"))).to.equal(true);
    });
  });

  describe("12: another user of the key", () => {
    it("who was faster costs a call, which is told, and no nonce", async () => {
      const lane = scene.lane();
      let isFirst = true;
      scene.proxy.conduct = only(sendRaw, async ({ params }, pass) => {
        const { nonce } = Transaction.from(String(params[0]));
        if (isFirst) await (await stranger().sendTransaction({ to: stranger().address, nonce })).wait();
        isFirst = false;
        return pass();
      });
      const nonce = await scene.nonce();
      expect(await lane.send(scene.transfer(1n))).to.deep.include({ kind: "failed", reason: "nonceTaken" });
      expect([open(), outcomes("superseded")]).to.deep.equal([[], 1]);
      expect(sentBy(await lane.send(scene.transfer(2n))).nonce).to.equal(nonce + 1);
      expect(await scene.received()).to.equal(2n);
    });

    it("whose transaction a node holds, at a higher fee, is left alone", async () => {
      const lane = scene.lane();
      await scene.node.automine(false);
      let isFirst = true;
      scene.proxy.conduct = only(sendRaw, async ({ params }, pass) => {
        const { nonce } = Transaction.from(String(params[0]));
        const fees = { maxFeePerGas: 300n * gwei, maxPriorityFeePerGas: 100n * gwei };
        if (isFirst) await stranger().sendTransaction({ to: stranger().address, nonce, ...fees });
        isFirst = false;
        return pass();
      });
      const nonce = await scene.nonce();
      expect(await lane.send(scene.transfer(1n))).to.deep.include({ kind: "failed", reason: "nonceTaken" });
      expect(open()).to.deep.equal([]);
      expect(sentBy(await lane.send(scene.transfer(2n))).nonce).to.equal(nonce + 1);
      await scene.node.mine();
      await lane.look();
      expect([await scene.nonce(), await scene.received()]).to.deep.equal([nonce + 2, 2n]);
    });

    it("who takes the nonce of what waits supersedes it", async () => {
      const lane = scene.lane();
      await scene.node.automine(false);
      const transaction = sentBy(await lane.send(scene.transfer(1n)));
      const fees = { maxFeePerGas: 300n * gwei, maxPriorityFeePerGas: 100n * gwei };
      await stranger().sendTransaction({ to: stranger().address, nonce: transaction.nonce, ...fees });
      await scene.node.mine();
      for (let look = 0; look < 3; look += 1) await lane.look();
      expect([fateOf(transaction), open(), underWay(lane)]).to.deep.equal(["nonceTaken", [], []]);
      expect(await scene.received()).to.equal(0n);
    });
  });

  describe("13: what may or may not have arrived", () => {
    it("is under way, and is given to the nodes at the next look", async () => {
      const lane = scene.lane();
      scene.proxy.conduct = only(sendRaw, drop);
      const transaction = sentBy(await lane.send(scene.transfer(1n)));
      expect([transaction.isKnown, underWay(lane)]).to.deep.equal([false, [account(1)]]);
      scene.proxy.conduct = (_, pass) => pass();
      await lane.look();
      await lane.look();
      expect([fateOf(transaction), await scene.received()]).to.deep.equal(["mined", 1n]);
    });

    it("is not sent twice where it has arrived", async () => {
      const lane = scene.lane();
      scene.proxy.conduct = only(sendRaw, async (_, pass) => {
        await pass();
        return { fault: "drop" };
      });
      const transaction = sentBy(await lane.send(scene.transfer(1n)));
      await lane.look();
      expect([fateOf(transaction), await scene.received(), await scene.nonce()]).to.deep.equal([
        "mined",
        1n,
        transaction.nonce + 1,
      ]);
    });

    it("is found where the node took it and answered with an error", async () => {
      const lane = scene.lane();
      scene.proxy.conduct = only(sendRaw, async (_, pass) => {
        await pass();
        return { error: { code: -32000, message: "execution reverted" } };
      });
      const transaction = sentBy(await lane.send(scene.transfer(1n)));
      await lane.look();
      expect(fateOf(transaction)).to.equal("mined");
    });
  });

  it("gives a nonce that every node refused to the next call", async () => {
    const lane = scene.lane();
    const nonce = await scene.nonce();
    scene.proxy.conduct = only(sendRaw, async () => ({ error: { code: -32000, message: "txpool is full" } }));
    expect(await lane.send(scene.transfer(1n))).to.deep.include({ kind: "failed", reason: "other" });
    expect(open()).to.deep.equal([]);
    scene.proxy.conduct = (_, pass) => pass();
    expect(sentBy(await lane.send(scene.transfer(2n))).nonce).to.equal(nonce);
    expect(await scene.received()).to.equal(2n);
  });

  it("14: does not mind the computer's clock", async () => {
    const realNow = Date.now;
    try {
      const lane = scene.lane();
      await scene.node.automine(false);
      const transaction = sentBy(await lane.send(scene.transfer(1n)));
      await lane.look();
      for (const hours of [1, -1]) {
        Date.now = () => realNow() + hours * 3_600_000;
        await scene.node.setBaseFee(1_000n * gwei);
        await scene.node.mine();
        await lane.look();
        expect(transaction.versions.length).to.equal(1);
      }
      await scene.node.setBaseFee(1n);
      await scene.node.mine();
      await lane.look();
      expect(fateOf(transaction)).to.equal("mined");
    } finally {
      Date.now = realNow;
    }
  });

  describe("15: what nodes do wrong is a result:", () => {
    const wrongs = { "none answers": drop, "all want fewer requests": throttled };
    for (const [what, conduct] of Object.entries(wrongs)) {
      it(what, async () => {
        const lane = scene.lane();
        scene.proxy.conduct = conduct;
        const sending: Sending = await lane.send(scene.transfer(1n));
        expect(sending).to.deep.include({ kind: "failed", reason: "NoNodeError" });
        await lane.look();
        expect([open(), scene.metrics.counts["errors NoNodeError"]]).to.deep.equal([[], 1]);
      });
    }

    it("one fails between simulation and journal", async () => {
      const lane = scene.lane();
      scene.proxy.conduct = only("eth_getTransactionCount", throttled);
      expect((await lane.send(scene.transfer(1n))).kind).to.equal("failed");
      expect(open()).to.deep.equal([]);
    });

    it("a transaction that is mined and reverts, which the node tells as an error", async () => {
      const lane = scene.lane();
      scene.proxy.conduct = only(sendRaw, async (_, pass) => {
        await scene.node.provider.send("hardhat_setCode", [String(scene.token.target), "0x60006000fd"]);
        return pass();
      });
      const transaction = sentBy(await lane.send(scene.transfer(1n)));
      await lane.look();
      expect([fateOf(transaction), receiptOf(transaction).status, outcomes("reverted")]).to.deep.equal([
        "reverted",
        0,
        1,
      ]);
    });
  });
});
