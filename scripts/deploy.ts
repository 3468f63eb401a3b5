// Deploys Ballast to the network given with --network, from deployments/<net>/parameters.json; writes deployments/<net>/addresses.json.
// BALLAST_DEPLOYMENTS names another folder in place of deployments/.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";

import hre from "hardhat";

import { DeploymentParameters } from "../deployments/schema.js";
import { deployBallast } from "../ignition/deploy.js";
import { parseDeployment } from "../sdk/index.js";

const connection = await hre.network.create();
const deployments = process.env["BALLAST_DEPLOYMENTS"] ?? join(import.meta.dirname, "../deployments");
const folder = join(deployments, connection.networkName);
const parametersFile = join(folder, "parameters.json");
const addressesFile = join(folder, "addresses.json");

const parameters = DeploymentParameters.parse(JSON.parse(readFileSync(parametersFile, "utf8")));
const existing = existsSync(addressesFile) ? parseDeployment(readFileSync(addressesFile, "utf8")) : undefined;
const deployment = await deployBallast(connection, parameters, existing);
mkdirSync(folder, { recursive: true });
writeFileSync(addressesFile, `${JSON.stringify(deployment, null, 2)}\n`);

const verb = JSON.stringify(deployment) === JSON.stringify(existing) ? "Found" : "Deployed";
console.log(`${verb} Ballast on ${connection.networkName} (chain ${deployment.chainId}):`);
const { manager, oracle, vault, pool, lens } = deployment;
for (const [name, address] of Object.entries({ vault, oracle, pool, lens, manager })) {
  console.log(`  ${name.padEnd(8)} ${address}`);
}
console.log(`  markets  ${deployment.markets.map(({ symbol }) => symbol).join(" ")}`);
console.log(`  written  ${relative(".", addressesFile)}`);
