import { AssertionError, expect } from "chai";

import { type AccountId, WrongChainError } from "../../../sdk/index.js";
import {
  Book,
  BookDiffersError,
  BookFollower,
  BookTooShallowError,
  ChainUnsettledError,
  ForeignLogsError,
  NodeAnswerError,
  NodeLagsError,
  type RpcSender,
  type Turn,
} from "../../../sdk/book/index.js";
import { named } from "../../helpers/history.js";
import { differences, extentOf, placesOf, readStorage, sentence, toldBy } from "../../helpers/vaultStorage.js";
import { type World, createWorld } from "../../helpers/world.js";

type Json = Record<string, unknown>;
/** Changes what a node answers: it gets the true answer, and may ask more. */
type Bend = (method: string, params: unknown[], answer: unknown) => unknown;

/** A node whose answers can be bent. */
class BentNode implements RpcSender {
  readonly asked: string[] = [];
  bend: Bend = (_method, _params, answer) => answer;
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  ask(method: string, params: unknown[]): Promise<unknown> {
    return this.#world.connection.provider.request({ method, params });
  }

  async send(method: string, params: unknown[]): Promise<unknown> {
    this.asked.push(method);
    return this.bend(method, params, await this.ask(method, params));
  }
}

const isHeader = (method: string, params: unknown[], of: unknown) =>
  method === "eth_getBlockByNumber" && params[0] === of;
const isLogs = (method: string) => method === "eth_getLogs";

/** What a promise is rejected with, which must be of this kind. */
async function failure<T extends Error>(promise: Promise<unknown>, kind: new (...args: never[]) => T): Promise<T> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof kind) return error;
    throw error;
  }
  throw new AssertionError(`expected ${kind.name}, but nothing failed`);
}

describe("sdk/book/follow", () => {
  let world: World;
  let node: BentNode;
  let book: Book;
  let follower: BookFollower;
  let account: AccountId;

  const deposit = async (amount: string) => {
    const [owner] = world.signers;
    return world.fund(owner!, { USDC: amount });
  };
  // One by one: blocks that the node mines at once name no parents.
  const mine = async (blocks: number) => {
    for (let at = 0; at < blocks; at += 1) await node.ask("evm_mine", []);
  };
  const head = async () => Number(await node.ask("eth_blockNumber", []));

  /** Where book and chain do not say the same, in sentences. */
  async function wrong(of = book): Promise<string[]> {
    const places = placesOf(extentOf(of.storage));
    const words = await readStorage(
      (method, params) => node.ask(method, params),
      world.deployment.vault,
      places.map(({ slot }) => slot),
    );
    return differences(toldBy(of.storage), named(places, words)).map(sentence);
  }

  beforeEach(async () => {
    world = await createWorld();
    node = new BentNode(world);
    book = new Book(world.deployment);
    follower = new BookFollower(book, node);
    account = await deposit("5000");
  });

  it("catches up with a chain in ranges and then block by block, and equals its storage", async () => {
    const first = await head();
    await mine(150);
    const [owner] = world.signers;
    await (await world.as(owner!)).trade(account, "BTC", "0.5");
    follower = new BookFollower(book, node, { rangeBlocks: 40 });
    const turn = await follower.turn();
    expect(turn).to.deep.include({ undone: 0, applied: first + 151 - world.deployment.fromBlock + 1 });
    expect(turn.head).to.deep.equal(book.head);
    expect(book.head?.number).to.equal(await head());
    expect(book.earliest).to.equal((await head()) - 64);
    expect(await wrong()).to.deep.equal([]);
    expect(book.storage.positions.get(account, 0)).not.to.equal(0n);
  });

  it("equals the chain's storage after each block", async () => {
    await follower.turn();
    const [owner, operator] = world.signers;
    const client = await world.as(owner!);
    const acts = [
      () => deposit("100"),
      () => client.trade(account, "ETH", "2"),
      () => client.vault.setOperator(account, operator!.address, 3n),
      () => client.vault.revokeSignatures(),
      () => world.ballast.vault.haltBorrowing(),
      () => client.trade(account, "ETH", "-2"),
      () => client.withdraw(account, "USDC", "700"),
      () => mine(1),
    ];
    for (const act of acts) {
      await act();
      const { applied } = await follower.turn();
      expect(applied).to.be.above(0);
      expect(await wrong()).to.deep.equal([]);
    }
    expect(book.storage.borrowingHalted).to.equal(true);
    expect(await follower.turn()).to.include({ undone: 0, applied: 0 });
  });

  it("undoes a reorg of 64 blocks, and follows the other fork", async () => {
    const snapshot = await world.connection.networkHelpers.takeSnapshot();
    const fork = await head();
    const before = account;
    await deposit("1");
    await deposit("2");
    await mine(64 - ((await head()) - fork));
    await follower.turn();
    const old = book.storage.accounts.get(before);
    expect((await head()) - fork).to.equal(64);
    await snapshot.restore();
    await deposit("70");
    await mine(66);
    const turn = await follower.turn();
    expect(turn.undone).to.equal(64);
    expect(turn.head.number).to.equal(await head());
    expect(book.storage.accounts.get(before)).not.to.equal(old);
    expect(await wrong()).to.deep.equal([]);
  });

  it("refuses a reorg of 65 blocks, and says where to start from", async () => {
    const snapshot = await world.connection.networkHelpers.takeSnapshot();
    const fork = await head();
    await mine(65);
    await follower.turn();
    await snapshot.restore();
    await deposit("70");
    await mine(70);
    const error = await failure(follower.turn(), BookTooShallowError);
    expect(error).to.include({ blockNumber: fork, earliest: fork + 1 });
    expect(book.head?.number).to.equal(fork + 65);
  });

  it("goes on from a snapshot, and undoes what was taken back since", async () => {
    const chain = await world.connection.networkHelpers.takeSnapshot();
    await deposit("1");
    await follower.turn();
    const text = book.snapshot();
    await chain.restore();
    await deposit("2");
    await deposit("3");
    const read = Book.fromSnapshot(world.deployment, text);
    const turn = await new BookFollower(read, node).turn();
    expect(turn.undone).to.be.above(0);
    expect(await wrong(read)).to.deep.equal([]);
  });

  it("says that a node lags, whether it lacks one block or many, and leaves the book as it is", async () => {
    await mine(70);
    await follower.turn();
    const number = await head();
    for (const late of [1, 69]) {
      const old = await node.ask("eth_getBlockByNumber", [`0x${(number - late).toString(16)}`, false]);
      node.bend = (method, params, answer) => (isHeader(method, params, "latest") ? old : answer);
      const error = await failure(follower.turn(), NodeLagsError);
      expect(error).to.include({ head: number, nodeHead: number - late });
      expect(book.head?.number).to.equal(number);
    }
    expect(await wrong()).to.deep.equal([]);
  });

  describe("with a node that does not tell the truth", () => {
    let before: number;

    beforeEach(async () => {
      await follower.turn();
      before = book.head!.number;
      await deposit("1");
      await deposit("2");
    });

    /** What a turn fails with; nothing of it is left, and with honest answers the book comes to equal the chain. */
    async function refused<T extends Error>(kind: new (...args: never[]) => T, bend: Bend): Promise<T> {
      node.bend = bend;
      const error = await failure(follower.turn(), kind);
      expect(book.head?.number).to.equal(before);
      node.bend = (_method, _params, answer) => answer;
      await follower.turn();
      expect(await wrong()).to.deep.equal([]);
      return error;
    }

    it("sorts logs that come in another order", async () => {
      node.bend = (method, _params, answer) => (isLogs(method) ? (answer as Json[]).toReversed() : answer);
      await follower.turn();
      expect(await wrong()).to.deep.equal([]);
    });

    it("asks again by the block's hash where its header says that logs are missing", async () => {
      node.bend = (method, params, answer) =>
        isLogs(method) && (params[0] as Json)["blockHash"] === undefined ? [] : answer;
      await follower.turn();
      expect(await wrong()).to.deep.equal([]);
    });

    it("finds by storage that logs are missing, and names the words", async () => {
      const error = await refused(BookDiffersError, (method, _params, answer) => (isLogs(method) ? [] : answer));
      expect(error.blockNumber).to.equal(await head());
      expect(error.differences.map(({ name }) => name)).to.include("cash held, interest and counts");
    });

    it("finds by storage that a range's logs are missing", async () => {
      await mine(80);
      const error = await refused(BookDiffersError, (method, _params, answer) => (isLogs(method) ? [] : answer));
      expect(error.blockNumber).to.equal((await head()) - 64);
    });

    it("finds that one log of many is missing", async () => {
      const error = await refused(BookDiffersError, (method, _params, answer) =>
        isLogs(method)
          ? (answer as Json[]).filter(
              (log, at, all) => at !== all.findLastIndex((one) => String(one["data"]).length === 194),
            )
          : answer,
      );
      expect(error.differences).not.to.deep.equal([]);
    });

    it("refuses logs of another fork", async () => {
      const hash = `0x${"ab".repeat(32)}`;
      const error = await refused(ForeignLogsError, (method, _params, answer) =>
        isLogs(method) ? (answer as Json[]).map((log) => ({ ...log, blockHash: hash })) : answer,
      );
      expect(error).to.include({ actual: hash });
      expect(error.blockNumber).to.be.within(before + 1, await head());
    });

    it("refuses blocks that do not follow one another", async () => {
      const number = before + 2;
      const error = await refused(ChainUnsettledError, (method, params, answer) =>
        isHeader(method, params, `0x${number.toString(16)}`)
          ? { ...(answer as Json), parentHash: `0x${"ab".repeat(32)}` }
          : answer,
      );
      expect(error.attempts).to.equal(3);
      expect(error.cause).to.include({ name: "ParentHashError", blockNumber: number });
    });

    it("refuses a head that is not on the node's own chain", async () => {
      const error = await refused(ChainUnsettledError, (method, params, answer) =>
        isHeader(method, params, "latest") ? { ...(answer as Json), hash: `0x${"ab".repeat(32)}` } : answer,
      );
      expect(error.cause).to.include({ name: "ParentHashError", actual: `0x${"ab".repeat(32)}` });
    });

    it("refuses a head that the node cannot give the blocks up to", async () => {
      const number = `0x${((await head()) + 5).toString(16)}`;
      const error = await refused(NodeAnswerError, (method, params, answer) =>
        isHeader(method, params, "latest") ? { ...(answer as Json), number } : answer,
      );
      expect(error.method).to.equal("eth_getBlockByNumber");
    });

    const answers: Record<string, Bend> = {
      "a log twice": (method, _params, answer) =>
        isLogs(method) ? [...(answer as Json[]), (answer as Json[])[0]] : answer,
      "a removed log": (method, _params, answer) =>
        isLogs(method) ? (answer as Json[]).map((log) => ({ ...log, removed: true })) : answer,
      "a log of another contract": (method, _params, answer) =>
        isLogs(method) ? (answer as Json[]).map((log) => ({ ...log, address: world.deployment.pool })) : answer,
      "a log of another block than asked for": (method, _params, answer) =>
        isLogs(method) ? (answer as Json[]).map((log) => ({ ...log, blockNumber: "0x1" })) : answer,
      "no list of logs": (method, _params, answer) => (isLogs(method) ? null : answer),
      "a log without data": (method, _params, answer) =>
        isLogs(method) ? [{ ...(answer as Json[])[0], data: 5 }] : answer,
    };
    for (const [what, bend] of Object.entries(answers)) {
      it(`refuses ${what}`, async () => {
        expect((await refused(NodeAnswerError, bend)).method).to.equal("eth_getLogs");
      });
    }

    it("keeps the cause where the node fails", async () => {
      const down = new Error("down");
      const error = await refused(NodeAnswerError, (method, _params, answer) => {
        if (method === "eth_call") throw down;
        return answer;
      });
      expect(error).to.include({ method: "eth_call", cause: down });
    });

    it("asks for halves of a range that the node refuses", async () => {
      node.bend = (method, params, answer) => {
        const { fromBlock, toBlock } = (params[0] ?? {}) as Record<string, string>;
        if (isLogs(method) && fromBlock !== toBlock) throw new Error("too many");
        return answer;
      };
      await follower.turn();
      expect(await wrong()).to.deep.equal([]);
    });
  });

  it("heals by itself where the chain moves while it is read", async () => {
    await follower.turn();
    await deposit("1");
    let moved = 0;
    node.bend = (method, params, answer) =>
      isLogs(method) && moved++ === 0
        ? (answer as Json[]).map((log) => ({ ...log, blockHash: `0x${"ab".repeat(32)}` }))
        : answer;
    await follower.turn();
    expect(moved).to.equal(2);
    expect(await wrong()).to.deep.equal([]);
  });

  it("refuses a node of another chain", async () => {
    node.bend = (method, _params, answer) => (method === "eth_chainId" ? "0x1" : answer);
    const error = await failure(follower.turn(), WrongChainError);
    expect(error).to.include({ expected: 31_337, actual: 1 });
    expect(book.head).to.equal(undefined);
  });

  it("follows until it is told to stop, through a node's troubles", async () => {
    const stop = new AbortController();
    const turns: Turn[] = [];
    const troubles: Error[] = [];
    let failing = 3; // as often as a turn tries
    node.bend = (method, _params, answer) => {
      if (method === "eth_getBlockByNumber" && failing-- > 0) throw new Error("busy");
      return answer;
    };
    await follower.follow({
      pollMs: 1,
      signal: stop.signal,
      onTurn(turn) {
        turns.push(turn);
        if (turns.length === 1) void mine(1);
        else stop.abort();
      },
      onTrouble: (error) => void troubles.push(error),
    });
    expect(troubles.map(({ name }) => name)).to.deep.equal(["NodeAnswerError"]);
    expect(turns.map(({ head: { number } }) => number)).to.deep.equal([(await head()) - 1, await head()]);
    expect(book.head).to.deep.equal(turns[1]?.head);
  });

  it("stops following where asking again does not help", async () => {
    node.bend = (method, _params, answer) => (method === "eth_chainId" ? "0x1" : answer);
    await failure(follower.follow({ pollMs: 1 }), WrongChainError);
  });
});
