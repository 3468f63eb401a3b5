import { expect } from "chai";
import { JsonRpcProvider } from "ethers";

import { createKeeperStep } from "../../keeper/index.js";
import type { VaultLog } from "../../sdk/book/index.js";
import { type Figures, defaultScenario, readPrices, run, scenarioFile } from "../../simulator/index.js";
import {
  type History,
  accountsNamed,
  differencesWithout,
  disagreements,
  eventOf,
  named,
  readHistory,
  readLogs,
  rootOf,
} from "../helpers/history.js";
import { testKey } from "../helpers/keys.js";
import { type Place, differences, place, toldBy } from "../helpers/vaultStorage.js";

const accounts = 36;
const seed = 1;

const nameOf = (log: VaultLog) => eventOf(log).name;

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
          const options = { staticNetwork: true, cacheTimeout: -1, batchMaxCount: 1 };
          const provider = new JsonRpcProvider(rpcUrl, undefined, options);
          history = await readHistory((method, params) => provider.send(method, params), deployment);
          provider.destroy();
        },
      };
    },
  });
  if (history === undefined) throw new TypeError("the run did not close its keeper");
  return { figures, history };
}

describe("books rebuilt from the log of a demo run alone", () => {
  let history: History;
  let figures: Figures;

  before(async () => {
    ({ history, figures } = await demo());
  });

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
    const { places, blocks } = history;
    expect(disagreements(history)).to.deep.equal([]);
    expect(accountsNamed(blocks.flatMap(({ logs }) => logs)).size).to.equal(accounts + 3); // keeper, pool, insurance
    expect(places.length).to.be.above(400);
  });

  it("differs where one word of storage changes without an event, and names it", () => {
    const { deployment, places, blocks, corrupted } = history;
    const told = toldBy(
      readLogs(
        deployment,
        blocks.flatMap(({ logs }) => logs),
      ),
    );
    const word = told.get(corrupted.place.name)!;
    expect(differences(told, named(places, corrupted.words))).to.deep.equal([
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
        const isOfCash = (log: VaultLog) =>
          event !== "Deposited" || BigInt(log.topics[2]!) === BigInt(settlementToken.address);
        const last = history.blocks
          .flatMap(({ logs }) => logs)
          .filter((log) => nameOf(log) === event && isOfCash(log))
          .at(-1)!;
        const names = differencesWithout(history, (log) => log === last).map(({ name }) => name);
        expect(names.toSorted()).to.deep.equal(
          places(last)
            .map(({ name }) => name)
            .toSorted(),
        );
      });
    }
  });
});
