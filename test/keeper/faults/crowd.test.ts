import { expect } from "chai";
import { AbiCoder, MaxUint256, Transaction } from "ethers";

import { type AccountId, accountId, parseDecimal } from "../../../sdk/index.js";
import { MarginVault__factory, MockToken__factory } from "../../../typechain-types/index.js";
import { until } from "../until.js";
import type { Conduct } from "../proxy.js";
import { type FaultScene, type Watched, atRiskPrice, keeperKeys, keeperWallet, openScene, rawsOf } from "./scene.js";

const vaultInterface = MarginVault__factory.createInterface();
/** Opens so many accounts of the second signer, many a transaction: 100 of margin and 0.14 BTC each. */
async function openMany({ world }: FaultScene, count: number): Promise<AccountId[]> {
  const owner = world.signers[1]!;
  const { settlementToken, vault } = world.deployment;
  await world.mint("USDC", owner.address, String(count * 100));
  await (await MockToken__factory.connect(settlementToken.address, owner).approve(vault, MaxUint256)).wait();
  const margin = parseDecimal("100", settlementToken.decimals);
  const accounts = Array.from({ length: count }, (_, index) => accountId(owner.address, index));
  const each = 40;
  for (let at = 0; at < count; at += each) {
    const calls = accounts
      .slice(at, at + each)
      .flatMap((account) => [
        vaultInterface.encodeFunctionData("deposit", [account, settlementToken.address, margin]),
        vaultInterface.encodeFunctionData("trade", [account, 0, parseDecimal("0.14", 18), 0n, MaxUint256]),
      ]);
    await (await MarginVault__factory.connect(vault, owner).multicall(calls, { gasLimit: 16_000_000n })).wait();
  }
  return accounts.toSorted();
}

describe("faults: one account whose liquidation always reverts, beside 50", () => {
  let scene: FaultScene;
  let accounts: AccountId[];
  before(async () => {
    scene = await openScene(0);
    accounts = await openMany(scene, 51);
    await scene.watch(accounts);
  });
  after(() => scene?.close());
  beforeEach(() => scene.reset());

  /** The chain refuses whatever has this account in it, with an error that no ABI has. */
  const poisoned =
    (account: AccountId): Conduct =>
    (call, pass) => {
      const isAct = call.method === "eth_estimateGas" || call.method === "eth_call";
      const { data } = (call.params[0] ?? {}) as { data?: string };
      const selector = vaultInterface.getFunction("liquidatePosition").selector.slice(2);
      if (!isAct || data?.includes(selector) !== true || !data.includes(account.slice(2))) return pass();
      const error = `0x08c379a0${AbiCoder.defaultAbiCoder().encode(["string"], ["no"]).slice(2)}`;
      return Promise.resolve({ error: { code: 3, message: "execution reverted", data: error } });
    };

  it("keeps none of the others waiting, backs off, and is liquidated when it can be", async () => {
    const bad = accounts[17]!;
    const others = accounts.filter((account) => account !== bad);
    const watched = await scene.keeper();
    await watched.turn();
    await scene.world.push({ BTC: atRiskPrice });
    scene.proxies[0].conduct = poisoned(bad);
    const before = await scene.node.provider.getBlockNumber();
    const { acted, failed } = await watched.turn();
    expect([acted.toSorted(), failed]).to.deep.equal([accounts, [{ account: bad, reason: "Error" }]]);
    expect(await scene.liquidated()).to.deep.equal(others);
    // In halves: as many transactions as there are halves without it.
    const sent = rawsOf(scene.proxies[0]).length;
    expect(sent).to.be.within(1, Math.ceil(Math.log2(accounts.length)));
    expect(await scene.node.provider.getBlockNumber()).to.equal(before + sent);

    const reasons: string[] = [];
    for (let turn = 0; turn < 6; turn += 1) {
      await scene.node.mine();
      const { skipped, failed: again } = await watched.turn();
      reasons.push(skipped[0]?.reason ?? again[0]!.reason);
    }
    expect(reasons).to.include("Error").and.to.include("backingOff");
    scene.proxies[0].conduct = (_, pass) => pass();
    await scene.node.mine(64);
    expect((await watched.turn()).acted).to.deep.equal([bad]);
    expect(await scene.liquidatable()).to.deep.equal([]);
  });
});

describe("faults: a thousand accounts that become liquidatable in one block", () => {
  let scene: FaultScene;
  let accounts: AccountId[];
  before(async () => {
    scene = await openScene(0);
    accounts = await openMany(scene, 1_000);
    await scene.watch(accounts);
  });
  after(() => scene?.close());
  beforeEach(() => scene.reset());

  /** The signer that sends the last transactions of a block may find it full: so many blocks it takes at most. */
  function fewestBlocks(blockGas: bigint): number {
    const limits = rawsOf(scene.proxies[0]).map((raw) => Transaction.from(raw).gasLimit);
    const sum = limits.reduce((all, each) => all + each, 0n);
    const largest = limits.reduce((most, each) => (each > most ? each : most), 0n);
    return Number((sum + blockGas - largest - 1n) / (blockGas - largest));
  }

  async function blocksWithKeepers(from: number): Promise<number[]> {
    const senders = new Set(keeperKeys.map((_, index) => keeperWallet(index).address));
    const found: number[] = [];
    for (let at = from; at <= (await scene.node.provider.getBlockNumber()); at += 1) {
      const block = await scene.node.provider.getBlock(at, true);
      if (block!.prefetchedTransactions.some((each) => senders.has(each.from))) found.push(at);
    }
    return found;
  }

  for (const signers of [1, 3]) {
    it(`are all liquidated in as few blocks as the gas limit allows, by ${signers} of the keeper's keys`, async () => {
      const [key, ...more] = keeperKeys.slice(0, signers).map((_, index) => keeperWallet(index).privateKey);
      const watched: Watched = await scene.keeper({
        keys: [key!, ...more],
        lane: { waitMs: 300_000, inFlight: 64 },
      });
      await watched.turn();
      await scene.world.push({ BTC: atRiskPrice });
      expect(await scene.liquidatable()).to.deep.equal(accounts);
      await scene.node.automine(false);
      const from = (await scene.node.provider.getBlockNumber()) + 1;
      const running = watched.turn();
      let seen = -1;
      await until(async () => {
        const sent = rawsOf(scene.proxies[0]).length;
        const isStill = sent > 0 && sent === seen && watched.hands.underWay().size === accounts.length;
        seen = sent;
        return isStill;
      }, "everybody under way");
      await until(async () => {
        await scene.node.mine();
        return watched.hands.underWay().size === 0;
      }, "nothing under way");
      const { acted, skipped } = await running;
      expect([acted.toSorted(), skipped]).to.deep.equal([accounts, []]);
      expect(await scene.liquidated()).to.deep.equal(accounts);
      const { gasLimit } = (await scene.node.provider.getBlock("latest"))!;
      const blocks = await blocksWithKeepers(from);
      expect(blocks.length).to.be.at.most(fewestBlocks(gasLimit));
      expect(blocks).to.deep.equal(blocks.map((_, at) => from + at)); // one after the other
    });
  }

  it("are each acted on or skipped with a reason at a price at which many are under water", async () => {
    const watched = await scene.keeper();
    await watched.turn();
    await scene.world.push({ BTC: "7150" });
    const { skipped } = await watched.turn();
    expect(await scene.liquidatable()).to.deep.equal(skipped.map(({ account }) => account).toSorted());
  });
});
