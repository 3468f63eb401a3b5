import { type Branches, branchNames } from "./branches.js";
import type { Mismatch, Outcome } from "./run.js";
import { rareBranches } from "./rare.js";
import type { Situation } from "./situation.js";

/** A branch needs this share of cases. */
const enough = 0.01;
/** Below, too few cases say nothing of shares. */
const fewestForShares = 5000;

/** What is left of an outcome when a process hands it to another. */
export interface Summary extends Omit<Outcome, "mismatches" | "branches"> {
  /** As a person reads them. */
  readonly mismatches: readonly string[];
  readonly branches: Readonly<Record<string, number>>;
}

export function summaryOf({ mismatches, branches, ...figures }: Outcome): Summary {
  const counts = Object.fromEntries(branchNames.map((name) => [name, branches.get(name) ?? 0]));
  return { ...figures, mismatches: mismatches.map(describe), branches: counts };
}

/** Several processes' share of one run. */
export function sum(parts: readonly Summary[]): Summary {
  const total = (of: (part: Summary) => number) => parts.reduce((all, part) => all + of(part), 0);
  return {
    cases: total(({ cases }) => cases),
    compared: total(({ compared }) => compared),
    transactions: total(({ transactions }) => transactions),
    mismatches: parts.flatMap(({ mismatches }) => mismatches),
    branches: Object.fromEntries(branchNames.map((name) => [name, total(({ branches }) => branches[name] ?? 0)])),
    seconds: Math.max(...parts.map(({ seconds }) => seconds)),
  };
}

/** Branches that have too few cases, and no reason for it. Empty while there are too few cases at all. */
export function missingBranches({ cases, branches }: Pick<Summary, "cases" | "branches">): string[] {
  if (cases < fewestForShares) return [];
  return branchNames.filter((name) => (branches[name] ?? 0) < enough * cases && !Object.hasOwn(rareBranches, name));
}

/** The branches, most travelled first, then what counts. */
export function table(summary: Summary): string {
  const { cases, compared, transactions, mismatches, seconds } = summary;
  const lines = branchNames
    .map((name) => ({ name, count: summary.branches[name] ?? 0 }))
    .toSorted((a, b) => b.count - a.count)
    .map(({ name, count }) => {
      const share = `${((100 * count) / cases).toFixed(2)}%`.padStart(7);
      const reason = count < enough * cases ? (rareBranches[name] ?? "") : "";
      return `${share} ${String(count).padStart(8)}  ${name}${reason === "" ? "" : ` (${reason})`}`;
    });
  const missing = missingBranches(summary);
  return [
    ...lines,
    "",
    ...(missing.length === 0 ? [] : [`below 1% of cases, without a reason in parity/rare.ts: ${missing.join(", ")}`]),
    `${cases} cases, ${transactions} of them as transactions too, ${compared} figures and words compared, ` +
      `${mismatches.length} mismatches, ${(cases / seconds).toFixed(0)} cases/s`,
  ].join("\n");
}

/** A case and where its two sides differ, with everything that it takes to see it again. */
export function describe({ situation, differences }: Mismatch): string {
  return [
    `case ${situation.seed} (${situation.plot}): chain and mirror differ. Again: npm run parity -- --case ${situation.seed}`,
    ...differences.flatMap(({ what, chain, mirror }) => [`  ${what}`, `    chain   ${chain}`, `    mirror  ${mirror}`]),
    describeSituation(situation),
  ].join("\n");
}

/** What the case begins with, is asked, and does. */
export function describeSituation({ house, words, answers, questions, acts }: Situation): string {
  const call = ({ name, args }: { name: string; args: readonly unknown[] }) => `${name}(${args.map(show).join(", ")})`;
  return [
    `  vault ${house.vault}, pool ${house.pool}, settlement token ${house.settlementToken.address} (${house.settlementToken.decimals} decimals)`,
    ...house.places.flatMap(({ name }, i) => (words[i] === 0n ? [] : [`  ${name} = ${hex(words[i] ?? 0n)}`])),
    ...[...answers.words].map(([asset, price]) => `  price of asset ${asset} = ${hex(price)}`),
    ...questions.map((question) => `  asks ${call(question)}`),
    ...acts.map((act) => `  ${act.caller} calls ${call(act)}${act.calls.map((one) => `\n    ${call(one)}`).join("")}`),
  ].join("\n");
}

function show(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  return `{ ${Object.entries(value)
    .map(([name, member]) => `${name}: ${show(member)}`)
    .join(", ")} }`;
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

export type { Branches };
