import type { Interface } from "ethers";

import { contractInterfaces } from "./contracts.js";
import { BallastError } from "./errors.js";
import type { permission } from "./grants.js";

/** The roles of a deployment, by their ids in its access manager. */
export const roleIds = { admin: 0n, pusher: 1n, guardian: 2n, risk: 3n } as const;

export type RoleName = keyof typeof roleIds;

export type Permission = keyof typeof permission;

/** Who may call a function. What the access manager decides it is asked on chain; the rest stands in the contracts' code. */
export type Caller =
  /** `condition`: what they may do it for, or what else must be there. */
  | { readonly kind: "anyone"; readonly condition?: string }
  /** The account's owner, and nobody for it. */
  | { readonly kind: "owner" }
  /** The account's owner, and operators with the permission. `unless`: when anyone may. */
  | { readonly kind: "operator"; readonly permission: Permission; readonly unless?: string }
  /** Whoever holds the pool's shares, and spenders. */
  | { readonly kind: "holder" }
  /** Whom the shares' holder has given an allowance. */
  | { readonly kind: "spender" }
  /** Members of the role that the access manager names for the function; the role is what a deployment gives it. */
  | { readonly kind: "role"; readonly role: Exclude<RoleName, "admin"> }
  /** The access manager's admins. `delayed`: not before the target's own delay for that either. */
  | { readonly kind: "admin"; readonly delayed: boolean }
  /** Members of the admin role of the role that is given or taken. */
  | { readonly kind: "roleAdmin" }
  /** Whoever may call the function of the target that it is about. */
  | { readonly kind: "ofTarget"; readonly condition?: string }
  /** The access manager's own contracts, for a call that they are in. */
  | { readonly kind: "target" }
  /** The contract's access manager alone, when its admin calls updateAuthority. */
  | { readonly kind: "authority" }
  | { readonly kind: "nobody"; readonly condition?: string };

const anyone = (condition?: string): Caller => ({ kind: "anyone", ...(condition === undefined ? {} : { condition }) });
const owner: Caller = { kind: "owner" };
const operator = (needed: Permission, unless?: string): Caller => ({
  kind: "operator",
  permission: needed,
  ...(unless === undefined ? {} : { unless }),
});
const holder: Caller = { kind: "holder" };
const spender: Caller = { kind: "spender" };
const role = (name: Exclude<RoleName, "admin">): Caller => ({ kind: "role", role: name });
const admin: Caller = { kind: "admin", delayed: false };
const adminOfTarget: Caller = { kind: "admin", delayed: true };
const authority: Caller = { kind: "authority" };
const asItsCalls = anyone("each call within as by itself");

/**
 * Who may call what: a line for each function that is no view, by contract. A deployment gives the functions of a role to it
 * (ignition/modules/Ballast.ts), the access table is made from it, and a test calls each as everybody.
 */
export const callers = {
  MarginVault: {
    multicall: asItsCalls,
    deposit: anyone("for another: cash or what the account holds already"),
    depositWithPermit: anyone("for another: cash or what the account holds already"),
    withdraw: operator("withdraw"),
    transfer: operator("transfer"),
    trade: operator("trade"),
    setMode: operator("setMode"),
    setOperator: owner,
    setOperatorBySig: anyone("with the owner's signature"),
    revokeSignatures: anyone("its own"),
    settle: anyone(),
    liquidatePosition: operator("take", "the pool takes"),
    liquidateCollateral: operator("take"),
    buyCollateral: operator("take"),
    absorb: anyone(),
    cover: anyone(),
    resolvePool: anyone(),
    delist: anyone(),
    refreshCapital: anyone(),
    sweepFees: anyone(),
    sweepInterest: anyone(),
    updatePrices: anyone("for Pyth's fee"),
    rampMarket: anyone(),
    rampCollateral: anyone(),
    rampAccounts: anyone(),
    haltMarket: role("guardian"),
    haltBorrowing: role("guardian"),
    resumeMarket: role("risk"),
    resumeBorrowing: role("risk"),
    listMarket: role("risk"),
    listCollateral: role("risk"),
    announceDelisting: role("risk"),
    setMarketParameters: role("risk"),
    setCollateralParameters: role("risk"),
    setAccountParameters: role("risk"),
    setCashParameters: role("risk"),
    setAuthority: authority,
  },
  PriceOracle: {
    push: role("pusher"),
    refresh: anyone(),
    updatePyth: anyone("for Pyth's fee"),
    setPushFeed: role("risk"),
    setChainlinkFeed: role("risk"),
    setPythFeed: role("risk"),
    setSecondChainlinkFeed: role("risk"),
    setSecondPythFeed: role("risk"),
    clearSecondFeed: role("risk"),
    setPyth: role("risk"),
    setSequencer: role("risk"),
    setAuthority: authority,
  },
  LiquidityPool: {
    deposit: anyone("for itself"),
    mint: anyone("for itself"),
    redeem: holder,
    withdraw: holder,
    transfer: anyone("its own shares"),
    transferFrom: spender,
    approve: anyone("its own shares"),
  },
  VaultLens: {},
  AccessManager: {
    multicall: asItsCalls,
    labelRole: admin,
    grantRole: { kind: "roleAdmin" },
    revokeRole: { kind: "roleAdmin" },
    renounceRole: anyone("its own"),
    setRoleAdmin: admin,
    setRoleGuardian: admin,
    setGrantDelay: admin,
    setTargetAdminDelay: admin,
    setTargetFunctionRole: adminOfTarget,
    setTargetClosed: adminOfTarget,
    updateAuthority: adminOfTarget,
    schedule: { kind: "ofTarget" },
    execute: { kind: "ofTarget" },
    cancel: { kind: "ofTarget", condition: "who scheduled it, the role's guardian, and admins" },
    consumeScheduledOp: { kind: "target" },
  },
} satisfies Readonly<Record<string, Readonly<Record<string, Caller>>>>;

export type ContractName = keyof typeof callers | "VaultExtension";

/** The lines of `callers` are not those of a contract's functions. */
export class CallersIncompleteError extends BallastError {
  override readonly name = "CallersIncompleteError";
  /** Functions that have no line. */
  readonly missing: readonly string[];
  /** Lines that have no function. */
  readonly surplus: readonly string[];

  constructor(contract: string, missing: readonly string[], surplus: readonly string[]) {
    const told = [
      ...missing.map((name) => `nothing says who may call ${contract}.${name}: add its line to sdk/callers.ts`),
      ...surplus.map((name) => `${contract} has no function ${name}: take its line out of sdk/callers.ts`),
    ];
    super(told.join("; "));
    this.missing = missing;
    this.surplus = surplus;
  }
}

/** The contract's functions by name (by signature where a name is used twice): those that may write, and views. */
export function functionsOf(contract: Interface): { readonly writing: string[]; readonly reading: string[] } {
  const names: { writing: string[]; reading: string[] } = { writing: [], reading: [] };
  const counts = new Map<string, number>();
  contract.forEachFunction(({ name }) => counts.set(name, (counts.get(name) ?? 0) + 1));
  contract.forEachFunction((fragment) => {
    const name = counts.get(fragment.name) === 1 ? fragment.name : fragment.format("sighash");
    names[fragment.constant ? "reading" : "writing"].push(name);
  });
  return { writing: names.writing.toSorted(), reading: names.reading.toSorted() };
}

const hollow: Caller = {
  kind: "nobody",
  condition: "the vault runs it; called directly it changes nothing of the vault",
};

/**
 * The callers of each writing function of a contract, all of them and no others. Throws CallersIncompleteError. The extension's are its
 * vault's: a function that the vault does not hand on there would be one that nothing says anything of.
 */
export function callersOf(
  contract: ContractName,
  { writing }: Pick<ReturnType<typeof functionsOf>, "writing"> = functionsOf(contractInterfaces[contract]),
): ReadonlyMap<string, Caller> {
  const lines: Readonly<Record<string, Caller>> = callers[contract === "VaultExtension" ? "MarginVault" : contract];
  const missing = writing.filter((name) => !Object.hasOwn(lines, name));
  const surplus = contract === "VaultExtension" ? [] : Object.keys(lines).filter((name) => !writing.includes(name));
  if (missing.length + surplus.length > 0) throw new CallersIncompleteError(contract, missing, surplus);
  const entries = Object.entries(lines).filter(([name]) => writing.includes(name));
  return new Map(contract === "VaultExtension" ? entries.map(([name]) => [name, hollow]) : entries);
}

/**
 * The selectors of a contract's functions that a deployment gives to a role. What has no line is in none of them, and so its admins'.
 */
export function selectorsOf(contract: keyof typeof callers, given: RoleName): string[] {
  const coder = contractInterfaces[contract];
  return Object.entries<Caller>(callers[contract]).flatMap(([name, caller]) =>
    caller.kind === "role" && caller.role === given && coder.hasFunction(name) ? [selectorOf(contract, name)] : [],
  );
}

export function selectorOf(contract: ContractName, name: string): string {
  const coder = contractInterfaces[contract];
  const fragment = coder.getFunction(name);
  if (fragment === null) throw new CallersIncompleteError(contract, [], [name]);
  return fragment.selector;
}
