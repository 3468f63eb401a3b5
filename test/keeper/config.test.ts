import { expect } from "chai";
import { Wallet } from "ethers";

import { KeeperConfigError, readConfig, readKeeperKey } from "../../keeper/config.js";

const defaults = {
  rpcUrl: "http://127.0.0.1:8545",
  deploymentFile: "deployments/localhost/addresses.json",
  logLevel: "info",
  lensChunk: 200,
  pollMs: 500,
};

function refusal(read: () => unknown): KeeperConfigError {
  try {
    read();
  } catch (error) {
    if (error instanceof KeeperConfigError) return error;
    throw error;
  }
  throw new TypeError("nothing was refused");
}

describe("keeper/config", () => {
  it("has a default for everything but the key of another chain", () => {
    expect(readConfig({})).to.deep.equal(defaults);
  });

  it("reads every variable, and takes an empty one for absent", () => {
    const env = {
      BALLAST_RPC_URL: "https://node.example/v1/key",
      BALLAST_DEPLOYMENT: "elsewhere.json",
      BALLAST_LOG_LEVEL: "debug",
      BALLAST_LENS_CHUNK: "50",
      BALLAST_POLL_MS: "1000",
    };
    expect(readConfig(env)).to.deep.equal({
      rpcUrl: "https://node.example/v1/key",
      deploymentFile: "elsewhere.json",
      logLevel: "debug",
      lensChunk: 50,
      pollMs: 1000,
    });
    expect(readConfig({ ...env, BALLAST_RPC_URL: "", BALLAST_POLL_MS: "" })).to.include({
      rpcUrl: defaults.rpcUrl,
      pollMs: defaults.pollMs,
    });
  });

  it("has capital only where an account of it is named, by default with a policy", () => {
    const { taker } = readConfig({ BALLAST_TAKER_INDEX: "0" });
    expect(taker).to.deep.equal({ index: 0, inventoryPercent: 100, giveBackPercent: 100 });
    const policy = { BALLAST_TAKER_INVENTORY_PERCENT: "50", BALLAST_TAKER_GIVE_BACK_PERCENT: "25" };
    expect(readConfig({ ...policy, BALLAST_TAKER_INDEX: "7" }).taker).to.deep.equal({
      index: 7,
      inventoryPercent: 50,
      giveBackPercent: 25,
    });
    expect(readConfig(policy)).to.deep.equal(defaults);
  });

  for (const [key, value] of [
    ["BALLAST_RPC_URL", "localhost:8545"],
    ["BALLAST_RPC_URL", "ws://127.0.0.1:8545"],
    ["BALLAST_LOG_LEVEL", "loud"],
    ["BALLAST_LENS_CHUNK", "0"],
    ["BALLAST_LENS_CHUNK", "1e3"],
    ["BALLAST_LENS_CHUNK", "12.5"],
    ["BALLAST_POLL_MS", "9"],
    ["BALLAST_POLL_MS", "-100"],
    ["BALLAST_TAKER_INDEX", "-1"],
    ["BALLAST_TAKER_INDEX", "first"],
    ["BALLAST_TAKER_INVENTORY_PERCENT", "0"],
    ["BALLAST_TAKER_INVENTORY_PERCENT", "1001"],
    ["BALLAST_TAKER_GIVE_BACK_PERCENT", "0.5"],
  ] as const) {
    it(`refuses ${key}=${value}, naming the key and the fix`, () => {
      const error = refusal(() => readConfig({ [key]: value }));
      expect(error.key).to.equal(key);
      expect(error.message).to.match(new RegExp(`^${key} must be `));
    });
  }

  it("takes Hardhat's key 9 on the local chain only, where none is given", () => {
    expect(new Wallet(readKeeperKey({}, 31337)).address).to.equal("0xa0Ee7A142d267C1f36714E4a8F75612F20a79720");
    expect(refusal(() => readKeeperKey({}, 1)).key).to.equal("BALLAST_KEEPER_KEY");
  });

  it("takes the key that is given, and never shows one that it refuses", () => {
    const key = `0x${"5".repeat(64)}`;
    expect(readKeeperKey({ BALLAST_KEEPER_KEY: key }, 1)).to.equal(key);
    const { message } = refusal(() => readKeeperKey({ BALLAST_KEEPER_KEY: `${key}5` }, 1));
    expect(message)
      .to.match(/must be a private key/)
      .and.not.match(/555/);
    expect(Object.values(readConfig({ BALLAST_KEEPER_KEY: key }))).not.to.include(key);
  });
});
