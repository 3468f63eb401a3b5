import { expect } from "chai";
import hre from "hardhat";

import type { Connection } from "../../../ignition/deploy.js";
import { sumDifferences } from "../../../keeper/observe/audit.js";
import { Observer, type ObserverOptions } from "../../../keeper/observe/observer.js";
import type { RpcSender } from "../../../sdk/book/index.js";
import type { AccountId } from "../../../sdk/index.js";
import * as AccountWord from "../../../sdk/risk/types/AccountWord.js";
import { MarginVault__factory } from "../../../typechain-types/index.js";
import { type LogLine, keptLog } from "../../helpers/keeper.js";
import { type World, deployWorld } from "../../helpers/world.js";
import { liquidatableByLens, nodeOf, told } from "../scene.js";
import { leveraged, live } from "./live.js";

/** Where snapshots are, in memory. */
function snapshots() {
  let bytes: Uint8Array | undefined;
  return {
    readSnapshot: () => bytes,
    writeSnapshot: (snapshot: Uint8Array) => void (bytes = snapshot),
    spoil: (change: (snapshot: Uint8Array) => void) => {
      if (bytes !== undefined) change(bytes);
    },
  };
}

describe("keeper/observe", () => {
  let connection: Connection;

  before(async () => {
    connection = await hre.network.create();
  });

  after(() => connection.close());

  /** One by one: many at once are told without the hashes of their parents. */
  async function mine(blocks: number): Promise<void> {
    for (let block = 0; block < blocks; block += 1)
      await connection.provider.request({ method: "evm_mine", params: [] });
  }

  async function lived(): Promise<World> {
    const world = await deployWorld(connection);
    await live(world, 7);
    return world;
  }

  async function enter(options: Partial<ObserverOptions> = {}, node?: (node: RpcSender) => RpcSender) {
    const world = await connection.networkHelpers.loadFixture(lived);
    return { world, ...observerOf(world, options, node) };
  }

  function observerOf(world: World, options: Partial<ObserverOptions> = {}, node = (own: RpcSender) => own) {
    const { log, lines } = keptLog();
    const observer = new Observer(node(nodeOf(world)), world.deployment, { log, ...options });
    const found = async () => (await observer.turn()).liquidatable.map(({ account }) => account);
    return { observer, lines, found };
  }

  it("names exactly the accounts that the lens does, at any prices", async () => {
    const { world, observer, found } = await enter();
    expect(await found()).to.deep.equal([]);
    await leveraged(world, 9);
    for (const prices of [
      { BTC: "7500", ETH: "120", LINK: "2" },
      { BTC: "24000", ETH: "900", LINK: "14" },
      { BTC: "2000", ETH: "20", LINK: "0.4" },
    ]) {
      await world.push(prices);
      const expected = (await liquidatableByLens(world)).toSorted();
      expect(expected.length).to.be.above(0);
      expect(await found()).to.deep.equal(expected);
      expect(await observer.audit(() => 0.5)).to.equal(true);
    }
  });

  it("follows who comes, trades and leaves, and a chain that takes blocks back", async () => {
    const { world, observer, found } = await enter();
    await found();
    const snapshot = await connection.networkHelpers.takeSnapshot();
    const account = await leveraged(world, 9);
    await world.push({ BTC: "7500" });
    expect(await found()).to.include(account);
    await snapshot.restore();
    await mine(20);
    await world.push({ BTC: "7500" });
    const expected = (await liquidatableByLens(world)).toSorted();
    expect(expected).to.not.include(account);
    expect(await found()).to.deep.equal(expected);
    expect([await observer.audit(), sumDifferences(observer.book.storage)]).to.deep.equal([true, []]);
  });

  it("builds its books anew each time that the chain goes back further than they can", async () => {
    const { world, found, lines } = await enter();
    await found();
    for (const owner of [9, 10]) {
      const snapshot = await connection.networkHelpers.takeSnapshot();
      await mine(70);
      await found();
      await snapshot.restore();
      const account = await leveraged(world, owner); // so that the blocks are others
      await mine(70);
      await world.push({ BTC: "7500" });
      expect(await found()).to.include(account);
      await world.push({ BTC: "8000" });
    }
    expect(told(lines, "books do not follow the chain: they are built anew")).to.have.length(2);
  });

  it("names those below a health, those that are liquidatable among them", async () => {
    const { world, observer, found } = await enter();
    const account = await leveraged(world, 9);
    await world.push({ BTC: "7590" });
    await found();
    const healthWad = (await world.ballast.health(account)).healthWad!;
    const below = (wad: bigint) => observer.below(wad).map(({ account: id }) => id);
    expect(below(healthWad)).to.not.include(account);
    expect(below(healthWad + 1n)).to.include(account);
  });

  describe("audit", () => {
    /** An account whose principal, in the books, is another one than on the chain. */
    const misread = (world: World, observer: Observer, change: bigint): AccountId => {
      const { storage } = observer.book;
      const isTrader = (id: AccountId) =>
        id !== world.ballast.poolAccount && AccountWord.marketBits(storage.accounts.get(id)) !== 0n;
      const account = storage.accounts.keys().find(isTrader)!;
      const word = storage.accounts.get(account);
      storage.accounts.set(account, AccountWord.toAccountWord(word, AccountWord.principal(word) + change));
      return account;
    };
    const errors = (lines: readonly LogLine[]) => lines.filter(({ level }) => level >= 50).map(({ msg }) => msg);

    it("finds a wei of cash that the chain does not know of, and builds the books anew", async () => {
      const { world, observer, found, lines } = await enter({ auditSample: 0 });
      await found();
      misread(world, observer, 1n);
      expect(sumDifferences(observer.book.storage)).to.have.length(1);
      expect(await observer.audit()).to.equal(false);
      expect(errors(lines)).to.deep.equal(["books differ from the chain: they are built anew"]);
      await found();
      expect([await observer.audit(), sumDifferences(observer.book.storage)]).to.deep.equal([true, []]);
      expect(errors(lines)).to.have.length(1);
    });

    it("finds an account that is missing", async () => {
      const { observer, found } = await enter();
      await found();
      const { storage } = observer.book;
      for (const account of observer.book.accounts()) {
        const word = storage.accounts.get(account);
        if (word === 0n) continue;
        storage.accounts.set(account, 0n as AccountWord.AccountWord);
        expect(sumDifferences(storage), account).to.not.deep.equal([]);
        storage.accounts.set(account, word);
      }
      expect(sumDifferences(storage)).to.deep.equal([]);
    });

    it("finds by the chain's own figures what no sum shows, in the block in which it is asked", async () => {
      const { world, observer, found, lines } = await enter({ auditBlocks: 1_000, auditSample: 200 });
      await found();
      expect(await observer.audit()).to.equal(true);
      const account = misread(world, observer, 1n);
      let draws = 0;
      expect(await observer.audit(() => (draws++ % 100) / 100)).to.equal(false);
      expect(lines.some((line) => JSON.stringify(line["some"] ?? []).includes(account))).to.equal(true);
    });

    it("says so and goes on where books that were built anew still differ", async () => {
      const abi = MarginVault__factory.createInterface();
      const { observer, found, lines } = await enter({}, (node) => ({
        async send(method, params) {
          const answer = await node.send(method, params);
          const [call] = params as [{ data?: string }];
          if (method !== "eth_call" || !call.data?.startsWith(abi.getFunction("healths").selector)) return answer;
          const [healths] = abi.decodeFunctionResult("healths", String(answer));
          const wrong = (healths as unknown as [bigint, ...unknown[]][]).map(([equity, ...rest]) => [
            equity + 1n,
            ...rest,
          ]);
          return abi.encodeFunctionResult("healths", [wrong as unknown as typeof healths]);
        },
      }));
      await found();
      const agrees = [await observer.audit(() => 0.5)];
      await found();
      agrees.push(await observer.audit(() => 0.5));
      expect(agrees).to.deep.equal([false, false]);
      expect(errors(lines)).to.deep.equal([
        "books differ from the chain: they are built anew",
        "books still differ from the chain after they were built anew",
      ]);
      expect(await found()).to.deep.equal([]);
    });
  });

  describe("snapshot", () => {
    it("starts where the last keeper stopped, and sees what it would have seen", async () => {
      const store = snapshots();
      const { world, observer, found } = await enter({ store });
      await found();
      observer.snapshot(true);
      const at = observer.book.head!.number;
      const account = await leveraged(world, 9);
      await world.push({ BTC: "7500" });
      const asked: number[] = [];
      const again = observerOf(world, { store }, (node) => ({
        send(method, params) {
          const [filter] = params as [{ fromBlock?: string; address?: string }];
          const isVault = filter?.address?.toLowerCase() === world.deployment.vault.toLowerCase();
          if (method === "eth_getLogs" && isVault && filter.fromBlock !== undefined)
            asked.push(Number(filter.fromBlock));
          return node.send(method, params);
        },
      }));
      expect(told(again.lines, "started from a snapshot")[0]).to.include({ block: at });
      expect(await again.found())
        .to.deep.equal(await found())
        .and.to.include(account);
      expect(asked).to.deep.equal([at + 1]);
      expect(await again.observer.audit()).to.equal(true);
      expect(again.observer.book.snapshot()).to.equal(observer.book.snapshot());
    });

    it("goes back with the chain from there", async () => {
      const store = snapshots();
      const { world, observer, found } = await enter({ store });
      await found();
      const snapshot = await connection.networkHelpers.takeSnapshot();
      await leveraged(world, 9);
      await found();
      observer.snapshot(true);
      await snapshot.restore();
      await mine(20);
      const again = observerOf(world, { store });
      await again.found();
      expect(again.lines.filter(({ level }) => level >= 40)).to.deep.equal([]);
      expect(await again.observer.audit()).to.equal(true);
    });

    const refused: [title: string, spoil: (bytes: Uint8Array) => void][] = [
      ["damaged", (bytes) => bytes.set([(bytes[bytes.length >> 1] ?? 0) ^ 1], bytes.length >> 1)],
      ["damaged in its accounts", (bytes) => bytes.set([(bytes.at(-5) ?? 0) ^ 1], bytes.length - 5)],
      ["no snapshot", (bytes) => bytes.fill(255)],
      ["no text", (bytes) => bytes.fill(255, 8)],
      ["cut off", (bytes) => bytes.set([255], 4)],
    ];
    for (const [title, spoil] of refused) {
      it(`refuses one that is ${title}, says so, and builds the books from the chain`, async () => {
        const store = snapshots();
        const { world, observer, found } = await enter({ store });
        await found();
        observer.snapshot(true);
        store.spoil(spoil);
        const again = observerOf(world, { store });
        await again.found();
        expect(told(again.lines, "snapshot refused: the books are built from the chain")).to.have.length(1);
        expect(again.observer.book.snapshot()).to.equal(observer.book.snapshot());
      });
    }

    it("refuses one of another vault", async () => {
      const store = snapshots();
      const { world, observer, found } = await enter({ store });
      await found();
      observer.snapshot(true);
      const deployment = { ...world.deployment, vault: world.deployment.pool };
      const { lines } = observerOf({ ...world, deployment }, { store });
      expect(told(lines, "snapshot refused: the books are built from the chain")).to.have.length(1);
    });

    it("writes one so many blocks after the last, and goes on where the store fails", async () => {
      const written: number[] = [];
      let isFull = false;
      const store = {
        readSnapshot: () => undefined,
        writeSnapshot: (bytes: Uint8Array) => {
          if (isFull) throw new Error("no space left on device");
          written.push(bytes.length);
        },
      };
      const { observer, found, lines } = await enter({ store, snapshotBlocks: 10 });
      const blocks = async (count: number) => {
        await mine(count);
        await found();
        observer.snapshot();
      };
      await found();
      observer.snapshot();
      await blocks(9);
      expect(written).to.have.length(0);
      await blocks(1);
      expect(written).to.have.length(1);
      isFull = true;
      await blocks(10);
      expect(told(lines, "snapshot could not be written")).to.have.length(1);
    });
  });
});
