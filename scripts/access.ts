// Prints who may call what: of the deployment and node given, else of the local parameters, deployed to a chain of its own in process.
import { existsSync, readFileSync } from "node:fs";

import { Command } from "commander";
import { JsonRpcProvider, type Provider } from "ethers";
import hre from "hardhat";

import { DeploymentParameters } from "../deployments/schema.js";
import { deployBallast } from "../ignition/deploy.js";
import { accessJson, accessLines, readAccess } from "../sdk/access/index.js";
import { BallastError, type Deployment, parseDeployment } from "../sdk/index.js";

const command = new Command("npm run access --")
  .description("Tells of every function of every contract who may call it, and after which delay")
  .option("--deployment <file>", "addresses.json of a deployment; needs --rpc")
  .option("--rpc <url>", "of any node of its chain")
  .option("--json", "one JSON object on the last line of stdout instead of the table");
const options = command.parse().opts<{ deployment?: string; rpc?: string; json?: true }>();
if ((options.deployment === undefined) !== (options.rpc === undefined)) {
  command.error("give both --deployment and --rpc, or neither", { exitCode: 2 });
}

try {
  const { provider, deployment } = await subject();
  const access = await readAccess(provider, deployment);
  console.log(options.json === true ? accessJson(access) : accessLines(access).join("\n"));
  provider.destroy();
} catch (error) {
  if (!(error instanceof BallastError)) throw error;
  console.error(`${error.name}: ${error.message}`);
  process.exitCode = 1;
}

async function subject(): Promise<{ provider: Provider; deployment: Deployment }> {
  if (options.deployment !== undefined && options.rpc !== undefined) {
    if (!existsSync(options.deployment)) {
      command.error(`there is no file ${options.deployment}: the deploy script writes addresses.json`, { exitCode: 2 });
    }
    const deployment = parseDeployment(readFileSync(options.deployment, "utf8"));
    return { provider: await nodeAt(options.rpc), deployment };
  }
  const file = new URL("../deployments/localhost/parameters.json", import.meta.url);
  const parameters = DeploymentParameters.parse(JSON.parse(readFileSync(file, "utf8")));
  const connection = await hre.network.create();
  return { provider: connection.ethers.provider, deployment: await deployBallast(connection, parameters) };
}

/** A provider that has reached its node: by itself it would go on trying without a word of what is wrong. */
async function nodeAt(url: string): Promise<Provider> {
  const provider = new JsonRpcProvider(url);
  try {
    await provider._detectNetwork();
  } catch {
    provider.destroy();
    command.error(`no node answers at ${url}: start it, or give the address of another with --rpc`, { exitCode: 2 });
  }
  return provider;
}
