import { expect } from "chai";
import { JsonRpcProvider, type Log, toBeHex, toQuantity } from "ethers";

import { createKeeperStep } from "../../keeper/index.js";
import { type Deployment, Ledger, type VaultLog } from "../../sdk/index.js";
import { type Figures, defaultScenario, readPrices, run, scenarioFile } from "../../simulator/index.js";
import { MarginVault__factory } from "../../typechain-types/index.js";
import { testKey } from "../helpers/keys.js";
import { StorageTrie } from "../helpers/storageTrie.js";
import {
  type Difference,
  type Place,
  differences,
  extentOf,
  place,
  placesOf,
  readStorage,
  sentence,
  toldBy,
} from "../helpers/vaultStorage.js";

const accounts = 36;
const seed = 1;

/** What the chain says of the vault after a block. */
interface Block {
  readonly number: number;
  readonly transactions: number;
  readonly logs: readonly Log[];
  /** In the order of the places. */
  readonly words: readonly bigint[];
  /** Of all storage of the vault, as the state root commits to it. */
  readonly storageRoot: string;
}

interface History {
  readonly deployment: Deployment;
  readonly places: readonly Place[];
  readonly blocks: readonly Block[];
  /** What it says once a word was raised by one behind the contract's back, after the last block. */
  readonly corrupted: Pick<Block, "words" | "storageRoot"> & { readonly place: Place };
}

const vaultInterface = MarginVault__factory.createInterface();
const nameOf = (log: Log) => vaultInterface.parseLog(log)?.name ?? "unknown";

/** Runs the demo with the real keeper, and reads the chain's whole history before it is closed. */
async function demo(): Promise<{ figures: Figures; history: History }> {
  let history: History | undefined;
  const figures = await run({
    scenario: defaultScenario,
    file: readPrices(scenarioFile(defaultScenario)),
    accounts,
    seed,
    onProgress: () => undefined,
    onStep: () => undefined,
    async createKeeper(rpcUrl, deployment, keyIndex) {
      const keeper = await createKeeperStep({ rpcUrl, deployment, privateKey: testKey(keyIndex).privateKey });
      return {
        onBlock: (blockNumber) => keeper.onBlock(blockNumber),
        async close() {
          await keeper.close();
          history = await readHistory(rpcUrl, deployment);
        },
      };
    },
  });
  if (history === undefined) throw new TypeError("the run did not close its keeper");
  return { figures, history };
}

async function readHistory(rpcUrl: string, deployment: Deployment): Promise<History> {
  const provider = new JsonRpcProvider(rpcUrl, undefined, { staticNetwork: true, cacheTimeout: -1, batchMaxCount: 1 });
  try {
    const { vault: address, fromBlock } = deployment;
    const logs = await provider.getLogs({ address, fromBlock, toBlock: "latest" });
    const whole = new Ledger(deployment);
    for (const log of logs) whole.apply(log);
    // Every account that ever is, from the first block on: what is stored of one before the log names it is found too.
    const places = placesOf(extentOf(whole)).map(({ name, slot }) => ({ name, slot }));
    const slots = places.map(({ slot }) => slot);
    const stateAt = async (block: string) => {
      const words = await readStorage((method, params) => provider.send(method, params), address, slots, block);
      const proof = (await provider.send("eth_getProof", [address, [], block])) as { storageHash: string };
      return { words, storageRoot: proof.storageHash };
    };
    const blocks: Block[] = [];
    const last = await provider.getBlockNumber();
    for (let number = fromBlock; number <= last; number += 1) {
      const count = await provider.send("eth_getBlockTransactionCountByNumber", [toQuantity(number)]);
      blocks.push({
        number,
        transactions: Number(count),
        logs: logs.filter(({ blockNumber }) => blockNumber === number),
        ...(await stateAt(toQuantity(number))),
      });
    }
    const corrupt = place.account([...whole.accounts.keys()].at(-1)!);
    const raised = BigInt(await provider.getStorage(address, corrupt.slot)) + 1n;
    await provider.send("hardhat_setStorageAt", [address, corrupt.slot, toBeHex(raised, 32)]);
    return { deployment, places, blocks, corrupted: { ...(await stateAt("latest")), place: corrupt } };
  } finally {
    provider.destroy();
  }
}

/** Storage words by the names of their places. */
function named({ places }: History, words: readonly bigint[]): Map<string, bigint> {
  return new Map(places.map(({ name }, i) => [name, words[i]!]));
}

/** The root of a storage that has what is told, and nothing else. */
function rootOf(places: readonly Place[], told: ReadonlyMap<string, bigint>, trie = new StorageTrie()): string {
  for (const { name, slot } of places) trie.set(slot, told.get(name) ?? 0n);
  return trie.root();
}

describe("a ledger rebuilt from the log of a demo run alone", () => {
  let history: History;
  let figures: Figures;

  before(async () => {
    ({ history, figures } = await demo());
  });

  /** What the log without some of it and the last block's storage say differently. */
  function differencesWithout(left: (log: Log) => boolean): Difference[] {
    const { deployment, blocks } = history;
    const ledger = new Ledger(deployment);
    for (const log of blocks.flatMap(({ logs }) => logs)) if (!left(log)) ledger.apply(log);
    return differences(toldBy(ledger), named(history, blocks.at(-1)!.words));
  }

  it("follows liquidations, absorbs and losses that insurance bears, one transaction a block", () => {
    const told = new Set(history.blocks.flatMap(({ logs }) => logs).map(nameOf));
    expect(figures).to.include({ accounts, liquidatableLeft: 0, custodyOk: true, zeroSumOk: true });
    expect(told).to.include.keys("PositionLiquidated", "CollateralAbsorbed", "InsurancePaid", "FeesSwept");
    expect(figures.liquidations).to.be.above(3);
    expect(figures.absorbed).to.be.above(3);
    const [, ...afterGenesis] = history.blocks;
    expect(new Set(afterGenesis.map(({ transactions }) => transactions))).to.deep.equal(new Set([1]));
    expect(history.blocks.length).to.be.above(400);
  });

  it("equals storage account by account after every transaction, and there is no other storage (INV-03)", () => {
    const { deployment, places, blocks } = history;
    const ledger = new Ledger(deployment);
    const trie = new StorageTrie();
    for (const { number, logs, words, storageRoot } of blocks) {
      for (const log of logs) ledger.apply(log);
      const told = toldBy(ledger);
      const found = differences(told, named(history, words)).map(sentence);
      expect(found, `after block ${number}`).to.deep.equal([]);
      expect(rootOf(places, told, trie), `all storage after block ${number}`).to.equal(storageRoot);
    }
    expect(ledger.accounts.size).to.equal(accounts + 3); // keeper, pool, insurance
    expect(places.length).to.be.above(400);
  });

  it("differs where one word of storage changes without an event, and names it", () => {
    const { deployment, places, blocks, corrupted } = history;
    const ledger = new Ledger(deployment);
    for (const { logs } of blocks) for (const log of logs) ledger.apply(log);
    const told = toldBy(ledger);
    const word = told.get(corrupted.place.name)!;
    expect(differences(told, named(history, corrupted.words))).to.deep.equal([
      { name: corrupted.place.name, told: word, stored: word + 1n },
    ]);
    expect(rootOf(places, told)).to.equal(blocks.at(-1)!.storageRoot);
    expect(rootOf(places, told)).not.to.equal(corrupted.storageRoot);
  });

  describe("differs where one event is missing, and names what it would have told:", () => {
    const id = (log: VaultLog) => log.topics[1]!.toLowerCase() as `0x${string}`;
    const number = (log: VaultLog, at: number) => Number(log.topics[at]);
    const indexOf = (token: string) =>
      history.deployment.collaterals.findIndex(({ address }) => BigInt(address) === BigInt(token));
    const missing: Record<string, (log: VaultLog) => Place[]> = {
      AccountChanged: (log) => [place.account(id(log))],
      PositionChanged: (log) => [place.position(id(log), number(log, 2))],
      CollateralChanged: (log) => [
        place.collateralOf(id(log), indexOf(log.topics[2]!)),
        place.collateral(indexOf(log.topics[2]!)),
      ],
      CollateralAbsorbed: (log) => [place.stockSince(indexOf(log.topics[2]!))],
      MarketChanged: (log) => [place.market(number(log, 1), "totals")],
      MarketParametersSet: (log) =>
        (["risk", "terms", "discount"] as const).map((word) => place.market(number(log, 1), word)),
      CapitalChanged: () => [place.capital],
      RewardBudgetChanged: () => [place.rewardBudget],
      AccountParametersSet: () => [place.accountRisk],
      AuthorityUpdated: () => [place.authority],
      ReservePaid: () => [place.counts],
      Deposited: () => [place.counts],
    };

    for (const [event, places] of Object.entries(missing)) {
      it(event, () => {
        const { settlementToken } = history.deployment;
        const isOfCash = (log: Log) =>
          event !== "Deposited" || BigInt(log.topics[2]!) === BigInt(settlementToken.address);
        const last = history.blocks
          .flatMap(({ logs }) => logs)
          .filter((log) => nameOf(log) === event && isOfCash(log))
          .at(-1)!;
        const names = differencesWithout((log) => log === last).map(({ name }) => name);
        expect(names.toSorted()).to.deep.equal(
          places(last)
            .map(({ name }) => name)
            .toSorted(),
        );
      });
    }
  });
});
