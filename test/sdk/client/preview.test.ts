import { expect } from "chai";
import { FunctionFragment } from "ethers";
import hre from "hardhat";

import type { Connection } from "../../../ignition/deploy.js";
import {
  type AccountId,
  Ballast,
  type Call,
  ContractError,
  accountId,
  decodeRevert,
  permission,
  readEvents,
  revertData,
} from "../../../sdk/index.js";
import { vaultInterface } from "../../../sdk/contracts.js";
import { MockToken__factory, MockWallet__factory } from "../../../typechain-types/index.js";
import { type Signer, type World, deployWorld, wad } from "../../helpers/world.js";
import { watchedProvider } from "./watchedProvider.js";

const writing = new Set(
  vaultInterface.fragments
    .filter((fragment) => fragment instanceof FunctionFragment)
    .filter(({ stateMutability }) => stateMutability === "nonpayable" || stateMutability === "payable")
    .map(({ selector }) => selector),
);

describe("sdk/client/preview", () => {
  let connection: Connection;
  let world: World;
  let owner: Signer;
  let other: Signer;
  let account: AccountId;
  let client: Ballast;
  /** With a provider that runs nothing that writes. */
  let reader: Ballast;

  async function plain() {
    return deployWorld(connection);
  }

  before(async () => {
    connection = await hre.network.create();
  });

  beforeEach(async () => {
    world = await connection.networkHelpers.loadFixture(plain);
    [owner, other] = world.signers as [Signer, Signer];
    account = await world.fund(owner, { USDC: "10000", WETH: "5" });
    client = await world.as(owner);
    reader = await Ballast.connect(
      watchedProvider(connection, async ({ method, params }, next) => {
        const [call] = params as [{ readonly data?: string } | undefined];
        const runs = method === "eth_call" && writing.has((call?.data ?? "0x").slice(0, 10));
        const asks = ["eth_getBlockByNumber", "eth_getBlockByHash", "eth_blockNumber", "eth_chainId", "eth_getCode"];
        if (runs || !["eth_call", ...asks].includes(method)) throw new Error(`${method} is not for previews`);
        return next();
      }),
      world.deployment,
    );
  });

  /** Sends a call in a block of its own at a time. */
  async function sent(call: Call, from: Signer, at: number) {
    const { to, data } = client.unsigned(call);
    await connection.networkHelpers.time.setNextBlockTimestamp(at);
    try {
      const receipt = await (await from.sendTransaction({ to, data, gasLimit: 5_000_000n })).wait();
      const block = receipt?.blockNumber ?? 0;
      const events = await readEvents(client.provider, world.deployment, block, block);
      return { events: events.map(({ name, args }) => ({ name, args })), error: undefined };
    } catch (error) {
      const revert = decodeRevert(revertData(error) ?? "0x");
      if (revert === undefined) throw error;
      return { events: [], error: { name: revert.errorName, args: revert.args } };
    }
  }

  /** Expects the chain to do what a preview says, and returns the preview. */
  async function previewed(call: Call, from: Signer = owner, seconds = 7) {
    const { timestamp } = (await world.ballast.provider.getBlock("latest")) ?? { timestamp: 0 };
    const at = timestamp + seconds;
    const preview = await reader.preview(call, { at, from: from.address });
    const { error, events } = preview;
    const told = { events, error: error && { name: error.errorName, args: error.args } };
    expect(told).to.deep.equal(await sent(call, from, at));
    return preview;
  }

  it("tells a trade to the last wei, and asks no node to run it", async () => {
    const { calls } = client;
    const start = await client.health(account);
    const preview = await previewed(calls.trade(account, "ETH", "12.5", { limitPrice: "201" }));
    expect(preview.error).to.equal(undefined);
    expect(preview.before?.positions).to.deep.equal([]);
    expect(preview.before?.health).to.deep.include({ requirementMaintenanceWad: 0n, netCashWad: start.netCashWad });
    expect(preview.account?.health).to.deep.equal(await client.health(account));
    expect(preview.account?.freeMarginWad).to.equal(preview.account?.health.freeMarginWad);
    expect(preview.account?.positions).to.deep.equal(await client.positions(account));
    expect(preview.account?.collaterals).to.deep.equal([{ token: "WETH", amount: wad("5") }]);
    expect(preview.account?.cashWad).to.equal(await client.cashOf(account));
    const traded = preview.events.at(-1);
    expect(traded?.name).to.equal("Traded");
    expect(preview.fill).to.deep.equal({
      priceWad: traded?.args["fillPriceWad"],
      feeWad: traded?.args["feeWad"],
      realizedWad: traded?.args["realizedWad"],
    });
    expect([...(preview.account?.liquidationPrices.keys() ?? [])]).to.deep.equal(["ETH"]);
    expect(preview.account?.liquidationPrice("ETH").isLiquidatable).to.equal(false);
  });

  it("has the error that the chain would raise, by name and arguments, and throws nothing", async () => {
    const { calls } = client;
    const tooLarge = await previewed(calls.trade(account, "BTC", "100"));
    expect(tooLarge.error).to.be.instanceOf(ContractError);
    expect(tooLarge.error?.errorName).to.equal("InsufficientMargin");
    expect(tooLarge).to.deep.include({ events: [], account: undefined, fill: undefined });
    expect(tooLarge.before?.account).to.equal(account);
    expect((await previewed(calls.trade(account, "BTC", "0.1", { limitPrice: "7999" }))).error?.errorName).to.equal(
      "LimitExceeded",
    );
    expect((await previewed(calls.withdraw(account, "WBTC", "1"))).error?.errorName).to.equal("InsufficientBalance");
    expect((await previewed(calls.trade(account, "BTC", "0.1"), other)).error).to.deep.include({
      errorName: "NotAuthorized",
      args: { account, caller: other.address },
    });
  });

  it("counts what tokens refuse, after the books", async () => {
    const { calls } = client;
    await world.mint("USDC", owner.address, "50");
    const refused = await previewed(calls.deposit(account, "USDC", "60"));
    expect(refused.error?.errorName).to.equal("ERC20InsufficientAllowance");
    const usdc = MockToken__factory.connect(world.deployment.settlementToken.address, owner);
    await (await usdc.approve(world.deployment.vault, 10n ** 12n)).wait();
    expect((await previewed(calls.deposit(account, "USDC", "60"))).error?.errorName).to.equal(
      "ERC20InsufficientBalance",
    );
    expect((await previewed(calls.deposit(account, "USDC", 0n))).error?.errorName).to.equal("ZeroAmount");
    expect((await previewed(calls.deposit(account, "USDC", "50"))).error).to.equal(undefined);
    const { vault } = world.deployment;
    expect((await previewed(calls.withdraw(account, "USDC", "1", vault))).error?.errorName).to.equal(
      "TokenMovedOtherAmount",
    );
  });

  it("takes several calls as one: what margin lacks after the first the last may bring", async () => {
    const { calls } = client;
    const withdrawal = calls.withdraw(account, "USDC", "10500");
    expect(
      (await previewed(calls.multicall([withdrawal, calls.trade(account, "ETH", "40")]))).error?.errorName,
    ).to.equal("InsufficientMargin");
    const both = await previewed(
      calls.multicall([calls.trade(account, "ETH", "40"), calls.deposit(account, "USDC", 0n)]),
    );
    expect(both.error?.errorName).to.equal("ZeroAmount");
    const whole = calls.multicall([calls.trade(account, "ETH", "40"), withdrawal, calls.trade(account, "ETH", "-40")]);
    expect((await previewed(whole)).error).to.equal(undefined);
    expect((await previewed(calls.multicall([calls.multicall([])]))).error?.errorName).to.equal("MulticallNested");
  });

  it("knows a wallet's signatures by asking it, and a key's without", async () => {
    const { calls } = client;
    const wallet = await new MockWallet__factory(owner).deploy(owner.address);
    const ofWallet = accountId(await wallet.getAddress());
    const grant = await client.signOperatorGrant(ofWallet, other.address, permission.trade);
    expect((await previewed(calls.setOperatorBySig({ ...grant, permissions: 3n }), other)).error?.errorName).to.equal(
      "InvalidSignature",
    );
    expect((await previewed(calls.setOperatorBySig(grant), other)).error).to.equal(undefined);
    const own = await client.signOperatorGrant(account, other.address, permission.trade);
    const [signature, twin] = [own.signature, `${own.signature.slice(0, -2)}00`];
    expect((await previewed(calls.setOperatorBySig({ ...own, signature: twin }), other)).error?.errorName).to.equal(
      "InvalidSignature",
    );
    expect((await previewed(calls.setOperatorBySig({ ...own, signature }), other)).error).to.equal(undefined);
    expect((await previewed(calls.trade(account, "LINK", "10"), other)).error).to.equal(undefined);
  });

  it("foresees that a price will be too old", async () => {
    const call = client.calls.trade(account, "ETH", "1");
    const preview = await previewed(call, owner, 2 * 3_600);
    expect(preview.error?.errorName).to.equal("StaleMarketPrice");
  });

  it("is sent by the account's owner, where nobody else is named", async () => {
    const call = client.calls.trade(account, "ETH", "1");
    expect(await reader.preview(call)).to.deep.include({ from: owner.address, error: undefined });
    const stranger = await world.as(other);
    expect((await stranger.preview(call)).error?.args).to.deep.equal({ account, caller: other.address });
    const liquidation = await reader.preview(client.calls.liquidatePosition(account, "ETH"));
    expect(liquidation.from).to.equal(`0x${"0".repeat(40)}`);
    expect(liquidation.error?.errorName).to.equal("AccountHealthy"); // by its owner it would be RewardToTarget
    expect(liquidation.before?.account).to.equal(account);
    const checkpoint = await reader.preview(client.calls.refreshCapital());
    expect(checkpoint).to.deep.include({ error: undefined, before: undefined, account: undefined });
    expect(checkpoint.events.map(({ name }) => name)).to.deep.equal(["CapitalChanged"]);
  });

  it("leaves its state as it is: many previews can stand on one", async () => {
    const { calls } = client;
    const call = calls.trade(account, "ETH", "3");
    const state = await reader.readState([], {
      calls: [call, calls.withdraw(account, "WETH", "1")],
      from: owner.address,
    });
    const first = await reader.preview(call, { state, from: owner.address });
    await reader.preview(calls.withdraw(account, "WETH", "1"), { state, from: owner.address });
    const again = await reader.preview(call, { state, from: owner.address });
    expect(again.events).to.deep.equal(first.events);
    expect(again.before?.health).to.deep.equal(first.before?.health);
  });

  it("hands a call out unsigned, as a signer would send it", async () => {
    const call = client.calls.trade(account, "ETH", "1.5", { limitPrice: "210", deadline: 2_000_000_000 });
    expect(client.unsigned(call)).to.deep.equal({
      to: world.deployment.vault,
      data: vaultInterface.encodeFunctionData("trade", [account, 1, wad("1.5"), wad("210"), 2_000_000_000n]),
      value: 0n,
    });
  });
});
