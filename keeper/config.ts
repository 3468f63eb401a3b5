import { HDNodeWallet, Wallet } from "ethers";
import { z } from "zod";

import { BallastError } from "../sdk/index.js";
import type { TakerPolicy } from "./decide/inventory.js";

/** Rounds of reading, deciding and acting in one turn at most. */
export const maxRounds = 64;
/** Largest gas limit of a transaction: chains cap it at 2^24. */
export const gasCap = 2n ** 24n - 1n;
/** How long to wait for a transaction to be mined. */
export const receiptTimeoutMs = 120_000;
/** How long to wait for an answer of the node. */
export const requestTimeoutMs = 30_000;

/** A variable of the environment that the keeper cannot use. */
export class KeeperConfigError extends BallastError {
  override readonly name = "KeeperConfigError";
  readonly key: string;

  constructor(key: string, fix: string) {
    super(`${key} ${fix}`);
    this.key = key;
  }
}

export const logLevels = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;

const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .pipe(z.int().min(least).max(most));

const Environment = z.strictObject({
  BALLAST_RPC_URL: z.url({ protocol: /^https?$/ }).default("http://127.0.0.1:8545"),
  BALLAST_DEPLOYMENT: z.string().default("deployments/localhost/addresses.json"),
  BALLAST_LOG_LEVEL: z.enum(logLevels).default("info"),
  BALLAST_LENS_CHUNK: wholeNumber(1, 10_000).default(200),
  BALLAST_POLL_MS: wholeNumber(10, 600_000).default(500),
  BALLAST_TAKER_INDEX: wholeNumber(0, 999_999_999).optional(),
  BALLAST_TAKER_INVENTORY_PERCENT: wholeNumber(1, 1_000).default(100),
  BALLAST_TAKER_GIVE_BACK_PERCENT: wholeNumber(1, 1_000).default(100),
});

// What to write instead of a value that is refused.
const fixes: Record<keyof z.infer<typeof Environment>, string> = {
  BALLAST_RPC_URL: 'must be an http or https address of a node, such as "http://127.0.0.1:8545"',
  BALLAST_DEPLOYMENT: "must be the path of an addresses.json that the deploy script wrote",
  BALLAST_LOG_LEVEL: `must be one of ${logLevels.join(", ")}`,
  BALLAST_LENS_CHUNK: "must be a whole number from 1 to 10000: accounts that one call reads",
  BALLAST_POLL_MS: "must be a whole number from 10 to 600000: milliseconds between two looks for a new block",
  BALLAST_TAKER_INDEX:
    "must be a whole number from 0 to 999999999: the account of the keeper's key that holds its capital",
  BALLAST_TAKER_INVENTORY_PERCENT:
    "must be a whole number from 1 to 1000: notional that the taker may hold, in percent of its equity",
  BALLAST_TAKER_GIVE_BACK_PERCENT:
    "must be a whole number from 1 to 1000: notional that the taker gives back to the pool in a turn, in percent of its equity",
};

/** The keeper's capital: which account of its key holds it, and what may be done with it. Every position of that account is given back. */
export interface TakerOptions extends TakerPolicy {
  readonly index: number;
}

export interface KeeperConfig {
  readonly rpcUrl: string;
  /** Path of the deployment file; relative ones from the working directory. */
  readonly deploymentFile: string;
  readonly logLevel: (typeof logLevels)[number];
  readonly lensChunk: number;
  readonly pollMs: number;
  /** Absent: the keeper has no capital, and everything goes into the pool. */
  readonly taker?: TakerOptions;
}

export type Env = Readonly<Record<string, string | undefined>>;

/** Parses the environment; empty variables count as absent. Throws KeeperConfigError for the first that is refused. */
export function readConfig(env: Env): KeeperConfig {
  const given = Object.keys(Environment.shape).flatMap((key) => (env[key] ? [[key, env[key]] as const] : []));
  const parsed = Environment.safeParse(Object.fromEntries(given));
  if (!parsed.success) {
    const key = String(parsed.error.issues[0]?.path[0]) as keyof typeof fixes;
    throw new KeeperConfigError(key, fixes[key]);
  }
  const values = parsed.data;
  const index = values.BALLAST_TAKER_INDEX;
  return {
    rpcUrl: values.BALLAST_RPC_URL,
    deploymentFile: values.BALLAST_DEPLOYMENT,
    logLevel: values.BALLAST_LOG_LEVEL,
    lensChunk: values.BALLAST_LENS_CHUNK,
    pollMs: values.BALLAST_POLL_MS,
    ...(index === undefined
      ? {}
      : {
          taker: {
            index,
            inventoryPercent: values.BALLAST_TAKER_INVENTORY_PERCENT,
            giveBackPercent: values.BALLAST_TAKER_GIVE_BACK_PERCENT,
          },
        }),
  };
}

const localChainId = 31337;
const testMnemonic = "test test test test test test test test test test test junk";
const localKeyIndex = 9;

/**
 * The keeper's private key: BALLAST_KEEPER_KEY, and on the local chain without one a public key of Hardhat's. Read only when it is
 * needed and kept out of the config, so that no log of the config shows it. Throws KeeperConfigError, which does not show it either.
 */
export function readKeeperKey(env: Env, chainId: number): string {
  const key = env["BALLAST_KEEPER_KEY"];
  if (!key) {
    if (chainId !== localChainId) {
      throw new KeeperConfigError("BALLAST_KEEPER_KEY", `is missing: chain ${chainId} needs the keeper's private key`);
    }
    return HDNodeWallet.fromPhrase(testMnemonic, undefined, `m/44'/60'/0'/0/${localKeyIndex}`).privateKey;
  }
  try {
    return new Wallet(key).privateKey;
  } catch {
    throw new KeeperConfigError("BALLAST_KEEPER_KEY", "must be a private key: 0x and 64 hex digits");
  }
}
