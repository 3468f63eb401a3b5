import { createRequire } from "node:module";
import toolbox from "@nomicfoundation/hardhat-toolbox-mocha-ethers";
import { configVariable, defineConfig } from "hardhat/config";
import artifactOrder from "./tools/artifact-order.js";
import standardRpc from "./tools/standard-rpc.js";

// The compiler is an npm package, so a build downloads nothing.
const soljson = createRequire(import.meta.url).resolve("solc/soljson.js");

// One set of settings for every profile, so that what the tests run is what gets deployed. Without a metadata hash an edited comment leaves
// the bytecode alone. What else is compiled along does not always: contracts are built before the tests and apart from them (package.json).
const compiler = {
  version: "0.8.37",
  path: soljson,
  settings: {
    evmVersion: "cancun",
    viaIR: true,
    optimizer: { enabled: true, runs: 200 },
    metadata: { bytecodeHash: "none" },
    outputSelection: { "*": { "*": ["storageLayout"] } },
  },
};

export default defineConfig({
  plugins: [artifactOrder, toolbox, standardRpc], // in this order
  paths: { sources: ["./contracts", "./parity/contracts"] },
  solidity: {
    profiles: {
      default: compiler,
      production: { ...compiler, isolated: false, toolVersionsInBuildInfo: true },
    },
    npmFilesToBuild: ["@openzeppelin/contracts/access/manager/AccessManager.sol"],
  },
  typechain: { outDir: "./typechain-types" },
  networks: {
    localhost: { type: "http", url: process.env["BALLAST_LOCAL_URL"] ?? "http://127.0.0.1:8545" },
    // A real chain, by any node of it: no key is needed but to deploy. From the keystore ("hardhat keystore set") or the environment.
    testnet: {
      type: "http",
      url: configVariable("BALLAST_RPC_URL"),
      accounts: [configVariable("BALLAST_DEPLOYER_KEY")],
    },
    // The blocks of one step of the demo share its time.
    demo: { type: "edr-simulated", allowBlocksWithSameTimestamp: true },
    // Many cases a call, with all of their storage.
    parity: {
      type: "edr-simulated",
      hardfork: "cancun",
      allowBlocksWithSameTimestamp: true,
      blockGasLimit: 100_000_000_000n,
      throwOnTransactionFailures: false,
    },
  },
  // Sourcify and Blockscout need no key.
  verify: { etherscan: { apiKey: configVariable("ETHERSCAN_API_KEY") } },
  test: {
    mocha: { timeout: 600_000 },
    solidity: { fuzz: { runs: 256, seed: "0x42616c6c617374" } },
  },
});
