import { expect } from "chai";
import { toBeHex } from "ethers";
import hre from "hardhat";

import type { Connection } from "../../../ignition/deploy.js";
import {
  type AccountId,
  type BallastEvent,
  type EventStreamOptions,
  OptionError,
  ProviderLagError,
  ReorgError,
  type StreamedEvent,
  UnknownLogError,
  streamEvents,
} from "../../../sdk/index.js";
import { failure } from "../../helpers/revert.js";
import { type Signer, type World, deployWorld } from "../../helpers/world.js";
import { type Watch, watchedProvider } from "./watchedProvider.js";

const pollMs = 5;

describe("sdk/client/eventStream", () => {
  let connection: Connection;
  let world: World;
  let owner: Signer;
  let other: Signer;
  let account: AccountId;

  async function funded() {
    const fresh = await deployWorld(connection);
    const [first, second] = fresh.signers as [Signer, Signer];
    await fresh.fund(first, { USDC: "10000" });
    await fresh.fund(second, { USDC: "10000" });
    return fresh;
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    world = await connection.networkHelpers.loadFixture(funded);
    [owner, other] = world.signers as [Signer, Signer];
    account = await (await world.as(owner)).account();
  });

  const place = ({ blockNumber, logIndex }: Pick<BallastEvent, "blockNumber" | "logIndex">) =>
    `${blockNumber}.${logIndex}`;

  /** The first so many events of a stream. */
  async function take(count: number, options: EventStreamOptions, watch?: Watch): Promise<StreamedEvent[]> {
    const provider = watch === undefined ? world.ballast.provider : watchedProvider(connection, watch);
    const found: StreamedEvent[] = [];
    for await (const event of streamEvents(provider, world.deployment, { pollMs, ...options })) {
      found.push(event);
      if (found.length === count) break;
    }
    return found;
  }

  it("has every event since a block, each once, in order, in ranges of any length", async () => {
    const { fromBlock } = world.deployment;
    const all = await world.ballast.events(fromBlock);
    for (const rangeBlocks of [1, 7, 2_000]) {
      const streamed = await take(all.length, { fromBlock, rangeBlocks });
      expect(streamed.map(place)).to.deep.equal(all.map(place));
      expect(streamed.map(({ name, args }) => ({ name, args }))).to.deep.equal(
        all.map(({ name, args }) => ({ name, args })),
      );
    }
  });

  it("goes on with the chain, until it is told to end", async () => {
    const ender = new AbortController();
    const told: string[] = [];
    const stream = world.ballast.events({ names: ["Traded"], pollMs, signal: ender.signal });
    const first = stream.next();
    const client = await world.as(owner);
    await new Promise((resolve) => setTimeout(resolve, 30));
    await client.trade(account, "ETH", "1");
    await client.trade(account, "ETH", "-0.5");
    const { value } = await first;
    if (value !== undefined) told.push(value.args.sizeDeltaWad.toString());
    for await (const { args } of stream) {
      told.push(args.sizeDeltaWad.toString());
      ender.abort();
    }
    expect(told).to.deep.equal(["1000000000000000000", "-500000000000000000"]);
  });

  it("has only the events that name an account, and only those of the names", async () => {
    const fromBlock = (await world.ballast.provider.getBlockNumber()) + 1;
    const theirs = await (await world.as(other)).account();
    await (await world.as(other)).trade(theirs, "ETH", "2");
    await (await world.as(owner)).trade(account, "ETH", "1");
    await (await world.as(owner)).transfer(account, theirs, "USDC", "50");
    const traded = await take(1, {
      fromBlock,
      account: account.toUpperCase().replace("0X", "0x") as AccountId,
      names: ["Traded"],
    });
    expect(traded[0]?.args).to.deep.include({ account, market: 1n, sizeDeltaWad: 10n ** 18n });
    const toThem = await take(2, { fromBlock, account: theirs, names: ["Traded", "Transferred"] });
    expect(toThem.map(({ name }) => name)).to.deep.equal(["Traded", "Transferred"]);
  });

  it("waits for confirmations", async () => {
    const fromBlock = (await world.ballast.provider.getBlockNumber()) + 1;
    await (await world.as(owner)).trade(account, "ETH", "1");
    let isTold = false;
    const told = take(1, { fromBlock, names: ["Traded"], confirmations: 2 }).then(() => (isTold = true));
    await connection.networkHelpers.mine(1);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(isTold).to.equal(false);
    await connection.networkHelpers.mine(1);
    await told;
  });

  it("leaves no gap where a node lags behind the head that it told", async () => {
    const fromBlock = (await world.ballast.provider.getBlockNumber()) + 1;
    await (await world.as(owner)).trade(account, "ETH", "1");
    let asked = 0;
    const told = await take(1, { fromBlock, names: ["Traded"] }, async ({ method }, next) => {
      if (method !== "eth_getBlockByNumber") return next();
      asked += 1;
      return asked <= 3 ? null : next();
    });
    expect(told.map(({ name }) => name)).to.deep.equal(["Traded"]);
  });

  it("asks again in halves where a node refuses a range", async () => {
    const { fromBlock } = world.deployment;
    const all = await world.ballast.events(fromBlock);
    let refused = 0;
    const streamed = await take(all.length, { fromBlock }, async ({ method, params }, next) => {
      const [filter] = params as [{ readonly fromBlock?: string; readonly toBlock?: string }];
      const wide = method === "eth_getLogs" && Number(filter.toBlock) - Number(filter.fromBlock) > 4;
      if (!wide) return next();
      refused += 1;
      throw new Error("query returned more than 10000 results");
    });
    expect(refused).to.be.above(0);
    expect(streamed.map(place)).to.deep.equal(all.map(place));
  });

  it("says so where a block that it told is taken back", async () => {
    const client = await world.as(owner);
    const fork = await connection.networkHelpers.takeSnapshot();
    await client.trade(account, "ETH", "1");
    const gone = await world.ballast.provider.getBlock("latest");
    const stream = streamEvents(
      watchedProvider(connection, async (_, next) => next()),
      world.deployment,
      {
        fromBlock: gone?.number ?? 0,
        names: ["Traded"],
        pollMs,
      },
    );
    expect((await stream.next()).value?.blockNumber).to.equal(gone?.number);
    await fork.restore();
    await connection.networkHelpers.mine(1);
    const instead = await world.ballast.provider.getBlock("latest");
    await client.trade(account, "ETH", "2");
    const error = await failure(() => stream.next());
    expect(error).to.be.instanceOf(ReorgError);
    expect(error).to.deep.include({ blockNumber: gone?.number, was: gone?.hash, is: instead?.hash });
  });

  it("says so where the logs of a range are of another fork than its last block", async () => {
    const { fromBlock } = world.deployment;
    const all = await world.ballast.events(fromBlock);
    const { blockNumber } = all[0] ?? { blockNumber: 0 };
    const error = await failure(() =>
      take(1, { fromBlock: blockNumber - 1, rangeBlocks: 2 }, async ({ method }, next) => {
        const answer = await next();
        if (method !== "eth_getLogs") return answer;
        return (answer as object[]).map((log) => ({ ...log, blockHash: toBeHex(9, 32) }));
      }),
    );
    expect(error).to.be.instanceOf(ReorgError);
    expect(error).to.deep.include({ blockNumber, was: toBeHex(9, 32) });
  });

  it("waits for a node that does not have the logs of a block that another one has told of", async () => {
    const fromBlock = (await world.ballast.provider.getBlockNumber()) + 1;
    await (await world.as(owner)).trade(account, "ETH", "1");
    const refusing = (times: number): Watch => {
      let left = times;
      return async ({ method }, next) => {
        if (method !== "eth_getLogs" || left === 0) return next();
        left -= 1;
        throw new Error("unknown block");
      };
    };
    const told = await take(1, { fromBlock, names: ["Traded"] }, refusing(5));
    expect(told.map(({ blockNumber }) => blockNumber)).to.deep.equal([fromBlock]);
    const error = await failure(() => take(1, { fromBlock, pollMs: 0 }, refusing(1_000)));
    expect(error).to.be.instanceOf(ProviderLagError).that.includes({ blockTag: fromBlock });
    expect(String((error as Error).cause)).to.match(/unknown block/);
  });

  it("goes on after the event that was told last, wherever the reader had stopped", async () => {
    const { fromBlock } = world.deployment;
    const all = await take((await world.ballast.events(fromBlock)).length, { fromBlock });
    const [a, b] = [all.findIndex(({ logIndex }) => logIndex > 0), all.length - 2];
    for (const at of [0, a, b]) {
      for (const rangeBlocks of [1, 2_000]) {
        const after = all[at];
        if (after === undefined) throw new TypeError("no such event");
        const rest = await take(all.length - at - 1, { after, rangeBlocks });
        expect(rest.map(place)).to.deep.equal(all.slice(at + 1).map(place));
      }
    }
    const gone = { ...(all[b] as StreamedEvent), blockHash: toBeHex(9, 32) };
    const error = await failure(() => take(1, { after: gone }));
    expect(error).to.be.instanceOf(ReorgError);
    expect(error).to.deep.include({ blockNumber: gone.blockNumber, was: gone.blockHash, is: all[b]?.blockHash });
  });

  it("refuses options that would have it wait for ever, or go round in circles", async () => {
    for (const [option, value] of [
      ["fromBlock", -1],
      ["confirmations", Number.NaN],
      ["rangeBlocks", 0],
      ["pollMs", 0.5],
    ] as const) {
      const error = await failure(() => take(1, { fromBlock: 0, [option]: value }));
      expect(error, option).to.be.instanceOf(OptionError).that.deep.includes({ option, value });
    }
  });

  it("says so where a log is of another version, by its topic or by its data", async () => {
    const { fromBlock } = world.deployment;
    const changed =
      (change: (log: { topics: string[]; data: string }) => object): Watch =>
      async ({ method }, next) => {
        const answer = await next();
        return method === "eth_getLogs" ? (answer as { topics: string[]; data: string }[]).map(change) : answer;
      };
    const [first] = await take(1, { fromBlock });
    const { blockNumber, logIndex, transactionHash } = first as StreamedEvent;
    const where = { blockNumber, logIndex, transactionHash };
    const renamed = await failure(() =>
      take(
        1,
        { fromBlock },
        changed((log) => ({ ...log, topics: [toBeHex(5, 32), ...log.topics.slice(1)] })),
      ),
    );
    expect(renamed)
      .to.be.instanceOf(UnknownLogError)
      .that.deep.includes({ topic: toBeHex(5, 32), place: where });
    const cut = await failure(() =>
      take(
        1,
        { fromBlock },
        changed((log) => ({ ...log, data: "0x12" })),
      ),
    );
    expect(cut).to.be.instanceOf(UnknownLogError).that.deep.includes({ place: where });
    expect((cut as Error).cause).to.include({ code: "BUFFER_OVERRUN" });
  });
});
