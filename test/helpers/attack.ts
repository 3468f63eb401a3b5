import { Interface, type InterfaceAbi } from "ethers";

import type { DeploymentParameters } from "../../deployments/schema.js";
import type { Connection } from "../../ignition/deploy.js";
import { type AccountId, ContractError, accountId, revertData, withDecodedErrors } from "../../sdk/index.js";
import {
  LiquidityPool__factory,
  MarginVault__factory,
  type MockHostileToken,
  MockHostileToken__factory,
  type MockPuppet,
  MockPuppet__factory,
  MockToken__factory,
} from "../../typechain-types/index.js";
import { type Signer, type World, deployWorld, wad } from "./world.js";

/** How a hostile token behaves: the contract's enum, by its numbers. */
export const conductsOfTokens = {
  behaves: 0,
  returnsNothing: 1,
  returnsFalse: 2,
  movesAndReturnsFalse: 3,
  returnsTwo: 4,
  movesNothing: 5,
  keepsFee: 6,
  takesFeeOnTop: 7,
  movesOneLess: 8,
  movesOneMore: 9,
  movesAllForLargest: 10,
  revertsOnZero: 11,
  revertsOnSecondApproval: 12,
  revertsAboveUint96: 13,
  paused: 14,
  returnsBomb: 15,
  revertsWithBomb: 16,
  burnsAllGas: 17,
  tellsConstantBalance: 18,
  tellsTwiceTheBalance: 19,
  hidesBalance: 20,
} as const;

export const largest = 2n ** 256n - 1n;
export const everything = 2n ** 255n;
export const vaultInterface = MarginVault__factory.createInterface();
export const poolInterface = LiquidityPool__factory.createInterface();
export const tokenInterface = MockToken__factory.createInterface();

const hostile = new Interface(MockHostileToken__factory.abi as unknown as InterfaceAbi);

type Call = () => Promise<unknown>;

/** What came of a call or a transaction: "done", the name of the contract's error, or "reverted" where it gave none that is known. */
export async function outcomeOf(call: Call): Promise<string> {
  try {
    const sent = await withDecodedErrors(call);
    if (typeof sent === "object" && sent !== null && "wait" in sent && typeof sent.wait === "function")
      await sent.wait();
    return "done";
  } catch (error) {
    if (error instanceof ContractError) return error.errorName;
    const data = revertData(error);
    if (data !== undefined) return errorNamed(data);
    if (/revert|out of gas|invalid opcode|CALL_EXCEPTION/i.test(String(error))) return "reverted";
    throw error;
  }
}

/** The name of the error that this data is of, "reverted" if nobody declares it. */
export function errorNamed(data: string): string {
  if (data.length < 10) return "reverted";
  for (const known of [vaultInterface, poolInterface, hostile]) {
    const error = known.parseError(data);
    if (error !== null) return error.name;
  }
  return "reverted";
}

/** A token that behaves until it is told otherwise. */
export async function deployHostileToken(connection: Connection, decimals: number): Promise<MockHostileToken> {
  return (await new MockHostileToken__factory(await adminOf(connection)).deploy(decimals)).waitForDeployment();
}

async function adminOf(connection: Connection): Promise<Signer> {
  const [admin] = await connection.ethers.getSigners();
  if (admin === undefined) throw new TypeError("the network has no signer");
  return admin;
}

/** A world whose settlement token and ether can be told to misbehave. */
export interface HostileWorld {
  readonly world: World;
  readonly cash: MockHostileToken;
  readonly ether: MockHostileToken;
}

export async function deployHostileWorld(
  connection: Connection,
  change: (parameters: DeploymentParameters) => DeploymentParameters,
  poolDeposit?: string,
): Promise<HostileWorld> {
  const [cash, ether] = [await deployHostileToken(connection, 6), await deployHostileToken(connection, 18)];
  await (await cash.mint(await adminOf(connection), 10n ** 15n)).wait(); // reserves and the insurance seed come out of it
  const world = await deployWorld(
    connection,
    (parameters) => withTokens(change(parameters), { cash: addressOf(cash), WETH: addressOf(ether) }),
    poolDeposit,
  );
  return { world, cash, ether };
}

function addressOf(contract: { readonly target: unknown }): string {
  return String(contract.target);
}

/** Parameters with tokens of one's own: the settlement token, and collaterals by symbol. */
export function withTokens(
  parameters: DeploymentParameters,
  { cash, ...collaterals }: Readonly<Record<string, string>>,
): DeploymentParameters {
  return {
    ...parameters,
    settlementToken: cash === undefined ? parameters.settlementToken : { ...parameters.settlementToken, address: cash },
    collaterals: parameters.collaterals.map((collateral) => {
      const address = collaterals[collateral.symbol];
      return address === undefined ? collateral : { ...collateral, address };
    }),
  };
}

/** A contract that owns an account, and does in one transaction what its master says. */
export interface Puppet {
  readonly contract: MockPuppet;
  readonly address: string;
  readonly account: AccountId;
  /** As this contract, one call after the other in one transaction. */
  act(...calls: readonly PlannedCall[]): Promise<unknown>;
}

export interface PlannedCall {
  readonly target: string;
  readonly data: string;
}

/** A puppet with tokens of these amounts, all approved for vault and pool. */
export async function deployPuppet(world: World, tokens: Readonly<Record<string, string>> = {}): Promise<Puppet> {
  const contract = await (await new MockPuppet__factory(world.admin).deploy()).waitForDeployment();
  const address = await contract.getAddress();
  const puppet: Puppet = {
    contract,
    address,
    account: accountId(address),
    act: async (...calls) => contract.actAll([...calls], { gasLimit: 15_000_000n }),
  };
  const { deployment } = world;
  for (const { symbol, address: token } of [deployment.settlementToken, ...deployment.collaterals]) {
    if (tokens[symbol] !== undefined) await world.mint(symbol, address, tokens[symbol]);
    for (const spender of [deployment.vault, deployment.pool])
      await puppet.act({ target: token, data: tokenInterface.encodeFunctionData("approve", [spender, largest]) });
  }
  return puppet;
}

/** Calls of the vault and of the pool by name. */
export function callsOf({ deployment }: World) {
  return {
    vault: (name: string, args: readonly unknown[]): PlannedCall => ({
      target: deployment.vault,
      data: vaultInterface.encodeFunctionData(name as "deposit", args as never),
    }),
    pool: (name: string, args: readonly unknown[]): PlannedCall => ({
      target: deployment.pool,
      data: poolInterface.encodeFunctionData(name as "balanceOf", args as never),
    }),
  };
}

/** Units of the settlement token that an address holds, as wads. */
export async function cashIn(world: World, holder: string): Promise<bigint> {
  const { address, decimals } = world.deployment.settlementToken;
  const raw = await MockToken__factory.connect(address, world.admin).balanceOf(holder);
  return raw * 10n ** BigInt(18 - decimals);
}

/** Takes out of an account all cash that the vault lets out. Returns it, wad. */
export async function withdrawAllCash(world: World, owner: Signer, account: AccountId): Promise<bigint> {
  const { address, decimals } = world.deployment.settlementToken;
  const unit = 10n ** BigInt(18 - decimals);
  const { freeMarginWad, requirementInitialWad } = await world.ballast.health(account);
  const cash = await world.ballast.cashOf(account);
  const [, , held] = await world.ballast.vault.totals();
  const free = requirementInitialWad === 0n ? cash : freeMarginWad;
  const raw = free / unit < held ? free / unit : held;
  if (raw <= 0n) return 0n;
  const vault = MarginVault__factory.connect(world.deployment.vault, owner);
  await (await vault.withdraw(account, address, raw, owner.address)).wait();
  return raw * unit;
}

export const usd = (text: string): bigint => wad(text) / 10n ** 12n;
