import { WAD, mulDivDown, mulDivUp } from "../sdk/units/index.js";
import { accountValueQuantiles, leverageQuantiles, quantileAt } from "./quantiles.js";
import { type Random, randomStreams } from "./random.js";

export interface PopulationMarket {
  readonly id: number;
  readonly symbol: string;
  readonly initialBaseWad: bigint;
  readonly priceWad: bigint;
}

export interface PopulationCollateral {
  readonly symbol: string;
  /** The asset whose price values the token. */
  readonly asset: string;
  readonly decimals: number;
  readonly weightInitialWad: bigint;
  readonly priceWad: bigint;
}

export interface PopulationInput {
  readonly seed: number;
  readonly accounts: number;
  readonly markets: readonly PopulationMarket[];
  readonly cash: { readonly symbol: string; readonly decimals: number };
  readonly collaterals: readonly PopulationCollateral[];
  readonly keeperFloorWad: bigint;
  /** Leverage, as so many times what is drawn; 1 by default. */
  readonly leverageFactor?: number;
  /** Of positions, the share that is long; 0.6 by default. */
  readonly longShare?: number;
}

export interface PlannedDeposit {
  readonly token: string;
  /** In the token's own units. */
  readonly amount: bigint;
}

export interface PlannedOpening {
  readonly market: number;
  /** Above zero: long. */
  readonly sizeDeltaWad: bigint;
  readonly notionalWad: bigint;
}

export interface PlannedOwner {
  readonly index: number;
  /** Index of the owner's HD key. */
  readonly hdIndex: number;
  readonly valueWad: bigint;
  readonly deposits: readonly PlannedDeposit[];
  readonly openings: readonly PlannedOpening[];
}

export class UnaffordableOpeningError extends Error {
  override readonly name = "UnaffordableOpeningError";
  readonly index: number;
  readonly marginWad: bigint;

  constructor(index: number, marginWad: bigint) {
    super(
      `account ${index} has ${marginWad} wad of initial margin to use, too little for its smallest position; ` +
        "lower the keeper floor or the initial base, or raise the weights of the collaterals",
    );
    this.index = index;
    this.marginWad = marginWad;
  }
}

const firstHdIndex = 10;
const leastValue = 50;
const leastNotionalWad = 20n * WAD;
const mostMarkets = 4;
const longShare = 0.6;
const usableMarginPercent = 90n;
/** What an account's value is held as; parts of the tokens that do not exist go to the others in proportion. */
const cashParts = 50n;
const collateralParts = new Map([
  ["ETH", 30n],
  ["BTC", 20n],
]);
/** Sizes are multiples of 1e-9 base units. */
const sizeStepWad = 10n ** 9n;
const leastPoolSeedWad = 10_000_000n * WAD;

/** The owners of a run. The same input gives the same owners, and a larger population begins with the smaller one. */
export function drawPopulation(input: PopulationInput): PlannedOwner[] {
  if (input.markets.length === 0) throw new RangeError("a population needs at least one market");
  return randomStreams(input.seed, input.accounts).map((random, index) => drawOwner(index, random, input));
}

/** What the pool starts with: room for every account's positions; or, where it is given, so many percent of all values. */
export function poolSeedWad(valuesWad: readonly bigint[], percent?: bigint): bigint {
  const sumWad = valuesWad.reduce((sum, valueWad) => sum + valueWad, 0n);
  if (percent !== undefined) return mulDivDown(sumWad, percent, 100n);
  return maximum(2n * sumWad, leastPoolSeedWad);
}

interface Choice {
  readonly market: PopulationMarket;
  readonly long: boolean;
}

function drawOwner(index: number, random: Random, input: PopulationInput): PlannedOwner {
  const valueWad = wadFromDraw(Math.max(leastValue, quantileAt(accountValueQuantiles, random.uniform())));
  const leverageWad = wadFromDraw(quantileAt(leverageQuantiles, random.uniform()) * (input.leverageFactor ?? 1));
  const choices = chooseMarkets(random, input.markets, input.longShare ?? longShare);
  const holdings = splitValue(valueWad, input);
  const equityWad = holdings.reduce((sum, holding) => sum + holding.initialEquityWad, 0n);
  const marginWad = mulDivDown(usableMarginPercent, maximum(0n, equityWad - input.keeperFloorWad), 100n);
  const wantedWad = mulDivDown(valueWad, leverageWad, WAD);
  const openings = planOpenings(choices, wantedWad, marginWad);
  if (openings.length === 0) throw new UnaffordableOpeningError(index, marginWad);
  const deposits = holdings.map(({ token, amount }) => ({ token, amount })).filter(({ amount }) => amount > 0n);
  return { index, hdIndex: firstHdIndex + index, valueWad, deposits, openings };
}

/** Draws are floats; what follows is exact. A draw counts to the sixth decimal, which a float of this size always carries. */
function wadFromDraw(draw: number): bigint {
  return BigInt(Math.round(draw * 1e6)) * 10n ** 12n;
}

function chooseMarkets(random: Random, markets: readonly PopulationMarket[], ofLongs: number): Choice[] {
  const left = [...markets];
  const count = random.integer(1, Math.min(mostMarkets, markets.length));
  return Array.from({ length: count }, () => left.splice(random.integer(0, left.length - 1), 1))
    .flat()
    .map((market) => ({ market, long: random.uniform() < ofLongs }));
}

interface Holding extends PlannedDeposit {
  readonly initialEquityWad: bigint;
}

function splitValue(valueWad: bigint, { cash, collaterals }: PopulationInput): Holding[] {
  const tokens = [
    { ...cash, parts: cashParts, priceWad: WAD, weightInitialWad: WAD },
    ...collaterals.map((collateral) => ({ ...collateral, parts: collateralParts.get(collateral.asset) ?? 0n })),
  ];
  const allParts = tokens.reduce((sum, { parts }) => sum + parts, 0n);
  return tokens.map(({ symbol, decimals, parts, priceWad, weightInitialWad }) => {
    const unit = 10n ** BigInt(decimals);
    const amount = mulDivDown(valueWad * parts, unit, allParts * priceWad);
    const heldWad = mulDivDown(amount, priceWad, unit);
    return { token: symbol, amount, initialEquityWad: mulDivDown(heldWad, weightInitialWad, WAD) };
  });
}

/**
 * Splits the wanted notional equally, as far as the margin reaches and never below the least notional. Where the margin does not
 * reach for the least notional in each market, the last markets are given up.
 */
function planOpenings(choices: readonly Choice[], wantedWad: bigint, marginWad: bigint): PlannedOpening[] {
  if (choices.length === 0) return [];
  const basesWad = choices.reduce((sum, { market }) => sum + market.initialBaseWad, 0n);
  const eachWad = minimum(wantedWad / BigInt(choices.length), mulDivDown(marginWad, WAD, basesWad));
  const sizesWad = choices.map(({ market }) => sizeForNotional(eachWad, market.priceWad));
  const requiredWad = choices.reduce((sum, { market }, at) => sum + initialMarginUp(sizesWad[at] ?? 0n, market), 0n);
  if (requiredWad > marginWad) return planOpenings(choices.slice(0, -1), wantedWad, marginWad);
  return choices.map(({ market, long }, at) => {
    const sizeWad = sizesWad[at] ?? 0n;
    return {
      market: market.id,
      sizeDeltaWad: long ? sizeWad : -sizeWad,
      notionalWad: mulDivDown(sizeWad, market.priceWad, WAD),
    };
  });
}

function sizeForNotional(notionalWad: bigint, priceWad: bigint): bigint {
  const leastSteps = mulDivUp(leastNotionalWad, WAD, priceWad * sizeStepWad);
  const steps = mulDivDown(notionalWad, WAD, priceWad * sizeStepWad);
  return maximum(leastSteps, steps) * sizeStepWad;
}

function initialMarginUp(sizeWad: bigint, market: PopulationMarket): bigint {
  return mulDivUp(sizeWad * market.priceWad, market.initialBaseWad, WAD * WAD);
}

function minimum(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function maximum(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
