import { expect } from "chai";
import { FunctionFragment, type Interface, type ParamType } from "ethers";
import hre from "hardhat";

import type { Connection } from "../../ignition/deploy.js";
import {
  type HostileWorld,
  type PlannedCall,
  type Puppet,
  callsOf,
  deployHostileWorld,
  deployPuppet,
  errorNamed,
  poolInterface,
  usd,
  vaultInterface,
} from "../helpers/attack.js";
import { audit } from "../helpers/audit.js";
import { type World, roundFigures, wad, withoutInterest } from "../helpers/world.js";

describe("I05: a contract that is paid out acts again before the payment is over", () => {
  let connection: Connection;
  let world: World;
  let cash: HostileWorld["cash"];
  let puppet: Puppet;
  let calls: ReturnType<typeof callsOf>;

  async function hostile() {
    return deployHostileWorld(connection, (parameters) => withoutInterest(roundFigures(parameters)));
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    ({ world, cash } = await connection.networkHelpers.loadFixture(hostile));
    calls = callsOf(world);
    puppet = await deployPuppet(world, { USDC: "100000" });
    await puppet.act(
      calls.vault("deposit", [puppet.account, usdc(), usd("50000")]),
      calls.pool("deposit", [usd("10000"), puppet.address]),
      trade("100"),
    );
    await world.fund(world.signers[0]!, { USDC: "10000" });
  });

  const usdc = () => world.deployment.settlementToken.address;
  const trade = (size: string) => calls.vault("trade", [puppet.account, 1n, wad(size), 0n, 2n ** 64n]);
  const withdraw = () => calls.vault("withdraw", [puppet.account, usdc(), usd("1000"), puppet.address]);

  /** What came of each call that was made while the token moved. */
  async function within(moved: PlannedCall, planned: readonly PlannedCall[]): Promise<string[]> {
    await (await puppet.contract.plan([...planned])).wait();
    await puppet.act(moved);
    return (await puppet.contract.outcomes()).map(({ went, result }) => (went ? "done" : errorNamed(result)));
  }

  for (const beforeMove of [true, false]) {
    it(`opens no position ${beforeMove ? "before" : "after"} the tokens have gone, and the books are those of one withdrawal`, async () => {
      await (await cash.setPuppet(puppet.address, beforeMove)).wait();
      const [size, share] = [await sizeOf(), await world.ballast.pool.convertToAssets(wad("1"))];
      const told = await within(withdraw(), [trade("-500"), trade("50")]);
      expect(told).to.deep.equal(["ReentrancyGuardReentrantCall", "ReentrancyGuardReentrantCall"]);
      expect(await sizeOf()).to.equal(size);
      expect(await world.ballast.pool.convertToAssets(wad("1"))).to.equal(share);
      expect(await world.ballast.cashOf(puppet.account)).to.equal(wad("49000"));
      await audit(world);
    });
  }

  it("reaches no entry point of the vault or the pool that changes anything", async () => {
    await (await cash.setPuppet(puppet.address, false)).wait();
    const names: string[] = [];
    const planned: PlannedCall[] = [];
    for (const [of, target, known] of [
      ["vault", world.deployment.vault, vaultInterface],
      ["pool", world.deployment.pool, poolInterface],
    ] as const) {
      for (const fragment of (known as Interface).fragments.filter(FunctionFragment.isFragment)) {
        if (fragment.constant || isTokenOfShares(fragment.name)) continue;
        names.push(`${fragment.name} of ${of}`);
        const data = (known as Interface).encodeFunctionData(fragment, fragment.inputs.map(argumentFor));
        planned.push({ target, data });
      }
    }
    expect(names).to.include.members([
      "trade of vault",
      "absorb of vault",
      "multicall of vault",
      "deposit of pool",
      "redeem of pool",
    ]);
    const told = await within(withdraw(), planned);
    const reached = names.filter((_, i) => !refusals.has(told[i] ?? "done"));
    expect(reached).to.deep.equal([]);
    await audit(world);
  });

  /** Guarded, for the access manager's roles alone, or beyond what can be redeemed while shares are locked. */
  const refusals = new Set([
    "ReentrancyGuardReentrantCall",
    "AccessManagedUnauthorized",
    "ERC4626ExceededMaxRedeem",
    "ERC4626ExceededMaxWithdraw",
  ]);
  /** Shares are a token of their own: moving them neither calls nor asks the vault. */
  const isTokenOfShares = (name: string) => ["approve", "transfer", "transferFrom"].includes(name);

  /** Something that would be accepted, or as good as that: the guard is to refuse before anybody looks. */
  function argumentFor({ type, name, components }: ParamType): unknown {
    if (name === "shares" || name === "assets") return 1n;
    if (name === "amount" || name === "maxSizeWad" || name === "sizeDeltaWad") return wad("1");
    if (type === "bytes32") return puppet.account;
    if (type === "address") return name === "token" ? usdc() : puppet.address;
    if (type === "bytes[]") return [trade("50").data]; // of a multicall
    if (type.endsWith("[]")) return [];
    if (type === "bool") return false;
    if (type.startsWith("bytes")) return `0x${"00".repeat(Number(type.slice(5) || 0))}`;
    if (type === "string") return "";
    if (type === "tuple") return components?.map(argumentFor);
    return 1n;
  }

  const sizeOf = async () => (await world.ballast.position(puppet.account, "ETH")).sizeWad;
});
