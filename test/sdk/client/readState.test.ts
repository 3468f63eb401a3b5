import { expect } from "chai";
import { type Block, toBeHex, toQuantity } from "ethers";
import hre from "hardhat";

import type { Connection } from "../../../ignition/deploy.js";
import {
  type AccountId,
  AddressError,
  ContractError,
  NotDeployedError,
  NotReadError,
  ProviderLagError,
  ReorgError,
  TimeError,
  accountId,
  explainError,
  explainHealth,
  liquidationMove,
  liquidationPrice,
  place,
  previewOf,
  readState,
} from "../../../sdk/index.js";
import * as MarginVault from "../../../sdk/risk/MarginVault.js";
import { deployAggregator } from "../../helpers/chainlink.js";
import { failure } from "../../helpers/revert.js";
import { type Signer, type World, deployWorld } from "../../helpers/world.js";
import { type Watch, watchedProvider } from "./watchedProvider.js";

describe("sdk/client/readState", () => {
  let connection: Connection;
  let world: World;
  let owner: Signer;
  let account: AccountId;
  let latest: Block;

  async function traded() {
    const fresh = await deployWorld(connection);
    const [signer] = fresh.signers as [Signer];
    const id = await fresh.fund(signer, { USDC: "10000", WETH: "5" });
    await (await fresh.as(signer)).trade(id, "LINK", "-100");
    return fresh;
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    world = await connection.networkHelpers.loadFixture(traded);
    [owner] = world.signers as [Signer];
    account = accountId(owner.address);
    const block = await world.ballast.provider.getBlock("latest");
    if (block === null) throw new TypeError("no block");
    latest = block;
  });

  const through = (watch: Watch) => watchedProvider(connection, watch);
  const read = (watch: Watch, accounts: readonly AccountId[] = [account]) =>
    readState(through(watch), world.deployment, accounts);

  it("is of one block: its number, hash and time stand with it", async () => {
    const { block } = await world.ballast.readState([account]);
    expect(block).to.deep.equal({ number: latest.number, hash: latest.hash, timestamp: latest.timestamp });
    await world.passTime(1_000);
    const older = await world.ballast.readState([account], { blockTag: latest.number });
    expect(older.block).to.deep.equal(block);
  });

  it("takes two calls, whatever the number of markets and accounts", async () => {
    let calls = 0;
    const provider = through(async ({ method }, next) => {
      if (method === "eth_call") calls += 1;
      return next();
    });
    const accounts = Array.from({ length: 20 }, (_, index) => accountId(owner.address, index));
    await readState(provider, world.deployment, accounts);
    calls = 0;
    await readState(provider, world.deployment, accounts);
    expect(calls).to.equal(2);
  });

  it("has every word that the vault has of these accounts, and of all markets and collaterals", async () => {
    const { storage } = await world.ballast.readState([account]);
    const at = async (slot: string) =>
      BigInt(
        (await connection.provider.request({
          method: "eth_getStorageAt",
          params: [world.deployment.vault, slot, "latest"],
        })) as string,
      );
    const pool = world.ballast.poolAccount;
    expect(storage.accounts.get(account))
      .to.equal(await at(place.account(account).slot))
      .above(0n);
    expect(storage.positions.get(account, 2))
      .to.equal(await at(place.position(account, 2).slot))
      .not.equal(0n);
    expect(storage.positions.get(pool, 2))
      .to.equal(await at(place.position(pool, 2).slot))
      .not.equal(0n);
    expect(storage.collateralOf.get(account, 0))
      .to.equal(await at(place.collateralOf(account, 0).slot))
      .above(0n);
    expect(storage.markets(2).state)
      .to.equal(await at(place.market(2, "state").slot))
      .above(0n);
    expect(storage.markets(2).discount)
      .to.equal(await at(place.market(2, "discount").slot))
      .above(0n);
    expect(storage.collaterals.get(1))
      .to.equal(await at(place.collateral(1).slot))
      .above(0n);
    expect(BigInt(storage.collateralTokens(1))).to.equal(await at(place.collateralToken(1).slot));
    expect(storage.cashIndices)
      .to.equal(await at(place.cashIndices.slot))
      .above(0n);
    const { marketCount, collateralCount, cashHeld, interestUnswept } = storage;
    const counts =
      cashHeld | (interestUnswept << 128n) | (BigInt(marketCount) << 240n) | (BigInt(collateralCount) << 248n);
    expect(counts)
      .to.equal(await at(place.counts.slot))
      .above(0n);
  });

  it("knows markets and collaterals that were listed after the deployment file was written", async () => {
    const { markets, collaterals } = world.deployment;
    const old = { ...world.deployment, markets: markets.slice(0, 1), collaterals: collaterals.slice(0, 0) };
    const state = await readState(world.ballast.provider, old, [account]);
    const { $, code } = state.at();
    const { healthWad, equityInitialWad } = await world.ballast.vault.health(account);
    expect(MarginVault.health($, code, account)).to.deep.include({ healthWad, equityInitialWad });
    const [valueWad] = await world.ballast.vault.poolValue();
    expect(MarginVault.poolValue($, code)[0]).to.equal(valueWad);
  });

  it("reads by number where the provider takes no hashes", async () => {
    const tags = new Set<unknown>();
    const state = await read(async ({ method, params }, next) => {
      if (method !== "eth_call") return next();
      if (String(params[1]).length === 66) throw new Error("hex number > 64 bits");
      tags.add(params[1]);
      return next();
    });
    expect(state.block.hash).to.equal(latest.hash);
    expect([...tags]).to.deep.equal([toQuantity(latest.number)]);
  });

  it("reads again where the chain took the block back meanwhile, and gives up the second time", async () => {
    const replaced = (times: number): Watch => {
      let left = times;
      return async ({ method, params }, next) => {
        const answer = await next();
        if (method !== "eth_getBlockByNumber" || params[0] === "latest" || left === 0) return answer;
        left -= 1;
        return { ...(answer as object), hash: toBeHex(7, 32) };
      };
    };
    expect((await read(replaced(1))).block.hash).to.equal(latest.hash);
    const error = await failure(() => read(replaced(2)));
    expect(error).to.be.instanceOf(ReorgError);
    expect(error).to.deep.include({ blockNumber: latest.number, was: latest.hash, is: toBeHex(7, 32) });
  });

  it("says that the provider lags where it has no such block, at first or at the end", async () => {
    const ahead = await failure(() => world.ballast.readState([account], { blockTag: latest.number + 5 }));
    expect(ahead).to.be.instanceOf(ProviderLagError);
    expect(ahead).to.deep.include({ blockTag: latest.number + 5 });
    const behind = await failure(() =>
      read(async ({ method, params }, next) =>
        method === "eth_getBlockByNumber" && params[0] !== "latest" ? null : next(),
      ),
    );
    expect(behind).to.be.instanceOf(ProviderLagError);
    expect(behind).to.deep.include({ blockTag: latest.number });
  });

  it("hands on what else goes wrong", async () => {
    const error = await failure(() =>
      read(async ({ method }, next) => {
        if (method === "eth_call") throw new Error("out of order today");
        return next();
      }),
    );
    const { info } = error as { readonly info: { readonly error: { readonly message: string } } };
    expect(info.error.message).to.equal("out of order today");
  });

  it("says so where it is asked for what was not read, and takes nothing for zero", async () => {
    const { ballast, deployment } = world;
    const state = await ballast.readState([account]);
    const stranger = accountId(world.signers[1]?.address ?? "");
    const usdc = deployment.settlementToken.address.toLowerCase();
    const [us, them] = [owner.address.toLowerCase(), stranger.slice(0, 42)];
    const { calls } = ballast;
    const unread: readonly [() => unknown, what: string, of: readonly string[]][] = [
      [() => explainHealth(state, stranger), "account", [stranger]],
      [() => liquidationPrice(state, stranger, "LINK"), "account", [stranger]],
      [() => liquidationMove(state, stranger), "account", [stranger]],
      [() => previewOf(state, calls.settle(stranger, "LINK")), "account", [stranger]],
      [() => previewOf(state, calls.trade(account, "LINK", "1"), { from: them }), "permissions", [account, them]],
      [() => previewOf(state, calls.revokeSignatures(), { from: them }), "nonce", [them]],
      [() => previewOf(state, calls.deposit(account, "USDC", "1")), "tokens", [us, usdc]],
      [() => previewOf(state, calls.withdraw(account, "USDC", "1")), "tokens", [deployment.vault.toLowerCase(), usdc]],
      [
        () => explainError(state, calls.settle(stranger, "LINK"), new ContractError("NoPosition")),
        "account",
        [stranger],
      ],
    ];
    for (const [ask, what, of] of unread) {
      expect(ask, what).to.throw(NotReadError).that.deep.includes({ what, of });
    }
    expect(previewOf(state, calls.trade(account, "LINK", "1")).error).to.equal(undefined);
  });

  it("knows an account by digits of any case", async () => {
    const shouted = `0x${account.slice(2).toUpperCase()}` as AccountId;
    const state = await readState(world.ballast.provider, world.deployment, [shouted]);
    expect(explainHealth(state, shouted)).to.deep.equal(explainHealth(state, account));
    expect(liquidationPrice(state, shouted, "LINK")).to.deep.equal(liquidationPrice(state, account, "LINK"));
  });

  it("reads who would send the calls, where nobody is named", async () => {
    const { calls } = world.ballast;
    const call = calls.multicall([calls.deposit(account, "USDC", "1"), calls.withdraw(account, "USDC", "1")]);
    const state = await world.ballast.readState([], { calls: [call] });
    expect(previewOf(state, call).error?.errorName).to.equal("ERC20InsufficientAllowance");
  });

  it("holds from its block on, for times that are whole seconds and senders that are addresses", async () => {
    const state = await world.ballast.readState([account]);
    const { timestamp } = state.block;
    for (const [at, earliest] of [
      [timestamp - 1, BigInt(timestamp)],
      [timestamp + 0.5, undefined],
      [Number.NaN, undefined],
    ] as const) {
      expect(() => state.at(at), String(at))
        .to.throw(TimeError)
        .that.deep.includes({ value: at, earliest });
    }
    expect(() => state.at(timestamp, "bob"))
      .to.throw(AddressError)
      .that.includes({ value: "bob" });
    expect(state.at(timestamp, owner.address).$.sender).to.equal(owner.address.toLowerCase());
  });

  it("says that there is no code where the contracts of a deployment are not", async () => {
    const address = world.signers[1]?.address ?? "";
    for (const contract of ["vault", "oracle"] as const) {
      const error = await failure(() =>
        readState(
          through(async (_, next) => next()),
          { ...world.deployment, [contract]: address },
          [account],
        ),
      );
      expect(error).to.be.instanceOf(NotDeployedError).that.includes({ contract, address });
      expect((error as Error).cause, contract).to.include({ code: "BAD_DATA" });
    }
  });

  it("foresees that a pushed price is too old for anything, even while the sequencer's grace time lasts", async () => {
    const { ballast } = world;
    const uptime = await deployAggregator(connection, 0, 1n); // down
    await (await ballast.oracle.setSequencer(await uptime.getAddress(), 1800)).wait();
    const call = ballast.calls.trade(account, "LINK", "50");
    const state = await ballast.readState([], { calls: [call] });
    expect(previewOf(state, call).error).to.equal(undefined);
    const at = state.block.timestamp + 3_601;
    const { error } = previewOf(state, call, { at });
    await connection.networkHelpers.time.increaseTo(at);
    const client = await world.as(owner);
    const refused = await failure(() => client.vault.trade.staticCall(account, 2, 50n * 10n ** 18n, 0n, 2n ** 40n));
    expect(error?.errorName).to.equal("StaleMarketPrice");
    expect(error?.args).to.deep.equal((refused as ContractError).args);
  });
});
