import { expect } from "chai";
import hre from "hardhat";

import type { DeploymentParameters } from "../../deployments/schema.js";
import { type Connection, deployBallast } from "../../ignition/deploy.js";
import { DelayTooShortError, MayNotListError, assignRoles } from "../../ignition/power.js";
import { readAccess } from "../../sdk/access/index.js";
import { type Deployment, roleIds } from "../../sdk/index.js";
import { deploymentParameters, parsePrices } from "../../simulator/index.js";
import { AccessManager__factory } from "../../typechain-types/index.js";
import { failure } from "../helpers/revert.js";
import type { Signer } from "../helpers/world.js";

const day = 86_400;

function parametersOf(power: Partial<DeploymentParameters["power"]>, assets = "BTC,ETH"): DeploymentParameters {
  const prices = assets.replace("BTC", "8000").replace("ETH", "200").replace("LINK", "4");
  const parameters = deploymentParameters(
    parsePrices(`timestamp_iso,${assets}\n2020-03-12T00:00:00Z,${prices}\n`, "prices.csv"),
  );
  return { ...parameters, power: { ...parameters.power, ...power } };
}

describe("ignition/power", () => {
  let connection: Connection;
  let deployer: Signer;
  let others: Signer[];

  beforeEach(async () => {
    connection = await hre.network.create();
    [deployer, ...others] = (await connection.ethers.getSigners()) as [Signer, ...Signer[]];
  });

  /** Each role's members with their delays, and who may cancel what they schedule. */
  async function rolesOf(deployment: Deployment) {
    const { roles } = await readAccess(connection.ethers.provider, deployment);
    return Object.fromEntries(
      roles.map(({ name, members, guardian }) => [
        name,
        { members: members.map(({ address, delaySeconds }) => [address, delaySeconds]), guardian },
      ]),
    );
  }

  const someoneElse = () => {
    const [pusher, guardian, risk, admin] = others.map(({ address }) => address) as [string, string, string, string];
    return { pusher, guardian, risk, admin };
  };

  it("leaves every role with the deployer, without delay, on a local chain that names nobody", async () => {
    const deployment = await deployBallast(connection, parametersOf({}));
    const members = [[deployer.address, 0]];
    expect(await rolesOf(deployment)).to.deep.equal({
      ADMIN: { members, guardian: "ADMIN" },
      PUSHER: { members, guardian: "ADMIN" },
      GUARDIAN: { members, guardian: "ADMIN" },
      RISK: { members, guardian: "GUARDIAN" },
    });
  });

  it("gives each role to whom the parameters name once all is listed, and leaves the deployer none", async () => {
    const named = someoneElse();
    const power = { ...named, riskDelaySeconds: String(2 * day), adminDelaySeconds: String(3 * day) };
    const deployment = await deployBallast(connection, parametersOf(power));
    expect(await rolesOf(deployment)).to.deep.equal({
      ADMIN: { members: [[named.admin, 3 * day]], guardian: "ADMIN" },
      PUSHER: { members: [[named.pusher, 0]], guardian: "ADMIN" },
      GUARDIAN: { members: [[named.guardian, 0]], guardian: "ADMIN" },
      RISK: { members: [[named.risk, 2 * day]], guardian: "GUARDIAN" },
    });
    expect(deployment.markets).to.deep.equal([{ symbol: "BTC" }, { symbol: "ETH" }]);
  });

  it("puts the delays on new members and on who manages the contracts, from five days on", async () => {
    const power = { riskDelaySeconds: String(2 * day), adminDelaySeconds: String(3 * day) };
    const { manager: at, vault, oracle } = await deployBallast(connection, parametersOf(power));
    const manager = AccessManager__factory.connect(at, deployer);
    const delays = async () => ({
      risk: await manager.getRoleGrantDelay(roleIds.risk),
      admin: await manager.getRoleGrantDelay(roleIds.admin),
      vault: await manager.getTargetAdminDelay(vault),
      oracle: await manager.getTargetAdminDelay(oracle),
    });
    expect(await delays()).to.deep.equal({ risk: 0n, admin: 0n, vault: 0n, oracle: 0n });
    await connection.networkHelpers.time.increase(5 * day);
    const [two, three] = [BigInt(2 * day), BigInt(3 * day)];
    expect(await delays()).to.deep.equal({ risk: two, admin: three, vault: three, oracle: three });
  });

  it("sends nothing when all roles are given, whether the deployer stays the admin or not", async () => {
    const delays = { riskDelaySeconds: String(2 * day), adminDelaySeconds: String(2 * day) };
    for (const power of [delays, { ...delays, ...someoneElse() }]) {
      const parameters = parametersOf(power);
      const deployment = await deployBallast(connection, parameters);
      const block = await connection.ethers.provider.getBlockNumber();
      expect(await deployBallast(connection, parameters, deployment)).to.deep.equal(deployment);
      expect(await connection.ethers.provider.getBlockNumber()).to.equal(block);
    }
  });

  it("goes on where giving the roles away broke off", async () => {
    const deployment = await deployBallast(connection, parametersOf({}));
    const named = someoneElse();
    const manager = AccessManager__factory.connect(deployment.manager, deployer);
    await (await manager.grantRole(roleIds.risk, named.risk, 2 * day)).wait();
    await (await manager.renounceRole(roleIds.risk, deployer.address)).wait();
    await (await manager.grantRole(roleIds.admin, named.admin, 2 * day)).wait();
    const delays = { riskDelaySeconds: String(2 * day), adminDelaySeconds: String(2 * day) };
    await assignRoles(deployment, { ...named, ...delays }, deployer);
    const roles = await rolesOf(deployment);
    const given = Object.entries(roles).map(([name, { members }]) => [name, members.map(([address]) => address)]);
    expect(Object.fromEntries(given)).to.deep.equal({
      ADMIN: [named.admin],
      PUSHER: [named.pusher],
      GUARDIAN: [named.guardian],
      RISK: [named.risk],
    });
  });

  it("says who has to list what the parameters have more, once the deployer may not", async () => {
    const delays = { riskDelaySeconds: String(2 * day), adminDelaySeconds: String(2 * day) };
    for (const [power, delaySeconds, words] of [
      [delays, 2 * day, "with a delay of 172800 seconds"],
      [{ ...delays, ...someoneElse() }, undefined, "does not hold the role RISK"],
    ] as const) {
      const deployment = await deployBallast(connection, parametersOf(power));
      const block = await connection.ethers.provider.getBlockNumber();
      const error = await failure(() => deployBallast(connection, parametersOf(power, "BTC,ETH,LINK"), deployment));
      expect(error).to.be.instanceOf(MayNotListError).and.include({ signer: deployer.address, delaySeconds });
      expect((error as MayNotListError).message).to.include(words);
      expect(await connection.ethers.provider.getBlockNumber()).to.equal(block);
    }
  });

  it("refuses less than two days on a chain that is not the local one, before it sends anything", async () => {
    const real = (await hre.network.create({ override: { chainId: 4242 } })) as Connection;
    for (const key of ["riskDelaySeconds", "adminDelaySeconds"] as const) {
      const long = { riskDelaySeconds: "172800", adminDelaySeconds: "172800" };
      for (const seconds of ["0", "172799"]) {
        const error = await failure(() => deployBallast(real, parametersOf({ ...long, [key]: seconds })));
        expect(error).to.be.instanceOf(DelayTooShortError).and.include({ key });
        expect((error as DelayTooShortError).message)
          .to.include(`power.${key}`)
          .and.include("at least 172800");
      }
    }
    expect(await real.ethers.provider.getBlockNumber()).to.equal(0);
  });
});
