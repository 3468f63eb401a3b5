import type { Access, ContractAccess, FunctionAccess, Role } from "./readAccess.js";

/** The access of a deployment as a table for people, contract by contract; roles at the end. */
export function accessLines({ contracts, roles, chainId, blockNumber }: Access): string[] {
  return [
    `Who may call what, on chain ${chainId} at block ${blockNumber}`,
    ...contracts.flatMap((contract) => ["", ...contractLines(contract)]),
    "",
    ...roleLines(roles),
  ];
}

function contractLines({ contract, address, isClosed, adminDelaySeconds, functions }: ContractAccess): string[] {
  const views = functions.filter(({ caller }) => caller.kind === "view");
  const writing = functions.filter(({ caller }) => caller.kind !== "view");
  const sameForAll = writing.length > 1 && writing.every(({ caller }) => caller === writing[0]?.caller);
  const rows = (sameForAll ? writing.slice(0, 1) : writing).map((one) => [
    sameForAll ? `all ${writing.length}` : one.name,
    who(one, isClosed),
    ...memberCells(one.members),
  ]);
  if (views.length > 0) rows.push([`${views.length} views`, "anyone", "", ""]);
  return [
    `${contract} ${address}${isClosed ? ", closed by its access manager" : ""}`,
    ...(adminDelaySeconds > 0 ? [`  changes to its roles and manager wait for ${duration(adminDelaySeconds)}`] : []),
    ...table(["function", "who", "delay", "members"], rows),
  ];
}

function who({ caller, role }: FunctionAccess, isClosed: boolean): string {
  switch (caller.kind) {
    case "view":
      return "anyone";
    case "anyone":
      return caller.condition === undefined ? "anyone" : `anyone (${caller.condition})`;
    case "owner":
      return "the account's owner";
    case "operator": {
      const permitted = `owner, operator with ${caller.permission}`;
      return caller.unless === undefined ? permitted : `${permitted}; anyone if ${caller.unless}`;
    }
    case "holder":
      return "the shares' holder, or with its allowance";
    case "spender":
      return "with an allowance of the shares' holder";
    case "role":
      if (isClosed) return "nobody (closed)";
      return role === "PUBLIC" ? "anyone (role PUBLIC)" : `role ${role}`;
    case "admin":
      return caller.delayed ? `role ${role}, after the target's delay` : `role ${role}`;
    case "roleAdmin":
      return "the role's admin";
    case "ofTarget":
      return caller.condition ?? "whoever may call the target";
    case "target":
      return "a contract of this manager, called so";
    case "authority":
      return `the access manager, when ${role} calls updateAuthority`;
    case "nobody":
      return caller.condition === undefined ? "nobody" : `nobody (${caller.condition})`;
  }
}

function roleLines(roles: readonly Role[]): string[] {
  const rows = roles.map(({ id, name, admin, guardian, grantDelaySeconds, members }) => [
    `${name} (${id})`,
    admin,
    guardian,
    duration(grantDelaySeconds),
    ...memberCells(members),
  ]);
  return ["Roles", ...table(["role", "given by", "cancelled by", "takes effect", "delay", "members"], rows)];
}

/** Delay and members; a line a member. */
function memberCells(
  members: readonly { address: string; delaySeconds: number; isActive?: boolean; since?: number }[],
): [delays: string, members: string] {
  const addresses = members.map(({ address, isActive, since }) =>
    isActive === false ? `${address} from ${new Date((since ?? 0) * 1000).toISOString()}` : address,
  );
  return [members.map(({ delaySeconds }) => duration(delaySeconds)).join("\n"), addresses.join("\n")];
}

/** Cells one below the other; a cell of several lines makes the row as high. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const high = [head, ...rows].map((row) => row.map((cell) => cell.split("\n")));
  const widths = head.map((_, column) => Math.max(...high.flatMap((row) => (row[column] ?? []).map((l) => l.length))));
  return high.flatMap((row) => {
    const height = Math.max(...row.map((lines) => lines.length));
    return Array.from({ length: height }, (_, line) =>
      `  ${row.map((lines, column) => (lines[line] ?? "").padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd(),
    );
  });
}

const units = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
] as const;

function duration(seconds: number): string {
  if (seconds === 0) return "none";
  const parts: string[] = [];
  let left = seconds;
  for (const [unit, size] of units) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) parts.push(`${count} ${unit}${count === 1 ? "" : "s"}`);
  }
  return parts.join(" ");
}

/** The same as one line of JSON; role ids are decimal strings. */
export function accessJson(access: Access): string {
  return JSON.stringify(access, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
}
