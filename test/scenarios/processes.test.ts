import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import { JsonRpcProvider, Wallet } from "ethers";

import { pushPrices } from "../../ignition/deploy.js";
import { type AccountId, Ballast, type Deployment, parseDecimal, parseDeployment } from "../../sdk/index.js";
import { deploymentParameters, parametersFile, parsePrices } from "../../simulator/index.js";
import { MockToken__factory } from "../../typechain-types/index.js";
import { testKey } from "../helpers/keys.js";
import { isStandard, openRpcProxy } from "../helpers/rpcProxy.js";
import { type Running, freePort, hardhat, isGone, start, tsx } from "../helpers/processes.js";

const adminKey = 0;
const ownerKey = 1;
const keeperKey = 9;
const prices = "timestamp_iso,BTC,ETH\n2020-03-12T00:00:00Z,8000,200\n";

describe("processes: a node, a deployment, a keeper", () => {
  const running: Running[] = [];
  let folder: string;
  let file: string;
  let url: string;
  let deployment: Deployment;
  let provider: JsonRpcProvider;

  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Running => {
    const started = start(args, env);
    running.push(started);
    return started;
  };
  const key = (index: number) => testKey(index).connect(provider);
  /** Path of a config file of the keeper. */
  const configOf = (changes: object = {}): string => {
    const path = join(folder, `keeper-${Object.keys(changes).join("-")}.json`);
    const config = { rpc: [{ url }], deployment: file, pollMs: 50, http: { port: 0 }, ...changes };
    writeFileSync(path, JSON.stringify(config));
    return path;
  };
  const runKeeper = (changes: object = {}, env: Readonly<Record<string, string>> = {}): Running =>
    run([...tsx, "cli/main.ts", "keeper", "--config", configOf(changes)], env);

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "ballast-"));
    file = join(folder, "localhost/addresses.json");
    mkdirSync(join(folder, "localhost"));
    const parameters = deploymentParameters(parsePrices(prices, "prices.csv"));
    writeFileSync(join(folder, "localhost/parameters.json"), parametersFile(parameters));

    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const node = run([...hardhat, "node", "--hostname", "127.0.0.1", "--port", String(port)]);
    await node.printed(/Started HTTP and WebSocket JSON-RPC server/);

    const env = { BALLAST_LOCAL_URL: url, BALLAST_DEPLOYMENTS: folder };
    const deploy = run([...hardhat, "run", "--no-compile", "scripts/deploy.ts", "--network", "localhost"], env);
    expect(await deploy.ended(), deploy.output.stderr).to.equal(0);
    deployment = parseDeployment(readFileSync(file, "utf8"));
    provider = new JsonRpcProvider(url, undefined, { cacheTimeout: -1, batchMaxCount: 1, pollingInterval: 50 });
    await fillPool();
  });

  after(async () => {
    provider?.destroy();
    for (const process of running.toReversed()) await process.stop("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  async function mint(to: string, amount: string): Promise<bigint> {
    const raw = parseDecimal(amount, deployment.settlementToken.decimals);
    await (await MockToken__factory.connect(deployment.settlementToken.address, key(adminKey)).mint(to, raw)).wait();
    return raw;
  }

  async function fillPool(): Promise<void> {
    const admin = key(adminKey);
    const ballast = await Ballast.connect(admin, deployment);
    const raw = await mint(admin.address, "1000000");
    const cash = MockToken__factory.connect(deployment.settlementToken.address, admin);
    await (await cash.approve(deployment.pool, raw)).wait();
    await (await ballast.pool.deposit(raw, admin.address)).wait();
    await (await ballast.vault.refreshCapital()).wait();
  }

  /** Gives an account of the owner 1,000 of margin and 11,200 of BTC. */
  async function open(account: AccountId): Promise<void> {
    const owner = await Ballast.connect(key(ownerKey), deployment);
    await mint(key(ownerKey).address, "1000");
    await owner.deposit(account, "USDC", "1000");
    await owner.trade(account, "BTC", "1.4");
  }

  async function push(btc: string): Promise<void> {
    const { oracle } = await Ballast.connect(key(adminKey), deployment);
    const { timestamp } = (await provider.getBlock("latest")) ?? { timestamp: 0 };
    await (await pushPrices(oracle, deployment, new Map([["BTC", parseDecimal(btc, 18)]]), timestamp)).wait();
  }

  it("liquidates a position that a price put at risk, and ends when it is told to", async () => {
    const owner = await Ballast.connect(key(ownerKey), deployment);
    const account = await owner.account();
    await open(account);

    const keeper = runKeeper();
    await keeper.printed(/"msg":"started"/);
    const block = await provider.getBlockNumber();
    await push("7500");
    await keeper.printed(/"msg":"liquidated"/);

    const events = await owner.events(block + 1);
    const liquidations = events.filter(({ name }) => name === "PositionLiquidated");
    expect(liquidations.map(({ args }) => [args["account"], args["liquidator"]])).to.deep.equal([
      [account, key(keeperKey).address],
    ]);
    expect((await owner.health(account)).isLiquidatable).to.equal(false);

    expect(await keeper.stop("SIGTERM")).to.equal(0);
    expect(keeper.output.stdout).to.match(/"msg":"stopped"/);
    expect(keeper.output.stderr).to.equal("");
    expect(keeper.output.stdout).not.to.include(key(keeperKey).privateKey.slice(2));
  });

  it("goes on after the node was away", async () => {
    const owner = await Ballast.connect(key(ownerKey), deployment);
    const account = await owner.account(undefined, 1);
    await push("8000");
    await open(account);

    const line = await openRpcProxy(url, isStandard);
    const keeper = runKeeper({ rpc: [{ url: line.url }] });
    await keeper.printed(/"msg":"started"/);
    await line.cut();
    await push("7500");
    await keeper.printed(/"error":"NoNodeError".*"msg":"turn failed"/);
    expect(keeper.output.stdout).not.to.match(/"msg":"liquidated"/);
    await line.mend();
    await keeper.printed(new RegExp(`"account":"${account}".*"msg":"liquidated"`));
    expect(await keeper.stop("SIGINT")).to.equal(0);
    await line.cut();
    expect(line.refused).to.deep.equal([]);
    expect(line.passed).to.include.keys("eth_getLogs", "eth_call", "eth_sendRawTransaction");
  });

  describe("a keeper that cannot start says in one line what to do, with exit code 1", () => {
    interface Refusal {
      readonly changes?: () => object;
      readonly env?: Readonly<Record<string, string>>;
      readonly says: RegExp;
    }
    const otherChain: Refusal = {
      changes: () => ({ deployment: altered({ chainId: 1 }) }),
      says: /^KeeperConfigError: rpc\[0\]\.url is a node of chain 31337, and the deployment is on chain 1: give a node of chain 1, .*\n$/,
    };
    const refusals: Readonly<Record<string, Refusal>> = {
      "nobody answers": {
        changes: () => ({ rpc: [{ url: "http://127.0.0.1:9" }] }),
        says: /^\w+Error: no node answers .*127\.0\.0\.1:9.*: start one .*\n$/,
      },
      "the chain is another one": otherChain,
      "there is no code": {
        changes: () => ({ deployment: altered({ lens: "0x00000000000000000000000000000000000000aa" }) }),
        says: /^NotDeployedError: there is no code at 0x\w+ \(lens\): run the deploy script .*\n$/,
      },
      "there is no deployment file": {
        changes: () => ({ deployment: join(folder, "nowhere.json") }),
        says: /^DeploymentMissingError: cannot read .*nowhere\.json: deploy first .* or set deployment in the config\n$/,
      },
      "a setting is none": {
        changes: () => ({ pollMs: "often" }),
        says: /^KeeperConfigError: pollMs must be a whole number .*\n$/,
      },
      "it has no such setting": {
        changes: () => ({ pollSeconds: 1 }),
        says: /^KeeperConfigError: pollSeconds is no key of the config: here it has rpc, .*\n$/,
      },
      "an address is none": {
        changes: () => ({ rpc: [{ url: "127.0.0.1:8545" }] }),
        says: /^KeeperConfigError: rpc\[0\]\.url must be an http or https address .*\n$/,
      },
      "its key is empty": {
        env: { BALLAST_KEEPER_KEYS: "" },
        says: /^KeeperConfigError: BALLAST_KEEPER_KEYS has no key in place 1: .*\n$/,
      },
      "its key has no ether": {
        env: { BALLAST_KEEPER_KEYS: Wallet.createRandom().privateKey },
        says: /^UnfundedError: the keeper 0x\w+ has no ether to pay gas with: send it some.*\n$/,
      },
    };
    const altered = (changes: Partial<Deployment>) => {
      const path = join(folder, "altered.json");
      writeFileSync(path, JSON.stringify({ ...deployment, ...changes }));
      return path;
    };

    for (const [when, { changes, env, says }] of Object.entries(refusals)) {
      it(`when ${when}`, async () => {
        const keeper = runKeeper(changes?.(), env);
        expect(await keeper.ended()).to.equal(1);
        expect(keeper.output.stderr).to.match(says);
        expect(keeper.output.stdout).to.equal("");
      });
    }

    it("under hardhat run as well", async () => {
      const env = { BALLAST_KEEPER_CONFIG: configOf(otherChain.changes?.()) };
      const keeper = run([...hardhat, "run", "--no-compile", "scripts/keeper.ts", "--network", "localhost"], env);
      expect(await keeper.ended()).to.equal(1);
      expect(keeper.output.stderr).to.match(otherChain.says);
    });
  });

  describe("in the end", () => {
    it("leaves no process behind", async () => {
      for (const process of running.toReversed()) await process.stop();
      expect(running.length).to.be.above(3);
      expect(running.filter(({ child }) => !isGone(child))).to.deep.equal([]);
    });
  });
});
