import { expect } from "chai";

import { type KeeperStep, type KeeperTurn, Keepers } from "../../simulator/keepers.js";

const quiet: KeeperTurn = { atRisk: 0, liquidations: 0, taken: 0, givenBack: 0, absorbed: 0, chores: 0 };

/** A keeper that has these turns, then quiet ones; it notes each in `order`. */
function scripted(name: string, turns: readonly Partial<KeeperTurn>[], order: string[]): KeeperStep {
  let at = 0;
  return {
    async onBlock() {
      order.push(name);
      return { ...quiet, ...turns[at++] };
    },
    async close() {
      order.push(`${name} closed`);
    },
  };
}

async function stepOf(...keepers: readonly KeeperStep[]): Promise<KeeperTurn> {
  const makers = keepers.map((keeper) => async () => keeper);
  return (await Keepers.create(makers, async () => 1)).step();
}

describe("simulator/keepers", () => {
  it("gives one keeper alone one turn, whatever it does", async () => {
    for (const turn of [{}, { liquidations: 2, atRisk: 2 }]) {
      const order: string[] = [];
      expect(await stepOf(scripted("a", [turn], order))).to.deep.equal({ ...quiet, ...turn });
      expect(order).to.deep.equal(["a"]);
    }
  });

  it("gives each of several one turn where nobody acts", async () => {
    const order: string[] = [];
    expect(await stepOf(scripted("a", [], order), scripted("b", [], order))).to.deep.equal(quiet);
    expect(order).to.deep.equal(["a", "b"]);
  });

  it("goes round until none of the others has acted since a keeper's last turn", async () => {
    const order: string[] = [];
    const first = scripted("a", [{ liquidations: 2, taken: 2, atRisk: 3 }, { givenBack: 1 }], order);
    const second = scripted("b", [{ absorbed: 1, atRisk: 1 }, { chores: 2 }], order);
    const third = scripted("c", [{}], order);
    const sum = { atRisk: 3, liquidations: 2, taken: 2, givenBack: 1, absorbed: 1, chores: 2 };
    expect(await stepOf(first, second, third)).to.deep.equal(sum);
    expect(order.join("")).to.equal("abcabca");
  });

  it("ends a step in which somebody always acts", async () => {
    const restless = (): KeeperStep => ({
      onBlock: async () => ({ ...quiet, givenBack: 1 }),
      close: async () => undefined,
    });
    expect((await stepOf(restless(), restless())).givenBack).to.equal(128);
  });

  it("closes those that it has where one cannot be made", async () => {
    const order: string[] = [];
    const error = new Error("no key");
    const creating = Keepers.create([async () => scripted("a", [], order), () => Promise.reject(error)], async () => 1);
    expect(await creating.catch((reason: unknown) => reason)).to.equal(error);
    expect(order).to.deep.equal(["a closed"]);
  });
});
