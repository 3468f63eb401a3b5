import { type BaseContract, Contract, type ContractRunner, Interface } from "ethers";

// Types alone, each from its own file: the factories beside them carry bytecode.
import type { AccessManager } from "../typechain-types/@openzeppelin/contracts/access/manager/AccessManager.js";
import type { MarginVault, MarginVaultInterface } from "../typechain-types/contracts/MarginVault.js";
import type { VaultLens } from "../typechain-types/contracts/lens/VaultLens.js";
import type { MockToken } from "../typechain-types/contracts/mocks/MockToken.js";
import type { PriceOracle } from "../typechain-types/contracts/oracles/PriceOracle.js";
import type { LiquidityPool } from "../typechain-types/contracts/pool/LiquidityPool.js";
import {
  accessManagerAbi,
  liquidityPoolAbi,
  marginVaultAbi,
  priceOracleAbi,
  tokenAbi,
  vaultExtensionAbi,
  vaultLensAbi,
} from "./abi/index.js";

export type { AccessManager, LiquidityPool, MarginVault, PriceOracle, VaultLens };

/** A token that the vault takes: what tokenAbi has of it. */
export type Token = BaseContract &
  Pick<
    MockToken,
    | "DOMAIN_SEPARATOR"
    | "allowance"
    | "approve"
    | "balanceOf"
    | "decimals"
    | "eip712Domain"
    | "name"
    | "nonces"
    | "permit"
    | "symbol"
    | "totalSupply"
    | "transfer"
    | "transferFrom"
  >;

/** How calls and logs of the vault are encoded. */
export const vaultInterface = new Interface(marginVaultAbi) as MarginVaultInterface;
const tokenInterface = new Interface(tokenAbi);

/** How calls and logs of each contract of a deployment are encoded. */
export const contractInterfaces: Readonly<Record<keyof Deployed | "VaultExtension", Interface>> = {
  MarginVault: vaultInterface,
  VaultExtension: new Interface(vaultExtensionAbi),
  PriceOracle: new Interface(priceOracleAbi),
  LiquidityPool: new Interface(liquidityPoolAbi),
  VaultLens: new Interface(vaultLensAbi),
  AccessManager: new Interface(accessManagerAbi),
};

interface Deployed {
  readonly MarginVault: MarginVault;
  readonly PriceOracle: PriceOracle;
  readonly LiquidityPool: LiquidityPool;
  readonly VaultLens: VaultLens;
  readonly AccessManager: AccessManager;
}

interface Contracts extends Deployed {
  readonly Token: Token;
}

/** A contract at an address, typed; nothing is asked of the chain. With a signer it can send, with a provider only read. */
export function contractAt<Name extends keyof Contracts>(
  name: Name,
  address: string,
  runner?: ContractRunner | null,
): Contracts[Name] {
  const coder = name === "Token" ? tokenInterface : contractInterfaces[name as keyof Deployed];
  return new Contract(address, coder, runner) as BaseContract as Contracts[Name];
}
