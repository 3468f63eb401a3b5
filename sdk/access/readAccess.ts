import type { Provider } from "ethers";

import { type Caller, type ContractName, callersOf, functionsOf, roleIds, selectorOf } from "../callers.js";
import { type AccessManager, contractAt, contractInterfaces } from "../contracts.js";
import type { Deployment } from "../deployment.js";
import { NotDeployedError, WrongChainError } from "../errors.js";

/** A member of a role, as the access manager has it. */
export interface RoleMember {
  readonly address: string;
  /** Between scheduling an operation and executing it. */
  readonly delaySeconds: number;
  /** Unix seconds: a member from then on. */
  readonly since: number;
  readonly isActive: boolean;
}

/** A role of a deployment. Its name is the label that the chain has. */
export interface Role {
  readonly id: bigint;
  readonly name: string;
  readonly members: readonly RoleMember[];
  /** The role that gives it to others and takes it from them. */
  readonly admin: string;
  /** The role whose members may cancel what this one's have scheduled, besides admins. */
  readonly guardian: string;
  /** From being given the role until being a member. */
  readonly grantDelaySeconds: number;
}

/** Who may call one function. */
export interface FunctionAccess {
  readonly name: string;
  /** "view": it changes nothing, and anyone may call it. */
  readonly caller: Caller | { readonly kind: "view" };
  /** The role that the access manager asks for, where it is the manager that decides. */
  readonly role?: string;
  /** The role's members, with what each waits for between scheduling this call and making it. */
  readonly members: readonly Pick<RoleMember, "address" | "delaySeconds">[];
}

export interface ContractAccess {
  readonly contract: ContractName;
  readonly address: string;
  /** The access manager lets nobody call what it decides on. */
  readonly isClosed: boolean;
  /** What admins wait for at least before they give its functions to other roles, close it, or put another manager over it. */
  readonly adminDelaySeconds: number;
  readonly functions: readonly FunctionAccess[];
}

export interface Access {
  readonly chainId: number;
  readonly blockNumber: number;
  readonly contracts: readonly ContractAccess[];
  /** Those that have a member, name a function or are another's admin or guardian; by id. */
  readonly roles: readonly Role[];
}

const publicRole = 2n ** 64n - 1n;

/**
 * Who may call what on a deployment, as of its latest block: roles, members and delays are asked of its access manager, the rest is what
 * the code of this version says. Throws WrongChainError, NotDeployedError and CallersIncompleteError.
 */
export async function readAccess(provider: Provider, deployment: Deployment): Promise<Access> {
  const { chainId } = await provider.getNetwork();
  if (chainId !== BigInt(deployment.chainId)) throw new WrongChainError(deployment.chainId, Number(chainId));
  const addresses: Record<ContractName, string> = {
    MarginVault: deployment.vault,
    VaultExtension: "",
    PriceOracle: deployment.oracle,
    LiquidityPool: deployment.pool,
    VaultLens: deployment.lens,
    AccessManager: deployment.manager,
  };
  for (const [contract, address] of Object.entries(addresses)) {
    if (address !== "" && (await provider.getCode(address)) === "0x") throw new NotDeployedError(contract, address);
  }
  addresses.VaultExtension = await contractAt("MarginVault", deployment.vault, provider).extension();

  const manager = contractAt("AccessManager", deployment.manager, provider);
  const blockNumber = await provider.getBlockNumber();
  const book = await RoleBook.read(manager, deployment.fromBlock, blockNumber);
  const contracts: ContractAccess[] = [];
  for (const contract of Object.keys(addresses) as ContractName[]) {
    contracts.push(await contractAccess(contract, addresses[contract], book));
  }
  return { chainId: Number(chainId), blockNumber, contracts, roles: await book.all() };
}

async function contractAccess(contract: ContractName, address: string, book: RoleBook): Promise<ContractAccess> {
  const { manager, at } = book;
  const isClosed = await manager.isTargetClosed(address, at);
  const adminDelaySeconds = Number(await manager.getTargetAdminDelay(address, at));
  const functions: FunctionAccess[] = [];
  for (const [name, caller] of callersOf(contract)) {
    const role = await roleOf(name, caller, contract, address, book);
    const least = caller.kind === "authority" ? adminDelaySeconds : 0;
    const active = role === undefined || (isClosed && caller.kind === "role") ? [] : role.members.filter(isActive);
    const members = active.map((member) => ({
      address: member.address,
      delaySeconds: Math.max(member.delaySeconds, least),
    }));
    functions.push({ name, caller, members, ...(role === undefined ? {} : { role: role.name }) });
  }
  for (const name of functionsOf(contractInterfaces[contract]).reading) {
    functions.push({ name, caller: { kind: "view" }, members: [] });
  }
  return { contract, address, isClosed, adminDelaySeconds, functions };
}

const isActive = ({ isActive: active }: RoleMember) => active;

async function roleOf(name: string, { kind }: Caller, contract: ContractName, address: string, book: RoleBook) {
  if (kind === "admin" || kind === "authority") return book.role(roleIds.admin);
  if (kind !== "role") return undefined;
  return book.role(await book.manager.getTargetFunctionRole(address, selectorOf(contract, name), book.at));
}

/** The roles of an access manager at a block. */
class RoleBook {
  readonly manager: AccessManager;
  readonly at: { readonly blockTag: number };
  readonly #labels: ReadonlyMap<bigint, string>;
  readonly #granted: ReadonlyMap<bigint, ReadonlySet<string>>;
  readonly #roles = new Map<bigint, Role>();

  private constructor(
    manager: AccessManager,
    blockNumber: number,
    labels: ReadonlyMap<bigint, string>,
    granted: ReadonlyMap<bigint, ReadonlySet<string>>,
  ) {
    this.manager = manager;
    this.at = { blockTag: blockNumber };
    this.#labels = labels;
    this.#granted = granted;
  }

  static async read(manager: AccessManager, fromBlock: number, toBlock: number): Promise<RoleBook> {
    const labels = new Map<bigint, string>();
    for (const { args } of await manager.queryFilter(manager.filters.RoleLabel(), fromBlock, toBlock)) {
      labels.set(args.roleId, args.label);
    }
    // Whom a role was ever given to; who still has it, the manager is asked.
    const granted = new Map<bigint, Set<string>>([[roleIds.admin, new Set()]]);
    for (const { args } of await manager.queryFilter(manager.filters.RoleGranted(), fromBlock, toBlock)) {
      granted.set(args.roleId, (granted.get(args.roleId) ?? new Set()).add(args.account));
    }
    return new RoleBook(manager, toBlock, labels, granted);
  }

  async role(id: bigint): Promise<Role> {
    const known = this.#roles.get(id);
    if (known !== undefined) return known;
    const { manager, at } = this;
    const members: RoleMember[] = [];
    for (const address of this.#granted.get(id) ?? []) {
      const [isActive, delay] = await manager.hasRole(id, address, at);
      const { since } = await manager.getAccess(id, address, at);
      if (since !== 0n) members.push({ address, delaySeconds: Number(delay), since: Number(since), isActive });
    }
    const role: Role = {
      id,
      name: this.#nameOf(id),
      members,
      admin: this.#nameOf(await manager.getRoleAdmin(id, at)),
      guardian: this.#nameOf(await manager.getRoleGuardian(id, at)),
      grantDelaySeconds: Number(await manager.getRoleGrantDelay(id, at)),
    };
    this.#roles.set(id, role);
    return role;
  }

  /** Every role that somebody was ever given, or that a function asked for. */
  async all(): Promise<Role[]> {
    for (const id of this.#granted.keys()) await this.role(id);
    return [...this.#roles.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  #nameOf(id: bigint): string {
    if (id === roleIds.admin) return "ADMIN";
    return id === publicRole ? "PUBLIC" : (this.#labels.get(id) ?? `role ${id}`);
  }
}
