import { z } from "zod";

import { WAD, parseDecimal } from "../../sdk/index.js";
import { lanePolicy } from "../execute/lane.js";
import { observerPolicy } from "../observe/observer.js";
import { poolPolicy } from "../rpc/pool.js";
import { logLevels } from "./keys.js";

const wholeNumber = (least: number, most: number) => z.int().min(least).max(most);
const path = z.string().min(1);
const httpAddress = z.url({ protocol: /^https?$/, hostname: /./ });

/** A decimal string with so many places, as a bigint. */
const decimal = (places: number) =>
  z
    .string()
    .max(60)
    .regex(new RegExp(`^-?\\d+(\\.\\d{1,${places}})?$`))
    .transform((text) => parseDecimal(text, places));
const wad = decimal(18);

/** The config file. What a key must be stands in words in `configKeys`. */
export const ConfigFile = z.strictObject({
  rpc: z
    .array(z.strictObject({ url: httpAddress, ws: z.url({ protocol: /^wss?$/, hostname: /./ }).optional() }))
    .min(1)
    .default([{ url: "http://127.0.0.1:8545" }]),
  deployment: path.default("deployments/localhost/addresses.json"),
  state: path.optional(),
  logLevel: z.enum(logLevels).default("info"),
  pollMs: wholeNumber(10, 600_000).default(500),
  nodes: z
    .strictObject({
      timeoutMs: wholeNumber(100, 600_000).default(poolPolicy.timeoutMs),
      freshBlocks: wholeNumber(0, 10_000).default(poolPolicy.freshBlocks),
      freshSeconds: wholeNumber(1, 86_400).default(poolPolicy.freshSeconds),
    })
    .prefault({}),
  policy: z
    .strictObject({
      minimumProfit: wad.default(0n),
      unknownProfit: z.enum(["skip", "act"]).default("skip"),
      gasToken: z.string().min(1).optional(),
      gasTokenPrice: wad.refine((price) => price > 0n).optional(),
      maxGasPriceGwei: decimal(9)
        .refine((price) => price > 0n)
        .default(lanePolicy.maxGasPriceWei),
    })
    .prefault({}),
  taker: z
    .strictObject({
      index: wholeNumber(0, Number.MAX_SAFE_INTEGER),
      inventoryPercent: wholeNumber(1, 1_000).default(100),
      giveBackPercent: wholeNumber(1, 1_000).default(100),
      collateralPercent: wholeNumber(0, 1_000).default(0),
    })
    .optional(),
  lane: z
    .strictObject({
      inFlight: wholeNumber(1, 64).default(lanePolicy.inFlight),
      replaceBlocks: wholeNumber(1, 1_000).default(lanePolicy.replaceBlocks),
      replaceMs: wholeNumber(100, 600_000).default(lanePolicy.replaceMs),
    })
    .prefault({}),
  marginCalls: z
    .strictObject({
      warnAt: wad.refine((health) => health > WAD).default((WAD * 115n) / 100n),
      clearAt: wad.default((WAD * 125n) / 100n),
      webhook: httpAddress.optional(),
    })
    .prefault({}),
  audit: z
    .strictObject({
      blocks: wholeNumber(1, 1_000_000).default(observerPolicy.auditBlocks),
      sample: wholeNumber(0, 1_000).default(observerPolicy.auditSample),
    })
    .prefault({}),
  health: z
    .strictObject({
      blockSeconds: wholeNumber(1, 86_400).default(120),
      auditBlocks: wholeNumber(1, 1_000_000).default(300),
    })
    .prefault({}),
  http: z
    .strictObject({ port: wholeNumber(0, 65_535).default(9464), host: z.string().min(1).default("127.0.0.1") })
    .prefault({}),
  snapshotBlocks: wholeNumber(1, 1_000_000).default(observerPolicy.snapshotBlocks),
});

type Parsed = z.output<typeof ConfigFile>;

/** What a node is reached at. Either address may hold a key: `withoutSecrets` is what may be printed. */
export interface NodeAddress {
  readonly url: string;
  /** Tells of new blocks early; polling goes on beside it. */
  readonly ws?: string;
}

/** When the keeper acts, as far as money goes. */
export interface PolicyConfig {
  /** What a call must bring, gas taken off, in quote units; below zero where the keeper's owner pays for it. */
  readonly minimumProfitWad: bigint;
  readonly unknownProfit: "skip" | "act";
  /** What gas is paid in: a symbol of the deployment, or a fixed price in quote units. Neither: what gas costs is not known. */
  readonly gasToken?: { readonly symbol: string } | { readonly priceWad: bigint };
  readonly maxGasPriceWei: bigint;
}

/** The keeper's capital: which account of its first signer holds it, and what may be done with it. Every position of that account is given back. */
export interface TakerConfig {
  readonly index: number;
  /** Notional of all its positions, in percent of its equity, that no taking goes beyond. */
  readonly inventoryPercent: number;
  /** Notional that goes back to the pool in a turn, in percent of equity. */
  readonly giveBackPercent: number;
  /** Value of collateral that it may buy of accounts under liquidation and hold, in percent of its equity. */
  readonly collateralPercent: number;
}

export interface MarginCallConfig {
  /** Health below which an account is warned, once. */
  readonly warnAtWad: bigint;
  /** Health from which it may be warned again. */
  readonly clearAtWad: bigint;
  readonly webhook?: string;
}

/** The config file, parsed. It holds no keys; addresses of nodes and of the webhook may. */
export interface KeeperConfig {
  readonly rpc: readonly [NodeAddress, ...NodeAddress[]];
  /** Absolute. */
  readonly deploymentFile: string;
  /** Absolute. Absent: nothing outlives the process, which only the local chain is run with. */
  readonly stateFile?: string;
  readonly logLevel: Parsed["logLevel"];
  readonly pollMs: number;
  readonly nodes: Readonly<Parsed["nodes"]>;
  readonly policy: PolicyConfig;
  /** Absent: the keeper has no capital, and everything goes into the pool. */
  readonly taker?: TakerConfig;
  readonly lane: Readonly<Parsed["lane"]>;
  readonly marginCalls: MarginCallConfig;
  readonly audit: Readonly<Parsed["audit"]>;
  readonly health: Readonly<Parsed["health"]>;
  readonly http: Readonly<Parsed["http"]>;
  readonly snapshotBlocks: number;
}
