import {
  type AccountId,
  decodeAccountRisk,
  decodeCollateral,
  decodeMarketRisk,
  permission,
} from "../../../sdk/index.js";
import { type Caller, callers } from "../../../sdk/callers.js";
import { place } from "../../helpers/vaultStorage.js";
import type { Act } from "./act.js";
import { rampedCollateral, rampedMarket } from "./acts/administration.js";
import type { Arena } from "./arena.js";
import type { Books } from "./books.js";
import { entryOf } from "./entries.js";
import { holderOf } from "./figures.js";
import type { Judge, Step } from "./judge.js";

const wordOf = ({ words }: Books, { name }: { readonly name: string }) => words.get(name) ?? 0n;

/** Who may make a call of the vault, as sdk/callers.ts has it; undefined for other contracts' functions. */
function callerOf(act: Act, { deployment }: Arena): Caller | undefined {
  const entry = entryOf(act.to, act.data, deployment);
  if (entry === undefined) return undefined;
  const [contract, name] = entry.split(".") as ["MarginVault" | "LiquidityPool", string];
  return (callers[contract] as Readonly<Record<string, Caller>>)[name];
}

/** INV-18: roles and owners do what only they may. */
export function checkCallers(judge: Judge, { act }: Step, arena: Arena): void {
  const line = callerOf(act, arena);
  if (line?.kind === "role") judge.holds(act.from === arena.admin.address, () => `${act.what}, without the role`);
  if (line?.kind !== "owner") return;
  judge.holds(act.from === holderOf(act.account!), () => `${act.what}, and is not the owner`);
}

/** INV-52: whoever is not the owner has the permission. */
export function checkPermissions(judge: Judge, { act, before }: Step, arena: Arena): void {
  const line = callerOf(act, arena);
  const needed = act.row === "multicall of trades" ? "trade" : line?.kind === "operator" ? line.permission : undefined;
  const isTaking = act.kind === "liquidatePosition" || act.kind === "liquidateCollateral";
  const account = isTaking ? act.other : act.account;
  if (needed === undefined || account === undefined || holderOf(account) === act.from) return;
  const bits = wordOf(before, place.permissionsOf(account, act.from));
  judge.holds((bits & permission[needed]) !== 0n, () => `${act.what} with permissions ${bits}`);
}

/** INV-53: a nonce is used up by a grant of its owner's, or by himself. */
export function checkNonces(judge: Judge, { act, before, after }: Step, { accounts }: Arena): void {
  for (const address of new Set(accounts.map(({ owner }) => owner.address))) {
    const used = wordOf(after, place.nonce(address)) - wordOf(before, place.nonce(address));
    const isGrant = act.row === "setOperatorBySig" && holderOf(act.account!) === address;
    const isRevoked = act.row === "revokeSignatures" && act.from === address;
    judge.within(used, isRevoked ? 1n : 0n, isGrant || isRevoked ? 1n : 0n, `${act.what}: nonces of ${address} used`);
  }
}

/** INV-44: shares of the pool that are locked neither move nor are redeemed. */
export function checkLock(judge: Judge, { act, lockedUntil, after }: Step): void {
  if (lockedUntil === undefined) return;
  judge.holds(after.nowSeconds >= lockedUntil, () => `${act.what}, locked until ${lockedUntil}`);
}

/** What a unit of a word with ratios is, at most. */
const unitWad = 10n ** 14n;

/** INV-17: setting makes nobody's margin worse, and a step is a 72nd of the change. */
export function checkParameters(judge: Judge, { act, before, after }: Step): void {
  if (act.kind === "parameters") {
    for (const [id, { name, health }] of after.accounts) {
      const { health: old } = before.accounts.get(id as AccountId)!;
      const asked = [old.requirementMaintenance, health.requirementMaintenance] as const;
      judge.holds(asked[1] <= asked[0], () => `${act.what}: ${asked[1]} is required of ${name} after ${asked[0]}`);
      const has = [old.equityMaintenance, health.equityMaintenance] as const;
      judge.holds(has[1] >= has[0], () => `${act.what}: ${name} has ${has[1]} after ${has[0]}`);
    }
  }
  if (act.kind !== "ramp") return;
  const [was, is, from, to] = rampedValues(act, before, after);
  const most = (to > from ? to - from : from - to) / 72n + unitWad;
  const step = to > from ? is - was : was - is;
  judge.within(step, 0n, most, `${act.what} from ${from} to ${to}: at ${was}, it goes by`);
}

/** What a ramp moves: before and after a step, and the ends of its way. */
function rampedValues(act: Act, before: Books, after: Books): readonly [bigint, bigint, bigint, bigint] {
  const read = (
    value: (word: bigint) => bigint,
    at: { readonly name: string },
    ramp: (end: "from" | "to") => { readonly name: string },
  ) =>
    [
      value(wordOf(before, at)),
      value(wordOf(after, at)),
      value(wordOf(before, ramp("from"))),
      value(wordOf(before, ramp("to"))),
    ] as const;
  if (act.row === "rampMarket")
    return read(
      (word) => decodeMarketRisk(word).lambdaMaintenanceWad,
      place.market(rampedMarket, "risk"),
      (end) => place.marketRamp(rampedMarket, end),
    );
  if (act.row === "rampCollateral")
    return read(
      (word) => decodeCollateral(word).weightMaintenanceWad,
      place.collateral(rampedCollateral),
      (end) => place.collateralRamp(rampedCollateral, end),
    );
  return read(
    (word) => decodeAccountRisk(word).absorbHealthWad,
    place.accountRisk,
    (end) => place.accountRamp(end),
  );
}

/** INV-46: no price stored goes back behind the one before. */
export function checkPublished(judge: Judge, { act, published }: Step): void {
  if (published === undefined) return;
  for (const [i, at] of published.after.entries()) {
    const was = published.before[i]!;
    judge.holds(at >= was, () => `${act.what}: price ${i} of ${at} is stored after ${was}`);
  }
}
