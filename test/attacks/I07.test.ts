import { expect } from "chai";
import { FunctionFragment, type ParamType } from "ethers";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import { accountId } from "../../sdk/index.js";
import { AccessManager__factory, PriceOracle__factory } from "../../typechain-types/index.js";
import { type PlannedCall, type Puppet, callsOf, deployPuppet, outcomeOf, usd } from "../helpers/attack.js";
import { type Signer, type World, deployWorld, roundFigures, wad, withoutInterest } from "../helpers/world.js";

const oracleInterface = PriceOracle__factory.createInterface();

/** By anyone: none of them takes a price but from a feed, or one that Pyth's publishers have signed. */
const openToAll: ReadonlySet<string> = new Set(["refresh", "updatePyth"]);

describe("I07: somebody without the role sets a price, and trades at it in the same transaction", () => {
  let connection: Connection;
  let world: World;
  let stranger: Signer;
  let puppet: Puppet;

  async function quiet() {
    return deployWorld(connection, (parameters) => withoutInterest(roundFigures(parameters)));
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    world = await connection.networkHelpers.loadFixture(quiet);
    [stranger] = world.signers as [Signer];
    puppet = await deployPuppet(world, { USDC: "100000" });
    const usdc = world.deployment.settlementToken.address;
    await puppet.act(callsOf(world).vault("deposit", [puppet.account, usdc, usd("100000")]));
  });

  const prices = () => world.ballast.oracle.lastPrices(7n | (3n << 96n));

  /** Every function of the oracle that writes and is not open to all, with arguments of its types. */
  function restrictedCalls(): { readonly name: string; readonly call: PlannedCall }[] {
    const target = world.deployment.oracle;
    return oracleInterface.fragments
      .filter((fragment) => FunctionFragment.isFragment(fragment))
      .filter((fragment) => !fragment.constant && !openToAll.has(fragment.name))
      .map((fragment) => ({
        name: fragment.name,
        call: { target, data: oracleInterface.encodeFunctionData(fragment as never, argumentsFor(fragment) as never) },
      }));
  }

  function argumentsFor({ name, inputs }: FunctionFragment): unknown[] {
    if (name === "push") return [[1], [wad("1")], 1];
    return inputs.map(zeroOf);
  }

  function zeroOf({ baseType, type, components }: ParamType): unknown {
    if (baseType === "array") return [];
    if (baseType === "tuple") return components?.map(zeroOf);
    if (type === "address") return puppet.address;
    if (type === "bool") return false;
    if (type.startsWith("bytes")) return `0x${"00".repeat(Number(type.slice(5) || 0))}`;
    return type === "string" ? "" : 1;
  }

  it("is refused, function by function, from an owner, a contract, and a forwarder that trusts everybody", async () => {
    const before = await prices();
    const manager = AccessManager__factory.connect(world.deployment.manager, stranger);
    const names: string[] = [];
    for (const { name, call } of restrictedCalls()) {
      names.push(name);
      const direct = () => stranger.sendTransaction({ to: call.target, data: call.data });
      expect(await outcomeOf(direct), name).to.equal("AccessManagedUnauthorized");
      expect(await outcomeOf(() => puppet.act(call)), `${name} by a contract`).to.equal("AccessManagedUnauthorized");
      const forwarded = await outcomeOf(() => manager.execute(call.target, call.data));
      expect(forwarded, `${name} through the manager`).to.equal("AccessManagerUnauthorizedCall");
    }
    expect(names).to.include.members(["push", "setPushFeed", "setChainlinkFeed", "setPythFeed", "setAuthority"]);
    expect(await prices()).to.deep.equal(before);
  });

  it("is refused as the first half of a transaction that trades, and the second does not happen", async () => {
    const { timestamp } = (await world.ballast.provider.getBlock("latest"))!;
    const before = await prices();
    const push = {
      target: world.deployment.oracle,
      data: oracleInterface.encodeFunctionData("push", [[1], [wad("100")], timestamp]),
    };
    const trade = callsOf(world).vault("trade", [puppet.account, 1n, wad("10"), 0n, 2n ** 64n]);
    expect(await outcomeOf(() => puppet.act(push, trade))).to.equal("AccessManagedUnauthorized");
    expect(await prices()).to.deep.equal(before);
    expect(await world.ballast.positions(puppet.account)).to.deep.equal([]);
  });

  it("is for the pusher as for anybody no way into another's account", async () => {
    const account = await world.fund(stranger, { USDC: "1000" });
    const refused = [
      () => world.ballast.trade(account, "ETH", "1"),
      () => world.ballast.withdraw(account, "USDC", "1"),
      () => world.ballast.transfer(account, accountId(world.admin.address), "USDC", "1"),
      () => world.ballast.setMode(account, "isolated"),
    ];
    for (const act of refused) expect(await outcomeOf(act)).to.equal("NotAuthorized");
  });

  it("is not reached through the vault's multicall, whose calls are the vault's own entry points", async () => {
    const before = await prices();
    const { vault } = await world.as(stranger);
    const account = await world.fund(stranger, { USDC: "1000" });
    const { timestamp } = (await world.ballast.provider.getBlock("latest"))!;
    const push = oracleInterface.encodeFunctionData("push", [[1], [wad("100")], timestamp]);
    const trade = callsOf(world).vault("trade", [account, 1n, wad("10"), 0n, 2n ** 64n]).data;
    expect(await outcomeOf(() => vault.multicall([push, trade]))).to.equal("FailedCall");
    expect(await outcomeOf(() => world.ballast.vault.multicall([push, trade])), "by the pusher").to.equal("FailedCall");
    // What is for a role alone is for it alone in a multicall too: there is no value to be had from being called by oneself.
    for (const name of ["haltBorrowing", "resumeBorrowing"]) {
      const restricted = callsOf(world).vault(name, []).data;
      expect(await outcomeOf(() => vault.multicall([restricted])), name).to.equal("AccessManagedUnauthorized");
    }
    expect(await prices()).to.deep.equal(before);
    expect(await world.ballast.positions(account)).to.deep.equal([]);
  });
});
