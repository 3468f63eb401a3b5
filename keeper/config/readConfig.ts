import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";

import type { z } from "zod";

import { KeeperConfigError } from "./KeeperConfigError.js";
import { configKeys } from "./keys.js";
import { ConfigFile, type KeeperConfig, type PolicyConfig } from "./schema.js";
import { type Env, withoutLiteralSecrets, withVariables } from "./secrets.js";

/** Where there is no config file: the local chain. */
const defaultFile = "{}";

/**
 * Reads a config file; without a path all keys have their defaults, which are the local chain's. Paths in the file are relative to its folder.
 * Throws KeeperConfigError for the first key that is refused.
 */
export function readConfig(file: string | undefined, env: Env): KeeperConfig {
  if (file === undefined) return parseConfig(defaultFile, process.cwd(), env);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new KeeperConfigError(
      "--config",
      `names ${file}, which cannot be read: copy keeper.example.json there`,
      cause,
    );
  }
  return parseConfig(text, dirname(resolve(file)), env);
}

/** @param folder what paths in the file are relative to */
export function parseConfig(text: string, folder: string, env: Env): KeeperConfig {
  const parsed = ConfigFile.safeParse(withVariables(withoutLiteralSecrets(toJson(text)), env));
  if (!parsed.success) throw refusalOf(parsed.error.issues);
  const { rpc, deployment, state, policy, taker, marginCalls, ...plain } = parsed.data;
  const { warnAt: warnAtWad, clearAt: clearAtWad, webhook } = marginCalls;
  if (clearAtWad < warnAtWad) throw refused(["marginCalls", "clearAt"]);
  const [first, ...others] = rpc.map(({ url, ws }) => ({ url, ...(ws === undefined ? {} : { ws }) }));
  if (first === undefined) throw refused(["rpc"]);
  return {
    ...plain,
    rpc: [first, ...others],
    deploymentFile: resolve(folder, deployment),
    ...(state === undefined ? {} : { stateFile: resolve(folder, state) }),
    policy: policyOf(policy),
    ...(taker === undefined ? {} : { taker }),
    marginCalls: { warnAtWad, clearAtWad, ...(webhook === undefined ? {} : { webhook }) },
  };
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not as a cause: what the parser throws shows a part of the file.
    throw new KeeperConfigError(
      "the config file",
      "must be JSON, without comments and with no comma before a bracket that closes",
    );
  }
}

function policyOf(policy: z.output<typeof ConfigFile>["policy"]): PolicyConfig {
  const { minimumProfit: minimumProfitWad, unknownProfit, gasToken, gasTokenPrice, maxGasPriceGwei } = policy;
  const plain = { minimumProfitWad, unknownProfit, maxGasPriceWei: maxGasPriceGwei };
  if (gasToken !== undefined && gasTokenPrice !== undefined) {
    throw new KeeperConfigError(
      "policy.gasTokenPrice",
      "must be left out where policy.gasToken is given: keep one of them",
    );
  }
  if (gasToken !== undefined) return { ...plain, gasToken: { symbol: gasToken } };
  return gasTokenPrice === undefined ? plain : { ...plain, gasToken: { priceWad: gasTokenPrice } };
}

function refusalOf(issues: readonly z.core.$ZodIssue[]): KeeperConfigError {
  const [issue] = issues;
  if (issue === undefined) throw new TypeError("a refusal without an issue");
  if (issue.code !== "unrecognized_keys") return refused(issue.path);
  const parent = pathOf(issue.path);
  const key = pathOf([...issue.path, issue.keys[0] ?? ""]);
  return new KeeperConfigError(key, `is no key of the config: here it has ${keysUnder(generalOf(parent)).join(", ")}`);
}

function refused(path: readonly PropertyKey[]): KeeperConfigError {
  const key = pathOf(path);
  return new KeeperConfigError(key === "" ? "the config file" : key, configKeys[generalOf(key)] ?? "must be an object");
}

/** As it is written: rpc[0].url */
function pathOf(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("")
    .replace(/^\./, "");
}

/** As it stands in `configKeys`: rpc[].url */
function generalOf(key: string): string {
  return key.replaceAll(/\[\d+\]/g, "[]");
}

function keysUnder(parent: string): string[] {
  const prefix = parent === "" ? "" : `${parent}.`;
  return Object.keys(configKeys).flatMap((key) => {
    const rest = key.slice(prefix.length);
    return key.startsWith(prefix) && /^\w+$/.test(rest) ? [rest] : [];
  });
}
