import type { Provider } from "ethers";

import {
  type AccountId,
  BallastError,
  type Deployment,
  NotDeployedError,
  assetsOfSymbol,
  ownerOf,
  permission,
} from "../../sdk/index.js";
import { MarginVault__factory } from "../../typechain-types/index.js";
import { KeeperConfigError, type PolicyConfig, keysVariable, localChainId } from "../config/index.js";
import type { KeeperPolicy } from "../keeper.js";

/** A signer has nothing to pay gas with. */
export class UnfundedError extends BallastError {
  override readonly name = "UnfundedError";
  readonly signer: string;

  constructor(signer: string) {
    super(`the keeper ${signer} has no ether to pay gas with: send it some, or give another key in ${keysVariable}`);
    this.signer = signer;
  }
}

/** A signer may not act for the account that holds the keeper's capital. */
export class TakerPermissionError extends BallastError {
  override readonly name = "TakerPermissionError";
  readonly signer: string;
  readonly account: AccountId;

  constructor(signer: string, account: AccountId, missing: readonly string[]) {
    super(
      `the keeper ${signer} may not ${missing.join(" and ")} for ${account}, which holds the keeper's capital: let its owner call ` +
        `setOperator for it, or leave its key out of ${keysVariable}`,
    );
    this.signer = signer;
    this.account = account;
  }
}

/** What is asked of a node before the keeper trusts it. */
export type ChainIdOf = (url: string) => Promise<number>;

/**
 * Every node must be of the deployment's chain: one of another would be believed once the others are away. One that does not answer may
 * come later; that none does is an error. Returns those that did not answer, with why.
 */
export async function checkNodes(
  rpc: readonly { readonly url: string }[],
  chainId: number,
  chainIdOf: ChainIdOf,
): Promise<{ readonly key: string; readonly error: unknown }[]> {
  const silent: { key: string; error: unknown }[] = [];
  await Promise.all(
    rpc.map(async ({ url }, at) => {
      const key = `rpc[${at}].url`;
      let actual: number;
      try {
        actual = await chainIdOf(url);
      } catch (error) {
        silent.push({ key, error });
        return;
      }
      if (actual === chainId) return;
      throw new KeeperConfigError(
        key,
        `is a node of chain ${actual}, and the deployment is on chain ${chainId}: give a node of chain ${chainId}, or another deployment`,
      );
    }),
  );
  if (silent.length === rpc.length) throw silent[0]?.error;
  return silent;
}

/** There must be code at each address of the deployment. Throws NotDeployedError. */
export async function checkCode(provider: Provider, deployment: Deployment): Promise<void> {
  const { manager, oracle, vault, pool, lens, settlementToken, collaterals } = deployment;
  const contracts = Object.entries({ manager, oracle, vault, pool, lens });
  const tokens = [settlementToken, ...collaterals].map(({ symbol, address }) => [symbol, address] as const);
  await Promise.all(
    [...contracts, ...tokens].map(async ([name, address]) => {
      if ((await provider.getCode(address)) === "0x") throw new NotDeployedError(name, address);
    }),
  );
}

/** What signers have to pay gas with, in wei, by address. */
export async function readPurses(provider: Provider, signers: readonly string[]): Promise<ReadonlyMap<string, bigint>> {
  return new Map(
    await Promise.all(signers.map(async (signer) => [signer, await provider.getBalance(signer)] as const)),
  );
}

/** Each signer must be able to pay gas. Throws UnfundedError. */
export async function checkSigners(provider: Provider, signers: readonly string[]): Promise<void> {
  for (const [signer, wei] of await readPurses(provider, signers)) if (wei === 0n) throw new UnfundedError(signer);
}

/** Every signer must be able to take into the account of the capital, and to give back out of it. Throws TakerPermissionError. */
export async function checkTaker(
  provider: Provider,
  { vault }: Deployment,
  taker: AccountId,
  signers: readonly string[],
): Promise<void> {
  const contract = MarginVault__factory.connect(vault, provider);
  const needed = { "take over positions": permission.take, trade: permission.trade };
  for (const signer of signers) {
    if (signer === ownerOf(taker)) continue;
    const granted = await contract.permissionsOf(taker, signer);
    const missing = Object.entries(needed).flatMap(([what, bit]) => ((granted & bit) === bit ? [] : [what]));
    if (missing.length > 0) throw new TakerPermissionError(signer, taker, missing);
  }
}

/**
 * The policy with the number of the asset that gas is paid in. On the local chain, where gas costs nothing, it needs none. Throws
 * KeeperConfigError for a symbol that has no price, and for a policy by which the keeper would never do anything.
 */
export function policyOf(
  { gasToken, minimumProfitWad, unknownProfit }: PolicyConfig,
  deployment: Deployment,
): KeeperPolicy {
  if (gasToken === undefined) {
    if (deployment.chainId === localChainId) return { minimumProfitWad, unknownProfit: "act" };
    if (unknownProfit === "act") return { minimumProfitWad, unknownProfit };
    throw new KeeperConfigError(
      "policy.gasToken",
      "is missing, so that what gas costs is not known and everything would be skipped: name the asset that gas is paid in, give its price " +
        'as policy.gasTokenPrice, or set policy.unknownProfit to "act"',
    );
  }
  if ("priceWad" in gasToken) return { minimumProfitWad, unknownProfit, gasToken };
  const [asset] = assetsOfSymbol(deployment, gasToken.symbol);
  if (asset !== undefined) return { minimumProfitWad, unknownProfit, gasToken: { asset } };
  const known = [
    ...deployment.markets.map(({ symbol }) => symbol),
    ...deployment.collaterals.map((collateral) => collateral.asset),
  ];
  throw new KeeperConfigError(
    "policy.gasToken",
    `is ${gasToken.symbol}, which the deployment has no price of: it has ${[...new Set(known)].join(", ")}. Or give policy.gasTokenPrice`,
  );
}

/** Where no config says where the state goes, nothing outlives the process: that is for the local chain. Throws KeeperConfigError. */
export function checkState(stateFile: string | undefined, chainId: number): void {
  if (stateFile !== undefined || chainId === localChainId) return;
  throw new KeeperConfigError(
    "state",
    `is missing: on chain ${chainId} what was sent must outlive the process. Give a path, such as "keeper.sqlite"`,
  );
}
