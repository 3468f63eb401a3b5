import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import { JsonRpcProvider, toQuantity } from "ethers";

import { pushPrices } from "../../ignition/deploy.js";
import { type AccountId, Ballast, type Deployment, accountId, parseDecimal, parseDeployment } from "../../sdk/index.js";
import { type Chain, deploymentParameters, parametersFile, parsePrices, startChain } from "../../simulator/index.js";
import { AccessManager__factory, MockToken__factory } from "../../typechain-types/index.js";
import { testKey } from "../helpers/keys.js";
import { type Running, hardhat, start, tsx } from "../helpers/processes.js";
import { type RpcProxy, isKeyless, openRpcProxy } from "../helpers/rpcProxy.js";

// Not the first of the node's keys: whoever asked the node for its accounts would get another.
const deployerKey = 3;
const ownerKey = 4;
const keeperKey = 5;
const prices = "timestamp_iso,BTC,ETH\n2020-03-12T00:00:00Z,8000,200\n";
const startSeconds = Date.UTC(2030, 0, 1) / 1000;
const usd = (text: string) => parseDecimal(text, 18);

describe("any node: deploy, SDK and keeper ask for eth_, net_ and web3_ methods only, and for none of the node's keys", () => {
  const processes: Running[] = [];
  let folder: string;
  let chain: Chain;
  let proxy: RpcProxy;
  let provider: JsonRpcProvider;
  let deployment: Deployment;
  let account: AccountId;

  const run = (args: readonly string[], env: Readonly<Record<string, string>>): Running => {
    const started = start(args, { BALLAST_RPC_URL: proxy.url, ...env });
    processes.push(started);
    return started;
  };
  const clientOf = (index: number) => Ballast.connect(testKey(index).connect(provider), deployment);

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "ballast-"));
    mkdirSync(join(folder, "testnet"));
    const parameters = parametersFile(deploymentParameters(parsePrices(prices, "prices.csv")));
    writeFileSync(join(folder, "testnet/parameters.json"), parameters);
    chain = await startChain({ genesisSeconds: startSeconds, accounts: 10 });
    proxy = await openRpcProxy(chain.url, isKeyless);
    provider = new JsonRpcProvider(proxy.url, undefined, { cacheTimeout: -1, pollingInterval: 50 });
  });

  after(async () => {
    for (const process of processes.toReversed()) await process.stop("SIGKILL");
    provider?.destroy();
    await proxy?.cut();
    await chain?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  afterEach(() => expect(proxy.refused).to.deep.equal([]));

  it("deploys with the network's own key, which signs before anything is sent", async () => {
    const deploy = run([...hardhat, "run", "--no-compile", "scripts/deploy.ts", "--network", "testnet"], {
      BALLAST_DEPLOYER_KEY: testKey(deployerKey).privateKey,
      BALLAST_DEPLOYMENTS: folder,
    });
    expect(await deploy.ended(), deploy.output.stderr).to.equal(0);
    deployment = parseDeployment(readFileSync(join(folder, "testnet/addresses.json"), "utf8"));
    const manager = AccessManager__factory.connect(deployment.manager, provider);
    expect(await manager.hasRole(0, testKey(deployerKey).address)).to.deep.equal([true, 0n]);
    expect(proxy.passed).to.include.keys("eth_sendRawTransaction", "eth_estimateGas", "eth_getTransactionReceipt");
  });

  it("deposits, trades, settles, withdraws and reads through the SDK", async () => {
    const [admin, owner] = [await clientOf(deployerKey), await clientOf(ownerKey)];
    const cash = MockToken__factory.connect(deployment.settlementToken.address, testKey(deployerKey).connect(provider));
    const poolDeposit = parseDecimal("1000000", 6);
    await (await cash.mint(testKey(deployerKey).address, poolDeposit)).wait();
    await (await cash.mint(testKey(ownerKey).address, parseDecimal("1500", 6))).wait();
    await (await cash.approve(deployment.pool, poolDeposit)).wait();
    await (await admin.pool.deposit(poolDeposit, testKey(deployerKey).address)).wait();

    account = await owner.account();
    await owner.deposit(account, "USDC", "1500");
    await owner.trade(account, "BTC", "1.4");
    await owner.trade(account, "ETH", "1");
    await owner.settle(account, "BTC");
    await owner.withdraw(account, "USDC", "500");
    expect((await owner.positions(account)).map(({ market, sizeWad }) => [market, sizeWad])).to.deep.equal([
      ["BTC", usd("1.4")],
      ["ETH", usd("1")],
    ]);
    expect((await owner.health(account)).isLiquidatable).to.equal(false);
    expect(await owner.price("BTC")).to.include({ priceWad: usd("8000"), isFresh: true });
    expect((await owner.events(deployment.fromBlock)).map(({ name }) => name)).to.include("Withdrawn");
  });

  it("liquidates with the keeper's own key", async () => {
    const config = join(folder, "keeper.json");
    const deploymentFile = join(folder, "testnet/addresses.json");
    const keys = { rpc: [{ url: proxy.url }], deployment: deploymentFile, pollMs: 50, http: { port: 0 } };
    writeFileSync(config, JSON.stringify(keys));
    const keeper = run([...tsx, "cli/main.ts", "keeper", "--config", config], {
      BALLAST_KEEPER_KEYS: testKey(keeperKey).privateKey,
    });
    await keeper.printed(/"msg":"started"/);
    const { oracle } = await clientOf(deployerKey);
    const { timestamp } = (await provider.getBlock("latest"))!;
    await (await pushPrices(oracle, deployment, new Map([["BTC", usd("7500")]]), timestamp)).wait();
    await keeper.printed(/"msg":"liquidated"/);
    expect(await keeper.stop("SIGTERM"), keeper.output.stderr).to.equal(0);

    const reader = await Ballast.connect(provider, deployment);
    expect((await reader.health(account)).isLiquidatable).to.equal(false);
    const reward = await reader.state(accountId(testKey(keeperKey).address));
    expect(reward.principalWad > 0n).to.equal(true);
  });
});

describe("a node that knows eth_, net_ and web3_ only, as the tests have it", () => {
  let chain: Chain;
  let proxy: RpcProxy;

  before(async () => {
    chain = await startChain({ genesisSeconds: startSeconds, accounts: 1 });
    proxy = await openRpcProxy(chain.url, isKeyless);
  });

  after(async () => {
    await proxy.cut();
    await chain.close();
  });

  it("refuses a development node's methods and the use of its keys, and records that it was asked", async () => {
    const { address } = testKey(0);
    const attempts: [method: string, params: unknown[]][] = [
      ["hardhat_setBalance", [address, toQuantity(1)]],
      ["evm_mine", []],
      ["eth_accounts", []],
      ["eth_sendTransaction", [{ from: address, to: address }]],
      ["eth_getBalance", [address, "latest"]],
      ["eth_blockNumber", []],
    ];
    const body = JSON.stringify(attempts.map(([method, params], id) => ({ jsonrpc: "2.0", id, method, params })));
    const response = await fetch(proxy.url, { method: "POST", body });
    const answers = (await response.json()) as { id: number; error?: { code: number }; result?: string }[];
    const told = answers.map(({ id, error, result }) => [attempts[id]?.[0], error?.code ?? BigInt(result ?? "")]);
    expect(told).to.deep.equal([
      ["hardhat_setBalance", -32601],
      ["evm_mine", -32601],
      ["eth_accounts", -32601],
      ["eth_sendTransaction", -32601],
      ["eth_getBalance", usd("10000")],
      ["eth_blockNumber", 0n],
    ]);
    expect(proxy.refused).to.deep.equal(["hardhat_setBalance", "evm_mine", "eth_accounts", "eth_sendTransaction"]);
  });
});
