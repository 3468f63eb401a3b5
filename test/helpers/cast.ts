import { type Interface, ZeroAddress } from "ethers";

import { accountParameters, cashParameters, collateralParameters, marketParameters } from "../../ignition/deploy.js";
import type { Connection } from "../../ignition/deploy.js";
import { assignRoles } from "../../ignition/power.js";
import {
  type AccountId,
  type Caller,
  type ContractName,
  type Permission,
  type RoleName,
  accountId,
  contractInterfaces,
  operatorGrantData,
  permission,
  roleIds,
  selectorOf,
} from "../../sdk/index.js";
import {
  AccessManager__factory,
  MockPuppet__factory,
  MockToken__factory,
  MockPyth__factory,
  PriceOracle__factory,
} from "../../typechain-types/index.js";
import { deployAggregator } from "./chainlink.js";
import { bring, deployPyth, ethId } from "./pyth.js";
import { lossParameters } from "./stage.js";
import { type Signer, type World, deployWorld, wad } from "./world.js";

export const day = 86_400;
const [BTC, ETH, LINK] = [0, 1, 2];
const [newMarketAsset, aggregatedAsset, unusedAsset, checkedAsset, newCollateralAsset] = [3, 4, 5, 6, 98];
/** Some, whatever is lent: there is interest to sweep. */
const interest = { rateAtZero: "0.1", rateAtKink: "0.1", rateAtFull: "0.1" };
const everything = 2n ** 255n;
const noDeadline = 2n ** 40n;

/** Somebody who may try to call, with all that gives it power. */
export interface Person {
  readonly name: string;
  readonly signer: Signer;
  readonly permission?: Permission;
  readonly role?: RoleName;
}

/** A call that works for whoever may make it. */
export interface Case {
  /** What it does, where a function has several. */
  readonly title?: string;
  /** Who may call so, where that is not what sdk/callers.ts says of the function. */
  readonly caller?: Caller;
  /** Of the caller's address. */
  readonly data: (caller: string) => string;
  /** Whose owner or operator it takes. */
  readonly account?: AccountId;
  /** The error that tells a state, to everybody who may call; by default the call goes through. */
  readonly outcome?: string;
  /** The names of those who may, and the error of the others, where only the case can know. */
  readonly only?: readonly string[];
  readonly refusal?: (caller: string) => {
    readonly errorName: string;
    readonly args: Readonly<Record<string, unknown>>;
  };
}

export type Cases = Readonly<Record<ContractName, Readonly<Record<string, readonly Case[]>>>>;

/** A deployment whose roles are with others, with everybody in it who may do something. */
export interface Cast {
  readonly world: World;
  readonly people: readonly Person[];
  readonly person: (name: string) => Person;
  readonly addresses: Readonly<Record<ContractName, string>>;
  /** A contract that calls for anyone; it has tokens, and no rights. */
  readonly forwarder: string;
  readonly cases: Cases;
}

/** Two days for risk and admin; each role has a member of its own, the deployer none. */
export async function deployCast(connection: Connection): Promise<Cast> {
  const world = await deployWorld(
    connection,
    (parameters) => lossParameters(parameters, { cash: interest }),
    "1000000",
  );
  const { vault, pool } = world.ballast;
  const [owner, stranger, guardian, risk, pusher, admin, spender, , ...others] = world.signers as Signer[];
  if (!owner || !stranger || !guardian || !risk || !pusher || !admin || !spender) throw new TypeError("signers");
  const people: Person[] = [
    { name: "stranger", signer: stranger },
    { name: "owner", signer: owner },
    { name: "guardian", signer: guardian, role: "guardian" },
    { name: "risk", signer: risk, role: "risk" },
    { name: "pusher", signer: pusher, role: "pusher" },
    { name: "admin", signer: admin, role: "admin" },
    { name: "spender", signer: spender },
    { name: "deployer", signer: world.admin },
    ...(Object.keys(permission) as Permission[]).map((one, at) => ({
      name: `operator for ${one}`,
      signer: others[at] as Signer,
      permission: one,
    })),
  ];
  const puppet = await new MockPuppet__factory(world.admin).deploy();
  const forwarder = await puppet.getAddress();
  const account = await world.fund(owner, { USDC: "20000", WETH: "1" });
  const second = await world.fund(owner, { USDC: "100" }, 1);
  await (await world.as(owner)).trade(account, "ETH", "1");
  for (const { permission: permitted, signer } of people) {
    if (permitted === undefined) continue;
    for (const id of [account, second]) {
      await (await vault.connect(owner).setOperator(id, signer.address, permission[permitted])).wait();
    }
  }
  await (await pool.approve(spender.address, 2n ** 255n)).wait();
  await giveTokens(world, people, forwarder);

  const feeds = await openFeeds(world);
  await startRamps(world);
  const { timestamp: now } = (await world.ballast.provider.getBlock("latest"))!;
  await (await vault.announceDelisting(LINK, now + day + 60, 0)).wait();

  const delays = { riskDelaySeconds: String(2 * day), adminDelaySeconds: String(2 * day) };
  const members = { guardian: guardian.address, risk: risk.address, pusher: pusher.address, admin: admin.address };
  await assignRoles(world.deployment, { ...members, ...delays }, world.admin);

  const token = await new MockToken__factory(world.admin).deploy("New", "NEW", 18);
  const grant = { account, operator: stranger.address, permissions: 31n, nonce: 0n, deadline: noDeadline };
  const { domain, types, message } = operatorGrantData(world.deployment, grant);
  const signature = await owner.signTypedData(domain, types, message);
  const person = (name: string) => {
    const found = people.find((one) => one.name === name);
    if (found === undefined) throw new TypeError(`nobody is called ${name}`);
    return found;
  };
  const { vault: vaultAt, oracle: oracleAt, pool: poolAt, lens: lensAt, manager: managerAt } = world.deployment;
  const addresses = {
    MarginVault: vaultAt,
    VaultExtension: await vault.extension(),
    PriceOracle: oracleAt,
    LiquidityPool: poolAt,
    VaultLens: lensAt,
    AccessManager: managerAt,
  };
  const scene: Scene = {
    world,
    person,
    account,
    second,
    target: ownerOfTargets(world).address,
    forwarder,
    newToken: await token.getAddress(),
    feeds,
    signature,
    now,
    addresses,
  };
  const MarginVault = vaultCases(scene);
  const cases: Cases = {
    MarginVault,
    // The same calls as the vault's.
    VaultExtension: Object.fromEntries(
      contractInterfaces.VaultExtension.fragments.flatMap((fragment) =>
        "name" in fragment && typeof fragment.name === "string" && MarginVault[fragment.name] !== undefined
          ? [[fragment.name, MarginVault[fragment.name] ?? []]]
          : [],
      ),
    ),
    PriceOracle: oracleCases(scene),
    LiquidityPool: poolCases(scene),
    VaultLens: {},
    AccessManager: managerCases(scene),
  };
  return { world, people, person, addresses, forwarder, cases };
}

interface Scene {
  readonly world: World;
  readonly person: (name: string) => Person;
  /** The owner's, with cash, collateral and a position; its operators have a permission each. */
  readonly account: AccountId;
  /** The owner's too, without a position. */
  readonly second: AccountId;
  /** Owner of the accounts to be liquidated: see `targetOf`. */
  readonly target: string;
  readonly forwarder: string;
  readonly newToken: string;
  readonly feeds: Awaited<ReturnType<typeof openFeeds>>;
  readonly signature: string;
  readonly now: number;
  readonly addresses: Readonly<Record<ContractName, string>>;
}

/** The accounts of `Scene.target`, by index. */
const targets = { partial: 0, absorb: 1, collateral: 2, sold: 3 } as const;

/** One of the accounts that `ripen` brings below their requirement. */
export function targetAccount({ world }: Cast, which: keyof typeof targets): AccountId {
  return accountId(ownerOfTargets(world).address, targets[which]);
}

const ownerOfTargets = ({ signers }: World): Signer => signers[7] as Signer;

const call =
  (contract: Interface, name: string) =>
  (...args: unknown[]): string =>
    contract.encodeFunctionData(name, args);

function vaultCases(scene: Scene): Cases["MarginVault"] {
  const { world, person, account, second, target, forwarder, newToken, signature, now } = scene;
  const of = (name: string) => call(contractInterfaces.MarginVault, name);
  const always = (name: string, ...args: unknown[]): Case => ({ data: () => of(name)(...args) });
  const cash = world.deployment.settlementToken.address;
  const weth = world.deployment.collaterals[0]?.address ?? "";
  const [btc] = world.parameters.markets;
  const [, eth] = world.parameters.markets;
  const [collateral] = world.parameters.collaterals;
  if (!btc || !eth || !collateral) throw new TypeError("parameters");
  const poolAccount = accountId(world.deployment.pool);
  const toPool = accountId(target, targets.partial);
  return {
    multicall: [always("multicall", [])],
    deposit: [
      { data: (caller) => of("deposit")(accountId(caller), cash, 1_000_000n) },
      { title: "for the pool", ...always("deposit", poolAccount, cash, 20_000_000n), outcome: "StrangerDeposit" },
    ],
    depositWithPermit: [
      {
        data: (caller) =>
          of("depositWithPermit")(
            accountId(caller),
            cash,
            1_000_000n,
            0,
            27,
            `0x${"0".repeat(64)}`,
            `0x${"0".repeat(64)}`,
          ),
      },
    ],
    withdraw: [{ account, data: (caller) => of("withdraw")(account, cash, 1_000_000n, caller) }],
    transfer: [{ account, ...always("transfer", account, second, cash, 20_000_000n) }],
    trade: [{ account, ...always("trade", account, ETH, wad("1"), 0, noDeadline) }],
    setMode: [{ account: second, ...always("setMode", second, 1) }],
    setOperator: [{ account, data: (caller) => of("setOperator")(account, caller, 31) }],
    setOperatorBySig: [
      always("setOperatorBySig", account, person("stranger").signer.address, 31, 0, noDeadline, signature),
      {
        title: "without the owner's signature",
        ...always("setOperatorBySig", account, person("risk").signer.address, 31, 0, noDeadline, signature),
        outcome: "InvalidSignature",
      },
    ],
    revokeSignatures: [always("revokeSignatures")],
    settle: [always("settle", account, ETH)],
    liquidatePosition: [
      { account, ...always("liquidatePosition", toPool, ETH, everything, account) },
      {
        title: "into the pool",
        caller: { kind: "anyone" },
        ...always("liquidatePosition", toPool, ETH, everything, poolAccount),
      },
    ],
    liquidateCollateral: [
      { account, ...always("liquidateCollateral", accountId(target, targets.collateral), weth, everything, account) },
    ],
    buyCollateral: [{ account, ...always("buyCollateral", account, weth, wad("0.1"), everything) }],
    absorb: [{ data: (caller) => of("absorb")([accountId(target, targets.absorb)], accountId(caller)) }],
    cover: [{ ...always("cover"), outcome: "NothingToCover" }],
    resolvePool: [{ ...always("resolvePool"), outcome: "PoolSolvent" }],
    delist: [always("delist", LINK)],
    refreshCapital: [always("refreshCapital")],
    sweepFees: [always("sweepFees", ETH)],
    sweepInterest: [always("sweepInterest")],
    updatePrices: [always("updatePrices", [])],
    rampMarket: [always("rampMarket", ETH)],
    rampCollateral: [always("rampCollateral", weth)],
    rampAccounts: [always("rampAccounts")],
    haltMarket: [always("haltMarket", ETH)],
    haltBorrowing: [always("haltBorrowing")],
    resumeMarket: [always("resumeMarket", ETH)],
    resumeBorrowing: [always("resumeBorrowing")],
    listMarket: [always("listMarket", marketParameters(eth))],
    listCollateral: [always("listCollateral", newToken, collateralParameters(collateral))],
    announceDelisting: [always("announceDelisting", BTC, now + 30 * day, 0)],
    setMarketParameters: [always("setMarketParameters", BTC, marketParameters(btc))],
    setCollateralParameters: [always("setCollateralParameters", weth, collateralParameters(collateral))],
    setAccountParameters: [always("setAccountParameters", accountParameters(world.parameters))],
    setCashParameters: [always("setCashParameters", cashParameters(world.parameters))],
    setAuthority: [always("setAuthority", forwarder)],
  };
}

function oracleCases({ feeds, forwarder, now }: Scene): Cases["PriceOracle"] {
  const of = (name: string) => call(contractInterfaces.PriceOracle, name);
  const always = (name: string, ...args: unknown[]): Case => ({ data: () => of(name)(...args) });
  const { aggregator, second, pyth } = feeds;
  const priced = [wad("0.02"), ethId, ...bounds] as const;
  return {
    push: [always("push", [unusedAsset], [wad("190")], now)],
    refresh: [always("refresh", [aggregatedAsset])],
    updatePyth: [always("updatePyth", [])],
    setPushFeed: [always("setPushFeed", ETH, wad("0.001"), 3600)],
    setChainlinkFeed: [always("setChainlinkFeed", aggregatedAsset, wad("0.001"), 30 * day, aggregator, ...bounds)],
    setPythFeed: [always("setPythFeed", unusedAsset, wad("0.001"), 60, ...priced)],
    setSecondChainlinkFeed: [
      always("setSecondChainlinkFeed", aggregatedAsset, 30 * day, wad("0.01"), second, ...bounds),
    ],
    setSecondPythFeed: [always("setSecondPythFeed", aggregatedAsset, 30 * day, wad("0.01"), ...priced)],
    clearSecondFeed: [always("clearSecondFeed", checkedAsset)],
    setPyth: [always("setPyth", pyth)],
    setSequencer: [always("setSequencer", ZeroAddress, 0)],
    setAuthority: [always("setAuthority", forwarder)],
  };
}

const bounds = [wad("20"), wad("2000")] as const;

/** Feeds of assets that nothing is listed with: pushed ones, one read from an aggregator, and one with a second source. */
async function openFeeds({ connection, ballast: { oracle } }: World) {
  for (const asset of [newMarketAsset, unusedAsset, newCollateralAsset]) {
    await (await oracle.setPushFeed(asset, wad("0.001"), 3600)).wait();
  }
  const [aggregator, second] = [
    await (await deployAggregator(connection, 8, 200n * 10n ** 8n)).getAddress(),
    await (await deployAggregator(connection, 8, 200n * 10n ** 8n)).getAddress(),
  ];
  for (const asset of [aggregatedAsset, checkedAsset]) {
    await (await oracle.setChainlinkFeed(asset, wad("0.001"), 30 * day, aggregator, ...bounds)).wait();
  }
  await (await oracle.setSecondChainlinkFeed(checkedAsset, 30 * day, wad("0.01"), second, ...bounds)).wait();
  const pyth = await deployPyth(connection);
  await bring(connection, pyth, { price: 200n * 10n ** 8n });
  await (await oracle.setPyth(pyth)).wait();
  return { aggregator, second, pyth: await pyth.getAddress() };
}

/** A little more of each maintenance margin to come, of what somebody has: there are steps to take. */
async function startRamps({ parameters, deployment, ballast: { vault } }: World): Promise<void> {
  const [, market] = parameters.markets;
  const [collateral] = parameters.collaterals;
  if (!market || !collateral) throw new TypeError("parameters");
  await (
    await vault.setMarketParameters(ETH, { ...marketParameters(market), maintenanceBaseWad: wad("0.031") })
  ).wait();
  const weights = { initialWeightWad: wad("0.85"), maintenanceWeightWad: wad("0.89") };
  const weth = deployment.collaterals[0]?.address ?? "";
  await (await vault.setCollateralParameters(weth, { ...collateralParameters(collateral), ...weights })).wait();
  await (await vault.setAccountParameters({ ...accountParameters(parameters), keeperFloorWad: wad("2.1") })).wait();
}

function poolCases({ person, forwarder }: Scene): Cases["LiquidityPool"] {
  const of = (name: string) => call(contractInterfaces.LiquidityPool, name);
  const holder = person("deployer").signer.address;
  const shares = wad("1");
  return {
    deposit: [
      { data: (caller) => of("deposit")(1_000_000n, caller) },
      {
        title: "for another",
        data: () => of("deposit")(1_000_000n, `0x${"1".repeat(40)}`),
        outcome: "OnlyOwnDeposits",
      },
    ],
    mint: [{ data: (caller) => of("mint")(shares, caller) }],
    redeem: [{ data: (caller) => of("redeem")(shares, caller, holder) }],
    withdraw: [{ data: (caller) => of("withdraw")(1_000_000n, caller, holder) }],
    transferFrom: [{ data: (caller) => of("transferFrom")(holder, caller, shares) }],
    transfer: [{ data: () => of("transfer")(forwarder, 0) }],
    approve: [{ data: () => of("approve")(forwarder, 1) }],
  };
}

function managerCases(scene: Scene): Cases["AccessManager"] {
  const { person, addresses, forwarder } = scene;
  const of = (name: string) => call(contractInterfaces.AccessManager, name);
  const always = (name: string, ...args: unknown[]): Case => ({ data: () => of(name)(...args) });
  const vault = addresses.MarginVault;
  const [resume, halt] = (["resumeBorrowing", "haltBorrowing"] as const).map((name) => selectorOf("MarginVault", name));
  const risk = person("risk").signer.address;
  const spare = 9n;
  return {
    multicall: [always("multicall", [])],
    labelRole: [always("labelRole", spare, "SPARE")],
    grantRole: [always("grantRole", roleIds.pusher, forwarder, 0)],
    revokeRole: [always("revokeRole", roleIds.pusher, person("pusher").signer.address)],
    renounceRole: [
      { data: (caller) => of("renounceRole")(roleIds.pusher, caller) },
      {
        title: "another's",
        data: () => of("renounceRole")(roleIds.guardian, addresses.VaultLens),
        outcome: "AccessManagerBadConfirmation",
      },
    ],
    setRoleAdmin: [always("setRoleAdmin", spare, roleIds.risk)],
    setRoleGuardian: [always("setRoleGuardian", spare, roleIds.guardian)],
    setGrantDelay: [always("setGrantDelay", spare, day)],
    setTargetAdminDelay: [always("setTargetAdminDelay", vault, day)],
    setTargetFunctionRole: [always("setTargetFunctionRole", vault, [halt], roleIds.risk)],
    setTargetClosed: [always("setTargetClosed", vault, true)],
    updateAuthority: [always("updateAuthority", vault, forwarder)],
    schedule: [
      {
        only: ["risk"],
        data: () =>
          of("schedule")(addresses.PriceOracle, call(contractInterfaces.PriceOracle, "setPushFeed")(BTC, 0, 60), 0),
        refusal: (caller) => ({
          errorName: "AccessManagerUnauthorizedCall",
          args: { caller, target: addresses.PriceOracle, selector: selectorOf("PriceOracle", "setPushFeed") },
        }),
      },
    ],
    execute: [
      {
        only: ["guardian"],
        data: () => of("execute")(vault, halt),
        refusal: (caller) => ({
          errorName: "AccessManagerUnauthorizedCall",
          args: { caller, target: vault, selector: halt },
        }),
      },
    ],
    cancel: [
      {
        only: ["risk", "guardian", "admin"],
        data: () => of("cancel")(risk, vault, resume),
        refusal: (caller) => ({
          errorName: "AccessManagerUnauthorizedCancel",
          args: { msgsender: caller, caller: risk, target: vault, selector: resume },
        }),
      },
    ],
    // Refused without a word: the caller is no contract that could be asked whether it is in such a call.
    consumeScheduledOp: [always("consumeScheduledOp", risk, resume)],
  };
}

async function giveTokens(world: World, people: readonly Person[], forwarder: string): Promise<void> {
  const { address } = world.deployment.settlementToken;
  const spenders = [world.deployment.vault, world.deployment.pool];
  const token = MockToken__factory.connect(address, world.admin);
  for (const { signer } of people) {
    await world.mint("USDC", signer.address, "1000");
    for (const to of spenders) await (await token.connect(signer).approve(to, 2n ** 255n)).wait();
  }
  await world.mint("USDC", forwarder, "1000");
  const puppet = MockPuppet__factory.connect(forwarder, world.admin);
  for (const to of spenders) {
    const data = token.interface.encodeFunctionData("approve", [to, 2n ** 255n]);
    await (await puppet.act(address, data)).wait();
  }
}

/** Has risk and admin schedule each call that needs it. */
export async function scheduleAll(
  { world, person, addresses, cases }: Cast,
  delayed: readonly Delayed[],
): Promise<void> {
  for (const { contract, name, by } of delayed) {
    const { signer } = person(by);
    const manager = AccessManager__factory.connect(world.deployment.manager, signer);
    for (const { data } of cases[contract][name] ?? []) {
      await (await manager.schedule(addresses[contract], data(signer.address), 0)).wait();
    }
  }
}

/** A function that a role calls after its delay. */
export interface Delayed {
  readonly contract: ContractName;
  readonly name: string;
  readonly by: "risk" | "admin";
}

/**
 * Two days later: prices are fresh, LINK is due to be delisted, and there is an account for each kind of liquidation, opened at 200 and
 * looked at 186; the pool holds what it absorbed of another.
 */
export async function ripen(cast: Cast): Promise<void> {
  const { world, person } = cast;
  await world.passTime(2 * day);
  const oracle = PriceOracle__factory.connect(world.deployment.oracle, person("pusher").signer);
  const push = async (price: string) => {
    const { timestamp } = (await world.ballast.provider.getBlock("latest"))!;
    const [btc, eth, link] = ["8000", price, "4"].map(wad) as [bigint, bigint, bigint];
    const assets = { 0: btc, 1: eth, 2: link, 3: eth, 96: eth, 97: btc, 98: eth };
    await (await oracle.push(Object.keys(assets), Object.values(assets), timestamp)).wait();
  };
  await push("200");
  await (await world.ballast.vault.refreshCapital()).wait();
  const owner = ownerOfTargets(world);
  const asOwner = await world.as(owner);
  const partial = await world.fund(owner, { USDC: "1000" }, targets.partial);
  await asOwner.trade(partial, "ETH", "55");
  const absorbed = await world.fund(owner, { USDC: "1000" }, targets.absorb);
  await asOwner.trade(absorbed, "ETH", "70");
  for (const index of [targets.collateral, targets.sold]) {
    const debtor = await world.fund(owner, { WETH: "10" }, index);
    await asOwner.withdraw(debtor, "USDC", "1610");
  }
  await push("186");
  await (await world.ballast.vault.refreshCapital()).wait();
  const keeper = accountId(person("stranger").signer.address);
  await (await world.ballast.vault.absorb([accountId(owner.address, targets.sold)], keeper)).wait();
  // Ahead, so that it is of no age for as long as the calls take.
  const pyth = MockPyth__factory.connect(await oracle.pyth(), world.admin);
  const { timestamp } = (await world.ballast.provider.getBlock("latest"))!;
  await bring(world.connection, pyth, { price: 200n * 10n ** 8n, publishTime: timestamp + 60 });
}
