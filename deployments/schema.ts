import { isAddress } from "ethers";
import { z } from "zod";

import { maximumMarkets } from "../sdk/index.js";
import { WAD, mulDivUp, parseDecimal } from "../sdk/units/index.js";

export const assetPattern = /^[A-Z0-9]{1,16}$/;

/** A plain decimal string, not negative, with at most `places` decimals. */
function decimal(places: number) {
  const pattern = places === 0 ? /^\d{1,30}$/ : new RegExp(`^\\d{1,30}(\\.\\d{1,${places}})?$`);
  // abort: the rules below read the numbers, so they must not run on what is none.
  return z.string().regex(pattern, { abort: true, error: `must be a plain decimal with at most ${places} decimals` });
}

const positive = (schema: z.ZodString) => schema.refine((text) => /[1-9]/.test(text), "must be above zero");

const ratio = decimal(6);
const share = ratio.refine((text) => wad(text) <= WAD, "must be at most 1");
const baseUnits = positive(decimal(9));
const money = decimal(6);
const seconds = positive(decimal(0));

const address = z.string().refine((text) => isAddress(text), "must be an address");

/** What the oracle keeps to: no price has a larger tolerance, and that of a Pyth price grows by itself every so many seconds of its age. */
const mostTolerance = WAD / 10n;
const pythPaceSeconds = 10n;

/** A source that is read whenever its price is needed. */
const live = {
  /** A price at or below minPrice, or at or above maxPrice, is refused: at or inside an aggregator's own bounds. */
  minPrice: decimal(18),
  maxPrice: positive(decimal(18)),
  /** The aggregator's heartbeat and some room for delay; of a Pyth price how long one counts that nobody has updated. */
  maxAgeSeconds: seconds,
};
const chainlink = { kind: z.literal("chainlink"), aggregator: address, ...live };
const pythPrice = {
  kind: z.literal("pyth"),
  priceId: z.string().regex(/^0x[0-9a-fA-F]{64}$/, "must be 32 bytes in hexadecimal"),
  ...live,
  /** A price whose confidence is a larger share of it is refused. */
  maxConfidence: positive(
    share.refine((text) => wad(text) <= wad("0.1"), { abort: true, error: "must be at most 0.1" }),
  ),
};

/** Where a price comes from, one schema a kind; ../ignition/feeds.ts opens each. */
const feed = z.discriminatedUnion("kind", [
  /** The deployment's pusher publishes it; the first one is the market's firstPrice. */
  z.strictObject({ kind: z.literal("push") }),
  z.strictObject(chainlink),
  /**
   * Prices that whoever needs them brings to the chain. Each market needs one brought within maxAgeSeconds before its feeds are set, and
   * one before it is listed: have something bring them while the deploy script runs.
   */
  z.strictObject({
    ...pythPrice,
    maxAgeSeconds: seconds.refine((text) => Number(text) <= 60, { abort: true, error: "must be at most 60" }),
  }),
]);

export type Feed = z.infer<typeof feed>;

/**
 * What a price is checked against. The share of the first price by which this one may differ from it is 0.001 to 0.1. As far as they differ
 * is what trading costs, as tolerance.
 */
const maxDeviation = share.refine(
  (text) => wad(text) >= wad("0.001") && wad(text) <= wad("0.1"),
  "must be 0.001 to 0.1",
);
const secondFeed = z.discriminatedUnion("kind", [
  z.strictObject({ ...chainlink, maxDeviation }),
  z.strictObject({ ...pythPrice, maxDeviation }),
]);

export type SecondFeed = z.infer<typeof secondFeed>;

const market = z
  .strictObject({
    symbol: z.string().regex(assetPattern),
    firstPrice: positive(decimal(18)),
    initialBase: positive(share),
    maintenanceBase: positive(share),
    /**
     * Largest error of an honest price, as a share of it; at least the deviation threshold of an aggregator. Of a Pyth price that is new,
     * 0.0005 or more: every ten seconds of its age bring as much again, and its confidence comes to it.
     */
    tolerance: share.refine((text) => wad(text) <= mostTolerance, { abort: true, error: "must be at most 0.1" }),
    /** Without one, prices are pushed. A collateral's price comes from where that of its market comes from. */
    feed: feed.optional(),
    /** Without one, the feed alone counts. */
    secondFeed: secondFeed.optional(),
    openInterestCap: baseUnits,
    skewScale: baseUnits,
    minimumSize: baseUnits,
    takerRate: share,
    makerRate: share,
    lambdaInitial: ratio,
    lambdaMaintenance: ratio,
    profitWeight: share,
    discountBase: share,
    discountSlope: ratio,
    discountCap: share,
    capitalShare: share,
    /** By how much the initial base rises as open interest comes to skewScale. */
    openInterestSlope: ratio,
    maxFundingVelocityPerDay2: ratio,
    maxFundingRatePerDay: ratio,
    maxFundingGapSeconds: seconds,
  })
  .check(
    rule("maintenanceBase", "must not exceed initialBase", (m) => wad(m.maintenanceBase) <= wad(m.initialBase)),
    rule("lambdaMaintenance", "must be at least 1", (m) => wad(m.lambdaMaintenance) >= WAD),
    rule(
      "lambdaInitial",
      "must be at least lambdaMaintenance",
      (m) => wad(m.lambdaInitial) >= wad(m.lambdaMaintenance),
    ),
    rule("takerRate", "must be at most 0.01", (m) => wad(m.takerRate) <= wad("0.01")),
    rule("makerRate", "must not exceed takerRate", (m) => wad(m.makerRate) <= wad(m.takerRate)),
    rule(
      "openInterestCap",
      "must not exceed maintenanceBase * skewScale, so that no fill is further than maintenanceBase from the price",
      (m) => wad(m.openInterestCap) * WAD <= wad(m.maintenanceBase) * wad(m.skewScale),
    ),
    rule("openInterestSlope", "must be at most 10", (m) => wad(m.openInterestSlope) <= wad("10")),
    rule("minimumSize", "must not exceed openInterestCap", (m) => wad(m.minimumSize) <= wad(m.openInterestCap)),
    rule(
      "tolerance",
      "must be at least 0.0005 of a price that is read from Pyth",
      (m) => m.feed?.kind !== "pyth" || wad(m.tolerance) >= wad("0.0005"),
    ),
    rule(
      "discountBase",
      "must be at least takerRate + the largest tolerance, or being liquidated is the cheap way out",
      (m) => wad(m.discountBase) >= wad(m.takerRate) + largestTolerance(m),
    ),
    rule("discountCap", "must be at least discountBase", (m) => wad(m.discountCap) >= wad(m.discountBase)),
    rule(
      "feed",
      "must have minPrice below firstPrice and maxPrice above it",
      ({ firstPrice, feed: f }) => f === undefined || f.kind === "push" || holdsWithin(f, firstPrice),
    ),
    rule(
      "secondFeed",
      "must have minPrice below firstPrice and maxPrice above it",
      ({ firstPrice, secondFeed: f }) => f === undefined || holdsWithin(f, firstPrice),
    ),
    rule("secondFeed", "must be another than feed", ({ feed: one, secondFeed: two }) => !isSame(one, two)),
  );

const tokenDecimals = decimal(0).refine((text) => Number(text) <= 18, "must be at most 18");
const token = {
  symbol: z.string().min(1),
  /** Where the token stands; without one, a mock is deployed on the local chain. */
  address: address.optional(),
  decimals: tokenDecimals,
};

const collateral = z
  .strictObject({
    ...token,
    /** The market symbol whose price values the token. */
    asset: z.string().regex(assetPattern),
    weightInitial: positive(share),
    weightMaintenance: positive(share),
    /** In tokens, over all accounts; without one, as much as the vault can count. */
    depositCap: positive(decimal(18)).optional(),
    /** Share of the deposit cap beyond which what the vault holds counts nothing for initial margin. */
    concentrationStart: positive(share.refine((text) => wad(text) % (WAD / 10_000n) === 0n, "must have 4 decimals")),
    discountBase: share,
    discountSlope: ratio,
    discountCap: share,
  })
  .check(
    rule("discountCap", "must be at least discountBase", (c) => wad(c.discountCap) >= wad(c.discountBase)),
    rule(
      "discountCap",
      "must make less than 1 with weightMaintenance, so that selling the collateral raises health",
      (c) => wad(c.weightMaintenance) + wad(c.discountCap) < WAD,
    ),
    rule("depositCap", "must be in the token's decimals, and at most 2^96 - 1 of its units", fitsDepositCap),
    rule("weightInitial", "must not exceed weightMaintenance", (c) => wad(c.weightInitial) <= wad(c.weightMaintenance)),
  );

/** What cash costs who owes it, and what losses may take in an hour. Rates a year. */
const cash = z
  .strictObject({
    kink: share,
    rateAtZero: ratio,
    rateAtKink: ratio,
    rateAtFull: ratio,
    /** Share of interest that is the insurance account's. */
    reserveFactor: share,
    /** Of the pool's value. */
    poolLossPerHour: share,
    /** Of all cash supplied. */
    writeOffPerHour: share,
  })
  .check(
    rule("rateAtZero", "must not exceed rateAtKink", (c) => wad(c.rateAtZero) <= wad(c.rateAtKink)),
    rule("rateAtKink", "must not exceed rateAtFull", (c) => wad(c.rateAtKink) <= wad(c.rateAtFull)),
    rule("rateAtFull", "must be at most 4 (400% a year)", (c) => wad(c.rateAtFull) <= wad("4")),
    rule("reserveFactor", "must be at most 0.5", (c) => wad(c.reserveFactor) <= wad("0.5")),
  );

const vault = z
  .strictObject({
    debtMargin: share,
    targetHealth: ratio,
    keeperFloor: money,
    absorbHealth: positive(share),
    absorbPenalty: share,
    forcedFeeShareKeeper: share,
    forcedFeeSharePool: share,
    forcedFeeShareInsurance: share,
    insuranceFeeShare: share,
    minimumDebt: money,
    absorbRewardFloor: money,
    absorbRewardPerHour: money,
    poolLockSeconds: seconds,
    capitalMaxAgeSeconds: seconds,
    maxPriceAgeSeconds: seconds,
    /** What the insurance account starts with. */
    insuranceSeed: money,
  })
  .check(
    rule("targetHealth", "must be at least 1.01", (v) => wad(v.targetHealth) >= wad("1.01")),
    rule("absorbHealth", "must be at least 0.1", (v) => wad(v.absorbHealth) >= wad("0.1")),
    rule("absorbHealth", "must be below 1", (v) => wad(v.absorbHealth) < WAD),
    rule(
      "forcedFeeShareKeeper",
      "must make 1 with forcedFeeSharePool and forcedFeeShareInsurance",
      (v) => wad(v.forcedFeeShareKeeper) + wad(v.forcedFeeSharePool) + wad(v.forcedFeeShareInsurance) === WAD,
    ),
  );

/** At most 30 days. */
const delay = decimal(0).refine((text) => Number(text) <= 2_592_000, "must be at most 2592000");

/**
 * Who holds which role in the end, and how long risk and admin wait between scheduling what they do and doing it. Without an address
 * the deployer holds the role. Delays of zero are for the local chain alone, where there is nobody to warn and a market can so be listed at
 * once; on any other the deploy script refuses less than two days.
 */
const power = z.strictObject({
  /** Publishes prices; no delay. */
  pusher: address.optional(),
  /** Halts what raises risk, and cancels what risk has scheduled; no delay. */
  guardian: address.optional(),
  /** Lists and delists, sets parameters and feeds, resumes what was halted. */
  risk: address.optional(),
  /** Gives and takes roles. */
  admin: address.optional(),
  riskDelaySeconds: delay,
  adminDelaySeconds: delay,
});

/** The inputs of one deployment. Every number is a decimal string: ratios as shares of 1, sizes in base units, money in settlement tokens. */
export const DeploymentParameters = z
  .strictObject({
    markets: z.array(market).min(1).max(maximumMarkets),
    /** The token that cash is counted in, taken as one quote unit. */
    settlementToken: z.strictObject(token),
    collaterals: z.array(collateral),
    cash,
    vault,
    /** The chain's Pyth contract. */
    pyth: address.optional(),
    /** How the sequencer of an L2 is watched; without one, none is. */
    sequencer: z
      .strictObject({
        uptimeFeed: address,
        /** After it has come back, before prices are fresh again: 10 minutes to a day. */
        graceSeconds: seconds.refine((text) => Number(text) >= 600 && Number(text) <= 86_400, "must be 600 to 86400"),
      })
      .optional(),
    power,
  })
  .check(
    rule("markets", "must have one entry a symbol", ({ markets }) => distinct(markets.map((m) => m.symbol))),
    rule(
      "pyth",
      "must name the chain's Pyth contract, which a market's feed needs",
      ({ markets, pyth }) =>
        pyth !== undefined || markets.every((m) => m.feed?.kind !== "pyth" && m.secondFeed?.kind !== "pyth"),
    ),
    rule("collaterals", "must have one entry a symbol", ({ collaterals }) =>
      distinct(collaterals.map((c) => c.symbol)),
    ),
    rule("collaterals", "must name the asset of a market", ({ markets, collaterals }) =>
      collaterals.every((c) => markets.some((m) => m.symbol === c.asset)),
    ),
    rule(
      "collaterals",
      "must have a discountBase of at least the asset's largest tolerance, or being liquidated is the cheap way to sell",
      ({ markets, collaterals }) =>
        collaterals.every((c) =>
          markets.every((m) => m.symbol !== c.asset || wad(c.discountBase) >= largestTolerance(m)),
        ),
    ),
    rule(
      "vault",
      "must keep targetHealth at most initialBase / maintenanceBase",
      ({ markets, vault: { targetHealth } }) =>
        markets.every((m) => wad(targetHealth) * wad(m.maintenanceBase) <= wad(m.initialBase) * WAD),
    ),
  );

export type DeploymentParameters = z.infer<typeof DeploymentParameters>;

function wad(text: string): bigint {
  return parseDecimal(text, 18);
}

/** The largest tolerance (wad) that a price of the market's feed can have, as the oracle works it out. */
function largestTolerance({
  tolerance,
  feed: f,
}: {
  readonly tolerance: string;
  readonly feed?: Feed | undefined;
}): bigint {
  if (f?.kind !== "pyth") return wad(tolerance);
  const withAge = wad(tolerance) + mulDivUp(wad(tolerance), BigInt(f.maxAgeSeconds), pythPaceSeconds);
  const largest = withAge + wad(f.maxConfidence);
  return largest > mostTolerance ? mostTolerance : largest;
}

/** Whether the vault's word can hold a deposit cap. */
function fitsDepositCap({ depositCap, decimals }: { depositCap?: string | undefined; decimals: string }): boolean {
  if (depositCap === undefined || Number(decimals) > 18) return true; // of the decimals another rule complains
  const unit = 10n ** (18n - BigInt(decimals));
  return wad(depositCap) % unit === 0n && wad(depositCap) / unit < 2n ** 96n;
}

function holdsWithin({ minPrice, maxPrice }: { minPrice: string; maxPrice: string }, firstPrice: string): boolean {
  return wad(minPrice) < wad(firstPrice) && wad(firstPrice) < wad(maxPrice);
}

/** Whether two feeds read the same. */
function isSame(one: Feed | undefined, two: SecondFeed | undefined): boolean {
  if (one?.kind === "chainlink" && two?.kind === "chainlink")
    return one.aggregator.toLowerCase() === two.aggregator.toLowerCase();
  return one?.kind === "pyth" && two?.kind === "pyth" && one.priceId.toLowerCase() === two.priceId.toLowerCase();
}

function distinct(names: readonly string[]): boolean {
  return new Set(names).size === names.length;
}

function rule<T extends object>(field: keyof T & string, message: string, holds: (value: T) => boolean) {
  return z.refine<T>(holds, { path: [field], message });
}
