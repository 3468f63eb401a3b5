import { expect } from "chai";
import hre from "hardhat";

import type { DeploymentParameters } from "../../deployments/schema.js";
import { type Connection, deployBallast } from "../../ignition/deploy.js";
import { type Access, accessJson, accessLines, callersOf, functionsOf, readAccess } from "../../sdk/access/index.js";
import {
  type ContractName,
  NotDeployedError,
  WrongChainError,
  contractInterfaces,
  roleIds,
  selectorOf,
} from "../../sdk/index.js";
import { deploymentParameters, parsePrices } from "../../simulator/index.js";
import { type AccessManager, AccessManager__factory } from "../../typechain-types/index.js";
import { failure } from "../helpers/revert.js";
import type { Signer } from "../helpers/world.js";

const day = 86_400;
const parameters = deploymentParameters(parsePrices("timestamp_iso,BTC\n2020-03-12T00:00:00Z,8000\n", "prices.csv"));

describe("sdk/access", () => {
  let connection: Connection;
  let signers: Signer[];
  let manager: AccessManager;
  let deployment: Awaited<ReturnType<typeof deployBallast>>;

  async function deploy(power: Partial<DeploymentParameters["power"]> = {}): Promise<void> {
    deployment = await deployBallast(connection, { ...parameters, power: { ...parameters.power, ...power } });
    manager = AccessManager__factory.connect(deployment.manager, signers[0]);
  }

  beforeEach(async () => {
    connection = await hre.network.create();
    signers = await connection.ethers.getSigners();
  });

  const read = () => readAccess(connection.ethers.provider, deployment);
  const address = (at: number) => signers[at]?.address ?? "";

  function functionOf({ contracts }: Access, contract: ContractName, name: string) {
    const found = contracts.find((one) => one.contract === contract)?.functions.find((one) => one.name === name);
    if (found === undefined) throw new TypeError(`${contract}.${name} is not told of`);
    return found;
  }

  it("tells of every function of every contract, views included", async () => {
    await deploy();
    const { contracts, chainId } = await read();
    expect(chainId).to.equal(31337);
    for (const [contract, coder] of Object.entries(contractInterfaces)) {
      const { writing, reading } = functionsOf(coder);
      const told = contracts.find((one) => one.contract === contract);
      expect(told?.functions.map(({ name }) => name).toSorted(), contract).to.deep.equal(
        [...writing, ...reading].toSorted(),
      );
    }
  });

  it("tells the members of a function's role, each with its delay", async () => {
    await deploy({ guardian: address(1), risk: address(2), riskDelaySeconds: String(2 * day), admin: address(3) });
    const access = await read();
    expect(functionOf(access, "MarginVault", "haltMarket")).to.deep.include({
      role: "GUARDIAN",
      members: [{ address: address(1), delaySeconds: 0 }],
    });
    expect(functionOf(access, "MarginVault", "listMarket")).to.deep.include({
      role: "RISK",
      members: [{ address: address(2), delaySeconds: 2 * day }],
    });
    expect(functionOf(access, "PriceOracle", "push")).to.deep.include({
      role: "PUSHER",
      members: [{ address: address(0), delaySeconds: 0 }],
    });
    expect(functionOf(access, "AccessManager", "labelRole")).to.deep.include({
      role: "ADMIN",
      members: [{ address: address(3), delaySeconds: 0 }],
    });
    expect(functionOf(access, "MarginVault", "trade").members).to.deep.equal([]);
  });

  it("asks the chain, not the parameters: roles given since, taken, to come, and a function that went to another", async () => {
    await deploy();
    await (await manager.grantRole(roleIds.guardian, address(1), 60)).wait();
    await (await manager.revokeRole(roleIds.guardian, address(0))).wait();
    await (await manager.setGrantDelay(roleIds.risk, day)).wait();
    await connection.networkHelpers.time.increase(5 * day);
    await (await manager.grantRole(roleIds.risk, address(2), 0)).wait();
    await (await manager.labelRole(9, "SCRIBE")).wait();
    const set = selectorOf("PriceOracle", "setPushFeed");
    await (await manager.setTargetFunctionRole(deployment.oracle, [set], 9)).wait();
    const access = await read();
    expect(functionOf(access, "MarginVault", "haltMarket").members).to.deep.equal([
      { address: address(1), delaySeconds: 60 },
    ]);
    expect(functionOf(access, "PriceOracle", "setPushFeed")).to.deep.include({ role: "SCRIBE", members: [] });
    const risk = access.roles.find(({ name }) => name === "RISK");
    expect(risk?.members.map(({ address: of, isActive }) => [of, isActive])).to.deep.equal([
      [address(0), true],
      [address(2), false],
    ]);
    // Who is to be a member may call nothing yet.
    expect(functionOf(access, "MarginVault", "listMarket").members.map((one) => one.address)).to.deep.equal([
      address(0),
    ]);
    expect(risk).to.include({ guardian: "GUARDIAN", admin: "ADMIN", grantDelaySeconds: day });
  });

  it("tells that nobody may call what is restricted of a contract that is closed", async () => {
    await deploy();
    await (await manager.setTargetClosed(deployment.oracle, true)).wait();
    const access = await read();
    expect(functionOf(access, "PriceOracle", "push").members).to.deep.equal([]);
    expect(functionOf(access, "MarginVault", "haltMarket").members).to.have.length(1);
    expect(accessLines(access).some((line) => /push +nobody \(closed\)/.test(line))).to.equal(true);
  });

  it("counts the delay of a contract's manager in, once it has begun", async () => {
    await deploy({ adminDelaySeconds: String(3 * day) });
    await connection.networkHelpers.time.increase(5 * day);
    const { contracts } = await read();
    const delays = Object.fromEntries(contracts.map((one) => [one.contract, one.adminDelaySeconds]));
    expect(delays).to.include({ MarginVault: 3 * day, PriceOracle: 3 * day, LiquidityPool: 0 });
  });

  it("prints a row for every function, with role, delay and members, and JSON that says the same", async () => {
    await deploy({ risk: address(2), riskDelaySeconds: String(2 * day + 3_600) });
    const access = await read();
    const lines = accessLines(access);
    const row = (name: string) =>
      lines
        .find((line) => line.startsWith(`  ${name} `))
        ?.trim()
        .split(/ {2,}/);
    expect(row("listMarket")).to.deep.equal(["listMarket", "role RISK", "2 days 1 hour", address(2)]);
    expect(row("withdraw")).to.deep.equal(["withdraw", "owner, operator with withdraw"]);
    expect(row("absorb")).to.deep.equal(["absorb", "anyone"]);
    for (const name of callersOf("MarginVault").keys()) expect(row(name), name).to.not.equal(undefined);
    const parsed = JSON.parse(accessJson(access)) as { contracts: unknown[]; roles: { id: string }[] };
    expect(parsed.contracts).to.deep.equal(access.contracts);
    expect(parsed.roles.map(({ id }) => id)).to.deep.equal(["0", "1", "2", "3"]);
  });

  it("reads no other chain, and nothing where nothing stands", async () => {
    await deploy();
    const elsewhere = { ...deployment, chainId: 5 };
    expect(await failure(() => readAccess(connection.ethers.provider, elsewhere))).to.be.instanceOf(WrongChainError);
    const empty = { ...deployment, manager: `0x${"1".repeat(40)}` };
    const error = await failure(() => readAccess(connection.ethers.provider, empty));
    expect(error).to.be.instanceOf(NotDeployedError).and.include({ contract: "AccessManager" });
  });
});
