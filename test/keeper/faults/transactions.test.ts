import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import { Transaction, formatEther } from "ethers";

import { SqliteStore, StateWriteError } from "../../../keeper/store/index.js";
import { until } from "../until.js";
import {
  type FaultScene,
  type Watched,
  atRiskPrice,
  gwei,
  keeperWallet,
  meanings,
  openScene,
  rawsOf,
} from "./scene.js";

const { address } = keeperWallet();
/** Gas is paid in a token of 2,000. */
const paid = { minimumProfitWad: 0n, unknownProfit: "skip", gasToken: { priceWad: 2_000n * 10n ** 18n } } as const;

describe("faults: transactions", () => {
  let scene: FaultScene;
  before(async () => (scene = await openScene(3)));
  after(() => scene?.close());
  beforeEach(() => scene.reset());

  const everybodyOnce = async () => expect(await scene.liquidated()).to.deep.equal(scene.poor.toSorted());
  const waiting = ({ lines }: Watched) => lines.filter(({ msg }) => msg.includes("its fee is at its limit")).length;
  const versions = () =>
    [...new Set(rawsOf(scene.proxies[0]))]
      .map((raw) => Transaction.from(raw))
      .filter(({ from }) => from === address)
      .map(({ nonce, maxFeePerGas, maxPriorityFeePerGas, gasLimit }) => ({
        nonce,
        fees: [maxFeePerGas!, maxPriorityFeePerGas!] as const,
        gasLimit,
      }));

  async function mineDear(baseFee: bigint): Promise<void> {
    await scene.node.setBaseFee(baseFee);
    await scene.node.mine();
  }

  it("one that is stuck is replaced by fees at least 12.5% higher, until it is mined", async () => {
    const watched = await scene.keeper({ lane: { waitMs: 50, maxGasPriceWei: 10n ** 18n } });
    await watched.turn();
    await scene.world.push({ BTC: atRiskPrice });
    await scene.node.automine(false);
    await watched.turn();
    for (let block = 0n; block < 12n && versions().length < 3; block += 1n) {
      await mineDear(100n * gwei * 3n ** block);
      await watched.turn();
    }
    const [first, second, third] = versions();
    expect(new Set([first!.nonce, second!.nonce, third!.nonce]).size).to.equal(1);
    for (const [old, replacement] of [
      [first!, second!],
      [second!, third!],
    ] as const) {
      for (const [at, fee] of replacement.fees.entries()) expect(fee * 8n >= old.fees[at]! * 9n).to.equal(true);
    }
    await mineDear(1n);
    await until(() => watched.hands.underWay().size === 0, "nothing under way");
    await everybodyOnce();
  });

  it("gas that costs more than it brings: nobody is forgotten, each has the reason, and it is done when gas is cheap", async () => {
    const watched = await scene.keeper({ policy: paid });
    await watched.turn();
    await scene.world.push({ BTC: atRiskPrice });
    await mineDear(100_000n * gwei);
    const { acted, skipped } = await watched.turn();
    expect([acted, skipped.map(({ reason }) => reason)]).to.deep.equal([
      [],
      ["unprofitable", "unprofitable", "unprofitable"],
    ]);
    expect(rawsOf(scene.proxies[0])).to.deep.equal([]);
    const told = watched.lines.filter((line) => line.msg === "left alone").map((line) => line["account"]);
    expect(told.toSorted()).to.deep.equal(scene.poor.toSorted());
    await mineDear(gwei);
    expect((await watched.turn()).skipped).to.deep.equal([]);
    await everybodyOnce();
  });

  it("gas that spikes while one waits: its fee goes up to what it brings, and no further", async () => {
    const watched = await scene.keeper({ policy: paid, lane: { waitMs: 50, maxGasPriceWei: 10n ** 15n } });
    await watched.turn();
    await scene.world.push({ BTC: atRiskPrice });
    await scene.node.automine(false);
    await watched.turn();
    for (let block = 0; block < 12; block += 1) {
      await mineDear(10_000n * gwei);
      await watched.turn();
    }
    await until(() => waiting(watched) > 0, "a line that the budget is used up");
    const story = watched.lines.find((line) => line.msg.includes("its fee is at its limit"))!;
    const last = versions().at(-1)!;
    expect(String(last.fees[0])).to.equal(story["maxFee"]);
    expect(last.fees[0] <= BigInt(String(story["limit"]))).to.equal(true);
    expect(Number(formatEther(last.fees[0] * last.gasLimit))).to.be.below(1); // of rewards of a few hundred
    await mineDear(1n);
    await until(() => watched.hands.underWay().size === 0, "nothing under way");
    await everybodyOnce();
  });

  it("two keepers on one key: nobody is liquidated twice, no nonce is lost, and both go on", async () => {
    const [one, other] = [
      await scene.keeper(),
      await scene.keeper({ nodes: { endpoints: [{ url: scene.proxies[1].url }] } }),
    ];
    await one.turn();
    await other.turn();
    const price = async (btc: string) => {
      await scene.world.push({ BTC: btc });
      await Promise.all([one.keeper.onBlock(), other.keeper.onBlock()]);
      for (let turn = 0; turn < 4 && (await scene.liquidatable()).length > 0; turn += 1) {
        await Promise.all([one.keeper.onBlock(), other.keeper.onBlock()]);
      }
      expect(await scene.liquidatable()).to.deep.equal([]);
    };
    await price(atRiskPrice);
    await everybodyOnce();
    await price("7300");
    const raws = scene.proxies.flatMap(rawsOf);
    const used = [...meanings(raws, address).keys()].toSorted((a, b) => a - b);
    const mined = await scene.node.provider.getTransactionCount(address);
    expect(used).to.deep.equal(Array.from({ length: mined }, (_, nonce) => nonce));
    expect([one.hands.underWay().size, other.hands.underWay().size]).to.deep.equal([0, 0]);
  });

  it("two keepers on one key, whose transactions wait: one of them is mined for each nonce", async () => {
    const options = { lane: { waitMs: 50 } };
    const [one, other] = [await scene.keeper(options), await scene.keeper(options)];
    await one.turn();
    await other.turn();
    await scene.world.push({ BTC: atRiskPrice });
    await scene.node.automine(false);
    await Promise.all([one.keeper.onBlock(), other.keeper.onBlock()]);
    await until(async () => {
      await scene.node.mine();
      await Promise.all([one.keeper.onBlock(), other.keeper.onBlock()]);
      return one.hands.underWay().size + other.hands.underWay().size === 0;
    }, "nothing under way");
    expect(await scene.liquidatable()).to.deep.equal([]);
    await everybodyOnce();
  });

  describe("a disk that is full", () => {
    let folder: string;
    beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "ballast-"))));
    afterEach(() => rmSync(folder, { recursive: true, force: true }));

    it("keeps nobody from being liquidated; log and metric tell of it", async () => {
      const { chainId, vault } = scene.world.deployment;
      const store = new SqliteStore({ file: join(folder, "state.sqlite"), chainId, vault, mostPages: 12 });
      const fill = () => {
        for (let nonce = 1_000; ; nonce += 1) {
          const versions_ = [{ hash: "0x", raw: `0x${"00".repeat(1_000)}` }];
          store.writeJournal({
            signer: "0x",
            nonce,
            versions: versions_,
            kind: "upkeep",
            accounts: [],
            state: "mined",
          });
        }
      };
      expect(fill).to.throw(StateWriteError);
      const watched = await scene.keeper({ store });
      await watched.turn();
      await scene.world.push({ BTC: atRiskPrice });
      const { skipped } = await watched.turn();
      expect(skipped).to.deep.equal([]);
      await everybodyOnce();
      expect([watched.metrics.values["journal_durable"], store.openJournal()]).to.deep.equal([0, []]);
      const told = watched.lines.filter(({ level, journal }) => level === 50 && journal === "memory");
      expect(told[0]).to.include({ reason: "StateWriteError" });
      await watched.close();
      store.close();
    });
  });

  for (const hours of [1, -1]) {
    it(`a computer whose clock is ${hours > 0 ? "an hour fast" : "an hour slow"} liquidates as any other`, async () => {
      const realNow = Date.now;
      Date.now = () => realNow() + hours * 3_600_000;
      try {
        const watched = await scene.keeper();
        await watched.turn();
        await scene.world.push({ BTC: atRiskPrice });
        expect((await watched.turn()).skipped).to.deep.equal([]);
        await everybodyOnce();
      } finally {
        Date.now = realNow;
      }
    });
  }

  it("a feed that goes stale: whoever it keeps from being liquidated has that reason, until there is a price", async () => {
    const watched = await scene.keeper();
    await watched.turn();
    await scene.world.push({ BTC: atRiskPrice });
    await scene.world.passTime(7 * 24 * 3_600);
    const { acted, skipped } = await watched.turn();
    expect([acted, skipped.map(({ reason }) => reason)]).to.deep.equal([
      [],
      ["stalePrice", "stalePrice", "stalePrice"],
    ]);
    await scene.world.push({ BTC: atRiskPrice });
    expect((await watched.turn()).skipped).to.deep.equal([]);
    expect(await scene.liquidatable()).to.deep.equal([]);
  });
});
