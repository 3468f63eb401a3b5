import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import hre from "hardhat";

import { deployBallast } from "../../ignition/deploy.js";
import { type Chain, deploymentParameters, parsePrices, startChain } from "../../simulator/index.js";
import { isKeyless, openRpcProxy } from "../helpers/rpcProxy.js";
import { start, tsx } from "../helpers/processes.js";

interface Told {
  readonly chainId: number;
  readonly contracts: {
    contract: string;
    functions: { name: string; role?: string; members: { address: string }[] }[];
  }[];
}

/** Runs the command as `npm run access` does after its build. */
async function access(...options: string[]) {
  const running = start([...tsx, "scripts/access.ts", ...options]);
  const code = await running.ended();
  return { code, ...running.output };
}

const functionOf = ({ contracts }: Told, contract: string, name: string) =>
  contracts.find((one) => one.contract === contract)?.functions.find((one) => one.name === name);

describe("scripts/access", () => {
  it("tells of the local parameters, deployed on a chain of its own", async () => {
    const { code, stdout, stderr } = await access("--json");
    expect(code, stderr).to.equal(0);
    const told = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as Told;
    expect(told.chainId).to.equal(31337);
    expect(functionOf(told, "MarginVault", "haltMarket")).to.include({ role: "GUARDIAN" });
  });

  describe("of a deployment", () => {
    let chain: Chain;
    let folder: string;
    let file: string;
    let guardian: string;

    before(async () => {
      folder = mkdtempSync(join(tmpdir(), "ballast-access-"));
      file = join(folder, "addresses.json");
      chain = await startChain({ genesisSeconds: Date.UTC(2030, 0, 1) / 1000, accounts: 2 });
      const parameters = deploymentParameters(
        parsePrices("timestamp_iso,BTC\n2020-03-12T00:00:00Z,8000\n", "prices.csv"),
      );
      const connection = await hre.network.create({ network: "localhost", override: { url: chain.url } });
      const [, second] = await connection.ethers.getSigners();
      guardian = second?.address ?? "";
      const power = { ...parameters.power, guardian };
      const deployment = await deployBallast(connection, { ...parameters, power });
      await connection.close();
      writeFileSync(file, JSON.stringify(deployment));
    });

    after(async () => {
      await chain?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    it("asks any node of its chain, in a table for people", async () => {
      const proxy = await openRpcProxy(chain.url, isKeyless);
      const { code, stdout, stderr } = await access("--deployment", file, "--rpc", proxy.url);
      expect(proxy.refused).to.deep.equal([]);
      await proxy.cut();
      expect(code, stderr).to.equal(0);
      const row = stdout.split("\n").find((line) => line.startsWith("  haltMarket "));
      expect(row?.trim().split(/ {2,}/)).to.deep.equal(["haltMarket", "role GUARDIAN", "none", guardian]);
    });

    it("says what is missing of its options", async () => {
      const { code, stderr } = await access("--deployment", file);
      expect(code).to.equal(2);
      expect(stderr).to.include("--rpc");
    });
  });
});
