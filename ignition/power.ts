import type { Signer } from "ethers";

import type { DeploymentParameters } from "../deployments/schema.js";
import { BallastError, type Deployment, type RoleName, roleIds } from "../sdk/index.js";
import { AccessManager__factory } from "../typechain-types/index.js";
import { mined } from "./mined.js";

type Power = DeploymentParameters["power"];

/** The chain id of Hardhat's own chains: tokens without an address are mocks there, and nothing needs to wait. */
export const localChainId = 31337;

/** What risk and admin wait for at least on every other chain: who does not like what they have scheduled has this long to leave. */
export const leastDelaySeconds = 172_800;

/** A delay of the parameters that is too short for the chain. */
export class DelayTooShortError extends BallastError {
  override readonly name = "DelayTooShortError";
  readonly key: keyof Power;

  constructor(key: keyof Power, seconds: string, chainId: number) {
    super(
      `chain ${chainId} is not the local chain: set power.${key} in parameters.json to at least ${leastDelaySeconds} (2 days), ` +
        `not ${seconds}`,
    );
    this.key = key;
  }
}

/** There is something to list, and the signer may not, or not at once. */
export class MayNotListError extends BallastError {
  override readonly name = "MayNotListError";
  readonly signer: string;
  readonly delaySeconds: number | undefined;

  constructor(signer: string, delaySeconds: number | undefined) {
    super(
      delaySeconds === undefined
        ? `${signer} does not hold the role RISK: let a member of it schedule the listing with the access manager ` +
            '("npm run access" names them), or take what is not listed out of parameters.json'
        : `${signer} holds the role RISK with a delay of ${delaySeconds} seconds: schedule the feeds and the listing with the access ` +
            "manager and send them when they are due (docs/protocol.md, Power), or take what is not listed out of parameters.json",
    );
    this.signer = signer;
    this.delaySeconds = delaySeconds;
  }
}

/** Throws DelayTooShortError unless the delays of these parameters will do on the chain. */
export function requireDelays(power: Power, chainId: number): void {
  if (chainId === localChainId) return;
  for (const key of ["riskDelaySeconds", "adminDelaySeconds"] as const) {
    if (BigInt(power[key]) < leastDelaySeconds) throw new DelayTooShortError(key, power[key], chainId);
  }
}

/** Throws MayNotListError unless the signer holds the role RISK without delay. */
export async function requireMayList({ manager }: Deployment, signer: Signer): Promise<void> {
  const address = await signer.getAddress();
  const [isMember, delay] = await AccessManager__factory.connect(manager, signer).hasRole(roleIds.risk, address);
  if (!isMember || delay !== 0n) throw new MayNotListError(address, isMember ? Number(delay) : undefined);
}

/**
 * Gives the roles to whom the parameters name (by default the deployer), with their delays, and takes from the deployer what is
 * another's; its own power as admin last. Sends only what is not so yet, and nothing once the deployer is no admin that acts at once.
 */
export async function assignRoles(
  { manager: at, vault, oracle }: Deployment,
  power: Power,
  deployer: Signer,
): Promise<void> {
  const manager = AccessManager__factory.connect(at, deployer);
  const from = await deployer.getAddress();
  const [isAdmin, ownDelay] = await manager.hasRole(roleIds.admin, from);
  if (!isAdmin || ownDelay !== 0n) return;

  const riskDelay = BigInt(power.riskDelaySeconds);
  const adminDelay = BigInt(power.adminDelaySeconds);
  const give = async (role: RoleName, to: string, delay: bigint) => {
    const [, current] = await manager.hasRole(roleIds[role], to);
    const { since } = await manager.getAccess(roleIds[role], to);
    if (since === 0n || current !== delay) await mined(manager.grantRole(roleIds[role], to, delay));
  };
  const giveAway = async (role: RoleName, to: string, delay: bigint) => {
    await give(role, to, delay);
    if (to.toLowerCase() === from.toLowerCase()) return;
    if ((await manager.getAccess(roleIds[role], from)).since !== 0n)
      await mined(manager.renounceRole(roleIds[role], from));
  };

  await giveAway("pusher", power.pusher ?? from, 0n);
  await giveAway("guardian", power.guardian ?? from, 0n);
  await giveAway("risk", power.risk ?? from, riskDelay);
  // These take effect after five days, whatever they are set to; until then the members' own delays are all there is.
  for (const role of ["risk", "admin"] as const) {
    const wanted = role === "risk" ? riskDelay : adminDelay;
    if ((await manager.getRoleGrantDelay(roleIds[role])) !== wanted) {
      await mined(manager.setGrantDelay(roleIds[role], wanted));
    }
  }
  for (const target of [vault, oracle]) {
    if ((await manager.getTargetAdminDelay(target)) !== adminDelay) {
      await mined(manager.setTargetAdminDelay(target, adminDelay));
    }
  }
  await giveAway("admin", power.admin ?? from, adminDelay);
}
