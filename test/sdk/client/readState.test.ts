import { expect } from "chai";
import { type Block, toBeHex, toQuantity } from "ethers";
import hre from "hardhat";

import type { Connection } from "../../../ignition/deploy.js";
import { type AccountId, ProviderLagError, ReorgError, accountId, place, readState } from "../../../sdk/index.js";
import * as MarginVault from "../../../sdk/risk/MarginVault.js";
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
});
