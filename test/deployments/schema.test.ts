import { expect } from "chai";

import { DeploymentParameters } from "../../deployments/schema.js";
import { deploymentParameters } from "../../simulator/parameters.js";
import { parsePrices } from "../../simulator/prices.js";

const valid = deploymentParameters(parsePrices("timestamp_iso,BTC,LINK\n2020-03-12T00:00:00Z,8000,4\n", "prices.csv"));
const [btc, link] = valid.markets;
const [wbtc] = valid.collaterals;

const withMarket = (change: object) => ({ ...valid, markets: [{ ...btc, ...change }, link] });
const withCollateral = (change: object) => ({ ...valid, collaterals: [{ ...wbtc, ...change }] });
const withCash = (change: object) => ({ ...valid, cash: { ...valid.cash, ...change } });
const withPower = (change: object) => ({ ...valid, power: { ...valid.power, ...change } });
const withVault = (change: object) => ({ ...valid, vault: { ...valid.vault, ...change } });

const chainlink = {
  kind: "chainlink",
  aggregator: "0x5f4eC3Df9cbd43714FE2740f5E3616155c5b8419",
  minPrice: "100",
  maxPrice: "100000",
  maxAgeSeconds: "4500",
};
const withFeed = (change: object) => withMarket({ feed: { ...chainlink, ...change } });
const { aggregator, ...live } = chainlink;
// What tolerance it may have at most leaves the discounts their room: 0.1% * (1 + 60 / 10) and 0.25%, and a taker rate of 0.05%, make 1%.
const pyth = {
  ...live,
  kind: "pyth",
  priceId: `0x${"aB".repeat(32)}`,
  maxAgeSeconds: "60",
  maxConfidence: "0.0025",
};
const withPyth = (change: object) => ({ ...withMarket({ feed: { ...pyth, ...change } }), pyth: aggregator });
const withSecond = (change: object) => withMarket({ secondFeed: { ...chainlink, maxDeviation: "0.01", ...change } });
const withSequencer = (change: object) => ({
  ...valid,
  sequencer: { uptimeFeed: aggregator, graceSeconds: "3600", ...change },
});

/** The fields that the schema complains about. */
function refusedFields(parameters: unknown): string[] {
  const { success, error } = DeploymentParameters.safeParse(parameters);
  return success ? [] : error.issues.map(({ path }) => path.join("."));
}

describe("deployments/schema", () => {
  it("takes the simulator's parameters as they are", () => {
    expect(DeploymentParameters.parse(valid)).to.deep.equal(valid);
  });

  it("takes a market whose prices are pushed, by default or by name, and one whose prices are read", () => {
    expect(refusedFields(withMarket({ feed: { kind: "push" } }))).to.deep.equal([]);
    expect(refusedFields(withFeed({}))).to.deep.equal([]);
    expect(refusedFields(withFeed({ minPrice: "0", maxPrice: "8000.000001" }))).to.deep.equal([]);
  });

  it("takes a market whose prices are read from Pyth, a second feed of either kind, and a sequencer", () => {
    const seconds = [
      { ...chainlink, maxDeviation: "0.001" },
      { ...pyth, priceId: `0x${"0".repeat(64)}`, maxAgeSeconds: "3600", maxConfidence: "0.1", maxDeviation: "0.1" },
    ];
    for (const feed of [undefined, { kind: "push" }, pyth]) {
      for (const secondFeed of seconds) {
        const parameters = { ...withMarket({ feed, secondFeed }), pyth: aggregator };
        expect(refusedFields(parameters)).to.deep.equal([]);
      }
    }
    for (const graceSeconds of ["600", "86400"]) {
      expect(refusedFields({ ...valid, sequencer: { uptimeFeed: aggregator, graceSeconds } })).to.deep.equal([]);
    }
  });

  it("takes a member for each role, and delays from none to 30 days", () => {
    const [, pusher, guardian, risk, admin] = [0, 1, 2, 3, 4].map((digit) => `0x${String(digit).repeat(40)}`);
    expect(refusedFields(withPower({ pusher, guardian, risk, admin }))).to.deep.equal([]);
    expect(refusedFields(withPower({ riskDelaySeconds: "172800", adminDelaySeconds: "2592000" }))).to.deep.equal([]);
  });

  it("takes the limits of its rules", () => {
    expect(refusedFields(withMarket({ openInterestCap: "5000", skewScale: "166666.666666667" }))).to.deep.equal([]);
    expect(refusedFields(withMarket({ takerRate: "0.009" }))).to.deep.equal([]);
    expect(refusedFields(withMarket({ lambdaInitial: "1" }))).to.deep.equal([]);
    expect(refusedFields(withVault({ targetHealth: "1.666666" }))).to.deep.equal([]);
    expect(refusedFields(withVault({ absorbHealth: "0.999999" }))).to.deep.equal([]);
    expect(refusedFields(withMarket({ openInterestSlope: "10" }))).to.deep.equal([]);
    for (const concentrationStart of ["0.0001", "1", "0.1230"]) {
      expect(refusedFields(withCollateral({ concentrationStart }))).to.deep.equal([]);
    }
    const free = { kink: "0", rateAtZero: "0", rateAtKink: "0", rateAtFull: "0", reserveFactor: "0" };
    expect(refusedFields(withCash({ ...free, poolLossPerHour: "0", writeOffPerHour: "0" }))).to.deep.equal([]);
    const dear = { kink: "1", rateAtZero: "4", rateAtKink: "4", rateAtFull: "4", reserveFactor: "0.5" };
    expect(refusedFields(withCash({ ...dear, poolLossPerHour: "1", writeOffPerHour: "1" }))).to.deep.equal([]);
  });

  it("takes a deposit cap up to what the vault can count, in the token's decimals, or none", () => {
    const { depositCap: _, ...uncapped } = { depositCap: undefined, ...wbtc };
    expect(refusedFields({ ...valid, collaterals: [uncapped] })).to.deep.equal([]);
    for (const depositCap of ["0.00000001", "792281625142643375935.43950335"]) {
      expect(refusedFields(withCollateral({ depositCap }))).to.deep.equal([]);
    }
  });

  const refusals: [title: string, parameters: unknown, fields: string[]][] = [
    ["an unknown key of the whole", { ...valid, extra: "1" }, [""]],
    ["an unknown key of a market", withMarket({ extra: "1" }), ["markets.0"]],
    ["an unknown key of a collateral", withCollateral({ extra: "1" }), ["collaterals.0"]],
    ["an unknown key of the vault", withVault({ extra: "1" }), ["vault"]],
    ["a number that is no string", withMarket({ takerRate: 0.0005 }), ["markets.0.takerRate"]],
    ["a number with an exponent", withMarket({ takerRate: "5e-4" }), ["markets.0.takerRate"]],
    ["a negative number", withMarket({ takerRate: "-0.0005" }), ["markets.0.takerRate"]],
    ["an empty number", withVault({ keeperFloor: "" }), ["vault.keeperFloor"]],
    ["a ratio finer than 1e-6", withMarket({ takerRate: "0.0005001" }), ["markets.0.takerRate"]],
    ["a size finer than 1e-9", withMarket({ minimumSize: "0.0012500001" }), ["markets.0.minimumSize"]],
    ["money finer than 1e-6", withVault({ minimumDebt: "10.0000001" }), ["vault.minimumDebt"]],
    ["part of a second", withVault({ poolLockSeconds: "1.5" }), ["vault.poolLockSeconds"]],
    ["a time of zero", withVault({ maxPriceAgeSeconds: "0" }), ["vault.maxPriceAgeSeconds"]],
    ["a share above 1", withVault({ insuranceFeeShare: "1.000001" }), ["vault.insuranceFeeShare"]],
    ["a first price of zero", withMarket({ firstPrice: "0.0" }), ["markets.0.firstPrice"]],
    [
      "a base of zero",
      withMarket({ maintenanceBase: "0" }),
      ["markets.0.maintenanceBase", "markets.0.openInterestCap"],
    ],
    ["a size of zero", withMarket({ minimumSize: "0" }), ["markets.0.minimumSize"]],
    ["an asset in small letters", { ...valid, markets: [btc, { ...link, symbol: "link" }] }, ["markets.1.symbol"]],
    [
      "a maintenance base above the initial one",
      withMarket({ initialBase: "0.029999" }),
      ["markets.0.maintenanceBase", "vault"],
    ],
    ["a lambda below 1 at maintenance", withMarket({ lambdaMaintenance: "0.999999" }), ["markets.0.lambdaMaintenance"]],
    ["a lambda that is lower at the start", withMarket({ lambdaInitial: "0.999999" }), ["markets.0.lambdaInitial"]],
    ["a maker rate above the taker rate", withMarket({ makerRate: "0.000501" }), ["markets.0.makerRate"]],
    [
      "a cap too high for the skew scale",
      withMarket({ openInterestCap: "5000.000000011" }),
      ["markets.0.openInterestCap"],
    ],
    ["a minimum size above the cap", withMarket({ minimumSize: "5000.000000001" }), ["markets.0.minimumSize"]],
    ["a discount below the cost of closing", withMarket({ takerRate: "0.009001" }), ["markets.0.discountBase"]],
    ["a discount cap below its base", withMarket({ discountCap: "0.009999" }), ["markets.0.discountCap"]],
    [
      "a weight that is higher at the start",
      withCollateral({ weightInitial: "0.900001" }),
      ["collaterals.0.weightInitial"],
    ],
    ["an unknown key of cash", withCash({ extra: "1" }), ["cash"]],
    ["parameters without cash", { ...valid, cash: undefined }, ["cash"]],
    ["a kink above 1", withCash({ kink: "1.000001" }), ["cash.kink"]],
    ["a rate that falls before the kink", withCash({ rateAtZero: "0.080001" }), ["cash.rateAtZero"]],
    ["a rate that falls beyond the kink", withCash({ rateAtFull: "0.079999" }), ["cash.rateAtKink"]],
    ["a rate above 400% a year", withCash({ rateAtFull: "4.000001" }), ["cash.rateAtFull"]],
    ["a rate finer than 1e-6", withCash({ rateAtZero: "0.0100001" }), ["cash.rateAtZero"]],
    ["a reserve factor above 0.5", withCash({ reserveFactor: "0.500001" }), ["cash.reserveFactor"]],
    ["more losses an hour than the pool has", withCash({ poolLossPerHour: "1.000001" }), ["cash.poolLossPerHour"]],
    ["more write-offs an hour than there is cash", withCash({ writeOffPerHour: "1.000001" }), ["cash.writeOffPerHour"]],
    [
      "a slope of open interest above 10",
      withMarket({ openInterestSlope: "10.000001" }),
      ["markets.0.openInterestSlope"],
    ],
    ["a market without a slope", withMarket({ openInterestSlope: undefined }), ["markets.0.openInterestSlope"]],
    [
      "a start of concentration at zero",
      withCollateral({ concentrationStart: "0" }),
      ["collaterals.0.concentrationStart"],
    ],
    ["one above 1", withCollateral({ concentrationStart: "1.0001" }), ["collaterals.0.concentrationStart"]],
    ["one finer than 1e-4", withCollateral({ concentrationStart: "0.12345" }), ["collaterals.0.concentrationStart"]],
    ["a deposit cap of zero", withCollateral({ depositCap: "0" }), ["collaterals.0.depositCap"]],
    ["a deposit cap finer than the token", withCollateral({ depositCap: "1.000000001" }), ["collaterals.0.depositCap"]],
    [
      "a deposit cap beyond what the vault can count",
      withCollateral({ depositCap: "792281625142643375935.43950336" }),
      ["collaterals.0.depositCap"],
    ],
    ["19 decimals of a token", withCollateral({ decimals: "19" }), ["collaterals.0.decimals"]],
    ["them of one with a cap", withCollateral({ decimals: "19", depositCap: "1" }), ["collaterals.0.decimals"]],
    ["a target health of 1", withVault({ targetHealth: "1" }), ["vault.targetHealth"]],
    ["an absorb health of 1", withVault({ absorbHealth: "1" }), ["vault.absorbHealth"]],
    ["fee shares that do not make 1", withVault({ forcedFeeSharePool: "0.3" }), ["vault.forcedFeeShareKeeper"]],
    ["a feed of an unknown kind", withMarket({ feed: { kind: "band" } }), ["markets.0.feed.kind"]],
    ["parameters without power", { ...valid, power: undefined }, ["power"]],
    ["an unknown key of power", withPower({ keeper: chainlink.aggregator }), ["power"]],
    ["a member that is no address", withPower({ guardian: "guardian.eth" }), ["power.guardian"]],
    ["a delay that is no whole number", withPower({ riskDelaySeconds: "172800.5" }), ["power.riskDelaySeconds"]],
    ["a delay of more than 30 days", withPower({ adminDelaySeconds: "2592001" }), ["power.adminDelaySeconds"]],
    ["no delay at all", withPower({ riskDelaySeconds: undefined }), ["power.riskDelaySeconds"]],
    ["an unknown key of a feed", withFeed({ heartbeat: "3600" }), ["markets.0.feed"]],
    ["an aggregator for prices that are pushed", withFeed({ kind: "push" }), ["markets.0.feed"]],
    ["an aggregator that is no address", withFeed({ aggregator: "ETH/USD" }), ["markets.0.feed.aggregator"]],
    ["a feed without an age", withFeed({ maxAgeSeconds: undefined }), ["markets.0.feed.maxAgeSeconds"]],
    ["a largest price of zero", withFeed({ maxPrice: "0" }), ["markets.0.feed.maxPrice", "markets.0.feed"]],
    ["a first price at the smallest price", withFeed({ minPrice: "8000" }), ["markets.0.feed"]],
    ["a first price at the largest price", withFeed({ maxPrice: "8000" }), ["markets.0.feed"]],
    ["a Pyth feed without the chain's Pyth contract", withMarket({ feed: pyth }), ["pyth"]],
    ["a second one without it", withMarket({ secondFeed: { ...pyth, maxDeviation: "0.01" } }), ["pyth"]],
    ["a price id that is too short", withPyth({ priceId: "0xab" }), ["markets.0.feed.priceId"]],
    ["a confidence of zero", withPyth({ maxConfidence: "0" }), ["markets.0.feed.maxConfidence"]],
    ["a confidence above 10%", withPyth({ maxConfidence: "0.100001" }), ["markets.0.feed.maxConfidence"]],
    ["a Pyth price of more than a minute", withPyth({ maxAgeSeconds: "61" }), ["markets.0.feed.maxAgeSeconds"]],
    [
      "one whose tolerance is below 0.05%",
      { ...withMarket({ feed: pyth, tolerance: "0.000499" }), pyth: aggregator },
      ["markets.0.tolerance"],
    ],
    [
      "a discount without room for its confidence, of the market and of the collateral",
      withPyth({ maxConfidence: "0.003001" }),
      ["markets.0.discountBase", "collaterals"],
    ],
    [
      "a discount without room for its age",
      { ...withMarket({ feed: pyth, tolerance: "0.001001" }), pyth: aggregator },
      ["markets.0.discountBase"],
    ],
    [
      "a tolerance above 10%",
      withMarket({ tolerance: "0.100001", discountBase: "0.2", discountCap: "0.2" }),
      ["markets.0.tolerance"],
    ],
    ["a first price beyond a Pyth feed's bounds", withPyth({ minPrice: "8000" }), ["markets.0.feed"]],
    ["a second feed that is pushed", withSecond({ kind: "push" }), ["markets.0.secondFeed.kind"]],
    ["one without a deviation", withSecond({ maxDeviation: undefined }), ["markets.0.secondFeed.maxDeviation"]],
    ["one below 0.1%", withSecond({ maxDeviation: "0.000999" }), ["markets.0.secondFeed.maxDeviation"]],
    ["one above 10%", withSecond({ maxDeviation: "0.100001" }), ["markets.0.secondFeed.maxDeviation"]],
    ["a first price beyond the second's bounds", withSecond({ maxPrice: "8000" }), ["markets.0.secondFeed"]],
    [
      "a second feed that is the first",
      withMarket({ feed: chainlink, secondFeed: { ...chainlink, maxDeviation: "0.01" } }),
      ["markets.0.secondFeed"],
    ],
    ["an unknown key of the sequencer", withSequencer({ extra: "1" }), ["sequencer"]],
    ["a grace time below 10 minutes", withSequencer({ graceSeconds: "599" }), ["sequencer.graceSeconds"]],
    ["a grace time above a day", withSequencer({ graceSeconds: "86401" }), ["sequencer.graceSeconds"]],
    ["an uptime feed that is no address", withSequencer({ uptimeFeed: "up" }), ["sequencer.uptimeFeed"]],
    ["no market", { ...valid, markets: [], collaterals: [] }, ["markets"]],
    ["a market that stands twice", { ...valid, markets: [btc, link, btc] }, ["markets"]],
    [
      "97 markets",
      { ...valid, markets: Array.from({ length: 97 }, (_, at) => ({ ...btc, symbol: `A${at}` })) },
      ["markets"],
    ],
    ["a collateral that stands twice", { ...valid, collaterals: [wbtc, wbtc] }, ["collaterals"]],
    ["a collateral of an asset without a market", withCollateral({ asset: "ETH" }), ["collaterals"]],
    [
      "a collateral whose sale would not raise health",
      withCollateral({ weightMaintenance: "0.95" }),
      ["collaterals.0.discountCap"],
    ],
    [
      "a collateral with a discount cap below its base",
      withCollateral({ discountCap: "0.009999" }),
      ["collaterals.0.discountCap"],
    ],
    [
      "a collateral that being liquidated is the cheap way to sell",
      withCollateral({ discountBase: "0.000999" }),
      ["collaterals"],
    ],
    ["a target health that a liquidation cannot reach", withVault({ targetHealth: "1.666667" }), ["vault"]],
  ];

  for (const [title, parameters, fields] of refusals) {
    it(`refuses ${title}`, () => expect(refusedFields(parameters)).to.deep.equal(fields));
  }
});
