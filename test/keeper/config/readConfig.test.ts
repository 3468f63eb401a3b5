import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { KeeperConfigError, configKeys, parseConfig, readConfig } from "../../../keeper/config/index.js";
import { wad } from "../../helpers/world.js";

const root = join(import.meta.dirname, "../../..");
const example = readFileSync(join(root, "keeper.example.json"), "utf8");
const exampleEnv = { NODE_KEY: "abc123", WEBHOOK_KEY: "T0/B1/x2" };

const parse = (file: unknown, env = {}) => parseConfig(JSON.stringify(file), "/folder", env);

function refusal(read: () => unknown): Pick<KeeperConfigError, "key" | "message"> {
  try {
    read();
  } catch (error) {
    if (error instanceof KeeperConfigError) return { key: error.key, message: error.message };
    throw error;
  }
  throw new TypeError("nothing was refused");
}

const defaults = {
  rpc: [{ url: "http://127.0.0.1:8545" }],
  deploymentFile: "/folder/deployments/localhost/addresses.json",
  logLevel: "info",
  pollMs: 500,
  nodes: { timeoutMs: 10_000, freshBlocks: 3, freshSeconds: 60 },
  policy: { minimumProfitWad: 0n, unknownProfit: "skip", maxGasPriceWei: 500n * 10n ** 9n },
  lane: { inFlight: 16, replaceBlocks: 3, replaceMs: 30_000 },
  marginCalls: { warnAtWad: wad("1.15"), clearAtWad: wad("1.25") },
  audit: { blocks: 100, sample: 16 },
  health: { blockSeconds: 120, auditBlocks: 300 },
  http: { port: 9464, host: "127.0.0.1" },
  snapshotBlocks: 1_000,
};

/** Paths of a JSON value as they stand in configKeys. */
function keysOf(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) return value.flatMap((each) => [`${path}[]`, ...keysOf(each, `${path}[]`)]);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => {
    const at = path === "" ? key : `${path}.${key}`;
    return [at, ...keysOf(each, at)];
  });
}

describe("keeper/config: the file", () => {
  it("has a default for every key, which are the local chain's", () => {
    expect(parse({})).to.deep.equal(defaults);
    expect(readConfig(undefined, {})).to.deep.equal({
      ...defaults,
      deploymentFile: join(process.cwd(), "deployments/localhost/addresses.json"),
    });
  });

  it("has defaults inside what is given in part", () => {
    const config = parse({ audit: { sample: 4 }, taker: { index: 2 }, policy: { gasTokenPrice: "2500" } });
    expect(config.audit).to.deep.equal({ blocks: 100, sample: 4 });
    expect(config.taker).to.deep.equal({ index: 2, inventoryPercent: 100, giveBackPercent: 100, collateralPercent: 0 });
    expect(config.policy).to.deep.equal({ ...defaults.policy, gasToken: { priceWad: wad("2500") } });
  });

  it("reads the example, which has every key that can stand beside the others", () => {
    expect(parseConfig(example, "/folder", exampleEnv)).to.deep.equal({
      ...defaults,
      policy: { ...defaults.policy, gasToken: { symbol: "ETH" } },
      rpc: [
        { url: "https://node.example/v2/abc123", ws: "wss://node.example/v2/abc123" },
        { url: "https://other-node.example" },
      ],
      deploymentFile: "/folder/deployments/testnet/addresses.json",
      stateFile: "/folder/keeper.sqlite",
      pollMs: 1000,
      taker: { index: 1, inventoryPercent: 100, giveBackPercent: 100, collateralPercent: 0 },
      marginCalls: { ...defaults.marginCalls, webhook: "https://hooks.example/T0/B1/x2" },
    });
    const shown = new Set([...keysOf(JSON.parse(example)), "policy.gasTokenPrice"]);
    expect([...shown].toSorted()).to.deep.equal(Object.keys(configKeys).toSorted());
  });

  it("takes paths as relative to its folder", () => {
    const folder = mkdtempSync(join(tmpdir(), "ballast-config-"));
    try {
      const file = join(folder, "keeper.json");
      writeFileSync(file, JSON.stringify({ deployment: "addresses.json", state: "/var/keeper.sqlite" }));
      const { deploymentFile, stateFile } = readConfig(file, {});
      expect([deploymentFile, stateFile]).to.deep.equal([join(folder, "addresses.json"), "/var/keeper.sqlite"]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("refuses a file that is not there, and one that is no JSON, without showing what it holds", () => {
    expect(refusal(() => readConfig("/nowhere/keeper.json", {}))).to.deep.equal({
      key: "--config",
      message: "--config names /nowhere/keeper.json, which cannot be read: copy keeper.example.json there",
    });
    const { key, message } = refusal(() => parseConfig('{ "rpc": s3cret }', "/folder", {}));
    expect(key).to.equal("the config file");
    expect(message)
      .to.match(/must be JSON/)
      .and.not.include("s3cret");
    expect(refusal(() => parse([])).message).to.equal("the config file must be an object");
  });

  const unknown: [file: object, key: string, has: RegExp][] = [
    [{ polMs: 100 }, "polMs", /here it has rpc, deployment, state, .*pollMs/],
    [{ audit: { block: 100 } }, "audit.block", /here it has blocks, sample$/],
    [{ rpc: [{ url: "http://a" }, { url: "http://b", weight: 2 }] }, "rpc[1].weight", /here it has url, ws$/],
  ];
  for (const [file, key, has] of unknown) {
    it(`refuses the unknown key ${key}, naming those that there are`, () => {
      const error = refusal(() => parse(file));
      expect(error.key).to.equal(key);
      expect(error.message)
        .to.match(new RegExp(`^${escaped(key)} is no key of the config: `))
        .and.match(has);
    });
  }

  const bad: [file: object, key: string][] = [
    [{ rpc: [] }, "rpc"],
    [{ rpc: "http://127.0.0.1:8545" }, "rpc"],
    [{ rpc: ["http://127.0.0.1:8545"] }, "rpc[0]"],
    [{ rpc: [{ ws: "ws://127.0.0.1:8545" }] }, "rpc[0].url"],
    [{ rpc: [{ url: "localhost:8545" }] }, "rpc[0].url"],
    [{ rpc: [{ url: "http://a" }, { url: "ws://127.0.0.1:8545" }] }, "rpc[1].url"],
    [{ rpc: [{ url: "http://a", ws: "http://a" }] }, "rpc[0].ws"],
    [{ deployment: "" }, "deployment"],
    [{ state: 5 }, "state"],
    [{ logLevel: "loud" }, "logLevel"],
    [{ pollMs: 9 }, "pollMs"],
    [{ pollMs: "100" }, "pollMs"],
    [{ pollMs: 12.5 }, "pollMs"],
    [{ nodes: { freshBlocks: -1 } }, "nodes.freshBlocks"],
    [{ policy: { minimumProfit: 0.5 } }, "policy.minimumProfit"],
    [{ policy: { minimumProfit: "1e3" } }, "policy.minimumProfit"],
    [{ policy: { unknownProfit: "maybe" } }, "policy.unknownProfit"],
    [{ policy: { gasTokenPrice: "0" } }, "policy.gasTokenPrice"],
    [{ policy: { maxGasPriceGwei: "0" } }, "policy.maxGasPriceGwei"],
    [{ policy: { maxGasPriceGwei: "1.0000000001" } }, "policy.maxGasPriceGwei"],
    [{ taker: {} }, "taker.index"],
    [{ taker: { index: -1 } }, "taker.index"],
    [{ taker: { index: 0, inventoryPercent: 1_001 } }, "taker.inventoryPercent"],
    [{ taker: { index: 0, giveBackPercent: 0.5 } }, "taker.giveBackPercent"],
    [{ taker: { index: 0, collateralPercent: -1 } }, "taker.collateralPercent"],
    [{ lane: { inFlight: 0 } }, "lane.inFlight"],
    [{ marginCalls: { warnAt: "1" } }, "marginCalls.warnAt"],
    [{ marginCalls: { clearAt: "1.1" } }, "marginCalls.clearAt"],
    [{ marginCalls: { webhook: "hooks.example" } }, "marginCalls.webhook"],
    [{ audit: null }, "audit"],
    [{ health: { blockSeconds: 0 } }, "health.blockSeconds"],
    [{ http: { port: 65_536 } }, "http.port"],
    [{ http: { host: "" } }, "http.host"],
    [{ snapshotBlocks: 0 }, "snapshotBlocks"],
  ];
  for (const [file, key] of bad) {
    it(`refuses ${JSON.stringify(file)}, naming the key and what it must be`, () => {
      expect(refusal(() => parse(file))).to.deep.equal({ key, message: `${key} ${configKeys[key.replace(/\d/, "")]}` });
    });
  }

  it("refuses two prices of the gas token", () => {
    const { key, message } = refusal(() => parse({ policy: { gasToken: "ETH", gasTokenPrice: "2500" } }));
    expect([key, message]).to.deep.equal([
      "policy.gasTokenPrice",
      "policy.gasTokenPrice must be left out where policy.gasToken is given: keep one of them",
    ]);
  });
});

function escaped(text: string): string {
  return text.replaceAll(/[[\].]/g, "\\$&");
}
